//! bratt trains image classifiers: a whole training step (forward, backward, update) is one inspectable graph,
//! compiled to fused CPU kernels.
#![forbid(unsafe_code)]

pub mod compile;
pub mod data;
pub mod exec;
mod grad;
pub mod graph;
pub mod nn;
pub mod optim;
pub mod random;
pub mod schedule;
pub mod tensor;
