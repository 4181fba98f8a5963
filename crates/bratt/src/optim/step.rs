//! One training step being written: the parameters that were registered, and what their equations share.

use super::{Optimizer, Rule, average, clip};
use crate::graph::{GraphBuilder, Init, Role, SlotId, Value};

/// A training step being written by an [`Optimizer`].
#[derive(Debug)]
pub struct Step {
    optimizer: Optimizer,
    lr: Value,
    /// The input `momentum`, if scheduled.
    momentum: Option<Value>,
    /// The slot `optim.step` and t, the number of this step counted from 1, if the equations need it.
    counter: Option<(SlotId, Value)>,
    registered: Vec<Registered>,
}

/// A parameter, and the momentum slot that the look-ahead has already declared.
#[derive(Debug, Clone)]
struct Registered {
    name: String,
    slot: SlotId,
    value: Value,
    decay: bool,
    velocity: Option<(SlotId, Value)>,
}

/// What the equations of one parameter are written with.
pub(crate) struct Context<'a> {
    pub(crate) g: &'a GraphBuilder,
    /// The optimiser's name, which prefixes slots.
    optimizer: &'static str,
    /// The parameter's name and its value before the step.
    name: &'a str,
    pub(crate) value: Value,
    /// The gradient, after clipping and weight decay.
    pub(crate) gradient: Value,
    pub(crate) lr: Value,
    pub(crate) momentum: Option<Value>,
    /// The number of this step, from 1; the constant 1 if the rule did not ask for it.
    pub(crate) t: Value,
    /// The slot that the look-ahead has declared.
    pub(crate) velocity: Option<(SlotId, Value)>,
    /// The strength of decoupled decay for this parameter.
    pub(crate) decoupled_decay: f64,
}

impl Context<'_> {
    /// A slot of the optimiser beside the parameter, of its shape, starting at 0.
    pub(crate) fn slot(&self, what: &str) -> (SlotId, Value) {
        companion(self.g, self.optimizer, self.name, what, self.value)
    }

    /// `rho old + (1 - rho) new`, a running mean.
    pub(crate) fn running_mean(&self, rho: f64, old: Value, new: Value) -> Value {
        let g = self.g;
        g.add(g.mul(g.constant(rho), old), g.mul(g.constant(1.0 - rho), new))
    }
}

/// Declares the slot `<optimizer>.<parameter>.<what>`.
fn companion(g: &GraphBuilder, optimizer: &str, parameter: &str, what: &str, like: Value) -> (SlotId, Value) {
    let shape = g.shape(like);
    g.layer_of(optimizer, || {
        g.slot(&format!("{parameter}.{what}"), shape, Role::Optimizer, Init::Constant(0.0))
    })
}

impl Step {
    #[track_caller]
    pub(super) fn new(optimizer: &Optimizer, g: &GraphBuilder) -> Step {
        if let Err(error) = optimizer.check() {
            g.fail("optimizer", error.to_string());
        }
        let counts = matches!(optimizer.rule, Rule::Adam(_) | Rule::AdamW(_)) || optimizer.average.is_some();
        let counter = counts.then(|| {
            let (slot, done) =
                g.layer_of("optim", || g.slot("step", [], Role::Optimizer, Init::Constant(0.0)));
            (slot, g.layer_of("optim", || g.add(done, g.constant(1.0))))
        });
        Step {
            optimizer: optimizer.clone(),
            lr: g.scalar("lr"),
            momentum: optimizer.schedules_momentum().then(|| g.scalar("momentum")),
            counter,
            registered: Vec::new(),
        }
    }

    /// Registers a parameter by its unique name, its slot and its value before the step; `decay` says whether weight
    /// decay applies to it. Returns the value that the forward pass must read and with respect to which the gradient
    /// is to be taken: the value itself, or the look-ahead of Nesterov's momentum.
    pub fn point(&mut self, g: &GraphBuilder, name: &str, slot: SlotId, value: Value, decay: bool) -> Value {
        let name = name.to_string();
        let mut velocity = None;
        let mut point = value;
        if let Rule::Nesterov(rule) = &self.optimizer.rule {
            let optimizer = self.optimizer.name();
            let declared = companion(g, optimizer, &name, "velocity", value);
            point = g.layer_of(optimizer, || rule.look_ahead(g, value, declared.1, self.momentum));
            velocity = Some(declared);
        }
        self.registered.push(Registered { name, slot, value, decay, velocity });
        point
    }

    /// Writes the updates of all registered parameters, given the gradients of the loss with respect to their points,
    /// in the order in which they were registered. Returns the norm of the whole gradient before clipping, if it is
    /// clipped by norm.
    ///
    /// Errors, reported when the graph is finished: another number of gradients, or other shapes.
    #[track_caller]
    pub fn update(self, g: &GraphBuilder, gradients: &[Value]) -> Option<Value> {
        if gradients.len() != self.registered.len() {
            let problem = format!(
                "found {} gradients for {} registered parameters",
                gradients.len(),
                self.registered.len()
            );
            g.fail("optimizer", problem);
            return None;
        }
        let optimizer = self.optimizer.name();
        let (gradients, norm) = g.layer_of(optimizer, || {
            clip::clip(g, gradients, self.optimizer.clip_value, self.optimizer.clip_norm)
        });
        let t = self.counter.map_or_else(|| g.constant(1.0), |(_, t)| t);
        if let Some((slot, t)) = self.counter {
            g.update(slot, t);
        }
        for (p, &gradient) in self.registered.iter().zip(&gradients) {
            let decay = if p.decay { self.optimizer.effective_weight_decay() } else { 0.0 };
            let next = g.layer_of(optimizer, || {
                let decoupled = matches!(self.optimizer.rule, Rule::AdamW(_));
                let gradient = if decay == 0.0 || decoupled {
                    gradient
                } else {
                    // The decay belongs to the loss, so it is taken at the point of the gradient.
                    let point = match (&self.optimizer.rule, p.velocity) {
                        (Rule::Nesterov(rule), Some((_, v))) => rule.look_ahead(g, p.value, v, self.momentum),
                        _ => p.value,
                    };
                    g.add(gradient, g.mul(g.constant(decay), point))
                };
                let context = Context {
                    g,
                    optimizer,
                    name: &p.name,
                    value: p.value,
                    gradient,
                    lr: self.lr,
                    momentum: self.momentum,
                    t,
                    velocity: p.velocity,
                    decoupled_decay: if decoupled { decay } else { 0.0 },
                };
                match &self.optimizer.rule {
                    Rule::Sgd(rule) => rule.update(&context),
                    Rule::Momentum(rule) => rule.update(&context),
                    Rule::Nesterov(rule) => rule.update(&context),
                    Rule::AdaGrad(rule) => rule.update(&context),
                    Rule::RmsProp(rule) => rule.update(&context),
                    Rule::Adam(rule) => rule.update(&context),
                    Rule::AdamW(rule) => rule.update(&context),
                }
            });
            g.update(p.slot, next);
            if let Some(kept) = self.optimizer.average {
                let (slot, average) = average::update(g, kept, t, &p.name, next);
                g.update(slot, average);
            }
        }
        norm
    }
}
