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
