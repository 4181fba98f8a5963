//! `bratt eval MODEL [DATA]`

mod require;

use super::judged::{self, Judged};
use super::load;
use crate::args::{EvalArgs, Global};
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, To, counted, percent, thousands};
use bratt::metrics::{Rejection, Sample, reject_threshold, worst_mistakes};
use bratt::model::TrainedModel;
use bratt::nn::Task;
use bratt::report::{PredictionsFormat, write_predictions};
use bratt::train::{Evaluation, Predictions, predictions};
use require::Requirement;
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Judges a model; the number is the exit code.
pub fn run(args: &EvalArgs, global: Global) -> Result<u8, Failure> {
    let model = load(&args.model)?;
    let known: &[&str] = match model.task {
        Task::Regress => &Evaluation::VALUE_FIGURES,
        _ => &Evaluation::CLASS_FIGURES,
    };
    // Whatever is wrong with the command line is said before the work.
    let requirements: Vec<Requirement> =
        args.require.iter().map(|text| Requirement::read(text, known)).collect::<Result<_, _>>()?;
    check(args, &model)?;
    let format = args.predictions.as_deref().map(format_of).transpose()?;
    let threads = plan::threads(args.reading.threads.unwrap_or(0))?;

    let judged = judged::open(&model, &args.model, args.data.as_deref(), &args.reading)?;
    let said = predictions(&model, &judged.part(), threads)?;
    let evaluation = said.evaluation()?;
    let rejection = match args.precision {
        Some(wanted) => Some(rejection(&model, &judged, &said, wanted, threads)?),
        None => None,
    };
    if let (Some(path), Some(format)) = (&args.predictions, format) {
        write_predictions(path, format, &said, judged.files.as_deref())
            .map_err(|error| Failure::of(Exit::Configuration, &error))?;
    }
    let worst = worst(args, &judged, &said);

    let mut out = anstream::stdout();
    if args.json {
        let mut json = serde_json::to_value(&evaluation).unwrap_or_default();
        json["model"] = super::model_file(&args.model).display().to_string().into();
        json["data"] = judged.what.clone().into();
        if let Some(rejection) = &rejection {
            json["reject"] = rejection.json();
        }
        if args.worst > 0 {
            json["worst"] = worst.iter().map(Mistake::json).collect();
        }
        if !requirements.is_empty() {
            json["requirements"] = requirements.iter().map(|r| r.json(&evaluation)).collect();
        }
        writeln!(out, "{json}")?;
    } else {
        let mut terminal = Terminal::new(global, To::Output);
        terminal.say(&format!("model   {}", super::model_file(&args.model).display()));
        terminal.say(&format!("data    {}\n", judged.what));
        writeln!(out, "{evaluation}")?;
        if let Some(rejection) = &rejection {
            writeln!(out, "\n{}", rejection.text())?;
        }
        if args.worst > 0 {
            writeln!(out, "\n{}", table(&worst))?;
        }
        if let Some(path) = &args.predictions {
            let rows = counted(said.len() as u64, "example");
            terminal.say(&format!("\nwritten {}: {rows}", path.display()));
        }
    }
    if let Some(note) = judged.note {
        Terminal::new(global, To::Error).warn(note);
    }
    out.flush()?;
    require::unmet(&requirements, &evaluation).map_or(Ok(0), Err)
}

/// Options that do not go together, or not with the model.
fn check(args: &EvalArgs, model: &TrainedModel) -> Result<(), Failure> {
    let wanted = args.precision.is_some() || args.worst > 0;
    if wanted && model.task == Task::Regress {
        let message = "--precision and --worst are for classes, but the model predicts numbers";
        return Err(Failure::new(Exit::Usage, message));
    }
    match args.precision {
        Some(wanted) if !(wanted > 0.0 && wanted <= 1.0) => {
            Err(Failure::new(Exit::Usage, format!("--precision: found {wanted}, expected above 0, to 1")))
        }
        _ => Ok(()),
    }
}

fn format_of(path: &Path) -> Result<PredictionsFormat, Failure> {
    PredictionsFormat::of(path).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--predictions {}: what form is it to have?", path.display()))
            .help("let its name end in .csv or .jsonl")
    })
}

/// From which confidence on the model is as precise as wanted, and what that does to the judged examples.
struct Rejecting {
    wanted: f64,
    /// The part that the threshold was chosen on, if it was another one.
    chosen_on_val: bool,
    judged: Option<Rejection>,
}

/// The threshold is chosen on the validation part, where there is one, so that the judged part does not flatter it.
fn rejection(
    model: &TrainedModel,
    judged: &Judged,
    said: &Predictions,
    wanted: f64,
    threads: usize,
) -> Result<Rejecting, Failure> {
    let sample = sample(said)?;
    let Some(val) = judged.val() else {
        return Ok(Rejecting { wanted, chosen_on_val: false, judged: reject_threshold(&sample, wanted) });
    };
    let val = predictions(model, &val, threads)?;
    let chosen = reject_threshold(&self::sample(&val)?, wanted);
    let judged = chosen.map(|chosen| Rejection::at(&sample, chosen.threshold));
    Ok(Rejecting { wanted, chosen_on_val: true, judged })
}

fn sample(said: &Predictions) -> Result<Sample<'_>, Failure> {
    said.sample().map_err(|error| Failure::data(&error))
}

impl Rejecting {
    fn chosen_on(&self) -> &'static str {
        if self.chosen_on_val {
            "the validation part"
        } else {
            "these very examples, which flatters it a little"
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "wanted_precision": self.wanted,
            "chosen_on": if self.chosen_on_val { "val" } else { "judged" },
            "threshold": self.judged.map(|r| r.threshold),
            "precision": self.judged.and_then(|r| r.precision()),
            "coverage": self.judged.map(|r| r.coverage()),
            "accepted": self.judged.map(|r| r.accepted),
        })
    }

    fn text(&self) -> String {
        let (wanted, on) = (percent(self.wanted), self.chosen_on());
        let Some(judged) = self.judged else {
            return format!("reject  no confidence gives a precision of {wanted}; sought on {on}");
        };
        let precision = judged.precision().map_or_else(|| "-".into(), percent);
        format!(
            "reject  below confidence {BOLD}{:.4}{PLAIN}: the threshold for a precision of {wanted}, chosen on {on}\n        \
             precision {precision}, coverage {} ({} of {} accepted)",
            judged.threshold,
            percent(judged.coverage()),
            thousands(judged.accepted as u64),
            thousands(judged.n as u64),
        )
    }
}

/// A mistake to look at.
struct Mistake {
    name: String,
    label: String,
    predicted: String,
    probability: f64,
    loss: f64,
}

impl Mistake {
    fn json(&self) -> serde_json::Value {
        json!({
            "example": self.name,
            "label": self.label,
            "predicted": self.predicted,
            "label_probability": self.probability,
            "loss": self.loss,
        })
    }
}

/// The mistakes of the largest loss.
fn worst(args: &EvalArgs, judged: &Judged, said: &Predictions) -> Vec<Mistake> {
    let (Ok(sample), true) = (said.sample(), args.worst > 0) else { return Vec::new() };
    let names = said.classes();
    let mistake = |(at, predicted, loss): (usize, usize, f64)| {
        let label = sample.labels()[at] as usize;
        Mistake {
            name: judged::name_of(judged.files.as_deref(), said.examples()[at]),
            label: names[label].clone(),
            predicted: names[predicted].clone(),
            probability: sample.row(at)[label],
            loss,
        }
    };
    worst_mistakes(&sample).into_iter().take(args.worst).map(mistake).collect()
}

fn table(worst: &[Mistake]) -> String {
    if worst.is_empty() {
        return "worst mistakes: none".into();
    }
    let width = |of: &dyn Fn(&Mistake) -> &str, least: usize| {
        worst.iter().map(|m| of(m).chars().count()).max().unwrap_or(0).max(least)
    };
    let (label, predicted) = (width(&|m| &m.label, 5), width(&|m| &m.predicted, 9));
    let head = format!(
        "{DIM}    loss  {:<label$}  {:<predicted$}  p(label)  worst mistakes{PLAIN}",
        "label", "predicted"
    );
    let row = |m: &Mistake| {
        format!(
            "{:>8.4}  {:<label$}  {:<predicted$}  {:>8.4}  {}",
            m.loss, m.label, m.predicted, m.probability, m.name
        )
    };
    std::iter::once(head).chain(worst.iter().map(row)).collect::<Vec<_>>().join("\n")
}
