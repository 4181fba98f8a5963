//! Activations: the nonlinearities between layers, element by element.
//!
//! | layer | y | good for |
//! |---|---|---|
//! | relu | max(x, 0) | the default: does not saturate above 0, cheap; a unit can die |
//! | relu6 | min(max(x, 0), 6) | small networks: keeps numbers in a range that few bits hold |
//! | leaky_relu | x, or slope x below 0 | no dead units |
//! | elu | x, or alpha (e^x - 1) below 0 | mean nearer 0 |
//! | sigmoid | 1 / (1 + e^-x) | outputs that are probabilities; saturates, not centred |
//! | tanh | tanh x | centred; saturates |
//! | softplus | ln(1 + e^x) | a smooth ReLU |
//!
//! The derivatives stand with the operations, in `graph::ops::pointwise`. Maxout has weights and its own layer.
//!
//! Source: lecture on activation functions; Maas et al. 2013; Clevert et al. 2016; Howard et al.
//! 2017 for relu6.

use crate::graph::{GraphBuilder, Value};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident $method:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {}

        impl $name {
            pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
                g.$method(x)
            }
        }
    )*};
}

plain! {
    /// `max(x, 0)`
    Relu relu
    /// `1 / (1 + e^-x)`
    Sigmoid sigmoid
    /// The hyperbolic tangent.
    Tanh tanh
    /// `ln(1 + e^x)`
    Softplus softplus
}

/// `min(max(x, 0), 6)`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu6 {}

impl Relu6 {
    pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
        g.relu6(x)
    }
}

/// `x` where positive, `slope x` elsewhere.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyRelu {
    /// The slope below zero. Default 0.01.
    pub slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> LeakyRelu {
        LeakyRelu { slope: 0.01 }
    }
}

impl LeakyRelu {
    pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
        g.leaky_relu(x, self.slope)
    }

    pub(crate) fn output_shape(self, input: &Shape) -> Result<Shape, String> {
        finite("slope", self.slope).map(|()| input.clone())
    }
}

/// `x` where positive, `alpha (e^x - 1)` elsewhere.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elu {
    /// The limit at minus infinity, negated. Default 1.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Elu {
        Elu { alpha: 1.0 }
    }
}

impl Elu {
    pub(crate) fn build(self, g: &GraphBuilder, x: Value) -> Value {
        g.elu(x, self.alpha)
    }

    pub(crate) fn output_shape(self, input: &Shape) -> Result<Shape, String> {
        finite("alpha", self.alpha).map(|()| input.clone())
    }
}

fn finite(key: &str, found: f64) -> Result<(), String> {
    if found.is_finite() { Ok(()) } else { Err(format!("found {key} = {found}, expected a finite number")) }
}
