//! The command line of `lab`.

use clap::Args;
use std::path::PathBuf;

const LAB_HELP: &str = "\
Examples:
  bratt lab                               all experiments, a line each
  bratt lab init                          runs one; writes lab-init.html
  bratt lab spirals -o spirals.svg        the pictures alone, for a slide
  bratt lab all -o lecture                all of them, a page each, into a folder";

/// Options of `lab`.
#[derive(Args, Debug)]
#[command(after_help = LAB_HELP)]
pub struct LabArgs {
    /// The experiment, or `all` [default: list them]
    pub name: Option<String>,
    /// Decides the division of the data, initial weights, order and noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Where the pictures go: a page (.html) or a drawing (.svg); for `all` a folder
    /// [default: lab-NAME.html, or the folder lab]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object; nothing is written unless -o says so
    #[arg(long)]
    pub json: bool,
}
