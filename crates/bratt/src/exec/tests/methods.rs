//! Builder methods that are made of several operations: same checks as the operations themselves.

use super::cases::{Case, random, real};
use super::every_op::{forward_agrees, gradients_agree, second_derivatives_agree};
use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, Value};
use crate::tensor::Tensor;

fn tensor<const N: usize>(shape: [usize; N], numbers: &[f64]) -> Tensor<f64> {
    Tensor::new(shape, numbers.to_vec()).unwrap()
}

/// Cross-entropy by its definition, without care for large logits.
fn cross_entropies(logits: &Tensor<f64>, labels: &[f64]) -> Vec<f64> {
    let classes = logits.shape()[1];
    let rows = logits.data().chunks(classes).zip(labels);
    rows.map(|(row, &label)| row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[label as usize]).collect()
}

fn cases() -> Vec<Case> {
    let logits = real([4, 3], 21);
    let labels = [2.0, 0.0, 1.0, 1.0];
    let targets = random([5], 22, |u| u);
    let scores = real([5], 23);
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let surprise: Vec<f64> = scores
        .data()
        .iter()
        .zip(targets.data())
        .map(|(&z, &t)| -t * sigmoid(z).ln() - (1.0 - t) * (1.0 - sigmoid(z)).ln())
        .collect();
    let square = tensor([2, 2], &[1.0, 2.0, 3.0, 6.0]);
    let case = |name: &str, x: &[&Tensor<f64>], build: fn(&GraphBuilder, &[Value]) -> Value| {
        Case::new(name, x.iter().map(|&t| t.clone()).collect(), build)
    };
    vec![
        case("square", &[&tensor([3], &[1.0, -2.0, 3.0])], |g, x| g.square(x[0])).expect([1.0, 4.0, 9.0]),
        case("gt", &[&tensor([2], &[1.0, 2.0]), &tensor([2], &[1.0, 1.0])], |g, x| g.gt(x[0], x[1]))
            .expect([0.0, 1.0])
            .smooth(&[]),
        case("ge", &[&tensor([3], &[1.0, 2.0, 0.0]), &tensor([], &[1.0])], |g, x| g.ge(x[0], x[1]))
            .expect([1.0, 1.0, 0.0])
            .smooth(&[]),
        case("full", &[], |g, _| g.full([2, 1], 7.0)).expect([7.0, 7.0]),
        case("flatten", &[&real([2, 1, 3, 2], 1)], |g, x| g.flatten(x[0])),
        case("sum", &[&square], |g, x| g.sum(x[0], &[0])).expect([4.0, 8.0]),
        case("sum over swapped axes", &[&real([2, 3, 2], 3)], |g, x| g.sum(x[0], &[2, 0])),
        case("sum_all", &[&square], |g, x| g.sum_all(x[0])).expect([12.0]),
        case("sum_all scalar", &[&tensor([], &[3.0])], |g, x| g.sum_all(x[0])).expect([3.0]),
        case("mean", &[&square], |g, x| g.mean(x[0], &[1])).expect([1.5, 4.5]),
        case("mean_keep", &[&square], |g, x| g.mean_keep(x[0], &[0])).expect([2.0, 4.0]),
        case("mean_all", &[&square], |g, x| g.mean_all(x[0])).expect([3.0]),
        case("variance", &[&square], |g, x| g.variance(x[0], &[0])).expect([1.0, 4.0]),
        case("variance_keep", &[&real([3, 2, 2], 2)], |g, x| g.variance_keep(x[0], &[0, 2])),
        case("reduce_max", &[&square], |g, x| g.reduce_max(x[0], &[0])).expect([3.0, 6.0]),
        case("reduce_min", &[&square], |g, x| g.reduce_min(x[0], &[1])).expect([1.0, 3.0]),
        case(
            "global_avg_pool2d",
            &[&tensor([1, 2, 2, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])],
            |g, x| g.global_avg_pool2d(x[0]),
        )
        .expect([4.0, 5.0]),
        case("matmul", &[&square, &tensor([2, 1], &[1.0, -1.0])], |g, x| g.matmul(x[0], x[1]))
            .expect([-1.0, -3.0]),
        case("one_hot", &[&tensor([3], &[1.0, 0.0, 5.0])], |g, x| g.one_hot(x[0], 2))
            .expect([0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
            .smooth(&[]),
        case("one_hot of a scalar", &[&tensor([], &[2.0])], |g, x| g.one_hot(x[0], 3))
            .expect([0.0, 0.0, 1.0])
            .smooth(&[]),
        case("gather", &[&square, &tensor([2], &[1.0, 0.0])], |g, x| g.gather(x[0], x[1]))
            .expect([2.0, 3.0])
            .smooth(&[0]),
        Case::new("cross_entropy", vec![logits.clone()], move |g, x| {
            let all: Vec<Value> = labels.iter().map(|&l| g.full([1], l)).collect();
            g.cross_entropy(x[0], g.concat(&all, 0))
        })
        .expect(cross_entropies(&logits, &labels)),
        case("binary_cross_entropy", &[&scores, &targets], |g, x| g.binary_cross_entropy(x[0], x[1]))
            .expect(surprise),
        case("squared_error", &[&square, &real([2, 2], 9)], |g, x| g.squared_error(x[0], x[1])),
        case("maxout", &[&tensor([2, 4], &[1.0, 5.0, 2.0, -1.0, 0.0, -3.0, -2.0, -1.5])], |g, x| {
            g.maxout(x[0], 2)
        })
        .expect([5.0, 2.0, 0.0, -1.5]),
        case("maxout of one piece", &[&real([1, 3], 8)], |g, x| g.maxout(x[0], 1)),
        case("dropout_naive", &[&real([4, 5], 31)], |g, x| g.dropout_naive(x[0], 0.6)),
        case("dropout_inverted", &[&real([4, 5], 32)], |g, x| g.dropout_inverted(x[0], 0.3)),
        case("dropout keeping all", &[&square], |g, x| g.dropout_inverted(x[0], 1.0))
            .expect([1.0, 2.0, 3.0, 6.0]),
        case("batch_norm_training", &[&real([6, 2], 41), &real([2], 42), &real([2], 43)], |g, x| {
            g.batch_norm_training(x[0], x[1], x[2], 1e-3)
        }),
        // mean 2 and 4, variance 1 and 4
        case(
            "batch_norm of known numbers",
            &[&square, &tensor([2], &[3.0, 1.0]), &tensor([2], &[10.0, 0.0])],
            |g, x| g.batch_norm_training(x[0], x[1], x[2], 0.0),
        )
        .expect([7.0, -1.0, 13.0, 1.0]),
        case("batch_norm of images", &[&real([2, 2, 3, 2], 44), &real([2], 45), &real([2], 46)], |g, x| {
            g.batch_norm_training(x[0], x[1], x[2], 1e-5)
        }),
        case(
            "batch_norm_inference",
            &[
                &square,
                &tensor([2], &[3.0, 1.0]),
                &tensor([2], &[10.0, 0.0]),
                &tensor([2], &[2.0, 4.0]),
                &tensor([2], &[0.75, 3.75]),
            ],
            |g, x| g.batch_norm_inference(x[0], x[1], x[2], x[3], x[4], 0.25),
        )
        .expect([7.0, -1.0, 13.0, 1.0]),
    ]
}

#[test]
fn forward_values_are_the_closed_forms() {
    cases().iter().for_each(forward_agrees);
}

#[test]
fn gradients_are_the_differences() {
    cases().iter().for_each(gradients_agree);
}

#[test]
fn second_derivatives_are_the_differences() {
    cases().iter().for_each(second_derivatives_agree);
}

/// Values and first gradients of a function of one row of inputs.
fn evaluate(x: &[f64], build: impl Fn(&GraphBuilder, Value) -> Value) -> (Vec<f64>, Vec<f64>) {
    let g = Graph::builder();
    let v = g.input("x", [x.len()]);
    let y = build(&g, v);
    let [dx] = g.gradients(g.sum_all(y), [v]);
    g.output("y", y);
    g.output("dx", dx);
    let graph = g.finish().unwrap();
    let x = Tensor::new([x.len()], x.to_vec()).unwrap();
    let trace = interpret(&graph, &[("x", &x)], &State::new(), Key::default()).unwrap();
    let numbers = |name| trace.output(name).unwrap().data().to_vec();
    (numbers("y"), numbers("dx"))
}

#[test]
fn cross_entropy_is_stable_at_huge_logits() {
    let of = |label: f64| {
        evaluate(&[1e4, -1e4, 0.0], move |g, x| g.cross_entropy(g.reshape(x, [1, 3]), g.full([1], label)))
    };
    assert_eq!(of(0.0), (vec![0.0], vec![0.0, 0.0, 0.0]));
    assert_eq!(of(1.0), (vec![2e4], vec![1.0, -1.0, 0.0]));
    assert_eq!(of(2.0), (vec![1e4], vec![1.0, 0.0, -1.0]));
}

#[test]
fn binary_cross_entropy_is_stable_at_huge_logits() {
    let (loss, slope) = evaluate(&[1e4, -1e4], |g, z| g.binary_cross_entropy(z, g.constant(1.0)));
    assert_eq!((loss, slope), (vec![0.0, 1e4], vec![0.0, -1.0]));
}

#[test]
fn saturated_activations_stay_finite() {
    let far = [-1e6, -40.0, 40.0, 1e6];
    let tiny = (-40.0_f64).exp();
    assert_eq!(evaluate(&far, |g, x| g.sigmoid(x)), (vec![0.0, tiny, 1.0, 1.0], vec![0.0, tiny, 0.0, 0.0]));
    assert_eq!(evaluate(&far, |g, x| g.softplus(x)).0, [0.0, tiny, 40.0, 1e6]);
    assert_eq!(evaluate(&[f64::INFINITY], |g, x| g.softplus(x)), (vec![f64::INFINITY], vec![1.0]));
    assert_eq!(evaluate(&far, |g, x| g.tanh(x)), (vec![-1.0, -1.0, 1.0, 1.0], vec![0.0; 4]));
}

#[test]
fn kinks_take_the_convention_of_the_tables() {
    assert_eq!(evaluate(&[0.0], |g, x| g.relu(x)).1, [0.0]);
    assert_eq!(evaluate(&[0.0], |g, x| g.abs(x)).1, [0.0]);
    assert_eq!(evaluate(&[0.0], |g, x| g.leaky_relu(x, 0.25)).1, [0.25]);
    assert_eq!(evaluate(&[0.0], |g, x| g.elu(x, 2.0)).1, [2.0]);
    // Ties are shared: min and max by halves, a maximum over an axis evenly.
    assert_eq!(evaluate(&[3.0], |g, x| g.max(x, g.constant(3.0))).1, [0.5]);
    assert_eq!(evaluate(&[3.0], |g, x| g.min(x, g.constant(3.0))).1, [0.5]);
    assert_eq!(evaluate(&[1.0, 4.0, 4.0, 0.0], |g, x| g.reduce_max(x, &[0])).1, [0.0, 0.5, 0.5, 0.0]);
}

#[test]
fn powers_at_the_border_of_their_domain() {
    assert_eq!(evaluate(&[0.0, 3.0], |g, x| g.pow(x, g.constant(0.0))), (vec![1.0, 1.0], vec![0.0, 0.0]));
    assert_eq!(evaluate(&[-3.0, 0.0], |g, x| g.pow(x, g.constant(2.0))), (vec![9.0, 0.0], vec![-6.0, 0.0]));
    assert_eq!(evaluate(&[2.0], |g, x| g.pow(g.constant(0.0), x)), (vec![0.0], vec![0.0]));
}

#[test]
fn a_dropped_infinity_beside_the_label_is_no_nan() {
    let (loss, _) =
        evaluate(&[f64::NEG_INFINITY, 0.0], |g, x| g.cross_entropy(g.reshape(x, [1, 2]), g.full([1], 1.0)));
    assert_eq!(loss, [0.0]);
}

#[test]
fn nan_is_never_hidden() {
    let nan = [1.0, f64::NAN, 2.0];
    for (name, build) in [
        ("relu", (|g, x| g.relu(x)) as fn(&GraphBuilder, Value) -> Value),
        ("softplus", |g, x| g.softplus(x)),
        ("max", |g, x| g.max(x, g.constant(0.0))),
        ("min", |g, x| g.min(g.constant(0.0), x)),
        ("sigmoid", |g, x| g.sigmoid(x)),
        ("leaky_relu", |g, x| g.leaky_relu(x, 0.1)),
        ("elu", |g, x| g.elu(x, 1.0)),
        ("reduce_max", |g, x| g.reduce_max(x, &[0])),
        ("softmax", |g, x| g.softmax(x, 0)),
    ] {
        assert!(evaluate(&nan, build).0.iter().any(|y| y.is_nan()), "{name}");
    }
}
