"""The page of an audited document: its tables drawn again, with the findings in their cells."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reportkit.audit.mentions import mentioned_figures, sentences, sums_of
from reportkit.audit.readers.lines import one_line
from reportkit.audit.stated_sums import WHOLE
from reportkit.audit.wording import wording_of
from reportkit.checks import rules_of
from reportkit.checks.rules import family
from reportkit.export.document import place
from reportkit.export.pages import asset, environment
from reportkit.facts import plain
from reportkit.forms.layout import table_block
from reportkit.language.catalogue import translator
from reportkit.language.message import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reportkit.audit.mentions import MentionedFigure
    from reportkit.audit.published import Flaw, Published
    from reportkit.audit.read_table import ReadTable
    from reportkit.forms import Form

_RANKS = ("error", "warning", "info", "waived")


def page(report: Published, flaws: Sequence[Flaw], form: Form, *, index: str = "") -> str:
    """The page of a document.

    Parameters
    ----------
    report : Published
    flaws : sequence of Flaw
        What was found in it, dismissed findings too.
    form : Form
    index : str
        Address of the page of all documents, where there is one.
    """
    numbered = list(enumerate(flaws, 1))
    return fill(
        "document.html.j2",
        report=report,
        known=len(report.values),
        cells=sum(len(table.values) for table in report.tables),
        findings=[_finding(number, flaw, report, form) for number, flaw in numbered],
        sections=list(_sections(report, numbered, form)),
        index=index,
    )


def fill(template: str, **fields: Any) -> str:
    """A page of this package in the style of the auditors' pages."""
    style = asset("base.css", "audit.css")
    made = environment("reportkit.audit")
    made.filters["in_chinese"] = _in_chinese
    style += made.get_template("published.css").render()
    return made.get_template(template).render(**fields, style=style)


def _in_chinese(text: str) -> str:
    return str(translated(text, translator("zh")))


def _finding(number: int, flaw: Flaw, report: Published, form: Form) -> dict[str, Any]:
    rule = rules_of(form, report.edition)[family(flaw.check)]
    values, labels = report.values, report.labels
    cells = [
        (name, labels.get(name, name), plain(values[name]) if name in values else "—")
        for name in flaw.cells
    ]
    return {
        "number": number,
        "flaw": flaw,
        "rank": flaw.severity if flaw.open else "waived",
        "cells": cells,
        "basis": rule.basis,
        "dismissal": dismissal_yaml(report.path.name, flaw),
    }


def dismissal_yaml(document: str, flaw: Flaw) -> str:
    """The entry of a file for ``--dismissed`` that dismisses a finding; no reason yet."""
    entry = {"document": document, "check": flaw.check, "cells": list(flaw.cells)}
    if flaw.printed is not None:
        entry["printed"] = flaw.printed
    # JSON is YAML that guesses nothing.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    return "- " + "\n  ".join([*lines, "reason: "])


def _sections(
    report: Published, flaws: Sequence[tuple[int, Flaw]], form: Form
) -> Iterator[dict[str, Any]]:
    texts = {
        number: text
        for number, text in report.sections.items()
        if not any(one.number == number and one.table for one in report.edition.sections)
    }
    issuer = report.heading.issuer or ""
    figures = mentioned_figures(wording_of(form), report.edition, texts, issuer=issuer)
    if texts.get(""):
        paragraphs = list(_paragraphs("", texts[""], figures, flaws, report))
        title = "标题和前言"
        yield {"number": "", "title": title, "absent": False, "paragraphs": paragraphs}
    for section in report.edition.sections:
        made: dict[str, Any] = {"number": section.number, "title": section.title}
        if section.table is not None:
            yield made | _table(_table_of(report, section.table), flaws)
        else:
            text = texts.get(section.number)
            shown = _paragraphs(section.number, text or "", figures, flaws, report)
            yield made | {"absent": text is None, "paragraphs": list(shown)}


def _table_of(report: Published, name: str | int) -> ReadTable:
    wanted = report.edition.table(name).id
    return next(table for table in report.tables if table.table.id == wanted)


def _table(read: ReadTable, flaws: Sequence[tuple[int, Flaw]]) -> dict[str, Any]:
    """A table as it is printed, in the layout of the edition that it is printed by."""

    def value(name: str) -> dict[str, Any]:
        number = read.values.get(name)
        shown = read.printed.get(name, "" if number is None else plain(number))
        state = _state(read, name)
        found = [(number, flaw) for number, flaw in flaws if name in flaw.cells]
        marks: Any = environment("reportkit.audit").get_template("_marks.j2").module
        return {
            "text": one_line(shown),
            "cell": name,
            "mark": " ".join(filter(None, (_worst(flaw for _, flaw in found), state))),
            "after": marks.after(state, [number for number, _ in found]),
        }

    made = table_block(read.table, value)
    made |= {"own": False, "captioned": False, "note": ""}
    return {"read": read, "block": made | place(made)}


def _state(read: ReadTable, name: str) -> str:
    """Return the way in which a cell was read; "" where it is as it is printed."""
    if name in read.by_sums:
        return "inferred"
    if read.values.get(name) is not None:
        return ""
    return "blank" if name in read.blank else "unread"


def _worst(flaws: Iterable[Flaw]) -> str:
    ranks = (flaw.severity if flaw.open else "waived" for flaw in flaws)
    return min(ranks, key=_RANKS.index, default="")


def _paragraphs(
    number: str,
    text: str,
    figures: Sequence[MentionedFigure],
    flaws: Sequence[tuple[int, Flaw]],
    report: Published,
) -> Iterator[list[dict[str, Any]]]:
    """Paragraphs of sentences, each with its figures, and with the findings that are in it."""
    where = _ranges(text, flaws)
    at = 0
    for paragraph in text.split("\n"):
        made = []
        start = at
        for sentence in sentences(paragraph):
            begin = text.index(sentence, start)
            start = begin + len(sentence)
            found = [(n, flaw) for n, flaw, first, last in where if first < start and begin < last]
            own = [one for one in figures if (one.section, one.sentence) == (number, sentence)]
            made.append(
                {
                    "rank": _worst(flaw for _, flaw in found),
                    "findings": [n for n, _ in found],
                    "runs": list(_runs(sentence, own, report)),
                }
            )
        at += len(paragraph) + 1
        if made:
            yield made


def _ranges(text: str, flaws: Sequence[tuple[int, Flaw]]) -> list[tuple[int, Flaw, int, int]]:
    """The place in a text of each finding whose sentence is of this text."""
    found = []
    for number, flaw in flaws:
        at = text.find(flaw.sentence) if flaw.sentence else -1
        if at >= 0 and flaw.sentence:
            found.append((number, flaw, at, at + len(flaw.sentence)))
    return found


def _runs(
    sentence: str, figures: Sequence[MentionedFigure], report: Published
) -> Iterator[dict[str, Any]]:
    """Pieces of a sentence: figures that restate cells, other figures, and what is between."""
    values, labels = report.values, report.labels
    pieces: dict[tuple[int, int], dict[str, Any]] = {
        match.span(1): {"state": "free"} for match in re.finditer(WHOLE, sentence)
    }
    for figure in figures:
        sums = sums_of(figure.mention, values)
        right = [cells for cells, total in sums if total == figure.value]
        cells = (right or [cells for cells, _ in sums] or [[]])[0]
        first, last = figure.span
        pieces = {at: piece for at, piece in pieces.items() if at[1] <= first or last <= at[0]}
        pieces[figure.span] = {
            "state": "holds" if right else "differs" if sums else "free",
            "cell": cells[0] if cells else None,
            "sum": " + ".join(f"{labels.get(n, n)} {plain(values[n])}" for n in cells),
        }
    edges = sorted({0, len(sentence), *(edge for span in pieces for edge in span)})
    for first, last in pairwise(edges):
        yield {"text": sentence[first:last]} | pieces.get((first, last), {"state": ""})
