//! Products, reductions, movements and sources.

use super::{Attribute, Call, Function, Problem, attribute, row};
use crate::graph::{Reduction, Value};

const AXES: &[Attribute] = &[attribute("axes", "all"), attribute("keep", "false")];

/// A reduction that drops its axes, unless they are to stay.
fn reduced(c: &Call<'_>, keeping: impl FnOnce(&Call<'_>, &[usize]) -> Value) -> Result<Value, Problem> {
    let axes = c.axes("axes", c.every_axis())?;
    let kept = keeping(c, &axes);
    if c.truth("keep")? {
        return Ok(kept);
    }
    let shape: Vec<usize> =
        c.shape(0).iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &d)| d).collect();
    Ok(c.g.reshape(kept, shape))
}

pub(super) static REDUCTIONS: &[Function] = &[
    row(
        "matmul",
        &["a", "b"],
        &[attribute("transpose_a", "false"), attribute("transpose_b", "false")],
        "a @ b: [m, k] times [k, n] is [m, n]; either may be read as its transpose",
        "matmul([1, 2; 3, 4], [1, 2; 3, 4], transpose_b=true)",
        |c| Ok(c.g.matmul_transposed(c.x[0], c.truth("transpose_a")?, c.x[1], c.truth("transpose_b")?)),
    ),
    row(
        "depthwise_matmul",
        &["a", "b"],
        &[attribute("transpose_a", "false")],
        "channel by channel: windows [m, taps c] and weights [taps, c] to [m, c]; over windows: [m, c] to [taps, c]",
        "depthwise_matmul([1, 2, 3, 4; 5, 6, 7, 8], [1, 2; 3, 4])",
        |c| Ok(c.g.depthwise_matmul(c.x[0], c.truth("transpose_a")?, c.x[1])),
    ),
    row(
        "linear",
        &["x", "w", "b?"],
        &[],
        "x @ w + b: x [m, k], w [k, n], b [n]",
        "linear([1, 2], [1; 2], [3])",
        |c| {
            let x = if c.rank() == 1 { c.g.reshape(c.x[0], [1, c.shape(0).len()]) } else { c.x[0] };
            let product = c.g.matmul(x, c.x[1]);
            Ok(c.x.get(2).map_or(product, |&b| c.g.add(product, b)))
        },
    )
    .also(&["dense"]),
    row("dot", &["a", "b"], &[], "the sum of a * b, a scalar", "dot([1, 2], [3, 4])", |c| {
        Ok(c.g.sum_all(c.g.mul(c.x[0], c.x[1])))
    }),
    row("sum", &["x"], AXES, "the sum over axes", "sum([1, 2; 3, 4], axes=0)", |c| {
        reduced(c, |c, axes| c.g.reduce_keep(Reduction::Sum, c.x[0], axes))
    })
    .also(&["reduce_sum"]),
    row("mean", &["x"], AXES, "the mean over axes", "mean([1, 2; 3, 4])", |c| {
        reduced(c, |c, axes| c.g.mean_keep(c.x[0], axes))
    }),
    row("variance", &["x"], AXES, "the mean of (x - mean)^2 over axes", "variance([1, 2; 3, 5])", |c| {
        reduced(c, |c, axes| c.g.variance_keep(c.x[0], axes))
    })
    .also(&["var"]),
    row("norm", &["x"], AXES, "the root of the sum of squares over axes", "norm([3, 4])", |c| {
        reduced(c, |c, axes| c.g.sqrt(c.g.reduce_keep(Reduction::Sum, c.g.square(c.x[0]), axes)))
    }),
    row(
        "reduce_max",
        &["x"],
        AXES,
        "the largest element over axes, also max(x); ties share the gradient",
        "reduce_max([1, 2; 3, 4], axes=1)",
        |c| reduced(c, |c, axes| c.g.reduce_keep(Reduction::Max, c.x[0], axes)),
    )
    .also(&["amax"]),
    row(
        "reduce_min",
        &["x"],
        AXES,
        "the smallest element over axes, also min(x); ties share the gradient",
        "reduce_min([1, 2; 3, 4], axes=1)",
        |c| reduced(c, |c, axes| c.g.reduce_keep(Reduction::Min, c.x[0], axes)),
    )
    .also(&["amin"]),
    row(
        "argmax",
        &["x"],
        &[attribute("axis", "-1")],
        "the index of the first largest element along an axis; no gradient",
        "argmax([1, 2; 4, 3])",
        |c| Ok(c.g.argmax(c.x[0], c.axis("axis", -1)?)),
    ),
    row(
        "argmin",
        &["x"],
        &[attribute("axis", "-1")],
        "the index of the first smallest element along an axis; no gradient",
        "argmin([1, 2; 4, 3])",
        |c| Ok(c.g.argmin(c.x[0], c.axis("axis", -1)?)),
    ),
    row(
        "logsumexp",
        &["x"],
        AXES,
        "ln of the sum of e^x over axes, without overflow",
        "logsumexp([1, 2; 3, 4], axes=1)",
        |c| {
            reduced(c, |c, axes| {
                let top = c.g.stop_gradient(c.g.reduce_keep(Reduction::Max, c.x[0], axes));
                let sum = c.g.reduce_keep(Reduction::Sum, c.g.exp(c.g.sub(c.x[0], top)), axes);
                c.g.add(c.g.log(sum), top)
            })
        },
    ),
];

pub(super) static FUNCTIONS: &[Function] = &[
    row(
        "reshape",
        &["x"],
        &[attribute("shape", "")],
        "the same numbers, row by row, under another shape",
        "reshape([1, 2, 3, 4], shape=[2, 2])",
        |c| Ok(c.g.reshape(c.x[0], c.counts("shape")?.unwrap_or_default())),
    ),
    row(
        "flatten",
        &["x"],
        &[],
        "all axes but the first joined: [n, ...] to [n, d]",
        "flatten([[[1, 2], [3, 4]]])",
        |c| Ok(c.g.flatten(c.x[0])),
    ),
    row(
        "broadcast",
        &["x"],
        &[attribute("shape", "")],
        "repeated along new leading axes and axes of extent 1",
        "broadcast([1, 2], shape=[3, 2])",
        |c| Ok(c.g.broadcast(c.x[0], c.counts("shape")?.unwrap_or_default())),
    )
    .also(&["broadcast_to", "expand"]),
    row(
        "transpose",
        &["x"],
        &[attribute("order", "reversed")],
        "axis i of the result is axis order[i] of x",
        "transpose([1, 2; 3, 4])",
        |c| {
            let order = match c.counts("order")? {
                Some(order) => order,
                None => (0..c.rank()).rev().collect(),
            };
            Ok(c.g.transpose(c.x[0], &order))
        },
    )
    .also(&["permute"]),
    row(
        "slice",
        &["x"],
        &[attribute("start", ""), attribute("end", "")],
        "the box from start to end, exclusive, a number for each axis",
        "slice([1, 2, 3, 4], start=[1], end=[3])",
        |c| {
            let (start, end) = (c.counts("start")?.unwrap_or_default(), c.counts("end")?.unwrap_or_default());
            Ok(c.g.slice(c.x[0], &start, &end))
        },
    ),
    row(
        "pad",
        &["x"],
        &[attribute("low", ""), attribute("high", ""), attribute("value", "0")],
        "surrounded by value: low elements before and high after, a number for each axis",
        "pad([1, 2], low=[1], high=[2], value=9)",
        |c| {
            let (low, high) = (c.counts("low")?.unwrap_or_default(), c.counts("high")?.unwrap_or_default());
            Ok(c.g.pad(c.x[0], &low, &high, c.real("value", 0.0)?))
        },
    ),
    row(
        "concat",
        &["a", "..."],
        &[attribute("axis", "0")],
        "joined along an axis",
        "concat([1, 2; 3, 4], [5, 6; 7, 8], axis=1)",
        |c| Ok(c.g.concat(c.x, c.axis("axis", 0)?)),
    )
    .also(&["cat", "concatenate"]),
    row(
        "iota",
        &[],
        &[attribute("shape", ""), attribute("axis", "0")],
        "0, 1, 2, ... along an axis",
        "iota(shape=[2, 3], axis=1) * 2",
        |c| Ok(c.g.iota(c.counts("shape")?.unwrap_or_default(), c.count("axis", 0)?)),
    ),
    row(
        "full",
        &[],
        &[attribute("shape", ""), attribute("value", "")],
        "one number, repeated",
        "full(shape=[2, 2], value=3)",
        |c| Ok(c.g.full(c.counts("shape")?.unwrap_or_default(), c.real("value", 0.0)?)),
    ),
    row(
        "uniform",
        &[],
        &[attribute("shape", ""), attribute("stream", "next")],
        "random numbers in [0, 1), given by --noise and the stream",
        "uniform(shape=[2, 2]) * 2",
        |c| {
            let stream = match c.setting("stream") {
                None => c.g.next_stream() as usize,
                Some(_) => c.count("stream", 0)?,
            };
            Ok(c.g.uniform(c.counts("shape")?.unwrap_or_default(), stream as u32))
        },
    ),
];
