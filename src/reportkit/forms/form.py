"""A form: the folder of data that says what one statutory report is."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.forms.cells import Table
from reportkit.forms.edition import Edition
from reportkit.forms.extending import extended
from reportkit.forms.model import EditionModel, FormModel
from reportkit.language import Message
from reportkit.yamlfile import YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT = "zfxxgk"
"""The form of a district file that names none."""
PARTS = ("ledgers", "rules", "facts")
"""Files of a form that all its editions share."""
_SHIPPED = Path(str(files("reportkit.forms")))


@dataclass(frozen=True, eq=False)
class Form:
    """A form with all that it takes from the one that it extends.

    Parameters
    ----------
    model : FormModel
        What ``form.yaml`` says.
    own, others : tuple of Edition
        Editions of the folder itself, which go first, and those of the form that it extends;
        oldest first.
    parts : mapping of str to YamlFile
        What ``ledgers.yaml``, ``rules.yaml`` and ``facts.yaml`` hold.
    files : tuple of Path
        Every file of the project that it was read from.
    """

    model: FormModel
    own: tuple[Edition, ...]
    others: tuple[Edition, ...]
    parts: Mapping[str, YamlFile]
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.model.name

    @property
    def editions(self) -> tuple[Edition, ...]:
        """All editions, oldest first."""
        return tuple(sorted((*self.others, *self.own), key=lambda one: one.model.years.first))

    def edition(self, year: int) -> Edition:
        """The edition that a report year must use: of several that cover it, the latest.

        Raises
        ------
        InputError
            ``edition``: none covers the year.
        """
        for editions in (self.own, self.others):
            for one in reversed(editions):
                if one.covers(year):
                    return one
        raise InputError(
            "edition",
            "no form edition covers the report year {year}; the first one is for {first}",
            first=self.editions[0].model.years.first,
            year=year,
        )

    def named(self, name: str) -> Edition:
        """An edition by its name.

        Raises
        ------
        InputError
            ``edition``: there is none.
        """
        for one in (*self.own, *self.others):
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.editions)
        raise InputError(
            "edition",
            "form {form} has no edition '{name}'; it has {known}",
            form=self.name,
            name=name,
            known=known,
        )

    def unused(self, edition: Edition) -> set[str]:
        """Keys of the ledgers that cells of other editions need, and none of this one."""
        return {key for other in self.editions for key in other.ledgers()} - edition.ledgers()


@cache
def shipped_form(name: str = DEFAULT) -> Form:
    """A form that the package carries."""
    return _read(name, (_SHIPPED,))


def shipped_names() -> list[str]:
    """Names of the forms that the package carries."""
    return _names((_SHIPPED,))


def project_form(name: str, folder: Path) -> Form:
    """A form of a project, or of the package where the project has none of this name.

    Parameters
    ----------
    name : str
    folder : Path
        The project's ``forms``; need not be there.

    Raises
    ------
    InputError
        ``form``: there is none of this name; ``parameters``, ``yaml``: with file and line.
    """
    paths = sorted(path for path in folder.glob("*/*") if path.suffix in (".yaml", ".md"))
    if not paths:
        return shipped_form(name)
    stamps = ((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in paths)
    return _read_again(name, folder, tuple(stamps))


@lru_cache(maxsize=64)
def _read_again(name: str, folder: Path, _stamps: tuple[object, ...]) -> Form:
    """Read a project's form, once for as long as no file of any of its forms changes."""
    return _read(name, (folder, _SHIPPED))


def _names(roots: Iterable[Path]) -> list[str]:
    return sorted({path.parent.name for root in roots for path in root.glob("*/*.yaml")})


def _read(name: str, roots: tuple[Path, ...], above: tuple[Path, ...] = ()) -> Form:
    """A form out of the first of some folders that has one of its name."""
    at = next((n for n, root in enumerate(roots) if any((root / name).glob("*.yaml"))), None)
    if at is None or not re.fullmatch(r"[0-9a-z][0-9a-z_-]{0,63}", name):
        known = _names(roots)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        raise InputError(
            "form",
            "there is no form '{name}'; there are: {known}",
            name=name,
            known=", ".join(near),
        )
    folder = roots[at] / name
    if folder in above:
        raise InputError(
            "form", "the form '{name}' extends itself: {file}", name=name, file=str(folder)
        )
    paths = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    about = read_yaml(paths["form"]) if "form" in paths else None
    written = {
        stem: read_yaml(path) for stem, path in paths.items() if stem not in ("form", *PARTS)
    }
    lower = tuple(root for root in roots[at + 1 :] if root != roots[at])
    base = _base(name, about, written, _names(lower))
    # A form of the project's may be called like the package's that it extends.
    under = _read(base, lower if base == name else roots, (*above, folder)) if base else None
    if about is not None:
        if under is not None:
            data = {**under.model.model_dump(exclude={"name", "extends"}), **about.data}
            about = YamlFile(about.path, data, about.lines)
        model = about.validate(FormModel)
    elif under is not None:
        model = under.model.model_copy(update={"name": name})
    else:
        raise InputError(
            "form",
            "{file} has no form.yaml, and no edition that extends a form",
            file=str(folder),
        )
    own = sorted(
        (_edition(stem, file, under, folder) for stem, file in written.items()),
        key=lambda one: one.model.years.first,
    )
    parts = dict(under.parts) if under else {}
    for part in PARTS:
        if part in paths:
            file = read_yaml(paths[part])
            parts[part] = extended(parts[part], file) if part in parts else file
    mine = {one.name for one in own}
    others = tuple(one for one in under.editions if one.name not in mine) if under else ()
    texts = [folder / f"{stem}.md" for stem in written]
    found = [*paths.values(), *(path for path in texts if path.is_file())]
    read = () if roots[at] == _SHIPPED else tuple(found)
    return Form(model, tuple(own), others, parts, (*(under.files if under else ()), *read))


def _base(
    name: str, about: YamlFile | None, editions: Mapping[str, YamlFile], lower: list[str]
) -> str | None:
    """The form that one extends: as form.yaml says, else as its editions do."""
    told = about.data.get("extends") if about else None
    if told is None and name in lower:
        return name
    named = (file.data.get("extends") for file in editions.values() if about is None)
    return told or next((str(one).partition("/")[0] for one in named if one), None)


def _edition(stem: str, file: YamlFile, under: Form | None, folder: Path) -> Edition:
    """One edition of a folder, with what it takes from the one that it extends."""
    path, narrative = folder / f"{stem}.md", ""
    extends = file.data.get("extends") if isinstance(file.data, dict) else None
    if extends:
        of, _, name = str(extends).partition("/")
        if under is None or (of != under.name and name):
            known = (
                Message("it extends {name}", name=under.name)
                if under
                else Message("it extends none")
            )
            raise InputError(
                "parameters",
                "{file}:{line}: '{extends}' is no edition of a form that is extended; {known}",
                file=str(file.path),
                line=file.line(("extends",)),
                extends=extends,
                known=known,
            )
        base = under.named(name or of)
        file, narrative = extended(base.file, file), base.narrative
    model = file.validate(EditionModel)
    if path.is_file():
        narrative = path.read_text(encoding="utf-8")
    tables = {table.id: Table(table) for table in model.tables}
    return Edition(model, tables, _completed(narrative, model), file)


def _completed(narrative: str, model: EditionModel) -> str:
    """A default text whose headings are the edition's; a section that it lacks is to be written."""
    made = narrative
    for section in model.sections:
        heading = f"# {section.number}、{section.title}"
        pattern = rf"(?m)^# {section.number}、.*$"
        if re.search(pattern, made):
            made = re.sub(pattern, heading, made)
        elif section.table is None:
            made = f"{made.rstrip()}\n\n{heading}\n\n【尚未填写：{section.title}】\n"
    return made
