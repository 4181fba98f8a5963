//! The compiled executor against the reference interpreter: whole training steps, every pass on and off, every
//! instruction set, and equal bits on any number of threads.

mod images;
mod residual;
mod shapes;

use super::interpret::run as run_observed;
use super::tests::random_graph::{RandomGraph, random_graph};
use super::{Isa, Key, Machine, Slots, Trace, interpret};
use crate::compile::tests::mlp_step;
use crate::compile::{Options, compile};
use crate::graph::Graph;
use crate::random::{Purpose, Stream};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

fn all_options() -> Vec<Options> {
    let mut all = Vec::new();
    for bits in 0..8 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        all.push(Options { simplify: on(0), fuse: on(1), reuse_memory: on(2), winograd: true, layout: None });
    }
    all
}

fn feed(graph: &Graph) -> Vec<(String, Tensor)> {
    let mut stream = Stream::new(5, Purpose::Noise, 0);
    let inputs = graph.inputs().iter().map(|input| {
        let labels = input.name == "labels";
        let value = Tensor::from_fn(&input.shape, |_| {
            if labels { stream.below(3) as f32 } else { stream.normal() as f32 }
        });
        (input.name.clone(), value)
    });
    inputs.collect()
}

/// Runs `steps` steps and returns the loss of each and all slots.
fn run(graph: &Graph, options: &Options, machine: &Machine, steps: u64) -> (Vec<f32>, Slots) {
    let program = compile(graph, options).expect("compiles");
    let mut slots = Slots::new(program.layout().clone(), 3);
    let mut runner = machine.load(program);
    for (name, value) in feed(graph) {
        runner.set(&name, value.data()).expect("an input");
    }
    let mut losses = Vec::new();
    for step in 0..steps {
        runner.run(&mut slots, Key { seed: 9, step });
        losses.push(runner.get("loss").expect("a loss")[0]);
    }
    (losses, slots)
}

#[test]
fn training_steps_agree_with_the_interpreter_with_every_pass_on_and_off() {
    steps_agree(&mlp_step(9, [12, 33, 17, 3]));
}

/// Three steps, compiled every way, on every instruction set.
fn steps_agree(graph: &Graph) {
    let fed: Vec<(String, Tensor<f64>)> = feed(graph).into_iter().map(|(n, t)| (n, t.to_f64())).collect();
    let inputs: Vec<(&str, &Tensor<f64>)> = fed.iter().map(|(n, t)| (n.as_str(), t)).collect();
    let mut state: BTreeMap<String, Tensor<f64>> = BTreeMap::new();
    for slot in graph.slots() {
        state.insert(slot.name.clone(), crate::init::initial_value(slot, 3).to_f64());
    }
    let mut losses = Vec::new();
    for step in 0..3 {
        let trace = interpret(graph, &inputs, &state, Key { seed: 9, step }).expect("interprets");
        losses.push(trace.output("loss").expect("a loss").data()[0]);
        state.extend(trace.new_state().clone());
    }
    for options in all_options() {
        for isa in Isa::available() {
            let (found, slots) = run(graph, &options, &Machine::with_isa(1, isa), 3);
            for (a, b) in found.iter().zip(&losses) {
                assert!(
                    (f64::from(*a) - b).abs() < 1e-5 * b.abs(),
                    "{options:?} {isa}: loss {a}, expected {b}"
                );
            }
            for (slot, values) in slots.iter() {
                let expected = &state[&slot.name];
                let scale = expected.data().iter().fold(1e-3f64, |m, x| m.max(x.abs()));
                for (a, b) in values.iter().zip(expected.data()) {
                    // Adam divides by the root of tiny second moments, which magnifies the rounding of gradients.
                    let error = (f64::from(*a) - b).abs() / scale;
                    assert!(error < 2e-3, "{options:?} {isa}: {} is {a}, expected {b}", slot.name);
                }
            }
        }
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    same_bits(&mlp_step(70, [200, 160, 96, 3]));
}

/// Four steps on 1, 2, 3 and 8 threads.
fn same_bits(graph: &Graph) {
    let bits = |threads: usize| {
        let (losses, slots) = run(graph, &Options::default(), &Machine::new(threads), 4);
        let all = slots.iter().flat_map(|(_, v)| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        (losses.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), all.collect::<Vec<_>>())
    };
    let one = bits(1);
    for threads in [2, 3, 8] {
        assert!(bits(threads) == one, "{threads} threads");
    }
}

#[test]
fn two_inputs_are_two_blocks_of_memory() {
    let g = Graph::builder();
    let (a, b) = (g.input("a", [3]), g.input("b", [2]));
    g.output("y", g.mul(g.sum_all(a), g.sum_all(b)));
    let program = compile(&g.finish().expect("valid"), &Options::default()).expect("compiles");
    let mut runner = Machine::new(1).load(program);
    let lengths = |pair: Option<(&mut [f32], &mut [f32])>| pair.map(|(x, y)| (x.len(), y.len()));
    assert_eq!(lengths(runner.two_inputs_mut("a", "b")), Some((3, 2)));
    assert_eq!(lengths(runner.two_inputs_mut("b", "a")), Some((2, 3)));
    assert_eq!(lengths(runner.two_inputs_mut("a", "a")), None);
    assert_eq!(lengths(runner.two_inputs_mut("a", "c")), None);
}

/// The stated bound of the executor on random graphs of mild values: each element within this of the interpreter's,
/// relative to the larger of 1 and the largest magnitude in its tensor. A chain of some tens of f32 operations, each
/// within a few units of 6e-8, with sums of up to some hundred terms.
const BOUND: f64 = 2e-4;

/// The largest difference, relative to the larger of 1 and the largest magnitude expected.
fn deviation(found: impl Iterator<Item = f64>, expected: &Tensor<f64>) -> f64 {
    let scale = expected.data().iter().filter(|x| x.is_finite()).fold(1.0f64, |m, x| m.max(x.abs()));
    let error =
        |(a, b): (f64, &f64)| if a == *b || (a.is_nan() && b.is_nan()) { 0.0 } else { (a - b).abs() / scale };
    // A NaN on one side only is a difference like any other.
    found.zip(expected.data()).map(error).fold(0.0, |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) })
}

fn assert_close(what: &str, found: &[f32], expected: &Tensor<f64>) {
    let error = deviation(found.iter().map(|&x| f64::from(x)), expected);
    assert!(error < BOUND, "{what}: found {found:?}, expected {:?} (error {error:.1e})", expected.data());
}

/// The interpreter with every value rounded to so many bits fewer than f32 has (n = 0 to 3), or moved by up to a
/// millionth of itself. A result that this moves by as much as the bound hangs on a comparison of nearly equal numbers
/// or a difference of them, and says nothing about the executor.
fn shaken(random: &RandomGraph, key: Key, n: u64) -> Trace {
    let mut stream = Stream::new(n, Purpose::Noise, 77);
    let observe = |_: usize, t: Tensor<f64>| {
        Tensor::from_fn(t.shape(), |i| {
            let x = t.data()[i];
            if n < 4 {
                f64::from(f32::from_bits((x as f32).to_bits() & (u32::MAX << n)))
            } else {
                x * (1.0 + 1e-6 * (2.0 * stream.uniform() - 1.0))
            }
        })
    };
    run_observed(&random.graph, &random.borrowed(), &random.state, key, observe).expect("interprets")
}

#[test]
fn random_graphs_agree_with_the_interpreter_with_every_pass_on_and_off() {
    let (mut compared, mut unsteady) = (0, 0);
    for seed in 0..150 {
        let random = random_graph(seed);
        let key = Key { seed, step: 1 };
        let trace = interpret(&random.graph, &random.borrowed(), &random.state, key).expect("interprets");
        let shaken: Vec<Trace> = (0..10).map(|n| shaken(&random, key, n)).collect();
        let steady = |a: &Tensor<f64>, of: &dyn Fn(&Trace) -> Tensor<f64>| {
            shaken.iter().all(|t| deviation(of(t).data().iter().copied(), a) < BOUND / 2.0)
        };
        for (n, options) in all_options().into_iter().enumerate() {
            let program = compile(&random.graph, &options).expect("compiles");
            let isas = Isa::available();
            // All passes on every instruction set; the other combinations on one each.
            let isas = if n == 7 { isas } else { vec![isas[(seed as usize + n) % isas.len()]] };
            for isa in isas {
                let machine = Machine::with_isa(1 + seed as usize % 3, isa);
                let mut slots = Slots::new(program.layout().clone(), 0);
                for (name, value) in &random.state {
                    slots.set(name, &value.to_f32()).expect("a slot");
                }
                let mut runner = machine.load(program.clone());
                for (name, value) in &random.inputs {
                    runner.set(name, value.to_f32().data()).expect("an input");
                }
                runner.run(&mut slots, key);
                let place = format!("graph {seed}, {options:?}, {isa}\n{}\n{program}\n", random.graph);
                for (name, _) in random.graph.outputs() {
                    let expected = trace.output(name).expect("an output");
                    if steady(expected, &|t| t.output(name).expect("an output").clone()) {
                        let found = runner.get(name).expect("an output");
                        assert_close(&format!("{place}output {name}"), found, expected);
                        compared += 1;
                    } else {
                        unsteady += 1;
                    }
                }
                for (name, expected) in trace.new_state() {
                    if steady(expected, &|t| t.new_state()[name].clone()) {
                        assert_close(
                            &format!("{place}slot {name}"),
                            slots.get(name).expect("a slot"),
                            expected,
                        );
                        compared += 1;
                    } else {
                        unsteady += 1;
                    }
                }
            }
        }
    }
    assert!(unsteady * 10 < compared, "only {compared} results compared, {unsteady} unsteady");
}
