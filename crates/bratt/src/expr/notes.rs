//! What is worth a word: the part where numbers stop being finite, and why; parts through which no gradient goes.

use super::traced::{TraceNode, Traced};
use crate::tensor::Tensor;

/// Why `floor` and `sign` pass nothing on; the others are not even defined beside their jumps.
const ZERO: &str = "a piecewise constant function";

pub(super) fn of(traced: &Traced, ends: &[(String, &'static str)]) -> Vec<String> {
    let mut notes = Vec::new();
    for node in traced.nodes.iter().filter(|node| !node.inputs.is_empty()) {
        let operands: Vec<&Tensor<f64>> = node.inputs.iter().map(|&i| &traced.nodes[i].value).collect();
        if operands.iter().all(|x| finite(x)) && !finite(&node.value) {
            notes.push(value_note(node, &operands));
        }
    }
    for (i, node) in traced.nodes.iter().enumerate() {
        let note = match node.op.as_str() {
            "constant" => exponent_note(traced, i, node),
            _ => gradient_note(traced, i, node),
        };
        if let Some(note) = note.filter(|note| !notes.contains(note)) {
            notes.push(note);
        }
    }
    for (text, why) in ends {
        let note = match *why {
            ZERO => format!("the gradient through `{text}` is 0: {why}, flat but for its jumps"),
            _ => format!("no gradient goes back through `{text}`: {why}"),
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn finite(x: &Tensor<f64>) -> bool {
    x.data().iter().all(|x| x.is_finite())
}

fn some(x: &Tensor<f64>, is: impl Fn(f64) -> bool) -> bool {
    x.data().iter().any(|&x| is(x))
}

/// How many elements of a value are not finite, and which kinds there are.
fn found(x: &Tensor<f64>) -> String {
    let (all, bad) = (x.data().len(), x.data().iter().filter(|x| !x.is_finite()).count());
    let kinds = [
        ("inf", some(x, |x| x == f64::INFINITY)),
        ("-inf", some(x, |x| x == f64::NEG_INFINITY)),
        ("NaN", some(x, f64::is_nan)),
    ];
    let kinds: Vec<&str> = kinds.iter().filter(|(_, there)| *there).map(|(kind, _)| *kind).collect();
    let kinds = kinds.join(" and ");
    if all == 1 { format!("is {kinds}") } else { format!("has {kinds} in {bad} of {all} elements") }
}

/// The operands are finite and the value is not.
fn value_note(node: &TraceNode, x: &[&Tensor<f64>]) -> String {
    let zero = |x: &Tensor<f64>| some(x, |x| x == 0.0);
    let negative = |x: &Tensor<f64>| some(x, |x| x < 0.0);
    let nan = some(&node.value, f64::is_nan);
    let cause = match node.op.as_str() {
        "div" if zero(x[1]) && nan => "division of zero by zero",
        "div" if zero(x[1]) => "division by zero",
        "recip" if zero(x[0]) => "division by zero",
        "log" if negative(x[0]) && nan => "logarithm of a negative number",
        "log" if zero(x[0]) => "logarithm of zero",
        "log1p" if some(x[0], |x| x < -1.0) => "logarithm of a negative number",
        "log1p" if some(x[0], |x| x == -1.0) => "logarithm of zero",
        "sqrt" if negative(x[0]) => "square root of a negative number",
        "pow" if nan && negative(x[0]) => "a negative number to a fractional power",
        "pow" if zero(x[0]) && negative(x[1]) => "division by zero: zero to a negative power",
        "standardize" | "batch_norm" if nan => "division of zero by zero: the variance and epsilon are zero",
        _ if nan => "not a number",
        _ => "overflow",
    };
    format!("`{}` {}: {cause}", node.text, found(&node.value))
}

/// The gradient is not finite, although those of the part's users are; or it is the seed's.
fn gradient_note(traced: &Traced, index: usize, node: &TraceNode) -> Option<String> {
    let gradient = node.gradient.as_ref().filter(|gradient| !finite(gradient))?;
    let users: Vec<&TraceNode> = traced.nodes.iter().filter(|user| user.inputs.contains(&index)).collect();
    let arriving = |user: &&TraceNode| user.gradient.as_ref().is_none_or(finite);
    if users.is_empty() || !users.iter().all(arriving) {
        return None;
    }
    let through: Vec<String> =
        users.iter().filter(|user| user.gradient.is_some()).map(|user| format!("`{}`", user.text)).collect();
    Some(format!(
        "the gradient of `{}` {}: the derivative of {} is not finite there",
        node.text,
        found(gradient),
        through.join(" or ")
    ))
}

/// A negative number has a square, but no derivative with respect to the 2. It looks like a fault, and is none.
fn exponent_note(traced: &Traced, index: usize, node: &TraceNode) -> Option<String> {
    node.gradient.as_ref().filter(|gradient| some(gradient, f64::is_nan))?;
    let user = traced.nodes.iter().find(|user| user.op == "pow" && user.inputs.get(1) == Some(&index))?;
    some(&traced.nodes[user.inputs[0]].value, |base| base < 0.0).then(|| {
        format!(
            "the gradient of the exponent in `{}` is NaN: powers of a negative number have no derivative with respect to it; \
             as {} is a constant, nothing depends on that",
            user.text, node.text
        )
    })
}
