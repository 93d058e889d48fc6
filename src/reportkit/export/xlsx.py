"""tables.xlsx: the statutory tables, the facts and the checks, to be reckoned with.

One table a sheet, a title in A1, no formula; what a person typed is text, whatever it begins with.
Source: Government Analysis Function, Releasing statistics in spreadsheets.
"""

from __future__ import annotations

import io
import math
import re
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table, TableStyleInfo

from reportkit.archives import without_times
from reportkit.export.document import Document, DocumentExporter, day_of, length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.blocks import Block

__all__ = ["TablesXlsx"]

_THIN = Side(style="thin", color="808080")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
# Style: size, bold, across, down, wrapped, grey. Those of table cells have a line around.
_STYLES = {
    "标题": (14, True, None, "top", False, None),
    "项": (11, True, None, "top", False, None),
    "文": (11, False, None, "top", False, None),
    "长文": (11, False, None, "top", True, None),
    "表 band": (11, True, "center", "center", True, "E8E8E8"),
    "表 head": (11, True, "center", "center", True, "F4F4F4"),
    "表 label": (11, False, "left", "center", True, None),
    "表 upright": (11, False, "center", "center", True, None),
    "表 value": (11, False, "center", "center", True, None),
}
_ORIGINS = {"ledger": "台账计算", "sum": "合计", "declared": "申报"}
_LEVELS = {"error": "错误", "warning": "警告", "info": "提示"}
_SCOPES = {"district": "汇总", "office": "本机关"}
# A program that finds one of these first may take a text for a formula; so also full-width ones.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
# Excel keeps fifteen digits; a longer number stays what it is as text.
_DIGITS = 15
_FACTS = {
    "标识": 34, "名称": 52, "值": 16, "单位": 8, "来历": 10, "定义": 60, "来源说明": 44,
    "台账": 16, "来源行数": 10,
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
        book = Workbook()
        book.remove(book.active)
        for name, style in _STYLES.items():
            book.add_named_style(_style(name, *style))
        said = book.properties
        said.title, said.creator, said.language = (
            document.head["title"], document.head["issuer"], "zh-CN",
        )  # fmt: skip
        said.created = said.modified = datetime.combine(day_of(document.head), time())
        tables = {
            _sheet_name(section["number"], one): one
            for section in document.sections
            for one in section["shown"]
            if one["kind"] == "table"
        }
        _notes(book, document, list(tables))
        for name, table in tables.items():
            _statutory(book.create_sheet(name), table, document.facts)
        facts = [_fact(fact) for fact in document.facts.values()]
        _listed(book, "数据", f"全部数据（{len(facts)}项）", _FACTS, facts)
        checks = [_check(check) for check in document.checks]
        _listed(book, "核验", f"全部核验（{len(checks)}项）", _CHECKS, checks)
        for sheet in book.worksheets:
            sheet.oddHeader.center.text = "草稿" if document.head["draft"] else None
            sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
            sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
        made = io.BytesIO()
        book.save(made)
        return without_times(made.getvalue(), day_of(document.head))


def _style(
    name: str, size: int, bold: bool, across: str | None, down: str, wrap: bool, grey: str | None
) -> NamedStyle:
    # Named once: setting a font, an alignment and a line at each cell takes three times as long.
    return NamedStyle(
        name, Font(name="宋体", size=size, bold=bold),
        PatternFill("solid", grey) if grey else PatternFill(),
        border=_BOX if name.startswith("表") else Border(),
        # 255: one character below the other.
        alignment=Alignment(across, down, 255 if name == "表 upright" else 0, wrap_text=wrap),
    )  # fmt: skip


def _sheet_name(number: str, table: Block) -> str:
    # Excel allows 31 characters, and not these.
    kept = re.sub(r"[\[\]:*?/\\']", "", table["title"])
    return f"{number} {kept}"[:31]


def _notes(book: Workbook, document: Document, names: Sequence[str]) -> None:
    head = document.head
    sheet = book.create_sheet("说明")
    _write(sheet, 1, 1, head["title"], "标题")
    lines = [
        ("发文机关", head["issuer"]),
        ("发文字号", head["document_number"]),
        ("成文日期", head["dated"]),
        ("年度", str(head["year"])),
        ("表式", f"{head['edition']}年"),
        ("口径", _SCOPES.get(head["scope"], head["scope"])),
        ("状态", "草稿：尚未定稿，不得作为正式公开的报告使用" if head["draft"] else None),
        ("数据性质", "示例：由演示台账生成，不是正式公布的统计" if head["synthetic"] else None),
        ("封签", document.seal["seal"]),
        *((name, "法定表格，合并单元格与表式一致") for name in names),
        ("数据", "每项数据一行：值、定义、来历；值与报告所印相同，不含公式"),
        ("核验", "每条核验一行：比较了什么，是否相符"),
    ]
    for row, (name, value) in enumerate(((n, v) for n, v in lines if v is not None), 2):
        _write(sheet, row, 1, name, "项")
        _write(sheet, row, 2, value, "长文")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 40, 72


def _statutory(sheet: Any, table: Block, facts: Mapping[str, Block]) -> None:
    _write(sheet, 1, 1, table["title"], "标题")
    for at, row in enumerate(table["rows"], 2):
        for cell in row:
            style = "表 upright" if cell["upright"] else f"表 {cell['role']}"
            end_row, end_column = at + cell["rowspan"] - 1, cell["column"] + cell["colspan"]
            for r in range(at, end_row + 1):
                for c in range(cell["column"] + 1, end_column + 1):
                    sheet.cell(r, c).style = style
            own = _write(sheet, at, cell["column"] + 1, cell["text"], style)
            if cell.get("fact"):
                _number(own, facts[cell["fact"]]["value"], cell["text"])
            if (end_row, end_column) != (at, cell["column"] + 1):
                last = f"{get_column_letter(end_column)}{end_row}"
                # merge_cells would go through every cell's lines, which are there already.
                sheet.merged_cells.add(f"{own.coordinate}:{last}")
    labels = table["label_columns"]
    rest = 13 if table["columns"] <= 10 else 11
    widths = [2 * need + 3 for need in table["needs"]] + [rest] * (table["columns"] - labels)
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for at, row in enumerate(table["rows"], 2):
        low = [cell for cell in row if cell["rowspan"] == 1]
        rooms = (sum(widths[cell["column"] : cell["column"] + cell["colspan"]]) for cell in low)
        _height(sheet, at, [(cell["text"], room) for cell, room in zip(low, rooms, strict=True)])
    if table["head_rows"]:
        sheet.freeze_panes = sheet.cell(2 + table["head_rows"], labels + 1)
        sheet.print_title_rows = f"2:{1 + table['head_rows']}"


def _fact(fact: Block) -> list[Any]:
    counted = fact["rows"] if fact["origin"] == "ledger" else None
    return [
        fact["id"], fact["label"], fact["value"], fact["unit"],
        _ORIGINS.get(fact["origin"], fact["origin"]), fact["definition"], fact["source"],
        fact["ledger"], counted,
    ]  # fmt: skip


def _check(check: Block) -> list[Any]:
    return [
        check["id"], check["title"], _LEVELS.get(check["severity"], check["severity"]),
        "通过" if check["holds"] else "已说明" if check.get("waived") else "未通过",
        check["left"], check["right"], check["message"], "、".join(check["facts"]),
    ]  # fmt: skip


def _listed(
    book: Workbook, name: str, title: str, columns: Mapping[str, int], rows: Iterable[Sequence[Any]]
) -> None:
    sheet = book.create_sheet(name)
    _write(sheet, 1, 1, title, "标题")
    for column, (heading, width) in enumerate(columns.items(), 1):
        _write(sheet, 2, column, heading, "项")
        sheet.column_dimensions[get_column_letter(column)].width = width
    last = 2
    for last, row in enumerate(rows, 3):
        for column, (heading, value) in enumerate(zip(columns, row, strict=True), 1):
            style = "长文" if columns[heading] > 30 else "文"
            own = _write(sheet, last, column, value, style)
            if heading in ("值", "左边", "右边") and value is not None:
                _number(own, str(value), str(value))
        _height(sheet, last, list(zip(map(str, row), columns.values(), strict=True)))
    sheet.freeze_panes, sheet.print_title_rows = "A3", "2:2"
    if last > 2:
        area = f"A2:{get_column_letter(len(columns))}{last}"
        table = Table(displayName=name, ref=area)
        table.tableStyleInfo = TableStyleInfo("TableStyleLight1", showRowStripes=True)
        sheet.add_table(table)


def _height(sheet: Any, row: int, texts: Sequence[tuple[str, float]]) -> None:
    """Make a row as high as its longest text needs, or 4 lines: not every program does so."""
    lines = max((math.ceil((2 * length(text) + 1) / width) for text, width in texts), default=1)
    sheet.row_dimensions[row].height = 4 + 14 * min(lines, 4)


def _write(sheet: Any, row: int, column: int, value: Any, style: str) -> Any:
    cell = sheet.cell(row, column)
    cell.style = style
    if style == "标题":
        sheet.row_dimensions[row].height = 26
    if isinstance(value, str):
        cell.value = value
        cell.data_type = "s"  # never a formula, whatever it begins with
        if _FORMULA.match(value):
            cell.quotePrefix = True
    elif value is not None:
        cell.value = value
    return cell


def _number(cell: Any, value: str, printed: str) -> None:
    """Make a text cell a number that is shown as it is printed, if it can be without loss."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return
    unit = printed.removeprefix(value)
    exact = str(number) == value and len(number.as_tuple().digits) <= _DIGITS
    if not (number.is_finite() and exact and printed.startswith(value) and '"' not in unit):
        return
    places = -min(0, int(number.as_tuple().exponent))
    cell.value = number
    if cell.quotePrefix:
        cell.quotePrefix = False
    cell.number_format = "0" + ("." + "0" * places if places else "") + (unit and f'"{unit}"')
