//! Layers and networks through the reference interpreter.

mod batch_norm;
mod fold;
mod images;
mod layers;
mod models;
mod plain;
mod residual;
mod tasks;

use super::*;
use crate::exec::{Key, State, gradcheck, interpret};
use crate::graph::{Graph, GraphBuilder, Init, Role};
use crate::tensor::{Shape, Tensor};

/// Reproducible numbers between -2 and 2 that stay clear of 0 and of each other.
pub(super) fn numbers(shape: impl Into<Shape>, phase: f64) -> Tensor<f64> {
    Tensor::from_fn(shape, |i| 2.0 * (1.0 + 2.3 * i as f64 + phase).sin())
}

/// A state for a graph: parameters and statistics by `value`, given the slot's name and index within it.
fn state_of(graph: &Graph, value: impl Fn(&str, usize) -> f64) -> State {
    let tensor = |s: &crate::graph::Slot| Tensor::from_fn(s.shape.clone(), |i| value(&s.name, i));
    graph.slots().iter().map(|s| (s.name.clone(), tensor(s))).collect()
}

/// What slots start with, where that is one number; weights are made up.
pub(super) fn start(graph: &Graph) -> State {
    let mut state = state_of(graph, |name, i| (1.7 * i as f64 + name.len() as f64).sin());
    for slot in graph.slots() {
        match &slot.init {
            Init::Constant(c) => {
                state.insert(slot.name.clone(), Tensor::filled(slot.shape.clone(), f64::from(*c)));
            }
            Init::Given(given) => {
                state.insert(slot.name.clone(), given.to_f64());
            }
            Init::Normal(_) | Init::Uniform(_) | Init::Orthogonal(_) => {}
        }
    }
    state
}

/// The network on a batch, with output `y`.
pub(super) fn graph_of(network: &Sequential, batch: usize, mode: Mode) -> Graph {
    let g = Graph::builder();
    let mut shape = vec![batch];
    shape.extend(&network.input);
    let x = g.input("x", shape);
    let y = network.forward(&g, x, mode, &mut Parameters::new());
    g.output("y", y);
    g.finish().expect("a correct network")
}

pub(super) fn run(graph: &Graph, x: &Tensor<f64>, state: &State, step: u64) -> (Tensor<f64>, State) {
    let trace = interpret(graph, &[("x", x)], state, Key { seed: 1, step }).expect("a complete state");
    (trace.output("y").expect("declared above").clone(), trace.into_new_state())
}

pub(super) fn assert_close(found: &Tensor<f64>, expected: &[f64]) {
    assert_eq!(found.data().len(), expected.len());
    for (f, e) in found.data().iter().zip(expected) {
        assert!((f - e).abs() <= 1e-12 * e.abs().max(1.0), "{:?} is not {expected:?}", found.data());
    }
}

fn vector(numbers: &[f32]) -> Tensor {
    Tensor::new([numbers.len()], numbers.to_vec()).expect("a vector")
}

/// One network for each kind of layer, with odd extents.
fn each_kind() -> Vec<Sequential> {
    let features = || Sequential::new(Input::features(5));
    let image = || Sequential::new(Input::image(3, 2, 2));
    let matrix = Tensor::from_fn([12, 12], |i| ((i * i) as f32).cos());
    let narrow = Tensor::from_fn([5, 3], |i| ((i * i) as f32).cos());
    let mut all = vec![
        features().dense(3),
        features().layer(Dense { units: 3, init: Some(Initializer::Zeros), bias: Some(false) }),
        image().dense(4),
        features().maxout(3, 2),
        image().maxout(2, 3),
        features().batch_norm(),
        image().batch_norm(),
        features().dense(4).batch_norm().relu().dense(2),
        features().relu(),
        features().leaky_relu(0.1),
        features().elu(),
        features().sigmoid(),
        features().tanh(),
        features().layer(Softplus {}),
        features().dropout(0.3),
        image().layer(Dropout::naive(0.6)),
        image().flatten(),
        features().standardize(Standardize::per_feature(vector(&[1.0; 5]), vector(&[0.5; 5]))),
        image().standardize(Standardize::per_channel(vector(&[0.1, 0.2]), vector(&[2.0, 0.5]))),
        image().whiten(Whiten::zca(vector(&[0.3; 12]), matrix)),
        features().whiten(Whiten::pca(vector(&[0.3; 5]), narrow)),
    ];
    all.extend(images::each_kind());
    all.extend(residual::each_kind());
    all
}

#[test]
fn every_layers_gradients_are_those_of_its_function() {
    for network in each_kind() {
        for mode in [Mode::Training, Mode::Inference] {
            let text = serde_json::to_string(&network).expect("plain data");
            let graph = graph_of(&network, 4, mode);
            let state = start(&graph);
            let x = numbers(graph.inputs()[0].shape.clone(), 0.0);
            let trainable: Vec<&str> = graph
                .slots()
                .iter()
                .filter(|s| s.role == Role::Parameter)
                .map(|s| s.name.as_str())
                .chain(["x"])
                .collect();
            let report = gradcheck(&graph, "y", &trainable, &[("x", &x)], &state).expect("gradients");
            assert!(report.largest_error() < 1e-6, "{text} {mode:?}\n{report}");
        }
    }
}

#[test]
fn shapes_are_told_before_building_and_agree_with_the_graph() {
    for network in each_kind() {
        let graph = graph_of(&network, 7, Mode::Training);
        let y = graph.output("y").expect("declared");
        let expected = network.output_shape().expect("correct");
        assert_eq!(graph.node(y).shape[0], 7);
        assert_eq!(graph.node(y).shape[1..], expected[..], "{:?}", network.layers);
    }
}

#[test]
fn architectures_survive_their_text() {
    for network in each_kind() {
        let text = serde_json::to_string(&network).expect("plain data");
        let read: Sequential = serde_json::from_str(&text).expect(&text);
        assert_eq!(serde_json::to_string(&read).expect("plain data"), text);
        assert_eq!(read.shapes(), network.shapes());
    }
    let text = r#"{"input":[4],"layers":[
        {"name":"first","type":"dense","units":3,"init":"he_normal"},
        {"name":"norm","type":"batch_norm","rate":0.2},
        {"name":"relu","type":"relu"}]}"#;
    let read: Sequential = serde_json::from_str(text).expect("correct");
    let written = Sequential::new(Input::features(4))
        .layer(Dense { init: Some(Initializer::HeNormal), ..Dense::new(3) })
        .named("first")
        .layer(BatchNorm { rate: 0.2, ..BatchNorm::default() })
        .named("norm")
        .relu()
        .named("relu");
    assert_eq!(read, written);
    for wrong in [
        r#"{"input":[4],"layers":[{"name":"a","type":"dense","unit":3}]}"#,
        r#"{"input":[4],"layers":[{"name":"a","type":"batch_norm","momentum":0.1}]}"#,
        r#"{"input":[4],"layers":[{"name":"a","type":"relu","slope":0.1}]}"#,
        r#"{"input":[4],"layers":[{"name":"a","type":"dens","units":3}]}"#,
    ] {
        assert!(serde_json::from_str::<Sequential>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn wrong_networks_are_named() {
    let message = |network: Sequential| network.shapes().expect_err("a wrong network").to_string();
    let features = || Sequential::new(Input::features(4));
    assert_eq!(
        message(Sequential::new(Input::image(2, 2, 1)).layer(Dense::new(3)).named("fc")),
        "layer `fc` (dense): found examples of shape [2, 2, 1], expected one axis of features; \
         put `flatten` before it"
    );
    assert_eq!(message(features().dense(0)), "layer `dense1` (dense): found units = 0, expected at least 1");
    assert_eq!(
        message(features().dropout(1.0)),
        "layer `dropout1` (dropout): found drop = 1, expected a probability of dropping of at least 0 and below 1"
    );
    assert!(message(features().layer(BatchNorm { rate: 0.0, ..BatchNorm::default() })).contains("rate 0"));
    assert!(message(features().dense(2).named("a").dense(2).named("a")).contains("two layers"));
    assert!(message(features().dense(2).named("a.b")).contains("`a.b`"));
    assert!(message(Sequential::new(Input::features(0))).contains("[0]"));
    let wide = Standardize::per_channel(vector(&[0.0; 3]), vector(&[1.0; 3]));
    assert!(message(features().standardize(wide)).contains("expected [4]"));
    let wrong_zca = Whiten::zca(vector(&[0.0; 4]), Tensor::zeros([4, 2]));
    assert!(message(features().whiten(wrong_zca)).contains("expected 4 to keep the shape"));

    let g = Graph::builder();
    let x = g.input("x", [8, 5]);
    let line = line!() + 1;
    let y = features().dense(2).forward(&g, x, Mode::Training, &mut Parameters::new());
    g.output("y", y);
    let error = g.finish().expect_err("another input");
    assert_eq!(error.problem, "found input [8, 5], expected a batch of examples [4]");
    assert_eq!((error.file, error.line), (file!(), line));
}

#[test]
fn parameters_are_read_where_they_are_told() {
    let g = Graph::builder();
    let x = g.input("x", [1, 2]);
    let mut parameters = Parameters::read_at(|g: &GraphBuilder, p: &Parameter| {
        assert_eq!(p.value, p.point);
        g.add(p.value, g.constant(1.0))
    });
    let y = Sequential::new(Input::features(2)).dense(1).forward(&g, x, Mode::Training, &mut parameters);
    g.output("y", y);
    let list = parameters.into_list();
    let summary: Vec<_> = list.iter().map(|p| (p.name.as_str(), p.decay)).collect();
    assert_eq!(summary, [("dense1.weight", true), ("dense1.bias", false)]);
    assert!(list.iter().all(|p| p.point != p.value));
    let graph = g.finish().expect("correct");
    let x = Tensor::new([1, 2], vec![3.0, 4.0]).expect("two");
    // All slots are 0 and read as 1.
    assert_close(&run(&graph, &x, &state_of(&graph, |_, _| 0.0), 0).0, &[8.0]);
}

#[test]
fn the_summary_is_a_table() {
    let network = Sequential::new(Input::image(2, 2, 1)).dense(3).relu().dense(2);
    let expected = "\
layer     kind     output     parameters  flops
input              [2, 2, 1]           0      0
flatten1  flatten  [4]                 0      0
dense1    dense 3  [3]                15     27
relu1     relu     [3]                 0      3
dense2    dense 2  [2]                 8     14
total                                 23     44
";
    assert_eq!(network.summary().expect("correct").to_string(), expected);
}
