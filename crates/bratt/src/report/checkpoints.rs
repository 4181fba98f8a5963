//! Checkpoints in the folder of a run.
//!
//! `checkpoints/000000001234.safetensors` is where training stood after 1,234 steps. The two newest are kept, so that
//! one remains if the newest should be damaged. One is written when it is due, that is when so much time has passed as
//! [`Checkpoints::every`] says, and fifty times what writing took the last time: so writing takes at most 2 % of the
//! time. The last one of a training is always written.

use super::RunError;
use crate::file::{remove_orphans, write_atomically};
use crate::train::{Checkpoint, CheckpointError, Event, Listener, Snapshot};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Checkpoints that are kept.
const KEPT: usize = 2;
/// The time between two, in times of writing one.
const LEAST: u32 = 50;
const ENDING: &str = ".safetensors";

/// Who is told that a checkpoint could not be written.
type Complain = Box<dyn FnMut(&RunError)>;

/// The listener that keeps checkpoints.
pub struct Checkpoints {
    folder: PathBuf,
    every: Duration,
    last: Instant,
    cost: Duration,
    complain: Option<Complain>,
    error: Option<RunError>,
}

impl Checkpoints {
    /// The default time between two checkpoints.
    pub const EVERY: Duration = Duration::from_secs(10);

    /// Keeps them in a folder, which is made.
    pub(super) fn keep_in(folder: PathBuf) -> Result<Checkpoints, RunError> {
        let failed = |source| RunError::Io { path: folder.clone(), source };
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        remove_orphans(&folder).map_err(failed)?;
        Ok(Checkpoints {
            folder,
            every: Checkpoints::EVERY,
            last: Instant::now(),
            cost: Duration::ZERO,
            complain: None,
            error: None,
        })
    }

    /// The least time between two; zero keeps one after every step, whatever that costs.
    pub fn every(mut self, time: Duration) -> Checkpoints {
        self.every = time;
        self
    }

    /// Who is told at once when one cannot be written. Training goes on, and the next one is tried when it is due.
    pub fn complain_to(mut self, complain: impl FnMut(&RunError) + 'static) -> Checkpoints {
        self.complain = Some(Box::new(complain));
        self
    }

    /// The end.
    ///
    /// # Errors
    /// If the last one could not be written.
    pub fn finish(self) -> Result<(), RunError> {
        self.error.map_or(Ok(()), Err)
    }

    fn is_due(&self) -> bool {
        self.every.is_zero() || self.last.elapsed() >= self.every.max(LEAST * self.cost)
    }

    fn write(&mut self, snapshot: &Snapshot<'_>) -> Result<(), RunError> {
        let path = self.folder.join(format!("{:012}{ENDING}", snapshot.step()));
        write_atomically(&path, &snapshot.to_bytes()).map_err(|source| RunError::Io { path, source })?;
        let failed = |source| RunError::Io { path: self.folder.clone(), source };
        for old in all(&self.folder).map_err(failed)?.iter().skip(KEPT) {
            fs::remove_file(old).map_err(|source| RunError::Io { path: old.clone(), source })?;
        }
        Ok(())
    }
}

impl Listener for Checkpoints {
    fn event(&mut self, _: &Event) {}

    fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
        if !snapshot.is_last() && !self.is_due() {
            return;
        }
        let begin = Instant::now();
        self.error = self.write(snapshot).err();
        if let (Some(error), Some(complain)) = (&self.error, &mut self.complain) {
            complain(error);
        }
        (self.cost, self.last) = (begin.elapsed(), Instant::now());
    }
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoints in {}", self.folder.display())
    }
}

/// The checkpoints of a folder, the newest first.
fn all(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some(step) = name.strip_suffix(ENDING).and_then(|step| step.parse::<u64>().ok()) {
            found.push((step, folder.join(&*name)));
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The newest checkpoint that is whole, and what is wrong with newer ones.
pub(super) fn newest(folder: &Path) -> Result<Option<(Checkpoint, Vec<CheckpointError>)>, RunError> {
    let paths = match all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|source| RunError::Io { path: folder.to_owned(), source })?,
    };
    let mut bad = Vec::new();
    for path in paths {
        match Checkpoint::load(path) {
            Ok(checkpoint) => return Ok(Some((checkpoint, bad))),
            Err(error) => bad.push(error),
        }
    }
    match bad.into_iter().next() {
        None => Ok(None),
        Some(source) => Err(RunError::NoCheckpoint { path: folder.to_owned(), source }),
    }
}

/// The last whole checkpoint before a step, counted from 1; nothing if there is none.
pub(super) fn before(folder: &Path, step: u64) -> Result<Option<Checkpoint>, RunError> {
    let paths = match all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|source| RunError::Io { path: folder.to_owned(), source })?,
    };
    let whole = paths.into_iter().filter_map(|path| Checkpoint::load(path).ok());
    Ok(whole.filter(|checkpoint| checkpoint.step() < step).max_by_key(Checkpoint::step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Fractions, digits};
    use crate::file::faults::{Fault, during};
    use crate::nn::{Input, Sequential};
    use crate::report::RunFolder;
    use crate::train::{Fit, Splits, Trainer};
    use tempfile::TempDir;

    fn data() -> Splits {
        Splits::new(digits(), Fractions { train: 0.1, val: 0.1, test: 0.8 }, 1).unwrap()
    }

    fn trainer() -> Trainer {
        let network = Sequential::new(Input::image(8, 8, 1)).dense(4).batch_norm().relu().dense(10);
        Trainer::new(network).epochs(2).batch_size(64).seed(3).threads(1)
    }

    fn run() -> (TempDir, RunFolder) {
        let runs = tempfile::tempdir().unwrap();
        let folder = RunFolder::named(runs.path(), "a").unwrap();
        folder.write(RunFolder::CONFIG, "").unwrap();
        (runs, folder)
    }

    /// Trains on from what the folder holds, and writes the model.
    fn go_on(folder: &RunFolder, data: &Splits) -> Result<Fit, RunError> {
        let mut checkpoints = folder.checkpoints()?.every(Duration::ZERO);
        let trainer = match folder.last_checkpoint()? {
            Some((checkpoint, _)) => trainer().resume(checkpoint),
            None => trainer(),
        };
        let fit = trainer.fit_with(data, &mut checkpoints).unwrap();
        checkpoints.finish()?;
        folder.write_model(fit.model())?;
        Ok(fit)
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn the_two_newest_are_kept() {
        let (_runs, folder) = run();
        let data = data();
        go_on(&folder, &data).unwrap();
        let names = files(&folder.path().join("checkpoints"));
        assert_eq!(names, ["000000000005.safetensors", "000000000006.safetensors"]);
    }

    #[test]
    fn whatever_act_on_the_disk_fails_training_can_be_resumed_to_the_same_bytes() {
        let data = data();
        let whole = trainer().fit(&data).unwrap().model().to_bytes();
        for fault in [Fault::Once, Fault::Killed] {
            let mut acts = 0;
            loop {
                let (_runs, folder) = run();
                let (first, struck) = during(acts, fault, || go_on(&folder, &data));
                if !struck {
                    assert!(first.is_ok());
                    break;
                }
                go_on(&folder, &data).unwrap();
                assert!(fs::read(folder.model_path()).unwrap() == whole, "{fault:?} at act {acts}");
                let left = files(&folder.path().join("checkpoints"));
                assert!(left.iter().all(|name| name.ends_with(ENDING) && !name.starts_with('.')), "{left:?}");
                // Orphans in the run's own folder go when its events are taken up.
                folder.events().unwrap();
                let expected = ["checkpoints", "config.toml", "events.jsonl", "model.safetensors"];
                assert_eq!(files(folder.path()), expected, "{fault:?} at act {acts}");
                acts += 1;
            }
            assert!(acts > 30, "{acts} acts: 6 checkpoints and a model");
        }
    }

    #[test]
    fn a_torn_checkpoint_is_noticed_and_the_one_before_it_used() {
        let (_runs, folder) = run();
        let data = data();
        let fit = go_on(&folder, &data).unwrap();
        let newest = folder.path().join("checkpoints/000000000006.safetensors");
        let bytes = fs::read(&newest).unwrap();
        fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
        let (checkpoint, bad) = folder.last_checkpoint().unwrap().unwrap();
        assert_eq!((checkpoint.epoch(), checkpoint.step_of_epoch(), bad.len()), (1, 2, 1));
        assert!(bad[0].to_string().contains("000000000006.safetensors: no whole checkpoint"), "{}", bad[0]);
        let again = go_on(&folder, &data).unwrap();
        assert!(again.model().to_bytes() == fit.model().to_bytes());

        for name in ["000000000005.safetensors", "000000000006.safetensors"] {
            fs::write(folder.path().join("checkpoints").join(name), "").unwrap();
        }
        let error = folder.last_checkpoint().unwrap_err();
        assert!(error.to_string().contains("none of the checkpoints is whole"), "{error}");
    }

    #[test]
    fn a_full_disk_is_told_at_once_and_training_goes_on() {
        let (_runs, folder) = run();
        let told = std::rc::Rc::new(std::cell::Cell::new(0));
        let count = told.clone();
        let checkpoints = folder.checkpoints().unwrap().every(Duration::ZERO);
        let mut checkpoints = checkpoints.complain_to(move |_| count.set(count.get() + 1));
        let (fit, struck) =
            during(0, Fault::Killed, || trainer().fit_with(&data(), &mut checkpoints).unwrap());
        assert!(struck && fit.history().len() == 2);
        assert_eq!(told.get(), 6);
        let error = checkpoints.finish().unwrap_err();
        assert!(error.to_string().contains("000000000006.safetensors: cannot be written"), "{error}");
    }

    #[test]
    fn in_between_they_wait_until_they_are_due() {
        let (_runs, folder) = run();
        let mut checkpoints = folder.checkpoints().unwrap().every(Duration::from_secs(3600));
        trainer().fit_with(&data(), &mut checkpoints).unwrap();
        assert_eq!(files(&folder.path().join("checkpoints")), ["000000000006.safetensors"]);
    }
}
