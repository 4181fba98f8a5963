//! Pooling: one number for each window of each channel.
//!
//! x `[n, h, w, c]`, y `[n, oh, ow, c]`; which pixels a window sees stands in [`super::window`]. Windows may overlap.
//!
//! - `max_pool2d`: y = the largest pixel of the window; padding never wins. Ties go to the first maximum, row by row:
//!   `dx[p]` = the sum of dy over the windows whose first maximum is p. That choice is piecewise constant, so the
//!   gradient of the gradient with respect to x is 0, and with respect to dy it picks the same pixels.
//! - `avg_pool2d`: y = the sum of the window's pixels / (kh kw). Padding counts as zeros, as it does by default in
//!   PyTorch (`count_include_pad`); `dx[p]` = the sum of dy over the windows that hold p, / (kh kw).
//! - `global_avg_pool2d`: y `[n, c]` = the mean of all pixels; `dx[n, p, c] = dy[n, c] / (h w)` (Lin, Chen and Yan 2014).
//!
//! Padding must be smaller than the kernel, so that every window holds a pixel.
//!
//! Source: lecture on convolutional networks; cs231n notes.

use super::convolve::gradient_fits;
use super::window::{Window, images, outputs_shape};
use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::{Flow, Stop};

impl GraphBuilder {
    /// The largest pixel of each window: `x` `[n, h, w, c]` to `[n, oh, ow, c]`. Padding never wins; ties go to the
    /// first maximum.
    #[track_caller]
    pub fn max_pool2d(&self, x: Value, window: &Window) -> Value {
        self.add_node(Op::MaxPool2d { window: *window }, &[x])
    }

    /// The mean of each window: `x` `[n, h, w, c]` to `[n, oh, ow, c]`. Padding counts as zeros.
    #[track_caller]
    pub fn avg_pool2d(&self, x: Value, window: &Window) -> Value {
        self.add_node(Op::AvgPool2d { window: *window }, &[x])
    }

    /// The mean of each channel of each image: `x` `[n, h, w, c]` to `[n, c]`.
    #[track_caller]
    pub fn global_avg_pool2d(&self, x: Value) -> Value {
        if x == Value::POISON {
            return x;
        }
        match images(&self.shape(x)) {
            Ok(_) => self.mean(x, &[1, 2]),
            Err(problem) => self.fail("global_avg_pool2d", problem),
        }
    }

    /// For each tap, 1 where it is its window's first maximum and 0 elsewhere, and what the tap sees; `x` holds images
    /// and `y` their maxima. The first NaN is the maximum of its window.
    pub(crate) fn first_maxima(&self, x: Value, y: Value, window: &Window) -> Vec<Value> {
        let padded = self.padded(x, window, f64::NEG_INFINITY);
        let outputs = [self.shape(y)[1], self.shape(y)[2]];
        let one = self.constant(1.0);
        let mut left: Option<Value> = None;
        let mut maxima = Vec::new();
        for tap in window.taps() {
            let pixel = self.tap(padded, window, tap, outputs);
            let is_maximum = self.max(self.eq(pixel, y), self.ne(pixel, pixel));
            let first = left.map_or(is_maximum, |left| self.mul(left, is_maximum));
            let others = self.sub(one, is_maximum);
            left = Some(left.map_or(others, |left| self.mul(left, others)));
            maxima.push(first);
        }
        maxima
    }
}

pub(crate) fn pool_shape(x: &Shape, window: &Window) -> Result<Shape, String> {
    let y = outputs_shape(x, window, images(x)?[3])?;
    if window.dilation != [1, 1] {
        return Err(format!("found dilation {:?}, expected dilation 1 in pooling", window.dilation));
    }
    let (p, k) = (window.padding, window.kernel);
    if p.top.max(p.bottom) >= k[0] || p.left.max(p.right) >= k[1] {
        return Err(format!("found padding {p:?}, expected less than the kernel {k:?} on each side"));
    }
    Ok(y)
}

pub(crate) fn max_pool_gradient_shape(x: &Shape, dy: &Shape, window: &Window) -> Result<Shape, String> {
    gradient_fits(dy, &pool_shape(x, window)?)?;
    Ok(x.clone())
}

pub(crate) fn avg_pool_gradient_shape(
    dy: &Shape,
    window: &Window,
    [height, width]: [usize; 2],
) -> Result<Shape, String> {
    let [n, _, _, c] = images(dy)?;
    max_pool_gradient_shape(&[n, height, width, c].into(), dy, window)
}

pub(crate) fn max_pool_gradient(g: &GraphBuilder, window: &Window, x: Value, dy: Value) -> Cotangent {
    Flow(g.add_node(Op::MaxPool2dGradient { window: *window }, &[x, dy]))
}

/// Of the gradient: zero for the images, and for `dy` what the upstream gradient `dx` holds at the maxima.
pub(crate) fn max_pool_gradient_gradient(
    g: &GraphBuilder,
    window: &Window,
    x: Value,
    dx: Value,
) -> [Cotangent; 2] {
    let y = g.max_pool2d(x, window);
    let (padded, outputs) = (g.padded(dx, window, 0.0), [g.shape(y)[1], g.shape(y)[2]]);
    let picked = window.taps().zip(g.first_maxima(g.stop_gradient(x), g.stop_gradient(y), window));
    let picked = picked.map(|(tap, first)| {
        let chosen = g.stop_gradient(g.ne(first, g.constant(0.0)));
        g.select(chosen, g.tap(padded, window, tap, outputs), g.constant(0.0))
    });
    [Stop, Flow(picked.reduce(|a, b| g.add(a, b)).unwrap_or(y))]
}

pub(crate) fn avg_pool_gradient(g: &GraphBuilder, window: &Window, x: Value, dy: Value) -> Cotangent {
    let shape = g.shape(x);
    Flow(g.add_node(Op::AvgPool2dGradient { window: *window, height: shape[1], width: shape[2] }, &[dy]))
}

/// A comparison or an addition for each pixel of each window.
pub(crate) fn flops(y: &Shape, window: &Window) -> u64 {
    y.len() as u64 * (window.kernel[0] * window.kernel[1]) as u64
}
