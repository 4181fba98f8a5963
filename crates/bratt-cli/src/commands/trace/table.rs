//! A trace as a table of at most 100 columns.

use crate::terminal::{BOLD, DIM, GREEN, PLAIN};
use bratt::expr::{TraceNode, Traced, cell};
use std::io::{self, Write};

/// What flows backward.
const RED: &str = "\x1b[31m";
/// The widest table.
const COLUMNS: usize = 100;
/// Lines of one tensor.
const ROWS: usize = 8;

/// One part a row: name, what it is, shape, value in green, gradient in red.
pub fn write(out: &mut impl Write, traced: &Traced) -> io::Result<()> {
    let widest = |text: fn(&TraceNode) -> String, title: &str, most: usize| {
        let all = traced.nodes.iter().map(|node| text(node).chars().count());
        all.max().unwrap_or(0).max(title.len()).min(most)
    };
    let (name, is, shape) =
        (widest(named, "name", 18), widest(written, "is", 30), widest(shaped, "shape", 14));
    let room = COLUMNS - name - is - shape - 4 * 2;
    let values: Vec<Vec<String>> =
        traced.nodes.iter().map(|node| cell(&node.value, ROWS, room / 2)).collect();
    let widest_value = values.iter().flatten().map(|line| line.chars().count()).max().unwrap_or(0);
    let value_width = widest_value.max("value".len());
    // Gradients have what values leave.
    let gradients = traced.nodes.iter().map(|node| match &node.gradient {
        Some(gradient) => cell(gradient, ROWS, room.saturating_sub(value_width)),
        None => vec!["none".into()],
    });
    let cells: Vec<(&Vec<String>, Vec<String>)> = values.iter().zip(gradients).collect();
    writeln!(
        out,
        "{DIM}{:name$}  {:is$}  {:shape$}  {:value_width$}  gradient of {}{PLAIN}",
        "name",
        "is",
        "shape",
        "value",
        traced.result().name
    )?;
    for (i, (node, (value, gradient))) in traced.nodes.iter().zip(&cells).enumerate() {
        for row in 0..value.len().max(gradient.len()) {
            let first =
                |text: String, most: usize| if row == 0 { clipped(&text, most) } else { String::new() };
            let line = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
            let bold = if i == traced.result { BOLD } else { "" };
            let text = format!(
                "{bold}{:name$}{PLAIN}  {:is$}  {DIM}{:shape$}{PLAIN}  {GREEN}{:value_width$}{PLAIN}  {RED}{}{PLAIN}",
                first(named(node), name),
                first(written(node), is),
                first(shaped(node), shape),
                line(value),
                line(gradient),
            );
            writeln!(out, "{}", text.trim_end())?;
        }
    }
    Ok(())
}

fn named(node: &TraceNode) -> String {
    node.name.clone()
}

/// What a part is, in the words of the expression.
fn written(node: &TraceNode) -> String {
    match node.op.as_str() {
        "input" => "input".into(),
        _ => node.text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn shaped(node: &TraceNode) -> String {
    if node.value.shape().rank() == 0 { "scalar".into() } else { node.value.shape().to_string() }
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
