//! Folds: parts of nearly equal size of which each is held out once.
//!
//! Each class is put in an order drawn from the seed and dealt out to the folds in turn, going on where the class before
//! ended, so that folds differ by at most one example of a class and hardly in size. Images with the same pixels go
//! to one fold, as in [`split`](super::split): the first of them is dealt out, and the others follow.

use crate::random::{Purpose, Stream};

/// The fold, below `folds`, of each example; `leaders` are the first examples with the same pixels.
pub(super) fn stratified(
    labels: &[u32],
    classes: usize,
    leaders: &[u32],
    folds: usize,
    seed: u64,
) -> Vec<usize> {
    let mut members = vec![Vec::new(); classes];
    for (index, (&label, &leader)) in (0u32..).zip(labels.iter().zip(leaders)) {
        if index == leader {
            members[label as usize].push(index);
        }
    }
    let mut fold_of = vec![0; labels.len()];
    let mut next = 0;
    for (class, mut members) in (0u64..).zip(members) {
        Stream::new(seed, Purpose::Fold, class).shuffle(&mut members);
        for index in members {
            fold_of[index as usize] = next % folds.max(1);
            next += 1;
        }
    }
    leaders.iter().map(|&leader| fold_of[leader as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_the_share_of_each_class_and_nearly_one_size() {
        let labels = [vec![0; 50], vec![1; 31], vec![2; 7]].concat();
        let alone: Vec<u32> = (0..88).collect();
        let folds = stratified(&labels, 3, &alone, 4, 7);
        for fold in 0..4 {
            let of = |class| (0..88).filter(|&i| folds[i] == fold && labels[i] == class).count();
            assert!((12..=13).contains(&of(0)) && (7..=8).contains(&of(1)) && (1..=2).contains(&of(2)));
            assert_eq!(of(0) + of(1) + of(2), 22);
        }
        assert_eq!(folds, stratified(&labels, 3, &alone, 4, 7));
        assert_ne!(folds, stratified(&labels, 3, &alone, 4, 8));
    }

    #[test]
    fn equal_images_are_in_one_fold_whatever_their_labels() {
        let labels = [0, 1, 0, 1, 0, 1];
        let leaders = [0, 1, 0, 0, 4, 5];
        let folds = stratified(&labels, 2, &leaders, 3, 1);
        assert!(folds[0] == folds[2] && folds[0] == folds[3]);
    }
}
