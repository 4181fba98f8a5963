//! Lists of image files: a CSV file with a path, a label and perhaps a part in each row.
//!
//! ```text
//! path,label,split
//! photos/001.jpg,cat,train
//! photos/002.jpg,dog,test
//! ```
//! - **path**: a column named path, file, filename, file_name or image (any case), with names of images below it; relative
//!   to the folder of the list;
//! - **label**: the column asked for, or one named label, class or target;
//! - **split**: a column named split, part, subset or set, with the names of parts that folders may have
//!   ([`Portion::by_name`]); an empty cell is training. Without it there is one set, to be split.
//!
//! A file without a header is such a list if its first cell is the name of an image; then the columns are path, label and
//! split, in this order. The separator is found as for [tables](super::csv).
//!
//! Classes are the labels of the training rows, in plain order of their text. An image that is not there is one that cannot
//! be used.

use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::collection::{Collection, Labelled, Place, Portion};
use super::csv::{line_of, read_error, separator};
use super::{DataError, Options, file, tree};

const PATHS: &[&str] = &["path", "file", "filename", "file_name", "image"];
const LABELS: &[&str] = &["label", "class", "target"];
const SPLITS: &[&str] = &["split", "part", "subset", "set"];

/// Whether a CSV file lists images, rather than being a table of numbers.
///
/// # Errors
/// A file that cannot be read as CSV.
pub fn lists_images(path: &Path) -> Result<bool, DataError> {
    let mut reader = reader(path)?;
    let (mut first, mut second) = (StringRecord::new(), StringRecord::new());
    let mut next = |record: &mut StringRecord| match reader.read_record(record) {
        // Bytes that are no text are told of by who reads the whole file.
        Err(error) if error.is_io_error() => Err(read_error(path, error)),
        read => Ok(read.unwrap_or(false)),
    };
    if !next(&mut first)? {
        return Ok(false);
    }
    if names_image(first.get(0)) {
        return Ok(true);
    }
    let at = column(&first, PATHS);
    Ok(at.is_some() && next(&mut second)? && at.is_some_and(|at| names_image(second.get(at))))
}

/// Reads a list.
///
/// # Errors
/// See [`DataError`]: no label column, ragged rows, a row without a path or label, an unknown part or class, one class only.
pub fn read(path: &Path, options: &Options) -> Result<Collection, DataError> {
    let mut reader = reader(path)?;
    let mut record = StringRecord::new();
    let mut next = |record: &mut StringRecord| reader.read_record(record).map_err(|e| read_error(path, e));
    let mut more = next(&mut record)?;
    let columns = if names_image(record.get(0)) {
        let cells = record.len();
        StringRecord::from(vec!["path", "label", "split"][..cells.min(3)].to_vec())
    } else {
        let header = record.clone();
        more = next(&mut record)?;
        header
    };
    let absent = |wanted: &str| DataError::NoSuchColumn {
        path: path.to_owned(),
        wanted: wanted.to_owned(),
        columns: columns.iter().map(str::to_owned).collect(),
    };
    let image = column(&columns, PATHS).ok_or_else(|| absent("path"))?;
    let label = match &options.label {
        Some(wanted) => columns.iter().position(|name| name == wanted).ok_or_else(|| absent(wanted))?,
        None => column(&columns, LABELS).ok_or_else(|| absent("label"))?,
    };
    let split = column(&columns, SPLITS);
    let folder = path.parent().unwrap_or(Path::new(""));

    let mut images = Vec::new();
    while more {
        let start = record.position().map_or(0, csv::Position::byte);
        let line = || line_of(path, start);
        if record.len() < columns.len() {
            let (expected, found) = (columns.len(), record.len());
            return Err(DataError::RaggedRow { path: path.to_owned(), line: line(), expected, found });
        }
        let empty = |at: usize| DataError::NoLabel {
            path: path.to_owned(),
            line: line(),
            column: columns[at].to_owned(),
        };
        for at in [image, label] {
            if record[at].is_empty() {
                return Err(empty(at));
            }
        }
        let portion = match split.map(|at| (at, &record[at])) {
            None | Some((_, "")) => Portion::Train,
            Some((at, name)) => Portion::by_name(name).ok_or_else(|| DataError::UnknownClass {
                path: path.to_owned(),
                line: line(),
                column: columns[at].to_owned(),
                found: name.to_owned(),
                known: ["train", "val", "test"].map(str::to_owned).to_vec(),
            })?,
        };
        let place = Place::File(folder.join(&record[image]));
        images.push(Labelled { place, portion, label: Some(record[label].to_owned()) });
        more = next(&mut record)?;
    }
    Collection::new(path, "a list of images", images, options.classes.as_deref())
}

fn reader(path: &Path) -> Result<Reader<Box<dyn std::io::BufRead>>, DataError> {
    let mut bytes = file::open(path)?.reader;
    let separator = separator(bytes.fill_buf().map_err(|source| file::read_error(path, source))?);
    Ok(ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bytes))
}

/// The first column that has one of the names, the first name first.
fn column(header: &StringRecord, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| header.iter().position(|cell| cell.eq_ignore_ascii_case(name)))
}

fn names_image(cell: Option<&str>) -> bool {
    cell.is_some_and(|cell| tree::is_image(Path::new(cell)))
}

#[cfg(test)]
mod tests;
