//! Products of few rows (one image, a small batch): each number of B is used once or a few times, so the time goes
//! into reading it. B is read where it lies, and many accumulators keep many reads under way.

use super::micro::{AS_IS, Block, COLUMNS, ROWS, Registers, TAIL, for_rows, micro, wide};
use super::{Shape, Tile, TileKernel};
use crate::simd::Simd;

/// Most rows for which a transposed B is multiplied row by row instead of being packed.
pub(super) const DOT_ROWS: usize = 4;
/// Columns of C (rows of the transposed B) computed together: as many streams from memory.
const STREAMS: usize = 4;

impl TileKernel<'_> {
    /// All rows of the tile in registers, strip after strip of columns.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`]; at most MR rows, B not transposed.
    #[inline(always)]
    pub(super) unsafe fn few_rows<S: Simd>(&self) {
        let Shape { n, k, trans_a, .. } = self.gemm.shape;
        let Tile { row, rows, col, cols } = self.tile;
        let (a_row, a_col) = self.a_strides();
        // SAFETY: strips lie within the tile.
        unsafe {
            let a = self.a.add(row * a_row);
            let mut j = 0;
            while j < cols {
                let block = Block {
                    depth: k,
                    a,
                    a_stride: if trans_a { a_col } else { a_row },
                    offsets: std::ptr::null(),
                    places: std::ptr::null(),
                    runs: (std::ptr::null(), 0),
                    b: self.b.add(col + j),
                    b_stride: n,
                    packed: std::ptr::null_mut(),
                    c: self.c.add(j),
                    c_stride: self.c_stride,
                    width: cols - j,
                    accumulate: false,
                };
                macro_rules! call {
                    ($r:literal) => {
                        if trans_a { strip::<S, $r, COLUMNS>(block) } else { strip::<S, $r, ROWS>(block) }
                    };
                }
                j += for_rows!(S, rows, call);
            }
        }
    }

    /// `STREAMS` columns of C at a time, each the inner product of two rows in memory.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`]; rows of A contiguous, B transposed.
    #[inline(always)]
    pub(super) unsafe fn dots<S: Simd>(&self) {
        let k = self.gemm.shape.k;
        let Tile { row, rows, col, cols } = self.tile;
        // SAFETY: rows of A and B lie within the factors.
        unsafe {
            let mut j = 0;
            while j < cols {
                let b = self.b.add((col + j) * k);
                let streams = STREAMS.min(cols - j);
                for i in 0..rows {
                    let a = self.a.add((row + i) * k);
                    let c = self.c.add(i * self.c_stride + j);
                    if streams == STREAMS {
                        dot::<S, STREAMS>(k, a, b, c);
                    } else {
                        for s in 0..streams {
                            dot::<S, 1>(k, a, b.add(s * k), c.add(s));
                        }
                    }
                }
                j += streams;
            }
        }
    }
}

/// The widest strip of at most `block.width` columns that registers hold; returns its width.
///
/// # Safety
/// As for [`micro`].
#[inline(always)]
unsafe fn strip<S: Simd, const R: usize, const A: u8>(mut block: Block) -> usize {
    let vectors = block.width / S::LANES;
    // SAFETY: each branch takes no more columns than there are.
    unsafe {
        if R == 1 && vectors >= 8 {
            block.width = 8 * S::LANES;
            micro::<S, R, 8, A, AS_IS>(block);
        } else if R <= 2 && vectors >= 4 {
            block.width = 4 * S::LANES;
            micro::<S, R, 4, A, AS_IS>(block);
        } else if const { wide::<S>() } && vectors >= 3 {
            block.width = 3 * S::LANES;
            micro::<S, R, 3, A, AS_IS>(block);
        } else if vectors >= 2 {
            block.width = 2 * S::LANES;
            micro::<S, R, 2, A, AS_IS>(block);
        } else if vectors == 1 && block.width > S::LANES {
            micro::<S, R, 2, A, TAIL>(block);
        } else if vectors == 1 {
            micro::<S, R, 1, A, AS_IS>(block);
        } else {
            micro::<S, R, 1, A, TAIL>(block);
        }
    }
    block.width
}

/// `c[s] = sum_p a[p] b[s * k + p]` for `s` below `N`.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Streams are counted, as on paper.
unsafe fn dot<S: Simd, const N: usize>(k: usize, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: whole vectors while they fit within `k`, the rest lane by lane.
    unsafe {
        let mut even = [S::splat(0.0); N];
        let mut odd = [S::splat(0.0); N];
        let mut p = 0;
        while p + 2 * S::LANES <= k {
            let (x, y) = (S::load(a.add(p)), S::load(a.add(p + S::LANES)));
            for s in 0..N {
                let b = b.add(s * k + p);
                even[s] = S::mul_add(x, S::load(b), even[s]);
                odd[s] = S::mul_add(y, S::load(b.add(S::LANES)), odd[s]);
            }
            p += 2 * S::LANES;
        }
        while p < k {
            let rest = (k - p).min(S::LANES);
            for s in 0..N {
                let b = b.add(s * k + p);
                even[s] = if rest == S::LANES {
                    S::mul_add(S::load(a.add(p)), S::load(b), even[s])
                } else {
                    S::mul_add(S::load_first(a.add(p), rest), S::load_first(b, rest), even[s])
                };
            }
            p += rest;
        }
        for s in 0..N {
            *c.add(s) = sum::<S>(S::add(even[s], odd[s]));
        }
    }
}

/// The sum of all lanes, by halves.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn sum<S: Simd>(v: S::V) -> f32 {
    const { assert!(S::LANES <= 16) }
    let mut lanes = [0.0f32; 16];
    // SAFETY: there is room for 16 lanes.
    unsafe { S::store(lanes.as_mut_ptr(), v) };
    let mut half = S::LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}
