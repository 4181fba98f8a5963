//! What is seen inside a network against what can be worked out by hand.

use super::*;
use crate::data::Fit;
use crate::exec::{State, interpret};
use crate::model::{Inputs, Provenance};
use crate::nn::{Input, Sequential, Shortcut};

fn model(network: Sequential, task: Task) -> TrainedModel {
    let graph = crate::model::inference_graph(&network, task, 1).unwrap();
    let number = |name: &str, i: usize| match name.rsplit('.').next() {
        Some("running_variance" | "gamma") => 0.5 + 0.01 * (i % 7) as f32,
        _ => 0.4 * (name.len() as f32 + 1.7 * i as f32).sin(),
    };
    let value = |slot: &crate::graph::Slot| Tensor::from_fn(slot.shape.clone(), |i| number(&slot.name, i));
    TrainedModel {
        name: "made-up".into(),
        task,
        classes: (0..3).map(|k| format!("class {k}")).collect(),
        inputs: Inputs::Image { scale: 1.0 / 255.0, fit: Fit::Crop },
        values: graph.slots().iter().map(|slot| (slot.name.clone(), value(slot))).collect(),
        network,
        temperature: None,
        provenance: Provenance::default(),
    }
}

/// For logits z = W^T x + b and L = -log p_c: dL/dz = p - e_c, dL/dW = x (p - e_c)^T, dL/dx = W (p - e_c).
#[test]
fn softmax_regression_has_the_gradients_of_the_textbook() {
    let model = model(Sequential::new(Input::features(4)).dense(3), Task::Classify);
    let x = [0.5, -1.0, 2.0, 0.25];
    let inside = look_inside(&Machine::new(1), &model, &x, Some(1)).unwrap();
    let names: Vec<&str> = inside.stations.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["features", "dense1", "loss"]);
    let p = &inside.probabilities;
    assert!((inside.loss + p[1].ln()).abs() < 1e-5);
    let error = [p[0], p[1] - 1.0, p[2]];
    let dense = &inside.stations[1];
    let near = |found: &Tensor, expected: &[f32]| {
        assert_eq!(found.data().len(), expected.len());
        for (found, expected) in found.data().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    };
    near(dense.gradient.as_ref().unwrap(), &error);
    let weight = dense.held.iter().find(|held| held.name == "dense1.weight").unwrap();
    let outer: Vec<f32> = x.iter().flat_map(|x| error.map(|e| x * e)).collect();
    near(weight.gradient.as_ref().unwrap(), &outer);
    let back: Vec<f32> =
        weight.value.data().chunks(3).map(|row| row.iter().zip(&error).map(|(w, e)| w * e).sum()).collect();
    near(inside.stations[0].gradient.as_ref().unwrap(), &back);
}

#[test]
fn the_interpreter_sees_the_same_in_a_residual_network() {
    let network = Sequential::new(Input::image(6, 6, 2)).conv(4, 3).batch_norm().relu();
    let network = network.residual(Shortcut::Identity, |f| f.conv(4, 3).batch_norm().relu()).dropout(0.5);
    let model = model(network.max_pool(2).dense(3), Task::Classify);
    let x: Vec<f32> = (0..72).map(|i| (0.3 * i as f32).cos()).collect();
    let inside = look_inside(&Machine::new(1), &model, &x, None).unwrap();
    assert_eq!(inside.class, inside.predicted);
    let (graph, places) = inside_graph(&model).unwrap();
    let state: State = model.values.iter().map(|(name, value)| (name.clone(), value.to_f64())).collect();
    let features = Tensor::new([1, 6, 6, 2], x.iter().map(|&x| f64::from(x)).collect()).unwrap();
    let label = Tensor::filled([1], inside.class.unwrap() as f64);
    let inputs = [("features", &features), ("label", &label)];
    let trace = interpret(&graph, &inputs, &state, Key::default()).unwrap();
    assert_eq!(places.len(), inside.stations.len());
    for (i, station) in inside.stations.iter().enumerate() {
        for (kind, found) in [("value", Some(&station.value)), ("gradient", station.gradient.as_ref())] {
            let expected = trace.output(&format!("{kind} {i}")).unwrap();
            let (found, name) = (found.unwrap().data(), &station.name);
            assert_eq!(found.len(), expected.data().len());
            for (found, expected) in found.iter().zip(expected.data()) {
                let gap = (f64::from(*found) - expected).abs();
                assert!(gap < 1e-4 * (1.0 + expected.abs()), "{kind} of {name}");
            }
        }
        for held in &station.held {
            let learned = !held.name.contains("running");
            assert_eq!(held.gradient.is_some(), learned, "{}", held.name);
        }
    }
    let block = inside.stations.iter().find(|s| s.name == "residual1").unwrap();
    let taken: Vec<&str> = block.inputs.iter().map(|&i| inside.stations[i].name.as_str()).collect();
    assert_eq!(taken, ["residual1/relu1", "relu1"]);
    assert!(!inside.stations.iter().any(|s| s.name == "dropout1"), "it rests");
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = model(Sequential::new(Input::features(4)).dense(3), Task::Classify);
    let machine = Machine::new(1);
    assert!(matches!(
        look_inside(&machine, &model, &[0.0; 3], None),
        Err(InsideError::Features { found: 3, .. })
    ));
    let error = look_inside(&machine, &model, &[0.0; 4], Some(7)).unwrap_err();
    assert_eq!(error, InsideError::Class { found: 7, count: 3 });
}
