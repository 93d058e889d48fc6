"""Errors: a literal template, its values, and where it is."""

import ast
import json
import pickle
import string
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reportkit import errors
from reportkit.cli.command import cli, command
from reportkit.errors import HeadingError, InputError, ReportkitError

ROOT = Path(__file__).parents[2]
KINDS = {name for name, one in vars(errors).items()
         if isinstance(one, type) and issubclass(one, ReportkitError)}  # fmt: skip


def unjoined(path: Path) -> list[str]:
    """Calls whose text is no literal, or has a name that is not given."""
    found = []
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        of_system = getattr(call.func, "attr", "") == "on_refusal"
        if not (of_system or getattr(call.func, "id", "") in KINDS):
            continue
        text = call.args[1] if len(call.args) > 1 else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            found.append(f"{path.name}:{call.lineno}")
            continue
        given = {one.arg for one in call.keywords} | ({"problem"} if of_system else set())
        wanted = {
            name for _, name, _, _ in string.Formatter().parse(text.value) if name is not None
        }
        if None not in given and not wanted <= given:
            found.append(f"{path.name}:{call.lineno} {sorted(wanted - given)}")
    return found


@pytest.mark.parametrize("folder", ["src", "tools"])
def test_every_text_is_a_template_with_its_values(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert len(paths) > 5
    assert [message for path in paths for message in unjoined(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        'InputError("a", f"{b}")',
        'InputError("a", text)',
        'InputError("a", "{b}", c=1)',
        'InputError.on_refusal("a", text)',
    ],
)
def test_a_joined_text_is_seen(source, tmp_path):
    (tmp_path / "one.py").write_text(source, encoding="utf-8")
    assert len(unjoined(tmp_path / "one.py")) == 1


def test_a_text_is_joined_when_it_is_read():
    error = InputError("name", "'{name}' is not in {file}", name="{x}", file=Path("a/b"), line=None)
    assert error.message == "'{x}' is not in a/b"
    assert error.fields == {"file": "a/b"}
    assert str(error) == "'{x}' is not in a/b [name; file a/b]"


def test_an_error_goes_to_another_process_with_template_and_values():
    inner = InputError("inner", "no {what}", what="sheet")
    error = HeadingError("outer", "{file}: {why}", why=inner, file="a.xlsx", headings=["种类"])
    there = pickle.loads(pickle.dumps(error))
    assert (there.template, there.message) == ("{file}: {why}", "a.xlsx: no sheet")
    assert there.fields == {"file": "a.xlsx"}


@pytest.fixture
def failing():
    """A command that fails with what it is given, as one of ours."""

    def make(fault):
        @command()
        def broken():
            raise fault

        return broken

    yield make
    del cli.commands["broken"]


def test_an_unforeseen_fault_is_reported_without_persons(failing):
    done = CliRunner().invoke(failing(KeyError("张三 13812345678")), ["--json"])
    assert done.exit_code == 3
    assert "Traceback" in done.stderr
    assert "KeyError" in done.stderr
    assert not {"张三", "13812345678"} & set(done.stderr.replace("'", " ").split())
    assert "13812345678" not in done.stdout
    assert json.loads(done.stdout)["error"] == "internal"


def test_click_tells_its_own_errors(failing):
    done = CliRunner().invoke(failing(click.UsageError("no such year")), [])
    assert (done.exit_code, "Error: no such year" in done.stderr) == (2, True)
