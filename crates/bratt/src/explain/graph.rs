//! The one graph that all methods run: the network in inference mode and the gradients of a score.
//!
//! ```text
//! features [n, h, w, c], selector [n, k]
//!   -> logits [n, k], probabilities, scores [n], gradient [n, h, w, c], grad_cam [n, u, v]
//! ```
//!
//! The score of an example is `sum over k of selector[k] logits[k]`: the selector has a one at the class that is explained.
//! With two classes and one logit z it is 1 for class 1 and -1 for class 0, since `P(0) = sigmoid(-z)`. At inference examples
//! do not know each other, so that the gradients of the sum of all scores are those of each.

use super::grad_cam;
use crate::graph::{Graph, GraphError};
use crate::nn::{Layer, Mode, Parameters, Sequential, Task};

/// The last values of a network that still know places.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeatureMap {
    /// How many of the network's layers make them.
    pub layers: usize,
    /// The name of the last of those, such as `relu2`.
    pub name: String,
    /// Rows and columns.
    pub size: [usize; 2],
}

/// The feature map that Grad-CAM looks at: what the last layer of images gives that is no pooling, flattening or
/// dropout, and has a convolution at or before it.
///
/// ```
/// use bratt::explain::feature_map;
/// use bratt::nn::{Input, Sequential};
/// let start = Sequential::new(Input::image(28, 28, 1));
/// let network = start.clone().conv(8, 3).relu().max_pool(2).dense(10);
/// assert_eq!(feature_map(&network).unwrap().name, "relu1");
/// assert!(feature_map(&start.dense(10)).unwrap_err().contains("no convolution"));
/// ```
///
/// # Errors
/// What is missing, as a sentence.
pub fn feature_map(network: &Sequential) -> Result<FeatureMap, String> {
    let shapes = network.shapes().map_err(|error| error.to_string())?;
    let mut found = None;
    let mut convolved = false;
    for (i, named) in network.layers.iter().enumerate() {
        convolved |= convolves(&named.layer);
        let keeps = !matches!(
            named.layer,
            Layer::MaxPool2d(_)
                | Layer::AvgPool2d(_)
                | Layer::GlobalAvgPool(_)
                | Layer::Flatten(_)
                | Layer::Dropout(_)
        );
        if let ([u, v, _], true, true) = (&shapes[i + 1][..], convolved, keeps) {
            found = Some(FeatureMap { layers: i + 1, name: named.name.clone(), size: [*u, *v] });
        }
    }
    match found {
        Some(FeatureMap { size: [1, 1], name, .. }) => {
            Err(format!("the last one, after `{name}`, is a single pixel"))
        }
        Some(map) => Ok(map),
        None => Err("this network has no convolution".into()),
    }
}

fn convolves(layer: &Layer) -> bool {
    match layer {
        Layer::Conv2d(_) => true,
        Layer::Residual(block) => block.layers.iter().any(|named| convolves(&named.layer)),
        _ => false,
    }
}

/// The graph for a batch of `batch` images: see the file's head for inputs and outputs. `grad_cam` is there only if a feature
/// map is given, as [`feature_map`] finds it.
///
/// # Errors
/// A layer that does not fit, or a network that does not depend on its input.
pub fn explanation_graph(
    network: &Sequential,
    task: Task,
    map: Option<&FeatureMap>,
    batch: usize,
) -> Result<Graph, GraphError> {
    let g = Graph::builder();
    let mut shape = vec![batch];
    shape.extend(&network.input);
    let features = g.input("features", shape);
    // The network in two parts, whose border is the feature map.
    let cut = map.map_or(0, |map| map.layers.min(network.layers.len()));
    let (before, after) = network.layers.split_at(cut);
    let mut parameters = Parameters::new();
    let mut write = |layers: &[_], x| {
        let input = g.shape(x).get(1..).unwrap_or_default().to_vec();
        Sequential { input, layers: layers.to_vec() }.forward(&g, x, Mode::Inference, &mut parameters)
    };
    let seen = write(before, features);
    let logits = write(after, seen);
    g.output("logits", logits);
    match task {
        Task::Classify => g.output("probabilities", g.softmax(logits, 1)),
        Task::Binary => g.output("probabilities", g.sigmoid(logits)),
        Task::Regress => {}
    }
    let selector = g.input("selector", g.shape(logits));
    let scores = g.sum(g.mul(selector, logits), &[1]);
    g.output("scores", scores);
    let total = g.sum_all(scores);
    match map {
        Some(_) => {
            let [gradient, of_map] = g.gradients(total, [features, seen]);
            g.output("gradient", gradient);
            g.output("grad_cam", g.layer("grad_cam", || grad_cam::write(&g, seen, of_map)));
        }
        None => {
            let [gradient] = g.gradients(total, [features]);
            g.output("gradient", gradient);
        }
    }
    g.finish()
}
