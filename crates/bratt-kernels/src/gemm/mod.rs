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
//! What is missing: packing B costs the first of some twenty groups about a third, and each block of C some fifty
//! cycles to begin and end, against the 768 of a contracted extent of 128. A row of 784 by `[784x512]` (1.6 MB) takes
//! 29 µs on one core, 16 on two.

mod micro;
pub mod naive;
mod narrow;
mod pack;
#[cfg(test)]
mod tests;

use crate::isa::{Isa, Kernel, dispatch};
use crate::simd::Simd;
use micro::{Block, Registers};

/// Longest block along `k`: with `NR` columns it fills about half of the first-level cache.
const KC: usize = 384;
/// Most rows of a tile that may choose: its block of A leaves half of a second-level cache of 512 KiB free.
const MAX_ROWS: usize = 144;
/// Tiles wanted of a product that is large enough: divisible among 2, 3, 4 and 8 threads.
const TILES: usize = 24;
/// Tiles for which rows are split where columns give too few.
const ENOUGH_TILES: usize = 8;
/// Most numbers of B that a worker keeps packed from tile to tile: half of a second-level cache of 512 KiB.
const KEPT: usize = 1 << 16;
/// Least multiplications of a tile (about 4 microseconds): below, starting a part costs more than it brings.
const MIN_TILE_WORK: usize = 1 << 17;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gemm {
    isa: Isa,
    registers: Registers,
    shape: Shape,
    /// Rows and columns of all tiles but the last ones.
    tile_rows: usize,
    tile_cols: usize,
    /// Length of all blocks along `k` but the last.
    kc: usize,
    /// Tiles have all columns, and a worker packs B once for all its tiles.
    keeps_b: bool,
    path: Path,
}

/// How a tile is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Path {
    /// B is packed.
    Packed,
    /// At most MR rows: B is read where it lies.
    FewRows,
    /// At most `narrow::DOT_ROWS` rows and B transposed: each number of C is the product of two rows in memory.
    Dots,
}

impl Gemm {
    /// Cuts a product of this shape into tiles for `isa`, which must be available when a tile is computed.
    pub fn new(isa: Isa, shape: Shape, need: TileNeed) -> Gemm {
        Gemm::with_registers(isa, Registers::of(isa), shape, need)
    }

    fn with_registers(isa: Isa, registers: Registers, shape: Shape, need: TileNeed) -> Gemm {
        let Shape { m, n, k, trans_a, trans_b } = shape;
        let Registers { lanes, mr, nr } = registers;
        let path = if trans_b && m <= narrow::DOT_ROWS && (!trans_a || m == 1) {
            Path::Dots
        } else if !trans_b && m <= mr {
            Path::FewRows
        } else {
            Path::Packed
        };

        // Columns come in panels, rows in groups.
        let panel = if path == Path::Packed { (2 * LINE).next_multiple_of(nr) } else { 4 * LINE };
        let work = m.saturating_mul(n).saturating_mul(k.max(1));
        // Few rows wait for B rather than multiply.
        let least = match path {
            Path::Packed => MIN_TILE_WORK,
            Path::FewRows | Path::Dots => MIN_TILE_WORK / 8 * m.max(1),
        };
        let wanted = (work / least).clamp(1, TILES);
        // Whole rows of C lie together in memory: what an epilogue reads and writes comes in long runs, and cores do
        // not meet in neighbouring cache lines.
        let keeps_b = path == Path::Packed
            && !need.complete_rows
            && k <= KC
            && k.saturating_mul(n.next_multiple_of(nr)) <= KEPT;
        // Rows are not cut finer than this: a tile of few rows spends most of its time on reading B.
        let (least_rows, most_rows) = if need.complete_rows {
            (1, 1)
        } else {
            let least = m.div_ceil(MAX_ROWS).max(1);
            (least, m.div_ceil(4 * mr).max(least))
        };
        let (row_tiles, col_tiles) = if keeps_b {
            (wanted.clamp(least_rows, most_rows), 1)
        } else if need.complete_cols {
            (wanted.min(ENOUGH_TILES).clamp(least_rows, most_rows), 1)
        } else {
            let cols = wanted.div_ceil(least_rows).min(n.div_ceil(panel)).max(1);
            (wanted.min(ENOUGH_TILES).div_ceil(cols).clamp(least_rows, most_rows), cols)
        };
        let blocks = k.div_ceil(KC).max(1);
        Gemm {
            isa,
            registers,
            shape,
            tile_rows: split(m, row_tiles, mr),
            tile_cols: split(n, col_tiles, if path == Path::Packed { panel } else { lanes }),
            kc: k.div_ceil(blocks).max(1),
            keeps_b,
            path,
        }
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

    /// Numbers in the largest tile: the buffer for a caller that keeps tiles out of C.
    pub fn tile_len(&self) -> usize {
        self.tile_rows.min(self.shape.m) * self.tile_cols.min(self.shape.n)
    }

    /// Numbers of scratch memory that each worker needs.
    pub fn scratch_len(&self) -> usize {
        let registers = self.registers;
        match self.path {
            Path::Packed => {
                let (lines, length) = self.block_a();
                let a = if self.copies_a() { pack::lines_len(lines, length) } else { 0 };
                LINE + pack::b_len(self.kc, self.strip(), registers).next_multiple_of(LINE) + a
            }
            Path::FewRows | Path::Dots => 0,
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

    /// Computes tile `index` into `c`, row `i` of the tile at `c + i * c_stride`.
    ///
    /// Reads nothing outside `a` and `b` and writes nothing but the tile. The contents of `scratch` do not matter, unless
    /// `kept` says that the last product to use it was this one, with the same B: it is set when that is so from now on.
    ///
    /// # Safety
    /// The instruction set must be available. `a` must be valid for reading `m * k` numbers, `b` for `k * n`; `c` must
    /// be valid for writing (and reading) the tile's rows, which overlap neither `a`, `b` nor `scratch`.
    ///
    /// # Panics
    /// If `index` is not below [`tiles`](Self::tiles), or `scratch` is shorter than
    /// [`scratch_len`](Self::scratch_len).
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn compute(
        &self,
        index: usize,
        a: *const f32,
        b: *const f32,
        scratch: &mut [f32],
        c: *mut f32,
        c_stride: usize,
        kept: &mut bool,
    ) {
        assert!(scratch.len() >= self.scratch_len(), "scratch too short");
        let kernel = TileKernel {
            gemm: self,
            tile: self.tile(index),
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

    /// The whole product on this thread.
    ///
    /// # Panics
    /// If the instruction set is not available, or a slice has not the length that the shape says.
    pub fn multiply(&self, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Shape { m, n, k, .. } = self.shape;
        assert!(self.isa.is_available(), "{} is not available", self.isa);
        assert_eq!(Some(a.len()), m.checked_mul(k), "length of a");
        assert_eq!(Some(b.len()), k.checked_mul(n), "length of b");
        assert_eq!(Some(c.len()), m.checked_mul(n), "length of c");
        let (mut scratch, mut kept) = (vec![0.0; self.scratch_len()], false);
        for index in 0..self.tiles() {
            let tile = self.tile(index);
            let start = tile.row * n + tile.col;
            // SAFETY: the set is available, the lengths have been checked, and the tile lies within C.
            unsafe {
                let c = c.as_mut_ptr().add(start);
                self.compute(index, a.as_ptr(), b.as_ptr(), &mut scratch, c, n, &mut kept);
            }
        }
    }
}

/// `extent` cut into `parts`, in multiples of `unit` if there is more than one.
fn split(extent: usize, parts: usize, unit: usize) -> usize {
    if parts <= 1 { extent.max(1) } else { extent.div_ceil(parts).next_multiple_of(unit) }
}

/// One tile; the pointers as in [`Gemm::compute`].
struct TileKernel<'a> {
    gemm: &'a Gemm,
    tile: Tile,
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
            match self.gemm.path {
                Path::Packed => self.packed::<S>(),
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

    #[inline(always)]
    unsafe fn packed<S: Simd>(&self) {
        let registers = const { Registers::new::<S>() };
        let Registers { lanes, mr, nr } = registers;
        let Shape { n, k, trans_a, trans_b, .. } = self.gemm.shape;
        let Tile { row, rows, col, cols } = self.tile;
        let (a_row, a_col) = self.a_strides();
        // SAFETY: `scratch` has room for the panel of B and the block of A; all offsets lie within the factors and
        // the tile.
        unsafe {
            let strip = self.scratch.add(self.scratch.align_offset(64));
            let strip_cols = self.gemm.strip();
            let strip_len = pack::b_len(self.gemm.kc, strip_cols, registers).next_multiple_of(LINE);
            let block_a = strip.add(strip_len);
            if k == 0 {
                for i in 0..rows {
                    self.c.add(i * self.c_stride).write_bytes(0, cols);
                }
            }
            let mut p = 0;
            while p < k {
                let depth = self.gemm.kc.min(k - p);
                let mut a = self.a.add(row * a_row + p * a_col);
                // From one row to the next, or from one step to the next where rows lie side by side.
                let mut a_stride = if trans_a { a_col } else { a_row };
                if self.gemm.copies_a() && cols > nr {
                    let (lines, length) = if trans_a { (depth, rows) } else { (rows, depth) };
                    a_stride = pack::lines(lines, length, a, a_stride, block_a);
                    a = block_a.cast_const();
                }
                // The first rows pack B as they go, so that waiting for it overlaps with arithmetic.
                let packing = !self.kept && !trans_b && micro::group(rows, mr) == mr;
                let mut j = 0;
                while j < cols {
                    let within = j % strip_cols;
                    if within == 0 && !self.kept && !packing {
                        let width = strip_cols.min(cols - j);
                        if trans_b {
                            let b = self.b.add((col + j) * k + p);
                            pack::b_transposed::<S>(depth, width, b, k, strip);
                        } else {
                            let b = self.b.add(p * n + col + j);
                            pack::b::<S>(depth, width, b, n, strip);
                        }
                    }
                    let panel = strip.add(within * depth);
                    let width = nr.min(cols - j);
                    let vectors = registers.vectors(width);
                    let mut i = 0;
                    while i < rows {
                        let group = micro::group(rows - i, mr);
                        let block = Block {
                            depth,
                            a: a.add(if trans_a { i } else { i * a_stride }),
                            a_stride,
                            b: if i == 0 && packing {
                                self.b.add(p * n + col + j)
                            } else {
                                panel.cast_const()
                            },
                            b_stride: if i == 0 && packing { n } else { vectors * lanes },
                            packed: panel,
                            c: self.c.add(i * self.c_stride + j),
                            c_stride: self.c_stride,
                            width,
                            accumulate: p > 0,
                        };
                        if i == 0 && packing {
                            micro::packing::<S>(vectors, trans_a, block);
                        } else {
                            micro::packed::<S>(group, vectors, trans_a, block);
                        }
                        i += group;
                    }
                    j += width;
                }
                p += depth;
            }
        }
    }
}
