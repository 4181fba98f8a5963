//! The training loop.
//!
//! ```text
//! for each epoch:     order the training part by (seed, epoch)
//!   for each batch:   gather -> step(features, labels, lr, state) -> loss, state'
//!   validate; keep the state with the lowest validation loss
//! ```

use super::diverged::first_bad;
use super::evaluate::{Evaluator, evaluate_on};
use super::event::{EpochEnd, Event, Listener, Started, StopReason};
use super::step::least_batch;
use super::{Evaluation, Part, Splits, TrainError, Trainer, training_graph};
use crate::compile::{Options, StateLayout, compile};
use crate::data::{Batches, Features, LastBatch};
use crate::exec::{Key, Machine, Runner, Slots};
use crate::model::{Inputs, Provenance, TrainedModel};
use crate::nn::{Layer, Sequential};
use crate::schedule::Schedule;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

/// A training that has ended: the model with the best numbers, and how it went.
#[derive(Clone, Debug)]
pub struct Fit {
    model: TrainedModel,
    history: Vec<EpochEnd>,
    reason: StopReason,
    seconds: f64,
    machine: Machine,
}

impl Fit {
    /// The trained model, with the numbers of the epoch that had the lowest validation loss (without a validation part,
    /// of the last epoch).
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// The trained model.
    pub fn into_model(self) -> TrainedModel {
        self.model
    }

    /// What each epoch ended with.
    pub fn history(&self) -> &[EpochEnd] {
        &self.history
    }

    /// Why training ended.
    pub fn reason(&self) -> StopReason {
        self.reason
    }

    /// Wall-clock time of the training.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Judges the model on a part.
    ///
    /// # Errors
    /// If the part is empty or not of the model's kind.
    pub fn evaluate(&self, part: Part<'_>) -> Result<Evaluation, TrainError> {
        evaluate_on(&self.machine, &self.model, &part)
    }

    /// Writes the test part's result into the model's provenance.
    pub fn record_test(&mut self, test: &Evaluation) {
        self.model.provenance.test = Some(test.measured());
    }
}

/// The compiled step, for full batches and for the last, smaller one.
pub(super) struct Stepper<'a> {
    pub(super) trainer: &'a Trainer,
    pub(super) network: &'a Sequential,
    pub(super) machine: &'a Machine,
    pub(super) layout: Arc<StateLayout>,
    pub(super) lr: Schedule,
    pub(super) momentum: Option<Schedule>,
    data: &'a crate::data::Dataset,
    /// By number of examples; at most two.
    runners: Vec<(usize, Runner)>,
}

impl<'a> Stepper<'a> {
    fn new(
        trainer: &'a Trainer,
        network: &'a Sequential,
        machine: &'a Machine,
        data: &'a crate::data::Dataset,
        sizes: &[usize],
        steps: u64,
    ) -> Result<Stepper<'a>, TrainError> {
        let mut layout = None;
        let mut runners: Vec<(usize, Runner)> = Vec::new();
        for &size in sizes {
            let graph = training_graph(network, trainer.model.task, &trainer.optimizer, size)?;
            let program = compile(&graph, &Options { layout: layout.clone(), ..Options::default() })?;
            layout.get_or_insert_with(|| program.layout().clone());
            runners.push((size, machine.load(program)));
        }
        let (lr, momentum) = (trainer.resolved_schedule(steps), trainer.resolved_momentum(steps));
        let layout = layout.unwrap_or_default();
        Ok(Stepper { trainer, network, machine, layout, lr, momentum, data, runners })
    }

    /// Runs step number `step` (from 0) on the examples at `indices`; the mean loss before the update.
    pub(super) fn run(&mut self, slots: &mut Slots, indices: &[u32], step: u64) -> f32 {
        let Some((_, runner)) = self.runners.iter_mut().find(|(size, _)| *size == indices.len()) else {
            return f32::NAN;
        };
        feed(runner, self.data, indices, self.lr.at(step), self.momentum.as_ref().map(|m| m.at(step)));
        runner.run(slots, Key { seed: self.trainer.seed, step });
        runner.get("loss").map_or(f32::NAN, |loss| loss[0])
    }

    /// Feeds a runner of this training's inputs.
    pub(super) fn feed(&self, runner: &mut Runner, indices: &[u32], step: u64) {
        feed(runner, self.data, indices, self.lr.at(step), self.momentum.as_ref().map(|m| m.at(step)));
    }
}

fn feed(runner: &mut Runner, data: &crate::data::Dataset, indices: &[u32], lr: f64, momentum: Option<f64>) {
    if let Some((features, labels)) = runner.two_inputs_mut("features", "labels") {
        data.gather_into(indices, features, labels);
    }
    for (name, value) in [("lr", Some(lr)), ("momentum", momentum)] {
        if let (Some(value), Some(input)) = (value, runner.input_mut(name)) {
            input[0] = value as f32;
        }
    }
}

/// The numbers to keep, and how good they are.
struct Best {
    slots: Slots,
    loss: f64,
    epoch: usize,
}

/// Trains as `trainer` says.
pub(super) fn fit(trainer: &Trainer, data: &Splits, listener: &mut dyn Listener) -> Result<Fit, TrainError> {
    let begin = Instant::now();
    trainer.check(data)?;
    let machine = trainer.machine();
    let network = match trainer.preprocess.learn(&data.train())? {
        Some(layer) => trainer.model.network.clone().preceded_by(layer),
        None => trainer.model.network.clone(),
    };
    let (train, val) = (data.train(), data.val());
    let steps = trainer.steps_per_epoch(train.len());
    let mut sizes = vec![trainer.batch_size.min(train.len())];
    let rest = train.len() % trainer.batch_size;
    if train.len() > trainer.batch_size && rest >= least_batch(&network) {
        sizes.push(rest);
    }
    let total = (trainer.epochs * steps) as u64;
    let mut stepper = Stepper::new(trainer, &network, &machine, data.data(), &sizes, total)?;
    let layout = stepper.layout.clone();
    let mut evaluator = Evaluator::new(&machine, &network, trainer.model.task, Some(layout.clone()))?;
    let mut slots = Slots::new(layout, trainer.seed);
    let mut model = describe(trainer, data, &network, &stepper.lr);
    listener.event(&started(&stepper, &model, data, steps)?);

    let mut best: Option<Best> = None;
    let mut history: Vec<EpochEnd> = Vec::new();
    let mut reason = StopReason::Completed;
    let mut step = 0; // of the whole training
    for epoch in 1..=trainer.epochs {
        let epoch_begin = Instant::now();
        let before = (slots.clone(), step);
        let order = epoch_order(trainer, &train, epoch);
        let (mut loss_sum, mut seen, mut done) = (0.0, 0, 0);
        for indices in order.iter().take(steps) {
            if trainer.stop.is_requested() {
                reason = StopReason::Interrupted;
                listener.event(&Event::Interrupted { epoch, step: done });
                break;
            }
            let loss = stepper.run(&mut slots, indices, step);
            if !loss.is_finite() {
                return Err(diverged(&mut stepper, before, &order, epoch, steps, listener));
            }
            (step, done, seen) = (step + 1, done + 1, seen + indices.len());
            loss_sum += f64::from(loss) * indices.len() as f64;
            listener.event(&Event::Step {
                epoch,
                step: done,
                steps,
                loss: loss.into(),
                learning_rate: stepper.lr.at(step - 1),
                examples_per_second: seen as f64 / epoch_begin.elapsed().as_secs_f64().max(1e-9),
            });
        }
        if done == 0 {
            break;
        }

        let validation = (!val.is_empty()).then(|| evaluator.evaluate(&slots, &val).score());
        if validation.is_some_and(|score| !score.loss.is_finite()) {
            return Err(diverged(&mut stepper, before, &order, epoch, done, listener));
        }
        let is_best = match (&best, &validation) {
            (Some(best), Some(score)) => score.loss < best.loss,
            _ => true,
        };
        if is_best {
            let loss = validation.map_or(f64::INFINITY, |score| score.loss);
            best = Some(Best { slots: slots.clone(), loss, epoch });
        }
        let end = EpochEnd {
            epoch,
            train_loss: loss_sum / seen.max(1) as f64,
            validation,
            best: is_best,
            learning_rate: stepper.lr.at(step - 1),
            seconds: epoch_begin.elapsed().as_secs_f64(),
        };
        listener.event(&Event::Epoch(end.clone()));
        history.push(end);
        if reason == StopReason::Interrupted {
            break;
        }
        let waited = epoch - best.as_ref().map_or(epoch, |best| best.epoch);
        if trainer.patience.is_some_and(|patience| waited >= patience) && epoch < trainer.epochs {
            reason = StopReason::EarlyStop;
            break;
        }
    }

    let kept = best.unwrap_or(Best { slots, loss: f64::INFINITY, epoch: 0 });
    model.take_values(&kept.slots);
    model.provenance.epochs = history.len();
    model.provenance.kept_epoch = kept.epoch;
    let seconds = begin.elapsed().as_secs_f64();
    let (epochs, kept_epoch) = (history.len(), kept.epoch);
    listener.event(&Event::Finished { reason, epochs, steps: step, kept_epoch, seconds });
    Ok(Fit { model, history, reason, seconds, machine })
}

/// The batches of an epoch (from 1), in an order drawn from the seed and the epoch.
fn epoch_order(trainer: &Trainer, train: &Part<'_>, epoch: usize) -> Batches {
    let size = NonZeroUsize::new(trainer.batch_size).unwrap_or(NonZeroUsize::MIN);
    Batches::training(train.indices(), size, LastBatch::Keep, trainer.seed, epoch as u64 - 1)
}

/// Replays the epoch from its beginning to the step in which the first value went wrong, and tells about it.
fn diverged(
    stepper: &mut Stepper<'_>,
    (slots, first_step): (Slots, u64),
    order: &Batches,
    epoch: usize,
    steps: usize,
    listener: &mut dyn Listener,
) -> TrainError {
    let (step, first) = first_bad(stepper, slots, order.iter().take(steps), first_step);
    let (step, learning_rate) = (step + 1, stepper.lr.at(step));
    listener.event(&Event::Diverged { epoch, step, learning_rate, first: first.clone() });
    TrainError::Diverged { epoch, step, learning_rate, first: first.map(Box::new) }
}

/// The model before its numbers are there.
fn describe(trainer: &Trainer, data: &Splits, network: &Sequential, schedule: &Schedule) -> TrainedModel {
    let inputs = match data.data().features() {
        Features::Pixels { scale, .. } => Inputs::Image { scale: *scale, fit: data.data().fit() },
        Features::Table { columns, .. } => Inputs::Table { columns: columns.clone() },
    };
    TrainedModel {
        name: trainer.model.name.clone(),
        network: without_numbers(network),
        task: trainer.model.task,
        classes: data.classes().to_vec(),
        inputs,
        values: Default::default(),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            data: data.data().name().into(),
            fingerprint: data.data().fingerprint(),
            split: data.sizes(),
            seed: trainer.seed,
            epochs: 0,
            kept_epoch: 0,
            batch_size: trainer.batch_size,
            optimizer: trainer.optimizer.describe(),
            schedule: schedule.to_string(),
            test: None,
        },
    }
}

/// The network as a model file describes it: learned preprocessing is in slots, not in the layers.
fn without_numbers(network: &Sequential) -> Sequential {
    let mut network = network.clone();
    network.for_each_layer_mut(|layer| match layer {
        Layer::Standardize(given) => *layer = given.without_numbers().into(),
        Layer::Whiten(given) => *layer = given.without_numbers().into(),
        _ => {}
    });
    network
}

fn started(
    stepper: &Stepper<'_>,
    model: &TrainedModel,
    data: &Splits,
    steps: usize,
) -> Result<Event, TrainError> {
    let (trainer, program) = (stepper.trainer, stepper.runners.first().map(|(_, runner)| runner.program()));
    let from = &model.provenance;
    Ok(Event::Started(Box::new(Started {
        version: from.version.clone(),
        data: from.data.clone(),
        data_description: data.data().describe(),
        fingerprint: from.fingerprint.clone(),
        split: from.split,
        classes: model.classes.clone(),
        model: model.name.clone(),
        layers: model.network.layers.iter().map(|named| named.layer.describe()).collect(),
        parameters: model.network.summary()?.parameters(),
        preprocess: trainer.preprocess.describe(),
        optimizer: from.optimizer.clone(),
        schedule: from.schedule.clone(),
        batch_size: trainer.batch_size,
        epochs: trainer.epochs,
        steps_per_epoch: steps,
        seed: trainer.seed,
        threads: stepper.machine.threads(),
        isa: stepper.machine.isa().to_string(),
        flops_per_step: program.map_or(0, |p| p.flops()),
        state_bytes: program.map_or(0, |p| p.state_bytes()),
        work_bytes: program.map_or(0, |p| p.work_bytes()),
    })))
}
