//! Zero mean and unit variance: `y = (x - μ) / σ`, with `μ = Σ x / n` and `σ² = Σ (x - μ)² / n`.
//!
//! Where `σ` is 0 the divisor is 1: a constant feature becomes 0, and stays finite for data where it varies.
//! Images are summed as whole numbers, `σ² = (n Σ x² - (Σ x)²) / n²`, which is exact; tables in two passes, each
//! relative to the first row, so that a constant column has exactly no variance.

use super::super::{DataError, Dataset, Features};
use super::fault;

/// Mean and divisor of each feature or channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    /// `μ`: one a feature or channel.
    pub mean: Vec<f32>,
    /// `σ`, or 1 where `σ` is 0.
    pub std: Vec<f32>,
    /// How many features or channels are constant.
    pub constant: usize,
}

impl Standardize {
    /// Statistics of each of the `d` features (each pixel for itself) over the examples at `indices`.
    ///
    /// # Errors
    /// [`DataError::Preprocess`] where there is no example.
    ///
    /// # Panics
    /// If an index is not below the number of examples.
    pub fn per_feature(data: &Dataset, indices: &[u32]) -> Result<Self, DataError> {
        Self::of(data, indices, data.feature_len())
    }

    /// Statistics of each channel, over all pixels of the examples at `indices`. A table has one value a channel: the
    /// same as [`per_feature`](Self::per_feature).
    ///
    /// # Errors
    /// [`DataError::Preprocess`] where there is no example.
    ///
    /// # Panics
    /// If an index is not below the number of examples.
    pub fn per_channel(data: &Dataset, indices: &[u32]) -> Result<Self, DataError> {
        Self::of(data, indices, data.shape().last().copied().unwrap_or(1))
    }

    fn of(data: &Dataset, indices: &[u32], groups: usize) -> Result<Self, DataError> {
        if indices.is_empty() {
            return Err(fault("no training example to learn mean and deviation from"));
        }
        let (mean, variance) = moments(data, indices, groups);
        let mut constant = 0;
        let std = variance.into_iter().map(|variance| match variance.sqrt() as f32 {
            std if std > 0.0 => std,
            _ => {
                constant += 1;
                1.0
            }
        });
        let std = std.collect();
        Ok(Self { mean: mean.into_iter().map(|mean| mean as f32).collect(), std, constant })
    }

    /// Transforms examples in place.
    pub fn apply(&self, x: &mut [f32]) {
        for row in x.chunks_mut(self.mean.len()) {
            for ((x, mean), std) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                *x = (*x - mean) / std;
            }
        }
    }
}

/// Mean and population variance of each group; value `j` of an example is in group `j % groups`.
pub(super) fn moments(data: &Dataset, indices: &[u32], groups: usize) -> (Vec<f64>, Vec<f64>) {
    let width = data.feature_len();
    let count = indices.len() as u64 * (width / groups) as u64;
    match data.features() {
        Features::Pixels { bytes, scale } => {
            let (mut sums, mut squares) = (vec![0u64; width], vec![0u64; width]);
            for &index in indices {
                let image = &bytes[index as usize * width..][..width];
                for ((sum, square), &byte) in sums.iter_mut().zip(&mut squares).zip(image) {
                    *sum += u64::from(byte);
                    *square += u64::from(u32::from(byte) * u32::from(byte));
                }
            }
            for all in [&mut sums, &mut squares] {
                for j in groups..width {
                    all[j % groups] += all[j];
                }
                all.truncate(groups);
            }
            let (scale, n) = (f64::from(*scale), count as f64);
            let mean = sums.iter().map(|&sum| scale * sum as f64 / n).collect();
            let variance = sums.iter().zip(&squares).map(|(&sum, &square)| {
                let spread = u128::from(count) * u128::from(square) - u128::from(sum) * u128::from(sum);
                scale * scale * (spread as f64 / n / n)
            });
            (mean, variance.collect())
        }
        Features::Table { values, .. } => {
            let row = |index: u32| &values[index as usize * width..][..width];
            let n = count as f64;
            let first: Vec<f64> = row(indices[0])[..groups].iter().map(|&x| f64::from(x)).collect();
            let mut shift = vec![0.0; groups];
            for &index in indices {
                for (j, &x) in row(index).iter().enumerate() {
                    shift[j % groups] += f64::from(x) - first[j % groups];
                }
            }
            let mean: Vec<f64> = first.iter().zip(&shift).map(|(first, shift)| first + shift / n).collect();
            let mut squares = vec![0.0; groups];
            for &index in indices {
                for (j, &x) in row(index).iter().enumerate() {
                    squares[j % groups] += (f64::from(x) - mean[j % groups]).powi(2);
                }
            }
            (mean, squares.into_iter().map(|square| square / n).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Targets;
    use super::*;

    fn data(shape: &[usize], features: Features, n: usize) -> Dataset {
        let targets = Targets::Values { values: vec![0.0; n], name: "y".into() };
        Dataset::new("test", shape.to_vec(), features, targets).unwrap()
    }

    fn table(d: usize, values: &[f32]) -> Dataset {
        let columns = (0..d).map(|j| j.to_string()).collect();
        data(&[d], Features::Table { values: values.to_vec(), columns }, values.len() / d)
    }

    #[test]
    fn numbers_worked_by_hand() {
        // Columns 2, 4, 4, 4, 5, 5, 7, 9 (mean 5, deviation 2) and the constant 0.1.
        let values: Vec<f32> = [2., 4., 4., 4., 5., 5., 7., 9.].iter().flat_map(|&x| [x, 0.1]).collect();
        let indices: Vec<u32> = (0..8).collect();
        let s = Standardize::per_feature(&table(2, &values), &indices).unwrap();
        assert_eq!(s, Standardize { mean: vec![5.0, 0.1], std: vec![2.0, 1.0], constant: 1 });
        let mut x = [9.0, 0.1, 3.0, 1.1];
        s.apply(&mut x);
        assert_eq!(x, [2.0, 0.0, -1.0, 1.0]);
    }

    #[test]
    fn only_the_given_examples_count() {
        let s = Standardize::per_feature(&table(1, &[1.0, 3.0, 1e6]), &[0, 1]).unwrap();
        assert_eq!((s.mean[0], s.std[0]), (2.0, 1.0));
        assert!(Standardize::per_feature(&table(1, &[1.0]), &[]).is_err());
    }

    #[test]
    fn images_by_pixel_and_by_channel() {
        // Two images of 1x2 pixels and two channels; byte b stands for b / 2.
        let bytes = vec![0, 10, 4, 10, 2, 10, 6, 10];
        let images = data(&[1, 2, 2], Features::Pixels { bytes: bytes.into(), scale: 0.5 }, 2);
        let s = Standardize::per_feature(&images, &[0, 1]).unwrap();
        assert_eq!((s.mean, s.std), (vec![0.5, 5.0, 2.5, 5.0], vec![0.5, 1.0, 0.5, 1.0]));
        let s = Standardize::per_channel(&images, &[0, 1]).unwrap();
        // Channel 0 holds 0, 2, 1, 3: mean 1.5, variance 1.25.
        assert_eq!((s.mean, s.constant), (vec![1.5, 5.0], 1));
        assert_eq!(s.std, [1.25f32.sqrt(), 1.0]);
    }

    #[test]
    fn a_large_offset_does_not_drown_the_variance() {
        let s = Standardize::per_feature(&table(1, &[1e7 + 1.0, 1e7 - 1.0]), &[0, 1]).unwrap();
        assert_eq!((s.mean[0], s.std[0]), (1e7, 1.0));
    }
}
