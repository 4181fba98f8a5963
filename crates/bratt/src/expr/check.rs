//! Gradients of an expression against differences; see [`crate::exec::gradcheck`](mod@crate::exec::gradcheck) for the
//! method.

use super::Expression;
use super::build::{Built, build};
use super::error::ExprError;
use super::trace::Options;
use crate::exec::gradcheck::{Entry, Options as CheckOptions, gradcheck_with};
use crate::exec::{Key, State};
use crate::tensor::Tensor;

/// A value that has no gradient to check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What a check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// One for each value that was checked.
    pub entries: Vec<Entry>,
    /// The others.
    pub skipped: Vec<Skipped>,
}

impl Expression {
    /// Compares the gradient of the result with respect to each given value with differences. `of` and `noise` of the
    /// options count; a result that is not a scalar is checked through a sum with fixed weights.
    ///
    /// # Errors
    /// As [`Expression::trace`]; or a value on which the result depends both through something that has a gradient and
    /// through something that has none.
    pub fn gradcheck(
        &self,
        values: &[(&str, Tensor<f64>)],
        options: &Options,
        samples: Option<usize>,
    ) -> Result<Checked, ExprError> {
        let built = build(&self.source, &self.parsed, values, options.of.as_deref())?;
        let Built { g, parts, result, fed, .. } = built;
        let y = parts[result].value;
        let seed = g.full(g.shape(y), 1.0);
        let (arrived, ends) = g.arriving(y, seed, false);
        let has = |value: crate::graph::Value| arrived.get(value.index()).is_some_and(Option::is_some);
        let inputs = || parts.iter().filter(|part| part.op == "input");
        let checked: Vec<&str> =
            inputs().filter(|part| has(part.value)).map(|part| part.name.as_str()).collect();
        let reason = |ends: &[_]| match ends.is_empty() {
            true => "the result does not depend on it",
            false => "the result depends on it only through something that has no gradient",
        };
        let skipped = inputs()
            .filter(|part| !has(part.value))
            .map(|part| Skipped { name: part.name.clone(), why: reason(&ends).into() })
            .collect();
        g.output("result", y);
        let broken = |message: String| ExprError::of(&self.source, message);
        let graph = g.finish().map_err(|error| broken(error.problem))?;
        let inputs: Vec<(&str, &Tensor<f64>)> =
            fed.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let key = Key { seed: options.noise, step: 0 };
        let options = CheckOptions { key, samples, ..CheckOptions::default() };
        let report = gradcheck_with(&graph, "result", &checked, &inputs, &State::new(), options);
        let report = report.map_err(|error| match error {
            crate::exec::gradcheck::GradcheckError::Graph(error) => broken(error.problem),
            error => broken(error.to_string()),
        })?;
        Ok(Checked { entries: report.entries, skipped })
    }
}
