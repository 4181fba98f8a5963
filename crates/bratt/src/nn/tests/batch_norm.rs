//! Batch norm through the reference interpreter.

use super::{assert_close, graph_of, numbers, run, start};
use crate::graph::{Graph, Value};
use crate::nn::*;
use crate::tensor::Tensor;

#[test]
fn batch_norm_normalises_and_keeps_running_statistics() {
    let network =
        Sequential::new(Input::features(1)).layer(BatchNorm { epsilon: 1e-300, ..BatchNorm::default() });
    let graph = graph_of(&network, 2, Mode::Training);
    let x = Tensor::new([2, 1], vec![1.0, 3.0]).expect("two");
    let (y, state) = run(&graph, &x, &start(&graph), 0);
    assert_close(&y, &[-1.0, 1.0]);
    // Mean 2; variance 1 over n, 2 over n - 1.
    assert_close(&state["batch_norm1.running_mean"], &[0.2]);
    assert_close(&state["batch_norm1.running_variance"], &[0.9 + 0.1 * 2.0]);
    let inference = graph_of(&network, 2, Mode::Inference);
    assert!(inference.updates().is_empty());
    let scale = 1.0 / f64::sqrt(1.1);
    assert_close(&run(&inference, &x, &state, 0).0, &[0.8 * scale, 2.8 * scale]);
}

#[test]
fn batch_norm_of_a_repeated_batch_becomes_its_inference_form() {
    // With the unbiased estimate the variance converges to n / (n - 1) of the batch's.
    let network = Sequential::new(Input::image(2, 2, 3)).batch_norm();
    let (training, inference) =
        (graph_of(&network, 5, Mode::Training), graph_of(&network, 5, Mode::Inference));
    let x = numbers([5, 2, 2, 3], 0.4);
    let mut state = start(&training);
    let mut y = Tensor::zeros([0]);
    for step in 0..400 {
        (y, state) = run(&training, &x, &state, step);
    }
    let found = run(&inference, &x, &state, 0).0;
    let bessel = f64::sqrt(20.0 / 19.0);
    for (f, e) in found.data().iter().zip(y.data()) {
        assert!((f * bessel - e).abs() < 1e-4, "{f} {e}");
    }
}

#[test]
fn batch_norm_of_one_example_stays_finite() {
    let network = Sequential::new(Input::features(2)).batch_norm();
    let graph = graph_of(&network, 1, Mode::Training);
    let (y, state) = run(&graph, &numbers([1, 2], 0.0), &start(&graph), 0);
    assert_close(&y, &[0.0, 0.0]);
    assert_close(&state["batch_norm1.running_variance"], &[0.9, 0.9]);
}

#[test]
fn batch_norm_takes_its_statistics_once() {
    let g = Graph::builder();
    let x = g.input("x", [6, 4]);
    let mut parameters = Parameters::new();
    let y = Sequential::new(Input::features(4)).batch_norm().forward(&g, x, Mode::Training, &mut parameters);
    let mut values = parameters.points();
    values.push(x);
    for (i, gradient) in g.gradients_of(g.sum_all(g.square(y)), &values).into_iter().enumerate() {
        g.output(&format!("gradient {i}"), gradient);
    }
    let graph = g.finish().expect("correct");
    // Of x itself there is one mean, of its squared deviation another, shared by the running statistics and the
    // gradient.
    let sums_of_x = graph.nodes().iter().filter(|n| n.op.name() == "reduce_sum" && n.inputs[0] == Value(0));
    assert_eq!(sums_of_x.count(), 1);
    assert_eq!(graph.nodes().iter().filter(|n| n.op.name() == "standardize").count(), 1);
}
