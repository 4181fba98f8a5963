//! Every rule beside a loop written by hand from its textbook, over 100 steps in f64.

use super::*;
use crate::optim::{AdaGrad, Adam, AdamW, Epsilon, Momentum, Nesterov, RmsProp, Sgd};

const STEPS: u64 = 100;
const START: [f64; 2] = [-1.5, 1.0];

/// `x^2 + 20 y^2`
fn ravine(g: &GraphBuilder, p: &[Value]) -> Value {
    g.add(g.square(p[0]), g.mul(g.constant(20.0), g.square(p[1])))
}

fn ravine_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    [2.0 * x, 40.0 * y]
}

/// Rosenbrock's valley, `(1 - x)^2 + 100 (y - x^2)^2`: nothing about it is a square.
fn valley(g: &GraphBuilder, p: &[Value]) -> Value {
    let across = g.sub(p[1], g.square(p[0]));
    let along = g.sub(g.constant(1.0), p[0]);
    g.add(g.square(along), g.mul(g.constant(100.0), g.square(across)))
}

fn valley_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    let across = y - x * x;
    [-2.0 * (1.0 - x) - 400.0 * x * across, 200.0 * across]
}

type Gradient = fn([f64; 2]) -> [f64; 2];
type Cost = fn(&GraphBuilder, &[Value]) -> Value;

fn path(cost: Cost, method: Method) -> Path {
    let [x, y] = START.map(Tensor::scalar);
    let parameters = [Parameter::new("x", x), Parameter::new("y", y)];
    descend(&parameters, &[], cost, &method, STEPS).unwrap()
}

/// Runs a rule by hand: `step(k, p, memory)` changes p, one component at a time being the rule's affair.
fn by_hand(mut step: impl FnMut(usize, &mut [f64; 2], &mut [[f64; 2]; 2])) -> Vec<[f64; 2]> {
    let (mut p, mut memory) = (START, [[0.0; 2]; 2]);
    let mut all = vec![p];
    for k in 0..STEPS as usize {
        step(k, &mut p, &mut memory);
        all.push(p);
    }
    all
}

#[track_caller]
fn agree(found: &Path, expected: &[[f64; 2]]) {
    assert_eq!(found.diverged, None);
    assert_eq!(found.iterates.len(), STEPS as usize + 1);
    for (k, (found, expected)) in found.iterates.iter().zip(expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let found = found.data()[0];
            let off = (found - expected).abs();
            assert!(
                off <= 1e-12 * expected.abs().max(1.0),
                "iterate {k}: found {found:e}, expected {expected:e}"
            );
        }
    }
}

/// `eta_k = (1 - a) eta_0 + a eta_tau`, `a = k / tau`, constant after tau.
fn decayed(k: usize, eta_0: f64, eta_tau: f64, tau: usize) -> f64 {
    let a = (k as f64 / tau as f64).min(1.0);
    (1.0 - a) * eta_0 + a * eta_tau
}

/// Each problem, its rate relative to what suits the ravine, constant and with linear decay that ends at step 60.
fn each(mut test: impl FnMut(Cost, Gradient, f64, bool)) {
    for decay in [false, true] {
        test(ravine, ravine_gradient, 1.0, decay);
        test(valley, valley_gradient, 0.02, decay);
    }
}

fn schedule(rate: f64, decay: bool) -> (Schedule, impl Fn(usize) -> f64) {
    let schedule = if decay { Schedule::linear(rate, 0.01 * rate, 60) } else { Schedule::constant(rate) };
    (schedule, move |k| if decay { decayed(k, rate, 0.01 * rate, 60) } else { rate })
}

fn method(optimizer: impl Into<Optimizer>, schedule: Schedule) -> Method {
    Method { optimizer: optimizer.into(), schedule, momentum: None }
}

#[test]
fn sgd_is_the_textbooks() {
    each(|cost, gradient, unit, decay| {
        let (schedule, eta) = schedule(0.0475 * unit, decay);
        let expected = by_hand(|k, p, _| {
            let g = gradient(*p);
            (0..2).for_each(|i| p[i] -= eta(k) * g[i]);
        });
        agree(&path(cost, method(Sgd::default(), schedule)), &expected);
    });
}

/// The learning rate stands inside of the velocity: `v = mu v - eta g`, `p = p + v`.
#[test]
fn momentum_is_the_textbooks_also_when_it_grows() {
    each(|cost, gradient, unit, decay| {
        let (schedule, eta) = schedule(0.01 * unit, decay);
        let mut method = method(Momentum { mu: 0.7, ..Momentum::default() }, schedule);
        for grows in [false, true] {
            let mu = |k| if grows { decayed(k, 0.5, 0.99, 100) } else { 0.7 };
            if grows {
                method.optimizer = Momentum { scheduled: true, ..Momentum::default() }.into();
                method.momentum = Some(Schedule::growing_momentum(100));
            }
            let expected = by_hand(|k, p, [v, _]| {
                let g = gradient(*p);
                for i in 0..2 {
                    v[i] = mu(k) * v[i] - eta(k) * g[i];
                    p[i] += v[i];
                }
            });
            agree(&path(cost, method.clone()), &expected);
        }
    });
}

/// The gradient is taken at the look-ahead `p + mu v`; the iterate is p.
#[test]
fn nesterov_is_the_textbooks_also_when_momentum_grows() {
    each(|cost, gradient, unit, decay| {
        let (schedule, eta) = schedule(0.01 * unit, decay);
        let mut method = method(Nesterov { mu: 0.7, scheduled: false }, schedule);
        for grows in [false, true] {
            let mu = |k| if grows { decayed(k, 0.5, 0.99, 100) } else { 0.7 };
            if grows {
                method.optimizer = Nesterov { mu: 0.0, scheduled: true }.into();
                method.momentum = Some(Schedule::growing_momentum(100));
            }
            let expected = by_hand(|k, p, [v, _]| {
                let g = gradient([p[0] + mu(k) * v[0], p[1] + mu(k) * v[1]]);
                for i in 0..2 {
                    v[i] = mu(k) * v[i] - eta(k) * g[i];
                    p[i] += v[i];
                }
            });
            agree(&path(cost, method.clone()), &expected);
        }
    });
}

/// Epsilon 1e-7 outside of the root.
#[test]
fn adagrad_is_the_textbooks() {
    each(|cost, gradient, _, decay| {
        let (schedule, eta) = schedule(0.15, decay);
        let expected = by_hand(|k, p, [r, _]| {
            let g = gradient(*p);
            for i in 0..2 {
                r[i] += g[i] * g[i];
                p[i] -= eta(k) * g[i] / (r[i].sqrt() + 1e-7);
            }
        });
        agree(&path(cost, method(AdaGrad::default(), schedule)), &expected);
    });
}

/// Epsilon 1e-8 outside of the root, or 1e-6 inside.
#[test]
fn rmsprop_is_the_textbooks_with_epsilon_in_both_places() {
    each(|cost, gradient, _, decay| {
        for inside in [false, true] {
            let (schedule, eta) = schedule(0.01, decay);
            let mut rule = RmsProp::default();
            if inside {
                (rule.epsilon, rule.epsilon_place) = (1e-6, Epsilon::Inside);
            }
            let expected = by_hand(|k, p, [r, _]| {
                let g = gradient(*p);
                for i in 0..2 {
                    r[i] = 0.9 * r[i] + 0.1 * g[i] * g[i];
                    let size = if inside { (r[i] + 1e-6).sqrt() } else { r[i].sqrt() + 1e-8 };
                    p[i] -= eta(k) * g[i] / size;
                }
            });
            agree(&path(cost, method(rule, schedule)), &expected);
        }
    });
}

/// Both moments with corrected bias, epsilon 1e-8 outside of the root.
#[test]
fn adam_and_adamw_are_the_papers() {
    each(|cost, gradient, _, decay| {
        for decoupled in [false, true] {
            let (schedule, eta) = schedule(0.05, decay);
            let expected = by_hand(|k, p, [m, v]| {
                let g = gradient(*p);
                let t = k as i32 + 1;
                for i in 0..2 {
                    m[i] = 0.9 * m[i] + 0.1 * g[i];
                    v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                    let (m_hat, v_hat) = (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
                    let decay = if decoupled { 0.01 * p[i] } else { 0.0 };
                    p[i] -= eta(k) * (m_hat / (v_hat.sqrt() + 1e-8) + decay);
                }
            });
            let optimizer: Optimizer =
                if decoupled { AdamW::default().into() } else { Adam::default().into() };
            agree(&path(cost, method(optimizer, schedule)), &expected);
        }
    });
}

/// `g + lambda p` where decay applies, and not for a bias.
#[test]
fn weight_decay_belongs_to_the_gradient_and_spares_biases() {
    let expected = by_hand(|_, p, _| {
        let g = ravine_gradient(*p);
        p[0] -= 0.02 * (g[0] + 0.3 * p[0]);
        p[1] -= 0.02 * g[1];
    });
    let [x, y] = START.map(Tensor::scalar);
    let parameters = [Parameter::new("x", x), Parameter { decays: false, ..Parameter::new("y", y) }];
    let method = method(Optimizer::from(Sgd::default()).weight_decay(0.3), Schedule::constant(0.02));
    agree(&descend(&parameters, &[], ravine, &method, STEPS).unwrap(), &expected);
}

#[test]
fn costs_gradients_rates_and_momenta_belong_to_their_steps() {
    let mut nesterov = method(Nesterov { mu: 0.0, scheduled: true }, Schedule::linear(0.02, 0.0, 100));
    nesterov.momentum = Some(Schedule::growing_momentum(100));
    let path = path(ravine, nesterov);
    assert_eq!(
        (path.costs.len(), path.rates.len(), path.momenta.len(), path.gradients.len()),
        (101, 100, 100, 100)
    );
    assert_eq!(path.costs[0], 1.5 * 1.5 + 20.0);
    assert_eq!((path.rates[0], path.rates[50], path.momenta[0]), (0.02, 0.01, 0.5));
    for (iterate, cost) in path.iterates.iter().zip(&path.costs) {
        let [x, y] = [iterate[0].data()[0], iterate[1].data()[0]];
        assert_eq!(*cost, x * x + 20.0 * (y * y));
    }
    // At the look-ahead, and not at the iterate.
    let (before, after) = (path.iterates[0][1].data()[0], path.iterates[1][1].data()[0]);
    let ahead = after + path.momenta[1] * (after - before);
    assert!((path.gradients[1][1].data()[0] - 40.0 * ahead).abs() < 1e-12);
}

/// A table as input, weights of any shape: the normal equations hold at the end.
#[test]
fn tensors_and_inputs_are_fed() {
    let features = Tensor::new([3, 2], vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0]).unwrap();
    let targets = Tensor::new([3, 1], vec![1.0, 2.0, 3.3]).unwrap();
    let cost = |g: &GraphBuilder, p: &[Value]| {
        let said = g.add(g.matmul(g.input("features", [3, 2]), p[0]), p[1]);
        g.mean_all(g.squared_error(said, g.input("targets", [3, 1])))
    };
    let parameters = [Parameter::new("w", Tensor::zeros([2, 1])), Parameter::new("b", Tensor::zeros([]))];
    let inputs = [("features", &features), ("targets", &targets)];
    let method = method(Momentum::default(), Schedule::constant(0.3));
    let path = descend(&parameters, &inputs, cost, &method, 500).unwrap();
    let end = &path.iterates[500];
    let found = [end[0].data()[0], end[0].data()[1], end[1].data()[0]];
    // Three points, three numbers: the fit is exact.
    for (found, expected) in found.iter().zip([1.3, 2.3, -0.3]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn a_path_that_leaves_the_numbers_ends_there() {
    let path = path(ravine, method(Sgd::default(), Schedule::constant(1e4)));
    let last = path.iterates.len();
    assert_eq!(path.diverged, Some(last as u64));
    assert!(last < 60 && path.costs.iter().all(|cost| cost.is_finite()));
    assert_eq!((path.rates.len(), path.gradients.len()), (last - 1, last - 1));
}

#[test]
fn what_cannot_be_descended_is_refused() {
    let at = |x: f64| [Parameter::new("x", Tensor::scalar(x))];
    let sgd = method(Sgd::default(), Schedule::constant(0.1));
    let ln = |g: &GraphBuilder, p: &[Value]| g.log(p[0]);
    let found = descend(&at(-1.0), &[], ln, &sgd, 1).unwrap_err();
    assert!(found.to_string().starts_with("the cost at the start is NaN"), "{found}");
    let found = descend(&at(1.0), &[], |g, _| g.constant(1.0), &sgd, 1).unwrap_err();
    assert!(found.to_string().contains("does not depend on `x`"), "{found}");
    let scheduled = method(Nesterov { scheduled: true, mu: 0.0 }, Schedule::constant(0.1));
    assert!(matches!(descend(&at(1.0), &[], ln, &scheduled, 1), Err(DescentError::NoMomentum { .. })));
    let rho = method(RmsProp { rho: 2.0, ..RmsProp::default() }, Schedule::constant(0.1));
    assert!(descend(&at(1.0), &[], ln, &rho, 1).unwrap_err().to_string().contains("found rho = 2"));
}
