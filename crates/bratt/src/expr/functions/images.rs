//! Convolution and pooling. Images are `[n, height, width, channels]`, weights `[kernel height, kernel width, channels
//! in / groups, channels out]`. A pair is one number for both sides or `[height, width]`; padding is one number, a
//! pair, `[top, bottom, left, right]`, `same` or `valid`.

use super::{Attribute, Call, Function, Problem, attribute, row};
use crate::graph::{Op, Value, Window};

const CONVOLUTION: &[Attribute] = &[
    attribute("stride", "1"),
    attribute("padding", "0"),
    attribute("dilation", "1"),
    attribute("groups", "1"),
];

const POOLING: &[Attribute] =
    &[attribute("kernel", "2"), attribute("stride", "kernel"), attribute("padding", "0")];

fn pooling(c: &Call<'_>, image: Option<[usize; 2]>) -> Result<Window, Problem> {
    let kernel = c.pair("kernel", [2, 2])?;
    c.window(kernel, kernel, image)
}

/// The extents of images that only their gradient's shape tells of: what the given attributes say, or the smallest.
fn image(c: &Call<'_>) -> Result<[usize; 2], Problem> {
    Ok([c.count("height", 0)?, c.count("width", 0)?])
}

fn input_gradient(c: &Call<'_>) -> Result<Value, Problem> {
    let image = image(c)?;
    let window = c.window(c.kernel_of(1)?, [1, 1], Some(image))?;
    Ok(c.g.conv2d_input_gradient(c.x[0], c.x[1], &window, c.count("groups", 1)?, image))
}

pub(super) static FUNCTIONS: &[Function] = &[
    row(
        "conv2d",
        &["x", "w"],
        CONVOLUTION,
        "w [kh, kw, channels in / groups, channels out]; the kernel is not flipped",
        "conv2d(reshape(iota([9]), [1, 3, 3, 1]), full([2, 2, 1, 1], 2))",
        |c| {
            let window = c.window(c.kernel_of(1)?, [1, 1], None)?;
            Ok(c.g.conv2d(c.x[0], c.x[1], &window, c.count("groups", 1)?))
        },
    ),
    row(
        "conv2d_input_gradient",
        &["dy", "w"],
        &[
            attribute("height", ""),
            attribute("width", ""),
            attribute("stride", "1"),
            attribute("padding", "0"),
            attribute("dilation", "1"),
            attribute("groups", "1"),
        ],
        "the gradient of conv2d in its images of height x width: a transposed convolution",
        "conv2d_input_gradient(full([1, 2, 2, 1], 1), full([2, 2, 1, 1], 2), height=3, width=3)",
        input_gradient,
    )
    .also(&["conv2d_transpose"]),
    row(
        "conv2d_weight_gradient",
        &["x", "dy"],
        &[
            attribute("kernel", ""),
            attribute("stride", "1"),
            attribute("padding", "0"),
            attribute("dilation", "1"),
            attribute("groups", "1"),
        ],
        "the gradient of conv2d in its weights, from images and the result's gradient",
        "conv2d_weight_gradient(reshape(iota([9]), [1, 3, 3, 1]), full([1, 2, 2, 1], 1), kernel=2)",
        |c| {
            let window = c.window(c.pair("kernel", [1, 1])?, [1, 1], None)?;
            Ok(c.g.conv2d_weight_gradient(c.x[0], c.x[1], &window, c.count("groups", 1)?))
        },
    ),
    row(
        "windows",
        &["x"],
        &[
            attribute("kernel", ""),
            attribute("stride", "1"),
            attribute("padding", "0"),
            attribute("dilation", "1"),
            attribute("spread", "1"),
        ],
        "the pixels of each window (im2col): [n, oh, ow, kh, kw, c]; spread puts zeros between pixels",
        "windows(reshape(iota([9]), [1, 3, 3, 1]), kernel=2)",
        |c| {
            let window = c.window(c.pair("kernel", [1, 1])?, [1, 1], None)?;
            let spread = c.pair("spread", [1, 1])?;
            if c.rank() != 4 || spread == [1, 1] {
                return Ok(c.g.windows(c.x[0], &window));
            }
            Ok(c.g.add_node(Op::Windows { window, spread }, &[c.x[0]]))
        },
    )
    .also(&["im2col"]),
    row(
        "max_pool2d",
        &["x"],
        POOLING,
        "the largest pixel of each window; padding never wins, ties go to the first",
        "max_pool2d(reshape(iota([16]), [1, 4, 4, 1]), kernel=2)",
        |c| Ok(c.g.max_pool2d(c.x[0], &pooling(c, None)?)),
    ),
    row(
        "max_pool2d_gradient",
        &["x", "dy"],
        POOLING,
        "the gradient of max_pool2d in its images, from these and the result's gradient",
        "max_pool2d_gradient(reshape(iota([16]), [1, 4, 4, 1]), full([1, 2, 2, 1], 1))",
        |c| Ok(c.g.add_node(Op::MaxPool2dGradient { window: pooling(c, None)? }, &[c.x[0], c.x[1]])),
    ),
    row(
        "avg_pool2d",
        &["x"],
        POOLING,
        "the mean of each window, padding counted as zeros",
        "avg_pool2d(reshape(iota([16]), [1, 4, 4, 1]), kernel=2)",
        |c| Ok(c.g.avg_pool2d(c.x[0], &pooling(c, None)?)),
    ),
    row(
        "avg_pool2d_gradient",
        &["dy"],
        &[
            attribute("height", ""),
            attribute("width", ""),
            attribute("kernel", "2"),
            attribute("stride", "kernel"),
            attribute("padding", "0"),
        ],
        "the gradient of avg_pool2d in its images of height x width",
        "avg_pool2d_gradient(full([1, 2, 2, 1], 1), height=4, width=4)",
        |c| {
            let [height, width] = image(c)?;
            let window = pooling(c, Some([height, width]))?;
            Ok(c.g.add_node(Op::AvgPool2dGradient { window, height, width }, &[c.x[0]]))
        },
    ),
    row(
        "global_avg_pool2d",
        &["x"],
        &[],
        "the mean of each channel: [n, channels]",
        "global_avg_pool2d(reshape(iota([8]), [1, 2, 2, 2]))",
        |c| Ok(c.g.global_avg_pool2d(c.x[0])),
    ),
];
