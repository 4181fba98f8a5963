//! Against the definition. The bound: a sum of k products in any order is off by at most about `k eps sum |a b|`, eps
//! being half the distance between neighbouring f32 (Higham, *Accuracy and Stability of Numerical Algorithms*, 3.1).

use super::cut::{self, KC, KEPT, MAX_ROWS};
use super::*;
use crate::pool::Pool;
use crate::simd::Simd;
use crate::simd::scalar::Lanes;

pub(super) const EPS: f64 = f32::EPSILON as f64 / 2.0;

/// Numbers in [-1, 1), not round in binary.
pub(super) fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

/// Computes all tiles, each into its own buffer with a margin, and puts them together.
pub(super) fn tiles(
    gemm: &Gemm,
    b: &[f32],
    compute: impl Fn(usize, usize, &mut [f32], *mut f32, usize, &mut bool),
) -> Vec<f32> {
    let Shape { m, n, k, .. } = gemm.shape();
    assert_eq!(b.len(), k * n);
    let mut sum = vec![0.0; m * n];
    for slice in 0..gemm.slices() {
        let part = slice_tiles(gemm, |index, scratch, c, stride, kept| {
            compute(index, slice, scratch, c, stride, kept)
        });
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sum
}

fn slice_tiles(gemm: &Gemm, compute: impl Fn(usize, &mut [f32], *mut f32, usize, &mut bool)) -> Vec<f32> {
    let Shape { m, n, .. } = gemm.shape();
    let mut c = vec![f32::NAN; m * n];
    let mut written = vec![false; m * n];
    // Garbage that must not matter.
    let (mut scratch, mut kept) = (vec![f32::NAN; gemm.scratch_len()], false);
    // The last tile, which may be the smallest, comes first: it is the one to pack B for all.
    for index in (0..gemm.tiles()).rev() {
        let tile = gemm.tile(index);
        assert!(tile.rows * tile.cols <= gemm.tile_len());
        let stride = tile.cols + 3;
        let mut buffer = vec![77.0; tile.rows * stride];
        compute(index, &mut scratch, buffer.as_mut_ptr(), stride, &mut kept);
        for i in 0..tile.rows {
            for j in 0..stride {
                let x = buffer[i * stride + j];
                if j < tile.cols {
                    let at = (tile.row + i) * n + tile.col + j;
                    assert!(!written[at], "two tiles hold {at}");
                    (c[at], written[at]) = (x, true);
                } else {
                    assert_eq!(x, 77.0, "written beside the tile");
                }
            }
        }
    }
    assert!(written.into_iter().all(|w| w));
    c
}

pub(super) fn by_isa(gemm: &Gemm, a: &[f32], b: &[f32]) -> Vec<f32> {
    let (parts, len) = gemm.preparation();
    let mut prepared = vec![f32::NAN; len];
    // SAFETY: available set, whole factor, and room for what is prepared.
    (0..parts).for_each(|part| unsafe { gemm.prepare(part, b.as_ptr(), prepared.as_mut_ptr()) });
    let factor = if parts > 0 { &prepared } else { b };
    tiles(gemm, b, |index, slice, scratch, c, stride, kept| {
        // SAFETY: available set, whole factors, and a buffer for the tile.
        unsafe { gemm.compute(index, slice, a.as_ptr(), factor.as_ptr(), scratch, c, stride, kept) }
    })
}

/// The blocks of machines that this one is not: AVX-512 (14x2), NEON (8x3), and one of very few registers (2x2).
pub(super) type LikeAvx512 = Lanes<16, 32>;
pub(super) type LikeNeon = Lanes<4, 32>;
pub(super) type FewRegisters = Lanes<16, 4>;

pub(super) fn by_lanes<S: Simd>(gemm: &Gemm, a: &[f32], b: &[f32]) -> Vec<f32> {
    let (parts, len) = gemm.preparation();
    let mut prepared = vec![f32::NAN; len];
    for panel in 0..parts {
        let Path::Winograd(winograd) = &gemm.path else {
            unreachable!("only Winograd's weights are prepared")
        };
        let (n, to) = (gemm.shape().n, prepared.as_mut_ptr());
        let weights = Weights { winograd, registers: gemm.registers, n, panel, from: b.as_ptr(), to };
        // SAFETY: portable lanes need nothing; the rest as in `by_isa`.
        unsafe { weights.run::<S>() }
    }
    let factor = if parts > 0 { &prepared } else { b };
    tiles(gemm, b, |index, slice, scratch, c, c_stride, kept| {
        let kernel = TileKernel {
            gemm,
            tile: gemm.tile(index),
            steps: gemm.steps(slice),
            a: a.as_ptr(),
            b: factor.as_ptr(),
            scratch: scratch.as_mut_ptr(),
            c,
            c_stride,
            kept: *kept && gemm.keeps_b,
        };
        *kept = gemm.keeps_b;
        // SAFETY: portable lanes need nothing; the rest as in `by_isa`.
        unsafe { kernel.run::<S>() }
    })
}

fn check(gemm: &Gemm, compute: impl Fn(&Gemm, &[f32], &[f32]) -> Vec<f32>) {
    let shape = gemm.shape();
    let Shape { m, n, k, .. } = shape;
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let found = compute(gemm, &a, &b);
    let expected = naive::multiply(shape, &a, &b);
    let size = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let bound = naive::multiply(shape, &size(&a), &size(&b));
    for i in 0..m * n {
        let error = (f64::from(found[i]) - expected[i]).abs();
        // Not `error > bound`, which NaN would pass.
        assert!(
            error <= (k + 1) as f64 * EPS * bound[i],
            "C[{}, {}] is {}, expected {} of {gemm:?}",
            i / n,
            i % n,
            found[i],
            expected[i]
        );
    }
}

/// `check` with portable lanes.
fn check_lanes<S: Simd>(shape: Shape, need: TileNeed) {
    check(&cut::product(Isa::Scalar, Registers::new::<S>(), shape, need), by_lanes::<S>);
}

/// `check` with every instruction set and with the blocks of others.
fn check_all(shape: Shape, need: TileNeed) {
    for isa in Isa::available() {
        check(&Gemm::new(isa, shape, need), by_isa);
    }
    // Where tests run in an emulator, its own set is enough.
    if !cfg!(target_arch = "aarch64") {
        check_lanes::<LikeAvx512>(shape, need);
        check_lanes::<LikeNeon>(shape, need);
        check_lanes::<FewRegisters>(shape, need);
    }
}

fn shapes(m: usize, n: usize, k: usize) -> [Shape; 4] {
    [(false, false), (false, true), (true, false), (true, true)].map(|(trans_a, trans_b)| Shape {
        m,
        n,
        k,
        trans_a,
        trans_b,
    })
}

const SIZES: [usize; 14] = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 100, 127, 129];

#[test]
fn the_blocks_of_other_machines_are_walked() {
    let shape = |registers: Registers| (registers.mr, registers.nr / registers.lanes);
    assert_eq!(shape(Registers::new::<LikeAvx512>()), (14, 2));
    assert_eq!(shape(Registers::new::<LikeNeon>()), (8, 3));
    assert_eq!(shape(Registers::new::<FewRegisters>()), (2, 2));
}

/// One to three vectors of a panel three vectors wide, the last one whole or in part.
#[test]
fn the_last_panel_has_any_width() {
    for cols in 1..=27 {
        for shape in shapes(19, cols, 5) {
            check_all(shape, TileNeed::default());
        }
    }
}

#[test]
fn each_extent_at_awkward_sizes() {
    for size in SIZES {
        for (x, y) in [(1, 1), (3, 17), (33, 7), (17, 40)] {
            for (m, n, k) in [(size, x, y), (x, size, y), (x, y, size)] {
                for shape in shapes(m, n, k) {
                    check_all(shape, TileNeed::default());
                }
            }
        }
    }
}

/// A worker packs B once for all its tiles, or copies lines of A that are a large power of two apart.
#[test]
fn kept_and_copied_factors() {
    for (m, n, k) in [(300, 150, 128), (512, 40, 100), (256, 33, KC), (20, 90, 1024), (200, 100, 1024)] {
        for shape in shapes(m, n, k) {
            check_all(shape, TileNeed::default());
            let keeps = Gemm::new(Isa::Scalar, shape, TileNeed::default()).keeps_b;
            assert_eq!(keeps, k <= KC && k * n <= KEPT, "{shape:?}");
        }
    }
}

#[test]
fn several_blocks_and_tiles() {
    for (m, n, k) in [
        (2 * MAX_ROWS + 5, 71, KC + 1),
        (1, 700, 2 * KC + 3),
        (3, 333, KC),
        (129, 127, 2 * KC + 9),
        (100, 10, 900),
    ] {
        for shape in shapes(m, n, k) {
            check_all(shape, TileNeed::default());
        }
    }
}

/// A long sum over a small C is cut into slices.
#[test]
fn slices_add_up() {
    for shape in shapes(40, 50, 16 * KC + 7) {
        check_all(shape, TileNeed::default());
        assert!(Gemm::new(Isa::Scalar, shape, TileNeed::default()).slices() > 1);
    }
}

#[test]
fn an_empty_sum_is_zero_and_an_empty_product_has_no_tiles() {
    for shape in shapes(5, 19, 0).into_iter().chain(shapes(1, 3, 0)) {
        check_all(shape, TileNeed::default());
    }
    for shape in shapes(0, 4, 3).into_iter().chain(shapes(4, 0, 3)) {
        let gemm = Gemm::new(Isa::detect(), shape, TileNeed::default());
        assert_eq!(gemm.tiles(), 0);
        gemm.multiply(&vec![1.0; shape.m * 3], &vec![1.0; shape.n * 3], &mut []);
    }
}

#[test]
fn tiles_are_as_complete_as_asked_for() {
    for (complete_rows, complete_cols) in [(false, true), (true, false), (true, true)] {
        let need = TileNeed { complete_rows, complete_cols };
        for (m, n, k) in [(1, 300, 70), (150, 130, 40), (400, 10, 64), (10, 500, 64)] {
            for shape in shapes(m, n, k) {
                check_all(shape, need);
                for isa in Isa::ALL {
                    let gemm = Gemm::new(isa, shape, need);
                    for index in 0..gemm.tiles() {
                        let tile = gemm.tile(index);
                        assert!(!complete_rows || tile.rows == m);
                        assert!(!complete_cols || tile.cols == n);
                    }
                }
            }
        }
    }
}

#[test]
fn large_products_give_every_thread_something_to_do() {
    for (m, n, k) in [(128, 512, 784), (784, 512, 128), (512, 512, 512), (1, 512, 784)] {
        for shape in shapes(m, n, k) {
            for isa in Isa::ALL {
                let gemm = Gemm::new(isa, shape, TileNeed::default());
                assert!(gemm.tiles() >= 8, "{gemm:?}");
            }
        }
    }
}

/// `m * k` wraps around to 0 here, which is the length given.
#[test]
#[should_panic(expected = "length of a")]
fn a_product_too_large_for_any_memory_is_refused() {
    let half = 1 << (usize::BITS / 2);
    let shape = Shape { m: half, n: half, k: half, trans_a: false, trans_b: false };
    Gemm::new(Isa::Scalar, shape, TileNeed::default()).multiply(&[], &[], &mut []);
}

#[test]
fn nan_and_infinity_go_where_they_belong() {
    for isa in Isa::available() {
        for [m, n, k] in [[20, 40, 9], [1, 40, 9]] {
            for shape in shapes(m, n, k) {
                let gemm = Gemm::new(isa, shape, TileNeed::default());
                let mut b = vec![1.0; k * n];
                b[if shape.trans_b { 2 * k } else { 2 }] = f32::NAN;
                let mut c = vec![0.0; m * n];
                gemm.multiply(&vec![1.0; m * k], &b, &mut c);
                for (i, x) in c.into_iter().enumerate() {
                    assert_eq!(x.is_nan(), i % n == 2);
                }
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    struct Pointer(*mut f32);
    // SAFETY: tiles and scratch are disjoint between workers.
    unsafe impl Sync for Pointer {}

    for (m, n, k) in [(128, 200, 500), (300, 70, 129), (1, 900, 400)] {
        for shape in shapes(m, n, k) {
            for isa in Isa::available() {
                let gemm = Gemm::new(isa, shape, TileNeed::default());
                let (a, b) = (numbers(m * k, 3), numbers(k * n, 4));
                let mut expected = vec![0.0; m * n];
                gemm.multiply(&a, &b, &mut expected);
                for threads in [1, 2, 3, 8] {
                    let pool = Pool::new(threads);
                    let len = gemm.scratch_len();
                    let mut scratch = vec![0.0; len * threads];
                    let mut c = vec![0.0; m * n];
                    let pointers = (Pointer(c.as_mut_ptr()), Pointer(scratch.as_mut_ptr()));
                    pool.run(gemm.tiles(), &|index, worker| {
                        let (Pointer(c), Pointer(scratch)) = &pointers;
                        let tile = gemm.tile(index);
                        // SAFETY: available set, whole factors, a tile of C, a worker's scratch.
                        unsafe {
                            let scratch = std::slice::from_raw_parts_mut(scratch.add(worker * len), len);
                            let c = c.add(tile.row * n + tile.col);
                            gemm.compute(index, 0, a.as_ptr(), b.as_ptr(), scratch, c, n, &mut false);
                        }
                    });
                    let same = c.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits());
                    assert!(same, "{threads} threads differ: {gemm:?}");
                }
            }
        }
    }
}
