//! A regression as one HTML page: coefficients, the picture, the cost of gradient descent.

use super::fitted::{Coefficients, Fitted, RegressionReport};
use super::picture::{COLORS, file, picture};
use crate::page::numbers::{percent, plain, thousands};
use crate::page::{Chart, Line, Markup, Section, document, el, tile};

impl RegressionReport {
    /// The picture alone, as an SVG file; nothing where there are more features than a plane shows.
    pub fn to_svg(&self) -> Option<String> {
        file(self)
    }

    /// The page: a whole HTML document in one file.
    pub fn to_html(&self) -> String {
        let figure = picture(self).map(|picture| el("figure").with(picture).with(self.legend()));
        let figure = Markup::from(figure);
        let command = el("div")
            .class("command")
            .with(el("pre").with(el("code").with(&self.repeat)))
            .with(el("button").attr("type", "button").class("copy").attr("hidden", "").with("Copy"));
        let sections = [
            ("picture", "Picture", figure),
            ("coefficients", "Coefficients", self.tables()),
            ("descent", "Gradient descent", self.descent()),
            ("repeat", "Repeat", command.into()),
        ];
        let there = sections.into_iter().filter(|(_, _, content)| !content.is_empty());
        let sections = there.map(|(id, title, content)| Section { id, title, content }).collect();
        document(&self.name, &self.version, self.first_screen(), sections)
    }

    fn first_screen(&self) -> Markup {
        let quality = match &self.fitted {
            Fitted::Values { fit, .. } => tile("R\u{b2}", plain(fit.r_squared), "of the variance explained"),
            Fitted::Classes { fit, .. } => {
                tile("right", percent(fit.accuracy), "of the rows that it was fitted to")
            }
        };
        let rows = thousands(self.design.matrix.rows);
        let gaps: usize = self.design.missing.iter().map(|(_, count)| count).sum();
        let about =
            if gaps == 0 { "without gaps".into() } else { format!("{gaps} cells are missing in others") };
        let spread = match &self.fitted {
            Fitted::Values { fit, .. } => fit
                .residual_sd
                .map_or(String::new(), |sd| format!("standard deviation of the residuals {}", plain(sd))),
            Fitted::Classes { fit, .. } => format!("Newton's method: {} steps", fit.steps),
        };
        let tiles = [
            quality,
            tile("rows", rows, about),
            tile("terms", self.design.names.len().to_string(), format!("target {}", self.target)),
            tile("cost J", plain(self.fitted.cost()), spread),
        ];
        let tiles: Markup = tiles.into_iter().map(|tile| el("div").class("tile").with(tile)).collect();
        el("header")
            .with(el("p").class("kicker").with(format!("{} regression", self.kind)))
            .with(el("h1").with(&self.name))
            .with(el("div").class("tiles").with(tiles))
            .into()
    }

    fn legend(&self) -> Markup {
        let Fitted::Classes { classes, .. } = &self.fitted else { return Markup::new() };
        let entry = |(k, name): (usize, &String)| {
            el("span").with(el("i").class(format!("swatch class{}", k % COLORS))).with(name)
        };
        el("p").class("legend").with(classes.iter().enumerate().map(entry).collect::<Markup>()).into()
    }

    fn tables(&self) -> Markup {
        let mut all = Markup::new();
        for Coefficients { class, values: coefficients, standard_errors: errors } in self.fitted.tables() {
            if let (Some(class), Fitted::Classes { classes, .. }) = (class, &self.fitted) {
                all.push(el("h3").with(format!("{class} against {}", classes[0])));
            }
            let head: Markup = ["term", "coefficient", "standard error", "ratio"]
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    el("th").attr("scope", "col").class(if at == 0 { "" } else { "num" }).with(*name)
                })
                .collect();
            let row = |(at, b): (usize, &f64)| {
                let error = errors.map(|errors| errors[at]);
                let cell = |x: Option<f64>| el("td").class("num").with(x.map_or("\u{2013}".into(), plain));
                el("tr")
                    .with(el("th").attr("scope", "row").with(el("code").with(&self.design.names[at])))
                    .with(cell(Some(*b)))
                    .with(cell(error))
                    .with(cell(error.map(|error| b / error)))
            };
            let rows: Markup = coefficients.iter().enumerate().map(row).collect();
            let table = el("table")
                .class("fit")
                .with(el("thead").with(el("tr").with(head)))
                .with(el("tbody").with(rows));
            all.push(el("div").class("scroll").with(table));
        }
        all
    }

    fn descent(&self) -> Markup {
        if self.costs.len() < 2 {
            return Markup::new();
        }
        let points = (0..).zip(&self.costs).map(|(k, &cost)| [f64::from(k), cost]).collect();
        let line = Line { name: "gradient descent", class: "a", points };
        let last = (self.costs.len() - 1) as f64;
        let exact = self.fitted.cost();
        let floor = Line { name: "the exact minimum", class: "c", points: vec![[0.0, exact], [last, exact]] };
        let chart = Chart {
            title: "Cost J",
            x: "step",
            log_x: false,
            percent: false,
            from_zero: true,
            limit: None,
            lines: vec![line, floor],
            mark: None,
        };
        el("div").class("plots").with(chart.draw()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Design, Terms, classify, least_squares};
    use super::*;
    use crate::data::Columns;

    fn report(text: &str, features: &[&str], linear: bool) -> RegressionReport {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let table = Columns::read(&path).unwrap();
        let features: Vec<String> = features.iter().map(ToString::to_string).collect();
        let design = Design::new(&table, &features, "y", &Terms::default()).unwrap();
        let y: Vec<f64> =
            text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
        let fitted = if linear {
            Fitted::Values { fit: least_squares(&design, &y, 0.0).unwrap(), targets: y }
        } else {
            let labels: Vec<usize> = y.iter().map(|y| *y as usize).collect();
            let classes = vec!["no".into(), "<yes>".into()];
            Fitted::Classes { fit: classify(&design, &labels, 2, 0.1).unwrap(), labels, classes }
        };
        RegressionReport {
            name: "t.csv".into(),
            kind: "linear",
            target: "y".into(),
            design,
            fitted,
            costs: vec![2.0, 1.0, 0.5],
            repeat: "bratt fit t.csv".into(),
            version: "1".into(),
        }
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let drawn = report("x,y\n0,1\n1,3\n2,5\n", &["x"], true).to_svg().unwrap();
        assert_eq!(drawn.matches("<circle").count(), 3);
        let html = report("x,y\n0,1\n1,3\n2,5\n", &["x"], true).to_html();
        assert!(html.contains("Cost J") && html.contains("(intercept)"), "{html}");
    }

    #[test]
    fn both_sides_of_the_boundary_have_their_class() {
        let html = report("a,b,y\n0,0,0\n1,0,0\n0,1,0\n3,3,1\n4,3,1\n3,4,1\n", &["a", "b"], false).to_html();
        assert!(html.contains("region class0") && html.contains("region class1"));
        assert!(html.contains("&lt;yes&gt; against no") && !html.contains("<yes>"));
        // The corner of the small values belongs to the first class, that of the large ones to the second.
        let first = html.find("region class").unwrap();
        assert!(html[first..].starts_with("region class0"));
    }

    #[test]
    fn a_drawing_of_its_own_has_a_ground_and_names_its_classes() {
        let table = "a,b,y\n0,0,0\n1,0,0\n0,1,0\n3,3,1\n4,3,1\n3,4,1\n";
        let drawn = report(table, &["a", "b"], false).to_svg().unwrap();
        assert!(drawn.starts_with("<svg xmlns=") && drawn.ends_with("</svg>\n"));
        assert!(drawn.contains(">no</text>") && drawn.contains(">&lt;yes&gt;</text>"), "{drawn}");
        let (ground, first) = (drawn.find("class=\"ground\"").unwrap(), drawn.find("<circle").unwrap());
        assert!(ground < first && drawn.contains("prefers-color-scheme:dark"));
        assert_eq!(drawn.matches("class=\"region").count(), 2, "one group a class");
    }

    #[test]
    fn three_features_have_a_plot_of_the_fit() {
        let text = "a,b,c,y\n0,0,1,1\n1,0,2,3\n2,1,0,5\n3,5,1,2\n1,1,7,0\n";
        let drawn = report(text, &["a", "b", "c"], true).to_svg().unwrap();
        assert!(drawn.contains("true y") && drawn.contains("fitted y"));
    }
}
