//! Max and average pooling of images.
//!
//! x `[n, h, w, c]`, y `[n, oh, ow, c]`; each channel by itself.
//!
//! - max: y = the largest pixel of the window; the gradient goes to the first of the largest, row by row. Padding never
//!   wins.
//! - average: y = the mean of the window; the gradient is shared by its pixels. Padding counts as zeros.
//!
//! The rules stand in [`crate::graph::ops::pool`].
//!
//! Source: lecture on convolutional networks.

use super::window::{Padding, Pair, image};
use crate::graph::ops::pool::pool_shape;
use crate::graph::{GraphBuilder, Value, Window};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

fn valid() -> Padding {
    Padding::Valid
}

macro_rules! pools {
    ($($(#[$doc:meta])* $name:ident $method:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The window's pixels.
            pub kernel: Pair,
            /// The distance between windows. Default: the kernel, so that windows lie side by side.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub stride: Option<Pair>,
            /// Padding. Default "valid": what is left over at the end is not seen.
            #[serde(default = "valid")]
            pub padding: Padding,
        }

        impl $name {
            /// Windows side by side, without padding.
            pub fn new(kernel: impl Into<Pair>) -> $name {
                $name { kernel: kernel.into(), stride: None, padding: valid() }
            }

            fn window(&self, height: usize, width: usize) -> Window {
                let window = Window::new(self.kernel.get()).stride(self.stride.unwrap_or(self.kernel).get());
                self.padding.around(window, height, width)
            }

            pub(crate) fn build(&self, g: &GraphBuilder, x: Value) -> Value {
                let Ok([_, h, w, _]) = <[usize; 4]>::try_from(&g.shape(x)[..]) else { return x };
                g.$method(x, &self.window(h, w))
            }

            pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
                let [h, w, channels] = image(input)?;
                let y = pool_shape(&[1, h, w, channels].into(), &self.window(h, w))?;
                Ok(y[1..].into())
            }

            /// One line for people.
            pub(super) fn describe(&self) -> String {
                let stride = self.stride.filter(|stride| stride.get() != self.kernel.get());
                let stride = stride.map_or(String::new(), |stride| format!(" / {}", stride.text()));
                format!("{} {}{stride}", stringify!($method), self.kernel.text())
            }
        }
    )*};
}

pools! {
    /// Max pooling over windows.
    MaxPool2d max_pool2d
    /// Average pooling over windows.
    AvgPool2d avg_pool2d
}
