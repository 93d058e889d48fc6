"""The document that an executed notebook holds: its blocks, put in order and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup
from nbconvert.exporters import Exporter
from traitlets import default

from reportkit.errors import ExportError
from reportkit.export.blocks import Block, for_readers, from_notebook, length, visible, with_cells
from reportkit.export.drawing import clean
from reportkit.language import Message, joined
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbformat import NotebookNode

_PAIRS = re.compile("([一-鿿]{2})+")
# Kinds of blocks that have a place among others.
_PLACED = ("head", "section", "prose", "table", "chart")
_NUMBERED = re.compile("(（[一-鿿]+）)([一-鿿]{2,6})")


@dataclass(frozen=True)
class Document:
    """A report as the exporters see it.

    Attributes
    ----------
    head : dict
        Title, issuer, number and dates.
    preamble : dict
        What stands before the first section, as a section: ``parts`` are in the order of the
        notebook's cells, each with ``prose`` or with the tables and charts ``shown`` after it;
        ``shown`` are all of these.
    sections : tuple of dict
        Each section block with its whole ``heading``, ``parts`` and ``shown``. 更正说明, which
        the form does not number, is the last one.
    inputs, checks, rules, seal : dict
        What only auditors read.
    counted : dict of str to str
        What the notebook itself counts of cells of the form, by their facts.
    facts : dict of str to dict
        The facts of the seal by id.
    corrected : tuple of str
        The days on which the published report was corrected.
    code : tuple of dict
        The ``source`` of each code cell, and ``notes`` where it is for the analyst only.
    notebook : NotebookNode
        What the blocks were read from.
    """

    head: Block
    preamble: Block
    sections: tuple[Block, ...]
    inputs: Block
    checks: tuple[Block, ...]
    rules: Mapping[str, Block]
    seal: Block
    counted: Mapping[str, str]
    facts: Mapping[str, Block]
    corrected: tuple[str, ...]
    code: tuple[Block, ...]
    notebook: Mapping[str, Any]

    @property
    def all_sections(self) -> tuple[Block, ...]:
        """The preamble and the sections."""
        return (self.preamble, *self.sections)

    @property
    def shown(self) -> list[Block]:
        """All tables and charts."""
        return [item for section in self.all_sections for item in section["shown"]]


class DocumentExporter(Exporter):
    """An nbconvert exporter that makes one document of a notebook's blocks.

    Subclasses do so in ``make``, from the document alone; they compute nothing.
    """

    extension: ClassVar[str]

    @default("default_preprocessors")
    def _default_preprocessors_default(self) -> list[str]:
        # The first is off but for --execute; the second is named only, since it computes.
        return ["nbconvert.preprocessors.ExecutePreprocessor", "reportkit.notebook.filled.Fill"]

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return self.extension

    @classmethod
    def prepare(cls) -> None:
        """Prepare what every document shares; done in the process that others are forked from."""

    def make(self, document: Document) -> str | bytes:
        """Return the document's text or bytes."""
        raise NotImplementedError

    # Pages are text and the others bytes; nbconvert knows of text only.
    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str | bytes, dict[str, Any]]:
        """Return the document and nbconvert's resources."""
        notebook, found = super().from_notebook_node(nb, resources, **kw)
        return self.make(arrange(notebook)), found


def arrange(notebook: Mapping[str, Any]) -> Document:
    """Return the document of an executed notebook.

    Raises
    ------
    ExportError
        ``block-missing`` if the head, a section or the seal is absent, ``block-repeated`` if the
        head, the inputs or the seal stands twice, ``fact-unknown`` if a shown value is not a fact
        of the seal, ``table-ragged`` if a table's cells do not fill its columns.
    """
    from_notebook(notebook)  # refuses one without blocks
    items: list[Block] = visible(list(_items(notebook)))
    once = {kind: [b for b in items if b["kind"] == kind] for kind in ("head", "inputs", "seal")}
    for kind, found in once.items():
        if len(found) > 1:
            raise ExportError(
                "block-repeated",
                "the notebook shows {kind} {count} times",
                kind=Message(kind),
                count=len(found),
            )
    # Where the head is not shown the seal has it; a check finds that.
    heads = [*once["head"], *(seal["head"] for seal in once["seal"] if "head" in seal)]
    head: Block = heads[0] if heads else {}
    order = _Order(head)
    for item in items:
        order.put(item)
    missing = [kind for kind, shown in (("head", head), ("seal", once["seal"])) if not shown]
    if missing or not (order.sections or "form" in once["seal"][0]):
        kinds = [Message(kind) for kind in missing or ["section"]]
        raise ExportError(
            "block-missing",
            "the notebook shows no {missing}: it did not run to its last cell; run it again",
            missing=joined(COMMA, kinds),
        )
    seal = once["seal"][0]
    if corrections := seal.get("corrections"):
        order.correct(corrections)
    facts = {fact["id"]: fact for fact in seal["facts"]["facts"]}
    for key, text in _texts([order.preamble, order.sections]):
        if key == "fact" and text not in facts:
            raise ExportError("fact-unknown", "a shown value is no fact of the seal", fact=text)
    filled = visible(notebook["metadata"].get("reportkit", {}))
    return Document(
        head=head | ({"draft": filled["draft"]} if filled else {}),
        preamble=order.preamble,
        sections=tuple(order.sections),
        inputs=once["inputs"][0] if once["inputs"] else {"ledgers": [], "findings": []},
        checks=tuple(filled.get("checks", seal["checks"])),
        rules=filled.get("rules", seal.get("rules", {})),
        seal=seal,
        counted={name: count for item in items for name, count in item.get("cells", {}).items()},
        facts=facts,
        corrected=tuple(seal.get("corrections", {}).get("days", ())),
        code=tuple(_code(notebook)),
        notebook=notebook,
    )


def _items(notebook: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the blocks of all cells, in their order, with the code of each."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and for_readers(cell):
            yield {"kind": "prose", "body": cell["metadata"].get("reportkit", {}).get("body", [])}
        for _, block in with_cells({"cells": [cell]}):
            if for_readers(cell) or block["kind"] not in _PLACED:
                yield block | {"code": "".join(cell["source"])}


# Ids that pages give to parts of a document.
_GIVEN = re.compile(r"t\d+|(section|title|caption)-.+")


@cache
def _used() -> frozenset[str]:
    """Return the names that the pages use themselves."""
    templates = (files("reportkit.export") / "templates").iterdir()
    texts = [file.read_text(encoding="utf-8") for file in templates if file.name.endswith(".j2")]
    return frozenset(re.findall(r'\bid="([\w-]+)"', "".join(texts)))


class _Order:
    """A document that grows item by item."""

    def __init__(self, head: Block) -> None:
        self.preamble: Block = _begun({"number": "", "title": head.get("title", "")})
        self.sections: list[Block] = []
        self._section = self.preamble
        self._ids: set[str] = set()
        self._tables: set[str] = set()

    def put(self, item: Block) -> None:
        """Put a block where it belongs; a section or table of the form is put there once."""
        if item["kind"] == "head":
            _add_prose(self.preamble, item["preamble"])
        elif item["kind"] == "prose":
            _add_prose(self._section, item["body"])
        elif item["kind"] == "section":
            shown = [known for known in self.sections if known["number"] == item["number"]]
            self._section = shown[0] if shown else _begun(item)
            if not shown:
                _add_prose(self._section, item["body"])
                self.sections.append(self._section)
        elif item["kind"] == "chart" or (item["kind"] == "table" and not self._has(item)):
            self._show(item)

    def correct(self, corrections: Block) -> None:
        """Put the corrections after all sections."""
        title, body = corrections["title"], corrections["body"]
        self.put({"kind": "section", "number": title, "title": "", "body": body})
        if "table" in corrections:
            self.put(corrections["table"] | {"code": None})

    def _has(self, item: Block) -> bool:
        """Return True where this table of the form is in the document already."""
        return _of_form(item) and item["id"] in self._tables

    def _show(self, item: Block) -> None:
        own = bool(item.get("own"))
        shown = {**item, "own": own, "id": self._id(item), "note": item.get("note", "")}
        shown |= place(shown) if item["kind"] == "table" else _drawn(shown)
        shown["captioned"] = bool(item["title"]) and item["title"] != self._section["title"]
        shown["code"] = item["code"] if own or item["kind"] == "chart" else None
        self._section["shown"].append(shown)
        parts = self._section["parts"]
        if not (parts and "shown" in parts[-1]):
            parts.append({"shown": [], "name": f"{self._section['number']}-{len(parts)}"})
        parts[-1]["shown"].append(shown)

    def _id(self, item: Block) -> str:
        """A name of its own in every page: letters, digits and - are safe in all of them."""
        if _of_form(item):
            self._tables.add(item["id"])
            return str(item["id"])
        wanted = re.sub(r"[^\w-]+", "-", item.get("id") or "own-1")
        if wanted in _used() or _GIVEN.fullmatch(wanted):
            wanted = f"own-{wanted}"
        made, number = wanted, 2
        wanted = wanted.removesuffix("-1")
        while made in self._ids:
            made, number = f"{wanted}-{number}", number + 1
        self._ids.add(made)
        return made


def _of_form(item: Block) -> bool:
    return item["kind"] == "table" and not item.get("own")


def _begun(section: Block) -> Block:
    heading = "、".join(filter(None, (section["number"], section["title"])))
    return {**section, "heading": heading, "parts": [], "shown": [], "depth": 0}


def _add_prose(section: Block, body: list[Block]) -> None:
    """Add prose to a section; no heading skips a level, as readers that cannot see go by them.

    The preamble has no heading that others could stand below: there they are one level higher.
    """
    higher = 0 if section["number"] else 1
    for node in body:
        if node["type"] == "heading":
            section["depth"] = min(node["level"], section["depth"] + 1)
            node["level"] = section["depth"] - higher
        if not (section["parts"] and "prose" in section["parts"][-1]):
            section["parts"].append({"prose": []})
        section["parts"][-1]["prose"].append(node)


def _code(notebook: Mapping[str, Any]) -> Iterator[Block]:
    for cell in notebook["cells"]:
        # What papermill puts in is shown as the parameters; folders would name the machine.
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and "injected-parameters" not in tags:
            yield {"source": "".join(cell["source"]), "notes": not for_readers(cell)}


def day_of(head: Mapping[str, Any]) -> date:
    """Return the creation day in a document's files: its own date, or the last day of its year."""
    return date.fromisoformat(head["dated"] or f"{head['year']}-12-31")


def place(table: Mapping[str, Any]) -> Block:
    """Return a table's rows with the column of every cell, and how its text may break.

    A label beside many rows stands upright in a narrow column.

    Parameters
    ----------
    table : dict
        A table block: rows as in HTML, where a cell under a rowspan is not repeated.
    """
    columns, taken, own = table["columns"], {}, table.get("own", False)
    rows: list[list[Block]] = []
    for at, row in enumerate(table["rows"]):
        placed: list[Block] = []
        for cell in row:
            column = next((c for c in range(columns) if (at, c) not in taken), columns)
            for r in range(at, at + cell["rowspan"]):
                for c in range(column, column + cell["colspan"]):
                    if c >= columns or (r, c) in taken:
                        raise _ragged(table, at)
                    taken[r, c] = True
            upright = cell["role"] == "label" and column == 0 and cell["rowspan"] > 8
            upright = upright and table["label_columns"] > 1 and not own
            parts = [cell["text"]] if own else _parts(cell)
            placed.append({**cell, "column": column, "parts": parts, "upright": upright})
        if any((at, c) not in taken for c in range(columns)):
            raise _ragged(table, at)
        rows.append(placed)
    if any(r >= len(rows) for r, _ in taken):
        raise _ragged(table, len(rows) - 1)
    return {"rows": rows, "needs": _needs(rows, table["label_columns"])}


def _needs(rows: list[list[Block]], labels: int) -> list[float]:
    """Return how many characters wide each column of labels should be, at most 13.2."""
    needs = [0.0] * labels
    for cell in (cell for row in rows for cell in row):
        if cell["role"] == "label" and cell["colspan"] == 1:
            need = 2.0 if cell["upright"] else min(13.2, length(cell["text"]))
            needs[cell["column"]] = max(needs[cell["column"]], need)
    return needs


def _ragged(table: Mapping[str, Any], row: int) -> ExportError:
    return ExportError(
        "table-ragged",
        "the cells do not fill {columns} columns exactly",
        columns=table["columns"],
        table=table["id"],
        row=row + 1,
    )


def _parts(cell: Mapping[str, Any]) -> list[str]:
    # The form's words are of two characters: 社会公益组织 breaks as 社会|公益|组织; and a number
    # stays whole: （三）|不予公开.
    text = str(cell["text"])
    if cell["colspan"] == 1 and cell["role"] == "head" and _PAIRS.fullmatch(text):
        return [text[at : at + 2] for at in range(0, len(text), 2)]
    numbered = _NUMBERED.fullmatch(text)
    return list(numbered.groups()) if numbered else [text]


def _drawn(chart: Mapping[str, Any]) -> Block:
    return {"svg": Markup(clean(chart["svg"], chart["id"]))}  # noqa: S704 - shapes only


def _texts(item: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(item, str):
        yield key, item
    elif isinstance(item, dict):
        for name, child in item.items():
            yield from _texts(child, name)
    elif isinstance(item, list):
        for child in item:
            yield from _texts(child, key)
