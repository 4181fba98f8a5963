//! How weights start in a deep network.
//!
//! A layer's output is a sum of n products; with independent weights of variance v and inputs of mean square q its
//! variance is `n v q`. Over L layers the size of the signal is multiplied by about `(c n v)^(L/2)`, where c is what the
//! activation leaves of the mean square (1 for tanh near 0, 1/2 for ReLU); the gradient fares likewise on its way back.
//!
//! - zeros: all units of a layer are the same function for ever, and here no gradient but the last bias's is not 0;
//! - small random numbers, v = 0.0001: `(c n v)^(L/2)` is nothing in a deep network, forward and backward;
//! - Xavier, `v = 2 / (n + m)`: keeps sizes where c = 1; through ReLU half of the variance is lost in each layer;
//! - He, `v = 2 / n`: makes up for ReLU's half.
//!
//! Sources: Glorot and Bengio 2010; He et al. 2015; lecture on initialisation.

use super::finding::brief;
use super::plot::{Axis, Lines, Panel, Series};
use super::probe::{deviation, look, mean, preprocessed, rms};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Dense, Initializer, Input, Layer, Relu, Sequential, Tanh};
use crate::optim::Momentum;
use crate::page::numbers::percent;

const DEPTH: usize = 10;
const UNITS: usize = 96;
const EPOCHS: usize = 4;
const RATE: f64 = 0.01;
/// Examples that are looked at.
const LOOKED_AT: usize = 50;

const STARTS: [(&str, Initializer); 4] = [
    ("zeros", Initializer::Zeros),
    ("small random", Initializer::SmallNormal { std: 0.01 }),
    ("Xavier", Initializer::XavierNormal),
    ("He", Initializer::HeNormal),
];

/// One start with one activation.
struct Case {
    start: &'static str,
    activation: &'static str,
    /// Of activations, by hidden layer.
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// Root mean squares of gradients with respect to them.
    gradients: Vec<f64>,
    /// Parameters whose gradient is not all zero.
    reached: Vec<String>,
    trial: Trial,
}

/// Panels of a kind: title, vertical axis, and the line of a case.
type Kind<'a> = (&'a str, Axis, &'a dyn Fn(&Case) -> Series);

fn network(init: Initializer, activation: &Layer) -> Sequential {
    let dense = |units| Dense { init: Some(init), ..Dense::new(units) };
    let start = Sequential::new(Input::image(8, 8, 1)).flatten();
    let deep = (0..DEPTH).fold(start, |network, _| network.layer(dense(UNITS)).layer(activation.clone()));
    deep.layer(dense(10))
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let activations: [(&str, Layer); 2] = [("tanh", Tanh {}.into()), ("ReLU", Relu {}.into())];
    let cases: Vec<_> =
        activations.iter().flat_map(|activation| STARTS.map(|start| (activation, start))).collect();
    let cases = each(&cases, |((activation, layer), (start, init))| {
        let network = network(*init, layer);
        let examples = &data.split().train[..LOOKED_AT];
        let look = look(&preprocessed(&network, &data)?, None, data.data(), examples, seed)?;
        let hidden = look.of(|kind| kind == layer);
        let moves =
            |(name, gradient): &(String, Vec<f64>)| gradient.iter().any(|&x| x != 0.0).then(|| name.clone());
        let trial = train(network, &data, RATE, |trainer| {
            trainer.optimizer(Momentum::default()).epochs(EPOCHS).seed(seed)
        })?;
        Ok(Case {
            start,
            activation,
            means: hidden.iter().map(|seen| mean(&seen.values)).collect(),
            deviations: hidden.iter().map(|seen| deviation(&seen.values)).collect(),
            gradients: hidden.iter().map(|seen| rms(&seen.gradient)).collect(),
            reached: look.parameters.iter().filter_map(moves).collect(),
            trial,
        })
    })?;
    let row = |case: &Case| {
        let last = DEPTH - 1;
        vec![
            format!("{}, {}", case.activation, case.start).into(),
            case.means[last].into(),
            case.deviations[0].into(),
            case.deviations[last].into(),
            case.gradients[last].into(),
            case.gradients[0].into(),
            case.trial.last_loss().into(),
            case.trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    };
    let panel = |title: &str, activation: &str, y: Axis, of: &dyn Fn(&Case) -> Series| {
        let by_step = title == "Training";
        Lines {
            title: format!("{title}, {activation}"),
            x: Axis::linear(if by_step { "step" } else { "hidden layer" }),
            y,
            dots: !by_step,
            series: cases.iter().filter(|case| case.activation == activation).map(of).collect(),
        }
    };
    let deviations = |case: &Case| Series::counted(case.start, case.deviations.iter().copied());
    let gradients = |case: &Case| Series::counted(case.start, case.gradients.iter().copied());
    let losses = |case: &Case| case.trial.loss_curve(case.start, 10);
    let kinds: [Kind<'_>; 3] = [
        ("Deviation of activations", Axis::log("standard deviation"), &deviations),
        ("Size of gradients", Axis::log("root mean square"), &gradients),
        ("Training", Axis::linear("loss, mean of 10 steps").from(0.0), &losses),
    ];
    let both = ["tanh", "ReLU"];
    let panels = kinds.iter().flat_map(|(title, y, of)| both.map(|name| panel(title, name, *y, *of)));
    let panels: Vec<Panel> = panels.map(Lines::draw).collect();
    let (shown, conclusion) = conclude(&cases);
    Ok(Finding {
        name: "init",
        title: "How weights start",
        question: "Ten hidden layers, four ways to start: what is left of signal and gradient at the other end?",
        setup: format!(
            "A network of {DEPTH} hidden layers of {UNITS} units is built with tanh and with ReLU. Activations and gradients \
             are those of {LOOKED_AT} digits before any training, in f64; then it is trained for {EPOCHS} epochs with \
             momentum 0.9 at rate {RATE} on half of the digits. Accuracy is that on the other half."
        ),
        equations: "variance of a sum       Var z = n v E[x^2]\n\
                    small random            v = 0.01^2\n\
                    Xavier                  v = 2 / (n + m)\n\
                    He                      v = 2 / n",
        source: "Glorot and Bengio 2010; He et al. 2015; lecture on initialisation.",
        seed,
        head: vec![
            "network",
            "mean, last",
            "deviation, first",
            "deviation, last",
            "gradient, last",
            "gradient, first",
            "loss",
            "accuracy",
        ],
        rows: cases.iter().map(row).collect(),
        conclusion,
        shown,
        panels,
    })
}

fn conclude(cases: &[Case]) -> (bool, String) {
    let case = |activation: &str, start: &str| {
        cases.iter().find(|case| case.activation == activation && case.start == start)
    };
    let (Some(zeros), Some(small), Some(xavier), Some(he)) =
        (case("ReLU", "zeros"), case("ReLU", "small random"), case("ReLU", "Xavier"), case("ReLU", "He"))
    else {
        return (false, String::new());
    };
    let ratio = |case: &Case| case.deviations[0] / case.deviations[DEPTH - 1];
    let accuracy = |case: &Case| case.trial.accuracy().unwrap_or(0.0);
    let stuck = zeros.reached.len() == 1 && zeros.reached[0].ends_with(".bias");
    let kept = (0.5..2.0).contains(&ratio(he));
    let vanished = ratio(small) > 1e3;
    let learned = accuracy(he) > accuracy(small) + 0.2;
    let parts = [
        match stuck {
            true => format!("Started at zero, only `{}` ever gets a gradient.", zeros.reached[0]),
            false => format!("Started at zero, {} parameters get a gradient.", zeros.reached.len()),
        },
        format!(
            "Through ten layers of ReLU the deviation is divided by {} after small random numbers, by {} after Xavier's \
             start and by {} after He's.",
            brief(ratio(small)),
            brief(ratio(xavier)),
            brief(ratio(he))
        ),
        match learned {
            true => format!(
                "After {EPOCHS} epochs He's network is {} right, the one from small numbers {}.",
                percent(accuracy(he)),
                percent(accuracy(small))
            ),
            false => "This time the start did not decide what was learned.".into(),
        },
    ];
    (stuck && kept && vanished && learned, parts.join(" "))
}
