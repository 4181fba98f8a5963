//! A table of one's own: exclusive or, which no linear model can learn and two layers can.

use bratt::data::{Dataset, Features, Split, Targets};
use bratt::prelude::*;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let points = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let features = Features::Table { values: points.clone(), columns: vec!["a".into(), "b".into()] };
    let targets = Targets::Classes { labels: vec![0, 1, 1, 0], names: vec!["same".into(), "other".into()] };
    let data = Dataset::new("xor", vec![2], features, targets)?;
    // Four points are the whole world here, so there is nothing to hold back.
    let split = Split { train: vec![0, 1, 2, 3], ..Split::default() };
    let data = Splits::from_parts(data, split, None)?;

    let linear = Sequential::new(Input::features(2)).dense(2);
    let two_layers = Sequential::new(Input::features(2)).dense(8).tanh().dense(2);
    for (name, model) in [("linear", linear), ("two layers", two_layers)] {
        let run = Trainer::new(model).learning_rate(0.05).epochs(300).batch_size(4).threads(1).fit(&data)?;
        let accuracy = run.evaluate(data.train())?.accuracy().unwrap_or_default();
        println!("{name}: {:.0} % of the four points", 100.0 * accuracy);
        for (point, prediction) in points.chunks(2).zip(run.model().predictor()?.predict(&points)?) {
            println!("  {point:?} -> {} ({:.3})", prediction.name, prediction.probability);
        }
    }
    Ok(())
}
