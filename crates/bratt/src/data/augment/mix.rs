//! Two examples become one: mixup and cutmix.
//!
//! With examples (x, t) and (x', t'), t as probabilities of the classes, and lambda from a Beta(alpha, alpha):
//!
//! - mixup: `lambda x + (1 - lambda) x'`
//! - cutmix: x with a rectangle of x' pasted in, whose sides are `sqrt(1 - lambda)` of the picture's, its centre uniform;
//!   lambda is then the share of the picture that is still x
//!
//! and in both cases the label is `lambda t + (1 - lambda) t'`. With both, a fair coin decides for each example.
//!
//! Both papers draw one lambda a batch and pair a batch with its own shuffle. Here each example has its own lambda and its
//! partner comes from the whole training part, both drawn from (seed, epoch, index), so that a picture does not depend on
//! the batch it is in. Where an epoch draws its examples, partners come from its draws.
//!
//! Source: Zhang, Cisse, Dauphin and Lopez-Paz 2018 (alpha 0.1 to 0.4; 1 for CIFAR); Yun et al. 2019 (alpha 1). Gamma
//! variates: Marsaglia and Tsang 2000.

use super::Frame;
use crate::random::Stream;

/// How an example is mixed with its partner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) enum Mix {
    /// So much of the example itself.
    Blend(f32),
    /// The rows and columns that are the partner's.
    Paste {
        /// First and one past the last.
        rows: [usize; 2],
        /// First and one past the last.
        columns: [usize; 2],
    },
}

impl Mix {
    /// Draws how to mix; the alphas are not both 0.
    pub(super) fn random(mixup: f64, cutmix: f64, frame: Frame, random: &mut Stream) -> Mix {
        let coin = random.below(2) == 0;
        if mixup > 0.0 && (cutmix == 0.0 || coin) {
            return Mix::Blend(beta(mixup, random) as f32);
        }
        let side = (1.0 - beta(cutmix, random)).sqrt();
        let mut span = |n: usize| {
            let length = (side * n as f64) as usize;
            let begin = random.below(n as u32) as isize - length as isize / 2;
            let end = (begin + length as isize).clamp(0, n as isize) as usize;
            [begin.max(0) as usize, end]
        };
        Mix::Paste { rows: span(frame.height), columns: span(frame.width) }
    }

    /// The example's own share, lambda.
    pub(in crate::data) fn weight(&self, frame: Frame) -> f32 {
        match self {
            Mix::Blend(own) => *own,
            Mix::Paste { rows, columns } => {
                let pasted = (rows[1] - rows[0]) * (columns[1] - columns[0]);
                1.0 - pasted as f32 / frame.pixels() as f32
            }
        }
    }

    /// Mixes `partner` into `own`.
    pub(in crate::data) fn apply(&self, own: &mut [f32], partner: &[f32], frame: Frame) {
        match *self {
            Mix::Blend(weight) => {
                for (own, partner) in own.iter_mut().zip(partner) {
                    *own = weight * *own + (1.0 - weight) * partner;
                }
            }
            Mix::Paste { rows, columns } => {
                let row_len = frame.width * frame.channels;
                let part = columns[0] * frame.channels..columns[1] * frame.channels;
                for y in rows[0]..rows[1] {
                    let row = y * row_len + part.start..y * row_len + part.end;
                    own[row.clone()].copy_from_slice(&partner[row]);
                }
            }
        }
    }
}

/// A number from Beta(alpha, alpha): a / (a + b) of two gamma variates.
fn beta(alpha: f64, random: &mut Stream) -> f64 {
    let (a, b) = (gamma(alpha, random), gamma(alpha, random));
    // For a tiny alpha both can be 0; the distribution is then that of a coin.
    if a + b > 0.0 { a / (a + b) } else { random.below(2).into() }
}

/// A number from Gamma(alpha, 1).
fn gamma(alpha: f64, random: &mut Stream) -> f64 {
    if alpha < 1.0 {
        let root = (1.0 - random.uniform()).powf(1.0 / alpha);
        return gamma(alpha + 1.0, random) * root;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = random.normal();
        let v = (1.0 + c * x).powi(3);
        let u = 1.0 - random.uniform();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const FRAME: Frame = Frame { height: 8, width: 10, channels: 3 };

    #[test]
    fn beta_has_the_mean_and_variance_of_the_textbook() {
        for alpha in [0.2, 1.0, 3.0] {
            let mut stream = Stream::new(5, Purpose::Augment, 0);
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{alpha}: {variance} {expected}");
        }
    }

    #[test]
    fn the_weight_of_a_paste_is_the_share_that_is_left() {
        let mut stream = Stream::new(5, Purpose::Augment, 0);
        for _ in 0..300 {
            let mix = Mix::random(0.0, 1.0, FRAME, &mut stream);
            let mut own = vec![1.0; FRAME.len()];
            mix.apply(&mut own, &vec![0.0; FRAME.len()], FRAME);
            let share = own.iter().sum::<f32>() / FRAME.len() as f32;
            assert!((share - mix.weight(FRAME)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_blend_is_between_both() {
        let mix = Mix::Blend(0.25);
        let mut own = vec![1.0, 0.0];
        mix.apply(&mut own, &[0.0, 1.0], FRAME);
        assert_eq!((own, mix.weight(FRAME)), (vec![0.25, 0.75], 0.25));
    }

    #[test]
    fn with_both_each_gets_half() {
        let mut stream = Stream::new(5, Purpose::Augment, 0);
        let mixes = (0..1000).map(|_| Mix::random(1.0, 1.0, FRAME, &mut stream));
        let blends = mixes.filter(|mix| matches!(mix, Mix::Blend(_))).count();
        assert!((440..560).contains(&blends), "{blends}");
    }
}
