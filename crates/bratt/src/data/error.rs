//! Everything that can be wrong with data. Each message names the file and place, what was found, what was expected,
//! and how to mend it where that is not plain.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What is wrong with a file or a data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be opened or read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that is neither a known kind of file nor a folder with a known layout.
    #[error("{}: not recognised: {found}; expected a folder of images with a folder a class, a folder of .tar or .parquet files or one of them, a folder with the binary files of CIFAR or with the IDX files {IDX_NAMES} (each also as .gz), or a .csv file", path.display())]
    Unrecognised {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// One of the files of a layout is not there.
    #[error("{}: no {what}; looked for {}", folder.display(), looked_for.join(", "))]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// What the file would hold, as "training labels".
        what: &'static str,
        /// The names that would have done.
        looked_for: Vec<String>,
    },
    /// A file does not begin as it must.
    #[error("{}: starts with {found:#010x}, but an IDX file of {what} starts with {expected:#010x}", path.display())]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// "images" or "labels".
        what: &'static str,
        /// The number that the format asks for.
        expected: u32,
        /// The number that is there.
        found: u32,
    },
    /// A file ends before the data that its header announces.
    #[error("{}: truncated: {expected} bytes expected{}; get the file again", path.display(), found.map(|n| format!(", {n} found")).unwrap_or_default())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Uncompressed size that the header announces, in bytes.
        expected: u64,
        /// Uncompressed size that is there; unknown where the announced size was refused before decoding.
        found: Option<u64>,
    },
    /// A file goes on after the data that its header announces.
    #[error("{}: more bytes than the {expected} that its header announces; the file or its header is damaged", path.display())]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Uncompressed size that the header announces, in bytes.
        expected: u64,
    },
    /// A gzip file cannot be unpacked.
    #[error("{}: the gzip data is corrupt; get the file again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// An image file and its label file have different numbers of examples.
    #[error("{} has {images} images, but {} has {labels} labels; they do not belong together", images_path.display(), labels_path.display())]
    CountMismatch {
        /// The image file.
        images_path: PathBuf,
        /// Number of images.
        images: usize,
        /// The label file.
        labels_path: PathBuf,
        /// Number of labels.
        labels: usize,
    },
    /// A label that is no class.
    #[error("{}: label {label} of example {index} is out of range: there are {classes} classes, 0 to {}", path.display(), classes.saturating_sub(1))]
    LabelOutOfRange {
        /// The label file.
        path: PathBuf,
        /// Position of the example, from 0.
        index: usize,
        /// The label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// Training and test examples have different shapes.
    #[error("{}: training examples have shape {train:?}, but test examples have {test:?}", path.display())]
    ShapeMismatch {
        /// The folder.
        path: PathBuf,
        /// Shape of a training example.
        train: Vec<usize>,
        /// Shape of a test example.
        test: Vec<usize>,
    },
    /// No examples at all.
    #[error("{}: {found}; at least one example is needed", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// "the file is empty" or "there is a header, but no row".
        found: &'static str,
    },
    /// A row with too few or too many cells.
    #[error("{}, line {line}: {found} cells, but the first row has {expected}", path.display())]
    RaggedRow {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Number of cells of the first row.
        expected: usize,
        /// Number of cells of this row.
        found: usize,
    },
    /// A feature or target that is not a number.
    #[error("{}, line {line}, column {column}: {cell:?} is not a number; remove the column, code it as numbers, or fill the gap", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The cell.
        cell: String,
    },
    /// A feature or target that is not finite.
    #[error("{}, line {line}, column {column}: {cell:?} is not a finite 32-bit number; remove the row or fill the gap", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The cell.
        cell: String,
    },
    /// A row without a label.
    #[error("{}, line {line}, column {column}: the label is empty; remove the row or label it", path.display())]
    NoLabel {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
    },
    /// A label column that holds one class only.
    #[error("{}, column {column}: every row is of class {class:?}; at least two classes are needed; is this the label column?", path.display())]
    OneClass {
        /// The file.
        path: PathBuf,
        /// Name of the label column.
        column: String,
        /// The class.
        class: String,
    },
    /// A label that is not among the classes asked for.
    #[error("{}, line {line}, column {column}: {found:?} is not a class; the classes are {}", path.display(), known.join(", "))]
    UnknownClass {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the label column.
        column: String,
        /// The label.
        found: String,
        /// The classes.
        known: Vec<String>,
    },
    /// The label column asked for does not exist.
    #[error("{}: no column {wanted:?}; the columns are {}", path.display(), columns.join(", "))]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        wanted: String,
        /// The columns that exist.
        columns: Vec<String>,
    },
    /// A table with a label column and nothing else.
    #[error("{}: only the label column {column}; at least one feature column is needed", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// Name of the label column.
        column: String,
    },
    /// A text file whose bytes are not text, or whose quoting is broken.
    #[error("{}: not a readable CSV file", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: ::csv::Error,
    },
    /// An image that cannot be decoded.
    #[error("{}: not a readable image (PNG, JPEG, BMP, WebP, GIF or TIFF)", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// An image file that ends too early.
    #[error("{}: the image is truncated; get the file again", path.display())]
    TruncatedImage {
        /// The file.
        path: PathBuf,
    },
    /// Folders that are no classes of images.
    #[error("{}: {what}", path.display())]
    Classes {
        /// The folder.
        path: PathBuf,
        /// What is there and what was expected.
        what: String,
    },
    /// Parquet, in a build without it.
    #[error("{}: this build reads no parquet; build it with `--features parquet`", path.display())]
    NoParquet {
        /// The file or folder.
        path: PathBuf,
    },
    /// A tar or parquet file that is not what it calls itself, or is damaged.
    #[error("{}: not a readable {kind} file: {what}", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// "tar" or "parquet".
        kind: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// Image files of a data set that cannot be used.
    #[error("{}: {} of {all} images cannot be used:{}", path.display(), bad.len(), some(bad))]
    BadImages {
        /// The folder.
        path: PathBuf,
        /// Number of all image files.
        all: usize,
        /// What is wrong, a file each.
        bad: Vec<DataError>,
    },
    /// Pixels that fit neither into memory nor into the folder that was to hold them meanwhile.
    #[error("{}: the images do not fit into memory, and not here either", folder.display())]
    NoRoom {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A model input that no image can be turned into.
    #[error(
        "an image cannot be read as shape {shape:?}; [height, width, 1 (grey) or 3 (colour)] is expected"
    )]
    ImageShape {
        /// The shape asked for.
        shape: Vec<usize>,
    },
    /// Parts of a data set that do not fit together.
    #[error("data set {name}: {what}")]
    Inconsistent {
        /// Name of the data set.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// Fractions that are no split.
    #[error(
        "split {train}/{val}/{test}: {why}; fractions lie in 0 to 1 and sum to 1, the training part is not empty"
    )]
    Fractions {
        /// Training fraction.
        train: f64,
        /// Validation fraction.
        val: f64,
        /// Test fraction.
        test: f64,
        /// What is wrong.
        why: &'static str,
    },
    /// Statistics that cannot be computed.
    #[error("preprocessing: {why}")]
    Preprocess {
        /// What is wrong.
        why: String,
    },
}

const IDX_NAMES: &str =
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte";

/// The first ten, a line each.
fn some(bad: &[DataError]) -> String {
    use std::error::Error as _;
    let mut text = String::new();
    for error in bad.iter().take(10) {
        text += &format!("\n  {error}");
        if let Some(cause) = error.source() {
            text += &format!(" ({cause})");
        }
    }
    if bad.len() > 10 {
        text += &format!("\n  and {} more", bad.len() - 10);
    }
    text
}
