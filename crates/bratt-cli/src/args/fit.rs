//! The command line of `fit`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

const FIT_HELP: &str = "\
Columns of text become indicators of their values, compared with the first value in string order.
The exact solution is by QR (linear) or Newton's method (logistic, softmax); gradient descent from
zero is run beside it and held against it.

Examples:
  bratt fit houses.csv --target price
  bratt fit exams.csv --target admitted -o exams.html     the decision boundary as a picture
  bratt fit filip.csv --target y --degree 10";

/// Options of `fit`.
#[derive(Args, Debug)]
#[command(after_help = FIT_HELP, allow_negative_numbers = true)]
pub struct FitArgs {
    /// The table: CSV, plain or gzip
    pub table: PathBuf,
    /// The column to explain [default: the last]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// linear, logistic or softmax [default: what suits the target]
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub model: Option<FitModel>,
    /// The columns to explain it by [default: all others]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub features: Option<Vec<String>>,
    /// Powers of each number, up to this
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub degree: u32,
    /// Leave the column of ones out
    #[arg(long)]
    pub no_intercept: bool,
    /// Penalty lambda/2m on the squares of all coefficients but the intercept
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.0, hide_default_value = true)]
    pub l2: f64,
    /// Rows with missing cells: drop or fail
    #[arg(long, value_name = "HOW", default_value = "drop", hide_possible_values = true)]
    pub missing: Missing,
    /// Steps of gradient descent; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Gradient descent")]
    pub steps: u64,
    /// Its learning rate [default: 1 / largest curvature]
    #[arg(long, value_name = "RATE", help_heading = "Gradient descent")]
    pub lr: Option<f64>,
    /// How the learning rate changes
    #[arg(long, value_name = "SPEC", default_value = "constant", help_heading = "Gradient descent")]
    pub schedule: String,
    /// sgd, momentum, nesterov, adagrad, rmsprop or adam, each step with all rows
    #[arg(long, value_name = "NAME", default_value = "sgd", help_heading = "Gradient descent")]
    pub optimizer: String,
    /// Descend in the units of the table instead of standardised ones
    #[arg(long, help_heading = "Gradient descent")]
    pub raw: bool,
    /// Write a page (.html) or the picture alone (.svg)
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object with all numbers to full precision
    #[arg(long)]
    pub json: bool,
}

/// Kinds of regression.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FitModel {
    /// Numbers.
    Linear,
    /// Two classes.
    Logistic,
    /// Any number of classes.
    Softmax,
}

/// What becomes of rows with gaps.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// They are left out, and counted.
    Drop,
    /// They are an error.
    Fail,
}
