//! The methods against what can be worked out without them.

use super::*;
use crate::data::Fit;
use crate::exec::{Key, Machine, interpret};
use crate::model::{Inputs, Provenance, TrainedModel, inference_graph};
use crate::nn::{Conv2d, Input, Sequential, Standardize, Task, models};
use crate::tensor::Tensor;

/// A model with made-up numbers.
fn model(network: Sequential, task: Task) -> TrainedModel {
    let graph = inference_graph(&network, task, 1).unwrap();
    let number = |name: &str, i: usize| match name.rsplit('.').next() {
        Some("running_variance" | "std" | "gamma") => 0.5 + 0.01 * (i % 7) as f32,
        Some("bias" | "beta") => 0.05 * (1.0 + 1.3 * i as f32).sin(),
        _ => 0.4 * (name.len() as f32 + 1.7 * i as f32).sin(),
    };
    let tensor = |slot: &crate::graph::Slot| Tensor::from_fn(slot.shape.clone(), |i| number(&slot.name, i));
    let values = graph.slots().iter().map(|slot| (slot.name.clone(), tensor(slot))).collect();
    let classes = match task {
        Task::Classify => network.output_shape().unwrap()[0],
        Task::Binary => 2,
        Task::Regress => 0,
    };
    TrainedModel {
        name: "made-up".into(),
        network,
        task,
        classes: (0..classes).map(|k| format!("class {k}")).collect(),
        inputs: Inputs::Image { scale: 1.0 / 255.0, fit: Fit::Crop },
        values,
        temperature: None,
        provenance: Provenance::default(),
    }
}

fn image(shape: [usize; 3]) -> Vec<f32> {
    (0..shape.iter().product()).map(|i| 0.5 + 0.5 * (0.9 * i as f32).sin()).collect()
}

fn start(shape: [usize; 3]) -> Sequential {
    Sequential::new(Input::shape(&shape))
}

/// Smooth everywhere.
fn smooth(shape: [usize; 3]) -> Sequential {
    start(shape).conv(4, 3).tanh().avg_pool(2).conv(5, 3).tanh().dense(3)
}

/// As networks are.
fn usual(shape: [usize; 3]) -> Sequential {
    start(shape)
        .conv(6, 3)
        .batch_norm()
        .relu()
        .max_pool(2)
        .conv(8, 3)
        .relu()
        .max_pool(2)
        .dense(10)
        .relu()
        .dense(4)
}

fn all_methods() -> [Method; 4] {
    [
        Method::Gradient,
        Method::SmoothGrad(SmoothGrad { samples: 20, ..SmoothGrad::default() }),
        Method::IntegratedGradients(IntegratedGradients::default()),
        Method::GradCam,
    ]
}

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0f32, |a, x| a.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * size, "{i}: {a} and {b}");
    }
}

#[test]
fn the_gradient_of_a_linear_model_is_its_weights() {
    for channels in [1, 3] {
        let shape = [4, 5, channels];
        let model = model(models::by_name("softmax", &shape, 3).unwrap().network, Task::Classify);
        let weight = model.values["dense1.weight"].data();
        let mut explainer = Explainer::new(&model).unwrap();
        for class in 0..3 {
            let explanation = explainer.explain(&Method::Gradient, &image(shape), Some(class)).unwrap();
            let size = |pixel: usize| {
                (0..channels).map(|c| weight[(pixel * channels + c) * 3 + class].abs()).fold(0.0, f32::max)
            };
            let expected: Vec<f32> = (0..20).map(size).collect();
            assert_eq!(explanation.map.values(), expected, "class {class} of {shape:?}");
        }
    }
}

#[test]
fn what_each_pixel_adds_to_a_linear_score_is_weight_times_pixel() {
    let shape = [3, 3, 1];
    let model = model(models::by_name("softmax", &shape, 2).unwrap().network, Task::Classify);
    let x = image(shape);
    let method = Method::IntegratedGradients(IntegratedGradients { steps: 3, ..Default::default() });
    let explanation = Explainer::new(&model).unwrap().explain(&method, &x, Some(1)).unwrap();
    let weight = model.values["dense1.weight"].data();
    let expected: Vec<f32> = (0..9).map(|i| weight[2 * i + 1] * x[i]).collect();
    close(explanation.map.values(), &expected, 1e-6);
    assert!(explanation.map.is_signed() && explanation.completeness.unwrap().gap() < 1e-5);
}

#[test]
fn attributions_add_up_to_the_change_of_the_score() {
    for shape in [[8, 8, 1], [8, 6, 3]] {
        for (network, steps, tolerance) in [(smooth(shape), 64, 1e-4), (usual(shape), 1024, 0.02)] {
            let model = model(network, Task::Classify);
            let mut explainer = Explainer::new(&model).unwrap();
            let method = Method::IntegratedGradients(IntegratedGradients { steps, ..Default::default() });
            for class in 0..3 {
                let explanation = explainer.explain(&method, &image(shape), Some(class)).unwrap();
                let completeness = explanation.completeness.unwrap();
                // Scores are f32: a change that is nearly nothing is not known to four digits.
                let whole = (completeness.score - completeness.baseline).abs().max(0.1);
                let gap = (completeness.sum - (completeness.score - completeness.baseline)).abs();
                assert!(gap < tolerance * whole, "{class} of {shape:?}: {completeness:?}");
                assert!(
                    (explanation.map.sum() - completeness.sum).abs() < 1e-5 * completeness.sum.abs().max(1.0)
                );
                assert!((completeness.score - f64::from(explanation.score)).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn the_mean_image_is_where_standardised_networks_count_from() {
    let shape = [8, 8, 3];
    let network = smooth(shape).preceded_by(Standardize::per_channel(
        Tensor::new([3], vec![0.5, 0.4, 0.3]).unwrap(),
        Tensor::filled([3], 0.25),
    ));
    let mut with_mean = model(network, Task::Classify);
    with_mean.values.insert("standardize1.mean".into(), Tensor::new([3], vec![0.5, 0.4, 0.3]).unwrap());
    let settings = IntegratedGradients { baseline: Baseline::Mean, ..Default::default() };
    let method = Method::IntegratedGradients(settings);
    let mut explainer = Explainer::new(&with_mean).unwrap();
    let mean: Vec<f32> = [0.5, 0.4, 0.3].repeat(64);
    let at_mean = explainer.explain(&method, &mean, Some(0)).unwrap();
    assert!(at_mean.map.values().iter().all(|&x| x == 0.0) && at_mean.completeness.unwrap().gap() == 0.0);
    let explanation = explainer.explain(&method, &image(shape), Some(0)).unwrap();
    let completeness = explanation.completeness.unwrap();
    assert!(completeness.gap() < 1e-3, "{completeness:?}");
    assert_eq!(completeness.baseline as f32, at_mean.score);

    let error = Explainer::new(&model(smooth(shape), Task::Classify)).unwrap().explain(&method, &mean, None);
    assert!(matches!(error, Err(ExplainError::NoMean)));
}

#[test]
fn grad_cam_of_a_network_that_can_be_worked_out_by_hand() {
    // Two channels, x and 1 - 2x, of which the second is cut off at 0; the mean over 4 pixels; one dense layer.
    let network = start([2, 2, 1]).layer(Conv2d::new(2, 1)).relu().global_average_pool().dense(2);
    let mut model = model(network, Task::Classify);
    let mut set = |name: &str, shape: &[usize], values: &[f32]| {
        model.values.insert(name.into(), Tensor::new(shape, values.to_vec()).unwrap());
    };
    set("conv2d1.weight", &[1, 1, 1, 2], &[1.0, -2.0]);
    set("conv2d1.bias", &[2], &[0.0, 1.0]);
    set("dense1.weight", &[2, 2], &[4.0, -1.0, -2.0, 3.0]);
    set("dense1.bias", &[2], &[0.0, 0.0]);
    let x = [0.0, 0.25, 0.5, 1.0];
    // Channels: [0, 1/4, 1/2, 1] and [1, 1/2, 0, 0]. Weights of class 0: 4/4 and -2/4; of class 1: -1/4 and 3/4.
    let mut explainer = Explainer::new(&model).unwrap();
    assert_eq!(explainer.feature_map().unwrap().name, "relu1");
    let mut cam = |class| explainer.explain(&Method::GradCam, &x, Some(class)).unwrap();
    assert_eq!(cam(0).map.values(), [0.0, 0.0, 0.5, 1.0]);
    assert_eq!(cam(1).map.values(), [0.75, 0.3125, 0.0, 0.0]);
    assert_eq!(cam(0).score, 4.0 * 1.75 / 4.0 - 2.0 * 1.5 / 4.0);
}

#[test]
fn the_executor_agrees_with_the_interpreter() {
    for shape in [[12, 12, 1], [10, 12, 3]] {
        let model = model(usual(shape), Task::Classify);
        let map = feature_map(&model.network).unwrap();
        assert_eq!((map.name.as_str(), map.size), ("relu2", [shape[0] / 2, shape[1] / 2]));
        let graph = explanation_graph(&model.network, Task::Classify, Some(&map), 1).unwrap();
        let x = image(shape);
        let batch = [vec![1], shape.to_vec()].concat();
        let features = Tensor::from_fn(batch, |i| f64::from(x[i]));
        let selector = Tensor::new([1, 4], vec![0.0, 0.0, 1.0, 0.0]).unwrap();
        let state = model.values.iter().map(|(name, value)| (name.clone(), value.to_f64())).collect();
        let inputs = [("features", &features), ("selector", &selector)];
        let trace = interpret(&graph, &inputs, &state, Key::default()).unwrap();
        let exact = |name: &str| trace.output(name).unwrap().to_f32();

        let mut explainer = Explainer::new(&model).unwrap();
        let cam = explainer.class_activation(2, &x);
        assert!(cam.iter().any(|&x| x > 0.0));
        close(&cam, exact("grad_cam").data(), 1e-4);
        let mut gradient = Vec::new();
        explainer.gradients(2, 1, |_, to| to.copy_from_slice(&x), |_, _, dx| gradient = dx.to_vec());
        close(&gradient, exact("gradient").data(), 1e-4);
        let explanation = explainer.explain(&Method::Gradient, &x, Some(2)).unwrap();
        close(&[explanation.score], exact("scores").data(), 1e-4);
        close(&explanation.prediction.unwrap().probabilities, exact("probabilities").data(), 1e-4);
    }
}

#[test]
fn smoothing_without_noise_changes_nothing_and_noise_comes_from_the_seed() {
    let shape = [9, 8, 3];
    let mut explainer = Explainer::new(&model(usual(shape), Task::Classify)).unwrap();
    let x = image(shape);
    let gradient = explainer.explain(&Method::Gradient, &x, None).unwrap();
    let mut smooth = |samples, noise, seed| {
        let method = Method::SmoothGrad(SmoothGrad { samples, noise, seed });
        explainer.explain(&method, &x, None).unwrap().map
    };
    for samples in [1, 5, 20] {
        close(smooth(samples, 0.0, 1).values(), gradient.map.values(), 1e-5);
    }
    let noisy = smooth(20, 0.1, 1);
    assert_eq!(noisy, smooth(20, 0.1, 1));
    assert_ne!(noisy, smooth(20, 0.1, 2));
    assert_ne!(noisy, gradient.map);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for shape in [[16, 16, 1], [14, 16, 3]] {
        let model = model(usual(shape), Task::Classify);
        let mut one = Explainer::on(&Machine::new(1), &model).unwrap();
        let mut three = Explainer::on(&Machine::new(3), &model).unwrap();
        for method in all_methods() {
            let bits = |explainer: &mut Explainer| -> Vec<u32> {
                let explanation = explainer.explain(&method, &image(shape), None).unwrap();
                explanation.map.values().iter().map(|x| x.to_bits()).collect()
            };
            assert_eq!(bits(&mut one), bits(&mut three), "{}", method.name());
        }
    }
}

#[test]
fn with_one_logit_what_speaks_for_one_class_speaks_against_the_other() {
    let shape = [6, 6, 1];
    let network = start(shape).conv(3, 3).tanh().dense(1);
    let mut explainer = Explainer::new(&model(network, Task::Binary)).unwrap();
    let method = Method::IntegratedGradients(IntegratedGradients::default());
    let mut of = |class| explainer.explain(&method, &image(shape), Some(class)).unwrap();
    let (no, yes) = (of(0), of(1));
    assert_eq!(no.score, -yes.score);
    let negated: Vec<f32> = no.map.values().iter().map(|x| -x).collect();
    assert_eq!(negated, yes.map.values());
    let prediction = yes.prediction.unwrap();
    assert_eq!(prediction.class, usize::from(yes.score > 0.0));
    assert!(matches!(of_class(&mut explainer, 2), Err(ExplainError::Class { found: 2, count: 2 })));
}

fn of_class(explainer: &mut Explainer, class: usize) -> Result<Explanation, ExplainError> {
    explainer.explain(&Method::Gradient, &image([6, 6, 1]), Some(class))
}

#[test]
fn a_number_can_be_explained_as_well() {
    let shape = [6, 6, 1];
    let mut explainer =
        Explainer::new(&model(start(shape).conv(3, 3).tanh().dense(2), Task::Regress)).unwrap();
    let explanation = explainer.explain(&Method::GradCam, &image(shape), None).unwrap();
    assert_eq!((explanation.prediction, explanation.class), (None, 0));
    assert!(matches!(of_class(&mut explainer, 2), Err(ExplainError::Class { found: 2, count: 2 })));
}

#[test]
fn known_networks_have_the_map_that_one_would_take() {
    let found = |name: &str, shape: [usize; 3]| {
        let network = models::by_name(name, &shape, 10).unwrap().network;
        feature_map(&network).map(|map| (map.name, map.size))
    };
    assert_eq!(found("lenet", [28, 28, 1]).unwrap(), ("relu2".into(), [10, 10]));
    assert_eq!(found("convnet-s", [32, 32, 3]).unwrap(), ("relu6".into(), [8, 8]));
    assert_eq!(found("resnet20", [32, 32, 3]).unwrap().1, [8, 8]);
    assert_eq!(found("resnet18", [224, 224, 3]).unwrap().1, [7, 7]);
    assert_eq!(found("mobilenet-v2", [224, 224, 3]).unwrap().1, [7, 7]);
    assert!(found("mlp", [28, 28, 1]).unwrap_err().contains("no convolution"));
    let single = start([4, 4, 1]).conv(2, 3).max_pool(4).conv(2, 1).dense(2);
    assert!(feature_map(&single).unwrap_err().contains("`conv2d2`, is a single pixel"));
}

#[test]
fn what_cannot_be_explained_says_why() {
    let shape = [6, 6, 1];
    let mut explainer = Explainer::new(&model(start(shape).dense(4), Task::Classify)).unwrap();
    let error = explainer.explain(&Method::GradCam, &image(shape), None).unwrap_err().to_string();
    assert!(error.contains("no convolution") && error.contains("integrated gradients"), "{error}");
    let error = explainer.explain(&Method::Gradient, &[0.0; 35], None).unwrap_err().to_string();
    assert_eq!(error, "found 35 numbers, expected the 36 of an image of shape [6, 6, 1]");
    for method in [
        Method::SmoothGrad(SmoothGrad { samples: 0, ..Default::default() }),
        Method::SmoothGrad(SmoothGrad { noise: f64::NAN, ..Default::default() }),
        Method::IntegratedGradients(IntegratedGradients { steps: 0, ..Default::default() }),
    ] {
        let error = explainer.explain(&method, &image(shape), None).unwrap_err();
        assert!(matches!(error, ExplainError::Setting { .. }), "{method:?}");
    }
    let table = model(Sequential::new(Input::features(36)).dense(2), Task::Classify);
    assert!(matches!(Explainer::new(&table), Err(ExplainError::NotImages { .. })));
    assert!(matches!(filters(&table), Err(ExplainError::NotImages { .. })));
}

#[test]
fn filters_are_tiles_of_the_first_weights() {
    let model_of = |name: &str, shape: [usize; 3]| {
        model(models::by_name(name, &shape, 10).unwrap().network, Task::Classify)
    };
    let lenet = filters(&model_of("lenet", [28, 28, 1])).unwrap();
    assert_eq!((lenet.layer.as_str(), lenet.count, lenet.size), ("conv2d1", 6, [5, 5]));
    // Kernels of 5x5, nine times as large, between gaps of 4: two rows of three.
    assert_eq!((lenet.picture.height(), lenet.picture.width()), (2 * 49 + 4, 3 * 49 + 4));
    let softmax = model_of("softmax", [8, 8, 1]);
    let shown = filters(&softmax).unwrap();
    assert_eq!((shown.shown, shown.size), (10, [8, 8]));
    let weight = softmax.values["dense1.weight"].data();
    let largest = (0..64).map(|i| weight[10 * i].abs()).fold(0.0, f32::max);
    assert_eq!(shown.picture.at(4, 4), color::balance(weight[0] / largest));
    let many = filters(&model_of("mlp", [28, 28, 1])).unwrap();
    assert_eq!((many.shown, many.count), (144, 512));
    let deep = start([8, 8, 1]).max_pool(2).dense(3);
    let error = filters(&model(deep, Task::Classify)).unwrap_err().to_string();
    assert!(error.contains("`dense1` has weights [16, 3], expected one for each of the 64"), "{error}");
}
