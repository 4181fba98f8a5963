//! Convolution and pooling as the textbook defines them: loops over all windows and taps.

use super::{T, by_index};
use crate::graph::{Window, spread_extent};
use crate::tensor::{Shape, Tensor, for_each_index};

/// `y[n, oy, ox, i, j, c] = x[n, oy sy + i dy, ox sx + j dx, c]`, pixels being `spread` apart; 0 elsewhere.
pub(in crate::exec) fn windows(x: &T, window: &Window, spread: [usize; 2]) -> T {
    let from = x.shape();
    let extent = spread_extent([from[1], from[2]], spread);
    let [oh, ow] = window.outputs(extent[0], extent[1]).unwrap_or([0, 0]);
    let [kh, kw] = window.kernel;
    by_index(&[from[0], oh, ow, kh, kw, from[3]].into(), |index| {
        let pixel = |side: usize| {
            let place = window.pixel(side, index[1 + side], index[3 + side], extent[side])?;
            place.is_multiple_of(spread[side]).then_some(place / spread[side])
        };
        match (pixel(0), pixel(1)) {
            (Some(row), Some(column)) => x.data()[flat(from, [index[0], row, column, index[5]])],
            _ => 0.0,
        }
    })
}

/// `y += x W` over every product of the convolution.
pub(in crate::exec) fn conv2d(x: &T, weight: &T, window: &Window, groups: usize, shape: &Shape) -> T {
    let mut y = Tensor::zeros(shape);
    for_each_product(x.shape(), weight.shape(), shape, window, groups, |x_at, w_at, y_at| {
        y.data_mut()[y_at] += x.data()[x_at] * weight.data()[w_at];
    });
    y
}

/// `dx += dy W` over every product of the convolution.
pub(in crate::exec) fn conv2d_input_gradient(
    dy: &T,
    weight: &T,
    window: &Window,
    groups: usize,
    shape: &Shape,
) -> T {
    let mut dx = Tensor::zeros(shape);
    for_each_product(shape, weight.shape(), dy.shape(), window, groups, |x_at, w_at, y_at| {
        dx.data_mut()[x_at] += dy.data()[y_at] * weight.data()[w_at];
    });
    dx
}

/// `dW += x dy` over every product of the convolution.
pub(in crate::exec) fn conv2d_weight_gradient(
    x: &T,
    dy: &T,
    window: &Window,
    groups: usize,
    shape: &Shape,
) -> T {
    let mut dw = Tensor::zeros(shape);
    for_each_product(x.shape(), shape, dy.shape(), window, groups, |x_at, w_at, y_at| {
        dw.data_mut()[w_at] += x.data()[x_at] * dy.data()[y_at];
    });
    dw
}

/// The largest pixel of each window.
pub(in crate::exec) fn max_pool2d(x: &T, window: &Window, shape: &Shape) -> T {
    by_index(shape, |output| x.data()[first_maximum(x, window, output)])
}

/// Each window's `dy` added to its first maximum.
pub(in crate::exec) fn max_pool2d_gradient(x: &T, dy: &T, window: &Window) -> T {
    let mut dx = Tensor::zeros(x.shape());
    for_each_index(dy.shape(), |output, at| {
        dx.data_mut()[first_maximum(x, window, output)] += dy.data()[at];
    });
    dx
}

/// The sum of each window's pixels, divided by the number of taps.
pub(in crate::exec) fn avg_pool2d(x: &T, window: &Window, shape: &Shape) -> T {
    let taps = window.taps().count() as f64;
    by_index(shape, |output| pixels(x.shape(), window, output).map(|i| x.data()[i]).sum::<f64>() / taps)
}

/// Each window's `dy`, divided by the number of taps, added to all its pixels.
pub(in crate::exec) fn avg_pool2d_gradient(dy: &T, window: &Window, shape: &Shape) -> T {
    let taps = window.taps().count() as f64;
    let mut dx = Tensor::zeros(shape);
    for_each_index(dy.shape(), |output, at| {
        for pixel in pixels(shape, window, output) {
            dx.data_mut()[pixel] += dy.data()[at] / taps;
        }
    });
    dx
}

/// The place of the window's first largest pixel; the first NaN wins.
fn first_maximum(x: &T, window: &Window, output: &[usize]) -> usize {
    let larger = |best: usize, other: usize| {
        let (a, b) = (x.data()[best], x.data()[other]);
        if b > a || (b.is_nan() && !a.is_nan()) { other } else { best }
    };
    pixels(x.shape(), window, output).reduce(larger).expect("padding is smaller than the window")
}

/// The places of a window's pixels inside the image, row by row. `output` is `[n, oy, ox, channel]`.
fn pixels<'a>(x: &'a Shape, window: &'a Window, output: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    window.taps().filter_map(move |[i, j]| {
        let row = window.pixel(0, output[1], i, x[1])?;
        let column = window.pixel(1, output[2], j, x[2])?;
        Some(flat(x, [output[0], row, column, output[3]]))
    })
}

/// Calls `f` with the places in x, W and y of each product `x W` that adds to `y`.
fn for_each_product(
    x: &Shape,
    weight: &Shape,
    y: &Shape,
    window: &Window,
    groups: usize,
    mut f: impl FnMut(usize, usize, usize),
) {
    let inputs_per_group = weight[2];
    let outputs_per_group = weight[3] / groups;
    for_each_index(y, |output, y_at| {
        let (n, oy, ox, co) = (output[0], output[1], output[2], output[3]);
        let first_channel = co / outputs_per_group * inputs_per_group;
        for [i, j] in window.taps() {
            let (row, column) = (window.pixel(0, oy, i, x[1]), window.pixel(1, ox, j, x[2]));
            let (Some(row), Some(column)) = (row, column) else { continue };
            for ci in 0..inputs_per_group {
                let x_at = flat(x, [n, row, column, first_channel + ci]);
                f(x_at, flat(weight, [i, j, ci, co]), y_at);
            }
        }
    });
}

/// The place of an element of a tensor of four axes.
fn flat(shape: &Shape, [a, b, c, d]: [usize; 4]) -> usize {
    ((a * shape[1] + b) * shape[2] + c) * shape[3] + d
}
