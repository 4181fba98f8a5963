//! The tests of the kernels and the library on aarch64, run on an x86-64 Linux through qemu.
//!
//! Needs no installed cross compiler and no root: on a Debian that offers them, the packages of a second Rust compiler,
//! of arm64's standard libraries and of qemu are unpacked below the target folder. The linker is the `rust-lld` of the
//! toolchain in use, which stays as it is.

use crate::apt::Apt;
use crate::outcome::Outcome;
use crate::workspace::{Workspace, output, succeed};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const ARM_LIBS: &str = "aarch64-linux-gnu";
const CRATES: &[&str] = &["bratt-kernels"];

/// Runs the tests, or says why it cannot.
pub fn aarch64(place: &Workspace) -> Outcome {
    if cfg!(target_arch = "aarch64") {
        return Outcome::Skipped("this machine is aarch64: the tests above ran on it".into());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Outcome::Skipped("only set up for x86-64 Linux".into());
    }
    let folder = place.target.join("cross");
    let tools = match Tools::prepare(&folder) {
        Ok(tools) => tools,
        Err(reason) => return Outcome::Skipped(reason),
    };
    for name in CRATES {
        let mut test = place.cargo(&["test", "--target", TARGET, "--lib", "-p", name]);
        tools.configure(&mut test, &folder.join("build"));
        if let Err(message) = succeed(&mut test) {
            return Outcome::Failed(message);
        }
    }
    Outcome::Passed(format!("{} under qemu", CRATES.join(" and ")))
}

/// What is unpacked below the target folder, and the linker of the toolchain in use.
struct Tools {
    root: PathBuf,
    rustc: PathBuf,
    linker: PathBuf,
}

impl Tools {
    fn prepare(folder: &Path) -> Result<Self, String> {
        let linker = rust_lld()?;
        let root = folder.join("root");
        if !root.is_dir() {
            let apt = Apt::update(folder)?;
            apt.unpack(&packages(&apt)?, &root)?;
        }
        let rustc = folder.join("rustc");
        write_wrapper(&rustc, &root)?;
        let tools = Self { root, rustc, linker };
        tools.check_version()?;
        Ok(tools)
    }

    /// Debian's compiler must know the edition and features that the workspace asks for.
    fn check_version(&self) -> Result<(), String> {
        let said = output(Command::new(&self.rustc).arg("--version"))?;
        let version = said.split(' ').nth(1).unwrap_or_default();
        let wanted = env!("CARGO_PKG_RUST_VERSION");
        let number = |text: &str| text.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        match (number(version), number(wanted)) {
            (Some(have), Some(need)) if have >= need => Ok(()),
            _ => Err(format!("Debian's Rust is {version}, needed is {wanted}")),
        }
    }

    fn configure(&self, cargo: &mut Command, build: &Path) {
        let root = self.root.display();
        let libs = format!("{root}/usr/lib/{ARM_LIBS}");
        // The start files and folders that a C compiler would add when it drives the linker.
        let mut flags = vec!["-Clinker-flavor=ld.lld".to_owned()];
        flags.extend(
            [
                format!("--sysroot={root}"),
                format!("-L{libs}"),
                format!("-L{root}/lib/{ARM_LIBS}"),
                format!("-L{}", gcc_folder(&self.root).display()),
                format!("{libs}/Scrt1.o"),
                format!("{libs}/crti.o"),
                format!("{libs}/crtn.o"),
                "--dynamic-linker=/lib/ld-linux-aarch64.so.1".to_owned(),
            ]
            .map(|flag| format!("-Clink-arg={flag}")),
        );
        let prefix = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU";
        let qemu = format!("{root}/usr/bin/qemu-aarch64-static");
        // Outer flags would replace ours; outer wrappers would mix the two compilers' results.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
            cargo.env_remove(name);
        }
        cargo
            .env("CARGO_TARGET_DIR", build)
            .env("RUSTC", &self.rustc)
            .env(format!("{prefix}_LINKER"), &self.linker)
            .env(format!("{prefix}_RUSTFLAGS"), flags.join(" "))
            .env(format!("{prefix}_RUNNER"), format!("{qemu} -L {root}"));
    }
}

/// The second compiler with its libraries, arm64's standard, C and compiler libraries, and the emulator.
fn packages(apt: &Apt) -> Result<Vec<String>, String> {
    let mut packages = apt.closure("rustc-web")?;
    let gcc = apt.depends_on("gcc", "gcc-")?;
    packages.extend([format!("lib{gcc}-dev:arm64"), "qemu-user-static".to_owned()]);
    let arm = ["libstd-rust-web-dev:arm64", "libc6:arm64", "libc6-dev:arm64", "libgcc-s1:arm64"];
    packages.extend(arm.map(str::to_owned));
    Ok(packages)
}

/// Debian's compiler finds its libraries below `root` only when told so.
fn write_wrapper(path: &Path, root: &Path) -> Result<(), String> {
    let root = root.display();
    let libs = format!("{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu");
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH='{libs}' exec '{root}/usr/bin/rustc' \"$@\"\n");
    // Left alone when right: a newer file would make cargo build everything again.
    if fs::read_to_string(path).is_ok_and(|found| found == script) {
        return Ok(());
    }
    let made = fs::write(path, script).map_err(|error| format!("{}: {error}", path.display()));
    made.and_then(|()| succeed(Command::new("chmod").arg("+x").arg(path)))
}

/// The one folder of gcc's own start files and libgcc for arm64, named after its version.
fn gcc_folder(root: &Path) -> PathBuf {
    let folder = root.join("usr/lib/gcc").join(ARM_LIBS);
    let version = fs::read_dir(&folder).ok().and_then(|mut entries| Some(entries.next()?.ok()?.path()));
    version.unwrap_or(folder)
}

fn rust_lld() -> Result<PathBuf, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libs = output(Command::new(rustc).args(["--print", "target-libdir"]))?;
    let path = Path::new(libs.trim()).with_file_name("bin").join("rust-lld");
    if path.is_file() { Ok(path) } else { Err("the toolchain has no rust-lld".into()) }
}
