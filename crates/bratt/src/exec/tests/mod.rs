//! One table of cases per operation drives the comparison with closed forms, the gradient checks and, in the compiled
//! executor's tests, the comparison with this interpreter.

pub(crate) mod cases;
mod errors;
mod every_op;
pub(crate) mod images;
mod laws;
mod methods;
mod published;
mod published_images;
pub(crate) mod random_graph;
