//! Pass: composite operations into primitive ones, so that the fuser sees one vocabulary.
//!
//! | operation | becomes |
//! |---|---|
//! | softmax | `e / sum e` with `e = exp(x - max x)` |
//! | log_softmax | `s - log sum exp(s)` with `s = x - max x` |
//! | standardize | `(x - mean) * recip(sqrt(mean((x - mean)^2) + epsilon))` |
//! | argmax | `min(select(x == max x or x != x, iota, n))`: the first index wins, and the first NaN before all |
//! | iota along an axis | a counting vector, reshaped and repeated |
//! | convolutions | windows and products, in `convolve.rs` |
//! | pooling | maxima and sums of taps, in `pool.rs` |
//! | a reduction over axes that are neither leading nor trailing | transpose, then over trailing axes |
//!
//! Gradient rules use the same expressions, so common parts are stored once.

use super::{convolve, pool};
use crate::graph::{Graph, GraphBuilder, GraphError, Node, Op, Reduction, Value};
use crate::tensor::Shape;

pub(crate) fn lower(graph: &Graph) -> Result<Graph, GraphError> {
    // Twice, because composite operations become reductions over any axes.
    let pass =
        |graph: &Graph| graph.rebuild(|g, node, x| g.layer_of(&node.origin.layer, || lower_node(g, node, x)));
    pass(&pass(graph)?)
}

fn lower_node(g: &GraphBuilder, node: &Node, x: &[Value]) -> Value {
    match &node.op {
        Op::Softmax { axis } => {
            let e = g.exp(shifted(g, x[0], *axis));
            g.mul(e, g.recip(g.reduce_keep(Reduction::Sum, e, &[*axis])))
        }
        Op::LogSoftmax { axis } => {
            let s = shifted(g, x[0], *axis);
            g.sub(s, g.log(g.reduce_keep(Reduction::Sum, g.exp(s), &[*axis])))
        }
        Op::Standardize { axes, epsilon } => {
            let centred = g.sub(x[0], g.mean_keep(x[0], axes));
            let variance = g.variance_keep(x[0], axes);
            g.mul(centred, g.recip(g.sqrt(g.add(variance, g.constant(epsilon.get())))))
        }
        Op::ArgReduce { kind, axis } => {
            let shape = g.shape(x[0]);
            let extreme = g.reduce_keep(*kind, x[0], &[*axis]);
            let index = counting(g, &shape, *axis);
            let n = g.constant(shape[*axis] as f64);
            // A NaN makes the extreme NaN, which equals nothing.
            let chosen = g.max(g.eq(x[0], extreme), g.ne(x[0], x[0]));
            g.reduce_keep(Reduction::Min, g.select(chosen, index, n), &[*axis])
        }
        Op::Iota { shape, axis } => counting(g, shape, *axis),
        Op::Reduce { kind, axes } => reduce(g, *kind, x[0], axes),
        Op::Conv2d { window, groups } => convolve::conv2d(g, x[0], x[1], window, *groups),
        Op::Conv2dInputGradient { window, groups, height, width } => {
            convolve::input_gradient(g, x[0], x[1], window, *groups, [*height, *width])
        }
        Op::Conv2dWeightGradient { window, groups } => {
            convolve::weight_gradient(g, x[0], x[1], window, *groups)
        }
        Op::MaxPool2d { window } => pool::max_pool(g, x[0], window, &node.shape),
        Op::MaxPool2dGradient { window } => pool::max_pool_gradient(g, x[0], x[1], window),
        Op::AvgPool2d { window } => pool::avg_pool(g, x[0], window, &node.shape),
        Op::AvgPool2dGradient { window, height, width } => {
            pool::avg_pool_gradient(g, x[0], window, [*height, *width])
        }
        Op::Input { .. }
        | Op::Slot { .. }
        | Op::Constant(_)
        | Op::Uniform { .. }
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::StopGradient
        | Op::Broadcast { .. }
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Windows { .. }
        | Op::DepthwiseMatMul { .. }
        | Op::MatMul { .. } => g.add_node_from(node.op.clone(), x, &node.origin),
    }
}

fn shifted(g: &GraphBuilder, x: Value, axis: usize) -> Value {
    g.sub(x, g.reduce_keep(Reduction::Max, x, &[axis]))
}

/// The index along `axis`, as a one-dimensional iota.
fn counting(g: &GraphBuilder, shape: &Shape, axis: usize) -> Value {
    let n = shape[axis];
    let line = g.add_node(Op::Iota { shape: [n].into(), axis: 0 }, &[]);
    let mut column = vec![1; shape.rank()];
    column[axis] = n;
    g.broadcast(g.reshape(line, column), shape)
}

/// A reduction over leading, trailing or all axes; others are moved to the end first.
fn reduce(g: &GraphBuilder, kind: Reduction, x: Value, axes: &[usize]) -> Value {
    let shape = g.shape(x);
    let real: Vec<usize> = axes.iter().copied().filter(|&a| shape[a] != 1).collect();
    let kept: Vec<usize> = (0..shape.rank()).filter(|a| !real.contains(a) && shape[*a] != 1).collect();
    let leading = real.iter().all(|a| kept.iter().all(|k| a < k));
    let trailing = real.iter().all(|a| kept.iter().all(|k| a > k));
    if leading || trailing {
        return g.reduce_keep(kind, x, axes);
    }
    let ones = (0..shape.rank()).filter(|&a| shape[a] == 1);
    let order: Vec<usize> = ones.chain(kept.iter().copied()).chain(real.iter().copied()).collect();
    let last: Vec<usize> = (shape.rank() - real.len()..shape.rank()).collect();
    let reduced = g.reduce_keep(kind, g.transpose(x, &order), &last);
    g.reshape(reduced, shape.reduced(axes))
}
