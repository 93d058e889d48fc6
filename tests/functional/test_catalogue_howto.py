"""The how-to of the catalogue: its five questions are asked, its columns are those that are."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from catalogues import fact, publish, table_of

from reportkit.catalogue.query import TABLES, query
from reportkit.catalogue.store import refresh
from reportkit.params import Project

PAGE = (Path(__file__).parents[2] / "docs/how-to/catalogue.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"(?ms)^([^\n]+\?)\n\n```sql\n(.*?)```", PAGE)

# The answer to each question, in the order of the page.
ANSWERS = [
    [("柏县", "draft", ""), ("迟县", "waiting", "")],
    [
        ("t3.granted.total", 2020, Decimal(20), 1),
        ("t3.granted.total", 2021, Decimal(50), 1),
        ("t3.new.total", 2020, Decimal(40), 1),
        ("t3.new.total", 2021, Decimal(100), 1),
        ("t3.results_total.total", 2020, Decimal(40), 1),
        ("t3.results_total.total", 2021, Decimal(100), 1),
    ],
    [("东县", Decimal(6), Decimal(9)), ("柏县", Decimal(0), Decimal(19))],
    [("bai", Decimal(0), Decimal(4))],
    [
        ("dong", "t3.granted.total", Decimal(20), Decimal(50)),
        ("dong", "t3.results_total.total", Decimal(40), Decimal(100)),
        ("dong", "timeliness.answered_on_time", Decimal(40), Decimal(94)),
        ("dong", "一、本年新收政府信息公开申请数量/总计", Decimal(40), Decimal(100)),
    ],
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two counties of a city, one of them a draft, and a third without a report."""
    folder = tmp_path_factory.mktemp("city")
    made = Project(folder / "params", folder / "data", folder / "outputs")
    (made.params / "districts").mkdir(parents=True)
    (made.params / "reports/chi").mkdir(parents=True)
    (made.params / "reports/chi/2021.yaml").write_text("year: 2021\n", encoding="utf-8")
    for district, name in (("dong", "东县"), ("bai", "柏县"), ("chi", "迟县")):
        text = f"id: {district}\nname: {name}\nparent: songxi\n"
        (made.params / f"districts/{district}.yaml").write_text(text, encoding="utf-8")
    for district, year, new, days, on_time, out, draft in (
        ("dong", 2020, 40, 9, 40, 0, False),
        ("dong", 2021, 100, 9, 94, 0, False),
        ("bai", 2020, 30, 19, 30, 4, True),
        ("bai", 2021, 30, 19, 30, 0, True),
    ):
        own = {
            "timeliness.answered_on_time": fact("timeliness.answered_on_time", on_time),
            "t3.carried_out.total": fact("t3.carried_out.total", out),
        }
        facts = [own.get(one["id"], one) for one in table_of(new, new // 2, days)]
        names = {"dong": "东县", "bai": "柏县"}
        publish(made.out, district, year, facts=facts, name=names[district], draft=draft)
    return made


def test_the_page_asks_five_questions():
    assert len(QUESTIONS) == len(ANSWERS) == 5


@pytest.mark.parametrize("number", range(5))
def test_each_question_has_its_answer(project, number):
    _, sql = QUESTIONS[number]
    assert query(sql, refresh(project.out), project)[1] == ANSWERS[number]


def test_the_page_describes_every_column():
    for name, columns in TABLES.items():
        table = PAGE.partition(f"**`{name}`**")[2].partition("\n\n|")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, flags=re.M)
        assert [name for name, _ in rows] == columns
