use super::*;
use crate::data::{Features, ImageOptions, Layout, OnBad, open};
use image::{GrayImage, Luma};
use std::fs;
use tempfile::TempDir;

/// A folder with `img/N.png`, 2x2 pixels of value N, and a list.
fn listed(list: &str) -> (TempDir, std::path::PathBuf) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("img")).unwrap();
    for value in 1..=6u8 {
        let path = root.path().join(format!("img/{value}.png"));
        GrayImage::from_pixel(2, 2, Luma([value])).save(path).unwrap();
    }
    let path = root.path().join("list.csv");
    fs::write(&path, list).unwrap();
    (root, path)
}

fn fault(list: &str) -> String {
    let (_root, path) = listed(list);
    open(&path, &Options::default()).unwrap_err().to_string()
}

fn firsts(data: &crate::data::Dataset) -> Vec<u8> {
    let Features::Pixels { bytes, .. } = data.features() else { panic!("pixels") };
    bytes.chunks(data.feature_len()).map(|image| image[0]).collect()
}

#[test]
fn a_list_with_parts_is_read_relative_to_itself() {
    let (_root, path) = listed(
        "id;Label;file_name;split\n\
         1;dog;img/1.png;train\n\
         2;cat;img/2.png;\n\
         3;cat;img/3.png;validation\n\
         4;dog;img/4.png;TEST\n",
    );
    assert_eq!(Layout::of(&path).unwrap(), Layout::Manifest);
    let source = open(&path, &Options::default()).unwrap();
    assert_eq!((source.train.name(), source.train.classes()), ("list", &["cat".into(), "dog".into()][..]));
    assert_eq!((firsts(&source.train), source.train.labels()), (vec![1, 2, 3], &[1, 0, 0][..]));
    assert_eq!(source.val, [2]);
    assert_eq!(firsts(source.test.as_ref().unwrap()), [4]);
    assert!(source.describe().starts_with("a list of images: 3 images 2x2x1, 2 classes"));
}

#[test]
fn a_list_without_a_header_begins_with_an_image() {
    let (_root, path) = listed("img/2.png,b\nimg/1.png,a\n");
    let source = open(&path, &Options::default()).unwrap();
    assert_eq!((firsts(&source.train), source.train.labels()), (vec![2, 1], &[1, 0][..]));
}

#[test]
fn a_table_of_numbers_is_no_list() {
    let (_root, path) = listed("path,label\n1,a\n2,b\n");
    assert_eq!(Layout::of(&path).unwrap(), Layout::Table);
}

#[test]
fn another_column_may_hold_the_labels() {
    let (_root, path) = listed("path,label,breed\nimg/1.png,a,x\nimg/2.png,a,y\n");
    let options = Options { label: Some("breed".into()), ..Options::default() };
    assert_eq!(open(&path, &options).unwrap().train.classes(), ["x", "y"]);
    let options = Options { label: Some("bred".into()), ..Options::default() };
    let error = open(&path, &options).unwrap_err().to_string();
    assert!(error.contains("no column \"bred\"; the columns are path, label, breed"), "{error}");
}

#[test]
fn wrong_rows_are_named_by_their_line() {
    let head = "path,label,split\nimg/1.png,a,train\n";
    for (row, said) in [
        ("img/2.png\n", "line 3: 1 cells, but the first row has 3"),
        ("img/2.png,,train\n", "line 3, column label: the label is empty"),
        (
            "img/2.png,b,tuesday\n",
            "line 3, column split: \"tuesday\" is not a class; the classes are train, val, test",
        ),
        ("img/2.png,a,train\n", "one class only, \"a\""),
        ("img/2.png,b,\nimg/3.png,c,test\n", "3.png: \"c\" is not a class; the classes are a, b"),
    ] {
        let message = fault(&format!("{head}{row}"));
        assert!(message.contains(said), "{message}");
    }
    assert!(fault("path,breed\nimg/1.png,a\n").contains("no column \"label\""));
}

#[test]
fn images_that_are_not_there_are_named_or_left_out() {
    let (root, path) = listed("path,label\nimg/1.png,a\nimg/9.png,a\nimg,b\nimg/2.png,b\n");
    let error = open(&path, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("2 of 4 images cannot be used"), "{error}");
    assert!(error.contains("9.png: cannot be read") && error.contains("(not a file)"), "{error}");
    let images = ImageOptions { on_bad: OnBad::Skip, ..ImageOptions::default() };
    let source = open(&path, &Options { images, ..Options::default() }).unwrap();
    assert_eq!(firsts(&source.train), [1, 2]);
    // A file that vanishes between two readings is one that is not there.
    fs::remove_file(root.path().join("img/2.png")).unwrap();
    let error = open(&path, &Options { images, ..Options::default() }).unwrap_err().to_string();
    assert!(error.contains("none of the training images of class \"b\""), "{error}");
}
