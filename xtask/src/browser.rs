//! The tests that need a browser, with one unpacked below the target folder where the system has none.
//!
//! On a Debian that offers it, Chromium and the libraries below it are unpacked without root, as those of `cross` are.

use crate::apt::Apt;
use crate::outcome::Outcome;
use crate::workspace::{Workspace, succeed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the tests look for, too.
const INSTALLED: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Besides the libraries: its resources, and a font to draw text with.
const BESIDES: [&str; 4] = ["chromium-common", "zlib1g", "fontconfig-config", "fonts-dejavu-core"];

fn runs(program: &Path) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Runs them, or says why it cannot.
pub fn browser(place: &Workspace) -> Outcome {
    if INSTALLED.iter().any(|name| runs(Path::new(name))) {
        return Outcome::Passed("the tests above found one".into());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Outcome::Skipped("no Chromium is installed, and it is fetched for x86-64 Linux only".into());
    }
    let program = match unpacked(&place.target.join("browser")) {
        Ok(program) => program,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let mut test = place.cargo(&["test", "-p", "bratt-cli", "--test", "program", "clicking"]);
    succeed(test.env("BRATT_BROWSER", program)).into()
}

/// A script that starts the unpacked browser.
fn unpacked(folder: &Path) -> Result<PathBuf, String> {
    let root = folder.join("root");
    if !root.is_dir() {
        let apt = Apt::update(folder)?;
        let mut packages = apt.closure("chromium")?;
        packages.extend(BESIDES.map(str::to_owned));
        apt.unpack(&packages, &root)?;
    }
    let program = folder.join("chromium");
    let shown = root.display();
    let libs: Vec<String> =
        ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio"]
            .map(|below| format!("{shown}/{below}"))
            .into();
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' FONTCONFIG_PATH='{shown}/etc/fonts' exec '{shown}/usr/lib/chromium/chromium' \"$@\"\n",
        libs.join(":")
    );
    fs::write(&program, script).map_err(|error| format!("{}: {error}", program.display()))?;
    succeed(Command::new("chmod").arg("+x").arg(&program))?;
    if runs(&program) {
        Ok(program)
    } else {
        Err("the Chromium that was unpacked does not start here".into())
    }
}
