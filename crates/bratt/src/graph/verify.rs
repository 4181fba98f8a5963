//! Checks a whole graph again, after passes: order, shapes, references.

use super::{Graph, Op};
use crate::tensor::Shape;

impl Graph {
    /// Checks that arguments precede users, that every shape is what the shape rule says, and that inputs, slots,
    /// outputs and updates exist.
    ///
    /// # Errors
    /// What is wrong, and at which node.
    pub fn verify(&self) -> Result<(), String> {
        for (i, node) in self.nodes.iter().enumerate() {
            if let Some(v) = node.inputs.iter().find(|v| v.index() >= i) {
                return Err(format!(
                    "node {i} ({}) uses node {} before it is computed",
                    node.op.name(),
                    v.index()
                ));
            }
            let shapes: Vec<&Shape> = node.inputs.iter().map(|v| &self.nodes[v.index()].shape).collect();
            let shape = node.op.shape(&shapes).map_err(|e| format!("node {i} ({}): {e}", node.op.name()))?;
            let declared = match &node.op {
                Op::Input { index, .. } => self.inputs.get(*index as usize).map(|x| &x.shape),
                Op::Slot { slot, .. } => self.slots.get(slot.index()).map(|x| &x.shape),
                _ => Some(&node.shape),
            };
            if shape != node.shape || declared != Some(&shape) {
                return Err(format!("node {i} ({}): shape {} should be {shape}", node.op.name(), node.shape));
            }
        }
        let known = |v: super::Value| v.index() < self.nodes.len();
        if let Some((name, _)) = self.outputs.iter().find(|o| !known(o.1)) {
            return Err(format!("output `{name}` has no node"));
        }
        for &(slot, value) in &self.updates {
            let Some(s) = self.slots.get(slot.index()) else {
                return Err(format!("update of unknown slot {slot:?}"));
            };
            if !known(value) || self.node(value).shape != s.shape {
                return Err(format!("update of slot `{}` does not have its shape {}", s.name, s.shape));
            }
        }
        Ok(())
    }
}
