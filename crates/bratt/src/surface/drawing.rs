//! The picture: level lines, the paths, start and minimum.
//!
//! One unit of either axis has the same length, so that a ravine looks like one; only a range that was asked for and is much
//! longer one way than the other is stretched. Colours stand in the style; those of a light page stand in the elements,
//! too, for programs that do not know the style.

use super::{Run, Surface, Variant, run::short};
use crate::page::numbers::{plain, tick, ticks};
use crate::page::{Element, Markup, SURFACE_STYLE, el, tenth};

const WIDTH: f64 = 460.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 38.0;
/// Points of a path that are drawn; of more some are left out.
const MOST_POINTS: usize = 1000;

/// Names in their order, and the colour on a light page.
const COLORS: [(&str, &str); 7] = [
    ("sgd", "#0067ab"),
    ("momentum", "#c24e00"),
    ("nesterov", "#00785a"),
    ("adagrad", "#93488a"),
    ("rmsprop", "#c08a00"),
    ("adam", "#1b1e21"),
    ("adamw", "#8b9096"),
];

/// What the page's style says of colours, for a file of its own.
const LIGHT: &str = "svg{--bg:#fff;--ink:#1b1e21;--soft:#61666d;--line:#e3e3df;--blue:#0067ab;--orange:#c24e00;--green:#00785a;--purple:#93488a;--gold:#c08a00;--grey:#a9aeb4}";
const DARK: &str = "@media(prefers-color-scheme:dark){svg{--bg:#14171a;--ink:#e4e7ea;--soft:#9ba3ac;--line:#2e343a;--blue:#58b0ec;--orange:#f0924a;--green:#37c29a;--purple:#d58fc9;--gold:#e3b341;--grey:#6b747e}}";
/// Beside each other panels are shown smaller, and what is written in them has to be larger.
const BESIDE: &str = ".surface text{font-size:15px}";
const FONT: &str = "svg{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}.ground{fill:var(--bg)}";

fn color(name: &str) -> &'static str {
    COLORS.iter().find(|(known, _)| *known == name).map_or("#1b1e21", |(_, color)| color)
}

/// The steps that are drawn: all, or some of them, and always the last.
pub(super) fn drawn_steps(steps: u64) -> Vec<usize> {
    let steps = steps as usize;
    let every = (steps + 1).div_ceil(MOST_POINTS).max(1);
    let mut all: Vec<usize> = (0..=steps).step_by(every).collect();
    if all.last() != Some(&steps) {
        all.push(steps);
    }
    all
}

/// From values to places in the plot.
struct Scale {
    range: [[f64; 2]; 2],
    width: f64,
    height: f64,
}

impl Scale {
    fn of(variant: &Variant) -> Scale {
        let range = variant.range;
        let width = WIDTH - LEFT - RIGHT;
        let ratio = (range[1][1] - range[1][0]) / (range[0][1] - range[0][0]);
        Scale { range, width, height: width * ratio.clamp(0.4, 1.6) }
    }

    /// A place in the plot; what is far outside stays outside, at a number that can be drawn.
    fn place(&self, at: [f64; 2]) -> [f64; 2] {
        let share = |axis: usize| {
            let [low, high] = self.range[axis];
            ((at[axis] - low) / (high - low)).clamp(-20.0, 21.0)
        };
        [share(0) * self.width, (1.0 - share(1)) * self.height]
    }

    fn text(&self, at: [f64; 2]) -> String {
        let [x, y] = self.place(at);
        format!("{},{}", tenth(x), tenth(y))
    }
}

/// The height of a variant's picture, whose width is fixed.
fn height(variant: &Variant) -> f64 {
    Scale::of(variant).height + TOP + BOTTOM
}

/// The picture of a variant.
pub(super) fn panel(variant: &Variant, steps: u64) -> Element {
    let scale = Scale::of(variant);
    let inside = el("svg")
        .at([("x", LEFT), ("y", TOP), ("width", scale.width), ("height", scale.height)])
        .attr("overflow", "hidden")
        .with(levels(variant, &scale))
        .with(minimum(variant, &scale))
        .with(variant.runs.iter().map(|run| way(run, &scale, steps)).collect::<Markup>())
        .with(start(variant, &scale));
    let frame = el("rect").class("frame").attr("fill", "none").attr("stroke", "#e3e3df").at([
        ("x", LEFT),
        ("y", TOP),
        ("width", scale.width),
        ("height", scale.height),
    ]);
    el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {}", tenth(height(variant))))
        .class("surface")
        .attr("role", "img")
        .attr("aria-label", in_words(variant))
        .with(axes(variant, &scale))
        .with(inside)
        .with(frame)
}

fn in_words(variant: &Variant) -> String {
    let names = variant.ground.problem.parameters();
    format!(
        "Level lines of the cost over {} and {}, and the paths of {}. The numbers stand in the table.",
        names[0],
        names[1],
        variant.runs.iter().map(|run| run.method.optimizer.name()).collect::<Vec<_>>().join(", ")
    )
}

fn axes(variant: &Variant, scale: &Scale) -> Markup {
    let names = variant.ground.problem.parameters();
    let mut all = Markup::new();
    let [x, y] = scale.range;
    let (columns, step) = ticks(x[0], x[1], 6);
    for value in columns {
        let at = LEFT + scale.place([value, y[0]])[0];
        let text = el("text").class("mid").attr("text-anchor", "middle");
        all.push(text.at([("x", at), ("y", TOP + scale.height + 16.0)]).with(tick(value, step)));
    }
    let count = (6.0 * scale.height / scale.width).round().max(2.0) as usize;
    let (rows, step) = ticks(y[0], y[1], count);
    for value in rows {
        let at = TOP + scale.place([x[0], value])[1];
        let text = el("text").class("end").attr("text-anchor", "end");
        all.push(text.at([("x", LEFT - 7.0), ("y", at + 4.0)]).with(tick(value, step)));
    }
    let text = el("text").class("mid strong").attr("text-anchor", "middle");
    let middle = LEFT + scale.width / 2.0;
    all.push(text.at([("x", middle), ("y", TOP + scale.height + 34.0)]).with(&names[0]));
    all.push(el("text").class("strong").at([("x", LEFT), ("y", TOP - 9.0)]).with(&names[1]));
    all
}

fn levels(variant: &Variant, scale: &Scale) -> Markup {
    let levels = variant.grid.levels();
    let count = levels.len().max(2) - 1;
    let line = |(at, &level): (usize, &f64)| {
        let mut path = String::new();
        for line in variant.grid.lines(level) {
            let closed = line.len() > 2 && line.first() == line.last();
            let points: Vec<String> =
                line[..line.len() - usize::from(closed)].iter().map(|&p| scale.text(p)).collect();
            path += &format!("M{}{}", points.join("L"), if closed { "Z" } else { "" });
        }
        // The floor is darkest.
        let opacity = 0.52 - 0.36 * at as f64 / count as f64;
        el("path")
            .class("level")
            .attr("fill", "none")
            .attr("stroke", "#1b1e21")
            .attr("stroke-opacity", format!("{opacity:.2}"))
            .attr("d", path)
            .with(el("title").with(format!("cost {}", plain(level))))
    };
    levels.iter().enumerate().map(line).collect()
}

fn way(run: &Run, scale: &Scale, steps: u64) -> Element {
    let name = run.method.optimizer.name();
    let points: Vec<[f64; 2]> = run.points().collect();
    let last = points.len() - 1;
    let mut shown: Vec<usize> = drawn_steps(steps).into_iter().take_while(|&step| step <= last).collect();
    if shown.last() != Some(&last) {
        shown.push(last);
    }
    let places: Vec<String> = shown.iter().map(|&step| scale.text(points[step])).collect();
    let costs: Vec<String> = shown.iter().map(|&step| plain(run.path.costs[step])).collect();
    let dots: String = places.iter().map(|place| format!("M{place}h0")).collect();
    let [x, y] = scale.place(points[last]);
    let color = color(name);
    el("g")
        .class(name)
        .attr("data-way", name)
        .attr("data-costs", costs.join(" "))
        .with(
            el("polyline")
                .class("way")
                .attr("fill", "none")
                .attr("stroke", color)
                .attr("points", places.join(" ")),
        )
        .with(el("path").class("dots").attr("stroke", color).attr("d", dots))
        .with(el("circle").class("head").attr("fill", color).at([("cx", x), ("cy", y), ("r", 5.0)]))
}

fn start(variant: &Variant, scale: &Scale) -> Element {
    let [x, y] = scale.place(variant.ground.start);
    let place = el("circle").class("place").attr("fill", "none").attr("stroke", "#1b1e21");
    let (right, above) = (x < 0.7 * scale.width, y > 24.0);
    let text = el("text").class(if right { "strong" } else { "strong end" });
    let text = if right { text } else { text.attr("text-anchor", "end") };
    let text = text
        .at([("x", if right { x + 9.0 } else { x - 9.0 }), ("y", if above { y - 9.0 } else { y + 18.0 })]);
    el("g").with(place.at([("cx", x), ("cy", y), ("r", 6.0)])).with(text.with("start"))
}

fn minimum(variant: &Variant, scale: &Scale) -> Option<Element> {
    let [x, y] = scale.place(variant.ground.minimum?);
    let cross = format!("M{},{}h14m-7,-7v14", tenth(x - 7.0), tenth(y));
    let line = |class: &str| {
        el("path").class(class).attr("fill", "none").attr("stroke", "#1b1e21").attr("d", &cross)
    };
    Some(el("g").with(line("place").with(el("title").with("minimum"))))
}

/// What stands beside a variant's name.
pub(super) fn caption(variant: &Variant) -> String {
    match variant.ground.condition() {
        Some(condition) => format!("condition number {}", short(condition)),
        None => "not curved upwards in every direction".into(),
    }
}

/// A file of its own: the panels side by side, and what the colours mean.
pub(super) fn file(surface: &Surface) -> String {
    const GAP: f64 = 24.0;
    const HEAD: f64 = 62.0;
    const LEGEND: f64 = 22.0;
    const ENTRY: f64 = 112.0;
    let count = surface.variants.len() as f64;
    let width = count * WIDTH + (count - 1.0) * GAP;
    let tallest = surface.variants.iter().map(height).fold(0.0, f64::max);
    let names: Vec<&str> = surface
        .variants
        .first()
        .map_or(Vec::new(), |variant| variant.runs.iter().map(|run| run.method.optimizer.name()).collect());
    let per_row = ((width - LEFT) / ENTRY).floor().max(1.0) as usize;
    let rows = names.len().div_ceil(per_row) as f64;
    let total = HEAD + tallest + rows * LEGEND + 20.0;
    let style = el("style")
        .with(Markup::trusted(LIGHT))
        .with(Markup::trusted(DARK))
        .with(Markup::trusted(FONT))
        .with(Markup::trusted(SURFACE_STYLE))
        .with((surface.variants.len() > 1).then(|| Markup::trusted(BESIDE)));
    let mut all = el("svg")
        .attr("xmlns", "http://www.w3.org/2000/svg")
        .attr("viewBox", format!("0 0 {} {}", tenth(width), tenth(total)))
        .at([("width", width), ("height", total)])
        .attr("style", format!("width:{}px;max-width:100%", tenth(width)))
        .class("surface")
        .with(style)
        .with(el("rect").class("ground").attr("fill", "#ffffff").at([("width", width), ("height", total)]))
        .with(heading(&surface.title, if count > 1.0 { 16.0 } else { 14.0 }, LEFT, 24.0, width - LEFT));
    for (at, variant) in surface.variants.iter().enumerate() {
        let left = at as f64 * (WIDTH + GAP);
        let text = match surface.variants.len() {
            1 => caption(variant),
            _ => format!("{}: {}", variant.ground.problem.name(), caption(variant)),
        };
        all = all.with(el("text").at([("x", left + LEFT), ("y", 46.0)]).with(text));
        let place = [("x", left), ("y", HEAD), ("width", WIDTH), ("height", height(variant))];
        all = all.with(panel(variant, surface.steps).at(place));
    }
    for (at, name) in names.into_iter().enumerate() {
        let (x, y) =
            (LEFT + ENTRY * (at % per_row) as f64, HEAD + tallest + LEGEND * (at / per_row) as f64 + 20.0);
        let line = el("line").class("way").attr("stroke", color(name)).attr("stroke-width", "2");
        let line = line.at([("x1", x), ("x2", x + 20.0), ("y1", y - 4.0), ("y2", y - 4.0)]);
        all = all
            .with(el("g").class(name).with(line).with(el("text").at([("x", x + 26.0), ("y", y)]).with(name)));
    }
    format!("{}\n", Markup::from(all).into_string())
}

/// A text that fits: what is too long is pressed together.
fn heading(text: &str, size: f64, x: f64, y: f64, room: f64) -> Element {
    let wanted = text.chars().count() as f64 * 0.56 * size;
    let mut element =
        el("text").class("strong").attr("style", format!("font-size:{size}px")).at([("x", x), ("y", y)]);
    if wanted > room {
        element = element.attr("textLength", tenth(room - 8.0)).attr("lengthAdjust", "spacingAndGlyphs");
    }
    element.with(text)
}
