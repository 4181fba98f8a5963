//! Reductions over any axes.
//!
//! | name | y | dy/dx |
//! |---|---|---|
//! | sum | sum of x | 1 |
//! | max, min | the extreme element | 1 at it; shared evenly among ties |
//! | mean | sum / count | 1 / count |
//! | variance | mean of (x - mean)^2 (population, no Bessel correction) | 2 (x - mean) / count |
//! | argmax, argmin | index of the first extreme element | none |
//!
//! The operation keeps reduced axes with extent 1, so that its result broadcasts back; the builder's plain methods
//! drop them.

use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

/// How a reduction combines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Reduction {
    Sum,
    Max,
    Min,
}

impl Reduction {
    /// The name as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "reduce_sum",
            Reduction::Max => "reduce_max",
            Reduction::Min => "reduce_min",
        }
    }

    pub(crate) fn arg_name(self) -> &'static str {
        match self {
            Reduction::Sum => "argsum",
            Reduction::Max => "argmax",
            Reduction::Min => "argmin",
        }
    }

    /// The result for no elements.
    pub fn identity(self) -> f64 {
        match self {
            Reduction::Sum => 0.0,
            Reduction::Max => f64::NEG_INFINITY,
            Reduction::Min => f64::INFINITY,
        }
    }

    /// Combines two partial results; NaN wins.
    pub fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            Reduction::Sum => a + b,
            Reduction::Max | Reduction::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Reduction::Max => a.max(b),
            Reduction::Min => a.min(b),
        }
    }
}

impl GraphBuilder {
    /// Reduces over `axes`, which stay with extent 1.
    #[track_caller]
    pub fn reduce_keep(&self, kind: Reduction, x: Value, axes: &[usize]) -> Value {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        if axes.is_empty() { x } else { self.add_node(Op::Reduce { kind, axes }, &[x]) }
    }

    /// Reduces over `axes` and drops them.
    #[track_caller]
    fn reduce(&self, kind: Reduction, x: Value, axes: &[usize]) -> Value {
        let kept = self.reduce_keep(kind, x, axes);
        self.drop_axes(kept, axes)
    }

    #[track_caller]
    fn drop_axes(&self, x: Value, axes: &[usize]) -> Value {
        let shape: Vec<usize> =
            self.shape(x).iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &d)| d).collect();
        self.reshape(x, shape)
    }

    /// The sum over `axes`.
    #[track_caller]
    pub fn sum(&self, x: Value, axes: &[usize]) -> Value {
        self.reduce(Reduction::Sum, x, axes)
    }

    /// The sum over everything: a scalar.
    #[track_caller]
    pub fn sum_all(&self, x: Value) -> Value {
        let axes: Vec<usize> = (0..self.shape(x).rank()).collect();
        self.sum(x, &axes)
    }

    /// The largest element over `axes`.
    #[track_caller]
    pub fn reduce_max(&self, x: Value, axes: &[usize]) -> Value {
        self.reduce(Reduction::Max, x, axes)
    }

    /// The smallest element over `axes`.
    #[track_caller]
    pub fn reduce_min(&self, x: Value, axes: &[usize]) -> Value {
        self.reduce(Reduction::Min, x, axes)
    }

    /// The mean over `axes`.
    #[track_caller]
    pub fn mean(&self, x: Value, axes: &[usize]) -> Value {
        let mean = self.mean_keep(x, axes);
        self.drop_axes(mean, axes)
    }

    /// The mean over `axes`, which stay with extent 1.
    #[track_caller]
    pub fn mean_keep(&self, x: Value, axes: &[usize]) -> Value {
        let shape = self.shape(x);
        let count: usize = axes.iter().filter_map(|&i| shape.get(i)).product();
        self.mul(self.reduce_keep(Reduction::Sum, x, axes), self.constant(1.0 / count as f64))
    }

    /// The mean over everything: a scalar.
    #[track_caller]
    pub fn mean_all(&self, x: Value) -> Value {
        let axes: Vec<usize> = (0..self.shape(x).rank()).collect();
        self.mean(x, &axes)
    }

    /// The population variance over `axes`, which stay with extent 1.
    #[track_caller]
    pub fn variance_keep(&self, x: Value, axes: &[usize]) -> Value {
        self.mean_keep(self.square(self.sub(x, self.mean_keep(x, axes))), axes)
    }

    /// The population variance over `axes`.
    #[track_caller]
    pub fn variance(&self, x: Value, axes: &[usize]) -> Value {
        let variance = self.variance_keep(x, axes);
        self.drop_axes(variance, axes)
    }

    /// The index of the first largest element along `axis`, which is dropped. Not differentiable.
    #[track_caller]
    pub fn argmax(&self, x: Value, axis: usize) -> Value {
        let kept = self.add_node(Op::ArgReduce { kind: Reduction::Max, axis }, &[x]);
        self.drop_axes(kept, &[axis])
    }

    /// The index of the first smallest element along `axis`, which is dropped. Not differentiable.
    #[track_caller]
    pub fn argmin(&self, x: Value, axis: usize) -> Value {
        let kept = self.add_node(Op::ArgReduce { kind: Reduction::Min, axis }, &[x]);
        self.drop_axes(kept, &[axis])
    }
}

pub(crate) fn reduce_shape(x: &Shape, axes: &[usize]) -> Result<Shape, String> {
    if axes.iter().all(|&a| a < x.rank()) && axes.windows(2).all(|w| w[0] < w[1]) {
        Ok(x.reduced(axes))
    } else {
        Err(format!("found axes {axes:?}, expected distinct axes of shape {x}"))
    }
}

pub(crate) fn arg_reduce_shape(x: &Shape, kind: Reduction, axis: usize) -> Result<Shape, String> {
    if kind == Reduction::Sum {
        return Err("a sum has no index".into());
    }
    reduce_shape(x, &[axis])
}

pub(crate) fn reduce_gradient(
    g: &GraphBuilder,
    kind: Reduction,
    axes: &[usize],
    x: Value,
    y: Value,
    dy: Value,
) -> Cotangent {
    let shape = g.shape(x);
    Flow(match kind {
        Reduction::Sum => g.broadcast(dy, shape),
        Reduction::Max | Reduction::Min => {
            let is_extreme = g.stop_gradient(g.eq(x, y));
            let ties = g.reduce_keep(Reduction::Sum, is_extreme, axes);
            g.select(is_extreme, g.div(dy, ties), g.constant(0.0))
        }
    })
}
