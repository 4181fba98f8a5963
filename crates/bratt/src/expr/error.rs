//! What can be wrong with an expression, and where.

use std::fmt;
use std::ops::Range;

/// An error of an expression, or of the values it is given. Its text shows the place under the expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExprError {
    /// The expression.
    pub source: String,
    /// The bytes of it that are at fault, where there are some.
    pub span: Option<Range<usize>>,
    /// What was found and what was expected.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl ExprError {
    /// An error at a place.
    pub(super) fn at(source: &str, span: Range<usize>, message: impl Into<String>) -> ExprError {
        ExprError { source: source.into(), span: Some(span), message: message.into(), help: None }
    }

    /// An error of the whole.
    pub(super) fn of(source: &str, message: impl Into<String>) -> ExprError {
        ExprError { source: source.into(), span: None, message: message.into(), help: None }
    }

    /// The same with a way to mend it.
    pub(super) fn help(mut self, help: impl Into<String>) -> ExprError {
        self.help = Some(help.into());
        self
    }

    /// The column of the error in characters, from 1.
    pub fn column(&self) -> Option<usize> {
        let start = self.span.as_ref()?.start.min(self.source.len());
        Some(self.source.get(..start)?.chars().count() + 1)
    }

    /// The line of the expression with the place at fault under it.
    fn marked(&self) -> Option<String> {
        let Range { start, end } = self.span.clone()?;
        let before = self.source.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.source[line_start..].lines().next().unwrap_or("");
        let indent = self.source[line_start..start].chars().count();
        let end = end.clamp(start, line_start + line.len().max(start - line_start));
        let length = self.source.get(start..end).map_or(1, |text| text.chars().count().max(1));
        Some(format!("  {line}\n  {}^{}", " ".repeat(indent), "~".repeat(length - 1)))
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.column(), self.marked()) {
            (Some(column), Some(marked)) => write!(f, "column {column}: {}\n{marked}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ExprError {}
