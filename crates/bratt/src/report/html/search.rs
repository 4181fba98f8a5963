//! The page of a search: each trial a line over parallel axes, one axis a setting, the last the score; and a table.
//!
//! Source: Inselberg, The plane with parallel coordinates, 1985.

use crate::page::numbers::{counted, percent, plain, seconds};
use crate::page::{Element, Markup, el};
use crate::page::{Section, document, tile};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 380.0;
const SIDE: f64 = 70.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 26.0;
/// Characters of a label at an axis; the table has the whole.
const LABEL: usize = 14;

/// A setting that was searched.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchAxis {
    /// Its key.
    pub name: String,
    /// What stands beside the axis, each with its place from 0 (below) to 1.
    pub labels: Vec<(f64, String)>,
}

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchTrial {
    /// Its number, from 1.
    pub number: usize,
    /// Its setting on each axis, as text.
    pub values: Vec<String>,
    /// Where that lies on the axis, from 0 to 1.
    pub places: Vec<f64>,
    /// Epochs that it was trained for.
    pub epochs: usize,
    /// The validation loss of the epoch kept; none if training failed.
    pub loss: Option<f64>,
    /// The validation accuracy of that epoch; none for regression or if training failed.
    pub accuracy: Option<f64>,
    /// Mean F1 of the classes, likewise.
    pub macro_f1: Option<f64>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage {
    /// The name of the search.
    pub name: String,
    /// How it searched, as a sentence.
    pub about: String,
    /// The settings.
    pub axes: Vec<SearchAxis>,
    /// The trials, the best first.
    pub trials: Vec<SearchTrial>,
    /// The name of the score.
    pub score: &'static str,
    /// How good the best is on the test part, in words, if there is one.
    pub test: Option<String>,
    /// The command that trains once more as the best did.
    pub repeat: String,
    /// The version of bratt.
    pub version: String,
}

impl SearchTrial {
    fn score(&self) -> Option<f64> {
        self.accuracy.or(self.loss.map(|loss| -loss))
    }
}

impl SearchPage {
    /// The page: a whole HTML document in one file.
    pub fn to_html(&self) -> String {
        let command = el("div")
            .class("command")
            .with(el("pre").with(el("code").with(&self.repeat)))
            .with(el("button").attr("type", "button").class("copy").attr("hidden", "").with("Copy"));
        let sections = [
            ("trials", "Trials", Markup::from(self.drawing()).then(self.legend())),
            ("table", "Table", self.table()),
            ("repeat", "Repeat", command.into()),
        ];
        let sections = sections.map(|(id, title, content)| Section { id, title, content });
        document(&self.name, &self.version, self.first_screen(), sections.into())
    }

    fn first_screen(&self) -> Markup {
        let best = self.trials.first();
        let figure = |best: &SearchTrial| match (best.accuracy, best.loss) {
            (Some(accuracy), _) => ("validation accuracy", percent(accuracy)),
            (None, Some(loss)) => ("validation loss", plain(loss)),
            (None, None) => ("result", "\u{2013}".into()),
        };
        let (name, shown) = best.map_or(("result", "\u{2013}".into()), figure);
        let of_best = best.map_or(String::new(), |best| format!("trial {}, the best", best.number));
        let epochs: usize = self.trials.iter().map(|trial| trial.epochs).sum();
        let time: f64 = self.trials.iter().map(|trial| trial.seconds).sum();
        let test = self.test.clone().unwrap_or_else(|| "there is no test part".into());
        let tiles = [
            tile(name, shown, of_best),
            tile("trials", self.trials.len().to_string(), counted(self.axes.len(), "setting") + " searched"),
            tile("time", seconds(time), counted(epochs, "epoch") + " in all"),
            tile("test of the best", test, "never used for choosing"),
        ];
        let tiles: Markup = tiles.into_iter().map(|tile| el("div").class("tile").with(tile)).collect();
        Markup::from(
            el("header")
                .with(el("p").class("kicker").with("Search"))
                .with(el("h1").with(&self.name))
                .with(el("p").class("lead").with(&self.about))
                .with(el("div").class("tiles").with(tiles)),
        )
    }

    fn column(&self, at: usize) -> f64 {
        SIDE + at as f64 * (WIDTH - 2.0 * SIDE) / self.axes.len().max(1) as f64
    }

    /// The best line is drawn last, over the others.
    fn drawing(&self) -> Element {
        let scores: Vec<f64> = self.trials.iter().filter_map(SearchTrial::score).collect();
        let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let place = |score: f64| if high > low { (score - low) / (high - low) } else { 1.0 };
        let row = |place: f64| HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP);
        let mut svg = el("svg")
            .attr("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
            .attr("role", "img")
            .attr("aria-label", "Parallel coordinates of all trials; the numbers stand in the table below.")
            .class("parallel");
        for (rank, trial) in self.trials.iter().enumerate().rev() {
            let mut points: Vec<(f64, f64)> =
                trial.places.iter().enumerate().map(|(at, &place)| (self.column(at), row(place))).collect();
            points.extend(trial.score().map(|score| (self.column(self.axes.len()), row(place(score)))));
            let class = match (rank, trial.score()) {
                (_, None) => "failed",
                (0, _) => "best",
                (rank, _) if 4 * rank < self.trials.len() => "near",
                _ => "rest",
            };
            let text: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let line = el("polyline").class(class).attr("points", text.join(" "));
            svg = svg.with(line.with(el("title").with(self.in_words(trial))));
        }
        let score = |score: f64| if score < 0.0 { plain(-score) } else { percent(score) };
        let ends = if scores.is_empty() { Vec::new() } else { vec![(0.0, score(low)), (1.0, score(high))] };
        let axes = self.axes.iter().map(|axis| (axis.name.as_str(), &axis.labels));
        for (at, (name, labels)) in axes.chain([(self.score, &ends)]).enumerate() {
            let x = self.column(at);
            svg = svg.with(el("line").class("axis").at([
                ("x1", x),
                ("x2", x),
                ("y1", row(0.0)),
                ("y2", row(1.0)),
            ]));
            svg = svg.with(el("text").class("mid strong").at([("x", x), ("y", 14.0)]).with(name));
            for (place, label) in labels {
                let short: String = label.chars().take(LABEL).collect();
                let short = if short.len() < label.len() { format!("{short}\u{2026}") } else { short };
                let last = at == self.axes.len();
                let (class, x) = if last { ("soft", x + 8.0) } else { ("soft end", x - 8.0) };
                svg = svg.with(el("text").class(class).at([("x", x), ("y", row(*place) + 4.0)]).with(short));
            }
        }
        el("figure").with(el("div").class("scroll").with(svg))
    }

    fn legend(&self) -> Element {
        let names = [
            ("best", "the best"),
            ("near", "the best quarter"),
            ("rest", "the others"),
            ("failed", "diverged"),
        ];
        let failed = self.trials.iter().any(|trial| trial.score().is_none());
        let shown = names.into_iter().filter(|(class, _)| *class != "failed" || failed);
        let entry = |(class, name): (&str, &str)| {
            el("span").with(el("i").class(format!("line {class}"))).with(name.to_string())
        };
        el("p").class("legend").with(shown.map(entry).collect::<Markup>())
    }

    fn in_words(&self, trial: &SearchTrial) -> String {
        let settings: Vec<String> = self
            .axes
            .iter()
            .zip(&trial.values)
            .map(|(axis, value)| format!("{} {value}", axis.name))
            .collect();
        let result = match (trial.accuracy, trial.loss) {
            (Some(accuracy), _) => format!("accuracy {}", percent(accuracy)),
            (None, Some(loss)) => format!("loss {}", plain(loss)),
            (None, None) => "diverged".into(),
        };
        format!("trial {}: {result}; {}", trial.number, settings.join(", "))
    }

    fn table(&self) -> Markup {
        let number = ["trial", "epochs", "val loss", "accuracy", "macro-F1", "time"];
        let head = number.iter().map(|name| (*name, "num"));
        let head = head.chain(self.axes.iter().map(|axis| (axis.name.as_str(), "")));
        let head: Markup = head
            .map(|(name, class)| {
                let button = el("button").attr("type", "button").with(name);
                el("th").attr("scope", "col").class(class).with(button)
            })
            .collect();
        let cell = |value: Option<f64>, show: &dyn Fn(f64) -> String| {
            // What has no number comes last when sorted by the largest.
            let sorted = value.unwrap_or(-1.0);
            let shown = value.map_or("\u{2013}".into(), show);
            el("td").class("num").attr("data-value", format!("{sorted:.9}")).with(shown)
        };
        let row = |(rank, trial): (usize, &SearchTrial)| {
            let numbers = [
                cell(Some(trial.epochs as f64), &|x| format!("{x:.0}")),
                cell(trial.loss, &plain),
                cell(trial.accuracy, &percent),
                cell(trial.macro_f1, &percent),
                cell(Some(trial.seconds), &seconds),
            ];
            let values: Markup =
                trial.values.iter().map(|value| el("td").with(el("code").with(value))).collect();
            let name = el("th").attr("scope", "row").class("num").attr("data-value", trial.number);
            el("tr")
                .class(if rank == 0 { "kept" } else { "" })
                .with(name.with(trial.number.to_string()))
                .with(numbers.into_iter().map(Markup::from).collect::<Markup>())
                .with(values)
        };
        let rows: Markup = self.trials.iter().enumerate().map(row).collect();
        let table = el("table")
            .class("slim sortable")
            .with(el("thead").with(el("tr").with(head)))
            .with(el("tbody").with(rows));
        let note = "The best first. Figures are of the validation part, at the epoch that was kept. Choose a column's name \
                    to sort by it.";
        Markup::new().then(el("p").class("note").with(note)).then(el("div").class("scroll").with(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> SearchPage {
        let trial = |number: usize, accuracy: Option<f64>| SearchTrial {
            number,
            values: vec!["1e-3".into(), "adam <".into()],
            places: vec![0.25, 1.0],
            epochs: 10,
            loss: accuracy.map(|x| 1.0 - x),
            accuracy,
            macro_f1: accuracy,
            seconds: 1.5,
        };
        SearchPage {
            name: "digits-search".into(),
            about: "Three trials.".into(),
            axes: vec![
                SearchAxis {
                    name: "optim.lr".into(),
                    labels: vec![(0.0, "1e-4".into()), (1.0, "0.1".into())],
                },
                SearchAxis {
                    name: "optim.type".into(),
                    labels: vec![(0.0, "sgd".into()), (1.0, "adam <".into())],
                },
            ],
            trials: vec![trial(2, Some(0.9)), trial(1, Some(0.5)), trial(3, None)],
            score: "accuracy",
            test: Some("89.0 %".into()),
            repeat: "bratt train --config runs/s/2/config.toml".into(),
            version: "1".into(),
        }
    }

    #[test]
    fn every_trial_is_a_line_and_a_row_and_the_best_is_marked() {
        let html = page().to_html();
        assert_eq!(html.matches("<polyline").count(), 3);
        assert_eq!(html.matches("class=\"best\"").count(), 1);
        // The best ends at the top of the last axis, the worst at its bottom; one that failed has no score.
        assert!(html.contains("890.0,34.0\""), "{html}");
        assert!(html.contains("890.0,354.0\""));
        assert_eq!(html.matches("890.0,").count(), 2);
        assert_eq!(html.matches("class=\"kept\"").count(), 1);
        assert!(html.contains("trial 2: accuracy 90.0\u{202f}%; optim.lr 1e-3, optim.type adam &lt;"));
        assert!(!html.contains("adam <") && !html.contains("http://") && !html.contains("https://"));
    }
}
