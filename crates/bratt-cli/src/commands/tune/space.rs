//! What is searched, as it is typed: `optim.lr=1e-4..1e-1:log`, `optim.type=adam,nesterov`,
//! `optim.schedule=["linear", "cosine"]`; in a file the same texts, or arrays, under `[space]`.

use crate::failure::{Exit, Failure};
use crate::settings::{KEYS, Kind, known, unknown_key};
use bratt::search::{Axis, Scale, Space, Value as Drawn};
use serde::Deserialize;
use std::path::Path;
use toml::Value;

/// A key that is searched, and what over.
#[derive(Clone, Debug)]
pub struct Searched {
    /// The key.
    pub key: &'static str,
    /// The text or array that declared it, to be written down.
    pub declared: Value,
    axis: Axis,
    /// What the possibilities are, where they are listed.
    choices: Vec<Value>,
}

/// All that is searched, in the order of the table of keys.
#[derive(Clone, Debug)]
pub struct Searches {
    all: Vec<Searched>,
    space: Space,
}

impl Searches {
    /// Of declarations, each a key, and what was typed for it.
    ///
    /// # Errors
    /// An unknown key, one that stands twice or cannot be searched, values that it does not take.
    pub fn new(declared: &[(String, Value)]) -> Result<Searches, Failure> {
        let mut all: Vec<Searched> = Vec::new();
        for (name, value) in declared {
            let key = known(name).ok_or_else(|| unknown_key(name, "to be searched"))?;
            if all.iter().any(|other| other.key == key.name) {
                return Err(Failure::configuration(format!("{name}: declared twice to be searched")));
            }
            if FIXED.iter().any(|fixed| key.name.starts_with(fixed)) {
                let message = format!("{name}: cannot be searched: it is the same for all trials");
                return Err(Failure::configuration(message).help("set it with --set"));
            }
            all.push(Searched::read(key.name, &key.kind, value)?);
        }
        if all.is_empty() {
            return Err(Failure::new(Exit::Usage, "nothing to search: no key was declared")
                .help("declare one, such as --try optim.lr=1e-4..1e-1:log"));
        }
        let place = |searched: &Searched| KEYS.iter().position(|key| key.name == searched.key);
        all.sort_by_key(place);
        let space = Space::new(all.iter().map(|searched| searched.axis.clone()).collect())
            .map_err(|error| Failure::configuration(error.to_string()))?;
        Ok(Searches { all, space })
    }

    /// The keys.
    pub fn all(&self) -> &[Searched] {
        &self.all
    }

    /// The settings of a trial, and where each lies on its axis.
    pub fn draw(&self, seed: u64, trial: usize) -> Vec<(&'static str, Value)> {
        let drawn = self.space.draw(seed, trial);
        self.all.iter().zip(drawn).map(|(searched, value)| (searched.key, searched.value(value))).collect()
    }

    /// Where the values of a trial lie on their axes, from 0 to 1.
    pub fn places(&self, seed: u64, trial: usize) -> Vec<f64> {
        let drawn = self.space.draw(seed, trial);
        self.all.iter().zip(drawn).map(|(searched, value)| searched.axis.place(value)).collect()
    }
}

/// What all trials share: they have to be judged on the same data, and each needs its own folder.
const FIXED: [&str; 7] =
    ["data.path", "data.label", "data.val", "data.test", "train.epochs", "run.", "machine."];

impl Searched {
    fn read(key: &'static str, kind: &Kind, declared: &Value) -> Result<Searched, Failure> {
        let wrong = |why: &str| {
            Failure::configuration(format!("{key}: found {declared} to be searched: {why}")).help(
                "expected a range, as 1e-4..1e-1:log or 0..0.5, or values, as 32,64,128 or [\"linear\", \"cosine\"]",
            )
        };
        let (axis, choices) = match declared {
            Value::Array(values) => (Axis::Choice(values.len()), values.clone()),
            Value::String(text) => match text.split_once("..").map(|(low, rest)| (low, split_scale(rest))) {
                Some((low, (high, scale))) => {
                    let scale =
                        scale.map_err(|found| wrong(&format!("`{found}` is no scale; expected log")))?;
                    (
                        range(kind, low, high, scale).ok_or_else(|| wrong("no range of its values"))?,
                        Vec::new(),
                    )
                }
                None => {
                    let values: Vec<Value> = text.split(',').map(|text| read_value(text.trim())).collect();
                    (Axis::Choice(values.len()), values)
                }
            },
            _ => return Err(wrong("neither a range nor values")),
        };
        axis.check().map_err(|error| wrong(&error.to_string()))?;
        for (at, value) in choices.iter().enumerate() {
            if !kind.takes(value) {
                return Err(wrong(&format!("{value} is not {}", kind.describe())));
            }
            if choices[..at].contains(value) {
                return Err(wrong(&format!("{value} stands twice")));
            }
        }
        Ok(Searched { key, declared: declared.clone(), axis, choices })
    }

    fn value(&self, drawn: Drawn) -> Value {
        match drawn {
            Drawn::Choice(at) => self.choices[at].clone(),
            Drawn::Number(x) => Value::Float(x),
            Drawn::Whole(n) => Value::Integer(n.into()),
        }
    }

    /// What stands at the ends of its axis, or at its possibilities, each with its place.
    pub fn labels(&self) -> Vec<(f64, String)> {
        let number = |x: f64| shown(&Value::Float(x));
        match &self.axis {
            Axis::Choice(_) => {
                let place = |at: usize| self.axis.place(Drawn::Choice(at));
                self.choices.iter().enumerate().map(|(at, value)| (place(at), shown(value))).collect()
            }
            Axis::Number { low, high, .. } => vec![(0.0, number(*low)), (1.0, number(*high))],
            Axis::Whole { low, high, .. } => vec![(0.0, low.to_string()), (1.0, high.to_string())],
        }
    }
}

/// A value as people write it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(x) if *x != 0.0 && !(1e-3..1e4).contains(&x.abs()) => format!("{x:e}"),
        other => other.to_string(),
    }
}

/// The end of a range, and its scale or the word that is none.
fn split_scale(text: &str) -> (&str, Result<Scale, &str>) {
    match text.split_once(':') {
        None => (text, Ok(Scale::Linear)),
        Some((high, "log")) => (high, Ok(Scale::Log)),
        Some((high, "linear")) => (high, Ok(Scale::Linear)),
        Some((high, other)) => (high, Err(other)),
    }
}

/// A range of the numbers that a key takes.
fn range(kind: &Kind, low: &str, high: &str, scale: Scale) -> Option<Axis> {
    let both_take = |low: Value, high: Value| kind.takes(&low) && kind.takes(&high);
    if kind.is_whole() {
        let (low, high): (u32, u32) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        return both_take(Value::Integer(low.into()), Value::Integer(high.into())).then_some(Axis::Whole {
            low,
            high,
            scale,
        });
    }
    let (low, high): (f64, f64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    both_take(Value::Float(low), Value::Float(high)).then_some(Axis::Number { low, high, scale })
}

/// A value as TOML has it, or else plain text.
fn read_value(text: &str) -> Value {
    let read = toml::from_str::<toml::Table>(&format!("value = {text}"));
    let value = read.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.into()))
}

/// The declarations of a file, in its table `[space]`.
///
/// # Errors
/// A file that cannot be read or has no such table.
pub fn read(path: &Path) -> Result<Vec<(String, Value)>, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SpaceFile {
        space: toml::Table,
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::configuration(format!("{}: cannot be read", path.display())).because(error.to_string())
    })?;
    let file: SpaceFile = toml::from_str(&text).map_err(|error| {
        Failure::configuration(format!("{}: no table [space] with keys to search", path.display()))
            .because(error.to_string())
            .help("as in: [space]\n      \"optim.lr\" = \"1e-4..1e-1:log\"")
    })?;
    Ok(file.space.into_iter().collect())
}

/// `key=what`, as it is typed after `--try`.
///
/// # Errors
/// Without a `=`.
pub fn typed(text: &str) -> Result<(String, Value), Failure> {
    let Some((key, what)) = text.split_once('=') else {
        return Err(Failure::new(Exit::Usage, format!("--try {text}: found no `=`, expected key=values"))
            .help("as in --try optim.lr=1e-4..1e-1:log"));
    };
    let what = what.trim();
    let value = if what.starts_with('[') { read_value(what) } else { Value::String(what.into()) };
    Ok((key.trim().into(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searches(texts: &[&str]) -> Result<Searches, String> {
        let declared: Vec<(String, Value)> = texts.iter().map(|text| typed(text).unwrap()).collect();
        Searches::new(&declared).map_err(|failure| failure.text())
    }

    #[test]
    fn ranges_and_values_are_read_and_drawn_as_the_key_takes_them() {
        let all = searches(&[
            "train.batch_size=16..128:log",
            "optim.lr=1e-4..1e-1:log",
            "optim.type=adam,nesterov",
            "optim.schedule=[\"linear,to=0\", \"cosine\"]",
        ])
        .unwrap();
        let keys: Vec<&str> = all.all().iter().map(|searched| searched.key).collect();
        assert_eq!(keys, ["optim.type", "optim.lr", "optim.schedule", "train.batch_size"]);
        for trial in 0..50 {
            let drawn = all.draw(3, trial);
            assert!(["adam", "nesterov"].contains(&drawn[0].1.as_str().unwrap()));
            assert!((1e-4..=1e-1).contains(&drawn[1].1.as_float().unwrap()));
            assert!(["linear,to=0", "cosine"].contains(&drawn[2].1.as_str().unwrap()));
            assert!((16..=128).contains(&drawn[3].1.as_integer().unwrap()));
        }
    }

    #[test]
    fn what_cannot_be_searched_is_told_with_key_and_reason() {
        for (text, told) in [
            ("optim.lrr=1..2", "did you mean `optim.lr`?"),
            ("optim.lr=0..1:log", "above 0"),
            ("optim.lr=1..0.1", "the first below the second"),
            ("optim.lr=1e-4..1e-1:lg", "`lg` is no scale"),
            ("optim.type=adam", "leaves nothing to search"),
            ("optim.type=adam,sdg", "\"sdg\" is not sgd, momentum"),
            ("optim.type=adam,adam", "stands twice"),
            ("train.batch_size=0..64", "no range of its values"),
            ("train.epochs=1..9", "the same for all trials"),
            ("run.name=a,b", "the same for all trials"),
        ] {
            let said = searches(&[text]).unwrap_err();
            let key = text.split_once('=').unwrap().0;
            assert!(said.contains(told) && said.contains(key), "{text}: {said}");
        }
        assert!(searches(&["optim.lr=1..2", "optim.lr=3..4"]).unwrap_err().contains("twice"));
        assert!(searches(&[]).unwrap_err().contains("nothing to search"));
    }
}
