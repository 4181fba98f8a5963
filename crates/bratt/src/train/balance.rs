//! Classes of unequal size.
//!
//! With n training examples, C classes among them and n_c examples of class c, a class may count by its weight,
//!
//! ```text
//! weights        w_c = n / (C n_c)
//! sqrt-weights   w_c = s sqrt(n / (C n_c)),   s such that the mean of w over the training examples is 1
//! loss           sum over the batch of w_label loss / B,   B the number of examples in the batch
//! ```
//!
//! The first is scikit-learn's `balanced`, whose mean over the training examples is 1 as it stands: every class then
//! counts as much as any other. The square root goes half of the way (in logarithms), which trusts a handful of examples
//! less. Since the mean weight is 1, a learning rate means what it means without weights. The sum is divided by B and
//! not by the batch's own weights (as PyTorch's `CrossEntropyLoss` does): the mean of the gradients over an epoch is then
//! that of the weighted loss of the whole part, whichever examples meet in a batch.
//!
//! Or the examples are drawn so that classes come equally often; see [`Batches::balanced`](crate::data::Batches::balanced).
//!
//! - Smoothed labels: the weight is that of the label, whatever share of it is spread.
//! - Mixed examples: each of the two losses has the weight of its own label. Where examples are drawn, partners come from
//!   the same draw.
//! - Validation and test losses are never weighted. A model that was trained so takes the classes for (more nearly) equally
//!   frequent: rare classes are found more often, at the price of more false alarms, and probabilities are those of
//!   such a world.
//!
//! Nobody asked for it below a ratio of 10 between the largest and the smallest class: scikit-learn, Keras, PyTorch and
//! fastai weigh nothing by themselves, and where classes differ by a few times, plain training still sees each often
//! enough, with probabilities that fit the data as they are. From 10 on a small class is one example in a batch or none,
//! and a model may do well by never naming it, which is seldom wanted; square-root weights are then the choice that
//! changes probabilities least. It is told before training with its key, `--balance none` undoes it, and `--balance
//! weights` or `sampling` go the whole way.
//!
//! Source: King and Zeng 2001 for the weights; Buda, Maki and Mazurowski 2018 compare them with sampling.

use super::Part;

/// How much classes count in training, where some have more examples than others.
///
/// ```
/// use bratt::train::Balance;
/// // scikit-learn: compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 6 + [1] * 3 + [2])
/// let weights = Balance::Weights.class_weights(&[6, 3, 1]);
/// assert_eq!(weights, [10.0 / 18.0, 10.0 / 9.0, 10.0 / 3.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Balance {
    /// Every example counts the same.
    #[default]
    None,
    /// Every class counts the same: the loss of an example has a weight that goes as 1 over the size of its class.
    Weights,
    /// Between the two: 1 over the square root of the size.
    SqrtWeights,
    /// Each epoch draws as many examples as there are, equally many of each class.
    Sampling,
}

/// From this ratio of the largest to the smallest class on, [`Balance::suited`] is not [`Balance::None`].
const UNEQUAL: f64 = 10.0;

impl Balance {
    /// The names that [`Balance::by_name`] knows.
    pub const NAMES: [&'static str; 4] = ["none", "weights", "sqrt-weights", "sampling"];

    /// A balance by its name.
    pub fn by_name(name: &str) -> Option<Balance> {
        let all = [Balance::None, Balance::Weights, Balance::SqrtWeights, Balance::Sampling];
        all.into_iter().zip(Balance::NAMES).find(|(_, known)| *known == name).map(|(balance, _)| balance)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Balance::NAMES[self as usize]
    }

    /// What suits classes of these sizes: square-root weights where the largest class has at least 10 times the examples of
    /// the smallest, else nothing. Classes without examples do not count.
    ///
    /// ```
    /// use bratt::train::Balance;
    /// assert_eq!(Balance::suited(&[120, 100, 110]), Balance::None);
    /// assert_eq!(Balance::suited(&[1200, 100, 110]), Balance::SqrtWeights);
    /// ```
    pub fn suited(counts: &[usize]) -> Balance {
        if Balance::imbalance(counts) >= UNEQUAL { Balance::SqrtWeights } else { Balance::None }
    }

    /// The largest class has so many times the examples of the smallest, of those that have any; 1 without classes.
    pub fn imbalance(counts: &[usize]) -> f64 {
        let there = || counts.iter().copied().filter(|&count| count > 0);
        match (there().min(), there().max()) {
            (Some(least), Some(most)) => most as f64 / least as f64,
            _ => 1.0,
        }
    }

    /// The weight of each class in the loss, by its number of training examples; nothing where all weigh 1. Classes
    /// without examples weigh 0.
    pub fn class_weights(self, counts: &[usize]) -> Vec<f64> {
        let n: usize = counts.iter().sum();
        let there = counts.iter().filter(|&&count| count > 0).count();
        let balanced = |&count: &usize| match count {
            0 => 0.0,
            _ => n as f64 / (there as f64 * count as f64),
        };
        match self {
            Balance::None | Balance::Sampling => Vec::new(),
            Balance::Weights => counts.iter().map(balanced).collect(),
            Balance::SqrtWeights => {
                let roots: Vec<f64> = counts.iter().map(|count| balanced(count).sqrt()).collect();
                let sum: f64 = roots.iter().zip(counts).map(|(root, &count)| root * count as f64).sum();
                roots.into_iter().map(|root| root * n as f64 / sum).collect()
            }
        }
    }
}

impl Part<'_> {
    /// The number of examples of each class; nothing for regression.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.data().classes().len()];
        for &index in self.indices() {
            let label = self.data().labels().get(index as usize).map(|&label| label as usize);
            if let Some(count) = label.and_then(|label| counts.get_mut(label)) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
