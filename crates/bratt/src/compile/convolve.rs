//! Lowering: convolutions into windows and matrix products.
//!
//! With X the windows of the padded images as a matrix, one row `[kh kw ci]` per output (im2col), and W as a matrix
//! `[kh kw ci, co]`:
//!
//! | form | becomes |
//! |---|---|
//! | conv2d | `X W` |
//! | weight gradient | `X^T dy` |
//! | input gradient | a convolution of stride 1: dy with zeros spread between its pixels and around them, with W flipped in height and width and its channels transposed |
//!
//! Groups are one product each. Depthwise convolution (a group for each channel, one output per group) has no product:
//! it is a sum over the taps, and its weight gradient a sum over the outputs.
//!
//! A window of one pixel with stride 1 is the image itself, so a 1x1 convolution is one product without a copy.

use crate::graph::{GraphBuilder, Op, Padding, Reduction, Value, Window};

pub(super) fn conv2d(g: &GraphBuilder, x: Value, weight: Value, window: &Window, groups: usize) -> Value {
    let (images, weights) = (g.shape(x), g.shape(weight));
    let Ok([oh, ow]) = window.outputs(images[1], images[2]) else { return Value::POISON };
    let (rows, outputs) = (images[0] * oh * ow, weights[3]);
    let padded = g.padded(x, window, 0.0);
    if is_depthwise(&weights, groups) {
        let parts = window.taps().map(|tap| {
            let row = g.slice(weight, &[tap[0], tap[1], 0, 0], &[tap[0] + 1, tap[1] + 1, 1, outputs]);
            g.mul(g.tap(padded, window, tap, [oh, ow]), g.reshape(row, [outputs]))
        });
        return sum(g, parts);
    }
    let per_group = outputs / groups;
    let depth = weights[0] * weights[1] * weights[2];
    let products: Vec<Value> = (0..groups)
        .map(|group| {
            let x = channels(g, padded, group * weights[2], weights[2]);
            let w = g.reshape(channels(g, weight, group * per_group, per_group), [depth, per_group]);
            g.matmul(rows_of_windows(g, x, window, rows), w)
        })
        .collect();
    g.reshape(joined(g, &products), [images[0], oh, ow, outputs])
}

pub(super) fn weight_gradient(
    g: &GraphBuilder,
    x: Value,
    dy: Value,
    window: &Window,
    groups: usize,
) -> Value {
    let (images, results) = (g.shape(x), g.shape(dy));
    let (rows, outputs) = (results[0] * results[1] * results[2], results[3]);
    let [kh, kw] = window.kernel;
    let inputs = images[3] / groups;
    let padded = g.padded(x, window, 0.0);
    if is_depthwise(&[kh, kw, inputs, outputs], groups) {
        let part = |tap| {
            let product = g.mul(g.tap(padded, window, tap, [results[1], results[2]]), dy);
            g.reduce_keep(Reduction::Sum, product, &[0, 1, 2])
        };
        let parts: Vec<Value> = window.taps().map(part).collect();
        return g.reshape(g.concat(&parts, 0), [kh, kw, 1, outputs]);
    }
    let per_group = outputs / groups;
    let products: Vec<Value> = (0..groups)
        .map(|group| {
            let x = rows_of_windows(g, channels(g, padded, group * inputs, inputs), window, rows);
            let dy = g.reshape(channels(g, dy, group * per_group, per_group), [rows, per_group]);
            g.matmul_transposed(x, true, dy, false)
        })
        .collect();
    g.reshape(joined(g, &products), [kh, kw, inputs, outputs])
}

pub(super) fn input_gradient(
    g: &GraphBuilder,
    dy: Value,
    weight: Value,
    window: &Window,
    groups: usize,
    [height, width]: [usize; 2],
) -> Value {
    let [reach_y, reach_x] = window.extent().map(|extent| extent - 1);
    let Padding { top, left, .. } = window.padding;
    let first = [reach_y as isize - top as isize, reach_x as isize - left as isize];
    let spread = g.placed(g.spread(dy, window.stride), first, [height + reach_y, width + reach_x]);
    let flipped = flipped(g, flipped(g, weight, 0), 1);
    let backwards = transposed_channels(g, flipped, groups);
    conv2d(g, spread, backwards, &Window::new(window.kernel).dilation(window.dilation), groups)
}

/// One output channel for each input channel.
fn is_depthwise(weights: &[usize], groups: usize) -> bool {
    weights[2] == 1 && weights[3] == groups && groups > 1
}

/// The windows of padded images as a matrix of one row per window.
fn rows_of_windows(g: &GraphBuilder, padded: Value, window: &Window, rows: usize) -> Value {
    let shape = g.shape(padded);
    let depth = window.kernel[0] * window.kernel[1] * shape[3];
    let bare = window.padding(Padding::default());
    if window.kernel == [1, 1] && window.stride == [1, 1] {
        return g.reshape(padded, [rows, depth]);
    }
    g.reshape(g.add_node(Op::Windows { window: bare }, &[padded]), [rows, depth])
}

/// Channels, the last axis, from `first` on.
fn channels(g: &GraphBuilder, x: Value, first: usize, count: usize) -> Value {
    let shape = g.shape(x);
    if shape[3] == count {
        return x;
    }
    g.slice(x, &[0, 0, 0, first], &[shape[0], shape[1], shape[2], first + count])
}

/// Matrices side by side.
fn joined(g: &GraphBuilder, matrices: &[Value]) -> Value {
    if let [one] = matrices { *one } else { g.concat(matrices, 1) }
}

fn sum(g: &GraphBuilder, parts: impl Iterator<Item = Value>) -> Value {
    parts.reduce(|a, b| g.add(a, b)).unwrap_or(Value::POISON)
}

/// `weight` with the order of one of its axes turned round.
fn flipped(g: &GraphBuilder, weight: Value, axis: usize) -> Value {
    let shape = g.shape(weight);
    if shape[axis] == 1 {
        return weight;
    }
    let part = |i: usize| {
        let (mut start, mut end) = (vec![0; shape.rank()], shape.to_vec());
        (start[axis], end[axis]) = (i, i + 1);
        g.slice(weight, &start, &end)
    };
    let parts: Vec<Value> = (0..shape[axis]).rev().map(part).collect();
    g.concat(&parts, axis)
}

/// Weights `[kh, kw, ci / groups, co]` to `[kh, kw, co / groups, ci]`, group by group.
fn transposed_channels(g: &GraphBuilder, weight: Value, groups: usize) -> Value {
    let shape = g.shape(weight);
    let [kh, kw, inputs, outputs] = [0, 1, 2, 3].map(|axis| shape[axis]);
    let per_group = outputs / groups;
    if inputs == 1 && per_group == 1 {
        return weight;
    }
    let apart = g.reshape(weight, [kh * kw, inputs, groups, per_group]);
    g.reshape(g.transpose(apart, &[0, 3, 2, 1]), [kh, kw, per_group, groups * inputs])
}
