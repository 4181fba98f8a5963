//! Configuration files, `--set`, and the folder of a run.

use super::common::Place;

#[test]
fn a_configuration_file_is_obeyed_and_flags_go_before_it() {
    let place = Place::new();
    place.write("my.toml", "[train]\nepochs = 1\nseed = 5\n\n[model]\narch = \"mlp-16\"\n");
    let trained = place.bratt("train --config my.toml --set train.epochs=2 --seed 6 --json").json();
    assert_eq!((&trained["epochs"], &trained["seed"]), (&2.into(), &6.into()));
    let resolved = std::fs::read_to_string(place.path("runs/digits-1/config.toml")).unwrap();
    for line in ["epochs = 2", "# --set", "seed = 6", "# --seed", "arch = \"mlp-16\"", "# my.toml, line 6"] {
        assert!(resolved.contains(line), "no {line:?} in: {resolved}");
    }
}

#[test]
fn the_resolved_configuration_repeats_the_run_to_the_byte() {
    let place = Place::new();
    place.bratt("train --epochs 2 --hidden 24 --lr 2e-3 --seed 9 --name first").good();
    place.bratt("train --config runs/first/config.toml --name second").good();
    let model = |name: &str| std::fs::read(place.path(&format!("runs/{name}/model.safetensors"))).unwrap();
    assert!(model("first") == model("second"));
}

#[test]
fn unknown_keys_are_named_with_place_and_nearest_spelling() {
    let place = Place::new();
    place.write("my.toml", "[train]\nepochs = 1\n[optim]\nlearning = 1\n");
    place.bratt("train --config my.toml").fails(4, &["`optim.learning`", "my.toml, line 4", "help: "]);
    place.write("my.toml", "[train]\nepoch = 1\n");
    place.bratt("train --config my.toml").fails(4, &["my.toml, line 2", "did you mean `train.epochs`?"]);
    place.bratt("train --set optim.lrr=1").fails(4, &["`optim.lrr` (--set)", "did you mean `optim.lr`?"]);
    place.write("my.toml", "[train]\nepochs = \"many\"\n");
    place
        .bratt("train --config my.toml")
        .fails(4, &["train.epochs: found \"many\"", "line 2", "whole number"]);
    // A setting that would silently do nothing.
    place.bratt("train --model softmax --hidden 32").fails(4, &["model.hidden (--hidden) has no effect"]);
}

#[test]
fn a_run_is_never_overwritten() {
    let place = Place::new();
    place.bratt("train --epochs 1 --name mine").good();
    let before = std::fs::read(place.path("runs/mine/model.safetensors")).unwrap();
    place.bratt("train --epochs 1 --seed 1 --name mine").fails(4, &["runs/mine: exists already", "--name"]);
    assert!(before == std::fs::read(place.path("runs/mine/model.safetensors")).unwrap());
    // Without a name the number goes on.
    place.bratt("train --epochs 1 --quiet").good();
    assert!(place.bratt("train --epochs 1 --quiet").good().contains("runs/digits-2"));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_training() {
    let place = Place::new();
    place.write("file", "");
    place.bratt("train --epochs 100000 --runs file/runs").fails(4, &["file", "cannot be written", "--runs"]);
}

#[test]
fn the_configuration_is_shown_without_training() {
    let place = Place::new();
    let shown = place.bratt("config show --epochs 1 --optimizer rmsprop --set optim.rho=0.8").good();
    assert!(shown.contains("type = \"rmsprop\"") && shown.contains("# --optimizer"), "{shown}");
    assert!(shown.contains("rho = 0.8") && shown.contains("# --set"), "{shown}");
    assert!(!place.path("runs").exists());
    // What is shown is what a training has.
    place.write("c.toml", &shown);
    place.bratt("train --epochs 1 --name a --optimizer rmsprop --set optim.rho=0.8").good();
    let written = std::fs::read_to_string(place.path("runs/a/config.toml")).unwrap();
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| {
            !line.starts_with('#') && !line.starts_with("epochs") && !line.starts_with("name")
        });
        lines.map(|line| line.split(" # ").next().unwrap().trim().to_string()).collect()
    };
    assert_eq!(values(&shown), values(&written));
    place.bratt("config show --config c.toml").good();
    let json = place.bratt("config show --json --lr 0.5").json();
    assert_eq!((&json["optim.lr"]["value"], &json["optim.lr"]["origin"]), (&0.5.into(), &"--lr".into()));
    place
        .bratt("config show --set optim.lrr=1")
        .fails(4, &["unknown key `optim.lrr`", "did you mean `optim.lr`?"]);
}

#[test]
fn keys_are_explained() {
    let place = Place::new();
    let rate = place.bratt("config explain optim.lr").good();
    assert!(
        rate.contains("learning rate") && rate.contains("--lr") && rate.contains("a number of at least 0"),
        "{rate}"
    );
    let section = place.bratt("config explain optim").good();
    assert!(section.contains("optim.clip_norm") && !section.contains("train.seed"), "{section}");
    assert!(place.bratt("config explain").good().lines().count() > 50);
    place.bratt("config explain lr").fails(4, &["no key is named `lr`", "did you mean `optim.lr`?"]);
}

/// The schema accepts what `train` writes, key by key and type by type.
#[test]
fn the_schema_fits_the_configuration() {
    let place = Place::new();
    let schema = place.bratt("config schema").json();
    let shown = place.bratt("config show --json --model mlp-32 --lr 0.5").json();
    for (key, entry) in shown.as_object().unwrap() {
        let (section, name) = key.split_once('.').unwrap();
        let about = &schema["properties"][section]["properties"][name];
        let value = &entry["value"];
        let fits = |about: &serde_json::Value| match about["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64() && value.as_u64() >= about["minimum"].as_u64(),
            Some("number") => value.is_number() && value.as_f64() >= about["minimum"].as_f64(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            _ => about["enum"].as_array().is_some_and(|words| words.contains(value)),
        };
        let any = about["anyOf"].as_array();
        assert!(any.map_or_else(|| fits(about), |all| all.iter().any(fits)), "{key} = {value}: {about}");
        assert!(about["description"].as_str().unwrap().contains("[default: "), "{key}");
    }
    assert_eq!(schema["properties"]["optim"]["additionalProperties"], false);
}

#[test]
fn there_is_a_manual() {
    let place = Place::new();
    let page = place.bratt("man").good();
    assert!(page.contains(".TH bratt 1") && page.contains("resume"), "{page}");
    place.bratt("man --to pages").good();
    let train = std::fs::read_to_string(place.path("pages/bratt-train.1")).unwrap();
    assert!(train.contains("batch\\-size"), "{train}");
}

#[test]
fn the_configuration_of_a_run_says_what_was_chosen() {
    let place = Place::new();
    place.bratt("train --model mlp-24 --epochs 1 --no-report --name a").good();
    let shown = place.bratt("config show runs/a").good();
    assert_eq!(shown, std::fs::read_to_string(place.path("runs/a/config.toml")).unwrap());
    let rate = &place.bratt("config show runs/a --json").json()["optim.lr"];
    assert!(rate["value"].as_f64().is_some_and(|rate| rate > 0.0), "{rate}");
    assert!(rate["origin"].as_str().is_some_and(|origin| origin.contains("usual for adam")), "{rate}");
    place.bratt("config show runs/a --lr 1").fails(2, &["optim.lr: is set", "as it is"]);
}
