"""Published totals come back out of the ledgers that were made from them."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from shipped import SCHEMAS
from synth import Recipe, Synthesis, synth_files, synthesise, write

from reportkit.errors import InputError

PUBLISHED = Path(__file__).parent.parent / "data" / "published"
OUTCOMES = {
    "granted": "予以公开",
    "partial": "部分公开",
    "deny_1_state_secret": "属于国家秘密",
    "deny_2_law_forbids": "其他法律行政法规禁止公开",
    "deny_3_three_safety": "危及“三安全一稳定”",
    "deny_4_third_party": "保护第三方合法权益",
    "deny_5_internal": "属于三类内部事务信息",
    "deny_6_process": "属于四类过程性信息",
    "deny_7_enforcement_file": "属于行政执法案卷",
    "deny_8_admin_query": "属于行政查询事项",
    "unable_1_not_held": "本机关不掌握相关政府信息",
    "unable_2_needs_creation": "没有现成信息需要另行制作",
    "unable_3_still_unclear": "补正后申请内容仍不明确",
    "reject_1_petition": "信访举报投诉类申请",
    "reject_2_duplicate": "重复申请",
    "reject_3_publication": "要求提供公开出版物",
    "reject_4_excessive": "无正当理由大量反复申请",
    "reject_5_confirm": "要求行政机关确认或重新出具已获取信息",
    "other": "其他处理",
    "other_1_no_correction": "申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
    "other_2_fee_unpaid": "申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
    "other_3_other": "其他",
}
KINDS = {
    "natural_person": "自然人",
    "commercial": "商业企业",
    "research": "科研机构",
    "public_welfare": "社会公益组织",
    "legal_service": "法律服务机构",
    "other": "其他",
}
BLOCKS = {
    "review": "行政复议",
    "litigation_direct": "未经复议直接起诉",
    "litigation_after_review": "复议后起诉",
}
RESULTS = {"maintain": "结果维持", "correct": "结果纠正", "other": "其他结果"}


def published(name: str) -> dict:
    return json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pingtan() -> Synthesis:
    return synthesise([published(f"pingtan-{year}") for year in (2019, 2020, 2021)])


def open_after(closed: pd.Series, day: str) -> pd.Series:
    return closed.isna() | (closed > day)


def count_table2(ledgers: dict, year: int, row: str, column: str) -> int | Decimal:
    """Count a cell of table 2 by its printed labels, as CONTRACT §3 says, without the package."""
    first, last, before = f"{year}-01-01", f"{year}-12-31", f"{year - 1}-12-31"

    def during(day: pd.Series) -> pd.Series:
        return (day >= first) & (day <= last)

    kind = {"规范性文件": "行政规范性文件"}.get(row, row)
    documents = ledgers["documents"][ledgers["documents"]["种类"] == kind]
    items = ledgers["items"][ledgers["items"]["种类"] == kind]
    decisions = ledgers["decisions"]
    stays = open_after(documents["废止日期"], last)
    if column in ("本年新制作数量", "本年制发件数"):
        return during(documents["成文日期"]).sum()
    if column == "本年新公开数量":
        return during(documents["公布日期"]).sum()
    if column == "对外公开总数量":
        return ((documents["公布日期"] <= last) & stays).sum()
    if column == "本年废止件数":
        return during(documents["废止日期"]).sum()
    if column == "现行有效件数":
        return ((documents["成文日期"] <= last) & stays).sum()
    if column == "上一年项目数量":
        return ((items["设立日期"] <= before) & open_after(items["取消日期"], before)).sum()
    if column == "本年增/减":
        return int(during(items["设立日期"]).sum()) - int(during(items["取消日期"]).sum())
    if column in ("处理决定数量", "本年处理决定数量"):
        return ((decisions["种类"] == kind) & during(decisions["决定日期"])).sum()
    if column == "本年收费金额（单位：万元）":
        fees = ledgers["fees"]
        return sum(fees.loc[during(fees["收费日期"]), "金额（元）"], Decimal(0)) / 10000
    bought = ledgers["procurement"]
    bought = bought[during(bought["合同签订日期"]) & (bought["组织形式"] == "政府集中采购")]
    return len(bought) if column == "采购项目数量" else sum(bought["合同金额（元）"], Decimal(0))


def count_table3(apps: pd.DataFrame, year: int, rows: list[str]) -> dict[str, list[int]]:
    first, last = f"{year}-01-01", f"{year}-12-31"
    received, answered = apps["收到日期"], apps["答复日期"]
    masks = {
        "new": (received >= first) & (received <= last),
        "carried_in": (received < first) & (answered.isna() | (answered >= first)),
        "carried_out": (received <= last) & open_after(answered, last),
        "results_total": (answered >= first) & (answered <= last),
    }
    for row in rows:
        if row not in masks:
            masks[row] = masks["results_total"] & (apps["办理结果"] == OUTCOMES[row])
    table = {}
    for row, mask in masks.items():
        values = [int((mask & (apps["申请人类型"] == kind)).sum()) for kind in KINDS.values()]
        table[row] = [*values, sum(values)]
    return table


def count_table4(cases: pd.DataFrame, year: int) -> dict[str, dict[str, int]]:
    last, closed = f"{year}-12-31", cases["结案日期"]
    table = {}
    for block, kind in BLOCKS.items():
        own = (cases["类型"] == kind) & (cases["本机关地位"] != "共同被告")
        in_year = own & (closed >= f"{year}-01-01") & (closed <= last)
        row = {name: int((in_year & (cases["结果"] == r)).sum()) for name, r in RESULTS.items()}
        row["pending"] = int((own & (cases["收到日期"] <= last) & open_after(closed, last)).sum())
        table[block] = row | {"total": sum(row.values())}
    return table


def wrong_cells(synthesis: Synthesis, report: dict) -> dict[str, tuple[Decimal, Decimal]]:
    """Every printed cell that a plain count does not give, by its place, with both values."""
    year, ledgers = report["report_year"], synthesis.ledgers
    wrong = {}

    def compare(place: str, printed: object, given: object) -> None:
        if Decimal(str(printed)) != Decimal(str(given)):
            wrong[place] = (int(Decimal(str(printed))), int(Decimal(str(given))))

    for block in report["table2"].values():
        for row, values in block.items() if isinstance(block, dict) else ():
            for column, printed in values.items():
                if column != "采购总金额_单位":
                    given = count_table2(ledgers, year, row, column)
                    compare(f"{row}/{column}", printed, given)
    keys = [row["key"] for row in report["table3"]["rows"]]
    table3 = count_table3(ledgers["applications"], year, keys)
    for row in report["table3"]["rows"]:
        for column, printed, given in zip(
            [*KINDS, "total"], row["values"], table3[row["key"]], strict=True
        ):
            compare(f"t3.{row['key']}.{column}", printed, given)
    for block, row in count_table4(ledgers["cases"], year).items():
        for column, given in row.items():
            compare(f"t4.{block}.{column}", report["table4"][block][column], given)
    return wrong


@pytest.mark.parametrize("name", ["huli-2020", "pingtan-2019", "pingtan-2020", "pingtan-2021"])
def test_one_year_gives_every_published_cell(name: str) -> None:
    report = published(name)
    wrong = wrong_cells(synthesise([report]), report)
    expected = {
        "t3.new.natural_person": (20, 26),
        "t3.new.total": (21, 27),
        "t3.results_total.natural_person": (20, 26),
        "t3.results_total.total": (21, 27),
    }
    assert wrong == (expected if name == "pingtan-2020" else {})


@pytest.mark.slow
def test_a_city_with_millions_of_decisions() -> None:
    report = published("suqian-2023")
    made = synthesise([report])
    assert wrong_cells(made, report) == {}
    assert len(made.ledgers["decisions"]) == 1808595 + 2822652 + 20163
    assert made.ledgers["decisions"]["决定书文号"].is_unique
    assert made.exceptions == ()


def test_three_years_are_one_continuing_set(pingtan: Synthesis) -> None:
    for year, wrong in {
        2019: {},
        2020: {
            # Seven regulations appear in 2020 that 2019 does not have and 2020 did not disclose.
            "规章/对外公开总数量": (7, 0),
            "t3.new.natural_person": (20, 26),
            "t3.new.total": (21, 27),
            "t3.results_total.natural_person": (20, 26),
            "t3.results_total.total": (21, 27),
        },
        2021: {},
    }.items():
        assert wrong_cells(pingtan, published(f"pingtan-{year}")) == wrong


def test_contradictions_are_reported(pingtan: Synthesis) -> None:
    result = {(d.year, d.fact): (d.published, d.given) for d in pingtan.exceptions}
    assert result == {
        (2019, "主动公开总量"): (2599, 2533),
        (2020, "主动公开总量"): (2602, 2603),
        (2020, "t2.regulations.total_disclosed"): (7, 0),
        (2020, "t3.new.natural_person"): (20, 26),
        (2020, "t3.new.total"): (21, 27),
        (2020, "t3.results_total.natural_person"): (20, 26),
        (2020, "t3.results_total.total"): (21, 27),
    }
    assert all(difference.reason for difference in pingtan.exceptions)


def test_rows_of_the_old_edition_and_totals_left_at_nought() -> None:
    report = published("hongze-2023")
    made = synthesise([report])
    assert wrong_cells(made, report) == {
        "t4.review.total": (0, 11),
        "t4.litigation_after_review.total": (0, 5),
    }
    assert [(d.fact, d.published, d.given) for d in made.exceptions] == [
        ("t4.review.total", 0, 11),
        ("t4.litigation_after_review.total", 0, 5),
    ]


def test_a_nonzero_row_of_the_old_edition_is_reported() -> None:
    report = published("hongze-2023")
    rows = {row["key"]: row["values"] for row in report["table3"]["rows"]}
    for row in ("new", "other", "results_total"):
        rows[row][0] += 2
        rows[row][6] += 2
    made = synthesise([report])
    result = [(d.fact, d.published, d.given) for d in made.exceptions if d.fact.startswith("t3")]
    assert result == [("t3.other.natural_person", 2, None), ("t3.other.total", 2, None)]
    assert Counter(made.ledgers["applications"]["办理结果"])["其他"] == 2


def test_applications_carried_over_are_the_same_records() -> None:
    """2022 begins with the one application that 2021 left open, and answers it."""
    this, after = published("pingtan-2021"), published("pingtan-2021")
    after |= {"id": "pingtan-2022", "report_year": 2022}
    after["table2"]["art20_1"]["行政规范性文件"]["现行有效件数"] = 665 + 69 - 3
    rows = {row["key"]: row["values"] for row in after["table3"]["rows"]}
    rows["carried_in"][:] = [1, 0, 0, 0, 0, 0, 1]
    rows["new"][:] = [63, 0, 0, 2, 0, 4, 69]
    made = synthesise([after, this])
    assert made.years == (2021, 2022)
    assert made.exceptions == ()
    assert wrong_cells(made, this) == {}
    assert wrong_cells(made, after) == {}
    apps = made.ledgers["applications"]
    carried = apps[(apps["收到日期"] < "2022-01-01") & ~(apps["答复日期"] < "2022-01-01")]
    assert len(carried) == 1
    assert carried["答复日期"].iloc[0] < pd.Timestamp("2022-02-20")


def test_a_carry_over_that_does_not_match_is_reported() -> None:
    this, after = published("pingtan-2021"), published("pingtan-2021")
    after |= {"id": "pingtan-2022", "report_year": 2022}
    made = synthesise([this, after])
    result = {d.fact: (d.published, d.given) for d in made.exceptions}
    assert result["t3.carried_in.natural_person"] == (0, 1)
    assert result["t3.new.natural_person"] == (64, 63)
    assert result["t2.normative_documents.in_force"] == (665, 665 + 69 - 3)


def test_records_are_plausible(pingtan: Synthesis) -> None:
    apps = pingtan.ledgers["applications"]
    answered = apps.dropna(subset=["答复日期"])
    assert (answered["答复日期"] > answered["收到日期"]).all()
    assert (answered["答复日期"].isna() == answered["办理结果"].isna()).all()
    assert apps["登记号"].is_unique
    assert apps["申请人"].str.startswith("示例申请人").all()
    assert apps["联系电话"].str.startswith("000-").all()
    assert not apps["证件号码"].str.contains(r"\d{15}").any()
    unclear = apps[apps["办理结果"] == "补正后申请内容仍不明确"]
    assert len(unclear) == 8
    assert unclear["补正收到日期"].notna().all()
    fees = pingtan.ledgers["fees"]["金额（元）"]
    assert sum(fees) == Decimal("242523110.82")
    assert 300 < len(fees) < 600
    documents = pingtan.ledgers["documents"]
    assert documents["公布日期"].isna().sum() == 665 + 3 - 69 - 166
    for key, frame in pingtan.ledgers.items():
        names = [column.name for column in SCHEMAS[key].columns]
        assert list(frame.columns) == [*names, "备注"]
        assert frame[names[0]].is_unique
        assert set(frame["备注"]) <= {"示例数据（由已公布的统计数字反推，非真实记录）"}


def test_the_recipe_gives_rows_that_no_table_counts() -> None:
    recipe = Recipe.model_validate(
        {
            "publications": [{"count": 564, "类别": "专题专栏", "标题": "{year}年第{n}条"}],
            "activities": [
                {
                    "count": "3",
                    "日期": "2020-08-19..2020-09-15",
                    "类别": "编制",
                    "主题": "目录",
                    "形式": ["救灾", "扶贫"],
                    "数量": {"total": "962"},
                },
            ],
            "documents": [
                {
                    "count": 26,
                    "种类": "行政规范性文件",
                    "成文日期": "2009-03-02..2017-11-20",
                    "公布日期": "2017-12-08",
                    "废止日期": "2020-11-30",
                },
            ],
        }
    )
    report = published("huli-2020")
    made = synthesise([report], recipe={2020: recipe})
    assert made.exceptions == ()
    assert wrong_cells(made, report) == {}
    topics = made.ledgers["publications"][made.ledgers["publications"]["类别"] == "专题专栏"]
    assert len(made.ledgers["publications"]) == 1313
    assert set(topics["标题"]) == {f"2020年第{n}条" for n in range(1, 565)}
    done = made.ledgers["activities"]
    assert list(done["日期"].dt.date)[::2] == [date(2020, 8, 19), date(2020, 9, 15)]
    assert list(done["形式"]) == ["救灾", "扶贫", "救灾"]
    assert done["数量"].sum() == 962
    assert (made.ledgers["documents"]["废止日期"] == "2020-11-30").sum() == 26


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r["table3"]["rows"][0]["values"].__setitem__(0, -1), "reads -1; no report"),
        (lambda r: r["table4"]["review"].__setitem__("maintain", 0.5), "reads 0.5; no"),
        (lambda r: r["table3"]["rows"][1]["values"].__setitem__(0, 99), "carried in, leave -25"),
        (lambda r: r["table2"]["art20_1"].__setitem__("法律", {"本年新制作数量": 0}), "法律"),
        (
            lambda r: r["table2"]["art20_8"]["行政事业性收费"].__setitem__("本年增/减", -6),
            "only 5 stood",
        ),
        (lambda r: r.pop("table4"), "unknown: 'table4'"),
    ],
)
def test_impossible_reports_are_refused(change: object, reason: str) -> None:
    report = published("huli-2020")
    change(report)
    with pytest.raises(InputError, match=reason):
        synthesise([report])


def test_what_is_not_printed_is_reported() -> None:
    report = published("huli-2020")
    report["table3"]["rows"][0]["values"][0] = None
    report["table4"]["review"]["pending"] = None
    report["table3"]["rows"][0]["values"][6] = None
    made = synthesise([report])
    result = [(d.fact, d.published, d.given) for d in made.exceptions]
    assert result == [
        ("t3.new.natural_person", None, 74),
        ("t3.new.total", None, 76),
        ("t4.review.pending", None, 0),
    ]


def test_less_than_a_cent_is_reported() -> None:
    report = published("pingtan-2021")
    report["table2"]["art20_8"]["行政事业性收费"]["本年收费金额（单位：万元）"] = 0.0000015
    result = [(d.fact, d.given) for d in synthesise([report]).exceptions]
    assert result == [("t2.fees.amount_wan", Decimal("0.000001"))]


def test_other_districts_and_gaps_are_refused() -> None:
    for names in (["huli-2020", "pingtan-2021"], ["pingtan-2019", "pingtan-2021"], []):
        with pytest.raises(InputError, match="consecutive years of one district"):
            synthesise([published(name) for name in names])


def test_a_recipe_that_contradicts_the_report_is_refused() -> None:
    fifteen = {"count": 15, "种类": "行政规范性文件", "成文日期": "2020-03-02..2020-05-06"}
    recipe = Recipe.model_validate({"documents": [fifteen]})
    with pytest.raises(InputError, match=r"14.*15"):
        synthesise([published("huli-2020")], recipe={2020: recipe})


@pytest.mark.parametrize(
    ("ledger", "entry", "reason"),
    [
        ("activities", {"日期": "2020-03-02", "类型": "会议"}, "no column '类型'"),
        ("activities", {"日期": "2020-03-02", "类别": "会议"}, "'主题' is missing"),
        ("activities", {"日期": "三月", "类别": "会议", "主题": "例会"}, "not understood"),
        ("publications", {"类别": "公告", "发布日期": "1970-01-01..1971-01-01"}, "no span of days"),
        ("documents", {"种类": "通告", "成文日期": "2020-03-02"}, "种类 is none of 规章、"),
    ],
)
def test_wrong_recipes_are_refused(ledger: str, entry: dict, reason: str) -> None:
    recipe = Recipe.model_validate({ledger: [entry]})
    with pytest.raises(InputError, match=reason):
        synthesise([published("huli-2020")], recipe={2020: recipe})


def test_it_never_writes_among_other_ledgers(tmp_path: Path, pingtan: Synthesis) -> None:
    real = tmp_path / "pingtan" / "applications-2018.csv"
    real.parent.mkdir()
    real.write_text("登记号", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds applications-2018\.csv"):
        write(pingtan, tmp_path)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["applications-2018.csv"]
    real.unlink()
    write(pingtan, tmp_path)
    write(pingtan, tmp_path)
    with pytest.raises(InputError, match=r"holds applications-2020\.csv"):
        write(pingtan, tmp_path, formats={"applications": ["xlsx"]})


def test_the_same_bytes_twice(tmp_path: Path, pingtan: Synthesis) -> None:
    paths = [PUBLISHED / f"pingtan-{year}.json" for year in (2021, 2019, 2020)]
    first, written = synth_files(paths, tmp_path / "one")
    again = write(pingtan, tmp_path / "two" / "pingtan")
    assert first.exceptions == pingtan.exceptions
    assert [path.name for path in written] == [path.name for path in again]
    assert {path.parent for path in again} == {tmp_path / "two" / "pingtan"}
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in again]


def test_files_are_of_mixed_formats_and_say_what_they_are(
    tmp_path: Path, pingtan: Synthesis
) -> None:
    names = {path.name: path for path in write(pingtan, tmp_path)}
    assert {"依申请公开台账2019.xlsx", "applications-2020.csv", "applications-2021.parquet"} < set(
        names
    )
    gb = names["applications-2020.csv"].read_bytes().decode("gb18030")
    assert gb.startswith("登记号,申请人类型,收到日期,答复日期,办理结果,")
    assert gb.count("非真实记录") == gb.count("\r\n") - 1
    assert names["cases-2019-2021.csv"].read_bytes().startswith(b"\xef\xbb\xbf")
    sheet = pd.read_excel(names["依申请公开台账2019.xlsx"], header=None, engine="calamine")
    assert sheet.iloc[0, 0] == "依申请公开台账——示例数据（由已公布的统计数字反推，非真实记录）"
    assert len(sheet) == 2 + 23
    parquet = pd.read_parquet(names["applications-2021.parquet"])
    assert (
        parquet["收到日期"].iloc[0] == date(2021, 1, 4) or parquet["收到日期"].iloc[0].year == 2021
    )
    assert "平潭" not in gb
    readme = names["README.md"].read_text(encoding="utf-8")
    assert "示例数据" in readme
    assert "2020 t3.new.total: published 21, ledgers give 27" in readme
