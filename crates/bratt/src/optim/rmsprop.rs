//! RMSprop: AdaGrad with a running mean in place of the sum, so that it forgets.
//!
//! `r' = rho r + (1 - rho) g^2`, `w' = w - lr g / (sqrt(r') + epsilon)`; with epsilon inside: `g / sqrt(r' + epsilon)`.
//!
//! The two places differ where gradients are small: outside limits steps to lr |g| / epsilon, inside to
//! lr |g| / sqrt(epsilon), so an epsilon must not be carried over from one to the other. PyTorch and CS231n write it
//! outside, some textbooks inside.
//!
//! Sources: Tieleman and Hinton 2012 (lecture 6.5); lecture on optimisation.

use super::step::Context;
use super::{Epsilon, number};
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// RMSprop. Slot per parameter: `mean_square`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// The share of the running mean that is kept. Default 0.9.
    pub rho: f64,
    /// Keeps the quotient finite. Default 1e-8.
    pub epsilon: f64,
    /// Where epsilon stands. Default outside the root.
    pub epsilon_place: Epsilon,
}

impl Default for RmsProp {
    fn default() -> RmsProp {
        RmsProp { rho: 0.9, epsilon: 1e-8, epsilon_place: Epsilon::Outside }
    }
}

impl RmsProp {
    pub(super) fn describe(&self) -> String {
        let place = if self.epsilon_place == Epsilon::Inside { " inside the root" } else { "" };
        format!("rmsprop (rho {}, epsilon {}{place})", number(self.rho), number(self.epsilon))
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let (slot, r) = c.slot("mean_square");
        let r = c.running_mean(self.rho, r, g.square(c.gradient));
        g.update(slot, r);
        let epsilon = g.constant(self.epsilon);
        let size = match self.epsilon_place {
            Epsilon::Outside => g.add(g.sqrt(r), epsilon),
            Epsilon::Inside => g.sqrt(g.add(r, epsilon)),
        };
        g.sub(c.value, g.mul(c.lr, g.div(c.gradient, size)))
    }
}
