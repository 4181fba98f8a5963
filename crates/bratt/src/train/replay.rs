//! One step of a training again, exactly as it was, to look at.
//!
//! Order, augmentation, dropout and rates are functions of seed and step, so that from the state before it, a step is the
//! same step. That state is reached from a checkpoint, or from the beginning, by the steps between. The step itself runs as
//! it did in training, to the same bits; its gradients come from the same graph, compiled once more with them as outputs.

use super::fit::{Prepared, describe, identity, loader, prepare};
use super::step::gradient_output;
use super::stepper::Stepper;
use super::{Splits, TrainError, Trainer};
use crate::compile::{Options, compile};
use crate::exec::{Key, Slots};
use crate::graph::Role;
use crate::tensor::Shape;

/// A step, as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Its number, from 1.
    pub step: u64,
    /// Its epoch, from 1, and its number in it, from 1.
    pub epoch: usize,
    /// See `epoch`.
    pub step_of_epoch: usize,
    /// The examples of its batch, by their indices in the data set.
    pub examples: Vec<u32>,
    /// The learning rate.
    pub learning_rate: f64,
    /// The momentum, where it is scheduled.
    pub momentum: Option<f64>,
    /// The loss before the update.
    pub loss: f32,
    /// How many steps were done again to get there.
    pub replayed: u64,
    /// What became of each parameter, in the order of the layers.
    pub parameters: Vec<ReplayedParameter>,
}

/// What a step did to a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayedParameter {
    /// Its name, as `dense1.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Its value before the step.
    pub before: Vec<f32>,
    /// The gradient, as the loss has it: before clipping and weight decay, at Nesterov's look-ahead if that is the rule.
    pub gradient: Vec<f32>,
    /// Its value after the step.
    pub after: Vec<f32>,
    /// What the optimiser keeps for it: name, before, after.
    pub state: Vec<(String, Vec<f32>, Vec<f32>)>,
}

impl ReplayedParameter {
    /// After less before.
    pub fn update(&self) -> Vec<f32> {
        self.after.iter().zip(&self.before).map(|(after, before)| after - before).collect()
    }
}

/// Does step number `step`, from 1, again. The trainer's checkpoint, if it has one, is where it begins; it must lie before.
pub(super) fn replay(trainer: &Trainer, data: &Splits, step: u64) -> Result<Replay, TrainError> {
    let Prepared { machine, network, sizes, steps } = prepare(trainer, data)?;
    let last = (trainer.epochs * steps) as u64;
    if step == 0 || step > last {
        return Err(TrainError::NoSuchStep { step, last });
    }
    let train = data.train();
    let total = (trainer.resolved_schedule_epochs() * steps) as u64;
    let mut stepper = Stepper::new(trainer, &train, &network, &machine, &sizes, total)?;
    let mut slots = Slots::new(stepper.layout.clone(), trainer.seed);
    let mut done = 0;
    if let Some(checkpoint) = &trainer.resume {
        let model = describe(trainer, data, &network, &stepper.lr);
        let identity = identity(trainer, &model, &stepper.lr, stepper.momentum.as_ref());
        checkpoint.check(&identity, trainer.epochs)?;
        let at = checkpoint.step();
        if at < step {
            checkpoint.restore(&mut slots)?;
            done = at;
        }
    }
    let loader = loader(trainer, &train, steps);
    let mut maker = loader.maker();
    let place = |step: u64| ((step / steps as u64), (step % steps as u64) as usize);
    let replayed = step - 1 - done;
    let mut order = loader.epoch(place(done).0);
    let mut epoch = place(done).0;
    for at in done..step {
        let (of, nth) = place(at);
        if of != epoch {
            (epoch, order) = (of, loader.epoch(of));
        }
        if at + 1 < step {
            stepper.replay(&mut slots, &mut maker, &order, nth, at);
        }
    }
    let at = step - 1;
    let (epoch, nth) = place(at);
    let examples = order.get(nth).unwrap_or_default().to_vec();

    // The gradients, on a copy of the state.
    let graph = stepper.graph_with_gradients(examples.len())?;
    let options = Options { layout: Some(stepper.layout.clone()), ..Options::default() };
    let mut runner = machine.load(compile(&graph, &options)?);
    stepper.feed(&mut runner, &mut maker, &order, nth, at);
    runner.run(&mut slots.clone(), Key { seed: trainer.seed, step: at });

    let before = slots.clone();
    let loss = stepper.replay(&mut slots, &mut maker, &order, nth, at);
    let values = |slots: &Slots, name: &str| slots.get(name).map(<[f32]>::to_vec).unwrap_or_default();
    let parameters = before
        .iter()
        .filter(|(slot, _)| slot.role == Role::Parameter)
        .filter_map(|(slot, value)| {
            let name = &slot.name;
            // Of an optimiser's slot `adam.dense1.weight.m` the parameter is in the middle.
            let belongs =
                |other: &str| other.contains(&format!(".{name}.")) || other == format!("average.{name}");
            let state = before
                .iter()
                .filter(|(other, _)| other.role == Role::Optimizer && belongs(&other.name))
                .map(|(other, old)| (other.name.clone(), old.to_vec(), values(&slots, &other.name)));
            Some(ReplayedParameter {
                name: name.clone(),
                shape: slot.shape.clone(),
                before: value.to_vec(),
                gradient: runner.get(&gradient_output(name))?.to_vec(),
                after: values(&slots, name),
                state: state.collect(),
            })
        })
        .collect();
    Ok(Replay {
        step,
        epoch: epoch as usize + 1,
        step_of_epoch: nth + 1,
        examples,
        learning_rate: stepper.lr.at(at),
        momentum: stepper.momentum.as_ref().map(|momentum| momentum.at(at)),
        loss,
        replayed,
        parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Listener, Snapshot, tests};
    use super::*;
    use crate::data::Augment;
    use crate::nn::{Input, Sequential};
    use crate::optim::{Adam, Nesterov, Optimizer, Sgd};
    use crate::train::Checkpoint;

    #[derive(Default)]
    struct All(Vec<Vec<u8>>);

    impl Listener for All {
        fn event(&mut self, _: &Event) {}

        fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
            self.0.push(snapshot.to_bytes());
        }
    }

    fn trainer(optimizer: impl Into<Optimizer>) -> Trainer {
        let network =
            Sequential::new(Input::image(8, 8, 1)).dense(16).batch_norm().relu().dropout(0.3).dense(10);
        let augment = Augment { crop: 1, ..Augment::default() };
        Trainer::new(network)
            .optimizer(optimizer)
            .augment(augment)
            .epochs(3)
            .batch_size(32)
            .seed(5)
            .threads(1)
    }

    fn load(bytes: &[u8]) -> Checkpoint {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.checkpoint");
        std::fs::write(&path, bytes).unwrap();
        Checkpoint::load(&path).unwrap()
    }

    #[test]
    fn what_is_replayed_are_the_bits_of_the_training() {
        let (data, mut all) = (tests::few(150), All::default());
        trainer(Adam::default()).fit_with(&data, &mut all).unwrap();
        for step in [1, 2, 4, 5, 12] {
            let alone = trainer(Adam::default()).replay(&data, step).unwrap();
            let slots = state_of(&data, &load(&all.0[step as usize - 1]));
            for parameter in &alone.parameters {
                assert!(slots.get(&parameter.name).unwrap() == parameter.after, "{} {step}", parameter.name);
                assert_eq!(parameter.state.len(), 2, "Adam keeps two moments");
                for (name, _, after) in &parameter.state {
                    assert!(slots.get(name).unwrap() == after, "{name}");
                }
            }
            assert_eq!(
                (alone.epoch, alone.step_of_epoch),
                ((step as usize - 1) / 4 + 1, (step as usize - 1) % 4 + 1)
            );
            assert_eq!(alone.replayed, step - 1);
            // From a checkpoint it is the same step.
            if step > 2 {
                let nearer = trainer(Adam::default()).resume(load(&all.0[step as usize - 3]));
                let nearer = nearer.replay(&data, step).unwrap();
                assert_eq!((nearer.replayed, &nearer.parameters), (1, &alone.parameters));
            }
        }
    }

    /// The slots of a checkpoint of that training.
    fn state_of(data: &Splits, checkpoint: &Checkpoint) -> Slots {
        let trainer = trainer(Adam::default());
        let Prepared { machine, network, sizes, steps } = prepare(&trainer, data).unwrap();
        let stepper =
            Stepper::new(&trainer, &data.train(), &network, &machine, &sizes, 3 * steps as u64).unwrap();
        let mut slots = Slots::new(stepper.layout.clone(), 5);
        checkpoint.restore(&mut slots).unwrap();
        slots
    }

    #[test]
    fn the_update_is_what_the_rule_makes_of_the_gradient() {
        let data = tests::few(150);
        let sgd = trainer(Sgd::default()).replay(&data, 6).unwrap();
        for parameter in &sgd.parameters {
            for ((update, gradient), before) in
                parameter.update().iter().zip(&parameter.gradient).zip(&parameter.before)
            {
                let expected = -sgd.learning_rate as f32 * gradient;
                let rounding = 1e-6 * before.abs().max(1e-3);
                assert!((update - expected).abs() <= rounding + 1e-5 * expected.abs(), "{}", parameter.name);
            }
        }
        let nesterov = trainer(Nesterov::default()).replay(&data, 6).unwrap();
        let weight = &nesterov.parameters[0];
        let (_, before, after) = &weight.state[0];
        for at in 0..weight.before.len() {
            let velocity = 0.9 * before[at] - nesterov.learning_rate as f32 * weight.gradient[at];
            assert!((after[at] - velocity).abs() < 1e-6, "{at}");
        }
    }

    #[test]
    fn a_step_that_there_was_not_is_told() {
        for step in [0, 13] {
            let said = trainer(Sgd::default()).replay(&tests::few(150), step).unwrap_err().to_string();
            assert!(said.contains("from 1 to 12"), "{said}");
        }
    }
}
