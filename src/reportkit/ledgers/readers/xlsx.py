"""Sheets of .xlsx and .xlsm workbooks, row by row: what stands in each cell, and how it looks.

Source: ECMA-376 part 1 (SpreadsheetML), 18.2 to 18.4 and 18.8, its strict form too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from reportkit.language import Message
from reportkit.ledgers.readers.formats import (
    VOLATILE,
    Format,
    built_in,
    format_of,
    number_text,
)
from reportkit.ledgers.readers.package import Package, open_package, other_format, unsafe
from reportkit.ledgers.readers.sheet import (
    MACROS,
    THIN,
    Book,
    Sheet,
    cell_name,
    column_number,
    of_runs,
    range_of,
    shade,
)
from reportkit.ledgers.readers.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.ledgers.readers.formats import Oddities
    from reportkit.ledgers.readers.table import Epoch

_ROWS = 1_048_576
_TRUE = ("1", "true")
_WHITE = "FFFFFF"
# Heights are in points, widths in characters.
_LOW, _NARROW = 72 * THIN, 10 * THIN
# A carriage return is _x000D_, and an underscore that could begin such a thing is _x005F_.
_ESCAPE = re.compile("_x(000[9AaDd]|00[2-7][0-9A-Fa-f])_")
_MIDNIGHT = re.compile(r"T(?:00:00:00(?:\.0*)?Z?$)?")


@dataclass(frozen=True)
class _Styles:
    """Parts of a workbook that cells refer to by number, and settings for all of them."""

    formats: list[Format]
    fonts: list[tuple[str, ...]]
    """Of each style: whether its font is struck out or raised."""
    texts: list[str]
    looks: dict[int, Oddities]
    """Oddities of some of the texts, by their number."""
    epoch: Epoch
    conditional: list[bool]
    """Of each look of conditional formats: whether it hides cells, or shows them otherwise."""
    calculate: bool
    """True where the program that wrote the workbook left its formulas to be calculated."""


def open_xlsx(file: BinaryIO, name: str) -> Book:
    """Open a workbook; its sheets are read one by one.

    Raises
    ------
    InputError
        As `open_package`; ``ledger-format``: no workbook is in it; ``ledger-unsafe``: macros are
        in one that is not named .xlsm.
    """
    package = open_package(file, name)
    kinds = dict(package.relations("").values())
    start = kinds.get("officeDocument", "xl/workbook.xml")
    if start.endswith(".bin"):
        raise other_format(name, Message("an .xlsb workbook under another name"))
    if start.lower() not in package.members:
        raise other_format(name, Message("a zip file without a workbook in it"))
    macros = [*package.names("vbaproject"), *package.names("macrosheets/")]
    if macros and not name.lower().endswith(".xlsm"):
        raise unsafe(
            name,
            Message("holds macros ({macros})", macros=macros[0]),
            Message("save it as .xlsx without macros"),
        )
    parts = package.relations(start)
    book = package.part(start)
    properties = {
        key: value
        for element in book.iter("{*}workbookPr", "{*}calcPr")
        for key, value in element.items()
    }
    epoch: Epoch = 1904 if properties.get("date1904") in _TRUE else 1900
    paths = dict(parts.values())
    styles = _styles(package, paths, epoch, calculate=properties.get("fullCalcOnLoad") in _TRUE)
    sheets = {}
    for element in book.iter("{*}sheet"):
        title = element.get("name", "")
        own = next((value for key, value in element.items() if key.endswith("}id")), "")
        kind, path = parts.get(own, ("worksheet", ""))
        if title in sheets:
            raise ValueError(Message("two sheets are named '{title}'", title=title))
        if kind == "worksheet":
            shown = element.get("state", "visible") == "visible"
            sheets[title] = _Reading(package, path, styles, Sheet(title, visible=shown))
    return Book(
        epoch, (reading.opened() for reading in sheets.values()), (MACROS,) if macros else ()
    )


def _styles(package: Package, paths: dict[str, str], epoch: Epoch, *, calculate: bool) -> _Styles:
    codes: dict[str, str] = {}
    marks: list[tuple[str, ...]] = []
    colors: list[str] = []
    grounds: list[str] = []
    formats: list[Format] = []
    fonts: list[tuple[str, ...]] = []
    conditional: list[bool] = []
    parts: set[str] = set()
    about = ("numFmt", "font", "fill", "xf", "dxf")
    listed = package.elements(paths["styles"], *about) if "styles" in paths else ()
    for element in listed:
        inside = element.getparent().tag.rpartition("}")[2]
        if inside == "numFmts":
            codes[element.get("numFmtId", "")] = element.get("formatCode", "")
        elif inside == "fonts":
            marks.append(_marks(element))
            colors.append(_color(element.find("{*}color")))
        elif inside == "fills":
            grounds.append(_ground(element))
        elif inside == "dxf":
            parts |= _format_parts(element)
        elif inside == "dxfs":
            conditional.append(_shows_otherwise(parts))
            parts = set()
        elif inside == "cellXfs":
            number = element.get("numFmtId", "0")
            code = codes.get(number)
            formats.append(built_in(int(number)) if code is None else format_of(code))
            font, fill = int(element.get("fontId", 0)), int(element.get("fillId", 0))
            own = marks[font] if font < len(marks) else ()
            ground = grounds[fill] if fill < len(grounds) else _WHITE
            unseen = font < len(colors) and colors[font] == ground
            fonts.append((*own, *["unseen"] * unseen))
    texts: list[str] = []
    looks: dict[int, Oddities] = {}
    shared = paths.get("sharedStrings")
    for element in package.elements(shared, "si") if shared else ():
        text, odd = _text(element)
        if odd:
            looks[len(texts)] = odd
        texts.append(text)
    return _Styles(formats, fonts, texts, looks, epoch, conditional, calculate)


def _color(color: Any) -> str:
    """A colour, to compare; nothing where it is what the program takes."""
    if color is None:
        return ""
    white = color.get("theme") == "0" and float(color.get("tint", 0)) == 0
    if white or color.get("indexed") in ("1", "9"):
        return _WHITE
    if re.fullmatch("[0-9A-Fa-f]{8}", color.get("rgb", "")):
        return shade(*bytes.fromhex(color.get("rgb")[2:]))
    return str(sorted(color.items()))


def _ground(fill: Any) -> str:
    """The colour that a fill gives to cells: white where it gives none, "two" where it has more."""
    pattern = fill.find("{*}patternFill")
    if pattern is None:
        return "two"
    filled = pattern.get("patternType", "none") != "none"
    return (_color(pattern.find("{*}fgColor")) or "none") if filled else _WHITE


def _format_parts(part: Any) -> set[str]:
    """Return the parts of a conditional format's look by name, with the marks of its font."""
    tag = part.tag.rpartition("}")[2]
    if tag != "font":
        return {tag}
    white = _color(part.find("{*}color")) == _WHITE
    return {tag, *_marks(part), *["white"] * white}


def _shows_otherwise(parts: set[str]) -> bool:
    """Return True where such a look strikes out, hides, or has a number format."""
    return bool(parts & {"numFmt", "struck"}) or ("white" in parts and "fill" not in parts)


def _marks(font: Any) -> tuple[str, ...]:
    """Return the marks of a font: struck out, raised or lowered."""
    strike, raised = font.find("{*}strike"), font.find("{*}vertAlign")
    struck = strike is not None and strike.get("val", "1") in _TRUE
    lifted = raised is not None and raised.get("val") in ("superscript", "subscript")
    return ("struck",) * struck + ("raised",) * lifted


def _text(item: Any) -> tuple[str, Oddities]:
    """A text of one or several runs without what is struck out of it; phonetic runs are none."""
    runs: list[tuple[str, tuple[str, ...]]] = []
    own = set()
    for part in item:
        tag = part.tag.rpartition("}")[2]
        if tag == "t":
            runs.append((part.text or "", ()))
        elif tag == "r":
            look = part.find("{*}rPr")
            text = "".join(piece.text or "" for piece in part.iterfind("{*}t"))
            own |= {look is not None} if text.strip() else set()
            runs.append((text, () if look is None else _marks(look)))
    text, odd = of_runs(runs, leave_out=True)
    if len(own) > 1:
        # A run without a font of its own has that of its cell.
        odd = (*odd, ("mixed", text))
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text), odd


class _Reading:
    """One sheet while it is read."""

    def __init__(self, package: Package, path: str, styles: _Styles, sheet: Sheet) -> None:
        self.package, self.path, self.styles, self.sheet = package, path, styles, sheet
        self.columns: dict[str, int] = {}
        self.shared: dict[str, bool] = {}
        """True of a shared formula whose value changes by itself, by its number."""

    def opened(self) -> Sheet:
        """The sheet, its rows to be read and what other parts say of it known."""
        for kind, path in self.package.relations(self.path).values():
            if kind in ("comments", "threadedComment"):
                for comment in self.package.elements(path, "comment", "threadedComment"):
                    self.sheet.comments.add(range_of(comment.get("ref", ""))[:2])
            elif kind == "table":
                table = self.package.part(path)
                last = range_of(table.get("ref", ""))[2]
                count = int(table.get("totalsRowCount", 0))
                self.sheet.totals |= set(range(last - count + 1, last + 1))
        self.sheet.rows = self._rows()
        return self.sheet

    def _rows(self) -> Iterator[Row]:
        sheet, line, flat, ended = self.sheet, 0, False, False
        about = ("sheetFormatPr", "col", "row", "sheetData", "mergeCell", "conditionalFormatting")
        for element in self.package.elements(self.path, *about):
            tag = element.tag.rpartition("}")[2]
            if tag == "row":
                before, line = line, int(element.get("r", line + 1))
                if line > _ROWS:
                    place, do = (
                        f"{self.package.name}: {sheet.title}",
                        Message("row {rows} is the last", rows=_ROWS),
                    )
                    raise unsafe(place, Message("has a cell in row {line}", line=line), do)
                if line <= before or ended:
                    self._refuse(Message("rows are not in their order (at row {line})", line=line))
                height = float(element.get("ht", 0 if flat else _LOW))
                if element.get("hidden") in _TRUE or height < _LOW:
                    sheet.hidden_rows.add(line)
                yield self._row(element, line)
            elif tag == "sheetFormatPr":
                flat = element.get("zeroHeight") in _TRUE
            elif tag == "mergeCell":
                sheet.merges.append(range_of(element.get("ref", "")))
            elif tag == "sheetData":
                ended = True
            elif tag == "conditionalFormatting":
                if any(map(self._shows_otherwise, element)):
                    places = element.get("sqref") or element.findtext("{*}sqref") or ""
                    sheet.conditional += map(range_of, places.split())
            elif element.get("hidden") in _TRUE or float(element.get("width", 1)) < _NARROW:
                first, last = element.get("min", 1), element.get("max", 16_384)
                sheet.hidden_columns.append((int(first) - 1, int(last) - 1))

    def _shows_otherwise(self, rule: Any) -> bool:
        """Return True where a rule of a conditional format hides values or shows others."""
        number, looks = int(rule.get("dxfId", -1)), self.styles.conditional
        own = {name for part in rule.iterfind("{*}dxf/*") for name in _format_parts(part)}
        return (
            (0 <= number < len(looks) and looks[number])
            or _shows_otherwise(own)
            or any(part.get("showValue") in ("0", "false") for part in rule)
        )

    def _row(self, row: Any, line: int) -> Row:
        cells: list[str] = []
        seen: list[tuple[int, str, str]] = []
        column, suffix, tag = -1, str(line), f"{row.tag[:-3]}c"
        for cell in row.iterchildren(tag):
            name = cell.get("r")
            before, column = column, column + 1
            if name is not None:
                letters = name.removesuffix(suffix)
                if letters not in self.columns and letters.isalpha():
                    self.columns[letters] = column_number(letters)
                column = self.columns.get(letters, -1)
                if column <= before:
                    self._refuse(
                        Message("cells are not in their order (at {name})", name=name[:20])
                    )
            if not len(cell):
                continue
            try:
                text, odd = self._cell(cell)
            except (ValueError, IndexError) as error:
                self._refuse(Message("{cell}: {error}", cell=cell_name(line, column), error=error))
            if text:
                cells += [""] * (column - len(cells))
                cells.append(text)
            seen += [(column, oddity, found) for oddity, found in odd]
        return Row(line, cells, seen)

    def _cell(self, cell: Any) -> tuple[str, Oddities]:
        """Return a cell's text, and what is odd about it."""
        stored = formula = inline = None
        for child in cell:
            tag = child.tag.rpartition("}")[2]
            if tag == "v" and stored is not None:
                raise ValueError(Message("it has two values"))
            if tag == "v":
                stored = child.text or ""
            elif tag == "f":
                formula = child
            elif tag == "is":
                inline = child
        kind, style = cell.get("t", "n"), int(cell.get("s", 0))
        text, odd = self._value(kind, stored, inline, style)
        marks = self.styles.fonts[style] if 0 <= style < len(self.styles.fonts) else ()
        if text and (odd or marks):
            mixed = any(oddity == "mixed" for oddity, _ in odd)
            odd = tuple(oddity for oddity in odd if oddity[0] != "mixed")
            odd += tuple(("struck-part" if mixed and m == "struck" else m, text) for m in marks)
        if formula is not None:
            odd = (*odd, *((oddity, text) for oddity in self._formula(formula, kind, stored)))
        return text, odd

    def _value(
        self, kind: str, stored: str | None, inline: Any, style: int
    ) -> tuple[str, Oddities]:
        styles = self.styles
        bare = (stored or "").strip()
        if kind == "inlineStr":
            return _text(inline) if inline is not None else ("", ())
        if kind == "str":
            return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), stored or ""), ()
        if kind == "e":
            return "", (("error", bare),)
        if not bare:
            return "", ()
        if kind == "s":
            number = int(bare)
            if not 0 <= number < len(styles.texts):
                message = Message(
                    "it names text {number} of the {texts} that are shared",
                    number=number,
                    texts=len(styles.texts),
                )
                raise ValueError(message)
            return styles.texts[number], styles.looks.get(number, ())
        if kind == "n":
            shown = styles.formats[style] if 0 <= style < len(styles.formats) else Format()
            return number_text(bare, shown, styles.epoch)
        if kind == "b":
            return "是" if bare in _TRUE else "否", ()
        if kind == "d":
            return _MIDNIGHT.sub(" ", bare), ()
        raise ValueError(Message("it is of the unknown type '{kind}'", kind=kind[:20]))

    def _formula(self, formula: Any, kind: str, stored: str | None) -> list[str]:
        """Return the oddities of a formula: never calculated, or its value changes by itself."""
        # A formula whose result is an empty text has a value: that text.
        hollow = not stored and (kind != "str" or stored is None)
        volatile = bool(formula.text and VOLATILE.search(formula.text))
        if (number := formula.get("si")) is not None:
            volatile = self.shared[number] = volatile or self.shared.get(number, False)
        return ["hollow"] * (hollow or self.styles.calculate) + ["volatile"] * volatile

    def _refuse(self, problem: str) -> None:
        raise ValueError(Message("{title}: {problem}", title=self.sheet.title, problem=problem))
