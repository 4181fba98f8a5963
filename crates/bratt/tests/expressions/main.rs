//! Expressions beside numbers from elsewhere: what PyTorch computes for every function (`cases.json`, by `make.py`),
//! and the circuits of the lecture. Everything is read back from the JSON that `trace --json` prints.

use bratt::expr::{Expression, Options, Precision, literal};
use bratt::tensor::Tensor;
use serde_json::Value;

const CASES: &str = include_str!("cases.json");

fn numbers(list: &Value) -> Vec<f64> {
    let number = |x: &Value| match x.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        Some("NaN") => f64::NAN,
        _ => x.as_f64().expect("a number"),
    };
    list.as_array().expect("a list").iter().map(number).collect()
}

fn node<'a>(trace: &'a Value, name: &Value) -> &'a Value {
    let nodes = trace["nodes"].as_array().expect("nodes");
    nodes.iter().find(|node| node["name"] == *name).unwrap_or_else(|| panic!("no node {name}"))
}

fn traced(source: &str, values: &[(&str, Tensor<f64>)], precision: Precision) -> Value {
    let expression = Expression::parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let options = Options { precision, ..Options::default() };
    let trace = expression.trace(values, &options).unwrap_or_else(|e| panic!("{source}: {e}"));
    serde_json::from_str(&trace.to_json()).expect("JSON")
}

fn same(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    // What is small beside the largest is compared with that.
    let scale = expected.iter().fold(1.0f64, |scale, x| scale.max(x.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let room = if tolerance < 1e-6 { 1.0 + e.abs() } else { scale };
        assert!(f == e || (f - e).abs() <= tolerance * room, "{what} at {i}: found {f}, expected {e}");
    }
}

fn all_cases_agree(precision: Precision, tolerance: f64) {
    let all: Value = serde_json::from_str(CASES).expect("cases");
    for case in all["cases"].as_array().expect("cases") {
        let source = case["expression"].as_str().expect("an expression");
        let inputs = case["inputs"].as_object().expect("inputs");
        let shape = |x: &Value| -> Vec<usize> { numbers(&x["shape"]).iter().map(|&d| d as usize).collect() };
        let values: Vec<(&str, Tensor<f64>)> = inputs
            .iter()
            .map(|(name, x)| (name.as_str(), Tensor::new(shape(x), numbers(&x["value"])).expect("a tensor")))
            .collect();
        let trace = traced(source, &values, precision);
        let result = node(&trace, &trace["result"]);
        assert_eq!(result["shape"], case["shape"], "{source}");
        same(&numbers(&result["value"]), &numbers(&case["value"]), tolerance, source);
        for (name, x) in inputs {
            let found = &node(&trace, &name.as_str().into())["gradient"];
            match &x["gradient"] {
                Value::Null => {}
                expected => {
                    same(&numbers(found), &numbers(expected), tolerance, &format!("{source}, of {name}"))
                }
            }
        }
    }
}

#[test]
fn the_interpreter_agrees_with_pytorch_on_every_function() {
    all_cases_agree(Precision::F64, 1e-12);
}

#[test]
fn the_executor_agrees_with_pytorch_on_every_function() {
    all_cases_agree(Precision::F32, 1e-5);
}

/// cs231n, notes on backpropagation (optimization-2): f = (x + y) z.
#[test]
fn the_circuit_of_the_lecture_has_its_printed_numbers() {
    let values = [("x", -2.0), ("y", 5.0), ("z", -4.0)].map(|(name, x)| (name, Tensor::scalar(x)));
    let trace = traced("(x + y) * z", &values, Precision::F64);
    let gradient = |name: &str| numbers(&node(&trace, &name.into())["gradient"]);
    assert_eq!(numbers(&node(&trace, &trace["result"])["value"]), [-12.0]);
    assert_eq!(["x", "y", "z", "add"].map(|name| gradient(name)[0]), [-4.0, -4.0, 3.0, -4.0]);
}

/// cs231n, notes on backpropagation: the sigmoid neuron. Printed there: output 0.73, gradients of w -0.2, -0.39, 0.2.
#[test]
fn the_sigmoid_neuron_of_the_lecture_has_its_printed_numbers() {
    let given = [("w0", 2.0), ("x0", -1.0), ("w1", -3.0), ("x1", -2.0), ("w2", -3.0)];
    let values = given.map(|(name, x)| (name, Tensor::scalar(x)));
    for source in ["sigmoid(w0*x0 + w1*x1 + w2)", "1 / (1 + exp(-1 * (w0*x0 + w1*x1 + w2)))"] {
        let trace = traced(source, &values, Precision::F64);
        let value = numbers(&node(&trace, &trace["result"])["value"])[0];
        let rounded = |name: &str| (numbers(&node(&trace, &name.into())["gradient"])[0] * 100.0).round();
        assert_eq!((value * 100.0).round(), 73.0);
        assert_eq!(
            ["w0", "x0", "w1", "x1", "w2"].map(rounded),
            [-20.0, 39.0, -39.0, -59.0, 20.0],
            "{source}"
        );
    }
}

/// The lecture's cost of linear regression at theta = 0, Machine Learning (Stanford, Coursera), exercise 1: the first
/// three rows of ex1data1.csv.
#[test]
fn a_cost_of_a_few_rows_by_hand() {
    let x = literal("[1, 6.1101; 1, 5.5277; 1, 8.5186]").unwrap();
    let y = literal("[17.592; 9.1302; 13.662]").unwrap();
    let trace = traced(
        "linear_cost(x @ w, y)",
        &[("x", x), ("y", y), ("w", literal("[0; 0]").unwrap())],
        Precision::F64,
    );
    let expected = (17.592f64.powi(2) + 9.1302f64.powi(2) + 13.662f64.powi(2)) / 6.0;
    same(&numbers(&node(&trace, &trace["result"])["value"]), &[expected], 1e-14, "cost");
    let slope = -(17.592 + 9.1302 + 13.662) / 3.0;
    let tilt = -(6.1101 * 17.592 + 5.5277 * 9.1302 + 8.5186 * 13.662) / 3.0;
    same(&numbers(&node(&trace, &"w".into())["gradient"]), &[slope, tilt], 1e-14, "gradient");
}
