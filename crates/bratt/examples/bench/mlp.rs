//! The perceptron 784-512-256-10 with batch norm, dropout 0.5 and Adam, batch 128; softmax regression; products.

use crate::{BATCH, Bench, Result, Training};
use bratt::compile::{Options, compile};
use bratt::data::{Dataset, Features, Options as DataOptions, Targets, open};
use bratt::exec::{Key, Machine, Slots};
use bratt::graph::Graph;
use bratt::nn::models;
use bratt::optim::{Adam, Optimizer, Sgd};
use bratt::prelude::{Fractions, Predictor, Preprocess, Splits, Trainer};
use bratt::random::{Purpose, Stream};
use serde_json::json;

pub const WORKS: [&str; 6] = ["mlp_step", "mlp_epoch", "mlp_latency", "softmax_epoch", "matmul", "mlp_train"];

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

/// Runs one of [`WORKS`].
pub fn run(bench: &Bench, work: &str) -> Result<()> {
    let data = data(bench.mnist.as_deref())?;
    let mlp = models::by_name("mlp", &[28, 28, 1], 10)?.network;
    let adam: Optimizer = Adam::default().into();
    let sizes = [784u64, 512, 256, 10];
    let forward: u64 = sizes.windows(2).map(|w| 2 * w[0] * w[1]).sum();
    let step_flops = BATCH as u64 * (3 * forward - 2 * sizes[0] * sizes[1]);
    match work {
        "mlp_step" => {
            let mut training = Training::new(&mlp, &adam, data.clone(), BATCH, bench.threads)?;
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
            let mut training = Training::new(&mlp, &adam, data.clone(), BATCH, bench.threads)?;
            let steps = (data.len() / BATCH) as u64;
            bench.measure(work, "with gathering", 1, steps * step_flops, || training.epoch());
        }
        "softmax_epoch" => {
            let softmax = models::by_name("softmax", &[28, 28, 1], 10)?.network;
            let mut training =
                Training::new(&softmax, &Sgd::default().into(), data.clone(), BATCH, bench.threads)?;
            bench.measure(work, "with gathering", 1, 0, || training.epoch());
        }
        "mlp_latency" => {
            // One step's worth of data gives real weights and running statistics; how good does not matter.
            let few = Dataset::new(
                "few",
                vec![28, 28, 1],
                Features::Pixels { bytes: vec![7; 784 * 4].into(), scale: 1.0 / 255.0 },
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
            let Some(folder) = &bench.mnist else { return Ok(()) };
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
