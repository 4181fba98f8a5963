//! The data that a model is judged on: its own, found again from its run, or such as were named.

use super::learned;
use crate::args::{Reading, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::places;
use crate::plan::{self, DIGITS};
use crate::settings::Settings;
use crate::terminal::counted;
use bratt::data::{self, Dataset, Fractions, ImageOptions, Layout, Options, Source};
use bratt::model::{Inputs, TrainedModel};
use bratt::nn::Task;
use bratt::report::RunFolder;
use bratt::train::{Part, Splits};
use std::path::{Path, PathBuf};

/// Data to judge a model on.
pub struct Judged {
    data: Data,
    /// The names of the examples' files, where they are files.
    pub files: Option<Vec<String>>,
    /// What it is, for people.
    pub what: String,
    /// What is to be said about the figures.
    pub note: Option<&'static str>,
}

enum Data {
    Whole(Dataset),
    Own(Box<Splits>),
}

impl Judged {
    /// What is judged.
    pub fn part(&self) -> Part<'_> {
        match &self.data {
            Data::Whole(data) => Part::whole(data),
            Data::Own(splits) => splits.test(),
        }
    }

    /// The validation part of the model's own data.
    pub fn val(&self) -> Option<Part<'_>> {
        match &self.data {
            Data::Own(splits) if !splits.val().is_empty() => Some(splits.val()),
            _ => None,
        }
    }
}

/// The data of a run, divided as for its training.
pub struct Own {
    /// The parts.
    pub splits: Splits,
    /// The names of the files of the data set, and of the test data that came with it, where examples are files.
    pub files: Option<[Vec<String>; 2]>,
}

const SEEN: &str = "the model was trained on part of these examples; the figures flatter it";

/// What a command line asks a model to be judged on.
///
/// # Errors
/// Data that cannot be read, do not fit the model or cannot be found again.
pub fn open(
    model: &TrainedModel,
    path: &Path,
    data: Option<&Path>,
    reading: &Reading,
) -> Result<Judged, Failure> {
    match data {
        Some(data) => given(model, data, reading),
        None => own_test_part(model, path, reading),
    }
}

/// Data named on the command line: their test part if they bring one, else all.
fn given(model: &TrainedModel, path: &Path, reading: &Reading) -> Result<Judged, Failure> {
    let source = if path.as_os_str() == DIGITS && !path.exists() {
        None
    } else {
        // IDX files have numbers for classes, which must not pass for whatever classes the model knows.
        let named = !matches!(Layout::of(path), Ok(Layout::Idx));
        let classes = (named && !model.classes.is_empty()).then(|| model.classes.clone());
        let images = ImageOptions {
            on_bad: plan::on_bad(reading.on_bad.as_deref())
                .ok_or_else(|| Failure::configuration("--on-bad: expected fail or skip"))?,
            threads: reading.threads.unwrap_or(0),
            ..images_of(model)
        };
        let label = reading.label.clone();
        let cache = if reading.no_cache { None } else { places::pixel_cache() };
        let options =
            Options { label, regression: model.task == Task::Regress, classes, images, cache, memory: None };
        Some(data::open(path, &options).map_err(|error| plan::unusable(&error))?)
    };
    let [train_files, test_files] =
        source.as_ref().and_then(Source::files).map_or([None, None], |files| files.map(Some));
    let (data, files, what) = match source {
        Some(Source { test: Some(test), .. }) => {
            let what = format!("{}: its test part, {}", path.display(), test.describe());
            (test, test_files, what)
        }
        Some(Source { train, .. }) => {
            let what = format!("{}: {}", path.display(), train.describe());
            (train, train_files, what)
        }
        None => {
            let digits = data::digits();
            let what = format!("all built-in digits: {}", digits.describe());
            (digits, None, what)
        }
    };
    check_columns(model, &data)?;
    let note = (data.fingerprint() == model.provenance.fingerprint).then_some(SEEN);
    Ok(Judged { data: Data::Whole(data), files, what, note })
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

/// The test part of the data that the model was trained on.
fn own_test_part(model: &TrainedModel, path: &Path, reading: &Reading) -> Result<Judged, Failure> {
    let Own { splits, files } = own(model, path, reading.no_cache)?;
    if splits.test().is_empty() {
        return Err(not_found(model)
            .help("it was trained without a test part; name the data: `bratt eval MODEL DATA`"));
    }
    let what = format!(
        "the test part of {}: {} never used for training or choosing",
        splits.data().name(),
        counted(splits.test().len() as u64, "example")
    );
    let files = files.map(|[all, test]| if splits.test_is_given() { test } else { all });
    Ok(Judged { data: Data::Own(Box::new(splits)), files, what, note: None })
}

fn not_found(model: &TrainedModel) -> Failure {
    Failure::new(Exit::Usage, "no data to judge the model on").because(format!(
        "it was trained on {}, whose test part cannot be found again from here",
        model.provenance.data
    ))
}

/// The configuration beside a model, if there is one.
pub fn configuration(path: &Path) -> Option<PathBuf> {
    Some(super::model_file(path).with_file_name("config.toml")).filter(|path| path.exists())
}

/// The data that the model was trained on with their parts, found again from the configuration beside the model, or,
/// for the built-in digits, from what the model says of itself.
///
/// # Errors
/// Data that cannot be found or are not the same any more.
pub fn own(model: &TrainedModel, path: &Path, no_cache: bool) -> Result<Own, Failure> {
    let origin = &model.provenance;
    let (source, fractions) = match configuration(path) {
        Some(config) => {
            let settings =
                Settings::collect(&TrainArgs { config: Some(config), no_cache, ..TrainArgs::default() })?;
            let plan = plan::data(&settings)?;
            let source =
                plan.open(&settings).map_err(|failure| failure.or_help(mend(&super::model_file(path))))?;
            let fractions = plan::fractions(&settings, source.as_ref())?;
            (source, fractions)
        }
        None => (None, Fractions::default()),
    };
    let files = source.as_ref().and_then(Source::files);
    let splits = match source {
        Some(source) => Splits::of(source, fractions, origin.seed),
        None => Splits::new(data::digits(), fractions, origin.seed),
    }
    .map_err(|error| Failure::data(&error))?;
    let file = super::model_file(path);
    let mend = |failure: Failure| failure.help(mend(&file));
    learned::check(&splits, &origin.fingerprint, file.parent().unwrap_or(Path::new("."))).map_err(mend)?;
    if splits.sizes() != origin.split {
        return Err(mend(not_found(model)));
    }
    Ok(Own { splits, files })
}

/// How a model gets back to its data.
fn mend(file: &Path) -> String {
    let config = file.with_file_name(RunFolder::CONFIG);
    format!(
        "if the data was moved, say where it is as `path` in {}; `bratt eval MODEL DATA` judges on any data",
        config.display()
    )
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

/// What people call an example: its file, or its number.
pub fn name_of(files: Option<&[String]>, example: u32) -> String {
    files
        .and_then(|files| files.get(example as usize))
        .cloned()
        .unwrap_or_else(|| format!("example {example}"))
}
