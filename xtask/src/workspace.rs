//! The workspace, and the commands that are run in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the sources are and where build output goes.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
}

impl Workspace {
    pub fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()
            .unwrap_or_else(|_| PathBuf::from("."));
        // This program lies in TARGET/PROFILE/xtask, whatever the configuration calls TARGET.
        let target = env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(2)?.to_path_buf()));
        Self { target: target.unwrap_or_else(|| root.join("target")), root }
    }

    /// The cargo that runs us, in the workspace root, with build output where ours is.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

/// Runs a command with its output shown; the error says what was run and how it ended.
pub fn succeed(command: &mut Command) -> Result<(), String> {
    let name = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Runs a command and gives its standard output.
pub fn output(command: &mut Command) -> Result<String, String> {
    let name = shown(command);
    match command.output() {
        Ok(out) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(out) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
            Err(format!("{name}: {}: {last}", out.status))
        }
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The command's program and first few arguments, short enough for a table.
fn shown(command: &Command) -> String {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().take(4).map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}
