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
from reportkit.ledgers.readers.package import Package, encrypted, open_package, other_format, unsafe
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
class _Style:
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
            raise encrypted(name)
    macros = [*package.names("basic/"), *package.names("scripts/")]
    return Book(1900, _sheets(package), (MACROS,) if macros else ())


def _sheets(package: Package) -> Iterator[Sheet]:
    styles: dict[tuple[str, str], _Style] = {}
    if "styles.xml" in package.members:
        for element in package.elements("styles.xml", *_FORMATS, "style"):
            _keep(element, styles)
    for table, rows in groupby(_rows_of(package, styles), key=lambda pair: pair[0]):
        title = table.get(f"{_TABLE}name", "")
        if title.startswith("'file:"):
            problem = Message("takes values from other workbooks")
            raise unsafe(
                package.name, problem, Message("break the links (编辑 › 外部链接) and save it")
            )
        about = styles.get(("table", table.get(f"{_TABLE}style-name", "")), _Style())
        sheet = Sheet(title, visible=not about.hidden)
        sheet.rows = _Reading(package.name, sheet, styles).rows(row for _, row in rows)
        yield sheet


def _rows_of(package: Package, styles: dict[tuple[str, str], _Style]) -> Iterator[tuple[Any, Any]]:
    """Each row of each sheet; the styles before them are kept."""
    for element in package.elements("content.xml", *_FORMATS, "style", "table-row"):
        if element.tag != f"{_TABLE}table-row":
            _keep(element, styles)
            continue
        table = next(element.iterancestors(f"{_TABLE}table"))
        if table.getparent().tag == f"{_OFFICE}spreadsheet":
            yield table, element


def _keep(element: Any, styles: dict[tuple[str, str], _Style]) -> None:
    """A style of numbers, as a spreadsheet would write it; or one of cells, rows …, as it looks."""
    name = element.get(f"{_STYLE}name", "")
    if element.tag != f"{_STYLE}style":
        # Formats that hold under a condition go before it, as other spreadsheets write them.
        others = [rule.get(f"{_STYLE}apply-style-name") for rule in element.iter(f"{_STYLE}map")]
        codes = [styles["format", other].code for other in others if ("format", other) in styles]
        code = ";".join([*codes, _code(element)])
        styles["format", name] = _Style(format_of(code), code)
        return
    family = element.get(f"{_STYLE}family", "")
    style = styles.get((family, element.get(f"{_STYLE}parent-style-name", "")), _Style())
    if shown := styles.get(("format", element.get(f"{_STYLE}data-style-name", ""))):
        style = replace(style, format=shown.format, code=shown.code)
    for part in element:
        lines = [part.get(f"{_STYLE}text-line-through-{aspect}") for aspect in ("style", "type")]
        if lines != [None, None]:
            marks = [mark for mark in style.marks if "struck" not in mark]
            # A run may take back what its cell has.
            back = ["not struck"] * (family == "text")
            style = replace(style, marks=(*marks, *(back if "none" in lines else ["struck"])))
        if re.match("super|sub|[-1-9]", part.get(f"{_STYLE}text-position", "")):
            style = replace(style, marks=(*style.marks, "raised"))
        sizes = (part.get(f"{_STYLE}row-height"), part.get(f"{_STYLE}column-width"))
        found = [_LENGTH.fullmatch(size) for size in sizes if size]
        flat = any(size and float(size[1]) / _INCH[size[2]] < THIN for size in found)
        style = replace(style, hidden=flat or part.get(f"{_TABLE}display") == "false")
        if color := _COLOR.fullmatch(part.get(f"{_FO}color", "")):
            style = replace(style, color=shade(*bytes.fromhex(color[1])))
        if ground := _COLOR.fullmatch(part.get(f"{_FO}background-color", "")):
            style = replace(style, ground=shade(*bytes.fromhex(ground[1])))
        if part.tag == f"{_STYLE}map":
            other = styles.get((family, part.get(f"{_STYLE}apply-style-name", "")), _Style())
            hides = other.color == other.ground or "struck" in other.marks
            style = replace(style, conditional=style.conditional or hides or bool(other.code))
    styles[family, name] = style


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


class _Reading:
    """One sheet while it is read."""

    def __init__(self, name: str, sheet: Sheet, styles: dict[tuple[str, str], _Style]) -> None:
        self.name, self.sheet, self.styles = name, sheet, styles
        self.ends: list[int] = []
        """Ends of the runs of columns that share one style."""
        self.column_styles: list[str] = []
        """The styles of their cells."""

    def rows(self, elements: Iterator[Any]) -> Iterator[Row]:
        """The rows, each as often as it is repeated if anything stands in it."""
        line = 1
        for element in elements:
            if line == 1:
                self._read_columns(next(element.iterancestors(f"{_TABLE}table")))
            times = int(element.get(f"{_TABLE}number-rows-repeated", 1))
            row = self._row(element, line)
            for number in range(line, line + times) if row.cells or row.seen else ():
                if number > _ROWS:
                    problem = Message("has a cell in row {number}", number=number)
                    raise unsafe(self.name, problem, Message("row {rows} is the last", rows=_ROWS))
                if self._hides(element):
                    self.sheet.hidden_rows.add(number)
                yield row._replace(line=number)
            line += times

    def _read_columns(self, table: Any) -> None:
        end = 0
        for column in table.iter(f"{_TABLE}table-column"):
            begin, end = end, end + int(column.get(f"{_TABLE}number-columns-repeated", 1))
            self.ends.append(end)
            self.column_styles.append(column.get(f"{_TABLE}default-cell-style-name", ""))
            if self._hides(column):
                self.sheet.hidden_columns.append((begin, end - 1))

    def _hides(self, element: Any) -> bool:
        family = element.tag.removeprefix(_TABLE)
        style = self.styles.get((family, element.get(f"{_TABLE}style-name", "")), _Style())
        return style.hidden or element.get(f"{_TABLE}visibility", "visible") != "visible"

    def _column_style(self, column: int) -> str:
        at = bisect_right(self.ends, column)
        return self.column_styles[at] if at < len(self.column_styles) else ""

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
            # A comment stands before the text, so most cells need no search for one.
            early = len(cell) and cell[0].tag != f"{_TEXT}p"
            if early and cell.find(f"{_OFFICE}annotation") is not None:
                self.sheet.comments.add((line, begin))
            own = cell.get(f"{_TABLE}style-name") or row.get(f"{_TABLE}default-cell-style-name")
            style = self.styles.get(("table-cell", own or self._column_style(begin)), _Style())
            text, odd = self._cell(cell, style)
            if (text or odd) and column > _COLUMNS:
                raise ValueError(Message("row {line} has {column} cells", line=line, column=column))
            if text:
                cells += [""] * (begin - len(cells))
                cells += [text] * (column - begin)
            seen += [(at, oddity, found) for at in range(begin, column) for oddity, found in odd]
        return Row(line, cells, seen)

    def _cell(self, cell: Any, style: _Style) -> tuple[str, Oddities]:
        shown, odd = self._text(cell, style)
        kind, formula = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_TABLE}formula")
        text = shown
        if formula is not None and _ERROR.fullmatch(shown.strip()):
            return "", (("error", shown),)
        if kind in ("float", "percentage", "currency"):
            text, found = number_text(cell.get(f"{_OFFICE}value", ""), style.format)
            odd += found
        elif kind == "date":
            text = _MIDNIGHT.sub(" ", cell.get(f"{_OFFICE}date-value", "")).strip()
            odd += (("day", text),)
            years = _YEAR.findall(shown)
            odd += (("redated", text),) * bool(years and text[:4] not in years)
            odd += (("yearless", text),) * style.format.yearless
        elif kind == "time":
            clock = _CLOCK.fullmatch(cell.get(f"{_OFFICE}time-value", ""))
            text = ":".join(clock.groups()) if clock else shown
        elif kind == "boolean":
            text = "是" if cell.get(f"{_OFFICE}boolean-value") == "true" else "否"
        if text and style.color == style.ground:
            odd += (("unseen", text),)
        if text and style.conditional:
            odd += (("conditional", ""),)
        if formula is not None and not (kind or shown):
            odd += (("hollow", ""),)
        if formula is not None and VOLATILE.search(formula):
            odd += (("volatile", text),)
        return text, odd

    def _text(self, cell: Any, style: _Style) -> tuple[str, Oddities]:
        """Return the text that a cell shows, without notes, and what is struck or raised in it."""
        runs: list[tuple[str, tuple[str, ...]]] = []

        def collect(element: Any, marks: tuple[str, ...]) -> None:
            tag = element.tag.removeprefix(_TEXT)
            if tag == "span":
                style = self.styles.get(("text", element.get(f"{_TEXT}style-name", "")), _Style())
                if "not struck" in style.marks:
                    marks = tuple(mark for mark in marks if mark != "struck")
                marks += style.marks
            spaces = int(element.get(f"{_TEXT}c", 1)) if tag == "s" else 0
            whole = {"s": " " * min(spaces, 1000), "tab": "\t", "line-break": "\n"}.get(tag, "")
            runs.append((whole + (element.text or ""), marks))
            for child in element:
                collect(child, marks)
                runs.append((child.tail or "", marks))

        paragraphs = list(cell.iterchildren(f"{_TEXT}p"))
        if len(paragraphs) == 1 and not len(paragraphs[0]) and not style.marks:
            return paragraphs[0].text or "", ()
        for number, paragraph in enumerate(paragraphs):
            runs += [("\n", ())] * bool(number)
            collect(paragraph, style.marks)
        return of_runs(runs)
