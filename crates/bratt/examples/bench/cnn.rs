//! Convolutional networks: training steps, forward passes, the latency of one image; decoding of photographs.

use crate::{BATCH, Bench, Result, Training};
use bratt::data::{Dataset, Features, Targets};
use bratt::exec::{Key, Machine};
use bratt::nn::{Conv2d, Input, Padding, Sequential, models};
use bratt::optim::{Adam, Momentum, Optimizer};
use bratt::prelude::{Fractions, Predictor, Preprocess, Splits, Trainer};
use bratt::random::{Purpose, Stream};

pub const WORKS: [&str; 7] = [
    "cnn_step",
    "resnet20_step",
    "resnet20_forward",
    "resnet18_step",
    "resnet20_latency",
    "resnet20_memory",
    "mobilenet_step",
];

/// The small network of Keras' introduction.
fn cnn() -> Sequential {
    let conv = |channels| Conv2d { padding: Padding::Valid, ..Conv2d::new(channels, 3) };
    let features = Sequential::new(Input::image(28, 28, 1)).layer(conv(32)).relu().layer(conv(64)).relu();
    features.max_pool(2).dropout(0.25).dense(128).relu().dropout(0.5).dense(10)
}

fn noise(count: usize, shape: &[usize]) -> Result<Dataset> {
    let mut stream = Stream::new(1, Purpose::Noise, 0);
    let len: usize = shape.iter().product();
    let bytes = (0..count * len).map(|_| stream.below(256) as u8).collect();
    let labels = (0..count).map(|_| stream.below(10)).collect();
    let names = (0..10).map(|class: usize| class.to_string()).collect();
    let features = Features::Pixels { bytes, scale: 1.0 / 255.0 };
    Ok(Dataset::new("random", shape.to_vec(), features, Targets::Classes { labels, names })?)
}

/// Runs one of [`WORKS`].
pub fn run(bench: &Bench, work: &str) -> Result<()> {
    let named = |name: &str| Ok::<_, bratt::nn::NnError>(models::by_name(name, &[32, 32, 3], 10)?.network);
    let momentum: Optimizer = Momentum::default().into();
    match work {
        "cnn_step" => step(bench, work, &cnn(), &Adam::default().into(), BATCH),
        "resnet20_step" | "resnet20_memory" => step(bench, work, &named("resnet20")?, &momentum, BATCH),
        "resnet18_step" => step(bench, work, &named("resnet18")?, &momentum, 64),
        "mobilenet_step" => {
            let network = models::by_name("mobilenet-v2", &[224, 224, 3], 10)?.network;
            step(bench, work, &network, &momentum, 8)
        }
        "resnet20_forward" => forward(bench, work, BATCH, &[bench.threads]),
        "resnet20_latency" => forward(bench, work, 1, &[bench.threads, 1]),
        other => unreachable!("{other} is not in WORKS"),
    }
}

fn step(bench: &Bench, work: &str, network: &Sequential, optimizer: &Optimizer, batch: usize) -> Result<()> {
    let mut training =
        Training::new(network, optimizer, noise(batch, &network.input)?, batch, bench.threads)?;
    training.gather(&(0..batch as u32).collect::<Vec<_>>());
    let flops = training.runner.program().flops();
    bench.measure(work, "compiled", 2, flops, || {
        assert!(training.step().is_finite(), "the loss must be finite");
    });
    if !bench.json {
        println!("{}", training.runner.profile(&mut training.slots, Key { seed: 1, step: 0 }, 5));
    }
    Ok(())
}

fn forward(bench: &Bench, work: &str, batch: usize, threads: &[usize]) -> Result<()> {
    let network = models::by_name("resnet20", &[32, 32, 3], 10)?.network;
    // One step gives real weights and running statistics; how good does not matter.
    let fractions = Fractions { train: 1.0, val: 0.0, test: 0.0 };
    let trainer = Trainer::new(network).preprocess(Preprocess::None).epochs(1).batch_size(20);
    let run = trainer.fit(&Splits::new(noise(20, &[32, 32, 3])?, fractions, 1)?)?;
    for &threads in threads {
        let predictor = Predictor::on(&Machine::new(threads), run.model())?;
        let images = vec![0.5; batch * 3072];
        let mut rows = vec![0.0; batch * predictor.output_len()];
        let variant = if threads == 1 { "one thread" } else { "all threads" };
        bench.measure(work, variant, 3, 0, || {
            if batch == 1 {
                predictor.predict_into(&images, &mut rows).expect("lengths fit");
            } else {
                rows = predictor.values(&images).expect("whole images");
            }
        });
    }
    Ok(())
}
