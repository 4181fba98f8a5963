//! One floor down: a graph, its gradients, and both executors. The lecture's f = (x + y) z at (-2, 5, -4).

use bratt::compile::{Options, compile};
use bratt::exec::{Key, Machine, Slots, interpret};
use bratt::graph::Graph;
use bratt::tensor::Tensor;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let g = Graph::builder();
    let (x, y, z) = (g.scalar("x"), g.scalar("y"), g.scalar("z"));
    let f = g.mul(g.add(x, y), z);
    let [dx, dy, dz] = g.gradients(f, [x, y, z]);
    for (name, value) in [("f", f), ("df/dx", dx), ("df/dy", dy), ("df/dz", dz)] {
        g.output(name, value);
    }
    let graph = g.finish()?;
    println!("{graph}\n");

    let values = [("x", -2.0), ("y", 5.0), ("z", -4.0)];
    let tensors = values.map(|(name, value)| (name, Tensor::scalar(value)));
    let inputs: Vec<(&str, &Tensor<f64>)> = tensors.iter().map(|(name, t)| (*name, t)).collect();
    let trace = interpret(&graph, &inputs, &Default::default(), Key::default())?;

    let program = compile(&graph, &Options::default())?;
    println!("{program}\n");
    let slots = Slots::new(program.layout().clone(), 0);
    let mut runner = Machine::new(1).load(program);
    for (name, value) in values {
        runner.set(name, &[value as f32])?;
    }
    runner.infer(&slots);

    println!("{:>6} {:>12} {:>9}", "", "interpreted", "compiled");
    for (name, _) in graph.outputs() {
        let exact = trace.output(name).map(|t| t.data()[0]).ok_or("no such output")?;
        let fast = runner.get(name).ok_or("no such output")?[0];
        println!("{name:>6} {exact:>12} {fast:>9}");
    }
    Ok(())
}
