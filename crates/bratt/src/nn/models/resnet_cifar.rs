//! `resnet20`, `resnet32`, `resnet44`, `resnet56`: residual networks for images of about 32x32.
//!
//! ```text
//! 3x3 to 16 channels
//! n blocks of 16 channels, n of 32, n of 64: two 3x3 convolutions each; the first of a stage halves the image
//! mean over pixels, dense layer to one logit per class
//! ```
//!
//! There are 6 n + 2 layers with weights: n = 3, 5, 7, 9. Every convolution is followed by batch norm; ReLU follows the
//! first of a block and the sum. Shortcuts have no parameters: where a block halves the image, every second pixel is
//! taken and zeros stand for the new channels (option A). The padding is one pixel on each side, so that a convolution
//! of stride 2 is centred on the pixels that the shortcut takes.
//!
//! Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, section 4.2.

use super::{start, strided};
use crate::nn::{Sequential, Shortcut};

/// The names and the number n of blocks in a stage.
pub(super) const DEPTHS: [(&str, usize); 4] =
    [("resnet20", 3), ("resnet32", 5), ("resnet44", 7), ("resnet56", 9)];

pub(super) fn resnet_cifar(blocks: usize, input: &[usize], classes: usize) -> Sequential {
    let mut network = start(input).conv(16, 3).batch_norm().relu();
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let halves = stage > 0 && block == 0;
            let (stride, shortcut) = if halves { (2, Shortcut::Subsample) } else { (1, Shortcut::Identity) };
            network = network
                .residual(shortcut, |f| {
                    f.layer(strided(channels, 3, stride)).batch_norm().relu().conv(channels, 3).batch_norm()
                })
                .relu();
        }
    }
    network.global_average_pool().dense(classes)
}
