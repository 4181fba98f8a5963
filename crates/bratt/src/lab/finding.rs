//! What an experiment found: a table, a conclusion, panels; as text, as a page, as one drawing.

use super::plot::{Panel, SHEET, decade};
use crate::page::numbers::{percent, plain};
use crate::page::{Element, Markup, Section, document, el};
use serde::{Serialize, Serializer};

/// Panels of one drawing stand in so many columns, this far apart.
const COLUMNS: usize = 2;
const GAP: f64 = 24.0;
const TITLE: f64 = 26.0;
/// The sheet's colours as they are on paper, for drawings that stand alone.
const PAPER: [(&str, &str); 10] = [
    ("var(--bg)", "#ffffff"),
    ("var(--ink)", "#1b1e21"),
    ("var(--soft)", "#61666d"),
    ("var(--line)", "#d4d4cf"),
    ("var(--grid)", "#ececea"),
    ("var(--blue)", "#0067ab"),
    ("var(--orange)", "#c24e00"),
    ("var(--green)", "#00785a"),
    ("var(--purple)", "#93488a"),
    ("var(--gold)", "#a87600"),
];

/// A number in a sentence: three digits.
pub(super) fn brief(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { "0".into() } else { "no finite number".into() };
    }
    let power = x.abs().log10().floor();
    if (-4.0..5.0).contains(&power) {
        let digits = (2.0 - power).max(0.0) as usize;
        return format!("{x:.digits$}").replace('-', "\u{2212}");
    }
    let times = format!("{:.1}", x / 10f64.powf(power)).replace('-', "\u{2212}");
    format!("{times} \u{b7} {}", decade(power as i32))
}

/// Prose with what stands between backquotes as code.
fn prose(text: &str) -> Markup {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => Markup::from(part),
        _ => el("code").with(part).into(),
    };
    text.split('`').enumerate().map(part).collect()
}

/// An entry of the table.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// A word.
    Text(String),
    /// A number.
    Number(f64),
    /// A number of things.
    Count(usize),
    /// A share from 0 to 1.
    Share(f64),
    /// Nothing to tell.
    Nothing,
}

impl Cell {
    /// The entry as people read it.
    pub fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(x) if x.is_finite() => plain(*x),
            Cell::Number(_) => "not finite".into(),
            Cell::Count(n) => crate::page::numbers::thousands(*n),
            Cell::Share(x) => percent(*x),
            Cell::Nothing => "\u{2013}".into(),
        }
    }

    /// Whether it stands to the right, as numbers do.
    pub fn is_number(&self) -> bool {
        !matches!(self, Cell::Text(_))
    }
}

impl Serialize for Cell {
    /// A bare string or number; what is not finite, or not there, is null.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Text(text) => to.serialize_str(text),
            Cell::Number(x) | Cell::Share(x) if x.is_finite() => to.serialize_f64(*x),
            Cell::Count(n) => to.serialize_u64(*n as u64),
            Cell::Number(_) | Cell::Share(_) | Cell::Nothing => to.serialize_none(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(x: f64) -> Cell {
        Cell::Number(x)
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Cell {
        Cell::Count(n)
    }
}

/// What an experiment found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The experiment's name.
    pub name: &'static str,
    /// What it is about, as a title.
    pub title: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// What was done, as sentences.
    pub setup: String,
    /// The equations at work, a line each.
    pub equations: &'static str,
    /// Where the lesson comes from.
    pub source: &'static str,
    /// The seed that it ran with.
    pub seed: u64,
    /// Names of the table's columns.
    pub head: Vec<&'static str>,
    /// The table.
    pub rows: Vec<Vec<Cell>>,
    /// What the numbers show, in a sentence or two.
    pub conclusion: String,
    /// Whether they show the lesson.
    pub shown: bool,
    /// The pictures; lines with their numbers.
    pub panels: Vec<Panel>,
}

impl Finding {
    /// The row that begins with a word.
    #[cfg(test)]
    pub(super) fn row(&self, first: &str) -> &[Cell] {
        let is = |row: &&Vec<Cell>| row.first().is_some_and(|cell| cell.shown() == first);
        self.rows.iter().find(is).unwrap_or_else(|| panic!("no row {first:?}"))
    }

    /// A page: a whole HTML document in one file that loads nothing.
    pub fn to_html(&self) -> String {
        let verdict =
            el("p").class(if self.shown { "verdict good" } else { "verdict" }).with(prose(&self.conclusion));
        let first = el("header")
            .with(el("p").class("kicker").with(format!("Lab \u{b7} {}", self.name)))
            .with(el("h1").with(self.title))
            .with(el("p").class("lead").with(self.question));
        let numbers = Markup::from(verdict).then(el("div").class("scroll").with(self.table()));
        let explained = Markup::new()
            .then(el("p").with(prose(&self.setup)))
            .then(el("div").class("command").with(el("pre").with(el("code").with(self.equations))))
            .then(el("p").class("note").with(format!("Source: {}", self.source)));
        let command = el("div")
            .class("command")
            .with(el("pre").with(el("code").with(format!("bratt lab {} --seed {}", self.name, self.seed))))
            .with(el("button").attr("type", "button").class("copy").attr("hidden", "").with("Copy"));
        let sections = [
            ("finding", "Finding", numbers),
            ("picture", "Picture", self.pictures()),
            ("computed", "What was computed", explained),
            ("repeat", "Repeat", command.into()),
        ];
        let sections = sections.map(|(id, title, content)| Section { id, title, content });
        document(self.title, env!("CARGO_PKG_VERSION"), first.into(), sections.into())
    }

    fn table(&self) -> Element {
        let numeric = |at: usize| self.rows.iter().any(|row| row.get(at).is_some_and(Cell::is_number));
        let class = |at: usize| if numeric(at) { "num" } else { "" };
        let head = self.head.iter().enumerate();
        let head = head.map(|(at, name)| el("th").attr("scope", "col").class(class(at)).with(*name));
        let row = |row: &Vec<Cell>| {
            let cell = |(at, cell): (usize, &Cell)| match at {
                0 => el("th").attr("scope", "row").class(class(at)).with(cell.shown()),
                _ => el("td").class(class(at)).with(cell.shown()),
            };
            el("tr").with(row.iter().enumerate().map(cell).collect::<Markup>())
        };
        el("table")
            .class("slim")
            .with(el("thead").with(el("tr").with(head.collect::<Markup>())))
            .with(el("tbody").with(self.rows.iter().map(row).collect::<Markup>()))
    }

    fn pictures(&self) -> Markup {
        let figure = |(at, panel): (usize, &Panel)| {
            let sheet = (at == 0).then(|| el("style").with(Markup::trusted(SHEET)));
            el("figure")
                .class("plot")
                .with(el("figcaption").with(el("b").with(&panel.title)))
                .with(panel.svg(sheet.into()))
        };
        let all: Markup = self.panels.iter().enumerate().map(figure).collect();
        el("div").class("plots").with(all).into()
    }

    /// All panels as one SVG document, in the colours of paper.
    pub fn to_svg(&self) -> String {
        let columns = COLUMNS.min(self.panels.len()).max(1);
        let wide = self.panels.iter().map(|panel| panel.size[0]).fold(0.0, f64::max);
        let rows: Vec<&[Panel]> = self.panels.chunks(columns).collect();
        let tall = |row: &&[Panel]| row.iter().map(|panel| panel.size[1]).fold(0.0, f64::max) + TITLE + GAP;
        let width = columns as f64 * (wide + GAP) + GAP;
        let height = rows.iter().map(tall).sum::<f64>() + GAP;
        let mut all = Markup::from(el("style").with(Markup::trusted(SHEET)))
            .then(el("title").with(self.title))
            .then(el("rect").class("paper").at([("width", width), ("height", height)]));
        let mut y = GAP;
        for row in rows {
            for (column, panel) in row.iter().enumerate() {
                let x = GAP + column as f64 * (wide + GAP);
                let title = el("text").class("title").at([("x", x), ("y", y + 14.0)]).with(&panel.title);
                let [w, h] = panel.size;
                let place = [("x", x), ("y", y + TITLE), ("width", w), ("height", h)];
                all = all.then(title).then(panel.svg(Markup::new()).at(place));
            }
            y += tall(&row);
        }
        let svg = el("svg")
            .attr("xmlns", "http://www.w3.org/2000/svg")
            .attr("viewBox", format!("0 0 {width} {height}"))
            .at([("width", width), ("height", height)])
            .class("lab")
            .with(all);
        let text = format!("{}\n", Markup::from(svg).into_string());
        PAPER.iter().fold(text, |text, (name, color)| text.replace(name, color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_sentences_have_three_digits() {
        let found = [0.0, 12345.6, 20.773, 0.91804, -0.0012345, 2.5e10].map(brief);
        assert_eq!(found, ["0", "12346", "20.8", "0.918", "\u{2212}0.00123", "2.5 \u{b7} 10\u{b9}\u{2070}"]);
    }

    #[test]
    fn backquotes_become_code() {
        assert_eq!(prose("a `b<` c").into_string(), "a <code>b&lt;</code> c");
    }
}
