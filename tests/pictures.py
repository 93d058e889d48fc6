"""Small grey pictures of parts of documents, kept under tests/data/pictures, and how they differ.

A picture is kept 240 dots wide, where a letter is a grey spot: another version of a browser or of
FreeType moves edges by a fraction of a dot, and that is no difference; a rule that is gone, a
column of another width, a line more are. With ``PICTURES=write`` in the environment the tests make
them anew: look at them before they are committed.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "data" / "pictures"
WIDTH, TILE = 240, 12


def small(picture: Image.Image) -> Image.Image:
    """Reduce a picture to the kept size, down to one and a half its width; transparent is white."""
    picture = picture.crop((0, 0, picture.width, min(picture.height, picture.width * 3 // 2)))
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    size = (WIDTH, max(1, round(picture.height * WIDTH / picture.width)))
    return ground.convert("L").resize(size, Image.Resampling.BOX)


def difference(kept: Image.Image, made: Image.Image) -> tuple[float, float]:
    """Return by how many of 255 greys two pictures differ: on average, and in the worst tile.

    A picture that is higher or lower by more than one dot differs altogether.
    """
    if abs(kept.height - made.height) > 1:
        return 255.0, 255.0
    height = min(kept.height, made.height)
    one, two = (np.asarray(p, dtype=float)[:height] for p in (kept, made))
    apart = abs(one - two)
    tiles = [
        apart[y : y + TILE, x : x + TILE].mean()
        for y in range(0, height, TILE)
        for x in range(0, WIDTH, TILE)
    ]
    return float(apart.mean()), float(max(tiles))


def compare(name: str, picture: Image.Image, *, faulty: bool = False) -> tuple[float, float]:
    """Return how a part differs from its kept picture; keep it if that is asked for."""
    path, made = FOLDER / f"{name}.png", small(picture)
    if os.environ.get("PICTURES") == "write" and not faulty:
        made.quantize(24).save(path, optimize=True)
    with Image.open(path) as kept:
        return difference(kept.convert("L"), made)


def opened(content: bytes) -> Image.Image:
    """Return a picture of its bytes."""
    return Image.open(io.BytesIO(content))
