//! How each node looks to the fuser.
//!
//! Every tensor is a row-major block, and a tape sees `rows x cols`. Reshapes and repeats of nothing are *aliases* of
//! the same memory. Windows that only products look through, as their left factor, are no work either. A broadcast is
//! not work but a narrower *view* of an operand: one number, one per row or one per column of the space that its result
//! spans.

use crate::graph::{Graph, Node, Op, Value, Window};
use bratt_kernels::tape::Extent;
use std::collections::BTreeSet;

/// What the fuser does with a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Memory that is there before the step: inputs and slots.
    Memory,
    /// No work of its own: constants, counting vectors, broadcasts, aliases.
    Inline,
    /// An instruction of a tape.
    Tape,
    /// A matrix product, which starts a tape.
    MatMul,
    /// Data movement: a step of its own.
    Move,
}

/// An operand of a tape instruction: memory or another instruction, and how it is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Operand {
    /// The node, aliases resolved.
    pub base: usize,
    /// How it is repeated.
    pub view: View,
}

/// How an operand is repeated to the shape in which it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    /// Element by element.
    Same,
    /// One number.
    Scalar,
    /// One number per column of this space.
    PerCol(usize, usize),
    /// One number per row of this space.
    PerRow(usize, usize),
}

impl View {
    /// The extent of the operand, used by an instruction of extent `user`.
    pub fn extent(self, user: Extent) -> Extent {
        match self {
            View::Same => user,
            View::Scalar => Extent::Scalar,
            View::PerCol(..) => Extent::PerCol,
            View::PerRow(..) => Extent::PerRow,
        }
    }
}

/// How a reduction lies in its space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReduceView {
    /// Everything to one number.
    All,
    /// Over the columns of each row of this space.
    Cols(usize, usize),
    /// Over the rows of each column of this space.
    Rows(usize, usize),
}

/// A graph with its views.
pub(crate) struct Views<'g> {
    pub graph: &'g Graph,
    /// For each node: the node whose memory it shares.
    alias: Vec<usize>,
    /// Inline nodes that must exist in memory after all.
    stored: BTreeSet<usize>,
    /// Broadcasts that users read from memory, because no view of theirs fits.
    opaque: BTreeSet<usize>,
    /// Windows that products look through.
    seen: BTreeSet<usize>,
    /// For each node: the nodes that read it.
    users: Vec<Vec<usize>>,
    /// Nodes that are outputs or updates.
    results: BTreeSet<usize>,
}

impl<'g> Views<'g> {
    /// The views; with `fuse` off, windows are matrices in memory.
    pub fn new(graph: &'g Graph, fuse: bool) -> Views<'g> {
        let mut alias: Vec<usize> = (0..graph.nodes().len()).collect();
        for (i, node) in graph.nodes().iter().enumerate() {
            let same_numbers = match &node.op {
                Op::Reshape { .. } => true,
                Op::Broadcast { .. } | Op::Reduce { .. } => {
                    node.shape.len() == graph.node(node.inputs[0]).shape.len()
                }
                _ => false,
            };
            if same_numbers {
                alias[i] = alias[node.inputs[0].index()];
            }
        }
        let results = graph.outputs().iter().map(|o| o.1).chain(graph.updates().iter().map(|u| u.1));
        let results = results.map(|v| alias[v.index()]).collect();
        let users = vec![Vec::new(); alias.len()];
        let seen = BTreeSet::new();
        let mut views =
            Views { graph, alias, stored: BTreeSet::new(), opaque: BTreeSet::new(), seen, users, results };
        if fuse {
            views.find_seen();
        }
        views.find_stored();
        for user in 0..graph.nodes().len() {
            for (base, _) in views.reads(user) {
                views.users[base].push(user);
            }
        }
        views
    }

    /// The bases that a node reads, and whether whole.
    pub fn reads(&self, node: usize) -> Vec<(usize, bool)> {
        match self.class(node) {
            Class::Tape => self.operands(node).into_iter().map(|o| (o.base, false)).collect(),
            Class::MatMul | Class::Move => self.sources(node).into_iter().map(|base| (base, true)).collect(),
            Class::Memory | Class::Inline => vec![],
        }
    }

    /// The bases that a product or a movement reads whole: the images, where a product looks through windows.
    pub fn sources(&self, node: usize) -> Vec<usize> {
        let source = |&value: &Value| match self.windows(self.base(value)) {
            Some(_) => self.base(self.node(self.base(value)).inputs[0]),
            None => self.base(value),
        };
        self.node(node).inputs.iter().map(source).collect()
    }

    /// The windows that a node is, and the distance between pixels, if products look through them.
    pub fn windows(&self, index: usize) -> Option<(&'g Window, [usize; 2])> {
        match &self.node(index).op {
            Op::Windows { window, spread } if self.seen.contains(&index) => Some((window, *spread)),
            _ => None,
        }
    }

    /// Finds windows whose every reader is a product with them, as a matrix of one row per window, on its left.
    fn find_seen(&mut self) {
        let mut windows: BTreeSet<usize> = BTreeSet::new();
        for (i, node) in self.graph.nodes().iter().enumerate() {
            if matches!(node.op, Op::Windows { .. }) && !self.results.contains(&i) {
                windows.insert(i);
            }
        }
        for (i, node) in self.graph.nodes().iter().enumerate() {
            for (position, &value) in node.inputs.iter().enumerate() {
                let base = self.base(value);
                if self.alias[i] == i && windows.contains(&base) {
                    let shape = &self.graph.node(value).shape;
                    let depth: usize = self.node(base).shape[3..].iter().product();
                    let product =
                        matches!(node.op, Op::MatMul { .. } | Op::DepthwiseMatMul { .. }) && position == 0;
                    if !product || shape.rank() != 2 || shape[1] != depth {
                        windows.remove(&base);
                    }
                }
            }
        }
        self.seen = windows;
    }

    /// The nodes that read a node.
    pub fn users(&self, node: usize) -> &[usize] {
        &self.users[node]
    }

    /// Whether a node is an output or an update.
    pub fn is_result(&self, node: usize) -> bool {
        self.results.contains(&node)
    }

    pub fn node(&self, index: usize) -> &'g Node {
        &self.graph.nodes()[index]
    }

    /// The node whose memory holds a value.
    pub fn base(&self, value: Value) -> usize {
        self.alias[value.index()]
    }

    pub fn len(&self, index: usize) -> usize {
        self.node(index).shape.len()
    }

    /// What becomes of a node. Aliases are inline.
    pub fn class(&self, index: usize) -> Class {
        if self.alias[index] != index {
            return Class::Inline;
        }
        match &self.node(index).op {
            Op::Input { .. } | Op::Slot { .. } => Class::Memory,
            Op::Broadcast { .. } if self.broadcast_view(index).is_none() => Class::Move,
            Op::Constant(_) | Op::Iota { .. } | Op::Broadcast { .. } => {
                if self.stored.contains(&index) {
                    Class::Tape
                } else {
                    Class::Inline
                }
            }
            Op::MatMul { .. } | Op::DepthwiseMatMul { .. } => Class::MatMul,
            Op::Windows { .. } if self.seen.contains(&index) => Class::Inline,
            Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Windows { .. }
            | Op::Concat { .. } => Class::Move,
            Op::Uniform { .. } | Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Reduce { .. } => Class::Tape,
            // The same numbers: an instruction that does nothing, where simplification was left out.
            Op::StopGradient => Class::Tape,
            // An alias, above.
            Op::Reshape { .. } => Class::Inline,
            Op::Conv2d { .. }
            | Op::Conv2dInputGradient { .. }
            | Op::Conv2dWeightGradient { .. }
            | Op::MaxPool2d { .. }
            | Op::MaxPool2dGradient { .. }
            | Op::AvgPool2d { .. }
            | Op::AvgPool2dGradient { .. }
            | Op::ArgReduce { .. }
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Standardize { .. } => {
                unreachable!("{} is lowered to other operations", self.node(index).op.name())
            }
        }
    }

    /// The operands of a tape node.
    pub fn operands(&self, index: usize) -> Vec<Operand> {
        self.node(index).inputs.iter().map(|&v| self.operand(v, index)).collect()
    }

    fn operand(&self, value: Value, user: usize) -> Operand {
        let base = self.base(value);
        // A stored broadcast's own tape reads what it repeats.
        if let Op::Broadcast { .. } = self.node(user).op {
            return Operand { base, view: self.broadcast_view(user).unwrap_or(View::Same) };
        }
        if matches!(self.node(base).op, Op::Broadcast { .. })
            && !self.opaque.contains(&base)
            && let Some(view) = self.broadcast_view(base)
        {
            return Operand { base: self.base(self.node(base).inputs[0]), view };
        }
        Operand { base, view: View::Same }
    }

    /// How a broadcast repeats, if a view can say it.
    fn broadcast_view(&self, index: usize) -> Option<View> {
        let node = self.node(index);
        let from = &self.graph.node(node.inputs[0]).shape;
        let to = &node.shape;
        if from.len() == 1 {
            return Some(View::Scalar);
        }
        let lead = to.rank() - from.rank();
        let repeated: Vec<usize> =
            (0..to.rank()).filter(|&i| to[i] != 1 && (i < lead || from[i - lead] == 1)).collect();
        let kept: Vec<usize> = (0..to.rank()).filter(|&i| to[i] != 1 && !repeated.contains(&i)).collect();
        let (n, cells) = (from.len(), to.len());
        if repeated.iter().all(|r| kept.iter().all(|k| r < k)) {
            Some(View::PerCol(cells / n, n))
        } else if repeated.iter().all(|r| kept.iter().all(|k| r > k)) {
            Some(View::PerRow(n, cells / n))
        } else {
            None
        }
    }

    /// How a reduction lies in its space. Lowering has made it leading, trailing or whole.
    pub fn reduce_view(&self, index: usize) -> ReduceView {
        let node = self.node(index);
        let (n, m) = (self.graph.node(node.inputs[0]).shape.len(), node.shape.len());
        let from = &self.graph.node(node.inputs[0]).shape;
        let Op::Reduce { axes, .. } = &node.op else { return ReduceView::All };
        let first_kept = (0..from.rank()).find(|i| from[*i] != 1 && !axes.contains(i));
        let first_reduced = axes.iter().copied().find(|&i| from[i] != 1);
        match (first_kept, first_reduced) {
            (Some(kept), Some(reduced)) if reduced < kept => ReduceView::Rows(n / m, m),
            (Some(_), _) => ReduceView::Cols(m, n / m),
            (None, _) => ReduceView::All,
        }
    }

    /// Finds inline nodes that must be in memory: read whole by products and movement, or results of the graph; and
    /// broadcasts of broadcasts, or of two spaces in one instruction, which no view can say.
    fn find_stored(&mut self) {
        let graph = self.graph;
        let mut need = |views: &mut Views, base: usize, opaque: bool| {
            if matches!(views.node(base).op, Op::Constant(_) | Op::Iota { .. } | Op::Broadcast { .. }) {
                views.stored.insert(base);
                if opaque {
                    views.opaque.insert(base);
                }
            }
        };
        for base in self.results.clone() {
            need(self, base, false);
        }
        // What is stored becomes an instruction with operands of its own, so look again until nothing changes.
        loop {
            let before = (self.stored.len(), self.opaque.len());
            for i in 0..graph.nodes().len() {
                match self.class(i) {
                    Class::MatMul | Class::Move => {
                        for base in self.sources(i) {
                            need(self, base, false);
                        }
                    }
                    Class::Tape => self.store_conflicts(i, &mut need),
                    Class::Memory | Class::Inline => {}
                }
            }
            if before == (self.stored.len(), self.opaque.len()) {
                break;
            }
        }
    }

    fn store_conflicts(&mut self, index: usize, need: &mut impl FnMut(&mut Views<'g>, usize, bool)) {
        let mut space = None;
        if let Op::Reduce { .. } = self.node(index).op {
            space = match self.reduce_view(index) {
                ReduceView::All => None,
                ReduceView::Cols(r, c) | ReduceView::Rows(r, c) => Some((r, c)),
            };
        }
        for &value in &self.node(index).inputs {
            let operand = self.operand(value, index);
            let outer = self.base(value);
            let inner_is_repeated =
                outer != operand.base && matches!(self.node(operand.base).op, Op::Broadcast { .. });
            match operand.view {
                View::PerCol(r, c) | View::PerRow(r, c) => {
                    if *space.get_or_insert((r, c)) != (r, c) {
                        need(self, outer, true);
                    } else if inner_is_repeated {
                        need(self, operand.base, true);
                    }
                }
                View::Scalar | View::Same => {
                    let whole_iota =
                        operand.view == View::Same && matches!(self.node(operand.base).op, Op::Iota { .. });
                    if whole_iota || inner_is_repeated {
                        need(self, operand.base, true);
                    }
                }
            }
        }
    }
}
