//! Successive halving: many trials train for a little, the best part of them for longer, the best of those longer still.
//!
//! ```text
//! n trials, R epochs, factor eta
//! s = min(floor(log_eta n), floor(log_eta (R / r)))     rungs but the first; r: the least epochs
//! rung k = 0..=s:   floor(n / eta^k) trials of round(R / eta^(s - k)) epochs
//! ```
//!
//! Each rung costs about the same, so that the whole costs about (s + 1) n R / eta^s epochs instead of n R.
//!
//! Sources: Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, 2016; Li et
//! al., Hyperband, 2018, algorithm 1 (one bracket of it).

use std::cmp::Ordering;

/// A plan of successive halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    /// Trials that begin.
    pub trials: usize,
    /// Epochs of the last rung.
    pub epochs: usize,
    /// No rung has fewer epochs.
    pub least_epochs: usize,
    /// One of so many goes on.
    pub factor: usize,
}

/// A rung: so many trials are trained until they have so many epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// How many trials.
    pub trials: usize,
    /// Epochs in all, those of earlier rungs included.
    pub epochs: usize,
}

impl Halving {
    /// The rungs, from the widest to the longest.
    ///
    /// ```
    /// use bratt::search::{Halving, Rung};
    /// let rungs = Halving { trials: 9, epochs: 18, least_epochs: 1, factor: 3 }.rungs();
    /// let pairs: Vec<_> = rungs.iter().map(|rung| (rung.trials, rung.epochs)).collect();
    /// assert_eq!(pairs, [(9, 2), (3, 6), (1, 18)]);
    /// ```
    pub fn rungs(&self) -> Vec<Rung> {
        let factor = self.factor.max(2);
        let powers = |mut n: usize| {
            let mut count = 0;
            while n >= factor {
                n /= factor;
                count += 1;
            }
            count
        };
        let last = powers(self.trials).min(powers(self.epochs / self.least_epochs.max(1)));
        let power = |k: u32| factor.pow(k);
        let rung = |k: u32| {
            let less = power(last - k);
            Rung { trials: (self.trials / power(k)).max(1), epochs: ((self.epochs + less / 2) / less).max(1) }
        };
        (0..=last).map(rung).collect()
    }
}

/// The `count` best of some trials, by their scores, in the order of trials. More is better; scores of several numbers
/// are compared one number after another. Of equals the earlier trial goes on; those that failed (none) never do.
pub fn promoted<const N: usize>(scores: &[Option<[f64; N]>], count: usize) -> Vec<usize> {
    let scored = scores.iter().enumerate().filter_map(|(at, score)| score.map(|score| (at, score)));
    let mut order: Vec<(usize, [f64; N])> =
        scored.filter(|(_, score)| !score.iter().any(|x| x.is_nan())).collect();
    let compare = |a: &[f64; N], b: &[f64; N]| {
        a.iter().zip(b).map(|(a, b)| b.total_cmp(a)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    order.sort_by(|a, b| compare(&a.1, &b.1));
    let mut best: Vec<usize> = order.into_iter().take(count).map(|(at, _)| at).collect();
    best.sort_unstable();
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(trials: usize, epochs: usize, least_epochs: usize, factor: usize) -> Vec<(usize, usize)> {
        let rungs = Halving { trials, epochs, least_epochs, factor }.rungs();
        rungs.into_iter().map(|rung| (rung.trials, rung.epochs)).collect()
    }

    /// Table 1 of Li et al. 2018: the first bracket for R = 81, eta = 3.
    #[test]
    fn the_published_bracket() {
        assert_eq!(pairs(81, 81, 1, 3), [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]);
    }

    #[test]
    fn few_trials_or_few_epochs_make_fewer_rungs() {
        assert_eq!(pairs(20, 30, 1, 3), [(20, 3), (6, 10), (2, 30)]);
        assert_eq!(pairs(20, 30, 8, 3), [(20, 10), (6, 30)]);
        assert_eq!(pairs(2, 30, 1, 3), [(2, 30)]);
        assert_eq!(pairs(16, 1, 1, 2), [(16, 1)]);
    }

    #[test]
    fn the_best_go_on_and_of_equals_the_earlier() {
        let one = |accuracy: f64| Some([accuracy, -1.0]);
        let scores = [one(0.5), None, one(0.9), one(0.5), one(f64::NAN), one(0.7)];
        assert_eq!(promoted(&scores, 3), [0, 2, 5]);
        assert_eq!(promoted(&scores, 9), [0, 2, 3, 5]);
        assert_eq!(promoted(&scores, 0), [0usize; 0]);
        let ties = [Some([0.9, -0.5]), Some([0.9, -0.1]), Some([0.8, 0.0])];
        assert_eq!(promoted(&ties, 1), [1], "of equal accuracies the lower loss goes on");
    }
}
