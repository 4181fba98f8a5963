//! Convolution of images, channels last.
//!
//! x `[n, h, w, ci]`, weights W `[kh, kw, ci / groups, co]`, y `[n, oh, ow, co]`; which pixels a window sees stands in
//! [`super::window`]. With P(o, t) the pixel that tap t of output o sees, and q(c) the group of output channel c:
//!
//! - `y[n, o, c] = sum over t, i of x[n, P(o, t), q(c) ci / groups + i] W[t, i, c]` (a cross-correlation: W is not
//!   flipped, as in all learning software);
//! - `dx[n, p, ..] = sum over c, and over o, t with P(o, t) = p, of dy[n, o, c] W[t, .., c]`;
//! - `dW[t, i, c] = sum over n, o of x[n, P(o, t), ..] dy[n, o, c]`.
//!
//! All three come from one trilinear form, `sum of x W dy`, and so do their gradients: each of the three operations is
//! the gradient of the other two, and gradients of gradients stay among them. `groups = ci` is a depthwise convolution.
//!
//! Cost of each: 2 n oh ow co kh kw ci / groups. Source: lecture on convolutional networks; Goodfellow, Bengio,
//! Courville, Deep Learning, 2016, section 9.1.

use super::window::{Window, images, outputs_shape};
use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

impl GraphBuilder {
    /// The convolution of images `x` `[n, h, w, ci]` with `weight` `[kh, kw, ci / groups, co]`: `[n, oh, ow, co]`.
    ///
    /// ```
    /// use bratt::graph::{Graph, Window};
    /// let g = Graph::builder();
    /// let (x, w) = (g.input("x", [8, 28, 28, 1]), g.input("w", [5, 5, 1, 6]));
    /// let y = g.conv2d(x, w, &Window::new([5, 5]).same(28, 28), 1);
    /// assert_eq!(g.shape(y)[..], [8, 28, 28, 6]);
    /// ```
    #[track_caller]
    pub fn conv2d(&self, x: Value, weight: Value, window: &Window, groups: usize) -> Value {
        self.add_node(Op::Conv2d { window: *window, groups }, &[x, weight])
    }

    /// The gradient of a convolution with respect to its images of `height x width`, from that of its result, `dy`
    /// `[n, oh, ow, co]`. Also known as a transposed convolution.
    #[track_caller]
    pub fn conv2d_input_gradient(
        &self,
        dy: Value,
        weight: Value,
        window: &Window,
        groups: usize,
        [height, width]: [usize; 2],
    ) -> Value {
        self.add_node(Op::Conv2dInputGradient { window: *window, groups, height, width }, &[dy, weight])
    }

    /// The gradient of a convolution of `x` with respect to its weights, from that of its result, `dy`
    /// `[n, oh, ow, co]`.
    #[track_caller]
    pub fn conv2d_weight_gradient(&self, x: Value, dy: Value, window: &Window, groups: usize) -> Value {
        self.add_node(Op::Conv2dWeightGradient { window: *window, groups }, &[x, dy])
    }
}

/// Channels in and out per group: of weights that fit.
fn weights(weight: &Shape, window: &Window, groups: usize) -> Result<[usize; 2], String> {
    if groups == 0 {
        return Err("found 0 groups, expected at least 1".into());
    }
    let [kh, kw] = window.kernel;
    match weight[..] {
        [a, b, inputs, outputs] if [a, b] == window.kernel && outputs.is_multiple_of(groups) => {
            Ok([inputs, outputs / groups])
        }
        [a, b, _, outputs] if [a, b] == window.kernel => Err(format!(
            "found {outputs} output channels in weights {weight}, expected a multiple of {groups} groups"
        )),
        _ => Err(format!(
            "found weights {weight}, expected [{kh}, {kw}, input channels / groups, output channels]"
        )),
    }
}

fn channels_fit(
    x: &Shape,
    found: usize,
    per_group: usize,
    groups: usize,
    weight: &Shape,
) -> Result<(), String> {
    if per_group.checked_mul(groups) == Some(found) {
        return Ok(());
    }
    Err(format!(
        "found {x} with {found} channels and weights {weight}, expected {per_group} channels for each of {groups} groups"
    ))
}

pub(crate) fn conv2d_shape(
    x: &Shape,
    weight: &Shape,
    window: &Window,
    groups: usize,
) -> Result<Shape, String> {
    let [inputs, outputs] = weights(weight, window, groups)?;
    channels_fit(x, images(x)?[3], inputs, groups, weight)?;
    outputs_shape(x, window, outputs * groups)
}

pub(crate) fn input_gradient_shape(
    dy: &Shape,
    weight: &Shape,
    window: &Window,
    groups: usize,
    [height, width]: [usize; 2],
) -> Result<Shape, String> {
    let [inputs, outputs] = weights(weight, window, groups)?;
    let [n, _, _, channels] = images(dy)?;
    channels_fit(dy, channels, outputs, groups, weight)?;
    let x = Shape::from([n, height, width, inputs.saturating_mul(groups)]);
    gradient_fits(dy, &outputs_shape(&x, window, channels)?)?;
    Ok(x)
}

pub(crate) fn weight_gradient_shape(
    x: &Shape,
    dy: &Shape,
    window: &Window,
    groups: usize,
) -> Result<Shape, String> {
    let ([_, _, _, inputs], [_, _, _, outputs]) = (images(x)?, images(dy)?);
    if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
        return Err(format!(
            "found {inputs} input and {outputs} output channels, expected multiples of {groups} groups"
        ));
    }
    gradient_fits(dy, &outputs_shape(x, window, outputs)?)?;
    Ok([window.kernel[0], window.kernel[1], inputs / groups, outputs].into())
}

pub(crate) fn gradient_fits(dy: &Shape, expected: &Shape) -> Result<(), String> {
    if dy == expected {
        Ok(())
    } else {
        Err(format!("found an upstream gradient of shape {dy}, expected {expected} as the result"))
    }
}

fn extents(g: &GraphBuilder, x: Value) -> [usize; 2] {
    let shape = g.shape(x);
    [shape[1], shape[2]]
}

pub(crate) fn conv2d_gradient(
    g: &GraphBuilder,
    window: &Window,
    groups: usize,
    x: &[Value],
    dy: Value,
) -> [Cotangent; 2] {
    let (x, weight) = (x[0], x[1]);
    [
        Flow(g.conv2d_input_gradient(dy, weight, window, groups, extents(g, x))),
        Flow(g.conv2d_weight_gradient(x, dy, window, groups)),
    ]
}

/// `x` are the images' place in the form: here the upstream gradient `dx`.
pub(crate) fn input_gradient_gradient(
    g: &GraphBuilder,
    window: &Window,
    groups: usize,
    x: &[Value],
    dx: Value,
) -> [Cotangent; 2] {
    let (dy, weight) = (x[0], x[1]);
    [Flow(g.conv2d(dx, weight, window, groups)), Flow(g.conv2d_weight_gradient(dx, dy, window, groups))]
}

/// The weights' place in the form is taken by the upstream gradient `dw`.
pub(crate) fn weight_gradient_gradient(
    g: &GraphBuilder,
    window: &Window,
    groups: usize,
    x: &[Value],
    dw: Value,
) -> [Cotangent; 2] {
    let (x, dy) = (x[0], x[1]);
    [
        Flow(g.conv2d_input_gradient(dy, dw, window, groups, extents(g, x))),
        Flow(g.conv2d(x, dw, window, groups)),
    ]
}

/// Of any of the three: two operations for each result `dy` or `y` and each weight that reaches it.
pub(crate) fn flops(y: &Shape, window: &Window, inputs_per_group: usize) -> u64 {
    2 * y.len() as u64 * (window.kernel[0] * window.kernel[1] * inputs_per_group) as u64
}
