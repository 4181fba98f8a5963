//! bratt's side of `cargo xtask bench`.
//!
//! `cargo run --release -p bratt --example bench -- [--json] [--mnist DIR] [--threads N] [--seconds S] [--photo FILE] [WORK...]`
//!
//! Without `--mnist`, random pixels are trained on. Without arguments each work is measured for a moment only.

mod cnn;
mod mlp;
mod photo;

use bratt::compile::{Options, compile};
use bratt::data::Dataset;
use bratt::exec::{Key, Machine, Runner, Slots};
use bratt::nn::{Sequential, Task};
use bratt::optim::Optimizer;
use bratt::train::training_graph;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::time::{Duration, Instant};

const BATCH: usize = 128;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone)]
struct Bench {
    json: bool,
    mnist: Option<String>,
    /// Where to put the photograph, for the peers.
    photo: Option<String>,
    threads: usize,
    seconds: f64,
    works: Vec<String>,
}

impl Bench {
    fn from_args() -> Result<Bench> {
        let mut bench =
            Bench { json: false, mnist: None, photo: None, threads: 2, seconds: 0.2, works: vec![] };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--json" => (bench.json, bench.seconds) = (true, 3.0),
                "--mnist" => bench.mnist = Some(value()?),
                "--photo" => bench.photo = Some(value()?),
                "--threads" => bench.threads = value()?.parse()?,
                "--seconds" => bench.seconds = value()?.parse()?,
                work if works().any(|known| known == work) => bench.works.push(arg),
                other => {
                    return Err(format!(
                        "no such work: {other}; there are {}",
                        works().collect::<Vec<_>>().join(", ")
                    )
                    .into());
                }
            }
        }
        if bench.works.is_empty() {
            bench.works = ["mlp_step", "mlp_latency", "softmax_epoch"].map(String::from).into();
        }
        Ok(bench)
    }

    /// Times `run` again and again for about `seconds` and prints the median.
    fn measure(&self, work: &str, variant: &str, warm: usize, flops: u64, mut run: impl FnMut()) {
        (0..warm).for_each(|_| run());
        let (mut times, end) = (Vec::new(), Instant::now() + Duration::from_secs_f64(self.seconds));
        while times.len() < 3 || Instant::now() < end {
            let start = Instant::now();
            run();
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let (median, n) = (times[times.len() / 2], times.len());
        let mut row = Map::new();
        for (key, value) in [
            ("work", json!(work)),
            ("peer", json!("bratt")),
            ("variant", json!(variant)),
            ("seconds", json!(median)),
            ("min", json!(times[0])),
            ("n", json!(n)),
            ("threads", json!(self.threads)),
        ] {
            row.insert(key.into(), value);
        }
        if flops > 0 {
            row.insert("flops".into(), json!(flops));
        }
        if self.json {
            println!("{}", Value::Object(row));
        } else {
            let rate = flops as f64 / median / 1e9;
            println!(
                "{work:<14} {variant:<14} median {:>10.1} us  least {:>10.1} us  {rate:>6.1} GFLOP/s",
                1e6 * median,
                1e6 * times[0]
            );
        }
    }
}

fn works() -> impl Iterator<Item = &'static str> {
    mlp::WORKS.into_iter().chain(cnn::WORKS).chain(photo::WORKS)
}

fn main() -> Result<()> {
    let bench = Bench::from_args()?;
    for work in &bench.works {
        match work.as_str() {
            work if cnn::WORKS.contains(&work) => cnn::run(&bench, work)?,
            work if photo::WORKS.contains(&work) => photo::run(&bench, work)?,
            work => mlp::run(&bench, work)?,
        }
    }
    Ok(())
}

/// A training step that is ready to run.
struct Training {
    runner: Runner,
    slots: Slots,
    step: u64,
    data: Dataset,
}

impl Training {
    fn new(
        network: &Sequential,
        optimizer: &Optimizer,
        data: Dataset,
        batch: usize,
        threads: usize,
    ) -> Result<Training> {
        let graph = training_graph(network, Task::Classify, optimizer, batch)?;
        let program = compile(&graph, &Options::default())?;
        let slots = Slots::new(program.layout().clone(), 1);
        let mut runner = Machine::new(threads).load(program);
        runner.set("lr", &[optimizer.default_learning_rate() as f32])?;
        Ok(Training { runner, slots, step: 0, data })
    }

    fn gather(&mut self, indices: &[u32]) {
        if let Some((x, y)) = self.runner.two_inputs_mut("features", "labels") {
            self.data.gather_into(indices, x, y);
        }
    }

    fn step(&mut self) -> f32 {
        self.runner.run(&mut self.slots, Key { seed: 1, step: self.step });
        self.step += 1;
        self.runner.get("loss").map_or(f32::NAN, |loss| loss[0])
    }

    /// One epoch in a new order, the last partial batch left out as the peers do.
    fn epoch(&mut self) {
        let order = bratt::data::batches::permutation(self.data.len(), 1, self.step);
        for indices in order.chunks_exact(BATCH) {
            self.gather(indices);
            assert!(self.step().is_finite(), "the loss must be finite");
        }
    }
}
