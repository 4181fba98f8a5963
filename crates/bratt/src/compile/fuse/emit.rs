//! A group as a tape.
//!
//! Nodes become instructions in order; operands from outside are loaded once. A product whose only user is a sum of
//! the same tape becomes a fused multiply-add. Reductions of repeated values need no loop: the sum of n equal numbers
//! is n times one.

use super::group::{Group, size};
use super::peephole::fuse_chains;
use super::view::{Class, Operand, ReduceView, View, Views};
use crate::graph::{Binary, Op, Reduction, Unary};
use bratt_kernels::plan::TapeSpec;
use bratt_kernels::tape::{self, Extent, Instr, Val};
use std::collections::{BTreeMap, BTreeSet};

/// Which values a tape writes to memory.
#[derive(Clone, Default, Debug)]
pub(crate) struct Stores {
    /// Nodes that later steps or the caller read.
    pub values: BTreeSet<usize>,
    /// For a node: the updates of the graph that it writes in place.
    pub updates: BTreeMap<usize, Vec<usize>>,
}

impl Stores {
    /// Nothing is written: enough to ask what tiles a tape needs.
    pub fn none() -> Stores {
        Stores::default()
    }
}

/// What an operand of a tape refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Target {
    /// Reads the memory of a node.
    Load(usize),
    /// Writes the memory of a node.
    Store(usize),
    /// Writes the slot of an update of the graph.
    Update(usize),
}

/// A tape and what its operands refer to.
pub(crate) struct Emitted {
    pub spec: TapeSpec,
    pub targets: Vec<Target>,
}

/// The tape of a group.
pub(crate) fn tape(views: &Views<'_>, group: &Group, stores: &Stores) -> Emitted {
    let mut e = Emitter {
        views,
        group,
        stores,
        out: Emitted { spec: TapeSpec { instrs: vec![], extents: vec![] }, targets: vec![] },
        extents: vec![],
        values: BTreeMap::new(),
        loads: BTreeMap::new(),
        constants: BTreeMap::new(),
        users: BTreeMap::new(),
    };
    for &node in &group.nodes {
        if views.class(node) == Class::Tape {
            for operand in views.operands(node) {
                e.users.entry(operand.base).or_default().push(node);
            }
        }
    }
    for &node in &group.nodes {
        if !e.is_contracted(node) {
            let value = e.node(node);
            e.values.insert(node, value);
        }
    }
    e.store_all();
    // A tape that only asks for its tiles stores nothing, and nothing of it is unused.
    if !e.out.targets.iter().all(|t| matches!(t, Target::Load(_))) {
        fuse_chains(&mut e.out.spec.instrs, &e.extents);
    }
    e.out
}

struct Emitter<'a, 'g> {
    views: &'a Views<'g>,
    group: &'a Group,
    stores: &'a Stores,
    out: Emitted,
    /// The extent of each instruction's value, by the tape's rules.
    extents: Vec<Extent>,
    values: BTreeMap<usize, Val>,
    loads: BTreeMap<(usize, Extent), Val>,
    constants: BTreeMap<u32, Val>,
    /// The users of each node within the group.
    users: BTreeMap<usize, Vec<usize>>,
}

impl Emitter<'_, '_> {
    fn push(&mut self, instr: Instr, extent: Extent) -> Val {
        self.out.spec.instrs.push(instr);
        self.extents.push(extent);
        Val((self.out.spec.instrs.len() - 1) as u16)
    }

    fn constant(&mut self, value: f64) -> Val {
        let value = value as f32;
        if let Some(&v) = self.constants.get(&value.to_bits()) {
            return v;
        }
        let v = self.push(Instr::Const(value), Extent::Scalar);
        self.constants.insert(value.to_bits(), v);
        v
    }

    fn join(&self, values: &[Val]) -> Extent {
        let mut joined = Extent::Scalar;
        for v in values {
            joined = match (joined, self.extents[v.0 as usize]) {
                (Extent::PerRow, Extent::PerCol) | (Extent::PerCol, Extent::PerRow) => Extent::Full,
                (a, b) => a.max(b),
            };
        }
        joined
    }

    fn unary(&mut self, f: tape::Unary, a: Val) -> Val {
        let extent = self.join(&[a]);
        self.push(Instr::Unary(f, a), extent)
    }

    fn binary(&mut self, f: tape::Binary, a: Val, b: Val) -> Val {
        let extent = self.join(&[a, b]);
        self.push(Instr::Binary(f, a, b), extent)
    }

    fn operand_slot(&mut self, target: Target, extent: Extent) -> tape::Operand {
        // The single element of a space is its whole: a product's tile and random numbers are full there.
        let (rows, cols) = self.group.space.rows_cols();
        let extent = if rows * cols == 1 { Extent::Full } else { extent };
        self.out.targets.push(target);
        self.out.spec.extents.push(extent);
        tape::Operand((self.out.targets.len() - 1) as u16)
    }

    /// The value of an operand of `user`: an instruction of this tape, a constant, an index or a load.
    fn operand(&mut self, user: usize, operand: Operand) -> Val {
        let Operand { base, view } = operand;
        if let Some(&value) = self.values.get(&base) {
            return value;
        }
        debug_assert!(self.group.extent(base).is_none(), "an operand of the tape comes before its user");
        let whole = match self.views.node(user).op {
            Op::Reduce { .. } => self.extent_by_len(self.views.len(base)),
            Op::Broadcast { .. } => Extent::Full,
            _ => self.group.extent(user).unwrap_or(Extent::Full),
        };
        let extent = view.extent(whole);
        if self.views.class(base) == Class::Inline || matches!(view, View::PerCol(..) | View::PerRow(..)) {
            match &self.views.node(base).op {
                Op::Constant(c) => return self.constant(c.get()),
                Op::Iota { .. } if self.views.len(base) == 1 => return self.constant(0.0),
                Op::Iota { .. } if extent == Extent::PerRow => {
                    return self.load_index(base, extent, Instr::RowIndex);
                }
                Op::Iota { .. } => return self.load_index(base, Extent::PerCol, Instr::ColIndex),
                _ => {}
            }
        }
        if let Some(&value) = self.loads.get(&(base, extent)) {
            return value;
        }
        let slot = self.operand_slot(Target::Load(base), extent);
        let extent = self.out.spec.extents[slot.0 as usize];
        let value = self.push(Instr::Load(slot), extent);
        self.loads.insert((base, extent), value);
        value
    }

    fn load_index(&mut self, base: usize, extent: Extent, instr: Instr) -> Val {
        if let Some(&value) = self.loads.get(&(base, extent)) {
            return value;
        }
        let value = self.push(instr, extent);
        self.loads.insert((base, extent), value);
        value
    }

    /// The extent of a reduction's argument, which is the whole space unless the group was narrowed.
    fn extent_by_len(&self, len: usize) -> Extent {
        let (rows, cols) = self.group.space.rows_cols();
        match len {
            n if n == rows * cols => Extent::Full,
            n if n == cols => Extent::PerCol,
            n if n == rows => Extent::PerRow,
            _ => Extent::Scalar,
        }
    }

    /// A product that is computed inside the sum that uses it.
    fn is_contracted(&self, node: usize) -> bool {
        let used_once = self.users.get(&node).is_some_and(|u| u.len() == 1);
        let stored = self.stores.values.contains(&node) || self.stores.updates.contains_key(&node);
        if self.views.node(node).op != Op::Binary(Binary::Mul) || !used_once || stored {
            return false;
        }
        let user = self.users[&node][0];
        if self.views.node(user).op != Op::Binary(Binary::Add) {
            return false;
        }
        let operands = self.views.operands(user);
        let same_extent = self.group.extent(user) == self.group.extent(node);
        let first = operands.iter().position(|o| self.can_contract(o.base));
        same_extent && first.is_some_and(|i| operands[i].base == node)
    }

    fn can_contract(&self, node: usize) -> bool {
        self.views.node(node).op == Op::Binary(Binary::Mul)
            && self.group.extent(node).is_some()
            && self.users.get(&node).is_some_and(|u| u.len() == 1)
            && !self.stores.values.contains(&node)
            && !self.stores.updates.contains_key(&node)
    }

    fn node(&mut self, node: usize) -> Val {
        let op = &self.views.node(node).op;
        if self.views.class(node) == Class::MatMul {
            return self.push(Instr::Acc, Extent::Full);
        }
        let operands = self.views.operands(node);
        if *op == Op::Binary(Binary::Add) {
            for (i, o) in operands.iter().enumerate() {
                if self.group.extent(o.base).is_some() && self.is_contracted(o.base) {
                    let factors = self.views.operands(o.base);
                    let a = self.operand(o.base, factors[0]);
                    let b = self.operand(o.base, factors[1]);
                    let c = self.operand(node, operands[1 - i]);
                    let extent = self.join(&[a, b, c]);
                    return self.push(Instr::MulAdd(a, b, c), extent);
                }
            }
        }
        let x: Vec<Val> = operands.iter().map(|&o| self.operand(node, o)).collect();
        match op {
            Op::Constant(c) => self.constant(c.get()),
            Op::Iota { .. } if self.views.len(node) == 1 => self.constant(0.0),
            Op::Iota { .. } => self.push(Instr::ColIndex, Extent::PerCol),
            Op::Uniform { stream, .. } => self.push(Instr::Uniform { stream: *stream }, Extent::Full),
            Op::Unary(f) => self.unary_op(*f, x[0]),
            Op::Binary(f) => self.binary(binary_op(*f), x[0], x[1]),
            Op::Select => {
                let extent = self.join(&x);
                self.push(Instr::Select(x[0], x[1], x[2]), extent)
            }
            Op::Reduce { kind, .. } => self.reduce(node, *kind, x[0]),
            // A stored broadcast's value is what it repeats, and the store repeats it.
            Op::Broadcast { .. } | Op::StopGradient => x[0],
            Op::Input { .. }
            | Op::Slot { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::MatMul { .. }
            | Op::DepthwiseMatMul { .. }
            | Op::Windows { .. }
            | Op::Conv2d { .. }
            | Op::Conv2dInputGradient { .. }
            | Op::Conv2dWeightGradient { .. }
            | Op::MaxPool2d { .. }
            | Op::MaxPool2dGradient { .. }
            | Op::AvgPool2d { .. }
            | Op::AvgPool2dGradient { .. }
            | Op::ArgReduce { .. }
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Standardize { .. } => unreachable!("{} is no instruction of a tape", op.name()),
        }
    }

    fn unary_op(&mut self, f: Unary, x: Val) -> Val {
        let simple = match f {
            Unary::Neg => tape::Unary::Neg,
            Unary::Abs => tape::Unary::Abs,
            Unary::Sign => tape::Unary::Sign,
            Unary::Floor => tape::Unary::Floor,
            Unary::Exp => tape::Unary::Exp,
            Unary::Expm1 => tape::Unary::Expm1,
            Unary::Log => tape::Unary::Log,
            Unary::Log1p => tape::Unary::Log1p,
            Unary::Sqrt => tape::Unary::Sqrt,
            Unary::Recip => tape::Unary::Recip,
            Unary::Sigmoid => tape::Unary::Sigmoid,
            Unary::Tanh => tape::Unary::Tanh,
            Unary::Softplus => tape::Unary::Softplus,
            Unary::Relu => tape::Unary::Relu,
            Unary::Relu6 => {
                let (positive, six) = (self.unary(tape::Unary::Relu, x), self.constant(6.0));
                return self.binary(tape::Binary::Min, positive, six);
            }
            Unary::LeakyRelu(slope) => {
                let below = self.constant(slope.get());
                let below = self.binary(tape::Binary::Mul, x, below);
                return self.positive_or(x, below);
            }
            Unary::Elu(alpha) => {
                let below = self.unary(tape::Unary::Expm1, x);
                let alpha = self.constant(alpha.get());
                let below = self.binary(tape::Binary::Mul, below, alpha);
                return self.positive_or(x, below);
            }
        };
        self.unary(simple, x)
    }

    /// `x` where it is positive, else `below`.
    fn positive_or(&mut self, x: Val, below: Val) -> Val {
        let zero = self.constant(0.0);
        let positive = self.binary(tape::Binary::Lt, zero, x);
        let extent = self.join(&[x, below]);
        self.push(Instr::Select(positive, x, below), extent)
    }

    fn reduce(&mut self, node: usize, kind: Reduction, x: Val) -> Val {
        let how = match kind {
            Reduction::Sum => tape::Reduction::Sum,
            Reduction::Max => tape::Reduction::Max,
            Reduction::Min => tape::Reduction::Min,
        };
        let (rows, cols) = self.group.space.rows_cols();
        let argument = self.views.graph.node(self.views.node(node).inputs[0]).shape.len();
        let extent = self.extents[x.0 as usize];
        debug_assert!(
            argument.is_multiple_of(size(extent, rows, cols)),
            "a value of extent {extent:?} in {rows} x {cols} has no {argument} elements"
        );
        let (result, repeats) = match (self.views.reduce_view(node), extent) {
            (ReduceView::All, Extent::Scalar) => (x, argument),
            (ReduceView::All, _) => {
                (self.push(Instr::ReduceAll(how, x), Extent::Scalar), argument / size(extent, rows, cols))
            }
            (ReduceView::Cols(..), Extent::Full) => (self.push(Instr::ReduceCols(how, x), Extent::PerRow), 1),
            (ReduceView::Cols(..), Extent::PerCol) => {
                (self.push(Instr::ReduceAll(how, x), Extent::Scalar), 1)
            }
            (ReduceView::Cols(..), _) => (x, cols),
            (ReduceView::Rows(..), Extent::Full) => (self.push(Instr::ReduceRows(how, x), Extent::PerCol), 1),
            (ReduceView::Rows(..), Extent::PerRow) => {
                (self.push(Instr::ReduceAll(how, x), Extent::Scalar), 1)
            }
            (ReduceView::Rows(..), _) => (x, rows),
        };
        if kind == Reduction::Sum && repeats > 1 {
            let n = self.constant(repeats as f64);
            return self.binary(tape::Binary::Mul, result, n);
        }
        result
    }

    /// Stores come last: an update in place must not change what later instructions read.
    fn store_all(&mut self) {
        for (i, &node) in self.group.nodes.iter().enumerate() {
            let extent = self.group.extents[i];
            let Some(&value) = self.values.get(&node) else { continue };
            if self.stores.values.contains(&node) {
                let slot = self.operand_slot(Target::Store(node), extent);
                self.push(Instr::Store(slot, value), extent);
            }
            for &update in self.stores.updates.get(&node).into_iter().flatten() {
                let slot = self.operand_slot(Target::Update(update), extent);
                self.push(Instr::Store(slot, value), extent);
            }
        }
    }
}

fn binary_op(f: Binary) -> tape::Binary {
    match f {
        Binary::Add => tape::Binary::Add,
        Binary::Sub => tape::Binary::Sub,
        Binary::Mul => tape::Binary::Mul,
        Binary::Div => tape::Binary::Div,
        Binary::Min => tape::Binary::Min,
        Binary::Max => tape::Binary::Max,
        Binary::Pow => tape::Binary::Pow,
        Binary::Lt => tape::Binary::Lt,
        Binary::Le => tape::Binary::Le,
        Binary::Eq => tape::Binary::Eq,
        Binary::Ne => tape::Binary::Ne,
    }
}
