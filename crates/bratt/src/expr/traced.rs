//! What a trace finds.

use crate::tensor::Tensor;

/// Which executor computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// The reference interpreter.
    #[default]
    F64,
    /// The compiled executor, which networks are trained with.
    F32,
}

impl Precision {
    /// `f64` or `f32`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F64 => "f64",
            Precision::F32 => "f32",
        }
    }
}

/// A part of an expression with its numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceNode {
    /// Its name: of a value, of a statement, or of the function, with a number from the second on.
    pub name: String,
    /// `input`, `constant`, or the function.
    pub op: String,
    /// How it stands in a drawing.
    pub symbol: String,
    /// The text of the expression that it is.
    pub text: String,
    /// The attributes that are given, as they are written.
    pub attributes: String,
    /// The positions of its operands in [`Traced::nodes`].
    pub inputs: Vec<usize>,
    /// Its value.
    pub value: Tensor<f64>,
    /// The gradient of the result with respect to it; none where the result does not depend on it, or only through
    /// something that has no gradient: a comparison, an index, a label. Through `floor` and `sign` it is 0, as their
    /// derivative is almost everywhere.
    pub gradient: Option<Tensor<f64>>,
}

/// An expression with all its numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Traced {
    /// The expression.
    pub source: String,
    /// Its parts, operands before their users.
    pub nodes: Vec<TraceNode>,
    /// The position of the part whose gradients were taken.
    pub result: usize,
    /// Which executor computed.
    pub precision: Precision,
    /// What is worth a word: where numbers stop being finite, and where gradients end.
    pub notes: Vec<String>,
}

impl Traced {
    /// The part whose gradients were taken.
    pub fn result(&self) -> &TraceNode {
        &self.nodes[self.result]
    }

    /// A part by its name.
    pub fn node(&self, name: &str) -> Option<&TraceNode> {
        self.nodes.iter().find(|node| node.name == name)
    }
}
