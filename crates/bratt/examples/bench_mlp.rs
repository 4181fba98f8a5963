//! bratt's side of `cargo xtask bench`: the perceptron 784-512-256-10 with batch norm, dropout 0.5 and Adam, batch 128;
//! softmax regression; prediction of a single image.
//!
//! `cargo run --release -p bratt --example bench_mlp -- [--json] [--mnist DIR] [--threads N] [--seconds S] [WORK...]`
//!
//! Without `--mnist`, random pixels are trained on. Without arguments each work is measured for a moment only.

use bratt::compile::{Options, compile};
use bratt::data::{Dataset, Features, Options as DataOptions, Targets, open};
use bratt::exec::{Key, Machine, Runner, Slots};
use bratt::graph::Graph;
use bratt::nn::{Sequential, Task, models};
use bratt::optim::{Adam, Optimizer, Sgd};
use bratt::prelude::{Fractions, Predictor, Preprocess, Splits, Trainer};
use bratt::random::{Purpose, Stream};
use bratt::train::training_graph;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::time::{Duration, Instant};

const BATCH: usize = 128;
const WORKS: [&str; 6] = ["mlp_step", "mlp_epoch", "mlp_latency", "softmax_epoch", "matmul", "mlp_train"];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone)]
struct Bench {
    json: bool,
    mnist: Option<String>,
    threads: usize,
    seconds: f64,
    works: Vec<String>,
}

impl Bench {
    fn from_args() -> Result<Bench> {
        let mut bench = Bench { json: false, mnist: None, threads: 2, seconds: 0.2, works: vec![] };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--json" => (bench.json, bench.seconds) = (true, 3.0),
                "--mnist" => bench.mnist = Some(value()?),
                "--threads" => bench.threads = value()?.parse()?,
                "--seconds" => bench.seconds = value()?.parse()?,
                work if WORKS.contains(&work) => bench.works.push(arg),
                other => return Err(format!("no such work: {other}; there are {}", WORKS.join(", ")).into()),
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

/// The data, of 28x28 pixels.
fn data(mnist: Option<&str>) -> Result<Dataset> {
    if let Some(folder) = mnist {
        return Ok(open(folder.as_ref(), &DataOptions::default())?.train);
    }
    let n = 6_000;
    let mut stream = Stream::new(1, Purpose::Noise, 0);
    let bytes = (0..n * 784).map(|_| stream.below(256) as u8).collect();
    let labels = (0..n).map(|_| stream.below(10)).collect();
    let names = (0..10).map(|digit: usize| digit.to_string()).collect();
    let features = Features::Pixels { bytes, scale: 1.0 / 255.0 };
    Ok(Dataset::new("random", vec![28, 28, 1], features, Targets::Classes { labels, names })?)
}

/// A training step that is ready to run.
struct Training {
    runner: Runner,
    slots: Slots,
    step: u64,
    data: Dataset,
}

impl Training {
    fn new(network: &Sequential, optimizer: &Optimizer, data: Dataset, threads: usize) -> Result<Training> {
        let program =
            compile(&training_graph(network, Task::Classify, optimizer, BATCH)?, &Options::default())?;
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

fn main() -> Result<()> {
    let bench = Bench::from_args()?;
    let data = data(bench.mnist.as_deref())?;
    let mlp = models::by_name("mlp", &[28, 28, 1], 10)?.network;
    let adam: Optimizer = Adam::default().into();
    let sizes = [784u64, 512, 256, 10];
    let forward: u64 = sizes.windows(2).map(|w| 2 * w[0] * w[1]).sum();
    let step_flops = BATCH as u64 * (3 * forward - 2 * sizes[0] * sizes[1]);
    for work in &bench.works {
        match work.as_str() {
            "mlp_step" => {
                let mut training = Training::new(&mlp, &adam, data.clone(), bench.threads)?;
                training.gather(&(0..BATCH as u32).collect::<Vec<_>>());
                bench.measure(work, "compiled", 10, step_flops, || {
                    assert!(training.step().is_finite(), "the loss must be finite");
                });
                if !bench.json {
                    let key = Key { seed: 1, step: 0 };
                    println!("{}", training.runner.profile(&mut training.slots, key, 20));
                }
            }
            "mlp_epoch" => {
                let mut training = Training::new(&mlp, &adam, data.clone(), bench.threads)?;
                let steps = (data.len() / BATCH) as u64;
                bench.measure(work, "with gathering", 1, steps * step_flops, || training.epoch());
            }
            "softmax_epoch" => {
                let softmax = models::by_name("softmax", &[28, 28, 1], 10)?.network;
                let mut training =
                    Training::new(&softmax, &Sgd::default().into(), data.clone(), bench.threads)?;
                bench.measure(work, "with gathering", 1, 0, || training.epoch());
            }
            "mlp_latency" => {
                // One step's worth of data gives real weights and running statistics; how good does not matter.
                let few = Dataset::new(
                    "few",
                    vec![28, 28, 1],
                    Features::Pixels { bytes: vec![7; 784 * 4], scale: 1.0 / 255.0 },
                    Targets::Classes { labels: vec![0, 1, 2, 3], names: data.classes().to_vec() },
                )?;
                let fractions = Fractions { train: 1.0, val: 0.0, test: 0.0 };
                let trainer = Trainer::new(mlp.clone()).preprocess(Preprocess::None).epochs(1);
                let run = trainer.fit(&Splits::new(few, fractions, 1)?)?;
                for threads in [bench.threads, 1] {
                    let predictor = Predictor::on(&Machine::new(threads), run.model())?;
                    let (image, mut row) = (vec![0.5; 784], vec![0.0; predictor.output_len()]);
                    let variant = if threads == 1 { "one thread" } else { "all threads" };
                    bench.measure(work, variant, 200, forward, || {
                        predictor.predict_into(&image, &mut row).expect("lengths fit");
                    });
                }
            }
            "mlp_train" => {
                let Some(folder) = &bench.mnist else { continue };
                let source = open(folder.as_ref(), &DataOptions::default())?;
                let splits = Splits::of(source, Fractions::test_given(), 1)?;
                let trainer = Trainer::new(mlp.clone()).epochs(5).batch_size(BATCH).threads(bench.threads);
                let run = trainer.fit(&splits)?;
                let test = run.evaluate(splits.test())?;
                println!("{}", json!({"work": work, "seconds": run.seconds(), "accuracy": test.accuracy()}));
            }
            "matmul" => {
                for threads in [1, bench.threads] {
                    for size in [512, 1024] {
                        matmul(&Bench { threads, ..bench.clone() }, size)?;
                    }
                }
            }
            other => unreachable!("{other} is not in WORKS"),
        }
    }
    Ok(())
}

/// The product of two square matrices.
fn matmul(bench: &Bench, size: usize) -> Result<()> {
    let g = Graph::builder();
    let (a, b) = (g.input("a", [size, size]), g.input("b", [size, size]));
    g.output("c", g.matmul(a, b));
    let program = compile(&g.finish()?, &Options::default())?;
    let slots = Slots::new(program.layout().clone(), 0);
    let mut runner = Machine::new(bench.threads).load(program);
    for name in ["a", "b"] {
        let values: Vec<f32> = (0..size * size).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
        runner.set(name, &values)?;
    }
    let work = format!("matmul_{size}_{}t", bench.threads);
    bench.measure(&work, "compiled", 3, 2 * (size as u64).pow(3), || runner.infer(&slots));
    Ok(())
}
