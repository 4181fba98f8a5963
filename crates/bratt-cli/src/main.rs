//! The `bratt` program: arguments and terminal around the library.
//!
//! | file | what |
//! |---|---|
//! | `args.rs` | the command line as typed |
//! | `settings.rs` | first stage of the configuration: file, `--set`, flags, each value with its origin |
//! | `plan.rs` | second stage: what the settings mean for the data at hand |
//! | `spec.rs` | schedules as one word |
//! | `commands/` | one file per command |
//! | `terminal.rs` | colours, lines, the progress bar |
//! | `dashboard/` | a training on the whole terminal |
//! | `failure.rs` | exit codes, errors as people meet them |
#![forbid(unsafe_code)]

mod args;
mod commands;
mod dashboard;
mod failure;
mod places;
mod plan;
mod settings;
mod spec;
mod terminal;

use args::{Cli, Command, ConfigCommand, DataCommand};
use clap::Parser;
use failure::{Exit, Failure};
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    terminal::set_colors(cli.global.color);
    failure::explain_panics();
    stay_without_terminal();
    match panic::catch_unwind(AssertUnwindSafe(|| run(&cli))) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) => {
            terminal::tell(&failure.text());
            ExitCode::from(failure.exit())
        }
        Err(_) => ExitCode::from(Exit::Bug as u8),
    }
}

/// Runs a command; the number is its exit code.
fn run(cli: &Cli) -> Result<u8, Failure> {
    let code = match &cli.command {
        Command::Train(args) => commands::train::run(args, cli.global)?,
        Command::FindLr(args) => commands::find_lr::run(args, cli.global)?,
        Command::Tune(args) => commands::tune::run(args, cli.global)?,
        Command::Resume(args) => commands::resume::run(args, cli.global)?,
        Command::Report(args) => commands::report::run(args, cli.global)?,
        Command::Data { command: DataCommand::Fetch(args) } => commands::fetch::run(args, cli.global)?,
        Command::Data { command: DataCommand::Cache(args) } => commands::cache::run(args, cli.global)?,
        Command::Audit(args) => commands::audit::run(args, cli.global)?,
        Command::Eval(args) => commands::eval::run(args, cli.global)?,
        Command::Compare(args) => commands::compare::run(args, cli.global)?,
        Command::Labels(args) => commands::labels::run(args, cli.global)?,
        Command::Predict(args) => commands::predict::run(args)?,
        Command::Explain(args) => commands::explain::run(args, cli.global)?,
        Command::Inspect(args) => commands::inspect::run(args).map(|()| 0)?,
        Command::Lab(args) => commands::lab::run(args, cli.global)?,
        Command::Surface(args) => commands::surface::run(args, cli.global)?,
        Command::Trace(args) => commands::trace::run(args, cli.global)?,
        Command::Gradcheck(args) => commands::gradcheck::run(args, cli.global)?,
        Command::Schedule(args) => commands::schedule::run(args).map(|()| 0)?,
        Command::Step(args) => commands::step::run(args, cli.global)?,
        Command::Fit(args) => commands::fit::run(args, cli.global)?,
        Command::Config { command: ConfigCommand::Show(args) } => commands::config::show(args).map(|()| 0)?,
        Command::Config { command: ConfigCommand::Explain(args) } => {
            commands::config::explain(args).map(|()| 0)?
        }
        Command::Config { command: ConfigCommand::Schema } => commands::config::print_schema().map(|()| 0)?,
        Command::Man(args) => commands::man::run(args).map(|()| 0)?,
        Command::Completions { shell } => commands::completions::run(*shell).map(|()| 0)?,
    };
    std::io::stdout().flush()?;
    Ok(code)
}

/// Who starts the program with `nohup` wants it to outlive the terminal, although a training ends cleanly on SIGHUP: a
/// blocked signal never comes. Threads that are begun later inherit this.
fn stay_without_terminal() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::signal::{SigSet, Signal};
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        if ignored >> (Signal::SIGHUP as u32 - 1) & 1 == 1 {
            // If that fails, the training ends with its terminal, and can be resumed.
            let _ = SigSet::from(Signal::SIGHUP).thread_block();
        }
    }
}
