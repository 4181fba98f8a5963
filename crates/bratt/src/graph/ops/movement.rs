//! Movement: the same numbers in other places.
//!
//! | name | y | gradient |
//! |---|---|---|
//! | broadcast | x repeated along new leading axes and axes of extent 1 | dy summed over the repeated axes |
//! | reshape | x under another shape | dy under the old shape |
//! | transpose | axes permuted | axes permuted back |
//! | slice | a box of x | dy padded with zeros |
//! | pad | x surrounded by a constant | the inner box of dy |
//! | concat | arguments joined along an axis | dy cut apart |

use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

impl GraphBuilder {
    /// Repeats `x` to `shape`, as NumPy's `broadcast_to`.
    #[track_caller]
    pub fn broadcast(&self, x: Value, shape: impl Into<Shape>) -> Value {
        let shape = shape.into();
        if self.shape(x) == shape { x } else { self.add_node(Op::Broadcast { shape }, &[x]) }
    }

    /// The same numbers, row-major, under another shape of as many elements.
    #[track_caller]
    pub fn reshape(&self, x: Value, shape: impl Into<Shape>) -> Value {
        let shape = shape.into();
        if self.shape(x) == shape { x } else { self.add_node(Op::Reshape { shape }, &[x]) }
    }

    /// All axes but the first joined to one: `[n, ...]` to `[n, d]`.
    #[track_caller]
    pub fn flatten(&self, x: Value) -> Value {
        let shape = self.shape(x);
        let rows = shape.first().copied().unwrap_or(1);
        self.reshape(x, [rows, shape.iter().skip(1).product()])
    }

    /// Axis `i` of the result is axis `order[i]` of `x`.
    #[track_caller]
    pub fn transpose(&self, x: Value, order: &[usize]) -> Value {
        self.add_node(Op::Transpose { order: order.to_vec() }, &[x])
    }

    /// The box from `start` (inclusive) to `end` (exclusive) on every axis.
    #[track_caller]
    pub fn slice(&self, x: Value, start: &[usize], end: &[usize]) -> Value {
        self.add_node(Op::Slice { start: start.to_vec(), end: end.to_vec() }, &[x])
    }

    /// Adds `low[i]` elements before and `high[i]` after, on every axis.
    #[track_caller]
    pub fn pad(&self, x: Value, low: &[usize], high: &[usize], value: f64) -> Value {
        self.add_node(Op::Pad { low: low.to_vec(), high: high.to_vec(), value: value.into() }, &[x])
    }

    /// Joins values along an axis; the other extents must agree.
    #[track_caller]
    pub fn concat(&self, xs: &[Value], axis: usize) -> Value {
        self.add_node(Op::Concat { axis }, xs)
    }
}

pub(crate) fn broadcast_shape(x: &Shape, to: &Shape) -> Result<Shape, String> {
    let fits = x.rank() <= to.rank()
        && x.iter().rev().zip(to.iter().rev()).all(|(&from, &to)| from == to || from == 1);
    if fits {
        Ok(to.clone())
    } else {
        Err(format!("found shape {x}, expected one that can be repeated to {to}"))
    }
}

pub(crate) fn reshape_shape(x: &Shape, to: &Shape) -> Result<Shape, String> {
    if x.len() == to.len() {
        Ok(to.clone())
    } else {
        Err(format!("found shape {x} with {} elements, expected {} for shape {to}", x.len(), to.len()))
    }
}

pub(crate) fn transpose_shape(x: &Shape, order: &[usize]) -> Result<Shape, String> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..x.rank()) {
        Ok(order.iter().map(|&axis| x[axis]).collect::<Vec<_>>().into())
    } else {
        Err(format!("found order {order:?}, expected a permutation of the {} axes of shape {x}", x.rank()))
    }
}

pub(crate) fn slice_shape(x: &Shape, start: &[usize], end: &[usize]) -> Result<Shape, String> {
    let fits = start.len() == x.rank()
        && end.len() == x.rank()
        && (0..x.rank()).all(|i| start[i] <= end[i] && end[i] <= x[i]);
    if fits {
        Ok(start.iter().zip(end).map(|(s, e)| e - s).collect::<Vec<_>>().into())
    } else {
        Err(format!("found the box {start:?} to {end:?}, expected one inside shape {x}"))
    }
}

pub(crate) fn pad_shape(x: &Shape, low: &[usize], high: &[usize]) -> Result<Shape, String> {
    if low.len() == x.rank() && high.len() == x.rank() {
        Ok((0..x.rank())
            .map(|i| low[i].saturating_add(x[i]).saturating_add(high[i]))
            .collect::<Vec<_>>()
            .into())
    } else {
        Err(format!(
            "found padding for {} and {} axes, expected {} for shape {x}",
            low.len(),
            high.len(),
            x.rank()
        ))
    }
}

pub(crate) fn concat_shape(inputs: &[&Shape], axis: usize) -> Result<Shape, String> {
    let Some(&first) = inputs.first() else { return Err("found no arguments, expected at least one".into()) };
    if axis >= first.rank() {
        return Err(format!("axis {axis} of shape {first}, which has {} axes", first.rank()));
    }
    for s in inputs {
        if s.rank() != first.rank() || (0..s.rank()).any(|i| i != axis && s[i] != first[i]) {
            return Err(format!(
                "found shapes {first} and {s}, expected them to agree on every axis but {axis}"
            ));
        }
    }
    let mut extents = first.to_vec();
    extents[axis] = inputs.iter().map(|s| s[axis]).sum();
    Ok(extents.into())
}

pub(crate) fn broadcast_gradient(g: &GraphBuilder, x: Value, dy: Value) -> Cotangent {
    let (from, to) = (g.shape(x), g.shape(dy));
    let lead = to.rank() - from.rank();
    let repeated: Vec<usize> =
        (0..to.rank()).filter(|&i| i < lead || (from[i - lead] == 1 && to[i] != 1)).collect();
    let sum =
        if repeated.is_empty() { dy } else { g.reduce_keep(crate::graph::Reduction::Sum, dy, &repeated) };
    Flow(g.reshape(sum, from))
}

pub(crate) fn reshape_gradient(g: &GraphBuilder, x: Value, dy: Value) -> Cotangent {
    Flow(g.reshape(dy, g.shape(x)))
}

pub(crate) fn transpose_gradient(g: &GraphBuilder, order: &[usize], dy: Value) -> Cotangent {
    let mut back = vec![0; order.len()];
    for (i, &axis) in order.iter().enumerate() {
        back[axis] = i;
    }
    Flow(g.transpose(dy, &back))
}

pub(crate) fn slice_gradient(
    g: &GraphBuilder,
    x: Value,
    start: &[usize],
    end: &[usize],
    dy: Value,
) -> Cotangent {
    let high: Vec<usize> = g.shape(x).iter().zip(end).map(|(d, e)| d - e).collect();
    Flow(g.pad(dy, start, &high, 0.0))
}

pub(crate) fn pad_gradient(g: &GraphBuilder, x: Value, low: &[usize], dy: Value) -> Cotangent {
    let end: Vec<usize> = g.shape(x).iter().zip(low).map(|(d, l)| d + l).collect();
    Flow(g.slice(dy, low, &end))
}

pub(crate) fn concat_gradient(g: &GraphBuilder, xs: &[Value], axis: usize, dy: Value) -> Vec<Cotangent> {
    let mut at = 0;
    xs.iter()
        .map(|&x| {
            let shape = g.shape(x);
            let mut start = vec![0; shape.rank()];
            let mut end = shape.to_vec();
            start[axis] = at;
            at += shape[axis];
            end[axis] = at;
            Flow(g.slice(dy, &start, &end))
        })
        .collect()
}
