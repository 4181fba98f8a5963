//! Linear and logistic regression with two weights: raw, and with inputs of zero mean and unit variance.
//!
//! With m points (x_i1, x_i2), t_i, and z_i = w_1 x_i1 + w_2 x_i2:
//!
//! - linear: `J = 1/(2m) sum (z_i - t_i)^2`, whose Hessian is `1/m X^T X` whatever the targets;
//! - logistic: `J = 1/m sum softplus(z_i) - t_i z_i`, t_i 0 or 1.
//!
//! Either there are two features and no bias, or one feature and x_i2 = 1, whose weight is the bias.
//!
//! Preprocessing takes the mean from each feature and divides by its standard deviation (over m). A feature that is the
//! same in all points would vanish; it is divided by its value, so that it becomes 1 and its weight the bias. Of linear
//! regression with two features that both vary, the targets are centred, too, as there is no bias to take their mean.
//!
//! The built-in points are those of Hinton's lecture 6b (2012), which shift and scale the inputs.

use super::{Problem, SurfaceError};
use crate::data::Columns;
use crate::data::columns::Cells;
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Tensor;

/// Which regression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// Half the mean squared error.
    Linear,
    /// Binary cross-entropy.
    Logistic,
}

/// The built-in points: their names, and what they show.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("scaling-1", "(101, 101) -> 2, (101, 99) -> 0: inputs far from zero"),
    ("scaling-2", "(0.2, 10) -> 2, (0.2, -10) -> 0: inputs of unequal scale"),
];

/// Points with two inputs each.
#[derive(Clone, PartialEq, Debug)]
pub struct Points {
    model: Model,
    weights: [String; 2],
    inputs: Vec<[f64; 2]>,
    targets: Vec<f64>,
    /// Where they come from.
    pub title: String,
    /// What was made of them, in words.
    pub notes: Vec<String>,
}

impl Points {
    /// The points of a name in [`BUILT_IN`].
    pub fn built_in(name: &str) -> Option<Points> {
        let (_, about) = BUILT_IN.into_iter().find(|(known, _)| *known == name)?;
        let inputs = match name {
            "scaling-1" => vec![[101.0, 101.0], [101.0, 99.0]],
            _ => vec![[0.2, 10.0], [0.2, -10.0]],
        };
        Some(Points {
            model: Model::Linear,
            weights: ["w1".into(), "w2".into()],
            inputs,
            targets: vec![2.0, 0.0],
            title: format!("linear regression on {}", about.split(':').next().unwrap_or(about)),
            notes: Vec::new(),
        })
    }

    /// The points of a table: of `features`, or else of all columns but the target. One feature gets a bias. Rows with a
    /// gap are left out.
    ///
    /// # Errors
    /// Columns that are missing or not numbers, other than one or two features, for logistic regression other than two
    /// values of the target.
    pub fn of_table(
        table: &Columns,
        target: &str,
        features: &[String],
        model: Model,
    ) -> Result<Points, SurfaceError> {
        let refused = |what: String| SurfaceError::Points(format!("{}: {what}", table.path.display()));
        let column = |name: &str| table.named(name).map_err(|error| SurfaceError::Points(error.to_string()));
        let names: Vec<String> = match features {
            [] => {
                table.columns.iter().map(|column| column.name.clone()).filter(|name| name != target).collect()
            }
            given => given.to_vec(),
        };
        if !(1..=2).contains(&names.len()) {
            let found = names.join(", ");
            return Err(refused(format!(
                "found {} features ({found}), expected two, or one that gets a bias",
                names.len()
            )));
        }
        let numbers = |name: &str| match &column(name)?.cells {
            Cells::Numbers(cells) => Ok(cells.clone()),
            Cells::Categories { names, .. } => Err(refused(format!(
                "column {name} holds text ({}), expected numbers",
                names.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
            ))),
        };
        let mut notes = Vec::new();
        let targets = match (&column(target)?.cells, model) {
            (Cells::Categories { names, cells }, Model::Logistic) => {
                if names.len() != 2 {
                    return Err(refused(format!(
                        "column {target} holds {} classes ({}), expected two",
                        names.len(),
                        names.join(", ")
                    )));
                }
                notes.push(format!("{} is 0 and {} is 1", names[0], names[1]));
                cells.iter().map(|cell| cell.map(|at| at as f64)).collect()
            }
            (Cells::Numbers(cells), Model::Logistic) => {
                let mut values: Vec<f64> = cells.iter().copied().flatten().collect();
                values.sort_by(f64::total_cmp);
                values.dedup();
                let [zero, one] = values[..] else {
                    return Err(refused(format!(
                        "column {target} holds {} different numbers, expected two for logistic regression",
                        values.len()
                    )));
                };
                if (zero, one) != (0.0, 1.0) {
                    notes.push(format!("{target} {zero} is 0 and {one} is 1"));
                }
                cells.iter().map(|cell| cell.map(|x| f64::from(u8::from(x == one)))).collect()
            }
            _ => numbers(target)?,
        };
        let columns = names.iter().map(|name| numbers(name)).collect::<Result<Vec<_>, _>>()?;
        let (mut inputs, mut kept) = (Vec::new(), Vec::new());
        for (row, target) in targets.iter().enumerate() {
            let second = columns.get(1).map_or(Some(1.0), |cells| cells[row]);
            if let (Some(first), Some(second), Some(target)) = (columns[0][row], second, target) {
                inputs.push([first, second]);
                kept.push(*target);
            }
        }
        if inputs.len() < 2 {
            return Err(refused(format!("{} rows without a gap, expected at least two", inputs.len())));
        }
        if inputs.len() < table.rows {
            notes.push(format!("{} rows with a gap are left out", table.rows - inputs.len()));
        }
        for (at, name) in names.iter().enumerate() {
            if inputs.iter().all(|input| input[at] == 0.0) {
                return Err(refused(format!("column {name} is all zero: its weight has no effect")));
            }
        }
        let weights = [
            format!("weight of {}", names[0]),
            match names.get(1) {
                Some(name) => format!("weight of {name}"),
                None => "bias".into(),
            },
        ];
        let kind = if model == Model::Linear { "linear" } else { "logistic" };
        let title =
            format!("{kind} regression of {target} on {}, {} points", names.join(" and "), kept.len());
        Ok(Points { model, weights, inputs, targets: kept, title, notes })
    }

    /// The problem of the inputs as they are.
    ///
    /// # Errors
    /// None that good points have.
    pub fn raw(&self) -> Result<Problem, SurfaceError> {
        self.problem("raw", &self.inputs, &self.targets)
    }

    /// The problem of preprocessed inputs.
    ///
    /// # Errors
    /// None that good points have.
    pub fn preprocessed(&self) -> Result<Problem, SurfaceError> {
        let m = self.inputs.len() as f64;
        let moments = |at: usize| {
            let mean = self.inputs.iter().map(|x| x[at]).sum::<f64>() / m;
            let variance = self.inputs.iter().map(|x| (x[at] - mean).powi(2)).sum::<f64>() / m;
            (mean, variance.sqrt())
        };
        let varies = |at: usize| self.inputs.iter().any(|x| x[at] != self.inputs[0][at]);
        let scaled = |x: f64, at: usize| match varies(at) {
            true => (x - moments(at).0) / moments(at).1,
            false => 1.0,
        };
        let inputs: Vec<[f64; 2]> = self.inputs.iter().map(|x| [scaled(x[0], 0), scaled(x[1], 1)]).collect();
        let centred = self.model == Model::Linear && varies(0) && varies(1);
        let mean = if centred { self.targets.iter().sum::<f64>() / m } else { 0.0 };
        let targets: Vec<f64> = self.targets.iter().map(|t| t - mean).collect();
        self.problem("preprocessed", &inputs, &targets)
    }

    fn problem(&self, name: &str, inputs: &[[f64; 2]], targets: &[f64]) -> Result<Problem, SurfaceError> {
        let (m, model) = (targets.len(), self.model);
        let fed = vec![
            ("inputs".to_string(), Tensor::from_fn([m, 2], |at| inputs[at / 2][at % 2])),
            ("targets".to_string(), Tensor::from_fn([m, 1], |at| targets[at])),
        ];
        let weights = [self.weights[0].as_str(), self.weights[1].as_str()];
        Problem::new(name, weights, fed, move |g, at| cost(g, at, m, model))
    }
}

fn cost(g: &GraphBuilder, at: [Value; 2], m: usize, model: Model) -> Value {
    let weights = g.concat(&at.map(|weight| g.reshape(weight, [1, 1])), 0);
    let said = g.matmul(g.input("inputs", [m, 2]), weights);
    let targets = g.input("targets", [m, 1]);
    g.mean_all(match model {
        Model::Linear => g.squared_error(said, targets),
        Model::Logistic => g.binary_cross_entropy(said, targets),
    })
}
