//! Training as a process: threads, interruption, divergence, pipes.

use super::common::{Place, Ran};
use std::io::Read;
use std::process::Stdio;

#[test]
fn the_bytes_of_a_model_do_not_depend_on_the_threads() {
    let place = Place::new();
    let model = |threads: u32| {
        place.bratt(&format!("train --epochs 2 --seed 4 --threads {threads} --name t{threads}")).good();
        std::fs::read(place.path(&format!("runs/t{threads}/model.safetensors"))).unwrap()
    };
    let one = model(1);
    for threads in [2, 3, 8] {
        assert!(one == model(threads), "{threads} threads");
    }
}

#[test]
fn divergence_names_the_step_and_the_first_bad_value() {
    let place = Place::new();
    let ran = place.bratt("train --model mlp-32-16 --optimizer sgd --lr 1e6 --epochs 3 --name d");
    ran.fails(
        1,
        &["diverged in epoch 1, step ", "the first value that went wrong is ", "in layer `", "help: "],
    );
    let events = std::fs::read_to_string(place.path("runs/d/events.jsonl")).unwrap();
    assert!(events.contains(r#""event":"diverged""#));
    assert!(!place.path("runs/d/model.safetensors").exists());
}

/// Runs until the first epoch has been shown, sends Ctrl-C, and waits.
#[cfg(unix)]
#[test]
fn an_interrupted_training_saves_its_model() {
    let place = Place::new();
    let arguments = ["train", "--epochs", "1000000", "--name", "long"];
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = Vec::new();
    let mut out = child.stdout.take().unwrap();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains("\n     1  ") {
        assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    let interrupt = format!("kill -INT {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    out.read_to_end(&mut shown).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    let shown = String::from_utf8(shown).unwrap();
    assert_eq!(ran.code, Some(130), "{shown}{}", ran.err);
    assert!(
        shown.contains("interrupted") && shown.contains("saved   runs/long/model.safetensors"),
        "{shown}"
    );
    let judged = place.bratt("eval runs/long --json").json();
    assert_eq!(judged["n"], 180);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let place = Place::new();
    let mut child = place
        .command(&["inspect", "mlp", "--graph", "--training"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn json_and_quiet_leave_standard_output_to_the_result() {
    let place = Place::new();
    let ran = place.bratt("train --epochs 1 --json");
    assert!(ran.err.contains("val loss") && ran.out.lines().count() == 1, "{}{}", ran.out, ran.err);
    let ran = place.bratt("train --epochs 1 --quiet");
    assert!(
        ran.out.starts_with("test ") && ran.out.lines().count() == 3 && ran.err.is_empty(),
        "{}",
        ran.out
    );
    let ran = place.bratt("train --epochs 1 --color always --quiet");
    assert!(ran.out.contains("\x1b[1maccuracy"), "{}", ran.out);
}
