"""Pillow's side of the work photo_decode: what torchvision's loaders do with a file, on one thread.

    python pillow_photo.py FILE
"""

import io
import json
import statistics
import sys
import time
from pathlib import Path

import numpy
from PIL import Image


def main():
    data = Path(sys.argv[1]).read_bytes()

    def decode(draft):
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("RGB", (224, 224))
        return numpy.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))

    for variant, draft in (("Pillow", False), ("Pillow, scaled by DCT", True)):
        assert decode(draft).shape == (224, 224, 3)
        times, end = [], time.perf_counter() + 3
        while time.perf_counter() < end:
            start = time.perf_counter()
            decode(draft)
            times.append(time.perf_counter() - start)
        row = {"work": "photo_decode", "peer": "pillow", "variant": variant, "seconds": statistics.median(times)}
        print(json.dumps(row | {"min": min(times), "n": len(times), "threads": 1}))


main()
