//! Runs compiled tapes: task by task, tile by tile, instruction by instruction.

use super::check::MAX_ARGS;
use super::compile::{Action, Op, Place, Program, Tape, View};
use super::ops::{self, Args};
use super::tiling::Tile;
use super::{Binary, Extent, Reduction, reduce};
use crate::isa::{Kernel, dispatch};
use crate::plan::{Space, Span};
use crate::random::{self, Key};
use crate::simd::Simd;

/// The memory a tape runs on: its operands, as spans of the two blocks, and what its tasks share.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a> {
    pub spans: &'a [Span],
    pub state: *mut f32,
    pub work: *mut f32,
    /// [`Tape::shared_len`] numbers.
    pub shared: *mut f32,
    pub key: Key,
}

impl Memory<'_> {
    pub(crate) fn start(&self, span: &Span) -> *mut f32 {
        let block = match span.space {
            Space::State => self.state,
            Space::Work => self.work,
        };
        // Within the block, as the plan has checked.
        block.wrapping_add(span.offset)
    }
}

/// A view within one tile: its first number, and how far it is from row to row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    start: *mut f32,
    stride: usize,
}

// SAFETY: a cursor is a place, filled anew for every tile by the worker that owns it; nothing is read through one
// that another thread has filled.
unsafe impl Send for Cursor {}
// SAFETY: as above.
unsafe impl Sync for Cursor {}

impl Cursor {
    pub(crate) const NULL: Cursor = Cursor { start: std::ptr::null_mut(), stride: 0 };
}

/// One worker's own memory.
#[derive(Clone, Copy)]
pub(crate) struct Worker {
    /// [`Tape::registers`] numbers.
    pub registers: *mut f32,
    /// [`Tape::views`] cursors.
    pub cursors: *mut Cursor,
}

/// The tile of a matrix product.
#[derive(Clone, Copy)]
pub(crate) struct Acc {
    pub start: *mut f32,
    pub stride: usize,
}

struct Fill {
    key: [u32; 2],
    start: u64,
    dst: *mut f32,
    n: usize,
}

impl Kernel for Fill {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller vouches for the instruction set and for `n` numbers at `dst`.
        unsafe { random::fill::<S>(self.key, self.start, self.dst, self.n) }
    }
}

impl Tape {
    /// Number of tasks, which may run in any order and at the same time.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks
    }

    /// Work, in elements times instructions.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    /// Length of the registers that each worker needs.
    pub(crate) fn registers(&self) -> usize {
        self.tile.registers.max(self.finish.registers)
    }

    /// Number of cursors that each worker needs.
    pub(crate) fn views(&self) -> usize {
        self.tile.views.len().max(self.finish.views.len())
    }

    /// Length of the memory that tasks share.
    pub(crate) fn shared_len(&self) -> usize {
        self.tasks * self.partial_len + self.kept_len
    }

    /// Runs one task.
    ///
    /// # Safety
    /// The tape's instruction set is available; `memory` and `worker` are as large as they say, the worker's memory
    /// is used by nobody else, and operands are only touched by other tasks of the same tape.
    pub(crate) unsafe fn task(&self, task: usize, memory: &Memory, worker: Worker) {
        // SAFETY: passed on from the caller.
        unsafe {
            self.clear(task, memory);
            for (i, index) in self.tiling.task(task).enumerate() {
                let tile = self.tiling.tile(index);
                let site = Site { tape: self, memory, worker, task, tile, acc: None };
                site.place(&self.tile.views);
                if i == 0 {
                    site.run(&self.tile.setup);
                }
                site.run(&self.tile.ops);
            }
        }
    }

    /// Runs the tape as epilogue on one tile of a matrix product.
    ///
    /// # Safety
    /// As for [`Tape::task`]; the tile is no larger than announced when the tape was made, and `acc` holds it.
    pub(crate) unsafe fn epilogue(
        &self,
        task: usize,
        whole: Tile,
        acc: Acc,
        memory: &Memory,
        worker: Worker,
    ) {
        // SAFETY: passed on from the caller; strips lie within the tile.
        unsafe {
            self.clear(task, memory);
            let mut done = 0;
            while done < whole.rows {
                let rows = self.tiling.tile_rows.min(whole.rows - done);
                let tile = Tile { row0: whole.row0 + done, rows, ..whole };
                let acc = Acc { start: acc.start.add(done * acc.stride), ..acc };
                let site = Site { tape: self, memory, worker, task, tile, acc: Some(acc) };
                site.place(&self.tile.views);
                if done == 0 {
                    site.run(&self.tile.setup);
                }
                site.run(&self.tile.ops);
                done += rows;
            }
        }
    }

    /// Sets a task's partial results to what combining starts from.
    unsafe fn clear(&self, task: usize, memory: &Memory) {
        for partial in &self.partials {
            // SAFETY: the partial results of all tasks lie within the shared memory.
            unsafe {
                let start = memory.shared.add(task * self.partial_len + partial.offset);
                std::slice::from_raw_parts_mut(start, partial.len).fill(reduce::identity(partial.reduction));
            }
        }
    }

    /// Combines the partial results in the order of the tasks and runs the finish. To be called once, after all tasks.
    ///
    /// # Safety
    /// As for [`Tape::task`], and no task runs.
    pub(crate) unsafe fn finish(&self, memory: &Memory, worker: Worker) {
        // SAFETY: passed on from the caller; the partial results of different tasks do not overlap.
        unsafe {
            for partial in &self.partials {
                let function = match partial.reduction {
                    Reduction::Sum => Binary::Add,
                    Reduction::Max => Binary::Max,
                    Reduction::Min => Binary::Min,
                };
                let combine = ops::binary(function, self.isa, 0);
                let total = memory.shared.add(partial.offset);
                for task in 1..self.tasks {
                    let part = total.add(task * self.partial_len);
                    let mut src = [part.cast_const(); MAX_ARGS];
                    src[0] = total;
                    combine(&Args {
                        dst: total,
                        dst_stride: 0,
                        src,
                        strides: [0; MAX_ARGS],
                        rows: 1,
                        cols: partial.len,
                    });
                }
            }
            if !self.finish.ops.is_empty() {
                let tile = Tile { row0: 0, rows: 1, col0: 0, cols: self.tiling.cols };
                let site = Site { tape: self, memory, worker, task: 0, tile, acc: None };
                site.place(&self.finish.views);
                site.run(&self.finish.ops);
            }
        }
    }

    /// Whether anything is left to do when all tasks are done.
    pub(crate) fn has_finish(&self) -> bool {
        let Program { ops, .. } = &self.finish;
        !ops.is_empty()
    }
}

/// One tile with all that its instructions touch.
struct Site<'a> {
    tape: &'a Tape,
    memory: &'a Memory<'a>,
    worker: Worker,
    task: usize,
    tile: Tile,
    acc: Option<Acc>,
}

impl Site<'_> {
    /// Points the cursors at this tile.
    unsafe fn place(&self, views: &[View]) {
        let Tile { row0, col0, cols, .. } = self.tile;
        let all = self.tape.tiling.cols;
        for (i, view) in views.iter().enumerate() {
            let shift = if view.all_cols { col0 } else { 0 };
            let (start, width) = match view.place {
                Place::Register(offset) => (self.worker.registers.wrapping_add(offset), cols),
                Place::Operand(operand) => {
                    let start = self.memory.start(&self.memory.spans[usize::from(operand)]);
                    let first = match view.extent {
                        Extent::Full => row0 * all + col0,
                        Extent::PerRow => row0,
                        Extent::PerCol => col0,
                        Extent::Scalar => 0,
                    };
                    (start.wrapping_add(first), all)
                }
                Place::Partial(offset) => {
                    let start = self.task * self.tape.partial_len + offset + shift;
                    (self.memory.shared.wrapping_add(start), cols)
                }
                Place::Kept(offset) => {
                    let start = self.tape.tasks * self.tape.partial_len + offset + shift;
                    (self.memory.shared.wrapping_add(start), cols)
                }
                Place::Acc => self.acc.map_or((std::ptr::null_mut(), 0), |acc| (acc.start, acc.stride)),
            };
            let stride = match view.extent {
                Extent::Full => width,
                Extent::PerRow => 1,
                Extent::PerCol | Extent::Scalar => 0,
            };
            // SAFETY: a worker has a cursor for every view.
            unsafe { *self.worker.cursors.add(i) = Cursor { start, stride } };
        }
    }

    #[inline]
    unsafe fn run(&self, ops: &[Op]) {
        let mut rest = ops;
        while let [op, after @ ..] = rest {
            // SAFETY: the views of an op have cursors, and these point at the tile's share of valid memory.
            unsafe {
                rest = match (op.action, after) {
                    (Action::Trio(entry), [second, third, after @ ..]) => {
                        entry(&[self.args(op), self.args(second), self.args(third)]);
                        after
                    }
                    _ => {
                        self.op(op);
                        after
                    }
                }
            };
        }
    }

    /// The matrices of an op.
    #[inline]
    unsafe fn args(&self, op: &Op) -> Args {
        let Tile { rows, cols, .. } = self.tile;
        let (rows, cols) = match op.over {
            Extent::Full => (rows, cols),
            Extent::PerRow => (1, rows),
            Extent::PerCol => (1, cols),
            Extent::Scalar => (1, 1),
        };
        // SAFETY: see `run`; all of `over` is inside the places of destination and arguments.
        unsafe {
            let dst = *self.worker.cursors.add(usize::from(op.dst));
            let src = op.src.map(|view| *self.worker.cursors.add(usize::from(view)));
            Args {
                dst: dst.start,
                dst_stride: dst.stride,
                src: src.map(|s| s.start.cast_const()),
                strides: src.map(|s| s.stride),
                rows,
                cols,
            }
        }
    }

    #[inline]
    unsafe fn op(&self, op: &Op) {
        let Tile { row0, col0, .. } = self.tile;
        // SAFETY: see `run`.
        unsafe {
            let mut args = self.args(op);
            let Args { rows, cols, dst, .. } = args;
            match op.action {
                Action::Lanes(entry, repeat) => {
                    // Rows that follow each other without gaps are one long row.
                    let gapless = |k: usize| args.strides[k] == if repeat >> k & 1 == 1 { 0 } else { cols };
                    if rows > 1 && args.dst_stride == cols && (0..MAX_ARGS).all(gapless) {
                        args.cols *= args.rows;
                        args.rows = 1;
                    }
                    entry(&args);
                }
                // Run with the two that follow.
                Action::Trio(_) => {}
                Action::Fold(entry) => entry(&args),
                Action::FoldAll(entry, first_cols_only) => {
                    if args.strides[0] == cols {
                        args.cols *= args.rows;
                        args.rows = 1;
                    }
                    if !first_cols_only || col0 == 0 {
                        entry(&args);
                    }
                }
                Action::Const(value) => *dst = value,
                Action::RowIndex => index(dst, row0, rows * cols),
                Action::ColIndex => index(dst, col0, rows * cols),
                Action::Uniform(stream) => {
                    self.uniform(stream, Cursor { start: dst, stride: args.dst_stride });
                }
            }
        }
    }

    unsafe fn uniform(&self, stream: u32, dst: Cursor) {
        let Tile { row0, rows, col0, cols } = self.tile;
        let key = random::stream_key(self.memory.key, stream);
        let all = self.tape.tiling.cols;
        let (rows, n) = if cols == all && dst.stride == cols { (1, rows * cols) } else { (rows, cols) };
        for row in 0..rows {
            let start = (row0 + row) as u64 * all as u64 + col0 as u64;
            // SAFETY: the row lies within the destination.
            unsafe {
                let dst = dst.start.add(row * dst.stride);
                dispatch(self.tape.isa, Fill { key, start, dst, n });
            }
        }
    }
}

/// Writes `first, first + 1, ...`.
unsafe fn index(dst: *mut f32, first: usize, n: usize) {
    for i in 0..n {
        // SAFETY: the caller vouches for `n` numbers.
        unsafe { *dst.add(i) = (first + i) as f32 };
    }
}
