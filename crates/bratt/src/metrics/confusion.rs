//! What follows from counts alone.
//!
//! With `M[t][p]` the number of examples of true class t predicted as p, n of them in all, row sums `a[k]` (examples of
//! class k), column sums `b[k]` (predicted as k) and `h[k] = M[k][k]`:
//!
//! - accuracy `sum h / n`;
//! - precision `h[k] / b[k]`, recall `h[k] / a[k]`, F1 `2 h[k] / (a[k] + b[k])`, their harmonic mean; 0 where the divisor
//!   is 0 (scikit-learn's `zero_division=0`);
//! - macro-F1: the mean F1 of the classes that occur or were predicted (scikit-learn's default labels);
//! - balanced accuracy: the mean recall of the classes that occur (Brodersen et al. 2010);
//! - Cohen's kappa (Cohen 1960): `(p - e) / (1 - e)` with the accuracy p and the agreement by chance
//!   `e = sum a[k] b[k] / n^2`; undefined where e is 1, that is where all examples are of one class and predicted so.
//!
//! Conventions: scikit-learn's `confusion_matrix`, `precision_recall_fscore_support`, `balanced_accuracy_score`,
//! `cohen_kappa_score` (which gives NaN where kappa is undefined).

use super::Sample;

/// Numbers of examples by true class (row) and predicted class (column).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confusion {
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// No examples of so many classes.
    pub fn new(classes: usize) -> Confusion {
        Confusion { counts: vec![vec![0; classes]; classes] }
    }

    /// That of a sample.
    pub fn of(sample: &Sample<'_>) -> Confusion {
        let mut confusion = Confusion::new(sample.classes());
        for (&label, predicted) in sample.labels().iter().zip(sample.predicted()) {
            confusion.add(label as usize, predicted, 1);
        }
        confusion
    }

    /// Counts examples of true class `label` that were predicted as `predicted`.
    ///
    /// # Panics
    /// If one of them is no class.
    pub fn add(&mut self, label: usize, predicted: usize, count: usize) {
        self.counts[label][predicted] += count;
    }

    /// The counts, a row a true class.
    pub fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// The counts, a row a true class.
    pub fn into_counts(self) -> Vec<Vec<usize>> {
        self.counts
    }

    /// Number of examples.
    pub fn n(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Number of examples classified rightly.
    pub fn right(&self) -> usize {
        (0..self.counts.len()).map(|k| self.counts[k][k]).sum()
    }

    /// Examples of a class.
    pub fn support(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Examples predicted as a class.
    pub fn predicted(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// Part of the examples classified rightly; 0 without examples.
    pub fn accuracy(&self) -> f64 {
        share(self.right(), self.n())
    }

    /// Of those predicted as a class, the part that are it.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.counts[class][class], self.predicted(class))
    }

    /// Of those that are of a class, the part predicted as it.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.counts[class][class], self.support(class))
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        share(2 * self.counts[class][class], self.support(class) + self.predicted(class))
    }

    /// The mean F1 of the classes that occur or were predicted; 0 without examples.
    pub fn macro_f1(&self) -> f64 {
        self.margins().macro_f1()
    }

    /// The mean recall of the classes that occur; 0 without examples.
    pub fn balanced_accuracy(&self) -> f64 {
        self.margins().balanced_accuracy()
    }

    /// Cohen's kappa; none where all examples are of one class and predicted so.
    pub fn kappa(&self) -> Option<f64> {
        self.margins().kappa()
    }

    fn margins(&self) -> Margins {
        let mut margins = Margins::new(self.counts.len());
        for (label, row) in self.counts.iter().enumerate() {
            row.iter().enumerate().for_each(|(predicted, &n)| margins.add(label, predicted, n));
        }
        margins
    }

    /// The cells off the diagonal that hold most examples, as (true class, predicted class, count), most first.
    pub fn most_confused(&self) -> Vec<(usize, usize, usize)> {
        let cells = self.counts.iter().enumerate().flat_map(|(t, row)| {
            row.iter().enumerate().filter(move |&(p, &n)| n > 0 && p != t).map(move |(p, &n)| (t, p, n))
        });
        let mut cells: Vec<_> = cells.collect();
        cells.sort_by_key(|&(_, _, n)| std::cmp::Reverse(n));
        cells
    }
}

/// Row sums, column sums and diagonal of a confusion matrix: all that the measures over classes need.
pub(super) struct Margins {
    support: Vec<usize>,
    predicted: Vec<usize>,
    hits: Vec<usize>,
}

impl Margins {
    pub(super) fn new(classes: usize) -> Margins {
        Margins { support: vec![0; classes], predicted: vec![0; classes], hits: vec![0; classes] }
    }

    pub(super) fn clear(&mut self) {
        [&mut self.support, &mut self.predicted, &mut self.hits].into_iter().for_each(|sums| sums.fill(0));
    }

    pub(super) fn add(&mut self, label: usize, predicted: usize, count: usize) {
        self.support[label] += count;
        self.predicted[predicted] += count;
        if label == predicted {
            self.hits[label] += count;
        }
    }

    pub(super) fn macro_f1(&self) -> f64 {
        let all = self.support.iter().zip(&self.predicted).map(|(support, predicted)| support + predicted);
        let classes = self.hits.iter().zip(all).filter(|&(_, all)| all > 0);
        mean(classes.map(|(hits, all)| share(2 * hits, all))).unwrap_or(0.0)
    }

    pub(super) fn balanced_accuracy(&self) -> f64 {
        let classes = self.hits.iter().zip(&self.support).filter(|&(_, &support)| support > 0);
        mean(classes.map(|(&hits, &support)| share(hits, support))).unwrap_or(0.0)
    }

    pub(super) fn kappa(&self) -> Option<f64> {
        let n = self.support.iter().sum::<usize>() as f64;
        let accuracy = self.hits.iter().sum::<usize>() as f64 / n;
        let products = self.support.iter().zip(&self.predicted).map(|(&a, &b)| a as f64 * b as f64);
        let by_chance = products.sum::<f64>() / (n * n);
        let kappa = (accuracy - by_chance) / (1.0 - by_chance);
        kappa.is_finite().then_some(kappa)
    }
}

fn share(part: usize, all: usize) -> f64 {
    if all > 0 { part as f64 / all as f64 } else { 0.0 }
}

/// The mean of some numbers; none of none.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0);
    for value in values {
        sum += value;
        n += 1;
    }
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(pairs: &[(usize, usize)], classes: usize) -> Confusion {
        let mut confusion = Confusion::new(classes);
        pairs.iter().for_each(|&(label, predicted)| confusion.add(label, predicted, 1));
        confusion
    }

    #[test]
    fn a_class_that_is_nowhere_does_not_count() {
        let c = confusion(&[(0, 0), (0, 1), (1, 1), (1, 1), (2, 0)], 4);
        assert_eq!((c.n(), c.accuracy(), c.recall(1), c.precision(1)), (5, 0.6, 1.0, 2.0 / 3.0));
        // F1: 2*1/(2+2), 2*2/(2+3), 0; the fourth class neither occurs nor is predicted.
        assert!((c.macro_f1() - (0.5 + 0.8 + 0.0) / 3.0).abs() < 1e-12);
        assert!((c.balanced_accuracy() - (0.5 + 1.0 + 0.0) / 3.0).abs() < 1e-12);
        assert_eq!((c.precision(3), c.recall(3), c.f1(3)), (0.0, 0.0, 0.0));
        assert_eq!(c.most_confused(), [(0, 1, 1), (2, 0, 1)]);
    }

    #[test]
    fn kappa_of_cohens_own_example() {
        // Cohen 1960, table 1: proportions of 200 cases, agreement .70, by chance .41.
        let table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]];
        let mut c = Confusion::new(3);
        for (t, row) in table.iter().enumerate() {
            row.iter().enumerate().for_each(|(p, &n)| c.add(t, p, n));
        }
        assert!((c.kappa().unwrap() - 0.29 / 0.59).abs() < 1e-12, "{:?}", c.kappa());
        assert_eq!(confusion(&[(1, 1), (1, 1)], 3).kappa(), None);
    }

    #[test]
    fn nothing_to_count_gives_zeros() {
        let empty = Confusion::new(2);
        assert_eq!((empty.accuracy(), empty.macro_f1(), empty.balanced_accuracy()), (0.0, 0.0, 0.0));
        assert_eq!(empty.kappa(), None);
    }
}
