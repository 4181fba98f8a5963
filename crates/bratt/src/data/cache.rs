//! Decoded and resized pixels, kept in a folder of the user's so that the next reading of the same images decodes nothing.
//!
//! **Key.** One file for one list of images at one size and fit: XXH3-128 of the version of this library, size, fit, the
//! folder of the data, and of each image its path with the length and the times of the file it is in. Whatever
//! touches a file makes another key; so does moving the folder.
//!
//! **Format**, little endian: `brattpx1`, key (16 bytes), number of images (8), height, width (4 each); for each image
//! its channels (1; 0 for one that could not be decoded and is read again each time), and unless that is 0 its colour
//! mode (1), height and width before resizing (4 each), hash (16) and pixels; at the end the XXH3-128 of all that.
//!
//! **Trust.** A file that is not what it says in every length and in its sum is as good as none: the images are decoded
//! and it is written anew, beside its place and then renamed. A cache that fails costs time, never a result.
//!
//! **Room.** All files together take at most [`PixelCache::DEFAULT_LIMIT`]; those not used for longest go first.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use xxhash_rust::xxh3::Xxh3Default;

use super::DataError;
use super::collection::{Collection, Place};
use super::decode::MODES;
use super::look::Look;
use super::resize::Fit;

const MAGIC: &[u8; 8] = b"brattpx1";
const ENDING: &str = "pixels";

/// A folder that holds decoded pixels.
///
/// ```no_run
/// use bratt::data::{Options, PixelCache, open};
/// let cache = Some(PixelCache::new("/home/me/.cache/bratt"));
/// let source = open("flowers".as_ref(), &Options { cache, ..Options::default() })?;
/// # Ok::<(), bratt::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelCache {
    folder: PathBuf,
    limit: u64,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of files, one for each list of images at one size.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// An image as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decoded {
    pub look: Look,
    /// 1 or 3.
    pub channels: u8,
    pub bytes: Vec<u8>,
}

impl PixelCache {
    /// The most bytes that all files take together: 10 GiB.
    pub const DEFAULT_LIMIT: u64 = 10 << 30;

    /// A cache in a folder, which is made when something is to be kept.
    pub fn new(folder: impl Into<PathBuf>) -> PixelCache {
        PixelCache { folder: folder.into(), limit: Self::DEFAULT_LIMIT }
    }

    /// With another limit, in bytes.
    pub fn with_limit(self, limit: u64) -> PixelCache {
        PixelCache { limit, ..self }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The most bytes that all files take together.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What it holds; nothing where there is no folder.
    ///
    /// # Errors
    /// [`DataError::Io`] where the folder cannot be read.
    pub fn usage(&self) -> Result<Usage, DataError> {
        let files = self.files().map_err(|source| self.fault(source))?;
        Ok(Usage { files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() })
    }

    /// Removes what the cache has written, and nothing else. What was removed.
    ///
    /// # Errors
    /// [`DataError::Io`] where the folder cannot be read or a file not removed.
    pub fn clear(&self) -> Result<Usage, DataError> {
        let usage = self.usage()?;
        for file in self.files().map_err(|source| self.fault(source))? {
            fs::remove_file(&file.path)
                .map_err(|source| DataError::Io { path: file.path.clone(), source })?;
        }
        Ok(usage)
    }

    fn fault(&self, source: io::Error) -> DataError {
        DataError::Io { path: self.folder.clone(), source }
    }

    fn place(&self, key: u128) -> PathBuf {
        self.folder.join(format!("{key:032x}.{ENDING}"))
    }

    /// What is kept under a key, an image each; nothing where that is not whole.
    pub(super) fn read(&self, key: u128, images: usize, size: [usize; 2]) -> Option<Vec<Option<Decoded>>> {
        let file = File::open(self.place(key)).ok()?;
        // The time of last use; a folder that is not the user's to change only loses its order.
        let _ = file.set_modified(SystemTime::now());
        decode(BufReader::with_capacity(1 << 18, file), key, images, size).ok().flatten()
    }

    /// Keeps images under a key. What became of it, where that is worth a word.
    pub(super) fn write(&self, key: u128, images: &[Option<&Decoded>], size: [usize; 2]) -> Option<String> {
        let pixels: u64 = images.iter().flatten().map(|image| image.bytes.len() as u64 + 26).sum();
        let needed = pixels + images.len() as u64 + 64;
        if needed > self.limit {
            let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
            let (needed, limit) = (megabytes(needed), megabytes(self.limit));
            return Some(format!("not kept in the cache: {needed} MB, more than its limit of {limit} MB"));
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = self.folder.join(format!(".{key:032x}.{}-{next}.part", std::process::id()));
        let kept = || -> io::Result<usize> {
            fs::create_dir_all(&self.folder)?;
            let removed = self.make_room(needed, key)?;
            encode(BufWriter::with_capacity(1 << 18, File::create(&part)?), key, images, size)?;
            fs::rename(&part, self.place(key))?;
            Ok(removed)
        };
        match kept() {
            Ok(0) => None,
            Ok(1) => Some("the oldest file of the cache made room".into()),
            Ok(removed) => Some(format!("the {removed} oldest files of the cache made room")),
            Err(error) => {
                let _ = fs::remove_file(&part);
                Some(format!("not kept in the cache {}: {error}", self.folder.display()))
            }
        }
    }

    /// Removes files, those not used for longest first, until so many bytes more are within the limit.
    fn make_room(&self, needed: u64, key: u128) -> io::Result<usize> {
        let own = self.place(key);
        let mut files = self.files()?;
        files.retain(|file| file.path != own);
        files.sort_by_key(|file| file.used);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let mut removed = 0;
        for file in files {
            if bytes.saturating_add(needed) <= self.limit {
                break;
            }
            fs::remove_file(&file.path)?;
            bytes -= file.bytes;
            removed += 1;
        }
        Ok(removed)
    }

    /// The files of the cache, those that were never finished included.
    fn files(&self) -> io::Result<Vec<Kept>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let (key, ending) = name.trim_start_matches('.').split_once('.').unwrap_or_default();
            let ours = ending == ENDING || (name.starts_with('.') && ending.ends_with(".part"));
            if !ours || key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            // Another program may have removed it by now.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(Kept { path, bytes: metadata.len(), used });
        }
        Ok(files)
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// The key of a collection at a size; none where a file cannot be looked at.
pub(super) fn key(collection: &Collection, size: [usize; 2], fit: Fit) -> Option<u128> {
    let mut hash = Xxh3Default::new();
    let text = |hash: &mut Xxh3Default, text: &[u8]| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    let number = |hash: &mut Xxh3Default, number: u64| hash.update(&number.to_le_bytes());
    text(&mut hash, env!("CARGO_PKG_VERSION").as_bytes());
    text(&mut hash, fit.name().as_bytes());
    size.iter().for_each(|&side| number(&mut hash, side as u64));
    text(&mut hash, collection.root.canonicalize().ok()?.as_os_str().as_encoded_bytes());
    let mut last: Option<(&Path, [u64; 3])> = None;
    for item in &collection.images {
        let (path, name, at) = match &item.place {
            Place::File(path) => (path.as_path(), "", [0, 0]),
            Place::Member { shard, name, offset, len } => (&**shard, name.as_str(), [*offset, *len]),
            Place::Row { file, group, row } => (&**file, "", [*group as u64, *row as u64]),
            Place::Nowhere { path, what } => {
                text(&mut hash, path.as_os_str().as_encoded_bytes());
                text(&mut hash, what.as_bytes());
                continue;
            }
        };
        let stamp = match last {
            Some((same, stamp)) if same == path => stamp,
            _ => stamp(path).ok()?,
        };
        last = Some((path, stamp));
        text(&mut hash, path.as_os_str().as_encoded_bytes());
        text(&mut hash, name.as_bytes());
        at.into_iter().chain(stamp).for_each(|n| number(&mut hash, n));
    }
    Some(hash.digest128())
}

/// Length and times of a file. The time of the last change of its entry shows a file whose other time was set back.
fn stamp(path: &Path) -> io::Result<[u64; 3]> {
    let metadata = fs::metadata(path)?;
    let modified = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt;
        (metadata.ctime() as u64).wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec() as u64)
    };
    #[cfg(not(unix))]
    let changed = 0;
    Ok([metadata.len(), modified.as_nanos() as u64, changed])
}

fn encode(
    mut to: impl Write,
    key: u128,
    images: &[Option<&Decoded>],
    [height, width]: [usize; 2],
) -> io::Result<()> {
    let mut hash = Xxh3Default::new();
    let mut put = |bytes: &[u8]| {
        hash.update(bytes);
        to.write_all(bytes)
    };
    put(MAGIC)?;
    put(&key.to_le_bytes())?;
    put(&(images.len() as u64).to_le_bytes())?;
    put(&(height as u32).to_le_bytes())?;
    put(&(width as u32).to_le_bytes())?;
    for image in images {
        let known = image.and_then(|image| Some((image, MODES.iter().position(|m| *m == image.look.mode)?)));
        let Some((Decoded { look, channels, bytes }, mode)) = known else {
            put(&[0])?;
            continue;
        };
        put(&[*channels, mode as u8])?;
        put(&look.size[0].to_le_bytes())?;
        put(&look.size[1].to_le_bytes())?;
        put(&look.pixels.to_le_bytes())?;
        put(bytes)?;
    }
    let sum = hash.digest128();
    to.write_all(&sum.to_le_bytes())?;
    to.flush()
}

/// Nothing where the file is not what was asked for.
fn decode(
    mut from: impl Read,
    key: u128,
    images: usize,
    size: [usize; 2],
) -> io::Result<Option<Vec<Option<Decoded>>>> {
    let mut hash = Xxh3Default::new();
    let mut get = |bytes: &mut [u8]| {
        from.read_exact(bytes)?;
        hash.update(bytes);
        Ok::<_, io::Error>(())
    };
    let mut head = [0; 40];
    get(&mut head)?;
    let mut expected = MAGIC.to_vec();
    expected.extend(key.to_le_bytes());
    expected.extend((images as u64).to_le_bytes());
    size.iter().for_each(|&side| expected.extend((side as u32).to_le_bytes()));
    if head[..] != expected[..] {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(images);
    for _ in 0..images {
        let [mut channels, mut about] = [[0; 1], [0; 1]];
        get(&mut channels)?;
        if channels == [0] {
            all.push(None);
            continue;
        }
        get(&mut about)?;
        let Some(&mode) = MODES.get(usize::from(about[0])).filter(|_| matches!(channels[0], 1 | 3)) else {
            return Ok(None);
        };
        let [mut height, mut width] = [[0; 4], [0; 4]];
        let mut pixels = [0; 16];
        get(&mut height)?;
        get(&mut width)?;
        get(&mut pixels)?;
        let mut bytes = vec![0; size[0] * size[1] * usize::from(channels[0])];
        get(&mut bytes)?;
        let size = [u32::from_le_bytes(height), u32::from_le_bytes(width)];
        let look = Look { size, mode, pixels: u128::from_le_bytes(pixels), thumbnail: None };
        all.push(Some(Decoded { look, channels: channels[0], bytes }));
    }
    let (mut sum, mut more) = ([0; 16], [0; 1]);
    from.read_exact(&mut sum)?;
    let whole = u128::from_le_bytes(sum) == hash.digest128() && from.read(&mut more)? == 0;
    Ok(whole.then_some(all))
}

#[cfg(test)]
mod tests;
