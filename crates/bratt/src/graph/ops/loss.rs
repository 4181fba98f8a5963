//! Losses, from the operations of the other families.
//!
//! With logits z `[m, classes]`, labels `[m]` (class indices), targets t and predictions p of one shape:
//!
//! | name | per example | gradient |
//! |---|---|---|
//! | cross_entropy | `-log softmax(z)[label]` | `softmax(z) - one_hot(label)` |
//! | binary_cross_entropy | `softplus(z) - t z` = `-t ln s(z) - (1-t) ln(1 - s(z))` | `s(z) - t` |
//! | squared_error | `(p - t)^2 / 2` | `p - t` |
//!
//! These give one number per example or element; take [`GraphBuilder::mean_all`] for the cost. The mean of
//! `squared_error` over the examples is the lecture's J = 1/(2m) sum (p - t)^2. All are stable for large logits.
//!
//! Source: lectures on linear, logistic and softmax regression.

use crate::graph::{GraphBuilder, Value};

impl GraphBuilder {
    /// `[..]` class indices to `[.., classes]` with 1 at the index and 0 elsewhere; an index out of range gives a
    /// row of zeros. Not differentiable.
    #[track_caller]
    pub fn one_hot(&self, labels: Value, classes: usize) -> Value {
        let mut shape = self.shape(labels).to_vec();
        shape.push(1);
        let column = self.reshape(labels, shape.clone());
        let last = shape.len() - 1;
        shape[last] = classes;
        self.eq(column, self.iota(shape, last))
    }

    /// The element of each row of `x` `[m, classes]` that `labels` `[m]` points to: `[m]`. Not differentiable in the labels.
    #[track_caller]
    pub fn gather(&self, x: Value, labels: Value) -> Value {
        let shape = self.shape(x);
        let Some(&classes) = shape.last() else {
            return self.fail("gather", "found a scalar, expected rows to choose from".into());
        };
        if self.shape(labels).as_ref() != &shape[..shape.rank() - 1] {
            let problem =
                format!("found values {shape} and labels {}, expected one label per row", self.shape(labels));
            return self.fail("gather", problem);
        }
        // A select and not a product: an infinite logarithm beside the label must not become NaN.
        let chosen = self.select(self.one_hot(labels, classes), x, self.constant(0.0));
        self.sum(chosen, &[shape.rank() - 1])
    }

    /// Softmax cross-entropy from logits `[m, classes]` and labels `[m]`: `[m]`.
    #[track_caller]
    pub fn cross_entropy(&self, logits: Value, labels: Value) -> Value {
        let axis = self.shape(logits).rank().saturating_sub(1);
        self.neg(self.gather(self.log_softmax(logits, axis), labels))
    }

    /// Binary cross-entropy from logits and targets in [0, 1], of one shape.
    #[track_caller]
    pub fn binary_cross_entropy(&self, logits: Value, targets: Value) -> Value {
        self.sub(self.softplus(logits), self.mul(logits, targets))
    }

    /// Half the squared difference.
    #[track_caller]
    pub fn squared_error(&self, prediction: Value, target: Value) -> Value {
        self.mul(self.square(self.sub(prediction, target)), self.constant(0.5))
    }
}
