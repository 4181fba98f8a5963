//! Residual blocks through the reference interpreter.

use super::{assert_close, graph_of, numbers, run, start};
use crate::graph::Init;
use crate::nn::*;
use crate::tensor::Tensor;

/// One network for each kind of shortcut, and a block within a block.
pub(super) fn each_kind() -> Vec<Sequential> {
    let image = || Sequential::new(Input::image(4, 3, 2));
    let halving = |f: Sequential| f.layer(Conv2d { stride: 2.into(), ..Conv2d::new(3, 3) });
    vec![
        image().residual(Shortcut::Identity, |f| f.conv(2, 3).batch_norm().relu().conv(2, 1)).relu(),
        image().residual(Shortcut::Subsample, |f| halving(f).relu6()),
        image().residual_with(|s| halving(s).batch_norm(), |f| halving(f).tanh().conv(3, 1)),
        image().residual(Shortcut::Identity, |f| {
            f.residual(Shortcut::Subsample, |f| f.conv(5, 1).relu()).conv(2, 1)
        }),
        Sequential::new(Input::features(4))
            .residual(Shortcut::Identity, |f| f.dense(3).dropout(0.2).relu().dense(4)),
    ]
}

#[test]
fn a_block_of_zeros_is_its_shortcut() {
    let network = Sequential::new(Input::image(3, 5, 1))
        .residual(Shortcut::Subsample, |f| f.layer(Conv2d { stride: 2.into(), ..Conv2d::new(3, 1) }));
    let graph = graph_of(&network, 1, Mode::Inference);
    let mut state = start(&graph);
    state.insert("residual1/conv2d1.weight".into(), Tensor::zeros([1, 1, 1, 3]));
    let x = Tensor::from_fn([1, 3, 5, 1], |i| 1.0 + i as f64);
    // Every second pixel of every second row, then two channels of zeros.
    let pixels = [1.0, 3.0, 5.0, 11.0, 13.0, 15.0];
    let expected: Vec<f64> = pixels.into_iter().flat_map(|pixel| [pixel, 0.0, 0.0]).collect();
    assert_close(&run(&graph, &x, &state, 0).0, &expected);
}

#[test]
fn a_block_adds_its_layers_to_its_shortcut() {
    let network = Sequential::new(Input::features(2))
        .residual_with(|s| s.layer(Dense { bias: Some(false), ..Dense::new(1) }), |f| f.dense(1).relu());
    let graph = graph_of(&network, 1, Mode::Inference);
    let mut state = start(&graph);
    let pair = |a, b| Tensor::new([2, 1], vec![a, b]).expect("two");
    state.insert("residual1/dense1.weight".into(), pair(1.0, 1.0));
    state.insert("residual1/shortcut/dense1.weight".into(), pair(10.0, 0.0));
    let y = |a, b| run(&graph, &Tensor::new([1, 2], vec![a, b]).expect("two"), &state, 0).0.data()[0];
    assert_eq!(y(1.0, 2.0), 3.0 + 10.0);
    assert_eq!(y(1.0, -2.0), 10.0);
}

#[test]
fn blocks_that_start_at_zero_pass_their_input_on() {
    let network = Sequential::new(Input::image(4, 4, 2));
    let block = Residual {
        layers: network.clone().conv(2, 3).batch_norm().relu().conv(2, 3).batch_norm().layers,
        shortcut: Shortcut::Identity,
    };
    let graph = graph_of(&network.layer(block.starting_at_zero()), 2, Mode::Training);
    let x = numbers([2, 4, 4, 2], 0.1);
    assert_close(&run(&graph, &x, &start(&graph), 0).0, x.data());
}

#[test]
fn initialisation_looks_past_the_end_of_a_block() {
    let network = Sequential::new(Input::image(4, 4, 2))
        .residual(Shortcut::Identity, |f| f.conv(8, 3).relu().conv(2, 3))
        .relu()
        .residual(Shortcut::Identity, |f| f.conv(2, 3))
        .batch_norm()
        .tanh();
    let graph = graph_of(&network, 2, Mode::Training);
    let init = |name: &str| graph.slots().iter().find(|s| s.name == name).map(|s| s.init.clone());
    assert_eq!(init("residual1/conv2d1.weight"), Some(Init::Normal((2.0f64 / 18.0).sqrt() as f32)));
    assert_eq!(init("residual1/conv2d2.weight"), Some(Init::Normal((2.0f64 / 72.0).sqrt() as f32)));
    // Batch norm after the sum does not undo a bias inside of the block.
    assert_eq!(init("residual2/conv2d1.bias"), Some(Init::Constant(0.0)));
    assert_eq!(init("residual2/conv2d1.weight"), Some(Init::Uniform((6.0f64 / 36.0).sqrt() as f32)));
}

#[test]
fn wrong_blocks_are_named() {
    let message = |network: Sequential| network.shapes().expect_err("a wrong network").to_string();
    let image = || Sequential::new(Input::image(4, 4, 3));
    let text = message(image().residual(Shortcut::Identity, |f| f.conv(5, 3)));
    assert!(
        text.starts_with("layer `residual1` (residual): its layers make [4, 4, 5] of [4, 4, 3]"),
        "{text}"
    );
    assert!(text.contains("shortcut = \"subsample\""), "{text}");
    let text = message(image().residual(Shortcut::Identity, |f| f.relu().conv(0, 3)));
    assert!(text.starts_with("layer `residual1/conv2d1` (conv2d): found channels = 0"), "{text}");
    let text = message(image().residual_with(|s| s.max_pool(9), |f| f.relu()));
    assert!(text.starts_with("layer `residual1/shortcut/max_pool2d1` (max_pool2d)"), "{text}");
    let text = message(image().residual_with(|s| s.conv(2, 1), |f| f.relu()));
    assert!(text.contains("its layers give [4, 4, 3] and its shortcut [4, 4, 2]"), "{text}");
    assert!(message(image().residual(Shortcut::Identity, |f| f)).contains("found no layers"));
    assert!(message(image().residual(Shortcut::Subsample, |f| f.conv(2, 1))).contains("no fewer channels"));
    let twice = message(image().residual(Shortcut::Identity, |f| f.relu().named("a").relu().named("a")));
    assert!(twice.contains("two layers are named `residual1/a`"), "{twice}");
    assert!(
        message(image().residual(Shortcut::Identity, |f| f.relu().named("shortcut")))
            .contains("another name")
    );
    let wrong = r#"{"input":[4],"layers":[{"name":"a","type":"residual","layers":[],"shortcut":"none"}]}"#;
    let error = serde_json::from_str::<Sequential>(wrong).expect_err("no such shortcut").to_string();
    assert!(error.contains("`none`") && error.contains("`subsample`"), "{error}");
}

#[test]
fn the_summary_shows_the_layers_inside() {
    let network = Sequential::new(Input::image(2, 2, 1))
        .residual_with(|s| s.conv(2, 1), |f| f.conv(2, 3).relu())
        .global_average_pool();
    let expected = "\
layer                       kind                             output     parameters  flops
input                                                        [2, 2, 1]           0      0
residual1/conv2d1           conv2d 2, 3x3                    [2, 2, 2]          20    152
residual1/relu1             relu                             [2, 2, 2]           0      8
residual1/shortcut/conv2d1  conv2d 2, 1x1                    [2, 2, 2]           4     24
residual1                   residual of 2 layers + shortcut  [2, 2, 2]           0      8
global_avg_pool1            global_avg_pool                  [2]                 0     10
total                                                                           24    202
";
    assert_eq!(network.summary().expect("correct").to_string(), expected);
}
