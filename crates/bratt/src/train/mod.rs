//! Floor 5: the one loop that trains, and what it is made of.
//!
//! ```text
//! Dataset --Splits--> Trainer::fit ==> events to a Listener
//!                        |
//!                        v
//!                     Fit: TrainedModel + history --evaluate--> Evaluation
//! ```
//!
//! | file | what |
//! |---|---|
//! | `splits` | [`Splits`]: data with its training, validation and test parts |
//! | `preprocess` | [`Preprocess`]: what is learned from the training part and put before the first layer |
//! | `step` | the graph of a whole training step, and that of an evaluation |
//! | `stepper` | the compiled step, fed with a batch |
//! | `balance` | [`Balance`]: how much classes count that have few examples |
//! | `monitor` | [`Monitor`]: what decides which epoch is kept |
//! | `trainer` | [`Trainer`]: the settings |
//! | `fit` | the loop |
//! | `checkpoint` | [`Checkpoint`]: where a training stands, to go on from there exactly |
//! | `find_rate` | [`Trainer::find_rate`]: a learning rate by trying |
//! | `diverged` | finding the first value that went wrong |
//! | `evaluate` | running a model over a part |
//! | `predictions` | [`Predictions`]: what a model says of each example |
//! | `evaluation` | [`Evaluation`]: the measures with their intervals, as numbers and as a table |
//! | `folds` | [`out_of_fold`]: each example judged by a model that has not seen it |
//! | `event` | [`Event`] and [`Listener`] |
//!
//! The order of the data is a function of (seed, epoch), augmentation of (seed, epoch, example), dropout of (seed, step),
//! and no clock reaches a result: equal settings and data give equal bytes, on any number of threads and loaders, and
//! however often training was interrupted.

mod balance;
mod checkpoint;
mod diverged;
mod error;
mod evaluate;
mod evaluation;
mod event;
mod find_rate;
mod fit;
mod folds;
mod monitor;
mod predictions;
mod preprocess;
mod replay;
mod splits;
mod step;
mod step_sizes;
mod stepper;
mod trainer;

pub use balance::Balance;
pub use checkpoint::{Checkpoint, CheckpointError, Snapshot};
pub use error::{FirstBad, TrainError};
pub use evaluate::{evaluate, predictions};
pub use evaluation::{ClassScore, Evaluation, Figure, Measures};
pub use event::{EpochEnd, Event, Listener, Listeners, Score, Started, StopReason, Timed};
pub use find_rate::{RatePoint, RateRange, RateTest};
pub use fit::Fit;
pub use folds::out_of_fold;
pub use monitor::Monitor;
pub use predictions::Predictions;
pub use preprocess::Preprocess;
pub use replay::{Replay, ReplayedParameter};
pub use splits::{Part, Splits};
pub use step::{SoftLabels, soft_training_graph, training_graph};
pub use trainer::{Stop, Trainer, starting_rate};

#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod soft_tests;
#[cfg(test)]
mod tests;
