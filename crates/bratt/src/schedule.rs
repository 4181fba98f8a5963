//! Floor 2: learning rates and momenta as pure functions of the step.
//!
//! With k = 0, 1, 2, ... the number of the step, a = k / steps:
//!
//! | type | value |
//! |---|---|
//! | constant | `rate` |
//! | linear | `(1 - a) from + a to` up to `steps`, then `to` |
//! | step | `rate factor^floor(k / every)` |
//! | exponential | `rate factor^(k / every)` |
//! | cosine | `to + (from - to) (1 + cos(pi a)) / 2` up to `steps`, then `to` |
//! | one_cycle | cosine from `peak / 25` up to `peak` over the share `rise` of the steps, cosine down to `peak / 250000` |
//! | warm_up | linear from `from` to the start of `then` over `steps`, then `then`, counted from there |
//! | sutskever | `min(1 - 2^(-1 - log2(floor(k / 250) + 1)), max)`, a growing momentum: 0.5, 0.75, 0.833, ... |
//!
//! Linear is the lecture's decay, eta_k = (1 - a) eta_0 + a eta_tau with a = k / tau; from 0.5 to 0.99 it is the
//! lecture's growing momentum. A schedule has no memory, so a resumed run continues it exactly.
//!
//! Sources: lecture on optimisation; Goodfellow, Bengio and Courville 2016, equation 8.14; Loshchilov and Hutter 2017
//! (cosine, without restarts); Smith and Topin 2018 (one cycle, with the divisors of common libraries); Sutskever
//! et al. 2013.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};

/// A function of the step. In a configuration a table with a `type`; steps are counted from 0.
///
/// ```
/// use bratt::schedule::Schedule;
/// let decay = Schedule::linear(1e-3, 1e-5, 2_000);
/// assert_eq!(decay.at(0), 1e-3);
/// assert_eq!(decay.at(5_000), 1e-5);
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The same at every step.
    Constant {
        /// The value.
        rate: f64,
    },
    /// From one value to another along a line, then constant.
    Linear {
        /// The value at step 0.
        from: f64,
        /// The value from step `steps` on.
        to: f64,
        /// How many steps the way takes.
        steps: u64,
    },
    /// Multiplied by a factor every so many steps.
    Step {
        /// The value at step 0.
        rate: f64,
        /// What it is multiplied by.
        factor: f64,
        /// After how many steps.
        every: u64,
    },
    /// As `step`, but smoothly.
    Exponential {
        /// The value at step 0.
        rate: f64,
        /// What it is multiplied by in `every` steps.
        factor: f64,
        /// The number of steps. Default 1.
        #[serde(default = "one")]
        every: u64,
    },
    /// From one value to another along half a cosine, then constant.
    Cosine {
        /// The value at step 0.
        from: f64,
        /// The value from step `steps` on. Default 0.
        #[serde(default)]
        to: f64,
        /// How many steps the way takes.
        steps: u64,
    },
    /// Up to a peak and down to almost nothing, both along half a cosine.
    OneCycle {
        /// The largest value.
        peak: f64,
        /// The length of the cycle.
        steps: u64,
        /// The share of the steps until the peak. Default 0.3.
        #[serde(default = "rise")]
        rise: f64,
    },
    /// A linear rise before another schedule.
    WarmUp {
        /// The value at step 0. Default 0.
        #[serde(default)]
        from: f64,
        /// How many steps the rise takes.
        steps: u64,
        /// What comes after; its step 0 is step `steps` of the whole.
        then: Box<Schedule>,
    },
    /// The growing momentum of Sutskever et al.
    Sutskever {
        /// The limit. Default 0.99.
        #[serde(default = "mu_max")]
        max: f64,
    },
}

fn one() -> u64 {
    1
}

fn rise() -> f64 {
    0.3
}

fn mu_max() -> f64 {
    0.99
}

/// One cycle starts at the peak over this,
const CYCLE_START: f64 = 25.0;
/// and ends at its start over this.
const CYCLE_END: f64 = 1e4;

/// A schedule's setting that cannot be.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("schedule {schedule}: found {key} = {found}, expected {expected}")]
pub struct ScheduleError {
    /// The kind of schedule.
    pub schedule: &'static str,
    /// The setting.
    pub key: &'static str,
    /// Its value.
    pub found: f64,
    /// The range.
    pub expected: &'static str,
}

impl Schedule {
    /// The same at every step.
    pub fn constant(rate: f64) -> Schedule {
        Schedule::Constant { rate }
    }

    /// From `from` to `to` along a line of `steps` steps, then constant.
    pub fn linear(from: f64, to: f64, steps: u64) -> Schedule {
        Schedule::Linear { from, to, steps }
    }

    /// From `from` to `to` along half a cosine of `steps` steps, then constant.
    pub fn cosine(from: f64, to: f64, steps: u64) -> Schedule {
        Schedule::Cosine { from, to, steps }
    }

    /// Up to `peak` in 30 % of the steps, then down to almost nothing.
    pub fn one_cycle(peak: f64, steps: u64) -> Schedule {
        Schedule::OneCycle { peak, steps, rise: rise() }
    }

    /// The lecture's growing momentum: from 0.5 to 0.99 along a line of `steps` steps.
    pub fn growing_momentum(steps: u64) -> Schedule {
        Schedule::linear(0.5, 0.99, steps)
    }

    /// This schedule after a linear rise from 0 of `steps` steps.
    pub fn warmed_up(self, steps: u64) -> Schedule {
        Schedule::WarmUp { from: 0.0, steps, then: Box::new(self) }
    }

    /// The value at a step.
    pub fn at(&self, step: u64) -> f64 {
        let k = step as f64;
        match *self {
            Schedule::Constant { rate } => rate,
            Schedule::Linear { from, to, steps } => line(from, to, step, steps),
            Schedule::Step { rate, factor, every } => rate * factor.powf((step / every.max(1)) as f64),
            Schedule::Exponential { rate, factor, every } => rate * factor.powf(k / every.max(1) as f64),
            Schedule::Cosine { from, to, steps } => half_cosine(from, to, k, steps as f64),
            Schedule::OneCycle { peak, steps, rise } => {
                let (start, top) = (peak / CYCLE_START, (rise * steps as f64).round());
                if k < top {
                    half_cosine(start, peak, k, top)
                } else {
                    half_cosine(peak, start / CYCLE_END, k - top, steps as f64 - top)
                }
            }
            Schedule::WarmUp { from, steps, ref then } => match step.checked_sub(steps) {
                Some(after) => then.at(after),
                None => line(from, then.at(0), step, steps),
            },
            Schedule::Sutskever { max } => {
                let grown = 1.0 - (-1.0 - ((step / 250 + 1) as f64).log2()).exp2();
                grown.min(max)
            }
        }
    }

    /// The kind, as configurations spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant { .. } => "constant",
            Schedule::Linear { .. } => "linear",
            Schedule::Step { .. } => "step",
            Schedule::Exponential { .. } => "exponential",
            Schedule::Cosine { .. } => "cosine",
            Schedule::OneCycle { .. } => "one_cycle",
            Schedule::WarmUp { .. } => "warm_up",
            Schedule::Sutskever { .. } => "sutskever",
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting outside of its range.
    pub fn check(&self) -> Result<(), ScheduleError> {
        let require = |key, found: f64, good: bool, expected| {
            if good { Ok(()) } else { Err(ScheduleError { schedule: self.name(), key, found, expected }) }
        };
        let rate = |key, x: f64| require(key, x, x >= 0.0 && x.is_finite(), "a finite number of at least 0");
        let count = |key, n: u64| require(key, n as f64, n > 0, "at least 1");
        match *self {
            Schedule::Constant { rate: r } => rate("rate", r),
            Schedule::Linear { from, to, steps } | Schedule::Cosine { from, to, steps } => {
                rate("from", from)?;
                rate("to", to)?;
                count("steps", steps)
            }
            Schedule::Step { rate: r, factor, every } | Schedule::Exponential { rate: r, factor, every } => {
                rate("rate", r)?;
                rate("factor", factor)?;
                count("every", every)
            }
            Schedule::OneCycle { peak, steps, rise } => {
                rate("peak", peak)?;
                count("steps", steps)?;
                require("rise", rise, (0.0..=1.0).contains(&rise), "a share from 0 to 1")
            }
            Schedule::WarmUp { from, ref then, .. } => {
                rate("from", from)?;
                then.check()
            }
            Schedule::Sutskever { max } => {
                require("max", max, (0.0..1.0).contains(&max), "at least 0 and below 1")
            }
        }
    }

    /// `n` steps, evenly spread over `0..=last`, and the values there.
    ///
    /// ```
    /// use bratt::schedule::Schedule;
    /// let decay = Schedule::linear(1.0, 0.0, 4);
    /// assert_eq!(decay.table(4, 3), [(0, 1.0), (2, 0.5), (4, 0.0)]);
    /// ```
    pub fn table(&self, last: u64, n: usize) -> Vec<(u64, f64)> {
        let gaps = n.saturating_sub(1).max(1) as u128;
        let step = |i: usize| (u128::from(last) * i as u128 / gaps) as u64;
        (0..n).map(|i| (step(i), self.at(step(i)))).collect()
    }

    /// A plot of steps `0..=last` as text, `width` columns by `height` rows of marks, with both ends of both axes
    /// written beside. The vertical axis starts at 0.
    pub fn plot(&self, last: u64, width: usize, height: usize) -> String {
        let (width, height) = (width.max(2), height.max(2));
        let columns = self.table(last, width);
        let top = columns.iter().map(|c| c.1).fold(0.0, f64::max);
        let row_of = |value: f64| {
            if top > 0.0 { (value / top * (height - 1) as f64).round() as usize } else { 0 }
        };
        let labels = [short(top), short(0.0)];
        let margin = labels.iter().map(String::len).max().unwrap_or(0);
        let mut out = String::new();
        for row in (0..height).rev() {
            let label = match row {
                0 => &labels[1],
                _ if row == height - 1 => &labels[0],
                _ => "",
            };
            let marks: String = columns.iter().map(|c| if row_of(c.1) == row { '*' } else { ' ' }).collect();
            let _ = writeln!(out, "{label:>margin$} |{}", marks.trim_end());
        }
        let _ = writeln!(out, "{:margin$} +{}", "", "-".repeat(width));
        let last = last.to_string();
        let _ = writeln!(out, "{:margin$}  0{last:>space$}", "", space = width.max(last.len() + 2) - 1);
        out
    }
}

fn line(from: f64, to: f64, step: u64, steps: u64) -> f64 {
    if step >= steps {
        return to;
    }
    let a = step as f64 / steps as f64;
    (1.0 - a) * from + a * to
}

fn half_cosine(from: f64, to: f64, k: f64, steps: f64) -> f64 {
    if k >= steps {
        return to;
    }
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * k / steps).cos())
}

/// A rate as people write it: 0.5, 1.8e-3, 1e-5.
fn short(x: f64) -> String {
    if x == 0.0 || (0.01..10_000.0).contains(&x.abs()) {
        return format!("{}", (x * 1e6).round() / 1e6);
    }
    let text = format!("{x:.3e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        None => text,
    }
}

impl fmt::Display for Schedule {
    /// One line, such as `linear from 1e-3 to 1e-5 over 2000 steps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant { rate } => write!(f, "constant {}", short(*rate)),
            Schedule::Linear { from, to, steps } => {
                write!(f, "linear from {} to {} over {steps} steps", short(*from), short(*to))
            }
            Schedule::Step { rate, factor, every } => {
                write!(f, "{} times {} every {every} steps", short(*rate), short(*factor))
            }
            Schedule::Exponential { rate, factor, every } => {
                write!(f, "exponential from {}, times {} in {every} steps", short(*rate), short(*factor))
            }
            Schedule::Cosine { from, to, steps } => {
                write!(f, "cosine from {} to {} over {steps} steps", short(*from), short(*to))
            }
            Schedule::OneCycle { peak, steps, rise } => {
                let at = (rise * *steps as f64).round();
                write!(f, "one cycle with peak {} at step {at} of {steps}", short(*peak))
            }
            Schedule::WarmUp { from, steps, then } => {
                write!(f, "warm-up from {} over {steps} steps, then {then}", short(*from))
            }
            Schedule::Sutskever { max } => write!(f, "growing from 0.5 to {}", short(*max)),
        }
    }
}

#[cfg(test)]
mod tests;
