//! AdamW: Adam with decoupled weight decay.
//!
//! `w' = w - lr m_hat / (sqrt(v_hat) + epsilon) - lr weight_decay w`, the moments taken of the gradient of the loss
//! alone.
//!
//! Adam with L2 in the gradient divides the decay, too, by the root of the second moment, so that weights with large
//! gradients hardly decay; here all weights shrink at one rate. As in PyTorch the decay is multiplied by the learning
//! rate, so that it follows the schedule (the paper's schedule multiplier is then lr over its start).
//!
//! Source: Loshchilov and Hutter 2019.

use super::step::Context;
use super::{Adam, Epsilon, number};
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// AdamW; weight decay is 0.01 unless set. Slots per parameter: `first_moment`, `second_moment`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// The share of the first moment that is kept. Default 0.9.
    pub rho1: f64,
    /// The share of the second moment that is kept. Default 0.999.
    pub rho2: f64,
    /// Keeps the quotient finite. Default 1e-8.
    pub epsilon: f64,
}

impl Default for AdamW {
    fn default() -> AdamW {
        AdamW { rho1: 0.9, rho2: 0.999, epsilon: 1e-8 }
    }
}

impl AdamW {
    pub(super) fn describe(&self) -> String {
        let [rho1, rho2, epsilon] = [self.rho1, self.rho2, self.epsilon].map(number);
        format!("adamw (rho1 {rho1}, rho2 {rho2}, epsilon {epsilon})")
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let adam =
            Adam { rho1: self.rho1, rho2: self.rho2, epsilon: self.epsilon, epsilon_place: Epsilon::Outside };
        let shrunk = if c.decoupled_decay == 0.0 {
            c.value
        } else {
            let keep = g.sub(g.constant(1.0), g.mul(c.lr, g.constant(c.decoupled_decay)));
            g.mul(keep, c.value)
        };
        g.sub(shrunk, adam.movement(c))
    }
}
