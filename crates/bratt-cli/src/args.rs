//! The command line, as it is typed. What it means is decided in [`settings`](crate::settings).

mod judging;

use crate::failure::EXIT_CODES;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use judging::{CompareArgs, EvalArgs, LabelsArgs, Reading};
use std::path::PathBuf;

/// Trains image classifiers on the CPU.
#[derive(Parser, Debug)]
#[command(
    name = "bratt",
    version,
    about = "Trains image classifiers on the CPU.",
    after_help = EXIT_CODES,
    max_term_width = 100,
    disable_help_subcommand = true,
    override_usage = "bratt [OPTIONS] COMMAND",
    before_help = "Try `bratt train`: it learns to read the handwritten digits that it carries, in seconds."
)]
pub struct Cli {
    /// How to talk.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Debug, Clone, Copy)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// When to use colours: auto, always or never; NO_COLOR is obeyed, too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// Print results only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show no progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// When to use colours.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a classifier; without arguments on the built-in digits
    Train(Box<TrainArgs>),
    /// Go on with a training that was interrupted, or make it longer
    Resume(ResumeArgs),
    /// Find a learning rate by trying; nothing is written
    FindLr(Box<FindLrArgs>),
    /// Write the report of a run again, as one HTML page
    Report(ReportArgs),
    /// Find what is wrong with data: unreadable files, duplicates, wrong labels, imbalance
    Audit(AuditArgs),
    /// Data sets that are known by name
    Data {
        /// What to do with them.
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Judge a model on labelled data
    Eval(EvalArgs),
    /// Compare two runs: configuration, measures, and McNemar's test on the same test examples
    Compare(CompareArgs),
    /// Rank examples by how likely their label is wrong
    Labels(LabelsArgs),
    /// Say what a model makes of images or table rows
    Predict(PredictArgs),
    /// Show as pictures what in an image speaks for a class, and what the first layer looks for
    Explain(ExplainArgs),
    /// Show layers, graph, compiled program or timing of a model
    Inspect(InspectArgs),
    /// Show a learning-rate schedule as a plot and a table
    Schedule(ScheduleArgs),
    /// Show the configuration as it would be resolved, explain its keys, or print its schema
    Config {
        /// What to show.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Write the manual page
    Man(ManArgs),
    /// Write the completion script of a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

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
    /// Learning rate
    #[arg(long, value_name = "RATE", help_heading = "Optimizer")]
    pub lr: Option<f64>,
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
    /// Examples in one step
    #[arg(long, short, value_name = "N", help_heading = "Training")]
    pub batch_size: Option<u64>,
    /// Decides everything random: split, order, weights, dropout
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub seed: Option<u64>,
    /// Stop after so many epochs without a better validation loss; 0 never stops early
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub patience: Option<u64>,
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

const RESUME_HELP: &str = "\
The model becomes the same, byte for byte, as if training had never been interrupted.

Examples:
  bratt resume runs/digits-1
  bratt resume runs/digits-1 --epochs +20     20 epochs more, at the learning rate that the schedule ended with";

/// Options of `resume`.
#[derive(Args, Debug)]
#[command(after_help = RESUME_HELP)]
pub struct ResumeArgs {
    /// The folder of the run
    pub run: PathBuf,
    /// Epochs in all, or with + so many more
    #[arg(long, short, value_name = "N|+N")]
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

const AUDIT_HELP: &str = "\
Exit code 1 where files are unreadable, or equal examples have different labels or are in different parts.";

/// Options of `audit`.
#[derive(Args, Debug)]
#[command(after_help = AUDIT_HELP)]
pub struct AuditArgs {
    /// Whatever `train` takes; nothing in it is changed
    pub data: PathBuf,
    /// The column or key that holds the labels
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// CSV: the labels are numbers
    #[arg(long)]
    pub regression: bool,
    /// Tell all findings, not only the first ten of each kind
    #[arg(long)]
    pub all: bool,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `config`.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// The configuration that `train` with the same options would have, each value with its origin
    Show(Box<TrainArgs>),
    /// What a key means, what values it takes, and what it is when nobody sets it
    Explain(ExplainKeyArgs),
    /// The JSON schema of configuration files, for editors that complete and check
    Schema,
}

/// Options of `config explain`.
#[derive(Args, Debug)]
pub struct ExplainKeyArgs {
    /// The key, such as optim.lr, or a section, such as optim [default: all]
    pub key: Option<String>,
}

/// Options of `man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write a page for each command into this folder instead of one to standard output
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
}

/// Commands of `data`.
#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// Find a known data set on this machine, or download it; without a name, list them
    Fetch(FetchArgs),
    /// Show where decoded images are kept and how much room they take, or remove them
    Cache(CacheArgs),
}

const CACHE_HELP: &str = "\
Image files are decoded and resized once; later trainings and evaluations of the same files at the same size read the
pixels from here. What has not been used for longest goes first when the limit is reached. Nothing in it is needed.";

/// Options of `data cache`.
#[derive(Args, Debug)]
#[command(after_help = CACHE_HELP)]
pub struct CacheArgs {
    /// Remove what is kept
    #[arg(long)]
    pub clear: bool,
}

const FETCH_HELP: &str = "\
Files are checked by their SHA-256. A download that broke off goes on where it ended. Nothing is downloaded where a
package of the system has the data set, such as Debian's dataset-fashion-mnist.

Examples:
  bratt data fetch fashion-mnist
  bratt data fetch cifar10 --to data/cifar10 && bratt train data/cifar10";

/// Options of `data fetch`.
#[derive(Args, Debug)]
#[command(after_help = FETCH_HELP)]
pub struct FetchArgs {
    /// mnist, fashion-mnist, cifar10 or cifar100
    pub name: Option<String>,
    /// The folder to put it into [default: bratt/NAME in the user's data folder, such as ~/.local/share]
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
}

/// Options of `predict`.
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// A model file, or the folder of a run
    pub model: PathBuf,
    /// Image files, folders of images, or CSV files
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// How many classes to show
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub top: usize,
    /// Read images as dark ink on light paper, for models of light ink on dark
    #[arg(long)]
    pub invert: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

const EXPLAIN_HELP: &str = "\
A picture shows an image as the network sees it, and beside it the same under a map:
  grad-cam               where the last convolution's features lie that speak for the class
  integrated-gradients   what each pixel adds to the class's score, counted from a baseline;
                         orange is for the class, blue against it
  gradient               the pixels that would change the score most
  smoothgrad             the same, averaged over noisy copies of the image

Examples:
  bratt explain runs/flowers-1 rose.jpg
  bratt explain runs/flowers-1 rose.jpg --class tulip --method all
  bratt explain runs/flowers-1 --filters";

/// Options of `explain`.
#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_HELP)]
pub struct ExplainArgs {
    /// A model file, or the folder of a run
    pub model: PathBuf,
    /// Image files, or folders of images
    #[arg(required_unless_present = "filters")]
    pub images: Vec<PathBuf>,
    /// grad-cam, gradient, smoothgrad, integrated-gradients or all
    /// [default: grad-cam, or integrated-gradients for networks without convolutions]
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub method: Option<ExplainMethod>,
    /// The class to explain [default: the predicted one]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Folder for the pictures [default: explain in the folder of the run, or else here]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Show the weights of the first layer, too
    #[arg(long)]
    pub filters: bool,
    /// Read images as dark ink on light paper, for models of light ink on dark
    #[arg(long)]
    pub invert: bool,
    /// Integrated gradients: steps from the baseline to the image
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub steps: usize,
    /// Integrated gradients: count from a black image or from the mean of the training images
    #[arg(long, value_name = "black|mean", default_value = "black", hide_possible_values = true)]
    pub baseline: ExplainBaseline,
    /// SmoothGrad: noisy copies
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub samples: usize,
    /// SmoothGrad: standard deviation of the noise as a part of the image's range
    #[arg(long, value_name = "X", default_value_t = 0.15)]
    pub noise: f64,
    /// SmoothGrad: decides the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Threads [default: one a processor]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Methods of `explain`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainMethod {
    /// Class activation by gradients.
    GradCam,
    /// Plain gradients.
    Gradient,
    /// Gradients smoothed by noise.
    #[value(name = "smoothgrad")]
    SmoothGrad,
    /// Gradients along a path.
    IntegratedGradients,
    /// All that the network allows.
    All,
}

/// Where integrated gradients count from.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainBaseline {
    /// A black image.
    Black,
    /// The mean of the training images.
    Mean,
}

/// Options of `inspect`.
#[derive(Args, Debug)]
pub struct InspectArgs {
    /// A model file, the folder of a run, a list of layers (.toml), or the name of a model such as resnet20
    pub model: String,
    /// The graph as text
    #[arg(long, group = "view")]
    pub graph: bool,
    /// The graph for Graphviz: `... --dot | dot -Tsvg > graph.svg`
    #[arg(long, group = "view")]
    pub dot: bool,
    /// The compiled steps with FLOPs, bytes and memory
    #[arg(long, group = "view")]
    pub program: bool,
    /// The time of each compiled step
    #[arg(long, group = "view")]
    pub profile: bool,
    /// The training step (forward, backward, update) instead of inference
    #[arg(long)]
    pub training: bool,
    /// Examples in a batch
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub batch: usize,
    /// The optimizer of the training step
    #[arg(long, value_name = "NAME", default_value = "adam")]
    pub optimizer: String,
    /// Shape of an example, for a model by name or a list of layers
    #[arg(long, value_name = "H,W,C", default_value = "8,8,1", value_delimiter = ',')]
    pub input: Vec<usize>,
    /// Number of classes, for a model by name or a list of layers
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub classes: usize,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Instruction set [default: the best there is]
    #[arg(long, value_name = "NAME")]
    pub isa: Option<String>,
    /// Write layers, cost and memory as JSON
    #[arg(long, conflicts_with = "view")]
    pub json: bool,
    /// How often --profile runs the program
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub runs: u32,
}

const SCHEDULE_HELP: &str = "\
A schedule is a kind and its settings, divided by commas:
  constant          rate
  linear            from, to, steps
  step              rate, factor, every
  exponential       rate, factor, every
  cosine            from, to, steps
  one_cycle         peak, steps, rise
  sutskever         max (a growing momentum)
Any of them may have warm_up=N: a linear rise over N steps before it. When training, the lengths may be
given in epochs, as epochs=, every_epochs= and warm_up_epochs=; what is left out follows from --lr and --epochs.

Examples:
  bratt schedule linear,from=1e-3,to=1e-5,steps=2000
  bratt schedule cosine,warm_up=200 --lr 0.1 --steps 5000";

/// Options of `schedule`.
#[derive(Args, Debug)]
#[command(after_help = SCHEDULE_HELP, allow_negative_numbers = true)]
pub struct ScheduleArgs {
    /// The schedule
    pub spec: String,
    /// The rate to start from, or the peak, where the schedule does not say
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub lr: f64,
    /// Length of the training in steps
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub steps: u64,
    /// Steps in an epoch, for settings in epochs
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub steps_per_epoch: u64,
    /// Print the rate of every step as JSON
    #[arg(long)]
    pub json: bool,
}
