//! The path of one optimiser, and what it shows.
//!
//! - **to 1 %**: the first step after which the cost, counted from the least one if that is known, is at most 1 % of what
//!   it was at the start;
//! - **turns**: how often the direction across the ravine (the eigenvector of the largest curvature at the start) is
//!   reversed until then, or until the end; steps across of less than 1 % of the longest do not count;
//! - **left**: the distance from the minimum at the end, as a share of what it was at the start.

use super::contours::Grid;
use super::{Ground, SurfaceError};
use crate::descent::{Method, Parameter, Path, descend};
use crate::optim::Rule;
use crate::tensor::Tensor;

/// An optimiser with its rates, and the reason for them.
#[derive(Clone, PartialEq, Debug)]
pub struct Chosen {
    /// Rule, rate and momentum.
    pub method: Method,
    /// The rate that the schedule starts from.
    pub rate: f64,
    /// Why this rate.
    pub why: String,
}

/// The path of one optimiser.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// How it went.
    pub method: Method,
    /// The rate that the schedule starts from.
    pub rate: f64,
    /// Why this rate.
    pub why: String,
    /// Cost, gradient, rate and momentum of each step.
    pub path: Path,
}

impl Run {
    /// The iterates.
    pub fn points(&self) -> impl Iterator<Item = [f64; 2]> + '_ {
        let number = |p: &Tensor<f64>| p.data().first().copied().unwrap_or(f64::NAN);
        self.path.iterates.iter().map(move |p| [number(&p[0]), number(&p[1])])
    }

    /// The last iterate.
    pub fn end(&self) -> [f64; 2] {
        self.points().last().unwrap_or([f64::NAN; 2])
    }

    /// The cost there.
    pub fn last_cost(&self) -> f64 {
        self.path.costs.last().copied().unwrap_or(f64::NAN)
    }
}

/// One surface and all that ran over it.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The surface.
    pub ground: Ground,
    /// The runs, in the order asked for.
    pub runs: Vec<Run>,
    /// What the picture shows of each parameter.
    pub range: [[f64; 2]; 2],
    pub(super) grid: Grid,
}

impl Ground {
    /// Lets all run. Without a range the picture shows start, minimum and the paths as far as they stay near.
    ///
    /// # Errors
    /// A range that is none, or without the start; an optimiser that cannot go.
    pub fn race(
        self,
        chosen: Vec<Chosen>,
        steps: u64,
        range: Option<[[f64; 2]; 2]>,
    ) -> Result<Variant, SurfaceError> {
        if let Some(range) = range {
            for [low, high] in range {
                if !(low < high && low.is_finite() && high.is_finite()) {
                    return Err(SurfaceError::Range { low, high });
                }
            }
            if (0..2).any(|axis| !(range[axis][0]..=range[axis][1]).contains(&self.start[axis])) {
                let names = self.problem.parameters().clone();
                return Err(SurfaceError::Outside { names, at: self.start, range });
            }
        }
        let runs = chosen.into_iter().map(|chosen| self.run(chosen, steps)).collect::<Result<Vec<_>, _>>()?;
        let range = range.unwrap_or_else(|| self.range(&runs));
        let grid = Grid::of(&self.problem, range);
        Ok(Variant { ground: self, runs, range, grid })
    }

    fn run(&self, chosen: Chosen, steps: u64) -> Result<Run, SurfaceError> {
        let names = self.problem.parameters();
        let parameters: Vec<Parameter> = (0..2)
            .map(|axis| {
                let start = Tensor::scalar(self.start[axis]);
                Parameter { decays: names[axis] != "bias", ..Parameter::new(&names[axis], start) }
            })
            .collect();
        let inputs: Vec<(&str, &Tensor<f64>)> =
            self.problem.inputs().iter().map(|(name, value)| (name.as_str(), value)).collect();
        let cost =
            |g: &crate::graph::GraphBuilder, p: &[crate::graph::Value]| self.problem.write(g, [p[0], p[1]]);
        let optimizer = chosen.method.optimizer.name();
        let path = descend(&parameters, &inputs, cost, &chosen.method, steps)
            .map_err(|source| SurfaceError::Descent { optimizer, source })?;
        Ok(Run { method: chosen.method, rate: chosen.rate, why: chosen.why, path })
    }

    /// Around start and minimum, and the paths where they stay near to that; no side much longer than the other, as
    /// both axes have one scale.
    fn range(&self, runs: &[Run]) -> [[f64; 2]; 2] {
        let fixed = [Some(self.start), self.minimum];
        let mut range = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        let take = |range: &mut [[f64; 2]; 2], at: [f64; 2]| {
            for (side, x) in range.iter_mut().zip(at) {
                *side = [side[0].min(x), side[1].max(x)];
            }
        };
        fixed.into_iter().flatten().for_each(|at| take(&mut range, at));
        let size = (0..2).map(|axis| range[axis][1] - range[axis][0]).fold(0.0, f64::max);
        let size = if size > 0.0 { size } else { self.span() };
        let near = range.map(|[low, high]| [low - 1.1 * size, high + 1.1 * size]);
        for at in runs.iter().flat_map(Run::points) {
            if (0..2).all(|axis| (near[axis][0]..=near[axis][1]).contains(&at[axis])) {
                take(&mut range, at);
            }
        }
        let longest = (0..2).map(|axis| range[axis][1] - range[axis][0]).fold(0.0, f64::max).max(1e-300);
        range.map(|[low, high]| {
            let (middle, side) = (0.5 * (low + high), (high - low).max(0.62 * longest));
            let half = 0.5 * side + 0.1 * longest;
            [middle - half, middle + half]
        })
    }
}

impl Variant {
    /// How much of the first cost, counted from the least, is left after each step.
    fn shares(&self, run: &Run) -> Vec<f64> {
        let least = self.ground.least.unwrap_or(0.0);
        let first = self.ground.cost - least;
        run.path.costs.iter().map(|cost| (cost - least) / first).collect()
    }

    /// The first step after which 1 % of the cost is left.
    pub fn steps_to_1_percent(&self, run: &Run) -> Option<usize> {
        self.shares(run).iter().position(|&share| share <= 0.01)
    }

    /// How often the direction across the ravine is reversed until then.
    pub fn turns(&self, run: &Run) -> usize {
        let end = self.steps_to_1_percent(run).unwrap_or(run.path.costs.len());
        let [u, v] = self.ground.across;
        let points: Vec<[f64; 2]> = run.points().take(end + 1).collect();
        let steps: Vec<f64> =
            points.windows(2).map(|p| (p[1][0] - p[0][0]) * u + (p[1][1] - p[0][1]) * v).collect();
        let longest = steps.iter().fold(0.0, |longest: f64, step| longest.max(step.abs()));
        let seen: Vec<f64> = steps.into_iter().filter(|step| step.abs() >= 0.01 * longest).collect();
        seen.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count()
    }

    /// The distance from the minimum at the end, as a share of that at the start; none where there is no minimum.
    pub fn left(&self, run: &Run) -> Option<f64> {
        let minimum = self.ground.minimum?;
        let distance = |at: [f64; 2]| (at[0] - minimum[0]).hypot(at[1] - minimum[1]);
        let first = distance(self.ground.start);
        (first > 0.0).then(|| distance(run.end()) / first)
    }

    /// What is to be seen, in a sentence.
    pub fn conclusion(&self) -> String {
        let mut parts = Vec::new();
        let arrived: Vec<(usize, &Run)> =
            self.runs.iter().filter_map(|run| Some((self.steps_to_1_percent(run)?, run))).collect();
        let name = |run: &Run| run.method.optimizer.name();
        let listed = |runs: Vec<&Run>| {
            let names: Vec<&str> = runs.into_iter().map(name).collect();
            match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
                Some((last, _)) => last.to_string(),
                None => String::new(),
            }
        };
        if let Some(&(fewest, _)) = arrived.iter().min_by_key(|(steps, _)| *steps) {
            let first = arrived.iter().filter(|(steps, _)| *steps == fewest).map(|(_, run)| *run).collect();
            let steps = crate::page::numbers::counted(fewest, "step");
            parts.push(format!("first at 1 % of the cost: {} ({steps})", listed(first)));
        }
        let turned = self.runs.iter().map(|run| (self.turns(run), run)).max_by_key(|(turns, _)| *turns);
        if let Some((turns, run)) = turned.filter(|(turns, _)| *turns > 1) {
            let mut part = format!("{} turns {turns} times", name(run));
            let damped = self.runs.iter().filter(|other| {
                matches!(other.method.optimizer.rule, Rule::Momentum(_) | Rule::Nesterov(_))
                    && name(other) != name(run)
            });
            for other in damped {
                part += &format!(", {} {}", name(other), self.turns(other));
            }
            parts.push(part);
        }
        let late: Vec<&Run> = self
            .runs
            .iter()
            .filter(|run| run.path.diverged.is_none() && self.steps_to_1_percent(run).is_none())
            .collect();
        if let Some(run) = late.first() {
            parts.push(format!("not there after {} steps: {}", run.path.rates.len(), listed(late.clone())));
        }
        let nearest = self.runs.iter().filter_map(|run| self.left(run)).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() && nearest > 0.5 {
            parts
                .push(format!("none gets far along it: at least {} of the distance is left", share(nearest)));
        }
        for run in &self.runs {
            if let Some(step) = run.path.diverged {
                parts.push(format!("{} diverges (not finite at step {step})", name(run)));
            }
        }
        let condition = match self.ground.condition() {
            Some(condition) if condition >= 5.0 => format!("a ravine, condition number {}", short(condition)),
            Some(condition) => format!("a round bowl, condition number {}", short(condition)),
            None => "curved upwards not in every direction".to_string(),
        };
        parts.insert(0, condition);
        parts.join("; ")
    }
}

/// A share in percent; what is almost nothing is no number.
pub(super) fn share(x: f64) -> String {
    match 100.0 * x {
        percent if percent < 0.1 => "less than 0.1 %".into(),
        percent if percent >= 1e6 => format!("{percent:.1e} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// A number in a sentence: three digits.
pub(super) fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e6).contains(&size) => format!("{x:.1e}"),
        size if size >= 100.0 => crate::page::numbers::thousands(x.round().abs() as usize),
        size if size >= 10.0 => trimmed(format!("{x:.1}")),
        _ => trimmed(format!("{x:.2}")),
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}
