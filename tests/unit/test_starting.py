import io
import json
import re
import shlex
from datetime import date
from pathlib import Path
from typing import get_args

import openpyxl
import pytest
from click.testing import CliRunner
from shipped import SCHEMAS, ZFXXGK

from reportkit.cli import cli
from reportkit.cli.projects import LEVELS
from reportkit.errors import InputError
from reportkit.ledgers import find_files, read_ledger, read_ledgers
from reportkit.notebook.report import open_report
from reportkit.params import Level, Project
from reportkit.scaffold.new_year import renew
from reportkit.scaffold.project import begin
from reportkit.scaffold.workbooks import blank_workbook, write_blank_ledgers


def blank(key, year=2023):
    """The two sheets of an empty ledger."""
    made = blank_workbook(SCHEMAS[key], ZFXXGK.edition(year))
    book = openpyxl.load_workbook(io.BytesIO(made))
    return book, *book.worksheets


def accepted(sheet):
    """The rule for the cells below each heading."""
    rules = {
        str(rule.sqref).partition("2:")[0]: rule for rule in sheet.data_validations.dataValidation
    }
    return {cell.value.rstrip("*"): rules.get(cell.column_letter) for cell in sheet[1]}


def offered(book, formula):
    title, _, cells = formula.partition("!")
    return [cell.value for (cell,) in book[title.strip("'")][cells.replace("$", "")]]


@pytest.mark.parametrize("key", list(SCHEMAS))
def test_an_empty_ledger_is_read_and_holds_nothing(tmp_path, key):
    (path,) = write_blank_ledgers(ZFXXGK, [key], tmp_path)
    assert find_files(ZFXXGK, tmp_path, key) == [path]
    ledger = read_ledger(ZFXXGK, key, [path])
    assert (ledger.read, ledger.violations) == (0, ())
    assert set(ledger.sources[0].headings) == {column.name for column in SCHEMAS[key].columns}


def test_a_blank_ledger_says_what_must_be_filled_in():
    _, sheet, notes = blank("applications")
    assert (sheet.title, notes.title) == ("依申请公开台账", "填写说明")
    assert [cell.value for cell in sheet[1]][:6] == [
        "登记号*",
        "申请人类型*",
        "收到日期*",
        "答复日期",
        "办理结果",
        "申请人",
    ]
    assert sheet.max_row == 1
    result = {cell.value: cell.comment.text for cell in sheet[1]}
    assert result["登记号*"].startswith("必填。文字")
    assert "栏目须保留" in result["答复日期"]
    assert "答复日期早于收到日期" in result["答复日期"]
    assert "换成化名" in result["申请人"]
    assert "舍去" in result["联系电话"]
    assert [notes.cell(n, 1).value for n in (1, 2)] == [
        "依申请公开台账填写说明",
        "每行一件申请；“登记号”不可重复。带*的栏每条记录必填。",
    ]


def test_cells_take_what_intake_takes():
    book, sheet, _ = blank("applications")
    rules = accepted(sheet)
    assert rules["登记号"] is None
    assert offered(book, rules["申请人类型"].formula1) == [
        "自然人",
        "商业企业",
        "科研机构",
        "社会公益组织",
        "法律服务机构",
        "其他",
    ]
    outcomes = offered(book, rules["办理结果"].formula1)
    assert (outcomes[0], outcomes[1], len(outcomes)) == ("予以公开", "部分公开", 21)
    assert rules["收到日期"].type == "date"
    assert not rules["收到日期"].allow_blank
    assert rules["答复日期"].allow_blank
    assert rules["延期工作日"].type == "whole"
    styles = {cell.value: sheet.column_dimensions[cell.column_letter] for cell in sheet[1]}
    assert styles["登记号*"].number_format == "@"
    assert styles["收到日期*"].number_format == "yyyy-mm-dd"
    # A list of the field's own words stays open.
    _, bought, _ = blank("procurement", 2020)
    assert accepted(bought)["组织形式"].errorStyle == "warning"


@pytest.mark.parametrize("form", ZFXXGK.editions, ids=lambda form: form.name)
@pytest.mark.parametrize("key", list(SCHEMAS))
def test_no_rule_or_comment_is_left_out(key, form):
    """One that Excel would refuse, the writer leaves out with a warning or with none."""
    book = openpyxl.load_workbook(io.BytesIO(blank_workbook(SCHEMAS[key], form)))
    rules = accepted(book.worksheets[0])
    result = {cell.value.rstrip("*"): cell.comment.text for cell in book.worksheets[0][1]}
    for column in SCHEMAS[key].columns:
        assert result[column.name].startswith(("必填", "选填", "尚未发生"))
        rule = rules[column.name]
        assert (rule is None) == (column.type == "text")
        if column.type == "category":
            assert offered(book, rule.formula1) == list(column.offered(form))


def test_the_year_chooses_the_labels():
    book, sheet, _ = blank("applications", 2020)
    assert "其他处理" in offered(book, accepted(sheet)["办理结果"].formula1)
    book, sheet, _ = blank("applications", 2021)
    assert "其他处理" not in offered(book, accepted(sheet)["办理结果"].formula1)


@pytest.mark.parametrize("key", ["applications", "cases"])
def test_every_value_offered_is_accepted(tmp_path, key):
    """Each choice of each list, filled in, is a good record; the sheet of notes is not read."""
    book, sheet, _ = blank(key)
    lists = {
        name: offered(book, rule.formula1)
        for name, rule in accepted(sheet).items()
        if rule is not None and rule.type == "list"
    }
    count = max(map(len, lists.values()))
    for number in range(count):
        row = {"登记号": f"00{number}", "案号": f"案{number}", "收到日期": date(2023, 3, 1)}
        row |= {"答复日期": date(2023, 3, 9), "结案日期": date(2023, 3, 9)}
        row |= {name: values[number % len(values)] for name, values in lists.items()}
        sheet.append([row.get(cell.value.rstrip("*")) for cell in sheet[1]])
    path = tmp_path / f"{key}.xlsx"
    book.save(path)
    ledger = read_ledger(ZFXXGK, key, [path])
    assert (len(ledger.frame), ledger.violations) == (count, ())
    assert ledger.frame[SCHEMAS[key].key_column].iloc[0] in ("000", "案0")


def test_blank_ledgers_have_the_same_bytes_each_time():
    schema, form = SCHEMAS["cases"], ZFXXGK.edition(2023)
    made = blank_workbook(schema, form)
    assert blank_workbook(schema, form) == made
    assert openpyxl.load_workbook(io.BytesIO(made)).properties.created.date() == date(2000, 1, 1)


def test_template_takes_keys_and_names_and_replaces_nothing(tmp_path):
    def template(*arguments):
        return CliRunner().invoke(cli, ["template", *arguments, "--out", str(tmp_path), "--json"])

    done = template("cases", "收费台账")
    assert json.loads(done.stdout)["files"] == [
        str(tmp_path / "复议诉讼台账.xlsx"),
        str(tmp_path / "收费台账.xlsx"),
    ]
    before = (tmp_path / "收费台账.xlsx").stat()
    done = template("fees", "items")
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "exists")
    assert not (tmp_path / "事项目录.xlsx").exists()
    assert (tmp_path / "收费台账.xlsx").stat().st_mtime_ns == before.st_mtime_ns
    done = template("feees")
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "ledger-unknown")


def test_a_new_project_is_whole_and_counts_zero(tmp_path):
    begun = begin(tmp_path, "linhai", 2024, name="临海区", issuer="某市临海区人民政府")
    begun.write()
    project = Project(tmp_path / "params", tmp_path / "data")
    assert project.district("linhai").issuer == "某市临海区人民政府"
    declared = project.report(project.district("linhai"), 2024).declared
    assert [(one.id, one.value) for one in declared] == [("fee.information_processing", None)]
    ledgers, problems = read_ledgers("linhai", 2024, params=project.params, data=project.data)
    assert problems == []
    # What the form does not ask for is not there either.
    assert list(ledgers) == [
        "applications",
        "cases",
        "documents",
        "decisions",
        "fees",
        "publications",
        "activities",
    ]
    report = open_report("linhai", 2024, params=project.params, data=project.data)
    assert report.is_draft
    assert {check.id for check in report.all_checks if not check.holds} == {"D6"}
    assert {fact.value for name, fact in report.facts.items() if re.match(r"t\d\.", name)} == {0}
    for name in ("annual_report", "ledger_quality", "year_on_year"):
        text = (tmp_path / f"notebooks/{name}.ipynb").read_text(encoding="utf-8")
        assert r'"district = \"linhai\"\n' in text
        assert r"\nyear = 2020" not in text


def test_the_year_after_starts_from_it_with_nothing_to_ask(tmp_path):
    begin(tmp_path, "linhai", 2024, name="临海区").write()
    made = renew(Project(tmp_path / "params", tmp_path / "data"), "linhai", 2025)
    assert [note.message for note in made.todo] == [
        "state fee.information_processing (信息处理费); last year 〔待填〕, source: 收费票据汇总"
    ]


@pytest.mark.parametrize(
    ("name", "we"),
    [
        ("青棠县教育局", "我局"), ("柳河镇人民政府", "我镇"), ("柳河镇", "我镇"),
        ("青棠县", "我县"),
        ("北渡区", "我区"), ("平潭综合实验区管理委员会", "我区"), ("某某市", "我市"),
        ("东门街道办事处", "我街道"), ("青棠县卫生健康委员会", "我委"),
        ("青棠县人民政府办公室", "我办"),
        ("广西壮族自治区", "我区"), ("某某大学", "本机关"),
    ],
)  # fmt: skip
def test_the_first_text_is_in_the_words_of_its_body(tmp_path, name, we):
    begin(tmp_path, "a", 2023, name=name).write()
    report = open_report("a", 2023, params=tmp_path / "params", data=tmp_path / "data")
    text = "".join(str(body) for body in report.compiled.narrative.sections.values())
    assert set(re.findall("[我本](?:机关|街道|中心|.)", text)) - {"本报"} == {we}
    assert report.compiled.coverage.of("unbound") == ()
    assert report.is_draft


def test_the_first_text_counts_what_an_office_keeps(tmp_path):
    begin(tmp_path, "a", 2023, name="某某区").write()
    report = Project(tmp_path / "params", tmp_path / "data")
    book = tmp_path / "data/a/工作台账.xlsx"
    sheets = openpyxl.load_workbook(book)
    sheet = sheets.worksheets[0]
    heads = [str(cell.value).rstrip("*") for cell in sheet[1]]
    for number, (kind, quantity) in enumerate(
        [("业务培训", 1), ("培训", 1), ("政协提案", 12), ("政协提案", 3), ("检查", None)], 1
    ):
        row = {
            "编号": f"G{number}",
            "日期": "2023-05-06",
            "类别": kind,
            "主题": "例",
            "数量": quantity,
        }
        sheet.append([row.get(head) for head in heads])
    sheets.save(book)
    made = open_report("a", 2023, params=report.params, data=report.data)
    values = [made.facts[f"work.{name}"].text for name in ("training", "proposals", "checks")]
    assert values == ["2", "15", "1"]


def test_a_project_with_its_own_facts_keeps_them(tmp_path):
    begin(tmp_path, "a", 2023, name="某某区").write()
    facts = tmp_path / "params/facts/zfxxgk.yaml"
    facts.write_text(facts.read_text("utf-8").replace("[业务培训, 培训]", "轮训"), "utf-8")
    again = begin(tmp_path, "b", 2019, name="另一区")
    assert facts in again.kept
    again.write()
    assert "轮训" in facts.read_text("utf-8")
    # In the edition of 2019 nothing need be said of fees.
    assert "{{ fee." not in (tmp_path / "params/reports/b/2019.md").read_text("utf-8")
    begun = begin(tmp_path, "c", 2023, name="某某区城市管理局", form="xzzf")
    assert not [path for path in begun.files if "facts" in str(path)]


def test_a_further_district_joins_and_what_is_there_stays(tmp_path):
    begin(tmp_path, "a", 2024, name="甲区").write()
    readme = tmp_path / "README.md"
    readme.write_text("mine", encoding="utf-8")
    begun = begin(tmp_path, "b", 2020, name="乙区", level="city")
    assert readme in begun.kept
    begun.write()
    assert readme.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "data/b/事项目录.xlsx").is_file()
    with pytest.raises(InputError, match="reportkit new a 2025"):
        begin(tmp_path, "a", 2025, name="甲区")


def test_ledgers_that_are_there_are_never_replaced(tmp_path):
    own = tmp_path / "data/a/收费台账.xlsx"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"收费台账\.xlsx exist already"):
        begin(tmp_path, "a", 2024, name="甲区")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [own]


@pytest.mark.parametrize(
    ("district", "year", "name", "reason"),
    [("Huli", 2024, "某区", "id"), ("a", 2018, "某区", "edition"), ("a", 2024, " ", "name"),
     ("a", 2024, "某\n区", "name")],
)  # fmt: skip
def test_what_makes_no_project_is_refused(tmp_path, district, year, name, reason):
    with pytest.raises(InputError) as error:
        begin(tmp_path, district, year, name=name)
    assert error.value.reason == reason
    assert list(tmp_path.iterdir()) == []


def test_ids_and_names_are_kept_as_they_are_written(tmp_path):
    begin(tmp_path, "007", 2024, name='"甲": #区').write()
    district = Project(tmp_path / "params", tmp_path / "data").district("007")
    assert (district.id, district.name) == ("007", '"甲": #区')


def test_init_prints_commands_that_can_be_copied(tmp_path):
    folder = tmp_path / "my reports"
    options = ["--district", "a", "--name", "甲区", "--year", "2024"]
    done = CliRunner(env={"PATH": str(tmp_path)}).invoke(cli, ["init", str(folder), *options])
    assert done.exit_code == 0, done.output
    change, intake, run = done.output.splitlines()[-3:]
    assert shlex.split(change) == ["cd", str(folder)]
    program, *rest = shlex.split(intake)
    assert Path(program).is_absolute()
    assert rest == ["intake", "a", "2024"]
    assert shlex.split(run) == [program, "run", "a", "2024"]


def test_the_command_knows_all_levels():
    assert get_args(Level) == LEVELS


def test_a_project_of_another_form_begins_whole(tmp_path):
    begin(tmp_path, "yi", 2024, name="乙县", form="xzzf-zhejiang").write()
    assert {path.stem for path in (tmp_path / "data/yi").iterdir()} == {
        "行政许可台账",
        "行政处罚台账",
        "行政强制台账",
        "其他行政执法台账",
    }
    notebooks = {path.name for path in (tmp_path / "notebooks").iterdir()}
    assert "enforcement_report.ipynb" in notebooks
    assert "annual_report.ipynb" not in notebooks
    report = open_report("yi", 2024, params=tmp_path / "params", data=tmp_path / "data")
    assert (report.compiled.form.name, report.edition.name) == ("xzzf-zhejiang", "浙江2021")
    assert {fact.text for fact in report.facts.values()} == {"0"}
