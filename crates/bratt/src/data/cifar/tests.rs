use super::*;
use crate::data::{Layout, open};

/// A record: labels, then the planes of one colour.
fn record(labels: &[u8], colour: [u8; 3]) -> Vec<u8> {
    let planes = colour.into_iter().flat_map(|value| [value; PIXELS]);
    labels.iter().copied().chain(planes).collect()
}

fn bytes(data: &Dataset) -> &[u8] {
    let Features::Pixels { bytes, .. } = data.features() else { panic!("pixels") };
    bytes
}

#[test]
fn cifar_10_is_read_colour_by_colour() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cifar-10-batches-bin");
    fs::create_dir(&folder).unwrap();
    let mut first = record(&[3], [1, 2, 3]);
    // The second pixel of the first row, in green.
    first[1 + PIXELS + 1] = 99;
    fs::write(folder.join("data_batch_1.bin"), [first, record(&[9], [4, 5, 6])].concat()).unwrap();
    fs::write(folder.join("data_batch_3.bin"), record(&[0], [7, 8, 9])).unwrap();
    fs::write(folder.join("test_batch.bin"), record(&[1], [250, 251, 252])).unwrap();
    assert_eq!(Layout::of(root.path()).unwrap(), Layout::Cifar(folder.clone()));
    let source = open(root.path(), &Options::default()).unwrap();
    assert_eq!((source.train.shape(), source.train.labels()), (&[32, 32, 3][..], &[3, 9, 0][..]));
    assert_eq!(source.train.classes()[9], "truck");
    assert_eq!(bytes(&source.train)[..9], [1, 2, 3, 1, 99, 3, 1, 2, 3]);
    assert_eq!(bytes(source.test.as_ref().unwrap())[..3], [250, 251, 252]);
    assert!(
        source.describe().contains("CIFAR binary files: 3 images 32x32x3, 10 classes; test data given: 1")
    );

    // Names beside the files, in an order of their own, are put in order.
    let names = "truck\nship\nhorse\nfrog\ndog\ndeer\ncat\nbird\nautomobile\nairplane\n\n";
    fs::write(folder.join("batches.meta.txt"), names).unwrap();
    let source = open(&folder, &Options::default()).unwrap();
    assert_eq!((source.train.classes()[0].as_str(), source.train.labels()), ("airplane", &[6, 0, 9][..]));
    let known = Options { classes: Some(vec!["cat".into(), "dog".into()]), ..Options::default() };
    let error = open(&folder, &known).unwrap_err().to_string();
    assert!(error.contains("\"truck\" is not a class; the classes are cat, dog"), "{error}");
}

#[test]
fn cifar_100_has_two_kinds_of_labels() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::write(at("fine_label_names.txt"), "apple\nbee\ncod\n").unwrap();
    fs::write(at("coarse_label_names.txt"), "animal\nplant\n").unwrap();
    fs::write(at("train.bin"), [record(&[1, 0], [1, 1, 1]), record(&[0, 2], [2, 2, 2])].concat()).unwrap();
    let labels = |label: Option<&str>| {
        let options = Options { label: label.map(str::to_owned), ..Options::default() };
        open(root.path(), &options)
            .map(|source| (source.train.labels().to_vec(), source.train.classes().len()))
    };
    assert_eq!(labels(None).unwrap(), (vec![0, 2], 3));
    assert_eq!(labels(Some("coarse")).unwrap(), (vec![1, 0], 2));
    assert!(labels(Some("middle")).unwrap_err().to_string().contains("the columns are fine, coarse"));
    let source = open(root.path(), &Options::default()).unwrap();
    assert!(source.describe().contains("fine labels") && source.test.is_none(), "{}", source.describe());
}

#[test]
fn damaged_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("data_batch_1.bin");
    let fault = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        open(root.path(), &Options::default()).unwrap_err().to_string()
    };
    let whole = record(&[1], [0, 0, 0]);
    let message = fault(&whole[..3000]);
    assert!(message.contains("data_batch_1.bin: truncated: 3073 bytes expected, 3000 found"), "{message}");
    assert!(fault(&[]).contains("the file is empty"));
    assert!(fault(&record(&[10], [0, 0, 0])).contains("label 10 of example 0 is out of range"));
}
