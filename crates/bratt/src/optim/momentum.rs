//! Momentum: a velocity that remembers past gradients.
//!
//! | form | velocity | parameter |
//! |---|---|---|
//! | inside (default) | `v' = mu v - lr g` | `w' = w + v'` |
//! | `outside` | `v' = mu v + g` | `w' = w - lr v'` |
//! | `outside` and `dampened` | `v' = mu v + (1 - mu) g` | `w' = w - lr v'` |
//!
//! The first is the lecture's and Sutskever's, with the learning rate inside the velocity; the second is PyTorch's.
//! While the learning rate is constant they give the same parameters; when it falls, the first still moves by steps
//! taken at the higher rate. The third averages gradients, so its steps are smaller by 1 - mu; PyTorch calls the
//! subtracted part dampening. Nothing is dampened unless asked for, the first step included.
//!
//! mu is constant, or grows on a schedule and is then the graph's scalar input `momentum`.
//!
//! Sources: Polyak 1964; Sutskever et al. 2013; lecture on optimisation.

use super::number;
use super::step::Context;
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// Momentum. Slot per parameter: `velocity`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// The share of the velocity that is kept. Default 0.9.
    pub mu: f64,
    /// Whether mu is fed at every step as the input `momentum`; `mu` is then not used. Default no.
    pub scheduled: bool,
    /// Whether the learning rate multiplies the velocity instead of the gradient in it. Default no.
    pub outside: bool,
    /// Whether the gradient enters the velocity times 1 - mu. Default no.
    pub dampened: bool,
}

impl Default for Momentum {
    fn default() -> Momentum {
        Momentum { mu: 0.9, scheduled: false, outside: false, dampened: false }
    }
}

impl Momentum {
    pub(super) fn describe(&self) -> String {
        let mu = if self.scheduled { "scheduled".into() } else { number(self.mu) };
        let outside = if self.outside { ", learning rate outside the velocity" } else { "" };
        let dampened = if self.dampened { ", dampened" } else { "" };
        format!("momentum (mu {mu}{outside}{dampened})")
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let (slot, v) = c.slot("velocity");
        let mu = c.momentum.unwrap_or_else(|| g.constant(self.mu));
        let gradient = if self.dampened { g.mul(g.sub(g.constant(1.0), mu), c.gradient) } else { c.gradient };
        if self.outside {
            let v = g.add(g.mul(mu, v), gradient);
            g.update(slot, v);
            g.sub(c.value, g.mul(c.lr, v))
        } else {
            let v = g.sub(g.mul(mu, v), g.mul(c.lr, gradient));
            g.update(slot, v);
            g.add(c.value, v)
        }
    }
}
