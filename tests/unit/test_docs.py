"""The documentation says what the code does: pages made from it, commands and links that exist."""

import ast
import doctest
import re
import shlex
from importlib import import_module
from pathlib import Path

import layers
import pytest
import reference
from click import Group, Option
from reference import PAGES, described, reason_codes, reasons

from reportkit.cli import cli

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/reportkit"
TEXTS = [
    ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_made_from_the_code(name: str):
    assert (ROOT / "docs/reference" / name).read_text("utf-8") == PAGES[name](), (
        "give `make reference`"
    )


def test_every_reason_code_is_explained():
    assert reasons().keys() == reason_codes().keys(), "see tools/reasons.yaml"


def test_codes_are_found_however_they_reach_an_error():
    source = """
def refuse(message, reason): raise InputError(reason, message)
def act():
    refuse("no", "as-argument")
    raise ExecutionError("as-literal", "no")
    reason = "one-way" if full else "other-way"
    state, reason = "failed", "as-pair"
    Result(reason="as-keyword", message="no code")
    because = "no-code"
"""
    found = {code for code, _ in reference._codes(ast.parse(source))}
    assert found == {
        "as-argument",
        "as-literal",
        "one-way",
        "other-way",
        "as-pair",
        "as-keyword",
    }


@pytest.mark.parametrize("model", [m for models in reference._FILES.values() for m in models])
def test_every_key_of_a_parameter_file_is_described(model):
    result = [name for names, _, _ in described(model) for name in names]
    assert sorted(result) == sorted(model.model_fields)
    assert all(meaning for _, _, meaning in described(model))


def imports() -> set[tuple[str, str]]:
    """Which part of the package names which in an import, read from the text of the source."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reportkit."):
                found.add((own, str(node.module).split(".")[1]))
    return {(a, b) for a, b in found if a not in (b, "__init__")}


def test_the_picture_shows_the_imports():
    drawn_text = layers.PICTURE.read_text("utf-8")
    assert drawn_text == layers.picture(), "give `make reference`"
    drawn = set(re.findall(r'data-from="(\w+)" data-to="(\w+)"', drawn_text))
    real = imports()
    for name in {part for arrow in real for part in arrow}:
        assert layers.below(name, drawn) == layers.below(name, real), name


def test_the_table_of_rooms_names_each_part():
    text = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    table = text.partition("| room | holds |")[2].partition("\n\n")[0]
    heads = re.findall(r"^\| (`.*?`) \|", table, flags=re.M)
    named = [name for head in heads for name in re.findall(r"\w+", head)]
    assert sorted(named) == sorted(name for row in layers.rows() for name in row if name[0] != "_")


def commands(text: str) -> list[list[str]]:
    """Every call of reportkit or make in code of a text, in words."""
    blocks = re.findall(r"^ *```(?:console|sh|bash)\n(.*?)^ *```", text, flags=re.M | re.S)
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", prose)]
    calls = []
    for line in lines:
        match = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(reportkit|make)(?= |$)(.*)", line)
        if match:
            calls.append([match[1], *shlex.split(match[2].replace("…", ""), comments=True)])
    return calls


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_that_are_named_exist(path: Path):
    assert isinstance(cli, Group)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    for program, *words in commands(path.read_text("utf-8")):
        if program == "make":
            assert {word for word in words if "=" not in word} <= targets, words
        elif words and not words[0].startswith("-"):
            name = words[0].rstrip(",")
            assert name in cli.commands, f"reportkit {name}"
            known = {o for p in cli.commands[name].params if isinstance(p, Option) for o in p.opts}
            used = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
            assert used <= known | {"--help"}, f"reportkit {name}: {used - known}"


@pytest.mark.parametrize("path", TEXTS[:3], ids=lambda path: path.name)
def test_links_of_the_front_pages_exist(path: Path):
    """Links inside docs/ are followed by `make docs`, which a functional test runs."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", path.read_text("utf-8"))
    for link in {one or other for one, other in links}:
        if not re.match(r"https?://", link):
            assert (ROOT / link).exists(), link


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_the_repository_that_are_named_exist(path: Path):
    """But for ``params/``, ``data/`` and ``outputs/``, which are a project's own."""
    places = r"`((?:src|tests|tools|benchmarks|notebooks|docs|fonts|\.ci)/[^`<\s]*)`"
    for name in re.findall(places, path.read_text("utf-8")):
        assert list(ROOT.glob(name.rstrip("/"))), name


EXAMPLES = [path for path in sorted(SOURCE.rglob("*.py")) if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_in_docstrings_run(path: Path):
    module = import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    failed, attempted = doctest.testmod(module)
    assert attempted
    assert not failed


def test_the_walk_and_the_questions_name_files_that_are_there():
    text = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    tables = text.partition("## The way of one row")[2].partition("## Laws")[0]
    rows = [line.split("|") for line in tables.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([\w./]+)`", row[-2]) if "." in name}
    assert len(named) > 30
    folders = [SOURCE, SOURCE / "ledgers", SOURCE / "ledgers/readers", ROOT]
    assert [one for one in sorted(named) if not any((at / one).exists() for at in folders)] == []


# The stranger's test: what somebody would look for, and a word that the file must hold.
ANSWERS = {
    "结转": "continues", "GBK": "gb18030", "Word": "tblHeader", "exit status": "exit_status",
    "holidays": "国务院办公厅", "signature": "payload", "columns of a ledger": "申请人类型",
    "counts as nothing": "nothing", "a reply may take": "20", "placeholder": "wan",
    "ends early": "stop_after", "identity number": "18",
}  # fmt: skip


def test_a_stranger_finds_it_at_the_first_guess():
    text = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    table = text.partition("| question | look in |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == len(ANSWERS) == 12
    for (word, held), row in zip(ANSWERS.items(), rows, strict=True):
        first = re.findall(r"`([\w./]+)`", row[2])[0]
        assert word in row[1]
        assert held in (SOURCE / first).read_text("utf-8"), row[1]
