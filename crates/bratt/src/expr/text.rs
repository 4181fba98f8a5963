//! Numbers and small tensors as people read them.

use crate::tensor::Tensor;

/// A number in up to five significant digits: `-12`, `0.73106`, `1.2e-5`, `inf`.
///
/// ```
/// use bratt::expr::short;
/// assert_eq!([short(-12.0), short(0.731058578), short(1.2e-5)], ["-12", "0.73106", "1.2e-5"]);
/// assert_eq!([short(f64::NEG_INFINITY), short(f64::NAN), short(-0.0)], ["-inf", "NaN", "-0"]);
/// ```
pub fn short(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return format!("{x}");
    }
    let size = x.abs();
    if !(1e-4..1e6).contains(&size) {
        let text = format!("{x:.3e}");
        return match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
            None => text,
        };
    }
    let before = size.log10().floor() as i32;
    trimmed(&format!("{x:.*}", (4 - before).clamp(0, 8) as usize)).to_string()
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A tensor in at most `rows` lines of at most `width` characters: its numbers where they fit, else its shape and
/// statistics.
///
/// ```
/// use bratt::expr::{cell, literal};
/// assert_eq!(cell(&literal("[1, 2.5; -3, 4]")?, 4, 20), [" 1 2.5", "-3   4"]);
/// assert_eq!(cell(&literal("[1, 2, 3, 4, 5, 6]")?, 4, 8)[0], "[6]");
/// # Ok::<(), bratt::expr::ExprError>(())
/// ```
pub fn cell(x: &Tensor<f64>, rows: usize, width: usize) -> Vec<String> {
    let shape = x.shape();
    let columns = shape.last().copied().unwrap_or(1).max(1);
    let lines = x.data().len() / columns;
    if lines <= rows && columns <= width.div_ceil(2) {
        let texts: Vec<String> = x.data().iter().map(|&x| short(x)).collect();
        // Columns are aligned where there are several rows.
        let widest = |column: usize| {
            texts.iter().skip(column).step_by(columns).map(|t| t.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        if widths.iter().sum::<usize>() + columns <= width + 1 {
            let line = |row: &[String]| {
                let row = row.iter().zip(&widths).map(|(text, &width)| format!("{text:>width$}"));
                row.collect::<Vec<_>>().join(" ")
            };
            return texts.chunks(columns).map(line).collect();
        }
    }
    statistics(x, width)
}

/// Shape, range and mean, on as few lines as the width allows; elements that are not finite are counted.
fn statistics(x: &Tensor<f64>, width: usize) -> Vec<String> {
    let finite: Vec<f64> = x.data().iter().copied().filter(|x| x.is_finite()).collect();
    let mut words = vec![x.shape().to_string()];
    if !finite.is_empty() {
        let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
        let most = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = finite.iter().sum::<f64>() / finite.len() as f64;
        words.push(format!("{}..{}", brief(least), brief(most)));
        words.push(format!("mean {}", brief(mean)));
    }
    let broken = x.data().len() - finite.len();
    if broken > 0 {
        words.push(format!("{broken} not finite"));
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + word.chars().count() <= width => {
                *line += &format!("  {word}")
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Three significant digits.
fn brief(x: f64) -> String {
    let scale = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    match scale {
        -4..=5 => trimmed(&format!("{x:.*}", (2 - scale).clamp(0, 6) as usize)).to_string(),
        _ => format!("{x:.1e}"),
    }
}
