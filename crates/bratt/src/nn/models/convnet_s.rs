//! `convnet-s`: a small network for images of any size, made to be trained on a CPU.
//!
//! ```text
//! reduce   while the shorter side is above 48: 3x3 convolution of stride 2 to 16, 24, 32, ... channels
//! look     3x3 to 16 channels (32 where images were reduced), 3x3 to 32, halve
//!          3x3 to 64, 3x3 to 64, halve
//!          3x3 to 128, 3x3 to 128
//! decide   mean over pixels, dropout 0.2, dense layer to one logit per class
//! ```
//!
//! Every convolution is followed by batch norm and ReLU; halving is 2x2 max pooling, and stops at images of less than 4
//! pixels a side. Most of the arithmetic is done on images of at most 48x48, whatever the input's size, so an example
//! costs about 25 million multiply-adds at 28x28 and 58 million at 224x224. The mean over pixels keeps the number of
//! parameters small and nearly the same for all sizes: 0.28 million, 0.31 with reduction.
//!
//! Sources: Simonyan and Zisserman 2015 for pairs of 3x3 convolutions; Ioffe and Szegedy 2015; Lin, Chen and Yan 2014
//! for the mean over pixels.

use super::start;
use crate::nn::{Conv2d, Sequential};

/// Above this side, images are reduced before the stages.
const LARGEST: usize = 48;

pub(super) fn convnet_s(input: &[usize], classes: usize) -> Sequential {
    let mut side = input.iter().take(2).copied().min().unwrap_or(1);
    let mut network = start(input);
    let mut channels = 16;
    let reduced = side > LARGEST;
    while side > LARGEST {
        network = network.layer(Conv2d { stride: 2.into(), ..Conv2d::new(channels, 3) }).batch_norm().relu();
        side = side.div_ceil(2);
        channels += 8;
    }
    let first = if reduced { 32 } else { 16 };
    for (stage, widths) in [[first, 32], [64, 64], [128, 128]].into_iter().enumerate() {
        if stage > 0 && side >= 4 {
            network = network.max_pool(2);
            side /= 2;
        }
        for width in widths {
            network = network.conv(width, 3).batch_norm().relu();
        }
    }
    network.global_average_pool().dropout(0.2).dense(classes)
}
