//! Precision, recall and F1 of each class.

use super::Judged;
use super::judgement::whisker;
use crate::page::numbers::{percent, percents, thousands};
use crate::page::{Element, Markup, el};
use crate::train::{ClassScore, Measures};

/// Classes in the table.
const MOST: usize = 1000;
/// From so many classes on the table has a height of its own.
const TALL: usize = 25;

pub(super) fn table(judged: &Judged) -> Markup {
    let Measures::Classes { classes, .. } = &judged.evaluation.measures else { return Markup::new() };
    let mut shown: Vec<&ClassScore> = classes.iter().collect();
    let mut note = String::from(
        "Of those predicted as a class, precision is the part that is right; of those that are of a class, recall is the \
         part that is found. F1 is their harmonic mean. Choose a column's name to sort by it.",
    );
    if shown.len() > MOST {
        shown.sort_by(|a, b| a.f1.total_cmp(&b.f1));
        shown.truncate(MOST);
        note = format!("The {MOST} classes of {} with the smallest F1. {note}", thousands(classes.len()));
    }
    let names = [
        ("class", ""),
        ("n", "num"),
        ("precision", "num"),
        ("recall", "num"),
        ("F1", "num"),
        ("ROC-AUC", "num"),
    ];
    let head: Markup = names
        .iter()
        .map(|(name, class)| {
            let button = el("button").attr("type", "button").with(*name);
            let interval = matches!(*name, "precision" | "recall")
                .then(|| el("th").attr("scope", "col").class("num").with("95 % interval"));
            let cell = el("th").attr("scope", "col").class(class).with(button);
            // Over its drawing stands nothing.
            let drawing = interval.is_some().then(|| el("td"));
            Markup::from(cell).then(interval).then(drawing)
        })
        .collect();
    let table = el("table")
        .class("slim sortable")
        .with(el("thead").with(el("tr").with(head)))
        .with(el("tbody").with(shown.into_iter().map(row).collect::<Markup>()));
    let tall = if classes.len() > TALL { "scroll tall" } else { "scroll" };
    Markup::new().then(el("p").class("note").with(note)).then(el("div").class(tall).with(table))
}

/// A number, how to sort by it, and its interval.
fn share(value: f64, interval: Option<[f64; 2]>) -> Markup {
    let shown = if interval.is_some() { percent(value) } else { "\u{2013}".into() };
    Markup::new()
        .then(el("td").class("num strong").attr("data-value", format!("{value:.6}")).with(shown))
        .then(el("td").class("num soft between").with(interval.map(percents)))
        .then(el("td").class("drawing").with(interval.map(|interval| whisker(value, interval))))
}

fn row(class: &ClassScore) -> Element {
    let area = class.roc_auc.map_or("\u{2013}".into(), |area| format!("{area:.3}"));
    el("tr")
        .with(el("th").attr("scope", "row").with(&class.name))
        .with(el("td").class("num").attr("data-value", class.n).with(thousands(class.n)))
        .with(share(class.precision, class.precision_interval))
        .with(share(class.recall, class.recall_interval))
        .with(
            el("td")
                .class("num strong")
                .attr("data-value", format!("{:.6}", class.f1))
                .with(percent(class.f1)),
        )
        .with(
            el("td")
                .class("num")
                .attr("data-value", format!("{:.6}", class.roc_auc.unwrap_or(0.0)))
                .with(area),
        )
}
