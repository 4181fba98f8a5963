//! The command line, as it is typed. What it means is decided in [`settings`](crate::settings).

mod data;
mod fit;
pub mod global;
mod judging;
mod lab;
mod step;
mod surface;
mod tracing;
mod training;

use crate::failure::EXIT_CODES;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use data::{AuditArgs, CacheArgs, DataCommand, FetchArgs};
pub use fit::{FitArgs, FitModel, Missing};
pub use global::Global;
pub use judging::{CompareArgs, EvalArgs, LabelsArgs, Reading};
pub use lab::LabArgs;
use std::path::PathBuf;
pub use step::StepArgs;
pub use surface::{SurfaceArgs, SurfaceModel};
pub use tracing::{GradcheckArgs, Precision, TraceArgs};
pub use training::{By, FindLrArgs, Method, ReportArgs, ResumeArgs, TrainArgs, TuneArgs, YesNo};

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

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a classifier; without arguments on the built-in digits
    Train(Box<TrainArgs>),
    /// Go on with a training that was interrupted, or make it longer
    Resume(ResumeArgs),
    /// Find a learning rate by trying; nothing is written
    FindLr(Box<FindLrArgs>),
    /// Search for good settings: each trial a run of its own
    Tune(Box<TuneArgs>),
    /// Write the report of a run again, as one HTML page
    Report(ReportArgs),
    /// Find what is wrong with data: unreadable files, duplicates, wrong labels, imbalance
    Audit(AuditArgs),
    /// Get data sets that are known by name; see to the cache of decoded images
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
    /// Experiments of the lecture, each with a table, a conclusion and pictures; without a name, list them
    Lab(LabArgs),
    /// Show the error surface of two parameters, and the path of each optimizer over it
    Surface(SurfaceArgs),
    /// Show every value and gradient of an expression, and draw its graph as in the lecture
    Trace(TraceArgs),
    /// Compare gradients of an expression or a trained model with differences
    Gradcheck(GradcheckArgs),
    /// Show a learning-rate schedule as a plot and a table
    Schedule(ScheduleArgs),
    /// Do a step of a training again, exactly, and show gradients, optimizer state and updates
    Step(StepArgs),
    /// Fit a linear, logistic or softmax regression to a table, exactly and by gradient descent
    Fit(FitArgs),
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

/// Commands of `config`.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// The configuration that `train` with the same options would have, or, of the folder of a run, the one that the run
    /// has, each value with its origin
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
