//! The bytes of all images of a data set, one image after the other: in memory if they fit, else in a file without a
//! name that the system reads as they are asked for ([`bratt_kernels::file_bytes`]).
//!
//! Where they are changes no result, only the time.

use std::fs;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bratt_kernels::file_bytes::{FileBytes, Writer};

use super::DataError;

/// Bytes of images, in memory or in a file; read them as a slice.
///
/// ```
/// let pixels = bratt::data::Pixels::from(vec![0, 128, 255]);
/// assert_eq!(pixels[1..], [128, 255]);
/// ```
#[derive(Clone, Debug)]
pub struct Pixels(Store);

#[derive(Clone, Debug)]
enum Store {
    Memory(Vec<u8>),
    File(Arc<FileBytes>),
}

impl Pixels {
    /// Whether they are in a file because they did not fit into memory.
    pub fn are_in_file(&self) -> bool {
        matches!(self.0, Store::File(_))
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Pixels {
        Pixels(Store::Memory(bytes))
    }
}

impl FromIterator<u8> for Pixels {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Pixels {
        Vec::from_iter(bytes).into()
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Store::Memory(bytes) => bytes,
            Store::File(bytes) => bytes,
        }
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Pixels) -> bool {
        self[..] == other[..]
    }
}

/// Where pixels that are being read go.
#[derive(Clone, Debug)]
pub(super) enum Room {
    Memory,
    /// A folder.
    Disk(PathBuf),
}

impl Room {
    /// In memory, or in `folder` if there is one and more than `most` bytes are to come. Default of `most`: half of
    /// the memory that is free, so that the other half is left to the training.
    pub(super) fn choose(bytes: u64, most: Option<u64>, folder: Option<&Path>) -> Room {
        match folder {
            Some(folder) if bytes > most.unwrap_or_else(|| free_memory() / 2) => {
                Room::Disk(folder.to_owned())
            }
            _ => Room::Memory,
        }
    }

    pub(super) fn writer(&self) -> Result<PixelWriter, DataError> {
        Ok(match self {
            Room::Memory => PixelWriter::Memory(Vec::new()),
            Room::Disk(folder) => {
                let made = fs::create_dir_all(folder).and_then(|()| Writer::new(folder));
                PixelWriter::File(made.map_err(|source| no_room(folder, source))?, folder.clone())
            }
        })
    }
}

/// Bytes that programs may still have, within the limit of a container; all there are where the system does not say.
fn free_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let free = match system.available_memory() {
        0 => u64::MAX,
        free => free,
    };
    system.cgroup_limits().map_or(free, |limits| limits.free_memory.min(free))
}

/// Pixels that are being read.
#[derive(Debug)]
pub(super) enum PixelWriter {
    Memory(Vec<u8>),
    /// Beside it the folder that it is in.
    File(Writer, PathBuf),
}

impl PixelWriter {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        match self {
            Self::Memory(all) => all.extend_from_slice(bytes),
            Self::File(writer, folder) => {
                writer.write_all(bytes).map_err(|source| no_room(folder, source))?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Pixels, DataError> {
        Ok(Pixels(match self {
            Self::Memory(all) => Store::Memory(all),
            Self::File(writer, folder) => {
                Store::File(Arc::new(writer.finish().map_err(|source| no_room(&folder, source))?))
            }
        }))
    }
}

fn no_room(folder: &Path, source: io::Error) -> DataError {
    DataError::NoRoom { folder: folder.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_memory_goes_to_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("cache");
        assert!(matches!(Room::choose(10, Some(10), Some(&below)), Room::Memory));
        assert!(matches!(Room::choose(11, Some(10), None), Room::Memory));
        assert!(matches!(Room::choose(1 << 20, None, Some(&below)), Room::Memory));
        let room = Room::choose(11, Some(10), Some(&below));
        assert!(matches!(room, Room::Disk(_)));
        let mut pixels = Vec::new();
        for room in [Room::Memory, room] {
            let mut writer = room.writer().unwrap();
            writer.write(&[1, 2, 3]).unwrap();
            writer.write(&[4]).unwrap();
            pixels.push(writer.finish().unwrap());
        }
        assert_eq!(pixels[0], pixels[1]);
        assert_eq!(pixels[1][..], [1, 2, 3, 4]);
        assert!(pixels[1].are_in_file() && !pixels[0].are_in_file());
        assert_eq!(fs::read_dir(&below).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn free_memory_is_found() {
        assert!((1 << 20..1 << 50).contains(&free_memory()));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Room::Disk(file.path().join("below")).writer().unwrap_err().to_string();
        assert!(error.contains("below: the images do not fit into memory"), "{error}");
    }
}
