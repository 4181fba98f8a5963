//! Every case: forward against its closed form, gradients and second derivatives against differences.

use super::cases::{Case, row, table};
use crate::exec::gradcheck::{GradcheckError, Report, gradcheck};
use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, Value};
use crate::tensor::Tensor;

const TOLERANCE: f64 = 1e-6;

fn borrowed(inputs: &[(String, Tensor<f64>)]) -> Vec<(&str, &Tensor<f64>)> {
    inputs.iter().map(|(name, t)| (name.as_str(), t)).collect()
}

fn check(
    graph: &Graph,
    output: &str,
    case: &Case,
    extra: &[(&str, &Tensor<f64>)],
) -> Result<Report, GradcheckError> {
    let names: Vec<String> = case.smooth.iter().map(|&i| Case::argument(i)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (inputs, state) = case.point();
    let mut inputs = borrowed(&inputs);
    inputs.extend(extra);
    gradcheck(graph, output, &names, &inputs, &state)
}

/// The forward value against the closed form, to a few roundings.
pub(super) fn forward_agrees(case: &Case) {
    let graph = case.graph();
    graph.verify().unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let (inputs, state) = case.point();
    let trace = interpret(&graph, &borrowed(&inputs), &state, Key::default()).unwrap();
    let found = trace.output("y").unwrap();
    assert_eq!(found.shape(), &graph.node(graph.output("y").unwrap()).shape, "{}", case.name);
    if let Some(expected) = &case.expected {
        assert_eq!(found.data().len(), expected.len(), "{}", case.name);
        for (i, (f, e)) in found.data().iter().zip(expected).enumerate() {
            let close = f == e || (f - e).abs() <= 1e-14 * (1.0 + e.abs());
            assert!(close, "{} at {i}: found {f}, expected {e}", case.name);
        }
    }
}

/// First derivatives by differences; arguments without a gradient refuse one.
pub(super) fn gradients_agree(case: &Case) {
    let graph = case.graph();
    let report = check(&graph, "y", case, &[]).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    assert!(report.largest_error() <= TOLERANCE, "{}\n{report}", case.name);
    for i in (0..case.arguments.len()).filter(|i| !case.smooth.contains(i)) {
        let (inputs, state) = case.point();
        let refused = gradcheck(&graph, "y", &[&Case::argument(i)], &borrowed(&inputs), &state);
        let Err(GradcheckError::Graph(error)) = refused else {
            panic!("{}: expected no gradient of argument {i}, found {refused:?}", case.name)
        };
        assert!(error.problem.contains("no gradient"), "{}: {error}", case.name);
    }
}

/// A scalar of all first derivatives, so that its gradient holds every second derivative: the inner product of the
/// gradients with fixed weights. The squares make it depend on every argument, also where y is linear.
fn of_first_derivatives(g: &GraphBuilder, xs: &[Value], y: Value) -> Value {
    let seed = g.input("seed", g.shape(y));
    let mut total = g.constant(0.0);
    for (i, (&x, dx)) in xs.iter().zip(g.vector_jacobian(y, seed, xs)).enumerate() {
        let weights = g.add(g.uniform(g.shape(x), 1_000_000), g.constant(1.0 + i as f64));
        total = g.add(total, g.sum_all(g.mul(dx, weights)));
        total = g.add(total, g.sum_all(g.square(x)));
    }
    total
}

pub(super) fn second_derivatives_agree(case: &Case) {
    if case.smooth.is_empty() {
        return;
    }
    let g = Graph::builder();
    let (x, y) = case.write(&g);
    let smooth: Vec<Value> = case.smooth.iter().map(|&i| x[i]).collect();
    let total = of_first_derivatives(&g, &smooth, y);
    let seed = super::cases::real(g.shape(y), 77);
    g.output("total", total);
    let graph = g.finish().unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let report =
        check(&graph, "total", case, &[("seed", &seed)]).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    assert!(report.largest_error() <= TOLERANCE, "second derivatives of {}\n{report}", case.name);
}

#[test]
fn every_row_holds_its_operation() {
    for (name, cases) in table() {
        assert!(!cases.is_empty(), "no case for {name}");
        for case in cases {
            let graph = case.graph();
            assert!(graph.nodes().iter().any(|n| row(&n.op) == name), "{}: {name} does not occur", case.name);
        }
    }
}

#[test]
fn forward_values_are_the_closed_forms() {
    table().iter().flat_map(|(_, cases)| cases).for_each(forward_agrees);
}

#[test]
fn gradients_are_the_differences() {
    table().iter().flat_map(|(_, cases)| cases).for_each(gradients_agree);
}

#[test]
fn second_derivatives_are_the_differences() {
    table().iter().flat_map(|(_, cases)| cases).for_each(second_derivatives_agree);
}

#[test]
fn a_wrong_gradient_is_found_and_placed() {
    let g = Graph::builder();
    let x = g.input("x", [2]);
    g.output("y", g.abs(g.sub(x, g.constant(1.0))));
    let graph = g.finish().unwrap();
    let check = |x: [f64; 2]| {
        let x = Tensor::new([2], x.to_vec()).unwrap();
        gradcheck(&graph, "y", &["x"], &[("x", &x)], &State::new()).unwrap()
    };
    assert!(check([0.5, 3.0]).largest_error() < 1e-9);
    // The kink of |x - 1| is closer than any step can resolve.
    let report = check([0.5, 1.0 + 1e-9]);
    assert!(report.largest_error() > 0.1, "{report}");
    assert_eq!(report.entries[0].place, [1]);
    assert!(report.to_string().contains("[1]"), "{report}");
}
