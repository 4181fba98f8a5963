//! The training loop.
//!
//! ```text
//! for each epoch:     order the training part by (seed, epoch)
//!   for each batch:   loader -> step(features, labels, lr, state) -> loss, state'
//!                     offer a checkpoint
//!   validate; keep the state of the best epoch; offer a checkpoint
//! ```

use super::checkpoint::{BestEpoch, Checkpoint, Identity, Progress, Snapshot};
use super::diverged::first_bad;
use super::evaluate::{Evaluator, predictions_on};
use super::event::{EpochEnd, Event, Listener, Started, StopReason};
use super::step::least_batch;
use super::step_sizes::Before;
use super::stepper::Stepper;
use super::{Balance, Evaluation, Monitor, Part, Predictions, Score, Splits, TrainError, Trainer};
use crate::data::Features;
use crate::data::loader::{Feed, Loader};
use crate::exec::{Machine, Slots};
use crate::model::{Inputs, Provenance, TrainedModel};
use crate::nn::{Layer, Sequential};
use crate::optim::AVERAGE;
use crate::schedule::Schedule;
use std::borrow::Cow;
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
    /// The trained model, with the numbers of the epoch that was best by what is monitored (without a validation part,
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

/// What is settled before the step is compiled.
pub(super) struct Prepared {
    pub(super) machine: Machine,
    /// With the layer that preprocesses.
    pub(super) network: Sequential,
    /// Sizes of batches: that of most, and that of the last of an epoch.
    pub(super) sizes: Vec<usize>,
    /// Steps of an epoch.
    pub(super) steps: usize,
}

/// Checks the training, learns the preprocessing, and counts batches.
pub(super) fn prepare(trainer: &Trainer, data: &Splits) -> Result<Prepared, TrainError> {
    trainer.check(data)?;
    let network = match trainer.preprocess.learn(&data.train())? {
        Some(layer) => trainer.model.network.clone().preceded_by(layer),
        None => trainer.model.network.clone(),
    };
    let examples = data.train().len();
    let mut sizes = vec![trainer.batch_size.min(examples)];
    let rest = examples % trainer.batch_size;
    if examples > trainer.batch_size && rest >= least_batch(&network) {
        sizes.push(rest);
    }
    Ok(Prepared { machine: trainer.machine(), network, sizes, steps: trainer.steps_per_epoch(examples) })
}

/// What makes the batches of a training.
pub(super) fn loader<'a>(trainer: &Trainer, part: &'a Part<'_>, steps: usize) -> Loader<'a> {
    let size = NonZeroUsize::new(trainer.batch_size).unwrap_or(NonZeroUsize::MIN);
    Loader::new(part.data(), part.indices(), size, steps, trainer.seed, &trainer.augment)
        .balanced(trainer.balance == Balance::Sampling)
}

/// Trains as `trainer` says.
pub(super) fn fit(trainer: &Trainer, data: &Splits, listener: &mut dyn Listener) -> Result<Fit, TrainError> {
    let begin = Instant::now();
    let Prepared { machine, network, sizes, steps } = prepare(trainer, data)?;
    let (train, val) = (data.train(), data.val());
    let total = (trainer.resolved_schedule_epochs() * steps) as u64;
    let mut stepper = Stepper::new(trainer, &train, &network, &machine, &sizes, total)?;
    let layout = stepper.layout.clone();
    let mut evaluator = Evaluator::new(&machine, &network, trainer.model.task, Some(layout.clone()))?;
    let mut model = describe(trainer, data, &network, &stepper.lr);
    let identity = identity(trainer, &model, &stepper.lr, stepper.momentum.as_ref());
    let progress = Progress { epochs: trainer.epochs, ..Progress::default() };
    let mut state = State { slots: Slots::new(layout, trainer.seed), best: None, progress };
    if let Some(checkpoint) = &trainer.resume {
        checkpoint.check(&identity, trainer.epochs)?;
        state.best = checkpoint.restore(&mut state.slots)?;
        state.progress = checkpoint.progress.clone();
        state.progress.extend(trainer.epochs);
    }
    listener.event(&started(&stepper, &model, data, steps)?);
    if trainer.resume.is_some() {
        let Progress { epoch, done, .. } = state.progress;
        listener.event(&Event::Resumed { epoch: epoch + 1, step: done });
    }

    let loader = loader(trainer, &train, steps);
    let isa = machine.isa().to_string();
    let batches = state.progress.step..(trainer.epochs * steps) as u64;
    loader.run(trainer.resolved_loaders(), batches, |feed| {
        let mut teller = Teller { listener, identity: &identity, isa: &isa };
        epochs(trainer, &loader, feed, &mut stepper, &mut state, &mut teller, |slots| {
            (!val.is_empty()).then(|| evaluator.score(slots, &val))
        })
    })?;

    let State { slots, best, progress } = state;
    let kept = best.unwrap_or_else(|| averaged(&slots).into_owned());
    model.take_values(&kept);
    model.temperature = evaluator.temperature(&kept, &val);
    let kept_epoch = progress.best.map_or(0, |best| best.epoch);
    let epochs = progress.history.len();
    (model.provenance.epochs, model.provenance.kept_epoch) = (epochs, kept_epoch);
    let (seconds, reason) = (begin.elapsed().as_secs_f64(), progress.ended.unwrap_or(StopReason::Completed));
    listener.event(&Event::Finished { reason, epochs, steps: progress.step, kept_epoch, seconds });
    Ok(Fit { model, history: progress.history, reason, seconds, machine })
}

/// All that survives a step: with it and the trainer's settings training goes on exactly.
struct State {
    slots: Slots,
    /// The slots of the best epoch.
    best: Option<Slots>,
    progress: Progress,
}

/// Tells the listener, and offers it checkpoints.
struct Teller<'a> {
    listener: &'a mut dyn Listener,
    identity: &'a Identity,
    isa: &'a str,
}

impl Teller<'_> {
    fn offer(&mut self, state: &State, last: bool) {
        let State { slots, best, progress } = state;
        let (identity, isa, best) = (self.identity, self.isa, best.as_ref());
        self.listener.snapshot(&Snapshot { identity, isa, progress, slots, best, last });
    }
}

/// Trains on all batches of the feed.
fn epochs(
    trainer: &Trainer,
    loader: &Loader<'_>,
    feed: &mut Feed<'_>,
    stepper: &mut Stepper<'_>,
    state: &mut State,
    teller: &mut Teller<'_>,
    mut validate: impl FnMut(&Slots) -> Option<Score>,
) -> Result<(), TrainError> {
    let steps = loader.steps();
    while state.progress.ended.is_none() && state.progress.epoch < trainer.epochs {
        let epoch = state.progress.epoch + 1;
        let epoch_begin = Instant::now();
        let before = (state.slots.clone(), state.progress.clone());
        let order = loader.epoch(epoch as u64 - 1);
        let mut step_sizes = Vec::new();
        for indices in order.iter().take(steps).skip(before.1.done) {
            let progress = &mut state.progress;
            if trainer.stop.is_requested() {
                teller.listener.event(&Event::Interrupted { epoch, step: progress.done });
                teller.offer(state, true);
                state.progress.ended = Some(StopReason::Interrupted);
                break;
            }
            let weights = (progress.done + 1 == steps).then(|| Before::of(&state.slots));
            let loss = stepper.run(&mut state.slots, feed, indices.len(), progress.step);
            if !loss.is_finite() {
                return Err(diverged(stepper, loader, before, steps, teller.listener));
            }
            step_sizes = weights.map_or(Vec::new(), |weights| weights.sizes(&state.slots));
            progress.step += 1;
            progress.done += 1;
            progress.seen += indices.len();
            progress.loss_sum += f64::from(loss) * indices.len() as f64;
            let seen = (progress.seen - before.1.seen) as f64;
            teller.listener.event(&Event::Step {
                epoch,
                step: progress.done,
                steps,
                loss: loss.into(),
                learning_rate: stepper.lr.at(progress.step - 1),
                examples_per_second: seen / epoch_begin.elapsed().as_secs_f64().max(1e-9),
            });
            if progress.done < steps {
                teller.offer(state, false);
            }
        }
        if state.progress.done == 0 {
            break;
        }

        let judged = averaged(&state.slots);
        let validation = validate(&judged);
        if validation.is_some_and(|score| !score.loss.is_finite()) {
            return Err(diverged(stepper, loader, before, state.progress.done, teller.listener));
        }
        let progress = &mut state.progress;
        let is_best = match (progress.best_score(), &validation) {
            (Some(best), Some(score)) => trainer.monitor.prefers(score, &best),
            _ => true,
        };
        if is_best {
            progress.best = Some(BestEpoch { epoch, step: progress.step });
            state.best = Some(judged.into_owned());
        }
        let end = EpochEnd {
            epoch,
            train_loss: progress.loss_sum / progress.seen.max(1) as f64,
            validation,
            best: is_best,
            learning_rate: stepper.lr.at(progress.step - 1),
            seconds: epoch_begin.elapsed().as_secs_f64(),
            step_sizes,
        };
        teller.listener.event(&Event::Epoch(end.clone()));
        progress.history.push(end);
        (progress.epoch, progress.done, progress.loss_sum, progress.seen) = (epoch, 0, 0.0, 0);
        let impatient = trainer.patience.is_some_and(|patience| progress.waited() >= patience);
        if progress.ended.is_some() {
            return Ok(()); // interrupted: the checkpoint is from before the epoch was cut short
        }
        if epoch == trainer.epochs {
            progress.ended = Some(StopReason::Completed);
        } else if impatient {
            progress.ended = Some(StopReason::EarlyStop);
        }
        let last = progress.ended.is_some();
        teller.offer(state, last);
    }
    Ok(())
}

/// What is judged and kept: the slots with averages, where there are any, in place of the parameters.
fn averaged(slots: &Slots) -> Cow<'_, Slots> {
    let names = slots.iter().filter_map(|(slot, _)| slot.name.strip_prefix(AVERAGE));
    let names: Vec<String> = names.map(String::from).collect();
    if names.is_empty() {
        return Cow::Borrowed(slots);
    }
    let mut judged = slots.clone();
    for name in names {
        if let Some(average) = slots.get(&format!("{AVERAGE}{name}")) {
            // The average has the shape of its parameter.
            let _ = judged.copy_from(&name, average);
        }
    }
    Cow::Owned(judged)
}

/// Replays the epoch from where it began or was resumed to the step in which the first value went wrong, and tells about
/// it.
fn diverged(
    stepper: &mut Stepper<'_>,
    loader: &Loader<'_>,
    (slots, before): (Slots, Progress),
    steps: usize,
    listener: &mut dyn Listener,
) -> TrainError {
    let (order, mut maker) = (loader.epoch(before.epoch as u64), loader.maker());
    let batches = before.done..steps.min(order.len());
    let (step, first) = first_bad(stepper, &mut maker, slots, &order, batches, before.step);
    let (epoch, step, learning_rate) = (before.epoch + 1, step + 1, stepper.lr.at(step));
    listener.event(&Event::Diverged { epoch, step, learning_rate, first: first.clone() });
    TrainError::Diverged { epoch, step, learning_rate, first: first.map(Box::new) }
}

/// What a checkpoint must have in common with a training. Threads, loaders and patience change no bit of a step.
pub(super) fn identity(
    trainer: &Trainer,
    model: &TrainedModel,
    lr: &Schedule,
    momentum: Option<&Schedule>,
) -> Identity {
    let from = &model.provenance;
    let exactly = |value: &dyn std::fmt::Debug| format!("{value:?}");
    // In the words of a configuration: these are shown to people where a checkpoint does not fit.
    let words = |schedule: &Schedule| serde_json::to_string(schedule).unwrap_or_default();
    let network = serde_json::to_string(&model.network).unwrap_or_default();
    let mut identity: Identity = [
        ("version of bratt", from.version.clone()),
        ("data", from.fingerprint.clone()),
        ("split", exactly(&from.split)),
        ("model", format!("{} {network}", model.name)),
        ("task", exactly(&model.task)),
        ("preprocessing", exactly(&trainer.preprocess)),
        ("augmentation", exactly(&trainer.augment)),
        ("optimizer", exactly(&trainer.optimizer)),
        ("learning rate", words(lr)),
        ("momentum", momentum.map_or("the optimizer's own".into(), words)),
        ("batch size", trainer.batch_size.to_string()),
        ("seed", trainer.seed.to_string()),
    ]
    .map(|(key, text)| (key.to_string(), text))
    .into();
    identity.extend(balance(trainer).map(|name| ("balance of classes".into(), name)));
    identity.extend(monitor(trainer).map(|name| ("monitored measure".into(), name)));
    identity
}

/// How much classes count, unless it is as usual.
fn balance(trainer: &Trainer) -> Option<String> {
    (trainer.balance != Balance::default()).then(|| trainer.balance.name().into())
}

/// What decides which epoch is kept, unless it is as usual.
fn monitor(trainer: &Trainer) -> Option<String> {
    (trainer.monitor != Monitor::default()).then(|| trainer.monitor.name().into())
}

/// Checks that a checkpoint is of this training.
pub(super) fn check_resume(
    trainer: &Trainer,
    data: &Splits,
    checkpoint: &Checkpoint,
) -> Result<(), TrainError> {
    let Prepared { network, steps, .. } = prepare(trainer, data)?;
    let total = (trainer.resolved_schedule_epochs() * steps) as u64;
    let (lr, momentum) = (trainer.resolved_schedule(total), trainer.resolved_momentum(total));
    let model = describe(trainer, data, &network, &lr);
    Ok(checkpoint.check(&identity(trainer, &model, &lr, momentum.as_ref()), trainer.epochs)?)
}

/// The model before its numbers are there.
pub(super) fn describe(
    trainer: &Trainer,
    data: &Splits,
    network: &Sequential,
    schedule: &Schedule,
) -> TrainedModel {
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
            balance: balance(trainer),
            monitor: monitor(trainer),
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
        balance: trainer.balance.name().into(),
        monitor: trainer.monitor.name().into(),
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
