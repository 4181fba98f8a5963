//! Finding a learning rate by trying: the range test.
//!
//! A fresh copy of the network is trained for n steps (i = 0, 1, ..., n - 1) at rates that grow from `low` to `high`:
//!
//! ```text
//! rate_i     = low (high / low)^(i / (n - 1))
//! average_i  = b average_(i-1) + (1 - b) loss_i,     b = 0.9, average_(-1) = 0
//! smoothed_i = average_i / (1 - b^(i+1))
//! ```
//!
//! While the rate is too low, the loss hardly moves; then it falls; near the largest rate that training bears it turns
//! and soon explodes, where the test ends: at a loss that is not finite, or a smoothed one above 4 times the least. The
//! suggestion is a tenth of the rate at which the smoothed loss was least, a decade of room before the turn.
//!
//! Sources: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; the smoothing and the
//! tenth are fastai's.

use super::step::least_batch;
use super::stepper::Stepper;
use super::{Balance, Splits, TrainError, Trainer};
use crate::data::loader::Loader;
use crate::exec::Slots;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

const SMOOTHING: f64 = 0.9;
/// Where the smoothed loss is so many times the least, the test ends.
const EXPLODED: f64 = 4.0;
/// The suggestion is the rate of the least loss over this.
const ROOM: f64 = 10.0;
/// Averages of fewer losses say nothing.
const FEWEST: usize = 10;

/// What a range test found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RateTest {
    /// One a step.
    pub points: Vec<RatePoint>,
    /// The rate to train with; none where the loss never fell.
    pub suggested: Option<f64>,
    /// Whether the loss exploded before the last rate.
    pub exploded: bool,
}

/// One step of a range test.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RatePoint {
    /// The learning rate.
    pub rate: f64,
    /// The loss of the step's examples, before the update.
    pub loss: f64,
    /// The running average of the losses.
    pub smoothed: f64,
}

/// What rates are tried.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RateRange {
    /// The first.
    pub low: f64,
    /// The last.
    pub high: f64,
    /// How many.
    pub steps: usize,
}

impl Default for RateRange {
    /// 1e-6 to 10 in 140 steps, 20 a decade.
    fn default() -> RateRange {
        RateRange { low: 1e-6, high: 10.0, steps: 140 }
    }
}

impl Trainer {
    /// Tries learning rates on a fresh copy of the network, with this trainer's optimiser, batches and seed. What is
    /// trained later does not notice.
    ///
    /// ```
    /// use bratt::prelude::*;
    /// use bratt::train::RateRange;
    /// let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
    /// let model = Sequential::new(Input::image(8, 8, 1)).dense(32).relu().dense(data.classes().len());
    /// let found = Trainer::new(model).find_rate(&data, RateRange::default())?;
    /// let rate = found.suggested.ok_or("the loss never fell")?;
    /// assert!((1e-4..0.1).contains(&rate), "{rate}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::fit`], and a range that cannot be.
    pub fn find_rate(&self, data: &Splits, range: RateRange) -> Result<RateTest, TrainError> {
        self.find_rate_with(data, range, |_| {})
    }

    /// As [`Trainer::find_rate`], and tells each step as it is done.
    ///
    /// # Errors
    /// As [`Trainer::find_rate`].
    pub fn find_rate_with(
        &self,
        data: &Splits,
        range: RateRange,
        mut each: impl FnMut(&RatePoint),
    ) -> Result<RateTest, TrainError> {
        let RateRange { low, high, steps } = range;
        if !(low > 0.0 && low < high && high.is_finite()) {
            let found = format!("{low:e} to {high:e}");
            let expected = "a lower and a higher number above 0";
            return Err(TrainError::Setting { key: "range of learning rates", found, expected });
        }
        if steps < FEWEST {
            let (found, expected) = (steps.to_string(), "at least 10");
            return Err(TrainError::Setting { key: "steps", found, expected });
        }
        let every = steps as u64 - 1;
        let trainer = self.clone().schedule(Schedule::Exponential { rate: low, factor: high / low, every });
        trainer.check(data)?;
        let (machine, train) = (trainer.machine(), data.train());
        let network = match trainer.preprocess.learn(&train)? {
            Some(layer) => trainer.model.network.clone().preceded_by(layer),
            None => trainer.model.network.clone(),
        };
        let size = trainer.batch_size.min(train.len());
        // Whole batches only: the losses of small ones are wild.
        let per_epoch = (train.len() / size).max(1);
        debug_assert!(size >= least_batch(&network));
        let mut stepper = Stepper::new(&trainer, &train, &network, &machine, &[size], steps as u64)?;
        let mut slots = Slots::new(stepper.layout.clone(), trainer.seed);
        let of = NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        let loader = Loader::new(data.data(), train.indices(), of, per_epoch, trainer.seed, &trainer.augment)
            .balanced(trainer.balance == Balance::Sampling);
        let mut curve = Curve::default();
        loader.run(trainer.resolved_loaders(), 0..steps as u64, |feed| {
            for step in 0..steps as u64 {
                let loss = stepper.run(&mut slots, feed, size, step);
                let go_on = curve.add(stepper.lr.at(step), f64::from(loss));
                curve.points.last().into_iter().for_each(&mut each);
                if !go_on {
                    break;
                }
            }
        });
        Ok(curve.result())
    }
}

/// Losses as they come.
#[derive(Default)]
struct Curve {
    points: Vec<RatePoint>,
    average: f64,
    exploded: bool,
}

impl Curve {
    /// Takes a loss; whether to go on.
    fn add(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            self.exploded = true;
            return false;
        }
        self.average = SMOOTHING * self.average + (1.0 - SMOOTHING) * loss;
        let weight = 1.0 - SMOOTHING.powi(self.points.len() as i32 + 1);
        let smoothed = self.average / weight;
        self.points.push(RatePoint { rate, loss, smoothed });
        self.exploded = self.points.len() > FEWEST && smoothed > EXPLODED * self.least().smoothed;
        !self.exploded
    }

    fn least(&self) -> RatePoint {
        let nothing = RatePoint { rate: 0.0, loss: f64::INFINITY, smoothed: f64::INFINITY };
        let least = self.points.iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed));
        least.copied().unwrap_or(nothing)
    }

    fn result(self) -> RateTest {
        let least = self.least();
        // The first averages are of few losses: a fall is one below all of them.
        let first = self.points.iter().take(FEWEST).map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
        // By more than averages of equal losses differ in their last digits.
        let fell = self.points.len() > FEWEST && least.smoothed < first - 1e-9 * first.abs();
        RateTest {
            suggested: fell.then_some(least.rate / ROOM),
            points: self.points,
            exploded: self.exploded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::few;
    use super::*;
    use crate::nn::{Input, Sequential};
    use crate::optim::Sgd;

    #[test]
    fn the_average_is_that_of_the_formula() {
        let mut curve = Curve::default();
        for (at, loss) in [4.0, 2.0, 1.0].into_iter().enumerate() {
            assert!(curve.add(at as f64, loss));
        }
        let smoothed: Vec<f64> = curve.points.iter().map(|point| point.smoothed).collect();
        // 0.4 / 0.1; (0.36 + 0.2) / 0.19; (0.504 + 0.1) / 0.271
        for (found, expected) in smoothed.iter().zip([4.0, 0.56 / 0.19, 0.604 / 0.271]) {
            assert!((found - expected).abs() < 1e-12, "{smoothed:?}");
        }
    }

    #[test]
    fn a_valley_gives_a_tenth_of_its_bottom_and_an_explosion_ends_the_test() {
        let mut curve = Curve::default();
        let losses =
            (0..100).map(|i| if i < 60 { 2.0 - f64::from(i) / 40.0 } else { 0.5 + f64::from(i - 60) });
        let taken =
            losses.take_while(|&loss| curve.add(10f64.powf(curve.points.len() as f64 / 20.0 - 5.0), loss));
        assert!(taken.count() < 80);
        let found = curve.result();
        assert!(found.exploded);
        // The average follows some steps behind.
        let rate = found.suggested.unwrap();
        assert!((1e-3..2e-3 * 10f64.powf(0.2)).contains(&rate), "{rate}");
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        let mut curve = Curve::default();
        (0..50).for_each(|_| assert!(curve.add(1e-3, 2.5)));
        assert_eq!(curve.result().suggested, None);
        let mut curve = Curve::default();
        assert!(curve.add(1e-3, 2.0) && !curve.add(1e-2, f64::NAN));
        assert_eq!(
            curve.result(),
            RateTest {
                points: vec![RatePoint { rate: 1e-3, loss: 2.0, smoothed: 2.0 }],
                suggested: None,
                exploded: true
            }
        );
    }

    #[test]
    fn what_is_trained_later_does_not_notice() {
        let data = few(150);
        let network =
            Sequential::new(Input::image(8, 8, 1)).dense(16).batch_norm().relu().dropout(0.3).dense(10);
        let trainer = Trainer::new(network).epochs(1).batch_size(32).seed(5).threads(1);
        let before = trainer.fit(&data).unwrap();
        let found = trainer.find_rate(&data, RateRange::default()).unwrap();
        assert_eq!(found, trainer.clone().threads(3).find_rate(&data, RateRange::default()).unwrap());
        assert_eq!(trainer.fit(&data).unwrap().model().to_bytes(), before.model().to_bytes());
        assert!(found.points.windows(2).all(|two| two[0].rate < two[1].rate));
    }

    #[test]
    fn gradient_descent_is_sent_below_its_limit() {
        let data = few(150);
        let network = Sequential::new(Input::image(8, 8, 1)).dense(10);
        let trainer = Trainer::new(network).optimizer(Sgd::default()).batch_size(64).seed(1).threads(1);
        let rate = trainer.find_rate(&data, RateRange { high: 1000.0, ..RateRange::default() }).unwrap();
        let rate = rate.suggested.unwrap();
        let good = trainer.clone().learning_rate(rate).epochs(5).fit(&data).unwrap();
        let losses: Vec<f64> = good.history().iter().map(|end| end.train_loss).collect();
        assert!(losses.windows(2).all(|two| two[1] < two[0]), "rate {rate}: {losses:?}");
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        let data = few(100);
        let trainer = Trainer::new(Sequential::new(Input::image(8, 8, 1)).dense(10)).threads(1);
        for (low, high, steps, word) in
            [(0.0, 1.0, 100, "range"), (1.0, 0.1, 100, "range"), (0.1, 1.0, 9, "steps")]
        {
            let error = trainer.find_rate(&data, RateRange { low, high, steps }).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
