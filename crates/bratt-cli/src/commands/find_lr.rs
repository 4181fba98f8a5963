//! `bratt find-lr [DATA]`

use super::train::job::{Job, Search};
use super::train::try_rates;
use crate::args::{FindLrArgs, Global};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, To, counted, rate};
use bratt::train::{RatePoint, RateRange};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write;

const WIDTH: usize = 70;
const HEIGHT: usize = 14;

/// Tries learning rates and shows what became of the loss; nothing is written.
pub fn run(args: &FindLrArgs, global: Global) -> Result<u8, Failure> {
    let settings = Settings::collect(&args.train)?;
    let mut terminal = Terminal::new(global, if args.train.json { To::Error } else { To::Output });
    let job = Job::prepare(&settings, Search::Later)?;
    settings.unused()?;
    job.introduce(&settings, &mut terminal);
    let usual = RateRange::default();
    let range = RateRange {
        low: args.from.unwrap_or(usual.low),
        high: args.to.unwrap_or(usual.high),
        steps: args.steps.unwrap_or(usual.steps),
    };
    let tried = try_rates(&job.trainer, &job.splits, range, Some(&mut terminal));
    let found = tried.map_err(|error| Failure::configuration(error.to_string()))?;
    if args.train.json {
        writeln!(std::io::stdout(), "{}", json!(found))?;
        return Ok(0);
    }
    terminal.say(&picture(&found.points));
    let steps = counted(found.points.len() as u64, "step");
    let end = if found.exploded { "until the loss exploded" } else { "to the last rate" };
    terminal
        .say(&format!("{DIM}tried   {PLAIN}{steps}, {end}; the curve is the running average of the losses"));
    terminal.result(&match found.suggested {
        Some(suggested) => {
            format!(
                "{DIM}found   {PLAIN}{BOLD}--lr {}{PLAIN}, a tenth of the rate at which the loss was least",
                rate(suggested)
            )
        }
        None => {
            format!("{DIM}found   {PLAIN}nothing: the loss never fell; try other rates with --from and --to")
        }
    });
    Ok(0)
}

/// The smoothed loss over the logarithm of the rate.
fn picture(points: &[RatePoint]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let width = WIDTH.min(points.len()).max(2);
    let columns: Vec<f64> =
        (0..width).map(|x| points[x * (points.len() - 1) / (width - 1)].smoothed).collect();
    let low = columns.iter().copied().fold(f64::INFINITY, f64::min);
    // What explodes leaves the picture, so that the valley is seen.
    let high = low + 1.5 * (columns[0] - low).max(1e-3 * low.abs()).max(f64::MIN_POSITIVE);
    let row_of = |value: f64| ((value - low) / (high - low) * (HEIGHT - 1) as f64).round() as usize;
    let mut out = String::new();
    for row in (0..HEIGHT).rev() {
        let label = match row {
            0 => format!("{low:.3}"),
            row if row == HEIGHT - 1 => format!("{high:.3}"),
            _ => String::new(),
        };
        let marks: String =
            columns.iter().map(|&value| if row_of(value) == row { '*' } else { ' ' }).collect();
        let _ = writeln!(out, "{label:>8} |{}", marks.trim_end());
    }
    let _ = writeln!(out, "{:8} +{}", "", "-".repeat(width));
    let (first, last) = (rate(first.rate), rate(last.rate));
    let _ = writeln!(out, "{:9} {first}{last:>space$}", "loss", space = width.saturating_sub(first.len()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_is_in_the_picture() {
        let point = |i: i32| {
            let smoothed = if i < 50 { 2.0 - f64::from(i) / 50.0 } else { 1.0 + f64::from(i - 50) };
            RatePoint { rate: 1e-5 * 1.2f64.powi(i), loss: smoothed, smoothed }
        };
        let picture = picture(&(0..70).map(point).collect::<Vec<_>>());
        let lines: Vec<&str> = picture.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 2);
        assert!(
            lines[0].starts_with("   2.500 |") && lines[HEIGHT - 1].starts_with("   1.000 |"),
            "{picture}"
        );
        // The bottom is where it was put: at column 50.
        assert_eq!(lines[HEIGHT - 1].chars().nth(10 + 50), Some('*'), "{picture}");
        assert!(lines.iter().all(|line| line.len() <= 80), "{picture}");
    }
}
