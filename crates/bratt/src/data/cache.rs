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

    /// What is kept under a key, to be read image by image; nothing where that is something else.
    pub(super) fn reader(&self, key: u128, images: usize, size: [usize; 2]) -> Option<CacheReader> {
        let file = File::open(self.place(key)).ok()?;
        // The time of last use; a folder that is not the user's to change only loses its order.
        let _ = file.set_modified(SystemTime::now());
        CacheReader::new(BufReader::with_capacity(1 << 18, file), key, images, size).ok().flatten()
    }

    /// Keeps images under a key, one after the other.
    pub(super) fn writer(&self, key: u128, images: usize, size: [usize; 2]) -> CacheWriter<'_> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = self.folder.join(format!(".{key:032x}.{}-{next}.part", std::process::id()));
        let mut writer = CacheWriter {
            cache: self,
            key,
            part,
            file: fs::create_dir_all(&self.folder).and(Ok(None)),
            hash: Xxh3Default::new(),
            written: 0,
        };
        if writer.file.is_ok() {
            let part = File::create(&writer.part);
            writer.file = part.map(|file| Some(BufWriter::with_capacity(1 << 18, file)));
        }
        writer.append(&header(key, images, size));
        writer
    }

    /// Removes files, those not used for longest first, until so many bytes more are within the limit.
    fn make_room(&self, needed: u64, key: u128, part: &Path) -> io::Result<usize> {
        let own = self.place(key);
        let mut files = self.files()?;
        files.retain(|file| file.path != own && file.path != part);
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

/// Magic, key, number of images, height and width.
fn header(key: u128, images: usize, [height, width]: [usize; 2]) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(key.to_le_bytes());
    head.extend((images as u64).to_le_bytes());
    [height, width].iter().for_each(|&side| head.extend((side as u32).to_le_bytes()));
    head
}

/// A file of the cache that is being written; removed when dropped before it is whole.
pub(super) struct CacheWriter<'a> {
    cache: &'a PixelCache,
    key: u128,
    part: PathBuf,
    /// Nothing once it is given up because it grows beyond the limit of the cache.
    file: io::Result<Option<BufWriter<File>>>,
    hash: Xxh3Default,
    written: u64,
}

impl CacheWriter<'_> {
    /// Adds the next image; nothing for one that could not be read.
    pub(super) fn put(&mut self, image: Option<&Decoded>) {
        let known = image.and_then(|image| Some((image, MODES.iter().position(|m| *m == image.look.mode)?)));
        let Some((Decoded { look, channels, bytes }, mode)) = known else { return self.append(&[0]) };
        let mut head = vec![*channels, mode as u8];
        head.extend(look.size[0].to_le_bytes());
        head.extend(look.size[1].to_le_bytes());
        head.extend(look.pixels.to_le_bytes());
        self.append(&head);
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.write(bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        if self.written > self.cache.limit && self.file.is_ok() {
            self.file = Ok(None);
            let _ = fs::remove_file(&self.part);
        }
        if let Ok(Some(file)) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            self.file = Err(error);
        }
    }

    /// Gives the file its name. What became of it, where that is worth a word.
    pub(super) fn finish(mut self) -> Option<String> {
        let sum = self.hash.digest128();
        self.write(&sum.to_le_bytes());
        let cache = self.cache;
        let kept = match std::mem::replace(&mut self.file, Ok(None)) {
            Ok(None) => {
                let limit = cache.limit.div_ceil(1_000_000);
                return Some(format!("not kept in the cache: more than its limit of {limit} MB"));
            }
            Ok(Some(mut file)) => file.flush().and_then(|()| {
                let removed = cache.make_room(self.written, self.key, &self.part)?;
                fs::rename(&self.part, cache.place(self.key))?;
                Ok(removed)
            }),
            Err(error) => Err(error),
        };
        match kept {
            Ok(0) => None,
            Ok(1) => Some("the oldest file of the cache made room".into()),
            Ok(removed) => Some(format!("the {removed} oldest files of the cache made room")),
            Err(error) => Some(format!("not kept in the cache {}: {error}", cache.folder.display())),
        }
    }
}

impl Drop for CacheWriter<'_> {
    fn drop(&mut self) {
        // There is none once it has its name.
        let _ = fs::remove_file(&self.part);
    }
}

/// A file of the cache that is being read. What it gave is to be trusted once [`verify`](Self::verify) says so.
pub(super) struct CacheReader {
    from: BufReader<File>,
    hash: Xxh3Default,
    size: [usize; 2],
}

impl CacheReader {
    fn new(
        from: BufReader<File>,
        key: u128,
        images: usize,
        size: [usize; 2],
    ) -> io::Result<Option<CacheReader>> {
        let mut reader = CacheReader { from, hash: Xxh3Default::new(), size };
        let head: [u8; 40] = reader.array()?;
        Ok((head[..] == header(key, images, size)[..]).then_some(reader))
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    /// The next image; nothing for one that could not be read when the file was written.
    pub(super) fn next(&mut self) -> io::Result<Option<Decoded>> {
        let [channels] = self.array()?;
        if channels == 0 {
            return Ok(None);
        }
        let [mode] = self.array()?;
        let Some(&mode) = MODES.get(usize::from(mode)).filter(|_| matches!(channels, 1 | 3)) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let size = [u32::from_le_bytes(self.array()?), u32::from_le_bytes(self.array()?)];
        let look = Look { size, mode, pixels: u128::from_le_bytes(self.array()?), thumbnail: None };
        let mut bytes = vec![0; self.size[0] * self.size[1] * usize::from(channels)];
        self.from.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        Ok(Some(Decoded { look, channels, bytes }))
    }

    /// Whether the file ends here and all was as it was written.
    pub(super) fn verify(mut self) -> bool {
        let (mut sum, mut more) = ([0; 16], [0; 1]);
        self.from.read_exact(&mut sum).is_ok()
            && u128::from_le_bytes(sum) == self.hash.digest128()
            && self.from.read(&mut more).is_ok_and(|n| n == 0)
    }
}

#[cfg(test)]
mod tests;
