//! A space of settings, and random points of it.
//!
//! ```text
//! choice   each of n possibilities equally likely
//! linear   low + u (high - low)            u uniform in [0, 1)
//! log      low (high / low)^u              what is searched over decades: rates, strengths
//! ```
//!
//! Random search beats a grid where few settings matter: each trial tries a new value of each of them.
//!
//! Source: Bergstra and Bengio, Random search for hyper-parameter optimization, 2012.

use crate::random::{Purpose, Stream};

/// How an axis is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally likely.
    Linear,
    /// Equal ratios are equally likely.
    Log,
}

/// The values that one setting may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Axis {
    /// One of so many possibilities.
    Choice(usize),
    /// A number from `low` to `high`.
    Number {
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
        /// How likely each is.
        scale: Scale,
    },
    /// A whole number from `low` to `high`, both possible.
    Whole {
        /// The least value.
        low: u32,
        /// The greatest value.
        high: u32,
        /// How likely each is.
        scale: Scale,
    },
}

/// A value of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The number of the possibility, from 0.
    Choice(usize),
    /// A number, to four digits.
    Number(f64),
    /// A whole number.
    Whole(u32),
}

/// Why an axis cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AxisError {
    /// Fewer than two possibilities.
    #[error("one value alone leaves nothing to search")]
    Single,
    /// An end is not finite, or the first is not below the second.
    #[error("expected two finite numbers, the first below the second")]
    Range,
    /// A logarithm of what is not above 0.
    #[error("over the logarithm both ends have to be above 0")]
    Log,
}

/// Four significant digits are more than a search can tell apart, and can be read.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

impl Axis {
    /// Whether it can be searched.
    ///
    /// # Errors
    /// If it holds less than two values, or is no range.
    pub fn check(&self) -> Result<(), AxisError> {
        let (low, high, scale) = match *self {
            Axis::Choice(0 | 1) => return Err(AxisError::Single),
            Axis::Choice(_) => return Ok(()),
            Axis::Number { low, high, scale } => (low, high, scale),
            Axis::Whole { low, high, scale } => (f64::from(low), f64::from(high), scale),
        };
        match (low.is_finite() && high.is_finite() && low < high, scale) {
            (false, _) => Err(AxisError::Range),
            (true, Scale::Log) if low <= 0.0 => Err(AxisError::Log),
            _ => Ok(()),
        }
    }

    fn draw(&self, random: &mut Stream) -> Value {
        let between = |low: f64, high: f64, scale, u: f64| match scale {
            Scale::Linear => low + u * (high - low),
            Scale::Log => low * (high / low).powf(u),
        };
        match *self {
            Axis::Choice(count) => Value::Choice(random.below(count as u32) as usize),
            Axis::Number { low, high, scale } => {
                Value::Number(rounded(between(low, high, scale, random.uniform())).clamp(low, high))
            }
            Axis::Whole { low, high, scale } => {
                // Each whole number stands for the interval up to the next, so that the last is as likely as the others.
                let x = between(f64::from(low), f64::from(high) + 1.0, scale, random.uniform());
                Value::Whole((x as u32).clamp(low, high))
            }
        }
    }

    /// Where a value lies on the axis, from 0 to 1, to draw it there.
    pub fn place(&self, value: Value) -> f64 {
        let (low, high, scale, x) = match (self, value) {
            (Axis::Choice(count), Value::Choice(at)) => {
                return at as f64 / count.saturating_sub(1).max(1) as f64;
            }
            (&Axis::Number { low, high, scale }, Value::Number(x)) => (low, high, scale, x),
            (&Axis::Whole { low, high, scale }, Value::Whole(x)) => {
                (f64::from(low), f64::from(high), scale, f64::from(x))
            }
            _ => return 0.0,
        };
        let place = match scale {
            Scale::Linear => (x - low) / (high - low),
            Scale::Log => (x / low).ln() / (high / low).ln(),
        };
        place.clamp(0.0, 1.0)
    }
}

/// The axes of a search, in a fixed order.
///
/// ```
/// use bratt::search::{Axis, Scale, Space};
/// let space = Space::new(vec![
///     Axis::Number { low: 1e-4, high: 1e-1, scale: Scale::Log },
///     Axis::Choice(2),
/// ])?;
/// assert_eq!(space.draw(7, 3), space.draw(7, 3));
/// # Ok::<(), bratt::search::AxisError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    axes: Vec<Axis>,
}

impl Space {
    /// A space of these axes.
    ///
    /// # Errors
    /// The first axis that cannot be searched.
    pub fn new(axes: Vec<Axis>) -> Result<Space, AxisError> {
        axes.iter().try_for_each(Axis::check)?;
        Ok(Space { axes })
    }

    /// Its axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The values of a trial, one per axis: a pure function of `(seed, trial, place of the axis)`, so that trials can be
    /// made in any order, and more of them later.
    pub fn draw(&self, seed: u64, trial: usize) -> Vec<Value> {
        let stream = Stream::new(seed, Purpose::Search, trial as u64);
        (0..).zip(&self.axes).map(|(at, axis)| axis.draw(&mut stream.part(at))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Axis = Axis::Number { low: 1e-4, high: 1e-1, scale: Scale::Log };

    fn drawn(axis: Axis) -> Vec<Value> {
        let space = Space::new(vec![axis]).unwrap();
        (0..3000).map(|trial| space.draw(1, trial)[0]).collect()
    }

    #[test]
    fn each_decade_is_as_likely_as_another() {
        let rates: Vec<f64> = drawn(RATE)
            .into_iter()
            .map(|value| match value {
                Value::Number(rate) => rate,
                other => panic!("{other:?}"),
            })
            .collect();
        for decade in [1e-4, 1e-3, 1e-2] {
            let inside = rates.iter().filter(|&&rate| (decade..10.0 * decade).contains(&rate)).count();
            assert!((900..1100).contains(&inside), "{decade}: {inside}");
        }
        assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate) && rounded(*rate) == *rate));
    }

    #[test]
    fn every_whole_number_and_every_choice_comes_up_equally() {
        let dice = drawn(Axis::Whole { low: 1, high: 6, scale: Scale::Linear });
        let coins = drawn(Axis::Choice(3));
        for face in 1..=6 {
            let seen = dice.iter().filter(|&&value| value == Value::Whole(face)).count();
            assert!((400..600).contains(&seen), "{face}: {seen}");
        }
        for side in 0..3 {
            let seen = coins.iter().filter(|&&value| value == Value::Choice(side)).count();
            assert!((900..1100).contains(&seen), "{side}: {seen}");
        }
    }

    #[test]
    fn one_axis_does_not_move_another_nor_one_trial_the_next() {
        let alone = Space::new(vec![RATE]).unwrap();
        let both = Space::new(vec![RATE, Axis::Choice(5)]).unwrap();
        for trial in 0..20 {
            assert_eq!(alone.draw(9, trial)[0], both.draw(9, trial)[0]);
        }
        assert_ne!(alone.draw(9, 0), alone.draw(9, 1));
        assert_ne!(alone.draw(9, 0), alone.draw(10, 0));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let number = |low, high, scale| Axis::Number { low, high, scale }.check();
        assert_eq!(number(1.0, 1.0, Scale::Linear), Err(AxisError::Range));
        assert_eq!(number(0.0, f64::NAN, Scale::Linear), Err(AxisError::Range));
        assert_eq!(number(0.0, 1.0, Scale::Log), Err(AxisError::Log));
        assert_eq!(Axis::Choice(1).check(), Err(AxisError::Single));
        assert_eq!(Axis::Whole { low: 8, high: 64, scale: Scale::Log }.check(), Ok(()));
    }

    #[test]
    fn places_go_from_end_to_end() {
        let places = [1e-4, 1e-2, 1e-1].map(|rate| RATE.place(Value::Number(rate)));
        assert!(places.iter().zip([0.0, 2.0 / 3.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{places:?}");
        assert_eq!(Axis::Choice(3).place(Value::Choice(1)), 0.5);
    }
}
