//! A table as columns in f64, for regression: numbers, categories, and what is missing.
//!
//! Separator, header, names of columns and trimming are those of [`csv`](super::csv). A column is of numbers if every cell
//! that is there is one; else its texts are categories, in plain string order. Missing is a cell that is empty, `NA`,
//! `N/A`, `NaN`, `null` or `?`.

use super::DataError;
use super::csv::{is_header, line_of, read_error, records};
use ::csv::StringRecord;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What stands in the cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers, all finite; none where one is missing.
    Numbers(Vec<Option<f64>>),
    /// Categories, by their place in `names`.
    Categories {
        /// The categories in plain string order.
        names: Vec<String>,
        /// One a row; none where it is missing.
        cells: Vec<Option<usize>>,
    },
}

impl Cells {
    /// Whether the cell of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Cells::Numbers(cells) => cells[row].is_none(),
            Cells::Categories { cells, .. } => cells[row].is_none(),
        }
    }
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name in the header, or the number of the column.
    pub name: String,
    /// Its cells.
    pub cells: Cells,
}

/// A whole table.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// Where it was read.
    pub path: PathBuf,
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// How many rows there are.
    pub rows: usize,
}

const MISSING: [&str; 6] = ["", "NA", "N/A", "NaN", "null", "?"];

fn is_missing(cell: &str) -> bool {
    MISSING.iter().any(|missing| cell.eq_ignore_ascii_case(missing))
}

impl Columns {
    /// Reads a table, plain or gzip.
    ///
    /// # Errors
    /// See [`DataError`]: ragged rows, infinite numbers, an empty file, a header only.
    pub fn read(path: &Path) -> Result<Columns, DataError> {
        let mut reader = records(path)?;
        let mut record = StringRecord::new();
        let empty = |found| DataError::Empty { path: path.to_owned(), found };
        let mut texts: Vec<Vec<String>> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        while reader.read_record(&mut record).map_err(|source| read_error(path, source))? {
            let start = record.position().map_or(0, ::csv::Position::byte);
            if names.is_empty() {
                let header = is_header(&record, None);
                names = match header {
                    true => record.iter().map(str::to_owned).collect(),
                    false => (1..=record.len()).map(|number| number.to_string()).collect(),
                };
                texts = vec![Vec::new(); names.len()];
                if header {
                    continue;
                }
            }
            if record.len() != names.len() {
                return Err(DataError::RaggedRow {
                    path: path.to_owned(),
                    line: line_of(path, start),
                    expected: names.len(),
                    found: record.len(),
                });
            }
            for (column, cell) in texts.iter_mut().zip(&record) {
                let infinite = cell.parse::<f64>().is_ok_and(f64::is_infinite);
                if infinite {
                    let (path, line) = (path.to_owned(), line_of(path, start));
                    let (column, cell) = (names[column_of(&record, cell)].clone(), cell.to_owned());
                    return Err(DataError::NotFinite { path, line, column, cell });
                }
                column.push(cell.to_owned());
            }
        }
        let rows = texts.first().map_or(0, Vec::len);
        match (names.is_empty(), rows) {
            (true, _) => return Err(empty("the file is empty")),
            (false, 0) => return Err(empty("there is a header, but no row below it")),
            _ => {}
        }
        let columns = names.into_iter().zip(texts).map(|(name, texts)| Column { name, cells: cells(&texts) });
        Ok(Columns { path: path.to_owned(), columns: columns.collect(), rows })
    }

    /// The column of a name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(&self, name: &str) -> Result<&Column, DataError> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| DataError::NoSuchColumn {
            path: self.path.clone(),
            wanted: name.to_owned(),
            columns: self.columns.iter().map(|column| column.name.clone()).collect(),
        })
    }
}

/// Where a cell stands in its row.
fn column_of(record: &StringRecord, cell: &str) -> usize {
    record.iter().position(|other| std::ptr::eq(other, cell)).unwrap_or(0)
}

fn cells(texts: &[String]) -> Cells {
    let there = |text: &&String| !is_missing(text);
    if texts.iter().filter(there).all(|text| text.parse::<f64>().is_ok()) {
        let number = |text: &String| if is_missing(text) { None } else { text.parse().ok() };
        return Cells::Numbers(texts.iter().map(number).collect());
    }
    let places: BTreeMap<&str, usize> = {
        let mut places: BTreeMap<&str, usize> =
            texts.iter().filter(there).map(|text| (text.as_str(), 0)).collect();
        (0..).zip(places.values_mut()).for_each(|(at, place)| *place = at);
        places
    };
    let cells = texts.iter().map(|text| places.get(text.as_str()).copied()).collect();
    Cells::Categories { names: places.keys().map(ToString::to_string).collect(), cells }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Columns, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        Columns::read(&path)
    }

    #[test]
    fn numbers_categories_and_gaps() {
        let table = read("size;town;price\n1.5;Oslo;3\nNA;Bergen;4e2\n2; ?;5\n").unwrap();
        assert_eq!(table.rows, 3);
        assert_eq!(table.columns[0].cells, Cells::Numbers(vec![Some(1.5), None, Some(2.0)]));
        let names = vec!["Bergen".to_string(), "Oslo".into()];
        assert_eq!(table.columns[1].cells, Cells::Categories { names, cells: vec![Some(1), Some(0), None] });
        assert!(table.named("town").is_ok());
        assert!(table.named("city").unwrap_err().to_string().contains("size, town, price"));
    }

    #[test]
    fn without_a_header_columns_have_numbers() {
        let table = read("1,2\n3,4\n").unwrap();
        assert_eq!((table.rows, table.columns[1].name.as_str()), (2, "2"));
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        for (text, told) in [
            ("", "the file is empty"),
            ("a,b\n", "no row below it"),
            ("a,b\n1,2\n3\n", "line 3: 1 cells"),
            ("a,b\n1,2\n3,inf\n", "line 3, column b"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(told), "{text:?}: {said}");
        }
    }
}
