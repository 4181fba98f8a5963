//! Images that are still to be read: where each lies, the part it came in, its class. This is what folders, lists, tar
//! shards and parquet files come down to.
//!
//! Images are read one by one and on all threads, so that no more of them than threads are in memory undecoded; of a
//! parquet file it is a row group a thread.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::look::Look;
use super::{DataError, decode, parallel};

/// The part of the data that an example came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Portion {
    /// For training, or to be split.
    Train,
    /// For validation.
    Val,
    /// For the final test.
    Test,
}

impl Portion {
    /// "train", "val" or "test".
    pub fn name(self) -> &'static str {
        match self {
            Portion::Train => "train",
            Portion::Val => "val",
            Portion::Test => "test",
        }
    }
}

impl Portion {
    /// The part that a folder or a cell names: train, training; val, valid, validation, dev; test, testing; in any case.
    pub fn by_name(name: &str) -> Option<Portion> {
        Some(match name.to_lowercase().as_str() {
            "train" | "training" => Portion::Train,
            "val" | "valid" | "validation" | "dev" => Portion::Val,
            "test" | "testing" => Portion::Test,
            _ => return None,
        })
    }

    /// The part that a file's name begins with, as in `train-00000-of-00002.parquet`; training if it begins with none.
    pub fn of_file(path: &Path) -> Portion {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let word = name.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        Portion::by_name(word).unwrap_or(Portion::Train)
    }
}

/// Where the bytes of an image are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file of its own.
    File(PathBuf),
    /// In a tar file.
    Member {
        /// The tar file.
        shard: Arc<Path>,
        /// The member's name.
        name: String,
        /// Where its bytes begin.
        offset: u64,
        /// How many they are.
        len: u64,
    },
    /// In a parquet file.
    Row {
        /// The parquet file.
        file: Arc<Path>,
        /// The row group.
        group: usize,
        /// The row, counted from the beginning of the file.
        row: usize,
    },
    /// Nowhere: an example that cannot be used, and why.
    Nowhere {
        /// What is at fault.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// Only so much of a file is read for its size, if its format says that in the beginning.
const HEAD: u64 = 1 << 16;

impl Place {
    /// What messages call it: the path, with the member's name or the row after that of a file with many images.
    pub fn path(&self) -> PathBuf {
        match self {
            Place::File(path) | Place::Nowhere { path, .. } => path.clone(),
            Place::Member { shard, name, .. } => shard.join(name),
            Place::Row { file, row, .. } => file.join(format!("row {row}")),
        }
    }

    /// The bytes, or only the first of them.
    fn read(&self, most: u64) -> Result<Vec<u8>, DataError> {
        let io = |source| DataError::Io { path: self.path(), source };
        let bytes = match self {
            Place::File(path) => {
                // Opening a pipe would wait for its writer.
                if !fs::metadata(path).map_err(io)?.is_file() {
                    return Err(io(io::Error::other("not a file")));
                }
                let mut bytes = Vec::new();
                File::open(path).map_err(io)?.take(most).read_to_end(&mut bytes).map_err(io)?;
                bytes
            }
            Place::Member { shard, offset, len, .. } => {
                let wanted = most.min(*len);
                let mut file = File::open(shard).map_err(io)?;
                file.seek(SeekFrom::Start(*offset)).map_err(io)?;
                let mut bytes = Vec::new();
                file.take(wanted).read_to_end(&mut bytes).map_err(io)?;
                if (bytes.len() as u64) < wanted {
                    return Err(DataError::TruncatedImage { path: self.path() });
                }
                bytes
            }
            Place::Row { .. } => return Err(io(io::ErrorKind::Unsupported.into())),
            Place::Nowhere { path, what } => {
                return Err(DataError::Classes { path: path.clone(), what: what.clone() });
            }
        };
        if bytes.len() as u64 > decode::MOST_FILE_BYTES {
            return Err(decode::too_large(&self.path()));
        }
        Ok(bytes)
    }

    fn whole(&self) -> Result<Vec<u8>, DataError> {
        self.read(decode::MOST_FILE_BYTES + 1)
    }
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub place: Place,
    /// The part it came in.
    pub portion: Portion,
    /// Its class, an index into the classes.
    pub class: u32,
}

/// What was found at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// How the images lie there, in words.
    pub layout: &'static str,
    /// The folder that names are told from.
    pub root: PathBuf,
    /// Names of the classes in order.
    pub classes: Vec<String>,
    /// The images: training, validation, test; in each in the order of the layout.
    pub images: Vec<Item>,
    /// Files that were passed over: hidden, or no image by their ending.
    pub ignored: usize,
    /// Folders that were passed over: hidden, without an image, or a link that leads back.
    pub ignored_folders: Vec<PathBuf>,
    /// Members of tar files that were refused: links, and names that lead out of the archive.
    pub refused: usize,
}

/// What was seen of the images of a collection.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What lies where.
    pub collection: Collection,
    /// For each image what it looks like, or what is wrong with it.
    pub looks: Vec<Result<Look, String>>,
}

/// An image as a layout tells of it.
pub(super) struct Labelled {
    pub place: Place,
    pub portion: Portion,
    /// The name of the class; none only for what is [`Place::Nowhere`].
    pub label: Option<String>,
}

impl Collection {
    /// Numbers the classes: `known` ones (those of a model), or else the labels of the training images in plain order.
    pub(super) fn new(
        path: &Path,
        layout: &'static str,
        mut images: Vec<Labelled>,
        known: Option<&[String]>,
    ) -> Result<Collection, DataError> {
        images.sort_by_key(|image| image.portion);
        let training = images.iter().filter(|image| image.portion == Portion::Train);
        let classes: Vec<String> = match known {
            Some(known) => known.to_vec(),
            None => {
                let names: BTreeSet<&String> = training.filter_map(|image| image.label.as_ref()).collect();
                names.into_iter().cloned().collect()
            }
        };
        let unusable = images.iter().find_map(|image| match &image.place {
            Place::Nowhere { path, what } => Some((path, what)),
            _ => None,
        });
        if let (true, Some((path, what))) = (classes.is_empty(), unusable) {
            let what = format!("{what} (and no other image has a label)");
            return Err(DataError::Classes { path: path.clone(), what });
        }
        at_least_two(path, &classes)?;
        let mut numbered = Vec::with_capacity(images.len());
        for Labelled { place, portion, label } in images {
            let class = match label {
                None => 0,
                Some(label) => number(&classes, &label, &place.path())?,
            };
            numbered.push(Item { place, portion, class });
        }
        let root = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        Ok(Collection { layout, root: root.to_owned(), classes, images: numbered, ..Collection::default() })
    }

    /// `[height, width]` of the training images, in no more reading than that takes; nothing for those that do not say.
    pub(super) fn sizes(&self, threads: usize) -> Vec<[u32; 2]> {
        let size = |item: &Item, head: &[u8]| decode::dimensions(head, &item.place.path());
        let sizes = map_block(&self.images, threads, |block| {
            let Some(first) = block.first().filter(|item| item.portion == Portion::Train) else {
                return Vec::new();
            };
            if let Place::Row { file, group, .. } = &first.place {
                return rows(file, *group, block, size);
            }
            let of = |item: &Item| {
                let head = item.place.read(HEAD)?;
                if decode::size_is_in_head(&head)
                    && let Ok(found) = size(item, &head)
                {
                    return Ok(found);
                }
                if (head.len() as u64) < HEAD { size(item, &head) } else { size(item, &item.place.whole()?) }
            };
            block.iter().map(of).collect()
        });
        sizes.into_iter().flatten().collect()
    }

    /// Runs of about `n` images, none of which cuts a row group.
    pub(super) fn blocks(&self, n: usize) -> Vec<&[Item]> {
        let mut blocks = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for group in self.images.chunk_by(together) {
            end += group.len();
            if end - begin >= n {
                blocks.push(&self.images[begin..end]);
                begin = end;
            }
        }
        if begin < end {
            blocks.push(&self.images[begin..]);
        }
        blocks
    }
}

/// `f` of every image and its bytes, on all threads (0: one a processor), in the order of the images.
pub(super) fn map<R: Send>(
    images: &[Item],
    threads: usize,
    f: impl Fn(&Item, &[u8]) -> Result<R, DataError> + Sync,
) -> Vec<Result<R, DataError>> {
    map_block(images, threads, |block| match &block[0].place {
        Place::Row { file, group, .. } => rows(file, *group, block, &f),
        _ => block.iter().map(|item| f(item, &item.place.whole()?)).collect(),
    })
}

fn map_block<R: Send>(images: &[Item], threads: usize, f: impl Fn(&[Item]) -> Vec<R> + Sync) -> Vec<R> {
    let blocks: Vec<&[Item]> = images.chunk_by(together).collect();
    parallel::map(&blocks, threads, |block| f(block)).into_iter().flatten().collect()
}

/// Images that are read at once: those of a row group; all others are read one by one.
fn together(a: &Item, b: &Item) -> bool {
    match (&a.place, &b.place) {
        (Place::Row { file, group, .. }, Place::Row { file: other, group: next, .. }) => {
            file == other && group == next
        }
        _ => false,
    }
}

/// The images of one row group.
#[cfg(feature = "parquet")]
fn rows<R>(
    file: &Path,
    group: usize,
    block: &[Item],
    f: impl Fn(&Item, &[u8]) -> Result<R, DataError>,
) -> Vec<Result<R, DataError>> {
    super::parquet::each_image(file, group, block, f)
}

#[cfg(not(feature = "parquet"))]
fn rows<R>(
    file: &Path,
    _: usize,
    block: &[Item],
    _: impl Fn(&Item, &[u8]) -> Result<R, DataError>,
) -> Vec<Result<R, DataError>> {
    block.iter().map(|_| Err(DataError::NoParquet { path: file.to_owned() })).collect()
}

/// The number of a class.
pub(super) fn number(classes: &[String], name: &str, place: &Path) -> Result<u32, DataError> {
    match classes.iter().position(|known| known == name) {
        Some(class) => Ok(class as u32),
        None => {
            let what = format!("{name:?} is not a class; the classes are {}", classes.join(", "));
            Err(DataError::Classes { path: place.to_owned(), what })
        }
    }
}

/// Refuses data of one class, or of none.
pub(super) fn at_least_two(path: &Path, classes: &[String]) -> Result<(), DataError> {
    let what = match classes {
        [] => "no labelled training images".to_string(),
        [only] => format!("one class only, {only:?}; images of at least two classes are needed"),
        _ => return Ok(()),
    };
    Err(DataError::Classes { path: path.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_cut_row_groups() {
        let row = |group| Place::Row { file: Path::new("a.parquet").into(), group, row: 0 };
        let file = Place::File("1.png".into());
        let places = [file.clone(), file.clone(), file.clone(), row(0), row(0), row(0), row(1), file];
        let images = places.map(|place| Item { place, portion: Portion::Train, class: 0 }).to_vec();
        let collection = Collection { images, ..Collection::default() };
        let lengths = |n| collection.blocks(n).into_iter().map(<[Item]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(2), [2, 4, 2]);
        assert_eq!(lengths(1), [1, 1, 1, 3, 1, 1]);
        assert_eq!(lengths(100), [8]);
        assert!(Collection::default().blocks(2).is_empty());
    }
}
