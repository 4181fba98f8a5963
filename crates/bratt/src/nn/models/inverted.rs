//! The inverted residual block, of which MobileNetV2 and EfficientNet-Lite are made.
//!
//! ```text
//! 1x1 to e times the channels, batch norm, ReLU6      (left out for e = 1)
//! k x k depthwise of stride s, batch norm, ReLU6
//! 1x1 to the block's channels, batch norm             (no activation: it would lose what few channels hold)
//! ```
//!
//! With stride 1 and as many channels after as before, the input is added. Most of the channels live only inside of
//! the block, where the depthwise convolution makes them cheap.
//!
//! Images that are too small for all halvings keep their size where the first of them would be, so that at least 4
//! pixels a side reach the last layers.
//!
//! Source: Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018, section 3.

use crate::nn::{BatchNorm, Conv2d, Padding, Sequential, Shortcut};

/// Blocks of one kind: their expansion e, kernel k, channels, number, and the stride of the first.
pub(super) struct Stage {
    pub(super) expand: usize,
    pub(super) kernel: usize,
    pub(super) channels: usize,
    pub(super) blocks: usize,
    pub(super) stride: usize,
}

/// Strides of 2, the first of which are left out where images are small.
pub(super) struct Strides {
    left_out: usize,
}

impl Strides {
    /// For `halvings` strides of 2 in all.
    pub(super) fn of(input: &[usize], halvings: usize) -> Strides {
        let side = input.iter().take(2).copied().min().unwrap_or(1);
        let kept = (0..=halvings).rev().find(|&n| side.div_ceil(1 << n) >= 4).unwrap_or(0);
        Strides { left_out: halvings - kept }
    }

    /// The stride to take where the network for large images has `stride`.
    pub(super) fn next(&mut self, stride: usize) -> usize {
        if stride > 1 && self.left_out > 0 {
            self.left_out -= 1;
            1
        } else {
            stride
        }
    }
}

/// What the networks of these blocks do not have in common.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// TensorFlow's padding "same", which for a stride of 2 has its odd pixel at the end; else PyTorch's, with as many
    /// pixels on each side.
    pub(super) same: bool,
    /// Batch norm's epsilon.
    pub(super) epsilon: f64,
}

impl Style {
    /// Adds a convolution, batch norm and ReLU6.
    pub(super) fn conv(
        self,
        network: Sequential,
        channels: usize,
        kernel: usize,
        stride: usize,
    ) -> Sequential {
        let conv = Conv2d { stride: stride.into(), ..self.padded(channels, kernel) };
        self.normalised(network.layer(conv)).relu6()
    }

    fn normalised(self, network: Sequential) -> Sequential {
        network.layer(BatchNorm { epsilon: self.epsilon, ..BatchNorm::default() })
    }

    fn padded(self, channels: usize, kernel: usize) -> Conv2d {
        let padding = if self.same { Padding::Same } else { Padding::Around(kernel / 2) };
        Conv2d { padding, ..Conv2d::new(channels, kernel) }
    }

    /// Adds the blocks of a stage to a network whose last layer has `inputs` channels.
    pub(super) fn stage(
        self,
        mut network: Sequential,
        mut inputs: usize,
        stage: &Stage,
        strides: &mut Strides,
    ) -> Sequential {
        for block in 0..stage.blocks {
            let stride = if block == 0 { strides.next(stage.stride) } else { 1 };
            let layers = |f: Sequential| {
                let inner = inputs * stage.expand;
                let f = if stage.expand == 1 { f } else { self.conv(f, inner, 1, 1) };
                let depthwise =
                    Conv2d { groups: inner, stride: stride.into(), ..self.padded(inner, stage.kernel) };
                let f = self.normalised(f.layer(depthwise)).relu6();
                self.normalised(f.conv(stage.channels, 1))
            };
            // What halves where images are large is not a residual block where they are small, either.
            network = if inputs == stage.channels && (block > 0 || stage.stride == 1) {
                network.residual(Shortcut::Identity, layers)
            } else {
                layers(network)
            };
            inputs = stage.channels;
        }
        network
    }
}
