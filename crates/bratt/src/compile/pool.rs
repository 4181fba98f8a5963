//! Lowering: pooling into pointwise operations over taps.
//!
//! A tap is what the same place of every window sees: images of the result's size, a strided copy. Max pooling is the
//! largest of the taps, average pooling their mean; a gradient is given back to each tap, and the taps are added up
//! where they came from.

use crate::graph::{GraphBuilder, Value, Window};
use crate::tensor::Shape;

pub(super) fn max_pool(g: &GraphBuilder, x: Value, window: &Window, y: &Shape) -> Value {
    let padded = g.padded(x, window, f64::NEG_INFINITY);
    combined(g, padded, window, y, |a, b| g.max(a, b))
}

pub(super) fn max_pool_gradient(g: &GraphBuilder, x: Value, dy: Value, window: &Window) -> Value {
    let (images, results) = (g.shape(x), g.shape(dy));
    let y = max_pool(g, x, window, &results);
    let given = |first: &Value| g.select(*first, dy, g.constant(0.0));
    let given: Vec<Value> = g.first_maxima(x, y, window).iter().map(given).collect();
    g.folded(&given, window, [images[1], images[2]])
}

pub(super) fn avg_pool(g: &GraphBuilder, x: Value, window: &Window, y: &Shape) -> Value {
    let total = combined(g, g.padded(x, window, 0.0), window, y, |a, b| g.add(a, b));
    g.mul(total, g.constant(1.0 / count(window)))
}

pub(super) fn avg_pool_gradient(g: &GraphBuilder, dy: Value, window: &Window, extent: [usize; 2]) -> Value {
    let share = g.mul(dy, g.constant(1.0 / count(window)));
    g.folded(&vec![share; window.taps().count()], window, extent)
}

fn count(window: &Window) -> f64 {
    window.taps().count() as f64
}

fn combined(
    g: &GraphBuilder,
    padded: Value,
    window: &Window,
    y: &Shape,
    f: impl Fn(Value, Value) -> Value,
) -> Value {
    let taps = window.taps().map(|tap| g.tap(padded, window, tap, [y[1], y[2]]));
    taps.reduce(f).unwrap_or(Value::POISON)
}
