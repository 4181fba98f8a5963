//! `mlp`: multilayer perceptrons.
//!
//! For each hidden layer dense, batch norm, activation, dropout; then a dense layer of one logit per class.
//!
//! Source: lecture on multilayer perceptrons.

use super::start;
use crate::nn::{Layer, Relu, Sequential};

/// A multilayer perceptron: for each hidden layer dense, batch norm, activation, dropout; then a dense layer of one
/// logit per class.
#[derive(Clone, PartialEq, Debug)]
pub struct Mlp {
    /// Units of the hidden layers. Default 512, 256.
    pub hidden: Vec<usize>,
    /// Whether batch norm stands between each hidden dense layer and its activation. Default yes.
    pub batch_norm: bool,
    /// The activation of hidden layers. Default ReLU.
    pub activation: Layer,
    /// Probability of dropping hidden units; 0 for none. Default 0.5.
    pub dropout: f64,
    /// Probability of dropping inputs; 0 for none. Default 0.
    pub input_dropout: f64,
}

impl Default for Mlp {
    fn default() -> Mlp {
        Mlp {
            hidden: vec![512, 256],
            batch_norm: true,
            activation: Relu {}.into(),
            dropout: 0.5,
            input_dropout: 0.0,
        }
    }
}

impl Mlp {
    /// The network for examples of shape `input` and a number of outputs.
    pub fn network(&self, input: &[usize], outputs: usize) -> Sequential {
        let mut network = start(input);
        if self.input_dropout > 0.0 {
            network = network.dropout(self.input_dropout);
        }
        for &units in &self.hidden {
            network = network.dense(units);
            if self.batch_norm {
                network = network.batch_norm();
            }
            network = network.layer(self.activation.clone());
            if self.dropout > 0.0 {
                network = network.dropout(self.dropout);
            }
        }
        network.dense(outputs)
    }

    /// Reads `mlp-A-B-...[-bn][-dropout]`.
    pub(super) fn parse(name: &str) -> Option<Mlp> {
        let mut mlp = Mlp { hidden: vec![], batch_norm: false, dropout: 0.0, ..Mlp::default() };
        for part in name.strip_prefix("mlp-")?.split('-') {
            match part {
                "bn" => mlp.batch_norm = true,
                "dropout" => mlp.dropout = 0.5,
                // Options end the list of layers.
                _ if mlp.batch_norm || mlp.dropout > 0.0 => return None,
                _ => mlp.hidden.push(part.parse().ok().filter(|&units| units > 0)?),
            }
        }
        (!mlp.hidden.is_empty()).then_some(mlp)
    }
}
