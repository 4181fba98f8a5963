//! The twin that the tests compare with: the definition, summed in f64.

use super::{Shape, Windows};

/// `c[i, j] = sum_p a[i, p] b[p, j]`, row-major.
///
/// # Panics
/// If a slice is shorter than the shape says.
pub fn multiply(shape: Shape, a: &[f32], b: &[f32]) -> Vec<f64> {
    let Shape { m, n, k, trans_a, trans_b } = shape;
    let mut c = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            let product = |p: usize| {
                let x = if trans_a { a[p * m + i] } else { a[i * k + p] };
                let y = if trans_b { b[j * k + p] } else { b[p * n + j] };
                f64::from(x) * f64::from(y)
            };
            c.push((0..k).map(product).sum());
        }
    }
    c
}

/// The left factor that windows see, row-major and not transposed.
///
/// # Panics
/// If `images` are fewer than the windows say.
pub fn seen(windows: &Windows, images: &[f32]) -> Vec<f32> {
    let (rows, depth) = (windows.rows().unwrap_or(0), windows.depth().unwrap_or(0));
    let row = |output: usize| (0..depth).map(move |column| windows.at(images, output, column));
    (0..rows).flat_map(row).collect()
}

/// The product channel by channel with what windows see; the shape as in [`super::Gemm::depthwise`].
///
/// # Panics
/// If a slice is shorter than the shape says.
pub fn multiply_channels(shape: Shape, windows: &Windows, images: &[f32], b: &[f32]) -> Vec<f64> {
    let Shape { m, n, k, trans_a, .. } = shape;
    let mut c = Vec::with_capacity(m * n);
    for i in 0..m {
        for channel in 0..n {
            let product = |p: usize| {
                let (output, tap) = if trans_a { (p, i) } else { (i, p) };
                f64::from(windows.at(images, output, tap * n + channel)) * f64::from(b[p * n + channel])
            };
            c.push((0..k).map(product).sum());
        }
    }
    c
}
