//! The order of an epoch, cut into batches.
//!
//! Training visits its examples in an order that is a pure function of the seed and the epoch: no state is carried from
//! epoch to epoch, so that resuming anywhere needs two numbers. Evaluation visits all examples in their own order, the
//! last partial batch included.

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
        Self { order, size: size.get() }
    }

    /// All of `indices` in their own order.
    pub fn evaluation(indices: &[u32], size: NonZeroUsize) -> Self {
        Self { order: indices.to_vec(), size: size.get() }
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
