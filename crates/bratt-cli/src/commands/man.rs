//! `bratt man`

use crate::args::{Cli, ManArgs};
use crate::failure::{Exit, Failure};
use clap::CommandFactory;
use clap_mangen::Man;
use std::io::Write;
use std::path::Path;

/// Writes the page of the program to standard output, or a page for each command into a folder.
pub fn run(args: &ManArgs) -> Result<(), Failure> {
    let command = Cli::command();
    let Some(folder) = &args.to else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return Ok(std::io::stdout().write_all(&page)?);
    };
    let failed = |path: &Path, error: std::io::Error| {
        let message = format!("{}: cannot be written", path.display());
        Failure::new(Exit::Configuration, message).because(error.to_string())
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    clap_mangen::generate_to(command, folder).map_err(|error| failed(folder, error))?;
    Ok(())
}
