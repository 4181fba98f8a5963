//! What a network and the parts of a residual block have in common: a chain of named layers.

use super::{BatchNorm, Initializer, Layer, Mode, NamedLayer, NnError, Parameters};
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;

/// Puts a layer at the end and names it by its kind and number.
pub(super) fn append(layers: &mut Vec<NamedLayer>, layer: Layer) {
    let kind = layer.kind();
    let mut number = 1 + layers.iter().filter(|l| l.layer.kind() == kind).count();
    while layers.iter().any(|l| l.name == format!("{kind}{number}")) {
        number += 1;
    }
    layers.push(NamedLayer { name: format!("{kind}{number}"), layer });
}

/// The shapes of one example: of the input, then after each layer. `path` goes before names in errors.
pub(super) fn shapes(layers: &[NamedLayer], input: Shape, path: &str) -> Result<Vec<Shape>, NnError> {
    let mut shapes = vec![input];
    for (i, NamedLayer { name, layer }) in layers.iter().enumerate() {
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let full_name = format!("{path}{name}");
        if name.is_empty() || !name.chars().all(fits) {
            return Err(NnError::BadName { layer: full_name });
        }
        if layers[..i].iter().any(|l| l.name == *name) {
            return Err(NnError::DuplicateName { layer: full_name });
        }
        let next = match layer {
            Layer::Residual(block) => block.shape_within(&shapes[i], &full_name)?,
            other => other.output_shape(&shapes[i]).map_err(|problem| NnError::Layer {
                layer: full_name,
                kind: other.kind(),
                problem,
            })?,
        };
        shapes.push(next);
    }
    Ok(shapes)
}

/// Writes the layers for a batch `x`. What `following` says comes after the last of them, for the defaults that
/// depend on it.
pub(super) fn write(
    layers: &[NamedLayer],
    following: &[&Layer],
    g: &GraphBuilder,
    x: Value,
    mode: Mode,
    parameters: &mut Parameters<'_>,
) -> Value {
    let all: Vec<&Layer> = layers.iter().map(|l| &l.layer).chain(following.iter().copied()).collect();
    layers.iter().enumerate().fold(x, |x, (i, NamedLayer { name, layer })| {
        let after = &all[i + 1..];
        g.layer(name, || match layer {
            Layer::Residual(block) => block.build(g, x, mode, parameters, after),
            plain => {
                let normaliser = after.first().filter(|_| i + 1 < layers.len());
                let normalised = matches!(normaliser, Some(Layer::BatchNorm(_)));
                resolved(plain, normalised, after).build(g, x, mode, parameters)
            }
        })
    })
}

/// A layer with the defaults that depend on what follows it.
fn resolved(layer: &Layer, normalised: bool, after: &[&Layer]) -> Layer {
    let mut layer = layer.clone();
    let activation = after.iter().find(|l| !l.is_between_dense_and_activation());
    let rectified = activation.is_some_and(|l| l.is_rectifier());
    match &mut layer {
        Layer::Dense(dense) => {
            // Batch norm takes the size of the weights out of the forward pass; what is left of it is the effective
            // learning rate, which falls with their square (van Laarhoven 2017), so they start small.
            let usual = match (normalised, rectified) {
                (true, _) => Initializer::SmallNormal { std: 0.01 },
                (false, true) => Initializer::HeNormal,
                (false, false) => Initializer::XavierUniform,
            };
            dense.init.get_or_insert(usual);
            dense.bias.get_or_insert(!normalised);
        }
        Layer::Conv2d(conv) => {
            let usual =
                if normalised || rectified { Initializer::HeNormal } else { Initializer::XavierUniform };
            conv.init.get_or_insert(usual);
            conv.bias.get_or_insert(!normalised);
        }
        _ => {}
    }
    layer
}

/// Calls `see` with each layer and its full name, those inside a residual block before the block.
pub(super) fn visit<'a>(layers: &'a [NamedLayer], path: &str, see: &mut impl FnMut(String, &'a Layer)) {
    for NamedLayer { name, layer } in layers {
        let full_name = format!("{path}{name}");
        if let Layer::Residual(block) = layer {
            visit(&block.layers, &format!("{full_name}/"), see);
            visit(block.shortcut.layers(), &format!("{full_name}/shortcut/"), see);
        }
        see(full_name, layer);
    }
}

/// Calls `change` with each layer, those inside residual blocks as well.
pub(super) fn visit_mut(layers: &mut [NamedLayer], change: &mut impl FnMut(&mut Layer)) {
    for NamedLayer { layer, .. } in layers {
        if let Layer::Residual(block) = layer {
            visit_mut(&mut block.layers, change);
            if let Some(layers) = block.shortcut.layers_mut() {
                visit_mut(layers, change);
            }
        }
        change(layer);
    }
}

/// Lets the last layer, if it is batch norm, start with gamma = 0.
pub(super) fn start_at_zero(layers: &mut [NamedLayer]) {
    if let Some(NamedLayer { layer: Layer::BatchNorm(last), .. }) = layers.last_mut() {
        *last = BatchNorm { gamma: 0.0, ..last.clone() };
    }
}
