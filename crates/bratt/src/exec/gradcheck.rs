//! Gradient checking: gradients of a graph against finite differences, in f64.
//!
//! For a result f and one element x of an input or slot, the central difference with step h is
//!
//! ```text
//! D(h) = (f(x + h) - f(x - h)) / 2h  =  f'(x) + f'''(x) h^2 / 6 + ...
//! ```
//!
//! and Richardson's extrapolation (4 D(h/2) - D(h)) / 3 removes the h^2 term. Steps of 1e-2, 1e-3, ... times
//! max(1, |x|) are tried; the one with the smallest estimate of its own error is taken, so that neither a strongly
//! curved function nor a nearby kink spoils the comparison. The error is relative, with a floor under which
//! differences count as absolute:
//!
//! ```text
//! error = |analytic - numeric| / max(|analytic|, |numeric|, floor)
//! ```
//!
//! A result that is not a scalar is checked through its inner product with fixed random weights. What stands behind
//! `stop_gradient` is held at its value, as the gradient holds it. At a kink itself (relu at 0) the two sides differ
//! and the check fails: choose other points.
//!
//! Sources: lecture notes on gradient checks; Ridders, Accurate computation of F'(x) and F'(x)F''(x), 1982.

use super::interpret::{InterpretError, Key, State, Trace, interpret, run};
use crate::graph::{Graph, GraphBuilder, GraphError, Op, Value};
use crate::tensor::Tensor;
use bratt_kernels::random::uniform_at;
use std::fmt;

/// How gradients are checked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Numbers of random nodes, such as dropout masks. Default: seed 0, step 0.
    pub key: Key,
    /// Gradients below this are compared absolutely. Default: 1e-4.
    pub floor: f64,
    /// At most so many elements of each tensor, spread evenly. Default: all.
    pub samples: Option<usize>,
}

impl Default for Options {
    fn default() -> Options {
        Options { key: Key::default(), floor: 1e-4, samples: None }
    }
}

/// Why gradients could not be checked.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum GradcheckError {
    /// The graph has no such output.
    #[error("output `{name}` is unknown; the graph's outputs are {}", known.join(", "))]
    UnknownOutput {
        /// The name asked for.
        name: String,
        /// The names of the graph.
        known: Vec<String>,
    },
    /// The graph has no such input or slot.
    #[error("neither an input nor a slot is called `{name}`")]
    UnknownVariable {
        /// The name asked for.
        name: String,
    },
    /// There is no gradient.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Inputs or state do not fit the graph.
    #[error(transparent)]
    Interpret(#[from] InterpretError),
}

/// The comparison for one input or slot, at the element where it is worst.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The input or slot.
    pub name: String,
    /// How many of its elements were checked.
    pub checked: usize,
    /// The largest relative error; infinite where a gradient is not a number.
    pub error: f64,
    /// The index of that element.
    pub place: Vec<usize>,
    /// The graph's gradient there.
    pub analytic: f64,
    /// The finite difference there.
    pub numeric: f64,
}

/// What a gradient check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// One for each input or slot, in the order asked for.
    pub entries: Vec<Entry>,
}

impl Report {
    /// The largest relative error of all; 0 if nothing was checked.
    pub fn largest_error(&self) -> f64 {
        self.entries.iter().fold(0.0, |worst, entry| worst.max(entry.error))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.entries.iter().map(|e| e.name.len()).max().unwrap_or(0).max("variable".len());
        writeln!(
            f,
            "{:width$}  {:>8}  {:>9}  {:>16}  {:>16}  at",
            "variable", "checked", "error", "graph", "difference"
        )?;
        for e in &self.entries {
            writeln!(
                f,
                "{:width$}  {:>8}  {:>9.1e}  {:>16.9e}  {:>16.9e}  {:?}",
                e.name, e.checked, e.error, e.analytic, e.numeric, e.place
            )?;
        }
        Ok(())
    }
}

/// Checks the gradients of `output` with respect to the named inputs and slots, at the point given by `inputs` and
/// `state`, with default [`Options`].
///
/// # Errors
/// Unknown names, inputs or state that do not fit, or an output that has no gradient with respect to a name.
///
/// ```
/// use bratt::exec::{State, gradcheck};
/// use bratt::{graph::Graph, tensor::Tensor};
///
/// let g = Graph::builder();
/// let (x, w) = (g.input("x", [2, 3]), g.input("w", [3, 4]));
/// g.output("loss", g.mean_all(g.square(g.tanh(g.matmul(x, w)))));
/// let graph = g.finish()?;
///
/// let x = Tensor::new([2, 3], vec![0.3, -1.2, 0.5, 0.8, 0.1, -0.4])?;
/// let w = Tensor::from_fn([3, 4], |i| (i as f64).sin());
/// let report = gradcheck(&graph, "loss", &["x", "w"], &[("x", &x), ("w", &w)], &State::new())?;
/// assert!(report.largest_error() < 1e-8, "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gradcheck(
    graph: &Graph,
    output: &str,
    of: &[&str],
    inputs: &[(&str, &Tensor<f64>)],
    state: &State,
) -> Result<Report, GradcheckError> {
    gradcheck_with(graph, output, of, inputs, state, Options::default())
}

/// As [`gradcheck`], with other options.
///
/// # Errors
/// As [`gradcheck`].
pub fn gradcheck_with(
    graph: &Graph,
    output: &str,
    of: &[&str],
    inputs: &[(&str, &Tensor<f64>)],
    state: &State,
    options: Options,
) -> Result<Report, GradcheckError> {
    let forward = Forward::new(graph, output, inputs, state, options.key)?;
    let variables = of.iter().map(|name| Variable::find(graph, name)).collect::<Result<Vec<_>, _>>()?;
    let gradients = forward.gradients(&variables)?;
    let entries = variables.iter().zip(&gradients).map(|(v, gradient)| forward.compare(v, gradient, options));
    Ok(Report { entries: entries.collect::<Result<_, InterpretError>>()? })
}

/// An input or slot by name.
#[derive(Clone)]
struct Variable {
    name: String,
    op: Op,
}

impl Variable {
    fn find(graph: &Graph, name: &str) -> Result<Variable, GradcheckError> {
        let input = graph
            .inputs()
            .iter()
            .position(|i| i.name == name)
            .map(|index| Op::Input { index: index as u32, shape: graph.inputs()[index].shape.clone() });
        let slot = || {
            graph.slots().iter().position(|s| s.name == name).map(|index| Op::Slot {
                slot: crate::graph::SlotId(index as u32),
                shape: graph.slots()[index].shape.clone(),
            })
        };
        match input.or_else(slot) {
            Some(op) => Ok(Variable { name: name.to_string(), op }),
            None => Err(GradcheckError::UnknownVariable { name: name.to_string() }),
        }
    }
}

/// The part of a graph that one output needs, at one point.
struct Forward<'a> {
    graph: Graph,
    weights: Tensor<f64>,
    inputs: &'a [(&'a str, &'a Tensor<f64>)],
    state: &'a State,
    key: Key,
    /// All values at the point.
    trace: Trace,
}

impl<'a> Forward<'a> {
    fn new(
        graph: &Graph,
        output: &str,
        inputs: &'a [(&'a str, &'a Tensor<f64>)],
        state: &'a State,
        key: Key,
    ) -> Result<Forward<'a>, GradcheckError> {
        let Some(value) = graph.output(output) else {
            let known = graph.outputs().iter().map(|(name, _)| name.clone()).collect();
            return Err(GradcheckError::UnknownOutput { name: output.to_string(), known });
        };
        let graph = only(graph.clone(), value)?;
        let trace = interpret(&graph, inputs, state, key)?;
        let weights = weights(graph.node(graph.outputs()[0].1).shape.clone());
        Ok(Forward { graph, weights, inputs, state, key, trace })
    }

    /// The graph's own gradients.
    fn gradients(&self, variables: &[Variable]) -> Result<Vec<Tensor<f64>>, GradcheckError> {
        // The weights enter as one more input, whose name no user's input can have by accident.
        const SEED: &str = "gradcheck: weights of the result";
        let y = self.graph.outputs()[0].1;
        let g = self.graph.clone().into_builder();
        let seed = g.input(SEED, self.weights.shape());
        let xs: Vec<Value> = variables.iter().map(|v| g.add_node(v.op.clone(), &[])).collect();
        let gradients = g.vector_jacobian(y, seed, &xs);
        for (i, &gradient) in gradients.iter().enumerate() {
            g.output(&format!("gradcheck: gradient {i}"), gradient);
        }
        let graph = g.finish()?;
        let mut inputs = self.inputs.to_vec();
        inputs.push((SEED, &self.weights));
        let trace = interpret(&graph, &inputs, self.state, self.key)?;
        let at = graph.outputs().len() - variables.len();
        Ok(graph.outputs()[at..].iter().map(|(_, v)| trace.value(*v).clone()).collect())
    }

    fn compare(
        &self,
        variable: &Variable,
        gradient: &Tensor<f64>,
        options: Options,
    ) -> Result<Entry, InterpretError> {
        let count = gradient.shape().len();
        let checked = options.samples.map_or(count, |most| most.min(count));
        let mut entry = Entry {
            name: variable.name.clone(),
            checked,
            error: 0.0,
            place: Vec::new(),
            analytic: 0.0,
            numeric: 0.0,
        };
        for sample in 0..checked {
            let i = sample * count / checked;
            let analytic = gradient.data()[i];
            let numeric = self.derivative(variable, i, options.floor)?;
            let error = relative_error(analytic, numeric, options.floor);
            if sample == 0 || error > entry.error {
                let place =
                    gradient.shape().iter().zip(gradient.shape().strides()).map(|(d, s)| i / s % d).collect();
                entry = Entry { error, place, analytic, numeric, ..entry };
            }
        }
        Ok(entry)
    }

    /// The numeric derivative with respect to element `i` of a variable, by the best of several steps.
    fn derivative(&self, variable: &Variable, i: usize, floor: f64) -> Result<f64, InterpretError> {
        let x = self.point(variable).data()[i];
        let (mut best, mut best_uncertainty) = (f64::NAN, f64::INFINITY);
        for step in [1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
            let h = step * x.abs().max(1.0);
            let (wide, _) = self.difference(variable, i, x, h)?;
            let (narrow, size) = self.difference(variable, i, x, h / 2.0)?;
            let estimate = (4.0 * narrow - wide) / 3.0;
            // Truncation, seen from the last extrapolation step, and rounding of f in its last bits.
            let uncertainty = (estimate - narrow).abs() * 1e-2 + size * f64::EPSILON / h;
            if uncertainty < best_uncertainty {
                (best, best_uncertainty) = (estimate, uncertainty);
            }
            if best_uncertainty < 1e-9 * best.abs().max(floor) {
                break;
            }
        }
        Ok(best)
    }

    /// The central difference, and the size of the numbers that were subtracted.
    fn difference(
        &self,
        variable: &Variable,
        i: usize,
        x: f64,
        h: f64,
    ) -> Result<(f64, f64), InterpretError> {
        let (above, below) = (x + h, x - h);
        let (f_above, f_below) = (self.evaluate(variable, i, above)?, self.evaluate(variable, i, below)?);
        let sum = |f: &[f64], part: fn(f64) -> f64| -> f64 {
            f.iter().zip(self.weights.data()).map(|(f, w)| part(f * w)).sum()
        };
        // Differences of elements before the weighted sum: large parts that do not change cancel exactly.
        let change: f64 =
            f_above.iter().zip(&f_below).zip(self.weights.data()).map(|((a, b), w)| (a - b) * w).sum();
        Ok((change / (above - below), sum(&f_above, f64::abs)))
    }

    /// The output with one element of a variable set to `x`.
    fn evaluate(&self, variable: &Variable, i: usize, x: f64) -> Result<Vec<f64>, InterpretError> {
        let trace = run(&self.graph, self.inputs, self.state, self.key, |n, mut value| {
            let op = &self.graph.nodes()[n].op;
            if *op == variable.op {
                value.data_mut()[i] = x;
            }
            if *op == Op::StopGradient { self.trace.values()[n].clone() } else { value }
        })?;
        Ok(trace.value(self.graph.outputs()[0].1).data().to_vec())
    }

    /// The value of a variable at the point.
    fn point(&self, variable: &Variable) -> &Tensor<f64> {
        match &variable.op {
            Op::Slot { .. } => &self.state[&variable.name],
            _ => self.inputs.iter().find(|(name, _)| *name == variable.name).expect("bound before").1,
        }
    }
}

/// The graph that computes one value alone.
fn only(graph: Graph, value: Value) -> Result<Graph, GraphError> {
    let Graph { nodes, inputs, slots, .. } = graph;
    let alone = Graph { nodes, inputs, slots, outputs: Vec::new(), updates: Vec::new() };
    let g: GraphBuilder = alone.into_builder();
    g.output("result", value);
    g.finish()
}

/// 1 for a scalar; else fixed numbers from 0.5 to 1.5, so that no error hides behind equal weights.
fn weights(shape: crate::tensor::Shape) -> Tensor<f64> {
    if shape.rank() == 0 {
        return Tensor::scalar(1.0);
    }
    let key = Key { seed: 0x6772_6164, step: 0 };
    Tensor::from_fn(shape, |i| 0.5 + f64::from(uniform_at(key, 0, i as u64)))
}

fn relative_error(analytic: f64, numeric: f64, floor: f64) -> f64 {
    let error = (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(floor);
    if error.is_nan() { f64::INFINITY } else { error }
}
