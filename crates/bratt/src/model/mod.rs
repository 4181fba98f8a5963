//! Floor 5: a model that has been trained, its file, and prediction.
//!
//! ```text
//! train --> TrainedModel --save--> model.safetensors --load--> TrainedModel --> Predictor
//! ```
//!
//! | file | what |
//! |---|---|
//! | `trained` | [`TrainedModel`]: all that predicting needs, and where it comes from |
//! | `format` | the bytes of the file |
//! | `inference` | the graphs that predict and judge |
//! | `check` | [`gradcheck_model`]: gradients of the loss against differences |
//! | `predictor` | [`Predictor`]: numbers in, classes and probabilities out |
//!
//! Nothing here knows how training works; a program that only predicts needs no other room above `exec`.

mod check;
mod format;
mod inference;
mod predictor;
mod trained;

pub use check::gradcheck_model;
pub use format::ModelError;
pub use inference::{evaluation_graph, inference_graph};
pub(crate) use predictor::first_largest;
pub use predictor::{PredictError, Prediction, Predictor};
pub use trained::{Inputs, Measured, Provenance, Sizes, TrainedModel};
