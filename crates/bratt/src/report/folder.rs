//! The folder of a run.
//!
//! ```text
//! config.toml       the resolved configuration, as the program that began the run writes it
//! find-lr.json      the learning rates that were tried, if one was searched for
//! data.json         the data set: name, fingerprint, shape, classes, sizes of the parts
//! split.csv         index,file,label,part: which example is where
//! events.jsonl      everything that happened, one JSON object a line
//! metrics.csv       one row an epoch
//! events.out.tfevents.0.bratt   the same for TensorBoard, if it is wanted
//! checkpoints/      where training stands, to go on from there
//! model.safetensors the model
//! evaluation.json   the result on the test part
//! report.html       all of it to look at, see [`html`](super::html)
//! ```
//!
//! No absolute paths, so that it can be moved. All files but the two that grow are written beside and renamed. While a
//! program writes a run, it holds a lock on `events.jsonl`, which the system takes back when the program dies.

use super::{Checkpoints, EpochTable, JsonLines, TensorBoard};
use crate::file::{remove_orphans, write_atomically};
use crate::model::{ModelError, TrainedModel};
use crate::train::{Checkpoint, CheckpointError, EpochEnd, Evaluation, Event, Splits};
use serde_json::json;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const EVENTS: &str = "events.jsonl";

/// The folder of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// Why a run cannot be written down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder is there already.
    #[error("{}: exists already, and runs are never overwritten; give another name or remove it", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A name that is no plain name of a folder.
    #[error(
        "`{name}` cannot be the name of a run; expected letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A folder or file cannot be written.
    #[error("{}: cannot be written", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the run cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The model cannot be written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A folder that holds no run.
    #[error("{}: no run: it has no config.toml", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Another program is at it.
    #[error("{}: another program is writing this run at the moment; wait for its end or stop it", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// No checkpoint of the run can be read.
    #[error("{}: none of the checkpoints is whole", path.display())]
    NoCheckpoint {
        /// The folder of checkpoints.
        path: PathBuf,
        /// What is wrong with the newest.
        source: CheckpointError,
    },
}

impl RunFolder {
    /// The name of the configuration in the folder.
    pub const CONFIG: &'static str = "config.toml";
    /// The name of what is written down about the data.
    pub const DATA: &'static str = "data.json";
    /// The name of the learning rates that were tried.
    pub const RATES: &'static str = "find-lr.json";
    /// The name of the model file in the folder.
    pub const MODEL: &'static str = "model.safetensors";
    /// The name of the report in the folder.
    pub const REPORT: &'static str = "report.html";

    /// Makes the folder `runs/name`.
    ///
    /// # Errors
    /// If the name does not serve, the folder exists, or it cannot be made.
    pub fn named(runs: impl AsRef<Path>, name: &str) -> Result<RunFolder, RunError> {
        let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if !name.starts_with(char::is_alphanumeric) || !name.chars().all(fits) {
            return Err(RunError::Name { name: name.into() });
        }
        RunFolder::at(runs.as_ref().join(name))
    }

    /// Makes the first of the folders `runs/stem-1`, `runs/stem-2`, ... that does not exist. Other characters of `stem`
    /// than letters, digits, `_` and `.` become `-`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn numbered(runs: impl AsRef<Path>, stem: &str) -> Result<RunFolder, RunError> {
        let plain = |c: char| if c.is_alphanumeric() || "_.".contains(c) { c } else { '-' };
        let stem: String = stem.chars().map(plain).collect();
        let stem = stem.trim_matches(['-', '.']);
        let stem = if stem.is_empty() { "run" } else { stem };
        let mut number: u64 = 1;
        loop {
            match RunFolder::at(runs.as_ref().join(format!("{stem}-{number}"))) {
                Err(RunError::Exists { .. }) => number += 1,
                other => return other,
            }
        }
    }

    /// Makes this very folder, and those above it.
    ///
    /// # Errors
    /// If it exists or cannot be made.
    pub fn at(path: impl Into<PathBuf>) -> Result<RunFolder, RunError> {
        let path = path.into();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| RunError::Io { path: parent.to_owned(), source })?;
        }
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(RunError::Exists { path }),
            Err(source) => return Err(RunError::Io { path, source }),
        }
        Ok(RunFolder { path })
    }

    /// The folder of a run that was begun before.
    ///
    /// # Errors
    /// If there is no run.
    pub fn open(path: impl Into<PathBuf>) -> Result<RunFolder, RunError> {
        let path = path.into();
        if path.join(RunFolder::CONFIG).is_file() {
            Ok(RunFolder { path })
        } else {
            Err(RunError::NoRun { path })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model is or will be.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(RunFolder::MODEL)
    }

    /// Writes a file of the folder, such as `config.toml`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<(), RunError> {
        RunFolder::write_to(&self.path.join(name), contents)
    }

    /// Writes a file anywhere as [`RunFolder::write`] does: beside it first, then renamed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_to(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), RunError> {
        write_atomically(path, contents.as_ref())
            .map_err(|source| RunError::Io { path: path.to_owned(), source })
    }

    /// Reads a text file of the folder, such as `config.toml`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Result<String, RunError> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(|source| RunError::Unreadable { path, source })
    }

    /// What happened so far, from `events.jsonl`; lines that this version does not understand are left out.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_events(&self) -> Result<Vec<Event>, RunError> {
        let text = self.read(EVENTS)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Writes `data.json` and `split.csv`; `files` are the names of the data's examples, and of a test part's that came with
    /// them, where examples are files.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write_data(&self, splits: &Splits, files: Option<&[Vec<String>; 2]>) -> Result<(), RunError> {
        let data = splits.data();
        let about = json!({
            "name": data.name(),
            "description": data.describe(),
            "fingerprint": data.fingerprint(),
            "shape": data.shape(),
            "classes": data.classes(),
            "class_counts": data.class_counts(),
            "split": splits.sizes(),
            "test_given": splits.test_is_given().then(|| splits.test().data().fingerprint()),
        });
        self.write(RunFolder::DATA, format!("{about:#}\n"))?;
        self.write("split.csv", super::split::table(splits, files))
    }

    /// Writes the model.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_model(&self, model: &TrainedModel) -> Result<(), RunError> {
        Ok(model.save(self.model_path())?)
    }

    /// Writes `evaluation.json`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_evaluation(&self, test: &Evaluation) -> Result<(), RunError> {
        self.write("evaluation.json", format!("{:#}\n", json!(test)))
    }

    /// Begins `events.jsonl`, or goes on with it; a line that a killed program left half-written is removed. From here on
    /// no other program can write the run.
    ///
    /// # Errors
    /// If it cannot be written, or another program is at it.
    pub fn events(&self) -> Result<JsonLines<BufWriter<File>>, RunError> {
        let path = self.path.join(EVENTS);
        let failed = |source| RunError::Io { path: path.clone(), source };
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunError::Busy { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        remove_orphans(&self.path).map_err(failed)?;
        end_after_last_line(&mut file).map_err(failed)?;
        Ok(JsonLines::new(BufWriter::new(file)))
    }

    /// Begins `metrics.csv` with the epochs that are done.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn metrics(&self, done: &[EpochEnd]) -> Result<EpochTable<BufWriter<File>>, RunError> {
        let mut rows = Vec::new();
        let path = self.path.join("metrics.csv");
        let failed = |source| RunError::Io { path: path.clone(), source };
        for (at, end) in done.iter().enumerate() {
            super::csv::row(&mut rows, end, at == 0).map_err(failed)?;
        }
        write_atomically(&path, &rows).map_err(failed)?;
        let file = BufWriter::new(OpenOptions::new().append(true).open(&path).map_err(failed)?);
        Ok(if done.is_empty() { EpochTable::new(file) } else { EpochTable::going_on(file) })
    }

    /// Begins an event file of TensorBoard, `events.out.tfevents.0.bratt`, or with the next number where there is one
    /// already: TensorBoard reads them in the order of their names.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn tensorboard(&self) -> Result<TensorBoard<BufWriter<File>>, RunError> {
        let name = |number: u32| format!("events.out.tfevents.{number}.bratt");
        let free = (0..).map(name).find(|name| !self.path.join(name).exists());
        let path = self.path.join(free.unwrap_or_default());
        let file = File::create_new(&path).map_err(|source| RunError::Io { path, source })?;
        Ok(TensorBoard::new(BufWriter::new(file)))
    }

    /// Keeps checkpoints in the folder.
    ///
    /// # Errors
    /// If their folder cannot be made.
    pub fn checkpoints(&self) -> Result<Checkpoints, RunError> {
        Checkpoints::keep_in(self.path.join(RunFolder::CHECKPOINTS))
    }

    /// The newest checkpoint that is whole, and what is wrong with newer ones; nothing if there is none yet.
    ///
    /// # Errors
    /// If there are some, but none is whole.
    pub fn last_checkpoint(&self) -> Result<Option<(Checkpoint, Vec<CheckpointError>)>, RunError> {
        super::checkpoints::newest(&self.path.join(RunFolder::CHECKPOINTS))
    }

    /// The last checkpoint before a step, counted from 1, that is whole; nothing if there is none.
    ///
    /// # Errors
    /// If the folder of checkpoints cannot be read.
    pub fn checkpoint_before(&self, step: u64) -> Result<Option<Checkpoint>, RunError> {
        super::checkpoints::before(&self.path.join(RunFolder::CHECKPOINTS), step)
    }

    /// The name of the folder of checkpoints.
    const CHECKPOINTS: &'static str = "checkpoints";
}

/// Cuts off what follows the last end of a line, and goes there.
fn end_after_last_line(file: &mut File) -> io::Result<()> {
    const BLOCK: u64 = 4096;
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(BLOCK);
        let mut block = vec![0; (end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            end = begin + at as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < length {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_run_is_never_touched() {
        let runs = tempfile::tempdir().unwrap();
        let first = RunFolder::named(runs.path().join("runs"), "first").unwrap();
        first.write("config.toml", "seed = 7\n").unwrap();
        let error = RunFolder::named(runs.path().join("runs"), "first").unwrap_err();
        assert!(matches!(error, RunError::Exists { .. }));
        let message = error.to_string();
        assert!(message.contains("first") && message.contains("another name"), "{message}");
        assert_eq!(fs::read_to_string(first.path().join("config.toml")).unwrap(), "seed = 7\n");
    }

    #[test]
    fn numbers_go_on_and_names_are_made_plain() {
        let runs = tempfile::tempdir().unwrap();
        let name = |folder: RunFolder| folder.path().file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(name(RunFolder::numbered(runs.path(), "digits").unwrap()), "digits-1");
        assert_eq!(name(RunFolder::numbered(runs.path(), "digits").unwrap()), "digits-2");
        assert_eq!(name(RunFolder::numbered(runs.path(), "../a b").unwrap()), "a-b-1");
        assert!(matches!(RunFolder::named(runs.path(), "../up"), Err(RunError::Name { .. })));
    }

    #[test]
    fn a_path_under_a_file_cannot_be_written_and_says_so() {
        let runs = tempfile::tempdir().unwrap();
        fs::write(runs.path().join("file"), "").unwrap();
        let error = RunFolder::named(runs.path().join("file"), "a").unwrap_err();
        assert!(error.to_string().contains("file: cannot be written"), "{error}");
    }

    #[test]
    fn only_one_program_writes_a_run_and_a_half_line_is_cut_off() {
        let runs = tempfile::tempdir().unwrap();
        let folder = RunFolder::named(runs.path(), "a").unwrap();
        assert!(matches!(RunFolder::open(folder.path()), Err(RunError::NoRun { .. })));
        folder.write(RunFolder::CONFIG, "").unwrap();
        let events = folder.path().join("events.jsonl");
        let long = format!("{{\"event\":\"{}\"}}\n", "x".repeat(5000));
        for (before, after) in
            [("", ""), ("{}\n", "{}\n"), ("{}\n{\"ev", "{}\n"), (&long, &long), ("{\"ev", "")]
        {
            fs::write(&events, before).unwrap();
            fs::write(folder.path().join(".model.safetensors.1.tmp"), "half").unwrap();
            let held = RunFolder::open(folder.path()).unwrap().events().unwrap();
            assert_eq!(fs::read_to_string(&events).unwrap(), after);
            assert!(!folder.path().join(".model.safetensors.1.tmp").exists());
            let busy = folder.events().unwrap_err();
            assert!(busy.to_string().contains("another program is writing"), "{busy}");
            held.finish().unwrap();
        }
        folder.events().unwrap();
    }
}
