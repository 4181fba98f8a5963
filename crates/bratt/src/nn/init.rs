//! How weights start.
//!
//! With n = fan_in inputs and m = fan_out outputs of a unit's layer:
//!
//! | name | distribution | aim |
//! |---|---|---|
//! | zeros | 0 | for biases only |
//! | small_normal | N(0, std^2), std 0.01 | shallow networks |
//! | xavier_normal | N(0, 2 / (n + m)) | variance kept forward and backward, for tanh, sigmoid, linear |
//! | xavier_uniform | U(-l, l), l = sqrt(6 / (n + m)) | the same variance, since Var U(-l, l) = l^2 / 3 |
//! | he_normal | N(0, 2 / n) | variance kept through ReLU, which zeroes half of a symmetric input |
//! | he_uniform | U(-l, l), l = sqrt(6 / n) | the same variance |
//! | orthogonal | gain Q, Q^T Q = I | lengths kept exactly in a deep linear network |
//!
//! Why not zeros for weights: all units of a layer then compute the same, get the same gradient and stay equal for
//! ever; with all layers at zero, no gradient at all reaches the lower ones. Small random numbers break the symmetry,
//! but in deep networks a fixed size lets activations and gradients vanish or explode layer by layer, so the size must
//! follow the fans.
//!
//! Sources: Glorot and Bengio 2010; He et al. 2015; Saxe et al. 2014; lecture on initialisation.

use crate::graph::Init;
use serde::{Deserialize, Serialize};

/// How the weights of a layer start.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// All zero. For weights this keeps all units of a layer equal; see the module's text.
    Zeros,
    /// Normal with a fixed standard deviation, usually 0.01.
    SmallNormal {
        /// The standard deviation.
        std: f64,
    },
    /// Normal with variance 2 / (fan_in + fan_out).
    XavierNormal,
    /// Uniform with variance 2 / (fan_in + fan_out).
    XavierUniform,
    /// Normal with variance 2 / fan_in.
    HeNormal,
    /// Uniform with variance 2 / fan_in.
    HeUniform,
    /// Orthonormal rows or columns times `gain`; gain 1 for linear layers, sqrt 2 for ReLU.
    Orthogonal {
        /// The factor.
        gain: f64,
    },
}

impl Initializer {
    /// The start of weights between `fan_in` inputs and `fan_out` outputs.
    ///
    /// ```
    /// use bratt::{graph::Init, nn::Initializer};
    /// assert_eq!(Initializer::HeNormal.init(800, 10), Init::Normal(0.05));
    /// ```
    pub fn init(self, fan_in: usize, fan_out: usize) -> Init {
        let n = fan_in.max(1) as f64;
        let both = (fan_in + fan_out).max(1) as f64;
        match self {
            Initializer::Zeros => Init::Constant(0.0),
            Initializer::SmallNormal { std } => Init::Normal(std as f32),
            Initializer::XavierNormal => Init::Normal((2.0 / both).sqrt() as f32),
            Initializer::XavierUniform => Init::Uniform((6.0 / both).sqrt() as f32),
            Initializer::HeNormal => Init::Normal((2.0 / n).sqrt() as f32),
            Initializer::HeUniform => Init::Uniform((6.0 / n).sqrt() as f32),
            Initializer::Orthogonal { gain } => Init::Orthogonal(gain as f32),
        }
    }

    /// What is wrong with the settings, if anything.
    pub(crate) fn problem(self) -> Option<String> {
        match self {
            Initializer::SmallNormal { std } if !(std.is_finite() && std >= 0.0) => {
                Some(format!("found initial std {std}, expected a finite number of at least 0"))
            }
            Initializer::Orthogonal { gain } if !gain.is_finite() => {
                Some(format!("found initial gain {gain}, expected a finite number"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance that an initialisation draws from.
    fn variance(init: Init) -> f64 {
        match init {
            Init::Normal(std) => f64::from(std).powi(2),
            Init::Uniform(limit) => f64::from(limit).powi(2) / 3.0,
            Init::Constant(_) => 0.0,
            other => panic!("{other:?} has no single variance"),
        }
    }

    #[test]
    fn normal_and_uniform_forms_have_the_variance_of_their_paper() {
        for (fan_in, fan_out) in [(784, 512), (1, 1), (3, 1000)] {
            let xavier = 2.0 / (fan_in + fan_out) as f64;
            let he = 2.0 / fan_in as f64;
            for (initializer, expected) in [
                (Initializer::XavierNormal, xavier),
                (Initializer::XavierUniform, xavier),
                (Initializer::HeNormal, he),
                (Initializer::HeUniform, he),
                (Initializer::SmallNormal { std: 0.01 }, 1e-4),
                (Initializer::Zeros, 0.0),
            ] {
                let found = variance(initializer.init(fan_in, fan_out));
                assert!((found - expected).abs() <= 1e-6 * expected, "{initializer:?}: {found} {expected}");
            }
        }
    }

    #[test]
    fn configuration_spells_plain_kinds_as_one_word() {
        let plain: Initializer = serde_json::from_str(r#""he_uniform""#).expect("a known name");
        assert_eq!(plain, Initializer::HeUniform);
        let with_std: Initializer =
            serde_json::from_str(r#"{"small_normal":{"std":0.02}}"#).expect("a table");
        assert_eq!(with_std, Initializer::SmallNormal { std: 0.02 });
        assert!(serde_json::from_str::<Initializer>(r#""glorot""#).is_err());
    }
}
