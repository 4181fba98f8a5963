//! The confusion matrix, and behind each cell its images.
//!
//! Each cell of the drawing is a link to the panel with its images, which style alone shows when it is the target of the
//! page; the script only spares the jump and moves between cells with the arrow keys. Colours are shares of the true
//! class's examples.

use super::judgement::cut;
use super::{Answer, Cell, Judged};
use crate::page::numbers::{counted, percent, thousands};
use crate::page::{Element, Markup, el};
use crate::train::{ClassScore, Evaluation, Measures};
use std::cmp::Reverse;

/// Classes in the drawing.
const MOST: usize = 30;
/// Pairs of classes that are named.
const PAIRS: usize = 8;
/// Characters of a class name in the drawing.
const NAME: usize = 14;

/// The classes of the matrix: all, or those that take part in the most mistakes, in their own order.
pub(super) fn shown_classes(evaluation: &Evaluation) -> Vec<usize> {
    let Measures::Classes { confusion, .. } = &evaluation.measures else { return Vec::new() };
    let count = confusion.len();
    if count <= MOST {
        return (0..count).collect();
    }
    let mut mistakes = vec![0; count];
    for (label, row) in confusion.iter().enumerate() {
        for (predicted, &n) in row.iter().enumerate().filter(|&(predicted, _)| predicted != label) {
            mistakes[label] += n;
            mistakes[predicted] += n;
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&k| Reverse(mistakes[k]));
    order.truncate(MOST);
    order.sort_unstable();
    order
}

pub(super) fn confusion(judged: &Judged) -> Markup {
    let Measures::Classes { classes, confusion, .. } = &judged.evaluation.measures else {
        return Markup::new();
    };
    let shown = shown_classes(&judged.evaluation);
    let mut note =
        String::from("Rows are true classes, columns predicted ones; colour is the share of the row.");
    if shown.len() < classes.len() {
        note = format!(
            "The {} of {} classes that take part in the most mistakes. {note}",
            shown.len(),
            classes.len()
        );
    }
    if !judged.cells.is_empty() {
        note += " Choose a cell to see its images.";
    }
    let matrix = Matrix { classes, confusion, shown: &shown, has_images: !judged.cells.is_empty() };
    let panels: Markup = judged.cells.iter().map(|cell| matrix.panel(cell)).collect();
    let empty = (!panels.is_empty()).then(|| {
        el("p").class("note hint").with("No cell is chosen: click one, or use the arrow keys and Enter.")
    });
    let panels = el("div").attr("id", "cells").attr("aria-live", "polite").with(empty).with(panels);
    let side = el("div").class("beside").with(panels).with(pairs(classes, confusion));
    Markup::new()
        .then(el("p").class("note").with(note))
        .then(el("div").class("two").with(el("div").class("scroll matrix").with(matrix.draw())).with(side))
}

/// The classes that are taken for each other most often.
fn pairs(classes: &[ClassScore], confusion: &[Vec<usize>]) -> Markup {
    let cells = confusion.iter().enumerate().flat_map(|(label, row)| {
        row.iter().enumerate().filter(move |&(k, &n)| k != label && n > 0).map(move |(k, &n)| (n, label, k))
    });
    let mut cells: Vec<(usize, usize, usize)> = cells.collect();
    cells.sort_by_key(|&(n, label, predicted)| (Reverse(n), label, predicted));
    if cells.is_empty() {
        return el("p").class("good").with("No example was taken for another class.").into();
    }
    let row = |&(n, label, predicted): &(usize, usize, usize)| {
        el("tr")
            .with(el("th").attr("scope", "row").with(&classes[label].name))
            .with(el("td").with(el("span").class("soft").with("taken for ")).with(&classes[predicted].name))
            .with(el("td").class("num").with(thousands(n)))
            .with(el("td").class("num soft").with(percent(n as f64 / classes[label].n.max(1) as f64)))
    };
    Markup::new().then(el("h3").with("Most often confused")).then(
        el("table")
            .class("slim fit")
            .with(el("tbody").with(cells.iter().take(PAIRS).map(row).collect::<Markup>())),
    )
}

struct Matrix<'a> {
    classes: &'a [ClassScore],
    confusion: &'a [Vec<usize>],
    shown: &'a [usize],
    has_images: bool,
}

impl Matrix<'_> {
    fn draw(&self) -> Element {
        let count = self.shown.len();
        let side = match count {
            0..=12 => 40.0,
            13..=20 => 30.0,
            _ => 23.0,
        };
        let names: Vec<String> = self.shown.iter().map(|&k| cut(&self.classes[k].name, NAME)).collect();
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1) as f64;
        let left = 32.0 + 7.2 * longest;
        let slanted = 7.6 * longest > side;
        let top = if slanted { 30.0 + 5.6 * longest } else { 40.0 };
        let right = if slanted { (5.4 * longest - side / 2.0).max(4.0) } else { 4.0 };
        let (width, height) = (left + side * count as f64 + right, top + side * count as f64 + 4.0);
        let middle = side * count as f64 / 2.0;
        let mut all = Markup::new();
        all.push(el("text").class("mid soft").at([("x", left + middle), ("y", 12.0)]).with("predicted"));
        let turned = format!("rotate(-90 11 {:.1})", top + middle);
        let text =
            el("text").class("mid soft").at([("x", 11.0), ("y", top + middle)]).attr("transform", turned);
        all.push(text.with("true"));
        for (at, name) in names.iter().enumerate() {
            let (x, y) = (left + side * (at as f64 + 0.5), top + side * (at as f64 + 0.5));
            let full = || el("title").with(&self.classes[self.shown[at]].name);
            all.push(el("text").class("end").at([("x", left - 7.0), ("y", y + 4.0)]).with(full()).with(name));
            let column = if slanted {
                let place = format!("translate({:.1} {:.1}) rotate(-45)", x + 3.0, top - 6.0);
                el("text").attr("transform", place)
            } else {
                el("text").class("mid").at([("x", x), ("y", top - 8.0)])
            };
            all.push(column.with(full()).with(name));
        }
        let mut first = true;
        for (row, &label) in self.shown.iter().enumerate() {
            for (column, &predicted) in self.shown.iter().enumerate() {
                let place = [left + side * column as f64, top + side * row as f64];
                let has = self.confusion[label][predicted] > 0;
                all.push(self.cell(label, predicted, place, side, first && has && self.has_images));
                first &= !(has && self.has_images);
            }
        }
        el("svg")
            .attr("viewBox", format!("0 0 {width:.0} {height:.0}"))
            .attr(
                "style",
                format!("width:{width:.0}px;min-width:{:.0}px", width.min(90.0 + 26.0 * count as f64)),
            )
            .attr("role", "group")
            .attr("aria-label", format!("Confusion matrix of {}", counted(count, "class")))
            .attr("data-side", count)
            .with(all)
    }

    fn cell(&self, label: usize, predicted: usize, [x, y]: [f64; 2], side: f64, first: bool) -> Element {
        let n = self.confusion[label][predicted];
        let place =
            [("x", x + 1.0), ("y", y + 1.0), ("width", side - 2.0), ("height", side - 2.0), ("rx", 2.0)];
        if n == 0 {
            return el("rect").class("cell none").at(place);
        }
        let share = n as f64 / self.classes[label].n.max(1) as f64;
        // Few mistakes should be seen, too: the root lifts small shares.
        let strength = 0.1 + 0.9 * share.sqrt();
        let kind = if label == predicted { "right" } else { "wrong" };
        let strong = if strength > 0.62 { " strong" } else { "" };
        let words = self.words(label, predicted);
        let rect =
            el("rect").class(format!("cell {kind}")).at(place).attr("fill-opacity", format!("{strength:.2}"));
        let text =
            el("text").class(format!("mid{strong}")).at([("x", x + side / 2.0), ("y", y + side / 2.0 + 4.0)]);
        let small = side < 28.0;
        let text = if small && n > 999 || n > 99_999 { None } else { Some(text.with(n.to_string())) };
        if !self.has_images {
            return el("g").with(el("title").with(words)).with(rect).with(text);
        }
        el("a")
            .attr("href", format!("#cell-{label}-{predicted}"))
            .attr("aria-label", &words)
            .attr("tabindex", if first { "0" } else { "-1" })
            .with(el("title").with(&words))
            .with(rect)
            .with(text)
    }

    fn words(&self, label: usize, predicted: usize) -> String {
        let (n, name) = (self.confusion[label][predicted], &self.classes[label].name);
        let all = thousands(self.classes[label].n);
        if label == predicted {
            format!("{} of {all} {name}: right", thousands(n))
        } else {
            format!("{} of {all} {name}: taken for {}", thousands(n), self.classes[predicted].name)
        }
    }

    fn panel(&self, cell: &Cell) -> Element {
        let n = self.confusion[cell.label][cell.predicted];
        let mut note = match (cell.label == cell.predicted, cell.answers.len() < n) {
            (true, true) => format!("The {} with the largest loss, of {}", cell.answers.len(), thousands(n)),
            (false, true) => format!("{} of {}, the worst first", cell.answers.len(), thousands(n)),
            (true, false) => "The least sure first".into(),
            (false, false) => "The worst first".into(),
        };
        note += "; below each the probability of the predicted class.";
        let image = |answer: &Answer| {
            let told = answer.named();
            let picture = answer.picture.as_ref().map(|picture| picture.show(&told).attr("title", &told));
            el("figure").with(picture).with(el("figcaption").with(percent(answer.probability)))
        };
        el("div")
            .class("cell-images")
            .attr("id", format!("cell-{}-{}", cell.label, cell.predicted))
            .with(el("h3").with(self.words(cell.label, cell.predicted)))
            .with(el("p").class("note").with(note))
            .with(el("div").class("pictures small").with(cell.answers.iter().map(image).collect::<Markup>()))
    }
}
