"""Published reports in the layouts that offices make: turned, torn, annotated, side by side."""

import html
import io
import re
from decimal import Decimal

import pypdf
import pytest
import typst
import xlsxwriter
from reportkit_fonts import folder
from reprinted import (
    FORM,
    WAYS,
    as_html,
    as_markdown,
    flat,
    grids,
    html_table,
    invented,
    sections,
    walk,
    word_document,
    word_table,
    word_text,
)

from reportkit.audit.readers.reading import read_lines
from reportkit.audit.tables import read_tables
from reportkit.facts.numerals import plain

WIDE = str.maketrans("0123456789,.-", "０１２３４５６７８９，．－")
CIRCLED = "①"
YEARS = [pytest.param(2020, marks=pytest.mark.slow), 2023]


def read(content, suffix, printed, folder):
    path = folder / f"report{suffix}"
    path.write_bytes(printed)
    return read_tables(read_lines(path), FORM, FORM.edition(content.year))


def values(tables):
    return {name: value for table in tables for name, value in table.values.items()}


def expected(content):
    return {
        name: None if value is None else Decimal(str(value))
        for name, value in content.cells.items()
    }


# Pages


def quoted(text):
    return re.sub(r"([\\#*_`$<>@\[\]=\-+/~])", r"\\\1", text)


def torn(content):
    """A block whose row ends a page, with the last digits of its numbers on the next one."""
    numbers = ["30", "17", "88", "26", "44", *"0" * 10]
    content.cells |= dict(
        zip(
            [f"t4.review.{name}" for name in ("maintain", "correct", "other", "pending", "total")],
            (309, 17, 88, 26, 440),
            strict=True,
        )
    )
    content.cells |= {name: 0 for name in content.cells if name.startswith("t4.litigation")}
    (rows,) = grids(content, "t4")
    heads = "".join(
        f"table.cell(colspan: {wide}, rowspan: {high})[{text}],"
        for row in rows[:-1]
        for text, wide, high in row
    )
    rest = ["9", "", "", "", "0", *[""] * 10]
    lines = (
        f"#table(columns: (1fr,) * 15, stroke: none, {more}{','.join(f'[{n}]' for n in some)})"
        for more, some in ((heads, numbers), ("", rest))
    )
    title = "四、政府信息公开行政复议、行政诉讼情况"
    source = '#set page(margin: 2cm)\n#set text(font: "RK-Song", size: 9pt)\n'
    source += f"{quoted(content.title)}\n\n{title}\n\n" + "\n\n#pagebreak()\n".join(lines)
    return typst.compile(source.encode(), font_paths=[str(folder())])


def typeset(
    content, *, page="", size="9pt", head=False, ruled=True, inset="4pt", cell=quoted, around="{}"
):
    """A PDF whose tables can repeat their heads, and stand in something else."""

    def cells(rows):
        return "".join(
            f"table.cell(colspan: {wide}, rowspan: {high})[{cell(text)}],"
            for row in rows
            for text, wide, high in row
        )

    def table(rows):
        width = sum(wide for _, wide, _ in rows[0])
        depth = next(at for at, row in enumerate(rows) if any(text.isdigit() for text, _, _ in row))
        first = f"table.header({cells(rows[:depth])})," if head else cells(rows[:depth])
        stroke = "0.5pt" if ruled else "none"
        made = (
            f"#table(columns: {width}, stroke: {stroke}, inset: {inset}, "
            f"align: center + horizon, {first}{cells(rows[depth:])})"
        )
        return around.format(made)

    source = f'#set page(margin: 2cm{page})\n#set text(font: "RK-Song", size: {size})\n'
    source += "\n\n".join(walk(content, quoted, table))
    return typst.compile(source.encode(), font_paths=[str(folder())])


def rotated(printed, angle):
    """The same pages, shown turned."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(printed))
    for page in writer.pages:
        page.rotate(angle)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def with_mark(text):
    """A cell with the mark of a footnote."""
    return f"{text}#super[1]" if text.isdigit() else quoted(text)


def with_small_mark(text):
    """The same in smaller letters, as most programs print it."""
    return f"{text}#super(typographic: false)[12]" if text.isdigit() else quoted(text)


def squeezed(text):
    """Numbers of several digits squeezed into their cell."""
    wide = text.isdigit() and len(text) > 1
    return f"#scale(x: 60%, reflow: true)[{text}]" if wide else quoted(text)


NOTE = (
    "\n\n#text(size: 8pt)[注：1.统计时间为2023年1月1日至12月31日；2.其他处理含3件重复申请。]"
    "\n\n备注：总计含不予处理3件"
)
TURNED = (
    "#page(margin: 1cm)[#rotate({}, reflow: true)[#block(width: 26cm)[#text(size: 7pt)[{{}}]]]]"
)
ACROSS = ", background: rotate(-35deg, text(size: 40pt, fill: luma(200))[内部资料 2023 12345])"
SMALL = ", width: 21cm, height: 14cm"
PAGES = {
    "landscape": lambda c: typeset(c, page=", flipped: true"),
    "landscape without rules": lambda c: typeset(c, page=", flipped: true", ruled=False),
    "shown sideways": lambda c: rotated(typeset(c, page=", flipped: true"), 90),
    "shown upside down": lambda c: rotated(typeset(c), 180),
    "tables turned left": lambda c: typeset(c, around=TURNED.format("-90deg"), inset="2pt"),
    "tables turned right": lambda c: typeset(
        c, around=TURNED.format("90deg"), inset="2pt", ruled=False
    ),
    "heads repeated, rows torn": lambda c: typeset(c, head=True, inset="12pt", size="12pt"),
    "heads on small pages": lambda c: typeset(c, head=True, page=SMALL, inset="6pt", size="11pt"),
    "notes below": lambda c: typeset(c, around="{}" + NOTE),
    "notes below, without rules": lambda c: typeset(c, around="{}" + NOTE, ruled=False),
    "marks of footnotes": lambda c: typeset(c, cell=with_mark),
    "small marks of footnotes": lambda c: typeset(c, cell=with_small_mark),
    "numbers squeezed": lambda c: typeset(c, cell=squeezed),
    "a watermark": lambda c: typeset(c, page=ACROSS),
    "a watermark, without rules": lambda c: typeset(c, page=ACROSS, ruled=False),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("year", YEARS)
def test_pages_of_any_layout_are_read(name, year, tmp_path):
    content = invented(4, year)
    tables = read(content, ".pdf", PAGES[name](content), tmp_path)
    assert values(tables) == expected(content)


def test_digits_on_the_next_page_are_not_lost(tmp_path):
    content = invented(4, 2023)
    tables = read(content, ".pdf", torn(content), tmp_path)
    assert [int(tables[2].values[f"t4.review.{name}"]) for name in ("maintain", "total")] == [
        309,
        440,
    ]
    assert len(tables[2].inferred) == 1


# Word, web pages, workbooks


def boxed(inner):
    """A text box, as Word writes it: once for itself and once for programs of old."""
    text = f"<w:txbxContent>{inner}</w:txbxContent>"
    return (
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>"
        f"{text}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>"
        f"{text}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )


def box_of_cells(rows):
    return "".join(boxed(word_text(text)) for row in rows for text, _, _ in row)


def box_of_lines(rows):
    """Lines of a text box, their cells parted by tabs."""
    return boxed("".join(word_text("\t".join(t for t, _, _ in row)) for row in rows))


def boxes_in_a_line(rows):
    """A paragraph a row, with a text box for each of its cells."""
    boxes = ("".join(boxed(word_text(t))[5:-6] for t, _, _ in row) for row in rows)
    return "".join(f"<w:p>{one}</w:p>" for one in boxes)


def word_raised(rows):
    """Numbers with a raised 2 behind them."""
    raised = "<w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>2</w:t></w:r>"
    return re.sub(r"(<w:r><w:t>\d+</w:t></w:r>)", rf"\1{raised}", word_table(rows))


def document(content, table):
    return word_document("".join(walk(content, word_text, table)))


def wps_table(rows):
    """A table as WPS pastes it: columns, widths, a font and a break in every cell."""

    def cell(text, wide, high):
        broken = "<br>".join(text[at : at + 4] for at in range(0, len(text), 4))
        number = text.replace(".", "").isdigit()
        return (
            f'<td class="xl65" colspan={wide} rowspan={high} {"x:num" if number else "x:str"}>'
            f"<font class=font5>{text if number else broken}</font></td>"
        )

    lines = ("<tr height=38>" + "".join(cell(*one) for one in row) + "</tr>" for row in rows)
    return f"<table cellspacing=0><col width=72 span=3>{''.join(lines)}</table>"


def web(content, table, charset="utf-8"):
    body = "".join(walk(content, lambda text: f"<p>{html.escape(text)}</p>", table))
    return f'<meta charset="{charset}">{body}'.encode(charset)


def side_by_side(content):
    """The parts of each table in the cells of another."""
    body = f"<p>{content.title}</p>"
    for title, part in sections(content):
        if part in ("t2", "t3", "t4"):
            cells = "".join(f"<td>{html_table(rows, '')}</td>" for rows in grids(content, part))
            part = f"<table><tr>{cells}</tr></table>"
        body += f"<p>{title}</p>{part}"
    return body.encode()


def phantom_cells(rows):
    """A blank cell behind each that covers no others, so that columns do not stand in line."""
    cells = html_table(rows, "")
    return re.sub(r"(<td><p class=MsoNormal>[^<]*</p></td>)", r"\1<td></td>", cells)


def remarked(rows):
    """A column of remarks behind the others, with words in every other row."""
    remarks = iter("备注" if not at else ("含变更" if at % 2 else "") for at in range(len(rows)))
    return re.sub("</tr>", lambda _: f"<td>{next(remarks)}</td></tr>", html_table(rows, ""))


def sheet(content, *, step=1, merged=True):
    """A workbook; each column takes so many of the sheet's, merged or left blank."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page, style = book.add_worksheet(), book.add_format({"num_format": "#,##0"})
    page.write(0, 2, content.title)
    at = 1
    for title, part in sections(content):
        page.write(at, 2, title)
        at += 1
        for rows in grids(content, part) if part in ("t2", "t3", "t4") else []:
            for row in flat(rows):
                for column, text in enumerate(row):
                    if not text:
                        continue
                    shown = float(text) if re.fullmatch(r"[\d.]+", text) else text
                    first = 2 + step * column
                    if merged and step > 1:
                        page.merge_range(at, first, at, first + step - 1, shown, style)
                    else:
                        page.write(at, first, shown, style)
                at += 1
            page.write(at, 2, "注：截至2023年12月31日，含上年3件")
            at += 1
    book.close()
    return file.getvalue()


OFFICE = {
    "a table in a text box": (".docx", lambda c: document(c, lambda r: boxed(word_table(r)))),
    "a text box a cell": (".docx", lambda c: document(c, box_of_cells)),
    "tabs in a text box": (".docx", lambda c: document(c, box_of_lines)),
    "text boxes in a line": (".docx", lambda c: document(c, boxes_in_a_line)),
    "raised marks in Word": (".docx", lambda c: document(c, word_raised)),
    "pasted from WPS": (".html", lambda c: web(c, wps_table, "gb18030")),
    "tables side by side": (".html", side_by_side),
    "a column of remarks": (".html", lambda c: web(c, remarked)),
    "raised marks on a page": (
        ".html",
        lambda c: re.sub(rb"(\d)</p></td>", rb"\1<sup>3</sup></p></td>", as_html(c)),
    ),
    "a sheet": (".xlsx", sheet),
    "a sheet with merged columns": (".xlsx", lambda c: sheet(c, step=2)),
    "a sheet with blank columns": (".xlsx", lambda c: sheet(c, step=2, merged=False)),
}


@pytest.mark.parametrize("name", OFFICE)
@pytest.mark.parametrize("year", YEARS)
def test_office_files_of_any_layout_are_read(name, year, tmp_path):
    content = invented(4, year)
    suffix, make = OFFICE[name]
    assert values(read(content, suffix, make(content), tmp_path)) == expected(content)


@pytest.mark.parametrize("year", [2020, 2023])
def test_cells_out_of_line_are_never_taken_for_others(year, tmp_path):
    content = invented(4, year)
    tables = read(content, ".html", web(content, phantom_cells), tmp_path)
    assert wrong(content, tables) == {}


def wrong(content, tables):
    """Cells that are read as something else than what is printed; what is null must be told."""
    printed = expected(content)
    for table in tables:
        assert table.unread or None not in table.values.values()
    return {n: v for n, v in values(tables).items() if v is not None and v != printed.get(n)}


# Text


def no_outer_pipes(rows):
    lines = [" | ".join(text or "" for text in row) for row in flat(rows)]
    return "\n".join([lines[0], " | ".join(["---"] * len(flat(rows)[0])), *lines[1:]])


def escaped(rows):
    lines = [
        "|" + "|".join((text or "").replace(".", r"\.") for text in row) + "|" for row in flat(rows)
    ]
    return "\n".join([lines[0].replace("他", r"\|他"), *lines[1:]])


def by_commas(rows):
    return "\n".join(",".join(text or "" for text in row) for row in flat(rows))


def boxes(rows):
    return "\n├──┼──┤\n".join("│" + "│".join(t or "" for t in row) + "│" for row in flat(rows))


TEXTS = {
    "pipes between cells only": (".md", no_outer_pipes),
    "escapes": (".md", escaped),
    "a table of HTML": (".md", lambda rows: html_table(rows, "")),
    "commas": (".txt", by_commas),
    "lines of boxes": (".txt", boxes),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("year", YEARS)
def test_texts_of_any_layout_are_read(name, year, tmp_path):
    content = invented(4, year)
    suffix, table = TEXTS[name]
    printed = "\n\n".join(walk(content, str, table))
    printed = printed.encode("gb18030" if suffix == ".txt" else "utf-8")
    assert values(read(content, suffix, printed, tmp_path)) == expected(content)


# Cells


def nothing(sign):
    return lambda name, value: (sign, None) if value == 0 else (plain(Decimal(value)), value)


def shown(pattern, of=("t3", "t4")):
    """A number as the pattern prints it, in some tables."""
    return lambda name, value: (
        (pattern(Decimal(value)), value) if name[:2] in of else (plain(Decimal(value)), value)
    )


ALL = ("t2", "t3", "t4")
CELLS = {
    "full-width digits": shown(lambda n: plain(n).translate(WIDE), ALL),
    "full-width blanks": shown(lambda n: f"\u3000{plain(n)}\u3000", ALL),
    "thousands": shown(lambda n: f"{n:,}", ALL),
    "full-width thousands": shown(lambda n: f"{n:,}".translate(WIDE), ALL),
    "件": shown(lambda n: f"{n}件"),
    "a unit apart": shown(lambda n: f"{n} 件"),
    "a unit in brackets": shown(lambda n: f"{n}（件）"),
    "次": shown(lambda n: f"{n}次"),
    "circled marks": shown(lambda n: f"{n}{CIRCLED}"),
    "decimals": shown(lambda n: f"{n}.0"),
    "〇": lambda name, value: ("〇", value) if value == 0 else None,
    "a dash": nothing("—"),
    "two dashes": nothing("——"),
    "a full-width slash": nothing("／"),
    "暂无": nothing("暂无"),
    "the letter O": nothing("O"),
}


@pytest.mark.parametrize(
    "way",
    ["html", "spaces", "pdf"]
    + [pytest.param(way, marks=pytest.mark.slow) for way in ("docx", "markdown", "stack")],
)
@pytest.mark.parametrize("name", CELLS)
def test_cells_of_any_notation_are_read(name, way, tmp_path):
    content = invented(7, 2023)
    for cell, value in content.cells.items():
        if made := CELLS[name](cell, value):
            content.printed[cell], content.cells[cell] = made
    suffix, make = WAYS[way]
    assert values(read(content, suffix, make(content), tmp_path)) == expected(content)


@pytest.mark.parametrize("way", ["spaces", "stack", "run-together", "pdf-unruled"])
@pytest.mark.parametrize("year", [2020, 2023])
def test_thousands_apart_give_no_wrong_cell(way, year, tmp_path):
    content = invented(0, year)
    content.printed = {
        name: f"{Decimal(str(value)):,}".replace(",", " ") for name, value in content.cells.items()
    }
    suffix, make = WAYS[way]
    assert wrong(content, read(content, suffix, make(content), tmp_path)) == {}


def test_a_table_that_was_not_found_is_reported(tmp_path):
    content = invented(4, 2023)
    printed = re.sub(r"(?s)四、政府信息公开行政复议.*五、", "五、", as_markdown(content).decode())
    tables = read(content, ".md", printed.encode(), tmp_path)
    assert tables[2].unread == ["政府信息公开行政复议、行政诉讼情况：没有找到这张表"]
