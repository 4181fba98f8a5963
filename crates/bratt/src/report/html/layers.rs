//! The network: a drawing of its layers and a table; the first layer's weights.
//!
//! In the drawing a layer is a block, as high as an example is large after it (by the logarithm of its height) and as
//! wide as it has channels (likewise); layers without numbers of their own are thin. An arc is the shortcut of a residual
//! block.

use super::{FilterPart, LayerRow, ModelPart};
use crate::page::numbers::{counted, magnitude, shape, thousands};
use crate::page::{Element, Markup, el};

/// More layers than this are folded away at first.
const MOST: usize = 20;
/// The drawing goes on in another line after so many pixels.
const WIDTH: f64 = 940.0;
/// Height of a line, with what is written under it.
const LINE: f64 = 138.0;
const MIDDLE: f64 = 62.0;
const GAP: f64 = 5.0;
const MOST_STRETCH: f64 = 2.6;

pub(super) fn network(model: &ModelPart) -> Markup {
    let text = format!(
        "{}: {} for an input of {}, {} floating-point operations for one example.",
        model.name,
        counted(model.parameters(), "parameter"),
        shape(&model.input),
        magnitude(model.flops() as f64)
    );
    let table = table(model);
    let table: Markup = if model.layers.len() > MOST {
        let summary = el("summary").with(format!("All {} layers as a table", model.layers.len()));
        el("details").with(summary).with(table).into()
    } else {
        table.into()
    };
    Markup::new().then(el("p").with(text)).then(drawing(model)).then(table)
}

/// The colour of a layer's kind.
fn family(kind: &str) -> &'static str {
    match kind {
        "conv2d" => "conv",
        "dense" | "maxout" => "dense",
        "max_pool2d" | "avg_pool2d" | "global_avg_pool" => "pool",
        "batch_norm" | "standardize" | "whiten" => "norm",
        "dropout" => "drop",
        "residual" => "residual",
        "flatten" => "flat",
        _ => "activation",
    }
}

const FAMILIES: [(&str, &str); 6] = [
    ("conv", "convolution"),
    ("dense", "dense"),
    ("pool", "pooling"),
    ("norm", "normalisation"),
    ("activation", "activation"),
    ("drop", "dropout"),
];

fn block(layer: &LayerRow) -> [f64; 2] {
    let height = match layer.output[..] {
        [height, width, _] => 10.0 + 13.0 * ((height * width).max(1) as f64).sqrt().log2(),
        _ => 12.0 + 5.0 * (layer.output.iter().product::<usize>().max(1) as f64).log2(),
    };
    let channels = layer.output.last().copied().unwrap_or(1).max(1) as f64;
    let width = match family(&layer.kind) {
        "conv" => 8.0 + 2.6 * channels.log2(),
        "dense" => 14.0,
        "pool" => 9.0,
        _ => 5.0,
    };
    [width, height.min(100.0)]
}

fn drawing(model: &ModelPart) -> Element {
    let first = LayerRow {
        name: "input".into(),
        kind: "input".into(),
        about: "input".into(),
        output: model.input.clone(),
        parameters: 0,
        flops: 0,
    };
    // Few layers are drawn larger.
    let natural: f64 = model.layers.iter().map(|layer| block(layer)[0] + GAP).sum();
    let stretch = (0.9 * WIDTH / natural.max(1.0)).clamp(1.0, MOST_STRETCH);
    let (mut x, mut line) = (4.0, 0);
    let mut blocks = Markup::new();
    let mut before: &[usize] = &[];
    let mut free = 0.0;
    // Where each residual block's layers begin and end, by the block's name.
    let mut spans: Vec<(&str, usize, f64, f64)> = Vec::new();
    for layer in std::iter::once(&first).chain(&model.layers) {
        if layer.kind == "residual" {
            if let Some(&(_, _, from, to)) = spans.iter().find(|span| span.0 == layer.name) {
                blocks.push(arc(layer, line, from, to));
            }
            before = &layer.output;
            continue;
        }
        // What a shortcut computes is beside the chain.
        if layer.name.contains("shortcut/") {
            continue;
        }
        let [width, height] = block(layer);
        let width = width * stretch;
        if x + width > WIDTH {
            (x, free, line) = (4.0, 0.0, line + 1);
        }
        if let Some((block, _)) = layer.name.split_once('/') {
            match spans.iter_mut().find(|span| span.0 == block && span.1 == line) {
                Some(span) => span.3 = x + width,
                None => {
                    spans.retain(|span| span.0 != block);
                    spans.push((block, line, x, x + width));
                }
            }
        }
        let middle = MIDDLE + LINE * f64::from(line as u32);
        let title = match layer.parameters {
            0 => format!("{}: {} \u{2192} {}", layer.name, layer.about, shape(&layer.output)),
            n => format!(
                "{}: {} \u{2192} {}, {}",
                layer.name,
                layer.about,
                shape(&layer.output),
                counted(n, "parameter")
            ),
        };
        let kind = if layer.kind == "input" { "input" } else { family(&layer.kind) };
        let rect = el("rect").class(format!("block {kind}")).at([
            ("x", x),
            ("y", middle - height / 2.0),
            ("width", width),
            ("height", height),
            ("rx", 2.0),
        ]);
        blocks.push(rect.with(el("title").with(title)));
        let text = shape(&layer.output);
        let room = 7.2 * text.chars().count() as f64 + 10.0;
        if layer.output != before && (x + width / 2.0 - room / 2.0).max(0.0) >= free {
            let place = [("x", x + width / 2.0), ("y", middle + 66.0)];
            let anchored = if x < room / 2.0 {
                el("text").at([("x", x), place[1]])
            } else {
                el("text").class("mid").at(place)
            };
            blocks.push(el("line").class("grid").at([
                ("x1", x + width / 2.0),
                ("x2", x + width / 2.0),
                ("y1", middle + height / 2.0 + 2.0),
                ("y2", middle + 54.0),
            ]));
            blocks.push(anchored.with(text));
            free = x.max(room / 2.0) + width / 2.0 + room / 2.0;
        }
        before = &layer.output;
        x += width + if matches!(kind, "conv" | "dense" | "input" | "pool") { GAP } else { 2.5 };
    }
    let width = if line == 0 { (x + 40.0).clamp(320.0, WIDTH + 40.0) } else { WIDTH + 40.0 };
    let height = LINE * f64::from(line as u32 + 1);
    let label =
        format!("{} layers, drawn from input to output; the table has them one by one", model.layers.len());
    let drawn = el("svg")
        .attr("viewBox", format!("0 0 {width:.0} {height:.0}"))
        .attr("role", "img")
        .attr("aria-label", label)
        .class("layers")
        .attr("style", format!("width:{width:.0}px"))
        .with(blocks);
    let there = |kind: &str| model.layers.iter().any(|layer| family(&layer.kind) == kind);
    let legend: Markup = FAMILIES
        .iter()
        .filter(|(kind, _)| there(kind))
        .map(|(kind, name)| el("span").with(el("i").class(format!("swatch {kind}"))).with(*name))
        .collect();
    let arcs = there("residual").then(|| el("span").with(el("i").class("line shortcut")).with("shortcut"));
    el("figure")
        .with(el("div").class("scroll").with(drawn))
        .with(el("figcaption").class("legend").with(legend).with(arcs))
}

fn arc(block: &LayerRow, line: usize, from: f64, to: f64) -> Element {
    let base = LINE * f64::from(line as u32) + 16.0;
    let path = format!("M{from:.1} {base:.1}c0 -12 {0:.1} -12 {0:.1} 0", to - from);
    el("path").class("arc").attr("d", path).with(el("title").with(format!("{}: {}", block.name, block.about)))
}

fn table(model: &ModelPart) -> Element {
    let most = model.layers.iter().map(|layer| layer.parameters).max().unwrap_or(0).max(1) as f64;
    let row = |layer: &LayerRow| {
        let depth = layer.name.matches('/').count();
        let bar = (layer.parameters > 0).then(|| {
            let width = format!("width:{:.1}%", (100.0 * layer.parameters as f64 / most).max(1.0));
            el("div")
                .class("bars")
                .attr("aria-hidden", "true")
                .with(el("span").class("bar conv").attr("style", width))
        });
        let number = |n: u64| if n == 0 { "\u{2013}".to_string() } else { thousands(n as usize) };
        el("tr")
            .with(
                el("th")
                    .attr("scope", "row")
                    .attr("style", format!("padding-left:{}em", depth))
                    .with(el("i").class(format!("swatch {}", family(&layer.kind))))
                    .with(layer.name.rsplit('/').next().unwrap_or("")),
            )
            .with(el("td").with(&layer.about))
            .with(el("td").class("num").with(shape(&layer.output)))
            .with(el("td").class("num").with(number(layer.parameters as u64)))
            .with(el("td").class("num").with(number(layer.flops)))
            .with(el("td").class("wide").with(bar))
    };
    let names = [("layer", ""), ("what", ""), ("output", "num"), ("parameters", "num"), ("FLOPs", "num")];
    let head: Markup =
        names.iter().map(|(name, class)| el("th").attr("scope", "col").class(class).with(*name)).collect();
    let total = el("tr")
        .with(el("th").attr("scope", "row").with("total"))
        .with(el("td"))
        .with(el("td"))
        .with(el("td").class("num").with(thousands(model.parameters())))
        .with(el("td").class("num").with(thousands(model.flops() as usize)))
        .with(el("td"));
    let table = el("table")
        .class("slim")
        .with(el("thead").with(el("tr").with(head).with(el("td"))))
        .with(el("tbody").with(model.layers.iter().map(row).collect::<Markup>()))
        .with(el("tfoot").with(total));
    el("div").class("scroll").with(table)
}

pub(super) fn filters(part: Option<&FilterPart>) -> Markup {
    let Some(FilterPart { layer, shown, count, size: [height, width], picture }) = part else {
        return Markup::new();
    };
    let number =
        if shown == count { format!("The {count}") } else { format!("The first {shown} of {count}") };
    let text = format!(
        "{number} filters of {layer}, {height}\u{d7}{width} pixels each: what the first layer answers to most. Each is \
         scaled by its largest weight."
    );
    let image = picture.show(&text);
    Markup::new().then(el("p").class("note").with(&text)).then(el("figure").class("filters").with(image))
}
