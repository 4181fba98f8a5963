//! Convolution and pooling, compiled every way, against the interpreter; equal bits on any number of threads.

use super::shapes::agrees;
use super::{Machine, Options, run, same_bits};
use crate::exec::tests::images::{geometries, pools};
use crate::graph::{Graph, Init, Padding, Role, Window};
use crate::nn::Task;

#[test]
fn convolutions_and_their_gradients_agree_with_the_interpreter() {
    for of in geometries() {
        agrees(|g| {
            let (x, w) = (g.input("x", of.images()), g.input("w", of.weights()));
            let y = g.conv2d(x, w, &of.window, of.groups);
            let dy = g.input("dy", of.results());
            let [dx, dw] = g.vector_jacobian(y, dy, &[x, w])[..] else { return };
            // Of second order: what the gradients' own gradients give back.
            let both = g.add(g.sum_all(g.square(dx)), g.sum_all(g.square(dw)));
            let second = g.gradients(both, [x, w, dy]);
            let named = [
                ("y", y),
                ("dx", dx),
                ("dw", dw),
                ("ddx", second[0]),
                ("ddw", second[1]),
                ("ddy", second[2]),
            ];
            for (name, value) in named {
                g.output(name, value);
            }
        });
    }
}

/// Large enough for Winograd's transforms, forward and for the gradient of the images, and for slices of the gradient of
/// the weights; with a stride, pixels of the result are spread.
#[test]
fn convolutions_of_many_images_agree_with_the_interpreter() {
    for stride in [1, 2] {
        agrees(|g| {
            let (x, w) = (g.input("x", [16, 8, 8, 16]), g.input("w", [3, 3, 16, 16]));
            let window = Window::new([3, 3]).stride([stride; 2]).padding(Padding::all(1));
            let y = g.tanh(g.mul(g.conv2d(x, w, &window, 1), g.constant(0.1)));
            let [dx, dw] = g.vector_jacobian(y, g.exp(y), &[x, w])[..] else { return };
            for (name, value) in [("y", y), ("dx", dx), ("dw", dw)] {
                g.output(name, value);
            }
        });
    }
}

#[test]
fn pooling_and_its_gradients_agree_with_the_interpreter() {
    for (shape, window) in pools() {
        agrees(|g| {
            let x = g.input("x", shape);
            for (name, y) in [("max", g.max_pool2d(x, &window)), ("avg", g.avg_pool2d(x, &window))] {
                let dx = g.vector_jacobian(y, g.exp(y), &[x])[0];
                let [second] = g.gradients(g.sum_all(g.square(dx)), [x]);
                g.output(name, y);
                g.output(&format!("{name}/dx"), dx);
                g.output(&format!("{name}/second"), second);
            }
            g.output("global", g.global_avg_pool2d(x));
        });
    }
}

#[test]
fn ties_of_max_pooling_agree_with_the_interpreter() {
    for window in [Window::new([2, 2]), Window::new([3, 2]).stride([2, 1]).padding(Padding::all(1))] {
        agrees(|g| {
            let x = g.input("x", [2, 5, 5, 3]);
            let few = g.stop_gradient(g.floor(x));
            let y = g.max_pool2d(few, &window);
            g.output("dx", g.vector_jacobian(y, g.exp(y), &[few])[0]);
        });
    }
}

/// A step of plain gradient descent on a small convolutional network.
fn step() -> Graph {
    let g = Graph::builder();
    let (x, labels) = (g.input("x", [9, 14, 13, 3]), g.input("labels", [9]));
    let slot = |name: &str, shape: &[usize]| g.slot(name, shape, Role::Parameter, Init::Normal(0.1));
    let slots =
        [slot("conv1", &[3, 3, 3, 20]), slot("depthwise", &[3, 3, 1, 20]), slot("conv2", &[5, 3, 10, 6])];
    let w = slots.map(|(_, value)| value);
    let y = g.relu(g.conv2d(x, w[0], &Window::new([3, 3]).same(14, 13), 1));
    let y = g.max_pool2d(y, &Window::new([3, 3]).stride([2, 2]));
    let y = g.conv2d(y, w[1], &Window::new([3, 3]).padding(Padding::all(1)), 20);
    let y = g.avg_pool2d(g.tanh(y), &Window::new([2, 2]));
    let y = g.conv2d(y, w[2], &Window::new([5, 3]).stride([1, 2]), 2);
    let loss = Task::Classify.loss(&g, g.global_avg_pool2d(y), labels);
    for ((id, before), dw) in slots.into_iter().zip(g.gradients(loss, w)) {
        g.update(id, g.sub(before, g.mul(dw, g.constant(0.5))));
    }
    g.output("loss", loss);
    g.finish().expect("a valid graph")
}

#[test]
fn a_convolutional_network_gives_the_same_bits_on_any_number_of_threads() {
    same_bits(&step());
}

#[test]
fn a_convolutional_network_learns() {
    let (losses, _) = run(&step(), &Options::default(), &Machine::new(2), 30);
    assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
}
