//! The matrix product `C[m, n] = A[m, k] B[k, n]` in f32, either factor stored transposed.
//!
//! C is cut into tiles, from the shape alone. One worker computes a tile from first to last `k`, so neither the number
//! of threads nor the order of tiles changes a bit. Where the tile goes is the caller's choice: straight into C, or
//! into a buffer on which an epilogue works while it is in cache.
//!
//! Within a tile, following Goto and van de Geijn, *Anatomy of high-performance matrix multiplication* (2008), turned
//! so that nothing needs to be shared between tiles:
//!
//! ```text
//! for each block of KC along k                      A[rows, KC] stays in the second-level cache
//!     for each strip of a few panels                B[KC, strip] is packed
//!         for each panel of NR columns              B[KC, NR] stays in the first-level cache
//!             for each group of MR rows             C[MR, NR] stays in registers (see `micro`)
//!                 for p in 0..KC: C += A[.., p] B[p, ..]
//! ```
//!
//! A is read where it lies, unless its lines push each other out of the cache. Products of few rows use each number
//! of B a few times only, and read B where it lies (see `narrow`).
//!
//! B is packed by the first group of rows that meets it, in the same loop as the arithmetic. A worker that computes
//! several tiles of whole rows packs a small B once for all of them.
//!
//! A sum that is long while C is small, such as the gradient of a convolution's weights, is cut into *slices* along `k`,
//! so that there is work for all threads; the caller adds them up.
//!
//! A may also be what *windows* on images see ([`Windows`]): then the product is a convolution, or the
//! gradient of its weights, and the matrix of windows is never made. With kernels of 3x3 both may go through transforms
//! that save multiplications (`winograd`).
//!
//! | file | what |
//! |---|---|
//! | `cut` | how a product is cut into tiles and slices |
//! | `packed`, `gathered`, `narrow` | tiles of products in memory, with windows, and of few rows |
//! | `windows` | where the numbers of windows lie |
//! | `winograd`, `winograd_gradient` | convolutions of 3x3, and gradients of their weights, with fewer multiplications |
//! | `depthwise` | windows and weights channel by channel |
//! | `pack`, `micro` | B in the order of use; the innermost loop |
//!
//! The floor of a product is `2 m n k` operations at the FMA peak; for a single row it is reading B once. Seen with
//! AVX2 on one core of a busy Zen 3 machine (peak 103.7 GFLOP/s), best of many runs of `examples/peak.rs`:
//!
//! | product                                     | floor, µs | seen, µs | of peak |
//! |---------------------------------------------|-----------|----------|---------|
//! | 512 cubed                                   |      2588 |     2859 |    91 % |
//! | 1024 cubed                                  |     20709 |    23786 |    87 % |
//! | `[128x784] [784x512]`                       |       991 |     1094 |    91 % |
//! | `[128x784]ᵀ [128x512]` (gradient of weights)|       991 |     1110 |    89 % |
//! | `[128x512] [784x512]ᵀ` (gradient of inputs) |       991 |     1101 |    90 % |
//! | `[128x256] [512x256]ᵀ`                      |       324 |      355 |    91 % |
//!
//! Convolutions of 3x3 on images, their FLOPs counted as the definition has them, in GFLOP/s on two threads: by the
//! definition on the same machine (peak 207), and with transforms on a Zen 5 machine with AVX-512 (peak 538):
//!
//! | images, channels | forward | gradient of weights | forward, transformed | gradient, transformed |
//! |---|---|---|---|---|
//! | 128 of 32x32, 16 to 16 | 173 | 174 | 792 | 787 |
//! | 128 of 16x16, 32 to 32 | 187 | 185 | 1317 | 1210 |
//! | 128 of 8x8, 64 to 64 | 189 | 175 | 1488 | 1259 |
//! | 64 of 8x8, 256 to 256 | | | 1473 | 1250 |
//! | 64 of 4x4, 512 to 512 | | | 737 | 1033 |
//!
//! The last layer waits for its transformed weights: 38 MB, written once and read twice.
//!
//! What is missing: packing B costs the first of some twenty groups about a third, and each block of C some fifty
//! cycles to begin and end, against the 768 of a contracted extent of 128. A row of 784 by `[784x512]` (1.6 MB) takes
//! 29 µs on one core, 16 on two.

mod cut;
mod depthwise;
#[cfg(test)]
mod depthwise_tests;
mod gathered;
mod micro;
pub mod naive;
mod narrow;
mod pack;
mod packed;
#[cfg(test)]
mod tests;
mod windows;
#[cfg(test)]
mod windows_tests;
mod winograd;
mod winograd_gradient;
#[cfg(test)]
mod winograd_tests;

pub use windows::Windows;

use crate::isa::{Isa, Kernel, dispatch};
use crate::simd::Simd;
use depthwise::Depthwise;
use micro::Registers;
use std::ops::Range;
use windows::Chunks;
use winograd::{Weights, Winograd};

/// Numbers in a cache line.
const LINE: usize = 16;

/// What the reader of the finished tiles asks of their shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TileNeed {
    /// A tile holds all rows of its columns (for a reduction over rows).
    pub complete_rows: bool,
    /// A tile holds all columns of its rows (for a reduction over columns).
    pub complete_cols: bool,
}

/// A block of C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tile {
    /// First row.
    pub row: usize,
    /// Number of rows.
    pub rows: usize,
    /// First column.
    pub col: usize,
    /// Number of columns.
    pub cols: usize,
}

/// The shape of a product.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// The contracted extent; with 0, C is zeros.
    pub k: usize,
    /// A is stored `[k, m]` rather than `[m, k]`, row-major.
    pub trans_a: bool,
    /// B is stored `[n, k]` rather than `[k, n]`, row-major.
    pub trans_b: bool,
}

/// A product, cut into tiles for one instruction set.
///
/// ```
/// use bratt_kernels::gemm::{Gemm, Shape, TileNeed};
/// use bratt_kernels::isa::Isa;
///
/// let shape = Shape { m: 2, n: 2, k: 3, trans_a: false, trans_b: false };
/// let gemm = Gemm::new(Isa::detect(), shape, TileNeed::default());
/// let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let b = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
/// let mut c = [0.0; 4];
/// gemm.multiply(&a, &b, &mut c);
/// assert_eq!(c, [4.0, 5.0, 10.0, 11.0]);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gemm {
    isa: Isa,
    registers: Registers,
    shape: Shape,
    /// Rows and columns of all tiles but the last ones.
    tile_rows: usize,
    tile_cols: usize,
    /// Most steps along `k` that are computed together.
    kc: usize,
    /// Steps of all slices but the last.
    slice: usize,
    /// Tiles have all columns, and a worker packs B once for all its tiles.
    keeps_b: bool,
    path: Path,
}

/// How a tile is computed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Path {
    /// B is packed.
    Packed,
    /// B is packed, and A is what windows see.
    Windows(Box<Chunks>),
    /// A is what windows see, and B the transformed weights; or, if A is transposed, the gradients of outputs.
    Winograd(Box<Winograd>),
    /// A is what windows see, and each channel has a product of its own.
    Depthwise(Box<Depthwise>),
    /// At most MR rows: B is read where it lies.
    FewRows,
    /// At most `narrow::DOT_ROWS` rows and B transposed: each number of C is the product of two rows in memory.
    Dots,
}

impl Gemm {
    /// Cuts a product of this shape into tiles for `isa`, which must be available when a tile is computed.
    pub fn new(isa: Isa, shape: Shape, need: TileNeed) -> Gemm {
        cut::product(isa, Registers::of(isa), shape, need)
    }

    /// A product whose A is what windows on images see: `m` rows, one per window, and `k` numbers in each, or the other
    /// way round if `trans_a`. With `winograd`, convolutions of 3x3 that gain by it, and gradients of their weights, go
    /// through Winograd's transforms, with fewer multiplications and somewhat larger rounding errors; where
    /// [`Gemm::preparation`] then asks for it, `b` of [`Gemm::compute`] is what [`Gemm::prepare`] has made of it.
    ///
    /// # Panics
    /// If the shape is not that of the windows, or the windows are not [sound](Windows::is_sound), or spread and transposed.
    pub fn of_windows(isa: Isa, shape: Shape, windows: Windows, need: TileNeed, winograd: bool) -> Gemm {
        assert!(windows.is_sound() && windows.suits(&shape), "{windows:?} do not make {shape:?}");
        cut::windows(isa, Registers::of(isa), shape, windows, need, winograd)
    }

    /// A product channel by channel with what windows see: of `n` channels, `C[o, c]` is the sum over `k` taps `t` of
    /// `A[o, t, c] B[t, c]`, a row for each window; if `trans_a`, `C[t, c]` is the sum over `k` windows `o` of
    /// `A[o, t, c] B[o, c]`, a row for each tap.
    ///
    /// # Panics
    /// If the shape is not that of the windows, or the windows are not [sound](Windows::is_sound), or spread and transposed,
    /// or `trans_b` is set.
    pub fn depthwise(isa: Isa, shape: Shape, windows: Windows, need: TileNeed) -> Gemm {
        let sound = windows.is_sound() && windows.suits_channels(&shape);
        assert!(sound, "{windows:?} do not make {shape:?} channel by channel");
        cut::depthwise(isa, Registers::of(isa), shape, windows, need)
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of tiles; 0 if C is empty.
    pub fn tiles(&self) -> usize {
        self.shape.m.div_ceil(self.tile_rows) * self.shape.n.div_ceil(self.tile_cols)
    }

    /// Where tile `index` lies. Tiles that share rows of A follow each other.
    ///
    /// # Panics
    /// If `index` is not below [`tiles`](Self::tiles).
    pub fn tile(&self, index: usize) -> Tile {
        assert!(index < self.tiles(), "tile {index} of {}", self.tiles());
        let col_tiles = self.shape.n.div_ceil(self.tile_cols);
        let row = index / col_tiles * self.tile_rows;
        let col = index % col_tiles * self.tile_cols;
        Tile {
            row,
            rows: self.tile_rows.min(self.shape.m - row),
            col,
            cols: self.tile_cols.min(self.shape.n - col),
        }
    }

    /// The number of slices: parts of a long sum along `k` that are computed apart, each over all of C. The caller adds
    /// them up, in order.
    pub fn slices(&self) -> usize {
        self.shape.k.div_ceil(self.slice).max(1)
    }

    /// Numbers in the largest tile: the buffer for a caller that keeps tiles out of C.
    pub fn tile_len(&self) -> usize {
        self.tile_rows.min(self.shape.m) * self.tile_cols.min(self.shape.n)
    }

    /// Numbers of scratch memory that each worker needs.
    pub fn scratch_len(&self) -> usize {
        match &self.path {
            Path::Packed => {
                let (lines, length) = self.block_a();
                let a = if self.copies_a() { pack::lines_len(lines, length) } else { 0 };
                LINE + self.strip_len() + a
            }
            Path::Windows(chunks) => {
                LINE + self.strip_len() + if self.shape.trans_a { 0 } else { chunks.scratch_len() }
            }
            Path::Winograd(winograd) if self.shape.trans_a => winograd_gradient::scratch_len(winograd, self),
            Path::Winograd(winograd) => winograd.scratch_len(self.tile_cols.min(self.shape.n)),
            Path::Depthwise(_) | Path::FewRows | Path::Dots => 0,
        }
    }

    /// Parts and numbers of what [`Gemm::prepare`] makes of B before the tiles; 0 if nothing.
    pub fn preparation(&self) -> (usize, usize) {
        match &self.path {
            Path::Winograd(winograd) if !self.shape.trans_a => {
                let parts = self.shape.n.div_ceil(self.registers.nr);
                (parts, winograd.weights_len(self.shape, self.registers))
            }
            _ => (0, 0),
        }
    }

    /// Transforms one part of B.
    ///
    /// # Safety
    /// The instruction set must be available, `b` valid for reading `k * n` numbers, `to` for writing as many as
    /// [`preparation`](Self::preparation) says, and `part` below the number of parts. Parts may run side by side.
    pub unsafe fn prepare(&self, part: usize, b: *const f32, to: *mut f32) {
        if let Path::Winograd(winograd) = &self.path {
            let registers = self.registers;
            let weights = Weights { winograd, registers, n: self.shape.n, panel: part, from: b, to };
            // SAFETY: the caller vouches for the set and the pointers.
            unsafe { dispatch(self.isa, weights) }
        }
    }

    /// Whether the lines of A lie so far apart that they would push each other out of the first-level cache: they fall
    /// into few of its sets. Of a transposed A a whole block of lines is in use, otherwise those of a few rows.
    fn copies_a(&self) -> bool {
        let Shape { m, k, trans_a, .. } = self.shape;
        if trans_a { m.is_multiple_of(256) } else { k.is_multiple_of(1024) }
    }

    /// Lines of a block of A, and their length.
    fn block_a(&self) -> (usize, usize) {
        if self.shape.trans_a { (self.kc, self.tile_rows) } else { (self.tile_rows, self.kc) }
    }

    /// Columns of B that are packed together.
    fn strip(&self) -> usize {
        if self.keeps_b { self.shape.n } else { pack::PANELS * self.registers.nr }
    }

    /// Computes tile `index` of a slice into `c`, row `i` of the tile at `c + i * c_stride`.
    ///
    /// Reads nothing outside `a` and `b` and writes nothing but the tile. The contents of `scratch` do not matter, unless
    /// `kept` says that the last product to use it was this one, with the same B: it is set when that is so from now on.
    ///
    /// # Safety
    /// The instruction set must be available. `a` must be valid for reading `m * k` numbers, or the images of the windows,
    /// `b` for `k * n` or what has been prepared of them; `c` must
    /// be valid for writing (and reading) the tile's rows, which overlap neither `a`, `b` nor `scratch`.
    ///
    /// # Panics
    /// If `index` is not below [`tiles`](Self::tiles), `slice` not below [`slices`](Self::slices), or `scratch` is shorter than
    /// [`scratch_len`](Self::scratch_len).
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn compute(
        &self,
        index: usize,
        slice: usize,
        a: *const f32,
        b: *const f32,
        scratch: &mut [f32],
        c: *mut f32,
        c_stride: usize,
        kept: &mut bool,
    ) {
        assert!(slice < self.slices(), "slice {slice} of {}", self.slices());
        assert!(scratch.len() >= self.scratch_len(), "scratch too short");
        let kernel = TileKernel {
            gemm: self,
            tile: self.tile(index),
            steps: self.steps(slice),
            a,
            b,
            scratch: scratch.as_mut_ptr(),
            c,
            c_stride,
            kept: *kept && self.keeps_b,
        };
        // SAFETY: the caller vouches for the set and the pointers; the scratch is long enough.
        unsafe { dispatch(self.isa, kernel) }
        *kept = self.keeps_b;
    }

    fn steps(&self, slice: usize) -> Range<usize> {
        slice * self.slice..(slice + 1).saturating_mul(self.slice).min(self.shape.k)
    }

    /// The whole product on this thread.
    ///
    /// # Panics
    /// If the instruction set is not available, or a slice has not the length that the shape says.
    pub fn multiply(&self, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Shape { m, n, k, .. } = self.shape;
        assert!(self.isa.is_available(), "{} is not available", self.isa);
        let a_len = match &self.path {
            Path::Windows(chunks) => chunks.windows.len(),
            Path::Winograd(winograd) => winograd.chunks.windows.len(),
            Path::Depthwise(depthwise) => depthwise.windows.len(),
            _ => m.checked_mul(k),
        };
        assert_eq!(Some(a.len()), a_len, "length of a");
        assert_eq!(Some(b.len()), k.checked_mul(n), "length of b");
        assert_eq!(Some(c.len()), m.checked_mul(n), "length of c");
        let (mut scratch, mut kept) = (vec![0.0; self.scratch_len()], false);
        let (parts, len) = self.preparation();
        let mut prepared = vec![0.0; len];
        for part in 0..parts {
            // SAFETY: the lengths have been checked.
            unsafe { self.prepare(part, b.as_ptr(), prepared.as_mut_ptr()) };
        }
        let b = if parts > 0 { prepared.as_ptr() } else { b.as_ptr() };
        let mut apart = vec![0.0; if self.slices() > 1 { c.len() } else { 0 }];
        for slice in 0..self.slices() {
            let to = if slice == 0 { c.as_mut_ptr() } else { apart.as_mut_ptr() };
            for index in 0..self.tiles() {
                let tile = self.tile(index);
                let start = tile.row * n + tile.col;
                // SAFETY: the set is available, the lengths have been checked, and the tile lies within C.
                unsafe {
                    let c = to.add(start);
                    self.compute(index, slice, a.as_ptr(), b, &mut scratch, c, n, &mut kept);
                }
            }
            if slice > 0 {
                c.iter_mut().zip(&apart).for_each(|(sum, part)| *sum += part);
            }
        }
    }
}

/// One tile; the pointers as in [`Gemm::compute`].
struct TileKernel<'a> {
    gemm: &'a Gemm,
    tile: Tile,
    steps: Range<usize>,
    a: *const f32,
    b: *const f32,
    scratch: *mut f32,
    c: *mut f32,
    c_stride: usize,
    /// Whether the scratch holds all of B, packed.
    kept: bool,
}

impl Kernel for TileKernel<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller vouches for the set and the pointers.
        unsafe {
            match &self.gemm.path {
                Path::Packed => self.packed::<S>(),
                Path::Windows(chunks) if self.gemm.shape.trans_a => self.gathered_transposed::<S>(chunks),
                Path::Windows(chunks) => self.gathered::<S>(chunks),
                Path::Winograd(winograd) if self.gemm.shape.trans_a => self.winograd_gradient::<S>(winograd),
                Path::Winograd(winograd) => self.winograd::<S>(winograd),
                Path::Depthwise(depthwise) if self.gemm.shape.trans_a => {
                    self.depthwise_weights::<S>(depthwise)
                }
                Path::Depthwise(depthwise) => self.depthwise::<S>(depthwise),
                Path::FewRows => self.few_rows::<S>(),
                Path::Dots => self.dots::<S>(),
            }
        }
    }
}

impl TileKernel<'_> {
    /// Element strides of A along rows and along `k`.
    #[inline(always)]
    fn a_strides(&self) -> (usize, usize) {
        let Shape { m, k, trans_a, .. } = self.gemm.shape;
        if trans_a { (1, m) } else { (k, 1) }
    }
}
