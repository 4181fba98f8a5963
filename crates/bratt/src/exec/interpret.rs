//! The reference interpreter: evaluates a graph in f64, node by node, and keeps every value.
//!
//! It is slow on purpose: each operation is its definition (`textbook.rs` and the `eval` of the pointwise
//! tables), with no regard to speed or memory. Random nodes give the numbers that the compiled executor gives.

use super::textbook::{self, images};
use crate::graph::{Graph, Node, Op, Value};
use crate::tensor::{Shape, Tensor};
pub use bratt_kernels::random::Key;
use bratt_kernels::random::uniform_at;
use std::collections::BTreeMap;

/// The state of a computation: every slot's value by the slot's name.
pub type State = BTreeMap<String, Tensor<f64>>;

/// Why a graph could not be interpreted: what it was given does not fit what it declares.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InterpretError {
    /// A declared input was not given.
    #[error("input `{name}` of shape {expected} is missing")]
    MissingInput {
        /// The input.
        name: String,
        /// Its shape.
        expected: Shape,
    },
    /// The graph declares no such input.
    #[error("input `{name}` is unknown; the graph's inputs are {}", list(known))]
    UnknownInput {
        /// The name given.
        name: String,
        /// The names that the graph declares.
        known: Vec<String>,
    },
    /// An input was given twice.
    #[error("input `{name}` is given twice")]
    RepeatedInput {
        /// The input.
        name: String,
    },
    /// An input has another shape than declared.
    #[error("input `{name}`: found shape {found}, expected {expected}")]
    InputShape {
        /// The input.
        name: String,
        /// The shape given.
        found: Shape,
        /// The shape that the graph declares.
        expected: Shape,
    },
    /// The state lacks a slot.
    #[error("slot `{name}` of shape {expected} is missing from the state")]
    MissingSlot {
        /// The slot.
        name: String,
        /// Its shape.
        expected: Shape,
    },
    /// A slot's value has another shape than declared.
    #[error("slot `{name}`: found shape {found}, expected {expected}")]
    SlotShape {
        /// The slot.
        name: String,
        /// The shape in the state.
        found: Shape,
        /// The shape that the graph declares.
        expected: Shape,
    },
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".into() } else { quoted.join(", ") }
}

/// Every value that one run computed.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    values: Vec<Tensor<f64>>,
    outputs: Vec<(String, Value)>,
    new_state: State,
}

impl Trace {
    /// The value of one node.
    ///
    /// # Panics
    /// If `value` belongs to another, larger graph.
    pub fn value(&self, value: Value) -> &Tensor<f64> {
        &self.values[value.index()]
    }

    /// The values of all nodes, in the order of [`Graph::nodes`].
    pub fn values(&self) -> &[Tensor<f64>] {
        &self.values
    }

    /// The value of a named output.
    pub fn output(&self, name: &str) -> Option<&Tensor<f64>> {
        self.outputs.iter().find(|(n, _)| n == name).map(|(_, v)| self.value(*v))
    }

    /// The state after the step: the state before it, with the graph's updates applied.
    pub fn new_state(&self) -> &State {
        &self.new_state
    }

    /// As [`Trace::new_state`], handing it over.
    pub fn into_new_state(self) -> State {
        self.new_state
    }
}

/// Evaluates every node of `graph`.
///
/// All declared inputs must be given. `state` must hold every slot of the graph and may hold more, which are handed
/// on unchanged: training and evaluation graphs share one state. `key` gives the random nodes their numbers.
///
/// # Errors
/// An input or slot that is missing, unknown, repeated or of another shape than declared.
///
/// ```
/// use bratt::exec::{Key, State, interpret};
/// use bratt::graph::{Graph, Init, Role};
/// use bratt::tensor::Tensor;
///
/// let g = Graph::builder();
/// let (counter, before) = g.slot("count", [], Role::Buffer, Init::Constant(0.0));
/// g.update(counter, g.add(before, g.constant(1.0)));
/// let graph = g.finish()?;
///
/// let mut state = State::from([("count".to_string(), Tensor::scalar(0.0))]);
/// for step in 0..3 {
///     state = interpret(&graph, &[], &state, Key { seed: 0, step })?.into_new_state();
/// }
/// assert_eq!(state["count"], Tensor::scalar(3.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn interpret(
    graph: &Graph,
    inputs: &[(&str, &Tensor<f64>)],
    state: &State,
    key: Key,
) -> Result<Trace, InterpretError> {
    run(graph, inputs, state, key, |_, computed| computed)
}

/// As [`interpret`]; `observe` sees each node's value as it is computed, and what it returns is passed on instead.
pub(crate) fn run(
    graph: &Graph,
    inputs: &[(&str, &Tensor<f64>)],
    state: &State,
    key: Key,
    mut observe: impl FnMut(usize, Tensor<f64>) -> Tensor<f64>,
) -> Result<Trace, InterpretError> {
    let sources = Sources { inputs: bind_inputs(graph, inputs)?, slots: bind_slots(graph, state)?, key };
    let mut values: Vec<Tensor<f64>> = Vec::with_capacity(graph.nodes().len());
    for (i, node) in graph.nodes().iter().enumerate() {
        let arguments: Vec<&Tensor<f64>> = node.inputs.iter().map(|v| &values[v.index()]).collect();
        let value = evaluate(node, &arguments, &sources);
        values.push(observe(i, value));
    }
    let mut new_state = state.clone();
    for (slot, value) in graph.updates() {
        new_state.insert(graph.slots()[slot.index()].name.clone(), values[value.index()].clone());
    }
    Ok(Trace { values, outputs: graph.outputs().to_vec(), new_state })
}

/// What a run is given, in the order in which the graph declares it.
struct Sources<'a> {
    inputs: Vec<&'a Tensor<f64>>,
    slots: Vec<&'a Tensor<f64>>,
    key: Key,
}

fn bind_inputs<'a>(
    graph: &Graph,
    given: &[(&str, &'a Tensor<f64>)],
) -> Result<Vec<&'a Tensor<f64>>, InterpretError> {
    for (i, (name, _)) in given.iter().enumerate() {
        if !graph.inputs().iter().any(|declared| declared.name == *name) {
            let known = graph.inputs().iter().map(|declared| declared.name.clone()).collect();
            return Err(InterpretError::UnknownInput { name: name.to_string(), known });
        }
        if given[..i].iter().any(|(earlier, _)| earlier == name) {
            return Err(InterpretError::RepeatedInput { name: name.to_string() });
        }
    }
    let bind = |declared: &crate::graph::Input| {
        let (name, expected) = (declared.name.clone(), declared.shape.clone());
        match given.iter().find(|(given, _)| *given == name) {
            None => Err(InterpretError::MissingInput { name, expected }),
            Some((_, value)) if *value.shape() != expected => {
                Err(InterpretError::InputShape { name, found: value.shape().clone(), expected })
            }
            Some((_, value)) => Ok(*value),
        }
    };
    graph.inputs().iter().map(bind).collect()
}

fn bind_slots<'a>(graph: &Graph, state: &'a State) -> Result<Vec<&'a Tensor<f64>>, InterpretError> {
    let bind = |declared: &crate::graph::Slot| {
        let (name, expected) = (declared.name.clone(), declared.shape.clone());
        match state.get(&name) {
            None => Err(InterpretError::MissingSlot { name, expected }),
            Some(value) if *value.shape() != expected => {
                Err(InterpretError::SlotShape { name, found: value.shape().clone(), expected })
            }
            Some(value) => Ok(value),
        }
    };
    graph.slots().iter().map(bind).collect()
}

/// The one place where each operation is matched to its definition.
fn evaluate(node: &Node, x: &[&Tensor<f64>], sources: &Sources) -> Tensor<f64> {
    match &node.op {
        Op::Input { index, .. } => sources.inputs[*index as usize].clone(),
        Op::Slot { slot, .. } => sources.slots[slot.index()].clone(),
        Op::Constant(value) => Tensor::scalar(value.get()),
        Op::Iota { shape, axis } => textbook::iota(shape, *axis),
        Op::Uniform { shape, stream } => {
            Tensor::from_fn(shape.clone(), |i| f64::from(uniform_at(sources.key, *stream, i as u64)))
        }
        Op::Unary(f) => textbook::map(x[0], |x| f.eval(x)),
        Op::Binary(f) => textbook::zip(x[0], x[1], |a, b| f.eval(a, b)),
        Op::Select => textbook::select(x[0], x[1], x[2]),
        Op::StopGradient => x[0].clone(),
        Op::Broadcast { shape } => textbook::broadcast(x[0], shape),
        Op::Reshape { shape } => textbook::reshape(x[0], shape),
        Op::Transpose { order } => textbook::transpose(x[0], order),
        Op::Slice { start, end } => textbook::slice(x[0], start, end),
        Op::Pad { low, high, value } => textbook::pad(x[0], low, high, value.get()),
        Op::Concat { axis } => textbook::concat(x, *axis),
        Op::Reduce { kind, axes } => textbook::reduce(x[0], *kind, axes),
        Op::ArgReduce { kind, axis } => textbook::arg_reduce(x[0], *kind, *axis),
        Op::MatMul { trans_a, trans_b } => textbook::matmul(x[0], *trans_a, x[1], *trans_b),
        Op::DepthwiseMatMul { trans_a } => textbook::depthwise_matmul(x[0], *trans_a, x[1]),
        Op::Windows { window, spread } => images::windows(x[0], window, *spread),
        Op::Conv2d { window, groups } => images::conv2d(x[0], x[1], window, *groups, &node.shape),
        Op::Conv2dInputGradient { window, groups, .. } => {
            images::conv2d_input_gradient(x[0], x[1], window, *groups, &node.shape)
        }
        Op::Conv2dWeightGradient { window, groups } => {
            images::conv2d_weight_gradient(x[0], x[1], window, *groups, &node.shape)
        }
        Op::MaxPool2d { window } => images::max_pool2d(x[0], window, &node.shape),
        Op::MaxPool2dGradient { window } => images::max_pool2d_gradient(x[0], x[1], window),
        Op::AvgPool2d { window } => images::avg_pool2d(x[0], window, &node.shape),
        Op::AvgPool2dGradient { window, .. } => images::avg_pool2d_gradient(x[0], window, &node.shape),
        Op::Softmax { axis } => textbook::softmax(x[0], *axis),
        Op::LogSoftmax { axis } => textbook::log_softmax(x[0], *axis),
        Op::Standardize { axes, epsilon } => textbook::standardize(x[0], axes, epsilon.get()),
    }
}
