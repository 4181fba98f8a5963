//! `bratt predict MODEL INPUT...`

mod rows;

use super::load;
use crate::args::PredictArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, PLAIN, percent, tell};
use bratt::data::image_file;
use bratt::data::tree::{self, ENDINGS};
use bratt::model::{Inputs, Predictor, TrainedModel};
use bratt::nn::Task;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints what the model says of each input. An input that cannot be read is told and skipped, and the exit code then
/// says so.
pub fn run(args: &PredictArgs) -> Result<u8, Failure> {
    let model = load(&args.model)?;
    let predictor = model.predictor().map_err(|error| Failure::data(&error))?;
    let shape = model.network.input.clone();
    let mut printer = Printer { out: anstream::stdout(), args, model: &model, predictor: &predictor };
    let mut code = 0;
    match &model.inputs {
        &Inputs::Image { fit, .. } => {
            for path in images(&args.inputs)? {
                match image_file::read(&path, &shape, fit) {
                    Ok(bytes) => {
                        let value =
                            |&byte: &u8| f32::from(if args.invert { 255 - byte } else { byte }) / 255.0;
                        let features: Vec<f32> = bytes.iter().map(value).collect();
                        printer.print(&path, None, &features)?;
                    }
                    Err(error) => {
                        code = Exit::Data as u8;
                        tell(&Failure::data(&error).text());
                    }
                }
            }
        }
        Inputs::Table { columns } => {
            if args.invert {
                return Err(Failure::new(Exit::Usage, "--invert is for images, but the model takes tables"));
            }
            for path in &args.inputs {
                rows::read(path, columns, |line, row| printer.print(path, Some(line), row))?;
            }
        }
    }
    printer.out.flush()?;
    Ok(code)
}

/// The files asked for, with the images of each folder in the order of their names.
pub(super) fn images(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let unreadable = |error: std::io::Error| {
            Failure::new(Exit::Data, format!("{}: cannot be read", input.display()))
                .because(error.to_string())
        };
        let entries = std::fs::read_dir(input).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut found: Vec<PathBuf> = entries
            .map_err(unreadable)?
            .iter()
            .map(std::fs::DirEntry::path)
            .filter(|path| tree::is_image(path))
            .collect();
        if found.is_empty() {
            return Err(Failure::new(Exit::Data, format!("{}: a folder without images", input.display()))
                .help(format!("images end in .{}", ENDINGS.join(", ."))));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

struct Printer<'a> {
    out: anstream::AutoStream<std::io::Stdout>,
    args: &'a PredictArgs,
    model: &'a TrainedModel,
    predictor: &'a Predictor,
}

impl Printer<'_> {
    fn print(&mut self, path: &Path, line: Option<u64>, features: &[f32]) -> Result<(), Failure> {
        let place = match line {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        };
        let mut object = json!({ "input": path.display().to_string() });
        if let Some(line) = line {
            object["line"] = line.into();
        }
        let failed = |error| Failure::data(&error).because(place.clone());
        if self.model.task == Task::Regress {
            let values = self.predictor.values(features).map_err(failed)?;
            if self.args.json {
                object["value"] = f64::from(values[0]).into();
                writeln!(self.out, "{object}")?;
            } else {
                writeln!(self.out, "{place}  {BOLD}{}{PLAIN}", values[0])?;
            }
            return Ok(());
        }
        let Some(prediction) = self.predictor.predict(features).map_err(failed)?.pop() else { return Ok(()) };
        let mut order: Vec<usize> = (0..prediction.probabilities.len()).collect();
        order.sort_by(|&a, &b| prediction.probabilities[b].total_cmp(&prediction.probabilities[a]));
        order.truncate(self.args.top.max(1));
        let names = self.predictor.classes();
        if self.args.json {
            object["class"] = prediction.name.clone().into();
            object["index"] = prediction.class.into();
            object["probability"] = f64::from(prediction.probability).into();
            let top = |&k: &usize| json!({ "class": names[k], "probability": prediction.probabilities[k] });
            object["top"] = order.iter().map(top).collect();
            writeln!(self.out, "{object}")?;
        } else {
            let others: Vec<String> = order
                .iter()
                .filter(|&&k| k != prediction.class)
                .map(|&k| format!("{} {}", names[k], percent(prediction.probabilities[k].into())))
                .collect();
            let others = if others.is_empty() { String::new() } else { format!("  ({})", others.join(", ")) };
            let sure = percent(prediction.probability.into());
            writeln!(self.out, "{place}  {BOLD}{}{PLAIN}  {sure}{DIM}{others}{PLAIN}", prediction.name)?;
        }
        Ok(())
    }
}
