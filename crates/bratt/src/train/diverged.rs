//! Finding the first value that went wrong.
//!
//! A loss that is not finite often comes a step after its cause: the update made an infinite weight. So the epoch is
//! replayed from a copy of its first state until a step leaves a slot or a loss that is not finite (every step is a
//! function of seed, step and data, so it goes the same way again); then that step runs once more, unfused and with
//! every node as an output, and the nodes are looked through in the order of the graph.

use super::FirstBad;
use super::step::with_all_nodes;
use super::stepper::Stepper;
use crate::compile::{Options, compile};
use crate::data::Batches;
use crate::data::loader::Maker;
use crate::exec::{Key, Slots};
use crate::graph::Graph;
use std::ops::Range;

/// The step (from 0) in which the first value went wrong, and that value. `slots` is the state before `first_step`, which
/// is the first of the batches `at` of an epoch. Without a bad step, the last one and nothing.
pub(super) fn first_bad(
    stepper: &mut Stepper<'_>,
    maker: &mut Maker<'_>,
    mut slots: Slots,
    epoch: &Batches,
    at: Range<usize>,
    first_step: u64,
) -> (u64, Option<FirstBad>) {
    let mut last = first_step;
    for (step, at) in (first_step..).zip(at) {
        let before = slots.clone();
        let loss = stepper.replay(&mut slots, maker, epoch, at, step);
        last = step;
        let slots_are_finite = slots.iter().all(|(_, values)| values.iter().all(|x| x.is_finite()));
        if !loss.is_finite() || !slots_are_finite {
            return (step, first_bad_node(stepper, maker, before, epoch, at, step));
        }
    }
    (last, None)
}

fn first_bad_node(
    stepper: &Stepper<'_>,
    maker: &mut Maker<'_>,
    mut slots: Slots,
    epoch: &Batches,
    at: usize,
    step: u64,
) -> Option<FirstBad> {
    let trainer = stepper.trainer;
    // The same graph was built and compiled before training began.
    let graph = stepper.graph(epoch.get(at)?.len()).ok()?;
    let options = Options { layout: Some(stepper.layout.clone()), fuse: false, ..Options::default() };
    let program = compile(&with_all_nodes(&graph).ok()?, &options).ok()?;
    let mut runner = stepper.machine.load(program);
    stepper.feed(&mut runner, maker, epoch, at, step);
    runner.run(&mut slots, Key { seed: trainer.seed, step });
    (0..graph.nodes().len()).find_map(|i| {
        let values = runner.get(&format!("node {i}"))?;
        let index = values.iter().position(|x| !x.is_finite())?;
        Some(report(&graph, i, index, values[index]))
    })
}

fn report(graph: &Graph, i: usize, index: usize, value: f32) -> FirstBad {
    let node = &graph.nodes()[i];
    let updated = graph.updates().iter().find(|(_, value)| value.index() == i);
    let slot = updated.map(|(slot, _)| format!("new {}", graph.slots()[slot.index()].name));
    let name = slot.or_else(|| node.origin.name.as_ref().map(|name| name.to_string()));
    let layer = node.origin.layer.to_string();
    FirstBad { layer, op: node.op.name().into(), name, index, value: value.to_string() }
}
