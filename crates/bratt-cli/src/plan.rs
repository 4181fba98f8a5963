//! Second stage of the configuration: what the settings mean for the data at hand. Only what is valid gets out of here.
//!
//! Whatever is decided because nobody set it is recorded in the [`Settings`] with the reason, for the lines that
//! `train` prints and for the run's `config.toml`.

mod augment;
mod choices;
mod model;
mod optim;

pub use augment::{AugmentPlan, augment};
pub use choices::{BalancePlan, balance, batch_size, monitor};
pub use model::{ModelPlan, model, model_from_layers};
pub use optim::{AUTO, OptimPlan, optim};

use crate::failure::{Exit, Failure};
use crate::places;
use crate::settings::{Origin, Settings};
use bratt::data::{DataError, Fit, Fractions, ImageOptions, Layout, OnBad, Options, Source};
use bratt::exec::Isa;
use bratt::names::hint;
use bratt::train::Checkpoint;
use std::path::PathBuf;

/// The name by which the built-in digits are asked for.
pub const DIGITS: &str = "digits";

/// What to read.
#[derive(Debug)]
pub struct DataPlan {
    /// The path; none for the built-in digits.
    pub path: Option<PathBuf>,
    /// How to read it.
    pub options: Options,
}

impl DataPlan {
    /// Reads the data; nothing for the built-in digits. What was chosen for images is recorded in the settings.
    ///
    /// # Errors
    /// Data that cannot be read or used.
    pub fn open(&self, settings: &Settings) -> Result<Option<Source>, Failure> {
        let Some(path) = &self.path else { return Ok(None) };
        let source = bratt::data::open(path, &self.options).map_err(|error| unusable(&error))?;
        if let (true, &[height, width, _]) = (source.has_image_files(), source.train.shape()) {
            if self.options.images.size.is_none() {
                let why = Origin::Chosen("chosen from the sizes of the images".into());
                settings.get_or("data.size", format!("{height}x{width}"), why)?;
            }
            settings.get("data.fit", source.train.fit().name().to_string())?;
            settings.get("data.on_bad", "fail".to_string())?;
        }
        Ok(Some(source))
    }
}

/// The failure of data that cannot be used, with what may be done about bad images.
pub fn unusable(error: &DataError) -> Failure {
    match error {
        DataError::BadImages { .. } => Failure::of(Exit::Data, error)
            .help("get them again, or leave them out with --on-bad skip; your files stay as they are"),
        DataError::NoRoom { .. } => Failure::data(error).help(
            "give the disk room or the images a smaller --size, or have them all in memory with --no-cache",
        ),
        error => Failure::data(error),
    }
}

/// What becomes of bad images; nothing for another word than fail or skip.
pub fn on_bad(word: Option<&str>) -> Option<OnBad> {
    match word {
        None | Some("fail") => Some(OnBad::Fail),
        Some("skip") => Some(OnBad::Skip),
        Some(_) => None,
    }
}

/// What data to read. `linear` regression reads the label column as numbers.
///
/// # Errors
/// A setting of the wrong type.
pub fn data(settings: &Settings) -> Result<DataPlan, Failure> {
    let path = settings.get("data.path", DIGITS.to_string())?;
    let label = if path == DIGITS { None } else { settings.given::<String>("data.label")? };
    let regression = settings.given::<String>("model.arch")?.as_deref() == Some("linear");
    let path = (path != DIGITS).then(|| PathBuf::from(path));
    let layout = path.as_deref().map(Layout::of).and_then(Result::ok);
    let has_image_files = layout.is_some_and(|layout| layout.has_image_files());
    let images = if has_image_files { images(settings)? } else { ImageOptions::default() };
    let cache = match has_image_files && settings.get("data.cache", true)? {
        true => places::pixel_cache(),
        false => None,
    };
    let memory = settings.given::<u64>("data.memory")?.map(|megabytes| megabytes.saturating_mul(1_000_000));
    Ok(DataPlan { path, options: Options { label, regression, classes: None, images, cache, memory } })
}

/// How images in folders are read.
fn images(settings: &Settings) -> Result<ImageOptions, Failure> {
    let mut images = ImageOptions::default();
    let size = match settings.given::<u64>("data.size") {
        Ok(side) => side.map(|side| side.to_string()),
        Err(_) => settings.given::<String>("data.size")?,
    };
    if let Some(text) = size {
        let wrong = || settings.invalid("data.size", "one side, as 28, or height and width, as 48x64");
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MOST_SIDE).contains(side));
        let (height, width) = text.split_once('x').unwrap_or((&text, &text));
        images.size = Some([side(height).ok_or_else(wrong)?, side(width).ok_or_else(wrong)?]);
    }
    if let Some(name) = settings.given::<String>("data.fit")? {
        images.fit = Fit::by_name(&name).ok_or_else(|| {
            settings.invalid("data.fit", "crop, pad or squish").help(hint(&name, &Fit::NAMES))
        })?;
    }
    let word = settings.given::<String>("data.on_bad")?;
    images.on_bad = on_bad(word.as_deref()).ok_or_else(|| settings.invalid("data.on_bad", "fail or skip"))?;
    Ok(images)
}

/// No side of a model's input is longer.
const MOST_SIDE: usize = 4096;

/// How the data is split, apart from the parts that the data bring.
///
/// # Errors
/// Fractions outside of 0 to 1, or that leave nothing for training.
pub fn fractions(settings: &Settings, source: Option<&Source>) -> Result<Fractions, Failure> {
    let val_given = source.is_some_and(|source| !source.val.is_empty());
    let test_given = source.is_some_and(|source| source.test.is_some());
    let fraction = |name, default: f64, why: Origin| -> Result<f64, Failure> {
        let value = settings.get_or(name, default, why)?;
        if (0.0..1.0).contains(&value) {
            Ok(value)
        } else {
            Err(settings.invalid(name, "at least 0 and below 1"))
        }
    };
    let part = |name, given: bool, what: &str| -> Result<f64, Failure> {
        if !given {
            return fraction(name, 0.1, Origin::Default);
        }
        let why = Origin::Chosen(format!("the data bring their own {what} part"));
        let value = fraction(name, 0.0, why)?;
        if value > 0.0 {
            return Err(settings.invalid(name, &format!("0, since the data bring their own {what} part")));
        }
        Ok(value)
    };
    let val = part("data.val", val_given, "validation")?;
    let test = part("data.test", test_given, "test")?;
    if val + test >= 1.0 {
        return Err(settings.invalid("data.val", &format!("less than 1 together with data.test = {test}")));
    }
    Ok(Fractions { train: 1.0 - val - test, val, test })
}

/// A whole number of at least 1.
///
/// # Errors
/// Another setting.
pub fn at_least_one(settings: &Settings, name: &'static str, default: u64) -> Result<u64, Failure> {
    match settings.get(name, default)? {
        0 => Err(settings.invalid(name, "at least 1")),
        n => Ok(n),
    }
}

/// The number of threads; 0 stands for one a processor.
pub fn threads(asked: usize) -> Result<usize, Failure> {
    const MOST: usize = 1024;
    match asked {
        0 => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
        1..=MOST => Ok(asked),
        _ => Err(Failure::configuration(format!("found {asked} threads, expected at most {MOST}"))),
    }
}

/// The instruction set.
///
/// # Errors
/// An unknown one, or one that this processor does not have.
pub fn isa(name: &str) -> Result<Isa, Failure> {
    if name == "auto" {
        return Ok(Isa::detect());
    }
    let isa: Isa = name.parse().map_err(|_| {
        Failure::configuration(format!("no instruction set is named `{name}`"))
            .help(hint(name, &["auto", "scalar", "neon", "avx2", "avx512"]))
    })?;
    if isa.is_available() {
        return Ok(isa);
    }
    let there: Vec<String> = Isa::available().iter().map(ToString::to_string).collect();
    Err(Failure::configuration(format!("this processor does not have {isa}"))
        .help(format!("it has {}", there.join(", "))))
}

/// The instruction set that a run began with, so that the same bits come out; nothing if it is not here.
pub fn same_isa(checkpoint: &Checkpoint) -> Option<toml::Value> {
    let isa: Isa = checkpoint.isa().parse().ok()?;
    isa.is_available().then(|| toml::Value::String(isa.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::TrainArgs;

    fn settings(set: &[&str]) -> Settings {
        let set = set.iter().map(ToString::to_string).collect();
        Settings::collect(&TrainArgs { set, ..TrainArgs::default() }).unwrap()
    }

    #[test]
    fn fractions_out_of_range_are_refused() {
        assert!(fractions(&settings(&["data.val=1.5"]), None).is_err());
        assert!(fractions(&settings(&["data.val=0.6", "data.test=0.5"]), None).is_err());
    }

    #[test]
    fn a_part_that_came_with_the_data_is_not_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        for (part, class) in [("train", "a"), ("train", "b"), ("test", "a")] {
            let to = folder.path().join(part).join(class);
            std::fs::create_dir_all(&to).unwrap();
            image::GrayImage::new(2, 2).save(to.join("1.png")).unwrap();
        }
        let source = bratt::data::open(folder.path(), &Options::default()).unwrap();
        let found = fractions(&settings(&[]), Some(&source)).unwrap();
        assert_eq!((found.val, found.test), (0.1, 0.0));
        let text = fractions(&settings(&["data.test=0.5"]), Some(&source)).unwrap_err().text();
        assert!(text.contains("the data bring their own test part"), "{text}");
    }

    #[test]
    fn sizes_and_fits_are_read() {
        let read = |set: &[&str]| images(&settings(set)).map_err(|failure| failure.text());
        assert_eq!(read(&["data.size=28"]).unwrap().size, Some([28, 28]));
        let both = read(&["data.size=48x64", "data.fit=pad", "data.on_bad=skip"]).unwrap();
        assert_eq!((both.size, both.fit, both.on_bad), (Some([48, 64]), Fit::Pad, OnBad::Skip));
        for wrong in ["data.size=0", "data.size=axb", "data.size=9999x2", "data.on_bad=maybe"] {
            assert!(read(&[wrong]).is_err(), "{wrong}");
        }
        assert!(read(&["data.fit=sqish"]).unwrap_err().contains("did you mean `squish`?"));
    }
}
