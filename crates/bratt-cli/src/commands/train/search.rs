//! The learning rate that nobody gave: rates are tried before training.
//!
//! What the range test suggests is uncertain: from seed to seed it moves by a factor of about 4 to either side. So where
//! the optimiser's usual rate lies within that of the suggestion, the two agree, and the usual rate is taken, which has
//! served many trainings, and the result is that of no search. Where they are further apart, as for a linear model, the
//! data decide: softmax regression gained 2 points of accuracy on the digits and 13 on irises. To take the suggestion in
//! any case was no better on images, and worse for a small network on a hundred of them.

use crate::failure::{Exit, Failure};
use crate::terminal::{self, Progress, Terminal};
use bratt::train::{RateRange, RateTest, Splits, TrainError, Trainer};
use std::time::Instant;

/// Within this factor two rates agree.
const AGREES: f64 = 4.0;

/// Tries rates, as `bratt find-lr` does: a rate, why this one, and what was seen on the way.
pub fn find(
    trainer: &Trainer,
    splits: &Splits,
    usual: f64,
    terminal: Option<&mut Terminal>,
) -> Result<(f64, String, RateTest), Failure> {
    let tried = watched(trainer, splits, RateRange::default(), terminal);
    let test = tried.map_err(|error| Failure::of(Exit::Configuration, &error))?;
    let (rate, why) = decide(usual, test.suggested.map(rounded), test.points.len());
    Ok((rate, why, test))
}

/// Tries rates, and shows how far that is.
pub fn watched(
    trainer: &Trainer,
    splits: &Splits,
    range: RateRange,
    mut terminal: Option<&mut Terminal>,
) -> Result<RateTest, TrainError> {
    let (begin, mut done) = (Instant::now(), 0);
    let tried = trainer.find_rate_with(splits, range, |point| {
        done += 1;
        let Some(terminal) = terminal.as_deref_mut().filter(|terminal| terminal.wants_progress()) else {
            return;
        };
        let note = format!("rate {}  loss {}", terminal::rate(point.rate), terminal::loss(point.loss));
        let (label, all, elapsed) = ("trying learning rates", range.steps as u64, begin.elapsed());
        terminal.progress(&Progress { label, done, all, elapsed, note: &note });
    });
    if let Some(terminal) = terminal {
        terminal.clear();
    }
    tried
}

fn decide(usual: f64, suggested: Option<f64>, steps: usize) -> (f64, String) {
    match suggested {
        None => (usual, format!("the usual rate, since none of {steps} that were tried lowered the loss")),
        Some(found) if found <= usual * AGREES && usual <= found * AGREES => {
            (usual, format!("the usual rate; {steps} were tried and suggest about the same, {found:e}"))
        }
        Some(found) => (found, format!("found by trying {steps} rates; usual would be {usual:e}")),
    }
}

/// To two digits: more say nothing, and these are the same on every processor.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_two_digits() {
        assert_eq!(rounded(0.0021425711), 0.0021);
        assert_eq!(rounded(3.96e-5), 4e-5);
    }

    #[test]
    fn the_usual_rate_stays_unless_the_data_say_something_else() {
        assert_eq!(decide(2e-3, Some(7.9e-3), 115).0, 2e-3);
        assert_eq!(decide(2e-3, Some(6e-4), 115).0, 2e-3);
        let (rate, why) = decide(2e-3, Some(0.081), 120);
        assert_eq!((rate, &why[..]), (0.081, "found by trying 120 rates; usual would be 2e-3"));
        assert_eq!(decide(2e-3, Some(4e-4), 120).0, 4e-4);
        let (rate, why) = decide(2e-3, None, 140);
        assert!(rate == 2e-3 && why.contains("none of 140"), "{why}");
    }
}
