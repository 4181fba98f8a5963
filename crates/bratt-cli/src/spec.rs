//! Schedules as one word: a kind and its settings, divided by commas, as `linear,from=1e-3,to=1e-5,steps=2000`.
//!
//! What the text leaves out follows from the training: the rate to start from, and its length. Lengths may be given in
//! epochs. `warm_up=N` puts a linear rise of N steps before any kind; lengths that are not given then end with the
//! training, too.

use crate::failure::Failure;
use bratt::names::hint;
use bratt::schedule::Schedule;
use std::collections::BTreeMap;

/// What a schedule may leave out.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// The rate to start from, or the peak.
    pub rate: f64,
    /// Length of the training in steps.
    pub steps: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    Linear,
    Step,
    Exponential,
    Cosine,
    OneCycle,
    Sutskever,
}

/// Each kind with its name and its settings.
const KINDS: &[(&str, Kind, &[&str])] = &[
    ("constant", Kind::Constant, &["rate"]),
    ("linear", Kind::Linear, &["from", "to", "steps", "epochs"]),
    ("step", Kind::Step, &["rate", "factor", "every", "every_epochs"]),
    ("exponential", Kind::Exponential, &["rate", "factor", "every", "every_epochs"]),
    ("cosine", Kind::Cosine, &["from", "to", "steps", "epochs"]),
    ("one_cycle", Kind::OneCycle, &["peak", "steps", "epochs", "rise"]),
    ("sutskever", Kind::Sutskever, &["max"]),
];

/// Reads a schedule.
///
/// # Errors
/// An unknown kind or setting with the nearest spelling, a setting that is not a number or out of its range.
pub fn parse(text: &str, training: Training) -> Result<Schedule, Failure> {
    let mut parts = text.split(',').map(str::trim);
    let name = parts.next().unwrap_or("").replace('-', "_");
    let names: Vec<&str> = KINDS.iter().map(|k| k.0).collect();
    let Some(&(kind_name, kind, allowed)) = KINDS.iter().find(|k| k.0 == name) else {
        let message = format!("schedule `{text}`: no kind of schedule is named `{name}`");
        return Err(Failure::configuration(message).help(hint(&name, &names)));
    };
    let mut given = BTreeMap::new();
    for part in parts {
        let Some((name, value)) = part.split_once('=').map(|(n, v)| (n.trim(), v.trim())) else {
            return Err(Failure::configuration(format!(
                "schedule `{text}`: found `{part}`, expected key=value"
            )));
        };
        let known: Vec<&str> = allowed.iter().chain(&["warm_up", "warm_up_epochs"]).copied().collect();
        if !known.contains(&name) {
            let message = format!("schedule `{text}`: {kind_name} has no setting `{name}`");
            return Err(Failure::configuration(message).help(hint(name, &known)));
        }
        let number: f64 = value.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| {
            Failure::configuration(format!("schedule `{text}`: found {name} = `{value}`, expected a number"))
        })?;
        given.insert(name, number);
    }

    let of_steps = |steps: &str, epochs: &str, default: u64| match (given.get(steps), given.get(epochs)) {
        (Some(_), Some(_)) => Err(Failure::configuration(format!(
            "schedule `{text}`: found both {steps} and {epochs}, expected one"
        ))),
        (Some(&n), None) if n < 0.0 || n.fract() != 0.0 => Err(Failure::configuration(format!(
            "schedule `{text}`: found {steps} = {n}, expected a whole number of at least 0"
        ))),
        (Some(&n), None) => Ok(n as u64),
        (None, Some(&n)) => Ok((n * training.steps_per_epoch as f64).round() as u64),
        (None, None) => Ok(default),
    };
    let number = |name: &str, default: f64| given.get(name).copied().unwrap_or(default);
    let warm_up = of_steps("warm_up", "warm_up_epochs", 0)?;
    let rest = training.steps.saturating_sub(warm_up).max(1);
    let rate = training.rate;
    let steps = || of_steps("steps", "epochs", rest);
    let every = |default| of_steps("every", "every_epochs", default);
    let schedule = match kind {
        Kind::Constant => Schedule::constant(number("rate", rate)),
        Kind::Linear => {
            let from = number("from", rate);
            Schedule::linear(from, number("to", 0.01 * from), steps()?)
        }
        Kind::Cosine => Schedule::cosine(number("from", rate), number("to", 0.0), steps()?),
        Kind::Step => Schedule::Step {
            rate: number("rate", rate),
            factor: number("factor", 0.1),
            every: every(rest.div_ceil(3))?,
        },
        Kind::Exponential => Schedule::Exponential {
            rate: number("rate", rate),
            factor: number("factor", 0.95),
            every: every(training.steps_per_epoch.max(1))?,
        },
        Kind::OneCycle => {
            Schedule::OneCycle { peak: number("peak", rate), steps: steps()?, rise: number("rise", 0.3) }
        }
        Kind::Sutskever => Schedule::Sutskever { max: number("max", 0.99) },
    };
    let schedule = if warm_up > 0 { schedule.warmed_up(warm_up) } else { schedule };
    schedule.check().map_err(|error| Failure::configuration(format!("schedule `{text}`: {error}")))?;
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: Training = Training { rate: 0.1, steps: 1000, steps_per_epoch: 100 };

    fn parsed(text: &str) -> Schedule {
        parse(text, TRAINING).unwrap()
    }

    fn fault(text: &str) -> String {
        parse(text, TRAINING).unwrap_err().text()
    }

    #[test]
    fn what_is_left_out_follows_from_the_training() {
        assert_eq!(parsed("constant"), Schedule::constant(0.1));
        assert_eq!(parsed("linear"), Schedule::linear(0.1, 0.001, 1000));
        assert_eq!(parsed("cosine,from=1,to=0.5,steps=10"), Schedule::cosine(1.0, 0.5, 10));
        assert_eq!(parsed("one-cycle"), Schedule::one_cycle(0.1, 1000));
    }

    #[test]
    fn lengths_may_be_in_epochs_and_warm_up_is_part_of_the_training() {
        assert_eq!(parsed("linear,epochs=2.5"), Schedule::linear(0.1, 0.001, 250));
        let warm = parsed("cosine,warm_up_epochs=2");
        assert_eq!(warm, Schedule::cosine(0.1, 0.0, 800).warmed_up(200));
        assert_eq!((warm.at(200), warm.at(1000)), (0.1, 0.0));
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_spelling() {
        assert!(fault("cosin").contains("did you mean `cosine`?"));
        assert!(fault("linear,form=1").contains("linear has no setting `form`"));
        assert!(fault("linear,form=1").contains("did you mean `from`?"));
        assert!(fault("linear,from").contains("expected key=value"));
        assert!(fault("linear,to=little").contains("expected a number"));
        assert!(fault("linear,steps=1.5").contains("whole number"));
        assert!(fault("linear,steps=5,epochs=1").contains("both steps and epochs"));
        assert!(fault("one_cycle,rise=2").contains("a share from 0 to 1"));
    }
}
