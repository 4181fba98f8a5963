//! The closed set of layers, and the one place where each is matched to what it does.

use super::{
    AvgPool2d, BatchNorm, Conv2d, Dense, Dropout, DropoutForm, Elu, Flatten, GlobalAvgPool, LeakyRelu,
    MaxPool2d, Maxout, Mode, Parameters, Per, Relu, Relu6, Residual, Sigmoid, Softplus, Standardize, Tanh,
    Whiten,
};
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// One layer's description: what a model file stores and a configuration lists, as a table with its `type` and the
/// fields that differ from the defaults.
///
/// ```
/// use bratt::nn::{Dropout, Layer};
/// let layer: Layer = serde_json::from_str(r#"{"type": "dropout", "drop": 0.2}"#)?;
/// assert_eq!(layer, Dropout::new(0.2).into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Layer {
    Standardize(Standardize),
    Whiten(Whiten),
    Flatten(Flatten),
    Dense(Dense),
    Maxout(Maxout),
    Conv2d(Conv2d),
    MaxPool2d(MaxPool2d),
    AvgPool2d(AvgPool2d),
    GlobalAvgPool(GlobalAvgPool),
    BatchNorm(BatchNorm),
    Relu(Relu),
    Relu6(Relu6),
    LeakyRelu(LeakyRelu),
    Elu(Elu),
    Sigmoid(Sigmoid),
    Tanh(Tanh),
    Softplus(Softplus),
    Dropout(Dropout),
    Residual(Residual),
}

macro_rules! kinds {
    ($($name:ident $kind:literal)*) => {
        $(impl From<$name> for Layer {
            fn from(layer: $name) -> Layer {
                Layer::$name(layer)
            }
        })*

        impl Layer {
            /// All kinds of layers.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// The kind, as it is written in configurations and before the number in automatic names.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Layer::$name(_) => $kind,)*
                }
            }

            /// The layer of a kind with settings from a table; none if there is no such kind.
            pub(super) fn from_settings(kind: &str, settings: toml::Table) -> Option<Result<Layer, toml::de::Error>> {
                match kind {
                    $($kind => Some($name::deserialize(settings).map(Layer::$name)),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    Standardize "standardize"
    Whiten "whiten"
    Flatten "flatten"
    Dense "dense"
    Maxout "maxout"
    Conv2d "conv2d"
    MaxPool2d "max_pool2d"
    AvgPool2d "avg_pool2d"
    GlobalAvgPool "global_avg_pool"
    BatchNorm "batch_norm"
    Relu "relu"
    Relu6 "relu6"
    LeakyRelu "leaky_relu"
    Elu "elu"
    Sigmoid "sigmoid"
    Tanh "tanh"
    Softplus "softplus"
    Dropout "dropout"
    Residual "residual"
}

impl Layer {
    /// Writes the layer for a batch `x` `[n, ...]`, inside the graph's current layer, which names its slots.
    pub fn build(&self, g: &GraphBuilder, x: Value, mode: Mode, parameters: &mut Parameters<'_>) -> Value {
        match self {
            Layer::Standardize(layer) => layer.build(g, x),
            Layer::Whiten(layer) => layer.build(g, x),
            Layer::Flatten(layer) => layer.build(g, x),
            Layer::Dense(layer) => layer.build(g, x, parameters),
            Layer::Maxout(layer) => layer.build(g, x, parameters),
            Layer::Conv2d(layer) => layer.build(g, x, parameters),
            Layer::MaxPool2d(layer) => layer.build(g, x),
            Layer::AvgPool2d(layer) => layer.build(g, x),
            Layer::GlobalAvgPool(layer) => layer.build(g, x),
            Layer::BatchNorm(layer) => layer.build(g, x, mode, parameters),
            Layer::Relu(layer) => layer.build(g, x),
            Layer::Relu6(layer) => layer.build(g, x),
            Layer::LeakyRelu(layer) => layer.build(g, x),
            Layer::Elu(layer) => layer.build(g, x),
            Layer::Sigmoid(layer) => layer.build(g, x),
            Layer::Tanh(layer) => layer.build(g, x),
            Layer::Softplus(layer) => layer.build(g, x),
            Layer::Dropout(layer) => layer.build(g, x, mode),
            Layer::Residual(layer) => layer.build(g, x, mode, parameters, &[]),
        }
    }

    /// The shape of one example after the layer, given the shape before it (neither with the batch axis).
    ///
    /// # Errors
    /// What is wrong with the layer's settings or with the shape, as a sentence.
    pub fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        match self {
            Layer::Standardize(layer) => layer.output_shape(input),
            Layer::Whiten(layer) => layer.output_shape(input),
            Layer::Flatten(layer) => Ok(layer.output_shape(input)),
            Layer::Dense(layer) => layer.output_shape(input),
            Layer::Maxout(layer) => layer.output_shape(input),
            Layer::Conv2d(layer) => layer.output_shape(input),
            Layer::MaxPool2d(layer) => layer.output_shape(input),
            Layer::AvgPool2d(layer) => layer.output_shape(input),
            Layer::GlobalAvgPool(layer) => layer.output_shape(input),
            Layer::BatchNorm(layer) => layer.output_shape(input),
            Layer::LeakyRelu(layer) => layer.output_shape(input),
            Layer::Elu(layer) => layer.output_shape(input),
            Layer::Dropout(layer) => layer.output_shape(input),
            Layer::Relu(_) | Layer::Relu6(_) | Layer::Sigmoid(_) | Layer::Tanh(_) | Layer::Softplus(_) => {
                Ok(input.clone())
            }
            Layer::Residual(layer) => {
                layer.shape_within(input, self.kind()).map_err(|error| error.to_string())
            }
        }
    }

    /// One line for people, such as `dense 512`.
    pub fn describe(&self) -> String {
        match self {
            Layer::Standardize(layer) => match layer.per {
                Per::Feature => "standardize per feature".into(),
                Per::Channel => "standardize per channel".into(),
            },
            Layer::Whiten(layer) if layer.keep_shape => "whiten (zca)".into(),
            Layer::Whiten(layer) => format!("whiten (pca) to {}", layer.outputs),
            Layer::Dense(layer) => format!("dense {}", layer.units),
            Layer::Maxout(layer) => format!("maxout {} of {} pieces", layer.units, layer.pieces),
            Layer::Conv2d(layer) => layer.describe(),
            Layer::MaxPool2d(layer) => layer.describe(),
            Layer::AvgPool2d(layer) => layer.describe(),
            Layer::LeakyRelu(layer) => format!("leaky_relu slope {}", layer.slope),
            Layer::Elu(layer) => format!("elu alpha {}", layer.alpha),
            Layer::Dropout(layer) => match layer.form {
                DropoutForm::Inverted => format!("dropout drop {}", layer.drop),
                DropoutForm::Naive => format!("dropout drop {} (naive)", layer.drop),
            },
            Layer::Residual(layer) => layer.describe(),
            Layer::Flatten(_)
            | Layer::GlobalAvgPool(_)
            | Layer::BatchNorm(_)
            | Layer::Relu(_)
            | Layer::Relu6(_)
            | Layer::Sigmoid(_)
            | Layer::Tanh(_)
            | Layer::Softplus(_) => self.kind().into(),
        }
    }

    /// Whether the layer is in the ReLU family, in front of which He's initialisation fits.
    pub(crate) fn is_rectifier(&self) -> bool {
        matches!(self, Layer::Relu(_) | Layer::Relu6(_) | Layer::LeakyRelu(_) | Layer::Elu(_))
    }

    /// Whether the layer leaves the distribution's scale to the next one, so that the search for the activation after
    /// a dense layer or a convolution looks past it.
    pub(crate) fn is_between_dense_and_activation(&self) -> bool {
        let pools = matches!(self, Layer::MaxPool2d(_) | Layer::AvgPool2d(_) | Layer::GlobalAvgPool(_));
        pools || matches!(self, Layer::BatchNorm(_) | Layer::Dropout(_) | Layer::Flatten(_))
    }
}
