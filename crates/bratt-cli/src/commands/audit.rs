//! `bratt audit DATA`

use crate::args::{AuditArgs, Global};
use crate::failure::{Exit, Failure};
use crate::terminal::{BOLD, DIM, GREEN, PLAIN, Terminal, To, YELLOW, counted, thousands};
use bratt::data::audit::{Audit, Count, Example, NEAR_BITS, NearTwins};
use bratt::data::{ImageOptions, Options};
use std::io::Write;

/// Tells what is wrong with data; the number is the exit code.
pub fn run(args: &AuditArgs, global: Global) -> Result<u8, Failure> {
    let images = ImageOptions { threads: args.threads.unwrap_or(0), ..ImageOptions::default() };
    let options =
        Options { label: args.label.clone(), regression: args.regression, images, ..Options::default() };
    let audit = Audit::open(&args.data, &options).map_err(|error| Failure::data(&error))?;
    if args.json {
        let mut json = serde_json::to_value(&audit).unwrap_or_default();
        json["data"] = args.data.display().to_string().into();
        json["imbalance"] = audit.imbalance().into();
        writeln!(std::io::stdout(), "{json}")?;
    } else {
        let shown = if args.all { usize::MAX } else { 10 };
        let mut terminal = Terminal::new(Global { quiet: false, ..global }, To::Output);
        for line in report(&audit, &args.data.display().to_string(), shown) {
            terminal.result(&line);
        }
    }
    Ok(if audit.has_faults() { Exit::Found as u8 } else { 0 })
}

/// The findings as lines, of each kind the first `shown`.
fn report(audit: &Audit, data: &str, shown: usize) -> Vec<String> {
    let mut lines = vec![format!(
        "{BOLD}{data}{PLAIN}  {}, {} classes",
        counted(audit.examples as u64, "example"),
        thousands(audit.classes.len() as u64)
    )];
    classes(audit, &mut lines);
    for (name, counts) in [("sizes", &audit.sizes), ("colours", &audit.modes)] {
        if !counts.is_empty() {
            lines.push(format!("{DIM}{name:<10}{PLAIN}{}", first_counts(counts)));
        }
    }
    if audit.ignored_files + audit.ignored_folders.len() > 0 {
        let files = counted(audit.ignored_files as u64, "file");
        let folders = match audit.ignored_folders.len() {
            0 => String::new(),
            _ => format!("; folders: {}", audit.ignored_folders.join(", ")),
        };
        lines.push(format!("{DIM}{:<10}{PLAIN}{files}{folders}", "ignored"));
    }
    if audit.refused_members > 0 {
        let members = counted(audit.refused_members as u64, "member");
        lines.push(format!(
            "{DIM}{:<10}{PLAIN}{members} of tar files: links, or names that lead out",
            "refused"
        ));
    }
    lines.push(String::new());
    let mut section = |title: &str, fault: bool, found: Vec<String>| {
        let colour = if found.is_empty() {
            GREEN
        } else if fault {
            YELLOW
        } else {
            DIM
        };
        let count = if found.is_empty() { "none".to_string() } else { thousands(found.len() as u64) };
        lines.push(format!("{colour}{count:>6}{PLAIN}  {title}"));
        let more = found.len().saturating_sub(shown);
        lines.extend(found.into_iter().take(shown).map(|line| format!("          {line}")));
        if more > 0 {
            lines.push(format!(
                "          {DIM}and {} more; --all or --json has them{PLAIN}",
                thousands(more as u64)
            ));
        }
    };
    if !audit.modes.is_empty() || !audit.unreadable.is_empty() {
        let unreadable = audit.unreadable.iter().map(|u| format!("{}: {}", u.file, u.problem)).collect();
        section("unreadable files (corrupt or truncated)", true, unreadable);
    }
    if !audit.modes.is_empty() {
        let odd = audit.odd.iter().map(|odd| format!("{}: {}", odd.file, odd.what)).collect();
        section("files unlike the others in size or colours", false, odd);
    }
    let twins = |of: &dyn Fn(bool, bool) -> bool| -> Vec<String> {
        let chosen = audit.twins.iter().filter(|t| of(t.across_parts, t.two_labels));
        chosen.map(|t| names(&t.examples, t.across_parts, t.two_labels)).collect()
    };
    section("equal examples with different labels", true, twins(&|_, labels| labels));
    section("equal examples in different parts", true, twins(&|parts, labels| parts && !labels));
    section("equal examples otherwise (kept in one part)", false, twins(&|parts, labels| !parts && !labels));
    let title = format!("pairs that look the same (at most {NEAR_BITS} of 64 bits of their dHash differ)");
    match audit.near_twin_count {
        None => {}
        Some(_) if audit.near_twins_mean_nothing() => {
            lines.push(format!("  {DIM}many{PLAIN}  {title}:"));
            lines.push("          too many to be copies; such simple images are alike by nature".into());
        }
        Some(all) => {
            let told = |n: &NearTwins| {
                format!("{} ({} bits)", names(&n.examples, n.across_parts, n.two_labels), n.bits)
            };
            let (across, within): (Vec<_>, Vec<_>) = audit.near_twins.iter().partition(|n| n.across_parts);
            let told = |of: Vec<&NearTwins>| of.into_iter().map(told).collect();
            if audit.has_parts() {
                section("pairs that look the same, in different parts", false, told(across));
            }
            section(&title, false, told(within));
            if all > Audit::MOST_NEAR {
                lines.push(format!("          {DIM}{} in all{PLAIN}", thousands(all as u64)));
            }
        }
    }
    lines
}

/// Most classes that are told one by one.
const MOST_CLASSES: usize = 40;

fn classes(audit: &Audit, lines: &mut Vec<String>) {
    if audit.classes.is_empty() {
        return;
    }
    let parts = audit.has_parts();
    let width = audit.classes.iter().map(|class| class.name.chars().count()).max().unwrap_or(0).clamp(5, 40);
    if audit.classes.len() <= MOST_CLASSES {
        let all: usize = audit.classes.iter().map(|class| class.all()).sum();
        let head = if parts { "    train      val     test" } else { "" };
        lines.push(format!("{DIM}{:<width$}  examples   share{head}{PLAIN}", "class"));
        for class in &audit.classes {
            let share = 100.0 * class.all() as f64 / all.max(1) as f64;
            let mut line =
                format!("{:<width$}  {:>8}  {share:>4.1} %", class.name, thousands(class.all() as u64));
            if parts {
                for count in [class.train, class.val, class.test] {
                    line += &format!(" {:>8}", thousands(count as u64));
                }
            }
            lines.push(line);
        }
    }
    if let Some(times) = audit.imbalance().filter(|&times| times >= 1.5) {
        let by = |class: &&bratt::data::audit::ClassCounts| class.train;
        let (most, least) = (audit.classes.iter().max_by_key(by), audit.classes.iter().min_by_key(by));
        if let (Some(most), Some(least)) = (most, least) {
            lines.push(format!(
                "{DIM}{:<10}{PLAIN}{} has {times:.1} times as many as {}",
                "balance", most.name, least.name
            ));
        }
    }
}

fn first_counts(counts: &[Count]) -> String {
    const SHOWN: usize = 5;
    let all: usize = counts.iter().map(|c| c.count).sum();
    let first: usize = counts.iter().take(SHOWN).map(|c| c.count).sum();
    let sides: Vec<u64> =
        counts.iter().flat_map(|c| c.what.split('x')).filter_map(|side| side.parse().ok()).collect();
    // Photos of any size: five of hundreds tell nothing.
    if let (true, Some(least), Some(most)) = (2 * first < all, sides.iter().min(), sides.iter().max()) {
        let different = thousands(counts.len() as u64);
        return format!("{different} different ones, sides from {least} to {most} pixels");
    }
    let shown = counts.iter().take(SHOWN).map(|c| format!("{} ({})", c.what, thousands(c.count as u64)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match counts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} others"),
    }
}

fn names(examples: &[Example], across_parts: bool, two_labels: bool) -> String {
    let name = |example: &Example| {
        let part = if across_parts && !example.name.contains(['/', '\\']) { example.part } else { "" };
        let label = match &example.class {
            Some(class) if two_labels => class.as_str(),
            _ => "",
        };
        match [part, label].iter().filter(|s| !s.is_empty()).copied().collect::<Vec<_>>().join(", ") {
            about if about.is_empty() => example.name.clone(),
            about => format!("{} [{about}]", example.name),
        }
    };
    let shown = examples.iter().take(4).map(name).collect::<Vec<_>>().join(" = ");
    match examples.len().saturating_sub(4) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What training says of the data; nothing where all is well.
pub fn short(audit: &Audit) -> Option<String> {
    let count = |of: &dyn Fn(bool, bool) -> bool| {
        audit.twins.iter().filter(|twins| of(twins.across_parts, twins.two_labels)).count() as u64
    };
    let mut found = Vec::new();
    if !audit.unreadable.is_empty() {
        found.push(format!("{} unreadable", counted(audit.unreadable.len() as u64, "file")));
    }
    for (n, what) in [
        (count(&|_, labels| labels), "with different labels"),
        (count(&|parts, _| parts), "in different parts"),
        (count(&|parts, labels| !parts && !labels), "otherwise"),
    ] {
        if n > 0 {
            found.push(format!("{} of equal examples {what}", counted(n, "group")));
        }
    }
    if let Some(times) = audit.imbalance().filter(|&times| times >= 3.0) {
        found.push(format!("the largest class has {times:.1} times as many examples as the smallest"));
    }
    (!found.is_empty()).then(|| format!("{}; `bratt audit` tells which", found.join(", ")))
}
