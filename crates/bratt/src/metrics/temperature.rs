//! Temperature scaling: one number T that divides all logits, so that probabilities say how often the model is right.
//!
//! With logits `z` of an example, its class t and `b = 1 / T`, the probabilities are `softmax(b z)` and the mean loss over n
//! examples is
//!
//! ```text
//! L(b)   = mean( ln sum_k exp(b z[k]) - b z[t] )
//! L'(b)  = mean( sum_k p[k] z[k] - z[t] )                    p = softmax(b z)
//! L''(b) = mean( sum_k p[k] z[k]^2 - (sum_k p[k] z[k])^2 )   a variance, so L is convex in b
//! ```
//!
//! Its minimum is found by Newton's method on L', kept in a bracket that halves where a step would leave it, to a relative
//! change of b below 1e-12. T is sought from 1/20 to 20. Where L has no minimum in there, there is no temperature: above
//! all where every example is classified right, since then more confidence is always better and nothing is learned about
//! how much is right. Dividing by T > 0 changes neither the order of the classes nor the predicted one.
//!
//! Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.

use super::MetricError;

/// The largest temperature that is sought; the smallest is 1 over it.
pub const MOST_TEMPERATURE: f64 = 20.0;

/// The temperature with the lowest mean loss on examples of which `logits` is `[n, classes]`, row by row; none where the loss
/// has no minimum within the bounds.
///
/// ```
/// use bratt::metrics::fit_temperature;
/// // Sure by 4 to 0, but right only three times in four: softmax(4 / T)[0] = 3/4 at T = 4 / ln 3.
/// let logits = [4.0, 0.0].repeat(4);
/// let t = fit_temperature(2, &logits, &[0, 0, 0, 1])?.unwrap();
/// assert!((t - 4.0 / 3f64.ln()).abs() < 1e-9);
/// # Ok::<(), bratt::metrics::MetricError>(())
/// ```
///
/// # Errors
/// Sizes that do not agree, a label that is no class, no examples. Logits that are not finite give no temperature.
pub fn fit_temperature(classes: usize, logits: &[f64], labels: &[u32]) -> Result<Option<f64>, MetricError> {
    if classes == 0 || labels.is_empty() {
        return Err(MetricError::Empty);
    }
    if labels.len().checked_mul(classes) != Some(logits.len()) {
        return Err(MetricError::Size { found: logits.len(), labels: labels.len(), classes });
    }
    if let Some(example) = labels.iter().position(|&label| label as usize >= classes) {
        return Err(MetricError::Label { example, label: labels[example], classes });
    }
    if logits.iter().any(|z| !z.is_finite()) {
        return Ok(None);
    }
    let slopes = |b: f64| slopes(classes, logits, labels, b);
    let (mut low, mut high) = (1.0 / MOST_TEMPERATURE, MOST_TEMPERATURE);
    if slopes(low).0 >= 0.0 || slopes(high).0 <= 0.0 {
        return Ok(None);
    }
    let mut b = 1.0;
    for _ in 0..100 {
        let (first, second) = slopes(b);
        if first > 0.0 {
            high = b;
        } else {
            low = b;
        }
        let newton = b - first / second;
        // Also where the quotient is no number.
        let next = if newton >= low && newton <= high { newton } else { 0.5 * (low + high) };
        let moved = (next - b).abs();
        b = next;
        if moved <= 1e-12 * b {
            break;
        }
    }
    Ok(Some(1.0 / b))
}

/// The first and second derivative of the mean loss by `b = 1 / T`.
fn slopes(classes: usize, logits: &[f64], labels: &[u32], b: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Moments of z - top, which are those of z but for the shift, and small where p is large.
        let (mut sum, mut mean, mut square) = (0.0, 0.0, 0.0);
        for z in row {
            let (d, e) = (z - top, (b * (z - top)).exp());
            sum += e;
            mean += e * d;
            square += e * d * d;
        }
        (mean, square) = (mean / sum, square / sum);
        first += mean - (row[label as usize] - top);
        second += square - mean * mean;
    }
    (first / labels.len() as f64, second / labels.len() as f64)
}

/// `softmax(z / temperature)` of each row of `logits` `[n, classes]`, as `[n, classes]`.
///
/// ```
/// let p = bratt::metrics::softmax(2, &[0.0, 3f64.ln()], 1.0);
/// assert!((p[1] - 0.75).abs() < 1e-15);
/// ```
pub fn softmax(classes: usize, logits: &[f64], temperature: f64) -> Vec<f64> {
    let mut probabilities = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes.max(1)) {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let begin = probabilities.len();
        probabilities.extend(row.iter().map(|z| ((z - top) / temperature).exp()));
        let sum: f64 = probabilities[begin..].iter().sum();
        probabilities[begin..].iter_mut().for_each(|p| *p /= sum);
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Sample, log_loss};
    use crate::random::{Purpose, Stream};

    /// Logits of which the classes are drawn: calibrated at T = 1.
    fn drawn(n: usize, classes: usize, seed: u64) -> (Vec<f64>, Vec<u32>) {
        let mut stream = Stream::new(seed, Purpose::Noise, 0);
        let logits: Vec<f64> = (0..n * classes).map(|_| 2.0 * stream.normal()).collect();
        let draw = |row: &[f64]| {
            let mut left = stream.uniform();
            row.iter().position(|p| {
                left -= p;
                left < 0.0
            })
        };
        let probabilities = softmax(classes, &logits, 1.0);
        let labels = probabilities.chunks(classes).map(draw).map(|class| class.unwrap_or(0) as u32).collect();
        (logits, labels)
    }

    #[test]
    fn the_temperature_by_which_logits_were_multiplied_is_found() {
        let (logits, labels) = drawn(20_000, 5, 3);
        for factor in [0.2, 1.0, 3.0] {
            let scaled: Vec<f64> = logits.iter().map(|z| factor * z).collect();
            let t = fit_temperature(5, &scaled, &labels).unwrap().unwrap();
            assert!((t / factor - 1.0).abs() < 0.03, "{t} for {factor}");
        }
    }

    #[test]
    fn an_optimum_that_is_met_exactly_is_kept() {
        // softmax(4 b)[0] = 3/4: the slope becomes 0 to the last bit on the way.
        let t = fit_temperature(2, &[4.0, 0.0].repeat(4), &[0, 0, 0, 1]).unwrap().unwrap();
        assert!((t - 4.0 / 3f64.ln()).abs() < 1e-9, "{t}");
    }

    #[test]
    fn no_other_temperature_is_better() {
        let (logits, labels) = drawn(200, 3, 4);
        let best = fit_temperature(3, &logits, &labels).unwrap().unwrap();
        let loss = |t: f64| {
            let p = softmax(3, &logits, t);
            log_loss(&Sample::new(3, &p, &labels).unwrap())
        };
        for other in [best * 0.99, best * 1.01, best * 0.5, best * 2.0] {
            assert!(loss(best) < loss(other), "{best} {other}");
        }
    }

    #[test]
    fn without_a_mistake_there_is_nothing_to_learn() {
        assert_eq!(fit_temperature(2, &[3.0, 0.0, 0.0, 3.0], &[0, 1]), Ok(None));
        assert_eq!(fit_temperature(2, &[1.0, 1.0], &[0]), Ok(None));
        assert_eq!(fit_temperature(2, &[f64::NAN, 1.0], &[0]), Ok(None));
        // Worse than chance: the best would be to know nothing, beyond the bounds.
        assert_eq!(fit_temperature(2, &[3.0, 0.0], &[1]), Ok(None));
        assert!(fit_temperature(2, &[1.0], &[0]).is_err());
    }

    #[test]
    fn logits_of_any_size_are_fitted() {
        let logits: Vec<f64> = [1e4, 0.0].repeat(3);
        // The optimum, 1e4 / ln 2, is beyond the bounds.
        assert_eq!(fit_temperature(2, &logits, &[0, 0, 1]), Ok(None));
        let p = softmax(2, &[1e300, -1e300], 1.0);
        assert_eq!(p, [1.0, 0.0]);
    }
}
