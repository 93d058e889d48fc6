"""One fact of a run: what it means, its rows, where it appears, and last year's value."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.evidence.read import read_members, read_source_rows
from reportkit.evidence.scripts import read_rows
from reportkit.facts.derived import compared
from reportkit.facts.numerals import number_of, plain
from reportkit.facts.previous import figures_of, sealed_facts
from reportkit.forms import DEFAULT
from reportkit.forms.cells import shown_by
from reportkit.forms.conditions import condition_from
from reportkit.language import Message, joined, template
from reportkit.language.message import COMMA, translated
from reportkit.ledgers import schema_of
from reportkit.ledgers.records import place_in_file
from reportkit.notebook.printed import aligned, places
from reportkit.params import FACT_ID, District
from reportkit.proof.manifest import MANIFEST, read_manifest
from reportkit.proof.places import own_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reportkit.forms import Edition, Form
    from reportkit.language.message import Translate
    from reportkit.params import Project

# Rows that a terminal shows, and rows with cells in the document, which holds all.
_SHOWN, _WITH_CELLS = 50, 200
_FILE, _LINE = template("file"), template("line")
_NO_FACT = Message("no such fact")
# The value of last year, from its run or not.
_FROM = {
    True: template("{value} (run of {year})"),
    False: template("{value} (published report of {year})"),
}


def find_run(
    project: Project, out: Path, asked: Path | None = None, form: str | None = None
) -> Path:
    """The run that is meant: a folder, DISTRICT/YEAR, or the only one there is.

    Parameters
    ----------
    project : Project
        Whose districts can be asked for by their names too.
    out : Path
        The folder of reports.
    asked : Path, optional
    form : str, optional
        Only runs by this form are meant.

    Raises
    ------
    InputError
        ``run-missing``: with the runs that there are.
    """
    runs = [run for run in sorted(out.glob("*/*/current")) if _is_by(run, form)]
    if asked is not None:
        if len(asked.parts) == 2 and not asked.exists():
            asked = type(asked)(project.district_id(asked.parts[0]), asked.name)
        names = [asked, asked.with_name(f"{asked.name}-{form}")] if form else [asked]
        places = [asked, asked / "current", *(out / name / "current" for name in names)]
        for folder in places:
            if (folder / "facts.json").is_file() and _is_by(folder, form):
                return folder
    elif len(runs) == 1:
        return runs[0]
    known = joined(COMMA, ["/".join(run.parts[-3:-1]) for run in runs]) or Message("none")
    problem = (
        Message("{asked} is no run", asked=asked)
        if asked
        else Message("say which run is meant by --run DISTRICT/YEAR")
    )
    raise InputError(
        "run-missing",
        "{problem}; under {out} there are: {known}",
        problem=problem,
        out=out,
        known=known,
    )


def _is_by(run: Path, form: str | None) -> bool:
    """Return True where a run is by a form; facts alone are by the one that everybody has."""
    if form is None:
        return True
    manifest = read_manifest(run) if (run / MANIFEST).is_file() else {}
    return bool(manifest.get("form", DEFAULT) == form)


def explain(run: Path, name: str, *, project: Project) -> dict[str, Any]:
    """Everything that is known of one fact of a run.

    Parameters
    ----------
    run : Path
    name : str
        Fact id, or a part of its Chinese label.
    project : Project
        Where last year's published figures are, if there is no run of it.

    Returns
    -------
    dict
        The fact as in ``facts.json``, with ``conditions`` (the filter in Chinese), ``parts``,
        ``appears``, ``last_year`` and ``source_rows`` (the first 200 with their cells). If *name*
        fits the labels of several facts: ``matches`` only.

    Raises
    ------
    InputError
        ``fact-unknown`` with the nearest ids or labels.
    """
    document = sealed_facts(run)
    if document is None:
        raise InputError("run-missing", "{run} is no run: it has no facts.json", run=run)
    facts = {fact["id"]: fact for fact in document["facts"]}
    if name not in facts:
        matches = [fact for fact in facts.values() if name in fact["label"]]
        if len(matches) != 1:
            return {"matches": _brief(matches or _near(name, facts))}
        name = matches[0]["id"]
    fact: dict[str, Any] = facts[name]
    conditions = [
        ("减去：" if group["sign"] == "-" else "") + condition_from(test).text()
        for group in fact["where"]
        for test in group["all"]
    ]
    # Facts alone, without the run that they are of, are of the form that everybody has.
    manifest = read_manifest(run) if (run / MANIFEST).is_file() else {}
    form = own_form(manifest, project.params)
    edition = form.edition(document["year"])
    ledger = fact["ledger"] and schema_of(form, fact["ledger"]).name
    return fact | {
        "ledger_name": ledger,
        "conditions": conditions,
        "parts": _brief([facts[part] for part in fact["sum_of"] if part in facts])
        + _of_members(run, fact, manifest),
        "appears": [_place(place, edition) for place in fact["places"]],
        "last_year": _last_year(run, fact, document, _whose(manifest, document, project), project),
        "source_rows": _rows(form, run, fact),
    }


def _near(name: str, facts: Mapping[str, Any]) -> list[Any]:
    """Stop with what is nearest to a name that is neither an id nor in a label."""
    words = list(facts)
    if not FACT_ID.fullmatch(name):
        words = sorted({word for fact in facts.values() for word in fact["label"].split("/")})
    near = difflib.get_close_matches(name, words, n=3, cutoff=0.5)
    raise InputError(
        "fact-unknown",
        "no fact '{name}'; nearest: {near}",
        name=name,
        near=joined(COMMA, near) or Message("none"),
    )


def _brief(facts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{key: fact[key] for key in ("id", "label", "value", "unit")} for fact in facts]


def _of_members(
    run: Path, fact: Mapping[str, Any], manifest: Mapping[str, Any]
) -> list[dict[str, str]]:
    """The members' figures that a roll-up's fact adds, each with where it is explained further."""
    members = {member["id"]: member for member in manifest.get("members", ())}
    if not any("/" in part for part in fact["sum_of"]):
        return []
    rows = read_members(run).filter(pc.field("fact") == fact["id"]).to_pylist()
    return [
        {
            "id": f"{row['member']}/{fact['id']}",
            "label": f"{members[row['member']]['name']}，{members[row['member']]['source']}",
            "value": row["value"],
            "unit": fact["unit"],
        }
        for row in rows
        if row["value"] is not None
    ]


def _place(place: str, edition: Edition) -> str:
    """A place in Chinese: 表3 …, 第一部分 …."""
    kind, _, name = place.partition(":")
    if kind == "table":
        number = shown_by(name)
        return f"表{number if number.isdigit() else ''} {edition.table(name).title}"
    titles = {section.number: section.title for section in edition.sections}
    if kind == "section" and name in titles:
        return f"第{name}部分 {titles[name]}"
    known = {"preamble": "序言", "notebook": "笔记本", "corrections": "更正说明"}
    return known.get(kind, place)


def _whose(manifest: Mapping[str, Any], document: Mapping[str, Any], project: Project) -> District:
    """The district of a run, by the form of it; one that is not of this project has its id only."""
    name, other = document["district"], manifest.get("parameters", {}).get("form")
    try:
        return project.district(name, other)
    except InputError:
        usual = "" if other else manifest.get("form", DEFAULT)
        return District(id=name, name=name, scope=document["scope"], form=usual).by(other)


def _last_year(
    run: Path,
    fact: Mapping[str, Any],
    document: Mapping[str, Any],
    whose: District,
    project: Project,
) -> dict[str, Any] | None:
    """Last year's value, from the run beside this one, else from the published report."""
    name, year = fact["id"], document["year"] - 1
    # A run is <out>/<district>/<year>/runs/<run id>; a copy of one has no run beside it.
    past = figures_of(
        project,
        whose,
        year,
        scope=document["scope"],
        run=run.resolve() / f"../../../{whose.report_name(year)}/current",
    )
    if past is None:
        return None
    was, now = past.values.get(name), number_of(fact["value"])
    value = change = text = None
    if was is not None:
        value = plain(was)
        if now is not None:
            change, text = plain(now - was), compared(now, was, unit=fact["unit"])
    elif name in past.facts:
        value = past.facts[name]["value"]
    answer = {"year": year, "origin": past.origin, "source": past.source, "value": value}
    return answer | {"change": change, "text": text}


def _rows(form: Form, run: Path, fact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Source rows with file and place; the first ones with their key and what the fact asks."""
    if not fact["evidence"]:
        return []
    rows = read_source_rows(run, fact)
    shown = read_rows(run / "evidence", fact["ledger"], rows["row"][:_WITH_CELLS].to_pylist())
    key = schema_of(form, fact["ledger"]).key_column
    records = []
    for row in rows.drop_columns("digest").to_pylist():
        place = place_in_file(row["sheet"], row["line"])
        entry: dict[str, Any] = {"row": row["row"], "file": row["file"], "place": place}
        if row["sign"] < 0:
            entry["subtracted"] = True
        if cells := shown.get(entry["row"]):
            entry["cells"] = {key: cells[key]} | {
                name: cell for name, cell in cells.items() if name in fact["definition"]
            }
        records.append(entry)
    return records


def as_text(answer: Mapping[str, Any], translate: Translate = str) -> list[str]:
    """Return the answer of `explain` for a terminal: aligned, also where characters are wide."""
    if "matches" in answer:
        facts = answer["matches"]
        head = Message("{count} facts have this in their label:", count=len(facts))
        return [head, *_listed(facts)]
    fields: list[tuple[str, str]] = [
        (Message("value"), f"{answer['value']} {answer['unit']}".strip())
    ]
    last = answer["last_year"]
    if last:
        value = f"{last['value']} {answer['unit']}".strip() if last["value"] else _NO_FACT
        origin = _FROM[last["origin"] == "run"]
        both = joined(COMMA, [value, last["text"]] if last["text"] else [value])
        fields.append(
            (
                Message("last year"),
                Message(origin, value=both, year=last["year"]),
            )
        )
    if answer["origin"] == "sum" and not any("/" in part["id"] for part in answer["parts"]):
        fields.append((Message("definition"), f"{len(answer['parts'])}项之和"))
    else:
        fields.append((Message("definition"), answer["definition"]))
    names = [Message("filter"), *[""] * len(answer["conditions"])]
    fields += zip(names, answer["conditions"], strict=False)
    if answer["source"]:
        # Who and when stand behind the source, in brackets.
        source, _, stated = answer["source"].removesuffix("）").rpartition("（")
        stated = stated if re.search(r"\d{4}-\d\d-\d\d$", stated) else ""
        fields.append((Message("source"), source if stated else answer["source"]))
        fields += [(Message("stated"), stated)] * bool(stated)
    names = [Message("appears in"), *[""] * len(answer["appears"])]
    fields += zip(names, answer["appears"], strict=False)
    rows = answer["source_rows"]
    if answer["ledger"]:
        of = Message("{count} of {ledger}", count=len(rows), ledger=answer["ledger_name"])
        fields.append((Message("rows"), of))
    table = [
        ("  " + translated(name, translate), translated(value, translate)) for name, value in fields
    ]
    lines = [f"{answer['id']}  {answer['label']}", *aligned(table)]
    parts = [part for part in answer["parts"] if number_of(part["value"]) != 0]
    lines += [Message("  parts"), *_listed(parts)] if answer["parts"] else []
    if len(parts) < len(answer["parts"]):
        zero = len(answer["parts"]) - len(parts)
        lines.append(Message("    … and {count} that are 0", count=zero))
    shown = [row for row in rows[:_SHOWN] if "cells" in row]
    if shown:
        columns = list(shown[0]["cells"])
        heads = [translated(Message(name), translate) for name in (_FILE, _LINE)]
        records = [("", *columns, *heads)]
        for row in shown:
            sign = "−" if row.get("subtracted") else ""
            records.append((sign, *row["cells"].values(), row["file"], row["place"]))
        lines += ["", *aligned(records)]
    if len(rows) > len(shown):
        more = len(rows) - len(shown)
        lines.append(Message("  … and {count} more rows; --json lists all", count=more))
    return lines


def _listed(facts: Sequence[Mapping[str, str]]) -> list[str]:
    wide = max((places(fact["value"]) for fact in facts), default=0)
    return aligned([(f"    {f['value']:>{wide}} {f['unit']}", f["id"], f["label"]) for f in facts])
