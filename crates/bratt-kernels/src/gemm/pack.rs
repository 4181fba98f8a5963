//! Packing: blocks of B copied into the order in which the innermost loop reads them, and lines of A to where they do
//! not push each other out of the cache.

use super::micro::Registers;
use crate::simd::Simd;

/// Steps copied at a time, so that the lines that neighbouring panels share stay in the first-level cache.
const STEPS: usize = 8;

/// Panels packed together. Neighbouring columns share pages of memory, which are dear to look up, and lines.
pub(super) const PANELS: usize = 4;

/// Numbers in a packed strip of B.
pub(super) const fn b_len(depth: usize, cols: usize, registers: Registers) -> usize {
    depth * cols.next_multiple_of(registers.nr)
}

/// From one line of a copied block of A to the next: on a cache line, and never back to the same cache set soon.
const fn line_stride(length: usize) -> usize {
    length.next_multiple_of(32) + 16
}

/// Numbers in a copied block of A.
pub(super) const fn lines_len(lines: usize, length: usize) -> usize {
    lines * line_stride(length)
}

/// Copies `lines` lines of `length` numbers of A; returns how far apart they lie in the copy.
///
/// # Safety
/// The pointers must be valid, `to` for [`lines_len`] numbers.
pub(super) unsafe fn lines(lines: usize, length: usize, a: *const f32, stride: usize, to: *mut f32) -> usize {
    let apart = line_stride(length);
    for i in 0..lines {
        // SAFETY: the caller vouches for line `i`.
        unsafe { std::ptr::copy_nonoverlapping(a.add(i * stride), to.add(i * apart), length) };
    }
    apart
}

/// A strip of B: `depth x width` numbers in panels of NR columns, panel after panel, the last one padded with zeros to
/// whole vectors.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid; `to` for [`b_len`] numbers.
#[inline(always)]
pub(super) unsafe fn b<S: Simd>(depth: usize, width: usize, b: *const f32, stride: usize, to: *mut f32) {
    let registers = const { Registers::new::<S>() };
    let mut p0 = 0;
    while p0 < depth {
        let steps = STEPS.min(depth - p0);
        let mut j = 0;
        while j < width {
            let width = registers.nr.min(width - j);
            let vectors = registers.vectors(width);
            // SAFETY: `steps` rows from `p0` on of the panel at column `j`.
            unsafe {
                let to = to.add(j * depth + p0 * vectors * S::LANES);
                panel::<S>(steps, width, vectors, b.add(p0 * stride + j), stride, to);
            }
            j += width;
        }
        p0 += steps;
    }
}

/// A panel of B, or some rows of it.
///
/// # Safety
/// As for [`b`](fn@b).
#[inline(always)]
unsafe fn panel<S: Simd>(
    depth: usize,
    width: usize,
    vectors: usize,
    b: *const f32,
    stride: usize,
    to: *mut f32,
) {
    let whole = width / S::LANES;
    let rest = width % S::LANES;
    if vectors == 2 && width == 2 * S::LANES {
        for p in 0..depth {
            // SAFETY: the usual case of what follows, without its branches.
            unsafe {
                let from = b.add(p * stride);
                let to = to.add(p * 2 * S::LANES);
                S::store(to, S::load(from));
                S::store(to.add(S::LANES), S::load(from.add(S::LANES)));
            }
        }
        return;
    }
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
    b: *const f32,
    stride: usize,
    to: *mut f32,
) {
    let registers = const { Registers::new::<S>() };
    let mut j = 0;
    while j < width {
        let width = registers.nr.min(width - j);
        let vectors = registers.vectors(width);
        // SAFETY: the panel at column `j`.
        unsafe { panel_transposed::<S>(depth, width, vectors, b.add(j * stride), stride, to.add(j * depth)) };
        j += width;
    }
}

/// A panel of a transposed B.
///
/// # Safety
/// As for [`b`](fn@b).
#[inline(always)]
unsafe fn panel_transposed<S: Simd>(
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
