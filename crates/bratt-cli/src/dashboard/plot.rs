//! Curves as dots of braille: a character is two dots wide and four high.
//!
//! A line goes through the mean of the points of each column of dots; single points lie over it. Numbers above zero that
//! differ by more than ten times are drawn by their logarithm.

use super::canvas::{Canvas, Ink};

/// The bits of the dots of a character, by row and column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Columns for the numbers of the vertical axis, and the axis.
pub const LABEL: usize = 8;

/// A part of the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    pub row: usize,
    pub column: usize,
    pub width: usize,
    pub height: usize,
}

/// What a plot shows.
#[derive(Clone, Copy, Debug)]
pub struct Plot<'a> {
    pub title: &'a str,
    /// Joined by a line.
    pub line: &'a [(f64, f64)],
    /// Shown one by one.
    pub points: &'a [(f64, f64)],
    /// The first and the last x.
    pub range: (f64, f64),
    /// How numbers of the vertical axis are written.
    pub label: fn(f64) -> String,
}

impl Plot<'_> {
    /// Draws: a title, then the curves, then the horizontal axis and its numbers.
    pub fn draw(&self, canvas: &mut Canvas, area: Area) {
        let Area { row, column, width, height } = area;
        if width < LABEL + 8 || height < 5 {
            return;
        }
        let Some((low, high, log)) = self.scale() else {
            canvas.text(row, column + LABEL, Ink::Bold, self.title);
            canvas.text(row + height / 2, column + LABEL, Ink::Dim, "nothing yet");
            return;
        };
        let title = canvas.text(row, column + LABEL, Ink::Bold, self.title);
        if log {
            canvas.text(row, title + 1, Ink::Dim, "logarithmic");
        }
        let (top, left) = (row + 1, column + LABEL);
        let (tall, wide) = (height - 3, width - LABEL);
        let value =
            |share: f64| if log { low * (high / low).powf(share) } else { low + (high - low) * share };
        for line in 0..tall {
            let labelled = line == 0 || line == tall - 1 || (tall >= 7 && line == tall / 2);
            if labelled {
                let share = 1.0 - line as f64 / (tall - 1) as f64;
                canvas.text_before(top + line, left - 2, Ink::Dim, &(self.label)(value(share)));
            }
            canvas.put(top + line, left - 1, Ink::Dim, if labelled { '┤' } else { '│' });
        }
        canvas.put(top + tall, left - 1, Ink::Dim, '└');
        (0..wide).for_each(|x| canvas.put(top + tall, left + x, Ink::Dim, '─'));
        let (first, last) = self.range;
        canvas.text(top + tall + 1, left, Ink::Dim, &epochs(first));
        canvas.text_before(top + tall + 1, left + wide, Ink::Dim, &format!("epoch {}", epochs(last)));

        // From here on in dots, from the lower left.
        let (rows, columns) = (4 * tall, 2 * wide);
        let across = |x: f64| {
            let share = if last > first { (x - first) / (last - first) } else { 1.0 };
            ((share * columns as f64).ceil() as usize).clamp(1, columns) - 1
        };
        let up = |y: f64| {
            let share = if log { (y / low).ln() / (high / low).ln() } else { (y - low) / (high - low) };
            // Not a number goes to the floor, as the cast has it.
            (share.clamp(0.0, 1.0) * (rows - 1) as f64).round() as usize
        };
        let mut dots = vec![0u32; tall * wide];
        let mut dot = |x: usize, y: usize| {
            let y = rows - 1 - y;
            dots[y / 4 * wide + x / 2] |= DOTS[y % 4][x % 2];
        };
        let mut before: Option<(usize, usize)> = None;
        for (x, y) in means(self.line, across) {
            let y = up(y);
            match before {
                Some((x0, y0)) => {
                    for step in x0 + 1..=x {
                        let height = |at: usize| {
                            let share = (at - x0) as f64 / (x - x0) as f64;
                            (y0 as f64 + (y as f64 - y0 as f64) * share).round() as usize
                        };
                        let (from, to) = (height(step - 1), height(step));
                        // Without gaps: each column goes from where the one before it ended.
                        match from < to {
                            true => (from + 1..=to).for_each(|y| dot(step, y)),
                            false => (to..=from.saturating_sub(1).max(to)).for_each(|y| dot(step, y)),
                        }
                    }
                }
                None => dot(x, y),
            }
            before = Some((x, y));
        }
        for (at, &bits) in dots.iter().enumerate() {
            if let (true, Some(c)) = (bits > 0, char::from_u32(0x2800 + bits)) {
                canvas.put(top + at / wide, left + at % wide, Ink::Train, c);
            }
        }
        for &(x, y) in self.points.iter().filter(|(_, y)| y.is_finite()) {
            let y = rows - 1 - up(y);
            canvas.put(top + y / 4, left + across(x) / 2, Ink::Val, '•');
        }
    }

    /// The lowest and highest number, and whether they are far apart.
    fn scale(&self) -> Option<(f64, f64, bool)> {
        let numbers = || self.line.iter().chain(self.points).map(|p| p.1).filter(|y| y.is_finite());
        let low = numbers().reduce(f64::min)?;
        let high = numbers().reduce(f64::max)?;
        if high > low {
            return Some((low, high, low > 0.0 && high > 10.0 * low));
        }
        let room = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
        Some((low - room, high + room, false))
    }
}

/// The mean of the points of each column, in the order of columns.
fn means(points: &[(f64, f64)], column: impl Fn(f64) -> usize) -> Vec<(usize, f64)> {
    let mut means: Vec<(usize, f64, f64)> = Vec::new();
    for &(x, y) in points {
        let x = column(x);
        match means.last_mut() {
            Some((last, sum, count)) if *last == x => {
                *sum += y;
                *count += 1.0;
            }
            _ => means.push((x, y, 1.0)),
        }
    }
    means.into_iter().map(|(x, sum, count)| (x, sum / count)).collect()
}

fn epochs(x: f64) -> String {
    if x.fract() == 0.0 || x >= 100.0 { format!("{x:.0}") } else { format!("{x:.1}") }
}
