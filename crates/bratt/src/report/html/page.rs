//! The frame: what is told to the browser, the first screen, the contents.

use super::images::base64;
use super::markup::{Element, Markup, el};
use super::numbers::{counted, magnitude, percent, percents, plain, seconds, shape, thousands};
use super::{Judged, Report, classes, confusion, data, diagrams, judgement, layers, repeat, training};
use crate::train::{Measures, StopReason};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub(super) fn page(report: &Report) -> String {
    document(&report.run, &report.repeat.version, first_screen(report).into(), sections(report))
}

/// A whole document: contents beside it, the first screen, parts, and what stands below.
pub(super) fn document(title: &str, version: &str, first: Markup, sections: Vec<Section>) -> String {
    let title = format!("{title} \u{b7} bratt");
    // Nothing is fetched, whatever stands in the page; and no script runs but this one.
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'",
        base64(&Sha256::digest(SCRIPT))
    );
    let head = el("head")
        .with(el("meta").attr("charset", "utf-8"))
        .with(el("meta").attr("http-equiv", "Content-Security-Policy").attr("content", policy))
        .with(el("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1"))
        .with(el("meta").attr("name", "color-scheme").attr("content", "light dark"))
        .with(el("meta").attr("name", "generator").attr("content", format!("bratt {version}")))
        .with(el("link").attr("rel", "icon").attr("href", "data:,"))
        .with(el("title").with(title))
        .with(el("style").with(Markup::trusted(STYLE)));
    let links: Markup = sections
        .iter()
        .map(|section| el("li").with(el("a").attr("href", format!("#{}", section.id)).with(section.title)))
        .collect();
    let theme =
        el("button").attr("type", "button").attr("id", "theme").attr("hidden", "").with("Theme: auto");
    let nav = el("nav").attr("aria-label", "Contents").with(el("ul").with(links)).with(theme);
    let content: Markup = sections.into_iter().map(Section::markup).collect();
    let main = el("main").attr("id", "top").with(first).with(content).with(foot(version));
    let skip = el("a").class("skip").attr("href", "#top").with("Skip to the report");
    let body = el("body").with(skip).with(nav).with(main).with(el("script").with(Markup::trusted(SCRIPT)));
    let html: Markup = el("html").attr("lang", "en").with(head).with(body).into();
    format!("<!doctype html>\n{}\n", html.into_string())
}

/// A part of the page.
pub(super) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    pub content: Markup,
}

impl Section {
    fn markup(self) -> Element {
        el("section")
            .attr("id", self.id)
            .attr("aria-labelledby", format!("{}-title", self.id))
            .with(el("h2").attr("id", format!("{}-title", self.id)).with(self.title))
            .with(self.content)
    }
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

pub(super) fn tile(name: &str, figure: impl Into<Markup>, about: impl Into<Markup>) -> Markup {
    Markup::new()
        .then(el("h3").with(name))
        .then(el("p").class("figure").with(figure))
        .then(el("p").class("about").with(about))
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

fn foot(version: &str) -> Element {
    el("footer").with(format!("Written by bratt {version}. This page is one file and loads nothing."))
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
