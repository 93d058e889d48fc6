"""A project of one's own: parameters, a text to go on with, notebooks, and empty ledgers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.forms import DEFAULT, project_form, shipped_form
from reportkit.forms.carried import carried
from reportkit.forms.form import shipped_names
from reportkit.ledgers import schemas
from reportkit.params import Level, check_id
from reportkit.scaffold.beginnings import first_text, offered, to_state
from reportkit.scaffold.newfiles import refuse_existing, write_new
from reportkit.scaffold.notebooks import for_district, notebook_of
from reportkit.scaffold.workbooks import blank_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Edition, Form

_TEXTS = Path(str(files("reportkit.scaffold"))) / "texts"


@dataclass(frozen=True)
class Beginning:
    """The files of a new project, or of a further district in one; not yet written."""

    folder: Path
    district: str
    year: int
    files: Mapping[Path, bytes]
    kept: tuple[Path, ...]
    """Files that existed already and are left as they are."""

    def write(self) -> None:
        """Write all files, or none; a file that is there is never replaced."""
        write_new(self.files)


def begin(
    folder: Path,
    district: str,
    year: int,
    *,
    name: str,
    level: Level = "county",
    issuer: str | None = None,
    form: str = DEFAULT,
) -> Beginning:
    """A project for a district's report, ready to run; in one that is there, a further district.

    Parameters
    ----------
    folder : Path
        The project's folder; need not be there.
    district : str
        Its id.
    year : int
        The report year; chooses the edition of the form, and with it the ledgers.
    name : str
        Its Chinese name.
    level : str
        Who reports; sets the deadline.
    issuer : str, optional
        Full name of the issuing organ.
    form : str
        The statutory form: one that the package carries, or of the project's ``forms/``.

    Raises
    ------
    InputError
        ``id``, ``edition``, ``name``; ``exists``: the district or its ledgers are there already.
    """
    by = project_form(form, folder / "forms")
    edition, identifier = by.edition(year), check_id(district)
    for text in (name, issuer or name):
        if not text.strip() or not text.isprintable():
            raise InputError(
                "name", "{text!r} is no name; give it as it is printed: --name 某某区", text=text
            )
    fields = {"id": identifier, "name": name, "level": level, "year": year, "next": year + 1}
    fields |= {
        f"{key}_quoted": json.dumps(fields[key], ensure_ascii=False) for key in ("id", "name")
    }
    called = json.dumps(issuer, ensure_ascii=False)
    fields["form"] = "" if form == DEFAULT else f"form: {form}\n"
    fields["issuer"] = f"issuer: {called}" if issuer else "# issuer: 某市某区人民政府"
    described = folder / "params/districts" / f"{district}.yaml"
    if described.exists():
        raise InputError(
            "exists",
            "{described} is there already; `reportkit new {district} {year}` begins a year, with "
            "--form the first report by a further form",
            described=described,
            year=year,
            district=district,
        )
    offer = offered(by)
    text = first_text(offer, edition)
    stated = "".join(_text("declared.yaml", vars(figure)) for figure in to_state(offer, text))
    fields["declared"] = f"declared:\n{stated}" if stated else _text("undeclared.yaml", {})
    own = {
        described: _text("district.yaml", fields).encode(),
        folder / f"params/reports/{district}/{year}.yaml": _text("report.yaml", fields).encode(),
        folder / f"params/reports/{district}/{year}.md": text.encode(),
    }
    own |= {folder / "data" / district / name: book for name, book in _ledgers(by, edition).items()}
    refuse_existing(own)
    common: dict[str, str] = {
        "README.md": _text("README.md", fields),
        "outputs/.gitignore": "*\n!.gitignore\n",
    }
    if text != edition.narrative:
        common[f"params/facts/{by.name}.yaml"] = offer.facts
    of_forms = {shipped_form(form).model.notebook for form in shipped_names()}
    common[f"notebooks/{by.model.notebook}"] = notebook_of(by, edition, district, year)
    for path in (path for path in carried("notebooks/*.ipynb") if path.name not in of_forms):
        common[f"notebooks/{path.name}"] = for_district(path, district, year, None)
    shared = {folder / path: text.encode() for path, text in common.items()}
    existing = tuple(path for path in shared if path.exists())
    missing = {path: content for path, content in shared.items() if path not in existing}
    return Beginning(folder, district, year, own | missing, existing)


def _text(name: str, values: Mapping[str, object]) -> str:
    return Template((_TEXTS / name).read_text(encoding="utf-8")).substitute(values)


def _ledgers(form: Form, edition: Edition) -> dict[str, bytes]:
    unused = form.unused(edition)
    wanted = [schema for key, schema in schemas(form).items() if key not in unused]
    return {f"{schema.name}.xlsx": blank_workbook(schema, edition) for schema in wanted}
