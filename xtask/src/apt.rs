//! Debian packages without root: a private index below the target folder, packages unpacked beside it. Nothing outside
//! the target folder changes.

use crate::workspace::{output, succeed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packages that others need and that come with every system that has a C compiler.
const PRESENT: &[&str] = &["libc6", "libc6-dev", "libgcc-s1", "libstdc++6"];

/// A private package index for amd64 and arm64, apart from the system's.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the index of the system's package sources for amd64 and arm64.
    pub fn update(folder: &Path) -> Result<Self, String> {
        for tool in ["apt-get", "dpkg-deb"] {
            let found = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
            found.map_err(|_| format!("needs Debian's {tool}, which is not here"))?;
        }
        let apt = Self { folder: folder.join("apt") };
        for name in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(apt.folder.join(name))
                .map_err(|error| format!("{}: {error}", apt.folder.display()))?;
        }
        // An empty list of installed packages: what the system has must not matter.
        fs::write(apt.folder.join("status"), "")
            .map_err(|error| format!("{}: {error}", apt.folder.display()))?;
        println!("fetching the package index");
        succeed(apt.command("apt-get").args(["-qq", "update"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("Dir::State::Lists={folder}/lists"),
            format!("Dir::State::status={folder}/status"),
            format!("Dir::Cache={folder}/cache"),
            // Containers often turn the caches off; without them every call reads the whole index again.
            "Dir::Cache::pkgcache=pkgcache.bin".to_owned(),
            "Dir::Cache::srcpkgcache=srcpkgcache.bin".to_owned(),
            "APT::Architectures::=amd64".to_owned(),
            "APT::Architectures::=arm64".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::http::Timeout=30".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }

    /// The packages that these depend on directly.
    pub fn depends(&self, packages: &[String]) -> Result<Vec<String>, String> {
        let listing = output(self.command("apt-cache").args(["depends", "--important"]).args(packages))
            .map_err(|_| format!("the package sources do not offer {}", packages.join(", ")))?;
        Ok(listing
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .map(str::to_owned)
            .collect())
    }

    /// The first dependency of `package` whose name starts so, such as the newest version behind a plain name.
    pub fn depends_on(&self, package: &str, start: &str) -> Result<String, String> {
        let names = self.depends(&[package.to_owned()])?;
        names.into_iter().find(|name| name.starts_with(start)).ok_or(format!("{package} needs no {start}*"))
    }

    /// A package and all libraries below it, less those that every system with a compiler has.
    pub fn closure(&self, package: &str) -> Result<Vec<String>, String> {
        let mut found = vec![package.to_owned()];
        let mut next = 0;
        // A whole level a call: the index is read anew each time.
        while next < found.len() {
            let below = self.depends(&found[next..])?;
            next = found.len();
            for name in below {
                if name.starts_with("lib") && !PRESENT.contains(&name.as_str()) && !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        Ok(found)
    }

    /// Fetches the packages and unpacks them below `root`, which appears only when all of it is there.
    pub fn unpack(&self, packages: &[String], root: &Path) -> Result<(), String> {
        let debs = self.folder.join("debs");
        let partial = root.with_extension("partial");
        for folder in [&debs, &partial] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        println!("fetching {} packages", packages.len());
        succeed(self.command("apt-get").args(["-qq", "download"]).args(packages).current_dir(&debs))?;
        for entry in fs::read_dir(&debs).map_err(|error| format!("{}: {error}", debs.display()))?.flatten() {
            succeed(Command::new("dpkg-deb").arg("--extract").arg(entry.path()).arg(&partial))?;
        }
        let _ = fs::remove_dir_all(&debs);
        fs::rename(&partial, root).map_err(|error| format!("{}: {error}", root.display()))
    }
}
