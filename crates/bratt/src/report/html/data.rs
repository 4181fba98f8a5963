//! The data: parts, classes, what an audit found, and a batch as the network sees it.

use super::{ClassRow, DataPart, Report};
use crate::model::Sizes;
use crate::page::numbers::{counted, plain, shape, thousands};
use crate::page::{Element, Markup, el};

/// Classes that are shown one by one.
const MOST: usize = 40;
/// Of more classes, so many of the largest and of the smallest.
const ENDS: usize = 10;

const PARTS: [&str; 3] = ["training", "validation", "test"];

pub(super) fn data(data: &DataPart) -> Markup {
    let mut all = Markup::new();
    all.push(el("p").with(&data.description));
    all.push(split(data.split));
    if !data.classes.is_empty() {
        all.push(classes(&data.classes));
    }
    if let Some(target) = &data.target {
        let text = format!(
            "{} in the training part: {} to {}, mean {}.",
            target.name,
            plain(target.least),
            plain(target.most),
            plain(target.mean)
        );
        all.push(el("p").with(text));
    }
    let findings: Markup = match data.findings.is_empty() {
        true => el("p")
            .class("good")
            .with("The audit found no unreadable files, equal examples or large imbalance.")
            .into(),
        false => {
            el("ul").with(data.findings.iter().map(|text| el("li").with(text)).collect::<Markup>()).into()
        }
    };
    all.push(el("h3").with("Audit"));
    all.push(findings);
    let mut facts =
        vec![("shape of an example", shape(&data.shape)), ("fingerprint", data.fingerprint.clone())];
    if !data.preprocess.is_empty() {
        facts.insert(1, ("preprocessing", data.preprocess.clone()));
        facts.insert(2, ("augmentation", data.augment.clone()));
    }
    all.push(pairs(facts));
    all
}

/// Names and what belongs to them.
pub(super) fn pairs(facts: Vec<(&str, String)>) -> Element {
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    let pair = |(name, text): (&str, String)| el("div").with(el("dt").with(name)).with(el("dd").with(text));
    el("dl").with(facts.map(pair).collect::<Markup>())
}

/// One bar of three pieces.
fn split(sizes: Sizes) -> Element {
    let counts = [sizes.train, sizes.val, sizes.test];
    let all = counts.iter().sum::<usize>().max(1) as f64;
    let named = PARTS.iter().zip(counts).filter(|(_, count)| *count > 0);
    let pieces: Markup = named
        .clone()
        .map(|(name, count)| {
            let width = format!("width:{:.2}%", 100.0 * count as f64 / all);
            el("span").class(format!("bar {name}")).attr("style", width)
        })
        .collect();
    let legend: Markup = named
        .map(|(name, count)| {
            let share = format!("{:.0} %", 100.0 * count as f64 / all);
            el("span")
                .with(el("i").class(format!("swatch {name}")))
                .with(format!("{name} {} ", thousands(count)))
                .with(el("small").with(share))
        })
        .collect();
    el("figure")
        .class("split")
        .with(el("div").class("bars").attr("aria-hidden", "true").with(pieces))
        .with(el("figcaption").class("legend").with(legend))
}

fn classes(rows: &[ClassRow]) -> Markup {
    let all = |row: &ClassRow| row.counts.train + row.counts.val + row.counts.test;
    let most = rows.iter().map(all).max().unwrap_or(0).max(1) as f64;
    let mut shown: Vec<&ClassRow> = rows.iter().collect();
    let mut note = None;
    if rows.len() > MOST {
        shown.sort_by_key(|row| std::cmp::Reverse(all(row)));
        let last = shown.split_off(rows.len() - ENDS);
        shown.truncate(ENDS);
        shown.extend(last);
        note =
            Some(format!("The {ENDS} largest and the {ENDS} smallest of {}.", counted(rows.len(), "class")));
    }
    let line = |row: &&ClassRow| {
        let counts = [row.counts.train, row.counts.val, row.counts.test];
        let pieces: Markup = PARTS
            .iter()
            .zip(counts)
            .map(|(name, count)| {
                el("span")
                    .class(format!("bar {name}"))
                    .attr("style", format!("width:{:.2}%", 100.0 * count as f64 / most))
            })
            .collect();
        let numbers: Markup = counts.iter().map(|&n| el("td").class("num").with(thousands(n))).collect();
        el("tr").with(el("th").attr("scope", "row").with(&row.name)).with(numbers).with(
            el("td").class("wide").with(el("div").class("bars").attr("aria-hidden", "true").with(pieces)),
        )
    };
    let head: Markup =
        PARTS.iter().map(|name| el("th").attr("scope", "col").class("num").with(*name)).collect();
    let head = el("tr").with(el("th").attr("scope", "col").with("class")).with(head).with(el("td"));
    let table = el("table")
        .class("slim counts")
        .with(el("thead").with(head))
        .with(el("tbody").with(shown.iter().map(line).collect::<Markup>()));
    Markup::new()
        .then(el("div").class("scroll").with(table))
        .then(note.map(|note| el("p").class("note").with(note)))
}

pub(super) fn batch(report: &Report) -> Markup {
    let Some(batch) = &report.batch else { return Markup::new() };
    let text = match batch.changed {
        true => format!(
            "The first training examples of the first epoch, as they were changed at random ({}). Standardisation comes \
             after.",
            report.data.augment
        ),
        false => {
            "The first training examples of the first epoch. They are not changed at random; standardisation \
                  comes after."
                .to_string()
        }
    };
    let pictures = batch
        .pictures
        .iter()
        .map(|(picture, label)| el("figure").with(picture.show(label)).with(el("figcaption").with(label)));
    Markup::new()
        .then(el("p").class("note").with(text))
        .then(el("div").class("pictures").with(pictures.collect::<Markup>()))
}
