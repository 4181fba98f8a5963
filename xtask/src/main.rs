//! Set-up, checks and benchmarks of the bratt workspace: `cargo xtask test` passes all tests, `cargo xtask bench`
//! measures bratt beside its peers.
#![forbid(unsafe_code)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod apt;
mod avx512;
mod bench;
mod book;
mod browser;
mod check;
mod cross;
mod overhead;

const HELP: &str = "\
cargo xtask test [STEP...]    all checks and tests, or only the steps named
cargo xtask book [--renew]     the book's commands against what it shows; or its pictures and numbers anew
cargo xtask avx512 [FILTER]   the kernels' tests under emulated AVX-512 (minutes; needs Debian's package sources)
cargo xtask bench [NAME...]   bratt beside PyTorch and JAX (needs python3 with venv)
cargo xtask overhead [--dev]   what a run folder and the dashboard cost a training
";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let command = args.next();
    let names: Vec<String> = args.collect();
    let place = Workspace::find();
    let done = match command.as_deref() {
        Some("test") => check::run(&place, &names),
        Some("book") => book::run(&place, &names),
        Some("avx512") => avx512::run(&place, &names),
        Some("bench") => bench::run(&place, &names),
        Some("overhead") => overhead::run(&place, &names),
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprint!("error: there is no command `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Where the sources are and where build output goes.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()
            .unwrap_or_else(|_| PathBuf::from("."));
        // This program lies in TARGET/PROFILE/xtask, whatever the configuration calls TARGET.
        let target = env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(2)?.to_path_buf()));
        Self { target: target.unwrap_or_else(|| root.join("target")), root }
    }

    /// The cargo that runs us, in the workspace root, with build output where ours is.
    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

/// Runs a command with its output shown; the error says what was run and how it ended.
fn succeed(command: &mut Command) -> Result<(), String> {
    let name = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Runs a command and gives its standard output.
fn output(command: &mut Command) -> Result<String, String> {
    let name = shown(command);
    match command.output() {
        Ok(out) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(out) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
            Err(format!("{name}: {}: {last}", out.status))
        }
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The command's program and first few arguments, short enough for a table.
fn shown(command: &Command) -> String {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().take(4).map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}
