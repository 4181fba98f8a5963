//! Networks known by name, a file a family.
//!
//! | name | network | parameters |
//! |---|---|---|
//! | `linear` | one dense unit for each target; regression, squared error | |
//! | `logistic` | one dense unit; two classes, binary cross-entropy | |
//! | `softmax` | one dense layer | |
//! | `mlp` | 512 and 256 hidden units with batch norm, ReLU and dropout 0.5 | |
//! | `mlp-A-B-...` | hidden layers of A, B, ... units; `-bn` adds batch norm, `-dropout` dropout 0.5 | |
//! | `lenet` | two convolutions of 5x5 with ReLU and max pooling, dense layers of 120 and 84 units | 62 thousand |
//! | `convnet-s` | a small default for images of any size: 3x3 convolutions with batch norm | 0.28 million |
//! | `resnet20`, `resnet32`, `resnet44`, `resnet56` | residual networks for images of about 32x32 | 0.27 to 0.85 million |
//! | `resnet18`, `resnet34`, `resnet50` | residual networks for large images; small ones are not reduced at once | 11.7, 21.8, 25.6 million |
//! | `mobilenet-v2` | inverted residual blocks | 3.5 million |
//! | `efficientnet-lite0` | the same with larger windows | 4.7 million |
//!
//! All but the first two are for classes and cross-entropy. Those from `lenet` on take images, and any size of them.
//! Parameters are counted for 10 classes of 28x28x1 (`lenet`, `convnet-s`) or 32x32x3, and for 1000 of 224x224x3 where a
//! network is for large images.
//!
//! [`from_toml`] reads a network of one's own from a list of layers.
//!
//! Sources stand in each family's file; for the first three, the lecture on regression.

mod convnet_s;
mod efficientnet_lite;
mod inverted;
mod layers;
mod lenet;
mod mlp;
mod mobilenet_v2;
mod resnet;
mod resnet_cifar;

pub use layers::from_toml;
pub use mlp::Mlp;

use super::{Conv2d, Dense, Initializer, Input, NnError, Padding, Sequential, Task};
use crate::names;

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
pub const NAMES: [&str; 15] = [
    "softmax",
    "logistic",
    "linear",
    "mlp",
    "lenet",
    "convnet-s",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet-v2",
    "efficientnet-lite0",
];

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
        _ => match classifier(name, input, classes) {
            Some(network) => (network, Task::Classify),
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

/// The networks with several layers, all of which tell classes apart.
fn classifier(name: &str, input: &[usize], classes: usize) -> Option<Sequential> {
    if let Some((_, blocks)) = resnet_cifar::DEPTHS.into_iter().find(|(known, _)| *known == name) {
        return Some(resnet_cifar::resnet_cifar(blocks, input, classes));
    }
    match name {
        "mlp" => Some(Mlp::default().network(input, classes)),
        "lenet" => Some(lenet::lenet(input, classes)),
        "convnet-s" => Some(convnet_s::convnet_s(input, classes)),
        "mobilenet-v2" => Some(mobilenet_v2::mobilenet_v2(input, classes)),
        "efficientnet-lite0" => Some(efficientnet_lite::efficientnet_lite0(input, classes)),
        _ => resnet::resnet(name, input, classes)
            .or_else(|| Mlp::parse(name).map(|mlp| mlp.network(input, classes))),
    }
}

/// A convolution that is centred on every `stride`-th pixel: as many pixels of padding on each side.
fn strided(channels: usize, kernel: usize, stride: usize) -> Conv2d {
    if stride == 1 {
        return Conv2d::new(channels, kernel);
    }
    Conv2d { stride: stride.into(), padding: Padding::Around(kernel / 2), ..Conv2d::new(channels, kernel) }
}

/// The nearest known name, or all of them.
fn hint(name: &str) -> String {
    match names::nearest(name, NAMES) {
        Some(_) => names::hint(name, &NAMES),
        None => format!("{} and `mlp-300-100-bn` with any layers", names::hint(name, &NAMES)),
    }
}
