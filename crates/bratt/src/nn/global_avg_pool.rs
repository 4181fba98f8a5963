//! Global average pooling: `[n, h, w, c]` to `[n, c]`, the mean of each channel over all pixels.
//!
//! It has no weights and takes images of any size, which is why it has replaced the large dense layer after the last
//! convolution. The gradient is dy / (h w) for every pixel.
//!
//! Source: Lin, Chen and Yan, Network in Network, 2014.

use super::window::image;
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// The mean of each channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl GlobalAvgPool {
    pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
        g.global_avg_pool2d(x)
    }

    pub(crate) fn output_shape(self, input: &Shape) -> Result<Shape, String> {
        image(input).map(|[_, _, channels]| [channels].into())
    }
}
