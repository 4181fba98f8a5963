//! The lie of the land: where to start, how curved it is, where it is least, and which rate suits.

use super::{Problem, SurfaceError, USUAL_MOMENTUM};
use crate::optim::{Optimizer, Rule};

/// A problem, surveyed from a start.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The problem.
    pub problem: Problem,
    /// Where all runs begin.
    pub start: [f64; 2],
    /// How the start was chosen; nothing where it was given.
    pub why_there: Option<&'static str>,
    /// The cost there.
    pub cost: f64,
    /// The eigenvalues of the Hessian at the start, that of the largest size first.
    pub curvature: [f64; 2],
    /// The unit eigenvector of the first: across the ravine.
    pub across: [f64; 2],
    /// The minimum that Newton's method finds from the start, if there is one.
    pub minimum: Option<[f64; 2]>,
    /// The cost there.
    pub least: Option<f64>,
}

/// A learning rate, and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Rate {
    /// The rate.
    pub rate: f64,
    /// The reason.
    pub why: String,
}

impl Ground {
    /// Surveys a problem. Without a start it begins as far along the ravine from the minimum as across.
    ///
    /// # Errors
    /// A start where the cost is not finite.
    pub fn survey(problem: Problem, start: Option<[f64; 2]>) -> Result<Ground, SurfaceError> {
        let (start, why_there) = match start {
            Some(start) => (start, None),
            None => off_the_minimum(&problem),
        };
        let cost = problem.cost_at(start);
        let slope = problem.gradient_at(start);
        if !cost.is_finite() || !slope.iter().all(|x| x.is_finite()) {
            let found = if cost.is_finite() { f64::NAN } else { cost };
            return Err(SurfaceError::Start { names: problem.parameters().clone(), at: start, found });
        }
        let (curvature, across) = eigen(problem.hessian_at(start));
        let minimum = minimum(&problem, start);
        let least = minimum.map(|at| problem.cost_at(at));
        Ok(Ground { problem, start, why_there, cost, curvature, across, minimum, least })
    }

    /// The condition number at the start; none where the surface does not curve upwards in both directions.
    pub fn condition(&self) -> Option<f64> {
        let [most, least] = self.curvature;
        (least > 1e-12 * most && most.is_finite()).then(|| most / least)
    }

    /// The longer of the two distances, along either parameter, from the start to the minimum.
    pub fn span(&self) -> f64 {
        let to = self.minimum.unwrap_or([0.0; 2]);
        let span = (self.start[0] - to[0]).abs().max((self.start[1] - to[1]).abs());
        if span > 0.0 { span } else { 1.0 }
    }

    /// A rate at which an optimiser shows what it is like here: to three digits, so that it can be typed again.
    pub fn usual_rate(&self, optimizer: &Optimizer) -> Rate {
        let [most, least] = self.curvature;
        let curved = most.is_finite() && most > 0.0;
        let (rate, why) = match &optimizer.rule {
            Rule::Sgd(_) | Rule::Momentum(_) | Rule::Nesterov(_) if !curved => (
                optimizer.default_learning_rate(),
                "usual in training; the start is not curved upwards".into(),
            ),
            // The best rate in a bowl, as long as that is not too near to the limit.
            Rule::Sgd(_) if least > 0.0 && 2.0 / (most + least) < 1.9 / most => {
                (2.0 / (most + least), "2/(\u{3bb}1 + \u{3bb}2), the best in a bowl".to_string())
            }
            Rule::Sgd(_) => (1.9 / most, "1.9/\u{3bb}1, near the limit 2/\u{3bb}1".to_string()),
            Rule::Momentum(_) | Rule::Nesterov(_) => (1.0 / most, "1/\u{3bb}1".to_string()),
            Rule::AdaGrad(_) | Rule::RmsProp(_) | Rule::Adam(_) | Rule::AdamW(_) => {
                (self.span() / 20.0, "1/20 of the distance to go".to_string())
            }
        };
        Rate { rate: three_digits(rate), why }
    }

    /// The momentum that is taken where none is asked for.
    pub fn usual_momentum() -> f64 {
        USUAL_MOMENTUM
    }
}

fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// Off the minimum by as much along both eigenvectors; else all zero.
fn off_the_minimum(problem: &Problem) -> ([f64; 2], Option<&'static str>) {
    let Some(minimum) = minimum(problem, [0.0; 2]) else { return ([0.0; 2], Some("all zero")) };
    let (_, [u, v]) = eigen(problem.hessian_at(minimum));
    let far = minimum[0].hypot(minimum[1]).max(1.0);
    let near_zero = |at: [f64; 2]| at[0].hypot(at[1]);
    // Of the four such points the one nearest to zero.
    let mut all = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)].map(|(a, b): (f64, f64)| {
        let by = far / 2f64.sqrt();
        [minimum[0] + by * (a * u - b * v), minimum[1] + by * (a * v + b * u)].map(two_decimals)
    });
    all.sort_by(|a, b| near_zero(*a).total_cmp(&near_zero(*b)));
    (all[0], Some("as far along the ravine from the minimum as across it"))
}

/// A start is to be read and typed.
fn two_decimals(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

/// The eigenvalues of a symmetric matrix `xx, xy, yy`, that of the largest size first, and its unit eigenvector.
pub(super) fn eigen([xx, xy, yy]: [f64; 3]) -> ([f64; 2], [f64; 2]) {
    let (mean, half) = (0.5 * (xx + yy), 0.5 * (xx - yy));
    let radius = half.hypot(xy);
    let (first, second) =
        if mean >= 0.0 { (mean + radius, mean - radius) } else { (mean - radius, mean + radius) };
    // Of two rows that are both orthogonal to the vector the longer one is the more exact.
    let [a, b] = [[xy, first - xx], [first - yy, xy]];
    let vector = if a[0].hypot(a[1]) > b[0].hypot(b[1]) { a } else { b };
    let length = vector[0].hypot(vector[1]);
    // In a round bowl every direction is as good: rounding must not choose.
    let round = radius <= 1e-9 * mean.abs();
    let vector = if length > 0.0 && !round { vector.map(|x| x / length) } else { [1.0, 0.0] };
    ([first, second], vector)
}

/// The same point to nine decimals, if it is as low: 0 and not -9.4e-13.
fn tidied(problem: &Problem, at: [f64; 2]) -> [f64; 2] {
    let round = at.map(|x| (x * 1e9).round() / 1e9 + 0.0);
    if problem.cost_at(round) <= problem.cost_at(at) { round } else { at }
}

/// Newton's method with the eigenvalues' sizes, so that it goes down from saddles, too, and with halved steps until the cost
/// falls. None where it does not come to rest: the minimum is at infinity, or a kink.
fn minimum(problem: &Problem, start: [f64; 2]) -> Option<[f64; 2]> {
    let mut at = start;
    let mut cost = problem.cost_at(at);
    for _ in 0..200 {
        let g = problem.gradient_at(at);
        let ([l1, l2], [u, v]) = eigen(problem.hessian_at(at));
        if !(l1.abs() > 0.0 && g.iter().chain(&[l1, l2]).all(|x| x.is_finite())) {
            return None;
        }
        let along = |a: f64, b: f64, l: f64| (a * g[0] + b * g[1]) / l.abs().max(1e-10 * l1.abs());
        let (s1, s2) = (along(u, v, l1), along(-v, u, l2));
        let step = [s1 * u - s2 * v, s1 * v + s2 * u];
        let length = step[0].hypot(step[1]);
        let small = 1e-9 * (1.0 + at[0].hypot(at[1]));
        if length <= small {
            let flat = l2.abs() <= 1e-10 * l1.abs();
            return (!flat && l2 >= 0.0).then(|| tidied(problem, at));
        }
        let moved = |t: f64| [at[0] - t * step[0], at[1] - t * step[1]];
        let lower =
            (0..50).map(|halvings| moved(0.5f64.powi(halvings))).find(|&to| problem.cost_at(to) < cost);
        match lower {
            Some(to) => (at, cost) = (to, problem.cost_at(to)),
            // Rounding leaves nothing to gain.
            None => return (length <= 1e-6 * (1.0 + at[0].hypot(at[1]))).then(|| tidied(problem, at)),
        }
        if at[0].hypot(at[1]) > 1e6 * (1.0 + start[0].hypot(start[1])) {
            return None;
        }
    }
    None
}
