//! The closed list of steps that the compiler may emit, over two blocks of memory.
//!
//! *State* survives a step (parameters, moments, running statistics) and may be shared by several plans;
//! *work* belongs to one plan (inputs, activations, gradients, outputs). A [`Plan`] checks every span and every
//! tape once, when it is made; running it cannot fail.

mod check;
mod copy;
mod cost;
mod product;
mod run;
#[cfg(test)]
mod tests;

pub use check::PlanError;
pub use run::{Plan, Scratch};

use crate::gemm::Windows;
use crate::tape::{Extent, Instr};

/// Which block of memory a span lies in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Space {
    /// Memory that survives the step.
    State,
    /// Memory of one plan.
    Work,
}

/// A contiguous range of f32 in one of the two blocks. Offsets of separate tensors are multiples of 16 (64 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Span {
    /// The block.
    pub space: Space,
    /// First element.
    pub offset: usize,
    /// Number of elements.
    pub len: usize,
}

/// A tape together with the memory it touches.
#[derive(Clone, PartialEq, Debug)]
pub struct TapeSpec {
    /// The instructions, in SSA form.
    pub instrs: Vec<Instr>,
    /// For each [`crate::tape::Operand`]: its extent.
    pub extents: Vec<Extent>,
}

/// One instance of a tape: an iteration space and a span per operand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Rows of the iteration space.
    pub rows: usize,
    /// Columns of the iteration space.
    pub cols: usize,
    /// The memory of each operand, in the order of [`TapeSpec::extents`]. An operand that is stored to may be
    /// the same span as one that is loaded (an update in place), if both have the same extent and no later
    /// instruction loads the old value; other overlaps are refused.
    pub spans: Vec<Span>,
}

/// One step, as the compiler describes it.
#[derive(Clone, PartialEq, Debug)]
pub enum StepSpec {
    /// Runs one tape over one or more iteration spaces (the optimiser's update of all parameters is one such
    /// step).
    Map {
        /// What to do.
        tape: TapeSpec,
        /// Where.
        instances: Vec<Instance>,
    },
    /// `acc[m, n] = sum_k a[m, k] * b[k, n]`, then `tape` over the `m x n` result (at least a store of `Acc`).
    MatMul {
        /// Rows of the result.
        m: usize,
        /// Columns of the result.
        n: usize,
        /// The contracted extent.
        k: usize,
        /// The left factor: `[m, k]` row-major, or `[k, m]` if `trans_a`; the images of the windows if there are any.
        a: Span,
        /// Whether `a` is stored transposed.
        trans_a: bool,
        /// The left factor is what these windows see, a row for each window (before transposing).
        windows: Option<Windows>,
        /// A product channel by channel with what the windows see ([`crate::gemm::Gemm::depthwise`]); `n` is their channels.
        depthwise: bool,
        /// Whether a convolution that gains by it may go through Winograd's transforms.
        winograd: bool,
        /// The right factor: `[k, n]` row-major, or `[n, k]` if `trans_b`.
        b: Span,
        /// Whether `b` is stored transposed.
        trans_b: bool,
        /// The epilogue.
        tape: TapeSpec,
        /// The epilogue's memory; `rows = m`, `cols = n`.
        instance: Instance,
    },
    /// `dst[i] = src[i]` over a box, with strides: transposes, slices, padding, concatenation, broadcasts
    /// (stride 0 in the source).
    Copy {
        /// Extents of the box, outermost first; at most 6.
        dims: Vec<usize>,
        /// The source memory.
        src: Span,
        /// First element of the box within `src`, and its strides in elements.
        src_start: usize,
        /// Strides in the source.
        src_strides: Vec<usize>,
        /// The destination memory.
        dst: Span,
        /// First element of the box within `dst`.
        dst_start: usize,
        /// Strides in the destination; distinct indices give distinct elements.
        dst_strides: Vec<usize>,
    },
    /// Sets a span to one value.
    Fill {
        /// What to set.
        dst: Span,
        /// The value.
        value: f32,
    },
}
