"""report.html: one page for readers, with no code in it and nothing fetched from anywhere."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from reportkit.export.dataset import FILES, dataset
from reportkit.export.defined import along, definition_of, named_in
from reportkit.export.document import Document, DocumentExporter
from reportkit.export.headlines import cards, phrase
from reportkit.export.pages import asset, compile_templates, corrected_on, render
from reportkit.export.tidy import csv_text, grid, harmless, parts_of, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.export.blocks import Block
    from reportkit.export.tidy import TidyTable

# Labels are in the tables and definitions of the page already.
_PUBLIC = ("id", "value", "unit", "origin")
# A table of more cells is defined by its rows and columns, not cell by cell.
_CELL_BY_CELL = 40


class ReportHTML(DocumentExporter):
    """Readers' page of an executed report notebook (``--to reportkit-html``)."""

    export_from_notebook = "Report for readers (HTML)"
    output_mimetype = "text/html"
    extension = ".html"

    @classmethod
    def prepare(cls) -> None:
        """Compile the templates."""
        compile_templates()

    def make(self, document: Document) -> str:
        """Return the page."""
        facts = [[fact[key] for key in _PUBLIC] for fact in document.facts.values()]
        shown = cards(document.seal.get("headlines", []), document.facts)
        head = document.head
        about = f"{head['title']}。" + "，".join(map(phrase, shown))
        return render(
            "report.html.j2",
            document=document,
            facts=document.facts,
            cards=shown,
            corrected=corrected_on(document.corrected),
            about=about,
            files=FILES,
            dataset=dataset(document, about),
            readers={
                "past": document.seal.get("past", {}),
                "take": {item["id"]: _take(item, document) for item in document.shown},
                "how": {item["id"]: _how(item, document) for item in document.shown},
                "defined": _defined(document),
            },
            public={"schema": "reportkit/public-facts/3", "columns": _PUBLIC, "facts": facts},
            style=asset("base.css", "report.css"),
        )


def _take(item: Block, document: Document) -> list[tuple[str, str, str]]:
    """Name, file name and address of each download of a table or chart."""
    head = document.head
    facts = document.facts
    if item["kind"] == "table":
        rows = [
            [c["text"] if c["role"] != "value" else value_of(c, facts) for c in row]
            for row in grid(item)
        ]
        data: dict[str, Any] = {"parts": [_part_json(part, facts) for part in parts_of(item)]}
    elif item.get("data"):
        data = dict(item["data"])
        rows = [data["columns"], *data["rows"]]
    else:
        return []
    data |= {"title": item["title"], "district": head["district"], "year": head["year"]}
    name = f"{head['district']}-{head.get('report', head['year'])}-{item['id']}"
    # A mark of UTF-8 first, or Excel takes Chinese for something else.
    made = {
        "CSV": (
            "text/csv;charset=utf-8",
            ("\ufeff" + csv_text([map(harmless, row) for row in rows])).encode(),
        ),
        "JSON": ("application/json", _compact(data)),
    }
    return [
        (kind, f"{name}.{kind.lower()}", f"data:{mime};base64,{base64.b64encode(body).decode()}")
        for kind, (mime, body) in made.items()
    ]


def _compact(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _part_json(part: TidyTable, facts: Mapping[str, Block]) -> dict[str, Any]:
    rows = [
        {"label": label, "cells": [_cell(c, facts) for c in cells]} for label, cells in part.rows
    ]
    return {"title": part.title, "columns": part.columns, "rows": rows}


def _cell(cell: Block, facts: Mapping[str, Block]) -> dict[str, str]:
    value = {"value": value_of(cell, facts)}
    name = cell.get("fact")
    return value | {"fact": name, "unit": facts[name]["unit"]} if name else value


def _how(item: Block, document: Document) -> list[tuple[str, str]]:
    """Describe the counting of a statutory table's cells."""
    if item["kind"] != "table" or item["own"]:
        return []
    parts = parts_of(item)
    names = [c["fact"] for part in parts for _, cells in part.rows for c in cells if c.get("fact")]
    if len(names) > _CELL_BY_CELL:
        return [pair for part in parts for pair in along(part, document.facts)]
    facts = [document.facts[name] for name in names]
    return [(fact["label"], definition_of(fact, document.facts)) for fact in facts]


def _defined(document: Document) -> dict[str, list[Block]]:
    """Return the figures of each section's text, by its number; each where it is named first."""
    seen: set[str] = set()
    found: dict[str, list[Block]] = {}
    for section in document.all_sections:
        prose = [part["prose"] for part in section["parts"] if "prose" in part]
        new = [name for name in dict.fromkeys(named_in(prose)) if name not in seen]
        seen |= {*new}
        found[section["number"]] = [
            document.facts[name] | {"how": definition_of(document.facts[name], document.facts)}
            for name in new
        ]
    return found
