//! The command line of `surface`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

const SURFACE_HELP: &str = "\
All optimizers begin at the same place and see the same cost, in f64, by the equations that training uses.
What nobody sets is chosen so that each shows what it is like, and the table says why: sgd near the limit
2/λ1 of the largest curvature at the start (it turns at each step), momentum and nesterov at 1/λ1, the others
at a share of the distance to go. Rates, schedules and momentum are written as for `bratt train`; a rate may be
given for each, as sgd=0.045,adam=0.1.

Built-in points, each raw and preprocessed (zero mean, unit variance) side by side:
  scaling-1   (101, 101) -> 2, (101, 99) -> 0     inputs far from zero
  scaling-2   (0.2, 10) -> 2, (0.2, -10) -> 0     inputs of unequal scale

Examples:
  bratt surface -o ravine.html
  bratt surface '(1 - x)^2 + 100*(y - x^2)^2' --optim sgd,momentum,adam --steps 500 -o valley.html
  bratt surface --points scaling-1 -o scaling.html
  bratt surface --optim sgd --lr 0.051 --steps 40
  bratt surface --data points.csv --target y --model logistic --json";

/// Options of `surface`.
#[derive(Args, Debug)]
#[command(after_help = SURFACE_HELP, allow_negative_numbers = true)]
pub struct SurfaceArgs {
    /// The cost as an expression of two names, in the language of `bratt trace` [default: x^2 + 20*y^2]
    #[arg(value_name = "EXPR", conflicts_with_all = ["points", "data"])]
    pub expression: Option<String>,
    /// Built-in points: scaling-1 or scaling-2
    #[arg(long, value_name = "NAME", conflicts_with = "data", help_heading = "Problem")]
    pub points: Option<String>,
    /// A CSV file: two features, or one that gets a bias, and a target
    #[arg(long, value_name = "FILE", help_heading = "Problem", requires = "target")]
    pub data: Option<PathBuf>,
    /// The column to explain
    #[arg(long, value_name = "COLUMN", help_heading = "Problem", requires = "data")]
    pub target: Option<String>,
    /// The columns to explain it by [default: all others]
    #[arg(long, value_name = "A,B", help_heading = "Problem", value_delimiter = ',', requires = "data")]
    pub features: Vec<String>,
    /// linear or logistic regression
    #[arg(
        long,
        value_name = "NAME",
        default_value = "linear",
        hide_possible_values = true,
        help_heading = "Problem"
    )]
    pub model: SurfaceModel,
    /// Where all begin, one number a parameter, as -1.5,1
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true, help_heading = "Problem")]
    pub start: Option<String>,

    /// Optimizers, divided by commas: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw
    #[arg(
        long,
        visible_alias = "optimizer",
        value_name = "NAMES",
        default_value = "sgd,momentum,nesterov,adagrad,rmsprop,adam",
        hide_default_value = true,
        help_heading = "Optimizer"
    )]
    pub optim: String,
    /// Learning rate: one for all, or by optimizer, as sgd=0.045,adam=0.1
    #[arg(long, value_name = "RATE", help_heading = "Optimizer")]
    pub lr: Option<String>,
    /// How the learning rate changes [default: constant]
    #[arg(long, value_name = "SPEC", help_heading = "Optimizer")]
    pub schedule: Option<String>,
    /// Momentum: a number, or a schedule such as linear,from=0.5,to=0.99 [default: 0.7]
    #[arg(long, value_name = "MU", help_heading = "Optimizer")]
    pub momentum: Option<String>,
    /// Strength of weight decay
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub weight_decay: Option<f64>,
    /// Limit of the norm of the whole gradient
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub clip_norm: Option<f64>,
    /// Limit of each component of the gradient
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub clip_value: Option<f64>,
    /// Set optim.rho, optim.rho1, optim.rho2 or optim.epsilon
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Optimizer")]
    pub set: Vec<String>,
    /// How many steps
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Optimizer")]
    pub steps: u64,

    /// Write the picture (.svg) or a page with a play button (.html); may be given again
    #[arg(long, short, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    /// What the picture shows of each parameter, as -2,2,-1,1 [default: start, minimum and paths]
    #[arg(long, value_name = "X,X,Y,Y", allow_hyphen_values = true)]
    pub range: Option<String>,
    /// Print one JSON object: every iterate of every optimizer to full precision
    #[arg(long)]
    pub json: bool,
}

/// Regressions of `surface`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurfaceModel {
    /// Least squares.
    Linear,
    /// Two classes.
    Logistic,
}
