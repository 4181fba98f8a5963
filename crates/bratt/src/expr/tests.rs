//! The language, its numbers, its messages and its pictures.

use super::*;
use crate::graph::Op;
use crate::tensor::Tensor;
use std::collections::BTreeSet;

type Values<'a> = Vec<(&'a str, Tensor<f64>)>;

fn values<'a>(given: &[(&'a str, &str)]) -> Values<'a> {
    given.iter().map(|&(name, text)| (name, literal(text).unwrap())).collect()
}

fn traced(source: &str, given: &[(&str, &str)]) -> Traced {
    let expression = Expression::parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    expression.trace(&values(given), &Options::default()).unwrap_or_else(|e| panic!("{source}: {e}"))
}

fn value(source: &str) -> Vec<f64> {
    traced(source, &[]).result().value.data().to_vec()
}

fn gradient(trace: &Traced, name: &str) -> Option<Vec<f64>> {
    trace.node(name).unwrap().gradient.as_ref().map(|g| g.data().to_vec())
}

fn error(source: &str, given: &[(&str, &str)]) -> ExprError {
    match Expression::parse(source) {
        Err(error) => error,
        Ok(expression) => expression.trace(&values(given), &Options::default()).unwrap_err(),
    }
}

#[test]
fn operators_bind_as_in_mathematics() {
    assert_eq!(value("-3^2"), [-9.0]);
    assert_eq!(value("2^3^2"), [512.0]);
    assert_eq!(value("2^-1"), [0.5]);
    assert_eq!(value("-2 * -3"), [6.0]);
    assert_eq!(value("10 - 4 - 3"), [3.0]);
    assert_eq!(value("16 / 4 / 2"), [2.0]);
    assert_eq!(value("1 + 2 * 3 < 8"), [1.0]);
    assert_eq!(value("[1, 2; 3, 4] @ [1; 1]"), [3.0, 7.0]);
    assert_eq!(value("sum([1, 2; 3, 4], 0)"), [4.0, 6.0]);
    assert_eq!(value("max([1, 5, 2])"), [5.0]);
    assert_eq!(value("a = 3; b = a * a; b + a"), [12.0]);
}

/// What an example reaches, by the name of the operation.
fn reached(source: &str) -> BTreeSet<&'static str> {
    let parsed = parse::parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let built = build::build(source, &parsed, &[], None).unwrap_or_else(|e| panic!("{source}: {e}"));
    built.g.output("y", built.parts[built.result].value);
    built.g.finish().unwrap().nodes().iter().map(|node| name(&node.op)).collect()
}

/// The operation's name. A new operation must be named here, and then be reached by some function's example.
fn name(op: &Op) -> &'static str {
    match op {
        Op::Input { .. } | Op::Slot { .. } | Op::Constant(_) | Op::Iota { .. } | Op::Uniform { .. } => {
            op.name()
        }
        Op::Unary(f) => f.name(),
        Op::Binary(f) => f.name(),
        Op::Select | Op::StopGradient | Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => {
            op.name()
        }
        Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } | Op::Reduce { .. } | Op::ArgReduce { .. } => {
            op.name()
        }
        Op::MatMul { .. }
        | Op::DepthwiseMatMul { .. }
        | Op::Windows { .. }
        | Op::Conv2d { .. }
        | Op::Conv2dInputGradient { .. } => op.name(),
        Op::Conv2dWeightGradient { .. } | Op::MaxPool2d { .. } | Op::MaxPool2dGradient { .. } => op.name(),
        Op::AvgPool2d { .. } | Op::AvgPool2dGradient { .. } => op.name(),
        Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::Standardize { .. } => op.name(),
    }
}

/// The rows of the interpreter's own table of cases are all operations that there are; slots are for networks.
#[test]
fn every_operation_of_the_graph_is_reached_by_a_function() {
    let examples = families().into_iter().flat_map(|(_, functions)| functions);
    let found: BTreeSet<&str> = examples.flat_map(|f| reached(f.example)).collect();
    for (_, cases) in crate::exec::tests::cases::table() {
        for case in cases {
            for node in case.graph().nodes() {
                let name = name(&node.op);
                assert!(found.contains(name) || name == "slot", "no function reaches {name}");
            }
        }
    }
    assert!(found.len() > 45, "{found:?}");
}

#[test]
fn both_executors_agree_on_every_example() {
    for function in families().into_iter().flat_map(|(_, functions)| functions) {
        let expression = Expression::parse(function.example).unwrap();
        let run = |precision| {
            let options = Options { precision, noise: 5, ..Options::default() };
            expression.trace(&[], &options).unwrap_or_else(|e| panic!("{}: {e}", function.example))
        };
        let (exact, fast) = (run(Precision::F64), run(Precision::F32));
        for (a, b) in exact.nodes.iter().zip(&fast.nodes) {
            let pairs = [(Some(&a.value), Some(&b.value)), (a.gradient.as_ref(), b.gradient.as_ref())];
            for (a, b) in pairs {
                assert_eq!(a.is_some(), b.is_some(), "{}", function.example);
                let (Some(a), Some(b)) = (a, b) else { continue };
                for (a, b) in a.data().iter().zip(b.data()) {
                    assert!((a - b).abs() <= 1e-5 * (1.0 + a.abs()), "{}: {a} and {b}", function.example);
                }
            }
        }
    }
}

#[test]
fn gradients_of_every_example_that_has_one_are_the_differences() {
    for function in families().into_iter().flat_map(|(_, functions)| functions) {
        // The operands as names, so that there is something to differentiate.
        let call = parse::parse(function.example).unwrap();
        let (mut source, mut given) = (function.example.to_string(), Vec::new());
        let literals = call.terms.iter().rev().filter_map(|term| match &term.kind {
            Kind::Literal(tensor) if tensor.shape().rank() > 1 => Some((term.span.clone(), tensor.clone())),
            _ => None,
        });
        for (i, (span, tensor)) in literals.enumerate() {
            let name: &str = ["a", "b", "c", "d"][i];
            source.replace_range(span, name);
            given.push((name, tensor));
        }
        let checked = Expression::parse(&source).unwrap().gradcheck(&given, &Options::default(), None);
        let checked = checked.unwrap_or_else(|e| panic!("{source}: {e}"));
        for entry in checked.entries {
            assert!(entry.error < 1e-6, "{source}: {entry:?}");
        }
    }
}

#[test]
fn each_part_has_the_gradient_of_its_own_users() {
    // The same product twice, and a function that computes it inside, are three parts.
    let trace = traced("x * x + 2 * (x * x) + 3 * square(x)", &[("x", "5")]);
    assert_eq!(gradient(&trace, "mul"), Some(vec![1.0]));
    assert_eq!(gradient(&trace, "mul_2"), Some(vec![2.0]));
    assert_eq!(gradient(&trace, "square"), Some(vec![3.0]));
    assert_eq!(gradient(&trace, "x"), Some(vec![60.0]));
    // A sum of a scalar is the scalar, yet not the same part.
    let trace = traced("sum(x) + 4 * x", &[("x", "5")]);
    assert_eq!((gradient(&trace, "sum"), gradient(&trace, "x")), (Some(vec![1.0]), Some(vec![5.0])));
}

#[test]
fn where_there_is_no_gradient_there_is_none() {
    let trace = traced("h = floor(x); k = x * 2; relu(x) * (x > 1) + h", &[("x", "[0.5, 3]")]);
    assert_eq!(gradient(&trace, "k"), None, "the result does not depend on it");
    assert_eq!(gradient(&trace, "x"), Some(vec![0.0, 1.0]), "through relu alone");
    assert_eq!(gradient(&trace, "gt"), Some(vec![0.5, 3.0]));
    assert!(trace.notes.iter().any(|note| note.contains("`x > 1`")), "{:?}", trace.notes);
    assert!(trace.notes.iter().any(|note| note.contains("`floor(x)`")), "{:?}", trace.notes);
    assert_eq!(gradient(&traced("argmax(x)", &[("x", "[1, 2]")]), "x"), None);
    assert_eq!(gradient(&traced("x > 1", &[("x", "[0.5, 3]")]), "x"), None);
}

#[test]
fn through_floor_and_sign_the_gradient_is_zero_and_noted() {
    for function in ["floor", "sign"] {
        let trace = traced(&format!("{function}(2 * x)"), &[("x", "[0.3, -1.7]")]);
        assert_eq!(gradient(&trace, "x"), Some(vec![0.0, 0.0]));
        assert!(trace.notes[0].contains("(2 * x)` is 0"), "{:?}", trace.notes);
    }
    let both = traced("x * floor(x)", &[("x", "2.5")]);
    assert_eq!(gradient(&both, "x"), Some(vec![2.0]), "the other factor's path counts");
    let flat = Expression::parse("floor(x)").unwrap();
    let checked = flat.gradcheck(&[("x", literal("2.5").unwrap())], &Options::default(), None).unwrap();
    assert!(checked.entries.is_empty() && checked.skipped.len() == 1, "nothing is there to compare");
}

#[test]
fn another_output_and_another_seed() {
    let expression = Expression::parse("h = x * x; sum(h)").unwrap();
    let options =
        Options { of: Some("h".into()), seed: Some(literal("[1, 10]").unwrap()), ..Options::default() };
    let trace = expression.trace(&values(&[("x", "[2, 3]")]), &options).unwrap();
    assert_eq!(trace.result().name, "h");
    assert_eq!(gradient(&trace, "x"), Some(vec![4.0, 60.0]));
    assert_eq!(gradient(&trace, "sum"), None);
    let wrong = Options { of: Some("g".into()), ..options };
    assert!(expression.trace(&values(&[("x", "[2, 3]")]), &wrong).unwrap_err().help.is_some());
}

#[test]
fn json_holds_every_number_to_the_last_bit_and_names_what_is_not_finite() {
    let trace = traced("log(x) / 3", &[("x", "[0, 0.1, -1]")]);
    let json: serde_json::Value = serde_json::from_str(&trace.to_json()).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let log = nodes.iter().find(|node| node["name"] == "log").unwrap();
    assert_eq!((&log["value"][0], &log["value"][2]), (&"-inf".into(), &"NaN".into()));
    assert_eq!(log["value"][1].as_f64().unwrap().to_bits(), 0.1f64.ln().to_bits());
    assert_eq!(nodes[0]["shape"], serde_json::json!([3]));
    assert_eq!(nodes[0]["gradient"][0], "inf");
    assert_eq!(json["result"], "div");
}

#[test]
fn what_is_not_finite_is_noted_by_its_cause() {
    let notes = |source: &str, x: &str| traced(source, &[("x", x)]).notes.join("\n");
    assert!(notes("1 / x", "[0, 1]").contains("`1 / x` has inf in 1 of 2 elements: division by zero"));
    assert!(notes("log(x)", "0").contains("logarithm of zero"));
    assert!(notes("log(x)", "-1").contains("logarithm of a negative number"));
    assert!(notes("exp(x)", "1000").contains("overflow"));
    assert!(notes("sqrt(x)", "0").contains("the derivative of `sqrt(x)` is not finite there"));
    assert!(notes("x / x", "0").contains("zero by zero"));
    assert!(notes("x^2", "-3").contains("the exponent in `x^2` is NaN"));
    assert_eq!(notes("x^2", "3") + &notes("exp(x)", "1"), "");
}

#[test]
fn errors_point_at_the_column_and_say_what_to_do() {
    assert_eq!(error("x + ", &[]).column(), Some(5));
    assert_eq!(error("(1 + 2", &[]).column(), Some(7));
    assert_eq!(error("1 + $", &[]).column(), Some(5));
    assert_eq!(error("2 x", &[]).column(), Some(3));
    assert_eq!(error("leaky_relu(x, slop=1)", &[]).help.unwrap(), "did you mean `slope`?");
    let unknown = error("1 + sofmax(x)", &[]);
    assert_eq!((unknown.column(), unknown.help.as_deref()), (Some(5), Some("did you mean `softmax`?")));
    let shapes = error("1 + x @ w", &[("x", "[1, 2; 3, 4]"), ("w", "[1, 2, 3]")]);
    assert_eq!(shapes.column(), Some(5));
    assert!(shapes.message.contains("`x` has shape [2, 2], `w` has shape [3]"), "{shapes}");
    assert!(error("x + 1", &[]).message.contains("`x` has no value"));
    assert!(error("x + 1", &[("x", "1"), ("xx", "2")]).message.contains("`xx` is given"));
    assert!(error("sum(x, axes=2)", &[("x", "[1, 2]")]).to_string().contains("^"));
    assert!(error("reshape(x, [3])", &[("x", "[1, 2]")]).message.contains("[3]"));
    assert!(error("full([1000000000, 8], 1)", &[]).message.contains("at most"));
    assert!(error(&"(".repeat(100_000), &[]).message.contains("more than"));
    assert!(error(&format!("{}x", "-".repeat(9_000)), &[]).message.contains("more than"));
}

#[test]
fn a_long_chain_is_no_trouble() {
    let source = vec!["x"; 3_000].join(" + ");
    let trace = traced(&source, &[("x", "1")]);
    assert_eq!((trace.result().value.data()[0], gradient(&trace, "x")), (3000.0, Some(vec![3000.0])));
}

/// Expressions whose pictures are checked: the lecture's, a wide and a deep one of 30 nodes, tensors, one value used often.
fn pictured() -> Vec<Traced> {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "k", "m", "n", "o", "p", "q", "r"];
    let given: Vec<(&str, &str)> = names.iter().map(|&name| (name, "-1.23456")).collect();
    let pairs: Vec<String> = names.chunks(2).map(|pair| pair.join(" * ")).collect();
    let wide = format!("tanh({})", pairs.join(" + "));
    let deep = (0..9).fold("x".to_string(), |inner, i| format!("{} * ({inner} + x)", i + 2));
    let neuron = [("w0", "2"), ("x0", "-1"), ("w1", "-3"), ("x1", "-2"), ("w2", "-3")];
    let layer =
        [("x", "[1, 2; 3, 4]"), ("w", "[1, -1, 0.5; 0.25, 0.125, 1]"), ("b", "[0, 1, -1]"), ("y", "[0, 2]")];
    let sources = [
        traced("(x + y) * z", &[("x", "-2"), ("y", "5"), ("z", "-4")]),
        traced("1 / (1 + exp(-1 * (w0*x0 + w1*x1 + w2)))", &neuron),
        traced("h = relu(x @ w + b); softmax_cross_entropy(h, y)", &layer),
        traced(&wide, &given),
        traced(&deep, &[("x", "1e-7")]),
        traced("max(x*y, x*z) + min(y*z, x) * x - y / z", &[("x", "3"), ("y", "-4"), ("z", "2.5")]),
    ];
    sources.into()
}

#[test]
fn no_label_lies_upon_another() {
    let all = pictured();
    assert!(
        all.iter().any(|trace| trace.nodes.len() >= 30),
        "{:?}",
        all.iter().map(|t| t.nodes.len()).collect::<Vec<_>>()
    );
    for trace in all {
        let drawing = draw(&trace);
        let expected = trace.nodes.iter().filter(|node| node.gradient.is_some()).count();
        assert!(drawing.labels.len() > 2 * expected - trace.nodes.len());
        for (i, label) in drawing.labels.iter().enumerate() {
            assert!(label.x >= 0.0 && label.x + label.width <= drawing.width, "{}: {label:?}", trace.source);
            assert!(
                label.y >= 0.0 && label.y + label.height <= drawing.height,
                "{}: {label:?}",
                trace.source
            );
            for other in &drawing.labels[..i] {
                assert!(!label.overlaps(other), "{}: {label:?} and {other:?}", trace.source);
            }
        }
    }
}

#[test]
fn a_picture_holds_the_numbers_and_escapes_the_text() {
    let trace = traced("(x < 3) * x", &[("x", "1.5")]);
    let drawing = draw(&trace);
    assert!(drawing.svg.contains("class=\"f\"") && drawing.svg.contains(">1.5</text>"));
    assert!(drawing.svg.contains("(x &lt; 3)") && !drawing.svg.contains("(x < 3)"));
    assert_eq!(drawing, draw(&trace), "the same picture each time");
    assert!(page(&trace).contains("prefers-color-scheme:dark") && page(&trace).contains("<svg"));
}
