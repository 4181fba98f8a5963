//! Curves over epochs, and the same as a table.

use super::TrainingPart;
use super::data::pairs;
use crate::page::numbers::{counted, percent, plain, seconds, thousands};
use crate::page::{Chart, Line, Markup, el};
use crate::train::{EpochEnd, Monitor, RatePoint, RateTest, StopReason};

pub(super) fn curves(training: &TrainingPart) -> Markup {
    let epochs = &training.epochs;
    let line = |name, class, value: &dyn Fn(&EpochEnd) -> Option<f64>| {
        let points = epochs.iter().filter_map(|end| Some([end.epoch as f64, value(end)?])).collect();
        Line { name, class, points }
    };
    let kept = (training.kept_epoch > 0 && epochs.len() > 1)
        .then(|| (training.kept_epoch as f64, format!("kept: epoch {}", training.kept_epoch)));
    let steps = |value: &dyn Fn(usize) -> f64| -> Vec<[f64; 2]> {
        (0..training.steps.len()).map(|at| [training.steps[at].at, value(at)]).collect()
    };
    let loss = Chart {
        title: "Loss",
        lines: vec![
            Line { name: "steps", class: "faint", points: steps(&|at| training.steps[at].loss) },
            line("training", "a", &|end| Some(end.train_loss)),
            line("validation", "b", &|end| end.validation.map(|score| score.loss)),
        ],
        mark: kept.clone(),
        ..empty()
    };
    let accuracy = Chart {
        title: "Accuracy on the validation part",
        percent: true,
        from_zero: false,
        limit: Some(1.0),
        lines: vec![
            line("accuracy", "b", &|end| end.validation.and_then(|score| score.accuracy)),
            match monitor(training) {
                Monitor::BalancedAccuracy => line("balanced accuracy", "c", &|end| {
                    end.validation.and_then(|score| score.balanced_accuracy)
                }),
                _ => line("macro-F1", "c", &|end| end.validation.and_then(|score| score.macro_f1)),
            },
        ],
        mark: kept,
        ..empty()
    };
    let rate = Chart {
        title: "Learning rate",
        lines: vec![match training.steps.is_empty() {
            true => line("learning rate", "a", &|end| Some(end.learning_rate)),
            false => Line {
                name: "learning rate",
                class: "a",
                points: steps(&|at| training.steps[at].learning_rate),
            },
        }],
        ..empty()
    };
    let tried = training.rates.as_ref().map(tried);
    let plots = [loss, accuracy, rate].iter().chain(&tried).map(Chart::draw).collect::<Markup>();
    if plots.is_empty() {
        return plots;
    }
    let plots = plots.then(super::step_sizes::drawn(epochs));
    let mut facts = vec![
        ("optimizer", training.optimizer.clone()),
        ("learning rate", training.schedule.clone()),
        ("examples a step", thousands(training.batch_size)),
        ("time of an epoch", seconds(training.seconds / epochs.len().max(1) as f64)),
        ("ended", ended(training)),
    ];
    if let Some(balance) = &training.balance {
        facts.insert(3, ("balance of classes", balance.clone()));
    }
    let plots = plots.then(el("div").class("facts").with(pairs(facts)));
    Markup::new()
        .then(el("div").class("plots").with(plots))
        .then(table(epochs, training.kept_epoch))
        .then(super::step_sizes::table(epochs))
}

/// The losses of the search for a learning rate.
fn tried(found: &RateTest) -> Chart {
    let line = |of: &dyn Fn(&RatePoint) -> f64| -> Vec<[f64; 2]> {
        found.points.iter().map(|point| [point.rate.log10(), of(point)]).collect()
    };
    Chart {
        title: "The search for the rate",
        x: "learning rate",
        log_x: true,
        lines: vec![
            Line { name: "steps", class: "faint", points: line(&|point| point.loss) },
            Line { name: "average loss", class: "b", points: line(&|point| point.smoothed) },
        ],
        mark: found.suggested.map(|rate| (rate.log10(), format!("found: {}", plain(rate)))),
        ..empty()
    }
}

/// Why it ended, and what was kept.
fn ended(training: &TrainingPart) -> String {
    let done = counted(training.epochs.len(), "epoch");
    let why = match training.reason {
        Some(StopReason::Completed) => format!("after all {done}"),
        Some(StopReason::EarlyStop) => {
            let what = monitor(training).words();
            format!("early, after {done}: the {what} no longer got better")
        }
        Some(StopReason::Interrupted) => format!("interrupted after {done}"),
        None => format!("not yet, after {done}"),
    };
    let kept = training.epochs.iter().find(|end| end.epoch == training.kept_epoch);
    match kept.and_then(|end| end.validation) {
        Some(score) => {
            let monitor = monitor(training);
            let value = match monitor {
                Monitor::ValLoss => plain(score.loss),
                _ => monitor.of(&score).map_or_else(String::new, percent),
            };
            format!("{why}; kept: epoch {}, of {}, {value}", training.kept_epoch, monitor.best())
        }
        None => format!("{why}; kept: epoch {}", training.kept_epoch),
    }
}

fn monitor(training: &TrainingPart) -> Monitor {
    training.monitor.as_deref().and_then(Monitor::by_name).unwrap_or_default()
}

/// Axes of epochs, from 0.
fn empty() -> Chart {
    let (title, x, log_x, percent, from_zero) = ("", "epoch", false, false, true);
    Chart { title, x, log_x, percent, from_zero, limit: None, lines: Vec::new(), mark: None }
}

fn table(epochs: &[EpochEnd], kept: usize) -> Markup {
    let names =
        ["epoch", "training loss", "validation loss", "accuracy", "macro-F1", "learning rate", "time"];
    let head: Markup =
        names.iter().map(|name| el("th").attr("scope", "col").class("num").with(*name)).collect();
    let row = |end: &EpochEnd| {
        let score = end.validation;
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "\u{2013}".into());
        let cells = [
            plain(end.train_loss),
            or_dash(score.map(|score| plain(score.loss))),
            or_dash(score.and_then(|score| score.accuracy).map(percent)),
            or_dash(score.and_then(|score| score.macro_f1).map(percent)),
            plain(end.learning_rate),
            seconds(end.seconds),
        ];
        let cells: Markup = cells.into_iter().map(|text| el("td").class("num").with(text)).collect();
        let name = if end.epoch == kept { format!("{} kept", end.epoch) } else { end.epoch.to_string() };
        let row = el("tr").with(el("th").attr("scope", "row").class("num").with(name)).with(cells);
        if end.epoch == kept { row.class("kept") } else { row }
    };
    let table = el("table")
        .class("slim")
        .with(el("thead").with(el("tr").with(head)))
        .with(el("tbody").with(epochs.iter().map(row).collect::<Markup>()));
    el("details")
        .with(el("summary").with("All epochs as a table"))
        .with(el("div").class("scroll tall").with(table))
        .into()
}
