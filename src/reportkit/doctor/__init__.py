"""Examination of the machine and the project: each fault with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.doctor import machine, projects
from reportkit.doctor.finding import Finding, bad
from reportkit.errors import ReportkitError
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.params import Project

__all__ = ["Finding", "examine"]

_MACHINE = (
    machine.python,
    machine.packages,
    machine.fonts,
    machine.encoding,
    machine.signing_key,
    machine.privacy_key,
)
_PROJECT = (
    projects.place,
    projects.kernel,
    projects.outputs,
    projects.parameters,
    projects.holidays,
    projects.ledgers,
    projects.databases,
    projects.git,
)


def examine(project: Project) -> Iterator[Finding]:
    """Examine everything, in the order in which one would mend it.

    Parameters
    ----------
    project : Project
    """
    for of_machine in _MACHINE:
        yield from of_machine()
    for of_project in _PROJECT:
        try:
            yield from of_project(project)
        except ReportkitError as error:
            yield bad(
                Message(of_project.__name__), error.message, Message("mend this, then ask again")
            )
