//! Feature scaling and the error surface of a linear neuron.
//!
//! `E(w) = 1/2 sum over cases of (x w - t)^2` is a quadratic bowl with Hessian `H = X^T X`, whose contours are ellipses
//! with axes as `1 / sqrt(lambda)` of its eigenvalues. Gradient descent from an error e has `(I - eta H)^k e` left; the
//! best constant rate `2 / (lambda_min + lambda_max)` shrinks it by `(k - 1) / (k + 1)` a step, with the condition number
//! `k = lambda_max / lambda_min`. Inputs far from 0, or of different sizes, make k large, and the bowl a ravine.
//!
//! Two problems of two cases each: (101, 101) -> 2, (101, 99) -> 0, far from 0; and (0.2, 10) -> 2, (0.2, -10) -> 0, of
//! different sizes. Less 100, or each column over its root mean square, both become (1, 1) -> 2, (1, -1) -> 0 (a column
//! that is constant has no deviation to divide by, and as a bias must not be centred away).
//!
//! Source: Hinton, Neural networks for machine learning, lecture 6b; lecture on preprocessing.

use super::finding::brief;
use super::plot::{Panel, WIDTH, curve};
use super::{Finding, LabError};
use crate::page::{Markup, el};

/// The error that is left of that at the start.
const GOAL: f64 = 1e-6;
/// Where descent starts, seen from the minimum.
const OFFSET: [f64; 2] = [-2.0, 1.2];
/// Half of the plane's side that is drawn around the minimum.
const SPAN: f64 = 2.6;
const HEIGHT: f64 = 380.0;
/// Steps of the path that are drawn.
const DRAWN: usize = 24;

/// Two cases of two inputs.
struct Problem {
    name: &'static str,
    cases: [[f64; 2]; 2],
}

const TARGETS: [f64; 2] = [2.0, 0.0];
const PROBLEMS: [Problem; 4] = [
    Problem { name: "far from zero", cases: [[101.0, 101.0], [101.0, 99.0]] },
    Problem { name: "less 100", cases: [[1.0, 1.0], [1.0, -1.0]] },
    Problem { name: "of different sizes", cases: [[0.2, 10.0], [0.2, -10.0]] },
    Problem { name: "over root mean square", cases: [[1.0, 1.0], [1.0, -1.0]] },
];

/// A quadratic bowl: its minimum, and its Hessian's eigenvalues (the larger first) with their directions.
struct Bowl {
    minimum: [f64; 2],
    values: [f64; 2],
    axes: [[f64; 2]; 2],
    cases: [[f64; 2]; 2],
}

impl Bowl {
    fn of(problem: &Problem) -> Bowl {
        let [[a, b], [c, d]] = problem.cases;
        let det = a * d - b * c;
        let [t, u] = TARGETS;
        let minimum = [(t * d - b * u) / det, (a * u - t * c) / det];
        let (xx, xy, yy) = (a * a + c * c, a * b + c * d, b * b + d * d);
        let (mean, half) = ((xx + yy) / 2.0, (((xx - yy) / 2.0).powi(2) + xy * xy).sqrt());
        let large = mean + half;
        // The product of both is det^2; their difference would lose the smaller one's digits.
        let values = [large, det * det / large];
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        let (sin, cos) = angle.sin_cos();
        Bowl { minimum, values, axes: [[cos, sin], [-sin, cos]], cases: problem.cases }
    }

    fn condition(&self) -> f64 {
        self.values[0] / self.values[1]
    }

    /// The best constant rate.
    fn rate(&self) -> f64 {
        2.0 / (self.values[0] + self.values[1])
    }

    fn error(&self, w: [f64; 2]) -> f64 {
        let residuals = self.cases.iter().zip(TARGETS).map(|(x, t)| x[0] * w[0] + x[1] * w[1] - t);
        0.5 * residuals.map(|r| r * r).sum::<f64>()
    }

    fn start(&self) -> [f64; 2] {
        [self.minimum[0] + OFFSET[0], self.minimum[1] + OFFSET[1]]
    }

    /// One step of gradient descent at the best rate.
    fn step(&self, w: [f64; 2]) -> [f64; 2] {
        let mut to = w;
        for (x, t) in self.cases.iter().zip(TARGETS) {
            let residual = x[0] * w[0] + x[1] * w[1] - t;
            to[0] -= self.rate() * residual * x[0];
            to[1] -= self.rate() * residual * x[1];
        }
        to
    }

    /// Steps until the error is a millionth of that at the start.
    fn steps(&self) -> usize {
        let (mut w, mut steps) = (self.start(), 0);
        let goal = GOAL * self.error(w);
        while self.error(w) > goal && steps < 10_000_000 {
            (w, steps) = (self.step(w), steps + 1);
        }
        steps
    }

    fn panel(&self, name: &str) -> Panel {
        let scale = HEIGHT / (2.0 * SPAN);
        let left = (WIDTH - HEIGHT) / 2.0;
        let at = |w: [f64; 2]| {
            [left + (w[0] - self.minimum[0] + SPAN) * scale, (SPAN - w[1] + self.minimum[1]) * scale]
        };
        let mut all = Markup::new();
        let id = format!("clip-{}", name.replace(' ', "-"));
        let square = || el("rect").at([("x", left), ("y", 0.0), ("width", HEIGHT), ("height", HEIGHT)]);
        all.push(el("clipPath").attr("id", &id).with(square()));
        let mut inside = Markup::new();
        for level in [1.0, 0.3, 0.1, 0.03, 0.01, 0.001] {
            let size = (2.0 * level * self.error(self.start())).sqrt();
            let half = self.values.map(|value| size / value.sqrt());
            // A ravine's sides are seen as lines; beyond the picture they need not be followed.
            let points: Vec<String> = (0..=720)
                .map(|i| {
                    let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 720.0).sin_cos();
                    let along = [half[0] * cos, (half[1] * sin).clamp(-3.0 * SPAN, 3.0 * SPAN)];
                    let place = |axis: usize| {
                        self.minimum[axis] + along[0] * self.axes[0][axis] + along[1] * self.axes[1][axis]
                    };
                    let [x, y] = at([place(0), place(1)]);
                    format!("{x:.1},{y:.1}")
                })
                .collect();
            inside.push(el("polyline").class("thin").attr("points", points.join(" ")));
        }
        let mut path = vec![self.start()];
        while path.len() <= DRAWN {
            path.push(self.step(path[path.len() - 1]));
        }
        let path: Vec<[f64; 2]> = path.into_iter().map(at).collect();
        inside.push(curve(&path, 1, "curve fine"));
        for &[x, y] in &path {
            inside.push(el("circle").class("bead s1").at([("cx", x), ("cy", y), ("r", 2.0)]));
        }
        let [x, y] = at(self.minimum);
        inside.push(el("circle").class("bead s0 ringed").at([("cx", x), ("cy", y), ("r", 5.0)]));
        all.push(el("g").attr("clip-path", format!("url(#{id})")).with(inside));
        all.push(square().class("frame"));
        let [[a, b], [c, d]] = self.cases.map(|case| case.map(|x| format!("{x}")));
        let below =
            format!("({a}, {b}) \u{2192} 2, ({c}, {d}) \u{2192} 0;  condition {}", brief(self.condition()));
        let text = el("text").class("mid soft").at([("x", WIDTH / 2.0), ("y", HEIGHT + 20.0)]);
        all.push(text.with(below.replace('-', "\u{2212}")));
        let alt = "Contours of the error over the two weights, and the path of gradient descent.";
        Panel::drawn(format!("Inputs {name}"), alt, HEIGHT + 28.0, all)
    }
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let bowls: Vec<(&Problem, Bowl, usize)> = PROBLEMS
        .iter()
        .map(|problem| {
            let bowl = Bowl::of(problem);
            let steps = bowl.steps();
            (problem, bowl, steps)
        })
        .collect();
    let rows = bowls.iter().map(|(problem, bowl, steps)| {
        let [[a, b], [c, d]] = problem.cases;
        vec![
            problem.name.into(),
            format!("({a}, {b}), ({c}, {d})").replace('-', "\u{2212}").into(),
            bowl.values[0].into(),
            bowl.values[1].into(),
            bowl.condition().into(),
            bowl.rate().into(),
            (*steps).into(),
        ]
    });
    let steps = [0, 1, 2, 3].map(|at| bowls[at].2);
    let shown = steps[0] > 1000 * steps[1] && steps[2] > 100 * steps[3];
    let counted = |n: usize| crate::page::numbers::counted(n, "step");
    let conclusion = format!(
        "To bring the error to a millionth, each at its best constant rate, takes {} on inputs far from zero and {} once 100 \
         is taken off; {} on inputs of different sizes and {} once they are divided by their size{}.",
        counted(steps[0]),
        counted(steps[1]),
        counted(steps[2]),
        counted(steps[3]),
        if shown { ": the ravine has become a round bowl" } else { "" },
    );
    Ok(Finding {
        name: "scaling",
        title: "Feature scaling and the error surface",
        question: "Why does gradient descent crawl on raw inputs, and run on scaled ones?",
        setup: format!(
            "A linear neuron with two weights and two cases, in f64. Descent starts at the minimum plus (\u{2212}{}, {}) and goes at the \
             best constant rate; the first {DRAWN} steps are drawn over contours of the error. `bratt surface` draws such \
             surfaces with the paths of any optimizer.",
            -OFFSET[0], OFFSET[1]
        ),
        equations: "error             E(w) = 1/2 sum (x w - t)^2\n\
                    Hessian           H = X^T X\n\
                    condition number  k = lambda_max / lambda_min\n\
                    best rate         eta = 2 / (lambda_min + lambda_max)\n\
                    a step leaves     (k - 1) / (k + 1) of the distance",
        source: "Hinton, Neural networks for machine learning, lecture 6b; lecture on preprocessing.",
        seed,
        head: vec!["inputs", "cases", "\u{3bb} max", "\u{3bb} min", "condition", "best rate", "steps"],
        rows: rows.collect(),
        conclusion,
        shown,
        panels: bowls.iter().map(|(problem, bowl, _)| bowl.panel(problem.name)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bowls_are_those_of_the_lecture() {
        let bowl = |at: usize| Bowl::of(&PROBLEMS[at]);
        // det = (101 * 99 - 101 * 101)^2 = 202^2, trace = 3 * 101^2 + 99^2
        let raw = bowl(0);
        assert!((raw.values[0] * raw.values[1] - 40_804.0).abs() < 1e-6);
        assert!((raw.values[0] + raw.values[1] - 40_404.0).abs() < 1e-6);
        assert!((bowl(2).condition() - 2500.0).abs() < 1e-9);
        assert_eq!(bowl(1).condition(), 1.0);
        for at in 0..4 {
            assert!(bowl(at).error(bowl(at).minimum) < 1e-20, "{at}");
        }
        assert_eq!(bowl(1).steps(), 1);
    }

    #[test]
    fn the_error_falls_as_the_condition_number_says() {
        let bowl = Bowl::of(&PROBLEMS[2]);
        let left = (bowl.condition() - 1.0) / (bowl.condition() + 1.0);
        let (mut w, mut before) = (bowl.start(), 0.0);
        for _ in 0..500 {
            before = bowl.error(w);
            w = bowl.step(w);
        }
        assert!((bowl.error(w) / before - left * left).abs() < 1e-9);
    }
}
