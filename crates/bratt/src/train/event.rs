//! What happens during a training, as values; the loop prints and writes nothing itself.

use super::{Evaluation, FirstBad, Snapshot};
use crate::model::Sizes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// One thing that happened. Steps come often; who shows them thins them out. Times are for people: no result depends on
/// them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// All is compiled; training begins.
    Started(Box<Started>),
    /// It goes on from a checkpoint; follows on `Started`.
    Resumed {
        /// The epoch under way, from 1.
        epoch: usize,
        /// Steps of it that were done before.
        step: usize,
    },
    /// A step was done.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// The step of the epoch, from 1.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
        /// The mean loss of the step's examples, before the update.
        loss: f64,
        /// The learning rate of the step.
        learning_rate: f64,
        /// Examples that went through training a second, so far in this epoch.
        examples_per_second: f64,
    },
    /// An epoch is done and validated.
    Epoch(EpochEnd),
    /// Somebody asked to stop; what is there will be validated and kept.
    Interrupted {
        /// The epoch, from 1.
        epoch: usize,
        /// Steps of it that were done.
        step: usize,
    },
    /// The loss is not finite any more; training ends with an error.
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step of the whole training, from 1.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f64,
        /// The first value that was not finite.
        first: Option<FirstBad>,
    },
    /// Training has ended.
    Finished {
        /// Why.
        reason: StopReason,
        /// Epochs that were begun.
        epochs: usize,
        /// Steps that were done.
        steps: u64,
        /// The epoch whose numbers are kept, from 1; 0 if there was no step.
        kept_epoch: usize,
        /// Wall-clock time of the whole training.
        seconds: f64,
    },
    /// The test part was judged. The loop never does this; who holds the result reports it.
    Tested {
        /// The result.
        test: Evaluation,
    },
}

/// What is trained on what.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Started {
    /// The version of bratt.
    pub version: String,
    /// The data set's name.
    pub data: String,
    /// The data set in one line.
    pub data_description: String,
    /// The data set's fingerprint.
    pub fingerprint: String,
    /// The sizes of the parts.
    pub split: Sizes,
    /// Names of the classes; none for regression.
    pub classes: Vec<String>,
    /// The name of the architecture.
    pub model: String,
    /// The layers, one line each, preprocessing first.
    pub layers: Vec<String>,
    /// The number of trainable numbers.
    pub parameters: usize,
    /// Preprocessing in words.
    pub preprocess: String,
    /// Random changes to training examples in words.
    pub augment: String,
    /// The optimiser in words.
    pub optimizer: String,
    /// The learning rate's schedule in words.
    pub schedule: String,
    /// How much classes count; see [`Balance`](super::Balance).
    #[serde(default)]
    pub balance: String,
    /// What decides which epoch is kept; see [`Monitor`](super::Monitor).
    #[serde(default)]
    pub monitor: String,
    /// Examples a step.
    pub batch_size: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: usize,
    /// The seed.
    pub seed: u64,
    /// Threads in use.
    pub threads: usize,
    /// The instruction set in use.
    pub isa: String,
    /// Floating-point operations of a full step.
    pub flops_per_step: u64,
    /// Bytes of state: parameters, statistics, moments.
    pub state_bytes: usize,
    /// Bytes of planned memory of a full step.
    pub work_bytes: usize,
}

/// An epoch that is done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EpochEnd {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The mean loss over the epoch's examples, each at its step, with dropout and batch statistics as they were there.
    pub train_loss: f64,
    /// The validation part's result; none without such a part.
    pub validation: Option<Score>,
    /// Whether it is the best so far, by what is monitored (see [`Monitor`](super::Monitor)).
    pub best: bool,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// Wall-clock time of training and validation.
    pub seconds: f64,
    /// How far the epoch's last step moved each weight, in proportion to it: `|w' - w| / |w|`, in the order of the
    /// network. Empty for an epoch that was cut short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_sizes: Vec<(String, f64)>,
}

/// The short form of an [`Evaluation`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Score {
    /// Mean loss.
    pub loss: f64,
    /// Part of the examples classified rightly; none for regression.
    pub accuracy: Option<f64>,
    /// Mean F1 of the classes; none for regression.
    pub macro_f1: Option<f64>,
    /// Mean recall of the classes; none for regression.
    #[serde(default)]
    pub balanced_accuracy: Option<f64>,
}

/// Why a training ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs are done.
    Completed,
    /// What is monitored did not get better for as many epochs as the patience.
    EarlyStop,
    /// Somebody asked to stop.
    Interrupted,
}

/// Who wants to know what happens. Any `FnMut(&Event)` is one.
pub trait Listener {
    /// Takes notice. Must not fail: a listener that writes keeps its first error for later.
    fn event(&mut self, event: &Event);

    /// May keep where training stands, which is offered between all steps. Must not fail, either.
    fn snapshot(&mut self, _snapshot: &Snapshot<'_>) {}
}

impl<F: FnMut(&Event)> Listener for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// Several listeners as one, each told in turn.
#[derive(Default)]
pub struct Listeners<'a>(pub Vec<&'a mut dyn Listener>);

impl Listener for Listeners<'_> {
    fn event(&mut self, event: &Event) {
        self.0.iter_mut().for_each(|listener| listener.event(event));
    }

    fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
        self.0.iter_mut().for_each(|listener| listener.snapshot(snapshot));
    }
}

impl std::fmt::Debug for Listeners<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

/// A listener, and how long the training has waited for it.
///
/// ```
/// use bratt::train::{Event, Listener, Timed};
/// let mut slow = |_: &Event| std::thread::sleep(std::time::Duration::from_millis(2));
/// let mut timed = Timed::new(&mut slow);
/// timed.event(&Event::Interrupted { epoch: 1, step: 1 });
/// assert!(timed.seconds() >= 0.002);
/// ```
pub struct Timed<'a> {
    listener: &'a mut dyn Listener,
    waited: Duration,
}

impl<'a> Timed<'a> {
    /// Nothing has been waited for yet.
    pub fn new(listener: &'a mut dyn Listener) -> Timed<'a> {
        Timed { listener, waited: Duration::ZERO }
    }

    /// What all its events and snapshots took, in seconds.
    pub fn seconds(&self) -> f64 {
        self.waited.as_secs_f64()
    }
}

impl Listener for Timed<'_> {
    fn event(&mut self, event: &Event) {
        let begin = Instant::now();
        self.listener.event(event);
        self.waited += begin.elapsed();
    }

    fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
        let begin = Instant::now();
        self.listener.snapshot(snapshot);
        self.waited += begin.elapsed();
    }
}

impl std::fmt::Debug for Timed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a listener that took {:?}", self.waited)
    }
}
