//! Tables as text: one example a row, features that are numbers, one column to predict.
//!
//! What is decided here, in this order:
//! - **separator**: a comma; a semicolon or a tab where the first line has no comma;
//! - **header**: the first line is one if none of its cells is a number, or if one of them is the name of the label
//!   column (asked for, or one of label, class, target, y);
//! - **label column**: the one asked for; else a column named label, class, target or y (any case; in this order);
//!   else the last;
//! - **classes**: the labels that occur: in numeric order if all are numbers (`2` and `2.0` are one class), else in
//!   plain order of their text.
//!
//! Without a header columns are called `1`, `2`, ... Cells are trimmed. Empty lines are skipped.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::{DataError, Dataset, Features, Options, Targets, file};

/// Names that mark the label column, best first.
const LABEL_NAMES: [&str; 4] = ["label", "class", "target", "y"];

/// A table and how it was read.
#[derive(Clone, Debug)]
pub struct Table {
    /// The examples.
    pub data: Dataset,
    /// Which column is the label and why, in words.
    pub reason: String,
}

/// Reads a table, plain or gzip.
///
/// # Errors
/// See [`DataError`]: ragged rows, cells that are not numbers or not finite, an empty file, a header only, one class
/// only, a label that is none of the classes asked for, no such column.
pub fn read(path: &Path, options: &Options) -> Result<Table, DataError> {
    let mut reader = records(path)?;
    let mut record = StringRecord::new();
    let mut advance =
        |record: &mut StringRecord| reader.read_record(record).map_err(|source| read_error(path, source));
    if !advance(&mut record)? {
        return Err(DataError::Empty { path: path.to_owned(), found: "the file is empty" });
    }
    let header = is_header(&record, options.label.as_deref());
    let columns: Vec<String> = match header {
        true => record.iter().map(str::to_owned).collect(),
        false => (1..=record.len()).map(|number| number.to_string()).collect(),
    };
    let (label, why) = label_column(path, &columns, options.label.as_deref())?;
    if columns.len() < 2 {
        return Err(DataError::NoFeatures { path: path.to_owned(), column: columns[label].clone() });
    }
    if header && !advance(&mut record)? {
        return Err(DataError::Empty {
            path: path.to_owned(),
            found: "there is a header, but no row below it",
        });
    }

    let mut values = Vec::new();
    let mut labels = Labels::new(options);
    loop {
        let start = record.position().map_or(0, csv::Position::byte);
        if record.len() != columns.len() {
            let (expected, found) = (columns.len(), record.len());
            return Err(DataError::RaggedRow {
                path: path.to_owned(),
                line: line_of(path, start),
                expected,
                found,
            });
        }
        for (at, cell) in record.iter().enumerate() {
            let place = Place { path, start, column: &columns[at] };
            if at == label {
                labels.push(cell, &place)?;
            } else {
                values.push(place.number(cell)?);
            }
        }
        if !advance(&mut record)? {
            break;
        }
    }

    let mut features = columns;
    let column = features.remove(label);
    let reason = format!(
        "{} column {column} ({why}); {}",
        if options.regression { "target" } else { "label" },
        if header { "line 1 is the header" } else { "no header" },
    );
    let targets = labels.finish(path, column)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shape = vec![features.len()];
    let data = Dataset::new(name, shape, Features::Table { values, columns: features }, targets)?;
    Ok(Table { data, reason })
}

/// The rows of a table, plain or gzip, the header among them; ragged ones are left to be told.
pub(super) fn records(path: &Path) -> Result<Reader<Box<dyn BufRead>>, DataError> {
    let mut reader = file::open(path)?.reader;
    let separator = separator(reader.fill_buf().map_err(|source| file::read_error(path, source))?);
    let mut builder = ReaderBuilder::new();
    builder.delimiter(separator).has_headers(false).flexible(true).trim(Trim::All);
    Ok(builder.from_reader(reader))
}

pub(super) fn read_error(path: &Path, source: csv::Error) -> DataError {
    let path = path.to_owned();
    if !source.is_io_error() {
        return DataError::Csv { path, source };
    }
    match source.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            DataError::Gzip { path, source }
        }
        csv::ErrorKind::Io(source) => file::read_error(&path, source),
        other => DataError::Io { path, source: io::Error::other(format!("{other:?}")) },
    }
}

/// The separator that the first line uses.
pub(super) fn separator(start: &[u8]) -> u8 {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|byte| line.contains(byte)).unwrap_or(b',')
}

pub(super) fn is_header(first: &StringRecord, wanted: Option<&str>) -> bool {
    let named = |cell: &str| match wanted {
        Some(wanted) => cell == wanted && !is_number(cell),
        None => LABEL_NAMES.iter().any(|name| cell.eq_ignore_ascii_case(name)),
    };
    first.iter().any(named) || !first.iter().any(is_number)
}

fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok()
}

/// Position of the label column, and why it is that one.
fn label_column(
    path: &Path,
    columns: &[String],
    wanted: Option<&str>,
) -> Result<(usize, &'static str), DataError> {
    if let Some(wanted) = wanted {
        let at = columns.iter().position(|column| column == wanted);
        return at.map(|at| (at, "as asked")).ok_or_else(|| DataError::NoSuchColumn {
            path: path.to_owned(),
            wanted: wanted.to_owned(),
            columns: columns.to_vec(),
        });
    }
    let usual = LABEL_NAMES
        .iter()
        .find_map(|name| columns.iter().position(|column| column.eq_ignore_ascii_case(name)));
    Ok(usual.map_or((columns.len() - 1, "the last; choose another by name"), |at| (at, "by its name")))
}

/// Where a cell stands.
struct Place<'a> {
    path: &'a Path,
    start: u64,
    column: &'a str,
}

impl Place<'_> {
    fn number(&self, cell: &str) -> Result<f32, DataError> {
        match cell.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(value),
            parsed => {
                let (path, line) = (self.path.to_owned(), self.line());
                let (column, cell) = (self.column.to_owned(), cell.to_owned());
                Err(match parsed {
                    Ok(_) => DataError::NotFinite { path, line, column, cell },
                    Err(_) => DataError::NotANumber { path, line, column, cell },
                })
            }
        }
    }

    fn line(&self) -> u64 {
        line_of(self.path, self.start)
    }
}

/// Line, from 1, of the row that starts after byte `start`, counted again from the file: the reader's own count lags
/// behind where lines are empty or end in CR LF. 0 where the file cannot be read any more.
pub(super) fn line_of(path: &Path, start: u64) -> u64 {
    let Ok(opened) = file::open(path) else { return 0 };
    let mut line = 1;
    for (at, byte) in (0..).zip(opened.reader.bytes()) {
        match byte {
            Ok(b'\n') => line += 1,
            Ok(b'\r') => {}
            Ok(_) if at < start => {}
            Ok(_) => return line,
            Err(_) => return 0,
        }
    }
    line
}

/// The label column as it grows: numbers, or texts numbered in the order of their first appearance.
enum Labels<'a> {
    Values(Vec<f32>),
    Classes { labels: Vec<u32>, numbers: BTreeMap<String, u32>, known: Option<&'a [String]> },
}

impl<'a> Labels<'a> {
    fn new(options: &'a Options) -> Self {
        if options.regression {
            return Self::Values(Vec::new());
        }
        Self::Classes { labels: Vec::new(), numbers: BTreeMap::new(), known: options.classes.as_deref() }
    }

    fn push(&mut self, cell: &str, place: &Place) -> Result<(), DataError> {
        match self {
            Self::Values(values) => values.push(place.number(cell)?),
            Self::Classes { labels, numbers, known } => {
                if cell.is_empty() {
                    let column = place.column.to_owned();
                    return Err(DataError::NoLabel {
                        path: place.path.to_owned(),
                        line: place.line(),
                        column,
                    });
                }
                let label = match known {
                    Some(known) => class_of(cell, known).ok_or_else(|| DataError::UnknownClass {
                        path: place.path.to_owned(),
                        line: place.line(),
                        column: place.column.to_owned(),
                        found: cell.to_owned(),
                        known: known.to_vec(),
                    })?,
                    None => match numbers.get(cell) {
                        Some(&number) => number,
                        None => {
                            let number = numbers.len() as u32;
                            numbers.insert(cell.to_owned(), number);
                            number
                        }
                    },
                };
                labels.push(label);
            }
        }
        Ok(())
    }

    fn finish(self, path: &Path, column: String) -> Result<Targets, DataError> {
        match self {
            Self::Values(values) => Ok(Targets::Values { values, name: column }),
            Self::Classes { labels, known: Some(known), .. } => {
                Ok(Targets::Classes { labels, names: known.to_vec() })
            }
            Self::Classes { mut labels, numbers, known: None } => {
                let (names, order) = ordered(&numbers);
                if let [class] = &names[..] {
                    return Err(DataError::OneClass { path: path.to_owned(), column, class: class.clone() });
                }
                labels.iter_mut().for_each(|label| *label = order[*label as usize]);
                Ok(Targets::Classes { labels, names })
            }
        }
    }
}

/// The class that a label means: the same text, or the same number.
fn class_of(cell: &str, known: &[String]) -> Option<u32> {
    let number = finite(cell);
    let same = |class: &String| class == cell || (number.is_some() && finite(class) == number);
    known.iter().position(same).map(|at| at as u32)
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Names of the classes in their final order, and for each number given out while reading its final place.
fn ordered(numbers: &BTreeMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut texts: Vec<(Option<f64>, &str, u32)> =
        numbers.iter().map(|(text, &number)| (finite(text), text.as_str(), number)).collect();
    let numeric = texts.iter().all(|(value, ..)| value.is_some());
    if numeric {
        // Adding zero makes one number of -0 and 0. The sort is stable: texts of one number stay in text order.
        texts.sort_by(|a, b| (a.0.unwrap_or(0.0) + 0.0).total_cmp(&(b.0.unwrap_or(0.0) + 0.0)));
    }
    let (mut names, mut order) = (Vec::<String>::new(), vec![0; texts.len()]);
    let mut last = None;
    for (value, text, number) in texts {
        if !(numeric && value == last) {
            names.push(text.to_owned());
        }
        last = value;
        order[number as usize] = names.len() as u32 - 1;
    }
    (names, order)
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
