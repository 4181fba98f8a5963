"""Cuts patches from photos: "which photo is this a patch of?"

    make.py NATURE_FOLDER OUT

NATURE_FOLDER is `usr/share/backgrounds/mate/nature` of Debian's package `mate-backgrounds` 1.26.0-1 (`apt-get download`,
`dpkg-deb -x`); needs Pillow.

The right quarter of each photo is for testing, the rest for training, so that no patch of the test part overlaps one that
was trained on. Sides of 200 to 900 pixels, ratios between 1:2 and 2:1.
"""
import random
import sys
from pathlib import Path

from PIL import Image

SCENES = [
    "Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow",
    "LadyBird", "RainDrops", "Storm", "TwoWings", "Wood", "YellowFlower",
]
COUNTS = {"train": 50, "test": 20}

nature, out = Path(sys.argv[1]), Path(sys.argv[2])
draw = random.Random(7)
for scene in SCENES:
    photo = Image.open(nature / f"{scene}.jpg").convert("RGB")
    width, height = photo.size
    border = width * 3 // 4
    regions = {"train": (0, border), "test": (border, width)}
    for part, (left, right) in regions.items():
        folder = out / part / scene
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(COUNTS[part]):
            w = draw.randint(200, min(900, right - left))
            h = draw.randint(max(200, w // 2), min(900, 2 * w, height))
            x, y = draw.randint(left, right - w), draw.randint(0, height - h)
            photo.crop((x, y, x + w, y + h)).save(folder / f"{number:03}.jpg", quality=90)
