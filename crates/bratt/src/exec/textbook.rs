//! The operations as the textbook defines them: one loop each, in f64.
//!
//! Shapes have been checked by the graph. A *group* of a tensor over some axes is the set of elements that agree in
//! all other indices: what a reduction combines and what a softmax normalises.

use crate::graph::Reduction;
use crate::tensor::{Shape, Tensor, for_each_index};

pub(super) mod images;

type T = Tensor<f64>;

/// `y[i] = f(x[i])`
pub(super) fn map(x: &T, f: impl Fn(f64) -> f64) -> T {
    Tensor::from_fn(x.shape(), |i| f(x.data()[i]))
}

/// `y[i] = f(a[i], b[i])`
pub(super) fn zip(a: &T, b: &T, f: impl Fn(f64, f64) -> f64) -> T {
    Tensor::from_fn(a.shape(), |i| f(a.data()[i], b.data()[i]))
}

/// `y[i] = condition[i] != 0 ? a[i] : b[i]`
pub(super) fn select(condition: &T, a: &T, b: &T) -> T {
    Tensor::from_fn(a.shape(), |i| if condition.data()[i] != 0.0 { a.data()[i] } else { b.data()[i] })
}

/// `y[index] = index[axis]`
pub(super) fn iota(shape: &Shape, axis: usize) -> T {
    by_index(shape, |index| index[axis] as f64)
}

/// `y[index] = x[index]`, with index 0 where x has extent 1 and without the leading axes that x lacks.
pub(super) fn broadcast(x: &T, shape: &Shape) -> T {
    let lead = shape.rank() - x.shape().rank();
    by_index(shape, |index| {
        let own: Vec<usize> =
            index[lead..].iter().zip(x.shape().iter()).map(|(&i, &d)| if d == 1 { 0 } else { i }).collect();
        at(x, &own)
    })
}

/// The same numbers under another shape.
pub(super) fn reshape(x: &T, shape: &Shape) -> T {
    Tensor::from_fn(shape, |i| x.data()[i])
}

/// `y[.., index of axis i, ..] = x[.., index of axis order[i], ..]`
pub(super) fn transpose(x: &T, order: &[usize]) -> T {
    let shape: Vec<usize> = order.iter().map(|&axis| x.shape()[axis]).collect();
    by_index(&shape.into(), |index| {
        let mut from = vec![0; order.len()];
        for (i, &axis) in order.iter().enumerate() {
            from[axis] = index[i];
        }
        at(x, &from)
    })
}

/// `y[index] = x[start + index]`
pub(super) fn slice(x: &T, start: &[usize], end: &[usize]) -> T {
    let shape: Vec<usize> = start.iter().zip(end).map(|(s, e)| e - s).collect();
    by_index(&shape.into(), |index| {
        let from: Vec<usize> = index.iter().zip(start).map(|(i, s)| i + s).collect();
        at(x, &from)
    })
}

/// `y[low + index] = x[index]`, and `value` around.
pub(super) fn pad(x: &T, low: &[usize], high: &[usize], value: f64) -> T {
    let shape: Vec<usize> = (0..low.len()).map(|i| low[i] + x.shape()[i] + high[i]).collect();
    by_index(&shape.into(), |index| {
        let inside = (0..low.len()).all(|i| index[i] >= low[i] && index[i] < low[i] + x.shape()[i]);
        if inside {
            let from: Vec<usize> = index.iter().zip(low).map(|(i, l)| i - l).collect();
            at(x, &from)
        } else {
            value
        }
    })
}

/// The arguments behind one another along `axis`.
pub(super) fn concat(xs: &[&T], axis: usize) -> T {
    let mut shape = xs[0].shape().to_vec();
    shape[axis] = xs.iter().map(|x| x.shape()[axis]).sum();
    by_index(&shape.into(), |index| {
        let mut from = index.to_vec();
        for x in xs {
            if from[axis] < x.shape()[axis] {
                return at(x, &from);
            }
            from[axis] -= x.shape()[axis];
        }
        unreachable!("the joined extent is the sum of the parts")
    })
}

/// The combination of each group over `axes`.
pub(super) fn reduce(x: &T, kind: Reduction, axes: &[usize]) -> T {
    let groups = groups(x.shape(), axes);
    Tensor::from_fn(x.shape().reduced(axes), |k| {
        groups[k].iter().fold(kind.identity(), |sum, &i| kind.combine(sum, x.data()[i]))
    })
}

/// The position in each group over `axis` of its first largest or smallest element; the first NaN wins.
pub(super) fn arg_reduce(x: &T, kind: Reduction, axis: usize) -> T {
    let groups = groups(x.shape(), &[axis]);
    Tensor::from_fn(x.shape().reduced(&[axis]), |k| {
        let group: Vec<f64> = groups[k].iter().map(|&i| x.data()[i]).collect();
        let extreme = group.iter().fold(kind.identity(), |m, &v| kind.combine(m, v));
        let first = group.iter().position(|&v| v == extreme || v.is_nan());
        first.unwrap_or(0) as f64
    })
}

/// `C[i, j] = sum_k A[i, k] B[k, j]`
pub(super) fn matmul(a: &T, trans_a: bool, b: &T, trans_b: bool) -> T {
    let a = if trans_a { &transpose(a, &[1, 0]) } else { a };
    let b = if trans_b { &transpose(b, &[1, 0]) } else { b };
    let (rows, inner, columns) = (a.shape()[0], a.shape()[1], b.shape()[1]);
    by_index(&[rows, columns].into(), |index| {
        let (i, j) = (index[0], index[1]);
        (0..inner).map(|k| a.data()[i * inner + k] * b.data()[k * columns + j]).sum()
    })
}

/// `C[i, c] = sum_t A[i, t, c] B[t, c]`, or `C[t, c] = sum_i A[i, t, c] B[i, c]`.
pub(super) fn depthwise_matmul(a: &T, trans_a: bool, b: &T) -> T {
    let (rows, channels) = (a.shape()[0], b.shape()[1]);
    let taps = a.shape()[1] / channels;
    let (outer, inner) = if trans_a { (taps, rows) } else { (rows, taps) };
    by_index(&[outer, channels].into(), |index| {
        let (i, c) = (index[0], index[1]);
        let a = |p: usize| {
            a.data()[if trans_a { (p * taps + i) * channels } else { (i * taps + p) * channels } + c]
        };
        (0..inner).map(|p| a(p) * b.data()[p * channels + c]).sum()
    })
}

/// `y_i = e^(x_i - m) / sum_j e^(x_j - m)` in each group, m its largest element.
pub(super) fn softmax(x: &T, axis: usize) -> T {
    by_group(x, &[axis], |x| {
        let m = maximum(x);
        let total: f64 = x.iter().map(|x| (x - m).exp()).sum();
        x.iter().map(|x| (x - m).exp() / total).collect()
    })
}

/// `y_i = x_i - m - ln sum_j e^(x_j - m)` in each group, m its largest element.
pub(super) fn log_softmax(x: &T, axis: usize) -> T {
    by_group(x, &[axis], |x| {
        let m = maximum(x);
        let total: f64 = x.iter().map(|x| (x - m).exp()).sum();
        x.iter().map(|x| x - m - total.ln()).collect()
    })
}

/// `y = (x - mean) / sqrt(variance + epsilon)` in each group, variance = mean of (x - mean)^2.
pub(super) fn standardize(x: &T, axes: &[usize], epsilon: f64) -> T {
    by_group(x, axes, |x| {
        let count = x.len() as f64;
        let mean = x.iter().sum::<f64>() / count;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        x.iter().map(|x| (x - mean) / (variance + epsilon).sqrt()).collect()
    })
}

fn maximum(x: &[f64]) -> f64 {
    x.iter().fold(f64::NEG_INFINITY, |m, &x| Reduction::Max.combine(m, x))
}

/// The element at an index.
fn at(x: &T, index: &[usize]) -> f64 {
    let flat: usize = index.iter().zip(x.shape().strides()).map(|(i, stride)| i * stride).sum();
    x.data()[flat]
}

/// The tensor whose element at each index is `f(index)`.
fn by_index(shape: &Shape, f: impl Fn(&[usize]) -> f64) -> T {
    let mut y = Tensor::zeros(shape);
    for_each_index(shape, |index, flat| y.data_mut()[flat] = f(index));
    y
}

/// The flat positions of each group over `axes`; groups in the order of the reduced tensor.
fn groups(shape: &Shape, axes: &[usize]) -> Vec<Vec<usize>> {
    let reduced = shape.reduced(axes);
    let strides = reduced.strides();
    let mut groups = vec![Vec::new(); reduced.len()];
    for_each_index(shape, |index, flat| {
        let group: usize = (0..index.len())
            .filter(|axis| !axes.contains(axis))
            .map(|axis| index[axis] * strides[axis])
            .sum();
        groups[group].push(flat);
    });
    groups
}

/// Each group over `axes` replaced by `f` of it.
fn by_group(x: &T, axes: &[usize], f: impl Fn(&[f64]) -> Vec<f64>) -> T {
    let mut y = Tensor::zeros(x.shape());
    for group in groups(x.shape(), axes) {
        let values: Vec<f64> = group.iter().map(|&i| x.data()[i]).collect();
        for (&i, value) in group.iter().zip(f(&values)) {
            y.data_mut()[i] = value;
        }
    }
    y
}
