//! What a regression has found, with all that is told of it.

use super::{Classifier, Design, Linear};

/// What was fitted, and to what.
#[derive(Clone, Debug, PartialEq)]
pub enum Fitted {
    /// Numbers, by linear regression.
    Values {
        /// The result.
        fit: Linear,
        /// The target of each row of the design.
        targets: Vec<f64>,
    },
    /// Classes, by logistic or softmax regression.
    Classes {
        /// The result.
        fit: Classifier,
        /// The class of each row of the design.
        labels: Vec<usize>,
        /// Names of the classes; the first is the one that the others are compared with.
        classes: Vec<String>,
    },
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionReport {
    /// The name of the table.
    pub name: String,
    /// Linear, logistic or softmax regression.
    pub kind: &'static str,
    /// The name of the target.
    pub target: String,
    /// Terms and rows.
    pub design: Design,
    /// What was fitted.
    pub fitted: Fitted,
    /// The cost J before each step of gradient descent, and after the last.
    pub costs: Vec<f64>,
    /// The command that fits the same again.
    pub repeat: String,
    /// The version of bratt.
    pub version: String,
}

impl Fitted {
    /// The cost J at the exact solution.
    pub fn cost(&self) -> f64 {
        match self {
            Fitted::Values { fit, .. } => fit.cost,
            Fitted::Classes { fit, .. } => fit.cost,
        }
    }

    /// Coefficients with their standard errors, under the name of their class where there are several.
    pub fn tables(&self) -> Vec<Coefficients<'_>> {
        match self {
            Fitted::Values { fit, .. } => vec![Coefficients {
                class: None,
                values: &fit.coefficients,
                standard_errors: fit.standard_errors.as_deref(),
            }],
            Fitted::Classes { fit, classes, .. } => fit
                .coefficients
                .iter()
                .enumerate()
                .map(|(k, values)| Coefficients {
                    class: Some(&classes[k + 1]),
                    values,
                    standard_errors: fit.standard_errors.as_ref().map(|errors| errors[k].as_slice()),
                })
                .collect(),
        }
    }
}

/// The coefficients of numbers, or of one class against the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients<'a> {
    /// The class.
    pub class: Option<&'a str>,
    /// One a term.
    pub values: &'a [f64],
    /// Their standard errors, if there are any.
    pub standard_errors: Option<&'a [f64]>,
}
