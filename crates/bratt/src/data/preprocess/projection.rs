//! Principal components and whitening: `y = (x - μ) M`.
//!
//! The covariance `C = Σ (x - μ)ᵀ (x - μ) / n` is symmetric, `C = U diag(λ) Uᵀ` with orthonormal columns in `U` and
//! `λ_1 ≥ λ_2 ≥ ... ≥ 0`.
//!
//! - PCA: `M = U_k`, the first `k` columns; `y` is uncorrelated, its variances are `λ_1 ... λ_k`;
//! - PCA whitening: `M = U_k diag(λ + ε)^(-1/2)`; for `ε = 0` the covariance of `y` is the identity;
//! - ZCA whitening: `M = U diag(λ + ε)^(-1/2) Uᵀ`, among the whitenings the one that changes `x` least, so that images still
//!   look like images (Bell and Sejnowski, "The 'independent components' of natural scenes are edge filters", 1997).
//!
//! `ε > 0` keeps directions without variance (always black pixels) from being blown up to noise; 1e-5 is usual for
//! inputs in `[0, 1]`. An eigenvector's sign is free: its entry of largest magnitude is made positive here.

use nalgebra::{DMatrix, DMatrixView, Dyn, SymmetricEigen};

use super::super::{DataError, Dataset};
use super::fault;
use super::standardize::moments;

/// The most features whose covariance is formed: 4096² numbers are 128 MiB.
const MOST_FEATURES: usize = 4096;
/// Examples a block of the covariance.
const BLOCK: usize = 256;
/// Columns a panel of the covariance: panels below the diagonal are left out.
const PANEL: usize = 128;

/// How many principal components to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// So many.
    Components(usize),
    /// As few as keep at least this part of the variance, above 0 and up to 1.
    Variance(f64),
}

/// A linear map of centred inputs, `y = (x - mean) matrix`.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// `μ`, `[d]`.
    pub mean: Vec<f32>,
    /// `M`, `[d, outputs]`, row by row.
    pub matrix: Vec<f32>,
    /// Number of outputs.
    pub outputs: usize,
    /// `λ`, all `d` of them, largest first.
    pub variances: Vec<f64>,
    /// Part of the variance that the kept components have, 0 to 1.
    pub kept: f64,
}

impl Projection {
    /// Principal components of the examples at `indices`.
    ///
    /// # Errors
    /// [`DataError::Preprocess`] where there is no example, no variance, or what is asked to be kept is out of range, or
    /// where there are more than 4096 features.
    ///
    /// # Panics
    /// If an index is not below the number of examples.
    pub fn pca(data: &Dataset, indices: &[u32], keep: Keep) -> Result<Self, DataError> {
        let axes = Axes::of(data, indices)?;
        let (k, kept) = axes.keep(keep)?;
        let matrix = axes.vectors.columns(0, k).into_owned();
        Ok(axes.projection(matrix, kept))
    }

    /// Principal components of unit variance.
    ///
    /// # Errors
    /// As for [`pca`](Self::pca), and where `epsilon` is negative, or is 0 and a kept component has no variance.
    ///
    /// # Panics
    /// If an index is not below the number of examples.
    pub fn pca_whitening(
        data: &Dataset,
        indices: &[u32],
        keep: Keep,
        epsilon: f64,
    ) -> Result<Self, DataError> {
        let axes = Axes::of(data, indices)?;
        let (k, kept) = axes.keep(keep)?;
        let matrix = axes.scaled(k, epsilon)?;
        Ok(axes.projection(matrix, kept))
    }

    /// Whitening that stays near the input.
    ///
    /// # Errors
    /// As for [`pca_whitening`](Self::pca_whitening).
    ///
    /// # Panics
    /// If an index is not below the number of examples.
    pub fn zca_whitening(data: &Dataset, indices: &[u32], epsilon: f64) -> Result<Self, DataError> {
        let axes = Axes::of(data, indices)?;
        let matrix = axes.scaled(axes.variances.len(), epsilon)? * axes.vectors.transpose();
        Ok(axes.projection(matrix, 1.0))
    }

    /// Transforms one example.
    pub fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = vec![0.0f64; self.outputs];
        for ((&x, &mean), row) in x.iter().zip(&self.mean).zip(self.matrix.chunks_exact(self.outputs)) {
            let x = f64::from(x) - f64::from(mean);
            y.iter_mut().zip(row).for_each(|(y, &m)| *y += x * f64::from(m));
        }
        y.into_iter().map(|y| y as f32).collect()
    }
}

/// The eigenvectors of the covariance, by falling variance.
struct Axes {
    mean: Vec<f64>,
    /// One column each.
    vectors: DMatrix<f64>,
    variances: Vec<f64>,
}

impl Axes {
    fn of(data: &Dataset, indices: &[u32]) -> Result<Self, DataError> {
        let d = data.feature_len();
        if indices.is_empty() {
            return Err(fault("no training example to learn components from"));
        }
        if d > MOST_FEATURES {
            return Err(fault(format!(
                "PCA and whitening of {d} features are beyond reach; at most {MOST_FEATURES} are supported; use smaller images or the mean and deviation per channel"
            )));
        }
        let (mean, _) = moments(data, indices, d);
        let covariance = covariance(data, indices, &mean);
        let eigen = SymmetricEigen::try_new(covariance, f64::EPSILON, 100 * d.max(10))
            .ok_or_else(|| fault("the eigenvalues of the covariance do not converge"))?;
        let mut order: Vec<usize> = (0..d).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let variances: Vec<f64> = order.iter().map(|&at| eigen.eigenvalues[at].max(0.0)).collect();
        if variances[0] <= 0.0 {
            return Err(fault("all training examples are equal: there is no variance"));
        }
        let mut vectors = DMatrix::zeros(d, d);
        for (mut to, &at) in vectors.column_iter_mut().zip(&order) {
            let from = eigen.eigenvectors.column(at);
            let sign = if from[from.iamax()] < 0.0 { -1.0 } else { 1.0 };
            to.copy_from(&(from * sign));
        }
        Ok(Self { mean, vectors, variances })
    }

    /// Number of components and their part of the variance.
    fn keep(&self, keep: Keep) -> Result<(usize, f64), DataError> {
        let d = self.variances.len();
        let total: f64 = self.variances.iter().sum();
        let part = |k: usize| self.variances[..k].iter().sum::<f64>() / total;
        let k = match keep {
            Keep::Components(k) if (1..=d).contains(&k) => k,
            Keep::Components(k) => {
                return Err(fault(format!("{k} components of {d} features: 1 to {d} can be kept")));
            }
            Keep::Variance(least) if least > 0.0 && least <= 1.0 => {
                (1..d).find(|&k| part(k) >= least).unwrap_or(d)
            }
            Keep::Variance(least) => {
                return Err(fault(format!(
                    "keeping {least} of the variance: above 0 and up to 1 is possible"
                )));
            }
        };
        Ok((k, part(k)))
    }

    /// `U_k diag(λ + ε)^(-1/2)`.
    fn scaled(&self, k: usize, epsilon: f64) -> Result<DMatrix<f64>, DataError> {
        if !(epsilon >= 0.0 && epsilon.is_finite()) {
            return Err(fault(format!("whitening with epsilon {epsilon}: a finite number from 0 is needed")));
        }
        let noise = self.variances[0] * self.variances.len() as f64 * f64::EPSILON;
        let flat = self.variances[..k].iter().filter(|&&variance| variance + epsilon <= noise).count();
        if flat > 0 {
            return Err(fault(format!(
                "whitening with epsilon {epsilon}: {flat} of {k} directions have no variance; raise epsilon (1e-5 is usual) or keep fewer components"
            )));
        }
        let mut matrix = self.vectors.columns(0, k).into_owned();
        for (mut column, variance) in matrix.column_iter_mut().zip(&self.variances) {
            column /= (variance + epsilon).sqrt();
        }
        Ok(matrix)
    }

    fn projection(self, matrix: DMatrix<f64>, kept: f64) -> Projection {
        Projection {
            mean: self.mean.into_iter().map(|mean| mean as f32).collect(),
            outputs: matrix.ncols(),
            // The library stores columns; rows are the columns of the transpose.
            matrix: matrix.transpose().iter().map(|&m| m as f32).collect(),
            variances: self.variances,
            kept,
        }
    }
}

/// `Σ (x - μ)ᵀ (x - μ) / n`, one block of examples after the other.
fn covariance(data: &Dataset, indices: &[u32], mean: &[f64]) -> DMatrix<f64> {
    let d = mean.len();
    let mut sum = DMatrix::<f64>::zeros(d, d);
    let (mut raw, mut labels) = (vec![0.0f32; BLOCK * d], vec![0.0f32; BLOCK]);
    let mut block = vec![0.0f64; BLOCK * d];
    for chunk in indices.chunks(BLOCK) {
        let b = chunk.len();
        data.gather_into(chunk, &mut raw, &mut labels);
        for (to, from) in block.chunks_exact_mut(d).zip(raw.chunks_exact(d)).take(b) {
            for ((to, &x), mean) in to.iter_mut().zip(from).zip(mean) {
                *to = f64::from(x) - mean;
            }
        }
        let examples = &block[..b * d];
        // One example a column, and the same numbers with one example a row.
        let columns = DMatrixView::from_slice(examples, d, b);
        let rows = DMatrixView::from_slice_with_strides_generic(examples, Dyn(b), Dyn(d), Dyn(d), Dyn(1));
        for start in (0..d).step_by(PANEL) {
            let panel = PANEL.min(d - start);
            sum.view_mut((start, start), (d - start, panel)).gemm(
                1.0,
                &columns.rows(start, d - start),
                &rows.columns(start, panel),
                1.0,
            );
        }
    }
    sum.fill_upper_triangle_with_lower_triangle();
    sum / indices.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::super::{Features, Targets};
    use super::*;
    use crate::random::{Purpose, Stream};
    use proptest::prelude::*;

    fn table(d: usize, values: Vec<f32>) -> (Dataset, Vec<u32>) {
        let n = values.len() / d;
        let features = Features::Table { values, columns: (0..d).map(|j| j.to_string()).collect() };
        let targets = Targets::Values { values: vec![0.0; n], name: "y".into() };
        (Dataset::new("test", vec![d], features, targets).unwrap(), (0..n as u32).collect())
    }

    /// Correlated normal data.
    fn cloud(n: usize, d: usize, seed: u64) -> (Dataset, Vec<u32>) {
        let mut stream = Stream::new(seed, Purpose::Noise, 0);
        let mix: Vec<f64> = (0..d * d).map(|_| stream.normal()).collect();
        let mut values = Vec::new();
        for _ in 0..n {
            let z: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
            values.extend((0..d).map(|j| {
                let x: f64 = (0..d).map(|k| z[k] * (mix[k * d + j] + if j == k { 2.0 } else { 0.0 })).sum();
                (x + j as f64) as f32
            }));
        }
        table(d, values)
    }

    /// Mean and covariance of the transformed data.
    fn after(projection: &Projection, data: &Dataset) -> (Vec<f64>, Vec<f64>) {
        let (k, n) = (projection.outputs, data.len());
        let Features::Table { values, .. } = data.features() else { panic!("a table") };
        let rows: Vec<Vec<f32>> = values.chunks(data.feature_len()).map(|x| projection.apply(x)).collect();
        let mean: Vec<f64> =
            (0..k).map(|j| rows.iter().map(|row| f64::from(row[j])).sum::<f64>() / n as f64).collect();
        let entry = |i: usize, j: usize| {
            let product = |row: &Vec<f32>| (f64::from(row[i]) - mean[i]) * (f64::from(row[j]) - mean[j]);
            rows.iter().map(product).sum::<f64>() / n as f64
        };
        let covariance = (0..k * k).map(|at| entry(at / k, at % k)).collect();
        (mean, covariance)
    }

    #[test]
    fn components_worked_by_hand() {
        // A cross of half axes 2 and 1, turned by 45 degrees about (10, 20): variances 2 and 1/2 along the diagonals.
        let h = 0.5f32.sqrt();
        let values = [[2.0 * h, 2.0 * h], [-2.0 * h, -2.0 * h], [h, -h], [-h, h]];
        let (data, all) = table(2, values.iter().flat_map(|[x, y]| [x + 10.0, y + 20.0]).collect());
        let pca = Projection::pca(&data, &all, Keep::Components(1)).unwrap();
        assert!((pca.mean[0] - 10.0).abs() < 1e-5 && (pca.mean[1] - 20.0).abs() < 1e-5);
        assert!((pca.variances[0] - 2.0).abs() < 1e-5 && (pca.variances[1] - 0.5).abs() < 1e-5);
        assert!(pca.matrix.iter().all(|m| (m - h).abs() < 1e-5), "{:?}", pca.matrix);
        assert!((pca.kept - 0.8).abs() < 1e-5);
        assert!((pca.apply(&[10.0 + h, 20.0 + h])[0] - 1.0).abs() < 1e-5);
        let outputs = |part| Projection::pca(&data, &all, Keep::Variance(part)).unwrap().outputs;
        assert_eq!((outputs(0.79), outputs(0.81), outputs(1.0)), (1, 2, 2));
        let white = Projection::pca_whitening(&data, &all, Keep::Components(1), 0.25).unwrap();
        assert!((f64::from(white.matrix[0]) - f64::from(h) / 1.5).abs() < 1e-5);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let (data, all) = table(2, vec![0.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
        let says = |result: Result<Projection, DataError>| result.unwrap_err().to_string();
        assert!(
            says(Projection::zca_whitening(&data, &all, 0.0)).contains("1 of 2 directions have no variance")
        );
        assert!(Projection::zca_whitening(&data, &all, 1e-5).is_ok());
        assert!(Projection::pca_whitening(&data, &all, Keep::Components(1), 0.0).is_ok());
        assert!(says(Projection::pca(&data, &all, Keep::Components(3))).contains("1 to 2 can be kept"));
        assert!(says(Projection::pca(&data, &all, Keep::Variance(0.0))).contains("above 0"));
        assert!(says(Projection::pca(&data, &[], Keep::Components(1))).contains("no training example"));
        assert!(says(Projection::pca(&data, &[1], Keep::Components(1))).contains("no variance"));
        assert!(says(Projection::zca_whitening(&data, &all, -1.0)).contains("epsilon -1"));
    }

    #[test]
    fn more_than_one_block_and_panel_sum_up() {
        let (n, d) = (BLOCK + 7, PANEL + 5);
        let (data, all) = cloud(n, d, 3);
        let (mean, variance) = moments(&data, &all, d);
        let covariance = covariance(&data, &all, &mean);
        let Features::Table { values, .. } = data.features() else { panic!("a table") };
        let naive = |i: usize, j: usize| {
            let product = |x: &[f32]| (f64::from(x[i]) - mean[i]) * (f64::from(x[j]) - mean[j]);
            values.chunks(d).map(product).sum::<f64>() / n as f64
        };
        for (i, j) in [(0, 0), (0, d - 1), (d - 1, 0), (130, 127), (127, 130), (d - 1, d - 1)] {
            assert!((covariance[(i, j)] - naive(i, j)).abs() < 1e-9, "{i} {j}");
        }
        assert!((0..d).all(|j| (covariance[(j, j)] - variance[j]).abs() < 1e-9));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn whitened_training_data_have_zero_mean_and_unit_covariance(seed: u64, d in 1usize..6) {
            let (data, all) = cloud(60, d, seed);
            let pca = Projection::pca_whitening(&data, &all, Keep::Components(d), 0.0).unwrap();
            let zca = Projection::zca_whitening(&data, &all, 0.0).unwrap();
            // f32 parameters: the error grows with the ratio of the deviations.
            let ratio = (pca.variances[0] / pca.variances[d - 1]).sqrt();
            let bound = 2e-6 * ratio * (1.0 + d as f64);
            for projection in [&pca, &zca] {
                let (mean, covariance) = after(projection, &data);
                prop_assert!(mean.iter().all(|mean| mean.abs() < bound), "{mean:?} {bound}");
                for (at, value) in covariance.iter().enumerate() {
                    let identity = if at / d == at % d { 1.0 } else { 0.0 };
                    prop_assert!((value - identity).abs() < bound, "{covariance:?} {bound}");
                }
            }
            for i in 0..d {
                for j in 0..d {
                    let (a, b) = (zca.matrix[i * d + j], zca.matrix[j * d + i]);
                    prop_assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "ZCA is symmetric");
                }
            }
        }

        #[test]
        fn principal_components_are_uncorrelated_with_their_variances(seed: u64, d in 2usize..6) {
            let (data, all) = cloud(40, d, seed);
            let pca = Projection::pca(&data, &all, Keep::Components(d)).unwrap();
            let (_, covariance) = after(&pca, &data);
            let bound = 1e-5 * pca.variances[0];
            for (at, value) in covariance.iter().enumerate() {
                let expected = if at / d == at % d { pca.variances[at / d] } else { 0.0 };
                prop_assert!((value - expected).abs() < bound);
            }
        }
    }
}
