//! What a tape must be, and what it asks of the tiles it runs on.
//!
//! Two kinds of value cannot be known while tiles are walked one by one: a [`Instr::ReduceRows`] sees only the rows
//! of its tile, and a [`Instr::ReduceAll`] only the elements of its tile. If what follows from them stays small
//! (`PerCol` or `Scalar`), tiles keep partial results, and the rest of the tape, its *finish*, runs once when all
//! tiles are done. If it flows back into a `Full` or `PerRow` value, the tile itself must be complete; [`needs`]
//! tells, so that the compiler can cut a chain where tiles would grow too large for a cache ([`fits`]). What cannot be
//! cut runs at any size: tiles and registers then grow with the matrix.

use super::{Extent, Instr, Operand, Val};
use crate::plan::TapeSpec;

/// Most instructions a tape may have.
pub const MAX_INSTRS: usize = 2048;
/// Most columns worth merging into one tape where tiles must span all columns.
pub const MAX_ROW: usize = 8192;
/// Most rows worth merging into one tape where tiles must span all rows.
pub const MAX_COL: usize = 1024;
/// Most elements worth merging into one tape where one tile must be the whole matrix.
pub const MAX_WHOLE: usize = 32_768;

/// What is wrong with a tape.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TapeError {
    /// More than [`MAX_INSTRS`] instructions.
    #[error("the tape has {found} instructions; at most {MAX_INSTRS} are allowed")]
    TooLong {
        /// The number of instructions.
        found: usize,
    },
    /// An argument is not defined before its use.
    #[error("instruction {at} ({instr:?}) uses value {value}, which no earlier instruction defines")]
    Undefined {
        /// The instruction.
        at: usize,
        /// The instruction itself.
        instr: Instr,
        /// The value asked for.
        value: u16,
    },
    /// A memory operand beyond the list of extents.
    #[error(
        "instruction {at} ({instr:?}) names an operand that the tape does not have ({operands} operands)"
    )]
    NoOperand {
        /// The instruction.
        at: usize,
        /// The instruction itself.
        instr: Instr,
        /// How many operands there are.
        operands: usize,
    },
    /// An argument whose extent the instruction does not take.
    #[error("instruction {at} ({instr:?}) cannot take a value of extent {found:?}")]
    Extent {
        /// The instruction.
        at: usize,
        /// The instruction itself.
        instr: Instr,
        /// The argument's extent.
        found: Extent,
    },
    /// A second `Acc`, or one outside of an epilogue.
    #[error("instruction {at} is `Acc`: allowed only in a matrix product's epilogue, and once")]
    Acc {
        /// The instruction.
        at: usize,
    },
    /// An operand is loaded after it was stored to, or stored to twice.
    #[error("instruction {at} ({instr:?}) touches memory that an earlier instruction has stored to")]
    Stored {
        /// The instruction.
        at: usize,
        /// The instruction itself.
        instr: Instr,
    },
    /// The iteration space, or what the tape keeps of it, is larger than any memory.
    #[error("a tape over {rows} x {cols} needs more numbers than any memory holds")]
    Overflow {
        /// Rows of the iteration space.
        rows: usize,
        /// Columns of the iteration space.
        cols: usize,
    },
}

/// What a tape asks of its tiles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Needs {
    /// A tile must hold all columns of its rows.
    pub complete_rows: bool,
    /// A tile must hold all rows of its columns.
    pub complete_cols: bool,
}

impl Needs {
    /// Whether one tile must be the whole matrix.
    pub(crate) fn whole(&self) -> bool {
        self.complete_rows && self.complete_cols
    }
}

/// What a tape asks of its tiles; an error if it is not well formed.
///
/// ```
/// use bratt_kernels::plan::TapeSpec;
/// use bratt_kernels::tape::{Binary, Extent, Instr, Operand, Reduction, Val, needs};
///
/// // x - (sum of x over the rows): the sum flows back, so a tile must hold whole columns.
/// let centre = TapeSpec {
///     instrs: vec![
///         Instr::Load(Operand(0)),
///         Instr::ReduceRows(Reduction::Sum, Val(0)),
///         Instr::Binary(Binary::Sub, Val(0), Val(1)),
///         Instr::Store(Operand(1), Val(2)),
///     ],
///     extents: vec![Extent::Full, Extent::Full],
/// };
/// let needs = needs(&centre)?;
/// assert!(needs.complete_cols && !needs.complete_rows);
/// # Ok::<(), bratt_kernels::tape::TapeError>(())
/// ```
pub fn needs(spec: &TapeSpec) -> Result<Needs, TapeError> {
    Ok(Checked::new(spec, true)?.needs)
}

/// Whether an iteration space is small enough that merging chains into this tape pays: the tiles that it needs stay in
/// cache and leave several threads something to do. Tapes beyond it run too.
pub fn fits(needs: &Needs, rows: usize, cols: usize) -> bool {
    match (needs.complete_rows, needs.complete_cols) {
        (true, true) => rows.checked_mul(cols).is_some_and(|n| n <= MAX_WHOLE),
        (true, false) => cols <= MAX_ROW,
        (false, true) => rows <= MAX_COL,
        (false, false) => true,
    }
}

/// Which reductions a value follows from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Follows {
    pub rows: bool,
    pub all: bool,
}

/// A tape found to be well formed.
pub(crate) struct Checked {
    /// The extent of each value; a store has that of its argument.
    pub extents: Vec<Extent>,
    pub follows: Vec<Follows>,
    pub needs: Needs,
}

/// The smallest extent that holds both.
pub(crate) fn join(a: Extent, b: Extent) -> Extent {
    match (a, b) {
        _ if a == b => a,
        (Extent::Scalar, other) | (other, Extent::Scalar) => other,
        _ => Extent::Full,
    }
}

/// The most arguments of an instruction.
pub(crate) const MAX_ARGS: usize = 5;

/// The arguments of an instruction.
pub(crate) fn arguments(instr: &Instr) -> ([Val; MAX_ARGS], usize) {
    let none = Val(0);
    match *instr {
        Instr::Acc | Instr::Load(_) | Instr::Const(_) => ([none; MAX_ARGS], 0),
        Instr::RowIndex | Instr::ColIndex | Instr::Uniform { .. } => ([none; MAX_ARGS], 0),
        Instr::Unary(_, a)
        | Instr::ReduceCols(_, a)
        | Instr::ReduceRows(_, a)
        | Instr::ReduceAll(_, a)
        | Instr::Store(_, a) => ([a, none, none, none, none], 1),
        Instr::Binary(_, a, b) => ([a, b, none, none, none], 2),
        Instr::MulAdd(a, b, c) | Instr::Select(a, b, c) => ([a, b, c, none, none], 3),
        Instr::Fused(_, args) => (args, MAX_ARGS),
    }
}

impl Checked {
    pub(crate) fn new(spec: &TapeSpec, epilogue: bool) -> Result<Checked, TapeError> {
        let found = spec.instrs.len();
        if found > MAX_INSTRS {
            return Err(TapeError::TooLong { found });
        }
        let mut checked = Checked { extents: vec![], follows: vec![], needs: Needs::default() };
        let mut stored = vec![false; spec.extents.len()];
        let mut acc = false;
        for (at, &instr) in spec.instrs.iter().enumerate() {
            checked.step(spec, at, instr, &mut stored)?;
            if instr == Instr::Acc && (acc || !epilogue) {
                return Err(TapeError::Acc { at });
            }
            acc |= instr == Instr::Acc;
        }
        Ok(checked)
    }

    fn step(
        &mut self,
        spec: &TapeSpec,
        at: usize,
        instr: Instr,
        stored: &mut [bool],
    ) -> Result<(), TapeError> {
        let (args, count) = arguments(&instr);
        let mut extent = Extent::Scalar;
        let mut follows = Follows::default();
        for value in &args[..count] {
            let defined = spec.instrs[..at].get(usize::from(value.0));
            if defined.is_none_or(|defining| matches!(defining, Instr::Store(..))) {
                return Err(TapeError::Undefined { at, instr, value: value.0 });
            }
            extent = join(extent, self.extents[usize::from(value.0)]);
            let from = self.follows[usize::from(value.0)];
            follows = Follows { rows: follows.rows || from.rows, all: follows.all || from.all };
        }
        let memory = |Operand(index): Operand| {
            let missing = TapeError::NoOperand { at, instr, operands: spec.extents.len() };
            spec.extents.get(usize::from(index)).copied().ok_or(missing)
        };
        let bad = Err(TapeError::Extent { at, instr, found: extent });
        let mut written = extent;
        match instr {
            Instr::Acc | Instr::Uniform { .. } => extent = Extent::Full,
            Instr::Load(operand) => {
                extent = memory(operand)?;
                if stored[usize::from(operand.0)] {
                    return Err(TapeError::Stored { at, instr });
                }
            }
            Instr::Const(_) => {}
            Instr::RowIndex => extent = Extent::PerRow,
            Instr::ColIndex => extent = Extent::PerCol,
            Instr::Unary(..) | Instr::Binary(..) | Instr::MulAdd(..) | Instr::Select(..) => {}
            Instr::Fused(_, [x, y, z, a, b]) => {
                let of = |v: Val| self.extents[usize::from(v.0)];
                let alike = of(x) == of(y) && of(x) == of(z) && of(x) != Extent::Scalar;
                if !alike || of(a) != Extent::Scalar || of(b) != Extent::Scalar {
                    return bad;
                }
            }
            Instr::ReduceCols(..) if extent != Extent::Full => return bad,
            Instr::ReduceRows(..) if extent != Extent::Full => return bad,
            Instr::ReduceAll(..) if extent == Extent::Scalar => return bad,
            Instr::ReduceCols(..) => {
                extent = Extent::PerRow;
                self.needs.complete_rows = true;
            }
            Instr::ReduceRows(..) => {
                extent = Extent::PerCol;
                follows.rows = true;
            }
            Instr::ReduceAll(..) => {
                extent = Extent::Scalar;
                follows.all = true;
            }
            Instr::Store(operand, _) => {
                written = memory(operand)?;
                if join(extent, written) != written {
                    return bad;
                }
                if std::mem::replace(&mut stored[usize::from(operand.0)], true) {
                    return Err(TapeError::Stored { at, instr });
                }
                // One tile must own the whole row that stands behind a number per row.
                self.needs.complete_rows |= written == Extent::PerRow;
            }
        }
        let flows_to = if matches!(instr, Instr::Store(..)) { written } else { extent };
        if matches!(flows_to, Extent::Full | Extent::PerRow) {
            self.needs.complete_cols |= follows.rows || follows.all;
            self.needs.complete_rows |= follows.all;
        }
        self.extents.push(extent);
        self.follows.push(follows);
        Ok(())
    }
}
