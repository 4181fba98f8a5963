//! Text to tokens: names, numbers, operators, each with its place.

use super::error::ExprError;
use std::ops::Range;

/// Most tokens of an expression.
const MOST: usize = 10_000;

/// The smallest pieces of an expression.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A name of a function, a value or an attribute.
    Name(String),
    /// A number.
    Number(f64),
    /// An operator, a bracket or a separator.
    Sign(&'static str),
    /// Behind the last one.
    End,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 22] = [
    "**", "<=", ">=", "==", "!=", "+", "-", "*", "/", "^", "@", "(", ")", "[", "]", ",", ";", "=", "<", ">",
    "×", "−",
];

/// The tokens of an expression, ended by [`Token::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, Range<usize>)>, ExprError> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = token(source, at, c)?;
        all.push((token, at..at + length));
        at += length;
        if all.len() > MOST {
            let message = format!("the expression has more than {MOST} parts");
            return Err(ExprError::of(source, message).help("give large values as .npy files"));
        }
    }
    all.push((Token::End, source.len()..source.len()));
    Ok(all)
}

fn token(source: &str, at: usize, first: char) -> Result<(Token, usize), ExprError> {
    let rest = &source[at..];
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
        let length = number_length(rest);
        return match rest[..length].parse() {
            Ok(number) => Ok((Token::Number(number), length)),
            Err(_) => Err(ExprError::at(source, at..at + length, "found something that is not a number")),
        };
    }
    if first.is_alphabetic() || first == '_' {
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((Token::Name(rest[..length].to_string()), length));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(&"**") => Ok((Token::Sign("^"), 2)),
        Some(&"×") => Ok((Token::Sign("*"), '×'.len_utf8())),
        Some(&"−") => Ok((Token::Sign("-"), '−'.len_utf8())),
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => {
            let error = ExprError::at(source, at..at + first.len_utf8(), format!("found `{first}`"));
            Err(error.help("operators are + - * / ^ @ < <= > >= == !="))
        }
    }
}

/// Digits, a point, an exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}
