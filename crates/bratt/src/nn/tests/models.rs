//! Networks by name.

use crate::nn::*;

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
fn lenet_has_the_parameters_of_its_paper_with_full_connections() {
    let model = models::by_name("lenet", &[28, 28, 1], 10).expect("known");
    let summary = model.network.summary().expect("correct");
    // The paper's second convolution is sparse (1,516); fully connected it has 5 5 6 16 + 16.
    assert_eq!(summary.parameters(), 156 + 2416 + 48_120 + 10_164 + 850);
    let shapes = model.network.shapes().expect("correct");
    assert!(
        [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16]].iter().all(|s| shapes.contains(&s[..].into()))
    );
    assert!(models::by_name("lenet", &[8, 8, 1], 10).is_ok(), "small digits, too");
    let error = models::by_name("lenet", &[13], 3).expect_err("no images");
    assert!(error.to_string().contains("expected images"), "{error}");
}

/// The number of trainable numbers of a network for images.
fn parameters(name: &str, input: &[usize], classes: usize) -> usize {
    let model = models::by_name(name, input, classes).expect("known");
    model.network.summary().expect("correct").parameters()
}

#[test]
fn networks_have_as_many_parameters_as_published() {
    // With batch norm's gamma and beta; shortcuts of the CIFAR form have none.
    for (name, expected) in
        [("resnet20", 269_722), ("resnet32", 464_154), ("resnet44", 658_586), ("resnet56", 853_018)]
    {
        assert_eq!(parameters(name, &[32, 32, 3], 10), expected, "{name}");
    }
    for (name, expected) in [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("mobilenet-v2", 3_504_872),
        ("efficientnet-lite0", 4_652_008),
    ] {
        assert_eq!(parameters(name, &[224, 224, 3], 1000), expected, "{name}");
    }
}

#[test]
fn networks_cost_as_many_multiply_adds_as_published() {
    // Published figures count multiply-adds of convolutions and the dense layer.
    for (name, input, classes, expected) in [
        ("resnet20", [32, 32, 3], 10, 40.8e6),
        ("resnet18", [224, 224, 3], 1000, 1.814e9),
        ("resnet50", [224, 224, 3], 1000, 4.089e9),
        ("mobilenet-v2", [224, 224, 3], 1000, 300.8e6),
    ] {
        let model = models::by_name(name, &input, classes).expect("known");
        let summary = model.network.summary().expect("correct");
        let products = summary.rows.iter().filter(|row| ["conv2d", "dense"].contains(&row.kind));
        let found = products.map(|row| row.flops).sum::<u64>() as f64 / 2.0;
        assert!((found / expected - 1.0).abs() < 0.02, "{name}: {found:e}, expected {expected:e}");
    }
}

#[test]
fn networks_for_images_take_any_size() {
    for name in models::NAMES.iter().skip_while(|&&name| name != "convnet-s") {
        for input in [[1, 1, 1], [8, 8, 1], [28, 28, 1], [33, 47, 3], [96, 64, 4]] {
            let model = models::by_name(name, &input, 5).expect(name);
            assert_eq!(model.network.output_shape().expect(name)[..], [5]);
        }
        let error = models::by_name(name, &[13], 3).expect_err("no images").to_string();
        assert!(error.contains("layer `conv2d1`") && error.contains("expected images"), "{error}");
    }
}

#[test]
fn small_images_reach_the_last_layers_with_a_few_pixels() {
    let last_pixels = |name: &str, side: usize| {
        let network = models::by_name(name, &[side, side, 3], 10).expect(name).network;
        let shapes = network.shapes().expect(name);
        shapes.iter().rfind(|shape| shape.rank() == 3).map(|shape| shape[0])
    };
    for (name, side, expected) in [
        ("mobilenet-v2", 224, 7),
        ("mobilenet-v2", 64, 4),
        ("efficientnet-lite0", 32, 4),
        ("resnet18", 224, 7),
        ("resnet18", 32, 4),
        ("convnet-s", 28, 7),
        ("convnet-s", 224, 7),
        ("convnet-s", 96, 12),
    ] {
        assert_eq!(last_pixels(name, side), Some(expected), "{name} {side}");
    }
}
