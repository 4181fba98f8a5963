//! Products channel by channel against the definition.

use super::cut;
use super::tests::{EPS, FewRegisters, LikeAvx512, LikeNeon, by_isa, by_lanes, numbers};
use super::windows_tests::{NONE, ONE, windows};
use super::*;

fn check(gemm: &Gemm, windows: &Windows, compute: impl Fn(&Gemm, &[f32], &[f32]) -> Vec<f32>) {
    let shape = gemm.shape();
    let images = numbers(windows.len().unwrap(), 1);
    let b = numbers(shape.k * shape.n, 2);
    let found = compute(gemm, &images, &b);
    let expected = naive::multiply_channels(shape, windows, &images, &b);
    let size = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let bound = naive::multiply_channels(shape, windows, &size(&images), &size(&b));
    for i in 0..found.len() {
        let error = (f64::from(found[i]) - expected[i]).abs();
        let (row, channel) = (i / shape.n, i % shape.n);
        assert!(
            error <= (shape.k + gemm.slices()) as f64 * EPS * bound[i],
            "C[{row}, {channel}] is {}, expected {} of {gemm:?}",
            found[i],
            expected[i]
        );
    }
}

fn check_all(windows: &Windows, need: TileNeed) {
    assert!(windows.is_sound());
    let (rows, taps) = (windows.rows().unwrap(), windows.kernel[0] * windows.kernel[1]);
    for (m, k, trans_a) in [(rows, taps, false), (taps, rows, true)] {
        let shape = Shape { m, n: windows.channels, k, trans_a, trans_b: false };
        if !windows.suits_channels(&shape) {
            continue;
        }
        for isa in Isa::available() {
            check(&Gemm::depthwise(isa, shape, *windows, need), windows, by_isa);
        }
        macro_rules! lanes {
            ($($S:ty),*) => {$(
                let gemm = cut::depthwise(Isa::Scalar, Registers::new::<$S>(), shape, *windows, need);
                check(&gemm, windows, by_lanes::<$S>);
            )*};
        }
        if !cfg!(target_arch = "aarch64") {
            lanes!(LikeAvx512, LikeNeon, FewRegisters);
        }
    }
}

#[test]
fn strides_dilations_paddings_and_spreads() {
    for stride in [ONE, [2, 2], [3, 1]] {
        for dilation in [ONE, [2, 1], [1, 3]] {
            for spread in [ONE, [2, 2], [1, 3]] {
                for pads in [[NONE, NONE], [ONE, ONE], [[0, 2], [3, 0]], [[4, 5], [1, 6]]] {
                    if (0..2).any(|side| stride[side] > 1 && spread[side] > 1) {
                        continue;
                    }
                    let windows = windows(2, [7, 9], 19, [3, 2], [stride, dilation, spread], pads);
                    check_all(&windows, TileNeed::default());
                }
            }
        }
    }
}

#[test]
fn channels_at_awkward_numbers() {
    for channels in [1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130] {
        for extent in [[5, 6], [4, 23]] {
            let windows = windows(2, extent, channels, [3, 3], [ONE; 3], [ONE, ONE]);
            check_all(&windows, TileNeed::default());
        }
    }
}

/// More taps than are summed together; windows larger than the image; windows that see nothing but zeros.
#[test]
fn windows_of_all_sizes() {
    for (extent, kernel, pads) in [
        ([9, 12], [5, 5], [[2, 2], [2, 2]]),
        ([3, 20], [2, 7], [[0, 3], [1, 3]]),
        ([2, 2], [5, 4], [[3, 3], [3, 3]]),
        ([1, 1], [1, 1], [NONE, NONE]),
        ([2, 3], [1, 1], [[2, 2], [2, 2]]),
    ] {
        check_all(&windows(3, extent, 20, kernel, [ONE; 3], pads), TileNeed::default());
    }
}

#[test]
fn many_images_are_many_tiles_and_slices() {
    let windows = windows(40, [12, 14], 40, [3, 3], [ONE; 3], [ONE, ONE]);
    let rows = windows.rows().unwrap();
    let gemm = |m, k, trans_a| {
        let shape = Shape { m, n: 40, k, trans_a, trans_b: false };
        Gemm::depthwise(Isa::Scalar, shape, windows, TileNeed::default())
    };
    assert!(gemm(rows, 9, false).tiles() >= 8);
    assert!(gemm(9, rows, true).slices() > 1);
    check_all(&windows, TileNeed::default());
}

#[test]
fn tiles_are_as_complete_as_asked_for() {
    for (complete_rows, complete_cols) in [(false, true), (true, false), (true, true)] {
        let need = TileNeed { complete_rows, complete_cols };
        let windows = windows(3, [16, 17], 50, [3, 3], [ONE; 3], [ONE, ONE]);
        check_all(&windows, need);
        let rows = windows.rows().unwrap();
        for (m, k, trans_a) in [(rows, 9, false), (9, rows, true)] {
            let shape = Shape { m, n: 50, k, trans_a, trans_b: false };
            let gemm = Gemm::depthwise(Isa::detect(), shape, windows, need);
            for index in 0..gemm.tiles() {
                let tile = gemm.tile(index);
                assert!(!complete_rows || tile.rows == m);
                assert!(!complete_cols || tile.cols == 50);
            }
        }
    }
}
