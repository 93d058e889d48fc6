"""A published report as figures by fact id, whatever labels it prints them under."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.facts.numerals import MONEY
from reportkit.forms import Leaf
from reportkit.forms.cells import shown_by
from reportkit.params import check_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reportkit.forms import Cell, Edition, Form, Table


_UNIT = "_单位"


@dataclass
class PublishedReport:
    """One published report: its cells, and the figures of its text as they are given."""

    district: str
    year: int
    issuer: str
    cells: list[Cell]
    published: dict[str, Decimal]
    figures: Sequence[Mapping[str, Any]] = ()
    regrouped: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """Cells of another edition's rows: the value, and the row that it is counted in."""


def read_report(form: Form, published: Mapping[str, Any]) -> PublishedReport:
    """Map the tables and figures of a published report to fact ids.

    Parameters
    ----------
    form : Form
    published : mapping
        Of each table, by the number of its id (``table3``, else its id), rows by key with their
        columns, or values by the keys or by the labels of rows and columns.

    Raises
    ------
    InputError
        ``published``: a part is missing, a label is unknown to the form, or a value is impossible.
    """
    try:
        year = int(published["report_year"])
        district = check_id(str(published["id"]).removesuffix(f"-{year}"))
        edition = form.edition(year)
        report = PublishedReport(district, year, str(published["issuer"]), edition.cells(year), {})
        cells = {cell.id: cell for cell in report.cells}
        for fact, value in _printed(form, edition, published, report):
            if value is not None:
                number = _number(cells[fact], value, report)
                report.published[fact] = report.published.get(fact, Decimal(0)) + number
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "published",
            "a published report has 'id', 'report_year', 'issuer' and each table "
            "('table2', …) with the labels and keys of its form; wrong, missing or "
            "unknown: {error}",
            error=error,
            report=published.get("id"),
        ) from None
    report.figures = published.get("narrative_figures", ())
    return report


def load_published(path: Path) -> Mapping[str, Any]:
    """The JSON of a published report; its numbers stay exact.

    Raises
    ------
    InputError
        ``published``: no JSON, or no report year in it.
    """
    try:
        report: Mapping[str, Any] = json.loads(
            path.read_text(encoding="utf-8"), parse_float=Decimal
        )
        int(report["report_year"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "published",
            "{path} is no published report in JSON with a 'report_year': {error}",
            path=path,
            error=error,
            file=str(path),
        ) from None
    return report


def _printed(
    form: Form, edition: Edition, published: Mapping[str, Any], report: PublishedReport
) -> Iterator[tuple[str, Any]]:
    for table in edition.tables.values():
        number = shown_by(table.id)
        part = published[f"table{number}" if number.isdigit() else table.id]
        if "rows" in part:
            yield from _by_rows(form, table, part, report)
        elif any(row.key in part for _, row, _ in table.places()):
            for _, row, column in table.places():
                yield table.cell_id(row.key, column.key), part[row.key].get(column.key)
        else:
            yield from _by_labels(table, part, {cell.id: cell.unit for cell in report.cells})


def _by_labels(
    table: Table, part: Mapping[str, Any], units: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    """Cells by printed labels; a key beside one names the unit of its figure (592, 万元)."""
    facts = {
        (name, column.node.label): table.cell_id(row.key, column.key)
        for _, row, column in table.places()
        for name in (row.node.label, *row.node.categories)
    }
    for block in part.values():
        for row, values in block.items() if isinstance(block, dict) else ():
            for column, value in values.items():
                if column.endswith(_UNIT):
                    continue
                fact, unit = facts[row, column], values.get(column + _UNIT)
                if unit and value is not None:
                    value = Decimal(str(value)) * MONEY[unit] / MONEY[units[fact]]
                yield fact, value


def _by_rows(
    form: Form, table: Table, part: Mapping[str, Any], report: PublishedReport
) -> Iterator[tuple[str, Any]]:
    def leaves(of: Table) -> dict[str, Leaf]:
        return {leaf.key: leaf for band in of.model.bands for leaf in of.rows(band)}

    own, known = leaves(table), dict[str, Leaf]()
    for edition in form.editions:
        if table.id in edition.tables:
            known |= leaves(edition.tables[table.id])
    for printed in part["rows"]:
        key, rows = printed["key"], [printed["key"]]
        if key not in own:
            # A row of another edition stands for the rows that share its ledger values.
            values = set(known[key].node.categories)
            rows = [name for name, leaf in own.items() if values & set(leaf.node.categories)]
        for column, value in zip(part["columns"], printed["values"], strict=True):
            for row in rows[:-1]:
                yield table.cell_id(row, column), 0
            # Zero is zero in all of them; anything else goes to the catch-all at the end.
            yield table.cell_id(rows[-1], column), value
            if len(rows) > 1 and value:
                report.regrouped[table.cell_id(key, column)] = value, rows[-1]


def _number(cell: Cell, value: Any, report: PublishedReport) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    signed = cell.definition is not None and cell.definition.minus is not None
    whole = cell.definition is None or cell.definition.measure == "count"
    large = not number.is_finite() or number.adjusted() >= 20
    if large or (number < 0 and not signed) or (whole and number % 1):
        raise InputError(
            "published",
            "{id} ({label}) reads {value!r}; no report can hold this value",
            id=cell.id,
            label=cell.label,
            value=value,
            district=report.district,
            year=report.year,
        )
    return number
