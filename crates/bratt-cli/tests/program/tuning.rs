//! A search: its trials are ordinary runs, it goes on after a kill, and its best model is what `train` would have made.

use super::common::Place;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const TUNE: &str = "tune --try optim.lr=1e-4..3e-2:log --try optim.type=adam,nesterov --trials 9 --epochs 9 \
                    --model mlp-24-bn-dropout --seed 3 --no-report";

fn tune(place: &Place, name: &str) -> String {
    place.bratt(&format!("{TUNE} --name {name}")).good()
}

#[test]
fn the_best_trial_is_what_train_makes_of_its_settings() {
    let place = Place::new();
    let said = tune(&place, "t");
    assert!(
        said.contains("9 trials of 1 epoch, then 3 trials of 3 epochs, then 1 trial of 9 epochs"),
        "{said}"
    );
    let best = said.lines().find_map(|line| line.strip_prefix("best    ")).unwrap().trim().to_string();
    let rows = fs::read_to_string(place.path("runs/t/trials.jsonl")).unwrap();
    assert_eq!(rows.lines().count(), 9 + 3 + 1, "{rows}");
    let page = fs::read_to_string(place.path("runs/t/search.html")).unwrap();
    assert_eq!(page.matches("<polyline").count(), 9);
    let read = |path: String| fs::read(place.path(&path)).unwrap();
    place.bratt(&format!("train --config {best}/config.toml --runs runs --name again --no-report")).good();
    assert!(read(format!("{best}/model.safetensors")) == read("runs/again/model.safetensors".into()));
    // A trial is a run like any other.
    assert!(place.bratt(&format!("eval {best}")).good().contains("accuracy"));
    assert!(place.bratt("compare runs/t/001 runs/t/002").good().contains("optim.lr"));
}

#[test]
fn a_killed_search_goes_on_to_the_same_result() {
    let place = Place::new();
    tune(&place, "whole");
    let line: Vec<String> = format!("{TUNE} --name cut").split_whitespace().map(str::to_string).collect();
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let mut child = place.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !place.path("runs/cut/004/events.jsonl").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    place.bratt("resume runs/cut").good();
    let results = |name: &str| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(place.path(&format!("runs/{name}/trials.jsonl"))).unwrap();
        let without_time = |line: &str| {
            let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
            row.as_object_mut().unwrap().remove("seconds");
            row
        };
        text.lines().map(without_time).collect()
    };
    assert_eq!(results("cut"), results("whole"));
    for trial in 1..=9 {
        let model =
            |name: &str| fs::read(place.path(&format!("runs/{name}/{trial:03}/model.safetensors"))).unwrap();
        assert!(model("cut") == model("whole"), "trial {trial}");
    }
    // Once more changes nothing.
    place.bratt("resume runs/cut").good();
    assert_eq!(results("cut"), results("whole"));
}

#[test]
fn what_cannot_be_searched_is_refused_before_anything_is_written() {
    let place = Place::new();
    for (arguments, code, told) in [
        ("tune", 2, "nothing to search"),
        ("tune --try optim.lr", 2, "found no `=`"),
        ("tune --try optim.lrr=1..2", 4, "did you mean `optim.lr`?"),
        ("tune --try optim.lr=1e-3..1e-1 --lr 0.1", 4, "is set (--lr) and searched"),
        ("tune --try optim.lr=1e-3..1e-1 --val 0", 4, "no validation part"),
        ("tune --try optim.lr=1e-3..1e-1 --data nowhere", 3, "nowhere"),
        ("tune --try optim.lr=1e-3..1e-1 --space none.toml", 4, "none.toml: cannot be read"),
    ] {
        place.bratt(arguments).fails(code, &[told]);
        assert!(!place.path("runs").exists(), "{arguments}");
    }
    fs::write(place.path("space.toml"), "[space]\n\"optim.lr\" = \"1e-3..1e-2:log\"\n").unwrap();
    let json = place.bratt("tune --space space.toml --trials 2 --epochs 1 --name s --json -q").good();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["trials"].as_array().unwrap().len(), 2);
    place.bratt("tune --space space.toml --name s").fails(4, &["bratt resume runs/s"]);
    place.bratt("resume runs/s --epochs +3").fails(2, &["a search, not a run"]);
}

#[test]
fn a_slip_in_the_space_is_found_before_the_first_trial() {
    let place = Place::new();
    let ran = place.bratt("tune --try model.arch=softmax,lennet --trials 4 --epochs 1 --name t");
    assert!(!ran.out.contains("trial") && !place.path("runs/t").exists(), "{}", ran.out);
    ran.fails(4, &["model.arch", "no model is named `lennet`; did you mean `lenet`?"]);
}
