//! Soft labels and augmented training.

use super::*;
use crate::data::augment::{Augment, Border};
use crate::data::{Dataset, Features, Fractions, Targets, digits};
use crate::exec::{Key, State, gradcheck, interpret};
use crate::graph::Graph;
use crate::nn::{Input, Sequential, Task};
use crate::tensor::Tensor;

fn splits() -> Splits {
    let all = digits();
    let Features::Pixels { bytes, scale } = all.features() else { panic!() };
    let Targets::Classes { labels, names } = all.targets() else { panic!() };
    let features = Features::Pixels { bytes: bytes[..64 * 150].to_vec().into(), scale: *scale };
    let targets = Targets::Classes { labels: labels[..150].to_vec(), names: names.clone() };
    let data = Dataset::new("few", vec![8, 8, 1], features, targets).unwrap();
    Splits::new(data, Fractions::default(), 1).unwrap()
}

fn network() -> Sequential {
    Sequential::new(Input::image(8, 8, 1)).dense(24).batch_norm().relu().dense(10)
}

fn all_kinds() -> Augment {
    Augment {
        crop: 1,
        rotation: 10.0,
        border: Border::Reflect,
        erase: 0.2,
        mixup: 0.3,
        cutmix: 1.0,
        label_smoothing: 0.1,
        ..Augment::default()
    }
}

#[test]
fn bits_do_not_depend_on_loaders_or_threads() {
    let data = splits();
    let trainer = Trainer::new(network()).epochs(2).batch_size(32).seed(3).augment(all_kinds());
    let bytes = |loaders, threads| {
        trainer.clone().loaders(loaders).threads(threads).fit(&data).unwrap().model().to_bytes()
    };
    let inline = bytes(0, 1);
    for (loaders, threads) in [(1, 1), (2, 2), (3, 1), (8, 3)] {
        assert!(bytes(loaders, threads) == inline, "{loaders} loaders, {threads} threads");
    }
    let plain = trainer.clone().augment(Augment::default());
    assert!(
        plain.clone().loaders(2).fit(&data).unwrap().model().to_bytes()
            == plain.loaders(0).fit(&data).unwrap().model().to_bytes()
    );
}

#[test]
fn digits_are_read_after_an_augmented_training() {
    let data = Splits::new(digits(), Fractions::default(), 7).unwrap();
    let augment = Augment { rotation: 8.0, mixup: 0.2, label_smoothing: 0.1, ..Augment::default() };
    let wide = Sequential::new(Input::image(8, 8, 1)).dense(64).batch_norm().relu().dense(10);
    let run = Trainer::new(wide).learning_rate(0.01).epochs(10).seed(7).augment(augment).fit(&data).unwrap();
    let test = run.evaluate(data.test()).unwrap();
    assert!(test.accuracy() >= Some(0.95), "{test}");
    assert!(run.model().provenance.augment.as_deref().unwrap().contains("mixup 0.2"));
}

#[test]
fn what_does_not_suit_the_data_is_refused() {
    let refused = |augment| {
        let error = Trainer::new(network()).augment(augment).check(&splits()).unwrap_err();
        error.to_string()
    };
    let text = refused(Augment { erase: 2.0, ..Augment::default() });
    assert_eq!(text, "erase: found 2, expected at least 0 and at most 1");
    let table = Features::Table { values: vec![0.5; 40], columns: vec!["a".into(), "b".into()] };
    let labels: Vec<u32> = (0..20).map(|n| n % 2).collect();
    let targets = Targets::Classes { labels, names: vec!["n".into(), "y".into()] };
    let table = Dataset::new("table", vec![2], table, targets).unwrap();
    let table = Splits::new(table, Fractions::default(), 0).unwrap();
    let trainer = Trainer::new(Sequential::new(Input::features(2)).dense(2));
    let flip = Augment { flip: 0.5, ..Augment::default() };
    assert!(
        trainer.clone().augment(flip).check(&table).unwrap_err().to_string().contains("flip for a table")
    );
    let smooth = Augment { label_smoothing: 0.1, ..Augment::default() };
    trainer.augment(smooth).check(&table).unwrap();
}

/// The mean soft loss of logits, as training has it.
fn loss_graph(task: Task, outputs: usize, soft: SoftLabels) -> Graph {
    let g = Graph::builder();
    let (z, labels) = (g.input("z", [4, outputs]), g.input("labels", [4]));
    let (partner, weights) = (g.input("partner_labels", [4]), g.input("weights", [4]));
    let losses = match soft.mixed {
        true => task.mixed_losses(&g, z, [labels, partner], weights, soft.smoothing),
        false => task.smoothed_losses(&g, z, labels, soft.smoothing),
    };
    g.output("loss", g.mean_all(losses));
    g.finish().unwrap()
}

#[test]
fn soft_losses_are_the_cross_entropy_with_the_soft_label_and_so_are_their_gradients() {
    let vector = |values: [f64; 4]| Tensor::new([4], values.to_vec()).unwrap();
    let weights = vector([1.0, 0.3, 0.0, 0.75]);
    for (task, k) in [(Task::Classify, 3), (Task::Binary, 1)] {
        let z = Tensor::from_fn([4, k], |i| 2.0 * ((3 * i + 1) as f64).sin());
        let most = if k == 1 { 1.0 } else { 2.0 };
        let (own, partner) = (vector([0.0, 1.0, most, 1.0]), vector([1.0, 1.0, 0.0, 0.0]));
        for mixed in [false, true] {
            for smoothing in [0.0, 0.1] {
                let graph = loss_graph(task, k, SoftLabels { mixed, smoothing, weighted: false });
                let inputs =
                    [("z", &z), ("labels", &own), ("partner_labels", &partner), ("weights", &weights)];
                let trace = interpret(&graph, &inputs, &State::new(), Key::default()).unwrap();
                let found = trace.output("loss").unwrap().data()[0];

                let classes = k.max(2);
                let mut expected = 0.0;
                for i in 0..4 {
                    // One logit is that of class 1 against 0.
                    let row: Vec<f64> = match k {
                        1 => vec![0.0, z.data()[i]],
                        _ => z.data()[i * k..][..k].to_vec(),
                    };
                    let norm = row.iter().map(|z| z.exp()).sum::<f64>().ln();
                    let share = if mixed { weights.data()[i] } else { 1.0 };
                    for (class, logit) in row.iter().enumerate() {
                        let is = |label: &Tensor<f64>| f64::from(label.data()[i] == class as f64);
                        let hard = share * is(&own) + (1.0 - share) * is(&partner);
                        let label = (1.0 - smoothing) * hard + smoothing / classes as f64;
                        expected -= label * (logit - norm) / 4.0;
                    }
                }
                assert!((found - expected).abs() < 1e-12, "{task:?} {mixed} {smoothing}: {found} {expected}");
                let report = gradcheck(&graph, "loss", &["z"], &inputs, &State::new()).unwrap();
                assert!(report.largest_error() < 1e-7, "{report}");
            }
        }
    }
}
