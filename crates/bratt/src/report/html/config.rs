//! A run's `config.toml` as rows, and the command that gives the same run again.

use super::ConfigRow;

/// The values of a resolved configuration, each with the origin that stands after it.
pub(super) fn rows(toml: &str) -> Vec<ConfigRow> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in toml.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let Some((name, rest)) = line.split_once('=') else { continue };
        let (value, origin) = rest.rsplit_once("# ").unwrap_or((rest, ""));
        rows.push(ConfigRow {
            key: format!("{section}.{}", name.trim()),
            value: value.trim().into(),
            origin: origin.trim().into(),
        });
    }
    rows
}

/// The command line that sets what was set by hand; the rest is decided as before. The run gets a name of its own.
pub(super) fn command(rows: &[ConfigRow]) -> String {
    let mut command = String::from("bratt train");
    for ConfigRow { key, value, origin } in rows {
        if matches!(key.as_str(), "run.name" | "run.folder") {
            continue;
        }
        let from_file = origin.rsplit_once(", line ").is_some_and(|(_, line)| line.parse::<usize>().is_ok());
        let lengthened = origin.ends_with("resume --epochs");
        if origin == "--set" || from_file || (lengthened && key != "train.epochs") {
            command += &format!(" --set {}", shell(&format!("{key}={value}")));
        } else if origin.starts_with("--") || lengthened {
            let flag = origin.rsplit(' ').next().unwrap_or(origin);
            command += &format!(" {flag}");
            // A flag that takes something away has no value.
            if !flag.starts_with("--no-") {
                command += &format!(" {}", shell(&typed(value)));
            }
        }
    }
    command
}

/// A TOML value as one types it after a flag.
fn typed(value: &str) -> String {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
    match parsed.ok().and_then(|mut table| table.remove("value")) {
        Some(toml::Value::String(text)) => text,
        Some(toml::Value::Array(all)) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        _ => value.into(),
    }
}

/// An argument as a shell reads it.
fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,=+:".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.into();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# The resolved configuration.\n\n[data]\npath = \"my cats\"   # --data\ncache = false # --no-cache\n\
        \n[model]\nhidden = [32, 16] # mine.toml, line 3\n[optim]\nlr = 0.002 # twice what is usual for adam, as it falls\n\
        schedule_epochs = 30 # the epochs before resume --epochs\n[train]\nepochs = 50 # resume --epochs\nseed = 0 # default\n\
        [run]\nname = \"a\" # --name\n";

    #[test]
    fn rows_have_key_value_and_origin() {
        let rows = rows(CONFIG);
        assert_eq!(rows.len(), 8);
        assert_eq!(
            (&rows[0].key[..], &rows[0].value[..], &rows[0].origin[..]),
            ("data.path", "\"my cats\"", "--data")
        );
        assert_eq!(rows[3].origin, "twice what is usual for adam, as it falls");
    }

    #[test]
    fn the_command_sets_what_was_set() {
        let expected = "bratt train --data 'my cats' --no-cache --set 'model.hidden=[32, 16]' \
                        --set optim.schedule_epochs=30 --epochs 50";
        assert_eq!(command(&rows(CONFIG)), expected);
        assert_eq!(command(&rows("[model]\nhidden = [3, 4] # --hidden\n")), "bratt train --hidden 3,4");
        assert_eq!(shell("it's"), r"'it'\''s'");
    }
}
