//! Runs every command of the book, chapter by chapter, each chapter in a folder of its own with the book's tables.

use crate::Workspace;
use crate::check::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The lines `$ bratt ...` of the blocks that begin with ```console.
fn commands(chapter: &str) -> Vec<&str> {
    let mut inside = false;
    let mut all = Vec::new();
    for line in chapter.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = kind == "console",
            None => all.extend(line.strip_prefix("$ ").filter(|_| inside)),
        }
    }
    all
}

/// Files that the summary names, in its order.
fn chapters(book: &Path) -> Result<Vec<PathBuf>, String> {
    let path = book.join("SUMMARY.md");
    let summary = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let link = |line: &str| Some(book.join(line.split_once("](")?.1.split_once(')')?.0));
    Ok(summary.lines().filter_map(link).collect())
}

/// Runs them all with the program as a user gets it.
pub fn book(place: &Workspace) -> Outcome {
    match run(place) {
        Ok((count, failed)) if failed.is_empty() => Outcome::Passed(format!("{count} commands")),
        Ok((_, failed)) => Outcome::Failed(failed.join("; ")),
        Err(message) => Outcome::Failed(message),
    }
}

fn run(place: &Workspace) -> Result<(usize, Vec<String>), String> {
    let book = place.root.join("docs/src");
    let program = place.target.join("release").join(format!("bratt{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        return Err(format!("{}: not built yet; run the step `program size` first", program.display()));
    }
    let scratch = place.target.join("book");
    let failed = |error: std::io::Error| format!("{}: {error}", scratch.display());
    let (mut count, mut bad) = (0, Vec::new());
    for chapter in chapters(&book)? {
        let text = fs::read_to_string(&chapter).map_err(|error| format!("{}: {error}", chapter.display()))?;
        let name = chapter.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = scratch.join(&name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(failed)?;
        for table in fs::read_dir(book.join("data")).map_err(failed)?.flatten() {
            fs::copy(table.path(), folder.join(table.file_name())).map_err(failed)?;
        }
        for command in commands(&text) {
            println!("-- {name}: {command}");
            count += 1;
            // A shell takes the quotes apart, as it does for the reader.
            let line = match command.strip_prefix("bratt ") {
                Some(rest) => format!("'{}' {rest}", program.display()),
                None => return Err(format!("{name}: `{command}` is no command of bratt's")),
            };
            let output = Command::new("sh").args(["-c", &line]).current_dir(&folder).output();
            let output = output.map_err(failed)?;
            if !output.status.success() {
                println!("{}", String::from_utf8_lossy(&output.stderr));
                bad.push(format!("{name}: {command}"));
            }
        }
    }
    Ok((count, bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_in_console_blocks_are_run() {
        let chapter = "# A\n```console\n$ bratt train\nloss 3\n$ bratt eval runs/a\n```\n$ bratt no\n```text\n$ bratt no\n```\n";
        assert_eq!(commands(chapter), ["bratt train", "bratt eval runs/a"]);
    }
}
