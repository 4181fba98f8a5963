//! A tape: a straight-line program over one tile of a `rows x cols` matrix.
//!
//! Every tensor is seen as rows x channels (NHWC), so one two-dimensional iteration space serves all pointwise
//! chains, row-wise functions (softmax) and column-wise ones (batch norm). A value of a tape has an [`Extent`]:
//! the whole tile, one number per row, one per column, or a single scalar. Instructions are in SSA form: the
//! instruction at index `i` defines value `Val(i)`, and operands come before their users.
//!
//! The machine runs each instruction over a tile that stays in cache, then the next; nothing is compiled at run
//! time. A tape runs on its own (a map) or as the epilogue of a matrix product, whose finished tile it reads as
//! [`Instr::Acc`].

mod check;
mod compile;
mod machine;
pub mod naive;
mod ops;
mod reduce;
mod registers;
#[cfg(test)]
mod tests;
mod tiling;
mod trio;

pub(crate) use check::Checked;
pub use check::{MAX_COL, MAX_INSTRS, MAX_ROW, MAX_WHOLE, Needs, TapeError, fits, needs};
pub(crate) use compile::{Tape, Tiles};
pub(crate) use machine::{Acc, Cursor, Memory, Worker};
pub(crate) use tiling::Tile;

/// The extent of a tape value within an iteration space of `rows x cols`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Extent {
    /// One number.
    Scalar,
    /// One number per row: `rows` elements.
    PerRow,
    /// One number per column: `cols` elements.
    PerCol,
    /// `rows * cols` elements, row-major.
    Full,
}

/// A value of a tape: the index of the instruction that defines it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Val(pub u16);

/// A memory operand of a tape: the index into the step's list of spans.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Operand(pub u16);

/// Functions of one argument. f32, lane by lane; NaN in gives NaN out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unary {
    /// `-x`
    Neg,
    /// `|x|`
    Abs,
    /// `-1`, `0` or `1`
    Sign,
    /// largest integer not above `x`
    Floor,
    /// `e^x`
    Exp,
    /// `e^x - 1`, accurate near 0
    Expm1,
    /// natural logarithm; NaN below 0, -inf at 0
    Log,
    /// `log(1 + x)`, accurate near 0
    Log1p,
    /// square root; NaN below 0
    Sqrt,
    /// `1 / x`
    Recip,
    /// `1 / (1 + e^-x)`, no overflow
    Sigmoid,
    /// hyperbolic tangent
    Tanh,
    /// `log(1 + e^x)`, no overflow
    Softplus,
    /// `max(x, 0)`; NaN stays NaN
    Relu,
}

/// Functions of two arguments. Comparisons give 1.0 or 0.0 (0.0 if either is NaN, except `Ne`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// the smaller; NaN if either is NaN
    Min,
    /// the larger; NaN if either is NaN
    Max,
    /// `a^b` as `exp(b log a)` for `a > 0`, with the conventions of `powf` elsewhere
    Pow,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
}

/// Functions of three values of one extent, x, y and z, and two scalars, a and b: what optimisers are made of, in one
/// loop instead of several. Each rounds as the plain instructions do that it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fused {
    /// `a x + b y`, a running mean; z does not matter.
    Mean,
    /// `a x + b y^2`, a running mean of squares; z does not matter.
    MeanSquare,
    /// `x - a (y / (sqrt(z) + b))`, the step of Adam, RMSprop and AdaGrad.
    AdaptiveStep,
}

/// How a reduction combines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reduction {
    /// sum
    Sum,
    /// largest; NaN if any is NaN
    Max,
    /// smallest; NaN if any is NaN
    Min,
}

/// One instruction of a tape. The extent of a result is the join of its arguments' extents
/// (`PerRow` with `PerCol` gives `Full`), unless said otherwise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Instr {
    /// The finished tile of the matrix product whose epilogue this tape is: `Full`. Only in epilogues, and at
    /// most once.
    Acc,
    /// Reads a memory operand with its declared extent.
    Load(Operand),
    /// A constant: `Scalar`.
    Const(f32),
    /// 0, 1, 2, ... down the rows: `PerRow`.
    RowIndex,
    /// 0, 1, 2, ... along the columns: `PerCol`.
    ColIndex,
    /// Uniform numbers in [0, 1): `Full`. Pure function of the run's key, the stream and the element's index.
    Uniform {
        /// Distinguishes the random nodes of one graph.
        stream: u32,
    },
    /// Lane-by-lane function of one value.
    Unary(Unary, Val),
    /// Lane-by-lane function of two values.
    Binary(Binary, Val, Val),
    /// `a * b + c`, fused (one rounding) where the machine has it.
    MulAdd(Val, Val, Val),
    /// A fused function of values x, y, z (all `Full`, all `PerRow` or all `PerCol`) and scalars a, b, in this order.
    Fused(Fused, [Val; 5]),
    /// `if c != 0 { a } else { b }`; NaN counts as nonzero.
    Select(Val, Val, Val),
    /// Combines the columns of each row: `Full` to `PerRow`.
    ReduceCols(Reduction, Val),
    /// Combines the rows of each column: `Full` to `PerCol`.
    ReduceRows(Reduction, Val),
    /// Combines everything: `Full`, `PerRow` or `PerCol` to `Scalar`.
    ReduceAll(Reduction, Val),
    /// Writes a value to a memory operand of the same extent or a wider one (the value is repeated).
    /// The instruction's own value is not to be used.
    Store(Operand, Val),
}
