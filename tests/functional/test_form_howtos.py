"""The how-tos of forms, walked: a local row, next year's edition, a form of one's own."""

import pytest
from howtos import take_over

import reportkit
from reportkit.checks.folder import look_over
from reportkit.forms import project_form


@pytest.mark.parametrize(
    ("page", "name"),
    [("new-edition.md", "hubei"), ("new-edition.md", "zfxxgk"), ("new-form.md", "visits")],
)
def test_the_folder_of_a_page_has_nothing_wrong(tmp_path, page, name):
    take_over(page, tmp_path)
    assert look_over(tmp_path / "forms" / name) == []


def test_local_rows_and_next_editions_stand_in_their_years(tmp_path):
    take_over("new-edition.md", tmp_path)
    local, national = (project_form(one, tmp_path / "forms") for one in ("hubei", "zfxxgk"))
    assert "t2.other_documents.made" in {cell.id for cell in local.edition(2020).cells(2020)}
    assert [local.edition(year).name for year in (2019, 2021, 2026)] == ["2019", "2021", "2026"]
    assert [national.edition(year).name for year in (2020, 2025, 2026)] == ["2019", "2021", "2026"]


def test_a_form_of_ones_own_counts(tmp_path):
    take_over("new-form.md", tmp_path)
    for name, text in {
        "params/districts/a.yaml": "id: a\nname: 甲区\nform: visits\n",
        "data/a/visits.csv": "编号,日期,方式\n1,2024-01-05,纸质\n2,2024-12-31,电子\n"
        "3,2023-12-31,电子\n4,2024-06-01,电子\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = reportkit.open_report(
        "a", 2024, params=tmp_path / "params", data=tmp_path / "data", out=tmp_path / "outputs"
    )
    assert {one.id: one.text for one in report.facts.values()} == {
        "t1.paper.times": "1", "t1.screen.times": "2", "t1.total.times": "3",
    }  # fmt: skip
    assert repr(report) == "甲区2024年政府信息查阅点年度报告"
    (check,) = (one for one in report.all_checks if one.id == "K1")
    assert check.holds
