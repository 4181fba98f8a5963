//! Convolutions of 3x3 with stride 1 by Winograd's minimal filtering, F(4x4, 3x3).
//!
//! A tile of 4x4 outputs sees 6x6 pixels d. With the weights g of one pair of channels,
//!
//! ```text
//! y = A^T [ (G g G^T) * (B^T d B) ] A            * number by number
//!
//!       |  4   0  -5   0   1   0 |         |  1/4     0     0 |
//!       |  0  -4  -4   1   1   0 |         | -1/6  -1/6  -1/6 |         | 1  1   1  1   1  0 |
//! B^T = |  0   4  -4  -1   1   0 |     G = | -1/6   1/6  -1/6 |   A^T = | 0  1  -1  2  -2  0 |
//!       |  0  -2  -1   2   1   0 |         | 1/24  1/12   1/6 |         | 0  1   1  4   4  0 |
//!       |  0   2  -1  -2   1   0 |         | 1/24 -1/12   1/6 |         | 0  1  -1  8  -8  1 |
//!       |  0   4   0  -5   0   1 |         |    0     0     1 |
//! ```
//!
//! The sum over input channels is taken before the output's transform, so that each of the 36 positions is a matrix
//! product `[tiles, ci] [ci, co]`: 36 multiplications where the definition takes 144. The weights are transformed once
//! for all workers, into the order in which the products read them; each worker transforms the pixels of a chunk of
//! tiles, multiplies, and transforms back while all of it is in cache.
//!
//! Rounding: entries of up to 8 make errors a few times those of the definition, in proportion to the largest numbers of
//! a tile rather than to the terms of one sum.
//!
//! Source: Lavin and Gray, *Fast algorithms for convolutional neural networks*, 2016.

use super::micro::{self, AS_IS, Block, ROWS, Registers};
use super::windows::{Chunks, Windows};
use super::{LINE, Shape, Tile, TileKernel};
use crate::simd::Simd;

/// Outputs along a side of a tile.
pub(super) const OUT: usize = 4;
/// Pixels along a side that it sees.
pub(super) const IN: usize = 6;
/// Positions of a transformed tile.
pub(super) const POSITIONS: usize = IN * IN;
/// Tiles of a chunk: rows enough for the products, few enough that positions stay in the second-level cache.
const CHUNK_TILES: usize = 32;
/// Most tiles of a chunk, where an image cannot be cut evenly.
const MOST_TILES: usize = 256;
/// Fewest tiles for which transforming the weights pays.
const LEAST_TILES: usize = 64;
/// Fewest channels, in and out: with less, the transforms take longer than what they save.
const LEAST_CHANNELS: usize = 16;

/// A convolution cut into chunks of tiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Winograd {
    /// What a chunk sees.
    pub chunks: Chunks,
    /// Rows of outputs of each image of a chunk.
    rows: usize,
    /// Tiles down and across those.
    tiles: [usize; 2],
    /// Tiles of a whole chunk.
    pub count: usize,
}

impl Winograd {
    /// The cut into at least `wanted` chunks where there are as many images, if the convolution, or the gradient of its
    /// weights, is one that gains.
    pub(super) fn new(
        registers: Registers,
        shape: Shape,
        windows: Windows,
        wanted: usize,
    ) -> Option<Winograd> {
        let Windows { images, channels, outputs: [oh, ow], .. } = windows;
        let plain = (windows.kernel, windows.stride, windows.dilation, windows.spread)
            == ([3, 3], [1, 1], [1, 1], [1, 1]);
        let whole = |channels: usize| channels >= LEAST_CHANNELS && channels.is_multiple_of(registers.lanes);
        let (down, across) = (oh.div_ceil(OUT), ow.div_ceil(OUT));
        if !plain
            || shape.trans_b
            || !whole(channels)
            || !whole(shape.n)
            || images * down * across < LEAST_TILES
        {
            return None;
        }
        let (images, down, rows) = if down * across * 2 <= CHUNK_TILES && images > 1 {
            let enough = (images / wanted).max(1);
            ((CHUNK_TILES / (down * across)).min(enough), down, oh)
        } else if down * across <= 2 * CHUNK_TILES {
            (1, down, oh)
        } else {
            let even = |down: &usize| oh.is_multiple_of(down * OUT) && down * across <= 2 * CHUNK_TILES;
            let most = (CHUNK_TILES / across).max(1);
            match (1..=most).rev().find(even) {
                Some(down) => (1, down, down * OUT),
                None => (1, down, oh),
            }
        };
        let count = images * down * across;
        let reach = |tiles: usize| tiles * OUT + IN - OUT;
        let chunks = Chunks::covering(windows, images, rows, [reach(down), reach(across)]);
        (count <= MOST_TILES).then_some(Winograd { chunks, rows, tiles: [down, across], count })
    }

    /// Tiles of a chunk of so many outputs.
    pub(super) fn tiles_of(&self, outputs: usize) -> usize {
        let [down, across] = self.tiles;
        outputs / (self.rows * self.chunks.windows.outputs[1]) * down * across
    }

    /// From one line to the next of what a chunk sees.
    pub(super) fn line(&self) -> usize {
        (self.tiles[1] * OUT + IN - OUT) * self.chunks.windows.channels
    }

    /// Image, row and column of a tile in its chunk.
    fn place(&self, tile: usize) -> [usize; 3] {
        let [down, across] = self.tiles;
        [tile / (down * across), tile / across % down, tile % across]
    }

    /// Where the first pixel of a tile lies in what its chunk sees.
    pub(super) fn pixels_of(&self, tile: usize) -> usize {
        let [image, y, x] = self.place(tile);
        let height = self.tiles[0] * OUT + IN - OUT;
        (image * height + y * OUT) * self.line() + x * OUT * self.chunks.windows.channels
    }

    /// The first output of a tile, counted in its chunk, and how many rows and columns the tile has: at the edge it
    /// reaches beyond the outputs.
    pub(super) fn outputs_of(&self, tile: usize) -> (usize, [usize; 2]) {
        let [image, y, x] = self.place(tile);
        let ow = self.chunks.windows.outputs[1];
        let whole = [OUT.min(self.rows - y * OUT), OUT.min(ow - x * OUT)];
        ((image * self.rows + y * OUT) * ow + x * OUT, whole)
    }

    /// Numbers of scratch of a worker: what a chunk sees, its transform, and the products of `cols` columns.
    pub(super) fn scratch_len(&self, cols: usize) -> usize {
        let channels = self.chunks.windows.channels;
        let line = |len: usize| len.next_multiple_of(LINE);
        LINE + line(self.chunks.scratch_len())
            + line(POSITIONS * (self.count * channels + LINE))
            + line(POSITIONS * (self.count * cols + LINE))
    }

    /// Numbers of the transformed weights.
    pub(super) fn weights_len(&self, shape: Shape, registers: Registers) -> usize {
        POSITIONS * self.chunks.windows.channels * shape.n.next_multiple_of(registers.nr)
    }
}

/// The weights of one panel of output channels, transformed: from `[9, ci, co]` to one packed panel a position.
pub(super) struct Weights<'a> {
    pub winograd: &'a Winograd,
    pub registers: Registers,
    pub n: usize,
    /// Which panel.
    pub panel: usize,
    pub from: *const f32,
    pub to: *mut f32,
}

impl crate::isa::Kernel for Weights<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Registers { nr, .. } = self.registers;
        let channels = self.winograd.chunks.windows.channels;
        let first = self.panel * nr;
        let width = nr.min(self.n - first);
        let position = channels * self.n.next_multiple_of(nr);
        // SAFETY: the panel lies within the weights, and the packed panel within its position.
        unsafe {
            for channel in 0..channels {
                for column in (0..width).step_by(S::LANES) {
                    let from = self.from.add(channel * self.n + first + column);
                    let to = self.to.add(first * channels + channel * width + column);
                    weights::<S>(from, channels * self.n, to, position);
                }
            }
        }
    }
}

impl TileKernel<'_> {
    /// Chunk after chunk of tiles; `self.b` are the transformed weights.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn winograd<S: Simd>(&self, winograd: &Winograd) {
        let registers = const { Registers::new::<S>() };
        let Registers { mr, nr, .. } = registers;
        let Winograd { chunks, count: most, .. } = winograd;
        let (channels, ow) = (chunks.windows.channels, chunks.windows.outputs[1]);
        let Tile { row, rows, col, cols } = self.tile;
        let u_apart = channels * self.gemm.shape.n.next_multiple_of(nr);
        // From one position to the next: a line more than a power of two, or a tile's positions would meet in few sets
        // of the cache.
        let (v_apart, m_apart) = (most * channels + LINE, most * cols + LINE);
        let mut done = 0;
        // SAFETY: `scratch` has room for what a chunk sees, for its positions and for the products; tiles lie within
        // what was brought, outputs within the tile of C.
        unsafe {
            let seen = self.scratch.add(self.scratch.align_offset(64));
            let v = seen.add(chunks.scratch_len().next_multiple_of(LINE));
            let m = v.add((POSITIONS * v_apart).next_multiple_of(LINE));
            while done < rows {
                let outputs = chunks.outputs.min(rows - done);
                let a = chunks.bring(row + done, outputs, self.a, seen);
                let count = winograd.tiles_of(outputs);
                for tile in 0..count {
                    let from = a.add(winograd.pixels_of(tile));
                    for channel in (0..channels).step_by(S::LANES) {
                        let to = v.add(tile * channels + channel);
                        pixels::<S>(from.add(channel), winograd.line(), channels, to, v_apart);
                    }
                }
                for position in 0..POSITIONS {
                    let (v, m) = (v.add(position * v_apart), m.add(position * m_apart));
                    let u = self.b.add(position * u_apart + col * channels);
                    for j in (0..cols).step_by(nr) {
                        let width = nr.min(cols - j);
                        let mut i = 0;
                        while i < count {
                            let group = micro::group(count - i, mr);
                            let block = Block {
                                depth: channels,
                                a: v.add(i * channels),
                                a_stride: channels,
                                offsets: std::ptr::null(),
                                places: std::ptr::null(),
                                runs: (std::ptr::null(), 0),
                                b: u.add(j * channels),
                                b_stride: width,
                                packed: std::ptr::null_mut(),
                                c: m.add(i * cols + j),
                                c_stride: cols,
                                width,
                                accumulate: false,
                            };
                            micro::block::<S, ROWS, AS_IS>(group, registers.vectors(width), block);
                            i += group;
                        }
                    }
                }
                for tile in 0..count {
                    let (first, whole) = winograd.outputs_of(tile);
                    let to = self.c.add((done + first) * self.c_stride);
                    for column in (0..cols).step_by(S::LANES) {
                        let from = m.add(tile * cols + column);
                        let apart = [ow * self.c_stride, self.c_stride];
                        outputs_of::<S>(from, m_apart, to.add(column), apart, whole);
                    }
                }
                done += outputs;
            }
        }
    }
}

/// `B^T d` for one column of pixels.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn forward<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
    // SAFETY: the caller vouches for the set.
    unsafe {
        let (two, four, five) = (S::splat(2.0), S::splat(4.0), S::splat(-5.0));
        let (less_two, less_four) = (S::splat(-2.0), S::splat(-4.0));
        let (a, b) = (S::mul_add(less_four, d[2], d[4]), S::mul_add(less_four, d[1], d[3]));
        let (c, e) = (S::sub(d[4], d[2]), S::sub(d[3], d[1]));
        [
            S::mul_add(four, d[0], S::mul_add(five, d[2], d[4])),
            S::add(a, b),
            S::sub(a, b),
            S::mul_add(two, e, c),
            S::mul_add(less_two, e, c),
            S::mul_add(four, d[1], S::mul_add(five, d[3], d[5])),
        ]
    }
}

/// `A^T m` for one column of positions.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn backward<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    // SAFETY: the caller vouches for the set.
    unsafe {
        let (s, t) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (p, q) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], s), t),
            S::mul_add(S::splat(2.0), q, p),
            S::mul_add(S::splat(4.0), t, s),
            S::add(S::mul_add(S::splat(8.0), q, p), m[5]),
        ]
    }
}

/// `G g` for one column of weights.
///
/// # Safety
/// The instruction set of `S` must be present.
#[inline(always)]
unsafe fn filter<S: Simd>(g: [S::V; 3]) -> [S::V; IN] {
    // SAFETY: the caller vouches for the set.
    unsafe {
        let sixth = S::splat(-1.0 / 6.0);
        let ends = S::add(g[0], g[2]);
        let far = S::mul_add(S::splat(1.0 / 6.0), g[2], S::mul(S::splat(1.0 / 24.0), g[0]));
        [
            S::mul(S::splat(0.25), g[0]),
            S::mul(sixth, S::add(ends, g[1])),
            S::mul(sixth, S::sub(ends, g[1])),
            S::mul_add(S::splat(1.0 / 12.0), g[1], far),
            S::mul_add(S::splat(-1.0 / 12.0), g[1], far),
            g[2],
        ]
    }
}

/// A tile's positions from its pixels, of one vector of channels.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Rows and columns are counted, as on paper.
pub(super) unsafe fn pixels<S: Simd>(
    from: *const f32,
    line: usize,
    pixel: usize,
    to: *mut f32,
    apart: usize,
) {
    // SAFETY: the caller vouches for 6x6 pixels and 36 positions.
    unsafe {
        let mut half = [[S::splat(0.0); IN]; IN];
        for x in 0..IN {
            let column = std::array::from_fn(|y| S::load(from.add(y * line + x * pixel)));
            half[x] = forward::<S>(column);
        }
        for y in 0..IN {
            let row = forward::<S>(std::array::from_fn(|x| half[x][y]));
            for x in 0..IN {
                S::store(to.add((y * IN + x) * apart), row[x]);
            }
        }
    }
}

/// The outputs of a tile from its positions, of one vector of channels; rows and columns beyond `whole` are not written.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
unsafe fn outputs_of<S: Simd>(
    from: *const f32,
    apart: usize,
    to: *mut f32,
    [row, column]: [usize; 2],
    whole: [usize; 2],
) {
    // SAFETY: the caller vouches for 36 positions and for the outputs within `whole`.
    unsafe {
        let mut half = [[S::splat(0.0); OUT]; IN];
        for x in 0..IN {
            half[x] = backward::<S>(std::array::from_fn(|y| S::load(from.add((y * IN + x) * apart))));
        }
        for y in 0..OUT {
            let outputs = backward::<S>(std::array::from_fn(|x| half[x][y]));
            for x in 0..OUT {
                if y < whole[0] && x < whole[1] {
                    S::store(to.add(y * row + x * column), outputs[x]);
                }
            }
        }
    }
}

/// The positions of the weights of one input channel and a vector of output channels.
///
/// # Safety
/// The instruction set of `S` must be present, and the pointers valid.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
unsafe fn weights<S: Simd>(from: *const f32, tap: usize, to: *mut f32, apart: usize) {
    // SAFETY: the caller vouches for 9 taps and 36 positions.
    unsafe {
        let mut half = [[S::splat(0.0); IN]; 3];
        for x in 0..3 {
            half[x] = filter::<S>(std::array::from_fn(|y| S::load(from.add((y * 3 + x) * tap))));
        }
        for y in 0..IN {
            let row = filter::<S>(std::array::from_fn(|x| half[x][y]));
            for x in 0..IN {
                S::store(to.add((y * IN + x) * apart), row[x]);
            }
        }
    }
}
