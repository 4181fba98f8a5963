//! Folders of images, from training to prediction.

use super::common::Place;
use image::{Rgb, RgbImage};

/// Sunsets are light above, fields are light below; every picture has a size of its own.
fn picture(n: u32, sunset: bool) -> RgbImage {
    let (width, height) = (20 + n % 7, 24 + n % 5);
    RgbImage::from_fn(width, height, |x, y| {
        let light = if (y < height / 2) == sunset { 200 } else { 40 };
        Rgb([(light + n) as u8, (light + x) as u8, 60])
    })
}

fn landscapes(place: &Place) {
    for n in 0..30 {
        for (class, sunset) in [("sunset", true), ("field", false)] {
            let path = place.write(&format!("land/{class}/{n:02}.jpg"), "");
            picture(n, sunset).save(path).unwrap();
        }
    }
    place.write("land/sunset/.DS_Store", "");
    place.write("land/readme.txt", "");
}

/// The text between names and keys of the lines that introduce a training, as one line.
fn told(out: &str) -> String {
    let text = |line: &str| line.chars().skip(8).take(47).collect::<String>().trim().to_string();
    out.lines().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_folder_of_images_becomes_a_model_that_reads_images_the_same_way() {
    let place = Place::new();
    landscapes(&place);
    let out = place.bratt("train land --size 8x10 --fit pad --epochs 6 --seed 1 --name a").good();
    let out = told(&out);
    assert!(out.contains("60 images 8x10x3, 2 classes"), "{out}");
    assert!(out.contains("2 other files passed over"), "{out}");
    assert!(out.contains("48 training, 6 validation, 6 test"), "{out}");
    let config = std::fs::read_to_string(place.path("runs/a/config.toml")).unwrap();
    assert!(config.contains("size = \"8x10\"") && config.contains("fit = \"pad\""), "{config}");

    let eval = place.bratt("eval runs/a --json").json();
    assert_eq!((eval["n"].as_u64(), eval["accuracy"].as_f64()), (Some(6), Some(1.0)), "{eval}");
    let eval = place.bratt("eval runs/a land --json").json();
    assert_eq!(eval["n"], 60);
    let out = place.bratt("predict runs/a land/sunset/03.jpg land/field").good();
    assert_eq!(out.lines().count(), 31);
    assert!(out.lines().next().unwrap().contains("sunset"), "{out}");
    assert!(out.lines().skip(1).all(|line| line.contains("  field  ")), "{out}");
}

#[test]
fn broken_pictures_stop_training_unless_they_may_be_left_out() {
    let place = Place::new();
    landscapes(&place);
    let path = place.path("land/field/07.jpg");
    let whole = std::fs::read(&path).unwrap();
    let cut = &whole[..whole.len() / 2];
    std::fs::write(&path, cut).unwrap();
    let train = "train land --epochs 1 --name a";
    place.bratt(train).fails(3, &["1 of 60 images", "07.jpg: the image is truncated", "--on-bad skip"]);
    assert!(!place.path("runs").exists());
    let out = place.bratt(&format!("{train} --on-bad skip")).good();
    let out = told(&out);
    assert!(out.contains("1 unusable image left out"), "{out}");
    assert_eq!(std::fs::read(&path).unwrap(), cut, "what is the user's stays as it is");
}

#[test]
fn folders_without_classes_say_what_is_expected() {
    let place = Place::new();
    picture(1, true).save(place.write("flat/1.png", "")).unwrap();
    place.bratt("train flat").fails(3, &["flat: 1 images, but not in folders of classes", "flat/cat/1.jpg"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.bratt("train empty").fails(3, &["empty: no images"]);
    landscapes(&place);
    place.bratt("train land --size 0").fails(4, &["data.size", "one side, as 28"]);
    place.bratt("train land --fit crp").fails(4, &["data.fit", "did you mean `crop`?"]);
}

#[test]
fn an_audit_names_what_is_wrong_and_training_mentions_it() {
    let place = Place::new();
    landscapes(&place);
    let out = place.bratt("audit land").good();
    assert!(out.contains("60 examples, 2 classes") && out.contains("none  unreadable files"), "{out}");

    std::fs::copy(place.path("land/field/02.jpg"), place.path("land/sunset/wrong.jpg")).unwrap();
    let whole = std::fs::read(place.path("land/field/01.jpg")).unwrap();
    place.write("land/field/cut.jpg", &whole[..whole.len() - 9]);
    let ran = place.bratt("audit land");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("field/cut.jpg: truncated"), "{}", ran.out);
    assert!(ran.out.contains("field/02.jpg [field] = sunset/wrong.jpg [sunset]"), "{}", ran.out);
    let ran = place.bratt("audit land --json");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &json["examples"], &json["ignored_files"]), (Some(1), &61.into(), &2.into()));
    assert_eq!(json["unreadable"][0]["file"], "field/cut.jpg");
    assert_eq!(json["twins"][0]["two_labels"], true);

    let out = place.bratt("train land --epochs 1 --on-bad skip").good();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("1 group of equal examples with different labels"), "{out}");
    place.bratt("audit absent").fails(3, &["absent: cannot be read"]);
}

#[test]
fn lists_and_tar_files_train_as_folders_do() {
    let place = Place::new();
    landscapes(&place);
    let rows = |part: &str, numbers: std::ops::Range<u32>| {
        numbers
            .map(|n| format!("land/sunset/{n:02}.jpg,up,{part}\nland/field/{n:02}.jpg,down,{part}\n"))
            .collect()
    };
    let parts: [String; 3] = [rows("train", 0..20), rows("val", 20..25), rows("test", 25..30)];
    place.write("land.csv", format!("path,label,split\n{}", parts.concat()));
    let out = place.bratt("train land.csv --epochs 2 --seed 1 --name a").good();
    let out = told(&out);
    assert!(out.contains("a list of images: 50 images") && out.contains("2 classes"), "{out}");
    assert!(out.contains("40 training, 10 validation, 10 test; as the data have it"), "{out}");
    let config = std::fs::read_to_string(place.path("runs/a/config.toml")).unwrap();
    let size = config.lines().find(|line| line.starts_with("size = \"")).unwrap_or_default();
    assert!(size.ends_with("# chosen from the sizes of the images"), "{config}");
    assert!(config.contains("fit = \"crop\"") && config.contains("on_bad = \"fail\""), "{config}");
    // The configuration repeats the run.
    place.bratt("train --config runs/a/config.toml --name b").good();
    let model = |name: &str| std::fs::read(place.path(&format!("runs/{name}/model.safetensors"))).unwrap();
    assert!(model("a") == model("b"), "the same model from the configuration");

    // Classes that the model does not know are named.
    place.bratt("eval runs/a land").fails(3, &["\"field\" is not a class; the classes are down, up"]);
    let whole = std::fs::read(place.path("land/field/26.jpg")).unwrap();
    place.write("land/field/26.jpg", &whole[..whole.len() / 2]);
    place.bratt("eval runs/a land.csv").fails(3, &["26.jpg: the image is truncated", "--on-bad skip"]);
    let eval = place.bratt("eval runs/a land.csv --on-bad skip --json").json();
    assert_eq!(eval["n"], 9, "{eval}");
    place.bratt("eval runs/a land.csv --on-bad maybe").fails(4, &["--on-bad", "fail or skip"]);
}

#[test]
fn folders_that_cannot_be_learned_from_say_why() {
    let place = Place::new();
    picture(1, true).save(place.write("one/a/1.png", "")).unwrap();
    place.bratt("train one").fails(3, &["one class only, \"a\""]);
    for n in 0..5 {
        place.write(&format!("bad/a/{n}.jpg"), "no picture");
        place.write(&format!("bad/b/{n}.jpg"), "no picture");
    }
    for on_bad in ["fail", "skip"] {
        let train = format!("train bad --on-bad {on_bad}");
        place.bratt(&train).fails(3, &["10 of 10 images cannot be used", "0.jpg: not a readable image"]);
    }
    landscapes(&place);
    picture(40, true).save(place.write("land/lonely/1.png", "")).unwrap();
    let out = place.bratt("train land --epochs 1").good();
    assert!(out.contains("class lonely is small: 1 training, 0 validation, 0 test"), "{out}");
}

#[test]
fn a_known_data_set_is_listed_or_its_name_is_mended() {
    let place = Place::new();
    let out = place.bratt("data fetch").good();
    assert!(out.contains("mnist") && out.contains("cifar100"), "{out}");
    place.bratt("data fetch mnits").fails(2, &["no data set is named `mnits`", "did you mean `mnist`?"]);
    for part in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        place.write(&format!("m/{part}-ubyte.gz"), "other");
    }
    place.bratt("data fetch mnist --to m").fails(3, &["train-images-idx3-ubyte.gz: this is not the file of"]);
}

#[test]
fn decoded_images_are_kept_for_the_next_time_and_can_be_removed() {
    let place = Place::new();
    landscapes(&place);
    let first = told(&place.bratt("train land --epochs 1 --seed 1 --name a").good());
    assert!(!first.contains("from the cache"), "{first}");
    let again = told(&place.bratt("train land --epochs 1 --seed 1 --name b").good());
    assert!(again.contains("60 images from the cache"), "{again}");
    let without = told(&place.bratt("train land --epochs 1 --seed 1 --name c --no-cache").good());
    assert!(!without.contains("from the cache"), "{without}");
    let model = |name: &str| std::fs::read(place.path(&format!("runs/{name}/model.safetensors"))).unwrap();
    assert!(model("a") == model("b") && model("a") == model("c"), "the same model either way");
    place.bratt("eval runs/c").good();
    let shown = place.bratt("data cache").good();
    assert!(shown.contains("1 file, ") && shown.contains("of at most"), "{shown}");
    assert!(place.bratt("data cache --clear").good().contains("removed 1 file"));
    assert!(place.bratt("data cache").good().contains("0 files"));
}
