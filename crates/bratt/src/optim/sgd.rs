//! Stochastic gradient descent: `w' = w - lr g`.
//!
//! Source: lecture on optimisation; Robbins and Monro 1951.

use super::step::Context;
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// Plain gradient descent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {}

impl Sgd {
    pub(super) fn update(self, c: &Context<'_>) -> Value {
        let g = c.g;
        g.sub(c.value, g.mul(c.lr, c.gradient))
    }
}
