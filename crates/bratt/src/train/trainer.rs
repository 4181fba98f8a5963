//! The settings of a training.

use super::evaluate::check_fit;
use super::replay::{self, Replay};
use super::{Balance, Checkpoint, Event, Fit, Listener, Monitor, Preprocess, Splits, TrainError};
use crate::data::{Augment, Features};
use crate::exec::{Isa, Machine};
use crate::nn;
use crate::optim::{Adam, Optimizer};
use crate::schedule::Schedule;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The default number of epochs.
pub(super) const EPOCHS: usize = 30;
/// The default number of examples a step.
pub(super) const BATCH_SIZE: usize = 64;
/// Where the default schedule ends, as a part of where it starts.
const FINAL_RATE: f64 = 0.01;

/// A wish to stop, shared between the training and who may utter it, such as a signal handler. Training looks at it
/// between steps; the epoch so far is validated and the best numbers are kept, so that the result is usable.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the training to stop. Does nothing but set a flag, so it may be called from a signal handler.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A training, described by value and begun with [`Trainer::fit`].
///
/// | setting | default |
/// |---|---|
/// | `optimizer` | Adam |
/// | `learning_rate` | [`starting_rate`] |
/// | `schedule` | linear from the learning rate to a hundredth of it, over all steps |
/// | `momentum` | 0.5 to 0.99 over all steps, if the optimiser's momentum is scheduled |
/// | `preprocess` | zero mean, unit variance per channel |
/// | `augment` | none |
/// | `balance` | none: every example counts the same |
/// | `loaders` | 1 if pictures are changed or mixed, else 0 |
/// | `epochs`, `batch_size` | 30, 64 |
/// | `seed` | 0 |
/// | `threads`, `isa` | all processors, the best instruction set |
/// | `monitor` | the validation loss |
/// | `patience` | none: all epochs are done |
///
/// The last, smaller batch of an epoch is trained by a program of its size. With batch norm a batch of a single example
/// is left out, since its variance is 0; another epoch's order brings other examples there.
///
/// ```
/// use bratt::prelude::*;
/// let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
/// let model = Sequential::new(Input::image(8, 8, 1)).dense(32).relu().dense(data.classes().len());
/// let run = Trainer::new(model).learning_rate(0.01).epochs(2).batch_size(64).seed(7).fit(&data)?;
/// let test = run.evaluate(data.test())?;
/// assert!(test.accuracy() > Some(0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trainer {
    pub(super) model: nn::Model,
    pub(super) optimizer: Optimizer,
    learning_rate: Option<f64>,
    schedule: Option<Schedule>,
    momentum: Option<Schedule>,
    pub(super) preprocess: Preprocess,
    pub(super) augment: Augment,
    pub(super) balance: Balance,
    loaders: Option<usize>,
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) seed: u64,
    threads: Option<usize>,
    isa: Option<Isa>,
    pub(super) monitor: Monitor,
    pub(super) patience: Option<usize>,
    pub(super) stop: Stop,
    schedule_epochs: Option<usize>,
    pub(super) resume: Option<Checkpoint>,
}

/// Where the default schedule starts: at twice the optimiser's usual rate, from which it falls in a line to a hundredth,
/// so that the training as a whole runs at about the usual rate.
pub fn starting_rate(optimizer: &Optimizer) -> f64 {
    2.0 * optimizer.default_learning_rate()
}

impl Trainer {
    /// Trains a network (as a classifier, with cross-entropy) or a [`nn::Model`], which says its task.
    pub fn new(model: impl Into<nn::Model>) -> Trainer {
        Trainer {
            model: model.into(),
            optimizer: Adam::default().into(),
            learning_rate: None,
            schedule: None,
            momentum: None,
            preprocess: Preprocess::default(),
            augment: Augment::default(),
            balance: Balance::default(),
            loaders: None,
            epochs: EPOCHS,
            batch_size: BATCH_SIZE,
            seed: 0,
            threads: None,
            isa: None,
            monitor: Monitor::default(),
            patience: None,
            stop: Stop::default(),
            schedule_epochs: None,
            resume: None,
        }
    }

    /// The optimiser.
    pub fn optimizer(mut self, optimizer: impl Into<Optimizer>) -> Trainer {
        self.optimizer = optimizer.into();
        self
    }

    /// The learning rate at which the default schedule starts; a given schedule goes before it.
    pub fn learning_rate(mut self, rate: f64) -> Trainer {
        self.learning_rate = Some(rate);
        self
    }

    /// The learning rate as a function of the step, counted from 0 over the whole training.
    pub fn schedule(mut self, schedule: Schedule) -> Trainer {
        self.schedule = Some(schedule);
        self
    }

    /// The momentum as a function of the step, for an optimiser whose momentum is scheduled.
    pub fn momentum(mut self, schedule: Schedule) -> Trainer {
        self.momentum = Some(schedule);
        self
    }

    /// What is learned from the training part and put before the first layer.
    pub fn preprocess(mut self, preprocess: Preprocess) -> Trainer {
        self.preprocess = preprocess;
        self
    }

    /// Random changes to training examples. The training loss is then that of the changed examples and soft labels;
    /// validation and test examples and their labels stay as they are.
    pub fn augment(mut self, augment: Augment) -> Trainer {
        self.augment = augment;
        self
    }

    /// How much classes count where some have more examples than others. The training loss is then the weighted one;
    /// validation and test are never weighted.
    pub fn balance(mut self, balance: Balance) -> Trainer {
        self.balance = balance;
        self
    }

    /// Threads that gather and augment the next batches beside the training step; 0 has each batch made where it is used.
    /// It changes the time that training takes, never a bit of the result.
    pub fn loaders(mut self, loaders: usize) -> Trainer {
        self.loaders = Some(loaders);
        self
    }

    /// Epochs at most, at least 1.
    pub fn epochs(mut self, epochs: usize) -> Trainer {
        self.epochs = epochs;
        self
    }

    /// Examples a step, at least 1.
    pub fn batch_size(mut self, size: usize) -> Trainer {
        self.batch_size = size;
        self
    }

    /// The seed of initial values, order and dropout.
    pub fn seed(mut self, seed: u64) -> Trainer {
        self.seed = seed;
        self
    }

    /// The number of threads, at least 1. It changes the time that training takes, never a bit of the result.
    pub fn threads(mut self, threads: usize) -> Trainer {
        self.threads = Some(threads);
        self
    }

    /// The instruction set.
    pub fn isa(mut self, isa: Isa) -> Trainer {
        self.isa = Some(isa);
        self
    }

    /// What decides which epoch is kept and whether patience is at an end. Needs a validation part, if it is not the
    /// default.
    pub fn monitor(mut self, monitor: Monitor) -> Trainer {
        self.monitor = monitor;
        self
    }

    /// Stops when what is monitored has not become better for so many epochs, at least 1.
    pub fn patience(mut self, epochs: usize) -> Trainer {
        self.patience = Some(epochs);
        self
    }

    /// Through what the training may be asked to stop.
    pub fn stop(mut self, stop: &Stop) -> Trainer {
        self.stop = stop.clone();
        self
    }

    /// The epochs that the default schedules of learning rate and momentum span; afterwards they stay at their last value.
    /// All epochs, unless this says otherwise. A training that is extended needs its old number here.
    pub fn schedule_epochs(mut self, epochs: usize) -> Trainer {
        self.schedule_epochs = Some(epochs);
        self
    }

    /// Goes on from a checkpoint of the same training: the model is the same, byte for byte, as if it had never been
    /// interrupted. More epochs than before extend it.
    ///
    /// ```
    /// use bratt::prelude::*;
    /// use bratt::train::{Checkpoint, Listener, Snapshot, Event};
    ///
    /// /// Keeps the last checkpoint that is offered.
    /// struct Keep(std::path::PathBuf);
    /// impl Listener for Keep {
    ///     fn event(&mut self, _: &Event) {}
    ///     fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
    ///         let _ = std::fs::write(&self.0, snapshot.to_bytes());
    ///     }
    /// }
    ///
    /// let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
    /// let model = Sequential::new(Input::image(8, 8, 1)).dense(data.classes().len());
    /// let trainer = Trainer::new(model).seed(7).schedule_epochs(2);
    /// let path = std::env::temp_dir().join(format!("bratt-doc-{}", std::process::id()));
    /// trainer.clone().epochs(1).fit_with(&data, &mut Keep(path.clone()))?;
    /// let resumed = trainer.clone().epochs(2).resume(Checkpoint::load(&path)?).fit(&data)?;
    /// assert_eq!(resumed.model(), trainer.epochs(2).fit(&data)?.model());
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(mut self, checkpoint: Checkpoint) -> Trainer {
        self.resume = Some(checkpoint);
        self
    }

    /// The epochs that the schedules span.
    pub(super) fn resolved_schedule_epochs(&self) -> usize {
        self.schedule_epochs.unwrap_or(self.epochs)
    }

    /// Steps of one epoch over so many examples.
    pub fn steps_per_epoch(&self, examples: usize) -> usize {
        let least = super::step::least_batch(&self.model.network);
        let rest = examples % self.batch_size;
        examples / self.batch_size + usize::from(rest >= least)
    }

    /// The schedule of the learning rate for so many steps in all.
    pub fn resolved_schedule(&self, steps: u64) -> Schedule {
        let rate = self.learning_rate.unwrap_or_else(|| starting_rate(&self.optimizer));
        self.schedule.clone().unwrap_or_else(|| Schedule::linear(rate, FINAL_RATE * rate, steps.max(1)))
    }

    /// The schedule of the momentum, if the optimiser wants one.
    pub(super) fn resolved_momentum(&self, steps: u64) -> Option<Schedule> {
        let wanted = self.optimizer.schedules_momentum();
        wanted.then(|| self.momentum.clone().unwrap_or_else(|| Schedule::growing_momentum(steps.max(1))))
    }

    /// The number of loaders: as asked, or one if there is more to do than to gather.
    pub fn resolved_loaders(&self) -> usize {
        let busy = self.augment.changes_pictures() || self.augment.mixes();
        self.loaders.unwrap_or(usize::from(busy))
    }

    pub(super) fn machine(&self) -> Machine {
        let isa = self.isa.unwrap_or_else(Isa::detect);
        match self.threads {
            Some(threads) => Machine::with_isa(threads, isa),
            None => Machine::with_isa(std::thread::available_parallelism().map_or(1, usize::from), isa),
        }
    }

    /// Checks every setting against the data, without training.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self, data: &Splits) -> Result<(), TrainError> {
        let settings = [("epochs", Some(self.epochs)), ("batch size", Some(self.batch_size))];
        let others = [
            ("threads", self.threads),
            ("patience", self.patience),
            ("schedule epochs", self.schedule_epochs),
        ];
        for (key, value) in settings.into_iter().chain(others) {
            if value == Some(0) {
                return Err(TrainError::Setting { key, found: "0".into(), expected: "at least 1" });
            }
        }
        if self.momentum.is_some() && !self.optimizer.schedules_momentum() {
            let found = format!("a schedule for {}", self.optimizer.name());
            let expected = "`momentum` or `nesterov` with `scheduled` set";
            return Err(TrainError::Setting { key: "momentum", found, expected });
        }
        self.optimizer.check()?;
        self.resolved_schedule(1).check()?;
        self.resolved_momentum(1).map_or(Ok(()), |momentum| momentum.check())?;
        self.check_augment(data)?;
        self.check_choices(data)?;
        check_fit(data.data(), &self.model.network, self.model.task)?;
        let (least, found) = (super::step::least_batch(&self.model.network), data.train().len());
        if self.batch_size < least {
            let (key, found) = ("batch size", self.batch_size.to_string());
            return Err(TrainError::Setting { key, found, expected: "at least 2 with batch norm" });
        }
        if found < least {
            let (data, part) = (data.data().name().into(), "the training part");
            return Err(TrainError::TooFew { data, part, found, expected: least });
        }
        Ok(())
    }

    /// Checks that a checkpoint is of this training, so that [`Trainer::resume`] can take it up; without training.
    ///
    /// # Errors
    /// A checkpoint of another training, or further than this one is to go; and whatever [`Trainer::check`] finds.
    pub fn check_resume(&self, data: &Splits, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        super::fit::check_resume(self, data, checkpoint)
    }

    fn check_choices(&self, data: &Splits) -> Result<(), TrainError> {
        let wrong = |key, name: &str, what: &str, expected| {
            let found = format!("{name} for {what}");
            Err(TrainError::Setting { key, found, expected })
        };
        let no_classes = data.classes().is_empty();
        if no_classes && self.balance != Balance::None {
            return wrong(
                "balance",
                self.balance.name(),
                "numbers to predict",
                "none, since there are no classes",
            );
        }
        if no_classes && self.monitor != Monitor::ValLoss {
            return wrong("monitor", self.monitor.name(), "numbers to predict", "val_loss");
        }
        if data.val().is_empty() && self.monitor != Monitor::ValLoss {
            return wrong(
                "monitor",
                self.monitor.name(),
                "data without a validation part",
                "a validation part",
            );
        }
        Ok(())
    }

    fn check_augment(&self, data: &Splits) -> Result<(), TrainError> {
        let augment = &self.augment;
        if let Some((key, value, expected)) = augment.fault() {
            return Err(TrainError::Setting { key, found: value.to_string(), expected });
        }
        let images = matches!(data.data().features(), Features::Pixels { .. });
        let wrong = |found: String, expected| Err(TrainError::Setting { key: "augment", found, expected });
        if !images && (augment.changes_pictures() || augment.mixes()) {
            let found = format!("{} for a table", augment.describe());
            return wrong(found, "label smoothing alone, since only images can be changed");
        }
        if data.classes().is_empty() && (augment.label_smoothing > 0.0 || augment.mixes()) {
            let found = format!("{} for numbers to predict", augment.describe());
            return wrong(found, "no mixing and no label smoothing, which are for classes");
        }
        Ok(())
    }

    /// Does step number `step` of the training, from 1, again, exactly as it was; nothing is trained further. With
    /// [`Trainer::resume`] it begins at that checkpoint, if it lies before the step, and else at the beginning.
    ///
    /// # Errors
    /// As [`Trainer::fit`]; a step that the training does not have.
    pub fn replay(&self, data: &Splits, step: u64) -> Result<Replay, TrainError> {
        replay::replay(self, data, step)
    }

    /// Trains. Nobody is told what happens on the way; see [`Trainer::fit_with`].
    ///
    /// # Errors
    /// A setting that does not fit the data, or [`TrainError::Diverged`].
    pub fn fit(&self, data: &Splits) -> Result<Fit, TrainError> {
        self.fit_with(data, &mut |_: &Event| {})
    }

    /// Trains, and tells `listener` what happens.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn fit_with(&self, data: &Splits, listener: &mut dyn Listener) -> Result<Fit, TrainError> {
        super::fit::fit(self, data, listener)
    }
}
