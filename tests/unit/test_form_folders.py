"""A project's own form folders: what an edition changes of the one that it extends."""

from collections import Counter

import pytest
from howtos import NEXT, blocks
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.forms import project_form
from reportkit.ledgers import find_files, read_ledger, schema_of, schemas

CHANGED = NEXT + "rules:\n  - {id: X2, drop: true}\n"


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def form(tmp_path):
    write(tmp_path, "zfxxgk/2026.yaml", CHANGED)
    return project_form("zfxxgk", tmp_path)


def test_without_a_folder_the_form_is_the_packages(tmp_path):
    assert project_form("zfxxgk", tmp_path / "forms") is ZFXXGK


def test_the_year_chooses_an_own_edition_before_the_packages(form):
    assert [form.edition(year).name for year in (2019, 2025, 2026, 2030)] == [
        "2019",
        "2021",
        "2026",
        "2026",
    ]
    assert form.edition(2025).model == ZFXXGK.edition(2025).model
    assert [one.name for one in form.editions] == ["2019", "2021", "2026"]


def test_only_a_row_label_section_and_rule_differ(form):
    old, new = ZFXXGK.edition(2025), form.edition(2026)
    was, now = ({cell.id: cell for cell in one.cells(2026)} for one in (old, new))
    columns = "natural_person commercial research public_welfare legal_service other total".split()
    assert now.keys() - was.keys() == {f"t3.deny_9_platform.{column}" for column in columns}
    assert was.keys() <= now.keys()
    differ = {name.split(".")[1] for name in was if was[name] != now[name] and not now[name].sum_of}
    assert differ == {"deny_8_admin_query"}
    rows = [row.key for _, row, _ in new.table(3).places()]
    assert rows.index("deny_9_platform") == rows.index("deny_8_admin_query") + 7
    assert now["t3.results_total.natural_person"].sum_of[10] == "t3.deny_9_platform.natural_person"
    assert now["t3.deny_9_platform.natural_person"].label.split("/")[1:3] == [
        "（三）不予公开",
        "9.属于平台运行数据",
    ]
    assert [one.number for one in new.sections] == list("一二三四五六七")
    assert {rule.id for rule in old.rules} - {rule.id for rule in new.rules} == {"X2"}


def test_the_default_text_has_the_new_section(form):
    text = form.edition(2026).narrative
    assert text.startswith(ZFXXGK.edition(2025).narrative.rstrip())
    assert text.endswith("# 七、数据开放情况\n\n【尚未填写：数据开放情况】\n")


def test_old_labels_are_read_and_new_ones_are_offered(form):
    column = schema_of(form, "applications").column("办理结果")
    assert column.vocabulary()["属于行政查询事项"] == "属于行政查询事项"
    assert {"属于行政查询类事项", "属于平台运行数据"} <= set(column.categories())
    offered = column.offered(form.edition(2026))
    assert "属于行政查询类事项" in offered
    assert "属于行政查询事项" not in offered
    assert "属于行政查询事项" in column.offered(form.edition(2025))
    assert (
        "属于平台运行数据" not in schema_of(ZFXXGK, "applications").column("办理结果").categories()
    )


def test_a_named_form_takes_the_rest_from_its_base(tmp_path):
    write(
        tmp_path,
        "hubei/2020.yaml",
        "edition: 湖北2020\nextends: zfxxgk/2019\nyears: {first: 2020, last: 2020}\n",
    )
    form = project_form("hubei", tmp_path)
    assert (form.name, form.model.title) == ("hubei", "政府信息公开工作年度报告")
    assert [form.edition(year).name for year in (2019, 2020, 2021)] == ["2019", "湖北2020", "2021"]
    assert list(schemas(form)) == list(schemas(ZFXXGK))


def test_a_file_that_changes_is_read_again(form, tmp_path):
    path = write(tmp_path, "zfxxgk/2026.yaml", CHANGED.replace("9号", "10号"))
    again = project_form("zfxxgk", tmp_path)
    assert again.edition(2026).model.basis == "国办公开办函〔2026〕10号"
    assert again.files == (path,)


def test_columns_that_bands_share_change_in_all_of_them(tmp_path):
    change = "tables:\n  - {id: t2, columns: [{key: decisions, label: 决定件数}]}\n"
    write(tmp_path, "zfxxgk/2026.yaml", NEXT.partition("sections:")[0] + change)
    columns = [
        column.node.label
        for _, _, column in project_form("zfxxgk", tmp_path).edition(2026).table(2).places()
        if column.key == "decisions"
    ]
    assert columns == ["决定件数"] * 3


def test_more_columns_of_a_ledger_and_an_own_ledger(tmp_path):
    write(tmp_path, "zfxxgk/2026.yaml", NEXT)
    write(
        tmp_path,
        "zfxxgk/ledgers.yaml",
        "decisions:\n  columns:\n    - {name: 处罚种类, key: penalty}\n"
        "    - {name: 种类, key: kind, aliases: [类别]}\n"
        "visits:\n  name: 查阅台账\n  row: 次查阅\n  columns:\n"
        "    - {name: 编号, key: number, required: true}\n",
    )
    form = project_form("zfxxgk", tmp_path)
    names = [column.name for column in schema_of(form, "decisions").columns]
    assert Counter(names) == {
        "决定书文号": 1,
        "种类": 1,
        "决定日期": 1,
        "机关": 1,
        "事项编码": 1,
        "是否公开": 1,
        "行政相对人": 1,
        "处罚种类": 1,
    }
    assert schema_of(form, "decisions").column("种类").aliases == ["类别"]
    assert schema_of(form, "decisions").column("种类").type == "category"
    assert schema_of(form, "visits").name == "查阅台账"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("  - {after: deny_8_admin_query, key", "  - {after: deny_8, key"),
        ("  - {id: X2, drop: true}", "  - {id: X8, drop: true}"),
        ("years: {first: 2026}", "yeers: {first: 2026}"),
        ("extends: zfxxgk/2021", "extends: zfxxgk/2018"),
        ("label: 属于平台运行数据}", "labl: 属于平台运行数据}"),
    ],
)
def test_what_is_wrong_is_reported_with_file_and_line(tmp_path, change, expected):
    text = CHANGED.replace(change, expected)
    write(tmp_path, "zfxxgk/2026.yaml", text)
    with pytest.raises(InputError) as error:
        project_form("zfxxgk", tmp_path)
    assert error.value.reason in ("parameters", "edition")
    if error.value.reason == "parameters":
        line = 1 + text.splitlines().index(
            next(x for x in text.splitlines() if expected.strip() in x)
        )
        assert f"zfxxgk/2026.yaml:{line}" in error.value.message


def test_an_unknown_form_names_those_that_there_are(tmp_path):
    with pytest.raises(InputError, match=r"no form 'zfxxg'; there are: .*zfxxgk") as error:
        project_form("zfxxg", tmp_path)
    assert error.value.reason == "form"


def test_a_form_that_extends_itself_is_refused(tmp_path):
    write(tmp_path, "a/form.yaml", "name: a\nextends: b\ntitle: x\nlaw: x\nnotebook: x\n")
    write(tmp_path, "b/form.yaml", "name: b\nextends: a\ntitle: x\nlaw: x\nnotebook: x\n")
    with pytest.raises(InputError, match="extends itself") as error:
        project_form("a", tmp_path)
    assert error.value.reason == "form"


def test_an_edition_extends_one_of_its_own_folder(tmp_path):
    write(tmp_path, "zfxxgk/2026.yaml", NEXT)
    later = 'edition: "2027"\nextends: {}\nyears: {{first: 2027}}\nbasis: 再改\n'
    for extends in ("zfxxgk/2026", "'2026'"):
        write(tmp_path, "zfxxgk/2027.yaml", later.format(extends))
        form = project_form("zfxxgk", tmp_path)
        assert [form.edition(year).name for year in (2025, 2026, 2027)] == ["2021", "2026", "2027"]
        rows = {cell.row for cell in form.edition(2027).cells(2027)}
        assert "deny_9_platform" in rows
        assert form.edition(2027).narrative.endswith("【尚未填写：数据开放情况】\n")


def test_editions_that_extend_each_other_are_refused(tmp_path):
    for name, other in (("2026", "2027"), ("2027", "2026")):
        text = f'edition: "{name}"\nextends: zfxxgk/{other}\nyears: {{first: {name}}}\n'
        write(tmp_path, f"zfxxgk/{name}.yaml", text)
    with pytest.raises(InputError, match="has no edition '2026'; it has 2019, 2021"):
        project_form("zfxxgk", tmp_path)


def test_forms_that_extend_one_another_are_of_one_kind(tmp_path):
    for name, base in (("b", "xzzf-zhejiang"), ("a", "b")):
        write(tmp_path, f"{name}/form.yaml", f"name: {name}\nextends: {base}\n")
    form = project_form("a", tmp_path)
    assert (form.kind, form.bases) == ("xzzf", ("b", "xzzf-zhejiang", "xzzf"))
    assert form.model.title == "行政执法统计年报"
    assert [one.name for one in form.editions] == ["广东2018", "浙江2021"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"form": "- a\n"}, "form.yaml:1: a file of a form is a list of names"),
        ({"form": "name: b\ntitle: x\nlaw: x\nnotebook: x\n"},
         "form.yaml:1: the folder is named 'a'; name it alike"),
        ({"form": "name: a\ntitle: x\nlaw: x\nnotebook: x\n"},
         "a has no ledgers.yaml"),
        ({"ledgers": "x: {}\n"}, "a has no form.yaml, and no edition that extends a form"),
        ({"1": "edition: 1\nextends: zfxxgk/1999\nyears: {first: 1}\n"},
         "form zfxxgk has no edition '1999'; it has 2019, 2021"),
        ({"1": "edition: 1\nextends: xzzf/2019\nyears: {first: 1}\n",
          "form": "name: a\nextends: zfxxgk\n"},
         "1.yaml:2: 'xzzf/2019' is no edition of a form that is extended; it extends zfxxgk"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_whole_is_refused(tmp_path, files, expected):
    for name, text in files.items():
        write(tmp_path, f"a/{name}.yaml", text)
    with pytest.raises(InputError) as error:
        project_form("a", tmp_path)
    assert expected in error.value.message


def test_a_total_of_totals_counts_nothing_twice(tmp_path):
    write(
        tmp_path,
        "zfxxgk/2026.yaml",
        NEXT.partition("sections:")[0]
        + """\
tables:
  - id: t4
    columns:
      - {key: closed, after: other, label: 已结, total: true}
""",
    )
    edition = project_form("zfxxgk", tmp_path).edition(2026)
    parts = {column.key: column.parts for _, _, column in edition.table(4).places()}
    assert parts["closed"] == ("maintain", "correct", "other")
    assert parts["total"] == ("maintain", "correct", "other", "pending")


def test_a_label_changed_elsewhere_is_read_too(tmp_path):
    write(
        tmp_path,
        "zfxxgk/2026.yaml",
        NEXT.partition("sections:")[0]
        + """\
tables:
  - id: t2
    rows:
      - {key: normative_documents, label: 规范性文件类, was: [行政规范性文件]}
""",
    )
    form = project_form("zfxxgk", tmp_path)
    column = schema_of(form, "documents").column("种类")
    assert column.categories() == ("规范性文件类", "规章", "行政规范性文件")
    assert column.offered(form.edition(2026)) == ("规章", "规范性文件类")
    assert column.offered(form.edition(2025)) == ("规章", "行政规范性文件")
    # A label of which the old one is no value of the ledger's is not learnt.
    assert "规范性文件类" not in schema_of(ZFXXGK, "documents").column("种类").categories()


def test_a_ledger_whose_days_may_be_empty_is_read(tmp_path):
    for name, text in blocks("new-form.md").items():
        write(tmp_path, name, text.replace("type: date, required: true", "type: date"))
    path = write(
        tmp_path, "data/visits.csv", "编号,日期,方式\n1,2024-01-05,纸质\n2,,电子\n合计,,\n"
    )
    form = project_form("visits", tmp_path / "forms")
    ledger = read_ledger(form, "visits", [path])
    assert (ledger.read, len(ledger.frame), ledger.set_aside) == (3, 2, 1)


def test_a_file_is_of_the_ledger_with_the_longer_name(tmp_path):
    text = (
        "visits_online: {name: 查阅台账（网上）, row: 次, columns: [{name: 编号, key: number}]}\n"
    )
    for name, block in blocks("new-form.md").items():
        write(tmp_path, name, block + text * name.endswith("ledgers.yaml"))
    names = ("visits-2024.csv", "visits_online.csv", "查阅台账2024.csv", "查阅台账（网上）.csv")
    for name in names:
        write(tmp_path, f"data/{name}", "编号\n")
    form = project_form("visits", tmp_path / "forms")
    found = {
        key: [p.name for p in find_files(form, tmp_path / "data", key)] for key in schemas(form)
    }
    assert found == {"visits": [names[0], names[2]], "visits_online": [names[1], names[3]]}
