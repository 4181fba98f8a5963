//! Top floor, beside `report`: experiments of the lecture, each a function from a seed to a [`Finding`].
//!
//! Every experiment trains or looks at small networks (or a problem of two weights) in seconds, on the digits that ship
//! with the library or on points that it draws, and says in a sentence what its numbers show. The sentence is computed:
//! where the numbers do not show the lesson, it says so. What is taught stands in the header of each file.
//!
//! | file | what |
//! |---|---|
//! | `finding` | table, conclusion and panels, as text, page, drawing |
//! | `plot` | lines over linear or logarithmic axes |
//! | `trial` | a training watched step by step; several at once |
//! | `probe` | every layer's activations and gradients, by the interpreter |
//! | the others | an experiment each |
//!
//! The same seed gives the same finding, on any number of threads.
//!
//! ```
//! let finding = bratt::lab::named("scaling")?.run(0)?;
//! assert!(finding.shown && finding.to_html().starts_with("<!doctype html>"));
//! assert!(bratt::lab::named("dropot").unwrap_err().to_string().contains("did you mean `dropout`?"));
//! # Ok::<(), bratt::lab::LabError>(())
//! ```

mod activations;
mod batch_norm;
mod batch_size;
mod dropout;
mod finding;
mod init;
mod learning_rate;
mod momentum;
mod optimizers;
mod plot;
mod probe;
mod scaling;
mod softmax_weights;
mod spirals;
#[cfg(test)]
mod tests;
mod trial;

pub use finding::{Cell, Finding};
pub use plot::{Panel, Series};

use crate::data::DataError;
use crate::exec::InterpretError;
use crate::graph::GraphError;
use crate::nn::NnError;
use crate::train::TrainError;

/// Why an experiment could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// There is no such experiment.
    #[error("no experiment is named `{name}`; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, or all names.
        hint: String,
    },
    /// The data cannot be divided.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network cannot be described so.
    #[error(transparent)]
    Network(#[from] NnError),
    /// A graph cannot be built.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A graph cannot be run.
    #[error(transparent)]
    Run(#[from] InterpretError),
    /// A training cannot begin or go on.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// An experiment.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Its name, as the command line spells it.
    pub name: &'static str,
    /// What it compares, in one line.
    pub about: &'static str,
    work: fn(u64) -> Result<Finding, LabError>,
}

impl Experiment {
    /// Runs it.
    ///
    /// # Errors
    /// None that a seed could cause: each would be a fault of the experiment.
    pub fn run(&self, seed: u64) -> Result<Finding, LabError> {
        (self.work)(seed)
    }
}

/// All experiments, in the order of the lecture.
pub const EXPERIMENTS: [Experiment; 11] = [
    Experiment {
        name: "scaling",
        about: "two cases of two inputs each, raw and scaled: the shape of the error surface",
        work: scaling::run,
    },
    Experiment {
        name: "softmax-weights",
        about: "what softmax regression looks for: the weights of the ten digits as pictures",
        work: softmax_weights::run,
    },
    Experiment {
        name: "spirals",
        about: "two spirals: the boundary of softmax regression and of a multilayer perceptron",
        work: spirals::run,
    },
    Experiment {
        name: "activations",
        about: "sigmoid, tanh, the ReLU family and maxout: saturated units, dead units, gradients",
        work: activations::run,
    },
    Experiment {
        name: "init",
        about: "zeros, small random numbers, Xavier and He in ten layers: signal and gradient by layer",
        work: init::run,
    },
    Experiment {
        name: "batch-norm",
        about: "a deep sigmoid network with and without batch norm: statistics and convergence",
        work: batch_norm::run,
    },
    Experiment {
        name: "dropout",
        about: "naive against inverted: expected outputs, and accuracy with and without",
        work: dropout::run,
    },
    Experiment {
        name: "learning-rate",
        about: "too low, good, near the limit, beyond it, and decayed along a line",
        work: learning_rate::run,
    },
    Experiment {
        name: "batch-size",
        about: "from one example to the full batch: noise of the gradient, steps, accuracy",
        work: batch_size::run,
    },
    Experiment {
        name: "momentum",
        about: "0, 0.5, 0.9, 0.99, and growing from 0.5 to 0.99",
        work: momentum::run,
    },
    Experiment {
        name: "optimizers",
        about: "all seven side by side at their usual rates",
        work: optimizers::run,
    },
];

/// The experiment of a name.
///
/// # Errors
/// [`LabError::Unknown`], with the nearest name.
pub fn named(name: &str) -> Result<&'static Experiment, LabError> {
    EXPERIMENTS.iter().find(|experiment| experiment.name == name).ok_or_else(|| {
        let names = EXPERIMENTS.map(|experiment| experiment.name);
        LabError::Unknown { name: name.into(), hint: crate::names::hint(name, &names) }
    })
}
