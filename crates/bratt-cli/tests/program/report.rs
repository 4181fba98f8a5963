//! The report of a run, and what a browser makes of it.

use super::browser;
use super::common::Place;
use serde_json::Value;

/// Clicks the cell of the confusion matrix in `CELL` where it lies on the screen, and notes which images can be seen
/// before and after.
const CLICK: &str = r##"
addEventListener('load', () => {
  const seen = () => [...document.querySelectorAll('#cells img')]
    .filter((image) => image.getBoundingClientRect().height > 0 && image.naturalWidth > 0)
    .map((image) => [image.closest('.cell-images').id, image.alt]);
  const before = seen();
  const cell = document.querySelector('a[href="#CELL"]');
  cell.scrollIntoView({ block: 'center', behavior: 'instant' });
  const box = cell.getBoundingClientRect();
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  hit.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  const after = seen();
  cell.focus();
  cell.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }));
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  const next = [document.activeElement.getAttribute('href').slice(1), seen()];
  const head = document.querySelector('.sortable thead th:nth-child(2) button');
  head.click();
  const sizes = [...document.querySelectorAll('.sortable tbody td:nth-child(2)')].map((td) => Number(td.dataset.value));
  note({ before, after, next, sizes });
});
"##;

#[test]
fn clicking_a_cell_of_the_confusion_matrix_shows_its_images() {
    let Some(browser) = browser::found() else {
        return println!("skipped: no Chromium is installed");
    };
    let place = Place::new();
    place.bratt("train --epochs 3 --seed 1 --test 0.3 --name a").good();
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let evaluation: Value = serde_json::from_str(&read("runs/a/evaluation.json")).unwrap();
    let counts = evaluation["confusion"].as_array().unwrap().iter().enumerate().flat_map(|(label, row)| {
        let row = row.as_array().unwrap().iter().enumerate();
        row.map(move |(predicted, n)| (n.as_u64().unwrap() as usize, label, predicted))
    });
    let wrong = counts.filter(|(_, label, predicted)| predicted < label).max().unwrap();
    let (n, label, predicted) = wrong;
    assert!(n > 0, "a short training makes mistakes");
    let cell = format!("cell-{label}-{predicted}");
    let html = read("runs/a/report.html");
    let note = browser::note(&browser, &place, &html, &CLICK.replace("CELL", &cell));
    assert_eq!(note["before"], serde_json::json!([]), "no image is shown at first");
    let shown = note["after"].as_array().unwrap();
    assert_eq!(shown.len(), n.min(18), "{note}");
    assert!(shown.iter().all(|image| image[0] == cell), "{note}");
    assert!(shown.iter().all(|image| image[1].as_str().unwrap().starts_with("example ")), "{note}");
    // Right of it is at least that of the right answers; the arrow goes to the next one, and Enter shows its images.
    let next = note["next"][0].as_str().unwrap();
    assert!(next.starts_with(&format!("cell-{label}-")) && next != cell, "{note}");
    assert!(!note["next"][1].as_array().unwrap().is_empty());
    assert!(note["next"][1].as_array().unwrap().iter().all(|image| image[0] == next), "{note}");
    let sizes: Vec<u64> = note["sizes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert!(sizes.len() == 10 && sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    assert_eq!(note["loaded"], serde_json::json!([]), "the page loads nothing");
}

#[test]
fn a_report_is_written_again_to_the_same_bytes_and_can_be_left_out() {
    let place = Place::new();
    let rows: String = (0..90).map(|n| format!("{},{},{}\n", n % 7, n % 5, ["a", "b"][n % 2])).collect();
    place.write("t.csv", format!("x,y,label\n{rows}"));
    let out = place.bratt("train t.csv --epochs 2 --name a").good();
    assert!(out.contains("report.html"), "{out}");
    let report = place.path("runs/a/report.html");
    let first = std::fs::read(&report).unwrap();
    assert_eq!(place.bratt("report runs/a --open no").good().trim(), "runs/a/report.html");
    assert!(std::fs::read(&report).unwrap() == first, "the same run, the same bytes");
    place.bratt("report runs/a -o other.html --threads 1").good();
    assert!(std::fs::read(place.path("other.html")).unwrap() == first);

    place.bratt("train t.csv --epochs 1 --name b --no-report").good();
    assert!(!place.path("runs/b/report.html").exists());
    place.bratt("report runs/c").fails(3, &["no run", "help: name the folder of a run"]);
    place.write("t.csv", format!("x,y,label\n1,2,a\n{rows}"));
    place.bratt("report runs/a").fails(3, &["not the data that the run learned from", "--data PATH"]);
    std::fs::remove_file(place.path("t.csv")).unwrap();
    place.bratt("report runs/a").fails(3, &["t.csv", "--data PATH"]);
}
