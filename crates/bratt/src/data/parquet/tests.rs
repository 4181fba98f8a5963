use super::*;
use crate::data::{Dataset, Features, ImageOptions, Layout, OnBad, open};
use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArrayType, Int64Type};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use image::{GrayImage, ImageFormat, Luma};
use std::fs;
use std::io::Cursor;

fn png(value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(2, 2, Luma([value])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// An image, which may be missing, and its label.
type Row = (Option<Vec<u8>>, i64);

/// A file as hubs write it, of row groups.
fn write(path: &Path, names: Option<&[&str]>, groups: &[&[Row]]) {
    let schema = "message schema {
        OPTIONAL group image { OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (STRING); }
        OPTIONAL INT64 label;
    }";
    let metadata = names.map(|names| {
        let features = serde_json::json!({"label": {"names": names, "_type": "ClassLabel"}});
        let info = serde_json::json!({"info": {"features": features}}).to_string();
        vec![KeyValue::new("huggingface".to_string(), info)]
    });
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(metadata);
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties.build())).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        let images: Vec<ByteArray> =
            rows.iter().filter_map(|row| row.0.clone()).map(ByteArray::from).collect();
        let levels: Vec<i16> = rows.iter().map(|row| if row.0.is_some() { 2 } else { 1 }).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&images, Some(&levels), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[], Some(&vec![1; rows.len()]), None).unwrap();
        column.close().unwrap();
        let labels: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&labels, Some(&vec![1; rows.len()]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn firsts(data: &Dataset) -> Vec<u8> {
    let Features::Pixels { bytes, .. } = data.features() else { panic!("pixels") };
    bytes.chunks(data.feature_len()).map(|image| image[0]).collect()
}

#[test]
fn files_of_a_hub_are_read_with_their_names_and_parts() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("plain_text");
    fs::create_dir(&folder).unwrap();
    let row = |value: u8, label: i64| (Some(png(value)), label);
    let names: &[&str] = &["zebra", "ant", "cat"];
    let train = folder.join("train-00000-of-00001.parquet");
    write(&train, Some(names), &[&[row(1, 0), row(2, 2)], &[row(3, 1)]]);
    write(&folder.join("test-00000-of-00001.parquet"), Some(names), &[&[row(4, 2)]]);
    let source = open(root.path(), &Options::default()).unwrap();
    assert_eq!(source.train.classes(), ["ant", "cat", "zebra"]);
    assert_eq!((firsts(&source.train), source.train.labels()), (vec![1, 2, 3], &[2, 1, 0][..]));
    let test = source.test.as_ref().unwrap();
    assert_eq!((firsts(test), test.labels()), (vec![4], &[1][..]));
    assert!(source.describe().contains("parquet files: 3 images 2x2x1, 3 classes; the size that all have"));
    let known = Options { classes: Some(vec!["cat".into(), "dog".into()]), ..Options::default() };
    let error = open(root.path(), &known).unwrap_err().to_string();
    assert!(error.contains("\"zebra\" is not a class; the classes are cat, dog"), "{error}");
}

#[test]
fn rows_that_cannot_be_used_are_named_or_left_out() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.parquet");
    let rows = [(Some(png(1)), 0), (None, 0), (Some(b"text".to_vec()), 1), (Some(png(2)), 1)];
    write(&path, None, &[&rows[..3], &rows[3..]]);
    assert!(matches!(Layout::of(&path), Ok(Layout::Parquet(_))));
    let error = open(&path, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("2 of 4 images cannot be used"), "{error}");
    assert!(
        error.contains("a.parquet/row 1: no image") && error.contains("row 2: not a readable image"),
        "{error}"
    );
    let images = ImageOptions { on_bad: OnBad::Skip, ..ImageOptions::default() };
    let source = open(&path, &Options { images, ..Options::default() }).unwrap();
    assert_eq!((firsts(&source.train), source.train.classes()), (vec![1, 2], &["0".into(), "1".into()][..]));
}

#[test]
fn other_and_damaged_files_are_errors() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.parquet");
    write(&path, Some(&["a"]), &[&[(Some(png(1)), 0), (Some(png(1)), 5)]]);
    let error = open(&path, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("one class only"), "{error}");
    let options = Options { label: Some("kind".into()), ..Options::default() };
    let error = open(&path, &options).unwrap_err().to_string();
    assert!(error.contains("no column \"kind\"; the columns are image.bytes, image.path, label"), "{error}");
    let whole = fs::read(&path).unwrap();
    for bytes in [&whole[..whole.len() / 2], b"text", &[]] {
        fs::write(&path, bytes).unwrap();
        let error = open(&path, &Options::default()).unwrap_err().to_string();
        assert!(error.contains("a.parquet: not a readable parquet file"), "{error}");
    }
    // A page's bytes are changed; nothing may panic.
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&path, bytes).unwrap();
        let _ = open(&path, &Options::default());
    }
}
