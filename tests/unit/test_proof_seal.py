"""Manifest, sums, signatures and chains, over small runs made by hand."""

import base64
import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from machine import program

from reportkit.errors import InputError, ReportkitError
from reportkit.proof.attestation import attest, check_attestation, sign_run, statement
from reportkit.proof.chain import check_batches, check_chain, in_force, seal_batch
from reportkit.proof.inspection import find_runs
from reportkit.proof.manifest import read_manifest, verify_files, write_manifest
from reportkit.proof.signing.envelope import open_envelope
from reportkit.proof.signing.keys import keygen, read_signer
from reportkit.proof.signing.settings import signer_from
from reportkit.proof.signing.trust import check_signatures, read_trusted
from reportkit.proof.verify import files_level

SHA = "0" * 64
TIME = "2026-01-02T03:04:05+00:00"


def record(run="20260102T030405Z-a", district="huli", previous=None):
    """The least that a manifest must say."""
    return {
        "run": run,
        "previous": previous,
        "district": district,
        "name": "湖里区",
        "code": "350206",
        "year": 2020,
        "edition": "2019",
        "basis": "国办公开办函〔2019〕60号",
        "scope": "district",
        "draft": False,
        "synthetic": True,
        "parameters": {"district": district, "year": 2020},
        "settings": [],
        "inputs_sha256": SHA,
        "inputs": [{"path": "a", "name": "data/a", "sha256": SHA, "bytes": 1, "modified": TIME}],
        "ledgers": [],
        "code_sha256": SHA,
        "source": {"git": None, "lock_sha256": None},
        "environment": {"python": "3.11.7", "system": "Linux", "packages": {"reportkit-zwgk": "1"}},
        "fonts": {"a.ttf": SHA},
        "holidays": {"first": "2018-01-01", "last": "2026-12-31"},
        "machine": {
            "host": "h",
            "user": "u",
            "os": "o",
            "cpu": "c",
            "cpus": 2,
            "locale": "C",
            "time_zone": "+0000",
            "variables": {},
            "peak_memory_bytes": 1,
        },
        "started": TIME,
        "ended": TIME,
        "seal": SHA,
        "figures": {"facts": 0, "facts_sha256": SHA, "checks": 0, "failing": []},
        "notebook": {"sha256": SHA, "normal_sha256": SHA, "warnings": []},
        "people": {"waivers": []},
    }


def make_run(place, run="20260102T030405Z-a", district="huli"):
    """A small run in a place, in force there."""
    folder = place / "runs" / run
    (folder / "evidence").mkdir(parents=True)
    for name in ("facts.json", "report.html", "evidence/t3.new.total.parquet"):
        (folder / name).write_text(f"{name} of {run}", encoding="utf-8")
    write_manifest(folder, record(run, district, in_force(place)))
    attest(folder)
    new = place / ".new"
    new.symlink_to(Path("runs") / run)
    new.replace(place / "current")
    return folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "outputs/huli/2020")


@pytest.fixture
def keys(tmp_path):
    """A preparer's and a reviewer's key, and the folder of both public ones."""
    made = {}
    for role in ("preparer", "reviewer"):
        (tmp_path / "trusted" / role).mkdir(parents=True)
        public, _ = keygen(tmp_path / f"{role}.key")
        shutil.copy(public, tmp_path / "trusted" / role / f"{role}-one.pub")
        made[role] = read_signer(tmp_path / f"{role}.key")
    return made, read_trusted(tmp_path / "trusted")


def refusal(folder):
    with pytest.raises(ReportkitError) as refused:
        verify_files(folder)
    assert (refused.value.reason, refused.value.exit_status) == ("run-changed", 2)
    return refused.value.message


EVIDENCE = "evidence/t3.new.total.parquet"
FILES = ["MANIFEST.json", "SHA256SUMS", "facts.json", "report.html", EVIDENCE]
ATTESTATION = "attestation.dsse.json"


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_byte_is_named(run, name):
    path = run / name
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 25)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert re.search(rf"{name}( or SHA256SUMS)? was changed", refusal(run))
    path.write_bytes(whole)
    verify_files(run)


@pytest.mark.parametrize("name", [*FILES[1:], ATTESTATION])
def test_a_removed_file_is_named(run, name):
    (run / name).unlink()
    assert f"{name} is missing" in refusal(run)


def test_a_run_without_manifest_is_none(run):
    (run / "MANIFEST.json").unlink()
    with pytest.raises(InputError, match=r"is no run: it has no MANIFEST\.json"):
        verify_files(run)


def test_a_run_that_lost_its_manifest_is_reported_among_others(run):
    (run / "MANIFEST.json").unlink()
    assert find_runs(run.parents[3]) == [run.parents[1] / "current"]
    verdict = files_level(run.parents[1] / "current")
    assert not verdict.holds
    assert "MANIFEST.json" in verdict.findings[0]


@pytest.mark.parametrize("name", [*FILES, ATTESTATION])
def test_a_link_in_place_of_a_file_is_named(run, name, tmp_path):
    shutil.move(run / name, tmp_path / "elsewhere")
    (run / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name} is a link" in refusal(run)


def test_what_was_added_is_named(run, tmp_path):
    (run / "evidence/more.parquet").write_text("", encoding="utf-8")
    (run / "empty").mkdir()
    (run / "linked").symlink_to(tmp_path)
    os.mkfifo(run / "pipe")
    message = refusal(run)
    for entry in (
        "evidence/more.parquet was added",
        "empty was added",
        "linked is a link",
        "pipe is a device",
    ):
        assert entry in message


def test_a_record_that_lacks_something_is_not_sealed(run):
    lacking = record()
    del lacking["machine"]["host"]
    with pytest.raises(ReportkitError, match=r"machine: data.machine must contain \['host'\]"):
        write_manifest(run, lacking)


def test_a_link_is_not_sealed(run, tmp_path):
    (run / "linked").symlink_to(tmp_path)
    with pytest.raises(ReportkitError, match="is a link that cannot be part of a run"):
        write_manifest(run, record())


def test_a_private_key_is_its_owners_alone(tmp_path):
    own = tmp_path / "keys" / "own.key"
    umask = os.umask(0)
    try:
        public, keyid = keygen(own)
    finally:
        os.umask(umask)
    assert own.stat().st_mode & 0o777 == 0o600
    assert public == own.with_name("own.key.pub")
    assert read_signer(own).keyid == keyid
    with pytest.raises(InputError, match="never written over"):
        keygen(own)
    own.chmod(0o640)
    with pytest.raises(InputError, match="can be read by others"):
        read_signer(own)


@pytest.mark.parametrize("inside", [".", "evidence", "..", "../..", "../../.."])
def test_no_key_is_made_among_runs(run, inside):
    with pytest.raises(InputError, match="keys are kept elsewhere"):
        keygen(run / inside / "own.key")


def test_the_environment_names_the_key(tmp_path):
    keygen(tmp_path / "own.key")
    assert signer_from({}) is None
    assert signer_from({"REPORTKIT_SIGNING_KEY_FILE": ""}) is None
    named = signer_from({"REPORTKIT_SIGNING_KEY_FILE": str(tmp_path / "own.key")})
    assert named.keyid == read_signer(tmp_path / "own.key").keyid
    with pytest.raises(InputError, match="no private key"):
        signer_from({"REPORTKIT_SIGNING_KEY_FILE": str(tmp_path / "none.key")})


def test_two_sign_and_nothing_else_changes(run, keys):
    signers, trusted = keys
    with pytest.raises(ReportkitError, match="nobody has signed") as refused:
        check_attestation(run, trusted)
    assert refused.value.reason == "unsigned"
    sign_run(run, signers["preparer"])
    before = {name: (run / name).read_bytes() for name in FILES}
    with pytest.raises(ReportkitError, match="not signed by any reviewer"):
        check_attestation(run, trusted)
    sign_run(run, signers["reviewer"])
    assert "preparer-one" in check_attestation(run, trusted)
    assert "reviewer-one" in check_attestation(run, trusted)
    assert check_attestation(run, None).startswith("2 of unknown keys")
    assert before == {name: (run / name).read_bytes() for name in FILES}
    verify_files(run)
    with pytest.raises(InputError, match="has signed"):
        sign_run(run, signers["reviewer"])


def test_nothing_is_signed_that_was_changed_after_the_first(run, keys):
    signers, _ = keys
    sign_run(run, signers["preparer"])
    (run / "facts.json").write_text("other", encoding="utf-8")
    write_manifest(run, record())
    with pytest.raises(InputError, match="is not this run"):
        sign_run(run, signers["reviewer"])


def test_what_nobody_has_signed_is_an_envelope_that_says_so(run):
    whole = (run / ATTESTATION).read_bytes()
    document = json.loads(whole)
    assert document["payloadType"] == "application/vnd.in-toto+json"
    assert base64.b64decode(document["payload"]) == statement(run)
    assert document["signatures"] == []
    verdict = files_level(run)
    assert verdict.holds
    assert "signed: by nobody" in verdict.notes[1]
    for at in range(0, len(whole), 17):
        (run / ATTESTATION).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not files_level(run).holds


def test_a_resealed_run_is_not_the_signed_one(run, keys):
    signers, trusted = keys
    for signer in signers.values():
        sign_run(run, signer)
    (run / "facts.json").write_text("other", encoding="utf-8")
    write_manifest(run, record())
    verify_files(run)
    with pytest.raises(ReportkitError, match="is not the one that it states"):
        check_attestation(run, trusted)


def test_the_statement_of_another_district_is_refused(run, keys, tmp_path):
    signers, trusted = keys
    other = make_run(tmp_path / "outputs/pingtan/2020", district="pingtan")
    for folder in (run, other):
        for signer in signers.values():
            sign_run(folder, signer)
    shutil.copy(other / "attestation.dsse.json", run / "attestation.dsse.json")
    with pytest.raises(ReportkitError, match="of pingtan 2020, not this one"):
        check_attestation(run, trusted)


def test_a_key_that_nobody_vouches_for_is_refused(run, keys, tmp_path):
    signers, trusted = keys
    for signer in signers.values():
        sign_run(run, signer)
    keygen(tmp_path / "third.key")
    sign_run(run, read_signer(tmp_path / "third.key"))
    with pytest.raises(ReportkitError, match="none of the trusted keys"):
        check_attestation(run, trusted)


def test_one_person_cannot_sign_in_two_roles(tmp_path):
    public, _ = keygen(tmp_path / "own.key")
    for role in ("preparer", "reviewer"):
        (tmp_path / "trusted" / role).mkdir(parents=True)
        shutil.copy(public, tmp_path / "trusted" / role / "one.pub")
    with pytest.raises(InputError, match="one key twice"):
        read_trusted(tmp_path / "trusted")


def test_of_ten_thousand_changed_envelopes_none_is_accepted(run, keys):
    signers, trusted = keys
    for signer in signers.values():
        sign_run(run, signer)
    path = run / "attestation.dsse.json"
    whole, chance = path.read_bytes(), random.Random(7)

    def accepted(content):
        try:
            check_signatures(*open_envelope(content), trusted)
        except ReportkitError:
            return False
        return True

    assert accepted(whole)
    seen = set()
    while len(seen) < 10_000:
        changed = bytearray(whole)
        at = chance.randrange(len(whole))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            changed[at:at] = bytes(chance.choices(b' \n"ab0=,{}[]', k=chance.randrange(1, 5)))
        else:
            other = chance.randrange(len(whole))
            changed[at], changed[other] = changed[other], changed[at]
        if bytes(changed) == whole:
            continue
        seen.add(bytes(changed))
        assert not accepted(bytes(changed))
    document = json.loads(whole)
    document["signatures"] = document["signatures"][:1]
    assert not accepted((json.dumps(document, indent=1) + "\n").encode())


@pytest.mark.parametrize("kind", ["openssl", "ssh-keygen"])
def test_other_programs_alone_verify_a_signature(kind, run, keys, tmp_path):
    """The recipe of the auditors' page, as it stands there."""
    for name in ("openssl", "ssh-keygen"):
        program(name)
    if kind == "openssl":
        sign_run(run, keys[0]["preparer"])
        names = ["preparer.key.pub", "reviewer.key.pub"]
    else:
        names = ["one.pub", "other.pub"]
        for name in names:
            key = tmp_path / name.removesuffix(".pub")
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
            subprocess.run(make, check=True)
        signer = {
            "REPORTKIT_SIGNER_COMMAND": f"ssh-keygen -q -Y sign -n reportkit -f {tmp_path}/one",
            "REPORTKIT_SIGNER_PUBLIC_KEY": str(tmp_path / "one.pub"),
        }
        sign_run(run, signer_from(signer))
    text = (Path(__file__).parents[2] / "docs/auditors.md").read_text(encoding="utf-8")
    recipe = text.split("```bash\n# openssl")[1].split("```")[0]

    def check(name):
        command = ["bash", "-eu", "-c", "# " + recipe, "bash", str(run), str(tmp_path / name)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = check(names[0])
    assert done.returncode == 0, done.stderr
    good = {
        "openssl": "Signature Verified Successfully",
        "ssh-keygen": 'Good "reportkit" signature',
    }
    assert good[kind] in done.stdout
    assert "facts.json: OK" in done.stdout
    assert check(names[1]).returncode != 0
    (run / "facts.json").write_text("another", encoding="utf-8")
    assert check(names[0]).returncode != 0
    write_manifest(run, record())  # sealed again, but not signed
    assert check(names[0]).returncode != 0


def test_a_run_names_the_one_it_took_the_place_of(run):
    place = run.parents[1]
    second = make_run(place, "20260103T030405Z-b")
    third = make_run(place, "20260104T030405Z-c")
    assert read_manifest(third)["previous"]["run"] == second.name
    assert check_chain(run) == "the first"
    assert check_chain(place / "current") == "2 earlier"


def test_a_run_that_is_gone_breaks_the_chain(run):
    place = run.parents[1]
    make_run(place, "20260103T030405Z-b")
    shutil.rmtree(run)
    with pytest.raises(ReportkitError, match=f"follows run {run.name}, which is gone"):
        check_chain(place / "current")


def test_an_earlier_run_that_was_made_again_breaks_the_chain(run):
    place = run.parents[1]
    make_run(place, "20260103T030405Z-b")
    (run / "facts.json").write_text("better", encoding="utf-8")
    write_manifest(run, record())
    with pytest.raises(ReportkitError, match="not the one that stands there now"):
        check_chain(place / "current")


def test_an_old_run_in_force_again_is_reported(run):
    place = run.parents[1]
    make_run(place, "20260103T030405Z-b")
    (place / "current").unlink()
    (place / "current").symlink_to(Path("runs") / run.name)
    with pytest.raises(ReportkitError, match=r"20260103T030405Z-b took its place, yet it is in"):
        check_chain(place / "current")


@pytest.fixture
def batches(run, keys):
    """Three batches over two districts, signed."""
    signers, _ = keys
    out = run.parents[3]
    for number in range(3):
        current = [
            make_run(out / district / "2020", f"2026020{number}T030405Z-x", district)
            for district in ("huli", "pingtan")
        ]
        seal_batch(out, current, name=f"2026020{number}", signer=signers["preparer"])
    return out


def test_batches_are_chained(batches, tmp_path):
    trusted = read_trusted(tmp_path / "trusted/preparer")
    assert check_batches(batches, trusted) == []
    (batches / "batches/20260201.dsse.json").unlink()
    assert check_batches(batches, trusted) == [
        "batch 20260202.dsse.json follows 20260201.dsse.json, not the one that stands before it"
    ]


def test_the_batch_misses_a_run_cut_out_with_successors(batches):
    place = batches / "huli/2020"
    (place / "current").unlink()
    (place / "current").symlink_to("runs/20260201T030405Z-x")
    shutil.rmtree(place / "runs/20260202T030405Z-x")
    assert check_chain(place / "current") == "2 earlier"
    result = check_batches(batches, None)
    assert "batch 20260202.dsse.json: run huli/2020/runs/20260202T030405Z-x is gone" in result
    assert "huli/2020/current is run 20260201T030405Z-x, older than the last batch says" in result


def test_a_batch_signed_by_nobody_known_is_reported(batches, tmp_path):
    keygen(tmp_path / "third.key")
    (tmp_path / "others").mkdir()
    shutil.copy(tmp_path / "third.key.pub", tmp_path / "others")
    result = check_batches(batches, read_trusted(tmp_path / "others"))
    assert len(result) == 3
    assert "none of the trusted keys" in result[0]


def test_the_statement_is_plain_json_with_whole_numbers(run):
    document = json.loads(statement(run))
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["predicate"]["buildDefinition"]["externalParameters"]["year"] == 2020
    assert b"2020.0" not in statement(run)


def put_in_force_again(place, older):
    """The files of an older run in a folder named `current`."""
    (place / "current").unlink()
    shutil.copytree(older, place / "current")


def stand_under(place, run, district, year):
    """A whole run under the folder of another district or year."""
    other = place.parents[1] / district / year
    (other / "runs").mkdir(parents=True)
    shutil.copytree(run, other / "runs" / run.name)
    (other / "current").symlink_to(f"runs/{run.name}")
    return other


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (lambda place, run: put_in_force_again(place, run), "current is a folder"),
        (
            lambda place, run: (
                (place / "current").unlink(),
                shutil.copytree(run, place / run.name),
                (place / "current").symlink_to(run.name),
            ),
            "which is not in runs/ beside it",
        ),
        (
            lambda place, run: (run.rename(run.with_name("later")), link(place, "later")),
            "/later holds the run 20260102T030405Z-a of huli 2020",
        ),
    ],
    ids=["a folder", "a link elsewhere", "another name"],
)
def test_current_is_a_link_to_a_run_in_runs(move, expected, run):
    place = run.parents[1]
    move(place, run)
    verdict = files_level(place / "current")
    assert not verdict.holds
    assert expected in verdict.findings[0]


def link(place, run):
    (place / "current").unlink()
    (place / "current").symlink_to(f"runs/{run}")


@pytest.mark.parametrize(("district", "year"), [("pingtan", "2020"), ("huli", "2021")])
def test_a_run_under_another_folder_is_refused(district, year, run):
    other = stand_under(run.parents[1], run, district, year)
    result = f"under {district}/{year} stands the run {run.name} of huli 2020"
    for path in (other / "current", other / "runs" / run.name):
        assert files_level(path).findings == (result,)
    # The folder of the district can be a link, too.
    shutil.rmtree(other)
    other.symlink_to(run.parents[1])
    assert files_level(other / "current").findings == (result,)
    assert files_level(run).holds


def test_a_run_whose_manifest_says_a_key_twice_is_refused(run):
    path = run / "MANIFEST.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"year": 2020', '"year": 2021,\n "year": 2020', 1), "utf-8")
    document = "MANIFEST.json was changed: it is no JSON: the key 'year' stands twice"
    assert files_level(run).findings == (document,)
    path.write_text("[" * 100_000, encoding="utf-8")
    assert files_level(run).findings == (
        "MANIFEST.json was changed: it is nested more than 50 deep",
    )


@pytest.mark.parametrize("name", ["../../../pingtan/2020/runs/x", "/etc", "x/../y"])
def test_no_earlier_run_is_looked_for_elsewhere(name, run):
    made = record("20260103T030405Z-b", previous={"run": name, "manifest_sha256": SHA})
    with pytest.raises(ReportkitError, match="previous"):
        write_manifest(run, made)
