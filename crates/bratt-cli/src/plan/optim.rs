//! How the weights are moved: the optimiser and its schedules.

use crate::failure::Failure;
use crate::settings::{Origin, Settings};
use crate::spec::{self, Training};
use bratt::names::{hint, nearest};
use bratt::optim::{Optimizer, Rule};
use bratt::schedule::Schedule;
use bratt::train::{RateRange, starting_rate};

/// How the weights are moved.
#[derive(Debug)]
pub struct OptimPlan {
    /// The update equations.
    pub optimizer: Optimizer,
    /// The learning rate.
    pub schedule: Schedule,
    /// The momentum, where it changes.
    pub momentum: Option<Schedule>,
    /// The rate that the schedule was made with.
    pub rate: f64,
    /// Whether that only stands in for one that is to be found by trying.
    pub search: bool,
}

/// Asks for a learning rate that is found by trying.
pub const AUTO: &str = "auto";

/// A training of fewer steps is not worth the steps of a search.
fn least_steps() -> u64 {
    RateRange::default().steps as u64
}

/// The learning rate as it was asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rate {
    /// Nobody said.
    Unsaid,
    /// This one.
    Given(f64),
    /// One that is found by trying.
    Auto,
}

/// What is asked for as the learning rate.
///
/// # Errors
/// Neither a number above 0 nor `auto`.
fn rate(settings: &Settings) -> Result<Rate, Failure> {
    let wrong = || settings.invalid("optim.lr", "a number above 0, or auto");
    match settings.given::<f64>("optim.lr") {
        Ok(None) => Ok(Rate::Unsaid),
        Ok(Some(rate)) if rate > 0.0 => Ok(Rate::Given(rate)),
        Ok(Some(_)) => Err(wrong()),
        Err(_) => match settings.given::<String>("optim.lr") {
            Ok(Some(word)) if word == AUTO => Ok(Rate::Auto),
            Ok(Some(word)) => Err(match nearest(&word, [AUTO]) {
                Some(_) => wrong().help(hint(&word, &[AUTO])),
                None => wrong(),
            }),
            _ => Err(wrong()),
        },
    }
}

/// The optimiser and its schedules, for a training of so many epochs. Where the rate is to be searched for, it is `found`;
/// before that, the usual one stands in for it.
///
/// # Errors
/// An unknown name, a number out of its range.
pub fn optim(
    settings: &Settings,
    epochs: u64,
    steps_per_epoch: u64,
    found: Option<f64>,
) -> Result<OptimPlan, Failure> {
    let name = settings.get("optim.type", "adam".to_string())?;
    let mut optimizer = Optimizer::by_name(&name).map_err(|error| {
        Failure::configuration(format!("optim.type ({}): {error}", settings.origin("optim.type")))
    })?;
    let spec = settings.get("optim.schedule", "linear".to_string())?;
    let (usual, reason) = match spec.as_str() {
        "linear" => (starting_rate(&optimizer), format!("twice what is usual for {name}, as it falls")),
        _ => (optimizer.default_learning_rate(), format!("usual for {name}")),
    };
    let span = match settings.given::<u64>("optim.schedule_epochs")? {
        Some(0) => return Err(settings.invalid("optim.schedule_epochs", "at least 1")),
        span => span.unwrap_or(epochs),
    };
    let steps = span.saturating_mul(steps_per_epoch);
    let with = |rate| spec::parse(&spec, Training { rate, steps, steps_per_epoch });
    // Many schedules say their rates themselves.
    let wanted = with(usual)? != with(2.0 * usual)?;
    let long = epochs.saturating_mul(steps_per_epoch) >= least_steps();
    let (rate, search) = match (rate(settings)?, found) {
        (Rate::Given(rate), _) => (rate, false),
        (_, Some(found)) => (found, false),
        (Rate::Auto, None) => (usual, true),
        (Rate::Unsaid, None) if wanted && long => (usual, true),
        (Rate::Unsaid, None) => (settings.decide("optim.lr", usual, Origin::Chosen(reason)), false),
    };
    let schedule = with(rate)?;

    let mut momentum = None;
    if let Rule::Momentum(_) | Rule::Nesterov(_) = optimizer.rule {
        let constant = settings.given::<f64>("optim.momentum");
        let mut constant_mu = None;
        match constant {
            Ok(value) => constant_mu = value,
            Err(_) => {
                if let Some(spec) = settings.given::<String>("optim.momentum")? {
                    momentum = Some(spec::parse(&spec, Training { rate: 0.5, steps, steps_per_epoch })?);
                }
            }
        }
        let (mu, scheduled) = match &mut optimizer.rule {
            Rule::Momentum(rule) => (&mut rule.mu, &mut rule.scheduled),
            Rule::Nesterov(rule) => (&mut rule.mu, &mut rule.scheduled),
            _ => unreachable!("only these two have a momentum"),
        };
        *scheduled = momentum.is_some();
        *mu = constant_mu.unwrap_or(*mu);
        if momentum.is_none() {
            settings.get("optim.momentum", *mu)?;
        }
    }
    let number = |name| settings.given::<f64>(name);
    match &mut optimizer.rule {
        Rule::Sgd(_) | Rule::Momentum(_) | Rule::Nesterov(_) => {}
        Rule::AdaGrad(rule) => rule.epsilon = number("optim.epsilon")?.unwrap_or(rule.epsilon),
        Rule::RmsProp(rule) => {
            rule.rho = number("optim.rho")?.unwrap_or(rule.rho);
            rule.epsilon = number("optim.epsilon")?.unwrap_or(rule.epsilon);
        }
        Rule::Adam(rule) => {
            rule.rho1 = number("optim.rho1")?.unwrap_or(rule.rho1);
            rule.rho2 = number("optim.rho2")?.unwrap_or(rule.rho2);
            rule.epsilon = number("optim.epsilon")?.unwrap_or(rule.epsilon);
        }
        Rule::AdamW(rule) => {
            rule.rho1 = number("optim.rho1")?.unwrap_or(rule.rho1);
            rule.rho2 = number("optim.rho2")?.unwrap_or(rule.rho2);
            rule.epsilon = number("optim.epsilon")?.unwrap_or(rule.epsilon);
        }
    }
    let decay = optimizer.effective_weight_decay();
    let decay = settings.get("optim.weight_decay", decay)?;
    if optimizer.effective_weight_decay() != decay {
        optimizer = optimizer.weight_decay(decay);
    }
    // 0 stands for no limit, so that a configuration can say so.
    if let Some(limit) = number("optim.clip_norm")?.filter(|&limit| limit != 0.0) {
        optimizer = optimizer.clip_norm(limit);
    }
    if let Some(limit) = number("optim.clip_value")?.filter(|&limit| limit != 0.0) {
        optimizer = optimizer.clip_value(limit);
    }
    if let Some(kept) = number("optim.average")?.filter(|&kept| kept != 0.0) {
        optimizer = optimizer.average(kept);
    }
    optimizer.check().map_err(|error| Failure::configuration(format!("optim.{error}")))?;
    Ok(OptimPlan { optimizer, schedule, momentum, rate, search })
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
    fn a_wrong_choice_is_answered_with_the_nearest() {
        let text = optim(&settings(&["optim.type=adm"]), 1, 1, None).unwrap_err().text();
        assert!(text.contains("did you mean `adam`?"), "{text}");
    }

    #[test]
    fn momentum_is_a_number_or_a_schedule() {
        let plan = optim(&settings(&["optim.type=nesterov", "optim.momentum=0.8"]), 1, 10, None).unwrap();
        assert!(plan.momentum.is_none() && plan.optimizer.describe().contains("0.8"));
        let growing = "optim.momentum=linear,from=0.5,to=0.99";
        let plan = optim(&settings(&["optim.type=momentum", growing]), 2, 10, None).unwrap();
        assert_eq!(plan.momentum, Some(Schedule::linear(0.5, 0.99, 20)));
        assert!(plan.optimizer.schedules_momentum());
    }

    #[test]
    fn a_rate_is_given_usual_or_searched_for() {
        let searches = |set: &[&str], epochs| {
            let settings = settings(set);
            let plan = optim(&settings, epochs, 10, None).unwrap();
            (plan.search, plan.rate, settings.to_toml().contains("lr = "))
        };
        assert_eq!(searches(&["optim.lr=1"], 100), (false, 1.0, true));
        assert_eq!(searches(&[], 100), (true, 2e-3, false));
        assert_eq!(searches(&[], 13), (false, 2e-3, true), "140 rates for 130 steps");
        assert_eq!(searches(&["optim.schedule=cosine,from=0.1"], 100), (false, 1e-3, true));
        assert_eq!(searches(&["optim.lr=auto"], 1), (true, 2e-3, true));
        let plan = optim(&settings(&["optim.lr=auto"]), 1, 10, Some(0.025)).unwrap();
        assert_eq!((plan.schedule.at(0), plan.search), (0.025, false));
        for (set, word) in [("optim.lr=auot", "did you mean `auto`?"), ("optim.lr=fast", "or auto")] {
            let text = rate(&settings(&[set])).unwrap_err().text();
            assert!(text.contains(word) && text.contains("optim.lr: found"), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_name_their_key() {
        for (set, key) in
            [("optim.lr=0", "optim.lr"), ("optim.rho1=1.5", "rho1"), ("optim.clip_norm=-1", "clip_norm")]
        {
            let text = optim(&settings(&[set]), 1, 1, None).unwrap_err().text();
            assert!(text.contains(key), "{text}");
        }
    }
}
