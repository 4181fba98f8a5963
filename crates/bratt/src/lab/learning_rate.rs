//! The learning rate.
//!
//! On a quadratic with largest curvature `L` gradient descent shrinks the error by `|1 - eta L|` a step along that
//! direction: slow for a small eta, oscillating above `1 / L`, diverging above `2 / L`. Losses of networks behave alike
//! near where they are. With minibatches a constant rate also leaves noise of a size that grows with eta; a rate that
//! falls along a line to `eta_tau` gets rid of it:
//!
//! `eta_k = (1 - a) eta_0 + a eta_tau`, `a = k / tau` up to step tau.
//!
//! Sources: Goodfellow, Bengio and Courville 2016, section 8.3.1; lecture on optimisation.

use super::finding::brief;
use super::plot::{Axis, Lines};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Input, Sequential};
use crate::optim::Sgd;
use crate::page::numbers::percent;
use crate::schedule::Schedule;

const UNITS: usize = 32;
const EPOCHS: usize = 12;
/// By name; the last falls in a line from the rate near the limit to a hundredth of it.
const RATES: [(&str, f64); 5] =
    [("too low", 0.001), ("good", 0.1), ("near the limit", 0.5), ("too high", 3.0), ("decayed", 0.5)];

fn name((name, rate): (&str, f64)) -> String {
    match name {
        "decayed" => format!("decayed, {rate} to {}", rate / 100.0),
        _ => format!("{name}, {rate}"),
    }
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let steps = data.train().len().div_ceil(32) * EPOCHS;
    let trials = each(&RATES, |&(name, rate)| {
        let network = Sequential::new(Input::image(8, 8, 1))
            .dense(UNITS)
            .leaky_relu(0.01)
            .dense(UNITS)
            .leaky_relu(0.01)
            .dense(10);
        train(network, &data, rate, |trainer| {
            let trainer = trainer.optimizer(Sgd::default()).epochs(EPOCHS).seed(seed);
            match name {
                "decayed" => trainer.schedule(Schedule::linear(rate, rate / 100.0, steps as u64)),
                _ => trainer,
            }
        })
    })?;
    let window = steps / EPOCHS;
    let first = |trial: &Trial| trial.losses.first().copied().unwrap_or(f64::NAN);
    let fate = |trial: &Trial| match trial.diverged {
        Some(step) => format!("not finite at step {step}"),
        None if trial.last_loss() > first(trial) => "ends above its start".into(),
        None => "fell".into(),
    };
    let rows = RATES.iter().zip(&trials).map(|(&(word, rate), trial)| {
        vec![
            word.into(),
            rate.into(),
            fate(trial).into(),
            trial.diverged.map_or(Cell::Number(trial.rise(window)), |_| Cell::Nothing),
            trial.diverged.map_or(Cell::Number(trial.last_loss()), |_| Cell::Nothing),
            trial.accuracy_after(1).map_or(Cell::Nothing, Cell::Share),
            trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    });
    let [low, good, limit, high, decayed] = [0, 1, 2, 3, 4].map(|at| &trials[at]);
    let diverges = high.diverged.is_some() || high.last_loss() > first(high);
    let slow = low.last_loss() > 5.0 * good.last_loss();
    let settles = decayed.rise(window) < 0.5 * limit.rise(window);
    let accuracy = |trial: &Trial| trial.accuracy().map_or("\u{2013}".into(), percent);
    let conclusion = format!(
        "After {EPOCHS} epochs the loss is {} at rate {} and {} at {}; at {} the training {}. Near the limit the loss climbs by \
         {} again on its way; {} if the same rate falls along a line ({} against {} right).",
        brief(low.last_loss()),
        RATES[0].1,
        brief(good.last_loss()),
        RATES[1].1,
        RATES[3].1,
        match (high.diverged, diverges) {
            (Some(step), _) => format!("diverges: the loss is not finite at step {step}"),
            (None, true) =>
                format!("diverges: the loss ends at {}, above its start", brief(high.last_loss())),
            (None, false) => "does not diverge this time".into(),
        },
        brief(limit.rise(window)),
        match settles {
            true => format!("by {} only,", brief(decayed.rise(window))),
            false => format!("this time by {},", brief(decayed.rise(window))),
        },
        accuracy(decayed),
        accuracy(limit),
    );
    let curves = |of: &dyn Fn(&Trial, String) -> super::Series| {
        RATES.iter().zip(&trials).map(|(&rate, trial)| of(trial, name(rate))).collect()
    };
    let panels = [
        Lines {
            title: "Training".into(),
            x: Axis::linear("step"),
            y: Axis::log("loss, mean of 10 steps").up_to(30.0),
            dots: false,
            series: curves(&|trial, name| trial.loss_curve(name, 10)),
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy").from(0.0),
            dots: true,
            series: curves(&|trial, name| trial.accuracy_curve(name)),
        },
    ];
    Ok(Finding {
        name: "learning-rate",
        title: "The learning rate",
        question: "Too low, good, near the limit, beyond it: what becomes of the loss, and what does decay do?",
        setup: format!(
            "Two hidden layers of {UNITS} leaky ReLU units, trained by plain SGD in batches of 32 on half of the digits for {EPOCHS} \
             epochs ({steps} steps) at each rate. The decayed rate starts as the one near the limit and falls in a line to \
             a hundredth of it. A rise is how far the mean loss of \
             {window} steps climbs above its least before. Accuracy is that on the other half."
        ),
        equations: "SGD      w = w - eta_k g\n\
                    decay    eta_k = (1 - a) eta_0 + a eta_tau,  a = k / tau\n\
                    limit    eta < 2 / (largest curvature), on a quadratic",
        source: "Goodfellow, Bengio and Courville 2016, section 8.3.1; lecture on optimisation.",
        seed,
        head: vec!["rate", "\u{3b7}", "the loss", "rise", "loss", "accuracy, 1 epoch", "accuracy"],
        rows: rows.collect(),
        conclusion,
        shown: diverges && slow && settles,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
