//! From a tape to what the machine runs: which instructions run when, and where each value lives.
//!
//! Instructions fall into three programs. *Setup* runs once per task: scalars, and per-column values where all tiles
//! of a task share their columns. The *body* runs per tile. The *finish* runs once, on sums that the tasks have left
//! (see [`super::check`]); it computes anew what it needs of the plain per-column values.
//!
//! A value lives in a register (a tile in the worker's scratch, used again after its last use), or, without a copy,
//! in the memory it is loaded from or will be stored to, as long as no instruction in between could see the
//! difference.

use super::check::{Checked, TapeError, arguments, fits};
use super::tiling::Tiling;
use super::{Binary, Extent, Instr, Operand, Reduction, Unary, ops, reduce};
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
    pub src: [u16; 3],
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

const PAD: usize = 16;

/// A tile of this many elements is cut from a product's tile.
const STRIP: usize = 2048;

struct Registers {
    sizes: [usize; 4],
    free: [Vec<usize>; 4],
    len: usize,
}

fn class(extent: Extent) -> usize {
    match extent {
        Extent::Scalar => 0,
        Extent::PerRow => 1,
        Extent::PerCol => 2,
        Extent::Full => 3,
    }
}

impl Registers {
    fn new(tile_rows: usize, tile_cols: usize) -> Registers {
        // One cache line more than asked for, so that registers do not all start in the same cache set.
        let sizes = [1, tile_rows, tile_cols, tile_rows * tile_cols].map(|n| n.next_multiple_of(PAD) + PAD);
        Registers { sizes, free: Default::default(), len: 0 }
    }

    fn take(&mut self, extent: Extent) -> usize {
        let class = class(extent);
        self.free[class].pop().unwrap_or_else(|| {
            self.len += self.sizes[class];
            self.len - self.sizes[class]
        })
    }
}

/// What is known while a tape is compiled.
struct Compiler<'a> {
    spec: &'a TapeSpec,
    checked: Checked,
    alias: &'a dyn Fn(Operand, Operand) -> bool,
    isa: Isa,
    rows: usize,
    cols: usize,
    in_setup: Vec<bool>,
    in_body: Vec<bool>,
    in_finish: Vec<bool>,
    /// Accumulated by tasks: the index into `partials`.
    partial: Vec<Option<usize>>,
    /// Left by tiles for the finish: the offset.
    kept: Vec<Option<usize>>,
    partials: Vec<Partial>,
    partial_len: usize,
    kept_len: usize,
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
        let elements = rows.checked_mul(cols).filter(|&n| n <= isize::MAX as usize / 64);
        let Some(elements) = elements else { return Err(TapeError::Overflow { rows, cols }) };
        if !fits(&needs, rows, cols) {
            return Err(TapeError::TooLarge { needs, rows, cols });
        }
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
    fn extent(&self, value: usize) -> Extent {
        self.checked.extents[value]
    }

    /// The extent that kernels see: in a matrix of one column (or row), a number per row (or column) is an element.
    fn seen(&self, extent: Extent) -> Extent {
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
                self.partial_len += len.next_multiple_of(PAD);
            }
            self.in_body[value] = true;
        } else if self.deferred(value) || (!follows.rows && !follows.all) {
            self.in_finish[value] = true;
        } else {
            if self.kept[value].is_none() {
                self.kept[value] = Some(self.kept_len);
                self.kept_len += len.next_multiple_of(PAD);
            }
            self.in_body[value] = true;
        }
    }
}

/// Writes one program.
struct Writer<'a> {
    c: &'a Compiler<'a>,
    registers: Registers,
    views: Vec<View>,
    /// The view of each value.
    at: Vec<Option<u16>>,
    late: bool,
}

impl<'a> Writer<'a> {
    fn new(c: &'a Compiler<'a>, registers: Registers) -> Writer<'a> {
        Writer { c, registers, views: vec![], at: vec![None; c.spec.instrs.len()], late: false }
    }

    fn seen(&self, extent: Extent) -> Extent {
        if self.late { extent } else { self.c.seen(extent) }
    }

    fn view(&mut self, place: Place, extent: Extent) -> u16 {
        let all_cols = extent == Extent::PerCol;
        let view = View { place, extent: self.seen(extent), all_cols };
        let known = self.views.iter().position(|v| *v == view);
        known.unwrap_or_else(|| {
            self.views.push(view);
            self.views.len() - 1
        }) as u16
    }

    fn operand(&mut self, operand: Operand) -> u16 {
        self.view(Place::Operand(operand.0), self.c.spec.extents[usize::from(operand.0)])
    }

    fn tile(mut self) -> Program {
        let c = self.c;
        let all = 0..c.spec.instrs.len();
        let setup: Vec<usize> = all.clone().filter(|&i| c.in_setup[i]).collect();
        let body: Vec<usize> = all.filter(|&i| c.in_body[i] && !c.in_setup[i]).collect();
        // What setup makes stays until the task ends.
        let mut setup_ops = vec![];
        for &i in &setup {
            match c.spec.instrs[i] {
                Instr::Load(operand) => self.at[i] = Some(self.operand(operand)),
                instr => {
                    let offset = self.registers.take(self.seen(c.extent(i)));
                    let dst = self.view(Place::Register(offset), c.extent(i));
                    self.at[i] = Some(dst);
                    setup_ops.push(self.op(instr, dst, c.extent(i), false));
                }
            }
        }
        self.registers.free = Default::default();
        let ops = self.write(&body);
        Program { views: self.views, setup: setup_ops, ops, registers: self.registers.len }
    }

    fn finish(mut self) -> Program {
        let c = self.c;
        self.late = true;
        for i in 0..c.spec.instrs.len() {
            if let Some(partial) = c.partial[i] {
                self.at[i] = Some(self.view(Place::Partial(c.partials[partial].offset), c.extent(i)));
            } else if let Some(offset) = c.kept[i] {
                self.at[i] = Some(self.view(Place::Kept(offset), c.extent(i)));
            }
        }
        let list: Vec<usize> = (0..c.spec.instrs.len()).filter(|&i| c.in_finish[i]).collect();
        let ops = self.write(&list);
        Program { views: self.views, setup: vec![], ops, registers: self.registers.len }
    }

    /// The op of an instruction whose arguments have places; `keep`: a reduction adds to what is there.
    fn op(&self, instr: Instr, dst: u16, extent: Extent, keep: bool) -> Op {
        let isa = self.c.isa;
        let (args, count) = arguments(&instr);
        let mut src = [0; 3];
        for k in 0..count {
            // Arguments come before their users, in every program.
            src[k] = self.at[usize::from(args[k].0)].unwrap_or_default();
        }
        let mut over = self.seen(extent);
        let argument = self.views.get(usize::from(src[0])).map_or(Extent::Scalar, |v| v.extent);
        let mut repeat = 0;
        for k in 0..count {
            let from = self.views[usize::from(src[k])].extent;
            let repeated = from != over && !(over == Extent::Full && from == Extent::PerCol);
            repeat |= u8::from(repeated) << k;
        }
        for k in count..3 {
            // Unused, so that the machine need not know how many there are.
            src[k] = src[0];
            repeat |= (repeat & 1) << k;
        }
        let action = match instr {
            Instr::Unary(function, _) => Action::Lanes(ops::unary(function, isa, repeat), repeat),
            Instr::Binary(function, ..) => Action::Lanes(ops::binary(function, isa, repeat), repeat),
            Instr::MulAdd(..) => Action::Lanes(ops::mul_add(isa, repeat), repeat),
            Instr::Select(..) => Action::Lanes(ops::select(isa, repeat), repeat),
            Instr::Load(_) | Instr::Acc | Instr::Store(..) => Action::Lanes(ops::copy(isa, repeat), repeat),
            Instr::Const(value) => Action::Const(value),
            Instr::RowIndex => Action::RowIndex,
            Instr::ColIndex => Action::ColIndex,
            Instr::Uniform { stream } => Action::Uniform(stream),
            Instr::ReduceCols(reduction, _) => Action::Fold(reduce::cols(reduction, isa)),
            Instr::ReduceRows(reduction, _) => Action::Fold(reduce::rows(reduction, keep, isa)),
            Instr::ReduceAll(reduction, value) => {
                let per_row = self.c.extent(usize::from(value.0)) == Extent::PerRow;
                Action::FoldAll(reduce::all(reduction, keep, isa), per_row)
            }
        };
        if matches!(action, Action::Fold(_) | Action::FoldAll(..)) {
            over = argument;
        }
        Op { action, over, dst, src }
    }

    /// The ops of `list`, with places for all its values.
    fn write(&mut self, list: &[usize]) -> Vec<Op> {
        let c = self.c;
        let n = c.spec.instrs.len();
        let mut last_use = vec![0; n];
        for &i in list {
            let (args, count) = arguments(&c.spec.instrs[i]);
            args[..count].iter().for_each(|v| last_use[usize::from(v.0)] = i);
        }
        let through = self.stores_through(list, &last_use);
        let copied = copied_loads(c, list, &last_use, &through);
        let mut ops = vec![];
        for &i in list {
            let instr = c.spec.instrs[i];
            let extent = c.extent(i);
            match instr {
                Instr::Load(operand) if !copied[i] => {
                    self.at[i] = Some(self.operand(operand));
                    continue;
                }
                Instr::Acc => {
                    self.at[i] = Some(self.view(Place::Acc, extent));
                    continue;
                }
                Instr::Store(operand, value) => {
                    if through[usize::from(value.0)] != Some(i) {
                        let dst = self.operand(operand);
                        let written = c.spec.extents[usize::from(operand.0)];
                        ops.push(self.op(instr, dst, written, false));
                    }
                    self.release(i, &last_use);
                    continue;
                }
                _ => {}
            }
            let reduces =
                matches!(instr, Instr::ReduceCols(..) | Instr::ReduceRows(..) | Instr::ReduceAll(..));
            let mut keep = false;
            // The place is taken before the arguments are released where the two must differ.
            if !reduces {
                self.release(i, &last_use);
            }
            let dst = if let (Some(partial), false) = (c.partial[i], self.late) {
                keep = true;
                self.view(Place::Partial(c.partials[partial].offset), extent)
            } else if let (Some(offset), false) = (c.kept[i], self.late) {
                self.view(Place::Kept(offset), extent)
            } else if let Some(Instr::Store(operand, _)) = through[i].map(|s| c.spec.instrs[s]) {
                self.operand(operand)
            } else {
                let offset = self.registers.take(self.seen(extent));
                self.view(Place::Register(offset), extent)
            };
            let op = if let Instr::Load(operand) = instr {
                let view = self.operand(operand);
                let action = Action::Lanes(ops::copy(c.isa, 0), 0);
                Op { action, over: self.seen(extent), dst, src: [view; 3] }
            } else {
                self.op(instr, dst, extent, keep)
            };
            ops.push(op);
            self.at[i] = Some(dst);
            if reduces {
                self.release(i, &last_use);
            }
        }
        ops
    }

    /// Gives back the registers of the arguments that instruction `i` is the last to use.
    fn release(&mut self, i: usize, last_use: &[usize]) {
        let (args, count) = arguments(&self.c.spec.instrs[i]);
        for k in 0..count {
            let value = usize::from(args[k].0);
            if last_use[value] != i || args[..k].contains(&args[k]) || self.c.in_setup[value] && !self.late {
                continue;
            }
            let view = self.at[value].map(|v| self.views[usize::from(v)]);
            if let Some(View { place: Place::Register(offset), extent, .. }) = view {
                self.registers.free[class(extent)].push(offset);
            }
        }
    }

    /// For each value that may be written straight to where it will be stored: the store.
    fn stores_through(&self, list: &[usize], last_use: &[usize]) -> Vec<Option<usize>> {
        let c = self.c;
        let mut through = vec![None; c.spec.instrs.len()];
        for &s in list {
            let Instr::Store(operand, value) = c.spec.instrs[s] else { continue };
            let value = usize::from(value.0);
            let made_here = list.contains(&value)
                && !matches!(c.spec.instrs[value], Instr::Load(_) | Instr::Acc)
                && c.partial[value].is_none()
                && c.kept[value].is_none();
            if !made_here
                || through[value].is_some()
                || c.extent(value) != c.spec.extents[usize::from(operand.0)]
            {
                continue;
            }
            // A load of the same memory must have been used up; the value itself may be made from it in place.
            let seen = list.iter().any(|&l| match c.spec.instrs[l] {
                Instr::Load(from) => (c.alias)(from, operand) && (last_use[l] > value || l > value),
                _ => false,
            });
            if !seen {
                through[value] = Some(s);
            }
        }
        through
    }
}

/// The loads whose memory is overwritten before their last use.
fn copied_loads(c: &Compiler, list: &[usize], last_use: &[usize], through: &[Option<usize>]) -> Vec<bool> {
    let mut copied = vec![false; c.spec.instrs.len()];
    for &l in list {
        let Instr::Load(from) = c.spec.instrs[l] else { continue };
        copied[l] = list.iter().any(|&s| match c.spec.instrs[s] {
            Instr::Store(to, value) if (c.alias)(from, to) => {
                let written = if through[usize::from(value.0)] == Some(s) { usize::from(value.0) } else { s };
                last_use[l] > written
            }
            _ => false,
        });
    }
    copied
}
