//! Trainings of experiments: watched step by step, on one thread each, several at once.
//!
//! Half of the digits are learned from, the other half is held out and judged after each epoch. Nothing is chosen by the
//! held-out half; what is told of it is the last epoch's.

use super::LabError;
use super::plot::Series;
use crate::data::{Fractions, digits};
use crate::model::TrainedModel;
use crate::schedule::Schedule;
use crate::train::{EpochEnd, Event, Preprocess, Splits, TrainError, Trainer};

/// A training that was watched.
pub(super) struct Trial {
    /// The loss of each step's examples, before its update.
    pub losses: Vec<f64>,
    pub epochs: Vec<EpochEnd>,
    /// The step (from 1) in which the loss was not finite any more.
    pub diverged: Option<u64>,
    pub model: Option<TrainedModel>,
}

/// The digits, half for learning, half held out.
pub(super) fn halves(seed: u64) -> Result<Splits, LabError> {
    Ok(Splits::new(digits(), Fractions { train: 0.5, val: 0.5, test: 0.0 }, seed)?)
}

/// Trains at a constant rate, unless the trainer is given a schedule by `change`.
pub(super) fn train(
    network: impl Into<crate::nn::Model>,
    data: &Splits,
    rate: f64,
    change: impl FnOnce(Trainer) -> Trainer,
) -> Result<Trial, LabError> {
    let trainer = Trainer::new(network).schedule(Schedule::constant(rate)).threads(1).batch_size(32);
    let trainer = change(trainer.preprocess(Preprocess::PerChannel));
    let (mut losses, mut epochs) = (Vec::new(), Vec::new());
    let mut listen = |event: &Event| match event {
        Event::Step { loss, .. } => losses.push(*loss),
        Event::Epoch(end) => epochs.push(end.clone()),
        _ => {}
    };
    let (diverged, model) = match trainer.fit_with(data, &mut listen) {
        Ok(fit) => (None, Some(fit.into_model())),
        Err(TrainError::Diverged { step, .. }) => (Some(step), None),
        Err(error) => return Err(error.into()),
    };
    Ok(Trial { losses, epochs, diverged, model })
}

impl Trial {
    /// The accuracy on the held-out half after an epoch, from 1.
    pub(super) fn accuracy_after(&self, epoch: usize) -> Option<f64> {
        self.epochs.get(epoch.checked_sub(1)?)?.validation?.accuracy
    }

    /// The accuracy on the held-out half after the last epoch; none where training diverged.
    pub(super) fn accuracy(&self) -> Option<f64> {
        self.accuracy_after(self.epochs.len()).filter(|_| self.diverged.is_none())
    }

    /// The mean loss of the last epoch's steps; infinite where training diverged.
    pub(super) fn last_loss(&self) -> f64 {
        match self.diverged {
            None => self.epochs.last().map_or(f64::NAN, |end| end.train_loss),
            Some(_) => f64::INFINITY,
        }
    }

    /// The loss by step, as a running mean over `window` steps.
    pub(super) fn loss_curve(&self, name: impl Into<String>, window: usize) -> Series {
        let mean = |at: usize| {
            let seen = &self.losses[at.saturating_sub(window - 1)..=at];
            seen.iter().sum::<f64>() / seen.len() as f64
        };
        Series::counted(name, (0..self.losses.len()).map(mean))
    }

    /// The loss as means of steps 1, 2, 3, ..., ever more of them, for a logarithmic axis.
    pub(super) fn loss_by_decades(&self, name: impl Into<String>) -> Series {
        let (mut points, mut from) = (Vec::new(), 0);
        while from < self.losses.len() {
            let to = (from + 1 + from / 4).min(self.losses.len());
            let mean = self.losses[from..to].iter().sum::<f64>() / (to - from) as f64;
            points.push([to as f64, mean]);
            from = to;
        }
        Series::new(name, points)
    }

    /// How far the running mean over `window` steps climbs above its least before; the mean keeps the noise of batches out.
    pub(super) fn rise(&self, window: usize) -> f64 {
        let means = self.loss_curve("", window).points;
        let climb = |(least, most): (f64, f64), point: &[f64; 2]| {
            let least = least.min(point[1]);
            (least, most.max(point[1] - least))
        };
        means.iter().skip(window).fold((f64::INFINITY, 0.0), climb).1
    }

    /// The accuracy on the held-out half by epoch.
    pub(super) fn accuracy_curve(&self, name: impl Into<String>) -> Series {
        let accuracies = self.epochs.iter().filter_map(|end| end.validation?.accuracy);
        Series::counted(name, accuracies)
    }

    /// The loss on the held-out half by epoch.
    pub(super) fn held_out_losses(&self, name: impl Into<String>) -> Series {
        Series::counted(name, self.epochs.iter().filter_map(|end| end.validation).map(|score| score.loss))
    }

    /// The training loss by epoch.
    pub(super) fn epoch_losses(&self, name: impl Into<String>) -> Series {
        Series::counted(name, self.epochs.iter().map(|end| end.train_loss))
    }
}

/// Works on all items at once; the results in the order of the items.
pub(super) fn each<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, LabError> + Sync,
) -> Result<Vec<R>, LabError> {
    let work = &work;
    std::thread::scope(|scope| {
        let begun: Vec<_> = items.iter().map(|item| scope.spawn(move || work(item))).collect();
        begun.into_iter().map(|one| one.join().unwrap_or_else(|p| std::panic::resume_unwind(p))).collect()
    })
}
