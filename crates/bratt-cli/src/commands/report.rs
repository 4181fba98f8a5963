//! `bratt report RUN`

use super::train::job::{Job, Search};
use super::{learned, load};
use crate::args::{Global, ReportArgs, YesNo};
use crate::failure::{Exit, Failure};
use crate::settings::{Origin, Settings};
use crate::terminal::{Terminal, To};
use bratt::data::{Dataset, Features};
use bratt::exec::Machine;
use bratt::explain::{Explainer, IntegratedGradients, Method, explained, filters};
use bratt::model::TrainedModel;
use bratt::report::html::{Answer, FilterPart, Picture, Report, ReportError, Sources};
use bratt::report::{RunError, RunFolder};
use bratt::train::{Evaluation, Predictions, predictions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use toml::Value;

/// Wrong answers that get a heat map.
const HEAT_MAPS: usize = 24;
/// Heat maps that would take more operations than this are left out.
const MOST_OPERATIONS: u64 = 40_000_000_000;
/// Longest side of a heat map, and of the picture of filters.
const HEAT_SIDE: u32 = 128;
const FILTERS_SIDE: u32 = 640;

/// Writes the report of a run.
pub fn run(args: &ReportArgs, global: Global) -> Result<u8, Failure> {
    let folder = RunFolder::open(&args.run)
        .map_err(|error| Failure::data(&error).help("name the folder of a run, such as runs/digits-1"))?;
    let model = load(&args.run)?;
    let mut changes = vec![("machine.isa", Value::String("auto".into()), Origin::Default)];
    let path = args.data.clone().map(Value::String);
    changes.extend(path.map(|path| ("data.path", path, Origin::Flag("--data"))));
    if args.no_cache {
        changes.push(("data.cache", Value::Boolean(false), Origin::Flag("--no-cache")));
    }
    if let Some(threads) = args.threads {
        let threads = i64::try_from(threads).unwrap_or(i64::MAX);
        changes.push(("machine.threads", Value::Integer(threads), Origin::Flag("--threads")));
    }
    let settings = Settings::of_run(&folder.path().join(RunFolder::CONFIG), &changes)?;
    let job = Job::prepare(&settings, Search::Later).map_err(|failure| match args.data {
        None => failure.or_help("if the data was moved, say where it is: --data PATH"),
        Some(_) => failure,
    })?;
    learned::check(&job.splits, &model.provenance.fingerprint, folder.path())
        .map_err(|failure| failure.help("say where that data is: --data PATH"))?;
    let page = write_report(&job, &folder, &model, None, args.out.as_deref())?;
    let mut out = anstream::stdout();
    writeln!(out, "{}", page.display())?;
    if args.open == YesNo::Yes && !open(&page) {
        Terminal::new(global, To::Error).warn("no browser could be started; open the file yourself");
    }
    Ok(0)
}

/// Gathers and writes the report of a run into its folder, or where it is wanted; what the model says of the test part
/// need not be found out again.
///
/// # Errors
/// If the run cannot be read or the page not be written.
pub fn write_report(
    job: &Job,
    folder: &RunFolder,
    model: &TrainedModel,
    judged: Option<(&Predictions, &Evaluation)>,
    out: Option<&Path>,
) -> Result<std::path::PathBuf, Failure> {
    let own;
    let judged = match (judged, Sources::judged_part(&job.splits)) {
        (None, Some(part)) => {
            let said = predictions(model, &part, job.threads).map_err(|error| Failure::data(&error))?;
            let evaluation = said.evaluation().map_err(|error| Failure::data(&error))?;
            own = (said, evaluation);
            Some((&own.0, &own.1))
        }
        (judged, _) => judged,
    };
    let sources = Sources {
        folder,
        splits: &job.splits,
        model,
        judged,
        augment: &job.augment.augment,
        files: job.files.as_ref(),
        findings: job.findings.iter().cloned().collect(),
    };
    let mut report = Report::gather(&sources).map_err(|error| unusable(&error))?;
    explain(&mut report, job, model);
    let html = report.to_html();
    match out {
        None => folder.write(RunFolder::REPORT, html).map(|()| folder.path().join(RunFolder::REPORT)),
        Some(path) => RunFolder::write_to(path, html).map(|()| path.to_owned()),
    }
    .map_err(|error| Failure::of(Exit::Configuration, &error).help("write it elsewhere with --out"))
}

fn unusable(error: &ReportError) -> Failure {
    match error {
        ReportError::Run(RunError::Io { .. }) => Failure::of(Exit::Configuration, error),
        _ => Failure::data(error),
    }
}

/// Adds heat maps of wrong answers and the first filters, as far as the model has them.
fn explain(report: &mut Report, job: &Job, model: &TrainedModel) {
    report.filters = filters(model).ok().and_then(|found| {
        let picture = &found.picture;
        let size = [picture.height(), picture.width(), 3];
        Some(FilterPart {
            layer: found.layer.clone(),
            shown: found.shown,
            count: found.count,
            size: found.size,
            picture: Picture::of_levels(picture.bytes(), size, FILTERS_SIDE)?,
        })
    });
    let Some(judged) = &mut report.judged else { return };
    let Ok(mut explainer) = Explainer::on(&Machine::new(job.threads), model) else { return };
    let integrated = IntegratedGradients::default();
    let (method, times) = match explainer.feature_map() {
        Ok(_) => (Method::GradCam, 1),
        Err(_) => (Method::IntegratedGradients(integrated), integrated.steps as u64),
    };
    // Backward is twice as much work as forward.
    if 3 * times * HEAT_MAPS as u64 * report.model.flops() > MOST_OPERATIONS {
        return;
    }
    let Some(part) = Sources::judged_part(&job.splits) else { return };
    for answer in judged.mistakes.iter_mut().take(HEAT_MAPS) {
        answer.heat = heat_map(&mut explainer, &method, part.data(), answer);
    }
}

/// What in an image speaks for the class that was predicted.
fn heat_map(explainer: &mut Explainer, method: &Method, data: &Dataset, answer: &Answer) -> Option<Picture> {
    let Features::Pixels { bytes, scale } = data.features() else { return None };
    let size = data.feature_len();
    let bytes = bytes.get(answer.example as usize * size..)?.get(..size)?;
    let features: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) * scale).collect();
    let levels: Vec<u8> = features.iter().map(|x| (x * 255.0).round().clamp(0.0, 255.0) as u8).collect();
    let explanation = explainer.explain(method, &features, Some(answer.predicted)).ok()?;
    let both = explained(&levels, explainer.shape(), &explanation.map).ok()?;
    // The right half; the left one is the image itself.
    let [height, width, _] = explainer.shape();
    let wide = both.height() / height.max(1) * width;
    let left = both.width().checked_sub(wide)?;
    let rows = both.bytes().chunks_exact(3 * both.width());
    let right: Vec<u8> = rows.flat_map(|row| &row[3 * left..]).copied().collect();
    Picture::of_levels(&right, [both.height(), wide, 3], HEAT_SIDE)
}

/// Shows a page in the browser, if there is one.
fn open(page: &Path) -> bool {
    let page = std::path::absolute(page).unwrap_or_else(|_| page.to_owned());
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        Command::new("explorer")
    } else {
        Command::new("xdg-open")
    };
    let quiet = command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().is_ok()
}
