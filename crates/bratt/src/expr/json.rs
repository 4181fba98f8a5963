//! A trace as JSON.
//!
//! Numbers have 17 significant digits, so that they are read back to the last bit; what is not finite is a string:
//! `"NaN"`, `"inf"`, `"-inf"`. Values and gradients are flat, row by row.

use super::traced::{TraceNode, Traced};
use crate::tensor::Tensor;
use serde_json::{Map, Value, json};
use std::fmt::Write;

impl Traced {
    /// One object: `expression`, `precision`, `result` (the name of the part whose gradients were taken), `nodes` and
    /// `notes`. A node has `name`, `op`, `expression`, `attributes`, `inputs` (names), `shape`, `value` and `gradient`.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        let text = |value: &str| Value::from(value).to_string();
        let _ = write!(
            out,
            "\"expression\":{},\"precision\":{},\"result\":{},\"nodes\":[",
            text(&self.source),
            text(self.precision.name()),
            text(&self.result().name)
        );
        for (i, node) in self.nodes.iter().enumerate() {
            out.push_str(if i == 0 { "\n" } else { ",\n" });
            self.node_json(&mut out, node);
        }
        let _ = write!(out, "\n],\"notes\":{}}}", json!(self.notes));
        out
    }

    fn node_json(&self, out: &mut String, node: &TraceNode) {
        let inputs: Vec<&str> = node.inputs.iter().map(|&i| self.nodes[i].name.as_str()).collect();
        let mut head = Map::new();
        head.insert("name".into(), node.name.clone().into());
        head.insert("op".into(), node.op.clone().into());
        head.insert("expression".into(), node.text.clone().into());
        head.insert("attributes".into(), node.attributes.clone().into());
        head.insert("inputs".into(), json!(inputs));
        head.insert("shape".into(), json!(node.value.shape()[..]));
        let head = Value::Object(head).to_string();
        let _ = write!(out, "{},\"value\":{}", &head[..head.len() - 1], numbers(&node.value));
        let gradient = node.gradient.as_ref().map_or_else(|| "null".into(), numbers);
        let _ = write!(out, ",\"gradient\":{gradient}}}");
    }
}

fn numbers(tensor: &Tensor<f64>) -> String {
    let all: Vec<String> = tensor.data().iter().map(|&x| number(x)).collect();
    format!("[{}]", all.join(","))
}

/// 17 significant digits; whole numbers as they are.
pub(super) fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "\"NaN\"".into(),
        f64::INFINITY => "\"inf\"".into(),
        f64::NEG_INFINITY => "\"-inf\"".into(),
        x if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.1}"),
        x => format!("{x:.16e}"),
    }
}
