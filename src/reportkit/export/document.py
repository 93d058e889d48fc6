"""The document that an executed notebook holds: its blocks, put in order and looked over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup
from nbconvert.exporters import Exporter
from traitlets import default

from reportkit.errors import ExportError
from reportkit.export.blocks import Block, from_notebook, visible
from reportkit.export.drawing import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbformat import NotebookNode

__all__ = ["Document", "DocumentExporter", "arrange", "day_of", "length", "place"]

_PAIRS = re.compile("([一-鿿]{2})+")
_NUMBERED = re.compile("(（[一-鿿]+）)([一-鿿]{2,6})")


@dataclass(frozen=True)
class Document:
    """A report as the exporters see it.

    Attributes
    ----------
    head : dict
        Title, issuer, number, dates and preamble.
    sections : tuple of dict
        Each section block with ``shown``, its tables and charts in order.
    inputs, checks, seal : dict
        What only auditors read.
    facts : dict of str to dict
        The facts of the seal by id.
    code : tuple of str
        The sources of the code cells.
    notebook : NotebookNode
        What the blocks were read from.
    """

    head: Block
    sections: tuple[Block, ...]
    inputs: Block
    checks: tuple[Block, ...]
    seal: Block
    facts: Mapping[str, Block]
    code: tuple[str, ...]
    notebook: Mapping[str, Any]


class DocumentExporter(Exporter):
    """An nbconvert exporter that makes one document of a notebook's blocks.

    Its children say how in ``make``; they see the document and compute nothing.
    """

    extension: ClassVar[str]

    @default("default_preprocessors")
    def _default_preprocessors_default(self) -> list[str]:
        return ["nbconvert.preprocessors.ExecutePreprocessor"]  # off but for --execute

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return self.extension

    @classmethod
    def prepare(cls) -> None:
        """Do what is the same for every document; a process that others are forked from does so."""

    def make(self, document: Document) -> str | bytes:
        """Return the document's text or bytes."""
        raise NotImplementedError

    # Pages are text and the others bytes; nbconvert knows of text only.
    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str | bytes, dict[str, Any]]:
        """Return the document and nbconvert's resources."""
        if not any(one.enabled for one in self._preprocessors):  # then no copies are needed
            # nbconvert has no types here.
            plain = self._init_resources(resources)  # type: ignore[no-untyped-call]
            return self.make(arrange(nb)), plain
        notebook, found = super().from_notebook_node(nb, resources, **kw)
        return self.make(arrange(notebook)), found


def arrange(notebook: Mapping[str, Any]) -> Document:
    """Return the document of an executed notebook.

    Raises
    ------
    ExportError
        ``block-missing`` if the head, a section or the seal is absent, ``block-repeated`` if one
        of them stands twice, ``fact-unknown`` if a shown value is not a fact of the seal,
        ``table-ragged`` if a table's cells do not fill its columns, ``block-misplaced`` if a
        table or chart stands before the first section.
    """
    blocks = visible(from_notebook(notebook))
    once = {kind: [b for b in blocks if b["kind"] == kind] for kind in ("head", "inputs", "seal")}
    for kind, found in once.items():
        if len(found) > 1:
            raise ExportError("block-repeated", f"the notebook shows {kind} {len(found)} times")
    sections: list[Block] = []
    for one in blocks:
        if one["kind"] == "section":
            sections.append({**one, "shown": []})
        elif one["kind"] in ("table", "chart"):
            if not sections:
                raise ExportError(
                    "block-misplaced", "a table or chart stands before section 一", block=one["id"]
                )
            shown = {**one, **(place(one) if one["kind"] == "table" else _drawn(one))}
            shown["captioned"] = one["title"] != sections[-1]["title"]
            sections[-1]["shown"].append(shown)
    missing = [kind for kind in ("head", "seal") if not once[kind]]
    if missing or not sections:
        raise ExportError(
            "block-missing",
            f"the notebook shows no {', '.join(missing) or 'section'}: it did not run to its last "
            "cell; run it again",
        )
    head, seal = once["head"][0], once["seal"][0]
    facts = {fact["id"]: fact for fact in seal["facts"]["facts"]}
    for key, text in _texts([head, sections]):
        if key == "fact" and text not in facts:
            raise ExportError("fact-unknown", "a shown value is no fact of the seal", fact=text)
    return Document(
        head=head,
        sections=tuple(sections),
        inputs=once["inputs"][0] if once["inputs"] else {"ledgers": [], "findings": []},
        checks=tuple(seal["checks"]),
        seal=seal,
        facts=facts,
        code=tuple(_code(notebook)),
        notebook=notebook,
    )


def _code(notebook: Mapping[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        # What papermill puts in is shown as the parameters; folders would name the machine.
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and "injected-parameters" not in tags:
            yield cell["source"]


def day_of(head: Mapping[str, Any]) -> date:
    """Return the day that a document's files say they were made: its own, or its year's last."""
    return date.fromisoformat(head["dated"] or f"{head['year']}-12-31")


def place(table: Mapping[str, Any]) -> Block:
    """Return a table's rows with the column of every cell, and how its text may break.

    A label beside many rows stands upright in a narrow column.

    Parameters
    ----------
    table : dict
        A table block: rows as in HTML, where a cell under a rowspan is not repeated.
    """
    columns, taken = table["columns"], {}
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
            placed.append(
                {
                    **cell,
                    "column": column,
                    "parts": _parts(cell),
                    "upright": upright and table["label_columns"] > 1,
                }
            )
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


def length(text: str) -> float:
    """Return how many Chinese characters a text is long; a Latin letter is half of one."""
    return sum(1 if ord(character) > 0x2E7F else 0.5 for character in text)


def _ragged(table: Mapping[str, Any], row: int) -> ExportError:
    message = f"the cells do not fill {table['columns']} columns exactly"
    return ExportError("table-ragged", message, table=table["id"], row=row + 1)


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
