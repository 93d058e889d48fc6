"""Facts of the notebook with their rows, and the form's cells counted a second time."""

import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from batches import make_project

from notebooks import executed, whole
from reportkit.errors import InputError
from reportkit.facts import rows_sha256
from reportkit.notebook.explained import explained
from reportkit.notebook.filled import fill
from reportkit.notebook.report import open_report

ROOT = Path(__file__).parents[2]
MASK = object()


@pytest.fixture
def report(monkeypatch):
    monkeypatch.chdir(ROOT)
    return open_report("pingtan", 2021)


@pytest.fixture
def apps(report):
    return report.ledger("applications")


def test_a_count_rests_on_its_rows(report, apps):
    march = apps["收到日期"].dt.month == 3
    fact = report.fact("own.march", rows=march, label="三月收到", unit="件")
    assert fact.value == int(march.sum()) > 0
    assert fact.rows.tolist() == apps.index[march].tolist()
    assert fact.as_json()["rows_sha256"] == rows_sha256(fact.rows)
    assert report.fact("own.march") is fact
    same = report.fact("own.same", rows=apps[march].sort_values("收到日期", ascending=False))
    assert same.rows.tolist() == fact.rows.tolist()
    assert (
        repr(fact)
        == f"own.march  三月收到：{fact.text}件（依申请公开台账中，在笔记本里选出的记录数）"
    )


def test_values_of_every_kind_are_made_from_rows_or_parts(report, apps):
    year = apps[apps["收到日期"].dt.year == 2021]
    first = report.fact("own.first", rows=year, value=year["收到日期"].min())
    assert (first.unit, date.fromisoformat(first.text).year) == ("日期", 2021)
    mean = report.fact("own.mean", rows=year, value=year["办理工作日"].mean(), unit="个工作日")
    assert isinstance(mean.value, Decimal)
    assert mean.where[0]["measure"] == "notebook"
    report.fact("own.a", rows=apps["收到日期"].dt.month == 3)
    report.fact("own.b", rows=apps["收到日期"].dt.month == 4)
    total = report.fact("own.sum", parts=["own.a", "own.b"])
    assert total.value == report.fact("own.a").value + report.fact("own.b").value
    assert (total.origin, total.definition) == ("sum", "own.a + own.b")
    share = report.fact("own.share", value=12.5, parts=["own.a", "t3.new.total"], unit="%")
    assert (share.text, share.sum_of) == ("12.5", ("own.a", "t3.new.total"))
    document = report.facts_document()
    assert {f["id"]: f["places"] for f in document["facts"]}["own.share"] == ["notebook"]


@pytest.mark.parametrize(
    ("name", "given", "reason", "expected"),
    [
        ("own.x", {"value": 7}, "fact-rows", "nothing that it rests on"),
        ("own.x", {"rows": MASK, "parts": ["t3.new.total"]}, "fact-rows", "give one of them"),
        ("own.x", {"rows": pd.Series([True, False])}, "fact-rows", "say whose rows these are"),
        ("own.x", {"rows": pd.Series([True], index=[10**6]), "ledger": "applications"},
         "fact-rows", "keep its index"),
        ("own.x", {"rows": pd.Series([1, 2]), "ledger": "applications"}, "fact-rows", "true and"),
        ("own.x", {"rows": [1, 2]}, "fact-rows", "a mask of pandas or the records themselves"),
        ("own.x", {"rows": pd.Series([True]).to_numpy()}, "fact-rows", "not ndarray"),
        ("own.x", {"parts": ["t3.new.totl"]}, "fact-unknown", "nearest: t3.new.total"),
        ("own.x", {"rows": MASK, "value": float("nan")}, "fact-value", "no number, day or text"),
        ("own.x", {"rows": MASK, "value": []}, "fact-value", "no number, day or text"),
        ("t3.own", {"rows": MASK}, "fact-id", "t1, t2 … are the form's"),
        ("Own X", {"rows": MASK}, "fact-id", "small letters"),
        ("t3.new.total", {"rows": MASK}, "fact-twice", "choose another id"),
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused(report, apps, name, given, reason, expected):
    given = {k: apps["收到日期"].notna() if v is MASK else v for k, v in given.items()}
    with pytest.raises(InputError, match=expected) as caught:
        report.fact(name, **given)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "made_anew",
    [lambda one: one.reset_index(), lambda one: one.merge(one[["登记号"]], on="登记号").head(2)],
    ids=["reset", "merged"],
)
def test_records_numbered_anew_are_no_evidence(report, apps, made_anew):
    with pytest.raises(InputError, match="keep its index") as caught:
        report.fact("own.x", rows=made_anew(apps))
    assert caught.value.reason == "fact-rows"


def test_parts_may_be_one_id_or_facts(report):
    whole = report.fact("t3.new.total")
    assert report.fact("own.one", parts="t3.new.total").sum_of == ("t3.new.total",)
    assert report.fact("own.two", parts=[whole, "t3.carried_in.total"]).sum_of == (
        "t3.new.total",
        "t3.carried_in.total",
    )


@pytest.mark.parametrize(
    ("call", "reason", "expected"),
    [
        (lambda report: report.show([1]), "show-kind", "not list: make it one"),
        (lambda report: report.text(None), "show-kind", "takes text, not NoneType"),
        (lambda report: report.compare(3, {"甲": 1}), "compare", "not dict: make it one"),
        (lambda report: report.compare(3, [1]), "compare", "by pd.crosstab"),
    ],
    ids=["show", "text", "compare", "list"],
)
def test_other_things_are_refused_in_words(report, call, reason, expected):
    with pytest.raises(InputError, match=expected) as caught:
        call(report)
    assert caught.value.reason == reason


def test_captions_may_be_left_out_or_be_numbers(report):
    rows = pd.DataFrame({"项": ["甲"], "数": [1]})
    assert report.show(rows, title=None, note=None).block["title"] == ""
    assert report.show(rows, title=2021).block["title"] == "2021"


def test_tables_of_other_libraries_are_taken(report):
    table = pa.table({"项": ["甲"], "数": [1]})
    assert report.show(table).block["rows"][1][1]["value"] == "1"


def test_a_fact_is_not_made_twice(report, apps):
    report.fact("own.x", rows=apps["收到日期"].notna())
    with pytest.raises(InputError, match="there already"):
        report.fact("own.x", rows=apps["收到日期"].isna())


@pytest.fixture
def naming(tmp_path):
    """A report whose text names a fact that is not defined, and the line that does."""
    for name in ("params", "data/pingtan"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "params/reports/pingtan/2021.md"
    text = path.read_text("utf-8") + "\n另有{{ own.march }}件，{{ t3.new.total }}件。\n"
    path.write_text(text, encoding="utf-8")
    folders = {"params": tmp_path / "params", "data": tmp_path / "data"}
    return open_report("pingtan", 2021, **folders), len(text.splitlines())


def test_the_text_may_name_a_fact_before_it_is_made(naming):
    report, _ = naming
    assert report.compiled.awaited == ["own.march"]
    assert "〔待填〕" in str(report.section("六").block)
    march = report.ledger("applications")["收到日期"].dt.month == 3
    fact = report.fact("own.march", rows=march)
    assert report.compiled.awaited == []
    seal = report.seal().block
    assert {"text": fact.text, "fact": "own.march"} in seal["sections"]["六"][-1]["runs"]
    places = {one["id"]: one["places"] for one in seal["facts"]["facts"]}
    assert places["own.march"] == ["notebook", "section:六"]


def test_a_text_naming_an_unmade_fact_stops_at_its_line(naming):
    report, line = naming
    with pytest.raises(InputError, match=rf"2021\.md:{line}: there is no fact 'own.march'"):
        report.seal()


def frame(apps, year=2021):
    kinds, answered = apps["申请人类型"], apps["答复日期"].dt.year
    return pd.crosstab(apps["办理结果"], kinds[answered == year])


def test_one_crosstab_counts_all_outcomes(report, apps):
    shown = report.compare(3, frame(apps))
    assert (len(shown.block["cells"]), shown.block["differ"]) == (21 * 6, [])
    assert report.compare(3, frame(apps).T).block == shown.block
    only_seen = frame(apps).loc[lambda one: one.any(axis=1), lambda one: one.any()]
    assert len(only_seen) < 21
    only_seen.index = only_seen.index.astype("str")
    assert report.compare(3, only_seen).block == shown.block
    assert repr(shown).endswith("笔记本数了126格，与表格一致的126格")


def test_what_differs_is_reported_cell_by_cell(report, apps):
    counted = frame(apps)
    counted.loc["予以公开", "自然人"] += 2
    (differ,) = report.compare(3, counted).block["differ"]
    assert differ["fact"] == "t3.granted.natural_person"
    assert int(differ["counted"]) == int(differ["stands"]) + 2
    counted.index = counted.index.astype("str").where(counted.index != "部分公开", "部分")
    shown = report.compare(3, counted)
    assert "部分/自然人" in shown.block["unknown"]
    assert "t3.partial.natural_person" in [one["fact"] for one in shown.block["differ"]]


def test_totals_are_compared_where_they_are_given(report, apps):
    counted = frame(apps).assign(总计=lambda one: one.sum(axis=1))
    assert report.compare(3, counted).block["cells"]["t3.granted.total"]
    received = apps[apps["收到日期"].dt.year == 2021]["申请人类型"].value_counts()
    assert len(report.compare(3, received.rename("new")).block["cells"]) == 6


def test_nothing_counted_is_zero_or_nothing(report):
    assert report.compare(3, pd.DataFrame()).block["cells"] == {}
    none = report.compare(3, pd.DataFrame(index=["new", "carried_in"]))
    assert len(none.block["cells"]) == 12
    assert len(none.block["differ"]) >= 1
    with pytest.raises(InputError, match="no row and column of the frame is one of table t3"):
        report.compare(3, pd.DataFrame({"甲": [1]}, index=["乙"]))
    with pytest.raises(InputError, match="say what was counted"):
        report.compare(3)


def test_figures_of_the_text_are_compared_by_their_ids(report):
    right = {"t3.new.total": 70, "pub.total": report.fact("pub.total").value, "not.there": 3}
    shown = report.compare(right)
    assert (shown.block["differ"], set(shown.block["cells"])) == ([], {"t3.new.total", "pub.total"})
    assert repr(shown).endswith("一致的2格；没有定义而未比较的：not.there")
    (differ,) = report.compare({"t3.new.total": 71.0}).block["differ"]
    assert (differ["counted"], differ["stands"]) == ("71", "70")


def test_figures_of_a_missing_ledger_are_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(make_project(tmp_path / "project", ["a"]))
    report = open_report("a", 2021)
    assert "publications" in report.compiled.absent
    assert repr(report.compare({"t3.new.total": 2, "pub.total": 0})).endswith("未比较的：pub.total")


def test_explain_shows_records_with_their_places(report):
    found = report.explain("t3.new.natural_person")
    assert len(found) == report.fact("t3.new.natural_person").value
    assert list(found.columns[:3]) == ["文件", "位置", "登记号"]
    assert "申请人" not in found.columns or found["申请人"].str.startswith("申请人-").all()
    assert set(found["收到日期"].dt.year) == {2021}
    bundle = found._repr_mimebundle_()
    assert "收到日期在2021年内" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    # What is chosen from it is a plain table again.
    assert type(found.head(2)) is pd.DataFrame


def test_explain_shows_the_parts_of_a_total(report):
    found = report.explain("t3.new.total")
    assert found.loc["t3.new.natural_person", "值"] == report.fact("t3.new.natural_person").text
    assert len(found) == 6
    with pytest.raises(InputError, match=r"nearest: t3\.new\.total"):
        report.explain("t3.new.totl")


def test_explain_tells_rows_that_are_taken_away(report):
    fact = replace(report.fact("t3.new.natural_person"), subtracted=2)
    found = explained(fact, report.ledgers, {})
    assert list(found["加减"])[-3:] == ["+", "−", "−"]


def test_what_explain_shows_is_in_no_document_and_not_reported(report):
    made = fill(
        executed(report, whole("report.explain('t3.new.total')", "report.fact('pub.total')"))
    )
    checks = made["metadata"]["reportkit"]["checks"]
    assert not [one for one in checks if one["id"] == "B2"]
