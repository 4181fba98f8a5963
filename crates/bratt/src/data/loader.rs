//! Batches of training examples, made beside the training step.
//!
//! Batch k of a training (k from 0 over all epochs) is a pure function: epoch `k / steps`, the order of that epoch, its
//! examples as [`augment`](super::augment) changes them. So any thread can make it, and with n loaders the loader
//! `k % n` does. Each has two batches of memory that go round between it and the training thread:
//!
//! ```text
//! loader 0   [0] [2] [4] ..  --full-->   training thread takes 0, 1, 2, 3, ...
//! loader 1   [1] [3] [5] ..  <--empty--
//! ```
//!
//! A loader that is two batches ahead waits. Without loaders the training thread makes each batch where it is used.
//! What a batch holds does not depend on the number of loaders.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::augment::{Augment, Augmenter, Frame};
use super::{Batches, Dataset, Features, LastBatch};

/// Batches that a loader makes ahead.
const AHEAD: usize = 2;

/// What makes the batches of a training.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    data: &'a Dataset,
    train: &'a [u32],
    size: NonZeroUsize,
    steps: usize,
    seed: u64,
    augment: Augment,
    balanced: bool,
}

/// The labels of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// The label of each example.
    pub own: Vec<f32>,
    /// That of the example it is mixed with; empty if examples are not mixed.
    pub partner: Vec<f32>,
    /// The share of the example itself; empty if examples are not mixed.
    pub weight: Vec<f32>,
}

impl<'a> Loader<'a> {
    /// For `steps` batches an epoch of `size` of the examples `train`.
    ///
    /// ```
    /// use bratt::data::{Augment, digits, loader::Loader};
    /// let data = digits();
    /// let train: Vec<u32> = (0..100).collect();
    /// let augment = Augment { crop: 1, ..Augment::default() };
    /// let loader = Loader::new(&data, &train, 32.try_into().unwrap(), 4, 7, &augment);
    /// let mut features = vec![0.0; 32 * 64];
    /// let seen = loader.run(1, 0..8, |feed| {
    ///     let mut seen = 0;
    ///     while let Some(labels) = feed.next(&mut features) {
    ///         seen += labels.own.len();
    ///     }
    ///     seen
    /// });
    /// assert_eq!(seen, 200); // two epochs of 32, 32, 32 and 4
    /// ```
    pub fn new(
        data: &'a Dataset,
        train: &'a [u32],
        size: NonZeroUsize,
        steps: usize,
        seed: u64,
        augment: &Augment,
    ) -> Loader<'a> {
        Loader { data, train, size, steps, seed, augment: augment.clone(), balanced: false }
    }

    /// Whether each epoch draws its examples so that classes come equally often; see [`Batches::balanced`].
    pub fn balanced(self, balanced: bool) -> Loader<'a> {
        Loader { balanced: balanced && !self.data.classes().is_empty(), ..self }
    }

    /// Batches of an epoch.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The order of epoch `epoch`, from 0.
    pub fn epoch(&self, epoch: u64) -> Batches {
        match self.balanced {
            true => Batches::balanced(self.train, self.data.labels(), self.size, self.seed, epoch),
            false => Batches::training(self.train, self.size, LastBatch::Keep, self.seed, epoch),
        }
    }

    /// Memory and means to make batches on the calling thread.
    pub fn maker(&self) -> Maker<'a> {
        // Tables have labels to smooth at most, which the loss does.
        let augmenter = match (Frame::of(self.data.shape()), self.data.features()) {
            (Some(frame), Features::Pixels { .. })
                if self.augment.changes_pictures() || self.augment.mixes() =>
            {
                let shape = [frame.height, frame.width, frame.channels];
                Some(Augmenter::new(&self.augment, shape, self.seed))
            }
            _ => None,
        };
        Maker { data: self.data, train: self.train, augmenter, other: vec![0.0; self.data.feature_len()] }
    }

    /// Calls `work` with the batches of these numbers, counted over all epochs, made ahead on so many threads; they end
    /// with it.
    pub fn run<R>(&self, loaders: usize, batches: Range<u64>, work: impl FnOnce(&mut Feed<'a>) -> R) -> R {
        let steps = self.steps.max(1) as u64;
        if loaders == 0 {
            let epoch = batches.start / steps;
            let source = Source::Here(Box::new(Here {
                loader: self.clone(),
                maker: self.maker(),
                epoch,
                order: self.epoch(epoch),
                labels: Labels::default(),
            }));
            return work(&mut Feed { source, first: batches.start, batches, steps });
        }
        thread::scope(|scope| {
            let lanes = (0..loaders).map(|lane| {
                let (full, take) = sync_channel(AHEAD);
                let (give_back, empty) = channel();
                for _ in 0..AHEAD {
                    // The other end is here.
                    let _ = give_back.send(Batch::default());
                }
                let numbers = (batches.start + lane as u64..batches.end).step_by(loaders);
                scope.spawn(move || self.load(numbers, &empty, &full));
                Lane { take, give_back, held: None }
            });
            let source = Source::Lanes(lanes.collect());
            // Dropped before the scope ends, so that waiting loaders end.
            let mut feed = Feed { source, first: batches.start, batches, steps };
            work(&mut feed)
        })
    }

    /// What a loader does: makes the batches of `numbers` until there are no more or nobody wants them.
    fn load(&self, numbers: impl Iterator<Item = u64>, empty: &Receiver<Batch>, full: &SyncSender<Batch>) {
        let mut maker = self.maker();
        let mut of: Option<(u64, Batches)> = None;
        for number in numbers {
            let (epoch, at) = (number / self.steps as u64, (number % self.steps as u64) as usize);
            let order = match of.take() {
                Some((same, order)) if same == epoch => order,
                _ => self.epoch(epoch),
            };
            let (_, order) = of.insert((epoch, order));
            let (Ok(mut batch), Some(indices)) = (empty.recv(), order.get(at)) else { return };
            batch.features.resize(indices.len() * self.data.feature_len(), 0.0);
            maker.make(order, at, &mut batch.features, &mut batch.labels);
            if full.send(batch).is_err() {
                return;
            }
        }
    }
}

/// A batch on its way from a loader.
#[derive(Debug, Default)]
struct Batch {
    features: Vec<f32>,
    labels: Labels,
}

/// Makes batches on the thread that calls it.
#[derive(Debug)]
pub struct Maker<'a> {
    data: &'a Dataset,
    train: &'a [u32],
    augmenter: Option<Augmenter>,
    other: Vec<f32>,
}

impl Maker<'_> {
    /// Writes batch number `at` of an epoch, as that sees its n examples: `features` is `[n, feature_len]`. Longer slices
    /// keep their tails. Allocates nothing once `labels` was used.
    ///
    /// # Panics
    /// If an index is not one of the data set, or `features` is too short.
    pub fn make(&mut self, of: &Batches, at: usize, features: &mut [f32], labels: &mut Labels) {
        let indices = of.get(at).unwrap_or(&[]);
        let n = indices.len();
        labels.own.resize(n, 0.0);
        let (Some(augmenter), Features::Pixels { bytes, scale }) =
            (&mut self.augmenter, self.data.features())
        else {
            self.data.gather_into(indices, features, &mut labels.own);
            return;
        };
        let (width, shape) = (self.data.feature_len(), self.data.shape());
        let label = |index: u32| self.data.labels().get(index as usize).map_or(0.0, |&label| label as f32);
        labels.partner.clear();
        labels.weight.clear();
        let examples = indices.iter().zip(of.rounds(at)).zip(features.chunks_exact_mut(width));
        for (at, ((&index, epoch), row)) in examples.enumerate() {
            let picture = |index: u32| &bytes[index as usize * width..][..width];
            values(augmenter.apply(picture(index), epoch, index), *scale, row);
            labels.own[at] = label(index);
            let (Some((mix, partner)), Some(frame)) =
                (augmenter.mix(self.train.len(), epoch, index), Frame::of(shape))
            else {
                continue;
            };
            let (partner, epoch) = of.draw(partner).unwrap_or((self.train[partner], epoch));
            values(augmenter.apply(picture(partner), epoch, partner), *scale, &mut self.other);
            mix.apply(row, &self.other, frame);
            labels.partner.push(label(partner));
            labels.weight.push(mix.weight(frame));
        }
    }
}

fn values(bytes: &[u8], scale: f32, to: &mut [f32]) {
    to.iter_mut().zip(bytes).for_each(|(to, &byte)| *to = f32::from(byte) * scale);
}

/// The batches of a training, one after the other.
#[derive(Debug)]
pub struct Feed<'a> {
    source: Source<'a>,
    first: u64,
    /// Those to come.
    batches: Range<u64>,
    steps: u64,
}

#[derive(Debug)]
enum Source<'a> {
    Here(Box<Here<'a>>),
    Lanes(Vec<Lane>),
}

#[derive(Debug)]
struct Here<'a> {
    loader: Loader<'a>,
    maker: Maker<'a>,
    epoch: u64,
    order: Batches,
    labels: Labels,
}

#[derive(Debug)]
struct Lane {
    take: Receiver<Batch>,
    give_back: Sender<Batch>,
    held: Option<Batch>,
}

impl Feed<'_> {
    /// Writes the features of the next batch, `[n, feature_len]`; its labels. None where all are done.
    ///
    /// # Panics
    /// If `features` is too short for the batch.
    pub fn next(&mut self, features: &mut [f32]) -> Option<&Labels> {
        let (number, steps) = (self.batches.next()?, self.steps);
        match &mut self.source {
            Source::Here(here) => {
                let (epoch, at) = (number / steps, (number % steps) as usize);
                if epoch != here.epoch {
                    (here.epoch, here.order) = (epoch, here.loader.epoch(epoch));
                }
                here.order.get(at)?;
                here.maker.make(&here.order, at, features, &mut here.labels);
                Some(&here.labels)
            }
            Source::Lanes(lanes) => {
                let lane = ((number - self.first) % lanes.len() as u64) as usize;
                let lane = &mut lanes[lane];
                if let Some(done) = lane.held.take() {
                    // A loader that has made its last batch takes no more back.
                    let _ = lane.give_back.send(done);
                }
                // A loader ends early only by a panic, which the end of the scope passes on.
                let batch = lane.held.insert(lane.take.recv().ok()?);
                features[..batch.features.len()].copy_from_slice(&batch.features);
                Some(&batch.labels)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    type Seen = Vec<(Vec<f32>, Labels)>;

    fn all(augment: &Augment, size: usize, loaders: usize) -> Seen {
        let data = digits();
        let train: Vec<u32> = (0..70).map(|n| 3 * n).collect();
        let steps = 70usize.div_ceil(size);
        let loader = Loader::new(&data, &train, size.try_into().unwrap(), steps, 7, augment);
        all_of(&loader, loaders, 0..3 * steps as u64, size)
    }

    fn all_of(loader: &Loader<'_>, loaders: usize, batches: Range<u64>, size: usize) -> Seen {
        loader.run(loaders, batches, |feed| {
            let mut seen = Vec::new();
            let mut features = vec![0.0; size * 64];
            while let Some(labels) = feed.next(&mut features) {
                let labels = labels.clone();
                seen.push((features[..64 * labels.own.len()].to_vec(), labels));
            }
            seen
        })
    }

    fn mixed() -> Augment {
        Augment { crop: 1, rotation: 10.0, mixup: 0.4, cutmix: 1.0, ..Augment::default() }
    }

    #[test]
    fn batches_do_not_depend_on_the_number_of_loaders() {
        for augment in [Augment::default(), mixed()] {
            let here = all(&augment, 16, 0);
            assert_eq!(here.len(), 15);
            for loaders in [1, 2, 3, 20] {
                assert!(all(&augment, 16, loaders) == here, "{loaders}");
            }
        }
    }

    #[test]
    fn batches_do_not_depend_on_where_one_begins() {
        let (data, train) = (digits(), (0..70).collect::<Vec<u32>>());
        let loader = Loader::new(&data, &train, 16.try_into().unwrap(), 5, 7, &mixed());
        let whole = all_of(&loader, 0, 0..15, 16);
        for first in [1, 5, 7, 14, 15] {
            for loaders in [0, 1, 3] {
                assert!(
                    all_of(&loader, loaders, first..15, 16) == whole[first as usize..],
                    "{first} {loaders}"
                );
            }
        }
    }

    #[test]
    fn an_example_does_not_depend_on_the_size_of_its_batch() {
        let rows = |seen: Seen| -> Vec<(Vec<f32>, [f32; 3])> {
            let one = |(x, y): (Vec<f32>, Labels)| {
                let rows = x.chunks(64).map(<[f32]>::to_vec).collect::<Vec<_>>();
                let labels = (0..y.own.len()).map(move |i| [y.own[i], y.partner[i], y.weight[i]]);
                rows.into_iter().zip(labels)
            };
            seen.into_iter().flat_map(one).collect()
        };
        let eight = rows(all(&mixed(), 8, 0));
        assert!(eight == rows(all(&mixed(), 33, 2)));
        assert!(eight.iter().all(|(_, [_, _, weight])| (0.0..=1.0).contains(weight)));
    }

    #[test]
    fn where_classes_come_equally_often_so_do_partners_and_twice_the_same_is_changed_twice() {
        let data = digits();
        let of = |class: u32| (0..1797u32).filter(move |&at| digits().labels()[at as usize] == class);
        let train: Vec<u32> = of(3).take(100).chain(of(5).take(4)).collect();
        let augment = Augment { rotation: 10.0, mixup: 0.4, ..Augment::default() };
        let loader = |augment: &Augment| {
            Loader::new(&data, &train, 26.try_into().unwrap(), 4, 7, augment).balanced(true)
        };
        let mixing = loader(&augment);
        let seen = all_of(&mixing, 0, 0..40, 26);
        for loaders in [1, 3] {
            assert!(all_of(&mixing, loaders, 0..40, 26) == seen, "{loaders}");
            assert!(all_of(&mixing, loaders, 13..40, 26) == seen[13..], "{loaders}");
        }
        let fives = |of: &dyn Fn(&Labels) -> Vec<f32>| {
            seen.iter().flat_map(|(_, labels)| of(labels)).filter(|&label| label == 5.0).count()
        };
        assert_eq!(fives(&|labels| labels.own.clone()), 520);
        // 1040 fair coins have a standard deviation of 16.
        let partners = fives(&|labels| labels.partner.clone());
        assert!(partners.abs_diff(520) < 80, "{partners}");

        let turned = loader(&Augment { mixup: 0.0, ..augment });
        let epoch = all_of(&turned, 0, 0..4, 26);
        let rows = epoch.iter().flat_map(|(x, y)| x.chunks(64).zip(&y.own));
        let mut rows: Vec<Vec<u32>> = rows
            .filter(|(_, label)| **label == 5.0)
            .map(|(row, _)| row.iter().map(|x| x.to_bits()).collect())
            .collect();
        assert_eq!(rows.len(), 52, "13 times each of the 4");
        rows.sort();
        rows.dedup();
        // Small turns of small pictures may be equal; without rounds each epoch would have but 4.
        assert!(rows.len() > 32, "{} of 52 pictures differ", rows.len());
    }

    #[test]
    fn who_stops_early_does_not_wait_for_loaders() {
        let data = digits();
        let train: Vec<u32> = (0..1000).collect();
        let augment = mixed();
        let loader = Loader::new(&data, &train, 10.try_into().unwrap(), 100, 7, &augment);
        let mut features = vec![0.0; 640];
        let seen = loader.run(3, 0..100_000, |feed| {
            feed.next(&mut features);
            feed.next(&mut features).map(|labels| labels.own.len())
        });
        assert_eq!(seen, Some(10));
    }
}
