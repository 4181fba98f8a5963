//! Floor 5: gradient descent in f64, step by step as a textbook has it.
//!
//! From parameters p_0, for k = 0, 1, ...: `p_(k+1) = update(p_k, gradient of cost at the point of p_k, rate(k), mu(k))`,
//! with the very equations that training uses ([`crate::optim`]), as one graph, run by the reference interpreter. No
//! batches, no randomness: the cost is one function of the parameters.
//!
//! What is recorded of step k: p_k, `cost(p_k)` (of the iterate itself; Nesterov's gradient is taken at its look-ahead
//! `p_k + mu v_k`), that gradient as the loss has it (before clipping and weight decay), rate(k) and mu(k). Steps are
//! counted from 0, so the first step is taken at `schedule.at(0)`; a rule that counts, as Adam, has t = k + 1. The end,
//! p_n, is recorded, too: n steps give n + 1 iterates.
//!
//! The forms are those of the headers there: momentum with the rate inside the velocity, Nesterov by its look-ahead,
//! epsilon outside of the root, all unless the optimiser's settings say otherwise.
//!
//! The path ends before the first iterate that is not finite, or whose cost is not.

use crate::exec::{InterpretError, Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, GraphError, Init, Role, Value};
use crate::optim::Optimizer;
use crate::schedule::Schedule;
use crate::tensor::Tensor;

/// What is moved: a named tensor, and where it starts.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// A unique name.
    pub name: String,
    /// Its first value.
    pub start: Tensor<f64>,
    /// Whether weight decay applies to it; as a rule not to biases.
    pub decays: bool,
}

impl Parameter {
    /// A parameter to which weight decay applies.
    pub fn new(name: &str, start: Tensor<f64>) -> Parameter {
        Parameter { name: name.into(), start, decays: true }
    }
}

/// How it is moved.
#[derive(Clone, PartialEq, Debug)]
pub struct Method {
    /// The update equations.
    pub optimizer: Optimizer,
    /// The learning rate of each step.
    pub schedule: Schedule,
    /// The momentum of each step; needed if, and used only if, the optimiser's is scheduled.
    pub momentum: Option<Schedule>,
}

/// Where a descent came by.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    /// The parameters in their order: one entry for the start, and one after each step.
    pub iterates: Vec<Vec<Tensor<f64>>>,
    /// The cost of each iterate.
    pub costs: Vec<f64>,
    /// The gradients that each step was taken by, one entry less than iterates.
    pub gradients: Vec<Vec<Tensor<f64>>>,
    /// The learning rate of each step.
    pub rates: Vec<f64>,
    /// The momentum of each step, where it is scheduled; else empty.
    pub momenta: Vec<f64>,
    /// The step after which an iterate or its cost was no longer finite, counted from 1.
    pub diverged: Option<u64>,
}

/// Why there is no path.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum DescentError {
    /// The cost or the optimiser cannot be written as a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The inputs do not fit those that the cost declares.
    #[error(transparent)]
    Inputs(#[from] InterpretError),
    /// A start that no step can be taken from.
    #[error("the cost at the start is {found}, expected a finite number; start elsewhere")]
    Start {
        /// The cost there.
        found: f64,
    },
    /// The optimiser asks for a momentum, and there is none.
    #[error("{optimizer}: momentum is scheduled, but there is no schedule for it")]
    NoMomentum {
        /// The optimiser's name.
        optimizer: &'static str,
    },
}

/// Takes `steps` steps. `cost` writes the cost, a scalar, from the parameters in their order; what else it reads it
/// declares with [`GraphBuilder::input`], and `inputs` gives.
///
/// ```
/// use bratt::descent::{Method, Parameter, descend};
/// use bratt::optim::Sgd;
/// use bratt::schedule::Schedule;
/// use bratt::tensor::Tensor;
///
/// let method = Method { optimizer: Sgd::default().into(), schedule: Schedule::constant(0.25), momentum: None };
/// let x = Parameter::new("x", Tensor::scalar(4.0));
/// let path = descend(&[x], &[], |g, x| g.square(x[0]), &method, 3)?;
/// assert_eq!(path.costs, [16.0, 4.0, 1.0, 0.25]);
/// # Ok::<(), bratt::descent::DescentError>(())
/// ```
///
/// # Errors
/// A cost that cannot be differentiated or is not finite at the start; inputs that do not fit; an optimiser's setting out
/// of its range.
pub fn descend(
    parameters: &[Parameter],
    inputs: &[(&str, &Tensor<f64>)],
    cost: impl Fn(&GraphBuilder, &[Value]) -> Value,
    method: &Method,
    steps: u64,
) -> Result<Path, DescentError> {
    let scheduled = method.optimizer.schedules_momentum();
    if scheduled && method.momentum.is_none() {
        return Err(DescentError::NoMomentum { optimizer: method.optimizer.name() });
    }
    let momentum = method.momentum.as_ref().filter(|_| scheduled);
    let graph = step_graph(parameters, &cost, &method.optimizer)?;
    let mut state = first_state(&graph, parameters);
    let mut path = Path {
        iterates: Vec::new(),
        costs: Vec::new(),
        gradients: Vec::new(),
        rates: Vec::new(),
        momenta: Vec::new(),
        diverged: None,
    };
    for step in 0..=steps {
        let lr = Tensor::scalar(method.schedule.at(step));
        let mu = momentum.map(|schedule| Tensor::scalar(schedule.at(step)));
        let mut fed = inputs.to_vec();
        fed.push(("lr", &lr));
        if let Some(mu) = &mu {
            fed.push(("momentum", mu));
        }
        let trace = interpret(&graph, &fed, &state, Key { seed: 0, step })?;
        let output = |name: &str| trace.output(name).cloned().unwrap_or_default();
        let cost = output("cost").data().first().copied().unwrap_or(f64::NAN);
        let iterate: Vec<Tensor<f64>> =
            parameters.iter().map(|p| state.get(&p.name).cloned().unwrap_or_default()).collect();
        let finite = cost.is_finite() && iterate.iter().flat_map(|p| p.data()).all(|x| x.is_finite());
        if !finite && step == 0 {
            return Err(DescentError::Start { found: cost });
        }
        if !finite {
            path.diverged = Some(step);
            break;
        }
        path.iterates.push(iterate);
        path.costs.push(cost);
        if step < steps {
            let gradient = |at: usize| output(&format!("gradient {at}"));
            path.gradients.push((0..parameters.len()).map(gradient).collect());
            path.rates.push(method.schedule.at(step));
            path.momenta.extend(momentum.map(|schedule| schedule.at(step)));
            state = trace.into_new_state();
        }
    }
    // The step that led away has no end.
    path.gradients.truncate(path.iterates.len() - 1);
    path.rates.truncate(path.iterates.len() - 1);
    path.momenta.truncate(path.iterates.len() - 1);
    Ok(path)
}

/// `(inputs, lr[, momentum], state) -> (cost of the iterate, gradients, state')`
fn step_graph(
    parameters: &[Parameter],
    cost: &impl Fn(&GraphBuilder, &[Value]) -> Value,
    optimizer: &Optimizer,
) -> Result<Graph, GraphError> {
    let g = Graph::builder();
    let mut step = optimizer.begin(&g);
    let (mut values, mut points) = (Vec::new(), Vec::new());
    for p in parameters {
        let (slot, value) = g.slot(&p.name, p.start.shape(), Role::Parameter, Init::Constant(0.0));
        values.push(value);
        points.push(step.point(&g, &p.name, slot, value, p.decays));
    }
    g.output("cost", cost(&g, &values));
    let gradients = g.gradients_of(cost(&g, &points), &points);
    for (at, &gradient) in gradients.iter().enumerate() {
        g.output(&format!("gradient {at}"), gradient);
    }
    step.update(&g, &gradients);
    g.finish()
}

/// The parameters at their start, all else at its own.
fn first_state(graph: &Graph, parameters: &[Parameter]) -> State {
    let value = |slot: &crate::graph::Slot| match parameters.iter().find(|p| p.name == slot.name) {
        Some(p) => p.start.clone(),
        None => crate::init::initial_value(slot, 0).to_f64(),
    };
    graph.slots().iter().map(|slot| (slot.name.clone(), value(slot))).collect()
}

#[cfg(test)]
mod tests;
