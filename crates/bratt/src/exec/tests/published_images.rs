//! Published numbers for images: the convolution and pooling checks of Stanford's CS231n, assignment 2 (MIT licence;
//! only numbers are taken). Theirs are NCHW, with weights `[co, ci, kh, kw]`.

use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, Padding, Value, Window};
use crate::tensor::Tensor;

/// Evenly spaced numbers, both ends included.
fn linspace(shape: &[usize], first: f64, last: f64) -> Tensor<f64> {
    let count: usize = shape.iter().product();
    Tensor::from_fn(shape, |i| first + (last - first) * i as f64 / (count - 1) as f64)
}

fn evaluate<const N: usize>(
    inputs: [Tensor<f64>; N],
    build: impl FnOnce(&GraphBuilder, [Value; N]) -> Value,
) -> Vec<f64> {
    let g = Graph::builder();
    let names: Vec<String> = (0..N).map(|i| format!("x{i}")).collect();
    let x: [Value; N] = std::array::from_fn(|i| g.input(&names[i], inputs[i].shape()));
    let y = build(&g, x);
    g.output("y", g.transpose(y, &[0, 3, 1, 2]));
    let graph = g.finish().unwrap();
    let given: Vec<(&str, &Tensor<f64>)> = names.iter().map(String::as_str).zip(&inputs).collect();
    let trace = interpret(&graph, &given, &State::new(), Key::default()).unwrap();
    trace.output("y").unwrap().data().to_vec()
}

fn assert_published(found: &[f64], published: &[f64]) {
    assert_eq!(found.len(), published.len());
    for (f, p) in found.iter().zip(published) {
        assert!((f - p).abs() <= 5.1e-9, "found {f}, published {p}");
    }
}

#[test]
fn convolution_of_the_assignment() {
    let x = linspace(&[2, 3, 4, 4], -0.1, 0.5);
    let w = linspace(&[3, 3, 4, 4], -0.2, 0.3);
    let b = linspace(&[3], -0.1, 0.2);
    let found = evaluate([x, w, b], |g, [x, w, b]| {
        let (x, w) = (g.transpose(x, &[0, 2, 3, 1]), g.transpose(w, &[2, 3, 1, 0]));
        g.add(g.conv2d(x, w, &Window::new([4, 4]).stride([2, 2]).padding(Padding::all(1)), 1), b)
    });
    assert_published(
        &found,
        &[
            -0.08759809,
            -0.10987781,
            -0.18387192,
            -0.2109216,
            0.21027089,
            0.21661097,
            0.22847626,
            0.23004637,
            0.50813986,
            0.54309974,
            0.64082444,
            0.67101435,
            -0.98053589,
            -1.03143541,
            -1.19128892,
            -1.24695841,
            0.69108355,
            0.66880383,
            0.59480972,
            0.56776003,
            2.36270298,
            2.36904306,
            2.38090835,
            2.38247847,
        ],
    );
}

#[test]
fn max_pooling_of_the_assignment() {
    let found = evaluate([linspace(&[2, 3, 4, 4], -0.3, 0.4)], |g, [x]| {
        g.max_pool2d(g.transpose(x, &[0, 2, 3, 1]), &Window::new([2, 2]).stride([2, 2]))
    });
    assert_published(
        &found,
        &[
            -0.26315789,
            -0.24842105,
            -0.20421053,
            -0.18947368,
            -0.14526316,
            -0.13052632,
            -0.08631579,
            -0.07157895,
            -0.02736842,
            -0.01263158,
            0.03157895,
            0.04631579,
            0.09052632,
            0.10526316,
            0.14947368,
            0.16421053,
            0.20842105,
            0.22315789,
            0.26736842,
            0.28210526,
            0.32631579,
            0.34105263,
            0.38526316,
            0.4,
        ],
    );
}
