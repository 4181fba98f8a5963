//! Preprocessing, learned from the training part alone and put before the first layer, so that the model holds it.

use super::Part;
use crate::data::DataError;
use crate::data::preprocess::{Keep, Projection, Standardize};
use crate::nn;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// What happens to the features before the first layer. The formulas stand in [`crate::data::preprocess`].
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Preprocess {
    /// Nothing.
    None,
    /// Zero mean and unit variance of each channel of images, of each column of tables. The default.
    #[default]
    PerChannel,
    /// Zero mean and unit variance of each feature: each pixel for itself.
    PerFeature,
    /// Principal components that keep this part of the variance; the result is a vector.
    Pca {
        /// Part of the variance, above 0 and up to 1. Default 0.99.
        #[serde(default = "most")]
        keep: f64,
    },
    /// Principal components of unit variance.
    PcaWhiten {
        /// Part of the variance, above 0 and up to 1. Default 0.99.
        #[serde(default = "most")]
        keep: f64,
        /// Added to variances before dividing. Default 1e-5.
        #[serde(default = "little")]
        epsilon: f64,
    },
    /// Whitening that stays near the input and keeps its shape.
    Zca {
        /// Added to variances before dividing. Default 1e-5; 1e-2 smooths images.
        #[serde(default = "little")]
        epsilon: f64,
    },
}

fn most() -> f64 {
    0.99
}

fn little() -> f64 {
    1e-5
}

impl Preprocess {
    /// PCA with its default.
    pub fn pca() -> Preprocess {
        Preprocess::Pca { keep: most() }
    }

    /// ZCA whitening with its default.
    pub fn zca() -> Preprocess {
        Preprocess::Zca { epsilon: little() }
    }

    /// One line for people.
    pub fn describe(self) -> String {
        match self {
            Preprocess::None => "none".into(),
            Preprocess::PerChannel => "zero mean and unit variance per channel".into(),
            Preprocess::PerFeature => "zero mean and unit variance per feature".into(),
            Preprocess::Pca { keep } => format!("PCA, {:.4} of the variance kept", keep),
            Preprocess::PcaWhiten { keep, epsilon } => {
                format!("PCA whitening, {keep:.4} of the variance kept, epsilon {epsilon:e}")
            }
            Preprocess::Zca { epsilon } => format!("ZCA whitening, epsilon {epsilon:e}"),
        }
    }

    /// Learns the layer from a part, which should be the training part; none for [`Preprocess::None`].
    ///
    /// # Errors
    /// [`DataError::Preprocess`] where the part does not allow it: too many features, no variance.
    pub fn learn(self, part: &Part<'_>) -> Result<Option<nn::Layer>, DataError> {
        let (data, indices) = (part.data(), part.indices());
        let shape = data.shape();
        let tensor = |shape: &[usize], values: Vec<f32>| {
            Tensor::new(shape, values).map_err(|error| DataError::Preprocess { why: error.to_string() })
        };
        let (d, channels) = (data.feature_len(), shape.last().copied().unwrap_or(1));
        let layer: nn::Layer = match self {
            Preprocess::None => return Ok(None),
            Preprocess::PerChannel => {
                let learned = Standardize::per_channel(data, indices)?;
                let (mean, std) = (tensor(&[channels], learned.mean)?, tensor(&[channels], learned.std)?);
                nn::Standardize::per_channel(mean, std).into()
            }
            Preprocess::PerFeature => {
                let learned = Standardize::per_feature(data, indices)?;
                nn::Standardize::per_feature(tensor(shape, learned.mean)?, tensor(shape, learned.std)?).into()
            }
            Preprocess::Pca { keep } => {
                let learned = Projection::pca(data, indices, Keep::Variance(keep))?;
                let matrix = tensor(&[d, learned.outputs], learned.matrix)?;
                nn::Whiten::pca(tensor(&[d], learned.mean)?, matrix).into()
            }
            Preprocess::PcaWhiten { keep, epsilon } => {
                let learned = Projection::pca_whitening(data, indices, Keep::Variance(keep), epsilon)?;
                let matrix = tensor(&[d, learned.outputs], learned.matrix)?;
                nn::Whiten::pca(tensor(&[d], learned.mean)?, matrix).into()
            }
            Preprocess::Zca { epsilon } => {
                let learned = Projection::zca_whitening(data, indices, epsilon)?;
                nn::Whiten::zca(tensor(&[d], learned.mean)?, tensor(&[d, d], learned.matrix)?).into()
            }
        };
        Ok(Some(layer))
    }
}
