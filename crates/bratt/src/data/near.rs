//! Pairs of images that look the same, without comparing all with all.
//!
//! Two hashes that differ in at most 4 of 64 bits agree wholly in at least one of 5 bands of bits. So hashes are sorted
//! by each band in turn, and compared within runs of equal keys. A band takes every fifth bit, so that none is a plain
//! piece of background for all images. What is found does not depend on the bands.

use super::look::Look;

/// Bits of 64 in which the difference hashes of two images that look the same may differ.
pub const NEAR_BITS: u32 = 4;
/// Mean difference of their thumbnails, in levels of 255, each by its own mean.
pub const NEAR_LEVELS: f64 = 5.0;

/// The search ends after so many pairs: such images look alike by nature, and all pairs would fill the memory.
pub const MOST_PAIRS: usize = 1_000_000;

const BANDS: u32 = NEAR_BITS + 1;

/// All pairs `(bits, a, b)`, `a < b`, by bits and then by position; at most [`MOST_PAIRS`].
pub(super) fn pairs(looks: &[&Look]) -> Vec<(u32, usize, usize)> {
    let hashes: Vec<(u64, usize)> =
        looks.iter().zip(0..).filter_map(|(look, at)| Some((look.dhash()?, at))).collect();
    let masks: Vec<u64> = (0..BANDS)
        .map(|band| (band..64).step_by(BANDS as usize).fold(0, |mask, bit| mask | (1 << bit)))
        .collect();
    let mut pairs = Vec::new();
    'search: for (band, &mask) in masks.iter().enumerate() {
        let mut order = hashes.clone();
        order.sort_unstable_by_key(|&(hash, at)| (hash & mask, at));
        for run in order.chunk_by(|a, b| a.0 & mask == b.0 & mask) {
            for (i, &(one, a)) in run.iter().enumerate() {
                for &(other, b) in &run[i + 1..] {
                    let bits = (one ^ other).count_ones();
                    // A pair is taken in the first band in which it agrees.
                    if bits <= NEAR_BITS
                        && masks[..band].iter().all(|earlier| (one ^ other) & earlier != 0)
                        && looks[a].distance(looks[b]) <= NEAR_LEVELS
                    {
                        pairs.push((bits, a, b));
                        if pairs.len() == MOST_PAIRS {
                            break 'search;
                        }
                    }
                }
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn bands_find_the_pairs_that_comparing_all_with_all_finds() {
        let mut random = Stream::new(3, Purpose::Split, 0);
        let mut looks: Vec<Look> = Vec::new();
        for at in 0..300usize {
            let mut thumbnail = [0; 72];
            if at % 3 == 0 {
                thumbnail.iter_mut().for_each(|value| *value = random.below(256) as u8);
            } else {
                // Like the one before but for a few values.
                thumbnail = looks[at - 1].thumbnail.unwrap();
                thumbnail[random.below(72) as usize] ^= 31;
            }
            looks.push(Look { size: [9, 9], mode: "", pixels: at as u128, thumbnail: Some(thumbnail) });
        }
        let looks: Vec<&Look> = looks.iter().collect();
        let mut expected = Vec::new();
        for a in 0..looks.len() {
            for b in a + 1..looks.len() {
                let bits = (looks[a].dhash().unwrap() ^ looks[b].dhash().unwrap()).count_ones();
                if bits <= NEAR_BITS && looks[a].distance(looks[b]) <= NEAR_LEVELS {
                    expected.push((bits, a, b));
                }
            }
        }
        expected.sort_unstable();
        assert!(expected.len() > 250, "{}", expected.len());
        assert_eq!(pairs(&looks), expected);
    }

    #[test]
    fn images_that_are_all_alike_do_not_fill_the_memory() {
        let thumbnail = std::array::from_fn(|at| (at * 37 % 256) as u8);
        let look = Look { size: [9, 9], mode: "", pixels: 0, thumbnail: Some(thumbnail) };
        assert_eq!(pairs(&vec![&look; 100]).len(), 100 * 99 / 2);
        assert_eq!(pairs(&vec![&look; 1500]).len(), MOST_PAIRS);
    }
}
