//! The compiled step: what runs once a batch.

use super::step::graph_with_gradients;
use super::{Balance, Part, SoftLabels, TrainError, Trainer, soft_training_graph};
use crate::compile::{Options, Program, StateLayout, compile};
use crate::data::Batches;
use crate::data::loader::{Feed, Labels, Maker};
use crate::exec::{Key, Machine, Runner, Slots};
use crate::graph::{Graph, GraphError};
use crate::nn::Sequential;
use crate::schedule::Schedule;
use std::sync::Arc;

/// The compiled step, for full batches and for the last, smaller one.
pub(super) struct Stepper<'a> {
    pub(super) trainer: &'a Trainer,
    pub(super) network: &'a Sequential,
    pub(super) machine: &'a Machine,
    pub(super) layout: Arc<StateLayout>,
    pub(super) lr: Schedule,
    pub(super) momentum: Option<Schedule>,
    /// What each class weighs in the loss; empty where all weigh 1.
    class_weights: Vec<f32>,
    /// By number of examples; at most two.
    runners: Vec<(usize, Runner)>,
}

impl<'a> Stepper<'a> {
    /// Compiles the step for batches of `sizes` of a training part, of which there will be `steps` in all.
    pub(super) fn new(
        trainer: &'a Trainer,
        part: &Part<'_>,
        network: &'a Sequential,
        machine: &'a Machine,
        sizes: &[usize],
        steps: u64,
    ) -> Result<Stepper<'a>, TrainError> {
        let mut layout = None;
        let mut runners: Vec<(usize, Runner)> = Vec::new();
        for &size in sizes {
            let graph = graph(trainer, network, size)?;
            let program = compile(&graph, &Options { layout: layout.clone(), ..Options::default() })?;
            layout.get_or_insert_with(|| program.layout().clone());
            runners.push((size, machine.load(program)));
        }
        let (lr, momentum) = (trainer.resolved_schedule(steps), trainer.resolved_momentum(steps));
        let layout = layout.unwrap_or_default();
        let class_weights = trainer.balance.class_weights(&part.class_counts());
        let class_weights = class_weights.into_iter().map(|weight| weight as f32).collect();
        Ok(Stepper { trainer, network, machine, layout, lr, momentum, class_weights, runners })
    }

    /// The program of full batches.
    pub(super) fn program(&self) -> Option<&Program> {
        self.runners.first().map(|(_, runner)| runner.program())
    }

    /// The graph for a batch of so many examples.
    pub(super) fn graph(&self, size: usize) -> Result<Graph, GraphError> {
        graph(self.trainer, self.network, size)
    }

    /// The same with every parameter's gradient as an output.
    pub(super) fn graph_with_gradients(&self, size: usize) -> Result<Graph, GraphError> {
        let Trainer { model, optimizer, .. } = self.trainer;
        graph_with_gradients(self.network, model.task, optimizer, size, labels(self.trainer))
    }

    /// Runs step number `step` (from 0) on the next batch, of `size` examples; the mean loss before the update.
    pub(super) fn run(&mut self, slots: &mut Slots, feed: &mut Feed<'_>, size: usize, step: u64) -> f32 {
        self.run_on(slots, size, step, |features| feed.next(features))
    }

    /// Runs step number `step` on batch number `at` of an epoch.
    pub(super) fn replay(
        &mut self,
        slots: &mut Slots,
        maker: &mut Maker<'_>,
        epoch: &Batches,
        at: usize,
        step: u64,
    ) -> f32 {
        let mut labels = Labels::default();
        let labels = &mut labels;
        self.run_on(slots, epoch.get(at).map_or(0, <[u32]>::len), step, move |features| {
            maker.make(epoch, at, features, labels);
            Some(labels)
        })
    }

    fn run_on<'l>(
        &mut self,
        slots: &mut Slots,
        size: usize,
        step: u64,
        fill: impl FnOnce(&mut [f32]) -> Option<&'l Labels>,
    ) -> f32 {
        let rates = self.rates(step);
        let Some((_, runner)) = self.runners.iter_mut().find(|(of, _)| *of == size) else {
            return f32::NAN;
        };
        feed(runner, rates, &self.class_weights, fill);
        runner.run(slots, Key { seed: self.trainer.seed, step });
        runner.get("loss").map_or(f32::NAN, |loss| loss[0])
    }

    /// Feeds a runner of this training's inputs.
    pub(super) fn feed(
        &self,
        runner: &mut Runner,
        maker: &mut Maker<'_>,
        epoch: &Batches,
        at: usize,
        step: u64,
    ) {
        let mut labels = Labels::default();
        let labels = &mut labels;
        feed(runner, self.rates(step), &self.class_weights, move |features| {
            maker.make(epoch, at, features, labels);
            Some(labels)
        });
    }

    fn rates(&self, step: u64) -> [(&'static str, Option<f64>); 2] {
        [("lr", Some(self.lr.at(step))), ("momentum", self.momentum.as_ref().map(|m| m.at(step)))]
    }
}

fn graph(trainer: &Trainer, network: &Sequential, size: usize) -> Result<Graph, GraphError> {
    soft_training_graph(network, trainer.model.task, &trainer.optimizer, size, labels(trainer))
}

fn labels(trainer: &Trainer) -> SoftLabels {
    let weighted = matches!(trainer.balance, Balance::Weights | Balance::SqrtWeights);
    let (mixed, smoothing) = (trainer.augment.mixes(), trainer.augment.label_smoothing);
    SoftLabels { mixed, smoothing, weighted }
}

fn feed<'l>(
    runner: &mut Runner,
    rates: [(&str, Option<f64>); 2],
    class_weights: &[f32],
    fill: impl FnOnce(&mut [f32]) -> Option<&'l Labels>,
) {
    let labels = runner.input_mut("features").and_then(fill);
    if let Some(labels) = labels {
        let of = [("labels", &labels.own), ("partner_labels", &labels.partner), ("weights", &labels.weight)];
        for (name, values) in of {
            if let Some(input) = runner.input_mut(name) {
                input.copy_from_slice(values);
            }
        }
        for (name, values) in [("label_weights", &labels.own), ("partner_label_weights", &labels.partner)] {
            if let Some(input) = runner.input_mut(name) {
                let weight = |&label: &f32| class_weights.get(label as usize).copied().unwrap_or(1.0);
                input.iter_mut().zip(values).for_each(|(input, label)| *input = weight(label));
            }
        }
    }
    for (name, value) in rates {
        if let (Some(value), Some(input)) = (value, runner.input_mut(name)) {
            input[0] = value as f32;
        }
    }
}
