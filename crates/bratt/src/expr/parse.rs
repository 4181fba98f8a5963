//! Tokens to a checked list of terms: functions are known, arguments are counted, attributes exist.
//!
//! | binds | operators | |
//! |---|---|---|
//! | least | `< <= > >= == !=` | comparisons: 1 where true, else 0 |
//! | | `+ -` | from the left |
//! | | `* / @` | from the left; `@` is the matrix product |
//! | | `-x` | so that `-x^2` is `-(x^2)` |
//! | most | `^` | from the right: `2^3^2` is `2^(3^2)`; `2^-1` is allowed |
//!
//! Statements are divided by `;`. `name = expression` gives a value a name for later ones; the last is the result.
//! `[1, 2, 3]` is a vector, `[1, 2; 3, 4]` and `[[1, 2], [3, 4]]` are the same matrix, and so on inwards.

use super::error::ExprError;
use super::functions::{self, Function, Given, Setting};
use super::lex::{Token, tokens};
use super::literal;
use crate::names::hint;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::ops::Range;

/// How deep brackets may lie in each other.
const DEPTH: usize = 200;

/// A term of an expression; its arguments stand before it.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub kind: Kind,
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A literal.
    Literal(Tensor<f64>),
    /// A value that is given from outside.
    Variable(String),
    /// A function of earlier terms.
    Call { function: &'static Function, operands: Vec<usize>, given: Vec<Given> },
}

/// What was read.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub terms: Vec<Term>,
    /// Names given by statements, with their terms, in order.
    pub names: Vec<(String, usize)>,
    /// The term of the last statement.
    pub result: usize,
}

pub(super) fn parse(source: &str) -> Result<Parsed, ExprError> {
    let mut parser = Parser {
        source,
        tokens: tokens(source)?,
        at: 0,
        depth: 0,
        terms: Vec::new(),
        variables: BTreeMap::new(),
        names: Vec::new(),
    };
    let mut result = None;
    while *parser.peek() != Token::End {
        result = Some(parser.statement()?);
        if !parser.take(";") && *parser.peek() != Token::End {
            return Err(parser.unexpected("an operator, `;` or the end"));
        }
    }
    let Parser { terms, names, .. } = parser;
    match result {
        Some(result) => Ok(Parsed { terms, names, result }),
        None => Err(ExprError::of(source, "the expression is empty").help("such as `(x + y) * z`")),
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    terms: Vec<Term>,
    variables: BTreeMap<String, usize>,
    names: Vec<(String, usize)>,
}

type Parse<T> = Result<T, ExprError>;

/// An argument in the brackets of a call.
enum Argument {
    Operand(usize),
    Attribute { name: String, name_span: Range<usize>, setting: Setting, span: Range<usize> },
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    /// The byte behind the last token that was taken.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.tokens[at].1.end)
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        if found {
            self.next();
        }
        found
    }

    /// The sign at hand, if it is one of these.
    fn take_any(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        match *self.peek() {
            Token::Sign(sign) if signs.contains(&sign) => {
                self.next();
                Some(sign)
            }
            _ => None,
        }
    }

    fn expect(&mut self, sign: &'static str) -> Parse<()> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, expected: &str) -> ExprError {
        let found = match self.peek() {
            Token::Name(name) => format!("`{name}`"),
            Token::Number(number) => format!("`{number}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".into(),
        };
        ExprError::at(self.source, self.span(), format!("found {found}, expected {expected}"))
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> ExprError {
        ExprError::at(self.source, span, message)
    }

    fn push(&mut self, kind: Kind, span: Range<usize>) -> usize {
        self.terms.push(Term { kind, span });
        self.terms.len() - 1
    }

    fn statement(&mut self) -> Parse<usize> {
        let named = match (self.peek(), self.tokens.get(self.at + 1).map(|t| &t.0)) {
            (Token::Name(name), Some(Token::Sign("="))) => Some(name.clone()),
            _ => None,
        };
        let Some(name) = named else { return self.comparison() };
        let span = self.span();
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(self.error(span, format!("`{name}` is given a value twice")));
        }
        if self.variables.contains_key(&name) {
            let message = format!("`{name}` is used above this line, which gives it a value");
            return Err(self.error(span, message));
        }
        self.next();
        self.next();
        let term = self.comparison()?;
        self.names.push((name, term));
        Ok(term)
    }

    /// Operators of one strength, from the left.
    fn chain(&mut self, signs: &[&'static str], operand: fn(&mut Self) -> Parse<usize>) -> Parse<usize> {
        let start = self.span().start;
        let mut left = operand(self)?;
        while let Some(sign) = self.take_any(signs) {
            let right = operand(self)?;
            left = self.operator(sign, vec![left, right], start);
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parse<usize> {
        self.deeper(|p| p.chain(&["<", "<=", ">", ">=", "==", "!="], Self::sum))
    }

    fn sum(&mut self) -> Parse<usize> {
        self.chain(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parse<usize> {
        self.chain(&["*", "/", "@"], Self::signed)
    }

    fn signed(&mut self) -> Parse<usize> {
        let start = self.span().start;
        if self.take("+") {
            return self.deeper(Self::signed);
        }
        if !self.take("-") {
            return self.power();
        }
        if let Token::Number(number) = *self.peek()
            && self.tokens.get(self.at + 1).is_none_or(|t| t.0 != Token::Sign("^"))
        {
            self.next();
            return Ok(self.push(Kind::Literal(Tensor::scalar(-number)), start..self.end()));
        }
        let operand = self.deeper(Self::signed)?;
        Ok(self.operator("neg", vec![operand], start))
    }

    fn power(&mut self) -> Parse<usize> {
        let start = self.span().start;
        let base = self.atom()?;
        if !self.take("^") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::signed)?;
        Ok(self.operator("^", vec![base, exponent], start))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(
                self.error(self.span(), format!("found more than {DEPTH} brackets or signs in each other"))
            );
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn operator(&mut self, sign: &str, operands: Vec<usize>, start: usize) -> usize {
        let function = functions::of_operator(sign);
        let span = start..self.end();
        self.push(Kind::Call { function, operands, given: Vec::new() }, span)
    }

    fn atom(&mut self) -> Parse<usize> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(number) => {
                self.next();
                Ok(self.push(Kind::Literal(Tensor::scalar(number)), span))
            }
            Token::Sign("(") => {
                self.next();
                let inner = self.comparison()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("[") => {
                let tensor = self.tensor()?;
                Ok(self.push(Kind::Literal(tensor), span.start..self.end()))
            }
            Token::Name(name) => {
                self.next();
                if self.take("(") { self.call(&name, span) } else { Ok(self.name(name, span)) }
            }
            _ => Err(self.unexpected("a number, a name, `(` or `[`")),
        }
    }

    /// A name without brackets: what a statement gave, or a value from outside.
    fn name(&mut self, name: String, span: Range<usize>) -> usize {
        if let Some(&(_, term)) = self.names.iter().find(|(known, _)| *known == name) {
            return term;
        }
        if let Some(&term) = self.variables.get(&name) {
            return term;
        }
        let term = self.push(Kind::Variable(name.clone()), span);
        self.variables.insert(name, term);
        term
    }

    fn tensor(&mut self) -> Parse<Tensor<f64>> {
        let mut end = self.at;
        let tensor = literal::tensor(self.source, &self.tokens, &mut end)?;
        self.at = end;
        Ok(tensor)
    }

    fn call(&mut self, name: &str, name_span: Range<usize>) -> Parse<usize> {
        let mut arguments: Vec<(Argument, Range<usize>)> = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            let start = self.span().start;
            let argument = self.deeper(Self::argument)?;
            arguments.push((argument, start..self.end()));
        }
        let span = name_span.start..self.end();
        let positional = arguments.iter().filter(|(a, _)| matches!(a, Argument::Operand(_))).count();
        let Some(function) = functions::find(name, positional) else {
            let known: Vec<&str> = functions::names().collect();
            let message = format!("there is no function `{name}`");
            let help = match crate::names::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`bratt trace --list` shows all functions".into(),
            };
            return Err(self.error(name_span, message).help(help));
        };
        let (operands, given) = self.bind(function, arguments, &span)?;
        Ok(self.push(Kind::Call { function, operands, given }, span))
    }

    fn argument(&mut self) -> Parse<Argument> {
        if let (Token::Name(name), Some((Token::Sign("="), _))) =
            (self.peek().clone(), self.tokens.get(self.at + 1))
        {
            let name_span = self.span();
            self.next();
            self.next();
            let start = self.span().start;
            let setting = self.setting()?;
            return Ok(Argument::Attribute { name, name_span, setting, span: start..self.end() });
        }
        self.comparison().map(Argument::Operand)
    }

    fn setting(&mut self) -> Parse<Setting> {
        match self.peek().clone() {
            Token::Sign("[") => {
                let start = self.span().start;
                if self.tokens.get(self.at + 1).is_some_and(|t| t.0 == Token::Sign("]")) {
                    self.next();
                    self.next();
                    return Ok(Setting::List(Vec::new()));
                }
                let tensor = self.tensor()?;
                match tensor.shape().rank() {
                    1 => Ok(Setting::List(tensor.into_data())),
                    _ => Err(self.error(start..self.end(), "found a matrix, expected a number or a list")),
                }
            }
            Token::Name(word) if !matches!(word.as_str(), "inf" | "nan") => {
                self.next();
                Ok(Setting::Word(word))
            }
            _ => {
                let mut end = self.at;
                let number = literal::number(self.source, &self.tokens, &mut end)?;
                self.at = end;
                Ok(Setting::Number(number))
            }
        }
    }

    /// Divides arguments into operands and attributes. Literals behind the last operand are attributes in their order.
    fn bind(
        &self,
        function: &'static Function,
        arguments: Vec<(Argument, Range<usize>)>,
        span: &Range<usize>,
    ) -> Parse<(Vec<usize>, Vec<Given>)> {
        let (mut operands, mut given) = (Vec::new(), Vec::<Given>::new());
        let most = function.most_operands();
        for (argument, span) in arguments {
            let (name, name_span, setting, span) = match argument {
                Argument::Operand(term) if operands.len() < most && given.is_empty() => {
                    operands.push(term);
                    continue;
                }
                Argument::Operand(term) => {
                    let next = function.attributes.get(given.len()).map(|a| a.name);
                    match (next, &self.terms[term].kind) {
                        (Some(name), Kind::Literal(tensor)) if tensor.shape().rank() <= 1 => {
                            let setting = match tensor.shape().rank() {
                                0 => Setting::Number(tensor.data()[0]),
                                _ => Setting::List(tensor.data().to_vec()),
                            };
                            (name.to_string(), span.clone(), setting, span)
                        }
                        (Some(name), Kind::Variable(word)) => {
                            (name.to_string(), span.clone(), Setting::Word(word.clone()), span)
                        }
                        _ => {
                            let message = format!("found one argument too many for {}", function.signature());
                            return Err(self.error(span, message));
                        }
                    }
                }
                Argument::Attribute { name, name_span, setting, span } => (name, name_span, setting, span),
            };
            let Some(attribute) = function.attribute(&name) else {
                let known: Vec<&str> = function.attributes.iter().map(|a| a.name).collect();
                let message = format!("`{}` has no attribute `{name}`", function.name);
                let help = if known.is_empty() { "it has none".into() } else { hint(&name, &known) };
                return Err(self.error(name_span, message).help(help));
            };
            if given.iter().any(|g| g.name == attribute.name) {
                return Err(self.error(name_span, format!("`{name}` is given twice")));
            }
            given.push(Given { name: attribute.name, setting, span });
        }
        if operands.len() < function.least_operands() {
            let message = format!(
                "found {} argument{}, expected {}",
                operands.len(),
                if operands.len() == 1 { "" } else { "s" },
                function.signature()
            );
            return Err(self.error(span.clone(), message));
        }
        if let Some(lacking) = function
            .attributes
            .iter()
            .find(|a| a.default.is_empty() && given.iter().all(|g| g.name != a.name))
        {
            let message = format!("`{}` is missing, expected {}", lacking.name, function.signature());
            return Err(self.error(span.clone(), message));
        }
        Ok((operands, given))
    }
}
