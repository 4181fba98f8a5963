use super::*;
use crate::arena::Arena;
use crate::isa::Isa;
use crate::pool::Pool;
use crate::random::{Key, uniform_at};
use crate::tape::{Binary, Operand, Reduction, TapeError, Unary, Val, naive};

fn work(offset: usize, len: usize) -> Span {
    Span { space: Space::Work, offset, len }
}

fn state(offset: usize, len: usize) -> Span {
    Span { space: Space::State, offset, len }
}

fn load(i: u16) -> Instr {
    Instr::Load(Operand(i))
}

fn store(i: u16, v: u16) -> Instr {
    Instr::Store(Operand(i), Val(v))
}

fn two(f: Binary, a: u16, b: u16) -> Instr {
    Instr::Binary(f, Val(a), Val(b))
}

fn one(f: Unary, a: u16) -> Instr {
    Instr::Unary(f, Val(a))
}

fn filled(len: usize) -> Arena {
    let mut arena = Arena::new(len);
    let key = Key { seed: 5, step: 0 };
    arena
        .slice_mut(0..len)
        .iter_mut()
        .enumerate()
        .for_each(|(i, x)| *x = uniform_at(key, 0, i as u64) * 2.0 - 1.0);
    arena
}

fn run(plan: &Plan, state: &mut Arena, work: &mut Arena, threads: usize) {
    let pool = Pool::new(threads);
    plan.run(state, work, &mut plan.scratch(&pool), &pool, Key { seed: 9, step: 4 });
}

fn double(arena: &Arena, span: Span) -> Vec<f64> {
    arena.slice(span.offset..span.offset + span.len).iter().map(|x| f64::from(*x)).collect()
}

/// A product and its epilogue against the naive twin.
fn product(name: &str, tape: &TapeSpec, (m, n, k): (usize, usize, usize)) {
    let size = |e: &Extent| match e {
        Extent::Scalar => 1,
        Extent::PerRow => m,
        Extent::PerCol => n,
        Extent::Full => m * n,
    };
    let (a, b) = (work(0, m * k), work((m * k).next_multiple_of(16), k * n));
    let mut end = (b.offset + b.len).next_multiple_of(16);
    let spans: Vec<Span> = tape
        .extents
        .iter()
        .map(|e| {
            let span = work(end, size(e));
            end += size(e).next_multiple_of(16);
            span
        })
        .collect();
    let instance = Instance { rows: m, cols: n, spans: spans.clone() };
    let start = filled(end);
    let mut operands: Vec<Vec<f64>> = spans.iter().map(|s| double(&start, *s)).collect();
    let (x, y) = (double(&start, a), double(&start, b));
    let mut acc = vec![0.0; m * n];
    for (i, value) in acc.iter_mut().enumerate() {
        *value = (0..k).map(|p| x[i / n * k + p] * y[p * n + i % n]).sum();
    }
    naive::run(tape, m, n, Some(&acc), &mut operands, Key { seed: 9, step: 4 }).unwrap();

    for isa in Isa::available() {
        let (tape, instance) = (tape.clone(), instance.clone());
        let spec = StepSpec::MatMul {
            m,
            n,
            k,
            a,
            trans_a: false,
            windows: None,
            depthwise: false,
            winograd: false,
            b,
            trans_b: false,
            tape,
            instance,
        };
        let plan = Plan::new(vec![spec], 0, end, isa).unwrap();
        let mut got = start.clone();
        run(&plan, &mut Arena::new(0), &mut got, 1);
        for (operand, span) in spans.iter().enumerate() {
            for (i, (found, want)) in double(&got, *span).iter().zip(&operands[operand]).enumerate() {
                let tolerance = 2e-5 * (1.0 + want.abs());
                assert!(
                    (found - want).abs() < tolerance,
                    "{name} {m}x{n}x{k} {isa}: operand {operand}[{i}]: {found}, want {want}"
                );
            }
        }
        for threads in [2, 3, 8] {
            let mut again = start.clone();
            run(&plan, &mut Arena::new(0), &mut again, threads);
            assert_eq!(got.slice(0..end), again.slice(0..end), "{name} {isa}: {threads} threads");
        }
    }
}

#[test]
fn epilogues_agree_with_the_naive_twin() {
    use Extent::{Full, PerCol, PerRow, Scalar};
    let bare = TapeSpec { instrs: vec![Instr::Acc, store(0, 0)], extents: vec![Full] };
    // tanh(acc + bias), and the plain product too
    let dense = TapeSpec {
        instrs: vec![
            Instr::Acc,
            load(0),
            two(Binary::Add, 0, 1),
            one(Unary::Tanh, 2),
            store(1, 3),
            store(2, 0),
        ],
        extents: vec![PerCol, Full, Full],
    };
    // Log-softmax, its sum over columns, and the mean of everything.
    let softmax = TapeSpec {
        instrs: vec![
            Instr::Acc,
            Instr::ReduceCols(Reduction::Max, Val(0)),
            two(Binary::Sub, 0, 1),
            one(Unary::Exp, 2),
            Instr::ReduceCols(Reduction::Sum, Val(3)),
            one(Unary::Log, 4),
            two(Binary::Sub, 2, 5),
            store(0, 6),
            store(1, 5),
            Instr::ReduceAll(Reduction::Sum, Val(3)),
            Instr::Const(1e-4),
            two(Binary::Mul, 9, 10),
            store(2, 11),
        ],
        extents: vec![Full, PerRow, Scalar],
    };
    // Column means and what is left without them: needs whole columns.
    let centre = TapeSpec {
        instrs: vec![
            Instr::Acc,
            Instr::ReduceRows(Reduction::Sum, Val(0)),
            Instr::Const(0.01),
            two(Binary::Mul, 1, 2),
            two(Binary::Sub, 0, 3),
            store(0, 4),
            store(1, 3),
        ],
        extents: vec![Full, PerCol],
    };
    // Column sums that only the finish uses, with dropout.
    let sums = TapeSpec {
        instrs: vec![
            Instr::Acc,
            Instr::Uniform { stream: 1 },
            Instr::Const(0.5),
            two(Binary::Lt, 1, 2),
            two(Binary::Mul, 0, 3),
            Instr::ReduceRows(Reduction::Sum, Val(4)),
            load(0),
            Instr::MulAdd(Val(5), Val(2), Val(6)),
            store(1, 4),
            store(2, 7),
        ],
        extents: vec![PerCol, Full, PerCol],
    };
    for shape in [(1, 1, 1), (5, 3, 7), (33, 17, 20), (128, 10, 64), (130, 300, 40), (257, 70, 100)] {
        product("bare", &bare, shape);
        product("dense", &dense, shape);
        product("softmax", &softmax, shape);
        product("centre", &centre, shape);
        product("sums", &sums, shape);
    }
    // Tiles far beyond what is worth merging.
    product("softmax", &softmax, (3, 9000, 2));
    product("centre", &centre, (1500, 8, 3));
}

/// `p -= rate * g` for parameters of many shapes in one step.
#[test]
fn one_step_updates_all_parameters() {
    let lens = [784 * 512, 512, 10, 1, 33 * 7];
    let tape = TapeSpec {
        instrs: vec![load(0), load(1), load(2), two(Binary::Mul, 1, 2), two(Binary::Sub, 0, 3), store(0, 4)],
        extents: vec![Extent::Full, Extent::Full, Extent::Scalar],
    };
    let mut at = 0;
    let mut instances = vec![];
    for (i, len) in lens.into_iter().enumerate() {
        let (rows, cols) = if i == 0 { (784, 512) } else { (1, len) };
        instances.push(Instance {
            rows,
            cols,
            spans: vec![state(at, len), work(at, len), state(500_000, 1)],
        });
        at += len.next_multiple_of(16);
    }
    let step = StepSpec::Map { tape, instances };
    assert_eq!(step.flops(), 2 * lens.iter().sum::<usize>() as u64);
    let plan = Plan::new(vec![step], 500_016, at, Isa::detect()).unwrap();
    assert!(plan.writes_state());
    let (start, mut grads) = (filled(500_016), filled(at));
    let mut params = start.clone();
    run(&plan, &mut params, &mut grads, 3);
    let rate = start.slice(500_000..500_001)[0];
    let mut at = 0;
    for len in lens {
        for i in at..at + len {
            let want = start.slice(i..i + 1)[0] - grads.slice(i..i + 1)[0] * rate;
            assert_eq!(params.slice(i..i + 1)[0], want);
        }
        at += len.next_multiple_of(16);
    }
}

#[test]
fn copies_transpose_slice_repeat_and_fill() {
    // dims, source strides and start, destination strides and start
    type Case = (&'static [usize], &'static [usize], usize, &'static [usize], usize);
    let cases: [Case; 7] = [
        (&[100, 70], &[1, 100], 0, &[70, 1], 0),
        (&[3, 40, 50], &[2000, 1, 40], 0, &[2000, 50, 1], 0),
        (&[5, 6], &[20, 1], 3, &[6, 1], 0),
        (&[5, 6], &[0, 1], 0, &[30, 1], 7),
        (&[4, 9], &[1, 0], 0, &[9, 1], 0),
        (&[2, 3, 4, 5, 6, 7], &[2520, 840, 210, 42, 7, 1], 0, &[1, 2, 6, 24, 120, 720], 0),
        (&[300, 400], &[400, 1], 0, &[1, 300], 0),
    ];
    for (dims, src_strides, src_start, dst_strides, dst_start) in cases {
        let (src, dst) = (work(0, 120_000), work(120_000, 120_000));
        let start = filled(240_000);
        let mut want = start.slice(120_000..240_000).to_vec();
        for flat in 0..dims.iter().product() {
            let (mut rest, mut from, mut to) = (flat, src_start, dst_start);
            for ((n, s), d) in dims.iter().zip(src_strides).zip(dst_strides).rev() {
                from += rest % n * s;
                to += rest % n * d;
                rest /= n;
            }
            want[to] = start.slice(from..from + 1)[0];
        }
        let step = StepSpec::Copy {
            dims: dims.to_vec(),
            src,
            src_start,
            src_strides: src_strides.to_vec(),
            dst,
            dst_start,
            dst_strides: dst_strides.to_vec(),
        };
        let plan = Plan::new(vec![step], 0, 240_000, Isa::detect()).unwrap();
        let mut got = start.clone();
        run(&plan, &mut Arena::new(0), &mut got, 2);
        assert_eq!(got.slice(120_000..240_000), want, "{dims:?}");
    }
    let plan =
        Plan::new(vec![StepSpec::Fill { dst: work(3, 100_000), value: 2.5 }], 0, 100_010, Isa::detect())
            .unwrap();
    let mut got = Arena::new(100_010);
    run(&plan, &mut Arena::new(0), &mut got, 2);
    assert_eq!(got.slice(0..5), [0.0, 0.0, 0.0, 2.5, 2.5]);
    assert_eq!(got.slice(100_002..100_004), [2.5, 0.0]);
}

#[test]
fn threads_predict_with_one_state() {
    let tape = TapeSpec {
        instrs: vec![load(0), load(1), two(Binary::Mul, 0, 1), store(2, 2)],
        extents: vec![Extent::Full, Extent::PerCol, Extent::Full],
    };
    let spans = vec![work(0, 600), state(0, 6), work(608, 600)];
    let instances = vec![Instance { rows: 100, cols: 6, spans }];
    let plan = Plan::new(vec![StepSpec::Map { tape, instances }], 6, 1208, Isa::detect()).unwrap();
    assert!(!plan.writes_state());
    let weights = filled(6);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let (pool, mut work) = (Pool::new(1), filled(1208));
                let mut scratch = plan.scratch(&pool);
                plan.run_shared(&weights, &mut work, &mut scratch, &pool, Key::default());
                for i in 0..600 {
                    assert_eq!(
                        work.slice(608 + i..609 + i)[0],
                        work.slice(i..i + 1)[0] * weights.slice(i % 6..i % 6 + 1)[0]
                    );
                }
            });
        }
    });
}

#[test]
fn what_cannot_run_is_refused_by_name() {
    let copy = TapeSpec { instrs: vec![load(0), store(1, 0)], extents: vec![Extent::Full; 2] };
    let plan = |tape: &TapeSpec, spans: Vec<Vec<Span>>| {
        let instances = spans.into_iter().map(|spans| Instance { rows: 4, cols: 4, spans }).collect();
        Plan::new(vec![StepSpec::Map { tape: tape.clone(), instances }], 16, 100, Isa::Scalar).unwrap_err()
    };
    let beyond = plan(&copy, vec![vec![work(0, 16), work(90, 16)]]);
    assert!(matches!(beyond, PlanError::Bounds { len: 100, .. }), "{beyond}");
    let short = plan(&copy, vec![vec![work(0, 15), work(16, 16)]]);
    assert!(matches!(short, PlanError::Length { found: 15, expected: 16, .. }), "{short}");
    let shifted = plan(&copy, vec![vec![work(0, 16), work(8, 16)]]);
    assert!(matches!(shifted, PlanError::Overlap { .. }), "{shifted}");
    let race = plan(&copy, vec![vec![work(0, 16), work(16, 16)], vec![work(16, 16), work(32, 16)]]);
    assert!(race.to_string().contains("instance 1"), "{race}");
    let late =
        TapeSpec { instrs: vec![load(0), store(1, 0), load(2), store(3, 2)], extents: vec![Extent::Full; 4] };
    let late = plan(&late, vec![vec![work(0, 16), work(16, 16), work(16, 16), work(32, 16)]]);
    assert!(matches!(late, PlanError::LoadAfterStore { at: 2, .. }), "{late}");
    let forward = TapeSpec { instrs: vec![one(Unary::Exp, 1), load(0)], extents: vec![Extent::Full] };
    let forward = plan(&forward, vec![vec![work(0, 16)]]);
    assert!(matches!(forward, PlanError::Tape { source: TapeError::Undefined { at: 0, value: 1, .. }, .. }));
    let narrow = TapeSpec { instrs: vec![load(0), store(1, 0)], extents: vec![Extent::Full, Extent::PerCol] };
    let narrow = plan(&narrow, vec![vec![work(0, 16), work(16, 4)]]);
    assert!(matches!(narrow, PlanError::Tape { source: TapeError::Extent { at: 1, .. }, .. }), "{narrow}");
    let acc = TapeSpec { instrs: vec![Instr::Acc, store(0, 0)], extents: vec![Extent::Full] };
    let acc = plan(&acc, vec![vec![work(0, 16)]]);
    assert!(matches!(acc, PlanError::Tape { source: TapeError::Acc { at: 0 }, .. }), "{acc}");
}
