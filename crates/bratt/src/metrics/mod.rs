//! Floor 1: judging classifiers. Knows probabilities and labels only: no graph, no model, no data set.
//!
//! | file | what |
//! |---|---|
//! | `sample` | [`Sample`]: probabilities and true classes of some examples, checked once |
//! | `confusion` | [`Confusion`]: accuracy, balanced accuracy, precision, recall, F1, Cohen's kappa |
//! | `probability` | [`log_loss`], [`brier`], [`top_k`] |
//! | `ranking` | [`roc_auc`] and [`average_precision`], one class against the rest |
//! | `calibration` | [`reliability`] and [`calibration_error`]: is a model right as often as it says? |
//! | `temperature` | [`fit_temperature`]: the one number that mends overconfidence |
//! | `interval` | [`wilson`] for proportions, [`bootstrap`] for all else |
//! | `summary` | [`Detail`]: the measures of a sample together, with their intervals |
//! | `mcnemar` | [`mcnemar`]: do two models differ on the same examples? |
//! | `reject` | [`reject_threshold`]: from which confidence on a model is as precise as wanted |
//! | `labels` | [`label_errors`]: examples whose label is likely wrong; [`worst_mistakes`] |
//!
//! Where scikit-learn has a convention, it is followed, and each file says where not; `tests/sklearn` holds the two against
//! each other. A measure that is undefined for a sample is `None`, never NaN.
//!
//! ```
//! use bratt::metrics::{Confusion, Sample, log_loss};
//! let probabilities = [0.9, 0.1, 0.6, 0.4, 0.2, 0.8];
//! let sample = Sample::new(2, &probabilities, &[0, 1, 1])?;
//! assert_eq!(Confusion::of(&sample).accuracy(), 2.0 / 3.0);
//! assert!((log_loss(&sample) - 0.4149).abs() < 1e-4);
//! # Ok::<(), bratt::metrics::MetricError>(())
//! ```

mod calibration;
mod confusion;
mod interval;
mod labels;
mod mcnemar;
mod probability;
mod ranking;
mod reject;
mod sample;
mod summary;
mod temperature;

pub use calibration::{BINS, Bin, calibration_error, reliability};
pub use confusion::Confusion;
pub use interval::{RESAMPLES, bootstrap, wilson};
pub use labels::{LabelErrors, Suspect, label_errors, worst_mistakes};
pub use mcnemar::{McNemar, McNemarTest, mcnemar};
pub use probability::{brier, log_loss, losses, top_k};
pub use ranking::{average_precision, roc_auc};
pub use reject::{Rejection, reject_threshold};
pub use sample::{MetricError, Sample};
pub use summary::{Detail, Interval};
pub use temperature::{MOST_TEMPERATURE, fit_temperature, softmax};

#[cfg(test)]
mod laws;
