//! What a model says of each example, as a table for other programs.
//!
//! ```text
//! CSV          index,file,label,predicted,right,probability,loss,p(NAME),p(NAME),...
//! JSON lines   {"index":3,"file":"a/b.png","label":"a","predicted":"b","right":false,"probability":0.7,"loss":1.9,
//!               "probabilities":{"a":0.2,"b":0.7,"c":0.1}}
//! ```
//!
//! `index` counts the examples of the data set from 0; `file` is there where examples are files; `probability` is that of
//! the predicted class. Of a regression there are `index,target,predicted,loss`. Probabilities are calibrated where the model
//! has a temperature; the loss is that of the network as it was trained.

use super::RunError;
use crate::file::write_atomically;
use crate::metrics::Sample;
use crate::train::Predictions;
use serde_json::{Map, Value, json};
use std::io;
use std::path::Path;

/// The forms in which predictions can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PredictionsFormat {
    /// A table with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl PredictionsFormat {
    /// The form that a file's ending asks for: `.csv`, or `.jsonl`, `.ndjson`.
    pub fn of(path: &Path) -> Option<PredictionsFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(PredictionsFormat::Csv),
            "jsonl" | "ndjson" => Some(PredictionsFormat::JsonLines),
            _ => None,
        }
    }
}

/// Writes predictions to a file; `files` are the names of all examples of the data set, where they have any.
///
/// # Errors
/// If it cannot be written.
pub fn write_predictions(
    path: &Path,
    format: PredictionsFormat,
    said: &Predictions,
    files: Option<&[String]>,
) -> Result<(), RunError> {
    let written = match format {
        PredictionsFormat::Csv => csv(said, files),
        PredictionsFormat::JsonLines => Ok(json_lines(said, files)),
    };
    let bytes = written.map_err(|source| RunError::Io { path: path.to_owned(), source })?;
    write_file(path, &bytes)
}

/// Writes a file beside the place where it is to be, and renames it.
///
/// # Errors
/// If it cannot be written.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<(), RunError> {
    write_atomically(path, contents).map_err(|source| RunError::Io { path: path.to_owned(), source })
}

fn predicted(said: &Predictions) -> Vec<usize> {
    said.sample().map(|sample: Sample<'_>| sample.predicted().collect()).unwrap_or_default()
}

fn file(files: Option<&[String]>, example: u32) -> Option<&str> {
    files.and_then(|files| files.get(example as usize)).map(String::as_str)
}

fn csv(said: &Predictions, files: Option<&[String]>) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let names = said.classes();
    let mut row: Vec<String> = vec!["index".into()];
    if names.is_empty() {
        row.extend(["target", "predicted", "loss"].map(String::from));
    } else {
        row.extend(files.map(|_| "file".to_string()));
        row.extend(["label", "predicted", "right", "probability", "loss"].map(String::from));
        row.extend(names.iter().map(|name| format!("p({name})")));
    }
    out.write_record(&row)?;
    let predicted = predicted(said);
    for (at, &example) in said.examples().iter().enumerate() {
        row.clear();
        row.push(example.to_string());
        let loss = said.losses()[at].to_string();
        if names.is_empty() {
            row.extend([said.targets()[at].to_string(), said.outputs()[at].to_string(), loss]);
        } else {
            row.extend(files.map(|_| file(files, example).unwrap_or_default().to_string()));
            let (label, k) = (said.labels()[at] as usize, predicted[at]);
            let p = &said.probabilities()[at * names.len()..][..names.len()];
            let right = u8::from(label == k).to_string();
            row.extend([names[label].clone(), names[k].clone(), right, p[k].to_string(), loss]);
            row.extend(p.iter().map(f64::to_string));
        }
        out.write_record(&row)?;
    }
    out.into_inner().map_err(|error| error.into_error())
}

fn json_lines(said: &Predictions, files: Option<&[String]>) -> Vec<u8> {
    let names = said.classes();
    let predicted = predicted(said);
    let mut out = Vec::new();
    for (at, &example) in said.examples().iter().enumerate() {
        let mut object = json!({ "index": example });
        let loss = said.losses()[at];
        if names.is_empty() {
            object["target"] = said.targets()[at].into();
            object["predicted"] = said.outputs()[at].into();
            object["loss"] = loss.into();
        } else {
            if let Some(file) = file(files, example) {
                object["file"] = file.into();
            }
            let (label, k) = (said.labels()[at] as usize, predicted[at]);
            let p = &said.probabilities()[at * names.len()..][..names.len()];
            object["label"] = names[label].clone().into();
            object["predicted"] = names[k].clone().into();
            object["right"] = (label == k).into();
            object["probability"] = p[k].into();
            object["loss"] = loss.into();
            let all: Map<String, Value> = names.iter().cloned().zip(p.iter().map(|&p| p.into())).collect();
            object["probabilities"] = all.into();
        }
        out.extend(object.to_string().into_bytes());
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Fractions, digits};
    use crate::nn::{Input, Sequential};
    use crate::train::{Splits, Trainer};

    #[test]
    fn both_forms_hold_every_example() {
        let data = Splits::new(digits(), Fractions::default(), 7).unwrap();
        let network = Sequential::new(Input::image(8, 8, 1)).dense(10);
        let fit = Trainer::new(network).epochs(1).fit(&data).unwrap();
        let said = fit.predictions(data.test()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<String> = (0..1797).map(|i| format!("{i}.png")).collect();
        let write = |name: &str| {
            let path = folder.path().join(name);
            write_predictions(&path, PredictionsFormat::of(&path).unwrap(), &said, Some(&files)).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        let (table, lines) = (write("p.csv"), write("p.jsonl"));
        assert!(table.starts_with("index,file,label,predicted,right,probability,loss,p(0),p(1),"), "{table}");
        assert_eq!((table.lines().count(), lines.lines().count()), (181, 180));
        let mut right = 0;
        for (row, line) in table.lines().skip(1).zip(lines.lines()) {
            let cells: Vec<&str> = row.split(',').collect();
            let object: Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["file"], cells[1]);
            assert_eq!(object["probability"].as_f64(), cells[5].parse().ok());
            let sum: f64 = cells[7..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9);
            right += usize::from(cells[4] == "1");
        }
        let accuracy = said.evaluation().unwrap().accuracy().unwrap();
        assert_eq!(right as f64 / 180.0, accuracy);
        assert_eq!(PredictionsFormat::of(Path::new("p.txt")), None);
    }
}
