"""Local variants of the form, each a folder: a row of Hubei, one of Changchun, a town."""

import shutil
from pathlib import Path

import pytest

import reportkit
from reportkit.scaffold.project import begin

FORMS = Path(__file__).parents[1] / "data/forms"


@pytest.fixture
def project(tmp_path):
    """Make a project of a district whose form is a folder, with some of its ledgers."""

    def make(form, year, **ledgers):
        begin(tmp_path, "a", year, name="某区").write()
        shutil.copytree(FORMS / form, tmp_path / "forms" / form)
        with (tmp_path / "params/districts/a.yaml").open("a", encoding="utf-8") as file:
            file.write(f"form: {form}\n")
        for name, text in ledgers.items():
            next((tmp_path / "data/a").glob(f"{name}*")).unlink()
            (tmp_path / "data/a" / f"{name}.csv").write_text(text, encoding="utf-8")
        folders = {one: tmp_path / one for one in ("params", "data")}
        return reportkit.open_report("a", year, **folders, out=tmp_path / "outputs")

    return make


def test_hubeis_third_row_counts_what_is_no_normative_document(project):
    report = project(
        "hubei",
        2020,
        规范性文件目录="文号,名称,种类,成文日期,公布日期,废止日期\n"
        "1,甲,其他主动公开文件,2020-02-01,2020-02-02,\n"
        "2,乙,其他主动公开文件,2019-02-01,2020-02-02,\n"
        "3,丙,规范性文件,2020-03-01,,\n",
    )
    rows = ("regulations", "normative_documents", "other_documents")
    columns = ("made", "disclosed", "total_disclosed")
    assert [[report.facts[f"t2.{r}.{c}"].text for c in columns] for r in rows] == [
        ["0", "0", "0"],
        ["1", "0", "0"],
        ["1", "2", "2"],
    ]
    shown = report.table(2)._repr_mimebundle_()["text/html"]
    assert "其他主动公开文件" in shown
    assert "处理决定数量（指2020年办件量）" in shown
    assert [c.message for c in report.all_checks if not c.holds and c.severity == "error"] == []


def test_changchuns_last_row_counts_what_was_published_but_news(project):
    report = project(
        "changchun",
        2020,
        主动公开目录="索引号,标题,发布日期,类别\n"
        "1,甲,2020-02-01,政策文件\n2,乙,2020-02-02,新闻\n3,丙,2019-12-31,公告\n4,丁,2020-12-31,公告\n",
    )
    fact = report.facts["t2.publications.published"]
    assert (fact.text, fact.unit) == ("2", "条")
    assert fact.definition == (
        "主动公开目录中，发布日期在2020年内、类别不是“新闻”、“消息”之一的记录数"
    )
    assert "publications" in report.edition.ledgers()


@pytest.mark.parametrize(("kind", "holds"), [("行政规范性文件", True), ("规章", False)])
def test_a_town_makes_no_regulations(project, kind, holds):
    report = project(
        "town",
        2023,
        规范性文件目录=f"文号,名称,种类,成文日期,公布日期,废止日期\n1,甲,{kind},2023-02-01,2023-02-02,\n",
    )
    (check,) = (one for one in report.all_checks if one.id == "R7")
    assert (check.holds, check.severity) == (holds, "error")
    assert report.is_draft
