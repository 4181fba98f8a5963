//! The graph as text and as a drawing for Graphviz.

use super::{Graph, Node, Op, Value};
use std::fmt::{self, Write as _};

impl Graph {
    /// What a node is called: its given name, followed by `%index` if several nodes bear it, else `%index`.
    pub fn label(&self, value: Value) -> String {
        match &self.node(value).origin.name {
            Some(name) if self.nodes.iter().filter(|n| n.origin.name.as_ref() == Some(name)).count() == 1 => {
                name.to_string()
            }
            Some(name) => format!("{name}%{}", value.index()),
            None => format!("%{}", value.index()),
        }
    }

    /// How a node stands among another's arguments: a nameless constant by its number.
    fn argument(&self, value: Value) -> String {
        let node = self.node(value);
        match (&node.op, &node.origin.name) {
            (Op::Constant(number), None) => number.to_string(),
            _ => self.label(value),
        }
    }

    /// What a node computes, such as `matmul(x, fc1.weight)`.
    fn expression(&self, node: &Node) -> String {
        let mut arguments: Vec<String> = node.inputs.iter().map(|&v| self.argument(v)).collect();
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
                    None if matches!(node.op, Op::Constant(_)) => String::new(),
                    Some(name) if !matches!(node.op, Op::Input { .. } | Op::Slot { .. }) => {
                        format!("{name}\n{}", node.op.name())
                    }
                    Some(name) => name.to_string(),
                    None => node.op.name().to_string(),
                };
                let attributes = node.op.attributes();
                if !attributes.is_empty() {
                    let line = if text.is_empty() { "" } else { "\n" };
                    let _ = write!(text, "{line}{attributes}");
                }
                let style = match node.op {
                    Op::Input { .. } => ", shape=ellipse",
                    Op::Slot { .. } => ", shape=cylinder, style=solid",
                    Op::Constant(_) => ", shape=plaintext, style=solid",
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
                let shape = &self.node(v).shape;
                let label = if shape.rank() == 0 { String::new() } else { shape.to_string() };
                let _ = writeln!(out, "  n{} -> n{i} [label={}];", v.index(), quoted(&label));
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

#[cfg(test)]
mod tests {
    use crate::graph::{Graph, Init, Role};

    fn dense() -> Graph {
        let g = Graph::builder();
        let x = g.input("x", [4, 3]);
        let (slot, w, y) = g.layer("fc\"1", || {
            let (slot, w) = g.slot("weight", [3, 2], Role::Parameter, Init::Constant(0.0));
            (slot, w, g.name(g.softmax(g.matmul(x, w), 1), "p"))
        });
        g.output("p", y);
        g.update(slot, g.mul(w, g.full([3, 2], 0.5)));
        g.finish().unwrap()
    }

    #[test]
    fn text_has_one_line_per_node_under_its_layer() {
        let text = dense().to_string();
        let lines: Vec<String> =
            text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "x [4, 3] = input()",
                "fc\"1:",
                "fc\"1.weight [3, 2] = slot()",
                "%2 [4, 2] = matmul(x, fc\"1.weight)",
                "p [4, 2] = softmax(%2, axis=1)",
                "(no layer):",
                "%4 [] = constant(0.5)",
                "%5 [3, 2] = broadcast(0.5)",
                "%6 [3, 2] = mul(fc\"1.weight, %5)",
                "output p = p",
                "update fc\"1.weight = %6",
            ]
        );
    }

    #[test]
    fn equal_names_are_told_apart() {
        let g = Graph::builder();
        let x = g.scalar("x");
        let first = g.name(g.exp(x), "out");
        let second = g.name(g.exp(first), "out");
        g.output("y", second);
        let text = g.finish().unwrap().to_string();
        assert!(text.contains("exp(out%1)") && text.contains("output y = out%2"), "{text}");
    }

    #[test]
    fn dot_has_every_node_edge_and_layer() {
        let graph = dense();
        let dot = graph.to_dot();
        for i in 0..graph.nodes().len() {
            assert_eq!(dot.matches(&format!("    n{i} [label=")).count(), 1, "{dot}");
        }
        let edges: usize = graph.nodes().iter().map(|n| n.inputs.len()).sum();
        assert_eq!(dot.matches(" -> n").count(), edges, "{dot}");
        assert_eq!(dot.matches("subgraph cluster_").count(), 1);
        assert!(dot.contains("n2 -> n3 [label=\"[4, 2]\"]"), "{dot}");
        assert!(dot.contains("label=\"fc\\\"1\";"), "a quote is escaped: {dot}");
        assert!(dot.contains("\"output p\"") && dot.contains("\"new fc\\\"1.weight\""), "{dot}");
        assert_eq!(dot.matches('{').count(), dot.matches('}').count());
        assert!(dot.starts_with("digraph {") && dot.ends_with("}\n"));
    }
}
