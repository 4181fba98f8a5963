//! The graphs that predict and judge: `(features, parameters) -> (logits, probabilities)` and
//! `(features, labels, parameters) -> (logits, losses)`.

use crate::graph::{Graph, GraphBuilder, GraphError, Value};
use crate::nn::{Mode, Parameters, Sequential, Task};

/// The inference graph of a network for a batch of `batch` examples.
///
/// Input `features` `[batch, input...]`. Output `logits` `[batch, k]` is the last layer. Output `probabilities` is
/// their softmax `[batch, k]` for several classes, their sigmoid (the probability of class 1) `[batch, 1]` for two, and
/// absent for regression, where the logits are the predictions.
///
/// ```
/// use bratt::nn::{Input, Sequential, Task};
/// let network = Sequential::new(Input::features(4)).dense(3);
/// let graph = bratt::model::inference_graph(&network, Task::Classify, 2)?;
/// assert!(graph.output("probabilities").is_some() && graph.updates().is_empty());
/// # Ok::<(), bratt::graph::GraphError>(())
/// ```
///
/// # Errors
/// A layer that does not fit.
pub fn inference_graph(network: &Sequential, task: Task, batch: usize) -> Result<Graph, GraphError> {
    calibrated_graph(network, task, batch, None)
}

/// As [`inference_graph`], where logits are divided by a temperature before they become probabilities.
pub(super) fn calibrated_graph(
    network: &Sequential,
    task: Task,
    batch: usize,
    temperature: Option<f64>,
) -> Result<Graph, GraphError> {
    let g = Graph::builder();
    let logits = forward(&g, network, batch);
    let scaled = temperature.map_or(logits, |t| g.mul(logits, g.constant(1.0 / t)));
    match task {
        Task::Classify => g.output("probabilities", g.softmax(scaled, 1)),
        Task::Binary => g.output("probabilities", g.sigmoid(scaled)),
        Task::Regress => {}
    }
    g.finish()
}

/// The graph that judges a network on a batch of `batch` examples: as [`inference_graph`], with another input `labels`
/// `[batch]`, and the output `losses` `[batch]` in place of the probabilities.
///
/// # Errors
/// A layer that does not fit.
pub fn evaluation_graph(network: &Sequential, task: Task, batch: usize) -> Result<Graph, GraphError> {
    let g = Graph::builder();
    let logits = forward(&g, network, batch);
    let labels = g.input("labels", [batch]);
    g.output("losses", g.layer("loss", || task.losses(&g, logits, labels)));
    g.finish()
}

/// Declares input `features` and output `logits`.
fn forward(g: &GraphBuilder, network: &Sequential, batch: usize) -> Value {
    let mut shape = vec![batch];
    shape.extend(&network.input);
    let x = g.input("features", shape);
    let logits = network.forward(g, x, Mode::Inference, &mut Parameters::new());
    g.output("logits", logits);
    logits
}
