//! How good the model is: measures with their intervals, wrong answers, suspicious labels.

use super::{Answer, ClassRow, Judged};
use crate::page::numbers::{counted, percent, plain, thousands};
use crate::page::{Element, Markup, el};
use crate::train::Figure;

impl Answer {
    /// What the example is called.
    pub(super) fn named(&self) -> String {
        self.file.clone().unwrap_or_else(|| format!("example {}", self.example))
    }
}

/// Text of at most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('\u{2026}');
    short
}

/// A share between 0 and 1, and the interval in which it lies, as a small drawing.
pub(super) fn whisker(share: f64, [low, high]: [f64; 2]) -> Element {
    const WIDTH: f64 = 120.0;
    let at = |x: f64| 4.0 + x.clamp(0.0, 1.0) * (WIDTH - 8.0);
    el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} 12"))
        .class("whisker")
        .attr("aria-hidden", "true")
        .with(el("line").class("grid").at([("x1", at(0.0)), ("x2", at(1.0)), ("y1", 6.0), ("y2", 6.0)]))
        .with(el("line").class("range").at([("x1", at(low)), ("x2", at(high)), ("y1", 6.0), ("y2", 6.0)]))
        .with(el("circle").class("point").at([("cx", at(share)), ("cy", 6.0), ("r", 3.2)]))
}

pub(super) fn figures(judged: &Judged) -> Markup {
    let evaluation = &judged.evaluation;
    let told = match judged.is_test {
        true => format!(
            "On {} of the test part, never used for training or choosing.",
            counted(evaluation.n, "example")
        ),
        false => format!(
            "On {} of the validation part, by which the epoch was chosen: the figures flatter the model. There is no \
             test part.",
            counted(evaluation.n, "example")
        ),
    };
    let figures = evaluation.figures();
    let row = |figure: &Figure| {
        let drawing = match (figure.value, figure.interval) {
            (Some(value), Some(interval)) if figure.is_share && figure.more_is_better => {
                Some(whisker(value, interval))
            }
            _ => None,
        };
        el("tr")
            .with(el("th").attr("scope", "row").with(figure.title))
            .with(el("td").class("num strong").with(figure.shown()))
            .with(el("td").class("num soft").with(figure.shown_interval()))
            .with(el("td").with(drawing))
    };
    let there: Vec<&Figure> = figures.iter().filter(|figure| figure.value.is_some()).collect();
    // Shares of the examples, which are what most people look for; and the others.
    let (shares, others): (Vec<&Figure>, Vec<&Figure>) =
        there.into_iter().partition(|figure| figure.is_share && figure.more_is_better);
    let table = |figures: Vec<&Figure>| {
        let head: Markup = [("measure", ""), ("value", "num"), ("95 % interval", "num")]
            .iter()
            .map(|(name, class)| el("th").attr("scope", "col").class(class).with(*name))
            .collect();
        let rows: Markup = figures.into_iter().map(row).collect();
        let head = el("thead").with(el("tr").with(head).with(el("td")));
        let table = el("table").class("slim").with(head).with(el("tbody").with(rows));
        el("div").class("scroll").with(table)
    };
    let tables: Markup =
        [shares, others].into_iter().filter(|figures| !figures.is_empty()).map(table).collect();
    Markup::new().then(el("p").class("note").with(told)).then(el("div").class("halves").with(tables))
}

pub(super) fn mistakes(judged: &Judged, classes: &[ClassRow]) -> Markup {
    if judged.mistakes.is_empty() {
        return Markup::new();
    }
    let heat = judged.mistakes.iter().any(|answer| answer.heat.is_some());
    let (shown, all) = (judged.mistakes.len(), judged.mistake_count);
    let mut text = match (shown, all) {
        (1, 1) => "The only wrong answer.".to_string(),
        _ if shown == all => {
            format!("All {} wrong answers, those of the largest loss first.", thousands(all))
        }
        _ => format!(
            "{} of {} wrong answers, those of the largest loss first.",
            thousands(shown),
            thousands(all)
        ),
    };
    if heat {
        text += " Beside each image is what in it speaks for the predicted class.";
    }
    let name = |k: usize| classes.get(k).map_or("", |class| &class.name);
    let told = |answer: &Answer| {
        Markup::new()
            .then(el("b").with(name(answer.predicted)))
            .then(format!(" {}", percent(answer.probability)))
            .then(el("br"))
            .then(el("span").class("soft").with("is "))
            .then(name(answer.label))
            .then(el("span").class("soft").with(format!(" {}", percent(answer.label_probability))))
            .then(el("br"))
            .then(el("span").class("soft").with(format!("loss {}", plain(answer.loss))))
    };
    Markup::new().then(el("p").class("note").with(text)).then(cards(&judged.mistakes, &told))
}

/// Where more than one of so many labels is suspicious, it is rather the model that is wrong.
const MANY: usize = 10;

pub(super) fn suspects(judged: &Judged, classes: &[ClassRow]) -> Markup {
    if judged.suspects.is_empty() {
        return Markup::new();
    }
    let mut text = format!(
        "{} of {} whose label the model confidently disagrees with, which it has not learned from: look at them, \
         for the label may be wrong.",
        thousands(judged.suspects.len()),
        counted(judged.suspect_count, "example")
    );
    if judged.suspect_count * MANY > judged.evaluation.n {
        text += " So many are a sign of a weak model rather than of wrong labels.";
    }
    let name = |k: usize| classes.get(k).map_or("", |class| &class.name);
    let told = |answer: &Answer| {
        Markup::new()
            .then(el("span").class("soft").with("labelled "))
            .then(el("b").with(name(answer.label)))
            .then(el("br"))
            .then(el("span").class("soft").with("rather "))
            .then(name(answer.predicted))
            .then(format!(" {}", percent(answer.probability)))
    };
    Markup::new().then(el("p").class("note").with(text)).then(cards(&judged.suspects, &told))
}

/// Images with something told under each; where there are no images, a list.
fn cards(answers: &[Answer], told: &dyn Fn(&Answer) -> Markup) -> Element {
    let card = |answer: &Answer| {
        let name = answer.named();
        let images: Markup = [&answer.picture, &answer.heat]
            .into_iter()
            .flatten()
            .map(|picture| picture.show(&name).attr("title", &name))
            .collect();
        let images = (!images.is_empty()).then(|| el("div").class("images").with(images));
        let caption =
            el("figcaption").with(told(answer)).with(el("small").attr("title", &name).with(ending(&name)));
        el("figure").with(images).with(caption)
    };
    let heat = answers.iter().any(|answer| answer.heat.is_some());
    el("div")
        .class(if heat { "cards pairs" } else { "cards" })
        .with(answers.iter().map(card).collect::<Markup>())
}

/// The end of a long name, which says more than its beginning.
fn ending(name: &str) -> String {
    const MOST: usize = 18;
    let count = name.chars().count();
    if count <= MOST {
        return name.into();
    }
    format!("\u{2026}{}", name.chars().skip(count + 1 - MOST).collect::<String>())
}
