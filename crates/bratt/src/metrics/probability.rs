//! What the probabilities are worth. With `p[k]` the probability of class k and t the true class:
//!
//! - log loss: the mean of `-ln p[t]`, where a p below `2.2e-16` (the machine's epsilon) counts as that and one above
//!   `1 - 2.2e-16` as that, as in scikit-learn's `log_loss`, so that one certain mistake costs 36 and not infinity;
//! - Brier score (Brier 1950): the mean of `sum_k (p[k] - [k = t])^2`, from 0 to 2; for two classes that is twice the
//!   other usual form. scikit-learn's `brier_score_loss(scale_by_half=False)`;
//! - top-k accuracy: the part of the examples whose true class is among the k most probable ones. Among equals the first
//!   class goes first, so that top-1 is the accuracy; scikit-learn's `top_k_accuracy_score` lets the last go first.

use super::Sample;
use super::confusion::mean;

/// The loss of each example.
pub fn losses<'a>(sample: &'a Sample<'_>) -> impl ExactSizeIterator<Item = f64> + 'a {
    sample.rows().map(|(row, label)| -row[label].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())
}

/// The mean negative log-probability of the true classes, in nats.
pub fn log_loss(sample: &Sample<'_>) -> f64 {
    mean(losses(sample)).unwrap_or(0.0)
}

/// The Brier score of each example.
pub(super) fn briers<'a>(sample: &'a Sample<'_>) -> impl ExactSizeIterator<Item = f64> + 'a {
    sample.rows().map(|(row, label)| {
        row.iter().enumerate().map(|(k, &p)| (p - f64::from(u8::from(k == label))).powi(2)).sum()
    })
}

/// The Brier score, from 0 (certain and right) to 2 (certain and wrong).
pub fn brier(sample: &Sample<'_>) -> f64 {
    mean(briers(sample)).unwrap_or(0.0)
}

/// The part of the examples whose true class is among the `k` most probable ones.
pub fn top_k(sample: &Sample<'_>, k: usize) -> f64 {
    let before = |row: &[f64], label: usize| {
        let ahead = |&(other, &p): &(usize, &f64)| p > row[label] || (p == row[label] && other < label);
        row.iter().enumerate().filter(ahead).count()
    };
    let hits = sample.rows().filter(|&(row, label)| before(row, label) < k).count();
    hits as f64 / sample.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_mistakes_are_costly_but_not_without_limit() {
        let sample = Sample::new(2, &[0.0, 1.0], &[0]).unwrap();
        assert!((log_loss(&sample) - 36.04).abs() < 0.01);
        assert_eq!(brier(&sample), 2.0);
    }

    #[test]
    fn among_equals_the_first_class_goes_first() {
        let sample = Sample::new(3, &[0.4, 0.4, 0.2, 0.4, 0.4, 0.2], &[0, 1]).unwrap();
        assert_eq!([1, 2, 3].map(|k| top_k(&sample, k)), [0.5, 1.0, 1.0]);
    }
}
