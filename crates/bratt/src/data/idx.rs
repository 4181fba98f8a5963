//! IDX files, as MNIST and its family come: plain or gzip.
//!
//! ```text
//! images  00 00 08 03 | n | height | width | n * height * width bytes
//! labels  00 00 08 01 | n | n bytes
//! ```
//! All numbers are 32 bits, most significant byte first (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"). Pixels run
//! from 0 (paper) to 255 (ink).
//!
//! The announced size is compared with the size of the file before anything is allocated, and the data are decoded
//! straight into their final place.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::dataset::BYTE_SCALE;
use super::{DataError, Dataset, Features, Targets, file};

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

/// The images of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// `[height, width]` of one image.
    pub shape: [usize; 2],
    /// Number of images.
    pub len: usize,
    /// `[len, height, width]`.
    pub bytes: Vec<u8>,
}

/// Reads an image file (`idx3-ubyte`).
///
/// # Errors
/// See [`DataError`]: not readable, wrong magic, truncated, trailing bytes, corrupt gzip.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    let ([len, height, width], bytes) = read(path, IMAGES, "images")?;
    Ok(Images { shape: [height, width], len, bytes })
}

/// Reads a label file (`idx1-ubyte`); `classes` is how many classes there are.
///
/// # Errors
/// As for [`read_images`], and [`DataError::LabelOutOfRange`].
pub fn read_labels(path: &Path, classes: usize) -> Result<Vec<u32>, DataError> {
    let ([_], bytes) = read(path, LABELS, "labels")?;
    if let Some(index) = bytes.iter().position(|&label| usize::from(label) >= classes) {
        let label = bytes[index].into();
        return Err(DataError::LabelOutOfRange { path: path.to_owned(), index, label, classes });
    }
    Ok(bytes.into_iter().map(u32::from).collect())
}

/// Reads an image file and its label file as one data set of shape `[height, width, 1]`.
///
/// # Errors
/// As for [`read_images`] and [`read_labels`], [`DataError::CountMismatch`] and [`DataError::Empty`].
pub fn read_pair(name: &str, images: &Path, labels: &Path, classes: &[String]) -> Result<Dataset, DataError> {
    let read = read_images(images)?;
    let targets = read_labels(labels, classes.len())?;
    if read.len != targets.len() {
        return Err(DataError::CountMismatch {
            images_path: images.to_owned(),
            images: read.len,
            labels_path: labels.to_owned(),
            labels: targets.len(),
        });
    }
    if read.bytes.is_empty() {
        return Err(DataError::Empty { path: images.to_owned(), found: "the header announces no pixels" });
    }
    let [height, width] = read.shape;
    let features = Features::Pixels { bytes: read.bytes.into(), scale: BYTE_SCALE };
    Dataset::new(
        name,
        vec![height, width, 1],
        features,
        Targets::Classes { labels: targets, names: classes.to_vec() },
    )
}

/// Header with `R` dimensions, then as many bytes as these announce, then the end.
fn read<const R: usize>(
    path: &Path,
    magic: u32,
    what: &'static str,
) -> Result<([usize; R], Vec<u8>), DataError> {
    let mut opened = file::open(path)?;
    let header = 4 * (R as u64 + 1);
    let truncated = |expected, found| DataError::Truncated { path: path.to_owned(), expected, found };
    let failed = |expected, found| {
        move |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => truncated(expected, found),
            _ => file::read_error(path, source),
        }
    };
    let mut word = || {
        let mut bytes = [0; 4];
        opened.reader.read_exact(&mut bytes).map(|()| u32::from_be_bytes(bytes)).map_err(failed(header, None))
    };
    let found = word()?;
    if found != magic {
        return Err(DataError::WrongMagic { path: path.to_owned(), what, expected: magic, found });
    }
    let mut shape = [0; R];
    for side in &mut shape {
        *side = word()? as usize;
    }
    let body = shape.iter().fold(1u64, |product, &side| product.saturating_mul(side as u64));
    let expected = body.saturating_add(header);
    let size = usize::try_from(body).ok().filter(|_| expected <= opened.at_most);
    let mut bytes = Vec::new();
    let Some(size) = size.filter(|&size| bytes.try_reserve_exact(size).is_ok()) else {
        return Err(truncated(expected, None));
    };
    opened.reader.by_ref().take(body).read_to_end(&mut bytes).map_err(failed(expected, None))?;
    if bytes.len() < size {
        return Err(truncated(expected, Some(header + bytes.len() as u64)));
    }
    // Reading to the end also lets the gzip decoder compare its checksum.
    match opened.reader.read(&mut [0]).map_err(failed(expected, Some(expected)))? {
        0 => Ok((shape, bytes)),
        _ => Err(DataError::TrailingBytes { path: path.to_owned(), expected }),
    }
}

/// Where one of the usual four files lies.
fn find(folder: &Path, part: &str, kind: &str) -> Result<PathBuf, Vec<String>> {
    let stems = [format!("{part}-{kind}-ubyte"), format!("{part}-{}-ubyte", kind.replacen('-', ".", 1))];
    let names: Vec<String> = stems.iter().flat_map(|stem| [stem.clone(), format!("{stem}.gz")]).collect();
    let found = names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    found.ok_or(names)
}

/// The usual files of a folder: those that are there.
pub(super) struct Layout {
    train: (PathBuf, PathBuf),
    test: Option<(PathBuf, PathBuf)>,
}

/// The usual four files of a folder. `None` where not one of them is there; an error where some are missing. The test
/// pair may be left out as a whole.
pub(super) fn layout(folder: &Path) -> Result<Option<Layout>, DataError> {
    let files = [
        ("train", "images-idx3"),
        ("train", "labels-idx1"),
        ("t10k", "images-idx3"),
        ("t10k", "labels-idx1"),
    ];
    let found = files.map(|(part, kind)| find(folder, part, kind));
    if found.iter().all(Result::is_err) {
        return Ok(None);
    }
    let says =
        ["file of training images", "file of training labels", "file of test images", "file of test labels"];
    let no_test = found[2].is_err() && found[3].is_err();
    let mut paths = Vec::with_capacity(4);
    for (at, file) in found.into_iter().enumerate().take(if no_test { 2 } else { 4 }) {
        let missing =
            |looked_for| DataError::MissingFile { folder: folder.to_owned(), what: says[at], looked_for };
        paths.push(file.map_err(missing)?);
    }
    let mut paths = paths.into_iter();
    let mut pair = || paths.next().zip(paths.next());
    Ok(pair().map(|train| Layout { train, test: pair() }))
}

/// Reads the usual files of a folder: training data, and test data if they are there.
///
/// # Errors
/// As for [`read_pair`]; [`DataError::MissingFile`], [`DataError::ShapeMismatch`].
pub fn read_folder(folder: &Path, classes: &[String]) -> Result<(Dataset, Option<Dataset>), DataError> {
    let missing = || DataError::MissingFile {
        folder: folder.to_owned(),
        what: "file of training images",
        looked_for: vec!["train-images-idx3-ubyte".into()],
    };
    read_layout(folder, &layout(folder)?.ok_or_else(missing)?, classes)
}

/// Reads the files of a layout, one thread a part.
fn read_layout(
    folder: &Path,
    layout: &Layout,
    classes: &[String],
) -> Result<(Dataset, Option<Dataset>), DataError> {
    let name = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = name.file_name().map_or_else(|| "idx".into(), |name| name.to_string_lossy().into_owned());
    let part = |(images, labels): &(PathBuf, PathBuf)| read_pair(&name, images, labels, classes);
    let (train, test) = std::thread::scope(|scope| {
        let test = layout.test.as_ref().map(|test| scope.spawn(|| part(test)));
        let train = part(&layout.train);
        let test = test.map(|test| test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (train, test.transpose())
    });
    let (train, test) = (train?, test?);
    match &test {
        Some(test) if test.shape() != train.shape() => Err(DataError::ShapeMismatch {
            path: folder.to_owned(),
            train: train.shape().to_vec(),
            test: test.shape().to_vec(),
        }),
        _ => Ok((train, test)),
    }
}

#[cfg(test)]
#[path = "idx_tests.rs"]
mod tests;
