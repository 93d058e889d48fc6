"""Small workbooks in three formats, from one description of their cells."""

import datetime as dt
import re
import struct
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter
import xlwt


@dataclass(frozen=True)
class Cell:
    """A cell that looks like something: its font, its format, its runs, its formula."""

    value: object = None
    format: str = "General"
    struck: bool = False
    white: bool = False
    filled: bool = False
    """True where its ground is of a colour."""
    runs: tuple[tuple[str, str], ...] = ()
    """Texts, each with ``struck``, ``raised`` or nothing."""
    comment: bool = False
    formula: str = ""


@dataclass(frozen=True)
class Table:
    """A sheet; rows and columns from 1."""

    rows: list
    merges: tuple = ()
    """Top, left, bottom, right."""
    hidden: tuple = ()
    """Numbers of hidden rows."""
    flat: tuple = ()
    """Numbers of rows without height."""
    hidden_column: int = 0
    conditional: str = ""
    """Look that a conditional format gives E2:E9: ``struck``, ``white``, ``red`` or a format."""
    title: str = "台账"

    def cells(self):
        """Row, column from 0 and cell of all that is there."""
        for row, cells in enumerate(self.rows):
            for column, cell in enumerate(cells):
                if cell not in (None, ""):
                    yield row, column, cell if isinstance(cell, Cell) else Cell(cell)


def save(path, table):
    """Write the table in the format that the name of the file says."""
    {".xlsx": _xlsx, ".xlsm": _xlsx, ".xls": _xls, ".ods": _ods}[path.suffix](path, table)
    return path


def shown(cell):
    """The number format of a cell; that of days for a day."""
    return "yyyy-mm-dd" if isinstance(cell.value, dt.date) else cell.format


def _xlsx(path, table):
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet(table.title)
    for row, column, cell in table.cells():
        looks = {"num_format": shown(cell), "font_strikeout": cell.struck}
        looks |= {"font_color": "#FFFFFF"} if cell.white else {}
        looks |= {"bg_color": "#000080"} if cell.filled else {}
        style = book.add_format(looks)
        if cell.runs:
            looks = {"": {}, "struck": {"font_strikeout": True}, "raised": {"font_script": 1}}
            runs = [x for text, mark in cell.runs for x in (book.add_format(looks[mark]), text)]
            sheet.write_rich_string(row, column, *runs, style)
        elif cell.formula:
            sheet.write_formula(row, column, cell.formula, style, str(cell.value))
        elif isinstance(cell.value, dt.date):
            sheet.write_datetime(row, column, cell.value, style)
        elif isinstance(cell.value, str):
            sheet.write_string(row, column, cell.value, style)
        else:
            sheet.write(row, column, cell.value, style)
        if cell.comment:
            sheet.write_comment(row, column, "改过")
    if table.conditional:
        about = {
            "struck": {"font_strikeout": True},
            "white": {"font_color": "#FFFFFF"},
            "red": {"font_color": "#FF0000"},
        }
        look = book.add_format(about.get(table.conditional, {"num_format": table.conditional}))
        rule = {"type": "cell", "criteria": ">", "value": 9, "format": look}
        sheet.conditional_format("E2:E9", rule)
    for number in table.hidden:
        sheet.set_row(number - 1, None, None, {"hidden": True})
    for number in table.flat:
        sheet.set_row(number - 1, 0)
    if table.hidden_column:
        sheet.set_column(table.hidden_column - 1, table.hidden_column - 1, 0)
    book.close()
    ranges = [
        f"{xlsxwriter.utility.xl_range(a - 1, b - 1, c - 1, d - 1)}" for a, b, c, d in table.merges
    ]
    merges = "".join(f'<mergeCell ref="{one}"/>' for one in ranges)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b"<v>None</v>", b"")
    if merges:  # with what is under them, which xlsxwriter would not write
        added = f"</sheetData><mergeCells>{merges}</mergeCells>".encode()
        parts[part] = parts[part].replace(b"</sheetData>", added)
    # Its values are right: nothing is left to be calculated.
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


def _xls(path, table):
    book = xlwt.Workbook()
    sheet = book.add_sheet(table.title)
    fonts = {mark: xlwt.Font() for mark in ("", "struck", "raised")}
    fonts["struck"].struck_out = True
    fonts["raised"].escapement = xlwt.Font.ESCAPEMENT_SUPERSCRIPT
    fonts["white"] = xlwt.Font()
    fonts["white"].colour_index = xlwt.Style.colour_map["white"]
    for row, column, cell in table.cells():
        style = xlwt.XFStyle()
        style.num_format_str = shown(cell)
        style.font = fonts["struck" if cell.struck else "white" if cell.white else ""]
        if cell.filled:
            style.pattern.pattern = xlwt.Pattern.SOLID_PATTERN
            style.pattern.pattern_fore_colour = xlwt.Style.colour_map["dark_blue"]
        if cell.runs:
            runs = [(text, fonts[mark]) for text, mark in cell.runs]
            sheet.write_rich_text(row, column, runs, style)
        elif cell.formula:
            sheet.write(row, column, xlwt.Formula(cell.formula.removeprefix("=")), style)
        else:
            sheet.write(row, column, cell.value, style)
    for top, left, bottom, right in table.merges:
        sheet.merged_ranges.append((top - 1, bottom - 1, left - 1, right - 1))
    for number in table.hidden:
        sheet.row(number - 1).hidden = True
    for number in table.flat:
        sheet.row(number - 1).height_mismatch = True
        sheet.row(number - 1).height = 0
    if table.hidden_column:
        sheet.col(table.hidden_column - 1).hidden = True
    book.save(str(path))
    content = bytearray(path.read_bytes())
    for row, column, cell in table.cells():
        if cell.formula and cell.value is not None:  # as if it had been calculated
            found = re.search(b"\x06\x00.." + re.escape(struct.pack("<HH", row, column)), content)
            struct.pack_into("<d", content, found.end() + 2, cell.value)
    path.write_bytes(content)


_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"),
        ("number", "datastyle"), ("fo", "xsl-fo-compatible"),
    )
)  # fmt: skip
_STRUCK = 'style:text-line-through-style="solid"'
_RUNS = {
    "struck": _STRUCK, "raised": 'style:text-position="super 58%"',
}  # fmt: skip


def _ods(path, table):
    styles, body = [], []
    for mark, look in _RUNS.items():
        styles.append(
            f'<style:style style:name="{mark}" style:family="text">'
            f"<style:text-properties {look}/></style:style>"
        )
    about = {"struck": _STRUCK, "white": 'fo:color="#ffffff"', "red": 'fo:color="#ff0000"'}
    looks, number = about.get(table.conditional, ""), ' style:data-style-name="nshown"'
    styles.append(_ods_number("shown", "General" if looks else table.conditional or "General"))
    styles.append(
        f'<style:style style:name="shown" style:family="table-cell"{number * (not looks)}>'
        f"<style:text-properties {looks}/></style:style>"
    )
    for row, column, cell in table.cells():
        name = f"c{row}-{column}"
        styles.append(_ods_number(name, cell.format))
        look = _STRUCK if cell.struck else 'fo:color="#ffffff"' if cell.white else ""
        ground = '<style:table-cell-properties fo:background-color="#000080"/>' * cell.filled
        styles.append(
            f'<style:style style:name="{name}" style:family="table-cell" '
            f'style:data-style-name="n{name}">{ground}<style:text-properties {look}/>'
            f"{_ods_map(table, row, column)}</style:style>"
        )
    styles.append(
        '<style:style style:name="flat" style:family="table-row">'
        '<style:table-row-properties style:row-height="0cm"/></style:style>'
    )
    cells = {(row, column): cell for row, column, cell in table.cells()}
    width = max(column for _, column in cells) + 1
    spans = {(t - 1, x - 1): (b - t + 1, r - x + 1) for t, x, b, r in table.merges}
    under = {
        (row, column)
        for t, x, b, r in table.merges
        for row in range(t - 1, b)
        for column in range(x - 1, r)
    } - {*spans}
    for row in range(len(table.rows)):
        look = ' table:visibility="filter"' * (row + 1 in table.hidden)
        look += ' table:style-name="flat"' * (row + 1 in table.flat)
        texts = [
            _ods_cell((row, column), cells, spans, covered=(row, column) in under)
            for column in range(width)
        ]
        body.append(f"<table:table-row{look}>{''.join(texts)}</table:table-row>")
    columns = "".join(
        "<table:table-column"
        + ' table:visibility="collapse"' * (number == table.hidden_column)
        + "/>"
        for number in range(1, width + 1)
    )
    content = (
        f"<office:document-content {_SPACES}><office:automatic-styles>{''.join(styles)}"
        f"</office:automatic-styles><office:body><office:spreadsheet>"
        f"<table:table table:name={quoteattr(table.title)}>{columns}{''.join(body)}"
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        f'table:number-columns-repeated="16384"/></table:table-row>'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("content.xml", content)
        spaces = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
        book.writestr("META-INF/manifest.xml", f"<manifest:manifest {spaces}/>")


def _ods_map(table, row, column):
    """Return the style that a conditional format gives a cell."""
    there = table.conditional and column == 4 and row > 0
    return '<style:map style:apply-style-name="shown"/>' * bool(there)


def _ods_number(name, code):
    """A number format as LibreOffice writes it."""
    kind, inside = "number-style", '<number:number number:min-integer-digits="1"/>'
    if code == "0%":
        kind, inside = "percentage-style", inside + "<number:text>%</number:text>"
    elif code == "0.0,":
        inside = (
            '<number:number number:decimal-places="1" number:min-integer-digits="1" '
            'number:display-factor="1000"/>'
        )
    elif code == '0.0"万元"':
        inside = (
            '<number:number number:decimal-places="1" number:min-integer-digits="1"/>'
            "<number:text>万元</number:text>"
        )
    elif code == "0":
        inside = '<number:number number:decimal-places="0" number:min-integer-digits="1"/>'
    elif code == "000":
        inside = '<number:number number:min-integer-digits="3"/>'
    elif code == "General":
        return f'<number:text-style style:name="n{name}"><number:text-content/></number:text-style>'
    return f'<number:{kind} style:name="n{name}">{inside}</number:{kind}>'


def _ods_cell(place, cells, spans, *, covered):
    cell = cells.get(place)
    tag = "table:covered-table-cell" if covered else "table:table-cell"
    high, wide = spans.get(place, (1, 1))
    about = f' table:number-rows-spanned="{high}" table:number-columns-spanned="{wide}"' * (
        place in spans
    )
    if cell is None:
        return f"<{tag}{about}/>"
    about += f' table:style-name="c{place[0]}-{place[1]}"'
    if cell.formula:
        about += f" table:formula={quoteattr('of:' + cell.formula)}"
    text = "" if cell.value is None else str(cell.value)
    if isinstance(cell.value, dt.date):
        about += f' office:value-type="date" office:date-value="{cell.value}"'
    elif isinstance(cell.value, int | float):
        about += f' office:value-type="float" office:value="{cell.value}"'
    elif text or cell.runs:
        about += ' office:value-type="string"'
    inside = "".join(
        f'<text:span text:style-name="{mark}">{escape(run)}</text:span>' if mark else escape(run)
        for run, mark in cell.runs
    )
    note = "<office:annotation><text:p>改过</text:p></office:annotation>" * cell.comment
    return f"<{tag}{about}>{note}<text:p>{inside or escape(text)}</text:p></{tag}>"
