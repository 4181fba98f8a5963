//! Gradients as a transformation of the graph (reverse mode, backpropagation).
//!
//! For a scalar y and values x: walk back from y; the gradient that arrives at a node is the sum over its users
//! (multivariate chain rule), `dy/dx = sum_u dy/du du/dx`; each operation's rule turns it into gradients of its
//! arguments. The result is ordinary nodes, so gradients of gradients need nothing new.
//!
//! A gradient that the mathematics does not have is an error, never a silent zero: through comparisons and indices,
//! or of a value on which the result does not depend. What is behind `stop_gradient` alone has gradient zero, since
//! its author asked for that.
//!
//! Source: lecture on computational graphs; Griewank and Walther, Evaluating Derivatives, 2008, chapter 3.

use crate::graph::{Cotangent, GraphBuilder, Op, Unary, Value};
use crate::tensor::Shape;

/// Where a path of gradients ends: the node, its argument, and why.
pub(crate) type PathEnd = (Value, Value, &'static str);

impl GraphBuilder {
    /// The gradients of the scalar `y` with respect to each of `xs`, in their shapes.
    ///
    /// Errors, reported by [`GraphBuilder::finish`]: `y` is not a scalar, does not depend on some `x`, or depends on
    /// it through something that has no gradient.
    ///
    /// ```
    /// use bratt::graph::Graph;
    /// let g = Graph::builder();
    /// let x = g.scalar("x");
    /// let y = g.mul(x, g.square(x));
    /// let [first] = g.gradients(y, [x]);
    /// let [second] = g.gradients(first, [x]);
    /// g.output("6x", second);
    /// g.finish()?;
    /// # Ok::<(), bratt::graph::GraphError>(())
    /// ```
    #[track_caller]
    pub fn gradients<const N: usize>(&self, y: Value, xs: [Value; N]) -> [Value; N] {
        let list = self.gradients_of(y, &xs);
        std::array::from_fn(|i| list[i])
    }

    /// As [`GraphBuilder::gradients`], for any number of values.
    #[track_caller]
    pub fn gradients_of(&self, y: Value, xs: &[Value]) -> Vec<Value> {
        if self.shape(y) != Shape::scalar() {
            let problem =
                format!("found a result of shape {}, expected a scalar; take a sum or mean", self.shape(y));
            return vec![self.fail("gradients", problem); xs.len()];
        }
        let seed = self.constant(1.0);
        self.vector_jacobian(y, seed, xs)
    }

    /// The gradients of `sum(y * seed)`: the upstream gradient `seed` has the shape of `y`.
    #[track_caller]
    pub fn vector_jacobian(&self, y: Value, seed: Value, xs: &[Value]) -> Vec<Value> {
        if y == Value::POISON || seed == Value::POISON || xs.contains(&Value::POISON) {
            return vec![Value::POISON; xs.len()];
        }
        if self.shape(seed) != self.shape(y) {
            let problem = format!(
                "found an upstream gradient of shape {}, expected {} as the result",
                self.shape(seed),
                self.shape(y)
            );
            return vec![self.fail("gradients", problem); xs.len()];
        }
        let count = y.index() + 1;
        let depends = self.dependants(count, xs, false);
        let mut arrived: Vec<Option<Value>> = vec![None; count];
        arrived[y.index()] = Some(seed);
        for i in (0..count).rev().filter(|&i| depends[i]) {
            let value = Value(i as u32);
            let Some(node) = self.node(value) else { continue };
            let Some(dy) = arrived[i] else { continue };
            // The rules' nodes belong to the layer of the forward node, so that profiles can be read.
            let rules = self.layer_of(&node.origin.layer, || node.op.gradient(self, &node.inputs, value, dy));
            for (&x, rule) in node.inputs.iter().zip(rules) {
                if !depends[x.index()] {
                    continue;
                }
                match rule {
                    Cotangent::Flow(dx) => {
                        arrived[x.index()] = Some(match arrived[x.index()] {
                            Some(sum) => self.add(sum, dx),
                            None => dx,
                        });
                    }
                    Cotangent::Stop => {}
                    Cotangent::Undefined(why) => {
                        let of = xs.iter().find(|&&t| self.dependants(x.index() + 1, &[t], false)[x.index()]);
                        let problem = format!(
                            "no gradient{} through {}: {why}; put stop_gradient around it if it is meant as a constant",
                            of.map_or(String::new(), |&t| format!(" of {}", self.describe(t))),
                            self.describe(value)
                        );
                        return vec![self.fail("gradients", problem); xs.len()];
                    }
                }
            }
        }
        let mut gradients = Vec::with_capacity(xs.len());
        for &x in xs {
            gradients.push(match arrived.get(x.index()).copied().flatten() {
                Some(dx) => dx,
                None if self.dependants(count, &[x], true)[y.index()] => self.full(self.shape(x), 0.0),
                None => {
                    let problem = format!("{} does not depend on {}", self.describe(y), self.describe(x));
                    self.fail("gradients", problem)
                }
            });
        }
        gradients
    }

    /// The gradients of `sum(y * seed)` that arrive at every node up to `y`, none where no path leads there; and where a
    /// path ends because an argument has no gradient: the node, the argument and why. `seed` has the shape of `y`.
    ///
    /// Unlike [`GraphBuilder::vector_jacobian`], which refuses, this shows what there is. With `flat`, zeros arrive behind `floor` and
    /// `sign`, whose derivative is 0 almost everywhere; the place is told all the same.
    pub(crate) fn arriving(&self, y: Value, seed: Value, flat: bool) -> (Vec<Option<Value>>, Vec<PathEnd>) {
        let mut arrived: Vec<Option<Value>> = vec![None; y.index() + 1];
        let mut ends = Vec::new();
        arrived[y.index()] = Some(seed);
        for i in (0..arrived.len()).rev() {
            let value = Value(i as u32);
            let (Some(node), Some(dy)) = (self.node(value), arrived[i]) else { continue };
            let rules = self.layer_of(&node.origin.layer, || node.op.gradient(self, &node.inputs, value, dy));
            for (&x, rule) in node.inputs.iter().zip(rules) {
                let dx = match rule {
                    Cotangent::Flow(dx) => dx,
                    Cotangent::Stop => self.full(self.shape(x), 0.0),
                    Cotangent::Undefined(why) => {
                        ends.push((value, x, why));
                        if !(flat && matches!(node.op, Op::Unary(Unary::Floor | Unary::Sign))) {
                            continue;
                        }
                        self.full(self.shape(x), 0.0)
                    }
                };
                let sum = arrived[x.index()].map_or(dx, |sum| self.add(sum, dx));
                arrived[x.index()] = Some(sum);
            }
        }
        (arrived, ends)
    }

    /// For each of the first `count` nodes: whether it is one of `xs` or computed from them; `through_stops` says
    /// whether what stands behind `stop_gradient` counts.
    fn dependants(&self, count: usize, xs: &[Value], through_stops: bool) -> Vec<bool> {
        let mut depends = vec![false; count];
        for i in 0..count {
            let value = Value(i as u32);
            depends[i] = xs.contains(&value)
                || self.node(value).is_some_and(|n| {
                    (through_stops || n.op != Op::StopGradient) && n.inputs.iter().any(|v| depends[v.index()])
                });
        }
        depends
    }

    /// A value for messages: its name or operation, and its shape.
    fn describe(&self, value: Value) -> String {
        match self.node(value) {
            Some(n) => match n.origin.name {
                Some(name) => format!("`{name}` ({} {})", n.op.name(), n.shape),
                None => format!("{} {}", n.op.name(), n.shape),
            },
            None => "an invalid value".into(),
        }
    }
}
