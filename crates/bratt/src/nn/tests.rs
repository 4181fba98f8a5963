//! Layers and networks through the reference interpreter.

use super::*;
use crate::exec::{Key, State, gradcheck, interpret};
use crate::graph::{Graph, GraphBuilder, Init, Role, Value};
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
    all.extend(image_tests::each_kind());
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
fn batch_norm_normalises_and_keeps_running_statistics() {
    let network = Sequential::new(Input::features(1)).layer(BatchNorm { rate: 0.1, epsilon: 1e-300 });
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
fn losses_of_the_tasks() {
    let loss = |task: Task, logits: &Tensor<f64>, labels: &Tensor<f64>| {
        let g = Graph::builder();
        let (z, t) = (g.input("z", logits.shape().clone()), g.input("t", labels.shape().clone()));
        g.output("loss", task.loss(&g, z, t));
        let graph = g.finish()?;
        let trace = interpret(&graph, &[("z", logits), ("t", labels)], &State::new(), Key::default());
        Ok(trace.expect("complete").output("loss").expect("declared").data()[0])
    };
    let t = |shape: &[usize], data: &[f64]| Tensor::new(shape, data.to_vec()).expect("as many");
    let close = |found: Result<f64, crate::graph::GraphError>, expected: f64| {
        assert!(found.is_ok_and(|f| (f - expected).abs() < 1e-15));
    };
    // Equal logits over 4 classes cost ln 4; a logit of 0 costs ln 2 either way.
    close(loss(Task::Classify, &t(&[2, 4], &[7.0; 8]), &t(&[2], &[0.0, 3.0])), 4f64.ln());
    close(loss(Task::Binary, &t(&[2, 1], &[0.0; 2]), &t(&[2], &[0.0, 1.0])), 2f64.ln());
    // Half the squared error, summed over targets, averaged over examples: (9 + 1 + 4) / 2 / 2.
    let (p, y) = (t(&[2, 2], &[3.0, 1.0, 2.0, 0.0]), t(&[2, 2], &[0.0, 0.0, 0.0, 0.0]));
    close(loss(Task::Regress, &p, &y), 3.5);
    close(loss(Task::Regress, &t(&[2, 1], &[3.0, 1.0]), &t(&[2], &[0.0, 0.0])), 2.5);
    assert!(loss(Task::Regress, &p, &t(&[2], &[0.0, 0.0])).is_err());
}

#[test]
fn predictions_are_probabilities_that_fit_the_loss() {
    for (task, width) in [(Task::Classify, 3), (Task::Binary, 1)] {
        let g = Graph::builder();
        let (z, labels) = (g.input("z", [4, width]), g.input("labels", [4]));
        let p = task.predictions(&g, z);
        g.output("sum", g.sum(p, &[1]));
        g.output("cost", g.neg(g.log(g.gather(p, labels))));
        g.output("loss", task.losses(&g, z, labels));
        let graph = g.finish().expect("correct");
        let labels = Tensor::new([4], vec![0.0, 1.0, 1.0, 0.0]).expect("four");
        let z = numbers([4, width], 0.0);
        let trace = interpret(&graph, &[("z", &z), ("labels", &labels)], &State::new(), Key::default());
        let trace = trace.expect("complete");
        assert_close(trace.output("sum").expect("declared"), &[1.0; 4]);
        assert_close(trace.output("cost").expect("declared"), trace.output("loss").expect("declared").data());
    }
}

#[test]
fn models_by_name() {
    let digits = |name| models::by_name(name, &[8, 8, 1], 10);
    let softmax = digits("softmax").expect("known");
    assert_eq!(softmax.task, Task::Classify);
    assert_eq!(softmax.network.summary().expect("correct").parameters(), 64 * 10 + 10);
    let mlp = models::by_name("mlp", &[28, 28, 1], 10).expect("known");
    let summary = mlp.network.summary().expect("correct");
    assert_eq!(summary.parameters(), 784 * 512 + 2 * 512 + 512 * 256 + 2 * 256 + 256 * 10 + 10);
    let kinds: Vec<&str> = mlp.network.layers.iter().map(|l| l.layer.kind()).collect();
    let hidden = ["dense", "batch_norm", "relu", "dropout"];
    assert_eq!(kinds, [&["flatten"], &hidden[..], &hidden[..], &["dense"]].concat());
    let plain = digits("mlp-30-20").expect("a pattern");
    assert!(plain.network.layers.iter().all(|l| !matches!(l.layer, Layer::BatchNorm(_) | Layer::Dropout(_))));
    assert_eq!(
        digits("mlp-512-256-bn-dropout").expect("a pattern").network,
        digits("mlp").expect("known").network
    );
    assert_eq!(models::by_name("logistic", &[3], 2).expect("known").task, Task::Binary);
    assert_eq!(
        models::by_name("linear", &[3], 1).expect("known").network.output_shape().expect("one")[..],
        [1]
    );

    let message = |name, classes| models::by_name(name, &[3], classes).expect_err("wrong").to_string();
    assert_eq!(message("sofmax", 3), "no model is named `sofmax`; did you mean `softmax`?");
    assert!(message("perceptron", 3).contains("known are `softmax`"));
    assert!(message("mlp-", 3).contains("no model"));
    assert!(message("mlp-10-bn-5", 3).contains("no model"));
    assert_eq!(
        message("logistic", 3),
        "model `logistic`: found 3 classes, expected exactly two; take `softmax` for more"
    );
    assert!(message("mlp", 1).contains("at least two"));
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
