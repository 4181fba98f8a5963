//! Plans: made and checked once, run many times.

use super::check::{Checker, PlanError, stored};
use super::copy::Copy;
use super::product::Product;
use super::{Instance, Space, Span, StepSpec, TapeSpec};
use crate::arena::Arena;
use crate::isa::Isa;
use crate::pool::Pool;
use crate::random::Key;
use crate::tape::{Cursor, Memory, Operand, Tape, Tiles, Worker};
use std::time::{Duration, Instant};

/// Below this work (elements times instructions) a map runs on the calling thread alone.
const INLINE: usize = 40_000;
/// Elements of one part of a fill.
const FILL: usize = 1 << 16;

/// A checked list of steps, ready to run.
///
/// ```
/// use bratt_kernels::plan::{Instance, Plan, Space, Span, StepSpec, TapeSpec};
/// use bratt_kernels::tape::{Binary, Extent, Instr, Operand, Val};
/// use bratt_kernels::{arena::Arena, isa::Isa, pool::Pool, random::Key};
///
/// // work[0..4] *= 2
/// let span = Span { space: Space::Work, offset: 0, len: 4 };
/// let double = StepSpec::Map {
///     tape: TapeSpec {
///         instrs: vec![
///             Instr::Load(Operand(0)),
///             Instr::Binary(Binary::Add, Val(0), Val(0)),
///             Instr::Store(Operand(0), Val(1)),
///         ],
///         extents: vec![Extent::Full],
///     },
///     instances: vec![Instance { rows: 2, cols: 2, spans: vec![span] }],
/// };
/// let plan = Plan::new(vec![double], 0, 4, Isa::detect())?;
/// let pool = Pool::new(1);
/// let (mut state, mut work, mut scratch) = (Arena::new(0), Arena::new(4), plan.scratch(&pool));
/// work.slice_mut(0..4).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
/// plan.run(&mut state, &mut work, &mut scratch, &pool, Key::default());
/// assert_eq!(work.slice(0..4), [2.0, 4.0, 6.0, 8.0]);
/// # Ok::<(), bratt_kernels::plan::PlanError>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    specs: Vec<StepSpec>,
    steps: Vec<Step>,
    state_len: usize,
    work_len: usize,
    pub(super) isa: Isa,
    writes_state: bool,
    registers: usize,
    cursors: usize,
    shared: usize,
}

/// The memory that running a plan needs besides its two blocks: one per thread that runs the plan.
#[derive(Debug)]
pub struct Scratch {
    workers: Vec<WorkerScratch>,
    shared: Arena,
}

#[derive(Debug)]
pub(super) struct WorkerScratch {
    registers: Arena,
    cursors: Vec<Cursor>,
    /// Whether the scratch of the product under way holds B packed.
    pub(super) kept: bool,
}

/// A tape over one iteration space.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) tape: Tape,
    pub(super) spans: Vec<Span>,
    /// Where its shared memory starts.
    pub(super) shared: usize,
}

#[derive(Debug)]
enum Step {
    Map { placed: Vec<Placed>, parts: Vec<(u32, u32)>, inline: bool },
    MatMul(Box<Product>),
    Copy { copy: Copy, src: Span, dst: Span },
    Fill { dst: Span, value: f32 },
}

/// Where a run works. Copied to all threads.
#[derive(Clone, Copy)]
pub(super) struct Site {
    state: *mut f32,
    work: *mut f32,
    pub(super) shared: *mut f32,
    pub(super) workers: *mut WorkerScratch,
    key: Key,
}

// SAFETY: threads write to disjoint memory: a worker to its own scratch, a part to what the checks of the plan have
// found to be its alone.
unsafe impl Sync for Site {}

impl Site {
    pub(super) fn start(&self, span: &Span) -> *mut f32 {
        match span.space {
            Space::State => self.state.wrapping_add(span.offset),
            Space::Work => self.work.wrapping_add(span.offset),
        }
    }

    pub(super) fn memory<'a>(&self, placed: &'a Placed) -> Memory<'a> {
        let Site { state, work, key, .. } = *self;
        Memory { spans: &placed.spans, state, work, shared: self.shared.wrapping_add(placed.shared), key }
    }

    /// The memory of worker `index`, after `skip` numbers.
    ///
    /// # Safety
    /// `index` is below the number of workers, and nobody else uses that worker now.
    pub(super) unsafe fn worker(&self, index: usize, skip: usize) -> Worker {
        // SAFETY: only one thread at a time has this worker.
        let scratch = unsafe { &mut *self.workers.add(index) };
        let registers = scratch.registers.as_mut_ptr().wrapping_add(skip);
        Worker { registers, cursors: scratch.cursors.as_mut_ptr() }
    }
}

impl Plan {
    /// Checks the steps and makes them ready for blocks of the given lengths.
    pub fn new(specs: Vec<StepSpec>, state_len: usize, work_len: usize, isa: Isa) -> Result<Plan, PlanError> {
        let isa = if isa.is_available() { isa } else { Isa::Scalar };
        let mut plan = Plan {
            specs: vec![],
            steps: vec![],
            state_len,
            work_len,
            isa,
            writes_state: false,
            registers: 0,
            cursors: 0,
            shared: 0,
        };
        for (step, spec) in specs.iter().enumerate() {
            Checker { state_len, work_len, step }.step(spec)?;
            let made = plan.step(spec).map_err(|source| PlanError::Tape { step, source })?;
            plan.steps.push(made);
        }
        plan.writes_state = specs.iter().any(writes_state);
        plan.specs = specs;
        Ok(plan)
    }

    fn step(&mut self, spec: &StepSpec) -> Result<Step, crate::tape::TapeError> {
        Ok(match spec {
            StepSpec::Map { tape, instances } => {
                let alias = aliases(tape, instances);
                let mut placed = vec![];
                let mut shared = 0;
                for Instance { rows, cols, spans } in instances {
                    let compiled = Tape::new(tape, (*rows, *cols), self.isa, Tiles::Own, &alias)?;
                    placed.push(self.place(compiled, spans.clone(), &mut shared, 0));
                }
                let parts = placed.iter().enumerate();
                let parts =
                    parts.flat_map(|(i, p)| (0..p.tape.tasks()).map(move |t| (i as u32, t as u32))).collect();
                let inline = placed.iter().map(|p| p.tape.cost()).fold(0, usize::saturating_add) < INLINE;
                Step::Map { placed, parts, inline }
            }
            StepSpec::MatMul { .. } => Step::MatMul(Box::new(Product::new(spec, self)?)),
            StepSpec::Copy { dims, src, src_start, src_strides, dst, dst_start, dst_strides } => {
                let copy = Copy::new(dims, src_strides, dst_strides);
                let from = |span: &Span, start: usize| Span {
                    offset: span.offset + start,
                    len: span.len - start,
                    ..*span
                };
                Step::Copy { copy, src: from(src, *src_start), dst: from(dst, *dst_start) }
            }
            StepSpec::Fill { dst, value } => Step::Fill { dst: *dst, value: *value },
        })
    }

    /// Gives a tape its share of the scratch.
    pub(super) fn place(&mut self, tape: Tape, spans: Vec<Span>, shared: &mut usize, skip: usize) -> Placed {
        self.registers = self.registers.max(skip + tape.registers());
        self.cursors = self.cursors.max(tape.views());
        let shared = self.share(shared, tape.shared_len());
        Placed { tape, spans, shared }
    }

    /// Takes `len` numbers of the memory common to all workers.
    pub(super) fn share(&mut self, shared: &mut usize, len: usize) -> usize {
        let start = *shared;
        *shared = shared.saturating_add(len.next_multiple_of(16));
        self.shared = self.shared.max(*shared);
        start
    }

    /// The steps as they were given.
    pub fn specs(&self) -> &[StepSpec] {
        &self.specs
    }

    /// Whether any step writes to the state.
    pub fn writes_state(&self) -> bool {
        self.writes_state
    }

    /// The instruction set in use: the one asked for, or scalar code where that is not available.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Scratch memory for runs on a pool.
    pub fn scratch(&self, pool: &Pool) -> Scratch {
        let worker = || WorkerScratch {
            registers: Arena::new(self.registers),
            cursors: vec![Cursor::NULL; self.cursors],
            kept: false,
        };
        Scratch { workers: (0..pool.threads()).map(|_| worker()).collect(), shared: Arena::new(self.shared) }
    }

    /// Length of the scratch memory, in numbers: of each worker, and common to all.
    pub fn scratch_len(&self) -> (usize, usize) {
        (self.registers, self.shared)
    }

    /// Runs all steps.
    ///
    /// # Panics
    /// If a block is shorter than the plan was made for, or `scratch` was made by another plan or for a smaller pool.
    pub fn run(&self, state: &mut Arena, work: &mut Arena, scratch: &mut Scratch, pool: &Pool, key: Key) {
        let site = self.site(state.len(), state.as_mut_ptr(), work, scratch, pool, key);
        // SAFETY: `site` has checked the lengths, and holds all memory exclusively.
        self.steps.iter().for_each(|step| unsafe { run_step(step, &site, pool) });
    }

    /// Runs all steps of a plan that leaves the state as it is; several threads may do so at the same time.
    ///
    /// # Panics
    /// As [`Plan::run`], and if the plan [writes to the state](Plan::writes_state).
    pub fn run_shared(&self, state: &Arena, work: &mut Arena, scratch: &mut Scratch, pool: &Pool, key: Key) {
        assert!(!self.writes_state, "the plan writes to the state");
        let site = self.site(state.len(), state.as_ptr().cast_mut(), work, scratch, pool, key);
        // SAFETY: `site` has checked the lengths; no step writes to the state, which is borrowed for reading.
        self.steps.iter().for_each(|step| unsafe { run_step(step, &site, pool) });
    }

    /// As [`Plan::run`], adding the time of each step to `times`.
    ///
    /// # Panics
    /// As [`Plan::run`], and if `times` has not one entry per step.
    pub fn run_profiled(
        &self,
        state: &mut Arena,
        work: &mut Arena,
        scratch: &mut Scratch,
        pool: &Pool,
        key: Key,
        times: &mut [Duration],
    ) {
        assert_eq!(times.len(), self.steps.len(), "one time per step");
        let site = self.site(state.len(), state.as_mut_ptr(), work, scratch, pool, key);
        for (step, time) in self.steps.iter().zip(times) {
            let start = Instant::now();
            // SAFETY: as in `run`.
            unsafe { run_step(step, &site, pool) };
            *time += start.elapsed();
        }
    }

    fn site(
        &self,
        state_len: usize,
        state: *mut f32,
        work: &mut Arena,
        scratch: &mut Scratch,
        pool: &Pool,
        key: Key,
    ) -> Site {
        assert!(state_len >= self.state_len, "state of {state_len} numbers, expected {}", self.state_len);
        assert!(work.len() >= self.work_len, "work of {} numbers, expected {}", work.len(), self.work_len);
        let large =
            |w: &WorkerScratch| w.registers.len() >= self.registers && w.cursors.len() >= self.cursors;
        let fits = scratch.workers.len() >= pool.threads() && scratch.workers.iter().all(large);
        assert!(fits && scratch.shared.len() >= self.shared, "scratch of another plan or a smaller pool");
        Site {
            state,
            work: work.as_mut_ptr(),
            shared: scratch.shared.as_mut_ptr(),
            workers: scratch.workers.as_mut_ptr(),
            key,
        }
    }
}

/// Which operands are the same memory in any instance.
pub(super) fn aliases(tape: &TapeSpec, instances: &[Instance]) -> impl Fn(Operand, Operand) -> bool {
    let n = tape.extents.len();
    let mut same = vec![false; n * n];
    for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
        same[a * n + b] = instances.iter().any(|i| i.spans[a] == i.spans[b]);
    }
    move |a, b| same.get(usize::from(a.0) * n + usize::from(b.0)).copied().unwrap_or(true)
}

fn writes_state(spec: &StepSpec) -> bool {
    let state = |span: &Span| span.space == Space::State;
    match spec {
        StepSpec::Map { tape, instances } => {
            let written = stored(tape);
            instances.iter().any(|i| written.iter().any(|&o| state(&i.spans[o])))
        }
        StepSpec::MatMul { tape, instance, .. } => stored(tape).iter().any(|&o| state(&instance.spans[o])),
        StepSpec::Copy { dst, .. } | StepSpec::Fill { dst, .. } => state(dst),
    }
}

/// # Safety
/// The step belongs to a plan whose checks passed, and the site's memory is as large as that plan asks for. Nobody
/// else writes to it meanwhile.
unsafe fn run_step(step: &Step, site: &Site, pool: &Pool) {
    match step {
        Step::Map { placed, parts, inline } => {
            let run = |part: usize, worker: usize| {
                let (index, task) = parts[part];
                let placed = &placed[index as usize];
                // SAFETY: parts touch disjoint memory, and this worker is ours.
                unsafe { placed.tape.task(task as usize, &site.memory(placed), site.worker(worker, 0)) }
            };
            if *inline {
                (0..parts.len()).for_each(|part| run(part, 0));
            } else {
                pool.run(parts.len(), &run);
            }
            for placed in placed.iter().filter(|p| p.tape.has_finish()) {
                // SAFETY: all parts are done.
                unsafe { placed.tape.finish(&site.memory(placed), site.worker(0, 0)) }
            }
        }
        // SAFETY: the caller vouches for the plan and the site.
        Step::MatMul(product) => unsafe { product.run(site, pool) },
        Step::Copy { copy, src, dst } => pool.run(copy.parts(), &|part, _| {
            // SAFETY: the plan has checked that the box lies within both spans, and that parts do not overlap.
            unsafe { copy.run(part, site.start(src), site.start(dst)) }
        }),
        Step::Fill { dst, value } => pool.run(dst.len.div_ceil(FILL), &|part, _| {
            let first = part * FILL;
            // SAFETY: the span lies within its block; parts are disjoint.
            let part = unsafe {
                std::slice::from_raw_parts_mut(site.start(dst).add(first), FILL.min(dst.len - first))
            };
            part.fill(*value);
        }),
    }
}
