//! First stage of the configuration: what was typed, where.
//!
//! Settings have dotted keys. They come from a TOML file, from `--set key=value` and from flags, the later ones
//! overriding the earlier ones. An unknown key is an error with its place and the nearest spelling. What the settings
//! mean together is decided in [`plan`](crate::plan), which also records what was decided for keys that nobody set.

mod keys;
mod value;

use crate::args::TrainArgs;
use crate::failure::{Exit, Failure};
use bratt::names::nearest;
pub use keys::{KEYS, Kind, known, schema};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use toml::Value;
use toml::de::{DeTable, DeValue};
pub use value::Setting;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The reason why it was chosen.
    Chosen(String),
    /// A line of a file.
    File(PathBuf, usize),
    /// `--set`.
    Set,
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Chosen(why) => f.write_str(why),
            Origin::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Origin::Set => f.write_str("--set"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// What was typed, and a record of what was made of it.
#[derive(Debug, Default)]
pub struct Settings {
    typed: BTreeMap<&'static str, (Value, Origin)>,
    resolved: RefCell<BTreeMap<&'static str, (Value, Origin)>>,
}

impl Settings {
    /// Collects settings from the configuration file, `--set` and flags.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML, an unknown key.
    pub fn collect(args: &TrainArgs) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        if let Some(path) = &args.config {
            settings.read_file(path)?;
        }
        for text in &args.set {
            settings.set(text)?;
        }
        settings.take_flags(args);
        Ok(settings)
    }

    /// The settings of a run that was begun before, each with the origin that its `config.toml` notes, and `changes`.
    ///
    /// # Errors
    /// As [`Settings::collect`].
    pub fn of_run(config: &Path, changes: &[(&'static str, Value, Origin)]) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        settings.read_file(config)?;
        let text = std::fs::read_to_string(config).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for (_, origin) in settings.typed.values_mut() {
            let Origin::File(_, line) = origin else { continue };
            let noted = lines.get(*line - 1).and_then(|line| line.rsplit_once("# "));
            if let Some((_, noted)) = noted {
                *origin = Origin::Chosen(noted.into());
            }
        }
        for (name, value, origin) in changes {
            settings.typed.insert(name, (value.clone(), origin.clone()));
        }
        Ok(settings)
    }

    /// Settings by their keys, all of one origin.
    ///
    /// # Errors
    /// An unknown key.
    pub fn of_values(
        values: impl IntoIterator<Item = (String, Value)>,
        origin: Origin,
    ) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        for (name, value) in values {
            let key = known(&name).ok_or_else(|| settings.unknown(&name, &origin))?;
            settings.typed.insert(key.name, (value, origin.clone()));
        }
        Ok(settings)
    }

    /// The same settings with others of a search, as if nothing had been resolved yet.
    pub fn with(&self, drawn: &[(&'static str, Value)]) -> Settings {
        let mut typed = self.typed.clone();
        for (name, value) in drawn {
            typed.insert(name, (value.clone(), Origin::Chosen("of the search".into())));
        }
        Settings { typed, resolved: RefCell::default() }
    }

    /// What was set, by key.
    pub fn typed(&self) -> impl Iterator<Item = (String, Value)> {
        self.typed.iter().map(|(name, (value, _))| (name.to_string(), value.clone()))
    }

    /// Whether someone set a key.
    pub fn has(&self, name: &str) -> bool {
        self.typed.contains_key(name)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::configuration(format!("{}: cannot be read", path.display())).because(error.to_string())
        })?;
        let line = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|&&b| b == b'\n').count();
        let bad = |error: &toml::de::Error| {
            let place = error.span().map_or(String::new(), |span| format!(", line {}", line(span.start)));
            let said = error.message();
            Failure::configuration(format!("{}{place}: not valid TOML: {said}", path.display()))
        };
        let values: toml::Table = toml::from_str(&text).map_err(|e| bad(&e))?;
        let spans = DeTable::parse(&text).map_err(|e| bad(&e))?;
        for (section, content) in spans.get_ref().iter() {
            let section_name = section.get_ref().to_string();
            let DeValue::Table(table) = content.get_ref() else {
                return Err(
                    self.unknown(&section_name, &Origin::File(path.into(), line(section.span().start)))
                );
            };
            for name in table.keys() {
                let origin = Origin::File(path.into(), line(name.span().start));
                let dotted = format!("{section_name}.{}", name.get_ref());
                let key = known(&dotted).ok_or_else(|| self.unknown(&dotted, &origin))?;
                let value = values.get(&section_name).and_then(|t| t.get(name.get_ref().as_ref()));
                if let Some(value) = value {
                    self.typed.insert(key.name, (value.clone(), origin));
                }
            }
        }
        Ok(())
    }

    /// Takes `key=value`; the value is read as TOML, or else as plain text.
    fn set(&mut self, text: &str) -> Result<(), Failure> {
        if text == "help" {
            return Err(Failure::new(Exit::Usage, key_table()));
        }
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::new(Exit::Usage, format!("--set {text}: found no `=`, expected key=value"))
                .help("`--set help` lists the keys"));
        };
        let (name, value) = (name.trim(), value.trim());
        let key = known(name).ok_or_else(|| self.unknown(name, &Origin::Set))?;
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
        let value = parsed.ok().and_then(|mut table| table.remove("value"));
        let value =
            value.unwrap_or_else(|| Value::String(text.split_once('=').map_or("", |t| t.1).trim().into()));
        self.typed.insert(key.name, (value, Origin::Set));
        Ok(())
    }

    fn unknown(&self, found: &str, origin: &Origin) -> Failure {
        unknown_key(found, &origin.to_string())
    }

    fn take_flags(&mut self, args: &TrainArgs) {
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let number = |value: Option<f64>| value.map(Value::Float);
        let count = |value: Option<u64>| value.map(|v| Value::Integer(i64::try_from(v).unwrap_or(i64::MAX)));
        let units = |n: &Vec<u32>| Value::Array(n.iter().map(|&n| Value::Integer(n.into())).collect());
        let number_or_text = |text: String| text.parse().map_or(Value::String(text), Value::Float);
        let flags = [
            ("--data", text(&args.data.clone().or(args.path.clone()))),
            ("--label", text(&args.label)),
            ("--size", text(&args.size)),
            ("--fit", text(&args.fit)),
            ("--on-bad", text(&args.on_bad)),
            ("--no-cache", args.no_cache.then_some(Value::Boolean(false))),
            ("--val", number(args.val)),
            ("--test", number(args.test)),
            ("--preprocess", text(&args.preprocess)),
            ("--balance", text(&args.balance)),
            ("--augment", text(&args.augment)),
            ("--model", text(&args.model)),
            ("--hidden", args.hidden.as_ref().map(units)),
            ("--activation", text(&args.activation)),
            ("--batch-norm", args.batch_norm.map(Value::Boolean)),
            ("--drop", number(args.drop)),
            ("--input-drop", number(args.input_drop)),
            ("--init", text(&args.init)),
            ("--optimizer", text(&args.optimizer)),
            ("--lr", args.lr.clone().map(number_or_text)),
            ("--schedule", text(&args.schedule)),
            ("--momentum", args.momentum.clone().map(number_or_text)),
            ("--weight-decay", number(args.weight_decay)),
            ("--average", number(args.average)),
            ("--clip-norm", number(args.clip_norm)),
            ("--clip-value", number(args.clip_value)),
            ("--epochs", count(args.epochs)),
            ("--batch-size", count(args.batch_size)),
            ("--seed", count(args.seed)),
            ("--patience", count(args.patience)),
            ("--monitor", text(&args.monitor)),
            ("--threads", count(args.threads)),
            ("--loaders", count(args.loaders)),
            ("--isa", text(&args.isa)),
            ("--name", text(&args.name)),
            ("--runs", text(&args.runs)),
            ("--checkpoint-every", number(args.checkpoint_every)),
        ];
        for (flag, value) in flags {
            let key = KEYS.iter().find(|key| key.flag == Some(flag));
            if let (Some(key), Some(value)) = (key, value) {
                self.typed.insert(key.name, (value, Origin::Flag(flag)));
            }
        }
    }

    /// Where a key that someone set comes from.
    pub fn origin(&self, name: &str) -> Origin {
        self.typed.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Why a key has the value that it was resolved to.
    pub fn reason(&self, name: &str) -> Origin {
        self.resolved.borrow().get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// A setting, or `default`.
    ///
    /// # Errors
    /// A setting of the wrong type, naming key, place, found and expected.
    pub fn get<T: Setting>(&self, name: &'static str, default: T) -> Result<T, Failure> {
        self.get_or(name, default, Origin::Default)
    }

    /// A setting, or what was chosen for it with the reason.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn get_or<T: Setting>(&self, name: &'static str, default: T, why: Origin) -> Result<T, Failure> {
        let Some(value) = self.given::<T>(name)? else {
            self.record(name, default.value(), why);
            return Ok(default);
        };
        Ok(value)
    }

    /// A setting, if someone set it.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn given<T: Setting>(&self, name: &'static str) -> Result<Option<T>, Failure> {
        debug_assert!(known(name).is_some(), "{name} is in the table of keys");
        let Some((value, origin)) = self.typed.get(name) else { return Ok(None) };
        match T::read(value) {
            Some(read) => {
                self.record(name, read.value(), origin.clone());
                Ok(Some(read))
            }
            None => Err(self.invalid(name, T::EXPECTED)),
        }
    }

    /// Records what was decided for a key, and gives it back.
    pub fn decide<T: Setting>(&self, name: &'static str, value: T, why: Origin) -> T {
        self.record(name, value.value(), why);
        value
    }

    fn record(&self, name: &'static str, value: Value, origin: Origin) {
        self.resolved.borrow_mut().insert(name, (value, origin));
    }

    /// The error of a setting that is not what is expected.
    pub fn invalid(&self, name: &str, expected: &str) -> Failure {
        let found = match self.typed.get(name) {
            Some((value, origin)) => format!("found {value} ({origin})"),
            None => "not set".into(),
        };
        Failure::configuration(format!("{name}: {found}, expected {expected}"))
    }

    /// Finds settings that someone made and nothing has read: they have no effect. From a file, which may serve
    /// several runs, that is worth a note; typed for this run, it is a mistake.
    ///
    /// # Errors
    /// The first such setting of a flag or `--set`.
    pub fn unused(&self) -> Result<Vec<String>, Failure> {
        let resolved = self.resolved.borrow();
        let mut notes = Vec::new();
        for (name, (_, origin)) in self.typed.iter().filter(|(name, _)| !resolved.contains_key(*name)) {
            let text = format!("{name} ({origin}) has no effect together with the other settings");
            match origin {
                Origin::File(..) => notes.push(text),
                _ => {
                    return Err(
                        Failure::configuration(text).help("leave it out, or see `bratt train --help`")
                    );
                }
            }
        }
        Ok(notes)
    }

    /// Each key that was resolved, in the order of the table, with its value and origin.
    pub fn resolved(&self) -> Vec<(&'static str, Value, Origin)> {
        let resolved = self.resolved.borrow();
        let of =
            |key: &keys::Key| resolved.get(key.name).map(|(v, origin)| (key.name, v.clone(), origin.clone()));
        KEYS.iter().filter_map(of).collect()
    }

    /// The settings that somebody, or a run before, wrote down.
    pub fn written(&self) -> Vec<(&'static str, Value, Origin)> {
        let of = |key: &keys::Key| {
            self.typed.get(key.name).map(|(v, origin)| (key.name, v.clone(), origin.clone()))
        };
        KEYS.iter().filter_map(of).collect()
    }

    /// The configuration as it was resolved: TOML that `--config` reads, each value with its origin.
    pub fn to_toml(&self) -> String {
        let resolved = self.resolved.borrow();
        let mut out = String::from("# The resolved configuration of a run, each value with its origin.\n");
        out += "# Repeat it with: bratt train --config FILE --name NAME\n";
        let mut section = "";
        for key in KEYS {
            let Some((value, origin)) = resolved.get(key.name) else { continue };
            let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if of != section {
                section = of;
                let _ = writeln!(out, "\n[{section}]");
            }
            let line = format!("{name} = {value}");
            // The folder of a run can be moved, so that paths to other files would not hold.
            let origin = match origin {
                Origin::File(path, line) => {
                    format!("{}, line {line}", path.file_name().unwrap_or_default().display())
                }
                other => other.to_string(),
            };
            let origin = origin.replace(['\n', '\r'], " ");
            let _ = writeln!(out, "{line:<30} # {origin}");
        }
        out
    }
}

/// The error of a key that there is not, with the nearest that there is.
pub fn unknown_key(found: &str, place: &str) -> Failure {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let last = |name: &str| name.rsplit('.').next().unwrap_or("").to_string();
    // `lr` alone, or in the wrong section, is as near as a letter too many.
    let by_last = names.iter().find(|name| last(name) == last(found)).copied();
    let help = match by_last.or_else(|| nearest(found, names.iter().copied())) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`bratt train --set help` lists the keys".into(),
    };
    Failure::configuration(format!("unknown key `{found}` ({place})")).help(help)
}

/// The keys as a table.
pub fn key_table() -> String {
    let mut out = String::from("the keys are\n");
    for key in KEYS {
        let _ = writeln!(out, "  {:<23} {:<15} {}", key.name, key.flag.unwrap_or(""), key.about);
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(file: &str, set: &[&str], epochs: Option<u64>) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        std::fs::write(&path, file).unwrap();
        let set = set.iter().map(ToString::to_string).collect();
        Settings::collect(&TrainArgs { config: Some(path), set, epochs, ..TrainArgs::default() })
    }

    fn message(failure: Failure) -> String {
        failure.text()
    }

    #[test]
    fn flags_override_set_and_set_overrides_the_file() {
        let file = "[train]\nepochs = 1\nseed = 2\nbatch_size = 8\n";
        let settings = collect(file, &["train.epochs=3", "train.seed = 4"], Some(5)).unwrap();
        assert_eq!(settings.get("train.epochs", 0).ok(), Some(5u64));
        assert_eq!(settings.get("train.seed", 0).ok(), Some(4u64));
        assert_eq!(settings.get("train.batch_size", 0).ok(), Some(8u64));
    }

    #[test]
    fn unknown_keys_are_named_with_place_and_suggestion() {
        let text = message(collect("[train]\nepochs = 1\n\n[optim]\nlrr = 1\n", &[], None).unwrap_err());
        assert!(text.contains("`optim.lrr`") && text.contains("my.toml, line 5"), "{text}");
        assert!(text.contains("did you mean `optim.lr`?"), "{text}");
        let text = message(collect("", &["train.lr=1"], None).unwrap_err());
        assert!(text.contains("did you mean `optim.lr`?"), "{text}");
        let text = message(collect("lr = 1\n", &[], None).unwrap_err());
        assert!(text.contains("line 1") && text.contains("did you mean `optim.lr`?"), "{text}");
    }

    #[test]
    fn a_wrong_type_is_named_with_place_found_and_expected() {
        let settings = collect("[optim]\nlr = \"fast\"\n", &[], None).unwrap();
        let text = message(settings.get("optim.lr", 1.0).unwrap_err());
        assert!(text.contains("optim.lr: found \"fast\" (") && text.contains("line 2)"), "{text}");
        assert!(text.contains("expected a finite number"), "{text}");
    }

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let text = message(collect("[train]\nepochs = = 1\n", &[], None).unwrap_err());
        assert!(text.contains("my.toml, line 2: not valid TOML"), "{text}");
    }

    #[test]
    fn the_resolved_configuration_reads_as_it_was_written() {
        let settings = collect("[model]\nhidden = [32, 16]\n", &["model.activation=tanh"], None).unwrap();
        settings.get("model.hidden", vec![1]).unwrap();
        settings.get("model.activation", String::new()).unwrap();
        settings.get_or("optim.lr", 1e-3, Origin::Chosen("usual for adam".into())).unwrap();
        let text = settings.to_toml();
        assert!(text.contains("# usual for adam"), "{text}");
        let again = collect(&text, &[], None).unwrap();
        assert_eq!(again.get("model.hidden", vec![1]).ok(), Some(vec![32, 16]));
        assert_eq!(again.get("model.activation", String::new()).ok(), Some("tanh".into()));
        assert_eq!(again.get("optim.lr", 0.0).ok(), Some(1e-3));
    }

    #[test]
    fn settings_that_nothing_reads_are_noted_or_refused() {
        let settings = collect("[optim]\nrho = 0.5\n", &[], None).unwrap();
        assert!(settings.unused().unwrap()[0].contains("optim.rho"));
        let settings = collect("", &["optim.rho=0.5"], None).unwrap();
        let text = message(settings.unused().unwrap_err());
        assert!(text.contains("optim.rho (--set) has no effect"), "{text}");
    }

    #[test]
    fn every_flag_of_the_table_exists() {
        use clap::CommandFactory;
        let command = crate::args::Cli::command();
        let train = command.find_subcommand("train").unwrap();
        for flag in KEYS.iter().filter_map(|key| key.flag) {
            let name = flag.trim_start_matches('-');
            assert!(train.get_arguments().any(|a| a.get_long() == Some(name)), "{flag}");
        }
    }
}
