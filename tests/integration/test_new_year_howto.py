"""The commands of docs/how-to/new-year.md, run as they stand there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def test_the_commands_of_the_how_to_work(tmp_path):
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(BIN)
    text = (ROOT / "docs/how-to/new-year.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *\$ (.+)$", text, re.M)
    assert [command.split()[1] for command in commands[:4]] == ["new", "intake", "run", "explain"]
    messages = {}
    for command in commands:
        done = subprocess.run(
            command.split(), cwd=tmp_path, capture_output=True, text=True, check=False
        )
        # A year without records makes a report with findings (1); it does not fail.
        assert done.returncode in (0, 1), (command, done.stderr)
        messages[command.split()[1]] = done.stdout
        if "new" in command.split():
            path = tmp_path / "params/reports/pingtan/2022.yaml"
            left = path.read_text(encoding="utf-8").replace("value: ,", "value: 0,")
            stated = left.replace("stated_on: }", "stated_on: 2023-01-10}")
            path.write_text(stated, encoding="utf-8")
    shown = re.search(r"^made from.*?^next: .*?$", text, re.M | re.S)
    assert shown
    known = set(messages["new"].splitlines())
    assert [line for line in shown[0].splitlines() if line != "…" and line not in known] == []
    # 平潭 carried one application of 2021 over, and received none in the ledgers of 2022.
    assert re.search(
        r"value +0 件\n +last year +70 件, .* \(published report of 2021\)", messages["explain"]
    )
