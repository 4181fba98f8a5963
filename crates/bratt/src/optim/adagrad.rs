//! AdaGrad: each component has its own learning rate, which falls with the gradients it has seen.
//!
//! `r' = r + g^2`, `w' = w - lr g / (sqrt(r') + epsilon)`.
//!
//! r only grows, so steps only shrink: good for sparse features and convex problems, too early a stop in deep networks.
//!
//! Sources: Duchi, Hazan and Singer 2011; lecture on optimisation.

use super::number;
use super::step::Context;
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// AdaGrad. Slot per parameter: `sum_of_squares`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// Keeps the quotient finite. Default 1e-7.
    pub epsilon: f64,
}

impl Default for AdaGrad {
    fn default() -> AdaGrad {
        AdaGrad { epsilon: 1e-7 }
    }
}

impl AdaGrad {
    pub(super) fn describe(&self) -> String {
        format!("adagrad (epsilon {})", number(self.epsilon))
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let (slot, r) = c.slot("sum_of_squares");
        let r = g.add(r, g.square(c.gradient));
        g.update(slot, r);
        let size = g.add(g.sqrt(r), g.constant(self.epsilon));
        g.sub(c.value, g.mul(c.lr, g.div(c.gradient, size)))
    }
}
