//! The command lines of `audit` and `data`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
Files are checked by their SHA-256. A download that broke off goes on where it ended. Nothing is
downloaded where a package of the system has the data set, such as Debian's dataset-fashion-mnist.

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
