//! A compiled step: a short list of kernel calls over planned memory.

use super::layout::StateLayout;
use crate::tensor::Shape;
use bratt_kernels::plan::{Span, StepSpec};
use std::fmt;
use std::sync::Arc;

/// A named input or output of a program and its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// The name in the graph.
    pub name: String,
    /// The shape.
    pub shape: Shape,
    pub(crate) span: Span,
}

/// One kernel call.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub(crate) spec: StepSpec,
    /// The layers whose nodes it computes.
    pub layers: String,
    /// The operations it computes.
    pub what: String,
}

impl Step {
    /// `matmul`, `depthwise`, `map`, `copy` or `fill`.
    pub fn kind(&self) -> &'static str {
        match self.spec {
            StepSpec::Map { .. } => "map",
            StepSpec::MatMul { depthwise: true, .. } => "depthwise",
            StepSpec::MatMul { .. } => "matmul",
            StepSpec::Copy { .. } => "copy",
            StepSpec::Fill { .. } => "fill",
        }
    }

    /// The extents it runs over: `m x n x k` of a product, else rows x columns.
    pub fn extents(&self) -> String {
        match &self.spec {
            StepSpec::Map { instances, .. } => {
                let first = format!("{}x{}", instances[0].rows, instances[0].cols);
                if instances.len() > 1 { format!("{first} and {} more", instances.len() - 1) } else { first }
            }
            StepSpec::MatMul { m, n, k, .. } => format!("{m}x{n}x{k}"),
            StepSpec::Copy { dims, .. } => dims.iter().map(usize::to_string).collect::<Vec<_>>().join("x"),
            StepSpec::Fill { dst, .. } => dst.len.to_string(),
        }
    }

    /// Floating-point operations, a multiply-add being two.
    pub fn flops(&self) -> u64 {
        self.spec.flops()
    }

    /// Bytes of memory touched, each operand once.
    pub fn bytes(&self) -> u64 {
        self.spec.bytes()
    }
}

/// A compiled graph: steps, the memory they work in, and the places of inputs, outputs and state.
///
/// Its `Display` is a table of the steps with their FLOPs and bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) layout: Arc<StateLayout>,
    pub(crate) work_len: usize,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

impl Program {
    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The slots of state and their places.
    pub fn layout(&self) -> &Arc<StateLayout> {
        &self.layout
    }

    /// What is fed before a run.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What can be read after a run.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Bytes of planned memory: inputs, outputs and all intermediate values, without the state.
    pub fn work_bytes(&self) -> usize {
        4 * self.work_len
    }

    /// Bytes of state.
    pub fn state_bytes(&self) -> usize {
        4 * self.layout.len()
    }

    /// Floating-point operations of one run.
    pub fn flops(&self) -> u64 {
        self.steps.iter().map(Step::flops).sum()
    }

    /// Bytes of memory touched by one run, each operand of each step once.
    pub fn bytes(&self) -> u64 {
        self.steps.iter().map(Step::bytes).sum()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>4}  {:<7} {:<22} {:>9} {:>9}  {:<28} operations",
            "step", "kind", "extents", "MFLOP", "KiB", "layers"
        )?;
        for (i, step) in self.steps.iter().enumerate() {
            writeln!(
                f,
                "{i:>4}  {:<7} {:<22} {:>9.3} {:>9.1}  {:<28} {}",
                step.kind(),
                step.extents(),
                step.flops() as f64 / 1e6,
                step.bytes() as f64 / 1024.0,
                step.layers,
                step.what
            )?;
        }
        write!(
            f,
            "total {:.3} MFLOP, {:.1} KiB touched; memory: work {:.1} KiB, state {:.1} KiB",
            self.flops() as f64 / 1e6,
            self.bytes() as f64 / 1024.0,
            self.work_bytes() as f64 / 1024.0,
            self.state_bytes() as f64 / 1024.0
        )
    }
}
