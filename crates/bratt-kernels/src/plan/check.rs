//! What a plan checks once, so that running it cannot fail.

use super::{Instance, Space, Span, StepSpec, TapeSpec};
use crate::gemm::Shape;
use crate::tape::{Extent, Instr, Operand, TapeError};

/// What is wrong with a step.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PlanError {
    /// The tape is not well formed, or needs more than any memory.
    #[error("step {step}: {source}")]
    Tape {
        /// The step.
        step: usize,
        /// What is wrong.
        source: TapeError,
    },
    /// A span reaches beyond its block.
    #[error("step {step}: {what} at {span:?} reaches beyond its block of {len} numbers")]
    Bounds {
        /// The step.
        step: usize,
        /// Which memory of the step.
        what: String,
        /// Where it lies.
        span: Span,
        /// Length of the block.
        len: usize,
    },
    /// A span has not the length that the shape asks for.
    #[error("step {step}: {what} has {found} numbers, expected {expected}")]
    Length {
        /// The step.
        step: usize,
        /// Which memory of the step.
        what: String,
        /// Its length.
        found: usize,
        /// The length that the shape asks for.
        expected: usize,
    },
    /// Memory that is written overlaps other memory of the step.
    #[error(
        "step {step}: {written} overlaps {other}; only an update of exactly the same span, with the same extent, \
             is allowed"
    )]
    Overlap {
        /// The step.
        step: usize,
        /// What is written.
        written: String,
        /// What it overlaps.
        other: String,
    },
    /// An operand is loaded after its memory was stored to through another operand.
    #[error("step {step}: instruction {at} loads memory that an earlier instruction has stored to")]
    LoadAfterStore {
        /// The step.
        step: usize,
        /// The instruction.
        at: usize,
    },
    /// The step has no elements, or lists that do not belong together.
    #[error("step {step}: {what}")]
    Shape {
        /// The step.
        step: usize,
        /// What is wrong.
        what: String,
    },
}

/// Checks the steps of one plan.
pub(super) struct Checker {
    pub state_len: usize,
    pub work_len: usize,
    pub step: usize,
}

/// Memory that one instance of a step touches.
struct Touch<'a> {
    span: &'a Span,
    written: bool,
    instance: usize,
    operand: usize,
}

fn overlap(a: &Span, b: &Span) -> bool {
    a.space == b.space && a.offset < b.offset + b.len && b.offset < a.offset + a.len
}

fn operand_name(operand: usize, instance: usize) -> String {
    format!("operand {operand} of instance {instance}")
}

impl Checker {
    fn span(&self, span: &Span, what: &dyn Fn() -> String) -> Result<(), PlanError> {
        let len = match span.space {
            Space::State => self.state_len,
            Space::Work => self.work_len,
        };
        match span.offset.checked_add(span.len) {
            Some(end) if end <= len => Ok(()),
            _ => Err(PlanError::Bounds { step: self.step, what: what(), span: *span, len }),
        }
    }

    fn shape(&self, holds: bool, what: &str) -> Result<(), PlanError> {
        if holds { Ok(()) } else { Err(PlanError::Shape { step: self.step, what: what.into() }) }
    }

    pub(super) fn step(&self, spec: &StepSpec) -> Result<(), PlanError> {
        match spec {
            StepSpec::Map { tape, instances } => {
                self.shape(!instances.is_empty(), "a map without instances")?;
                for (index, instance) in instances.iter().enumerate() {
                    self.instance(tape, instance, index)?;
                }
                self.apart(tape, instances)
            }
            StepSpec::MatMul {
                m, n, k, a, trans_a, windows, depthwise, b, trans_b, tape, instance, ..
            } => {
                self.shape(
                    instance.rows == *m && instance.cols == *n,
                    "the epilogue's rows and cols must be m and n",
                )?;
                self.instance(tape, instance, 0)?;
                let shape = Shape { m: *m, n: *n, k: *k, trans_a: *trans_a, trans_b: *trans_b };
                let a_len = match windows {
                    None => {
                        self.shape(!depthwise, "a product channel by channel needs windows")?;
                        m.checked_mul(*k)
                    }
                    Some(windows) => {
                        let suits =
                            if *depthwise { windows.suits_channels(&shape) } else { windows.suits(&shape) };
                        let suits = windows.is_sound() && suits;
                        self.shape(suits, "the windows must make a factor of m and k")?;
                        windows.len()
                    }
                };
                for (name, factor, len) in [("a", a, a_len), ("b", b, k.checked_mul(*n))] {
                    self.span(factor, &|| format!("factor {name}"))?;
                    self.length(factor, len, &|| format!("factor {name}"))?;
                    for operand in stored(tape) {
                        if overlap(&instance.spans[operand], factor) {
                            let written = format!("operand {operand}");
                            return Err(PlanError::Overlap {
                                step: self.step,
                                written,
                                other: format!("factor {name}"),
                            });
                        }
                    }
                }
                Ok(())
            }
            StepSpec::Copy { dims, src, src_start, src_strides, dst, dst_start, dst_strides } => {
                let ranks = [dims.len(), src_strides.len(), dst_strides.len()];
                self.shape(
                    ranks.iter().all(|r| *r == dims.len() && *r <= 6),
                    "a copy has at most 6 dims, with strides",
                )?;
                self.shape(!dims.contains(&0), "a copy without elements")?;
                self.reach(src, *src_start, dims, src_strides, "the source")?;
                self.reach(dst, *dst_start, dims, dst_strides, "the destination")?;
                let mut list: Vec<_> = dst_strides.iter().zip(dims).filter(|(_, n)| **n > 1).collect();
                list.sort();
                let mut inside = 0;
                for (stride, n) in list {
                    self.shape(*stride > inside, "destination strides must lead to distinct elements")?;
                    inside += stride * (n - 1);
                }
                let clash = overlap(src, dst);
                let error = PlanError::Overlap {
                    step: self.step,
                    written: "the destination".into(),
                    other: "the source".into(),
                };
                if clash { Err(error) } else { Ok(()) }
            }
            StepSpec::Fill { dst, .. } => self.span(dst, &|| "the destination".into()),
        }
    }

    fn length(
        &self,
        span: &Span,
        expected: Option<usize>,
        what: &dyn Fn() -> String,
    ) -> Result<(), PlanError> {
        if Some(span.len) == expected {
            return Ok(());
        }
        let expected = expected.unwrap_or(usize::MAX);
        Err(PlanError::Length { step: self.step, what: what(), found: span.len, expected })
    }

    /// The last element of a box lies within its span.
    fn reach(
        &self,
        span: &Span,
        start: usize,
        dims: &[usize],
        strides: &[usize],
        what: &str,
    ) -> Result<(), PlanError> {
        self.span(span, &|| what.into())?;
        let last =
            dims.iter().zip(strides).try_fold(start, |at, (n, s)| at.checked_add((n - 1).checked_mul(*s)?));
        if last.is_some_and(|last| last < span.len) {
            return Ok(());
        }
        let expected = last.map_or(usize::MAX, |last| last.saturating_add(1));
        Err(PlanError::Length { step: self.step, what: what.into(), found: span.len, expected })
    }

    fn instance(&self, tape: &TapeSpec, instance: &Instance, index: usize) -> Result<(), PlanError> {
        let Instance { rows, cols, spans } = instance;
        self.shape(spans.len() == tape.extents.len(), "an instance needs one span per operand")?;
        self.shape(*rows > 0 && *cols > 0, "an iteration space without elements")?;
        for (operand, (span, extent)) in spans.iter().zip(&tape.extents).enumerate() {
            let what = || operand_name(operand, index);
            self.span(span, &what)?;
            let expected = match extent {
                Extent::Scalar => Some(1),
                Extent::PerRow => Some(*rows),
                Extent::PerCol => Some(*cols),
                Extent::Full => rows.checked_mul(*cols),
            };
            self.length(span, expected, &what)?;
        }
        let written = stored(tape);
        for &w in &written {
            for other in 0..spans.len() {
                let in_place = spans[w] == spans[other]
                    && tape.extents[w] == tape.extents[other]
                    && (other == w || !written.contains(&other));
                if overlap(&spans[w], &spans[other]) && !in_place {
                    let (written, other) = (operand_name(w, index), operand_name(other, index));
                    return Err(PlanError::Overlap { step: self.step, written, other });
                }
            }
        }
        let mut done: Vec<&Span> = vec![];
        for (at, instr) in tape.instrs.iter().enumerate() {
            match instr {
                Instr::Store(operand, _) => done.extend(spans.get(usize::from(operand.0))),
                Instr::Load(operand)
                    if spans.get(usize::from(operand.0)).is_some_and(|s| done.contains(&s)) =>
                {
                    return Err(PlanError::LoadAfterStore { step: self.step, at });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Instances run at the same time: none writes what another touches.
    fn apart(&self, tape: &TapeSpec, instances: &[Instance]) -> Result<(), PlanError> {
        let written = stored(tape);
        let mut touches: Vec<Touch> = vec![];
        for (instance, list) in instances.iter().enumerate() {
            touches.extend(list.spans.iter().enumerate().map(|(operand, span)| {
                let written = written.contains(&operand);
                Touch { span, written, instance, operand }
            }));
        }
        touches.sort_by_key(|t| (t.span.space, t.span.offset));
        let mut open: Vec<&Touch> = vec![];
        for touch in &touches {
            open.retain(|earlier| overlap(earlier.span, touch.span));
            let clash = open.iter().find(|e| e.instance != touch.instance && (e.written || touch.written));
            if let Some(earlier) = clash {
                let [written, other] = if touch.written { [touch, *earlier] } else { [*earlier, touch] }
                    .map(|t| operand_name(t.operand, t.instance));
                return Err(PlanError::Overlap { step: self.step, written, other });
            }
            open.push(touch);
        }
        Ok(())
    }
}

/// The operands that a tape stores to.
pub(super) fn stored(tape: &TapeSpec) -> Vec<usize> {
    let operand = |instr: &Instr| match instr {
        Instr::Store(Operand(operand), _) => Some(usize::from(*operand)),
        _ => None,
    };
    tape.instrs.iter().filter_map(operand).filter(|o| *o < tape.extents.len()).collect()
}
