//! Small graphs whose shapes say little: squares, where a row is as long as a column; reshaped counts; single random
//! numbers; rows longer than a tile may be. Each compiled every way and held against the interpreter.

use super::{all_options, assert_close};
use crate::compile::compile;
use crate::exec::{Isa, Key, Machine, Slots, interpret};
use crate::graph::{Graph, GraphBuilder};
use crate::init::initial_value;
use crate::random::{Purpose, Stream};
use crate::tensor::Tensor;

/// Feeds normal numbers, and NaN where `nan` says so.
fn agrees_where(build: impl Fn(&GraphBuilder), nan: impl Fn(usize) -> bool) {
    let g = Graph::builder();
    build(&g);
    let graph = g.finish().expect("a valid graph");
    let mut stream = Stream::new(1, Purpose::Noise, 3);
    let fed: Vec<(&str, Tensor)> = (graph.inputs().iter())
        .map(|input| {
            let number = |i| if nan(i) { f32::NAN } else { stream.normal() as f32 };
            (input.name.as_str(), Tensor::from_fn(&input.shape, number))
        })
        .collect();
    let wide: Vec<(&str, Tensor<f64>)> = fed.iter().map(|(name, t)| (*name, t.to_f64())).collect();
    let borrowed: Vec<(&str, &Tensor<f64>)> = wide.iter().map(|(name, t)| (*name, t)).collect();
    let state =
        graph.slots().iter().map(|slot| (slot.name.clone(), initial_value(slot, 0).to_f64())).collect();
    let key = Key { seed: 4, step: 2 };
    let trace = interpret(&graph, &borrowed, &state, key).expect("interprets");
    for options in all_options() {
        let program = compile(&graph, &options).expect("compiles");
        let mut slots = Slots::new(program.layout().clone(), 0);
        let mut runner = Machine::with_isa(1, Isa::detect()).load(program.clone());
        for (name, value) in &fed {
            runner.set(name, value.data()).expect("an input");
        }
        runner.run(&mut slots, key);
        for (name, _) in graph.outputs() {
            let place = format!("{options:?}\n{graph}\n{program}\noutput {name}");
            let found = runner.get(name).expect("an output");
            assert_close(&place, found, trace.output(name).expect("an output"));
        }
        for (name, expected) in trace.new_state() {
            let place = format!("{options:?}\n{graph}\n{program}\nslot {name}");
            assert_close(&place, slots.get(name).expect("a slot"), expected);
        }
    }
}

pub(super) fn agrees(build: impl Fn(&GraphBuilder)) {
    agrees_where(build, |_| false);
}

#[test]
fn one_vector_is_repeated_along_both_sides_of_a_square() {
    for n in [2, 4, 17] {
        agrees(|g| {
            let v = g.exp(g.input("x", [n]));
            g.output("y", g.add(g.reshape(v, [n, 1]), v));
        });
        // Within one instruction's operands and over two instructions.
        agrees(|g| {
            let (x, v) = (g.input("x", [n, n]), g.tanh(g.input("v", [n])));
            let across = g.relu(g.add(x, v));
            g.output("y", g.mul(across, g.reshape(v, [n, 1])));
            g.output("v", v);
        });
    }
}

#[test]
fn sums_over_rows_and_over_columns_of_a_square_meet() {
    for n in [2, 4, 17] {
        let both = |g: &GraphBuilder| {
            let r = g.relu(g.input("x", [n, n]));
            g.add(g.sum(r, &[1]), g.sum(r, &[0]))
        };
        agrees(|g| g.output("loss", g.sum_all(both(g))));
        agrees(|g| g.output("y", both(g)));
        agrees(|g| {
            let s = g.square(both(g));
            g.output("loss", g.add(g.sum_all(s), g.sum_all(g.exp(g.neg(s)))));
            g.output("scaled", g.mul(s, g.sum_all(s)));
        });
    }
}

#[test]
fn counts_keep_their_order_under_another_shape() {
    agrees(|g| {
        let x = g.input("x", [2, 3]);
        g.output("y", g.sum(g.add(x, g.reshape(g.iota([6], 0), [2, 3])), &[1]));
    });
    agrees(|g| {
        let x = g.input("x", [3, 3]);
        let line = g.iota([3], 0);
        g.output("y", g.mul(g.add(x, line), g.reshape(line, [3, 1])));
        g.output("line", line);
    });
}

#[test]
fn one_random_number_scales_a_sum() {
    agrees(|g| {
        let x = g.input("x", [3, 5]);
        let u = g.uniform([], g.next_stream());
        g.output("y", g.mul(u, g.sum_all(g.square(x))));
        g.output("z", g.add(x, g.exp(u)));
    });
    agrees(|g| {
        let x = g.input("x", [1, 1]);
        g.output("y", g.mul(g.relu(x), g.uniform([1, 1], g.next_stream())));
    });
}

#[test]
fn rows_longer_than_a_tile_may_have_results_of_their_own() {
    agrees(|g| {
        let (x, v) = (g.input("x", [3, 10_000]), g.exp(g.input("v", [3, 1])));
        g.output("y", g.relu(g.add(x, v)));
        g.output("v", v);
    });
}

#[test]
fn the_first_nan_is_the_largest_and_the_smallest() {
    for axis in 0..2 {
        agrees_where(
            |g| {
                let x = g.input("x", [5, 4]);
                g.output("largest", g.argmax(x, axis));
                g.output("smallest", g.argmin(x, axis));
            },
            |i| [2, 3, 9, 18].contains(&i),
        );
    }
}

#[test]
fn constants_whose_product_is_no_single_precision_number_stay_apart() {
    agrees(|g| {
        let x = g.input("x", [4]);
        let c = |c: f64| g.constant(c);
        // About 1e25 and 1e-25. As one factor the constants would be 0 or infinite in single precision.
        let (large, small) = (g.exp(g.add(x, c(57.0))), g.exp(g.sub(x, c(57.0))));
        g.output("small_factors", g.mul(g.mul(g.mul(large, c(1e-25)), c(1e-25)), large));
        g.output("large_factors", g.mul(g.mul(g.mul(small, c(1e25)), c(1e25)), small));
        g.output("small_divisor", g.div(g.mul(small, c(1e-14)), c(1e-39)));
    });
}
