"""Two real runs of one report: what differs, the chain between them, an old one put back."""

import json
import shutil
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from reportkit.cli import cli
from reportkit.proof.chain import check_chain
from reportkit.proof.diff import diff_runs
from reportkit.proof.difftext import as_page, as_text
from reportkit.proof.signing.trust import read_trusted
from reportkit.proof.verify import files_level

BAD = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def again(sealed, tmp_path_factory):
    """The project with one application turned into another kind, one publication taken out, a
    new text, and run again."""
    project = tmp_path_factory.mktemp("again") / "project"
    shutil.copytree(sealed.project, project, symlinks=True)
    path = project / "data/pingtan/applications-2021.parquet"
    table = pq.read_table(path)
    types, names = table["申请人类型"].to_pylist(), table["登记号"].to_pylist()
    row = types.index("自然人")
    types[row] = "科研机构"
    index = table.column_names.index("申请人类型")
    pq.write_table(table.set_column(index, "申请人类型", pa.array(types)), path)
    book = openpyxl.load_workbook(project / "data/pingtan/主动公开目录2021.xlsx")
    assert book.active["A3"].value == "SL-2021-000001"
    book.active.delete_rows(3)
    book.save(project / "data/pingtan/主动公开目录2021.xlsx")
    text = project / "params/reports/pingtan/2021.md"
    text.write_text(
        text.read_text(encoding="utf-8").replace("按季度开展检查", f"按季度检查{BAD}"),
        encoding="utf-8",
    )
    env = {"REPORTKIT_SIGNING_KEY_FILE": str(sealed.key)}
    made = type(sealed)(project, project, sealed.keys, sealed.key)
    done = made.reportkit("run", "pingtan", 2021, env=env)
    assert done.returncode in (0, 1), done.stderr
    place = project / "outputs/pingtan/2021"
    old = place / "runs" / sealed.run.name
    return old, (place / "current").resolve(), names[row], row + 1


def test_a_figure_with_the_records_that_came_and_went(again):
    old, new, name, line = again
    document = diff_runs(old, new)
    facts = {one["id"]: one for one in document["facts"]}
    record = {
        "key": name,
        "file": "data/pingtan/applications-2021.parquet",
        "place": str(line),
    }
    assert facts["t3.new.research"] == {
        "id": "t3.new.research",
        "label": facts["t3.new.research"]["label"],
        "from": "0",
        "to": "1",
        "by": "1",
        "percent": None,
        "came": [record],
        "went": [],
        "changed": [],
    }
    assert (facts["t3.new.natural_person"]["by"], facts["t3.new.natural_person"]["went"]) == (
        "-1",
        [record],
    )
    assert "t3.new.total" not in facts
    assert [one["name"] for one in document["inputs"]] == [
        "data/pingtan/applications-2021.parquet",
        "data/pingtan/主动公开目录2021.xlsx",
        "params/reports/pingtan/2021.md",
        "主动公开目录",
    ]
    texts = [one for one in document["narrative"] if "按季度" in one["from"][0]]
    assert texts[0]["name"] == "一、总体情况"
    assert texts[0]["from"][0].startswith("按季度开展检查")
    assert texts[0]["to"][0].startswith("按季度检查")
    # Those that hold as before are not listed, whatever numbers they name.
    assert {one["name"].split()[0] for one in document["checks"]} == {"C1", "C2", "P1"}
    assert document["parameters"] == [{"name": "draft", "from": False, "to": True}]
    assert document["code"] == document["environment"] == []


def test_records_that_only_moved_up_are_no_difference(again):
    old, new, *_ = again
    facts = {one["id"]: one for one in diff_runs(old, new)["facts"]}
    assert (facts["pub.total"]["by"], facts["pub.total"]["percent"]) == ("-1", None)
    (gone,) = facts["pub.total"]["went"]
    assert (gone["key"], gone["place"]) == ("SL-2021-000001", "台账!3")
    digests = [
        {one["id"]: one["rows_sha256"] for one in json.loads(text)["facts"]}
        for text in ((run / "facts.json").read_text(encoding="utf-8") for run in (old, new))
    ]
    moved = {name for name, sha256 in digests[0].items() if sha256 != digests[1][name]}
    assert "pub.explained" in moved - set(facts)


def test_of_another_year_only_figures_are_compared(again, tmp_path):
    """A run is given out as one of the year before."""
    old, new, *_ = again
    shutil.copytree(new, tmp_path / "other")
    for name in ("facts.json", "MANIFEST.json"):
        path = tmp_path / "other" / name
        document = json.loads(path.read_text(encoding="utf-8")) | {"year": 2020}
        path.write_text(json.dumps(document), encoding="utf-8")
    facts = {one["id"]: one for one in diff_runs(tmp_path / "other", old)["facts"]}
    assert facts["pub.total"]["by"] == "1"
    assert not any("came" in one for one in facts.values())
    text = as_text(diff_runs(tmp_path / "other", old))
    assert "fact pub.total: 2644 → 2645 (+1) 主动公开政府信息总量\nfact" in text


def test_nothing_differs_from_itself(again):
    document = diff_runs(again[0], again[0])
    assert as_text(document).endswith("nothing differs")


def test_the_page_says_the_same_and_runs_nothing(again, tmp_path):
    old, new, name, _ = again
    done = CliRunner().invoke(cli, ["diff", str(old), str(new), "--html", str(tmp_path / "d.html")])
    assert done.exit_code == 1
    assert "fact t3.new.research: 0 → 1 (+1)" in done.stdout
    assert f"  + {name} (data/pingtan/applications-2021.parquet:" in done.stdout
    page = (tmp_path / "d.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find_all(["script", "img", "link", "iframe"])
    assert "t3.new.research" in soup.get_text()
    assert name in soup.get_text()
    assert BAD in soup.get_text()


def test_ledgers_and_texts_are_only_text_on_the_page(again):
    document = diff_runs(again[0], again[1])
    document["facts"][0]["label"] = document["facts"][0]["id"] = BAD
    document["inputs"][0]["name"] = BAD
    document["runs"][0]["name"] = BAD
    assert not BeautifulSoup(as_page(document), "html.parser").find_all("script")


def test_the_second_run_names_the_first(again):
    old, new, *_ = again
    assert check_chain(new) == "1 earlier"
    manifest = json.loads((new / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["previous"]["run"] == old.name


def test_an_old_run_put_back_is_refused_although_signed(again, sealed, tmp_path):
    old, new, *_ = again
    place = tmp_path / "outputs/pingtan/2021"
    shutil.copytree(new.parents[1], place, symlinks=True)
    trusted = read_trusted(sealed.keys)
    assert files_level(place / "current", trusted).holds
    (place / "current").unlink()
    (place / "current").symlink_to(Path("runs") / old.name)
    verdict = files_level(place / "current", trusted)
    assert verdict.findings == (f"run {new.name} took its place, yet it is in force again",)
    shutil.rmtree(place / "runs" / old.name)
    verdict = files_level(place / "runs" / new.name, trusted)
    assert verdict.findings == (f"it follows run {old.name}, which is gone",)
