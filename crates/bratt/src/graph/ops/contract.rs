//! Contractions: sums of products.
//!
//! `matmul`: C = A B, `C[i, j] = sum_k A[i, k] B[k, j]` with A `[m, k]`, B `[k, n]`, C `[m, n]`;
//! dA = dC B^T, dB = A^T dC. Either factor may be read as its transpose, so no gradient moves data.
//!
//! `depthwise_matmul`: the same for each channel c by itself, `C[i, c] = sum_t A[i, t, c] B[t, c]` with A `[m, taps c]`, B
//! `[taps, c]`, C `[m, c]`; or over the rows, `C[t, c] = sum_i A[i, t, c] B[i, c]`. dB is the other of the two, of A and
//! dC; `dA[i, t, c] = dC[i, c] B[t, c]`. Cost: 2 for each number of A.
//!
//! Cost of matmul: 2 m n k. Source: lecture on backpropagation, vectorised gates.

use crate::graph::{Cotangent, GraphBuilder, Op, Value};
use crate::tensor::Shape;
use Cotangent::Flow;

impl GraphBuilder {
    /// The matrix product of `a` `[m, k]` and `b` `[k, n]`: `[m, n]`.
    #[track_caller]
    pub fn matmul(&self, a: Value, b: Value) -> Value {
        self.matmul_transposed(a, false, b, false)
    }

    /// The matrix product with either factor read as its transpose.
    #[track_caller]
    pub fn matmul_transposed(&self, a: Value, trans_a: bool, b: Value, trans_b: bool) -> Value {
        self.add_node(Op::MatMul { trans_a, trans_b }, &[a, b])
    }

    /// Products channel by channel: of `a` `[m, taps c]`, the pixels of windows, and `b` `[taps, c]`: `[m, c]`, a depthwise
    /// convolution. With `trans_a`, sums over the windows: of `a` and `b` `[m, c]`: `[taps, c]`.
    #[track_caller]
    pub fn depthwise_matmul(&self, a: Value, trans_a: bool, b: Value) -> Value {
        self.add_node(Op::DepthwiseMatMul { trans_a }, &[a, b])
    }
}

pub(crate) fn depthwise_shape(a: &Shape, trans_a: bool, b: &Shape) -> Result<Shape, String> {
    if a.rank() != 2 || b.rank() != 2 {
        return Err(format!("found shapes {a} and {b}, expected two matrices"));
    }
    let (rows, channels) = (a[0], b[1]);
    if !a[1].is_multiple_of(channels) {
        return Err(format!("found {a} and {b}, expected rows of so many times {channels} channels"));
    }
    let taps = a[1] / channels;
    let (inner, outer) = if trans_a { (rows, taps) } else { (taps, rows) };
    if b[0] == inner {
        Ok([outer, channels].into())
    } else {
        let what = if trans_a { "rows" } else { "taps" };
        Err(format!("found {a} and {b}, expected {inner} rows of the second, as many as there are {what}"))
    }
}

pub(crate) fn depthwise_gradient(g: &GraphBuilder, x: &[Value], trans_a: bool, dy: Value) -> [Cotangent; 2] {
    let (a, b) = (x[0], x[1]);
    let (of_rows, of_taps) = if trans_a { (b, dy) } else { (dy, b) };
    let (rows, taps, channels) = (g.shape(of_rows)[0], g.shape(of_taps)[0], g.shape(b)[1]);
    let of_rows = g.reshape(of_rows, [rows, 1, channels]);
    let da = g.mul(of_rows, g.reshape(of_taps, [1, taps, channels]));
    [Flow(g.reshape(da, [rows, taps * channels])), Flow(g.depthwise_matmul(a, !trans_a, dy))]
}

pub(crate) fn matmul_shape(a: &Shape, trans_a: bool, b: &Shape, trans_b: bool) -> Result<Shape, String> {
    if a.rank() != 2 || b.rank() != 2 {
        return Err(format!("found shapes {a} and {b}, expected two matrices"));
    }
    let (m, k) = if trans_a { (a[1], a[0]) } else { (a[0], a[1]) };
    let (k2, n) = if trans_b { (b[1], b[0]) } else { (b[0], b[1]) };
    let t = |transposed| if transposed { " transposed" } else { "" };
    if k == k2 {
        Ok([m, n].into())
    } else {
        Err(format!(
            "found {a}{} times {b}{}, expected equal inner extents, but {k} is not {k2}",
            t(trans_a),
            t(trans_b)
        ))
    }
}

pub(crate) fn matmul_gradient(
    g: &GraphBuilder,
    x: &[Value],
    trans_a: bool,
    trans_b: bool,
    dy: Value,
) -> [Cotangent; 2] {
    let (a, b) = (x[0], x[1]);
    let da = if trans_a {
        g.matmul_transposed(b, trans_b, dy, true)
    } else {
        g.matmul_transposed(dy, false, b, !trans_b)
    };
    let db = if trans_b {
        g.matmul_transposed(dy, true, a, trans_a)
    } else {
        g.matmul_transposed(a, !trans_a, dy, false)
    };
    [Flow(da), Flow(db)]
}

pub(crate) fn matmul_flops(a: &Shape, trans_a: bool, result: &Shape) -> u64 {
    let k = if trans_a { a[0] } else { a[1] };
    2 * result.len() as u64 * k as u64
}
