"""Forged runs, sealed anew but not signed: ``verify`` refuses each and names what is forged."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batches import make_project
from commands import reportkit
from forging import (
    MIME,
    add_part,
    block_of,
    cells_of,
    change_all,
    change_json,
    change_notebook,
    copy_run,
    reseal,
    rewrite,
    rewrite_part,
)
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    TextStringObject,
)

from reportkit.proof.attestation import attest, sign_run
from reportkit.proof.inspection import Asked, inspect
from reportkit.proof.manifest import PRUNING, write_manifest
from reportkit.proof.render import render_level
from reportkit.proof.signing.keys import keygen, read_signer
from reportkit.proof.verify import data_levels, files_level

TEXT = """# 序言

现公布{{ district.name }}{{ year }}年政府信息公开工作年度报告。

# 一、总体情况

新收政府信息公开申请{{ t3.new.total }}件，办理完毕{{ t3.results_total.total }}件，用时17天。

# 五、存在的主要问题及改进情况

{{ t3.new.total | cn }}件申请均已登记。

# 六、其他需要报告的事项

没有收取信息处理费。
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A small district with a text of its own, in which one number has no source."""
    folder = make_project(tmp_path_factory.mktemp("forgeries"), ["cheng"])
    (folder / "params/reports/cheng").mkdir(parents=True)
    (folder / "params/reports/cheng/2021.md").write_text(TEXT, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def made(project):
    reportkit("run", "cheng", "2021", cwd=project, status=1)  # the number without a source
    return (project / "outputs/cheng/2021/current").resolve()


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run, in force in a folder of outputs of its own."""
    return copy_run(made, tmp_path / "outputs")


def folders(project):
    return {"params": project / "params", "data": project / "data"}


def refused(run, project, expected):
    """A forged run whose seal is whole is refused, and this is among the findings."""
    assert files_level(run).holds
    render = render_level(run, **folders(project))
    # What only the second count finds is looked for there.
    verdicts = (
        [render] if expected in "".join(render.findings) else data_levels(run, **folders(project))
    )
    findings = [finding for one in verdicts for finding in one.findings]
    assert any(expected in one for one in findings), (*findings, *render.findings)


def fact_in(document, name="t3.new.total"):
    return next(fact for fact in document["facts"] if fact["id"] == name)


def check_in(checks, holds):
    return next(one for one in checks if one["holds"] is holds)


# --- facts.json, checks.json ---------------------------------------------------------------------


def set_fact(**fields):
    return lambda run: change_json(run / "facts.json", lambda d: fact_in(d).update(fields))


JSON = {
    "a value": (set_fact(value="9"), "facts.json reads"),
    "a label": (set_fact(label="新收"), "facts.json reads"),
    "a unit": (set_fact(unit="万件"), "facts.json reads"),
    "decimals": (set_fact(decimals=2), "facts.json reads"),
    "a place": (set_fact(places=[]), "facts.json reads"),
    "a source": (set_fact(source="统计"), "facts.json reads"),
    "a key twice": (
        lambda run: rewrite(run / "facts.json", '"value": "2"', '"value": "2",\n   "value": "9"'),
        "the key 'value' stands twice",
    ),
    "no number": (
        lambda run: rewrite(run / "facts.json", '"decimals": 0', '"decimals": NaN'),
        "NaN is no number",
    ),
    "nothing but lists": (
        lambda run: (run / "facts.json").write_text("[" * 100_000, encoding="utf-8"),
        "facts.json is nested more than 50 deep",
    ),
    "a fact more": (
        lambda run: change_json(
            run / "facts.json", lambda d: d["facts"].append({**fact_in(d), "id": "x.more"})
        ),
        "facts.json reads",
    ),
    "a fact less": (
        lambda run: change_json(run / "facts.json", lambda d: d["facts"].remove(fact_in(d))),
        "t3.new.total of the form is not there",
    ),
    "blanks": (lambda run: rewrite(run / "facts.json", ": ", ":  "), "facts.json reads"),
    "a check that holds": (
        lambda run: change_json(
            run / "checks.json", lambda d: check_in(d, holds=False).update(holds=True)
        ),
        "checks.json reads",
    ),
    "a check that is waived": (
        lambda run: change_json(
            run / "checks.json",
            lambda d: check_in(d, holds=False).update(
                waived={"reason": "a", "by": "b", "on": "2022-01-01"}
            ),
        ),
        "checks.json reads",
    ),
    "a check less": (
        lambda run: change_json(
            run / "checks.json", lambda d: d.remove(check_in(d, holds=False))
        ),
        "checks.json reads",
    ),
    "a severity": (
        lambda run: change_json(
            run / "checks.json", lambda d: check_in(d, holds=False).update(severity="info")
        ),
        "checks.json reads",
    ),
    "a side of a check": (
        lambda run: change_json(
            run / "checks.json", lambda d: check_in(d, holds=True).update(left="9", right="9")
        ),
        "checks.json reads",
    ),
}  # fmt: skip


# --- pages ---------------------------------------------------------------------------------------

HTML, AUDIT = '<data value="2" data-fact="t3.new.total">2</data>', 'data-fact="t3.new.total">2</a>'


def page(old, new, name="report.html"):
    return lambda run: rewrite(run / name, old, new), f"{name} reads"


PAGES = {
    "a figure": page(HTML, HTML.replace(">2<", ">9<")),
    "the value behind a figure": page(HTML, HTML.replace('"2"', '"9"')),
    "a figure of no size": page(HTML, HTML.replace("<data", '<data style="font-size:0"')),
    "a figure by style": page("</style>", 'data[data-fact]::before{content:"9"}</style>'),
    "a figure out of sight": page(HTML, f"<span hidden>{HTML}</span>9"),
    "a paragraph": page("</main>", "<p>主动公开政府信息9999条。</p></main>"),
    "a script": page("</body>", "<script>document.title=9</script></body>"),
    "a comment": page("</body>", "<!-- 9 --></body>"),
    "a link": page("</body>", '<a href="https://example.org">9</a></body>'),
    "what machines read": page('"t3.new.total", "', '"t3.new.total", "9'),
    "a chart": page("<text ", '<text opacity="0" '),
    "the data of a chart": page('<table class="data">', '<table class="data" hidden>'),
    "a blank": page("<main", "<main "),
    "a figure for auditors": page(AUDIT, AUDIT.replace(">2<", ">9<"), "audit.html"),
    "a script for auditors": page("</body>", "<script>1</script></body>", "audit.html"),
    "what scripts may do": page("script-src", "script-src 'unsafe-inline'", "audit.html"),
    "a definition for auditors": page("在2021年内", "在2020年内", "audit.html"),
    "code for auditors": page("report.table(3)", "report.table(2)", "audit.html"),
}


# --- PDF, Word, workbook -------------------------------------------------------------------------


def pdf(change):
    """A PDF changed and written again by another program."""

    def forge(run):
        writer = PdfWriter(clone_from=PdfReader(run / "report.pdf"))
        change(writer)
        writer.write(run / "report.pdf")

    return forge, "report.pdf comes out with other bytes"


def cover(writer):
    """A white box with drawn digits over a page."""
    stream = DecodedStreamObject()
    stream.set_data(b"q 1 g 100 400 80 20 re f 0 g BT /F1 12 Tf 110 405 Td (9) Tj ET Q")
    page = writer.pages[0]
    both = [page["/Contents"], writer._add_object(stream)]
    page[NameObject("/Contents")] = ArrayObject(both)


def open_by_script(writer):
    action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject("app.alert(9)")}
    made = DictionaryObject({NameObject(name): value for name, value in action.items()})
    writer.root_object[NameObject("/OpenAction")] = made


def note(writer):
    text = FreeText(text="9", rect=(100, 400, 180, 420), border_color="ffffff")
    writer.add_annotation(0, text)


def word(old, new, part="word/document.xml"):
    def forge(run):
        rewrite_part(run / "report.docx", part, old, new)

    return forge, f"report.docx {part}"


def sheet(old, new, part=r"xl/worksheets/sheet3\.xml"):
    def forge(run):
        rewrite_part(run / "tables.xlsx", part, old, new)

    return forge, "tables.xlsx xl/"


RUN = "<w:t>{}</w:t>".format
OTHERS = {
    "a box over a page": pdf(cover),
    "a note on a page": pdf(note),
    "a title": pdf(lambda writer: writer.add_metadata({"/Title": "9"})),
    "a script in a PDF": pdf(open_by_script),
    "a page more": pdf(lambda writer: writer.add_blank_page()),
    "a page less": pdf(lambda writer: writer.remove_page(1)),
    "a file in a PDF": pdf(lambda writer: writer.add_attachment("9.txt", b"9")),
    "bytes behind the end": (
        lambda run: (run / "report.pdf").write_bytes((run / "report.pdf").read_bytes() + b"%9\n"),
        "report.pdf comes out with other bytes",
    ),
    "another PDF": (
        lambda run: (run / "report.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n"),
        "report.pdf comes out with other bytes",
    ),
    "a figure in Word": word(b"<w:t>2</w:t>", b"<w:t>9</w:t>"),
    "a hidden run": word(
        b"<w:t>2</w:t>", b"<w:rPr><w:vanish/></w:rPr><w:t>2</w:t></w:r><w:r><w:t>9</w:t>"
    ),
    "a paragraph in Word": word(b"<w:sectPr", b"<w:p><w:r><w:t>9</w:t></w:r></w:p><w:sectPr"),
    "an insertion in Word": word(
        b"<w:t>2</w:t>", b"<w:t>2</w:t></w:r><w:ins w:id='1'><w:r><w:t>9</w:t></w:r></w:ins><w:r>"
    ),
    "a field in Word": word(
        b"<w:t>2</w:t>",
        b"</w:r><w:fldSimple w:instr='=9'><w:r><w:t>2</w:t></w:r></w:fldSimple><w:r>",
    ),
    "a style in Word": word(b'w:val="Title"', b'w:val="Heading1"'),
    "small type in Word": word(b'<w:sz w:val="32"/>', b'<w:sz w:val="2"/>', "word/styles.xml"),
    "an author": word(b"</dc:creator>", b"9</dc:creator>", "docProps/core.xml"),
    "a comment in Word": (
        lambda run: add_part(run / "report.docx", "word/comments.xml", b"<w:comments/>"),
        "report.docx word/comments.xml in it",
    ),
    "no Word file": (
        lambda run: (run / "report.docx").write_bytes(b"PK9"),
        "report.docx is no archive that can be read",
    ),
    "a figure in the workbook": sheet(b"<v>2</v>", b"<v>9</v>"),
    "a number format": sheet(
        b'formatCode="0.00000"', b'formatCode="&quot;9&quot;"', r"xl/styles\.xml"
    ),
    "a far column": sheet(b"</row>", b'<c r="ZZ9"><v>9</v></c></row>'),
    "a formula": sheet(b"<v>2</v>", b"<f>9</f><v>2</v>"),
    "a hidden column": sheet(b'customWidth="1"', b'customWidth="1" hidden="1"'),
    "a hidden sheet": sheet(b'sheetId="3"', b'sheetId="3" state="hidden"', r"xl/workbook\.xml"),
    "a text in the workbook": sheet("政府".encode(), "乡镇".encode(), r"xl/sharedStrings\.xml"),
    "a macro": (
        lambda run: add_part(run / "tables.xlsx", "xl/vbaProject.bin", b"9"),
        "tables.xlsx xl/vbaProject.bin in it",
    ),
    "a file gone": (lambda run: (run / "report.pdf").unlink(), "report.pdf is missing"),
    "a size in the log": (
        lambda run: rewrite(run / "run.log", "report.html: ", "report.html:  "),
        "run.log does not say report.html: ",
    ),
    "another run's log": (
        lambda run: rewrite(run / "run.log", "sealed as 2", "sealed as 1"),
        "run.log does not say sealed as 2",
    ),
}


# --- the notebook --------------------------------------------------------------------------------


def notebook(change, expected):
    return lambda run: change_notebook(run, change), expected


def everything(change, expected):
    """A change of the notebook, with every document made anew from it."""
    return lambda run: change_all(run, change), expected


def output_of(cell, notebook):
    return cells_of(notebook)[cell].outputs[0]


def set_cell(notebook):
    for row in block_of(notebook, "table", "t3")["rows"]:
        for cell in row:
            if cell.get("fact") == "t3.new.total":
                cell["text"] = "9"


def set_text(notebook):
    runs = block_of(notebook, "section", "一")["body"][0]["runs"]
    next(run for run in runs if run.get("fact") == "t3.new.total")["text"] = "9"


def set_sealed(name="t3.new.total", **fields):
    return lambda nb: fact_in(block_of(nb, "seal")["facts"], name).update(fields)


def insert(at, cell):
    return lambda notebook: notebook.cells.insert(at, cell)


def own_block(**fields):
    """A cell that shows a block of its own making."""
    data = {MIME: {"schema": "reportkit/block/1", **fields}, "text/plain": "9"}
    output = new_output("execute_result", data=data, execution_count=8)
    return new_code_cell("show()", id="own", execution_count=8, outputs=[output])


PROSE = [{"type": "paragraph", "runs": [{"text": "主动公开9999条。"}]}]


def count_again(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def with_cell(at, cell):
    def change(notebook):
        notebook.cells.insert(at, cell)
        count_again(notebook)

    return change


def hold_all(notebook):
    for one in (block_of(notebook, "seal"), block_of(notebook, "checks")):
        for check in one["checks"]:
            check["holds"] = True


def set_condition(notebook):
    """新收 before the year, as in the attack that verified."""
    facts = block_of(notebook, "seal")["facts"]
    for fact in facts["facts"]:
        if fact["id"].startswith("t3.new.") and fact["where"]:
            (first, *_) = fact["where"][0]["all"]
            first |= {"op": "<", "value": "2021-01-01"}
            fact |= {"value": "0", "rows": 0, "evidence": None}
            fact["definition"] = fact["definition"].replace("在2021年内", "早于2021-01-01")


NOTEBOOK = {
    "a cell of a table": notebook(set_cell, "(table-3): table t3: "),
    "a figure of the text": notebook(set_text, "(section-1): section 一: "),
    "what Jupyter shows": notebook(
        lambda nb: output_of("table-3", nb).data.update({"text/html": "<b>9</b>"}),
        "(table-3): table t3: text/html is '<b>9</b>'",
    ),
    "what a terminal shows": notebook(
        lambda nb: output_of("seal", nb).data.update({"text/plain": "sealed"}),
        "(seal): seal: text/plain is 'sealed'",
    ),
    "a further form of it": notebook(
        lambda nb: output_of("head", nb).data.update({"text/markdown": "9"}),
        "(head): head: text/markdown is only in the run",
    ),
    "a note at an output": notebook(
        lambda nb: output_of("head", nb).metadata.update(collapsed=True),
        "(head): head: collapsed is only in the run",
    ),
    "a line beside a section": notebook(
        lambda nb: cells_of(nb)["section-1"].outputs.append(new_output("stream", text="9\n")),
        '(section-1) shows something else than report.section("一")',
    ),
    "a section that is gone": notebook(
        lambda nb: cells_of(nb)["section-5"].update(outputs=[]), "does not show section 五"
    ),
    "a section twice": notebook(
        lambda nb: cells_of(nb)["section-5"].outputs.append(output_of("section-5", nb)),
        "(section-5) shows something else than",
    ),
    "a checked check": notebook(hold_all, "(checks): checks: "),
    "a head": notebook(lambda nb: block_of(nb, "head").update(issuer="另一个区"), "(head): head: "),
    "a draft that is none": notebook(
        lambda nb: block_of(nb, "head").update(draft=False), "(head): head: "
    ),
    "an account of the ledgers": notebook(
        lambda nb: block_of(nb, "inputs")["ledgers"][0].update(read=9, accepted=9),
        "(open): inputs: ",
    ),
    "a sealed fact": notebook(set_sealed(value="9"), "(seal): seal: "),
    "a parameter of the seal": notebook(
        lambda nb: block_of(nb, "seal")["parameters"].update(draft=False), "(seal): seal: "
    ),
    "a line of code": notebook(
        lambda nb: cells_of(nb)["table-3"].update(source="report.table(3)  # 9"),
        "(table-3) is not the notebook's",
    ),
    "a parameter": notebook(
        lambda nb: cells_of(nb)["parameters"].update(source="district = 'huli'"),
        "(parameters) is not the notebook's",
    ),
    "a parameter put in": notebook(
        lambda nb: next(
            c for c in nb.cells if "injected-parameters" in c.metadata.get("tags", [])
        ).update(source='# Parameters\ndistrict = "cheng"\nyear = 2021\ndraft = True\n'),
        "(injected-parameters) is not the notebook's",
    ),
    "a text cell": notebook(
        with_cell(3, new_markdown_cell("主动公开9999条。", id="text")),
        "(text) is not the notebook's",
    ),
    "a cell gone": notebook(
        lambda nb: nb.cells.remove(cells_of(nb)["section-5"]),
        "cell section-5 of the notebook is not in it",
    ),
    "a tag": notebook(
        lambda nb: cells_of(nb)["section-5"].metadata.update(tags=["notes"]),
        "(section-5) is not the notebook's",
    ),
    "a picture beside a text": notebook(
        lambda nb: cells_of(nb)["about"].update(attachments={"9.png": {"image/png": "OQ=="}}),
        "(about) is not the notebook's",
    ),
    "cells in another order": notebook(
        lambda nb: nb.cells.append(nb.cells.pop(0)), "is not the notebook's"
    ),
    "a turn": notebook(
        lambda nb: cells_of(nb)["seal"].update(execution_count=99), "(seal) ran as 99"
    ),
    "the kernel's name": notebook(
        lambda nb: nb.metadata.kernelspec.update(display_name="9"), "metadata/kernelspec"
    ),
    "a key twice": (
        lambda run: rewrite(run / "report.ipynb", '"nbformat": 4', '"nbformat": 4, "nbformat": 4'),
        "report.ipynb is no JSON: the key 'nbformat' stands twice",
    ),
    "nothing but lists": (
        lambda run: (run / "report.ipynb").write_text("[" * 100_000, encoding="utf-8"),
        "report.ipynb is nested more than 50 deep",
    ),
    "another format": (
        lambda run: (run / "report.ipynb").write_text('{"cells": 9}', encoding="utf-8"),
        "is not as reportkit writes it",
    ),
}
EVERYTHING = {
    "a cell of a table": everything(set_cell, "(table-3): table t3: "),
    "a figure of the text": everything(set_text, "(section-1): section 一: "),
    "a paragraph": everything(
        lambda nb: block_of(nb, "section", "六").update(body=PROSE), "(section-6): section 六: "
    ),
    "a section": everything(
        with_cell(8, own_block(kind="section", number="九", title="补充", body=PROSE)),
        "(own) is not the notebook's",
    ),
    "a table": everything(
        with_cell(
            10,
            own_block(
                kind="table",
                id="t9",
                title="补充",
                columns=1,
                label_columns=1,
                head_rows=0,
                rows=[[{"text": "9", "role": "label", "colspan": 1, "rowspan": 1}]],
            ),
        ),
        "(own) is not the notebook's",
    ),
    "a check that holds": everything(hold_all, "(checks): checks: "),
    "a waiver": everything(
        lambda nb: check_in(block_of(nb, "seal")["checks"], holds=False).update(
            waived={"reason": "已核实", "by": "某", "on": "2022-01-01"}
        ),
        "(seal): seal: checks/",
    ),
    "a statutory condition": everything(set_condition, "t3.new.natural_person: where is "),
    "a definition": everything(
        set_sealed("t3.new.natural_person", definition="全部申请"),
        "t3.new.natural_person is defined as 全部申请",
    ),
    "a definition of a sum": everything(
        set_sealed(definition="各项之和"), "(seal): seal: facts/facts/t3.new.total/definition"
    ),
    "a label": everything(
        set_sealed("t3.new.natural_person", label="公民"),
        "(seal): seal: facts/facts/t3.new.natural_person/label",
    ),
    "an issuer": everything(
        lambda nb: block_of(nb, "head").update(title="另一个区2021年报告"), "(head): head: "
    ),
    "a report that is no draft": everything(
        lambda nb: block_of(nb, "head").update(draft=False), "(head): head: "
    ),
    "last year's figures": everything(
        lambda nb: block_of(nb, "seal").update(
            past={"t3.new.total": {"year": 2020, "origin": "run", "value": "9", "change": "-7"}}
        ),
        "(seal): seal: past/",
    ),
    "the rules": everything(
        lambda nb: block_of(nb, "seal")["rules"]["C1"].update(todo="无"), "(seal): seal: rules/C1"
    ),
}


# --- evidence, manifest, crate -------------------------------------------------------------------


def evidence(pattern, change):
    """The first file of the evidence that a pattern names, changed."""

    def forge(run):
        path = sorted((run / "evidence").glob(pattern))[0]
        change(path)

    return forge, "evidence/"


def swap_numbers(path):
    """Other numbers of lines or rows in a parquet file."""
    table = pq.read_table(path)
    name = "line" if "line" in table.column_names else "row"
    numbers = pa.array(np.asarray(table[name]) + 1)
    pq.write_table(table.set_column(table.column_names.index(name), name, numbers), path)


def described(path):
    """The same table with a note in its metadata."""
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"note": "9"}), path)


EVIDENCE = {
    "a cell of a row": evidence("rows-fees*.js", lambda path: rewrite(path, "1000.5", "9000.5")),
    "a line of a row": evidence("rows-fees*.js", lambda path: rewrite(path, '"2"', '"9"')),
    "the rows of a fact": evidence("facts.js", lambda path: rewrite(path, ':"', ':"9,')),
    "a script at the end": evidence(
        "*.js", lambda path: path.write_bytes(path.read_bytes() + b"alert(9)")
    ),
    "numbers of rows": evidence("facts.parquet", swap_numbers),
    "places of records": evidence("r*.parquet", swap_numbers),
    "a note in a table": evidence("r*.parquet", described),
    "a file gone": evidence("r*.parquet", Path.unlink),
    "a file more": evidence(
        "*.js", lambda path: path.with_name("rows-more.js").write_text("9", encoding="utf-8")
    ),
}


def manifest(change, expected):
    return change, f"MANIFEST.json: {expected}"


def input_in(manifest, name):
    return next(one for one in manifest["inputs"] if name in one["name"])


MANIFEST = {
    "a name": manifest(lambda m: m.update(name="另一个区"), "name is '另一个区'"),
    "a basis": manifest(lambda m: m.update(basis="无"), "basis is '无'"),
    "no draft": manifest(lambda m: m.update(draft=False), "draft is False"),
    "another edition": manifest(lambda m: m.update(edition="2019"), "edition is '2019'"),
    "another scope": manifest(lambda m: m.update(scope="office"), "scope is 'office'"),
    "an account": manifest(lambda m: m["ledgers"][0].update(rejected=0, accepted=9), "ledgers/0/"),
    "a sheet": manifest(
        lambda m: m["ledgers"][0]["sources"][0].update(encoding="latin-1"), "ledgers/0/sources/"
    ),
    "a rule for notebooks": manifest(
        lambda m: m["notebook"].update(warnings=["none"]), "notebook/warnings"
    ),
    "checks that fail": manifest(lambda m: m["figures"].update(failing=[]), "figures/failing"),
    "who waived": manifest(
        lambda m: m["people"].update(waivers=[{"check": "C1", "by": "某"}]), "people/waivers"
    ),
    "years of holidays": manifest(lambda m: m["holidays"].update(last="2099-12-31"), "holidays/"),
    "an input less": (
        lambda m: m["inputs"].remove(input_in(m, "2021.md")),
        "params/reports/cheng/2021.md is here, and the run did not read it",
    ),
    "another text": (
        lambda m: input_in(m, "2021.md").update(sha256="0" * 64),
        "params/reports/cheng/2021.md is not what the run read",
    ),
    "another notebook": (
        lambda m: (
            input_in(m, "ipynb").update(sha256="0" * 64), m["notebook"].update(sha256="0" * 64)
        ),
        "notebooks/annual_report.ipynb is not what the run read",
    ),
    "a ledger less": (
        lambda m: m["inputs"].remove(input_in(m, "fees.csv")),
        "data/cheng/fees.csv is here, and the run did not read it",
    ),
}  # fmt: skip

FORGERIES = [
    pytest.param(*forgery, id=f"{family}: {name}")
    for family, many in {
        "json": JSON, "page": PAGES, "file": OTHERS, "notebook": NOTEBOOK,
        "everything": EVERYTHING, "evidence": EVIDENCE,
    }.items()
    for name, forgery in many.items()
]  # fmt: skip


@pytest.mark.parametrize(("forge", "expected"), FORGERIES)
def test_a_forged_run_is_refused_and_the_forgery_named(forge, expected, run, project):
    forge(run)
    reseal(run)
    refused(run, project, expected)


@pytest.mark.parametrize(
    ("change", "expected"), MANIFEST.values(), ids=[f"manifest: {name}" for name in MANIFEST]
)
def test_a_forged_manifest_is_refused_and_named(change, expected, run, project):
    reseal(run, change)
    refused(run, project, expected)


def test_a_forged_crate_is_refused(run, project):
    change_json(run / "ro-crate-metadata.json", lambda d: d["@graph"][0].update(license="9"))
    document = json.loads((run / "MANIFEST.json").read_text(encoding="utf-8"))
    del document["files"], document["schema"]
    write_manifest(run, document)
    attest(run)
    refused(run, project, "ro-crate-metadata.json reads")


def test_the_honest_run_holds_at_every_level(run, project, tmp_path, monkeypatch):
    # Other tests verify runs at the same time, in the folder that all share.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = inspect(run, Asked(**folders(project)), closely=True)
    assert {one.level: one.holds for one in found.levels} == dict.fromkeys(
        ("files", "ledgers", "facts", "render", "environment"), True
    )
    (render,) = [one for one in found.levels if one.level == "render"]
    assert render.notes == (
        "the notebook is the one that is here",
        "shown by the notebook's own code, which --rerun executes: compare-2 (compare), "
        "compare-3 (compare), months (chart), days (chart), outcomes (chart), "
        "compare-text (compare), compare-4 (compare)",
        "5 documents were made again from the executed notebook",
        "13 parts of it from ledgers and parameters, and the evidence",
        "machine, times, commit and most of run.log are as the run says",
    )
    assert not list(tmp_path.glob("rk-render-*"))


def judged(run, project, **asked):
    """Return the findings on a run, and the verdict of its level ``render``."""
    found = inspect(run, Asked(**{**folders(project), **asked}), closely=True)
    return found, next(one for one in found.levels if one.level == "render")


def other_versions(**versions):
    def change(manifest):
        manifest["environment"]["packages"] |= versions

    return change


def test_where_versions_are_others_it_names_the_one_to_install(run, project):
    pdf(note)[0](run)
    reseal(run, other_versions(typst="0.15.1"))
    found, render = judged(run, project)
    assert (found.holds, render.holds, render.findings) == (None, None, ())
    assert render.needed == ("typst 0.15.1",)
    assert render.notes[:2] == (
        "report.pdf comes out with other bytes",
        "to judge it, this is needed: typst 0.15.1",
    )
    # What another version of typst cannot have made is refused all the same.
    page(HTML, HTML.replace(">2<", ">9<"))[0](run)
    reseal(run)
    assert judged(run, project)[0].holds is False


def test_other_versions_that_make_the_same_bytes_hold(run, project):
    reseal(run, other_versions(typst="0.15.1", jinja2="2.9.9"))
    found, render = judged(run, project)
    assert (found.holds, render.holds, render.needed) == (True, True, ())


def test_a_run_of_the_distributions_old_name_is_judged(run, project):
    reseal(run)
    path = run / "MANIFEST.json"
    manifest = json.loads(path.read_text("utf-8"))
    packages = manifest["environment"]["packages"]
    packages["reportkit"] = packages.pop("reportkit-zwgk")
    del manifest["files"], manifest["schema"]
    write_manifest(run, manifest)
    attest(run)
    found, render = judged(run, project)
    assert (found.levels[0].holds, found.holds) == (True, False)
    assert "KeyError" in render.findings[0]


def test_other_code_is_no_pass_unless_somebody_trusted_signed_it(run, project, tmp_path):
    page(HTML, HTML.replace(">2<", ">9<"))[0](run)
    reseal(run, lambda manifest: manifest.update(code_sha256="9" * 64))
    found, render = judged(run, project)
    assert (found.holds, render.holds) == (None, None)
    version = json.loads((run / "MANIFEST.json").read_text("utf-8"))["environment"]["packages"]
    ours = f"reportkit-zwgk {version['reportkit-zwgk']}"
    assert render.needed == (f"{ours} with code 999999999999",)
    done = reportkit("verify", run, "--json", cwd=project)
    assert (done.returncode, json.loads(done.stdout)["runs"][0]["holds"]) == (1, None)
    public, _ = keygen(tmp_path / "own.key")
    (tmp_path / "keys").mkdir()
    shutil.copy(public, tmp_path / "keys")
    sign_run(run, read_signer(tmp_path / "own.key"))
    assert judged(run, project, keys=tmp_path / "keys")[0].holds is True


def test_an_input_that_only_the_run_knows_is_no_pass(run, project):
    everything(set_cell, "")[0](run)
    reseal(run, lambda m: m["inputs"].append({**m["inputs"][0], "name": "params/facts/more.yaml"}))
    found, render = judged(run, project)
    # Tables are made again from the sealed figures in any case.
    assert found.holds is False
    assert render.needed == ("params/facts/more.yaml",)


def test_without_ledgers_it_says_what_was_not_made_again(run, project, tmp_path):
    nothing = {"params": tmp_path, "data": tmp_path}
    found, render = judged(run, project, **nothing)
    assert (found.holds, render.holds, render.findings) == (True, None, ())
    assert render.notes[0] == (
        "what ledgers and parameters decide was not made again: there is no district 'cheng' "
        f"({tmp_path}/districts/cheng.yaml is missing); known: none"
    )
    assert "5 documents were made again from the executed notebook" in render.notes


ALONE = [
    NOTEBOOK["a cell of a table"],
    NOTEBOOK["what Jupyter shows"],
    EVERYTHING["a cell of a table"],
    EVERYTHING["a statutory condition"],
    EVERYTHING["a definition"],
    PAGES["a figure of no size"],
    OTHERS["a note on a page"],
    OTHERS["a hidden run"],
    OTHERS["a far column"],
    JSON["a check that holds"],
    JSON["a label"],
]


@pytest.mark.parametrize(("forge", "expected"), ALONE, ids=range(len(ALONE)))
def test_these_are_refused_without_ledgers_too(forge, expected, run, tmp_path):
    forge(run)
    reseal(run)
    nothing = {"params": tmp_path, "data": tmp_path}
    verdicts = [*data_levels(run, **nothing), render_level(run, **nothing)]
    findings = [finding for one in verdicts for finding in one.findings]
    assert any(expected in one for one in findings), findings


def test_a_notebook_of_the_runs_own_is_reported(run, tmp_path):
    change_all(run, with_cell(8, own_block(kind="section", number="九", title="补充", body=PROSE)))
    reseal(run, lambda manifest: manifest["notebook"].update(sha256="9" * 64))
    render = render_level(run, params=tmp_path, data=tmp_path)
    # A section that the form does not have is a finding of its own (B1), which the run hides.
    assert render.holds is False
    assert any("B1" in one for one in render.findings)
    assert render.notes[1] == (
        "the notebook is the run's own: it is neither yours nor the package's"
    )
    assert "own (section 九)" in render.notes[2]


def made_with(project, out, *arguments, **env):
    """A further run of the project, and its folder."""
    words = ["run", "cheng", "2021", "--out", out, *arguments]
    reportkit(*words, cwd=project, env=env, status=1)
    return (out / "cheng/2021/current").resolve()


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "privacy.key"
    path.write_text("k" * 40, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_run_with_a_key_holds_with_and_without_it(project, tmp_path, key, monkeypatch):
    run = made_with(project, tmp_path / "outputs", REPORTKIT_PRIVACY_KEY_FILE=str(key))
    _, render = judged(run, project)
    assert render.holds
    assert "digests of records are keyed, and the key is not here" in render.notes
    monkeypatch.setenv("REPORTKIT_PRIVACY_KEY_FILE", str(key))
    found, render = judged(run, project)
    assert found.holds
    assert "digests of records are keyed, and the key is not here" not in render.notes
    EVIDENCE["places of records"][0](run)
    reseal(run)
    monkeypatch.delenv("REPORTKIT_PRIVACY_KEY_FILE")
    assert judged(run, project)[0].holds is False


def test_a_run_without_a_key_holds_where_there_is_one(run, project, key, monkeypatch):
    monkeypatch.setenv("REPORTKIT_PRIVACY_KEY_FILE", str(key))
    found, _ = judged(run, project)
    assert found.holds, found.levels


def test_a_draft_holds(project, tmp_path):
    run = made_with(project, tmp_path / "outputs", "--draft")
    found, _ = judged(run, project)
    assert {one.holds for one in found.levels} == {True}
    reseal(run, lambda manifest: manifest["parameters"].pop("draft"))
    refused(run, project, "injected-parameters")


def test_folders_of_other_names_hold(project, tmp_path):
    """An auditor's copies stand where they like."""
    shutil.copytree(project / "params", tmp_path / "their/parameters")
    shutil.copytree(project / "notebooks", tmp_path / "their/notebooks")
    shutil.copytree(project / "data", tmp_path / "ledgers")
    run = copy_run((project / "outputs/cheng/2021/current").resolve(), tmp_path / "outputs")
    asked = {"params": tmp_path / "their/parameters", "data": tmp_path / "ledgers"}
    found, _ = judged(run, project, **asked)
    assert {one.holds for one in found.levels} == {True}, found.levels


def test_documents_beside_a_mark_of_pruning_are_no_pass(run, project, tmp_path):
    page(HTML, HTML.replace(">2<", ">9<"))[0](run)
    reseal(run)
    foreign = tmp_path / "received"
    shutil.copytree(run, foreign)
    (foreign / PRUNING).touch()
    found, render = judged(foreign, project)
    assert (found.holds, render.holds) == (None, None)
    assert "its pruning was interrupted" in render.notes[0]


def test_a_terminal_is_not_moved_by_what_a_run_says(run, project):
    name = "t3.new.natural_person"
    change_json(run / "facts.json", lambda d: fact_in(d, name).update(definition="\x1b[2J\u202e"))
    reseal(run)
    done = reportkit("verify", run, cwd=project, status=1)
    assert f"{name} is defined as 〈U+001B〉[2J〈U+202E〉, its conditions say" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith(f"cheng 2021, run {run.name}, {run}: DOES NOT HOLD\n")
