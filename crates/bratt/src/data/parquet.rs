//! Parquet files of images, as hubs of data sets publish them.
//!
//! ```text
//! train-00000-of-00002.parquet   image: struct { bytes, path }, label: int
//! test-00000-of-00001.parquet
//! ```
//! - **image**: a column `image` or `img` (else the first) that is a struct with `bytes`, the bytes of an image file;
//! - **label**: the column asked for, or `label`, `labels`, `fine_label`, `class` or `target`; a number, or a text;
//! - **names** of the classes stand in the metadata, as JSON under the key `huggingface`
//!   (`info.features.label.names`); without them a class is called by its number;
//! - **parts** are the files' or their folders' names, as for [tar files](super::shards).
//!
//! Classes are in plain order of their names. Row groups are read one by one, a thread each. Pages may be plain or packed
//! with Snappy. An image or label that is null is one that cannot be used.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::SchemaDescriptor;

use super::collection::{Collection, Item, Labelled, Place, Portion};
use super::{DataError, Options};

const IMAGES: [&str; 2] = ["image.bytes", "img.bytes"];
const LABELS: [&str; 5] = ["label", "labels", "fine_label", "class", "target"];

/// Reads labels, and where the images are.
///
/// # Errors
/// See [`DataError`]: what is no parquet file or damaged, no column of images or labels, a label out of range, one class
/// only.
pub fn read(path: &Path, files: &[(Portion, PathBuf)], options: &Options) -> Result<Collection, DataError> {
    let mut images = Vec::new();
    for (portion, file) in files {
        let reader = open(file)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        image_column(schema).map_err(|what| damaged(file, what))?;
        let column = label_column(schema, file, options.label.as_deref())?;
        let names = class_names(&reader, schema.column(column).name());
        let shared: Arc<Path> = Arc::from(file.as_path());
        let mut row = 0;
        for group in 0..reader.num_row_groups() {
            for value in
                column_of(&reader, group, column).map_err(|error| damaged(file, error.to_string()))?
            {
                let place = Place::Row { file: Arc::clone(&shared), group, row };
                let label = match &value {
                    Some(Value::Number(number)) if names.is_empty() => Ok(number.to_string()),
                    Some(Value::Number(number)) => usize::try_from(*number)
                        .ok()
                        .and_then(|number| names.get(number).cloned())
                        .ok_or_else(|| {
                            format!("label {number} is out of range: there are {} names", names.len())
                        }),
                    Some(Value::Bytes(text)) => Ok(String::from_utf8_lossy(text.data()).into_owned()),
                    None => Err("no label".into()),
                };
                images.push(match label {
                    Ok(label) => Labelled { place, portion: *portion, label: Some(label) },
                    Err(what) => {
                        let place = Place::Nowhere { path: place.path(), what };
                        Labelled { place, portion: *portion, label: None }
                    }
                });
                row += 1;
            }
        }
    }
    Collection::new(path, "parquet files", images, options.classes.as_deref())
}

/// `f` of each image of `block`, which are rows of one group.
pub(super) fn each_image<R>(
    file: &Path,
    group: usize,
    block: &[Item],
    f: impl Fn(&Item, &[u8]) -> Result<R, DataError>,
) -> Vec<Result<R, DataError>> {
    let read = || {
        let reader = open(file)?;
        let metadata = reader.metadata();
        let column =
            image_column(metadata.file_metadata().schema_descr()).map_err(|what| damaged(file, what))?;
        let begin: i64 = metadata.row_groups().iter().take(group).map(|group| group.num_rows()).sum();
        let values = column_of(&reader, group, column).map_err(|error| damaged(file, error.to_string()))?;
        Ok((usize::try_from(begin).unwrap_or(0), values))
    };
    let read: Result<(usize, Vec<Option<Value>>), DataError> = read();
    let (begin, values) = match read {
        Ok(read) => read,
        Err(error) => {
            let what = error.to_string();
            return block.iter().map(|item| Err(damaged(&item.place.path(), what.clone()))).collect();
        }
    };
    let one = |item: &Item| {
        let value = match &item.place {
            Place::Row { row, .. } => row.checked_sub(begin).and_then(|at| values.get(at)),
            _ => None,
        };
        match value {
            Some(Some(Value::Bytes(bytes))) => f(item, bytes.data()),
            _ => Err(DataError::Classes { path: item.place.path(), what: "no image".into() }),
        }
    };
    block.iter().map(one).collect()
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    SerializedFileReader::new(file).map_err(|error| damaged(path, error.to_string()))
}

fn damaged(path: &Path, what: String) -> DataError {
    DataError::Container { path: path.to_owned(), kind: "parquet", what }
}

/// The names of all plain columns, those of structs with dots.
fn columns(schema: &SchemaDescriptor) -> Vec<String> {
    schema.columns().iter().map(|column| column.path().string()).collect()
}

fn image_column(schema: &SchemaDescriptor) -> Result<usize, String> {
    let columns = columns(schema);
    let usual = IMAGES.iter().find_map(|name| columns.iter().position(|column| column == name));
    let at = usual.or_else(|| columns.iter().position(|column| column.ends_with(".bytes")));
    at.filter(|&at| schema.column(at).max_rep_level() == 0).ok_or_else(|| {
        format!("no column of images, a struct with `bytes`; the columns are {}", columns.join(", "))
    })
}

fn label_column(schema: &SchemaDescriptor, path: &Path, wanted: Option<&str>) -> Result<usize, DataError> {
    let columns = columns(schema);
    let find = |name: &str| columns.iter().position(|column| column == name);
    let at = wanted.map_or_else(|| LABELS.iter().find_map(|name| find(name)), find);
    at.filter(|&at| schema.column(at).max_rep_level() == 0).ok_or_else(|| DataError::NoSuchColumn {
        path: path.to_owned(),
        wanted: wanted.unwrap_or("label").to_owned(),
        columns,
    })
}

/// The names that the metadata have for the numbers of a column.
fn class_names(reader: &SerializedFileReader<File>, column: &str) -> Vec<String> {
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    let text = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == "huggingface")?.value.clone());
    let json: serde_json::Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let names = json["info"]["features"][column]["names"].as_array();
    names.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
}

enum Value {
    Number(i64),
    Bytes(ByteArray),
}

/// The values of a column in a row group; none where they are null.
fn column_of(
    reader: &SerializedFileReader<File>,
    group: usize,
    column: usize,
) -> Result<Vec<Option<Value>>, ParquetError> {
    let group = reader.get_row_group(group)?;
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let highest = group.metadata().schema_descr().column(column).max_def_level();
    let mut levels = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let found = match group.get_column_reader(column)? {
        ColumnReader::Int32ColumnReader(mut reader) => {
            let mut numbers = Vec::new();
            let read = reader.read_records(rows, Some(&mut levels), None, &mut numbers)?;
            values.extend(numbers.into_iter().map(|number: i32| Value::Number(number.into())));
            read.0
        }
        ColumnReader::Int64ColumnReader(mut reader) => {
            let mut numbers = Vec::new();
            let read = reader.read_records(rows, Some(&mut levels), None, &mut numbers)?;
            values.extend(numbers.into_iter().map(Value::Number));
            read.0
        }
        ColumnReader::ByteArrayColumnReader(mut reader) => {
            let mut bytes = Vec::new();
            let read = reader.read_records(rows, Some(&mut levels), None, &mut bytes)?;
            values.extend(bytes.into_iter().map(Value::Bytes));
            read.0
        }
        _ => return Err(ParquetError::General("its columns are neither whole numbers nor bytes".into())),
    };
    if found != rows {
        return Err(ParquetError::General(format!("{rows} rows announced, {found} found")));
    }
    if highest == 0 {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    Ok(levels.into_iter().map(|level| if level == highest { values.next() } else { None }).collect())
}

#[cfg(test)]
mod tests;
