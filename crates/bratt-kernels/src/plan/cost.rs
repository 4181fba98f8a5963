//! What a step costs, for reports.

use super::{Instance, Span, StepSpec, TapeSpec};
use crate::tape::{Checked, Extent, Fused, Instr};

impl StepSpec {
    /// Floating-point operations of one run: an addition, a comparison or an exponential each count 1, a multiply-add 2.
    pub fn flops(&self) -> u64 {
        match self {
            StepSpec::Map { tape, instances } => {
                instances.iter().map(|i| tape_flops(tape, i.rows as u64, i.cols as u64)).sum()
            }
            StepSpec::MatMul { m, n, k, tape, .. } => {
                let [m, n, k] = [*m, *n, *k].map(|x| x as u64);
                2 * m * n * k + tape_flops(tape, m, n)
            }
            StepSpec::Copy { .. } | StepSpec::Fill { .. } => 0,
        }
    }

    /// Bytes of memory that one run reads and writes, each touched once (a span updated in place counts twice).
    pub fn bytes(&self) -> u64 {
        match self {
            StepSpec::Map { tape, instances } => instances.iter().map(|i| tape_bytes(tape, i)).sum(),
            StepSpec::MatMul { a, b, tape, instance, .. } => size(a) + size(b) + tape_bytes(tape, instance),
            StepSpec::Copy { dims, .. } => 8 * dims.iter().map(|&d| d as u64).product::<u64>(),
            StepSpec::Fill { dst, .. } => size(dst),
        }
    }
}

fn size(span: &Span) -> u64 {
    4 * span.len as u64
}

fn tape_flops(tape: &TapeSpec, rows: u64, cols: u64) -> u64 {
    let Ok(checked) = Checked::new(tape, true) else { return 0 };
    let elements = |extent| match extent {
        Extent::Scalar => 1,
        Extent::PerRow => rows,
        Extent::PerCol => cols,
        Extent::Full => rows * cols,
    };
    let price = |(instr, extent): (&Instr, &Extent)| match instr {
        Instr::Unary(..) | Instr::Binary(..) | Instr::Select(..) => elements(*extent),
        Instr::MulAdd(..) => 2 * elements(*extent),
        Instr::Fused(Fused::Mean, _) => 3 * elements(*extent),
        Instr::Fused(Fused::MeanSquare, _) => 4 * elements(*extent),
        Instr::Fused(Fused::AdaptiveStep, _) => 5 * elements(*extent),
        Instr::ReduceCols(_, a) | Instr::ReduceRows(_, a) | Instr::ReduceAll(_, a) => {
            elements(checked.extents[usize::from(a.0)])
        }
        _ => 0,
    };
    tape.instrs.iter().zip(&checked.extents).map(price).sum()
}

fn tape_bytes(tape: &TapeSpec, instance: &Instance) -> u64 {
    let mut read = vec![];
    let mut written = vec![];
    for instr in &tape.instrs {
        let (list, operand) = match instr {
            Instr::Load(operand) => (&mut read, operand),
            Instr::Store(operand, _) => (&mut written, operand),
            _ => continue,
        };
        if let Some(span) = instance.spans.get(usize::from(operand.0))
            && !list.contains(&span)
        {
            list.push(span);
        }
    }
    read.into_iter().chain(written).map(size).sum()
}
