//! Tiles of products whose A are windows on images: convolutions, and the gradients of their weights.

use super::micro::{self, AS_IS, Block, GATHERED, PACKING, Registers, Run};
use super::packed::Panels;
use super::windows::Chunks;
use super::{Tile, TileKernel};
use crate::simd::Simd;

/// Most rows of outputs of a chunk whose runs are listed on the stack: as many as a chunk has at most, since each has
/// an output at least.
const MOST_RUNS: usize = super::windows::CHUNK;

/// Rows side by side.
const SIDE_BY_SIDE: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

impl TileKernel<'_> {
    /// `X W`: chunk after chunk of outputs.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn gathered<S: Simd>(&self, chunks: &Chunks) {
        let registers = const { Registers::new::<S>() };
        let nr = registers.nr;
        let mr = const { micro::most_rows::<S>(GATHERED) };
        let Tile { row, rows, cols, .. } = self.tile;
        let mut kept = self.kept;
        let mut done = 0;
        // SAFETY: `scratch` has room for the panels of B and for what a chunk sees; offsets and runs lead to what
        // `bring` has put there, or into the images.
        unsafe {
            let strip = self.scratch.add(self.scratch.align_offset(64));
            let seen = strip.add(self.gemm.strip_len());
            while done < rows {
                let outputs = chunks.outputs.min(rows - done);
                let a = chunks.bring(row + done, outputs, self.a, seen);
                let c = self.c.add(done * self.c_stride);
                for stretch in &chunks.stretches {
                    // All of B is kept, stretch after stretch.
                    let before =
                        if self.gemm.keeps_b { stretch.first * cols.next_multiple_of(nr) } else { 0 };
                    // The first rows can pack B only if they use all of it.
                    let packing = !kept
                        && !self.gemm.shape.trans_b
                        && chunks.phases.len() == 1
                        && micro::group(outputs, mr) == mr;
                    let panels = Panels {
                        first: stretch.first,
                        depth: stretch.depth,
                        to: strip.add(before),
                        kept,
                        packing,
                    };
                    let mut j = 0;
                    while j < cols {
                        let panel = self.panel::<S>(panels, j);
                        let width = nr.min(cols - j);
                        for (phase, runs) in chunks.phases.iter().zip(&stretch.runs) {
                            // The last chunk may have fewer images.
                            let count = phase.places.len() * outputs / chunks.outputs;
                            let runs = &phase.runs[runs.clone()];
                            let mut i = 0;
                            while i < count {
                                let group = micro::group(count - i, mr);
                                let source = if i == 0 { self.source(panels, j, panel) } else { panel };
                                let block = Block {
                                    depth: 0,
                                    a,
                                    a_stride: 1,
                                    offsets: phase.offsets.as_ptr().add(i),
                                    places: phase.places.as_ptr().add(i),
                                    runs: (runs.as_ptr(), runs.len()),
                                    b: source.b,
                                    b_stride: source.b_stride,
                                    packed: source.packed,
                                    c: c.add(j),
                                    c_stride: self.c_stride,
                                    width,
                                    accumulate: stretch.first > 0,
                                };
                                let vectors = registers.vectors(width);
                                if i == 0 && packing {
                                    micro::block::<S, GATHERED, PACKING>(mr, vectors, block);
                                } else {
                                    micro::block::<S, GATHERED, AS_IS>(group, vectors, block);
                                }
                                i += group;
                            }
                        }
                        j += width;
                    }
                }
                kept = self.gemm.keeps_b;
                done += outputs;
            }
        }
    }

    /// `X^T dy`: the outputs of `self.steps`, chunk after chunk; a row of C is a number of a window.
    ///
    /// # Safety
    /// As for [`super::Gemm::compute`].
    #[inline(always)]
    pub(super) unsafe fn gathered_transposed<S: Simd>(&self, chunks: &Chunks) {
        let registers = const { Registers::new::<S>() };
        let mr = const { micro::most_rows::<S>(GATHERED) };
        let nr = registers.nr;
        let windows = &chunks.windows;
        let channels = windows.channels;
        let [oh, ow] = windows.outputs;
        let image_len = windows.extent[0] * windows.extent[1] * channels;
        let Tile { row, rows, cols, .. } = self.tile;
        let mut runs = [Run { a: 0, b: 0, depth: 0 }; MOST_RUNS];
        debug_assert!(chunks.most_runs() <= MOST_RUNS);
        // SAFETY: `scratch` has room for the panels of B; runs lead into the images of the chunk.
        unsafe {
            let strip = self.scratch.add(self.scratch.align_offset(64));
            let mut first = self.steps.start;
            while first < self.steps.end {
                let depth = chunks.outputs.min(self.steps.end - first);
                let images = self.a.wrapping_add(first / (oh * ow) * image_len);
                let panels = Panels { first, depth, to: strip, kept: false, packing: false };
                let mut j = 0;
                while j < cols {
                    let panel = self.panel::<S>(panels, j);
                    let width = nr.min(cols - j);
                    let mut i = row;
                    let mut count = 0;
                    while i < row + rows {
                        let (tap, channel) = (i / channels, i % channels);
                        if channel == 0 || i == row {
                            let tap = [tap / windows.kernel[1], tap % windows.kernel[1]];
                            count = chunks.seeing(first, depth, tap, &mut runs);
                        }
                        let group = micro::group((channels - channel).min(row + rows - i), mr);
                        let block = Block {
                            depth: 0,
                            a: images.wrapping_add(channel),
                            a_stride: windows.stride[1] * channels,
                            offsets: SIDE_BY_SIDE.as_ptr(),
                            places: SIDE_BY_SIDE.as_ptr(),
                            runs: (runs.as_ptr(), count),
                            b: panel.b,
                            b_stride: panel.b_stride,
                            packed: panel.packed,
                            c: self.c.add((i - row) * self.c_stride + j),
                            c_stride: self.c_stride,
                            width,
                            accumulate: first > self.steps.start,
                        };
                        micro::block::<S, GATHERED, AS_IS>(group, registers.vectors(width), block);
                        i += group;
                    }
                    j += width;
                }
                first += depth;
            }
        }
    }
}
