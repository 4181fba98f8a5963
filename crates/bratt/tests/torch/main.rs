//! Agreement with PyTorch: operations, batch norm and optimisers against numbers that `make.py` stored beside this file.
//!
//! Each case runs through the reference interpreter, to 1e-9 in f64, and through the compiled executor, to 1e-5 in f32,
//! both relative to the largest number of the tensor in question (at least 1).
//!
//! Conventions where frameworks differ: max pools give ties to the first maximum, as PyTorch; average pools count
//! padding as zeros, PyTorch's `count_include_pad=True`, its default; batch norm's `rate` is PyTorch's `momentum`, and
//! the running variance is the unbiased one in both; Nesterov's parameters are stored at x, PyTorch's at x + mu v.

use bratt::compile::{Options, compile};
use bratt::exec::{Key, Machine, Slots, State, interpret};
use bratt::graph::{Graph, GraphBuilder, Padding, Value, Window};
use bratt::nn::{BatchNorm, Conv2d, Input, Mode, Parameters, Sequential, Task};
use bratt::optim::{Adam, AdamW, Momentum, Nesterov, Optimizer, Sgd};
use bratt::tensor::Tensor;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Numbers {
    fn tensor(&self) -> Tensor<f64> {
        Tensor::new(&self.shape[..], self.data.clone()).expect("as many numbers as the shape says")
    }
}

type Named = BTreeMap<String, Numbers>;

#[derive(Deserialize)]
struct Taps {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Top, bottom, left, right.
    padding: [usize; 4],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    op: String,
    window: Option<Taps>,
    #[serde(default)]
    groups: usize,
    #[serde(default)]
    smoothing: f64,
    #[serde(default)]
    rate: f64,
    #[serde(default)]
    epsilon: f64,
    #[serde(default)]
    training: bool,
    #[serde(default)]
    lr: f64,
    inputs: Named,
    #[serde(default)]
    slots: Named,
    expected: Named,
    #[serde(default)]
    expected_slots: Named,
}

fn cases(json: &str) -> Vec<Case> {
    serde_json::from_str(json).expect("cases as make.py writes them")
}

impl Case {
    fn window(&self) -> Window {
        let taps = self.window.as_ref().expect("a case with a window");
        let [top, bottom, left, right] = taps.padding;
        Window::new(taps.kernel).stride(taps.stride).dilation(taps.dilation).padding(Padding {
            top,
            bottom,
            left,
            right,
        })
    }

    fn input(&self, g: &GraphBuilder, name: &str) -> Value {
        g.input(name, &self.inputs[name].shape[..])
    }

    /// The operation, with the gradients of `sum(y dy)` by everything that PyTorch gave gradients for.
    fn graph(&self) -> Graph {
        let g = Graph::builder();
        let x = self.input(&g, "x");
        let mut by = vec![("dx".to_string(), x)];
        let y = match self.op.as_str() {
            "conv2d" => {
                let w = self.input(&g, "w");
                by.push(("dw".into(), w));
                g.conv2d(x, w, &self.window(), self.groups)
            }
            "max_pool2d" => g.max_pool2d(x, &self.window()),
            "avg_pool2d" => g.avg_pool2d(x, &self.window()),
            "global_avg_pool2d" => g.global_avg_pool2d(x),
            "relu6" => {
                let network = Sequential::new(Input::features(self.inputs["x"].shape[1])).relu6();
                network.forward(&g, x, Mode::Training, &mut Parameters::new())
            }
            "cross_entropy" => {
                Task::Classify.smoothed_losses(&g, x, self.input(&g, "labels"), self.smoothing)
            }
            "batch_norm" => {
                let layer = BatchNorm { rate: self.rate, epsilon: self.epsilon, ..BatchNorm::default() };
                let network = Sequential::new(Input::shape(&self.inputs["x"].shape[1..])).layer(layer);
                let mode = if self.training { Mode::Training } else { Mode::Inference };
                let mut parameters = Parameters::new();
                let y = network.forward(&g, x, mode, &mut parameters);
                by.extend(["dgamma", "dbeta"].map(String::from).into_iter().zip(parameters.points()));
                y
            }
            other => panic!("{}: unknown operation `{other}`", self.name),
        };
        g.output("y", y);
        let weighted = g.sum_all(g.mul(y, self.input(&g, "dy")));
        let values: Vec<Value> = by.iter().map(|&(_, value)| value).collect();
        for ((name, _), gradient) in by.iter().zip(g.gradients_of(weighted, &values)) {
            g.output(name, gradient);
        }
        g.finish().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The state that the case gives; zeros, such as an optimiser's at the start, where it gives none.
    fn state(&self, graph: &Graph) -> State {
        let value = |name: &str, shape| self.slots.get(name).map_or(Tensor::zeros(shape), Numbers::tensor);
        graph.slots().iter().map(|s| (s.name.clone(), value(&s.name, s.shape.clone()))).collect()
    }

    fn check(&self) {
        let graph = self.graph();
        let inputs: Vec<(&str, Tensor<f64>)> =
            self.inputs.iter().map(|(name, numbers)| (name.as_str(), numbers.tensor())).collect();
        let fed: Vec<(&str, &Tensor<f64>)> = inputs.iter().map(|(name, t)| (*name, t)).collect();
        let state = self.state(&graph);

        let trace = interpret(&graph, &fed, &state, Key::default())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for (name, expected) in &self.expected {
            let found = trace.output(name).unwrap_or_else(|| panic!("{}: no {name}", self.name));
            assert_eq!(found.shape()[..], expected.shape[..], "{}: shape of {name}", self.name);
            self.compare("interpreter", name, found.data(), &expected.data, 1e-9);
        }
        for (name, expected) in &self.expected_slots {
            self.compare("interpreter", name, trace.new_state()[name].data(), &expected.data, 1e-9);
        }

        let mut run = Compiled::new(&graph, &state, &fed);
        run.step(0);
        for (name, expected) in &self.expected {
            self.compare("executor", name, &run.output(name), &expected.data, 1e-5);
        }
        for (name, expected) in &self.expected_slots {
            self.compare("executor", name, &run.slot(name), &expected.data, 1e-5);
        }
    }

    fn compare(&self, executor: &str, tensor: &str, found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len(), "{}: {executor}, length of {tensor}", self.name);
        let scale = expected.iter().fold(1.0f64, |largest, x| largest.max(x.abs()));
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!(
                (f - e).abs() <= tolerance * scale,
                "{}: {executor}, {tensor}[{i}] is {f}, PyTorch's {e}",
                self.name
            );
        }
    }
}

/// The compiled graph with its state.
struct Compiled {
    runner: bratt::exec::Runner,
    slots: Slots,
}

impl Compiled {
    fn new(graph: &Graph, state: &State, inputs: &[(&str, &Tensor<f64>)]) -> Compiled {
        let program = compile(graph, &Options::default()).expect("compiles");
        let mut slots = Slots::new(program.layout().clone(), 0);
        for (name, value) in state {
            slots.set(name, &value.to_f32()).expect("a slot of the graph");
        }
        let mut runner = Machine::new(1).load(program);
        for (name, value) in inputs {
            runner.set(name, value.to_f32().data()).expect("an input of the graph");
        }
        Compiled { runner, slots }
    }

    fn step(&mut self, step: u64) {
        self.runner.run(&mut self.slots, Key { seed: 0, step });
    }

    fn output(&self, name: &str) -> Vec<f64> {
        self.runner.get(name).expect("an output").iter().copied().map(f64::from).collect()
    }

    fn slot(&self, name: &str) -> Vec<f64> {
        self.slots.get(name).expect("a slot").iter().copied().map(f64::from).collect()
    }
}

#[test]
fn convolutions() {
    cases(include_str!("conv2d.json")).iter().for_each(Case::check);
}

#[test]
fn pools() {
    cases(include_str!("pool.json")).iter().for_each(Case::check);
}

#[test]
fn relu6_and_smoothed_cross_entropy() {
    cases(include_str!("pointwise.json")).iter().for_each(Case::check);
}

#[test]
fn batch_norm_in_training_and_inference() {
    cases(include_str!("batch_norm.json")).iter().for_each(Case::check);
}

fn optimizer(name: &str) -> Optimizer {
    match name {
        "sgd" => Sgd::default().into(),
        "momentum" => Momentum::default().into(),
        "nesterov" => Nesterov::default().into(),
        "adam" => Adam::default().into(),
        "adamw" => Optimizer::from(AdamW::default()).weight_decay(0.1),
        other => panic!("unknown optimiser `{other}`"),
    }
}

/// The losses of five steps, and the parameters after them.
#[test]
fn five_steps_of_each_optimiser() {
    for case in cases(include_str!("optimizer.json")) {
        let g = Graph::builder();
        let (x, labels) = (case.input(&g, "x"), case.input(&g, "labels"));
        let network = Sequential::new(Input::shape(&case.inputs["x"].shape[1..]))
            .layer(Conv2d::new(4, 3))
            .relu()
            .global_average_pool()
            .dense(3);
        let mut step = optimizer(&case.op).begin(&g);
        let mut parameters = Parameters::read_at(|g, p| step.point(g, &p.name, p.slot, p.value, p.decay));
        let logits = network.forward(&g, x, Mode::Training, &mut parameters);
        let points = parameters.points();
        drop(parameters);
        let loss = Task::Classify.loss(&g, logits, labels);
        g.output("loss", loss);
        step.update(&g, &g.gradients_of(loss, &points));
        let graph = g.finish().expect("a correct step");

        let (x, labels) = (case.inputs["x"].tensor(), case.inputs["labels"].tensor());
        let lr = Tensor::scalar(case.lr);
        let fed = [("x", &x), ("labels", &labels), ("lr", &lr)];
        let mut state = case.state(&graph);
        let mut run = Compiled::new(&graph, &state, &fed);
        let (mut exact, mut fast) = (Vec::new(), Vec::new());
        for step in 0..5 {
            let trace = interpret(&graph, &fed, &state, Key { seed: 0, step }).expect("a complete state");
            exact.push(trace.output("loss").expect("a loss").data()[0]);
            state = trace.into_new_state();
            run.step(step);
            fast.push(run.output("loss")[0]);
        }
        let losses = &case.expected["losses"].data;
        case.compare("interpreter", "losses", &exact, losses, 1e-9);
        case.compare("executor", "losses", &fast, losses, 1e-5);
        for (name, expected) in &case.expected_slots {
            let ahead = |value: &[f64], velocity: Option<&[f64]>| -> Vec<f64> {
                let Some(velocity) = velocity else { return value.to_vec() };
                value.iter().zip(velocity).map(|(x, v)| x + 0.9 * v).collect()
            };
            let velocity = (case.op == "nesterov").then(|| {
                let suffix = "velocity";
                let slot = state.keys().find(|key| key.contains(name.as_str()) && key.ends_with(suffix));
                slot.expect("Nesterov's velocity").clone()
            });
            let exact = ahead(state[name].data(), velocity.as_ref().map(|v| state[v].data()));
            let fast_velocity = velocity.as_ref().map(|v| run.slot(v));
            let fast = ahead(&run.slot(name), fast_velocity.as_deref());
            case.compare("interpreter", name, &exact, &expected.data, 1e-9);
            case.compare("executor", name, &fast, &expected.data, 1e-5);
        }
    }
}
