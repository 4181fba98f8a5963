//! Products with windows against products with the matrix that the windows see.

use super::cut;
use super::tests::{EPS, FewRegisters, LikeAvx512, LikeNeon, by_isa, by_lanes, numbers};
use super::*;

fn check(gemm: &Gemm, windows: &Windows, compute: impl Fn(&Gemm, &[f32], &[f32]) -> Vec<f32>) {
    let shape = gemm.shape();
    let images = numbers(windows.len().unwrap(), 1);
    let b = numbers(shape.k * shape.n, 2);
    let found = compute(gemm, &images, &b);
    // `seen` is `[rows, depth]`, which is A, or what A is the transpose of.
    let a = naive::seen(windows, &images);
    let expected = naive::multiply(shape, &a, &b);
    let size = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let bound = naive::multiply(shape, &size(&a), &size(&b));
    for i in 0..found.len() {
        let error = (f64::from(found[i]) - expected[i]).abs();
        let (row, col) = (i / shape.n, i % shape.n);
        assert!(
            error <= (shape.k + gemm.slices()) as f64 * EPS * bound[i],
            "C[{row}, {col}] is {}, expected {} of {gemm:?}",
            found[i],
            expected[i]
        );
    }
}

fn check_all(windows: &Windows, n: usize, need: TileNeed) {
    assert!(windows.is_sound());
    let (rows, depth) = (windows.rows().unwrap(), windows.depth().unwrap());
    for (m, k, trans_a, trans_b) in [
        (rows, depth, false, false),
        (rows, depth, false, true),
        (depth, rows, true, false),
        (depth, rows, true, true),
    ] {
        let shape = Shape { m, n, k, trans_a, trans_b };
        if !windows.suits(&shape) {
            continue;
        }
        for isa in Isa::available() {
            check(&Gemm::of_windows(isa, shape, *windows, need, false), windows, by_isa);
        }
        macro_rules! lanes {
            ($($S:ty),*) => {$(
                let gemm = cut::windows(Isa::Scalar, Registers::new::<$S>(), shape, *windows, need, false);
                check(&gemm, windows, by_lanes::<$S>);
            )*};
        }
        if !cfg!(target_arch = "aarch64") {
            lanes!(LikeAvx512, LikeNeon, FewRegisters);
        }
    }
}

/// Windows that see `before` zeros above and to the left, and as many outputs as fit with `after` zeros.
pub(super) fn windows(
    images: usize,
    extent: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
    [stride, dilation, spread]: [[usize; 2]; 3],
    [before, after]: [[usize; 2]; 2],
) -> Windows {
    let outputs = [0, 1].map(|side| {
        let plane = before[side] + (extent[side] - 1) * spread[side] + 1 + after[side];
        (plane - (kernel[side] - 1) * dilation[side] - 1) / stride[side] + 1
    });
    Windows { images, extent, channels, kernel, stride, dilation, spread, before, outputs }
}

pub(super) const ONE: [usize; 2] = [1, 1];
pub(super) const NONE: [usize; 2] = [0, 0];

#[test]
fn strides_dilations_paddings_and_spreads() {
    for stride in [ONE, [2, 2], [3, 1]] {
        for dilation in [ONE, [2, 1], [1, 3]] {
            for spread in [ONE, [2, 2], [1, 3]] {
                for pads in [[NONE, NONE], [ONE, ONE], [[0, 2], [3, 0]], [[4, 5], [1, 6]]] {
                    if (0..2).any(|side| stride[side] > 1 && spread[side] > 1) {
                        continue;
                    }
                    let windows = windows(2, [7, 9], 3, [3, 2], [stride, dilation, spread], pads);
                    check_all(&windows, 5, TileNeed::default());
                }
            }
        }
    }
}

#[test]
fn channels_and_columns_at_awkward_numbers() {
    for channels in [1, 2, 4, 5, 7, 8, 16, 17] {
        for n in [1, 7, 16, 17, 33] {
            let windows = windows(1, [5, 6], channels, [3, 3], [ONE; 3], [ONE, ONE]);
            check_all(&windows, n, TileNeed::default());
        }
    }
}

/// Chunks of several rows and of several images, between whose pixels are zeros.
#[test]
fn phases_of_spread_pixels() {
    for (images, extent) in [(3, [8, 16]), (20, [3, 3]), (2, [9, 20])] {
        for (spread, after) in [([2, 2], ONE), ([2, 2], NONE), ([1, 2], ONE), ([3, 1], [2, 2])] {
            let windows = windows(images, extent, 8, [3, 3], [ONE, ONE, spread], [ONE, after]);
            check_all(&windows, 18, TileNeed::default());
        }
    }
}

#[test]
fn sizes_at_which_chunks_are_rows_images_or_a_single_pixel() {
    for (images, extent, kernel) in [
        (1, [1, 1], [1, 1]),
        (40, [1, 1], [3, 3]),
        (33, [4, 4], [3, 3]),
        (5, [8, 8], [1, 1]),
        (3, [13, 40], [3, 3]),
        (2, [3, 300], [2, 5]),
        (1, [64, 33], [5, 1]),
    ] {
        let windows = windows(images, extent, 6, kernel, [ONE; 3], [ONE, ONE]);
        check_all(&windows, 18, TileNeed::default());
    }
}

/// Stretches of whole windows' rows, and of parts of a row.
#[test]
fn long_windows_are_cut() {
    for (channels, kernel) in [(100, [3, 3]), (900, [2, 2]), (130, [1, 7])] {
        let windows = windows(2, [4, 8], channels, kernel, [ONE; 3], [ONE, ONE]);
        check_all(&windows, 20, TileNeed::default());
    }
}

#[test]
fn many_images_are_summed_in_slices() {
    let windows = windows(60, [10, 12], 5, [3, 3], [ONE; 3], [ONE, ONE]);
    let (m, k) = (windows.depth().unwrap(), windows.rows().unwrap());
    let shape = Shape { m, n: 20, k, trans_a: true, trans_b: false };
    assert!(Gemm::of_windows(Isa::Scalar, shape, windows, TileNeed::default(), false).slices() > 1);
    check_all(&windows, 20, TileNeed::default());
}

#[test]
fn tiles_are_as_complete_as_asked_for() {
    for (complete_rows, complete_cols) in [(false, true), (true, false), (true, true)] {
        let need = TileNeed { complete_rows, complete_cols };
        let windows = windows(3, [16, 17], 9, [3, 3], [ONE; 3], [ONE, ONE]);
        check_all(&windows, 40, need);
        let (rows, depth) = (windows.rows().unwrap(), windows.depth().unwrap());
        for (m, k, trans_a) in [(rows, depth, false), (depth, rows, true)] {
            let gemm = Gemm::of_windows(
                Isa::detect(),
                Shape { m, n: 40, k, trans_a, trans_b: false },
                windows,
                need,
                false,
            );
            for index in 0..gemm.tiles() {
                let tile = gemm.tile(index);
                assert!(!complete_rows || tile.rows == m);
                assert!(!complete_cols || tile.cols == 40);
            }
        }
    }
}
