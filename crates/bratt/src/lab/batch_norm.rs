//! Batch norm in a deep sigmoid network.
//!
//! Each layer's sums are brought to mean 0 and variance 1 over the batch, `y = gamma (x - mean) / sqrt(variance + eps) + beta`,
//! whatever the layers below do. Without it the sigmoid's outputs, which all lie near 1/2 and move little, leave the
//! next layer's sums with hardly any spread; the derivative of at most 1/4 shrinks the gradient by layer.
//!
//! Sources: Ioffe and Szegedy 2015; lecture on batch normalisation.

use super::finding::brief;
use super::plot::{Axis, Lines, Series};
use super::probe::{deviation, look, preprocessed, rms};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{BatchNorm, Dense, Initializer, Input, Layer, Sequential, Sigmoid};
use crate::optim::Momentum;
use crate::page::numbers::percent;

const DEPTH: usize = 6;
const UNITS: usize = 64;
const EPOCHS: usize = 10;
const RATES: [f64; 2] = [0.01, 0.1];
const LOOKED_AT: usize = 50;

struct Case {
    normalised: bool,
    rate: f64,
    /// Deviations of what the sigmoid gets, by hidden layer.
    sums: Vec<f64>,
    gradients: Vec<f64>,
    trial: Trial,
}

impl Case {
    fn name(&self) -> String {
        format!("{}, rate {}", if self.normalised { "batch norm" } else { "without" }, self.rate)
    }

    fn accuracy(&self) -> f64 {
        self.trial.accuracy().unwrap_or(0.0)
    }
}

fn network(normalised: bool) -> Sequential {
    let dense = |units, bias| Dense { units, init: Some(Initializer::XavierUniform), bias: Some(bias) };
    let start = Sequential::new(Input::image(8, 8, 1)).flatten();
    let deep = (0..DEPTH).fold(start, |network, _| match normalised {
        true => network.layer(dense(UNITS, false)).layer(BatchNorm::default()).layer(Sigmoid {}),
        false => network.layer(dense(UNITS, true)).layer(Sigmoid {}),
    });
    deep.layer(dense(10, true))
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let cases: Vec<(bool, f64)> =
        [false, true].into_iter().flat_map(|on| RATES.map(|rate| (on, rate))).collect();
    let cases = each(&cases, |&(normalised, rate)| {
        let network = network(normalised);
        let examples = &data.split().train[..LOOKED_AT];
        let look = look(&preprocessed(&network, &data)?, None, data.data(), examples, seed)?;
        let before = |kind: &Layer| match normalised {
            true => matches!(kind, Layer::BatchNorm(_)),
            false => matches!(kind, Layer::Dense(_)),
        };
        let sums = look.of(before).into_iter().take(DEPTH).map(|seen| deviation(&seen.values)).collect();
        let gradients =
            look.of(|kind| matches!(kind, Layer::Sigmoid(_))).into_iter().map(|seen| rms(&seen.gradient));
        let gradients = gradients.collect();
        let trial = train(network, &data, rate, |trainer| {
            trainer.optimizer(Momentum::default()).epochs(EPOCHS).seed(seed)
        })?;
        Ok(Case { normalised, rate, sums, gradients, trial })
    })?;
    let row = |case: &Case| {
        vec![
            case.name().into(),
            case.sums[0].into(),
            case.sums[DEPTH - 1].into(),
            (case.gradients[0] / case.gradients[DEPTH - 1]).into(),
            case.trial.last_loss().into(),
            case.trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    };
    // What is seen before training does not depend on the rate.
    let fresh: Vec<&Case> = cases.iter().filter(|case| case.rate == RATES[0]).collect();
    let side = |case: &Case| if case.normalised { "batch norm" } else { "without" };
    let by_layer = |of: &dyn Fn(&Case) -> Vec<f64>| -> Vec<Series> {
        fresh.iter().map(|case| Series::counted(side(case), of(case))).collect()
    };
    let layer = Axis::linear("hidden layer");
    let panels = [
        Lines {
            title: "What the sigmoid gets, before training".into(),
            x: layer,
            y: Axis::log("standard deviation"),
            dots: true,
            series: by_layer(&|case| case.sums.clone()),
        },
        Lines {
            title: "Size of gradients, before training".into(),
            x: layer,
            y: Axis::log("root mean square"),
            dots: true,
            series: by_layer(&|case| case.gradients.clone()),
        },
        Lines {
            title: "Training".into(),
            x: Axis::linear("step"),
            y: Axis::linear("loss, mean of 10 steps").from(0.0),
            dots: false,
            series: cases.iter().map(|case| case.trial.loss_curve(case.name(), 10)).collect(),
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy").from(0.0),
            dots: true,
            series: cases.iter().map(|case| case.trial.accuracy_curve(case.name())).collect(),
        },
    ];
    let best = |on: bool| {
        let all = cases.iter().filter(|case| case.normalised == on);
        all.max_by(|a, b| a.accuracy().total_cmp(&b.accuracy()))
    };
    let (mut shown, mut conclusion) = (false, String::new());
    if let (Some(without), Some(with)) = (best(false), best(true)) {
        let spread = |case: &Case| case.sums[DEPTH - 1] / case.sums[0];
        let evened = (0.8..1.25).contains(&spread(with)) && spread(without) < 0.5;
        let faster = with.accuracy() > without.accuracy() + 0.1;
        shown = evened && faster;
        let kept = |case: &Case| case.gradients[0] / case.gradients[DEPTH - 1];
        let first = format!(
            "From the first to the last hidden layer the spread of what the sigmoid gets is multiplied by {} without batch \
             norm and by {} with it; of the last layer's gradient the first gets {} without it and {} with it.",
            brief(spread(without)),
            brief(spread(with)),
            percent(kept(without)),
            percent(kept(with)),
        );
        let second = if faster { "and so it learns" } else { "but this time it does not learn much better" };
        conclusion = format!(
            "{first} Every layer then works where the sigmoid bends, {second}: {} against {} after {EPOCHS} epochs, each at \
             its better rate.",
            percent(with.accuracy()),
            percent(without.accuracy())
        );
    }
    Ok(Finding {
        name: "batch-norm",
        title: "Batch norm on and off",
        question: "Six layers of sigmoids: what does normalising each layer's sums change?",
        setup: format!(
            "{DEPTH} hidden layers of {UNITS} sigmoid units, started by Xavier's rule, with and without batch norm between sum \
             and sigmoid. Statistics are those of {LOOKED_AT} digits before any training, in f64. Trained for {EPOCHS} epochs \
             with momentum 0.9 at two rates on half of the digits; accuracy is that on the other half."
        ),
        equations: "training    y = gamma (x - mean of batch) / sqrt(variance of batch + eps) + beta\n\
                    predicting  y = gamma (x - running mean) / sqrt(running variance + eps) + beta",
        source: "Ioffe and Szegedy 2015; lecture on batch normalisation.",
        seed,
        head: vec![
            "network",
            "deviation, first",
            "deviation, last",
            "gradient, first / last",
            "loss",
            "accuracy",
        ],
        rows: cases.iter().map(row).collect(),
        conclusion,
        shown,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
