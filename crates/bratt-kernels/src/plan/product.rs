//! A matrix product and its epilogue.
//!
//! A worker computes a tile and runs the tape over it while it is in cache. A long sum that is cut into slices takes two
//! rounds: all slices of all tiles into memory of their own, then each tile adds them up, first to last, and goes on as
//! any other. A right factor that is to be transformed takes a round before.

use super::run::{Placed, Plan, Site, aliases};
use super::{Span, StepSpec, TapeSpec};
use crate::gemm::{Gemm, Shape, TileNeed};
use crate::isa::{Isa, Kernel, dispatch};
use crate::pool::Pool;
use crate::simd::Simd;
use crate::tape::{Acc, Checked, Extent, Instr, Operand, Tape, TapeError, Tile, Tiles};

#[derive(Debug)]
pub(super) struct Product {
    gemm: Gemm,
    isa: Isa,
    a: Span,
    b: Span,
    placed: Placed,
    /// The operand that the product is computed into; a buffer of the worker's if there is none.
    target: Option<usize>,
    /// Lengths of the matrix product's scratch and of the buffer, which come before the tape's registers.
    scratch: usize,
    buffer: usize,
    /// Where the slices lie in the memory common to all workers.
    slices: usize,
    /// Where the prepared right factor lies there, if it is prepared.
    prepared: usize,
}

impl Product {
    /// # Panics
    /// If `spec` is not a product.
    pub(super) fn new(spec: &StepSpec, plan: &mut Plan) -> Result<Product, TapeError> {
        let StepSpec::MatMul {
            m,
            n,
            k,
            a,
            trans_a,
            windows,
            depthwise,
            winograd,
            b,
            trans_b,
            tape,
            instance,
        } = spec
        else {
            unreachable!("not a product: {spec:?}")
        };
        let needs = Checked::new(tape, true)?.needs;
        let shape = Shape { m: *m, n: *n, k: *k, trans_a: *trans_a, trans_b: *trans_b };
        // A tile with complete rows is one with all columns.
        let need = TileNeed { complete_rows: needs.complete_cols, complete_cols: needs.complete_rows };
        let gemm = match windows {
            Some(windows) if *depthwise => Gemm::depthwise(plan.isa, shape, *windows, need),
            Some(windows) => Gemm::of_windows(plan.isa, shape, *windows, need, *winograd),
            None => Gemm::new(plan.isa, shape, need),
        };
        let largest = gemm.tile(0);
        let tiles = Tiles::Product { count: gemm.tiles(), rows: largest.rows, cols: largest.cols };
        let instances = std::slice::from_ref(instance);
        let alias = aliases(tape, instances);
        let (tape, target) = into_target(tape, &alias);
        let compiled = Tape::new(&tape, (*m, *n), plan.isa, tiles, &alias)?;
        let scratch = gemm.scratch_len().next_multiple_of(16);
        let buffer = if target.is_none() { gemm.tile_len().next_multiple_of(16) } else { 0 };
        let mut shared = 0;
        let placed = plan.place(compiled, instance.spans.clone(), &mut shared, scratch + buffer);
        let len = if gemm.slices() > 1 { gemm.slices().saturating_mul(m * n) } else { 0 };
        let slices = plan.share(&mut shared, len);
        let prepared = plan.share(&mut shared, gemm.preparation().1);
        Ok(Product { gemm, isa: plan.isa, a: *a, b: *b, placed, target, scratch, buffer, slices, prepared })
    }

    /// # Safety
    /// The product belongs to a plan whose checks passed, and the site's memory is as large as that plan asks for.
    /// Nobody else writes to it meanwhile.
    pub(super) unsafe fn run(&self, site: &Site, pool: &Pool) {
        // SAFETY: there is a worker for each thread, and none is at work.
        (0..pool.threads()).for_each(|worker| unsafe { (*site.workers.add(worker)).kept = false });
        pool.run(self.gemm.preparation().0, &|part, _| {
            let to = site.shared.wrapping_add(self.prepared);
            // SAFETY: parts are disjoint, and the plan has checked the span.
            unsafe { self.gemm.prepare(part, site.start(&self.b), to) }
        });
        let tiles = self.gemm.tiles();
        if self.gemm.slices() > 1 {
            pool.run(tiles * self.gemm.slices(), &|part, worker| {
                // SAFETY: slices and tiles are disjoint, and this worker is ours.
                unsafe { self.slice(part % tiles, part / tiles, site, worker) }
            });
        }
        pool.run(tiles, &|tile, worker| {
            // SAFETY: tiles write to disjoint memory, and this worker is ours.
            unsafe { self.tile(tile, site, worker) }
        });
        if self.placed.tape.has_finish() {
            // SAFETY: all tiles are done.
            unsafe {
                let worker = site.worker(0, self.scratch + self.buffer);
                self.placed.tape.finish(&site.memory(&self.placed), worker)
            }
        }
    }

    /// Where slice `slice` of the sum lies, all of C.
    fn part(&self, slice: usize, site: &Site) -> *mut f32 {
        let Shape { m, n, .. } = self.gemm.shape();
        site.shared.wrapping_add(self.slices + slice * m * n)
    }

    /// One slice of a tile into its place.
    ///
    /// # Safety
    /// As for [`Product::run`]; each part and each worker is used by one thread only.
    unsafe fn slice(&self, index: usize, slice: usize, site: &Site, worker: usize) {
        let tile = self.gemm.tile(index);
        let cols = self.gemm.shape().n;
        // SAFETY: the tile lies within the slice's C.
        unsafe {
            let c = self.part(slice, site).add(tile.row * cols + tile.col);
            self.compute(index, slice, site, worker, Acc { start: c, stride: cols });
        }
    }

    /// # Safety
    /// As for [`Product::run`]; `c` has room for the tile.
    unsafe fn compute(&self, index: usize, slice: usize, site: &Site, worker: usize, c: Acc) {
        // SAFETY: the plan has checked the spans; the worker's memory begins with the scratch.
        unsafe {
            let b = match self.gemm.preparation().0 {
                0 => site.start(&self.b),
                _ => site.shared.wrapping_add(self.prepared),
            };
            let scratch = std::slice::from_raw_parts_mut(site.worker(worker, 0).registers, self.scratch);
            self.gemm.compute(
                index,
                slice,
                site.start(&self.a),
                b,
                scratch,
                c.start,
                c.stride,
                &mut (*site.workers.add(worker)).kept,
            );
        }
    }

    /// # Safety
    /// As for [`Product::run`]; each tile and each worker is used by one thread only.
    unsafe fn tile(&self, index: usize, site: &Site, worker: usize) {
        let tile = self.gemm.tile(index);
        let cols = self.gemm.shape().n;
        // SAFETY: spans lie within their blocks, tiles within the spans, as the plan has checked; the worker's memory
        // holds scratch, buffer and registers in this order.
        unsafe {
            let own = site.worker(worker, 0).registers;
            let acc = match self.target {
                Some(operand) => {
                    let start = site.start(&self.placed.spans[operand]).add(tile.row * cols + tile.col);
                    Acc { start, stride: cols }
                }
                None => Acc { start: own.add(self.scratch), stride: tile.cols },
            };
            if self.gemm.slices() > 1 {
                let parts = self.part(0, site).add(tile.row * cols + tile.col);
                let Shape { m, n, .. } = self.gemm.shape();
                let sum = Sum { slices: self.gemm.slices(), apart: m * n, parts, acc, tile, stride: cols };
                dispatch(self.isa, sum);
            } else {
                self.compute(index, 0, site, worker, acc);
            }
            let place = Tile { row0: tile.row, rows: tile.rows, col0: tile.col, cols: tile.cols };
            let memory = site.memory(&self.placed);
            let worker = site.worker(worker, self.scratch + self.buffer);
            self.placed.tape.epilogue(index, place, acc, &memory, worker);
        }
    }
}

/// Adds up the slices of a tile, first to last.
struct Sum {
    slices: usize,
    /// From a number of one slice to that of the next.
    apart: usize,
    parts: *const f32,
    acc: Acc,
    tile: crate::gemm::Tile,
    /// From one row of a slice to the next.
    stride: usize,
}

impl Kernel for Sum {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let cols = self.tile.cols;
        for row in 0..self.tile.rows {
            // SAFETY: rows of the tile, in whole vectors and what is left.
            unsafe {
                let from = self.parts.add(row * self.stride);
                let to = self.acc.start.add(row * self.acc.stride);
                let mut col = 0;
                while col < cols {
                    let lanes = S::LANES.min(cols - col);
                    let load = |slice: usize| {
                        let p = from.add(slice * self.apart + col);
                        if lanes == S::LANES { S::load(p) } else { S::load_first(p, lanes) }
                    };
                    let mut sum = load(0);
                    for slice in 1..self.slices {
                        sum = S::add(sum, load(slice));
                    }
                    if lanes == S::LANES {
                        S::store(to.add(col), sum);
                    } else {
                        S::store_first(to.add(col), sum, lanes);
                    }
                    col += lanes;
                }
            }
        }
    }
}

/// Finds an operand that the plain product is stored to, and takes that store out of the tape.
fn into_target(tape: &TapeSpec, alias: &dyn Fn(Operand, Operand) -> bool) -> (TapeSpec, Option<usize>) {
    let loads = |operand| tape.instrs.iter().any(|i| matches!(i, Instr::Load(from) if alias(*from, operand)));
    let found = tape.instrs.iter().position(|instr| match instr {
        Instr::Store(operand, value) => {
            let plain = tape.instrs[usize::from(value.0)] == Instr::Acc;
            plain && tape.extents[usize::from(operand.0)] == Extent::Full && !loads(*operand)
        }
        _ => false,
    });
    let mut tape = tape.clone();
    let Some(at) = found else { return (tape, None) };
    let Instr::Store(operand, _) = std::mem::replace(&mut tape.instrs[at], Instr::Const(0.0)) else {
        return (tape, None);
    };
    (tape, Some(usize::from(operand.0)))
}
