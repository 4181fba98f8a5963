//! Floor 1: the graph of a computation.
//!
//! A training step is one pure graph `(inputs, state) -> (outputs, state')`. Its nodes come from one closed set of
//! operations ([`Op`]); what survives a step is a named slot of state ([`Slot`]). Graphs are made with a
//! [`GraphBuilder`], which checks shapes at once, keeps the first error with its source line, and stores equal
//! operations on equal arguments only once.
//!
//! All values are real numbers; truth values are 0 and 1, class indices are integral numbers. One type of number
//! keeps a dtype parameter out of every signature.
//!
//! ```
//! use bratt::graph::Graph;
//! let g = Graph::builder();
//! let (x, y, z) = (g.scalar("x"), g.scalar("y"), g.scalar("z"));
//! let f = g.mul(g.add(x, y), z);
//! g.output("f", f);
//! let graph = g.finish()?;
//! assert_eq!(graph.outputs().len(), 1);
//! # Ok::<(), bratt::graph::GraphError>(())
//! ```

mod builder;
mod error;
mod op;
pub mod ops;
mod print;
mod verify;

pub use builder::GraphBuilder;
pub use error::GraphError;
pub use op::{Cotangent, Op, Scalar};
pub use ops::pointwise::{Binary, Unary};
pub use ops::reduce::Reduction;
pub(crate) use ops::window::spread_extent;
pub use ops::window::{Padding, Window};

use crate::tensor::{Shape, Tensor};
use std::panic::Location;
use std::sync::Arc;

/// A value of a graph: the index of the node that computes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Value(pub(crate) u32);

impl Value {
    /// What the builder hands out after an error; using it is harmless and reported once.
    pub(crate) const POISON: Value = Value(u32::MAX);

    /// The position of the node in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A slot of state: the index into [`Graph::slots`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct SlotId(pub(crate) u32);

impl SlotId {
    /// The position in [`Graph::slots`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a slot is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Role {
    /// Learned by the optimiser.
    Parameter,
    /// Part of the model, but not learned by gradients: running statistics, preprocessing.
    Buffer,
    /// Belongs to the optimiser: momenta, step counter. Not needed to predict.
    Optimizer,
}

/// How a slot starts. Random values are a pure function of the seed and the slot's name.
#[derive(Clone, PartialEq, Debug)]
pub enum Init {
    /// One repeated number.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
    /// Uniform in `[-limit, limit)`.
    Uniform(f32),
    /// A random matrix with orthonormal rows or columns (whichever are fewer), times this gain (Saxe et al. 2014).
    Orthogonal(f32),
    /// Given numbers.
    Given(Arc<Tensor>),
}

/// A named tensor that survives the step.
#[derive(Clone, PartialEq, Debug)]
pub struct Slot {
    /// Unique name, such as `fc1.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// What it is for.
    pub role: Role,
    /// How it starts.
    pub init: Init,
}

/// A named input of a graph, fed at every step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Unique name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// Where a node comes from: for messages, printing and drawing. No part of a node's identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The layers in which it was written, such as `fc1/batch_norm`; empty outside of layers.
    pub layer: Arc<str>,
    /// A name given with [`GraphBuilder::name`].
    pub name: Option<Arc<str>>,
    /// The caller's source position.
    pub location: &'static Location<'static>,
}

/// One operation on earlier values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The operation and its attributes.
    pub op: Op,
    /// Its arguments.
    pub inputs: Vec<Value>,
    /// The shape of its result.
    pub shape: Shape,
    /// Where it comes from.
    pub origin: Origin,
}

/// A finished, checked graph: nodes in an order in which arguments precede their users, nothing unused.
#[derive(Clone, PartialEq, Debug)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) outputs: Vec<(String, Value)>,
    pub(crate) updates: Vec<(SlotId, Value)>,
}

impl Graph {
    /// A new, empty builder.
    pub fn builder() -> GraphBuilder {
        GraphBuilder::new()
    }

    /// The nodes, arguments before users.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, value: Value) -> &Node {
        &self.nodes[value.index()]
    }

    /// The inputs, in the order of declaration.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The slots of state, in the order of declaration.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The named results.
    pub fn outputs(&self) -> &[(String, Value)] {
        &self.outputs
    }

    /// The new values of slots, all taken from the state before the step.
    pub fn updates(&self) -> &[(SlotId, Value)] {
        &self.updates
    }

    /// The value of a named output.
    pub fn output(&self, name: &str) -> Option<Value> {
        self.outputs.iter().find(|(n, _)| n == name).map(|&(_, v)| v)
    }

    /// Floating-point operations of one run, by the usual count (a multiply-add is two).
    pub fn flops(&self) -> u64 {
        self.nodes.iter().map(|n| self.node_flops(n)).sum()
    }

    /// Floating-point operations of one node.
    pub fn node_flops(&self, node: &Node) -> u64 {
        let shapes: Vec<&Shape> = node.inputs.iter().map(|v| &self.nodes[v.index()].shape).collect();
        node.op.flops(&shapes, &node.shape)
    }
}
