//! Floor 4: two executors of one graph.
//!
//! The reference interpreter ([`interpret()`]) computes in f64 with loops that read like the textbook, and keeps every
//! intermediate value: inspection and teaching use it, and tests take it as the truth. [`gradcheck()`] compares the
//! gradients of any graph with finite differences through it.
//!
//! The CPU executor ([`Machine`], [`Runner`]) computes in f32 what the compiler made of the graph, over the [`Slots`]
//! that all programs of a model share; training and prediction use it.
//!
//! ```
//! use bratt::exec::{Key, interpret};
//! use bratt::{graph::Graph, tensor::Tensor};
//!
//! let g = Graph::builder();
//! let (x, y, z) = (g.scalar("x"), g.scalar("y"), g.scalar("z"));
//! let f = g.mul(g.add(x, y), z);
//! let [dx, dy, dz] = g.gradients(f, [x, y, z]);
//! for (name, value) in [("f", f), ("df/dx", dx), ("df/dy", dy), ("df/dz", dz)] {
//!     g.output(name, value);
//! }
//! let graph = g.finish()?;
//!
//! let (x, y, z) = (Tensor::scalar(-2.0), Tensor::scalar(5.0), Tensor::scalar(-4.0));
//! let trace = interpret(&graph, &[("x", &x), ("y", &y), ("z", &z)], &Default::default(), Key::default())?;
//! let number = |name| trace.output(name).map(|t| t.data()[0]);
//! assert_eq!(number("f"), Some(-12.0));
//! assert_eq!([number("df/dx"), number("df/dy"), number("df/dz")], [Some(-4.0), Some(-4.0), Some(3.0)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cpu;
#[cfg(test)]
mod cpu_tests;
pub mod gradcheck;
pub mod interpret;
mod slots;
#[cfg(test)]
pub(crate) mod tests;
mod textbook;

pub use cpu::{FeedError, Isa, Machine, Profile, ProfileRow, Runner};
pub use gradcheck::{gradcheck, gradcheck_with};
pub use interpret::{InterpretError, Key, State, Trace, interpret};
pub use slots::{SlotError, Slots};
