//! `bratt surface`

mod told;

use super::trace;
use crate::args::{Global, SurfaceArgs, SurfaceModel, TrainArgs};
use crate::failure::{Exit, Failure};
use crate::plan::{self, OptimPlan};
use crate::settings::Settings;
use crate::terminal::{DIM, PLAIN, Terminal, To};
use bratt::data::Columns;
use bratt::descent::Method;
use bratt::expr::Expression;
use bratt::names::hint;
use bratt::optim::{NAMES, Optimizer};
use bratt::report::RunFolder;
use bratt::surface::{BUILT_IN, Chosen, Ground, Model, Points, Problem, Surface, SurfaceError};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// Keys that `--set` may have; the others have flags.
const SETTABLE: [&str; 4] = ["optim.rho", "optim.rho1", "optim.rho2", "optim.epsilon"];

/// Lets the optimizers run and shows how; the number is the exit code.
pub fn run(args: &SurfaceArgs, global: Global) -> Result<u8, Failure> {
    if args.steps == 0 {
        return Err(Failure::configuration("--steps: found 0, expected at least 1"));
    }
    for path in &args.out {
        kind_of(path)?;
    }
    let names = names(&args.optim)?;
    let rates = rates(args.lr.as_deref(), &names)?;
    let start = args.start.as_deref().map(|text| numbers::<2>("--start", text)).transpose()?;
    let range = args.range.as_deref().map(|text| numbers::<4>("--range", text)).transpose()?;
    let range = range.map(|[a, b, c, d]| [[a, b], [c, d]]);
    let given = problem(args)?;
    let mut used = BTreeSet::new();
    let mut variants = Vec::new();
    for problem in given.problems {
        let ground = Ground::survey(problem, start.or(given.start)).map_err(unfit)?;
        let chosen = names
            .iter()
            .zip(&rates)
            .map(|(name, &rate)| choose(args, name, rate, &ground, &mut used))
            .collect::<Result<Vec<_>, _>>()?;
        variants.push(ground.race(chosen, args.steps, range).map_err(unfit)?);
    }
    all_used(args, &used)?;
    let surface = Surface { title: given.title, notes: given.notes, variants, steps: args.steps };

    let mut terminal = Terminal::new(global, if args.json { To::Error } else { To::Output });
    for path in &args.out {
        let contents = match kind_of(path)? {
            Kind::Svg => surface.to_svg(),
            Kind::Html => surface.to_html(env!("CARGO_PKG_VERSION"), &command_line()),
        };
        RunFolder::write_to(path, contents).map_err(|error| {
            Failure::of(Exit::Configuration, &error).help("write it elsewhere with --out")
        })?;
    }
    if args.json {
        writeln!(std::io::stdout(), "{}", told::json(&surface))?;
        return Ok(0);
    }
    told::tell(&surface, args, &mut terminal);
    for path in &args.out {
        terminal.say(&format!("{DIM}saved    {PLAIN}{}", path.display()));
    }
    Ok(0)
}

/// What is to be gone down.
struct Given {
    title: String,
    notes: Vec<String>,
    problems: Vec<Problem>,
    /// Where expressions begin unless told otherwise.
    start: Option<[f64; 2]>,
}

fn problem(args: &SurfaceArgs) -> Result<Given, Failure> {
    let points = match (&args.points, &args.data) {
        (Some(name), _) => {
            let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            Points::built_in(name).ok_or_else(|| {
                Failure::configuration(format!("--points: no points are named `{name}`"))
                    .help(hint(name, &known))
            })?
        }
        (None, Some(path)) => {
            let table = Columns::read(path).map_err(|error| Failure::data(&error))?;
            let model = match args.model {
                SurfaceModel::Linear => Model::Linear,
                SurfaceModel::Logistic => Model::Logistic,
            };
            let target = args.target.as_deref().unwrap_or("");
            Points::of_table(&table, target, &args.features, model)
                .map_err(|error| unfit(error).or_help("choose columns with --features and --target"))?
        }
        (None, None) => {
            let text = args.expression.as_deref().unwrap_or("x^2 + 20*y^2");
            let expression = Expression::parse(text).map_err(|error| trace::failed(&error))?;
            let problem = Problem::of_expression(&expression).map_err(unfit)?;
            let (title, problems) = (problem.name().to_string(), vec![problem]);
            return Ok(Given { title, notes: Vec::new(), problems, start: Some([-1.5, 1.0]) });
        }
    };
    let problems = vec![points.raw().map_err(unfit)?, points.preprocessed().map_err(unfit)?];
    Ok(Given { title: points.title, notes: points.notes, problems, start: None })
}

fn unfit(error: SurfaceError) -> Failure {
    match &error {
        SurfaceError::Points(_) => Failure::data(&error),
        SurfaceError::Expression(error) => trace::failed(error),
        SurfaceError::Parameters { .. } | SurfaceError::NoScalar { .. } => {
            Failure::new(Exit::Usage, error.to_string()).help("such as 'x^2 + 20*y^2', in quotes")
        }
        // Where in the library the graph was written is nothing to the user.
        SurfaceError::Graph(graph) => Failure::new(Exit::Usage, format!("no way down: {}", graph.problem)),
        SurfaceError::Start { .. } => Failure::data(&error).help("begin elsewhere with --start"),
        SurfaceError::Outside { .. } => {
            Failure::configuration(error.to_string()).help("choose another --start or --range")
        }
        SurfaceError::Range { .. } => Failure::configuration(format!("--range: {error}")),
        _ => Failure::of(Exit::Configuration, &error),
    }
}

fn names(text: &str) -> Result<Vec<String>, Failure> {
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(Failure::configuration("--optim: found no name").help(hint("", &NAMES)));
    }
    for (at, name) in names.iter().enumerate() {
        Optimizer::by_name(name).map_err(|error| Failure::configuration(format!("--optim: {error}")))?;
        if names[..at].contains(name) {
            return Err(Failure::configuration(format!("--optim: {name} is named twice")));
        }
    }
    Ok(names)
}

/// The rate of each optimizer, as far as they are given.
fn rates(text: Option<&str>, names: &[String]) -> Result<Vec<Option<f64>>, Failure> {
    let Some(text) = text else { return Ok(vec![None; names.len()]) };
    let number = |text: &str| -> Result<f64, Failure> {
        let rate = text.trim().parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        rate.ok_or_else(|| Failure::configuration(format!("--lr: found `{text}`, expected a number above 0")))
    };
    if !text.contains('=') {
        return Ok(vec![Some(number(text)?); names.len()]);
    }
    let mut rates = vec![None; names.len()];
    for part in text.split(',') {
        let (name, rate) = part.split_once('=').ok_or_else(|| {
            Failure::configuration(format!(
                "--lr: found `{part}`, expected optimizer=rate, as sgd=0.045,adam=0.1"
            ))
        })?;
        let at = names.iter().position(|known| known == name.trim()).ok_or_else(|| {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            Failure::configuration(format!("--lr: `{name}` is none of the chosen optimizers"))
                .help(hint(name, &known))
        })?;
        rates[at] = Some(number(rate)?);
    }
    Ok(rates)
}

fn numbers<const N: usize>(flag: &str, text: &str) -> Result<[f64; N], Failure> {
    let wrong =
        || Failure::configuration(format!("{flag}: found `{text}`, expected {N} numbers divided by commas"));
    let all: Vec<f64> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(wrong))
        .collect::<Result<_, _>>()?;
    all.try_into().map_err(|_| wrong())
}

/// An optimizer with its rates, by the words of training.
fn choose(
    args: &SurfaceArgs,
    name: &str,
    rate: Option<f64>,
    ground: &Ground,
    used: &mut BTreeSet<&'static str>,
) -> Result<Chosen, Failure> {
    let plain = Optimizer::by_name(name).map_err(|error| Failure::configuration(error.to_string()))?;
    let (rate, why) = match rate {
        Some(rate) => (rate, "--lr".to_string()),
        None => {
            let usual = ground.usual_rate(&plain);
            (usual.rate, usual.why)
        }
    };
    let momentum = || args.momentum.clone().unwrap_or_else(|| Ground::usual_momentum().to_string());
    let typed = TrainArgs {
        optimizer: Some(name.into()),
        lr: Some(rate.to_string()),
        schedule: Some(args.schedule.clone().unwrap_or_else(|| "constant".into())),
        momentum: matches!(name, "momentum" | "nesterov").then(momentum),
        weight_decay: args.weight_decay,
        clip_norm: args.clip_norm,
        clip_value: args.clip_value,
        set: args.set.clone(),
        ..TrainArgs::default()
    };
    let settings = Settings::collect(&typed)?;
    let OptimPlan { optimizer, schedule, momentum, .. } = plan::optim(&settings, 1, args.steps, None)?;
    used.extend(settings.resolved().into_iter().map(|(key, _, _)| key));
    Ok(Chosen { method: Method { optimizer, schedule, momentum }, rate, why })
}

/// What was set must have an effect on some optimizer.
fn all_used(args: &SurfaceArgs, used: &BTreeSet<&'static str>) -> Result<(), Failure> {
    let useless = |what: &str| {
        Failure::configuration(format!("{what} has no effect on the chosen optimizers"))
            .help("leave it out, or see --optim")
    };
    if args.momentum.is_some() && !used.contains("optim.momentum") {
        return Err(useless("--momentum"));
    }
    for text in &args.set {
        let key = text.split('=').next().unwrap_or("").trim();
        if !SETTABLE.contains(&key) {
            return Err(Failure::configuration(format!("--set {text}: {key} cannot be set here"))
                .help(format!("{}; the others have flags", hint(key, &SETTABLE))));
        }
        if !used.contains(key) {
            return Err(useless(&format!("--set {text}")));
        }
    }
    Ok(())
}

enum Kind {
    Svg,
    Html,
}

fn kind_of(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Ok(Kind::Svg),
        Some("html" | "htm") => Ok(Kind::Html),
        _ => Err(Failure::configuration(format!(
            "--out {}: expected a name that ends in .svg or .html",
            path.display()
        ))),
    }
}

/// What was typed, to be typed again.
fn command_line() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:+".contains(c);
    let word = |word: String| match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|given| word(given.to_string_lossy().into_owned())).collect();
    format!("bratt {}", words.join(" "))
}
