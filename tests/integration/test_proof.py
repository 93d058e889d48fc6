"""What proves a real run: record, crate, signature, and every level of ``verify``."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import requests

CONTEXT = Path(__file__).parents[1] / "data/proof/context.json"


def test_the_record_holds_what_an_auditor_needs(sealed):
    manifest = json.loads((sealed.run / "MANIFEST.json").read_text(encoding="utf-8"))
    assert (manifest["district"], manifest["name"], manifest["year"]) == (
        "pingtan", "平潭综合实验区", 2021,
    )  # fmt: skip
    assert manifest["basis"] == "国办公开办函〔2021〕30号"
    inputs = {one["name"] for one in manifest["inputs"]}
    assert {"params/districts/pingtan.yaml", "data/pingtan/行政执法决定2021.xlsx",
            "notebooks/annual_report.ipynb"} <= inputs  # fmt: skip
    (ledger,) = [one for one in manifest["ledgers"] if one["ledger"] == "applications"]
    assert (ledger["read"], ledger["accepted"], ledger["rejected"]) == (120, 120, 0)
    assert ledger["sources"][0]["encoding"] == "gb18030"
    assert manifest["source"]["git"] is None
    assert "RK-Song.ttf" in manifest["fonts"]
    assert manifest["environment"]["packages"]["pandas"].startswith("3.")
    assert manifest["figures"]["failing"] == []
    assert manifest["notebook"]["warnings"] == []
    types = {file["path"]: file["media_type"] for file in manifest["files"]}
    assert types["report.pdf"] == "application/pdf"


@pytest.fixture
def validator(monkeypatch, tmp_path):
    """roc-validator, with the terms that we use and without a network."""
    from rocrate_validator import services
    from rocrate_validator.utils.http import HttpRequester

    def get(self, url, **named):
        """What w3id.org would answer: the terms that we use, and no profile's page."""
        answer = requests.Response()
        answer.status_code = 200 if url.endswith("/context") else 404
        answer.headers["Content-Type"] = "application/ld+json"
        answer._content = CONTEXT.read_bytes()
        return answer

    def no_network(*arguments, **named):
        message = "a test asked the network"
        raise AssertionError(message)

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)

    def findings(folder):
        settings = services.ValidationSettings(
            rocrate_uri=str(folder), profile_identifier="process-run-crate",
            requirement_severity="REQUIRED", offline=True, cache_path=str(tmp_path / "cache"),
        )  # fmt: skip
        return [issue.message for issue in services.validate(settings).get_issues()]

    return findings


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib, inside the validator
def test_the_crate_has_no_required_finding(sealed, validator):
    assert validator(sealed.run) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_validator_would_say_so(sealed, validator, tmp_path):
    shutil.copytree(sealed.run, tmp_path / "run")
    path = tmp_path / "run/ro-crate-metadata.json"
    path.write_text(path.read_text("utf-8").replace('"instrument"', '"tool"'), encoding="utf-8")
    assert any("instrument" in message for message in validator(tmp_path / "run"))
