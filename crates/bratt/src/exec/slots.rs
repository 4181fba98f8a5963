//! The f32 values of all slots: one block of memory that several compiled programs work on.

use crate::compile::StateLayout;
use crate::graph::Slot;
use crate::init::initial_value;
use crate::tensor::{Shape, Tensor};
use bratt_kernels::arena::Arena;
use std::sync::Arc;

/// The values of all slots of a model: parameters, running statistics, the optimiser's moments.
#[derive(Clone, Debug)]
pub struct Slots {
    layout: Arc<StateLayout>,
    pub(super) block: Arena,
}

/// A value does not fit the slot it is meant for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SlotError {
    /// There is no such slot.
    #[error("there is no slot `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The value has another shape.
    #[error("slot `{name}`: found shape {found}, expected {expected}")]
    Shape {
        /// The slot.
        name: String,
        /// The shape given.
        found: Shape,
        /// The slot's shape.
        expected: Shape,
    },
}

impl Slots {
    /// All slots of a layout with their initial values, a pure function of the seed and each slot's name.
    pub fn new(layout: Arc<StateLayout>, seed: u64) -> Slots {
        let mut block = Arena::new(layout.len());
        for (i, slot) in layout.slots().iter().enumerate() {
            let span = layout.span(i);
            block
                .slice_mut(span.offset..span.offset + span.len)
                .copy_from_slice(initial_value(slot, seed).data());
        }
        Slots { layout, block }
    }

    /// Where each slot lies.
    pub fn layout(&self) -> &Arc<StateLayout> {
        &self.layout
    }

    /// The values of a slot, row-major.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let (_, span) = self.layout.find(name)?;
        Some(self.block.slice(span.offset..span.offset + span.len))
    }

    /// Replaces the value of a slot.
    ///
    /// # Errors
    /// If there is no such slot or its shape differs.
    pub fn set(&mut self, name: &str, value: &Tensor) -> Result<(), SlotError> {
        let (slot, span) =
            self.layout.find(name).ok_or_else(|| SlotError::Unknown { name: name.to_string() })?;
        if slot.shape != *value.shape() {
            let (found, expected) = (value.shape().clone(), slot.shape.clone());
            return Err(SlotError::Shape { name: name.to_string(), found, expected });
        }
        self.block.slice_mut(span.offset..span.offset + span.len).copy_from_slice(value.data());
        Ok(())
    }

    /// Replaces the values of a slot; nothing if there is no such slot, or it holds another number of them.
    pub(crate) fn copy_from(&mut self, name: &str, values: &[f32]) -> Option<()> {
        let (_, span) = self.layout.find(name)?;
        if span.len != values.len() {
            return None;
        }
        self.block.slice_mut(span.offset..span.offset + span.len).copy_from_slice(values);
        Some(())
    }

    /// All slots with their values, in the order of the layout.
    pub fn iter(&self) -> impl Iterator<Item = (&Slot, &[f32])> + Clone {
        self.layout.slots().iter().enumerate().map(|(i, slot)| {
            let span = self.layout.span(i);
            (slot, self.block.slice(span.offset..span.offset + span.len))
        })
    }
}
