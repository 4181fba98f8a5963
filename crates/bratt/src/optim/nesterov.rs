//! Nesterov's accelerated gradient, in the look-ahead form of Sutskever et al.
//!
//! `g = gradient of f at x + mu v`, `v' = mu v - lr g`, `x' = x + v'`.
//!
//! The gradient is taken where momentum is about to carry the parameter, so that a step too far is corrected at once.
//! The forward pass of a training step reads `x + mu v`; the parameter that is stored, evaluated and saved is x.
//!
//! Frameworks often rearrange this to avoid the second point: PyTorch keeps `y = x + mu v` as the parameter and
//! writes, with the learning rate outside of its buffer, `b' = mu b + g(y)`, `y' = y - lr (g(y) + mu b')`. At constant
//! mu and lr its y follows the look-ahead points of this form exactly, but its parameter is y and not x: after the
//! same steps on the same problem the stored weights differ.
//!
//! mu is constant, or grows on a schedule and is then the graph's scalar input `momentum`.
//!
//! Sources: Nesterov 1983; Sutskever, Martens, Dahl and Hinton 2013, equations 3 and 4; lecture on optimisation.

use super::number;
use super::step::Context;
use crate::graph::{GraphBuilder, Value};
use serde::{Deserialize, Serialize};

/// Momentum with look-ahead. Slot per parameter: `velocity`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nesterov {
    /// The share of the velocity that is kept. Default 0.9.
    pub mu: f64,
    /// Whether mu is fed at every step as the input `momentum`; `mu` is then not used. Default no.
    pub scheduled: bool,
}

impl Default for Nesterov {
    fn default() -> Nesterov {
        Nesterov { mu: 0.9, scheduled: false }
    }
}

impl Nesterov {
    pub(super) fn describe(&self) -> String {
        let mu = if self.scheduled { "scheduled".into() } else { number(self.mu) };
        format!("nesterov (mu {mu})")
    }

    /// `x + mu v`
    pub(super) fn look_ahead(&self, g: &GraphBuilder, x: Value, v: Value, momentum: Option<Value>) -> Value {
        g.add(x, g.mul(momentum.unwrap_or_else(|| g.constant(self.mu)), v))
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let (slot, v) = c.velocity.unwrap_or_else(|| c.slot("velocity"));
        let mu = c.momentum.unwrap_or_else(|| g.constant(self.mu));
        let v = g.sub(g.mul(mu, v), g.mul(c.lr, c.gradient));
        g.update(slot, v);
        g.add(c.value, v)
    }
}
