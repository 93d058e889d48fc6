"""Sheets of old .xls workbooks, by xlrd: what stands in each cell, and how it looks.

Source: [MS-XLS] 2.4.28 (BoundSheet8), 2.4.127 (Formula), 2.4.271 (SupBook).
"""

from __future__ import annotations

import io
import re
import struct
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

import xlrd
from xlrd.compdoc import CompDoc

from reportkit.language import Message
from reportkit.ledgers.readers.formats import Format, built_in, format_of, number_text
from reportkit.ledgers.readers.package import encrypted, other_format, starts_as, unsafe
from reportkit.ledgers.readers.sheet import MACROS, THIN, Book, Range, Sheet, of_runs, shade
from reportkit.ledgers.readers.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.ledgers.readers.formats import Oddities
    from reportkit.ledgers.readers.table import Epoch

_FORMULA, _BEGIN, _SHEET, _OTHER_BOOK, _CALCULATED = 0x06, 0x809, 0x85, 0x1AE, 0x1C1
_CONDITIONAL, _CONDITION = 0x1B0, 0x1B1
_WHITE = 9
# Heights are in twentieths of a point, widths in 256ths of a character.
_LOW, _NARROW = 1440 * THIN, 2560 * THIN
# Of a condition, that it has a number format or a font.
_LOOKS = 3 << 25
# TODAY, NOW, RAND; OFFSET, INDIRECT; or what Excel marks as such.
_VOLATILE = re.compile(
    rb"[\x21\x41\x61][\xdd\x4a\x3f]\x00|[\x22\x42\x62].[\x4e\x94]\x00|\A\x19\x01", re.DOTALL
)
Formulas = dict[int, dict[tuple[int, int], list[str]]]
"""Oddities of formulas, by sheet and cell."""
Ranges = dict[int, list[Range]]
"""Cells that conditional formats show in another font or number format, by sheet."""


def open_xls(file: BinaryIO, name: str) -> Book:
    """Open a workbook; xlrd reads it whole, and it has 65 536 rows at most.

    Raises
    ------
    InputError
        ``ledger-format`` (something else, encrypted) or ``ledger-unsafe`` (links to other
        workbooks).
    ValueError
        It is damaged.
    """
    content = file.read()
    kind = starts_as(content)
    if not kind.startswith(Message("an old")):
        raise other_format(
            name, Message("{kind} under the name .xls", kind=kind or Message("no workbook"))
        )
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise encrypted(name)
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        )
        formulas, conditional, foreign, macros = _records(content)
    # xlrd goes on until something does not fit: any error can come of a damaged file.
    except Exception as error:
        if "encrypted" in str(error):
            raise encrypted(name) from None
        raise ValueError(str(error) or type(error).__name__) from None
    if foreign:
        problem = Message("takes values from other workbooks")
        raise unsafe(
            name, problem, Message("break the links (数据 › 编辑链接 › 断开链接) and save it")
        )
    epoch: Epoch = 1904 if book.datemode else 1900
    sheets = (
        _opened(book, sheet, formulas.get(number, {}), conditional.get(number, []), epoch)
        for number, sheet in enumerate(book.sheets())
    )
    return Book(epoch, sheets, (MACROS,) if macros else ())


def _records(content: bytes) -> tuple[Formulas, Ranges, bool, bool]:
    """Read what xlrd does not: formulas, conditional formats, other workbooks, and macros."""
    stream, start, size = CompDoc(content, logfile=io.StringIO()).locate_named_stream("Workbook")
    formulas: Formulas = defaultdict(dict)
    conditional: Ranges = defaultdict(list)
    found: list[tuple[int, ...]] = []
    numbers: dict[int, int] = {}
    foreign, calculated, macros = False, False, "_VBA_PROJECT_CUR".encode("utf-16-le") in content
    at, sheet = start, -1
    while at + 4 <= start + size:
        code, length = struct.unpack_from("<HH", stream, at)
        if code == _BEGIN:
            sheet = numbers.get(at - start, sheet)
        data = stream[at + 4 : at + 4 + length]
        at += 4 + length
        if code == _SHEET:
            place, _, kind = struct.unpack_from("<iBB", data)
            if kind == 0:
                numbers[place] = len(numbers)
            macros |= kind == 1
        elif code == _OTHER_BOOK:
            foreign |= len(data) > 4 and data[2:4] not in (b"\x01\x04", b"\x01\x3a")
        elif code == _CONDITIONAL:
            count = int.from_bytes(data[12:14], "little")
            found = [struct.unpack_from("<HHHH", data, 14 + 8 * n) for n in range(count)]
        elif code == _CONDITION and int.from_bytes(data[6:10], "little") & _LOOKS:
            conditional[sheet] += [(a + 1, left, b + 1, right) for a, b, left, right in found]
        elif code == _CALCULATED:
            calculated = True
        elif code == _FORMULA:
            row, column, _, result = struct.unpack_from("<HHH8s", data)
            # Nothing for a result, and no spreadsheet was it that saved the workbook.
            hollow = not calculated and result[6:] == b"\xff\xff" and result[0] == 3
            oddities = ["hollow"] * bool(hollow) + ["volatile"] * bool(_VOLATILE.search(data[22:]))
            if oddities:
                formulas[sheet][row, column] = oddities
    return formulas, conditional, foreign, macros


def _opened(
    book: Any,
    sheet: Any,
    formulas: dict[tuple[int, int], list[str]],
    conditional: list[Range],
    epoch: Epoch,
) -> Sheet:
    about = [(row, sheet.rowinfo_map.get(row)) for row in range(sheet.nrows)]
    flat = {
        row + 1
        for row, about in about
        if (about.hidden or about.height < _LOW if about else sheet.default_row_hidden)
    }
    return Sheet(
        sheet.name,
        visible=sheet.visibility == 0,
        rows=_rows(book, sheet, formulas, epoch),
        comments={(row + 1, column) for row, column in sheet.cell_note_map},
        hidden_rows=flat,
        hidden_columns=[
            (column, column)
            for column, about in sheet.colinfo_map.items()
            if about.hidden or about.width < _NARROW
        ],
        merges=[
            (top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells
        ],
        conditional=conditional,
    )


def _rows(
    book: Any, sheet: Any, formulas: dict[tuple[int, int], list[str]], epoch: Epoch
) -> Iterator[Row]:
    formats = []
    for style in book.xf_list:
        code = getattr(book.format_map.get(style.format_key), "format_str", "General")
        formats.append(format_of(code) if code != "General" else built_in(style.format_key))
    for row in range(sheet.nrows):
        cells: list[str] = []
        seen: list[tuple[int, str, str]] = []
        for column, cell in enumerate(sheet.row(row)):
            text, odd = _value(cell, formats[cell.xf_index], epoch)
            marks = _marks(book, sheet, row, column, text) if text else []
            marks += [(oddity, text) for oddity in formulas.get((row, column), ())]
            seen += [(column, oddity, found) for oddity, found in (*odd, *marks)]
            cells.append(text)
        while cells and not cells[-1]:
            cells.pop()
        yield Row(row + 1, cells, seen)


def _value(cell: Any, shown: Format, epoch: Epoch) -> tuple[str, Oddities]:
    if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        return number_text(repr(cell.value), shown, epoch)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return "", (("error", ""),)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "是" if cell.value else "否", ()
    return cell.value, ()


def _marks(book: Any, sheet: Any, row: int, column: int, text: str) -> list[tuple[str, str]]:
    """Return the marks that fonts give a cell's text, run by run."""
    fonts = [(0, book.xf_list[sheet.cell_xf_index(row, column)].font_index)]
    fonts += sheet.rich_text_runlist_map.get((row, column), ())
    runs = []
    for (start, font), (end, _) in pairwise([*fonts, (len(text), 0)]):
        about = book.font_list[font]
        marks = ["struck"] * about.struck_out + ["raised"] * bool(about.escapement)
        runs.append((text[start:end], marks))
    style = book.xf_list[sheet.cell_xf_index(row, column)]
    # Without a pattern the ground is white.
    ground = style.background.pattern_colour_index if style.background.fill_pattern else _WHITE
    both = (book.font_list[style.font_index].colour_index, ground)
    known = [shade(*color) for index in both if (color := book.colour_map.get(index))]
    unseen = [("unseen", text)] if len(known) > len(set(known)) else []
    return [*of_runs(runs)[1], *unseen]
