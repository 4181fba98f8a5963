//! The table of a network's layers.

use super::{Layer, Mode, NamedLayer, NnError, Parameters, Sequential};
use crate::graph::{Graph, Role};
use crate::tensor::Shape;
use std::fmt;

/// One layer of a [`Summary`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SummaryRow {
    /// The layer's name; inside a residual block the block's name comes before it, as in `residual1/conv2d1`.
    pub name: String,
    /// Its kind, such as `dense`.
    pub kind: &'static str,
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
    /// The layers, first to last; those inside a residual block before the block, whose own row is the sum.
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
        let mut outputs = outputs(&network.layers, &shapes[0]).into_iter();
        let mut rows = Vec::new();
        network.for_each_layer(|name, layer| {
            let of_layer = |slot: &str| slot.rsplit_once('.').is_some_and(|(layer, _)| layer == name);
            let trainable = graph.slots().iter().filter(|s| s.role == Role::Parameter && of_layer(&s.name));
            let nodes = graph.nodes().iter().filter(|n| *n.origin.layer == *name);
            rows.push(SummaryRow {
                kind: layer.kind(),
                layer: layer.describe(),
                output: outputs.next().unwrap_or_default(),
                parameters: trainable.map(|s| s.shape.len()).sum(),
                flops: nodes.map(|n| graph.node_flops(n)).sum(),
                name,
            });
        });
        Ok(Summary { input: shapes[0].clone(), rows })
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

/// The shape after each layer of a chain that is known to fit, in the order of [`Sequential::for_each_layer`].
fn outputs(layers: &[NamedLayer], input: &Shape) -> Vec<Shape> {
    let (mut all, mut shape) = (Vec::new(), input.clone());
    for NamedLayer { layer, .. } in layers {
        if let Layer::Residual(block) = layer {
            all.extend(outputs(&block.layers, &shape));
            all.extend(outputs(block.shortcut.layers(), &shape));
        }
        shape = layer.output_shape(&shape).unwrap_or_default();
        all.push(shape.clone());
    }
    all
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
