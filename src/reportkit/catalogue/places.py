"""Places that report: their names, the pinyin of these, and who belongs to whom."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.forms import DEFAULT
from reportkit.params.naming import ID
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.params import Project


@dataclass(frozen=True)
class Place:
    """A place as the catalogue names it.

    Parameters
    ----------
    district : str
        Its id.
    name : str
        As printed; the id where nobody says.
    parent : str, optional
        Id of the place that it belongs to.
    pinyin : str, optional
        How the name is read, where its district's file says so.
    form : str
        Name of the form that it usually reports by.
    """

    district: str
    name: str
    parent: str | None = None
    pinyin: str | None = None
    form: str = DEFAULT


def read_places(project: Project, runs: Iterable[Mapping[str, Any]]) -> dict[str, Place]:
    """Every place that has a file, a run, or members, by its id.

    Parameters
    ----------
    project : Project
        Its files of districts say what holds now.
    runs : iterable of mapping
        Rows of the store: what the runs say where there is no file; the latest year's.
    """
    places: dict[str, Place] = {}
    for run in sorted(runs, key=lambda one: (one["year"], one["report"])):
        name = run["district"]
        place = places.get(name, Place(name, name))
        form = run["form"] if run["report"] == str(run["year"]) else place.form
        places[name] = replace(place, name=run["name"], parent=_id(run["parent"]), form=form)
    for path in sorted((project.params / "districts").glob("*.yaml")):
        if not ID.fullmatch(path.stem):
            continue
        place = places.get(path.stem) or Place(path.stem, path.stem)
        # What is wrong with a file, its own report says.
        with contextlib.suppress(InputError):
            data = read_yaml(path).data
            if isinstance(data, dict):
                texts = {name: data.get(name) for name in ("name", "pinyin")}
                texts["form"] = _id(data.get("form"))
                valid = {name: text for name, text in texts.items() if isinstance(text, str)}
                place = replace(place, **valid, parent=_id(data.get("parent")))
        places[path.stem] = place
    for parent in {place.parent for place in places.values() if place.parent}:
        places.setdefault(parent, Place(parent, parent))
    return dict(sorted(places.items()))


def _id(name: object) -> str | None:
    """Return an id of a parent or form; None for anything else, which must not name a page."""
    return name if isinstance(name, str) and ID.fullmatch(name) else None


def tree(places: Mapping[str, Place]) -> dict[str | None, list[str]]:
    """Each place's members by its id, and under None those that belong to nobody.

    A place in a circle of parents stands under None too, so that no place is lost.
    """
    members: dict[str | None, list[str]] = {None: []}
    for name, place in places.items():
        above, seen = place.parent, {name}
        while above and above not in seen:
            seen.add(above)
            above = places[above].parent
        members.setdefault(None if above == name else place.parent, []).append(name)
    return members
