//! Dropout, naive and inverted.
//!
//! With keep = 1 - drop and a mask m of independent 0s and 1s, E[m] = keep:
//!
//! - naive: training `y = (m h) W + b`, predicting `y = (keep h) W + b`;
//! - inverted: training `y = (m h / keep) W + b`, predicting `y = h W + b`.
//!
//! In both forms the output when predicting is the expected output of training, exactly where what follows the mask is
//! affine (behind another nonlinearity only nearly). A network with the weights W inverted is one with W / keep naive.
//! The lecture's formula of the naive form must compare with the probability of keeping: `m = u < keep`.
//!
//! Sources: Srivastava et al. 2014; lecture on dropout.

use super::finding::brief;
use super::plot::{Axis, Lines, Series};
use super::trial::{Trial, each, train};
use super::{Cell, Finding, LabError};
use crate::data::{Fractions, digits};
use crate::exec::{Key, State, interpret};
use crate::graph::Graph;
use crate::init::initial_state;
use crate::nn::{Dense, Dropout, DropoutForm, Initializer, Input, Mode, Parameters, Sequential};
use crate::optim::Momentum;
use crate::page::numbers::percent;
use crate::tensor::Tensor;
use crate::train::Splits;

const DROP: f64 = 0.5;
const UNITS: usize = 64;
/// Masks over which outputs are averaged.
const MASKS: usize = 4000;
/// From how many on their mean is drawn.
const FEW: f64 = 10.0;
/// Wide enough to learn its few examples by heart.
const WIDE: usize = 160;
const EPOCHS: usize = 50;
const RATE: f64 = 0.02;

/// Mean outputs over masks beside the outputs when predicting.
pub(super) struct Outputs {
    /// By output: mean over the masks, standard error of that, and the output when predicting.
    pub logits: Vec<[f64; 3]>,
    /// The mean output after 1, 2, 3, ... masks, of the first output.
    running: Vec<f64>,
}

impl Outputs {
    /// The largest difference between mean and prediction, in standard errors.
    pub(super) fn largest(&self) -> f64 {
        let off = |&[mean, error, predicted]: &[f64; 3]| (mean - predicted).abs() / error.max(1e-300);
        self.logits.iter().map(off).fold(0.0, f64::max)
    }
}

fn head(form: DropoutForm, init: Initializer) -> Sequential {
    let dense = |units| Dense { init: Some(init), ..Dense::new(units) };
    let start = Sequential::new(Input::features(64)).layer(dense(UNITS)).relu();
    start.layer(Dropout { drop: DROP, form }).layer(dense(10))
}

/// One digit under many masks at once: each row of the batch is the same digit and has a mask of its own.
pub(super) fn outputs(form: DropoutForm, seed: u64) -> Result<Outputs, LabError> {
    let data = digits();
    let (mut x, mut y) = (vec![0.0; 64], vec![0.0]);
    data.gather_into(&[0], &mut x, &mut y);
    let run = |mode, rows: usize| -> Result<Vec<f64>, LabError> {
        let g = Graph::builder();
        let features = g.input("features", [rows, 64]);
        let network = head(form, Initializer::HeNormal);
        g.output("logits", network.forward(&g, features, mode, &mut Parameters::new()));
        let graph = g.finish()?;
        let state: State =
            initial_state(&graph, seed).into_iter().map(|(name, value)| (name, value.to_f64())).collect();
        let batch = Tensor::from_fn([rows, 64], |i| f64::from(x[i % 64]));
        let trace = interpret(&graph, &[("features", &batch)], &state, Key { seed, step: 0 })?;
        Ok(trace.output("logits").map_or_else(Vec::new, |logits| logits.data().to_vec()))
    };
    let (masked, predicted) = (run(Mode::Training, MASKS)?, run(Mode::Inference, 1)?);
    let n = MASKS as f64;
    let logits = predicted.iter().enumerate().map(|(class, &predicted)| {
        let of = || masked.iter().skip(class).step_by(10);
        let mean = of().sum::<f64>() / n;
        let variance = of().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0);
        [mean, (variance / n).sqrt(), predicted]
    });
    let running = masked.iter().step_by(10).scan((0.0, 0.0), |(sum, count), z| {
        (*sum, *count) = (*sum + z, *count + 1.0);
        Some(*sum / *count)
    });
    Ok(Outputs { logits: logits.collect(), running: running.collect() })
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let forms = [("naive", DropoutForm::Naive), ("inverted", DropoutForm::Inverted)];
    let expected = each(&forms, |&(_, form)| outputs(form, seed))?;
    // Few examples and many weights: what dropout is for.
    let data = Splits::new(digits(), Fractions { train: 0.1, val: 0.4, test: 0.5 }, seed)?;
    let kinds =
        [("without", None), ("naive", Some(DropoutForm::Naive)), ("inverted", Some(DropoutForm::Inverted))];
    let trials = each(&kinds, |&(_, form)| {
        let start = Sequential::new(Input::image(8, 8, 1)).flatten();
        let add = |network: Sequential| match form {
            Some(form) => network.dense(WIDE).relu().layer(Dropout { drop: DROP, form }),
            None => network.dense(WIDE).relu(),
        };
        train(add(add(start)).dense(10), &data, RATE, |trainer| {
            trainer.optimizer(Momentum::default()).epochs(EPOCHS).seed(seed)
        })
    })?;
    let loss = |trial: &Trial| {
        trial.epochs.last().and_then(|end| end.validation).map_or(f64::NAN, |score| score.loss)
    };
    let mut rows = Vec::new();
    for ((name, _), trial) in kinds.iter().zip(&trials) {
        let found = forms.iter().position(|(form, _)| form == name).map(|at| &expected[at]);
        let first = found.map(|found| found.logits[0]);
        let cell = |at: usize| first.map_or(Cell::Nothing, |logit| logit[at].into());
        rows.push(vec![
            (*name).into(),
            cell(0),
            cell(1),
            cell(2),
            found.map_or(Cell::Nothing, |found| found.largest().into()),
            trial.last_loss().into(),
            loss(trial).into(),
            trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]);
    }
    let agree = expected.iter().all(|found| found.largest() < 4.0);
    let [without, naive, inverted] = [0, 1, 2].map(|at| trials[at].accuracy().unwrap_or(0.0));
    let helps = inverted > without && naive > without;
    let means =
        expected.iter().map(|found| brief(found.logits[0][0])).collect::<Vec<_>>().join(" (naive) and ");
    let predicted = expected.iter().map(|found| brief(found.logits[0][2])).collect::<Vec<_>>().join(" and ");
    let conclusion = format!(
        "Over {MASKS} masks the first output is {means} (inverted) on average, and {predicted} when predicting: {}. The \
         held-out accuracy is {} without dropout, {} with naive and {} with inverted dropout{}.",
        if agree { "equal within chance, for all ten outputs" } else { "not equal within chance" },
        percent(without),
        percent(naive),
        percent(inverted),
        if helps { "" } else { ": this time it does not help both ways" },
    );
    // Evenly on the logarithmic axis; the first few masks say nothing.
    let thin = |running: &[f64]| -> Vec<[f64; 2]> {
        let mut places: Vec<usize> =
            (0..=150).map(|i| (FEW * (MASKS as f64 / FEW).powf(f64::from(i) / 150.0)) as usize).collect();
        places.dedup();
        places.into_iter().filter_map(|n| Some([n as f64, *running.get(n - 1)?])).collect()
    };
    let mut lines = Vec::new();
    for ((name, _), found) in forms.iter().zip(&expected) {
        lines.push(Series::new(format!("{name}, mean over masks"), thin(&found.running)));
        let predicted = found.logits[0][2];
        let level = vec![[FEW, predicted], [MASKS as f64, predicted]];
        lines.push(Series::new(format!("{name}, predicting"), level));
    }
    let panels = [
        Lines {
            title: "One output of one digit".into(),
            x: Axis::log("masks"),
            y: Axis::linear("first output"),
            dots: false,
            series: lines,
        },
        Lines {
            title: "Held-out accuracy".into(),
            x: Axis::linear("epoch"),
            y: Axis::percent("accuracy").from(0.8),
            dots: false,
            series: kinds.iter().zip(&trials).map(|((name, _), trial)| trial.accuracy_curve(*name)).collect(),
        },
        Lines {
            title: "Training loss".into(),
            x: Axis::linear("epoch"),
            y: Axis::log("loss"),
            dots: false,
            series: kinds.iter().zip(&trials).map(|((name, _), trial)| trial.epoch_losses(*name)).collect(),
        },
        Lines {
            title: "Held-out loss".into(),
            x: Axis::linear("epoch"),
            y: Axis::log("loss"),
            dots: false,
            series: kinds
                .iter()
                .zip(&trials)
                .map(|((name, _), trial)| trial.held_out_losses(*name))
                .collect(),
        },
    ];
    Ok(Finding {
        name: "dropout",
        title: "Dropout, naive and inverted",
        question: "Do both forms predict what they expect when training, and do they help?",
        setup: format!(
            "First, one digit goes {MASKS} times through a network of {UNITS} ReLU units at its start, each time under a mask \
             of its own that drops half of them, in f64; the last column of that part is the largest of ten differences \
             between mean and prediction, in standard errors of the mean. Second, two hidden layers of {WIDE} units learn from \
             {} digits for {EPOCHS} epochs with momentum 0.9 at rate {RATE}; {} others are held out.",
            data.train().len(),
            data.val().len(),
        ),
        equations: "mask      m = 1 where u < keep, else 0      keep = 1 - drop\n\
                    naive     training y = (m h) W + b          predicting y = (keep h) W + b\n\
                    inverted  training y = (m h / keep) W + b   predicting y = h W + b",
        source: "Srivastava et al. 2014; lecture on dropout.",
        seed,
        head: vec![
            "dropout",
            "mean output",
            "std. error",
            "predicted",
            "largest diff. / error",
            "loss",
            "held-out loss",
            "accuracy",
        ],
        rows,
        conclusion,
        shown: agree && helps,
        panels: panels.into_iter().map(Lines::draw).collect(),
    })
}
