//! What it costs to write a training down: one training of `cargo xtask overhead`.
//!
//! `overhead data DIR [IMAGES]` writes random images in the form of MNIST. `overhead bare|written DIR EPOCHS THREADS`
//! trains the perceptron 784-512-256-10 on them and prints the seconds: `bare` without listeners, `written` with
//! everything that a run folder keeps (events, metrics, checkpoints), until all of it is on the disk. Without arguments,
//! both, on few images in a temporary folder: too short a training to tell the difference, but it shows the way.

use bratt::data::{Options, open};
use bratt::nn::models;
use bratt::prelude::{Fractions, Splits, Trainer};
use bratt::random::{Purpose, Stream};
use bratt::report::RunFolder;
use bratt::train::Listeners;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["data", folder] => write(folder.as_ref(), 60_000),
        ["data", folder, images] => write(folder.as_ref(), images.parse()?),
        [how @ ("bare" | "written"), folder, epochs, threads] => {
            println!("{}", train(how, folder.as_ref(), epochs.parse()?, threads.parse()?)?);
            Ok(())
        }
        [] => {
            let folder = tempfile::tempdir()?;
            write(folder.path(), 6_000)?;
            for how in ["bare", "written"] {
                println!("{how:<8} {:.3} s", train(how, folder.path(), 2, 2)?);
            }
            Ok(())
        }
        _ => Err("expected: data DIR [IMAGES], or bare|written DIR EPOCHS THREADS".into()),
    }
}

/// Which pixels are trained on does not matter to time.
fn write(folder: &Path, images: usize) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut stream = Stream::new(1, Purpose::Noise, 0);
    for (name, n) in [("train", images), ("t10k", images / 6)] {
        let count = u32::try_from(n)?.to_be_bytes();
        let side = 28u32.to_be_bytes();
        let mut pixels = [&[0, 0, 8, 3], &count[..], &side[..], &side[..]].concat();
        pixels.extend((0..n * 784).map(|_| stream.below(256) as u8));
        let mut labels = [&[0, 0, 8, 1], &count[..]].concat();
        labels.extend((0..n).map(|_| stream.below(10) as u8));
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), pixels)?;
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels)?;
    }
    Ok(())
}

fn train(how: &str, data: &Path, epochs: usize, threads: usize) -> Result<f64, Box<dyn Error>> {
    let splits = Splits::new(open(data, &Options::default())?.train, Fractions::default(), 1)?;
    let mlp = models::by_name("mlp", &[28, 28, 1], 10)?;
    let trainer = Trainer::new(mlp).batch_size(128).epochs(epochs).threads(threads).seed(1);
    let begin = Instant::now();
    if how == "bare" {
        trainer.fit_with(&splits, &mut Listeners::default())?;
        return Ok(begin.elapsed().as_secs_f64());
    }
    let folder = RunFolder::at(data.join("written"))?;
    let begin = Instant::now();
    folder.write(RunFolder::CONFIG, "")?;
    folder.write_data(&splits)?;
    let (mut events, mut metrics, mut checkpoints) =
        (folder.events()?, folder.metrics(&[])?, folder.checkpoints()?);
    let mut all = Listeners(vec![&mut events, &mut metrics, &mut checkpoints]);
    trainer.fit_with(&splits, &mut all)?;
    checkpoints.finish()?;
    events.finish()?;
    metrics.finish()?;
    let seconds = begin.elapsed().as_secs_f64();
    fs::remove_dir_all(folder.path())?;
    Ok(seconds)
}
