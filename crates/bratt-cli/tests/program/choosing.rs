//! What `train` decides by itself: how much classes count, which epoch is kept, the learning rate, the size of steps.

use super::common::Place;
use std::fs;

/// A table of two classes that overlap: one example in `every` is of the second.
fn table(rows: usize, every: usize) -> String {
    let mut text = String::from("a,b,kind\n");
    let mut random: u64 = 7;
    let mut uniform = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 40) as f64 / (1u64 << 24) as f64
    };
    for row in 0..rows {
        let rare = row % every == 0;
        let [a, b] = [uniform(), uniform()].map(|x| x + 0.4 * f64::from(u8::from(rare)));
        text += &format!("{a:.3},{b:.3},{}\n", if rare { "rarely" } else { "often" });
    }
    text
}

fn config(place: &Place, run: &str) -> String {
    fs::read_to_string(place.path(&format!("runs/{run}/config.toml"))).unwrap()
}

fn model(place: &Place, run: &str) -> Vec<u8> {
    fs::read(place.path(&format!("runs/{run}/model.safetensors"))).unwrap()
}

/// The lines that introduce a training, as one.
fn flowing(out: &str) -> String {
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn unequal_classes_get_weights_with_reason_and_key() {
    let place = Place::new();
    place.write("rare.csv", table(1000, 20));
    let said = place.bratt("train --data rare.csv --model softmax --epochs 3 --name a").good();
    assert!(said.contains("square-root weights") && said.contains("--balance"), "{said}");
    assert!(flowing(&said).contains("19 times the examples of the smallest"), "{said}");
    let written = config(&place, "a");
    assert!(written.contains("balance = \"sqrt-weights\""), "{written}");
    assert!(written.contains("# classes are unequal: the largest has 19 times"), "{written}");
    // It is what --balance asks for, and the configuration repeats it.
    place.bratt("train --data rare.csv --model softmax --epochs 3 --name b --balance sqrt-weights").good();
    place.bratt("train --config runs/a/config.toml --name c").good();
    assert!(model(&place, "a") == model(&place, "b") && model(&place, "a") == model(&place, "c"));
    let found = place.bratt("inspect runs/a").good();
    assert!(found.contains("balance of classes: sqrt-weights"), "{found}");

    let plain =
        place.bratt("train --data rare.csv --model softmax --epochs 3 --name d --balance none").good();
    assert!(plain.contains("every example counts the same"), "{plain}");
    assert!(model(&place, "a") != model(&place, "d"));
    assert!(!place.bratt("train --epochs 1").good().contains("--balance"), "the digits are balanced");
}

#[test]
fn each_way_to_balance_finds_more_of_the_rare_class() {
    let place = Place::new();
    place.write("rare.csv", table(3000, 20));
    let recall = |balance: &str| {
        let train = "train --data rare.csv --model softmax --epochs 20 --test 0.4 --json --no-report";
        let ran = place.bratt(&format!("{train} --balance {balance}")).json();
        let classes = ran["test"]["classes"].as_array().unwrap().clone();
        let rare = classes.iter().find(|class| class["name"] == "rarely").unwrap();
        rare["recall"].as_f64().unwrap()
    };
    let none = recall("none");
    for balance in ["weights", "sqrt-weights", "sampling"] {
        let balanced = recall(balance);
        assert!(balanced > none + 0.1, "{balance}: {balanced}, none: {none}");
    }
}

#[test]
fn the_monitored_measure_decides_and_is_told() {
    let place = Place::new();
    let train = "train --model mlp-24 --epochs 12 --patience 4 --monitor accuracy";
    let said = place.bratt(&format!("{train} --name a")).good();
    assert!(said.contains("stops after 4 epochs without a better  "), "{said}");
    assert!(said.contains("the highest validation accuracy,"), "{said}");
    assert!(said.contains("--patience --monitor"), "{said}");
    let kept = place.bratt(&format!("{train} --json --name b")).json()["kept_epoch"].as_u64().unwrap();
    let metrics = fs::read_to_string(place.path("runs/b/metrics.csv")).unwrap();
    let rows: Vec<Vec<&str>> = metrics.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let (accuracy, loss) =
        (|row: &[&str]| row[3].parse::<f64>().unwrap(), |row: &[&str]| -> f64 { row[2].parse().unwrap() });
    let best =
        rows.iter().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b)).then(loss(b).total_cmp(&loss(a))));
    assert_eq!(best.unwrap()[0], kept.to_string(), "{metrics}");

    let said = place.bratt("train --model mlp-24 --epochs 2 --monitor balanced_accuracy --name c").good();
    assert!(said.contains("balanced") && said.contains("keeps the epoch of the highest balanced"), "{said}");
    assert!(place.bratt("inspect runs/c").good().contains("kept by balanced_accuracy"));
}

#[test]
fn a_balanced_and_monitored_run_goes_on_exactly() {
    let place = Place::new();
    place.write("rare.csv", table(600, 12));
    let train = "train --data rare.csv --model mlp-8-bn --balance sampling --monitor balanced_accuracy";
    place.bratt(&format!("{train} --epochs 6 --set optim.schedule_epochs=3 --name whole")).good();
    place.bratt(&format!("{train} --epochs 3 --name a")).good();
    let said = place.bratt("resume runs/a --epochs +3").good();
    assert!(said.contains("drawn so that they come equally often"), "{said}");
    assert!(model(&place, "a") == model(&place, "whole"));
}

#[test]
fn a_learning_rate_is_found_once_and_written_down() {
    let place = Place::new();
    // A linear model, for which the rate that is usual for networks is far too low.
    let found = place.bratt("find-lr --model softmax --seed 3 --json").json();
    let suggested = found["suggested"].as_f64().unwrap();
    let said = place.bratt("train --model softmax --seed 3 --epochs 8 --name a").good();
    assert!(flowing(&said).contains("found by trying") && said.contains("--lr"), "{said}");
    let written = config(&place, "a");
    let line = written.lines().find(|line| line.starts_with("lr = ")).unwrap();
    let rate: f64 = line["lr = ".len()..].split('#').next().unwrap().trim().parse().unwrap();
    assert!((rate / suggested - 1.0).abs() < 0.05, "{rate} for {suggested}");
    assert!(line.contains("# found by trying"), "{line}");
    let report = fs::read_to_string(place.path("runs/a/report.html")).unwrap();
    assert!(report.contains("The search for the rate"));

    // The configuration has the number, so that nothing is searched for again; and so does --lr.
    let again = place.bratt("train --config runs/a/config.toml --name b --threads 1").good();
    assert!(!flowing(&again).contains("found by trying"), "{again}");
    assert!(!place.path("runs/b/find-lr.json").exists() && place.path("runs/a/find-lr.json").exists());
    place.bratt(&format!("train --model softmax --seed 3 --epochs 8 --lr {rate} --name c")).good();
    assert!(model(&place, "a") == model(&place, "b") && model(&place, "a") == model(&place, "c"));
    assert!(!fs::read_to_string(place.path("runs/c/report.html")).unwrap().contains("The search for"));

    let shown = place.bratt("config show --model softmax").good();
    assert!(shown.contains("lr = \"auto\""), "{shown}");
    place.write("shown.toml", shown);
    place.bratt("train --config shown.toml --seed 3 --epochs 8 --name d").good();
    assert!(model(&place, "a") == model(&place, "d"));
    place.bratt("find-lr --lr auto --model softmax -q").good();
    place
        .bratt("train --lr fast")
        .fails(4, &["optim.lr: found \"fast\" (--lr)", "a number above 0, or auto"]);
    place.bratt("train --lr -1").fails(4, &["optim.lr: found", "a number above 0, or auto"]);
}

#[test]
fn the_usual_rate_stays_where_the_search_agrees_with_it() {
    let place = Place::new();
    let said = place.bratt("train --epochs 8 --name a").good();
    assert!(flowing(&said).contains("were tried"), "{said}");
    let written = config(&place, "a");
    assert!(written.contains("lr = 0.002 ") && written.contains("suggest about the same"), "{written}");
    place.bratt("train --epochs 8 --lr 0.002 --name b").good();
    assert!(model(&place, "a") == model(&place, "b"));
    // Shorter than a search.
    let said = place.bratt("train --hidden 64 --epochs 6 --name c").good();
    assert!(!place.path("runs/c/find-lr.json").exists() && said.contains("adam's usual"), "{said}");
    place.bratt("train --hidden 64 --epochs 6 --lr auto --name d").good();
    assert!(place.path("runs/d/find-lr.json").exists(), "{}", config(&place, "d"));
}

#[test]
fn little_data_has_small_steps() {
    let place = Place::new();
    place.write("few.csv", table(150, 2));
    let said = place.bratt("train --data few.csv --epochs 2 --name a").good();
    assert!(said.contains("of 16 examples; 120 ") && said.contains("--batch-size"), "{said}");
    let written = config(&place, "a");
    assert!(written.contains("batch_size = 16") && written.contains("# 120 examples are few"), "{written}");
    place.bratt("train --data few.csv --epochs 2 --batch-size 50 --name b").good();
    assert!(config(&place, "b").contains("batch_size = 50"));
}

#[test]
fn what_cannot_be_chosen_is_named() {
    let place = Place::new();
    place
        .bratt("train --balance weight")
        .fails(4, &["data.balance: found \"weight\" (--balance)", "did you mean `weights`?"]);
    place
        .bratt("train --monitor acuracy")
        .fails(4, &["train.monitor: found \"acuracy\" (--monitor)", "did you mean `accuracy`?"]);
    place
        .bratt("train --monitor accuracy --val 0")
        .fails(4, &["monitor: found accuracy for data without a validation part"]);
    place.write("line.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n5,10\n6,12\n7,14\n8,16\n9,18\n10,20\n11,22\n12,24\n");
    place
        .bratt("train --data line.csv --model linear --balance weights")
        .fails(4, &["balance: found weights for numbers to predict"]);
}
