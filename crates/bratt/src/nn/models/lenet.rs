//! LeNet-5: two convolutions, two poolings, three dense layers.
//!
//! As it is built today: ReLU and max pooling in place of tanh and subsampling, all maps of the second convolution
//! connected, and one logit per class. The paper's 32x32 pixels are 28x28 with padding "same"; where the second
//! convolution would see less than twice its window, its padding is "same", too.
//!
//! Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998.

use super::start;
use crate::nn::{Conv2d, Padding, Sequential};

pub(super) fn lenet(input: &[usize], classes: usize) -> Sequential {
    let small = input.iter().take(2).any(|&extent| extent < 20);
    let padding = if small { Padding::Same } else { Padding::Valid };
    let second = Conv2d { padding, ..Conv2d::new(16, 5) };
    let features = start(input).conv(6, 5).relu().max_pool(2).layer(second).relu().max_pool(2);
    features.dense(120).relu().dense(84).relu().dense(classes)
}
