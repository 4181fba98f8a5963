//! `bratt completions SHELL`

use crate::args::Cli;
use crate::failure::Failure;
use clap::CommandFactory;
use std::io::Write;

/// Writes the completion script.
pub fn run(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bratt", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(())
}
