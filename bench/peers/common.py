"""What the peers share: the data, the clock, and one JSON object per measurement on standard output."""

import argparse
import gzip
import json
import statistics
import struct
import time
from pathlib import Path

import numpy as np

SIZES = (784, 512, 256, 10)
BATCH = 128
# Forward, weight gradients, and input gradients of all but the first layer; two operations a multiply-add.
FORWARD_FLOPS = 2 * sum(a * b for a, b in zip(SIZES, SIZES[1:]))
STEP_FLOPS = BATCH * (3 * FORWARD_FLOPS - 2 * SIZES[0] * SIZES[1])


def arguments(works):
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", help="what to measure: " + ", ".join(works))
    parser.add_argument("--mnist", type=Path, help="folder of the four IDX files; without it random data is used")
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    chosen.works = [w for w in works if not chosen.works or w in chosen.works]
    return chosen


def idx(path):
    """One IDX file of unsigned bytes, gzipped or not."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    rank = raw[3]
    shape = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def find(folder, stem):
    for name in (stem, stem + ".gz"):
        if (folder / name).exists():
            return folder / name
    raise SystemExit(f"{folder}: no {stem} or {stem}.gz")


def digits(folder, part="train"):
    """Rows of 784 floats with zero mean and unit variance overall, and their labels."""
    if folder is None:
        random = np.random.default_rng(0)
        count = 60_000 if part == "train" else 10_000
        images = random.standard_normal((count, 784), dtype=np.float32)
        return images, random.integers(0, 10, count)
    images = idx(find(folder, f"{part}-images-idx3-ubyte")).reshape(-1, 784).astype(np.float32) / 255
    return (images - 0.1307) / 0.3081, idx(find(folder, f"{part}-labels-idx1-ubyte")).astype(np.int64)


def measure(work, peer, variant, run, *, seconds=3.0, least=5, warm=3, **facts):
    """Times `run` again and again for about `seconds` and prints the median; `facts` go along unchanged."""
    for _ in range(warm):
        run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    row = {"work": work, "peer": peer, "variant": variant, "seconds": statistics.median(times)}
    print(json.dumps(row | {"min": min(times), "n": len(times)} | facts), flush=True)
