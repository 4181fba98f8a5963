//! Tar files of images, as WebDataset names them.
//!
//! ```text
//! train-000.tar    0001.jpg 0001.cls 0002.jpg 0002.cls ...
//! val-000.tar      0001.png 0001.json ...
//! classes.txt      names of the classes 0, 1, ..., a line each; may be absent
//! ```
//! Members that follow each other and have the same name up to the first dot are one example: an image, and its label in
//! `.cls` (a number or a name) or in `.json` (`label`, `class` or `cls`; a number or a name). Another ending or key can be
//! asked for. The part is that of the file's or the folder's name: `train`, `val`, `test` and their other spellings.
//!
//! Tar files are read as a stream of headers and never unpacked; images are read from their place in the file. Nothing is
//! written, so that no name can do harm; still a member whose name is absolute or leads upwards is **refused**, and so are
//! links and devices: an archive that holds them was not made to hold data. Hidden members and those with other endings are
//! **passed over**. Both are counted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tar::{Archive, EntryType};

use super::collection::{Collection, Labelled, Place, Portion};
use super::{DataError, Options, tree};

/// The files of one ending in a folder, or in the folders inside it, with their parts; in the order of their names. None
/// where the folder holds other folders beside such files: those are classes.
pub(super) fn files(folder: &Path, ending: &str) -> Result<Vec<(Portion, PathBuf)>, DataError> {
    let ours = |path: &Path| {
        let right = path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        right && path.is_file() && !path.file_name().is_none_or(tree::is_hidden)
    };
    let (mut direct, mut inside, mut folders) = (Vec::new(), Vec::new(), 0);
    for path in tree::entries(folder)? {
        if ours(&path) {
            direct.push((Portion::of_file(&path), path));
        } else if path.is_dir() && !path.file_name().is_none_or(tree::is_hidden) {
            folders += 1;
            let part = Portion::by_name(&path.file_name().unwrap_or_default().to_string_lossy());
            let files = tree::entries(&path)?.into_iter().filter(|path| ours(path));
            inside.extend(files.map(|file| (part.unwrap_or_else(|| Portion::of_file(&file)), file)));
        }
    }
    Ok(match (direct.is_empty(), folders) {
        (false, 0) => direct,
        (true, _) => inside,
        (false, _) => Vec::new(),
    })
}

/// Reads the headers of tar files.
///
/// # Errors
/// See [`DataError`]: what is no tar file or ends early, an unknown class, one class only. An example without a label is
/// one that cannot be used.
pub fn read(path: &Path, files: &[(Portion, PathBuf)], options: &Options) -> Result<Collection, DataError> {
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let names = class_names(root);
    let mut found = Walk { label: options.label.as_deref(), names: &names, ..Walk::default() };
    for (portion, file) in files {
        found.walk(*portion, file)?;
    }
    let Walk { images, ignored, refused, .. } = found;
    let collection = Collection::new(path, "tar files", images, options.classes.as_deref())?;
    Ok(Collection { ignored, refused, ..collection })
}

/// The lines of `classes.txt` or `classnames.txt`.
fn class_names(folder: &Path) -> Vec<String> {
    let texts = ["classes.txt", "classnames.txt"].map(|name| fs::read_to_string(folder.join(name)));
    let text = texts.into_iter().find_map(Result::ok).unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[derive(Default)]
struct Walk<'a> {
    label: Option<&'a str>,
    names: &'a [String],
    images: Vec<Labelled>,
    ignored: usize,
    refused: usize,
}

/// The members of one example.
#[derive(Default)]
struct Example {
    key: String,
    images: Vec<Place>,
    /// Label files by their ending.
    texts: BTreeMap<String, String>,
}

/// Tar files are made of blocks of so many bytes.
const BLOCK: u64 = 512;
/// Label files are not longer.
const MOST_TEXT: u64 = 1 << 20;

impl Walk<'_> {
    fn walk(&mut self, portion: Portion, path: &Path) -> Result<(), DataError> {
        let io = |source| DataError::Io { path: path.to_owned(), source };
        let damaged = |what: String| DataError::Container { path: path.to_owned(), kind: "tar", what };
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let shard: Arc<Path> = Arc::from(path);
        let mut archive = Archive::new(file);
        let mut example = Example::default();
        let mut end = 0;
        for entry in archive.entries_with_seek().map_err(io)? {
            let mut entry = entry.map_err(|error| damaged(error.to_string()))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let (offset, len) = (entry.raw_file_position(), entry.size());
            end = offset.saturating_add(len).div_ceil(BLOCK).saturating_mul(BLOCK);
            match entry.header().entry_type() {
                EntryType::Directory | EntryType::XGlobalHeader => continue,
                EntryType::Regular | EntryType::Continuous => {}
                _ => {
                    self.refused += 1;
                    continue;
                }
            }
            if !stays_inside(Path::new(&name)) {
                self.refused += 1;
                continue;
            }
            if offset.checked_add(len).is_none_or(|end| end > size) {
                return Err(damaged(format!("it ends within {name}; get the file again")));
            }
            let (folder, base) = name.rsplit_once('/').unwrap_or(("", &name));
            let (stem, ending) = base.split_once('.').unwrap_or((base, ""));
            let (key, ending) = (format!("{folder}/{stem}"), ending.to_lowercase());
            if tree::is_image(Path::new(base)) {
                self.switch(&mut example, key, portion, path);
                let shard = Arc::clone(&shard);
                example.images.push(Place::Member { shard, name, offset, len });
            } else if !stem.is_empty() && self.is_label(&ending) && len <= MOST_TEXT {
                let mut text = Vec::new();
                entry.read_to_end(&mut text).map_err(|error| damaged(error.to_string()))?;
                self.switch(&mut example, key, portion, path);
                example.texts.insert(ending, String::from_utf8_lossy(&text).trim().to_owned());
            } else {
                self.ignored += 1;
            }
        }
        if end > 0 && size < end.saturating_add(BLOCK) {
            return Err(damaged(
                "it ends without the empty block that marks the end; get the file again".into(),
            ));
        }
        self.switch(&mut example, String::new(), portion, path);
        Ok(())
    }

    fn is_label(&self, ending: &str) -> bool {
        matches!(ending, "cls" | "json") || self.label.is_some_and(|label| label.eq_ignore_ascii_case(ending))
    }

    /// Ends an example where a member of another one begins.
    fn switch(&mut self, example: &mut Example, key: String, portion: Portion, path: &Path) {
        if example.key == key {
            return;
        }
        let Example { key: done, mut images, texts } =
            std::mem::replace(example, Example { key, ..Example::default() });
        let unusable = |what: String| {
            let path = path.join(done.trim_start_matches('/'));
            Labelled { place: Place::Nowhere { path, what }, portion, label: None }
        };
        let image = match (images.len(), images.pop()) {
            (1, Some(image)) => image,
            // A label without an image.
            (_, None) => {
                self.ignored += texts.len();
                return;
            }
            (n, _) => {
                self.images.push(unusable(format!("{n} images of one name; one is expected")));
                return;
            }
        };
        let labelled = match self.label_of(&texts) {
            Ok(label) => Labelled { place: image, portion, label: Some(label) },
            Err(what) => unusable(what),
        };
        self.images.push(labelled);
    }

    fn label_of(&self, texts: &BTreeMap<String, String>) -> Result<String, String> {
        let wanted = self.label;
        let plain = wanted.map_or("cls".to_string(), str::to_lowercase);
        if let Some(text) = texts.get(&plain).filter(|_| plain != "json") {
            return self.named(text);
        }
        let Some(json) = texts.get("json") else {
            return Err(format!("no label: a member of the same name with .{plain} or .json is expected"));
        };
        let json: serde_json::Value =
            serde_json::from_str(json).map_err(|error| format!("its .json cannot be read: {error}"))?;
        let keys = wanted.map_or(vec!["label", "class", "cls"], |wanted| vec![wanted]);
        match keys.iter().find_map(|key| json.get(key)) {
            Some(serde_json::Value::String(text)) => self.named(text),
            Some(serde_json::Value::Number(number)) => self.named(&number.to_string()),
            Some(_) => Err("the label in its .json is neither a number nor a name".into()),
            None => Err(format!("its .json has no {}", keys.join(", "))),
        }
    }

    /// The name that a label stands for.
    fn named(&self, label: &str) -> Result<String, String> {
        match label.parse::<usize>() {
            Ok(number) if !self.names.is_empty() => self.names.get(number).cloned().ok_or_else(|| {
                format!("label {number} is out of range: classes.txt has {} names", self.names.len())
            }),
            _ if label.is_empty() => Err("its label is empty".into()),
            _ => Ok(label.to_owned()),
        }
    }
}

/// Whether a name is that of something inside the archive.
fn stays_inside(name: &Path) -> bool {
    name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests;
