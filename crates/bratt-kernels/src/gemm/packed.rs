//! Tiles of products whose B is packed.

use super::micro::{self, AS_IS, Block, COLUMNS, PACKING, ROWS, Registers};
use super::{LINE, Shape, Tile, TileKernel, pack};
use crate::simd::Simd;

/// Where a block of B comes from and goes to.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    /// First step, and how many.
    pub first: usize,
    pub depth: usize,
    /// Packed panels.
    pub to: *mut f32,
    /// Whether they are there already.
    pub kept: bool,
    /// Whether the first rows of a tile pack them.
    pub packing: bool,
}

/// Where a panel of B is read.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub b: *const f32,
    pub b_stride: usize,
    pub packed: *mut f32,
}

impl TileKernel<'_> {
    /// A product in memory, from step `self.steps.start` to `self.steps.end`.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn packed<S: Simd>(&self) {
        let registers = const { Registers::new::<S>() };
        let Registers { mr, nr, .. } = registers;
        let Shape { trans_a, trans_b, .. } = self.gemm.shape;
        let Tile { row, rows, cols, .. } = self.tile;
        let (a_row, a_col) = self.a_strides();
        // SAFETY: `scratch` has room for the panel of B and the block of A; all offsets lie within the factors and
        // the tile.
        unsafe {
            let strip = self.scratch.add(self.scratch.align_offset(64));
            let block_a = strip.add(self.gemm.strip_len());
            if self.steps.is_empty() {
                self.clear();
            }
            let mut p = self.steps.start;
            while p < self.steps.end {
                let depth = self.gemm.kc.min(self.steps.end - p);
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
                let panels = Panels { first: p, depth, to: strip, kept: self.kept, packing };
                let mut j = 0;
                while j < cols {
                    let panel = self.panel::<S>(panels, j);
                    let width = nr.min(cols - j);
                    let mut i = 0;
                    while i < rows {
                        let group = micro::group(rows - i, mr);
                        let source = if i == 0 { self.source(panels, j, panel) } else { panel };
                        let block = Block {
                            depth,
                            a: a.add(if trans_a { i } else { i * a_stride }),
                            a_stride,
                            offsets: std::ptr::null(),
                            places: std::ptr::null(),
                            runs: (std::ptr::null(), 0),
                            b: source.b,
                            b_stride: source.b_stride,
                            packed: source.packed,
                            c: self.c.add(i * self.c_stride + j),
                            c_stride: self.c_stride,
                            width,
                            accumulate: p > self.steps.start,
                        };
                        let vectors = registers.vectors(width);
                        match (i == 0 && packing, trans_a) {
                            (true, true) => micro::block::<S, COLUMNS, PACKING>(mr, vectors, block),
                            (true, false) => micro::block::<S, ROWS, PACKING>(mr, vectors, block),
                            (false, true) => micro::block::<S, COLUMNS, AS_IS>(group, vectors, block),
                            (false, false) => micro::block::<S, ROWS, AS_IS>(group, vectors, block),
                        }
                        i += group;
                    }
                    j += width;
                }
                p += depth;
            }
        }
    }

    /// The panel of B at column `j` of the tile, packed if it is there already or not left to the first rows.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`]; panels are asked for from left to right.
    #[inline(always)]
    pub(super) unsafe fn panel<S: Simd>(&self, panels: Panels, j: usize) -> Panel {
        let registers = const { Registers::new::<S>() };
        let Shape { n, k, trans_b, .. } = self.gemm.shape;
        let Tile { col, cols, .. } = self.tile;
        let Panels { first, depth, to, kept, packing } = panels;
        let strip_cols = self.gemm.strip();
        let within = j % strip_cols;
        // SAFETY: the strip lies within B, and has room in the scratch.
        unsafe {
            if within == 0 && !kept && !packing {
                let width = strip_cols.min(cols - j);
                if trans_b {
                    pack::b_transposed::<S>(depth, width, self.b.add((col + j) * k + first), k, to);
                } else {
                    pack::b::<S>(depth, width, self.b.add(first * n + col + j), n, to);
                }
            }
            let packed = to.add(within * depth);
            let vectors = registers.vectors(registers.nr.min(cols - j));
            Panel { b: packed, b_stride: vectors * registers.lanes, packed }
        }
    }

    /// Where the first rows of a tile read the panel.
    ///
    /// # Safety
    /// As for [`TileKernel::panel`].
    #[inline(always)]
    pub(super) unsafe fn source(&self, panels: Panels, j: usize, panel: Panel) -> Panel {
        if !panels.packing {
            return panel;
        }
        let n = self.gemm.shape.n;
        // SAFETY: the panel lies within B.
        let b = unsafe { self.b.add(panels.first * n + self.tile.col + j) };
        Panel { b, b_stride: n, packed: panel.packed }
    }

    /// An empty sum.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn clear(&self) {
        for i in 0..self.tile.rows {
            // SAFETY: a row of the tile.
            unsafe { self.c.add(i * self.c_stride).write_bytes(0, self.tile.cols) };
        }
    }
}

impl super::Gemm {
    /// Numbers that packed panels of B take.
    pub(super) fn strip_len(&self) -> usize {
        let depth = if self.keeps_b { self.shape.k } else { self.kc };
        pack::b_len(depth, self.strip(), self.registers).next_multiple_of(LINE)
    }
}
