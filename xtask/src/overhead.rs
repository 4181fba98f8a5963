//! `cargo xtask overhead [--dev] [--rounds N] [--epochs N] [--images N]`: what it costs to write a training down, and to
//! watch it, on the perceptron 784-512-256-10 with images in the form of MNIST (60,000 of them, random).
//!
//! Two pairs of trainings, each as a process of its own, in turn over the rounds, so that a busy moment hits all alike:
//! the library bare, and with run folder, events, metrics and checkpoints; the program (which writes all of that) with
//! plain lines, and with its dashboard. The program runs on a terminal that `script` of util-linux gives it. The ratio
//! of the least times is what counts, that of the medians tells how quiet the machine was.
//!
//! The floor: 0.54 M parameters of four bytes, both moments of Adam and the best epoch's weights are 8.6 MB a
//! checkpoint, 9 ms at 1 GB/s. There is one every ten seconds, and one at the end. An epoch of 48,000 images is 0.12
//! TFLOP, 1.2 s at 100 GFLOP/s; so five epochs with one checkpoint lose 0.15 %. Events are some 25 lines an epoch. A
//! picture of the dashboard is a few kB, ten times a second.

use crate::{Workspace, output, succeed};
use std::path::Path;
use std::process::Command;

/// What may be lost, as shares of the time.
const LIMITS: [(&str, f64); 2] = [("run folder", 0.03), ("dashboard", 0.01)];

/// Measures, prints, and tells whether both stay below their limits.
pub fn run(place: &Workspace, args: &[String]) -> Result<bool, String> {
    let (mut dev, mut rounds, mut epochs, mut images) = (false, 9usize, 5usize, 60_000usize);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || {
            let number = args.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
            number.ok_or_else(|| format!("{arg}: expected a number of at least 1"))
        };
        match arg.as_str() {
            "--dev" => dev = true,
            "--rounds" => rounds = number()?,
            "--epochs" => epochs = number()?,
            "--images" => images = number()?,
            other => {
                return Err(format!(
                    "there is no option `{other}`; there are --dev, --rounds, --epochs, --images"
                ));
            }
        }
    }
    for what in [&["build", "-p", "bratt-cli"][..], &["build", "-p", "bratt", "--example", "overhead"]] {
        let mut build = place.cargo(what);
        succeed(if dev { &mut build } else { build.arg("--release") })?;
    }
    let built = place.target.join(if dev { "debug" } else { "release" });
    let folder = place.target.join("overhead");
    remove(&folder)?;
    let example = built.join("examples/overhead");
    succeed(Command::new(&example).arg("data").arg(&folder).arg(images.to_string()))?;
    let measured = measure(&example, &built.join("bratt"), &folder, rounds, epochs);
    remove(&folder)?;
    Ok(report(&measured?))
}

/// Seconds of each round: bare, written, plain, dashboard.
fn measure(
    example: &Path,
    program: &Path,
    folder: &Path,
    rounds: usize,
    epochs: usize,
) -> Result<[Vec<f64>; 4], String> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(2).to_string();
    let epochs = epochs.to_string();
    let library = |how: &str| {
        let said = output(Command::new(example).arg(how).arg(folder).args([&epochs, &threads]))?;
        said.trim().parse::<f64>().map_err(|error| format!("overhead {how}: {error} in {said:?}"))
    };
    let watched = |more: &str| {
        let (runs, json) = (folder.join("runs"), folder.join("said.json"));
        let line = format!(
            "'{}' train '{}' --model mlp --batch-size 128 --lr 0.001 --epochs {epochs} --patience 0 --threads {threads} \
             --no-report --runs '{}' --json {more} > '{}'",
            program.display(),
            folder.display(),
            runs.display(),
            json.display()
        );
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
        output(&mut script)?;
        let said = std::fs::read_to_string(&json).map_err(|error| format!("{}: {error}", json.display()))?;
        remove(&runs)?;
        let key = "\"training_seconds\":";
        let number = said.split_once(key).and_then(|(_, rest)| rest.split([',', '}']).next()?.parse().ok());
        number.ok_or_else(|| format!("no {key} in {said:?}"))
    };
    let mut all = [const { Vec::new() }; 4];
    for round in 0..rounds {
        // Each second round goes the other way, so that none always follows on the same.
        let mut order = [0, 1, 2, 3];
        if round % 2 == 1 {
            order.reverse();
        }
        for which in order {
            all[which].push(match which {
                0 => library("bare")?,
                1 => library("written")?,
                2 => watched("")?,
                _ => watched("--dashboard")?,
            });
        }
        println!(
            "round {:>2}  bare {:.3} s  written {:.3} s  program {:.3} s  dashboard {:.3} s",
            round + 1,
            all[0][round],
            all[1][round],
            all[2][round],
            all[3][round]
        );
    }
    Ok(all)
}

fn report(times: &[Vec<f64>; 4]) -> bool {
    let mut good = true;
    println!("\n{:<12} {:>9} {:>9} {:>7}", "overhead of", "least", "median", "limit");
    for (at, (name, limit)) in LIMITS.into_iter().enumerate() {
        let [without, with] = [&times[2 * at], &times[2 * at + 1]].map(|times| least_and_median(times));
        let least = with.0 / without.0 - 1.0;
        let median = with.1 / without.1 - 1.0;
        // Writing cannot make a training faster: what is so far below zero is noise, and shows nothing.
        let quiet = least > -limit;
        let verdict = match (quiet, least < limit) {
            (false, _) => "unknown: the machine is not quiet",
            (true, true) => "met",
            (true, false) => "not met",
        };
        println!(
            "{name:<12} {:>7.2} % {:>7.2} % {:>5.0} %  {verdict}",
            100.0 * least,
            100.0 * median,
            100.0 * limit
        );
        good &= quiet && least < limit;
    }
    good
}

fn least_and_median(times: &[f64]) -> (f64, f64) {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    (times[0], (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0)
}

fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if folder.exists() => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_time_decides() {
        assert_eq!(least_and_median(&[3.0, 1.0, 2.0, 9.0]), (1.0, 2.5));
        let slow = vec![1.0, 1.2];
        assert!(report(&[slow.clone(), vec![1.02, 9.0], slow.clone(), vec![1.005, 1.2]]));
        assert!(!report(&[slow.clone(), vec![1.04, 1.2], slow.clone(), slow.clone()]));
        assert!(!report(&[slow.clone(), vec![0.8, 0.8], slow.clone(), slow]), "noise");
    }
}
