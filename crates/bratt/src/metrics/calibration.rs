//! Is a model right as often as it says?
//!
//! The confidence of an example is the probability of its predicted class. With the examples in 15 bins of equal width
//! by confidence, bin m of 15 being `((m - 1) / 15, m / 15]`, and in each the mean confidence and the accuracy:
//!
//! - reliability diagram: accuracy over confidence, on the diagonal for a calibrated model;
//! - expected calibration error (ECE): `sum over bins of n_bin / n |accuracy - confidence|`. It is biased upwards in small
//!   samples, where bins hold few examples.
//!
//! Source: Naeini et al. 2015; Guo et al. 2017, section 2. scikit-learn has no such measure.

use super::Sample;
use super::sample::largest;
use serde::{Deserialize, Serialize};

/// Bins of a reliability diagram.
pub const BINS: usize = 15;

/// The examples of one interval of confidence.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bin {
    /// Where the interval begins; that itself belongs to the bin before.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// Number of examples.
    pub n: usize,
    /// Their mean confidence; none without examples.
    pub confidence: Option<f64>,
    /// The part of them classified rightly; none without examples.
    pub accuracy: Option<f64>,
}

/// The bins of the reliability diagram, [`BINS`] of them.
pub fn reliability(sample: &Sample<'_>) -> Vec<Bin> {
    let mut sums = [Sum::default(); BINS];
    placed(sample).for_each(|example| sums[example.bin].add(example, 1));
    let bin = |(m, sum): (usize, &Sum)| {
        let share = |part: f64| (sum.n > 0).then(|| part / sum.n as f64);
        Bin {
            low: m as f64 / BINS as f64,
            high: (m + 1) as f64 / BINS as f64,
            n: sum.n as usize,
            confidence: share(sum.confidence),
            accuracy: share(sum.right as f64),
        }
    };
    sums.iter().enumerate().map(bin).collect()
}

/// The expected calibration error, from 0 to 1.
pub fn calibration_error(sample: &Sample<'_>) -> f64 {
    error(placed(sample), |_| 1)
}

/// An example as a reliability diagram has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    bin: usize,
    confidence: f64,
    right: bool,
}

/// The examples of a sample, each with its bin.
pub(super) fn placed<'a>(sample: &'a Sample<'_>) -> impl Iterator<Item = Placed> + 'a {
    sample.rows().map(|(row, label)| {
        let predicted = largest(row);
        let confidence = row[predicted];
        let bin = (confidence * BINS as f64).ceil() as usize;
        Placed { bin: bin.clamp(1, BINS) - 1, confidence, right: predicted == label }
    })
}

#[derive(Clone, Copy, Default)]
struct Sum {
    n: u64,
    right: u64,
    confidence: f64,
}

impl Sum {
    fn add(&mut self, example: Placed, times: u32) {
        self.n += u64::from(times);
        self.right += u64::from(times) * u64::from(example.right);
        self.confidence += f64::from(times) * example.confidence;
    }
}

/// The expected calibration error of examples of which each counts so many times.
pub(super) fn error(examples: impl Iterator<Item = Placed>, times: impl Fn(usize) -> u32) -> f64 {
    let mut sums = [Sum::default(); BINS];
    examples.enumerate().for_each(|(at, example)| sums[example.bin].add(example, times(at)));
    let n: u64 = sums.iter().map(|sum| sum.n).sum();
    sums.iter().map(|sum| (sum.right as f64 - sum.confidence).abs()).sum::<f64>() / n.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_open_below_and_closed_above() {
        // 0.6 and 0.8 end the bins 9 and 12; two of three in the last are right.
        let p = [0.6, 0.8, 0.95, 0.96, 0.97].map(|p| [p, 1.0 - p]).concat();
        let sample = Sample::new(2, &p, &[0, 1, 0, 0, 1]).unwrap();
        let bins = reliability(&sample);
        let full: Vec<(usize, usize)> =
            bins.iter().enumerate().filter(|(_, bin)| bin.n > 0).map(|(m, bin)| (m, bin.n)).collect();
        assert_eq!(full, [(8, 1), (11, 1), (14, 3)]);
        assert_eq!((bins[8].accuracy, bins[8].confidence, bins[0].accuracy), (Some(1.0), Some(0.6), None));
        let by_hand = (0.4 + 0.8 + (2.0f64 - 2.88).abs()) / 5.0;
        assert!((calibration_error(&sample) - by_hand).abs() < 1e-12);
    }
}
