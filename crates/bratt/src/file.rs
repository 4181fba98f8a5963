//! Writing files so that nobody ever meets half of one.
//!
//! A file is written under another name in the same folder, brought to the disk and renamed; then the folder is brought
//! to the disk, too. Whatever fails or whenever the program is killed, the old file or the new one is there, whole. What
//! a killed program may leave is the temporary file, which [`remove_orphans`] finds by its name.

pub(crate) mod tensors;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Bytes written at a time.
const CHUNK: usize = 1 << 20;

/// Writes to a temporary file in the same folder, brings it to the disk, and renames it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let temporary = path.with_file_name(temporary_name(name));
    let written = (|| {
        let mut file = act(|| File::create(&temporary))?;
        bytes.chunks(CHUNK).try_for_each(|chunk| act(|| file.write_all(chunk)))?;
        act(|| file.sync_all())?;
        act(|| fs::rename(&temporary, path))?;
        act(|| sync_folder(path))
    })();
    if written.is_err() {
        // The first error is the one to report.
        let _ = act(|| fs::remove_file(&temporary));
    }
    written
}

/// Two processes that write the same file must not share the temporary one.
fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    temporary
}

/// Removes temporary files that killed programs left in a folder. Nobody else may be writing there.
pub(crate) fn remove_orphans(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") && entry.file_type()?.is_file() {
            act(|| fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// A rename is on the disk only when its folder is. Elsewhere than on Unix folders cannot be opened for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// One act on the disk, which tests can make fail.
fn act<T>(act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    #[cfg(test)]
    faults::strike()?;
    act()
}

/// Acts on the disk that fail, for tests; by thread.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;
    use std::io;

    /// What goes wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Fault {
        /// The disk is full at this act only.
        Once,
        /// From this act on nothing happens any more, as if the program had been killed.
        Killed,
    }

    /// Acts until the fault, or that it has struck.
    #[derive(Clone, Copy)]
    enum Plan {
        In(usize, Fault),
        Struck(Fault),
    }

    thread_local! {
        static PLAN: Cell<Option<Plan>> = const { Cell::new(None) };
    }

    /// Lets act number `at`, from 0, of those to come on this thread fail while `work` runs. Whether it came to it.
    pub(crate) fn during<R>(at: usize, fault: Fault, work: impl FnOnce() -> R) -> (R, bool) {
        PLAN.set(Some(Plan::In(at, fault)));
        let result = work();
        (result, matches!(PLAN.take(), Some(Plan::Struck(_))))
    }

    pub(super) fn strike() -> io::Result<()> {
        let fails = match PLAN.get() {
            None | Some(Plan::Struck(Fault::Once)) => false,
            Some(Plan::Struck(Fault::Killed)) => true,
            Some(Plan::In(0, fault)) => {
                PLAN.set(Some(Plan::Struck(fault)));
                true
            }
            Some(Plan::In(left, fault)) => {
                PLAN.set(Some(Plan::In(left - 1, fault)));
                false
            }
        };
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::faults::{Fault, during};
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"first, longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_atomically(&folder.path().join("absent/a.json"), b"x").is_err());
    }

    #[test]
    fn whatever_fails_the_old_file_or_the_new_one_is_there() {
        let (old, new) = (vec![1; 10], vec![2; 2 * CHUNK + 7]);
        for fault in [Fault::Once, Fault::Killed] {
            let mut acts = 0;
            loop {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("a");
                write_atomically(&path, &old).unwrap();
                let (written, struck) = during(acts, fault, || write_atomically(&path, &new));
                let found = fs::read(&path).unwrap();
                if !struck {
                    assert!(written.is_ok() && found == new);
                    break;
                }
                assert!(written.is_err());
                assert!(found == old || found == new);
                let left = fs::read_dir(folder.path()).unwrap().count();
                assert!(left == 1 || fault == Fault::Killed, "act {acts} leaves {left} files");
                remove_orphans(folder.path()).unwrap();
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
                acts += 1;
            }
            // Create, three writes, the file's and the folder's way to the disk, and the rename between them.
            assert_eq!(acts, 7);
        }
    }
}
