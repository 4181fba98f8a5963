//! Networks known by name.
//!
//! | name | network | task |
//! |---|---|---|
//! | `linear` | one dense unit | regression, squared error |
//! | `logistic` | one dense unit | two classes, binary cross-entropy |
//! | `softmax` | one dense layer | classes, cross-entropy |
//! | `lenet` | two convolutions of 5x5 with ReLU and max pooling, dense layers of 120 and 84 units | classes, cross-entropy |
//! | `mlp` | 512 and 256 hidden units with batch norm, ReLU and dropout 0.5 | classes, cross-entropy |
//! | `mlp-A-B-...` | hidden layers of A, B, ... units; `-bn` adds batch norm, `-dropout` dropout 0.5 | the same |
//!
//! Sources: lectures on regression and on multilayer perceptrons; LeCun et al. 1998 for `lenet`.

use super::{Conv2d, Initializer, Input, Layer, NnError, Padding, Relu, Sequential, Task};
use crate::nn::dense::Dense;

/// A network and what its outputs mean.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// The name it was asked for by.
    pub name: String,
    /// Its layers.
    pub network: Sequential,
    /// What its outputs mean.
    pub task: Task,
}

impl From<Sequential> for Model {
    /// A network of one's own, as a classifier.
    fn from(network: Sequential) -> Model {
        Model { name: "custom".into(), network, task: Task::Classify }
    }
}

/// The plain names of models.
pub const NAMES: [&str; 5] = ["softmax", "logistic", "linear", "mlp", "lenet"];

/// The model of a name for examples of shape `input` (without the batch axis) and a number of classes, or of targets
/// for `linear`.
///
/// ```
/// let model = bratt::nn::models::by_name("mlp-300-100", &[28, 28, 1], 10)?;
/// assert_eq!(model.network.output_shape()?[..], [10]);
/// # Ok::<(), bratt::nn::NnError>(())
/// ```
///
/// # Errors
/// An unknown name (with the nearest known one), a number of classes that does not fit, an empty input.
pub fn by_name(name: &str, input: &[usize], classes: usize) -> Result<Model, NnError> {
    let wrong_classes = |expected| Err(NnError::Classes { model: name.into(), classes, expected });
    let regression = |outputs| {
        start(input).dense_with(Dense {
            units: outputs,
            init: Some(Initializer::SmallNormal { std: 0.01 }),
            bias: None,
        })
    };
    let (network, task) = match name {
        "linear" if classes == 0 => return wrong_classes("at least one target"),
        "linear" => (regression(classes), Task::Regress),
        "logistic" if classes != 2 => return wrong_classes("exactly two; take `softmax` for more"),
        "logistic" => (regression(1), Task::Binary),
        _ if classes < 2 && is_known(name) => return wrong_classes("at least two"),
        "softmax" => (regression(classes), Task::Classify),
        "lenet" => (lenet(input, classes), Task::Classify),
        "mlp" => (Mlp::default().network(input, classes), Task::Classify),
        _ => match Mlp::parse(name) {
            Some(mlp) => (mlp.network(input, classes), Task::Classify),
            None => return Err(NnError::UnknownModel { name: name.into(), hint: hint(name) }),
        },
    };
    network.shapes()?;
    Ok(Model { name: name.into(), network, task })
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || Mlp::parse(name).is_some()
}

fn start(input: &[usize]) -> Sequential {
    Sequential::new(Input::shape(input))
}

impl Sequential {
    fn dense_with(self, dense: Dense) -> Sequential {
        let mut network = self.dense(dense.units);
        if let Some(last) = network.layers.last_mut() {
            last.layer = dense.into();
        }
        network
    }
}

/// LeNet-5 as it is built today: ReLU and max pooling in place of tanh and subsampling, all maps of the second
/// convolution connected, and one logit per class. The paper's 32x32 pixels are 28x28 with padding "same"; where the
/// second convolution would see less than twice its window, its padding is "same", too.
fn lenet(input: &[usize], classes: usize) -> Sequential {
    let small = input.iter().take(2).any(|&extent| extent < 20);
    let padding = if small { Padding::Same } else { Padding::Valid };
    let second = Conv2d { padding, ..Conv2d::new(16, 5) };
    let features = start(input).conv(6, 5).relu().max_pool(2).layer(second).relu().max_pool(2);
    features.dense(120).relu().dense(84).relu().dense(classes)
}

/// The nearest known name, if one is near, else all of them.
fn hint(name: &str) -> String {
    let nearest = NAMES
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min_by_key(|&(distance, _)| distance);
    match nearest {
        Some((distance, known)) if distance <= 1 + name.chars().count() / 3 => {
            format!("did you mean `{known}`?")
        }
        _ => format!(
            "known are {} and `mlp-300-100-bn` with any layers",
            NAMES.map(|n| format!("`{n}`")).join(", ")
        ),
    }
}

/// A multilayer perceptron: for each hidden layer dense, batch norm, activation, dropout; then a dense layer of one
/// logit per class.
#[derive(Clone, PartialEq, Debug)]
pub struct Mlp {
    /// Units of the hidden layers. Default 512, 256.
    pub hidden: Vec<usize>,
    /// Whether batch norm stands between each hidden dense layer and its activation. Default yes.
    pub batch_norm: bool,
    /// The activation of hidden layers. Default ReLU.
    pub activation: Layer,
    /// Probability of dropping hidden units; 0 for none. Default 0.5.
    pub dropout: f64,
    /// Probability of dropping inputs; 0 for none. Default 0.
    pub input_dropout: f64,
}

impl Default for Mlp {
    fn default() -> Mlp {
        Mlp {
            hidden: vec![512, 256],
            batch_norm: true,
            activation: Relu {}.into(),
            dropout: 0.5,
            input_dropout: 0.0,
        }
    }
}

impl Mlp {
    /// The network for examples of shape `input` and a number of outputs.
    pub fn network(&self, input: &[usize], outputs: usize) -> Sequential {
        let mut network = start(input);
        if self.input_dropout > 0.0 {
            network = network.dropout(self.input_dropout);
        }
        for &units in &self.hidden {
            network = network.dense(units);
            if self.batch_norm {
                network = network.batch_norm();
            }
            network = network.layer(self.activation.clone());
            if self.dropout > 0.0 {
                network = network.dropout(self.dropout);
            }
        }
        network.dense(outputs)
    }

    /// Reads `mlp-A-B-...[-bn][-dropout]`.
    fn parse(name: &str) -> Option<Mlp> {
        let mut mlp = Mlp { hidden: vec![], batch_norm: false, dropout: 0.0, ..Mlp::default() };
        for part in name.strip_prefix("mlp-")?.split('-') {
            match part {
                "bn" => mlp.batch_norm = true,
                "dropout" => mlp.dropout = 0.5,
                // Options end the list of layers.
                _ if mlp.batch_norm || mlp.dropout > 0.0 => return None,
                _ => mlp.hidden.push(part.parse().ok().filter(|&units| units > 0)?),
            }
        }
        (!mlp.hidden.is_empty()).then_some(mlp)
    }
}
