//! Does the probability of a class rank its examples before those of others? One class against the rest.
//!
//! Let P examples be of the class and N not. Ordered by falling probability, with equal probabilities as one step, after
//! a step `tp` examples of the class and `fp` others have been taken:
//!
//! - ROC-AUC: the area under `tp / P` over `fp / N`, by the trapezoidal rule; the same as the probability that an example of
//!   the class stands before one that is not, ties counting half (Mann and Whitney 1947; Hanley and McNeil 1982). Computed in
//!   whole numbers: `sum over steps of (new fp) (2 tp before + new tp) / (2 P N)`;
//! - average precision, the area under the precision-recall curve as a sum of steps: `sum (new tp / P) tp / (tp + fp)`,
//!   without interpolation between them.
//!
//! Undefined where the class does not occur, and ROC-AUC also where nothing else does. Conventions: scikit-learn's
//! `roc_auc_score` and `average_precision_score` of `labels == k`, which give NaN and 0 for a class that does not occur.

use super::Sample;

/// Examples by the falling probability of one class.
pub(super) struct Ranked {
    /// The examples in order.
    order: Vec<u32>,
    /// Whether the example at a place of the order is of the class.
    is_of_class: Vec<bool>,
    /// Whether the next one has another probability.
    ends_step: Vec<bool>,
}

impl Ranked {
    pub(super) fn new(sample: &Sample<'_>, class: usize) -> Ranked {
        let probability = |&example: &u32| sample.row(example as usize)[class];
        let mut order: Vec<u32> = (0..sample.len() as u32).collect();
        order.sort_unstable_by(|a, b| probability(b).total_cmp(&probability(a)));
        let is_of_class =
            order.iter().map(|&example| sample.labels()[example as usize] as usize == class).collect();
        let ends_step = (0..order.len())
            .map(|at| order.get(at + 1).is_none_or(|next| probability(next) != probability(&order[at])))
            .collect();
        Ranked { order, is_of_class, ends_step }
    }

    /// ROC-AUC and average precision, each example counted `weight(example)` times.
    pub(super) fn areas(&self, weight: impl Fn(u32) -> u32) -> (Option<f64>, Option<f64>) {
        let (mut tp, mut fp) = (0u64, 0u64);
        let (mut new_tp, mut new_fp) = (0u64, 0u64);
        // 2 P N reaches 2^65 where 2^32 examples are halved, so that the sum needs more than 64 bits.
        let (mut twice_area, mut precisions) = (0u128, 0.0);
        for ((&example, &is_of_class), &ends_step) in
            self.order.iter().zip(&self.is_of_class).zip(&self.ends_step)
        {
            let times = u64::from(weight(example));
            if is_of_class {
                new_tp += times;
            } else {
                new_fp += times;
            }
            if ends_step {
                twice_area += u128::from(new_fp) * u128::from(2 * tp + new_tp);
                (tp, fp) = (tp + new_tp, fp + new_fp);
                if new_tp > 0 {
                    precisions += new_tp as f64 * (tp as f64 / (tp + fp) as f64);
                }
                (new_tp, new_fp) = (0, 0);
            }
        }
        let roc = (tp > 0 && fp > 0).then(|| twice_area as f64 / (2.0 * tp as f64 * fp as f64));
        (roc, (tp > 0).then(|| precisions / tp as f64))
    }
}

/// The area under the ROC curve of a class against the rest; none where the class, or any other, does not occur.
pub fn roc_auc(sample: &Sample<'_>, class: usize) -> Option<f64> {
    (class < sample.classes()).then(|| Ranked::new(sample, class).areas(|_| 1).0).flatten()
}

/// The average precision of a class against the rest; none where the class does not occur.
pub fn average_precision(sample: &Sample<'_>, class: usize) -> Option<f64> {
    (class < sample.classes()).then(|| Ranked::new(sample, class).areas(|_| 1).1).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_areas_of_a_small_example_by_hand() {
        // Falling probabilities of class 1: 0.9 yes, 0.6 (yes, no), 0.1 no.
        let p = [0.9, 0.6, 0.6, 0.1].map(|p| [1.0 - p, p]).concat();
        let sample = Sample::new(2, &p, &[1, 1, 0, 0]).unwrap();
        // Of the four pairs three are in order and one is a tie.
        assert_eq!(roc_auc(&sample, 1), Some(3.5 / 4.0));
        assert_eq!(average_precision(&sample, 1), Some(0.5 * 1.0 + 0.5 * (2.0 / 3.0)));
        assert_eq!(roc_auc(&sample, 7), None);
    }

    #[test]
    fn absent_classes_have_no_area() {
        let sample = Sample::new(3, &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1], &[1, 1]).unwrap();
        assert_eq!((roc_auc(&sample, 0), average_precision(&sample, 0)), (None, None));
        assert_eq!((roc_auc(&sample, 1), average_precision(&sample, 1)), (None, Some(1.0)));
    }

    #[test]
    fn weights_are_repetitions() {
        let p = [0.9, 0.6, 0.6, 0.1].map(|p| [1.0 - p, p]);
        let sample_of = |examples: &[usize]| {
            let rows: Vec<f64> = examples.iter().flat_map(|&e| p[e]).collect();
            let labels: Vec<u32> = examples.iter().map(|&e| [1, 1, 0, 0][e]).collect();
            let sample = Sample::new(2, &rows, &labels).unwrap();
            Ranked::new(&sample, 1).areas(|_| 1)
        };
        let all = [1.0 - p[0][1], p[0][1], 0.4, 0.6, 0.4, 0.6, 0.9, 0.1];
        let sample = Sample::new(2, &all, &[1, 1, 0, 0]).unwrap();
        let weighted = Ranked::new(&sample, 1).areas(|example| [2, 0, 3, 1][example as usize]);
        assert_eq!(weighted, sample_of(&[0, 0, 2, 2, 2, 3]));
    }
}
