//! The rules of the operations, by family. Each file has the same order: the mathematics, the builder's methods,
//! the shape rule, the gradient rule. One table of cases tests them all, beside the interpreter.

pub mod contract;
pub mod convolve;
pub mod loss;
pub mod movement;
pub mod normalise;
pub mod pointwise;
pub mod pool;
pub mod reduce;
pub mod regularise;
pub mod source;
pub mod window;
