//! Random tapes on the machine against the naive twin.

use super::*;
use crate::arena::Arena;
use crate::isa::Isa;
use crate::plan::{Instance, Plan, Space, Span, StepSpec, TapeSpec};
use crate::pool::Pool;
use crate::random::{Key, uniform_at};

/// Choices drawn from the library's own generator.
struct Draw(u64, u64);

impl Draw {
    fn unit(&mut self) -> f32 {
        self.1 += 1;
        uniform_at(Key { seed: self.0, step: 77 }, 0, self.1)
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n - 1)
    }
}

const EPS: f64 = 4.0 / 16_777_216.0;

/// A value of a tape under construction, with bounds of its magnitude and of its error in f32.
#[derive(Clone, Copy)]
struct Known {
    extent: Extent,
    bound: f64,
    error: f64,
}

/// A random tape in which rounding errors stay small enough for a comparison to mean something.
struct Random {
    spec: TapeSpec,
    known: Vec<Option<Known>>,
    /// Operands that are stored to, with the value's error.
    stored: Vec<(usize, f64)>,
    /// Pairs of operands to place in the same memory.
    same: Vec<(usize, usize)>,
    rows: usize,
    cols: usize,
}

impl Random {
    fn push(&mut self, instr: Instr, known: Option<Known>) -> Val {
        self.spec.instrs.push(instr);
        self.known.push(known);
        Val(self.spec.instrs.len() as u16 - 1)
    }

    fn of(&self, v: Val) -> Known {
        self.known[usize::from(v.0)].unwrap()
    }

    fn pick(&self, draw: &mut Draw, wanted: &dyn Fn(&Known) -> bool) -> Option<Val> {
        let list: Vec<usize> =
            (0..self.known.len()).filter(|&i| self.known[i].as_ref().is_some_and(wanted)).collect();
        if list.is_empty() { None } else { Some(Val(list[draw.below(list.len())] as u16)) }
    }

    fn size(&self, extent: Extent) -> usize {
        match extent {
            Extent::Scalar => 1,
            Extent::PerRow => self.rows,
            Extent::PerCol => self.cols,
            Extent::Full => self.rows * self.cols,
        }
    }

    fn load(&mut self, draw: &mut Draw) {
        let extent =
            [Extent::Scalar, Extent::PerRow, Extent::PerCol, Extent::Full, Extent::Full][draw.below(5)];
        self.spec.extents.push(extent);
        let operand = Operand(self.spec.extents.len() as u16 - 1);
        self.push(Instr::Load(operand), Some(Known { extent, bound: 2.0, error: 0.0 }));
    }

    /// Adds one instruction, if the draw finds arguments for it.
    fn grow(&mut self, draw: &mut Draw) -> Option<()> {
        let small = |k: &Known| k.bound < 50.0 && k.error < 1e-3;
        match draw.below(12) {
            0 => {
                let extent = [Extent::PerRow, Extent::PerCol][draw.below(2)];
                let n = self.size(extent) as f64;
                let instr = if extent == Extent::PerRow { Instr::RowIndex } else { Instr::ColIndex };
                let index = self.push(instr, Some(Known { extent, bound: n, error: 0.0 }));
                let scale = self.push(
                    Instr::Const((1.0 / n) as f32),
                    Some(Known { extent: Extent::Scalar, bound: 1.0 / n, error: 0.0 }),
                );
                let known = Known { extent, bound: 1.0, error: EPS };
                self.push(Instr::Binary(Binary::Mul, index, scale), Some(known));
            }
            1 => {
                let stream = draw.below(3) as u32;
                let known = Known { extent: Extent::Full, bound: 1.0, error: 0.0 };
                self.push(Instr::Uniform { stream }, Some(known));
            }
            2 | 3 => {
                let a = self.pick(draw, &small)?;
                let f = [Unary::Neg, Unary::Abs, Unary::Sigmoid, Unary::Tanh, Unary::Softplus, Unary::Relu];
                let f = f[draw.below(6)];
                let Known { extent, bound, error } = self.of(a);
                let bound = bound + 1.0;
                self.push(Instr::Unary(f, a), Some(Known { extent, bound, error: error + EPS * bound }));
            }
            4 => {
                // Discontinuous functions only of numbers that are exact.
                let exact = |k: &Known| k.error == 0.0;
                let (a, b) = (self.pick(draw, &exact)?, self.pick(draw, &exact)?);
                let f = [Binary::Lt, Binary::Le, Binary::Eq, Binary::Ne][draw.below(4)];
                let extent = check::join(self.of(a).extent, self.of(b).extent);
                self.push(Instr::Binary(f, a, b), Some(Known { extent, bound: 1.0, error: 0.0 }));
            }
            5 | 6 => {
                let (a, b) = (self.pick(draw, &small)?, self.pick(draw, &small)?);
                let (x, y) = (self.of(a), self.of(b));
                let extent = check::join(x.extent, y.extent);
                let f = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Min, Binary::Max][draw.below(5)];
                let (bound, error) = match f {
                    Binary::Mul => (x.bound * y.bound, x.bound * y.error + y.bound * x.error),
                    _ => (x.bound + y.bound, x.error + y.error),
                };
                self.push(Instr::Binary(f, a, b), Some(Known { extent, bound, error: error + EPS * bound }));
            }
            7 => {
                let [a, b, c] =
                    [self.pick(draw, &small)?, self.pick(draw, &small)?, self.pick(draw, &small)?];
                let [x, y, z] = [a, b, c].map(|v| self.of(v));
                let extent = check::join(check::join(x.extent, y.extent), z.extent);
                let bound = x.bound * y.bound + z.bound;
                let error = x.bound * y.error + y.bound * x.error + z.error + EPS * bound;
                self.push(Instr::MulAdd(a, b, c), Some(Known { extent, bound, error }));
            }
            8 => {
                let x = self.pick(draw, &|k| small(k) && k.extent != Extent::Scalar)?;
                let extent = self.of(x).extent;
                let y = self.pick(draw, &|k| small(k) && k.extent == extent)?;
                let scalar = |k: &Known| small(k) && k.extent == Extent::Scalar;
                let (a, b) = (self.pick(draw, &scalar)?, self.pick(draw, &scalar)?);
                let [kx, ky, ka, kb] = [x, y, a, b].map(|v| self.of(v));
                let squared = draw.below(2) == 1;
                let power = if squared { ky.bound } else { 1.0 };
                let bound = ka.bound * kx.bound + kb.bound * ky.bound * power;
                let error = ka.bound * kx.error
                    + ka.error * kx.bound
                    + (kb.error * ky.bound + 2.0 * kb.bound * ky.error) * power
                    + 2.0 * EPS * bound;
                let f = if squared { Fused::MeanSquare } else { Fused::Mean };
                self.push(Instr::Fused(f, [x, y, y, a, b]), Some(Known { extent, bound, error }));
            }
            9 => {
                let c = self.pick(draw, &|k| k.error == 0.0)?;
                let (a, b) = (self.pick(draw, &small)?, self.pick(draw, &small)?);
                let (x, y) = (self.of(a), self.of(b));
                let extent = check::join(check::join(self.of(c).extent, x.extent), y.extent);
                let known = Known { extent, bound: x.bound.max(y.bound), error: x.error.max(y.error) };
                self.push(Instr::Select(c, a, b), Some(known));
            }
            _ => {
                let a = self.pick(draw, &|k| small(k) && k.extent == Extent::Full)?;
                let f = [Reduction::Sum, Reduction::Max, Reduction::Min][draw.below(3)];
                let (instr, extent, n) = match draw.below(4) {
                    0 | 1 => (Instr::ReduceRows(f, a), Extent::PerCol, self.rows),
                    2 => (Instr::ReduceCols(f, a), Extent::PerRow, self.cols),
                    _ => {
                        let a = self.pick(draw, &|k| small(k) && k.extent != Extent::Scalar)?;
                        (Instr::ReduceAll(f, a), Extent::Scalar, self.size(self.of(a).extent))
                    }
                };
                let n = n as f64;
                let Instr::ReduceAll(_, a) = instr else {
                    let x = self.of(a);
                    self.reduced(instr, f, x, extent, n);
                    return Some(());
                };
                let x = self.of(a);
                self.reduced(instr, f, x, extent, n);
            }
        }
        Some(())
    }

    /// A reduction; a sum is followed by its mean.
    fn reduced(&mut self, instr: Instr, f: Reduction, x: Known, extent: Extent, n: f64) {
        if f != Reduction::Sum {
            self.push(instr, Some(Known { extent, ..x }));
            return;
        }
        let sum = self.push(instr, None);
        let scale = self.push(Instr::Const((1.0 / n) as f32), None);
        let error = x.error + EPS * x.bound * (n / 16.0).clamp(4.0, 80.0);
        self.push(Instr::Binary(Binary::Mul, sum, scale), Some(Known { extent, bound: x.bound, error }));
    }

    fn store(&mut self, draw: &mut Draw) -> Option<()> {
        let value = self.pick(draw, &|k| k.error < 1e-2)?;
        let known = self.of(value);
        let wider = [known.extent, known.extent, Extent::Full][draw.below(3)];
        // In place over a load now and then, through the same operand or another one.
        let loads: Vec<usize> = (0..self.spec.extents.len())
            .filter(|&o| self.spec.extents[o] == wider && !self.stored.iter().any(|s| s.0 == o))
            .filter(|&o| !self.same.iter().any(|s| s.0 == o || s.1 == o))
            .collect();
        let operand = if !loads.is_empty() && draw.below(3) == 0 {
            loads[draw.below(loads.len())]
        } else {
            self.spec.extents.push(wider);
            let new = self.spec.extents.len() - 1;
            if !loads.is_empty() && draw.below(3) == 0 {
                self.same.push((loads[draw.below(loads.len())], new));
            }
            new
        };
        self.stored.push((operand, known.error));
        self.push(Instr::Store(Operand(operand as u16), value), None);
        Some(())
    }

    fn new(draw: &mut Draw, rows: usize, cols: usize) -> Random {
        let spec = TapeSpec { instrs: vec![], extents: vec![] };
        let mut random = Random { spec, known: vec![], stored: vec![], same: vec![], rows, cols };
        for _ in 0..2 + draw.below(3) {
            random.load(draw);
        }
        for _ in 0..2 + draw.below(12) {
            random.grow(draw);
            if draw.below(6) == 0 {
                random.store(draw);
            }
        }
        random.store(draw);
        random.store(draw);
        random
    }
}

/// The spans of the operands, one after the other on cache lines, and the length of all.
fn layout(random: &Random) -> (Vec<Span>, usize) {
    let mut offset = 0;
    let mut spans: Vec<Span> = vec![];
    for (operand, extent) in random.spec.extents.iter().enumerate() {
        let len = random.size(*extent);
        let same = random.same.iter().find(|s| s.1 == operand).map(|s| spans[s.0]);
        spans.push(same.unwrap_or(Span { space: Space::Work, offset, len }));
        offset += len.next_multiple_of(16);
    }
    (spans, offset)
}

const SIZES: [usize; 10] = [1, 2, 3, 7, 16, 17, 31, 33, 100, 1000];

#[test]
fn random_tapes_agree_with_the_naive_twin_on_any_number_of_threads() {
    let pools = [1, 2, 3, 8].map(Pool::new);
    let mut modes = [0; 4];
    for seed in 0..1200 {
        let draw = &mut Draw(seed, 0);
        let (mut rows, mut cols) = (SIZES[draw.below(10)], SIZES[draw.below(10)]);
        if rows * cols > 40_000 && seed % 8 != 0 {
            (rows, cols) = (rows.min(100), cols.min(100));
        }
        let random = Random::new(draw, rows, cols);
        let needs = needs(&random.spec).unwrap();
        if !fits(&needs, rows, cols) {
            continue;
        }
        modes[usize::from(needs.complete_rows) + 2 * usize::from(needs.complete_cols)] += 1;
        let (spans, len) = layout(&random);
        let mut start = Arena::new(len);
        start.slice_mut(0..len).iter_mut().for_each(|x| *x = draw.unit() * 4.0 - 2.0);
        let key = Key { seed, step: 3 };

        let values = |arena: &Arena, span: &Span| -> Vec<f64> {
            arena.slice(span.offset..span.offset + span.len).iter().map(|x| f64::from(*x)).collect()
        };
        let mut want: Vec<Vec<f64>> = spans.iter().map(|span| values(&start, span)).collect();
        naive::run(&random.spec, rows, cols, None, &mut want, key).unwrap();

        for isa in Isa::available() {
            let instance = Instance { rows, cols, spans: spans.clone() };
            let step = StepSpec::Map { tape: random.spec.clone(), instances: vec![instance] };
            let plan = Plan::new(vec![step], 0, len, isa).unwrap();
            let run = |pool: &Pool| {
                let mut work = start.clone();
                plan.run(&mut Arena::new(0), &mut work, &mut plan.scratch(pool), pool, key);
                work
            };
            let got = run(&pools[0]);
            for &(operand, error) in &random.stored {
                let found = values(&got, &spans[operand]);
                for (i, (found, want)) in found.iter().zip(&want[operand]).enumerate() {
                    assert!(
                        (found - want).abs() <= 2.0 * error + 1e-6,
                        "seed {seed}, {isa}, {rows} x {cols}, {needs:?}: operand {operand}[{i}] is {found}, want \
                         {want} within {error:e}\n{:#?}",
                        random.spec
                    );
                }
            }
            for pool in &pools[1..] {
                let again = run(pool);
                let same = got
                    .slice(0..len)
                    .iter()
                    .zip(again.slice(0..len))
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "seed {seed}, {isa}: {} threads give other bits", pool.threads());
            }
        }
    }
    assert!(modes.iter().all(|&n| n > 30), "every kind of tile is exercised: {modes:?}");
}

fn two(f: Binary, a: u16, b: u16) -> Instr {
    Instr::Binary(f, Val(a), Val(b))
}

/// A map of numbers in [-1, 1) to operands that all get a span of their own, and the length of these.
fn map(tape: &TapeSpec, rows: usize, cols: usize) -> (Vec<Span>, usize, StepSpec) {
    let mut len = 0;
    let mut spans = vec![];
    for extent in &tape.extents {
        let n = match extent {
            Extent::Scalar => 1,
            Extent::PerRow => rows,
            Extent::PerCol => cols,
            Extent::Full => rows * cols,
        };
        spans.push(Span { space: Space::Work, offset: len, len: n });
        len += n.next_multiple_of(16);
    }
    let instances = vec![Instance { rows, cols, spans: spans.clone() }];
    (spans, len, StepSpec::Map { tape: tape.clone(), instances })
}

/// A tape over a matrix against the naive twin, to `error` of the magnitude.
fn agrees(tape: &TapeSpec, rows: usize, cols: usize, error: f64) {
    let (spans, len, step) = map(tape, rows, cols);
    let draw = &mut Draw(1, 0);
    let mut start = Arena::new(len);
    start.slice_mut(0..len).iter_mut().for_each(|x| *x = draw.unit() * 2.0 - 1.0);
    let values = |arena: &Arena, span: &Span| -> Vec<f64> {
        arena.slice(span.offset..span.offset + span.len).iter().map(|x| f64::from(*x)).collect()
    };
    let key = Key { seed: 8, step: 2 };
    let mut want: Vec<Vec<f64>> = spans.iter().map(|span| values(&start, span)).collect();
    naive::run(tape, rows, cols, None, &mut want, key).unwrap();
    for isa in Isa::available() {
        let plan = Plan::new(vec![step.clone()], 0, len, isa).unwrap();
        for threads in [1, 3] {
            let (pool, mut work) = (Pool::new(threads), start.clone());
            plan.run(&mut Arena::new(0), &mut work, &mut plan.scratch(&pool), &pool, key);
            for (operand, span) in spans.iter().enumerate() {
                for (i, (found, want)) in values(&work, span).iter().zip(&want[operand]).enumerate() {
                    assert!(
                        (found - want).abs() <= error * (1.0 + want.abs()),
                        "{isa}, {rows} x {cols}: operand {operand}[{i}] is {found}, want {want}"
                    );
                }
            }
        }
    }
}

/// Softmax and the logarithm of its normaliser.
fn softmax() -> TapeSpec {
    TapeSpec {
        instrs: vec![
            Instr::Load(Operand(0)),
            Instr::ReduceCols(Reduction::Max, Val(0)),
            two(Binary::Sub, 0, 1),
            Instr::Unary(Unary::Exp, Val(2)),
            Instr::ReduceCols(Reduction::Sum, Val(3)),
            two(Binary::Div, 3, 4),
            Instr::Store(Operand(1), Val(5)),
            Instr::Unary(Unary::Log, Val(4)),
            Instr::Store(Operand(2), Val(7)),
        ],
        extents: vec![Extent::Full, Extent::Full, Extent::PerRow],
    }
}

/// `x` times its largest element and less the mean of its square, both by `reduce`.
fn flows_back(reduce: fn(Reduction, Val) -> Instr, n: usize) -> TapeSpec {
    TapeSpec {
        instrs: vec![
            Instr::Load(Operand(0)),
            two(Binary::Mul, 0, 0),
            reduce(Reduction::Sum, Val(1)),
            Instr::Const(1.0 / n as f32),
            two(Binary::Mul, 2, 3),
            reduce(Reduction::Max, Val(0)),
            two(Binary::Mul, 0, 5),
            two(Binary::Sub, 6, 4),
            Instr::Store(Operand(1), Val(7)),
        ],
        extents: vec![Extent::Full; 2],
    }
}

#[test]
fn reductions_of_any_size_run() {
    agrees(&softmax(), 2, 20_000, 1e-5);
    agrees(&softmax(), 40, MAX_ROW + 1, 1e-5);
    agrees(&flows_back(Instr::ReduceRows, 5000), 5000, 8, 1e-5);
    agrees(&flows_back(Instr::ReduceRows, MAX_COL + 1), MAX_COL + 1, 100, 1e-5);
    agrees(&flows_back(Instr::ReduceAll, 60_000), 300, 200, 1e-5);
    agrees(&flows_back(Instr::ReduceAll, 1_000_000), 1000, 1000, 1e-5);
}

#[test]
fn wide_rows_take_one_row_of_scratch_each() {
    let (_, len, step) = map(&softmax(), 500, 20_000);
    let plan = Plan::new(vec![step], 0, len, Isa::detect()).unwrap();
    let (registers, _) = plan.scratch_len();
    assert!((20_000..4 * 20_000).contains(&registers), "{registers} numbers");
}

/// No memory holds the registers of this tape; its operands are small enough for a plan.
#[test]
fn registers_beyond_all_memory_are_refused() {
    let side = 1 << (usize::BITS / 2 - 4);
    let tape = TapeSpec {
        instrs: vec![
            Instr::Uniform { stream: 0 },
            Instr::Uniform { stream: 1 },
            Instr::Uniform { stream: 2 },
            Instr::MulAdd(Val(0), Val(1), Val(2)),
            Instr::ReduceAll(Reduction::Sum, Val(3)),
            Instr::RowIndex,
            two(Binary::Add, 4, 5),
            Instr::Store(Operand(0), Val(6)),
        ],
        extents: vec![Extent::PerRow],
    };
    let made = Tape::new(&tape, (side, side), Isa::Scalar, Tiles::Own, &|_, _| false);
    assert!(matches!(made, Err(TapeError::Overflow { .. })), "{made:?}");
}

#[test]
fn every_instruction_runs_over_a_single_element() {
    let tape = TapeSpec {
        instrs: vec![
            Instr::Load(Operand(0)),
            Instr::Uniform { stream: 7 },
            Instr::RowIndex,
            Instr::ColIndex,
            Instr::Const(0.5),
            two(Binary::Lt, 1, 4),
            Instr::Select(Val(5), Val(0), Val(1)),
            Instr::MulAdd(Val(6), Val(4), Val(2)),
            two(Binary::Add, 7, 3),
            Instr::ReduceCols(Reduction::Max, Val(8)),
            Instr::ReduceRows(Reduction::Min, Val(8)),
            Instr::ReduceAll(Reduction::Sum, Val(9)),
            Instr::ReduceAll(Reduction::Sum, Val(10)),
            two(Binary::Add, 11, 12),
            Instr::Unary(Unary::Tanh, Val(13)),
            Instr::Store(Operand(1), Val(1)),
            Instr::Store(Operand(2), Val(2)),
            Instr::Store(Operand(3), Val(3)),
            Instr::Store(Operand(4), Val(9)),
            Instr::Store(Operand(5), Val(10)),
            Instr::Store(Operand(6), Val(14)),
            Instr::Store(Operand(7), Val(4)),
        ],
        extents: vec![
            Extent::Full,
            Extent::Full,
            Extent::PerRow,
            Extent::PerCol,
            Extent::PerRow,
            Extent::PerCol,
            Extent::Scalar,
            Extent::Full,
        ],
    };
    agrees(&tape, 1, 1, 1e-6);
    // Only random numbers, and only indices: no operand is read.
    for instr in [Instr::Uniform { stream: 3 }, Instr::RowIndex, Instr::ColIndex, Instr::Const(3.0)] {
        let tape =
            TapeSpec { instrs: vec![instr, Instr::Store(Operand(0), Val(0))], extents: vec![Extent::Full] };
        agrees(&tape, 1, 1, 0.0);
    }
}
