//! The training loop.
//!
//! ```text
//! for each epoch:     order the training part by (seed, epoch)
//!   for each batch:   loader -> step(features, labels, lr, state) -> loss, state'
//!   validate; keep the state with the lowest validation loss
//! ```

use super::diverged::first_bad;
use super::evaluate::{Evaluator, predictions_on};
use super::event::{EpochEnd, Event, Listener, Started, StopReason};
use super::step::least_batch;
use super::stepper::Stepper;
use super::{Evaluation, Part, Predictions, Score, Splits, TrainError, Trainer};
use crate::data::Features;
use crate::data::loader::{Feed, Loader};
use crate::exec::{Machine, Slots};
use crate::model::{Inputs, Provenance, TrainedModel};
use crate::nn::{Layer, Sequential};
use crate::schedule::Schedule;
use std::num::NonZeroUsize;
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
        self.predictions(part)?.evaluation()
    }

    /// What the model says of each example of a part.
    ///
    /// # Errors
    /// As [`Fit::evaluate`].
    pub fn predictions(&self, part: Part<'_>) -> Result<Predictions, TrainError> {
        predictions_on(&self.machine, &self.model, &part)
    }

    /// Writes the test part's result into the model's provenance.
    pub fn record_test(&mut self, test: &Evaluation) {
        self.model.provenance.test = Some(test.measured());
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
    let mut stepper = Stepper::new(trainer, &network, &machine, &sizes, total)?;
    let layout = stepper.layout.clone();
    let mut evaluator = Evaluator::new(&machine, &network, trainer.model.task, Some(layout.clone()))?;
    let slots = Slots::new(layout, trainer.seed);
    let mut model = describe(trainer, data, &network, &stepper.lr);
    listener.event(&started(&stepper, &model, data, steps)?);

    let size = NonZeroUsize::new(trainer.batch_size).unwrap_or(NonZeroUsize::MIN);
    let loader = Loader::new(data.data(), train.indices(), size, steps, trainer.seed, &trainer.augment);
    let ended = loader.run(trainer.resolved_loaders(), trainer.epochs as u64, |feed| {
        epochs(trainer, &loader, feed, &mut stepper, slots, listener, |slots| {
            (!val.is_empty()).then(|| evaluator.score(slots, &val))
        })
    })?;

    let Ended { best, slots, history, reason, steps: step } = ended;
    let kept = best.unwrap_or(Best { slots, loss: f64::INFINITY, epoch: 0 });
    model.take_values(&kept.slots);
    model.temperature = evaluator.temperature(&kept.slots, &val);
    model.provenance.epochs = history.len();
    model.provenance.kept_epoch = kept.epoch;
    let seconds = begin.elapsed().as_secs_f64();
    let (epochs, kept_epoch) = (history.len(), kept.epoch);
    listener.event(&Event::Finished { reason, epochs, steps: step, kept_epoch, seconds });
    Ok(Fit { model, history, reason, seconds, machine })
}

/// What the epochs leave.
struct Ended {
    best: Option<Best>,
    slots: Slots,
    history: Vec<EpochEnd>,
    reason: StopReason,
    /// Of the whole training.
    steps: u64,
}

/// Trains on all batches of the feed.
fn epochs(
    trainer: &Trainer,
    loader: &Loader<'_>,
    feed: &mut Feed<'_>,
    stepper: &mut Stepper<'_>,
    mut slots: Slots,
    listener: &mut dyn Listener,
    mut validate: impl FnMut(&Slots) -> Option<Score>,
) -> Result<Ended, TrainError> {
    let steps = loader.steps();
    let mut best: Option<Best> = None;
    let mut history: Vec<EpochEnd> = Vec::new();
    let mut reason = StopReason::Completed;
    let mut step = 0; // of the whole training
    for epoch in 1..=trainer.epochs {
        let epoch_begin = Instant::now();
        let before = (slots.clone(), step);
        let order = loader.epoch(epoch as u64 - 1);
        let (mut loss_sum, mut seen, mut done) = (0.0, 0, 0);
        for indices in order.iter().take(steps) {
            if trainer.stop.is_requested() {
                reason = StopReason::Interrupted;
                listener.event(&Event::Interrupted { epoch, step: done });
                break;
            }
            let loss = stepper.run(&mut slots, feed, indices.len(), step);
            if !loss.is_finite() {
                return Err(diverged(stepper, loader, before, epoch, steps, listener));
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

        let validation = validate(&slots);
        if validation.is_some_and(|score| !score.loss.is_finite()) {
            return Err(diverged(stepper, loader, before, epoch, done, listener));
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

    Ok(Ended { best, slots, history, reason, steps: step })
}

/// Replays the epoch from its beginning to the step in which the first value went wrong, and tells about it.
fn diverged(
    stepper: &mut Stepper<'_>,
    loader: &Loader<'_>,
    (slots, first_step): (Slots, u64),
    epoch: usize,
    steps: usize,
    listener: &mut dyn Listener,
) -> TrainError {
    let (of, mut maker) = (epoch as u64 - 1, loader.maker());
    let order = loader.epoch(of);
    let (step, first) = first_bad(stepper, &mut maker, slots, of, order.iter().take(steps), first_step);
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
        temperature: None,
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
            augment: (!trainer.augment.is_none()).then(|| trainer.augment.describe()),
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
    let (trainer, program) = (stepper.trainer, stepper.program());
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
        augment: trainer.augment.describe(),
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
