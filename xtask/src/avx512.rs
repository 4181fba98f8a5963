//! `cargo xtask avx512`: the kernels' tests on a processor that has AVX-512, emulated by Bochs, for machines that have
//! none. Bochs emulates a whole PC, so the test program (statically linked) is started by a small Linux: Debian's kernel,
//! a file system in memory that holds the program, and an ISO image to start from. Output comes over the serial line.
//! Starting takes about half a minute; the tests run some hundred times slower than the machine.

use crate::apt::Apt;
use crate::workspace::{Workspace, output, succeed};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const TARGET: &str = "x86_64-unknown-linux-gnu";
const LIMIT: Duration = Duration::from_secs(3600);
/// Printed by the emulated machine after the tests, followed by their exit code.
const END: &str = "tests ended with ";

/// Bochs 2.7 reports the size of the compacted XSAVE area wrongly, and Linux then turns all of AVX off; without XSAVEC
/// and XSAVES (processor features 321 and 323) it uses the plain form.
const KERNEL_ARGS: &str = "console=ttyS0 quiet clearcpuid=321,323 mitigations=off tsc=reliable lpj=1000000 random.trust_cpu=on panic=-1";

/// Builds the tests, starts the emulated machine, and tells whether they passed; `filter` goes to the test program.
pub fn run(place: &Workspace, filter: &[String]) -> Result<bool, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("only set up for x86-64 Linux".into());
    }
    if let Some(bad) =
        filter.iter().find(|word| !word.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c)))
    {
        return Err(format!("`{bad}` is no filter for tests"));
    }
    let folder = place.target.join("avx512");
    let root = folder.join("root");
    if !root.is_dir() {
        let apt = Apt::update(&folder)?;
        apt.unpack(&packages(&apt)?, &root)?;
    }
    let program = build(place, &folder)?;
    make_image(&folder, &root, &program, filter)?;
    emulate(&folder, &root)
}

fn packages(apt: &Apt) -> Result<Vec<String>, String> {
    let mut packages = vec![apt.depends_on("linux-image-cloud-amd64", "linux-image-")?];
    for program in ["bochs", "genisoimage"] {
        packages.extend(apt.closure(program)?);
    }
    packages
        .extend(["bochsbios", "vgabios", "busybox-static", "isolinux", "syslinux-common"].map(str::to_owned));
    packages.sort_unstable();
    packages.dedup();
    Ok(packages)
}

/// The test program of the kernels, linked so that it needs no other file.
fn build(place: &Workspace, folder: &Path) -> Result<PathBuf, String> {
    let mut test = place.cargo(&["test", "-p", "bratt-kernels", "--lib", "--no-run", "--target", TARGET]);
    test.env("RUSTFLAGS", "-C target-feature=+crt-static -C strip=symbols")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    test.env("CARGO_TARGET_DIR", folder.join("build"))
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    let messages = output(&mut test)?;
    let path =
        messages.lines().rev().find_map(|line| line.split_once("\"executable\":\"")?.1.split('"').next());
    path.map(PathBuf::from).ok_or("cargo named no test program".into())
}

/// Writes `boot.iso`: boot loader, kernel, and the file system with the test program.
fn make_image(folder: &Path, root: &Path, program: &Path, filter: &[String]) -> Result<(), String> {
    let read = |path: PathBuf| fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
    let script = format!(
        "#!/busybox sh\n/busybox mount -t proc proc /proc\n/test --test-threads=1 {}\necho \"{END}$?\"\n\
         /busybox sleep 1\n/busybox poweroff -f\n",
        filter.join(" ")
    );
    let mut archive = Vec::new();
    for name in ["dev", "proc", "tmp"] {
        cpio_entry(&mut archive, name, 0o040_755, &[]);
    }
    cpio_entry(&mut archive, "dev/console", 0o020_600, &[]);
    cpio_entry(&mut archive, "init", 0o100_755, script.as_bytes());
    cpio_entry(&mut archive, "busybox", 0o100_755, &read(root.join("bin/busybox"))?);
    cpio_entry(&mut archive, "test", 0o100_755, &read(program.to_path_buf())?);
    cpio_entry(&mut archive, "TRAILER!!!", 0, &[]);

    let boot = root.join("boot");
    let mut kernels = fs::read_dir(&boot).map_err(|error| format!("{}: {error}", boot.display()))?.flatten();
    let kernel = kernels.find(|entry| entry.file_name().to_string_lossy().starts_with("vmlinuz"));
    let kernel = kernel.ok_or_else(|| format!("{}: no kernel", boot.display()))?.path();
    let menu =
        format!("DEFAULT test\nPROMPT 0\nLABEL test\nKERNEL linux\nINITRD initrd\nAPPEND {KERNEL_ARGS}\n");

    let disc = folder.join("disc");
    fs::create_dir_all(&disc).map_err(|error| format!("{}: {error}", disc.display()))?;
    let files = [
        ("initrd", archive),
        ("isolinux.cfg", menu.into_bytes()),
        ("linux", read(kernel)?),
        ("isolinux.bin", read(root.join("usr/lib/ISOLINUX/isolinux.bin"))?),
        ("ldlinux.c32", read(root.join("usr/lib/syslinux/modules/bios/ldlinux.c32"))?),
    ];
    for (name, bytes) in files {
        let path = disc.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut iso = unpacked(root, "genisoimage");
    iso.args(["-quiet", "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"]);
    succeed(iso.args(["-boot-info-table", "-o"]).arg(folder.join("boot.iso")).arg(disc))
}

/// Appends one file in the "newc" form that Linux reads at start: a header of hexadecimal fields, the name, the
/// contents, the latter two padded to multiples of four.
fn cpio_entry(archive: &mut Vec<u8>, name: &str, mode: usize, contents: &[u8]) {
    let device = if mode == 0o020_600 { (5, 1) } else { (0, 0) };
    let (size, name_size) = (contents.len(), name.len() + 1);
    archive.extend_from_slice(b"070701");
    for field in [0, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0] {
        archive.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(contents);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// A program below `root` with its libraries.
fn unpacked(root: &Path, name: &str) -> Command {
    let mut command = Command::new(root.join("usr/bin").join(name));
    let root = root.display();
    let libs = format!("{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu");
    command.env("LD_LIBRARY_PATH", libs);
    command
}

/// Runs the machine until its tests have ended, showing what they print.
fn emulate(folder: &Path, root: &Path) -> Result<bool, String> {
    let share = root.join("usr/share/bochs");
    let bios = share.display();
    let settings = format!(
        "display_library: rfb, options=\"timeout=0\"\nmegs: 512\n\
         cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0\n\
         romimage: file={bios}/BIOS-bochs-latest\nvgaromimage: file={bios}/VGABIOS-lgpl-latest\n\
         ata0: enabled=1\nata0-master: type=cdrom, path=boot.iso, status=inserted\nboot: cdrom\n\
         com1: enabled=1, mode=file, dev=serial.log\nlog: bochs.log\npanic: action=fatal\n\
         error: action=report\ninfo: action=report\nclock: sync=none\n"
    );
    // Debian's Bochs starts in its debugger: "c" lets the machine go.
    for (name, text) in [("bochsrc", settings.as_str()), ("commands", "c\n"), ("serial.log", "")] {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut bochs = unpacked(root, "bochs-bin");
    bochs.args(["-q", "-f", "bochsrc", "-rc", "commands"]).current_dir(folder).env("BXSHARE", &share);
    bochs.env("LTDL_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu/bochs/plugins"));
    bochs.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    println!("starting the emulated machine");
    let mut machine = bochs.spawn().map_err(|error| format!("bochs: {error}"))?;
    let said = follow(&mut machine, &folder.join("serial.log"));
    let _ = machine.kill();
    let _ = machine.wait();
    let said = said.map_err(|error| format!("serial.log: {error}"))?;
    match said.rsplit_once(END) {
        Some((_, code)) => Ok(code.trim_start().starts_with("0\r") || code.trim_start().starts_with("0\n")),
        None => Err(format!(
            "the tests did not end; see {} and bochs.log beside it",
            folder.join("serial.log").display()
        )),
    }
}

/// Copies the serial line to standard output until the end mark, the machine's stop or the time limit.
fn follow(machine: &mut Child, path: &Path) -> std::io::Result<String> {
    let (start, mut seen) = (Instant::now(), Vec::new());
    loop {
        let stopped = machine.try_wait()?.is_some() || start.elapsed() > LIMIT;
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(seen.len() as u64))?;
        let more = file.read_to_end(&mut seen)?;
        std::io::stdout().write_all(&seen[seen.len() - more..])?;
        std::io::stdout().flush()?;
        let text = String::from_utf8_lossy(&seen);
        let ended = text.rsplit_once(END).is_some_and(|(_, code)| code.contains('\n'));
        if stopped || ended {
            return Ok(text.into_owned());
        }
        sleep(Duration::from_millis(200));
    }
}
