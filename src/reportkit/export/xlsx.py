"""tables.xlsx: the statutory tables, the facts and the checks, to be calculated with.

One table a sheet, a title in A1, no formula; what a person typed is text, whatever it begins with.
Source: Government Analysis Function, Releasing statistics in spreadsheets.
"""

from __future__ import annotations

import io
import math
import re
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook

from reportkit.export.blocks import length
from reportkit.export.defined import definition_of
from reportkit.export.document import Document, DocumentExporter, day_of
from reportkit.export.pages import corrected_on
from reportkit.export.tidy import FORMULA

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reportkit.export.blocks import Block

_GREY = "#808080"
# Size, bold, across, down, wrapped, ground. Those of table cells have a line around.
_STYLES = {
    "标题": (14, True, "", "top", False, ""),
    "项": (11, True, "", "top", False, ""),
    "项 数": (11, True, "right", "top", False, ""),
    "文": (11, False, "", "top", False, ""),
    "长文": (11, False, "", "top", True, ""),
    "链接": (11, False, "", "top", False, ""),
    "表 band": (11, True, "center", "vcenter", True, "#E8E8E8"),
    "表 head": (11, True, "center", "vcenter", True, "#F4F4F4"),
    "表 label": (11, False, "left", "vcenter", True, ""),
    "表 upright": (11, False, "center", "vcenter", True, ""),
    "表 value": (11, False, "center", "vcenter", True, ""),
    "表 left": (11, False, "left", "vcenter", True, ""),
    "表 right": (11, False, "right", "vcenter", False, ""),
}
_ORIGINS = {"ledger": "台账计算", "sum": "合计", "declared": "申报"}
_LEVELS = {"error": "错误", "warning": "警告", "info": "提示"}
# Sheets of every workbook.
_SHEETS = ("说明", "数据", "核对")
_SCOPES = {
    "district": "汇总：本地区各行政机关合计，不只是发文机关一家",
    "office": "本机关：只计发文机关自己，不含下级和其他机关",
}
_NUMBERS = ("值", "上年", "增减", "左边", "右边", "来源行数")
_DAY = "yyyy-mm-dd"
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PRINTED = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
# Excel keeps fifteen digits; a longer number is exact as text only.
_DIGITS = 15
_LONGEST = 32_767
# Headings with their widths in characters, several on a line: read together they are a row.
_FACTS = {
    "标识": 34, "名称": 52, "值": 16, "单位": 8, "上年": 16, "增减": 12, "来历": 10, "定义": 60,
    "来源说明": 44, "台账": 16, "来源行数": 10,
}  # fmt: skip
_CHECKS = {
    "编号": 12, "规则": 44, "级别": 8, "结果": 8, "左边": 16, "右边": 16, "说明": 60,
    "相关数据": 44,
}  # fmt: skip


class TablesXlsx(DocumentExporter):
    """Workbook of an executed report notebook (``--to reportkit-xlsx``)."""

    export_from_notebook = "Tables for reuse (Excel)"
    output_mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    extension = ".xlsx"

    def make(self, document: Document) -> bytes:
        """Return the workbook's bytes."""
        made = io.BytesIO()
        book = _Book(made)
        book.file.set_properties(
            {
                "title": document.head["title"],
                "author": document.head["issuer"],
                "created": datetime.combine(day_of(document.head), time()),
            }
        )
        tables: dict[str, Block] = {}
        for section in document.all_sections:
            for item in section["shown"]:
                if item["kind"] == "table":
                    tables[_sheet_name(section["number"], item, tables)] = item
        _notes(book, document, tables)
        for name, table in tables.items():
            _statutory(book, name, table, document.facts)
        past = document.seal.get("past", {})
        facts = [
            _fact(fact, definition_of(fact, document.facts), past.get(name, {}))
            for name, fact in document.facts.items()
        ]
        _listed(book, "数据", f"全部数据（{len(facts)}项）", _FACTS, facts)
        checks = [_check(check) for check in document.checks]
        _listed(book, "核对", f"全部核对（{len(checks)}项）", _CHECKS, checks)
        for sheet in book.file.worksheets():
            if document.head["draft"]:
                sheet.set_header("&C草稿")
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
        book.file.close()
        return made.getvalue()


class _Book:
    """A workbook whose cells are written in one of our styles; rows and columns count from 0."""

    def __init__(self, made: io.BytesIO) -> None:
        self.file = Workbook(made, {"in_memory": True})
        self._formats: dict[tuple[str, str, bool], Any] = {}

    def sheet(self, name: str, title: str) -> Any:
        """A new sheet with its title in A1."""
        made = self.file.add_worksheet(name)
        made.set_row(0, 26)
        self.write(made, 0, 0, title, "标题")
        return made

    def write(
        self, sheet: Any, row: int, column: int, text: str, style: str, value: str = ""
    ) -> None:
        """Write a text; or its value as a day, or a number that is shown as this text."""
        if (day := _day(value)) is not None:
            sheet.write_datetime(row, column, day, self.format(style, number=_DAY))
        elif (form := _number(value, text)) is not None:
            sheet.write_number(row, column, Decimal(value), self.format(style, number=form))
        else:
            # Never a formula, whatever it begins with; a longer text would be left out whole.
            quoted = bool(FORMULA.match(text))
            sheet.write_string(row, column, text[:_LONGEST], self.format(style, quoted=quoted))

    def format(self, style: str, *, number: str = "", quoted: bool = False) -> Any:
        """A format, made once: one for every cell takes three times as long."""
        key = (style, number, quoted)
        if key not in self._formats:
            self._formats[key] = self.file.add_format(_format(*key))
        return self._formats[key]


def _format(style: str, number: str, quoted: bool) -> dict[str, Any]:
    size, bold, across, down, wrap, ground = _STYLES[style]
    made = {
        "font_name": "宋体",
        "font_size": size,
        "bold": bold,
        "align": across,
        "valign": down,
        "text_wrap": wrap,
        "num_format": number or "General",
        "quote_prefix": quoted,
        "bg_color": ground,
    }
    if style.startswith("表"):
        made |= {"border": 1, "border_color": _GREY}
    if style == "表 upright":
        made["rotation"] = 270  # one character below the other
    if style == "链接":
        made |= {"font_color": "#17457E", "underline": 1}
    if number == _DAY or (number and style == "长文"):
        made["align"] = across or "left"
    elif style == "项 数" or (number and style == "文"):
        made |= {"align": "right", "indent": 1}  # off the text of the next column
    return {key: value for key, value in made.items() if value}


def _sheet_name(number: str, table: Block, taken: Collection[str]) -> str:
    # Excel allows 31 characters, and not these; capital and small letters are the same to it.
    kept = re.sub(r"[\[\]:*?/\\']", "", table["title"] or "表")
    name, again = (whole := f"{number} {kept}".strip())[:31], 2
    while name.lower() in set(map(str.lower, (*taken, *_SHEETS))):
        name, again = f"{whole[:27]} {again}", again + 1
    return name


def _notes(book: _Book, document: Document, tables: Mapping[str, Block]) -> None:
    head = document.head
    sheet = book.sheet("说明", head["title"])
    lines = [
        ("发文机关", head["issuer"]),
        ("发文字号", head["document_number"]),
        ("成文日期", head["dated"]),
        ("更正", corrected_on(document.corrected).strip("（）") or None),
        ("年度", str(head["year"])),
        # An edition is named by its year, or by words.
        ("格式", head["edition"] + "年版" * head["edition"].isdigit()),
        ("口径", _SCOPES.get(head["scope"], head["scope"])),
        ("状态", "草稿：尚未定稿，不得作为正式公开的报告使用" if head["draft"] else None),
        ("数据性质", "示例：由示例台账生成，不是正式公布的统计" if head["synthetic"] else None),
        ("封签", document.seal["seal"]),
        ("空格", "表示没有这一项，不表示零；零写作0"),
    ]
    sheets = [
        *(
            (name, "由笔记本计算的表格" if table["own"] else "法定表格，合并单元格与格式一致")
            for name, table in tables.items()
        ),
        ("数据", "每项数据一行：值、上年值、定义、来历；值与报告所印相同，不含公式"),
        ("核对", "每条核对一行：比较了什么，是否相符"),
    ]
    row = 0
    for row, (name, value) in enumerate(((n, v) for n, v in lines if v is not None), 1):
        book.write(sheet, row, 0, name, "项")
        book.write(sheet, row, 1, value, "长文", value if name in ("成文日期", "年度") else "")
    for at, (name, value) in enumerate(sheets, row + 1):
        quoted = name.replace("'", "''")
        sheet.write_url(at, 0, f"internal:'{quoted}'!A1", book.format("链接"), name)
        book.write(sheet, at, 1, value, "长文")
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 72)


def _statutory(book: _Book, name: str, table: Block, facts: Mapping[str, Block]) -> None:
    sheet = book.sheet(name, table["title"])
    for at, row in enumerate(table["rows"], 1):
        for cell in row:
            style = "表 upright" if cell["upright"] else f"表 {cell['role']}"
            column = cell["column"]
            last = at + cell["rowspan"] - 1, column + cell["colspan"] - 1
            if last != (at, column):
                sheet.merge_range(at, column, *last, "", book.format(style))
            value = facts[cell["fact"]]["value"] if cell.get("fact") else cell.get("value", "")
            if table["own"] and cell["role"] == "value":
                style = f"表 {table['align'][column]}"
            book.write(sheet, at, column, cell["text"], style, value)
    labels = table["label_columns"]
    rest = 13 if table["columns"] <= 10 else 11
    widths = [2 * need + 3 for need in table["needs"]] + [rest] * (table["columns"] - labels)
    if table["own"]:
        widths = [2 * width + 3 for width in table["widths"]]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    for at, row in enumerate(table["rows"], 1):
        low = [cell for cell in row if cell["rowspan"] == 1]
        rooms = (sum(widths[cell["column"] : cell["column"] + cell["colspan"]]) for cell in low)
        _height(sheet, at, [(cell["text"], room) for cell, room in zip(low, rooms, strict=True)])
    if table["note"]:
        book.write(sheet, len(table["rows"]) + 1, 0, table["note"], "文")
    if table["head_rows"]:
        sheet.freeze_panes(1 + table["head_rows"], labels)
        sheet.repeat_rows(1, table["head_rows"])


def _fact(fact: Block, definition: str, past: Block) -> list[Any]:
    counted = fact["rows"] if fact["origin"] == "ledger" else None
    return [
        fact["id"],
        fact["label"],
        fact["value"],
        fact["unit"],
        past.get("value"),
        past.get("change", "").removeprefix("+") or None,
        _ORIGINS.get(fact["origin"], fact["origin"]),
        definition,
        fact["source"],
        fact["ledger"],
        counted,
    ]


def _check(check: Block) -> list[Any]:
    return [
        check["id"],
        check["title"],
        _LEVELS.get(check["severity"], check["severity"]),
        "通过" if check["holds"] else "已接受" if check.get("waived") else "未通过",
        check["left"],
        check["right"],
        check["message"],
        "、".join(check["facts"]),
    ]


def _listed(
    book: _Book, name: str, title: str, columns: Mapping[str, int], rows: Sequence[Sequence[Any]]
) -> None:
    sheet = book.sheet(name, title)
    for column, width in enumerate(columns.values()):
        sheet.set_column(column, column, width)
    for at, row in enumerate(rows, 2):
        for column, (heading, value) in enumerate(zip(columns, row, strict=True)):
            if value is not None:
                style = "长文" if columns[heading] > 30 else "文"
                number = str(value) if heading in _NUMBERS else ""
                book.write(sheet, at, column, str(value), style, number)
        _height(sheet, at, list(zip(map(str, row), columns.values(), strict=True)))
    sheet.freeze_panes(2, 0)
    sheet.repeat_rows(1)
    heads = [
        {
            "header": heading,
            "header_format": book.format("项 数" if heading in _NUMBERS else "项"),
        }
        for heading in columns
    ]
    if rows:
        options = {"name": name, "style": "Table Style Light 1", "columns": heads}
        sheet.add_table(1, 0, 1 + len(rows), len(columns) - 1, options)
    else:
        for column, heading in enumerate(columns):
            book.write(sheet, 1, column, heading, "项")


def _height(sheet: Any, row: int, texts: Sequence[tuple[str, float]]) -> None:
    """Make a row as high as its longest text needs, or 4 lines: not every program does so."""
    lines = max((math.ceil((2 * length(text) + 1) / width) for text, width in texts), default=1)
    sheet.set_row(row, 4 + 14 * min(lines, 4))


def _day(value: str) -> date | None:
    """The day that a value is, if Excel knows it: for Excel there are none before 1900."""
    try:
        day = date.fromisoformat(value) if _ISO_DAY.fullmatch(value) else None
    except ValueError:
        return None
    return day if day and day.year >= 1900 else None


def _number(value: str, printed: str) -> str | None:
    """The format in which a number looks as it is printed; None if it is none, or loses digits."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    exact = str(number) == value and len(number.as_tuple().digits) <= _DIGITS
    if not (number.is_finite() and exact):
        return None
    percent = printed.endswith("%") and not printed.startswith(value)
    shown = _PRINTED.match(printed)
    if shown is None or '"' in printed:
        return None
    digits, unit = shown[0], printed[shown.end() :]
    # Rounded as it is printed, or the cell would show another number.
    places = len(digits.partition(".")[2])
    rounded = (number * 100 if percent else number).quantize(
        Decimal(1).scaleb(-places), ROUND_HALF_UP
    )
    if f"{rounded:,f}".replace(",", "") != digits.replace(",", ""):
        return None
    form = ("#,##0" if "," in digits else "0") + ("." + "0" * places if places else "")
    return f"{form}%" if percent else form + (unit and f'"{unit}"')
