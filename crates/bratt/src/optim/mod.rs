//! Floor 2: optimisers as graph equations.
//!
//! An optimiser writes, for each parameter, the value after the step as a pointwise function of the value before it,
//! the gradient and the optimiser's own slots; factors that only depend on the step are scalars, computed once. It
//! knows nothing of layers. Two phases, because Nesterov's gradient is taken at another point than the parameter:
//!
//! 1. [`Step::point`] registers a parameter and returns the value that the forward pass must read;
//! 2. [`Step::update`] takes the gradients with respect to those points, in the same order.
//!
//! Between gradient and equation: clipping ([`clip`](self#clipping)), then weight decay `g + weight_decay w` for
//! parameters that decay (AdamW instead shrinks the parameter beside the adaptive step).
//!
//! The learning rate is the scalar input `lr` of the graph; a momentum that grows on a schedule is the scalar input
//! `momentum`. Slots are named `<optimizer>.<parameter>.velocity` and the like.
//!
//! With [`Optimizer::average`] the step also keeps a running average of each parameter, in the slot `average.<parameter>`.
//!
//! # Clipping
//! By value, `g = min(max(g, -c), c)`, then by global norm, `g = g min(1, c / ||g||)` over all parameters together.
//!
//! ```
//! use bratt::graph::{Graph, Init, Role};
//! use bratt::optim::{Momentum, Optimizer};
//! let g = Graph::builder();
//! let (slot, w) = g.slot("w", [], Role::Parameter, Init::Constant(1.0));
//! let mut step = Optimizer::from(Momentum::default()).begin(&g);
//! let point = step.point(&g, "w", slot, w, true);
//! let loss = g.square(point);
//! let [dw] = g.gradients(loss, [point]);
//! step.update(&g, &[dw]);
//! g.output("loss", loss);
//! let graph = g.finish()?;
//! assert_eq!(graph.slots()[1].name, "momentum.w.velocity");
//! # Ok::<(), bratt::graph::GraphError>(())
//! ```

mod adagrad;
mod adam;
mod adamw;
mod average;
mod clip;
mod momentum;
mod nesterov;
mod rmsprop;
mod sgd;
mod step;

pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub(crate) use average::PREFIX as AVERAGE;
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use step::Step;

use crate::graph::GraphBuilder;
use serde::{Deserialize, Serialize};

/// The closed set of update equations.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Rule {
    Sgd(Sgd),
    Momentum(Momentum),
    Nesterov(Nesterov),
    #[serde(rename = "adagrad")]
    AdaGrad(AdaGrad),
    #[serde(rename = "rmsprop")]
    RmsProp(RmsProp),
    Adam(Adam),
    #[serde(rename = "adamw")]
    AdamW(AdamW),
}

/// The names of the optimisers, as configurations spell them.
pub const NAMES: [&str; 7] = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"];

/// An optimiser: its equations, and what applies to all of them. In a configuration one flat table with a `type`.
///
/// ```
/// use bratt::optim::{Adam, Optimizer};
/// let optimizer: Optimizer = serde_json::from_str(r#"{"type": "adam", "rho2": 0.99, "clip_norm": 1.0}"#)?;
/// assert_eq!(optimizer, Optimizer::from(Adam { rho2: 0.99, ..Adam::default() }).clip_norm(1.0));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Optimizer {
    /// The update equations.
    #[serde(flatten)]
    pub rule: Rule,
    /// The strength of weight decay. Default 0, for AdamW 0.01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Each component of the gradient is limited to plus or minus this. Default no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// The norm of the gradient over all parameters is limited to this. Default no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// How much of the running average of the weights is kept at each step. Default no average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
}

/// An optimiser's setting that cannot be.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum OptimError {
    /// A number outside of its range.
    #[error("{optimizer}: found {key} = {found}, expected {expected}")]
    Setting {
        /// The optimiser's name.
        optimizer: &'static str,
        /// The setting.
        key: &'static str,
        /// Its value.
        found: f64,
        /// The range.
        expected: &'static str,
    },
    /// No optimiser has this name.
    #[error("no optimizer is named `{name}`; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, or all names.
        hint: String,
    },
}

macro_rules! from_rules {
    ($($name:ident)*) => {$(
        impl From<$name> for Optimizer {
            fn from(rule: $name) -> Optimizer {
                Optimizer {
                    rule: Rule::$name(rule),
                    weight_decay: None,
                    clip_value: None,
                    clip_norm: None,
                    average: None,
                }
            }
        }
    )*};
}

from_rules! { Sgd Momentum Nesterov AdaGrad RmsProp Adam AdamW }

impl Optimizer {
    /// The optimiser of a name, with defaults.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn by_name(name: &str) -> Result<Optimizer, OptimError> {
        Ok(match name {
            "sgd" => Sgd::default().into(),
            "momentum" => Momentum::default().into(),
            "nesterov" => Nesterov::default().into(),
            "adagrad" => AdaGrad::default().into(),
            "rmsprop" => RmsProp::default().into(),
            "adam" => Adam::default().into(),
            "adamw" => AdamW::default().into(),
            _ => {
                let hint = crate::names::hint(name, &NAMES);
                return Err(OptimError::Unknown { name: name.into(), hint });
            }
        })
    }

    /// The same optimiser with weight decay.
    pub fn weight_decay(mut self, strength: f64) -> Optimizer {
        self.weight_decay = Some(strength);
        self
    }

    /// The same optimiser with each component of the gradient limited.
    pub fn clip_value(mut self, limit: f64) -> Optimizer {
        self.clip_value = Some(limit);
        self
    }

    /// The same optimiser with the norm of the whole gradient limited.
    pub fn clip_norm(mut self, limit: f64) -> Optimizer {
        self.clip_norm = Some(limit);
        self
    }

    /// The same optimiser with a running average of the weights, of which `kept` is kept at each step; it is the average
    /// that is then judged, and that the trained model has.
    pub fn average(mut self, kept: f64) -> Optimizer {
        self.average = Some(kept);
        self
    }

    /// The name, as configurations spell it.
    pub fn name(&self) -> &'static str {
        match self.rule {
            Rule::Sgd(_) => "sgd",
            Rule::Momentum(_) => "momentum",
            Rule::Nesterov(_) => "nesterov",
            Rule::AdaGrad(_) => "adagrad",
            Rule::RmsProp(_) => "rmsprop",
            Rule::Adam(_) => "adam",
            Rule::AdamW(_) => "adamw",
        }
    }

    /// A usual learning rate to begin with.
    pub fn default_learning_rate(&self) -> f64 {
        match self.rule {
            Rule::Sgd(_) => 0.1,
            Rule::Momentum(Momentum { dampened: true, .. }) => 0.1,
            Rule::Momentum(_) | Rule::Nesterov(_) | Rule::AdaGrad(_) => 0.01,
            Rule::RmsProp(_) | Rule::Adam(_) | Rule::AdamW(_) => 1e-3,
        }
    }

    /// Whether the graph has the scalar input `momentum`, to be fed by a schedule.
    pub fn schedules_momentum(&self) -> bool {
        match &self.rule {
            Rule::Momentum(rule) => rule.scheduled,
            Rule::Nesterov(rule) => rule.scheduled,
            Rule::Sgd(_) | Rule::AdaGrad(_) | Rule::RmsProp(_) | Rule::Adam(_) | Rule::AdamW(_) => false,
        }
    }

    /// The strength of weight decay that applies.
    pub fn effective_weight_decay(&self) -> f64 {
        let usual = if matches!(self.rule, Rule::AdamW(_)) { 0.01 } else { 0.0 };
        self.weight_decay.unwrap_or(usual)
    }

    /// One line for people, such as `adam (rho1 0.9, rho2 0.999, epsilon 1e-8), clip norm 1`.
    pub fn describe(&self) -> String {
        let mut text = match &self.rule {
            Rule::Sgd(_) => "sgd".to_string(),
            Rule::Momentum(rule) => rule.describe(),
            Rule::Nesterov(rule) => rule.describe(),
            Rule::AdaGrad(rule) => rule.describe(),
            Rule::RmsProp(rule) => rule.describe(),
            Rule::Adam(rule) => rule.describe(),
            Rule::AdamW(rule) => rule.describe(),
        };
        let decay = self.effective_weight_decay();
        let extras = [
            ("weight decay", Some(decay).filter(|&d| d != 0.0)),
            ("clip value", self.clip_value),
            ("clip norm", self.clip_norm),
            ("average of weights", self.average),
        ];
        for (name, value) in extras {
            if let Some(value) = value {
                text += &format!(", {name} {}", number(value));
            }
        }
        text
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting outside of its range.
    pub fn check(&self) -> Result<(), OptimError> {
        let optimizer = self.name();
        let setting = |key, found: f64, good: bool, expected| {
            if good { Ok(()) } else { Err(OptimError::Setting { optimizer, key, found, expected }) }
        };
        let decay_rate = |key, x: f64| setting(key, x, (0.0..1.0).contains(&x), "at least 0 and below 1");
        let positive = |key, x: f64| setting(key, x, x > 0.0 && x.is_finite(), "a finite number above 0");
        match &self.rule {
            Rule::Sgd(_) => {}
            Rule::Momentum(rule) => decay_rate("mu", rule.mu)?,
            Rule::Nesterov(rule) => decay_rate("mu", rule.mu)?,
            Rule::AdaGrad(rule) => positive("epsilon", rule.epsilon)?,
            Rule::RmsProp(rule) => {
                decay_rate("rho", rule.rho)?;
                positive("epsilon", rule.epsilon)?;
            }
            Rule::Adam(Adam { rho1, rho2, epsilon, .. }) | Rule::AdamW(AdamW { rho1, rho2, epsilon }) => {
                decay_rate("rho1", *rho1)?;
                decay_rate("rho2", *rho2)?;
                positive("epsilon", *epsilon)?;
            }
        }
        let decay = self.effective_weight_decay();
        setting("weight_decay", decay, decay >= 0.0 && decay.is_finite(), "a finite number of at least 0")?;
        self.clip_value.map_or(Ok(()), |c| positive("clip_value", c))?;
        self.clip_norm.map_or(Ok(()), |c| positive("clip_norm", c))?;
        self.average.map_or(Ok(()), |kept| decay_rate("average", kept))
    }

    /// Begins to write a training step: declares the inputs `lr` and, if scheduled, `momentum`, and the step counter
    /// if the equations need it.
    ///
    /// Errors, reported when the graph is finished: what [`Optimizer::check`] finds.
    #[track_caller]
    pub fn begin(&self, g: &GraphBuilder) -> Step {
        Step::new(self, g)
    }
}

/// Where epsilon stands in a quotient by a root mean square.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Epsilon {
    /// `g / (sqrt(r) + epsilon)`
    #[default]
    Outside,
    /// `g / sqrt(r + epsilon)`
    Inside,
}

/// A number as people write it: 0.9, 1e-8.
fn number(x: f64) -> String {
    if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e6) { format!("{x:e}") } else { format!("{x}") }
}

#[cfg(test)]
mod tests;
