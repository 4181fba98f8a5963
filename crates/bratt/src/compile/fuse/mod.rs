//! Pass: a graph of primitive operations into a short list of fused steps.

pub(super) mod emit;
pub(super) mod group;
pub(super) mod merge;
mod peephole;
pub(super) mod view;
