//! Folded networks compute what they computed before.

use super::{graph_of, run, state_of};
use crate::exec::State;
use crate::nn::*;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// Values for all slots: weights of both signs, variances above 0.
fn values_of(network: &Sequential) -> BTreeMap<String, Tensor> {
    let graph = graph_of(network, 1, Mode::Inference);
    let value = |name: &str, i: usize| {
        let wave = (1.0 + 1.3 * i as f64 + name.len() as f64).sin();
        if name.ends_with("variance") { 1.1 + wave } else { wave }
    };
    state_of(&graph, value).into_iter().map(|(name, tensor)| (name, tensor.to_f32())).collect()
}

fn outputs(network: &Sequential, values: &BTreeMap<String, Tensor>) -> Tensor<f64> {
    let state: State = values.iter().map(|(name, tensor)| (name.clone(), tensor.to_f64())).collect();
    let graph = graph_of(network, 3, Mode::Inference);
    let names: Vec<&str> = graph.slots().iter().map(|slot| slot.name.as_str()).collect();
    assert!(names.iter().all(|&name| values.contains_key(name)) && names.len() == values.len());
    let x = super::numbers(graph.inputs()[0].shape.clone(), 0.7);
    run(&graph, &x, &state, 0).0
}

fn normalisations(network: &Sequential) -> usize {
    let mut count = 0;
    network.for_each_layer(|_, layer| count += usize::from(matches!(layer, Layer::BatchNorm(_))));
    count
}

#[test]
fn no_batch_norm_is_left_after_dense_layers_and_convolutions() {
    let grouped = Conv2d { groups: 2, stride: 2.into(), bias: Some(true), ..Conv2d::new(4, 3) };
    let network = Sequential::new(Input::image(6, 6, 2))
        .layer(grouped)
        .batch_norm()
        .relu()
        .residual(Shortcut::Identity, |f| f.conv(4, 3).batch_norm().relu().conv(4, 3).batch_norm())
        .relu()
        .residual_with(|s| s.conv(6, 1).batch_norm(), |f| f.conv(6, 3).batch_norm().batch_norm())
        .global_average_pool()
        .dense(5)
        .layer(BatchNorm { epsilon: 0.3, ..BatchNorm::default() })
        .elu()
        .dense(2);
    let values = values_of(&network);
    let (folded, folded_values) = fold_batch_norm(&network, &values);
    assert_eq!((normalisations(&network), normalisations(&folded)), (7, 0));
    let (before, after) = (outputs(&network, &values), outputs(&folded, &folded_values));
    for (a, b) in after.data().iter().zip(before.data()) {
        assert!((a - b).abs() < 1e-5 * b.abs().max(0.1), "{a}, expected {b}");
    }
    // Other layers keep their names, so that views of both can be compared.
    assert_eq!(folded.layers.last(), network.layers.last());
}

#[test]
fn batch_norm_after_anything_else_stays() {
    let network = Sequential::new(Input::image(4, 4, 2))
        .batch_norm()
        .relu()
        .conv(3, 3)
        .relu()
        .batch_norm()
        .residual(Shortcut::Identity, |f| f.batch_norm().relu().conv(3, 3))
        .batch_norm();
    let values = values_of(&network);
    assert_eq!(fold_batch_norm(&network, &values), (network, values));
}

#[test]
fn nothing_is_folded_without_its_values() {
    let network = Sequential::new(Input::features(2)).dense(3).batch_norm();
    let mut values = values_of(&network);
    values.remove("batch_norm1.running_mean");
    assert_eq!(fold_batch_norm(&network, &values), (network, values));
}
