//! The newcomer's path: train, judge, predict, inspect.

use super::common::Place;

#[test]
fn a_newcomer_trains_judges_and_predicts() {
    let place = Place::new();
    let out = place.bratt("train --epochs 4").good();
    for promised in
        ["data ", "1,797 images", "split ", "model ", "adam", "val loss", "95 % interval", "runs/digits-1"]
    {
        assert!(out.contains(promised), "no {promised:?} in: {out}");
    }
    assert!(!out.contains('\x1b'), "no colours for a pipe: {out}");

    let out = place.bratt("eval runs/digits-1").good();
    assert!(out.contains("180 examples: accuracy 9"), "{out}");

    // A zero as the digits have it: light ink on dark paper, a ring.
    let ring = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - 3.5, (f64::from(y) - 3.5) * 0.8);
        let away = ((dx * dx + dy * dy).sqrt() - 2.3).abs();
        image::Luma([(255.0 * (1.3 - away).clamp(0.0, 1.0)) as u8])
    };
    image::GrayImage::from_fn(8, 8, ring).save(place.path("zero.png")).unwrap();
    let out = place.bratt("predict runs/digits-1 zero.png").good();
    assert!(out.starts_with("zero.png  0  "), "{out}");
    // A folder of images, and the sample that training left.
    let out = place.bratt("predict runs/digits-1/model.safetensors runs/digits-1 zero.png").good();
    assert_eq!(out.lines().count(), 2, "{out}");

    let out = place.bratt("inspect runs/digits-1").good();
    assert!(out.contains("dense1") && out.contains("167,946") && out.contains("seed 0"), "{out}");
}

#[test]
fn json_holds_what_is_promised() {
    let place = Place::new();
    let trained = place.bratt("train --epochs 2 --seed 3 --json --name first").json();
    assert_eq!(trained["run"], "runs/first");
    assert_eq!(trained["epochs"], 2);
    assert!(trained["seconds"].as_f64() > Some(0.0));
    assert!(place.path(trained["model"].as_str().unwrap()).is_file());
    let test = &trained["test"];
    assert_eq!(test["n"], 180);
    let [low, accuracy, high] =
        [&test["interval"][0], &test["accuracy"], &test["interval"][1]].map(|x| x.as_f64().unwrap());
    assert!(0.0 < low && low <= accuracy && accuracy <= high && high <= 1.0);
    assert!(test["loss"].as_f64().is_some());

    // The same test part is found again, by the run, and judged alike.
    let judged = place.bratt("eval runs/first --json").json();
    for key in ["n", "accuracy", "loss"] {
        assert_eq!(judged[key], test[key], "{key}");
    }
    let predicted = place.bratt("predict runs/first runs/first/sample.png --json").json();
    assert_eq!(predicted["input"], "runs/first/sample.png");
    assert!(predicted["class"].is_string() && predicted["probability"].is_f64());
}

#[test]
fn a_table_is_learned_and_its_rows_are_predicted() {
    let place = Place::new();
    let mut text = String::from("width,height,kind\n");
    for i in 0..200 {
        let (w, h) = (f64::from(i % 20), f64::from(i / 20));
        text += &format!("{w},{h},{}\n", if w > 2.0 * h { "wide" } else { "high" });
    }
    place.write("boxes.csv", text);
    place
        .bratt("train --data boxes.csv --label kind --model mlp-16 --lr 0.02 --epochs 40 --name boxes")
        .good();
    let judged = place.bratt("eval runs/boxes boxes.csv --label kind --json").json();
    assert!(judged["accuracy"].as_f64() > Some(0.9), "{judged}");
    // Columns are found by name; others are passed over.
    place.write("new.csv", "height,name,width\n1,a,19\n9,b,1\n");
    let out = place.bratt("predict runs/boxes new.csv").good();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("new.csv:2  wide") && lines[1].starts_with("new.csv:3  high"), "{out}");
}

#[test]
fn a_line_is_fitted_to_a_table() {
    let place = Place::new();
    let rows: String = (0..100).map(|i| format!("{i},{}\n", 3 * i + 1)).collect();
    place.write("line.csv", format!("x,y\n{rows}"));
    let command =
        "train --data line.csv --model linear --optimizer momentum --lr 0.05 --epochs 60 --name line --json";
    let trained = place.bratt(command).json();
    assert!(trained["test"]["r2"].as_f64() > Some(0.99), "{trained}");
}

#[test]
fn every_view_of_a_model_prints() {
    let place = Place::new();
    let view = |view: &str| place.bratt(&format!("inspect mlp-16 --batch 4 {view}")).good();
    assert!(
        view("--graph").contains("matmul(") && view("--graph --training").contains("update dense1.weight")
    );
    assert!(view("--dot").starts_with("digraph {"));
    assert!(view("--program").contains("total ") && view("--program --training").contains("adam"));
    assert!(view("--profile --runs 3 --threads 1").contains("GFLOP/s"));
    let plot = place.bratt("schedule cosine,warm_up=100").good();
    assert!(plot.contains("warm-up from 0 over 100 steps") && plot.contains('*'), "{plot}");
    assert!(place.bratt("completions bash").good().contains("bratt"));
}

#[test]
fn a_list_of_layers_is_trained_and_inspected() {
    let place = Place::new();
    let layers = r#"layers = [
        { type = "conv2d", channels = 8, kernel = 3, stride = 2 },
        { type = "batch_norm" },
        { type = "relu" },
        { type = "residual", layers = [
            { type = "conv2d", channels = 8, kernel = 3 },
            { type = "batch_norm" },
        ] },
        { type = "relu" },
        { type = "flatten" },
        { type = "dense", units = "classes" },
    ]"#;
    place.write("net.toml", layers);
    let trained = place.bratt("train --model net.toml --epochs 3 --name net --json").json();
    assert!(trained["test"]["accuracy"].as_f64() > Some(0.5), "{trained}");
    // The model file has the network, without the list.
    std::fs::remove_file(place.path("net.toml")).unwrap();
    let predicted = place.bratt("predict runs/net runs/net/sample.png --json").json();
    assert!(predicted["class"].is_string());
    let out = place.bratt("inspect runs/net").good();
    assert!(out.contains("residual1/conv2d1") && out.contains("training with adam"), "{out}");

    place.write("net.toml", layers.replace("channels", "chanels"));
    place
        .bratt("train --model net.toml")
        .fails(4, &["net.toml: layers 1 (conv2d)", "did you mean `channels`?"]);
    place.bratt("train --model absent.toml").fails(4, &["absent.toml", "cannot be read"]);
    place.bratt("inspect net.toml").fails(4, &["net.toml: layers 1 (conv2d)"]);
}

#[test]
fn the_cost_of_a_model_is_told_before_it_is_trained() {
    let place = Place::new();
    let told = place.bratt("inspect resnet20 --input 32,32,3 --batch 2 --threads 2 --json").json();
    assert_eq!(told["parameters"], 269_722);
    let layers = told["layers"].as_array().unwrap();
    let sum = |key: &str| layers.iter().map(|layer| layer[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("parameters"), sum("flops")), (269_722, told["flops"].as_u64().unwrap()));
    assert_eq!(layers[0]["output"], serde_json::json!([32, 32, 16]));
    let memory = told["memory"].as_array().unwrap();
    let row = |what: &str, batch: u64| {
        memory.iter().find(|row| row["for"] == what && row["batch"] == batch).unwrap()
    };
    let bytes = |row: &serde_json::Value, key: &str| row[key].as_u64().unwrap();
    // Slots begin at round addresses, so that the state is a little larger than its numbers.
    let holds = |row, numbers: u64| {
        let found = bytes(row, "state_bytes");
        (4 * numbers..4 * numbers + 4096).contains(&found)
    };
    // Adam keeps two moments of each parameter and a count; running statistics are buffers of 688 channels.
    assert!(holds(row("training", 2), 3 * 269_722 + 2 * 688 + 1), "{told}");
    // Folded, gamma, beta and the statistics are gone, and a bias has come.
    assert!(holds(row("inference", 2), 269_722 - 688), "{told}");
    assert!(bytes(row("training", 2), "total_bytes") > bytes(row("inference", 2), "total_bytes"));
    assert!(bytes(row("inference", 2), "total_bytes") > bytes(row("inference", 1), "total_bytes"));
    place.bratt("inspect resnet21").fails(4, &["did you mean `resnet20`?"]);
}
