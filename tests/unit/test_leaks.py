import json
import zipfile

import docx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typst

from reportkit.errors import ExecutionError
from reportkit.run.leaks import Gate

CANARY = "李测试甲"


def put(folder, name):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    text = f"申请人{CANARY}的申请"
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"row": [1], "说明": pa.array([text]).dictionary_encode()}), path)
    elif path.suffix == ".pdf":
        source = '#set text(font: "RK Song")\n' + text
        import reportkit_fonts

        fonts = [str(reportkit_fonts.folder())]
        path.write_bytes(typst.compile(source.encode(), font_paths=fonts))
    elif path.suffix == ".docx":
        document = docx.Document()
        paragraph = document.add_paragraph(text[:5])
        paragraph.add_run(text[5:]).bold = True
        document.save(str(path))
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        book.active.append([text])
        book.save(path)
    else:
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "report.html", "report.ipynb", "run.log", "evidence/a.parquet", "report.pdf", "x.js",
        "report.docx", "tables.xlsx",
    ],
)  # fmt: skip
def test_a_personal_value_in_any_file_is_found(name, tmp_path):
    put(tmp_path, name)
    with pytest.raises(ExecutionError, match=name) as error:
        Gate([CANARY, "王"], []).check(tmp_path)
    assert error.value.reason == "personal-data"
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    "xml",
    [
        f"<w:p><w:r><w:t>{CANARY[:2]}</w:t></w:r><w:r><w:t>{CANARY[2:]}</w:t></w:r></w:p>",
        f'<w:docPr descr="{CANARY}"/>',
        f"<w:p><w:t>&lt;{CANARY[:2]}</w:t><w:t>{CANARY[2:]}&gt;</w:t></w:p>",
        "<w:t>" + "".join(f"&#{ord(character)};" for character in CANARY) + "</w:t>",
    ],
    ids=["runs", "attribute", "between signs", "references"],
)
def test_a_person_is_found_however_a_document_is_cut(xml, tmp_path):
    with zipfile.ZipFile(tmp_path / "report.docx", "w") as archive:
        archive.writestr("word/document.xml", xml)
    with pytest.raises(ExecutionError, match=r"report\.docx: 个人信息栏内容"):
        Gate([CANARY], []).check(tmp_path)


def test_cells_beside_each_other_are_no_number_together(tmp_path):
    with zipfile.ZipFile(tmp_path / "tables.xlsx", "w") as archive:
        archive.writestr("xl/sheet1.xml", "<c><v>1380000</v></c><c><v>1111</v></c>")
    Gate([], []).check(tmp_path)


def test_a_mobile_number_is_found_unless_the_office_owns_it(tmp_path):
    (tmp_path / "report.html").write_text("电话13800001111", encoding="utf-8")
    with pytest.raises(ExecutionError, match="手机号码"):
        Gate([], []).check(tmp_path)
    Gate(["13800001111"], ["13800001111"]).check(tmp_path)


def test_cells_of_a_notebook_are_named(tmp_path):
    outputs = [{"output_type": "stream", "text": f"申请人{CANARY}"}]
    cells = [
        {"cell_type": "markdown", "source": "干净"},
        {"cell_type": "markdown", "source": f"申请人{CANARY}"},
        {"cell_type": "code", "execution_count": 7, "source": "", "outputs": outputs},
    ]
    (tmp_path / "report.ipynb").write_text(
        json.dumps({"cells": cells}, ensure_ascii=False), encoding="utf-8"
    )
    with pytest.raises(ExecutionError, match=r"ipynb, cell no. 2 from above, \[7\]: 个人") as error:
        Gate({CANARY}, set()).check(tmp_path)
    assert CANARY not in str(error.value)


def test_a_clean_run_passes(tmp_path):
    put(tmp_path, "report.html")
    put(tmp_path, "report.pdf")
    Gate(["别的人名"], []).check(tmp_path)


NAMES = ["李强", "张　三", "于洋", "石林", "其他", "单位", "统计", "王某", "高新"]


@pytest.mark.parametrize(
    "text",
    [
        "<td>李强</td>", "登记号  申请人\n依1   张三  138", '["张三", "李强"]', "于洋、李强",
        "李强", "申请人李强要求公开", "答复申请人：“张三申请的事项", "张三先生", "经李强等3人",
        "李强的申请", "李强反映的事项", "已经答复李强。", "𠮷𠮷 李强 ",
    ],
)  # fmt: skip
def test_a_name_of_two_characters_is_found_among_person_words(text, tmp_path):
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    with pytest.raises(ExecutionError, match=r"report\.html: 个人信息栏内容"):
        Gate(NAMES, []).check(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "关于洋山港的批复", "木李强度试验", "扩张三倍", "青石林场", "其他 单位 统计 高新",
        "申请人王某", "<th>其他</th>", "申请人单位", "𠮷李强度",
    ],
)  # fmt: skip
def test_two_characters_inside_other_words_are_no_name(text, tmp_path):
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    Gate(NAMES, []).check(tmp_path)


def test_a_permitted_name_may_be_short(tmp_path):
    (tmp_path / "report.html").write_text("联系人：李强", encoding="utf-8")
    Gate(["李强"], ["李强"]).check(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        f"申请人{CANARY}", "李 测试甲", "李　测　试　甲", "申请人李强要求",
        "身份证110101 19900307 1233",
        "１３８－１２３４－５６７８", "05925722601", "0592-5722601", "卡6222021234567890128",
    ],
)  # fmt: skip
def test_what_is_kept_of_a_failure_holds_no_person(text):
    gate = Gate([CANARY, "李强", "0592-5722601"], allowed=[])
    assert gate.kinds(text)
    hidden = gate.hide(f"ValueError: {text}。")
    assert hidden.startswith("ValueError")
    assert gate.kinds(hidden) == set()


def test_a_text_without_persons_is_kept_as_it_stands():
    gate = Gate([CANARY, "李强"], allowed=["0592-5722601"])
    text = "cell 3: ValueError: 2021-13-40 是 第〔2021〕1号"
    assert (gate.kinds(text), gate.hide(text)) == (set(), text)
