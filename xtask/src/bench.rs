//! `cargo xtask bench`: bratt beside its peers in one run. The script makes its own virtual environment in
//! `bench/.venv`; nothing of it is needed to build or test the project.

use crate::workspace::{Workspace, succeed};
use std::process::Command;

/// Sets up the peers when needed and runs `bench/run.py` with the names given.
pub fn run(place: &Workspace, names: &[String]) -> Result<bool, String> {
    let folder = place.root.join("bench");
    let venv = folder.join(".venv");
    let python = venv.join("bin/python");
    let requirements = folder.join("requirements.txt");
    // A copy of the list that was installed tells whether it is still the one wanted.
    let stamp = venv.join("installed.txt");
    let wanted =
        std::fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        if !python.is_file() {
            succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        }
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements))?;
        std::fs::write(&stamp, &wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    }
    let mut script = Command::new(&python);
    script
        .arg(folder.join("run.py"))
        .args(names)
        .current_dir(&place.root)
        .env("CARGO_TARGET_DIR", &place.target);
    succeed(&mut script).map(|()| true)
}
