//! Pass: nodes into groups, groups into an order.
//!
//! Each node starts as a group of its own. In topological order, each consumer is merged into the groups of its
//! operands where one tape can hold both and no other group stands between them. So an epilogue grows from a matrix
//! product: bias, batch norm, activation, dropout, and for the weight gradients the optimiser's update.
//!
//! A mask of what is in memory anyway, such as `relu(x) > 0`, is not made where its operand is, which would have to store
//! it, but where it is used.
//!
//! Three kinds of edges order groups. *Soft*: an instruction reads a value element by element and may share a tape
//! with its producer. *Hard*: products and movement read a value whole, so it must be finished before. *Guards*: a
//! slot is overwritten only after all that read its old value.

use super::emit;
use super::group::Group;
use super::view::{Class, Views};
use crate::graph::{Binary, Op};
use bratt_kernels::tape;
use std::collections::{BTreeSet, BinaryHeap};

/// An order constraint between two nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Edge {
    to: usize,
    /// The value must be finished: both ends may not share a step.
    hard: bool,
}

/// The groups in the order of execution, and which updates may write their slot in place.
pub(crate) struct Grouping {
    pub groups: Vec<Group>,
    /// For each update of the graph: whether its producer writes straight into the slot.
    pub in_place: Vec<bool>,
}

/// Groups the nodes; with `fuse` off, every node is a step of its own.
pub(crate) fn group(views: &Views<'_>, fuse: bool) -> Grouping {
    let mut edges = data_edges(views);
    let in_place = guard_updates(views, &mut edges);
    let count = views.graph.nodes().len();
    let mut merger = Merger {
        group_of: (0..count).collect(),
        groups: (0..count).map(|i| has_step(views, i).then(|| Group::single(views, i))).collect(),
        edges,
    };
    if fuse {
        let masks = masks(views);
        for user in 0..count {
            if views.class(user) != Class::Tape {
                continue;
            }
            if !masks.contains(&user) {
                merger.try_merge_operands(views, user);
            }
        }
        // Masks that no user could take.
        for &mask in &masks {
            if merger.groups[merger.group_of[mask]].as_ref().is_some_and(|g| g.nodes.len() == 1) {
                merger.try_merge_operands(views, mask);
            }
        }
    }
    Grouping { groups: merger.ordered(), in_place }
}

fn has_step(views: &Views<'_>, node: usize) -> bool {
    matches!(views.class(node), Class::Tape | Class::MatMul | Class::Move)
}

/// Comparisons of a constant with what products or movement read from memory.
fn masks(views: &Views<'_>) -> BTreeSet<usize> {
    let mut in_memory = BTreeSet::new();
    for node in 0..views.graph.nodes().len() {
        in_memory.extend(views.reads(node).into_iter().filter(|(_, whole)| *whole).map(|(base, _)| base));
    }
    let is_mask = |node: usize| {
        let compares = matches!(views.node(node).op, Op::Binary(Binary::Lt));
        views.class(node) == Class::Tape && compares && {
            let operands = views.operands(node);
            let constant = |base: usize| views.class(base) == Class::Inline;
            operands.iter().all(|o| constant(o.base) || in_memory.contains(&o.base))
                && operands.iter().any(|o| constant(o.base))
        }
    };
    (0..views.graph.nodes().len()).filter(|&node| is_mask(node)).collect()
}

fn data_edges(views: &Views<'_>) -> Vec<Vec<Edge>> {
    let mut edges = vec![Vec::new(); views.graph.nodes().len()];
    for user in 0..edges.len() {
        for (base, hard) in views.reads(user) {
            if has_step(views, base) {
                edges[base].push(Edge { to: user, hard });
            }
        }
    }
    edges
}

/// Adds guards for the updates that can be made in place.
fn guard_updates(views: &Views<'_>, edges: &mut [Vec<Edge>]) -> Vec<bool> {
    let graph = views.graph;
    let mut taken = BTreeSet::new();
    let mut in_place = Vec::new();
    for &(slot, value) in graph.updates() {
        let writer = views.base(value);
        let can_write = matches!(views.class(writer), Class::Tape | Class::MatMul) && taken.insert(writer);
        let mut readers = Vec::new();
        for node in 0..edges.len() {
            for (base, hard) in views.reads(node) {
                if matches!(&views.node(base).op, Op::Slot { slot: s, .. } if *s == slot) {
                    readers.push((node, hard));
                }
            }
        }
        // Another result may be the slot's old value itself.
        let old_is_result = graph
            .outputs()
            .iter()
            .map(|o| o.1)
            .chain(graph.updates().iter().map(|u| u.1))
            .any(|v| matches!(&views.node(views.base(v)).op, Op::Slot { slot: s, .. } if *s == slot));
        let ok = can_write
            && !old_is_result
            && readers.iter().all(|&(r, hard)| if r == writer { !hard } else { !reaches(edges, writer, r) });
        if ok {
            for (reader, hard) in readers.into_iter().filter(|&(r, _)| r != writer) {
                edges[reader].push(Edge { to: writer, hard });
            }
        }
        in_place.push(ok);
    }
    in_place
}

fn reaches(edges: &[Vec<Edge>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut stack = vec![from];
    while let Some(node) = stack.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            stack.extend(edges[node].iter().map(|e| e.to));
        }
    }
    false
}

struct Merger {
    group_of: Vec<usize>,
    groups: Vec<Option<Group>>,
    edges: Vec<Vec<Edge>>,
}

impl Merger {
    fn try_merge_operands(&mut self, views: &Views<'_>, user: usize) {
        for operand in views.operands(user) {
            self.try_merge(views, operand.base, user, operand.view);
        }
    }

    fn try_merge(&mut self, views: &Views<'_>, base: usize, user: usize, view: super::view::View) {
        let (a, b) = (self.group_of[base], self.group_of[user]);
        let (Some(producer), Some(consumer)) = (&self.groups[a], &self.groups[b]) else { return };
        if a == b || self.separated(a, b) {
            return;
        }
        let merged = Group::merged(views, producer, consumer, base, user, view);
        if let Some(merged) = merged.filter(|merged| fits(merged, views)) {
            for &node in &merged.nodes {
                self.group_of[node] = a;
            }
            self.groups[b] = None;
            self.groups[a] = Some(merged);
        }
    }

    /// Whether something must run between the two groups, so that they cannot be one.
    fn separated(&self, a: usize, b: usize) -> bool {
        self.path_outside(a, b) || self.path_outside(b, a)
    }

    /// Whether a path leads from one group to the other over a hard edge or through a third group.
    fn path_outside(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.groups.len()];
        let mut stack = Vec::new();
        for edge in self.edges_of(from) {
            let next = self.group_of[edge.to];
            if next == to {
                if edge.hard {
                    return true;
                }
            } else if next != from {
                stack.push(next);
            }
        }
        while let Some(group) = stack.pop() {
            if group == to {
                return true;
            }
            if !std::mem::replace(&mut seen[group], true) {
                stack.extend(self.edges_of(group).map(|e| self.group_of[e.to]));
            }
        }
        false
    }

    fn edges_of(&self, group: usize) -> impl Iterator<Item = Edge> + '_ {
        self.groups[group].iter().flat_map(|g| g.nodes.iter().flat_map(|&n| self.edges[n].iter().copied()))
    }

    /// The groups in topological order; among those that are ready, the one with the earliest node first.
    fn ordered(self) -> Vec<Group> {
        let mut waiting = vec![BTreeSet::new(); self.groups.len()];
        for group in (0..self.groups.len()).filter(|&g| self.groups[g].is_some()) {
            for edge in self.edges_of(group) {
                let next = self.group_of[edge.to];
                if next != group {
                    waiting[next].insert(group);
                }
            }
        }
        let first = |g: usize| self.groups[g].as_ref().map_or(0, |g| g.nodes[0]);
        let mut ready: BinaryHeap<std::cmp::Reverse<(usize, usize)>> = (0..self.groups.len())
            .filter(|&g| self.groups[g].is_some() && waiting[g].is_empty())
            .map(|g| std::cmp::Reverse((first(g), g)))
            .collect();
        let mut order = Vec::new();
        while let Some(std::cmp::Reverse((_, group))) = ready.pop() {
            order.push(group);
            let followers: BTreeSet<usize> =
                self.edges_of(group).map(|e| self.group_of[e.to]).filter(|&g| g != group).collect();
            for next in followers {
                waiting[next].remove(&group);
                if waiting[next].is_empty() {
                    ready.push(std::cmp::Reverse((first(next), next)));
                }
            }
        }
        let mut groups = self.groups;
        order.into_iter().filter_map(|g| groups[g].take()).collect()
    }
}

/// Whether the machine has tiles for a group, which writes what others use.
fn fits(group: &Group, views: &Views<'_>) -> bool {
    let (rows, cols) = group.space.rows_cols();
    let escapes = |node: usize| {
        views.is_result(node) || views.users(node).iter().any(|&user| group.extent(user).is_none())
    };
    let values = group.nodes.iter().copied().filter(|&node| escapes(node)).collect();
    let stores = emit::Stores { values, ..emit::Stores::none() };
    // A convolution is cut by outputs: tiles of complete columns would each look through all windows.
    let windows = group.matmul.is_some_and(|node| {
        let left = views.base(views.node(node).inputs[0]);
        views.windows(left).is_some()
    });
    match tape::needs(&emit::tape(views, group, &stores).spec) {
        Ok(needs) => tape::fits(&needs, rows, cols) && !(windows && needs.complete_cols),
        Err(_) => false,
    }
}
