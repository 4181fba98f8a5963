//! What softmax regression looks for.
//!
//! The logit of a class is `z_k = sum over pixels of w_k x + b_k`: a picture of weights laid over the image. Where it is
//! positive (orange) ink speaks for the class, where it is negative (blue) against it. Only differences between classes
//! count, so the pictures say what tells a digit from the others, not what it looks like.
//!
//! Source: lecture on softmax regression.

use super::finding::brief;
use super::plot::{Panel, WIDTH};
use super::trial::{halves, train};
use super::{Cell, Finding, LabError};
use crate::explain::color::{balance, heat};
use crate::nn::{Input, Sequential};
use crate::optim::Adam;
use crate::page::numbers::percent;
use crate::page::{Markup, el};

const EPOCHS: usize = 20;
const RATE: f64 = 0.01;
/// Strong enough that pixels without a say have a weight near 0.
const DECAY: f64 = 0.003;
const SIDE: usize = 8;
const ROOM: f64 = WIDTH / 5.0;
const CELL: f64 = (ROOM - 8.0) / SIDE as f64;

/// Ten pictures of 8x8 numbers, `color` of each as red, green and blue.
fn pictures(title: &str, alt: &str, numbers: &[Vec<f64>], color: impl Fn(f64) -> [u8; 3]) -> Panel {
    let (mut all, mut cells) = (Markup::new(), Markup::new());
    for (digit, values) in numbers.iter().enumerate() {
        let (left, top) = ((digit % 5) as f64 * ROOM, (digit / 5) as f64 * (ROOM + 20.0) + 18.0);
        all.push(el("text").class("soft").at([("x", left), ("y", top - 5.0)]).with(digit.to_string()));
        for (at, &value) in values.iter().enumerate() {
            let place = [("x", left + CELL * (at % SIDE) as f64), ("y", top + CELL * (at / SIDE) as f64)];
            let [r, g, b] = color(value);
            let fill = format!("#{r:02x}{g:02x}{b:02x}");
            // A little wider than apart, so that no seam is seen.
            let rect =
                el("rect").at(place).attr("width", CELL + 0.3).attr("height", CELL + 0.3).attr("fill", fill);
            cells.push(rect.with(el("title").with(format!("{value:.3}"))));
        }
    }
    all.push(el("g").attr("shape-rendering", "crispEdges").with(cells));
    Panel::drawn(title, alt, 2.0 * (ROOM + 20.0), all)
}

/// The correlation of two lists of numbers.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let together: f64 = a.iter().zip(b).map(|(a, b)| (a - of_a) * (b - of_b)).sum();
    let square = |x: &[f64], mean: f64| x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    together / (square(a, of_a) * square(b, of_b)).sqrt().max(1e-300)
}

pub(super) fn run(seed: u64) -> Result<Finding, LabError> {
    let data = halves(seed)?;
    let network = Sequential::new(Input::image(SIDE, SIDE, 1)).dense(10);
    let trial = train(network, &data, RATE, |trainer| {
        let optimizer = crate::optim::Optimizer::from(Adam::default()).weight_decay(DECAY);
        trainer.optimizer(optimizer).epochs(EPOCHS).seed(seed)
    })?;
    let pixels = SIDE * SIDE;
    let stored = trial.model.as_ref().and_then(|model| model.values.get("dense1.weight"));
    let stored = stored.map_or(&[][..], |weight| weight.data());
    let weights: Vec<Vec<f64>> =
        (0..10).map(|class| stored.iter().skip(class).step_by(10).map(|&w| f64::from(w)).collect()).collect();
    let part = data.train();
    let (mut x, mut y) = (vec![0.0; part.len() * pixels], vec![0.0; part.len()]);
    part.data().gather_into(part.indices(), &mut x, &mut y);
    let mut means = vec![vec![0.0; pixels]; 10];
    let mut counts = [0.0f64; 10];
    for (image, &class) in x.chunks_exact(pixels).zip(&y) {
        counts[class as usize] += 1.0;
        means[class as usize].iter_mut().zip(image).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    means.iter_mut().zip(counts).for_each(|(mean, n)| mean.iter_mut().for_each(|x| *x /= n.max(1.0)));
    // The mean of a digit less that of all: where it has more ink than others.
    let of_all: Vec<f64> =
        (0..pixels).map(|at| means.iter().map(|mean| mean[at]).sum::<f64>() / 10.0).collect();
    let own: Vec<Vec<f64>> =
        means.iter().map(|mean| mean.iter().zip(&of_all).map(|(a, b)| a - b).collect()).collect();
    let place = |at: usize| format!("row {}, column {}", at / SIDE + 1, at % SIDE + 1);
    let extreme = |values: &[f64], sign: f64| {
        let best = values.iter().enumerate().max_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
        best.map_or((0, 0.0), |(at, &value)| (at, value))
    };
    let correlations: Vec<f64> = weights.iter().zip(&own).map(|(w, m)| correlation(w, m)).collect();
    let rows = weights.iter().enumerate().map(|(digit, values)| {
        let ((for_at, most), (against_at, least)) = (extreme(values, 1.0), extreme(values, -1.0));
        vec![
            digit.to_string().into(),
            place(for_at).into(),
            most.into(),
            place(against_at).into(),
            least.into(),
            correlations[digit].into(),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let center =
        [27, 28, 35, 36].iter().map(|&at| weights[0].get(at).copied().unwrap_or(0.0)).sum::<f64>() / 4.0;
    let typical = correlations.iter().sum::<f64>() / 10.0;
    let accuracy = trial.accuracy().unwrap_or(0.0);
    let (hole, alike) = (center < 0.0, typical > 0.3);
    let conclusion = format!(
        "One picture of weights a digit reads {} of unseen digits. In the middle of the 0 the weights are {} on average: ink \
         there speaks {} it. The weights follow where a digit has more ink than the others, with a correlation of {} on \
         average{}.",
        percent(accuracy),
        brief(center),
        if hole { "against" } else { "for" },
        brief(typical),
        if alike { ": they say what tells it from them" } else { ", hardly" },
    );
    let largest = weights.iter().flatten().fold(1e-9, |most: f64, w| most.max(w.abs()));
    let panels = vec![
        pictures(
            "Weights: orange speaks for, blue against",
            "Ten pictures of weights, one a digit.",
            &weights,
            |w| balance((w / largest) as f32),
        ),
        pictures("The mean image of each digit", "Ten mean images.", &means, |x| heat(x as f32)),
    ];
    Ok(Finding {
        name: "softmax-weights",
        title: "What softmax regression looks for",
        question: "A linear classifier has one weight a pixel and digit: what do these weights look like?",
        setup: format!(
            "Softmax regression learns from half of the digits for {EPOCHS} epochs with Adam at rate {RATE} and weight decay \
             {DECAY}; its 64 x 10 weights are drawn on one scale, from {} (blue) to {} (orange). Accuracy is that on the other half.",
            brief(-largest),
            brief(largest),
        ),
        equations: "logits         z_k = sum over pixels of w_k x + b_k\n\
                    probabilities  p_k = exp(z_k) / sum over j of exp(z_j)\n\
                    gradient       dL/dw_k = mean of (p_k - [label is k]) x",
        source: "lecture on softmax regression.",
        seed,
        head: vec!["digit", "most for it", "weight", "most against it", "weight", "correlation with its ink"],
        rows,
        conclusion,
        shown: hole && alike && accuracy > 0.9,
        panels,
    })
}
