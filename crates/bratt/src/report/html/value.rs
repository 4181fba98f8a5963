//! What a report holds, as values.

use super::Picture;
use crate::model::Sizes;
use crate::train::{EpochEnd, Evaluation, RateTest, StopReason};
use serde::{Deserialize, Serialize};

/// All that a report shows. [`Report::to_html`] makes the page of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The name of the run.
    pub run: String,
    /// What was learned from.
    pub data: DataPart,
    /// Some training examples as the network saw them; none for tables.
    pub batch: Option<SampleBatch>,
    /// The network.
    pub model: ModelPart,
    /// How training went.
    pub training: TrainingPart,
    /// How the model does on examples it has not learned from; none where there are none.
    pub judged: Option<Judged>,
    /// The first layer's weights as a picture, where it sees pixels.
    pub filters: Option<FilterPart>,
    /// How to get the same again.
    pub repeat: RepeatPart,
}

/// The data set.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DataPart {
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The shape of an example.
    pub shape: Vec<usize>,
    /// The sizes of the parts.
    pub split: Sizes,
    /// Examples of each class by part; none for regression.
    pub classes: Vec<ClassRow>,
    /// The numbers to predict, of the training part; none for classes.
    pub target: Option<TargetRange>,
    /// What is wrong with the data, if anything.
    pub findings: Vec<String>,
    /// What was learned from the training part and put before the first layer.
    pub preprocess: String,
    /// Random changes to training examples.
    pub augment: String,
}

/// Examples of a class.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClassRow {
    /// Its name.
    pub name: String,
    /// How many are in each part.
    pub counts: Sizes,
}

/// Where numbers to predict lie.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TargetRange {
    /// What they are.
    pub name: String,
    /// The smallest.
    pub least: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub most: f64,
}

/// Training examples after augmentation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SampleBatch {
    /// The pictures and what they are labelled, as `cat`, or `cat 70 %, dog 30 %` where they are mixed.
    pub pictures: Vec<(Picture, String)>,
    /// Whether they were changed.
    pub changed: bool,
}

/// The network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelPart {
    /// The name of the architecture.
    pub name: String,
    /// The shape of an example.
    pub input: Vec<usize>,
    /// The layers, first to last; those inside a residual block before the block.
    pub layers: Vec<LayerRow>,
    /// By what logits are divided before they become probabilities.
    pub temperature: Option<f64>,
}

impl ModelPart {
    /// The number of trainable numbers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// Floating-point operations for one example at inference.
    pub fn flops(&self) -> u64 {
        self.layers.iter().map(|layer| layer.flops).sum()
    }
}

/// A layer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LayerRow {
    /// Its name; inside a residual block the block's name and a slash come before it.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// What it is, in a few words.
    pub about: String,
    /// The shape of an example after it.
    pub output: Vec<usize>,
    /// The number of trainable numbers.
    pub parameters: usize,
    /// Floating-point operations for one example.
    pub flops: u64,
}

/// How training went.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrainingPart {
    /// The epochs.
    pub epochs: Vec<EpochEnd>,
    /// Some of the steps.
    pub steps: Vec<StepPoint>,
    /// The epoch whose numbers were kept, from 1.
    pub kept_epoch: usize,
    /// Why it ended; none where it has not.
    pub reason: Option<StopReason>,
    /// Time of all epochs together.
    pub seconds: f64,
    /// Examples a step.
    pub batch_size: usize,
    /// The optimiser.
    pub optimizer: String,
    /// The learning rate's schedule.
    pub schedule: String,
    /// The learning rates that were tried before, if one was searched for.
    pub rates: Option<RateTest>,
    /// How much classes counted, if not all examples counted the same.
    pub balance: Option<String>,
    /// What decided which epoch was kept, if not the validation loss.
    pub monitor: Option<String>,
}

/// A step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepPoint {
    /// Where it ended, in epochs: 0.5 is the middle of the first.
    pub at: f64,
    /// The loss of its examples, before the update.
    pub loss: f64,
    /// Its learning rate.
    pub learning_rate: f64,
}

/// How the model does on a part.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// Whether it is the test part; else it is the validation part, by which the epoch was chosen.
    pub is_test: bool,
    /// All measures.
    pub evaluation: Evaluation,
    /// Pictures for the cells of the confusion matrix.
    pub cells: Vec<Cell>,
    /// Wrong answers, those of the largest loss first; all that are worth showing.
    pub mistakes: Vec<Answer>,
    /// The number of all wrong answers.
    pub mistake_count: usize,
    /// Examples whose label is likely wrong, the most suspicious first.
    pub suspects: Vec<Answer>,
    /// The number of all such examples.
    pub suspect_count: usize,
    /// Of regression: true and predicted numbers, of some of the examples.
    pub points: Vec<[f64; 2]>,
}

/// Examples of one class that were predicted as one class.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The true class.
    pub label: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The hardest of its examples.
    pub answers: Vec<Answer>,
}

/// What the model says of an example.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Its place in the data set.
    pub example: u32,
    /// Its file, where it is one.
    pub file: Option<String>,
    /// The true class.
    pub label: usize,
    /// The predicted class; for suspects the class that it likely is.
    pub predicted: usize,
    /// The probability of `predicted`.
    pub probability: f64,
    /// The probability of `label`.
    pub label_probability: f64,
    /// Its loss.
    pub loss: f64,
    /// The example itself; none for tables.
    pub picture: Option<Picture>,
    /// What in it speaks for the predicted class.
    pub heat: Option<Picture>,
}

/// The first layer's weights.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FilterPart {
    /// The layer's name.
    pub layer: String,
    /// Filters in the picture.
    pub shown: usize,
    /// Filters of the layer.
    pub count: usize,
    /// Height and width of a filter.
    pub size: [usize; 2],
    /// All in one.
    pub picture: Picture,
}

/// How to get the same again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RepeatPart {
    /// The command.
    pub command: String,
    /// The configuration.
    pub config: Vec<ConfigRow>,
    /// The version of bratt.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// Threads that were used.
    pub threads: Option<usize>,
    /// The instruction set that was used.
    pub isa: Option<String>,
}

/// A value of the configuration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConfigRow {
    /// Its key, as `optim.lr`.
    pub key: String,
    /// The value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}
