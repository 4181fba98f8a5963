//! From which confidence on is a model as precise as wanted? The rest is left to somebody who knows better.
//!
//! The confidence of an example is the probability of its predicted class. A threshold accepts the examples with at least
//! that confidence; their precision is the part of them classified rightly, and coverage is their part of all. The
//! smallest threshold with the wanted precision has the largest coverage. Precision need not rise with the
//! threshold, so that every one is tried: each confidence that occurs, equal ones together.
//!
//! A threshold chosen on a sample is a little flattered by it: choose on one part and judge on another, with
//! [`Rejection::at`].
//!
//! Source: Chow 1970; Geifman and El-Yaniv 2017, whose guarantee is not claimed here.

use super::Sample;
use super::sample::largest;
use serde::{Deserialize, Serialize};

/// What a threshold of confidence does to a sample.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rejection {
    /// Examples of at least this confidence are accepted.
    pub threshold: f64,
    /// Examples that are accepted.
    pub accepted: usize,
    /// Of them, those classified rightly.
    pub right: usize,
    /// All examples.
    pub n: usize,
}

impl Rejection {
    /// What a threshold does to a sample.
    pub fn at(sample: &Sample<'_>, threshold: f64) -> Rejection {
        let mut found = Rejection { threshold, accepted: 0, right: 0, n: sample.len() };
        for (confidence, right) in confidences(sample) {
            found.accepted += usize::from(confidence >= threshold);
            found.right += usize::from(confidence >= threshold && right);
        }
        found
    }

    /// Of the accepted examples, the part classified rightly; none if none is accepted.
    pub fn precision(&self) -> Option<f64> {
        (self.accepted > 0).then(|| self.right as f64 / self.accepted as f64)
    }

    /// The part of the examples that is accepted.
    pub fn coverage(&self) -> f64 {
        self.accepted as f64 / self.n.max(1) as f64
    }
}

/// The smallest threshold at which the accepted examples have at least the precision `wanted`; none if there is none.
///
/// ```
/// use bratt::metrics::{Sample, reject_threshold};
/// let p = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4];
/// let sample = Sample::new(2, &p, &[0, 0, 1, 0])?;
/// let found = reject_threshold(&sample, 0.9).unwrap();
/// assert_eq!((found.threshold, found.coverage()), (0.8, 0.5));
/// # Ok::<(), bratt::metrics::MetricError>(())
/// ```
pub fn reject_threshold(sample: &Sample<'_>, wanted: f64) -> Option<Rejection> {
    let mut examples: Vec<(f64, bool)> = confidences(sample).collect();
    examples.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best) = (0, None);
    for (at, &(threshold, is_right)) in examples.iter().enumerate() {
        right += usize::from(is_right);
        let is_last_of_equals = examples.get(at + 1).is_none_or(|next| next.0 != threshold);
        if is_last_of_equals && right as f64 / (at + 1) as f64 >= wanted {
            best = Some(Rejection { threshold, accepted: at + 1, right, n: examples.len() });
        }
    }
    best
}

fn confidences<'a>(sample: &'a Sample<'_>) -> impl Iterator<Item = (f64, bool)> + 'a {
    sample.rows().map(|(row, label)| {
        let predicted = largest(row);
        (row[predicted], predicted == label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(confidences: &[f64], right: &[bool], wanted: f64) -> Option<(f64, usize, usize)> {
        let p: Vec<f64> = confidences.iter().flat_map(|&p| [p, 1.0 - p]).collect();
        let labels: Vec<u32> = right.iter().map(|&right| u32::from(!right)).collect();
        let sample = Sample::new(2, &p, &labels).unwrap();
        let found = reject_threshold(&sample, wanted)?;
        assert_eq!(Rejection::at(&sample, found.threshold), found);
        Some((found.threshold, found.accepted, found.right))
    }

    #[test]
    fn the_largest_coverage_wins_although_precision_falls_in_between() {
        // Precision by falling confidence: 0, 1/2, 2/3, 3/4, 4/5.
        let right = [false, true, true, true, true];
        assert_eq!(found(&[0.99, 0.9, 0.8, 0.7, 0.6], &right, 0.75), Some((0.6, 5, 4)));
        assert_eq!(found(&[0.99, 0.9, 0.8, 0.7, 0.6], &right, 0.9), None);
    }

    #[test]
    fn equal_confidences_are_accepted_together() {
        assert_eq!(found(&[0.9, 0.8, 0.8], &[true, true, false], 1.0), Some((0.9, 1, 1)));
        assert_eq!(found(&[0.8, 0.8, 0.8], &[true, true, false], 0.6), Some((0.8, 3, 2)));
    }
}
