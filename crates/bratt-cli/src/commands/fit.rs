//! `bratt fit TABLE.csv --target COLUMN`

use crate::args::{FitArgs, FitModel, Global, Missing};
use crate::failure::{Exit, Failure};
use crate::spec::{self, Training};
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, To, counted, percent, rate};
use bratt::data::Columns;
use bratt::data::columns::{Cells, Column};
use bratt::descent::Method;
use bratt::optim::{Optimizer, Sgd};
use bratt::regression::{
    Coefficients, Descended, Descent, Design, Fitted, RegressionError, RegressionReport, Terms, classify,
    least_squares,
};
use bratt::report::RunFolder;
use serde_json::json;
use std::io::Write;

/// A column of numbers with at most so many different whole values may be meant as classes; two are taken as such.
const TWO: usize = 2;

/// Fits a regression to a table; the number is the exit code.
pub fn run(args: &FitArgs, global: Global) -> Result<u8, Failure> {
    let table = Columns::read(&args.table).map_err(|error| Failure::data(&error))?;
    let target = match &args.target {
        Some(name) => table.named(name).map_err(|error| Failure::data(&error))?,
        None => table.columns.last().expect("a table has a column"),
    };
    let features = features(args, &table, target)?;
    if args.degree == 0 || args.l2 < 0.0 || !args.l2.is_finite() {
        return Err(Failure::new(Exit::Usage, "expected a --degree of at least 1 and a --l2 of at least 0"));
    }
    let terms = Terms { intercept: !args.no_intercept, degree: args.degree };
    let design =
        Design::new(&table, &features, &target.name, &terms).map_err(|error| Failure::data(&error))?;
    if args.missing == Missing::Fail && !design.missing.is_empty() {
        let message = format!("{}: missing cells: {}", args.table.display(), gaps(&design));
        return Err(
            Failure::new(Exit::Data, message).help("fill them, or leave such rows out with --missing drop")
        );
    }
    let (fitted, kind, why) = fitted(args, target, &design)?;
    let descent = if args.steps == 0 { None } else { Some(descended(args, &design, &fitted)?) };

    let report = RegressionReport {
        name: args.table.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        kind,
        target: target.name.clone(),
        design,
        fitted,
        costs: descent.as_ref().map_or(Vec::new(), |(found, _)| found.costs.clone()),
        repeat: repeat(args),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    if let Some(path) = &args.out {
        let page = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => report.to_html(),
            Some("svg") => report.to_svg().ok_or_else(|| {
                Failure::configuration("there is no picture of classes over one feature or more than two")
                    .help("choose two with --features, or write a page: -o fit.html")
            })?,
            _ => {
                let message = format!("{}: expected a name that ends in .html or .svg", path.display());
                return Err(Failure::new(Exit::Usage, message));
            }
        };
        RunFolder::write_to(path, page).map_err(|error| Failure::of(Exit::Configuration, &error))?;
    }
    if args.json {
        writeln!(std::io::stdout(), "{}", as_json(&report, descent.as_ref().map(|(found, _)| found)))?;
        return Ok(0);
    }
    let mut terminal = Terminal::new(global, To::Output);
    show(args, &report, descent.as_ref(), &why, &mut terminal);
    Ok(0)
}

fn features(args: &FitArgs, table: &Columns, target: &Column) -> Result<Vec<String>, Failure> {
    let Some(wanted) = &args.features else {
        let others = table.columns.iter().filter(|column| column.name != target.name);
        return Ok(others.map(|column| column.name.clone()).collect());
    };
    for (at, name) in wanted.iter().enumerate() {
        table.named(name).map_err(|error| Failure::data(&error))?;
        if *name == target.name || wanted[..at].contains(name) {
            let why = if *name == target.name { "is the target" } else { "stands twice" };
            return Err(Failure::new(Exit::Usage, format!("--features: {name} {why}")));
        }
    }
    Ok(wanted.clone())
}

/// The exact solution, the name of its kind, and why it is that.
fn fitted(
    args: &FitArgs,
    target: &Column,
    design: &Design,
) -> Result<(Fitted, &'static str, String), Failure> {
    let unsolved = |error: RegressionError| {
        let failure = Failure::data(&error);
        match error {
            RegressionError::Rank { .. } | RegressionError::FewRows { .. } => failure.help(
                "leave columns out with --features, or make the answer unique with a penalty: --l2 1e-3",
            ),
            RegressionError::Separable => failure.help("a penalty keeps the coefficients finite: --l2 1e-2"),
            _ => failure,
        }
    };
    let (labels, classes): (Vec<usize>, Vec<String>) = match &target.cells {
        Cells::Categories { names, cells } => {
            let labels: Vec<usize> = design.rows.iter().filter_map(|&row| cells[row]).collect();
            present(labels, names)
        }
        Cells::Numbers(cells) => {
            let values: Vec<f64> = design.rows.iter().filter_map(|&row| cells[row]).collect();
            let mut different = values.clone();
            different.sort_by(f64::total_cmp);
            different.dedup();
            let linear =
                args.model == Some(FitModel::Linear) || (args.model.is_none() && different.len() > TWO);
            if linear {
                let fit = least_squares(design, &values, args.l2).map_err(unsolved)?;
                let why = if args.model.is_some() { "as asked" } else { "the target is a number" };
                return Ok((Fitted::Values { fit, targets: values }, "linear", why.into()));
            }
            let place = |x: &f64| different.partition_point(|other| other < x);
            (values.iter().map(place).collect(), different.iter().map(f64::to_string).collect())
        }
    };
    let name = &target.name;
    let classes_of = |count: usize| {
        let classes = if count == 1 { "class" } else { "classes" };
        Failure::new(Exit::Data, format!("column {name}: {count} {classes}"))
    };
    match (args.model, classes.len()) {
        (Some(FitModel::Linear), _) => {
            return Err(Failure::new(
                Exit::Data,
                format!("column {name}: text, but linear regression needs numbers"),
            )
            .help("choose another --target, or --model softmax"));
        }
        (_, 0 | 1) => return Err(classes_of(classes.len()).help("two or more are needed")),
        (Some(FitModel::Logistic), count) if count > 2 => {
            return Err(classes_of(count).help("logistic regression tells two apart: --model softmax"));
        }
        _ => {}
    }
    // A class a row is no class: so many coefficients say nothing.
    if classes.len() * 2 > labels.len() {
        return Err(classes_of(classes.len())
            .because(format!("in {} rows", labels.len()))
            .help("--model linear explains a number; else choose another --target"));
    }
    let fit = classify(design, &labels, classes.len(), args.l2).map_err(unsolved)?;
    let kind = if classes.len() == 2 { "logistic" } else { "softmax" };
    let why = match args.model {
        Some(_) => "as asked".into(),
        None => format!("the target has {} classes", classes.len()),
    };
    Ok((Fitted::Classes { fit, labels, classes }, kind, why))
}

/// Only the classes that occur.
fn present(labels: Vec<usize>, names: &[String]) -> (Vec<usize>, Vec<String>) {
    let there: Vec<usize> = (0..names.len()).filter(|class| labels.contains(class)).collect();
    let place = |label: &usize| there.partition_point(|class| class < label);
    (labels.iter().map(place).collect(), there.iter().map(|&class| names[class].clone()).collect())
}

fn descended(args: &FitArgs, design: &Design, fitted: &Fitted) -> Result<(Descended, String), Failure> {
    let descent = Descent::new(design, fitted, args.l2, args.raw);
    let optimizer =
        Optimizer::by_name(&args.optimizer).map_err(|error| Failure::configuration(error.to_string()))?;
    let plain = optimizer == Optimizer::from(Sgd::default());
    let (lr, why) = match (args.lr, plain) {
        (Some(lr), _) if lr > 0.0 && lr.is_finite() => (lr, "--lr"),
        (Some(lr), _) => return Err(Failure::configuration(format!("--lr {lr}: expected a number above 0"))),
        (None, true) => (descent.safe_rate(), "1 / largest curvature"),
        (None, false) => (optimizer.default_learning_rate(), "the optimizer's usual"),
    };
    let schedule = spec::parse(&args.schedule, Training { rate: lr, steps: args.steps, steps_per_epoch: 1 })?;
    let method = Method { optimizer, schedule, momentum: None };
    let found = descent.run(&method, args.steps).map_err(|error| Failure::of(Exit::Configuration, &error))?;
    Ok((found, format!("{} of {}, rate {} ({why})", counted(args.steps, "step"), args.optimizer, rate(lr))))
}

fn gaps(design: &Design) -> String {
    let each = design.missing.iter().map(|(name, count)| format!("{name} {count}"));
    each.collect::<Vec<_>>().join(", ")
}

/// A number in a table: eight digits.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{x:.7e}"),
        size => format!("{x:.*}", (7 - size.log10().floor() as i32).clamp(0, 12) as usize),
    }
}

fn show(
    args: &FitArgs,
    report: &RegressionReport,
    descent: Option<&(Descended, String)>,
    why: &str,
    terminal: &mut Terminal,
) {
    let design = &report.design;
    let mut line = |name: &str, text: String| terminal.result(&format!("{DIM}{name:<9}{PLAIN}{text}"));
    let rows = counted(design.matrix.rows as u64, "row");
    line("data", format!("{}: {rows}; target {}", report.name, report.target));
    if !design.missing.is_empty() {
        line("missing", format!("{}; such rows are left out", gaps(design)));
    }
    line("model", format!("{} regression: {why}", report.kind));
    if args.l2 > 0.0 {
        line("penalty", format!("{} / 2m on the squares; no standard errors with one", args.l2));
    }
    let wide = design.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    let found = descent.map(|(found, _)| found);
    for (k, table) in report.fitted.tables().into_iter().enumerate() {
        let Coefficients { class, values: coefficients, standard_errors: errors } = table;
        terminal.result("");
        if let (Fitted::Classes { classes, .. }, Some(class)) = (&report.fitted, class) {
            terminal.result(&format!("{BOLD}{class} against {}{PLAIN}", classes[0]));
        }
        terminal.result(&format!(
            "{DIM}{:<wide$}  {:>16}  {:>16}  {:>9}  {:>16}{PLAIN}",
            "term", "coefficient", "standard error", "ratio", "by descent"
        ));
        for (at, b) in coefficients.iter().enumerate() {
            let (error, ratio) = errors.map_or(("-".into(), "-".into()), |errors| {
                (number(errors[at]), format!("{:.3}", b / errors[at]))
            });
            let descended = found.map_or("-".into(), |found| number(found.coefficients[k][at]));
            let (name, b) = (&design.names[at], number(*b));
            terminal.result(&format!("{name:<wide$}  {b:>16}  {error:>16}  {ratio:>9}  {descended:>16}"));
        }
    }
    terminal.result("");
    let mut line = |name: &str, text: String| terminal.result(&format!("{DIM}{name:<9}{PLAIN}{text}"));
    let cost = report.fitted.cost();
    match &report.fitted {
        Fitted::Values { fit, .. } => {
            let spread = fit
                .residual_sd
                .map_or(String::new(), |sd| format!("residual standard deviation {}; ", number(sd)));
            line("fit", format!("{spread}R2 {:.6}; cost J {}", fit.r_squared, number(cost)));
        }
        Fitted::Classes { fit, .. } => {
            let right = percent(fit.accuracy);
            let steps = counted(fit.steps as u64, "step");
            line(
                "fit",
                format!("{right} of the rows right; cost J {}; {steps} of Newton's method", number(cost)),
            );
        }
    }
    if let Some((found, how)) = descent {
        let units = if args.raw { "in the table's units" } else { "on standardised columns" };
        line("descent", format!("{how}, {units}"));
        let last = found.costs.last().copied().unwrap_or(f64::NAN);
        match found.diverged {
            Some(step) => line("", format!("diverged at step {step}: the rate is too large")),
            None => {
                let digits = agreement(&found.coefficients, &report.fitted);
                line(
                    "",
                    format!(
                        "cost J {}, {} above the exact; coefficients agree to {digits}",
                        number(last),
                        number((last - cost).max(0.0))
                    ),
                );
            }
        }
    }
    if let Some(path) = &args.out {
        line("written", path.display().to_string());
    }
}

/// To how many digits the coefficients of gradient descent are the exact ones.
fn agreement(found: &[Vec<f64>], fitted: &Fitted) -> String {
    let exact = fitted.tables();
    let errors = found.iter().zip(&exact).flat_map(|(found, exact)| {
        found.iter().zip(exact.values).map(|(a, b)| ((a - b) / b.abs().max(f64::MIN_POSITIVE)).abs())
    });
    let worst = errors.fold(0.0, f64::max);
    match -worst.log10() {
        digits if digits < 1.0 => "less than a digit".into(),
        digits => counted(digits.min(15.0) as u64, "digit"),
    }
}

fn as_json(report: &RegressionReport, descent: Option<&Descended>) -> serde_json::Value {
    let design = &report.design;
    let tables: Vec<serde_json::Value> = report
        .fitted
        .tables()
        .into_iter()
        .map(|table| {
            json!({
                "class": table.class,
                "coefficients": table.values,
                "standard_errors": table.standard_errors,
            })
        })
        .collect();
    let (r_squared, residual_sd, accuracy, classes) = match &report.fitted {
        Fitted::Values { fit, .. } => (Some(fit.r_squared), fit.residual_sd, None, None),
        Fitted::Classes { fit, classes, .. } => (None, None, Some(fit.accuracy), Some(classes)),
    };
    json!({
        "table": report.name,
        "model": report.kind,
        "target": report.target,
        "rows": design.matrix.rows,
        "missing": design.missing.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "terms": design.names,
        "classes": classes,
        "fits": tables,
        "cost": report.fitted.cost(),
        "r_squared": r_squared,
        "residual_sd": residual_sd,
        "accuracy": accuracy,
        "descent": descent.map(|found| json!({
            "costs": found.costs,
            "coefficients": found.coefficients,
            "diverged": found.diverged,
        })),
    })
}

/// The command that does the same again.
fn repeat(args: &FitArgs) -> String {
    let mut line = format!("bratt fit {}", args.table.display());
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            line += &format!(" {flag} {value}");
        }
    };
    add("--target", args.target.clone());
    add("--model", args.model.map(|model| format!("{model:?}").to_lowercase()));
    add("--features", args.features.as_ref().map(|all| all.join(",")));
    add("--degree", (args.degree != 1).then(|| args.degree.to_string()));
    add("--l2", (args.l2 != 0.0).then(|| args.l2.to_string()));
    add("--steps", (args.steps != 1000).then(|| args.steps.to_string()));
    add("--lr", args.lr.map(|lr| lr.to_string()));
    add("--schedule", (args.schedule != "constant").then(|| args.schedule.clone()));
    add("--optimizer", (args.optimizer != "sgd").then(|| args.optimizer.clone()));
    let flags = [("--no-intercept", args.no_intercept), ("--raw", args.raw)];
    line + &flags.iter().filter(|(_, on)| *on).map(|(flag, _)| format!(" {flag}")).collect::<String>()
}
