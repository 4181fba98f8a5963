//! Folders of images, a folder a class.
//!
//! ```text
//! ROOT/CLASS/**/*.jpg                          one set, to be split
//! ROOT/{train,val,test}/CLASS/**/*.jpg         parts that are given; val and test may be absent
//! ```
//! `training`, `valid`, `validation`, `dev` and `testing` will do as well, in any case. A folder is a part only where
//! `train` holds folders itself; else `train` is a class like any other.
//!
//! Classes are in plain order of their names, files in order of their paths, so nothing depends on the file system.
//! Images lie in the folder of their class or below it. Links are followed, except where they lead back to a folder
//! that they lie in. Hidden files and folders, files with other endings, and folders without images are passed over and
//! counted.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;
use super::collection::{self, Collection, Item, Place, Portion};

/// Endings of image files, in lower case.
pub const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "webp", "gif", "tif", "tiff"];

/// Reads what is below `root`. With `known` classes (those of a model), a folder of another name is an error.
///
/// # Errors
/// [`DataError::Io`] where a folder cannot be read; [`DataError::Classes`] where there are no images, or not in folders
/// of classes, or a class is unknown, or there is only one.
pub fn read(root: &Path, known: Option<&[String]>) -> Result<Collection, DataError> {
    let fault = |path: &Path, what: String| Err(DataError::Classes { path: path.to_owned(), what });
    let mut tree = Collection { layout: "a folder a class", root: root.to_owned(), ..Collection::default() };
    let parts = parts(root)?;
    let split = parts.len() > 1 || parts.first().is_some_and(|(_, path)| path != root);
    let mut found: Vec<(Portion, Vec<Class>)> = Vec::new();
    for (portion, folder) in &parts {
        let classes = classes(folder, &mut tree)?;
        if classes.is_empty() {
            let flat = entries(folder)?.iter().filter(|path| is_image(path)).count();
            let images = match flat {
                0 => "no images".to_string(),
                n => format!("{n} images, but not in folders of classes"),
            };
            return fault(
                folder,
                format!("{images}; expected a folder a class, as in {}/cat/1.jpg", folder.display()),
            );
        }
        found.push((*portion, classes));
    }
    if split {
        let names: Vec<&PathBuf> = parts.iter().map(|(_, path)| path).collect();
        for path in entries(root)? {
            if path.is_dir() {
                if !names.contains(&&path) {
                    tree.ignored_folders.push(path);
                }
            } else {
                tree.ignored += 1;
            }
        }
    } else {
        tree.ignored += entries(root)?.iter().filter(|path| !path.is_dir()).count();
    }
    tree.classes = match known {
        Some(known) => known.to_vec(),
        None => {
            let training = found.first().map(|(_, classes)| classes.as_slice()).unwrap_or_default();
            let mut names: Vec<String> = training.iter().map(|class| class.name.clone()).collect();
            names.sort();
            if let Some(two) = names.windows(2).find(|two| two[0] == two[1]) {
                return fault(root, format!("two folders of class {:?}; rename one", two[0]));
            }
            names
        }
    };
    collection::at_least_two(root, &tree.classes)?;
    for (portion, mut classes) in found {
        classes.sort_by(|a, b| a.name.cmp(&b.name));
        for Class { name, folder, files } in classes {
            let class = collection::number(&tree.classes, &name, &folder)?;
            tree.images.extend(files.into_iter().map(|path| Item {
                place: Place::File(path),
                portion,
                class,
            }));
        }
    }
    tree.ignored_folders.sort();
    Ok(tree)
}

/// Whether a file calls itself an image.
pub fn is_image(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(is_hidden);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The folders of the parts; the root itself as training where there are none.
fn parts(root: &Path) -> Result<Vec<(Portion, PathBuf)>, DataError> {
    let mut parts: Vec<(Portion, PathBuf)> = Vec::new();
    for path in entries(root)?.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(portion) = Portion::by_name(&name) else { continue };
        if let Some((_, first)) = parts.iter().find(|(other, _)| *other == portion) {
            let what =
                format!("two folders of the {} part, the other is {}", portion.name(), first.display());
            return Err(DataError::Classes { path, what });
        }
        parts.push((portion, path));
    }
    parts.sort();
    let given = match parts.first() {
        Some((Portion::Train, path)) => entries(path)?.iter().any(|path| path.is_dir()),
        _ => false,
    };
    Ok(if given { parts } else { vec![(Portion::Train, root.to_owned())] })
}

struct Class {
    name: String,
    folder: PathBuf,
    files: Vec<PathBuf>,
}

fn classes(folder: &Path, tree: &mut Collection) -> Result<Vec<Class>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default();
        if !path.is_dir() {
            continue;
        }
        if is_hidden(name) {
            tree.ignored_folders.push(path);
            continue;
        }
        let mut files = Vec::new();
        let mut above = vec![real(folder)?];
        walk(&path, &mut above, &mut files, tree)?;
        if files.is_empty() {
            tree.ignored_folders.push(path);
        } else {
            classes.push(Class { name: name.to_string_lossy().into_owned(), folder: path, files });
        }
    }
    Ok(classes)
}

/// Collects the images below a folder; `above` are the real paths of the folders that lead to it.
fn walk(
    folder: &Path,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
    tree: &mut Collection,
) -> Result<(), DataError> {
    let here = real(folder)?;
    if above.contains(&here) {
        tree.ignored_folders.push(folder.to_owned());
        return Ok(());
    }
    above.push(here);
    for path in entries(folder)? {
        // A link that leads nowhere is told of as a file that cannot be read.
        let metadata = path.metadata();
        if metadata.as_ref().is_ok_and(fs::Metadata::is_dir) {
            if is_hidden(path.file_name().unwrap_or_default()) {
                tree.ignored_folders.push(path);
            } else {
                walk(&path, above, files, tree)?;
            }
        } else if is_image(&path) && metadata.map_or(true, |metadata| metadata.is_file()) {
            files.push(path);
        } else {
            tree.ignored += 1;
        }
    }
    above.pop();
    Ok(())
}

/// What is in a folder, in the order of the names.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Io { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn real(folder: &Path) -> Result<PathBuf, DataError> {
    folder.canonicalize().map_err(|source| DataError::Io { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests;
