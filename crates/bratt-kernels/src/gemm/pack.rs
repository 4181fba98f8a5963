//! Packing: blocks of A and B copied into the order in which the innermost loop reads them.

use super::micro::{Registers, group};
use crate::simd::Simd;

/// Steps copied at a time, so that the lines of A that neighbouring groups share stay in the first-level cache.
const STEPS: usize = 8;

/// Numbers in a packed panel of B.
pub(super) const fn b_len(depth: usize, registers: Registers) -> usize {
    depth * registers.nr
}

/// Numbers in a packed block of A.
pub(super) const fn a_len(rows: usize, depth: usize) -> usize {
    rows * depth
}

/// `depth x rows` numbers of a transposed A (row `p` at `a + p * stride`) in groups of rows, each group with its rows
/// side by side.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid; `to` for [`a_len`] numbers.
#[inline(always)]
pub(super) unsafe fn a<S: Simd>(depth: usize, rows: usize, a: *const f32, stride: usize, to: *mut f32) {
    let mr = const { Registers::new::<S>().mr };
    let mut p0 = 0;
    while p0 < depth {
        let p1 = depth.min(p0 + STEPS);
        let mut i = 0;
        while i < rows {
            let width = group(rows - i, mr);
            for p in p0..p1 {
                // SAFETY: reads the group's `width` numbers; what a whole vector writes beyond them belongs to later
                // steps of the group.
                unsafe {
                    let from = a.add(p * stride + i);
                    let at = p * width;
                    let to = to.add(i * depth + at);
                    let mut x = 0;
                    while x < width {
                        let rest = (width - x).min(S::LANES);
                        let v = if rest == S::LANES {
                            S::load(from.add(x))
                        } else {
                            S::load_first(from.add(x), rest)
                        };
                        if at + x + S::LANES <= depth * width {
                            S::store(to.add(x), v);
                        } else {
                            S::store_first(to.add(x), v, rest);
                        }
                        x += rest;
                    }
                }
            }
            i += width;
        }
        p0 = p1;
    }
}

/// A panel of B: `depth x width` numbers, padded with zeros to `vectors` vectors.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid; `to` for [`b_len`] numbers;
/// `(vectors - 1) * LANES < width` or `vectors > 1`.
#[inline(always)]
pub(super) unsafe fn b<S: Simd>(
    depth: usize,
    width: usize,
    vectors: usize,
    b: *const f32,
    stride: usize,
    to: *mut f32,
) {
    let whole = width / S::LANES;
    let rest = width % S::LANES;
    for p in 0..depth {
        // SAFETY: reads `width` numbers of row `p`, writes `vectors` whole vectors.
        unsafe {
            let from = b.add(p * stride);
            let to = to.add(p * vectors * S::LANES);
            for v in 0..whole {
                S::store(to.add(v * S::LANES), S::load(from.add(v * S::LANES)));
            }
            if whole < vectors {
                S::store(to.add(whole * S::LANES), S::load_first(from.add(whole * S::LANES), rest));
                for v in whole + 1..vectors {
                    S::store(to.add(v * S::LANES), S::splat(0.0));
                }
            }
        }
    }
}

/// As [`b`](fn@b), from a transposed B (column `j` at `b + j * stride`).
///
/// # Safety
/// As for [`b`](fn@b).
#[inline(always)]
pub(super) unsafe fn b_transposed<S: Simd>(
    depth: usize,
    width: usize,
    vectors: usize,
    b: *const f32,
    stride: usize,
    to: *mut f32,
) {
    let to_stride = vectors * S::LANES;
    let whole = depth - depth % S::LANES;
    for v in 0..vectors {
        let j = v * S::LANES;
        // SAFETY: square blocks lie within `depth` and `width`; the rest goes number by number.
        unsafe {
            let mut p = 0;
            if j + S::LANES <= width {
                while p < whole {
                    S::transpose(b.add(j * stride + p), stride, to.add(p * to_stride + j), to_stride);
                    p += S::LANES;
                }
            }
            for j in j..j + S::LANES {
                for p in p..depth {
                    *to.add(p * to_stride + j) = if j < width { *b.add(j * stride + p) } else { 0.0 };
                }
            }
        }
    }
}
