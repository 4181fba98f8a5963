//! `bratt tune [DATA]`: a search for good settings. Each trial is an ordinary run in a folder of its own.
//!
//! ```text
//! runs/NAME/tune.toml      what is searched, how, and the settings that all trials share
//! runs/NAME/trials.jsonl   what became of each trial, rung by rung
//! runs/NAME/search.html    all trials as a picture and a table
//! runs/NAME/001/ ...       the runs
//! ```
//!
//! A trial that goes on to a further rung is resumed, at the rate that a training of the whole length has there. So the
//! best model is, byte for byte, what `train` makes of the same settings.

mod space;
mod trials;

use super::report::write_report;
use super::train::job::{Job, Search as RateSearch, unwritable};
use super::train::{Done, Place, called, interruption, perform};
use crate::args::{By, Global, Method, TuneArgs};
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::settings::{Origin, Settings};
use crate::terminal::{self, BOLD, DIM, PLAIN, Progress, Terminal, To, counted, percent};
use bratt::report::html::{SearchAxis, SearchPage, SearchTrial};
use bratt::report::{RunError, RunFolder};
use bratt::search::{Halving, Rung, promoted};
use bratt::train::{Evaluation, Event, Listener, StopReason};
use serde::{Deserialize, Serialize};
use serde_json::json;
use space::{Searches, shown};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use toml::Value;
use trials::{Row, Trials};

/// The name of what declares a search.
const DECLARATION: &str = "tune.toml";
const PAGE: &str = "search.html";
/// Of the trials of a rung, one of so many goes on.
const FACTOR: usize = 3;

/// A search as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    tune: How,
    space: BTreeMap<String, Value>,
    settings: BTreeMap<String, Value>,
}

/// How to search.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    method: Method,
    trials: usize,
    least_epochs: usize,
    seed: u64,
    by: By,
}

/// Begins a search; the number is the exit code.
pub fn run(args: &TuneArgs, global: Global) -> Result<u8, Failure> {
    if args.train.name.is_none() && args.train.set.iter().any(|text| text == "help") {
        writeln!(anstream::stdout(), "{}", crate::settings::key_table())?;
        return Ok(0);
    }
    let settings = Settings::collect(&args.train)?;
    let mut declared = match &args.space {
        Some(path) => space::read(path)?,
        None => Vec::new(),
    };
    for text in &args.search {
        declared.push(space::typed(text)?);
    }
    let searches = Searches::new(&declared)?;
    if let Some(searched) = searches.all().iter().find(|searched| settings.has(searched.key)) {
        let message = format!("{}: is set ({}) and searched", searched.key, settings.origin(searched.key));
        return Err(Failure::configuration(message).help("leave one of the two out"));
    }
    if args.trials == 0 || args.least_epochs == 0 {
        return Err(Failure::new(Exit::Usage, "expected at least 1 trial and at least 1 epoch"));
    }
    let how = How {
        method: args.method,
        trials: args.trials,
        least_epochs: args.least_epochs,
        seed: settings.get("train.seed", 0)?,
        by: args.by,
    };
    // What can be wrong with the trials is found before a folder is made; of the others as far as the first one's data tell.
    let drawn = |trial| settings.with(&searches.draw(how.seed, trial));
    let first = Job::prepare(&drawn(1), RateSearch::Later)?;
    judged(&first)?;
    if !searches.all().iter().any(|searched| searched.key.starts_with("data.")) {
        (2..=how.trials).try_for_each(|trial| first.check(&drawn(trial)))?;
    }
    let runs = settings.get("run.folder", "runs".to_string())?;
    let folder = match settings.given::<String>("run.name")? {
        Some(name) => RunFolder::named(runs, &name),
        None => RunFolder::numbered(runs, &format!("tune-{}", first.splits.data().name())),
    };
    let folder = folder.map_err(|error| match &error {
        RunError::Exists { path } => {
            let going_on =
                format!("go on with it: `bratt resume {}`; or choose another --name", path.display());
            Failure::of(Exit::Configuration, &error).help(going_on)
        }
        _ => unwritable(error),
    })?;
    let space =
        searches.all().iter().map(|searched| (searched.key.into(), searched.declared.clone())).collect();
    let mut shared: BTreeMap<String, Value> = settings.typed().collect();
    ["run.name", "run.folder"].iter().for_each(|key| drop(shared.remove(*key)));
    let declaration = Declaration { tune: how, space, settings: shared };
    let text = toml::to_string(&declaration).map_err(|error| Failure::configuration(error.to_string()))?;
    let text = format!("# A search. Go on with: bratt resume {}\n{text}", folder.path().display());
    folder.write(DECLARATION, text).map_err(unwritable)?;
    let path = folder.path().to_owned();
    drop(first);
    Search::open(&path, global, args.train.json, !args.train.no_report)?.carry_out()
}

/// Whether a folder holds a search.
pub fn is_search(path: &Path) -> bool {
    path.join(DECLARATION).is_file()
}

/// Goes on with a search; the number is the exit code.
pub fn resume(path: &Path, global: Global, json: bool, report: bool) -> Result<u8, Failure> {
    Search::open(path, global, json, report)?.carry_out()
}

/// A trial needs something to be judged by.
fn judged(job: &Job) -> Result<(), Failure> {
    if job.splits.val().is_empty() {
        return Err(
            Failure::configuration("there is no validation part to judge trials by").help("set --val 0.1")
        );
    }
    Ok(())
}

/// A search under way.
struct Search {
    path: PathBuf,
    how: How,
    searches: Searches,
    settings: Settings,
    epochs: usize,
    trials: Trials,
    terminal: Terminal,
    json: bool,
    report: bool,
    /// Held as long as this program writes the search.
    _lock: File,
}

impl Search {
    fn open(path: &Path, global: Global, json: bool, report: bool) -> Result<Search, Failure> {
        let file = path.join(DECLARATION);
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Data, format!("{}: cannot be read", file.display())).because(error.to_string())
        };
        let lock = File::open(&file).map_err(|error| unreadable(&error))?;
        if lock.try_lock().is_err() {
            return Err(unwritable(RunError::Busy { path: path.to_owned() }));
        }
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&error))?;
        let declaration: Declaration = toml::from_str(&text).map_err(|error| unreadable(&error))?;
        let Declaration { tune: how, space, settings } = declaration;
        let searches = Searches::new(&space.into_iter().collect::<Vec<_>>())?;
        let settings = Settings::of_values(settings, Origin::Chosen("the same for all trials".into()))?;
        let epochs = settings.get("train.epochs", 30u64)? as usize;
        let trials = Trials::open(path)?;
        let terminal = Terminal::new(global, if json { To::Error } else { To::Output });
        Ok(Search {
            path: path.to_owned(),
            how,
            searches,
            settings,
            epochs,
            trials,
            terminal,
            json,
            report,
            _lock: lock,
        })
    }

    fn rungs(&self) -> Vec<Rung> {
        let How { method, trials, least_epochs, .. } = self.how;
        match method {
            Method::Random => vec![Rung { trials, epochs: self.epochs }],
            Method::Halving => Halving { trials, epochs: self.epochs, least_epochs, factor: FACTOR }.rungs(),
        }
    }

    fn carry_out(mut self) -> Result<u8, Failure> {
        let rungs = self.rungs();
        self.introduce(&rungs);
        let mut going_on: Vec<usize> = (1..=rungs[0].trials).collect();
        for (at, rung) in rungs.iter().enumerate() {
            if at > 0 {
                let scores: Vec<Option<[f64; 2]>> = going_on
                    .iter()
                    .map(|&trial| self.trials.find(trial, rungs[at - 1].epochs)?.score(self.how.by))
                    .collect();
                going_on = promoted(&scores, rung.trials).into_iter().map(|at| going_on[at]).collect();
                let epochs = counted(rung.epochs as u64, "epoch");
                self.terminal.say(&format!("{DIM}the best {} go on to {epochs}{PLAIN}", going_on.len()));
            }
            for (nth, &trial) in going_on.iter().enumerate() {
                let row = match self.trials.find(trial, rung.epochs) {
                    Some(row) => row.clone(),
                    None => match self.trial(trial, rung.epochs, [nth + 1, going_on.len()])? {
                        Some(row) => {
                            self.trials.add(row.clone()).map_err(unwritable)?;
                            self.write_page(None)?;
                            row
                        }
                        None => return self.interrupted(),
                    },
                };
                self.show(&row);
            }
        }
        self.conclude()
    }

    fn introduce(&mut self, rungs: &[Rung]) {
        let mut line = |name: &str, text: String| self.terminal.say(&format!("{DIM}{name:<8}{PLAIN}{text}"));
        for searched in self.searches.all() {
            line("search", format!("{:<20}  {}", searched.key, shown(&searched.declared)));
        }
        let plan: Vec<String> = rungs
            .iter()
            .map(|rung| {
                let trials = counted(rung.trials as u64, "trial");
                format!("{trials} of {}", counted(rung.epochs as u64, "epoch"))
            })
            .collect();
        line("plan", format!("{}; by {}; seed {}", plan.join(", then "), self.how.by.name(), self.how.seed));
        self.terminal.say("");
        let keys: Vec<String> = self.searches.all().iter().map(|searched| searched.key.to_string()).collect();
        self.terminal.say(&format!("{DIM}{}  {}{PLAIN}", Row::heads(), keys.join("  ")));
    }

    fn values(&self, trial: usize) -> Vec<String> {
        self.searches.draw(self.how.seed, trial).iter().map(|(_, value)| shown(value)).collect()
    }

    fn show(&mut self, row: &Row) {
        let line = format!("{}  {}", row.columns(false), self.aligned(row.trial));
        self.terminal.say(&line);
    }

    /// The settings of a trial, each below its key.
    fn aligned(&self, trial: usize) -> String {
        let values = self.values(trial);
        let cell =
            |(searched, value): (&space::Searched, &String)| format!("{value:<w$}", w = searched.key.len());
        let cells: Vec<String> = self.searches.all().iter().zip(&values).map(cell).collect();
        cells.join("  ").trim_end().to_string()
    }

    fn folder_of(&self, trial: usize) -> PathBuf {
        self.path.join(format!("{trial:03}"))
    }

    fn settings_of(&self, trial: usize, epochs: usize) -> Settings {
        let mut values = self.searches.draw(self.how.seed, trial);
        let count = |n: usize| Value::Integer(n as i64);
        values.push(("train.epochs", count(epochs)));
        if self.how.method == Method::Halving && !self.settings.has("optim.schedule_epochs") {
            values.push(("optim.schedule_epochs", count(self.epochs)));
        }
        values.push(("run.folder", Value::String(self.path.display().to_string())));
        values.push(("run.name", Value::String(format!("{trial:03}"))));
        self.settings.with(&values)
    }

    /// Trains a trial until it has so many epochs, from where it stands; nothing if it was interrupted.
    fn trial(&mut self, trial: usize, epochs: usize, [nth, of]: [usize; 2]) -> Result<Option<Row>, Failure> {
        let begin = Instant::now();
        let path = self.folder_of(trial);
        let (folder, checkpoint) = match RunFolder::open(&path) {
            Ok(folder) => {
                let last = folder.last_checkpoint().map_err(unwritable)?;
                (folder, last.map(|(checkpoint, _)| checkpoint))
            }
            Err(_) => {
                // A folder that was left empty by a program that was killed; any other stays, and is told.
                let _ = fs::remove_dir(&path);
                (RunFolder::at(&path).map_err(unwritable)?, None)
            }
        };
        let (settings, search) = match &checkpoint {
            // What was found out when it began holds.
            Some(checkpoint) => {
                let longer = Value::Integer(epochs as i64);
                let mut changes = vec![("train.epochs", longer, Origin::Chosen("of the search".into()))];
                let isa = plan::same_isa(checkpoint)
                    .map(|isa| ("machine.isa", isa, Origin::Chosen("as it began".into())));
                changes.extend(isa);
                (Settings::of_run(&path.join(RunFolder::CONFIG), &changes)?, RateSearch::Later)
            }
            None => (self.settings_of(trial, epochs), RateSearch::Now(None)),
        };
        let job = Job::prepare(&settings, search)?;
        judged(&job)?;
        settings.unused()?;
        folder.write(RunFolder::CONFIG, settings.to_toml()).map_err(unwritable)?;
        let events = folder.events().map_err(unwritable)?;
        folder.write_data(&job.splits, job.files.as_ref()).map_err(unwritable)?;
        let mut watch =
            Bar { terminal: &mut self.terminal, label: format!("trial {nth}/{of}"), epochs, begin };
        let done = perform(&job, Place { folder, events, begin }, checkpoint, &mut watch, false);
        let failed = Row {
            trial,
            epochs,
            trained: 0,
            kept: 0,
            loss: None,
            accuracy: None,
            macro_f1: None,
            seconds: begin.elapsed().as_secs_f64(),
        };
        let Done { fit, .. } = match done {
            Ok(done) => done,
            Err(failure) if failure.exit() == Exit::Found as u8 => return Ok(Some(failed)),
            Err(failure) if failure.exit() == Exit::Interrupted as u8 => return Ok(None),
            Err(failure) => return Err(failure),
        };
        if fit.reason() == StopReason::Interrupted {
            return Ok(None);
        }
        let kept = fit.model().provenance.kept_epoch;
        let score = fit.history().iter().find(|end| end.epoch == kept).and_then(|end| end.validation);
        Ok(Some(Row {
            trained: fit.history().len(),
            kept,
            loss: score.map(|score| score.loss),
            accuracy: score.and_then(|score| score.accuracy),
            macro_f1: score.and_then(|score| score.macro_f1),
            ..failed
        }))
    }

    fn interrupted(&mut self) -> Result<u8, Failure> {
        self.terminal.say(&format!("\n{DIM}go on with  {PLAIN}{} resume {}", called(), self.path.display()));
        Ok(Exit::Interrupted as u8)
    }

    /// What the best trial's run says of its test part.
    fn test_of(&self, trial: usize) -> Option<Evaluation> {
        let text = fs::read_to_string(self.folder_of(trial).join("evaluation.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn conclude(&mut self) -> Result<u8, Failure> {
        let ranked = self.trials.ranked(self.how.by);
        let Some(best) = ranked.first().filter(|row| row.loss.is_some()) else {
            self.write_page(None)?;
            return Err(
                Failure::new(Exit::Found, "every trial diverged").help("search smaller learning rates")
            );
        };
        let path = self.folder_of(best.trial);
        if self.report && !interruption().is_requested() {
            let settings = Settings::of_run(&path.join(RunFolder::CONFIG), &[])?;
            let job = Job::prepare(&settings, RateSearch::Later)?;
            let folder = RunFolder::open(&path).map_err(unwritable)?;
            let model = super::load(&path)?;
            if let Err(failure) = write_report(&job, &folder, &model, None, None) {
                self.terminal.warn(&format!("no report: {}", failure.text().trim_end()));
            }
        }
        let test = self.test_of(best.trial);
        let said = test.as_ref().and_then(|test| {
            let accuracy = test.accuracy()?;
            Some(format!("accuracy {}, on {}", percent(accuracy), counted(test.n as u64, "example")))
        });
        let page = self.write_page(test.as_ref().and_then(Evaluation::accuracy))?;
        if self.json {
            let trials: Vec<serde_json::Value> = ranked
                .iter()
                .map(|row| {
                    let settings: serde_json::Map<String, serde_json::Value> = self
                        .searches
                        .draw(self.how.seed, row.trial)
                        .into_iter()
                        .map(|(key, value)| (key.to_string(), json!(value)))
                        .collect();
                    json!({ "run": self.folder_of(row.trial).display().to_string(), "result": row, "settings": settings })
                })
                .collect();
            let all = json!({
                "search": self.path.display().to_string(),
                "best": path.display().to_string(),
                "test": test,
                "trials": trials,
                "page": page.display().to_string(),
            });
            writeln!(std::io::stdout(), "{all}")?;
            return Ok(0);
        }
        self.terminal.say(&format!("\n{BOLD}the best first{PLAIN}"));
        let keys: Vec<&str> = self.searches.all().iter().map(|searched| searched.key).collect();
        self.terminal.result(&format!("{DIM}{}  {}{PLAIN}", Row::heads(), keys.join("  ")));
        for (rank, row) in ranked.iter().take(SHOWN).enumerate() {
            let line = format!("{}  {}", row.columns(rank == 0), self.aligned(row.trial));
            self.terminal.result(&line);
        }
        if ranked.len() > SHOWN {
            self.terminal.say(&format!("{DIM}       and {} more, in the page{PLAIN}", ranked.len() - SHOWN));
        }
        let bratt = called();
        self.terminal.result(&format!("\n{DIM}best    {PLAIN}{BOLD}{}{PLAIN}", path.display()));
        if let Some(said) = said {
            self.terminal.result(&format!("{DIM}test    {PLAIN}{said} never used for training or choosing"));
        }
        self.terminal.result(&format!("{DIM}page    {PLAIN}{}", page.display()));
        self.terminal.say(&format!("{DIM}repeat  {PLAIN}{bratt} {}", repeat(&path)));
        Ok(0)
    }

    /// The page, as far as the search is.
    fn write_page(&self, test: Option<f64>) -> Result<PathBuf, Failure> {
        let trial = |row: Row| SearchTrial {
            values: self.values(row.trial),
            places: self.searches.places(self.how.seed, row.trial),
            number: row.trial,
            epochs: row.trained,
            loss: row.loss,
            accuracy: row.accuracy,
            macro_f1: row.macro_f1,
            seconds: row.seconds,
        };
        let ranked = self.trials.ranked(self.how.by);
        let best = ranked.first().map_or(1, |row| row.trial);
        let regression = ranked.iter().all(|row| row.accuracy.is_none());
        let axis =
            |searched: &space::Searched| SearchAxis { name: searched.key.into(), labels: searched.labels() };
        let about = match self.how.method {
            Method::Random => "Random search: every trial was trained to its end.".to_string(),
            Method::Halving => {
                format!("Successive halving: of each round the best one of {FACTOR} trained on for longer.")
            }
        };
        let page = SearchPage {
            name: self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            about,
            axes: self.searches.all().iter().map(axis).collect(),
            trials: ranked.into_iter().map(trial).collect(),
            score: if regression { "validation loss" } else { "accuracy" },
            test: test.map(percent),
            repeat: format!("bratt {}", repeat(&self.folder_of(best))),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let path = self.path.join(PAGE);
        RunFolder::write_to(&path, page.to_html()).map_err(unwritable)?;
        Ok(path)
    }
}

/// Trials in the table at the end.
const SHOWN: usize = 10;

/// The command that trains as a trial did.
fn repeat(trial: &Path) -> String {
    format!("train --config {} --runs runs --name again", trial.join(RunFolder::CONFIG).display())
}

/// The progress of one trial.
struct Bar<'a> {
    terminal: &'a mut Terminal,
    label: String,
    epochs: usize,
    begin: Instant,
}

impl Listener for Bar<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step { epoch, step, steps, loss, .. } if self.terminal.wants_progress() => {
                self.terminal.progress(&Progress {
                    label: &format!("{}  epoch {epoch}/{}", self.label, self.epochs),
                    done: ((epoch - 1) * steps + step) as u64,
                    all: (self.epochs * steps) as u64,
                    elapsed: self.begin.elapsed(),
                    note: &format!("loss {}", terminal::loss(*loss)),
                });
            }
            Event::Finished { .. } | Event::Diverged { .. } => self.terminal.clear(),
            _ => {}
        }
    }
}
