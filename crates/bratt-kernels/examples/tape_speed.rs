//! Times tapes beside loops written by hand for the same work: an Adam update, and softmax with cross-entropy.
//!
//! `cargo run --release -p bratt-kernels --example tape_speed`
//!
//! The hand-written loops use AVX2 and FMA, and are left out where these are missing. What an interpreter pays is one
//! trip through L1 for each instruction's result; what both pay is the trip to memory for each operand.

use bratt_kernels::arena::Arena;
use bratt_kernels::isa::Isa;
use bratt_kernels::plan::{Instance, Plan, Space, Span, StepSpec, TapeSpec};
use bratt_kernels::pool::Pool;
use bratt_kernels::random::{Key, uniform_at};
use bratt_kernels::tape::{Binary, Extent, Instr, Operand, Reduction, Unary, Val};
use std::time::Instant;

fn work(offset: usize, len: usize) -> Span {
    Span { space: Space::Work, offset, len }
}

fn two(f: Binary, a: u16, b: u16) -> Instr {
    Instr::Binary(f, Val(a), Val(b))
}

/// Adam with the bias corrections folded into `rate`: operands p, g, m, v, rate.
fn adam() -> TapeSpec {
    TapeSpec {
        instrs: vec![
            Instr::Load(Operand(1)),                 // 0: g
            Instr::Load(Operand(2)),                 // 1: m
            Instr::Load(Operand(3)),                 // 2: v
            Instr::Load(Operand(0)),                 // 3: p
            Instr::Load(Operand(4)),                 // 4: rate
            Instr::Const(0.9),                       // 5
            Instr::Const(0.1),                       // 6
            Instr::Const(0.999),                     // 7
            Instr::Const(0.001),                     // 8
            Instr::Const(1e-8),                      // 9
            two(Binary::Mul, 1, 5),                  // 10
            Instr::MulAdd(Val(0), Val(6), Val(10)),  // 11: m'
            two(Binary::Mul, 0, 0),                  // 12: g g
            two(Binary::Mul, 2, 7),                  // 13
            Instr::MulAdd(Val(12), Val(8), Val(13)), // 14: v'
            Instr::Unary(Unary::Sqrt, Val(14)),      // 15
            two(Binary::Add, 15, 9),                 // 16
            two(Binary::Mul, 11, 4),                 // 17
            two(Binary::Div, 17, 16),                // 18
            two(Binary::Sub, 3, 18),                 // 19: p'
            Instr::Store(Operand(2), Val(11)),
            Instr::Store(Operand(3), Val(14)),
            Instr::Store(Operand(0), Val(19)),
        ],
        extents: vec![Extent::Full, Extent::Full, Extent::Full, Extent::Full, Extent::Scalar],
    }
}

/// Row-wise log-softmax, loss against a one-hot target given as a number per row, and its gradient:
/// operands logits, label, gradient, loss.
fn cross_entropy() -> TapeSpec {
    TapeSpec {
        instrs: vec![
            Instr::Load(Operand(0)),                   // 0: logits
            Instr::Load(Operand(1)),                   // 1: label
            Instr::ColIndex,                           // 2
            Instr::ReduceCols(Reduction::Max, Val(0)), // 3
            two(Binary::Sub, 0, 3),                    // 4
            Instr::Unary(Unary::Exp, Val(4)),          // 5
            Instr::ReduceCols(Reduction::Sum, Val(5)), // 6
            two(Binary::Div, 5, 6),                    // 7: softmax
            two(Binary::Eq, 1, 2),                     // 8: one-hot
            two(Binary::Sub, 7, 8),                    // 9: gradient
            Instr::Store(Operand(2), Val(9)),
            Instr::Unary(Unary::Log, Val(6)),          // 11
            two(Binary::Sub, 4, 11),                   // 12: log-softmax
            two(Binary::Mul, 12, 8),                   // 13
            Instr::ReduceAll(Reduction::Sum, Val(13)), // 14
            Instr::Unary(Unary::Neg, Val(14)),         // 15
            Instr::Store(Operand(3), Val(15)),
        ],
        extents: vec![Extent::Full, Extent::PerRow, Extent::Full, Extent::Scalar],
    }
}

/// The best of many runs, in microseconds.
fn best(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 1.0 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e6
}

fn filled(len: usize) -> Arena {
    let mut arena = Arena::new(len);
    let numbers = arena.slice_mut(0..len).iter_mut().enumerate();
    numbers.for_each(|(i, x)| *x = uniform_at(Key::default(), 0, i as u64));
    arena
}

fn time_plan(name: &str, tape: TapeSpec, instances: Vec<Instance>, len: usize, by_hand: Option<f64>) {
    for isa in Isa::available() {
        let step = StepSpec::Map { tape: tape.clone(), instances: instances.clone() };
        let bytes = step.bytes() as f64;
        let plan = match Plan::new(vec![step], 0, len, isa) {
            Ok(plan) => plan,
            Err(error) => return eprintln!("{name}: {error}"),
        };
        for threads in [1, 2] {
            let (pool, mut work) = (Pool::new(threads), filled(len));
            let mut scratch = plan.scratch(&pool);
            let time = best(|| plan.run(&mut Arena::new(0), &mut work, &mut scratch, &pool, Key::default()));
            let share = by_hand.map_or(String::new(), |t| {
                format!("  {:3.0} % of one hand-written thread", 100.0 * t / time)
            });
            println!(
                "{name:28} {isa:7} {threads} threads {time:9.1} us {:7.1} GB/s{share}",
                bytes / time / 1e3
            );
        }
    }
}

fn main() {
    for n in [535_818usize, 100_000, 10_000] {
        let pitch = n.next_multiple_of(16);
        let spans = [0, 1, 2, 3].map(|i| work(i * pitch, n));
        let rate = work(4 * pitch, 1);
        let mut spans = spans.to_vec();
        spans.push(rate);
        let instances = vec![Instance { rows: 1, cols: n, spans }];
        let hand = by_hand::adam(n);
        if let Some(time) = hand {
            println!(
                "{:28} by hand 1 threads {time:9.1} us {:7.1} GB/s",
                format!("adam {n}"),
                28.0 * n as f64 / time / 1e3
            );
        }
        time_plan(&format!("adam {n}"), adam(), instances, 4 * pitch + 16, hand);
    }
    for (rows, cols) in [(128, 10), (128, 100), (1024, 1000)] {
        let n = rows * cols;
        let spans = vec![work(0, n), work(2 * n, rows), work(n, n), work(2 * n + rows, 1)];
        let instances = vec![Instance { rows, cols, spans }];
        let hand = by_hand::softmax(rows, cols);
        if let Some(time) = hand {
            println!("{:28} by hand 1 threads {time:9.1} us", format!("cross-entropy {rows}x{cols}"));
        }
        time_plan(
            &format!("cross-entropy {rows}x{cols}"),
            cross_entropy(),
            instances,
            2 * n + rows + 16,
            hand,
        );
    }
    // Batch norm in inference, per channel, on narrow rows.
    let (rows, cols) = (32_768, 16);
    let tape = TapeSpec {
        instrs: vec![
            Instr::Load(Operand(0)),
            Instr::Load(Operand(1)),
            Instr::Load(Operand(2)),
            Instr::MulAdd(Val(0), Val(1), Val(2)),
            Instr::Unary(Unary::Relu, Val(3)),
            Instr::Store(Operand(3), Val(4)),
        ],
        extents: vec![Extent::Full, Extent::PerCol, Extent::PerCol, Extent::Full],
    };
    let n = rows * cols;
    let spans = vec![work(0, n), work(2 * n, cols), work(2 * n + 16, cols), work(n, n)];
    time_plan("scale, shift, relu 32768x16", tape, vec![Instance { rows, cols, spans }], 2 * n + 32, None);
    let n = 98_304;
    let tape = TapeSpec {
        instrs: vec![Instr::Uniform { stream: 0 }, Instr::Store(Operand(0), Val(0))],
        extents: vec![Extent::Full],
    };
    let instances = vec![Instance { rows: 128, cols: 768, spans: vec![work(0, n)] }];
    time_plan("uniform 98304", tape, instances, n, None);
}

#[cfg(target_arch = "x86_64")]
mod by_hand {
    use super::{best, filled};
    use std::arch::x86_64::*;

    fn present() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }

    pub fn adam(n: usize) -> Option<f64> {
        let pitch = n.next_multiple_of(16);
        let mut memory = filled(4 * pitch);
        let all = memory.slice_mut(0..4 * pitch);
        // SAFETY: the four arrays lie `pitch` apart, and hold `n` numbers rounded up to whole vectors.
        present().then(|| best(|| unsafe { adam_loop(all.as_mut_ptr(), pitch, 0.001) }))
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn adam_loop(p: *mut f32, pitch: usize, rate: f32) {
        // SAFETY: see `adam`.
        unsafe {
            let (g, m, v) = (p.add(pitch), p.add(2 * pitch), p.add(3 * pitch));
            let rate = _mm256_set1_ps(rate);
            for i in (0..pitch).step_by(8) {
                let x = _mm256_loadu_ps(g.add(i));
                let m1 = _mm256_mul_ps(_mm256_loadu_ps(m.add(i)), _mm256_set1_ps(0.9));
                let m1 = _mm256_fmadd_ps(x, _mm256_set1_ps(0.1), m1);
                let v1 = _mm256_mul_ps(_mm256_loadu_ps(v.add(i)), _mm256_set1_ps(0.999));
                let v1 = _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(0.001), v1);
                let root = _mm256_add_ps(_mm256_sqrt_ps(v1), _mm256_set1_ps(1e-8));
                let step = _mm256_div_ps(_mm256_mul_ps(m1, rate), root);
                _mm256_storeu_ps(p.add(i), _mm256_sub_ps(_mm256_loadu_ps(p.add(i)), step));
                _mm256_storeu_ps(m.add(i), m1);
                _mm256_storeu_ps(v.add(i), v1);
            }
        }
    }

    /// Softmax, loss and gradient with the library's `exp`, left to the compiler to vectorise.
    pub fn softmax(rows: usize, cols: usize) -> Option<f64> {
        let n = rows * cols;
        let memory = filled(n);
        let (logits, mut grads) = (memory.slice(0..n), vec![0.0f32; n]);
        let mut loss = 0.0;
        let time = present().then(|| {
            best(|| {
                // SAFETY: the features are present.
                loss += unsafe { softmax_loop(logits, &mut grads, cols) };
            })
        });
        std::hint::black_box(loss);
        time
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn softmax_loop(logits: &[f32], grads: &mut [f32], cols: usize) -> f32 {
        let mut loss = 0.0;
        for (x, g) in logits.chunks_exact(cols).zip(grads.chunks_exact_mut(cols)) {
            let mut top = [f32::NEG_INFINITY; 8];
            for part in x.chunks(8) {
                part.iter().zip(&mut top).for_each(|(x, t)| *t = if *x > *t { *x } else { *t });
            }
            let top = top.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let mut sums = [0.0f32; 8];
            for (part, out) in x.chunks(8).zip(g.chunks_mut(8)) {
                for ((x, out), sum) in part.iter().zip(out).zip(&mut sums) {
                    *out = exp(*x - top);
                    *sum += *out;
                }
            }
            let sum: f32 = sums.iter().sum();
            let scale = 1.0 / sum;
            g.iter_mut().for_each(|g| *g *= scale);
            g[0] -= 1.0;
            loss -= x[0] - top - sum.ln();
        }
        loss
    }

    #[inline(always)]
    fn exp(x: f32) -> f32 {
        let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
        let r = x - n * std::f32::consts::LN_2;
        let mut p = 1.987_569_1e-4f32;
        for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
            p = p.mul_add(r, c);
        }
        p * f32::from_bits(((n as i32 + 127) as u32) << 23)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod by_hand {
    pub fn adam(_: usize) -> Option<f64> {
        None
    }
    pub fn softmax(_: usize, _: usize) -> Option<f64> {
        None
    }
}
