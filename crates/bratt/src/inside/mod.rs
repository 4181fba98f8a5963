//! Floor 5: a trained model and one example, layer by layer: every value on the way forward and every gradient on the
//! way back.
//!
//! The network is written in inference mode with its loss L behind it: the cross-entropy of one class, `L = -log p_c`, or of
//! a regression the prediction itself. One backward pass gives dL/dv for the value v that each layer hands on, and for
//! each parameter: `dL/dv = sum over the users u of v of dL/du du/dv`. The compiled executor computes, in f32 and
//! without folding batch norm away, so that what is shown is what was trained.
//!
//! | file | what |
//! |---|---|
//! | `statistics` | [`Statistics`]: many numbers in a few |
//! | `page`, `page.css`, `page.js` | [`inside_page`]: layers as cards |
//! | `heat` | a layer's numbers as a small picture |
//!
//! Source: lecture on computational graphs; cs231n notes on backpropagation.

mod heat;
mod page;
mod statistics;
#[cfg(test)]
mod tests;

pub use page::inside_page;
pub use statistics::Statistics;

use crate::compile::{CompileError, Options, compile};
use crate::exec::{Key, Machine, SlotError, Slots};
use crate::graph::{Graph, GraphBuilder, GraphError, Op, Role, Value};
use crate::model::{TrainedModel, first_largest};
use crate::nn::{Layer, Mode, Parameters, Task};
use crate::tensor::{Shape, Tensor};
use std::collections::BTreeMap;

/// Why a model cannot be looked into.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsideError {
    /// The network cannot be built.
    #[error("the network cannot be built")]
    Build(#[from] GraphError),
    /// The network cannot be compiled.
    #[error("the network cannot be compiled")]
    Compile(#[from] CompileError),
    /// The values do not fit the network.
    #[error("the values do not fit the network")]
    Values(#[from] SlotError),
    /// The number of features does not fit.
    #[error("found {found} numbers, expected the {} of an example of shape {expected}", expected.len())]
    Features {
        /// The numbers given.
        found: usize,
        /// The shape of one example.
        expected: Shape,
    },
    /// No such class.
    #[error("found class {found}, expected one of the {count} classes, counted from 0")]
    Class {
        /// The class given.
        found: usize,
        /// The number of classes.
        count: usize,
    },
}

/// A parameter or buffer of a layer.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// The slot, such as `conv2d1.weight`.
    pub name: String,
    /// Its value.
    pub value: Tensor,
    /// The gradient of the loss with respect to it; none for what is not learned.
    pub gradient: Option<Tensor>,
}

/// What one layer hands on.
#[derive(Clone, PartialEq, Debug)]
pub struct Station {
    /// The layer's full name, such as `residual1/conv2d1`; `features` and `loss` at the ends.
    pub name: String,
    /// The kind of layer, such as `conv2d`; `input` and `loss` at the ends.
    pub op: String,
    /// The layer in words, such as `conv 16 of 3x3`.
    pub about: String,
    /// The stations whose values it takes, as positions in [`Inside::stations`].
    pub inputs: Vec<usize>,
    /// What it hands on, without the batch's axis.
    pub value: Tensor,
    /// The gradient of the loss with respect to that; none where the loss does not depend on it.
    pub gradient: Option<Tensor>,
    /// What it holds.
    pub held: Vec<Held>,
}

/// From which share of units on that are dead or saturated a layer is worth a word.
const NOTABLE: f64 = 0.9;

impl Station {
    /// What is worth a word: numbers that are not finite, units of a rectifier that are 0, and of a sigmoid or tanh that are
    /// within 1 % of their bounds.
    pub fn notes(&self) -> Vec<String> {
        let values = self.value.data();
        let share = |is: &dyn Fn(f32) -> bool| {
            values.iter().filter(|&&x| is(x)).count() as f64 / values.len().max(1) as f64
        };
        let mut notes = Vec::new();
        let mut note = |share: f64, what: &str| {
            if share >= NOTABLE {
                notes.push(format!("{}: {:.0} % of its units {what}", self.name, 100.0 * share));
            }
        };
        match self.op.as_str() {
            "relu" | "relu6" => note(share(&|x| x == 0.0), "are 0 here and pass no gradient on"),
            "sigmoid" => note(share(&|x| !(0.01..=0.99).contains(&x)), "are saturated"),
            "tanh" => note(share(&|x| x.abs() > 0.99), "are saturated"),
            _ => {}
        }
        let gradient = self.gradient.iter().map(|gradient| ("gradient", gradient.data()));
        for (what, numbers) in std::iter::once(("value", values)).chain(gradient) {
            let broken = numbers.iter().filter(|x| !x.is_finite()).count();
            if broken > 0 {
                notes.push(format!(
                    "{}: {broken} of {} numbers of its {what} are not finite",
                    self.name,
                    numbers.len()
                ));
            }
        }
        notes
    }
}

/// A model and one example with all their numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Inside {
    /// The stations, each after those that it takes values of. Layers that hand on what they get, such as dropout, which
    /// rests at inference, are none.
    pub stations: Vec<Station>,
    /// The class whose cross-entropy is the loss; none for regression.
    pub class: Option<usize>,
    /// The class that the model predicts; none for regression.
    pub predicted: Option<usize>,
    /// The probability of each class, without temperature.
    pub probabilities: Vec<f32>,
    /// The loss; of a regression, the prediction.
    pub loss: f32,
}

/// The value that a station hands on, while the graph is written.
struct Place {
    name: String,
    op: String,
    about: String,
    inputs: Vec<usize>,
    value: Value,
}

/// Runs one example, `features` in the order of the network's input, forward and backward. The loss is that of `class`,
/// by default the one that is predicted.
///
/// # Errors
/// [`InsideError::Features`] and [`InsideError::Class`] for what does not fit the model.
pub fn look_inside(
    machine: &Machine,
    model: &TrainedModel,
    features: &[f32],
    class: Option<usize>,
) -> Result<Inside, InsideError> {
    let expected = Shape::from(&model.network.input[..]);
    if features.len() != expected.len() {
        return Err(InsideError::Features { found: features.len(), expected });
    }
    let (graph, places) = inside_graph(model)?;
    // Winograd's transforms trade digits for speed.
    let program = compile(&graph, &Options { winograd: false, ..Options::default() })?;
    let mut slots = Slots::new(program.layout().clone(), 0);
    for (name, value) in &model.values {
        slots.set(name, value)?;
    }
    let mut runner = machine.load(program);
    let mut run = |label: usize| {
        if let Some(x) = runner.input_mut("features") {
            x.copy_from_slice(features);
        }
        if let Some(x) = runner.input_mut("label") {
            x.fill(label as f32);
        }
        runner.run(&mut slots, Key::default());
        let outputs = graph.outputs().iter();
        let outputs = outputs.map(|(name, _)| (name.clone(), runner.get(name).unwrap_or_default().to_vec()));
        outputs.collect::<BTreeMap<String, Vec<f32>>>()
    };
    let mut found = run(class.unwrap_or(0));
    let row = found.get("probabilities").cloned().unwrap_or_default();
    let probabilities = match (model.task, row.first()) {
        (Task::Binary, Some(&p)) => vec![1.0 - p, p],
        _ => row,
    };
    let predicted = (!probabilities.is_empty()).then(|| first_largest(&probabilities));
    let count = probabilities.len();
    if let Some(found) = class.filter(|&class| class >= count) {
        return Err(InsideError::Class { found, count });
    }
    let class = class.or(predicted);
    if class.is_some_and(|class| class != 0) {
        found = run(class.unwrap_or(0));
    }
    let mut take = |name: &str, shape: &Shape| {
        let values = found.remove(name)?;
        Tensor::new(shape, values).ok()
    };
    let mut stations = Vec::with_capacity(places.len());
    for (i, place) in places.into_iter().enumerate() {
        let (value, gradient) = (format!("value {i}"), format!("gradient {i}"));
        let Some(node) = graph.output(&value) else { continue };
        let shape = &graph.node(node).shape;
        // One example: the batch's axis says nothing.
        let shape = Shape::from(shape.get(1..).unwrap_or_default());
        let Some(value) = take(&value, &shape) else { continue };
        let held = graph.slots().iter().filter(|slot| owner(&slot.name) == place.name);
        let held = held.filter_map(|slot| {
            let value = model.values.get(&slot.name)?.clone();
            let gradient = take(&format!("gradient of {}", slot.name), &slot.shape);
            let gradient = gradient.filter(|_| slot.role == Role::Parameter);
            Some(Held { name: slot.name.clone(), value, gradient })
        });
        let held = held.collect();
        let Place { name, op, about, inputs, .. } = place;
        stations.push(Station { name, op, about, inputs, value, gradient: take(&gradient, &shape), held });
    }
    let loss = stations.last().and_then(|s| s.value.data().first().copied());
    // No loss at all is not written -0.
    let loss = loss.map_or(f32::NAN, |loss| loss + 0.0);
    Ok(Inside { stations, class, predicted, probabilities, loss })
}

/// The layer of a slot.
fn owner(slot: &str) -> &str {
    slot.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// The graph of one example: inputs `features` and `label`; outputs `value i` and `gradient i` of each place, `gradient
/// of SLOT`, and `probabilities` where there are some.
fn inside_graph(model: &TrainedModel) -> Result<(Graph, Vec<Place>), GraphError> {
    let g = Graph::builder();
    let mut shape = vec![1];
    shape.extend(&model.network.input);
    let features = g.input("features", shape);
    let logits = model.network.forward(&g, features, Mode::Inference, &mut Parameters::new());
    let loss = match model.task {
        Task::Regress => logits,
        task => {
            let label = g.input("label", [1]);
            g.layer("loss", || task.losses(&g, logits, label))
        }
    };
    if g.problem().is_some() {
        return g.finish().map(|graph| (graph, Vec::new()));
    }
    let mut places = places(&g, model, features);
    let end = places.len() - 1;
    if model.task != Task::Regress {
        let about = "cross-entropy of the class".to_string();
        places.push(Place { name: "loss".into(), op: "loss".into(), about, inputs: vec![end], value: loss });
    }
    let (arrived, _) = g.arriving(loss, g.full(g.shape(loss), 1.0), true);
    let arrived = |value: Value| arrived.get(value.index()).copied().flatten();
    for (i, place) in places.iter().enumerate() {
        g.output(&format!("value {i}"), place.value);
        if let Some(gradient) = arrived(place.value) {
            g.output(&format!("gradient {i}"), gradient);
        }
    }
    for at in 0..=loss.index() {
        let value = Value(at as u32);
        if let Some(node) = g.node(value)
            && let (Op::Slot { .. }, Some(name)) = (&node.op, &node.origin.name)
            && let Some(gradient) = arrived(value)
        {
            g.output(&format!("gradient of {name}"), gradient);
        }
    }
    match model.task {
        Task::Classify => g.output("probabilities", g.softmax(logits, 1)),
        Task::Binary => g.output("probabilities", g.sigmoid(logits)),
        Task::Regress => {}
    }
    Ok((g.finish()?, places))
}

/// The layers as places: each hands on the last value that was written in it, and takes those of other places that its
/// nodes use.
fn places(g: &GraphBuilder, model: &TrainedModel, features: Value) -> Vec<Place> {
    let mut layers: BTreeMap<String, &Layer> = BTreeMap::new();
    model.network.for_each_layer(|name, layer| {
        layers.insert(name, layer);
    });
    let count = g.node_count();
    let place_of = |origin: &str| {
        // The innermost layer: what a layer writes may have names of its own below it.
        let mut path = origin;
        loop {
            if layers.contains_key(path) {
                return Some(path.to_string());
            }
            path = path.rsplit_once('/')?.0;
        }
    };
    let nodes: Vec<_> = (0..count).filter_map(|i| g.node(Value(i as u32))).collect();
    let computes = |op: &Op| !matches!(op, Op::Slot { .. } | Op::Input { .. } | Op::Constant(_));
    // What does not depend on the example, such as the root of a variance, may be one node for layers far apart.
    let mut depends = vec![false; count];
    for (i, node) in nodes.iter().enumerate() {
        depends[i] = i == features.index() || node.inputs.iter().any(|x| depends[x.index()]);
    }
    let owners: Vec<Option<String>> = nodes
        .iter()
        .zip(&depends)
        .map(
            |(node, depends)| {
                if *depends && computes(&node.op) { place_of(&node.origin.layer) } else { None }
            },
        )
        .collect();
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, owner) in owners.iter().enumerate() {
        if let Some(owner) = owner {
            last.insert(owner, i);
        }
    }
    let mut order: Vec<(usize, &str)> = last.iter().map(|(&name, &at)| (at, name)).collect();
    order.sort_unstable();
    let number: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(i, &(_, name))| (name, i + 1)).collect();
    let about = "the example as the network takes it".to_string();
    let first =
        Place { name: "features".into(), op: "input".into(), about, inputs: Vec::new(), value: features };
    let mut places = vec![first];
    for &(at, name) in &order {
        let mut inputs = Vec::new();
        for (node, owner) in nodes.iter().zip(&owners).filter(|(_, owner)| owner.as_deref() == Some(name)) {
            for x in &node.inputs {
                let from = match owners.get(x.index()).cloned().flatten() {
                    _ if *x == features => Some(0),
                    Some(other) if Some(&other) != owner.as_ref() => number.get(other.as_str()).copied(),
                    _ => None,
                };
                inputs.extend(from.filter(|from| !inputs.contains(from)));
            }
        }
        let layer = layers[name];
        let (op, about) = (layer.kind().to_string(), layer.describe());
        places.push(Place { name: name.into(), op, about, inputs, value: Value(at as u32) });
    }
    places
}
