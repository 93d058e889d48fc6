"""Empty ledgers as workbooks: what a schema demands, said where it is filled in.

The first sheet holds the heading and nothing else, so that it is read as it is. How each column is
filled in stands in a comment on its heading, in what a cell accepts, and on the sheet of notes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from reportkit.archives import without_times
from reportkit.forms import form_for, forms
from reportkit.ledgers import schema_of, schemas
from reportkit.ledgers.schema import NOTES_SHEET
from reportkit.newfiles import write_new

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.forms import Form
    from reportkit.ledgers import LedgerSchema
    from reportkit.ledgers.schema import Column, ColumnType

_LAST_ROW = 1_048_576
_OPTIONS = 6
"""Column of the notes in which the first list of values stands."""


@dataclass(frozen=True)
class _Kind:
    """How cells of one type are filled in, shown and accepted."""

    told: str
    format: str
    width: int
    accepts: dict[str, Any] | None = None


# A day is what `parse_date` takes for a number: 1954-10-03 to 2099-12-31.
_KINDS: dict[ColumnType, _Kind] = {
    "text": _Kind("文字；数字也按文字填写，前面的0不会丢失", "@", 20),
    "date": _Kind(
        "日期，如2023-03-02", "yyyy-mm-dd", 13,
        {"type": "date", "operator": "between", "formula1": "20000", "formula2": "73050"},
    ),
    "category": _Kind("从下拉列表中选择", "@", 18),
    "integer": _Kind(
        "整数", "0", 11, {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "0"}
    ),
    "amount": _Kind(
        "数字，以元为单位，不写单位", "#,##0.00", 16,
        {"type": "decimal", "operator": "greaterThan", "formula1": "-1000000000000"},
    ),
    "flag": _Kind("是或否", "@", 9, {"type": "list", "formula1": '"是,否"'}),
}  # fmt: skip
_REQUIRED, _OPTIONAL, _PERSONAL = "DDEBF7", "F2F2F2", "FCE4D6"
_SEVERITIES = {"reject": "不计入", "warn": "提示"}


def write_blank_ledgers(
    keys: Sequence[str], folder: Path, *, year: int | None = None
) -> list[Path]:
    """Write empty ledgers into a folder, each under its Chinese name.

    Parameters
    ----------
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
    form = forms()[-1] if year is None else form_for(year)
    named = {schema.name: key for key, schema in schemas().items()}
    chosen = [schema_of(named.get(key, key)) for key in keys or schemas()]
    files = {folder / f"{one.name}.xlsx": blank_workbook(one, form) for one in chosen}
    write_new(files)
    return list(files)


def blank_workbook(schema: LedgerSchema, form: Form) -> bytes:
    """An empty ledger; the same bytes each time.

    Parameters
    ----------
    schema : LedgerSchema
    form : Form
        The edition whose labels a category column offers.

    Returns
    -------
    bytes
        An .xlsx workbook.
    """
    book = openpyxl.Workbook()
    sheet, notes = book.active, book.create_sheet(NOTES_SHEET)
    sheet.title = schema.name
    sheet.freeze_panes = "B2"
    lists = _Notes(notes, schema).write(form)
    for number, column in enumerate(schema.columns, 1):
        letter = get_column_letter(number)
        broken = [rule.message for rule in schema.rules if column.name in rule.columns]
        told = "。".join(filter(None, (_demand(column), _how(column), _more(column), *broken)))
        cell = sheet.cell(1, number, _heading(column))
        cell.font = Font(bold=not column.may_be_empty)
        cell.fill = _fill(column)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.comment = Comment(told, "reportkit", height=40 + 18 * (len(told) // 16), width=240)
        kind = _KINDS[column.type]
        # A column's style is that of the cells in it that somebody fills in.
        sheet.column_dimensions[letter].number_format = kind.format
        sheet.column_dimensions[letter].width = max(kind.width, 2 * len(column.name) + 4)
        accepts = kind.accepts
        if column.name in lists:
            accepts = {"type": "list", "formula1": lists[column.name]}
        if accepts:
            rule = DataValidation(**accepts, allow_blank=column.may_be_empty)
            rule.errorTitle, rule.error = column.name, _how(column)[:200]
            # An open list takes other values too: they are told, not refused.
            rule.errorStyle = "warning" if column.open else "stop"
            rule.showErrorMessage = True
            rule.add(f"{letter}2:{letter}{_LAST_ROW}")
            sheet.add_data_validation(rule)
    sheet.row_dimensions[1].height = 32
    for one in (sheet, notes):
        one.page_setup.orientation, one.page_setup.fitToHeight = "landscape", 0
        one.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    book.properties.creator = "reportkit template"
    made = io.BytesIO()
    book.save(made)
    return without_times(made.getvalue())


class _Notes:
    """The sheet of notes while it is written."""

    def __init__(self, sheet: Any, schema: LedgerSchema) -> None:
        self.sheet, self.schema = sheet, schema

    def write(self, form: Form) -> dict[str, str]:
        """Write the notes; where the values of each category stand, as a formula of a list."""
        schema = self.schema
        head = [
            f"{schema.name}填写说明",
            f"每行一{schema.row}；“{schema.key_column}”不可重复。带*的栏每条记录必填。",
            "栏目名称不要改；可以增加别的栏目，也可以删去选填的栏目。各年度的记录可以放在同一个文件里。",
            "只有栏目名称而没有记录的台账，即为零。",
        ]
        for number, text in enumerate(head, 1):
            self.sheet.cell(number, 1, text).font = Font(bold=number == 1)
        top = len(head) + 2
        self._row(top, ["栏目", "填写", "格式", "说明"], bold=True)
        for row, column in enumerate(schema.columns, top + 1):
            self._row(row, [_heading(column), _demand(column), _how(column), _more(column)])
            self.sheet.cell(row, 1).fill = _fill(column)
        for row, rule in enumerate(schema.rules, top + len(schema.columns) + 2):
            self._row(row, [_SEVERITIES[rule.severity], rule.id, rule.message, rule.basis])
        for letter, width in zip("ABCD", (18, 22, 44, 60), strict=True):
            self.sheet.column_dimensions[letter].width = width
        return self._lists(form, top)

    def _row(self, number: int, texts: Sequence[str], *, bold: bool = False) -> None:
        for column, text in enumerate(texts, 1):
            cell = self.sheet.cell(number, column, text)
            cell.font = Font(bold=bold)
            cell.alignment = Alignment(vertical="top", wrap_text=True)

    def _lists(self, form: Form, top: int) -> dict[str, str]:
        lists = {}
        categories = [column for column in self.schema.columns if column.type == "category"]
        for number, column in enumerate(categories, _OPTIONS):
            letter = get_column_letter(number)
            values = column.offered(form)
            self.sheet.cell(top, number, f"可选：{column.name}").font = Font(bold=True)
            for row, value in enumerate(values, top + 1):
                self.sheet.cell(row, number, value)
            self.sheet.column_dimensions[letter].width = 36
            bottom = top + len(values)
            lists[column.name] = f"'{NOTES_SHEET}'!${letter}${top + 1}:${letter}${bottom}"
        return lists


def _heading(column: Column) -> str:
    return column.name if column.may_be_empty else f"{column.name}*"


def _fill(column: Column) -> PatternFill:
    shade = _PERSONAL if column.personal else _REQUIRED if column.required else _OPTIONAL
    return PatternFill("solid", start_color=shade)


def _demand(column: Column) -> str:
    if not column.required:
        return "选填"
    return "必填" if not column.blank else "尚未发生时留空，栏目须保留"


def _how(column: Column) -> str:
    return _KINDS[column.type].told


def _more(column: Column) -> str:
    told = []
    if column.personal and column.pseudonym:
        told.append("个人信息：读入时换成化名，不出现在任何文件中")
    elif column.personal:
        told.append("个人信息：读入时即舍去")
    elif column.free_text:
        told.append("其中的证件号码、手机号码等在读入时隐去")
    if column.default:
        told.append(f"空白按“{column.default}”")
    if column.aliases:
        told.append(f"栏目名称也可写作{'、'.join(column.aliases)}")
    return "；".join(told)
