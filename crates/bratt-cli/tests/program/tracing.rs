//! Formulas: their numbers, their pictures, their gradients against differences.

use super::browser;
use super::common::Place;
use serde_json::{Value, json};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Clicks the card of the first convolution, enlarges the drawing, and closes what the card has opened.
const OPEN: &str = r#"
addEventListener('load', () => {
  const title = () => document.querySelector('aside:not([hidden]) section:not([hidden]) h2')?.textContent ?? null;
  const before = title();
  const card = [...document.querySelectorAll('.card')].find((card) => card.querySelector('b').textContent === 'conv2d1');
  card.click();
  const pictures = [...document.querySelectorAll('section:not([hidden]) .large img')]
    .filter((image) => image.naturalWidth > 0 && image.getBoundingClientRect().width > 100).length;
  const wide = card.getBoundingClientRect().width;
  const opened = title();
  document.getElementById('in').click();
  const larger = card.getBoundingClientRect().width > wide;
  dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
  note({ before, title: opened, pictures, larger, closed: title() === null });
});
"#;

#[test]
fn the_circuit_of_the_lecture_as_table_json_and_picture() {
    let place = Place::new();
    let out = place.bratt("trace (x+y)*z x=-2 y=5 z=-4").good();
    assert!(out.lines().any(|line| line.split_whitespace().eq(["add", "x+y", "scalar", "3", "-4"])), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    for precision in ["f64", "f32"] {
        let out = place.bratt(&format!("trace (x+y)*z x=-2 y=5 z=-4 --json --precision {precision}")).good();
        let nodes = json(&out)["nodes"].as_array().unwrap().clone();
        let z = nodes.iter().find(|node| node["name"] == "z").unwrap();
        assert_eq!((&z["value"], &z["gradient"]), (&serde_json::json!([-4.0]), &serde_json::json!([3.0])));
    }
    place.bratt("trace (x+y)*z x=-2 y=5 z=-4 --svg a.svg --html a.html").good();
    assert!(std::fs::read_to_string(place.path("a.svg")).unwrap().contains(">-12</text>"));
    assert!(std::fs::read_to_string(place.path("a.html")).unwrap().contains("<table>"));
}

#[test]
fn the_list_shows_attributes_and_defaults() {
    let out = Place::new().bratt("trace --list").good();
    assert!(out.contains("conv2d(x, w, stride=1, padding=0, dilation=1, groups=1)"), "{out}");
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let place = Place::new();
    place.bratt("trace 1+sofmax(x) x=1").fails(2, &["column 3", "  ^~~~~~", "did you mean `softmax`?"]);
    place.bratt("trace x+1 x=absent.npy").fails(3, &["absent.npy"]);
}

#[test]
fn gradients_are_checked_and_the_exit_code_tells() {
    let place = Place::new();
    let out = place.bratt("gradcheck sum(tanh(x@w)) x=[1,2;3,4] w=[1,-1;0.5,0.25] --json").good();
    assert_eq!(json(&out)["good"], true);
    assert_eq!(json(&out)["entries"][1]["name"], "w");
    let ran = place.bratt("gradcheck relu(x) x=[1,0] --json");
    assert_eq!(ran.code, Some(1));
    assert_eq!(json(&ran.out)["entries"][0]["place"][0], 1, "{}", ran.out);
}

#[test]
fn the_gradients_of_a_trained_model_are_the_differences() {
    let place = Place::new();
    place.bratt("train --model lenet --epochs 1 --seed 1 --name a").good();
    let out = place.bratt("gradcheck runs/a --samples 2 --json").good();
    let out = json(&out);
    assert_eq!(out["good"], true, "{out}");
    assert!(
        out["entries"].as_array().unwrap().iter().any(|entry| entry["name"] == "conv2d1.weight"),
        "{out}"
    );
}

#[test]
fn a_model_and_an_image_are_traced_layer_by_layer() {
    let place = Place::new();
    place.bratt("train --model lenet --epochs 1 --seed 1 --name a").good();
    let out = place.bratt("trace runs/a runs/a/sample.png").good();
    assert!(out.lines().any(|line| line.starts_with("conv2d1") && line.contains("x6")), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    // The same class as when predicting.
    let label = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    let predicted = place.bratt("predict runs/a runs/a/sample.png").good();
    assert_eq!(label(out.lines().next().unwrap()), label(predicted.lines().next().unwrap()), "{out}");
    let out =
        place.bratt("trace runs/a/model.safetensors runs/a/sample.png --class 3 --json --values").json();
    let p: Vec<f64> = out["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    assert_eq!((p.len(), &out["class"]), (10, &"3".into()));
    assert!((out["loss"].as_f64().unwrap() + p[3].ln()).abs() < 1e-4);
    let nodes = out["nodes"].as_array().unwrap();
    let range = &nodes[0]["statistics"];
    assert_eq!((&nodes[0]["name"], &range["min"]), (&json!("features"), &json!(0.0)));
    assert!((0.9..=1.0).contains(&range["max"].as_f64().unwrap()), "bytes become 0 to 1: {range}");
    // The logits are what the last layer before the loss hands on: dL/dz = p - e.
    let logits = &nodes[nodes.len() - 2];
    for (k, p) in p.iter().enumerate() {
        let found = logits["gradient"][k].as_f64().unwrap();
        assert!((found - (p - f64::from(u8::from(k == 3)))).abs() < 1e-5, "{k}");
    }
    let weight = nodes.iter().flat_map(|node| node["parameters"].as_array().unwrap());
    assert!(weight.clone().any(|held| held["name"] == "conv2d1.weight" && held["gradient"].is_array()));
    let told = "trace runs/a runs/a/sample.png";
    place.bratt(&format!("{told} --html a.html")).good();
    let page = std::fs::read_to_string(place.path("a.html")).unwrap();
    assert!(page.contains("<b>conv2d1</b>") && page.contains("data:image/png;base64,"));
    if let Some(browser) = browser::found() {
        let seen = browser::note(&browser, &place, &page, OPEN);
        assert_eq!((&seen["before"], &seen["loaded"]), (&Value::Null, &json!([])), "{seen}");
        assert_eq!((&seen["title"], &seen["pictures"]), (&json!("conv2d1"), &json!(2)), "{seen}");
        assert_eq!((&seen["larger"], &seen["closed"]), (&json!(true), &json!(true)), "{seen}");
    } else {
        println!("skipped in part: no Chromium is installed");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && page.len() < 5_000_000, "{}", page.len());
    place.bratt(&format!("{told} --class thre")).fails(2, &["no class `thre`"]);
    place.bratt(&format!("{told} --svg a.svg")).fails(2, &["--svg is for expressions"]);
    place.bratt("trace runs/a absent.png").fails(3, &["absent.png"]);
    place.bratt("trace runs/a").fails(2, &["one image, found 0"]);
    place
        .bratt("trace runs/none runs/a/sample.png")
        .fails(3, &["neither the folder of a run nor a model file"]);
    place.bratt("trace x+1 x=1 --class 3").fails(2, &["--class is for a run"]);
}
