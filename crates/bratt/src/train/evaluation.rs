//! The result of judging a model: what it holds, and how it reads.
//!
//! The loss is that of the network as it was trained. All else that looks at probabilities uses calibrated ones, where the
//! model has a temperature; see [`crate::metrics`] for each measure.
//!
//! Regression: mean squared error, and `R^2 = 1 - sum (p - t)^2 / sum (t - mean t)^2`.

use super::Score;
use crate::metrics::{Detail, Interval, wilson};
use crate::model::Measured;
use serde::{Deserialize, Serialize};
use std::fmt;

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
        interval: Interval,
        /// Mean F1 of the classes.
        macro_f1: f64,
        /// Each class by itself.
        classes: Vec<ClassScore>,
        /// Numbers of examples by true class (row) and predicted class (column).
        confusion: Vec<Vec<usize>>,
        /// By what logits were divided before they became probabilities; none where the model has no temperature.
        temperature: Option<f64>,
        /// The other measures.
        #[serde(flatten)]
        detail: Box<Detail>,
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
    /// The 95 % interval of the precision; none where nothing was predicted as it.
    pub precision_interval: Option<Interval>,
    /// Of those that are it, the part predicted as it.
    pub recall: f64,
    /// The 95 % interval of the recall; none without examples.
    pub recall_interval: Option<Interval>,
    /// Harmonic mean of both.
    pub f1: f64,
    /// The area under the ROC curve against the rest; none where it or the rest does not occur.
    pub roc_auc: Option<f64>,
    /// The average precision against the rest; none where it does not occur.
    pub pr_auc: Option<f64>,
}

/// One number of an [`Evaluation`], by name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Its name, as in JSON.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The number; none where it is undefined for these examples.
    pub value: Option<f64>,
    /// Its 95 % interval, if there is one.
    pub interval: Option<Interval>,
    /// Whether it is a part of the examples, to be shown in percent.
    pub is_share: bool,
    /// Whether more is better.
    pub more_is_better: bool,
}

impl Figure {
    /// The number as people read it.
    pub fn shown(&self) -> String {
        self.value.map_or_else(|| "-".into(), |value| self.show(value))
    }

    /// Some value of this measure as people read it.
    pub fn show(&self, value: f64) -> String {
        if self.is_share { format!("{:.1} %", 100.0 * value) } else { format!("{value:.4}") }
    }

    /// The interval as people read it; nothing without one.
    pub fn shown_interval(&self) -> String {
        self.interval.map_or_else(String::new, |[low, high]| {
            let low = self.show(low);
            format!("{} to {}", low.trim_end_matches(" %"), self.show(high))
        })
    }
}

impl Evaluation {
    /// The names of all figures of classification.
    pub const CLASS_FIGURES: [&'static str; 12] = [
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "top_3",
        "top_5",
        "kappa",
        "loss",
        "log_loss",
        "brier",
        "ece",
        "roc_auc",
        "pr_auc",
    ];

    /// The names of all figures of regression.
    pub const VALUE_FIGURES: [&'static str; 3] = ["loss", "mse", "r2"];

    /// All numbers by name, in the order of [`Evaluation::CLASS_FIGURES`] or [`Evaluation::VALUE_FIGURES`].
    pub fn figures(&self) -> Vec<Figure> {
        let figure = |name, title, value| Figure {
            name,
            title,
            value,
            interval: None,
            is_share: false,
            more_is_better: false,
        };
        let loss = figure("loss", "loss", Some(self.loss));
        match &self.measures {
            Measures::Values { mse, r2 } => {
                let r2 = Figure { more_is_better: true, ..figure("r2", "R2", Some(*r2)) };
                vec![loss, figure("mse", "mean squared error", Some(*mse)), r2]
            }
            Measures::Classes { accuracy, macro_f1, detail, .. } => {
                let interval = |name: &str| detail.intervals.get(name).copied();
                let share = |name, title, value| Figure {
                    interval: interval(name),
                    is_share: true,
                    more_is_better: true,
                    ..figure(name, title, value)
                };
                let more = |name, title, value| Figure { is_share: false, ..share(name, title, value) };
                let less = |name, title, value| Figure {
                    interval: interval(name),
                    ..figure(name, title, Some(value))
                };
                vec![
                    share("accuracy", "accuracy", Some(*accuracy)),
                    share("balanced_accuracy", "balanced accuracy", Some(detail.balanced_accuracy)),
                    share("macro_f1", "macro-F1", Some(*macro_f1)),
                    share("top_3", "top-3 accuracy", detail.top_3),
                    share("top_5", "top-5 accuracy", detail.top_5),
                    more("kappa", "Cohen's kappa", detail.kappa),
                    loss,
                    less("log_loss", "log loss", detail.log_loss),
                    less("brier", "Brier score", detail.brier),
                    Figure { is_share: true, ..less("ece", "calibration error", detail.ece) },
                    more("roc_auc", "ROC-AUC", detail.roc_auc),
                    more("pr_auc", "PR-AUC", detail.pr_auc),
                ]
            }
        }
    }

    /// The detailed measures; none for regression.
    pub fn detail(&self) -> Option<&Detail> {
        match &self.measures {
            Measures::Classes { detail, .. } => Some(detail),
            Measures::Values { .. } => None,
        }
    }

    /// Part of the examples classified rightly; none for regression.
    pub fn accuracy(&self) -> Option<f64> {
        match &self.measures {
            Measures::Classes { accuracy, .. } => Some(*accuracy),
            Measures::Values { .. } => None,
        }
    }

    /// The 95 % interval of the accuracy; none for regression.
    pub fn interval(&self) -> Option<Interval> {
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
        let balanced_accuracy = match &self.measures {
            Measures::Classes { detail, .. } => Some(detail.balanced_accuracy),
            Measures::Values { .. } => None,
        };
        let (accuracy, macro_f1) = (self.accuracy(), self.macro_f1());
        Score { loss: self.loss, accuracy, macro_f1, balanced_accuracy }
    }

    /// What a model file keeps of it.
    pub fn measured(&self) -> Measured {
        Measured { n: self.n, loss: self.loss, accuracy: self.accuracy() }
    }

    /// The result of a regression.
    pub(super) fn of_values(loss: f64, predicted: &[f32], targets: &[f32]) -> Evaluation {
        let n = targets.len().max(1) as f64;
        let mean = targets.iter().map(|&t| f64::from(t)).sum::<f64>() / n;
        let spread: f64 = targets.iter().map(|&t| (f64::from(t) - mean).powi(2)).sum();
        let error: f64 =
            predicted.iter().zip(targets).map(|(&p, &t)| (f64::from(p) - f64::from(t)).powi(2)).sum();
        let r2 = if spread > 0.0 { 1.0 - error / spread } else { 0.0 };
        Evaluation { n: targets.len(), loss, measures: Measures::Values { mse: error / n, r2 } }
    }
}

/// Wilson's interval of a share; none of nothing.
pub(super) fn interval_of(part: usize, all: usize) -> Option<Interval> {
    (all > 0).then(|| wilson(part, all))
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measures::Classes { accuracy, interval, macro_f1, classes, temperature, .. } = &self.measures
        else {
            let Measures::Values { mse, r2 } = &self.measures else { return Ok(()) };
            return write!(
                f,
                "{} examples: loss {:.4}, mean squared error {mse:.4}, R2 {r2:.4}",
                self.n, self.loss
            );
        };
        let [p, low, high, f1] = [*accuracy, interval[0], interval[1], *macro_f1].map(|x| 100.0 * x);
        writeln!(
            f,
            "{} examples: accuracy {p:.1} % [{low:.1}, {high:.1}], macro-F1 {f1:.1} %, loss {:.4}",
            self.n, self.loss
        )?;
        writeln!(f, "\n{:<18} {:>9}   95 % interval", "measure", "value")?;
        let told = ["accuracy", "loss"];
        for figure in self.figures().iter().filter(|figure| !told.contains(&figure.name)) {
            // Where there are few classes the most probable ones say little.
            if figure.value.is_none() && figure.name.starts_with("top") {
                continue;
            }
            let line = format!("{:<18} {:>9}   {}", figure.title, figure.shown(), figure.shown_interval());
            writeln!(f, "{}", line.trim_end())?;
        }
        match temperature {
            Some(t) => writeln!(f, "{:<18} {t:>9.4}   fitted on the validation part", "temperature")?,
            None => writeln!(f, "{:<18} {:>9}   probabilities are as trained", "temperature", "-")?,
        }
        let width = classes.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).max(5);
        write!(
            f,
            "\n{:<width$} {:>7} {:>10} {:>8} {:>8} {:>9} {:>8}",
            "class", "n", "precision", "recall", "F1", "ROC-AUC", "PR-AUC"
        )?;
        for class in classes {
            let [a, b, c] = [class.precision, class.recall, class.f1].map(|x| 100.0 * x);
            let area = |area: Option<f64>| area.map_or_else(|| "-".into(), |area| format!("{area:.4}"));
            let (roc, pr) = (area(class.roc_auc), area(class.pr_auc));
            write!(
                f,
                "\n{:<width$} {:>7} {a:>8.1} % {b:>6.1} % {c:>6.1} % {roc:>9} {pr:>8}",
                class.name, class.n
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_explains_variance() {
        let result = Evaluation::of_values(0.0, &[1.0, 2.0, 6.0], &[1.0, 3.0, 5.0]);
        let Measures::Values { mse, r2 } = result.measures else { panic!() };
        assert!((mse - 2.0 / 3.0).abs() < 1e-12 && (r2 - 0.75).abs() < 1e-12);
        let names: Vec<&str> = result.figures().iter().map(|figure| figure.name).collect();
        assert_eq!(names, Evaluation::VALUE_FIGURES);
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), result);
    }

    #[test]
    fn what_another_version_wrote_is_an_error_and_no_panic() {
        let old = r#"{"n":1,"loss":0.5,"accuracy":1.0,"interval":[0.2,1.0],"macro_f1":1.0,"classes":[],"confusion":[]}"#;
        assert!(serde_json::from_str::<Evaluation>(old).is_err());
    }
}
