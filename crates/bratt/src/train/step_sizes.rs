//! How far a step moves each weight, in proportion to the weight: `|w' - w| / |w|`, in Euclidean norms.
//!
//! A rule of thumb of the lecture (Stanford CS231n, "Neural Networks Part 3", ratio of weights to updates) wants about
//! `1e-3`: much less and the layer hardly learns, much more and it is thrown about. Biases and scales have no size of
//! their own to compare with (many begin at 0), so only parameters of at least two axes count.
//!
//! It is measured in the last step of each epoch. That step is a function of the checkpoint before it as any other one
//! is, so a training that was interrupted comes to the same figures.

use crate::exec::Slots;
use crate::graph::Role;

/// The weights before a step.
pub(super) struct Before(Vec<(String, Vec<f32>)>);

impl Before {
    /// Copies them.
    pub(super) fn of(slots: &Slots) -> Before {
        let weights = slots.iter().filter(|(slot, _)| slot.role == Role::Parameter && slot.shape.rank() >= 2);
        Before(weights.map(|(slot, values)| (slot.name.clone(), values.to_vec())).collect())
    }

    /// The size of the step to `after`, by weight. Weights that were all 0 are left out.
    pub(super) fn sizes(self, after: &Slots) -> Vec<(String, f64)> {
        let sizes = self.0.into_iter().filter_map(|(name, before)| {
            let ratio = ratio(&before, after.get(&name)?);
            ratio.is_finite().then_some((name, ratio))
        });
        sizes.collect()
    }
}

fn ratio(before: &[f32], after: &[f32]) -> f64 {
    let (mut moved, mut size) = (0.0, 0.0);
    for (&before, &after) in before.iter().zip(after) {
        let (before, after) = (f64::from(before), f64::from(after));
        moved += (after - before) * (after - before);
        size += before * before;
    }
    (moved / size).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Input, Sequential};
    use crate::optim::Sgd;
    use crate::schedule::Schedule;
    use crate::train::Trainer;
    use crate::train::tests::few;

    #[test]
    fn a_ratio_of_norms() {
        assert_eq!(ratio(&[3.0, 4.0], &[3.0, 4.5]), 0.1);
        assert!(!ratio(&[0.0], &[1.0]).is_finite());
    }

    #[test]
    fn a_tenth_of_the_rate_makes_a_tenth_of_the_first_step() {
        let data = few(40);
        let size = |rate: f64| {
            let network = Sequential::new(Input::image(8, 8, 1)).dense(12).relu().dense(10);
            // One step an epoch.
            let trainer = Trainer::new(network).optimizer(Sgd::default()).schedule(Schedule::constant(rate));
            let fit = trainer.batch_size(40).epochs(1).threads(1).fit(&data).unwrap();
            fit.history()[0].step_sizes.clone()
        };
        let (large, small) = (size(0.1), size(0.01));
        assert_eq!(large.len(), 2, "{large:?}");
        for ((name, large), (_, small)) in large.iter().zip(&small) {
            assert!((large / small - 10.0).abs() < 0.05, "{name}: {large} {small}");
        }
    }
}
