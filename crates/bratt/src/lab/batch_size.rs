//! The size of minibatches.
//!
//! The gradient of a batch of b examples drawn from n estimates the gradient of all. Its error has the variance of one
//! example's gradient over b (times `(n - b) / (n - 1)` without replacement): the noise falls with `1 / sqrt(b)`, while the
//! work of a step grows with b. With the same number of examples seen, small batches make more steps, each worse.
//!
//! Sources: Goodfellow, Bengio and Courville 2016, section 8.1.3; lecture on stochastic gradient descent.

use super::finding::brief;
use super::plot::{Axis, Lines, Series};
use super::probe::{look, preprocessed};
use super::trial::{Trial, each, halves, train};
use super::{Cell, Finding, LabError};
use crate::nn::{Dense, Initializer, Input, Sequential};
use crate::optim::Sgd;
use crate::page::numbers::percent;
use crate::random::{Purpose, Stream};

const UNITS: usize = 24;
const EPOCHS: usize = 6;
const RATE: f64 = 0.05;
/// 0 stands for all examples.
const SIZES: [usize; 5] = [1, 4, 32, 128, 0];
/// Batches of which the noise is measured.
const BATCHES: usize = 12;

fn network() -> Sequential {
    let dense = |units| Dense { init: Some(Initializer::HeNormal), ..Dense::new(units) };
    Sequential::new(Input::image(8, 8, 1)).flatten().layer(dense(UNITS)).relu().layer(dense(10))
}

struct Case {
    size: usize,
    full: bool,
    noise: f64,
    trial: Trial,
}

impl Case {
    fn name(&self) -> String {
        if self.full { format!("{}, all", self.size) } else { self.size.to_string() }
    }
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let train_part = data.train();
    let n = train_part.len();
    let whole = preprocessed(&network(), &data)?;
    let gradient = |examples: &[u32]| -> Result<Vec<f64>, LabError> {
        let look = look(&whole, None, data.data(), examples, seed)?;
        Ok(look.parameters.into_iter().flat_map(|(_, gradient)| gradient).collect())
    };
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let of_all = gradient(train_part.indices())?;
    let cases = each(&SIZES, |&size| {
        let full = size == 0;
        let size = if full { n } else { size };
        let mut noise = 0.0;
        for batch in (0..BATCHES).take_while(|_| !full) {
            let mut order = train_part.indices().to_vec();
            Stream::new(seed, Purpose::Noise, batch as u64).shuffle(&mut order);
            let off: Vec<f64> = gradient(&order[..size])?.iter().zip(&of_all).map(|(a, b)| a - b).collect();
            noise += norm(&off).powi(2) / BATCHES as f64;
        }
        let noise = noise.sqrt() / norm(&of_all);
        let trial = train(network(), &data, RATE, |trainer| {
            trainer.optimizer(Sgd::default()).batch_size(size).epochs(EPOCHS).seed(seed)
        })?;
        Ok(Case { size, full, noise, trial })
    })?;
    let steps = |case: &Case| n.div_ceil(case.size);
    let row = |case: &Case| {
        vec![
            case.name().into(),
            steps(case).into(),
            case.noise.into(),
            case.trial.last_loss().into(),
            case.trial.accuracy_after(1).map_or(Cell::Nothing, Cell::Share),
            case.trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    };
    let [one, _, middle, _, full] = [0, 1, 2, 3, 4].map(|at| &cases[at]);
    let (one_noise, middle_noise) = (one.noise, middle.noise);
    // Where chance moves the mean of so few batches by some tenths, the root of 32 is met within a factor.
    let fall = one_noise / middle_noise;
    let square_root = (0.6..1.7).contains(&(fall / (middle.size as f64).sqrt()));
    let accuracy = |case: &Case| case.trial.accuracy().unwrap_or(0.0);
    let slower = accuracy(full) < accuracy(middle) - 0.1;
    let conclusion = format!(
        "From 1 to {} examples the noise of the gradient falls by {} ({} is the root of {}{}). After the same {EPOCHS} epochs \
         the full batch, with {} steps in all, is {} right; batches of {}, with {} steps, {}; single examples {}{}.",
        middle.size,
        brief(fall),
        brief((middle.size as f64).sqrt()),
        middle.size,
        if square_root { "" } else { ", which is not what was found" },
        EPOCHS * steps(full),
        percent(accuracy(full)),
        middle.size,
        EPOCHS * steps(middle),
        percent(accuracy(middle)),
        percent(accuracy(one)),
        if slower { "" } else { "; this time steps did not matter much" },
    );
    let by_examples = |case: &Case| {
        // Some fifty points a line, each the mean of the steps between.
        let losses = &case.trial.losses;
        let chunk = losses.len().div_ceil(50).max(1);
        let points = losses.chunks_exact(chunk).enumerate().map(|(at, some)| {
            let examples = (at * chunk + some.len()) * case.size;
            [examples.min(EPOCHS * n) as f64, some.iter().sum::<f64>() / some.len() as f64]
        });
        Series::new(case.name(), points.collect())
    };
    let noises = cases.iter().filter(|case| !case.full).map(|case| [case.size as f64, case.noise]).collect();
    let root =
        SIZES.iter().filter(|&&size| size > 0).map(|&size| [size as f64, one_noise / (size as f64).sqrt()]);
    let panels = [
        Lines {
            title: "Noise of the gradient, before training".into(),
            x: Axis::log("examples in the batch"),
            y: Axis::log("error / size of the gradient"),
            dots: true,
            series: vec![
                Series::new("measured", noises),
                Series::new("one over the root of the batch", root.collect()),
            ],
        },
        Lines {
            title: "Loss by examples seen".into(),
            x: Axis::linear("examples"),
            y: Axis::log("loss"),
            dots: false,
            series: cases.iter().map(by_examples).collect(),
        },
        Lines {
            title: "Loss by steps".into(),
            x: Axis::log("step"),
            y: Axis::log("loss, means of ever more steps"),
            dots: false,
            series: cases.iter().map(|case| case.trial.loss_by_decades(case.name())).collect(),
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy").from(0.0),
            dots: true,
            series: cases.iter().map(|case| case.trial.accuracy_curve(case.name())).collect(),
        },
    ];
    Ok(Finding {
        name: "batch-size",
        title: "The size of minibatches",
        question: "From one example to all: how noisy is the gradient, and what does an epoch achieve?",
        setup: format!(
            "A hidden layer of {UNITS} ReLU units. The noise is the root mean square error of the gradients of {BATCHES} random \
             batches before training, over the size of the gradient of all {n} examples, in f64. Then {EPOCHS} epochs of plain \
             SGD at rate {RATE} with each size on half of the digits; accuracy is that on the other half."
        ),
        equations: "gradient of a batch    g_b = mean over the batch of dL_i/dw\n\
                    noise                  E |g_b - g|^2 = (variance of dL_i/dw) / b * (n - b) / (n - 1)\n\
                    SGD                    w = w - eta g_b",
        source: "Goodfellow, Bengio and Courville 2016, section 8.1.3; lecture on stochastic gradient descent.",
        seed,
        head: vec!["batch", "steps an epoch", "noise", "loss", "accuracy, 1 epoch", "accuracy"],
        rows: cases.iter().map(row).collect(),
        conclusion,
        shown: square_root && slower,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
