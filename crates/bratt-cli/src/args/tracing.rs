//! The command lines of `trace` and `gradcheck`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

const LANGUAGE: &str = "\
Values are numbers, [1,2,3], [1,2;3,4], nested brackets, files x=x.npy, or arrays x=case.npz:name.
Operators: + - * / ^ @ (matrix product) < <= > >= == !=; -x^2 is -(x^2). Statements divided by `;`
give names to values: h = relu(x @ w); sum(h).";

const TRACE_HELP: &str = "\
Values are numbers, [1,2,3], [1,2;3,4], nested brackets, files x=x.npy, or arrays x=case.npz:name.
Operators: + - * / ^ @ (matrix product) < <= > >= == !=; -x^2 is -(x^2). Statements divided by `;`
give names to values: h = relu(x @ w); sum(h). `bratt trace --list` shows every function.

Examples:
  bratt trace '(x + y) * z' x=-2 y=5 z=-4
  bratt trace 'sigmoid(w0*x0 + w1*x1 + w2)' w0=2 x0=-1 w1=-3 x1=-2 w2=-3 --html neuron.html
  bratt trace 'conv2d(x, w, stride=2, padding=1)' --with case.npz --json
  bratt trace runs/first photo.jpg                       a trained model and an image, layer by layer";

/// Options of `trace`.
#[derive(Args, Debug)]
#[command(after_help = TRACE_HELP)]
pub struct TraceArgs {
    /// An expression, such as '(x + y) * z', or the folder of a run, or a model file
    #[arg(required_unless_present = "list", allow_hyphen_values = true, value_name = "EXPR|RUN")]
    pub expression: Option<String>,
    /// The values of its names: x=-2, x=[1,2;3,4], x=x.npy; of a run, one image
    #[arg(value_name = "NAME=VALUE|IMAGE")]
    pub values: Vec<String>,
    /// A run: the class whose cross-entropy is the loss [default: the predicted class]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// A run: put the arrays into the JSON, too
    #[arg(long = "values", id = "arrays", requires = "json")]
    pub arrays: bool,
    /// Take the values of further names from the arrays of this file
    #[arg(long = "with", value_name = "FILE.npz")]
    pub with: Vec<PathBuf>,
    /// The part whose gradients are taken [default: the last statement]
    #[arg(long, value_name = "NAME")]
    pub of: Option<String>,
    /// The gradient that arrives at the result: a value or an .npy file [default: ones]
    #[arg(long, value_name = "TENSOR", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// f64: the reference interpreter; f32: the compiled executor
    #[arg(long, value_name = "f64|f32", default_value = "f64", hide_possible_values = true)]
    pub precision: Precision,
    /// Decides the numbers of uniform and dropout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub noise: u64,
    /// Print everything as JSON, to the last bit
    #[arg(long)]
    pub json: bool,
    /// Draw the graph
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Draw the graph on a page with all numbers, light or dark
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print every function with its attributes and defaults
    #[arg(long, exclusive = true)]
    pub list: bool,
}

/// Which executor computes.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// The reference interpreter.
    F64,
    /// The compiled executor.
    F32,
}

/// Options of `gradcheck`.
#[derive(Args, Debug)]
#[command(after_help = LANGUAGE)]
pub struct GradcheckArgs {
    /// An expression, or the folder of a run, or a model file
    #[arg(allow_hyphen_values = true, value_name = "EXPR|RUN")]
    pub subject: String,
    /// The values of an expression's names: x=-2, x=[1,2;3,4], x=x.npy
    #[arg(value_name = "NAME=VALUE")]
    pub values: Vec<String>,
    /// Take the values of further names from the arrays of this file
    #[arg(long = "with", value_name = "FILE.npz")]
    pub with: Vec<PathBuf>,
    /// The part that is differentiated [default: the last statement]
    #[arg(long, value_name = "NAME")]
    pub of: Option<String>,
    /// A run: images to check with [default: sample.png in its folder]
    #[arg(long, value_name = "FILE")]
    pub image: Vec<PathBuf>,
    /// Elements to check of each tensor, spread evenly
    /// [default: all of an expression's, 5 of each parameter of a run]
    #[arg(long, value_name = "N")]
    pub samples: Option<usize>,
    /// The largest relative error that is good
    #[arg(long, value_name = "X", default_value_t = 1e-6)]
    pub tolerance: f64,
    /// Decides the numbers of uniform and dropout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub noise: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
