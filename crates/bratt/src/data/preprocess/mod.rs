//! Preprocessing learned from the training part alone: plain numbers, to be written into the first nodes of a graph and
//! into the model file.
//!
//! | what | transform | parameters |
//! |---|---|---|
//! | [`Standardize`] per feature | `(x_j - μ_j) / σ_j` | `[d]`, `[d]` |
//! | [`Standardize`] per channel | `(x_yxc - μ_c) / σ_c` | `[c]`, `[c]` |
//! | [`Projection::pca`] | `(x - μ) U_k` | `[d]`, `[d, k]` |
//! | [`Projection::pca_whitening`] | `(x - μ) U_k diag(λ + ε)^(-1/2)` | `[d]`, `[d, k]` |
//! | [`Projection::zca_whitening`] | `(x - μ) U diag(λ + ε)^(-1/2) Uᵀ` | `[d]`, `[d, d]` |
//!
//! Everything is computed in `f64` on the inputs as [`gather_into`](super::Dataset::gather_into) gives them (`byte *
//! scale` for images), with the population variance (divided by `n`); the data are read in place, never copied as a whole.

mod projection;
mod standardize;

pub use projection::{Keep, Projection};
pub use standardize::Standardize;

use super::DataError;

fn fault(why: impl Into<String>) -> DataError {
    DataError::Preprocess { why: why.into() }
}
