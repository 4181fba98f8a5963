//! Residual networks, compiled every way, against the interpreter; equal bits on any number of threads.

use super::{Machine, Options, run, same_bits, steps_agree};
use crate::graph::Graph;
use crate::nn::{Conv2d, Input, Mode, Parameters, Sequential, Shortcut, Task};

/// All kinds of shortcuts, grouped and depthwise convolutions, batch norm and ReLU6.
fn network() -> Sequential {
    let halving = |f: Sequential, channels| {
        f.layer(Conv2d { stride: 2.into(), ..Conv2d::new(channels, 3) }).batch_norm()
    };
    Sequential::new(Input::image(9, 8, 3))
        .conv(6, 3)
        .batch_norm()
        .relu()
        .residual(Shortcut::Identity, |f| f.conv(6, 3).batch_norm().relu().conv(6, 3).batch_norm())
        .relu()
        .residual(Shortcut::Subsample, |f| halving(f, 10).relu().conv(10, 3).batch_norm())
        .relu()
        .residual_with(|s| halving(s, 12), |f| halving(f.conv(20, 1).batch_norm().relu6(), 12))
        .residual(Shortcut::Identity, |f| {
            let depthwise = Conv2d { groups: 24, ..Conv2d::new(24, 3) };
            f.conv(24, 1).batch_norm().relu6().layer(depthwise).batch_norm().relu6().conv(12, 1).batch_norm()
        })
        .global_average_pool()
        .dense(3)
}

/// A step of plain gradient descent.
fn step() -> Graph {
    let g = Graph::builder();
    let (x, labels) = (g.input("x", [7, 9, 8, 3]), g.input("labels", [7]));
    let mut parameters = Parameters::new();
    let logits = network().forward(&g, x, Mode::Training, &mut parameters);
    let loss = Task::Classify.loss(&g, logits, labels);
    let gradients = g.gradients_of(loss, &parameters.points());
    for (parameter, gradient) in parameters.list().iter().zip(gradients) {
        g.update(parameter.slot, g.sub(parameter.value, g.mul(gradient, g.constant(0.1))));
    }
    g.output("loss", loss);
    g.finish().expect("a valid graph")
}

#[test]
fn training_steps_agree_with_the_interpreter() {
    steps_agree(&step());
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    same_bits(&step());
}

#[test]
fn a_residual_network_learns() {
    let (losses, _) = run(&step(), &Options::default(), &Machine::new(2), 30);
    assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
}
