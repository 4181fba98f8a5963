//! From a path to examples: recognises what is there and says how.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::collection::{Collection, Portion};
use super::dataset::thousands;
use super::options::Options;
use super::source::Source;
use super::{DataError, Dataset, cifar, csv, idx, images, manifest, shards, tree};

/// How data lie at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// A folder with the files of the MNIST family: see [`idx`].
    Idx,
    /// A folder with the binary files of CIFAR-10 or CIFAR-100, this one or one inside: see [`cifar`].
    Cifar(PathBuf),
    /// A CSV file of numbers: see [`csv`].
    Table,
    /// A CSV file that lists image files: see [`manifest`].
    Manifest,
    /// A folder of images, a folder a class: see [`tree`].
    Folders,
    /// Tar files of images, each with its part: see [`shards`].
    Shards(Vec<(Portion, PathBuf)>),
    /// Parquet files of images, each with its part.
    Parquet(Vec<(Portion, PathBuf)>),
}

impl Layout {
    /// What lies at a path.
    ///
    /// # Errors
    /// [`DataError::Io`] where it cannot be looked at; [`DataError::Unrecognised`].
    pub fn of(path: &Path) -> Result<Layout, DataError> {
        let metadata = path.metadata().map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        if metadata.is_dir() {
            if idx::layout(path)?.is_some() {
                return Ok(Layout::Idx);
            }
            if let Some(folder) = cifar::find(path) {
                return Ok(Layout::Cifar(folder));
            }
            let parquet = shards::files(path, "parquet")?;
            if !parquet.is_empty() {
                return Ok(Layout::Parquet(parquet));
            }
            let tar = shards::files(path, "tar")?;
            return Ok(if tar.is_empty() { Layout::Folders } else { Layout::Shards(tar) });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let alone = || vec![(Portion::Train, path.to_owned())];
        let unrecognised =
            |found: &str| Err(DataError::Unrecognised { path: path.to_owned(), found: found.to_owned() });
        if [".csv", ".tsv", ".csv.gz", ".tsv.gz"].iter().any(|ending| name.ends_with(ending)) {
            let lists_images = manifest::lists_images(path)?;
            Ok(if lists_images { Layout::Manifest } else { Layout::Table })
        } else if name.ends_with(".tar") {
            Ok(Layout::Shards(alone()))
        } else if name.ends_with(".parquet") {
            Ok(Layout::Parquet(alone()))
        } else if [".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) {
            unrecognised("a packed tar file, of which no part can be read by itself; unpack it with gunzip")
        } else {
            unrecognised("a file of another kind")
        }
    }

    /// Whether the examples are image files, which [`ImageOptions`](super::ImageOptions) are about.
    pub fn has_image_files(&self) -> bool {
        !matches!(self, Layout::Idx | Layout::Cifar(_) | Layout::Table)
    }

    /// The images, if the examples are image files.
    pub(super) fn collect(&self, path: &Path, options: &Options) -> Result<Option<Collection>, DataError> {
        let known = options.classes.as_deref();
        Ok(Some(match self {
            Layout::Idx | Layout::Cifar(_) | Layout::Table => return Ok(None),
            Layout::Folders => tree::read(path, known)?,
            Layout::Manifest => manifest::read(path, options)?,
            Layout::Shards(files) => shards::read(path, files, options)?,
            #[cfg(feature = "parquet")]
            Layout::Parquet(files) => super::parquet::read(path, files, options)?,
            #[cfg(not(feature = "parquet"))]
            Layout::Parquet(_) => return Err(DataError::NoParquet { path: path.to_owned() }),
        }))
    }
}

/// Opens whatever lies at a path; [`Layout`] lists what that may be. The built-in digits are opened by
/// [`digits`](super::digits::digits).
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
    let layout = Layout::of(path)?;
    if let Some(collection) = layout.collect(path, options)? {
        return images::load(path, collection, options);
    }
    match layout {
        Layout::Cifar(folder) => {
            let (train, test, label) = cifar::read(&folder, options)?;
            Ok(with_test("CIFAR binary files", train, test, &format!("{label}no test data")))
        }
        Layout::Table => {
            let table = csv::read(path, options)?;
            let reason = format!("CSV table: {}; {}", table.data.describe(), table.reason);
            Ok(Source { train: table.data, val: Vec::new(), test: None, reason, found: None })
        }
        _ => {
            let digits = || (0..10).map(|digit| digit.to_string()).collect();
            let classes = options.classes.clone().unwrap_or_else(digits);
            let (train, test) = idx::read_folder(path, &classes)?;
            Ok(with_test("IDX files", train, test, "no test data (t10k-*) beside them"))
        }
    }
}

fn with_test(layout: &str, train: Dataset, test: Option<Dataset>, without: &str) -> Source {
    let mut reason = format!("{layout}: {}", train.describe());
    let _ = match &test {
        Some(test) => write!(reason, "; test data given: {}", thousands(test.len())),
        None => write!(reason, "; {without}"),
    };
    Source { train, val: Vec::new(), test, reason, found: None }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
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
