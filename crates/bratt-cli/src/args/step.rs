//! The command line of `step`.

use clap::Args;
use std::path::PathBuf;

const STEP_HELP: &str = "\
Order, augmentation, dropout and rates are functions of seed and step, so that a step can be done again exactly: from the
nearest checkpoint before it, or else from the beginning. Nothing is written.

Examples:
  bratt step runs/digits-1 --at 120
  bratt step runs/digits-1 --at 120 --param dense1.weight";

/// Options of `step`.
#[derive(Args, Debug)]
#[command(after_help = STEP_HELP)]
pub struct StepArgs {
    /// The folder of the run
    pub run: PathBuf,
    /// Which step, counted from 1 over all epochs [default: the last]
    #[arg(long, value_name = "K")]
    pub at: Option<u64>,
    /// Show everything about one parameter
    #[arg(long, value_name = "NAME")]
    pub param: Option<String>,
    /// Where the data is now, if it was moved
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Print one JSON object; with --param it holds the arrays of that parameter
    #[arg(long)]
    pub json: bool,
}
