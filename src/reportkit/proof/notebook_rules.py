"""Rules for writing a notebook that gives the same bytes when it is executed again."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import Field, RootModel

from reportkit.language import Message
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Calls whose result has the order of their argument.
_ORDERED = {
    "print", "display", "list", "tuple", "str", "repr", "enumerate", "map", "filter", "zip", "iter",
    "next", "join",
}  # fmt: skip


class _Rule(Strict):
    id: str
    message: str
    calls: list[str] = Field(default_factory=list)
    methods: list[str] = Field(default_factory=list)

    def forbids(self, name: str) -> bool:
        return any(
            name == call or (call[-1] == "." and name.startswith(call)) for call in self.calls
        )


class _Rules(RootModel[list[_Rule]]):
    pass


@cache
def _rules() -> list[_Rule]:
    path = Path(str(files("reportkit.proof"))) / "notebook_rules.yaml"
    return read_yaml(path).validate(_Rules).root


@dataclass(frozen=True)
class NotebookFinding:
    """A place in a notebook that breaks a rule."""

    cell: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return Message(
            "cell {cell}, line {line}: {message} [{rule}]",
            cell=self.cell,
            line=self.line,
            message=self.message,
            rule=self.rule,
        )


def lint(notebook: Mapping[str, Any]) -> list[NotebookFinding]:
    """List what in a notebook could give other bytes when it is executed again.

    Parameters
    ----------
    notebook : mapping
        A notebook of nbformat 4, executed or not.

    Returns
    -------
    list of NotebookFinding
        In the order of the cells; rules are in ``notebook_rules.yaml``, and besides them
        ``B-shell`` (a line of shell or magic), ``B-order`` (the order of a set is shown).
    """
    findings: list[NotebookFinding] = []
    aliases: dict[str, str] = {}
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        name = str(cell.get("id") or number)
        lines = "".join(cell["source"]).splitlines()
        for at, line in enumerate(lines):
            if re.match(r"\s*[!%?]|.*\?\s*$", line) or re.search(r"=\s*[!%]", line):
                message = Message("a line of shell or magic, which is no Python")
                findings.append(NotebookFinding(name, at + 1, "B-shell", message))
                # What begins with any white space, or none, always matches.
                lines[at] = line[: len(line) - len(line.lstrip())] + "pass"
        try:
            tree = ast.parse("\n".join(lines))
        except SyntaxError as error:
            message = Message("is no Python: {msg}", msg=error.msg)
            findings.append(NotebookFinding(name, error.lineno or 1, "B-syntax", message))
            continue
        aliases |= _imports(tree)
        places = {(f.line, f.rule, f.message): f for f in _broken_rules(tree, name, aliases)}
        findings += [places[key] for key in sorted(places)]
    return findings


def _imports(tree: ast.Module) -> dict[str, str]:
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                aliases[alias.asname or package] = alias.name if alias.asname else package
        elif isinstance(node, ast.ImportFrom):
            aliases |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    return aliases


def _broken_rules(
    tree: ast.Module, cell: str, aliases: Mapping[str, str]
) -> Iterator[NotebookFinding]:
    seeded = {id(call.func) for call in ast.walk(tree) if _names_its_seed(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            full = _full_name(node, aliases)
            for rule in _rules():
                method = isinstance(node, ast.Attribute) and node.attr in rule.methods
                method = method and id(node) not in seeded
                if method or (full and rule.forbids(full)):
                    yield NotebookFinding(cell, node.lineno, rule.id, rule.message)
        for part in filter(_is_set, _shown_in_order(node)):
            message = Message("shows or goes through a set, whose order is chance; sort it")
            yield NotebookFinding(cell, part.lineno, "B-order", message)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and _is_set(last.value):
        message = Message("shows a set, whose order is chance; sort it")
        yield NotebookFinding(cell, last.lineno, "B-order", message)


def _names_its_seed(node: ast.AST) -> TypeGuard[ast.Call]:
    """Return True where a call names its seed, so that the same is drawn again."""
    return isinstance(node, ast.Call) and any(
        keyword.arg in ("seed", "random_state") for keyword in node.keywords
    )


def _full_name(node: ast.expr, aliases: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    if node.id not in aliases and parts:
        return ""
    return ".".join([aliases.get(node.id, node.id), *reversed(parts)])


def _shown_in_order(node: ast.AST) -> list[ast.expr]:
    """Expressions whose order comes to light in this node."""
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        return list(node.args) if name in _ORDERED else []
    return []


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub):
        return _is_set(node.left) or _is_set(node.right)
    return isinstance(node, ast.Set | ast.SetComp)
