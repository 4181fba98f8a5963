//! The page of a run: the first screen and its parts, in order.

use super::{Judged, Report, classes, confusion, data, diagrams, judgement, layers, repeat, training};
use crate::page::numbers::{counted, magnitude, percent, percents, plain, seconds, shape, thousands};
use crate::page::{Element, Markup, Section, document, el, tile};
use crate::train::{Measures, StopReason};

pub(super) fn page(report: &Report) -> String {
    document(&report.run, &report.repeat.version, first_screen(report).into(), sections(report))
}

/// The parts that this run has.
fn sections(report: &Report) -> Vec<Section> {
    let judged = report.judged.as_ref();
    let classes = &report.data.classes;
    let of_judged = |make: &dyn Fn(&Judged) -> Markup| judged.map(make).unwrap_or_default();
    let all = [
        ("result", "Result", of_judged(&|judged| judgement::figures(judged))),
        ("curves", "Training", training::curves(&report.training)),
        ("confusion", "Confusion", of_judged(&|judged| confusion::confusion(judged))),
        ("classes", "Classes", of_judged(&|judged| classes::table(judged))),
        ("predictions", "Predictions", of_judged(&|judged| diagrams::points(judged))),
        ("mistakes", "Worst mistakes", of_judged(&|judged| judgement::mistakes(judged, classes))),
        ("labels", "Suspicious labels", of_judged(&|judged| judgement::suspects(judged, classes))),
        (
            "calibration",
            "Calibration",
            of_judged(&|judged| diagrams::reliability(judged, report.model.temperature)),
        ),
        ("data", "Data", data::data(&report.data)),
        ("batch", "A batch", data::batch(report)),
        ("network", "Network", layers::network(&report.model)),
        ("filters", "First filters", layers::filters(report.filters.as_ref())),
        ("repeat", "Repeat", repeat::repeat(report)),
    ];
    let there = all.into_iter().filter(|(_, _, content)| !content.is_empty());
    there.map(|(id, title, content)| Section { id, title, content }).collect()
}

/// What matters: how good, on what, by what, how long.
fn first_screen(report: &Report) -> Element {
    let tiles: Markup = [result_tile(report), data_tile(report), model_tile(report), time_tile(report)]
        .into_iter()
        .map(|tile| el("div").class("tile").with(tile))
        .collect();
    el("header")
        .with(el("p").class("kicker").with("Training report"))
        .with(el("h1").with(&report.run))
        .with(el("p").class("lead").with(sentence(report)))
        .with(el("div").class("tiles").with(tiles))
}

fn result_tile(report: &Report) -> Markup {
    let Some(judged) = &report.judged else {
        return tile("Result", "\u{2013}", "there is no test part and no validation part");
    };
    let part = if judged.is_test { "test" } else { "validation" };
    match &judged.evaluation.measures {
        Measures::Classes { accuracy, interval, .. } => {
            let about = Markup::from(format!("95 % interval {}", percents(*interval)))
                .then(judgement::whisker(*accuracy, *interval));
            tile(&format!("{part} accuracy"), percent(*accuracy), about)
        }
        Measures::Values { mse, r2 } => tile(
            &format!("{part} R\u{b2}"),
            plain(*r2),
            format!("of the variance explained; mean squared error {}", plain(*mse)),
        ),
    }
}

fn data_tile(report: &Report) -> Markup {
    let split = report.data.split;
    let all = split.train + split.val + split.test;
    let what = match report.data.shape.len() {
        3 => format!("images {}", shape(&report.data.shape)),
        _ => format!("rows of {}", counted(report.data.shape.iter().product(), "number")),
    };
    let classes = match report.data.classes.len() {
        0 => "one number to predict".into(),
        n => counted(n, "class"),
    };
    tile("data", thousands(all), format!("{what}, {classes}, of {}", report.data.name))
}

fn model_tile(report: &Report) -> Markup {
    let model = &report.model;
    let about = format!("parameters in {}", model.name);
    tile("model", magnitude(model.parameters() as f64), about)
}

fn time_tile(report: &Report) -> Markup {
    let training = &report.training;
    let mut about = counted(training.epochs.len(), "epoch");
    if training.kept_epoch > 0 {
        about += &format!(", the {} kept", ordinal(training.kept_epoch));
    }
    tile("time", seconds(training.seconds), about)
}

/// `1st`, `2nd`, `11th`.
fn ordinal(n: usize) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

fn sentence(report: &Report) -> String {
    let (split, training) = (report.data.split, &report.training);
    let examples = if report.data.shape.len() == 3 { "image" } else { "row" };
    let mut text = format!(
        "{} learned from {} of {}",
        report.model.name,
        counted(split.train, examples),
        report.data.name
    );
    if let Some(judged) = &report.judged {
        let n = counted(judged.evaluation.n, examples);
        let seen = if judged.is_test { "it had never seen" } else { "of the validation part" };
        text += &match judged.evaluation.accuracy() {
            Some(accuracy) => {
                let right = (accuracy * judged.evaluation.n as f64).round() as usize;
                format!(" and gets {} of {n} right that {seen}", thousands(right)).replace("that of", "of")
            }
            None => format!(" and was judged on {n} {}", seen.replace("it had", "that it had")),
        };
    }
    text.push('.');
    text += match training.reason {
        Some(StopReason::EarlyStop) => " Training stopped early, as the validation loss no longer fell.",
        Some(StopReason::Interrupted) => " Training was interrupted before its end.",
        _ => "",
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal).join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 112th"
        );
    }
}
