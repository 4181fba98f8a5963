use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::super::{Options, open};
use super::*;

fn images(n: u32, pixels: &[u8]) -> Vec<u8> {
    [&IMAGES.to_be_bytes()[..], &n.to_be_bytes(), &2u32.to_be_bytes(), &3u32.to_be_bytes(), pixels].concat()
}

fn labels(labels: &[u8]) -> Vec<u8> {
    [&LABELS.to_be_bytes()[..], &(labels.len() as u32).to_be_bytes(), labels].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// Two training images of 2x3 pixels and one test image.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    put(TRAIN_IMAGES, images(2, &[0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255]));
    put(TRAIN_LABELS, labels(&[7, 3]));
    put(TEST_IMAGES, images(1, &[9; 6]));
    put(TEST_LABELS, labels(&[0]));
    folder
}

fn fault(folder: &TempDir) -> DataError {
    open(folder.path(), &Options::default()).unwrap_err()
}

#[test]
fn the_usual_four_files_give_training_and_test_data() {
    let folder = folder();
    let source = open(folder.path(), &Options::default()).unwrap();
    assert_eq!(source.train.shape(), [2, 3, 1]);
    assert_eq!(source.train.labels(), [7, 3]);
    assert_eq!(source.train.classes().len(), 10);
    let (mut x, mut y) = ([0.0; 6], [0.0]);
    source.train.gather_into(&[1], &mut x, &mut y);
    assert_eq!((x[5], y[0]), (1.0, 3.0));
    assert_eq!(source.test.unwrap().len(), 1);
}

#[test]
fn gzip_is_seen_by_content_and_dots_do_for_dashes() {
    let folder = folder();
    let plain = open(folder.path(), &Options::default()).unwrap();
    let at = |name: &str| folder.path().join(name);
    // Packed without .gz, and plain with .gz and a dot.
    fs::write(at(TRAIN_IMAGES), gzip(&fs::read(at(TRAIN_IMAGES)).unwrap())).unwrap();
    fs::rename(at(TRAIN_LABELS), at("train-labels.idx1-ubyte.gz")).unwrap();
    let packed = open(folder.path(), &Options::default()).unwrap();
    assert_eq!(plain.train.fingerprint(), packed.train.fingerprint());
}

#[test]
fn test_files_may_be_absent_as_a_pair() {
    let folder = folder();
    fs::remove_file(folder.path().join(TEST_IMAGES)).unwrap();
    let message = fault(&folder).to_string();
    assert!(
        message
            .contains("no file of test images; looked for t10k-images-idx3-ubyte, t10k-images-idx3-ubyte.gz")
    );
    fs::remove_file(folder.path().join(TEST_LABELS)).unwrap();
    assert!(open(folder.path(), &Options::default()).unwrap().test.is_none());
}

#[test]
fn a_missing_file_is_named_with_the_names_looked_for() {
    let folder = folder();
    fs::remove_file(folder.path().join(TRAIN_LABELS)).unwrap();
    let DataError::MissingFile { what, looked_for, .. } = fault(&folder) else { panic!() };
    assert_eq!(what, "file of training labels");
    assert_eq!(
        looked_for,
        [TRAIN_LABELS, "train-labels-idx1-ubyte.gz", "train-labels.idx1-ubyte", "train-labels.idx1-ubyte.gz"]
    );
}

#[test]
fn truncated_files_are_refused_plain_and_packed() {
    let folder = folder();
    let path = folder.path().join(TRAIN_IMAGES);
    let whole = fs::read(&path).unwrap();
    for keep in [0, 3, 10, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        assert!(matches!(fault(&folder), DataError::Truncated { .. }), "{keep} bytes");
        // A whole gzip file of too few bytes, then a gzip file that is cut.
        fs::write(&path, gzip(&whole[..keep])).unwrap();
        assert!(matches!(fault(&folder), DataError::Truncated { .. }), "{keep} bytes, packed");
    }
    let packed = gzip(&whole);
    for keep in [11, packed.len() / 2, packed.len() - 1] {
        fs::write(&path, &packed[..keep]).unwrap();
        assert!(matches!(fault(&folder), DataError::Truncated { .. }), "{keep} packed bytes");
    }
}

#[test]
fn a_header_that_announces_too_much_is_refused_before_allocating() {
    let folder = folder();
    let mut bytes = images(u32::MAX, &[0; 12]);
    bytes[8..16].fill(0xff);
    fs::write(folder.path().join(TRAIN_IMAGES), &bytes).unwrap();
    assert!(matches!(fault(&folder), DataError::Truncated { found: None, expected: u64::MAX, .. }));
    fs::write(folder.path().join(TRAIN_IMAGES), gzip(&bytes)).unwrap();
    assert!(matches!(fault(&folder), DataError::Truncated { found: None, .. }));
}

#[test]
fn images_in_place_of_labels_are_seen_by_their_magic() {
    let folder = folder();
    fs::copy(folder.path().join(TRAIN_IMAGES), folder.path().join(TRAIN_LABELS)).unwrap();
    let message = fault(&folder).to_string();
    assert!(
        message.contains("starts with 0x00000803, but an IDX file of labels starts with 0x00000801"),
        "{message}"
    );
}

#[test]
fn counts_that_differ_name_both_files() {
    let folder = folder();
    fs::write(folder.path().join(TRAIN_LABELS), labels(&[1, 2, 3])).unwrap();
    assert!(matches!(fault(&folder), DataError::CountMismatch { images: 2, labels: 3, .. }));
}

#[test]
fn a_label_out_of_range_is_named_with_its_place() {
    let folder = folder();
    fs::write(folder.path().join(TRAIN_LABELS), labels(&[9, 10])).unwrap();
    assert!(matches!(fault(&folder), DataError::LabelOutOfRange { index: 1, label: 10, classes: 10, .. }));
    let classes = Some((0..11).map(|class| format!("class {class}")).collect());
    let wider = open(folder.path(), &Options { classes, ..Options::default() }).unwrap();
    assert_eq!(wider.train.classes()[10], "class 10");
}

#[test]
fn trailing_bytes_are_refused() {
    let folder = folder();
    let long = images(2, &[0; 13]);
    for bytes in [long.clone(), gzip(&long)] {
        fs::write(folder.path().join(TRAIN_IMAGES), bytes).unwrap();
        assert!(matches!(fault(&folder), DataError::TrailingBytes { expected: 28, .. }));
    }
}

#[test]
fn corrupt_gzip_is_refused() {
    let folder = folder();
    let path = folder.path().join(TRAIN_IMAGES);
    let packed = gzip(&images(2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    // A wrong checksum, then rubbish in place of the data.
    let mut checksum = packed.clone();
    let at = checksum.len() - 6;
    checksum[at] ^= 0x55;
    let mut rubbish = packed;
    rubbish[10..].fill(0xff);
    for bytes in [checksum, rubbish] {
        fs::write(&path, bytes).unwrap();
        let error = fault(&folder);
        assert!(matches!(error, DataError::Gzip { .. }), "{error:?}");
    }
}

#[test]
fn test_images_of_another_size_are_refused() {
    let folder = folder();
    let bytes =
        [&IMAGES.to_be_bytes()[..], &1u32.to_be_bytes(), &3u32.to_be_bytes(), &2u32.to_be_bytes(), &[0; 6]];
    fs::write(folder.path().join(TEST_IMAGES), bytes.concat()).unwrap();
    assert!(matches!(fault(&folder), DataError::ShapeMismatch { .. }));
}

#[test]
fn no_images_at_all_are_refused() {
    let folder = folder();
    fs::write(folder.path().join(TRAIN_IMAGES), images(0, &[])).unwrap();
    fs::write(folder.path().join(TRAIN_LABELS), labels(&[])).unwrap();
    assert!(matches!(fault(&folder), DataError::Empty { .. }));
}
