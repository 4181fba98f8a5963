//! What was fitted, as a drawing: a line through points, a probability, or regions of classes with their boundary.

use super::fitted::{Fitted, RegressionReport};
use crate::page::numbers::{plain, tick, ticks};
use crate::page::{Element, Markup, el};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 42.0;
/// Points of a curve, and cells of a map of classes along each axis.
const CURVE: usize = 200;
const CELLS: [usize; 2] = [242, 173];
/// Points drawn; of more, some are left out.
const MOST_POINTS: usize = 2000;
/// Classes with a colour of their own.
pub(super) const COLORS: usize = 6;

/// From values to places.
struct Scale {
    x: [f64; 2],
    y: [f64; 2],
}

fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = values
        .filter(|x| x.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)]);
    let room = 0.05 * (high - low).max(1e-9 * high.abs()).max(1e-12);
    [low - room, high + room]
}

impl Scale {
    fn column(&self, x: f64) -> f64 {
        LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)
    }

    fn row(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - (y - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - BOTTOM - TOP)
    }

    fn axes(&self, x_name: &str, y_name: &str) -> Markup {
        let mut all = Markup::new();
        let (rows, step) = ticks(self.y[0], self.y[1], 6);
        for y in rows {
            let at = self.row(y);
            all.push(el("line").class("grid").at([
                ("x1", LEFT),
                ("x2", WIDTH - RIGHT),
                ("y1", at),
                ("y2", at),
            ]));
            all.push(
                el("text").class("end soft").at([("x", LEFT - 7.0), ("y", at + 4.0)]).with(tick(y, step)),
            );
        }
        let (columns, step) = ticks(self.x[0], self.x[1], 7);
        for x in columns {
            let at = self.column(x);
            all.push(el("line").class("grid").at([
                ("x1", at),
                ("x2", at),
                ("y1", TOP),
                ("y2", HEIGHT - BOTTOM),
            ]));
            let text = el("text").class("mid soft").at([("x", at), ("y", HEIGHT - BOTTOM + 17.0)]);
            all.push(text.with(tick(x, step)));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        all.push(el("text").class("mid").at([("x", middle), ("y", HEIGHT - 4.0)]).with(x_name));
        let upright = (TOP + HEIGHT - BOTTOM) / 2.0;
        let turned =
            el("text").class("mid").attr("transform", format!("translate(14 {upright:.1}) rotate(-90)"));
        all.push(turned.with(y_name));
        all
    }

    fn curve(&self, class: &str, of: impl Fn(f64) -> f64) -> Element {
        let step = (self.x[1] - self.x[0]) / CURVE as f64;
        let points = (0..=CURVE).map(|at| self.x[0] + at as f64 * step).map(|x| (x, of(x)));
        // What leaves the picture far away would only make it large.
        let far = self.y[1] - self.y[0];
        let points = points.filter(|(_, y)| (self.y[0] - far..=self.y[1] + far).contains(y));
        let text: Vec<String> =
            points.map(|(x, y)| format!("{:.1},{:.1}", self.column(x), self.row(y))).collect();
        el("polyline").class(class).attr("points", text.join(" "))
    }

    fn dot(&self, class: &str, x: f64, y: f64, words: String) -> Element {
        let place = [("cx", self.column(x)), ("cy", self.row(y)), ("r", 3.2)];
        el("circle").class(class).at(place).with(el("title").with(words))
    }
}

fn svg(words: &str, content: Markup) -> Option<Element> {
    let clip = el("clipPath").attr("id", "plot").with(el("rect").at([
        ("x", LEFT),
        ("y", TOP),
        ("width", WIDTH - LEFT - RIGHT),
        ("height", HEIGHT - TOP - BOTTOM),
    ]));
    let drawing = el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .class("fitted")
        .attr("role", "img")
        .attr("aria-label", words);
    Some(drawing.with(clip).with(content))
}

/// Colours of a drawing that stands alone, on a light page and on a dark one.
const SHEET: &str = "svg{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;--bg:#fff;\
--ink:#1b1e21;--soft:#61666d;--grid:#ececea;--blue:#0067ab;--orange:#c24e00;--green:#00785a;--purple:#93488a;\
--gold:#a87600}@media(prefers-color-scheme:dark){svg{--bg:#14171a;--ink:#e4e7ea;--soft:#9ba3ac;--grid:#272c32;\
--blue:#58b0ec;--orange:#f0924a;--green:#37c29a;--purple:#d58fc9;--gold:#e3b341}}.ground{fill:var(--bg)}\
text{fill:var(--ink)}.mid{text-anchor:middle}.end{text-anchor:end}text.soft{fill:var(--soft)}\
.grid{stroke:var(--grid)}polyline{fill:none}.b{stroke:var(--orange);stroke-width:2}\
.diagonal{stroke:var(--soft);stroke-dasharray:3 3}.dot{fill:var(--blue);fill-opacity:.6}\
.class0{fill:var(--blue)}.class1{fill:var(--orange)}.class2{fill:var(--green)}.class3{fill:var(--purple)}\
.class4{fill:var(--gold)}.class5{fill:var(--soft)}.region{opacity:.17;shape-rendering:crispEdges}";

/// A file of its own, with a ground, and the names of classes above.
pub(super) fn file(report: &RegressionReport) -> Option<String> {
    const ROW: f64 = 22.0;
    const LETTER: f64 = 7.2;
    let drawing = picture(report)?;
    let (mut legend, mut x, mut y) = (Markup::new(), LEFT, 0.0);
    if let Fitted::Classes { classes, .. } = &report.fitted {
        y = ROW;
        for (k, name) in classes.iter().enumerate() {
            let wide = 34.0 + LETTER * name.chars().count() as f64;
            if x > LEFT && x + wide > WIDTH {
                (x, y) = (LEFT, y + ROW);
            }
            let dot = el("circle").class(format!("class{}", k % COLORS));
            legend.push(dot.at([("cx", x + 5.0), ("cy", y - 2.0), ("r", 4.5)]));
            legend.push(el("text").at([("x", x + 16.0), ("y", y + 2.0)]).with(name));
            x += wide;
        }
    }
    let height = y + HEIGHT + 6.0;
    let all = el("svg")
        .attr("xmlns", "http://www.w3.org/2000/svg")
        .attr("viewBox", format!("0 0 {WIDTH} {height}"))
        .at([("width", WIDTH), ("height", height)])
        .with(el("style").with(Markup::trusted(SHEET)))
        .with(el("rect").class("ground").at([("width", WIDTH), ("height", height)]))
        .with(legend)
        .with(drawing.at([("y", y), ("width", WIDTH), ("height", HEIGHT)]));
    Some(format!("{}\n", Markup::from(all).into_string()))
}

fn clipped(content: Markup) -> Element {
    el("g").attr("clip-path", "url(#plot)").with(content)
}

/// The drawing; nothing where there are more features than a plane shows.
pub(super) fn picture(report: &RegressionReport) -> Option<Element> {
    let design = &report.design;
    let numbers = design.numbers.as_deref();
    let every = design.matrix.rows.div_ceil(MOST_POINTS).max(1);
    let points = || (0..design.matrix.rows).step_by(every);
    match (&report.fitted, numbers) {
        (Fitted::Values { fit, targets }, Some([(name, x)])) => {
            let scale = Scale { x: range(x.iter().copied()), y: range(targets.iter().copied()) };
            let predicted = |at: f64| dot(&fit.coefficients, &design.row_of(&[at]));
            let dots: Markup = points()
                .map(|at| {
                    scale.dot("dot", x[at], targets[at], format!("{} {}", plain(x[at]), plain(targets[at])))
                })
                .map(Markup::from)
                .collect();
            let inside = dots.then(scale.curve("b", predicted));
            let words = format!("{} over {name}, and the fitted line", report.target);
            svg(&words, scale.axes(name, &report.target).then(clipped(inside)))
        }
        (Fitted::Values { fit, targets }, _) => {
            let fitted = design.matrix.times(&fit.coefficients);
            let both = range(targets.iter().chain(&fitted).copied());
            let scale = Scale { x: both, y: both };
            let dots: Markup = points()
                .map(|at| {
                    let words = format!("true {}, fitted {}", plain(targets[at]), plain(fitted[at]));
                    scale.dot("dot", targets[at], fitted[at], words)
                })
                .map(Markup::from)
                .collect();
            let inside = Markup::from(scale.curve("diagonal", |x| x)).then(dots);
            let words = format!("Fitted over true {}; on the diagonal they are equal", report.target);
            let axes = scale.axes(&format!("true {}", report.target), &format!("fitted {}", report.target));
            svg(&words, axes.then(clipped(inside)))
        }
        (Fitted::Classes { fit, labels, classes }, Some([(name, x)])) if classes.len() == 2 => {
            let scale = Scale { x: range(x.iter().copied()), y: [-0.06, 1.06] };
            let probability = |at: f64| fit.probabilities(&design.row_of(&[at]))[1];
            let dots: Markup = points()
                .map(|at| {
                    let words = format!("{} {}: {}", name, plain(x[at]), classes[labels[at]]);
                    scale.dot(&format!("class{}", labels[at]), x[at], labels[at] as f64, words)
                })
                .map(Markup::from)
                .collect();
            let inside = dots.then(scale.curve("b", probability)).then(scale.curve("diagonal", |_| 0.5));
            let y_name = format!("probability of {}", classes[1]);
            svg(&format!("{y_name} over {name}"), scale.axes(name, &y_name).then(clipped(inside)))
        }
        (Fitted::Classes { fit, labels, classes }, Some([(x_name, x), (y_name, y)])) => {
            let scale = Scale { x: range(x.iter().copied()), y: range(y.iter().copied()) };
            let dots: Markup = points()
                .map(|at| {
                    let words = format!(
                        "{} {}, {} {}: {}",
                        x_name,
                        plain(x[at]),
                        y_name,
                        plain(y[at]),
                        classes[labels[at]]
                    );
                    scale.dot(&format!("class{}", labels[at] % COLORS), x[at], y[at], words)
                })
                .map(Markup::from)
                .collect();
            let most_likely = |x: f64, y: f64| {
                let p = fit.probabilities(&design.row_of(&[x, y]));
                (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best })
            };
            let words = format!(
                "The class that is most likely over {x_name} and {y_name}, and the rows of the table"
            );
            let ground = Markup::from(clipped(regions(&scale, most_likely)));
            svg(&words, ground.then(scale.axes(x_name, y_name)).then(clipped(dots)))
        }
        _ => None,
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Cells of one class in a row become one rectangle, all of a class one group: so none is seen through another.
fn regions(scale: &Scale, class: impl Fn(f64, f64) -> usize) -> Markup {
    let [columns, rows] = CELLS;
    let (wide, tall) = ((WIDTH - LEFT - RIGHT) / columns as f64, (HEIGHT - TOP - BOTTOM) / rows as f64);
    // Rounded as it is written, so that neighbours meet.
    let edge = |column: usize| ((LEFT + column as f64 * wide) * 10.0).round() / 10.0;
    let at = |range: [f64; 2], share: f64| range[0] + share * (range[1] - range[0]);
    let mut classes: Vec<(usize, Markup)> = Vec::new();
    for row in 0..rows {
        let y = at(scale.y, (row as f64 + 0.5) / rows as f64);
        let of = |column: usize| class(at(scale.x, (column as f64 + 0.5) / columns as f64), y);
        let (mut begin, mut now) = (0, of(0));
        for column in 1..=columns {
            let next = if column < columns { Some(of(column)) } else { None };
            if next == Some(now) {
                continue;
            }
            let cell = el("rect").at([
                ("x", edge(begin)),
                ("y", HEIGHT - BOTTOM - (row + 1) as f64 * tall),
                ("width", edge(column) - edge(begin)),
                ("height", tall),
            ]);
            match classes.iter_mut().find(|(class, _)| *class == now) {
                Some((_, cells)) => cells.push(cell),
                None => classes.push((now, cell.into())),
            }
            (begin, now) = (column, next.unwrap_or(now));
        }
    }
    let group = |(class, cells): (usize, Markup)| {
        el("g").class(format!("region class{}", class % COLORS)).with(cells)
    };
    classes.into_iter().map(group).collect()
}
