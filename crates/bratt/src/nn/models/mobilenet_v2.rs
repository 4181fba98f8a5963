//! `mobilenet-v2`: inverted residual blocks (see `inverted`) for little arithmetic.
//!
//! A 3x3 convolution of stride 2 to 32 channels; the stages below; a 1x1 convolution to 1280 channels; mean over
//! pixels, dropout 0.2, dense layer to one logit per class. 3.5 million parameters and 300 million multiply-adds for
//! 1000 classes at 224x224.
//!
//! Source: Sandler, Howard, Zhu, Zhmoginov and Chen, MobileNetV2, 2018, table 2; torchvision.

use super::inverted::{Stage, Strides, Style};
use super::start;
use crate::nn::Sequential;

/// Expansion, channels, blocks, stride, as in the paper's table.
const STAGES: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];

/// As torchvision's.
const STYLE: Style = Style { same: false, epsilon: 1e-5 };

pub(super) fn mobilenet_v2(input: &[usize], classes: usize) -> Sequential {
    let mut strides = Strides::of(input, 5);
    let mut inputs = 32;
    let mut network = STYLE.conv(start(input), inputs, 3, strides.next(2));
    for [expand, channels, blocks, stride] in STAGES {
        let row = Stage { expand, kernel: 3, channels, blocks, stride };
        network = STYLE.stage(network, inputs, &row, &mut strides);
        inputs = channels;
    }
    STYLE.conv(network, 1280, 1, 1).global_average_pool().dropout(0.2).dense(classes)
}
