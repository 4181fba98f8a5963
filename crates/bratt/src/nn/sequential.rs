//! A chain of named layers.

use super::{
    AvgPool2d, BatchNorm, Conv2d, Dense, Dropout, Elu, Flatten, GlobalAvgPool, Layer, LeakyRelu, MaxPool2d,
    Maxout, Mode, NnError, Pair, Parameters, Relu, Relu6, Residual, Shortcut, Sigmoid, Standardize, Summary,
    Tanh, Whiten, chain,
};
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// The shape of one example.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Input(Vec<usize>);

impl Input {
    /// A vector of features.
    pub fn features(count: usize) -> Input {
        Input(vec![count])
    }

    /// An image, `[height, width, channels]`.
    pub fn image(height: usize, width: usize, channels: usize) -> Input {
        Input(vec![height, width, channels])
    }

    /// A colour image.
    pub fn rgb(height: usize, width: usize) -> Input {
        Input::image(height, width, 3)
    }

    /// Any shape, without the batch axis.
    pub fn shape(extents: &[usize]) -> Input {
        Input(extents.to_vec())
    }
}

/// A layer and its name, which is unique in the network and prefixes its slots.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NamedLayer {
    /// The name, such as `dense1`.
    pub name: String,
    /// The layer.
    #[serde(flatten)]
    pub layer: Layer,
}

/// A chain of layers for one shape of input: the architecture that a model file stores.
///
/// Methods that add a layer name it by its kind and number (`dense1`, `batch_norm1`, ...); [`Sequential::named`]
/// renames the last one.
///
/// ```
/// use bratt::nn::{Input, Sequential};
/// let model = Sequential::new(Input::image(28, 28, 1)).dense(512).batch_norm().relu().dropout(0.5).dense(10);
/// let text = serde_json::to_string(&model)?;
/// assert_eq!(model, serde_json::from_str(&text)?);
/// assert_eq!(model.summary()?.parameters(), 784 * 512 + 2 * 512 + 512 * 10 + 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// The shape of one example, without the batch axis.
    pub input: Vec<usize>,
    /// The layers, first to last.
    pub layers: Vec<NamedLayer>,
}

impl Sequential {
    /// A network without layers.
    pub fn new(input: Input) -> Sequential {
        Sequential { input: input.0, layers: Vec::new() }
    }

    /// Adds any layer.
    pub fn layer(mut self, layer: impl Into<Layer>) -> Sequential {
        chain::append(&mut self.layers, layer.into());
        self
    }

    /// Renames the last layer.
    pub fn named(mut self, name: &str) -> Sequential {
        if let Some(last) = self.layers.last_mut() {
            last.name = name.to_string();
        }
        self
    }

    /// Adds a dense layer, and `flatten` before it if examples are not vectors there.
    pub fn dense(self, units: usize) -> Sequential {
        self.flattened().layer(Dense::new(units))
    }

    /// Adds a maxout layer, and `flatten` before it if examples are not vectors there.
    pub fn maxout(self, units: usize, pieces: usize) -> Sequential {
        self.flattened().layer(Maxout::new(units, pieces))
    }

    /// Adds a convolution to `channels` with its defaults: stride 1, padding "same".
    pub fn conv(self, channels: usize, kernel: impl Into<Pair>) -> Sequential {
        self.layer(Conv2d::new(channels, kernel))
    }

    /// Adds max pooling over windows side by side.
    pub fn max_pool(self, kernel: impl Into<Pair>) -> Sequential {
        self.layer(MaxPool2d::new(kernel))
    }

    /// Adds average pooling over windows side by side.
    pub fn avg_pool(self, kernel: impl Into<Pair>) -> Sequential {
        self.layer(AvgPool2d::new(kernel))
    }

    /// Adds the mean of each channel.
    pub fn global_average_pool(self) -> Sequential {
        self.layer(GlobalAvgPool {})
    }

    /// Adds a residual block. `layers` gets an empty network for what the block sees and adds the block's layers.
    pub fn residual(self, shortcut: Shortcut, layers: impl FnOnce(Sequential) -> Sequential) -> Sequential {
        let layers = layers(self.continued()).layers;
        self.layer(Residual { layers, shortcut })
    }

    /// Adds a residual block whose shortcut has layers of its own.
    pub fn residual_with(
        self,
        shortcut: impl FnOnce(Sequential) -> Sequential,
        layers: impl FnOnce(Sequential) -> Sequential,
    ) -> Sequential {
        let shortcut = Shortcut::Layers(shortcut(self.continued()).layers);
        self.residual(shortcut, layers)
    }

    /// A network without layers for what the last layer gives.
    pub(super) fn continued(&self) -> Sequential {
        let shape = self.output_shape();
        let input = shape.map_or_else(|_| self.input.clone(), |shape| shape.to_vec());
        Sequential { input, layers: Vec::new() }
    }

    /// Adds batch norm with its defaults.
    pub fn batch_norm(self) -> Sequential {
        self.layer(BatchNorm::default())
    }

    /// Adds ReLU.
    pub fn relu(self) -> Sequential {
        self.layer(Relu {})
    }

    /// Adds ReLU limited to 6.
    pub fn relu6(self) -> Sequential {
        self.layer(Relu6 {})
    }

    /// Adds leaky ReLU with the given slope below zero.
    pub fn leaky_relu(self, slope: f64) -> Sequential {
        self.layer(LeakyRelu { slope })
    }

    /// Adds ELU with alpha 1.
    pub fn elu(self) -> Sequential {
        self.layer(Elu::default())
    }

    /// Adds the logistic function.
    pub fn sigmoid(self) -> Sequential {
        self.layer(Sigmoid {})
    }

    /// Adds the hyperbolic tangent.
    pub fn tanh(self) -> Sequential {
        self.layer(Tanh {})
    }

    /// Adds inverted dropout; `drop` is the probability of dropping.
    pub fn dropout(self, drop: f64) -> Sequential {
        self.layer(Dropout::new(drop))
    }

    /// Adds flatten.
    pub fn flatten(self) -> Sequential {
        self.layer(Flatten {})
    }

    /// Adds standardisation, usually as the first layer.
    pub fn standardize(self, layer: Standardize) -> Sequential {
        self.layer(layer)
    }

    /// Adds whitening, usually as the first layer.
    pub fn whiten(self, layer: Whiten) -> Sequential {
        self.layer(layer)
    }

    /// The same network with preprocessing in front of its first layer.
    pub fn preceded_by(mut self, layer: impl Into<Layer>) -> Sequential {
        let first = Sequential { input: self.input.clone(), layers: Vec::new() }.layer(layer);
        self.layers.splice(0..0, first.layers);
        self
    }

    fn flattened(self) -> Sequential {
        match self.shapes() {
            Ok(shapes) if shapes.last().is_some_and(|s| s.rank() > 1) => self.flatten(),
            _ => self,
        }
    }

    /// The shapes of one example: of the input, then after each layer.
    ///
    /// # Errors
    /// The first layer that does not fit, or a name that does not serve.
    pub fn shapes(&self) -> Result<Vec<Shape>, NnError> {
        let input: Shape = self.input[..].into();
        if input.rank() == 0 || input.is_empty() {
            return Err(NnError::BadInput { found: input });
        }
        chain::shapes(&self.layers, input, "")
    }

    /// The shape of one example after the last layer.
    ///
    /// # Errors
    /// As [`Sequential::shapes`].
    pub fn output_shape(&self) -> Result<Shape, NnError> {
        self.shapes().map(|mut shapes| shapes.pop().unwrap_or_default())
    }

    /// Writes the network for a batch `x` `[n, input...]` and returns its last value. Trainable slots are added to
    /// `parameters`.
    ///
    /// Errors, reported when the graph is finished: a layer that does not fit, or an `x` of another shape.
    #[track_caller]
    pub fn forward(&self, g: &GraphBuilder, x: Value, mode: Mode, parameters: &mut Parameters<'_>) -> Value {
        if let Err(error) = self.shapes() {
            return g.fail("sequential", error.to_string());
        }
        let shape = g.shape(x);
        if shape.rank() == 0 || shape[1..] != self.input[..] {
            let expected = Shape::from(&self.input[..]);
            return g
                .fail("sequential", format!("found input {shape}, expected a batch of examples {expected}"));
        }
        chain::write(&self.layers, &[], g, x, mode, parameters)
    }

    /// Calls `see` with each layer and its full name, such as `residual1/conv2d1`; the layers inside a residual block
    /// come before the block.
    pub fn for_each_layer<'a>(&'a self, mut see: impl FnMut(String, &'a Layer)) {
        chain::visit(&self.layers, "", &mut see);
    }

    /// Calls `change` with each layer, those inside residual blocks as well.
    pub fn for_each_layer_mut(&mut self, mut change: impl FnMut(&mut Layer)) {
        chain::visit_mut(&mut self.layers, &mut change);
    }

    /// A table of layers: output shapes, parameters, floating-point operations of one example.
    ///
    /// # Errors
    /// As [`Sequential::shapes`].
    pub fn summary(&self) -> Result<Summary, NnError> {
        Summary::of(self)
    }
}
