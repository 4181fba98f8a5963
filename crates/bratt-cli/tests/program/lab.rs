//! The experiments of the lecture.

use super::common::Place;
use std::fs;

const NAMES: [&str; 11] = [
    "scaling",
    "softmax-weights",
    "spirals",
    "activations",
    "init",
    "batch-norm",
    "dropout",
    "learning-rate",
    "batch-size",
    "momentum",
    "optimizers",
];

#[test]
fn experiments_are_listed_and_one_writes_its_page() {
    let place = Place::new();
    let list = place.bratt("lab").good();
    for name in NAMES {
        assert!(list.lines().any(|line| line.starts_with(name)), "no {name} in {list}");
    }
    let said = place.bratt("lab scaling").good();
    assert!(said.contains("condition") && said.contains("round bowl"), "{said}");
    assert!(said.contains("lab-scaling.html"), "{said}");
    let page = fs::read_to_string(place.path("lab-scaling.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("bratt lab scaling --seed 0"));
    assert_eq!(page.matches("<figure").count(), 4);
    // The same seed, the same bytes; another ending, a drawing.
    place.bratt("lab scaling -o again.html").good();
    assert_eq!(page, fs::read_to_string(place.path("again.html")).unwrap());
    place.bratt("lab scaling -o scaling.svg").good();
    assert!(fs::read_to_string(place.path("scaling.svg")).unwrap().starts_with("<svg xmlns="));
    let found = place.bratt("lab scaling --json").json();
    assert_eq!(found["rows"].as_array().unwrap().len(), 4);
    assert_eq!(found["rows"][2][4].as_f64().map(f64::round), Some(2500.0));
}

#[test]
fn initialisation_is_shown_on_the_digits() {
    let place = Place::new();
    let said = place.bratt("lab init").good();
    assert!(said.contains("tanh, zeros") && said.contains("ReLU, He"), "{said}");
    assert!(fs::read_to_string(place.path("lab-init.html")).unwrap().contains("Deviation of activations"));
}

#[test]
fn what_is_not_there_is_refused_with_a_suggestion() {
    let place = Place::new();
    place.bratt("lab dropot").fails(4, &["no experiment is named `dropot`", "did you mean `dropout`?"]);
    place.bratt("lab scaling -o scaling.png").fails(2, &["png", ".html or .svg"]);
    place.bratt("lab scaling -o absent/scaling.html").fails(4, &["absent/scaling.html"]);
    assert!(!place.path("lab-scaling.html").exists());
}
