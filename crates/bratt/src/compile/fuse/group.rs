//! Groups of nodes that become one step, and when two of them may become one.
//!
//! A group spans one space of `rows x cols`, and each of its nodes has an extent in it. A group of plain pointwise
//! nodes has no rows and columns yet: it is *flat*, and takes on the space of what it is merged with, as the whole of
//! it, or as its rows or columns. Where there are as many rows as columns, a vector could be either, but in one tape it
//! is one of them: [`Group::agrees`] asks every user.

use super::view::{Class, ReduceView, View, Views};
use crate::graph::Op;
use bratt_kernels::tape::Extent;

/// The iteration space of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Space {
    /// So many elements, in any split.
    Flat(usize),
    /// Rows and columns.
    Grid(usize, usize),
}

impl Space {
    pub fn rows_cols(self) -> (usize, usize) {
        match self {
            Space::Flat(n) => (1, n),
            Space::Grid(r, c) => (r, c),
        }
    }
}

/// Nodes that become one step.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Group {
    /// Ascending.
    pub nodes: Vec<usize>,
    pub space: Space,
    /// The extent of each node of `nodes`.
    pub extents: Vec<Extent>,
    /// The matrix product that starts the tape.
    pub matmul: Option<usize>,
    /// Data movement, never merged.
    pub is_move: bool,
}

/// The most instructions in one tape: long tapes need many register tiles, which then leave the cache.
const MAX_NODES: usize = 160;

impl Group {
    /// The group of one node.
    pub fn single(views: &Views<'_>, index: usize) -> Group {
        let n = views.len(index);
        let full = if n == 1 { Extent::Scalar } else { Extent::Full };
        let mut group = Group {
            nodes: vec![index],
            space: Space::Flat(n),
            extents: vec![full],
            matmul: None,
            is_move: views.class(index) == Class::Move,
        };
        match (&views.node(index).op, views.class(index)) {
            (_, Class::MatMul) => {
                let shape = &views.node(index).shape;
                group.space = Space::Grid(shape[0], shape[1]);
                group.extents[0] = Extent::Full;
                group.matmul = Some(index);
            }
            (Op::Reduce { .. }, Class::Tape) => {
                let from = views.graph.node(views.node(index).inputs[0]).shape.len();
                (group.space, group.extents[0]) = match views.reduce_view(index) {
                    ReduceView::All => (Space::Flat(from), Extent::Scalar),
                    ReduceView::Cols(r, c) => (Space::Grid(r, c), Extent::PerRow),
                    ReduceView::Rows(r, c) => (Space::Grid(r, c), Extent::PerCol),
                };
            }
            _ => {}
        }
        if views.class(index) == Class::Tape {
            for operand in views.operands(index) {
                if let View::PerCol(r, c) | View::PerRow(r, c) = operand.view {
                    group.space = Space::Grid(r, c);
                }
            }
        }
        group
    }

    pub fn extent(&self, node: usize) -> Option<Extent> {
        self.nodes.binary_search(&node).ok().map(|i| self.extents[i])
    }

    /// The extent that instruction `user` of this group wants of an operand seen as `view`.
    pub fn wanted(&self, views: &Views<'_>, user: usize, view: View) -> Extent {
        let whole = match views.node(user).op {
            Op::Reduce { .. } | Op::Broadcast { .. } => Extent::Full,
            _ => self.extent(user).unwrap_or(Extent::Full),
        };
        view.extent(whole)
    }

    /// Whether all is scalar arithmetic on scalars from memory: kept apart, because a scalar that many steps need
    /// would chain them together.
    fn is_scalar(&self) -> bool {
        self.space == Space::Flat(1)
    }

    /// The union of a producer and a consumer joined by an operand, or `None` if no tape can hold both.
    pub fn merged(
        views: &Views<'_>,
        producer: &Group,
        consumer: &Group,
        base: usize,
        user: usize,
        view: View,
    ) -> Option<Group> {
        let movement = producer.is_move || consumer.is_move;
        let two_products = producer.matmul.is_some() && consumer.matmul.is_some();
        if movement || two_products || producer.nodes.len() + consumer.nodes.len() > MAX_NODES {
            return None;
        }
        if producer.is_scalar() != consumer.is_scalar() && producer.is_scalar() {
            return None;
        }
        let made = producer.extent(base)?;
        let wanted = consumer.wanted(views, user, view);
        let (space, made_as, wanted_as) = match (producer.space, consumer.space) {
            (Space::Grid(r, c), Space::Grid(r2, c2)) => {
                ((r, c) == (r2, c2) && compatible(made, wanted, views.len(base))).then_some(())?;
                (producer.space, Extent::Full, Extent::Full)
            }
            (Space::Flat(n), Space::Grid(r, c)) => {
                (consumer.space, narrowed(made, wanted, n, (r, c))?, Extent::Full)
            }
            (Space::Grid(r, c), Space::Flat(n)) => {
                (producer.space, Extent::Full, narrowed(wanted, made, n, (r, c))?)
            }
            (Space::Flat(n), Space::Flat(m)) => {
                (n == m || m == 1).then_some(())?;
                compatible(made, wanted, views.len(base)).then_some(())?;
                (producer.space, Extent::Full, if n == m { Extent::Full } else { Extent::Scalar })
            }
        };
        let mut nodes: Vec<(usize, Extent)> = Vec::new();
        for (group, full_as) in [(producer, made_as), (consumer, wanted_as)] {
            for (&node, &extent) in group.nodes.iter().zip(&group.extents) {
                let extent = if extent == Extent::Full { full_as } else { extent };
                let positional = matches!(
                    views.node(node).op,
                    Op::Uniform { .. } | Op::Iota { .. } | Op::Broadcast { .. }
                );
                if positional && full_as != Extent::Full {
                    return None;
                }
                nodes.push((node, extent));
            }
        }
        nodes.sort_unstable();
        let (nodes, extents) = nodes.into_iter().unzip();
        let merged =
            Group { nodes, space, extents, matmul: producer.matmul.or(consumer.matmul), is_move: false };
        merged.agrees(views).then_some(merged)
    }

    /// Whether every node has the extent that each of its users in the group wants, and one tape can count to what is
    /// counted.
    fn agrees(&self, views: &Views<'_>) -> bool {
        let (rows, cols) = self.space.rows_cols();
        self.nodes.iter().all(|&user| {
            let possible = match views.node(user).op {
                // A tape counts along one side of its space.
                Op::Iota { .. } => views.len(user) == 1 || rows == 1,
                // Random numbers fill the whole space.
                Op::Uniform { .. } => views.len(user) == rows * cols,
                _ => true,
            };
            possible && (views.class(user) != Class::Tape || self.operands_agree(views, user))
        })
    }

    fn operands_agree(&self, views: &Views<'_>, user: usize) -> bool {
        let (rows, cols) = self.space.rows_cols();
        // Everything of a value is the same numbers, whichever side of the space it lies along.
        let any_side = matches!(views.node(user).op, Op::Reduce { .. })
            && matches!(views.reduce_view(user), ReduceView::All);
        views.operands(user).into_iter().all(|operand| {
            let len = views.len(operand.base);
            let Some(made) = self.extent(operand.base) else { return true };
            len == 1
                || if any_side && operand.view == View::Same {
                    size(made, rows, cols) == len
                } else {
                    made == self.wanted(views, user, operand.view)
                }
        })
    }
}

/// In one space, a value is read as what it is; a single element is a scalar to everyone.
fn compatible(made: Extent, wanted: Extent, len: usize) -> bool {
    made == wanted || len == 1
}

/// What the full extent of a flat group of `n` elements becomes in a space of `rows x cols`, if its value of extent
/// `own` meets `other` there.
fn narrowed(own: Extent, other: Extent, n: usize, (rows, cols): (usize, usize)) -> Option<Extent> {
    let extent = match own {
        Extent::Full => other,
        Extent::Scalar if n == 1 => Extent::Scalar,
        _ => Extent::Full,
    };
    (n == size(extent, rows, cols)).then_some(extent)
}

/// The number of elements of an extent.
pub(crate) fn size(extent: Extent, rows: usize, cols: usize) -> usize {
    match extent {
        Extent::Scalar => 1,
        Extent::PerRow => rows,
        Extent::PerCol => cols,
        Extent::Full => rows * cols,
    }
}
