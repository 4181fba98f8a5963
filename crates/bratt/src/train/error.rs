//! Why a training cannot begin or go on.

use super::CheckpointError;
use crate::compile::CompileError;
use crate::data::DataError;
use crate::exec::SlotError;
use crate::graph::GraphError;
use crate::metrics::MetricError;
use crate::nn::NnError;
use crate::optim::OptimError;
use crate::schedule::ScheduleError;
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a training or evaluation cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting of the trainer that cannot be.
    #[error("{key}: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its value.
        found: String,
        /// What can be.
        expected: &'static str,
    },
    /// A step that the training does not have.
    #[error("step {step}: the training has steps from 1 to {last}")]
    NoSuchStep {
        /// The step asked for.
        step: u64,
        /// The last one.
        last: u64,
    },
    /// A part has too few examples.
    #[error("{data}: {part} has {found} examples, expected at least {expected}")]
    TooFew {
        /// The data set.
        data: String,
        /// The part, as "the training part".
        part: &'static str,
        /// Its examples.
        found: usize,
        /// How many are needed.
        expected: usize,
    },
    /// The network takes examples of another shape.
    #[error("{data}: found examples of shape {found}, but the network takes {expected}")]
    InputShape {
        /// The data set.
        data: String,
        /// The shape of its examples.
        found: Shape,
        /// The network's input.
        expected: Shape,
    },
    /// The network's outputs do not fit what is to be predicted.
    #[error("{data}: {targets}, but the network {outputs}")]
    Targets {
        /// The data set.
        data: String,
        /// What the data hold, as "10 classes".
        targets: String,
        /// What the network gives, as "has 5 outputs for the task classify".
        outputs: String,
    },
    /// The model knows other classes than the data.
    #[error("{data}: found classes {found}, but the model was trained on {expected}")]
    ClassNames {
        /// The data set.
        data: String,
        /// Its classes.
        found: String,
        /// The model's.
        expected: String,
    },
    /// The network's description is wrong.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The step cannot be built.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The step cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Preprocessing cannot be learned.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The optimiser's settings are wrong.
    #[error(transparent)]
    Optimizer(#[from] OptimError),
    /// A schedule's settings are wrong.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The model's values do not fit its network.
    #[error(transparent)]
    Values(#[from] SlotError),
    /// A checkpoint that this training cannot go on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// What the model says cannot be judged.
    #[error("the model's probabilities cannot be judged: {0}")]
    Metric(#[from] MetricError),
    /// The loss is not finite any more.
    #[error("training diverged in epoch {epoch}, step {step}, at learning rate {learning_rate:e}: {}; lower the learning rate or clip the gradient's norm",
        first.as_ref().map_or_else(|| "the validation loss is not finite".to_string(), ToString::to_string))]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step of the whole training, from 1.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f64,
        /// The first value that was not finite; none if only the validation loss was not.
        first: Option<Box<FirstBad>>,
    },
}

/// The first value of a step that is not finite, in the order in which the graph computes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FirstBad {
    /// The layer whose value or gradient it is, or the optimiser.
    pub layer: String,
    /// The operation.
    pub op: String,
    /// The value's name, or the slot that it was to update.
    pub name: Option<String>,
    /// The position of the element.
    pub index: usize,
    /// `NaN`, `inf` or `-inf`.
    pub value: String,
}

impl fmt::Display for FirstBad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the first value that went wrong is {} in ", self.value)?;
        if self.layer.is_empty() {
            write!(f, "operation {}", self.op)?;
        } else {
            write!(f, "layer `{}`, operation {}", self.layer, self.op)?;
        }
        if let Some(name) = &self.name {
            write!(f, " (`{name}`)")?;
        }
        write!(f, ", element {}", self.index)
    }
}
