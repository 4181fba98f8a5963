//! Panels of a picture: lines over linear or logarithmic axes, and frames for other drawings.
//!
//! A panel is narrow enough that its text can be read on a phone. It holds its own legend, so that it can stand alone.

use crate::page::numbers::{tick, ticks};
use crate::page::{Element, Markup, el};
use serde::Serialize;

/// Two of them side by side can still be read in a column of text.
pub(super) const WIDTH: f64 = 380.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 38.0;
const PLOT: f64 = 190.0;
/// Points of a line; of more, some are left out.
const POINTS: usize = 400;
/// Room for a legend's line.
const ROW: f64 = 18.0;

/// How wide a text is, at most, in the fonts that the sheet names.
fn width_of(text: &str) -> f64 {
    let wide = |c: char| match c {
        'm' | 'w' | 'M' | 'W' => 11.5,
        'i' | 'j' | 'l' | '.' | ',' | ' ' => 4.4,
        _ => 7.6,
    };
    text.chars().map(wide).sum()
}

/// Colours and lines of all panels, over the page's variables.
pub(super) const SHEET: &str = "
.lab text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; fill: var(--ink) }
.lab text.soft { fill: var(--soft) }
.lab text.mid { text-anchor: middle }
.lab text.end { text-anchor: end }
.lab text.title { font-weight: 600; font-size: 14px }
.lab .paper { fill: var(--bg) }
.verdict { font-size: 1.06rem }
.lab .grid { stroke: var(--grid); fill: none }
.lab .frame { stroke: var(--line); fill: none }
.lab .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.lab .fine { stroke-width: 1.2 }
.lab .thin { fill: none; stroke: var(--soft); stroke-width: 1; stroke-opacity: .75 }
.lab .s0 { stroke: var(--blue) }
.lab .s1 { stroke: var(--orange) }
.lab .s2 { stroke: var(--green) }
.lab .s3 { stroke: var(--purple) }
.lab .s4 { stroke: var(--gold) }
.lab .s5 { stroke: var(--soft); stroke-dasharray: 6 4 }
.lab .s6 { stroke: var(--ink); stroke-dasharray: 1.5 4 }
.lab .bead { stroke: none }
.lab .bead.s0 { fill: var(--blue) }
.lab .bead.s1 { fill: var(--orange) }
.lab .bead.s2 { fill: var(--green) }
.lab .bead.s3 { fill: var(--purple) }
.lab .bead.s4 { fill: var(--gold) }
.lab .bead.s5 { fill: var(--soft) }
.lab .bead.s6 { fill: var(--ink) }
.lab .ringed { stroke: var(--bg); stroke-width: 1 }
";

/// A line: where and how much.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Points, ascending.
    pub points: Vec<[f64; 2]>,
}

impl Series {
    pub(super) fn new(name: impl Into<String>, points: Vec<[f64; 2]>) -> Series {
        Series { name: name.into(), points }
    }

    /// Values at 1, 2, 3, ...
    pub(super) fn counted(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Series {
        let points = values.into_iter().enumerate().map(|(at, value)| [at as f64 + 1.0, value]);
        Series::new(name, points.collect())
    }
}

/// A panel of a picture.
#[derive(Clone, Debug, Serialize)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// Its lines, if that is what it shows.
    pub series: Vec<Series>,
    #[serde(skip)]
    pub(super) size: [f64; 2],
    #[serde(skip)]
    alt: String,
    #[serde(skip)]
    drawing: Markup,
}

impl Panel {
    /// A panel with any drawing of the given height; `alt` says what it shows to those who hear it.
    pub(super) fn drawn(
        title: impl Into<String>,
        alt: impl Into<String>,
        height: f64,
        drawing: Markup,
    ) -> Panel {
        let (title, alt) = (title.into(), alt.into());
        Panel { title, series: Vec::new(), size: [WIDTH, height], alt, drawing }
    }

    pub(super) fn svg(&self, before: Markup) -> Element {
        let [width, height] = self.size;
        el("svg")
            .attr("viewBox", format!("0 0 {width} {height}"))
            .attr("role", "img")
            .attr("aria-label", format!("{}. {}", self.title, self.alt))
            .class("lab chart")
            .with(before)
            .with(self.drawing.clone())
    }
}

/// An axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub name: &'static str,
    pub log: bool,
    pub percent: bool,
    /// What it must reach.
    pub least: Option<f64>,
    /// Beyond this nothing is shown.
    pub most: Option<f64>,
}

impl Axis {
    pub(super) const fn linear(name: &'static str) -> Axis {
        Axis { name, log: false, percent: false, least: None, most: None }
    }

    pub(super) const fn log(name: &'static str) -> Axis {
        Axis { log: true, ..Axis::linear(name) }
    }

    pub(super) const fn percent(name: &'static str) -> Axis {
        Axis { percent: true, ..Axis::linear(name) }
    }

    pub(super) const fn from(self, least: f64) -> Axis {
        Axis { least: Some(least), ..self }
    }

    pub(super) const fn up_to(self, most: f64) -> Axis {
        Axis { most: Some(most), ..self }
    }

    fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Whether a value can be shown at all.
    fn takes(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    fn ends(&self, values: impl Iterator<Item = f64>) -> [f64; 2] {
        let seen = values.filter(|&value| self.takes(value)).chain(self.least);
        let seen = seen.map(|value| self.place(self.most.map_or(value, |most| value.min(most))));
        let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        match (low.is_finite(), high > low) {
            (false, _) => [0.0, 1.0],
            (true, false) => [low - 0.5, high + 0.5],
            (true, true) => [low, high],
        }
    }

    fn ticks(&self, [low, high]: [f64; 2], count: usize) -> Vec<(f64, String)> {
        if !self.log {
            let (places, step) = ticks(low, high, count);
            let text = |x: f64| match self.percent {
                true => format!("{} %", tick(100.0 * x, 100.0 * step)),
                false => tick(x, step),
            };
            return places.into_iter().map(|x| (x, text(x))).collect();
        }
        let (first, last) = ((low - 1e-9).ceil() as i32, (high + 1e-9).floor() as i32);
        let every = ((last - first + 1) as usize).div_ceil(count + 1).max(1);
        let decades = (first..=last).step_by(every).map(|power| (f64::from(power), decade(power)));
        if last - first >= 2 {
            return decades.collect();
        }
        let powers = low.floor() as i32..=high.ceil() as i32;
        let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|times| times * 10f64.powi(power)));
        let inside = all.filter(|x| (low - 1e-9..=high + 1e-9).contains(&x.log10()));
        inside.map(|x| (x.log10(), format!("{}", (x * 1e9).round() / 1e9))).collect()
    }
}

/// A power of ten as it is written: 0.01, 1, 10⁵.
pub(super) fn decade(power: i32) -> String {
    if (-3..=3).contains(&power) {
        return format!("{}", (10f64.powi(power) * 1000.0).round() / 1000.0);
    }
    let digit = |c: char| match c {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        c => char::from_u32(0x2070 + c.to_digit(10).unwrap_or(0)).unwrap_or(c),
    };
    format!("10{}", power.to_string().chars().map(digit).collect::<String>())
}

/// A panel of lines.
pub(super) struct Lines {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Whether points are marked.
    pub dots: bool,
    pub series: Vec<Series>,
}

impl Lines {
    pub(super) fn draw(self) -> Panel {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let shown = |point: &&[f64; 2]| self.x.takes(point[0]) && self.y.takes(point[1]);
        let xs = self.x.ends(points().filter(shown).map(|point| point[0]));
        let ys = self.y.ends(points().filter(shown).map(|point| point[1]));
        let room = 0.04 * (ys[1] - ys[0]);
        let floor = if self.y.least == Some(0.0) { ys[0] } else { ys[0] - room };
        let ys = [floor, ys[1] + room];
        let (legend, top) = self.legend();
        let column = |x: f64| LEFT + (x - xs[0]) / (xs[1] - xs[0]) * (WIDTH - LEFT - RIGHT);
        let row = |y: f64| top + PLOT - (y - ys[0]) / (ys[1] - ys[0]) * PLOT;
        let mut all = legend;
        for (y, text) in self.y.ticks(ys, 5) {
            let at = row(y);
            all.push(el("line").class("grid").at([
                ("x1", LEFT),
                ("x2", WIDTH - RIGHT),
                ("y1", at),
                ("y2", at),
            ]));
            all.push(el("text").class("end soft").at([("x", LEFT - 7.0), ("y", at + 4.0)]).with(text));
        }
        for (x, text) in self.x.ticks(xs, 7) {
            let place = [("x", column(x)), ("y", top + PLOT + 16.0)];
            all.push(el("text").class("mid soft").at(place).with(text));
        }
        let base = top + PLOT;
        all.push(el("line").class("frame").at([
            ("x1", LEFT),
            ("x2", WIDTH - RIGHT),
            ("y1", base),
            ("y2", base),
        ]));
        let middle = [("x", (LEFT + WIDTH - RIGHT) / 2.0), ("y", top + PLOT + 33.0)];
        all.push(el("text").class("mid soft").at(middle).with(self.x.name));
        all.push(el("text").class("soft").at([("x", 0.0), ("y", top - 9.0)]).with(self.y.name));
        // The first line is drawn last, over the others.
        for (at, series) in self.series.iter().enumerate().rev() {
            let every = series.points.len().div_ceil(POINTS).max(1);
            let thinned = series.points.iter().rev().step_by(every).rev();
            let mut run: Vec<[f64; 2]> = Vec::new();
            for &[x, y] in thinned {
                // Where a value cannot be shown, the line ends.
                if !(self.x.takes(x) && self.y.takes(y)) {
                    break;
                }
                let y = self.y.most.map_or(y, |most| y.min(most));
                run.push([column(self.x.place(x)), row(self.y.place(y))]);
            }
            all.push(curve(&run, at, "curve"));
            if self.dots || run.len() == 1 {
                for &[x, y] in &run {
                    let dot = el("circle").class(format!("bead s{at}"));
                    all.push(dot.at([("cx", x), ("cy", y), ("r", 3.0)]));
                }
            }
        }
        let alt = format!("{} over {}; the numbers stand in the table.", self.y.name, self.x.name);
        Panel { title: self.title, series: self.series, size: [WIDTH, base + BOTTOM], alt, drawing: all }
    }

    /// The legend, and where the plot begins below it and the name of the axis.
    fn legend(&self) -> (Markup, f64) {
        let (mut all, mut x, mut y) = (Markup::new(), 0.0, 12.0);
        for (at, series) in self.series.iter().enumerate() {
            let shown = series.points.iter().any(|p| self.x.takes(p[0]) && self.y.takes(p[1]));
            let name = if shown { series.name.clone() } else { format!("{} (0, not shown)", series.name) };
            let wide = 24.0 + width_of(&name) + 14.0;
            if x > 0.0 && x + wide - 14.0 > WIDTH {
                (x, y) = (0.0, y + ROW);
            }
            all.push(curve(&[[x + 1.0, y - 4.0], [x + 18.0, y - 4.0]], at, "curve"));
            all.push(el("text").class("soft").at([("x", x + 24.0), ("y", y)]).with(name));
            x += wide;
        }
        (all, y + 34.0)
    }
}

/// A line through points of the panel, in the colour of a number.
pub(super) fn curve(points: &[[f64; 2]], color: usize, class: &str) -> Element {
    let text: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
    el("polyline").class(format!("{class} s{}", color % 7)).attr("points", text.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_written_as_people_write_them() {
        assert_eq!(
            [-11, -2, 0, 3, 4].map(decade),
            ["10\u{207b}\u{b9}\u{b9}", "0.01", "1", "1000", "10\u{2074}"]
        );
    }

    #[test]
    fn what_a_logarithm_cannot_show_is_named_and_left_out() {
        let series = vec![Series::counted("zeros", [0.0, 0.0]), Series::counted("he", [1.0, 1e-3])];
        let lines =
            Lines { title: "t".into(), x: Axis::linear("layer"), y: Axis::log("size"), dots: true, series };
        let drawn = Markup::from(lines.draw().svg(Markup::new())).into_string();
        assert!(drawn.contains("zeros (0, not shown)") && !drawn.contains("NaN") && !drawn.contains("inf"));
        assert_eq!(drawn.matches("<circle").count(), 2, "{drawn}");
    }

    #[test]
    fn a_legend_that_is_too_wide_goes_on_in_the_next_row() {
        let series = |name: &str| Series::counted(name, [1.0, 2.0]);
        let draw = |names: &[&str]| {
            let series = names.iter().map(|name| series(name)).collect();
            let (x, y) = (Axis::linear("step"), Axis::linear("loss"));
            Lines { title: "t".into(), x, y, dots: false, series }.draw().size[1]
        };
        assert!(width_of("mmm") > width_of("iii"));
        let (one, two) = (
            draw(&["momentum", "nesterov"]),
            draw(&["momentum 0.5 to 0.99", "without momentum", "nesterov"]),
        );
        assert_eq!((two - one).round(), ROW);
    }

    #[test]
    fn a_line_ends_where_it_is_not_finite() {
        let series = vec![Series::counted("diverged", [1.0, 2.0, f64::INFINITY, 1.0])];
        let lines =
            Lines { title: "t".into(), x: Axis::linear("step"), y: Axis::linear("loss"), dots: true, series };
        let drawn = Markup::from(lines.draw().svg(Markup::new())).into_string();
        assert_eq!(drawn.matches("<circle").count(), 2, "{drawn}");
    }
}
