"""Empty ledgers as workbooks: what a schema demands, stated where it is filled in.

The first sheet holds the heading and nothing else, so that it is read as it is. How each column is
filled in stands in a comment on its heading, in what a cell accepts, and on the sheet of notes.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_abs

from reportkit.export.archives import without_times
from reportkit.export.blocks import length
from reportkit.ledgers import schema_of, schemas
from reportkit.ledgers.schema import NOTES_SHEET
from reportkit.scaffold.newfiles import write_new

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.forms import Edition, Form
    from reportkit.ledgers import LedgerSchema
    from reportkit.ledgers.schema import Column, ColumnType

_LAST_ROW = 1_048_575
_OPTIONS = 5
"""Column of the notes in which the first list of values stands; rows and columns count from 0."""


@dataclass(frozen=True)
class _Kind:
    """Cells of one type: instruction, number format, width, and the values they accept."""

    instruction: str
    format: str
    width: int
    accepts: dict[str, Any] | None = None


# A day is what `parse_date` takes for a number: 1954-10-03 to 2099-12-31.
_KINDS: dict[ColumnType, _Kind] = {
    "text": _Kind("文字；数字也按文字填写，前面的0不会丢失", "@", 20),
    "date": _Kind(
        "日期，如2023-03-02", "yyyy-mm-dd", 13,
        {"validate": "date", "criteria": "between", "minimum": 20_000, "maximum": 73_050},
    ),
    "category": _Kind("从下拉列表中选择", "@", 18),
    "integer": _Kind("整数", "0", 11, {"validate": "whole", "criteria": ">=", "value": 0}),
    "amount": _Kind(
        "数字，以元为单位，不写单位", "#,##0.00", 16,
        {"validate": "decimal", "criteria": ">", "value": -1_000_000_000_000},
    ),
    "flag": _Kind("是或否", "@", 9, {"validate": "list", "value": ["是", "否"]}),
}  # fmt: skip
_REQUIRED, _OPTIONAL, _PERSONAL = "#DDEBF7", "#F2F2F2", "#FCE4D6"
_HEAD = {"align": "center", "valign": "vcenter", "text_wrap": True}
_NOTE = {"valign": "top", "text_wrap": True}
_WIDTHS = (18, 22, 44, 60)
_SEVERITIES = {"reject": "不计入", "warn": "提示"}


def write_blank_ledgers(
    form: Form, keys: Sequence[str], folder: Path, *, year: int | None = None
) -> list[Path]:
    """Write empty ledgers into a folder, each under its Chinese name.

    Parameters
    ----------
    form : Form
        Whose ledgers they are.
    keys : sequence of str
        Keys or Chinese names of ledgers; all of them where there are none.
    folder : Path
    year : int, optional
        The labels to choose from are those of this report year's form; the newest by default.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        ``ledger-unknown``, ``edition``; ``exists``: a file is there, and nothing is written.
    """
    edition = form.editions[-1] if year is None else form.edition(year)
    named = {schema.name: key for key, schema in schemas(form).items()}
    chosen = [schema_of(form, named.get(key, key)) for key in keys or schemas(form)]
    files = {folder / f"{schema.name}.xlsx": blank_workbook(schema, edition) for schema in chosen}
    write_new(files)
    return list(files)


def blank_workbook(schema: LedgerSchema, edition: Edition) -> bytes:
    """An empty ledger; the same bytes each time.

    Parameters
    ----------
    schema : LedgerSchema
    edition : Edition
        The edition whose labels a category column offers.

    Returns
    -------
    bytes
        An .xlsx workbook.
    """
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"author": "reportkit template"})
        sheet, notes = book.add_worksheet(schema.name), book.add_worksheet(NOTES_SHEET)
        sheet.freeze_panes(1, 1)
        sheet.set_row(0, 32)
        sheet.set_comments_author("reportkit")
        lists = _write_notes(book, notes, schema, edition)
        for number, column in enumerate(schema.columns):
            broken = [rule.message for rule in schema.rules if column.name in rule.columns]
            comment = "。".join(
                filter(None, (_demand(column), _how(column), _more(column), *broken))
            )
            heading_style = _HEAD | {"bold": not column.may_be_empty, "bg_color": _shade(column)}
            sheet.write(0, number, _heading(column), book.add_format(heading_style))
            size = {"height": 40 + 18 * (len(comment) // 16), "width": 240, "font_size": 11}
            sheet.write_comment(0, number, comment, size)
            kind = _KINDS[column.type]
            # A column's style is that of the cells in it that somebody fills in.
            style = book.add_format({"num_format": kind.format})
            sheet.set_column(number, number, max(kind.width, 2 * len(column.name) + 4), style)
            accepts = kind.accepts
            if column.name in lists:
                accepts = {"validate": "list", "value": lists[column.name]}
            if accepts:
                rule = {
                    "ignore_blank": column.may_be_empty,
                    "error_title": column.name,
                    "error_message": _how(column)[:200],
                    # An open list takes other values too: they are findings, not refused.
                    "error_type": "warning" if column.open else "stop",
                }
                sheet.data_validation(1, number, _LAST_ROW, number, accepts | rule)
        for worksheet in book.worksheets():
            worksheet.set_landscape()
            worksheet.fit_to_pages(1, 0)
    return without_times(buffer.getvalue())


def _write_notes(book: Any, sheet: Any, schema: LedgerSchema, edition: Edition) -> dict[str, str]:
    """Write the notes; where the values of each category stand, as a formula of a list."""
    bold = book.add_format({"bold": True})
    note = book.add_format(_NOTE)
    head = [
        f"{schema.name}填写说明",
        f"每行一{schema.row}；“{schema.key_column}”不可重复。带*的栏每条记录必填。",
        "栏目名称不要改；可以增加别的栏目，也可以删去选填的栏目。各年度的记录可以放在同一个文件里。",
        "只有栏目名称而没有记录的台账，即为零。",
    ]
    sheet.write_column(0, 0, head)
    sheet.write(0, 0, head[0], bold)
    top = len(head) + 1
    titles = ["栏目", "填写", "格式", "说明"]
    sheet.write_row(top, 0, titles, book.add_format(_NOTE | {"bold": True}))
    for row, column in enumerate(schema.columns, top + 1):
        shade = book.add_format(_NOTE | {"bg_color": _shade(column)})
        texts = [_heading(column), _demand(column), _how(column), _more(column)]
        sheet.write(row, 0, texts[0], shade)
        sheet.write_row(row, 1, texts[1:], note)
        sheet.set_row(row, _height(texts))
    for row, rule in enumerate(schema.rules, top + len(schema.columns) + 2):
        texts = [_SEVERITIES[rule.severity], rule.id, rule.message, rule.basis]
        sheet.write_row(row, 0, texts, note)
        sheet.set_row(row, _height(texts))
    for number, width in enumerate(_WIDTHS):
        sheet.set_column(number, number, width)
    categories = [column for column in schema.columns if column.type == "category"]
    lists = {}
    for number, column in enumerate(categories, _OPTIONS):
        values = column.offered(edition)
        sheet.write(top, number, f"可选：{column.name}", bold)
        sheet.write_column(top + 1, number, values)
        sheet.set_column(number, number, 36)
        cells = xl_range_abs(top + 1, number, top + len(values), number)
        lists[column.name] = f"='{NOTES_SHEET}'!{cells}"
    return lists


def _height(texts: Sequence[str]) -> float:
    """Points that the longest text of a row of notes needs: not every program sees to it."""
    lines = (
        math.ceil((2 * length(t) + 1) / width) for t, width in zip(texts, _WIDTHS, strict=True)
    )
    return 15 * max(lines)


def _heading(column: Column) -> str:
    return column.name if column.may_be_empty else f"{column.name}*"


def _shade(column: Column) -> str:
    return _PERSONAL if column.personal else _REQUIRED if column.required else _OPTIONAL


def _demand(column: Column) -> str:
    if not column.required:
        return "选填"
    return "必填" if not column.blank else "尚未发生时留空，栏目须保留"


def _how(column: Column) -> str:
    return _KINDS[column.type].instruction


def _more(column: Column) -> str:
    notes = []
    if column.personal and column.pseudonym:
        notes.append("个人信息：读入时换成化名，不出现在任何文件中")
    elif column.personal:
        notes.append("个人信息：读入时即舍去")
    elif column.free_text:
        notes.append("其中的证件号码、手机号码等在读入时隐去")
    if column.default:
        notes.append(f"空白按“{column.default}”")
    if column.aliases:
        notes.append(f"栏目名称也可写作{'、'.join(column.aliases)}")
    return "；".join(notes)
