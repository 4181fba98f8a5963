//! Dense, maxout, dropout and preprocessing layers through the reference interpreter.

use super::{assert_close, graph_of, numbers, run, start, state_of, vector};
use crate::exec::{Key, State, interpret};
use crate::graph::{Graph, Init, Role};
use crate::nn::*;
use crate::tensor::Tensor;

#[test]
fn dense_is_an_affine_map() {
    let network = Sequential::new(Input::features(2)).dense(3);
    let graph = graph_of(&network, 1, Mode::Inference);
    let mut state = start(&graph);
    let weight = Tensor::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("six");
    state.insert("dense1.weight".into(), weight);
    state.insert("dense1.bias".into(), Tensor::new([3], vec![0.5, 0.0, -0.5]).expect("three"));
    let x = Tensor::new([1, 2], vec![1.0, -1.0]).expect("two");
    assert_close(&run(&graph, &x, &state, 0).0, &[-2.5, -3.0, -3.5]);
}

#[test]
fn maxout_with_opposite_pieces_is_the_absolute_value() {
    let network = Sequential::new(Input::features(1)).maxout(1, 2);
    let graph = graph_of(&network, 3, Mode::Inference);
    let mut state = start(&graph);
    state.insert("maxout1.weight".into(), Tensor::new([1, 2], vec![1.0, -1.0]).expect("two"));
    let x = Tensor::new([3, 1], vec![-2.0, 0.5, 3.0]).expect("three");
    assert_close(&run(&graph, &x, &state, 0).0, &[2.0, 0.5, 3.0]);
}

#[test]
fn defaults_of_dense_depend_on_what_follows() {
    let network = Sequential::new(Input::features(50))
        .dense(200)
        .batch_norm()
        .relu()
        .dropout(0.5)
        .dense(8)
        .dropout(0.1)
        .elu()
        .dense(8)
        .tanh()
        .dense(3);
    let graph = graph_of(&network, 2, Mode::Training);
    let init = |name: &str| graph.slots().iter().find(|s| s.name == name).map(|s| s.init.clone());
    let he = |fan_in: f64| Some(Init::Normal((2.0 / fan_in).sqrt() as f32));
    let xavier = |fans: f64| Some(Init::Uniform((6.0 / fans).sqrt() as f32));
    assert_eq!(init("dense1.weight"), Some(Init::Normal(0.01)), "batch norm takes the size out");
    assert_eq!(init("dense2.weight"), he(200.0));
    assert_eq!(init("dense3.weight"), xavier(16.0));
    assert_eq!(init("dense4.weight"), xavier(11.0));
    assert_eq!(init("dense1.bias"), None, "batch norm would undo it");
    assert_eq!(init("dense2.bias"), Some(Init::Constant(0.0)));
    let told = Sequential::new(Input::features(2))
        .layer(Dense { bias: Some(true), init: Some(Initializer::Zeros), units: 2 })
        .batch_norm();
    let told = graph_of(&told, 2, Mode::Training);
    assert_eq!(told.slots()[0].init, Init::Constant(0.0));
    assert_eq!(told.slots()[1].name, "dense1.bias");
}

#[test]
fn equal_weights_stay_equal_and_zero_weights_learn_nothing_below() {
    for (weight, learns) in [(0.0, false), (0.3, true)] {
        let g = Graph::builder();
        let network = Sequential::new(Input::features(3)).dense(4).tanh().dense(2);
        let (x, labels) = (g.input("x", [5, 3]), g.input("labels", [5]));
        let mut parameters = Parameters::new();
        let logits = network.forward(&g, x, Mode::Training, &mut parameters);
        let loss = Task::Classify.loss(&g, logits, labels);
        g.output("dw", g.gradients_of(loss, &parameters.points())[0]);
        let graph = g.finish().expect("correct");
        // The upper layer tells the classes apart, but not the hidden units.
        let value = |name: &str, i: usize| match name {
            "dense2.weight" => weight * (1.0 + (i % 2) as f64),
            "dense1.weight" => weight,
            _ => 0.0,
        };
        let labels = Tensor::new([5], vec![0.0, 1.0, 1.0, 0.0, 1.0]).expect("five");
        let inputs = [("x", &numbers([5, 3], 0.0)), ("labels", &labels)];
        let trace = interpret(&graph, &inputs, &state_of(&graph, value), Key::default()).expect("complete");
        let gradient = trace.output("dw").expect("declared");
        for row in gradient.data().chunks(4) {
            assert!(row.iter().all(|&d| d == row[0]), "{row:?}");
        }
        assert_eq!(gradient.data().iter().any(|&d| d != 0.0), learns);
    }
}

#[test]
fn dropout_keeps_the_expectation() {
    let (drop, n, steps) = (0.3, 1000, 20);
    for layer in [Dropout::new(drop), Dropout::naive(drop)] {
        let network = Sequential::new(Input::features(n)).layer(layer.clone());
        let (training, inference) =
            (graph_of(&network, 1, Mode::Training), graph_of(&network, 1, Mode::Inference));
        let x = Tensor::filled([1, n], 2.0);
        let (mut total, mut zeros) = (0.0, 0);
        for step in 0..steps {
            let y = run(&training, &x, &State::new(), step).0;
            total += y.data().iter().sum::<f64>();
            zeros += y.data().iter().filter(|&&y| y == 0.0).count();
            let kept = if layer.form == DropoutForm::Inverted { 2.0 / 0.7 } else { 2.0 };
            assert!(y.data().iter().all(|&y| y == 0.0 || (y - kept).abs() < 1e-12));
        }
        let count = n as f64 * steps as f64;
        // Four standard deviations of a binomial share.
        let tolerance = 4.0 * f64::sqrt(drop * (1.0 - drop) / count);
        assert!((zeros as f64 / count - drop).abs() < tolerance, "dropped {}", zeros as f64 / count);
        let expected = run(&inference, &x, &State::new(), 0).0.data()[0];
        assert!((total / count - expected).abs() < tolerance * 2.0 / 0.7, "{} {expected}", total / count);
    }
}

#[test]
fn dropout_masks_differ_by_layer_and_by_step() {
    let network = Sequential::new(Input::features(64)).dropout(0.5);
    let twice = Sequential::new(Input::features(64)).dropout(0.5).dropout(0.5);
    let (once, twice) = (graph_of(&network, 1, Mode::Training), graph_of(&twice, 1, Mode::Training));
    let x = Tensor::filled([1, 64], 1.0);
    let kept = |graph: &Graph, step| {
        run(graph, &x, &State::new(), step).0.data().iter().filter(|&&y| y != 0.0).count()
    };
    assert_ne!(run(&once, &x, &State::new(), 0), run(&once, &x, &State::new(), 1));
    assert_eq!(run(&once, &x, &State::new(), 3), run(&once, &x, &State::new(), 3));
    assert!(kept(&twice, 0) < kept(&once, 0), "a second mask drops more");
}

#[test]
fn preprocessing_by_given_numbers() {
    let mean = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).expect("four");
    let std = Tensor::new([2, 1, 2], vec![2.0, 0.0, 1.0, 4.0]).expect("four");
    let network = Sequential::new(Input::image(2, 1, 2)).flatten();
    let network = network.preceded_by(Standardize::per_feature(mean, std));
    assert_eq!(network.layers[0].name, "standardize1");
    let graph = graph_of(&network, 1, Mode::Inference);
    assert!(graph.slots().iter().all(|s| s.role == Role::Buffer));
    let x = Tensor::new([1, 2, 1, 2], vec![3.0, 2.0, 5.0, 0.0]).expect("four");
    assert_close(&run(&graph, &x, &start(&graph), 0).0, &[1.0, 0.0, 2.0, -1.0]);

    let matrix = Tensor::new([2, 1], vec![0.5, 2.0]).expect("two");
    let whiten = Whiten::pca(vector(&[1.0, -1.0]), matrix);
    let network = Sequential::new(Input::features(2)).whiten(whiten);
    let graph = graph_of(&network, 1, Mode::Inference);
    let x = Tensor::new([1, 2], vec![3.0, 1.0]).expect("two");
    assert_close(&run(&graph, &x, &start(&graph), 0).0, &[5.0]);
}
