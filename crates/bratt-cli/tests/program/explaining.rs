//! Pictures of what speaks for a class.

use super::common::Place;

/// A convolutional model of the digits, and the sample that its training left.
fn trained(place: &Place) {
    place.bratt("train --model lenet --epochs 1 --seed 1 --name a").good();
}

#[test]
fn an_image_is_explained_by_a_picture_in_the_folder_of_the_run() {
    let place = Place::new();
    trained(&place);
    let sample = std::fs::read(place.path("runs/a/sample.png")).unwrap();
    let out = place.bratt("explain runs/a runs/a/sample.png").good();
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("runs/a/sample.png  ") && out.contains(" %  "), "{out}");
    assert!(out.trim_end().ends_with("runs/a/explain/sample-grad-cam.png"), "{out}");
    let picture = image::open(place.path("runs/a/explain/sample-grad-cam.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (2 * 256 + 8, 256));
    assert_eq!(std::fs::read(place.path("runs/a/sample.png")).unwrap(), sample, "the image stays as it is");

    // The same again, on one thread.
    let before = std::fs::read(place.path("runs/a/explain/sample-grad-cam.png")).unwrap();
    place.bratt("explain runs/a runs/a/sample.png --threads 1").good();
    assert!(std::fs::read(place.path("runs/a/explain/sample-grad-cam.png")).unwrap() == before);
}

#[test]
fn all_methods_and_the_filters_as_json() {
    let place = Place::new();
    trained(&place);
    let out = place
        .bratt("explain runs/a/model.safetensors runs/a/sample.png --method all --filters --class 3 --json")
        .good();
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["filters"], &lines[0]["count"]), (&"explain/filters.png".into(), &6.into()));
    assert_eq!(lines[1]["explained"]["class"], "3");
    let pictures = lines[1]["pictures"].as_array().unwrap();
    let methods: Vec<&str> = pictures.iter().map(|picture| picture["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["grad-cam", "integrated-gradients", "gradient", "smoothgrad"]);
    for picture in pictures {
        image::open(place.path(picture["file"].as_str().unwrap())).unwrap();
    }
    let of_path = &pictures[1]["completeness"];
    let number = |key: &str| of_path[key].as_f64().unwrap();
    let whole = number("score") - number("baseline");
    assert!((number("gap") - (number("sum") - whole).abs() / whole.abs()).abs() < 1e-9, "{of_path}");
}

#[test]
fn no_picture_takes_the_place_of_another_or_of_what_was_given() {
    let place = Place::new();
    trained(&place);
    let sample = std::fs::read(place.path("runs/a/sample.png")).unwrap();
    for name in ["x/1.png", "y/1.png", "1-gradient.png"] {
        place.write(name, &sample);
    }
    let out = place.bratt("explain runs/a x/1.png y/1.png 1-gradient.png --method gradient --out .").good();
    let files: Vec<&str> = out.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
    assert_eq!(files, ["./1-gradient-2.png", "./1-gradient-3.png", "./1-gradient-gradient.png"]);
    assert!(std::fs::read(place.path("1-gradient.png")).unwrap() == sample);
}

#[test]
fn what_cannot_be_explained_says_why() {
    let place = Place::new();
    trained(&place);
    place.bratt("train --model softmax --epochs 1 --name plain").good();
    let sample = "runs/a/sample.png";
    let plain = |options: &str| place.bratt(&format!("explain runs/plain {sample} {options}"));
    plain("--method grad-cam").fails(2, &["no convolution", "help: --method integrated-gradients"]);
    assert!(plain("").good().contains("sample-integrated-gradients.png"));
    plain("--class ten").fails(2, &["no class `ten`", "known are `0`, `1`"]);
    plain("--steps 0").fails(2, &["steps: found 0, expected at least 1"]);
    plain("--method gradcam").fails(2, &["grad-cam"]);
    place.write("file", "");
    plain("--out file/x").fails(4, &["file/x: cannot be written", "--out"]);
    place.bratt("explain runs/a").fails(2, &["IMAGES"]);
    place.write("broken.png", "no image");
    let ran = place.bratt(&format!("explain runs/a broken.png {sample}"));
    assert_eq!((ran.code, ran.out.lines().count()), (Some(3), 1), "{}", ran.err);
    assert!(ran.err.contains("broken.png"), "{}", ran.err);
}

#[test]
fn the_dashboard_needs_a_terminal_and_tensorboard_gets_its_file() {
    let place = Place::new();
    let ran = place.bratt("train --epochs 1 --dashboard --tensorboard --name a");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("--dashboard needs a terminal"), "{}", ran.err);
    assert!(ran.out.contains("val loss") && !ran.err.contains("\x1b[?1049h"), "{}", ran.out);
    let file = std::fs::read(place.path("runs/a/events.out.tfevents.0.bratt")).unwrap();
    let holds = |tag: &[u8]| file.windows(tag.len()).any(|part| part == tag);
    assert!(holds(b"brain.Event:2") && holds(b"accuracy/validation") && holds(b"loss/test"));
}
