"""Whether documents print what ``facts.json`` says: pages, PDF, Word, workbook, notebook."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pypdfium2

from reportkit.errors import ExportError
from reportkit.evidence.seal import seal_of
from reportkit.export.blocks import from_notebook
from reportkit.facts.numerals import read_number
from reportkit.proof.recount.workbooks import read_sheets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Facts = Mapping[str, Mapping[str, Any]]

_NO_TABLES = ("说明", "核验")
_UNREADABLE = (pypdfium2.PdfiumError, zipfile.BadZipFile, LookupError, ValueError)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def check_documents(run: Path, facts: Facts) -> list[str]:
    """What a run's documents print otherwise than its facts; each place by its fact.

    Parameters
    ----------
    run : Path
    facts : mapping
        The facts of ``facts.json`` by id.
    """
    told = list(_notebook(run, facts))
    page = _Page((run / "report.html").read_text(encoding="utf-8"))
    told += [f"report.html: {one}" for one in _shown(page, facts)]
    told += [f"report.html: {one}" for one in _listed(page.script, facts)]
    audit = _Page((run / "audit.html").read_text(encoding="utf-8"))
    told += [f"audit.html: {one}" for one in _shown(audit, facts)]
    told += [f"audit.html: {one}" for one in _listed(audit.script, facts, whole=True)]
    for name, read in (("report.pdf", _pdf_text), ("report.docx", _docx_text)):
        if (run / name).is_file():
            try:
                text = read(run / name)
                told += [f"{name}: {one}" for one in (*_says(page, text), *_prints(page, text))]
            except _UNREADABLE as error:
                told.append(f"{name} cannot be read: {error}")
    if (run / "tables.xlsx").is_file():
        try:
            told += [f"tables.xlsx: {one}" for one in _workbook(run / "tables.xlsx", page, facts)]
        except _UNREADABLE as error:
            told.append(f"tables.xlsx cannot be read: {error}")
    return told


def _workbook(path: Path, page: _Page, facts: Facts) -> Iterator[str]:
    """The statutory tables of a workbook, and its list of all facts."""
    sheets = {name: list(sheet.rows) for name, sheet in read_sheets(path).items()}
    listed = {row[0]: row[2] for _, row in sheets.pop("数据")[2:]}
    for name in sorted({*listed, *facts}):
        value = facts[name]["value"] if name in facts else "nothing"
        if listed.get(name, "nothing") != value:
            yield f"{name} is listed as {listed.get(name, 'nothing')}, {value} in facts.json"
    tables = [row for name, rows in sheets.items() if name not in _NO_TABLES for _, row in rows]
    yield from _prints(page, "\n".join(cell for row in tables for cell in row))


def _notebook(run: Path, facts: Facts) -> Iterator[str]:
    try:
        notebook = json.loads((run / "report.ipynb").read_text(encoding="utf-8"))
        (seal,) = from_notebook(notebook, "seal")
    except (ValueError, KeyError, ExportError) as error:
        yield f"report.ipynb: its seal cannot be read: {error}"
        return
    sealed = {fact["id"]: fact for fact in seal["facts"]["facts"]}
    yield from (f"report.ipynb: {one}" for one in _differ(sealed, facts))
    document = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    if seal["seal"] != seal_of(document):
        yield "report.ipynb: its seal is not over facts.json"


def _listed(listed: list[Any], facts: Facts, *, whole: bool = False) -> Iterator[str]:
    """What the data inside a page says otherwise."""
    there = {fact["id"]: fact for fact in listed}
    yield from _differ(there, facts if whole else {k: v for k, v in facts.items() if k in there})


def _differ(there: Facts, facts: Facts) -> Iterator[str]:
    for name in sorted({*there, *facts}):
        if name not in facts or name not in there:
            yield f"{name} is only {'in it' if name in there else 'in facts.json'}"
            continue
        for key in sorted(set(there[name]) & set(facts[name])):
            if there[name][key] != facts[name][key]:
                yield f"{name}: {key} {there[name][key]}, {facts[name][key]} in facts.json"


def _shown(page: _Page, facts: Facts) -> Iterator[str]:
    for one in page.shown:
        fact = facts.get(one.fact)
        if fact is None:
            yield f"{one.fact} is shown and is no fact"
        elif one.value is not None and one.value != fact["value"]:
            yield f"{one.fact} is given as {one.value}, {fact['value']} in facts.json"
        elif not reads_as(one.text, fact["value"]):
            yield f"{one.fact} prints {one.text}, {fact['value']} in facts.json"


def reads_as(text: str, value: str) -> bool:
    """Whether a printed text can be a value: in other units, rounded, in Chinese, or as a day.

    Examples
    --------
    >>> reads_as("约2416.2万元", "24161987.13"), reads_as("二十六", "26"), reads_as("77", "76")
    (True, True, False)
    """
    bare = re.sub(r"[\s,，]", "", text)
    day = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", value)
    if day:
        parts = [int(part) for part in re.findall(r"\d+", bare)]
        whole = [int(part) for part in day.groups()]
        return bool(parts) and parts in (whole, whole[1:], whole[:2], whole[:1], whole[1:2])
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value in text or text in value
    read = read_number(text)
    # A table prints a decrease with a minus, which the reading leaves to the words of a text.
    return read is not None and (read.says(number) or read.says(abs(number)))


def _says(page: _Page, text: str) -> Iterator[str]:
    """Which paragraphs with figures do not stand in another document."""
    bare = re.sub(r"\s", "", text)
    for paragraph in page.paragraphs:
        if re.sub(r"\s", "", paragraph.text) not in bare:
            near = _nearest(re.sub(r"\s", "", paragraph.text), bare)
            yield f"the text with {'、'.join(paragraph.facts)} is not as in report.html{near}"


def _prints(page: _Page, text: str) -> Iterator[str]:
    """Which figures of the page's tables do not stand in another document, in their place."""
    wanted = [(token, one.fact) for one in page.cells for token in _NUMBER.findall(one.text)]
    printed = _NUMBER.findall(text)
    left = iter(printed)
    if all(any(token == other for other in left) for token, _ in wanted):
        return
    matcher = SequenceMatcher(a=[token for token, _ in wanted], b=printed, autojunk=False)
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind in ("replace", "delete"):
            there = "、".join(printed[begin:end][: last - first]) or "nothing"
            names = "、".join(f"{fact} ({token})" for token, fact in wanted[first:last][:8])
            yield f"{names} is not printed in its place; there stands {there}"


def _nearest(paragraph: str, text: str) -> str:
    """Where a document leaves a paragraph, with what stands there."""
    start = text.find(paragraph[:12])
    if start < 0:
        return ""
    at = next(
        (i for i, (a, b) in enumerate(zip(paragraph, text[start:], strict=False)) if a != b), 0
    )
    here, there = paragraph[max(0, at - 8) : at + 8], text[start:][max(0, at - 8) : at + 8]
    return f": “{here}” there, “{there}” here"


def _pdf_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        pages = [page.get_textpage().get_text_bounded().splitlines() for page in document]
    finally:
        document.close()
    # Running heads stand on each page, numbers of pages at its foot.
    heads = set.intersection(*(set(page) for page in pages)) if len(pages) > 1 else set()
    return "\n".join(
        line
        for page in pages
        for line in page
        if line not in heads and not re.fullmatch(r"— ?\d+ ?—", line.strip())
    )


def _docx_text(path: Path) -> str:
    with zipfile.ZipFile(path) as file:
        xml = file.read("word/document.xml").decode("utf-8")
    paragraphs = re.split(r"</w:p>", xml)
    texts = ("".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", one)) for one in paragraphs)
    return "\n".join(texts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@dataclass(frozen=True)
class _Shown:
    fact: str
    value: str | None
    text: str


@dataclass
class _Paragraph:
    facts: list[str]
    text: str


class _Page(HTMLParser):
    """What a page of ours shows: each fact where it stands, and paragraphs with facts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[_Shown] = []
        self.cells: list[_Shown] = []
        self.paragraphs: list[_Paragraph] = []
        self.script: list[Any] = []
        self._fact: tuple[str, str | None] | None = None
        self._text: list[str] = []
        self._paragraph: _Paragraph | None = None
        self._cell = self._data = False
        self.feed(html)
        self.close()
        self.paragraphs = [one for one in self.paragraphs if one.facts]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._data = tag == "script" and named.get("id") == "facts"
        if tag in ("p", "li"):
            self._paragraph = _Paragraph([], "")
            self.paragraphs.append(self._paragraph)
        elif tag in ("td", "th"):
            self._cell, self._paragraph = tag == "td", None
        figure = tag == "data" or "n" in str(named.get("class", "")).split()
        if figure and named.get("data-fact"):
            self._fact, self._text = (str(named["data-fact"]), named.get("value")), []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("data", "a") and self._fact is not None:
            one = _Shown(*self._fact, "".join(self._text))
            self.shown.append(one)
            if self._cell:
                self.cells.append(one)
            if self._paragraph is not None:
                self._paragraph.facts.append(one.fact)
            self._fact = None
        elif tag in ("p", "li", "td"):
            self._paragraph, self._cell = None, False
        self._data = self._data and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._data:
            listed = json.loads(data)
            if isinstance(listed, dict):  # the readers' page names its columns once
                listed = [dict(zip(listed["columns"], row, strict=True)) for row in listed["facts"]]
            self.script = listed
        if self._fact is not None:
            self._text.append(data)
        if self._paragraph is not None:
            self._paragraph.text += data
