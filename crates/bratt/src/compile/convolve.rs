//! Lowering: convolutions into windows and matrix products.
//!
//! With X the windows on the images as a matrix, one row `[kh kw ci]` per output (im2col), and W as a matrix
//! `[kh kw ci, co]`:
//!
//! | form | becomes |
//! |---|---|
//! | conv2d | `X W` |
//! | weight gradient | `X^T dy` |
//! | input gradient | a convolution of stride 1 over dy, its pixels a stride apart with zeros between and around, with W flipped in height and width and its channels transposed |
//!
//! Groups are one product each. Of a depthwise convolution (a group for each channel, one output per group) they are one
//! product channel by channel.
//!
//! The product reads X from the images, through the windows: the matrix is not made.

use crate::graph::{GraphBuilder, Op, Padding, Value, Window};

pub(super) fn conv2d(g: &GraphBuilder, x: Value, weight: Value, window: &Window, groups: usize) -> Value {
    let images = g.shape(x);
    let Ok([oh, ow]) = window.outputs(images[1], images[2]) else { return Value::POISON };
    let seen = Seen { window: *window, spread: [1, 1], outputs: [oh, ow] };
    products(g, x, weight, &seen, groups)
}

/// How the rows of X are seen.
struct Seen {
    window: Window,
    /// The distance between pixels.
    spread: [usize; 2],
    outputs: [usize; 2],
}

/// `X W`, group by group.
fn products(g: &GraphBuilder, x: Value, weight: Value, seen: &Seen, groups: usize) -> Value {
    let (weights, images) = (g.shape(weight), g.shape(x)[0]);
    let ([oh, ow], outputs) = (seen.outputs, weights[3]);
    let per_group = outputs / groups;
    let depth = weights[0] * weights[1] * weights[2];
    if is_depthwise(&weights, groups) {
        let y = g.depthwise_matmul(rows_of_windows(g, x, seen), false, g.reshape(weight, [depth, outputs]));
        return g.reshape(y, [images, oh, ow, outputs]);
    }
    let products: Vec<Value> = (0..groups)
        .map(|group| {
            let x = channels(g, x, group * weights[2], weights[2]);
            let w = g.reshape(channels(g, weight, group * per_group, per_group), [depth, per_group]);
            g.matmul(rows_of_windows(g, x, seen), w)
        })
        .collect();
    g.reshape(joined(g, &products), [images, oh, ow, outputs])
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
    let per_group = outputs / groups;
    let seen = Seen { window: *window, spread: [1, 1], outputs: [results[1], results[2]] };
    if is_depthwise(&[kh, kw, inputs, outputs], groups) {
        let dw = g.depthwise_matmul(rows_of_windows(g, x, &seen), true, g.reshape(dy, [rows, outputs]));
        return g.reshape(dw, [kh, kw, 1, outputs]);
    }
    let products: Vec<Value> = (0..groups)
        .map(|group| {
            let x = rows_of_windows(g, channels(g, x, group * inputs, inputs), &seen);
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
    let stride = window.stride;
    let [reach_y, reach_x] = window.extent().map(|extent| extent - 1);
    let Padding { top, left, .. } = window.padding;
    let flipped = flipped(g, flipped(g, weight, 0), 1);
    let backwards = transposed_channels(g, flipped, groups);
    let moving = Window::new(window.kernel).dilation(window.dilation);
    let results = g.shape(dy);
    if let Some(padding) = backwards_padding(window, [results[1], results[2]], [height, width]) {
        let window = moving.padding(padding);
        return products(
            g,
            dy,
            backwards,
            &Seen { window, spread: stride, outputs: [height, width] },
            groups,
        );
    }
    let first = [reach_y as isize - top as isize, reach_x as isize - left as isize];
    let spread = g.placed(g.spread(dy, stride), first, [height + reach_y, width + reach_x]);
    conv2d(g, spread, backwards, &moving, groups)
}

/// The padding around dy, its pixels a stride apart, for a result of the images' size. `None` where some of dy would be
/// cut off, because windows see nothing but padding.
fn backwards_padding(window: &Window, results: [usize; 2], extent: [usize; 2]) -> Option<Padding> {
    let Padding { top, left, .. } = window.padding;
    let side = |side: usize, before: usize| {
        let (reach, last) = (window.extent()[side] - 1, (results[side] - 1) * window.stride[side]);
        Some((reach.checked_sub(before)?, (extent[side] + before).checked_sub(last + 1)?))
    };
    let ((top, bottom), (left, right)) = (side(0, top)?, side(1, left)?);
    Some(Padding { top, bottom, left, right })
}

/// One output channel for each input channel.
fn is_depthwise(weights: &[usize], groups: usize) -> bool {
    weights[2] == 1 && weights[3] == groups && groups > 1
}

/// The windows of images as a matrix of one row per window.
fn rows_of_windows(g: &GraphBuilder, x: Value, seen: &Seen) -> Value {
    let Seen { window, spread, outputs } = seen;
    let shape = g.shape(x);
    let (rows, depth) = (shape[0] * outputs[0] * outputs[1], window.kernel[0] * window.kernel[1] * shape[3]);
    if *window == Window::new([1, 1]) && *spread == [1, 1] {
        return g.reshape(x, [rows, depth]);
    }
    g.reshape(g.add_node(Op::Windows { window: *window, spread: *spread }, &[x]), [rows, depth])
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
