//! Reads a data set and says how long each step took: `cargo run --release --example read_data -- data/mnist`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use bratt::data::preprocess::{Projection, Standardize};
use bratt::data::{Batches, Fractions, LastBatch, Options, digits, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut last = Instant::now();
    let mut lap = |what: &str| {
        println!("{:9.1} ms  {what}", 1e3 * last.elapsed().as_secs_f64());
        last = Instant::now();
    };
    let (data, fractions) = match std::env::args().nth(1) {
        Some(path) => {
            let source = open(Path::new(&path), &Options::default())?;
            lap(source.describe());
            let fractions =
                if source.test.is_some() { Fractions::test_given() } else { Fractions::default() };
            (source.train, fractions)
        }
        None => (digits(), Fractions::default()),
    };
    lap(&format!("{}: {}", data.name(), data.describe()));
    lap(&format!("fingerprint {}", data.fingerprint()));

    let split = data.split(fractions, 7)?;
    lap(&format!("split: {} train, {} val, {} test", split.train.len(), split.val.len(), split.test.len()));
    let size = 128.try_into()?;
    let epoch = Batches::training(&split.train, size, LastBatch::Drop, 7, 0);
    lap(&format!("shuffled into {} batches of {size}", epoch.len()));
    let (mut x, mut y) = (vec![0.0; 128 * data.feature_len()], vec![0.0; 128]);
    for indices in epoch.iter() {
        data.gather_into(indices, &mut x, &mut y);
    }
    lap("gathered the batches of one epoch");

    let feature = Standardize::per_feature(&data, &split.train)?;
    lap(&format!("mean and deviation per feature; {} constant", feature.constant));
    let channel = Standardize::per_channel(&data, &split.train)?;
    lap(&format!("per channel: mean {:?}, deviation {:?}", channel.mean, channel.std));
    let white = Projection::zca_whitening(&data, &split.train, 1e-5)?;
    lap(&format!("ZCA whitening; largest variance {:.4}", white.variances[0]));
    Ok(())
}
