"""`reportkit preview`: a saved text is seen in the browser, a broken one told beside the last."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).parent / "reportkit")
# Milliseconds; a draft takes one second where nobody else works on the machine.
PATIENCE = 120_000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def address(project):
    """Return the address of the preview of 平潭 2021."""
    command = [COMMAND, "preview", "pingtan", "2021", "--port", str(free())]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as process:
        yield process.stderr.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("rk-preview-*/v*/*"))


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_saved_text_is_seen_and_a_broken_one_reported(chromium, project, address):
    text = project / "params/reports/pingtan/2021.md"
    before = text.read_text("utf-8")
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    draft = page.frame_locator("#draft")
    expect(draft.locator("h1")).to_contain_text("2021年", timeout=PATIENCE)
    expect(draft.locator(".notice.draft")).to_be_visible()
    expect(page.locator("#links a")).to_have_count(4, timeout=PATIENCE)

    text.write_text(before + "\n新写的一句：受理{{ t3.new.total }}件。\n", encoding="utf-8")
    expect(draft.locator("main")).to_contain_text("新写的一句：受理70件。", timeout=PATIENCE)

    text.write_text(before + "\n写错的{{ t3.new.totl }}。\n", encoding="utf-8")
    expect(page.locator("#error")).to_contain_text("nearest: t3.new.total", timeout=PATIENCE)
    expect(draft.locator("main")).to_contain_text("新写的一句")

    # As editors save: another file takes the place of the one before.
    other = text.with_suffix(".md.new")
    other.write_text(before + "\n改好了。\n", encoding="utf-8")
    other.replace(text)
    expect(draft.locator("main")).to_contain_text("改好了。", timeout=PATIENCE)
    expect(page.locator("#error")).to_be_hidden()
    text.write_text(before, encoding="utf-8")
    page.close()


def fetched(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as reply:
            return reply.status, dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_it_answers_to_its_own_name_with_its_own_files(address):
    status, headers = fetched(address)
    assert status == 200
    assert re.search(r"script-src 'sha256-[^ ]+';", headers["Content-Security-Policy"])
    assert fetched(address, Host="example.org")[0] == 403
    for path in ("v1/report.ipynb", "v1/../../../etc/passwd", "v1/evidence/%2e%2e/x.js", "x"):
        assert fetched(address + path)[0] == 404


def test_a_port_that_is_taken_is_refused(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [COMMAND, "preview", "pingtan", "2021", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "name another, or none [port" in done.stderr
