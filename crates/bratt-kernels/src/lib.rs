//! The kernels of bratt: the only unsafe code, the only SIMD, the only threads.
//!
//! A [`plan::Plan`] is a checked list of steps over two blocks of memory; a [`tape`] is a fused chain of pointwise
//! functions and reductions over rows x columns; the matrix product feeds its result through a tape.
//! Everything is cut into a fixed partition that does not depend on the number of threads, and partial results are
//! combined in a fixed order: the same bits on any number of threads.

pub mod arena;
pub mod file_bytes;
pub mod gemm;
pub mod isa;
mod math;
pub mod plan;
pub mod pool;
pub mod random;
pub mod simd;
pub mod tape;
