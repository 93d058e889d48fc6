"""Every check of a report, by all rules that apply to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.audit.own import text_checks
from reportkit.checks import (
    continuity_checks,
    coverage_checks,
    doubt_checks,
    form_checks,
    intake_checks,
    limit_checks,
    member_checks,
    notice_checks,
    past_checks,
    plausibility_checks,
    published_checks,
    relation_checks,
    restatement_checks,
    share_checks,
    year_check,
)
from reportkit.export.blocks import prose_text
from reportkit.facts import Computer
from reportkit.facts.numerals import number_of
from reportkit.facts.published import load_published, read_report
from reportkit.notebook.corrected import PLACE, TITLE, standing
from reportkit.rollup.findings import own_total_checks, rollup_checks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from reportkit.checks import Check
    from reportkit.facts import Facts
    from reportkit.notebook.compilation import Compilation
    from reportkit.rollup.sums import Sums


def every_check(report: Compilation) -> list[Check]:
    """Apply every rule, whatever was accepted of its findings."""
    facts = report.computed()
    read = None if report.sums else report.ledgers
    checks = form_checks(report.rules, report.edition, facts, year=report.year, ledgers=read)
    checks += _of_text(report, facts) + _across(report, facts)
    return checks + (
        _of_sums(report, report.sums, facts) if report.sums else _of_records(report, facts)
    )


def _of_records(report: Compilation, facts: Facts) -> list[Check]:
    rules, year, ledgers = report.rules, report.year, report.ledgers
    checks = intake_checks(rules, ledgers, unread=ledgers.unread)
    checks.append(year_check(rules, ledgers, year))
    checks += doubt_checks(rules, ledgers, year)
    for ledger in ledgers.values():
        if ledger.schema.clock:
            checks += limit_checks(rules, ledger, year, ledgers.calendar)
    if report.scope == report.district.scope:
        checks += published_checks(rules, _published(report), facts)
    return checks


def _of_sums(report: Compilation, sums: Sums, facts: Facts) -> list[Check]:
    rules, computer = report.rules, report.computer
    totals = {name: (value, "本级已公布") for name, value in _published(report).items()}
    for fact in report.params.declared:
        stated = number_of(fact.value or "")
        if fact.id not in computer.declared and stated is not None:
            totals[fact.id] = stated, f"本级申报（{fact.source}）"
    checks = rollup_checks(
        rules, report.edition, sums, facts, specs=computer.specs, year=report.year
    )
    return checks + own_total_checks(rules, sums, facts, totals)


def _published(report: Compilation) -> Mapping[str, Decimal]:
    """Figures of the year that were published; none where there is no file of them."""
    path = report.project.report_file(report.district, report.year, "published.json")
    if not path.is_file():
        return {}
    published = read_report(report.form, load_published(path)).published
    return standing(published, report.params.corrections)


def _of_text(report: Compilation, facts: Facts) -> list[Check]:
    rules, edition, coverage = report.rules, report.edition, report.coverage
    checks = relation_checks(rules, report.params.relations, facts)
    related = {(check.left, check.right) for check in checks}
    possible = report.computer.possible() if coverage.of("unbound") else facts
    titles = {s.number: f"{s.number}、{s.title}" for s in edition.sections}
    titles |= {"": "序言", PLACE: TITLE}
    checks += coverage_checks(rules, coverage, possible, titles=titles)
    texts = {number: prose_text(body) for number, body in report.narrative.sections.items()}
    found = text_checks(
        report.form,
        edition,
        texts,
        {name: facts[name].number for name in report.computer.cells},
        issuer=report.district.issuer or report.district.name,
        year=report.year,
    )
    # A finding that the report's own relations have already is not repeated.
    checks += [check for check in found if (check.left, check.right) not in related]
    days = [day for day in (report.params.dated, report.params.printed) if day]
    return checks + notice_checks(
        rules,
        edition,
        texts,
        last=report.past.sections if report.past else {},
        year=report.year,
        level="department" if report.scope == "office" else report.district.level,
        published=max(days, default=None),
    )


def _across(report: Compilation, facts: Facts) -> list[Check]:
    """Check the report against its parts, its members' and last year's."""
    rules, edition, past = report.rules, report.edition, report.past
    cells = list(report.computer.cells.values())
    values = {cell.id: facts[cell.id].number for cell in cells}
    checks = []
    if not report.sums:
        members = {
            name: None if member.origin == "missing" else member.values
            for name, member in report.members.items()
        }
        checks += member_checks(rules, cells, values, members)
    checks += share_checks(rules, edition, values) + past_checks(rules, past)
    if past:
        checks += continuity_checks(rules, edition, values, past.values)
        if past.facts and not report.sums:
            checks += restatement_checks(rules, past, computer_of_last_year(report))
        checks += plausibility_checks(rules, cells, values, past.values)
    return checks


def computer_of_last_year(report: Compilation) -> Computer:
    """Last year's form over today's ledgers, so far as this year's report reads them."""
    year = report.year - 1
    return Computer(
        year,
        cells=report.form.edition(year).cells(year),
        specs=report.computer.specs,
        declared=[],
        ledgers=dict(report.ledgers),
    )
