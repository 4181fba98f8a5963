//! Batch norm folded into the layer before it, for inference.
//!
//! At inference, batch norm is affine in each channel: with s = gamma / sqrt(running_variance + epsilon),
//!
//! `s (W x + b - running_mean) + beta = (s W) x + (s (b - running_mean) + beta)`,
//!
//! so that a dense layer or a convolution directly before it can do its work: `W' = s W`, `b' = s (b - mean) + beta`, s
//! over the last axis of W, the output channels. Computed in f64 and rounded once.
//!
//! Source: Jacob et al., Quantization and training of neural networks, 2018, section 3.2.

use super::{BatchNorm, Layer, NamedLayer, Sequential};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// The same function at inference without the batch norms that directly follow a dense layer or a convolution, inside
/// residual blocks as well. `values` are those of the slots, by name. What cannot be folded, since a value is missing
/// or has another shape, stays as it is.
///
/// ```
/// use bratt::nn::{Input, Sequential, fold_batch_norm};
/// use bratt::tensor::Tensor;
/// let network = Sequential::new(Input::features(1)).dense(1).batch_norm().relu();
/// let one = |value| Tensor::filled([1], value);
/// let values = [
///     ("dense1.weight", Tensor::filled([1, 1], 3.0)),
///     ("batch_norm1.gamma", one(2.0)),
///     ("batch_norm1.beta", one(0.5)),
///     ("batch_norm1.running_mean", one(1.0)),
///     ("batch_norm1.running_variance", one(4.0)),
/// ];
/// let values = values.map(|(name, value)| (name.to_string(), value)).into();
/// let (folded, values) = fold_batch_norm(&network, &values);
/// assert_eq!(folded.layers.len(), 2);
/// // 2 (3 x - 1) / sqrt(4 + 1e-5) + 0.5
/// assert_eq!(values["dense1.weight"].data(), [2.999_996_2]);
/// assert_eq!(values["dense1.bias"].data(), [-0.499_998_75]);
/// ```
pub fn fold_batch_norm(
    network: &Sequential,
    values: &BTreeMap<String, Tensor>,
) -> (Sequential, BTreeMap<String, Tensor>) {
    let (mut network, mut values) = (network.clone(), values.clone());
    fold_chain(&mut network.layers, "", &mut values);
    (network, values)
}

fn fold_chain(layers: &mut Vec<NamedLayer>, path: &str, values: &mut BTreeMap<String, Tensor>) {
    let mut kept: Vec<NamedLayer> = Vec::with_capacity(layers.len());
    for mut named in layers.drain(..) {
        let name = format!("{path}{}", named.name);
        if let Layer::Residual(block) = &mut named.layer {
            fold_chain(&mut block.layers, &format!("{name}/"), values);
            if let Some(layers) = block.shortcut.layers_mut() {
                fold_chain(layers, &format!("{name}/shortcut/"), values);
            }
        }
        let folded = match (&named.layer, kept.last_mut()) {
            (Layer::BatchNorm(norm), Some(before)) => {
                let before_name = format!("{path}{}", before.name);
                let bias = match &mut before.layer {
                    Layer::Dense(dense) => Some(&mut dense.bias),
                    Layer::Conv2d(conv) => Some(&mut conv.bias),
                    _ => None,
                };
                bias.is_some_and(|bias| {
                    let folded = fold_one(&before_name, &name, norm, values).is_some();
                    // The bias was left out by default, for the batch norm that is gone now.
                    if folded {
                        *bias = Some(true);
                    }
                    folded
                })
            }
            _ => false,
        };
        if !folded {
            kept.push(named);
        }
    }
    *layers = kept;
}

/// Changes the values of a layer and takes away those of the batch norm after it; nothing if they do not fit.
fn fold_one(
    layer: &str,
    norm_layer: &str,
    norm: &BatchNorm,
    values: &mut BTreeMap<String, Tensor>,
) -> Option<()> {
    const OF_NORM: [&str; 4] = ["gamma", "beta", "running_mean", "running_variance"];
    let (weight_name, bias_name) = (format!("{layer}.weight"), format!("{layer}.bias"));
    let weight = values.get(&weight_name)?;
    let channels = *weight.shape().last()?;
    let vector = |name: &str| {
        let tensor = values.get(name)?;
        (tensor.shape()[..] == [channels]).then(|| tensor.data().iter().map(|&x| f64::from(x)).collect())
    };
    let [gamma, beta, mean, variance]: [Option<Vec<f64>>; 4] =
        OF_NORM.map(|slot| vector(&format!("{norm_layer}.{slot}")));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let bias = if values.contains_key(&bias_name) { vector(&bias_name)? } else { vec![0.0; channels] };
    let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + norm.epsilon).sqrt()).collect();
    let folded = |i: usize| (f64::from(weight.data()[i]) * scale[i % channels]) as f32;
    let weight = Tensor::from_fn(weight.shape(), folded);
    let bias = Tensor::from_fn([channels], |c| (scale[c] * (bias[c] - mean[c]) + beta[c]) as f32);
    values.insert(weight_name, weight);
    values.insert(bias_name, bias);
    for slot in OF_NORM {
        values.remove(&format!("{norm_layer}.{slot}"));
    }
    Some(())
}
