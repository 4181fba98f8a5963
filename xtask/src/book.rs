//! `cargo xtask book`: runs every command of the book, chapter by chapter, each chapter in a folder of its own with the
//! book's tables, and holds the book against what happens.
//!
//! - A command succeeds and prints what the chapter shows below it.
//! - A drawing `NAME.svg` that it writes is `pictures/CHAPTER-NAME.svg`, byte for byte, and the chapter shows it.
//! - Source files, pictures and chapters that a chapter names exist.
//!
//! The same command computes the same on any number of threads, but sums of trained networks depend in their last digits
//! on the instruction set, and after some epochs not only there. With another one than the book's, such commands have to
//! succeed, and their drawings to say the same in words; numbers are not compared.
//!
//! `--renew` writes the drawings, and shown lines whose numbers alone have changed, anew.

mod page;

use crate::outcome::Outcome;
use crate::workspace::Workspace;
use page::{Shown, commands, compare, links, renewed, sources, words};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the numbers of trained networks in the book were computed with.
const INSTRUCTION_SET: &str = "avx2";
/// These compute in f64, without the kernels.
const IN_F64: [&str; 4] = ["trace", "surface", "fit", "schedule"];

/// The step of `cargo xtask test`.
pub fn book(place: &Workspace) -> Outcome {
    match Book::open(place).and_then(|book| book.check(false)) {
        Ok((told, failed)) if failed.is_empty() => Outcome::Passed(told),
        Ok((_, failed)) => Outcome::Failed(format!("{} faults, told above", failed.len())),
        Err(message) => Outcome::Failed(message),
    }
}

/// `cargo xtask book [--renew]`; tells whether the book is right.
pub fn run(place: &Workspace, args: &[String]) -> Result<bool, String> {
    let renew = match args {
        [] => false,
        [only] if only == "--renew" => true,
        _ => return Err("expected nothing or --renew after `book`".into()),
    };
    let (told, failed) = Book::open(place)?.check(renew)?;
    println!("\n{told}; {} faults", failed.len());
    Ok(failed.is_empty())
}

struct Book {
    root: PathBuf,
    /// Where the chapters are.
    source: PathBuf,
    scratch: PathBuf,
    program: PathBuf,
    /// Whether numbers of trained networks can be compared.
    same: bool,
}

/// What a run of the book counts and finds.
#[derive(Default)]
struct Tally {
    commands: usize,
    lines: usize,
    pictures: BTreeSet<String>,
    failed: Vec<String>,
}

impl Tally {
    fn fail(&mut self, message: String) {
        println!("   FAULT {message}");
        self.failed.push(message);
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

impl Book {
    fn open(place: &Workspace) -> Result<Book, String> {
        let program = place.target.join("release").join(format!("bratt{}", std::env::consts::EXE_SUFFIX));
        if !program.is_file() {
            return Err(format!("{}: not built yet; run the step `program size` first", program.display()));
        }
        let scratch = place.target.join("book");
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch).map_err(at(&scratch))?;
        let mut book = Book {
            root: place.root.clone(),
            source: place.root.join("docs/src"),
            scratch,
            program,
            same: false,
        };
        let (_, said) = book.execute("bratt train --epochs 1 --no-report --name isa", &book.scratch)?;
        let machine = said.lines().find(|line| line.starts_with("machine")).unwrap_or_default();
        book.same = machine.split_whitespace().any(|word| word == INSTRUCTION_SET);
        if !book.same {
            println!(
                "the book was written with {INSTRUCTION_SET}, here is another instruction set: numbers of trained networks are not compared"
            );
        }
        Ok(book)
    }

    /// Files that the summary names, in its order.
    fn chapters(&self) -> Result<Vec<PathBuf>, String> {
        let path = self.source.join("SUMMARY.md");
        let summary = fs::read_to_string(&path).map_err(at(&path))?;
        Ok(links(&summary).into_iter().map(|link| self.source.join(link)).collect())
    }

    /// Whether a command succeeded, and all that it said, as on a terminal.
    fn execute(&self, command: &str, folder: &Path) -> Result<(bool, String), String> {
        let Some(rest) = command.strip_prefix("bratt ") else {
            return Err(format!("`{command}` is no command of bratt's"));
        };
        // A shell takes the quotes apart, as it does for the reader.
        let line = format!("'{}' {rest} 2>&1", self.program.display());
        let output =
            Command::new("sh").args(["-c", &line]).current_dir(folder).output().map_err(at(folder))?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    fn check(&self, renew: bool) -> Result<(String, Vec<String>), String> {
        if renew && !self.same {
            return Err(format!(
                "the book's numbers are those of {INSTRUCTION_SET}; renew it where that is used"
            ));
        }
        let mut tally = Tally::default();
        for chapter in self.chapters()? {
            let text = fs::read_to_string(&chapter).map_err(at(&chapter))?;
            let name = chapter.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let folder = self.scratch.join(&name);
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            let tables = self.source.join("data");
            for table in fs::read_dir(&tables).map_err(at(&tables))?.flatten() {
                fs::copy(table.path(), folder.join(table.file_name())).map_err(at(&folder))?;
            }
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for shown in commands(&text) {
                self.command(&name, &shown, &folder, renew.then_some(&mut lines), &mut tally)?;
            }
            let now = lines.join("\n") + "\n";
            if renew && now != text {
                println!("   written anew: {}", chapter.display());
                fs::write(&chapter, now).map_err(at(&chapter))?;
            }
            self.names(&name, &text, &mut tally);
            let shows: Vec<&str> = links(&text);
            let unseen: Vec<String> = tally
                .pictures
                .iter()
                .filter(|picture| {
                    picture.starts_with(&format!("pictures/{name}-")) && !shows.contains(&picture.as_str())
                })
                .cloned()
                .collect();
            unseen.into_iter().for_each(|picture| tally.fail(format!("{name}: does not show its {picture}")));
        }
        let folder = self.source.join("pictures");
        for entry in fs::read_dir(&folder).map_err(at(&folder))?.flatten() {
            let picture = format!("pictures/{}", entry.file_name().to_string_lossy());
            if !tally.pictures.contains(&picture) {
                tally.fail(format!("{picture}: no command of the book writes it"));
            }
        }
        let told = format!(
            "{} commands, {} lines of output, {} pictures",
            tally.commands,
            tally.lines,
            tally.pictures.len()
        );
        Ok((told, tally.failed))
    }

    /// What a chapter names has to be there.
    fn names(&self, name: &str, text: &str, tally: &mut Tally) {
        for link in links(text) {
            if !self.source.join(link).is_file() {
                tally.fail(format!("{name}: links to {link}, which does not exist"));
            }
        }
        for source in sources(text) {
            if !self.root.join("crates/bratt/src").join(source).exists() && !self.root.join(source).exists() {
                tally.fail(format!(
                    "{name}: names {source}, which is neither below crates/bratt/src nor the root"
                ));
            }
        }
    }

    fn command(
        &self,
        name: &str,
        shown: &Shown<'_>,
        folder: &Path,
        renew: Option<&mut Vec<String>>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let command = shown.command;
        println!("-- {name}: {command}");
        tally.commands += 1;
        let before = drawings(folder)?;
        let (good, said) = self.execute(command, folder).map_err(|error| format!("{name}: {error}"))?;
        if !good {
            println!("{said}");
            tally.fail(format!("{name}: {command}: it failed"));
            return Ok(());
        }
        let exact = self.same || everywhere_the_same(command);
        let renewing = renew.is_some();
        let mut expected: Vec<String> = shown.lines.iter().map(|line| (*line).to_owned()).collect();
        if let Some(lines) = renew {
            expected = renewed(&shown.lines, &said);
            lines[shown.place..][..expected.len()].clone_from_slice(&expected);
        }
        if exact {
            tally.lines += expected.iter().filter(|line| line.trim() != "...").count();
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            if let Err(message) = compare(&expected, &said) {
                tally.fail(format!("{name}: {command}: {message}"));
            }
        }
        for file in drawings(folder)?.difference(&before) {
            let picture = format!("pictures/{name}-{file}");
            let (from, to) = (folder.join(file), self.source.join(&picture));
            if renewing {
                fs::copy(&from, &to).map_err(at(&to))?;
            }
            let drawn = fs::read_to_string(&from).map_err(at(&from))?;
            match fs::read_to_string(&to) {
                Err(error) => tally.fail(format!("{name}: {command}: {picture}: {error}; `cargo xtask book --renew` writes it")),
                Ok(kept) if exact && kept != drawn => tally.fail(format!(
                    "{name}: {command}: {file} is not {picture}; look at both, then `cargo xtask book --renew`"
                )),
                Ok(kept) if words(&kept) != words(&drawn) => {
                    tally.fail(format!("{name}: {command}: {file} does not say the same as {picture}"));
                }
                Ok(_) => {}
            }
            tally.pictures.insert(picture);
        }
        Ok(())
    }
}

/// Whether a command computes the same everywhere, to the digits that are shown: in f64, and not from a trained network.
fn everywhere_the_same(command: &str) -> bool {
    let kind = command.split_whitespace().nth(1).unwrap_or_default();
    IN_F64.contains(&kind) && !command.contains("runs/")
}

/// Names of the SVG files of a folder.
fn drawings(folder: &Path) -> Result<BTreeSet<String>, String> {
    let names = fs::read_dir(folder).map_err(at(folder))?.flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".svg")).collect())
}

#[cfg(test)]
mod tests {
    use super::everywhere_the_same;

    #[test]
    fn what_comes_from_training_depends_on_the_instruction_set() {
        assert!(everywhere_the_same("bratt trace 'x * x' x=3"));
        assert!(everywhere_the_same("bratt fit houses.csv --target price"));
        assert!(!everywhere_the_same("bratt trace runs/first runs/first/sample.png"));
        assert!(!everywhere_the_same("bratt lab init -o layers.svg"));
    }
}
