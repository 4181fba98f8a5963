//! The rows of a table, for prediction: columns are found by their names, in any order, and others are passed over; a
//! file without such a header has exactly the columns of the model, in its order.

use crate::failure::{Exit, Failure};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::path::Path;

/// Calls `each` with the line and the features of every row.
///
/// # Errors
/// A file that cannot be read, a missing column, a cell that is not a finite number; and what `each` says.
pub fn read(
    path: &Path,
    columns: &[String],
    mut each: impl FnMut(u64, &[f32]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shown = path.display();
    let unreadable = |error: csv::Error| {
        Failure::new(Exit::Data, format!("{shown}: not a readable CSV file")).because(error.to_string())
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_path(path)
        .map_err(unreadable)?;
    let mut record = StringRecord::new();
    let mut places: Option<Vec<usize>> = None;
    let mut rows = 0;
    let mut features = vec![0.0; columns.len()];
    while reader.read_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        let places = match &places {
            Some(places) => places,
            None => {
                let found = header(&record, columns);
                let has_header = found.is_some();
                let absent: Vec<&str> = columns
                    .iter()
                    .map(String::as_str)
                    .filter(|name| !record.iter().any(|cell| cell == *name))
                    .collect();
                let looks_like_a_header = record.iter().all(|cell| cell.parse::<f32>().is_err());
                if !has_header && (looks_like_a_header || record.len() != columns.len()) {
                    let message = format!("{shown}: no column {}", absent.join(", "));
                    return Err(Failure::new(Exit::Data, message)
                        .because(format!("the model needs the columns {}", columns.join(", "))));
                }
                places = Some(found.unwrap_or_else(|| (0..columns.len()).collect()));
                if has_header {
                    continue;
                }
                places.as_ref().expect("just set")
            }
        };
        for ((to, &place), column) in features.iter_mut().zip(places).zip(columns) {
            let cell = record.get(place).unwrap_or("");
            let Some(number) = cell.parse::<f32>().ok().filter(|x| x.is_finite()) else {
                let message =
                    format!("{shown}, line {line}, column {column}: {cell:?} is not a finite number");
                return Err(Failure::new(Exit::Data, message));
            };
            *to = number;
        }
        rows += 1;
        each(line, &features)?;
    }
    if rows == 0 {
        return Err(Failure::new(Exit::Data, format!("{shown}: found no rows, at least one is needed")));
    }
    Ok(())
}

/// Where the columns stand, if the record names all of them.
fn header(record: &StringRecord, columns: &[String]) -> Option<Vec<usize>> {
    columns.iter().map(|name| record.iter().position(|cell| cell == name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(u64, Vec<f32>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let mut all = Vec::new();
        let columns = ["a".to_string(), "b".to_string()];
        read(&path, &columns, |line, row| {
            all.push((line, row.to_vec()));
            Ok(())
        })
        .map_err(|failure| failure.text())?;
        Ok(all)
    }

    #[test]
    fn columns_are_found_by_name_or_by_place() {
        assert_eq!(rows("b,label,a\n1,x,2\n3,y,4\n").unwrap(), [(2, vec![2., 1.]), (3, vec![4., 3.])]);
        assert_eq!(rows("1,2\n3,4\n").unwrap(), [(1, vec![1., 2.]), (2, vec![3., 4.])]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(rows("a,c\n1,2\n").unwrap_err().contains("no column b"));
        assert!(rows("a,b\n1,x\n").unwrap_err().contains("line 2, column b: \"x\""));
        assert!(rows("a,b\n1\n").unwrap_err().contains("line 2, column b: \"\""));
        assert!(rows("1,2,3\n").unwrap_err().contains("the model needs the columns a, b"));
        assert!(rows("").unwrap_err().contains("no rows"));
    }
}
