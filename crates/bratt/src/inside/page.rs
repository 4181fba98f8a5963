//! The page of a model and an example: a card for each layer with small heat maps, a line for what flows; it can be
//! zoomed and moved, and a card opens all that is known of its layer.

use super::heat::{GRADIENT, Shades, VALUE, heat_map, photo};
use super::{Held, Inside, Station, Statistics};
use crate::page::numbers::{counted, percent, plain, shape};
use crate::page::{Element, Markup, el, head};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Most cards in a row.
const COLUMNS: usize = 8;
/// From one card to the next, the size of one, and what is left free before the first.
const STEP: [usize; 2] = [230, 246];
const CARD: [usize; 2] = [190, 192];
const MARGIN: [usize; 2] = [24, 40];
const BINS: usize = 24;

/// One HTML file that loads nothing; light or dark as the reader's system is. `title` is the image's name, `classes` are
/// the model's.
pub fn inside_page(inside: &Inside, title: &str, classes: &[String]) -> String {
    let places = places(&inside.stations);
    let corner = |i: usize| {
        let [column, row] = places[i];
        [MARGIN[0] + column * STEP[0], MARGIN[1] + row * STEP[1]]
    };
    let [columns, rows] = [0, 1].map(|axis| places.iter().map(|at| at[axis] + 1).max().unwrap_or(0));
    let [wide, tall] = [columns * STEP[0] + MARGIN[0], rows * STEP[1] + MARGIN[1]];
    let mut wires = el("svg").attr("width", wide).attr("height", tall).attr("aria-hidden", "true");
    let mut cards = Markup::new();
    for (i, station) in inside.stations.iter().enumerate() {
        for &from in &station.inputs {
            wires = wires.with(el("path").attr("d", wire(corner(from), corner(i), from + 1 == i)));
        }
        cards.push(card(i, corner(i), station));
    }
    let world = el("div").attr("id", "world").attr("style", format!("width:{wide}px;height:{tall}px"));
    let view = el("div").attr("id", "view").attr("tabindex", "0").attr("role", "group");
    let view = view.attr("aria-label", "The layers; arrows move, + and - zoom, 0 shows all");
    let details: Markup = inside.stations.iter().enumerate().map(|(i, station)| detail(i, station)).collect();
    let close = button("close", "\u{d7}", "Close");
    let side = el("aside").attr("id", "side").attr("hidden", "").with(close).with(details);
    let main = el("main").with(view.with(world.with(wires).with(cards))).with(side);
    let body = el("body").with(heading(inside, title, classes)).with(main);
    let body = body.with(el("script").with(Markup::trusted(SCRIPT)));
    let head = head(title, env!("CARGO_PKG_VERSION"), Markup::trusted(STYLE), SCRIPT);
    let html: Markup = el("html").attr("lang", "en").with(head).with(body).into();
    format!("<!doctype html>\n{}\n", html.into_string())
}

fn heading(inside: &Inside, title: &str, classes: &[String]) -> Element {
    let mut said = el("p");
    if let (Some(class), Some(at)) = (inside.class, inside.predicted) {
        let name = |at: usize| classes.get(at).cloned().unwrap_or_else(|| at.to_string());
        let sure = percent(inside.probabilities.get(at).copied().unwrap_or(0.0).into());
        said = said.with("predicted ").with(el("b").with(name(at))).with(format!(" at {sure}, loss of "));
        said = said.with(el("b").with(name(class))).with(format!(" {}", plain(inside.loss.into())));
    }
    let legend = el("p").class("legend");
    let legend = legend.with(el("span").class("v").with("forward: values")).with(" (grey: negative) ");
    let legend = legend.with(el("span").class("g").with("backward: gradient of the loss"));
    let legend = legend.with(" (purple: negative)");
    let tools = el("div").class("tools").with(button("in", "+", "Larger"));
    let tools = tools.with(button("out", "\u{2212}", "Smaller")).with(button("fit", "all", "Show all"));
    el("header").with(el("h1").with(title)).with(said).with(legend).with(tools)
}

fn button(id: &str, text: &str, label: &str) -> Element {
    el("button").attr("type", "button").attr("id", id).attr("aria-label", label).with(text)
}

/// Column and row of each card. A block begins a new row rather than being broken, if a row can hold it.
fn places(stations: &[Station]) -> Vec<[usize; 2]> {
    let block = |i: usize| stations[i].name.split('/').next();
    let (mut places, mut next) = (Vec::with_capacity(stations.len()), [0, 0]);
    for i in 0..stations.len() {
        let begins = i == 0 || block(i) != block(i - 1);
        let size = (i..stations.len()).take_while(|&j| block(j) == block(i)).count();
        if next[0] == COLUMNS || begins && size <= COLUMNS && next[0] + size > COLUMNS {
            next = [0, next[1] + 1];
        }
        places.push(next);
        next[0] += 1;
    }
    places
}

/// A line from card to card: straight to the next, otherwise through the gap above the row and in from above.
fn wire([x, y]: [usize; 2], [u, v]: [usize; 2], next: bool) -> String {
    let (start, middle) = ([x + CARD[0], y + CARD[1] / 2], v + CARD[1] / 2);
    if next && y == v {
        return format!("M{} {}H{u}", start[0], start[1]);
    }
    let right = start[0] + 14;
    match next {
        true => format!("M{} {}H{right}V{}H{}V{middle}H{u}", start[0], start[1], v - 14, u - 14),
        false => format!("M{} {}H{right}V{}H{}V{v}", start[0], start[1], v - 24, u + CARD[0] / 2),
    }
}

fn card(i: usize, [x, y]: [usize; 2], station: &Station) -> Element {
    let (path, name) = station.name.rsplit_once('/').unwrap_or(("", &station.name));
    let maps =
        [Some((&station.value, VALUE)), station.gradient.as_ref().map(|gradient| (gradient, GRADIENT))];
    let maps: Markup =
        maps.into_iter().flatten().filter_map(|(of, shades)| picture(station, of.data(), shades)).collect();
    let figures = |class: &str, values: &[f32]| {
        let found = Statistics::of(values);
        let text = match values.len() {
            1 => plain(found.mean),
            _ => format!("{} \u{2026} {}", plain(found.min), plain(found.max)),
        };
        el("span").class(class).with(text)
    };
    let place = el("small").with(el("span").with(path)).with(el("span").with(extent(station.value.shape())));
    el("button")
        .attr("type", "button")
        .class(if station.notes().is_empty() { "card" } else { "card noted" })
        .attr("data-at", i)
        .attr("style", format!("left:{x}px;top:{y}px"))
        .with(place)
        .with(el("b").with(name))
        .with(el("span").class("maps").with(maps))
        .with(figures("v", station.value.data()))
        .with(station.gradient.as_ref().map(|gradient| figures("g", gradient.data())))
}

/// The image itself where it goes in; elsewhere numbers as colours.
fn picture(station: &Station, values: &[f32], shades: Shades) -> Option<Element> {
    let shape = station.value.shape();
    let as_it_is = if station.op == "input" && shades == VALUE { photo(shape, values) } else { None };
    let address = as_it_is.or_else(|| heat_map(shape, values, shades))?;
    Some(el("img").attr("alt", "").attr("src", address))
}

fn extent(of: &[usize]) -> String {
    if of.is_empty() { "scalar".into() } else { shape(of) }
}

/// All that is known of a layer.
fn detail(i: usize, station: &Station) -> Element {
    let mut all = el("section").attr("data-of", i).attr("hidden", "").with(el("h2").with(&station.name));
    all = all.with(el("p").with(format!("{}, {}", station.about, extent(station.value.shape()))));
    all = all
        .with(station.notes().into_iter().map(|note| el("p").class("note").with(note)).collect::<Markup>());
    all = all.with(numbers("values", "v", station.value.data()));
    all = all.with(station.gradient.as_ref().map(|gradient| numbers("gradient", "g", gradient.data())));
    let held = |Held { name, value, gradient }: &Held| {
        let title = format!("{name}, {}", extent(value.shape()));
        let back = gradient.as_ref().map(|of| numbers(&format!("gradient of {name}"), "g", of.data()));
        numbers(&title, "v", value.data()).then(back)
    };
    all.with(station.held.iter().map(held).collect::<Markup>())
}

fn numbers(title: &str, class: &str, values: &[f32]) -> Markup {
    let s = Statistics::of(values);
    let mut words = match s.count {
        1 => plain(s.mean),
        _ => format!(
            "{}, {} to {}, mean {}, deviation {}",
            counted(s.count, "number"),
            plain(s.min),
            plain(s.max),
            plain(s.mean),
            plain(s.std)
        ),
    };
    if s.zeros > 0 && s.count > 1 {
        words += &format!(", {} zero", percent(s.zeros as f64 / s.count as f64));
    }
    Markup::new()
        .then(el("h3").class(class).with(title))
        .then(histogram(class, values))
        .then(el("p").with(words))
}

/// Bars over equal parts of the range, by the root of their counts, so that few are seen beside many.
fn histogram(class: &str, values: &[f32]) -> Option<Element> {
    let s = Statistics::of(values);
    if values.len() < 3 || s.max.partial_cmp(&s.min) != Some(std::cmp::Ordering::Greater) {
        return None;
    }
    let mut counts = [0u32; BINS];
    for &x in values.iter().filter(|x| x.is_finite()) {
        let at = (f64::from(x) - s.min) / (s.max - s.min) * BINS as f64;
        counts[(at as usize).min(BINS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or(1)).sqrt();
    let bar = |(i, &count): (usize, &u32)| {
        let tall = f64::from(count).sqrt() / most * 50.0;
        el("rect").at([("x", i as f64 * 12.0), ("y", 50.0 - tall), ("width", 11.0), ("height", tall)])
    };
    let bars: Markup = counts.iter().enumerate().map(bar).collect();
    let size = format!("0 0 {} 50", BINS * 12);
    Some(
        el("svg").class(format!("bars {class}")).attr("viewBox", size).attr("aria-hidden", "true").with(bars),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn a_block_that_fits_a_row_is_not_broken() {
        let station = |name: String| Station {
            name,
            op: String::new(),
            about: String::new(),
            inputs: Vec::new(),
            value: Tensor::filled([1], 0.0),
            gradient: None,
            held: Vec::new(),
        };
        let block = |of: &str, count: usize| {
            (1..count).map(move |i| format!("{of}/{i}")).chain([of.to_string()]).collect()
        };
        let rows = |names: [Vec<String>; 3]| -> Vec<[usize; 2]> {
            places(&names.concat().into_iter().map(station).collect::<Vec<_>>())
        };
        let found = rows([block("a", 3), block("b", 5), block("c", 2)]);
        assert_eq!(found[7..], [[7, 0], [0, 1], [1, 1]]);
        let found = rows([block("a", 3), block("b", 6), block("c", 2)]);
        assert_eq!((found[3], found[8], found[9]), ([0, 1], [5, 1], [6, 1]));
        let found = rows([block("a", 3), block("b", 10), block("c", 1)]);
        assert_eq!((found[7], found[8], found[13]), ([7, 0], [0, 1], [5, 1]));
    }

    #[test]
    fn a_shortcut_comes_in_from_above() {
        let ([x, y], [u, v]) = ([24, 40], [24 + 3 * STEP[0], 40]);
        assert_eq!(wire([x, y], [x + STEP[0], y], true), "M214 136H254");
        assert_eq!(wire([x, y], [u, v], false), "M214 136H228V16H809V40");
    }
}
