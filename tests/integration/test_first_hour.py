"""The way of docs/explanation/first-hour.md, command by command, with an office's own workbooks."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from offices import applications, fill_all

from reportkit.text.narrative import UNWRITTEN

PAGE = (Path(__file__).parents[2] / "docs/explanation/first-hour.md").read_text("utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
(YAML,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# Of the table: the end of a heading in the text, and what is written below it.
WRITTEN = re.findall(r"^\| (（.）\S+|[五六]、\S+) \| (.+) \|$", PAGE, re.MULTILINE)


class Walk:
    """A terminal whose commands are those of the page, in their order."""

    def __init__(self, folder):
        self.folder, self.left = folder, list(COMMANDS)

    def type(self, begins, status=0):
        """The next command; it must begin so and end with this status."""
        words = shlex.split(self.left.pop(0))
        assert words[:2] == begins.split()
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return ""
        done = subprocess.run(
            [Path(sys.executable).parent / words[0], *words[1:]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_new_user_gets_to_their_own_report(tmp_path):
    walk = Walk(tmp_path)
    result = walk.type("reportkit init")
    assert f"cd yunling{os.linesep}" in result
    walk.type("cd yunling")

    ledgers = walk.folder / "data/yunling"
    fill_all(ledgers)
    applications(ledgers / "依申请公开台账2024.xlsx", wrong=True)
    result = walk.type("reportkit intake", status=2)
    assert "1 of 64 records of 依申请公开台账 are rejected" in result
    assert "2024年!10: 答复日期 reads '2024.02.30'" in result
    applications(ledgers / "依申请公开台账2024.xlsx", wrong=False)
    result = walk.type("reportkit intake")
    assert "依申请公开台账: 64 read, 63 accepted, 0 quarantined, 0 rejected, 1 set aside" in result
    assert "行政执法决定: 212 read, 212 accepted" in result

    result = walk.type("reportkit run")
    assert "made as a draft" in result
    assert "D6 warning: no passage is left to be written: 第一部分、第五部分、第六部分" in result

    reports = walk.folder / "params/reports/yunling"
    text = (reports / "2024.md").read_text("utf-8")
    for heading, written in WRITTEN:
        text, count = re.subn(rf"({heading}\n\n)[^#]*?{UNWRITTEN}.*?】", rf"\g<1>{written}", text)
        assert count == 1, heading
    assert UNWRITTEN not in text
    (reports / "2024.md").write_text(text, "utf-8")
    (reports / "2024.yaml").write_text(YAML, "utf-8")
    result = walk.type("reportkit run", status=2)
    assert (
        "there is no fact 't3.unable_1_not_held.totl'; nearest: t3.unable_1_not_held.total"
        in result
    )
    edit(reports / "2024.md", "not_held.totl", "not_held.total")
    result = walk.type("reportkit run", status=1)
    assert re.search(r"C1 error: .*举办业务培训【3】场", result)
    assert re.search(r"C2 info: .*training\.sessions", result)
    edit(reports / "2024.md", "培训3场", "培训{{ training.sessions }}场")
    result = walk.type("reportkit run")
    assert "made: outputs/yunling/2024/runs/" in result
    assert "60 件" in walk.type("reportkit explain")
    assert "holds" in walk.type("reportkit verify")
    assert walk.left == []

    run = walk.folder / "outputs/yunling/2024/current"
    facts = json.loads((run / "facts.json").read_text("utf-8"))["facts"]
    values = {fact["id"]: fact["value"] for fact in facts}
    # One of 63 was received and answered before 2024, two were carried over; three are open.
    assert [values[f"t3.{row}.total"] for row in ("new", "carried_in", "carried_out")] == [
        "60",
        "2",
        "3",
    ]
    assert values["t3.results_total.total"] == "59"
    assert values["t2.permits.decisions"] == "212"
    assert values["t2.fees.amount_wan"] == "0"
    assert (values["pub.total"], values["training.sessions"]) == ("480", "3")
    page = (run / "report.html").read_text("utf-8")
    assert "云政函〔2025〕1号" in page
    assert "草稿" not in page
