//! Optimisers against published traces and exact numbers, through the reference interpreter.

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

/// Zhang et al., Dive into Deep Learning, chapter 12: the printed ends of 20 steps.
#[test]
fn twenty_steps_in_the_bowl_of_dive_into_deep_learning() {
    let momentum = |mu| Optimizer::from(Momentum { mu, ..Momentum::default() });
    let outside = |mu| Optimizer::from(Momentum { mu, outside: true, ..Momentum::default() });
    let rmsprop = RmsProp { rho: 0.9, epsilon: 1e-6, epsilon_place: Epsilon::Inside };
    for (optimizer, lr, x1, x2) in [
        (Sgd::default().into(), 0.4, "-0.943467", "-0.000073"),
        (momentum(0.5), 0.6, "0.007188", "0.002553"),
        (outside(0.5), 0.6, "0.007188", "0.002553"),
        (momentum(0.25), 0.6, "-0.126340", "-0.186632"),
        (outside(0.25), 0.6, "-0.126340", "-0.186632"),
        (AdaGrad::default().into(), 0.4, "-2.382563", "-0.158591"),
        (AdaGrad::default().into(), 2.0, "-0.002295", "-0.000000"),
        (rmsprop.into(), 0.4, "-0.010599", "0.000000"),
    ] {
        let mut problem = bowl(&optimizer);
        problem.steps(20, lr);
        let found = ["x1", "x2"].map(|name| format!("{:.6}", problem.at(name)[0]));
        assert_eq!(found, [x1, x2], "{}", optimizer.describe());
    }
}

/// Stanford CS231n, assignment 2 (2024), FullyConnectedNets.ipynb: one step from given state, eight digits.
mod cs231n {
    use super::*;

    fn problem(optimizer: Optimizer) -> Problem {
        Problem::with_gradients(&optimizer, &[("w", spaced(-0.4, 0.6, 20), spaced(-0.6, 0.4, 20))])
    }

    fn set(problem: &mut Problem, slot: &str, values: Vec<f64>) {
        let old = problem.state.insert(slot.into(), Tensor::new([values.len()], values).expect("a vector"));
        assert!(old.is_some(), "{slot} is no slot");
    }

    #[test]
    fn sgd_momentum() {
        let mut p = problem(Momentum::default().into());
        set(&mut p, "momentum.w.velocity", spaced(0.6, 0.9, 20));
        p.steps(1, 1e-3);
        let next = [
            0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789, 0.47454737, 0.54133684, 0.60812632,
            0.67491579, 0.74170526, 0.80849474, 0.87528421, 0.94207368, 1.00886316, 1.07565263, 1.14244211,
            1.20923158, 1.27602105, 1.34281053, 1.4096,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let velocity = [
            0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158, 0.61138947, 0.62554737, 0.63970526,
            0.65386316, 0.66802105, 0.68217895, 0.69633684, 0.71049474, 0.72465263, 0.73881053, 0.75296842,
            0.76712632, 0.78128421, 0.79544211, 0.8096,
        ];
        assert_close(p.at("momentum.w.velocity"), &velocity, 6e-9);
    }

    #[test]
    fn rmsprop() {
        let mut p = problem(RmsProp { rho: 0.99, ..RmsProp::default() }.into());
        set(&mut p, "rmsprop.w.mean_square", spaced(0.6, 0.9, 20));
        p.steps(1, 1e-2);
        let next = [
            -0.39223849,
            -0.34037513,
            -0.28849239,
            -0.23659121,
            -0.18467247,
            -0.132737,
            -0.08078555,
            -0.02881884,
            0.02316247,
            0.07515774,
            0.12716641,
            0.17918792,
            0.23122175,
            0.28326742,
            0.33532447,
            0.38739248,
            0.43947102,
            0.49155973,
            0.54365823,
            0.59576619,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let cache = [
            0.5976, 0.6126277, 0.6277108, 0.64284931, 0.65804321, 0.67329252, 0.68859723, 0.70395734,
            0.71937285, 0.73484377, 0.75037008, 0.7659518, 0.78158892, 0.79728144, 0.81302936, 0.82883269,
            0.84469141, 0.86060554, 0.87657507, 0.8926,
        ];
        assert_close(p.at("rmsprop.w.mean_square"), &cache, 6e-9);
    }

    #[test]
    fn adam() {
        let mut p = problem(Adam::default().into());
        set(&mut p, "adam.w.first_moment", spaced(0.6, 0.9, 20));
        set(&mut p, "adam.w.second_moment", spaced(0.7, 0.5, 20));
        p.state.insert("optim.step".into(), Tensor::scalar(5.0));
        p.steps(1, 1e-2);
        let next = [
            -0.40094747,
            -0.34836187,
            -0.29577703,
            -0.24319299,
            -0.19060977,
            -0.1380274,
            -0.08544591,
            -0.03286534,
            0.01971428,
            0.0722929,
            0.1248705,
            0.17744702,
            0.23002243,
            0.28259667,
            0.33516969,
            0.38774145,
            0.44031188,
            0.49288093,
            0.54544852,
            0.59801459,
        ];
        assert_close(p.at("w"), &next, 6e-9);
        let first = [
            0.48, 0.49947368, 0.51894737, 0.53842105, 0.55789474, 0.57736842, 0.59684211, 0.61631579,
            0.63578947, 0.65526316, 0.67473684, 0.69421053, 0.71368421, 0.73315789, 0.75263158, 0.77210526,
            0.79157895, 0.81105263, 0.83052632, 0.85,
        ];
        assert_close(p.at("adam.w.first_moment"), &first, 6e-9);
        let second = [
            0.69966, 0.68908382, 0.67851319, 0.66794809, 0.65738853, 0.64683452, 0.63628604, 0.6257431,
            0.61520571, 0.60467385, 0.59414753, 0.58362676, 0.57311152, 0.56260183, 0.55209767, 0.54159906,
            0.53110598, 0.52061845, 0.51013645, 0.49966,
        ];
        assert_close(p.at("adam.w.second_moment"), &second, 6e-9);
        assert_eq!(p.at("optim.step"), [6.0]);
    }
}

/// deeplearning.ai, Improving Deep Neural Networks, optimisation notebook (2017), expected-output tables.
mod deeplearning_ai {
    use super::*;

    fn problem(optimizer: &Optimizer) -> Problem {
        let w1 = [
            1.6243453636632417,
            -0.6117564136500754,
            -0.5281717522634557,
            -1.0729686221561705,
            0.8654076293246785,
            -2.3015386968802827,
        ];
        let dw1 = [
            -1.1006191772129212,
            1.1447237098396141,
            0.9015907205927955,
            0.5024943389018682,
            0.9008559492644118,
            -0.6837278591743331,
        ];
        let (b1, db1) =
            ([1.74481176421648, -0.7612069008951028], [-0.12289022551864817, -0.9357694342590688]);
        let (b2, db2) = (
            [-0.8778584179213718, 0.04221374671559283, 0.5828152137158222],
            [0.23441569781709215, 1.6598021771098705, 0.7420441605773356],
        );
        let parameters =
            [("W1", w1.to_vec(), dw1.to_vec()), ("b1", b1.into(), db1.into()), ("b2", b2.into(), db2.into())];
        Problem::with_gradients(optimizer, &parameters)
    }

    fn check(problem: &Problem, w1: [f64; 6], b1: [f64; 2], b2: [f64; 3], tolerance: f64) {
        assert_close(problem.at("W1"), &w1, tolerance);
        assert_close(problem.at("b1"), &b1, tolerance);
        assert_close(problem.at("b2"), &b2, tolerance);
    }

    #[test]
    fn gradient_descent() {
        let mut p = problem(&Sgd::default().into());
        let w1 = [1.63535156, -0.62320365, -0.53718766, -1.07799357, 0.85639907, -2.29470142];
        check(p.steps(1, 0.01), w1, [1.74604067, -0.75184921], [-0.88020257, 0.02561572, 0.57539477], 6e-9);
    }

    /// The course averages gradients: the dampened form.
    #[test]
    fn dampened_momentum() {
        let rule = Momentum { mu: 0.9, outside: true, dampened: true, ..Momentum::default() };
        let mut p = problem(&rule.into());
        let w1 = [1.62544598, -0.61290114, -0.52907334, -1.07347112, 0.86450677, -2.30085497];
        check(p.steps(1, 0.01), w1, [1.74493465, -0.76027113], [-0.87809283, 0.04055394, 0.58207317], 6e-9);
    }

    /// From zero moments at t = 2; the published numbers were made with epsilon inside the root.
    #[test]
    fn adam() {
        let mut p = problem(&Adam { epsilon_place: Epsilon::Inside, ..Adam::default() }.into());
        p.state.insert("optim.step".into(), Tensor::scalar(1.0));
        let w1 = [1.63178673, -0.61919778, -0.53561312, -1.08040999, 0.85796626, -2.29409733];
        check(p.steps(1, 0.01), w1, [1.75225313, -0.75376553], [-0.88529978, 0.03477238, 0.57537385], 1e-8);
    }
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
