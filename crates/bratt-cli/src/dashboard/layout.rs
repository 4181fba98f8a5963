//! What stands where, for any size of the terminal.
//!
//! ```text
//! what is trained on what                    epoch
//! how much of it is done, time left
//! step, loss, learning rate, speed
//!
//! loss                 accuracy            side by side if there is room, else the loss alone
//!
//! the last epochs
//! what keys do
//! ```
//!
//! What does not fit is left away from below: first rows of the table, then the table, then the curves.

use super::Shown;
use super::canvas::{Canvas, Ink};
use super::plot::{Area, LABEL, Plot};
use crate::terminal::{clock, loss, magnitude, percent, rate, seconds, thousands};
use bratt::train::{EpochEnd, Monitor};

/// Lines above the curves.
const HEAD: usize = 4;
/// Curves need so many lines.
const LEAST_CURVES: usize = 7;
/// Both curves need so many columns.
const BESIDE: usize = 72;
/// Rows of the table at most.
const MOST_ROWS: usize = 10;

/// The whole picture.
pub fn draw(shown: &Shown, width: usize, height: usize) -> Canvas {
    let mut canvas = Canvas::new(width, height);
    head(&mut canvas, shown);
    if height > HEAD {
        foot(&mut canvas, shown, height - 1);
    }
    let room = height.saturating_sub(HEAD + 1);
    // The table has a third, if curves have enough then: an empty line, names, rows, an empty line.
    let rows = (room / 3).saturating_sub(2).min(MOST_ROWS);
    let table = if rows >= 2 && room - (rows + 3) >= LEAST_CURVES { rows + 3 } else { 0 };
    if room - table >= LEAST_CURVES {
        curves(&mut canvas, shown, room - table);
    }
    if table > 0 {
        epochs(&mut canvas, shown, HEAD + room - table + 1, table - 3);
    }
    canvas
}

fn head(canvas: &mut Canvas, shown: &Shown) {
    let width = canvas.width();
    let all = shown.started.as_ref().map_or(0, |started| started.epochs);
    if let Some(started) = &shown.started {
        let parameters = magnitude(started.parameters as f64);
        let end = canvas.text(0, 0, Ink::Bold, &started.data);
        let end = canvas.text(0, end, Ink::Plain, &format!("  {}, {parameters} parameters", started.model));
        let split = format!("  {} training examples", thousands(started.split.train as u64));
        if end + split.len() + 16 < width {
            canvas.text(0, end, Ink::Dim, &split);
        }
    }
    let epoch = format!("  epoch {}/{all}", shown.epoch);
    canvas.text_before(0, width, Ink::Bold, &epoch);

    let left = shown.left().map_or("-:--".into(), clock);
    let share = shown.share();
    let tail = format!("  {:>3.0} %  {} done, {left} left", 100.0 * share, clock(shown.elapsed));
    let cells = width.saturating_sub(tail.chars().count());
    let full = (share * cells as f64).round() as usize;
    canvas.text(1, 0, Ink::Good, &"━".repeat(full.min(cells)));
    canvas.text(1, full, Ink::Dim, &"─".repeat(cells.saturating_sub(full)));
    canvas.text_before(1, width, Ink::Plain, &tail);

    let facts = [
        ("step", format!("{}/{}", shown.step, shown.steps)),
        ("loss", loss(shown.loss)),
        ("lr", rate(shown.learning_rate)),
        ("examples/s", magnitude(shown.examples_per_second)),
    ];
    let mut at = 0;
    for (name, fact) in facts {
        at = canvas.text(2, at, Ink::Dim, name) + 1;
        at = canvas.text(2, at, Ink::Plain, &fact) + 3;
    }
}

fn foot(canvas: &mut Canvas, shown: &Shown, row: usize) {
    let text = match shown.stopping {
        true => "stopping after this step, then saving; Ctrl-C again quits at once",
        false => "Ctrl-C stops after this step and saves",
    };
    canvas.text(row, 0, if shown.stopping { Ink::Bold } else { Ink::Dim }, text);
}

fn curves(canvas: &mut Canvas, shown: &Shown, height: usize) {
    let of = |number: &dyn Fn(&EpochEnd) -> Option<f64>| -> Vec<(f64, f64)> {
        shown.epochs.iter().filter_map(|end| Some((end.epoch as f64, number(end)?))).collect()
    };
    let losses = of(&|end| end.validation.map(|score| score.loss));
    let accuracies = of(&|end| end.validation.and_then(|score| score.accuracy));
    let first = shown.begun_at.unwrap_or(0.0).floor();
    let range = (first, shown.done.max(first + 1.0));
    let loss = Plot {
        title: "loss",
        line: shown.train_loss.points(),
        points: &losses,
        range,
        label: |loss| if loss.abs() < 100.0 { format!("{loss:.3}") } else { format!("{loss:.1e}") },
    };
    let accuracy = Plot {
        title: "accuracy in %",
        line: &accuracies,
        points: &accuracies,
        range,
        label: |share| format!("{:.1}", 100.0 * share),
    };
    let width = canvas.width();
    let regression = shown.started.as_ref().is_some_and(|started| started.classes.is_empty());
    let half = if width >= BESIDE && !regression { width / 2 } else { width };
    loss.draw(canvas, Area { row: HEAD, column: 0, width: half.saturating_sub(1), height });
    let key = canvas.text(HEAD - 1, LABEL, Ink::Train, "⠒⠒");
    let key = canvas.text(HEAD - 1, key, Ink::Dim, " training  ");
    let key = canvas.text(HEAD - 1, key, Ink::Val, "•");
    canvas.text(HEAD - 1, key, Ink::Dim, " validation");
    if half < width {
        accuracy.draw(canvas, Area { row: HEAD, column: half, width: width - half, height });
    }
}

/// The columns of the table and their widths; those that do not fit are left away from the right.
const COLUMNS: [(&str, usize); 7] = [
    ("epoch", 6),
    ("train loss", 12),
    ("val loss", 10),
    ("accuracy", 10),
    ("macro-F1", 10),
    ("lr", 10),
    ("time", 9),
];

/// The last epochs, the newest below.
fn epochs(canvas: &mut Canvas, shown: &Shown, row: usize, rows: usize) {
    let wide = canvas.width();
    let mut put = |row: usize, ink: Ink, cells: [String; 7], mark: &str| {
        let mut end = 0;
        for ((_, width), cell) in COLUMNS.iter().zip(cells) {
            if end + width > wide {
                return;
            }
            end += width;
            canvas.text_before(row, end, ink, &cell);
        }
        if end + mark.len() <= wide {
            canvas.text(row, end, ink, mark);
        }
    };
    let monitored = shown.started.as_ref().and_then(|started| Monitor::by_name(&started.monitor));
    let balanced = monitored == Some(Monitor::BalancedAccuracy);
    let third = if balanced { Monitor::BalancedAccuracy } else { Monitor::MacroF1 };
    let mut names = COLUMNS.map(|(name, _)| name.to_string());
    if balanced {
        names[4] = "balanced".into();
    }
    put(row, Ink::Dim, names, "");
    let from = shown.epochs.len().saturating_sub(rows);
    let best = shown.epochs.iter().rposition(|end| end.best && end.validation.is_some());
    for (at, end) in shown.epochs.iter().enumerate().skip(from) {
        let score = end.validation;
        let number = |x: Option<f64>, show: &dyn Fn(f64) -> String| x.map_or("-".into(), show);
        let cells = [
            end.epoch.to_string(),
            loss(end.train_loss),
            number(score.map(|s| s.loss), &loss),
            number(score.and_then(|s| s.accuracy), &percent),
            number(score.and_then(|s| third.of(&s)), &percent),
            rate(end.learning_rate),
            seconds(end.seconds),
        ];
        let (ink, mark) = if best == Some(at) { (Ink::Good, "  best") } else { (Ink::Plain, "") };
        put(row + 1 + at - from, ink, cells, mark);
    }
}
