//! Measures what this machine can do, and what the matrix product makes of it.
//!
//! `cargo run --release -p bratt-kernels --example peak [ISA [PART OF A NAME]]`

use bratt_kernels::gemm::{Gemm, Shape, TileNeed, Windows};
use bratt_kernels::isa::{Isa, Kernel, dispatch};
use bratt_kernels::pool::Pool;
use bratt_kernels::simd::Simd;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Time spent on each figure; the best of all repetitions counts.
const BUDGET: Duration = Duration::from_millis(400);
/// Independent chains of multiply-adds: at least latency times throughput.
const CHAINS: usize = 12;

fn main() {
    let isas = match std::env::args().nth(1) {
        None => Isa::available(),
        Some(name) => match name.parse::<Isa>() {
            Ok(isa) if isa.is_available() => vec![isa],
            Ok(isa) => return eprintln!("{isa} is not available here"),
            Err(error) => return eprintln!("{error}"),
        },
    };
    let wanted = std::env::args().nth(2).unwrap_or_default();
    let pools = [Pool::new(1), Pool::new(2)];
    println!("copy of 64 MiB, GB/s read and written: {}", pair(&pools, copy));
    for isa in isas {
        let peak = pools.each_ref().map(|pool| fma(pool, isa));
        println!("\n{isa}: FMA peak {:.1} GFLOP/s on 1 thread, {:.1} on 2", peak[0], peak[1]);
        println!("{:34} {:>6} {:>18} {:>18}", "product", "tiles", "1 thread", "2 threads");
        let products = shapes()
            .into_iter()
            .map(|(name, shape)| (name, Gemm::new(isa, shape, TileNeed::default()), shape.m * shape.k));
        let convolutions = convolutions().into_iter().flat_map(|(name, shape, windows)| {
            let len = windows.len().unwrap_or(0);
            let by = |winograd| Gemm::of_windows(isa, shape, windows, TileNeed::default(), winograd);
            let (plain, transformed) = (by(false), by(true));
            let gains = (plain != transformed).then(|| (format!("{name}, Winograd"), transformed, len));
            [(name, plain, len)].into_iter().chain(gains)
        });
        for (name, gemm, a_len) in products.chain(convolutions).filter(|(name, ..)| name.contains(&wanted)) {
            print!("{name:34} {:6}", gemm.tiles() * gemm.slices());
            for (pool, peak) in pools.iter().zip(peak) {
                let (rate, seconds) = product(pool, &gemm, a_len);
                let time = seconds * 1e6;
                print!(" {rate:6.1} {:3.0} % {time:6.0} µs", 100.0 * rate / peak);
            }
            println!();
        }
    }
}

/// The products of a training step of an MLP 784-512-256-10, of single images, and the usual cubes.
fn shapes() -> Vec<(String, Shape)> {
    let shape = |m, n, k, trans_a, trans_b| {
        let of = |rows, cols, trans| {
            if trans { format!("[{cols}x{rows}]ᵀ") } else { format!("[{rows}x{cols}]") }
        };
        let name = format!("{} {}", of(m, k, trans_a), of(k, n, trans_b));
        let shape = Shape { m, n, k, trans_a, trans_b };
        (name, shape)
    };
    let mut shapes = vec![shape(512, 512, 512, false, false), shape(1024, 1024, 1024, false, false)];
    for (inputs, outputs) in [(784, 512), (512, 256), (256, 10)] {
        shapes.push(shape(128, outputs, inputs, false, false));
        shapes.push(shape(inputs, outputs, 128, true, false));
        shapes.push(shape(128, inputs, outputs, false, true));
    }
    for (inputs, outputs) in [(784, 512), (512, 256), (256, 10)] {
        shapes.push(shape(1, outputs, inputs, false, false));
        shapes.push(shape(1, inputs, outputs, false, true));
    }
    shapes.push(shape(8, 512, 784, false, false));
    shapes
}

/// Convolutions of 3x3 with padding "same", and the gradients of their weights: layers of residual nets on images of
/// 32x32.
fn convolutions() -> Vec<(String, Shape, Windows)> {
    let mut convolutions = vec![];
    for (images, extent, channels, outputs, stride) in [
        (128, 32, 3, 16, 1),
        (128, 32, 16, 16, 1),
        (128, 32, 16, 32, 2),
        (128, 16, 32, 32, 1),
        (128, 8, 64, 64, 1),
        (64, 32, 64, 64, 1),
        (64, 16, 128, 128, 1),
        (64, 8, 256, 256, 1),
        (64, 4, 512, 512, 1),
        (1, 32, 16, 16, 1),
        (1, 16, 32, 32, 1),
        (1, 8, 64, 64, 1),
    ] {
        let side = extent / stride;
        let windows = Windows {
            images,
            extent: [extent; 2],
            channels,
            kernel: [3; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            spread: [1; 2],
            before: [if stride == 1 { 1 } else { 0 }; 2],
            outputs: [side; 2],
        };
        let (rows, depth) = (images * side * side, 9 * channels);
        let name = format!("{images}x{extent}x{extent}x{channels} to {outputs} /{stride}");
        let shape = Shape { m: rows, n: outputs, k: depth, trans_a: false, trans_b: false };
        convolutions.push((name.clone(), shape, windows));
        let shape = Shape { m: depth, n: outputs, k: rows, trans_a: true, trans_b: false };
        convolutions.push((format!("  {name} dW"), shape, windows));
    }
    convolutions
}

/// Seconds of the fastest of many calls.
fn best(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < BUDGET {
        let begin = Instant::now();
        call();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}

fn pair(pools: &[Pool; 2], measure: impl Fn(&Pool) -> f64) -> String {
    format!("{:.1} on 1 thread, {:.1} on 2", measure(&pools[0]), measure(&pools[1]))
}

/// GB/s of a copy, each byte counted as it is read and as it is written.
fn copy(pool: &Pool) -> f64 {
    const LEN: usize = 16 << 20;
    const PART: usize = LEN / 16;
    let from = vec![1.0f32; LEN];
    let mut to = vec![0.0f32; LEN];
    let target = Pointer(to.as_mut_ptr());
    let seconds = best(|| {
        pool.run(LEN / PART, &|part, _| {
            let from = &from[part * PART..][..PART];
            // SAFETY: parts are disjoint pieces of `to`.
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), target.at(part * PART), PART) };
        });
    });
    2.0 * 4.0 * LEN as f64 / seconds / 1e9
}

/// GFLOP/s of multiply-adds that never leave the registers.
fn fma(pool: &Pool, isa: Isa) -> f64 {
    const STEPS: usize = 200_000;
    struct Chains;
    impl Kernel for Chains {
        type Output = usize;
        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> usize {
            // SAFETY: dispatched to an available set.
            unsafe {
                let (x, y) = (S::splat(black_box(0.5)), S::splat(black_box(1.0)));
                let mut chains = [S::splat(0.0); CHAINS];
                for _ in 0..STEPS {
                    for chain in &mut chains {
                        *chain = S::mul_add(*chain, x, y);
                    }
                }
                black_box(chains);
                S::LANES * CHAINS * STEPS
            }
        }
    }
    let parts = pool.threads();
    let done = AtomicUsize::new(0);
    let seconds = best(|| {
        // SAFETY: only available sets are measured.
        let work = |_, _| done.store(unsafe { dispatch(isa, Chains) }, Ordering::Relaxed);
        pool.run(parts, &work);
    });
    2.0 * (parts * done.into_inner()) as f64 / seconds / 1e9
}

/// GFLOP/s and seconds of one product.
fn product(pool: &Pool, gemm: &Gemm, a_len: usize) -> (f64, f64) {
    let Shape { m, n, k, .. } = gemm.shape();
    let (a, b, mut c) = (aligned(a_len), aligned(k * n), aligned(m * n * gemm.slices()));
    let (a, b, c) = (a.as_ptr().cast::<f32>(), b.as_ptr().cast::<f32>(), c.as_mut_ptr().cast());
    let (a, b) = (Pointer(a.cast_mut()), Pointer(b.cast_mut()));
    let (parts, prepared_len) = gemm.preparation();
    let mut prepared = aligned(prepared_len);
    let prepared = Pointer(prepared.as_mut_ptr().cast());
    let scratch_len = gemm.scratch_len().next_multiple_of(32);
    let mut scratch = vec![0.0f32; scratch_len * pool.threads()];
    let (c, scratch) = (Pointer(c), Pointer(scratch.as_mut_ptr()));
    let kept: Vec<AtomicBool> = (0..pool.threads()).map(|_| AtomicBool::new(false)).collect();
    let seconds = best(|| {
        kept.iter().for_each(|kept| kept.store(false, Ordering::Relaxed));
        // SAFETY: parts are disjoint, and the set is available.
        pool.run(parts, &|part, _| unsafe { gemm.prepare(part, b.at(0), prepared.at(0)) });
        pool.run(gemm.tiles() * gemm.slices(), &|part, worker| {
            let (part, slice) = (part % gemm.tiles(), part / gemm.tiles());
            let tile = gemm.tile(part);
            // SAFETY: tiles are disjoint, each worker has its own scratch, and the set is available.
            unsafe {
                let scratch = std::slice::from_raw_parts_mut(scratch.at(worker * scratch_len), scratch_len);
                let c = c.at(slice * m * n + tile.row * n + tile.col);
                let mut holds = kept[worker].load(Ordering::Relaxed);
                let b = if parts > 0 { prepared.at(0) } else { b.at(0) };
                gemm.compute(part, slice, a.at(0), b, scratch, c, n, &mut holds);
                kept[worker].store(holds, Ordering::Relaxed);
            }
        });
    });
    (2.0 * (m * n * k) as f64 / seconds / 1e9, seconds)
}

/// A cache line.
#[derive(Clone)]
#[repr(align(64))]
#[allow(dead_code)] // Read through pointers only.
struct Line([f32; 16]);

/// Memory for `len` numbers that starts on a cache line, as in a plan.
fn aligned(len: usize) -> Vec<Line> {
    vec![Line([1.0; 16]); len.div_ceil(16)]
}

/// A pointer that workers share.
struct Pointer(*mut f32);

impl Pointer {
    /// # Safety
    /// `offset` must lie within the allocation.
    unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: the caller vouches for the offset.
        unsafe { self.0.add(offset) }
    }
}

// SAFETY: the workers write to disjoint parts.
unsafe impl Sync for Pointer {}
