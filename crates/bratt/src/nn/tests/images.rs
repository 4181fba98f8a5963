//! Layers over images through the reference interpreter.

use super::{assert_close, graph_of, numbers, run, start};
use crate::graph::Init;
use crate::nn::*;
use crate::tensor::Tensor;

/// One network for each kind of layer and setting.
pub(super) fn each_kind() -> Vec<Sequential> {
    let image = || Sequential::new(Input::image(5, 4, 2));
    let sides = Padding::Sides { top: 1, bottom: 0, left: 0, right: 2 };
    vec![
        image().conv(3, 3),
        image().layer(Conv2d { padding: Padding::Valid, stride: [2, 1].into(), ..Conv2d::new(2, [3, 2]) }),
        image().layer(Conv2d { padding: sides, dilation: 2.into(), groups: 2, ..Conv2d::new(4, 2) }),
        image().layer(Conv2d { padding: Padding::Around(2), stride: 2.into(), ..Conv2d::new(2, 3) }),
        image().layer(Conv2d { bias: Some(false), init: Some(Initializer::HeUniform), ..Conv2d::new(1, 1) }),
        image().conv(2, 3).batch_norm().relu().max_pool(2).dense(2),
        image().max_pool(2),
        image().layer(MaxPool2d { stride: Some(1.into()), padding: sides, ..MaxPool2d::new([2, 3]) }),
        image().avg_pool([2, 1]),
        image().layer(AvgPool2d { stride: Some(2.into()), padding: Padding::Same, ..AvgPool2d::new(3) }),
        image().global_average_pool(),
        image().conv(3, 3).relu().global_average_pool().dense(2),
    ]
}

#[test]
fn an_image_convolved_with_a_blurring_kernel() {
    let network = Sequential::new(Input::image(3, 3, 1)).conv(1, 3);
    let graph = graph_of(&network, 1, Mode::Inference);
    let mut state = start(&graph);
    state.insert("conv2d1.weight".into(), Tensor::filled([3, 3, 1, 1], 1.0));
    state.insert("conv2d1.bias".into(), Tensor::filled([1], 0.5));
    let x = Tensor::from_fn([1, 3, 3, 1], |i| i as f64);
    // Sums of the neighbours of 0 1 2 / 3 4 5 / 6 7 8, zero outside, and 1/2.
    let expected = [8.5, 15.5, 12.5, 21.5, 36.5, 27.5, 20.5, 33.5, 24.5];
    assert_close(&run(&graph, &x, &state, 0).0, &expected);
}

#[test]
fn pooling_of_one_image() {
    let x = Tensor::from_fn([1, 2, 5, 1], |i| ((3 * i) % 7) as f64);
    // 0 3 6 2 5 / 1 4 0 3 6; the last column is left over.
    let pooled =
        |network: Sequential| run(&graph_of(&network, 1, Mode::Training), &x, &Default::default(), 0).0;
    let image = || Sequential::new(Input::image(2, 5, 1));
    assert_close(&pooled(image().max_pool(2)), &[4.0, 6.0]);
    assert_close(&pooled(image().avg_pool(2)), &[2.0, 2.75]);
    assert_close(&pooled(image().global_average_pool()), &[3.0]);
    let same = AvgPool2d { padding: Padding::Same, ..AvgPool2d::new(2) };
    // Padding counts as zeros.
    assert_close(&pooled(image().layer(same)), &[2.0, 2.75, 2.75]);
}

#[test]
fn global_pooling_is_the_mean_of_the_pixels() {
    let network = Sequential::new(Input::image(3, 4, 2)).global_average_pool();
    let x = numbers([2, 3, 4, 2], 0.3);
    let found = run(&graph_of(&network, 2, Mode::Inference), &x, &Default::default(), 0).0;
    let mean = |n: usize, c: usize| (0..12).map(|p| x.data()[n * 24 + 2 * p + c]).sum::<f64>() / 12.0;
    assert_close(&found, &[mean(0, 0), mean(0, 1), mean(1, 0), mean(1, 1)]);
}

#[test]
fn defaults_of_convolution_depend_on_what_follows() {
    let network = Sequential::new(Input::image(8, 8, 2))
        .conv(4, 3)
        .batch_norm()
        .relu()
        .layer(Conv2d { groups: 2, ..Conv2d::new(6, 5) })
        .max_pool(2)
        .relu()
        .conv(3, 1)
        .tanh();
    let graph = graph_of(&network, 2, Mode::Training);
    let init = |name: &str| graph.slots().iter().find(|s| s.name == name).map(|s| s.init.clone());
    assert_eq!(init("conv2d1.weight"), Some(Init::Normal((2.0f64 / 18.0).sqrt() as f32)));
    assert_eq!(init("conv2d1.bias"), None, "batch norm would undo it");
    assert_eq!(init("conv2d2.weight"), Some(Init::Normal((2.0f64 / 50.0).sqrt() as f32)));
    assert_eq!(init("conv2d3.weight"), Some(Init::Uniform((6.0f64 / 9.0).sqrt() as f32)));
    assert_eq!(init("conv2d3.bias"), Some(Init::Constant(0.0)));
}

#[test]
fn wrong_layers_over_images_are_named() {
    let message = |network: Sequential| network.shapes().expect_err("a wrong network").to_string();
    let image = || Sequential::new(Input::image(4, 4, 3));
    assert_eq!(
        message(Sequential::new(Input::features(4)).conv(3, 3)),
        "layer `conv2d1` (conv2d): found examples of shape [4], expected images [height, width, channels]"
    );
    assert!(message(image().conv(0, 3)).contains("found channels = 0, expected at least 1"));
    assert!(message(image().conv(2, 0)).contains("found kernel [0, 0], expected at least 1"));
    let grouped = Conv2d { groups: 2, ..Conv2d::new(4, 3) };
    assert!(
        message(image().layer(grouped)).contains("found 3 input channels, expected a multiple of 2 groups")
    );
    assert!(message(image().max_pool(5)).contains("layer `max_pool2d1`"), "{}", message(image().max_pool(5)));
    assert!(message(image().max_pool(5)).contains("expected at least the window's 5"));
    let padded =
        MaxPool2d { padding: Padding::Sides { top: 2, bottom: 0, left: 0, right: 0 }, ..MaxPool2d::new(2) };
    assert!(message(image().layer(padded)).contains("expected less than the kernel"));
    for wrong in [
        r#"{"input":[4,4,1],"layers":[{"name":"a","type":"conv2d","channels":3}]}"#,
        r#"{"input":[4,4,1],"layers":[{"name":"a","type":"conv2d","channels":3,"kernel":3,"padding":"full"}]}"#,
        r#"{"input":[4,4,1],"layers":[{"name":"a","type":"max_pool2d","kernel":3,"dilation":2}]}"#,
    ] {
        assert!(serde_json::from_str::<Sequential>(wrong).is_err(), "{wrong}");
    }
}
