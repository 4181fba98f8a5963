//! The update of Adam in one loop: with `m`, `v` the moments, `g` the gradient and `p` the parameter,
//!
//! ```text
//! m = a0 m + b0 g      v = a1 v + b1 g^2      p = p - a2 (m / (sqrt(v) + b2))
//! ```
//!
//! Each rounds as the instruction that it stands for. Apart, the three would go through `g`, `m` and `v` twice, and reading
//! them from memory would not overlap with the root and the division.

use super::ops::{AdaptiveStep, Args, Lanes, Mean, MeanSquare};
use crate::isa::{Isa, Kernel, dispatch};
use crate::simd::Simd;

/// The kernel for the matrices of the three instructions, in the order above. Each may write to where its own first
/// argument lies, and overlaps nothing else that is read.
pub(super) type Entry = unsafe fn(&[Args; 3]);

struct Trio<'a>(&'a [Args; 3]);

/// One row: where `m`, `g`, `v`, `g` and `p` are read, and where the results go.
struct Row {
    from: [*const f32; 5],
    to: [*mut f32; 3],
}

type Scalars<S> = [[<S as Simd>::V; 2]; 3];

impl Kernel for Trio<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [mean, square, step] = self.0;
        let n = mean.cols;
        // SAFETY: the caller vouches for the instruction set and for `rows x cols` numbers of each matrix.
        unsafe {
            let scalars = self.0.each_ref().map(|args| [S::splat(*args.src[3]), S::splat(*args.src[4])]);
            for r in 0..mean.rows {
                let from = |args: &Args, k: usize| args.src[k].add(r * args.strides[k]);
                let row = Row {
                    from: [from(mean, 0), from(mean, 1), from(square, 0), from(square, 1), from(step, 0)],
                    to: self.0.each_ref().map(|args| args.dst.add(r * args.dst_stride)),
                };
                if n < S::LANES {
                    let x = row.from.map(|p| S::load_first(p, n));
                    let y = three::<S>(x, &scalars);
                    (0..3).for_each(|k| S::store_first(row.to[k], y[k], n));
                    continue;
                }
                // The ragged end overlaps its neighbour: computed before anything is written, and written last.
                let last = n - S::LANES;
                let end = row.vector::<S>(last, &scalars);
                let mut i = 0;
                while i + S::LANES < last {
                    let (y, z) = (row.vector::<S>(i, &scalars), row.vector::<S>(i + S::LANES, &scalars));
                    row.store::<S>(i, y);
                    row.store::<S>(i + S::LANES, z);
                    i += 2 * S::LANES;
                }
                if i < last {
                    row.store::<S>(i, row.vector::<S>(i, &scalars));
                }
                row.store::<S>(last, end);
            }
        }
    }
}

impl Row {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, i: usize, scalars: &Scalars<S>) -> [S::V; 3] {
        // SAFETY: the caller vouches for the lanes from `i` on.
        unsafe { three::<S>(self.from.map(|p| S::load(p.add(i))), scalars) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(&self, i: usize, y: [S::V; 3]) {
        // SAFETY: as above.
        unsafe { (0..3).for_each(|k| S::store(self.to[k].add(i), y[k])) }
    }
}

#[inline(always)]
unsafe fn three<S: Simd>([m, g, v, h, p]: [S::V; 5], scalars: &Scalars<S>) -> [S::V; 3] {
    let [[a0, b0], [a1, b1], [a2, b2]] = *scalars;
    // SAFETY: the caller vouches for the instruction set. The third argument of a running mean does not matter.
    unsafe {
        let m = Mean::at::<S>([m, g, g, a0, b0]);
        let v = MeanSquare::at::<S>([v, h, h, a1, b1]);
        [m, v, AdaptiveStep::at::<S>([p, m, v, a2, b2])]
    }
}

/// The kernel for an instruction set that is available.
pub(super) fn entry(isa: Isa) -> Entry {
    macro_rules! fixed {
        ($isa:expr) => {
            // SAFETY: as for any entry, the caller vouches for the instruction set and the matrices.
            |args| unsafe { dispatch($isa, Trio(args)) }
        };
    }
    match isa {
        Isa::Scalar => fixed!(Isa::Scalar),
        Isa::Avx2 => fixed!(Isa::Avx2),
        Isa::Avx512 => fixed!(Isa::Avx512),
        Isa::Neon => fixed!(Isa::Neon),
    }
}
