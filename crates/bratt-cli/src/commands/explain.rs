//! `bratt explain MODEL IMAGE...`

use super::{load, predict};
use crate::args::{ExplainArgs, ExplainBaseline, ExplainMethod, Global};
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, To, percent, tell};
use bratt::data::{DataError, image_file};
use bratt::exec::Machine;
use bratt::explain::{
    Baseline, Completeness, ExplainError, Explainer, Explanation, Filters, IntegratedGradients, Method,
    SmoothGrad, explained, filters,
};
use bratt::model::{Inputs, TrainedModel};
use bratt::names::hint;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes pictures and says where. An image that cannot be read is told and skipped, and the exit code then says so.
pub fn run(args: &ExplainArgs, global: Global) -> Result<u8, Failure> {
    let model = load(&args.model)?;
    let &Inputs::Image { fit, .. } = &model.inputs else {
        return Err(Failure::new(
            Exit::Data,
            "this model takes rows of a table; only images can be explained",
        ));
    };
    let images = predict::images(&args.images)?;
    let machine = Machine::new(plan::threads(args.threads.unwrap_or(0))?);
    let mut explainer = Explainer::on(&machine, &model).map_err(|error| failed(&error))?;
    let methods = methods(args, &explainer);
    let class = args.class.as_deref().map(|name| class(name, &model)).transpose()?;
    let mut folder = Folder::new(args, &images);
    let mut out = anstream::stdout();
    let mut terminal = Terminal::new(global, To::Error);
    if args.filters {
        let filters = filters(&model).map_err(|error| failed(&error))?;
        let path = folder.save(&filters.picture, "filters".into())?;
        writeln!(out, "{}", told_filters(&filters, &path, args.json))?;
    }
    let mut code = 0;
    for image in &images {
        let bytes = match image_file::read(image, &explainer.shape(), fit) {
            Ok(bytes) => seen(bytes, args.invert),
            // A shape is the model's fault, and every image's.
            Err(error @ DataError::ImageShape { .. }) => return Err(Failure::data(&error)),
            Err(error) => {
                code = Exit::Data as u8;
                tell(&Failure::data(&error).text());
                continue;
            }
        };
        let features: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let mut pictures = Vec::new();
        for method in &methods {
            let explanation = explainer.explain(method, &features, class).map_err(|error| failed(&error))?;
            for note in notes(&explanation, method, &model) {
                terminal.warn(&format!("{}: {note}", image.display()));
            }
            let picture =
                explained(&bytes, explainer.shape(), &explanation.map).map_err(|error| failed(&error))?;
            let stem = image.file_stem().unwrap_or_default().to_string_lossy();
            let path = folder.save(&picture, format!("{stem}-{}", method.name()))?;
            pictures.push((method.name(), path, explanation));
        }
        let line =
            if args.json { as_json(image, &pictures, &model) } else { as_text(image, &pictures, &model) };
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(code)
}

/// The bytes as the network is to see them.
fn seen(mut bytes: Vec<u8>, invert: bool) -> Vec<u8> {
    if invert {
        bytes.iter_mut().for_each(|byte| *byte = 255 - *byte);
    }
    bytes
}

fn failed(error: &ExplainError) -> Failure {
    match error {
        ExplainError::NoFeatureMap { .. } => {
            Failure::of(Exit::Usage, error).help("--method integrated-gradients works for every network")
        }
        ExplainError::NoMean => Failure::of(Exit::Usage, error).help("leave out --baseline"),
        ExplainError::Setting { .. } => Failure::of(Exit::Usage, error),
        ExplainError::Io { .. } => unwritable(Failure::of(Exit::Configuration, error)),
        _ => Failure::data(error),
    }
}

fn unwritable(failure: Failure) -> Failure {
    failure.help("choose another folder with --out")
}

/// What was asked for, or what suits the network.
fn methods(args: &ExplainArgs, explainer: &Explainer) -> Vec<Method> {
    let smooth = SmoothGrad { samples: args.samples, noise: args.noise, seed: args.seed };
    let baseline = match args.baseline {
        ExplainBaseline::Black => Baseline::Black,
        ExplainBaseline::Mean => Baseline::Mean,
    };
    let integrated = IntegratedGradients { steps: args.steps, baseline };
    let (smooth, integrated) = (Method::SmoothGrad(smooth), Method::IntegratedGradients(integrated));
    let convolves = explainer.feature_map().is_ok();
    match args.method {
        None if convolves => vec![Method::GradCam],
        None | Some(ExplainMethod::IntegratedGradients) => vec![integrated],
        Some(ExplainMethod::GradCam) => vec![Method::GradCam],
        Some(ExplainMethod::Gradient) => vec![Method::Gradient],
        Some(ExplainMethod::SmoothGrad) => vec![smooth],
        Some(ExplainMethod::All) => {
            let cam = convolves.then_some(Method::GradCam);
            cam.into_iter().chain([integrated, Method::Gradient, smooth]).collect()
        }
    }
}

/// The class of a name.
pub(super) fn class(name: &str, model: &TrainedModel) -> Result<usize, Failure> {
    if model.classes.is_empty() {
        return Err(Failure::new(Exit::Usage, "this model predicts numbers and has no classes")
            .help("leave out --class"));
    }
    model.classes.iter().position(|known| known == name).ok_or_else(|| {
        let known: Vec<&str> = model.classes.iter().map(String::as_str).collect();
        Failure::new(Exit::Usage, format!("the model has no class `{name}`")).help(hint(name, &known))
    })
}

/// Where pictures go. No picture takes the place of an image that was given, or of another of the same call.
struct Folder {
    path: PathBuf,
    taken: BTreeSet<PathBuf>,
    made: bool,
}

impl Folder {
    fn new(args: &ExplainArgs, images: &[PathBuf]) -> Folder {
        let path = match &args.out {
            Some(path) => path.clone(),
            None if args.model.is_dir() => args.model.join("explain"),
            None => PathBuf::from("explain"),
        };
        let taken = images.iter().filter_map(|image| image.canonicalize().ok()).collect();
        Folder { path, taken, made: false }
    }

    /// Writes a picture as `name.png`, or with a number after the name where that is taken.
    fn save(&mut self, picture: &bratt::explain::Raster, name: String) -> Result<PathBuf, Failure> {
        let cannot = |error: std::io::Error| {
            let message = format!("{}: cannot be written", self.path.display());
            unwritable(Failure::new(Exit::Configuration, message).because(error.to_string()))
        };
        if !self.made {
            std::fs::create_dir_all(&self.path).map_err(cannot)?;
            self.made = true;
        }
        let whole = self.path.canonicalize().map_err(cannot)?;
        let numbered = |number: u64| match number {
            1 => format!("{name}.png"),
            _ => format!("{name}-{number}.png"),
        };
        let file = (1..).map(numbered).find(|file| self.taken.insert(whole.join(file))).unwrap_or_default();
        let path = self.path.join(file);
        picture.save(&path).map_err(|error| failed(&error))?;
        Ok(path)
    }
}

/// What is worth a word beside the picture.
fn notes(explanation: &Explanation, method: &Method, model: &TrainedModel) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(completeness) = explanation.completeness.filter(|completeness| !completeness.holds()) {
        notes.push(format!(
            "the attributions miss the change of the score by {}, more than {}; more --steps bring them nearer",
            percent(completeness.gap()),
            percent(Completeness::TOLERANCE),
        ));
    }
    if *method == Method::GradCam && explanation.map.values().iter().all(|&x| x == 0.0) {
        let class = model.classes.get(explanation.class).map_or("this output", String::as_str);
        notes.push(format!("nothing in the feature map speaks for {class}; the map is empty"));
    }
    notes
}

/// The pictures of one image: method, file, and what was found.
type Pictures = [(&'static str, PathBuf, Explanation)];

fn as_text(image: &Path, pictures: &Pictures, model: &TrainedModel) -> String {
    let Some((_, path, explanation)) = pictures.first() else { return String::new() };
    let mut line = format!("{}  ", image.display());
    match &explanation.prediction {
        Some(prediction) => {
            line += &format!("{BOLD}{}{PLAIN}  {}", prediction.name, percent(prediction.probability.into()));
            if explanation.class != prediction.class {
                let probability = prediction.probabilities.get(explanation.class).copied().unwrap_or(0.0);
                let name = model.classes.get(explanation.class).map_or("", String::as_str);
                line += &format!("  {DIM}shown: {name} {}{PLAIN}", percent(probability.into()));
            }
        }
        None => line += &format!("{BOLD}{}{PLAIN}", explanation.score),
    }
    if pictures.len() == 1 {
        return format!("{line}  {}", path.display());
    }
    for (_, path, _) in pictures {
        line += &format!("\n  {}", path.display());
    }
    line
}

fn as_json(image: &Path, pictures: &Pictures, model: &TrainedModel) -> String {
    let mut object = json!({ "input": image.display().to_string() });
    if let Some((_, _, explanation)) = pictures.first() {
        if let Some(prediction) = &explanation.prediction {
            object["class"] = prediction.name.clone().into();
            object["index"] = prediction.class.into();
            object["probability"] = f64::from(prediction.probability).into();
        }
        let probability = explanation.prediction.as_ref();
        object["explained"] = json!({
            "class": model.classes.get(explanation.class),
            "index": explanation.class,
            "probability": probability.and_then(|found| found.probabilities.get(explanation.class)),
            "score": explanation.score,
        });
    }
    let picture = |(method, path, explanation): &(&str, PathBuf, Explanation)| {
        let mut picture = json!({ "method": method, "file": path.display().to_string() });
        if let Some(completeness) = &explanation.completeness {
            picture["completeness"] = json!({
                "score": completeness.score,
                "baseline": completeness.baseline,
                "sum": completeness.sum,
                "gap": completeness.gap(),
            });
        }
        picture
    };
    object["pictures"] = Value::Array(pictures.iter().map(picture).collect());
    object.to_string()
}

fn told_filters(filters: &Filters, path: &Path, json: bool) -> String {
    let Filters { layer, shown, count, size: [height, width], .. } = filters;
    if json {
        let file = path.display().to_string();
        return json!({ "filters": file, "layer": layer, "shown": shown, "count": count }).to_string();
    }
    let number = if shown == count { count.to_string() } else { format!("the first {shown} of {count}") };
    format!("{BOLD}{layer}{PLAIN}  {number} filters of {height}x{width}  {}", path.display())
}
