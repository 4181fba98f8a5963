//! Where a training stands between two steps: all that the next step depends on.
//!
//! A step is a function of the slots, the seed, the number of the step, and the examples, which are a function of the
//! seed and the epoch. So the slots and a few counters are enough to go on exactly; no state of random numbers, loaders
//! or schedules needs to be kept. The rest of [`Progress`] decides what is kept in the end: the best epoch, how long
//! patience has waited, the sum of the losses of the epoch under way.
//!
//! The file is one of `file/tensors.rs`. Slots stand under their names, the best epoch's parameters and buffers under
//! `best/` and their names (left out where they are those of the slots), and the metadata holds:
//!
//! | key | what |
//! |---|---|
//! | `bratt.checkpoint` | version of the form |
//! | `bratt.training` | what is trained on what, as JSON: pairs of key and value |
//! | `bratt.progress` | the counters, as JSON |
//! | `bratt.isa` | the instruction set, on which the last digits depend |
//! | `bratt.sum` | XXH3 of names, shapes and values of the tensors and of the entries before, in hexadecimal |

use super::event::{EpochEnd, Score, StopReason};
use crate::exec::Slots;
use crate::file::tensors;
use crate::graph::{Role, Slot};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3Default;

/// The version that is written, and the only one that is read.
const FORM: &str = "1";
/// Before the names of the best epoch's tensors.
const BEST: &str = "best/";

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is torn or damaged, or something else.
    #[error("{}: no whole checkpoint: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// It is of another training.
    #[error("the checkpoint is of another training: its {key} is {found}, that of this training {expected}")]
    Other {
        /// What differs.
        key: String,
        /// What the checkpoint has.
        found: String,
        /// What the training has.
        expected: String,
    },
    /// It is further than the training is to go.
    #[error("the checkpoint has {found} epochs behind it, more than the {expected} that are asked for")]
    Beyond {
        /// Epochs of the checkpoint.
        found: usize,
        /// Epochs asked for.
        expected: usize,
    },
}

/// Counters and what was seen so far.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Epochs that the training was to have.
    pub(super) epochs: usize,
    /// Epochs that are done.
    pub(super) epoch: usize,
    /// Steps of the epoch under way that are done.
    pub(super) done: usize,
    /// Steps of the whole training that are done.
    pub(super) step: u64,
    /// Sum of the losses of the epoch's examples.
    pub(super) loss_sum: f64,
    /// Examples of the epoch under way that were seen.
    pub(super) seen: usize,
    /// The epochs that are done.
    pub(super) history: Vec<EpochEnd>,
    /// The best of them.
    pub(super) best: Option<BestEpoch>,
    /// Patience counts epochs after this one.
    pub(super) waits_from: usize,
    /// Why training ended, if it did.
    pub(super) ended: Option<StopReason>,
}

/// The epoch whose numbers are kept.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct BestEpoch {
    /// From 1.
    pub(super) epoch: usize,
    /// Steps of the whole training until its end.
    pub(super) step: u64,
}

impl Progress {
    /// Makes a training that goes on out of one that had ended, if it is to have more epochs than before.
    pub(super) fn extend(&mut self, epochs: usize) {
        if epochs > self.epochs && self.ended.take() == Some(StopReason::EarlyStop) {
            // Who asks for more does not want the old patience to end it at once.
            self.waits_from = self.epoch;
        }
        self.epochs = epochs;
    }

    /// The validation part's result in the best epoch so far; none without such an epoch or part.
    pub(super) fn best_score(&self) -> Option<Score> {
        self.history.get(self.best?.epoch.checked_sub(1)?)?.validation
    }

    /// Epochs since the best one.
    pub(super) fn waited(&self) -> usize {
        self.epoch - self.best.map_or(self.epoch, |best| best.epoch).max(self.waits_from)
    }
}

/// What is trained on what: pairs of key and value, all of which must agree for a checkpoint to be taken up.
pub(super) type Identity = BTreeMap<String, String>;

/// A training between two steps, as its listeners see it.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    pub(super) identity: &'a Identity,
    pub(super) isa: &'a str,
    pub(super) progress: &'a Progress,
    pub(super) slots: &'a Slots,
    pub(super) best: Option<&'a Slots>,
    pub(super) last: bool,
}

impl Snapshot<'_> {
    /// Steps of the whole training that are done.
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    /// Whether an epoch has just ended.
    pub fn ends_epoch(&self) -> bool {
        self.progress.done == 0
    }

    /// Whether no other one will come: training has ended, or was asked to stop.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain structures of strings and numbers always become text.
        let training = serde_json::to_string(self.identity).unwrap_or_default();
        let progress = serde_json::to_string(self.progress).unwrap_or_default();
        let differs = |best: &&Slots| !of_model(best).map(|x| x.1).eq(of_model(self.slots).map(|x| x.1));
        let kept = self.best.filter(differs).into_iter().flat_map(of_model);
        let names: Vec<String> = kept.clone().map(|(slot, _)| format!("{BEST}{}", slot.name)).collect();
        let now = self.slots.iter().map(|(slot, values)| (&slot.name[..], &slot.shape[..], values));
        let kept = kept.zip(&names).map(|((slot, values), name)| (&name[..], &slot.shape[..], values));
        let all = now.chain(kept);

        let mut by_name: Vec<_> = all.clone().collect();
        by_name.sort_unstable_by_key(|(name, ..)| *name);
        let mut sum = Sum::of([&training, &progress, self.isa]);
        for (name, shape, values) in by_name {
            sum.describe(name, shape);
            sum.values(values);
        }
        let sum = sum.text();
        let entries = [
            ("bratt.checkpoint", FORM),
            ("bratt.training", &training),
            ("bratt.progress", &progress),
            ("bratt.isa", self.isa),
            ("bratt.sum", &sum),
        ];
        let metadata: Map<String, Value> =
            entries.into_iter().map(|(key, text)| (key.to_string(), text.into())).collect();
        tensors::to_bytes(metadata, all)
    }
}

/// The slots that a model has.
fn of_model(slots: &Slots) -> impl Iterator<Item = (&Slot, &[f32])> + Clone {
    slots.iter().filter(|(slot, _)| slot.role != Role::Optimizer)
}

/// The checksum of a checkpoint.
struct Sum(Xxh3Default);

impl Sum {
    fn of(texts: [&str; 3]) -> Sum {
        let mut sum = Sum(Xxh3Default::new());
        texts.iter().for_each(|text| sum.text_of(text));
        sum
    }

    fn text_of(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn describe(&mut self, name: &str, shape: &[usize]) {
        self.text_of(name);
        self.0.update(&(shape.len() as u64).to_le_bytes());
        shape.iter().for_each(|&side| self.0.update(&(side as u64).to_le_bytes()));
    }

    fn values(&mut self, values: &[f32]) {
        let mut bytes = [0; 4096];
        for chunk in values.chunks(bytes.len() / 4) {
            let bytes = &mut bytes[..4 * chunk.len()];
            bytes.chunks_exact_mut(4).zip(chunk).for_each(|(to, x)| to.copy_from_slice(&x.to_le_bytes()));
            self.0.update(bytes);
        }
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0.digest())
    }
}

/// A training between two steps, read from a file; [`Trainer::resume`](super::Trainer::resume) goes on from there.
#[derive(Clone, PartialEq, Debug)]
pub struct Checkpoint {
    pub(super) identity: Identity,
    pub(super) progress: Progress,
    isa: String,
    values: BTreeMap<String, Vec<f32>>,
}

impl Checkpoint {
    /// Reads a file and checks that it is whole.
    ///
    /// # Errors
    /// A file that cannot be read, is torn or damaged, or is no checkpoint.
    pub fn load(path: impl AsRef<Path>) -> Result<Checkpoint, CheckpointError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| CheckpointError::Io { path: path.to_owned(), source })?;
        Checkpoint::from_bytes(&bytes)
            .map_err(|problem| CheckpointError::Damaged { path: path.to_owned(), problem })
    }

    /// What [`Snapshot::to_bytes`] wrote.
    fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| text(&error))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| text(&error))?;
        let entry = |key: &str| {
            let entries = header.metadata().as_ref();
            entries.and_then(|m| m.get(key)).ok_or_else(|| format!("its metadata have no `{key}`"))
        };
        let form = entry("bratt.checkpoint")?;
        if form != FORM {
            return Err(format!("it has form {form}, and this bratt reads form {FORM}"));
        }
        let (training, progress) = (entry("bratt.training")?, entry("bratt.progress")?);
        let (isa, expected) = (entry("bratt.isa")?, entry("bratt.sum")?);
        let mut by_name: Vec<_> = file.iter().collect();
        by_name.sort_unstable_by_key(|(name, _)| *name);
        let mut sum = Sum::of([training, progress, isa]);
        for (name, view) in &by_name {
            sum.describe(name, view.shape());
            sum.0.update(view.data());
        }
        if *expected != sum.text() {
            return Err("its checksum does not fit its contents".into());
        }
        let values = by_name.into_iter().map(|(name, view)| (name.into(), tensors::values(view.data())));
        Ok(Checkpoint {
            identity: serde_json::from_str(training).map_err(|error| text(&error))?,
            progress: serde_json::from_str(progress).map_err(|error| text(&error))?,
            isa: isa.clone(),
            values: values.collect(),
        })
    }

    /// Steps that are done, over all epochs.
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    /// Epochs that are done.
    pub fn epoch(&self) -> usize {
        self.progress.epoch
    }

    /// Epochs that the training was to have.
    pub fn epochs(&self) -> usize {
        self.progress.epochs
    }

    /// Steps of the epoch under way that are done.
    pub fn step_of_epoch(&self) -> usize {
        self.progress.done
    }

    /// Why the training had ended; none if it is to go on.
    pub fn ended(&self) -> Option<StopReason> {
        self.progress.ended
    }

    /// What each epoch ended with.
    pub fn history(&self) -> &[EpochEnd] {
        &self.progress.history
    }

    /// The name of the instruction set that the training ran on. On another one the last digits may differ.
    pub fn isa(&self) -> &str {
        &self.isa
    }

    /// Checks that it is of this training.
    pub(super) fn check(&self, identity: &Identity, epochs: usize) -> Result<(), CheckpointError> {
        // What is left out is as usual.
        let keys: BTreeSet<&String> = identity.keys().chain(self.identity.keys()).collect();
        for key in keys {
            let [found, expected] =
                [&self.identity, identity].map(|of| of.get(key).map_or("as usual", String::as_str));
            if found != expected {
                let same =
                    found.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
                let [found, expected] = [found, expected].map(|text| shortened(text, same));
                return Err(CheckpointError::Other { key: key.clone(), found, expected });
            }
        }
        if self.progress.epoch > epochs {
            return Err(CheckpointError::Beyond { found: self.progress.epoch, expected: epochs });
        }
        Ok(())
    }

    /// Sets slots to the values at the checkpoint; what of the best epoch was kept, if it was another state.
    pub(super) fn restore(&self, slots: &mut Slots) -> Result<Option<Slots>, CheckpointError> {
        let mut best = self.progress.best.map(|_| slots.clone());
        let elsewhere = self.values.keys().any(|name| name.starts_with(BEST));
        let names: Vec<(String, Role)> =
            slots.iter().map(|(slot, _)| (slot.name.clone(), slot.role)).collect();
        for (name, role) in names {
            let value = |key: &str| self.values.get(key);
            let missing = || CheckpointError::Other {
                key: format!("slot `{name}`"),
                found: "missing or of another size".into(),
                expected: "there".into(),
            };
            let now = value(&name).ok_or_else(missing)?;
            slots.copy_from(&name, now).ok_or_else(missing)?;
            if let Some(best) = &mut best
                && role != Role::Optimizer
            {
                let then = if elsewhere { value(&format!("{BEST}{name}")).ok_or_else(missing)? } else { now };
                best.copy_from(&name, then).ok_or_else(missing)?;
            }
        }
        Ok(best)
    }
}

/// A long text around where two begin to differ, after `same` characters.
fn shortened(text: &str, same: usize) -> String {
    const MOST: usize = 100;
    const BEFORE: usize = 40;
    let (length, from) = (text.chars().count(), same.saturating_sub(BEFORE));
    if length <= MOST {
        return text.into();
    }
    let part: String = text.chars().skip(from).take(MOST).collect();
    let dots = |cut: bool| if cut { "..." } else { "" };
    format!("{}{part}{}", dots(from > 0), dots(from + MOST < length))
}
