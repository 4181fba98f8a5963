//! Training, validation and test parts.
//!
//! The split is stratified: each class is divided by itself, so that all parts have its share. A class of `n` examples
//! first gives one example to training, then to test, then to validation, as far as it reaches (never to a part of
//! fraction 0); the rest is dealt out so that each part comes as near to `fraction * n` as whole numbers
//! allow (largest remainders, training first among equals). Which examples go where is drawn from the seed and the
//! class alone: examples of one class do not move when another class changes.
//!
//! Images with the same pixels go to one part: the first of them is dealt out, and the others follow it.
//!
//! Every example is in exactly one part, and each part lists its examples in the order of the data set.

use super::DataError;
use crate::random::{Purpose, Stream};

/// How much of the data each part gets; the three sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fractions {
    /// Training.
    pub train: f64,
    /// Validation.
    pub val: f64,
    /// Test.
    pub test: f64,
}

impl Default for Fractions {
    /// 80 % training, 10 % validation, 10 % test.
    fn default() -> Self {
        Self { train: 0.8, val: 0.1, test: 0.1 }
    }
}

impl Fractions {
    /// 90 % training, 10 % validation: for data that bring their own test part.
    pub fn test_given() -> Self {
        Self { train: 0.9, val: 0.1, test: 0.0 }
    }

    fn checked(self) -> Result<[f64; 3], DataError> {
        let Self { train, val, test } = self;
        let parts = [train, val, test];
        let why = if !parts.iter().all(|part| (0.0..=1.0).contains(part)) {
            "a fraction lies outside"
        } else if (parts.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
            "the sum is not 1"
        } else if train == 0.0 {
            "nothing is left for training"
        } else {
            return Ok(parts);
        };
        Err(DataError::Fractions { train, val, test, why })
    }
}

/// A class with too few examples to be in every part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmallClass {
    /// The class.
    pub class: u32,
    /// Its examples in training, validation and test.
    pub counts: [usize; 3],
}

/// Which examples are in which part, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// For learning.
    pub train: Vec<u32>,
    /// For choosing: when to stop, which settings.
    pub val: Vec<u32>,
    /// For the final judgement only.
    pub test: Vec<u32>,
    /// Classes that are absent from a part that should have them.
    pub small_classes: Vec<SmallClass>,
}

/// Divides examples of the given `labels` (each below `classes`) by class.
///
/// ```
/// use bratt::data::{Fractions, split};
/// let labels = [0, 1].repeat(50);
/// let parts = split::stratified(&labels, 2, Fractions::default(), 7)?;
/// assert_eq!((parts.train.len(), parts.val.len(), parts.test.len()), (80, 10, 10));
/// # Ok::<(), bratt::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Fractions`] where the fractions are no split.
///
/// # Panics
/// If a label is not below `classes`.
pub fn stratified(
    labels: &[u32],
    classes: usize,
    fractions: Fractions,
    seed: u64,
) -> Result<Split, DataError> {
    let alone: Vec<u32> = (0..).take(labels.len()).collect();
    stratified_together(labels, classes, &alone, fractions, seed)
}

/// As [`stratified`], where examples with the same leader stay in one part: leaders (examples that lead themselves) are
/// dealt out, and the others follow.
pub(super) fn stratified_together(
    labels: &[u32],
    classes: usize,
    leaders: &[u32],
    fractions: Fractions,
    seed: u64,
) -> Result<Split, DataError> {
    let fractions = fractions.checked()?;
    let mut members = vec![Vec::new(); classes];
    for (index, (&label, &leader)) in (0..).zip(labels.iter().zip(leaders)) {
        if index == leader {
            members[label as usize].push(index);
        }
    }
    let mut part_of = vec![0; labels.len()];
    for (class, mut members) in (0u32..).zip(members) {
        Stream::new(seed, Purpose::Split, u64::from(class)).shuffle(&mut members);
        let counts = allot(members.len(), fractions);
        let (train, rest) = members.split_at(counts[0]);
        let (val, test) = rest.split_at(counts[1]);
        for (part, members) in [train, val, test].into_iter().enumerate() {
            members.iter().for_each(|&index| part_of[index as usize] = part);
        }
    }
    let mut split = Split::default();
    let mut counts = vec![[0; 3]; classes];
    for (index, (&label, &leader)) in (0..).zip(labels.iter().zip(leaders)) {
        let part = part_of[leader as usize];
        counts[label as usize][part] += 1;
        [&mut split.train, &mut split.val, &mut split.test][part].push(index);
    }
    for (class, counts) in (0..).zip(counts) {
        if (0..3).any(|part| fractions[part] > 0.0 && counts[part] == 0) {
            split.small_classes.push(SmallClass { class, counts });
        }
    }
    Ok(split)
}

/// Divides `n` examples without regard to classes.
///
/// # Errors
/// [`DataError::Fractions`] where the fractions are no split.
pub fn random(n: usize, fractions: Fractions, seed: u64) -> Result<Split, DataError> {
    let mut split = stratified(&vec![0; n], 1, fractions, seed)?;
    split.small_classes.clear();
    Ok(split)
}

/// Training, validation and test counts of a class of `n` examples.
fn allot(n: usize, fractions: [f64; 3]) -> [usize; 3] {
    let mut counts = [0; 3];
    let mut left = n;
    let claims = [0, 2, 1];
    for part in claims {
        if fractions[part] > 0.0 && left > 0 {
            counts[part] = 1;
            left -= 1;
        }
    }
    let quota = fractions.map(|fraction| fraction * n as f64);
    for part in claims {
        // A hair is added so that 0.1 * 30, which is below 3 in binary by rounding, counts as 3.
        let whole = ((quota[part] + 1e-9) as usize).saturating_sub(counts[part]).min(left);
        counts[part] += whole;
        left -= whole;
    }
    while left > 0 {
        let want = |part: usize| quota[part] - counts[part] as f64;
        let mut best = 0;
        for part in [2, 1] {
            if fractions[part] > 0.0 && want(part) > want(best) + 1e-9 {
                best = part;
            }
        }
        counts[best] += 1;
        left -= 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(split: &Split) -> [usize; 3] {
        [split.train.len(), split.val.len(), split.test.len()]
    }

    #[test]
    fn parts_have_the_share_of_each_class() {
        // 0.1 * 30 and 0.1 * 70 are not exact in binary.
        let labels = [vec![0; 100], vec![1; 30], vec![2; 70]].concat();
        let split = stratified(&labels, 3, Fractions::default(), 1).unwrap();
        let counts = |part: &[u32]| {
            let of = |class| part.iter().filter(|&&index| labels[index as usize] == class).count();
            [of(0), of(1), of(2)]
        };
        assert_eq!(counts(&split.train), [80, 24, 56]);
        assert_eq!(counts(&split.val), [10, 3, 7]);
        assert_eq!(counts(&split.test), [10, 3, 7]);
        assert!(split.small_classes.is_empty());
    }

    #[test]
    fn small_classes_go_to_training_first_and_are_reported() {
        let labels = [vec![0; 1], vec![1; 2], vec![2; 3], vec![3; 10]].concat();
        let split = stratified(&labels, 5, Fractions::default(), 1).unwrap();
        let small = |class, counts| SmallClass { class, counts };
        assert_eq!(split.small_classes, [small(0, [1, 0, 0]), small(1, [1, 0, 1]), small(4, [0, 0, 0])]);
        assert_eq!(sizes(&split), [1 + 1 + 1 + 8, 1 + 1, 1 + 1 + 1]);
    }

    #[test]
    fn a_test_part_that_is_given_is_not_taken_twice() {
        let split = stratified(&[0; 60], 1, Fractions::test_given(), 1).unwrap();
        assert_eq!(sizes(&split), [54, 6, 0]);
        assert!(split.small_classes.is_empty());
    }

    #[test]
    fn the_seed_alone_decides_and_classes_are_independent() {
        let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
        let split = |labels: &[u32], seed| stratified(labels, 3, Fractions::default(), seed).unwrap();
        assert_eq!(split(&labels, 4), split(&labels, 4));
        assert_ne!(split(&labels, 4), split(&labels, 5));
        let fewer: Vec<u32> = labels.iter().map(|&label| if label == 2 { 1 } else { label }).collect();
        let zeros =
            |split: &Split| -> Vec<u32> { split.test.iter().copied().filter(|i| i % 3 == 0).collect() };
        assert_eq!(zeros(&split(&labels, 4)), zeros(&split(&fewer, 4)));
    }

    #[test]
    fn fractions_that_are_no_split_are_refused() {
        for (train, val, test) in [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5), (f64::NAN, 0.5, 0.5)]
        {
            let error = random(10, Fractions { train, val, test }, 1).unwrap_err();
            assert!(matches!(error, DataError::Fractions { .. }), "{train} {val} {test}");
        }
    }

    proptest! {
        #[test]
        fn every_example_is_in_exactly_one_part(
            labels in prop::collection::vec(0u32..7, 0..300),
            cut in (1u32..100, 0u32..100, 0u32..100),
            seed: u64,
        ) {
            let sum = f64::from(cut.0 + cut.1 + cut.2);
            let [train, val, test] = [cut.0, cut.1, cut.2].map(|part| f64::from(part) / sum);
            let split = stratified(&labels, 7, Fractions { train, val, test }, seed).unwrap();
            let mut all = [&split.train[..], &split.val, &split.test].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..labels.len() as u32));
            for class in 0..7 {
                let of = |part: &[u32]| part.iter().filter(|&&i| labels[i as usize] == class).count();
                let n = labels.iter().filter(|&&label| label == class).count();
                for (part, fraction) in [(&split.train, train), (&split.val, val), (&split.test, test)] {
                    prop_assert!((of(part) as f64 - fraction * n as f64).abs() <= 2.0);
                    prop_assert!(fraction > 0.0 || of(part) == 0);
                }
            }
        }
    }
}
