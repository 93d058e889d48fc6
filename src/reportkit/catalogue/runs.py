"""Runs in force: where they are, and the rows of each in the store's tables."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from reportkit.errors import ReportkitError
from reportkit.export.files import digest_of
from reportkit.forms import DEFAULT
from reportkit.language import Message
from reportkit.language.message import of_library
from reportkit.params.naming import ID, parse_report_name
from reportkit.proof.manifest import MANIFEST, SUMS, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reportkit.params.naming import Report

_TEXT = pa.string()
# A table in each line or two: names of columns and their types read as a schema does.
_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "facts": {
        "district": _TEXT, "report": _TEXT, "form": _TEXT, "fact": _TEXT, "label": _TEXT,
        "value": _TEXT, "number": pa.decimal128(20, 4), "day": pa.date32(), "unit": _TEXT,
        "origin": _TEXT, "rows": pa.int64(), "run": _TEXT,
    },
    "runs": {
        "district": _TEXT, "report": _TEXT, "form": _TEXT, "name": _TEXT, "parent": _TEXT,
        "code": _TEXT, "edition": _TEXT, "scope": _TEXT, "draft": pa.bool_(),
        "synthetic": pa.bool_(), "errors": pa.int32(), "warnings": pa.int32(),
        "accepted": pa.int32(), "made": _TEXT, "run": _TEXT,
    },
    "checks": {
        "district": _TEXT, "report": _TEXT, "form": _TEXT, "check": _TEXT, "title": _TEXT,
        "severity": _TEXT, "holds": pa.bool_(), "left": _TEXT, "right": _TEXT, "message": _TEXT,
        "accepted": _TEXT,
    },
}  # fmt: skip
SCHEMAS = {name: pa.schema(list(columns.items())) for name, columns in _COLUMNS.items()}
# Files of a run that the store reads.
_READ = (MANIFEST, SUMS, "facts.json", "checks.json")
# What a decimal(20,4) holds.
_NUMBER = re.compile(r"-?\d{1,16}(\.\d{1,4})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Errors of reading a run that somebody else wrote.
_WRONG = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class CurrentRun:
    """A run in force.

    Parameters
    ----------
    folder : Path
        The run itself, not the link to it.
    stamp : list
        Its id and the sizes of its `_READ` files; the store reads the run again when it changes.
    """

    folder: Path
    stamp: list[Any]


def in_force(out: Path) -> dict[Report, CurrentRun]:
    """Every run that a link ``current`` names and that is there.

    A link whose run is gone, or that leads out of its folder, is left out.
    """
    return dict(sorted(_links(out)))


def _links(out: Path) -> Iterator[tuple[Report, CurrentRun]]:
    for place in _folders(out, ID.fullmatch):
        for report in _folders(place.path, parse_report_name):
            try:
                run = os.readlink(f"{report.path}/current")  # noqa: PTH115 - thousands of them
                if re.fullmatch(r"runs/[\w-]+", run):
                    sizes = [os.stat(f"{report.path}/{run}/{name}").st_size for name in _READ]  # noqa: PTH116 - as above
                    folder = out / place.name / report.name / run
                    yield (place.name, report.name), CurrentRun(folder, [folder.name, *sizes])
            except OSError:
                continue


def _folders(path: str | Path, ours: Callable[[str], object]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return [entry for entry in found if ours(entry.name) and entry.is_dir()]
    except OSError:
        return []


def read_run(folder: Path, key: Report) -> dict[str, pa.Table]:
    """Read a run's rows of each table; its files must be those of its manifest.

    Parameters
    ----------
    folder : Path
    key : Report
        As the folder has it; the manifest must say the same.

    Raises
    ------
    ReportkitError
        ``run-changed``: a file is not as it was sealed, or is another report's.
    """
    try:
        manifest, facts, checks = _sealed(folder)
        whose = manifest["district"], named(manifest)
        if whose != key:
            raise _changed(
                folder, Message("it is of {id} {of}", id=str(whose[0]), of=str(whose[1]))
            )
        # Runs from before there were several forms name none.
        form = manifest.get("form") or DEFAULT
        if not ID.fullmatch(form):
            raise ValueError(form)
        of_all = {"district": key[0], "report": key[1], "form": form}
        rows = {
            "runs": [_run(folder.name, manifest, checks)],
            "facts": [_fact(folder.name, fact) for fact in facts["facts"]],
            "checks": [_check(check) for check in checks],
        }
        return {
            name: pa.Table.from_pylist([of_all | row for row in rows[name]], schema=schema)
            for name, schema in SCHEMAS.items()
        }
    except (*_WRONG, pa.ArrowException) as error:
        raise _changed(folder, of_library(f"{type(error).__name__}: {error}")) from None


def _changed(folder: Path, why: str) -> ReportkitError:
    return ReportkitError("run-changed", "run {run}: {why}", run=folder.name, why=why)


def _sealed(folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Read the manifest, checked by the sums, and facts and checks, checked by the manifest."""
    own, sums, *others = ((folder / name).read_bytes() for name in _READ)
    if f"{digest_of(own)}  {MANIFEST}\n".encode() not in sums:
        raise _changed(folder, Message("{file} was changed", file=MANIFEST))
    manifest = json.loads(own)
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    for name, content in zip(_READ[2:], others, strict=True):
        if listed.get(name) != digest_of(content):
            raise _changed(folder, Message("{file} was changed", file=name))
    facts, checks = map(json.loads, others)
    return manifest, facts, checks


def _run(run: str, manifest: Mapping[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    if datetime.fromisoformat(manifest["ended"]).utcoffset() is None:
        raise ValueError(manifest["ended"])
    still = [check["severity"] for check in checks if not (check["holds"] or check.get("waived"))]
    same = ("name", "code", "edition", "scope", "draft", "synthetic")
    return {
        **{name: manifest[name] for name in same},
        "parent": manifest.get("parent"),
        "errors": still.count("error"),
        "warnings": still.count("warning"),
        "accepted": sum(not check["holds"] and bool(check.get("waived")) for check in checks),
        "made": manifest["ended"],
        "run": run,
    }


def _fact(run: str, fact: Mapping[str, Any]) -> dict[str, Any]:
    value = fact["value"]
    return {
        **{name: fact[name] for name in ("label", "value", "unit", "origin", "rows")},
        "fact": fact["id"],
        "number": Decimal(value) if _NUMBER.fullmatch(value) else None,
        "day": _day(value) if _DAY.fullmatch(value) else None,
        "run": run,
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    waived = check.get("waived") or {}
    return {
        **{name: check[name] for name in ("title", "severity", "holds", "left", "right")},
        "check": check["id"],
        # Where a check holds its two sides say enough.
        "message": None if check["holds"] else check["message"],
        "accepted": waived.get("reason"),
    }
