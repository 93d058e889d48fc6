"""Questions in SQL: every documented column, one SELECT, and nothing outside of the store."""

import json
from datetime import date
from decimal import Decimal

import pytest
from catalogues import check, fact, failed, publish
from click.testing import CliRunner

from reportkit.catalogue.query import TABLES, as_csv, as_table, plain_value, query
from reportkit.catalogue.store import opened
from reportkit.cli import cli
from reportkit.errors import InputError
from reportkit.params import Project


@pytest.fixture(scope="module", params=["outputs", "报告 [2021]*'s"])
def project(request, tmp_path_factory):
    """Three places of which one has not handed in; the folder may be called anything."""
    made = tmp_path_factory.mktemp("project")
    out = made / request.param
    out.mkdir()
    facts = [fact("t3.new.total", "76"), fact("fees", "12.50", "元")]
    publish(out, "siming", facts=facts, checks=[check("R1", severity="error")], name="松溪区")
    publish(out, "huli", 2020, facts=facts, parent="xiamen", draft=True)
    publish(out, "siming", facts=[fact("t2.total.count", "5")], name="松溪区", further="xzzf")
    event = failed("late", 2021, "not-handed-in", "nothing in \udcff is handed in")
    (out / "batch.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    (made / "params/districts").mkdir(parents=True)
    text = "id: late\nname: 迟县\nparent: siming\n"
    (made / "params/districts/late.yaml").write_text(text, encoding="utf-8")
    return Project(made / "params", made / "data", out)


@pytest.fixture
def ask(project):
    def asked(sql):
        with opened(project.out) as store:
            return query(sql, store, project)

    return asked


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described(ask, table):
    names, _ = ask(f"select * from {table}")
    assert names == list(TABLES[table])


def test_facts_are_asked_by_year(ask):
    sql = (
        "select year, sum(number), max(rows) from facts where fact = 'fees' group by all order by 1"
    )
    assert ask(sql)[1] == [(2020, Decimal("12.5"), 0), (2021, Decimal("12.5"), 0)]


def test_reports_without_a_run_say_why(ask):
    _, rows = ask("select district, year, name, parent, state, why, reason from runs order by 1")
    assert rows == [
        ("huli", 2020, "huli区", "xiamen", "draft", "", ""),
        (
            "late",
            2021,
            "迟县",
            "siming",
            "absent",
            "nothing in \\udcff is handed in",
            "not-handed-in",
        ),
        ("siming", 2021, "松溪区", None, "final", "", ""),
        ("siming", 2021, "松溪区", None, "final", "", ""),
    ]
    sql = "select form, sum(number) from facts join runs using (district, year, form) group by 1"
    assert sorted(ask(sql)[1]) == [("xzzf", Decimal(5)), ("zfxxgk", Decimal("177.0"))]
    sql = "select district from runs where form = 'zfxxgk' order by 1"
    assert ask(sql)[1] == [("huli",), ("late",), ("siming",)]
    assert ask("select holds, message from checks")[1] == [(False, "1 ≠ 2")]


HOSTILE = [
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_blob('/proc/self/environ')",
    "select * from '/etc/passwd'",
    "select * from glob('/*')",
    "select * from parquet_metadata('/etc/passwd')",
    "select * from read_parquet('https://example.org/a.parquet')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from duckdb_secrets()",
    "select * from sqlite_scan('a', 'b')",
    "select getenv('HOME')",
    "copy (select 1) to '/tmp/stolen.csv'",
    "copy facts from '/etc/passwd'",
    "export database '/tmp/stolen'",
    "attach '/tmp/stolen.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma database_list",
    "call pragma_version()",
    "create table mine as select 1",
    "drop table runs",
    "delete from runs",
    "insert into runs select * from runs",
    "update runs set state = 'final'",
    "select 1; select 2",
    "begin",
    "",
    "select * from project",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_nothing_but_the_tables_can_be_reached(ask, sql):
    with pytest.raises(InputError) as refused:
        ask(sql)
    assert refused.value.reason == "sql"
    assert "root:" not in str(refused.value)


def test_no_file_of_the_store_but_its_tables_is_read(ask, project):
    index = str(project.out.resolve() / ".store/index.json").replace("'", "''")
    with pytest.raises(InputError, match="only the tables facts, runs, checks"):
        ask(f"select * from read_text('{index}')")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select nme from runs", "nme"),
        ("select * from fact", "facts"),
        ("select from where", "syntax error"),
        ("select cast('x' as int)", "'x'"),
    ],
)
def test_what_is_wrong_with_a_query_is_reported(ask, sql, expected):
    with pytest.raises(InputError, match=expected):
        ask(sql)


def test_columns_of_one_name_are_reported_apart(ask):
    assert ask("select 1 as a, 2 as a, 3 as a_2, 4 as a")[0] == ["a", "a_2", "a_2_2", "a_3"]


def test_the_command_prints_a_table_csv_or_json(project):
    folders = ["--out", str(project.out), "--params", str(project.params)]
    sql = "select district, number from facts where fact = 'fees' order by 1"

    def printed(*options):
        done = CliRunner().invoke(cli, ["query", *folders, *options, sql])
        assert done.exit_code == 0, done.output
        return done.stdout

    table = printed().splitlines()
    assert [line.split() for line in table if "─" not in line] == [
        ["district", "number"],
        ["huli", "12.5"],
        ["siming", "12.5"],
        ["2", "rows"],
    ]
    assert printed("--csv").splitlines() == ["district,number", "huli,12.5", "siming,12.5"]
    assert json.loads(printed("--json")) == {
        "columns": ["district", "number"],
        "rows": [{"district": "huli", "number": 12.5}, {"district": "siming", "number": 12.5}],
    }
    wrong = CliRunner().invoke(cli, ["query", *folders, "--json", "select"])
    assert (wrong.exit_code, json.loads(wrong.stdout)["error"]) == (2, "sql")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    done = CliRunner().invoke(cli, ["query", "--out", str(tmp_path / "none"), "select 1"])
    assert done.exit_code == 2
    assert "no-outputs" in done.stderr


def test_what_a_terminal_or_workbook_would_obey_is_shown():
    rows = [("\x1b[2Jgone", "=1+1"), ("a\nb", None)]
    assert "\x1b" not in as_table(["x", "y"], rows)
    assert as_csv(["x"], [("=1+1",), (Decimal("-1.50"),)]) == "x\r\n'=1+1\r\n-1.5\r\n"


def test_many_rows_are_counted_and_not_all_shown():
    text = as_table(["n"], [(number,) for number in range(2500)])
    assert len(text.splitlines()) == 1003
    assert text.endswith("2,500 rows; the first 1,000 are shown, --csv prints all")


def test_values_stay_exact_in_json():
    values = [Decimal("0.1"), Decimal(10**25), date(2021, 3, 1), float("inf"), [Decimal(1)]]
    assert [plain_value(one) for one in values] == [0.1, 10**25, "2021-03-01", "inf", [1]]
