//! Trains a classifier on the digits inside the library, judges it, saves it, and reads one digit with it:
//! `cargo run --release -p bratt --example train_digits -- [SEEDS [EPOCHS]]`.

use bratt::nn::models;
use bratt::prelude::*;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let (seeds, epochs) = (numbers.next().unwrap_or(Ok(1))?, numbers.next().unwrap_or(Ok(30))?);
    let mut accuracies = Vec::new();
    for seed in 7..7 + seeds as u64 {
        let data = Splits::new(bratt::data::digits(), Fractions::default(), seed)?;
        let model = models::by_name("mlp", &[8, 8, 1], data.classes().len())?;
        let trainer = Trainer::new(model).optimizer(Adam::default()).epochs(epochs).batch_size(64).seed(seed);
        let run = trainer.fit_with(&data, &mut |event: &Event| {
            if let Event::Epoch(end) = event
                && (end.epoch % 10 == 0 || end.epoch == 1)
            {
                let accuracy = end.validation.and_then(|v| v.accuracy).unwrap_or_default();
                println!("epoch {:>3}  loss {:.4}  validation {accuracy:.3}", end.epoch, end.train_loss);
            }
        })?;
        let test = run.evaluate(data.test())?;
        println!("seed {seed}, {:.2} s: {test}", run.seconds());
        accuracies.extend(test.accuracy());

        let folder = std::env::temp_dir().join(format!("bratt-train-digits-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let path = folder.join("digits.safetensors");
        run.model().save(&path)?;
        let predictor = TrainedModel::load(&path)?.predictor()?;
        std::fs::remove_dir_all(&folder)?;

        let (mut image, mut label) = (vec![0.0; 64], [0.0]);
        data.data().gather_into(&data.test().indices()[..1], &mut image, &mut label);
        let prediction = &predictor.predict(&image)?[0];
        println!("a {} is read as {} ({:.3})", label[0], prediction.name, prediction.probability);
    }
    println!("mean accuracy of {seeds}: {:.4}", accuracies.iter().sum::<f64>() / accuracies.len() as f64);
    Ok(())
}
