//! From a path to examples: recognises what is there and says how.

use std::fmt::Write as _;
use std::path::Path;

use super::dataset::thousands;
use super::folder::{self, Found};
use super::resize::Fit;
use super::tree::Portion;
use super::{DataError, Dataset, Fractions, csv, idx};

/// What to make of the data; the defaults do for most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// CSV: name of the label or target column. Default: a column named label, class, target or y, else the last.
    pub label: Option<String>,
    /// CSV: read the label column as numbers, for regression.
    pub regression: bool,
    /// Names of the classes in the order of their indices, as a model knows them: a label that is not among them is an
    /// error. Default: IDX has the ten digits, CSV has the labels that occur, in order.
    pub classes: Option<Vec<String>>,
    /// Folders of images: how they are read.
    pub images: ImageOptions,
}

/// How images in folders become examples of one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// `[height, width]` of an example. Default: the size that all images have, if it is small; else a square of the median
    /// shorter side, at most 64.
    pub size: Option<[usize; 2]>,
    /// What becomes of images of another ratio.
    pub fit: Fit,
    /// 1 (grey) or 3 (red, green, blue). Default: 1 if every image shows greys only, else 3.
    pub channels: Option<usize>,
    /// What becomes of images that are corrupt or truncated.
    pub on_bad: OnBad,
    /// Threads that decode; 0 for one a processor. The result does not depend on it.
    pub threads: usize,
}

/// What becomes of files that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBad {
    /// They are an error that names them.
    #[default]
    Fail,
    /// They are left out.
    Skip,
}

/// The data that a path holds.
#[derive(Clone, Debug)]
pub struct Source {
    /// The examples for training and validation; where no test data are given, a test part is to be split from them.
    pub train: Dataset,
    /// The examples of `train` that came as validation data, ascending; where there are none, a validation part is to be
    /// split.
    pub val: Vec<u32>,
    /// Test data that came as such.
    pub test: Option<Dataset>,
    pub(super) reason: String,
    pub(super) found: Option<Found>,
}

impl Source {
    /// What was recognised and why, in one line for people.
    pub fn describe(&self) -> &str {
        &self.reason
    }

    /// Whether the examples are image files of their own.
    pub fn has_image_files(&self) -> bool {
        self.found.is_some()
    }

    /// The training data (with validation data, if they were given), and the test data.
    pub(super) fn train_and_test(&self) -> Vec<(Portion, &Dataset)> {
        let test = self.test.as_ref().map(|test| (Portion::Test, test));
        [(Portion::Train, &self.train)].into_iter().chain(test).collect()
    }

    /// Fractions for the parts that were not given: a tenth of the data each.
    pub fn fractions(&self) -> Fractions {
        let val = if self.val.is_empty() { 0.1 } else { 0.0 };
        let test = if self.test.is_none() { 0.1 } else { 0.0 };
        Fractions { train: 1.0 - val - test, val, test }
    }
}

/// Whether [`open`] takes a path for a folder of image files: any folder without IDX files.
pub fn is_image_folder(path: &Path) -> bool {
    path.is_dir() && !matches!(idx::layout(path), Ok(Some(_)))
}

/// Opens a folder of images (see [`tree`](super::tree)), a folder with the four IDX files or a `.csv` file (either may be packed with gzip). The built-in digits are
/// opened by [`digits`](super::digits::digits).
///
/// ```no_run
/// use bratt::data::{Options, open};
/// let source = open("data/mnist".as_ref(), &Options::default())?;
/// println!("{}", source.describe());
/// # Ok::<(), bratt::data::DataError>(())
/// ```
///
/// # Errors
/// See [`DataError`]; each names the file, the place, what was found and what was expected.
pub fn open(path: &Path, options: &Options) -> Result<Source, DataError> {
    let unrecognised =
        |found: &str| Err(DataError::Unrecognised { path: path.to_owned(), found: found.to_owned() });
    let metadata = path.metadata().map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    if metadata.is_dir() {
        let Some(layout) = idx::layout(path)? else {
            return folder::load(path, options);
        };
        let digits = || (0..10).map(|digit| digit.to_string()).collect();
        let classes = options.classes.clone().unwrap_or_else(digits);
        let (train, test) = idx::read_layout(path, &layout, &classes)?;
        let mut reason = format!("IDX files: {}", train.describe());
        match &test {
            Some(test) => write!(reason, "; test data given: {}", thousands(test.len())),
            None => write!(reason, "; no test data (t10k-*) beside them"),
        }
        .expect("writing to a String cannot fail");
        return Ok(Source { train, val: Vec::new(), test, reason, found: None });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if [".csv", ".tsv", ".csv.gz", ".tsv.gz"].iter().any(|ending| name.ends_with(ending)) {
        let table = csv::read(path, options)?;
        let reason = format!("CSV table: {}; {}", table.data.describe(), table.reason);
        return Ok(Source { train: table.data, val: Vec::new(), test: None, reason, found: None });
    }
    unrecognised("a file of another kind")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_not_recognised_says_what_would_be() {
        let folder = tempfile::tempdir().unwrap();
        let message = open(folder.path(), &Options::default()).unwrap_err().to_string();
        assert!(message.contains("no images; expected a folder a class"), "{message}");
        let file = folder.path().join("notes.txt");
        fs::write(&file, "1,2\n").unwrap();
        let message = open(&file, &Options::default()).unwrap_err().to_string();
        assert!(message.contains("a file of another kind") && message.contains("train-images-idx3-ubyte"));
        let absent = folder.path().join("absent.csv");
        assert!(matches!(open(&absent, &Options::default()), Err(DataError::Io { .. })));
    }

    #[test]
    fn the_reason_names_layout_and_label_column() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Points.CSV");
        fs::write(&file, "x,class,z\n1,a,2\n3,b,4\n").unwrap();
        let source = open(&file, &Options::default()).unwrap();
        assert_eq!(
            source.describe(),
            "CSV table: 2 rows of 2 features, 2 classes; label column class (by its name); line 1 is the header"
        );
    }
}
