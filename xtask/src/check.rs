//! `cargo xtask test`: every check in a fixed order, each run even when an earlier one failed, and one table at the end.

use crate::book::book;
use crate::browser::browser;
use crate::cross;
use crate::outcome::Outcome;
use crate::workspace::{Workspace, output, succeed};
use std::fs;
use std::time::Instant;

/// The stripped program must stay below this.
const MAX_PROGRAM_BYTES: u64 = 15_000_000;

/// Crates that compile or bind C; their presence in the default build is an error.
const C_BUILDERS: &[&str] = &["bindgen", "cc", "cmake", "pkg-config", "vcpkg"];
/// Names ending in `-sys` that hold declarations only and link nothing but the system's own library.
const PLAIN_SYS: &[&str] = &["linux-raw-sys", "windows-sys"];

type Step = (&'static str, fn(&Workspace) -> Outcome);

const STEPS: &[Step] = &[
    ("format", |place| succeed(&mut place.cargo(&["fmt", "--all", "--check"])).into()),
    ("clippy", |place| {
        succeed(&mut place.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])).into()
    }),
    ("tests", |place| succeed(&mut place.cargo(&["test", "--workspace"])).into()),
    // Their tests take minutes to build: `cargo test -p bratt --features parquet,fetch data::`.
    ("features", |place| {
        let features =
            ["clippy", "-p", "bratt", "-p", "bratt-cli", "--all-targets", "--features", "parquet,fetch"];
        succeed(place.cargo(&features).args(["--", "-D", "warnings"])).into()
    }),
    ("browser", browser),
    ("docs", |place| {
        // The program and the library share a name, so only the libraries are documented.
        let mut doc = place.cargo(&["doc", "--no-deps", "-p", "bratt-kernels", "-p", "bratt"]);
        succeed(doc.env("RUSTDOCFLAGS", "-D warnings")).into()
    }),
    ("dependencies", dependencies),
    ("program size", program_size),
    ("book", book),
    ("examples", examples),
    ("aarch64", cross::aarch64),
];

/// Runs the steps (all, or those named), prints the table, and tells whether none failed.
pub fn run(place: &Workspace, names: &[String]) -> Result<bool, String> {
    let wanted = |step: &str| names.is_empty() || names.iter().any(|name| name == step);
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|(step, _)| step != name)) {
        let known: Vec<_> = STEPS.iter().map(|(step, _)| format!("`{step}`")).collect();
        return Err(format!("there is no step `{unknown}`; the steps are {}", known.join(", ")));
    }
    let mut rows = Vec::new();
    for (step, check) in STEPS.iter().filter(|(step, _)| wanted(step)) {
        println!("\n== {step}");
        let start = Instant::now();
        let outcome = check(place);
        rows.push((*step, outcome, start.elapsed().as_secs_f64()));
    }

    println!("\n{:<14} {:<8} {:>8}", "step", "result", "seconds");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (step, outcome, seconds) in &rows {
        let (result, note, count) = match outcome {
            Outcome::Passed(note) => ("passed", note, &mut passed),
            Outcome::Failed(note) => ("FAILED", note, &mut failed),
            Outcome::Skipped(note) => ("skipped", note, &mut skipped),
        };
        *count += 1;
        println!("{}", format!("{step:<14} {result:<8} {seconds:>8.1}  {note}").trim_end());
    }
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

/// The default build must need no C compiler beyond the linker, and link no C library beyond the system's.
fn dependencies(place: &Workspace) -> Outcome {
    let mut tree =
        place.cargo(&["tree", "-p", "bratt-cli", "-e", "normal,build", "--prefix", "none", "--no-dedupe"]);
    let listing = match output(tree.args(["--format", "{p}"])) {
        Ok(listing) => listing,
        Err(message) => return Outcome::Failed(message),
    };
    let mut crates: Vec<&str> = listing.lines().filter_map(|line| line.split(' ').next()).collect();
    crates.sort_unstable();
    crates.dedup();
    let is_c =
        |name: &str| C_BUILDERS.contains(&name) || (name.ends_with("-sys") && !PLAIN_SYS.contains(&name));
    let found: Vec<&str> = crates.iter().copied().filter(|name| is_c(name)).collect();
    println!("{} crates in the default build", crates.len());
    if crates.is_empty() {
        Outcome::Failed("cargo tree listed no crates".into())
    } else if found.is_empty() {
        Outcome::Passed(format!("{} crates, none with C", crates.len()))
    } else {
        Outcome::Failed(format!("these bring C into the default build: {}", found.join(", ")))
    }
}

/// Builds the program as a user gets it (the release profile strips it) and weighs it.
fn program_size(place: &Workspace) -> Outcome {
    if let Err(message) = succeed(&mut place.cargo(&["build", "--release", "-p", "bratt-cli"])) {
        return Outcome::Failed(message);
    }
    let program = place.target.join("release").join(format!("bratt{}", std::env::consts::EXE_SUFFIX));
    let bytes = match fs::metadata(&program) {
        Ok(meta) => meta.len(),
        Err(error) => return Outcome::Failed(format!("{}: {error}", program.display())),
    };
    let note = format!("{:.1} MB of at most {:.0}", bytes as f64 / 1e6, MAX_PROGRAM_BYTES as f64 / 1e6);
    println!("{note}");
    if bytes <= MAX_PROGRAM_BYTES { Outcome::Passed(note) } else { Outcome::Failed(note) }
}

/// Runs every example of the library in release, without arguments.
fn examples(place: &Workspace) -> Outcome {
    let folder = place.root.join("crates/bratt/examples");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_example =
                path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").is_file();
            is_example.then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
        })
        .collect();
    if names.is_empty() {
        return Outcome::Skipped("crates/bratt/examples has none".into());
    }
    names.sort_unstable();
    let mut failed = Vec::new();
    for name in &names {
        println!("-- example {name}");
        // As the tests have built them: another optimised build of each takes longer than all of them run.
        if let Err(message) = succeed(&mut place.cargo(&["run", "-p", "bratt", "--example", name])) {
            println!("{message}");
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() {
        Outcome::Passed(format!("{} examples", names.len()))
    } else {
        Outcome::Failed(format!("examples that failed: {}", failed.join(", ")))
    }
}
