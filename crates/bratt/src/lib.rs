//! bratt trains image classifiers: a whole training step (forward, backward, update) is one inspectable graph,
//! compiled to fused CPU kernels.
#![forbid(unsafe_code)]

pub mod compile;
pub mod data;
pub mod descent;
pub mod exec;
pub mod explain;
pub mod expr;
mod file;
mod grad;
pub mod graph;
pub mod init;
pub mod inside;
pub mod lab;
pub mod metrics;
pub mod model;
pub mod names;
pub mod nn;
pub mod optim;
mod page;
pub mod prelude;
pub mod random;
pub mod regression;
pub mod report;
pub mod schedule;
pub mod search;
pub mod surface;
pub mod tensor;
pub mod train;
