//! Maxout layer: each unit is the largest of `pieces` affine functions.
//!
//! `y_j = max_p (x W_jp + b_jp)`, x `[n, d]`, W `[d, units * pieces]` with the pieces of a unit side by side,
//! y `[n, units]`. The gradient goes to the largest piece. A maxout unit is a convex piecewise linear function, with
//! ReLU (pieces 0 and x W + b) and the absolute value as special cases.
//!
//! Weights start as for a linear layer: the largest of two independent N(0, s^2) has second moment s^2, so nothing is
//! lost as it is in ReLU.
//!
//! Source: Goodfellow et al. 2013; lecture on activation functions.

use super::dense::{affine, features, positive};
use super::{Initializer, Parameters};
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// A dense layer of `units * pieces` columns followed by maxout. Slots: `weight`, `bias`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maxout {
    /// The number of outputs.
    pub units: usize,
    /// The number of affine functions per output. Default 2.
    #[serde(default = "two")]
    pub pieces: usize,
    /// How the weights start. Default: Xavier uniform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Initializer>,
}

fn two() -> usize {
    2
}

impl Maxout {
    /// A maxout layer with `units` outputs of `pieces` pieces each.
    pub fn new(units: usize, pieces: usize) -> Maxout {
        Maxout { units, pieces, init: None }
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value, parameters: &mut Parameters<'_>) -> Value {
        let pieces = affine(g, x, self.units * self.pieces, self.units, self.init, None, parameters);
        g.maxout(pieces, self.pieces)
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        features(input)?;
        positive("units", self.units)?;
        positive("pieces", self.pieces)?;
        self.init.and_then(Initializer::problem).map_or(Ok([self.units].into()), Err)
    }
}
