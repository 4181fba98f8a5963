//! The terminal: colours where they are wanted, a progress bar where someone watches.
//!
//! Results go to standard output, all else to standard error. Nothing here fails: a training whose reader has gone
//! still saves its model.

pub mod screen;

use crate::args::global::{Color, Global};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Bold text.
pub const BOLD: &str = "\x1b[1m";
/// Text that steps back.
pub const DIM: &str = "\x1b[2m";
/// Something good.
pub const GREEN: &str = "\x1b[32m";
/// Something to look at.
pub const YELLOW: &str = "\x1b[1;33m";
/// Back to plain text.
pub const PLAIN: &str = "\x1b[0m";

/// Decides about colours for the whole program; the streams then drop what is not wanted.
pub fn set_colors(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Writes to standard error; there is nobody to tell if that fails.
pub fn tell(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Where the lines of a command go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Lines and a progress bar that do not disturb each other.
#[derive(Debug)]
pub struct Terminal {
    to: To,
    quiet: bool,
    bar: Option<Bar>,
}

impl Terminal {
    /// Lines go to `to`; the bar goes to standard error, if that is a terminal.
    pub fn new(global: Global, to: To) -> Terminal {
        let watched = io::stderr().is_terminal() && !global.no_progress && !global.quiet;
        Terminal { to, quiet: global.quiet, bar: watched.then(Bar::default) }
    }

    /// Whether someone watches: standard error is a terminal, and progress is wanted.
    pub fn is_watched(&self) -> bool {
        self.bar.is_some()
    }

    /// A line that only tells how things go.
    pub fn say(&mut self, line: &str) {
        if !self.quiet {
            self.result(line);
        }
    }

    /// A line that belongs to the result.
    pub fn result(&mut self, line: &str) {
        self.clear();
        let line = format!("{line}\n");
        let _ = match self.to {
            To::Output => anstream::stdout().write_all(line.as_bytes()),
            To::Error => anstream::stderr().write_all(line.as_bytes()),
        };
    }

    /// A line to look at, on standard error.
    pub fn warn(&mut self, text: &str) {
        self.clear();
        tell(&format!("{YELLOW}note:{PLAIN} {text}\n"));
    }

    /// Whether the bar is due for another picture.
    pub fn wants_progress(&self) -> bool {
        self.bar.as_ref().is_some_and(Bar::due)
    }

    /// Shows how far a piece of work is.
    pub fn progress(&mut self, progress: &Progress<'_>) {
        if let Some(bar) = &mut self.bar {
            bar.show(progress);
        }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if let Some(bar) = &mut self.bar {
            bar.clear();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

/// How far a piece of work is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// What is done, as `epoch 3/30`.
    pub label: &'a str,
    /// Pieces done.
    pub done: u64,
    /// All pieces.
    pub all: u64,
    /// Time that all pieces that are done took.
    pub elapsed: Duration,
    /// What else is to be known, as `loss 0.123, 9,000 images/s`.
    pub note: &'a str,
}

/// A bar on the last line of the terminal.
#[derive(Debug, Default)]
struct Bar {
    shown: Option<Instant>,
}

const BETWEEN_PICTURES: Duration = Duration::from_millis(80);

impl Bar {
    fn due(&self) -> bool {
        self.shown.is_none_or(|at| at.elapsed() >= BETWEEN_PICTURES)
    }

    fn show(&mut self, progress: &Progress<'_>) {
        let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(w, _)| usize::from(w.0));
        erase_line();
        tell(&picture(progress, width));
        let _ = io::stderr().flush();
        self.shown = Some(Instant::now());
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            erase_line();
            let _ = io::stderr().flush();
        }
    }
}

/// Standard error is a terminal here, and erasing is no colour: it must happen without colours, too.
fn erase_line() {
    let _ = io::stderr().write_all(b"\r\x1b[K");
}

/// One line of at most `width - 1` columns, so that it never wraps.
fn picture(progress: &Progress<'_>, width: usize) -> String {
    let share =
        if progress.all == 0 { 1.0 } else { progress.done as f64 / progress.all as f64 }.clamp(0.0, 1.0);
    let left = if share > 0.0 && progress.elapsed.as_secs_f64() > 0.2 {
        clock(progress.elapsed.mul_f64((1.0 - share) / share))
    } else {
        "-:--".into()
    };
    let mut tail = format!(" {:>3.0} %  left {left}", 100.0 * share);
    if !progress.note.is_empty() {
        tail += &format!("  {}", progress.note);
    }
    let used = progress.label.chars().count() + 1 + tail.chars().count();
    let cells = (width.saturating_sub(1 + used)).min(32);
    if cells < 4 {
        return format!("{}{tail}", progress.label).chars().take(width.saturating_sub(1)).collect();
    }
    let full = (share * cells as f64).round() as usize;
    let (full, rest) = ("━".repeat(full), "━".repeat(cells - full));
    format!("{} {GREEN}{full}{PLAIN}{DIM}{rest}{PLAIN}{tail}", progress.label)
}

/// `0:07`, `12:34`, `1:02:03`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// `0.42 s`, `12.3 s`, `2:05`.
pub fn seconds(time: f64) -> String {
    match time {
        t if t < 10.0 => format!("{t:.2} s"),
        t if t < 120.0 => format!("{t:.1} s"),
        t => clock(Duration::from_secs_f64(t)),
    }
}

/// `60,000` for 60000.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 epoch`, `1,000 epochs`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// `512`, `1.5 k`, `0.54 M`.
pub fn magnitude(number: f64) -> String {
    match number {
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e5 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.2} M", n / 1e6),
        n => format!("{:.2} G", n / 1e9),
    }
}

/// `12.3 MiB`.
pub fn bytes(number: usize) -> String {
    match number as f64 / 1024.0 {
        kib if kib < 1000.0 => format!("{kib:.1} KiB"),
        kib if kib < 1000.0 * 1024.0 => format!("{:.1} MiB", kib / 1024.0),
        kib => format!("{:.2} GiB", kib / 1024.0 / 1024.0),
    }
}

/// `97.2 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A loss: `0.0492`, and `2.78e18` where digits would only take room.
pub fn loss(x: f64) -> String {
    if x.abs() < 1e5 { format!("{x:.4}") } else { format!("{x:.2e}") }
}

/// A learning rate as people write it: `1.8e-3`, `0.05`.
pub fn rate(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if (0.01..1e4).contains(&size) => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> usize {
        let mut plain = String::new();
        let mut escape = false;
        for c in text.chars() {
            match c {
                '\x1b' => escape = true,
                _ if escape => escape = !c.is_ascii_alphabetic(),
                c => plain.push(c),
            }
        }
        plain.chars().count()
    }

    #[test]
    fn the_bar_fits_any_width() {
        let progress = Progress {
            label: "epoch 3/30",
            done: 7,
            all: 30,
            elapsed: Duration::from_secs(14),
            note: "loss 0.123",
        };
        for width in 1..200 {
            assert!(columns(&picture(&progress, width)) < width.max(2), "{width}");
        }
        assert!(picture(&progress, 80).contains("23 %  left 0:46  loss 0.123"));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([thousands(7), thousands(1234), thousands(1_234_567)], ["7", "1,234", "1,234,567"]);
        assert_eq!([magnitude(512.0), magnitude(1536.0), magnitude(535_818.0)], ["512", "1.5 k", "0.54 M"]);
        assert_eq!([counted(1, "step"), counted(2000, "step")], ["1 step", "2,000 steps"]);
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!([loss(0.04921), loss(54_644.0), loss(2.78e18)], ["0.0492", "54644.0000", "2.78e18"]);
        assert_eq!([rate(0.0), rate(0.05), rate(1.8e-3)], ["0", "0.0500", "1.80e-3"]);
    }
}
