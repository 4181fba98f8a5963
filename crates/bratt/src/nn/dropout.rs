//! Dropout: noise that keeps units from relying on each other.
//!
//! With `drop` the probability that an element is dropped, keep = 1 - drop, and a mask of independent elements that
//! are 1 with probability keep:
//!
//! | form | training | inference |
//! |---|---|---|
//! | inverted (default) | `y = x mask / keep` | `y = x` |
//! | naive | `y = x mask` | `y = keep x` |
//!
//! Both have at inference the expectation of training; the inverted form costs nothing there. The paper and libraries
//! call either of drop and keep `p`, so the letter is not used here. The usual values: drop 0.5 on hidden units, 0.2 on
//! inputs.
//!
//! Source: Srivastava et al. 2014; lecture on dropout.

use super::Mode;
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// When the scaling by the probability of keeping happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropoutForm {
    /// While training: kept elements are divided by keep.
    #[default]
    Inverted,
    /// At inference: all elements are multiplied by keep.
    Naive,
}

/// Dropout on inputs or hidden units.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability that an element is set to zero; at least 0 and below 1.
    pub drop: f64,
    /// When the scaling happens. Default: inverted.
    #[serde(default)]
    pub form: DropoutForm,
}

impl Dropout {
    /// Inverted dropout.
    pub fn new(drop: f64) -> Dropout {
        Dropout { drop, form: DropoutForm::Inverted }
    }

    /// Dropout whose scaling happens at inference.
    pub fn naive(drop: f64) -> Dropout {
        Dropout { drop, form: DropoutForm::Naive }
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value, mode: Mode) -> Value {
        let keep = 1.0 - self.drop;
        match (self.form, mode) {
            _ if self.drop == 0.0 => x,
            (DropoutForm::Inverted, Mode::Training) => g.dropout_inverted(x, keep),
            (DropoutForm::Inverted, Mode::Inference) => x,
            (DropoutForm::Naive, Mode::Training) => g.dropout_naive(x, keep),
            (DropoutForm::Naive, Mode::Inference) => g.mul(x, g.constant(keep)),
        }
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        if self.drop >= 0.0 && self.drop < 1.0 {
            Ok(input.clone())
        } else {
            Err(format!(
                "found drop = {}, expected a probability of dropping of at least 0 and below 1",
                self.drop
            ))
        }
    }
}
