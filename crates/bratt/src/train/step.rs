//! The graph that training runs: `(features, labels, lr[, momentum], state) -> (loss, state')`.
//!
//! A step is `loss = mean of losses(network(features; points), labels)`, its gradients with respect to the points, and
//! the optimiser's equations; the point of a parameter is the parameter itself or, for Nesterov's momentum, its
//! look-ahead.
//!
//! Where examples are mixed or labels smoothed ([`SoftLabels`]), the loss of the training step, and of nothing else, is
//! that of soft labels; see [`Task`]. Where labels have weights, each loss is multiplied by that of its label; see
//! [`Balance`](super::Balance).

use crate::graph::{Graph, GraphBuilder, GraphError, Op, Value};
use crate::nn::{Layer, Mode, Parameters, Sequential, Task};
use crate::optim::Optimizer;

/// The graph of a whole training step on `batch` examples: forward, backward, update.
///
/// Inputs `features` `[batch, input...]`, `labels` `[batch]` (class indices, or targets), the scalar `lr`, and the scalar
/// `momentum` if the optimiser's is scheduled. Output `loss`, and `gradient_norm` if gradients are clipped by norm.
///
/// ```
/// use bratt::nn::{Input, Sequential, Task};
/// use bratt::optim::Adam;
/// let network = Sequential::new(Input::features(4)).dense(3);
/// let graph = bratt::train::training_graph(&network, Task::Classify, &Adam::default().into(), 8)?;
/// // weight, bias, two moments of each, and the count of steps
/// assert_eq!(graph.slots().len(), 7);
/// # Ok::<(), bratt::graph::GraphError>(())
/// ```
///
/// # Errors
/// A layer or setting that does not fit.
pub fn training_graph(
    network: &Sequential,
    task: Task,
    optimizer: &Optimizer,
    batch: usize,
) -> Result<Graph, GraphError> {
    soft_training_graph(network, task, optimizer, batch, SoftLabels::default())
}

/// How far the labels of a training are from one class an example. The default is hard labels.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct SoftLabels {
    /// Whether each example is a mixture of two.
    pub mixed: bool,
    /// The share of each label that is spread evenly over all classes.
    pub smoothing: f64,
    /// Whether each label has a weight in the loss.
    pub weighted: bool,
}

/// As [`training_graph`], with soft labels. For mixed examples there are two more inputs: `partner_labels` `[batch]`, and
/// `weights` `[batch]`, the share of `labels`. For weighted labels there is `label_weights` `[batch]` and, if examples are
/// mixed, `partner_label_weights` `[batch]`.
///
/// # Errors
/// As [`training_graph`].
pub fn soft_training_graph(
    network: &Sequential,
    task: Task,
    optimizer: &Optimizer,
    batch: usize,
    soft: SoftLabels,
) -> Result<Graph, GraphError> {
    write(network, task, optimizer, batch, soft, false)
}

/// The name of the output that holds a parameter's gradient in [`graph_with_gradients`].
pub(super) fn gradient_output(parameter: &str) -> String {
    format!("gradient {parameter}")
}

/// As [`soft_training_graph`], with every parameter's gradient as an output, before clipping and weight decay.
pub(super) fn graph_with_gradients(
    network: &Sequential,
    task: Task,
    optimizer: &Optimizer,
    batch: usize,
    soft: SoftLabels,
) -> Result<Graph, GraphError> {
    write(network, task, optimizer, batch, soft, true)
}

fn write(
    network: &Sequential,
    task: Task,
    optimizer: &Optimizer,
    batch: usize,
    soft: SoftLabels,
    with_gradients: bool,
) -> Result<Graph, GraphError> {
    let g = Graph::builder();
    let mut shape = vec![batch];
    shape.extend(&network.input);
    let features = g.input("features", shape);
    let labels = g.input("labels", [batch]);
    let partner = soft.mixed.then(|| (g.input("partner_labels", [batch]), g.input("weights", [batch])));
    let mut step = optimizer.begin(&g);
    let mut parameters = Parameters::read_at(|g, p| step.point(g, &p.name, p.slot, p.value, p.decay));
    let logits = network.forward(&g, features, Mode::Training, &mut parameters);
    let points = parameters.points();
    let parameters = parameters.into_list();
    let loss = g.layer("loss", || match partner {
        _ if soft.weighted => weighted_loss(&g, task, logits, labels, partner, soft.smoothing),
        None if soft.smoothing == 0.0 => task.loss(&g, logits, labels),
        None => g.mean_all(task.smoothed_losses(&g, logits, labels, soft.smoothing)),
        Some((partner, weights)) => {
            g.mean_all(task.mixed_losses(&g, logits, [labels, partner], weights, soft.smoothing))
        }
    });
    let gradients = g.gradients_of(loss, &points);
    for (parameter, &gradient) in parameters.iter().zip(&gradients).filter(|_| with_gradients) {
        g.output(&gradient_output(&parameter.name), gradient);
    }
    let norm = step.update(&g, &gradients);
    g.output("loss", loss);
    if let Some(norm) = norm {
        g.output("gradient_norm", norm);
    }
    g.finish()
}

/// The mean over the batch of losses with the weights of their labels: `w L`, or where a share s of an example has a label
/// and the rest another one `s w L + (1 - s) w' L'`.
pub(super) fn weighted_loss(
    g: &GraphBuilder,
    task: Task,
    logits: Value,
    labels: Value,
    partner: Option<(Value, Value)>,
    smoothing: f64,
) -> Value {
    let losses = |name: &str, labels: Value| {
        let weights = g.input(name, g.shape(labels));
        g.mul(weights, task.smoothed_losses(g, logits, labels, smoothing))
    };
    let own = losses("label_weights", labels);
    g.mean_all(match partner {
        None => own,
        Some((partner, share)) => {
            let rest = g.sub(g.constant(1.0), share);
            g.add(g.mul(share, own), g.mul(rest, losses("partner_label_weights", partner)))
        }
    })
}

/// The least number of examples that a step makes sense for: batch norm of a single example has no variance.
pub(super) fn least_batch(network: &Sequential) -> usize {
    let mut normalises = false;
    network.for_each_layer(|_, layer| normalises |= matches!(layer, Layer::BatchNorm(_)));
    if normalises { 2 } else { 1 }
}

/// The graph with every node as an output, `node 0`, `node 1`, ..., and no update.
pub(super) fn with_all_nodes(graph: &Graph) -> Result<Graph, GraphError> {
    let mut all = graph.clone();
    all.outputs.clear();
    all.updates.clear();
    for (i, node) in graph.nodes.iter().enumerate() {
        // Inputs and slots are read where they are.
        if !matches!(node.op, Op::Input { .. } | Op::Slot { .. }) {
            all.outputs.push((format!("node {i}"), Value(i as u32)));
        }
    }
    all.into_builder().finish()
}
