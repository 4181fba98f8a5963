//! Random numbers as a pure function of (seed, step, stream, index): Threefry-2x32 with 20 rounds.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). A block cipher in all but
//! name, of additions, rotations and exclusive ors, turns a counter into two random words: no state to carry, so any
//! part of a stream can be made anywhere, in any order, on any number of threads.
//!
//! The uniform number with index `i` of a stream is defined as follows. The stream's key is Threefry of the counter
//! `[lo(step) ^ rotl(hi(step), 16), stream]` under the key `[lo(seed), hi(seed)]`. Indices go in groups of 32, each
//! made of 16 counters: with `g = i / 32` and `j = i % 32`, the number comes from word `j / 16` of Threefry of the
//! 64-bit counter `16 g + j % 16` under the stream's key, as `(word >> 8) * 2^-24`, which lies in [0, 1).
//! (Every vector length divides 16, hence the two halves.)
//!
//! ```
//! use bratt_kernels::random::{Key, stream_key, uniform, uniform_at};
//!
//! let key = Key { seed: 7, step: 0 };
//! let x = uniform_at(key, 1, 1000);
//! assert!((0.0..1.0).contains(&x));
//! assert_eq!(x, uniform(stream_key(key, 1), 1000));
//! ```

use crate::simd::Simd;

/// What the random numbers of one run depend on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Key {
    /// The seed of the whole training.
    pub seed: u64,
    /// The number of the step.
    pub step: u64,
}

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY: u32 = 0x1bd1_1bda;

/// Threefry-2x32-20 of one counter.
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let ks = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let [mut x, mut y] = [counter[0].wrapping_add(ks[0]), counter[1].wrapping_add(ks[1])];
    for round in 0..20 {
        x = x.wrapping_add(y);
        y = y.rotate_left(ROTATIONS[round % 8]) ^ x;
        if round % 4 == 3 {
            let s = round / 4 + 1;
            x = x.wrapping_add(ks[s % 3]);
            y = y.wrapping_add(ks[(s + 1) % 3]).wrapping_add(s as u32);
        }
    }
    [x, y]
}

const fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// The key of one stream.
pub fn stream_key(key: Key, stream: u32) -> [u32; 2] {
    let [lo, hi] = halves(key.step);
    threefry(halves(key.seed), [lo ^ hi.rotate_left(16), stream])
}

/// A word as a number in [0, 1).
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The uniform number with the given index, from a key of [`stream_key`].
pub fn uniform(stream_key: [u32; 2], index: u64) -> f32 {
    let (group, j) = (index / 32, index % 32);
    let words = threefry(stream_key, halves(group * 16 + j % 16));
    unit(words[(j / 16) as usize])
}

/// The uniform number in [0, 1) with the given index of a stream.
pub fn uniform_at(key: Key, stream: u32, index: u64) -> f32 {
    uniform(stream_key(key, stream), index)
}

/// Most vectors side by side.
const WAYS: usize = 4;

/// Vectors side by side: a divisor of those of a group.
const fn ways<S: Simd>() -> usize {
    let vectors = 16 / S::LANES;
    if vectors < WAYS { vectors } else { WAYS }
}

#[inline(always)]
unsafe fn round<S: Simd, const R: u32, const L: u32>(x: &mut [S::U; WAYS], y: &mut [S::U; WAYS]) {
    for v in 0..const { ways::<S>() } {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            x[v] = S::add_u(x[v], y[v]);
            y[v] = S::xor_u(S::or_u(S::shl_u::<R>(y[v]), S::shr_u::<L>(y[v])), x[v]);
        }
    }
}

/// The 32 uniform numbers of one group.
#[inline(always)]
unsafe fn group<S: Simd>(key: [u32; 2], group: u64, out: *mut f32) {
    const { assert!(16 % S::LANES == 0) };
    // SAFETY: the caller vouches for the instruction set and for 32 numbers at `out`.
    unsafe {
        let ks = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
        let [lo, hi] = halves(group * 16);
        // Each round waits for the one before it, so a few vectors go through them side by side.
        let ways = const { ways::<S>() };
        let mut first = 0;
        while first < 16 {
            let mut x = [S::splat_u(0); WAYS];
            let mut y = [S::splat_u(hi.wrapping_add(ks[1])); WAYS];
            for (v, x) in x.iter_mut().enumerate().take(ways) {
                // The 16 counters of a group differ in their low word only.
                let counter = lo.wrapping_add((first + v * S::LANES) as u32);
                *x = S::add_u(S::splat_u(counter.wrapping_add(ks[0])), S::iota_u());
            }
            let mut s = 0;
            while s < 5 {
                if s % 2 == 0 {
                    round::<S, 13, 19>(&mut x, &mut y);
                    round::<S, 15, 17>(&mut x, &mut y);
                    round::<S, 26, 6>(&mut x, &mut y);
                    round::<S, 6, 26>(&mut x, &mut y);
                } else {
                    round::<S, 17, 15>(&mut x, &mut y);
                    round::<S, 29, 3>(&mut x, &mut y);
                    round::<S, 16, 16>(&mut x, &mut y);
                    round::<S, 24, 8>(&mut x, &mut y);
                }
                s += 1;
                for v in 0..ways {
                    x[v] = S::add_u(x[v], S::splat_u(ks[s % 3]));
                    y[v] = S::add_u(y[v], S::splat_u(ks[(s + 1) % 3].wrapping_add(s as u32)));
                }
            }
            let scale = S::splat(1.0 / 16_777_216.0);
            for v in 0..ways {
                let out = out.add(first + v * S::LANES);
                S::store(out, S::mul(S::u_to_f32(S::shr_u::<8>(x[v])), scale));
                S::store(out.add(16), S::mul(S::u_to_f32(S::shr_u::<8>(y[v])), scale));
            }
            first += ways * S::LANES;
        }
    }
}

/// Writes the uniform numbers with indices `start..start + n`.
///
/// # Safety
/// The instruction set is present; `n` numbers at `out` can be written.
#[inline(always)]
pub(crate) unsafe fn fill<S: Simd>(key: [u32; 2], start: u64, out: *mut f32, n: usize) {
    // SAFETY: every write lies within `n` numbers from `out`, or in `block`.
    unsafe {
        let mut block = [0.0f32; 32];
        let mut done = 0;
        while done < n {
            let index = start + done as u64;
            let skip = (index % 32) as usize;
            if skip == 0 && n - done >= 32 {
                group::<S>(key, index / 32, out.add(done));
                done += 32;
            } else {
                group::<S>(key, index / 32, block.as_mut_ptr());
                let count = (32 - skip).min(n - done);
                std::ptr::copy_nonoverlapping(block.as_ptr().add(skip), out.add(done), count);
                done += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Kernel, dispatch};

    /// The vectors of Random123's `kat_vectors` for threefry2x32, 20 rounds.
    #[test]
    fn threefry_gives_the_published_answers() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(
            threefry([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]),
            [0xc492_3a9c, 0x483d_f7a0]
        );
    }

    struct Fill<'a>([u32; 2], u64, &'a mut [f32]);
    impl Kernel for Fill<'_> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            // SAFETY: the slice bounds the writes.
            unsafe { fill::<S>(self.0, self.1, self.2.as_mut_ptr(), self.2.len()) }
        }
    }

    #[test]
    fn vectors_give_the_scalar_definition_from_any_start() {
        let key = stream_key(Key { seed: 0x1234_5678_9abc_def0, step: 1 << 33 }, 3);
        for isa in Isa::available() {
            for start in [0u64, 1, 31, 32, 40, (1 << 36) - 5] {
                for n in [1usize, 5, 16, 31, 32, 33, 100] {
                    let mut out = vec![0.0; n];
                    // SAFETY: the instruction set is available.
                    unsafe { dispatch(isa, Fill(key, start, &mut out)) };
                    let want: Vec<f32> = (start..start + n as u64).map(|i| uniform(key, i)).collect();
                    assert_eq!(out, want, "{isa}, start {start}, {n} numbers");
                }
            }
        }
    }

    #[test]
    fn numbers_are_uniform_and_streams_differ() {
        let n = 100_000u64;
        let key = Key { seed: 1, step: 2 };
        let [a, b] = [5, 6].map(|stream| stream_key(key, stream));
        let (mut sum, mut square, mut product) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let (x, y) = (f64::from(uniform(a, i)) - 0.5, f64::from(uniform(b, i)) - 0.5);
            sum += x;
            square += x * x;
            product += x * y;
        }
        let n = n as f64;
        // Five standard deviations of each estimate.
        assert!((sum / n).abs() < 5.0 * (1.0 / 12.0 / n).sqrt());
        assert!((square / n - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / n).sqrt());
        assert!((product / n).abs() < 5.0 / 12.0 / n.sqrt());
    }
}
