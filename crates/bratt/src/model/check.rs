//! The gradients of a trained model's loss against differences.
//!
//! The loss is that of a batch, each example labelled with the class that the model gives it least, so that gradients
//! are not tiny; for numbers the target is 0. All parameters are checked at their trained values, in f64.

use super::TrainedModel;
use super::inference::evaluation_graph;
use crate::exec::gradcheck::{GradcheckError, Options, Report, gradcheck_with};
use crate::exec::{Key, State, interpret};
use crate::graph::Role;
use crate::nn::Task;
use crate::tensor::Tensor;

/// Compares the gradient of the mean loss over `examples`, one list of features each, with respect to every parameter
/// with differences, at `samples` elements of each, spread evenly. Batch norm uses its running statistics.
///
/// # Errors
/// No examples, examples of another length than the network's input, or a network that cannot be built.
pub fn gradcheck_model(
    model: &TrainedModel,
    examples: &[Vec<f32>],
    samples: Option<usize>,
) -> Result<Report, GradcheckError> {
    let batch = examples.len().max(1);
    let graph = evaluation_graph(&model.network, model.task, batch)?;
    let state: State = model.values.iter().map(|(name, value)| (name.clone(), value.to_f64())).collect();
    let mut shape = vec![batch];
    shape.extend(&model.network.input);
    let data: Vec<f64> = examples.iter().flatten().map(|&x| f64::from(x)).collect();
    let found = data.len();
    let features = Tensor::new(shape.clone(), data).map_err(|_| crate::exec::InterpretError::InputShape {
        name: "features".into(),
        found: [found].into(),
        expected: shape.into(),
    })?;
    let zeros = Tensor::zeros([batch]);
    let trace = interpret(&graph, &[("features", &features), ("labels", &zeros)], &state, Key::default())?;
    let labels = match (model.task, trace.output("logits")) {
        (Task::Classify, Some(logits)) => {
            let classes = logits.shape().last().copied().unwrap_or(1);
            let least =
                |row: &[f64]| (0..classes).min_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0) as f64;
            let labels: Vec<f64> = logits.data().chunks(classes).map(least).collect();
            Tensor::from_fn([batch], |i| labels[i])
        }
        _ => zeros,
    };
    let slots = graph.slots().iter().filter(|slot| slot.role == Role::Parameter);
    let names: Vec<String> = slots.map(|slot| slot.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let inputs = [("features", &features), ("labels", &labels)];
    gradcheck_with(&graph, "losses", &names, &inputs, &state, Options { samples, ..Options::default() })
}
