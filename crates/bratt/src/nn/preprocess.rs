//! Preprocessing as the first layers of a network, so that the model file holds it and nobody can forget it.
//!
//! - standardize: `y = (x - mean) / std`, with one mean and standard deviation per feature (the shape of an example)
//!   or per channel (the last axis). A standard deviation of 0 counts as 1: a constant feature becomes 0.
//! - whiten: `y = (x - mean) W`, x as a row of d numbers, W `[d, k]`. With the covariance C = U diag(l) U^T of the
//!   training data: PCA whitening `W = U_k diag(1 / sqrt(l + epsilon))` (k largest l); ZCA whitening
//!   `W = U diag(1 / sqrt(l + epsilon)) U^T`, which stays nearest to the original and keeps an image an image.
//!
//! The numbers are learned from the training split alone, outside of the graph, and are slots that gradients do not
//! change. They are not part of the architecture's text: a model read from a file gets them by slot name.
//!
//! Source: lecture on data preprocessing; Bell and Sejnowski 1997 for ZCA.

use crate::graph::{GraphBuilder, Init, Role, Value};
use crate::tensor::{Shape, Tensor};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What shares one mean and standard deviation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Every number of an example has its own.
    #[default]
    Feature,
    /// All positions of one channel (the last axis) share them.
    Channel,
}

/// Zero mean and unit variance by given statistics. Slots: `mean` (starts at 0 unless given) and `std` (1).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standardize {
    /// What shares one mean and standard deviation. Default: feature.
    pub per: Per,
    #[serde(skip)]
    given: Option<(Arc<Tensor>, Arc<Tensor>)>,
}

impl Standardize {
    /// By statistics per feature: `mean` and `std` have the shape of an example.
    pub fn per_feature(mean: Tensor, std: Tensor) -> Standardize {
        Standardize::given(Per::Feature, mean, std)
    }

    /// By statistics per channel: `mean` and `std` are `[c]`.
    pub fn per_channel(mean: Tensor, std: Tensor) -> Standardize {
        Standardize::given(Per::Channel, mean, std)
    }

    fn given(per: Per, mean: Tensor, mut std: Tensor) -> Standardize {
        std.data_mut().iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = 1.0);
        Standardize { per, given: Some((Arc::new(mean), Arc::new(std))) }
    }

    /// The description alone, as a model file has it: the numbers are in slots.
    pub(crate) fn without_numbers(&self) -> Standardize {
        Standardize { per: self.per, given: None }
    }

    fn statistics_shape(&self, example: &Shape) -> Shape {
        match self.per {
            Per::Feature => example.clone(),
            Per::Channel => example.last().copied().map_or_else(Shape::scalar, |c| [c].into()),
        }
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value) -> Value {
        let shape = self.statistics_shape(&g.shape(x)[1..].into());
        let (mean, std) = match &self.given {
            Some((mean, std)) => (Init::Given(mean.clone()), Init::Given(std.clone())),
            None => (Init::Constant(0.0), Init::Constant(1.0)),
        };
        let (_, mean) = g.slot("mean", &shape, Role::Buffer, mean);
        let (_, std) = g.slot("std", &shape, Role::Buffer, std);
        g.div(g.sub(x, mean), std)
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let expected = self.statistics_shape(input);
        if let Some((mean, std)) = &self.given
            && (mean.shape() != &expected || std.shape() != &expected)
        {
            return Err(format!(
                "found mean of shape {} and std of shape {}, expected {expected} for examples of shape {input}",
                mean.shape(),
                std.shape()
            ));
        }
        Ok(input.clone())
    }
}

/// PCA or ZCA whitening by a given mean and matrix. Slots: `mean` `[d]` (starts at 0 unless given) and `matrix`
/// `[d, outputs]` (an identity, cut or padded with zeros, unless given).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whiten {
    /// The number k of components that are kept.
    pub outputs: usize,
    /// Whether the result has the shape of the input (ZCA), which needs k = d; else it is a plain vector. Default no.
    #[serde(default)]
    pub keep_shape: bool,
    #[serde(skip)]
    given: Option<(Arc<Tensor>, Arc<Tensor>)>,
}

impl Whiten {
    /// PCA: `mean` is `[d]`, `matrix` is `[d, k]`, the result a vector of k numbers.
    pub fn pca(mean: Tensor, matrix: Tensor) -> Whiten {
        Whiten::given(mean, matrix, false)
    }

    /// ZCA: `mean` is `[d]`, `matrix` is `[d, d]`, the result has the shape of the input.
    pub fn zca(mean: Tensor, matrix: Tensor) -> Whiten {
        Whiten::given(mean, matrix, true)
    }

    fn given(mean: Tensor, matrix: Tensor, keep_shape: bool) -> Whiten {
        let outputs = matrix.shape().last().copied().unwrap_or(0);
        Whiten { outputs, keep_shape, given: Some((Arc::new(mean), Arc::new(matrix))) }
    }

    /// The description alone, as a model file has it: the numbers are in slots.
    pub(crate) fn without_numbers(&self) -> Whiten {
        Whiten { outputs: self.outputs, keep_shape: self.keep_shape, given: None }
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value) -> Value {
        let rows = g.flatten(x);
        let (d, k) = (g.shape(rows).last().copied().unwrap_or(1), self.outputs);
        let (mean, matrix) = match &self.given {
            Some((mean, matrix)) => (mean.clone(), matrix.clone()),
            None => {
                let identity = |i: usize| if i / k.max(1) == i % k.max(1) { 1.0 } else { 0.0 };
                (Arc::new(Tensor::zeros([d])), Arc::new(Tensor::from_fn([d, k], identity)))
            }
        };
        let (_, mean) = g.slot("mean", [d], Role::Buffer, Init::Given(mean));
        let (_, matrix) = g.slot("matrix", [d, k], Role::Buffer, Init::Given(matrix));
        let y = g.matmul(g.sub(rows, mean), matrix);
        if self.keep_shape { g.reshape(y, g.shape(x)) } else { y }
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        let (d, k) = (input.len(), self.outputs);
        super::dense::positive("outputs", k)?;
        if let Some((mean, matrix)) = &self.given
            && (mean.shape()[..] != [d] || matrix.shape()[..] != [d, k])
        {
            return Err(format!(
                "found mean of shape {} and matrix of shape {}, expected [{d}] and [{d}, {k}]",
                mean.shape(),
                matrix.shape()
            ));
        }
        match self.keep_shape {
            true if k != d => Err(format!("found {k} outputs, expected {d} to keep the shape {input}")),
            true => Ok(input.clone()),
            false => Ok([k].into()),
        }
    }
}
