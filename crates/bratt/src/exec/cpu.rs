//! The CPU executor: runs compiled programs in f32, on all threads of a pool.
//!
//! After [`Machine::load`] a run allocates nothing. The bits of all results are the same on any number of threads;
//! they may differ between instruction sets.

use super::slots::Slots;
use crate::compile::{Port, Program};
use crate::tensor::Shape;
use bratt_kernels::arena::Arena;
pub use bratt_kernels::isa::Isa;
use bratt_kernels::plan::{Plan, Scratch, Space};
use bratt_kernels::pool::Pool;
pub use bratt_kernels::random::Key;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Threads and an instruction set, shared by all programs that are loaded on it.
///
/// ```
/// use bratt::compile::{Options, compile};
/// use bratt::exec::{Key, Machine, Slots};
/// use bratt::graph::Graph;
/// let g = Graph::builder();
/// let x = g.input("x", [2, 2]);
/// g.output("y", g.relu(x));
/// let program = compile(&g.finish()?, &Options::default())?;
/// let machine = Machine::new(2);
/// let slots = Slots::new(program.layout().clone(), 0);
/// let mut runner = machine.load(program);
/// runner.set("x", &[-1.0, 2.0, -3.0, 4.0])?;
/// runner.infer(&slots);
/// assert_eq!(runner.get("y"), Some(&[0.0, 2.0, 0.0, 4.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    pool: Arc<Pool>,
    isa: Isa,
}

impl Machine {
    /// A machine with so many threads (at least one) and the best instruction set there is.
    pub fn new(threads: usize) -> Machine {
        Machine::with_isa(threads, Isa::detect())
    }

    /// A machine with a given instruction set; scalar code runs where it is not available.
    pub fn with_isa(threads: usize, isa: Isa) -> Machine {
        let isa = if isa.is_available() { isa } else { Isa::Scalar };
        Machine { pool: Arc::new(Pool::new(threads.max(1))), isa }
    }

    /// A machine with one thread per processor that this process may use.
    pub fn all_threads() -> Machine {
        Machine::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    fn plan(&self, program: &Program) -> Plan {
        let specs = program.steps.iter().map(|s| s.spec.clone()).collect();
        Plan::new(specs, program.layout.len(), program.work_len, self.isa)
            .unwrap_or_else(|e| panic!("the compiler made an invalid program: {e}\n{program}"))
    }

    /// Bytes that the threads of this machine need to work in, beside a program's work memory and state.
    ///
    /// # Panics
    /// If the compiler made an invalid program: a bug of bratt.
    pub fn scratch_bytes(&self, program: &Program) -> usize {
        let (each, shared) = self.plan(program).scratch_len();
        4 * (self.threads() * each + shared)
    }

    /// Allocates a program's memory and prepares its steps.
    ///
    /// # Panics
    /// If the compiler made an invalid program: a bug of bratt.
    pub fn load(&self, program: Program) -> Runner {
        let plan = self.plan(&program);
        let scratch = plan.scratch(&self.pool);
        let work = Arena::new(program.work_len);
        Runner { program, plan, work, scratch, pool: self.pool.clone() }
    }
}

/// A program with its memory, ready to run.
#[derive(Debug)]
pub struct Runner {
    program: Program,
    plan: Plan,
    work: Arena,
    scratch: Scratch,
    pool: Arc<Pool>,
}

/// An input was fed wrongly.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FeedError {
    /// The program has no such input.
    #[error("the program has no input `{name}`; its inputs are {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The number of elements differs.
    #[error("input `{name}`: found {found} numbers, expected {} for shape {expected}", expected.len())]
    Length {
        /// The input.
        name: String,
        /// The number of elements given.
        found: usize,
        /// The input's shape.
        expected: Shape,
    },
}

impl Runner {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The memory of an input, to be filled before a run; it keeps its numbers until then.
    pub fn input_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        let span = self.program.inputs.iter().find(|p| p.name == name)?.span;
        Some(self.work.slice_mut(span.offset..span.offset + span.len))
    }

    /// The memory of two different inputs at once, such as features and labels.
    pub fn two_inputs_mut(&mut self, first: &str, second: &str) -> Option<(&mut [f32], &mut [f32])> {
        let find = |name: &str| self.program.inputs.iter().find(|p| p.name == name).map(|p| p.span);
        let (a, b) = (find(first)?, find(second)?);
        if a.offset == b.offset {
            return None;
        }
        let swapped = a.offset > b.offset;
        let (low, high) = if swapped { (b, a) } else { (a, b) };
        let all = self.work.slice_mut(low.offset..high.offset + high.len);
        let (x, y) = all.split_at_mut_checked(high.offset - low.offset)?;
        let x = &mut x[..low.len.min(high.offset - low.offset)];
        Some(if swapped { (y, x) } else { (x, y) })
    }

    /// Copies numbers to an input.
    ///
    /// # Errors
    /// If there is no such input or the number of elements differs.
    pub fn set(&mut self, name: &str, values: &[f32]) -> Result<(), FeedError> {
        let Some(port) = self.program.inputs.iter().find(|p| p.name == name) else {
            let known: Vec<&str> = self.program.inputs.iter().map(|p| p.name.as_str()).collect();
            return Err(FeedError::Unknown { name: name.to_string(), known: known.join(", ") });
        };
        if port.span.len != values.len() {
            let expected = port.shape.clone();
            return Err(FeedError::Length { name: name.to_string(), found: values.len(), expected });
        }
        let span = port.span;
        self.work.slice_mut(span.offset..span.offset + span.len).copy_from_slice(values);
        Ok(())
    }

    /// A result of the last run.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let Port { span, .. } = self.program.outputs.iter().find(|p| p.name == name)?;
        match span.space {
            Space::Work => Some(self.work.slice(span.offset..span.offset + span.len)),
            Space::State => None,
        }
    }

    /// Runs the program and updates the slots.
    ///
    /// # Panics
    /// If `slots` has another layout than the program was compiled for.
    pub fn run(&mut self, slots: &mut Slots, key: Key) {
        self.check_layout(slots);
        self.plan.run(&mut slots.block, &mut self.work, &mut self.scratch, &self.pool, key);
    }

    /// Runs a program that updates no slot; several threads, each with its own runner, may share the slots.
    ///
    /// # Panics
    /// If the program updates slots, or `slots` has another layout than the program was compiled for.
    pub fn infer(&mut self, slots: &Slots) {
        self.check_layout(slots);
        let key = Key { seed: 0, step: 0 };
        self.plan.run_shared(&slots.block, &mut self.work, &mut self.scratch, &self.pool, key);
    }

    /// Runs the program `runs` times, timing each step.
    ///
    /// # Panics
    /// As [`Runner::run`].
    pub fn profile(&mut self, slots: &mut Slots, key: Key, runs: u32) -> Profile {
        self.check_layout(slots);
        let mut times = vec![Duration::ZERO; self.program.steps.len()];
        for run in 0..runs {
            let key = Key { step: key.step + u64::from(run), ..key };
            let (work, scratch) = (&mut self.work, &mut self.scratch);
            self.plan.run_profiled(&mut slots.block, work, scratch, &self.pool, key, &mut times);
        }
        let rows = self.program.steps.iter().zip(times).map(|(step, time)| ProfileRow {
            what: format!("{:<7} {:<18} {:<28} {}", step.kind(), step.extents(), step.layers, step.what),
            time: time / runs.max(1),
            flops: step.flops(),
            bytes: step.bytes(),
        });
        Profile { rows: rows.collect() }
    }

    fn check_layout(&self, slots: &Slots) {
        let same =
            Arc::ptr_eq(slots.layout(), &self.program.layout) || **slots.layout() == *self.program.layout;
        assert!(same, "the slots have another layout than the program was compiled for");
    }
}

/// The time of each step of a program. Its `Display` is a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// One row per step.
    pub rows: Vec<ProfileRow>,
}

/// The mean time of one step.
#[derive(Clone, PartialEq, Debug)]
pub struct ProfileRow {
    /// Kind, extents, layers and operations of the step.
    pub what: String,
    /// Mean time of one run.
    pub time: Duration,
    /// Floating-point operations of one run.
    pub flops: u64,
    /// Bytes of memory touched by one run, each operand once.
    pub bytes: u64,
}

impl Profile {
    /// The mean time of one run of the whole program.
    pub fn total(&self) -> Duration {
        self.rows.iter().map(|r| r.time).sum()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total().as_secs_f64().max(1e-12);
        writeln!(f, "{:>4} {:>9} {:>6} {:>9} {:>8}  step", "", "us", "%", "GFLOP/s", "GB/s")?;
        for (i, row) in self.rows.iter().enumerate() {
            let seconds = row.time.as_secs_f64().max(1e-12);
            writeln!(
                f,
                "{i:>4} {:>9.1} {:>6.1} {:>9.1} {:>8.1}  {}",
                seconds * 1e6,
                100.0 * seconds / total,
                row.flops as f64 / seconds / 1e9,
                row.bytes as f64 / seconds / 1e9,
                row.what
            )?;
        }
        let flops: u64 = self.rows.iter().map(|r| r.flops).sum();
        write!(f, "total {:.1} us, {:.1} GFLOP/s", total * 1e6, flops as f64 / total / 1e9)
    }
}
