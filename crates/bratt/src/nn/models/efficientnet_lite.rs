//! `efficientnet-lite0`: the smallest EfficientNet without what is slow on small machines.
//!
//! EfficientNet-B0 with ReLU6 in place of swish and without squeeze-and-excitation; inverted residual blocks as in
//! `inverted`. A 3x3 convolution of stride 2 to 32 channels; the stages below; a 1x1 convolution to 1280 channels; mean
//! over pixels, dropout 0.2, dense layer to one logit per class. 4.65 million parameters and 385 million multiply-adds
//! for 1000 classes at 224x224.
//!
//! Sources: Tan and Le, EfficientNet, 2019, table 1; the repository tensorflow/tpu, `efficientnet/lite`.

use super::inverted::{Stage, Strides, Style};
use super::start;
use crate::nn::Sequential;

/// Expansion, kernel, channels, blocks, stride.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 16, 1, 1],
    [6, 3, 24, 2, 2],
    [6, 5, 40, 2, 2],
    [6, 3, 80, 3, 2],
    [6, 5, 112, 3, 1],
    [6, 5, 192, 4, 2],
    [6, 3, 320, 1, 1],
];

/// As TensorFlow's, so that published weights fit.
const STYLE: Style = Style { same: true, epsilon: 1e-3 };

pub(super) fn efficientnet_lite0(input: &[usize], classes: usize) -> Sequential {
    let mut strides = Strides::of(input, 5);
    let mut inputs = 32;
    let mut network = STYLE.conv(start(input), inputs, 3, strides.next(2));
    for [expand, kernel, channels, blocks, stride] in STAGES {
        let row = Stage { expand, kernel, channels, blocks, stride };
        network = STYLE.stage(network, inputs, &row, &mut strides);
        inputs = channels;
    }
    STYLE.conv(network, 1280, 1, 1).global_average_pool().dropout(0.2).dense(classes)
}
