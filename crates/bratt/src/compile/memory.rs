//! Pass: where each value lies in the work memory.
//!
//! A value is alive from the step that writes it to the last one that reads it. Values that are never alive together
//! may share memory: largest first, each at the lowest offset that is free during its life (greedy by size, Pisarchyk
//! and Lee 2020).

/// A value to be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Life {
    /// Number of elements.
    pub len: usize,
    /// The step that writes it.
    pub first: usize,
    /// The last step that reads it.
    pub last: usize,
}

/// Offsets are multiples of this many elements: one cache line.
const ALIGN: usize = 16;

/// The offset of each value, and the length of the block. With `reuse` off, no two values share memory.
pub(crate) fn place(lives: &[Life], reuse: bool) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(lives[i].len), i));
    let mut offsets = vec![0; lives.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for i in order {
        let life = lives[i];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&j| !reuse || (lives[j].first <= life.last && life.first <= lives[j].last))
            .map(|&j| (offsets[j], offsets[j] + lives[j].len.next_multiple_of(ALIGN)))
            .collect();
        taken.sort_unstable();
        let len = life.len.next_multiple_of(ALIGN);
        let mut offset = 0;
        for (start, end) in taken {
            if offset + len <= start {
                break;
            }
            offset = offset.max(end);
        }
        offsets[i] = offset;
        total = total.max(offset + len);
        placed.push(i);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_alive_together_do_not_overlap_and_others_share() {
        let life = |len, first, last| Life { len, first, last };
        let lives = [life(100, 0, 1), life(40, 1, 2), life(100, 2, 3), life(7, 0, 3), life(60, 3, 4)];
        let (offsets, total) = place(&lives, true);
        for i in 0..lives.len() {
            for j in 0..i {
                let together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
                let apart =
                    offsets[i] + lives[i].len <= offsets[j] || offsets[j] + lives[j].len <= offsets[i];
                assert!(!together || apart, "{i} and {j}");
            }
        }
        let (_, without) = place(&lives, false);
        assert!(total < without, "{total} < {without}");
    }
}
