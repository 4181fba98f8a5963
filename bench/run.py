"""bratt beside its peers in one run: A B C A B C, so that a slow minute of the machine falls on all of them.

    cargo xtask bench [WORK...] [--mnist DIR] [--rounds N] [--json FILE] [--peers NAME,...]

Every contestant prints one JSON object a line per measurement; this script adds the whole processes (time and peak
memory from cold start), takes medians over the rounds, and prints ratios and fractions of the machine's FMA peak.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
MLP_WORKS = ("mlp_step", "mlp_epoch", "mlp_latency", "softmax_epoch", "matmul", "mlp_train")
CNN_WORKS = ("cnn_step", "resnet20_step", "resnet20_forward", "resnet18_step", "resnet20_latency", "resnet20_memory",
             "mobilenet_step")
PHOTO_WORKS = ("photo_decode",)
WORKS = MLP_WORKS + CNN_WORKS + PHOTO_WORKS
EPOCHS = 5
# bratt makes it, so that all decode the same.
PHOTO = TARGET / "photo.jpg"


def say(text):
    print(text, file=sys.stderr, flush=True)


def measured(command):
    """Runs a process; gives its standard output, and its seconds and peak memory with all its children's."""
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if child.returncode != 0:
            say(f"failed with {child.returncode}: {' '.join(map(str, command))}")
            return None
        return out.read(), seconds, usage.ru_maxrss / 1024


def rows_of(command):
    """The rows that a process prints; those of a work about memory carry the peak of the whole process."""
    result = measured(command)
    if result is None:
        return []
    rows = [json.loads(line) for line in result[0].splitlines() if line.startswith("{")]
    return [row | {"megabytes": result[2]} if row["work"].endswith("_memory") else row for row in rows]


def train_row(peer, variant, command):
    """One row for a whole training process; its last line of output is a JSON object."""
    result = measured(command)
    if result is None:
        return []
    text, seconds, megabytes = result
    said = json.loads(text.strip().splitlines()[-1])
    accuracy = said.get("accuracy", said.get("test", {}).get("accuracy"))
    row = {"work": "mlp_train", "peer": peer, "variant": variant, "seconds": seconds, "min": seconds, "n": 1}
    return [row | {"megabytes": megabytes, "accuracy": accuracy}]


class Peers:
    """One method a contestant: the rows of one work in one round."""

    def __init__(self, mnist):
        self.data = ["--mnist", str(mnist.resolve())] if mnist else []
        self.mnist = mnist

    def torch(self, work):
        if work in PHOTO_WORKS:
            # torchvision reads files with Pillow.
            return rows_of([sys.executable, HERE / "peers/pillow_photo.py", PHOTO]) if PHOTO.exists() else []
        if work in CNN_WORKS:
            return rows_of([sys.executable, HERE / "peers/torch_cnn.py", work])
        if work != "mlp_train":
            return rows_of([sys.executable, HERE / "peers/torch_mlp.py", work, *self.data])
        folder = [str(self.mnist.resolve())] if self.mnist else []
        rows = []
        for variant in ("loader", "indexing", "indexing, fused adam"):
            command = [sys.executable, HERE / "peers/torch_train.py", variant, str(EPOCHS), *folder]
            rows += train_row("torch", variant, command)
        return rows

    def keras(self, work):
        return rows_of([sys.executable, HERE / "peers/keras_cnn.py", work]) if work == "cnn_step" else []

    def jax(self, work):
        if work == "mlp_train" or work in CNN_WORKS + PHOTO_WORKS:
            return []
        rows = rows_of([sys.executable, HERE / "peers/jax_mlp.py", work, *self.data])
        if work == "matmul":
            rows += rows_of([sys.executable, HERE / "peers/jax_mlp.py", work, "--threads", "1", *self.data])
        return rows

    def bratt(self, work):
        if work != "mlp_train":
            program = TARGET / "release/examples/bench"
            photo = ["--photo", PHOTO] if work in PHOTO_WORKS else []
            return rows_of([program, "--json", work, *self.data, *photo]) if program.exists() else []
        program = TARGET / "release/bratt"
        if not program.exists() or self.mnist is None:
            return []
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "train", "--data", str(self.mnist.resolve()), "--model", "mlp", "--json"]
            command += ["--epochs", str(EPOCHS), "--batch-size", "128", "--threads", "2", "--out", f"{folder}/run"]
            return train_row("bratt", "train", command)


def build_bratt():
    """Builds what of bratt's side is there; the peers can be measured without it."""
    cargo = os.environ.get("CARGO", "cargo")
    builds = [["-p", "bratt-cli"]]
    if (ROOT / "crates/bratt/examples/bench").exists():
        builds.append(["-p", "bratt", "--example", "bench"])
    for build in builds:
        subprocess.run([cargo, "build", "--quiet", "--release", *build], cwd=ROOT, check=True)


def fma_peak(threads):
    """GFLOP/s of fused multiply-adds alone, or None without a C compiler."""
    program = TARGET / "fma_peak"
    build = ["cc", "-O3", "-march=native", HERE / "fma_peak.c", "-o", program, "-lpthread"]
    try:
        subprocess.run(build, check=True)
        return float(subprocess.run([program, str(threads)], check=True, capture_output=True, text=True).stdout)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"no FMA peak: {error}")
        return None


def machine():
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    flags = []
    if info.exists():
        lines = dict(line.split("\t:", 1) for line in info.read_text().splitlines() if "\t:" in line)
        lines = {key.strip(): value.strip() for key, value in lines.items()}
        cpu = lines.get("model name", cpu)
        present = lines.get("flags", lines.get("Features", "")).split()
        flags = [name for name in ("asimd", "avx2", "fma", "avx512f", "avx512vl", "avx512dq") if name in present]
    cores = len(os.sched_getaffinity(0))
    return {
        "cpu": cpu,
        "cores": cores,
        "instructions": flags,
        "system": platform.platform(),
        "python": platform.python_version(),
        "peak_gflops": {str(count): fma_peak(count) for count in sorted({1, min(2, cores)})},
    }


def combined(rows):
    """One row for each (work, peer, variant): median of the rounds' medians, least of their least."""
    groups = {}
    for row in rows:
        groups.setdefault((row["work"], row["peer"], row["variant"]), []).append(row)
    result = []
    for group in groups.values():
        row = dict(group[0])
        row["seconds"] = statistics.median(one["seconds"] for one in group)
        row["min"] = min(one["min"] for one in group)
        row["n"] = sum(one["n"] for one in group)
        row["rounds"] = [one["seconds"] for one in group]
        for fact in ("megabytes", "accuracy"):
            values = [one[fact] for one in group if one.get(fact) is not None]
            if values:
                row[fact] = statistics.median(values)
        result.append(row)
    return result


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(rows, peaks):
    print(f"{'work':<16} {'who':<6} {'variant':<22} {'median':>9} {'least':>9} {'/bratt':>7} {'of peak':>8}  notes")
    for work in sorted({row["work"] for row in rows}):
        group = sorted((row for row in rows if row["work"] == work), key=lambda row: row["seconds"])
        ours = [row["seconds"] for row in group if row["peer"] == "bratt"]
        for row in group:
            ratio = f"{row['seconds'] / min(ours):.2f}" if ours else ""
            peak = peaks.get(str(row.get("threads", 2)))
            share = f"{row['flops'] / row['seconds'] / 1e9 / peak:.1%}" if peak and "flops" in row else ""
            notes = f"{row['megabytes']:.0f} MB  " if "megabytes" in row else ""
            notes += f"accuracy {row['accuracy']:.2%}" if row.get("accuracy") is not None else ""
            times = f"{duration(row['seconds']):>9} {duration(row['min']):>9}"
            line = f"{work:<16} {row['peer']:<6} {row['variant']:<22} {times} {ratio:>7} {share:>8}  {notes}"
            print(line.rstrip())
        print()


def main():
    parser = argparse.ArgumentParser(description="bratt beside its peers")
    parser.add_argument("works", nargs="*", metavar="WORK", help="of: " + ", ".join(WORKS))
    parser.add_argument("--mnist", type=Path, help="folder of the four IDX files; without it random data is used")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="bratt,torch,jax,keras", help="who takes part, by commas")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    chosen = parser.parse_args()
    unknown = set(chosen.works) - set(WORKS)
    if unknown:
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    names = chosen.peers.split(",")
    if "bratt" in names:
        build_bratt()
    peers = Peers(chosen.mnist)
    here = machine()
    rows = []
    for number in range(chosen.rounds):
        for work in [work for work in WORKS if not chosen.works or work in chosen.works]:
            for name in names:
                say(f"round {number + 1} of {chosen.rounds}: {work}, {name}")
                rows += getattr(peers, name)(work)
    rows = combined(rows)
    peaks = {threads: peak for threads, peak in here["peak_gflops"].items() if peak}
    shown = ", ".join(f"{peak:.0f} GFLOP/s on {threads}" for threads, peak in peaks.items())
    print(f"\n{here['cpu']}, {here['cores']} cores, {' '.join(here['instructions'])}; FMA peak {shown} threads\n")
    table(rows, peaks)
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": here, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
