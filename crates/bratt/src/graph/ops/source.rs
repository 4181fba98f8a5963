//! Sources: values that come from nowhere in the graph.
//!
//! | builder | value | gradient |
//! |---|---|---|
//! | `input(name, shape)`, `scalar(name)` | fed at every run | |
//! | `slot(...)` | state before the step | |
//! | `constant(c)` | c | none needed |
//! | `iota(shape, axis)` | the index along `axis` | |
//! | `uniform(shape, stream)` | U[0, 1) by Threefry-2x32 (Salmon et al. 2011) | |

use crate::graph::{GraphBuilder, Op, Value};
use crate::tensor::Shape;

impl GraphBuilder {
    /// A scalar constant; pointwise operations broadcast it.
    #[track_caller]
    pub fn constant(&self, value: f64) -> Value {
        self.add_node(Op::Constant(value.into()), &[])
    }

    /// A constant repeated to a shape.
    #[track_caller]
    pub fn full(&self, shape: impl Into<Shape>, value: f64) -> Value {
        self.broadcast(self.constant(value), shape)
    }

    /// 0, 1, 2, ... along `axis`.
    #[track_caller]
    pub fn iota(&self, shape: impl Into<Shape>, axis: usize) -> Value {
        self.add_node(Op::Iota { shape: shape.into(), axis }, &[])
    }

    /// Uniform random numbers in [0, 1), a pure function of (seed, step, stream, position). Take streams from
    /// [`GraphBuilder::next_stream`] to keep them apart.
    #[track_caller]
    pub fn uniform(&self, shape: impl Into<Shape>, stream: u32) -> Value {
        self.add_node(Op::Uniform { shape: shape.into(), stream }, &[])
    }
}

pub(crate) fn iota_shape(shape: &Shape, axis: usize) -> Result<Shape, String> {
    if axis < shape.rank() {
        Ok(shape.clone())
    } else {
        Err(format!("axis {axis} of shape {shape}, which has {} axes", shape.rank()))
    }
}
