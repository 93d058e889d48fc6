"""The page ``batch.html``: the state of all reports, in the reader's language."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reportkit.batch.jobs import FAILED
from reportkit.batch.state import CHINA, STATES, changes
from reportkit.batch.summary import by_cause, first_line
from reportkit.language.catalogue import translator
from reportkit.language.message import told

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
    counts: Counter[str] = Counter(row.state for row in rows)
    unchanged = sum(map(state.unchanged, rows))
    absent: dict[int, list[str]] = {}
    for row in rows:
        if row.state == "absent":
            absent.setdefault(row.year, []).append(row.name or row.district)
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
            failures=by_cause(row for row in rows if row.state == "failed"),
            years=sorted({row.year for row in rows}, reverse=True),
            rows=[_row(row, state, out, words) for row in rows],
            told=partial(told, translate=translator(language)),
        )
    )


def _calm(report: Standing) -> tuple[int, int, int, str, int]:
    """Return the sort key that puts first what needs attention."""
    return (
        STATES.index(report.state),
        -report.errors,
        -report.warnings,
        report.district,
        report.year,
    )


def _row(
    report: Standing, state: StateOfAll, out: Path, words: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "one": report,
        "unchanged": state.unchanged(report),
        "figures": [_figure(report, name) for name in words["figures"]],
        "made": _local(report.made)[:16] if report.made else "",
        "message": first_line(report),
        "kept": report.reason and (out / report.district / str(report.year) / FAILED).is_dir(),
    }


def _figure(report: Standing, name: str) -> str:
    """A figure, or the sum of those of a table."""
    if name in report.figures:
        return report.figures[name]
    parts = [value for key, value in report.figures.items() if key.startswith(f"{name}.")]
    return str(sum(map(int, parts))) if parts else ""


def _local(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(CHINA).isoformat(" ", timespec="seconds")


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
