//! The measures of a sample beside accuracy and macro-F1, and the intervals of all, taken together because they share work.
//!
//! Accuracy and top-k accuracy are proportions and have Wilson's interval; the others have the bootstrap's, all from the
//! same resamples. The areas are means over the classes for which they are defined; they have no interval where examples
//! times classes are more than the bootstrap's bound on work allows.
//!
//! With few examples a class, resamples miss whole classes and repeat others, which lifts the areas and the calibration
//! error: the percentiles may then lie beside the measure itself. Such an interval says nothing and is left out.

use super::calibration::{self, Bin, Placed};
use super::confusion::{Margins, mean};
use super::probability::{brier, briers, log_loss, losses, top_k};
use super::ranking::Ranked;
use super::{Confusion, Sample, bootstrap, interval, reliability, wilson};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lower and upper end of a 95 % interval.
pub type Interval = [f64; 2];

/// What there is to say of a sample beside accuracy and macro-F1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// The mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// The part whose class is among the three most probable; none for three classes or fewer.
    pub top_3: Option<f64>,
    /// The part whose class is among the five most probable; none for five classes or fewer.
    pub top_5: Option<f64>,
    /// Cohen's kappa; none where all examples are of one class and predicted so.
    pub kappa: Option<f64>,
    /// The mean negative log-probability of the true classes.
    pub log_loss: f64,
    /// The Brier score, from 0 to 2.
    pub brier: f64,
    /// The expected calibration error.
    pub ece: f64,
    /// The area under the ROC curve, one against rest, mean over the classes.
    pub roc_auc: Option<f64>,
    /// The average precision, one against rest, mean over the classes.
    pub pr_auc: Option<f64>,
    /// The 95 % intervals by the name of the measure, `accuracy` and `macro_f1` among them.
    pub intervals: BTreeMap<String, Interval>,
    /// The bins of the reliability diagram.
    pub reliability: Vec<Bin>,
}

/// ROC-AUC and average precision of each class.
pub(crate) type Areas = Vec<(Option<f64>, Option<f64>)>;

impl Detail {
    /// Takes all measures; the bootstrap draws by `seed`.
    ///
    /// ```
    /// use bratt::metrics::{Detail, Sample};
    /// let p = [0.9, 0.1, 0.4, 0.6, 0.7, 0.3];
    /// let detail = Detail::of(&Sample::new(2, &p, &[0, 1, 1])?, 0);
    /// assert_eq!((detail.roc_auc, detail.top_3), (Some(1.0), None));
    /// assert!(detail.intervals["log_loss"][0] <= detail.log_loss);
    /// # Ok::<(), bratt::metrics::MetricError>(())
    /// ```
    pub fn of(sample: &Sample<'_>, seed: u64) -> Detail {
        Detail::with_areas(sample, seed).0
    }

    /// As [`Detail::of`], with the areas of each class.
    pub(crate) fn with_areas(sample: &Sample<'_>, seed: u64) -> (Detail, Areas) {
        let confusion = Confusion::of(sample);
        let ranked: Vec<Ranked> = (0..sample.classes()).map(|class| Ranked::new(sample, class)).collect();
        let areas: Areas = ranked.iter().map(|ranked| ranked.areas(|_| 1)).collect();
        let top = |k: usize| (sample.classes() > k).then(|| top_k(sample, k));
        let (top_3, top_5) = (top(3), top(5));
        let mut intervals = resampled(sample, &ranked, seed);
        let share = |share: f64| wilson((share * sample.len() as f64).round() as usize, sample.len());
        let shares = [("accuracy", Some(confusion.accuracy())), ("top_3", top_3), ("top_5", top_5)];
        for (name, value) in shares {
            intervals.extend(value.map(|value| (name.to_string(), share(value))));
        }
        let mut detail = Detail {
            balanced_accuracy: confusion.balanced_accuracy(),
            top_3,
            top_5,
            kappa: confusion.kappa(),
            log_loss: log_loss(sample),
            brier: brier(sample),
            ece: calibration::calibration_error(sample),
            roc_auc: mean(areas.iter().filter_map(|area| area.0)),
            pr_auc: mean(areas.iter().filter_map(|area| area.1)),
            intervals,
            reliability: reliability(sample),
        };
        let measures = [
            ("macro_f1", Some(confusion.macro_f1())),
            ("balanced_accuracy", Some(detail.balanced_accuracy)),
            ("kappa", detail.kappa),
            ("log_loss", Some(detail.log_loss)),
            ("brier", Some(detail.brier)),
            ("ece", Some(detail.ece)),
            ("roc_auc", detail.roc_auc),
            ("pr_auc", detail.pr_auc),
        ];
        for (name, value) in measures {
            let beside = |&[low, high]: &Interval| {
                // Sums in another order differ in the last digits.
                let slack = 1e-9 * (1.0 + low.abs().max(high.abs()));
                value.is_none_or(|value| value < low - slack || value > high + slack)
            };
            if detail.intervals.get(name).is_some_and(beside) {
                detail.intervals.remove(name);
            }
        }
        (detail, areas)
    }
}

const RESAMPLED: [&str; 8] =
    ["macro_f1", "balanced_accuracy", "kappa", "log_loss", "brier", "ece", "roc_auc", "pr_auc"];

/// The bootstrap's intervals.
fn resampled(sample: &Sample<'_>, ranked: &[Ranked], seed: u64) -> BTreeMap<String, Interval> {
    /// Steps of an example: drawing it, its cell, its loss and score, its bin.
    const WORK: usize = 5;
    let n = sample.len();
    let with_areas = interval::resamples(n, WORK + ranked.len());
    let ranked = if with_areas.is_some() { ranked } else { &[] };
    let Some(resamples) = with_areas.or_else(|| interval::resamples(n, WORK)) else {
        return BTreeMap::new();
    };
    let cells: Vec<(usize, usize)> =
        sample.labels().iter().map(|&label| label as usize).zip(sample.predicted()).collect();
    let scores: Vec<(f64, f64)> = losses(sample).zip(briers(sample)).collect();
    let placed: Vec<Placed> = calibration::placed(sample).collect();
    let mut margins = Margins::new(sample.classes());
    let intervals: [_; RESAMPLED.len()] = bootstrap(n, resamples, seed, |times| {
        margins.clear();
        let (mut loss, mut brier) = (0.0, 0.0);
        for ((&times, &(label, predicted)), scores) in times.iter().zip(&cells).zip(&scores) {
            margins.add(label, predicted, times as usize);
            loss += f64::from(times) * scores.0;
            brier += f64::from(times) * scores.1;
        }
        let ece = calibration::error(placed.iter().copied(), |example| times[example]);
        let areas: Areas =
            ranked.iter().map(|ranked| ranked.areas(|example| times[example as usize])).collect();
        [
            Some(margins.macro_f1()),
            Some(margins.balanced_accuracy()),
            margins.kappa(),
            Some(loss / n as f64),
            Some(brier / n as f64),
            Some(ece),
            mean(areas.iter().filter_map(|area| area.0)),
            mean(areas.iter().filter_map(|area| area.1)),
        ]
    });
    let named = RESAMPLED.into_iter().zip(intervals);
    named.filter_map(|(name, interval)| Some((name.to_string(), interval?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::softmax;
    use crate::random::{Purpose, Stream};
    use std::time::Instant;

    #[test]
    fn every_interval_holds_its_measure_and_ten_thousand_examples_take_no_time() {
        let (n, classes) = (10_000, 10);
        let mut stream = Stream::new(1, Purpose::Noise, 0);
        let labels: Vec<u32> = (0..n).map(|_| stream.below(classes)).collect();
        let mut logits: Vec<f64> = (0..n * classes).map(|_| stream.normal()).collect();
        for (row, &label) in logits.chunks_mut(classes as usize).zip(&labels) {
            row[label as usize] += 3.0;
        }
        let p = softmax(classes as usize, &logits, 1.0);
        let sample = Sample::new(classes as usize, &p, &labels).unwrap();
        let begin = Instant::now();
        let detail = Detail::of(&sample, 0);
        // Unoptimised, and beside other tests.
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
        let confusion = Confusion::of(&sample);
        for (name, value) in [
            ("accuracy", confusion.accuracy()),
            ("macro_f1", confusion.macro_f1()),
            ("balanced_accuracy", detail.balanced_accuracy),
            ("top_3", detail.top_3.unwrap()),
            ("kappa", detail.kappa.unwrap()),
            ("log_loss", detail.log_loss),
            ("brier", detail.brier),
            ("roc_auc", detail.roc_auc.unwrap()),
            ("pr_auc", detail.pr_auc.unwrap()),
        ] {
            let [low, high] = detail.intervals[name];
            assert!(low < value && value < high && high - low < 0.05, "{name}: {low} {value} {high}");
        }
        assert_eq!(detail, Detail::of(&sample, 0));
    }

    #[test]
    fn an_interval_beside_its_measure_is_left_out() {
        // One example a class, told apart by chance: a resample has fewer classes, among which a guess is easier.
        let p = [1.0 / 6.0; 36];
        let sample = Sample::new(6, &p, &[0, 1, 2, 3, 4, 5]).unwrap();
        let detail = Detail::of(&sample, 0);
        assert_eq!(detail.pr_auc, Some(1.0 / 6.0));
        assert!(!detail.intervals.contains_key("pr_auc"), "{:?}", detail.intervals);
        assert!(detail.intervals.contains_key("log_loss"));
    }

    #[test]
    fn json_holds_undefined_measures_as_null() {
        let sample = Sample::new(2, &[0.9, 0.1], &[0]).unwrap();
        let detail = Detail::of(&sample, 0);
        let json = serde_json::to_value(&detail).unwrap();
        assert!(json["roc_auc"].is_null() && json["kappa"].is_null() && json["pr_auc"] == 1.0);
        assert_eq!(serde_json::from_value::<Detail>(json).unwrap(), detail);
    }
}
