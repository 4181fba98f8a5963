//! The closed set of operations, and the one place where each is matched to its rules.
//!
//! The rules live by family in [`super::ops`]: mathematics in the header, then shape rule, gradient rule and cost.
//! A new operation is a variant here, its rules in a family file, its textbook loop in the interpreter and its
//! lowering in the compiler; forgetting one is a compile error.

use super::ops::pointwise::{Binary, Unary};
use super::ops::reduce::Reduction;
use super::ops::window::Window;
use super::ops::{contract, convolve, movement, normalise, pointwise, pool, reduce, source, window};
use super::{GraphBuilder, SlotId, Value};
use crate::tensor::Shape;
use std::fmt;

/// A real attribute of an operation, compared by its bits so that operations can be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scalar(u64);

impl Scalar {
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Scalar {
    fn from(x: f64) -> Scalar {
        Scalar(x.to_bits())
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// One operation with its attributes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A tensor fed at every run.
    Input {
        /// Position in [`super::Graph::inputs`].
        index: u32,
        /// Its shape.
        shape: Shape,
    },
    /// The value of a slot before the step.
    Slot {
        /// The slot.
        slot: SlotId,
        /// Its shape.
        shape: Shape,
    },
    /// A scalar constant.
    Constant(Scalar),
    /// 0, 1, 2, ... along one axis, the same along the others.
    Iota {
        /// The shape of the result.
        shape: Shape,
        /// The axis that counts.
        axis: usize,
    },
    /// Uniform numbers in [0, 1) from the counter-based generator: a function of the run's seed and step, the
    /// stream and the element's position alone.
    Uniform {
        /// The shape of the result.
        shape: Shape,
        /// Distinguishes the random nodes of one graph.
        stream: u32,
    },
    /// A function of one argument, element by element.
    Unary(Unary),
    /// A function of two arguments of one shape, element by element.
    Binary(Binary),
    /// `condition != 0 ? a : b`, element by element.
    Select,
    /// The argument, whose gradient is defined to be zero.
    StopGradient,
    /// Repeats along new leading axes and axes of extent 1.
    Broadcast {
        /// The shape of the result.
        shape: Shape,
    },
    /// The same numbers in row-major order under another shape.
    Reshape {
        /// The shape of the result.
        shape: Shape,
    },
    /// Axis `i` of the result is axis `order[i]` of the argument.
    Transpose {
        /// A permutation of the axes.
        order: Vec<usize>,
    },
    /// The box `start[i] .. end[i]` on every axis.
    Slice {
        /// First index per axis.
        start: Vec<usize>,
        /// End index per axis, exclusive.
        end: Vec<usize>,
    },
    /// Surrounds with a constant.
    Pad {
        /// Elements added before, per axis.
        low: Vec<usize>,
        /// Elements added after, per axis.
        high: Vec<usize>,
        /// The value of the border.
        value: Scalar,
    },
    /// Joins along one axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Combines along axes, which stay with extent 1.
    Reduce {
        /// How.
        kind: Reduction,
        /// Which axes, ascending.
        axes: Vec<usize>,
    },
    /// Index of the first largest or smallest element along one axis, which stays with extent 1.
    ArgReduce {
        /// [`Reduction::Max`] or [`Reduction::Min`].
        kind: Reduction,
        /// The axis.
        axis: usize,
    },
    /// Product of two matrices, each optionally transposed.
    MatMul {
        /// Whether the left matrix is read as its transpose.
        trans_a: bool,
        /// Whether the right matrix is read as its transpose.
        trans_b: bool,
    },
    /// Channel by channel, the product of windows' pixels `[m, taps c]` and weights `[taps, c]`: `[m, c]`.
    DepthwiseMatMul {
        /// Sums over the windows, not the taps: `[m, taps c]` and `[m, c]` to `[taps, c]`.
        trans_a: bool,
    },
    /// The pixels of each window of images: `[n, h, w, c]` to `[n, oh, ow, kh, kw, c]`.
    Windows {
        /// How the windows lie; padding reads as 0.
        window: Window,
        /// The distance between the pixels of an image, with zeros between.
        spread: [usize; 2],
    },
    /// Convolution of images `[n, h, w, ci]` with weights `[kh, kw, ci / groups, co]`.
    Conv2d {
        /// How the windows lie.
        window: Window,
        /// Into how many parts, which do not see each other, channels are cut.
        groups: usize,
    },
    /// The gradient of a convolution with respect to its images, from the result's gradient and the weights.
    Conv2dInputGradient {
        /// As of the convolution.
        window: Window,
        /// As of the convolution.
        groups: usize,
        /// The height of the images.
        height: usize,
        /// The width of the images.
        width: usize,
    },
    /// The gradient of a convolution with respect to its weights, from the images and the result's gradient.
    Conv2dWeightGradient {
        /// As of the convolution.
        window: Window,
        /// As of the convolution.
        groups: usize,
    },
    /// The largest pixel of each window.
    MaxPool2d {
        /// How the windows lie.
        window: Window,
    },
    /// The gradient of max pooling, from the images and the result's gradient.
    MaxPool2dGradient {
        /// As of the pooling.
        window: Window,
    },
    /// The mean of each window, padding counted as zeros.
    AvgPool2d {
        /// How the windows lie.
        window: Window,
    },
    /// The gradient of average pooling, from the result's gradient.
    AvgPool2dGradient {
        /// As of the pooling.
        window: Window,
        /// The height of the images.
        height: usize,
        /// The width of the images.
        width: usize,
    },
    /// `exp(x) / sum exp(x)` along one axis.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// `x - log sum exp(x)` along one axis.
    LogSoftmax {
        /// The axis.
        axis: usize,
    },
    /// `(x - mean) / sqrt(variance + epsilon)` over axes, the heart of batch norm.
    Standardize {
        /// The axes over which mean and variance are taken, ascending.
        axes: Vec<usize>,
        /// Added to the variance.
        epsilon: Scalar,
    },
}

/// What a gradient rule says about one argument of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cotangent {
    /// The gradient of the result with respect to this argument, in the argument's shape.
    Flow(Value),
    /// Defined to be zero: the argument is to be treated as a constant.
    Stop,
    /// There is no gradient: asking for one is an error. The text completes "no gradient through ...".
    Undefined(&'static str),
}

impl Op {
    /// The operation's name as it is printed.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Slot { .. } => "slot",
            Op::Constant(_) => "constant",
            Op::Iota { .. } => "iota",
            Op::Uniform { .. } => "uniform",
            Op::Unary(f) => f.name(),
            Op::Binary(f) => f.name(),
            Op::Select => "select",
            Op::StopGradient => "stop_gradient",
            Op::Broadcast { .. } => "broadcast",
            Op::Reshape { .. } => "reshape",
            Op::Transpose { .. } => "transpose",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Concat { .. } => "concat",
            Op::Reduce { kind, .. } => kind.name(),
            Op::ArgReduce { kind, .. } => kind.arg_name(),
            Op::MatMul { .. } => "matmul",
            Op::DepthwiseMatMul { .. } => "depthwise_matmul",
            Op::Windows { .. } => "windows",
            Op::Conv2d { .. } => "conv2d",
            Op::Conv2dInputGradient { .. } => "conv2d_input_gradient",
            Op::Conv2dWeightGradient { .. } => "conv2d_weight_gradient",
            Op::MaxPool2d { .. } => "max_pool2d",
            Op::MaxPool2dGradient { .. } => "max_pool2d_gradient",
            Op::AvgPool2d { .. } => "avg_pool2d",
            Op::AvgPool2dGradient { .. } => "avg_pool2d_gradient",
            Op::Softmax { .. } => "softmax",
            Op::LogSoftmax { .. } => "log_softmax",
            Op::Standardize { .. } => "standardize",
        }
    }

    /// The shape of the result, or what is wrong with the arguments.
    pub(crate) fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if let Some(shape) = self.given_shape() {
            check_extents(shape)?;
        }
        let shape = self.shape_rule(inputs)?;
        check_extents(&shape)?;
        Ok(shape)
    }

    /// The shape that the operation carries as an attribute.
    fn given_shape(&self) -> Option<&Shape> {
        match self {
            Op::Input { shape, .. } | Op::Slot { shape, .. } => Some(shape),
            Op::Iota { shape, .. } | Op::Uniform { shape, .. } => Some(shape),
            Op::Broadcast { shape } | Op::Reshape { shape } => Some(shape),
            _ => None,
        }
    }

    fn shape_rule(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match self {
            Op::Input { shape, .. } | Op::Slot { shape, .. } | Op::Uniform { shape, .. } => {
                arity(inputs, 0).map(|()| shape.clone())
            }
            Op::Constant(_) => arity(inputs, 0).map(|()| Shape::scalar()),
            Op::Iota { shape, axis } => arity(inputs, 0).and_then(|()| source::iota_shape(shape, *axis)),
            Op::Unary(_) | Op::StopGradient => arity(inputs, 1).map(|()| inputs[0].clone()),
            Op::Binary(_) => arity(inputs, 2).and_then(|()| pointwise::same_shape(inputs)),
            Op::Select => arity(inputs, 3).and_then(|()| pointwise::same_shape(inputs)),
            Op::Broadcast { shape } => {
                arity(inputs, 1).and_then(|()| movement::broadcast_shape(inputs[0], shape))
            }
            Op::Reshape { shape } => {
                arity(inputs, 1).and_then(|()| movement::reshape_shape(inputs[0], shape))
            }
            Op::Transpose { order } => {
                arity(inputs, 1).and_then(|()| movement::transpose_shape(inputs[0], order))
            }
            Op::Slice { start, end } => {
                arity(inputs, 1).and_then(|()| movement::slice_shape(inputs[0], start, end))
            }
            Op::Pad { low, high, .. } => {
                arity(inputs, 1).and_then(|()| movement::pad_shape(inputs[0], low, high))
            }
            Op::Concat { axis } => movement::concat_shape(inputs, *axis),
            Op::Reduce { axes, .. } => arity(inputs, 1).and_then(|()| reduce::reduce_shape(inputs[0], axes)),
            Op::ArgReduce { kind, axis } => {
                arity(inputs, 1).and_then(|()| reduce::arg_reduce_shape(inputs[0], *kind, *axis))
            }
            Op::MatMul { trans_a, trans_b } => arity(inputs, 2)
                .and_then(|()| contract::matmul_shape(inputs[0], *trans_a, inputs[1], *trans_b)),
            Op::DepthwiseMatMul { trans_a } => {
                arity(inputs, 2).and_then(|()| contract::depthwise_shape(inputs[0], *trans_a, inputs[1]))
            }
            Op::Windows { window, spread } => {
                arity(inputs, 1).and_then(|()| window::windows_shape(inputs[0], window, *spread))
            }
            Op::Conv2d { window, groups } => {
                arity(inputs, 2).and_then(|()| convolve::conv2d_shape(inputs[0], inputs[1], window, *groups))
            }
            Op::Conv2dInputGradient { window, groups, height, width } => arity(inputs, 2).and_then(|()| {
                convolve::input_gradient_shape(inputs[0], inputs[1], window, *groups, [*height, *width])
            }),
            Op::Conv2dWeightGradient { window, groups } => arity(inputs, 2)
                .and_then(|()| convolve::weight_gradient_shape(inputs[0], inputs[1], window, *groups)),
            Op::MaxPool2d { window } | Op::AvgPool2d { window } => {
                arity(inputs, 1).and_then(|()| pool::pool_shape(inputs[0], window))
            }
            Op::MaxPool2dGradient { window } => {
                arity(inputs, 2).and_then(|()| pool::max_pool_gradient_shape(inputs[0], inputs[1], window))
            }
            Op::AvgPool2dGradient { window, height, width } => arity(inputs, 1)
                .and_then(|()| pool::avg_pool_gradient_shape(inputs[0], window, [*height, *width])),
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                arity(inputs, 1).and_then(|()| normalise::softmax_shape(inputs[0], *axis))
            }
            Op::Standardize { axes, epsilon } => {
                arity(inputs, 1).and_then(|()| normalise::standardize_shape(inputs[0], axes, epsilon.get()))
            }
        }
    }

    /// The gradients with respect to the arguments `x`, given the result `y` and the gradient `dy` that arrives at it.
    pub(crate) fn gradient(&self, g: &GraphBuilder, x: &[Value], y: Value, dy: Value) -> Vec<Cotangent> {
        match self {
            Op::Input { .. } | Op::Slot { .. } | Op::Constant(_) | Op::Iota { .. } | Op::Uniform { .. } => {
                vec![]
            }
            Op::Unary(f) => vec![f.gradient(g, x[0], y, dy)],
            Op::Binary(f) => f.gradient(g, x[0], x[1], y, dy).into(),
            Op::Select => pointwise::select_gradient(g, x, dy).into(),
            Op::StopGradient => vec![Cotangent::Stop],
            Op::Broadcast { .. } => vec![movement::broadcast_gradient(g, x[0], dy)],
            Op::Reshape { .. } => vec![movement::reshape_gradient(g, x[0], dy)],
            Op::Transpose { order } => vec![movement::transpose_gradient(g, order, dy)],
            Op::Slice { start, end } => vec![movement::slice_gradient(g, x[0], start, end, dy)],
            Op::Pad { low, .. } => vec![movement::pad_gradient(g, x[0], low, dy)],
            Op::Concat { axis } => movement::concat_gradient(g, x, *axis, dy),
            Op::Reduce { kind, axes } => vec![reduce::reduce_gradient(g, *kind, axes, x[0], y, dy)],
            Op::ArgReduce { .. } => vec![Cotangent::Undefined("an index, which is piecewise constant")],
            Op::MatMul { trans_a, trans_b } => contract::matmul_gradient(g, x, *trans_a, *trans_b, dy).into(),
            Op::DepthwiseMatMul { trans_a } => contract::depthwise_gradient(g, x, *trans_a, dy).into(),
            Op::Windows { window, spread } => vec![window::windows_gradient(g, window, *spread, x[0], dy)],
            Op::Conv2d { window, groups } => convolve::conv2d_gradient(g, window, *groups, x, dy).into(),
            Op::Conv2dInputGradient { window, groups, .. } => {
                convolve::input_gradient_gradient(g, window, *groups, x, dy).into()
            }
            Op::Conv2dWeightGradient { window, groups } => {
                convolve::weight_gradient_gradient(g, window, *groups, x, dy).into()
            }
            Op::MaxPool2d { window } => vec![pool::max_pool_gradient(g, window, x[0], dy)],
            Op::MaxPool2dGradient { window } => pool::max_pool_gradient_gradient(g, window, x[0], dy).into(),
            Op::AvgPool2d { window } => vec![pool::avg_pool_gradient(g, window, x[0], dy)],
            Op::AvgPool2dGradient { window, .. } => vec![Cotangent::Flow(g.avg_pool2d(dy, window))],
            Op::Softmax { axis } => vec![normalise::softmax_gradient(g, *axis, y, dy)],
            Op::LogSoftmax { axis } => vec![normalise::log_softmax_gradient(g, *axis, y, dy)],
            Op::Standardize { axes, epsilon } => {
                vec![normalise::standardize_gradient(g, axes, *epsilon, x[0], y, dy)]
            }
        }
    }

    /// Floating-point operations of one evaluation; a multiply-add is two, a pointwise function one.
    pub(crate) fn flops(&self, inputs: &[&Shape], result: &Shape) -> u64 {
        match self {
            Op::Input { .. }
            | Op::Slot { .. }
            | Op::Constant(_)
            | Op::Iota { .. }
            | Op::Uniform { .. }
            | Op::StopGradient
            | Op::Broadcast { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Windows { .. }
            | Op::Concat { .. } => 0,
            Op::Unary(_) | Op::Binary(_) | Op::Select => result.len() as u64,
            Op::Reduce { .. } | Op::ArgReduce { .. } => inputs[0].len() as u64,
            Op::MatMul { trans_a, .. } => contract::matmul_flops(inputs[0], *trans_a, result),
            Op::DepthwiseMatMul { .. } => 2 * inputs[0].len() as u64,
            Op::Conv2d { window, .. } => convolve::flops(result, window, inputs[1][2]),
            Op::Conv2dInputGradient { window, .. } => convolve::flops(inputs[0], window, inputs[1][2]),
            Op::Conv2dWeightGradient { window, .. } => convolve::flops(inputs[1], window, result[2]),
            Op::MaxPool2d { window } | Op::AvgPool2d { window } => pool::flops(result, window),
            Op::MaxPool2dGradient { window } => pool::flops(inputs[1], window),
            Op::AvgPool2dGradient { window, .. } => pool::flops(inputs[0], window),
            Op::Softmax { .. } | Op::LogSoftmax { .. } => 5 * result.len() as u64,
            Op::Standardize { .. } => 6 * result.len() as u64,
        }
    }

    /// The attributes as they are printed after the name; empty if there are none.
    pub fn attributes(&self) -> String {
        match self {
            Op::Constant(value) => format!("{value}"),
            Op::Iota { axis, .. } | Op::Concat { axis } | Op::ArgReduce { axis, .. } => {
                format!("axis={axis}")
            }
            Op::Softmax { axis } | Op::LogSoftmax { axis } => format!("axis={axis}"),
            Op::Uniform { stream, .. } => format!("stream={stream}"),
            Op::Unary(f) => f.attributes(),
            Op::Transpose { order } => format!("order={order:?}"),
            Op::Slice { start, end } => format!("start={start:?} end={end:?}"),
            Op::Pad { low, high, value } => format!("low={low:?} high={high:?} value={value}"),
            Op::Reduce { axes, .. } => format!("axes={axes:?}"),
            Op::MatMul { trans_a, trans_b } => match (trans_a, trans_b) {
                (false, false) => String::new(),
                (true, false) => "transpose a".into(),
                (false, true) => "transpose b".into(),
                (true, true) => "transpose a, b".into(),
            },
            Op::DepthwiseMatMul { trans_a: true } => "transpose a".into(),
            Op::DepthwiseMatMul { trans_a: false } => String::new(),
            Op::Standardize { axes, epsilon } => format!("axes={axes:?} epsilon={epsilon}"),
            Op::Conv2d { window, groups }
            | Op::Conv2dInputGradient { window, groups, .. }
            | Op::Conv2dWeightGradient { window, groups } => match groups {
                1 => window.text(),
                _ => format!("{} groups={groups}", window.text()),
            },
            Op::Windows { window, spread } if *spread != [1, 1] => {
                format!("{} spread={spread:?}", window.text())
            }
            Op::Windows { window, .. }
            | Op::MaxPool2d { window }
            | Op::MaxPool2dGradient { window }
            | Op::AvgPool2d { window }
            | Op::AvgPool2dGradient { window, .. } => window.text(),
            Op::Input { .. } | Op::Slot { .. } | Op::Binary(_) | Op::Select | Op::StopGradient => {
                String::new()
            }
            Op::Broadcast { .. } | Op::Reshape { .. } => String::new(),
        }
    }
}

/// Most axes of a value.
const MAX_RANK: usize = 6;

/// What holds for every value: it has elements, as many as memory can hold, along few enough axes.
fn check_extents(shape: &Shape) -> Result<(), String> {
    if shape.is_empty() {
        return Err(format!("found shape {shape}, expected at least one element along every axis"));
    }
    if shape.rank() > MAX_RANK {
        return Err(format!("found shape {shape} of {} axes, expected at most {MAX_RANK}", shape.rank()));
    }
    let bytes = shape.iter().try_fold(size_of::<f64>(), |n, &extent| n.checked_mul(extent));
    if bytes.is_none_or(|n| n > isize::MAX as usize) {
        return Err(format!("found shape {shape}, which has more elements than any memory"));
    }
    Ok(())
}

fn arity(inputs: &[&Shape], expected: usize) -> Result<(), String> {
    if inputs.len() == expected {
        Ok(())
    } else {
        Err(format!("found {} arguments, expected {expected}", inputs.len()))
    }
}
