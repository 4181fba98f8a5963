use super::*;
use crate::data::{Augment, Dataset, Features, Fractions, Targets, digits};
use crate::nn::{Input, Model, Sequential, Task};
use crate::random::{Purpose, Stream};
use crate::report::RunFolder;
use crate::train::{RatePoint, RateTest, Splits, Trainer};
use tempfile::TempDir;

/// Trains for some epochs as `bratt train` does, and gathers.
fn report_of(data: &Splits, model: impl Into<Model>, epochs: usize) -> (TempDir, Report) {
    let runs = tempfile::tempdir().unwrap();
    let folder = RunFolder::named(runs.path(), "first").unwrap();
    folder.write(RunFolder::CONFIG, "[train]\nepochs = 2 # --epochs\nseed = 3 # default\n").unwrap();
    let mut events = folder.events().unwrap();
    let augment = Augment { crop: 1, ..Augment::default() };
    let augment = if data.data().shape().len() == 3 { augment } else { Augment::default() };
    let trainer = Trainer::new(model).epochs(epochs).seed(3).threads(1).augment(augment.clone());
    let fit = trainer.fit_with(data, &mut events).unwrap();
    events.finish().unwrap();
    let said = fit.predictions(data.test()).unwrap();
    let evaluation = said.evaluation().unwrap();
    let sources = Sources {
        folder: &folder,
        splits: data,
        model: fit.model(),
        judged: Some((&said, &evaluation)),
        augment: &augment,
        files: None,
        findings: vec!["1 group of equal examples".into()],
    };
    let report = Report::gather(&sources).unwrap();
    assert_eq!(report, Report::gather(&sources).unwrap());
    (runs, report)
}

fn dense(data: &Splits) -> Sequential {
    Sequential::new(Input::shape(data.data().shape())).dense(data.classes().len())
}

fn digits_report() -> Report {
    let data = Splits::new(digits(), Fractions::default(), 7).unwrap();
    report_of(&data, dense(&data), 3).1
}

/// Random images whose class is their brightness, more or less.
fn noise(n: usize, classes: usize, side: usize) -> Dataset {
    let mut stream = Stream::new(1, Purpose::Noise, 0);
    let labels: Vec<u32> = (0..n).map(|i| (i % classes) as u32).collect();
    let bytes = labels.iter().flat_map(|&label| {
        let light = label * 128 / classes as u32;
        (0..3 * side * side).map(|_| (light + stream.below(128)) as u8).collect::<Vec<u8>>()
    });
    let features = Features::Pixels { bytes: bytes.collect::<Vec<u8>>().into(), scale: 1.0 / 255.0 };
    let names = (0..classes).map(|k| format!("class {k}")).collect();
    Dataset::new("noise", vec![side, side, 3], features, Targets::Classes { labels, names }).unwrap()
}

/// Asserts that every element is closed, in order, and every attribute quoted.
fn assert_well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap();
    while let Some(begin) = rest.find('<') {
        assert!(!rest[..begin].contains('>'), "a bare > in {:?}", &rest[..begin]);
        rest = &rest[begin + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split(' ').next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{tag:?}");
        // Outside and inside of quotes in turn; what opens a value is an attribute's name and =.
        let parts: Vec<&str> = tag.split('"').collect();
        assert_eq!(parts.len() % 2, 1, "{tag:?}");
        let mut before = parts.iter().step_by(2).take(parts.len() / 2);
        assert!(before.all(|part| part.ends_with('=')), "{tag:?}");
        if name == "script" || name == "style" {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
        } else if !["meta", "link", "img", "br"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Asserts that nothing is loaded from anywhere.
fn assert_alone(html: &str) {
    for (attribute, allowed) in [("src=\"", &["data:image/"][..]), ("href=\"", &["#", "data:,"])] {
        for part in html.split(attribute).skip(1) {
            assert!(allowed.iter().any(|begin| part.starts_with(begin)), "{attribute}{}", &part[..40]);
        }
    }
    let source = [include_str!("../../page/style.css"), include_str!("../../page/script.js")].concat();
    for word in
        ["url(", "@import", "import(", "fetch(", "XMLHttpRequest", "http:", "https:", "innerHTML", "eval("]
    {
        assert!(!source.contains(word), "{word}");
    }
    assert!(html.contains("default-src &#39;none&#39;"));
}

#[test]
fn the_page_is_well_formed_and_alone_and_always_the_same() {
    let report = digits_report();
    let html = report.to_html();
    assert_well_formed(&html);
    assert_alone(&html);
    assert_eq!(html, report.to_html());
    let copy: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(html, copy.to_html());
    assert!(html.len() < 1_000_000, "{}", html.len());
    for id in
        ["result", "curves", "confusion", "classes", "calibration", "data", "batch", "network", "repeat"]
    {
        assert!(html.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(html.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    for text in ["bratt train --epochs 2", "1 group of equal examples", "epoch 3  \u{b7}  training "] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn what_was_searched_and_monitored_is_told() {
    let mut report = digits_report();
    assert!(!report.to_html().contains("The search for the rate"));
    let point = |i: i32| {
        let rate = 10f64.powf(f64::from(i) / 20.0 - 6.0);
        RatePoint { rate, loss: 2.5, smoothed: 2.5 - f64::from(i) / 100.0 }
    };
    let points = (0..140).map(point).collect();
    report.training.rates = Some(RateTest { points, suggested: Some(3e-3), exploded: false });
    report.training.balance = Some("sampling".into());
    report.training.monitor = Some("balanced_accuracy".into());
    let html = report.to_html();
    assert_well_formed(&html);
    for text in [
        "The search for the rate",
        "found: 0.0030",
        ">1e-4</text>",
        "balance of classes",
        "the highest balanced validation accuracy",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(
        !html.contains("macro-F1 0.") && html.contains("balanced accuracy "),
        "of the lines of the chart"
    );
}

#[test]
fn every_cell_with_examples_leads_to_its_images() {
    let report = digits_report();
    let judged = report.judged.as_ref().unwrap();
    let crate::train::Measures::Classes { confusion, .. } = &judged.evaluation.measures else { panic!() };
    let html = report.to_html();
    let data = digits();
    for (label, row) in confusion.iter().enumerate() {
        for (predicted, &n) in row.iter().enumerate() {
            let cell = judged.cells.iter().find(|cell| (cell.label, cell.predicted) == (label, predicted));
            assert_eq!(cell.map_or(0, |cell| cell.answers.len()), n.min(18), "{label} {predicted}");
            let link = format!("href=\"#cell-{label}-{predicted}\"");
            assert_eq!(html.contains(&link), n > 0, "{link}");
            for answer in cell.iter().flat_map(|cell| &cell.answers) {
                assert_eq!(data.labels()[answer.example as usize] as usize, label);
                assert_eq!(answer.picture, Picture::of_example(&data, answer.example, 64));
            }
        }
    }
    assert!(judged.mistakes.iter().all(|answer| answer.label != answer.predicted));
    assert!(
        judged.mistakes.windows(2).all(|two| two[0].label_probability <= two[1].label_probability + 1e-9)
    );
}

#[test]
fn names_from_the_data_are_text_and_nothing_else() {
    let names = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a & b"].map(String::from);
    let data = noise(300, 3, 6);
    let Features::Pixels { bytes, scale } = data.features().clone() else { unreachable!() };
    let targets = Targets::Classes { labels: data.labels().to_vec(), names: names.to_vec() };
    let features = Features::Pixels { bytes, scale };
    let data = Dataset::new("</title><b>", vec![6, 6, 3], features, targets).unwrap();
    let data = Splits::new(data, Fractions::default(), 7).unwrap();
    let (_runs, mut report) = report_of(&data, dense(&data), 1);
    report.run = "<i>run</i>".into();
    report.repeat.command = "bratt train '<u>'".into();
    let html = report.to_html();
    assert_well_formed(&html);
    assert_alone(&html);
    assert_eq!(html.matches("<script").count(), 1);
    for not in ["<img src=x", "<b></", "<i>run", "<u>", "</title><b>"] {
        assert!(!html.contains(not), "{not}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("a &amp; b"));
}

#[test]
fn ten_thousand_images_of_a_hundred_classes_stay_below_five_megabytes() {
    let fractions = Fractions { train: 0.05, val: 0.0, test: 0.95 };
    let data = Splits::new(noise(10_500, 100, 32), fractions, 7).unwrap();
    let (_runs, report) = report_of(&data, dense(&data), 1);
    let html = report.to_html();
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    assert!(html.contains("The 30 of 100 classes that take part in the most mistakes."));
    let judged = report.judged.unwrap();
    assert!(judged.cells.len() > 100, "{} cells have images", judged.cells.len());
    assert_well_formed(&html);
}

#[test]
fn a_regression_has_a_diagram_and_no_pictures() {
    let values: Vec<f32> = (0..600).map(|i| (i * 7919 % 600) as f32 / 600.0).collect();
    let targets = values.chunks(2).map(|x| 3.0 * x[0] - x[1]).collect();
    let features = Features::Table { values, columns: vec!["a".into(), "b".into()] };
    let targets = Targets::Values { values: targets, name: "y".into() };
    let data = Dataset::new("line.csv", vec![2], features, targets).unwrap();
    let data = Splits::new(data, Fractions::default(), 7).unwrap();
    let network = Sequential::new(Input::features(2)).dense(1);
    let model = Model { name: "linear".into(), network, task: Task::Regress };
    let (_runs, report) = report_of(&data, model, 2);
    let html = report.to_html();
    assert_well_formed(&html);
    assert!(html.contains("Predicted over true numbers of 30 examples"));
    assert!(!html.contains("<img") && !html.contains("confusion-title") && report.batch.is_none());
}

#[test]
fn a_run_without_test_and_validation_part_still_has_a_report() {
    let mut report = digits_report();
    report.judged = None;
    report.training.epochs.clear();
    report.training.steps.clear();
    let html = report.to_html();
    assert_well_formed(&html);
    assert!(html.contains("there is no test part"));
}
