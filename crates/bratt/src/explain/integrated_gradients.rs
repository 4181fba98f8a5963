//! Integrated gradients: what each pixel adds to the score, counted from a baseline.
//!
//! From a baseline b, an image that says nothing, to the image x there is a straight line; along it the gradients are
//! added up:
//!
//! `A[i] = (x[i] - b[i]) ∫ from 0 to 1 of dF/dx[i] at b + t (x - b) dt`.
//!
//! By the fundamental theorem of calculus the attributions are complete: `sum over i of A[i] = F(x) - F(b)`. The integral
//! is taken by the midpoint rule with m steps, at `t = (j + 1/2) / m`, whose error falls with 1/m² where F is smooth and with
//! 1/m at the kinks of rectifiers; what is left of it is the [`Completeness`]' gap. The map has, for each pixel, the sum over its channels,
//! with its sign: below zero is against the class.
//!
//! A pixel that equals the baseline gets nothing, so with a black baseline black strokes do not count; the mean image is
//! the other choice.
//!
//! Source: Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, 2017 (arXiv 1703.01365), sections 3 to 5.

use super::{ExplainError, Explainer, Heatmap};

/// The image that attributions are counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Baseline {
    /// All zeros.
    #[default]
    Black,
    /// The mean of the training images, as preprocessing has learned it.
    Mean,
}

/// Settings of integrated gradients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntegratedGradients {
    /// The number m of steps from the baseline to the image. Default 64.
    pub steps: usize,
    /// Where the path begins. Default black.
    pub baseline: Baseline,
}

impl Default for IntegratedGradients {
    fn default() -> IntegratedGradients {
        IntegratedGradients { steps: 64, baseline: Baseline::Black }
    }
}

/// How well the attributions add up.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Completeness {
    /// F(x), the score of the image.
    pub score: f64,
    /// F(b), the score of the baseline.
    pub baseline: f64,
    /// The sum of all attributions, which should be the difference of the two.
    pub sum: f64,
}

impl Completeness {
    /// A gap of more than this is worth a word: the paper wants a few percent.
    pub const TOLERANCE: f64 = 0.05;

    /// How far the sum is from `F(x) - F(b)`, as a part of it; 0 where both are 0.
    pub fn gap(&self) -> f64 {
        let whole = self.score - self.baseline;
        let gap = (self.sum - whole).abs();
        if gap == 0.0 { 0.0 } else { gap / whole.abs() }
    }

    /// Whether the gap is at most [`Completeness::TOLERANCE`].
    pub fn holds(&self) -> bool {
        self.gap() <= Self::TOLERANCE
    }
}

impl IntegratedGradients {
    pub(super) fn check(&self) -> Result<(), ExplainError> {
        match self.steps {
            0 => Err(ExplainError::Setting { name: "steps", found: "0".into(), expected: "at least 1" }),
            _ => Ok(()),
        }
    }

    /// The map of one image.
    pub(super) fn map(
        &self,
        explainer: &mut Explainer,
        image: &[f32],
        class: usize,
    ) -> Result<(Heatmap, Completeness), ExplainError> {
        let from = match self.baseline {
            Baseline::Black => vec![0.0; image.len()],
            Baseline::Mean => explainer.mean.clone().ok_or(ExplainError::NoMean)?,
        };
        let m = self.steps;
        // After the steps of the path, its two ends.
        let place = |j: usize| match j.checked_sub(m) {
            None => (j as f64 + 0.5) / m as f64,
            Some(end) => end as f64,
        };
        let on_path = |j: usize, x: &mut [f32]| {
            let t = place(j);
            for ((x, &to), &from) in x.iter_mut().zip(image).zip(&from) {
                *x = (f64::from(from) * (1.0 - t) + f64::from(to) * t) as f32;
            }
        };
        let mut sum = vec![0.0; image.len()];
        let mut ends = [0.0; 2];
        explainer.gradients(class, m + 2, on_path, |j, score, dx| match j.checked_sub(m) {
            None => sum.iter_mut().zip(dx).for_each(|(sum, &dx)| *sum += f64::from(dx)),
            Some(end) => ends[end] = f64::from(score),
        });
        let [height, width, channels] = explainer.shape;
        let mut values = vec![0.0; height * width];
        for (at, ((sum, &to), &from)) in sum.iter().zip(image).zip(&from).enumerate() {
            values[at / channels] += (f64::from(to) - f64::from(from)) * sum / m as f64;
        }
        let completeness = Completeness { score: ends[1], baseline: ends[0], sum: values.iter().sum() };
        let values = values.iter().map(|&value| value as f32).collect();
        Ok((Heatmap::new(height, width, values, true), completeness))
    }
}
