//! The dashboard takes the whole terminal; however a training ends, the terminal is as it was before.
//!
//! `script` of util-linux gives the program a terminal and writes down what it sends there.

use super::common::Place;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Second screen on, cursor off; cursor on, second screen off.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const LONG: &str = "--epochs 100000 --patience 0 --model mlp-24 --no-report";

/// A training with the dashboard on a terminal of its own.
struct Session {
    place: Place,
    script: Child,
}

impl Session {
    /// Nothing where there is no `script`.
    fn train(options: &str) -> Option<Session> {
        let place = Place::new();
        let program = env!("CARGO_BIN_EXE_bratt");
        let start = format!(
            "echo $$ > pid.tmp; mv pid.tmp pid; exec {program} train --dashboard --threads 1 --name a {options}"
        );
        place.write("start.sh", start);
        let mut script = std::process::Command::new("script");
        script.args(["--quiet", "--flush", "--return", "--command", "sh start.sh", "seen"]);
        script.current_dir(place.path("")).env("TERM", "xterm");
        script.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match script.spawn() {
            Ok(script) => Some(Session { place, script }),
            Err(error) => {
                println!("skipped: no `script`, which gives a terminal: {error}");
                None
            }
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.place.path("seen")).unwrap_or_default()).into_owned()
    }

    /// Sends a signal once epochs are shown.
    fn signal(&mut self, name: &str) {
        let begin = Instant::now();
        let metrics = self.place.path("runs/a/metrics.csv");
        let epochs = || fs::read_to_string(&metrics).unwrap_or_default().lines().count();
        while !self.seen().contains(ENTER) || epochs() < 3 {
            assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", self.seen());
            assert!(self.script.try_wait().unwrap().is_none(), "ended: {:?}", self.seen());
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = fs::read_to_string(self.place.path("pid")).unwrap();
        let kill = std::process::Command::new("kill").args([&format!("-{name}"), pid.trim()]).status();
        assert!(kill.unwrap().success());
    }

    /// The exit code, and what the terminal was sent.
    fn end(mut self) -> (Option<i32>, String, Place) {
        let begin = Instant::now();
        while self.script.try_wait().unwrap().is_none() {
            if begin.elapsed() > Duration::from_secs(120) {
                // The training loses its terminal, and ends.
                let _ = self.script.kill();
                panic!("still running after two minutes: {:?}", self.seen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let code = self.script.wait().unwrap().code();
        (code, self.seen(), self.place)
    }
}

fn hang_up_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

/// Left once, and all that matters comes after.
#[track_caller]
fn is_restored(seen: &str, after: &str) {
    assert_eq!((seen.matches(ENTER).count(), seen.matches(LEAVE).count()), (1, 1), "{seen:?}");
    let rest = &seen[seen.find(LEAVE).unwrap()..];
    assert!(rest.contains(after), "no {after:?} in {rest:?}");
    let behind = &rest[LEAVE.len()..];
    assert!(!behind.contains("\x1b[?25l") && !behind.contains("\x1b[?7l"), "{rest:?}");
}

#[test]
fn signals_end_a_training_cleanly_and_give_the_terminal_back() {
    for signal in ["INT", "TERM", "HUP"] {
        if signal == "HUP" && hang_up_is_ignored() {
            println!("skipped for HUP: the tests run under nohup, so that the training stays, too");
            continue;
        }
        let Some(mut session) = Session::train(LONG) else { return };
        session.signal(signal);
        let (code, seen, place) = session.end();
        assert_eq!(code, Some(130), "{signal}: {seen:?}");
        is_restored(&seen, "resume runs/a");
        assert!(place.path("runs/a/model.safetensors").is_file(), "{signal}");
    }
}

#[test]
fn a_training_that_fails_gives_the_terminal_back_before_it_says_why() {
    let options = "--model mlp-24 --optimizer sgd --lr 1e30 --epochs 3 --no-report";
    let Some(session) = Session::train(options) else { return };
    let (code, seen, _) = session.end();
    assert_eq!(code, Some(1), "{seen:?}");
    is_restored(&seen, "training diverged");
}

#[test]
fn a_training_that_ends_gives_the_terminal_back_before_its_result() {
    let Some(session) = Session::train("--model mlp-24 --epochs 2 --no-report") else { return };
    let (code, seen, _) = session.end();
    assert_eq!(code, Some(0), "{seen:?}");
    is_restored(&seen, "test ");
}
