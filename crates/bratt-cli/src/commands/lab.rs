//! `bratt lab [NAME]`

use crate::args::{Global, LabArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, GREEN, PLAIN, Terminal, To};
use bratt::lab::{Cell, EXPERIMENTS, Experiment, Finding, LabError, named};
use bratt::report::RunFolder;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

const ALL: &str = "all";
/// Columns of the terminal that prose takes at most.
const WIDTH: usize = 100;

/// Lists the experiments, or runs one or all of them, prints what they found and writes their pictures.
pub fn run(args: &LabArgs, global: Global) -> Result<u8, Failure> {
    let mut out = anstream::stdout();
    let Some(name) = &args.name else {
        if args.json {
            let list: Vec<_> =
                EXPERIMENTS.iter().map(|one| json!({"name": one.name, "about": one.about})).collect();
            writeln!(out, "{}", json!(list))?;
            return Ok(0);
        }
        for Experiment { name, about, .. } in &EXPERIMENTS {
            writeln!(out, "{BOLD}{name:16}{PLAIN} {about}")?;
        }
        if !global.quiet {
            writeln!(out, "\n{DIM}`bratt lab NAME` runs one, `bratt lab all` all of them.{PLAIN}")?;
        }
        return Ok(0);
    };
    let experiments = match name.as_str() {
        ALL => EXPERIMENTS.iter().collect(),
        name => vec![named(name).map_err(unknown)?],
    };
    // Where the pictures go is settled before the work is done.
    let places = places(args, &experiments)?;
    let mut terminal = Terminal::new(global, To::Error);
    let mut findings = Vec::new();
    for (experiment, place) in experiments.iter().zip(places) {
        if experiments.len() > 1 {
            terminal.say(&format!("{DIM}runs    {PLAIN}{}", experiment.name));
        }
        let finding = experiment.run(args.seed).map_err(|error| Failure::data(&error))?;
        if let Some(place) = &place {
            let page = if is_svg(place) { finding.to_svg() } else { finding.to_html() };
            RunFolder::write_to(place, page).map_err(|error| {
                Failure::of(Exit::Configuration, &error).help("write it elsewhere with -o")
            })?;
        }
        if args.json {
            findings.push(finding);
            continue;
        }
        write!(out, "{}", told(&finding))?;
        if let Some(place) = &place {
            writeln!(out, "{DIM}picture {PLAIN}{}\n", place.display())?;
        }
    }
    if args.json {
        match &findings[..] {
            [one] => writeln!(out, "{}", json!(one))?,
            all => writeln!(out, "{}", json!(all))?,
        }
    }
    Ok(0)
}

fn unknown(error: LabError) -> Failure {
    Failure::of(Exit::Configuration, &error).help("`bratt lab` lists the experiments")
}

fn is_svg(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("svg"))
}

/// Where the picture of each experiment goes; nowhere for JSON that nobody wants a picture with.
fn places(args: &LabArgs, experiments: &[&Experiment]) -> Result<Vec<Option<PathBuf>>, Failure> {
    if args.json && args.out.is_none() {
        return Ok(vec![None; experiments.len()]);
    }
    if args.name.as_deref() == Some(ALL) {
        let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("lab"));
        std::fs::create_dir_all(&folder).map_err(|error| {
            let message = format!("{}: the folder cannot be made", folder.display());
            Failure::new(Exit::Configuration, message).because(error.to_string()).help("name another with -o")
        })?;
        return Ok(experiments
            .iter()
            .map(|one| Some(folder.join(format!("lab-{}.html", one.name))))
            .collect());
    }
    let usual = |one: &&Experiment| PathBuf::from(format!("lab-{}.html", one.name));
    let file = match &args.out {
        None => experiments.iter().map(usual).next().unwrap_or_default(),
        Some(folder) if folder.is_dir() => {
            folder.join(experiments.iter().map(usual).next().unwrap_or_default())
        }
        Some(file) => file.clone(),
    };
    let known = ["html", "htm", "svg"];
    let end = file.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    if !known.contains(&end.as_str()) {
        let message = format!("{}: found the ending `{end}`, expected .html or .svg", file.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(vec![Some(file)])
}

/// Title, table and conclusion for a terminal.
fn told(finding: &Finding) -> String {
    let mut text = format!("{BOLD}{}{PLAIN}\n", finding.title);
    let _ = writeln!(text, "{}\n", wrapped(finding.question));
    let shown: Vec<Vec<String>> =
        finding.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
    let columns = finding.head.len();
    let right: Vec<bool> = (0..columns)
        .map(|at| finding.rows.iter().any(|row| row.get(at).is_some_and(Cell::is_number)))
        .collect();
    let heads = heads(finding, &shown);
    let width = |at: usize| {
        let cells = shown.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain(heads.iter().map(|line| line[at].chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).zip(&right).map(|((cell, &width), &right)| {
            if right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    for head in &heads {
        let _ = writeln!(text, "{DIM}{}{PLAIN}", line(head));
    }
    for row in &shown {
        let _ = writeln!(text, "{}", line(row));
    }
    let mark = if finding.shown { format!("{GREEN}\u{2713}{PLAIN} ") } else { String::new() };
    let _ = writeln!(text, "\n{mark}{}", wrapped(&finding.conclusion));
    text
}

/// The names of columns on two lines, where one would make a column much wider than what stands in it.
fn heads(finding: &Finding, shown: &[Vec<String>]) -> Vec<Vec<String>> {
    let split = |(at, name): (usize, &&str)| -> [String; 2] {
        let widest = shown.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let long = name.chars().count() > widest.unwrap_or(0).max(9);
        let middle = name.len() / 2;
        let spaces = name.match_indices(' ').map(|(place, _)| place);
        match spaces.min_by_key(|place| place.abs_diff(middle)).filter(|_| long) {
            Some(place) => [name[..place].to_string(), name[place + 1..].to_string()],
            None => [String::new(), name.to_string()],
        }
    };
    let both: Vec<[String; 2]> = finding.head.iter().enumerate().map(split).collect();
    let row = |at: usize| both.iter().map(|lines| lines[at].clone()).collect::<Vec<String>>();
    let all = [row(0), row(1)];
    all.into_iter().filter(|line| line.iter().any(|name| !name.is_empty())).collect()
}

/// Prose in lines that are not too long.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for word in text.split(' ') {
        let wide = word.chars().count();
        if at > 0 && at + 1 + wide > WIDTH - 2 {
            out.push('\n');
            at = 0;
        } else if at > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += wide;
    }
    out
}
