//! What a user who errs is told.

use crate::exec::gradcheck::{GradcheckError, gradcheck};
use crate::exec::interpret::{InterpretError, Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, GraphError, Init, Op, Padding, Role, SlotId, Window};
use crate::tensor::{Shape, Tensor};

/// The error of a graph built by `build`.
fn error(build: impl FnOnce(&GraphBuilder)) -> GraphError {
    let g = Graph::builder();
    build(&g);
    g.finish().unwrap_err()
}

#[test]
fn a_shape_error_names_layer_operation_shapes_and_this_line() {
    let (mut line, mut found) = (0, None);
    found.replace(error(|g| {
        let x = g.input("x", [128, 784]);
        let w = g.input("w", [512, 10]);
        let _ = g.layer("fc1", || {
            line = line!() + 1;
            g.matmul(x, w)
        });
    }));
    let e = found.unwrap();
    assert_eq!((e.layer.as_str(), e.op.as_str(), e.line), ("fc1", "matmul", line));
    assert!(e.file.ends_with("errors.rs"), "{}", e.file);
    let text = e.to_string();
    for part in ["layer `fc1`", "matmul", "[128, 784]", "[512, 10]", "784 is not 512", "errors.rs"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

fn ignore<T>(_: T) {}

/// Each faulty call with what its message must hold; all are at a line of this file.
#[test]
fn every_builder_method_reports_the_callers_line() {
    type Faulty = (&'static str, fn(&GraphBuilder));
    let table: &[Faulty] = &[
        ("[2] and again with [3]", |g| {
            g.input("x", [2]);
            g.input("x", [3]);
        }),
        ("`w` is declared twice", |g| {
            g.slot("w", [2], Role::Parameter, Init::Constant(0.0));
            g.slot("w", [2], Role::Parameter, Init::Constant(0.0));
        }),
        ("found shape [3], expected [2] for slot `w`", |g| {
            let (w, _) = g.slot("w", [2], Role::Parameter, Init::Constant(0.0));
            g.update(w, g.input("x", [3]));
        }),
        ("updated twice", |g| {
            let (w, v) = g.slot("w", [2], Role::Parameter, Init::Constant(0.0));
            g.update(w, v);
            g.update(w, v);
        }),
        ("`y` is declared twice", |g| {
            g.output("y", g.constant(1.0));
            g.output("y", g.constant(2.0));
        }),
        ("[2], [3]", |g| ignore(g.add(g.input("a", [2]), g.input("b", [3])))),
        ("[2], [1], [3]", |g| {
            let condition = g.input("c", [2]);
            g.select(condition, g.input("a", [1]), g.input("b", [3]));
        }),
        ("[2, 3]", |g| ignore(g.broadcast(g.input("a", [2, 3]), [3]))),
        ("6 elements, expected 5", |g| ignore(g.reshape(g.input("a", [2, 3]), [5]))),
        ("permutation of the 2 axes", |g| ignore(g.transpose(g.input("a", [2, 3]), &[0, 0]))),
        ("inside shape [4]", |g| ignore(g.slice(g.input("a", [4]), &[2], &[5]))),
        ("expected 1 for shape [4]", |g| ignore(g.pad(g.input("a", [4]), &[2, 1], &[0, 0], 0.0))),
        ("every axis but 0", |g| {
            let a = g.input("a", [2, 3]);
            g.concat(&[a, g.input("b", [2, 4])], 0);
        }),
        ("at least one", |g| ignore(g.concat(&[], 0))),
        ("distinct axes of shape [4]", |g| ignore(g.sum(g.input("a", [4]), &[1]))),
        ("distinct axes of shape [4]", |g| ignore(g.mean(g.input("a", [4]), &[0, 0]))),
        ("found shape [2, 0], expected at least one element", |g| ignore(g.input("a", [2, 0]))),
        ("at least one element", |g| {
            g.slot("w", [0], Role::Parameter, Init::Constant(0.0));
        }),
        ("at least one element", |g| ignore(g.slice(g.input("a", [4]), &[2], &[2]))),
        ("at least one element", |g| ignore(g.broadcast(g.scalar("a"), [0]))),
        ("7 axes, expected at most 6", |g| ignore(g.input("a", [1, 2, 1, 2, 1, 2, 1]))),
        ("7 axes, expected at most 6", |g| ignore(g.broadcast(g.scalar("a"), [2; 7]))),
        ("more elements than any memory", |g| ignore(g.iota([usize::MAX, 2], 0))),
        ("more elements than any memory", |g| ignore(g.reshape(g.input("a", [4]), [usize::MAX, 2]))),
        ("more elements than any memory", |g| ignore(g.pad(g.input("a", [4]), &[usize::MAX], &[1], 0.0))),
        ("which has 1 axes", |g| ignore(g.softmax(g.input("a", [4]), 1))),
        ("which has 0 axes", |g| ignore(g.cross_entropy(g.scalar("a"), g.scalar("b")))),
        ("one label per row", |g| ignore(g.gather(g.input("a", [4, 3]), g.input("l", [3])))),
        ("found no axes", |g| ignore(g.standardize(g.input("a", [2, 3]), &[], 1e-5))),
        ("expected at least 0", |g| ignore(g.standardize(g.input("a", [2, 3]), &[0], -1.0))),
        ("expected two matrices", |g| ignore(g.matmul(g.input("a", [2]), g.input("b", [2, 3])))),
        ("so many times 4 channels", |g| {
            ignore(g.depthwise_matmul(g.input("a", [2, 9]), false, g.input("b", [2, 4])));
        }),
        ("expected 3 rows of the second", |g| {
            ignore(g.depthwise_matmul(g.input("a", [2, 12]), false, g.input("b", [2, 4])));
        }),
        ("expected images [n, height", |g| {
            ignore(g.max_pool2d(g.input("a", [2, 3]), &Window::new([2, 2])));
        }),
        ("expected images [n, height", |g| ignore(g.windows(g.scalar("a"), &Window::new([2, 2])))),
        ("expected images [n, height", |g| ignore(g.global_avg_pool2d(g.input("a", [2, 3])))),
        ("found kernel [0, 2], expected at least 1", |g| {
            ignore(g.avg_pool2d(g.input("a", [1, 4, 4, 1]), &Window::new([0, 2])));
        }),
        ("found stride [2, 0], expected at least 1", |g| {
            ignore(g.windows(g.input("a", [1, 4, 4, 1]), &Window::new([1, 1]).stride([2, 0])));
        }),
        ("3 along the width, expected at least the window's 5", |g| {
            let window = Window::new([1, 3]).dilation([1, 2]);
            g.conv2d(g.input("a", [1, 4, 3, 1]), g.input("w", [1, 3, 1, 1]), &window, 1);
        }),
        ("found weights [3, 2, 1, 1], expected [2, 3, input channels / groups", |g| {
            g.conv2d(g.input("a", [1, 4, 4, 1]), g.input("w", [3, 2, 1, 1]), &Window::new([2, 3]), 1);
        }),
        ("4 channels and weights [1, 1, 1, 2], expected 1 channels for each of 2 groups", |g| {
            g.conv2d(g.input("a", [1, 4, 4, 4]), g.input("w", [1, 1, 1, 2]), &Window::new([1, 1]), 2);
        }),
        ("expected a multiple of 2 groups", |g| {
            g.conv2d(g.input("a", [1, 4, 4, 4]), g.input("w", [1, 1, 2, 3]), &Window::new([1, 1]), 2);
        }),
        ("found 0 groups", |g| {
            g.conv2d(g.input("a", [1, 4, 4, 4]), g.input("w", [1, 1, 2, 3]), &Window::new([1, 1]), 0);
        }),
        ("shape [1, 4, 4, 2], expected [1, 3, 3, 2]", |g| {
            let (dy, w) = (g.input("dy", [1, 4, 4, 2]), g.input("w", [2, 2, 3, 2]));
            g.conv2d_input_gradient(dy, w, &Window::new([2, 2]), 1, [4, 4]);
        }),
        ("shape [1, 2, 4, 2], expected [1, 3, 3, 2]", |g| {
            let (x, dy) = (g.input("x", [1, 4, 4, 2]), g.input("dy", [1, 2, 4, 2]));
            g.conv2d_weight_gradient(x, dy, &Window::new([2, 2]), 1);
        }),
        ("expected dilation 1", |g| {
            ignore(g.max_pool2d(g.input("a", [1, 4, 4, 1]), &Window::new([2, 2]).dilation([2, 1])));
        }),
        ("expected less than the kernel", |g| {
            let window = Window::new([2, 2]).padding(Padding::all(2));
            g.max_pool2d(g.input("a", [1, 4, 4, 1]), &window);
        }),
        ("expected a probability", |g| ignore(g.dropout_inverted(g.input("a", [2]), 0.0))),
        ("divisible by 2", |g| ignore(g.maxout(g.input("a", [2, 3]), 2))),
        ("which has 1 axes", |g| ignore(g.iota([3], 1))),
        ("take a sum or mean", |g| ignore(g.gradients_of(g.input("a", [2]), &[]))),
        ("does not depend on `b`", |g| {
            let (a, b) = (g.scalar("a"), g.scalar("b"));
            g.gradients(g.square(a), [b]);
        }),
        ("upstream gradient of shape []", |g| {
            let a = g.input("a", [2]);
            g.vector_jacobian(g.square(a), g.constant(1.0), &[a]);
        }),
        ("value of another graph", |g| {
            let other = Graph::builder();
            let a = other.add(other.scalar("a"), other.scalar("b"));
            g.exp(a);
        }),
        ("value of another graph", |g| {
            let other = Graph::builder();
            g.output("y", other.scalar("a"));
        }),
    ];
    let last = line!();
    for (part, build) in table {
        let e = error(build);
        assert!(e.problem.contains(part), "expected `{part}` in: {e}");
        assert!(e.file.ends_with("errors.rs") && e.line < last, "`{part}`: {}:{}", e.file, e.line);
    }
}

#[test]
fn the_first_error_is_the_one_reported() {
    let e = error(|g| {
        let bad = g.matmul(g.input("a", [2, 3]), g.input("b", [2, 3]));
        let worse = g.reshape(g.add(bad, bad), [17, 4]);
        g.output("y", g.sum_all(worse));
        g.matmul(g.input("c", [5, 5]), g.input("d", [6, 6]));
    });
    assert!(e.problem.contains("[2, 3] times [2, 3]"), "{e}");
}

#[test]
fn what_has_no_gradient_says_so() {
    type Piecewise = fn(&GraphBuilder, crate::graph::Value) -> crate::graph::Value;
    let table: &[(&str, Piecewise)] = &[
        ("through argmax []: an index", |g, x| g.argmax(x, 0)),
        ("through lt", |g, x| g.sum_all(g.lt(x, g.constant(0.5)))),
        ("through select", |g, x| g.sum_all(g.select(x, g.constant(1.0), x))),
        ("through floor", |g, x| g.sum_all(g.floor(x))),
        ("through sign", |g, x| g.sum_all(g.sign(x))),
        ("through eq", |g, x| g.sum_all(g.mul(x, g.one_hot(g.sum_all(x), 3)))),
    ];
    for (part, build) in table {
        let e = error(|g| {
            let x = g.input("x", [3]);
            g.gradients(build(g, x), [x]);
        });
        assert!(e.problem.contains("no gradient of `x`"), "{e}");
        assert!(e.problem.contains("stop_gradient"), "{e}");
        let operation = part.split(':').next().unwrap().split(" [").next().unwrap();
        assert!(e.problem.contains(operation), "expected `{operation}` in: {e}");
    }
}

#[test]
fn an_undefined_gradient_of_a_constant_part_is_no_error() {
    let g = Graph::builder();
    let (x, t) = (g.input("x", [3]), g.input("t", [3]));
    let [dx] = g.gradients(g.sum_all(g.mul(x, g.floor(t))), [x]);
    g.output("dx", dx);
    assert!(g.finish().is_ok());
}

#[test]
fn stop_gradient_makes_the_undefined_a_constant() {
    let g = Graph::builder();
    let x = g.input("x", [2]);
    let gate = g.stop_gradient(g.gt(x, g.constant(0.0)));
    let y = g.sum_all(g.select(gate, g.mul(x, g.add(x, gate)), g.floor(g.stop_gradient(x))));
    let [dx] = g.gradients(y, [x]);
    let [ddx] = g.gradients(g.sum_all(g.square(dx)), [x]);
    g.output("ddx", ddx);
    let graph = g.finish().unwrap();
    let x = Tensor::new([2], vec![3.0, -2.0]).unwrap();
    let trace = interpret(&graph, &[("x", &x)], &State::new(), Key::default()).unwrap();
    // dx = 2x + 1 where x > 0, so the derivative of its square is 4 (2x + 1) there.
    assert_eq!(trace.output("ddx").unwrap().data(), [28.0, 0.0]);
}

#[test]
fn stop_gradient_gives_zeros() {
    let g = Graph::builder();
    let x = g.input("x", [2]);
    let [only, partly] =
        [g.stop_gradient(g.exp(x)), g.mul(x, g.stop_gradient(x))].map(|y| g.gradients(g.sum_all(y), [x])[0]);
    g.output("only", only);
    g.output("partly", partly);
    let graph = g.finish().unwrap();
    let x = Tensor::new([2], vec![3.0, -2.0]).unwrap();
    let trace = interpret(&graph, &[("x", &x)], &State::new(), Key::default()).unwrap();
    assert_eq!(trace.output("only").unwrap().data(), [0.0, 0.0]);
    assert_eq!(trace.output("partly").unwrap().data(), [3.0, -2.0]);
}

#[test]
fn the_interpreter_names_what_does_not_fit() {
    let g = Graph::builder();
    let (x, (_, w)) = (g.input("x", [2]), g.slot("fc.w", [3], Role::Parameter, Init::Constant(0.0)));
    g.output("y", g.concat(&[x, w], 0));
    let graph = g.finish().unwrap();
    let (x, w) = (Tensor::zeros([2]), Tensor::<f64>::zeros([3]));
    let state = State::from([("fc.w".to_string(), w.clone())]);
    let run = |inputs: &[(&str, &Tensor<f64>)], state: &State| {
        interpret(&graph, inputs, state, Key::default()).map(|_| ())
    };
    assert_eq!(run(&[("x", &x)], &state), Ok(()));
    let text = |e: Result<(), InterpretError>| e.unwrap_err().to_string();
    assert_eq!(text(run(&[], &state)), "input `x` of shape [2] is missing");
    let unknown = text(run(&[("x", &x), ("z", &x)], &state));
    assert_eq!(unknown, "input `z` is unknown; the graph's inputs are `x`");
    assert_eq!(text(run(&[("x", &x), ("x", &x)], &state)), "input `x` is given twice");
    assert_eq!(text(run(&[("x", &w)], &state)), "input `x`: found shape [3], expected [2]");
    assert_eq!(text(run(&[("x", &x)], &State::new())), "slot `fc.w` of shape [3] is missing from the state");
    let wrong = State::from([("fc.w".to_string(), x.clone())]);
    assert_eq!(text(run(&[("x", &x)], &wrong)), "slot `fc.w`: found shape [2], expected [3]");
}

#[test]
fn gradcheck_names_what_it_does_not_know() {
    let g = Graph::builder();
    let x = g.scalar("x");
    g.output("y", g.exp(x));
    let graph = g.finish().unwrap();
    let at = Tensor::scalar(1.0);
    let check = |output, of| gradcheck(&graph, output, &[of], &[("x", &at)], &State::new());
    assert!(check("y", "x").is_ok());
    assert!(matches!(check("z", "x"), Err(GradcheckError::UnknownOutput { .. })));
    assert!(matches!(check("y", "w"), Err(GradcheckError::UnknownVariable { .. })));
}

#[test]
fn verify_finds_what_a_pass_may_break() {
    let g = Graph::builder();
    let (x, (w, v)) = (g.input("x", [2, 3]), g.slot("w", [3], Role::Parameter, Init::Constant(0.0)));
    let y = g.add(x, v);
    g.output("y", y);
    g.update(w, g.sum(y, &[0]));
    let graph = g.finish().unwrap();
    assert_eq!(graph.verify(), Ok(()));
    type Breakage = (&'static str, fn(&mut Graph));
    let table: &[Breakage] = &[
        ("before it is computed", |g| g.nodes.swap(0, 3)),
        ("should be [2, 3]", |g| g.nodes[0].shape = [3, 2].into()),
        ("should be", |g| g.inputs[0].shape = [7].into()),
        ("output `y` has no node", |g| g.nodes.truncate(3)),
        ("does not have its shape", |g| g.slots[0].shape = Shape::scalar()),
        ("unknown slot", |g| g.updates[0].0 = SlotId(9)),
        ("add", |g| g.nodes[3].op = Op::Select),
    ];
    for (part, damage) in table {
        let mut damaged = graph.clone();
        damage(&mut damaged);
        let problem = damaged.verify();
        assert!(problem.is_err(), "{part} passed");
        if *part != "add" && *part != "does not have its shape" {
            let problem = problem.unwrap_err();
            assert!(problem.contains(part), "expected `{part}` in: {problem}");
        }
    }
}
