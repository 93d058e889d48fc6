"""The store of all runs: a function of what is in force, whatever happened in between."""

import json
import shutil
import subprocess
import sys
from decimal import Decimal

import pytest
from catalogues import check, fact, publish

from reportkit.catalogue.store import NAME, SCHEMAS, opened, refresh


@pytest.fixture
def out(tmp_path):
    """A folder of reports of three districts in two years."""
    made = tmp_path / "outputs"
    made.mkdir()
    for district in "abc":
        for year in (2020, 2021):
            put(made, district, year, "one", new=year - 2000)
    return made


def put(out, district, year, run, *, new=7, **said):
    facts = [fact("t3.new.total", new), fact("made.on", "2021-03-01", "日期"), fact("word", "六版")]
    checks = [check("R1", holds=True), check("X1")]
    return publish(out, district, year, run, facts=facts, checks=checks, **said)


def contents(folder):
    """Every file of a store but its locks, with its bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def built_whole(out):
    """Contents of a store of the same runs that was never brought up to date."""
    copy = out.with_name("whole")
    shutil.copytree(out, copy, symlinks=True, ignore=shutil.ignore_patterns(NAME))
    refresh(copy)
    made = contents(copy / NAME)
    shutil.rmtree(copy)
    return made


def received(store):
    rows = [row for row in store.read("facts").to_pylist() if row["fact"] == "t3.new.total"]
    return {(row["district"], row["report"]): int(row["number"]) for row in rows}


def test_a_run_is_in_its_tables(out):
    store = refresh(out)
    assert {name: store.read(name).num_rows for name in SCHEMAS} == {
        "facts": 18,
        "runs": 6,
        "checks": 12,
    }
    facts = store.read("facts").to_pylist()
    (number, day, word) = sorted(
        (row for row in facts if (row["district"], row["year"]) == ("a", 2020)),
        key=lambda row: row["value"],
    )
    assert (number["value"], number["number"], number["day"]) == ("20", Decimal(20), None)
    assert (str(day["day"]), day["number"]) == ("2021-03-01", None)
    assert (word["value"], word["number"], word["day"]) == ("六版", None, None)
    run = store.read("runs").to_pylist()[0]
    assert (run["district"], run["errors"], run["warnings"], run["run"]) == ("a", 0, 1, "one")


@pytest.mark.parametrize(
    "change",
    [
        lambda out: put(out, "b", 2021, "two", new=99),
        lambda out: put(out, "new", 2019, "one"),
        lambda out: put(out, "b", 2021, "one", new=5, further="xzzf"),
        lambda out: shutil.rmtree(out / "b"),
        lambda out: shutil.rmtree(out / "b/2021/runs/one"),
        lambda out: (out / "b/2021/current").unlink(),
        lambda out: (out / "b/2021/runs/one/facts.json").write_text("{}"),
        lambda out: (out / "b/2021/runs/one/checks.json").unlink(),
        lambda out: [shutil.rmtree(out / name) for name in "abc"],
    ],
    ids=["newer", "added", "form", "district", "run", "link", "facts", "checks", "all"],
)  # fmt: skip
def test_an_update_gives_the_bytes_of_a_whole_build(out, change):
    refresh(out)
    change(out)
    refresh(out)
    assert contents(out / NAME) == built_whole(out)


def test_only_files_that_hold_what_changed_are_written(out):
    refresh(out)
    before = {path: path.stat().st_ino for path in (out / NAME).glob("*/*/*")}
    put(out, "b", 2021, "two", new=99)
    refresh(out)
    after = {path: path.stat().st_ino for path in (out / NAME).glob("*/*/*")}
    new = sorted(path.parent.relative_to(out / NAME).as_posix() for path in after.keys() - before)
    assert new == ["facts/year=2021", "runs/year=2021"]  # its checks are the same
    assert len(after) == len(before)
    assert received(refresh(out))["b", "2021"] == 99


def damage(out, place, name, change):
    path = out / place / "runs/one" / name
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("facts.json", lambda text: text.replace(b'"21"', b'"93"'), "facts.json was changed"),
        ("MANIFEST.json", lambda text: text[:-5], "MANIFEST.json was changed"),
        ("checks.json", lambda text: b"[]", "checks.json was changed"),
    ],
)
def test_a_broken_run_is_reported_and_kept_out(out, name, change, why):
    damage(out, "b/2021", name, change)
    store = refresh(out)
    assert store.broken == {("b", "2021"): f"run one: {why}"}
    assert ("b", "2021") not in received(store)
    assert len(received(store)) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"draft": "no"},
        {"ended": "2022-01-03T18:00:00"},
        {"ended": "yesterday"},
        {"name": 7},
        {"facts": [{"id": "x"}]},
        {"facts": [fact("x", 1) | {"rows": 10**30}]},
        {"facts": [fact("x", 1) | {"value": 1}]},
        {"checks": [check("R1") | {"holds": "yes"}]},
        {"checks": {"R1": 1}},
    ],
)
def test_one_run_of_wrong_types_harms_no_other(out, wrong):
    publish(out, "b", 2021, "two", **wrong)
    store = refresh(out)
    assert list(store.broken) == [("b", "2021")]
    assert len(received(store)) == 5
    assert contents(out / NAME) == built_whole(out)


def test_a_broken_run_that_was_mended_comes_back(out):
    path = out / "b/2021/runs/one/facts.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert len(received(refresh(out))) == 5
    path.write_bytes(whole)
    assert len(received(refresh(out))) == 6
    assert contents(out / NAME) == built_whole(out)


def test_reports_of_each_form_have_rows_of_their_own(out):
    put(out, "b", 2021, "one", new=5, further="xzzf")
    assert received(refresh(out))["b", "2021-xzzf"] == 5
    put(out, "b", 2021, "two", new=99)
    store = refresh(out)
    result = received(store)
    assert (result["b", "2021"], result["b", "2021-xzzf"], len(result)) == (99, 5, 7)
    forms = {row["report"]: row["form"] for row in store.read("checks").to_pylist()}
    assert forms == {"2020": "zfxxgk", "2021": "zfxxgk", "2021-xzzf": "xzzf"}
    (out / "b/2021-xzzf").rename(out / "b/2021-own")
    assert refresh(out).broken["b", "2021-own"] == "run one: it is of b 2021-xzzf"


def test_a_run_of_another_report_is_none(out):
    shutil.copytree(out / "a", out / "z", symlinks=True)
    store = refresh(out)
    assert store.broken["z", "2021"] == "run one: it is of a 2021"
    (out / "y/2021").mkdir(parents=True)
    (out / "y/2021/current").symlink_to(out / "a/2021/runs/one")
    assert ("y", "2021") not in {*received(refresh(out)), *refresh(out).broken}


@pytest.mark.parametrize("harm", ["truncated", "gone", "index", "version", "path"])
def test_a_damaged_store_is_made_anew(out, harm):
    refresh(out)
    whole = contents(out / NAME)
    index = out / NAME / "index.json"
    (file, *_) = (out / NAME / "facts").glob("*/*")
    if harm == "truncated":
        file.write_bytes(file.read_bytes()[:-9])
    elif harm == "gone":
        file.unlink()
    elif harm == "index":
        index.write_text("{", encoding="utf-8")
    else:
        document = json.loads(index.read_text(encoding="utf-8"))
        if harm == "version":
            document["pyarrow"] = "0"
        else:
            document["files"]["facts"]["2021/00"] = "../../../etc/passwd"
        index.write_text(json.dumps(document), encoding="utf-8")
    assert len(received(refresh(out))) == 6
    assert contents(out / NAME) == whole


def test_where_nothing_can_be_written_it_is_made_elsewhere(out):
    (out / NAME).write_text("no folder", encoding="utf-8")
    with opened(out) as store:
        assert len(received(store)) == 6
        elsewhere = store.folder
    assert not elsewhere.exists()
    assert (out / NAME).read_text(encoding="utf-8") == "no folder"


def test_what_is_being_read_is_not_taken_away(out):
    with opened(out) as store:
        put(out, "b", 2021, "two", new=99)
        refresh(out)
        assert received(store)["b", "2021"] == 21
    refresh(out)
    put(out, "b", 2021, "three", new=98)
    assert received(refresh(out))["b", "2021"] == 98
    assert contents(out / NAME) == built_whole(out)


def test_writers_at_the_same_time_leave_it_whole(out):
    code = (
        "import sys; from pathlib import Path; from catalogues import publish, fact;"
        "from reportkit.catalogue.store import refresh\n"
        "for n in range(5):\n"
        "    publish(Path(sys.argv[1]), sys.argv[2], 2021, f'r{n}', facts=[fact('x', n)])\n"
        "    refresh(Path(sys.argv[1]))\n"
    )
    tests = str(__import__("catalogues").__file__).rsplit("/", 1)[0]
    writers = [
        subprocess.Popen([sys.executable, "-c", code, out, name], env={"PYTHONPATH": tests})
        for name in ("p", "q", "r")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert contents(out / NAME) == built_whole(out)
