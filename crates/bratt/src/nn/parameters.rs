//! The trainable slots that layers declare, and the point at which they are read.

use crate::graph::{GraphBuilder, Init, Role, SlotId, Value};
use crate::tensor::Shape;
use std::fmt;

/// Which of its two forms a layer is built in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Batch statistics, random dropout, running statistics updated.
    Training,
    /// Running statistics, no randomness, no updates.
    Inference,
}

/// One trainable slot.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// The slot.
    pub slot: SlotId,
    /// Its full name, such as `dense1.weight`.
    pub name: String,
    /// Its value before the step.
    pub value: Value,
    /// The value that the forward pass reads, with respect to which gradients are to be taken; the same as `value`
    /// unless the optimiser looks ahead.
    pub point: Value,
    /// Whether weight decay applies: to weights, not to biases nor to batch norm's gamma and beta.
    pub decay: bool,
}

/// Chooses the value that the forward pass reads for a parameter.
pub type Point<'a> = Box<dyn FnMut(&GraphBuilder, &Parameter) -> Value + 'a>;

/// Collects the trainable slots of a graph, in the order of their declaration.
#[derive(Default)]
pub struct Parameters<'a> {
    list: Vec<Parameter>,
    point: Option<Point<'a>>,
}

impl<'a> Parameters<'a> {
    /// Parameters that are read as they are.
    pub fn new() -> Parameters<'a> {
        Parameters::default()
    }

    /// Parameters that are read at the point that `point` returns for each: how an optimiser registers them, and how
    /// Nesterov's look-ahead reads `x + mu v` instead of `x`.
    pub fn read_at(point: impl FnMut(&GraphBuilder, &Parameter) -> Value + 'a) -> Parameters<'a> {
        Parameters { list: Vec::new(), point: Some(Box::new(point)) }
    }

    /// Declares a trainable slot in the current layer and returns the value to compute with.
    #[track_caller]
    pub fn declare(
        &mut self,
        g: &GraphBuilder,
        name: &str,
        shape: impl Into<Shape>,
        init: Init,
        decay: bool,
    ) -> Value {
        let (slot, value) = g.slot(name, shape, Role::Parameter, init);
        // The builder put the layer before the name; a poisoned value has no name and reports itself.
        let name = g.node(value).and_then(|n| n.origin.name).map_or_else(String::new, |n| n.to_string());
        let mut parameter = Parameter { slot, name, value, point: value, decay };
        if let Some(point) = &mut self.point {
            parameter.point = point(g, &parameter);
        }
        let point = parameter.point;
        self.list.push(parameter);
        point
    }

    /// The parameters so far.
    pub fn list(&self) -> &[Parameter] {
        &self.list
    }

    /// The values with respect to which gradients are to be taken.
    pub fn points(&self) -> Vec<Value> {
        self.list.iter().map(|p| p.point).collect()
    }

    /// The parameters alone; lets go of what [`Parameters::read_at`] borrowed.
    pub fn into_list(self) -> Vec<Parameter> {
        self.list
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}
