//! One file per command.

pub mod audit;
pub mod cache;
pub mod compare;
pub mod completions;
pub mod config;
pub mod eval;
pub mod explain;
pub mod fetch;
pub mod find_lr;
pub mod fit;
pub mod gradcheck;
pub mod inspect;
pub mod judged;
pub mod lab;
pub mod labels;
pub mod learned;
pub mod man;
pub mod predict;
pub mod report;
pub mod resume;
pub mod schedule;
pub mod step;
pub mod surface;
pub mod trace;
pub mod train;
pub mod tune;

use crate::failure::{Exit, Failure};
use bratt::model::TrainedModel;
use bratt::report::RunFolder;
use std::path::{Path, PathBuf};

/// The file of a model that was named by itself or by the folder of its run.
pub fn model_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("model.safetensors") } else { path.to_owned() }
}

/// Loads a model.
///
/// # Errors
/// A file that is not there, or is not a whole model of bratt's.
pub fn load(path: &Path) -> Result<TrainedModel, Failure> {
    let file = model_file(path);
    if path.is_dir() && !file.exists() {
        if RunFolder::open(path).is_ok() {
            let run = path.display();
            let message = format!("{run}: a run without {}, as its training has not ended", RunFolder::MODEL);
            return Err(Failure::new(Exit::Data, message)
                .help(format!("wait for its end, or go on with it: `bratt resume {run}`")));
        }
        let message = format!("{}: a folder without model.safetensors", path.display());
        return Err(Failure::new(Exit::Data, message)
            .help("give the folder of a run, such as runs/digits-1, or a model file"));
    }
    TrainedModel::load(&file).map_err(|error| {
        let failure = Failure::data(&error);
        match (file.exists(), path.is_dir() && RunFolder::open(path).is_ok()) {
            (false, _) => failure.help("`bratt train` makes a model"),
            (true, true) => failure
                .help(format!("`bratt resume {}` writes it again from the last checkpoint", path.display())),
            (true, false) => failure,
        }
    })
}
