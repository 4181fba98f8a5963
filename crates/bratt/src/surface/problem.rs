//! A cost of two numbers.

use super::SurfaceError;
use crate::exec::{Key, State, interpret};
use crate::expr::Expression;
use crate::graph::{Graph, GraphBuilder, Value};
use crate::tensor::{Shape, Tensor};
use std::fmt;
use std::sync::Arc;

/// Writes the cost, a scalar, from the two parameters.
type Cost = dyn Fn(&GraphBuilder, [Value; 2]) -> Value + Send + Sync;

/// A cost of two named numbers, written as a graph.
///
/// ```
/// use bratt::surface::Problem;
/// let bowl = Problem::new("x^2 + 20*y^2", ["x", "y"], Vec::new(), |g, [x, y]| {
///     g.add(g.square(x), g.mul(g.constant(20.0), g.square(y)))
/// })?;
/// assert_eq!(bowl.cost_at([-1.5, 1.0]), 22.25);
/// assert_eq!(bowl.gradient_at([-1.5, 1.0]), [-3.0, 40.0]);
/// # Ok::<(), bratt::surface::SurfaceError>(())
/// ```
#[derive(Clone)]
pub struct Problem {
    name: String,
    parameters: [String; 2],
    inputs: Vec<(String, Tensor<f64>)>,
    cost: Arc<Cost>,
    value: Graph,
    slope: Graph,
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("name", &self.name).field("parameters", &self.parameters).finish()
    }
}

/// The names that the two numbers have where the surface is measured.
const PLACES: [&str; 2] = ["parameter 0", "parameter 1"];

impl Problem {
    /// A problem of its name, the names of its parameters, and its cost; what else the cost reads it declares with
    /// [`GraphBuilder::input`], and `inputs` gives.
    ///
    /// # Errors
    /// A cost that is no scalar, or cannot be differentiated.
    pub fn new(
        name: &str,
        parameters: [&str; 2],
        inputs: Vec<(String, Tensor<f64>)>,
        cost: impl Fn(&GraphBuilder, [Value; 2]) -> Value + Send + Sync + 'static,
    ) -> Result<Problem, SurfaceError> {
        let g = Graph::builder();
        let at = PLACES.map(|place| g.scalar(place));
        g.output("cost", cost(&g, at));
        let value = g.finish()?;
        let g = Graph::builder();
        let at = PLACES.map(|place| g.scalar(place));
        for (place, gradient) in PLACES.into_iter().zip(g.gradients(cost(&g, at), at)) {
            g.output(place, gradient);
        }
        let slope = g.finish()?;
        let parameters = parameters.map(str::to_string);
        Ok(Problem { name: name.into(), parameters, inputs, cost: Arc::new(cost), value, slope })
    }

    /// The problem of an expression, whose two names are the parameters, in alphabetical order.
    ///
    /// # Errors
    /// Other than two names, operands that do not fit, a result that is no scalar or cannot be differentiated.
    pub fn of_expression(expression: &Expression) -> Result<Problem, SurfaceError> {
        let mut names: Vec<String> = expression.variables().into_iter().map(str::to_string).collect();
        names.sort();
        let [first, second] = names.as_slice() else {
            return Err(SurfaceError::Parameters { names });
        };
        let g = Graph::builder();
        let values = [(first.as_str(), g.scalar(PLACES[0])), (second.as_str(), g.scalar(PLACES[1]))];
        let result = expression.write(&g, &values).map_err(Box::new)?;
        let shape = g.shape(result);
        if shape != Shape::scalar() {
            return Err(SurfaceError::NoScalar { shape });
        }
        let (written, names) = (expression.clone(), names.clone());
        let cost = move |g: &GraphBuilder, at: [Value; 2]| {
            let values = [(names[0].as_str(), at[0]), (names[1].as_str(), at[1])];
            // It was written before, so that it can be written now.
            written.write(g, &values).unwrap_or_else(|_| g.constant(f64::NAN))
        };
        let parameters = [first.as_str(), second.as_str()];
        Problem::new(expression.source().trim(), parameters, expression.literals(), cost)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> &[String; 2] {
        &self.parameters
    }

    /// What the cost reads beside the parameters.
    pub fn inputs(&self) -> &[(String, Tensor<f64>)] {
        &self.inputs
    }

    /// Writes the cost into a graph.
    pub fn write(&self, g: &GraphBuilder, at: [Value; 2]) -> Value {
        (self.cost)(g, at)
    }

    fn run<const N: usize>(&self, graph: &Graph, outputs: [&str; N], at: [f64; 2]) -> [f64; N] {
        let [x, y] = at.map(Tensor::scalar);
        // A parameter that the cost does not read is declared all the same.
        let mut fed: Vec<(&str, &Tensor<f64>)> =
            self.inputs.iter().map(|(name, value)| (name.as_str(), value)).collect();
        fed.extend([(PLACES[0], &x), (PLACES[1], &y)]);
        let trace = interpret(graph, &fed, &State::new(), Key { seed: 0, step: 0 }).ok();
        outputs.map(|name| {
            let output = trace.as_ref().and_then(|trace| trace.output(name));
            output.and_then(|value| value.data().first().copied()).unwrap_or(f64::NAN)
        })
    }

    /// The cost at a point.
    pub fn cost_at(&self, at: [f64; 2]) -> f64 {
        let [cost] = self.run(&self.value, ["cost"], at);
        cost
    }

    /// Its gradient there.
    pub fn gradient_at(&self, at: [f64; 2]) -> [f64; 2] {
        self.run(&self.slope, PLACES, at)
    }

    /// Its Hessian there: xx, xy, yy, by central differences of the gradient.
    pub fn hessian_at(&self, at: [f64; 2]) -> [f64; 3] {
        let difference = |axis: usize| {
            let h = 1e-4 * at[axis].abs().max(1.0);
            let moved = |by: f64| {
                let mut to = at;
                to[axis] += by;
                self.gradient_at(to)
            };
            let (up, down) = (moved(h), moved(-h));
            [(up[0] - down[0]) / (2.0 * h), (up[1] - down[1]) / (2.0 * h)]
        };
        let (x, y) = (difference(0), difference(1));
        [x[0], 0.5 * (x[1] + y[0]), y[1]]
    }
}
