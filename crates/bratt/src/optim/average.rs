//! Averages of the weights over the steps: what is judged and kept in place of the weights of the last step.
//!
//! With t = 1, 2, ... the number of the step, w_t the weights after it, and 0 <= d < 1:
//!
//! ```text
//! d_t = min(d, (t - 1) / (t + 8))
//! a_t = d_t a_(t-1) + (1 - d_t) w_t
//! ```
//!
//! d_1 = 0, so a_1 = w_1, and all a_t are means with weights that sum to 1; while t is small the mean is short, so that
//! the start is soon forgotten. Training itself does not notice: gradients are taken at w.
//!
//! The averages are slots named `average.` and the parameter, so a checkpoint has them. Running statistics of batch norm
//! are averages already and are taken as they are.
//!
//! Sources: Polyak and Juditsky 1992; Tarvainen and Valpola 2017 (exponential, of networks); the growing d is that of
//! TensorFlow's `ExponentialMovingAverage`, shifted so that it begins at 0.

use crate::graph::{GraphBuilder, Init, Role, SlotId, Value};

/// Before the names of the averages' slots.
pub(crate) const PREFIX: &str = "average.";

/// `d_t`, for step number t from 1.
fn rate(g: &GraphBuilder, d: f64, t: Value) -> Value {
    let growing = g.div(g.sub(t, g.constant(1.0)), g.add(t, g.constant(8.0)));
    g.min(g.constant(d), growing)
}

/// Declares the average of a parameter; its slot and its value after step t, in which the parameter becomes `next`.
pub(super) fn update(g: &GraphBuilder, d: f64, t: Value, parameter: &str, next: Value) -> (SlotId, Value) {
    g.layer_of("average", || {
        let (slot, old) = g.slot(parameter, g.shape(next), Role::Optimizer, Init::Constant(0.0));
        let rate = rate(g, d, t);
        let rest = g.sub(g.constant(1.0), rate);
        (slot, g.add(g.mul(rate, old), g.mul(rest, next)))
    })
}
