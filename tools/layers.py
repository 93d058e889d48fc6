"""The picture of the layers: rows from the contract in pyproject.toml, arrows from the imports.

An arrow is left out where a way over other arrows says the same. ``make reference`` writes the
picture; a test holds it against the imports.
"""

from __future__ import annotations

import re
import tomllib
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import mean

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs/explanation/layers.svg"
# What an analyst should be able to read; docs/explanation/architecture.md says so too.
ANALYST = {"forms", "facts", "text", "checks", "notebook"}

Arrow = tuple[str, str]
_WIDTH, _HEIGHT, _STEP, _GAP, _MARGIN = 100, 28, 56, 16, 20


def rows() -> list[list[str]]:
    """The layers, from the top down."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    return [re.findall(r"\w+", layer) for layer in contract["layers"]]


def arrows() -> list[Arrow]:
    """Which part imports which, without what follows from others."""
    graph = grimp.build_graph("reportkit", cache_dir=None)
    found = {
        (module.split(".")[1], other.split(".")[1])
        for module in graph.modules - {"reportkit"}
        for other in graph.find_modules_directly_imported_by(module) - {"reportkit"}
    }
    direct = {(upper, lower) for upper, lower in found if upper != lower}
    return sorted(arrow for arrow in direct if arrow[1] not in below(arrow[0], direct - {arrow}))


def below(name: str, direct: set[Arrow]) -> set[str]:
    """All parts that one part reaches."""
    reached: set[str] = set()
    ahead = {name}
    while ahead:
        ahead = {lower for upper, lower in direct if upper in ahead} - reached
        reached |= ahead
    return reached


def picture() -> str:
    """The picture, as SVG."""
    drawn = arrows()
    level = {name: number for number, names in enumerate(rows()) for name in names}
    # An arrow over several rows has a bend in each of them, and bends find their place as boxes do.
    ways = {
        (upper, lower): [
            upper,
            *(f"{upper}>{lower}@{row}" for row in range(level[upper] + 1, level[lower])),
            lower,
        ]
        for upper, lower in drawn
    }
    place = _places(ways)
    width = max(x + _wide(name) / 2 for name, (x, _) in place.items()) + _MARGIN
    height = len(rows()) * _STEP + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img"',
        ' font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">',
        "<title>The parts of reportkit and what each imports, from the command down</title>",
        '<g fill="none" stroke="#90a4ae" stroke-width="1.3">',
    ]
    for (upper, lower), way in ways.items():
        path = _curve([place[name] for name in way])
        lines.append(f'<path data-from="{upper}" data-to="{lower}" d="{path}"/>')
    lines.append("</g>")
    for name in level:
        x, y = place[name]
        fill, edge = ("#e0f2f1", "#00796b") if name in ANALYST else ("#ffffff", "#546e7a")
        lines.append(
            f'<rect x="{x - _WIDTH / 2:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'rx="5" fill="{fill}" stroke="{edge}"/>'
            f'<text x="{x:.0f}" y="{y + 18:.0f}" fill="#212121">{name}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _wide(name: str) -> int:
    return 0 if "@" in name else _WIDTH


def _places(ways: dict[Arrow, list[str]]) -> dict[str, tuple[float, float]]:
    """Place each box and bend: near what it is joined to, without touching its neighbour."""
    order = rows()
    for way in ways.values():
        for name in way[1:-1]:
            order[int(name.rpartition("@")[2])].append(name)
    joined: dict[str, list[str]] = {name: [] for row in order for name in row}
    for way in ways.values():
        for upper, lower in pairwise(way):
            joined[upper].append(lower)
            joined[lower].append(upper)
    x = {name: 100.0 * number for row in order for number, name in enumerate(row)}
    for sweep in range(200):
        for row in order if sweep % 2 else reversed(order):
            wanted = {name: mean([x[other] for other in joined[name]] or [x[name]]) for name in row}
            row.sort(key=lambda name: (wanted[name], name))
            x |= _apart(row, wanted)
    left = min(x[name] - _wide(name) / 2 for name in x) - _MARGIN
    y = {name: number * _STEP + _MARGIN for number, row in enumerate(order) for name in row}
    return {name: (x[name] - left, y[name]) for name in x}


def _apart(row: list[str], wanted: dict[str, float]) -> dict[str, float]:
    """Places as near to the wanted ones as the gaps allow (by pooling neighbours that collide)."""
    offset = list(
        accumulate(
            (_wide(name) / 2 + _GAP + _wide(after) / 2 for name, after in pairwise(row)),
            initial=0.0,
        )
    )
    pools: list[list[float]] = []
    for name, space in zip(row, offset, strict=True):
        pools.append([wanted[name] - space])
        while len(pools) > 1 and mean(pools[-2]) > mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    free = [mean(pool) for pool in pools for _ in pool]
    return {name: x + space for name, x, space in zip(row, free, offset, strict=True)}


def _curve(points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    y += _HEIGHT
    parts = [f"M{x:.0f},{y:.0f}"]
    for number, (to_x, to_y) in enumerate(rest, start=1):
        middle = (y + to_y) / 2
        parts.append(f"C{x:.0f},{middle:.0f} {to_x:.0f},{middle:.0f} {to_x:.0f},{to_y:.0f}")
        x, y = to_x, to_y
        if number < len(rest):
            y += _HEIGHT
            parts.append(f"L{x:.0f},{y:.0f}")
    return "".join(parts)


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
