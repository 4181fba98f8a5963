//! Random numbers as a pure function of where they are used.
//!
//! The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as
//! 1, 2, 3", SC 2011): a keyed bijection of a 64-bit counter, made of additions, rotations and exclusive ors only, so
//! that every device computes the same bits and any block can be computed without those before it.
//!
//! A *stream* is the sequence `block(key, 0), block(key, 1), ...` of two words each. Its key comes from three things:
//!
//! ```text
//! key = threefry(threefry(seed, purpose), index)
//! ```
//!
//! where `purpose` says what the numbers are for and `index` which one of its kind it is (the epoch of a shuffle, the
//! number of a parameter). Two different uses therefore never share numbers, and adding one use does not move
//! the numbers of another. No stream depends on the clock, on threads or on what was drawn elsewhere.
//!
//! ```
//! use bratt::random::{Purpose, Stream};
//! let mut a = Stream::new(7, Purpose::Init, 0);
//! let mut b = Stream::new(7, Purpose::Init, 0);
//! assert_eq!(a.next_u32(), b.next_u32());
//! assert!(a.below(6) < 6);
//! ```

use bratt_kernels::random::threefry;
use std::f64::consts::TAU;

/// What random numbers are drawn for; part of every stream's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Dividing a data set; the index is the class.
    Split = 1,
    /// The order of the training examples; the index is the epoch.
    Shuffle = 2,
    /// Initial values; the index is the parameter.
    Init = 3,
    /// Dropout and other noise inside a step.
    Noise = 4,
    /// Random changes to training examples; the index is `epoch * 2^32 + index in the data set`.
    Augment = 5,
    /// Drawing examples with replacement for an interval; the index is the resample.
    Bootstrap = 6,
    /// Dividing examples into folds; the index is the class.
    Fold = 7,
    /// Noisy copies of an image that is explained; the index is the copy.
    Explain = 8,
    /// Drawing examples so that classes come equally often; the index is `class * 2^32 + round`.
    Balance = 9,
    /// Settings of a trial of a search; the index is the trial.
    Search = 10,
}

fn words(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// A sequence of random numbers that is fully given by `(seed, purpose, index)`.
///
/// Integers and [`uniform`](Stream::uniform) have the same bits on every machine; [`normal`](Stream::normal) uses the
/// platform's logarithm and cosine, whose last bit may differ between platforms.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    key: [u32; 2],
    block: u64,
    spare_word: Option<u32>,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of a use: see the [module](self) for how the three parts make the key.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let key = threefry(threefry(words(seed), [purpose as u32, 0]), words(index));
        Self { key, block: 0, spare_word: None, spare_normal: None }
    }

    /// The sequence from block `part * 2^32` on: where one use has several parts, each is at its own place, however much
    /// the others draw.
    pub fn part(&self, part: u32) -> Stream {
        Self { key: self.key, block: u64::from(part) << 32, spare_word: None, spare_normal: None }
    }

    /// The next word, uniform over all 32-bit values.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(word) = self.spare_word.take() {
            return word;
        }
        let [first, second] = threefry(self.key, words(self.block));
        self.block = self.block.wrapping_add(1);
        self.spare_word = Some(second);
        first
    }

    /// A whole number in `0..bound`, each equally likely (Lemire, "Fast Random Integer Generation in an Interval",
    /// 2019). A `bound` of 0 or 1 gives 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(bound);
        if (product as u32) < bound {
            let unfair = bound.wrapping_neg() % bound;
            while (product as u32) < unfair {
                product = u64::from(self.next_u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.next_u32() >> 5);
        let low = u64::from(self.next_u32() >> 6);
        ((high << 26) | low) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number from the normal distribution of mean 0 and variance 1 (Box and Muller, 1958): with `u` in `(0, 1]`
    /// and `v` in `[0, 1)`, the pair `sqrt(-2 ln u) (cos 2πv, sin 2πv)` is two independent ones.
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare_normal.take() {
            return value;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (TAU * self.uniform()).sin_cos();
        self.spare_normal = Some(radius * sin);
        radius * cos
    }

    /// Puts `items` in random order (Fisher and Yates; Durstenfeld's form), every order equally likely as far as the
    /// generator goes.
    ///
    /// # Panics
    /// If there are more than `u32::MAX` items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let n = u32::try_from(items.len()).expect("at most u32::MAX items");
        for last in (1..n).rev() {
            items.swap(last as usize, self.below(last + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers published with Random123 (`kat_vectors`, threefry2x32, 20 rounds).
    #[test]
    fn published_known_answers() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(
            threefry([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]),
            [0xc492_3a9c, 0x483d_f7a0]
        );
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).next_u32();
        let base = first(1, Purpose::Init, 0);
        assert_ne!(base, first(2, Purpose::Init, 0));
        assert_ne!(base, first(1 << 32 | 1, Purpose::Init, 0));
        assert_ne!(base, first(1, Purpose::Shuffle, 0));
        assert_ne!(base, first(1, Purpose::Init, 1));
    }

    #[test]
    fn below_is_in_range_and_even() {
        let mut stream = Stream::new(3, Purpose::Noise, 0);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // Five standard deviations of a binomial count with n = 60,000 and p = 1/6 are 457.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 457), "{counts:?}");
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let n = 100_000;
        let mut stream = Stream::new(11, Purpose::Noise, 0);
        let uniform: Vec<f64> = (0..n).map(|_| stream.uniform()).collect();
        assert!(uniform.iter().all(|u| (0.0..1.0).contains(u)));
        let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let moments = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / n as f64;
            (mean, x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64)
        };
        // Bounds of five standard errors.
        let (mean, variance) = moments(&uniform);
        assert!((mean - 0.5).abs() < 0.0046 && (variance - 1.0 / 12.0).abs() < 0.0012, "{mean} {variance}");
        let (mean, variance) = moments(&normal);
        assert!(mean.abs() < 0.016 && (variance - 1.0).abs() < 0.0224, "{mean} {variance}");
    }

    #[test]
    fn shuffle_reaches_every_order_about_equally() {
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..6_000 {
            let mut items = [0, 1, 2];
            Stream::new(5, Purpose::Shuffle, index).shuffle(&mut items);
            *counts.entry(items).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&count| count.abs_diff(1_000) < 145), "{counts:?}");
    }
}
