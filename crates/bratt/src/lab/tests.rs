//! Each experiment shows its lesson, in numbers.

use super::{Cell, EXPERIMENTS, Finding, dropout, named};
use crate::nn::DropoutForm;

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Number(x) | Cell::Share(x) => *x,
        Cell::Count(n) => *n as f64,
        Cell::Text(_) | Cell::Nothing => f64::NAN,
    }
}

/// Runs an experiment, and checks what holds for all: a whole table, and drawings without numbers that are none.
fn run(name: &str) -> Finding {
    let finding = named(name).unwrap().run(0).unwrap();
    assert!(finding.shown, "{}", finding.conclusion);
    assert!(finding.rows.iter().all(|row| row.len() == finding.head.len()));
    let svg = finding.to_svg();
    assert!(svg.starts_with("<svg xmlns=") && !svg.contains("NaN") && !svg.contains("var("), "{name}");
    let html = finding.to_html();
    assert!(!html.contains("http://") && !html.contains("https://"), "{name}");
    assert_eq!(html.matches("<figure").count(), finding.panels.len());
    finding
}

/// The entry of a row, by the names of row and column.
fn at(finding: &Finding, row: &str, column: &str) -> f64 {
    let place = finding.head.iter().position(|name| *name == column);
    number(&finding.row(row)[place.unwrap_or_else(|| panic!("no column {column:?}"))])
}
