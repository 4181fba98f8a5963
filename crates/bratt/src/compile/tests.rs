//! A pass test asserts structure: which steps a known graph becomes.

use super::{Options, compile};
use crate::graph::{Graph, GraphBuilder, Init, Role, SlotId, Value};
use bratt_kernels::plan::StepSpec;
use bratt_kernels::tape::{Fused, Instr};

struct Parameter {
    slot: SlotId,
    value: Value,
}

fn parameter(g: &GraphBuilder, name: &str, shape: &[usize]) -> Parameter {
    let (slot, value) = g.slot(name, shape, Role::Parameter, Init::Normal(0.1));
    Parameter { slot, value }
}

fn adam(g: &GraphBuilder, name: &str, p: &Parameter, gradient: Value, t: Value) {
    let shape = g.shape(p.value);
    let (m_slot, m) = g.slot(&format!("adam.{name}.m"), &shape, Role::Optimizer, Init::Constant(0.0));
    let (v_slot, v) = g.slot(&format!("adam.{name}.v"), &shape, Role::Optimizer, Init::Constant(0.0));
    let c = |x: f64| g.constant(x);
    let m = g.add(g.mul(c(0.9), m), g.mul(c(0.1), gradient));
    let v = g.add(g.mul(c(0.999), v), g.mul(c(0.001), g.square(gradient)));
    let root = g.sqrt(g.sub(c(1.0), g.pow(c(0.999), t)));
    let rate = g.div(g.mul(c(1e-3), root), g.sub(c(1.0), g.pow(c(0.9), t)));
    let update = g.mul(rate, g.div(m, g.add(g.sqrt(v), g.mul(c(1e-8), root))));
    g.update(m_slot, m);
    g.update(v_slot, v);
    g.update(p.slot, g.sub(p.value, update));
}

/// The training step of a perceptron of two hidden layers with batch norm, ReLU and dropout, cross-entropy and Adam.
pub(crate) fn mlp_step(batch: usize, sizes: [usize; 4]) -> Graph {
    let g = Graph::builder();

    let mut h = g.input("x", [batch, sizes[0]]);
    let labels = g.input("labels", [batch]);
    let (mean, deviation) = (
        g.slot("mean", [sizes[0]], Role::Buffer, Init::Constant(0.0)).1,
        g.slot("deviation", [sizes[0]], Role::Buffer, Init::Constant(1.0)).1,
    );
    h = g.mul(g.sub(h, mean), deviation);
    let mut parameters = Vec::new();
    for i in 0..3 {
        g.layer(&format!("layer{i}"), || {
            let w = parameter(&g, "weight", &[sizes[i], sizes[i + 1]]);
            h = g.matmul(h, w.value);
            parameters.push((format!("layer{i}.weight"), w));
            if i == 2 {
                let b = parameter(&g, "bias", &[sizes[3]]);
                h = g.add(h, b.value);
                parameters.push((format!("layer{i}.bias"), b));
            } else {
                let gamma = parameter(&g, "gamma", &[sizes[i + 1]]);
                let beta = parameter(&g, "beta", &[sizes[i + 1]]);
                let running = g.slot("mean", [sizes[i + 1]], Role::Buffer, Init::Constant(0.0));
                g.update(
                    running.0,
                    g.add(g.mul(g.constant(0.9), running.1), g.mul(g.constant(0.1), g.mean(h, &[0]))),
                );
                h = g.relu(g.batch_norm_training(h, gamma.value, beta.value, 1e-5));
                h = g.dropout_inverted(h, 0.5);
                parameters.push((format!("layer{i}.gamma"), gamma));
                parameters.push((format!("layer{i}.beta"), beta));
            }
        });
    }
    let loss = g.mean_all(g.cross_entropy(h, labels));
    g.output("loss", loss);
    let values: Vec<Value> = parameters.iter().map(|(_, p)| p.value).collect();
    let gradients = g.gradients_of(loss, &values);
    let (t_slot, t) = g.slot("t", [], Role::Optimizer, Init::Constant(0.0));
    let t = g.add(t, g.constant(1.0));
    g.update(t_slot, t);
    for ((name, p), gradient) in parameters.iter().zip(gradients) {
        adam(&g, name, p, gradient, t);
    }
    g.finish().expect("a valid graph")
}

#[test]
fn the_training_step_of_a_perceptron_is_eight_products_and_little_else() {
    let program = compile(&mlp_step(128, [784, 512, 256, 10]), &Options::default()).expect("compiles");
    let count = |kind: &str| program.steps().iter().filter(|s| s.kind() == kind).count();
    assert_eq!(count("matmul"), 8, "{program}");
    assert_eq!(count("copy") + count("fill"), 0, "{program}");
    // The input's preprocessing and the optimiser's scalars; all else is in the products' epilogues.
    assert_eq!(count("map"), 2, "{program}");
}

#[test]
fn the_update_of_adam_is_three_fused_instructions() {
    let g = Graph::builder();
    let w = parameter(&g, "w", &[40, 30]);
    let loss = g.sum_all(g.mul(w.value, g.square(g.input("x", [40, 30]))));
    g.output("loss", loss);
    let [gradient] = g.gradients(loss, [w.value]);
    adam(&g, "w", &w, gradient, g.scalar("t"));
    let program = compile(&g.finish().expect("a valid graph"), &Options::default()).expect("compiles");
    let fused: Vec<Fused> = program
        .steps()
        .iter()
        .flat_map(|step| match &step.spec {
            StepSpec::Map { tape, .. } | StepSpec::MatMul { tape, .. } => tape.instrs.clone(),
            _ => vec![],
        })
        .filter_map(|instr| match instr {
            Instr::Fused(function, _) => Some(function),
            _ => None,
        })
        .collect();
    assert_eq!(fused, [Fused::Mean, Fused::MeanSquare, Fused::AdaptiveStep], "{program:#?}");
}

/// `x v - w` and `x - y v`, with one number per column in v and w.
#[test]
fn differences_of_products_are_fused_multiply_adds() {
    let g = Graph::builder();
    let [x, y] = ["x", "y"].map(|name| g.input(name, [6, 4]));
    let [v, w] = ["v", "w"].map(|name| g.input(name, [4]));
    g.output("a", g.sub(g.mul(x, v), w));
    g.output("b", g.sub(x, g.mul(y, v)));
    let program = compile(&g.finish().expect("a valid graph"), &Options::default()).expect("compiles");
    let (mut multiply_adds, mut others) = (0, vec![]);
    for step in program.steps() {
        let StepSpec::Map { tape, .. } = &step.spec else { panic!("{program}") };
        for instr in &tape.instrs {
            match instr {
                Instr::MulAdd(..) => multiply_adds += 1,
                Instr::Binary(f, ..) => others.push(*f),
                _ => {}
            }
        }
    }
    assert_eq!((multiply_adds, others), (2, vec![]), "{program:#?}");
}
