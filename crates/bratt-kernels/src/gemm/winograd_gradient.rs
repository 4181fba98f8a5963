//! The gradient of the weights of a 3x3 convolution by Winograd's transforms: F(3x3, 4x4).
//!
//! The derivative of the formula of `winograd` with respect to the weights g of a pair of channels, with its matrices:
//!
//! ```text
//! dg = G^T [ sum over tiles of (B^T d B) * (A dy A^T) ] G            * number by number
//! ```
//!
//! At each of the 36 positions the sum over tiles is a matrix product `[ci, tiles] [tiles, co]`: 36 multiplications
//! where the definition takes 144. Only pixels and gradients are transformed per tile; the sums are transformed back
//! once, at the end of a slice.
//!
//! Source: Lavin and Gray, *Fast algorithms for convolutional neural networks*, 2016, section 4.2.

use super::micro::{self, AS_IS, Block, COLUMNS, Registers};
use super::winograd::{IN, OUT, POSITIONS, Winograd, pixels};
use super::{Gemm, LINE, Shape, Tile, TileKernel};
use crate::simd::{Simd, prefetch_part};

/// Input channels whose positions are in cache together.
const BLOCK: usize = 32;
/// Sums of a position that a worker keeps: with all 36, half a megabyte.
const SUMS: usize = 1 << 13;
/// Fewest columns of a tile, whose pixels are transformed for these alone.
const LEAST_COLS: usize = 64;

/// Columns of a tile for `channels` channels and `n` columns.
pub(super) fn tile_cols(channels: usize, n: usize, registers: Registers) -> usize {
    let most = (SUMS / channels).max(LEAST_COLS) / registers.nr * registers.nr;
    n.div_ceil(n.div_ceil(most)).next_multiple_of(registers.nr)
}

/// Where the parts of a worker's scratch lie, after what a chunk sees.
struct Scratch {
    /// From one position to the next of pixels, gradients and sums.
    v_apart: usize,
    u_apart: usize,
    m_apart: usize,
    /// Where gradients and sums begin.
    u: usize,
    m: usize,
    len: usize,
}

impl Scratch {
    fn new(winograd: &Winograd, cols: usize) -> Scratch {
        let channels = winograd.chunks.windows.channels;
        // A line more than what may be a power of two, as in `winograd`.
        let v_apart = winograd.count * channels.min(BLOCK) + LINE;
        let u_apart = winograd.count * cols + LINE;
        let m_apart = channels * cols + LINE;
        let line = |len: usize| len.next_multiple_of(LINE);
        let u = line(POSITIONS * v_apart);
        let m = u + line(POSITIONS * u_apart);
        Scratch { v_apart, u_apart, m_apart, u, m, len: m + line(POSITIONS * m_apart) }
    }
}

/// Numbers of scratch of a worker.
pub(super) fn scratch_len(winograd: &Winograd, gemm: &Gemm) -> usize {
    let cols = gemm.tile_cols.min(gemm.shape.n);
    LINE + winograd.chunks.scratch_len().next_multiple_of(LINE) + Scratch::new(winograd, cols).len
}

impl TileKernel<'_> {
    /// The outputs of `self.steps`, chunk after chunk of tiles; a row of C is a number of a window.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn winograd_gradient<S: Simd>(&self, winograd: &Winograd) {
        let chunks = &winograd.chunks;
        let Shape { n, .. } = self.gemm.shape;
        let (channels, ow) = (chunks.windows.channels, chunks.windows.outputs[1]);
        let Tile { col, cols, .. } = self.tile;
        let Scratch { v_apart, u_apart, m_apart, u, m, .. } = Scratch::new(winograd, cols);
        // SAFETY: `scratch` has room for what a chunk sees, its positions and the sums; tiles lie within what was
        // brought and within B.
        unsafe {
            let seen = self.scratch.add(self.scratch.align_offset(64));
            let v = seen.add(chunks.scratch_len().next_multiple_of(LINE));
            let (u, m) = (v.add(u), v.add(m));
            let mut first = self.steps.start;
            while first < self.steps.end {
                let outputs = chunks.outputs.min(self.steps.end - first);
                let brought = chunks.bring(first, outputs, self.a, seen);
                let count = winograd.tiles_of(outputs);
                for tile in 0..count {
                    let (place, whole) = winograd.outputs_of(tile);
                    let from = self.b.add((first + place) * n + col);
                    for column in (0..cols).step_by(S::LANES) {
                        gradients::<S>(
                            from.add(column),
                            [ow * n, n],
                            whole,
                            u.add(tile * cols + column),
                            u_apart,
                        );
                    }
                }
                let (next, next_len) = chunks.sight(first + outputs, outputs, self.a);
                let gradients = self.b.wrapping_add((first + outputs) * n);
                let mut channel = 0;
                while channel < channels {
                    let block = BLOCK.min(channels - channel);
                    for tile in 0..count {
                        let from = brought.add(winograd.pixels_of(tile) + channel);
                        for within in (0..block).step_by(S::LANES) {
                            let to = v.add(tile * block + within);
                            pixels::<S>(from.add(within), winograd.line(), channels, to, v_apart);
                        }
                    }
                    for position in 0..POSITIONS {
                        if channel == 0 {
                            prefetch_part(next, next_len, position, POSITIONS);
                            prefetch_part(gradients, outputs * n, position, POSITIONS);
                        }
                        let m = m.add(position * m_apart + channel * cols);
                        let (v, u) = (v.add(position * v_apart), u.add(position * u_apart));
                        sums::<S>([v, u], m, [block, cols, count], first > self.steps.start);
                    }
                    channel += block;
                }
                first += outputs;
            }
            for channel in 0..channels {
                for column in (0..cols).step_by(S::LANES) {
                    let to = self.c.add(channel * self.c_stride + column);
                    let from = m.add(channel * cols + column);
                    weights::<S>(from, m_apart, to, channels * self.c_stride);
                }
            }
        }
    }
}

/// `M (+)= V^T U` at one position: `[block, count] [count, cols]`.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
unsafe fn sums<S: Simd>(
    [v, u]: [*const f32; 2],
    m: *mut f32,
    [rows, cols, count]: [usize; 3],
    accumulate: bool,
) {
    let registers = const { Registers::new::<S>() };
    let Registers { mr, nr, .. } = registers;
    for j in (0..cols).step_by(nr) {
        let width = nr.min(cols - j);
        let mut i = 0;
        while i < rows {
            let group = micro::group(rows - i, mr);
            let block = Block {
                depth: count,
                a: v.wrapping_add(i),
                a_stride: rows,
                offsets: std::ptr::null(),
                places: std::ptr::null(),
                runs: (std::ptr::null(), 0),
                b: u.wrapping_add(j),
                b_stride: cols,
                packed: std::ptr::null_mut(),
                c: m.wrapping_add(i * cols + j),
                c_stride: cols,
                width,
                accumulate,
            };
            // SAFETY: the caller vouches for the set and the pointers.
            unsafe { micro::block::<S, COLUMNS, AS_IS>(group, registers.vectors(width), block) };
            i += group;
        }
    }
}

/// `A dy` for one column of gradients.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn spread<S: Simd>(dy: [S::V; OUT]) -> [S::V; IN] {
    // SAFETY: the caller vouches for the set.
    unsafe {
        let (p, q) = (S::add(dy[0], dy[2]), S::add(dy[1], dy[3]));
        let (two, four) = (S::splat(2.0), S::splat(4.0));
        let (r, s) = (S::mul_add(four, dy[2], dy[0]), S::mul(two, S::mul_add(four, dy[3], dy[1])));
        [dy[0], S::add(p, q), S::sub(p, q), S::add(r, s), S::sub(r, s), dy[3]]
    }
}

/// `G^T m` for one column of positions.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn gather<S: Simd>(m: [S::V; IN]) -> [S::V; 3] {
    // SAFETY: the caller vouches for the set.
    unsafe {
        let sixth = S::splat(-1.0 / 6.0);
        let (s, t) = (S::mul(sixth, S::add(m[1], m[2])), S::add(m[3], m[4]));
        let (p, q) = (S::mul(sixth, S::sub(m[1], m[2])), S::sub(m[3], m[4]));
        [
            S::mul_add(S::splat(0.25), m[0], S::mul_add(S::splat(1.0 / 24.0), t, s)),
            S::mul_add(S::splat(1.0 / 12.0), q, p),
            S::add(S::mul_add(S::splat(1.0 / 6.0), t, s), m[5]),
        ]
    }
}

/// A tile's positions from the gradients of its outputs, of one vector of channels; what is beyond `whole` counts as 0.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Rows and columns are counted, as on paper.
unsafe fn gradients<S: Simd>(
    from: *const f32,
    [row, column]: [usize; 2],
    whole: [usize; 2],
    to: *mut f32,
    apart: usize,
) {
    // SAFETY: the caller vouches for the gradients within `whole` and for 36 positions.
    unsafe {
        let mut half = [[S::splat(0.0); IN]; OUT];
        for x in 0..OUT {
            half[x] = spread::<S>(std::array::from_fn(|y| {
                if y < whole[0] && x < whole[1] {
                    S::load(from.add(y * row + x * column))
                } else {
                    S::splat(0.0)
                }
            }));
        }
        for y in 0..IN {
            let row = spread::<S>(std::array::from_fn(|x| half[x][y]));
            for x in 0..IN {
                S::store(to.add((y * IN + x) * apart), row[x]);
            }
        }
    }
}

/// The gradients of nine taps from their positions, of one input channel and a vector of output channels.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
unsafe fn weights<S: Simd>(from: *const f32, apart: usize, to: *mut f32, tap: usize) {
    // SAFETY: the caller vouches for 36 positions and 9 taps.
    unsafe {
        let mut half = [[S::splat(0.0); 3]; IN];
        for x in 0..IN {
            half[x] = gather::<S>(std::array::from_fn(|y| S::load(from.add((y * IN + x) * apart))));
        }
        for y in 0..3 {
            let row = gather::<S>(std::array::from_fn(|x| half[x][y]));
            for x in 0..3 {
                S::store(to.add((y * 3 + x) * tap), row[x]);
            }
        }
    }
}
