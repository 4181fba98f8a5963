//! A network of one's own: a list of layers in TOML.
//!
//! ```toml
//! layers = [
//!     { type = "conv2d", channels = 16, kernel = 3 },
//!     { type = "batch_norm" },
//!     { type = "relu" },
//!     { type = "repeat", times = 3, layers = [
//!         { type = "residual", layers = [
//!             { type = "conv2d", channels = 16, kernel = 3 },
//!             { type = "batch_norm" },
//!             { type = "relu" },
//!             { type = "conv2d", channels = 16, kernel = 3 },
//!             { type = "batch_norm" },
//!         ] },
//!         { type = "relu" },
//!     ] },
//!     { type = "global_avg_pool" },
//!     { type = "dense", units = "classes" },
//! ]
//! ```
//!
//! Each layer is a table with its `type`, its settings where they differ from the defaults, and a `name` if the
//! automatic one (`conv2d1`, `conv2d2`, ...) does not please. Types and settings are those of [`Layer`]'s variants.
//!
//! - `units = "classes"` stands for the number of classes, so that one file serves many data sets.
//! - `residual` has `layers` and a `shortcut`: `"identity"` (the default), `"subsample"` or a list of layers.
//! - `repeat` stands for its `layers`, so many `times`, one after the other.
//!
//! Mistakes are named by place: `layers 4.1.3` is the third layer in the first of the fourth.

use super::{Model, start};
use crate::names::hint;
use crate::nn::{Layer, NamedLayer, NnError, Residual, Shortcut, Task, chain};
use toml::{Table, Value};

/// What is no layer, but stands for some.
const REPEAT: &str = "repeat";
/// More layers than this are a mistake.
const MOST: usize = 10_000;

/// The classifier that a list of layers describes, for examples of shape `input` (without the batch axis) and a number
/// of classes. `name` is what the model is to be called.
///
/// ```
/// use bratt::nn::models;
/// let text = r#"
/// layers = [
///     { type = "conv2d", channels = 8, kernel = 3, stride = 2 },
///     { type = "relu" },
///     { type = "residual", layers = [{ type = "conv2d", channels = 8, kernel = 3 }] },
///     { type = "global_avg_pool" },
///     { type = "dense", units = "classes" },
/// ]"#;
/// let model = models::from_toml("mine", text, &[28, 28, 1], 10)?;
/// assert_eq!(model.network.output_shape()?[..], [10]);
/// # Ok::<(), bratt::nn::NnError>(())
/// ```
///
/// # Errors
/// Text that is not TOML; a layer or key that does not exist, is missing or has a wrong value; layers that do not fit
/// each other, the input or the number of classes. Each names the place.
pub fn from_toml(name: &str, text: &str, input: &[usize], classes: usize) -> Result<Model, NnError> {
    if classes < 2 {
        return Err(NnError::Classes { model: name.into(), classes, expected: "at least two" });
    }
    let mut table: Table = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let place = line.map_or_else(|| name.to_string(), |line| format!("line {line}"));
        NnError::Text { place, problem: format!("not valid TOML: {}", error.message()) }
    })?;
    let list = take(&mut table, "layers", "the file")?;
    nothing_left(&table, &["layers"], "the file")?;
    let mut network = start(input);
    Reader { classes, count: 0 }.chain(list, "", &mut network.layers)?;
    let outputs = network.output_shape()?;
    match network.layers.last() {
        Some(last) if outputs[..] != [classes] => Err(NnError::Layer {
            layer: last.name.clone(),
            kind: last.layer.kind(),
            problem: format!(
                "found {outputs} as the last result, expected [{classes}], a number for each class; \
                 end with {{ type = \"dense\", units = \"classes\" }}"
            ),
        }),
        Some(_) => Ok(Model { name: name.into(), network, task: Task::Classify }),
        None => Err(fault("layers", "found none, expected at least one")),
    }
}

struct Reader {
    classes: usize,
    count: usize,
}

impl Reader {
    /// Adds the layers of a list to a chain. `path` is the place of the list: empty or such as `4.1`.
    fn chain(&mut self, list: Value, path: &str, layers: &mut Vec<NamedLayer>) -> Result<(), NnError> {
        let place = if path.is_empty() { "layers".to_string() } else { format!("layers {path}") };
        let Value::Array(list) = list else {
            return Err(fault(&place, &format!("found {}, expected a list of tables", list.type_str())));
        };
        for (at, entry) in list.into_iter().enumerate() {
            let path = if path.is_empty() { format!("{}", at + 1) } else { format!("{path}.{}", at + 1) };
            let place = format!("layers {path}");
            let Value::Table(table) = entry else {
                let found = entry.type_str();
                return Err(fault(&place, &format!("found {found}, expected a table with `type`")));
            };
            self.entry(table, &path, &place, layers)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        mut table: Table,
        path: &str,
        place: &str,
        layers: &mut Vec<NamedLayer>,
    ) -> Result<(), NnError> {
        let kind = text(take(&mut table, "type", place)?, "type", place)?;
        let place = &format!("{place} ({kind})");
        if kind == REPEAT {
            return self.repeat(table, path, place, layers);
        }
        self.count += 1;
        if self.count > MOST {
            return Err(fault(place, &format!("found more than {MOST} layers")));
        }
        let name = table.remove("name").map(|name| text(name, "name", place)).transpose()?;
        let layer = if kind == "residual" {
            self.residual(table, path, place)?
        } else {
            if let Some(units) = table.get_mut("units")
                && units.as_str() == Some("classes")
            {
                *units = Value::Integer(self.classes as i64);
            }
            match Layer::from_settings(&kind, table) {
                Some(layer) => layer.map_err(|error| fault(place, &told(&error)))?,
                None => {
                    let known: Vec<&str> = Layer::KINDS.iter().copied().chain([REPEAT]).collect();
                    return Err(fault(place, &format!("no such type; {}", hint(&kind, &known))));
                }
            }
        };
        chain::append(layers, layer);
        if let (Some(name), Some(last)) = (name, layers.last_mut()) {
            last.name = name;
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        mut table: Table,
        path: &str,
        place: &str,
        layers: &mut Vec<NamedLayer>,
    ) -> Result<(), NnError> {
        let times = take(&mut table, "times", place)?;
        let list = take(&mut table, "layers", place)?;
        nothing_left(&table, &["times", "layers"], place)?;
        let Some(times) = times.as_integer().filter(|&times| times >= 1) else {
            return Err(fault(place, &format!("found times = {times}, expected a number of at least 1")));
        };
        for _ in 0..times {
            let before = self.count;
            self.chain(list.clone(), path, layers)?;
            if self.count == before {
                return Err(fault(place, "found no layers, expected at least one"));
            }
        }
        Ok(())
    }

    fn residual(&mut self, mut table: Table, path: &str, place: &str) -> Result<Layer, NnError> {
        let list = take(&mut table, "layers", place)?;
        let shortcut = table.remove("shortcut");
        nothing_left(&table, &["name", "layers", "shortcut"], place)?;
        let mut layers = Vec::new();
        self.chain(list, path, &mut layers)?;
        let shortcut = match shortcut {
            None => Shortcut::Identity,
            Some(Value::String(name)) => match name.as_str() {
                "identity" => Shortcut::Identity,
                "subsample" => Shortcut::Subsample,
                other => {
                    let known = hint(other, &["identity", "subsample"]);
                    return Err(fault(place, &format!("no shortcut is named `{other}`; {known}")));
                }
            },
            Some(list) => {
                let mut layers = Vec::new();
                self.chain(list, &format!("{path}.shortcut"), &mut layers)?;
                Shortcut::Layers(layers)
            }
        };
        Ok(Residual { layers, shortcut }.into())
    }
}

fn fault(place: &str, problem: &str) -> NnError {
    NnError::Text { place: place.into(), problem: problem.into() }
}

/// Takes a key that must be there.
fn take(table: &mut Table, key: &str, place: &str) -> Result<Value, NnError> {
    table.remove(key).ok_or_else(|| {
        let found: Vec<&str> = table.keys().map(String::as_str).collect();
        let meant =
            crate::names::nearest(key, found).map_or(String::new(), |near| format!("; found `{near}`"));
        fault(place, &format!("`{key}` is missing{meant}"))
    })
}

fn text(value: Value, key: &str, place: &str) -> Result<String, NnError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(fault(place, &format!("found {key} = {other}, expected text"))),
    }
}

fn nothing_left(table: &Table, known: &[&str], place: &str) -> Result<(), NnError> {
    match table.keys().next() {
        Some(key) => Err(fault(place, &format!("unknown key `{key}`; {}", hint(key, known)))),
        None => Ok(()),
    }
}

/// What serde says of a layer's settings, in the words of this program.
fn told(error: &toml::de::Error) -> String {
    let said = error.to_string();
    let said = said.trim();
    let mut quoted = said.split('`').skip(1).step_by(2);
    if said.starts_with("unknown field")
        && let Some(found) = quoted.next()
    {
        let known: Vec<&str> = quoted.take_while(|known| *known != found).collect();
        return format!("unknown key `{found}`; {}", hint(found, &known));
    }
    match quoted.next() {
        Some(key) if said.starts_with("missing field") => format!("`{key}` is missing"),
        // Such as: invalid type: string "x", expected usize, in `channels`
        _ => said.replace("\nin `", ", in `").replace("expected usize", "expected a number of at least 0"),
    }
}
