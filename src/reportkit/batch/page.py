"""The page ``batch.html``: the state of all reports, in the reader's language."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reportkit.batch.jobs import FAILED
from reportkit.batch.state import CHINA, STATES, changes
from reportkit.batch.summary import by_cause, first_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportkit.batch.state import Standing, StateOfAll

Language = Literal["en", "zh"]


def state_page(
    state: StateOfAll, batch: Mapping[str, Any], *, out: Path, language: Language
) -> str:
    """The page as one file: everything escaped, nothing loaded.

    Parameters
    ----------
    state : StateOfAll
    batch : mapping
        ``batch.json`` of the last batch.
    out : Path
        The folder of reports.
    language : {"en", "zh"}
    """
    words = yaml.safe_load(_file("words.yaml"))[language]
    rows = sorted(state.reports.values(), key=_calm)
    counts: Counter[str] = Counter(one.state for one in rows)
    unchanged = sum(map(state.unchanged, rows))
    absent: dict[int, list[str]] = {}
    for one in rows:
        if one.state == "absent":
            absent.setdefault(one.year, []).append(one.name or one.district)
    # The page runs this script and no other; it and the style are files of ours.
    script = _file("batch.js")
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    ours = {"digest": f"'sha256-{digest}'", "script": script, "style": _file("batch.css")}
    return (
        _environment()
        .get_template("batch.html.j2")
        .render(
            {name: Markup(text) for name, text in ours.items()},  # noqa: S704 - they are ours
            w=words,
            language=language,
            batch=batch,
            ended=_local(batch["ended"]),
            counts={**{name: counts[name] for name in reversed(STATES)}, "unchanged": unchanged},
            since=state.since,
            compared=bool(state.before),
            changes=changes(state),
            absent=absent,
            failures=by_cause(one for one in rows if one.state == "failed"),
            years=sorted({one.year for one in rows}, reverse=True),
            rows=[_row(one, state, out, words) for one in rows],
        )
    )


def _calm(one: Standing) -> tuple[int, int, int, str, int]:
    """Return the sort key that puts first what needs attention."""
    return STATES.index(one.state), -one.errors, -one.warnings, one.district, one.year


def _row(one: Standing, state: StateOfAll, out: Path, words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "one": one,
        "unchanged": state.unchanged(one),
        "figures": [_figure(one, name) for name in words["figures"]],
        "made": _local(one.made)[:16] if one.made else "",
        "message": first_line(one),
        "kept": one.reason and (out / one.district / str(one.year) / FAILED).is_dir(),
    }


def _figure(one: Standing, name: str) -> str:
    """A figure, or the sum of those of a table."""
    if name in one.figures:
        return one.figures[name]
    parts = [value for key, value in one.figures.items() if key.startswith(f"{name}.")]
    return str(sum(map(int, parts))) if parts else ""


def _local(told: str) -> str:
    return datetime.fromisoformat(told).astimezone(CHINA).isoformat(" ", timespec="seconds")


def _file(name: str) -> str:
    return (files("reportkit.batch") / "templates" / name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reportkit.batch"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
