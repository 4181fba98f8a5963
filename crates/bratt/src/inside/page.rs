//! The page of a model and an example: a card for each layer, in rows, with small heat maps; it can be zoomed and moved,
//! and a card opens all that is known of its layer.
//!
//! A heat map shows the first channels side by side, each averaged down to at most [`SIDE`] pixels: the size of a number,
//! divided by the 99th percentile of all, is how opaque the pixel is, and its sign is the colour's shade.

use super::{Inside, Station, Statistics};
use crate::page::numbers::plain;
use crate::page::{base64, escaped};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Cards in a row.
const COLUMNS: usize = 6;
/// From one card to the next, and the size of one.
const STEP: [usize; 2] = [230, 250];
const CARD: [usize; 2] = [190, 196];
/// Most pixels along the side of one channel, and most channels.
const SIDE: usize = 20;
const CHANNELS: usize = 16;
const BINS: usize = 24;

/// One HTML file that loads nothing; light or dark as the reader's system is. `title` is the image's name, `classes` are
/// the model's.
pub fn inside_page(inside: &Inside, title: &str, classes: &[String]) -> String {
    let mut said = String::new();
    if let (Some(class), Some(at)) = (inside.class, inside.predicted) {
        let name = |at: usize| classes.get(at).cloned().unwrap_or_else(|| at.to_string());
        let sure = 100.0 * inside.probabilities.get(at).copied().unwrap_or(0.0);
        let loss = plain(inside.loss.into());
        let _ = write!(
            said,
            "predicted <b>{}</b> at {sure:.1} % · loss of <b>{}</b> {loss}",
            escaped(&name(at)),
            escaped(&name(class))
        );
    }
    let place = |i: usize| [(i % COLUMNS) * STEP[0] + 24, (i / COLUMNS) * STEP[1] + 34];
    let (mut wires, mut cards, mut details) = (String::new(), String::new(), String::new());
    for (i, station) in inside.stations.iter().enumerate() {
        let [x, y] = place(i);
        for &from in &station.inputs {
            wires += &wire(place(from), [x, y], from + 1 == i);
        }
        card(&mut cards, i, [x, y], station);
        detail(&mut details, i, station);
    }
    let rows = inside.stations.len().div_ceil(COLUMNS);
    let [wide, tall] = [COLUMNS * STEP[0] + 20, rows * STEP[1] + 30];
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title} · bratt</title>\
         <style>{STYLE}</style></head><body><header><h1>{title}</h1><p>{said}</p><p class=\"legend\"><span class=\"v\">forward: \
         values</span> <span class=\"g\">backward: gradient of the loss</span></p><div class=\"tools\"><button id=\"in\" \
         aria-label=\"larger\">+</button><button id=\"out\" aria-label=\"smaller\">−</button><button id=\"fit\">whole</button>\
         </div></header><main><div id=\"view\" tabindex=\"0\" aria-label=\"the network\"><div id=\"world\" \
         style=\"width:{wide}px;height:{tall}px\"><svg width=\"{wide}\" height=\"{tall}\">{wires}</svg>{cards}</div></div>\
         <aside id=\"side\" hidden><button id=\"close\" aria-label=\"close\">×</button>{details}</aside></main>\
         <script>{SCRIPT}</script></body></html>\n",
        title = escaped(title)
    )
}

/// A line from card to card: straight to the next, through the gap above the row otherwise.
fn wire([x, y]: [usize; 2], [u, v]: [usize; 2], next: bool) -> String {
    let (start, end) = ((x + CARD[0], y + CARD[1] / 2), (u, v + CARD[1] / 2));
    if next && y == v {
        return format!("<path d=\"M{} {}H{}\"/>", start.0, start.1, end.0);
    }
    let (right, left, above) =
        (start.0 + 14, end.0.saturating_sub(14), v.saturating_sub(if next { 18 } else { 28 }));
    format!("<path d=\"M{} {}H{right}V{above}H{left}V{}H{}\"/>", start.0, start.1, end.1, end.0)
}

fn card(out: &mut String, i: usize, [x, y]: [usize; 2], station: &Station) {
    let name = station.name.rsplit('/').next().unwrap_or_default();
    let path = station.name.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
    let _ = write!(
        out,
        "<button class=\"card {}\" data-at=\"{i}\" style=\"left:{x}px;top:{y}px\"><small>{}</small><b>{}</b> <i>{}</i>\
         <span class=\"maps\">{}{}</span>{}{}</button>",
        if station.notes().is_empty() { "" } else { "noted" },
        escaped(if path.is_empty() { "\u{a0}" } else { path }),
        escaped(name),
        shape(station.value.shape()),
        picture(station, station.value.data(), VALUE),
        station.gradient.as_ref().map_or_else(String::new, |g| picture(station, g.data(), GRADIENT)),
        figures("v", station.value.data()),
        station.gradient.as_ref().map_or_else(String::new, |g| figures("g", g.data())),
    );
}

fn figures(class: &str, values: &[f32]) -> String {
    let found = Statistics::of(values);
    if values.len() == 1 {
        return format!("<span class=\"{class}\">{}</span>", plain(found.mean));
    }
    format!("<span class=\"{class}\">{} … {}</span>", brief(found.min), brief(found.max))
}

fn brief(x: f64) -> String {
    if x == 0.0 || (1e-2..1e4).contains(&x.abs()) { plain(x) } else { format!("{x:.1e}") }
}

fn shape(shape: &[usize]) -> String {
    let all: Vec<String> = shape.iter().map(usize::to_string).collect();
    if all.is_empty() { "scalar".into() } else { all.join("×") }
}

/// All that is known of a layer.
fn detail(out: &mut String, i: usize, station: &Station) {
    let _ = write!(
        out,
        "<section data-of=\"{i}\" hidden><h2>{}</h2><p>{} · {}</p>",
        escaped(&station.name),
        escaped(&station.about),
        shape(station.value.shape())
    );
    for note in station.notes() {
        let _ = write!(out, "<p class=\"note\">{}</p>", escaped(&note));
    }
    let mut block = |title: &str, class: &str, values: &[f32]| {
        let s = Statistics::of(values);
        let _ = write!(
            out,
            "<h3 class=\"{class}\">{}</h3>{}<p class=\"{class}\">{} numbers, least {}, mean {}, greatest {}, deviation {}, \
             {:.1} % zero</p>",
            escaped(title),
            histogram(class, values),
            s.count,
            plain(s.min),
            plain(s.mean),
            plain(s.max),
            plain(s.std),
            100.0 * s.zeros as f64 / s.count.max(1) as f64
        );
    };
    block("values", "v", station.value.data());
    if let Some(gradient) = &station.gradient {
        block("gradient", "g", gradient.data());
    }
    for held in &station.held {
        let title = format!("{} {}", held.name, shape(held.value.shape()));
        block(&title, "v", held.value.data());
        if let Some(gradient) = &held.gradient {
            block(&format!("gradient of {}", held.name), "g", gradient.data());
        }
    }
    *out += "</section>";
}

/// Bars over equal parts of the range, by the root of their counts, so that few are seen beside many.
fn histogram(class: &str, values: &[f32]) -> String {
    let s = Statistics::of(values);
    if values.len() < 3 || s.max.partial_cmp(&s.min) != Some(std::cmp::Ordering::Greater) {
        return String::new();
    }
    let mut counts = [0u32; BINS];
    for &x in values.iter().filter(|x| x.is_finite()) {
        let at = (f64::from(x) - s.min) / (s.max - s.min) * BINS as f64;
        counts[(at as usize).min(BINS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or(1)).sqrt();
    let mut out = format!("<svg class=\"bars {class}\" viewBox=\"0 0 {} 50\">", BINS * 12);
    for (i, &count) in counts.iter().enumerate() {
        let tall = f64::from(count).sqrt() / most * 50.0;
        let _ = write!(
            out,
            "<rect x=\"{}\" y=\"{:.1}\" width=\"11\" height=\"{tall:.1}\"/>",
            i * 12,
            50.0 - tall
        );
    }
    out + "</svg>"
}

/// Colours of positive and negative numbers.
type Shades = [[u8; 3]; 2];
const VALUE: Shades = [[22, 163, 74], [100, 116, 139]];
const GRADIENT: Shades = [[220, 38, 38], [147, 51, 234]];

/// The heat maps of an image's channels, or of a vector as one row of cells.
fn picture(station: &Station, values: &[f32], [positive, negative]: Shades) -> String {
    let (tall, wide, channels) = match station.value.shape()[..] {
        [tall, wide, channels] => (tall, wide, channels),
        [count] if count > 1 => (1, count, 1),
        _ => return String::new(),
    };
    let vector = tall == 1 && channels == 1;
    // A vector is broken into rows.
    let row = if vector { (wide as f64).sqrt().ceil() as usize } else { wide };
    let rows = if vector { wide.div_ceil(row) } else { tall };
    let side = if vector { 40 } else { SIDE };
    let (down, across) = (rows.div_ceil(side).max(1), row.div_ceil(side).max(1));
    let (h, w) = (rows.div_ceil(down), row.div_ceil(across));
    let shown = channels.min(CHANNELS);
    let grid = (shown as f64).sqrt().ceil() as usize;
    let lines = shown.div_ceil(grid);
    let (width, height) = (grid * (w + 1) - 1, lines * (h + 1) - 1);
    let mut sizes: Vec<f32> = values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let most = sizes.last().copied().unwrap_or(0.0);
    let scale = sizes.get(sizes.len() * 99 / 100).copied().filter(|&x| x > 0.0).unwrap_or(most);
    let mut pixels = vec![0u8; 4 * width * height];
    for channel in 0..shown {
        for (r, c) in (0..h).flat_map(|r| (0..w).map(move |c| (r, c))) {
            let cells = (r * down..rows.min((r + 1) * down)).flat_map(|y| {
                (c * across..row.min((c + 1) * across)).map(move |x| (y * row + x) * channels + channel)
            });
            let found: Vec<f32> = cells.filter_map(|at| values.get(at).copied()).collect();
            let mean = found.iter().sum::<f32>() / found.len().max(1) as f32;
            let opaque = if scale > 0.0 { (mean.abs() / scale).min(1.0) } else { 0.0 };
            let [red, green, blue] = if mean < 0.0 { negative } else { positive };
            let at = 4 * (((channel / grid) * (h + 1) + r) * width + (channel % grid) * (w + 1) + c);
            // Sixteen steps are told apart as well as 256, and take half the room. A cell is never quite clear.
            let alpha = 12 + (opaque * 15.0).round() as u8 * 16;
            pixels[at..at + 4].copy_from_slice(&[red, green, blue, alpha]);
        }
    }
    let mut png = Vec::new();
    // Writing to memory a picture whose length fits its size cannot fail.
    let _ =
        PngEncoder::new(&mut png).write_image(&pixels, width as u32, height as u32, ExtendedColorType::Rgba8);
    format!("<img alt=\"\" src=\"data:image/png;base64,{}\">", base64(&png))
}
