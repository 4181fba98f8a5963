//! Gradient clipping: a limit to the step where the loss is steep.
//!
//! - by value c: `g_i = min(max(g_i, -c), c)`, which may turn the gradient;
//! - by global norm c: `g = g min(1, c / ||g||)`, `||g|| = sqrt(sum over all parameters of g_i^2)`, which keeps the
//!   direction.
//!
//! With both, the value comes first. A gradient that is not finite stays so, for the training loop to see.
//!
//! Source: Pascanu, Mikolov and Bengio 2013; lecture on optimisation.

use crate::graph::{GraphBuilder, Value};

/// The clipped gradients, and the norm before clipping by it.
pub(super) fn clip(
    g: &GraphBuilder,
    gradients: &[Value],
    value: Option<f64>,
    norm: Option<f64>,
) -> (Vec<Value>, Option<Value>) {
    let mut gradients = gradients.to_vec();
    if let Some(c) = value {
        for dw in &mut gradients {
            *dw = g.min(g.max(*dw, g.constant(-c)), g.constant(c));
        }
    }
    let Some(c) = norm else { return (gradients, None) };
    let squares = gradients.iter().map(|&dw| g.sum_all(g.square(dw)));
    let Some(total) = squares.reduce(|a, b| g.add(a, b)) else { return (gradients, None) };
    let norm = g.sqrt(total);
    let factor = g.min(g.div(g.constant(c), norm), g.constant(1.0));
    for dw in &mut gradients {
        *dw = g.mul(factor, *dw);
    }
    (gradients, Some(norm))
}
