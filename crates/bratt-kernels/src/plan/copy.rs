//! The strided copy: the box is first written in its simplest form, then walked with the best inner loop.

/// A dimension: extent, stride in the source, stride in the destination.
type Dim = (usize, usize, usize);

/// Elements of one part.
const PART: usize = 1 << 15;
/// Side of the blocks of a transpose.
const BLOCK: usize = 16;

/// A copy over a box of strided elements.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// Outermost first, without extents of 1; neighbours that follow each other in both are one.
    dims: Vec<Dim>,
    parts: usize,
}

impl Copy {
    pub(super) fn new(dims: &[usize], src: &[usize], dst: &[usize]) -> Copy {
        let mut list: Vec<Dim> = vec![];
        for ((&n, &s), &d) in dims.iter().zip(src).zip(dst).filter(|((n, _), _)| **n != 1) {
            match list.last_mut() {
                Some((extent, outer_s, outer_d)) if *outer_s == s * n && *outer_d == d * n => {
                    (*extent, *outer_s, *outer_d) = (*extent * n, s, d);
                }
                _ => list.push((n, s, d)),
            }
        }
        // The destination's order is the order to walk in.
        list.sort_by_key(|&(_, _, d)| std::cmp::Reverse(d));
        if list.is_empty() {
            list.push((1, 1, 1));
        }
        let elements: usize = list.iter().map(|d| d.0).product();
        let parts = elements.div_ceil(PART).clamp(1, list[0].0.clamp(1, 32));
        Copy { dims: list, parts }
    }

    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Copies one part, a range of the outermost dimension.
    ///
    /// # Safety
    /// The box lies within the memory at `src` and `dst`, which do not overlap.
    pub(super) unsafe fn run(&self, part: usize, src: *const f32, dst: *mut f32) {
        let (n, s, d) = self.dims[0];
        let (first, end) = (n * part / self.parts, n * (part + 1) / self.parts);
        // SAFETY: a part of the box.
        unsafe { walk((end - first, s, d), &self.dims[1..], src.add(first * s), dst.add(first * d)) }
    }
}

/// # Safety
/// As for [`Copy::run`].
unsafe fn walk(dim: Dim, inner: &[Dim], src: *const f32, dst: *mut f32) {
    let (n, s, d) = dim;
    // SAFETY: all indices lie within the box.
    unsafe {
        match inner {
            [] => line(n, s, d, src, dst),
            [(m, t, 1)] if s == 1 && *t > 1 => transpose((n, d), (*m, *t), src, dst),
            [next, rest @ ..] => {
                for i in 0..n {
                    walk(*next, rest, src.add(i * s), dst.add(i * d));
                }
            }
        }
    }
}

unsafe fn line(n: usize, s: usize, d: usize, src: *const f32, dst: *mut f32) {
    // SAFETY: all indices lie within the box.
    unsafe {
        match (s, d) {
            (1, 1) => std::ptr::copy_nonoverlapping(src, dst, n),
            (0, 1) => std::slice::from_raw_parts_mut(dst, n).fill(*src),
            _ => {
                for i in 0..n {
                    *dst.add(i * d) = *src.add(i * s);
                }
            }
        }
    }
}

/// `dst[i d + j] = src[i + j t]`, in blocks so that both sides use whole cache lines.
unsafe fn transpose((n, d): (usize, usize), (m, t): (usize, usize), src: *const f32, dst: *mut f32) {
    for i0 in (0..n).step_by(BLOCK) {
        for j0 in (0..m).step_by(BLOCK) {
            for i in i0..(i0 + BLOCK).min(n) {
                for j in j0..(j0 + BLOCK).min(m) {
                    // SAFETY: all indices lie within the box.
                    unsafe { *dst.add(i * d + j) = *src.add(i + j * t) };
                }
            }
        }
    }
}
