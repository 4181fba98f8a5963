//! Going on with a training that was killed, interrupted, or had ended.
//!
//! `BRATT_KILLS=200 cargo test --release -p bratt-cli --test program kills -- --nocapture` kills 200 trainings.

use super::common::{Place, Ran};
use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A training of about a second that keeps a checkpoint after every step.
const TRAIN: &str =
    "train --model mlp-24-bn-dropout --epochs 3 --batch-size 48 --seed 6 --checkpoint-every 0";

fn model(place: &Place, run: &str) -> Vec<u8> {
    fs::read(place.path(&format!("runs/{run}/model.safetensors"))).unwrap()
}

fn spawn(place: &Place, arguments: &str) -> Child {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits for a file; whether it came before the process ended.
fn appears(place: &Place, file: &str, child: &mut Child) -> bool {
    let path = place.path(file);
    while !path.exists() {
        if child.try_wait().unwrap().is_some() {
            return path.exists();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    true
}

#[test]
fn kills_at_any_moment_change_no_byte_of_the_model() {
    let kills: usize = std::env::var("BRATT_KILLS").map_or(4, |n| n.parse().expect("a number"));
    let place = Place::new();
    let begin = Instant::now();
    place.bratt(&format!("{TRAIN} --name whole")).good();
    let (time, whole) = (begin.elapsed(), model(&place, "whole"));
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    let (mut killed, mut torn, mut number) = (0, 0, 0);
    while killed < kills {
        number += 1;
        let name = format!("k{number}");
        let mut child = spawn(&place, &format!("{TRAIN} --name {name}"));
        assert!(appears(&place, &format!("runs/{name}/config.toml"), &mut child), "no run was begun");
        // Sometimes what goes on is killed, too.
        loop {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let wait = time.mul_f64((random >> 40) as f64 / (1u64 << 24) as f64);
            std::thread::sleep(wait);
            let ran = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            killed += usize::from(ran.is_none());
            if random >> 33 & 3 != 0 {
                break;
            }
            child = spawn(&place, &format!("resume runs/{name}"));
        }
        let folder = place.path(&format!("runs/{name}/checkpoints"));
        let left = |folder: &std::path::Path| {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp")).count()
        };
        torn += left(&folder);
        place.bratt(&format!("resume runs/{name} --threads {}", 1 + number % 3)).good();
        assert!(model(&place, &name) == whole, "kill {killed}, run {name}");
        assert_eq!(left(&folder) + left(folder.parent().unwrap()), 0, "orphans in {name}");
        fs::remove_dir_all(place.path(&format!("runs/{name}"))).unwrap();
    }
    println!(
        "{killed} kills in {number} trainings, {torn} in the middle of writing a checkpoint: all models equal"
    );
}

#[test]
fn a_run_that_had_ended_is_made_longer() {
    let place = Place::new();
    let train = "train --model mlp-24-bn --batch-size 48 --seed 6";
    place.bratt(&format!("{train} --epochs 4 --set optim.schedule_epochs=2 --name whole")).good();
    place.bratt(&format!("{train} --epochs 2 --name a")).good();
    let two = model(&place, "a");

    let again = place.bratt("resume runs/a").good();
    assert!(again.contains("all 2 epochs were done; --epochs +20 makes it longer"), "{again}");
    assert!(model(&place, "a") == two);

    let longer = place.bratt("resume runs/a --epochs +2").good();
    assert!(longer.contains("2 epochs done before; longer now"), "{longer}");
    assert!(model(&place, "a") == model(&place, "whole"));
    let config = fs::read_to_string(place.path("runs/a/config.toml")).unwrap();
    assert!(config.contains("epochs = 4 ") && config.contains("# resume --epochs"), "{config}");
    assert!(config.contains("schedule_epochs = 2 "), "{config}");
    assert!(config.contains("# --seed") && config.contains("# --batch-size"), "{config}");
    let metrics = fs::read_to_string(place.path("runs/a/metrics.csv")).unwrap();
    let epochs: Vec<&str> = metrics.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(epochs, ["epoch", "1", "2", "3", "4"]);

    let less = "has 4 epochs behind it, more than the 3";
    place.bratt("resume runs/a --epochs 3").fails(2, &[less, "help: --epochs 5 or more, or --epochs +10"]);
    assert_eq!(fs::read_to_string(place.path("runs/a/config.toml")).unwrap(), config);
    place.bratt("resume runs/a --epochs more").fails(2, &["--epochs more", "as 50 or +20"]);
}

#[test]
fn a_torn_checkpoint_is_passed_over() {
    let place = Place::new();
    place.bratt(&format!("{TRAIN} --name a")).good();
    let whole = model(&place, "a");
    let folder = place.path("runs/a/checkpoints");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    let bytes = fs::read(&names[1]).unwrap();
    fs::write(&names[1], &bytes[..bytes.len() / 3]).unwrap();
    let ran = place.bratt("resume runs/a");
    assert!(
        ran.err.contains("no whole checkpoint") && ran.err.contains("the one before it is used"),
        "{}",
        ran.err
    );
    ran.good();
    assert!(model(&place, "a") == whole);

    for name in &names {
        fs::write(name, "torn").unwrap();
    }
    place.bratt("resume runs/a").fails(3, &["none of the checkpoints is whole", "help: remove the folder"]);
}

#[test]
fn only_the_same_data_are_gone_on_with() {
    let place = Place::new();
    let table = |noise: f64| {
        let rows = (0..60)
            .map(|i| format!("{},{},{}\n", i % 7, f64::from(i % 5) + noise, ["a", "b"][i as usize % 2]));
        format!("x,y,class\n{}", rows.collect::<String>())
    };
    place.write("t.csv", table(0.0));
    place.bratt("train t.csv --model softmax --epochs 2 --name a").good();
    let whole = model(&place, "a");
    fs::rename(place.path("t.csv"), place.path("moved.csv")).unwrap();
    place.bratt("resume runs/a").fails(3, &["t.csv", "say where it is: --data PATH"]);
    fs::create_dir(place.path("other")).unwrap();
    fs::rename(place.path("moved.csv"), place.path("other/t.csv")).unwrap();
    place.bratt("resume runs/a --data other/t.csv").good();
    assert!(model(&place, "a") == whole);
    // The run knows now where its data are.
    place.bratt("eval runs/a").good();

    let left = || {
        ["config.toml", "data.json", "split.csv"].map(|name| fs::read(place.path(&format!("runs/a/{name}"))))
    };
    let before = left().map(Result::unwrap);
    let unlike = "t.csv: not the data that the run learned from";
    place.write("other/t.csv", table(0.5));
    let changed = "60 examples as before, but at least one has changed";
    place
        .bratt("resume runs/a --epochs +1")
        .fails(3, &[unlike, changed, "begin another run: bratt train --config"]);
    let whole = table(0.0);
    place.write("other/t.csv", whole.trim_end().rsplit_once('\n').unwrap().0);
    let fewer = "59 examples, the run's data had 60: b 29 instead of 30";
    place.bratt("resume runs/a --epochs +1").fails(3, &[unlike, fewer]);
    place.bratt("eval runs/a").fails(3, &[unlike, fewer, "as `path` in runs/a/config.toml"]);
    place.bratt("step runs/a --at 1").fails(3, &[unlike, fewer, "--data PATH"]);
    assert_eq!(left().map(Result::unwrap), before);
}

#[test]
fn a_run_whose_training_has_not_ended_has_no_model_yet() {
    let place = Place::new();
    place.bratt("train --model softmax --epochs 1 --name a").good();
    fs::write(place.path("runs/a/model.safetensors"), "torn").unwrap();
    place
        .bratt("predict runs/a x.png")
        .fails(3, &["model.safetensors", "`bratt resume runs/a` writes it again"]);
    fs::remove_file(place.path("runs/a/model.safetensors")).unwrap();
    place
        .bratt("eval runs/a")
        .fails(3, &["runs/a: a run without model.safetensors", "`bratt resume runs/a`"]);
    place.bratt("resume runs/a").good();
    place.bratt("eval runs/a").good();
}

#[test]
fn what_is_no_run_or_is_being_written_is_refused() {
    let place = Place::new();
    place.bratt("resume runs/none").fails(3, &["runs/none: no run: it has no config.toml", "help: "]);
    let mut child = spawn(&place, "train --epochs 1000000 --name long");
    assert!(appears(&place, "runs/long/split.csv", &mut child));
    let ran = place.bratt("resume runs/long");
    child.kill().unwrap();
    child.wait().unwrap();
    ran.fails(4, &["another program is writing this run"]);
}

/// Ctrl-C in the second epoch, then the rest.
#[cfg(unix)]
#[test]
fn after_an_interruption_it_goes_on_to_the_same_bytes() {
    let place = Place::new();
    let train = "train --model mlp-24-bn-dropout --epochs 12 --batch-size 8 --seed 2";
    place.bratt(&format!("{train} --name whole")).good();
    let arguments = format!("{train} --name cut");
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut shown, mut out, mut byte) = (Vec::new(), child.stdout.take().unwrap(), [0]);
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
    assert!(shown.contains("bratt resume runs/cut") || shown.contains("-- resume runs/cut"), "{shown}");
    let resumed = place.bratt("resume runs/cut").good();
    assert!(resumed.contains("resume  after "), "{resumed}");
    assert!(model(&place, "cut") == model(&place, "whole"));
}

/// A small file system, in a name space of its own, that is full for a while.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_what_was_kept_goes_on_when_there_is_room() {
    let place = Place::new();
    let train = "train --model mlp-64 --epochs 40 --batch-size 8 --seed 2 --patience 0";
    place.bratt(&format!("{train} --name whole")).good();
    let bratt = env!("CARGO_BIN_EXE_bratt");
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=600k none small || exit 99
         {bratt} {train} --checkpoint-every 0 --runs small --name a > said 2> told & training=$!
         until ls small/a/checkpoints/*.safetensors > /dev/null 2>&1; do sleep 0.01; done
         kill -STOP $training
         head -c 10000000 /dev/zero > small/filler 2>/dev/null
         kill -CONT $training; wait $training; echo $? > code
         ls -A small/a/checkpoints > kept; rm small/filler
         {bratt} resume small/a > again 2>&1 || exit 2
         cp small/a/model.safetensors ."
    );
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).current_dir(place.path(""));
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap_or_default();
    let mounted = |ran: &Ran| ran.code != Some(99) && !ran.err.starts_with("unshare");
    match unshare.output().map(Ran::of) {
        Ok(ran) if mounted(&ran) => {
            assert_eq!(ran.code, Some(0), "{}{}{}{}", ran.out, ran.err, read("told"), read("again"));
        }
        _ => return println!("skipped: no file system of its own can be mounted here"),
    }
    let told = read("told");
    assert_eq!(read("code").trim(), "4", "{told}");
    assert!(told.contains("cannot be written") && told.contains("No space left on device"), "{told}");
    assert!(told.contains("training goes on; the next one is tried later"), "{told}");
    assert!(told.contains("go on with `bratt resume small/a`"), "{told}");
    let kept = read("kept");
    assert!(kept.lines().count() >= 1 && !kept.contains(".tmp"), "{kept}");
    assert!(fs::read(place.path("model.safetensors")).unwrap() == model(&place, "whole"));
}

/// The run lies on a file system that is read only for a while.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_cannot_be_written_is_told_and_left_as_it_is() {
    let place = Place::new();
    let train = "train --model mlp-24-bn-dropout --batch-size 48 --seed 6";
    place.bratt(&format!("{train} --epochs 3 --name whole")).good();
    let bratt = env!("CARGO_BIN_EXE_bratt");
    let script = format!(
        "{bratt} {train} --epochs 2 --set optim.schedule_epochs=3 --name a > said 2>&1 || exit 2
         sums() {{ find runs/a -type f | sort | xargs sha256sum; }}
         sums > before
         mount --bind runs runs && mount -o remount,bind,ro runs || exit 99
         for more in '' '--epochs 3'; do {bratt} resume runs/a $more >> said 2>> told; echo $? >> code; done
         {bratt} train --name b >> said 2>> told; echo $? >> code
         sums > after; umount runs"
    );
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).current_dir(place.path(""));
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap_or_default();
    match unshare.output().map(Ran::of) {
        Ok(ran) if ran.code == Some(0) => {}
        Ok(ran) if ran.code == Some(2) => panic!("{}", read("said")),
        _ => return println!("skipped: nothing can be mounted read-only here"),
    }
    let told = read("told");
    assert_eq!(read("code"), "4\n4\n4\n", "{told}");
    assert_eq!(told.matches("runs/a/events.jsonl: cannot be written").count(), 2, "{told}");
    assert!(told.contains("runs/b: cannot be written"), "{told}");
    assert_eq!(told.matches("Read-only file system").count(), 3, "{told}");
    assert!(told.contains("help: the folder of the run must be writable and have room"), "{told}");
    assert!(told.contains("help: choose another folder of runs with --runs"), "{told}");
    assert_eq!(read("before"), read("after"));
    // Writable again, it goes on from where it was.
    place.bratt("resume runs/a --epochs 3").good();
    assert!(model(&place, "a") == model(&place, "whole"));
}
