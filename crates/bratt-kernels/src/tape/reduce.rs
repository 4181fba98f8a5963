//! The reduction kernels, each in a fixed order of combination.
//!
//! A row is summed in `4 LANES` interleaved chains that are then combined pairwise; a column in 4 chains of
//! interleaved rows. With `e = 2^-24`, the error of a sum is at most `(n / (4 LANES) + 8) e` (row of `n`), or
//! `(rows / 4 + 3) e` (column), times the sum of magnitudes; partial sums of tiles and tasks add `e` for each of them.

use super::Reduction;
use super::ops::{Args, Entry, Loop, entry};
use crate::isa::Isa;
use crate::simd::Simd;

/// A way to combine.
trait Combine {
    const IDENTITY: f32;
    unsafe fn lanes<S: Simd>(a: S::V, b: S::V) -> S::V;
    fn scalar(a: f32, b: f32) -> f32;
}

struct Sum;
impl Combine for Sum {
    const IDENTITY: f32 = 0.0;
    #[inline(always)]
    unsafe fn lanes<S: Simd>(a: S::V, b: S::V) -> S::V {
        // SAFETY: the caller vouches for the instruction set.
        unsafe { S::add(a, b) }
    }
    #[inline(always)]
    fn scalar(a: f32, b: f32) -> f32 {
        a + b
    }
}

struct Max;
impl Combine for Max {
    const IDENTITY: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    unsafe fn lanes<S: Simd>(a: S::V, b: S::V) -> S::V {
        // SAFETY: the caller vouches for the instruction set.
        unsafe { S::max(a, b) }
    }
    #[inline(always)]
    fn scalar(a: f32, b: f32) -> f32 {
        if a > b || a.is_nan() { a } else { b }
    }
}

struct Min;
impl Combine for Min {
    const IDENTITY: f32 = f32::INFINITY;
    #[inline(always)]
    unsafe fn lanes<S: Simd>(a: S::V, b: S::V) -> S::V {
        // SAFETY: the caller vouches for the instruction set.
        unsafe { S::min(a, b) }
    }
    #[inline(always)]
    fn scalar(a: f32, b: f32) -> f32 {
        if a < b || a.is_nan() { a } else { b }
    }
}

/// What combining starts from.
pub(crate) fn identity(reduction: Reduction) -> f32 {
    match reduction {
        Reduction::Sum => Sum::IDENTITY,
        Reduction::Max => Max::IDENTITY,
        Reduction::Min => Min::IDENTITY,
    }
}

/// Combines the `n` numbers of a row.
#[inline(always)]
unsafe fn row<S: Simd, C: Combine>(p: *const f32, n: usize) -> f32 {
    // SAFETY: all reads lie within `n` numbers from `p`.
    unsafe {
        let identity = S::splat(C::IDENTITY);
        let mut acc = [identity; 4];
        let mut i = 0;
        while i + 4 * S::LANES <= n {
            acc[0] = C::lanes::<S>(acc[0], S::load(p.add(i)));
            acc[1] = C::lanes::<S>(acc[1], S::load(p.add(i + S::LANES)));
            acc[2] = C::lanes::<S>(acc[2], S::load(p.add(i + 2 * S::LANES)));
            acc[3] = C::lanes::<S>(acc[3], S::load(p.add(i + 3 * S::LANES)));
            i += 4 * S::LANES;
        }
        while i + S::LANES <= n {
            acc[0] = C::lanes::<S>(acc[0], S::load(p.add(i)));
            i += S::LANES;
        }
        if i < n {
            let lane = S::u_to_f32(S::iota_u());
            let inside = S::lt(lane, S::splat((n - i) as f32));
            acc[1] = C::lanes::<S>(acc[1], S::select(inside, S::load_first(p.add(i), n - i), identity));
        }
        let all = C::lanes::<S>(C::lanes::<S>(acc[0], acc[1]), C::lanes::<S>(acc[2], acc[3]));
        let mut lanes = [C::IDENTITY; 16];
        S::store(lanes.as_mut_ptr(), all);
        let mut width = S::LANES / 2;
        while width > 0 {
            let mut j = 0;
            while j < width {
                lanes[j] = C::scalar(lanes[j], lanes[j + width]);
                j += 1;
            }
            width /= 2;
        }
        lanes[0]
    }
}

/// `dst[r]` = row `r`.
struct Cols<C>(std::marker::PhantomData<C>);
impl<C: Combine> Loop for Cols<C> {
    #[inline(always)]
    unsafe fn run<S: Simd>(args: &Args) {
        // SAFETY: all accesses lie within the matrices of `args`.
        unsafe {
            let mut r = 0;
            while r < args.rows {
                *args.dst.add(r) = row::<S, C>(args.src[0].add(r * args.strides[0]), args.cols);
                r += 1;
            }
        }
    }
}

/// `dst[0]` = everything, combined with what is there if `KEEP`.
struct All<C, const KEEP: bool>(std::marker::PhantomData<C>);
impl<C: Combine, const KEEP: bool> Loop for All<C, KEEP> {
    #[inline(always)]
    unsafe fn run<S: Simd>(args: &Args) {
        // SAFETY: all accesses lie within the matrices of `args`.
        unsafe {
            let mut total = C::IDENTITY;
            let mut r = 0;
            while r < args.rows {
                total = C::scalar(total, row::<S, C>(args.src[0].add(r * args.strides[0]), args.cols));
                r += 1;
            }
            *args.dst = if KEEP { C::scalar(*args.dst, total) } else { total };
        }
    }
}

/// `dst[c]` = column `c`, combined with what is there if `KEEP`.
struct Rows<C, const KEEP: bool>(std::marker::PhantomData<C>);

impl<C: Combine, const KEEP: bool> Rows<C, KEEP> {
    /// One vector of columns; `n` of its lanes are used.
    #[inline(always)]
    unsafe fn columns<S: Simd, const PART: bool>(args: &Args, col: usize, n: usize) -> S::V {
        // SAFETY: `n` (or all) lanes from `col` lie within the rows of `args`.
        unsafe {
            let stride = args.strides[0];
            let mut p = args.src[0].add(col);
            let mut acc = [S::splat(C::IDENTITY); 4];
            let mut r = 0;
            while r + 4 <= args.rows {
                acc[0] = C::lanes::<S>(acc[0], load::<S, PART>(p, n));
                acc[1] = C::lanes::<S>(acc[1], load::<S, PART>(p.add(stride), n));
                acc[2] = C::lanes::<S>(acc[2], load::<S, PART>(p.add(2 * stride), n));
                acc[3] = C::lanes::<S>(acc[3], load::<S, PART>(p.add(3 * stride), n));
                p = p.add(4 * stride);
                r += 4;
            }
            while r < args.rows {
                acc[0] = C::lanes::<S>(acc[0], load::<S, PART>(p, n));
                p = p.add(stride);
                r += 1;
            }
            let all = C::lanes::<S>(C::lanes::<S>(acc[0], acc[1]), C::lanes::<S>(acc[2], acc[3]));
            if KEEP { C::lanes::<S>(load::<S, PART>(args.dst.add(col), n), all) } else { all }
        }
    }
}

#[inline(always)]
unsafe fn load<S: Simd, const PART: bool>(p: *const f32, n: usize) -> S::V {
    // SAFETY: the caller vouches for the lanes read.
    unsafe { if PART { S::load_first(p, n) } else { S::load(p) } }
}

impl<C: Combine, const KEEP: bool> Loop for Rows<C, KEEP> {
    #[inline(always)]
    unsafe fn run<S: Simd>(args: &Args) {
        // SAFETY: all accesses lie within the matrices of `args`.
        unsafe {
            let n = args.cols;
            if n < S::LANES {
                let all = Self::columns::<S, true>(args, 0, n);
                S::store_first(args.dst, all, n);
                return;
            }
            // As in the pointwise loop: the ragged end overlaps, is computed first and written last.
            let last = n - S::LANES;
            let end = Self::columns::<S, false>(args, last, S::LANES);
            let mut col = 0;
            while col < last {
                S::store(args.dst.add(col), Self::columns::<S, false>(args, col, S::LANES));
                col += S::LANES;
            }
            S::store(args.dst.add(last), end);
        }
    }
}

/// Combines the columns of each row: one number per row.
pub(crate) fn cols(reduction: Reduction, isa: Isa) -> Entry {
    match reduction {
        Reduction::Sum => entry::<Cols<Sum>>(isa),
        Reduction::Max => entry::<Cols<Max>>(isa),
        Reduction::Min => entry::<Cols<Min>>(isa),
    }
}

/// Combines the rows of each column: one number per column, on top of what is there if `keep`.
pub(crate) fn rows(reduction: Reduction, keep: bool, isa: Isa) -> Entry {
    match (reduction, keep) {
        (Reduction::Sum, true) => entry::<Rows<Sum, true>>(isa),
        (Reduction::Sum, false) => entry::<Rows<Sum, false>>(isa),
        (Reduction::Max, true) => entry::<Rows<Max, true>>(isa),
        (Reduction::Max, false) => entry::<Rows<Max, false>>(isa),
        (Reduction::Min, true) => entry::<Rows<Min, true>>(isa),
        (Reduction::Min, false) => entry::<Rows<Min, false>>(isa),
    }
}

/// Combines everything to one number, on top of what is there if `keep`.
pub(crate) fn all(reduction: Reduction, keep: bool, isa: Isa) -> Entry {
    match (reduction, keep) {
        (Reduction::Sum, true) => entry::<All<Sum, true>>(isa),
        (Reduction::Sum, false) => entry::<All<Sum, false>>(isa),
        (Reduction::Max, true) => entry::<All<Max, true>>(isa),
        (Reduction::Max, false) => entry::<All<Max, false>>(isa),
        (Reduction::Min, true) => entry::<All<Min, true>>(isa),
        (Reduction::Min, false) => entry::<All<Min, false>>(isa),
    }
}
