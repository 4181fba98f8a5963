//! `bratt data fetch [NAME]`

use crate::args::{FetchArgs, Global};
use crate::failure::{Exit, Failure};
use crate::places;
use crate::terminal::{DIM, PLAIN, Progress, Terminal, To};
use bratt::data::fetch::{FetchError, KNOWN, Known};
use bratt::names::hint;
use std::path::Path;
use std::time::Instant;

/// Sees to it that a known data set is on this machine, and says where; without a name it lists those that are known.
pub fn run(args: &FetchArgs, global: Global) -> Result<u8, Failure> {
    let mut terminal = Terminal::new(global, To::Output);
    let Some(name) = &args.name else {
        for known in KNOWN {
            terminal.result(&format!("{:<14} {DIM}{}{PLAIN}", known.name, known.about));
        }
        return Ok(0);
    };
    let known = Known::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
        Failure::new(Exit::Usage, format!("no data set is named `{name}`")).help(hint(name, &names))
    })?;
    if let (None, Some(folder)) = (&args.to, known.installed()) {
        found(&mut terminal, &folder, "a package of the system has put it there");
        return Ok(0);
    }
    let folder = match &args.to {
        Some(folder) => folder.clone(),
        None => places::data_folder().map(|folder| folder.join(known.name)).ok_or_else(|| {
            Failure::configuration("there is no home folder to put data into").help("name a folder with --to")
        })?,
    };
    let begin = Instant::now();
    let downloaded = known.fetch(&folder, &mut |progress| {
        if let (true, Some(all)) = (terminal.wants_progress(), progress.all) {
            let note = format!("{:.1} of {:.1} MB", progress.done as f64 / 1e6, all as f64 / 1e6);
            let (label, done, elapsed) = (progress.file, progress.done, begin.elapsed());
            terminal.progress(&Progress { label, done, all, elapsed, note: &note });
        }
    });
    let downloaded = downloaded.map_err(|error| {
        let exit = match error {
            FetchError::NoNetwork { .. } => Exit::Configuration,
            _ => Exit::Data,
        };
        Failure::of(exit, &error)
    })?;
    found(&mut terminal, &folder, if downloaded { "downloaded, sums right" } else { "all files are there" });
    Ok(0)
}

fn found(terminal: &mut Terminal, folder: &Path, how: &str) {
    terminal.result(&format!("{}  {DIM}{how}{PLAIN}", folder.display()));
    terminal.say(&format!("\n{DIM}try{PLAIN}  bratt train {}", folder.display()));
}
