//! Pass: cheaper equal expressions.
//!
//! - constants are folded; `x + 0`, `x - 0`, `x * 1`, `x / 1` vanish; `x / c` becomes `x * (1/c)`;
//!   `(x * c) * d` becomes `x * (c d)`; the last two only where the new constant is a normal number in f32;
//! - movement of movement is one movement, and none at all where it changes nothing;
//! - a transposed factor becomes a flag of the matrix product;
//! - `sum(x * v)` over axes along which v only repeats becomes `sum(x) * v`, so that the sum can be shared, unless v
//!   is made from x;
//! - `stop_gradient` vanishes: gradients have been taken.
//!
//! Values change by rounding only (division by a constant, order of constant factors, a factor taken out of a sum), or
//! where numbers leave the range of f32: a sum without its factor, or a product with both of its constants at once, can
//! overflow where the written order would not, or the other way round.

use crate::graph::{Binary, Graph, GraphBuilder, GraphError, Node, Op, Reduction, Unary, Value};

pub(crate) fn simplify(graph: &Graph) -> Result<Graph, GraphError> {
    let mut current = graph.clone();
    // Each round can expose more; the expressions only get smaller, and a few rounds reach the end in practice.
    for _ in 0..4 {
        let next =
            current.rebuild(|g, node, x| g.layer_of(&node.origin.layer, || simplify_node(g, node, x)))?;
        if next == current {
            break;
        }
        current = next;
    }
    Ok(current)
}

fn simplify_node(g: &GraphBuilder, node: &Node, x: &[Value]) -> Value {
    let keep = || g.add_node_from(node.op.clone(), x, &node.origin);
    match &node.op {
        Op::StopGradient => x[0],
        Op::Unary(f) => match (f, constant_of(g, x[0])) {
            (_, Some(c)) => g.full(&node.shape, f.eval(c)),
            (Unary::Neg, _) => match g.node(x[0]) {
                Some(Node { op: Op::Unary(Unary::Neg), inputs, .. }) => inputs[0],
                _ => keep(),
            },
            _ => keep(),
        },
        Op::Binary(f) => simplify_binary(g, *f, x, node).unwrap_or_else(keep),
        Op::Select => match constant_of(g, x[0]) {
            Some(c) => x[if c != 0.0 { 1 } else { 2 }],
            None => keep(),
        },
        Op::Reshape { shape } => match g.node(x[0]) {
            _ if g.shape(x[0]) == *shape => x[0],
            Some(Node { op: Op::Reshape { .. }, inputs, .. }) => g.reshape(inputs[0], shape),
            Some(Node { op: Op::Broadcast { .. }, inputs, .. }) if g.shape(inputs[0]).len() == 1 => {
                g.broadcast(g.reshape(inputs[0], []), shape)
            }
            _ => keep(),
        },
        Op::Broadcast { shape } => match g.node(x[0]) {
            _ if g.shape(x[0]) == *shape => x[0],
            Some(Node { op: Op::Broadcast { .. }, inputs, .. }) => g.broadcast(inputs[0], shape),
            _ => keep(),
        },
        Op::Transpose { order } => match g.node(x[0]) {
            _ if order.iter().copied().eq(0..order.len()) => x[0],
            Some(Node { op: Op::Transpose { order: inner }, inputs, .. }) => {
                let both: Vec<usize> = order.iter().map(|&axis| inner[axis]).collect();
                g.transpose(inputs[0], &both)
            }
            _ => keep(),
        },
        Op::Slice { .. } if g.shape(x[0]) == node.shape => x[0],
        Op::Pad { .. } if g.shape(x[0]) == node.shape => x[0],
        Op::Concat { .. } if x.len() == 1 => x[0],
        Op::MatMul { trans_a, trans_b } => {
            let (a, flip_a) = untransposed(g, x[0]);
            let (b, flip_b) = untransposed(g, x[1]);
            g.add_node_from(
                Op::MatMul { trans_a: trans_a ^ flip_a, trans_b: trans_b ^ flip_b },
                &[a, b],
                &node.origin,
            )
        }
        Op::Reduce { kind, axes }
            if axes.iter().all(|&a| g.shape(x[0])[a] == 1) && *kind == Reduction::Sum =>
        {
            x[0]
        }
        Op::Reduce { kind: Reduction::Sum, axes } => sum_of_product(g, x[0], axes).unwrap_or_else(keep),
        _ => keep(),
    }
}

fn simplify_binary(g: &GraphBuilder, f: Binary, x: &[Value], node: &Node) -> Option<Value> {
    let (a, b) = (x[0], x[1]);
    match (constant_of(g, a), constant_of(g, b)) {
        (Some(c), Some(d)) => Some(g.full(&node.shape, f.eval(c, d))),
        (None, Some(c)) => match f {
            Binary::Add | Binary::Sub if c == 0.0 => Some(a),
            Binary::Mul | Binary::Div if c == 1.0 => Some(a),
            Binary::Pow if c == 1.0 => Some(a),
            Binary::Pow if c == 2.0 => Some(g.mul(a, a)),
            Binary::Div => factor(1.0 / c).map(|f| g.mul(a, g.constant(f))),
            Binary::Mul => match g.node(a) {
                Some(Node { op: Op::Binary(Binary::Mul), inputs, .. }) => {
                    factor(c * constant_of(g, inputs[1])?).map(|f| g.mul(inputs[0], g.constant(f)))
                }
                _ => None,
            },
            _ => None,
        },
        // Constants to the right, so that the rules above see them.
        (Some(_), None) if matches!(f, Binary::Add | Binary::Mul) => {
            let swapped = [b, a];
            Some(
                simplify_binary(g, f, &swapped, node)
                    .unwrap_or_else(|| g.add_node_from(node.op.clone(), &swapped, &node.origin)),
            )
        }
        _ => None,
    }
}

/// A folded constant, if f32 holds it with full precision.
fn factor(c: f64) -> Option<f64> {
    (c as f32).is_normal().then_some(c)
}

/// The number, if a value is one constant or repeats one.
fn constant_of(g: &GraphBuilder, value: Value) -> Option<f64> {
    match g.node(value)? {
        Node { op: Op::Constant(c), .. } => Some(c.get()),
        Node { op: Op::Broadcast { .. } | Op::Reshape { .. }, inputs, .. } => constant_of(g, inputs[0]),
        _ => None,
    }
}

/// The matrix behind a transposition, and whether there was one.
fn untransposed(g: &GraphBuilder, value: Value) -> (Value, bool) {
    match g.node(value) {
        Some(Node { op: Op::Transpose { .. }, inputs, .. }) => (inputs[0], true),
        _ => (value, false),
    }
}

/// Takes a factor that only repeats along the summed axes out of a sum.
fn sum_of_product(g: &GraphBuilder, x: Value, axes: &[usize]) -> Option<Value> {
    let product = factors(g, x)?;
    for i in 0..product.len() {
        let Some(Node { op: Op::Broadcast { shape }, inputs, .. }) = g.node(product[i]) else { continue };
        let source = g.shape(inputs[0]);
        let lead = shape.rank() - source.rank();
        if axes.iter().all(|&a| a < lead || source[a - lead] == 1) {
            let mut rest = product.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &v)| v);
            if rest.clone().any(|other| follows(g, inputs[0], other, FOLLOWED)) {
                continue;
            }
            let first = rest.next()?;
            let rest = rest.fold(first, |a, b| g.mul(a, b));
            return Some(g.mul(g.reduce_keep(Reduction::Sum, rest, axes), inputs[0]));
        }
    }
    None
}

/// How far back a factor's origin is looked for: from `1 / sqrt(variance + epsilon)` it is 7 steps to `x - mean`.
const FOLLOWED: usize = 8;

/// Whether `value` is made from `from`. Such a factor stays in a sum: a standardized `x` is `x - mean` times what follows
/// from it, is itself needed elsewhere, and would otherwise have to be kept beside `x - mean`.
fn follows(g: &GraphBuilder, value: Value, from: Value, steps: usize) -> bool {
    value == from
        || steps > 0
            && g.node(value).is_some_and(|node| node.inputs.iter().any(|&x| follows(g, x, from, steps - 1)))
}

/// The factors of a product of two or three.
fn factors(g: &GraphBuilder, x: Value) -> Option<Vec<Value>> {
    let pair = |v: Value| match g.node(v)? {
        Node { op: Op::Binary(Binary::Mul), inputs, .. } => Some(inputs),
        _ => None,
    };
    let outer = pair(x)?;
    Some(match (pair(outer[0]), pair(outer[1])) {
        (Some(inner), _) => vec![inner[0], outer[1], inner[1]],
        (None, Some(inner)) => vec![inner[0], outer[0], inner[1]],
        (None, None) => outer,
    })
}
