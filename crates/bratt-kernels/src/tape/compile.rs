//! From a tape to what the machine runs: which instructions run when, and where each value lives.
//!
//! Instructions fall into three programs. *Setup* runs once per task: scalars, and per-column values where all tiles
//! of a task share their columns. The *body* runs per tile. The *finish* runs once, on sums that the tasks have left
//! (see [`super::check`]); it computes anew what it needs of the plain per-column values.
//!
//! A value lives in a register (a tile in the worker's scratch, used again after its last use), or, without a copy,
//! in the memory it is loaded from or will be stored to, as long as no instruction in between could see the
//! difference.

use super::check::{Checked, MAX_ARGS, TapeError, arguments};
use super::registers::{Registers, Writer};
use super::tiling::Tiling;
use super::{Binary, Extent, Instr, Operand, Reduction, Unary, ops, trio};
use crate::isa::Isa;
use crate::plan::TapeSpec;

/// Where a value lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Memory operand.
    Operand(u16),
    /// At this offset of the worker's registers.
    Register(usize),
    /// At this offset of the task's partial results.
    Partial(usize),
    /// At this offset of what tiles leave for the finish.
    Kept(usize),
    /// The tile of the matrix product.
    Acc,
}

/// A value's place and form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    pub place: Place,
    /// How kernels walk it.
    pub extent: Extent,
    /// Whether its first number is that of the first column of all, not of the tile.
    pub all_cols: bool,
}

/// How an instruction is run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// A pointwise loop, and which arguments are one number per row.
    Lanes(ops::Entry, u8),
    /// This one and the next two in one loop.
    Trio(trio::Entry),
    /// A reduction of the columns or rows.
    Fold(ops::Entry),
    /// A reduction of everything; if `true`, only in tiles that hold the first column.
    FoldAll(ops::Entry, bool),
    Const(f32),
    RowIndex,
    ColIndex,
    Uniform(u32),
}

/// An instruction with the places of its values, as indices into the views.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub action: Action,
    /// What it iterates over.
    pub over: Extent,
    pub dst: u16,
    pub src: [u16; MAX_ARGS],
}

/// Instructions to run in order, over common views.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub views: Vec<View>,
    pub setup: Vec<Op>,
    pub ops: Vec<Op>,
    /// Length of the registers.
    pub registers: usize,
}

/// A sum (or largest, or smallest) that tasks accumulate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partial {
    pub offset: usize,
    pub len: usize,
    pub reduction: Reduction,
}

/// Whose tiles a tape runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tiles {
    /// Its own.
    Own,
    /// A matrix product's, `count` of them, with at most so many rows and columns.
    Product { count: usize, rows: usize, cols: usize },
}

/// A tape ready to run over one iteration space.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(super) isa: Isa,
    pub(super) tile: Program,
    pub(super) finish: Program,
    pub(super) tiling: Tiling,
    pub(super) partials: Vec<Partial>,
    /// Length of one task's partial results.
    pub(super) partial_len: usize,
    pub(super) kept_len: usize,
    pub(super) tasks: usize,
    /// Work, in elements times instructions.
    pub(super) cost: usize,
}

/// Registers and what tasks share lie on cache lines of their own.
pub(super) const PAD: usize = 16;

/// More numbers than this no memory holds, with room to add up a few such lengths.
const MAX_LEN: usize = isize::MAX as usize / 64;

/// A tile of this many elements is cut from a product's tile.
const STRIP: usize = 2048;

/// What is known while a tape is compiled.
pub(super) struct Compiler<'a> {
    pub spec: &'a TapeSpec,
    pub checked: Checked,
    pub alias: &'a dyn Fn(Operand, Operand) -> bool,
    pub isa: Isa,
    pub rows: usize,
    pub cols: usize,
    pub in_setup: Vec<bool>,
    pub in_body: Vec<bool>,
    pub in_finish: Vec<bool>,
    /// Accumulated by tasks: the index into `partials`.
    pub partial: Vec<Option<usize>>,
    /// Left by tiles for the finish: the offset.
    pub kept: Vec<Option<usize>>,
    pub partials: Vec<Partial>,
    pub partial_len: usize,
    pub kept_len: usize,
}

impl Tape {
    /// Compiles a tape for an iteration space. `alias` tells whether two operands may be the same memory.
    pub(crate) fn new(
        spec: &TapeSpec,
        (rows, cols): (usize, usize),
        isa: Isa,
        tiles: Tiles,
        alias: &dyn Fn(Operand, Operand) -> bool,
    ) -> Result<Tape, TapeError> {
        let checked = Checked::new(spec, tiles != Tiles::Own)?;
        let needs = checked.needs;
        let overflow = TapeError::Overflow { rows, cols };
        let elements = rows.checked_mul(cols).filter(|&n| n <= MAX_LEN);
        let Some(elements) = elements else { return Err(overflow) };
        // Where only elements and scalars meet, the matrix is one long row.
        let flat = tiles == Tiles::Own
            && checked
                .extents
                .iter()
                .chain(&spec.extents)
                .all(|e| matches!(e, Extent::Full | Extent::Scalar));
        let (rows, cols) = if flat { (1, elements) } else { (rows, cols) };
        let per_element = spec.instrs.iter().zip(&checked.extents);
        let per_element =
            per_element.filter(|(_, e)| **e == Extent::Full).map(|(i, _)| cost(i)).sum::<usize>();
        let tiling = match tiles {
            Tiles::Own => Tiling::new(rows, cols, needs, per_element),
            Tiles::Product { rows: most, cols: width, .. } => {
                let strip =
                    if needs.complete_cols { most } else { (STRIP / width.max(1)).clamp(1, most.max(1)) };
                Tiling { tile_rows: strip, tile_cols: width, ..Tiling::new(rows, cols, needs, per_element) }
            }
        };
        let tasks = if let Tiles::Product { count, .. } = tiles { count.max(1) } else { tiling.tasks };
        let n = spec.instrs.len();
        let mut compiler = Compiler {
            spec,
            checked,
            alias,
            isa,
            rows,
            cols,
            in_setup: vec![false; n],
            in_body: vec![false; n],
            in_finish: vec![false; n],
            partial: vec![None; n],
            kept: vec![None; n],
            partials: vec![],
            partial_len: 0,
            kept_len: 0,
        };
        compiler.assign(tiles != Tiles::Own || tiling.col_tiles <= 1);
        let tile = Writer::new(&compiler, Registers::new(tiling.tile_rows, tiling.tile_cols)).tile();
        let finish = Writer::new(&compiler, Registers::new(0, cols)).finish();
        let Compiler { partials, partial_len, kept_len, .. } = compiler;
        let cost = elements.saturating_mul(per_element.max(1));
        // Lengths that overflow are saturated, and come out as too long.
        let shared = partial_len.saturating_mul(tasks).saturating_add(kept_len);
        if tile.registers.max(finish.registers).max(shared) > MAX_LEN {
            return Err(overflow);
        }
        Ok(Tape { isa, tile, finish, tiling, partials, partial_len, kept_len, tasks, cost })
    }
}

/// A rough price per element; an addition is 1.
fn cost(instr: &Instr) -> usize {
    match instr {
        Instr::Unary(Unary::Exp | Unary::Log | Unary::Expm1, _) => 6,
        Instr::Unary(Unary::Sigmoid | Unary::Tanh | Unary::Log1p | Unary::Softplus, _) => 10,
        Instr::Binary(Binary::Pow, ..) => 24,
        Instr::Unary(Unary::Sqrt | Unary::Recip, _) | Instr::Binary(Binary::Div, ..) => 3,
        Instr::Uniform { .. } => 16,
        _ => 1,
    }
}

impl Compiler<'_> {
    pub(super) fn extent(&self, value: usize) -> Extent {
        self.checked.extents[value]
    }

    /// The extent that kernels see: in a matrix of one column (or row), a number per row (or column) is an element.
    pub(super) fn seen(&self, extent: Extent) -> Extent {
        match extent {
            Extent::PerRow if self.cols == 1 => Extent::Full,
            Extent::PerCol if self.cols == 1 => Extent::Scalar,
            Extent::PerRow if self.rows == 1 => Extent::Scalar,
            Extent::PerCol if self.rows == 1 => Extent::Full,
            other => other,
        }
    }

    /// Known only when all tiles are done.
    fn deferred(&self, value: usize) -> bool {
        let (follows, needs) = (self.checked.follows[value], self.checked.needs);
        (follows.all && !needs.whole()) || (follows.rows && !needs.complete_cols)
    }

    /// Accumulated tile by tile.
    fn accumulates(&self, value: usize) -> bool {
        let needs = self.checked.needs;
        match self.spec.instrs[value] {
            Instr::ReduceRows(..) => !needs.complete_cols,
            Instr::ReduceAll(_, arg) => {
                let arg = usize::from(arg.0);
                let known_late = self.extent(arg) == Extent::PerCol && !needs.complete_cols;
                !needs.whole() && !known_late && !self.deferred(arg)
            }
            _ => false,
        }
    }

    /// Decides which program each instruction belongs to.
    fn assign(&mut self, same_cols: bool) {
        let needs = self.checked.needs;
        for at in (0..self.spec.instrs.len()).rev() {
            let instr = self.spec.instrs[at];
            if let Instr::Store(operand, _) = instr {
                let small =
                    matches!(self.spec.extents[usize::from(operand.0)], Extent::Scalar | Extent::PerCol);
                let late = small && !needs.whole();
                self.in_finish[at] = late;
                self.in_body[at] = !late;
            }
            let (args, count) = arguments(&instr);
            for arg in args[..count].iter().map(|v| usize::from(v.0)) {
                if self.in_body[at] {
                    self.in_body[arg] = true;
                }
                if self.in_finish[at] {
                    self.wanted_late(arg);
                }
            }
        }
        for at in 0..self.spec.instrs.len() {
            let follows = self.checked.follows[at];
            let plain = self.in_body[at] && !needs.whole() && !follows.rows && !follows.all;
            self.in_setup[at] = plain
                && !matches!(self.spec.instrs[at], Instr::Store(..))
                && match self.extent(at) {
                    Extent::Scalar => true,
                    Extent::PerCol => same_cols && self.seen(Extent::PerCol) != Extent::Full,
                    _ => false,
                };
        }
    }

    fn wanted_late(&mut self, value: usize) {
        let len = if self.extent(value) == Extent::PerCol { self.cols } else { 1 };
        let follows = self.checked.follows[value];
        if self.accumulates(value) {
            if self.partial[value].is_none() {
                let (Instr::ReduceRows(reduction, _) | Instr::ReduceAll(reduction, _)) =
                    self.spec.instrs[value]
                else {
                    return;
                };
                self.partial[value] = Some(self.partials.len());
                self.partials.push(Partial { offset: self.partial_len, len, reduction });
                self.partial_len = self.partial_len.saturating_add(len.next_multiple_of(PAD));
            }
            self.in_body[value] = true;
        } else if self.deferred(value) || (!follows.rows && !follows.all) {
            self.in_finish[value] = true;
        } else {
            if self.kept[value].is_none() {
                self.kept[value] = Some(self.kept_len);
                self.kept_len = self.kept_len.saturating_add(len.next_multiple_of(PAD));
            }
            self.in_body[value] = true;
        }
    }
}
