"""The content of a report's seal and head, as JSON: functions of the computed report."""

from __future__ import annotations

import platform
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from reportkit.checks import texts_of
from reportkit.checks.waivers import OF_NOTEBOOKS
from reportkit.evidence.seal import seal_of, seal_rows
from reportkit.facts import plain
from reportkit.notebook.corrected import PLACE, corrections_of
from reportkit.notebook.headlines import headlines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Edition
    from reportkit.notebook.compilation import Compilation


def seal_content(compiled: Compilation, made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the seal: facts, checks, what they were made from, and a digest.

    Parameters
    ----------
    compiled : Compilation
    made : mapping
        What the cells have made, as JSON.
    """
    document = compiled.facts_document()
    return {
        "seal": seal_of(document),
        "parameters": {
            "district": compiled.district.id,
            "year": compiled.year,
            **({"form": compiled.form.name} if compiled.district.other_form else {}),
            "scope": compiled.scope,
            "draft": compiled.is_draft,
        },
        "facts": document,
        "form": prescribed(compiled.edition),
        "head": head_of(compiled),
        "sections": _named_later(compiled),
        "context": compiled.context,
        "compared": {
            name: list(map(plain, fact.compared))
            for name, fact in compiled.facts.items()
            if fact.compared
        },
        "made": dict(made),
        "waivers": [waiver.model_dump(mode="json") for waiver in compiled.waivers_left],
        "past": _last_year(compiled),
        **_corrections(compiled),
        "headlines": headlines(
            compiled.edition.model.headlines,
            compiled.facts,
            year=compiled.year,
            past=compiled.past,
            ledgers=compiled.ledgers,
        ),
        "versions": _versions(),
        "checks": [check.as_json() for check in compiled.all_checks],
        "rules": texts_of(
            compiled.rules,
            dict.fromkeys(
                [*(c.id for c in compiled.all_checks if not c.holds), *OF_NOTEBOOKS, "W1"]
            ),
        ),
        "rows": seal_rows(compiled.own),
    }


def head_of(compiled: Compilation) -> dict[str, Any]:
    """Return the head: district, title, document number, dates and preamble."""
    issuer = compiled.district.issuer or compiled.district.name
    dated, printed = compiled.params.dated, compiled.params.printed
    # A year can have reports by two forms; then the form is part of the name.
    name = compiled.district.report_name(compiled.year)
    return {
        "district": compiled.district.id,
        "year": compiled.year,
        **({"report": name} if compiled.district.other_form else {}),
        "edition": compiled.edition.name,
        "scope": compiled.scope,
        "draft": compiled.is_draft,
        "synthetic": compiled.district.synthetic,
        "title": compiled.params.title or f"{issuer}{compiled.year}年{compiled.form.model.title}",
        "issuer": issuer,
        "office": compiled.district.office,
        "document_number": compiled.params.document_number,
        "dated": dated and dated.isoformat(),
        "printed": printed and printed.isoformat(),
        "fonts": fonts_of(compiled),
        "preamble": compiled.coverage.sections[""],
    }


def fonts_of(compiled: Compilation) -> dict[str, str | None] | None:
    """The district's own typefaces by role, and their folder, by its path from params/."""
    own = compiled.district.fonts
    if own is None:
        return None
    return own.model_dump() | {"folder": (compiled.project.params / own.folder).as_posix()}


def prescribed(edition: Edition) -> dict[str, list[list[str]]]:
    """Return the sections and tables that the form wants shown, once each."""
    return {
        "sections": [[section.number, section.title] for section in edition.sections],
        "tables": [[table.id, table.title] for table in edition.tables.values()],
    }


def _named_later(compiled: Compilation) -> dict[str, Any]:
    """Sections that name facts of the notebook: they may have been shown before these were."""
    places = {place for name in compiled.own for place in compiled.narrative.places.get(name, ())}
    numbers = [place.partition(":")[2] for place in sorted(places)]
    return {number: compiled.coverage.sections[number] for number in numbers}


def _corrections(compiled: Compilation) -> dict[str, Any]:
    """Return the content about corrections; nothing where there is none."""
    made = compiled.params.corrections
    if not made:
        return {}
    body = compiled.coverage.sections[PLACE]
    content = corrections_of(made, body, figures=compiled, context=compiled.context)
    return {"corrections": content}


def _last_year(compiled: Compilation) -> dict[str, dict[str, Any]]:
    """Last year's value and the change of every fact that has one, for the audit page."""
    past = compiled.past
    if past is None:
        return {}
    return {
        name: {
            "year": past.year,
            "origin": past.origin,
            "value": plain(past.values[name]),
            "change": f"{fact.value - past.values[name]:+f}",
        }
        for name, fact in compiled.facts.items()
        if name in past.values and isinstance(fact.value, Decimal)
    }


def _versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute facts."""
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: version(name) for name in ("pandas", "numpy", "pyarrow")}
    return {"python": python, "reportkit": version("reportkit-zwgk")} | packages
