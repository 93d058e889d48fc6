"""Hierarchy of districts: the ``parent`` of each district file, checked before it is summed up."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Hierarchy:
    """The districts that report to others.

    Parameters
    ----------
    folder : Path
        The folder of district files.
    above : mapping
        District to the value of ``parent`` in its file, of those that have one.
    known : frozenset of str
        All districts that have a file.
    """

    folder: Path
    above: Mapping[str, Any]
    known: frozenset[str]

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Each parent with its members, in the order of their ids."""
        families: dict[str, list[str]] = {}
        for name in sorted(self.above):
            if isinstance(parent := self.above[name], str):
                families.setdefault(parent, []).append(name)
        return {parent: tuple(members) for parent, members in families.items()}

    def members(self, parent: str) -> tuple[str, ...]:
        """Ids of the districts whose file names a parent, in their order."""
        return self.families.get(parent, ())

    def around(self, district: str) -> Hierarchy:
        """Return the part that the report of one district needs: those below it, those above."""
        # Two levels down, for what members add; all the way up, since a circle can close anywhere.
        near = {district, *self.members(district)}
        near |= {name for member in near for name in self.members(member)}
        line: Any = district
        while isinstance(line := self.above.get(line), str) and line not in near:
            near.add(line)
        above = {name: self.above[name] for name in near if name in self.above}
        known = self.known.intersection([*near, *map(str, above.values())])
        return Hierarchy(self.folder, above, known)

    def members_to_sum(self, parent: str) -> tuple[str, ...]:
        """Ids of the districts whose reports a parent's roll-up adds, in their order.

        Returns
        -------
        tuple of str
            Those whose file names the parent; not the parent's own office.

        Raises
        ------
        InputError
            ``hierarchy``: a file names a parent that is not there or more than one, the parent
            stands below itself, or nobody names it; with file, line and key.
        """
        for name, above in self.above.items():
            if not isinstance(above, str):
                problem = Message(
                    "'parent' of {name} must be one id: a report is summed up once, or its figures "
                    "count twice further up",
                    name=name,
                )
                raise self._wrong(name, problem)
            # Who sums up the parent itself changes nothing here, and may not be at hand.
            if above not in self.known and name != parent:
                known = sorted(self.known)
                near = difflib.get_close_matches(above, known, n=3, cutoff=0.5) or known[:8]
                problem = Message(
                    "'parent' of {name} is '{above}', which no file of this folder is; known: "
                    "{near}",
                    name=name,
                    above=above,
                    near=joined(COMMA, near),
                )
                raise self._wrong(name, problem)
        line = [parent]
        while line[-1] in self.above:
            above = self.above[line[-1]]
            if above in line:
                circle = " → ".join([*line[line.index(above) :], above])
                problem = Message("'parent' makes a circle: {circle}", circle=circle)
                raise self._wrong(line[-1], problem)
            line.append(above)
        if not self.members(parent):
            raise InputError(
                "hierarchy",
                "no district of {folder} has 'parent: {district}', so there is nothing to sum up; "
                "name it in the file of each member",
                folder=self.folder,
                district=parent,
            )
        return self.members(parent)

    def _wrong(self, name: str, problem: Message) -> InputError:
        file = read_yaml(self.folder / f"{name}.yaml")
        key = ("parent",)
        return file.refusal(
            key, problem, reason="hierarchy", file=str(file.path), line=file.line(key)
        )


def read_hierarchy(folder: Path, *, naming: str = "") -> Hierarchy:
    """Read who the parents are from all district files of a folder.

    Parameters
    ----------
    folder : Path
        Of district files, ``params/districts``. One that cannot be read is refused with its own
        report, not with every other; if a line of it names a parent, it is a member all the same.
    naming : str
        Files without this text are passed over: to parse thousands takes a tenth of a second.
    """
    above, known = {}, set()
    for path in sorted(folder.glob("*.yaml")):
        known.add(path.stem)
        content = path.read_bytes()
        if b"parent" not in content or naming.encode() not in content:
            continue
        try:
            data = read_yaml(path).data
        except InputError:
            line = re.search(r"(?m)^parent:\s*([\w-]+)", content.decode(errors="replace"))
            data = {"parent": line[1]} if line else None
        if isinstance(data, dict) and data.get("parent") is not None:
            above[path.stem] = data["parent"]
    return Hierarchy(folder, above, frozenset(known))
