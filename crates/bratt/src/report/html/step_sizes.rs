//! How far steps move each weight, in proportion to it: a line a weight over the epochs, on a logarithmic axis.
//!
//! The guide at `1e-3` is a rule of thumb (see `train/step_sizes.rs`). Weights are told apart by strength, the first of
//! the network lightest; which is which stands under the pointer and in the table.

use crate::page::numbers::plain;
use crate::page::{Element, Markup, el};
use crate::train::EpochEnd;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 264.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 34.0;
/// Where most weights should be, as a logarithm.
const GUIDE: f64 = -3.0;

/// The weights and, for each, its sizes by epoch.
fn weights(epochs: &[EpochEnd]) -> Vec<(&str, Vec<(usize, f64)>)> {
    let Some(some) = epochs.iter().find(|end| !end.step_sizes.is_empty()) else { return Vec::new() };
    let of = |name: &str| {
        let sizes = epochs.iter().filter_map(|end| {
            let (_, size) = end.step_sizes.iter().find(|(of, _)| of == name)?;
            Some((end.epoch, *size))
        });
        sizes.collect()
    };
    some.step_sizes.iter().map(|(name, _)| (name.as_str(), of(name))).collect()
}

/// The drawing; nothing where nothing was measured.
pub(super) fn drawn(epochs: &[EpochEnd]) -> Markup {
    let weights = weights(epochs);
    let sizes = || weights.iter().flat_map(|(_, sizes)| sizes);
    let logs = || sizes().map(|(_, size)| size.log10()).filter(|log| log.is_finite());
    if logs().next().is_none() {
        return Markup::new();
    }
    let low = logs().fold(GUIDE, f64::min).floor().max(-9.0);
    let high = logs().fold(GUIDE, f64::max).ceil().min(3.0).max(low + 1.0);
    let last = sizes().map(|(epoch, _)| *epoch).max().unwrap_or(1) as f64;
    let column = |epoch: f64| LEFT + epoch / last * (WIDTH - LEFT - RIGHT);
    let row =
        |log: f64| HEIGHT - BOTTOM - ((log - low) / (high - low)).clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP);
    let across = |class: &str, at: f64| {
        let ends = [("x1", LEFT), ("x2", WIDTH - RIGHT), ("y1", at), ("y2", at)];
        el("line").class(class).at(ends)
    };
    let spoken = format!(
        "Size of the last step of each epoch, by weight, from {} to {}; a rule of thumb is 1e-3. The numbers stand in a \
         table below.",
        plain(10f64.powf(logs().fold(f64::INFINITY, f64::min))),
        plain(10f64.powf(logs().fold(f64::NEG_INFINITY, f64::max))),
    );
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    let mut svg =
        el("svg").attr("viewBox", view).attr("role", "img").attr("aria-label", spoken).class("chart");
    for power in low as i32..=high as i32 {
        let at = row(f64::from(power));
        let text = el("text").class("end").at([("x", LEFT - 7.0), ("y", at + 4.0)]);
        svg = svg.with(across("grid", at)).with(text.with(format!("1e{power}")));
    }
    for epoch in [1.0, last] {
        let class = if epoch == last && last > 1.0 { "end" } else { "mid" };
        let text = el("text").class(class).at([("x", column(epoch)), ("y", HEIGHT - BOTTOM + 17.0)]);
        svg = svg.with(text.with(epoch.to_string()));
        if last < 2.0 {
            break;
        }
    }
    let name = el("text").class("mid soft").at([("x", (LEFT + WIDTH - RIGHT) / 2.0), ("y", HEIGHT - 2.0)]);
    svg = svg.with(name.with("epoch")).with(across("mark", row(GUIDE)));
    let count = weights.len().max(2) - 1;
    for (at, (name, sizes)) in weights.iter().enumerate() {
        let strength = 0.3 + 0.7 * at as f64 / count as f64;
        let finite = sizes.iter().filter(|(_, size)| *size > 0.0);
        let places: Vec<(f64, f64)> =
            finite.map(|(epoch, size)| (column(*epoch as f64), row(size.log10()))).collect();
        svg = svg.with(line(name, sizes, &places, strength));
    }
    let legend =
        el("span").class("legend").with("light: first weight, dark: last; dashed: 1e-3, a rule of thumb");
    let caption = el("figcaption").with(el("b").with("Step over weight")).with(legend);
    el("figure").class("plot").with(caption).with(svg).into()
}

fn line(name: &str, sizes: &[(usize, f64)], places: &[(f64, f64)], strength: f64) -> Element {
    let told = match (sizes.first(), sizes.last()) {
        (Some((_, first)), Some((_, last))) => format!("{name}: {} to {}", plain(*first), plain(*last)),
        _ => name.into(),
    };
    let group = el("g").class("weight").with(el("title").with(told));
    if let [(x, y)] = places {
        let dot = el("circle").class("weight").at([("cx", *x), ("cy", *y), ("r", 3.5)]);
        return group.with(dot.attr("fill-opacity", format!("{strength:.2}")));
    }
    let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let line = el("polyline").class("weight").attr("points", points.join(" "));
    group.with(line.attr("stroke-opacity", format!("{strength:.2}")))
}

/// The same in numbers: first, middle and last epoch of each weight.
pub(super) fn table(epochs: &[EpochEnd]) -> Markup {
    let weights = weights(epochs);
    let measured: Vec<usize> =
        epochs.iter().filter(|end| !end.step_sizes.is_empty()).map(|end| end.epoch).collect();
    let (Some(&first), Some(&last)) = (measured.first(), measured.last()) else { return Markup::new() };
    let mut shown = vec![first, measured[measured.len() / 2], last];
    shown.dedup();
    let head = |text: String| el("th").attr("scope", "col").class("num").with(text);
    let names: Markup = shown.iter().map(|epoch| head(format!("epoch {epoch}"))).collect();
    let row = |(name, sizes): &(&str, Vec<(usize, f64)>)| {
        let cell = |epoch: &usize| {
            let size = sizes.iter().find(|(of, _)| of == epoch);
            let text = size.map_or_else(|| "\u{2013}".into(), |(_, size)| format!("{size:.1e}"));
            el("td").class("num").with(text)
        };
        let cells: Markup = shown.iter().map(cell).collect();
        el("tr").with(el("th").attr("scope", "row").with(*name)).with(cells)
    };
    let begin = el("tr").with(el("th").attr("scope", "col").with("weight")).with(names);
    let table = el("table")
        .class("slim")
        .with(el("thead").with(begin))
        .with(el("tbody").with(weights.iter().map(row).collect::<Markup>()));
    let about = "How far the last step of an epoch moved each weight, in proportion to it, |w\u{2032} \u{2212} w| / |w|. \
                 About 1e-3 is usual: much less and a layer hardly learns, much more and it is thrown about.";
    el("details")
        .with(el("summary").with("Size of the steps by weight"))
        .with(el("p").with(about))
        .with(el("div").class("scroll tall").with(table))
        .into()
}
