//! What a chapter holds that can be checked: commands with the output shown below them, pictures, links, source files.
//!
//! Below a command of a `console` block stands what it prints. A line `...` leaves out any number of lines, `...` within a
//! line any part of it (seconds, threads). A command with nothing below it shows nothing.

/// What stands for left-out lines, or a left-out part of one.
const CUT: &str = "...";

/// A command, and what the chapter shows of its output.
#[derive(Debug, PartialEq)]
pub struct Shown<'a> {
    pub command: &'a str,
    /// Lines of the chapter, counted from 0.
    pub place: usize,
    pub lines: Vec<&'a str>,
}

/// The lines `$ bratt ...` of the blocks that begin with ```console, each with the lines below it.
pub fn commands(chapter: &str) -> Vec<Shown<'_>> {
    let mut inside = false;
    let mut all: Vec<Shown<'_>> = Vec::new();
    for (place, line) in chapter.lines().enumerate() {
        if let Some(kind) = line.strip_prefix("```") {
            inside = !inside && kind == "console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            all.push(Shown { command, place: place + 1, lines: Vec::new() });
        } else if let Some(last) = all.last_mut().filter(|_| inside) {
            last.lines.push(line);
        }
    }
    for shown in &mut all {
        while shown.lines.last().is_some_and(|line| line.trim().is_empty()) {
            shown.lines.pop();
        }
    }
    all
}

/// What stands in `![...](here)` and `[...](here)`, but for addresses on the net.
pub fn links(chapter: &str) -> Vec<&str> {
    let inside = prose(chapter).flat_map(|line| line.split("](").skip(1));
    let links = inside.filter_map(|rest| Some(rest.split_once(')')?.0.split('#').next().unwrap_or_default()));
    links.filter(|link| !link.is_empty() && !link.contains("://")).collect()
}

/// Files and folders of source between backquotes: `grad.rs`, `nn/models/`.
pub fn sources(chapter: &str) -> Vec<&str> {
    let quoted = prose(chapter).flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(|name| (name.ends_with(".rs") || name.ends_with('/')) && !name.contains(' ')).collect()
}

/// The lines outside of blocks.
fn prose(chapter: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    chapter.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// Whether a line is as shown: equal but for what `...` leaves out.
fn alike(shown: &str, line: &str) -> bool {
    let (shown, line) = (shown.trim_end(), line.trim_end());
    let Some((first, rest)) = shown.split_once(CUT) else { return shown == line };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split(CUT).collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// The output's lines, without empty ones at either end.
fn lines_of(output: &str) -> Vec<&str> {
    let all: Vec<&str> = output.lines().collect();
    let full = |line: &&str| !line.trim().is_empty();
    match (all.iter().position(full), all.iter().rposition(full)) {
        (Some(first), Some(last)) => all[first..=last].to_vec(),
        _ => Vec::new(),
    }
}

/// Compares what is shown with what was printed; the error names the first line that is not there.
pub fn compare(shown: &[&str], output: &str) -> Result<(), String> {
    if shown.is_empty() {
        return Ok(());
    }
    let lines = lines_of(output);
    let groups: Vec<&[&str]> = shown.split(|line| line.trim() == CUT).collect();
    let mut at = 0;
    for (number, group) in groups.iter().enumerate() {
        let (first, last) = (number == 0, number + 1 == groups.len());
        let fits = |from: usize| {
            from + group.len() <= lines.len() && group.iter().zip(&lines[from..]).all(|(a, b)| alike(a, b))
        };
        let begin = match (first, last) {
            (true, true) => (lines.len() == group.len() && fits(0)).then_some(0),
            (true, false) => fits(0).then_some(0),
            (false, true) if group.is_empty() => Some(lines.len()),
            (false, true) => lines.len().checked_sub(group.len()).filter(|&from| from >= at && fits(from)),
            (false, false) => (at..=lines.len()).find(|&from| fits(from)),
        };
        match begin {
            Some(begin) => at = begin + group.len(),
            None => return Err(first_other(group, &lines[at.min(lines.len())..])),
        }
    }
    Ok(())
}

/// Says where a group of lines and the output part.
fn first_other(group: &[&str], lines: &[&str]) -> String {
    let missing = group.iter().find(|shown| !lines.iter().any(|line| alike(shown, line)));
    let Some(shown) = missing else {
        return format!(
            "the lines from `{}` on are printed, but not together, in this order, or as all that is printed; `...` leaves out",
            group.first().unwrap_or(&"")
        );
    };
    match lines.iter().find(|line| masked(line) == masked(shown)) {
        Some(line) => format!("shows `{}`, but `{}` is printed", shown.trim(), line.trim()),
        None => format!("shows `{}`, which is not printed", shown.trim()),
    }
}

/// A line's words, with a mark for each number.
fn masked(line: &str) -> Vec<String> {
    let number = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    line.split_whitespace().map(|word| if number(word) { "#".into() } else { word.to_owned() }).collect()
}

/// What is shown, with the numbers that are printed now: each line that is no longer printed becomes the next one that has
/// the same words. A line with `...` in it, or without its like, stays.
pub fn renewed(shown: &[&str], output: &str) -> Vec<String> {
    let lines = lines_of(output);
    let mut at = 0;
    let renew = |shown: &&str| {
        let rest = &lines[at..];
        let same = rest.iter().position(|line| alike(shown, line));
        let like = || rest.iter().position(|line| masked(line) == masked(shown));
        let found = if shown.contains(CUT) { same } else { same.or_else(like) };
        let Some(found) = found.filter(|_| shown.trim() != CUT) else { return (*shown).to_owned() };
        at += found + 1;
        if shown.contains(CUT) { (*shown).to_owned() } else { rest[found].trim_end().to_owned() }
    };
    shown.iter().map(renew).collect()
}

/// The words in a drawing that hold no number: titles, names of axes and lines.
pub fn words(svg: &str) -> Vec<&str> {
    let texts = svg.split("<text").skip(1).filter_map(|rest| rest.split_once('>')?.1.split('<').next());
    let mut all: Vec<&str> =
        texts.filter(|text| !text.contains(|c: char| c.is_ascii_digit()) && !text.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_in_console_blocks_are_run() {
        let chapter = "# A\n```console\n$ bratt train\nloss 3\n\n$ bratt eval runs/a\n```\n$ bratt no\n```text\n$ bratt no\n```\n";
        let found = commands(chapter);
        assert_eq!(
            found.iter().map(|shown| shown.command).collect::<Vec<_>>(),
            ["bratt train", "bratt eval runs/a"]
        );
        assert_eq!((found[0].place, &found[0].lines[..]), (3, &["loss 3"][..]));
        assert!(found[1].lines.is_empty());
    }

    #[test]
    fn what_is_shown_is_all_that_is_printed_but_for_dots() {
        let output = "\ndata  a\nloss  0.5  in 3 s\nmore\nsaved b\n\n";
        assert_eq!(compare(&["data  a", "loss  0.5  in ... s", "...", "saved b"], output), Ok(()));
        assert_eq!(compare(&["...", "more", "..."], output), Ok(()));
        assert_eq!(compare(&[], output), Ok(()));
        assert!(compare(&["data  a", "..."], output).is_ok());
        assert!(compare(&["data  a"], output).is_err(), "the rest is left out without a word");
        assert!(compare(&["...", "more"], output).is_err());
        assert!(compare(&["data  a", "more", "..."], output).is_err(), "a line between is left out");
        assert!(compare(&["...", "saved b", "...", "more", "..."], output).is_err(), "the other order");
    }

    #[test]
    fn what_differs_is_named() {
        let said = compare(&["...", "loss  0.4", "..."], "data  a\nloss  0.5\nend").unwrap_err();
        assert_eq!(said, "shows `loss  0.4`, but `loss  0.5` is printed");
        let said = compare(&["lost"], "data  a\n").unwrap_err();
        assert_eq!(said, "shows `lost`, which is not printed");
    }

    #[test]
    fn dots_within_a_line_stand_for_any_part() {
        assert!(alike("time ... s, 2 ...", "time 0.3 s, 2 threads"));
        assert!(alike("a ... b ... c", "a x b y c"));
        assert!(!alike("time ... s, 2 ...", "time 0.3 s, 4 threads"));
        assert!(!alike("a ...", "b a "));
        assert!(alike("a  ", "a"));
    }

    #[test]
    fn new_numbers_come_to_their_old_places() {
        let shown = ["x  1", "...", "loss 0.5", "time ... s", "gone"];
        let now = renewed(&shown, "x  1\nloss 0.7\nloss 0.6\ntime 3 s\n");
        assert_eq!(now, ["x  1", "...", "loss 0.7", "time ... s", "gone"]);
    }

    #[test]
    fn pictures_links_and_sources_are_found_in_prose_alone() {
        let chapter = "See ![a ravine](pictures/a-b.svg) and [this](momentum.md#x), [net](https://a.b).\n\
                       `grad.rs`, `nn/models/`, `x / y`, `θ/`.\n```text\n`no.rs` [a](b.md)\n```\n`1/m`";
        assert_eq!(links(chapter), ["pictures/a-b.svg", "momentum.md"]);
        assert_eq!(sources(chapter), ["grad.rs", "nn/models/", "θ/"]);
    }

    #[test]
    fn words_of_a_drawing_are_its_texts_without_numbers() {
        let svg = "<svg><text class=\"a\">loss</text><text>10</text><text x=\"1\">epoch</text><text>loss</text></svg>";
        assert_eq!(words(svg), ["epoch", "loss"]);
    }
}
