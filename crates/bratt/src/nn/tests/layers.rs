//! Networks read from lists of layers.

use crate::nn::models::{by_name, from_toml};
use crate::nn::*;

fn read(layers: &str) -> Result<Model, NnError> {
    from_toml("mine", &format!("layers = [{layers}]"), &[6, 6, 2], 3)
}

fn message(layers: &str) -> String {
    read(layers).expect_err("a wrong list").to_string()
}

#[test]
fn the_example_is_the_network_of_its_name() {
    let text = include_str!("../../../examples/resnet20.toml");
    let model = from_toml("resnet20", text, &[32, 32, 3], 10).expect("the example");
    assert_eq!(model, by_name("resnet20", &[32, 32, 3], 10).expect("known"));
}

#[test]
fn every_setting_can_be_written() {
    let model = read(
        r#"
        { type = "conv2d", channels = 4, kernel = [3, 2], stride = 2, padding = "valid", name = "first" },
        { type = "residual", shortcut = [{ type = "conv2d", channels = 6, kernel = 1, init = "he_uniform" }], layers = [
            { type = "conv2d", channels = 6, kernel = 3, padding = { sides = { top = 2, left = 1, right = 1 } } },
            { type = "repeat", times = 2, layers = [{ type = "relu6" }] },
        ] },
        { type = "repeat", times = 2, layers = [{ type = "leaky_relu", slope = 0.2 }, { type = "dropout", drop = 0.5 }] },
        { type = "global_avg_pool" },
        { type = "dense", units = "classes" }"#,
    );
    let sides = Padding::Sides { top: 2, bottom: 0, left: 1, right: 1 };
    let expected = Sequential::new(Input::image(6, 6, 2))
        .layer(Conv2d { stride: 2.into(), padding: Padding::Valid, ..Conv2d::new(4, [3, 2]) })
        .named("first")
        .residual_with(
            |s| s.layer(Conv2d { init: Some(Initializer::HeUniform), ..Conv2d::new(6, 1) }),
            |f| f.layer(Conv2d { padding: sides, ..Conv2d::new(6, 3) }).relu6().relu6(),
        )
        .leaky_relu(0.2)
        .dropout(0.5)
        .leaky_relu(0.2)
        .dropout(0.5)
        .global_average_pool()
        .dense(3);
    assert_eq!(model.expect("correct").network, expected);
}

#[test]
fn mistakes_are_named_by_place_and_key() {
    for (layers, expected) in [
        ("{ type = \"conv\" }", "layers 1 (conv): no such type; did you mean `conv2d`?"),
        ("{ type = \"relu\" }, { kind = \"relu\" }", "layers 2: `type` is missing"),
        ("{ type = \"relu\" }, 3", "layers 2: found integer, expected a table with `type`"),
        (
            "{ type = \"conv2d\", chanels = 3, kernel = 3 }",
            "layers 1 (conv2d): unknown key `chanels`; did you mean `channels`?",
        ),
        ("{ type = \"conv2d\", channels = 3 }", "layers 1 (conv2d): `kernel` is missing"),
        ("{ type = \"repeat\", times = 0, layers = [] }", "layers 1 (repeat): found times = 0"),
        ("{ type = \"repeat\", times = 3, layers = [] }", "layers 1 (repeat): found no layers"),
        ("{ type = \"repeat\", layer = [] }", "layers 1 (repeat): `times` is missing"),
        (
            "{ type = \"residual\", layer = [{ type = \"relu\" }] }",
            "layers 1 (residual): `layers` is missing; found `layer`",
        ),
        (
            "{ type = \"residual\", shortcut = \"subsampled\", layers = [] }",
            "layers 1 (residual): no shortcut is named `subsampled`; did you mean `subsample`?",
        ),
        (
            "{ type = \"residual\", layers = [{ type = \"relu\" }, { type = \"elu\", alfa = 1 }] }",
            "layers 1.2 (elu): unknown key `alfa`; did you mean `alpha`?",
        ),
        (
            "{ type = \"residual\", shortcut = [{ type = \"rely\" }], layers = [{ type = \"relu\" }] }",
            "layers 1.shortcut.1 (rely): no such type; did you mean `relu`?",
        ),
        (
            "{ type = \"residual\", layers = [{ type = \"conv2d\", channels = 5, kernel = 3 }] }",
            "layer `residual1` (residual): its layers make [6, 6, 5] of [6, 6, 2], expected the same shape",
        ),
        ("{ type = \"relu\", name = \"a\" }, { type = \"relu\", name = \"a\" }", "two layers are named `a`"),
        (
            "{ type = \"global_avg_pool\" }",
            "layer `global_avg_pool1` (global_avg_pool): found [2] as the last result, expected [3]",
        ),
        ("", "layers: found none"),
    ] {
        let found = message(layers);
        assert!(found.starts_with(expected), "found {found:?}, expected {expected:?}");
    }
    let text = message("{ type = \"conv2d\", channels = \"many\", kernel = 3 }");
    assert!(text.contains("string \"many\"") && text.contains("`channels`"), "{text}");
    let text = message("{ type = \"conv2d\", channels = -3, kernel = 3 }");
    assert!(text.contains("-3") && text.contains("`channels`"), "{text}");
    let text = message("{ type = \"max_pool2d\", kernel = \"big\" }");
    assert!(text.contains("expected a number, or height and width") && text.contains("`kernel`"), "{text}");
    let text = message("{ type = \"conv2d\", channels = 3, kernel = 3, padding = \"full\" }");
    assert!(text.contains("\"same\"") && text.contains("`padding`"), "{text}");

    let whole = |text: &str| from_toml("mine", text, &[4], 3).expect_err("a wrong file").to_string();
    assert!(whole("layers = [\n{ type = }\n]").starts_with("line 2: not valid TOML: "));
    assert_eq!(whole("layer = []"), "the file: `layers` is missing; found `layer`");
    assert_eq!(whole("layers = []\ninput = [3]"), "the file: unknown key `input`; known are `layers`");
    assert_eq!(whole("layers = 3"), "layers: found integer, expected a list of tables");
    let many = r#"layers = [{ type = "repeat", times = 1000000, layers = [{ type = "relu" }] }]"#;
    assert!(whole(many).contains("more than 10000 layers"));
}
