//! Collections of images as a data set: every image decoded, turned upright and brought to one size, on all threads.
//!
//! **Size.** Asked for, or the size that all images have if no side is longer than 96 pixels, or else a square
//! of the median shorter side, at most 64: large enough to tell most things apart, small enough to train in minutes.
//!
//! **Channels.** One if every image shows greys only, else three.
//!
//! The median is that of the training images, so that no other part decides anything.

use std::fmt::Write as _;
use std::path::Path;

use self::reading::{Images, Part};
use super::collection::{self, Collection, Found};
use super::dataset::{BYTE_SCALE, thousands};
use super::decode;
use super::look::Look;
use super::options::{ImageOptions, OnBad, Options};
use super::source::Source;
use super::{DataError, Dataset, Features, Targets};

mod reading;

/// No side of images that keep the size they have is longer.
const LONGEST_KEPT: u32 = 96;
/// The most that is chosen for images of many sizes.
const LARGEST_CHOSEN: u32 = 64;

/// Decodes every image without keeping it.
pub(super) fn scan(collection: Collection, threads: usize) -> Found {
    let seen = collection::map(&collection.images, threads, |item, file| {
        decode::decode(file, &item.place.path()).map(|picture| Look::of(&picture, true))
    });
    Found { collection, looks: seen.into_iter().map(|look| look.map_err(|error| said(&error))).collect() }
}

/// Reads what lies at `path` as a data set.
pub(super) fn load(path: &Path, collection: Collection, options: &Options) -> Result<Source, DataError> {
    let images = &options.images;
    let (size, mut reason) = match images.size {
        Some([height, width]) => ([height, width], format!("made {height}x{width}")),
        None => choose_size(&collection, images),
    };
    let channels = images.channels;
    if let Some(channels) = channels.filter(|channels| !matches!(channels, 1 | 3)) {
        return Err(DataError::ImageShape { shape: vec![size[0], size[1], channels] });
    }
    let Images { train, test, val, looks, bad, channels, cached, .. } =
        reading::read(&collection, size, options)?;
    let (all, unusable) = (collection.images.len(), bad.len());
    if unusable > 0 && (images.on_bad == OnBad::Fail || unusable == all) {
        return Err(DataError::BadImages { path: path.to_owned(), all, bad });
    }
    if options.classes.is_none() {
        every_class_has_an_image(path, &collection.classes, &train.labels, &val)?;
    }
    if train.labels.is_empty() {
        let what = "no training image can be used".to_string();
        return Err(DataError::Classes { path: path.to_owned(), what });
    }

    let (name, mut in_file) = (name_of(path), 0);
    let mut dataset = |part: Part| {
        let (bytes, labels) = part.finish()?;
        in_file += if bytes.are_in_file() { bytes.len() } else { 0 };
        let features = Features::Pixels { bytes, scale: BYTE_SCALE };
        let targets = Targets::Classes { labels, names: collection.classes.clone() };
        let data = Dataset::new(name.as_str(), vec![size[0], size[1], channels], features, targets)?;
        Ok::<_, DataError>(data.with_fit(images.fit))
    };
    let test = if test.labels.is_empty() { None } else { Some(dataset(test)?) };
    let train = dataset(train)?;
    reason = format!("{}: {}; {reason}", collection.layout, train.describe());
    if !val.is_empty() {
        let _ = write!(reason, "; validation data given: {}", thousands(val.len()));
    }
    if let Some(test) = &test {
        let _ = write!(reason, "; test data given: {}", thousands(test.len()));
    }
    if let Some(cached) = cached {
        let _ = write!(reason, "; {cached}");
    }
    if in_file > 0 {
        let _ = write!(
            reason,
            "; read from disk as needed: {} MB are much for the memory",
            in_file.div_ceil(1_000_000)
        );
    }
    for (n, what) in [
        (unusable, ["unusable image left out", "unusable images left out"]),
        (collection.refused, ["member with an unsafe name refused", "members with unsafe names refused"]),
        (collection.ignored, ["other file passed over", "other files passed over"]),
    ] {
        if n > 0 {
            let _ = write!(reason, "; {} {}", thousands(n), what[usize::from(n > 1)]);
        }
    }
    Ok(Source { train, val, test, reason, found: Some(Found { collection, looks }) })
}

/// What data are called: the name of their folder, or of their file without its ending.
pub(super) fn name_of(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// An error with its cause, without the path: that is told beside it.
fn said(error: &DataError) -> String {
    use std::error::Error as _;
    match error {
        DataError::TruncatedImage { .. } => "truncated".into(),
        DataError::Classes { what, .. } => what.clone(),
        DataError::Image { source, .. } => source.to_string(),
        DataError::Io { source, .. } => source.to_string(),
        other => other.source().map_or_else(|| other.to_string(), |cause| format!("{other} ({cause})")),
    }
}

/// `[height, width]` for images of which nobody said a size, and why.
fn choose_size(collection: &Collection, options: &ImageOptions) -> ([usize; 2], String) {
    let sizes = collection.sizes(options.threads);
    let Some(&first) = sizes.first() else {
        // Reading them will say what is wrong with each.
        return ([1, 1], String::new());
    };
    let common = sizes.iter().all(|&size| size == first);
    if common && first.iter().all(|&side| side <= LONGEST_KEPT) {
        return (first.map(|side| side as usize), "the size that all have".into());
    }
    let mut shorter: Vec<u32> = sizes.iter().map(|size| size[0].min(size[1])).collect();
    shorter.sort_unstable();
    let median = shorter[shorter.len() / 2];
    let side = median.clamp(1, LARGEST_CHOSEN) as usize;
    let [height, width] = first;
    let why = match common {
        true => format!("all are {height}x{width}"),
        false => format!("sizes differ, shorter sides are {median} in the middle"),
    };
    ([side, side], format!("made {side}x{side} by {}: {why}", options.fit.name()))
}

fn every_class_has_an_image(
    path: &Path,
    classes: &[String],
    labels: &[u32],
    val: &[u32],
) -> Result<(), DataError> {
    let mut seen = vec![false; classes.len()];
    for (at, &label) in (0..).zip(labels) {
        seen[label as usize] |= val.binary_search(&at).is_err();
    }
    match seen.iter().position(|seen| !seen) {
        None => Ok(()),
        Some(class) => {
            let what = format!("none of the training images of class {:?} can be used", classes[class]);
            Err(DataError::Classes { path: path.to_owned(), what })
        }
    }
}

#[cfg(test)]
mod tests;
