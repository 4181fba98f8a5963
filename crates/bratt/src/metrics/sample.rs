//! Probabilities and true classes of some examples, checked once so that every measure of them is a plain function.
//!
//! The predicted class is the one of the largest probability, the first among equals, as in `numpy.argmax`.

/// Examples to judge: for each the probability of every class, and the true class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    classes: usize,
    probabilities: &'a [f64],
    labels: &'a [u32],
}

/// Why probabilities and labels cannot be judged.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The numbers of rows do not agree.
    #[error("found {found} probabilities for {labels} labels and {classes} classes, expected {}", labels * classes)]
    Size {
        /// The probabilities given.
        found: usize,
        /// The labels given.
        labels: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A label that is no class.
    #[error("example {example}: label {label} of {classes} classes")]
    Label {
        /// The example, from 0.
        example: usize,
        /// Its label.
        label: u32,
        /// The number of classes.
        classes: usize,
    },
    /// A number that is no probability.
    #[error("example {example}, class {class}: found {value}, expected a probability from 0 to 1")]
    Probability {
        /// The example, from 0.
        example: usize,
        /// The class.
        class: usize,
        /// What was found.
        value: f64,
    },
    /// There is nothing to judge.
    #[error("there are no examples or no classes to judge")]
    Empty,
}

impl<'a> Sample<'a> {
    /// `probabilities` is `[n, classes]`, row by row, each in `[0, 1]`; `labels` is `[n]`. Rows should sum to 1.
    ///
    /// # Errors
    /// Sizes that do not agree, a label that is no class, a number that is no probability, no examples.
    pub fn new(
        classes: usize,
        probabilities: &'a [f64],
        labels: &'a [u32],
    ) -> Result<Sample<'a>, MetricError> {
        if classes == 0 || labels.is_empty() {
            return Err(MetricError::Empty);
        }
        if labels.len().checked_mul(classes) != Some(probabilities.len()) {
            let (found, labels) = (probabilities.len(), labels.len());
            return Err(MetricError::Size { found, labels, classes });
        }
        if let Some(example) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(MetricError::Label { example, label: labels[example], classes });
        }
        if let Some(at) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let (example, class) = (at / classes, at % classes);
            return Err(MetricError::Probability { example, class, value: probabilities[at] });
        }
        Ok(Sample { classes, probabilities, labels })
    }

    /// Number of examples, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a sample has at least one example")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, at least 1.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The true classes.
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// The probabilities of each example with its true class.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&'a [f64], usize)> + '_ {
        self.probabilities
            .chunks_exact(self.classes)
            .zip(self.labels)
            .map(|(row, &label)| (row, label as usize))
    }

    /// The probabilities of an example.
    pub fn row(&self, example: usize) -> &'a [f64] {
        &self.probabilities[example * self.classes..][..self.classes]
    }

    /// The predicted class of each example.
    pub fn predicted(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.rows().map(|(row, _)| largest(row))
    }

    /// Number of examples of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }
}

/// The position of the largest number, the first among equals.
pub(super) fn largest(row: &[f64]) -> usize {
    let mut best = 0;
    for (at, &x) in row.iter().enumerate() {
        if x > row[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_judged_is_named() {
        let message = |classes, probabilities: &[f64], labels: &[u32]| {
            Sample::new(classes, probabilities, labels).unwrap_err().to_string()
        };
        assert!(message(2, &[0.5; 3], &[0, 1]).contains("found 3 probabilities for 2 labels and 2 classes"));
        assert!(message(2, &[0.5; 4], &[0, 2]).contains("example 1: label 2 of 2 classes"));
        assert!(message(2, &[0.5, 0.5, f64::NAN, 0.5], &[0, 1]).contains("example 1, class 0: found NaN"));
        assert_eq!(Sample::new(2, &[], &[]), Err(MetricError::Empty));
    }

    #[test]
    fn the_first_of_equals_is_predicted() {
        let sample = Sample::new(3, &[0.2, 0.4, 0.4], &[2]).unwrap();
        assert_eq!(sample.predicted().collect::<Vec<_>>(), [1]);
    }
}
