//! Two spirals: what a linear boundary cannot do.
//!
//! The boundary of softmax regression is where two affine functions are equal: a straight line. A multilayer perceptron
//! bends the plane first, and its boundary is a curve; two spirals, wound around each other, need that.
//!
//! A point of class c at t in [0, 1] lies at radius `r = 0.08 + 0.92 t` and angle `3 pi t + pi c`, plus normal noise.
//!
//! Sources: Lang and Witbrock 1988 (the task); lecture on multilayer perceptrons.

use super::plot::{Panel, WIDTH};
use super::trial::{Trial, each, train};
use super::{Cell, Finding, LabError};
use crate::data::{Dataset, Features, Fractions, Targets};
use crate::explain::color::balance;
use crate::nn::{Input, Sequential};
use crate::optim::Adam;
use crate::page::numbers::percent;
use crate::page::{Markup, el};
use crate::random::{Purpose, Stream};
use crate::schedule::Schedule;
use crate::train::{Part, Splits, predictions};
use std::f64::consts::PI;

/// Points of each spiral.
const POINTS: usize = 200;
const NOISE: f64 = 0.02;
const EPOCHS: usize = 400;
const RATE: f64 = 0.02;
/// The plane from -SPAN to SPAN on both axes, in GRID steps.
const SPAN: f64 = 1.2;
const GRID: usize = 150;
/// Shades between the two classes.
const SHADES: f64 = 8.0;

fn table(name: &str, values: Vec<f32>, labels: Vec<u32>) -> Result<Dataset, LabError> {
    let features = Features::Table { values, columns: vec!["x".into(), "y".into()] };
    let targets = Targets::Classes { labels, names: vec!["first".into(), "second".into()] };
    Ok(Dataset::new(name, vec![2], features, targets)?)
}

fn spirals(seed: u64) -> Result<Dataset, LabError> {
    let mut stream = Stream::new(seed, Purpose::Noise, 0);
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for at in 0..2 * POINTS {
        let (class, t) = (at % 2, (at / 2) as f64 / (POINTS - 1) as f64);
        let (radius, angle) = (0.08 + 0.92 * t, 3.0 * PI * t + PI * class as f64);
        for place in [radius * angle.cos(), radius * angle.sin()] {
            values.push((place + NOISE * stream.normal()) as f32);
        }
        labels.push(class as u32);
    }
    table("spirals", values, labels)
}

/// Shades of the plane and the points over it.
fn picture(name: &str, trial: &Trial, data: &Dataset) -> Result<Panel, LabError> {
    let step = 2.0 * SPAN / GRID as f64;
    let place = |at: usize| (at as f64 + 0.5) * step - SPAN;
    let plane = (0..GRID * GRID).flat_map(|at| [place(at % GRID) as f32, -place(at / GRID) as f32]);
    let plane = table("plane", plane.collect(), vec![0; GRID * GRID])?;
    let mut shades = Markup::new();
    let size = WIDTH / GRID as f64;
    if let Some(model) = &trial.model {
        let said = predictions(model, &Part::whole(&plane), 1)?;
        let second: Vec<f64> = said.probabilities().iter().skip(1).step_by(2).copied().collect();
        let shade = |p: f64| (p * SHADES).floor().min(SHADES - 1.0);
        for (row, values) in second.chunks_exact(GRID).enumerate() {
            let mut from = 0;
            for to in 1..=GRID {
                if to == GRID || shade(values[to]) != shade(values[from]) {
                    let level = (shade(values[from]) + 0.5) / SHADES * 2.0 - 1.0;
                    let [r, g, b] = balance(0.75 * level as f32);
                    let rect = el("rect")
                        .attr("x", format!("{:.2}", from as f64 * size))
                        .attr("y", format!("{:.2}", row as f64 * size))
                        .attr("width", format!("{:.2}", (to - from) as f64 * size + 0.4))
                        .attr("height", format!("{:.2}", size + 0.4))
                        .attr("fill", format!("#{r:02x}{g:02x}{b:02x}"));
                    shades.push(rect);
                    from = to;
                }
            }
        }
    }
    let mut all = Markup::from(el("g").attr("shape-rendering", "crispEdges").with(shades));
    let at = |value: f32| (f64::from(value) + SPAN) / (2.0 * SPAN) * WIDTH;
    if let Features::Table { values, .. } = data.features() {
        for (point, &label) in values.chunks_exact(2).zip(data.labels()) {
            let fill = ["#0b3a66", "#7a3500"][label as usize % 2];
            let dot = el("circle").at([("cx", at(point[0])), ("cy", at(-point[1])), ("r", 3.0)]);
            all.push(dot.attr("fill", fill).attr("stroke", "#ffffff").attr("stroke-width", "0.8"));
        }
    }
    let alt = "The two spirals over the plane, shaded by the predicted probability.";
    Ok(Panel::drawn(name, alt, WIDTH, all))
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = spirals(seed)?;
    let splits = Splits::new(data.clone(), Fractions { train: 0.7, val: 0.3, test: 0.0 }, seed)?;
    let start = || Sequential::new(Input::features(2));
    let networks = [
        ("softmax regression", start().dense(2), 30),
        ("multilayer perceptron", start().dense(32).tanh().dense(32).tanh().dense(2), EPOCHS),
    ];
    let found = each(&networks, |(name, network, epochs)| {
        let parameters = network.summary()?.parameters();
        let trial = train(network.clone(), &splits, RATE, |trainer| {
            let steps = (splits.train().len().div_ceil(32) * epochs) as u64;
            let decay = Schedule::linear(RATE, RATE / 100.0, steps);
            trainer.optimizer(Adam::default()).schedule(decay).epochs(*epochs).seed(seed)
        })?;
        let panel = picture(
            &format!("The boundary of {}{name}", if *name == "multilayer perceptron" { "a " } else { "" }),
            &trial,
            &data,
        )?;
        Ok((*name, parameters, trial, panel))
    })?;
    let accuracy = |at: usize| found.get(at).and_then(|(_, _, trial, _)| trial.accuracy()).unwrap_or(0.0);
    let rows = found.iter().map(|(name, parameters, trial, _)| {
        vec![
            (*name).into(),
            (*parameters).into(),
            trial.epochs.len().into(),
            trial.last_loss().into(),
            trial.accuracy().map_or(Cell::Nothing, Cell::Share),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let (line, curve) = (accuracy(0), accuracy(1));
    let shown = line < 0.75 && curve > 0.95;
    let conclusion = format!(
        "A straight line gets {} of unseen points right, a multilayer perceptron {}{}.",
        percent(line),
        percent(curve),
        if shown {
            ": its boundary winds between the spirals"
        } else {
            "; this time it did not learn to wind"
        },
    );
    Ok(Finding {
        name: "spirals",
        title: "Two spirals",
        question: "What can a bent boundary do that a straight one cannot?",
        setup: format!(
            "{POINTS} points on each of two spirals with noise of deviation {NOISE}; seven of ten are learned from with Adam at \
             a rate that falls from {RATE} to a hundredth of it, the others are held out. Softmax regression has no hidden layer, the perceptron two of 32 tanh units. \
             The plane is shaded by the predicted probability."
        ),
        equations: "spiral of class c      r = 0.08 + 0.92 t,  angle = 3 pi t + pi c\n\
                    softmax regression     z = x W + b\n\
                    perceptron             z = tanh(tanh(x W1 + b1) W2 + b2) W3 + b3",
        source: "Lang and Witbrock 1988; lecture on multilayer perceptrons.",
        seed,
        head: vec!["model", "parameters", "epochs", "loss", "accuracy"],
        rows,
        conclusion,
        shown,
        panels: found.into_iter().map(|(_, _, _, panel)| panel).collect(),
    })
}
