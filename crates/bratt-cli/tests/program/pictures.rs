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
