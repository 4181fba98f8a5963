//! What is to be trained, on what and how: read, settled, and introduced to the user.

use super::search;
use crate::commands::audit;
use crate::failure::{Exit, Failure};
use crate::plan::{self, AugmentPlan, BalancePlan, ModelPlan, OptimPlan, at_least_one};
use crate::settings::{Origin, Settings};
use crate::terminal::{DIM, PLAIN, Terminal, counted, magnitude, thousands};
use bratt::data::{Audit, Features, Source, digits};
use bratt::exec::Isa;
use bratt::names::hint;
use bratt::nn;
use bratt::report::{Checkpoints, RunError, RunFolder};
use bratt::train::{Monitor, Preprocess, RateTest, Splits, TrainError, Trainer};
use image::ImageFormat;
use std::io::Cursor;
use std::time::Duration;

/// Networks of more layers are not listed before training; `inspect` shows them.
const MOST_LAYERS: usize = 16;
/// So many classes with few examples are named before training.
const MOST_SMALL: usize = 5;
/// Width of the names of the lines that introduce a training.
const NAME: usize = 8;
/// Width of their text.
const TEXT: usize = 47;

/// More threads that make batches could only be a slip.
const MOST_LOADERS: u64 = 64;

/// When a learning rate is searched for that nobody gave.
pub enum Search<'a> {
    /// Before the training, which begins now; the terminal, if there is one, shows how far it is.
    Now(Option<&'a mut Terminal>),
    /// No training begins.
    Later,
}

/// A training that is ready to begin.
pub struct Job {
    pub splits: Splits,
    pub source: Option<String>,
    image_files: bool,
    pub findings: Option<String>,
    pub files: Option<[Vec<String>; 2]>,
    val_given: bool,
    pub trainer: Trainer,
    pub between_checkpoints: Duration,
    model: ModelPlan,
    optim: OptimPlan,
    preprocess: Preprocess,
    pub augment: AugmentPlan,
    balance: BalancePlan,
    monitor: Monitor,
    patience: u64,
    /// The learning rates that were tried, if one was searched for.
    pub rates: Option<RateTest>,
    pub isa: Isa,
    pub threads: usize,
    pub epochs: u64,
    batch_size: u64,
    pub seed: u64,
    steps_per_epoch: u64,
    runs: String,
    name: Option<String>,
}

impl Job {
    /// Reads the data and settles everything, so that what can be wrong is found before anything is written.
    pub fn prepare(settings: &Settings, search: Search<'_>) -> Result<Job, Failure> {
        let opened = plan::data(settings)?.open(settings)?;
        let seed = settings.get("train.seed", 0)?;
        let fractions = plan::fractions(settings, opened.as_ref())?;
        let source = opened.as_ref().map(|source| source.describe().to_string());
        let image_files = opened.as_ref().is_some_and(Source::has_image_files);
        let val_given = opened.as_ref().is_some_and(|source| !source.val.is_empty());
        let findings = opened.as_ref().and_then(|source| audit::short(&Audit::brief(source)));
        let files = opened.as_ref().and_then(Source::files);
        let splits = match opened {
            Some(source) => Splits::of(source, fractions, seed),
            None => Splits::new(digits(), fractions, seed),
        }
        .map_err(|error| Failure::data(&error))?;

        let model = plan::model(settings, splits.data(), image_files)?;
        let preprocess = preprocess(settings)?;
        let augment = plan::augment(settings, splits.data(), image_files)?;
        let counts = splits.train().class_counts();
        let balance = plan::balance(settings, &counts)?;
        let batch_size = plan::batch_size(settings, splits.train().len())?;
        let epochs = at_least_one(settings, "train.epochs", 30)?;
        let monitor = plan::monitor(settings)?;
        let patience = settings.get("train.patience", 0)?;
        let threads = plan::threads(settings.get("machine.threads", 0u64)? as usize)?;
        let isa = plan::isa(&settings.get("machine.isa", "auto".to_string())?)?;
        let of = nn::Model { name: model.name.clone(), network: model.network.clone(), task: model.task };
        let mut trainer = Trainer::new(of)
            .preprocess(preprocess)
            .augment(augment.augment.clone())
            .balance(balance.balance)
            .monitor(monitor)
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
        let between = settings.get("run.checkpoint_every", Checkpoints::EVERY.as_secs_f64())?;
        let between_checkpoints = Duration::try_from_secs_f64(between)
            .map_err(|_| settings.invalid("run.checkpoint_every", "a number of seconds, 0 for every step"))?;
        let mut optim = plan::optim(settings, epochs, steps_per_epoch.max(1), None)?;
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
        let mut rates = None;
        match search {
            Search::Now(terminal) if optim.search => {
                let (rate, how, tried) = search::find(&trainer, &splits, optim.rate, terminal)?;
                let rate = settings.decide("optim.lr", rate, Origin::Chosen(how));
                optim = plan::optim(settings, epochs, steps_per_epoch.max(1), Some(rate))?;
                trainer = trainer.schedule(optim.schedule.clone());
                rates = Some(tried);
            }
            Search::Later if optim.search => {
                let how = Origin::Chosen("found by trying rates, when training begins".into());
                settings.decide("optim.lr", plan::AUTO.to_string(), how);
            }
            _ => {}
        }
        let job = Job {
            splits,
            source,
            image_files,
            findings,
            files,
            val_given,
            trainer,
            between_checkpoints,
            model,
            optim,
            preprocess,
            augment,
            balance,
            monitor,
            patience,
            rates,
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

    /// Checks other settings on the same data, without reading them again.
    ///
    /// # Errors
    /// The first name or number that cannot be.
    pub fn check(&self, settings: &Settings) -> Result<(), Failure> {
        let (data, examples) = (self.splits.data(), self.splits.train().len());
        plan::model(settings, data, self.image_files)?;
        preprocess(settings)?;
        plan::augment(settings, data, self.image_files)?;
        plan::balance(settings, &self.splits.train().class_counts())?;
        plan::batch_size(settings, examples)?;
        plan::monitor(settings)?;
        plan::optim(settings, self.epochs, self.steps_per_epoch.max(1), None).map(drop)
    }

    /// Makes the folder of the run.
    pub fn folder(&self) -> Result<RunFolder, Failure> {
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
    pub fn introduce(&self, settings: &Settings, terminal: &mut Terminal) {
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
        let small = &self.splits.split().small_classes;
        for class in small.iter().take(MOST_SMALL) {
            let name = &data.classes()[class.class as usize];
            let [train, val, test] = class.counts;
            block("", &format!("class {name} is small: {train} training, {val} validation, {test} test"), "");
        }
        if small.len() > MOST_SMALL {
            let more = thousands((small.len() - MOST_SMALL) as u64);
            block("", &format!("{more} more classes are small"), "");
        }
        let chosen = matches!(settings.origin("data.balance"), Origin::Default | Origin::Chosen(_));
        let about = self.balance.about(chosen);
        if !about.is_empty() {
            block("classes", &about, "--balance");
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
        let rate = match (settings.origin("optim.lr"), &self.rates) {
            (_, Some(_)) => format!("; {}", settings.reason("optim.lr")),
            (Origin::Default, None) => {
                let (usual, name) =
                    (self.optim.optimizer.default_learning_rate(), self.optim.optimizer.name());
                match settings.origin("optim.schedule") {
                    Origin::Default => format!("; on average about {name}'s usual {usual:e}"),
                    _ => format!("; {usual:e} is usual for {name}"),
                }
            }
            _ => String::new(),
        };
        let schedule = match self.optim.search {
            true => "found by trying rates, when training begins".into(),
            false => format!("{}{rate}", self.optim.schedule),
        };
        block("rate", &schedule, "--lr --schedule");
        if let Some(momentum) = &self.optim.momentum {
            block("", &format!("momentum {momentum}"), "--momentum");
        }
        let few = match (settings.origin("train.batch_size"), settings.reason("train.batch_size")) {
            (Origin::Default, Origin::Chosen(why)) => format!("; {why}"),
            _ => String::new(),
        };
        let training = format!(
            "{} of {} of {}{few}; seed {}",
            counted(self.epochs, "epoch"),
            counted(self.steps_per_epoch, "step"),
            counted(self.batch_size, "example"),
            self.seed
        );
        block("train", &training, "--epochs --seed --batch-size");
        let without = counted(self.patience, "epoch");
        match (self.patience, self.monitor) {
            (0, Monitor::ValLoss) => {}
            (0, monitor) => block("", &format!("keeps the epoch of {}", monitor.best()), "--monitor"),
            (_, monitor) => {
                let text = format!("stops after {without} without a better {}", monitor.words());
                block("", &text, "--patience --monitor");
            }
        }
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
    pub fn write_sample(&self, folder: &RunFolder) -> Option<(String, String)> {
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
        let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        let mut png = Cursor::new(Vec::new());
        // A picture that cannot be written is no loss.
        image::write_buffer_with_format(&mut png, &pixels, width, height, color, ImageFormat::Png).ok()?;
        folder.write(SAMPLE, png.into_inner()).ok()?;
        let label = data.classes().get(*data.labels().get(index)? as usize)?;
        Some((folder.path().join(SAMPLE).display().to_string(), label.clone()))
    }
}

/// The name of the picture.
const SAMPLE: &str = "sample.png";

/// Where runs cannot be written.
pub fn unwritable(error: RunError) -> Failure {
    Failure::of(Exit::Configuration, &error).help("choose another folder of runs with --runs")
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
