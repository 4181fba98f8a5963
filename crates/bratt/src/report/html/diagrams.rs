//! Square diagrams: is a classifier right as often as it says; and a regression's predicted over true numbers.

use super::Judged;
use crate::metrics::Bin;
use crate::page::numbers::{percent, plain, thousands, tick, ticks};
use crate::page::{Element, Markup, el};

const LEFT: f64 = 44.0;
const TOP: f64 = 8.0;
const SIDE: f64 = 300.0;
const WIDTH: f64 = LEFT + SIDE + 12.0;
/// Height of the histogram under the reliability diagram.
const HISTOGRAM: f64 = 52.0;

pub(super) fn reliability(judged: &Judged, temperature: Option<f64>) -> Markup {
    let Some(detail) = judged.evaluation.detail() else { return Markup::new() };
    let mut text = format!(
        "Where the model says 80 %, it should be right 80 times of 100: then the bars end on the diagonal. On average they \
         miss it by {} (expected calibration error).",
        percent(detail.ece)
    );
    text += &match temperature {
        Some(t) => format!(
            " Probabilities are those of the logits divided by {t:.3}, fitted on the validation part."
        ),
        None => " Probabilities are as trained.".into(),
    };
    let (column, row) = (|x: f64| LEFT + SIDE * x, |y: f64| TOP + SIDE * (1.0 - y));
    let mut all = frame(&|x| tick(100.0 * x, 20.0), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0], &column, &row);
    let most = detail.reliability.iter().map(|bin| bin.n).max().unwrap_or(0).max(1) as f64;
    let base = TOP + SIDE + 30.0 + HISTOGRAM;
    for bin in &detail.reliability {
        all.push(bar(bin, &column, &row, most, base));
    }
    all.push(el("line").class("diagonal").at([
        ("x1", LEFT),
        ("x2", LEFT + SIDE),
        ("y1", TOP + SIDE),
        ("y2", TOP),
    ]));
    all.push(el("line").class("grid").at([("x1", LEFT), ("x2", LEFT + SIDE), ("y1", base), ("y2", base)]));
    all.push(
        el("text").class("mid soft").at([("x", LEFT + SIDE / 2.0), ("y", base + 16.0)]).with("confidence, %"),
    );
    all.push(turned("right, %", TOP + SIDE / 2.0));
    all.push(turned("examples", base - HISTOGRAM / 2.0));
    let drawing = el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {:.0}", base + 20.0))
        .class("square")
        .attr("role", "img")
        .attr("aria-label", "Reliability diagram; the table beside it has the numbers")
        .with(all);
    let line = |bin: &Bin| {
        let number = |x: Option<f64>| el("td").class("num").with(x.map_or("\u{2013}".into(), percent));
        let range = format!("{:.0} to {:.0} %", 100.0 * bin.low, 100.0 * bin.high);
        el("tr")
            .with(el("th").attr("scope", "row").class("num").with(range))
            .with(el("td").class("num").with(thousands(bin.n)))
            .with(number(bin.confidence))
            .with(number(bin.accuracy))
    };
    let head: Markup = ["confidence", "n", "mean", "right"]
        .iter()
        .map(|name| el("th").attr("scope", "col").class("num").with(*name))
        .collect();
    let there = detail.reliability.iter().filter(|bin| bin.n > 0);
    let table = el("table")
        .class("slim fit")
        .with(el("thead").with(el("tr").with(head)))
        .with(el("tbody").with(there.map(line).collect::<Markup>()));
    Markup::new().then(el("p").class("note").with(text)).then(
        el("div").class("two").with(el("figure").with(drawing)).with(el("div").class("beside").with(table)),
    )
}

fn turned(text: &str, y: f64) -> Element {
    let turn = format!("rotate(-90 10 {y:.1})");
    el("text").class("mid soft").at([("x", 10.0), ("y", y)]).attr("transform", turn).with(text)
}

fn bar(bin: &Bin, column: &dyn Fn(f64) -> f64, row: &dyn Fn(f64) -> f64, most: f64, base: f64) -> Markup {
    let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) else { return Markup::new() };
    let (x, width) = (column(bin.low) + 1.0, column(bin.high) - column(bin.low) - 2.0);
    let words = format!(
        "{:.0} to {:.0} %: {} examples, mean confidence {}, right {}",
        100.0 * bin.low,
        100.0 * bin.high,
        thousands(bin.n),
        percent(confidence),
        percent(accuracy)
    );
    let rect = |class: &str, top: f64, bottom: f64| {
        el("rect").class(class).at([
            ("x", x),
            ("y", top),
            ("width", width),
            ("height", (bottom - top).max(0.5)),
        ])
    };
    let (high, low) = (confidence.max(accuracy), confidence.min(accuracy));
    let gap = if accuracy < confidence { "gap over" } else { "gap under" };
    let tall = (bin.n as f64 / most * HISTOGRAM).max(1.0);
    el("g")
        .with(el("title").with(words))
        .with(rect("reliable", row(accuracy), row(0.0)))
        .with(rect(gap, row(high), row(low)))
        .with(rect("histogram", base - tall, base))
        .into()
}

/// Grid and numbers of a square.
fn frame(
    show: &dyn Fn(f64) -> String,
    at: &[f64],
    column: &dyn Fn(f64) -> f64,
    row: &dyn Fn(f64) -> f64,
) -> Markup {
    let mut all = Markup::new();
    for &x in at {
        let (c, r) = (column(x), row(x));
        all.push(el("line").class("grid").at([("x1", LEFT), ("x2", LEFT + SIDE), ("y1", r), ("y2", r)]));
        all.push(el("line").class("grid").at([("x1", c), ("x2", c), ("y1", TOP), ("y2", TOP + SIDE)]));
        all.push(el("text").class("end").at([("x", LEFT - 6.0), ("y", r + 4.0)]).with(show(x)));
        all.push(el("text").class("mid").at([("x", c), ("y", TOP + SIDE + 16.0)]).with(show(x)));
    }
    all
}

pub(super) fn points(judged: &Judged) -> Markup {
    if judged.points.is_empty() {
        return Markup::new();
    }
    let all = || judged.points.iter().flatten().copied().filter(|x| x.is_finite());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let room = 0.04 * (high - low).max(1e-9);
    let (low, high) = (low - room, high + room);
    let share = |x: f64| (x - low) / (high - low);
    let (column, row) = (|x: f64| LEFT + SIDE * share(x), |y: f64| TOP + SIDE * (1.0 - share(y)));
    let (at, step) = ticks(low, high, 5);
    let mut drawn = frame(&|x| tick(x, step), &at, &column, &row);
    drawn.push(el("line").class("diagonal").at([
        ("x1", LEFT),
        ("x2", LEFT + SIDE),
        ("y1", TOP + SIDE),
        ("y2", TOP),
    ]));
    for &[target, predicted] in judged.points.iter().filter(|pair| pair.iter().all(|x| x.is_finite())) {
        let words = format!("true {}, predicted {}", plain(target), plain(predicted));
        let dot = el("circle").class("dot").at([("cx", column(target)), ("cy", row(predicted)), ("r", 2.6)]);
        drawn.push(dot.with(el("title").with(words)));
    }
    drawn.push(
        el("text").class("mid soft").at([("x", LEFT + SIDE / 2.0), ("y", TOP + SIDE + 34.0)]).with("true"),
    );
    drawn.push(turned("predicted", TOP + SIDE / 2.0));
    let drawing = el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {:.0}", TOP + SIDE + 40.0))
        .class("square")
        .attr("role", "img")
        .attr("aria-label", format!("Predicted over true numbers of {} examples", judged.points.len()))
        .with(drawn);
    let text = match judged.points.len() < judged.evaluation.n {
        true => format!("{} of {} examples.", thousands(judged.points.len()), thousands(judged.evaluation.n)),
        false => format!("All {} examples.", thousands(judged.points.len())),
    };
    let text = format!("{text} On the diagonal the prediction is exact.");
    Markup::new().then(el("p").class("note").with(text)).then(el("figure").with(drawing))
}
