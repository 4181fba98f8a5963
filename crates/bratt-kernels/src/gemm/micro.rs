//! The innermost loop: a block of C of a few rows and vectors held in registers, one column of A times one row of B
//! added to it per step. A is read number by number and spread over the lanes.
//!
//! Per step, R rows by W vectors take R W multiply-adds, W loads of B and R of A. Two multiply-adds and two loads start
//! in a cycle and a multiply-add takes 4 cycles, so at least 8 accumulators are needed to be bound by the arithmetic.

use crate::isa::Isa;
use crate::simd::scalar::Scalar;
use crate::simd::{Simd, prefetch};
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2::Avx2, avx512::Avx512};

/// Numbers in a cache line.
const LINE: usize = 16;
/// Rows of B asked for in advance where a single row of A meets them.
const AHEAD: usize = 16;

/// The block of C held in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Registers {
    /// Lanes of a vector.
    pub lanes: usize,
    /// Most rows.
    pub mr: usize,
    /// Columns: a whole number of vectors.
    pub nr: usize,
}

impl Registers {
    /// Leaves room for a row of B and a spread number of A beside the accumulators.
    pub(super) const fn new<S: Simd>() -> Registers {
        let (mr, vectors) = match S::REGISTERS {
            32 if S::LANES == 4 => (8, 3),
            32 => (14, 2),
            16 if S::LANES == 4 => (4, 2),
            16 => (6, 2),
            _ => (2, 2),
        };
        Registers { lanes: S::LANES, mr, nr: vectors * S::LANES }
    }

    /// Vectors of a panel of `width` columns, which is 1 to NR.
    #[inline(always)]
    pub(super) const fn vectors(self, width: usize) -> usize {
        width.div_ceil(self.lanes)
    }

    pub(super) const fn of(isa: Isa) -> Registers {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Registers::new::<Avx2>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Registers::new::<Avx512>(),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Registers::new::<crate::simd::neon::Neon>(),
            _ => Registers::new::<Scalar>(),
        }
    }
}

/// The rows to take next of `left`: at most `mr`, and rather two middling groups at the end than one full and one of
/// very few rows, which would leave the arithmetic waiting.
#[inline(always)]
pub(super) fn group(left: usize, mr: usize) -> usize {
    if left > mr && left < mr + mr / 2 { left.div_ceil(2) } else { left.min(mr) }
}

/// Neighbouring steps along `k`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    /// Where the first step's numbers of A lie, from their place in [`Block::a`].
    pub a: usize,
    /// The first step's row of B.
    pub b: usize,
    /// Number of steps.
    pub depth: usize,
}

/// A block to compute: `c += a b`, or `c = a b` unless `accumulate`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// Length along `k`.
    pub depth: usize,
    /// First number of A.
    pub a: *const f32,
    /// From one row of A to the next with [`ROWS`]; otherwise from one step to the next.
    pub a_stride: usize,
    /// With [`GATHERED`]: where each row of A begins, from `a`.
    pub offsets: *const usize,
    /// With [`GATHERED`]: which row of C, from `c`, each row is.
    pub places: *const usize,
    /// With [`GATHERED`]: the steps, in place of `depth`.
    pub runs: (*const Run, usize),
    /// First number of B.
    pub b: *const f32,
    /// From one row of B to the next.
    pub b_stride: usize,
    /// Where rows of B are copied to, one after the other in whole vectors, if they are.
    pub packed: *mut f32,
    /// First number of C.
    pub c: *mut f32,
    /// From one row of C to the next.
    pub c_stride: usize,
    /// Columns of C.
    pub width: usize,
    /// Whether to add to what C holds.
    pub accumulate: bool,
}

/// The steps of a row of A lie side by side.
pub(super) const ROWS: u8 = 0;
/// The rows of A lie side by side.
pub(super) const COLUMNS: u8 = 1;
/// Rows of A begin anywhere, and steps come in runs.
pub(super) const GATHERED: u8 = 2;

/// B is padded to whole vectors.
pub(super) const AS_IS: u8 = 0;
/// The last vector of B is read only as far as the block is wide.
pub(super) const TAIL: u8 = 1;
/// As with [`TAIL`], and B is copied to `packed`, padded with zeros.
pub(super) const PACKING: u8 = 2;

/// `R` rows by `W` vectors. `A` and `B` are ways to read the factors.
///
/// # Safety
/// The instruction set of `S` must be present, the pointers of the block valid, and
/// `(W - 1) * LANES < width <= W * LANES`.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Rows and vectors are counted, as on paper.
pub(super) unsafe fn micro<S: Simd, const R: usize, const W: usize, const A: u8, const B: u8>(block: Block) {
    let Block { a_stride, c_stride, .. } = block;
    // SAFETY: the caller vouches for the set and the pointers.
    unsafe {
        let mut c = [block.c; R];
        for r in 0..R {
            let place = if A == GATHERED { *block.places.add(r) } else { r };
            c[r] = block.c.wrapping_add(place.wrapping_mul(c_stride));
            // The lines of C are on their way while the sums are formed.
            prefetch(c[r]);
        }
        let mut acc = [[S::splat(0.0); W]; R];
        if A == GATHERED {
            let mut rows = [block.a; R];
            for r in 0..R {
                rows[r] = block.a.wrapping_add(*block.offsets.add(r));
            }
            for i in 0..block.runs.1 {
                let run = *block.runs.0.add(i);
                let row = |r: usize| rows[r].wrapping_add(run.a);
                let row: [*const f32; R] = std::array::from_fn(row);
                let a = |step: usize, r: usize| *row[r].wrapping_add(step.wrapping_mul(a_stride));
                steps::<S, R, W, B>(block, run.b, run.depth, &mut acc, a);
            }
        } else {
            let a = |step: usize, r: usize| {
                let (along, across) = if A == COLUMNS { (step, r) } else { (r, step) };
                let at = along.wrapping_mul(a_stride).wrapping_add(across);
                *block.a.wrapping_add(at)
            };
            steps::<S, R, W, B>(block, 0, block.depth, &mut acc, a);
        }
        let last = block.width - (W - 1) * S::LANES;
        for r in 0..R {
            for w in 0..W {
                let p = c[r].add(w * S::LANES);
                // Whole vectors apart, so that nothing but registers is involved.
                if w < W - 1 || last == S::LANES {
                    let sum = if block.accumulate { S::add(acc[r][w], S::load(p)) } else { acc[r][w] };
                    S::store(p, sum);
                } else {
                    let before = if block.accumulate { S::load_first(p, last) } else { S::splat(0.0) };
                    S::store_first(p, S::add(acc[r][w], before), last);
                }
            }
        }
    }
}

/// `depth` steps from row `first` of B on; `a(step, r)` is a number of A.
///
/// # Safety
/// As for [`micro`].
#[inline(always)]
#[allow(clippy::needless_range_loop)]
unsafe fn steps<S: Simd, const R: usize, const W: usize, const B: u8>(
    block: Block,
    first: usize,
    depth: usize,
    acc: &mut [[S::V; W]; R],
    a: impl Fn(usize, usize) -> f32,
) {
    let line = const { if S::LANES < LINE { LINE / S::LANES } else { 1 } };
    let last = block.width - (W - 1) * S::LANES;
    let b_stride = block.b_stride;
    // SAFETY: the caller vouches for the set and the pointers; no lane beyond `width` is touched in B with `TAIL` and
    // `PACKING`.
    unsafe {
        let mut b = block.b.wrapping_add(first * b_stride);
        let mut packed = block.packed.wrapping_add(first * W * S::LANES);
        for step in 0..depth {
            if B == PACKING {
                prefetch(b.wrapping_add(AHEAD * b_stride));
            } else if R == 1 {
                // B is read once only, so the next rows must be on their way.
                for w in (0..W).step_by(line) {
                    prefetch(b.wrapping_add(AHEAD * b_stride + w * S::LANES));
                }
            }
            let mut row = [S::splat(0.0); W];
            for w in 0..W {
                let p = b.add(w * S::LANES);
                row[w] = if B != AS_IS && w == W - 1 && last < S::LANES {
                    S::load_first(p, last)
                } else {
                    S::load(p)
                };
                if B == PACKING {
                    S::store(packed.add(w * S::LANES), row[w]);
                }
            }
            for r in 0..R {
                let x = S::splat(a(step, r));
                for w in 0..W {
                    acc[r][w] = S::mul_add(x, row[w], acc[r][w]);
                }
            }
            b = b.wrapping_add(b_stride);
            if B == PACKING {
                packed = packed.wrapping_add(W * S::LANES);
            }
        }
    }
}

/// Most rows of a block. Rows that begin anywhere need an address each, and there are 16 registers for addresses.
pub(super) const fn most_rows<S: Simd>(a: u8) -> usize {
    let mr = Registers::new::<S>().mr;
    if a == GATHERED && mr > 8 { 8 } else { mr }
}

/// Whether blocks are three vectors wide rather than two.
pub(super) const fn wide<S: Simd>() -> bool {
    Registers::new::<S>().nr == 3 * S::LANES
}

/// Calls `$kernel::<S, rows, ...>` for a number of rows known at run time only, up to MR.
macro_rules! for_rows {
    ($S:ident, $rows:expr, $call:ident) => {
        for_rows!(@ $S, $rows, $call, 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $S:ident, $rows:expr, $call:ident, $($r:literal)*) => {
        match $rows {
            $($r if const { $r <= Registers::new::<$S>().mr } => $call!($r),)*
            other => unreachable!("{other} rows in registers"),
        }
    };
}
pub(super) use for_rows;

/// A block with a number of rows and vectors known at run time only. With [`PACKING`] there are MR rows.
///
/// # Safety
/// As for [`micro`], `vectors` being its `W`: at most as many as the registers' columns have. With [`PACKING`],
/// `block.packed` must be valid for `depth` rows of whole vectors.
#[inline(always)]
pub(super) unsafe fn block<S: Simd, const A: u8, const B: u8>(rows: usize, vectors: usize, block: Block) {
    macro_rules! call {
        ($r:literal) => {
            match vectors {
                1 => micro::<S, $r, 1, A, B>(block),
                3 if const { wide::<S>() } => micro::<S, $r, 3, A, B>(block),
                2 => micro::<S, $r, 2, A, B>(block),
                other => unreachable!("{other} vectors in registers"),
            }
        };
    }
    // SAFETY: the caller vouches for all.
    unsafe {
        if B == PACKING {
            match const { most_rows::<S>(A) } {
                14 => call!(14),
                8 => call!(8),
                6 => call!(6),
                4 => call!(4),
                2 => call!(2),
                other => unreachable!("{other} rows in registers"),
            }
        } else if A == GATHERED {
            match rows {
                1 => call!(1),
                2 => call!(2),
                3 if const { most_rows::<S>(GATHERED) >= 3 } => call!(3),
                4 if const { most_rows::<S>(GATHERED) >= 4 } => call!(4),
                5 if const { most_rows::<S>(GATHERED) >= 5 } => call!(5),
                6 if const { most_rows::<S>(GATHERED) >= 6 } => call!(6),
                7 if const { most_rows::<S>(GATHERED) >= 7 } => call!(7),
                8 if const { most_rows::<S>(GATHERED) >= 8 } => call!(8),
                other => unreachable!("{other} rows in registers"),
            }
        } else {
            for_rows!(S, rows, call)
        }
    }
}
