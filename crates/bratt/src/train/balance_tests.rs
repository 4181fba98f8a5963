use super::*;
use crate::data::{Dataset, Features, Split, Targets, digits};
use crate::exec::{Key, State, gradcheck, interpret};
use crate::graph::Graph;
use crate::nn::{Input, Sequential, Task};
use crate::optim::Sgd;
use crate::tensor::Tensor;
use crate::train::step::weighted_loss;
use crate::train::{Preprocess, Splits, Trainer};

#[test]
fn weights_are_those_of_the_formula_with_mean_1() {
    // scikit-learn 1.5: compute_class_weight("balanced", ...) of 50, 40 and 10 examples.
    let counts = [50, 40, 10];
    let weights = Balance::Weights.class_weights(&counts);
    let expected = [0.666_666_666_666_666_6, 0.833_333_333_333_333_4, 3.333_333_333_333_333_5];
    assert!(weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-15), "{weights:?}");
    let roots = Balance::SqrtWeights.class_weights(&counts);
    assert!((roots[2] / roots[0] - 5f64.sqrt()).abs() < 1e-15, "{roots:?}");
    for weights in [weights, roots] {
        let mean: f64 = weights.iter().zip(counts).map(|(w, n)| w * n as f64 / 100.0).sum();
        assert!((mean - 1.0).abs() < 1e-15, "{mean}");
    }
    assert!(
        Balance::Sampling.class_weights(&counts).is_empty()
            && Balance::None.class_weights(&counts).is_empty()
    );
}

#[test]
fn classes_without_examples_change_nothing_for_the_others() {
    for balance in [Balance::Weights, Balance::SqrtWeights] {
        let [a, none, b] = balance.class_weights(&[6, 0, 2])[..] else { panic!() };
        assert_eq!(none, 0.0);
        assert_eq!([a, b][..], balance.class_weights(&[6, 2]));
    }
    assert_eq!(Balance::suited(&[0, 10, 12]), Balance::None);
    assert_eq!(Balance::suited(&[]), Balance::None);
}

/// The mean weighted loss of logits, as training has it.
fn loss_graph(task: Task, outputs: usize, mixed: bool, smoothing: f64) -> Graph {
    let g = Graph::builder();
    let (z, labels) = (g.input("z", [4, outputs]), g.input("labels", [4]));
    let partner = mixed.then(|| (g.input("partner_labels", [4]), g.input("weights", [4])));
    g.output("loss", weighted_loss(&g, task, z, labels, partner, smoothing));
    g.finish().unwrap()
}

#[test]
fn weighted_losses_are_weighted_cross_entropies_and_so_are_their_gradients() {
    let vector = |values: [f64; 4]| Tensor::new([4], values.to_vec()).unwrap();
    let class_weights = [0.5, 1.25, 3.0];
    let of = |labels: &Tensor<f64>| Tensor::from_fn([4], |i| class_weights[labels.data()[i] as usize]);
    let share = vector([1.0, 0.3, 0.0, 0.75]);
    for (task, k) in [(Task::Classify, 3), (Task::Binary, 1)] {
        let z = Tensor::from_fn([4, k], |i| 2.0 * ((3 * i + 1) as f64).sin());
        let most = if k == 1 { 1.0 } else { 2.0 };
        let (own, partner) = (vector([0.0, 1.0, most, 1.0]), vector([1.0, 1.0, 0.0, 0.0]));
        let (own_weights, partner_weights) = (of(&own), of(&partner));
        for (mixed, smoothing) in [(false, 0.0), (false, 0.1), (true, 0.0), (true, 0.1)] {
            let graph = loss_graph(task, k, mixed, smoothing);
            let mut inputs = vec![("z", &z), ("labels", &own), ("label_weights", &own_weights)];
            if mixed {
                inputs.extend([("partner_labels", &partner), ("weights", &share)]);
                inputs.push(("partner_label_weights", &partner_weights));
            }
            let trace = interpret(&graph, &inputs, &State::new(), Key::default()).unwrap();
            let found = trace.output("loss").unwrap().data()[0];

            // One logit is that of class 1 against 0.
            let mut expected = 0.0;
            for i in 0..4 {
                let row = if k == 1 { vec![0.0, z.data()[i]] } else { z.data()[i * k..][..k].to_vec() };
                let norm = row.iter().map(|z| z.exp()).sum::<f64>().ln();
                let losses: Vec<f64> = row.iter().map(|z| norm - z).collect();
                let even = losses.iter().sum::<f64>() / row.len() as f64;
                let loss = |label: f64| {
                    let smoothed = (1.0 - smoothing) * losses[label as usize] + smoothing * even;
                    class_weights[label as usize] * smoothed
                };
                let share = if mixed { share.data()[i] } else { 1.0 };
                expected += (share * loss(own.data()[i]) + (1.0 - share) * loss(partner.data()[i])) / 4.0;
            }
            assert!((found - expected).abs() < 1e-12, "{task:?} {mixed} {smoothing}: {found} {expected}");
            let report = gradcheck(&graph, "loss", &["z"], &inputs, &State::new()).unwrap();
            assert!(report.largest_error() < 1e-7, "{report}");
        }
    }
}

/// Digits of these indices for training, and no other part.
fn training_on(train: Vec<u32>) -> Splits {
    let split = Split { train, val: Vec::new(), test: Vec::new(), small_classes: Vec::new() };
    Splits::from_parts(digits(), split, None).unwrap()
}

/// The first `counts[k]` digits k.
fn first(counts: [usize; 10]) -> Vec<u32> {
    let (all, mut left) = (digits(), counts);
    let mut wanted = |label: u32| {
        let left = &mut left[label as usize];
        *left > 0 && {
            *left -= 1;
            true
        }
    };
    (0..1797).filter(|&at| wanted(all.labels()[at as usize])).collect()
}

#[test]
fn weights_do_what_repeating_the_examples_of_small_classes_does() {
    // Whole-batch gradient descent knows of the examples nothing but the sum over them.
    let train = first([20, 5, 10, 0, 0, 0, 0, 0, 0, 0]);
    let all = digits();
    let times = |at: u32| [1, 4, 2][all.labels()[at as usize] as usize];
    let repeated = train.iter().flat_map(|&at| std::iter::repeat_n(at, times(at))).collect();
    let trainer = |size| {
        Trainer::new(Sequential::new(Input::image(8, 8, 1)).dense(10))
            .optimizer(Sgd::default())
            .learning_rate(0.05)
            .preprocess(Preprocess::None)
            .epochs(20)
            .batch_size(size)
            .threads(1)
    };
    let weighted = trainer(35).balance(Balance::Weights).fit(&training_on(train)).unwrap();
    let repeated = trainer(60).fit(&training_on(repeated)).unwrap();
    for (name, value) in &weighted.model().values {
        let other = &repeated.model().values[name];
        let far = value.data().iter().zip(other.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-5, "{name}: {far}");
    }
}

/// A table of two classes, 19 to 1, which overlap.
fn rare() -> Splits {
    let mut random = crate::random::Stream::new(5, crate::random::Purpose::Noise, 0);
    let labels: Vec<u32> = (0..2000).map(|i| u32::from(i % 20 == 0)).collect();
    let values = labels
        .iter()
        .flat_map(|&label| [random.normal() as f32 + 1.5 * label as f32, random.normal() as f32]);
    let features = Features::Table { values: values.collect(), columns: vec!["a".into(), "b".into()] };
    let targets = Targets::Classes { labels, names: vec!["often".into(), "rarely".into()] };
    let data = Dataset::new("rare", vec![2], features, targets).unwrap();
    Splits::new(data, crate::data::Fractions { train: 0.5, val: 0.1, test: 0.4 }, 1).unwrap()
}

#[test]
fn rare_examples_are_found_the_more_often_the_more_they_count() {
    let data = rare();
    let recalls = [Balance::None, Balance::SqrtWeights, Balance::Weights, Balance::Sampling].map(|balance| {
        let trainer = Trainer::new(Sequential::new(Input::features(2)).dense(2)).balance(balance).seed(1);
        let fit = trainer.learning_rate(0.02).epochs(10).threads(1).fit(&data).unwrap();
        assert_eq!(fit.model().provenance.balance.is_some(), balance != Balance::None);
        let said = fit.predictions(data.test()).unwrap();
        let sample = said.sample().unwrap();
        crate::metrics::Confusion::of(&sample).recall(1)
    });
    let [none, roots, weights, sampling] = recalls;
    assert!(none + 0.1 < roots && roots + 0.1 < weights, "{recalls:?}");
    assert!((weights - sampling).abs() < 0.15, "{recalls:?}");
}

#[test]
fn bits_do_not_depend_on_loaders_or_threads() {
    let data = rare();
    for balance in [Balance::Weights, Balance::Sampling] {
        let trainer = Trainer::new(Sequential::new(Input::features(2)).dense(8).relu().dropout(0.2).dense(2));
        let trainer = trainer.epochs(2).batch_size(64).seed(3).balance(balance);
        let bytes = |loaders, threads| {
            trainer.clone().loaders(loaders).threads(threads).fit(&data).unwrap().model().to_bytes()
        };
        assert!(bytes(0, 1) == bytes(2, 3), "{}", balance.name());
    }
}

#[test]
fn numbers_have_no_classes_to_balance_or_measure() {
    use crate::nn::Model;
    use crate::train::Monitor;
    let features = Features::Table { values: (0..40).map(|x| x as f32).collect(), columns: vec!["x".into()] };
    let targets = Targets::Values { values: (0..40).map(|x| x as f32).collect(), name: "y".into() };
    let data = Dataset::new("line", vec![1], features, targets).unwrap();
    let data = Splits::new(data, crate::data::Fractions::default(), 0).unwrap();
    let network = Sequential::new(Input::features(1)).dense(1);
    let trainer = Trainer::new(Model { name: "linear".into(), network, task: Task::Regress });
    let said = |trainer: Trainer| trainer.check(&data).unwrap_err().to_string();
    let text = said(trainer.clone().balance(Balance::Weights));
    assert_eq!(
        text,
        "balance: found weights for numbers to predict, expected none, since there are no classes"
    );
    let text = said(trainer.clone().monitor(Monitor::Accuracy));
    assert_eq!(text, "monitor: found accuracy for numbers to predict, expected val_loss");
    trainer.check(&data).unwrap();

    let digits = training_on((0..100).collect());
    let trainer = Trainer::new(Sequential::new(Input::image(8, 8, 1)).dense(10)).monitor(Monitor::MacroF1);
    let text = trainer.check(&digits).unwrap_err().to_string();
    assert!(text.contains("macro_f1 for data without a validation part"), "{text}");
}
