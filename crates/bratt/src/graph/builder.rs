//! Building graphs: shapes are checked at once, equal nodes are stored once, the first error is kept.

use super::{Graph, GraphError, Init, Input, Node, Op, Origin, Role, Slot, SlotId, Value};
use crate::tensor::Shape;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location;

/// The problem of a value that this builder did not hand out.
const STRANGER: &str = "found a value of another graph, expected values of this builder";

/// Builds a [`Graph`]. Methods take `&self`, so that calls nest: `g.mul(g.add(x, y), z)`.
///
/// Every value has at least one element and at most 6 axes.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: Vec<Node>,
    known: HashMap<(Op, Vec<Value>), Value>,
    inputs: Vec<Input>,
    slots: Vec<Slot>,
    outputs: Vec<(String, Value)>,
    updates: Vec<(SlotId, Value)>,
    layers: Vec<String>,
    streams: u32,
    error: Option<GraphError>,
}

impl Inner {
    fn layer(&self) -> String {
        self.layers.join("/")
    }
}

impl GraphBuilder {
    /// An empty builder.
    pub fn new() -> GraphBuilder {
        GraphBuilder::default()
    }

    /// Declares a tensor that is fed at every run.
    #[track_caller]
    pub fn input(&self, name: &str, shape: impl Into<Shape>) -> Value {
        let shape = shape.into();
        let index = {
            let mut inner = self.inner.borrow_mut();
            if let Some(index) = inner.inputs.iter().position(|i| i.name == name) {
                let known = inner.inputs[index].shape.clone();
                drop(inner);
                if known != shape {
                    return self.fail(
                        "input",
                        format!("`{name}` is declared with shape {known} and again with {shape}"),
                    );
                }
                index
            } else {
                inner.inputs.push(Input { name: name.to_string(), shape: shape.clone() });
                inner.inputs.len() - 1
            }
        };
        let value = self.add_node(Op::Input { index: index as u32, shape }, &[]);
        self.name(value, name)
    }

    /// Declares a scalar that is fed at every run.
    #[track_caller]
    pub fn scalar(&self, name: &str) -> Value {
        self.input(name, Shape::scalar())
    }

    /// Declares a slot of state and returns it with its value before the step. The name is prefixed with the
    /// current layer.
    #[track_caller]
    pub fn slot(&self, name: &str, shape: impl Into<Shape>, role: Role, init: Init) -> (SlotId, Value) {
        let shape = shape.into();
        let (slot, full_name) = {
            let mut inner = self.inner.borrow_mut();
            let full_name =
                if inner.layers.is_empty() { name.to_string() } else { format!("{}.{name}", inner.layer()) };
            let slot = SlotId(inner.slots.len() as u32);
            if inner.slots.iter().any(|s| s.name == full_name) {
                drop(inner);
                return (
                    slot,
                    self.fail("slot", format!("`{full_name}` is declared twice, expected unique names")),
                );
            }
            if let Init::Given(given) = &init
                && *given.shape() != shape
            {
                drop(inner);
                let problem = format!(
                    "initial value of `{full_name}`: found shape {}, expected {shape}",
                    given.shape()
                );
                return (slot, self.fail("slot", problem));
            }
            inner.slots.push(Slot { name: full_name.clone(), shape: shape.clone(), role, init });
            (slot, full_name)
        };
        let value = self.add_node(Op::Slot { slot, shape }, &[]);
        (slot, self.name(value, &full_name))
    }

    /// Declares the value of a slot after the step. At most one per slot.
    #[track_caller]
    pub fn update(&self, slot: SlotId, value: Value) {
        if value != Value::POISON && value.index() >= self.node_count() {
            self.fail("update", STRANGER.into());
            return;
        }
        let found = self.shape(value);
        let mut inner = self.inner.borrow_mut();
        let Some(Slot { name, shape, .. }) = inner.slots.get(slot.index()).cloned() else { return };
        let twice = inner.updates.iter().any(|&(s, _)| s == slot);
        if value != Value::POISON && (shape != found || twice) {
            drop(inner);
            let problem = if twice {
                format!("slot `{name}` is updated twice, expected one new value per step")
            } else {
                format!("found shape {found}, expected {shape} for slot `{name}`")
            };
            self.fail("update", problem);
        } else {
            inner.updates.push((slot, value));
        }
    }

    /// Declares a named result.
    #[track_caller]
    pub fn output(&self, name: &str, value: Value) {
        if self.inner.borrow().outputs.iter().any(|(n, _)| n == name) {
            self.fail("output", format!("`{name}` is declared twice, expected unique names"));
        } else if value != Value::POISON && value.index() >= self.node_count() {
            self.fail("output", STRANGER.into());
        } else {
            self.inner.borrow_mut().outputs.push((name.to_string(), value));
        }
    }

    /// Gives a value a name for printing and drawing, and returns it.
    pub fn name(&self, value: Value, name: &str) -> Value {
        if let Some(node) = self.inner.borrow_mut().nodes.get_mut(value.index()) {
            node.origin.name = Some(name.into());
        }
        value
    }

    /// Runs `build` inside a layer, whose name prefixes slots and stands in messages.
    pub fn layer<T>(&self, name: &str, build: impl FnOnce() -> T) -> T {
        self.inner.borrow_mut().layers.push(name.to_string());
        let result = build();
        self.inner.borrow_mut().layers.pop();
        result
    }

    /// Runs `build` as if inside the given layer, whatever the current one.
    pub(crate) fn layer_of<T>(&self, path: &str, build: impl FnOnce() -> T) -> T {
        let layers = path.split('/').filter(|s| !s.is_empty()).map(str::to_string).collect();
        let before = std::mem::replace(&mut self.inner.borrow_mut().layers, layers);
        let result = build();
        self.inner.borrow_mut().layers = before;
        result
    }

    /// A random stream that no other node of this graph uses.
    pub fn next_stream(&self) -> u32 {
        let mut inner = self.inner.borrow_mut();
        inner.streams += 1;
        inner.streams - 1
    }

    /// The shape of a value; scalar after an error.
    pub fn shape(&self, value: Value) -> Shape {
        self.inner.borrow().nodes.get(value.index()).map_or_else(Shape::scalar, |n| n.shape.clone())
    }

    /// The shapes of values, for messages.
    pub(crate) fn shapes(&self, values: &[Value]) -> String {
        let all: Vec<String> = values.iter().map(|&v| self.shape(v).to_string()).collect();
        all.join(", ")
    }

    /// The node behind a value, if there is one.
    pub(crate) fn node(&self, value: Value) -> Option<Node> {
        self.inner.borrow().nodes.get(value.index()).cloned()
    }

    /// The number of nodes so far.
    pub(crate) fn node_count(&self) -> usize {
        self.inner.borrow().nodes.len()
    }

    /// What is wrong so far: the problem without its place.
    pub(crate) fn problem(&self) -> Option<String> {
        self.inner.borrow().error.as_ref().map(|error| error.problem.clone())
    }

    /// Adds a node, or returns the one that is there.
    #[track_caller]
    pub(crate) fn add_node(&self, op: Op, inputs: &[Value]) -> Value {
        let location = Location::caller();
        let mut inner = self.inner.borrow_mut();
        if inputs.contains(&Value::POISON) {
            return Value::POISON;
        }
        if inputs.iter().any(|v| v.index() >= inner.nodes.len()) {
            drop(inner);
            return self.fail(op.name(), STRANGER.into());
        }
        let key = (op, inputs.to_vec());
        if let Some(&value) = inner.known.get(&key) {
            return value;
        }
        let (op, inputs) = key.clone();
        let shapes: Vec<&Shape> = inputs.iter().map(|v| &inner.nodes[v.index()].shape).collect();
        match op.shape(&shapes) {
            Ok(shape) => {
                let value = Value(inner.nodes.len() as u32);
                let origin = Origin { layer: inner.layer().into(), name: None, location };
                inner.nodes.push(Node { op, inputs, shape, origin });
                inner.known.insert(key, value);
                value
            }
            Err(problem) => {
                drop(inner);
                self.fail(op.name(), problem)
            }
        }
    }

    /// Adds a node of a pass, with the origin of the node that it stands for.
    pub(crate) fn add_node_from(&self, op: Op, inputs: &[Value], origin: &Origin) -> Value {
        let before = self.node_count();
        let value = self.add_node(op, inputs);
        if let Some(node) = self.inner.borrow_mut().nodes.get_mut(value.index())
            && (value.index() >= before || node.origin.name.is_none())
        {
            node.origin = origin.clone();
        }
        value
    }

    /// Keeps the first error and hands out the harmless value.
    #[track_caller]
    pub(crate) fn fail(&self, op: &str, problem: String) -> Value {
        let mut inner = self.inner.borrow_mut();
        if inner.error.is_none() {
            inner.error = Some(GraphError::new(&inner.layer(), op, problem, Location::caller()));
        }
        Value::POISON
    }

    /// The finished graph: only what outputs and updates need.
    ///
    /// # Errors
    /// The first error met while building.
    pub fn finish(self) -> Result<Graph, GraphError> {
        let inner = self.inner.into_inner();
        if let Some(error) = inner.error {
            return Err(error);
        }
        let Inner { nodes, inputs, slots, outputs, updates, .. } = inner;
        let mut graph = Graph { nodes, inputs, slots, outputs, updates };
        graph.drop_unused();
        Ok(graph)
    }
}

impl Graph {
    /// A builder that goes on from this graph. Its values, inputs and slots keep their meaning.
    pub fn into_builder(self) -> GraphBuilder {
        let Graph { nodes, inputs, slots, outputs, updates } = self;
        let known = nodes
            .iter()
            .enumerate()
            .map(|(i, node)| ((node.op.clone(), node.inputs.clone()), Value(i as u32)))
            .collect();
        let used = nodes.iter().filter_map(|node| match node.op {
            Op::Uniform { stream, .. } => Some(stream),
            _ => None,
        });
        let streams = used.max().map_or(0, |last| last.saturating_add(1));
        let inner =
            Inner { nodes, known, inputs, slots, outputs, updates, layers: Vec::new(), streams, error: None };
        GraphBuilder { inner: RefCell::new(inner) }
    }

    /// Removes nodes that no output or update needs; inputs and slots stay declared.
    fn drop_unused(&mut self) {
        let mut used = vec![false; self.nodes.len()];
        for v in self.outputs.iter().map(|o| o.1).chain(self.updates.iter().map(|u| u.1)) {
            used[v.index()] = true;
        }
        for i in (0..self.nodes.len()).rev() {
            if used[i] {
                for v in &self.nodes[i].inputs {
                    used[v.index()] = true;
                }
            }
        }
        let mut renamed = vec![Value::POISON; self.nodes.len()];
        let mut kept = Vec::new();
        for (i, mut node) in std::mem::take(&mut self.nodes).into_iter().enumerate().filter(|(i, _)| used[*i])
        {
            for v in &mut node.inputs {
                *v = renamed[v.index()];
            }
            renamed[i] = Value(kept.len() as u32);
            kept.push(node);
        }
        self.nodes = kept;
        for v in self.outputs.iter_mut().map(|o| &mut o.1).chain(self.updates.iter_mut().map(|u| &mut u.1)) {
            *v = renamed[v.index()];
        }
    }

    /// Rebuilds the graph through a builder: `rewrite` maps each node, given its rewritten arguments, to a value.
    /// Passes are written this way, so that common subexpressions and unused nodes vanish by construction.
    pub(crate) fn rebuild(
        &self,
        mut rewrite: impl FnMut(&GraphBuilder, &Node, &[Value]) -> Value,
    ) -> Result<Graph, GraphError> {
        let g = GraphBuilder::new();
        {
            let mut inner = g.inner.borrow_mut();
            inner.inputs = self.inputs.clone();
            inner.slots = self.slots.clone();
            inner.streams = u32::MAX / 2;
        }
        let mut values: Vec<Value> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs: Vec<Value> = node.inputs.iter().map(|v| values[v.index()]).collect();
            values.push(rewrite(&g, node, &inputs));
        }
        for (name, value) in &self.outputs {
            g.output(name, values[value.index()]);
        }
        for (slot, value) in &self.updates {
            g.update(*slot, values[value.index()]);
        }
        g.finish()
    }
}
