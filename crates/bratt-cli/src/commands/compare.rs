//! `bratt compare RUN RUN`

use super::judged::{self, Own};
use super::load;
use crate::args::{CompareArgs, Global};
use crate::failure::{Exit, Failure};
use crate::plan;
use crate::terminal::{BOLD, DIM, GREEN, PLAIN, counted, thousands};
use bratt::metrics::{McNemar, mcnemar};
use bratt::model::TrainedModel;
use bratt::train::{Evaluation, Figure, Predictions, Splits, predictions};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// A difference with a smaller p-value is called one.
const LEVEL: f64 = 0.05;

/// Compares two runs; the number is the exit code.
pub fn run(args: &CompareArgs, _: Global) -> Result<u8, Failure> {
    let paths = [args.first.as_path(), args.second.as_path()];
    let threads = plan::threads(args.threads.unwrap_or(0))?;
    let models = [load(paths[0])?, load(paths[1])?];
    let splits = same_test(paths, &models, args.no_cache)?;
    let said = [
        predictions(&models[0], &splits.test(), threads)?,
        predictions(&models[1], &splits.test(), threads)?,
    ];
    let results = [said[0].evaluation()?, said[1].evaluation()?];
    let differences = differences(paths)?;
    let outcome = (!models[0].classes.is_empty()).then(|| Outcome::of(&said)).transpose()?;

    let mut out = anstream::stdout();
    if args.json {
        let side = |at: usize| {
            json!({
                "run": paths[at].display().to_string(),
                "model": models[at].name,
                "values": models[at].value_count(),
                "test": results[at],
            })
        };
        let json = json!({
            "first": side(0),
            "second": side(1),
            "configuration": differences
                .iter()
                .map(|(key, values)| json!({ "key": key, "first": values[0], "second": values[1] }))
                .collect::<Vec<_>>(),
            "test_part": { "data": splits.data().name(), "n": splits.test().len() },
            "mcnemar": outcome.as_ref().map(|outcome| outcome.test),
            "both_right": outcome.as_ref().map(|outcome| outcome.both_right),
            "neither_right": outcome.as_ref().map(|outcome| outcome.neither_right),
        });
        writeln!(out, "{json}")?;
        return Ok(0);
    }
    for (name, (path, model)) in ["first", "second"].iter().zip(paths.iter().zip(&models)) {
        let values = counted(model.value_count() as u64, "number");
        let kept = model.provenance.kept_epoch;
        writeln!(out, "{DIM}{name:<8}{PLAIN}{}  {}, {values}, epoch {kept}", path.display(), model.name)?;
    }
    writeln!(
        out,
        "{DIM}{:<8}{PLAIN}the same test part of {}, {}\n",
        "data",
        splits.data().name(),
        counted(splits.test().len() as u64, "example")
    )?;
    writeln!(out, "{}", configuration_table(&differences))?;
    writeln!(out, "{}", figure_table(&results))?;
    if let Some(outcome) = outcome {
        writeln!(out, "{}", outcome.text())?;
    }
    out.flush()?;
    Ok(0)
}

/// The data of both runs, which must have the same test part.
fn same_test(paths: [&Path; 2], models: &[TrainedModel; 2], no_cache: bool) -> Result<Splits, Failure> {
    let refused = |what: String, help: &str| {
        let (a, b) = (paths[0].display(), paths[1].display());
        Err(Failure::new(Exit::Data, format!("{a} and {b} cannot be compared: {what}")).help(help))
    };
    let [a, b] = [&models[0], &models[1]];
    if a.task != b.task || a.classes != b.classes {
        return refused("they tell other classes apart".into(), "compare runs on the same data");
    }
    let (from, other) = (&a.provenance, &b.provenance);
    if from.fingerprint != other.fingerprint {
        let help =
            "the fingerprints in their data.json differ; images made another size count as other data, too";
        return refused(
            format!("they were trained on different data, {} and {}", from.data, other.data),
            help,
        );
    }
    if a.network.input != b.network.input {
        return refused("they take inputs of different shapes".into(), "compare runs on the same data");
    }
    let Own { splits: first, .. } = judged::own(a, paths[0], no_cache)?;
    let Own { splits: second, .. } = judged::own(b, paths[1], no_cache)?;
    let test = [&first, &second].map(|splits| {
        let test = splits.test();
        (test.indices().to_vec(), splits.test_is_given().then(|| test.data().fingerprint()))
    });
    if test[0] != test[1] {
        let what = match (from.seed, other.seed) {
            (a, b) if a != b => {
                format!("their test parts differ, as seeds {a} and {b} divide the data differently")
            }
            _ => "their test parts differ".into(),
        };
        return refused(what, "train both with the same --seed, --val and --test");
    }
    if first.test().is_empty() {
        return refused("they have no test part".into(), "train with --test 0.1");
    }
    Ok(first)
}

/// A key, and its values in the first and the second run.
type Difference = (String, [Option<String>; 2]);

/// The keys whose values differ, with both values; nothing where a run does not have the key. Names and folders are not
/// settings of the training.
fn differences(paths: [&Path; 2]) -> Result<Vec<Difference>, Failure> {
    let mut all: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
    for (side, path) in paths.iter().enumerate() {
        let Some(file) = judged::configuration(path) else { continue };
        let unreadable =
            |why: String| Failure::configuration(format!("{}: cannot be read", file.display())).because(why);
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(error.to_string()))?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| unreadable(error.message().into()))?;
        for (section, content) in table {
            let toml::Value::Table(content) = content else { continue };
            for (key, value) in content {
                all.entry(format!("{section}.{key}")).or_default()[side] = Some(value.to_string());
            }
        }
    }
    let differs = |(key, values): &Difference| !key.starts_with("run.") && values[0] != values[1];
    Ok(all.into_iter().filter(differs).collect())
}

fn configuration_table(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return format!("{DIM}configuration{PLAIN}  the same\n");
    }
    let key = differences.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0).max(18);
    let mut text = format!("{DIM}{:<key$}  {:<24}  second{PLAIN}\n", "configuration", "first");
    for (name, values) in differences {
        let [a, b] = values.each_ref().map(|value| value.as_deref().unwrap_or("-"));
        text += &format!("{name:<key$}  {a:<24}  {b}\n");
    }
    text
}

/// The figures of both side by side; the better one is green.
fn figure_table(results: &[Evaluation; 2]) -> String {
    let mut text = format!("{DIM}{:<18}  {:<30}  second{PLAIN}\n", "measure", "first");
    let [first, second] = [&results[0], &results[1]].map(Evaluation::figures);
    for (a, b) in first.iter().zip(&second) {
        if a.value.is_none() && b.value.is_none() {
            continue;
        }
        let shown = |figure: &Figure| match figure.shown_interval() {
            interval if interval.is_empty() => figure.shown(),
            interval => format!("{}  [{interval}]", figure.shown()),
        };
        let better = |a: &Figure, b: &Figure| match (a.value, b.value) {
            (Some(x), Some(y)) if a.more_is_better => x > y,
            (Some(x), Some(y)) => x < y,
            _ => false,
        };
        let coloured = |figure: &Figure, other: &Figure, width: usize| {
            let (on, off) = if better(figure, other) { (GREEN, PLAIN) } else { ("", "") };
            format!("{on}{:<width$}{off}", shown(figure))
        };
        text += &format!("{:<18}  {}  {}\n", a.title, coloured(a, b, 30), coloured(b, a, 0));
    }
    text
}

/// How two models agree on the same examples.
struct Outcome {
    both_right: usize,
    neither_right: usize,
    test: McNemar,
}

impl Outcome {
    fn of(said: &[Predictions; 2]) -> Result<Outcome, Failure> {
        let right = |said: &Predictions| -> Result<Vec<bool>, Failure> {
            let sample = said.sample().map_err(|error| Failure::data(&error))?;
            Ok(sample.predicted().zip(sample.labels()).map(|(p, &label)| p == label as usize).collect())
        };
        let (first, second) = (right(&said[0])?, right(&said[1])?);
        let count = |a: bool, b: bool| first.iter().zip(&second).filter(|&(&x, &y)| x == a && y == b).count();
        Ok(Outcome {
            both_right: count(true, true),
            neither_right: count(false, false),
            test: mcnemar(count(true, false), count(false, true)),
        })
    }

    fn text(&self) -> String {
        let McNemar { first_only, second_only, p, test } = self.test;
        let counts =
            [self.both_right, first_only, second_only, self.neither_right].map(|n| thousands(n as u64));
        let verdict = match p < LEVEL {
            true if first_only > second_only => "the first is better on such examples",
            true => "the second is better on such examples",
            false => "these examples do not tell which is better",
        };
        let p = if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") };
        format!(
            "{DIM}agreement{PLAIN}   both right {}, only the first {}, only the second {}, neither {}\n\
             {DIM}McNemar{PLAIN}     {BOLD}p = {p}{PLAIN} ({}): {verdict}",
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            test.name()
        )
    }
}
