//! `bratt train`

mod console;

use super::audit;
use crate::args::{Global, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::plan::{self, AugmentPlan, ModelPlan, OptimPlan, at_least_one};
use crate::settings::{Origin, Settings};
use crate::terminal::{DIM, PLAIN, Terminal, To, counted, magnitude, tell, thousands};
use bratt::data::{Audit, Features, Source, digits};
use bratt::exec::Isa;
use bratt::names::hint;
use bratt::nn;
use bratt::report::{RunError, RunFolder};
use bratt::train::{
    Evaluation, Event, Fit, Listener, Listeners, Preprocess, Splits, Stop, StopReason, TrainError, Trainer,
};
use console::Console;
use serde_json::json;
use std::io::Write;
use std::time::Instant;

/// Networks of more layers are not listed before training; `inspect` shows them.
const MOST_LAYERS: usize = 16;

/// Trains; the number is the exit code.
pub fn run(args: &TrainArgs, global: Global) -> Result<u8, Failure> {
    let begin = Instant::now();
    if args.set.iter().any(|text| text == "help") {
        writeln!(anstream::stdout(), "{}", crate::settings::key_table())?;
        return Ok(0);
    }
    let settings = Settings::collect(args)?;
    let mut terminal = Terminal::new(global, if args.json { To::Error } else { To::Output });
    let job = Job::prepare(&settings)?;
    for note in settings.unused()? {
        terminal.warn(&note);
    }
    let folder = job.folder()?;
    folder.write("config.toml", settings.to_toml()).map_err(unwritable)?;
    folder.write_data(&job.splits).map_err(unwritable)?;
    job.introduce(&settings, &mut terminal);

    let stop = Stop::default();
    listen_for_interrupts(&stop);
    let trainer = job.trainer.clone().stop(&stop);
    let mut events = folder.events().map_err(unwritable)?;
    let mut metrics = folder.metrics().map_err(unwritable)?;
    let mut console = Console::new(&mut terminal);
    let fitted = {
        let mut all = Listeners(vec![&mut events, &mut metrics, &mut console]);
        trainer.fit_with(&job.splits, &mut all)
    };
    let mut fit = fitted.map_err(|error| training_failed(&error))?;
    if fit.history().is_empty() {
        let message = "interrupted before the first step; nothing was trained, and no model was saved";
        return Err(Failure::new(Exit::Interrupted, message));
    }
    let test = match job.splits.test() {
        part if part.is_empty() => None,
        part => Some(fit.evaluate(part).map_err(|error| Failure::data(&error))?),
    };
    if let Some(test) = &test {
        fit.record_test(test);
        events.event(&Event::Tested { test: test.clone() });
        folder.write_evaluation(test).map_err(unwritable)?;
    }
    folder.write_model(fit.model()).map_err(unwritable)?;
    events.finish().and_then(|_| metrics.finish()).map_err(|error| {
        Failure::new(Exit::Configuration, format!("{}: cannot be written", folder.path().display()))
            .because(error.to_string())
    })?;
    let sample = job.write_sample(&folder);

    let seconds = begin.elapsed().as_secs_f64();
    console::conclude(&mut terminal, &fit, test.as_ref(), &folder, seconds);
    if !args.json && fit.reason() != StopReason::Interrupted {
        suggest(&mut terminal, &job, &folder, sample);
    }
    if args.json {
        writeln!(std::io::stdout(), "{}", summary(&fit, test.as_ref(), &folder, seconds))?;
    }
    Ok(if fit.reason() == StopReason::Interrupted { Exit::Interrupted as u8 } else { 0 })
}

/// Width of the names of the lines that introduce a training.
const NAME: usize = 8;
/// Width of their text.
const TEXT: usize = 47;

/// More threads that make batches could only be a slip.
const MOST_LOADERS: u64 = 64;

/// A training that is ready to begin.
pub(super) struct Job {
    pub(super) splits: Splits,
    source: Option<String>,
    image_files: bool,
    findings: Option<String>,
    val_given: bool,
    pub(super) trainer: Trainer,
    model: ModelPlan,
    optim: OptimPlan,
    preprocess: Preprocess,
    augment: AugmentPlan,
    isa: Isa,
    threads: usize,
    pub(super) epochs: u64,
    batch_size: u64,
    pub(super) seed: u64,
    steps_per_epoch: u64,
    runs: String,
    name: Option<String>,
}

impl Job {
    /// Reads the data and settles everything, so that what can be wrong is found before anything is written.
    pub(super) fn prepare(settings: &Settings) -> Result<Job, Failure> {
        let opened = plan::data(settings)?.open(settings)?;
        let seed = settings.get("train.seed", 0)?;
        let fractions = plan::fractions(settings, opened.as_ref())?;
        let source = opened.as_ref().map(|source| source.describe().to_string());
        let image_files = opened.as_ref().is_some_and(Source::has_image_files);
        let val_given = opened.as_ref().is_some_and(|source| !source.val.is_empty());
        let findings = opened.as_ref().and_then(|source| audit::short(&Audit::brief(source)));
        let splits = match opened {
            Some(source) => Splits::of(source, fractions, seed),
            None => Splits::new(digits(), fractions, seed),
        }
        .map_err(|error| Failure::data(&error))?;

        let model = plan::model(settings, splits.data(), image_files)?;
        let preprocess = preprocess(settings)?;
        let augment = plan::augment(settings, splits.data(), image_files)?;
        let epochs = at_least_one(settings, "train.epochs", 30)?;
        let batch_size = at_least_one(settings, "train.batch_size", 64)?;
        let patience = settings.get("train.patience", 0)?;
        let threads = plan::threads(settings.get("machine.threads", 0u64)? as usize)?;
        let isa = plan::isa(&settings.get("machine.isa", "auto".to_string())?)?;
        let of = nn::Model { name: model.name.clone(), network: model.network.clone(), task: model.task };
        let mut trainer = Trainer::new(of)
            .preprocess(preprocess)
            .augment(augment.augment.clone())
            .epochs(small(settings, "train.epochs", epochs)?)
            .batch_size(small(settings, "train.batch_size", batch_size)?)
            .seed(seed)
            .threads(threads)
            .isa(isa);
        let loaders = settings.get("machine.loaders", trainer.resolved_loaders() as u64)?;
        if loaders > MOST_LOADERS {
            return Err(settings.invalid("machine.loaders", &format!("at most {MOST_LOADERS}")));
        }
        trainer = trainer.loaders(loaders as usize);
        if patience > 0 {
            trainer = trainer.patience(small(settings, "train.patience", patience)?);
        }
        let steps_per_epoch = trainer.steps_per_epoch(splits.train().len()) as u64;
        let optim = plan::optim(settings, epochs, steps_per_epoch.max(1))?;
        trainer = trainer.optimizer(optim.optimizer.clone()).schedule(optim.schedule.clone());
        if let Some(momentum) = &optim.momentum {
            trainer = trainer.momentum(momentum.clone());
        }
        trainer.check(&splits).map_err(|error| match error {
            TrainError::Setting { .. } | TrainError::Optimizer(_) | TrainError::Schedule(_) => {
                Failure::of(Exit::Configuration, &error)
            }
            TrainError::Targets { .. } if model.name == "linear" => Failure::of(Exit::Configuration, &error)
                .help("`linear` predicts the numbers of a CSV column; take `softmax` for classes"),
            error => Failure::data(&error),
        })?;
        let job = Job {
            splits,
            source,
            image_files,
            findings,
            val_given,
            trainer,
            model,
            optim,
            preprocess,
            augment,
            isa,
            threads,
            epochs,
            batch_size,
            seed,
            steps_per_epoch,
            runs: settings.get("run.folder", "runs".to_string())?,
            name: settings.given::<String>("run.name")?,
        };
        Ok(job)
    }

    /// Makes the folder of the run.
    fn folder(&self) -> Result<RunFolder, Failure> {
        let made = match &self.name {
            Some(name) => RunFolder::named(&self.runs, name),
            None => {
                let name = self.splits.data().name();
                RunFolder::numbered(&self.runs, name.strip_suffix(".csv").unwrap_or(name))
            }
        };
        made.map_err(|error| match &error {
            RunError::Exists { .. } => {
                Failure::of(Exit::Configuration, &error).help("choose another name with --name")
            }
            RunError::Name { .. } => Failure::of(Exit::Configuration, &error),
            _ => unwritable(error),
        })
    }

    /// Says what was decided, why, and what changes it.
    fn introduce(&self, settings: &Settings, terminal: &mut Terminal) {
        let mut block = |name: &str, what: &str, keys: &str| {
            // Without keys the text has the whole line.
            let width = if keys.is_empty() { 79 - NAME } else { TEXT };
            let (text, keys) = (wrapped(what, width), wrapped(keys, 79 - NAME - TEXT - 2));
            for at in 0..text.len().max(keys.len()) {
                let part = |parts: &[String]| parts.get(at).cloned().unwrap_or_default();
                let name = if at == 0 { name } else { "" };
                let (text, keys) = (part(&text), part(&keys));
                let line = match keys.as_str() {
                    "" => format!("{DIM}{name:<NAME$}{PLAIN}{text}"),
                    _ => format!("{DIM}{name:<NAME$}{PLAIN}{text:<TEXT$}  {DIM}{keys}{PLAIN}"),
                };
                terminal.say(&line);
            }
        };
        let data = self.splits.data();
        match &self.source {
            Some(reason) => block(
                "data",
                &format!("{}; {reason}", data.name()),
                if self.image_files { "--data --size --fit" } else { "--data --label" },
            ),
            None => {
                block("data", &format!("built-in digits: {}", data.describe()), "--data");
                block("", digits::ATTRIBUTION, "");
            }
        }
        if let Some(findings) = &self.findings {
            block("audit", findings, "");
        }
        let sizes = self.splits.sizes();
        let given = match (self.val_given, self.splits.test_is_given()) {
            (true, true) => "as the data have it",
            (true, false) => "the validation part came with the data",
            (false, true) => "the test part came with the data",
            (false, false) => "stratified",
        };
        let [train, val, test] = [sizes.train, sizes.val, sizes.test].map(|n| thousands(n as u64));
        block("split", &format!("{train} training, {val} validation, {test} test; {given}"), "--val --test");
        for small in &self.splits.split().small_classes {
            let name = &data.classes()[small.class as usize];
            let [train, val, test] = small.counts;
            block("", &format!("class {name} is small: {train} training, {val} validation, {test} test"), "");
        }
        let preprocess = format!("{}, learned from the training part", self.preprocess.describe());
        block("input", &preprocess, "--preprocess");
        // The built-in digits need no word about what they do not get.
        let worth_saying = self.source.is_some() || !self.augment.augment.is_none();
        if worth_saying && !self.augment.about.is_empty() {
            block("augment", &self.augment.about, "--augment");
        }
        let network = &self.model.network;
        let parameters = network.summary().map_or(0, |summary| summary.parameters());
        let layers: Vec<String> = network.layers.iter().map(|named| named.layer.describe()).collect();
        let layers = match layers.len() {
            0..=MOST_LAYERS => layers.join(", "),
            count => format!("{count} layers from {} to {}", layers[0], layers[count - 1]),
        };
        let (name, parameters) = (&self.model.name, magnitude(parameters as f64));
        let flags = if name == "mlp" { "--model --hidden --activation --drop" } else { "--model" };
        block("model", &format!("{name}, {parameters} parameters: {layers}"), flags);
        block("optim", &self.optim.optimizer.describe(), "--optimizer");
        let rate = match settings.origin("optim.lr") {
            Origin::Default => {
                let (usual, name) =
                    (self.optim.optimizer.default_learning_rate(), self.optim.optimizer.name());
                match settings.origin("optim.schedule") {
                    Origin::Default => format!("; on average about {name}'s usual {usual:e}"),
                    _ => format!("; {usual:e} is usual for {name}"),
                }
            }
            _ => String::new(),
        };
        block("rate", &format!("{}{rate}", self.optim.schedule), "--lr --schedule");
        if let Some(momentum) = &self.optim.momentum {
            block("", &format!("momentum {momentum}"), "--momentum");
        }
        let training = format!(
            "{} of {} of {}; seed {}",
            counted(self.epochs, "epoch"),
            counted(self.steps_per_epoch, "step"),
            counted(self.batch_size, "example"),
            self.seed
        );
        block("train", &training, "--epochs --seed --batch-size");
        let threads = counted(self.threads as u64, "thread");
        match self.trainer.resolved_loaders() {
            0 => block("machine", &format!("{threads}, {}", self.isa), "--threads --isa"),
            loaders => {
                let loaders = counted(loaders as u64, "loader");
                block("machine", &format!("{threads}, {loaders}, {}", self.isa), "--threads --loaders --isa");
            }
        }
        terminal.say("");
    }

    /// Writes one image of the test part as a picture, so that there is something to predict. Its path and label.
    fn write_sample(&self, folder: &RunFolder) -> Option<(String, String)> {
        let test = self.splits.test();
        let (data, index) = (test.data(), *test.indices().first()? as usize);
        let Features::Pixels { bytes, scale } = data.features() else { return None };
        let [height, width, channels] = *data.shape() else { return None };
        let pixels: Vec<u8> = bytes[index * data.feature_len()..][..data.feature_len()]
            .iter()
            .map(|&byte| (f32::from(byte) * scale * 255.0).round().clamp(0.0, 255.0) as u8)
            .collect();
        let color = match channels {
            1 => image::ExtendedColorType::L8,
            3 => image::ExtendedColorType::Rgb8,
            _ => return None,
        };
        let path = folder.path().join("sample.png");
        // A picture that cannot be written is no loss.
        image::save_buffer(&path, &pixels, u32::try_from(width).ok()?, u32::try_from(height).ok()?, color)
            .ok()?;
        let label = data.classes().get(*data.labels().get(index)? as usize)?;
        Some((path.display().to_string(), label.clone()))
    }
}

const PREPROCESS: [&str; 6] = ["per-channel", "standardize", "pca", "pca-whiten", "zca", "none"];

fn preprocess(settings: &Settings) -> Result<Preprocess, Failure> {
    let name = settings.get("data.preprocess", "per-channel".to_string())?.replace('_', "-");
    Ok(match name.as_str() {
        "per-channel" => Preprocess::PerChannel,
        "standardize" | "per-feature" => Preprocess::PerFeature,
        "pca" => Preprocess::pca(),
        "pca-whiten" => Preprocess::PcaWhiten { keep: 0.99, epsilon: 1e-5 },
        "zca" => Preprocess::zca(),
        "none" => Preprocess::None,
        other => {
            return Err(settings
                .invalid("data.preprocess", "the name of a preprocessing")
                .help(hint(other, &PREPROCESS)));
        }
    })
}

/// A count that memory can hold.
fn small(settings: &Settings, name: &str, count: u64) -> Result<usize, Failure> {
    u32::try_from(count).map(|n| n as usize).map_err(|_| settings.invalid(name, "less than 4 billion"))
}

fn unwritable(error: RunError) -> Failure {
    Failure::of(Exit::Configuration, &error).help("choose another folder of runs with --runs")
}

fn training_failed(error: &TrainError) -> Failure {
    match error {
        TrainError::Diverged { .. } => {
            Failure::of(Exit::Found, error).help("try a smaller --lr, or --clip-norm 1")
        }
        _ => Failure::data(error),
    }
}

/// The first Ctrl-C ends training cleanly, the second ends the program.
fn listen_for_interrupts(stop: &Stop) {
    let stop = stop.clone();
    // Without a handler Ctrl-C still ends the program, only less cleanly.
    let _ = ctrlc::set_handler(move || {
        if stop.is_requested() {
            std::process::exit(Exit::Interrupted as i32);
        }
        stop.request();
        tell("\nstopping after this step, then saving; Ctrl-C again quits at once\n");
    });
}

fn suggest(terminal: &mut Terminal, job: &Job, folder: &RunFolder, sample: Option<(String, String)>) {
    let run = folder.path().display();
    // Who runs it through cargo may not have it installed.
    let cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    let bratt = if cargo { "cargo run --release --" } else { "bratt" };
    terminal.say(&format!("\n{DIM}try next{PLAIN}"));
    let mut line = |about: &str, command: String| {
        terminal.say(&format!("  {DIM}{about:<16} {PLAIN}{bratt} {command}"));
    };
    line("class by class", format!("eval {run}"));
    match sample {
        Some((path, label)) => line(&format!("a test image, {label}"), format!("predict {run} {path}")),
        None => line("rows of a table", format!("predict {run} ROWS.csv")),
    }
    line("layers and cost", format!("inspect {run}"));
    if job.source.is_none() {
        line("your own data", "train --data FOLDER_OR_CSV".into());
    }
}

fn summary(fit: &Fit, test: Option<&Evaluation>, folder: &RunFolder, seconds: f64) -> serde_json::Value {
    let model = fit.model();
    let best = fit.history().iter().find(|end| end.epoch == model.provenance.kept_epoch);
    json!({
        "run": folder.path().display().to_string(),
        "model": folder.model_path().display().to_string(),
        "seconds": seconds,
        "training_seconds": fit.seconds(),
        "epochs": fit.history().len(),
        "kept_epoch": model.provenance.kept_epoch,
        "reason": fit.reason(),
        "seed": model.provenance.seed,
        "train_loss": best.map(|end| end.train_loss),
        "validation": best.and_then(|end| end.validation),
        "test": test,
    })
}

/// Text in lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
