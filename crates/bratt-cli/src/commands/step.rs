//! `bratt step RUN --at K`

use super::learned;
use super::train::job::{Job, Search};
use crate::args::{Global, StepArgs};
use crate::failure::{Exit, Failure};
use crate::settings::{Origin, Settings};
use crate::terminal::{BOLD, DIM, PLAIN, counted, rate};
use bratt::names::hint;
use bratt::report::RunFolder;
use bratt::train::{Replay, ReplayedParameter, TrainError};
use serde_json::json;
use std::io::Write;
use toml::Value;

/// Bins of a histogram.
const BINS: usize = 40;
/// Examples that are listed.
const EXAMPLES: usize = 12;

/// Does a step of a training again and shows it; nothing is written.
pub fn run(args: &StepArgs, _: Global) -> Result<u8, Failure> {
    let folder = RunFolder::open(&args.run)
        .map_err(|error| Failure::data(&error).help("name the folder of a run, such as runs/digits-1"))?;
    let mut changes = Vec::new();
    let data = args.data.clone().map(Value::String);
    changes.extend(data.map(|path| ("data.path", path, Origin::Flag("--data"))));
    let settings = Settings::of_run(&folder.path().join(RunFolder::CONFIG), &changes)?;
    let job = Job::prepare(&settings, Search::Later).map_err(|failure| match args.data {
        None => failure.or_help("if the data was moved, say where it is: --data PATH"),
        Some(_) => failure,
    })?;
    let about = learned::about(&folder)?;
    learned::check(&job.splits, about["fingerprint"].as_str().unwrap_or_default(), folder.path())
        .map_err(|failure| failure.help("say where that data is: --data PATH"))?;
    let mut trainer = job.trainer.clone();
    let last = trainer.steps_per_epoch(job.splits.train().len()) as u64 * job.epochs;
    let at = args.at.unwrap_or(last);
    let nearest = folder.checkpoint_before(at).map_err(|error| Failure::data(&error))?;
    if let Some(checkpoint) = nearest {
        trainer = trainer.resume(checkpoint);
    }
    let replay = trainer.replay(&job.splits, at).map_err(|error| match &error {
        TrainError::NoSuchStep { .. } => Failure::of(Exit::Usage, &error),
        error => learned::unlike(error, folder.path()),
    })?;
    let chosen = args.param.as_deref().map(|name| parameter(&replay, name)).transpose()?;
    let mut out = anstream::stdout();
    if args.json {
        writeln!(out, "{}", as_json(&replay, chosen))?;
        return Ok(0);
    }
    introduce(&mut out, &replay, last)?;
    match chosen {
        Some(parameter) => show(&mut out, parameter)?,
        None => overview(&mut out, &replay)?,
    }
    Ok(0)
}

fn parameter<'a>(replay: &'a Replay, name: &str) -> Result<&'a ReplayedParameter, Failure> {
    replay.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
        let names: Vec<&str> = replay.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let message = format!("--param {name}: the model has no such parameter");
        Failure::new(Exit::Usage, message)
            .because(format!("it has {}", names.join(", ")))
            .help(hint(name, &names))
    })
}

fn introduce(out: &mut impl Write, replay: &Replay, last: u64) -> Result<(), Failure> {
    writeln!(
        out,
        "{DIM}step    {PLAIN}{} of {last}: epoch {}, number {} in it; {} done again to get there",
        replay.step,
        replay.epoch,
        replay.step_of_epoch,
        counted(replay.replayed, "step")
    )?;
    let momentum = replay.momentum.map_or(String::new(), |mu| format!(", momentum {mu:.4}"));
    writeln!(out, "{DIM}rate    {PLAIN}{}{momentum}", rate(replay.learning_rate))?;
    writeln!(out, "{DIM}loss    {PLAIN}{:.6} before the update", replay.loss)?;
    let shown: Vec<String> = replay.examples.iter().take(EXAMPLES).map(u32::to_string).collect();
    let more = if replay.examples.len() > EXAMPLES { ", ..." } else { "" };
    let count = counted(replay.examples.len() as u64, "example");
    writeln!(out, "{DIM}batch   {PLAIN}{count}: {}{more}\n", shown.join(", "))?;
    Ok(())
}

/// A row for each parameter.
fn overview(out: &mut impl Write, replay: &Replay) -> Result<(), Failure> {
    let wide = replay.parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or(0).max(9);
    writeln!(
        out,
        "{DIM}{:<wide$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>13}{PLAIN}",
        "parameter", "numbers", "|value|", "|gradient|", "|update|", "update/value"
    )?;
    for parameter in &replay.parameters {
        let [value, gradient, update] =
            [&parameter.before, &parameter.gradient, &parameter.update()].map(|values| norm(values));
        let ratio = if value > 0.0 { format!("{:.1e}", update / value) } else { "-".into() };
        writeln!(
            out,
            "{:<wide$}  {:>10}  {value:>10.3e}  {gradient:>10.3e}  {update:>10.3e}  {ratio:>13}",
            parameter.name,
            parameter.before.len()
        )?;
    }
    writeln!(
        out,
        "\n{DIM}| | is the length of all numbers as one vector; --param NAME shows one of them{PLAIN}"
    )?;
    Ok(())
}

/// Everything about one parameter.
fn show(out: &mut impl Write, parameter: &ReplayedParameter) -> Result<(), Failure> {
    let update = parameter.update();
    let mut rows: Vec<(String, &[f32])> =
        vec![("value before".into(), &parameter.before), ("gradient".into(), &parameter.gradient)];
    for (name, before, after) in &parameter.state {
        let name = name.rsplit('.').next().unwrap_or(name);
        rows.push((format!("{name} before"), before));
        rows.push((format!("{name} after"), after));
    }
    rows.push(("update".into(), &update));
    rows.push(("value after".into(), &parameter.after));
    let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    writeln!(out, "{BOLD}{}{PLAIN}  {}\n", parameter.name, parameter.shape)?;
    writeln!(
        out,
        "{DIM}{:wide$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}  {:>7}{PLAIN}",
        "", "mean", "deviation", "least", "greatest", "length", "zeros"
    )?;
    for (name, values) in &rows {
        let Statistics { mean, deviation, least, greatest, zeros } = Statistics::of(values);
        let length = norm(values);
        writeln!(
            out,
            "{name:<wide$}  {mean:>10.3e}  {deviation:>10.3e}  {least:>10.3e}  {greatest:>10.3e}  {length:>10.3e}  {zeros:>5.1} %"
        )?;
    }
    writeln!(out)?;
    for (name, values) in rows.iter().filter(|(name, _)| ["gradient", "update"].contains(&name.as_str())) {
        let (bars, least, greatest) = histogram(values);
        writeln!(out, "{name:<wide$}  {least:>10.3e} {bars} {greatest:.3e}")?;
    }
    Ok(())
}

struct Statistics {
    mean: f64,
    deviation: f64,
    least: f32,
    greatest: f32,
    /// In percent.
    zeros: f64,
}

impl Statistics {
    fn of(values: &[f32]) -> Statistics {
        let n = values.len().max(1) as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let squares = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
        Statistics {
            mean,
            deviation: squares.sqrt(),
            least: values.iter().copied().fold(f32::INFINITY, f32::min),
            greatest: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            zeros: 100.0 * values.iter().filter(|&&x| x == 0.0).count() as f64 / n,
        }
    }
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// Heights of equal bins from the least to the greatest value, over the root so that few are seen beside many.
fn histogram(values: &[f32]) -> (String, f32, f32) {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Statistics { least, greatest, .. } = Statistics::of(values);
    let mut counts = [0u32; BINS];
    for &x in values {
        let share = if greatest > least { (x - least) / (greatest - least) } else { 0.5 };
        counts[((share * BINS as f32) as usize).min(BINS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or(1).max(1)).sqrt();
    let bar = |&count: &u32| BARS[(f64::from(count).sqrt() / most * 8.0).ceil() as usize];
    (counts.iter().map(bar).collect(), least, greatest)
}

fn as_json(replay: &Replay, chosen: Option<&ReplayedParameter>) -> serde_json::Value {
    let statistics = |values: &[f32]| {
        let Statistics { mean, deviation, least, greatest, .. } = Statistics::of(values);
        json!({"mean": mean, "deviation": deviation, "min": least, "max": greatest, "norm": norm(values)})
    };
    let about = |parameter: &ReplayedParameter| {
        json!({
            "name": parameter.name,
            "shape": parameter.shape.as_ref(),
            "value": statistics(&parameter.before),
            "gradient": statistics(&parameter.gradient),
            "update": statistics(&parameter.update()),
        })
    };
    let arrays = |parameter: &ReplayedParameter| {
        let state = parameter
            .state
            .iter()
            .map(|(name, before, after)| (name.clone(), json!({"before": before, "after": after})));
        json!({
            "name": parameter.name,
            "shape": parameter.shape.as_ref(),
            "before": parameter.before,
            "gradient": parameter.gradient,
            "after": parameter.after,
            "state": state.collect::<serde_json::Map<_, _>>(),
        })
    };
    json!({
        "step": replay.step,
        "epoch": replay.epoch,
        "step_of_epoch": replay.step_of_epoch,
        "examples": replay.examples,
        "learning_rate": replay.learning_rate,
        "momentum": replay.momentum,
        "loss": replay.loss,
        "parameters": replay.parameters.iter().map(about).collect::<Vec<_>>(),
        "parameter": chosen.map(arrays),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_shows_where_values_lie() {
        let (bars, least, greatest) = histogram(&[0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!((least, greatest, bars.chars().count()), (0.0, 1.0, BINS));
        assert!(bars.starts_with('█') && bars.ends_with('▄'), "{bars}");
    }
}
