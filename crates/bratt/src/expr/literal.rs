//! Numbers and tensors as they are written: `-2`, `[1, 2, 3]`, `[1, 2; 3, 4]`, `[[1, 2], [3, 4]]`.

use super::error::ExprError;
use super::lex::{Token, tokens};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;

/// How deep brackets may lie in each other: the most axes of a value.
const DEPTH: usize = 6;

type Tokens = [(Token, Range<usize>)];

/// Reads a literal, such as the value of `x` in `x=[1, 2; 3, 4]`.
///
/// ```
/// use bratt::expr::literal;
/// let matrix = literal("[1, 2; 3, 4]")?;
/// assert_eq!(matrix, literal("[[1, 2], [3, 4]]")?);
/// assert_eq!(matrix.shape()[..], [2, 2]);
/// assert_eq!(literal("-1e-3")?.data(), [-1e-3]);
/// # Ok::<(), bratt::expr::ExprError>(())
/// ```
///
/// # Errors
/// Text that is no literal, rows of unequal length, or no elements.
pub fn literal(text: &str) -> Result<Tensor<f64>, ExprError> {
    let tokens = tokens(text)?;
    let mut at = 0;
    let value = tensor(text, &tokens, &mut at)?;
    match &tokens[at] {
        (Token::End, _) => Ok(value),
        (_, span) => Err(ExprError::at(text, span.clone(), "found more behind the value")),
    }
}

/// A number with its sign.
pub(super) fn number(source: &str, tokens: &Tokens, at: &mut usize) -> Result<f64, ExprError> {
    let start = *at;
    let negative = match tokens[*at].0 {
        Token::Sign(sign @ ("-" | "+")) => {
            *at += 1;
            sign == "-"
        }
        _ => false,
    };
    let (token, span) = &tokens[(*at).min(tokens.len() - 1)];
    let size = match token {
        Token::Number(number) => *number,
        Token::Name(name) if name.eq_ignore_ascii_case("inf") => f64::INFINITY,
        Token::Name(name) if name.eq_ignore_ascii_case("nan") => f64::NAN,
        _ => {
            let span = if *at > start { tokens[start].1.start..span.end } else { span.clone() };
            let found = source.get(span.clone()).filter(|text| !text.is_empty()).unwrap_or("the end");
            let message = match found {
                "the end" => "found the end, expected a number".into(),
                found => format!("found `{found}`, expected a number"),
            };
            return Err(ExprError::at(source, span, message));
        }
    };
    *at += 1;
    Ok(if negative { -size } else { size })
}

/// A number, or brackets.
pub(super) fn tensor(source: &str, tokens: &Tokens, at: &mut usize) -> Result<Tensor<f64>, ExprError> {
    read(source, tokens, at, 0)
}

fn read(source: &str, tokens: &Tokens, at: &mut usize, depth: usize) -> Result<Tensor<f64>, ExprError> {
    if tokens[*at].0 != Token::Sign("[") {
        return number(source, tokens, at).map(Tensor::scalar);
    }
    let open = tokens[*at].1.clone();
    if depth == DEPTH {
        return Err(ExprError::at(source, open, format!("found more than {DEPTH} brackets in each other")));
    }
    *at += 1;
    let mut rows: Vec<Vec<Tensor<f64>>> = vec![Vec::new()];
    loop {
        if let Some(row) = rows.last_mut() {
            row.push(read(source, tokens, at, depth + 1)?);
        }
        let (token, span) = &tokens[*at];
        match token {
            Token::Sign(",") => {}
            Token::Sign(";") => rows.push(Vec::new()),
            Token::Sign("]") => break,
            // Numbers divided by spaces alone, as NumPy prints them.
            Token::Number(_) | Token::Sign("[" | "-" | "+") => continue,
            _ => return Err(ExprError::at(source, span.clone(), "found no `,`, `;` or `]`")),
        }
        *at += 1;
    }
    let span = open.start..tokens[*at].1.end;
    *at += 1;
    let ragged = || ExprError::at(source, span.clone(), "found rows of unequal length");
    let mut stacked =
        rows.into_iter().map(|row| stack(row).ok_or_else(ragged)).collect::<Result<Vec<_>, _>>()?;
    match stacked.len() {
        1 => Ok(stacked.remove(0)),
        _ => stack(stacked).ok_or_else(ragged),
    }
}

/// Tensors of one shape as one along a new first axis.
fn stack(parts: Vec<Tensor<f64>>) -> Option<Tensor<f64>> {
    let shape = parts.first()?.shape().clone();
    if parts.iter().any(|part| *part.shape() != shape) {
        return None;
    }
    let mut extents = vec![parts.len()];
    extents.extend_from_slice(&shape);
    let data = parts.into_iter().flat_map(Tensor::into_data).collect();
    Tensor::new(Shape::from(extents), data).ok()
}
