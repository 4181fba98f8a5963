//! `bratt resume RUN`

use super::learned;
use super::train::job::{Job, Search};
use super::train::{Place, View, carry_out};
use super::tune;
use crate::args::{Global, ResumeArgs};
use crate::failure::{Exit, Failure};
use crate::plan::{self, DIGITS};
use crate::settings::{Origin, Settings};
use crate::terminal::{DIM, PLAIN, Terminal, To, counted};
use bratt::report::{RunError, RunFolder};
use bratt::train::{Checkpoint, StopReason};
use std::time::Instant;
use toml::Value;

/// Goes on with a training; the number is the exit code.
pub fn run(args: &ResumeArgs, global: Global) -> Result<u8, Failure> {
    if tune::is_search(&args.run) {
        if args.epochs.is_some() || args.data.is_some() {
            return Err(Failure::new(Exit::Usage, format!("{}: a search, not a run", args.run.display()))
                .help("it goes on as it was declared; go on with one of its runs to change something"));
        }
        return tune::resume(&args.run, global, args.json, !args.no_report);
    }
    let begin = Instant::now();
    let folder = RunFolder::open(&args.run).map_err(unusable)?;
    let config = folder.path().join(RunFolder::CONFIG);
    // Taken up first, so that no other program moves on while this one reads.
    let events = folder.events().map_err(unusable)?;
    let last = folder.last_checkpoint().map_err(unusable)?;
    let mut terminal = Terminal::new(global, if args.json { To::Error } else { To::Output });
    let (checkpoint, bad) = last.map_or((None, Vec::new()), |(checkpoint, bad)| (Some(checkpoint), bad));
    for error in bad {
        terminal.warn(&format!("{error}; the one before it is used"));
    }

    let before = Settings::of_run(&config, &[])?;
    let epochs = before.get("train.epochs", 30u64)?;
    let changes = changes(args, &before, epochs, checkpoint.as_ref())?;
    let extended = changes.iter().any(|(name, ..)| *name == "train.epochs");
    let settings = Settings::of_run(&config, &changes)?;
    let job = Job::prepare(&settings, Search::Later).map_err(|failure| moved(failure, args))?;
    settings.unused()?;
    // Nothing is written before it is clear that this is the run's data and training.
    if let Some(checkpoint) = &checkpoint {
        check(&job, &folder, checkpoint)?;
    }
    if extended || args.data.is_some() {
        folder.write(RunFolder::CONFIG, settings.to_toml()).map_err(unusable)?;
    }
    folder.write_data(&job.splits, job.files.as_ref()).map_err(unusable)?;
    job.introduce(&settings, &mut terminal);
    terminal.say(&format!("{DIM}resume  {PLAIN}{}", stand(checkpoint.as_ref(), extended)));
    if let Some(checkpoint) = checkpoint.as_ref().filter(|checkpoint| checkpoint.isa() != job.isa.to_string())
    {
        terminal.warn(&format!(
            "the run began with {}, which is not here; with {} the last digits may differ",
            checkpoint.isa(),
            job.isa
        ));
    }
    terminal.say("");
    let view = View {
        json: args.json,
        dashboard: args.dashboard,
        tensorboard: args.tensorboard,
        report: !args.no_report,
    };
    carry_out(&job, Place { folder, events, begin }, checkpoint, &mut terminal, view)
}

/// Checks that a checkpoint is of the training that is to go on.
fn check(job: &Job, folder: &RunFolder, checkpoint: &Checkpoint) -> Result<(), Failure> {
    // Without a whole data.json the checkpoint still tells that data are others, only not in which way.
    if let Some(expected) =
        learned::about(folder).ok().as_ref().and_then(|about| about["fingerprint"].as_str())
    {
        learned::check(&job.splits, expected, folder.path()).map_err(|failure| {
            failure.help(format!(
                "say where that data is: --data PATH; for other data begin another run: \
                 bratt train --config {}/{} --data PATH --name NAME",
                folder.path().display(),
                RunFolder::CONFIG
            ))
        })?;
    }
    let checked = job.trainer.check_resume(&job.splits, checkpoint);
    checked.map_err(|error| learned::unlike(&error, folder.path()))
}

/// What differs from the settings of the run.
fn changes(
    args: &ResumeArgs,
    before: &Settings,
    epochs: u64,
    checkpoint: Option<&Checkpoint>,
) -> Result<Vec<(&'static str, Value, Origin)>, Failure> {
    let mut changes = Vec::new();
    let mut change = |name, value: Option<Value>, flag| {
        changes.extend(value.map(|value| (name, value, Origin::Flag(flag))));
    };
    let count = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    change("data.path", args.data.clone().map(Value::String), "--data");
    // The built-in digits have no cache.
    let reads = args.data.is_some() || before.get("data.path", DIGITS.to_string())? != DIGITS;
    change("data.cache", (args.no_cache && reads).then_some(Value::Boolean(false)), "--no-cache");
    change("machine.threads", args.threads.map(count), "--threads");
    change("machine.loaders", args.loaders.map(count), "--loaders");
    change("machine.isa", checkpoint.and_then(plan::same_isa), "as the run began");
    if let Some(text) = &args.epochs {
        let wrong = || {
            Failure::new(
                Exit::Usage,
                format!("--epochs {text}: expected a number of at least 1, as 50 or +20"),
            )
        };
        let (more, number) = match text.strip_prefix('+') {
            Some(number) => (epochs, number),
            None => (0, text.as_str()),
        };
        let wanted = number.parse::<u64>().ok().filter(|&n| n > 0).ok_or_else(wrong)?.saturating_add(more);
        if wanted != epochs {
            change("train.epochs", Some(count(wanted)), "resume --epochs");
            if !before.has("optim.schedule_epochs") {
                change("optim.schedule_epochs", Some(count(epochs)), "the epochs before resume --epochs");
            }
        }
    }
    Ok(changes)
}

/// Where the training stands, in words.
fn stand(checkpoint: Option<&Checkpoint>, extended: bool) -> String {
    let Some(checkpoint) = checkpoint else {
        return "it was interrupted before the first checkpoint, and begins anew".into();
    };
    let done = counted(checkpoint.epoch() as u64, "epoch");
    match (checkpoint.ended(), checkpoint.step_of_epoch()) {
        (Some(_), _) if extended => format!("{done} done before; longer now"),
        (Some(StopReason::EarlyStop), _) => {
            format!("it had stopped early after {done}; --epochs +20 makes it longer")
        }
        (Some(_), _) => format!("all {done} were done; --epochs +20 makes it longer"),
        (None, 0) => format!("after {done}"),
        (None, step) => format!("after {done} and {} of the next", counted(step as u64, "step")),
    }
}

/// Data that is not found is often only somewhere else.
fn moved(failure: Failure, args: &ResumeArgs) -> Failure {
    match args.data {
        None => failure.or_help("if the data was moved, say where it is: --data PATH"),
        Some(_) => failure,
    }
}

fn unusable(error: RunError) -> Failure {
    match &error {
        RunError::NoRun { .. } => {
            Failure::data(&error).help("name the folder of a run, such as runs/digits-1")
        }
        RunError::NoCheckpoint { .. } => Failure::data(&error)
            .help("remove the folder of checkpoints to begin anew with the same configuration"),
        RunError::Busy { .. } => Failure::of(Exit::Configuration, &error),
        _ => Failure::of(Exit::Configuration, &error)
            .help("the folder of the run must be writable and have room"),
    }
}
