//! SmoothGrad: the gradient, smoothed by noise.
//!
//! Gradients of networks of rectifiers jump from one linear piece to the next, which makes their maps look like noise.
//! The mean over n copies of the image x, each with normal noise e of its own, is the gradient of F blurred by that noise:
//!
//! `M[p] = max over channels c of |1/n sum over i of dF/dx[p, c] at x + e_i|`, `e_i ~ N(0, s^2)`.
//!
//! s is given as a part of the image's own range, from its darkest to its lightest value; the paper finds 10 to 20 % good.
//! Copy i's noise comes from the stream (seed, i), so that it depends on nothing else.
//!
//! Source: Smilkov, Thorat, Kim, Viégas and Wattenberg, SmoothGrad: removing noise by adding noise, 2017
//! (arXiv 1706.03825), sections 2 and 3.2.

use super::{ExplainError, Explainer, Heatmap, gradient};
use crate::random::{Purpose, Stream};

/// Settings of SmoothGrad.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SmoothGrad {
    /// The number n of noisy copies. Default 50.
    pub samples: usize,
    /// The noise's standard deviation as a part of the image's range. Default 0.15.
    pub noise: f64,
    /// Decides the noise. Default 0.
    pub seed: u64,
}

impl Default for SmoothGrad {
    fn default() -> SmoothGrad {
        SmoothGrad { samples: 50, noise: 0.15, seed: 0 }
    }
}

impl SmoothGrad {
    pub(super) fn check(&self) -> Result<(), ExplainError> {
        let fault = |name, found, expected| Err(ExplainError::Setting { name, found, expected });
        match self {
            SmoothGrad { samples: 0, .. } => fault("samples", "0".into(), "at least 1"),
            SmoothGrad { noise, .. } if !(0.0..=10.0).contains(noise) => {
                fault("noise", noise.to_string(), "a part of the image's range, such as 0.15")
            }
            _ => Ok(()),
        }
    }

    /// The map of one image.
    pub(super) fn map(&self, explainer: &mut Explainer, image: &[f32], class: usize) -> Heatmap {
        let (low, high) = image.iter().fold((f32::MAX, f32::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        let deviation = self.noise * f64::from(high - low);
        let noisy = |copy: usize, x: &mut [f32]| {
            let mut stream = Stream::new(self.seed, Purpose::Explain, copy as u64);
            for (x, &pixel) in x.iter_mut().zip(image) {
                *x = (f64::from(pixel) + deviation * stream.normal()) as f32;
            }
        };
        let mut sum = vec![0.0; image.len()];
        explainer.gradients(class, self.samples, noisy, |_, _, dx| {
            sum.iter_mut().zip(dx).for_each(|(sum, &dx)| *sum += f64::from(dx));
        });
        gradient::largest(explainer, sum.iter().map(|sum| (sum / self.samples as f64) as f32))
    }
}
