//! From a path to examples: recognises what is there and says how.

use std::fmt::Write as _;
use std::path::Path;

use super::dataset::thousands;
use super::{DataError, Dataset, csv, idx};

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
}

/// The data that a path holds.
#[derive(Clone, Debug)]
pub struct Source {
    /// The examples for training; where no test data are given, a test part is to be split from them.
    pub train: Dataset,
    /// Test data that came as such.
    pub test: Option<Dataset>,
    reason: String,
}

impl Source {
    /// What was recognised and why, in one line for people.
    pub fn describe(&self) -> &str {
        &self.reason
    }
}

/// Opens a folder with the four IDX files or a `.csv` file (either may be packed with gzip). The built-in digits are
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
            return unrecognised("a folder without any of these files");
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
        return Ok(Source { train, test, reason });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if [".csv", ".tsv", ".csv.gz", ".tsv.gz"].iter().any(|ending| name.ends_with(ending)) {
        let table = csv::read(path, options)?;
        let reason = format!("CSV table: {}; {}", table.data.describe(), table.reason);
        return Ok(Source { train: table.data, test: None, reason });
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
        assert!(
            message.contains("folder without") && message.contains("train-images-idx3-ubyte"),
            "{message}"
        );
        let file = folder.path().join("notes.txt");
        fs::write(&file, "1,2\n").unwrap();
        assert!(matches!(open(&file, &Options::default()), Err(DataError::Unrecognised { .. })));
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
