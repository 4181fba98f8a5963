//! Contractions: sums of products.
//!
//! `matmul`: C = A B, `C[i, j] = sum_k A[i, k] B[k, j]` with A `[m, k]`, B `[k, n]`, C `[m, n]`;
//! dA = dC B^T, dB = A^T dC. Either factor may be read as its transpose, so no gradient moves data.
//!
//! Cost: 2 m n k. Source: lecture on backpropagation, vectorised gates.

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
