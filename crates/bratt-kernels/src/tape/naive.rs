//! The tape's naive twin: plain loops in f64, one instruction after the other over the whole matrix.

use super::check::{Checked, TapeError, join};
use super::{Binary, Extent, Fused, Instr, Reduction, Unary};
use crate::plan::TapeSpec;
use crate::random::{Key, uniform_at};

/// Runs a tape over `rows x cols`. `acc` is the matrix product of an epilogue; `operands` hold one slice per operand,
/// of its extent, and are read and written. What an earlier store writes is not seen by loads: those come first.
///
/// ```
/// use bratt_kernels::plan::TapeSpec;
/// use bratt_kernels::random::Key;
/// use bratt_kernels::tape::{Binary, Extent, Instr, Operand, Val, naive};
///
/// let double = TapeSpec {
///     instrs: vec![
///         Instr::Load(Operand(0)),
///         Instr::Binary(Binary::Add, Val(0), Val(0)),
///         Instr::Store(Operand(1), Val(1)),
///     ],
///     extents: vec![Extent::PerCol, Extent::Full],
/// };
/// let mut operands = [vec![1.0, 2.0, 3.0], vec![0.0; 6]];
/// naive::run(&double, 2, 3, None, &mut operands, Key::default())?;
/// assert_eq!(operands[1], [2.0, 4.0, 6.0, 2.0, 4.0, 6.0]);
/// # Ok::<(), bratt_kernels::tape::TapeError>(())
/// ```
///
/// # Panics
/// If an operand or `acc` is shorter than its extent.
pub fn run(
    spec: &TapeSpec,
    rows: usize,
    cols: usize,
    acc: Option<&[f64]>,
    operands: &mut [Vec<f64>],
    key: Key,
) -> Result<(), TapeError> {
    let checked = Checked::new(spec, acc.is_some())?;
    let size = |extent| match extent {
        Extent::Scalar => 1,
        Extent::PerRow => rows,
        Extent::PerCol => cols,
        Extent::Full => rows * cols,
    };
    // The element of a value of extent `from` that meets element `i` of extent `to`.
    let meets = |from: Extent, to: Extent, i: usize| match (from, to) {
        _ if from == to => i,
        (Extent::PerRow, _) => i / cols,
        (Extent::PerCol, _) => i % cols,
        _ => 0,
    };
    let mut values: Vec<Vec<f64>> = vec![];
    for instr in &spec.instrs {
        let extent_of = |v: super::Val| checked.extents[usize::from(v.0)];
        let get = |v: super::Val, to: Extent, i: usize| values[usize::from(v.0)][meets(extent_of(v), to, i)];
        let value: Vec<f64> = match *instr {
            Instr::Acc => acc.unwrap_or_default().to_vec(),
            Instr::Load(o) => {
                let n = size(spec.extents[usize::from(o.0)]);
                operands[usize::from(o.0)][..n].to_vec()
            }
            Instr::Const(x) => vec![f64::from(x)],
            Instr::RowIndex => (0..rows).map(|r| r as f64).collect(),
            Instr::ColIndex => (0..cols).map(|c| c as f64).collect(),
            Instr::Uniform { stream } => {
                (0..rows * cols).map(|i| f64::from(uniform_at(key, stream, i as u64))).collect()
            }
            Instr::Unary(f, a) => {
                let e = extent_of(a);
                (0..size(e)).map(|i| unary(f, get(a, e, i))).collect()
            }
            Instr::Binary(f, a, b) => {
                let e = join(extent_of(a), extent_of(b));
                (0..size(e)).map(|i| binary(f, get(a, e, i), get(b, e, i))).collect()
            }
            Instr::MulAdd(a, b, c) => {
                let e = join(join(extent_of(a), extent_of(b)), extent_of(c));
                (0..size(e)).map(|i| get(a, e, i) * get(b, e, i) + get(c, e, i)).collect()
            }
            Instr::Fused(f, [x, y, z, a, b]) => {
                let e = extent_of(x);
                let (a, b) = (get(a, Extent::Scalar, 0), get(b, Extent::Scalar, 0));
                let at = |i: usize| fused(f, [get(x, e, i), get(y, e, i), get(z, e, i)], a, b);
                (0..size(e)).map(at).collect()
            }
            Instr::Select(c, a, b) => {
                let e = join(join(extent_of(a), extent_of(b)), extent_of(c));
                (0..size(e)).map(|i| if get(c, e, i) != 0.0 { get(a, e, i) } else { get(b, e, i) }).collect()
            }
            Instr::ReduceCols(f, a) => {
                (0..rows).map(|r| fold(f, (0..cols).map(|c| get(a, Extent::Full, r * cols + c)))).collect()
            }
            Instr::ReduceRows(f, a) => {
                (0..cols).map(|c| fold(f, (0..rows).map(|r| get(a, Extent::Full, r * cols + c)))).collect()
            }
            Instr::ReduceAll(f, a) => {
                let e = extent_of(a);
                vec![fold(f, (0..size(e)).map(|i| get(a, e, i)))]
            }
            Instr::Store(o, a) => {
                let e = spec.extents[usize::from(o.0)];
                let written: Vec<f64> = (0..size(e)).map(|i| get(a, e, i)).collect();
                operands[usize::from(o.0)][..written.len()].copy_from_slice(&written);
                vec![]
            }
        };
        values.push(value);
    }
    Ok(())
}

fn fused(function: Fused, [x, y, z]: [f64; 3], a: f64, b: f64) -> f64 {
    match function {
        Fused::Mean => a * x + b * y,
        Fused::MeanSquare => a * x + b * y * y,
        Fused::AdaptiveStep => x - a * (y / (z.sqrt() + b)),
    }
}

fn fold(reduction: Reduction, values: impl Iterator<Item = f64>) -> f64 {
    match reduction {
        Reduction::Sum => values.sum(),
        Reduction::Max => values.fold(f64::NEG_INFINITY, |a, b| binary(Binary::Max, a, b)),
        Reduction::Min => values.fold(f64::INFINITY, |a, b| binary(Binary::Min, a, b)),
    }
}

/// A function of one argument.
pub fn unary(function: Unary, x: f64) -> f64 {
    match function {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign if x > 0.0 => 1.0,
        Unary::Sign if x < 0.0 => -1.0,
        Unary::Sign => x,
        Unary::Floor => x.floor(),
        Unary::Exp => x.exp(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Log1p => x.ln_1p(),
        Unary::Sqrt => x.sqrt(),
        Unary::Recip => 1.0 / x,
        Unary::Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Tanh => x.tanh(),
        Unary::Softplus if x.is_nan() => x,
        Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Unary::Relu if x < 0.0 => 0.0,
        Unary::Relu => x,
    }
}

/// A function of two arguments.
pub fn binary(function: Binary, a: f64, b: f64) -> f64 {
    let flag = |holds: bool| if holds { 1.0 } else { 0.0 };
    match function {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Min if a < b || a.is_nan() => a,
        Binary::Max if a > b || a.is_nan() => a,
        Binary::Min | Binary::Max => b,
        Binary::Pow => a.powf(b),
        Binary::Lt => flag(a < b),
        Binary::Le => flag(a <= b),
        Binary::Eq => flag(a == b),
        Binary::Ne => flag(a != b),
    }
}
