//! Opening files: gzip is recognised by its first two bytes, whatever the name says.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::DataError;

/// An open file, unpacked on the way if it is gzip.
pub(super) struct Opened {
    /// The uncompressed bytes.
    pub reader: Box<dyn BufRead>,
    /// Upper bound of the uncompressed size, known before decoding.
    pub at_most: u64,
}

/// Deflate cannot pack more tightly than 258 bytes into two bits.
const DEFLATE_RATIO: u64 = 1032;

pub(super) fn open(path: &Path) -> Result<Opened, DataError> {
    let failed = |source| DataError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let mut reader = BufReader::with_capacity(1 << 17, file);
    let gzip = reader.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip {
        let reader = BufReader::with_capacity(1 << 17, MultiGzDecoder::new(reader));
        Opened { reader: Box::new(reader), at_most: metadata.len().saturating_mul(DEFLATE_RATIO) }
    } else {
        Opened { reader: Box::new(reader), at_most: metadata.len() }
    })
}

/// Tells damage of the packed data from trouble with the file system.
pub(super) fn read_error(path: &Path, source: io::Error) -> DataError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => DataError::Gzip { path, source },
        _ => DataError::Io { path, source },
    }
}
