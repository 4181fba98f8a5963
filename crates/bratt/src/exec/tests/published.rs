//! Published numbers: small graphs whose values and gradients others have printed.
//!
//! Only numbers are taken. Sources: Stanford CS231n notes and assignments (MIT licence; cs231n.github.io at 3d84654,
//! assignment 1 of 2018 and 2024); A. Karpathy's micrograd (MIT licence); M. Mazur, A Step by Step Backpropagation
//! Example, 2015; Goodfellow, Bengio, Courville, Deep Learning, 2016, section 6.1; test cases of the course Machine
//! Learning of A. Ng (T. Mosher); notebooks of deeplearning.ai, 2017.

use crate::exec::gradcheck::gradcheck;
use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, Value};
use crate::tensor::{Shape, Tensor};
use std::collections::BTreeMap;

/// Values by name, and the gradients of the first one (if it is a scalar) under the names of the inputs.
struct Found(BTreeMap<String, Vec<f64>>);

impl Found {
    #[track_caller]
    fn is(&self, name: &str, expected: &[f64], tolerance: f64) {
        let found = &self.0[name];
        assert_eq!(found.len(), expected.len(), "{name}");
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!((f - e).abs() <= tolerance, "{name}[{i}]: found {f}, published {e}");
        }
    }
}

fn tensor(shape: impl Into<Shape>, numbers: &[f64]) -> Tensor<f64> {
    Tensor::new(shape, numbers.to_vec()).unwrap()
}

fn scalar(x: f64) -> Tensor<f64> {
    Tensor::scalar(x)
}

/// Fixed numbers as part of the graph.
fn numbers(g: &GraphBuilder, shape: impl Into<Shape>, numbers: &[f64]) -> Value {
    let each: Vec<Value> = numbers.iter().map(|&x| g.full([1], x)).collect();
    g.reshape(g.concat(&each, 0), shape)
}

/// Evaluates what `build` names, and the gradients of the first name; these also pass the gradient check.
fn evaluate<const N: usize>(
    inputs: [(&str, Tensor<f64>); N],
    build: impl FnOnce(&GraphBuilder, [Value; N]) -> Vec<(&'static str, Value)>,
) -> Found {
    let g = Graph::builder();
    let x: [Value; N] = std::array::from_fn(|i| g.input(inputs[i].0, inputs[i].1.shape()));
    let named = build(&g, x);
    for (name, value) in &named {
        g.output(name, *value);
    }
    let names: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
    let scalar_result = g.shape(named[0].1).rank() == 0;
    if scalar_result {
        for (name, dx) in names.iter().zip(g.gradients(named[0].1, x)) {
            g.output(&format!("d{name}"), dx);
        }
    }
    let graph = g.finish().unwrap();
    let given: Vec<(&str, &Tensor<f64>)> = inputs.iter().map(|(name, t)| (*name, t)).collect();
    let trace = interpret(&graph, &given, &State::new(), Key::default()).unwrap();
    if scalar_result {
        let report = gradcheck(&graph, named[0].0, &names, &given, &State::new()).unwrap();
        assert!(report.largest_error() <= 1e-6, "{report}");
    }
    let values = graph.outputs().iter().map(|(name, v)| (name.clone(), trace.value(*v).data().to_vec()));
    Found(values.collect())
}

#[test]
fn circuit_of_a_sum_and_a_product() {
    let inputs = [("x", scalar(-2.0)), ("y", scalar(5.0)), ("z", scalar(-4.0))];
    let found = evaluate(inputs, |g, [x, y, z]| {
        let q = g.add(x, y);
        vec![("f", g.mul(q, z)), ("q", q)]
    });
    for (name, value) in [("f", -12.0), ("q", 3.0), ("dx", -4.0), ("dy", -4.0), ("dz", 3.0)] {
        found.is(name, &[value], 0.0);
    }
}

#[test]
fn circuit_of_products_and_a_maximum() {
    let inputs = [("x", scalar(3.0)), ("y", scalar(-4.0)), ("z", scalar(2.0)), ("w", scalar(-1.0))];
    let found = evaluate(inputs, |g, [x, y, z, w]| {
        vec![("f", g.mul(g.constant(2.0), g.add(g.mul(x, y), g.max(z, w))))]
    });
    for (name, value) in [("f", -20.0), ("dx", -8.0), ("dy", 6.0), ("dz", 2.0), ("dw", 0.0)] {
        found.is(name, &[value], 0.0);
    }
}

#[test]
fn staged_circuit() {
    // f = (x + sigmoid y) / (sigmoid x + (x + y)^2); gradients by computer algebra.
    let found = evaluate([("x", scalar(3.0)), ("y", scalar(-4.0))], |g, [x, y]| {
        let numerator = g.add(x, g.sigmoid(y));
        vec![("f", g.div(numerator, g.add(g.sigmoid(x), g.square(g.add(x, y)))))]
    });
    found.is("f", &[1.5456448841066441], 1e-14);
    found.is("dx", &[2.059569795572165], 1e-14);
    found.is("dy", &[1.5922327514838093], 1e-14);
}

#[test]
fn sigmoid_neuron_from_elementary_gates() {
    let inputs = [("w", tensor([3], &[2.0, -3.0, -3.0])), ("x", tensor([2], &[-1.0, -2.0]))];
    let found = evaluate(inputs, |g, [w, x]| {
        let one = g.full([1], 1.0);
        let dot = g.sum_all(g.mul(w, g.concat(&[x, one], 0)));
        let f = g.recip(g.add(g.constant(1.0), g.exp(g.neg(dot))));
        vec![("f", f), ("dot", dot), ("fused", g.sigmoid(dot))]
    });
    found.is("dot", &[1.0], 0.0);
    found.is("f", &[0.73], 0.005);
    found.is("f", &[0.7310585786300049], 1e-15);
    found.is("fused", &[0.7310585786300049], 1e-15);
    found.is("dw", &[-0.2, -0.39, 0.2], 0.005);
    found.is("dx", &[0.39, -0.59], 0.005);
}

#[test]
fn hinge_and_softmax_losses_of_one_image() {
    let inputs = [
        ("W", tensor([3, 4], &[0.01, -0.05, 0.1, 0.05, 0.7, 0.2, 0.05, 0.16, 0.0, -0.45, -0.2, 0.03])),
        ("x", tensor([4, 1], &[-15.0, 22.0, -44.0, 56.0])),
        ("b", tensor([3, 1], &[0.0, 0.2, -0.3])),
    ];
    let found = evaluate(inputs, |g, [w, x, b]| {
        let scores = g.reshape(g.add(g.matmul(w, x), b), [1, 3]);
        let label = g.full([1], 2.0);
        let margins = g.add(g.sub(scores, g.reshape(g.gather(scores, label), [1, 1])), g.constant(1.0));
        // The true class contributes its margin of 1, which is taken off again.
        let hinge = g.sub(g.sum_all(g.relu(margins)), g.constant(1.0));
        let loss = g.mean_all(g.cross_entropy(scores, label));
        vec![("loss", loss), ("scores", scores), ("hinge", hinge), ("p", g.softmax(scores, 1))]
    });
    found.is("scores", &[-2.85, 0.86, 0.28], 1e-13);
    found.is("hinge", &[1.58], 1e-13);
    found.is("p", &[0.016, 0.631, 0.353], 0.0006);
    found.is("loss", &[1.04], 0.005);
}

#[test]
fn hinge_loss_of_three_scores() {
    let found = evaluate([("s", tensor([3], &[13.0, -7.0, 11.0]))], |g, [s]| {
        let others = g.slice(s, &[1], &[3]);
        let truth = g.slice(s, &[0], &[1]);
        vec![("loss", g.sum_all(g.relu(g.add(g.sub(others, truth), g.constant(10.0)))))]
    });
    found.is("loss", &[8.0], 0.0);
}

#[test]
fn micrograd_expression() {
    let found = evaluate([("a", scalar(-4.0)), ("b", scalar(2.0))], |g, [a, b]| {
        let number = |x| g.constant(x);
        let mut c = g.add(a, b);
        let mut d = g.add(g.mul(a, b), g.pow(b, number(3.0)));
        c = g.add(c, g.add(c, number(1.0)));
        c = g.add(c, g.sub(g.add(number(1.0), c), a));
        d = g.add(d, g.add(g.mul(d, number(2.0)), g.relu(g.add(b, a))));
        d = g.add(d, g.add(g.mul(number(3.0), d), g.relu(g.sub(b, a))));
        let f = g.square(g.sub(c, d));
        vec![("g", g.add(g.div(f, number(2.0)), g.div(number(10.0), f)))]
    });
    for (name, value) in [("g", 24.7041), ("da", 138.8338), ("db", 645.5773)] {
        found.is(name, &[value], 5e-5);
    }
}

#[test]
fn micrograd_sanity_check() {
    let found = evaluate([("x", scalar(-4.0))], |g, [x]| {
        let z = g.add(g.add(g.mul(g.constant(2.0), x), g.constant(2.0)), x);
        let q = g.add(g.relu(z), g.mul(z, x));
        let h = g.relu(g.square(z));
        vec![("y", g.add(g.add(h, q), g.mul(q, x)))]
    });
    found.is("y", &[-20.0], 0.0);
    found.is("dx", &[46.0], 0.0);
}

#[test]
fn a_hidden_layer_of_two_relus_computes_xor() {
    let found = evaluate([("X", tensor([4, 2], &[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]))], |g, [x]| {
        let affine = g.add(g.matmul(x, g.full([2, 2], 1.0)), numbers(g, [2], &[0.0, -1.0]));
        let hidden = g.relu(affine);
        let output = g.matmul(hidden, numbers(g, [2, 1], &[1.0, -2.0]));
        vec![("output", output), ("affine", affine), ("hidden", hidden)]
    });
    found.is("affine", &[0.0, -1.0, 1.0, 0.0, 1.0, 0.0, 2.0, 1.0], 0.0);
    found.is("hidden", &[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 1.0], 0.0);
    found.is("output", &[0.0, 1.0, 1.0, 0.0], 0.0);
}

#[test]
fn mazurs_two_layers_and_one_step() {
    // Half the squared error, summed; weights are [out, in]; learning rate 0.5; biases stay.
    let inputs =
        [("W1", tensor([2, 2], &[0.15, 0.2, 0.25, 0.3])), ("W2", tensor([2, 2], &[0.4, 0.45, 0.5, 0.55]))];
    let found = evaluate(inputs, |g, [w1, w2]| {
        let error = |w1, w2| {
            let x = numbers(g, [1, 2], &[0.05, 0.1]);
            let hidden = g.sigmoid(g.add(g.matmul_transposed(x, false, w1, true), g.constant(0.35)));
            let output = g.sigmoid(g.add(g.matmul_transposed(hidden, false, w2, true), g.constant(0.6)));
            (g.sum_all(g.squared_error(output, numbers(g, [1, 2], &[0.01, 0.99]))), hidden, output)
        };
        let (e, hidden, output) = error(w1, w2);
        let step = |w, dw| g.sub(w, g.mul(g.constant(0.5), dw));
        let [d1, d2] = g.gradients(e, [w1, w2]);
        let (new1, new2) = (step(w1, d1), step(w2, d2));
        let after = error(new1, new2).0;
        vec![
            ("E", e),
            ("hidden", hidden),
            ("output", output),
            ("new1", new1),
            ("new2", new2),
            ("after", after),
        ]
    });
    found.is("hidden", &[0.593269992, 0.596884378], 5e-10);
    found.is("output", &[0.75136507, 0.772928465], 5e-9);
    found.is("E", &[0.298371109], 5e-10);
    found.is("new1", &[0.149780716, 0.19956143, 0.24975114, 0.29950229], 6e-9);
    found.is("new2", &[0.35891648, 0.408666186, 0.51130127, 0.561370121], 6e-9);
    // The post prints 0.291027924, which updates the hidden weights through the new output weights; this is the
    // value of the equations it states.
    found.is("after", &[0.29102777369359933], 1e-14);
}

/// Mean cost of linear or logistic regression with an L2 penalty on all but the first parameter.
fn regression<const M: usize, const N: usize>(
    logistic: bool,
    x: [[f64; N]; M],
    y: [f64; M],
    theta: [f64; N],
    lambda: f64,
) -> Found {
    evaluate([("theta", tensor([N, 1], &theta))], move |g, [theta]| {
        let x = numbers(g, [M, N], x.as_flattened());
        let y = numbers(g, [M, 1], &y);
        let z = g.matmul(x, theta);
        let each = if logistic { g.binary_cross_entropy(z, y) } else { g.squared_error(z, y) };
        let learned = g.slice(theta, &[1, 0], &[N, 1]);
        let penalty = g.mul(g.sum_all(g.square(learned)), g.constant(lambda / (2.0 * M as f64)));
        vec![("J", g.add(g.mean_all(each), penalty))]
    })
}

const X3: [[f64; 4]; 3] = [[1.0, 8.0, 1.0, 6.0], [1.0, 3.0, 5.0, 7.0], [1.0, 4.0, 9.0, 2.0]];

#[test]
fn costs_of_linear_regression() {
    let x = [[1.0, 2.0], [1.0, 3.0], [1.0, 4.0], [1.0, 5.0]];
    regression(false, x, [7.0, 6.0, 5.0, 4.0], [0.1, 0.2], 0.0).is("J", &[11.945], 1e-12);
    let x = [[1.0, 2.0, 3.0], [1.0, 3.0, 4.0], [1.0, 4.0, 5.0], [1.0, 5.0, 6.0]];
    regression(false, x, [7.0, 6.0, 5.0, 4.0], [0.1, 0.2, 0.3], 0.0).is("J", &[7.0175], 1e-12);
    let regularised = regression(false, X3, [7.0, 6.0, 5.0], [0.1, 0.2, 0.3, 0.4], 7.0);
    regularised.is("J", &[1.6917], 5e-5);
    regularised.is("dtheta", &[-1.4, -8.2667, -3.6333, -7.0], 5e-5);
}

#[test]
fn costs_of_logistic_regression() {
    let theta = [-2.0, -1.0, 1.0, 2.0];
    let plain = regression(true, X3, [1.0, 0.0, 1.0], theta, 0.0);
    plain.is("J", &[4.6832], 5e-5);
    plain.is("dtheta", &[0.31722, 0.87232, 1.64812, 2.23787], 5e-6);
    let regularised = regression(true, X3, [1.0, 0.0, 1.0], theta, 3.0);
    regularised.is("J", &[7.6832], 5e-5);
    regularised.is("dtheta", &[0.31722, -0.12768, 2.64812, 4.23787], 5e-6);
    let five: [[f64; 4]; 5] = std::array::from_fn(|i| {
        let tenth = 0.1 * (i + 1) as f64;
        [1.0, tenth, tenth + 0.5, tenth + 1.0]
    });
    let vectorised = regression(true, five, [1.0, 0.0, 1.0, 0.0, 1.0], theta, 3.0);
    vectorised.is("J", &[2.534819], 5e-7);
    vectorised.is("dtheta", &[0.146561, -0.548558, 0.724722, 1.398003], 6e-7);
}

#[test]
fn slope_of_the_sigmoid_also_far_out() {
    let z = tensor([6], &[-2.0, 0.0, 4.0, 999999.0, -1.0, 1.0]);
    let found = evaluate([("z", z)], |g, [z]| vec![("sum", g.sum_all(g.sigmoid(z)))]);
    found.is("dz", &[0.10499, 0.25, 0.01766, 0.0, 0.19661, 0.19661], 5e-6);
}

/// Ng's network of 2, 2 and 4 sigmoid units with one logistic loss per class; the first column of each weight matrix
/// is the bias and is not regularised. Gradients are published by columns.
fn ng_network(lambda: f64) -> (f64, Vec<f64>) {
    let columns = |t: &[f64], rows: usize| -> Vec<f64> {
        let width = t.len() / rows;
        (0..t.len()).map(|i| t[i % rows * width + i / rows]).collect()
    };
    let inputs = [
        ("T1", tensor([2, 3], &[0.1, 0.3, 0.5, 0.2, 0.4, 0.6])),
        ("T2", tensor([4, 3], &[0.7, 1.1, 1.5, 0.8, 1.2, 1.6, 0.9, 1.3, 1.7, 1.0, 1.4, 1.8])),
    ];
    let found = evaluate(inputs, |g, [t1, t2]| {
        let ones = g.full([3, 1], 1.0);
        let x = numbers(g, [3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(f64::cos));
        let hidden = g.sigmoid(g.matmul_transposed(g.concat(&[ones, x], 1), false, t1, true));
        let scores = g.matmul_transposed(g.concat(&[ones, hidden], 1), false, t2, true);
        let targets = g.one_hot(numbers(g, [3], &[3.0, 1.0, 2.0]), 4);
        let loss = g.sum_all(g.binary_cross_entropy(scores, targets));
        let penalty = |t: Value, rows: usize| g.sum_all(g.square(g.slice(t, &[0, 1], &[rows, 3])));
        let decay = g.mul(g.add(penalty(t1, 2), penalty(t2, 4)), g.constant(lambda / 2.0));
        vec![("J", g.div(g.add(loss, decay), g.constant(3.0)))]
    });
    let mut gradient = columns(&found.0["dT1"], 2);
    gradient.extend(columns(&found.0["dT2"], 4));
    (found.0["J"][0], gradient)
}

#[test]
fn a_network_with_one_logistic_loss_per_class() {
    let close = |found: &[f64], published: &[f64], tolerance: f64| {
        found.len() == published.len() && found.iter().zip(published).all(|(f, p)| (f - p).abs() <= tolerance)
    };
    let (cost, gradient) = ng_network(0.0);
    assert!((cost - 7.407).abs() < 5e-5, "{cost}");
    let published = [
        0.766138, 0.979897, -0.02754, -0.035844, -0.024929, -0.053862, 0.883417, 0.568762, 0.584668,
        0.598139, 0.459314, 0.344618, 0.256313, 0.311885, 0.478337, 0.36892, 0.259771, 0.322331,
    ];
    assert!(close(&gradient, &published, 6e-7), "{gradient:?}");
    let (cost, gradient) = ng_network(3.0);
    assert!((cost - 16.457).abs() < 5e-4, "{cost}");
    let published = [
        0.76614, 0.9799, 0.27246, 0.36416, 0.47507, 0.54614, 0.88342, 0.56876, 0.58467, 0.59814, 1.55931,
        1.54462, 1.55631, 1.71189, 1.97834, 1.96892, 1.95977, 2.12233,
    ];
    assert!(close(&gradient, &published, 6e-6), "{gradient:?}");
}

#[test]
fn cost_and_gradients_of_one_logistic_unit() {
    // deeplearning.ai: columns of X are the examples.
    let inputs = [("w", tensor([1, 2], &[1.0, 2.0])), ("b", scalar(2.0))];
    let found = evaluate(inputs, |g, [w, b]| {
        let (x, y) = (numbers(g, [2, 2], &[1.0, 2.0, 3.0, 4.0]), numbers(g, [1, 2], &[1.0, 0.0]));
        vec![("cost", g.mean_all(g.binary_cross_entropy(g.add(g.matmul(w, x), b), y)))]
    });
    // Published from log(1 - sigmoid(12)), which has lost four digits.
    found.is("cost", &[6.000064773192205], 1e-12);
    found.is("dw", &[0.99993216, 1.99980262], 5e-9);
    found.is("db", &[0.499935230625], 5e-13);
}

/// `count` numbers from `from` to `to`, evenly spaced, as NumPy's linspace.
fn linspace(shape: impl Into<Shape>, from: f64, to: f64) -> Tensor<f64> {
    let shape = shape.into();
    let steps = (shape.len() - 1) as f64;
    Tensor::from_fn(shape, |i| from + (to - from) * i as f64 / steps)
}

#[test]
fn affine_layer_of_the_assignment() {
    let inputs = [
        ("x", linspace([2, 4, 5, 6], -0.1, 0.5)),
        ("w", linspace([120, 3], -0.2, 0.3)),
        ("b", linspace([3], -0.3, 0.1)),
    ];
    let found = evaluate(inputs, |g, [x, w, b]| vec![("y", g.add(g.matmul(g.flatten(x), w), b))]);
    let published = [1.49834967, 1.70660132, 1.91485297, 3.25553199, 3.5141327, 3.77273342];
    found.is("y", &published, 6e-9);
}

#[test]
fn relu_layer_of_the_assignment() {
    let found = evaluate([("x", linspace([3, 4], -0.5, 0.5))], |g, [x]| vec![("y", g.relu(x))]);
    let published =
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.04545455, 0.13636364, 0.22727273, 0.31818182, 0.40909091, 0.5];
    found.is("y", &published, 5e-9);
}

/// Dense, relu, dense, softmax cross-entropy, with an L2 penalty of the given factor on the weights.
fn two_layers(inputs: [(&str, Tensor<f64>); 5], labels: &[f64], factor: f64) -> Found {
    evaluate(inputs, |g, [x, w1, b1, w2, b2]| {
        let hidden = g.relu(g.add(g.matmul(x, w1), b1));
        let scores = g.add(g.matmul(hidden, w2), b2);
        let loss = g.mean_all(g.cross_entropy(scores, numbers(g, [labels.len()], labels)));
        let squares = g.add(g.sum_all(g.square(w1)), g.sum_all(g.square(w2)));
        vec![("loss", g.add(loss, g.mul(squares, g.constant(factor)))), ("scores", scores)]
    })
}

#[test]
fn two_layer_net_of_the_assignment() {
    let at = |factor| {
        let x = linspace([5, 3], -5.5, 4.5);
        let x = Tensor::from_fn([3, 5], |i| x.data()[i % 5 * 3 + i / 5]);
        let inputs = [
            ("X", x),
            ("W1", linspace([5, 50], -0.7, 0.3)),
            ("b1", linspace([50], -0.1, 0.9)),
            ("W2", linspace([50, 7], -0.3, 0.4)),
            ("b2", linspace([7], -0.9, 0.1)),
        ];
        two_layers(inputs, &[0.0, 5.0, 1.0], factor)
    };
    let plain = at(0.0);
    let published = [
        11.53165108,
        12.2917344,
        13.05181771,
        13.81190102,
        14.57198434,
        15.33206765,
        16.09215096,
        12.05769098,
        12.74614105,
        13.43459113,
        14.1230412,
        14.81149128,
        15.49994135,
        16.18839143,
        12.58373087,
        13.20054771,
        13.81736455,
        14.43418138,
        15.05099822,
        15.66781506,
        16.2846319,
    ];
    plain.is("scores", &published, 6e-9);
    plain.is("loss", &[3.4702243556], 6e-11);
    at(0.5).is("loss", &[26.5948426952], 6e-11);
}

#[test]
fn toy_net_of_the_assignment() {
    let inputs = [
        ("X", tensor([5, 4], &TOY_X)),
        ("W1", tensor([4, 10], &TOY_W1)),
        ("b1", Tensor::zeros([10])),
        ("W2", tensor([10, 3], &TOY_W2)),
        ("b2", Tensor::zeros([3])),
    ];
    let found = two_layers(inputs, &[0.0, 1.0, 2.0, 2.0, 1.0], 0.05);
    let published = [
        -0.81233741,
        -1.27654624,
        -0.70335995,
        -0.17129677,
        -1.18803311,
        -0.47310444,
        -0.51590475,
        -1.01354314,
        -0.8504215,
        -0.15419291,
        -0.48629638,
        -0.52901952,
        -0.00618733,
        -0.12435261,
        -0.15226949,
    ];
    found.is("scores", &published, 6e-9);
    found.is("loss", &[1.30378789133], 6e-12);
}

#[rustfmt::skip]
const TOY_X: [f64; 20] = [
    16.243453636632417, -6.117564136500754, -5.2817175226345565, -10.729686221561705, 8.654076293246785,
    -23.015386968802826, 17.4481176421648, -7.612069008951028, 3.1903909605709857, -2.493703754774101,
    14.621079370449742, -20.60140709497654, -3.224172040135075, -3.8405435466841564, 11.337694423354375,
    -10.998912673140309, -1.7242820755043575, -8.778584179213718, 0.4221374671559283, 5.828152137158222,
];

#[rustfmt::skip]
const TOY_W1: [f64; 40] = [
    0.1764052345967664, 0.040015720836722335, 0.09787379841057392, 0.2240893199201458, 0.18675579901499675,
    -0.0977277879876411, 0.09500884175255894, -0.01513572082976979, -0.010321885179355785, 0.04105985019383723,
    0.014404357116087799, 0.1454273506962975, 0.07610377251469935, 0.012167501649282842, 0.04438632327454257,
    0.033367432737426685, 0.14940790731576062, -0.020515826376580087, 0.03130677016509014, -0.08540957393017248,
    -0.25529898158340786, 0.06536185954403606, 0.08644361988595058, -0.0742165020406442, 0.22697546239876076,
    -0.1454365674598765, 0.004575851730144607, -0.01871838500258336, 0.15327792143584576, 0.1469358769900285,
    0.015494742569691631, 0.03781625196021736, -0.08877857476301128, -0.1980796468223927, -0.034791214932615264,
    0.015634896910398006, 0.12302906807277209, 0.12023798487844113, -0.03873268174079523, -0.03023027505753356,
];

#[rustfmt::skip]
const TOY_W2: [f64; 30] = [
    -0.10485529650670927, -0.14200179371789753, -0.17062701906250127, 0.19507753952317897, -0.050965218175165354,
    -0.04380743016111864, -0.12527953600499261, 0.07774903558319102, -0.16138978475579516, -0.02127402802139687,
    -0.08954665611936757, 0.0386902497859262, -0.051080513756887304, -0.11806321841224121, -0.002818222833865487,
    0.04283318705304177, 0.006651722238316789, 0.03024718977397814, -0.06343220936809636, -0.03627411659871382,
    -0.0672460447775951, -0.03595531615405413, -0.0813146282044454, -0.17262826023316769, 0.017742614225375285,
    -0.040178093620826194, -0.16301983469660447, 0.04627822555257742, -0.09072983643832422, 0.005194539579613896,
];
