//! Flatten: `[n, ...]` to `[n, d]`, the numbers of an example in row-major order. The gradient is reshaped back.

use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// Joins all axes of an example to one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Flatten {
    pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
        g.flatten(x)
    }

    pub(crate) fn output_shape(self, input: &Shape) -> Shape {
        [input.len()].into()
    }
}
