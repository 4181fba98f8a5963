//! Examples whose label is likely wrong, from probabilities of a model that has not learned from them.
//!
//! With `p[k]` the probability of class k for an example labelled y:
//!
//! - threshold of class k: the mean `p[k]` of the examples labelled k, that is how sure the model usually is of that class;
//! - an example counts as confidently of class j where `p[j]` reaches the threshold of j, of several such classes the most
//!   probable one. `C[y][j]` counts these: the confident joint, whose cells off the diagonal are likely label errors;
//! - the ranking is by the margin `p[y] - max over k != y of p[k]`, from -1 (certainly another class) to 1, the most
//!   suspicious first; among equals the one with the smaller `p[y]`, then the earlier one.
//!
//! A class without an example has no threshold and counts for nothing. The thresholds make up for classes of which the model
//! is generally less sure; the ranking covers all examples, so that a person may look from the top as far as it is
//! worth while.
//!
//! Source: Northcutt, Jiang, Chuang, "Confident Learning", JAIR 2021, sections 3.1 and 3.2 (normalised margin).

use super::Sample;
use super::sample::largest;
use serde::{Deserialize, Serialize};

/// Probabilities closer to a threshold reach it.
const ROUNDING: f64 = 1e-12;

/// An example with its suspicion.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Suspect {
    /// The example, its place in the sample.
    pub example: usize,
    /// Its label.
    pub label: usize,
    /// The most probable other class.
    pub suggested: usize,
    /// The probability of its label.
    pub label_probability: f64,
    /// The probability of the suggested class.
    pub suggested_probability: f64,
    /// Whether it counts as confidently of another class than its label.
    pub likely: bool,
}

impl Suspect {
    /// By how much the label is more probable than the best other class, from -1 to 1.
    pub fn margin(&self) -> f64 {
        self.label_probability - self.suggested_probability
    }
}

/// What a sample says about its labels.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelErrors {
    /// The confidence from which on an example counts as of a class; none for classes without examples.
    pub thresholds: Vec<Option<f64>>,
    /// Examples by label (row) and the class that they are confidently of (column).
    pub joint: Vec<Vec<usize>>,
    /// All examples, the most suspicious first.
    pub ranking: Vec<Suspect>,
}

impl LabelErrors {
    /// The examples that are confidently of another class than their label: an estimate of the number of label errors.
    pub fn likely(&self) -> usize {
        self.ranking.iter().filter(|suspect| suspect.likely).count()
    }
}

/// Ranks the examples by how likely their label is wrong. The probabilities should be of a model that was not trained on
/// these examples; one that was has learned the wrong labels too. Of a single class nothing can be said, and the
/// ranking is empty.
///
/// ```
/// use bratt::metrics::{Sample, label_errors};
/// let p = [0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.8, 0.05, 0.95];
/// let found = label_errors(&Sample::new(2, &p, &[0, 0, 1, 1, 0])?);
/// assert_eq!((found.ranking[0].example, found.ranking[0].suggested, found.likely()), (4, 1, 1));
/// # Ok::<(), bratt::metrics::MetricError>(())
/// ```
pub fn label_errors(sample: &Sample<'_>) -> LabelErrors {
    let classes = sample.classes();
    let mut sums = vec![0.0; classes];
    sample.rows().for_each(|(row, label)| sums[label] += row[label]);
    let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
    let thresholds: Vec<Option<f64>> = sums.into_iter().zip(sample.class_counts()).map(mean).collect();
    let mut joint = vec![vec![0; classes]; classes];
    let mut ranking = Vec::new();
    for (example, (row, label)) in sample.rows().enumerate() {
        // A mean's last digits depend on the order of its terms, and must not decide.
        let reached = |k: &usize| thresholds[*k].is_some_and(|threshold| row[*k] >= threshold - ROUNDING);
        let more_probable = |a, b| if row[b] > row[a] { b } else { a }; // of equals the first
        let confident = (0..classes).filter(reached).reduce(more_probable);
        if let Some(class) = confident {
            joint[label][class] += 1;
        }
        let other = (0..classes).filter(|&k| k != label).reduce(more_probable);
        if let Some(suggested) = other {
            ranking.push(Suspect {
                example,
                label,
                suggested,
                label_probability: row[label],
                suggested_probability: row[suggested],
                likely: confident.is_some_and(|class| class != label),
            });
        }
    }
    ranking.sort_by(|a, b| {
        let by_margin = a.margin().total_cmp(&b.margin());
        by_margin.then(a.label_probability.total_cmp(&b.label_probability))
    });
    LabelErrors { thresholds, joint, ranking }
}

/// The examples that are classified wrongly, as (example, predicted class, loss), those of the largest loss first.
pub fn worst_mistakes(sample: &Sample<'_>) -> Vec<(usize, usize, f64)> {
    let losses = super::losses(sample).enumerate();
    let mistakes = sample.rows().zip(losses).filter_map(|((row, label), (example, loss))| {
        let predicted = largest(row);
        (predicted != label).then_some((example, predicted, loss))
    });
    let mut mistakes: Vec<_> = mistakes.collect();
    mistakes.sort_by(|a, b| b.2.total_cmp(&a.2));
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_and_joint_by_hand() {
        // Class 1 is generally less sure: 0.6 is much for it and little for class 0. Class 2 does not occur.
        let p = [
            [0.9, 0.1, 0.0],
            [0.7, 0.3, 0.0],
            [0.3, 0.6, 0.1],
            [0.5, 0.5, 0.0],
            [0.3, 0.6, 0.1], // labelled 0
        ];
        let sample_p = p.concat();
        let found = label_errors(&Sample::new(3, &sample_p, &[0, 0, 1, 1, 0]).unwrap());
        let thresholds: Vec<f64> = found.thresholds.iter().flatten().copied().collect();
        assert!((thresholds[0] - 1.9 / 3.0).abs() < 1e-12 && (thresholds[1] - 0.55).abs() < 1e-12);
        assert_eq!(found.thresholds[2], None);
        assert_eq!(found.joint, [[2, 1, 0], [0, 1, 0], [0, 0, 0]]);
        let order: Vec<usize> = found.ranking.iter().map(|suspect| suspect.example).collect();
        assert_eq!(order, [4, 3, 2, 1, 0]);
        assert_eq!((found.likely(), found.ranking[0].suggested), (1, 1));
        assert!((found.ranking[0].margin() + 0.3).abs() < 1e-12);
    }

    #[test]
    fn mistakes_come_by_their_loss() {
        let p = [0.4, 0.6, 0.1, 0.9, 0.9, 0.1];
        let worst = worst_mistakes(&Sample::new(2, &p, &[0, 0, 0]).unwrap());
        assert_eq!(
            worst.iter().map(|&(example, predicted, _)| (example, predicted)).collect::<Vec<_>>(),
            [(1, 1), (0, 1)]
        );
        assert!((worst[0].2 + 0.1f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_single_class_says_nothing() {
        let found = label_errors(&Sample::new(1, &[1.0], &[0]).unwrap());
        assert!(found.ranking.is_empty() && found.likely() == 0);
    }
}
