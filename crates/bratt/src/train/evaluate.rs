//! Judging a model on examples.
//!
//! With n examples, c of them classified rightly, and the confusion matrix `M[true][predicted]`:
//!
//! - loss: mean of the examples' losses; accuracy p = c / n;
//! - interval: Wilson's 95 % interval of p, `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`, z = 1.96;
//! - precision `M[k][k] / sum_i M[i][k]`, recall `M[k][k] / sum_j M[k][j]`, F1 their harmonic mean, 0 where undefined;
//!   macro-F1 is the mean over the classes that occur or were predicted;
//! - regression: mean squared error, and R^2 = 1 - sum (p - t)^2 / sum (t - mean t)^2.
//!
//! Source: Wilson 1927 for the interval; lecture on evaluation.

use super::{Part, Score, TrainError};
use crate::compile::{Options, StateLayout, compile};
use crate::data::Dataset;
use crate::exec::{Machine, Runner, Slots};
use crate::model::{Measured, TrainedModel, evaluation_graph};
use crate::nn::{Sequential, Task, fold_batch_norm};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Examples that are judged at a time. Fixed, so that results do not depend on the batch size of training.
const BATCH: usize = 256;
/// The 97.5 % point of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The result on some examples. `Display` is a small table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// Number of examples.
    pub n: usize,
    /// Mean loss.
    pub loss: f64,
    /// What else there is to say, by task.
    #[serde(flatten)]
    pub measures: Measures,
}

/// Measures of classification or of regression.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measures {
    /// Of classes.
    Classes {
        /// Part of the examples classified rightly.
        accuracy: f64,
        /// Its 95 % interval.
        interval: [f64; 2],
        /// Mean F1 of the classes.
        macro_f1: f64,
        /// Each class by itself.
        classes: Vec<ClassScore>,
        /// Numbers of examples by true class (row) and predicted class (column).
        confusion: Vec<Vec<usize>>,
    },
    /// Of numbers.
    Values {
        /// Mean squared error.
        mse: f64,
        /// Part of the variance that is explained; 0 where the targets do not vary.
        r2: f64,
    },
}

/// One class of an [`Evaluation`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClassScore {
    /// Its name.
    pub name: String,
    /// Examples of it.
    pub n: usize,
    /// Of those predicted as it, the part that are it.
    pub precision: f64,
    /// Of those that are it, the part predicted as it.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Judges a model on a part, on so many threads. Batch norm is folded into the layers before it, as for predicting.
///
/// # Errors
/// If the part is empty, or its examples or classes are not those of the model.
pub fn evaluate(model: &TrainedModel, part: &Part<'_>, threads: usize) -> Result<Evaluation, TrainError> {
    evaluate_on(&Machine::new(threads), model, part)
}

pub(super) fn evaluate_on(
    machine: &Machine,
    model: &TrainedModel,
    part: &Part<'_>,
) -> Result<Evaluation, TrainError> {
    let data = part.data();
    check_fit(data, &model.network, model.task)?;
    if data.classes() != model.classes {
        let (found, expected) = (data.classes().join(", "), model.classes.join(", "));
        return Err(TrainError::ClassNames { data: data.name().into(), found, expected });
    }
    if part.is_empty() {
        let data = data.name().into();
        return Err(TrainError::TooFew { data, part: "the part to evaluate", found: 0, expected: 1 });
    }
    let (network, values) = fold_batch_norm(&model.network, &model.values);
    let mut evaluator = Evaluator::new(machine, &network, model.task, None)?;
    let mut slots = Slots::new(evaluator.runner.program().layout().clone(), 0);
    for (name, value) in &values {
        slots.set(name, value)?;
    }
    Ok(evaluator.evaluate(&slots, part))
}

/// Checks that a network's input and outputs fit a data set.
pub(super) fn check_fit(data: &Dataset, network: &Sequential, task: Task) -> Result<(), TrainError> {
    let name = data.name().to_string();
    if data.shape() != network.input {
        let (found, expected) = (data.shape().into(), network.input[..].into());
        return Err(TrainError::InputShape { data: name, found, expected });
    }
    let (outputs, classes) = (network.output_shape()?, data.classes().len());
    let fits = match task {
        Task::Classify => classes > 0 && outputs[..] == [classes],
        Task::Binary => classes == 2 && outputs[..] == [1],
        Task::Regress => classes == 0 && outputs[..] == [1],
    };
    if fits {
        return Ok(());
    }
    let targets = if classes > 0 { format!("{classes} classes") } else { "one number to predict".into() };
    let wants = match task {
        Task::Classify => "one output a class",
        Task::Binary => "two classes and one output",
        Task::Regress => "one number to predict and one output",
    };
    let outputs = format!("gives outputs of shape {outputs} for a task that wants {wants}");
    Err(TrainError::Targets { data: name, targets, outputs })
}

/// A compiled evaluation.
pub(super) struct Evaluator {
    runner: Runner,
    task: Task,
}

impl Evaluator {
    pub(super) fn new(
        machine: &Machine,
        network: &Sequential,
        task: Task,
        layout: Option<Arc<StateLayout>>,
    ) -> Result<Evaluator, TrainError> {
        let graph = evaluation_graph(network, task, BATCH)?;
        let program = compile(&graph, &Options { layout, ..Options::default() })?;
        Ok(Evaluator { runner: machine.load(program), task })
    }

    /// Judges all examples of a part; what pads the last batch is ignored.
    pub(super) fn evaluate(&mut self, slots: &Slots, part: &Part<'_>) -> Evaluation {
        let data = part.data();
        let mut tally = Tally::new(data.classes().len());
        for indices in part.indices().chunks(BATCH) {
            let targets = {
                let Some((x, y)) = self.runner.two_inputs_mut("features", "labels") else { break };
                data.gather_into(indices, x, y);
                y[..indices.len()].to_vec()
            };
            self.runner.infer(slots);
            let (Some(losses), Some(logits)) = (self.runner.get("losses"), self.runner.get("logits")) else {
                break;
            };
            let width = logits.len() / BATCH;
            let rows = logits.chunks_exact(width).zip(losses).zip(targets);
            for ((row, &loss), target) in rows {
                tally.add(self.task, row, f64::from(loss), target);
            }
        }
        tally.evaluation(data.classes())
    }
}

/// Sums over examples, in their order.
struct Tally {
    n: usize,
    loss: f64,
    confusion: Vec<Vec<usize>>,
    squared_error: f64,
    targets: Vec<f64>,
}

impl Tally {
    fn new(classes: usize) -> Tally {
        let confusion = vec![vec![0; classes]; classes];
        Tally { n: 0, loss: 0.0, confusion, squared_error: 0.0, targets: Vec::new() }
    }

    fn add(&mut self, task: Task, logits: &[f32], loss: f64, target: f32) {
        self.n += 1;
        self.loss += loss;
        let predicted = match task {
            Task::Classify => crate::model::first_largest(logits),
            Task::Binary => usize::from(logits[0] > 0.0),
            Task::Regress => {
                self.squared_error += (f64::from(logits[0]) - f64::from(target)).powi(2);
                self.targets.push(f64::from(target));
                return;
            }
        };
        self.confusion[target as usize][predicted] += 1;
    }

    fn evaluation(self, names: &[String]) -> Evaluation {
        let n = self.n.max(1) as f64;
        let loss = self.loss / n;
        if names.is_empty() {
            let mean = self.targets.iter().sum::<f64>() / n;
            let spread: f64 = self.targets.iter().map(|t| (t - mean).powi(2)).sum();
            let r2 = if spread > 0.0 { 1.0 - self.squared_error / spread } else { 0.0 };
            return Evaluation {
                n: self.n,
                loss,
                measures: Measures::Values { mse: self.squared_error / n, r2 },
            };
        }
        let classes = class_scores(&self.confusion, names);
        let right: usize = (0..names.len()).map(|k| self.confusion[k][k]).sum();
        let seen: Vec<f64> = (0..names.len())
            .filter(|&k| classes[k].n > 0 || self.confusion.iter().any(|row| row[k] > 0))
            .map(|k| classes[k].f1)
            .collect();
        let measures = Measures::Classes {
            accuracy: right as f64 / n,
            interval: wilson(right, self.n),
            macro_f1: seen.iter().sum::<f64>() / seen.len().max(1) as f64,
            classes,
            confusion: self.confusion,
        };
        Evaluation { n: self.n, loss, measures }
    }
}

fn class_scores(confusion: &[Vec<usize>], names: &[String]) -> Vec<ClassScore> {
    let part = |a: usize, b: usize| if b > 0 { a as f64 / b as f64 } else { 0.0 };
    let score = |(k, name): (usize, &String)| {
        let n: usize = confusion[k].iter().sum();
        let predicted: usize = confusion.iter().map(|row| row[k]).sum();
        let hits = confusion[k][k];
        // 2 hits / (n + predicted) is the harmonic mean of precision and recall.
        let (precision, recall, f1) = (part(hits, predicted), part(hits, n), part(2 * hits, n + predicted));
        ClassScore { name: name.clone(), n, precision, recall, f1 }
    };
    names.iter().enumerate().map(score).collect()
}

/// Wilson's 95 % interval of a proportion.
fn wilson(right: usize, n: usize) -> [f64; 2] {
    let (p, n) = (right as f64 / n.max(1) as f64, n.max(1) as f64);
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    [(centre - half) / (1.0 + z2 / n), (centre + half) / (1.0 + z2 / n)].map(|x| x.clamp(0.0, 1.0))
}

impl Evaluation {
    /// Part of the examples classified rightly; none for regression.
    pub fn accuracy(&self) -> Option<f64> {
        match &self.measures {
            Measures::Classes { accuracy, .. } => Some(*accuracy),
            Measures::Values { .. } => None,
        }
    }

    /// The 95 % interval of the accuracy; none for regression.
    pub fn interval(&self) -> Option<[f64; 2]> {
        match &self.measures {
            Measures::Classes { interval, .. } => Some(*interval),
            Measures::Values { .. } => None,
        }
    }

    /// Mean F1 of the classes; none for regression.
    pub fn macro_f1(&self) -> Option<f64> {
        match &self.measures {
            Measures::Classes { macro_f1, .. } => Some(*macro_f1),
            Measures::Values { .. } => None,
        }
    }

    /// The short form.
    pub fn score(&self) -> Score {
        Score { loss: self.loss, accuracy: self.accuracy(), macro_f1: self.macro_f1() }
    }

    /// What a model file keeps of it.
    pub fn measured(&self) -> Measured {
        Measured { n: self.n, loss: self.loss, accuracy: self.accuracy() }
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.measures {
            Measures::Values { mse, r2 } => {
                write!(
                    f,
                    "{} examples: loss {:.4}, mean squared error {mse:.4}, R2 {r2:.4}",
                    self.n, self.loss
                )
            }
            Measures::Classes { accuracy, interval: [low, high], macro_f1, classes, .. } => {
                let [p, low, high, f1] = [accuracy, low, high, macro_f1].map(|x| 100.0 * x);
                writeln!(
                    f,
                    "{} examples: accuracy {p:.1} % [{low:.1}, {high:.1}], macro-F1 {f1:.1} %, loss {:.4}",
                    self.n, self.loss
                )?;
                let width = classes.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).max(5);
                write!(f, "{:<width$} {:>7} {:>10} {:>8} {:>8}", "class", "n", "precision", "recall", "F1")?;
                for class in classes {
                    let [a, b, c] = [class.precision, class.recall, class.f1].map(|x| 100.0 * x);
                    write!(f, "\n{:<width$} {:>7} {a:>8.1} % {b:>6.1} % {c:>6.1} %", class.name, class.n)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_has_its_published_values() {
        // Newcombe 1998, table I: 81 of 263, and 0 of 20.
        let [low, high] = wilson(81, 263);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let [low, high] = wilson(0, 20);
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn measures_follow_from_the_confusion() {
        let names = ["a", "b", "c", "never"].map(String::from);
        let mut tally = Tally::new(4);
        for (target, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1), (2, 0)] {
            let mut logits = [0.0; 4];
            logits[predicted] = 1.0;
            tally.add(Task::Classify, &logits, 2.0, target as f32);
        }
        let result = tally.evaluation(&names);
        assert_eq!((result.n, result.loss, result.accuracy()), (5, 2.0, Some(0.6)));
        // F1: a 2*1/(2+2), b 2*2/(2+3), c 0; the class that neither occurs nor is predicted does not count.
        assert!((result.macro_f1().unwrap() - (0.5 + 0.8 + 0.0) / 3.0).abs() < 1e-12);
        let Measures::Classes { classes, confusion, .. } = &result.measures else { panic!() };
        assert_eq!((classes[1].precision, classes[1].recall), (2.0 / 3.0, 1.0));
        assert_eq!(confusion[2], [1, 0, 0, 0]);
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), result);
    }

    #[test]
    fn regression_explains_variance() {
        let mut tally = Tally::new(0);
        for (p, t) in [(1.0, 1.0), (2.0, 3.0), (6.0, 5.0)] {
            tally.add(Task::Regress, &[p], 0.0, t);
        }
        let result = tally.evaluation(&[]);
        let Measures::Values { mse, r2 } = result.measures else { panic!() };
        assert!((mse - 2.0 / 3.0).abs() < 1e-12 && (r2 - 0.75).abs() < 1e-12);
    }
}
