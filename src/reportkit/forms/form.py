"""A form: the folder of data that defines one statutory report."""

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
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.yamlfile import YamlFile, read_prose, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

DEFAULT = "zfxxgk"
"""The form of a district file that names none."""
PARTS = ("ledgers", "rules", "facts", "audit", "beginning")
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
        What ``ledgers.yaml``, ``rules.yaml``, ``facts.yaml`` and ``audit.yaml`` hold.
    bases : tuple of str
        Names of the form that it extends, of the one that this extends, and so on.
    files : tuple of Path
        Every file of the project that it was read from.
    """

    model: FormModel
    own: tuple[Edition, ...]
    others: tuple[Edition, ...]
    parts: Mapping[str, YamlFile]
    bases: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.model.name

    @property
    def kind(self) -> str:
        """Name of the form that all its bases go back to: reports of one kind can be compared."""
        return (self.name, *self.bases)[-1]

    @property
    def editions(self) -> tuple[Edition, ...]:
        """All editions, oldest first."""
        return tuple(sorted((*self.others, *self.own), key=_first_year))

    def edition(self, year: int) -> Edition:
        """The edition that a report year must use: of several that cover it, the latest.

        Raises
        ------
        InputError
            ``edition``: none covers the year.
        """
        for editions in (self.own, self.others):
            for edition in reversed(editions):
                if edition.covers(year):
                    return edition
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
        for edition in (*self.own, *self.others):
            if edition.name == name:
                return edition
        known = joined(COMMA, [edition.name for edition in self.editions])
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


def _first_year(edition: Edition) -> int:
    return edition.model.years.first


@cache
def shipped_form(name: str = DEFAULT) -> Form:
    """A form that the package carries."""
    return _read(name, (_SHIPPED,))


def shipped_names() -> list[str]:
    """Names of the forms that the package carries."""
    return _names((_SHIPPED,))


def form_names(folder: Path) -> list[str]:
    """Names of all forms that a project can use: those of its own folder, and the package's."""
    return _names((folder, _SHIPPED))


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


@dataclass(frozen=True)
class _Folder:
    """The files of a form folder, as they are written."""

    path: Path
    about: YamlFile | None
    editions: Mapping[str, YamlFile]
    parts: Mapping[str, YamlFile]

    @classmethod
    def of(cls, path: Path) -> _Folder:
        found = {file.stem: read_yaml(file) for file in sorted(path.glob("*.yaml"))}
        for file in found.values():
            if not isinstance(file.data, dict):
                message = Message("a file of a form is a list of names, each with its value")
                problem = file.problem((), message)
                raise InputError("parameters", "{problem}", problem=problem)
        about = found.pop("form", None)
        parts = {name: found.pop(name) for name in PARTS if name in found}
        return cls(path, about, found, parts)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, the default texts of editions too."""
        about = [self.about] if self.about else []
        read = [file.path for file in (*about, *self.editions.values(), *self.parts.values())]
        texts = (self.path / f"{name}.md" for name in self.editions)
        return (*sorted(read), *(text for text in texts if text.is_file()))

    def base(self, others: Collection[str]) -> str | None:
        """The form that it extends: by form.yaml, else one of its name, else by its editions."""
        parent = self.about.data.get("extends") if self.about else None
        if parent is not None or self.path.name in others:
            return parent or self.path.name
        bases = (str(file.data.get("extends", "")) for file in self.editions.values())
        named = (base.rpartition("/")[0] for base in bases)
        others_named = (name for name in named if name not in ("", self.path.name))
        return None if self.about else next(others_named, None)


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
            known=joined(COMMA, near),
        )
    folder = _Folder.of(roots[at] / name)
    if folder.path in above:
        raise InputError(
            "form", "the form '{name}' extends itself: {file}", name=name, file=str(folder.path)
        )
    lower = tuple(root for root in roots[at + 1 :] if root != roots[at])
    base = folder.base(_names(lower))
    # A form of the project's may be called like the package's that it extends.
    under = _read(base, lower if base == name else roots, (*above, folder.path)) if base else None
    return _made(folder, under, shipped=roots[at] == _SHIPPED)


def _made(folder: _Folder, under: Form | None, *, shipped: bool) -> Form:
    """The form of a folder, with what it takes from the one that it extends."""
    model = _model(folder, under)
    own = sorted((_edition(stem, folder, under) for stem in folder.editions), key=_first_year)
    names = {edition.name for edition in own}
    others = tuple(e for e in under.editions if e.name not in names) if under else ()
    parts = dict(under.parts) if under else {}
    for name, file in folder.parts.items():
        parts[name] = extended(parts[name], file) if name in parts else file
    if "ledgers" not in parts:
        raise InputError("form", "{file} has no ledgers.yaml", file=str(folder.path))
    if not (own or others):
        raise InputError("form", "{file} has no edition, such as 2024.yaml", file=str(folder.path))
    return Form(
        model=model,
        own=tuple(own),
        others=others,
        parts=parts,
        bases=(under.name, *under.bases) if under else (),
        files=(*(under.files if under else ()), *(() if shipped else folder.files)),
    )


def _model(folder: _Folder, under: Form | None) -> FormModel:
    """The form's own words, over those of the form that it extends."""
    about = folder.about
    if about is None and under is None:
        raise InputError(
            "form",
            "{file} has no form.yaml, and no edition that extends a form (extends: {example})",
            file=str(folder.path),
            example=f"{DEFAULT}/2021",
        )
    taken = under.model.model_dump(exclude={"name", "extends"}) if under else {}
    own = about.data if about else {}
    path, lines = (about.path, about.lines) if about else (folder.path, {})
    file = YamlFile(path, {"name": folder.path.name, **taken, **own}, lines)
    model = file.validate(FormModel)
    if model.name != folder.path.name:
        message = Message("the folder is named '{name}'; name it alike", name=folder.path.name)
        problem = file.problem(("name",), message)
        raise InputError("parameters", "{problem}", problem=problem)
    return model


def _edition(
    stem: str, folder: _Folder, under: Form | None, above: tuple[str, ...] = ()
) -> Edition:
    """One edition of a folder, with what it takes from the one that it extends."""
    file, narrative = folder.editions[stem], ""
    if file.data.get("extends"):
        base = _base_edition(stem, folder, under, above)
        file, narrative = extended(base.file, file), base.narrative
    model = file.validate(EditionModel)
    path = folder.path / f"{stem}.md"
    if path.is_file():
        narrative = read_prose(path)
    tables = {table.id: Table(table) for table in model.tables}
    return Edition(model, tables, _completed(narrative, model), file)


def _base_edition(
    stem: str, folder: _Folder, under: Form | None, above: tuple[str, ...]
) -> Edition:
    """The edition that one extends: of its own folder, or of the form that its form extends."""
    file = folder.editions[stem]
    extends = str(file.data["extends"])
    of, _, name = extends.rpartition("/")
    same = (key for key, other in folder.editions.items() if other.data.get("edition") == name)
    own = next((key for key in same if key not in (*above, stem)), None)
    if own is not None and of in ("", folder.path.name):
        return _edition(own, folder, under, (*above, stem))
    if under is not None and of in ("", under.name, *under.bases):
        return under.named(name)
    known = Message("it extends {name}", name=under.name) if under else Message("it extends none")
    raise InputError(
        "parameters",
        "{file}:{line}: '{extends}' is no edition of a form that is extended; {known}",
        file=str(file.path),
        line=file.line(("extends",)),
        extends=extends,
        known=known,
    )


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
