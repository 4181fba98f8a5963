//! Floor 5: expressions, traced: every value and every gradient of a formula.
//!
//! An expression such as `(x + y) * z` is read ([`Expression::parse`]), written into a graph with the operations that
//! networks are made of ([`families`]), evaluated by the reference interpreter in f64 or by the compiled executor in
//! f32, and differentiated: [`Expression::trace`] gives each part's value and the gradient of the result with respect
//! to it, dr/dv = sum over the users u of v of dr/du du/dv. [`draw`](fn@draw) makes the lecture's picture of it.
//!
//! ```
//! use bratt::expr::{Expression, Options, literal};
//! let circuit = Expression::parse("(x + y) * z")?;
//! let values = [("x", literal("-2")?), ("y", literal("5")?), ("z", literal("-4")?)];
//! let trace = circuit.trace(&values, &Options::default())?;
//! let x = trace.node("x").expect("x is in the expression");
//! assert_eq!(trace.result().value.data(), [-12.0]);
//! assert_eq!(x.gradient.as_ref().expect("x has a gradient").data(), [-4.0]);
//! # Ok::<(), bratt::expr::ExprError>(())
//! ```
//!
//! | file | what |
//! |---|---|
//! | `lex.rs`, `parse.rs`, `literal.rs` | text to terms |
//! | `functions.rs`, `functions/` | the table of functions |
//! | `build.rs`, `write.rs` | terms to a graph: of its own, or of somebody else's |
//! | `trace.rs`, `traced.rs`, `notes.rs`, `json.rs` | values and gradients; what they are; what is worth a word; as JSON |
//! | `check.rs` | gradients against differences |
//! | `npy.rs` | arrays of NumPy |
//! | `draw/` | layout, SVG, HTML |
//!
//! Sources: lecture on computational graphs; cs231n notes on backpropagation.

mod build;
mod check;
mod draw;
mod error;
mod functions;
mod json;
mod lex;
mod literal;
mod notes;
mod npy;
mod parse;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod traced;
mod write;

pub use check::{Checked, Skipped};
pub use draw::{Drawing, Rect, draw, page};
pub use error::ExprError;
pub use functions::{Attribute, Function, families};
pub use literal::literal;
pub use npy::{ArrayError, read_npy, read_npz};
pub use text::{cell, short};
pub use trace::Options;
pub use traced::{Precision, TraceNode, Traced};

use parse::{Kind, Parsed};

/// An expression that has been read.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    parsed: Parsed,
}

impl Expression {
    /// Reads an expression; `bratt trace --list` shows the language.
    ///
    /// # Errors
    /// What is no expression, at its column: a syntax error, an unknown function or attribute, a wrong number of
    /// arguments.
    ///
    /// ```
    /// use bratt::expr::Expression;
    /// let error = Expression::parse("1 + sigmod(x)").unwrap_err();
    /// assert_eq!(error.column(), Some(5));
    /// assert_eq!(error.help.as_deref(), Some("did you mean `sigmoid`?"));
    /// ```
    pub fn parse(source: &str) -> Result<Expression, ExprError> {
        Ok(Expression { source: source.to_string(), parsed: parse::parse(source)? })
    }

    /// The text that was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the values that it needs, in the order in which they occur.
    pub fn variables(&self) -> Vec<&str> {
        let used = self.parsed.used();
        let variables = self.parsed.terms.iter().zip(used).filter_map(|(term, used)| match &term.kind {
            Kind::Variable(name) if used => Some(name.as_str()),
            _ => None,
        });
        variables.collect()
    }
}
