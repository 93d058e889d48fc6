"""Paths out of received files: none leads out of the folder that it is meant for."""

import json

import pytest

from reportkit.errors import InputError, ReportkitError
from reportkit.evidence.paths import inside
from reportkit.facts.previous import figures_of, sealed_facts
from reportkit.params import District, Project
from reportkit.proof.chain import check_batches
from reportkit.proof.places import ledger_place
from reportkit.proof.signing.envelope import envelope

OUTSIDE = [
    "/etc/passwd",
    "//etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "a/./x",
    "./x",
    "a//x",
    "a/",
    "",
    ".",
    "a\\x",
    "..\\x",
    "C:/x",
    "c:x",
    "a\0x",
    "a\nx",
    "a\u202ex",
    "a\u200bx",
    "a\ue000x",
    "a\ud800x",
    "．．/x",
    "‥/x",
    "．．／x",
    "x" * 256,
    "x/" * 600 + "x",
    None,
    7,
    ["x"],
    {"x": 1},
]


@pytest.mark.parametrize("name", OUTSIDE, ids=lambda name: ascii(name)[:20])
@pytest.mark.parametrize("own", [True, False])
def test_a_path_that_is_no_plain_one_is_refused(name, own, tmp_path):
    with pytest.raises(InputError) as error:
        inside(tmp_path, name, own=own)
    assert error.value.reason == "received-path"


@pytest.mark.parametrize(
    "name",
    ["x", "a/x.csv", "依申请公开台账2021.xlsx", "a/…/x", "a/.x", "a b/　x", "二○二一／上.csv"],
)
def test_plain_paths_are_what_they_say(name, tmp_path):
    assert inside(tmp_path, name) == tmp_path / name


def test_a_link_must_stay_in_a_received_folder(tmp_path):
    (tmp_path / "run/runs/x").mkdir(parents=True)
    (tmp_path / "run/current").symlink_to("runs/x")
    (tmp_path / "run/away").symlink_to(tmp_path)
    (tmp_path / "run/circle").symlink_to("circle")
    assert inside(tmp_path / "run", "current/facts.json").name == "facts.json"
    for name in ("away", "away/x", "circle/x"):
        with pytest.raises(InputError, match="by a link"):
            inside(tmp_path / "run", name)
    assert inside(tmp_path / "run", "away/x", own=True) == tmp_path / "run/away/x"


@pytest.mark.parametrize("shown", ["/etc/passwd", "data/../../etc/passwd", "data/a1/../../../x"])
def test_a_ledger_is_read_from_where_the_reader_says(shown, tmp_path):
    source, manifest = {"path": shown, "format": "csv"}, {"district": "a1"}
    with pytest.raises(InputError) as error:
        ledger_place(source, manifest, tmp_path / "data", tmp_path / "params")
    assert error.value.reason == "received-path"


def test_an_outside_ledger_is_read_if_the_district_names_it(tmp_path):
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.touch()
    (tmp_path / "project/params/districts").mkdir(parents=True)
    text = f"id: a1\nname: 甲区\nledgers:\n  fees: [{elsewhere}, ../beside.csv]\n"
    (tmp_path / "project/params/districts/a1.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "project/data").mkdir()
    (tmp_path / "project/beside.csv").touch()
    folders = (tmp_path / "project/data", tmp_path / "project/params")
    found = [
        ledger_place({"path": path, "format": "csv"}, {"district": "a1"}, *folders)
        for path in (str(elsewhere), "data/../beside.csv")
    ]
    assert found == [elsewhere, tmp_path / "project/data/../beside.csv"]


def test_a_batch_names_runs_below_its_own_folder(tmp_path):
    (tmp_path / "out/batches").mkdir(parents=True)
    (tmp_path / "MANIFEST.json").write_text("{}", encoding="utf-8")
    statement = {
        "subject": [{"name": "..", "digest": {"sha256": "0" * 64}}],
        "predicate": {"previous": None},
    }
    sealed = envelope(json.dumps(statement).encode(), {})
    (tmp_path / "out/batches/one.dsse.json").write_bytes(sealed)
    (result,) = check_batches(tmp_path / "out", None)
    assert result.startswith("batch one.dsse.json: the path '..' of a received file goes up")


def test_last_year_of_a_foreign_district_is_not_looked_for(tmp_path):
    project = Project(tmp_path / "params", tmp_path / "data")
    with pytest.raises(InputError, match="is no district id"):
        figures_of(project, District(id="../../etc", name="某区"), 2020, scope="district")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("../../../etc/apt", "is outside the project"),
        ("/etc/apt", "is outside the project"),
        ("..", "is outside the project"),
        ("fonts", "holds no typeface"),
        ("nowhere", "holds no typeface"),
    ],
)
def test_typefaces_are_in_the_project(folder, expected, tmp_path):
    params = tmp_path / "project/params"
    (params / "districts").mkdir(parents=True)
    (params / "fonts").mkdir()
    (params / "fonts/sources.list").touch()
    text = f"id: a1\nname: 甲区\nfonts:\n  folder: {folder}\n"
    (params / "districts/a1.yaml").write_text(text, encoding="utf-8")
    project = Project(params, tmp_path / "project/data")
    with pytest.raises(ReportkitError, match=rf"a1\.yaml:4: .*{expected}"):
        project.district("a1")
    for place in ("params/fonts/A.TTF", "own/b.otf"):
        (tmp_path / "project" / place).parent.mkdir(exist_ok=True)
        (tmp_path / "project" / place).touch()
    for named in ("fonts", "../own"):
        text = f"id: a1\nname: 甲区\nfonts:\n  folder: {named}\n"
        (params / "districts/a1.yaml").write_text(text, encoding="utf-8")
        assert project.district("a1").fonts.folder == named


@pytest.mark.parametrize("text", ["[" * 100_000, '{"facts": ' * 2_000, "7", '{"facts": [7]}', "{}"])
def test_facts_that_nobody_of_ours_wrote_are_reported(text, tmp_path):
    (tmp_path / "facts.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not as reportkit writes it"):
        sealed_facts(tmp_path)
