//! Grad-CAM: where the features lie that speak for the class.
//!
//! Of the last feature map A `[u, v, k]` that still knows places, before pooling and flattening, each channel gets the mean
//! of its gradient as a weight, and the weighted channels are added up:
//!
//! `a[k] = 1/(u v) sum over p of dF/dA[p, k]`, `L[p] = max(0, sum over k of a[k] A[p, k])`.
//!
//! What is below zero belongs to other classes. The map has the size of A; bilinear interpolation brings it to that of the
//! image. In a network that ends in the mean over pixels and one dense layer with weights W, `a[k] = W[k, c] / (u v)`, and L
//! is the class activation map of Zhou et al. 2016.
//!
//! Source: Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra, Grad-CAM: visual explanations from deep networks via
//! gradient-based localization, 2017 (arXiv 1610.02391), section 3, equations 1 and 2.

use super::{ExplainError, Explainer, Heatmap};
use crate::graph::{GraphBuilder, Value};

/// L `[n, u, v]` of maps A and their gradients, both `[n, u, v, k]`.
pub(super) fn write(g: &GraphBuilder, map: Value, gradient: Value) -> Value {
    let weights = g.mean_keep(gradient, &[1, 2]);
    g.relu(g.sum(g.mul(map, weights), &[3]))
}

/// The map of one image, at the image's size.
pub(super) fn map(explainer: &mut Explainer, image: &[f32], class: usize) -> Result<Heatmap, ExplainError> {
    let [u, v] = match &explainer.feature_map {
        Ok(map) => map.size,
        Err(problem) => return Err(ExplainError::NoFeatureMap { problem: problem.clone() }),
    };
    let cam = explainer.class_activation(class, image);
    let [height, width, _] = explainer.shape;
    Ok(Heatmap::new(u, v, cam, false).resized(height, width))
}
