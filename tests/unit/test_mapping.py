"""A ledger in an office's own words: what a mapping may say, and that both engines read by it."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from shipped import ZFXXGK

from reportkit.batch.plan import _ledgers
from reportkit.errors import InputError
from reportkit.evidence.digests import read_record, record_columns
from reportkit.ledgers import Ledgers, find_files, read_ledger, schema_of
from reportkit.ledgers.mapping import chosen, described, differing_mappings
from reportkit.ledgers.mapping_check import carried_mappings, mappings_of
from reportkit.ledgers.readers.heading import likely_heading
from reportkit.ledgers.suggest import as_block, suggest_columns, suggest_values
from reportkit.params import Project
from reportkit.params.mapping import LedgerMapping
from reportkit.params.sources import DatabaseSource
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.sqlledger import ROW, Wanted, read_again
from reportkit.worktime import work_calendar

HEADING = [
    "序号",
    "年度",
    "流水号",
    "来文人",
    "申请人性质",
    "受理时间",
    "办结时间",
    "答复方式",
    "是否涉密",
]
ROWS = [
    ["1", "2022", "1", "张三", "个人", "2022.12.20", "2023.1.10", "已公开", "否"],
    ["2", "2023", "1", "李四", "个人", "3.15", "3.20", "已公开", "否"],
    ["3", "2023", "2", "某公司", "企 业", "3月16日", "2023/4/2", "不予公开（内部信息）", "是"],
    ["4", "2023", "3", "王五", "自然人", "2023年4月1日", "未办结", "", "否"],
]  # fmt: skip
MAPPING = """
columns: {流水号: 登记号, 来文人: 申请人, 申请人性质: 申请人类型, 受理时间: 收到日期,
          办结时间: 答复日期, 答复方式: 办理结果}
values:
  申请人类型: {个人: 自然人, 企业: 商业企业}
  办理结果: {已公开: 予以公开, 不予公开（内部信息）: 属于三类内部事务信息}
  答复日期: {未办结: }
fixed: {申请渠道: 网络}
keep: [是否涉密]
key: {prefix: 年度}
dates: {year: 2023}
"""


def mapping(text=MAPPING):
    return LedgerMapping.model_validate(yaml.load(text, yaml.BaseLoader))


def written(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def both(key, paths, mappings, tmp_path):
    """A ledger, if the second engine reads the same records."""
    ledger = read_ledger(ZFXXGK, key, paths, root=tmp_path, data=tmp_path, mappings=mappings)
    assert ledger.refused == (), [v.text() for v in ledger.violations]
    wanted = [Wanted(ZFXXGK, ledger_record(ledger, keyed=False), paths)]
    (raw,) = read_again(tmp_path, wanted, work_calendar(), data=tmp_path).values()
    names = record_columns(ledger.schema)
    cells = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    query = f'SELECT {cells} FROM {raw.table} ORDER BY "{ROW}"'
    again = raw.connection.sql(query).to_arrow_table().to_pylist()
    assert again == read_record(ledger.frame, ledger.schema).to_pylist()
    return ledger


def column(ledger, name):
    return ledger.frame[name].astype("str").fillna("").tolist()


def test_a_register_of_differing_mappings_is_read_by_both_engines(tmp_path):
    path = written(tmp_path / "登记表.csv", [HEADING, *ROWS])
    ledger = both("applications", [path], [mapping()], tmp_path)
    assert column(ledger, "登记号") == ["2022-1", "2023-1", "2023-2", "2023-3"]
    assert column(ledger, "申请人类型") == ["自然人", "自然人", "商业企业", "自然人"]
    assert column(ledger, "收到日期") == ["2022-12-20", "2023-03-15", "2023-03-16", "2023-04-01"]
    assert column(ledger, "答复日期")[:3] == ["2023-01-10", "2023-03-20", "2023-04-02"]
    assert column(ledger, "办理结果")[:3] == ["予以公开", "予以公开", "属于三类内部事务信息"]
    assert column(ledger, "申请渠道") == ["网络"] * 4
    assert column(ledger, "是否涉密") == ["否", "否", "是", "否"]
    assert ledger.violations == ()
    assert ledger.sources[0].headings["收到日期"] == "受理时间"
    assert set(ledger.personal.to_pylist()) >= {"张三", "李四", "王五"}
    assert "张三" not in ledger.frame.to_csv()


def test_a_table_of_a_database_is_mapped_too(tmp_path):
    with closing(sqlite3.connect(tmp_path / "oa.db")) as database:
        database.execute(f"CREATE TABLE register ({', '.join(HEADING)})")
        marks = ", ".join("?" * len(HEADING))
        database.executemany(f"INSERT INTO register VALUES ({marks})", ROWS)
        database.commit()
    source = DatabaseSource(url="sqlite:///oa.db", table="register")
    ledger = both("applications", [source], [mapping()], tmp_path)
    assert column(ledger, "登记号") == ["2022-1", "2023-1", "2023-2", "2023-3"]
    assert ledger.sources[0].titles == tuple(HEADING)


def test_files_of_other_years_have_mappings_of_their_own(tmp_path):
    old = ["编码", "类别", "何时来", "何时办", "怎么办"]
    first = mapping()
    second = mapping("""
files: ["*2021*"]
columns: {编码: 登记号, 类别: 申请人类型, 何时来: 收到日期, 何时办: 答复日期, 怎么办: 办理结果}
values: {办理结果: {给了: 予以公开}, 申请人类型: {人: 自然人}}
key: {prefix: year}
""")
    paths = [
        written(tmp_path / "a2021.csv", [old, ["1", "人", "2021-02-03", "2021-02-04", "给了"]]),
        written(tmp_path / "b.csv", [HEADING, *ROWS]),
        written(tmp_path / "c2021.csv", [old, ["1", "人", "20200203", "20200204", "给了"]]),
    ]
    ledger = both("applications", paths, [second, first], tmp_path)
    assert column(ledger, "登记号")[:2] + column(ledger, "登记号")[-1:] == [
        "2021-1",
        "2022-1",
        "2020-1",
    ]
    record = ledger_record(ledger, keyed=False)
    assert [source["mapping"] for source in record["sources"]] == [0, 1, 0]
    assert list(differing_mappings(record, [second, first], "x")) == []
    assert list(differing_mappings(record, [first], "x")) == [
        "a2021.csv was read by another mapping than x has",
        "c2021.csv was read by another mapping than x has",
    ]


def test_the_heading_of_a_register_in_everyday_words_is_found():
    heading = ["序", "编号", "来信人", "身份", "来信日期", "问什么", "回复日期", "怎么办的"]
    record = ["1", "1", "王小样", "群众", "1月9日", "预算", "1月20日", "给了"]
    assert likely_heading([["登记簿"], heading, record]) == tuple(heading)
    assert likely_heading([["登记簿"], record, record]) == ()


def test_a_column_that_is_fixed_though_there_is_reported(tmp_path):
    rows = [
        ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果"],
        ["1", "商业企业", "2023-01-03", "", ""],
    ]
    path = written(tmp_path / "a.csv", rows)
    ledger = both("applications", [path], [mapping("fixed: {申请人类型: 自然人}")], tmp_path)
    assert column(ledger, "申请人类型") == ["自然人"]
    assert [(v.rule, v.column) for v in ledger.violations] == [("L-unread", "申请人类型")]


def test_a_mapped_heading_goes_before_our_own_names(tmp_path):
    heading = ["登记号", "申请人类型", "收到日期", "受理时间", "答复日期", "办理结果"]
    row = ["1", "自然人", "2020-01-02", "2020-02-03", "", ""]
    path = written(tmp_path / "a.csv", [heading, row])
    ledger = both("applications", [path], [mapping("columns: {受理时间: 收到日期}")], tmp_path)
    assert column(ledger, "收到日期") == ["2020-02-03"]
    assert [(v.rule, v.found) for v in ledger.violations] == [("L-unread", "收到日期")]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("延期通知日其", [("L-mapping", "延期告知日期", "延期通知日期")]),
        ("延期通知日期", []),
        ("何时延期", []),
    ],
)
def test_a_misspelt_heading_of_a_mapping_is_reported(heading, expected, tmp_path):
    titles = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", heading]
    path = written(tmp_path / "a.csv", [titles, ["1", "自然人", "2020-01-02", "", "", ""]])
    words = LedgerMapping(columns={"延期通知日期": "延期告知日期"})
    ledger = both("applications", [path], [words], tmp_path)
    found = [(v.rule, v.column, v.found) for v in ledger.violations if v.rule == "L-mapping"]
    assert found == expected


@pytest.mark.parametrize(
    ("heading", "cell", "amount"),
    [("罚款", "3.5", "3.500000"), ("罚款（万元）", "3.5", "35000.000000"),
     ("罚款（万元）", "3.5元", "3.500000"), ("罚款金额(单位：亿元)", "1", "100000000.000000")],
)  # fmt: skip
def test_an_amount_is_in_the_unit_of_the_mapped_heading(heading, cell, amount, tmp_path):
    path = written(
        tmp_path / "a.csv", [["票号", "码", "日", heading], ["1", "A", "2021-1-2", cell]]
    )
    said = {"票号": "编号", "码": "项目编码", "日": "收费日期", heading: "金额（元）"}
    ledger = both("fees", [path], [LedgerMapping(columns=said)], tmp_path)
    assert column(ledger, "金额（元）") == [amount]


@pytest.mark.parametrize(
    ("cell", "day"),
    [("3.15", "2023-03-15"), ("03.05", "2023-03-05"), ("12-31", "2023-12-31"),
     ("3/9", "2023-03-09"),
     ("３月１５日", "2023-03-15"), ("3月1", "2023-03-01"), ("3.4", "2023-03-04"),
     ("2022.3.15", "2022-03-15"),
     # 3.10 in a spreadsheet's number is 3.1.
     ("3.1", ""), ("3.2", ""), ("2.30", ""), ("13.15", ""), ("3.15.", ""), ("3", "")],
)  # fmt: skip
def test_a_day_without_a_year(cell, day, tmp_path):
    heading = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", "补正告知日期"]
    path = written(tmp_path / "a.csv", [heading, ["1", "自然人", "2023-01-02", "", "", cell]])
    ledger = both("applications", [path], [mapping("dates: {year: 2023}")], tmp_path)
    assert [one.replace("NaT", "") for one in column(ledger, "补正告知日期")] == [day]
    assert ("L-value" in [v.rule for v in ledger.violations]) == (not day)


def test_a_key_needs_what_stands_before_it(tmp_path):
    rows = [HEADING, *ROWS, ["5", " ", "4", "", "个人", "3.15", "", "", ""]]
    path = written(tmp_path / "a.csv", rows)
    ledger = read_ledger(ZFXXGK, "applications", [path], mappings=[mapping()], refuse=False)
    assert [(v.rule, v.column) for v in ledger.violations] == [("L-key", "年度")]
    assert ledger.quarantined == 1


def test_numbers_that_begin_anew_differ_by_year_only(tmp_path):
    rows = [HEADING, ROWS[1], ROWS[1]]
    ledger = read_ledger(
        ZFXXGK,
        "applications",
        [written(tmp_path / "a.csv", rows)],
        mappings=[mapping()],
        refuse=False,
    )
    assert [v.rule for v in ledger.violations] == ["L-unique"]


def district(tmp_path, text):
    folder = tmp_path / "params/districts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lantian.yaml").write_text("id: lantian\nname: 某市蓝田区\n" + text, encoding="utf-8")
    project = Project(tmp_path / "params", tmp_path / "data")
    return mappings_of(ZFXXGK, project.district("lantian"), folder / "lantian.yaml")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("application: {keep: [x]}", 4, "no ledger 'application'; nearest: applications"),
        ("applications:\n    columns:\n      受理时间: 收件日期", 6,
         "依申请公开台账 has no column '收件日期'; nearest: 收到日期"),
        ("applications:\n    - columns: {a: 收件日期}", 5, "nearest: 收到日期"),
        ("applications: 双公示许可", 4, "no mapping '双公示许可' is carried"),
        ("decisions: [双公示许可2018, 双公示处罚2019]", 4, "nearest: 双公示处罚2018"),
        ("applications: 双公示许可2018", 4, "nearest: 泛微依申请公开"),
        ("applications:\n    values:\n      办理结果:\n        已公开: 已经公开", 7,
         "'已经公开' is no value of 办理结果: not one of 予以公开"),
        ("applications:\n    values:\n      办理结果:\n        已公开: '?'", 7, "'?' is no value"),
        ("applications:\n    values:\n      结果: {a: b}", 6,
         "no column '结果'; nearest: 办理结果"),
        ("applications:\n    values:\n      收到日期: {a: 3.15}", 6, "not a day"),
        ("applications:\n    values:\n      收到日期: {a: }", 6, "收到日期 must not be empty"),
        ("applications:\n    values:\n      办理结果: {已 公开: 予以公开, 已公开: 部分公开}", 6,
         "has two meanings"),
        ("applications:\n    columns: {a: 收到日期, A: 答复日期}", 5,
         "means 收到日期 and 答复日期"),
        ("fees:\n    columns: {罚款（千元）: 金额（元）}", 5, "counts in a unit that is not read"),
        ("fees:\n    columns: {罚款（百万元）: 金额（元）}", 5, "a unit that is not read"),
        ("fees:\n    columns: {罚款（美元）: 金额（元）}", 5, "counts in a unit that is not read"),
        ("fees:\n    columns: {罚款（万）: 金额（元）}", 5, "counts in a unit that is not read"),
        ("fees:\n    columns: {罚款 元/万元: 金额（元）}", 5, "counts in a unit that is not read"),
        ("applications:\n    fixed: {登记号: 1}", 5, "differs from record to record"),
        ("applications:\n    fixed: {申请人: 张}", 5, "differs from record to record"),
        ("applications:\n    fixed: {申请人类型: 人}", 5, "not one of 自然人"),
        ("applications:\n    columns: {a: 收到日期}\n    fixed: {收到日期: 2020-1-1}", 6,
         "keep one"),
        ("applications:\n    keep: [手机号码]", 5, "holds persons"),
        ("applications:\n    keep: [收到日期]", 5, "is read already"),
        ("applications:\n    key: {prefix: 申请人}", 5, "cannot go before the key"),
        ("applications:\n    key: {prefix: 身份证号}", 5, "holds persons"),
        ("applications:\n    column: {a: b}", 5, "did you mean 'columns'?"),
        ("applications:\n    dates: {year: 23}", 5, "greater than or equal to 1949"),
    ],
)  # fmt: skip
def test_what_a_mapping_cannot_say_is_refused_with_its_line(text, line, words, tmp_path):
    with pytest.raises(InputError) as error:
        district(tmp_path, f"mapping:\n  {text}\n")
    assert error.value.reason in ("mapping", "parameters")
    assert f"lantian.yaml:{line}: " in error.value.message
    assert words in error.value.message


def test_all_that_is_wrong_is_reported_at_once(tmp_path):
    text = "mapping:\n  applications:\n    columns: {a: b}\n    keep: [姓名]\n  fee: {keep: [x]}\n"
    with pytest.raises(InputError) as error:
        district(tmp_path, text)
    assert len(error.value.message.splitlines()) == 3


def test_a_carried_mapping_is_named_and_added_to(tmp_path):
    found = district(
        tmp_path,
        "mapping:\n  decisions: [双公示许可2018, {base: 双公示处罚2018, keep: [处罚结果]}]\n"
        "  applications:\n    base: 致远依申请公开\n    columns: {收文日期: 收到日期}\n"
        "    values: {办理结果: {给: 予以公开}}\n",
    )
    permits, penalties = found["decisions"]
    assert permits.fixed == {"种类": "行政许可", "是否公开": "是"}
    assert penalties.keep == ["处罚类别", "处罚结果"]
    (own,) = found["applications"]
    assert own.columns["收文日期"] == own.columns["收件日期"] == "收到日期"
    assert own.values["办理结果"]["给"] == own.values["办理结果"]["公开"] == "予以公开"


def test_files_are_named_by_patterns_besides_the_ledgers_own(tmp_path):
    for name in ("2023信息公开登记表.CSV", "applications.csv", "旧登记表.csv", "登记表.txt"):
        (tmp_path / name).write_text("")
    one = LedgerMapping(files=["*登记表.csv"])
    found = [path.name for path in find_files(ZFXXGK, tmp_path, "applications", mappings=[one])]
    assert found == ["2023信息公开登记表.CSV", "applications.csv", "旧登记表.csv"]
    other = LedgerMapping(files=["*旧*"])
    assert chosen([one], "applications.csv") is one
    assert chosen([other, one], "旧登记表.csv") is other
    assert chosen([other, one], "applications.csv") is None
    assert chosen([other, LedgerMapping()], "applications.csv") == LedgerMapping()


def test_a_mapping_is_reported_in_lines():
    assert described(mapping(), ["受理时间", "答复方式"]) == [
        "受理时间 → 收到日期",
        "答复方式 → 办理结果",
        "申请人类型：个人 → 自然人",
        "申请人类型：企业 → 商业企业",
        "办理结果：已公开 → 予以公开",
        "办理结果：不予公开（内部信息） → 属于三类内部事务信息",
        "答复日期：未办结 → （空）",
        "申请渠道：一律为网络",
        "是否涉密：保留",
        "编号前加年度",
        "未写年份的日期：2023年",
    ]


def test_what_is_unknown_is_offered_as_a_mapping(tmp_path):
    words = mapping().model_copy(update={"values": {}})
    path = written(tmp_path / "a.csv", [HEADING, *ROWS[:3], ROWS[1]])
    ledger = read_ledger(ZFXXGK, "applications", [path], mappings=[words], refuse=False)
    columns = suggest_columns(schema_of(ZFXXGK, "applications"), [*HEADING, "收到申请的日期"])
    block = as_block({"applications": [*columns, *suggest_values(ledger)]})
    lines = block.splitlines()
    assert "    columns: # still to find: 登记号、申请人类型、收到日期、答复日期、办理结果" in lines
    assert "      # 流水号: ?" in lines
    assert "      收到申请的日期: 收到日期 # a guess" in lines
    assert '        已公开: "?" # ×3' in lines
    assert "        企 业: 商业企业 # ×1, a guess" in lines
    parsed = yaml.load(block, yaml.BaseLoader)["mapping"]["applications"]
    assert parsed["values"]["办理结果"]["已公开"] == "?"


def test_a_shared_register_is_read_in_each_districts_words(tmp_path):
    for folder in ("params/districts", "data/a"):
        (tmp_path / folder).mkdir(parents=True)
    written(
        tmp_path / "data/x.csv",
        [
            ["流水号", "申请人类型", "收到日期", "答复日期", "办理结果"],
            ["1", "人", "2020-01-02", "", ""],
        ],
    )
    project = Project(tmp_path / "params", tmp_path / "data")
    for name, kind in (("a", "自然人"), ("b", "其他")):
        (tmp_path / f"params/districts/{name}.yaml").write_text(
            f"id: {name}\nname: 甲\nledgers: {{applications: x.csv}}\nmapping:\n  applications:\n"
            f"    columns: {{流水号: 登记号}}\n    values: {{申请人类型: {{人: {kind}}}}}\n"
        )
    kept = {}
    read = [
        Ledgers(project, project.district(name), kept=kept)["applications"] for name in ("a", "b")
    ]
    assert [column(ledger, "申请人类型") for ledger in read] == [["自然人"], ["其他"]]


def test_a_batch_finds_the_files_that_a_mapping_names(tmp_path):
    for folder in ("params/districts", "data/lantian"):
        (tmp_path / folder).mkdir(parents=True)
    names = ["复议诉讼台账", "规范性文件目录", "行政执法决定", "收费台账"]
    paths = [tmp_path / f"data/lantian/{name}.csv" for name in (*names, "登记表")]
    for path in paths:
        path.write_text("")
    (tmp_path / "params/districts/lantian.yaml").write_text(
        "id: lantian\nname: 甲\nmapping:\n  applications: {files: ['*登记表.csv']}\n"
    )
    project = Project(tmp_path / "params", tmp_path / "data")
    assert set(_ledgers(project, project.district("lantian"), 2023)) == set(paths)


EXPORTS = yaml.load((Path(__file__).parents[1] / "data/exports.yaml").read_bytes(), yaml.BaseLoader)


def export(one, path):
    """A file of one record under the headings of an export."""
    heading = one["heading"].split()
    return written(path, [heading, [one["record"].get(title, "") for title in heading]])


@pytest.mark.parametrize(
    "one", EXPORTS, ids=[f"{n}-{one['mapping']}" for n, one in enumerate(EXPORTS)]
)
def test_exports_of_other_systems_are_read(one, tmp_path):
    carried = carried_mappings()[one["mapping"]]
    ledger = both(carried.ledger, [export(one, tmp_path / "x.csv")], [carried.bare()], tmp_path)
    found = {name: column(ledger, name) for name in one["read"]}
    assert found == {name: [cell] for name, cell in one["read"].items()}
    assert [v.text() for v in ledger.violations] == []
    assert "张小样" not in ledger.frame.to_csv()


def test_each_carried_mapping_has_a_sample():
    assert {one["mapping"] for one in EXPORTS} == set(carried_mappings())


def test_permits_and_penalties_are_one_ledger(tmp_path):
    names = {"双公示处罚2018": "2021行政处罚信息.csv", "双公示许可2018": "2021行政许可信息.csv"}
    first = {one["mapping"]: one for one in reversed(EXPORTS)}
    paths = [export(first[name], tmp_path / file) for name, file in names.items()]
    both_kinds = [carried_mappings()[name].bare() for name in reversed(names)]
    assert find_files(ZFXXGK, tmp_path, "decisions", mappings=both_kinds) == paths
    ledger = both("decisions", paths, both_kinds, tmp_path)
    assert column(ledger, "种类") == ["行政处罚", "行政许可"]
