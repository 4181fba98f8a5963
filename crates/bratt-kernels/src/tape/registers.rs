//! Writes a tape's programs: gives each value a place, and takes registers back after their last use.

use super::check::{MAX_ARGS, arguments};
use super::compile::{Action, Compiler, Op, PAD, Place, Program, View};
use super::{Extent, Fused, Instr, Operand, ops, reduce, trio};
use crate::isa::Isa;

/// The registers of a worker, by extent.
pub(super) struct Registers {
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
    pub(super) fn new(tile_rows: usize, tile_cols: usize) -> Registers {
        // One cache line more than asked for, so that registers do not all start in the same cache set.
        let sizes = [1, tile_rows, tile_cols, tile_rows * tile_cols].map(|n| n.next_multiple_of(PAD) + PAD);
        Registers { sizes, free: Default::default(), len: 0 }
    }

    fn take(&mut self, extent: Extent) -> usize {
        let class = class(extent);
        self.free[class].pop().unwrap_or_else(|| {
            let offset = self.len;
            self.len = offset.saturating_add(self.sizes[class]);
            offset
        })
    }
}

/// Writes one program.
pub(super) struct Writer<'a> {
    c: &'a Compiler<'a>,
    registers: Registers,
    views: Vec<View>,
    /// The view of each value.
    at: Vec<Option<u16>>,
    late: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(c: &'a Compiler<'a>, registers: Registers) -> Writer<'a> {
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

    pub(super) fn tile(mut self) -> Program {
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

    pub(super) fn finish(mut self) -> Program {
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
        let mut src = [0; MAX_ARGS];
        for (src, arg) in src.iter_mut().zip(&args[..count]) {
            // Arguments come before their users, in every program.
            *src = self.at[usize::from(arg.0)].unwrap_or_default();
        }
        let mut over = self.seen(extent);
        let argument = self.views.get(usize::from(src[0])).map_or(Extent::Scalar, |v| v.extent);
        let mut repeat = 0;
        for (k, view) in src.iter().enumerate().take(count) {
            let from = self.views[usize::from(*view)].extent;
            let repeated = from != over && !(over == Extent::Full && from == Extent::PerCol);
            repeat |= u8::from(repeated) << k;
        }
        for k in count..MAX_ARGS {
            // Unused, so that the machine need not know how many there are.
            src[k] = src[0];
            repeat |= (repeat & 1) << k;
        }
        let action = match instr {
            Instr::Unary(function, _) => Action::Lanes(ops::unary(function, isa, repeat), repeat),
            Instr::Binary(function, ..) => Action::Lanes(ops::binary(function, isa, repeat), repeat),
            Instr::MulAdd(..) => Action::Lanes(ops::mul_add(isa, repeat), repeat),
            Instr::Fused(function, _) => Action::Lanes(ops::fused(function, isa), repeat),
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
        let mut ops: Vec<Op> = vec![];
        // The fused function of each op that is one.
        let mut fused = vec![];
        for &i in list {
            fused.resize(ops.len(), None);
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
                Op { action, over: self.seen(extent), dst, src: [view; MAX_ARGS] }
            } else {
                self.op(instr, dst, extent, keep)
            };
            ops.push(op);
            if let Instr::Fused(function, _) = instr {
                fused.push(Some(function));
            }
            self.at[i] = Some(dst);
            if reduces {
                self.release(i, &last_use);
            }
        }
        fused.resize(ops.len(), None);
        join_trios(&mut ops, &fused, c.isa);
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

/// Adam is two running means and a step made of them: one loop instead of three, so that reading and writing the
/// moments overlaps with the root and the division.
fn join_trios(ops: &mut [Op], fused: &[Option<Fused>], isa: Isa) {
    let adam = [Fused::Mean, Fused::MeanSquare, Fused::AdaptiveStep].map(Some);
    for at in 0..ops.len().saturating_sub(2) {
        let [mean, square, step] = [ops[at], ops[at + 1], ops[at + 2]];
        let chained = step.src[1] == mean.dst && step.src[2] == square.dst;
        // Nothing that one of them writes is read before by another one, element by element or not.
        let apart = square.src.iter().all(|src| *src != mean.dst) && step.src[0] != mean.dst;
        if fused[at..at + 3] == adam && chained && apart && mean.over == step.over && square.over == step.over
        {
            ops[at].action = Action::Trio(trio::entry(isa));
        }
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
