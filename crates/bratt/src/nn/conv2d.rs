//! Convolution of images.
//!
//! `y[o, c] = sum over taps t and inputs i of x[P(o, t), i] W[t, i, c] + b[c]`, x `[n, h, w, ci]`,
//! W `[kh, kw, ci / groups, co]`, b `[co]`, y `[n, oh, ow, co]`; which pixels P(o, t) a window sees, and the gradients,
//! stand in [`crate::graph::ops::convolve`]. An output sees only the channels of its group; `groups` = ci is a
//! depthwise convolution.
//!
//! A unit has `kh kw ci / groups` inputs and `kh kw co / groups` outputs: the fans that initialisation goes by. Weight
//! decay applies to W, not to b, which is left out in front of batch norm unless told.
//!
//! Sources: LeCun et al. 1998; lecture on convolutional networks.

use super::dense::positive;
use super::window::{Padding, Pair, image};
use super::{Initializer, Parameters};
use crate::graph::{GraphBuilder, Init, Value, Window};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// A convolution. Slots: `weight` `[kh, kw, ci / groups, channels]`, `bias` `[channels]`.
///
/// ```
/// use bratt::nn::{Conv2d, Layer};
/// let layer: Layer = serde_json::from_str(r#"{"type": "conv2d", "channels": 16, "kernel": [3, 5], "stride": 2}"#)?;
/// let expected = Conv2d { stride: 2.into(), ..Conv2d::new(16, [3, 5]) };
/// assert_eq!(layer, expected.into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// The number of output channels.
    pub channels: usize,
    /// The window's pixels.
    pub kernel: Pair,
    /// The distance between windows. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub stride: Pair,
    /// Padding with zeros. Default "same".
    #[serde(default = "same")]
    pub padding: Padding,
    /// The distance between the pixels of a window. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dilation: Pair,
    /// Into how many parts, which do not see each other, channels are cut. Default 1.
    #[serde(default = "single", skip_serializing_if = "is_single")]
    pub groups: usize,
    /// How the weights start. Default: He normal in front of batch norm, ReLU, leaky ReLU or ELU; else Xavier uniform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Initializer>,
    /// Whether a bias is added; it starts at 0. Default: yes, unless batch norm follows directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<bool>,
}

fn one() -> Pair {
    Pair::Both(1)
}

fn is_one(pair: &Pair) -> bool {
    pair.get() == [1, 1]
}

fn same() -> Padding {
    Padding::Same
}

fn single() -> usize {
    1
}

fn is_single(groups: &usize) -> bool {
    *groups == 1
}

impl Conv2d {
    /// A convolution to `channels` with defaults elsewhere.
    pub fn new(channels: usize, kernel: impl Into<Pair>) -> Conv2d {
        Conv2d {
            channels,
            kernel: kernel.into(),
            stride: one(),
            padding: same(),
            dilation: one(),
            groups: 1,
            init: None,
            bias: None,
        }
    }

    fn window(&self, height: usize, width: usize) -> Window {
        let window = Window::new(self.kernel.get()).stride(self.stride.get()).dilation(self.dilation.get());
        self.padding.around(window, height, width)
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value, parameters: &mut Parameters<'_>) -> Value {
        let Ok([_, h, w, inputs]) = <[usize; 4]>::try_from(&g.shape(x)[..]) else { return x };
        let ([kh, kw], groups) = (self.kernel.get(), self.groups.max(1));
        let init = self.init.unwrap_or(Initializer::XavierUniform);
        let init = init.init(kh * kw * inputs / groups, kh * kw * self.channels / groups);
        let weight = parameters.declare(g, "weight", [kh, kw, inputs / groups, self.channels], init, true);
        let y = g.conv2d(x, weight, &self.window(h, w), groups);
        if self.bias.unwrap_or(true) {
            g.add(y, parameters.declare(g, "bias", [self.channels], Init::Constant(0.0), false))
        } else {
            y
        }
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let [h, w, inputs] = image(input)?;
        positive("channels", self.channels)?;
        positive("groups", self.groups)?;
        for (name, channels) in [("input", inputs), ("output", self.channels)] {
            if !channels.is_multiple_of(self.groups) {
                let groups = self.groups;
                return Err(format!(
                    "found {channels} {name} channels, expected a multiple of {groups} groups"
                ));
            }
        }
        let [oh, ow] = self.window(h, w).outputs(h, w)?;
        self.init.and_then(Initializer::problem).map_or(Ok([oh, ow, self.channels].into()), Err)
    }

    /// One line for people.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("conv2d {}, {}", self.channels, self.kernel.text());
        if !is_one(&self.stride) {
            text += &format!(" / {}", self.stride.text());
        }
        if !is_one(&self.dilation) {
            text += &format!(" dilation {}", self.dilation.text());
        }
        if self.groups != 1 {
            text += &format!(" in {} groups", self.groups);
        }
        text
    }
}
