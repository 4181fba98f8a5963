use super::*;
use crate::data::{Dataset, Features, Fractions, Targets, digits};
use crate::model::{Predictor, TrainedModel};
use crate::nn::{Dropout, Input, Sequential, Task, models};
use crate::optim::{Adam, Momentum, Nesterov, Sgd};
use crate::schedule::Schedule;

fn digit_splits(seed: u64) -> Splits {
    Splits::new(digits(), Fractions::default(), seed).unwrap()
}

/// A few digits, for tests that need no accuracy.
pub(super) fn few(n: usize) -> Splits {
    let all = digits();
    let Features::Pixels { bytes, scale } = all.features() else { panic!() };
    let Targets::Classes { labels, names } = all.targets() else { panic!() };
    let features = Features::Pixels { bytes: bytes[..64 * n].to_vec().into(), scale: *scale };
    let targets = Targets::Classes { labels: labels[..n].to_vec(), names: names.clone() };
    let data = Dataset::new("few", vec![8, 8, 1], features, targets).unwrap();
    Splits::new(data, Fractions::default(), 1).unwrap()
}

fn small() -> Sequential {
    Sequential::new(Input::image(8, 8, 1)).dense(24).batch_norm().relu().dropout(0.2).dense(10)
}

fn bytes_of(trainer: &Trainer, data: &Splits) -> Vec<u8> {
    trainer.fit(data).unwrap().model().to_bytes()
}

#[test]
fn a_perceptron_learns_to_read_digits() {
    let data = digit_splits(7);
    let network = Sequential::new(Input::image(8, 8, 1)).dense(64).batch_norm().relu().dense(10);
    let run = Trainer::new(network).learning_rate(0.01).epochs(8).seed(7).threads(1).fit(&data).unwrap();
    let test = run.evaluate(data.test()).unwrap();
    assert!(test.accuracy() >= Some(0.96), "{test}");
    let [low, high] = test.interval().unwrap();
    assert!(low < test.accuracy().unwrap() && test.accuracy().unwrap() < high);
}

#[test]
fn the_model_file_has_the_same_bytes_on_any_number_of_threads() {
    let data = few(150);
    let trainer = Trainer::new(small()).epochs(2).batch_size(32).seed(3);
    let one = bytes_of(&trainer.clone().threads(1), &data);
    for threads in [2, 3, 8] {
        assert!(bytes_of(&trainer.clone().threads(threads), &data) == one, "{threads} threads");
    }
    assert!(bytes_of(&trainer.clone().seed(4).threads(1), &data) != one, "another seed");
}

#[test]
fn predictor_evaluation_and_epochs_say_the_same() {
    let data = digit_splits(3);
    let run = Trainer::new(small()).learning_rate(0.01).epochs(6).threads(1).fit(&data).unwrap();
    let said = run.predictions(data.test()).unwrap();
    assert!(said.temperature().is_some(), "some validation digit is misread");
    let (mut x, mut y) = (vec![0.0; 64 * said.len()], vec![0.0; said.len()]);
    data.data().gather_into(said.examples(), &mut x, &mut y);
    let predicted = run.model().predictor().unwrap().predict(&x).unwrap();
    for ((row, p), class) in
        predicted.iter().zip(said.probabilities().chunks(10)).zip(said.sample().unwrap().predicted())
    {
        assert!(row.probabilities.iter().zip(p).all(|(&a, &b)| (f64::from(a) - b).abs() < 1e-5));
        assert_eq!(row.class, class);
    }
    // The short judgement after the epoch that was kept is that of the validation part.
    let kept = run.history()[run.model().provenance.kept_epoch - 1].validation.unwrap();
    let val = run.evaluate(data.val()).unwrap().score();
    assert_eq!((kept.accuracy, kept.macro_f1), (val.accuracy, val.macro_f1));
    assert!((kept.loss - val.loss).abs() < 1e-5);
    // The temperature was chosen there, so that it cannot do harm there.
    let mut plain = run.model().clone();
    plain.temperature = None;
    let log_loss = |model| evaluate(model, &data.val(), 1).unwrap().detail().unwrap().log_loss;
    assert!(log_loss(run.model()) < log_loss(&plain));
}

#[test]
fn what_is_loaded_predicts_bit_for_bit_as_what_was_saved() {
    let data = few(100);
    let run = Trainer::new(small()).epochs(1).threads(1).fit(&data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    run.model().save(&path).unwrap();
    let loaded = TrainedModel::load(&path).unwrap();
    assert_eq!(&loaded, run.model());
    let test = data.test();
    let (mut x, mut y) = (vec![0.0; 64 * test.len()], vec![0.0; test.len()]);
    data.data().gather_into(test.indices(), &mut x, &mut y);
    let (a, b) = (run.model().predictor().unwrap(), loaded.predictor().unwrap());
    let values = a.values(&x).unwrap();
    assert_eq!(values, b.values(&x).unwrap());
    // One at a time, and against the evaluation.
    let right = a.predict(&x).unwrap().iter().zip(&y).filter(|(p, y)| p.class == **y as usize).count();
    let accuracy = run.evaluate(data.test()).unwrap().accuracy().unwrap();
    assert!((accuracy - right as f64 / y.len() as f64).abs() < 1e-12);
    let mut row = [0.0; 10];
    a.predict_into(&x[..64], &mut row).unwrap();
    assert!(row.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert!(a.predict(&x[..63]).is_err() && a.predict_into(&x[..64], &mut row[..9]).is_err());
}

#[test]
fn predictors_are_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let data = few(60);
    let predictor: Predictor =
        Trainer::new(small()).epochs(1).fit(&data).unwrap().model().predictor().unwrap();
    shared(&predictor);
    let image = [0.5; 64];
    let expected = predictor.values(&image).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(predictor.values(&image).unwrap(), expected));
        }
    });
}

#[test]
fn evaluation_counts_every_example_of_the_last_batch() {
    let data = digit_splits(1);
    let run = Trainer::new(Sequential::new(Input::image(8, 8, 1)).dense(10)).epochs(1).fit(&data).unwrap();
    // 1437 is five batches and a part; a single example is a part of one.
    assert_eq!(run.evaluate(data.train()).unwrap().n, data.train().len());
    assert_ne!(data.train().len() % 256, 0);
    let whole = run.evaluate(Part::whole(data.data())).unwrap();
    let Measures::Classes { confusion, .. } = &whole.measures else { panic!() };
    assert_eq!((whole.n, confusion.iter().flatten().sum::<usize>()), (1797, 1797));
    let parts = [data.train(), data.val(), data.test()].map(|part| run.evaluate(part).unwrap());
    let sum: f64 = parts.iter().map(|e| e.loss * e.n as f64).sum();
    assert!((sum / 1797.0 - whole.loss).abs() < 1e-9, "the loss is a mean over examples, not over batches");
}

#[test]
fn all_examples_are_trained_on_but_a_single_one_left_over_with_batch_norm() {
    let split = crate::data::Split { train: (0..33).collect(), ..Default::default() };
    let data = Splits::from_parts(digits(), split, None).unwrap();
    let steps = |network: Sequential| {
        let mut steps = 0;
        let mut count = |event: &Event| steps += usize::from(matches!(event, Event::Step { .. }));
        Trainer::new(network).epochs(1).batch_size(16).fit_with(&data, &mut count).unwrap();
        steps
    };
    assert_eq!(steps(small()), 2);
    assert_eq!(steps(Sequential::new(Input::image(8, 8, 1)).dense(10)), 3);
}

#[test]
fn a_stopped_training_validates_and_can_be_saved() {
    let data = few(200);
    let stop = Stop::default();
    let trainer = Trainer::new(small()).epochs(50).batch_size(16).stop(&stop);
    let mut kinds = Vec::new();
    let run = trainer
        .fit_with(&data, &mut |event: &Event| match event {
            Event::Step { epoch: 2, step: 3, .. } => stop.request(),
            Event::Interrupted { epoch, step } => kinds.push(format!("interrupted {epoch} {step}")),
            Event::Epoch(end) => kinds.push(format!("epoch {}", end.epoch)),
            Event::Finished { reason, .. } => kinds.push(format!("{reason:?}")),
            _ => {}
        })
        .unwrap();
    assert_eq!(kinds, ["epoch 1", "interrupted 2 3", "epoch 2", "Interrupted"]);
    assert_eq!(run.reason(), StopReason::Interrupted);
    assert!(run.evaluate(data.test()).is_ok());
    assert!(run.model().predictor().is_ok());
    // Asked before it began, it keeps the initial values.
    let run = trainer.fit(&data).unwrap();
    assert_eq!((run.history().len(), run.model().provenance.kept_epoch), (0, 0));
    assert!(run.evaluate(data.test()).is_ok());
}

#[test]
fn divergence_names_step_and_layer_wherever_the_value_first_went_wrong() {
    let data = few(200);
    let network = Sequential::new(Input::image(8, 8, 1)).dense(16).relu().dense(10).named("last");
    let trainer = Trainer::new(network).optimizer(Sgd::default()).epochs(3).batch_size(16);
    let mut told = None;
    let result = trainer.schedule(Schedule::constant(1e30)).fit_with(&data, &mut |event: &Event| {
        if let Event::Diverged { step, first, .. } = event {
            told = Some((*step, first.clone()));
        }
    });
    let error = result.unwrap_err();
    let TrainError::Diverged { epoch, step, learning_rate, first: Some(first) } = &error else {
        panic!("{error}")
    };
    assert_eq!((*epoch, *learning_rate), (1, 1e30));
    assert_eq!(told, Some((*step, Some((**first).clone()))));
    assert!(["dense1", "last", "loss", "sgd"].contains(&first.layer.as_str()), "{error}");
    let message = error.to_string();
    assert!(message.contains("epoch 1") && message.contains(&first.layer), "{message}");
    assert!(message.contains("lower the learning rate"), "{message}");
}

#[test]
fn patience_ends_a_training_and_the_best_epoch_is_kept() {
    let data = few(200);
    // A rate of zero never gets better than at first.
    let network = Sequential::new(Input::image(8, 8, 1)).dense(10);
    let trainer = Trainer::new(network).optimizer(Sgd::default()).schedule(Schedule::constant(0.0));
    let run = trainer.epochs(20).patience(3).fit(&data).unwrap();
    assert_eq!((run.reason(), run.history().len()), (StopReason::EarlyStop, 4));
    assert_eq!(run.model().provenance.kept_epoch, 1);
    assert_eq!(run.history().iter().filter(|end| end.best).count(), 1);
}

#[test]
fn statistics_come_from_the_training_part_alone_and_go_into_the_file() {
    let data = few(200);
    for preprocess in
        [Preprocess::PerChannel, Preprocess::PerFeature, Preprocess::pca(), Preprocess::Zca { epsilon: 1e-2 }]
    {
        let run = Trainer::new(small()).epochs(1).preprocess(preprocess).fit(&data).unwrap();
        let Some(layer) = preprocess.learn(&data.train()).unwrap() else { panic!() };
        let kind = format!("{}1.mean", layer.kind());
        let mean = &run.model().values[&kind];
        let channels = if preprocess == Preprocess::PerChannel { 1 } else { 64 };
        assert_eq!(mean.data().len(), channels, "{preprocess:?}");
        let (mut x, n) = (vec![0.0; 64 * data.train().len()], data.train().len());
        data.data().gather_into(data.train().indices(), &mut x, &mut vec![0.0; n]);
        let first: Vec<f64> = x.iter().step_by(channels).map(|&x| f64::from(x)).collect();
        let expected = first.iter().sum::<f64>() / first.len() as f64;
        assert!((f64::from(mean.data()[0]) - expected).abs() < 1e-5, "{preprocess:?}");
    }
}

#[test]
fn naive_dropout_predicts_the_expectation_of_training_as_the_inverted_form_does() {
    // One linear layer on dropped inputs: E[logits] over masks is the logits at inference, for both forms.
    use crate::compile::{Options, compile};
    use crate::exec::{Key, Machine, Slots};
    use crate::graph::Graph;
    use crate::nn::{Mode, Parameters};
    let x: Vec<f32> = (0..16).map(|i| 0.25 * i as f32 - 1.0).collect();
    for form in [Dropout::new(0.4), Dropout::naive(0.4)] {
        let network = Sequential::new(Input::features(16)).layer(form.clone()).dense(3);
        let logits = |mode: Mode, step: u64| {
            let g = Graph::builder();
            let input = g.input("x", [1, 16]);
            g.output("y", network.forward(&g, input, mode, &mut Parameters::new()));
            let program = compile(&g.finish().unwrap(), &Options::default()).unwrap();
            let mut slots = Slots::new(program.layout().clone(), 5);
            let mut runner = Machine::new(1).load(program);
            let mut sum = [0.0; 3];
            let runs = if mode == Mode::Training { 4000 } else { 1 };
            for run in 0..runs {
                runner.set("x", &x).unwrap();
                runner.run(&mut slots, Key { seed: 1, step: step + run });
                sum.iter_mut().zip(runner.get("y").unwrap()).for_each(|(s, &y)| *s += f64::from(y));
            }
            sum.map(|s| s / runs as f64)
        };
        let (mean, predicted) = (logits(Mode::Training, 0), logits(Mode::Inference, 0));
        for (m, p) in mean.iter().zip(&predicted) {
            assert!((m - p).abs() < 0.1, "{form:?}: {mean:?} {predicted:?}");
        }
    }
}

#[test]
fn scheduled_momentum_and_the_look_ahead_train() {
    let data = few(200);
    let first_and_last = |trainer: Trainer| {
        let run = trainer.epochs(4).batch_size(16).fit(&data).unwrap();
        (run.history()[0].train_loss, run.history()[3].train_loss)
    };
    let momentum = Trainer::new(small()).optimizer(Momentum { scheduled: true, ..Momentum::default() });
    let nesterov = Trainer::new(small()).optimizer(Nesterov { scheduled: true, ..Nesterov::default() });
    for trainer in [momentum, nesterov] {
        let (first, last) = first_and_last(trainer.momentum(Schedule::constant(0.8)));
        assert!(last < first, "{first} {last}");
    }
}

#[test]
fn logistic_and_linear_regression_are_trained_and_judged_by_their_own_measures() {
    let n = 200;
    let values: Vec<f32> = (0..2 * n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
    let columns = vec!["a".to_string(), "b".to_string()];
    let features = Features::Table { values: values.clone(), columns };
    let rows: Vec<&[f32]> = values.chunks(2).collect();

    let labels = rows.iter().map(|r| u32::from(r[0] - 2.0 * r[1] > 0.1)).collect();
    let targets = Targets::Classes { labels, names: vec!["no".into(), "yes".into()] };
    let data = Dataset::new("halves", vec![2], features.clone(), targets).unwrap();
    let data = Splits::new(data, Fractions::default(), 1).unwrap();
    let trainer = Trainer::new(models::by_name("logistic", &[2], 2).unwrap()).batch_size(16).epochs(60);
    let run = trainer.learning_rate(0.05).fit(&data).unwrap();
    assert!(run.evaluate(data.test()).unwrap().accuracy() >= Some(0.9));
    let prediction = &run.model().predictor().unwrap().predict(&[1.0, -1.0]).unwrap()[0];
    assert_eq!((prediction.name.as_str(), prediction.probabilities.len()), ("yes", 2));
    assert!(prediction.probability > 0.9);

    let numbers = rows.iter().map(|r| 3.0 * r[0] - r[1] + 0.5).collect();
    let targets = Targets::Values { values: numbers, name: "y".into() };
    let data = Dataset::new("plane", vec![2], features, targets).unwrap();
    let data = Splits::new(data, Fractions::default(), 1).unwrap();
    let trainer = Trainer::new(models::by_name("linear", &[2], 1).unwrap()).batch_size(16).epochs(60);
    let run = trainer.learning_rate(0.05).fit(&data).unwrap();
    let Measures::Values { r2, .. } = run.evaluate(data.test()).unwrap().measures else { panic!() };
    assert!(r2 > 0.99, "{r2}");
    let predictor = run.model().predictor().unwrap();
    assert!((predictor.values(&[0.5, -0.5]).unwrap()[0] - 2.5).abs() < 0.1);
    assert!(predictor.predict(&[0.5, -0.5]).is_err());
}

#[test]
fn settings_that_cannot_be_are_named_before_training() {
    let data = few(60);
    let message = |trainer: Trainer| trainer.fit(&data).unwrap_err().to_string();
    assert!(message(Trainer::new(small()).epochs(0)).contains("epochs: found 0, expected at least 1"));
    assert!(message(Trainer::new(small()).batch_size(1)).contains("at least 2 with batch norm"));
    let other = Sequential::new(Input::features(3)).dense(10);
    assert!(message(Trainer::new(other)).contains("examples of shape [8, 8, 1], but the network takes [3]"));
    let other = Sequential::new(Input::image(8, 8, 1)).dense(7);
    assert!(message(Trainer::new(other)).contains("10 classes"));
    let task = nn_model(Task::Regress);
    assert!(message(Trainer::new(task)).contains("one number to predict"));
    let momentum = Trainer::new(small()).optimizer(Adam::default()).momentum(Schedule::constant(0.5));
    assert!(message(momentum).contains("momentum: found a schedule for adam"));
}

fn nn_model(task: Task) -> crate::nn::Model {
    crate::nn::Model { task, ..small().into() }
}

#[test]
fn a_model_is_not_judged_on_other_classes() {
    let data = few(60);
    let run = Trainer::new(small()).epochs(1).fit(&data).unwrap();
    let Targets::Classes { labels, names } = data.data().targets() else { panic!() };
    let mut names = names.clone();
    names.swap(0, 1);
    let targets = Targets::Classes { labels: labels.clone(), names };
    let other = Dataset::new("other", vec![8, 8, 1], data.data().features().clone(), targets).unwrap();
    let error = run.evaluate(Part::whole(&other)).unwrap_err();
    assert!(matches!(error, TrainError::ClassNames { .. }), "{error}");
}

#[test]
fn a_compiled_step_with_dropout_and_batch_norm_changes_the_state_as_the_interpreted_one() {
    use crate::compile::{Options, compile};
    use crate::exec::{Key, Machine, Slots, State, interpret};
    use crate::tensor::Tensor;
    let widths = |a: usize, b: usize| {
        let network = Sequential::new(Input::image(8, 8, 1)).dense(a).batch_norm().relu().dropout(0.5);
        network.dense(b).batch_norm().relu().dropout(0.5).dense(10)
    };
    for (batch, network) in [(20, widths(48, 40)), (64, widths(128, 64)), (33, widths(50, 7))] {
        let graph = training_graph(&network, Task::Classify, &Sgd::default().into(), batch).unwrap();
        let program = compile(&graph, &Options::default()).unwrap();
        let mut slots = Slots::new(program.layout().clone(), 5);
        let mut runner = Machine::new(2).load(program);
        let wide = |shape: &[usize], values: &[f32]| {
            Tensor::<f64>::new(shape, values.iter().map(|&x| f64::from(x)).collect()).unwrap()
        };
        let state: State = slots.iter().map(|(slot, v)| (slot.name.clone(), wide(&slot.shape, v))).collect();
        let (mut x, mut y) = (vec![0.0; 64 * batch], vec![0.0; batch]);
        digits().gather_into(&(0..batch as u32).collect::<Vec<_>>(), &mut x, &mut y);
        let (key, lr) = (Key { seed: 3, step: 9 }, [0.5f32]);
        for (name, values) in [("features", &x[..]), ("labels", &y), ("lr", &lr)] {
            runner.set(name, values).unwrap();
        }
        runner.run(&mut slots, key);
        let (wx, wy, wlr) = (wide(&[batch, 8, 8, 1], &x), wide(&[batch], &y), wide(&[], &lr));
        let inputs = [("features", &wx), ("labels", &wy), ("lr", &wlr)];
        let trace = interpret(&graph, &inputs, &state, key).unwrap();
        for (slot, values) in slots.iter() {
            let expected = &trace.new_state()[&slot.name];
            for (i, (&a, &b)) in values.iter().zip(expected.data()).enumerate() {
                assert!(
                    (f64::from(a) - b).abs() < 1e-4 * (1.0 + b.abs()),
                    "{batch} {} {i}: {a} {b}",
                    slot.name
                );
            }
        }
    }
}
