//! Momentum.
//!
//! `v' = mu v - eta g`, `w' = w + v'`. Under a constant gradient the velocity grows to `eta g / (1 - mu)`: a momentum of 0.9
//! makes steps ten times as long where the direction stays, while what changes its sign cancels. Near 1 it overshoots
//! before it settles; growing from 0.5 to 0.99 it is careful while gradients are large and fast later.
//!
//! Sources: Polyak 1964; Sutskever et al. 2013; lecture on optimisation.

use super::finding::brief;
use super::plot::{Axis, Lines};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Input, Sequential};
use crate::optim::Momentum;
use crate::page::numbers::percent;
use crate::schedule::Schedule;

const UNITS: usize = 32;
const EPOCHS: usize = 8;
const RATE: f64 = 0.03;
/// The last grows.
const MOMENTA: [(&str, Option<f64>); 5] =
    [("0", Some(0.0)), ("0.5", Some(0.5)), ("0.9", Some(0.9)), ("0.99", Some(0.99)), ("0.5 to 0.99", None)];

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let steps = data.train().len().div_ceil(32) * EPOCHS;
    let trials = each(&MOMENTA, |&(_, mu)| {
        let network =
            Sequential::new(Input::image(8, 8, 1)).dense(UNITS).tanh().dense(UNITS).tanh().dense(10);
        train(network, &data, RATE, |trainer| {
            let trainer = trainer.epochs(EPOCHS).seed(seed);
            match mu {
                Some(mu) => trainer.optimizer(Momentum { mu, ..Momentum::default() }),
                None => {
                    let growing = Schedule::linear(0.5, 0.99, steps as u64);
                    trainer.optimizer(Momentum { scheduled: true, ..Momentum::default() }).momentum(growing)
                }
            }
        })
    })?;
    let window = steps / EPOCHS;
    let rise = |trial: &Trial| trial.rise(window);
    let below = |trial: &Trial| {
        let curve = trial.loss_curve("", 10).points;
        curve.iter().find(|point| point[1] < 0.3).map(|point| point[0] as usize)
    };
    let rows = MOMENTA.iter().zip(&trials).map(|((name, mu), trial)| {
        vec![
            (*name).into(),
            mu.map_or("1 / (1 \u{2212} \u{3bc})".into(), |mu| Cell::Number(1.0 / (1.0 - mu))),
            below(trial).map_or(Cell::Nothing, Cell::Count),
            rise(trial).into(),
            trial.last_loss().into(),
            trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    });
    let [none, _, nine, heavy, growing] = [0, 1, 2, 3, 4].map(|at| &trials[at]);
    let faster = nine.last_loss() < 0.7 * none.last_loss();
    let overshoots = heavy.last_loss() > 1.5 * nine.last_loss() && rise(heavy) > rise(nine);
    let grown = growing.last_loss() < none.last_loss();
    let accuracy = |trial: &Trial| trial.accuracy().map_or("\u{2013}".into(), percent);
    let conclusion = format!(
        "At the same rate the loss after {EPOCHS} epochs is {} without momentum, {} with 0.9, {} where it grows from 0.5 to 0.99 \
         ({}, {} and {} right). With 0.99 the loss {}{}.",
        brief(none.last_loss()),
        brief(nine.last_loss()),
        brief(growing.last_loss()),
        accuracy(none),
        accuracy(nine),
        accuracy(growing),
        match overshoots {
            true => format!(
                "overshoots: it climbs by {} again and ends at {}",
                brief(rise(heavy)),
                brief(heavy.last_loss())
            ),
            false => "does not overshoot this time".into(),
        },
        if faster && grown { "" } else { "; this time momentum was not much faster" },
    );
    let series = |of: &dyn Fn(&Trial, &str) -> super::Series| {
        MOMENTA.iter().zip(&trials).map(|((name, _), trial)| of(trial, name)).collect()
    };
    let panels = [
        Lines {
            title: "Training".into(),
            x: Axis::linear("step"),
            y: Axis::log("loss, mean of 10 steps"),
            dots: false,
            series: series(&|trial, name| trial.loss_curve(name, 10)),
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy"),
            dots: true,
            series: series(&|trial, name| trial.accuracy_curve(name)),
        },
    ];
    Ok(Finding {
        name: "momentum",
        title: "Momentum",
        question: "How much of the velocity should be kept, and should that grow?",
        setup: format!(
            "Two hidden layers of {UNITS} tanh units, trained in batches of 32 on half of the digits for {EPOCHS} epochs \
             ({steps} steps) at the constant rate {RATE}. The growing momentum rises in a line over all steps. A rise is how \
             far the mean loss of {window} steps climbs above its least before."
        ),
        equations: "velocity   v' = mu v - eta g\n\
                    weights    w' = w + v'\n\
                    constant gradient: v tends to -eta g / (1 - mu)",
        source: "Polyak 1964; Sutskever et al. 2013; lecture on optimisation.",
        seed,
        head: vec!["\u{3bc}", "longer steps", "steps to loss 0.3", "rise", "loss", "accuracy"],
        rows: rows.collect(),
        conclusion,
        shown: faster && overshoots && grown,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
