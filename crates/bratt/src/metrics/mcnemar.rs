//! Do two models differ, judged on the same examples? McNemar's test.
//!
//! Examples that both classify rightly, or both wrongly, say nothing. Of the rest, b are right with the first model only and c
//! with the second only; if the models are equally good each is as likely as the other:
//!
//! - below 25 such examples: the exact binomial test, `p = min(1, 2 P(X <= min(b, c)))`, X of `b + c` tosses of a coin;
//! - from 25 on: `(|b - c| - 1)^2 / (b + c)`, with Edwards' correction for continuity, against the chi-square
//!   distribution of one degree of freedom, whose upper tail at x is `erfc(sqrt(x / 2))`.
//!
//! Source: McNemar 1947; Edwards 1948; Dietterich 1998, who recommends it for two classifiers and one test part.

use serde::{Deserialize, Serialize};

/// Examples that tell the models apart, from which on the chi-square distribution is near enough.
const ENOUGH: usize = 25;

/// The outcome of McNemar's test.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct McNemar {
    /// Examples that only the first model classifies rightly.
    pub first_only: usize,
    /// Examples that only the second model classifies rightly.
    pub second_only: usize,
    /// The probability of a difference at least as large if the models are equally good.
    pub p: f64,
    /// How it was computed.
    pub test: McNemarTest,
}

/// How a p-value was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McNemarTest {
    /// Exactly, from the binomial distribution.
    ExactBinomial,
    /// From the chi-square distribution, with a correction for continuity.
    ChiSquare,
}

impl McNemarTest {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            McNemarTest::ExactBinomial => "exact binomial",
            McNemarTest::ChiSquare => "chi-square with correction for continuity",
        }
    }
}

/// The test, given the examples that only the one and only the other model classifies rightly.
///
/// ```
/// use bratt::metrics::{McNemarTest, mcnemar};
/// let outcome = mcnemar(1, 8);
/// assert_eq!((outcome.p, outcome.test), (2.0 * 10.0 / 512.0, McNemarTest::ExactBinomial));
/// ```
pub fn mcnemar(first_only: usize, second_only: usize) -> McNemar {
    let all = first_only + second_only;
    let (p, test) = if all < ENOUGH {
        let mut choose = 1.0; // of `all` things, `k`: whole numbers below 2^24
        let mut tail = 0.0;
        for k in 0..=first_only.min(second_only) {
            tail += choose;
            choose = choose * (all - k) as f64 / (k + 1) as f64;
        }
        ((2.0 * tail / 2f64.powi(all as i32)).min(1.0), McNemarTest::ExactBinomial)
    } else {
        let distance = (first_only.abs_diff(second_only) as f64 - 1.0).max(0.0);
        let x = distance * distance / all as f64;
        (libm::erfc((x / 2.0).sqrt()), McNemarTest::ChiSquare)
    };
    McNemar { first_only, second_only, p, test }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_models_do_not_differ() {
        assert_eq!((mcnemar(0, 0).p, mcnemar(7, 7).p, mcnemar(100, 100).p), (1.0, 1.0, 1.0));
        assert_eq!(mcnemar(12, 12).test, McNemarTest::ExactBinomial);
        assert_eq!(mcnemar(12, 13).test, McNemarTest::ChiSquare);
        assert_eq!(mcnemar(3, 40).p, mcnemar(40, 3).p);
    }

    #[test]
    fn the_textbook_example() {
        // Agresti, "Categorical Data Analysis", approval of the prime minister: 150 against 86 changed, z^2 = 17.4 without
        // and (64 - 1)^2 / 236 = 16.82 with the correction.
        let outcome = mcnemar(150, 86);
        assert!((outcome.p - 4.115e-5).abs() < 1e-7, "{}", outcome.p);
    }
}
