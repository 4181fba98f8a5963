//! Normalisations: each element against the others of its row or column.
//!
//! - softmax along an axis: `y_i = e^(x_i - m) / sum_j e^(x_j - m)`, m = max x (no overflow);
//!   `dx = y (dy - sum_j dy_j y_j)`.
//! - log_softmax: `y_i = x_i - m - ln sum_j e^(x_j - m)`; `dx = dy - e^y sum_j dy_j`.
//! - standardize over axes of n elements: `y = (x - mean) r`, `r = 1 / sqrt(variance + epsilon)`;
//!   `dx = r (dy - mean(dy) - y mean(dy y))`.
//!
//! - batch norm, training: `y = gamma standardize(x) + beta` over all axes but the last (Ioffe and Szegedy 2015);
//!   running statistics are slots updated beside it.
//! - batch norm, inference: `y = gamma (x - running_mean) / sqrt(running_variance + epsilon) + beta`.
//!
//! Source: lecture on softmax regression and on batch normalisation.

use crate::graph::{Cotangent, GraphBuilder, Op, Reduction, Scalar, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

impl GraphBuilder {
    /// Probabilities from logits along `axis`.
    #[track_caller]
    pub fn softmax(&self, x: Value, axis: usize) -> Value {
        self.add_node(Op::Softmax { axis }, &[x])
    }

    /// Logarithms of the softmax probabilities along `axis`, without overflow or loss of digits.
    #[track_caller]
    pub fn log_softmax(&self, x: Value, axis: usize) -> Value {
        self.add_node(Op::LogSoftmax { axis }, &[x])
    }

    /// Zero mean and unit variance over `axes`.
    #[track_caller]
    pub fn standardize(&self, x: Value, axes: &[usize], epsilon: f64) -> Value {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        self.add_node(Op::Standardize { axes, epsilon: epsilon.into() }, &[x])
    }

    /// Batch norm with the statistics of the batch: `x` is `[..., c]`, `gamma` and `beta` are `[c]`; statistics are
    /// taken over all axes but the last.
    #[track_caller]
    pub fn batch_norm_training(&self, x: Value, gamma: Value, beta: Value, epsilon: f64) -> Value {
        let axes = leading_axes(&self.shape(x));
        self.add(self.mul(self.standardize(x, &axes, epsilon), gamma), beta)
    }

    /// Batch norm with given statistics, all of shape `[c]`.
    #[track_caller]
    pub fn batch_norm_inference(
        &self,
        x: Value,
        gamma: Value,
        beta: Value,
        mean: Value,
        variance: Value,
        epsilon: f64,
    ) -> Value {
        let scale = self.div(gamma, self.sqrt(self.add(variance, self.constant(epsilon))));
        self.add(self.mul(x, scale), self.sub(beta, self.mul(mean, scale)))
    }
}

/// All axes but the last.
pub(crate) fn leading_axes(shape: &Shape) -> Vec<usize> {
    (0..shape.rank().saturating_sub(1)).collect()
}

pub(crate) fn softmax_shape(x: &Shape, axis: usize) -> Result<Shape, String> {
    if axis < x.rank() {
        Ok(x.clone())
    } else {
        Err(format!("axis {axis} of shape {x}, which has {} axes", x.rank()))
    }
}

pub(crate) fn standardize_shape(x: &Shape, axes: &[usize], epsilon: f64) -> Result<Shape, String> {
    super::reduce::reduce_shape(x, axes)?;
    if axes.is_empty() {
        return Err(format!("found no axes of shape {x}, expected at least one"));
    }
    if epsilon >= 0.0 { Ok(x.clone()) } else { Err(format!("found epsilon {epsilon}, expected at least 0")) }
}

pub(crate) fn softmax_gradient(g: &GraphBuilder, axis: usize, y: Value, dy: Value) -> Cotangent {
    let dot = g.reduce_keep(Reduction::Sum, g.mul(dy, y), &[axis]);
    Flow(g.mul(y, g.sub(dy, dot)))
}

pub(crate) fn log_softmax_gradient(g: &GraphBuilder, axis: usize, y: Value, dy: Value) -> Cotangent {
    let total = g.reduce_keep(Reduction::Sum, dy, &[axis]);
    Flow(g.sub(dy, g.mul(g.exp(y), total)))
}

pub(crate) fn standardize_gradient(
    g: &GraphBuilder,
    axes: &[usize],
    epsilon: Scalar,
    x: Value,
    y: Value,
    dy: Value,
) -> Cotangent {
    let r = g.recip(g.sqrt(g.add(g.variance_keep(x, axes), g.constant(epsilon.get()))));
    let slope = g.mean_keep(g.mul(dy, y), axes);
    let centred = g.sub(dy, g.mean_keep(dy, axes));
    Flow(g.mul(r, g.sub(centred, g.mul(y, slope))))
}
