"""Completions for a shell: districts, years, facts, runs and ledgers of the project here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from reportkit.params import Project

# As the form numbers its rows: 一、 （一） 1.
_NUMBERED = re.compile("^(?:[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）|[0-9]+[.．])")
SHELLS = ("bash", "zsh", "fish")


def _offer(candidates: Callable[[Project, dict[str, Any]], Iterable[str]]) -> Any:
    """A completer of click: what begins as what was typed; nothing where there is a fault."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from reportkit.params import Project

        given = context.params
        try:
            project = Project.find(given.get("params"), given.get("data"), given.get("out"))
            return sorted(
                word for word in set(candidates(project, given)) if word.startswith(incomplete)
            )
        except (OSError, ValueError, KeyError):
            return []

    return complete


@_offer
def districts(project: Project, _: dict[str, Any]) -> Iterable[str]:
    """Ids and Chinese names of all districts."""
    yield from (path.stem for path in (project.params / "districts").glob("*.yaml"))
    yield from project.names().values()


@_offer
def years(project: Project, given: dict[str, Any]) -> Iterable[str]:
    """Report years of the district that was typed."""
    paths = (project.params / "reports" / str(given.get("district"))).glob("*.yaml")
    return (path.stem for path in paths if path.stem.isdigit())


@_offer
def runs(project: Project, _: dict[str, Any]) -> Iterable[str]:
    """Reports that were made, such as huli/2020."""
    return (f"{path.parts[-3]}/{path.parts[-2]}" for path in project.out.glob("*/*/current"))


@_offer
def facts(project: Project, given: dict[str, Any]) -> Iterable[str]:
    """Ids, and parts of the labels, of the facts of the run that was typed, else of any."""
    asked = given.get("asked") or "*/*"
    for path in sorted(project.out.glob(f"{asked}/current/facts.json"))[:1]:
        for fact in json.loads(path.read_text("utf-8"))["facts"]:
            yield fact["id"]
            yield from _words(fact.get("label", ""))


def _words(label: str) -> Iterable[str]:
    """Parts of a label, also without the numbers that they begin with."""
    for part in label.split("/"):
        yield part
        yield _NUMBERED.sub("", part)


@_offer
def ledgers(project: Project, _: dict[str, Any]) -> Iterable[str]:
    """Keys and Chinese names of the ledgers."""
    from reportkit.ledgers import schemas

    return (name for key, schema in schemas(project.form()).items() for name in (key, schema.name))


def script(cli: click.Command, shell: str) -> str:
    """Return the script that a shell reads once to offer completions."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        message = f"click completes for no shell '{shell}'"
        raise LookupError(message)
    return completion(cli, {}, "reportkit", "_REPORTKIT_COMPLETE").source()
