use super::*;
use crate::data::{Audit, Features, ImageOptions, Layout, OnBad, open};
use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use tar::{Builder, Header};

fn png(value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(2, 2, Luma([value])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A tar file whose names are written as they are, whatever they are.
fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn firsts(data: &crate::data::Dataset) -> Vec<u8> {
    let Features::Pixels { bytes, .. } = data.features() else { panic!("pixels") };
    bytes.chunks(data.feature_len()).map(|image| image[0]).collect()
}

fn skipping() -> Options {
    let images = ImageOptions { on_bad: OnBad::Skip, ..ImageOptions::default() };
    Options { images, ..Options::default() }
}

#[test]
fn shards_are_read_in_order_with_their_parts() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(root.path().join(name), bytes).unwrap();
    let images = [1, 2, 3, 4].map(png);
    write("train-001.tar", tar_of(&[("d/x.jpg", &images[2]), ("d/x.cls", b"10\n")]));
    write(
        "train-000.tar",
        tar_of(&[
            ("a.cls", b"2"),
            ("a.png", &images[0]),
            ("a.txt", b"?"),
            ("b.png", &images[1]),
            ("b.cls", b"10"),
        ]),
    );
    write("test-0.tar", tar_of(&[("t.png", &images[3]), ("t.json", br#"{"caption": "x", "label": 2}"#)]));
    assert!(matches!(Layout::of(root.path()).unwrap(), Layout::Shards(files) if files.len() == 3));
    let source = open(root.path(), &Options::default()).unwrap();
    assert_eq!(source.train.classes(), ["10", "2"], "plain order");
    assert_eq!((firsts(&source.train), source.train.labels()), (vec![1, 2, 3], &[1, 0, 0][..]));
    let test = source.test.as_ref().unwrap();
    assert_eq!((firsts(test), test.labels()), (vec![4], &[1][..]));
    assert!(source.describe().contains("tar files: 3 images 2x2x1, 2 classes"), "{}", source.describe());
    assert!(source.describe().contains("1 other file passed over"), "{}", source.describe());

    let names: String = (0..=10).map(|n| format!("name {n}\n")).collect();
    write("classes.txt", names.into());
    let source = open(root.path(), &Options::default()).unwrap();
    assert_eq!(source.train.classes(), ["name 10", "name 2"]);
    let audit = Audit::open(root.path(), &Options::default()).unwrap();
    assert_eq!((audit.examples, audit.ignored_files, audit.classes[0].train), (4, 1, 2));
}

#[test]
fn one_file_is_a_data_set_too_and_labels_may_be_called_otherwise() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("pets.tar");
    let members: [(&str, &[u8]); 4] = [
        ("1.png", &png(1)),
        ("1.json", br#"{"label": "x", "kind": "cat"}"#),
        ("2.png", &png(2)),
        ("2.kind", b"dog"),
    ];
    fs::write(&path, tar_of(&members)).unwrap();
    let options = Options { label: Some("kind".into()), ..Options::default() };
    let source = open(&path, &options).unwrap();
    assert_eq!((source.train.name(), source.train.classes()), ("pets", &["cat".into(), "dog".into()][..]));
}

#[test]
fn names_that_lead_out_and_links_are_refused_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("evil.tar");
    let image = png(1);
    let mut bytes = tar_of(&[
        ("../up.png", &image),
        ("../up.cls", b"z"),
        ("/etc/passwd.png", &image),
        ("a/../../b.png", &image),
        ("a.png", &image),
        ("a.cls", b"a"),
        ("b.png", &png(2)),
        ("b.cls", b"b"),
        ("._b.png", b"hidden"),
    ]);
    bytes.truncate(bytes.len() - 1024);
    let mut links = Builder::new(bytes);
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo] {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        links.append_link(&mut header, "c.png", "/etc/passwd").unwrap();
    }
    fs::write(&path, links.into_inner().unwrap()).unwrap();
    let source = open(&path, &Options::default()).unwrap();
    assert_eq!((firsts(&source.train), source.train.classes().len()), (vec![1, 2], 2));
    let told = source.describe();
    assert!(told.contains("7 members with unsafe names refused; 1 other file passed over"), "{told}");
    assert_eq!(Audit::open(&path, &Options::default()).unwrap().refused_members, 7);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is unpacked");
}

#[test]
fn examples_without_a_label_cannot_be_used() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.tar");
    let (one, two) = (png(1), png(2));
    let members: [(&str, &[u8]); 10] = [
        ("1.png", &one),
        ("1.cls", b"a"),
        ("2.png", &two),
        ("2.cls", b"b"),
        ("3.png", &two),
        ("4.png", &two),
        ("4.json", b"{}"),
        ("5.png", &two),
        ("5.json", b"not json"),
        ("6.cls", b"a"),
    ];
    fs::write(&path, tar_of(&members)).unwrap();
    let error = open(&path, &Options::default()).unwrap_err().to_string();
    for said in [
        "3 of 5 images cannot be used",
        "a.tar/3: no label: a member of the same name with .cls or .json",
        "its .json has no label, class, cls",
        "its .json cannot be read",
    ] {
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(firsts(&open(&path, &skipping()).unwrap().train), [1, 2]);
    fs::write(root.path().join("b.tar"), tar_of(&[("x.png", &one)])).unwrap();
    let error = open(&root.path().join("b.tar"), &skipping()).unwrap_err().to_string();
    assert!(error.contains("b.tar/x: no label: a member of the same name"), "{error}");
    let known = Options { classes: Some(vec!["a".into(), "c".into()]), ..skipping() };
    let error = open(&path, &known).unwrap_err().to_string();
    assert!(error.contains("a.tar/2.png: \"b\" is not a class; the classes are a, c"), "{error}");
}

#[test]
fn damaged_tar_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.tar");
    let whole = tar_of(&[("1.png", &png(1)), ("1.cls", b"a"), ("2.png", &png(2)), ("2.cls", b"b")]);
    let fault = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        open(&path, &Options::default()).unwrap_err().to_string()
    };
    assert!(fault(&whole[..550]).contains("a.tar: not a readable tar file: it ends within 1.png"));
    assert!(fault(&whole[..2148]).contains("a.tar: not a readable tar file"), "within a header");
    assert!(fault(&whole[..2048]).contains("without the empty block"), "between two members");
    assert!(
        fault("text, and not too short of it ".repeat(40).as_bytes()).contains("not a readable tar file")
    );
    assert!(fault(&[]).contains("no labelled training images"));
    fs::rename(&path, root.path().join("a.tar.gz")).unwrap();
    let error = open(&root.path().join("a.tar.gz"), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("unpack it with gunzip"), "{error}");
}

#[test]
fn a_tar_file_beside_folders_of_classes_is_passed_over() {
    let root = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        fs::create_dir(root.path().join(class)).unwrap();
        fs::write(root.path().join(class).join("1.png"), png(1)).unwrap();
    }
    fs::write(root.path().join("all.tar"), "").unwrap();
    assert_eq!(Layout::of(root.path()).unwrap(), Layout::Folders);
}
