//! Activation functions: where they are flat, and what that does to the gradient.
//!
//! A unit passes the gradient on times the derivative of its activation, at most 1/4 for the sigmoid, 1 for tanh, 1 or 0
//! for ReLU, 1 or a small slope for leaky ReLU, 1 or `exp(x)` for ELU; a maxout unit passes it to its largest piece
//! with factor 1. Here a unit is *flat* for an example where the derivative is below 0.05, and *dead* if it is flat for
//! all examples, so that none of them can move its weights.
//!
//! Sources: Glorot, Bordes and Bengio 2011; Goodfellow et al. 2013 (maxout); Clevert et al. 2015 (ELU); lecture on
//! activation functions.

use super::plot::{Axis, Lines, Series};
use super::probe::{Seen, look, preprocessed, rms};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Dense, Elu, Initializer, Input, Layer, LeakyRelu, Maxout, Relu, Sequential, Sigmoid, Tanh};
use crate::optim::Momentum;
use crate::page::numbers::percent;

const DEPTH: usize = 5;
const UNITS: usize = 48;
const EPOCHS: usize = 8;
const RATE: f64 = 0.02;
const LOOKED_AT: usize = 100;
const FLAT: f64 = 0.05;
const SLOPE: f64 = 0.1;

struct Case {
    name: &'static str,
    /// Of the first layer's weights before training, over the last hidden layer's.
    gradients: Vec<f64>,
    flat: f64,
    dead: usize,
    trial: Trial,
}

/// The activations; maxout is a layer of its own.
fn activations() -> [(&'static str, Option<Layer>); 6] {
    [
        ("sigmoid", Some(Sigmoid {}.into())),
        ("tanh", Some(Tanh {}.into())),
        ("ReLU", Some(Relu {}.into())),
        ("leaky ReLU", Some(LeakyRelu { slope: SLOPE }.into())),
        ("ELU", Some(Elu::default().into())),
        ("maxout", None),
    ]
}

fn network(activation: &Option<Layer>) -> Sequential {
    let start = Sequential::new(Input::image(8, 8, 1)).flatten();
    let init = match activation {
        Some(Layer::Relu(_) | Layer::LeakyRelu(_) | Layer::Elu(_)) => Initializer::HeNormal,
        _ => Initializer::XavierNormal,
    };
    let dense = |units, init| Dense { init: Some(init), ..Dense::new(units) };
    let deep = (0..DEPTH).fold(start, |network, _| match activation {
        Some(layer) => network.layer(dense(UNITS, init)).layer(layer.clone()),
        None => network.layer(Maxout { init: Some(init), ..Maxout::new(UNITS, 2) }),
    });
    deep.layer(dense(10, Initializer::XavierNormal))
}

/// The derivative of an activation where its output is `a`.
fn derivative(layer: &Layer, a: f64) -> f64 {
    match layer {
        Layer::Sigmoid(_) => a * (1.0 - a),
        Layer::Tanh(_) => 1.0 - a * a,
        Layer::Relu(_) => f64::from(u8::from(a > 0.0)),
        Layer::LeakyRelu(layer) if a <= 0.0 => layer.slope,
        Layer::Elu(layer) if a <= 0.0 => a + layer.alpha,
        _ => 1.0,
    }
}

/// The share of units and examples that are flat, and the units that are so for all examples.
fn flat_and_dead(layers: &[&Seen]) -> (f64, usize) {
    let (mut flat, mut all, mut dead) = (0, 0, 0);
    for seen in layers {
        let mut alive = vec![false; seen.units];
        for (i, &a) in seen.values.iter().enumerate() {
            let bends = derivative(&seen.layer, a) >= FLAT;
            alive[i % seen.units] |= bends;
            flat += usize::from(!bends);
        }
        all += seen.values.len();
        dead += alive.iter().filter(|&&alive| !alive).count();
    }
    (flat as f64 / all.max(1) as f64, dead)
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let cases = each(&activations(), |(name, activation)| {
        let network = network(activation);
        let is_hidden = |kind: &Layer| match activation {
            Some(layer) => kind == layer,
            None => matches!(kind, Layer::Maxout(_)),
        };
        let train_part = data.train();
        let examples = &train_part.indices()[..LOOKED_AT];
        let fresh = look(&preprocessed(&network, &data)?, None, data.data(), examples, seed)?;
        let gradients = fresh.of(is_hidden).iter().map(|seen| rms(&seen.gradient)).collect();
        let trial = train(network, &data, RATE, |trainer| {
            trainer.optimizer(Momentum::default()).epochs(EPOCHS).seed(seed)
        })?;
        let (flat, dead) = match &trial.model {
            Some(model) => {
                let trained = look(&model.network, Some(&model.values), data.data(), examples, seed)?;
                flat_and_dead(&trained.of(is_hidden))
            }
            None => (f64::NAN, 0),
        };
        Ok(Case { name, gradients, flat, dead, trial })
    })?;
    let kept = |case: &Case| case.gradients[0] / case.gradients[DEPTH - 1];
    let row = |case: &Case| {
        vec![
            case.name.into(),
            case.gradients[0].into(),
            kept(case).into(),
            Cell::Share(case.flat),
            case.dead.into(),
            case.trial.last_loss().into(),
            case.trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    };
    let case = |name: &str| cases.iter().find(|case| case.name == name);
    let (mut shown, mut conclusion) = (false, String::new());
    if let (Some(sigmoid), Some(relu), Some(leaky)) = (case("sigmoid"), case("ReLU"), case("leaky ReLU")) {
        let accuracy = |case: &Case| case.trial.accuracy().unwrap_or(0.0);
        let vanishes = kept(sigmoid) < 0.05 && kept(relu) > 0.2;
        let learns = accuracy(relu) > accuracy(sigmoid) + 0.1;
        let bends = relu.flat > 0.2 && leaky.flat == 0.0;
        shown = vanishes && learns && bends;
        conclusion = format!(
            "Down four layers of sigmoids {} of the gradient is left, of ReLUs {}; after {EPOCHS} epochs that is {} right \
             against {}. ReLUs are flat for {} of all examples and {} of {} are dead; leaky ReLU and maxout are flat nowhere.",
            percent(kept(sigmoid)),
            percent(kept(relu)),
            percent(accuracy(sigmoid)),
            percent(accuracy(relu)),
            percent(relu.flat),
            relu.dead,
            DEPTH * UNITS,
        );
        if !shown {
            conclusion += " This time the numbers do not show the whole lesson.";
        }
    }
    let panels = [
        Lines {
            title: "Size of gradients, before training".into(),
            x: Axis::linear("hidden layer"),
            y: Axis::log("root mean square"),
            dots: true,
            series: cases.iter().map(|case| Series::counted(case.name, case.gradients.clone())).collect(),
        },
        Lines {
            title: "Training".into(),
            x: Axis::linear("step"),
            y: Axis::linear("loss, mean of 10 steps").from(0.0),
            dots: false,
            series: cases.iter().map(|case| case.trial.loss_curve(case.name, 10)).collect(),
        },
    ];
    Ok(Finding {
        name: "activations",
        title: "Activation functions",
        question: "Which activations go flat, which units die, and how much of the gradient reaches the first layer?",
        setup: format!(
            "{DEPTH} hidden layers of {UNITS} units with each activation, started by He's rule for the ReLU family and by \
             Xavier's for the others; maxout has two pieces, leaky ReLU the slope {SLOPE}. Gradients are those of {LOOKED_AT} \
             digits before training, in f64; flat and dead are counted on the same digits after {EPOCHS} epochs with momentum \
             0.9 at rate {RATE}. Accuracy is that on the half of the digits that was not learned from."
        ),
        equations: "sigmoid     f' = f (1 - f)            at most 1/4\n\
                    tanh        f' = 1 - f^2              at most 1\n\
                    ReLU        f' = 1 if x > 0, else 0\n\
                    leaky ReLU  f' = 1 if x > 0, else slope\n\
                    ELU         f' = 1 if x > 0, else f + alpha\n\
                    maxout      1 for the largest piece\n\
                    flat: f' < 0.05; dead: flat for all examples",
        source: "Glorot, Bordes and Bengio 2011; Goodfellow et al. 2013; Clevert et al. 2015; lecture on activation functions.",
        seed,
        head: vec![
            "activation",
            "gradient, first layer",
            "first / last",
            "flat",
            "dead units",
            "loss",
            "accuracy",
        ],
        rows: cases.iter().map(row).collect(),
        conclusion,
        shown,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
