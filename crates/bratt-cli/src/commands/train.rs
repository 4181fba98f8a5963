//! `bratt train`

mod console;
pub mod job;
mod search;

use super::learned;
use super::report::write_report;
use crate::args::{Global, TrainArgs};
use crate::dashboard;
use crate::failure::{Exit, Failure};
use crate::settings::Settings;
use crate::terminal::{DIM, PLAIN, Terminal, To, screen, tell};
use bratt::report::{JsonLines, RunError, RunFolder};
use bratt::train::{
    Checkpoint, Evaluation, Event, Fit, Listener, Listeners, Predictions, Stop, StopReason, Timed, TrainError,
};
use console::Watch;
use job::{Job, Search, unwritable};
pub use search::watched as try_rates;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

/// Trains; the number is the exit code.
pub fn run(args: &TrainArgs, global: Global) -> Result<u8, Failure> {
    let begin = Instant::now();
    if args.set.iter().any(|text| text == "help") {
        writeln!(anstream::stdout(), "{}", crate::settings::key_table())?;
        return Ok(0);
    }
    let settings = Settings::collect(args)?;
    let mut terminal = Terminal::new(global, if args.json { To::Error } else { To::Output });
    let job = Job::prepare(&settings, Search::Now(Some(&mut terminal)))?;
    for note in settings.unused()? {
        terminal.warn(&note);
    }
    let folder = job.folder()?;
    folder.write(RunFolder::CONFIG, settings.to_toml()).map_err(unwritable)?;
    let events = folder.events().map_err(unwritable)?;
    folder.write_data(&job.splits, job.files.as_ref()).map_err(unwritable)?;
    job.introduce(&settings, &mut terminal);
    let view = View {
        json: args.json,
        dashboard: args.dashboard,
        tensorboard: args.tensorboard,
        report: !args.no_report,
    };
    carry_out(&job, Place { folder, events, begin }, None, &mut terminal, view)
}

/// What is shown and written for others while it trains.
#[derive(Clone, Copy)]
pub struct View {
    pub json: bool,
    pub dashboard: bool,
    pub tensorboard: bool,
    pub report: bool,
}

/// Where a training is written down, and since when.
pub struct Place {
    pub folder: RunFolder,
    pub events: JsonLines<BufWriter<File>>,
    pub begin: Instant,
}

/// What came of a training.
pub struct Done {
    pub fit: Fit,
    pub folder: RunFolder,
    /// What the model says of the test part, and how good that is.
    pub test: Option<(Predictions, Evaluation)>,
    pub waited: Waited,
}

/// Seconds for which the training itself stood still.
#[derive(Default)]
pub struct Waited {
    /// For events, metrics and checkpoints to be written.
    pub writing: f64,
    /// For lines or the dashboard to be shown.
    pub showing: f64,
}

/// Trains, from a checkpoint if there is one, and writes down what comes of it: model, events, metrics, evaluation.
pub fn perform(
    job: &Job,
    place: Place,
    checkpoint: Option<Checkpoint>,
    watch: &mut dyn Listener,
    tensorboard: bool,
) -> Result<Done, Failure> {
    let Place { folder, mut events, .. } = place;
    let done = checkpoint.as_ref().map_or(Vec::new(), |checkpoint| checkpoint.history().to_vec());
    if let Some(rates) = &job.rates {
        folder.write(RunFolder::RATES, json!(rates).to_string()).map_err(unwritable)?;
    }
    let mut metrics = folder.metrics(&done).map_err(unwritable)?;
    let mut checkpoints = folder.checkpoints().map_err(unwritable)?.every(job.between_checkpoints);
    checkpoints = checkpoints.complain_to(|error| {
        screen::tell(
            &Failure::of(Exit::Configuration, error)
                .help("training goes on; the next one is tried later")
                .text(),
        );
    });
    let mut trainer = job.trainer.clone().stop(&interruption());
    if let Some(checkpoint) = checkpoint {
        trainer = trainer.resume(checkpoint);
    }
    let board = tensorboard.then(|| folder.tensorboard()).transpose();
    let mut board = board.map_err(unwritable)?;
    let mut waited = Waited::default();
    let fitted = {
        let mut written = Listeners(vec![&mut events, &mut metrics, &mut checkpoints]);
        written.0.extend(board.as_mut().map(|board| board as &mut dyn Listener));
        let (mut written, mut shown) = (Timed::new(&mut written), Timed::new(watch));
        let fitted = trainer.fit_with(&job.splits, &mut Listeners(vec![&mut written, &mut shown]));
        (waited.writing, waited.showing) = (written.seconds(), shown.seconds());
        fitted
    };
    let mut fit = fitted.map_err(|error| training_failed(&error, &folder))?;
    let again = format!("make room, then go on with `bratt resume {}`", folder.path().display());
    let unsaved = |error: RunError| Failure::of(Exit::Configuration, &error).help(again.clone());
    let finishing = Instant::now();
    let kept = checkpoints.finish();
    waited.writing += finishing.elapsed().as_secs_f64();
    if fit.history().is_empty() {
        let message = "interrupted before the first step; nothing was trained, and no model was saved";
        return Err(Failure::new(Exit::Interrupted, message)
            .help(format!("begin again with `bratt resume {}`", folder.path().display())));
    }
    let test = match job.splits.test() {
        part if part.is_empty() => None,
        part => {
            let said = fit.predictions(part).map_err(|error| Failure::data(&error))?;
            let test = said.evaluation().map_err(|error| Failure::data(&error))?;
            Some((said, test))
        }
    };
    if let Some((_, test)) = &test {
        fit.record_test(test);
        let tested = Event::Tested { test: test.clone() };
        events.event(&tested);
        if let Some(board) = &mut board {
            board.event(&tested);
        }
        folder.write_evaluation(test).map_err(unsaved)?;
    }
    folder.write_model(fit.model()).map_err(unsaved)?;
    kept.map_err(unsaved)?;
    let written = events.finish().and_then(|()| metrics.finish());
    written.and_then(|()| board.map_or(Ok(()), |board| board.finish())).map_err(|error| {
        Failure::new(Exit::Configuration, format!("{}: cannot be written", folder.path().display()))
            .because(error.to_string())
            .help(again.clone())
    })?;
    Ok(Done { fit, folder, test, waited })
}

/// Trains as [`perform`] does, and shows how it goes and what came of it.
pub fn carry_out(
    job: &Job,
    place: Place,
    checkpoint: Option<Checkpoint>,
    terminal: &mut Terminal,
    view: View,
) -> Result<u8, Failure> {
    let begin = place.begin;
    let mut console = Watch::new(terminal, view.dashboard);
    let done = perform(job, place, checkpoint, &mut console, view.tensorboard);
    drop(console);
    let Done { fit, folder, test, waited } = done?;
    let sample = job.write_sample(&folder);
    let mut report = None;
    if view.report {
        let judged = test.as_ref().map(|(said, test)| (said, test));
        match write_report(job, &folder, fit.model(), judged, None) {
            Ok(path) => report = Some(path),
            // The model is what counts; the report can be written later.
            Err(failure) => terminal.warn(&format!("no report: {}", failure.text().trim_end())),
        }
    }
    let test = test.as_ref().map(|(_, test)| test);
    let seconds = begin.elapsed().as_secs_f64();
    console::conclude(terminal, &fit, test, &folder, report.as_deref(), seconds);
    let interrupted = fit.reason() == StopReason::Interrupted;
    if !view.json {
        if interrupted {
            suggest_resuming(terminal, &folder)
        } else {
            suggest(terminal, job, &folder, sample)
        }
    } else {
        writeln!(std::io::stdout(), "{}", summary(&fit, test, &folder, report.as_deref(), seconds, &waited))?;
    }
    Ok(if interrupted { Exit::Interrupted as u8 } else { 0 })
}

fn training_failed(error: &TrainError, folder: &RunFolder) -> Failure {
    match error {
        TrainError::Diverged { .. } => {
            Failure::of(Exit::Found, error).help("try a smaller --lr, or --clip-norm 1")
        }
        _ => learned::unlike(error, folder.path()),
    }
}

/// What the first Ctrl-C, SIGTERM or SIGHUP requests: that training ends cleanly. The second ends the program.
pub fn interruption() -> Stop {
    static STOP: OnceLock<Stop> = OnceLock::new();
    STOP.get_or_init(|| {
        let stop = Stop::default();
        let requested = stop.clone();
        // Without a handler Ctrl-C still ends the program, only less cleanly.
        let _ = ctrlc::set_handler(move || {
            if requested.is_requested() {
                screen::leave();
                std::process::exit(Exit::Interrupted as i32);
            }
            requested.request();
            if dashboard::say_stopping() {
                return;
            }
            tell("\nstopping after this step, then saving; Ctrl-C again quits at once\n");
        });
        stop
    })
    .clone()
}

/// How the program is called. Who runs it through cargo may not have it installed.
pub fn called() -> &'static str {
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() { "cargo run --release --" } else { "bratt" }
}

fn suggest_resuming(terminal: &mut Terminal, folder: &RunFolder) {
    let (bratt, run) = (called(), folder.path().display());
    terminal.say(&format!("\n{DIM}go on with  {PLAIN}{bratt} resume {run}"));
}

fn suggest(terminal: &mut Terminal, job: &Job, folder: &RunFolder, sample: Option<(String, String)>) {
    let (bratt, run) = (called(), folder.path().display());
    terminal.say(&format!("\n{DIM}try next{PLAIN}"));
    let judge = if job.splits.classes().is_empty() { "all measures" } else { "class by class" };
    let mut lines = vec![(judge.to_string(), format!("eval {run}"))];
    lines.push(match sample {
        Some((path, label)) => (format!("a test image, {label}"), format!("predict {run} {path}")),
        None => ("rows of a table".into(), format!("predict {run} ROWS.csv")),
    });
    lines.push(("layers and cost".into(), format!("inspect {run}")));
    if job.source.is_none() {
        lines.push(("your own data".into(), "train --data FOLDER_OR_CSV".into()));
    }
    let width = lines.iter().map(|(about, _)| about.chars().count()).max().unwrap_or(0);
    for (about, command) in lines {
        terminal.say(&format!("  {DIM}{about:<width$}  {PLAIN}{bratt} {command}"));
    }
}

fn summary(
    fit: &Fit,
    test: Option<&Evaluation>,
    folder: &RunFolder,
    report: Option<&Path>,
    seconds: f64,
    waited: &Waited,
) -> serde_json::Value {
    let model = fit.model();
    let best = fit.history().iter().find(|end| end.epoch == model.provenance.kept_epoch);
    json!({
        "run": folder.path().display().to_string(),
        "model": folder.model_path().display().to_string(),
        "report": report.map(|path| path.display().to_string()),
        "seconds": seconds,
        "training_seconds": fit.seconds(),
        "writing_seconds": waited.writing,
        "showing_seconds": waited.showing,
        "epochs": fit.history().len(),
        "kept_epoch": model.provenance.kept_epoch,
        "reason": fit.reason(),
        "seed": model.provenance.seed,
        "train_loss": best.map(|end| end.train_loss),
        "validation": best.and_then(|end| end.validation),
        "test": test,
    })
}
