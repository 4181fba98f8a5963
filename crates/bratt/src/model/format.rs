//! The model file: one safetensors file (`file/tensors.rs`) with the tensors in the order of their names and the metadata
//! `{"bratt.format": "1", "bratt.model": "{...}"}`.
//!
//! `bratt.model` is a JSON object with the architecture, task, classes, inputs and provenance. Equal models are equal
//! bytes. NaN and infinities among the values are refused: such a model can predict nothing.

use super::inference_graph;
use super::trained::{Inputs, Provenance, TrainedModel};
use crate::file::tensors;
use crate::graph::Role;
use crate::nn::{Sequential, Task};
use crate::tensor::{Shape, Tensor};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The version that is written, and the only one that is read.
const FORMAT: &str = "1";

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read or written.
    #[error("{}: cannot be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is of another kind.
    #[error("{}: not a safetensors file, which bratt's models are: {problem}", path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// The file ends early.
    #[error("{}: truncated: {found} bytes found, {expected} expected; copy or train the model again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that are there.
        found: u64,
        /// Bytes that its header announces.
        expected: u64,
    },
    /// A safetensors file that another program wrote.
    #[error("{}: a safetensors file, but not one of bratt's: its metadata has no `{key}`", path.display())]
    NotBratt {
        /// The file.
        path: PathBuf,
        /// The key that is missing.
        key: &'static str,
    },
    /// A format of another version of bratt.
    #[error("{}: model format `{found}`, but this bratt reads format {FORMAT}; use the bratt that wrote it, or train again", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: String,
    },
    /// The description in the metadata is damaged.
    #[error("{}: the description `bratt.model` is damaged: {problem}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A tensor of the architecture is not there.
    #[error("{}: tensor `{name}` of shape {expected} is missing", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        expected: Shape,
    },
    /// A tensor that the architecture does not have.
    #[error("{}: tensor `{name}` does not belong to the network that the file describes", path.display())]
    ExtraTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor of another shape.
    #[error("{}: tensor `{name}`: found shape {found}, expected {expected}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Shape,
        /// Its shape in the architecture.
        expected: Shape,
    },
    /// A tensor of other numbers than f32.
    #[error("{}: tensor `{name}`: found numbers of type {found}, expected F32", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The type in the file.
        found: String,
    },
    /// A tensor with NaN or an infinity.
    #[error("{}: tensor `{name}`: element {index} is {value}, expected finite numbers", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The first such element.
        index: usize,
        /// What it is.
        value: f32,
    },
}

/// What stands under `bratt.model`.
#[derive(Serialize, Deserialize)]
struct Description<'a> {
    name: Cow<'a, str>,
    task: Task,
    inputs: Cow<'a, Inputs>,
    classes: Cow<'a, [String]>,
    network: Cow<'a, Sequential>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    provenance: Cow<'a, Provenance>,
}

impl TrainedModel {
    /// The model as the bytes of its file: the same model, the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Writes the model as one safetensors file: to a temporary file beside it first, then renamed.
    ///
    /// # Errors
    /// [`ModelError::Io`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        let path = path.as_ref();
        crate::file::write_atomically(path, &self.to_bytes()).map_err(|source| ModelError::Io {
            path: path.to_owned(),
            doing: "written",
            source,
        })
    }

    /// Reads a model file and checks every tensor against the architecture.
    ///
    /// # Errors
    /// See [`ModelError`]; each names the file, what was found and what was expected.
    pub fn load(path: impl AsRef<Path>) -> Result<TrainedModel, ModelError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| ModelError::Io {
            path: path.to_owned(),
            doing: "read",
            source,
        })?;
        from_bytes(&bytes, path)
    }
}

/// The bytes of a model's file.
fn to_bytes(model: &TrainedModel) -> Vec<u8> {
    let description = Description {
        name: Cow::Borrowed(&model.name),
        task: model.task,
        inputs: Cow::Borrowed(&model.inputs),
        classes: Cow::Borrowed(&model.classes),
        network: Cow::Borrowed(&model.network),
        temperature: model.temperature,
        provenance: Cow::Borrowed(&model.provenance),
    };
    // Plain structures of strings and numbers always become text.
    let description = serde_json::to_string(&description).unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert("bratt.format".into(), FORMAT.into());
    metadata.insert("bratt.model".into(), description.into());
    let tensors = model.values.iter().map(|(name, tensor)| (&name[..], &tensor.shape()[..], tensor.data()));
    tensors::to_bytes(metadata, tensors)
}

/// The model in the bytes of a file; `path` is for messages.
fn from_bytes(bytes: &[u8], path: &Path) -> Result<TrainedModel, ModelError> {
    let path = || path.to_owned();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(bytes, &error, path()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(bytes, &error, path()))?;
    let entry = |key: &'static str| {
        let entries = header.metadata().as_ref();
        entries.and_then(|m| m.get(key)).ok_or_else(|| ModelError::NotBratt { path: path(), key })
    };
    let format = entry("bratt.format")?;
    if format != FORMAT {
        return Err(ModelError::Version { path: path(), found: format.clone() });
    }
    let damaged = |problem: String| ModelError::Description { path: path(), problem };
    let description: Description<'static> =
        serde_json::from_str(entry("bratt.model")?).map_err(|error| damaged(error.to_string()))?;
    let (network, task) = (description.network.into_owned(), description.task);
    let graph = inference_graph(&network, task, 1).map_err(|error| damaged(error.to_string()))?;
    let outputs = network.output_shape().map_err(|error| damaged(error.to_string()))?;
    let expected = if task == Task::Binary { 2 } else { outputs.len() };
    if task != Task::Regress && description.classes.len() != expected {
        let found = description.classes.len();
        return Err(damaged(format!(
            "{found} class names for a network that tells {expected} classes apart"
        )));
    }
    if let Some(t) = description.temperature.filter(|t| !(t.is_finite() && *t > 0.0)) {
        return Err(damaged(format!("temperature {t}, expected a number above 0")));
    }
    let mut values = BTreeMap::new();
    for slot in graph.slots().iter().filter(|slot| slot.role != Role::Optimizer) {
        let name = slot.name.clone();
        let Ok(view) = file.tensor(&name) else {
            return Err(ModelError::MissingTensor { path: path(), name, expected: slot.shape.clone() });
        };
        if view.dtype() != Dtype::F32 {
            return Err(ModelError::TensorType { path: path(), name, found: format!("{:?}", view.dtype()) });
        }
        if *view.shape() != slot.shape[..] {
            let (found, expected) = (view.shape().into(), slot.shape.clone());
            return Err(ModelError::TensorShape { path: path(), name, found, expected });
        }
        let data = tensors::values(view.data());
        if let Some(index) = data.iter().position(|x| !x.is_finite()) {
            return Err(ModelError::NotFinite { path: path(), name, index, value: data[index] });
        }
        let tensor = Tensor::new(&slot.shape, data).map_err(|error| damaged(error.to_string()))?;
        values.insert(name, tensor);
    }
    let mut names = file.names();
    names.sort_unstable();
    if let Some(extra) = names.into_iter().find(|&name| !values.contains_key(name)) {
        return Err(ModelError::ExtraTensor { path: path(), name: extra.to_string() });
    }
    Ok(TrainedModel {
        name: description.name.into_owned(),
        network,
        task,
        classes: description.classes.into_owned(),
        inputs: description.inputs.into_owned(),
        values,
        temperature: description.temperature,
        provenance: description.provenance.into_owned(),
    })
}

/// Tells a file that ends early from one of another kind.
fn unreadable(bytes: &[u8], error: &SafeTensorError, path: PathBuf) -> ModelError {
    let found = bytes.len() as u64;
    let length = bytes.first_chunk().map(|first| u64::from_le_bytes(*first));
    // A header of JSON has begun, so the length before it can be believed.
    let begun = bytes.get(8) == Some(&b'{');
    if let Some(length) = length.filter(|_| begun) {
        let header = bytes.get(8..).and_then(|rest| rest.get(..usize::try_from(length).ok()?));
        let expected = match header {
            None => Some(8 + length),
            Some(header) => announced(header).map(|data| 8 + length + data),
        };
        if let Some(expected) = expected.filter(|&expected| found < expected) {
            return ModelError::Truncated { path, found, expected };
        }
    }
    ModelError::NotSafetensors { path, problem: error.to_string() }
}

/// Bytes of data that a header announces.
fn announced(header: &[u8]) -> Option<u64> {
    let header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    header.values().filter_map(|entry| entry.get("data_offsets")?.get(1)?.as_u64()).max()
}

#[cfg(test)]
mod tests;
