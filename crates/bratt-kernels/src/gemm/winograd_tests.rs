//! Winograd's convolution, and the gradient of its weights, against the definition. The bound comes from the transforms
//! taken with absolute values: every number passes some twenty roundings and a sum, over the input channels or the tiles,
//! on its way.

use super::cut;
use super::tests::{EPS, FewRegisters, LikeAvx512, LikeNeon, by_isa, by_lanes, numbers};
use super::*;

const B: [[f64; 6]; 6] = [
    [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
    [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
    [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
    [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
    [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
    [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
];
const G: [[f64; 3]; 6] = [
    [0.25, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];
const A: [[f64; 6]; 4] = [
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
    [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
    [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
];

/// `|M| x |M^T|`, row by row.
fn sizes<const R: usize, const C: usize>(
    m: &[[f64; C]; R],
    x: impl Fn(usize, usize) -> f64,
) -> [[f64; R]; R] {
    let mut out = [[0.0; R]; R];
    for (i, j) in (0..R).flat_map(|i| (0..R).map(move |j| (i, j))) {
        for (p, q) in (0..C).flat_map(|p| (0..C).map(move |q| (p, q))) {
            out[i][j] += m[i][p].abs() * x(p, q) * m[j][q].abs();
        }
    }
    out
}

fn transposed<const R: usize, const C: usize>(m: &[[f64; C]; R]) -> [[f64; R]; C] {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

/// The size of the pixel that a tile sees at (y, x), one channel of it.
fn pixel(windows: &Windows, images: &[f32], [image, y, x]: [usize; 3], channel: usize) -> f64 {
    let Windows { extent: [h, w], channels, before, .. } = *windows;
    let row = y.checked_sub(before[0]).filter(|row| *row < h);
    let col = x.checked_sub(before[1]).filter(|col| *col < w);
    let at = row.zip(col).map(|(row, col)| ((image * h + row) * w + col) * channels + channel);
    at.map_or(0.0, |at| f64::from(images[at].abs()))
}

/// The first outputs of all tiles: image, row and column.
fn tiles(windows: &Windows) -> impl Iterator<Item = [usize; 3]> {
    let [oh, ow] = windows.outputs;
    let rows = (0..windows.images).flat_map(move |image| (0..oh).step_by(4).map(move |y| [image, y]));
    rows.flat_map(move |[image, y]| (0..ow).step_by(4).map(move |x| [image, y, x]))
}

/// What the absolute values of all numbers make of each output, by Winograd's way.
fn bound(windows: &Windows, images: &[f32], weights: &[f32], n: usize) -> Vec<f64> {
    let Windows { images: count, channels, outputs: [oh, ow], .. } = *windows;
    let mut bound = vec![0.0; count * oh * ow * n];
    for ([image, ty, tx], column) in tiles(windows).flat_map(|tile| (0..n).map(move |column| (tile, column)))
    {
        let mut sum = [[0.0; 6]; 6];
        for channel in 0..channels {
            let weight = |y: usize, x: usize| {
                f64::from(weights[((y * 3 + x) * channels + channel) * n + column].abs())
            };
            let v = sizes(&B, |y, x| pixel(windows, images, [image, ty + y, tx + x], channel));
            let u = sizes(&G, weight);
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                sum[i][j] += v[i][j] * u[i][j];
            }
        }
        let outputs = sizes(&A, |i, j| sum[i][j]);
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (ty + y, tx + x))) {
            if y < oh && x < ow {
                bound[((image * oh + y) * ow + x) * n + column] = outputs[y % 4][x % 4];
            }
        }
    }
    bound
}

/// The same of each number of the gradient of the weights.
fn bound_of_gradient(windows: &Windows, images: &[f32], gradients: &[f32], n: usize) -> Vec<f64> {
    let Windows { channels, outputs: [oh, ow], .. } = *windows;
    let (spread, gather) = (transposed(&A), transposed(&G));
    let mut bound = vec![0.0; 9 * channels * n];
    for (channel, column) in (0..channels).flat_map(|channel| (0..n).map(move |column| (channel, column))) {
        let mut sum = [[0.0; 6]; 6];
        for [image, ty, tx] in tiles(windows) {
            let gradient = |y: usize, x: usize| {
                let inside = ty + y < oh && tx + x < ow;
                let at = ((image * oh + ty + y) * ow + tx + x) * n + column;
                if inside { f64::from(gradients[at].abs()) } else { 0.0 }
            };
            let v = sizes(&B, |y, x| pixel(windows, images, [image, ty + y, tx + x], channel));
            let u = sizes(&spread, gradient);
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                sum[i][j] += v[i][j] * u[i][j];
            }
        }
        for (tap, size) in sizes(&gather, |i, j| sum[i][j]).as_flattened().iter().enumerate() {
            bound[(tap * channels + channel) * n + column] = *size;
        }
    }
    bound
}

fn check(windows: &Windows, n: usize, need: TileNeed) {
    let (rows, depth) = (windows.rows().unwrap(), windows.depth().unwrap());
    let images = numbers(windows.len().unwrap(), 1);
    let forward = Shape { m: rows, n, k: depth, trans_a: false, trans_b: false };
    let weights = numbers(depth * n, 2);
    let terms = windows.channels;
    agree(windows, forward, need, &images, &weights, &bound(windows, &images, &weights, n), terms);

    let gradient = Shape { m: depth, n, k: rows, trans_a: true, trans_b: false };
    let gradients = numbers(rows * n, 3);
    let terms = tiles(windows).count();
    let bound = bound_of_gradient(windows, &images, &gradients, n);
    agree(windows, gradient, need, &images, &gradients, &bound, terms);
}

/// Checks that a product with windows is that of the definition, a sum having so many terms.
fn agree(
    windows: &Windows,
    shape: Shape,
    need: TileNeed,
    images: &[f32],
    b: &[f32],
    bound: &[f64],
    terms: usize,
) {
    let expected = naive::multiply(shape, &naive::seen(windows, images), b);
    let compare = |gemm: &Gemm, found: Vec<f32>| {
        assert!(matches!(gemm.path, Path::Winograd(_)), "{gemm:?}");
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= (terms + 20) as f64 * EPS * bound[i],
                "number {i} is {found}, expected {expected} of {gemm:?}"
            );
        }
    };
    for isa in Isa::available() {
        let gemm = Gemm::of_windows(isa, shape, *windows, need, true);
        compare(&gemm, by_isa(&gemm, images, b));
    }
    macro_rules! lanes {
        ($($S:ty),*) => {$(
            let gemm = cut::windows(Isa::Scalar, Registers::new::<$S>(), shape, *windows, need, true);
            compare(&gemm, by_lanes::<$S>(&gemm, images, b));
        )*};
    }
    if !cfg!(target_arch = "aarch64") {
        lanes!(LikeAvx512, LikeNeon, FewRegisters);
    }
}

fn windows(
    images: usize,
    extent: [usize; 2],
    channels: usize,
    before: [usize; 2],
    outputs: [usize; 2],
) -> Windows {
    let one = [1, 1];
    let kernel = [3, 3];
    Windows { images, extent, channels, kernel, stride: one, dilation: one, spread: one, before, outputs }
}

#[test]
fn tiles_of_whole_images_and_of_parts_agree_with_the_definition() {
    for (images, extent, channels, n) in [
        (64, [4, 4], 16, 16),
        (20, [8, 8], 16, 48),
        (2, [32, 32], 16, 16),
        (5, [14, 13], 32, 16),
        (3, [28, 28], 16, 32),
        (4, [16, 16], 80, 16),
        (4, [16, 16], 16, 144),
    ] {
        check(&windows(images, extent, channels, [1, 1], extent), n, TileNeed::default());
    }
}

#[test]
fn heavy_weights_are_cut_by_columns_without_changing_a_bit() {
    let windows = windows(64, [4, 4], 256, [1, 1], [4, 4]);
    let (m, n, k) = (windows.rows().unwrap(), 480, windows.depth().unwrap());
    let images = numbers(windows.len().unwrap(), 1);
    let weights = numbers(k * n, 2);
    for isa in Isa::available() {
        let columns = |first: usize, n: usize| {
            let rows = weights.chunks(480).flat_map(|row| &row[first..first + n]).copied();
            let shape = Shape { m, n, k, trans_a: false, trans_b: false };
            let gemm = Gemm::of_windows(isa, shape, windows, TileNeed::default(), true);
            (by_isa(&gemm, &images, &rows.collect::<Vec<_>>()), n.div_ceil(gemm.tile(0).cols))
        };
        let (all, parts) = columns(0, n);
        assert_eq!(parts, 4, "{isa}");
        for first in [0, 112, 464] {
            let (some, parts) = columns(first, 16);
            assert_eq!(parts, 1, "{isa}");
            let same = all.chunks(n).zip(some.chunks(16)).all(|(all, some)| all[first..first + 16] == *some);
            assert!(same, "columns from {first}, {isa}");
        }
    }
}

#[test]
fn any_padding_and_complete_tiles() {
    check(&windows(7, [15, 18], 16, [0, 0], [13, 16]), 16, TileNeed::default());
    check(&windows(7, [15, 18], 16, [2, 0], [16, 19]), 16, TileNeed::default());
    let need = TileNeed { complete_rows: true, complete_cols: true };
    check(&windows(9, [12, 12], 16, [1, 1], [12, 12]), 16, need);
}

#[test]
fn only_what_gains_goes_this_way() {
    let plain = windows(64, [8, 8], 16, [1, 1], [8, 8]);
    for (windows, n) in [
        (Windows { channels: 15, ..plain }, 16),
        (Windows { stride: [2, 2], outputs: [4, 4], ..plain }, 16),
        (Windows { images: 1, ..plain }, 16),
        (plain, 10),
    ] {
        let (m, k) = (windows.rows().unwrap(), windows.depth().unwrap());
        for (m, k, trans_a) in [(m, k, false), (k, m, true)] {
            let shape = Shape { m, n, k, trans_a, trans_b: false };
            let gemm = Gemm::of_windows(Isa::Scalar, shape, windows, TileNeed::default(), true);
            assert!(matches!(gemm.path, Path::Windows(_)), "{windows:?}");
        }
    }
}
