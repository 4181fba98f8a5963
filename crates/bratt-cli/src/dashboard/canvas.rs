//! A grid of characters in few colours.

use crate::terminal::{BOLD, DIM, GREEN, PLAIN};

/// How a character looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ink {
    /// As text is.
    #[default]
    Plain,
    /// Steps forward.
    Bold,
    /// Steps back.
    Dim,
    /// Something good.
    Good,
    /// The curve of training.
    Train,
    /// The curve of validation.
    Val,
}

impl Ink {
    /// The colours of the curves differ in lightness as well.
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => PLAIN,
            Ink::Bold => BOLD,
            Ink::Dim => DIM,
            Ink::Good => GREEN,
            Ink::Train => "\x1b[36m",
            Ink::Val => "\x1b[93m",
        }
    }
}

/// A grid of characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<(char, Ink)>,
}

impl Canvas {
    /// An empty grid.
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas { width, height, cells: vec![(' ', Ink::Plain); width * height] }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Puts a character; outside of the grid nothing happens.
    pub fn put(&mut self, row: usize, column: usize, ink: Ink, c: char) {
        if row < self.height && column < self.width {
            self.cells[row * self.width + column] = (c, ink);
        }
    }

    /// Writes text from a column on; what sticks out is left away. Returns the column after it.
    pub fn text(&mut self, row: usize, column: usize, ink: Ink, text: &str) -> usize {
        let mut at = column;
        for c in text.chars() {
            self.put(row, at, ink, single(c));
            at += 1;
        }
        at
    }

    /// Writes text that ends before a column.
    pub fn text_before(&mut self, row: usize, end: usize, ink: Ink, text: &str) {
        self.text(row, end.saturating_sub(text.chars().count()), ink, text);
    }

    /// The escape sequences that draw the whole grid.
    pub fn to_screen(&self, colors: bool) -> String {
        let mut out = String::with_capacity(2 * self.cells.len());
        for (row, line) in self.cells.chunks(self.width.max(1)).enumerate() {
            out += &format!("\x1b[{};1H", row + 1);
            let mut now = Ink::Plain;
            let used = line.iter().rposition(|&(c, _)| c != ' ').map_or(0, |last| last + 1);
            for &(c, ink) in &line[..used] {
                if colors && ink != now && c != ' ' {
                    out += PLAIN;
                    out += ink.code();
                    now = ink;
                }
                out.push(c);
            }
            if colors && now != Ink::Plain {
                out += PLAIN;
            }
            out += "\x1b[K";
        }
        out
    }

    /// The grid as lines, without colours.
    #[cfg(test)]
    pub fn to_text(&self) -> String {
        let line = |cells: &[(char, Ink)]| cells.iter().map(|&(c, _)| c).collect::<String>();
        self.cells.chunks(self.width.max(1)).map(|cells| line(cells).trim_end().to_string() + "\n").collect()
    }
}

/// A character that is one column wide: others, and those that command the terminal, would move all after them.
fn single(c: char) -> char {
    match c {
        c if c.is_control() => '?',
        '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{115f}' | '\u{200b}'..='\u{200f}' => '?',
        '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' => '?',
        '\u{fe00}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f000}'.. => '?',
        c => c,
    }
}
