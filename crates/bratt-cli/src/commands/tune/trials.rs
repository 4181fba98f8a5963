//! What became of the trials, kept in `trials.jsonl`: a line for each trial and rung.

use crate::args::By;
use crate::failure::Failure;
use crate::terminal::{self, BOLD, PLAIN, percent, seconds};
use bratt::report::{RunError, RunFolder};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What became of a trial in a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number, from 1.
    pub trial: usize,
    /// Epochs that it may have had by then; early stopping may have ended it before.
    pub epochs: usize,
    /// Epochs that it had.
    pub trained: usize,
    /// The epoch that was kept.
    pub kept: usize,
    /// The validation loss of that epoch; none if training diverged.
    pub loss: Option<f64>,
    /// Its validation accuracy; none for regression, too.
    pub accuracy: Option<f64>,
    /// Its mean F1 of the classes, likewise.
    pub macro_f1: Option<f64>,
    /// Seconds that the rung took.
    pub seconds: f64,
}

impl Row {
    /// More is better, and what comes first counts first; none if training diverged.
    pub fn score(&self, by: By) -> Option<[f64; 2]> {
        let loss = -self.loss?;
        Some(match by {
            By::Accuracy => [self.accuracy.unwrap_or(loss), loss],
            By::MacroF1 => [self.macro_f1.unwrap_or(loss), loss],
            By::Loss => [loss, loss],
        })
    }

    /// Its numbers as columns of a terminal.
    pub fn columns(&self, best: bool) -> String {
        let number = |x: Option<f64>, show: &dyn Fn(f64) -> String| x.map_or("-".into(), show);
        let (bold, plain) = if best { (BOLD, PLAIN) } else { ("", "") };
        let loss = self.loss.map_or("diverged".into(), terminal::loss);
        let (accuracy, f1) = (number(self.accuracy, &percent), number(self.macro_f1, &percent));
        let (trial, trained, time) = (self.trial, self.trained, seconds(self.seconds));
        format!("{bold}{trial:>6}  {trained:>6}  {loss:>8}  {accuracy:>8}  {f1:>8}  {time:>7}{plain}")
    }

    /// The heads of those columns.
    pub fn heads() -> String {
        format!(
            "{:>6}  {:>6}  {:>8}  {:>8}  {:>8}  {:>7}",
            "trial", "epochs", "val loss", "accuracy", "macro-F1", "time"
        )
    }
}

/// The rows so far, and the file that keeps them.
#[derive(Debug)]
pub struct Trials {
    path: PathBuf,
    rows: Vec<Row>,
}

const FILE: &str = "trials.jsonl";

impl Trials {
    /// Those of a search, which may have just begun.
    ///
    /// # Errors
    /// A file that cannot be read or is not of bratt's.
    pub fn open(folder: &Path) -> Result<Trials, Failure> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Failure::data(&RunError::Unreadable { path, source })),
        };
        let mut rows = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            rows.push(serde_json::from_str(text).map_err(|error| {
                Failure::new(crate::failure::Exit::Data, format!("{}, line {line}: no trial", path.display()))
                    .because(error.to_string())
                    .help("remove that line; the trial is then looked up again")
            })?);
        }
        Ok(Trials { path, rows })
    }

    /// A trial after so many epochs.
    pub fn find(&self, trial: usize, epochs: usize) -> Option<&Row> {
        self.rows.iter().find(|row| (row.trial, row.epochs) == (trial, epochs))
    }

    /// Adds one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, row: Row) -> Result<(), RunError> {
        self.rows.push(row);
        let lines: Vec<String> =
            self.rows.iter().map(|row| format!("{}\n", serde_json::json!(row))).collect();
        RunFolder::write_to(&self.path, lines.concat())
    }

    /// Each trial as it stands after its longest training, its times added up; the best first, those that diverged last.
    pub fn ranked(&self, by: By) -> Vec<Row> {
        let mut last: Vec<Row> = Vec::new();
        for row in &self.rows {
            match last.iter_mut().find(|other| other.trial == row.trial) {
                Some(other) => *other = Row { seconds: other.seconds + row.seconds, ..row.clone() },
                None => last.push(row.clone()),
            }
        }
        // What was trained for longer went on because it was better.
        let key =
            |row: &Row| (row.loss.is_some(), row.epochs, row.score(by).unwrap_or([f64::NEG_INFINITY; 2]));
        last.sort_by(|a, b| {
            let ((a_done, a_epochs, a_score), (b_done, b_epochs, b_score)) = (key(a), key(b));
            let scores = b_score[0].total_cmp(&a_score[0]).then(b_score[1].total_cmp(&a_score[1]));
            b_done.cmp(&a_done).then(b_epochs.cmp(&a_epochs)).then(scores).then(a.trial.cmp(&b.trial))
        });
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(trial: usize, epochs: usize, accuracy: Option<f64>, loss: f64) -> Row {
        let loss = accuracy.map(|_| loss);
        Row { trial, epochs, trained: epochs, kept: 1, loss, accuracy, macro_f1: accuracy, seconds: 1.0 }
    }

    #[test]
    fn trials_are_kept_and_ranked_by_length_score_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let mut trials = Trials::open(folder.path()).unwrap();
        let rows = [
            row(1, 3, Some(0.5), 0.9),
            row(2, 3, None, 0.0),
            row(3, 3, Some(0.9), 0.2),
            row(4, 3, Some(0.9), 0.1),
            row(5, 3, Some(0.99), 0.1),
            row(5, 9, Some(0.8), 0.5),
        ];
        rows.into_iter().for_each(|row| trials.add(row).unwrap());
        let again = Trials::open(folder.path()).unwrap();
        let ranked = again.ranked(By::Accuracy);
        assert_eq!(ranked.iter().map(|row| row.trial).collect::<Vec<_>>(), [5, 4, 3, 1, 2]);
        assert_eq!((ranked[0].seconds, ranked[0].epochs), (2.0, 9));
        assert_eq!(again.find(5, 3).unwrap().accuracy, Some(0.99));
        assert!(again.find(4, 9).is_none());
        fs::write(folder.path().join(FILE), "{}\nnonsense\n").unwrap();
        let told = Trials::open(folder.path()).unwrap_err().text();
        assert!(told.contains("trials.jsonl, line 1: no trial"), "{told}");
    }
}
