//! Logistic and softmax regression: the most likely coefficients, by Newton's method.
//!
//! ```text
//! p_ik = exp(z_ik) / sum_l exp(z_il)      z_i = x_i B, B of n x K; column 0, of the reference class, is zero
//! J = -1/m sum_i ln p_i,y_i  (+ lambda/2m sum of squares, not for the intercept)
//! gradient  G_k = 1/m sum_i (p_ik - [y_i = k]) x_i
//! Hessian   H_kl = 1/m sum_i p_ik ([k = l] - p_il) x_i x_i^T
//! step      B <- B - t H^-1 G, t halved until J falls
//! standard errors: square roots of the diagonal of (m H)^-1
//! ```
//!
//! With two classes this is logistic regression: p = sigmoid(x b). J is convex, and of independent columns its minimum is
//! one point, unless the classes can be separated: then it lies at infinity, which is told instead.
//!
//! Sources: Hastie, Tibshirani and Friedman, The elements of statistical learning, section 4.4; Albert and Anderson 1984
//! for separation.

use super::qr::Qr;
use super::{Design, RegressionError};
use nalgebra::{DMatrix, DVector};

const MOST_STEPS: usize = 100;
/// Newton's method doubles the digits with each step, so that a step this small is the last that matters.
const SMALL: f64 = 1e-11;
/// A probability of the right class above this, for every row, is separation.
const CERTAIN: f64 = 1.0 - 1e-7;

/// What logistic or softmax regression found.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// The coefficients of each class but the first, one a column of the design.
    pub coefficients: Vec<Vec<f64>>,
    /// Their standard errors; none with a penalty.
    pub standard_errors: Option<Vec<Vec<f64>>>,
    /// J, with the penalty.
    pub cost: f64,
    /// The share of the rows whose most likely class is theirs.
    pub accuracy: f64,
    /// Newton's steps.
    pub steps: usize,
}

impl Classifier {
    /// The probability of each class for a row of the design.
    pub fn probabilities(&self, row: &[f64]) -> Vec<f64> {
        probabilities(&self.coefficients, row)
    }
}

fn probabilities(coefficients: &[Vec<f64>], row: &[f64]) -> Vec<f64> {
    let logit = |b: &Vec<f64>| -> f64 { b.iter().zip(row).map(|(b, x)| b * x).sum() };
    let logits: Vec<f64> = std::iter::once(0.0).chain(coefficients.iter().map(logit)).collect();
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| (z - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

struct Problem<'a> {
    rows: Vec<Vec<f64>>,
    labels: &'a [usize],
    design: &'a Design,
    lambda: f64,
}

impl Problem<'_> {
    fn terms(&self) -> usize {
        self.design.names.len()
    }

    fn penalty(&self, term: usize) -> f64 {
        if self.design.is_intercept(term) { 0.0 } else { self.lambda }
    }

    /// m J.
    fn cost(&self, coefficients: &[Vec<f64>]) -> f64 {
        let one = |(row, &label): (&Vec<f64>, &usize)| -probabilities(coefficients, row)[label].ln();
        let likelihood: f64 = self.rows.iter().zip(self.labels).map(one).sum();
        let square = |b: &Vec<f64>| -> f64 {
            b.iter().enumerate().map(|(term, b)| 0.5 * self.penalty(term) * b * b).sum()
        };
        likelihood + coefficients.iter().map(square).sum::<f64>()
    }

    /// m times gradient and Hessian, class by class.
    fn derivatives(&self, coefficients: &[Vec<f64>]) -> (DVector<f64>, DMatrix<f64>) {
        let (n, classes) = (self.terms(), coefficients.len());
        let mut gradient = DVector::zeros(n * classes);
        let mut hessian = DMatrix::zeros(n * classes, n * classes);
        for (row, &label) in self.rows.iter().zip(self.labels) {
            let p = probabilities(coefficients, row);
            for k in 0..classes {
                let error = p[k + 1] - f64::from(u8::from(label == k + 1));
                for (i, x) in row.iter().enumerate() {
                    gradient[k * n + i] += error * x;
                }
                for l in 0..=k {
                    let weight = p[k + 1] * (f64::from(u8::from(k == l)) - p[l + 1]);
                    for i in 0..n {
                        let part = weight * row[i];
                        for j in 0..n {
                            hessian[(k * n + i, l * n + j)] += part * row[j];
                        }
                    }
                }
            }
        }
        for k in 0..classes {
            for i in 0..n {
                gradient[k * n + i] += self.penalty(i) * coefficients[k][i];
                hessian[(k * n + i, k * n + i)] += self.penalty(i);
            }
        }
        hessian.fill_upper_triangle_with_lower_triangle();
        (gradient, hessian)
    }

    fn is_separated(&self, coefficients: &[Vec<f64>]) -> bool {
        let certain = |(row, &label): (&Vec<f64>, &usize)| probabilities(coefficients, row)[label] > CERTAIN;
        self.rows.iter().zip(self.labels).all(certain)
    }
}

/// The most likely coefficients for labels from 0 to `classes - 1`, with a penalty of `lambda` (0 for none).
///
/// # Errors
/// Columns that are not independent, classes that can be separated (both only without a penalty), or no convergence.
///
/// # Panics
/// If there are fewer than two classes.
pub fn classify(
    design: &Design,
    labels: &[usize],
    classes: usize,
    lambda: f64,
) -> Result<Classifier, RegressionError> {
    assert!(classes >= 2, "at least two classes");
    let terms = design.names.len();
    if lambda == 0.0 {
        let qr = Qr::new(&design.matrix);
        if design.matrix.rows < terms {
            return Err(RegressionError::FewRows { rows: design.matrix.rows, terms });
        }
        if qr.rank < terms {
            let dependent = qr.dependent().iter().map(|&at| design.names[at].clone()).collect();
            return Err(RegressionError::Rank { rank: qr.rank, terms, dependent });
        }
    }
    let problem = Problem { rows: design.by_rows(), labels, design, lambda };
    let mut coefficients = vec![vec![0.0; terms]; classes - 1];
    let mut cost = problem.cost(&coefficients);
    for steps in 1..=MOST_STEPS {
        let (gradient, hessian) = problem.derivatives(&coefficients);
        // Units of measurement would else decide how well it can be solved.
        let scale = hessian.diagonal().map(|x| if x > 0.0 { x.sqrt().recip() } else { 1.0 });
        let scaled =
            DMatrix::from_fn(hessian.nrows(), hessian.ncols(), |i, j| hessian[(i, j)] * scale[i] * scale[j]);
        let Some(factor) = scaled.cholesky() else {
            // All weights p (1 - p) have vanished.
            return Err(RegressionError::Separable);
        };
        let step = factor.solve(&gradient.component_mul(&scale)).component_mul(&scale);
        let moved = |t: f64| -> Vec<Vec<f64>> {
            let class = |(k, b): (usize, &Vec<f64>)| -> Vec<f64> {
                b.iter().enumerate().map(|(i, b)| b - t * step[k * terms + i]).collect()
            };
            coefficients.iter().enumerate().map(class).collect()
        };
        let mut t = 1.0;
        let mut next = moved(t);
        // Near the minimum costs are equal but for rounding.
        while problem.cost(&next) > cost * (1.0 + 1e-12) + 1e-300 && t > 1e-10 {
            t *= 0.5;
            next = moved(t);
        }
        let size = |b: &[Vec<f64>]| b.iter().flatten().fold(0.0f64, |most, b| most.max(b.abs()));
        let relative = coefficients
            .iter()
            .flatten()
            .zip(next.iter().flatten())
            .map(|(a, b)| (a - b).abs() / b.abs().max(1e-8 * size(&next)).max(f64::MIN_POSITIVE))
            .fold(0.0, f64::max);
        coefficients = next;
        cost = problem.cost(&coefficients);
        if lambda == 0.0 && problem.is_separated(&coefficients) {
            return Err(RegressionError::Separable);
        }
        if relative < SMALL {
            let standard_errors = (lambda == 0.0).then(|| {
                let variance = |at: usize| {
                    let mut unit = DVector::zeros(gradient.len());
                    unit[at] = scale[at];
                    (factor.solve(&unit)[at] * scale[at]).sqrt()
                };
                (0..classes - 1).map(|k| (0..terms).map(|i| variance(k * terms + i)).collect()).collect()
            });
            let right = |(row, &label): (&Vec<f64>, &usize)| {
                let p = probabilities(&coefficients, row);
                (0..classes).all(|k| k == label || p[k] < p[label])
            };
            let correct = problem.rows.iter().zip(labels).filter(|pair| right(*pair)).count();
            let m = labels.len() as f64;
            return Ok(Classifier {
                cost: cost / m,
                accuracy: correct as f64 / m,
                coefficients,
                standard_errors,
                steps,
            });
        }
    }
    Err(RegressionError::NoConvergence { steps: MOST_STEPS })
}
