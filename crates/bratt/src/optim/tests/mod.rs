//! Optimisers against published traces and exact numbers, through the reference interpreter.

mod published;

use super::*;
use crate::exec::{Key, State, interpret};
use crate::graph::{Graph, Init, Role, Value};
use crate::tensor::Tensor;

/// A training step on named parameter vectors: the graph, and its state with the parameters given and all else 0.
struct Problem {
    graph: Graph,
    state: State,
}

impl Problem {
    fn new(
        optimizer: &Optimizer,
        parameters: &[(&str, Vec<f64>)],
        loss: impl Fn(&GraphBuilder, &[Value]) -> Value,
    ) -> Problem {
        let g = Graph::builder();
        let mut step = optimizer.begin(&g);
        let points: Vec<Value> = parameters
            .iter()
            .map(|(name, start)| {
                let (slot, w) = g.slot(name, [start.len()], Role::Parameter, Init::Constant(0.0));
                step.point(&g, name, slot, w, !name.starts_with('b'))
            })
            .collect();
        let loss = loss(&g, &points);
        let gradients = g.gradients_of(loss, &points);
        g.output("loss", loss);
        if let Some(norm) = step.update(&g, &gradients) {
            g.output("norm", norm);
        }
        let graph = g.finish().expect("a correct step");
        let mut state: State =
            graph.slots().iter().map(|s| (s.name.clone(), Tensor::zeros(s.shape.clone()))).collect();
        for (name, start) in parameters {
            state.insert(name.to_string(), Tensor::new([start.len()], start.clone()).expect("a vector"));
        }
        Problem { graph, state }
    }

    /// A loss whose gradient is what is given: the inner product with it.
    fn with_gradients(optimizer: &Optimizer, parameters: &[(&str, Vec<f64>, Vec<f64>)]) -> Problem {
        let starts: Vec<_> = parameters.iter().map(|(name, w, _)| (*name, w.clone())).collect();
        Problem::new(optimizer, &starts, |g, points| {
            let terms = points.iter().zip(parameters).map(|(&p, (_, _, dw))| {
                let dw: Vec<Value> = dw.iter().map(|&x| g.reshape(g.constant(x), [1])).collect();
                g.sum_all(g.mul(p, g.concat(&dw, 0)))
            });
            terms.reduce(|a, b| g.add(a, b)).expect("a parameter")
        })
    }

    fn step(&mut self, lr: f64, momentum: f64) -> &mut Problem {
        let (lr, momentum) = (Tensor::scalar(lr), Tensor::scalar(momentum));
        let mut inputs = vec![("lr", &lr)];
        if self.graph.inputs().iter().any(|i| i.name == "momentum") {
            inputs.push(("momentum", &momentum));
        }
        let trace = interpret(&self.graph, &inputs, &self.state, Key::default()).expect("a complete state");
        self.state = trace.into_new_state();
        self
    }

    fn steps(&mut self, count: usize, lr: f64) -> &mut Problem {
        for _ in 0..count {
            self.step(lr, f64::NAN);
        }
        self
    }

    fn at(&self, name: &str) -> &[f64] {
        self.state.get(name).unwrap_or_else(|| panic!("no slot {name} in {:?}", self.state.keys())).data()
    }
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "element {i}: found {f}, expected {e}");
    }
}

fn spaced(from: f64, to: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| from + (to - from) * i as f64 / (n - 1) as f64).collect()
}

/// D2L's quadratic bowl, `0.1 x1^2 + 2 x2^2` from (-5, -2); the text prints the point after 20 steps.
fn bowl(optimizer: &Optimizer) -> Problem {
    Problem::new(optimizer, &[("x1", vec![-5.0]), ("x2", vec![-2.0])], |g, x| {
        let term = |x, a| g.mul(g.constant(a), g.sum_all(g.square(x)));
        g.add(term(x[0], 0.1), term(x[1], 2.0))
    })
}

/// f = x^2 from 1 with mu = 1/2, lr = 1/4, by hand in dyadic fractions.
#[test]
fn nesterov_exactly() {
    let rule = Nesterov { mu: 0.5, scheduled: false };
    let mut p = Problem::new(&rule.into(), &[("x", vec![1.0])], |g, x| g.sum_all(g.square(x[0])));
    for (x, v) in [(1.0 / 2.0, -1.0 / 2.0), (1.0 / 8.0, -3.0 / 8.0), (-1.0 / 32.0, -5.0 / 32.0)] {
        p.steps(1, 0.25);
        assert_eq!((p.at("x"), p.at("nesterov.x.velocity")), (&[x][..], &[v][..]));
    }
}

/// The rearranged form of large frameworks, whose parameter is the look-ahead point.
#[test]
fn nesterovs_points_are_those_of_the_rearranged_form() {
    let (mu, lr) = (0.9, 0.05);
    let mut p = bowl(&Nesterov { mu, scheduled: false }.into());
    let (mut y, mut buffer) = ([-5.0, -2.0], [0.0, 0.0]);
    for _ in 0..200 {
        p.steps(1, lr);
        for (i, curvature) in [0.2, 4.0].into_iter().enumerate() {
            let gradient = curvature * y[i];
            buffer[i] = mu * buffer[i] + gradient;
            y[i] -= lr * (gradient + mu * buffer[i]);
        }
        let ahead = ["x1", "x2"].map(|x| p.at(x)[0] + mu * p.at(&format!("nesterov.{x}.velocity"))[0]);
        assert_close(&ahead, &y, 1e-12);
    }
    assert!((p.at("x1")[0] - y[0]).abs() > 1e-9, "the parameters themselves differ");
}

/// f = x^2 / 2 from 1 with lr 1/2 inside and outside the velocity: equal at a constant rate, not when it falls.
#[test]
fn momentum_inside_and_outside_differ_only_when_the_rate_changes() {
    let inside = Momentum { mu: 0.5, ..Momentum::default() };
    let outside = Momentum { outside: true, ..inside };
    let [mut a, mut b] = [inside, outside].map(|rule| {
        Problem::new(&rule.into(), &[("x", vec![1.0])], |g, x| {
            g.mul(g.constant(0.5), g.sum_all(g.square(x[0])))
        })
    });
    assert_eq!(a.steps(3, 0.5).at("x"), b.steps(3, 0.5).at("x"));
    assert_ne!(a.steps(1, 0.25).at("x"), b.steps(1, 0.25).at("x"));
}

/// Gradients 3, 4, 12 have running lengths 3, 5, 13.
#[test]
fn adagrad_on_pythagorean_gradients() {
    let rule = AdaGrad { epsilon: 1e-30 };
    let mut w = 0.0;
    let mut sum = 0.0;
    for (gradient, length) in [(3.0, 3.0), (4.0, 5.0), (12.0, 13.0)] {
        let mut p = Problem::with_gradients(&rule.into(), &[("w", vec![w], vec![gradient])]);
        p.state.insert("adagrad.w.sum_of_squares".into(), Tensor::new([1], vec![sum]).expect("one number"));
        p.steps(1, 0.1);
        w -= 0.1 * gradient / length;
        sum = length * length;
        assert_close(p.at("w"), &[w], 1e-15);
        assert_eq!(p.at("adagrad.w.sum_of_squares"), [sum]);
    }
}

/// With corrected bias the first step is lr times the sign, whatever the gradient's size; for RMSprop it is
/// lr / sqrt(1 - rho).
#[test]
fn first_steps_do_not_depend_on_the_size_of_the_gradient() {
    for size in [1e-3, 1.0, 1e4] {
        let start = [("w", vec![1.0, 1.0], vec![size, -size])];
        let mut adam = Problem::with_gradients(&Adam::default().into(), &start);
        assert_close(adam.steps(1, 0.01).at("w"), &[0.99, 1.01], 1e-6);
        let mut rmsprop = Problem::with_gradients(&RmsProp::default().into(), &start);
        let far = 0.01 / 0.1f64.sqrt();
        assert_close(rmsprop.steps(1, 0.01).at("w"), &[1.0 - far, 1.0 + far], 1e-6);
    }
}

/// The factored form against the paper's, epsilon included.
#[test]
fn adam_is_the_papers_formula_at_every_step() {
    let (rho1, rho2, epsilon, lr) = (0.9, 0.999, 1e-2, 0.1);
    let mut p = bowl(&Adam { rho1, rho2, epsilon, ..Adam::default() }.into());
    let (mut x, mut m, mut v) = (-5.0f64, 0.0, 0.0);
    for t in 1..=50 {
        p.steps(1, lr);
        let gradient = 0.2 * x;
        m = rho1 * m + (1.0 - rho1) * gradient;
        v = rho2 * v + (1.0 - rho2) * gradient * gradient;
        let (m_hat, v_hat) = (m / (1.0 - rho1.powi(t)), v / (1.0 - rho2.powi(t)));
        x -= lr * m_hat / (f64::sqrt(v_hat) + epsilon);
        assert_close(p.at("x1"), &[x], 1e-10);
    }
}

/// Factors of the step are scalars and shared; what is left per parameter is pointwise.
#[test]
fn adam_corrects_its_bias_once_for_all_parameters() {
    let start = [("w", vec![1.0; 3], vec![1.0; 3]), ("u", vec![1.0; 5], vec![1.0; 5])];
    let graph = Problem::with_gradients(&Adam::default().into(), &start).graph;
    let corrections: Vec<_> = graph.nodes().iter().filter(|n| n.op.name() == "expm1").collect();
    assert_eq!(corrections.len(), 2);
    assert!(corrections.iter().all(|n| n.shape.rank() == 0));
}

#[test]
fn a_scheduled_momentum_is_fed() {
    for optimizer in [
        Momentum { scheduled: true, ..Momentum::default() }.into(),
        Optimizer::from(Nesterov { scheduled: true, ..Nesterov::default() }),
    ] {
        let mut p = Problem::with_gradients(&optimizer, &[("w", vec![0.0], vec![1.0])]);
        // v = -1, then 0.5 v - 1, then 0.75 v - 1.
        for (mu, v) in [(0.0, -1.0), (0.5, -1.5), (0.75, -2.125)] {
            p.step(1.0, mu);
            assert_eq!(p.at(&format!("{}.w.velocity", optimizer.name())), [v]);
        }
    }
}

#[test]
fn weight_decay_shrinks_weights_and_not_biases() {
    let start = [("w", vec![2.0], vec![0.0]), ("b", vec![2.0], vec![0.0])];
    let mut sgd = Problem::with_gradients(&Optimizer::from(Sgd::default()).weight_decay(0.5), &start);
    sgd.steps(1, 0.1);
    assert_close(sgd.at("w"), &[2.0 - 0.1 * 0.5 * 2.0], 1e-15);
    assert_eq!(sgd.at("b"), [2.0]);
    // Decoupled: the same shrinking although the moments are zero.
    let mut adamw = Problem::with_gradients(&Optimizer::from(AdamW::default()).weight_decay(0.5), &start);
    adamw.steps(1, 0.1);
    assert_close(adamw.at("w"), &[2.0 - 0.1 * 0.5 * 2.0], 1e-15);
    assert_eq!(adamw.at("b"), [2.0]);
    // In Adam's gradient the decay alone would step by lr, whatever its strength.
    let mut adam = Problem::with_gradients(&Optimizer::from(Adam::default()).weight_decay(0.5), &start);
    assert_close(adam.steps(1, 0.1).at("w"), &[1.9], 1e-6);
}

/// L2 decay belongs to the loss: Nesterov takes it at the look-ahead point, as if it were written there.
#[test]
fn nesterovs_decay_is_that_of_the_loss() {
    let rule = Nesterov { mu: 0.5, scheduled: false };
    let decayed = Optimizer::from(rule).weight_decay(0.5);
    let written = Optimizer::from(rule);
    let loss = |l2: f64| {
        move |g: &GraphBuilder, x: &[Value]| {
            let f = g.sum_all(g.exp(x[0]));
            g.add(f, g.mul(g.constant(l2 / 2.0), g.sum_all(g.square(x[0]))))
        }
    };
    let mut a = Problem::new(&decayed, &[("x", vec![1.0])], loss(0.0));
    let mut b = Problem::new(&written, &[("x", vec![1.0])], loss(0.5));
    assert_close(a.steps(5, 0.1).at("x"), b.steps(5, 0.1).at("x"), 1e-14);
}

#[test]
fn clipping_by_norm_keeps_the_direction_and_by_value_the_signs() {
    let start = [("a", vec![0.0, 0.0], vec![3.0, 0.0]), ("c", vec![0.0], vec![-4.0])];
    let sgd = || Optimizer::from(Sgd::default());
    let mut by_norm = Problem::with_gradients(&sgd().clip_norm(1.0), &start);
    by_norm.steps(1, 1.0);
    assert_close(by_norm.at("a"), &[-0.6, 0.0], 1e-15);
    assert_close(by_norm.at("c"), &[0.8], 1e-15);
    let mut by_value = Problem::with_gradients(&sgd().clip_value(3.5), &start);
    by_value.steps(1, 1.0);
    assert_eq!((by_value.at("a"), by_value.at("c")), (&[-3.0, 0.0][..], &[3.5][..]));
    let mut within = Problem::with_gradients(&sgd().clip_norm(5.1), &start);
    assert_close(within.steps(1, 1.0).at("c"), &[4.0], 1e-15);
    let mut nothing = Problem::with_gradients(&sgd().clip_norm(1.0), &[("a", vec![1.0], vec![0.0])]);
    assert_eq!(nothing.steps(1, 1.0).at("a"), [1.0]);
}

#[test]
fn configuration_and_back() {
    for name in NAMES {
        let optimizer = Optimizer::by_name(name).expect(name);
        assert_eq!(optimizer.name(), name);
        assert!(optimizer.describe().starts_with(name));
        assert!(optimizer.check().is_ok());
        let short: Optimizer = serde_json::from_str(&format!(r#"{{"type":"{name}"}}"#)).expect(name);
        assert_eq!(short, optimizer);
        let text = serde_json::to_string(&optimizer.clone().clip_norm(2.0)).expect("plain data");
        assert_eq!(serde_json::from_str::<Optimizer>(&text).expect(&text), optimizer.clip_norm(2.0));
    }
    let unknown = serde_json::from_str::<Optimizer>(r#"{"type":"adam","beta1":0.9}"#);
    assert!(unknown.is_err_and(|e| e.to_string().contains("beta1")));
}

#[test]
fn wrong_settings_and_names_are_told() {
    let error = Optimizer::by_name("adm").map_err(|e| e.to_string());
    assert_eq!(error, Err("no optimizer is named `adm`; did you mean `adam`?".into()));
    let optimizer = Optimizer::from(Momentum { mu: 1.0, ..Momentum::default() });
    let expected = "momentum: found mu = 1, expected at least 0 and below 1";
    assert_eq!(optimizer.check().map_err(|e| e.to_string()), Err(expected.into()));
    let g = Graph::builder();
    optimizer.begin(&g);
    assert!(g.finish().is_err_and(|e| e.to_string().contains(expected)));
    assert!(Optimizer::from(Adam::default()).clip_norm(0.0).check().is_err());
    assert!(Optimizer::from(Adam::default()).weight_decay(f64::NAN).check().is_err());
}

#[test]
fn a_gradient_for_every_registered_parameter() {
    let g = Graph::builder();
    let (slot, w) = g.slot("w", [2], Role::Parameter, Init::Constant(0.0));
    let mut step = Optimizer::from(Sgd::default()).begin(&g);
    step.point(&g, "w", slot, w, true);
    step.update(&g, &[]);
    assert!(g.finish().is_err_and(|e| e.problem.contains("0 gradients for 1 registered")));
}

/// f = x^2 / 2 from 1 with lr 1/2, so that x halves; the average's shares are 0, 1/10, 2/11, then at most d.
#[test]
fn the_average_of_the_weights_by_hand() {
    let sgd = Optimizer::from(Sgd::default()).average(0.15);
    let mut p =
        Problem::new(&sgd, &[("x", vec![1.0])], |g, x| g.mul(g.constant(0.5), g.sum_all(g.square(x[0]))));
    let (mut x, mut average) = (1.0, 0.0);
    for kept in [0.0, 0.1, 0.15, 0.15] {
        x /= 2.0;
        average = kept * average + (1.0 - kept) * x;
        p.steps(1, 0.5);
        assert_close(p.at("x"), &[x], 0.0);
        assert_close(p.at("average.x"), &[average], 1e-15);
    }
}
