//! The binary files of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
//! 2009).
//!
//! ```text
//! CIFAR-10    data_batch_1.bin ... data_batch_5.bin, test_batch.bin   label | 1024 red | 1024 green | 1024 blue
//!             batches.meta.txt                                        names of the classes, a line each
//! CIFAR-100   train.bin, test.bin                                     coarse label | fine label | 3072 as above
//!             coarse_label_names.txt, fine_label_names.txt            names of the classes
//! ```
//! A record is an image of 32x32 pixels, colour by colour, row by row. Classes are in plain order of their names.
//! CIFAR-100 has 100 fine classes, which are read unless the label `coarse` is asked for, and 20 coarse ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::collection::{at_least_two, number};
use super::dataset::BYTE_SCALE;
use super::images::name_of;
use super::{DataError, Dataset, Features, Options, Targets, parallel};

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
const BATCHES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEN: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The folder of the files: the one given, or the one inside it that the archives make.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let inside = ["cifar-10-batches-bin", "cifar-100-binary"].map(|name| folder.join(name));
    [folder.to_owned()].into_iter().chain(inside).find(|folder| is_ten(folder) || is_hundred(folder))
}

fn is_ten(folder: &Path) -> bool {
    folder.join(BATCHES[0]).is_file()
}

fn is_hundred(folder: &Path) -> bool {
    folder.join("train.bin").is_file() && folder.join("fine_label_names.txt").is_file()
}

/// Reads the files of a folder: training data, test data if they are there, and which labels these are, in words.
///
/// # Errors
/// See [`DataError`]: truncated files, labels out of range, missing names, classes that are not those asked for.
pub fn read(folder: &Path, options: &Options) -> Result<(Dataset, Option<Dataset>, &'static str), DataError> {
    let ten = is_ten(folder);
    let (labels, at, names, told) = match options.label.as_deref() {
        _ if ten => (1, 0, folder.join("batches.meta.txt"), ""),
        None | Some("fine") => (2, 1, folder.join("fine_label_names.txt"), "fine labels (--label coarse); "),
        Some("coarse") => (2, 0, folder.join("coarse_label_names.txt"), "coarse labels; "),
        Some(other) => {
            return Err(DataError::NoSuchColumn {
                path: folder.to_owned(),
                wanted: other.to_owned(),
                columns: vec!["fine".into(), "coarse".into()],
            });
        }
    };
    let names = match fs::read_to_string(&names) {
        Ok(text) => text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        Err(_) if ten => TEN.map(str::to_owned).to_vec(),
        Err(source) => return Err(DataError::Io { path: names, source }),
    };
    let classes = Classes::new(folder, names, options.classes.as_deref())?;
    let part = |files: Vec<PathBuf>| {
        let read = parallel::map(&files, options.images.threads, |file| records(file, labels, at, &classes));
        let (mut bytes, mut labels) = (Vec::new(), Vec::new());
        for read in read {
            let (more, its) = read?;
            bytes.extend(more);
            labels.extend(its);
        }
        let targets = Targets::Classes { labels, names: classes.names.clone() };
        Dataset::new(
            name_of(folder),
            vec![SIDE, SIDE, 3],
            Features::Pixels { bytes: bytes.into(), scale: BYTE_SCALE },
            targets,
        )
    };
    let there = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
    };
    let train = part(there(if ten { &BATCHES } else { &["train.bin"] }))?;
    let test = there(if ten { &["test_batch.bin"] } else { &["test.bin"] });
    Ok((train, if test.is_empty() { None } else { Some(part(test)?) }, told))
}

/// The names in order, and for each label of the files its class.
struct Classes {
    names: Vec<String>,
    of_label: Vec<u32>,
}

impl Classes {
    fn new(folder: &Path, labels: Vec<String>, known: Option<&[String]>) -> Result<Classes, DataError> {
        let mut names = known.map_or_else(|| labels.clone(), <[String]>::to_vec);
        if known.is_none() {
            names.sort();
            names.dedup();
        }
        at_least_two(folder, &names)?;
        let of_label = labels.iter().map(|name| number(&names, name, folder));
        Ok(Classes { of_label: of_label.collect::<Result<_, _>>()?, names })
    }
}

/// Pixels and classes of a file whose records have `labels` labels, of which number `at` is wanted.
fn records(
    path: &Path,
    labels: usize,
    at: usize,
    classes: &Classes,
) -> Result<(Vec<u8>, Vec<u32>), DataError> {
    let file = fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let size = labels + 3 * PIXELS;
    if file.is_empty() {
        return Err(DataError::Empty { path: path.to_owned(), found: "the file is empty" });
    }
    if file.len() % size != 0 {
        let expected = file.len().next_multiple_of(size) as u64;
        return Err(DataError::Truncated { path: path.to_owned(), expected, found: Some(file.len() as u64) });
    }
    let n = file.len() / size;
    let (mut bytes, mut its) = (Vec::with_capacity(n * 3 * PIXELS), Vec::with_capacity(n));
    for (index, record) in file.chunks_exact(size).enumerate() {
        let label = record[at];
        let Some(&class) = classes.of_label.get(usize::from(label)) else {
            let (label, classes) = (label.into(), classes.of_label.len());
            return Err(DataError::LabelOutOfRange { path: path.to_owned(), index, label, classes });
        };
        its.push(class);
        let [red, green, blue] = [0, 1, 2].map(|plane| &record[labels + plane * PIXELS..][..PIXELS]);
        bytes.extend(red.iter().zip(green).zip(blue).flat_map(|((&r, &g), &b)| [r, g, b]));
    }
    Ok((bytes, its))
}

#[cfg(test)]
mod tests;
