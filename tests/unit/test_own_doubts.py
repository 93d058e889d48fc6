"""Signs in our own ledgers and cells of what goes wrong in published reports, and what is none."""

import pytest
from shipped import RULES, ZFXXGK

import reportkit
from reportkit.audit.own import text_checks
from reportkit.scaffold.project import begin

TOLD = ("A5", "A6", "L2", "L4", "L5")
PENALTIES = "行政执法决定，行政处罚：本年的{}件都登记为已公开"


def findings(tmp_path, ledger, text, *, year=2023, mapping=""):
    """Findings about ledgers and cells of a new report with a ledger of its own."""
    begin(tmp_path, "a", year, name="青棠县").write()
    data = tmp_path / "data/a"
    for path in data.glob(f"{ledger}*"):
        path.unlink()
    (data / f"{ledger}-own.csv").write_text(text, "utf-8")
    district = tmp_path / "params/districts/a.yaml"
    district.write_text(district.read_text("utf-8") + mapping, "utf-8")
    report = reportkit.open_report("a", year, params=tmp_path / "params", data=tmp_path / "data")
    return [
        (one.id, one.message.partition(" [")[0])
        for one in report.all_checks
        if not one.holds and one.id in TOLD
    ]


def fees(*amounts):
    """A ledger of fees of 2023."""
    rows = [f"s{n},x1,2023-03-0{n + 1},{amount}" for n, amount in enumerate(amounts)]
    return "编号,项目编码,收费日期,金额（元）\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ((20000, 30000, "5920000.00"), ["收费台账：本年的3笔金额都是10000元的整倍数"]),
        ((20000, 30000, 0, 10000), ["收费台账：本年的3笔金额都是10000元的整倍数"]),
        ((20000, 30000), []),
        ((20000, 30000, "59200.50"), []),
        ((200, 300, 15000, 400), []),
        ((0, 0, 0), []),
    ],
)
def test_fees_that_are_all_whole_ten_thousands_are_reported(tmp_path, amounts, expected):
    found = findings(tmp_path, "收费台账", fees(*amounts))
    assert found == [("L4", one) for one in expected]


def decisions(count, *more, kind="行政处罚", published="是"):
    """A ledger of decisions of 2023 that are published or not, and further rows."""
    rows = [f"d{n},{kind},2023-05-04,{published}" for n in range(count)]
    return "\n".join(["决定书文号,种类,决定日期,是否公开", *rows, *more]) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (decisions(20), [PENALTIES.format(20)]),
        (decisions(25, "e1,行政许可,2023-01-02,否"), [PENALTIES.format(25)]),
        (decisions(25, "e1,行政处罚,2022-01-02,否"), [PENALTIES.format(25)]),
        (decisions(19), []),
        (decisions(25, "e1,行政处罚,2023-01-02,否"), []),
        (decisions(25, published=""), []),
        (decisions(25, published="否"), []),
    ],
)  # fmt: skip
def test_decisions_that_are_all_published_are_reported(tmp_path, text, expected):
    assert findings(tmp_path, "行政执法决定", text) == [("L5", one) for one in expected]


EXPORT = "行政处罚决定书文号,处罚决定日期,处罚机关,处罚类别{}\n"


def test_an_export_of_published_penalties_alone_is_reported(tmp_path):
    rows = "".join(f"p{n},2023-05-04,甲局,罚款\n" for n in range(21))
    mapping = "mapping:\n  decisions: 双公示处罚2018\n"
    found = findings(tmp_path, "行政执法决定", EXPORT.format("") + rows, mapping=mapping)
    assert found == [("L5", PENALTIES.format(21))]


def test_a_column_of_the_export_goes_before_what_it_is(tmp_path):
    rows = "".join(f"p{n},2023-05-04,甲局,罚款,{'是' if n else '否'}\n" for n in range(21))
    for heading in ("是否公开", "published"):
        mapping = f"mapping:\n  decisions: {{base: 双公示处罚2018, columns: {{公示: {heading}}}}}\n"
        text = EXPORT.format(",公示") + rows
        assert findings(tmp_path / heading, "行政执法决定", text, mapping=mapping) == []


def test_a_document_that_ended_without_its_day_is_reported(tmp_path):
    text = (
        "文号,名称,种类,成文日期,公布日期,废止日期,状态\n"
        "甲〔2019〕1号,甲,行政规范性文件,2019-02-01,2019-02-03,,已废止\n"
        "甲〔2019〕2号,乙,行政规范性文件,2019-02-01,2019-02-03,2023-01-01, 失效 \n"
        "甲〔2019〕3号,丙,行政规范性文件,2019-02-01,2019-02-03,,有效\n"
        "甲〔2019〕4号,丁,行政规范性文件,2019-02-01,2019-02-03,,拟废止\n"
        "甲〔2019〕5号,戊,行政规范性文件,2019-02-01,2019-02-03,,\n"
    )
    ((rule, result),) = findings(tmp_path, "规范性文件目录", text)
    assert rule == "L2"
    assert "规范性文件目录-own.csv:2: 状态、废止日期" in result
    assert "状态为废止或失效而没有废止日期，仍计为现行有效" in result


def told_of(figures, *, year=2020):
    """Relations that the form does not print, of some cells."""
    zero = {cell.id: 0 for cell in ZFXXGK.edition(year).cells(year)}
    found = text_checks(
        ZFXXGK, ZFXXGK.edition(year), {}, zero | figures, issuer="某某省人民政府", year=year
    )
    return [(one.id, one.severity, one.left, one.right) for one in found]


def test_more_made_than_public_is_reported():
    made, public = "t2.normative_documents.made", "t2.normative_documents.total_disclosed"
    assert told_of({made: 5, public: 4}) == [("A5", "warning", "5", "4")]
    assert told_of({made: 5, public: 5}) == []
    assert told_of({}) == told_of({}, year=2023) == []


def test_decisions_that_are_items_in_every_row_are_reported():
    row = {"items_last_year": 30, "items_change": -2, "decisions": 28}
    permits = {f"t2.permits.{name}": value for name, value in row.items()}
    penalties = {f"t2.penalties.{name}": value for name, value in row.items()}
    assert told_of(permits | penalties) == [("A6", "warning", None, None)]
    assert told_of(permits) == []
    assert told_of(permits | penalties | {"t2.coercion.decisions": 3}) == []
    assert told_of(permits | penalties | {"t2.penalties.decisions": 29}) == []


def test_new_rules_say_what_to_do():
    assert {name: RULES[name].severity for name in TOLD} == dict.fromkeys(TOLD, "warning")
    assert "接受" in RULES["L4"].todo
    assert "双公示" in RULES["L5"].todo
