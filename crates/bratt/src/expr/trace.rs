//! Values and gradients of every part of an expression.

use super::build::{Built, build};
use super::error::ExprError;
use super::traced::{Precision, TraceNode, Traced};
use super::{Expression, notes};
use crate::compile::{Options as Passes, compile};
use crate::exec::{Key, Machine, Slots, State, interpret};
use crate::graph::{Graph, Value};
use crate::tensor::{Shape, Tensor};

/// How an expression is traced.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    /// The part whose gradients are taken. Default: the last statement.
    pub of: Option<String>,
    /// The gradient that arrives at the result, in its shape. Default: ones, so that gradients are those of its sum.
    pub seed: Option<Tensor<f64>>,
    /// Which executor computes. Default: f64.
    pub precision: Precision,
    /// Decides the numbers of `uniform` and `dropout`. Default: 0.
    pub noise: u64,
}

/// Functions without any gradient. Others, such as losses, have none for their labels alone.
const PIECEWISE: [&str; 11] =
    ["lt", "le", "gt", "ge", "eq", "ne", "floor", "sign", "argmax", "argmin", "one_hot"];

/// The name of the input that holds the gradient of the result.
const SEED: &str = "trace: seed";

impl Expression {
    /// All values, and the gradients of the result with respect to each.
    ///
    /// # Errors
    /// A name without a value, a value without a name, shapes that do not fit each other, a part or a seed that does
    /// not exist or fit. Numbers that are not finite are no error, but shown as they are and noted.
    pub fn trace(&self, values: &[(&str, Tensor<f64>)], options: &Options) -> Result<Traced, ExprError> {
        let built = build(&self.source, &self.parsed, values, options.of.as_deref())?;
        let Built { g, parts, result, mut fed, .. } = built;
        let y = parts[result].value;
        let shape = g.shape(y);
        let seed = match &options.seed {
            None => g.full(&shape, 1.0),
            Some(seed) if *seed.shape() == shape => {
                fed.push((SEED.into(), seed.clone()));
                g.input(SEED, &shape)
            }
            Some(seed) => {
                let message = format!(
                    "the seed has shape {}, expected {shape} as `{}`",
                    seed.shape(),
                    parts[result].name
                );
                return Err(ExprError::of(&self.source, message));
            }
        };
        let (arrived, ends) = g.arriving(y, seed, true);
        let gradients: Vec<Option<Value>> =
            parts.iter().map(|part| arrived.get(part.value.index()).copied().flatten()).collect();
        for (i, part) in parts.iter().enumerate() {
            g.output(&format!("value {i}"), part.value);
            if let Some(gradient) = gradients[i] {
                g.output(&format!("gradient {i}"), gradient);
            }
        }
        let broken = |error: &dyn std::fmt::Display| ExprError::of(&self.source, error.to_string());
        let graph = g.finish().map_err(|error| broken(&error))?;
        let key = Key { seed: options.noise, step: 0 };
        let run = match options.precision {
            Precision::F64 => in_f64(&graph, &fed, key),
            Precision::F32 => in_f32(&graph, &fed, key),
        };
        let get = run.map_err(|error| broken(&error))?;
        let ends: Vec<(String, &'static str)> = ends
            .iter()
            .filter_map(|&(user, _, why)| {
                let part =
                    parts.iter().filter(|part| part.value.index() >= user.index()).min_by_key(|p| p.value);
                part.filter(|part| PIECEWISE.contains(&part.op)).map(|part| (part.text.clone(), why))
            })
            .collect();
        let nodes = parts
            .into_iter()
            .enumerate()
            .map(|(i, part)| {
                let shape = graph_shape(&graph, i);
                TraceNode {
                    name: part.name,
                    op: part.op.to_string(),
                    symbol: part.symbol,
                    text: part.text,
                    attributes: part.attributes,
                    inputs: part.inputs,
                    value: tensor(&shape, get(&format!("value {i}"))),
                    gradient: gradients[i].map(|_| tensor(&shape, get(&format!("gradient {i}")))),
                }
            })
            .collect();
        let mut traced = Traced {
            source: self.source.clone(),
            nodes,
            result,
            precision: options.precision,
            notes: Vec::new(),
        };
        traced.notes = notes::of(&traced, &ends);
        Ok(traced)
    }
}

fn graph_shape(graph: &Graph, part: usize) -> Shape {
    graph.output(&format!("value {part}")).map_or_else(Shape::scalar, |v| graph.node(v).shape.clone())
}

fn tensor(shape: &Shape, data: Vec<f64>) -> Tensor<f64> {
    Tensor::new(shape, data).unwrap_or_else(|_| Tensor::filled(shape, f64::NAN))
}

/// What gives a result of a run by its name.
type Results<'a> = Box<dyn Fn(&str) -> Vec<f64> + 'a>;
type Broken = Box<dyn std::error::Error>;

fn in_f64<'a>(graph: &'a Graph, fed: &[(String, Tensor<f64>)], key: Key) -> Result<Results<'a>, Broken> {
    let inputs: Vec<(&str, &Tensor<f64>)> = fed.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let trace = interpret(graph, &inputs, &State::new(), key)?;
    Ok(Box::new(move |name| trace.output(name).map_or_else(Vec::new, |value| value.data().to_vec())))
}

fn in_f32<'a>(graph: &'a Graph, fed: &[(String, Tensor<f64>)], key: Key) -> Result<Results<'a>, Broken> {
    // Winograd's transforms trade digits for speed.
    let program = compile(graph, &Passes { winograd: false, ..Passes::default() })?;
    let mut slots = Slots::new(program.layout().clone(), 0);
    let mut runner = Machine::new(1).load(program);
    for (name, value) in fed {
        runner.set(name, value.to_f32().data())?;
    }
    runner.run(&mut slots, key);
    Ok(Box::new(move |name| {
        runner.get(name).map_or_else(Vec::new, |values| values.iter().map(|&x| f64::from(x)).collect())
    }))
}
