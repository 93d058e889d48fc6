"""Ways in which our tests run: their seeds, and tests that lack a program."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import machine
import pytest

TESTS = Path(__file__).parents[1]
RANDOM = """
import random
from hypothesis import given, strategies as st
drawn = []
@given(st.integers())
def test_drawn(number): drawn.append(number)
def test_reported():
    test_drawn()
    print("numbers", random.random(), sum(drawn))
"""
SKIPPED = "import pytest\ndef test_it(): pytest.skip('no such program')\n"


@pytest.fixture
def suite(tmp_path):
    """Run one test under our conftest; returns what pytest said."""
    shutil.copy(TESTS / "conftest.py", tmp_path)

    def run(source, *options, **environment):
        (tmp_path / "test_one.py").write_text(source, "utf-8")
        command = [sys.executable, "-m", "pytest", "-rA", "--rootdir", tmp_path, *options, tmp_path]
        known = {name: value for name, value in os.environ.items() if name != "CI"}
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=known | environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    return run


def test_random_numbers_repeat_unless_another_seed_is_given(suite):
    def numbers(*options):
        return re.findall("^numbers .*", suite(RANDOM, *options), flags=re.M)

    other = ("--hypothesis-profile=random", "--hypothesis-seed=7", "--randomly-seed=7")
    fixed, chosen = numbers(), numbers(*other)
    assert (len(fixed), len(chosen)) == (1, 1)
    assert (numbers(), numbers(*other)) == (fixed, chosen)
    assert fixed != chosen


def test_what_is_skipped_has_failed_in_ci(suite):
    assert "1 skipped" in suite(SKIPPED)
    result = suite(SKIPPED, CI="1")
    assert "1 failed" in result
    assert "no such program" in result


def test_a_program_that_cannot_be_installed_is_named(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setitem(machine.PACKAGES, "nonesuch", "nonesuch-server")
    with pytest.raises(pytest.skip.Exception, match="run: apt-get install nonesuch-server"):
        machine.program("nonesuch")
