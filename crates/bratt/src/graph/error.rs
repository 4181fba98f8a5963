//! What can be wrong with a graph.

use std::panic::Location;

/// An error found while a graph was built. The builder keeps the first one and reports it when the graph is
/// finished, so that model code needs no `?`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{op}: {problem}\n  at {file}:{line}:{column}", if layer.is_empty() { String::new() } else { format!("layer `{layer}`: ") })]
pub struct GraphError {
    /// The layer (scope) in which the operation was written; empty outside of layers.
    pub layer: String,
    /// The operation.
    pub op: String,
    /// What was found and what was expected.
    pub problem: String,
    /// Source file of the caller.
    pub file: &'static str,
    /// Source line of the caller.
    pub line: u32,
    /// Source column of the caller.
    pub column: u32,
}

impl GraphError {
    pub(crate) fn new(layer: &str, op: &str, problem: String, at: &'static Location<'static>) -> GraphError {
        GraphError {
            layer: layer.to_string(),
            op: op.to_string(),
            problem,
            file: at.file(),
            line: at.line(),
            column: at.column(),
        }
    }
}
