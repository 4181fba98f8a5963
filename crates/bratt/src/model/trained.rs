//! A trained model: architecture, numbers, and what is needed to use them rightly.

use super::{PredictError, Predictor};
use crate::data::Fit;
use crate::exec::Slots;
use crate::graph::Role;
use crate::nn::{Sequential, Task};
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A trained model: all that predicting needs, and where it comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct TrainedModel {
    /// The name of the architecture, such as `mlp`.
    pub name: String,
    /// The layers, preprocessing first.
    pub network: Sequential,
    /// What the last layer's numbers mean.
    pub task: Task,
    /// Names of the classes, in the order of their indices; none for regression.
    pub classes: Vec<String>,
    /// What the input consists of.
    pub inputs: Inputs,
    /// Values of parameters and buffers (running statistics, preprocessing) by slot name.
    pub values: BTreeMap<String, Tensor>,
    /// By what logits are divided before they become probabilities, so that these are calibrated; fitted on the validation
    /// part. None where there was no such part, or it could not tell (see [`crate::metrics::fit_temperature`]).
    pub temperature: Option<f64>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What the input of a model consists of; the shape is that of the network's input.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Inputs {
    /// Images, `[height, width, channels]`.
    Image {
        /// What one step of a training image's byte was worth: inputs were `byte * scale`, in `[0, 1]`. An image file
        /// is read as `byte / 255`, in the same range.
        scale: f32,
        /// How images of another size are brought to that of the input.
        #[serde(default = "squish")]
        fit: Fit,
    },
    /// Rows of a table.
    Table {
        /// The names of the columns.
        columns: Vec<String>,
    },
}

/// What was done before model files said so.
fn squish() -> Fit {
    Fit::Squish
}

/// Numbers of examples of the three parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sizes {
    /// For learning.
    pub train: usize,
    /// For choosing.
    pub val: usize,
    /// For the final judgement.
    pub test: usize,
}

/// What a model scored on data that it has not seen.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Number of examples.
    pub n: usize,
    /// Mean loss.
    pub loss: f64,
    /// Part of the examples that were classified rightly; absent for regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

/// Where a model comes from. Holds nothing that differs between equal trainings: no time, no path, no thread count.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The version of bratt that trained it.
    pub version: String,
    /// The name of the data set.
    pub data: String,
    /// The data set's [fingerprint](crate::data::Dataset::fingerprint).
    pub fingerprint: String,
    /// The sizes of its parts.
    pub split: Sizes,
    /// The seed of the training.
    pub seed: u64,
    /// The epochs that were trained.
    pub epochs: usize,
    /// The epoch whose numbers were kept, from 1.
    pub kept_epoch: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// The optimiser in words.
    pub optimizer: String,
    /// The learning rate's schedule in words.
    pub schedule: String,
    /// The random changes to training examples in words, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<String>,
    /// How much classes counted, if not all examples counted the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// What decided which epoch was kept, if not the validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// The result on the test part, once it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
}

impl TrainedModel {
    /// Takes the values of parameters and buffers from `slots`; what belongs to the optimiser stays behind.
    pub(crate) fn take_values(&mut self, slots: &Slots) {
        self.values = slots
            .iter()
            .filter(|(slot, _)| slot.role != Role::Optimizer)
            .filter_map(|(slot, values)| {
                Some((slot.name.clone(), Tensor::new(&slot.shape, values.to_vec()).ok()?))
            })
            .collect();
    }

    /// The number of trained numbers and statistics.
    pub fn value_count(&self) -> usize {
        self.values.values().map(|t| t.data().len()).sum()
    }

    /// Compiles the model for prediction.
    ///
    /// # Errors
    /// [`PredictError::Build`] if the network cannot be built, which a loaded or trained model's can.
    pub fn predictor(&self) -> Result<Predictor, PredictError> {
        Predictor::new(self)
    }
}
