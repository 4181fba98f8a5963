//! The same regressions by gradient descent, as the lecture has them: all rows in each step, in f64.
//!
//! ```text
//! linear     J = 1/2m sum_i (x_i b - y_i)^2
//! logistic   J = -1/m sum_i [y_i ln p_i + (1 - y_i) ln(1 - p_i)],  p = sigmoid(x b)
//! softmax    J = -1/m sum_i ln p_i,y_i;  the logit of the first class is 0
//! penalty    + lambda/2m sum_j b_j^2, not for the intercept
//! ```
//!
//! Unless the units of the table are asked for, each column is standardised first, x' = (x - mean) / deviation, which makes
//! the bowl round; the coefficients found are turned back, b_j = b'_j / deviation_j, and the intercept takes up the means.
//! The penalty is that of the coefficients turned back, so that the minimum is the same.
//!
//! The default rate of the plain rule is 1 / L, where L bounds the curvature of J: the largest eigenvalue of X^T X / m, for
//! logistic regression a quarter, for softmax a half of it (Böhning 1992).

use super::{Design, Fitted};
use crate::descent::{DescentError, Method, Parameter, descend};
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Tensor;

/// What gradient descent came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Descended {
    /// J before each step and after the last.
    pub costs: Vec<f64>,
    /// Coefficients at the end, in the units of the table: a row for each class but the first, or one row.
    pub coefficients: Vec<Vec<f64>>,
    /// The step after which nothing was finite any more.
    pub diverged: Option<u64>,
}

fn tensor(shape: &[usize], values: Vec<f64>) -> Tensor<f64> {
    Tensor::new(shape.to_vec(), values).expect("as many values as the shape has")
}

/// Columns as they are descended on.
pub struct Descent<'a> {
    design: &'a Design,
    fitted: &'a Fitted,
    lambda: f64,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl<'a> Descent<'a> {
    /// For what was fitted exactly, standardised unless `raw`.
    pub fn new(design: &'a Design, fitted: &'a Fitted, lambda: f64, raw: bool) -> Descent<'a> {
        let m = design.matrix.rows as f64;
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for (at, column) in design.matrix.columns.iter().enumerate() {
            // Without an intercept nothing could take up the means.
            let centred = !raw && !design.is_intercept(at) && design.has_intercept();
            let mean = if centred { column.iter().sum::<f64>() / m } else { 0.0 };
            let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m).sqrt();
            means.push(mean);
            deviations.push(if raw || design.is_intercept(at) || deviation == 0.0 { 1.0 } else { deviation });
        }
        Descent { design, fitted, lambda, means, deviations }
    }

    fn columns(&self) -> Vec<Vec<f64>> {
        let scale = |(at, column): (usize, &Vec<f64>)| -> Vec<f64> {
            column.iter().map(|x| (x - self.means[at]) / self.deviations[at]).collect()
        };
        self.design.matrix.columns.iter().enumerate().map(scale).collect()
    }

    /// 1 / L: no smaller curvature bound makes plain gradient descent overshoot.
    pub fn safe_rate(&self) -> f64 {
        let (columns, m) = (self.columns(), self.design.matrix.rows as f64);
        // The power method: X^T X v, again and again.
        let mut v: Vec<f64> = (0..columns.len()).map(|at| 1.0 + 0.1 * at as f64).collect();
        let mut largest = 0.0;
        for _ in 0..500 {
            let size = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            v.iter_mut().for_each(|x| *x /= size);
            let mut along = vec![0.0; self.design.matrix.rows];
            for (column, x) in columns.iter().zip(&v) {
                along.iter_mut().zip(column).for_each(|(sum, a)| *sum += a * x);
            }
            v = columns
                .iter()
                .map(|column| column.iter().zip(&along).map(|(a, b)| a * b).sum::<f64>() / m)
                .collect();
            let next = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            if (next - largest).abs() <= 1e-12 * next {
                break;
            }
            largest = next;
        }
        let share = match self.fitted {
            Fitted::Values { .. } => 1.0,
            Fitted::Classes { classes, .. } if classes.len() == 2 => 0.25,
            Fitted::Classes { .. } => 0.5,
        };
        let smallest = self.deviations.iter().fold(f64::INFINITY, |least, x| least.min(*x));
        1.0 / (share * largest + self.lambda / (m * smallest.powi(2)))
    }

    /// Takes `steps` steps from zero.
    ///
    /// # Errors
    /// A setting of the optimiser out of its range.
    pub fn run(&self, method: &Method, steps: u64) -> Result<Descended, DescentError> {
        let (rows, terms) = (self.design.matrix.rows, self.design.names.len());
        let columns = self.columns();
        let cells: Vec<f64> =
            (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
        let x = tensor(&[rows, terms], cells);
        let outputs = match self.fitted {
            Fitted::Values { .. } => 1,
            Fitted::Classes { classes, .. } => classes.len() - 1,
        };
        let y = match self.fitted {
            Fitted::Values { targets, .. } => targets.clone(),
            Fitted::Classes { labels, .. } => labels.iter().map(|&label| label as f64).collect(),
        };
        let y = tensor(&[rows], y);
        let weight =
            |at: usize| if self.design.is_intercept(at) { 0.0 } else { 1.0 / self.deviations[at].powi(2) };
        let weights = tensor(&[terms, 1], (0..terms).map(weight).collect());
        let m = rows as f64;
        let cost = |g: &GraphBuilder, b: &[Value]| {
            let (x, y) = (g.input("x", [rows, terms]), g.input("y", [rows]));
            let z = g.matmul(x, b[0]);
            let cost = match self.fitted {
                Fitted::Values { .. } => {
                    let error = g.sub(g.reshape(z, [rows]), y);
                    g.mul(g.constant(0.5 / m), g.sum_all(g.square(error)))
                }
                Fitted::Classes { classes, .. } if classes.len() == 2 => {
                    g.mean_all(g.binary_cross_entropy(g.reshape(z, [rows]), y))
                }
                Fitted::Classes { .. } => {
                    let logits = g.concat(&[g.full([rows, 1], 0.0), z], 1);
                    g.mean_all(g.cross_entropy(logits, y))
                }
            };
            if self.lambda == 0.0 {
                return cost;
            }
            let squares = g.mul(g.input("weights", [terms, 1]), g.square(b[0]));
            g.add(cost, g.mul(g.constant(0.5 * self.lambda / m), g.sum_all(squares)))
        };
        let mut inputs = vec![("x", &x), ("y", &y)];
        if self.lambda != 0.0 {
            inputs.push(("weights", &weights));
        }
        let start = Parameter::new("b", tensor(&[terms, outputs], vec![0.0; terms * outputs]));
        let path = descend(&[start], &inputs, cost, method, steps)?;
        let last = path.iterates.last().map_or(&[][..], |iterate| iterate[0].data());
        let coefficients = (0..outputs).map(|k| {
            let b: Vec<f64> = last.iter().skip(k).step_by(outputs).copied().collect();
            self.turned_back(b)
        });
        Ok(Descended { coefficients: coefficients.collect(), costs: path.costs, diverged: path.diverged })
    }

    /// Coefficients of standardised columns in the units of the table.
    fn turned_back(&self, mut b: Vec<f64>) -> Vec<f64> {
        b.iter_mut().zip(&self.deviations).for_each(|(b, deviation)| *b /= deviation);
        let moved: f64 = b.iter().zip(&self.means).map(|(b, mean)| b * mean).sum();
        if self.design.has_intercept() {
            b[0] -= moved;
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Linear, Terms, classify, least_squares};
    use super::*;
    use crate::data::Columns;
    use crate::optim::Sgd;
    use crate::schedule::Schedule;

    fn design(rows: &[[f64; 2]]) -> Design {
        let text: Vec<String> = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, format!("a,b\n{}", text.concat())).unwrap();
        let table = Columns::read(&path).unwrap();
        Design::new(&table, &["a".into(), "b".into()], "", &Terms::default()).unwrap()
    }

    fn sgd(rate: f64) -> Method {
        Method { optimizer: Sgd::default().into(), schedule: Schedule::constant(rate), momentum: None }
    }

    const ROWS: [[f64; 2]; 6] =
        [[1.0, 40.0], [2.0, -10.0], [3.0, 25.0], [5.0, 0.0], [8.0, 30.0], [9.0, -20.0]];

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-8 * b.abs().max(1.0))
    }

    #[test]
    fn descent_and_the_exact_solver_meet_with_and_without_a_penalty() {
        let design = design(&ROWS);
        let y: Vec<f64> = ROWS
            .iter()
            .zip([0.3, -0.1, 0.2, 0.4, -0.3, 0.1])
            .map(|([a, b], e)| 3.0 - a + 0.2 * b + e)
            .collect();
        for lambda in [0.0, 2.0] {
            let fit: Linear = least_squares(&design, &y, lambda).unwrap();
            let fitted = Fitted::Values { fit: fit.clone(), targets: y.clone() };
            let descent = Descent::new(&design, &fitted, lambda, false);
            let found = descent.run(&sgd(descent.safe_rate()), 3000).unwrap();
            assert!(
                near(&found.coefficients[0], &fit.coefficients),
                "{lambda}: {:?} {:?}",
                found.coefficients,
                fit
            );
            assert!((found.costs.last().unwrap() - fit.cost).abs() < 1e-12);
            assert!(
                found.costs.windows(2).all(|two| two[1] <= two[0] * (1.0 + 1e-12)),
                "a safe rate never overshoots"
            );
        }
    }

    #[test]
    fn so_do_they_for_two_and_three_classes() {
        let design = design(&ROWS);
        for labels in [vec![0, 1, 0, 0, 1, 1], vec![0, 1, 2, 0, 1, 2]] {
            let count = labels.iter().max().unwrap() + 1;
            let fit = classify(&design, &labels, count, 0.5).unwrap();
            let classes = (0..count).map(|k| k.to_string()).collect();
            let fitted = Fitted::Classes { fit: fit.clone(), labels: labels.clone(), classes };
            let descent = Descent::new(&design, &fitted, 0.5, false);
            let found = descent.run(&sgd(descent.safe_rate()), 6000).unwrap();
            assert!(
                near(&found.coefficients.concat(), &fit.coefficients.concat()),
                "{:?} {:?}",
                found.coefficients,
                fit
            );
        }
    }

    /// Twice the bound of the curvature is the limit.
    #[test]
    fn beyond_twice_the_safe_rate_it_diverges() {
        let design = design(&ROWS);
        let y: Vec<f64> = ROWS.iter().map(|[a, b]| a + b).collect();
        let fitted = Fitted::Values { fit: least_squares(&design, &y, 0.0).unwrap(), targets: y };
        let descent = Descent::new(&design, &fitted, 0.0, true);
        let rate = descent.safe_rate();
        let last = |rate: f64| *descent.run(&sgd(rate), 200).unwrap().costs.last().unwrap();
        let first = descent.run(&sgd(rate), 0).unwrap().costs[0];
        assert!(last(1.95 * rate) < first && last(2.05 * rate) > first);
    }
}
