"""Sheets of .ods workbooks, row by row: what stands in each cell, and how it looks.

Source: OpenDocument 1.3 part 3: 9 (tables), 16 (styles), 19.385 (values).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, BinaryIO

from reportkit.language import Message
from reportkit.ledgers.readers.formats import VOLATILE, Format, format_of, number_text
from reportkit.ledgers.readers.package import Package, open_package, other_format, unsafe
from reportkit.ledgers.readers.sheet import MACROS, THIN, Book, Sheet, of_runs, shade
from reportkit.ledgers.readers.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.ledgers.readers.formats import Oddities

_ROWS, _COLUMNS = 1_048_576, 16_384
_KIND = "application/vnd.oasis.opendocument.spreadsheet"
_SPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _TABLE, _TEXT, _STYLE, _NUMBER = (
    _SPACE % name for name in ("office", "table", "text", "style", "datastyle")
)
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_YEAR = re.compile("[0-9]{4}")
_COLOR = re.compile("#([0-9a-fA-F]{6})")
_FORMATS = ("number-style", "percentage-style", "currency-style")
_ERROR = re.compile(r"#(?:N/A|[A-Z0-9/]+[!?])|Err:\d+")
_CLOCK = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_MIDNIGHT = re.compile(r"T(?:00:00:00(?:\.0*)?$)?")
_LENGTH = re.compile(r"([0-9.]+)(cm|mm|in|pt|pc|px)")
_INCH = {"cm": 2.54, "mm": 25.4, "in": 1.0, "pt": 72.0, "pc": 6.0, "px": 96.0}


@dataclass(frozen=True)
class _Look:
    """A style: of the numbers and texts of a cell or run, or of a row, column or sheet."""

    format: Format = field(default_factory=Format)
    code: str = ""
    """The number format as other spreadsheets write it."""
    marks: tuple[str, ...] = ()
    hidden: bool = False
    color: str = ""
    ground: str = "FFFFFF"
    conditional: bool = False
    """True where a condition strikes it out, makes it white or gives it another format."""


def open_ods(file: BinaryIO, name: str) -> Book:
    """Open a workbook; its sheets are read one by one.

    Raises
    ------
    InputError
        As `open_package`; ``ledger-format``: it is no spreadsheet, or encrypted.
    """
    package = open_package(file, name)
    if "content.xml" not in package.members:
        raise other_format(name, Message("a zip file without a table in it"))
    kind = package.archive.read("mimetype") if "mimetype" in package.members else b""
    if kind and not kind.startswith(_KIND.encode()):
        raise other_format(name, Message("a document of another kind ({kind!r})", kind=kind[:80]))
    if "meta-inf/manifest.xml" in package.members:
        listed = package.part("META-INF/manifest.xml")
        if next(listed.iter("{*}encryption-data"), None) is not None:
            raise other_format(name, "encrypted", Message("take the password off"))
    macros = [*package.names("basic/"), *package.names("scripts/")]
    return Book(1900, _sheets(package), (MACROS,) if macros else ())


def _sheets(package: Package) -> Iterator[Sheet]:
    looks: dict[tuple[str, str], _Look] = {}
    if "styles.xml" in package.members:
        for element in package.elements("styles.xml", *_FORMATS, "style"):
            _keep(element, looks)
    for table, rows in groupby(_rows_of(package, looks), key=lambda pair: pair[0]):
        title = table.get(f"{_TABLE}name", "")
        if title.startswith("'file:"):
            what = Message("takes values from other workbooks")
            raise unsafe(
                package.name, what, Message("break the links (编辑 › 外部链接) and save it")
            )
        about = looks.get(("table", table.get(f"{_TABLE}style-name", "")), _Look())
        sheet = Sheet(title, visible=not about.hidden)
        sheet.rows = _Reading(package.name, sheet, looks).rows(row for _, row in rows)
        yield sheet


def _rows_of(package: Package, looks: dict[tuple[str, str], _Look]) -> Iterator[tuple[Any, Any]]:
    """Each row of each sheet; the styles before them are kept."""
    for element in package.elements("content.xml", *_FORMATS, "style", "table-row"):
        if element.tag != f"{_TABLE}table-row":
            _keep(element, looks)
            continue
        table = next(element.iterancestors(f"{_TABLE}table"))
        if table.getparent().tag == f"{_OFFICE}spreadsheet":
            yield table, element


def _keep(element: Any, looks: dict[tuple[str, str], _Look]) -> None:
    """A style of numbers, as a spreadsheet would write it; or one of cells, rows …, as it looks."""
    name = element.get(f"{_STYLE}name", "")
    if element.tag != f"{_STYLE}style":
        # What other styles say under a condition goes before it, as other spreadsheets write it.
        others = [one.get(f"{_STYLE}apply-style-name") for one in element.iter(f"{_STYLE}map")]
        codes = [looks["format", one].code for one in others if ("format", one) in looks]
        code = ";".join([*codes, _code(element)])
        looks["format", name] = _Look(format_of(code), code)
        return
    family = element.get(f"{_STYLE}family", "")
    look = looks.get((family, element.get(f"{_STYLE}parent-style-name", "")), _Look())
    if shown := looks.get(("format", element.get(f"{_STYLE}data-style-name", ""))):
        look = replace(look, format=shown.format, code=shown.code)
    for part in element:
        lines = [part.get(f"{_STYLE}text-line-through-{one}") for one in ("style", "type")]
        if lines != [None, None]:
            marks = [mark for mark in look.marks if "struck" not in mark]
            # A run may take back what is said of its cell.
            back = ["not struck"] * (family == "text")
            look = replace(look, marks=(*marks, *(back if "none" in lines else ["struck"])))
        if re.match("super|sub|[-1-9]", part.get(f"{_STYLE}text-position", "")):
            look = replace(look, marks=(*look.marks, "raised"))
        sizes = (part.get(f"{_STYLE}row-height"), part.get(f"{_STYLE}column-width"))
        found = [_LENGTH.fullmatch(size) for size in sizes if size]
        flat = any(size and float(size[1]) / _INCH[size[2]] < THIN for size in found)
        look = replace(look, hidden=flat or part.get(f"{_TABLE}display") == "false")
        if color := _COLOR.fullmatch(part.get(f"{_FO}color", "")):
            look = replace(look, color=shade(*bytes.fromhex(color[1])))
        if ground := _COLOR.fullmatch(part.get(f"{_FO}background-color", "")):
            look = replace(look, ground=shade(*bytes.fromhex(ground[1])))
        if part.tag == f"{_STYLE}map":
            other = looks.get((family, part.get(f"{_STYLE}apply-style-name", "")), _Look())
            hides = other.color == other.ground or "struck" in other.marks
            look = replace(look, conditional=look.conditional or hides or bool(other.code))
    looks[family, name] = look


def _code(style: Any) -> str:
    """A number format in the writing of other spreadsheets: ``0.00"万元"``."""
    code = ""
    for part in style:
        tag = part.tag.removeprefix(_NUMBER)
        if tag == "number":
            places = int(part.get(f"{_NUMBER}decimal-places", 0))
            inside = "".join(text.text or "" for text in part)
            point = "!." if "." in inside else "." * bool(places)
            thousands = len(part.get(f"{_NUMBER}display-factor", "1")) // 3
            whole = "0" * int(part.get(f"{_NUMBER}min-integer-digits", 1))
            code += (whole or "#") + point + "0" * (places or bool(inside)) + "," * thousands
        elif tag == "text-properties" and part.get(f"{_FO}color") == "#ffffff":
            code += "[White]"
        elif tag == "scientific-number":
            code += "0.00E+00"
        elif tag in ("year", "month", "day"):
            code += tag[0]
        elif tag in ("text", "currency-symbol"):
            plain = style.tag.endswith("percentage-style") and (part.text or "").strip() == "%"
            code += "%" if plain else f'"{part.text or ""}"'
    return code or "General"


def _noted(cell: Any) -> bool:
    return cell.find(f"{_OFFICE}annotation") is not None


class _Reading:
    """One sheet while it is read."""

    def __init__(self, name: str, sheet: Sheet, looks: dict[tuple[str, str], _Look]) -> None:
        self.name, self.sheet, self.looks = name, sheet, looks
        self.ends: list[int] = []
        """Ends of the runs of columns that share one style."""
        self.styles: list[str] = []
        """The styles of their cells."""

    def rows(self, elements: Iterator[Any]) -> Iterator[Row]:
        """The rows, each as often as it is repeated if anything stands in it."""
        line = 1
        for element in elements:
            if line == 1:
                self._hear_columns(next(element.iterancestors(f"{_TABLE}table")))
            times = int(element.get(f"{_TABLE}number-rows-repeated", 1))
            row = self._row(element, line)
            for number in range(line, line + times) if row.cells or row.seen else ():
                if number > _ROWS:
                    what = Message("has a cell in row {number}", number=number)
                    raise unsafe(self.name, what, Message("row {rows} is the last", rows=_ROWS))
                if self._hides(element):
                    self.sheet.hidden_rows.add(number)
                yield row._replace(line=number)
            line += times

    def _hear_columns(self, table: Any) -> None:
        end = 0
        for column in table.iter(f"{_TABLE}table-column"):
            begin, end = end, end + int(column.get(f"{_TABLE}number-columns-repeated", 1))
            self.ends.append(end)
            self.styles.append(column.get(f"{_TABLE}default-cell-style-name", ""))
            if self._hides(column):
                self.sheet.hidden_columns.append((begin, end - 1))

    def _hides(self, element: Any) -> bool:
        family = element.tag.removeprefix(_TABLE)
        look = self.looks.get((family, element.get(f"{_TABLE}style-name", "")), _Look())
        return look.hidden or element.get(f"{_TABLE}visibility", "visible") != "visible"

    def _style(self, column: int) -> str:
        at = bisect_right(self.ends, column)
        return self.styles[at] if at < len(self.styles) else ""

    def _row(self, row: Any, line: int) -> Row:
        cells: list[str] = []
        seen: list[tuple[int, str, str]] = []
        column = 0
        for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            begin = column
            column += int(cell.get(f"{_TABLE}number-columns-repeated", 1))
            wide = int(cell.get(f"{_TABLE}number-columns-spanned", 1))
            high = int(cell.get(f"{_TABLE}number-rows-spanned", 1))
            if wide * high > 1:
                self.sheet.merges.append((line, begin, line + high - 1, begin + wide - 1))
            if not len(cell) and cell.get(f"{_OFFICE}value-type") is None:
                continue
            if len(cell) and cell[0].tag != f"{_TEXT}p" and _noted(cell):
                self.sheet.comments.add((line, begin))
            own = cell.get(f"{_TABLE}style-name") or row.get(f"{_TABLE}default-cell-style-name")
            look = self.looks.get(("table-cell", own or self._style(begin)), _Look())
            text, odd = self._cell(cell, look)
            if (text or odd) and column > _COLUMNS:
                message = Message("row {line} has {column} cells", line=line, column=column)
                raise ValueError(message)
            if text:
                cells += [""] * (begin - len(cells))
                cells += [text] * (column - begin)
            seen += [(at, what, found) for at in range(begin, column) for what, found in odd]
        return Row(line, cells, seen)

    def _cell(self, cell: Any, look: _Look) -> tuple[str, Oddities]:
        shown, odd = self._text(cell, look)
        kind, formula = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_TABLE}formula")
        text = shown
        if formula is not None and _ERROR.fullmatch(shown.strip()):
            return "", (("error", shown),)
        if kind in ("float", "percentage", "currency"):
            text, found = number_text(cell.get(f"{_OFFICE}value", ""), look.format)
            odd += found
        elif kind == "date":
            text = _MIDNIGHT.sub(" ", cell.get(f"{_OFFICE}date-value", "")).strip()
            odd += (("day", text),)
            years = _YEAR.findall(shown)
            odd += (("redated", text),) * bool(years and text[:4] not in years)
            odd += (("yearless", text),) * look.format.yearless
        elif kind == "time":
            clock = _CLOCK.fullmatch(cell.get(f"{_OFFICE}time-value", ""))
            text = ":".join(clock.groups()) if clock else shown
        elif kind == "boolean":
            text = "是" if cell.get(f"{_OFFICE}boolean-value") == "true" else "否"
        if text and look.color == look.ground:
            odd += (("unseen", text),)
        if text and look.conditional:
            odd += (("conditional", ""),)
        if formula is not None and not (kind or shown):
            odd += (("hollow", ""),)
        if formula is not None and VOLATILE.search(formula):
            odd += (("volatile", text),)
        return text, odd

    def _text(self, cell: Any, look: _Look) -> tuple[str, Oddities]:
        """Return the text that a cell shows, without notes, and what is struck or raised in it."""
        runs: list[tuple[str, tuple[str, ...]]] = []

        def hear(element: Any, marks: tuple[str, ...]) -> None:
            tag = element.tag.removeprefix(_TEXT)
            if tag == "span":
                style = self.looks.get(("text", element.get(f"{_TEXT}style-name", "")), _Look())
                if "not struck" in style.marks:
                    marks = tuple(one for one in marks if one != "struck")
                marks += style.marks
            spaces = int(element.get(f"{_TEXT}c", 1)) if tag == "s" else 0
            whole = {"s": " " * min(spaces, 1000), "tab": "\t", "line-break": "\n"}.get(tag, "")
            runs.append((whole + (element.text or ""), marks))
            for child in element:
                hear(child, marks)
                runs.append((child.tail or "", marks))

        paragraphs = list(cell.iterchildren(f"{_TEXT}p"))
        if len(paragraphs) == 1 and not len(paragraphs[0]) and not look.marks:
            return paragraphs[0].text or "", ()
        for number, paragraph in enumerate(paragraphs):
            runs += [("\n", ())] * bool(number)
            hear(paragraph, look.marks)
        return of_runs(runs)
