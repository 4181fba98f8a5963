//! Looking into a network: what every layer gives for a batch, and the gradient of the mean loss with respect to it.
//!
//! The network is written layer by layer, so that each border between two layers is a value of the graph; the
//! interpreter computes all of them in f64. Layers must have their start and bias set: what they would take from their
//! neighbours is not seen here.

use super::LabError;
use crate::data::Dataset;
use crate::exec::{Key, State, interpret};
use crate::graph::{Graph, Value};
use crate::init::initial_state;
use crate::nn::{Layer, Mode, Parameters, Sequential, Task};
use crate::tensor::Tensor;
use crate::train::{Preprocess, Splits};
use std::collections::BTreeMap;

/// What a layer gives, and the gradient there; `[n, units]`.
pub(super) struct Seen {
    pub layer: Layer,
    pub values: Vec<f64>,
    pub gradient: Vec<f64>,
    pub units: usize,
}

/// What was seen in a network.
pub(super) struct Look {
    pub layers: Vec<Seen>,
    /// The gradient of each parameter, by name.
    pub parameters: Vec<(String, Vec<f64>)>,
}

impl Look {
    /// The layers of some kinds, in order.
    pub(super) fn of(&self, is: impl Fn(&Layer) -> bool) -> Vec<&Seen> {
        self.layers.iter().filter(|seen| is(&seen.layer)).collect()
    }
}

/// The network with the preprocessing that training would put before it.
pub(super) fn preprocessed(network: &Sequential, data: &Splits) -> Result<Sequential, LabError> {
    let layer = Preprocess::PerChannel.learn(&data.train())?;
    Ok(layer.into_iter().fold(network.clone(), Sequential::preceded_by))
}

/// Looks into a network (with its preprocessing) on some examples; with `values`, those of a trained model, else as
/// training with this seed would start it.
pub(super) fn look(
    network: &Sequential,
    values: Option<&BTreeMap<String, Tensor>>,
    data: &Dataset,
    examples: &[u32],
    seed: u64,
) -> Result<Look, LabError> {
    let n = examples.len();
    let g = Graph::builder();
    let mut shape = vec![n];
    shape.extend(&network.input);
    let features = g.input("features", &shape[..]);
    let labels = g.input("labels", [n]);
    let mut parameters = Parameters::new();
    let (mut at, mut borders): (Value, Vec<Value>) = (features, Vec::new());
    for named in &network.layers {
        let input = g.shape(at).get(1..).unwrap_or_default().to_vec();
        let one = Sequential { input, layers: vec![named.clone()] };
        at = one.forward(&g, at, Mode::Training, &mut parameters);
        borders.push(at);
    }
    let loss = Task::Classify.loss(&g, at, labels);
    let names: Vec<String> = parameters.list().iter().map(|parameter| parameter.name.clone()).collect();
    let wanted: Vec<Value> = borders.iter().copied().chain(parameters.points()).collect();
    let gradients = g.gradients_of(loss, &wanted);
    for (i, &value) in borders.iter().enumerate() {
        g.output(&format!("value {i}"), value);
    }
    for (i, &gradient) in gradients.iter().enumerate() {
        g.output(&format!("gradient {i}"), gradient);
    }
    let graph = g.finish()?;
    let mut state: State =
        initial_state(&graph, seed).into_iter().map(|(name, value)| (name, value.to_f64())).collect();
    for (name, value) in values.into_iter().flatten() {
        state.insert(name.clone(), value.to_f64());
    }
    let (mut x, mut y) = (vec![0.0; n * data.feature_len()], vec![0.0; n]);
    data.gather_into(examples, &mut x, &mut y);
    let x = Tensor::from_fn(&shape[..], |i| f64::from(x[i]));
    let y = Tensor::from_fn([n], |i| f64::from(y[i]));
    let trace = interpret(&graph, &[("features", &x), ("labels", &y)], &state, Key { seed, step: 0 })?;
    let numbers = |name: String| trace.output(&name).map_or_else(Vec::new, |value| value.data().to_vec());
    let layers = network.layers.iter().enumerate().map(|(i, named)| {
        let values = numbers(format!("value {i}"));
        let units = values.len() / n.max(1);
        Seen { layer: named.layer.clone(), gradient: numbers(format!("gradient {i}")), values, units }
    });
    let layers = layers.collect();
    let gradients = (borders.len()..).map(|i| numbers(format!("gradient {i}")));
    Ok(Look { layers, parameters: names.into_iter().zip(gradients).collect() })
}

pub(super) fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len().max(1) as f64
}

/// The standard deviation over all numbers.
pub(super) fn deviation(x: &[f64]) -> f64 {
    let mean = mean(x);
    (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len().max(1) as f64).sqrt()
}

/// The root of the mean square.
pub(super) fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len().max(1) as f64).sqrt()
}
