//! From the columns of a table to a matrix: an intercept, numbers with their powers, categories as indicators.
//!
//! A category's first name, in string order, is the one that the others are compared with: its indicator would follow
//! from the intercept and the others. Without an intercept the first categorical column keeps all its indicators.

use super::qr::Matrix;
use crate::data::columns::{Cells, Column, Columns};

/// What goes into a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether there is a column of ones.
    pub intercept: bool,
    /// Powers of each number, from 1 to this.
    pub degree: u32,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { intercept: true, degree: 1 }
    }
}

/// Why columns make no design.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DesignError {
    /// No row without a gap.
    #[error("no row is without a gap")]
    NoRows,
    /// Nothing to explain the target by.
    #[error("there is nothing to explain {target} by: no other column, and no intercept")]
    NoTerms {
        /// The target.
        target: String,
    },
    /// A power that f64 cannot hold.
    #[error(
        "column {column}: its power {power} is too large for f64; give it smaller units or a smaller degree"
    )]
    Overflow {
        /// The column.
        column: String,
        /// The power.
        power: u32,
    },
}

/// A matrix, the names of its columns, and which rows of the table it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// `(intercept)`, `x`, `x^2`, `town=Oslo`, ...
    pub names: Vec<String>,
    /// A column a name.
    pub matrix: Matrix,
    /// The rows of the table without a gap, from 0.
    pub rows: Vec<usize>,
    /// How many cells are missing, by column; only those where some are.
    pub missing: Vec<(String, usize)>,
    /// The features themselves with their names, if all are numbers.
    pub numbers: Option<Vec<(String, Vec<f64>)>>,
    terms: Terms,
}

/// The name of the column of ones.
pub const INTERCEPT: &str = "(intercept)";

impl Design {
    /// Of the columns `features`, for the rows that have all of them and the target.
    ///
    /// # Errors
    /// If no row or no column is left, or a power is too large.
    pub fn new(
        table: &Columns,
        features: &[String],
        target: &str,
        terms: &Terms,
    ) -> Result<Design, DesignError> {
        let used: Vec<_> = features
            .iter()
            .filter_map(|name| table.columns.iter().find(|column| column.name == *name))
            .collect();
        let all = || used.iter().copied().chain(table.columns.iter().filter(|column| column.name == target));
        let missing = all()
            .map(|column| {
                (column.name.clone(), (0..table.rows).filter(|&row| column.cells.is_missing(row)).count())
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let rows: Vec<usize> =
            (0..table.rows).filter(|&row| all().all(|column| !column.cells.is_missing(row))).collect();
        if rows.is_empty() {
            return Err(DesignError::NoRows);
        }
        let (mut names, mut columns) = (Vec::new(), Vec::new());
        if terms.intercept {
            names.push(INTERCEPT.to_string());
            columns.push(vec![1.0; rows.len()]);
        }
        let mut compared = terms.intercept;
        for column in &used {
            match &column.cells {
                Cells::Numbers(cells) => {
                    for power in 1..=terms.degree {
                        let raised: Vec<f64> =
                            rows.iter().filter_map(|&row| cells[row]).map(|x| x.powi(power as i32)).collect();
                        if raised.iter().any(|x| !x.is_finite()) {
                            return Err(DesignError::Overflow { column: column.name.clone(), power });
                        }
                        names.push(if power == 1 {
                            column.name.clone()
                        } else {
                            format!("{}^{power}", column.name)
                        });
                        columns.push(raised);
                    }
                }
                Cells::Categories { names: categories, cells } => {
                    for (at, category) in categories.iter().enumerate().skip(usize::from(compared)) {
                        names.push(format!("{}={category}", column.name));
                        let is = |&row: &usize| f64::from(u8::from(cells[row] == Some(at)));
                        columns.push(rows.iter().map(is).collect());
                    }
                    compared = true;
                }
            }
        }
        if columns.is_empty() {
            return Err(DesignError::NoTerms { target: target.into() });
        }
        let number = |column: &&Column| match &column.cells {
            Cells::Numbers(cells) => {
                Some((column.name.clone(), rows.iter().filter_map(|&row| cells[row]).collect()))
            }
            Cells::Categories { .. } => None,
        };
        let numbers = used.iter().map(number).collect();
        let matrix = Matrix { rows: rows.len(), columns };
        Ok(Design { names, matrix, rows, missing, numbers, terms: terms.clone() })
    }

    /// Whether a column is the column of ones.
    pub fn is_intercept(&self, at: usize) -> bool {
        self.names[at] == INTERCEPT
    }

    /// Whether there is a column of ones.
    pub fn has_intercept(&self) -> bool {
        self.names.first().is_some_and(|name| name == INTERCEPT)
    }

    /// The row of the matrix for values of the features, where all are numbers.
    pub fn row_of(&self, features: &[f64]) -> Vec<f64> {
        let powers = features.iter().flat_map(|x| (1..=self.terms.degree).map(|power| x.powi(power as i32)));
        self.terms.intercept.then_some(1.0).into_iter().chain(powers).collect()
    }

    /// The matrix by rows.
    pub fn by_rows(&self) -> Vec<Vec<f64>> {
        let row = |at: usize| self.matrix.columns.iter().map(|column| column[at]).collect();
        (0..self.matrix.rows).map(row).collect()
    }
}
