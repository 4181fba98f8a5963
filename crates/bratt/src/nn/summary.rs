//! The table of a network's layers.

use super::{Mode, NnError, Parameters, Sequential};
use crate::graph::{Graph, Role};
use crate::tensor::Shape;
use std::fmt;

/// One layer of a [`Summary`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SummaryRow {
    /// The layer's name.
    pub name: String,
    /// Its description, such as `dense 512`.
    pub layer: String,
    /// The shape of one example after it.
    pub output: Shape,
    /// The number of trainable numbers.
    pub parameters: usize,
    /// Floating-point operations for one example at inference; a multiply-add is two.
    pub flops: u64,
}

/// A network's layers with shapes, parameters and cost. Displays as a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The shape of one example.
    pub input: Shape,
    /// The layers, first to last.
    pub rows: Vec<SummaryRow>,
}

impl Summary {
    /// Parameters and cost are counted on the built graph, so that they cannot differ from what runs.
    pub(crate) fn of(network: &Sequential) -> Result<Summary, NnError> {
        let shapes = network.shapes()?;
        let g = Graph::builder();
        let mut batch = vec![1];
        batch.extend(&network.input);
        let x = g.input("x", batch);
        let mut parameters = Parameters::new();
        let last = network.forward(&g, x, Mode::Inference, &mut parameters);
        g.output("output", last);
        // shapes() has checked all that building checks.
        let graph =
            g.finish().map_err(|e| NnError::Layer { layer: e.layer, kind: "graph", problem: e.problem })?;
        let rows = network.layers.iter().zip(&shapes[1..]).map(|(named, output)| {
            let of_layer = |name: &str| name.split_once('.').is_some_and(|(layer, _)| layer == named.name);
            let trainable = graph.slots().iter().filter(|s| s.role == Role::Parameter && of_layer(&s.name));
            let nodes = graph.nodes().iter().filter(|n| *n.origin.layer == *named.name);
            SummaryRow {
                name: named.name.clone(),
                layer: named.layer.describe(),
                output: output.clone(),
                parameters: trainable.map(|s| s.shape.len()).sum(),
                flops: nodes.map(|n| graph.node_flops(n)).sum(),
            }
        });
        Ok(Summary { input: shapes[0].clone(), rows: rows.collect() })
    }

    /// The number of trainable numbers.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|r| r.parameters).sum()
    }

    /// Floating-point operations for one example at inference.
    pub fn flops(&self) -> u64 {
        self.rows.iter().map(|r| r.flops).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = vec![["layer", "kind", "output", "parameters", "flops"].map(String::from)];
        table.push(["input".into(), String::new(), self.input.to_string(), "0".into(), "0".into()]);
        for row in &self.rows {
            table.push([
                row.name.clone(),
                row.layer.clone(),
                row.output.to_string(),
                row.parameters.to_string(),
                row.flops.to_string(),
            ]);
        }
        let total = [self.parameters().to_string(), self.flops().to_string()];
        let [parameters, flops] = total;
        table.push(["total".into(), String::new(), String::new(), parameters, flops]);
        let width = |column: usize| table.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(width);
        for [name, kind, output, parameters, flops] in &table {
            writeln!(f, "{name:<a$}  {kind:<b$}  {output:<c$}  {parameters:>d$}  {flops:>e$}")?;
        }
        Ok(())
    }
}
