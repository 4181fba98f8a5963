//! Set-up, checks and benchmarks of the bratt workspace: `cargo xtask test` passes all tests, `cargo xtask bench`
//! measures bratt beside its peers.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;
use workspace::Workspace;

mod apt;
mod avx512;
mod bench;
mod book;
mod browser;
mod check;
mod cross;
mod outcome;
mod overhead;
mod workspace;

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
