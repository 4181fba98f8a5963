//! A training that was interrupted anywhere ends as one that was not.

use super::*;
use crate::data::{Augment, Split, digits};
use crate::nn::{Input, Sequential};
use crate::optim::{Adam, Optimizer};
use std::fs;

/// Keeps all checkpoints that are offered.
#[derive(Default)]
struct All(Vec<Vec<u8>>);

impl Listener for All {
    fn event(&mut self, _: &Event) {}

    fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
        self.0.push(snapshot.to_bytes());
    }
}

fn load(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.checkpoint");
    fs::write(&path, bytes).unwrap();
    Checkpoint::load(&path)
}

fn data() -> Splits {
    tests::few(150)
}

/// Everything that has a state or is random: batch norm, dropout, moments, augmentation, mixing, a last smaller batch.
fn trainer() -> Trainer {
    let network = Sequential::new(Input::image(8, 8, 1)).dense(16).batch_norm().relu().dropout(0.3).dense(10);
    let augment = Augment { crop: 1, mixup: 0.4, ..Augment::default() };
    Trainer::new(network)
        .optimizer(Adam::default())
        .augment(augment)
        .epochs(3)
        .batch_size(32)
        .seed(5)
        .threads(1)
}

#[test]
fn from_every_step_the_model_becomes_the_same_bytes() {
    let (data, mut all) = (data(), All::default());
    let whole = trainer().fit_with(&data, &mut all).unwrap();
    assert_eq!(all.0.len(), 12, "3 epochs of 4 steps");
    for (at, bytes) in all.0.iter().enumerate() {
        let checkpoint = load(bytes).unwrap();
        assert_eq!((checkpoint.epoch(), checkpoint.step_of_epoch()), ((at + 1) / 4, (at + 1) % 4));
        let mut rest = All::default();
        let trainer = trainer().threads(1 + at % 3).loaders(at % 3);
        let resumed = trainer.resume(checkpoint).fit_with(&data, &mut rest).unwrap();
        assert!(resumed.model().to_bytes() == whole.model().to_bytes(), "after step {}", at + 1);
        assert_eq!(resumed.history().len(), 3);
        assert!(rest.0[..] == all.0[at + 1..] || times_differ(&rest.0, &all.0[at + 1..]), "step {}", at + 1);
    }
}

/// Whether checkpoints are equal but for the seconds that epochs took.
fn times_differ(a: &[Vec<u8>], b: &[Vec<u8>]) -> bool {
    let plain = |bytes: &Vec<u8>| {
        let mut checkpoint = load(bytes).unwrap();
        checkpoint.progress.history.iter_mut().for_each(|end| end.seconds = 0.0);
        checkpoint
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| plain(a) == plain(b))
}

#[test]
fn balanced_trainings_go_on_in_the_middle_of_an_epoch() {
    let data = unequal();
    for balance in [Balance::Sampling, Balance::SqrtWeights] {
        let trainer = || trainer().balance(balance);
        let mut all = All::default();
        let whole = trainer().fit_with(&data, &mut all).unwrap();
        for (at, bytes) in all.0.iter().enumerate() {
            let trainer = trainer().threads(1 + at % 3).loaders(at % 3);
            let resumed = trainer.resume(load(bytes).unwrap()).fit(&data).unwrap();
            let same = resumed.model().to_bytes() == whole.model().to_bytes();
            assert!(same, "{} after step {}", balance.name(), at + 1);
        }
    }
}

/// Digits of which each next class has fewer examples.
fn unequal() -> Splits {
    let all = digits();
    let mut seen = [0; 10];
    let mut keep = |label: u32| {
        seen[label as usize] += 1;
        seen[label as usize] <= 4 * (10 - label)
    };
    let train = (0..1000).filter(|&at| keep(all.labels()[at as usize])).collect();
    let split = Split { train, val: (1000..1300).collect(), test: Vec::new(), small_classes: Vec::new() };
    Splits::from_parts(all, split, None).unwrap()
}

#[test]
fn patience_follows_the_monitored_measure_and_goes_on_with_it() {
    let data = data();
    let trainer = || trainer().monitor(Monitor::Accuracy).epochs(40).patience(4);
    let mut all = All::default();
    let whole = trainer().fit_with(&data, &mut all).unwrap();
    // The last of the epochs in which accuracy rose, or stayed and the loss fell.
    let mut best: Option<Score> = None;
    let mut kept = 0;
    for end in whole.history() {
        let score = end.validation.unwrap();
        let better = best.is_none_or(|best| {
            score.accuracy > best.accuracy || (score.accuracy == best.accuracy && score.loss < best.loss)
        });
        assert_eq!(end.best, better, "epoch {}", end.epoch);
        if better {
            (best, kept) = (Some(score), end.epoch);
        }
    }
    assert_eq!(whole.model().provenance.kept_epoch, kept);
    assert_eq!(whole.reason(), StopReason::EarlyStop);
    assert_eq!(whole.history().len(), kept + 4);
    for at in [5, 4 * kept - 1, 4 * kept + 5, all.0.len() - 2] {
        let resumed = trainer().resume(load(&all.0[at]).unwrap()).fit(&data).unwrap();
        assert!(resumed.model().to_bytes() == whole.model().to_bytes(), "after step {}", at + 1);
        assert_eq!(resumed.history().len(), whole.history().len());
    }
}

#[test]
fn averages_of_the_weights_go_on_too_and_are_what_is_kept() {
    let data = data();
    let averaging = || trainer().optimizer(Optimizer::from(Adam::default()).average(0.9));
    let mut all = All::default();
    let whole = averaging().fit_with(&data, &mut all).unwrap();
    for at in [2, 4, 7, 10] {
        let resumed = averaging().resume(load(&all.0[at]).unwrap()).fit(&data).unwrap();
        assert!(resumed.model().to_bytes() == whole.model().to_bytes(), "after step {}", at + 1);
    }
    let plain = trainer().fit(&data).unwrap();
    assert!(plain.model().to_bytes() != whole.model().to_bytes());
    assert_eq!(plain.history()[0].train_loss, whole.history()[0].train_loss, "training does not notice");
}

#[test]
fn more_epochs_extend_a_training() {
    let data = data();
    let whole = trainer().schedule_epochs(2).epochs(4).fit(&data).unwrap();
    let mut all = All::default();
    trainer().epochs(2).fit_with(&data, &mut all).unwrap();
    let checkpoint = load(all.0.last().unwrap()).unwrap();
    assert_eq!(checkpoint.ended(), Some(StopReason::Completed));
    let extended = trainer().schedule_epochs(2).epochs(4).resume(checkpoint.clone()).fit(&data).unwrap();
    assert!(extended.model().to_bytes() == whole.model().to_bytes());
    assert_eq!(extended.reason(), StopReason::Completed);

    let error = trainer().schedule_epochs(2).epochs(1).resume(checkpoint).fit(&data).unwrap_err();
    assert!(error.to_string().contains("has 2 epochs behind it, more than the 1"), "{error}");
}

#[test]
fn a_training_that_had_ended_gives_its_model_again() {
    let (data, mut all) = (data(), All::default());
    let whole = trainer().fit_with(&data, &mut all).unwrap();
    let again = trainer().resume(load(all.0.last().unwrap()).unwrap()).fit(&data).unwrap();
    assert!(again.model().to_bytes() == whole.model().to_bytes());
    assert_eq!(again.reason(), StopReason::Completed);
}

#[test]
fn patience_goes_on_where_it_was_and_begins_anew_for_more_epochs() {
    let data = data();
    // A rate at which nothing gets better.
    let impatient = |epochs| trainer().learning_rate(1e-12).epochs(epochs).schedule_epochs(20).patience(3);
    let mut all = All::default();
    let whole = impatient(20).fit_with(&data, &mut all).unwrap();
    assert_eq!(whole.reason(), StopReason::EarlyStop);
    let epochs = whole.history().len();
    let before = load(&all.0[all.0.len() - 6]).unwrap();
    let resumed = impatient(20).resume(before).fit(&data).unwrap();
    assert_eq!((resumed.reason(), resumed.history().len()), (StopReason::EarlyStop, epochs));

    let more = impatient(30).resume(load(all.0.last().unwrap()).unwrap()).fit(&data).unwrap();
    assert!(more.history().len() >= epochs + 3, "{} after {epochs}", more.history().len());
}

#[test]
fn an_interrupted_training_leaves_a_checkpoint_from_before_the_epoch_was_cut_short() {
    struct StopAt(Stop, All);
    impl Listener for StopAt {
        fn event(&mut self, event: &Event) {
            if matches!(event, Event::Step { epoch: 2, step: 2, .. }) {
                self.0.request();
            }
        }
        fn snapshot(&mut self, snapshot: &Snapshot<'_>) {
            self.1.snapshot(snapshot);
        }
    }
    let (data, stop) = (data(), Stop::default());
    let mut listener = StopAt(stop.clone(), All::default());
    let cut = trainer().stop(&stop).fit_with(&data, &mut listener).unwrap();
    assert_eq!((cut.reason(), cut.history().len()), (StopReason::Interrupted, 2));
    let checkpoint = load(listener.1.0.last().unwrap()).unwrap();
    assert_eq!((checkpoint.epoch(), checkpoint.step_of_epoch(), checkpoint.ended()), (1, 2, None));
    let resumed = trainer().resume(checkpoint).fit(&data).unwrap();
    assert!(resumed.model().to_bytes() == trainer().fit(&data).unwrap().model().to_bytes());
}

#[test]
fn a_torn_or_changed_file_is_noticed() {
    let mut all = All::default();
    trainer().epochs(1).fit_with(&data(), &mut all).unwrap();
    let whole = all.0.pop().unwrap();
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let error = load(&whole[..length]).unwrap_err();
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{length} bytes: {error}");
    }
    for at in (0..whole.len()).step_by(61) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        // Spaces that pad the header may be anything that JSON takes for a space.
        let same = load(&changed).is_ok_and(|read| read == load(&whole).unwrap());
        assert!(same || load(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_checkpoint_of_another_training_is_refused_by_what_differs() {
    let mut all = All::default();
    let data = data();
    trainer().epochs(1).fit_with(&data, &mut all).unwrap();
    let checkpoint = load(&all.0[1]).unwrap();
    let others = [
        ("seed", "5, that of this training 6", trainer().seed(6)),
        ("batch size", "16", trainer().batch_size(16)),
        ("optimizer", "epsilon: 1e-7", trainer().optimizer(Adam { epsilon: 1e-7, ..Adam::default() })),
        ("learning rate", r#"{"type":"linear","from":0.5,"#, trainer().learning_rate(0.5)),
        // It is a layer of the model.
        ("model", "standardize", trainer().preprocess(Preprocess::PerFeature)),
        ("augmentation", "crop: 0", trainer().augment(Augment { mixup: 0.4, ..Augment::default() })),
        ("balance of classes", "sampling", trainer().balance(Balance::Sampling)),
        ("monitored measure", "macro_f1", trainer().monitor(Monitor::MacroF1)),
    ];
    for (key, difference, other) in others {
        let error = other.schedule_epochs(1).resume(checkpoint.clone()).fit(&data).unwrap_err().to_string();
        assert!(error.contains(&format!("its {key} is")) && error.contains(difference), "{key}: {error}");
    }
    let error = trainer().epochs(1).resume(checkpoint).fit(&tests::few(160)).unwrap_err().to_string();
    assert!(error.contains("its data is"), "{error}");
}
