//! The command lines of `eval`, `compare` and `labels`.

use clap::Args;
use std::path::PathBuf;

const EVAL_HELP: &str = "\
Measures for --require: accuracy, balanced_accuracy, macro_f1, top_3, top_5, kappa, loss, log_loss, brier, ece, roc_auc,
pr_auc; of a regression loss, mse, r2. Shares are from 0 to 1, or with a percent sign.

Examples:
  bratt eval runs/first --require 'accuracy>=0.9' --require 'ece<5%'
  bratt eval runs/first new-photos/ --predictions said.csv
  bratt eval runs/first --precision 0.99                 from which confidence on is it that precise?";

/// Options of `eval`.
#[derive(Args, Debug)]
#[command(after_help = EVAL_HELP)]
pub struct EvalArgs {
    /// A model file, or the folder of a run
    pub model: PathBuf,
    /// Whatever `train` takes: the test part, if there is one, else all
    /// [default: the test part of the model's own run]
    pub data: Option<PathBuf>,
    /// How the data are read.
    #[command(flatten)]
    pub reading: Reading,
    /// Fail (exit code 1) unless it holds, such as 'accuracy>=0.9' or 'log_loss<0.2'; may be given again
    #[arg(long, value_name = "CONDITION")]
    pub require: Vec<String>,
    /// Write what the model says of each example to a .csv or .jsonl file
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// Find the confidence from which on the model is at least so precise, and the part of the examples that reach it
    #[arg(long, value_name = "FRACTION")]
    pub precision: Option<f64>,
    /// Show the N mistakes of the largest loss
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub worst: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How data are read that a model is to be judged on.
#[derive(Args, Debug, Default)]
pub struct Reading {
    /// The column or key that holds the labels
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Images that are corrupt or truncated: fail or skip [default: fail]
    #[arg(long, value_name = "HOW")]
    pub on_bad: Option<String>,
    /// Neither use nor keep decoded images (see `bratt data cache`)
    #[arg(long)]
    pub no_cache: bool,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

const COMPARE_HELP: &str = "\
Both runs must have been trained on the same data with the same test part, which follows from the data and --seed. McNemar's
test then looks at the test examples that only one of them classifies rightly.";

/// Options of `compare`.
#[derive(Args, Debug)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArgs {
    /// The folder of a run
    pub first: PathBuf,
    /// The folder of another
    pub second: PathBuf,
    /// Neither use nor keep decoded images (see `bratt data cache`)
    #[arg(long)]
    pub no_cache: bool,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const LABELS_HELP: &str = "\
A model that has learned from an example has learned its label too, wrong or not. So without DATA the validation and test parts
of the run are looked through, and with --folds all of its data: K models are trained with the run's configuration, each on
the other folds, and say what they make of theirs.

Examples:
  bratt labels runs/first                       the held-out parts of its data
  bratt labels runs/first --folds 4             all of its data; takes about four trainings
  bratt labels runs/first new-photos/ --csv suspects.csv";

/// Options of `labels`.
#[derive(Args, Debug)]
#[command(after_help = LABELS_HELP)]
pub struct LabelsArgs {
    /// The folder of a run, or a model file
    pub model: PathBuf,
    /// Other data than the run's, to look through as they are [default: the validation and test parts of the run]
    #[arg(conflicts_with = "folds")]
    pub data: Option<PathBuf>,
    /// How the data are read.
    #[command(flatten)]
    pub reading: Reading,
    /// Train K models with the run's configuration, so that every example is judged by one that has not seen it
    #[arg(long, value_name = "K")]
    pub folds: Option<usize>,
    /// How many to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Write the whole ranking to a CSV file
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
