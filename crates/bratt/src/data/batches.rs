//! The order of an epoch, cut into batches.
//!
//! Training visits its examples in an order that is a pure function of the seed and the epoch: no state is carried from
//! epoch to epoch, so that resuming anywhere needs two numbers. Evaluation visits all examples in their own order, the
//! last partial batch included.
//!
//! Where classes are to come equally often ([`Batches::balanced`]), an epoch is n draws for n examples, of which each of
//! the C classes has q = n / C (the first n mod C classes one more). For a class with m examples let p_0, p_1, ... be
//! permutations of them, each drawn from (seed, class, number), and s their concatenation. Epoch e takes the draws
//! `s[e q], ..., s[e q + q - 1]`, which are then shuffled with those of the other classes. So over a training all examples of a
//! class are drawn equally often, but for one, and again nothing is carried from epoch to epoch.
//!
//! Draw i of a class is of *round* `i / m`: it is the time that its example is seen, counted from 0. Random changes follow
//! the round as they else follow the epoch, so that an example that comes twice in an epoch is changed in two ways.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::random::{Purpose, Stream};

/// What becomes of the last batch of a training epoch where it is not full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastBatch {
    /// It is used as it is.
    Keep,
    /// It is left out; another epoch's shuffle brings other examples there. Where not even one batch is full, the one
    /// there is is kept.
    #[default]
    Drop,
}

/// The batches of one epoch, each a list of indices into the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    order: Vec<u32>,
    /// The round of each example; none where all are of the epoch.
    rounds: Vec<u32>,
    epoch: u64,
    size: usize,
}

impl Batches {
    /// The batches of training epoch `epoch`: `indices` in an order drawn from `(seed, epoch)`.
    ///
    /// ```
    /// use bratt::data::{Batches, LastBatch};
    /// let epoch = Batches::training(&[3, 5, 8, 9, 11], 2.try_into().unwrap(), LastBatch::Keep, 7, 0);
    /// assert_eq!(epoch.iter().map(<[u32]>::len).collect::<Vec<_>>(), [2, 2, 1]);
    /// ```
    pub fn training(indices: &[u32], size: NonZeroUsize, last: LastBatch, seed: u64, epoch: u64) -> Self {
        let mut order = indices.to_vec();
        Stream::new(seed, Purpose::Shuffle, epoch).shuffle(&mut order);
        let full = order.len() - order.len() % size;
        if last == LastBatch::Drop && full > 0 {
            order.truncate(full);
        }
        Self { order, rounds: Vec::new(), epoch, size: size.get() }
    }

    /// The batches of training epoch `epoch` where classes come equally often: as many draws from `indices` as there are,
    /// by (seed, epoch), the last partial batch included. `labels` are the classes of the whole data set, and `indices`
    /// below its size.
    ///
    /// ```
    /// use bratt::data::Batches;
    /// let labels = [0, 0, 0, 0, 0, 1, 1, 2];
    /// let epoch = Batches::balanced(&[0, 1, 2, 3, 4, 5, 6, 7], &labels, 4.try_into().unwrap(), 7, 0);
    /// let mut classes: Vec<u32> = epoch.iter().flatten().map(|&at| labels[at as usize]).collect();
    /// classes.sort();
    /// assert_eq!(classes, [0, 0, 0, 1, 1, 1, 2, 2]);
    /// ```
    ///
    /// # Panics
    /// If an index is beyond the labels.
    pub fn balanced(indices: &[u32], labels: &[u32], size: NonZeroUsize, seed: u64, epoch: u64) -> Self {
        let mut classes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &index in indices {
            classes.entry(labels[index as usize]).or_default().push(index);
        }
        let (n, of) = (indices.len(), classes.len());
        let mut draws = Vec::with_capacity(n);
        for (at, (&class, members)) in classes.iter().enumerate() {
            let quota = n / of + usize::from(at < n % of);
            let (quota, count) = (quota as u64, members.len() as u64);
            let (mut round, mut shuffled) = (None, Vec::new());
            for draw in epoch * quota..(epoch + 1) * quota {
                if round != Some(draw / count) {
                    round = Some(draw / count);
                    shuffled.clone_from(members);
                    let number = (u64::from(class) << 32) | (draw / count);
                    Stream::new(seed, Purpose::Balance, number).shuffle(&mut shuffled);
                }
                draws.push((shuffled[(draw % count) as usize], (draw / count) as u32));
            }
        }
        Stream::new(seed, Purpose::Shuffle, epoch).shuffle(&mut draws);
        let (order, rounds) = draws.into_iter().unzip();
        Self { order, rounds, epoch, size: size.get() }
    }

    /// All of `indices` in their own order.
    pub fn evaluation(indices: &[u32], size: NonZeroUsize) -> Self {
        Self { order: indices.to_vec(), rounds: Vec::new(), epoch: 0, size: size.get() }
    }

    /// Number of batches.
    pub fn len(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// Whether there is no batch.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Number of examples in all batches together.
    pub fn examples(&self) -> usize {
        self.order.len()
    }

    /// Batch number `at`, from 0.
    pub fn get(&self, at: usize) -> Option<&[u32]> {
        let start = at.checked_mul(self.size).filter(|&start| start < self.order.len())?;
        Some(&self.order[start..self.order.len().min(start + self.size)])
    }

    /// As which epoch batch number `at` sees its examples, one after the other: the epoch, or the round of each.
    pub(super) fn rounds(&self, at: usize) -> impl Iterator<Item = u64> {
        let rounds = self.rounds.get(at.saturating_mul(self.size)..).unwrap_or(&[]);
        let epoch = self.rounds.is_empty().then_some(self.epoch);
        rounds.iter().map(|&round| u64::from(round)).chain(epoch.into_iter().cycle())
    }

    /// Draw number `at` of the epoch and its round; none where each example comes once, in no need of draws.
    pub(super) fn draw(&self, at: usize) -> Option<(u32, u64)> {
        Some((*self.order.get(at)?, u64::from(*self.rounds.get(at)?)))
    }

    /// The batches in turn; to resume inside an epoch, `skip` those that are done.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.order.chunks(self.size)
    }
}

/// The order of `n` examples in an epoch: every index below `n` once.
///
/// # Panics
/// If `n` is more than `u32::MAX`.
pub fn permutation(n: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let n = u32::try_from(n).expect("at most u32::MAX examples");
    let mut order: Vec<u32> = (0..n).collect();
    Stream::new(seed, Purpose::Shuffle, epoch).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn evaluation_keeps_order_and_loses_nothing() {
        let batches = Batches::evaluation(&[5, 6, 7, 8, 9], size(2));
        assert_eq!(batches.iter().collect::<Vec<_>>(), [&[5, 6][..], &[7, 8], &[9]]);
        assert_eq!((batches.len(), batches.examples()), (3, 5));
        assert_eq!((batches.get(2), batches.get(3)), (Some(&[9][..]), None));
    }

    #[test]
    fn the_last_partial_batch_is_dropped_on_demand_but_never_the_only_one() {
        let epoch = |size, last| Batches::training(&[1, 2, 3, 4, 5], size, last, 0, 0);
        assert_eq!(epoch(size(2), LastBatch::Drop).examples(), 4);
        assert_eq!(epoch(size(2), LastBatch::Keep).examples(), 5);
        assert_eq!(epoch(size(8), LastBatch::Drop).examples(), 5);
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let order = |seed, epoch| permutation(100, seed, epoch);
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
        let indices: Vec<u32> = (0..100).collect();
        let epoch = Batches::training(&indices, size(10), LastBatch::Keep, 1, 2);
        assert_eq!(epoch.iter().flatten().copied().collect::<Vec<_>>(), order(1, 2));
    }

    /// 5, 40 and 155 examples of classes 0, 1 and 7 at every third place, and their labels.
    fn unequal() -> (Vec<u32>, Vec<u32>) {
        let labels = (0..600).map(|i| [0, 1, 7][usize::from(i >= 15) + usize::from(i >= 135)]).collect();
        ((0..200).map(|i| 3 * i).collect(), labels)
    }

    #[test]
    fn every_balanced_epoch_has_the_classes_equally_often_and_none_is_left_over() {
        let (indices, labels) = unequal();
        for epoch in 0..5 {
            let batches = Batches::balanced(&indices, &labels, size(32), 3, epoch);
            assert_eq!((batches.examples(), batches.len()), (200, 7));
            let count = |class| {
                let of = |&&index: &&u32| labels[index as usize] == class;
                batches.iter().flatten().filter(of).count()
            };
            assert_eq!([0, 1, 7].map(count), [67, 67, 66]);
            assert!(batches.iter().flatten().all(|index| indices.contains(index)));
        }
    }

    #[test]
    fn balanced_epochs_draw_the_examples_of_a_class_equally_often() {
        let (indices, labels) = unequal();
        let mut seen = vec![0u64; 600];
        for epoch in 0..9 {
            let batches = Batches::balanced(&indices, &labels, size(32), 3, epoch);
            let draws =
                (0..batches.len()).flat_map(|at| batches.get(at).unwrap().iter().zip(batches.rounds(at)));
            let mut draws: Vec<(u32, u64)> = draws.map(|(&index, round)| (index, round)).collect();
            draws.sort_unstable();
            for (index, round) in draws {
                assert_eq!(
                    round, seen[index as usize],
                    "the rounds of an example are the times that it came"
                );
                seen[index as usize] += 1;
            }
        }
        for class in [0, 1, 7] {
            let of = indices.iter().filter(|&&index| labels[index as usize] == class);
            let times: Vec<u64> = of.map(|&index| seen[index as usize]).collect();
            let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
            assert!(most - least <= 1, "class {class}: {least} to {most} times");
        }
    }

    #[test]
    fn balanced_draws_depend_on_seed_and_epoch_alone() {
        let (indices, labels) = unequal();
        let epoch = |seed, epoch| Batches::balanced(&indices, &labels, size(32), seed, epoch);
        assert_eq!(epoch(1, 2), epoch(1, 2));
        assert_ne!(epoch(1, 2), epoch(1, 3));
        assert_ne!(epoch(1, 2), epoch(2, 2));
        assert_eq!(Batches::balanced(&[], &labels, size(32), 1, 0).examples(), 0);
    }

    proptest! {
        #[test]
        fn an_epoch_visits_every_example_once(n in 0usize..500, batch in 1usize..64, seed: u64, epoch: u64) {
            let indices: Vec<u32> = (0..n as u32).map(|i| 3 * i + 1).collect();
            let batches = Batches::training(&indices, size(batch), LastBatch::Keep, seed, epoch);
            let mut seen: Vec<u32> = batches.iter().flatten().copied().collect();
            prop_assert!((0..batches.len()).all(|at| batches.get(at) == batches.iter().nth(at)));
            seen.sort_unstable();
            prop_assert_eq!(seen, indices);
        }
    }
}
