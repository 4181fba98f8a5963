//! What a network's last numbers mean, and the loss that follows from it.
//!
//! | task | last layer | loss, mean over the n examples |
//! |---|---|---|
//! | classify | one logit per class | softmax cross-entropy, `-log softmax(z)[label]` |
//! | binary | one logit | binary cross-entropy, `softplus(z) - t z` |
//! | regress | one prediction per target | `sum over targets of (p - t)^2 / 2` |
//!
//! Predictions are then softmax z for classes, (1 - s, s) with s = sigmoid z for two classes, and p itself.
//!
//! Each loss is the negative log-likelihood (up to constants) of a categorical, Bernoulli or normal variable, whose
//! gradient at the last layer is prediction minus target.
//!
//! While training, labels may be soft:
//!
//! - smoothed by e (Szegedy et al. 2016, section 7): label t becomes `(1 - e) t + e / K`, over K classes. Softmax
//!   cross-entropy is then `(1 - e) L(label) + e mean_k(-log softmax(z)_k)`, whose gradient is `softmax(z)` minus that label;
//!   for one logit K is 2, and numbers are not smoothed.
//! - mixed: of an example of which a share w has label a and the rest label b, the loss is `w L(a) + (1 - w) L(b)`; since
//!   both cross-entropies are linear in the label, that is the loss of the label `w a + (1 - w) b`.
//!
//! Source: lectures on linear, logistic and softmax regression.

use crate::graph::{GraphBuilder, Value};
use serde::{Deserialize, Serialize};

/// What is to be learned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of several classes; logits `[n, classes]`, labels `[n]` are class indices.
    Classify,
    /// One of two classes; logits `[n, 1]`, labels `[n]` or `[n, 1]` are 0, 1 or a probability.
    Binary,
    /// Numbers; predictions `[n, k]`, targets `[n, k]`, or `[n]` for k = 1.
    Regress,
}

impl Task {
    /// The mean loss over the batch, a scalar.
    #[track_caller]
    pub fn loss(self, g: &GraphBuilder, logits: Value, labels: Value) -> Value {
        g.mean_all(self.losses(g, logits, labels))
    }

    /// What the outputs `[n, k]` predict: probabilities of the classes, `[n, classes]` (two columns for
    /// [`Task::Binary`]), or the numbers themselves.
    #[track_caller]
    pub fn predictions(self, g: &GraphBuilder, logits: Value) -> Value {
        let last = g.shape(logits).rank().saturating_sub(1);
        match self {
            Task::Classify => g.softmax(logits, last),
            // sigmoid(-z) and not 1 - sigmoid(z), which would round small probabilities to 0.
            Task::Binary => g.concat(&[g.sigmoid(g.neg(logits)), g.sigmoid(logits)], last),
            Task::Regress => logits,
        }
    }

    /// The loss of each example, `[n]`.
    #[track_caller]
    pub fn losses(self, g: &GraphBuilder, logits: Value, labels: Value) -> Value {
        let shape = g.shape(logits);
        if self == Task::Classify {
            return g.cross_entropy(logits, labels);
        }
        let found = g.shape(labels);
        if found != shape && (found.rank() != 1 || found.len() != shape.len()) {
            return g
                .fail("loss", format!("found predictions {shape} and targets {found}, expected as many"));
        }
        let targets = g.reshape(labels, &shape);
        let each = match self {
            Task::Binary => g.binary_cross_entropy(logits, targets),
            Task::Classify | Task::Regress => g.squared_error(logits, targets),
        };
        let axes: Vec<usize> = (1..shape.rank()).collect();
        g.sum(each, &axes)
    }

    /// The loss of each example, `[n]`, where a share `smoothing` of its label is spread evenly over the classes.
    #[track_caller]
    pub fn smoothed_losses(self, g: &GraphBuilder, logits: Value, labels: Value, smoothing: f64) -> Value {
        let hard = |share: f64| g.mul(labels, g.constant(share));
        match self {
            _ if smoothing == 0.0 => self.losses(g, logits, labels),
            Task::Classify => {
                let last = g.shape(logits).rank().saturating_sub(1);
                let even = g.neg(g.mean(g.log_softmax(logits, last), &[last]));
                let own = g.mul(g.cross_entropy(logits, labels), g.constant(1.0 - smoothing));
                g.add(own, g.mul(even, g.constant(smoothing)))
            }
            Task::Binary => self.losses(g, logits, g.add(hard(1.0 - smoothing), g.constant(smoothing / 2.0))),
            Task::Regress => self.losses(g, logits, labels),
        }
    }

    /// The loss of each example, `[n]`, of which a share `weights` `[n]` has the first of `labels` and the rest the second;
    /// both are smoothed.
    #[track_caller]
    pub fn mixed_losses(
        self,
        g: &GraphBuilder,
        logits: Value,
        labels: [Value; 2],
        weights: Value,
        smoothing: f64,
    ) -> Value {
        let [own, partner] = labels.map(|labels| self.smoothed_losses(g, logits, labels, smoothing));
        let rest = g.sub(g.constant(1.0), weights);
        g.add(g.mul(weights, own), g.mul(rest, partner))
    }
}
