//! Whether data are those that a run learned from, and if not, what differs.

use crate::failure::{Exit, Failure};
use crate::terminal::counted;
use bratt::report::RunFolder;
use bratt::train::{CheckpointError, Splits, TrainError};
use serde_json::Value;
use std::path::Path;

/// So many classes whose counts differ are named.
const MOST_CLASSES: usize = 3;

/// What a run wrote down about its data.
///
/// # Errors
/// A file that is not there or damaged.
pub fn about(folder: &RunFolder) -> Result<Value, Failure> {
    let file = folder.path().join(RunFolder::DATA);
    let mend = format!("`bratt resume {}` writes it again", folder.path().display());
    let text = folder.read(RunFolder::DATA).map_err(|error| Failure::data(&error).help(mend.clone()))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Data, format!("{}: damaged", file.display())).because(error.to_string()).help(mend)
    })
}

/// Checks that data have the fingerprint of those that a run in a folder learned from.
///
/// # Errors
/// Other data: what differs, as far as the folder tells.
pub fn check(splits: &Splits, expected: &str, run: &Path) -> Result<(), Failure> {
    let found = splits.data().fingerprint();
    if found == expected {
        return Ok(());
    }
    let message = format!("{}: not the data that the run learned from", splits.data().name());
    let about = RunFolder::open(run).ok().and_then(|folder| about(&folder).ok());
    let why = about
        .filter(|about| about["fingerprint"] == expected)
        .and_then(|about| difference(splits, &about))
        .unwrap_or_else(|| format!("its fingerprint is {found}, that of the run's data {expected}"));
    Err(Failure::new(Exit::Data, message).because(why))
}

/// What is seen without the old data.
fn difference(splits: &Splits, then: &Value) -> Option<String> {
    let data = splits.data();
    let classes: Vec<&str> = then["classes"].as_array()?.iter().filter_map(Value::as_str).collect();
    if data.classes() != classes {
        let added = data.classes().iter().find(|class| !classes.contains(&class.as_str()));
        let removed = classes.iter().find(|class| !data.classes().iter().any(|now| now == *class));
        return Some(match (added, removed) {
            (Some(added), _) => format!("it has a class `{added}`, which the run's data had not"),
            (None, Some(removed)) => format!("it has no class `{removed}`, which the run's data had"),
            (None, None) => "its classes are in another order".into(),
        });
    }
    let shape: Vec<usize> = then["shape"].as_array()?.iter().filter_map(as_size).collect();
    if data.shape() != shape {
        return Some(format!("its examples have shape {:?}, those of the run {shape:?}", data.shape()));
    }
    let counts: Vec<usize> = then["class_counts"].as_array()?.iter().filter_map(as_size).collect();
    let now = data.class_counts();
    if now == counts {
        let same = counted(data.len() as u64, "example");
        return Some(format!("it has {same} as before, but at least one has changed, or their order"));
    }
    let differ: Vec<usize> = (0..now.len()).filter(|&class| counts.get(class) != Some(&now[class])).collect();
    let mut named: Vec<String> = differ
        .iter()
        .take(MOST_CLASSES)
        .map(|&class| {
            format!("{} {} instead of {}", classes[class], now[class], counts.get(class).unwrap_or(&0))
        })
        .collect();
    if differ.len() > MOST_CLASSES {
        named.push("...".into());
    }
    let (now, before) = (counted(data.len() as u64, "example"), counts.iter().sum::<usize>());
    Some(match named.is_empty() {
        true => format!("it has {now}, the run's data had {before}"),
        false => format!("it has {now}, the run's data had {before}: {}", named.join(", ")),
    })
}

fn as_size(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}

/// A checkpoint that cannot be taken up, and what to do instead.
pub fn unlike(error: &TrainError, run: &Path) -> Failure {
    let run = run.display();
    match error {
        TrainError::Checkpoint(CheckpointError::Beyond { found, .. }) => Failure::of(Exit::Usage, error)
            .help(format!(
                "--epochs {} or more, or --epochs +10 for ten more than there were to be",
                found + 1
            )),
        TrainError::Checkpoint(CheckpointError::Other { key, .. }) if key == "version of bratt" => {
            Failure::data(error)
                .help("a run goes on only with the version that it began with; train anew with this one")
        }
        TrainError::Checkpoint(_) => Failure::data(error).help(format!(
            "if {run}/{} was changed, change it back; for other settings begin another run: \
             bratt train --config {run}/{0} --name NAME",
            RunFolder::CONFIG
        )),
        _ => Failure::data(error),
    }
}
