//! Dense (fully connected, affine) layer.
//!
//! `y = x W + b`, x `[n, d]`, W `[d, units]`, b `[units]`, y `[n, units]`;
//! `dx = dy W^T`, `dW = x^T dy`, `db = sum over rows of dy`.
//!
//! Weight decay applies to W, not to b. Batch norm subtracts the mean of its input, so a bias in front of it has no
//! effect and a gradient of pure rounding noise: [`Sequential`](super::Sequential) leaves it out there unless told.
//!
//! Source: lecture on multilayer perceptrons.

use super::{Initializer, Parameters};
use crate::graph::{GraphBuilder, Init, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// A dense layer. Slots: `weight` `[d, units]`, `bias` `[units]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// The number of outputs.
    pub units: usize,
    /// How the weights start. Default: small normal directly in front of batch norm; He normal in front of ReLU,
    /// leaky ReLU or ELU; else Xavier uniform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Initializer>,
    /// Whether a bias is added; it starts at 0. Default: yes, unless batch norm follows directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<bool>,
}

impl Dense {
    /// A dense layer with `units` outputs and defaults elsewhere.
    pub fn new(units: usize) -> Dense {
        Dense { units, init: None, bias: None }
    }

    pub(crate) fn build(&self, g: &GraphBuilder, x: Value, parameters: &mut Parameters<'_>) -> Value {
        affine(g, x, self.units, self.units, self.init, self.bias, parameters)
    }

    pub(crate) fn output_shape(&self, input: &Shape) -> Result<Shape, String> {
        features(input)?;
        positive("units", self.units)?;
        self.init.and_then(Initializer::problem).map_or(Ok([self.units].into()), Err)
    }
}

/// `x W + b` with `columns` outputs, the part that dense and maxout share.
pub(crate) fn affine(
    g: &GraphBuilder,
    x: Value,
    columns: usize,
    fan_out: usize,
    init: Option<Initializer>,
    bias: Option<bool>,
    parameters: &mut Parameters<'_>,
) -> Value {
    let fan_in = g.shape(x).last().copied().unwrap_or(1);
    let init = init.unwrap_or(Initializer::XavierUniform).init(fan_in, fan_out);
    let weight = parameters.declare(g, "weight", [fan_in, columns], init, true);
    let y = g.matmul(x, weight);
    if bias.unwrap_or(true) {
        g.add(y, parameters.declare(g, "bias", [columns], Init::Constant(0.0), false))
    } else {
        y
    }
}

/// The number of features of an example that must be a plain vector.
pub(crate) fn features(input: &Shape) -> Result<usize, String> {
    match input[..] {
        [d] => Ok(d),
        _ => Err(format!(
            "found examples of shape {input}, expected one axis of features; put `flatten` before it"
        )),
    }
}

pub(crate) fn positive(key: &str, found: usize) -> Result<(), String> {
    if found > 0 { Ok(()) } else { Err(format!("found {key} = 0, expected at least 1")) }
}
