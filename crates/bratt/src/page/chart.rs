//! A line chart.
//!
//! Coordinates are fixed, and the drawing is scaled to the room that there is; it is narrow enough that its text can be
//! read on a phone. Over the plot lie invisible strips, one for each place where there are values: the one under the
//! pointer, or the one chosen with the arrow keys, shows a guide and its numbers. That is done by style alone; the
//! script only moves the choice.

use super::markup::{Element, Markup, el, tenth};
use super::numbers::{plain, tick, ticks};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 264.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 34.0;
/// Places with numbers; of more, some are left out.
const STRIPS: usize = 200;
/// Points of a line; of more, some are left out.
const POINTS: usize = 1200;

/// A line.
pub(crate) struct Line {
    pub name: &'static str,
    /// One of the style's classes of lines: `a`, `b`, `c` or `faint`.
    pub class: &'static str,
    /// Where and how much, ascending.
    pub points: Vec<[f64; 2]>,
}

/// What is drawn.
pub(crate) struct Chart {
    pub title: &'static str,
    pub x: &'static str,
    /// Places are logarithms to base 10.
    pub log_x: bool,
    /// Values are shares, shown in percent.
    pub percent: bool,
    /// Whether the axis begins at 0.
    pub from_zero: bool,
    /// No value is above this.
    pub limit: Option<f64>,
    pub lines: Vec<Line>,
    /// A place to point out, and what to call it.
    pub mark: Option<(f64, String)>,
}

impl Chart {
    /// The chart under its title; nothing where there are no points.
    pub fn draw(&self) -> Markup {
        let seen: Vec<&Line> = self.lines.iter().filter(|line| !line.points.is_empty()).collect();
        if seen.is_empty() {
            return Markup::new();
        }
        let scale = self.scale(&seen);
        let mut drawing = el("svg")
            .attr("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
            .attr("role", "img")
            .attr("aria-label", self.in_words(&seen))
            .attr("tabindex", "0")
            .class("chart")
            .with(self.axes(&scale));
        if let Some((x, name)) = &self.mark {
            drawing = drawing.with(self.marked(&scale, *x, name));
        }
        for line in &seen {
            drawing = drawing.with(curve(&scale, line));
        }
        drawing = drawing.with(self.strips(&scale, &seen));
        let legend: Markup = seen
            .iter()
            .map(|line| el("span").with(el("i").class(format!("line {}", line.class))).with(line.name))
            .collect();
        let caption =
            el("figcaption").with(el("b").with(self.title)).with(el("span").class("legend").with(legend));
        el("figure").class("plot").with(caption).with(drawing).into()
    }

    fn scale(&self, lines: &[&Line]) -> Scale {
        let points = || lines.iter().flat_map(|line| &line.points);
        let range = |axis: usize, of: &dyn Fn(&[f64]) -> (f64, f64)| {
            let mut values: Vec<f64> = points().map(|point| point[axis]).filter(|x| x.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            of(&values)
        };
        let (least, most) = range(0, &|x| (x[0], x[x.len() - 1]));
        let x = if self.log_x { [least, most.max(least + 1e-9)] } else { [0.0, most.max(1e-9)] };
        // A few wild steps at the beginning must not press all else to the ground.
        let calm = lines.iter().filter(|line| line.class != "faint").flat_map(|line| &line.points);
        let calm = calm.map(|point| point[1]).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = range(1, &|y| {
            let top = y[((y.len() - 1) as f64 * 0.98).ceil() as usize];
            (y[0], if calm.is_finite() { calm.max(top) } else { y[y.len() - 1] })
        });
        let low = if self.from_zero { low.min(0.0) } else { low };
        let room = if high > low { 0.06 * (high - low) } else { 0.5 * high.abs().max(1e-9) };
        let low = if self.from_zero { low } else { low - room };
        let high = self.limit.map_or(high + room, |limit| (high + room).min(limit));
        Scale { x, y: [low, high.max(low + 1e-12)] }
    }

    fn show(&self, y: f64) -> String {
        if self.percent { format!("{:.1} %", 100.0 * y) } else { plain(y) }
    }

    fn axes(&self, scale: &Scale) -> Markup {
        let mut all = Markup::new();
        let (rows, step) = ticks(scale.y[0], scale.y[1], 5);
        for y in rows {
            let at = scale.row(y);
            let text =
                if self.percent { format!("{} %", tick(100.0 * y, 100.0 * step)) } else { tick(y, step) };
            all.push(el("line").class("grid").at([
                ("x1", LEFT),
                ("x2", WIDTH - RIGHT),
                ("y1", at),
                ("y2", at),
            ]));
            all.push(el("text").class("end").at([("x", LEFT - 7.0), ("y", at + 4.0)]).with(text));
        }
        let (columns, step) = ticks(scale.x[0], scale.x[1], 6);
        for x in columns.into_iter().filter(|x| (x - x.round()).abs() < 1e-9) {
            let text = el("text").class("mid").at([("x", scale.column(x)), ("y", HEIGHT - BOTTOM + 17.0)]);
            all.push(text.with(if self.log_x { tick(10f64.powf(x), 0.0) } else { tick(x, step.max(1.0)) }));
        }
        let name =
            el("text").class("mid soft").at([("x", (LEFT + WIDTH - RIGHT) / 2.0), ("y", HEIGHT - 2.0)]);
        all.push(name.with(self.x));
        all
    }

    fn marked(&self, scale: &Scale, x: f64, name: &str) -> Element {
        let at = scale.column(x);
        let end = at > WIDTH - RIGHT - 90.0;
        let text = el("text").class(if end { "end soft" } else { "soft" });
        let text = text.at([("x", if end { at - 5.0 } else { at + 5.0 }), ("y", TOP - 3.0)]).with(name);
        let line = el("line").class("mark").at([
            ("x1", at),
            ("x2", at),
            ("y1", TOP - 12.0),
            ("y2", HEIGHT - BOTTOM),
        ]);
        el("g").class("marked").with(line).with(text)
    }

    fn strips(&self, scale: &Scale, lines: &[&Line]) -> Markup {
        let named: Vec<&&Line> = lines.iter().filter(|line| line.class != "faint").collect();
        let mut places: Vec<f64> =
            named.iter().flat_map(|line| line.points.iter().map(|point| point[0])).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let every = places.len().div_ceil(STRIPS).max(1);
        let places: Vec<f64> = places.into_iter().rev().step_by(every).rev().collect();
        let between = |a: f64, b: f64| (scale.column(a) + scale.column(b)) / 2.0;
        let strip = |(at, &x): (usize, &f64)| {
            let left = if at > 0 { between(places[at - 1], x) } else { LEFT };
            let right = places.get(at + 1).map_or(WIDTH - RIGHT, |&next| between(x, next));
            let column = scale.column(x);
            let mut shown = el("g").class("shown").with(el("line").class("guide").at([
                ("x1", column),
                ("x2", column),
                ("y1", TOP),
                ("y2", HEIGHT - BOTTOM),
            ]));
            let digits = if x.fract() == 0.0 { 1.0 } else { 0.01 };
            let place = if self.log_x { plain(10f64.powf(x)) } else { tick(x, digits) };
            let mut words = vec![format!("{} {place}", self.x)];
            for line in &named {
                let Some(point) = line.points.iter().find(|point| point[0] == x) else { continue };
                let dot = el("circle").class(line.class).at([
                    ("cx", column),
                    ("cy", scale.row(point[1])),
                    ("r", 3.5),
                ]);
                shown = shown.with(dot);
                words.push(match named.len() {
                    1 => self.show(point[1]),
                    _ => format!("{} {}", line.name, self.show(point[1])),
                });
            }
            let text = el("text").class("end told").at([("x", WIDTH - RIGHT), ("y", 9.0)]);
            let hit = el("rect").class("hit").at([
                ("x", left),
                ("y", 0.0),
                ("width", (right - left).max(0.1)),
                ("height", HEIGHT - BOTTOM),
            ]);
            el("g").class("at").with(hit).with(shown.with(text.with(words.join("  \u{b7}  "))))
        };
        places.iter().enumerate().map(strip).collect()
    }

    /// What the drawing shows, for those who hear it.
    fn in_words(&self, lines: &[&Line]) -> String {
        let line = |line: &&&Line| {
            let (first, last) = (line.points.first()?, line.points.last()?);
            Some(format!("{} from {} to {}", line.name, self.show(first[1]), self.show(last[1])))
        };
        let told: Vec<String> =
            lines.iter().filter(|line| line.class != "faint").filter_map(|l| line(&l)).collect();
        let below = if self.log_x { "" } else { " The numbers stand in the table below." };
        format!("{} over {}s: {}.{below}", self.title, self.x, told.join("; "))
    }
}

/// From values to places.
struct Scale {
    x: [f64; 2],
    y: [f64; 2],
}

impl Scale {
    fn column(&self, x: f64) -> f64 {
        LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)
    }

    fn row(&self, y: f64) -> f64 {
        let share = (y - self.y[0]) / (self.y[1] - self.y[0]);
        HEIGHT - BOTTOM - share.clamp(0.0, 1.03) * (HEIGHT - BOTTOM - TOP)
    }
}

fn curve(scale: &Scale, line: &Line) -> Element {
    let every = line.points.len().div_ceil(POINTS).max(1);
    let finite = line.points.iter().filter(|point| point[1].is_finite());
    let points: Vec<[f64; 2]> = finite.map(|&[x, y]| [scale.column(x), scale.row(y)]).collect();
    if let [only] = points[..] {
        return el("circle").class(line.class).at([("cx", only[0]), ("cy", only[1]), ("r", 3.5)]);
    }
    let place = |[x, y]: &[f64; 2]| format!("{},{}", tenth(*x), tenth(*y));
    let text: Vec<String> = points.iter().rev().step_by(every).rev().map(place).collect();
    el("polyline").class(line.class).attr("points", text.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<[f64; 2]>) -> Chart {
        let lines = vec![Line { name: "validation", class: "b", points }];
        let (percent, from_zero, limit) = (false, true, None);
        Chart {
            title: "Loss",
            x: "epoch",
            log_x: false,
            percent,
            from_zero,
            limit,
            lines,
            mark: Some((1.0, "kept".into())),
        }
    }

    #[test]
    fn points_lie_inside_and_every_epoch_has_its_numbers() {
        let drawn = chart(vec![[1.0, 2.5], [2.0, 1.0], [3.0, 0.5]]).draw().into_string();
        assert!(drawn.contains("<polyline class=\"b\" points=\""), "{drawn}");
        for told in ["epoch 1  \u{b7}  2.500", "epoch 3  \u{b7}  0.5000", "validation from 2.500 to 0.5000"] {
            assert!(drawn.contains(told), "{told}: {drawn}");
        }
    }

    #[test]
    fn a_single_epoch_is_a_dot_and_none_is_nothing() {
        assert!(chart(vec![[1.0, 2.5]]).draw().into_string().contains("<circle"));
        assert!(chart(Vec::new()).draw().is_empty());
        assert!(!chart(vec![[1.0, f64::NAN], [2.0, 1.0]]).draw().into_string().contains("NaN,"));
    }

    #[test]
    fn a_thousand_epochs_stay_small() {
        let points = (1..=10_000).map(|epoch| [f64::from(epoch), 1.0 / f64::from(epoch)]).collect();
        let drawn = chart(points).draw().into_string();
        assert!(drawn.len() < 150_000, "{}", drawn.len());
        assert!(drawn.contains("epoch 10000"), "the last epoch is there");
    }
}
