//! Terms to a graph.
//!
//! The builder stores equal operations once, and a function of several operations may use one that a term of the
//! expression computes, too. Each term's value therefore goes through a reshape to its own shape, by way of one more axis
//! of extent 1 for each term that has the same value: it is a node of its own, at which exactly the gradients of that
//! term's users arrive.

use super::error::ExprError;
use super::functions::Call;
use super::parse::{Kind, Parsed, Term};
use crate::graph::{Graph, GraphBuilder, Op, Value};
use crate::names::hint;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// Most elements of one value.
const MOST: usize = 1 << 26;

/// A term in the graph.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Unique name.
    pub name: String,
    /// `input`, `constant`, or the function.
    pub op: &'static str,
    /// The sign of the function, or the text of a literal.
    pub symbol: String,
    /// The text of the term.
    pub text: String,
    /// The attributes that are given, as they are written.
    pub attributes: String,
    /// The operands, as positions of parts.
    pub inputs: Vec<usize>,
    pub value: Value,
}

/// An expression as a graph under construction.
pub(super) struct Built {
    pub g: GraphBuilder,
    pub parts: Vec<Part>,
    pub result: usize,
    /// What the graph's inputs are to be fed: values from outside and literal tensors.
    pub fed: Vec<(String, Tensor<f64>)>,
    /// Statements that only give another name to a part.
    pub aliases: Vec<(String, usize)>,
}

impl Parsed {
    /// Which terms the statements use.
    pub fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.terms.len()];
        for &(_, term) in &self.names {
            used[term] = true;
        }
        used[self.result] = true;
        for i in (0..self.terms.len()).rev() {
            if used[i]
                && let Kind::Call { operands, .. } = &self.terms[i].kind
            {
                operands.iter().for_each(|&operand| used[operand] = true);
            }
        }
        used
    }
}

/// Writes an expression into a graph.
pub(super) fn build(
    source: &str,
    parsed: &Parsed,
    values: &[(&str, Tensor<f64>)],
    of: Option<&str>,
) -> Result<Built, ExprError> {
    let used = parsed.used();
    let mut builder = Builder {
        source,
        parsed,
        built: Built {
            g: Graph::builder(),
            parts: Vec::new(),
            result: 0,
            fed: Vec::new(),
            aliases: Vec::new(),
        },
        part_of: BTreeMap::new(),
        values,
        taken: BTreeSet::new(),
        names: BTreeSet::new(),
    };
    builder.given_once()?;
    let reserved = parsed.names.iter().map(|(name, _)| name.clone());
    let variables = parsed.terms.iter().filter_map(|term| match &term.kind {
        Kind::Variable(name) => Some(name.clone()),
        _ => None,
    });
    builder.names = reserved.chain(variables).collect();
    for (i, term) in parsed.terms.iter().enumerate().filter(|(i, _)| used[*i]) {
        builder.add(i, term)?;
    }
    builder.name_statements();
    builder.none_unused()?;
    let mut built = builder.finish();
    if let Some(of) = of {
        let found = built.parts.iter().position(|part| part.name == of);
        let alias = || built.aliases.iter().find(|(name, _)| name == of).map(|&(_, part)| part);
        built.result = found.or_else(alias).ok_or_else(|| {
            let known: Vec<&str> = built.parts.iter().map(|part| part.name.as_str()).collect();
            ExprError::of(source, format!("the expression has no part `{of}`")).help(hint(of, &known))
        })?;
    }
    Ok(built)
}

struct Builder<'a> {
    source: &'a str,
    parsed: &'a Parsed,
    built: Built,
    part_of: BTreeMap<usize, usize>,
    values: &'a [(&'a str, Tensor<f64>)],
    /// Values of the graph that belong to a part.
    taken: BTreeSet<Value>,
    names: BTreeSet<String>,
}

impl Builder<'_> {
    fn given_once(&self) -> Result<(), ExprError> {
        for (i, (name, _)) in self.values.iter().enumerate() {
            if self.values[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(ExprError::of(self.source, format!("`{name}` is given twice")));
            }
            if self.parsed.names.iter().any(|(known, _)| known == name) {
                let message = format!("`{name}` is given, but the expression itself says what it is");
                return Err(ExprError::of(self.source, message));
            }
        }
        Ok(())
    }

    fn none_unused(&self) -> Result<(), ExprError> {
        let needed: Vec<&str> =
            self.built.parts.iter().filter(|p| p.op == "input").map(|p| p.name.as_str()).collect();
        match self.values.iter().find(|(name, _)| !needed.contains(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let error = ExprError::of(
                    self.source,
                    format!("`{name}` is given, but the expression has no such name"),
                );
                Err(match needed.is_empty() {
                    true => error.help("it needs no values"),
                    false => error.help(format!("its names are {}", needed.join(", "))),
                })
            }
        }
    }

    fn add(&mut self, index: usize, term: &Term) -> Result<(), ExprError> {
        let text = self.source.get(term.span.clone()).unwrap_or_default().to_string();
        let (op, symbol, attributes, inputs, value) = match &term.kind {
            Kind::Variable(name) => {
                ("input", name.clone(), String::new(), vec![], self.variable(name, term)?)
            }
            Kind::Literal(tensor) => ("constant", text.clone(), String::new(), vec![], self.literal(tensor)),
            Kind::Call { function, operands, given } => {
                let inputs: Vec<usize> = operands.iter().map(|term| self.part_of[term]).collect();
                let x: Vec<Value> = inputs.iter().map(|&part| self.built.parts[part].value).collect();
                let call = Call { g: &self.built.g, x: &x, given };
                let value = function.build(&call);
                let operands = self.operands(&inputs);
                let value = value.map_err(|problem| {
                    let place = given.iter().find(|g| Some(g.name) == problem.attribute);
                    let span = place.map_or(term.span.clone(), |g| g.span.clone());
                    ExprError::at(
                        self.source,
                        span,
                        format!("{}: {}{operands}", function.name, problem.message),
                    )
                })?;
                if let Some(problem) = self.built.g.problem() {
                    let message = format!("{}: {problem}{operands}", function.name);
                    return Err(ExprError::at(self.source, term.span.clone(), message).help(format!(
                        "{}: {}",
                        function.signature(),
                        function.about
                    )));
                }
                let attributes = given.iter().map(|g| {
                    let text = self.source.get(g.span.clone()).unwrap_or_default();
                    format!("{}={text}", g.name)
                });
                let attributes: Vec<String> = attributes.collect();
                (function.name, function.symbol().to_string(), attributes.join(", "), inputs, value)
            }
        };
        let elements = self.built.g.shape(value).len();
        if elements > MOST {
            let message = format!("found {elements} elements, expected at most {MOST} in one value");
            return Err(ExprError::at(self.source, term.span.clone(), message));
        }
        let value = if op == "input" { value } else { self.alone(value) };
        self.taken.insert(value);
        let name = match &term.kind {
            Kind::Variable(name) => name.clone(),
            _ => match self.parsed.names.iter().find(|(_, named)| *named == index) {
                Some((name, _)) => name.clone(),
                None => self.fresh(op),
            },
        };
        self.part_of.insert(index, self.built.parts.len());
        self.built.parts.push(Part { name, op, symbol, text, attributes, inputs, value });
        Ok(())
    }

    /// `; x is [2, 3], w is [4, 5]`, for messages.
    fn operands(&self, inputs: &[usize]) -> String {
        let each = inputs.iter().map(|&input| {
            let part = &self.built.parts[input];
            let called = if part.text.chars().count() <= 24 { &part.text } else { &part.name };
            format!("`{called}` has shape {}", self.built.g.shape(part.value))
        });
        let each: Vec<String> = each.collect();
        if each.is_empty() { String::new() } else { format!("; {}", each.join(", ")) }
    }

    /// A name that no other part has: the function's, with a number from the second on.
    fn fresh(&mut self, base: &str) -> String {
        let numbered = |n: usize| if n == 1 { base.to_string() } else { format!("{base}_{n}") };
        let name = (1..).map(numbered).find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    fn variable(&mut self, name: &str, term: &Term) -> Result<Value, ExprError> {
        let Some((_, tensor)) = self.values.iter().find(|(given, _)| *given == name) else {
            let error = ExprError::at(self.source, term.span.clone(), format!("`{name}` has no value"));
            let known: Vec<&str> = self.values.iter().map(|(name, _)| *name).collect();
            // Any letter is near to any other.
            let near = crate::names::nearest(name, known).filter(|near| near.chars().count() > 1);
            return Err(match near {
                Some(near) => error.help(format!("add {name}=VALUE; did you mean `{near}`?")),
                None => error.help(format!("add {name}=VALUE, such as {name}=0.5 or {name}=[1,2;3,4]")),
            });
        };
        let value = self.built.g.input(name, tensor.shape());
        if let Some(problem) = self.built.g.problem() {
            return Err(ExprError::at(self.source, term.span.clone(), format!("`{name}`: {problem}")));
        }
        self.built.fed.push((name.to_string(), tensor.clone()));
        Ok(value)
    }

    /// A number is a constant of the graph; a tensor is fed under a name that no value from outside can have.
    fn literal(&mut self, tensor: &Tensor<f64>) -> Value {
        if tensor.shape().rank() == 0 {
            return self.built.g.constant(tensor.data()[0]);
        }
        let name = format!("literal {}", self.built.fed.len());
        let value = self.built.g.input(&name, tensor.shape());
        self.built.fed.push((name, tensor.clone()));
        value
    }

    /// The same value as a node that belongs to no other part: beside those that do, not behind them, so that no other
    /// part's gradient passes through it.
    fn alone(&self, value: Value) -> Value {
        let g = &self.built.g;
        let shape = g.shape(value);
        let reshaped = |value, shape: Vec<usize>| g.add_node(Op::Reshape { shape: shape.into() }, &[value]);
        let mut more = 0;
        loop {
            let wider = [vec![1; more], shape.to_vec()].concat();
            let through = if more == 0 { value } else { reshaped(value, wider) };
            let own = reshaped(through, shape.to_vec());
            if !self.taken.contains(&own) {
                return own;
            }
            more += 1;
        }
    }

    /// Statements such as `f = x` name a part that has a name already.
    fn name_statements(&mut self) {
        for (name, term) in &self.parsed.names {
            let part = self.part_of[term];
            if self.built.parts[part].name != *name {
                self.built.aliases.push((name.clone(), part));
            }
        }
    }

    fn finish(self) -> Built {
        let Builder { parsed, mut built, part_of, .. } = self;
        built.result = part_of[&parsed.result];
        built
    }
}
