//! Running a model over a part, to judge it.
//!
//! After each epoch only loss, accuracy, macro-F1 and balanced accuracy are taken; all measures of [`crate::metrics`] at the end.

use super::predictions::Outputs;
use super::{Evaluation, Part, Predictions, Score, TrainError};
use crate::compile::{Options, StateLayout, compile};
use crate::data::Dataset;
use crate::exec::{Machine, Runner, Slots};
use crate::metrics::Confusion;
use crate::model::{TrainedModel, evaluation_graph};
use crate::nn::{Sequential, Task, fold_batch_norm};
use std::sync::Arc;

/// Examples that are judged at a time. Fixed, so that results do not depend on the batch size of training.
const BATCH: usize = 256;

/// Judges a model on a part, on so many threads. Batch norm is folded into the layers before it, as for predicting.
///
/// # Errors
/// If the part is empty, or its examples or classes are not those of the model.
pub fn evaluate(model: &TrainedModel, part: &Part<'_>, threads: usize) -> Result<Evaluation, TrainError> {
    predictions(model, part, threads)?.evaluation()
}

/// What a model says of each example of a part, on so many threads.
///
/// # Errors
/// As [`evaluate`].
pub fn predictions(model: &TrainedModel, part: &Part<'_>, threads: usize) -> Result<Predictions, TrainError> {
    predictions_on(&Machine::new(threads), model, part)
}

pub(super) fn predictions_on(
    machine: &Machine,
    model: &TrainedModel,
    part: &Part<'_>,
) -> Result<Predictions, TrainError> {
    let data = part.data();
    check_fit(data, &model.network, model.task)?;
    if data.classes() != model.classes {
        let (found, expected) = (data.classes().join(", "), model.classes.join(", "));
        return Err(TrainError::ClassNames { data: data.name().into(), found, expected });
    }
    if part.is_empty() {
        let data = data.name().into();
        return Err(TrainError::TooFew { data, part: "the part to evaluate", found: 0, expected: 1 });
    }
    let (network, values) = fold_batch_norm(&model.network, &model.values);
    let mut evaluator = Evaluator::new(machine, &network, model.task, None)?;
    let mut slots = Slots::new(evaluator.runner.program().layout().clone(), 0);
    for (name, value) in &values {
        slots.set(name, value)?;
    }
    let outputs = evaluator.outputs(&slots, part);
    Ok(Predictions::new(model.task, &model.classes, part.indices(), outputs, model.temperature))
}

/// Checks that a network's input and outputs fit a data set.
pub(super) fn check_fit(data: &Dataset, network: &Sequential, task: Task) -> Result<(), TrainError> {
    let name = data.name().to_string();
    if data.shape() != network.input {
        let (found, expected) = (data.shape().into(), network.input[..].into());
        return Err(TrainError::InputShape { data: name, found, expected });
    }
    let (outputs, classes) = (network.output_shape()?, data.classes().len());
    let fits = match task {
        Task::Classify => classes > 0 && outputs[..] == [classes],
        Task::Binary => classes == 2 && outputs[..] == [1],
        Task::Regress => classes == 0 && outputs[..] == [1],
    };
    if fits {
        return Ok(());
    }
    let targets = if classes > 0 { format!("{classes} classes") } else { "one number to predict".into() };
    let wants = match task {
        Task::Classify => "one output a class",
        Task::Binary => "two classes and one output",
        Task::Regress => "one number to predict and one output",
    };
    let outputs = format!("gives outputs of shape {outputs} for a task that wants {wants}");
    Err(TrainError::Targets { data: name, targets, outputs })
}

/// A compiled evaluation.
pub(super) struct Evaluator {
    runner: Runner,
    task: Task,
}

impl Evaluator {
    pub(super) fn new(
        machine: &Machine,
        network: &Sequential,
        task: Task,
        layout: Option<Arc<StateLayout>>,
    ) -> Result<Evaluator, TrainError> {
        let graph = evaluation_graph(network, task, BATCH)?;
        let program = compile(&graph, &Options { layout, ..Options::default() })?;
        Ok(Evaluator { runner: machine.load(program), task })
    }

    /// The short judgement, after each epoch.
    pub(super) fn score(&mut self, slots: &Slots, part: &Part<'_>) -> Score {
        let (task, classes) = (self.task, part.data().classes().len());
        let (mut n, mut sum, mut confusion) = (0, 0.0, Confusion::new(classes));
        self.run(slots, part, |logits, loss, target| {
            n += 1;
            sum += f64::from(loss);
            match task {
                Task::Classify => confusion.add(target as usize, crate::model::first_largest(logits), 1),
                Task::Binary => confusion.add(target as usize, usize::from(logits[0] > 0.0), 1),
                Task::Regress => {}
            }
        });
        let of_classes = |value: f64| (task != Task::Regress).then_some(value);
        Score {
            loss: sum / f64::from(n.max(1)),
            accuracy: of_classes(confusion.accuracy()),
            macro_f1: of_classes(confusion.macro_f1()),
            balanced_accuracy: of_classes(confusion.balanced_accuracy()),
        }
    }

    /// What the network gives for each example.
    pub(super) fn outputs(&mut self, slots: &Slots, part: &Part<'_>) -> Outputs {
        let mut all = Outputs::default();
        self.run(slots, part, |logits, loss, target| {
            all.outputs.extend(logits);
            all.losses.push(loss);
            all.targets.push(target);
        });
        all
    }

    /// The temperature that fits a part best.
    pub(super) fn temperature(&mut self, slots: &Slots, part: &Part<'_>) -> Option<f64> {
        self.outputs(slots, part).temperature(self.task, part.data().classes().len())
    }

    /// Tells outputs, loss and target of each example of a part; what pads the last batch is ignored.
    fn run(&mut self, slots: &Slots, part: &Part<'_>, mut each: impl FnMut(&[f32], f32, f32)) {
        for indices in part.indices().chunks(BATCH) {
            let targets = {
                let Some((x, y)) = self.runner.two_inputs_mut("features", "labels") else { break };
                part.data().gather_into(indices, x, y);
                y[..indices.len()].to_vec()
            };
            self.runner.infer(slots);
            let (Some(losses), Some(logits)) = (self.runner.get("losses"), self.runner.get("logits")) else {
                break;
            };
            let rows = logits.chunks_exact(logits.len() / BATCH);
            for ((row, &loss), target) in rows.zip(losses).zip(targets) {
                each(row, loss, target);
            }
        }
    }
}
