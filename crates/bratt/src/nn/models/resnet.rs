//! `resnet18`, `resnet34`, `resnet50`: residual networks for large images.
//!
//! ```text
//! stem      7x7 of stride 2 to 64 channels, 3x3 max pooling of stride 2
//!           (up to 64x64 pixels: 3x3 of stride 1 without pooling, which keeps small images whole)
//! stages    of 64, 128, 256, 512 channels; the first block of each but the first halves the image
//! head      mean over pixels, dense layer to one logit per class
//! ```
//!
//! | name | block | blocks in the stages |
//! |---|---|---|
//! | `resnet18` | 3x3, 3x3 | 2, 2, 2, 2 |
//! | `resnet34` | 3x3, 3x3 | 3, 4, 6, 3 |
//! | `resnet50` | 1x1, 3x3, 1x1 to four times the channels | 3, 4, 6, 3 |
//!
//! Every convolution is followed by batch norm, which starts with gamma = 0 in the last of a block. Where a block
//! changes the shape, its shortcut is a 1x1 convolution with batch norm (option B). In the three-layer block the 3x3
//! convolution has the stride, as in torchvision and unlike the paper, where the first 1x1 has it.
//!
//! Sources: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, table 1; torchvision; Goyal et
//! al. 2017, section 5.1 for gamma = 0.

use super::{start, strided};
use crate::nn::{MaxPool2d, Padding, Residual, Sequential, Shortcut};

/// The layers of one block.
#[derive(Clone, Copy)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1 to fewer channels, 3x3, 1x1 to four times as many.
    Bottleneck,
}

impl Block {
    fn outputs(self, channels: usize) -> usize {
        match self {
            Block::Basic => channels,
            Block::Bottleneck => 4 * channels,
        }
    }

    fn layers(self, f: Sequential, channels: usize, stride: usize) -> Sequential {
        match self {
            Block::Basic => {
                let f = f.layer(strided(channels, 3, stride)).batch_norm().relu();
                f.conv(channels, 3).batch_norm()
            }
            Block::Bottleneck => {
                let f = f.conv(channels, 1).batch_norm().relu();
                let f = f.layer(strided(channels, 3, stride)).batch_norm().relu();
                f.conv(4 * channels, 1).batch_norm()
            }
        }
    }
}

/// Up to this side, images are not reduced by the stem.
const SMALL: usize = 64;

pub(super) fn resnet(name: &str, input: &[usize], classes: usize) -> Option<Sequential> {
    let (block, depths) = match name {
        "resnet18" => (Block::Basic, [2, 2, 2, 2]),
        "resnet34" => (Block::Basic, [3, 4, 6, 3]),
        "resnet50" => (Block::Bottleneck, [3, 4, 6, 3]),
        _ => return None,
    };
    let small = input.iter().take(2).all(|&side| side <= SMALL);
    let mut network = if small {
        start(input).conv(64, 3).batch_norm().relu()
    } else {
        let pool = MaxPool2d { stride: Some(2.into()), padding: Padding::Around(1), ..MaxPool2d::new(3) };
        start(input).layer(strided(64, 7, 2)).batch_norm().relu().layer(pool)
    };
    let mut inputs = 64;
    for (stage, depth) in depths.into_iter().enumerate() {
        let channels = 64 << stage;
        for at in 0..depth {
            let stride = if stage > 0 && at == 0 { 2 } else { 1 };
            let outputs = block.outputs(channels);
            let layers = block.layers(network.continued(), channels, stride).layers;
            let shortcut = if stride == 1 && inputs == outputs {
                Shortcut::Identity
            } else {
                let projection = network.continued().layer(strided(outputs, 1, stride)).batch_norm();
                Shortcut::Layers(projection.layers)
            };
            network = network.layer(Residual { layers, shortcut }.starting_at_zero()).relu();
            inputs = outputs;
        }
    }
    Some(network.global_average_pool().dense(classes))
}
