//! Bytes that do not fit into memory, in a file without a name.
//!
//! They are written once, then read as a slice: the system brings in what is looked at and drops what is not, as memory
//! allows. The file has no name that anyone could open (where the system has no such files, it is removed with its last
//! handle), so nobody changes it beneath the slice, and nothing is left behind, however the program ends.
//!
//! ```
//! use std::io::Write;
//! let mut writer = bratt_kernels::file_bytes::Writer::new(&std::env::temp_dir())?;
//! writer.write_all(b"steep")?;
//! let bytes = writer.finish()?;
//! assert_eq!(&bytes[1..3], b"te");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Deref;
use std::path::Path;

/// A file without a name that is being written.
#[derive(Debug)]
pub struct Writer(BufWriter<File>);

impl Writer {
    /// An empty file on the disk that holds `folder`.
    ///
    /// # Errors
    /// What the system says where no file can be made there.
    pub fn new(folder: &Path) -> io::Result<Writer> {
        Ok(Writer(BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?)))
    }

    /// What was written, as a slice.
    ///
    /// # Errors
    /// What the system says where the last bytes find no room, or the file no place among the addresses.
    pub fn finish(self) -> io::Result<FileBytes> {
        let file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        if file.metadata()?.len() == 0 {
            return Ok(FileBytes(None));
        }
        // SAFETY: the file has no name and its only handle is dropped here, so nothing changes it or cuts it short while
        // it is mapped.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(FileBytes(Some(map)))
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Bytes in a file without a name. An empty file has no map.
#[derive(Debug)]
pub struct FileBytes(Option<memmap2::Mmap>);

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_no_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<u8> = (0..1_000_000u32).map(|at| (at % 251) as u8).collect();
        let mut writer = Writer::new(folder.path()).unwrap();
        all.chunks(777).for_each(|chunk| writer.write_all(chunk).unwrap());
        let bytes = writer.finish().unwrap();
        assert!(*bytes == all[..]);
        drop(bytes);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Writer::new(folder.path()).unwrap().finish().unwrap().is_empty());
        assert!(Writer::new(&folder.path().join("none")).is_err());
    }
}
