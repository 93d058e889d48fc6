"""Code knows no row, no ledger and no label of a form: they are data."""

import ast
import re
from pathlib import Path

import pytest

from reportkit.forms import shipped_form
from reportkit.forms.form import shipped_names
from reportkit.ledgers import schemas

SOURCE = Path(__file__).resolve().parents[2] / "src/reportkit"
# Words of every table and of Python besides.
COMMON = {"总计", "合计", "其他"}
# What stands in a column of persons for somebody who is not told.
STANDING = {"不予公开"}
KEYS = {
    "amount",
    "total",
    "other",
    "new",
    "items",
    "documents",
    "made",
    "count",
    "accepted",
    "refused",
    "stopped",
}


def texts(path: Path) -> list[tuple[int, str]]:
    """Texts of a module by line, but for what docstrings say."""
    tree = ast.parse(path.read_text("utf-8"))
    result = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    # What stands alone is a docstring of a value.
    result |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in result
    ]


def names(form) -> tuple[set[str], set[str]]:
    """Keys and labels of a form: of rows, columns, sections and ledgers, and what it is called."""
    nodes = [
        node
        for edition in form.editions
        for table in edition.tables.values()
        for _, row, column in table.places()
        for node in (*row.path, *column.path)
    ]
    keys = {node.key for node in nodes if node.key} | set(schemas(form))
    labels = {node.label for node in nodes} | {one.name for one in schemas(form).values()}
    labels |= {section.title for edition in form.editions for section in edition.sections}
    labels |= {form.model.title, form.model.law}
    return keys - KEYS, {label for label in labels if len(label) > 2} - COMMON - STANDING


# What the shipped forms are about: no code and no page speaks of it.
SUBJECTS = re.compile(
    "申请|答复|补正|延期|主动公开|复议|诉讼|处罚|许可|强制|收费|采购|规范性文件|新收|结转|办结[^理]|条例"
)
# Words by which persons and numbers in any text are told apart; and mappings of certain systems.
ABOUT_TEXTS = ("persons/", "ledgers/protecting.py", "text/coverage.yaml", "ledgers/mappings/")
# A rule of any form says 办结 of whatever has a limit.
SAID = {"办结": ("checks/rules.yaml",)}
COMMENTS = re.compile(r"(^|\s)(#|//).*|/\*.*?\*/|\{#.*?#\}|<!--.*?-->")


def lines(path: Path) -> list[tuple[int, str]]:
    """Texts of a module, or lines of another file, but for comments."""
    if path.suffix == ".py":
        return texts(path)
    whole = path.read_text("utf-8").splitlines()
    return [(number, COMMENTS.sub("", line)) for number, line in enumerate(whole, start=1)]


def test_nothing_outside_forms_speaks_of_their_subjects():
    found = []
    for path in sorted(SOURCE.rglob("*")):
        name = path.relative_to(SOURCE).as_posix()
        ours = name.startswith("forms/") and path.suffix != ".py"
        kinds = (".py", ".yaml", ".j2", ".js", ".css", ".html", ".typ", ".json", ".sql", ".ipynb")
        if path.suffix not in kinds or ours or name.startswith(ABOUT_TEXTS):
            continue
        found += [
            f"{name}:{line}: {text.strip()[:60]}"
            for line, text in lines(path)
            for word in SUBJECTS.findall(text)
            if name not in SAID.get(word[:2], ())
        ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["涉及申请5件", "主动公开总量", "年末未答复", "t3.new.total: 新收", "行政处罚"]
)
def test_words_that_once_stood_in_code_are_seen(text):
    assert SUBJECTS.search(text)


@pytest.mark.parametrize("name", shipped_names())
def test_no_module_names_anything_of_a_form(name):
    keys, labels = names(shipped_form(name))
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text[:60]}"
        for path in sorted(SOURCE.rglob("*.py"))
        for line, text in texts(path)
        if text in keys | labels or any(label in text for label in labels)
    ]
    assert found == []
