//! The page: panels with a slider and a play button, and the numbers as tables.

use super::drawing::{caption, drawn_steps, panel};
use super::{Run, Surface, Variant};
use crate::page::numbers::{percent, plain};
use crate::page::{Element, Markup, Section, document, el};

pub(super) fn page(surface: &Surface, version: &str, command: &str) -> String {
    let told = surface.conclusion();
    let mut first =
        el("header").with(el("p").class("kicker").with("Error surface")).with(el("h1").with(&surface.title));
    for sentence in told.iter().skip(if told.len() > 1 { told.len() - 1 } else { 0 }) {
        first = first.with(el("p").class("lead").with(capital(sentence)));
    }
    let steps = drawn_steps(surface.steps);
    let numbers: Vec<String> = steps.iter().map(usize::to_string).collect();
    let slider = el("input")
        .attr("type", "range")
        .attr("min", "0")
        .attr("max", steps.len() - 1)
        .attr("value", steps.len() - 1)
        .attr("aria-label", "Step")
        .attr("data-steps", numbers.join(" "));
    let player = el("div")
        .class("player")
        .attr("hidden", "")
        .with(el("button").attr("type", "button").attr("id", "play").with("Play"))
        .with(slider)
        .with(el("output"));
    let figures: Markup = surface.variants.iter().map(|variant| figure(variant, surface)).collect();
    let class = if surface.variants.len() == 1 { "surfaces one" } else { "surfaces" };
    let paths = Markup::from(player).then(el("div").class(class).with(figures)).then(
        el("p").class("note").with(
            "Lines are levels of the cost; the ring is the start, the cross the minimum. Beside each name stands the cost at \
             the step shown; choosing a name hides its path.",
        ),
    );
    let mut tables = Markup::new();
    for (variant, sentence) in surface.variants.iter().zip(&told) {
        tables.push(el("h3").with(variant.ground.problem.name()));
        tables.push(el("p").class("note").with(facts(variant)));
        tables.push(table(variant));
        if told.len() > 1 {
            tables.push(el("p").with(capital(sentence)));
        }
    }
    for note in &surface.notes {
        tables.push(el("p").class("note").with(capital(note)));
    }
    let repeat = el("div")
        .class("command")
        .with(el("pre").with(el("code").with(command)))
        .with(el("button").attr("type", "button").class("copy").attr("hidden", "").with("Copy"));
    let sections =
        [("paths", "Paths", paths), ("table", "Table", tables), ("repeat", "Repeat", repeat.into())];
    let sections = sections.map(|(id, title, content)| Section { id, title, content });
    document(&surface.title, version, first.into(), sections.into())
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn figure(variant: &Variant, surface: &Surface) -> Element {
    let chip = |run: &Run| {
        let name = run.method.optimizer.name();
        let line = el("i").class(format!("line way {name}"));
        el("button")
            .attr("type", "button")
            .class("chip")
            .attr("data-way", name)
            .attr("aria-pressed", "true")
            .attr("disabled", "")
            .with(el("span").with(line).with(name))
            .with(el("b").with(plain(run.last_cost())))
    };
    let chips: Markup = variant.runs.iter().map(chip).collect();
    let name = (surface.variants.len() > 1).then(|| el("b").with(variant.ground.problem.name()));
    el("figure")
        .with(el("figcaption").with(name).with(el("span").class("soft").with(caption(variant))))
        .with(panel(variant, surface.steps))
        .with(el("div").class("chips").with(chips))
}

/// A number without zeros at its end.
fn tidy(x: f64) -> String {
    match plain(x) {
        text if text.contains('.') && !text.contains('e') => {
            text.trim_end_matches('0').trim_end_matches('.').into()
        }
        text => text,
    }
}

/// Start, curvature, minimum.
fn facts(variant: &Variant) -> String {
    let ground = &variant.ground;
    let pair = |[x, y]: [f64; 2]| format!("({}, {})", tidy(x), tidy(y));
    let mut text = format!(
        "Start {} with cost {}; curvatures there \u{3bb}1 = {} and \u{3bb}2 = {}. ",
        pair(ground.start),
        tidy(ground.cost),
        tidy(ground.curvature[0]),
        tidy(ground.curvature[1])
    );
    text += &match (ground.minimum, ground.least) {
        (Some(at), Some(least)) => format!("Minimum {} with cost {}.", pair(at), tidy(least)),
        _ => "No minimum was found.".into(),
    };
    text
}

fn table(variant: &Variant) -> Element {
    let head = ["optimizer", "rate", "cost at the end", "to 1 %", "turns", "distance left"];
    let head: Markup = head
        .into_iter()
        .enumerate()
        .map(|(at, name)| el("th").attr("scope", "col").class(if at == 0 { "" } else { "num" }).with(name))
        .collect();
    let row = |run: &Run| {
        let number = |text: String| el("td").class("num").with(text);
        let name = run.method.optimizer.name();
        let schedule = match run.method.schedule {
            crate::schedule::Schedule::Constant { .. } => tidy(run.rate),
            ref schedule => schedule.to_string(),
        };
        let steps = match (variant.steps_to_1_percent(run), run.path.diverged) {
            (Some(steps), _) => steps.to_string(),
            (None, Some(step)) => format!("diverges at {step}"),
            (None, None) => "\u{2013}".into(),
        };
        el("tr")
            .with(
                el("th")
                    .attr("scope", "row")
                    .with(el("i").class(format!("line way {name}")))
                    .with(run.method.optimizer.describe())
                    .with(el("br"))
                    .with(el("small").with(format!("rate {}", run.why))),
            )
            .with(number(schedule))
            .with(number(plain(run.last_cost())))
            .with(number(steps))
            .with(number(variant.turns(run).to_string()))
            .with(number(variant.left(run).map_or("\u{2013}".into(), percent)))
    };
    let rows: Markup = variant.runs.iter().map(row).collect();
    let table = el("table").with(el("thead").with(el("tr").with(head))).with(el("tbody").with(rows));
    el("div").class("scroll").with(table)
}
