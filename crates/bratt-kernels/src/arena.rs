//! Blocks of numbers, aligned to cache lines.
//!
//! ```
//! let mut arena = bratt_kernels::arena::Arena::new(100);
//! arena.slice_mut(16..20).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
//! assert_eq!(arena.slice(15..18), [0.0, 1.0, 2.0]);
//! ```

use std::ops::Range;

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;
/// Bytes of the smallest block that asks for huge pages.
const LARGE: usize = 256 << 10;

/// A cache line of numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A block of f32 that starts on a cache line and begins as zeros.
///
/// Large blocks ask the system for huge pages: a training step walks all parameters and moments, and with small pages
/// looking up addresses costs as much as the arithmetic.
#[derive(Debug)]
pub struct Arena {
    memory: Memory,
    len: usize,
}

#[derive(Debug)]
enum Memory {
    Lines(Vec<Line>),
    /// The block starts at this byte of the map.
    Mapped(memmap2::MmapMut, usize),
}

impl Arena {
    /// A block of `len` zeros.
    pub fn new(len: usize) -> Arena {
        let memory = mapped(len).unwrap_or_else(|| Memory::Lines(vec![Line([0.0; 16]); len.div_ceil(16)]));
        Arena { memory, len }
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
        match &self.memory {
            Memory::Lines(lines) => lines.as_ptr().cast(),
            Memory::Mapped(map, start) => map.as_ptr().wrapping_add(*start).cast(),
        }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        match &mut self.memory {
            Memory::Lines(lines) => lines.as_mut_ptr().cast(),
            Memory::Mapped(map, start) => map.as_mut_ptr().wrapping_add(*start).cast(),
        }
    }
}

impl Clone for Arena {
    fn clone(&self) -> Arena {
        let mut copy = Arena::new(self.len);
        copy.slice_mut(0..self.len).copy_from_slice(self.all());
        copy
    }
}

/// Zeros straight from the system, starting on a huge page; none if the block is small or the system refuses.
fn mapped(len: usize) -> Option<Memory> {
    let bytes = len.checked_mul(size_of::<f32>()).filter(|&bytes| bytes >= LARGE)?;
    let map = memmap2::MmapMut::map_anon(bytes.checked_add(HUGE)?).ok()?;
    // A hint: without huge pages all is the same, but slower.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    let start = map.as_ptr().align_offset(HUGE);
    Some(Memory::Mapped(map, start))
}
