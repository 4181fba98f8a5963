//! The graph as text and as a drawing for Graphviz.

use super::{Graph, Node, Op, Value};
use std::fmt::{self, Write as _};

impl Graph {
    /// What a node is called: its given name, else `%index`.
    pub fn label(&self, value: Value) -> String {
        match &self.node(value).origin.name {
            Some(name) => name.to_string(),
            None => format!("%{}", value.index()),
        }
    }

    /// What a node computes, such as `matmul(x, fc1.weight)`.
    fn expression(&self, node: &Node) -> String {
        let mut arguments: Vec<String> = node.inputs.iter().map(|&v| self.label(v)).collect();
        let attributes = node.op.attributes();
        if !attributes.is_empty() {
            arguments.push(attributes);
        }
        format!("{}({})", node.op.name(), arguments.join(", "))
    }

    /// The graph in the DOT language: operations as nodes, shapes on the edges, layers as boxes.
    pub fn to_dot(&self) -> String {
        let mut out = String::from(
            "digraph {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
        );
        let mut layers: Vec<&str> = self.nodes.iter().map(|n| &*n.origin.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        for (cluster, layer) in layers.iter().enumerate() {
            if !layer.is_empty() {
                let _ = writeln!(out, "  subgraph cluster_{cluster} {{\n    label={};", quoted(layer));
            }
            for (i, node) in self.nodes.iter().enumerate().filter(|(_, n)| &*n.origin.layer == *layer) {
                let mut text = match &node.origin.name {
                    Some(name) if !matches!(node.op, Op::Input { .. } | Op::Slot { .. }) => {
                        format!("{name}\n{}", node.op.name())
                    }
                    Some(name) => name.to_string(),
                    None => node.op.name().to_string(),
                };
                let attributes = node.op.attributes();
                if !attributes.is_empty() {
                    let _ = write!(text, "\n{attributes}");
                }
                let style = match node.op {
                    Op::Input { .. } => ", shape=ellipse",
                    Op::Slot { .. } => ", shape=cylinder, style=solid",
                    _ => "",
                };
                let _ = writeln!(out, "    n{i} [label={}{style}];", quoted(&text));
            }
            if !layer.is_empty() {
                out.push_str("  }\n");
            }
        }
        for (i, node) in self.nodes.iter().enumerate() {
            for &v in &node.inputs {
                let _ = writeln!(
                    out,
                    "  n{} -> n{i} [label={}];",
                    v.index(),
                    quoted(&self.node(v).shape.to_string())
                );
            }
        }
        for (name, v) in &self.outputs {
            let _ = writeln!(
                out,
                "  {0} [shape=plaintext];\n  n{1} -> {0};",
                quoted(&format!("output {name}")),
                v.index()
            );
        }
        for (slot, v) in &self.updates {
            let name = quoted(&format!("new {}", self.slots[slot.index()].name));
            let _ = writeln!(out, "  {name} [shape=cylinder];\n  n{} -> {name} [style=dashed];", v.index());
        }
        out.push_str("}\n");
        out
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl fmt::Display for Graph {
    /// One node a line, grouped under its layer: name, shape, operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layer = "";
        for (i, node) in self.nodes.iter().enumerate() {
            if &*node.origin.layer != layer {
                layer = &node.origin.layer;
                writeln!(f, "{}:", if layer.is_empty() { "(no layer)" } else { layer })?;
            }
            let label = self.label(Value(i as u32));
            writeln!(f, "  {label:<24} {:<16} = {}", node.shape.to_string(), self.expression(node))?;
        }
        for (name, v) in &self.outputs {
            writeln!(f, "output {name} = {}", self.label(*v))?;
        }
        for (slot, v) in &self.updates {
            writeln!(f, "update {} = {}", self.slots[slot.index()].name, self.label(*v))?;
        }
        Ok(())
    }
}
