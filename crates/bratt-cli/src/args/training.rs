//! The command lines of `train`, `find-lr`, `tune`, `resume` and `report`.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const TRAIN_HELP: &str = "\
Every option sets a key of the configuration; both spellings are listed by `--set help`.
Flags override --set, --set overrides --config.

Schedules: constant, linear, step, exponential, cosine, one_cycle; settings follow after commas,
as in `linear,to=1e-5` or `cosine,warm_up_epochs=1`; see `bratt schedule --help`.

Examples:
  bratt train                                        the built-in digits
  bratt train flowers/ --size 96                     a folder of images, a folder a class
  bratt train --data mnist/ --name first             a folder with the IDX files of MNIST
  bratt train --data iris.csv --label species --model softmax
  bratt train --config runs/first/config.toml --name second --set optim.lr=3e-4";

/// Options of `train`.
#[derive(Args, Debug, Default)]
#[command(after_help = TRAIN_HELP, allow_negative_numbers = true)]
pub struct TrainArgs {
    /// A folder of images (a folder a class), a CSV file (a table, or a list of images), tar files, or a folder with
    /// the files of MNIST or CIFAR [default: the built-in digits]
    #[arg(value_name = "DATA", conflicts_with = "data")]
    pub path: Option<String>,
    /// The same
    #[arg(long, value_name = "PATH", help_heading = "Data")]
    pub data: Option<String>,
    /// Images: their side, or height and width, as 48x64 [default: what suits the images]
    #[arg(long, value_name = "SIZE", help_heading = "Data")]
    pub size: Option<String>,
    /// Images of another ratio: crop, pad or squish [default: crop]
    #[arg(long, value_name = "HOW", help_heading = "Data")]
    pub fit: Option<String>,
    /// Images that are corrupt or truncated: fail or skip [default: fail]
    #[arg(long, value_name = "HOW", help_heading = "Data")]
    pub on_bad: Option<String>,
    /// Neither use nor keep decoded images (see `bratt data cache`)
    #[arg(long, help_heading = "Data")]
    pub no_cache: bool,
    /// CSV: the column to predict; tar files: the ending or JSON key of labels; CIFAR-100: fine or coarse
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub label: Option<String>,
    /// Share of the data for validation
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    pub val: Option<f64>,
    /// Share of the data for the final test
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    pub test: Option<f64>,
    /// per-channel, standardize, pca, pca-whiten, zca or none; learned from the training part
    #[arg(long, value_name = "KIND", help_heading = "Data")]
    pub preprocess: Option<String>,
    /// How much classes count where some have more examples than others: none, weights, sqrt-weights or sampling
    /// [default: sqrt-weights where classes are very unequal]
    #[arg(long, value_name = "HOW", help_heading = "Data")]
    pub balance: Option<String>,
    /// Random changes to training images: none, light, standard or strong
    /// [default: standard for images in colour, else none]
    #[arg(long, value_name = "AMOUNT", help_heading = "Data")]
    pub augment: Option<String>,

    /// convnet-s, resnet20, resnet18, mobilenet-v2, efficientnet-lite0, lenet, mlp, softmax, logistic, linear, ..., such
    /// as mlp-300-100-bn-dropout, or a list of layers (.toml)
    #[arg(long, value_name = "NAME|FILE", help_heading = "Model")]
    pub model: Option<String>,
    /// Units of the hidden layers of an mlp, such as 512,256
    #[arg(long, value_name = "N,N,...", help_heading = "Model", value_delimiter = ',')]
    pub hidden: Option<Vec<u32>>,
    /// relu, leaky_relu, elu, sigmoid, tanh, softplus or maxout
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub activation: Option<String>,
    /// Probability of dropping a hidden unit
    #[arg(long, value_name = "P", help_heading = "Model")]
    pub drop: Option<f64>,
    /// Probability of dropping an input
    #[arg(long, value_name = "P", help_heading = "Model")]
    pub input_drop: Option<f64>,
    /// Whether batch norm stands before each activation
    #[arg(long, value_name = "true|false", help_heading = "Model", num_args = 0..=1, default_missing_value = "true")]
    pub batch_norm: Option<bool>,
    /// zeros, small_normal, xavier_normal, xavier_uniform, he_normal, he_uniform or orthogonal
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub init: Option<String>,

    /// sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw
    #[arg(long, value_name = "NAME", help_heading = "Optimizer")]
    pub optimizer: Option<String>,
    /// Learning rate, or auto: the usual one, unless trying rates says something else [default: auto]
    #[arg(long, value_name = "RATE|auto", help_heading = "Optimizer")]
    pub lr: Option<String>,
    /// How the learning rate changes
    #[arg(long, value_name = "SPEC", help_heading = "Optimizer")]
    pub schedule: Option<String>,
    /// Momentum: a number, or a schedule such as linear,from=0.5,to=0.99 or sutskever
    #[arg(long, value_name = "MU", help_heading = "Optimizer")]
    pub momentum: Option<String>,
    /// Strength of weight decay
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub weight_decay: Option<f64>,
    /// Judge and keep a running average of the weights, of which each step keeps this share, such as 0.999
    #[arg(long, value_name = "SHARE", help_heading = "Optimizer")]
    pub average: Option<f64>,
    /// Limit of the norm of the whole gradient
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub clip_norm: Option<f64>,
    /// Limit of each component of the gradient
    #[arg(long, value_name = "X", help_heading = "Optimizer")]
    pub clip_value: Option<f64>,

    /// How often the training part is seen
    #[arg(long, short, value_name = "N", help_heading = "Training")]
    pub epochs: Option<u64>,
    /// Examples in one step [default: 64, less for little data]
    #[arg(long, short, value_name = "N", help_heading = "Training")]
    pub batch_size: Option<u64>,
    /// Decides everything random: split, order, weights, dropout
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub seed: Option<u64>,
    /// Stop after so many epochs without a better result on the validation part; 0 never stops early
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub patience: Option<u64>,
    /// What decides which epoch is kept, and about patience: val_loss, accuracy, macro_f1 or balanced_accuracy
    /// [default: val_loss]
    #[arg(long, value_name = "MEASURE", help_heading = "Training")]
    pub monitor: Option<String>,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub threads: Option<u64>,
    /// Threads that make batches beside the training [default: 1 if images are changed, else 0]; the result does not
    /// depend on it
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub loaders: Option<u64>,
    /// Instruction set: avx512, avx2, neon or scalar [default: the best there is]
    #[arg(long, value_name = "NAME", help_heading = "Training")]
    pub isa: Option<String>,

    /// Name of the run: its folder inside the folder of runs
    #[arg(long, value_name = "NAME", help_heading = "Run")]
    pub name: Option<String>,
    /// Folder of runs
    #[arg(long, visible_alias = "out", value_name = "FOLDER", help_heading = "Run")]
    pub runs: Option<String>,
    /// Least seconds between two checkpoints, from which `bratt resume` goes on; 0: every step [default: 10]
    #[arg(long, value_name = "SECONDS", help_heading = "Run")]
    pub checkpoint_every: Option<f64>,
    /// Read settings from a TOML file, such as the config.toml of an earlier run
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// Set one key, such as optim.rho2=0.99; `--set help` lists the keys
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Run")]
    pub set: Vec<String>,
    /// Show curves and the last epochs on the whole terminal while training
    #[arg(long, help_heading = "Run")]
    pub dashboard: bool,
    /// Write an event file for TensorBoard into the folder of the run
    #[arg(long, help_heading = "Run")]
    pub tensorboard: bool,
    /// Write no report.html
    #[arg(long, help_heading = "Run")]
    pub no_report: bool,
    /// Print one JSON object on standard output at the end, and all else on standard error
    #[arg(long, help_heading = "Run")]
    pub json: bool,
}

const FIND_LR_HELP: &str = "\
A fresh network is trained for some steps at rates that grow, and the loss shown over the rate: it
falls, turns, and explodes. A good rate lies about a decade before the turn. All other options are
those of `bratt train`, so that it is its network, its data and its optimizer that are tried.

Examples:
  bratt find-lr flowers/ --model resnet20 --optimizer nesterov
  bratt find-lr --from 1e-4 --to 1 --steps 200";

/// Options of `find-lr`.
#[derive(Args, Debug)]
#[command(after_help = FIND_LR_HELP, allow_negative_numbers = true)]
pub struct FindLrArgs {
    /// What to train
    #[command(flatten)]
    pub train: TrainArgs,
    /// The lowest rate [default: 1e-6]
    #[arg(long, value_name = "RATE", help_heading = "Range")]
    pub from: Option<f64>,
    /// The highest rate [default: 10]
    #[arg(long, value_name = "RATE", help_heading = "Range")]
    pub to: Option<f64>,
    /// How many rates [default: 140]
    #[arg(long, value_name = "N", help_heading = "Range")]
    pub steps: Option<usize>,
}

const TUNE_HELP: &str = "\
What is searched is declared per key: a range, over the logarithm if it says so, or values.
`halving` trains all trials for a little, the best third of them for longer, and so on; `random`
trains every trial to its end. All other options are those of `bratt train`. Trials are judged by
the validation part; the test part has no say in it.

Examples:
  bratt tune --try optim.lr=1e-4..1e-1:log --try optim.type=adam,nesterov
  bratt tune flowers/ --trials 27 --epochs 40 --try optim.lr=1e-4..1e-2:log \\
             --try augment.preset=light,standard,strong --try train.batch_size=32,64,128
  bratt resume runs/tune-flowers-1                    after an interruption";

/// How to search.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Successive halving.
    Halving,
    /// Every trial to its end.
    Random,
}

/// What a trial is judged by.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The validation accuracy; of equals the lower loss.
    Accuracy,
    /// The mean F1 of the classes; of equals the lower loss.
    MacroF1,
    /// The validation loss.
    Loss,
}

impl By {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            By::Accuracy => "accuracy",
            By::MacroF1 => "macro-F1",
            By::Loss => "val loss",
        }
    }
}

/// Options of `tune`.
#[derive(Args, Debug)]
#[command(after_help = TUNE_HELP, allow_negative_numbers = true)]
pub struct TuneArgs {
    /// What to train
    #[command(flatten)]
    pub train: TrainArgs,
    /// Search a key: over a range, as optim.lr=1e-4..1e-1:log, or values, as optim.type=adam,nesterov; may be given again
    #[arg(long = "try", value_name = "KEY=VALUES", help_heading = "Search")]
    pub search: Vec<String>,
    /// A TOML file whose table [space] declares keys to search
    #[arg(long, value_name = "FILE", help_heading = "Search")]
    pub space: Option<PathBuf>,
    /// How many trials
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Search")]
    pub trials: usize,
    /// halving or random
    #[arg(
        long,
        value_name = "HOW",
        default_value = "halving",
        hide_possible_values = true,
        help_heading = "Search"
    )]
    pub method: Method,
    /// halving: the fewest epochs of a trial
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Search")]
    pub least_epochs: usize,
    /// What trials are judged by: accuracy, macro-f1 or loss
    #[arg(
        long,
        value_name = "MEASURE",
        default_value = "accuracy",
        hide_possible_values = true,
        help_heading = "Search"
    )]
    pub by: By,
}

const RESUME_HELP: &str = "\
The model becomes the same, byte for byte, as if training had never been interrupted.

Examples:
  bratt resume runs/digits-1
  bratt resume runs/tune-digits-1             a search; each trial becomes what it would have been
  bratt resume runs/digits-1 --epochs +20     20 epochs more, at the learning rate that the schedule ended with";

/// Options of `resume`.
#[derive(Args, Debug)]
#[command(after_help = RESUME_HELP)]
pub struct ResumeArgs {
    /// The folder of the run
    pub run: PathBuf,
    /// Epochs in all, or with + so many more
    #[arg(long, short, value_name = "N|+N", allow_hyphen_values = true)]
    pub epochs: Option<String>,
    /// Where the data is now, if it was moved
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Neither use nor keep decoded images (see `bratt data cache`)
    #[arg(long)]
    pub no_cache: bool,
    /// Threads [default: as before]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<u64>,
    /// Threads that make batches beside the training [default: as before]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub loaders: Option<u64>,
    /// Show curves and the last epochs on the whole terminal while training
    #[arg(long)]
    pub dashboard: bool,
    /// Write an event file for TensorBoard into the folder of the run
    #[arg(long)]
    pub tensorboard: bool,
    /// Write no report.html
    #[arg(long)]
    pub no_report: bool,
    /// Print one JSON object on standard output at the end, and all else on standard error
    #[arg(long)]
    pub json: bool,
}

const REPORT_HELP: &str = "\
`train` and `resume` write report.html into the folder of the run at their end; this makes it anew from the folder and
the data. It is one file that loads nothing: it can be sent, kept and printed.

Examples:
  bratt report runs/digits-1 --open
  bratt report runs/flowers-2 -o flowers.html";

/// Options of `report`.
#[derive(Args, Debug)]
#[command(after_help = REPORT_HELP)]
pub struct ReportArgs {
    /// The folder of the run
    pub run: PathBuf,
    /// Where to write the page [default: report.html in the folder of the run]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Open the page in the browser: yes or no [default: no]
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, default_missing_value = "yes", default_value = "no",
        hide_default_value = true, hide_possible_values = true)]
    pub open: YesNo,
    /// Where the data is now, if it was moved
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Neither use nor keep decoded images (see `bratt data cache`)
    #[arg(long)]
    pub no_cache: bool,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<u64>,
}

/// Yes or no.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}
