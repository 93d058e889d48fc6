"""Two runs compared: figures with the records that came or went, checks, text, and what they had.

A record is known by its key, so that it is the same one where lines have moved.
"""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import jinja2
import pyarrow.parquet as pq

from reportkit.blocks import from_notebook
from reportkit.errors import InputError
from reportkit.facts import plain
from reportkit.proof.manifest import read_manifest
from reportkit.proof.normal import cell_digests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Change = dict[str, Any]
_HEAD = ("run", "district", "name", "year", "edition", "scope", "draft", "started")
_SHOWN = 20


def diff_runs(old: Path, new: Path) -> dict[str, Any]:
    """How one run differs from another.

    Parameters
    ----------
    old, new : Path

    Returns
    -------
    dict
        Of JSON types: ``runs``, then a list of changes each for ``facts``, ``checks``,
        ``narrative``, ``inputs``, ``parameters``, ``code`` and ``environment``.

    Raises
    ------
    InputError
        ``run-missing``, or ``run-unreadable``: a run lacks one of its files.
    """
    manifests = [read_manifest(run) for run in (old, new)]
    try:
        checks = [_checks(run) for run in (old, new)]
        return {
            "schema": "reportkit/diff/1",
            "runs": [{key: manifest[key] for key in _HEAD} for manifest in manifests],
            "facts": list(_facts(old, new)),
            "checks": list(_changes(*checks)),
            "narrative": list(_narrative(old, new)),
            "inputs": list(_changes(*map(_inputs, manifests))),
            "parameters": list(_changes(*map(_parameters, manifests))),
            "code": [*_changes(*map(_code, manifests)), *_cells(old, new)],
            "environment": list(_changes(*map(_environment, manifests))),
        }
    except (OSError, KeyError, ValueError) as error:
        message = f"a run cannot be compared, verify it first: {error!r}"
        raise InputError("run-unreadable", message) from None


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield {"name": name, "from": old.get(name), "to": new.get(name)}


def _facts(old: Path, new: Path) -> Iterator[Change]:
    there, here = (_read(run / "facts.json") for run in (old, new))
    left, right = ({f["id"]: f for f in one["facts"]} for one in (there, here))
    # In another year each condition has other days; that says nothing.
    compared = ["value", "unit", "origin", "sum_of", "source", "rows_sha256"]
    compared += ["where"] if there["year"] == here["year"] else []
    for name in sorted({*left, *right}):
        one, other = left.get(name), right.get(name)
        change = _fact(name, one, other)
        if one is None or other is None:
            yield change
        elif any(one[key] != other[key] for key in compared):
            yield change | _records(old, new, one, other)


def _fact(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Change:
    values = [None if fact is None else fact["value"] for fact in (old, new)]
    label = (new or old or {})["label"]
    change: Change = {"id": name, "label": label, "from": values[0], "to": values[1], "by": None}
    if None not in values:
        with suppress(InvalidOperation):  # a day, or words
            change["by"] = plain(Decimal(str(values[1])) - Decimal(str(values[0])))
    if old and new and old["where"] != new["where"]:
        change["definition"] = {"from": old["definition"], "to": new["definition"]}
    return change


def _records(old: Path, new: Path, one: Mapping[str, Any], other: Mapping[str, Any]) -> Change:
    """Records of a fact that came, went, or stayed with other content."""
    (left, was), (right, now) = _places(old, one), _places(new, other)
    return {
        "came": [right[key] for key in right if key not in left],
        "went": [left[key] for key in left if key not in right],
        "changed": [right[key] for key in right if key in left and was[key] != now[key]],
    }


def _places(run: Path, fact: Mapping[str, Any]) -> tuple[dict[str, Change], dict[str, bytes]]:
    """Where the records of a fact stand, by their keys, and their digests."""
    if not fact["evidence"]:
        return {}, {}
    rows = pq.read_table(run / fact["evidence"])["row"]
    rowmap = pq.read_table(run / f"evidence/rowmap-{fact['ledger']}.parquet").take(rows)
    places, digests = {}, {}
    for one in rowmap.to_pylist():
        key, line = one["key"], f"{one['sheet']}!{one['line']}" if one["sheet"] else one["line"]
        places[key] = {"key": key, "file": one["file"], "place": str(line)}
        digests[key] = one["digest"]
    return places, digests


def _checks(run: Path) -> dict[str, Any]:
    told = {}
    for check in _read(run / "checks.json"):
        name = f"{check['id']} {check['title']} ({'、'.join(check['facts'][:2]) or '—'})"
        told[name] = {key: check[key] for key in ("holds", "severity", "message")}
    return told


def _narrative(old: Path, new: Path) -> Iterator[Change]:
    left, right = _paragraphs(old), _paragraphs(new)
    for section in sorted({*left, *right}):
        one, other = left.get(section, []), right.get(section, [])
        for kind, a, b, c, d in SequenceMatcher(a=one, b=other, autojunk=False).get_opcodes():
            if kind != "equal":
                yield {"name": section, "from": one[a:b], "to": other[c:d]}


def _paragraphs(run: Path) -> dict[str, list[str]]:
    """Text of each section, by paragraph."""
    texts: dict[str, list[str]] = {}
    for block in from_notebook(_read(run / "report.ipynb")):
        if block["kind"] == "head":
            texts[""] = [str(block["title"]), *_lines(block["preamble"])]
        elif block["kind"] == "section":
            texts[f"{block['number']}、{block['title']}"] = list(_lines(block["body"]))
    return texts


def _lines(body: Any) -> Iterator[str]:
    """Runs joined to lines, however deep lists are."""
    if isinstance(body, list):
        for one in body:
            yield from _lines(one)
    elif isinstance(body, dict) and "runs" in body:
        yield "".join(str(run.get("text", "")) for run in body["runs"])
    elif isinstance(body, dict):
        for one in body.values():
            yield from _lines(one)


def _inputs(manifest: Mapping[str, Any]) -> dict[str, Any]:
    files = {one["name"]: one["sha256"] for one in manifest["inputs"]}
    counts = ("read", "accepted", "quarantined", "rejected", "set_aside")
    ledgers = {
        one["name"]: ", ".join(f"{one[key]} {key.replace('_', ' ')}" for key in counts)
        for one in manifest["ledgers"]
    }
    return files | ledgers


def _parameters(manifest: Mapping[str, Any]) -> dict[str, Any]:
    settings = {one["name"]: one["value"] for one in manifest["settings"]}
    return settings | {key: manifest[key] for key in ("edition", "basis", "synthetic")}


def _code(manifest: Mapping[str, Any]) -> dict[str, Any]:
    git = manifest["source"]["git"] or {"commit": None, "diff_sha256": None}
    return {
        "reportkit": manifest["code_sha256"],
        "git commit": git["commit"],
        "git difference": git["diff_sha256"],
        "requirements.lock": manifest["source"]["lock_sha256"],
        "notebook": manifest["notebook"]["sha256"],
    }


def _cells(old: Path, new: Path) -> Iterator[Change]:
    """Cells of the executed notebooks whose source is not the same."""
    sources = []
    for run in (old, new):
        notebook = _read(run / "report.ipynb")
        names = [name for name, _ in cell_digests(notebook)]
        texts = ["".join(cell["source"]) for cell in notebook["cells"]]
        sources.append({f"cell {n}": text for n, text in zip(names, texts, strict=True)})
    for source in sources:
        source.pop("cell injected-parameters", None)
    return _changes(*sources)


def _environment(manifest: Mapping[str, Any]) -> dict[str, Any]:
    told = manifest["environment"]
    found: dict[str, Any] = {key: told[key] for key in ("python", "system")}
    found |= told["packages"]
    return found | {f"font {name}": value for name, value in manifest["fonts"].items()}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def as_text(document: Mapping[str, Any]) -> str:
    """The comparison for a terminal."""
    old, new = document["runs"]
    lines = [f"{one['name']} {one['year']}: {one['run']}" for one in (old, new)]
    for change in document["facts"]:
        by = f" ({change['by']})" if change["by"] not in (None, "0") else ""
        lines.append(f"fact {change['id']}: {_short(change['from'])} → {_short(change['to'])}{by}")
        for kind, sign in (("came", "+"), ("went", "-"), ("changed", "~")):
            records = change.get(kind, [])
            lines += [
                f"  {sign} {one['key']} ({one['file']}:{one['place']})" for one in records[:_SHOWN]
            ]
            if len(records) > _SHOWN:
                lines.append(f"  {sign} … and {len(records) - _SHOWN} more; --json lists all")
    for change in document["narrative"]:
        lines.append(f"text {change['name'] or 'preamble'}:")
        lines += [f"  - {text}" for text in change["from"]]
        lines += [f"  + {text}" for text in change["to"]]
    for part in ("checks", "inputs", "parameters", "code", "environment"):
        for one in document[part]:
            lines.append(f"{part} {one['name']}: {_short(one['from'])} → {_short(one['to'])}")
    return "\n".join(lines if len(lines) > 2 else [*lines, "nothing differs"])


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"{'holds' if value['holds'] else 'does not hold'}: {value['message']}"
    text = "nothing" if value is None else str(value)
    return text if len(text) < 60 else f"{text[:12]}…"


def _short_chinese(value: Any) -> str:
    if isinstance(value, dict):
        return f"{'相符' if value['holds'] else '不符'}：{value['message']}"
    return "—" if value is None else _short(value)


def as_page(document: Mapping[str, Any]) -> str:
    """The comparison as one page, everything in it escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reportkit.proof", "."), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["short"] = _short_chinese
    return environment.get_template("diff.html.j2").render(diff=document)
