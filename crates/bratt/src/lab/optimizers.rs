//! All optimisers side by side.
//!
//! The same network, start and order of examples; only the update differs. The equations stand with each optimiser, in
//! `crate::optim`. AdaGrad's steps shrink for ever, since it divides by the root of the sum of all squared gradients;
//! RMSprop and Adam forget, and do not slow down so.
//!
//! Source: lecture on optimisation.

use super::finding::brief;
use super::plot::{Axis, Lines};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Input, Sequential};
use crate::optim::{AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RmsProp, Sgd};
use crate::page::numbers::percent;

const UNITS: usize = 32;
const EPOCHS: usize = 10;

fn optimizers() -> [Optimizer; 7] {
    [
        Sgd::default().into(),
        Momentum::default().into(),
        Nesterov::default().into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adam::default().into(),
        AdamW::default().into(),
    ]
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let optimizers = optimizers();
    let trials = each(&optimizers, |optimizer| {
        let network =
            Sequential::new(Input::image(8, 8, 1)).dense(UNITS).relu().dense(UNITS).relu().dense(10);
        train(network, &data, optimizer.default_learning_rate(), |trainer| {
            trainer.optimizer(optimizer.clone()).epochs(EPOCHS).seed(seed)
        })
    })?;
    let all = || optimizers.iter().zip(&trials);
    let rows = all().map(|(optimizer, trial)| {
        vec![
            optimizer.name().into(),
            optimizer.default_learning_rate().into(),
            trial.epochs.first().map_or(f64::NAN, |end| end.train_loss).into(),
            trial.last_loss().into(),
            trial.accuracy_after(1).map_or(Cell::Nothing, Cell::Share),
            trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    });
    let of = |name: &str| all().find(|(optimizer, _)| optimizer.name() == name).map(|(_, trial)| trial);
    let least = all().min_by(|a, b| a.1.last_loss().total_cmp(&b.1.last_loss()));
    let worst = all().map(|(_, trial)| trial.accuracy().unwrap_or(0.0)).fold(1.0, f64::min);
    // What the second half of the training still gains, over what the first half gained.
    let still = |trial: &Trial| {
        let at = |epoch: usize| trial.epochs.get(epoch).map_or(f64::NAN, |end| end.train_loss.ln());
        let (first, middle, last) = (at(0), at(EPOCHS / 2), at(EPOCHS - 1));
        (middle - last) / (first - middle)
    };
    let (mut shown, mut conclusion) = (false, String::new());
    if let (Some(adagrad), Some(rmsprop), Some((best, trial))) = (of("adagrad"), of("rmsprop"), least) {
        let slows = still(adagrad) < still(rmsprop);
        shown = slows && worst > 0.8;
        conclusion = format!(
            "Each at its usual rate, all seven learn: after {EPOCHS} epochs none is below {} right. `{}` has the least loss, {}. \
             On the logarithmic scale AdaGrad gains in the second half {} times what it gained in the first, RMSprop {} times{}.",
            percent(worst),
            best.name(),
            brief(trial.last_loss()),
            brief(still(adagrad)),
            brief(still(rmsprop)),
            if slows { ": AdaGrad slows down" } else { "; this time AdaGrad does not slow down more" },
        );
    }
    let panels = [
        Lines {
            title: "Training".into(),
            x: Axis::linear("step"),
            y: Axis::log("loss, mean of 20 steps"),
            dots: false,
            series: all().map(|(optimizer, trial)| trial.loss_curve(optimizer.name(), 20)).collect(),
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy"),
            dots: true,
            series: all().map(|(optimizer, trial)| trial.accuracy_curve(optimizer.name())).collect(),
        },
    ];
    Ok(Finding {
        name: "optimizers",
        title: "All optimizers side by side",
        question: "The same network, start and order of examples: what does the update rule change?",
        setup: format!(
            "Two hidden layers of {UNITS} ReLU units, trained in batches of 32 on half of the digits for {EPOCHS} epochs, each \
             optimizer with its defaults at its usual rate, kept constant. These rates suit each optimizer in general; which is \
             best on a task is found by `bratt tune`. Accuracy is that on the other half."
        ),
        equations: "sgd       w' = w - eta g\n\
                    momentum  v' = mu v - eta g,                 w' = w + v'\n\
                    nesterov  as momentum, g taken at w + mu v\n\
                    adagrad   r' = r + g^2,                      w' = w - eta g / (sqrt(r') + eps)\n\
                    rmsprop   r' = rho r + (1 - rho) g^2,        w' = w - eta g / (sqrt(r') + eps)\n\
                    adam      s' = rho1 s + (1 - rho1) g, r' = rho2 r + (1 - rho2) g^2, both corrected for their start\n\
                    adamw     as adam, with weights shrunk beside the step",
        source: "lecture on optimisation; the papers of each are named in the library's documentation.",
        seed,
        head: vec!["optimizer", "rate", "loss, epoch 1", "loss", "accuracy, 1 epoch", "accuracy"],
        rows: rows.collect(),
        conclusion,
        shown,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
