//! Known data sets: found where the system or an earlier run has put them, or downloaded.
//!
//! Each file has its SHA-256 here, so that it does not matter whom it comes from. It arrives as `.NAME.part` beside its
//! place; when it is whole and its sum is right, it is renamed. A download that broke off goes on where it ended (HTTP's
//! `Range`), in this run or the next. Of an archive only the members named here are written, each whole.
//!
//! Downloading is behind the feature `fetch`, so that the default build knows no network. Its TLS is `rustls` with
//! `graviola`, which is Rust and assembly: `ring` and `aws-lc` would need a C compiler, and mirrors without TLS are few.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

mod catalogue;
#[cfg(feature = "fetch")]
mod download;

pub use catalogue::KNOWN;

/// A data set that can be had by its name.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Its files.
    pub files: &'static [Remote],
    /// Folders where packages of the system put it.
    pub installed: &'static [&'static str],
}

/// A file of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Remote {
    /// What it is called in its folder.
    pub name: &'static str,
    /// Where it can be had, best first.
    pub urls: &'static [&'static str],
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: &'static str,
    /// The files to take out of it, if it is an archive (tar, gzip); it is not kept then. Their folders count.
    pub members: &'static [&'static str],
}

/// How far a download is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// Bytes that are here.
    pub done: u64,
    /// All bytes, if the server says so.
    pub all: Option<u64>,
}

/// What can be wrong with a download.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// This build has no network.
    #[error("{name} is not on this machine, and this build of bratt has no network; build it with `--features fetch`, or put these files into {}:{}", to.display(), listed(files))]
    NoNetwork {
        /// The data set.
        name: &'static str,
        /// The folder.
        to: PathBuf,
        /// What to put there.
        files: &'static [Remote],
    },
    /// A file of that name is there, and it is another one.
    #[error("{}: this is not the file of {url}: its SHA-256 is {found}, {expected} is expected; move it away, or choose another folder", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Where the right one would come from.
        url: &'static str,
        /// The sum that is expected.
        expected: &'static str,
        /// The sum of the file.
        found: String,
    },
    /// What was downloaded is not what was expected.
    #[error("{url}: the SHA-256 of what came is {found}, {expected} is expected; nothing was kept of it")]
    WrongSum {
        /// The address.
        url: String,
        /// The sum that is expected.
        expected: String,
        /// The sum of what came.
        found: String,
    },
    /// The server does not give the file.
    #[error("{url}: {what}")]
    Refused {
        /// The address.
        url: String,
        /// What it said.
        what: String,
    },
    /// The download broke off.
    #[error("{url}: broke off after {done} bytes ({what}); run the command again to go on from there")]
    BrokeOff {
        /// The address.
        url: String,
        /// Bytes that are kept.
        done: u64,
        /// What happened.
        what: String,
    },
    /// An archive does not hold what it should.
    #[error("{}: {what}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn listed(files: &[Remote]) -> String {
    let line = |file: &Remote| {
        let unpacked = if file.members.is_empty() { "" } else { ", unpacked" };
        format!("\n  {}{unpacked} (SHA-256 {})", file.urls.first().unwrap_or(&file.name), file.sha256)
    };
    files.iter().map(line).collect()
}

impl Known {
    /// The data set of that name.
    pub fn by_name(name: &str) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.name == name)
    }

    /// The folder where a package of the system has put it.
    pub fn installed(&self) -> Option<PathBuf> {
        let folders = self.installed.iter().map(PathBuf::from);
        folders.into_iter().find(|folder| self.files.iter().all(|file| file.is_in(folder)))
    }

    /// Sees to it that all files are in `folder`: those that are there are checked, the others downloaded. Tells whether
    /// anything had to be downloaded.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub fn fetch(&self, folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<bool, FetchError> {
        let mut missing = Vec::new();
        for file in self.files {
            if !file.is_in(folder) {
                missing.push(file);
            } else if file.members.is_empty() {
                file.check(folder)?;
            }
        }
        for file in &missing {
            self.get(file, folder, progress)?;
        }
        Ok(!missing.is_empty())
    }

    #[cfg(feature = "fetch")]
    fn get(&self, file: &Remote, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        download::get(file, to, progress)
    }

    #[cfg(not(feature = "fetch"))]
    fn get(&self, _: &Remote, to: &Path, _: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        Err(FetchError::NoNetwork { name: self.name, to: to.to_owned(), files: self.files })
    }
}

impl Remote {
    /// Whether it, or what it holds, is in a folder.
    fn is_in(&self, folder: &Path) -> bool {
        match self.members {
            [] => folder.join(self.name).is_file(),
            members => members.iter().all(|member| folder.join(member).is_file()),
        }
    }

    fn check(&self, folder: &Path) -> Result<(), FetchError> {
        let path = folder.join(self.name);
        let mut hash = Sha256::new();
        add(&mut hash, &path)?;
        let found = hex(hash);
        if found == self.sha256 {
            return Ok(());
        }
        let url = self.urls.first().copied().unwrap_or(self.name);
        Err(FetchError::Other { path, url, expected: self.sha256, found })
    }
}

/// Adds a file's bytes to a sum; how many they are.
fn add(hash: &mut Sha256, path: &Path) -> Result<u64, FetchError> {
    let failed = |source| FetchError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    let mut len = 0;
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(len),
            n => {
                hash.update(&buffer[..n]);
                len += n as u64;
            }
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
