"""Hierarchy of districts: the ``parent`` of each district file, checked before it is summed up."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from reportkit.params.project import Project
    from reportkit.yamlfile import YamlFile


def members_to_sum(project: Project, parent: str) -> tuple[str, ...]:
    """Ids of the districts whose reports a parent's roll-up adds, in their order.

    Parameters
    ----------
    project : Project
    parent : str

    Returns
    -------
    tuple of str
        Those whose file names the parent; not the parent's own office.

    Raises
    ------
    InputError
        ``hierarchy``: a file of the project names a parent that is not there or more than one, the
        parent stands below itself, or nobody names it; with file, line and key.
    """
    files = _files_with_parent(project)
    known = sorted(path.stem for path in (project.params / "districts").glob("*.yaml"))
    for name, file in files.items():
        above = file.data["parent"]
        if not isinstance(above, str):
            problem = Message(
                "'parent' of {name} must be one id: a report is summed up once, or its figures "
                "count twice further up",
                name=name,
            )
            raise _wrong(file, problem)
        # Who sums up the parent itself changes nothing here, and may not be at hand.
        if above not in known and name != parent:
            near = difflib.get_close_matches(above, known, n=3, cutoff=0.5) or known[:8]
            problem = Message(
                "'parent' of {name} is '{above}', which no file of this folder is; known: {near}",
                name=name,
                above=above,
                near=", ".join(near),
            )
            raise _wrong(file, problem)
    line = [parent]
    while line[-1] in files:
        above = files[line[-1]].data["parent"]
        if above in line:
            circle = " → ".join([*line[line.index(above) :], above])
            raise _wrong(
                files[line[-1]], Message("'parent' makes a circle: {circle}", circle=circle)
            )
        line.append(above)
    members = tuple(name for name, file in files.items() if file.data["parent"] == parent)
    # One that cannot be read is still a member; what is wrong with it is told as it is opened.
    members = tuple(sorted({*members, *project.members(parent)}))
    if not members:
        raise InputError(
            "hierarchy",
            "no district of {folder} has 'parent: {district}', so there is nothing to sum up; "
            "name it in the file of each member",
            folder=project.params / "districts",
            district=parent,
        )
    return members


def _files_with_parent(project: Project) -> dict[str, YamlFile]:
    """The district files that name a parent, but those that cannot be read."""
    files = {}
    for path in sorted((project.params / "districts").glob("*.yaml")):
        if b"parent" not in path.read_bytes():
            continue
        try:
            file = read_yaml(path)
        except InputError:
            continue
        if isinstance(file.data, dict) and file.data.get("parent") is not None:
            files[path.stem] = file
    return files


def _wrong(file: YamlFile, problem: Message) -> InputError:
    told = file.problem(("parent",), problem)
    return InputError(
        "hierarchy", "{problem}", problem=told, file=str(file.path), line=file.line(("parent",))
    )
