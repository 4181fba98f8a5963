//! Terms into a graph that is under construction elsewhere, as a cost that is to be minimised.

use super::Expression;
use super::error::ExprError;
use super::functions::Call;
use super::parse::Kind;
use crate::graph::{GraphBuilder, Value};
use crate::tensor::Tensor;

fn name_of_literal(term: usize) -> String {
    format!("literal {term}")
}

impl Expression {
    /// Writes the result into a graph, from values by their names. Literals that are tensors become inputs, which
    /// [`Expression::literals`] has; numbers become constants.
    ///
    /// ```
    /// use bratt::expr::Expression;
    /// use bratt::graph::Graph;
    /// let g = Graph::builder();
    /// let (x, y) = (g.scalar("x"), g.scalar("y"));
    /// let cost = Expression::parse("x^2 + 20*y^2")?.write(&g, &[("x", x), ("y", y)])?;
    /// let [dx, dy] = g.gradients(cost, [x, y]);
    /// # Ok::<(), bratt::expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// A name without a value; operands that do not fit.
    pub fn write(&self, g: &GraphBuilder, values: &[(&str, Value)]) -> Result<Value, ExprError> {
        let used = self.parsed.used();
        let mut written: Vec<Value> = Vec::with_capacity(self.parsed.terms.len());
        for (at, term) in self.parsed.terms.iter().enumerate() {
            let wrong = |message: String| ExprError::at(&self.source, term.span.clone(), message);
            let value = match &term.kind {
                // A place is kept for it, so that terms keep their numbers.
                _ if !used[at] => g.constant(0.0),
                Kind::Variable(name) => {
                    let given = values.iter().find(|(given, _)| given == name);
                    given.ok_or_else(|| wrong(format!("`{name}` has no value")))?.1
                }
                Kind::Literal(tensor) if tensor.shape().rank() == 0 => g.constant(tensor.data()[0]),
                Kind::Literal(tensor) => g.input(&name_of_literal(at), tensor.shape()),
                Kind::Call { function, operands, given } => {
                    let x: Vec<Value> = operands.iter().map(|&term| written[term]).collect();
                    let value = function.build(&Call { g, x: &x, given });
                    let value =
                        value.map_err(|problem| wrong(format!("{}: {}", function.name, problem.message)))?;
                    if let Some(problem) = g.problem() {
                        return Err(wrong(format!("{}: {problem}", function.name)));
                    }
                    value
                }
            };
            written.push(value);
        }
        Ok(written[self.parsed.result])
    }

    /// The tensors among the literals, by the names of the inputs that [`Expression::write`] declares for them.
    pub fn literals(&self) -> Vec<(String, Tensor<f64>)> {
        let used = self.parsed.used();
        let tensors = self.parsed.terms.iter().enumerate().filter_map(|(at, term)| match &term.kind {
            Kind::Literal(tensor) if used[at] && tensor.shape().rank() > 0 => {
                Some((name_of_literal(at), tensor.clone()))
            }
            _ => None,
        });
        tensors.collect()
    }
}
