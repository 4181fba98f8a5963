//! Prediction: numbers in, classes and probabilities out.

use super::TrainedModel;
use super::inference::calibrated_graph;
use crate::compile::{CompileError, Options, compile};
use crate::exec::{Machine, Runner, SlotError, Slots};
use crate::graph::GraphError;
use crate::nn::{Task, fold_batch_norm};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Examples that are computed at a time when there are many.
const BATCH: usize = 64;

/// What a model says about one example.
#[derive(Clone, PartialEq, Debug)]
pub struct Prediction {
    /// The most probable class; the first of equals.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Its probability, 0 to 1, calibrated where the model has a temperature.
    pub probability: f32,
    /// The probabilities of all classes, in their order.
    pub probabilities: Vec<f32>,
}

/// Why nothing can be predicted.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PredictError {
    /// The network cannot be built.
    #[error("the network cannot be built")]
    Build(#[from] GraphError),
    /// The network cannot be compiled.
    #[error("the network cannot be compiled")]
    Compile(#[from] CompileError),
    /// The values do not fit the network.
    #[error("the values do not fit the network")]
    Values(#[from] SlotError),
    /// The number of features does not fit.
    #[error("found {found} numbers, expected {expected} for one example{}", if *many { ", or a multiple of that" } else { "" })]
    Features {
        /// The numbers given.
        found: usize,
        /// The numbers of one example.
        expected: usize,
        /// Whether several examples could have been given.
        many: bool,
    },
    /// The memory for the results does not fit.
    #[error("found room for {found} results, expected {expected}")]
    Room {
        /// The length given.
        found: usize,
        /// The number of results of one example.
        expected: usize,
    },
    /// A model of numbers was asked for a class.
    #[error("this model predicts numbers, not classes; ask for its values")]
    NoClasses,
}

/// A model that is compiled for prediction. `Send + Sync`: threads may share it; while one predicts, another waits.
///
/// ```
/// # use bratt::prelude::*;
/// # let data = Splits::new(bratt::data::digits(), Fractions::default(), 7)?;
/// # let network = Sequential::new(Input::image(8, 8, 1)).dense(10);
/// # let run = Trainer::new(network).epochs(1).fit(&data)?;
/// let predictor = run.model().predictor()?;
/// let image = vec![0.5; 64];
/// let prediction = &predictor.predict(&image)?[0];
/// println!("{} with probability {:.2}", prediction.name, prediction.probability);
/// # assert_eq!(prediction.probabilities.len(), 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Predictor {
    task: Task,
    classes: Vec<String>,
    feature_len: usize,
    output_len: usize,
    output: &'static str,
    slots: Slots,
    single: Mutex<Runner>,
    batch: Mutex<Runner>,
}

impl Predictor {
    /// Compiles a model for one example at a time and for batches, on all processors with the best instruction set.
    /// Batch norm is folded into the layers before it.
    ///
    /// # Errors
    /// If values and network do not fit each other, which those of a loaded or trained model do.
    pub fn new(model: &TrainedModel) -> Result<Predictor, PredictError> {
        Predictor::on(&Machine::all_threads(), model)
    }

    /// As [`Predictor::new`], on a given machine: `Machine::new(1)` where many predictors run side by side. Several
    /// predictors may share a machine. The results are the same on any number of threads.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn on(machine: &Machine, model: &TrainedModel) -> Result<Predictor, PredictError> {
        let (network, values) = fold_batch_norm(&model.network, &model.values);
        let graph = |batch| calibrated_graph(&network, model.task, batch, model.temperature);
        let single = compile(&graph(1)?, &Options::default())?;
        let options = Options { layout: Some(single.layout().clone()), ..Options::default() };
        let batch = compile(&graph(BATCH)?, &options)?;
        let mut slots = Slots::new(single.layout().clone(), 0);
        for (name, value) in &values {
            slots.set(name, value)?;
        }
        let output = if model.task == Task::Regress { "logits" } else { "probabilities" };
        let port = single.outputs().iter().find(|port| port.name == output);
        let output_len = port.map_or(0, |port| port.shape.len());
        Ok(Predictor {
            task: model.task,
            classes: model.classes.clone(),
            feature_len: model.network.input.iter().product(),
            output_len,
            output,
            slots,
            single: Mutex::new(machine.load(single)),
            batch: Mutex::new(machine.load(batch)),
        })
    }

    /// The number of features of one example.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// The number of results of one example: probabilities (for [`Task::Binary`] that of class 1 alone) or values.
    pub fn output_len(&self) -> usize {
        self.output_len
    }

    /// The names of the classes; none for regression.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What the model says about one or more examples, each `feature_len` numbers, one after the other.
    ///
    /// # Errors
    /// [`PredictError::Features`] for numbers that are not whole examples, [`PredictError::NoClasses`] for regression.
    pub fn predict(&self, features: &[f32]) -> Result<Vec<Prediction>, PredictError> {
        if self.task == Task::Regress {
            return Err(PredictError::NoClasses);
        }
        let mut predictions = Vec::new();
        self.each(features, |results, logits| predictions.push(self.prediction(results, logits)))?;
        Ok(predictions)
    }

    /// The results of one or more examples, one row of `output_len` numbers for each: probabilities, or the predicted
    /// values of a regression.
    ///
    /// # Errors
    /// [`PredictError::Features`] for numbers that are not whole examples.
    pub fn values(&self, features: &[f32]) -> Result<Vec<f32>, PredictError> {
        let mut outputs = Vec::with_capacity(features.len() / self.feature_len * self.output_len);
        self.each(features, |results, _| outputs.extend(results))?;
        Ok(outputs)
    }

    /// Tells results and logits of each example.
    fn each(&self, features: &[f32], mut tell: impl FnMut(&[f32], &[f32])) -> Result<(), PredictError> {
        let width = self.feature_len;
        if !features.len().is_multiple_of(width) {
            return Err(PredictError::Features { found: features.len(), expected: width, many: true });
        }
        let (runner, at_a_time) =
            if features.len() == width { (&self.single, 1) } else { (&self.batch, BATCH) };
        let mut runner = locked(runner);
        for examples in features.chunks(at_a_time * width) {
            if let Some(input) = runner.input_mut("features") {
                input[..examples.len()].copy_from_slice(examples);
            }
            runner.infer(&self.slots);
            if let (Some(results), Some(logits)) = (runner.get(self.output), runner.get("logits")) {
                let results = results.chunks_exact(results.len() / at_a_time);
                let rows = results.zip(logits.chunks_exact(logits.len() / at_a_time));
                rows.take(examples.len() / width).for_each(|(results, logits)| tell(results, logits));
            }
        }
        Ok(())
    }

    /// The results of one example, written to `results` of length `output_len`, without allocating: the fast path.
    ///
    /// # Errors
    /// [`PredictError::Features`] and [`PredictError::Room`] for wrong lengths.
    pub fn predict_into(&self, features: &[f32], results: &mut [f32]) -> Result<(), PredictError> {
        if features.len() != self.feature_len {
            let (found, expected) = (features.len(), self.feature_len);
            return Err(PredictError::Features { found, expected, many: false });
        }
        if results.len() != self.output_len {
            return Err(PredictError::Room { found: results.len(), expected: self.output_len });
        }
        let mut runner = locked(&self.single);
        if let Some(input) = runner.input_mut("features") {
            input.copy_from_slice(features);
        }
        runner.infer(&self.slots);
        if let Some(output) = runner.get(self.output) {
            results.copy_from_slice(output);
        }
        Ok(())
    }

    /// The class is chosen by the logits: a high temperature may make probabilities equal that were not.
    fn prediction(&self, row: &[f32], logits: &[f32]) -> Prediction {
        let (probabilities, class) = match self.task {
            Task::Binary => (vec![1.0 - row[0], row[0]], usize::from(logits[0] > 0.0)),
            _ => (row.to_vec(), first_largest(logits)),
        };
        let name = self.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        Prediction { class, name, probability: probabilities[class], probabilities }
    }
}

/// The runner's memory is overwritten by every use, so that a panic elsewhere leaves nothing to fear.
fn locked(runner: &Mutex<Runner>) -> MutexGuard<'_, Runner> {
    runner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The position of the first largest number.
pub(crate) fn first_largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (i, &x) in row.iter().enumerate() {
        if x > row[best] {
            best = i;
        }
    }
    best
}
