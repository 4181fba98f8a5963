//! `bratt gradcheck EXPR|RUN`

use super::{load, trace};
use crate::args::{Global, GradcheckArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, GREEN, PLAIN, Terminal, To, counted};
use bratt::data::image_file;
use bratt::exec::gradcheck::Entry;
use bratt::expr::{Checked, Options};
use bratt::model::{Inputs, TrainedModel, gradcheck_model};
use bratt::tensor::Tensor;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// Elements of each parameter of a run, unless another number is asked for.
const SAMPLES: usize = 5;

/// Compares gradients with differences; the exit code is 1 where they differ.
pub fn run(args: &GradcheckArgs, global: Global) -> Result<u8, Failure> {
    let path = Path::new(&args.subject);
    let is_run = path.exists() || args.subject.ends_with(".safetensors");
    let checked = if is_run { of_run(path, args)? } else { of_expression(args)? };
    let mut out = anstream::stdout();
    let worst = checked.entries.iter().map(|entry| entry.error).fold(0.0, f64::max);
    let good = worst <= args.tolerance;
    if args.json {
        writeln!(out, "{}", as_json(&checked, args.tolerance, good))?;
    } else {
        table(&mut out, &checked.entries, args.tolerance)?;
        let mut terminal = Terminal::new(global, To::Error);
        for skipped in &checked.skipped {
            terminal.warn(&format!("`{}` is not checked: {}", skipped.name, skipped.why));
        }
        let elements: usize = checked.entries.iter().map(|entry| entry.checked).sum();
        let of = counted(elements as u64, "element");
        if good {
            writeln!(out, "{GREEN}good{PLAIN}: {of}, the largest relative error is {worst:.1e}")?;
        } else {
            writeln!(
                out,
                "{BOLD}differs{PLAIN}: {of}, the largest relative error is {worst:.1e}, more than {:e}",
                args.tolerance
            )?;
            if worst.is_finite() {
                terminal.warn("at a kink, such as relu at 0, both sides differ by nature: try other values");
            }
        }
    }
    Ok(if good { 0 } else { Exit::Found as u8 })
}

fn of_expression(args: &GradcheckArgs) -> Result<Checked, Failure> {
    if !args.image.is_empty() {
        return Err(Failure::new(Exit::Usage, "--image is for runs; an expression's values are NAME=VALUE"));
    }
    let expression = trace::parse(&args.subject)?;
    let values = trace::values(&expression, &args.values, &args.with)?;
    let borrowed: Vec<(&str, Tensor<f64>)> = values.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let options = Options { of: args.of.clone(), noise: args.noise, ..Options::default() };
    expression.gradcheck(&borrowed, &options, args.samples).map_err(|error| trace::failed(&error))
}

fn of_run(path: &Path, args: &GradcheckArgs) -> Result<Checked, Failure> {
    let model = load(path)?;
    let examples = examples(&model, path, args)?;
    let report = gradcheck_model(&model, &examples, Some(args.samples.unwrap_or(SAMPLES)));
    let entries = report.map_err(|error| Failure::data(&error))?.entries;
    Ok(Checked { entries, skipped: Vec::new() })
}

/// The features of the images that were given, or of the sample that the training left.
fn examples(model: &TrainedModel, path: &Path, args: &GradcheckArgs) -> Result<Vec<Vec<f32>>, Failure> {
    let Inputs::Image { fit, .. } = model.inputs else {
        // Rows of a table are standardised by the network: any numbers of ordinary size will do.
        let count: usize = model.network.input.iter().product();
        return Ok((0..4)
            .map(|row| (0..count).map(|i| ((row * count + i) as f32 * 0.7).sin()).collect())
            .collect());
    };
    let mut images = args.image.clone();
    if images.is_empty() {
        images.push(path.join("sample.png"));
    }
    let mut examples = Vec::new();
    for image in &images {
        let shape: [usize; 3] = model.network.input[..].try_into().unwrap_or([1, 1, 1]);
        let bytes = image_file::read(image, &shape, fit)
            .map_err(|error| Failure::data(&error).help("give images with --image FILE"))?;
        examples.push(bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect());
    }
    Ok(examples)
}

fn table(out: &mut impl Write, entries: &[Entry], tolerance: f64) -> std::io::Result<()> {
    let width = entries.iter().map(|e| e.name.chars().count()).max().unwrap_or(0).clamp(8, 32);
    writeln!(
        out,
        "{DIM}{:width$}  {:>8}  {:>8}  {:>16}  {:>16}  worst at{PLAIN}",
        "of", "checked", "error", "analytic", "numeric"
    )?;
    for e in entries {
        let mark = if e.error <= tolerance { "" } else { BOLD };
        let place: Vec<String> = e.place.iter().map(usize::to_string).collect();
        writeln!(
            out,
            "{mark}{:width$}  {:>8}  {:>8.1e}  {:>16.9e}  {:>16.9e}  [{}]{PLAIN}",
            e.name,
            e.checked,
            e.error,
            e.analytic,
            e.numeric,
            place.join(", ")
        )?;
    }
    Ok(())
}

fn as_json(checked: &Checked, tolerance: f64, good: bool) -> Value {
    let number = |x: f64| if x.is_finite() { json!(x) } else { json!(x.to_string()) };
    let entry = |e: &Entry| {
        json!({
            "name": e.name,
            "checked": e.checked,
            "error": number(e.error),
            "place": e.place,
            "analytic": number(e.analytic),
            "numeric": number(e.numeric),
            "good": e.error <= tolerance,
        })
    };
    let skipped: Vec<Value> =
        checked.skipped.iter().map(|s| json!({ "name": s.name, "why": s.why })).collect();
    json!({
        "good": good,
        "tolerance": tolerance,
        "entries": checked.entries.iter().map(entry).collect::<Vec<_>>(),
        "skipped": skipped,
    })
}
