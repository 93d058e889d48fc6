"""Published totals back into ledgers that give them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.errors import InputError
from reportkit.facts.published import load_published
from reportkit.ledgers.schema import schema_of, schemas
from reportkit.yamlfile import read_yaml
from synth.decisions import decisions
from synth.documents import documents
from synth.files import Synthesis, write
from synth.printed import Printed
from synth.recipe import Recipe
from synth.registers import activities, fees, items, procurement, publications
from synth.requests import applications, cases
from synth.setting import Setting
from synth.words import FORM, Calendar, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reportkit.forms.conditions import Definition, Where


def synthesise(
    published: Sequence[Mapping[str, Any]], *, recipe: Mapping[int, Recipe] | None = None
) -> Synthesis:
    """Make ledgers whose totals equal published reports of one district.

    Leaf cells are the evidence: totals follow from them, and new applications are outcomes plus
    those carried out less those carried in. Earlier years go before later ones. A published value
    that then cannot be given is said, never bent.

    Parameters
    ----------
    published : sequence of mapping
        One report for each of consecutive years, tables and figures as published.
    recipe : mapping of int to Recipe, optional
        By year: rows that the text needs and no table counts.

    Returns
    -------
    Synthesis

    Raises
    ------
    InputError
        ``published`` or ``recipe``: what is given cannot be a report, or contradicts the report.
    """
    reports = sorted((Printed.of(report) for report in published), key=lambda r: r.year)
    years = tuple(report.year for report in reports)
    districts = {report.district for report in reports}
    if len(districts) != 1 or years != tuple(range(years[0], years[0] + len(years))):
        known = ", ".join(f"{report.district} {report.year}" for report in reports) or "none"
        raise InputError(
            "published",
            "give consecutive years of one district; the reports are: {known}",
            known=known,
        )
    recipes = {year: (recipe or {}).get(year, Recipe()) for year in years}
    calendar = Calendar.between(years[0] - 30, years[-1] + 1)
    setting = Setting(districts.pop(), reports, recipes, calendar)
    applied, listed = applications(setting), items(setting)
    rows: dict[str, Any] = {
        "applications": applied,
        "cases": cases(setting, applied),
        "documents": documents(setting),
        "decisions": decisions(setting, listed),
        "items": listed,
        "fees": fees(setting, listed),
        "procurement": procurement(setting),
        "publications": publications(setting),
        "activities": activities(setting),
    }
    ledgers = {key: _frame(key, rows[key]) for key in schemas(FORM)}
    for report in reports:
        _compare(report, ledgers)
    exceptions = tuple(difference for report in reports for difference in report.differences)
    return Synthesis(setting.district, years, ledgers, exceptions)


def synth_files(paths: Sequence[Path], out: Path) -> tuple[Synthesis, list[Path]]:
    """Make and write the ledgers of published reports, with the recipes that lie beside them.

    Parameters
    ----------
    paths : sequence of Path
        ``<year>.published.json`` or any other name; the recipe is ``<year>.synth.yaml`` beside it.
    out : Path
        The folder of the district, or the folder of all districts.

    Returns
    -------
    tuple of Synthesis and list of Path
        What was made, and the files written.

    Raises
    ------
    InputError
        ``published`` or ``recipe``, as `synthesise`; or a file cannot be read.
    """
    published, recipes = [], {}
    for path in paths:
        report = load_published(path)
        year = int(report["report_year"])
        published.append(report)
        beside = path.with_name(f"{year}.synth.yaml")
        if beside.is_file():
            recipes[year] = read_yaml(beside).validate(Recipe)
    made = synthesise(published, recipe=recipes)
    return made, write(made, out)


def _frame(key: str, rows: Any) -> Any:
    """Typed columns in the order of the schema; the last says what the row is."""
    count = len(next(iter(rows.values()))) if isinstance(rows, dict) else len(rows)
    columns = {}
    for column in schema_of(FORM, key).columns:
        if isinstance(rows, dict):
            columns[column.name] = rows[column.name]
            continue
        values = [row.get(column.name) for row in rows]
        kinds = {"date": "datetime64[s]", "integer": "Int64", "amount": "object"}
        columns[column.name] = pd.Series(values, dtype=kinds.get(column.type, "str"))
    note = pd.Series([words()["note"]], dtype="str")
    columns["备注"] = note.take(np.zeros(count, dtype=int)).reset_index(drop=True)
    return pd.DataFrame(columns)


def _compare(report: Printed, ledgers: Mapping[str, Any]) -> None:
    """Count every cell from the ledgers; what differs must have been announced, or be a total."""
    expected = {difference.fact for difference in report.differences}
    given: dict[str, Decimal] = {}
    for cell in report.cells:
        if cell.definition:
            given[cell.id] = _measure(cell.definition, ledgers[cell.definition.ledger])
    for cell in report.cells:
        if not cell.definition:
            given[cell.id] = sum((given[part] for part in cell.sum_of), Decimal(0))
        if cell.id in expected or given[cell.id] == report.published.get(cell.id):
            continue
        if cell.id not in report.published:
            report.differs(cell.id, given[cell.id], "nothing is printed in this cell")
        elif cell.sum_of:
            report.differs(cell.id, given[cell.id], f"its parts add up to {given[cell.id]}")
        else:
            printed = report.published[cell.id]
            raise InputError(
                "recipe",
                "{label} is published as {printed}, and the ledgers give {given}: the "
                "recipe asks for rows that the report does not count",
                label=cell.label,
                printed=printed,
                given=given[cell.id],
                district=report.district,
                year=report.year,
            )


def _measure(definition: Definition, frame: Any) -> Decimal:
    def over(where: Where) -> Decimal:
        mask = np.ones(len(frame), dtype=bool)
        for condition in where:
            mask &= condition.mask(frame)
        if definition.column is None:
            return Decimal(int(mask.sum()))
        return sum(frame.loc[mask, definition.column], Decimal(0))

    value = over(definition.where)
    if definition.minus is not None:
        value -= over(definition.minus)
    return value / definition.divide
