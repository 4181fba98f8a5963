//! Judging models: measures and conditions, predictions as files, two runs beside each other, suspicious labels.

use super::common::Place;
use serde_json::Value;

const FIGURES: [&str; 12] = [
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "top_3",
    "top_5",
    "kappa",
    "loss",
    "log_loss",
    "brier",
    "ece",
    "roc_auc",
    "pr_auc",
];

fn number(json: &Value, key: &str) -> f64 {
    json[key].as_f64().unwrap_or_else(|| panic!("no {key} in {json}"))
}

#[test]
fn an_evaluation_holds_every_measure_and_its_interval() {
    let place = Place::new();
    place.bratt("train --epochs 3 --name a").good();
    let judged = place.bratt("eval runs/a --json").json();
    for name in FIGURES {
        let value = number(&judged, name);
        assert!(value.is_finite(), "{name}");
        if name != "loss" {
            let [low, high] = [0, 1].map(|end| judged["intervals"][name][end].as_f64().unwrap());
            assert!(low <= high && (name == "ece" || (low <= value && value <= high)), "{name}: {judged}");
        }
    }
    let bins = judged["reliability"].as_array().unwrap();
    assert_eq!((bins.len(), bins.iter().map(|bin| bin["n"].as_u64().unwrap()).sum::<u64>()), (15, 180));
    assert_eq!(judged["classes"][3]["name"], "3");
    assert!(number(&judged["classes"][3], "roc_auc") > 0.9);
    // The same figures lie in the folder of the run.
    let stored = std::fs::read_to_string(place.path("runs/a/evaluation.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!((&stored["macro_f1"], &stored["ece"]), (&judged["macro_f1"], &judged["ece"]));

    let out = place.bratt("eval runs/a").good();
    for word in
        ["balanced accuracy", "Cohen's kappa", "log loss", "Brier score", "calibration error", "ROC-AUC"]
    {
        assert!(out.contains(word), "no {word:?} in: {out}");
    }
}

#[test]
fn a_temperature_calibrates_and_keeps_every_class() {
    let place = Place::new();
    // Trained long at a high rate the network is surer than it is right.
    let out = place.bratt("train --epochs 25 --lr 5e-3 --val 0.3 --name a").good();
    assert!(out.contains("probabilities by temperature"), "{out}");
    let judged = place.bratt("eval runs/a --json").json();
    let t = number(&judged, "temperature");
    assert!(t > 0.0 && t != 1.0, "{t}");
    // Without the key, which older files lack, the same classes come with other probabilities.
    let whole = std::fs::read(place.path("runs/a/model.safetensors")).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(whole[8..8 + length].to_vec()).unwrap();
    let begin = header.find(r#"\"temperature\":"#).unwrap();
    let end = begin + header[begin..].find(',').unwrap() + 1;
    let header = format!("{}{}", &header[..begin], &header[end..]);
    let mut old = (header.len() as u64).to_le_bytes().to_vec();
    old.extend(header.as_bytes());
    old.extend(&whole[8 + length..]);
    place.write("runs/old/model.safetensors", old);
    std::fs::copy(place.path("runs/a/config.toml"), place.path("runs/old/config.toml")).unwrap();
    let plain = place.bratt("eval runs/old --json").json();
    assert!(plain["temperature"].is_null());
    assert_eq!((&plain["confusion"], &plain["loss"]), (&judged["confusion"], &judged["loss"]));
    assert_ne!(plain["log_loss"], judged["log_loss"]);
    let probability = |model: &str| {
        let said = place.bratt(&format!("predict {model} runs/a/sample.png --json")).json();
        (said["class"].clone(), said["probability"].as_f64().unwrap())
    };
    let (with, without) = (probability("runs/a"), probability("runs/old"));
    assert!(with.0 == without.0 && with.1 != without.1, "{with:?} {without:?}");
}

#[test]
fn conditions_decide_the_exit_code() {
    let place = Place::new();
    place.bratt("train --epochs 3 --name a").good();
    place.bratt("eval runs/a --require accuracy>=0.8 --require log_loss<2 --require ece<=90%").good();
    let ran = place.bratt("eval runs/a --json --require accuracy>=0.8 --require kappa>0.9999");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&json["requirements"][0]["holds"], &json["requirements"][1]["holds"]),
        (&true.into(), &false.into())
    );
    ran.fails(1, &["`kappa>0.9999` does not hold: kappa is 0."]);
    place.bratt("eval runs/a --require acuracy>=0.8").fails(2, &["`acuracy`", "did you mean `accuracy`?"]);
    place.bratt("eval runs/a --require accuracy").fails(2, &["found no >=", "help: "]);
    place.bratt("eval runs/a --require mse<1").fails(2, &["no measure is named `mse`"]);
}

#[test]
fn predictions_are_written_as_tables_and_lines() {
    let place = Place::new();
    place.bratt("train --epochs 3 --name a").good();
    let judged = place.bratt("eval runs/a --predictions said.csv --json").json();
    place.bratt("eval runs/a --predictions said.jsonl").good();
    let table = std::fs::read_to_string(place.path("said.csv")).unwrap();
    let right = table.lines().skip(1).filter(|row| row.split(',').nth(3) == Some("1")).count();
    assert_eq!((table.lines().count(), right as f64 / 180.0), (181, number(&judged, "accuracy")));
    let lines = std::fs::read_to_string(place.path("said.jsonl")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert!(first["probabilities"]["7"].is_f64() && first["label"].is_string(), "{first}");
    place.bratt("eval runs/a --predictions said.txt").fails(2, &["said.txt", ".csv or .jsonl"]);
    place
        .bratt("eval runs/a --predictions absent/said.csv")
        .fails(4, &["absent/said.csv: cannot be written"]);
}

#[test]
fn a_threshold_is_chosen_on_one_part_and_judged_on_the_other() {
    let place = Place::new();
    place.bratt("train --epochs 2 --name a").good();
    let judged = place.bratt("eval runs/a --precision 0.99 --json").json();
    let reject = &judged["reject"];
    assert_eq!(reject["chosen_on"], "val");
    let coverage = number(reject, "coverage");
    assert!(
        coverage > 0.3 && coverage < 1.0 && number(reject, "precision") > number(&judged, "accuracy"),
        "{reject}"
    );
    let out = place.bratt("eval runs/a digits --precision 0.97").good();
    assert!(out.contains("these very examples") && out.contains("accepted)"), "{out}");
    let out = place.bratt("eval runs/a --worst 3").good();
    assert!(out.contains("worst mistakes") && out.contains("example "), "{out}");
    place.bratt("eval runs/a --precision 1.5").fails(2, &["--precision: found 1.5"]);
}

#[test]
fn two_runs_are_compared_on_the_same_examples() {
    let place = Place::new();
    place.bratt("train --epochs 8 --name good").good();
    place.bratt("train --epochs 1 --model softmax --lr 1e-4 --name poor").good();
    let json = place.bratt("compare runs/good runs/poor --json").json();
    let keys: Vec<&str> =
        json["configuration"].as_array().unwrap().iter().map(|d| d["key"].as_str().unwrap()).collect();
    assert!(
        keys.contains(&"model.arch") && keys.contains(&"optim.lr") && !keys.contains(&"run.name"),
        "{keys:?}"
    );
    let test = &json["mcnemar"];
    let only = |key: &str| test[key].as_u64().unwrap();
    assert!(only("first_only") > only("second_only") && number(test, "p") < 0.01, "{test}");
    let both = json["both_right"].as_u64().unwrap();
    assert_eq!((both + only("first_only")) as f64 / 180.0, number(&json["first"]["test"], "accuracy"));
    let out = place.bratt("compare runs/good runs/poor").good();
    for word in ["model.arch", "ROC-AUC", "both right", "McNemar", "the first is better"] {
        assert!(out.contains(word), "no {word:?} in: {out}");
    }

    place.bratt("train --epochs 1 --seed 5 --name other").good();
    place.bratt("compare runs/good runs/other").fails(3, &["cannot be compared", "seeds 0 and 5", "--seed"]);
    place.write("t.csv", "a,label\n".to_string() + &"1,x\n2,y\n".repeat(40));
    place.bratt("train --data t.csv --epochs 1 --name table").good();
    place.bratt("compare runs/good runs/table").fails(3, &["cannot be compared"]);
}

/// Two kinds that are far apart, of which one row has the other's label.
fn boxes() -> String {
    let mut text = String::from("width,height,kind\n");
    for i in 0..120 {
        let (w, h) = (f64::from(i % 12), f64::from(i / 12));
        let wide = (i % 2 == 0) != (i == 62);
        let (w, h) = if i % 2 == 0 { (w + 30.0, h) } else { (w, h + 30.0) };
        text += &format!("{w},{h},{}\n", if wide { "wide" } else { "high" });
    }
    text
}

#[test]
fn a_wrong_label_ranks_first() {
    let place = Place::new();
    place.write("boxes.csv", boxes());
    place
        .bratt("train --data boxes.csv --label kind --model mlp-16 --lr 0.02 --epochs 20 --name boxes")
        .good();
    let json = place.bratt("labels runs/boxes --folds 4 --csv ranking.csv --json").json();
    assert_eq!((json["examples"].as_u64(), json["ranking"][0]["index"].as_u64()), (Some(120), Some(62)));
    let first = &json["ranking"][0];
    assert_eq!(
        (&first["label"], &first["suggested"], &first["likely"]),
        (&"high".into(), &"wide".into(), &true.into())
    );
    let table = std::fs::read_to_string(place.path("ranking.csv")).unwrap();
    assert_eq!(table.lines().count(), 121);
    assert!(table.lines().nth(1).unwrap().starts_with("1,example,62,,high,wide,"), "{table}");

    // The same row as new data, of which the model knows nothing.
    place.write("new.csv", "width,height,kind\n35,2,wide\n2,35,high\n36,3,high\n");
    let out = place.bratt("labels runs/boxes new.csv --label kind").good();
    assert!(out.contains("3 examples") && out.contains("example 2"), "{out}");
    // By default what the run held out.
    let json = place.bratt("labels runs/boxes --json").json();
    assert_eq!(json["examples"], 24);
    place.bratt("labels runs/boxes --folds 1").fails(3, &["folds: found 1"]);
    place.bratt("labels runs/boxes/model.safetensors new.csv --folds 2").fails(2, &["--folds"]);
}
