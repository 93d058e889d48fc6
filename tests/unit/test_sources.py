"""Places of ledgers: the entries that a district file may have, and their errors."""

import traceback

import pytest

from reportkit.errors import InputError
from reportkit.params import District, Project
from reportkit.params.sources import DatabaseSource


def district(folder, ledgers) -> District:
    (folder / "districts").mkdir(exist_ok=True)
    text = f"id: a1\nname: x\nledgers:\n  applications: {ledgers}\n"
    (folder / "districts/a1.yaml").write_text(text, encoding="utf-8")
    return Project(folder, folder).district("a1")


@pytest.mark.parametrize(
    ("ledgers", "shown"),
    [
        ("some.xlsx", ["some.xlsx"]),
        ("[a.csv, b.csv]", ["a.csv", "b.csv"]),
        ('{url: "postgresql+psycopg://reader@db/oa", table: apply}', ["postgresql://db/oa#apply"]),
        ('{url: "mysql://reader@db:3307/oa?ssl=1", table: t}', ["mysql://db:3307/oa#t"]),
        ('{url: "postgresql://r@/oa?host=/run/pg", table: s.t}', ["postgresql:///oa#s.t"]),
        ('[a.csv, {url: "sqlite:///sub/oa.db", table: t}]', ["a.csv", "sqlite:///sub/oa.db#t"]),
        ('{url: "duckdb:////home/me/oa.db", table: t}', ["duckdb:///oa.db#t"]),
        ('{url: "sqlite:///a.db", select: "SELECT \';\' -- ;\\n;"}', ["sqlite:///a.db#select-*"]),
    ],
)
def test_sources_are_read_and_shown(ledgers, shown, tmp_path):
    found = district(tmp_path, ledgers).ledgers["applications"]
    names = [one.shown if isinstance(one, DatabaseSource) else one for one in found]
    assert [
        f"{name.partition('#select-')[0]}#select-*" if "#select-" in name else name
        for name in names
    ] == shown


@pytest.mark.parametrize(
    ("ledgers", "expected"),
    [
        ("", "'ledgers.applications' is None"),
        ("{table: a}", "'ledgers.applications.url' is missing"),
        ('{url: "postgresql://r@db/oa"}', "needs either a table or a select"),
        ('{url: "mysql://r@db/oa", table: a, select: SELECT 1}', "not both"),
        ('{url: "mysql://r@db/oa", sel_ect: a}', "did you mean 'select'"),
        ('{url: "oracle://r@db/oa", table: a}', r"none of the databases .* postgresql\+psycopg"),
        ('{url: "postgresql+psycopg2://r@db/oa", table: a}', "none of the databases"),
        ('{url: "postgresql://r@db:x/oa", table: a}', "is no URL such as"),
        ('{url: "mysql://r@db/oa", select: "DELETE FROM a"}', "must be a SELECT"),
        ('{url: "mysql://r@db/oa", select: "SELECT 1; SELECT 2"}', "must be one statement"),
        ('{url: "mysql://r@db/oa", select: "SELECT 1) AS q, (SELECT 2"}', "must be a SELECT"),
        ('{url: "mysql://r@db/oa", table: a, password_env: a b}', "name of an environment"),
        ('{url: "mysql://r:canary@db/oa", table: a}', "password_env: OA_PASSWORD"),
        ('{url: "mysql://r:can@ary@db/oa", table: a}', "password_env: OA_PASSWORD"),
        ('{url: "mysql://r@db/oa?passwd=canary", table: a}', "password_env: OA_PASSWORD"),
        ('{url: "mysql://r@db/oa", table: a, password: canary}', "did you mean 'password_env'"),
        ('{url: "mysql://r:canary@db/oa"}', "password_env: OA_PASSWORD"),
        ('{url: "mysql://r:canary/x@db/oa", table: a}', "is no URL such as"),
        ('{url: "postgresql://r@db/oa?password=canary", table: a}', "password_env: OA_PASSWORD"),
        ('{url: ["mysql://r:canary@db/oa"], table: a}', "'ledgers.applications.url"),
        ('{url: {x: "mysql://r:canary@db/oa"}, table: a}', "'ledgers.applications.url"),
    ],
)
def test_mistakes_are_reported_with_their_line_and_without_a_password(ledgers, expected, tmp_path):
    with pytest.raises(InputError, match=expected) as error:
        district(tmp_path, ledgers)
    assert "a1.yaml:4: " in str(error.value)
    expected = "".join(traceback.format_exception(error.value))
    assert "canary" not in expected
    assert "can@ary" not in expected
