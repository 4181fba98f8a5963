//! Worked examples of courses and textbooks, trained step by step through the public API: network, loss, gradients,
//! update, reference interpreter. Expected numbers are the printed ones.

mod data;

use bratt::exec::{Key, State, interpret};
use bratt::graph::Graph;
use bratt::nn::{Input, Mode, Parameters, Sequential, Task};
use bratt::optim::{Optimizer, Sgd};
use bratt::tensor::Tensor;

/// Full-batch gradient descent on one fixed set of examples.
struct Lesson {
    graph: Graph,
    state: State,
    x: Tensor<f64>,
    labels: Tensor<f64>,
}

impl Lesson {
    /// `rows` are the examples, `targets` one target or more for each; all parameters start at 0.
    fn new(
        network: &Sequential,
        task: Task,
        optimizer: &Optimizer,
        rows: &[&[f64]],
        targets: &[&[f64]],
    ) -> Lesson {
        let matrix = |rows: &[&[f64]]| {
            Tensor::new([rows.len(), rows[0].len()], rows.concat()).expect("rows of one length")
        };
        let (x, labels) = (matrix(rows), matrix(targets));
        let g = Graph::builder();
        let (input, target) = (g.input("x", x.shape()), g.input("labels", labels.shape()));
        let mut step = optimizer.begin(&g);
        let mut parameters = Parameters::read_at(|g, p| step.point(g, &p.name, p.slot, p.value, p.decay));
        let output = network.forward(&g, input, Mode::Training, &mut parameters);
        let points = parameters.points();
        drop(parameters);
        let loss = task.loss(&g, output, target);
        g.output("output", output);
        g.output("loss", loss);
        step.update(&g, &g.gradients_of(loss, &points));
        let graph = g.finish().expect("a correct step");
        let state = graph.slots().iter().map(|s| (s.name.clone(), Tensor::zeros(s.shape.clone()))).collect();
        Lesson { graph, state, x, labels }
    }

    fn set(&mut self, slot: &str, data: &[f64]) {
        let old = self.state.get_mut(slot).unwrap_or_else(|| panic!("no slot `{slot}`"));
        old.data_mut().copy_from_slice(data);
    }

    fn at(&self, slot: &str) -> &[f64] {
        self.state[slot].data()
    }

    /// The bias, then the weights, of a network of one dense layer.
    fn theta(&self) -> Vec<f64> {
        [self.at("dense1.bias"), self.at("dense1.weight")].concat()
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set("dense1.bias", &theta[..1]);
        self.set("dense1.weight", &theta[1..]);
    }

    /// One step; returns the loss and the outputs before it.
    fn step(&mut self, lr: f64) -> (f64, Vec<f64>) {
        let lr = Tensor::scalar(lr);
        let inputs = [("x", &self.x), ("labels", &self.labels), ("lr", &lr)];
        let trace = interpret(&self.graph, &inputs, &self.state, Key::default()).expect("a complete state");
        let output = |name| trace.output(name).expect("declared").data().to_vec();
        let seen = (output("loss")[0], output("output"));
        self.state = trace.into_new_state();
        seen
    }
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "found {found:?}, expected {expected:?}");
    }
}

fn sgd() -> Optimizer {
    Sgd::default().into()
}

fn linear(features: usize) -> Sequential {
    Sequential::new(Input::features(features)).dense(1)
}

fn mazur() -> Lesson {
    let network = Sequential::new(Input::features(2)).dense(2).sigmoid().dense(2).sigmoid();
    let mut lesson = Lesson::new(&network, Task::Regress, &sgd(), &[&[0.05, 0.1]], &[&[0.01, 0.99]]);
    // Weights here are [inputs, units]; the post lists them by unit.
    lesson.set("dense1.weight", &[0.15, 0.25, 0.2, 0.3]);
    lesson.set("dense2.weight", &[0.4, 0.5, 0.45, 0.55]);
    lesson.set("dense1.bias", &[0.35, 0.35]);
    lesson.set("dense2.bias", &[0.6, 0.6]);
    lesson
}

/// M. Mazur, A step by step backpropagation example (2015). The post leaves the biases as they are. It prints
/// 0.291027924 as the error after the step, which needs the lower layer to see the upper one already changed; its own
/// rule, as other implementations confirm, gives 0.29102777369359933.
#[test]
fn mazurs_backpropagation_by_hand() {
    let mut lesson = mazur();
    let (error, output) = lesson.step(0.5);
    assert_close(&[error], &[0.298371109], 6e-10);
    assert_close(&output, &[0.75136507, 0.772928465], 6e-9);
    assert_close(lesson.at("dense1.weight"), &[0.149780716, 0.24975114, 0.19956143, 0.29950229], 6e-9);
    assert_close(lesson.at("dense2.weight"), &[0.35891648, 0.51130127, 0.408666186, 0.561370121], 6e-9);
    lesson.set("dense1.bias", &[0.35, 0.35]);
    lesson.set("dense2.bias", &[0.6, 0.6]);
    assert_close(&[lesson.step(0.5).0], &[0.29102777369359933], 1e-14);
}

/// The same with biases that learn: the error that implementations that train them report.
#[test]
fn mazurs_network_with_learning_biases() {
    let mut lesson = mazur();
    lesson.step(0.5);
    assert_close(&[lesson.step(0.5).0], &[0.280471446791], 6e-13);
}

/// M. Nielsen, Neural Networks and Deep Learning, chapter 3: a neuron that starts badly wrong learns slowly.
#[test]
fn nielsens_neuron_after_300_epochs() {
    for (weight, bias, initial, last) in [(0.6, 0.9, 0.82, 0.09), (2.0, 2.0, 0.98, 0.20)] {
        let network = Sequential::new(Input::features(1)).dense(1).sigmoid();
        let mut lesson = Lesson::new(&network, Task::Regress, &sgd(), &[&[1.0]], &[&[0.0]]);
        lesson.set_theta(&[bias, weight]);
        assert_close(&lesson.step(0.15).1, &[initial], 5e-3);
        for _ in 1..300 {
            lesson.step(0.15);
        }
        assert_close(&lesson.step(0.15).1, &[last], 5e-3);
    }
}

/// Course test cases to A. Ng, Machine Learning, gradientDescent.m: 1000 steps at 0.01, and 10 at 0.1. The course
/// lists the cost after each step.
#[test]
fn ngs_gradient_descent_in_one_variable() {
    let rows: [&[f64]; 4] = [&[5.0], &[2.0], &[4.0], &[5.0]];
    let targets: [&[f64]; 4] = [&[1.0], &[6.0], &[4.0], &[2.0]];
    let mut lesson = Lesson::new(&linear(1), Task::Regress, &sgd(), &rows, &targets);
    let mut costs = Vec::new();
    for theta in [[0.0325, 0.1075], [0.060375, 0.194887], [0.084476, 0.265867], [0.1055, 0.32346]] {
        costs.push(lesson.step(0.01).0);
        assert_close(&lesson.theta(), &theta, 6e-6);
    }
    for _ in 4..1000 {
        lesson.step(0.01);
    }
    assert_close(&lesson.theta(), &[5.2148, -0.5733], 6e-5);
    assert_close(&[costs[1], lesson.step(0.01).0], &[5.9794, 0.85426], 6e-5);

    let mut lesson = Lesson::new(&linear(1), Task::Regress, &sgd(), &rows[..2], &targets[..2]);
    lesson.set_theta(&[0.5, 0.5]);
    lesson.step(0.1);
    for cost in [5.8853, 5.7139, 5.5475, 5.3861, 5.2294, 5.0773, 4.9295, 4.7861, 4.6469] {
        assert_close(&[lesson.step(0.1).0], &[cost], 6e-5);
    }
    assert_close(&lesson.theta(), &[1.70986, 0.19229], 6e-6);
}

/// The same course, gradientDescentMulti.m: three features of which none is constant, so the bias is held at 0.
#[test]
fn ngs_gradient_descent_in_three_variables() {
    let rows: [&[f64]; 4] = [&[2.0, 1.0, 3.0], &[7.0, 1.0, 9.0], &[1.0, 8.0, 1.0], &[3.0, 7.0, 4.0]];
    let targets: [&[f64]; 4] = [&[2.0], &[5.0], &[5.0], &[6.0]];
    for (start, theta, costs) in [
        ([0.0, 0.0, 0.0], [0.25175, 0.53779, 0.32282], [2.829855, 0.825963, 0.309163, 0.150847, 0.087853]),
        ([0.1, -0.2, 0.3], [0.18556, 0.50436, 0.40137], [3.632547, 1.766095, 1.021517, 0.641008, 0.415306]),
    ] {
        let mut lesson = Lesson::new(&linear(3), Task::Regress, &sgd(), &rows, &targets);
        lesson.set("dense1.weight", &start);
        let mut found = Vec::new();
        for _ in 0..10 {
            found.push(lesson.step(0.01).0);
            lesson.set("dense1.bias", &[0.0]);
        }
        assert_close(&found[1..6], &costs, 6e-7);
        assert_close(lesson.at("dense1.weight"), &theta, 6e-6);
    }
}

/// The same course, exercise 1: profit against population of 97 cities, 1500 steps at 0.01.
#[test]
fn ngs_profits() {
    let rows: Vec<&[f64]> = data::CITIES.iter().map(|(x, _)| std::slice::from_ref(x)).collect();
    let targets: Vec<&[f64]> = data::CITIES.iter().map(|(_, y)| std::slice::from_ref(y)).collect();
    let mut lesson = Lesson::new(&linear(1), Task::Regress, &sgd(), &rows, &targets);
    assert_close(&[lesson.step(0.01).0], &[32.07], 6e-3);
    for _ in 1..1500 {
        lesson.step(0.01);
    }
    assert_close(&lesson.theta(), &[-3.6303, 1.1664], 6e-5);
    lesson.set_theta(&[-1.0, 2.0]);
    assert_close(&[lesson.step(0.01).0], &[54.24], 6e-3);
}

/// Cost and gradient of regularised logistic regression at `theta`. The L2 term lambda / (2 m), without the bias, is a
/// weight decay of lambda / m; one step at rate 1 shows the gradient.
fn regularised(rows: &[&[f64]], targets: &[&[f64]], theta: &[f64], lambda: f64) -> (f64, Vec<f64>) {
    let m = rows.len() as f64;
    let optimizer = sgd().weight_decay(lambda / m);
    let mut lesson = Lesson::new(&linear(rows[0].len()), Task::Binary, &optimizer, rows, targets);
    lesson.set_theta(theta);
    let penalty = lambda / (2.0 * m) * theta[1..].iter().map(|w| w * w).sum::<f64>();
    let cost = lesson.step(1.0).0 + penalty;
    (cost, theta.iter().zip(lesson.theta()).map(|(before, after)| before - after).collect())
}

/// The same course, costFunctionReg.m and lrCostFunction.m.
#[test]
fn ngs_regularised_logistic_regression() {
    let theta = [-2.0, -1.0, 1.0, 2.0];
    let rows: [&[f64]; 3] = [&[8.0, 1.0, 6.0], &[3.0, 5.0, 7.0], &[4.0, 9.0, 2.0]];
    let targets: [&[f64]; 3] = [&[1.0], &[0.0], &[1.0]];
    for (lambda, cost, gradient) in [
        (0.0, 4.6832, [0.31722, 0.87232, 1.64812, 2.23787]),
        (3.0, 7.6832, [0.31722, -0.12768, 2.64812, 4.23787]),
        (4.0, 8.6832, [0.31722, -0.46102, 2.98146, 4.90454]),
    ] {
        let found = regularised(&rows, &targets, &theta, lambda);
        assert_close(&[found.0], &[cost], 6e-5);
        assert_close(&found.1, &gradient, 6e-6);
    }
    let rows: [&[f64]; 5] =
        [&[0.1, 0.6, 1.1], &[0.2, 0.7, 1.2], &[0.3, 0.8, 1.3], &[0.4, 0.9, 1.4], &[0.5, 1.0, 1.5]];
    let targets: [&[f64]; 5] = [&[1.0], &[0.0], &[1.0], &[0.0], &[1.0]];
    for (lambda, cost, gradient) in [
        (0.0, 0.73482, [0.146561, 0.051442, 0.124722, 0.198003]),
        (3.0, 2.534819, [0.146561, -0.548558, 0.724722, 1.398003]),
    ] {
        let found = regularised(&rows, &targets, &theta, lambda);
        assert_close(&[found.0], &[cost], 6e-6);
        assert_close(&found.1, &gradient, 6e-7);
    }
}

/// The same course, exercise 2: microchips by the 27 monomials of two tests up to degree 6, beside the bias.
#[test]
fn ngs_microchips() {
    let monomials = |&(u, v, _): &(f64, f64, f64)| -> Vec<f64> {
        (1..=6).flat_map(|i| (0..=i).map(move |k| u.powi(i - k) * v.powi(k))).collect()
    };
    let features: Vec<Vec<f64>> = data::CHIPS.iter().map(monomials).collect();
    let rows: Vec<&[f64]> = features.iter().map(Vec::as_slice).collect();
    let targets: Vec<&[f64]> = data::CHIPS.iter().map(|(_, _, y)| std::slice::from_ref(y)).collect();
    let (cost, gradient) = regularised(&rows, &targets, &[0.0; 28], 1.0);
    assert_close(&[cost], &[0.693], 6e-4);
    assert_close(&gradient[..5], &[0.0085, 0.0188, 0.0001, 0.0503, 0.0115], 6e-5);
    let (cost, gradient) = regularised(&rows, &targets, &[1.0; 28], 10.0);
    assert_close(&[cost], &[3.16], 6e-3);
    assert_close(&gradient[..5], &[0.346, 0.1614, 0.1948, 0.2269, 0.0922], 6e-5);
}
