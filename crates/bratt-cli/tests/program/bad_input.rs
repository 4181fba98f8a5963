//! What can be wrong with input: each has its exit code and a message that names the place.

use super::common::Place;

/// The four files of the MNIST family with `images` training images of 2x2 pixels and as many labels; the test part
/// has two of each.
fn idx(place: &Place, images: u32, labels: &[u8]) {
    let write = |kind: &str, images: u32, labels: &[u8]| {
        let mut bytes = Vec::new();
        [0x803, images, 2, 2].iter().for_each(|n| bytes.extend(n.to_be_bytes()));
        bytes.extend((0..images * 4).map(|i| i as u8));
        place.write(&format!("idx/{kind}-images-idx3-ubyte"), bytes);
        let mut bytes = Vec::new();
        [0x801, labels.len() as u32].iter().for_each(|n| bytes.extend(n.to_be_bytes()));
        bytes.extend(labels);
        place.write(&format!("idx/{kind}-labels-idx1-ubyte"), bytes);
    };
    write("train", images, labels);
    write("t10k", 2, &[0, 1]);
}

const IMAGES: &str = "idx/train-images-idx3-ubyte";

#[test]
fn damaged_idx_files_are_named() {
    let place = Place::new();
    let train = || place.bratt("train --data idx");
    train().fails(3, &["idx: cannot be read"]);

    idx(&place, 4, &[0, 1, 2, 3]);
    std::fs::remove_file(place.path("idx/train-labels-idx1-ubyte")).unwrap();
    train().fails(3, &["idx: no file of training labels", "train-labels-idx1-ubyte"]);

    idx(&place, 4, &[0, 1, 2, 3]);
    let whole = std::fs::read(place.path(IMAGES)).unwrap();
    place.write(IMAGES, &whole[..whole.len() - 1]);
    train().fails(3, &[IMAGES, "truncated", "32 bytes expected"]);

    place.write(IMAGES, [&[0xff], &whole[1..]].concat());
    train().fails(3, &[IMAGES, "0xff000803", "0x00000803"]);

    idx(&place, 4, &[0, 1, 2]);
    train().fails(3, &["4 images", "3 labels"]);

    idx(&place, 4, &[0, 1, 2, 77]);
    train().fails(3, &["label 77 of example 3", "10 classes"]);
    assert!(!place.path("runs").exists(), "nothing is written where nothing was trained");
}

#[test]
fn damaged_tables_are_named_with_their_line() {
    let place = Place::new();
    for (name, text, words) in [
        ("ragged.csv", "a,b,label\n1,2,x\n3,y\n", vec!["ragged.csv, line 3", "2 cells", "first row has 3"]),
        ("nan.csv", "a,label\n1,x\nNaN,y\n", vec!["nan.csv, line 3, column a", "\"NaN\" is not a finite"]),
        (
            "text.csv",
            "a,label\n1,x\nmany,y\n",
            vec!["text.csv, line 3, column a", "\"many\" is not a number"],
        ),
        ("empty.csv", "", vec!["empty.csv", "the file is empty"]),
    ] {
        place.write(name, text);
        place.bratt(&format!("train --data {name}")).fails(3, &words);
    }
    place.bratt("train --data absent.csv").fails(3, &["absent.csv: cannot be read", "because: "]);
}

#[test]
fn damaged_models_and_images_are_named() {
    let place = Place::new();
    place.bratt("train --epochs 1 --name a").good();
    let whole = std::fs::read(place.path("runs/a/model.safetensors")).unwrap();
    place.write("cut.safetensors", &whole[..whole.len() / 2]);
    place.write("other.safetensors", "not a model");
    place.bratt("eval cut.safetensors").fails(3, &["cut.safetensors: truncated"]);
    place.bratt("predict other.safetensors x.png").fails(3, &["other.safetensors: not a safetensors file"]);
    place.bratt("inspect absent.safetensors").fails(3, &["absent.safetensors: cannot be read", "help: "]);
    // A bad image does not keep the others from being read.
    place.write("bad.png", "no picture");
    let ran = place.bratt("predict runs/a bad.png runs/a/sample.png");
    assert!(ran.out.starts_with("runs/a/sample.png  "), "{}", ran.out);
    ran.fails(3, &["bad.png: not a readable image"]);
}

#[test]
fn unknown_options_are_answered_with_the_nearest() {
    let place = Place::new();
    place.bratt("train --epoch 3").fails(2, &["'--epoch'", "'--epochs'"]);
    place.bratt("trian").fails(2, &["'trian'", "'train'"]);
    place.bratt("train --lr fast").fails(4, &["found \"fast\" (--lr)", "above 0, or auto"]);
    place.bratt("train --epochs few").fails(2, &["'few'", "--epochs"]);
    place.bratt("train --model mpl").fails(4, &["--model", "did you mean `mlp`?"]);
    place.bratt("train --optimizer adm").fails(4, &["--optimizer", "did you mean `adam`?"]);
    place.bratt("train --schedule linar").fails(4, &["did you mean `linear`?"]);
    place.bratt("train --lr -1").fails(4, &["optim.lr: found -1.0 (--lr)", "above 0"]);
    place.bratt("train --batch-size 0").fails(4, &["train.batch_size: found 0 (--batch-size)", "at least 1"]);
}
