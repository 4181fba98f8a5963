//! What is chosen by looking at the data: how much classes count, how many examples a step has; and what is monitored.

use super::at_least_one;
use crate::failure::Failure;
use crate::settings::{Origin, Settings};
use bratt::names::hint;
use bratt::train::{Balance, Monitor};

/// The usual number of examples in a step.
const BATCH: u64 = 64;
/// The least that is chosen.
const LEAST_BATCH: u64 = 16;
/// Steps of an epoch that are wanted at least.
const STEPS: u64 = 5;

/// How much classes count.
#[derive(Clone, Copy, Debug)]
pub struct BalancePlan {
    /// How much.
    pub balance: Balance,
    /// The largest class has so many times the examples of the smallest.
    pub ratio: f64,
}

impl BalancePlan {
    /// What it is, in words; empty where every example counts the same and nobody asked for it.
    pub fn about(&self, chosen: bool) -> String {
        let what = match self.balance {
            Balance::None => "every example counts the same",
            Balance::Weights => "weights, so that all classes count the same",
            Balance::SqrtWeights => "square-root weights, so that small classes count more",
            Balance::Sampling => "drawn so that they come equally often",
        };
        match (chosen, self.balance) {
            (true, Balance::None) => String::new(),
            _ => format!("{what}; the largest has {} times the examples of the smallest", times(self.ratio)),
        }
    }
}

/// How much classes count, by their numbers of training examples; none for regression.
///
/// # Errors
/// An unknown name.
pub fn balance(settings: &Settings, counts: &[usize]) -> Result<BalancePlan, Failure> {
    let ratio = Balance::imbalance(counts);
    if counts.is_empty() {
        // Read where it is set, so that the trainer refuses it by name.
        let name = settings.given::<String>("data.balance")?;
        let balance = name.map_or(Ok(Balance::None), |name| balance_named(settings, &name))?;
        return Ok(BalancePlan { balance, ratio });
    }
    let suited = Balance::suited(counts);
    let has = format!("has {} times the examples of the smallest", times(ratio));
    let why = match suited {
        Balance::None if ratio < 1.05 => "classes are equally large".into(),
        Balance::None => format!("the largest class {has}"),
        _ => format!("classes are unequal: the largest {has}"),
    };
    let name = settings.get_or("data.balance", suited.name().to_string(), Origin::Chosen(why))?;
    Ok(BalancePlan { balance: balance_named(settings, &name)?, ratio })
}

fn balance_named(settings: &Settings, name: &str) -> Result<Balance, Failure> {
    Balance::by_name(&name.replace('_', "-")).ok_or_else(|| {
        settings
            .invalid("data.balance", "none, weights, sqrt-weights or sampling")
            .help(hint(name, &Balance::NAMES))
    })
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

/// What decides which epoch is kept.
///
/// # Errors
/// An unknown name.
pub fn monitor(settings: &Settings) -> Result<Monitor, Failure> {
    let name = settings.get("train.monitor", Monitor::default().name().to_string())?;
    Monitor::by_name(&name.replace('-', "_")).ok_or_else(|| {
        settings
            .invalid("train.monitor", "val_loss, accuracy, macro_f1 or balanced_accuracy")
            .help(hint(&name, &Monitor::NAMES))
    })
}

/// How many examples a step has, for a training part of so many: 64, or the largest power of two from 16 on that leaves 5
/// steps in an epoch. On a hundred clothes or irises that is a point or two of accuracy; from 300 on it is none, and larger
/// steps are faster.
///
/// # Errors
/// A setting that is no number of at least 1.
pub fn batch_size(settings: &Settings, examples: usize) -> Result<u64, Failure> {
    let mut size = BATCH;
    while size > LEAST_BATCH && (examples as u64) < STEPS * size {
        size /= 2;
    }
    if size == BATCH {
        return at_least_one(settings, "train.batch_size", BATCH);
    }
    let why = format!("{examples} examples are few, and small steps make more of them");
    match settings.get_or("train.batch_size", size, Origin::Chosen(why))? {
        0 => Err(settings.invalid("train.batch_size", "at least 1")),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::TrainArgs;

    fn settings(set: &[&str]) -> Settings {
        let set = set.iter().map(ToString::to_string).collect();
        Settings::collect(&TrainArgs { set, ..TrainArgs::default() }).unwrap()
    }

    #[test]
    fn unequal_classes_get_weights_and_the_reason_is_noted() {
        let with = settings(&[]);
        let plan = balance(&with, &[500, 480, 20]).unwrap();
        assert_eq!(plan.balance, Balance::SqrtWeights);
        assert!(plan.about(true).contains("25 times"), "{}", plan.about(true));
        assert!(with.to_toml().contains("balance = \"sqrt-weights\""), "{}", with.to_toml());
        assert!(
            with.to_toml().contains("# classes are unequal: the largest has 25 times"),
            "{}",
            with.to_toml()
        );

        let plan = balance(&settings(&[]), &[500, 480, 470]).unwrap();
        assert_eq!((plan.balance, plan.about(true)), (Balance::None, String::new()));
        let asked = balance(&settings(&["data.balance=none"]), &[500, 20]).unwrap();
        assert_eq!(asked.balance, Balance::None);
        assert!(asked.about(false).contains("every example counts the same"));
    }

    #[test]
    fn unknown_names_are_answered_with_the_nearest() {
        let text = balance(&settings(&["data.balance=weight"]), &[1, 2]).unwrap_err().text();
        assert!(text.contains("did you mean `weights`?") && text.contains("--set"), "{text}");
        let text = monitor(&settings(&["train.monitor=acuracy"])).unwrap_err().text();
        assert!(text.contains("did you mean `accuracy`?"), "{text}");
        let monitored = monitor(&settings(&["train.monitor=balanced-accuracy"])).unwrap();
        assert_eq!(monitored, Monitor::BalancedAccuracy);
    }

    #[test]
    fn small_data_has_small_steps() {
        let size = |examples| batch_size(&settings(&[]), examples).unwrap();
        assert_eq!([2, 100, 159, 160, 319, 320, 60_000].map(size), [16, 16, 16, 32, 32, 64, 64]);
        let with = settings(&["train.batch_size=100"]);
        assert_eq!(batch_size(&with, 50).unwrap(), 100);
        assert!(batch_size(&settings(&["train.batch_size=0"]), 50).is_err());
        let chosen = settings(&[]);
        batch_size(&chosen, 200).unwrap();
        assert!(chosen.to_toml().contains("# 200 examples are few"), "{}", chosen.to_toml());
    }
}
