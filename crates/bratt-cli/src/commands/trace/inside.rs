//! `bratt trace RUN photo.jpg`: a model and an image, layer by layer.

use crate::args::{Global, TraceArgs};
use crate::commands::{explain, load};
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, GREEN, PLAIN, Terminal, To, percent};
use bratt::data::image_file;
use bratt::data::tree::is_image;
use bratt::exec::Machine;
use bratt::expr::short;
use bratt::inside::{Held, Inside, Station, Statistics, inside_page, look_inside};
use bratt::model::{Inputs, TrainedModel};
use bratt::tensor::Tensor;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What flows backward.
const RED: &str = "\x1b[31m";

/// The run or model file and the image that the words name, if they are no expression.
pub fn named(args: &TraceArgs) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let Some(first) = &args.expression else { return Ok(None) };
    let run = Path::new(first);
    let is_model =
        ["bratt", "safetensors"].iter().any(|ending| run.extension().is_some_and(|e| e == *ending));
    let photo = match &args.values[..] {
        [word] => {
            Some(Path::new(word)).filter(|path| !word.contains('=') && (is_image(path) || path.exists()))
        }
        _ => None,
    };
    // A folder that is named like a value of an expression does not make the expression a run.
    let trained = args.values.is_empty() && run.join("model.safetensors").exists();
    if !(is_model || run.is_dir() && (photo.is_some() || trained)) {
        let Some(photo) = photo else { return Ok(None) };
        let message = format!("{first}: neither the folder of a run nor a model file");
        return Err(Failure::new(Exit::Data, message).help(format!(
            "{} is traced through a model; values of an expression are NAME=VALUE",
            photo.display()
        )));
    }
    let [photo] = &args.values[..] else {
        let message = format!("{first}: a model is traced with one image, found {}", args.values.len());
        return Err(
            Failure::new(Exit::Usage, message).help(format!("such as `bratt trace {first} photo.jpg`"))
        );
    };
    let of_expressions = [
        ("--with", !args.with.is_empty()),
        ("--of", args.of.is_some()),
        ("--seed", args.seed.is_some()),
        ("--svg", args.svg.is_some()),
    ];
    if let Some((option, _)) = of_expressions.iter().find(|(_, given)| *given) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{option} is for expressions, but {first} is a model"),
        ));
    }
    Ok(Some((run.to_owned(), PathBuf::from(photo))))
}

/// Prints every layer's value and gradient in statistics.
pub fn run(args: &TraceArgs, run: &Path, photo: &Path, global: Global) -> Result<u8, Failure> {
    let model = load(run)?;
    let &Inputs::Image { fit, .. } = &model.inputs else {
        return Err(Failure::new(Exit::Data, "this model takes rows of a table; only images can be traced"));
    };
    let class = args.class.as_deref().map(|name| explain::class(name, &model)).transpose()?;
    let bytes = image_file::read(photo, &model.network.input, fit).map_err(|error| Failure::data(&error))?;
    let features: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let inside = look_inside(&Machine::all_threads(), &model, &features, class);
    let inside = inside.map_err(|error| Failure::data(&error))?;
    let mut out = anstream::stdout();
    if args.json {
        writeln!(out, "{}", as_json(&inside, &model, photo, args.arrays))?;
    } else {
        table(&mut out, &inside, &model, photo)?;
    }
    if let Some(path) = &args.html {
        let title = photo.file_name().unwrap_or_default().to_string_lossy();
        super::save(path, &inside_page(&inside, &title, &model.classes))?;
        Terminal::new(global, To::Error).say(&format!("drawn: {}", path.display()));
    }
    Ok(0)
}

fn class_name(model: &TrainedModel, class: Option<usize>) -> Option<&str> {
    model.classes.get(class?).map(String::as_str)
}

fn table(out: &mut impl Write, inside: &Inside, model: &TrainedModel, photo: &Path) -> std::io::Result<()> {
    match (class_name(model, inside.predicted), inside.predicted, class_name(model, inside.class)) {
        (Some(predicted), Some(at), Some(class)) => {
            let sure = percent(inside.probabilities[at].into());
            let loss = short(inside.loss.into());
            writeln!(
                out,
                "{}  {BOLD}{predicted}{PLAIN}  {sure}{DIM}  loss of {class}: {loss}{PLAIN}\n",
                photo.display()
            )?;
        }
        _ => writeln!(out, "{}  {BOLD}{}{PLAIN}\n", photo.display(), short(inside.loss.into()))?,
    }
    let wide = inside.stations.iter().map(|s| s.name.chars().count()).max().unwrap_or(5).clamp(5, 28);
    writeln!(
        out,
        "{DIM}{:wide$}  {:>11}  {:>9} {:>9} {:>9}  {:>9}  {:>9}{PLAIN}",
        "layer", "shape", "least", "mean", "greatest", "std", "std back"
    )?;
    for station in &inside.stations {
        let found = Statistics::of(station.value.data());
        let back = station.gradient.as_ref().map(|gradient| Statistics::of(gradient.data()).std);
        let shape: Vec<String> = station.value.shape().iter().map(usize::to_string).collect();
        let name: String = match station.name.chars().count() > wide {
            false => station.name.clone(),
            // The end of a long name tells more than its beginning.
            true => "…"
                .chars()
                .chain(station.name.chars().skip(station.name.chars().count() + 1 - wide))
                .collect(),
        };
        writeln!(
            out,
            "{name:wide$}  {DIM}{:>11}{PLAIN}  {GREEN}{:>9} {:>9} {:>9}  {:>9}{PLAIN}  {RED}{:>9}{PLAIN}",
            if shape.is_empty() { "scalar".into() } else { shape.join("x") },
            figure(found.min),
            figure(found.mean),
            figure(found.max),
            figure(found.std),
            back.map_or_else(|| "none".into(), figure),
        )?;
    }
    let notes: Vec<String> = inside.stations.iter().flat_map(Station::notes).collect();
    if !notes.is_empty() {
        writeln!(out)?;
    }
    notes.iter().try_for_each(|note| writeln!(out, "{note}"))
}

/// Three digits, in a column of nine.
fn figure(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e5).contains(&size) => format!("{x:.1e}"),
        size => format!("{x:.*}", (2 - size.log10().floor() as i32).max(0) as usize),
    }
}

fn as_json(inside: &Inside, model: &TrainedModel, photo: &Path, arrays: bool) -> Value {
    let number = |x: f64| if x.is_finite() { json!(x) } else { json!(x.to_string()) };
    let array = |x: &Tensor| x.data().iter().map(|&x| number(x.into())).collect::<Value>();
    let statistics = |x: &Tensor| {
        let s = Statistics::of(x.data());
        json!({
            "min": number(s.min), "mean": number(s.mean), "max": number(s.max), "std": number(s.std),
            "zeros": s.zeros, "not_finite": s.broken,
        })
    };
    let described = |value: &Tensor, gradient: Option<&Tensor>| {
        let mut object = json!({
            "shape": &value.shape()[..],
            "statistics": statistics(value),
            "gradient_statistics": gradient.map(statistics),
        });
        if arrays {
            object["value"] = array(value);
            object["gradient"] = gradient.map_or(Value::Null, array);
        }
        object
    };
    let held = |held: &Held| {
        let mut object = described(&held.value, held.gradient.as_ref());
        object["name"] = held.name.clone().into();
        object
    };
    let node = |station: &Station| {
        let mut object = described(&station.value, station.gradient.as_ref());
        object["name"] = station.name.clone().into();
        object["op"] = station.op.clone().into();
        object["about"] = station.about.clone().into();
        object["inputs"] = station.inputs.iter().map(|&i| inside.stations[i].name.clone()).collect();
        object["parameters"] = station.held.iter().map(held).collect();
        object
    };
    json!({
        "input": photo.display().to_string(),
        "predicted": class_name(model, inside.predicted),
        "class": class_name(model, inside.class),
        "probabilities": inside.probabilities,
        "loss": number(inside.loss.into()),
        "nodes": inside.stations.iter().map(node).collect::<Vec<_>>(),
        "notes": inside.stations.iter().flat_map(Station::notes).collect::<Vec<_>>(),
    })
}
