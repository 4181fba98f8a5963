//! Batch normalisation over all axes but the last (features or channels).
//!
//! Training, over the m elements of a channel in the batch:
//!
//! - `mean = sum x / m`, `variance = sum (x - mean)^2 / m`;
//! - `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`;
//! - `running_mean = (1 - rate) running_mean + rate mean`;
//! - `running_variance = (1 - rate) running_variance + rate variance m / (m - 1)`.
//!
//! The batch is normalised with the variance over m, as in the paper; the running estimate uses the unbiased one over
//! m - 1, as in the paper's algorithm 2 and in PyTorch. With a single element there is no unbiased variance and the one
//! over m, which is 0, is taken. `rate` is the weight of the new batch: 0.1, what PyTorch calls momentum and Keras
//! writes as momentum 0.9.
//!
//! Inference: `y = gamma (x - running_mean) / sqrt(running_variance + epsilon) + beta`, an affine function.
//!
//! The derivative stands with the operation, in `graph::ops::normalise`.
//!
//! Source: Ioffe and Szegedy 2015; lecture on batch normalisation.

use super::{Mode, Parameters};
use crate::graph::{GraphBuilder, Init, Role, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// Batch norm. Slots of shape `[c]`: `gamma` (starts at 1), `beta` (0), `running_mean` (0), `running_variance` (1).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    /// The weight of a new batch in the running statistics. Default 0.1.
    pub rate: f64,
    /// Added to the variance. Default 1e-5.
    pub epsilon: f64,
    /// What gamma starts at. Default 1; 0 in the last layer of a residual block makes the block start as its shortcut.
    #[serde(skip_serializing_if = "is_one")]
    pub gamma: f64,
}

fn is_one(gamma: &f64) -> bool {
    *gamma == 1.0
}

impl Default for BatchNorm {
    fn default() -> BatchNorm {
        BatchNorm { rate: 0.1, epsilon: 1e-5, gamma: 1.0 }
    }
}

impl BatchNorm {
    pub(crate) fn build(
        &self,
        g: &GraphBuilder,
        x: Value,
        mode: Mode,
        parameters: &mut Parameters<'_>,
    ) -> Value {
        let shape = g.shape(x);
        let channels = shape.last().copied().unwrap_or(1);
        let gamma = parameters.declare(g, "gamma", [channels], Init::Constant(self.gamma as f32), false);
        let beta = parameters.declare(g, "beta", [channels], Init::Constant(0.0), false);
        let (mean_slot, mean) = g.slot("running_mean", [channels], Role::Buffer, Init::Constant(0.0));
        let (variance_slot, variance) =
            g.slot("running_variance", [channels], Role::Buffer, Init::Constant(1.0));
        match mode {
            Mode::Inference => g.batch_norm_inference(x, gamma, beta, mean, variance, self.epsilon),
            Mode::Training => {
                // The same expressions as standardize is lowered to, so that the statistics are computed once.
                let axes: Vec<usize> = (0..shape.rank().saturating_sub(1)).collect();
                let count: usize = axes.iter().map(|&axis| shape[axis]).product();
                let batch_mean = g.reshape(g.mean_keep(x, &axes), [channels]);
                let batch_variance = g.reshape(g.variance_keep(x, &axes), [channels]);
                let bessel = if count > 1 { count as f64 / (count - 1) as f64 } else { 1.0 };
                let blend = |old: Value, new: Value, weight: f64| {
                    g.add(g.mul(old, g.constant(1.0 - self.rate)), g.mul(new, g.constant(weight)))
                };
                g.update(mean_slot, blend(mean, batch_mean, self.rate));
                g.update(variance_slot, blend(variance, batch_variance, self.rate * bessel));
                g.batch_norm_training(x, gamma, beta, self.epsilon)
            }
        }
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return Err(format!("found rate {}, expected a number above 0 and up to 1", self.rate));
        }
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return Err(format!("found epsilon {}, expected a number above 0, such as 1e-5", self.epsilon));
        }
        if !self.gamma.is_finite() {
            return Err(format!("found gamma {}, expected a finite number to start at", self.gamma));
        }
        Ok(input.clone())
    }
}
