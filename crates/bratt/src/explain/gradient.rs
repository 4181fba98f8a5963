//! The gradient of the score.
//!
//! For an image x `[h, w, channels]` and the score F of a class, the map is
//!
//! `M[p] = max over channels c of |dF/dx[p, c]|`:
//!
//! the score is, near x, about `F(x) + dF/dx (x' - x)`, so the size of the derivative says how much a small change of a
//! pixel changes the score. It says nothing of how much of the score the pixel makes: a unit that is saturated has no
//! gradient, however much it counts.
//!
//! Source: Simonyan, Vedaldi and Zisserman, Deep inside convolutional networks, 2014 (arXiv 1312.6034), section 3.1.

use super::{Explainer, Heatmap};

/// The map of one image.
pub(super) fn map(explainer: &mut Explainer, image: &[f32], class: usize) -> Heatmap {
    let mut gradient = Vec::new();
    let point = |_: usize, x: &mut [f32]| x.copy_from_slice(image);
    explainer.gradients(class, 1, point, |_, _, dx| gradient = dx.to_vec());
    largest(explainer, gradient.into_iter())
}

/// The largest size over the channels of each pixel.
pub(super) fn largest(explainer: &Explainer, gradient: impl Iterator<Item = f32>) -> Heatmap {
    let [height, width, channels] = explainer.shape;
    let mut values = vec![0f32; height * width];
    for (at, dx) in gradient.enumerate() {
        if let Some(value) = values.get_mut(at / channels) {
            *value = value.max(dx.abs());
        }
    }
    Heatmap::new(height, width, values, false)
}
