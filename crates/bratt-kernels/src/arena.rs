//! Blocks of numbers, aligned to cache lines.
//!
//! ```
//! let mut arena = bratt_kernels::arena::Arena::new(100);
//! arena.slice_mut(16..20).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
//! assert_eq!(arena.slice(15..18), [0.0, 1.0, 2.0]);
//! ```

use std::ops::Range;

/// A cache line of numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A block of f32 that starts on a cache line and begins as zeros.
#[derive(Clone, Debug)]
pub struct Arena {
    lines: Vec<Line>,
    len: usize,
}

impl Arena {
    /// A block of `len` zeros.
    pub fn new(len: usize) -> Arena {
        Arena { lines: vec![Line([0.0; 16]); len.div_ceil(16)], len }
    }

    /// The number of f32.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Part of the block.
    ///
    /// # Panics
    /// If the range goes beyond the block.
    pub fn slice(&self, range: Range<usize>) -> &[f32] {
        &self.all()[range]
    }

    /// Part of the block, to write to.
    ///
    /// # Panics
    /// If the range goes beyond the block.
    pub fn slice_mut(&mut self, range: Range<usize>) -> &mut [f32] {
        // SAFETY: the lines are `len` numbers without gaps, all of them set, and borrowed by `self`.
        let all = unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr(), self.len) };
        &mut all[range]
    }

    fn all(&self) -> &[f32] {
        // SAFETY: as in `slice_mut`.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.lines.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.lines.as_mut_ptr().cast()
    }
}
