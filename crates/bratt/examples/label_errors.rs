//! Flips 5 % of the labels of a data set at random and counts how many of them are found again among as many examples as
//! were flipped, ranked by out-of-fold probabilities:
//! `cargo run --release -p bratt --example label_errors -- MNIST_FOLDER [FOLDS [EPOCHS [MODEL]]]`; without arguments on the
//! digits inside the library.

use bratt::data::{self, Options};
use bratt::metrics::label_errors;
use bratt::nn::models;
use bratt::prelude::*;
use bratt::random::{Purpose, Stream};
use bratt::train::{TrainError, out_of_fold};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| args.get(at).map_or(Ok(default), |text| text.parse());
    let (folds, epochs) = (number(1, 4)?, number(2, 5)?);
    let name = args.get(3).map_or("mlp", String::as_str);
    let clean = match args.first() {
        Some(path) => data::open(Path::new(path), &Options::default())?.train,
        None => data::digits(),
    };
    let classes = clean.classes().len();

    let mut labels = clean.labels().to_vec();
    let mut order: Vec<u32> = (0..labels.len() as u32).collect();
    let mut stream = Stream::new(SEED, Purpose::Noise, 0);
    stream.shuffle(&mut order);
    let flipped: BTreeSet<u32> = order.into_iter().take(labels.len() / 20).collect();
    for &example in &flipped {
        let label = &mut labels[example as usize];
        *label = (*label + 1 + stream.below(classes as u32 - 1)) % classes as u32;
    }
    let targets = Targets::Classes { labels, names: clean.classes().to_vec() };
    let noisy = Dataset::new("flipped", clean.shape().to_vec(), clean.features().clone(), targets)?;
    println!("{}; {} labels flipped", noisy.describe(), flipped.len());

    let begin = Instant::now();
    let said = out_of_fold(noisy, folds, 0.1, SEED, |fold, data| {
        let model = models::by_name(name, data.data().shape(), classes)?;
        let fit = Trainer::new(model).epochs(epochs).seed(SEED).fit(data)?;
        let test = fit.evaluate(data.test())?;
        let (seconds, accuracy) =
            (begin.elapsed().as_secs_f64(), 100.0 * test.accuracy().unwrap_or_default());
        println!("fold {}: agrees with {accuracy:.2} % of its labels, after {seconds:.0} s", fold + 1);
        Ok::<_, TrainError>(fit)
    })?;
    let found = label_errors(&said.sample()?);
    let is_flipped = |at: usize| flipped.contains(&said.examples()[at]);
    for part in [2, 1] {
        let first = &found.ranking[..flipped.len() / part];
        let hits = first.iter().filter(|suspect| is_flipped(suspect.example)).count();
        println!(
            "of the first {} in the ranking {hits} are flipped: {:.2} % of all flips, precision {:.2} %",
            first.len(),
            100.0 * hits as f64 / flipped.len() as f64,
            100.0 * hits as f64 / first.len() as f64
        );
    }
    let likely = found.ranking.iter().filter(|suspect| suspect.likely);
    let hits = likely.clone().filter(|suspect| is_flipped(suspect.example)).count();
    println!("{} are confidently of another class, of which {hits} are flipped", likely.count());
    Ok(())
}
