//! Adam: momentum and RMSprop with corrected bias.
//!
//! With t = 1, 2, ... the number of the step and both moments starting at 0:
//!
//! - `m' = rho1 m + (1 - rho1) g`, `v' = rho2 v + (1 - rho2) g^2`;
//! - `m_hat = m' / (1 - rho1^t)`, `v_hat = v' / (1 - rho2^t)`, which undo the pull of the zero start;
//! - `w' = w - lr m_hat / (sqrt(v_hat) + epsilon)`.
//!
//! Written so that what depends on t alone is computed once per step, with c1 = 1 - rho1^t and c2 = 1 - rho2^t:
//! `w' = w - a m' / (sqrt(v') + b)`, `a = lr sqrt(c2) / c1`, `b = epsilon sqrt(c2)`: the same function, epsilon
//! included. (The paper's shorter form leaves b = epsilon, another function.) c = 1 - rho^t is computed as
//! `-expm1(t ln rho)`: in single precision 1 - 0.999 would lose four of seven digits in the first steps.
//!
//! Epsilon inside: `m_hat / sqrt(v_hat + epsilon)` = `a m' / c`, with `c = sqrt(v' + epsilon c2)`.
//!
//! Sources: Kingma and Ba 2015; lecture on optimisation, which writes rho1 and rho2 for the paper's betas.

use super::step::Context;
use super::{Epsilon, number};
use crate::graph::Value;
use serde::{Deserialize, Serialize};

/// Adam. Slots per parameter: `first_moment`, `second_moment`, starting at 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// The share of the first moment that is kept. Default 0.9.
    pub rho1: f64,
    /// The share of the second moment that is kept. Default 0.999.
    pub rho2: f64,
    /// Keeps the quotient finite. Default 1e-8.
    pub epsilon: f64,
    /// Where epsilon stands. Default outside the root, as in the paper.
    pub epsilon_place: Epsilon,
}

impl Default for Adam {
    fn default() -> Adam {
        Adam { rho1: 0.9, rho2: 0.999, epsilon: 1e-8, epsilon_place: Epsilon::Outside }
    }
}

impl Adam {
    pub(super) fn describe(&self) -> String {
        let place = if self.epsilon_place == Epsilon::Inside { " inside the root" } else { "" };
        let [rho1, rho2, epsilon] = [self.rho1, self.rho2, self.epsilon].map(number);
        format!("adam (rho1 {rho1}, rho2 {rho2}, epsilon {epsilon}{place})")
    }

    pub(super) fn update(&self, c: &Context<'_>) -> Value {
        c.g.sub(c.value, self.movement(c))
    }

    /// Updates the moments and returns `lr m_hat / (sqrt(v_hat) + epsilon)`.
    pub(super) fn movement(&self, c: &Context<'_>) -> Value {
        let g = c.g;
        let (m_slot, m) = c.slot("first_moment");
        let (v_slot, v) = c.slot("second_moment");
        let m = c.running_mean(self.rho1, m, c.gradient);
        let v = c.running_mean(self.rho2, v, g.square(c.gradient));
        g.update(m_slot, m);
        g.update(v_slot, v);
        let (c1, c2) = (self.correction(c, self.rho1), self.correction(c, self.rho2));
        let root_c2 = g.sqrt(c2);
        let a = g.div(g.mul(c.lr, root_c2), c1);
        let size = match self.epsilon_place {
            Epsilon::Outside => g.add(g.sqrt(v), g.mul(g.constant(self.epsilon), root_c2)),
            Epsilon::Inside => g.sqrt(g.add(v, g.mul(g.constant(self.epsilon), c2))),
        };
        g.mul(a, g.div(m, size))
    }

    /// `1 - rho^t`
    fn correction(&self, c: &Context<'_>, rho: f64) -> Value {
        let g = c.g;
        if rho == 0.0 {
            return g.constant(1.0);
        }
        g.neg(g.expm1(g.mul(c.t, g.constant(rho.ln()))))
    }
}
