//! Floor 3: from a graph to a program.
//!
//! Passes, in order: `lower` (composite operations into primitive ones), `simplify`, `fuse` (nodes into steps),
//! `memory` (values into one planned block). Each can be left out with [`Options`], except lowering, and leaves a
//! graph that is verified again. Compiling a finished graph cannot fail for reasons of the graph; [`CompileError`]
//! speaks of a state layout that does not fit.
//!
//! ```
//! use bratt::compile::{Options, compile};
//! use bratt::graph::Graph;
//! let g = Graph::builder();
//! let x = g.input("x", [8, 4]);
//! g.output("y", g.relu(g.add(x, g.constant(1.0))));
//! let program = compile(&g.finish()?, &Options::default())?;
//! assert_eq!(program.steps().len(), 1, "one fused map");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod convolve;
mod fuse;
mod layout;
mod lower;
mod memory;
mod movement;
mod pool;
mod program;
mod simplify;
mod steps;
#[cfg(test)]
pub(crate) mod tests;

pub use layout::StateLayout;
pub use program::{Port, Program, Step};

use crate::graph::{Graph, GraphError};
use std::sync::Arc;

/// Which passes run, and over which state.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether expressions are simplified.
    pub simplify: bool,
    /// Whether nodes are fused; otherwise every node is a step of its own.
    pub fuse: bool,
    /// Whether values that are not alive together share memory.
    pub reuse_memory: bool,
    /// Whether convolutions of 3x3 may go through Winograd's transforms: fewer multiplications, and rounding errors a few
    /// times larger.
    pub winograd: bool,
    /// The state to run over; by default the graph's own slots.
    pub layout: Option<Arc<StateLayout>>,
}

impl Default for Options {
    /// All passes, Winograd's transforms, the graph's own slots.
    fn default() -> Options {
        Options { simplify: true, fuse: true, reuse_memory: true, winograd: true, layout: None }
    }
}

/// Why a graph cannot be compiled.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum CompileError {
    /// The state does not have a slot of the graph.
    #[error("the state has no slot `{name}`; it was made for another model")]
    MissingSlot {
        /// The slot's name.
        name: String,
    },
    /// The state has the slot in another shape.
    #[error("slot `{name}`: the state has shape {found}, the graph expects {expected}")]
    SlotShape {
        /// The slot's name.
        name: String,
        /// The shape in the state.
        found: String,
        /// The shape in the graph.
        expected: String,
    },
    /// A pass produced an invalid graph: a bug of bratt.
    #[error("pass {pass} left an invalid graph: {problem} (this is a bug of bratt)")]
    Pass {
        /// The pass.
        pass: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// Compiles a finished graph.
///
/// # Errors
/// If `options.layout` lacks a slot of the graph or has it in another shape.
pub fn compile(graph: &Graph, options: &Options) -> Result<Program, CompileError> {
    let layout = match &options.layout {
        Some(layout) => layout.clone(),
        None => Arc::new(StateLayout::new(graph.slots())),
    };
    for slot in graph.slots() {
        let name = slot.name.clone();
        let (known, _) = layout.find(&name).ok_or(CompileError::MissingSlot { name: name.clone() })?;
        if known.shape != slot.shape {
            let (found, expected) = (known.shape.to_string(), slot.shape.to_string());
            return Err(CompileError::SlotShape { name, found, expected });
        }
    }
    let mut graph = verified("lower", lower::lower(graph))?;
    if options.simplify {
        graph = verified("simplify", simplify::simplify(&graph))?;
    }
    Ok(steps::program(&graph, layout, options))
}

fn verified(pass: &'static str, result: Result<Graph, GraphError>) -> Result<Graph, CompileError> {
    let graph = result.map_err(|e| CompileError::Pass { pass, problem: e.to_string() })?;
    graph.verify().map_err(|problem| CompileError::Pass { pass, problem })?;
    Ok(graph)
}
