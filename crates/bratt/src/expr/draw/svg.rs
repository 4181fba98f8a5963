//! The picture of a trace.

use super::super::text::cell;
use super::super::traced::{TraceNode, Traced};
use super::layout::{Cell, Rect, layout, port_place};
use crate::page::escaped;
use std::fmt::Write;

/// A letter of the labels' font, generously.
const LETTER: f64 = 7.6;
/// A line of a label.
const LINE: f64 = 16.0;
/// Half the height of a box.
const HALF: f64 = 17.0;
/// Around the picture.
const MARGIN: f64 = 16.0;
/// Labels of more letters or lines become statistics.
const WIDEST: usize = 24;
const TALLEST: usize = 4;

/// A finished picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Drawing {
    /// The picture as an `svg` element.
    pub svg: String,
    /// Its width in pixels.
    pub width: f64,
    /// Its height in pixels.
    pub height: f64,
    /// The room of every label, in pixels: names of boxes, values, gradients.
    pub labels: Vec<Rect>,
}

/// Colours in light and dark; a viewer that knows neither shows the light ones.
const STYLE: &str = "\
.b{fill:#fff;stroke:#334155}.i{fill:#eef2ff;stroke:#6366f1}.r{stroke-width:2.5}.w{fill:none;stroke:#94a3b8;stroke-width:1.4}\
.n{fill:#0f172a}.f{fill:#15803d}.g{fill:#dc2626}.p{fill:#fff}\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}\
@media(prefers-color-scheme:dark){.b{fill:#1e293b;stroke:#cbd5e1}.i{fill:#312e81;stroke:#a5b4fc}.w{stroke:#64748b}\
.n{fill:#f1f5f9}.f{fill:#4ade80}.g{fill:#f87171}.p{fill:#0f172a}}";

/// What is written at a part.
struct Labels {
    title: String,
    value: Vec<String>,
    gradient: Vec<String>,
}

impl Labels {
    fn of(node: &TraceNode) -> Labels {
        // A literal says itself what its value is.
        let number = node.op == "constant" && node.value.shape().rank() == 0;
        let title = match node.op.as_str() {
            "constant" if number => cell(&node.value, 1, WIDEST).join(" "),
            "constant" => "constant".into(),
            "input" => node.name.clone(),
            // A name that a statement gives is worth showing.
            op if node.name != op && !node.name.starts_with(&format!("{op}_")) => {
                format!("{} = {}", node.name, node.symbol)
            }
            _ => node.symbol.clone(),
        };
        Labels {
            title,
            value: if number { vec![] } else { cell(&node.value, TALLEST, WIDEST) },
            gradient: node.gradient.as_ref().map_or_else(Vec::new, |g| cell(g, TALLEST, WIDEST)),
        }
    }

    fn box_width(&self) -> f64 {
        (width(&self.title) + 20.0).max(2.0 * HALF)
    }

    fn wire_width(&self) -> f64 {
        let widest = self.value.iter().chain(&self.gradient).map(|line| width(line)).fold(0.0, f64::max);
        widest + 14.0
    }

    fn cell(&self, inputs: &[usize]) -> Cell {
        let half = half_height(inputs.len());
        Cell {
            width: self.box_width() + self.wire_width(),
            above: half.max(self.value.len() as f64 * LINE + 5.0),
            below: half.max(self.gradient.len() as f64 * LINE + 5.0),
            inputs: inputs.to_vec(),
        }
    }
}

fn width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// Boxes of many operands are taller.
fn half_height(inputs: usize) -> f64 {
    HALF.max(inputs as f64 * 6.0)
}

/// Draws a trace: operations as boxes, values in green above their wires, gradients in red below.
///
/// ```
/// use bratt::expr::{Expression, Options, draw, literal};
/// let neuron = Expression::parse("sigmoid(w * x)")?;
/// let trace = neuron.trace(&[("w", literal("2")?), ("x", literal("-1")?)], &Options::default())?;
/// assert!(draw(&trace).svg.starts_with("<svg"));
/// # Ok::<(), bratt::expr::ExprError>(())
/// ```
pub fn draw(traced: &Traced) -> Drawing {
    let labels: Vec<Labels> = traced.nodes.iter().map(Labels::of).collect();
    let cells: Vec<Cell> = labels.iter().zip(&traced.nodes).map(|(l, node)| l.cell(&node.inputs)).collect();
    let placed = layout(&cells);
    let (mut wires, mut boxes, mut rects) = (String::new(), String::new(), Vec::new());
    let at = |cell: usize| (placed.cells[cell].0 + MARGIN, placed.cells[cell].1 + MARGIN);
    for wire in &placed.wires {
        let (x, y) = at(wire.from);
        let mut path = format!(
            "M{:.1} {y:.1}H{:.1}",
            x + labels[wire.from].box_width(),
            placed.column_ends[wire.from] + MARGIN
        );
        let (mut x, mut y) = (placed.column_ends[wire.from] + MARGIN, y);
        for &(left, right, height) in &wire.through {
            bend(&mut path, (x, y), (left + MARGIN, height + MARGIN));
            let _ = write!(path, "H{:.1}", right + MARGIN);
            (x, y) = (right + MARGIN, height + MARGIN);
        }
        let (to_x, to_y) = at(wire.to);
        let ports = traced.nodes[wire.to].inputs.len();
        let to_y = to_y + port_place(wire.port, ports) * (half_height(ports) - 8.0);
        bend(&mut path, (x, y), (to_x, to_y));
        let _ = write!(wires, "<path class=\"w\" d=\"{path}\"/>");
    }
    for (i, (label, node)) in labels.iter().zip(&traced.nodes).enumerate() {
        let (x, y) = at(i);
        let (width, half) = (label.box_width(), half_height(node.inputs.len()));
        let end = x + width + label.wire_width();
        let _ = write!(wires, "<path class=\"w\" d=\"M{:.1} {y:.1}H{end:.1}\"/>", x + width);
        let class = if node.inputs.is_empty() { "b i" } else { "b" };
        let result = if i == traced.result { " r" } else { "" };
        let _ = write!(
            boxes,
            "<g><title>{}</title><rect class=\"{class}{result}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\" rx=\"{}\"/>",
            escaped(&described(node)),
            y - half,
            2.0 * half,
            if node.inputs.is_empty() { 6.0 } else { HALF },
        );
        let mut write_line = |class: &str, line: &str, x: f64, base: f64, anchor: &str| {
            let _ = write!(
                boxes,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{base:.1}\"{anchor}>{}</text>",
                escaped(line)
            );
            let width = self::width(line);
            let left = if anchor.is_empty() { x } else { x - width / 2.0 };
            rects.push(Rect { x: left, y: base - 12.0, width, height: LINE - 1.0 });
        };
        write_line("n", &label.title, x + width / 2.0, y + 4.5, " text-anchor=\"middle\"");
        for (row, line) in label.value.iter().enumerate() {
            let base = y - 6.0 - (label.value.len() - 1 - row) as f64 * LINE;
            write_line("f", line, x + width + 7.0, base, "");
        }
        for (row, line) in label.gradient.iter().enumerate() {
            write_line("g", line, x + width + 7.0, y + 15.0 + row as f64 * LINE, "");
        }
        boxes.push_str("</g>");
    }
    let (width, height) = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\"><title>{}</title><style>{STYLE}</style>\
         <rect class=\"p\" width=\"100%\" height=\"100%\"/>{wires}{boxes}</svg>",
        escaped(&traced.source)
    );
    Drawing { svg, width, height, labels: rects }
}

/// A curve that leaves and arrives level.
fn bend(path: &mut String, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
    if (y - to_y).abs() < 0.05 {
        let _ = write!(path, "H{to_x:.1}");
    } else {
        let middle = (x + to_x) / 2.0;
        let _ = write!(path, "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}");
    }
}

/// What is shown when the pointer rests on a box.
fn described(node: &TraceNode) -> String {
    let gradient = node.gradient.as_ref().map_or_else(|| vec!["none".into()], |g| cell(g, 12, 100));
    let value = cell(&node.value, 12, 100);
    format!(
        "{} = {}  {}\nvalue:\n{}\ngradient:\n{}",
        node.name,
        node.text,
        node.value.shape(),
        value.join("\n"),
        gradient.join("\n")
    )
}
