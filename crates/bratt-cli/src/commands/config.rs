//! `bratt config show|explain|schema`

use super::train::job::{Job, Search};
use crate::args::{ExplainKeyArgs, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::settings::{KEYS, Origin, Settings, known, schema};
use crate::terminal::{BOLD, DIM, PLAIN};
use bratt::names::nearest;
use bratt::report::RunFolder;
use serde_json::{Map, json};
use std::io::Write;

/// Prints the configuration as `train` would resolve it, or that of a run, each value with its origin; nothing is trained
/// or written.
pub fn show(args: &TrainArgs) -> Result<(), Failure> {
    let settings = Settings::collect(args)?;
    let mut out = anstream::stdout();
    let (resolved, text) = match args.path.as_deref().map(RunFolder::open) {
        Some(Ok(run)) => of_run(&run, &settings)?,
        _ => {
            Job::prepare(&settings, Search::Later)?;
            settings.unused()?;
            (settings.resolved(), settings.to_toml())
        }
    };
    if args.json {
        let values: Map<_, _> = resolved
            .into_iter()
            .map(|(name, value, origin)| {
                (name.to_string(), json!({"value": value, "origin": origin.to_string()}))
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(values))?;
    } else {
        write!(out, "{text}")?;
    }
    Ok(())
}

/// Keys with values and origins, and the same as TOML.
type Resolved = (Vec<(&'static str, toml::Value, Origin)>, String);

/// What a run was trained with, as it is written down there: what was chosen then is not chosen again.
fn of_run(run: &RunFolder, asked: &Settings) -> Result<Resolved, Failure> {
    if let Some((key, _)) = asked.typed().find(|(key, _)| key != "data.path") {
        let message = format!("{key}: is set, but the configuration of a run is shown as it is");
        return Err(Failure::new(Exit::Usage, message)
            .help("leave it out; `bratt train --config RUN/config.toml` takes other options, too"));
    }
    let settings = Settings::of_run(&run.path().join(RunFolder::CONFIG), &[])?;
    let text = run.read(RunFolder::CONFIG).map_err(|error| Failure::of(Exit::Configuration, &error))?;
    Ok((settings.written(), text))
}

/// Explains a key, the keys of a section, or all.
pub fn explain(args: &ExplainKeyArgs) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    let Some(name) = &args.key else {
        for key in KEYS {
            writeln!(out, "{:<24} {}", key.name, key.about)?;
        }
        return Ok(writeln!(out, "\n`bratt config explain KEY` says more")?);
    };
    if let Some(key) = known(name) {
        writeln!(out, "{BOLD}{}{PLAIN}  {}", key.name, key.about)?;
        writeln!(out, "  {DIM}values {PLAIN} {}", key.kind.describe())?;
        writeln!(out, "  {DIM}default{PLAIN} {}", key.default)?;
        writeln!(out, "  {DIM}flag   {PLAIN} {}", key.flag.unwrap_or("none"))?;
        let (section, last) = key.name.split_once('.').unwrap_or(("", key.name));
        writeln!(out, "  {DIM}in TOML{PLAIN} [{section}]\n          {last} = ...")?;
        return Ok(writeln!(out, "  {DIM}or      --set {}=...{PLAIN}", key.name)?);
    }
    let of_section: Vec<_> =
        KEYS.iter().filter(|key| key.name.split_once('.').is_some_and(|(s, _)| s == name)).collect();
    if !of_section.is_empty() {
        for key in of_section {
            writeln!(out, "{:<24} {}", key.name, key.about)?;
        }
        return Ok(());
    }
    let by_last = KEYS.iter().map(|key| key.name).find(|key| key.ends_with(&format!(".{name}")));
    let help = match by_last.or_else(|| nearest(name, KEYS.iter().map(|key| key.name))) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`bratt config explain` lists the keys".into(),
    };
    Err(Failure::new(Exit::Configuration, format!("no key is named `{name}`")).help(help))
}

/// Prints the JSON schema of configuration files.
pub fn print_schema() -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{:#}", schema())?)
}
