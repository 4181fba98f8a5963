//! `cargo xtask overhead [--dev] [--rounds N] [--epochs N] [--images N]`: what it costs to write a training down, and to
//! watch it, on the perceptron 784-512-256-10 with images in the form of MNIST (60,000 of them, random).
//!
//! The training itself stands still while events, metrics and checkpoints are written and while the dashboard is drawn,
//! and the program says for how long. The share of the training's time is what counts; the median of the rounds. Whole
//! trainings with and without would differ by more than that from noise alone. The program runs on a terminal that
//! `script` of util-linux gives it.
//!
//! The floor: 0.54 M parameters of four bytes, both moments of Adam and the best epoch's weights are 8.6 MB a
//! checkpoint, 9 ms at 1 GB/s. There is one every ten seconds, and one at the end. An epoch of 48,000 images is 0.12
//! TFLOP, 1.2 s at 100 GFLOP/s; so five epochs with one checkpoint lose 0.15 %. Events are some 25 lines an epoch. A
//! picture of the dashboard is a few kB, ten times a second.

use crate::workspace::{Workspace, output, succeed};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What may be lost, as shares of the training's time.
const LIMITS: [(&str, &str, f64); 2] =
    [("run folder", "writing_seconds", 0.03), ("dashboard", "showing_seconds", 0.01)];

/// Measures, prints, and tells whether both stay below their limits.
pub fn run(place: &Workspace, args: &[String]) -> Result<bool, String> {
    let (mut dev, mut rounds, mut epochs, mut images) = (false, 5usize, 5usize, 60_000usize);
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
    let mut build = place.cargo(&["build", "-p", "bratt-cli"]);
    succeed(if dev { &mut build } else { build.arg("--release") })?;
    let program = place.target.join(if dev { "debug" } else { "release" }).join("bratt");
    let folder = place.target.join("overhead");
    remove(&folder)?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write_images(&folder, images)?;
    let shares: Result<Vec<[f64; 2]>, String> = (1..=rounds)
        .map(|round| {
            let said = train(&program, &folder, epochs)?;
            let all = number(&said, "training_seconds")?;
            let mut shares = [0.0; 2];
            for (share, (_, key, _)) in shares.iter_mut().zip(LIMITS) {
                *share = number(&said, key)? / all;
            }
            println!(
                "round {round:>2}  training {all:.2} s  run folder {:.3} %  dashboard {:.3} %",
                100.0 * shares[0],
                100.0 * shares[1]
            );
            Ok(shares)
        })
        .collect();
    remove(&folder)?;
    Ok(report(&shares?))
}

/// Random images in the form of MNIST; which pixels are trained on does not matter to time.
fn write_images(folder: &Path, images: usize) -> Result<(), String> {
    // Knuth's linear congruential generator; the upper bits are good enough.
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for (name, n) in [("train", images), ("t10k", images / 6)] {
        let count = u32::try_from(n).map_err(|error| error.to_string())?.to_be_bytes();
        let side = 28u32.to_be_bytes();
        let mut pixels = [&[0, 0, 8, 3], &count[..], &side[..], &side[..]].concat();
        pixels.extend((0..n * 784).map(|_| byte()));
        let mut labels = [&[0, 0, 8, 1], &count[..]].concat();
        labels.extend((0..n).map(|_| byte() % 10));
        for (what, bytes) in [("images-idx3-ubyte", pixels), ("labels-idx1-ubyte", labels)] {
            let path = folder.join(format!("{name}-{what}"));
            fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// One training with its dashboard; what the program says of it.
fn train(program: &Path, folder: &Path, epochs: usize) -> Result<String, String> {
    let (runs, json) = (folder.join("runs"), folder.join("said.json"));
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(2);
    let line = format!(
        "'{}' train '{}' --model mlp --batch-size 128 --lr 0.001 --epochs {epochs} --patience 0 --threads {threads} \
         --no-report --runs '{}' --json --dashboard > '{}'",
        program.display(),
        folder.display(),
        runs.display(),
        json.display()
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    output(&mut script)?;
    remove(&runs)?;
    fs::read_to_string(&json).map_err(|error| format!("{}: {error}", json.display()))
}

fn number(said: &str, key: &str) -> Result<f64, String> {
    let after = said.split_once(&format!("\"{key}\":")).map(|(_, rest)| rest.trim_start());
    let digits = after.and_then(|rest| rest.split([',', '}']).next());
    digits.and_then(|text| text.trim().parse().ok()).ok_or_else(|| format!("no number {key} in {said:?}"))
}

fn report(shares: &[[f64; 2]]) -> bool {
    println!("\n{:<12} {:>9} {:>9} {:>7}", "share of", "median", "greatest", "limit");
    let mut good = true;
    for (at, (name, _, limit)) in LIMITS.into_iter().enumerate() {
        let mut all: Vec<f64> = shares.iter().map(|share| share[at]).collect();
        all.sort_by(f64::total_cmp);
        let (median, greatest) = (all[all.len() / 2], all[all.len() - 1]);
        let verdict = if median < limit { "met" } else { "not met" };
        let [median_percent, greatest, percent] = [median, greatest, limit].map(|share| 100.0 * share);
        println!("{name:<12} {median_percent:>7.3} % {greatest:>7.3} % {percent:>5.0} %  {verdict}");
        good &= median < limit;
    }
    good
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if folder.exists() => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        assert!(report(&[[0.001, 0.002], [0.5, 0.5], [0.002, 0.001]]));
        assert!(!report(&[[0.031, 0.002], [0.5, 0.002], [0.002, 0.001]]));
        assert!(!report(&[[0.001, 0.011], [0.001, 0.02], [0.002, 0.001]]));
    }

    #[test]
    fn numbers_are_found_by_their_key() {
        let said = r#"{"seconds": 2.5, "training_seconds":1.25, "last": 3}"#;
        assert_eq!(number(said, "training_seconds"), Ok(1.25));
        assert_eq!(number(said, "last"), Ok(3.0));
        assert!(number(said, "absent").is_err());
    }
}
