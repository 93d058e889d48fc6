"""Two runs compared: figures with the records that came or went, checks, text, and what they had.

A record is known by its key, so that it is the same one where lines have moved. Of reports of
two years or districts only figures are compared: their records are others anyway.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.evidence.read import read_source_rows
from reportkit.export.blocks import from_notebook
from reportkit.facts.numerals import number_of, plain, rounded
from reportkit.forms import DEFAULT
from reportkit.ledgers.records import place_in_file
from reportkit.proof.manifest import read_manifest
from reportkit.proof.normal import cell_digests
from reportkit.proof.places import facts_of
from reportkit.proof.plainjson import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Change = dict[str, Any]
_HEAD = ("run", "district", "name", "year", "form", "edition", "scope", "draft", "started")
_COUNTED = ("read", "accepted", "quarantined", "rejected", "set_aside")
_RUN = re.compile(r"/runs/[^/]+/")


def diff_runs(old: Path, new: Path) -> dict[str, Any]:
    """Compare two runs.

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
    manifests = [{"form": DEFAULT} | read_manifest(run) for run in (old, new)]
    # In another year each condition has other days, and each ledger other records.
    same = all(
        len({m[key] for m in manifests}) == 1 for key in ("district", "year", "scope", "form")
    )
    try:
        return {
            "schema": "reportkit/diff/1",
            "runs": [{key: manifest[key] for key in _HEAD} for manifest in manifests],
            "facts": list(_facts(old, new, same=same)),
            "checks": list(_checks(old, new)),
            "narrative": list(_narrative(old, new)),
            "inputs": list(_changes(*map(_inputs, manifests))),
            "parameters": list(_changes(*map(_parameters, manifests))),
            "code": [*_changes(*map(_code, manifests)), *_cells(old, new)],
            "environment": list(_changes(*map(_environment, manifests))),
        }
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            "run-unreadable",
            "a run cannot be compared, verify it first: {error}",
            error=repr(error),
        ) from None


def changed_figures(old: Path, new: Path) -> list[Change]:
    """Return the figures that the tables and the text of two runs print, and that differ.

    Parameters
    ----------
    old, new : Path

    Returns
    -------
    list of dict
        As ``facts`` of `diff_runs`, without records.
    """
    if (old / "facts.json").read_bytes() == (new / "facts.json").read_bytes():
        return []
    facts = read_json(new / "facts.json")["facts"]
    printed = {fact["id"] for fact in facts if fact["places"]}
    return [
        change
        for change in _facts(old, new, same=False)
        if change["id"] in printed
        and None not in (change["from"], change["to"])
        and change["from"] != change["to"]
    ]


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield {"name": name, "from": old.get(name), "to": new.get(name)}


def _facts(old: Path, new: Path, *, same: bool) -> Iterator[Change]:
    left, right = facts_of(old), facts_of(new)
    compared = ["value", "unit", "origin", "source", *(["where", "sum_of"] if same else [])]
    for name in sorted({*left, *right}):
        earlier, later = left.get(name), right.get(name)
        if earlier is None or later is None:
            yield _fact(name, earlier, later, same=same)
            continue
        records = _records(old, new, earlier, later) if same else {}
        if any(records.values()) or any(earlier[key] != later[key] for key in compared):
            yield _fact(name, earlier, later, same=same) | records


def _fact(
    name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, same: bool
) -> Change:
    change: Change = {"id": name, "label": (new or old or {})["label"]}
    values = [None if fact is None else fact["value"] for fact in (old, new)]
    change |= {"from": values[0], "to": values[1], "by": None, "percent": None}
    before, now = (number_of(value or "") for value in values)
    if before is not None and now is not None:  # else a day, or words
        change["by"] = plain(now - before)
        if before > 0 and now >= 0:
            rate = rounded((now - before) * 100 / before, 1)
            change["percent"] = plain(rate) if rate else None
    if same and old and new and old["where"] != new["where"]:
        change["definition"] = {"from": old["definition"], "to": new["definition"]}
    return change


def _records(old: Path, new: Path, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Change:
    """Records of a fact that came, went, or stayed with other content."""
    (left, was), (right, now) = _places(old, earlier), _places(new, later)
    return {
        "came": [right[key] for key in right if key not in left],
        "went": [left[key] for key in left if key not in right],
        "changed": [right[key] for key in right if key in left and was[key] != now[key]],
    }


def _places(run: Path, fact: Mapping[str, Any]) -> tuple[dict[str, Change], dict[str, bytes]]:
    """Read the places of a fact's records and their digests, both by the records' keys."""
    if not fact["evidence"]:
        return {}, {}
    places, digests = {}, {}
    for record in read_source_rows(run, fact).to_pylist():
        key, place = record["key"], place_in_file(record["sheet"], record["line"])
        places[key] = {"key": key, "file": record["file"], "place": place}
        digests[key] = record["digest"]
    return places, digests


def _checks(old: Path, new: Path) -> Iterator[Change]:
    """Checks that hold in one and not in the other, or that fail otherwise or are waived."""
    compared = ("holds", "severity", "message", "waived")
    checks = (
        {
            f"{check['id']} {check['title']} ({'、'.join(check['facts'][:2]) or '—'})": {
                key: check.get(key) for key in compared
            }
            for check in read_json(run / "checks.json")
        }
        for run in (old, new)
    )
    for change in _changes(*checks):
        if not all(check is None or check["holds"] for check in (change["from"], change["to"])):
            yield change


def _narrative(old: Path, new: Path) -> Iterator[Change]:
    left, right = _paragraphs(old), _paragraphs(new)
    for section in sorted({*left, *right}):
        earlier, later = left.get(section, []), right.get(section, [])
        for kind, a, b, c, d in SequenceMatcher(a=earlier, b=later, autojunk=False).get_opcodes():
            if kind != "equal":
                yield {"name": section, "from": earlier[a:b], "to": later[c:d]}


def _paragraphs(run: Path) -> dict[str, list[str]]:
    """Text of each section, by paragraph."""
    texts: dict[str, list[str]] = {}
    for block in from_notebook(read_json(run / "report.ipynb")):
        if block["kind"] == "head":
            texts[""] = [str(block["title"]), *_printed(block["preamble"])]
        elif block["kind"] == "section":
            texts[f"{block['number']}、{block['title']}"] = list(_printed(block["body"]))
    return texts


def _printed(body: Any) -> Iterator[str]:
    """Runs joined to lines, however deep lists are."""
    if isinstance(body, list):
        for node in body:
            yield from _printed(node)
    elif isinstance(body, dict) and "runs" in body:
        yield "".join(str(run.get("text", "")) for run in body["runs"])
    elif isinstance(body, dict):
        for node in body.values():
            yield from _printed(node)


def _inputs(manifest: Mapping[str, Any]) -> dict[str, Any]:
    # A member's report is the same input, whichever run of it was added.
    inputs = ((_RUN.sub("/current/", item["name"]), item["sha256"]) for item in manifest["inputs"])
    files = dict(inputs)
    ledgers = {
        item["name"]: {key: item[key] for key in _COUNTED if item[key] or key == "read"}
        for item in manifest["ledgers"]
    }
    return files | ledgers


def _parameters(manifest: Mapping[str, Any]) -> dict[str, Any]:
    settings = {setting["name"]: setting["value"] for setting in manifest["settings"]}
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
        notebook = read_json(run / "report.ipynb")
        names = [name for name, _ in cell_digests(notebook)]
        texts = ["".join(cell["source"]) for cell in notebook["cells"]]
        sources.append({f"cell {n}": text for n, text in zip(names, texts, strict=True)})
    for source in sources:
        source.pop("cell injected-parameters", None)
    return _changes(*sources)


def _environment(manifest: Mapping[str, Any]) -> dict[str, Any]:
    environment = manifest["environment"]
    versions: dict[str, Any] = {key: environment[key] for key in ("python", "system")}
    versions |= environment["packages"]
    return versions | {f"font {name}": value for name, value in manifest["fonts"].items()}
