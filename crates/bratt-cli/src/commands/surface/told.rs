//! What the program says of a surface: tables for people, JSON for programs.

use crate::args::SurfaceArgs;
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, counted, percent, rate};
use bratt::optim::Rule;
use bratt::schedule::Schedule;
use bratt::surface::{Run, Surface, Variant};
use serde_json::{Value, json};

/// Every iterate of every optimizer. Numbers have as many digits as they need to be read back exactly.
pub fn json(surface: &Surface) -> Value {
    let variants: Vec<Value> = surface.variants.iter().map(of_variant).collect();
    json!({
        "title": surface.title,
        "notes": surface.notes,
        "steps": surface.steps,
        "variants": variants,
        "conclusion": surface.conclusion(),
    })
}

fn of_variant(variant: &Variant) -> Value {
    let ground = &variant.ground;
    let runs: Vec<Value> = variant.runs.iter().map(|run| of_run(variant, run)).collect();
    json!({
        "name": ground.problem.name(),
        "parameters": ground.problem.parameters(),
        "start": ground.start,
        "cost": ground.cost,
        "curvature": ground.curvature,
        "condition": ground.condition(),
        "minimum": ground.minimum,
        "least": ground.least,
        "range": variant.range,
        "runs": runs,
    })
}

fn of_run(variant: &Variant, run: &Run) -> Value {
    let method = &run.method;
    let gradients: Vec<Vec<f64>> = run
        .path
        .gradients
        .iter()
        .map(|both| both.iter().flat_map(|one| one.data()).copied().collect())
        .collect();
    json!({
        "optimizer": method.optimizer.name(),
        "settings": method.optimizer,
        "rate": run.rate,
        "why": run.why,
        "schedule": method.schedule,
        "momentum_schedule": method.momentum,
        "iterates": run.points().collect::<Vec<_>>(),
        "costs": run.path.costs,
        "gradients": gradients,
        "rates": run.path.rates,
        "momenta": run.path.momenta,
        "diverged": run.path.diverged,
        "steps_to_1_percent": variant.steps_to_1_percent(run),
        "turns": variant.turns(run),
        "left": variant.left(run),
    })
}

/// The tables.
pub fn tell(surface: &Surface, args: &SurfaceArgs, terminal: &mut Terminal) {
    terminal.say(&format!("{DIM}surface  {PLAIN}{}", surface.title));
    for note in &surface.notes {
        terminal.say(&format!("         {note}"));
    }
    let schedule = args.schedule.as_deref().unwrap_or("constant");
    let momentum = surface.variants.iter().flat_map(|variant| &variant.runs).find_map(momentum_of);
    let momentum = momentum.map_or(String::new(), |mu| format!(", momentum {mu}"));
    let line = format!("{}, rates {schedule}{momentum}", counted(args.steps, "step"));
    terminal.say(&flagged("steps", &line, "--steps --schedule --momentum"));
    for variant in &surface.variants {
        terminal.say("");
        if surface.variants.len() > 1 {
            terminal.say(&format!("{BOLD}{}{PLAIN}", variant.ground.problem.name()));
        }
        for line in introduction(variant) {
            terminal.say(&line);
        }
        terminal.say("");
        let head = format!(
            "{:<10}{:>9}  {:<34}{:>12}{:>8}{:>7}{:>10}",
            "optimizer", "rate", "why (--lr)", "cost at end", "to 1 %", "turns", "distance"
        );
        terminal.result(&format!("{DIM}{head}{PLAIN}"));
        for run in &variant.runs {
            terminal.result(&row(variant, run));
        }
    }
    terminal.say("");
    for sentence in surface.conclusion() {
        terminal.say(&wrapped("shows", &sentence));
    }
}

fn momentum_of(run: &Run) -> Option<String> {
    if let Some(schedule) = &run.method.momentum {
        return Some(schedule.to_string());
    }
    match &run.method.optimizer.rule {
        Rule::Momentum(rule) => Some(rule.mu.to_string()),
        Rule::Nesterov(rule) => Some(rule.mu.to_string()),
        _ => None,
    }
}

fn introduction(variant: &Variant) -> Vec<String> {
    let ground = &variant.ground;
    let names = ground.problem.parameters();
    let pair = |at: [f64; 2]| format!("{} {}, {} {}", names[0], number(at[0]), names[1], number(at[1]));
    let start = format!("{}; cost {}", pair(ground.start), number(ground.cost));
    let mut lines = vec![flagged("start", &start, "--start")];
    lines.extend(ground.why_there.map(|why| format!("         {why}")));
    let [most, least] = ground.curvature.map(number);
    let condition = ground.condition().map_or(String::new(), |c| format!("; condition number {}", number(c)));
    lines.push(format!("{DIM}curved   {PLAIN}\u{3bb}1 {most}, \u{3bb}2 {least} at the start{condition}"));
    lines.push(match (ground.minimum, ground.least) {
        (Some(at), Some(least)) => format!("{DIM}minimum  {PLAIN}{}; cost {}", pair(at), number(least)),
        _ => format!("{DIM}minimum  {PLAIN}none was found"),
    });
    lines
}

fn row(variant: &Variant, run: &Run) -> String {
    let steps = match (variant.steps_to_1_percent(run), run.path.diverged) {
        (Some(steps), _) => steps.to_string(),
        (None, Some(_)) => "never".into(),
        (None, None) => format!(">{}", run.path.rates.len()),
    };
    let left = match run.path.diverged {
        Some(step) => format!("inf at {step}"),
        None => variant.left(run).map_or("-".into(), left_over),
    };
    let why = match run.method.schedule {
        Schedule::Constant { .. } => run.why.clone(),
        _ => format!("{}, at first", run.why),
    };
    format!(
        "{:<10}{:>9}  {:<34}{:>12}{:>8}{:>7}{:>10}",
        run.method.optimizer.name(),
        rate(run.rate),
        why,
        number(run.last_cost()),
        steps,
        variant.turns(run),
        left
    )
}

/// A share of the way that is left; what diverged has a power of ten.
fn left_over(share: f64) -> String {
    if share < 1e4 { percent(share) } else { format!("{:.1e} %", 100.0 * share) }
}

/// A line with the flags that change it at its end.
fn flagged(name: &str, text: &str, flags: &str) -> String {
    format!("{DIM}{name:<9}{PLAIN}{text:<58}  {DIM}{flags}{PLAIN}")
}

/// Words over several lines of at most 98 columns.
fn wrapped(name: &str, text: &str) -> String {
    let mut out = format!("{DIM}{name:<9}{PLAIN}");
    let mut column = 9;
    for word in text.split(' ') {
        let width = word.chars().count() + 1;
        if column + width > 98 {
            out += "\n         ";
            column = 9;
        } else if column > 9 {
            out.push(' ');
        }
        out += word;
        column += width;
    }
    out
}

/// A number of four digits.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e6).contains(&size) => format!("{x:.2e}"),
        size if size >= 1000.0 => format!("{x:.0}"),
        size => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{x:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
        }
    }
}
