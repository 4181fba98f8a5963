//! How far a measure of a sample may be from that of all examples there could be.
//!
//! - A proportion p = c / n has Wilson's interval,
//!   `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`, z = 1.96 for 95 %: never beyond 0 and 1, and good for
//!   small n too (Wilson 1927).
//! - Any other measure has the percentile bootstrap's (Efron 1979): n examples are drawn with replacement, the measure is taken
//!   of them, and that many times; the 2.5 and 97.5 % points of what comes out are the interval. What an example counts
//!   is how often it was drawn, so that a measure sees weights and nothing is copied. Points between two outcomes are
//!   interpolated linearly, as in `numpy.percentile`.
//!
//! The draws are a function of the seed alone.

use crate::random::{Purpose, Stream};

/// The 97.5 % point of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How often the bootstrap draws at most.
pub const RESAMPLES: usize = 1000;
/// The least it is worth to draw.
const LEAST_RESAMPLES: usize = 100;
/// Steps of work at most, over all resamples: well under a second.
const STEPS: usize = 200_000_000;

/// Wilson's 95 % interval of a proportion.
///
/// ```
/// let [low, high] = bratt::metrics::wilson(81, 263);
/// assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
/// ```
pub fn wilson(right: usize, n: usize) -> [f64; 2] {
    let (p, n) = (right as f64 / n.max(1) as f64, n.max(1) as f64);
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At p = 0 and 1 the interval ends there, which rounding may miss by a bit.
    let [low, high] = [centre - half, centre + half].map(|x| x / (1.0 + z2 / n));
    [low.clamp(0.0, p), high.clamp(p, 1.0)]
}

/// The number of resamples for `n` examples whose measures take `work` steps an example: [`RESAMPLES`], less where that would
/// take too long; none where even 100 would.
pub(super) fn resamples(n: usize, work: usize) -> Option<usize> {
    let affordable = STEPS / n.max(1) / work.max(1);
    (affordable >= LEAST_RESAMPLES).then_some(affordable.min(RESAMPLES))
}

/// The 95 % percentile intervals of measures of `n` examples, from so many resamples. `measure` is given how often each
/// example was drawn, `[n]`, and gives all measures of that resample; an interval is none where a measure was undefined for
/// more than half of the resamples, which otherwise do without.
///
/// ```
/// use bratt::metrics::bootstrap;
/// let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let mean = |times: &[u32]| {
///     let sum: f64 = times.iter().zip(values).map(|(&n, x)| f64::from(n) * x).sum();
///     [Some(sum / 8.0)]
/// };
/// let [interval] = bootstrap(8, 1000, 7, mean);
/// let [low, high] = interval.unwrap();
/// assert!(2.5 < low && low < 4.5 && 4.5 < high && high < 6.5);
/// ```
pub fn bootstrap<const M: usize>(
    n: usize,
    resamples: usize,
    seed: u64,
    mut measure: impl FnMut(&[u32]) -> [Option<f64>; M],
) -> [Option<[f64; 2]>; M] {
    let mut outcomes: [Vec<f64>; M] = std::array::from_fn(|_| Vec::with_capacity(resamples));
    let mut times = vec![0u32; n];
    // More examples than 32 bits count are none of this program's.
    let bound = u32::try_from(n).unwrap_or(u32::MAX);
    for resample in 0..resamples {
        times.fill(0);
        let mut stream = Stream::new(seed, Purpose::Bootstrap, resample as u64);
        for _ in 0..n {
            times[stream.below(bound) as usize] += 1;
        }
        for (outcomes, value) in outcomes.iter_mut().zip(measure(&times)) {
            outcomes.extend(value);
        }
    }
    outcomes.map(|mut outcomes| {
        outcomes.sort_by(f64::total_cmp);
        let enough = !outcomes.is_empty() && 2 * outcomes.len() >= resamples;
        enough.then(|| [0.025, 0.975].map(|q| quantile(&outcomes, q)))
    })
}

/// The point below which a share `q` of the sorted values lies, interpolated linearly.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_has_its_published_values() {
        // Newcombe 1998, table I: 81 of 263, and 0 of 20.
        let [low, high] = wilson(81, 263);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let [low, high] = wilson(0, 20);
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_distribution() {
        let mut stream = Stream::new(5, Purpose::Noise, 0);
        let values: Vec<f64> = (0..400).map(|_| stream.normal()).collect();
        let mean = values.iter().sum::<f64>() / 400.0;
        let [interval, undefined] = bootstrap(400, 1000, 1, |times| {
            let sum: f64 = times.iter().zip(&values).map(|(&n, x)| f64::from(n) * x).sum();
            [Some(sum / 400.0), None]
        });
        let [low, high] = interval.unwrap();
        // The deviation of the mean is 1/20, known to a few percent each from 400 values and 1000 resamples.
        assert!((low - (mean - Z / 20.0)).abs() < 0.02 && (high - (mean + Z / 20.0)).abs() < 0.02);
        assert_eq!(undefined, None);
    }

    #[test]
    fn equal_seeds_give_equal_intervals_and_others_others() {
        let of = |seed| bootstrap(50, 200, seed, |times| [Some(f64::from(times[0]))])[0].unwrap();
        let spread = |seed| {
            bootstrap(50, 200, seed, |t| [Some(t.iter().zip(0..).map(|(&n, x)| n * x).sum::<u32>() as f64)])
                [0]
        };
        assert_eq!(of(1), of(1));
        assert!(spread(1) == spread(1) && spread(1) != spread(2));
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.percentile([1, 2, 4, 8], [2.5, 50, 97.5])
        for (q, expected) in [(0.025, 1.075), (0.5, 3.0), (0.975, 7.7), (0.0, 1.0), (1.0, 8.0)] {
            assert!((quantile(&[1.0, 2.0, 4.0, 8.0], q) - expected).abs() < 1e-12, "{q}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let all = [(10_000, 15), (100_000, 5), (1_000_000, 5)].map(|(n, work)| resamples(n, work));
        assert_eq!(all, [Some(1000), Some(400), None]);
    }
}
