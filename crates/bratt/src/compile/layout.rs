//! Where each slot of state lies in the state memory.

use crate::graph::Slot;
use bratt_kernels::plan::{Space, Span};

/// The slots of a model and their places in one block of state, shared by all programs over it (training, evaluation,
/// prediction).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StateLayout {
    slots: Vec<Slot>,
    offsets: Vec<usize>,
    len: usize,
}

impl StateLayout {
    /// Places slots one after the other, each at a multiple of 64 bytes.
    pub fn new(slots: &[Slot]) -> StateLayout {
        let mut offsets = Vec::with_capacity(slots.len());
        let mut len = 0;
        for slot in slots {
            offsets.push(len);
            len += slot.shape.len().next_multiple_of(16);
        }
        StateLayout { slots: slots.to_vec(), offsets, len }
    }

    /// The slots, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Length of the block in numbers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The slot of a name and its place.
    pub fn find(&self, name: &str) -> Option<(&Slot, Span)> {
        let i = self.slots.iter().position(|s| s.name == name)?;
        Some((&self.slots[i], self.span(i)))
    }

    /// The place of slot number `i`.
    pub(crate) fn span(&self, i: usize) -> Span {
        Span { space: Space::State, offset: self.offsets[i], len: self.slots[i].shape.len() }
    }
}
