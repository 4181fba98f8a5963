//! Floor 2: layers, which only write graph.
//!
//! A [`Layer`] is a plain description: what the model file stores and what a configuration lists. Building it writes
//! its operations and declares its slots. A [`Sequential`] is a named chain of layers, a [`Residual`] a chain within one;
//! [`models`] holds the networks known by name. Trainable slots are collected in [`Parameters`], which also lets an optimiser choose the point at which
//! they are read.
//!
//! ```
//! use bratt::graph::Graph;
//! use bratt::nn::{Input, Mode, Parameters, Sequential, Task};
//! let model = Sequential::new(Input::image(8, 8, 1)).dense(32).batch_norm().relu().dropout(0.5).dense(10);
//! let g = Graph::builder();
//! let (x, labels) = (g.input("x", [64, 8, 8, 1]), g.input("labels", [64]));
//! let mut parameters = Parameters::new();
//! let logits = model.forward(&g, x, Mode::Training, &mut parameters);
//! let loss = Task::Classify.loss(&g, logits, labels);
//! let gradients = g.gradients_of(loss, &parameters.points());
//! assert_eq!(gradients.len(), parameters.list().len());
//! # g.output("loss", loss);
//! # g.finish()?;
//! # Ok::<(), bratt::graph::GraphError>(())
//! ```

mod activation;
mod batch_norm;
mod chain;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod fold;
mod global_avg_pool;
mod init;
mod layer;
mod maxout;
pub mod models;
mod parameters;
mod pool2d;
mod preprocess;
mod residual;
mod sequential;
mod summary;
mod task;
mod window;

pub use activation::{Elu, LeakyRelu, Relu, Relu6, Sigmoid, Softplus, Tanh};
pub use batch_norm::BatchNorm;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dropout::{Dropout, DropoutForm};
pub use flatten::Flatten;
pub use fold::fold_batch_norm;
pub use global_avg_pool::GlobalAvgPool;
pub use init::Initializer;
pub use layer::Layer;
pub use maxout::Maxout;
pub use models::Model;
pub use parameters::{Mode, Parameter, Parameters};
pub use pool2d::{AvgPool2d, MaxPool2d};
pub use preprocess::{Per, Standardize, Whiten};
pub use residual::{Residual, Shortcut};
pub use sequential::{Input, NamedLayer, Sequential};
pub use summary::{Summary, SummaryRow};
pub use task::Task;
pub use window::{Padding, Pair};

/// What can be wrong with a description of a network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NnError {
    /// A layer has a wrong setting, or cannot follow the one before it.
    #[error("layer `{layer}` ({kind}): {problem}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// Its kind, such as `dense`.
        kind: &'static str,
        /// What was found and what was expected.
        problem: String,
    },
    /// Two layers have one name.
    #[error("two layers are named `{layer}`, expected unique names, since they name the weights")]
    DuplicateName {
        /// The name.
        layer: String,
    },
    /// A name that cannot prefix a slot.
    #[error("layer name `{layer}`: expected letters, digits, `_` or `-`")]
    BadName {
        /// The name.
        layer: String,
    },
    /// The network has no input.
    #[error("found input shape {found}, expected at least one axis and no extent of 0")]
    BadInput {
        /// The shape of one example.
        found: crate::tensor::Shape,
    },
    /// No model has this name.
    #[error("no model is named `{name}`; {hint}")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The nearest name, or all names.
        hint: String,
    },
    /// A list of layers is not TOML, or has something where it does not belong.
    #[error("{place}: {problem}")]
    Text {
        /// The line, or the layer by its place in the list, such as `layer 3`.
        place: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// A model does not fit the number of classes.
    #[error("model `{model}`: found {classes} classes, expected {expected}")]
    Classes {
        /// The model's name.
        model: String,
        /// The number of classes of the data.
        classes: usize,
        /// What the model needs.
        expected: &'static str,
    },
}

#[cfg(test)]
mod tests;
