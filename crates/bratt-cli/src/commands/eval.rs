//! `bratt eval MODEL [DATA]`

use super::load;
use crate::args::{EvalArgs, Global, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::plan::{self, DIGITS};
use crate::settings::Settings;
use crate::terminal::{Terminal, To, counted, percent};
use bratt::data::{self, Dataset, Fractions, ImageOptions, Layout, Options, Source};
use bratt::model::{Inputs, TrainedModel};
use bratt::nn::Task;
use bratt::train::{Part, Splits, evaluate};
use std::io::Write;
use std::path::Path;

/// Judges a model; the number is the exit code.
pub fn run(args: &EvalArgs, global: Global) -> Result<u8, Failure> {
    let model = load(&args.model)?;
    let threads = plan::threads(args.threads.unwrap_or(0))?;
    let judged = match &args.data {
        Some(path) => given(&model, path, args)?,
        None => own_test_part(&model, args)?,
    };
    let part = match &judged.splits {
        Some(splits) => splits.test(),
        None => Part::whole(&judged.data),
    };
    let evaluation = evaluate(&model, &part, threads).map_err(|error| Failure::data(&error))?;
    let mut out = anstream::stdout();
    if args.json {
        let mut json = serde_json::to_value(&evaluation).unwrap_or_default();
        json["model"] = super::model_file(&args.model).display().to_string().into();
        json["data"] = judged.what.clone().into();
        writeln!(out, "{json}")?;
    } else {
        let mut terminal = Terminal::new(global, To::Output);
        terminal.say(&format!("model   {}", super::model_file(&args.model).display()));
        terminal.say(&format!("data    {}\n", judged.what));
        writeln!(out, "{evaluation}")?;
    }
    if let Some(note) = judged.note {
        Terminal::new(global, To::Error).warn(note);
    }
    out.flush()?;
    let (Some(required), Some(accuracy)) = (args.require_accuracy, evaluation.accuracy()) else {
        return Ok(0);
    };
    if accuracy >= required {
        return Ok(0);
    }
    let message = format!("accuracy {} is below the required {}", percent(accuracy), percent(required));
    Err(Failure::new(Exit::Found, message))
}

/// What is judged: all of `data`, or the test part of `splits`.
struct Judged {
    data: Dataset,
    splits: Option<Splits>,
    what: String,
    note: Option<&'static str>,
}

const SEEN: &str = "the model was trained on part of these examples; the figures flatter it";

/// Data named on the command line: their test part if they bring one, else all.
fn given(model: &TrainedModel, path: &Path, args: &EvalArgs) -> Result<Judged, Failure> {
    let source = if path.as_os_str() == DIGITS && !path.exists() {
        None
    } else {
        // IDX files have numbers for classes, which must not pass for whatever classes the model knows.
        let named = !matches!(Layout::of(path), Ok(Layout::Idx));
        let classes = (named && !model.classes.is_empty()).then(|| model.classes.clone());
        let images = ImageOptions {
            on_bad: plan::on_bad(args.on_bad.as_deref())
                .ok_or_else(|| Failure::configuration("--on-bad: expected fail or skip"))?,
            threads: args.threads.unwrap_or(0),
            ..images_of(model)
        };
        let label = args.label.clone();
        let cache = if args.no_cache { None } else { super::cache::cache() };
        let options = Options { label, regression: model.task == Task::Regress, classes, images, cache };
        Some(data::open(path, &options).map_err(|error| plan::unusable(&error))?)
    };
    let (data, what) = match source {
        Some(Source { test: Some(test), .. }) => {
            let what = format!("{}: its test part, {}", path.display(), test.describe());
            (test, what)
        }
        Some(Source { train, .. }) => {
            let what = format!("{}: {}", path.display(), train.describe());
            (train, what)
        }
        None => {
            let digits = data::digits();
            let what = format!("all built-in digits: {}", digits.describe());
            (digits, what)
        }
    };
    check_columns(model, &data)?;
    let note = (data.fingerprint() == model.provenance.fingerprint).then_some(SEEN);
    Ok(Judged { data, splits: None, what, note })
}

/// Images are read as those that the model was trained on.
fn images_of(model: &TrainedModel) -> ImageOptions {
    match (&model.inputs, &model.network.input[..]) {
        (&Inputs::Image { fit, .. }, &[height, width, channels]) => ImageOptions {
            size: Some([height, width]),
            fit,
            channels: Some(channels),
            ..ImageOptions::default()
        },
        _ => ImageOptions::default(),
    }
}

/// The test part of the data that the model was trained on, found again from the configuration beside the model, or,
/// for the built-in digits, from what the model says of itself.
fn own_test_part(model: &TrainedModel, args: &EvalArgs) -> Result<Judged, Failure> {
    let origin = &model.provenance;
    let asked = || {
        Failure::new(Exit::Usage, "no data to judge the model on").because(format!(
            "it was trained on {}, whose test part cannot be found again from here",
            origin.data
        ))
    };
    let beside = super::model_file(&args.model).with_file_name("config.toml");
    let splits = if beside.exists() {
        let settings = Settings::collect(&TrainArgs {
            config: Some(beside),
            no_cache: args.no_cache,
            ..TrainArgs::default()
        })?;
        let plan = plan::data(&settings)?;
        let source =
            plan.open(&settings).map_err(|failure| failure.help("name the data: `bratt eval MODEL DATA`"))?;
        let fractions = plan::fractions(&settings, source.as_ref())?;
        split(source, fractions, origin.seed)?
    } else {
        split(None, Fractions::default(), origin.seed)?
    };
    if splits.data().fingerprint() != origin.fingerprint || splits.sizes() != origin.split {
        return Err(asked().help("name the data: `bratt eval MODEL DATA`"));
    }
    if splits.test().is_empty() {
        return Err(
            asked().help("it was trained without a test part; name the data: `bratt eval MODEL DATA`")
        );
    }
    let what = format!(
        "the test part of {}: {} never used for training or choosing",
        splits.data().name(),
        counted(splits.test().len() as u64, "example")
    );
    Ok(Judged { data: splits.data().clone(), splits: Some(splits), what, note: None })
}

fn split(source: Option<Source>, fractions: Fractions, seed: u64) -> Result<Splits, Failure> {
    match source {
        Some(source) => Splits::of(source, fractions, seed),
        None => Splits::new(data::digits(), fractions, seed),
    }
    .map_err(|error| Failure::data(&error))
}

/// A table with other columns, or in another order, would give figures without a meaning.
fn check_columns(model: &TrainedModel, data: &Dataset) -> Result<(), Failure> {
    let (Inputs::Table { columns: expected }, data::Features::Table { columns, .. }) =
        (&model.inputs, data.features())
    else {
        return Ok(());
    };
    if columns == expected {
        return Ok(());
    }
    let message = format!("{}: found columns {}", data.name(), columns.join(", "));
    Err(Failure::new(Exit::Data, message).because(format!("the model expects {}", expected.join(", "))))
}
