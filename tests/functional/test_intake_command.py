"""Output of `reportkit intake` on a terminal, in a pipe and as JSON."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [Path(sys.executable).parent / "reportkit", "intake", "huli", "2020"]
FOLDERS = ["--params", ROOT / "params", "--data", ROOT / "data"]
NOTICE = (
    "REPORTKIT_PRIVACY_KEY_FILE is not set: pseudonyms are of a key for this session only, "
    "those of another run differ\n"
)


def intake(*options, **environment):
    kept = {k: v for k, v in os.environ.items() if k != "REPORTKIT_PRIVACY_KEY_FILE"}
    made = subprocess.run(
        [*COMMAND, *FOLDERS, *options], env=kept | environment, capture_output=True, check=True
    )
    return made.stdout.decode(), made.stderr.decode()


def test_a_pipe_is_reported_only_of_the_session_key():
    out, document = intake("--json")
    assert document == NOTICE
    assert json.loads(out)["ledgers"][0]["read"] == 76


def test_a_table_that_no_ledger_is_named_like_is_reported(tmp_path):
    (tmp_path / "huli").mkdir()
    (tmp_path / "huli/申请台账2020.csv").write_text("登记号\n")
    command = [*COMMAND[:-1], "--params", ROOT / "params", "--data", tmp_path]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 2
    assert "huli/申请台账2020.csv: not read" in made.stdout + made.stderr
    assert "no ledger is in" in made.stdout + made.stderr


def test_a_key_that_is_kept_needs_no_words(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    assert intake(REPORTKIT_PRIVACY_KEY_FILE=str(key))[1] == ""


def test_a_terminal_sees_how_far_it_is():
    terminal, other = pty.openpty()
    with subprocess.Popen([*COMMAND, *FOLDERS], stderr=other, stdout=subprocess.DEVNULL) as made:
        os.close(other)
        seen = b""
        try:
            while part := os.read(terminal, 4096):
                seen += part
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(terminal)
    assert made.returncode == 0
    assert "data/huli/依申请公开台账2020.xlsx: 76 rows" in seen.decode()
