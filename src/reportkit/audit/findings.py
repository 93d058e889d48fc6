"""Findings in a published report: its tables and form, last year's report, and the notices."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.auditing import Auditing, short
from reportkit.audit.in_text import superseded, unlike_text
from reportkit.audit.labels import form_rows, plain_letters
from reportkit.audit.numbers import read_cell
from reportkit.audit.unprinted import as_facts, unprinted_checks
from reportkit.checks import Check, continuity_checks, form_checks, notice_checks
from reportkit.facts import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.audit.published import Flaw, Published
    from reportkit.audit.read_table import ReadTable
    from reportkit.forms import Form

# Demands of the notices that a reader can only suspect to be broken.
_AS_WARNING = frozenset({"D1", "D3"})


def findings_of(report: Published, form: Form, *, previous: Published | None = None) -> list[Flaw]:
    """All findings in a published report.

    Parameters
    ----------
    report : Published
    form : Form
    previous : Published, optional
        Last year's report of the same body.
    """
    audit = Auditing.of(report, form)
    found = [*_of_tables(audit), *_of_form(audit), *unlike_text(audit)]
    if previous is not None:
        found += _of_years(audit, previous)
    found += _of_notices(audit, previous)
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda finding: order[finding.severity])


def text_findings(report: Published, form: Form) -> list[Flaw]:
    """Return the findings in the text, and figures in rows that the body cannot have."""
    audit = Auditing.of(report, form)
    return list(dict.fromkeys([*_unable(audit), *superseded(audit), *unlike_text(audit)]))


def _of_tables(audit: Auditing) -> Iterator[Flaw]:
    """The rules of the edition that each table is printed by, over the cells that are known."""
    rules, year = audit.rules, audit.report.year
    for table in audit.report.tables:
        facts = as_facts(table.edition, table.known)
        checks = form_checks(rules, table.edition, facts, year=year)
        for check in (*checks, *unprinted_checks(audit.form, table.edition, facts, year)):
            if not check.holds and not _explained(check, table):
                yield audit.as_flaw(check)
        yield from _blanks(audit, table)
    yield from _unable(audit)


def _explained(check: Check, table: ReadTable) -> bool:
    """A column that adds up when the rows that only this place has are counted too."""
    if check.left is None or check.right is None or not table.extra_rows or len(check.facts) < 3:
        return False
    column = check.facts[-1].split(".")[2]
    keys = form_rows(table.table)[0].columns
    more = Decimal(0)
    for _, texts in table.extra_rows:
        if len(texts) == len(keys):
            more += read_cell(texts[keys.index(column)]).value or 0
    return bool(more) and Decimal(check.left) + more == Decimal(check.right)


def _blanks(audit: Auditing, table: ReadTable) -> Iterator[Flaw]:
    blank = table.blank
    if table.found and blank:
        titles = {name: row.title for row in form_rows(table.table) for name in row.cells}
        rows = "、".join(dict.fromkeys(titles[name].split("/")[-1] for name in blank))
        message = f"{len(blank)}格空白，零须写作0（{short(rows)}）"
        yield audit.flaw("A4", message, cells=blank)


def _unable(audit: Auditing) -> Iterator[Flaw]:
    issuer, values = audit.issuer, audit.report.values
    for rule in audit.wording.unable:
        if not re.search(rule.issuer, issuer) or re.search(rule.but, issuer):
            continue
        pattern = re.compile(re.escape(rule.cells).replace(r"\*", r"\w+"))
        wrong = [n for n, v in values.items() if pattern.fullmatch(n) and v]
        if wrong:
            printed = plain(values[wrong[0]])
            yield audit.flaw(rule.id, issuer, cells=wrong, expected="0", printed=printed)


def _of_form(audit: Auditing) -> Iterator[Flaw]:
    """Tables, labels and words of another edition than the year's."""
    report, due = audit.report, audit.due
    if report.heading.year is None:
        return
    for table in report.tables:
        if not table.found:
            continue
        if table.edition.name != due.name and table.table.model.layout == "grid":
            message = (
                f"“{table.table.title}”用的是{table.edition.name}年版的行和列，"
                f"{report.year}年应当用{due.name}年版"
            )
            own = {row.key for row in form_rows(due.tables[table.table.id])}
            cells = [n for n in table.values if n.split(".")[1] not in own] or list(table.values)
            printed = table.edition.name
            yield audit.flaw("A1", message, cells=cells, expected=due.name, printed=printed)
        else:
            yield from _labels(audit, table)
    yield from superseded(audit)


def _labels(audit: Auditing, table: ReadTable) -> Iterator[Flaw]:
    """Rows that bear the label of another edition."""
    other = {
        row.key: row
        for edition in audit.form.editions
        if edition.name != table.edition.name and table.table.id in edition.tables
        for row in form_rows(edition.tables[table.table.id])
    }
    for row in form_rows(table.table):
        line = table.lines.get(row.cells[0])
        if line is None or row.key not in other or row.names == other[row.key].names:
            continue
        printed = {plain_letters(cell.text) for cell in line.cells if cell.text}
        if printed & set(other[row.key].names) and not printed & set(row.names):
            name = other[row.key].title
            message = f"“{name}”是另一版的名称，应为“{row.title}”"
            cells = row.cells[:1]
            yield audit.flaw("A2", message, cells=cells, expected=row.title, printed=name)


def _of_years(audit: Auditing, previous: Published) -> Iterator[Flaw]:
    values, past = audit.report.values, previous.values
    for check in continuity_checks(audit.rules, audit.due, values, past):
        if not check.holds:
            yield audit.as_flaw(_turned(check))


def _turned(check: Check) -> Check:
    """Swap the sides of a check, so that what is expected is on its left."""
    return replace(check, left=check.right, right=check.left)


def _of_notices(audit: Auditing, previous: Published | None) -> Iterator[Flaw]:
    """Demands of the notices, of the sections that the document has."""
    report = audit.report
    if report.heading.year is None:
        return
    whole = sum(section.number in report.sections for section in audit.due.sections)
    if whole < len(audit.due.sections) - 1:
        return  # an extract, or tables alone
    level, day = _due(audit)
    checks = notice_checks(
        audit.rules,
        audit.due,
        report.sections,
        last=previous.sections if previous else {},
        year=report.year,
        level=level,
        published=day,
    )
    for check in checks:
        if not check.holds:
            severity = "warning" if check.id in _AS_WARNING else None
            yield audit.as_flaw(_turned(check), severity=severity, place="正文")


def _due(audit: Auditing) -> tuple[str, date | None]:
    """The level of the body by its name, and the day on which the page says it was published."""
    levels = (one.level for one in audit.wording.levels if re.search(one.issuer, audit.issuer))
    texts = audit.report.sections.values()
    days = (match for text in texts if (match := re.search(audit.wording.published, text)))
    day = None
    if match := next(days, None):
        with suppress(ValueError):
            day = date(*map(int, match.groups()))
    return next(levels, "province"), day
