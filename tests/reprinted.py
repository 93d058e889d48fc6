"""Published contents printed again in the ways offices print them, to be read back."""

from __future__ import annotations

import html
import io
import random
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal

import typst
from reportkit_fonts import folder

from reportkit.facts.numerals import plain
from reportkit.forms import shipped_form

FORM = shipped_form()


@dataclass
class Content:
    """A report to be printed: cells by fact id (None is a blank), edition of each table, text."""

    title: str
    year: int
    cells: dict
    editions: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    printed: dict = field(default_factory=dict)
    local: list = field(default_factory=list)

    def edition(self, table):
        return FORM.named(self.editions.get(table, FORM.edition(self.year).name))

    def text(self, name):
        if name in self.printed:
            return self.printed[name]
        value = self.cells.get(name)
        return "" if value is None else plain(Decimal(str(value)))


def leaves(node, axis):
    return [leaf for child in node.children for leaf in leaves(child, axis)] or [node]


def spans(nodes, depth):
    """Rows of (text, colspan, rowspan) of a head with groups."""
    rows = [[] for _ in range(depth)]

    def place(node, level):
        wide = len(leaves(node, "columns"))
        high = 1 if node.children else depth - level
        rows[level].append((node.label, wide, high))
        for child in node.children:
            place(child, level + 1)

    for node in nodes:
        place(node, 0)
    return rows


def depth_of(nodes):
    return 1 + max((depth_of(node.children) for node in nodes if node.children), default=0)


def grids(content, table_id):
    """Tables of a content as rows of cells (text, colspan, rowspan), a blank of its own."""
    edition = content.edition(table_id)
    table = edition.tables[table_id]
    if table.model.layout == "line":
        yield line_grid(content, table)
        return
    for band in table.model.bands:
        labels = depth_of(band.rows)
        depth = depth_of(band.columns)
        head = spans(band.columns, depth)
        head[0].insert(0, (band.corner, labels, depth))
        width = labels + len(table.columns(band))
        rows = ([[(band.title, width, 1)]] if band.title else []) + head
        done = set()
        for leaf in table.rows(band):
            row = []
            for level, node in enumerate(leaf.path):
                if id(node) in done:
                    continue
                done.add(id(node))
                text = content.labels.get((table_id, node.key or node.label), node.text)
                high = len(leaves(node, "rows"))
                wide = 1 if node.children else labels - level
                row.append((text, wide, high))
            for column in table.columns(band):
                row.append((content.text(table.cell_id(leaf.key, column.key)), 1, 1))
            rows.append(row)
        for label, values in content.local:
            if label[0] == table_id and band is table.model.bands[0]:
                rows.append([(label[1], labels, 1), *((text, 1, 1) for text in values)])
        yield rows


def line_grid(content, table):
    band = table.model.bands[0]
    columns = table.columns(band)
    depth = depth_of(band.rows)
    rows = [[] for _ in range(depth)]

    def place(node, level):
        wide = len(leaves(node, "rows")) * len(columns)
        rows[level].append((node.label, wide, 1 if node.children else depth - level))
        for child in node.children:
            place(child, level + 1)

    for node in band.rows:
        place(node, 0)
    keys = [leaf.key for leaf in table.rows(band)]
    rows.append([(column.node.label, 1, 1) for _ in keys for column in columns])
    rows.append([(content.text(table.cell_id(k, c.key)), 1, 1) for k in keys for c in columns])
    return rows


def flat(rows):
    """A grid with its spans filled: (text or None where covered) for each row."""
    width = sum(wide for _, wide, _ in rows[0])
    out, covered = [], {}
    for at, row in enumerate(rows):
        line, cells = [], iter(row)
        column = 0
        while column < width:
            if (at, column) in covered:
                line.append(None)
                column += 1
                continue
            cell = next(cells, None)
            if cell is None:
                line.append("")
                column += 1
                continue
            text, wide, high = cell
            for y in range(at, at + high):
                for x in range(column, column + wide):
                    covered[y, x] = True
            line += [text, *[None] * (wide - 1)]
            column += wide
        out.append(line)
    return out


def sections(content):
    """Headings with their texts or tables, in the form's order."""
    yield "", content.texts.get("", "")
    for section in FORM.edition(content.year).sections:
        title = f"{section.number}、{section.title}"
        yield title, section.table or content.texts.get(section.number, "无。")


def walk(content, text, table):
    """Print a content: *text* for each line, *table* for each grid; pieces joined."""
    parts = [text(content.title)]
    for title, body in sections(content):
        if title:
            parts.append(text(title))
        if body in ("t2", "t3", "t4"):
            parts += [table(rows) for rows in grids(content, body)]
        else:
            parts += [text(line) for line in body.splitlines() if line]
    return parts


def as_markdown(content):
    def table(rows):
        lines = ["| " + " | ".join(cell or "" for cell in row) + " |" for row in flat(rows)]
        lines.insert(1, "|" + "---|" * len(flat(rows)[0]))
        return "\n".join(lines)

    return "\n\n".join(walk(content, str, table)).encode()


def as_tabs(content):
    return "\n".join(
        walk(
            content, str, lambda rows: "\n".join("\t".join(c or "" for c in r) for r in flat(rows))
        )
    ).encode("gb18030")


def as_spaces(content):
    def table(rows):
        return "\n".join(" ".join(text for text, _, _ in row) for row in rows)

    return "\n".join(walk(content, str, table)).encode()


def as_stack(content):
    def table(rows):
        return "\n".join(text for row in rows for text, _, _ in row)

    return "\n".join(walk(content, str, table)).encode()


def as_run_together(content):
    def table(rows):
        return "\n".join("".join(text for text, _, _ in row) for row in rows)

    return "\n".join(walk(content, str, table)).encode()


def as_one_line(content):
    def table(rows):
        return "".join(text for row in rows for text, _, _ in row)

    return "\n".join(walk(content, str, table)).encode()


def html_table(rows, style):
    lines = []
    for row in rows:
        cells = "".join(
            f"<td{style}{f' colspan={w}' if w > 1 else ''}{f' rowspan={h}' if h > 1 else ''}>"
            f"<p class=MsoNormal>{html.escape(text) or '&nbsp;'}</p></td>"
            for text, w, h in row
        )
        lines.append(f"<tr>{cells}</tr>")
    return f"<table border=1>{''.join(lines)}</table>"


def as_html(content, *, charset="utf-8", word=False):
    style = ' style="border:solid windowtext 1.0pt;mso-border-alt:solid;padding:0cm 5.4pt"' * word
    parts = walk(content, lambda t: f"<p>{html.escape(t)}</p>", lambda r: html_table(r, style))
    body = "".join(parts)
    if word:
        head = "<tr><td><div>首页 &gt; 政府信息公开</div></td></tr>"
        body = f"<table>{head}<tr><td>{body}</td></tr></table>"
    page = (
        f'<html><head><meta charset="{charset}"><title>x</title></head><body>{body}</body></html>'
    )
    return page.encode("gb18030" if charset != "utf-8" else charset)


PACKAGE = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships">'
    '<Relationship Id="a" Target="word/document.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/officeDocument"/></Relationships>',
}
NAMES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "v": "urn:schemas-microsoft-com:vml",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
}


def word_text(text):
    return f"<w:p><w:r><w:t>{html.escape(text)}</w:t></w:r></w:p>"


def word_table(rows):
    """A table as Word writes it: a cell that covers those below begins again in each row."""
    below, lines = {}, []
    for row in rows:
        cells, line, column = iter(row), "", 0
        while column < sum(wide for _, wide, _ in rows[0]):
            if below.get(column, (0, 0))[0]:
                left, wide = below[column]
                below[column] = (left - 1, wide)
                text, merge = "", "<w:vMerge/>"
            else:
                text, wide, high = next(cells)
                below[column] = (high - 1, wide)
                merge = '<w:vMerge w:val="restart"/>' if high > 1 else ""
            span = f'<w:tcPr><w:gridSpan w:val="{wide}"/>{merge}</w:tcPr>'
            line += f"<w:tc>{span}{word_text(text)}</w:tc>"
            column += wide
        lines.append(f"<w:tr>{line}</w:tr>")
    return f"<w:tbl>{''.join(lines)}</w:tbl>"


def as_docx(content):
    return word_document("".join(walk(content, word_text, word_table)))


def word_document(body):
    names = "".join(f' xmlns:{name}="{space}"' for name, space in NAMES.items())
    document = f"<w:document{names}><w:body>{body}</w:body></w:document>"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in (PACKAGE | {"word/document.xml": document}).items():
            archive.writestr(name, text)
    return file.getvalue()


def as_pdf(content, *, ruled=True, size="9pt", margin="2cm", breakable=True, align="center"):
    def quoted(text):
        for sign in "\\#*_`$<>@[]=-+/~":
            text = text.replace(sign, "\\" + sign)
        return text

    def table(rows):
        width = sum(wide for _, wide, _ in rows[0])
        cells = "".join(
            f"table.cell(colspan: {w}, rowspan: {h})[{quoted(text)}],"
            for row in rows
            for text, w, h in row
        )
        labels = max(1, width - 7) if width == 10 else 1
        fractions = ["1.4fr"] * labels + ["1fr"] * (width - labels)
        stroke = "0.5pt" if ruled else "none"
        return (
            f"#table(columns: ({', '.join(fractions)}), stroke: {stroke}, inset: 4pt, "
            f"align: {align} + horizon, {cells})"
        )

    source = f'#set page(paper: "a4", margin: {margin})\n#set text(font: "RK-Song", size: {size})\n'
    source += "\n\n".join(walk(content, quoted, table))
    return typst.compile(source.encode(), font_paths=[str(folder())])


def invented(seed, year=2023):
    """A sound report with numbers of its own."""
    chance = random.Random(seed)
    edition = FORM.edition(year)
    cells = {}
    columns = [c.key for c in edition.tables["t3"].columns(edition.tables["t3"].model.bands[0])]
    rows = {r.key: r for r in edition.tables["t3"].rows(edition.tables["t3"].model.bands[0])}
    big = chance.choice([1, 3, 40, 900])

    def number():
        return chance.choice([0, 0, 0, chance.randint(0, big), chance.randint(0, big)])

    total = [0] * (len(columns) - 1)
    for key in rows["results_total"].parts:
        row = [number() if chance.random() < 0.6 else 0 for _ in columns[:-1]]
        total = [a + b for a, b in zip(total, row, strict=True)]
        put(cells, "t3", key, columns, row)
    put(cells, "t3", "results_total", columns, total)
    out = [chance.randint(0, 3) if one else 0 for one in total]
    put(cells, "t3", "carried_out", columns, out)
    both = [a + b for a, b in zip(total, out, strict=True)]
    carried = [chance.randint(0, min(one, 4)) for one in both]
    put(cells, "t3", "carried_in", columns, carried)
    put(cells, "t3", "new", columns, [a - b for a, b in zip(both, carried, strict=True)])
    for block in ("review", "litigation_direct", "litigation_after_review"):
        parts = [chance.choice([0, chance.randint(0, 30)]) for _ in range(4)]
        put(cells, "t4", block, ["maintain", "correct", "other", "pending", "total"], parts)
    for cell in edition.cells(year):
        if cell.table == "t2":
            cells[cell.id] = chance.choice([0, chance.randint(0, 30), chance.randint(0, 99999)])
            if cell.id.startswith("t2.regulations"):
                cells[cell.id] = 0
    if "t2.fees.amount_wan" in cells:
        cells["t2.fees.amount_wan"] = Decimal(chance.randint(0, 10**7)) / 10 ** chance.choice(
            [0, 2, 4]
        )
    if "t2.procurement.amount" in cells:
        cells["t2.procurement.amount"] = Decimal(chance.randint(0, 10**10)) / 100
    for name in [n for n in cells if n.startswith("t2.") and n.endswith(".made")]:
        rest = "disclosed" if year < 2021 else "in_force"
        cells[name.replace(".made", f".{rest}")] = cells[name] + chance.randint(0, 9) * (
            cells[name] > 0
        )
        if year < 2021:
            cells[name.replace(".made", ".total_disclosed")] = cells[
                name.replace(".made", ".disclosed")
            ]
    new, done, left = (cells[f"t3.{r}.total"] for r in ("new", "results_total", "carried_out"))
    law = "本报告依据《中华人民共和国政府信息公开条例》编制"
    texts = {
        "": f"{law}，统计期限自{year}年1月1日起至{year}年12月31日止。",
        "一": f"{year}年，全区新收政府信息公开申请{new}件，办结{done}件，结转下年度{left}件。",
        "五": "存在的问题是公开内容不够全面。下一步将细化目录。",
        "六": f"{year}年收取信息处理费0元。",
    }
    return Content(f"海州区人民政府{year}年政府信息公开工作年度报告", year, cells, texts=texts)


def put(cells, table, row, columns, values):
    for column, value in zip(columns, [*values, sum(values)], strict=True):
        cells[f"{table}.{row}.{column}"] = value


WAYS = {
    "html": (".html", as_html),
    "word-html": (".html", lambda c: as_html(c, word=True, charset="gb2312")),
    "docx": (".docx", as_docx),
    "markdown": (".md", as_markdown),
    "tabs": (".txt", as_tabs),
    "spaces": (".txt", as_spaces),
    "stack": (".txt", as_stack),
    "pdf": (".pdf", as_pdf),
    "pdf-unruled": (".pdf", lambda c: as_pdf(c, ruled=False)),
    "pdf-narrow": (".pdf", lambda c: as_pdf(c, margin="3.5cm", size="11pt")),
    "pdf-unruled-narrow": (".pdf", lambda c: as_pdf(c, ruled=False, margin="3.5cm", size="11pt")),
    "run-together": (".txt", as_run_together),
    "one-line": (".txt", as_one_line),
}


def content_of(published, texts=None):
    """The content of a published report in JSON, with what it prints."""
    year = published["report_year"]
    editions = {
        "t2": published["table2"]["edition"],
        "t3": published["table3"]["row_layout"],
    }
    content = Content(published["title"], year, {}, editions, texts or {})
    names = {}
    for band in content.edition("t2").tables["t2"].model.bands:
        for row in content.edition("t2").tables["t2"].rows(band):
            for column in content.edition("t2").tables["t2"].columns(band):
                names[row.key, column.node.label] = f"t2.{row.key}.{column.key}"
    rows = {
        row.node.label: row.key
        for edition in FORM.editions
        for band in edition.tables["t2"].model.bands
        for row in edition.tables["t2"].rows(band)
    }
    for part in published["table2"].values():
        for label, values in part.items() if isinstance(part, dict) else ():
            key = rows.get(label.partition("（")[0])
            if key is None:
                content.local.append((("t2", label), [str(value) for value in values.values()]))
                continue
            if "原文如此" in label:
                content.labels["t2", key] = label.partition("（")[0]
            for column, value in values.items():
                if not column.endswith("_单位"):
                    content.cells[names[key, column]] = value
                elif value == "万元":
                    name = names[key, column.removesuffix("_单位")]
                    content.printed[name] = f"{content.cells[name]}万元"
                    content.cells[name] *= 10_000
    for row in published["table3"]["rows"]:
        for column, value in zip(published["table3"]["columns"], row["values"], strict=True):
            content.cells[f"t3.{row['key']}.{column}"] = value
    for block, values in published["table4"].items():
        if block != "labels":
            for column, value in values.items():
                content.cells[f"t4.{block}.{column}"] = value
    return content
