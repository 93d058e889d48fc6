"""Runs that somebody else hands over: nothing in them is executed, read or written elsewhere."""

import json

import nbformat
import pytest
from forging import copy_run

from reportkit.proof.attestation import attest
from reportkit.proof.inspection import Asked, inspect
from reportkit.proof.manifest import digest, write_manifest
from reportkit.proof.rerun import rerun_level
from reportkit.proof.signing.keys import read_signer
from reportkit.proof.verify import data_levels, files_level


@pytest.fixture
def copy(sealed, tmp_path):
    return copy_run(sealed.run, tmp_path / "foreign")


def sealed_anew(run, change, signer=None):
    """The run with its manifest changed, as anybody can who can write there."""
    manifest = json.loads((run / "MANIFEST.json").read_text(encoding="utf-8"))
    del manifest["files"], manifest["schema"]
    change(manifest)
    write_manifest(run, manifest)
    attest(run, signer)


def hostile_notebook(run, mark):
    """The run's notebook with a cell that leaves a mark; its digest."""
    notebook = nbformat.read(run / "report.ipynb", as_version=4)
    cell = nbformat.v4.new_code_cell(f"open({str(mark)!r}, 'w').close()", id="hostile")
    notebook.cells.insert(2, cell)
    nbformat.write(notebook, run / "report.ipynb")
    return digest(run / "report.ipynb")


def notebook_input(manifest):
    return next(one for one in manifest["inputs"] if one["name"].endswith(".ipynb"))


NAMES = [
    "notebooks/x/../annual_report.ipynb",
    "notebooks/annual_report.ipynb",
    "notebooks/other.ipynb",
    "params/../notebooks/annual_report.ipynb",
    "notebooks/../../../../../../tmp/annual_report.ipynb",
    "annual_report.ipynb",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_of_a_foreign_run_is_not_executed(name, sealed, copy, tmp_path):
    sha256 = hostile_notebook(copy, tmp_path / "executed")

    def change(manifest):
        one = notebook_input(manifest)
        one |= {"name": name, "path": str(copy / "report.ipynb"), "sha256": sha256}
        manifest["notebook"]["sha256"] = sha256

    sealed_anew(copy, change)
    assert files_level(copy).holds
    asked = Asked(data=sealed.project / "data", params=sealed.project / "params", rerun=True)
    result = inspect(copy, asked, closely=True).levels[-1]
    assert (result.level, result.holds, result.notes) == ("rerun", False, ("nothing was executed",))
    assert any("--trust-notebook" in one for one in result.findings)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("trust", ["--trust-notebook", "--keys"])
def test_the_notebook_of_a_trusted_run_is_executed(trust, sealed, copy, tmp_path):
    sha256 = hostile_notebook(copy, tmp_path / "executed")

    def change(manifest):
        notebook_input(manifest)["sha256"] = manifest["notebook"]["sha256"] = sha256

    sealed_anew(copy, change, read_signer(sealed.key))
    trusted = {"--keys": {"keys": sealed.keys}, "--trust-notebook": {"trust_notebook": True}}
    folders = {"data": sealed.project / "data", "params": sealed.project / "params"}
    result = inspect(copy, Asked(**folders, rerun=True, **trusted[trust]), closely=True).levels[-1]
    assert (tmp_path / "executed").exists()
    assert result.notes == ("executed in a kernel forked from a warm process",)
    # Its cell comes out with the output that the run had none of.
    assert any("(hostile) comes out otherwise" in one for one in result.findings)


@pytest.mark.parametrize(
    "name",
    [
        "params/../../outside/anything",
        "data/../../../outside/anything",
        "out/../../outside/anything",
        "../outside/anything",
        "/outside/anything",
        "fonts/../../outside",
        "params\\..\\anything",
        "C:/anything",
    ],
)
def test_an_input_outside_its_folder_is_not_copied(name, sealed, copy, tmp_path):
    source = sealed.project / "params/districts/pingtan.yaml"

    def change(manifest):
        one = dict(manifest["inputs"][0])
        one |= {"name": name, "path": str(source), "sha256": digest(source)}
        manifest["inputs"].append(one)

    sealed_anew(copy, change)
    before = sorted(path for path in tmp_path.rglob("*") if "foreign" not in path.parts)
    result = rerun_level(copy, data=sealed.project / "data", params=sealed.project / "params")
    assert not result.holds
    assert len(result.findings) == 1
    assert "of a received file" in result.findings[0]
    assert sorted(path for path in tmp_path.rglob("*") if "foreign" not in path.parts) == before


@pytest.mark.parametrize("folder", ["..", "notebooks", "a/.."])
def test_folders_of_a_foreign_run_stay_in_the_clean_place(folder, sealed, copy):
    def change(manifest):
        manifest["parameters"]["params"] = folder

    sealed_anew(copy, change)
    result = rerun_level(copy, data=sealed.project / "data", params=sealed.project / "params")
    assert (result.holds, result.notes) == (False, ("nothing was executed",))


def test_nothing_is_read_from_the_path_of_an_input(sealed, copy, tmp_path):
    (tmp_path / "secret.yaml").write_text("a: 1\n", encoding="utf-8")

    def change(manifest):
        one = dict(manifest["inputs"][0])
        one |= {"name": "extra/secret.yaml", "path": str(tmp_path / "secret.yaml")}
        manifest["inputs"].append(one | {"sha256": digest(tmp_path / "secret.yaml")})

    sealed_anew(copy, change)
    result = rerun_level(copy, data=sealed.project / "data", params=sealed.project / "params")
    assert result.findings == ("extra/secret.yaml is not here",)


@pytest.mark.parametrize("path", ["/etc/passwd", "data/../../outside.csv", "../x.csv"])
def test_a_ledger_that_leaves_the_data_folder_is_reported(path, sealed, copy):
    def change(manifest):
        manifest["ledgers"][0]["sources"][0]["path"] = path

    sealed_anew(copy, change)
    ledgers, _ = data_levels(copy, data=sealed.project / "data", params=sealed.project / "params")
    assert ledgers.holds is None
    assert any("of a received file" in note for note in ledgers.notes), ledgers.notes


@pytest.mark.parametrize("evidence", ["/etc/passwd", "evidence/../../x.parquet", "..", 7])
def test_evidence_that_leaves_the_run_is_reported(evidence, sealed, copy):
    document = json.loads((copy / "facts.json").read_text(encoding="utf-8"))
    fact = next(fact for fact in document["facts"] if fact["evidence"])
    fact["evidence"] = evidence
    (copy / "facts.json").write_text(json.dumps(document), encoding="utf-8")
    sealed_anew(copy, lambda _: None)
    _, facts = data_levels(copy, data=sealed.project / "data", params=sealed.project / "params")
    assert not facts.holds
    assert any("of a received file" in finding for finding in facts.findings), facts.findings


def test_a_previous_run_elsewhere_is_not_followed(sealed, copy):
    manifest = json.loads((copy / "MANIFEST.json").read_text(encoding="utf-8"))
    manifest["previous"] = {"run": "../../x", "manifest_sha256": "0" * 64}
    (copy / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    (result,) = files_level(copy).findings
    assert result.startswith("MANIFEST.json was changed: previous")
