//! `bratt labels RUN [DATA]`

use super::judged::{self, Own};
use super::load;
use super::train::job::{Job, Search};
use crate::args::{Global, LabelsArgs, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::settings::Settings;
use crate::terminal::{BOLD, DIM, PLAIN, Progress, Terminal, To, YELLOW, counted, thousands};
use bratt::metrics::{LabelErrors, Sample, Suspect, label_errors};
use bratt::model::TrainedModel;
use bratt::nn::Task;
use bratt::report::write_file;
use bratt::train::{Event, Predictions, out_of_fold, predictions};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Ranks examples by how likely their label is wrong; the number is the exit code.
pub fn run(args: &LabelsArgs, global: Global) -> Result<u8, Failure> {
    let model = load(&args.model)?;
    if model.task == Task::Regress {
        return Err(Failure::new(Exit::Usage, "the model predicts numbers, and only classes can be doubted"));
    }
    let mut terminal = Terminal::new(global, if args.json { To::Error } else { To::Output });
    let looked = match (&args.data, args.folds) {
        (Some(data), _) => given(args, &model, data)?,
        (None, Some(folds)) => by_folds(args, &model, folds, &mut terminal)?,
        (None, None) => held_out(args, &model)?,
    };
    let sample = Sample::new(looked.classes.len(), &looked.probabilities, &looked.labels)
        .map_err(|error| Failure::data(&error))?;
    let found = label_errors(&sample);
    if let Some(path) = &args.csv {
        write_file(path, &looked.csv(&found)).map_err(|error| Failure::of(Exit::Configuration, &error))?;
    }
    if args.json {
        let json = json!({
            "model": super::model_file(&args.model).display().to_string(),
            "data": looked.what,
            "examples": sample.len(),
            "likely": found.likely(),
            "classes": looked.classes,
            "thresholds": found.thresholds,
            "joint": found.joint,
            "ranking": found.ranking.iter().map(|suspect| looked.json(suspect)).collect::<Vec<_>>(),
        });
        writeln!(std::io::stdout(), "{json}")?;
    } else {
        terminal.say(&format!("model   {}", super::model_file(&args.model).display()));
        terminal.say(&format!("data    {}\n", looked.what));
        for line in looked.table(&found, args.top) {
            terminal.result(&line);
        }
        if let Some(path) = &args.csv {
            terminal.say(&format!("\nwritten {}: the whole ranking", path.display()));
        }
    }
    if let Some(note) = looked.note {
        Terminal::new(global, To::Error).warn(note);
    }
    Ok(0)
}

/// Examples that were looked through, with what a model says of them.
struct Looked {
    classes: Vec<String>,
    probabilities: Vec<f64>,
    labels: Vec<u32>,
    /// For each example its part, its place in the data set and its file.
    examples: Vec<(&'static str, u32, Option<String>)>,
    what: String,
    note: Option<&'static str>,
}

impl Looked {
    fn new(model: &TrainedModel, what: String) -> Looked {
        let (probabilities, labels, examples) = (Vec::new(), Vec::new(), Vec::new());
        Looked { classes: model.classes.clone(), probabilities, labels, examples, what, note: None }
    }

    fn add(&mut self, part: &'static str, said: &Predictions, files: Option<&[String]>) {
        self.probabilities.extend(said.probabilities());
        self.labels.extend(said.labels());
        let file = |example: u32| files.and_then(|files| files.get(example as usize)).cloned();
        self.examples.extend(said.examples().iter().map(|&example| (part, example, file(example))));
    }

    fn json(&self, suspect: &Suspect) -> serde_json::Value {
        let (part, index, file) = &self.examples[suspect.example];
        json!({
            "part": part,
            "index": index,
            "file": file,
            "label": self.classes[suspect.label],
            "suggested": self.classes[suspect.suggested],
            "label_probability": suspect.label_probability,
            "suggested_probability": suspect.suggested_probability,
            "likely": suspect.likely,
        })
    }

    fn csv(&self, found: &LabelErrors) -> Vec<u8> {
        let mut out = csv::Writer::from_writer(Vec::new());
        let head = [
            "rank",
            "part",
            "index",
            "file",
            "label",
            "suggested",
            "label_probability",
            "suggested_probability",
            "likely",
        ];
        // Writing to memory does not fail.
        let _ = out.write_record(head);
        for (rank, suspect) in (1..).zip(&found.ranking) {
            let (part, index, file) = &self.examples[suspect.example];
            let numbers = [rank.to_string(), index.to_string()];
            let p = [suspect.label_probability, suspect.suggested_probability].map(|p| p.to_string());
            let (label, suggested) = (&self.classes[suspect.label], &self.classes[suspect.suggested]);
            let file = file.as_deref().unwrap_or_default();
            let likely = if suspect.likely { "1" } else { "0" };
            let row: [&str; 9] =
                [&numbers[0], part, &numbers[1], file, label, suggested, &p[0], &p[1], likely];
            let _ = out.write_record(row);
        }
        out.into_inner().unwrap_or_default()
    }

    fn table(&self, found: &LabelErrors, top: usize) -> Vec<String> {
        let shown = &found.ranking[..top.min(found.ranking.len())];
        let width = |of: &dyn Fn(&Suspect) -> usize, least: usize| {
            let widths = shown.iter().map(|suspect| self.classes[of(suspect)].chars().count());
            widths.max().unwrap_or(0).max(least)
        };
        let (label, suggested) = (width(&|s| s.label, 5), width(&|s| s.suggested, 9));
        let (likely, n) = (found.likely(), self.labels.len());
        let mut lines = vec![format!(
            "{BOLD}{}{PLAIN} of {} are confidently of another class than their label, marked {YELLOW}*{PLAIN}",
            thousands(likely as u64),
            counted(n as u64, "example"),
        )];
        lines.push(String::new());
        lines.push(format!(
            "{DIM}  rank    {:<label$}  {:<suggested$}  p(label)  p(suggested)  example{PLAIN}",
            "label", "suggested"
        ));
        for (rank, suspect) in (1..).zip(shown) {
            let (part, index, file) = &self.examples[suspect.example];
            let mark = if suspect.likely { format!("{YELLOW}*{PLAIN}") } else { " ".into() };
            let name = match file {
                Some(file) => file.clone(),
                None => format!("{part} {index}").trim_start().to_string(),
            };
            lines.push(format!(
                "{rank:>6}  {mark} {:<label$}  {:<suggested$}  {:>6.1} %  {:>10.1} %  {name}",
                self.classes[suspect.label],
                self.classes[suspect.suggested],
                100.0 * suspect.label_probability,
                100.0 * suspect.suggested_probability,
            ));
        }
        if found.ranking.len() > top {
            lines.push(format!(
                "{DIM}--top N shows more; --csv FILE and --json have the whole ranking{PLAIN}"
            ));
        }
        lines
    }
}

const SEEN: &str =
    "the model was trained on part of these examples and knows their labels, wrong ones too; try --folds 4";

/// Data named on the command line.
fn given(args: &LabelsArgs, model: &TrainedModel, data: &Path) -> Result<Looked, Failure> {
    let threads = plan::threads(args.reading.threads.unwrap_or(0))?;
    let judged = judged::open(model, &args.model, Some(data), &args.reading)?;
    let mut looked = Looked::new(model, judged.what.clone());
    let said = predictions(model, &judged.part(), threads)?;
    looked.add("example", &said, judged.files.as_deref());
    looked.note = judged.note.map(|_| SEEN);
    Ok(looked)
}

/// The validation and test parts of the run.
fn held_out(args: &LabelsArgs, model: &TrainedModel) -> Result<Looked, Failure> {
    let threads = plan::threads(args.reading.threads.unwrap_or(0))?;
    let Own { splits, files } = judged::own(model, &args.model, args.reading.no_cache)?;
    let sizes = splits.sizes();
    let what = format!(
        "{}: {} of the validation part and {} of the test part, which the model has not learned from",
        splits.data().name(),
        counted(sizes.val as u64, "example"),
        thousands(sizes.test as u64),
    );
    let mut looked = Looked::new(model, what);
    let [all, given] = files.map_or([None, None], |files| files.map(Some));
    let test_files = if splits.test_is_given() { &given } else { &all };
    for (name, part, files) in [("val", splits.val(), &all), ("test", splits.test(), test_files)] {
        if !part.is_empty() {
            looked.add(name, &predictions(model, &part, threads)?, files.as_deref());
        }
    }
    if looked.labels.is_empty() {
        return Err(Failure::new(Exit::Usage, "the run has neither a validation nor a test part")
            .help("`--folds 4` trains models that have not seen the examples they look through"));
    }
    Ok(looked)
}

/// All data of the run, by models that are trained for it.
fn by_folds(
    args: &LabelsArgs,
    model: &TrainedModel,
    folds: usize,
    terminal: &mut Terminal,
) -> Result<Looked, Failure> {
    let Some(config) = judged::configuration(&args.model) else {
        return Err(Failure::new(Exit::Usage, "--folds needs the configuration of a run")
            .help("give the folder of the run and not only its model"));
    };
    let Own { splits, files } = judged::own(model, &args.model, args.reading.no_cache)?;
    let settings = Settings::collect(&TrainArgs {
        config: Some(config),
        no_cache: args.reading.no_cache,
        threads: args.reading.threads.map(|n| n as u64),
        ..TrainArgs::default()
    })?;
    let job = Job::prepare(&settings, Search::Later)?;
    let sizes = splits.sizes();
    let all = sizes.train + sizes.val;
    // As the run has it, so that stopping and keeping the best work as they did there.
    let val = if all > 0 { sizes.val as f64 / all as f64 } else { 0.0 };
    let what = format!(
        "{}: all {}, each judged by one of {folds} models that has not seen it",
        splits.data().name(),
        counted(splits.data().len() as u64, "example")
    );
    let begin = Instant::now();
    let said = out_of_fold(splits.data().clone(), folds, val, job.seed, |fold, data| {
        // The schedule follows the number of steps, which is smaller than in the run.
        let steps = job.trainer.steps_per_epoch(data.train().len()).max(1) as u64;
        let optim = plan::optim(&settings, job.epochs, steps, None)?;
        let mut trainer = job.trainer.clone().optimizer(optim.optimizer).schedule(optim.schedule);
        if let Some(momentum) = optim.momentum {
            trainer = trainer.momentum(momentum);
        }
        let epochs = job.epochs as usize;
        trainer
            .fit_with(data, &mut |event: &Event| match event {
                Event::Step { epoch, step, steps, .. } if terminal.wants_progress() => {
                    let done = ((fold * epochs + epoch - 1) * steps + step) as u64;
                    terminal.progress(&Progress {
                        label: &format!("fold {}/{folds}, epoch {epoch}/{epochs}", fold + 1),
                        done,
                        all: (folds * epochs * steps) as u64,
                        elapsed: begin.elapsed(),
                        note: "",
                    });
                }
                _ => {}
            })
            .map_err(Failure::from)
    })?;
    terminal.clear();
    let mut looked = Looked::new(model, what);
    looked.add("example", &said, files.as_ref().map(|[all, _]| &all[..]));
    Ok(looked)
}
