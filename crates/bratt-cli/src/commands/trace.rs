//! `bratt trace EXPR name=value ...` and `bratt trace RUN IMAGE`

mod inside;
mod table;

use crate::args::{Global, Precision as Wanted, TraceArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, PLAIN, Terminal, To};
use bratt::expr::{
    ArrayError, ExprError, Expression, Options, Precision, draw, families, literal, page, read_npy, read_npz,
};
use bratt::names::hint;
use bratt::report::RunFolder;
use bratt::tensor::Tensor;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Values by name.
pub type Values = Vec<(String, Tensor<f64>)>;

/// Prints values and gradients of every part of an expression, and draws them.
pub fn run(args: &TraceArgs, global: Global) -> Result<u8, Failure> {
    let mut out = anstream::stdout();
    let Some(source) = &args.expression else {
        list(&mut out)?;
        return Ok(0);
    };
    if let Some((run, photo)) = inside::named(args)? {
        return inside::run(args, &run, &photo, global);
    }
    if let Some(option) = [("--class", args.class.is_some()), ("--values", args.arrays)].iter().find(|o| o.1)
    {
        let message =
            format!("{} is for a run and an image, but `{source}` is neither run nor model file", option.0);
        return Err(Failure::new(Exit::Usage, message));
    }
    let expression = parse(source)?;
    let values = values(&expression, &args.values, &args.with)?;
    let borrowed: Vec<(&str, Tensor<f64>)> = values.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let options = Options {
        of: args.of.clone(),
        seed: args.seed.as_deref().map(|text| value("--seed", text)).transpose()?,
        precision: match args.precision {
            Wanted::F64 => Precision::F64,
            Wanted::F32 => Precision::F32,
        },
        noise: args.noise,
    };
    let traced = expression.trace(&borrowed, &options).map_err(|error| failed(&error))?;
    let mut terminal = Terminal::new(global, To::Error);
    if args.json {
        writeln!(out, "{}", traced.to_json())?;
    } else {
        table::write(&mut out, &traced)?;
        for note in &traced.notes {
            terminal.warn(note);
        }
    }
    if let Some(path) = &args.svg {
        save(path, &draw(&traced).svg)?;
        terminal.say(&format!("drawn: {}", path.display()));
    }
    if let Some(path) = &args.html {
        save(path, &page(&traced))?;
        terminal.say(&format!("drawn: {}", path.display()));
    }
    Ok(0)
}

/// Writes a drawing, whole or not at all.
pub fn save(path: &Path, text: &str) -> Result<(), Failure> {
    RunFolder::write_to(path, text).map_err(|error| {
        Failure::of(Exit::Configuration, &error).help("choose another file in a folder that is there")
    })
}

/// Reads an expression.
pub fn parse(source: &str) -> Result<Expression, Failure> {
    Expression::parse(source).map_err(|error| {
        let failure = failed(&error);
        if Path::new(source).exists() {
            failure.or_help("this is a file; runs and models are not expressions")
        } else {
            failure
        }
    })
}

/// An error of an expression.
pub fn failed(error: &ExprError) -> Failure {
    let failure = Failure::of(Exit::Usage, error);
    match &error.help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

fn unreadable(error: &ArrayError) -> Failure {
    Failure::data(error)
}

/// The values that were typed, and of those that were not, what the archives hold.
pub fn values(expression: &Expression, typed: &[String], archives: &[PathBuf]) -> Result<Values, Failure> {
    let mut values: Values = Vec::new();
    for text in typed {
        let Some((name, text)) = text.split_once('=') else {
            return Err(Failure::new(Exit::Usage, format!("found `{text}`, expected NAME=VALUE"))
                .help("put the expression in quotes, so that the shell hands it over as one"));
        };
        let name = name.trim();
        values.push((name.to_string(), value(name, text)?));
    }
    let needed: Vec<String> = expression.variables().into_iter().map(str::to_string).collect();
    for path in archives {
        let mut found = false;
        for (name, array) in read_npz(path).map_err(|error| unreadable(&error))? {
            if needed.contains(&name) && values.iter().all(|(known, _)| *known != name) {
                found = true;
                values.push((name, array));
            }
        }
        if !found {
            let message = format!("{}: none of its arrays is a name of the expression", path.display());
            let needed: Vec<String> = needed.iter().map(|name| format!("`{name}`")).collect();
            return Err(
                Failure::new(Exit::Usage, message).help(format!("its names are {}", needed.join(", ")))
            );
        }
    }
    Ok(values)
}

/// A literal, an `.npy` file, or an array of an archive as `case.npz:name`.
fn value(name: &str, text: &str) -> Result<Tensor<f64>, Failure> {
    let text = text.trim();
    if text.ends_with(".npy") {
        return read_npy(Path::new(text)).map_err(|error| unreadable(&error));
    }
    if let Some((path, array)) = text.rsplit_once(':').filter(|(path, _)| path.ends_with(".npz")) {
        let arrays = read_npz(Path::new(path)).map_err(|error| unreadable(&error))?;
        let known: Vec<String> = arrays.iter().map(|(name, _)| name.clone()).collect();
        return arrays.into_iter().find(|(found, _)| found == array).map(|(_, value)| value).ok_or_else(
            || {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Failure::new(Exit::Data, format!("{path}: has no array `{array}`")).help(hint(array, &known))
            },
        );
    }
    literal(text).map_err(|error| {
        let failure = Failure::new(Exit::Usage, format!("{name}: {error}"));
        let help = error.help.clone();
        failure.help(help.unwrap_or_else(|| format!("such as {name}=-2, {name}=[1,2;3,4] or {name}=x.npy")))
    })
}

fn list(out: &mut impl Write) -> Result<(), Failure> {
    for (family, functions) in families() {
        writeln!(out, "{BOLD}{family}{PLAIN}")?;
        for function in functions {
            let also = match function.aliases {
                [] => String::new(),
                names => format!("  {DIM}also {}{PLAIN}", names.join(", ")),
            };
            writeln!(out, "  {}{also}", function.signature())?;
            writeln!(out, "      {DIM}{}{PLAIN}", function.about)?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "{BOLD}operators{PLAIN}\n  + - * / are element by element, with NumPy's broadcasting; ^ is pow, @ is matmul;\n  \
         < <= > >= == != give 1 or 0. -x^2 is -(x^2), 2^3^2 is 2^(3^2).\n\n\
         {BOLD}attributes{PLAIN}\n  Axes count from 0, or from the end: -1 is the last. A pair is one number for both sides, or\n  \
         [height, width]. padding is one number, a pair, [top, bottom, left, right], same or valid.\n  \
         Behind the operands attributes may stand without their names: sum(x, 0), reshape(x, [2, 3])."
    )?;
    Ok(())
}
