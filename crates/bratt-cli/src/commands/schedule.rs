//! `bratt schedule SPEC`

use crate::args::ScheduleArgs;
use crate::failure::Failure;
use crate::spec::{self, Training};
use std::io::Write;

/// Prints the schedule as a plot and a table, or all its values as JSON.
pub fn run(args: &ScheduleArgs) -> Result<(), Failure> {
    if args.steps == 0 || args.steps_per_epoch == 0 {
        return Err(Failure::configuration("--steps and --steps-per-epoch: found 0, expected at least 1"));
    }
    let training = Training { rate: args.lr, steps: args.steps, steps_per_epoch: args.steps_per_epoch };
    let schedule = spec::parse(&args.spec, training)?;
    let mut out = anstream::stdout();
    if args.json {
        let rates: Vec<f64> = (0..args.steps).map(|step| schedule.at(step)).collect();
        let json = serde_json::json!({ "schedule": schedule.to_string(), "rates": rates });
        writeln!(out, "{json}")?;
        return Ok(());
    }
    writeln!(out, "{schedule}\n")?;
    write!(out, "{}", schedule.plot(args.steps, 64, 12))?;
    writeln!(out, "\n{:>10}  {:>12}", "step", "rate")?;
    for (step, rate) in schedule.table(args.steps, 11) {
        writeln!(out, "{step:>10}  {:>12}", crate::terminal::rate(rate))?;
    }
    Ok(())
}
