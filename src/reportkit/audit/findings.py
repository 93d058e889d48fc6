"""Findings in a published report: the rules of its form, its words, and last year's report."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.labels import form_rows, plain_letters
from reportkit.audit.mentions import all_mentions, said, sentences, sums_of, twice, unbalanced
from reportkit.audit.numbers import read_cell
from reportkit.audit.published import Flaw
from reportkit.audit.stated_sums import stated_sums, wrong_shares
from reportkit.audit.wording import wording_of
from reportkit.checks import Check, check, continuity_checks, form_checks, notice_checks, rules_of
from reportkit.facts import Fact, Facts, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.audit.published import Published
    from reportkit.audit.tables import ReadTable
    from reportkit.audit.wording import Wording
    from reportkit.checks.rules import Rules
    from reportkit.forms import Edition, Form

# Demands of the notices that only who makes the report can look at: it is found, not judged.
_AS_WARNING = frozenset({"D1", "D3"})
_SHOWN = 60


def findings_of(report: Published, form: Form, *, previous: Published | None = None) -> list[Flaw]:
    """Everything that does not hold in a published report.

    Parameters
    ----------
    report : Published
    form : Form
    previous : Published, optional
        Last year's report of the same body.
    """
    rules, wording = rules_of(form, report.edition), wording_of(form)
    found = [
        *_of_tables(rules, form, wording, report),
        *_of_form(rules, form, wording, report),
        *_of_text(rules, wording, report),
    ]
    if previous is not None:
        found += _of_years(rules, report, previous)
    found += _of_notices(rules, wording, report, previous)
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda finding: order[finding.severity])


def text_findings(report: Published, form: Form) -> list[Flaw]:
    """Return what does not hold in the text, and rows of bodies that cannot have them."""
    rules, wording = rules_of(form, report.edition), wording_of(form)
    found = [
        *_unable(rules, wording, report),
        *_superseded(rules, form, wording, report),
        *_of_text(rules, wording, report),
    ]
    return list(dict.fromkeys(found))


def as_facts(edition: Edition, values: Mapping[str, Decimal]) -> Facts:
    """Cells that are known as facts, for the rules that reports are checked by."""
    cells = {cell.id: cell for cell in edition.cells(edition.model.years.first)}
    return Facts(
        {
            name: Fact(name, cells[name].label, value, cells[name].unit, "declared", "")
            for name, value in values.items()
        }
    )


def unprinted_checks(form: Form, edition: Edition, facts: Facts, year: int) -> Iterator[Check]:
    """Relations that reviewers look at and the form does not print (A5, A6); what does not hold.

    Parameters
    ----------
    form : Form
    edition : Edition
    facts : Facts
        The cells that are known.
    year : int
    """
    rules, wording = rules_of(form, edition), wording_of(form)
    for rule in wording.rules:
        model = edition.model.model_copy(update={"rules": [rule]})
        alone = type(edition)(model, edition.tables, edition.narrative, edition.file)
        yield from (one for one in form_checks(rules, alone, facts, year=year) if not one.holds)
    for one in wording.misread:
        same, other = [], 0
        rows = form_rows(edition.tables[one.table]) if one.table in edition.tables else []
        for row in rows:
            cells = [row.cell(column) for column in (one.column, *one.plus)]
            if not {*cells} <= facts.keys() or not any(facts[name].number for name in cells):
                continue
            total = sum((facts[name].number for name in cells[1:]), Decimal(0))
            # A row in which the two other columns tell nothing is no sign.
            if total == facts[cells[0]].number and facts[cells[1]].number:
                same.append(cells[0])
            else:
                other += 1
        if len(same) >= one.least and not other:
            yield check(rules, one.id, False, f"{len(same)}行都等于其余各列之和", facts=same)


def _of_tables(rules: Rules, form: Form, wording: Wording, report: Published) -> Iterator[Flaw]:
    """The rules of the edition that each table is printed by, over the cells that are known."""
    for table in report.tables:
        facts = as_facts(table.edition, table.known)
        checks = form_checks(rules, table.edition, facts, year=report.year)
        for one in (*checks, *unprinted_checks(form, table.edition, facts, report.year)):
            if not one.holds and not _explained(one, table):
                yield _finding(one, report, expected=one.left, printed=one.right)
        yield from _blanks(rules, report, table)
    yield from _unable(rules, wording, report)


def _explained(one: Check, table: ReadTable) -> bool:
    """A column that adds up when the rows that only this place has are counted too."""
    if one.left is None or one.right is None or not table.aside or len(one.facts) < 3:
        return False
    column = one.facts[-1].split(".")[2]
    keys = form_rows(table.table)[0].columns
    more = Decimal(0)
    for _, texts in table.aside:
        if len(texts) == len(keys):
            more += read_cell(texts[keys.index(column)]).value or 0
    return bool(more) and Decimal(one.left) + more == Decimal(one.right)


def _finding(
    one: Check,
    report: Published,
    *,
    expected: str | None = None,
    printed: str | None = None,
    severity: str | None = None,
    place: str | None = None,
    sentence: str | None = None,
) -> Flaw:
    where = place if place is not None else _place(report, one.facts)
    return Flaw(
        one.id,
        severity or one.severity,
        where,
        expected,
        printed,
        one.title,
        one.message,
        one.facts,
        sentence.strip() if sentence else None,
    )


def _place(report: Published, cells: Sequence[str]) -> str:
    """Page, table, row and column of the cell that a rule ends in."""
    if not cells:
        return ""
    name = cells[-1]
    line = report.lines.get(name)
    table = next((one for one in report.tables if one.table.id == name.split(".")[0]), None)
    parts = []
    if line is not None and line.page is not None:
        parts.append(f"第{line.page}页")
    if table is not None:
        parts.append(f"表{table.table.id.removeprefix('t')}（{table.table.title}）")
    parts.append(report.labels.get(name, name))
    if line is not None and line.table is not None:
        parts.append(f"文件中第{line.table}个表格第{line.row}行")
    elif line is not None:
        parts.append(f"第{line.row}行")
    return "，".join(parts)


def _blanks(rules: Rules, report: Published, table: ReadTable) -> Iterator[Flaw]:
    blank = table.blank
    if table.found and blank:
        titles = {name: row.title for row in form_rows(table.table) for name in row.cells}
        rows = "、".join(dict.fromkeys(titles[name].split("/")[-1] for name in blank))
        message = f"{len(blank)}格空白，零须写作0（{_short(rows)}）"
        yield _finding(check(rules, "A4", False, message, facts=blank), report)


def _unable(rules: Rules, wording: Wording, report: Published) -> Iterator[Flaw]:
    issuer = report.heading.issuer or ""
    for one in wording.unable:
        if not re.search(one.issuer, issuer) or re.search(one.but, issuer):
            continue
        pattern = re.compile(re.escape(one.cells).replace(r"\*", r"\w+"))
        wrong = [n for n, v in report.values.items() if pattern.fullmatch(n) and v]
        if wrong:
            printed = plain(report.values[wrong[0]])
            told = check(rules, one.id, False, issuer, facts=wrong)
            yield _finding(told, report, expected="0", printed=printed)


def _of_form(rules: Rules, form: Form, wording: Wording, report: Published) -> Iterator[Flaw]:
    """Tables, labels and words of another edition than the year's."""
    if report.heading.year is None:
        return
    due = report.edition
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
            told = check(rules, "A1", False, message, facts=cells)
            yield _finding(told, report, expected=due.name, printed=table.edition.name)
        else:
            yield from _labels(rules, form, report, table)
    yield from _superseded(rules, form, wording, report)


def _superseded(rules: Rules, form: Form, wording: Wording, report: Published) -> Iterator[Flaw]:
    """Notices and names of an earlier edition that the text cites."""
    due = report.edition
    text = "".join(report.sections.values())
    for edition in form.editions:
        if edition.covers(report.year) or edition.model.years.first > report.year:
            continue
        words = [edition.model.basis, edition.model.name]
        words += [w for one in wording.superseded if one.edition == edition.name for w in one.words]
        ours = (due.model.basis, due.model.name)
        for word in words:
            if _plain(word) in _plain(text) and word not in ours:
                message = f"文中引用“{word}”，{report.year}年的依据是{due.model.basis}"
                told = check(rules, "A3", False, message)
                yield _finding(told, report, expected=due.model.basis, printed=word, place="正文")
                break


def _plain(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def _labels(rules: Rules, form: Form, report: Published, table: ReadTable) -> Iterator[Flaw]:
    """Rows that bear the label of another edition."""
    other = {
        row.key: row
        for edition in form.editions
        if edition.name != table.edition.name and table.table.id in edition.tables
        for row in form_rows(edition.tables[table.table.id])
    }
    for row in form_rows(table.table):
        line = table.lines.get(row.cells[0])
        if line is None or row.key not in other or row.names == other[row.key].names:
            continue
        told = {plain_letters(cell.text) for cell in line.cells if cell.text}
        if told & set(other[row.key].names) and not told & set(row.names):
            name = other[row.key].title
            message = f"“{name}”是另一版的名称，应为“{row.title}”"
            one = check(rules, "A2", False, message, facts=row.cells[:1])
            yield _finding(one, report, expected=row.title, printed=name)


def _of_text(rules: Rules, wording: Wording, report: Published) -> Iterator[Flaw]:
    texts = {
        number: text
        for number, text in report.sections.items()
        if not any(s.number == number and s.table for s in report.edition.sections)
    }
    yield from _restated(rules, wording, report, texts)
    for number, text in texts.items():
        place = _section(number)
        for one in stated_sums(text, wording.stops):
            if one.severity:
                total = plain(one.total)
                terms = " + ".join(map(plain, one.parts))
                sign = "大于" if one.total > one.whole else "小于"
                message = f"“{_short(one.sentence)}”：{terms} = {total}，{sign}{plain(one.whole)}"
                told = check(rules, "N", False, message, severity=one.severity)
                yield _finding(
                    told,
                    report,
                    expected=total,
                    printed=plain(one.whole),
                    place=place,
                    sentence=one.sentence,
                )
        for part, percent, around in wrong_shares(text):
            message = f"“{around}”：{part}与文中任何总数之比都不是{percent}%"
            told = check(rules, "N", False, message, severity="warning")
            yield _finding(told, report, printed=f"{percent}%", place=place, sentence=around)
        yield from _leftovers(rules, wording, report, text, place)
    for first, second, before, after in twice(wording, texts):
        message = f"同一事项前后不一：“{_short(before)}”与“{_short(after)}”"
        told = check(rules, "N", False, message, severity="warning")
        yield _finding(told, report, expected=first, printed=second, place="正文", sentence=after)
    yield from _period(rules, wording, report, texts)
    yield from _parts_of(rules, report, texts)


def _restated(
    rules: Rules, wording: Wording, report: Published, texts: Mapping[str, str]
) -> Iterator[Flaw]:
    """Figures of the text against the cells that they restate."""
    values = report.values
    issuer = report.heading.issuer or ""
    told = said(wording, report.edition, texts, issuer=issuer)
    right: set[str] = set()
    for one in told:
        if any(total == one.value for _, total in sums_of(one.mention, values)):
            right.add(one.mention.name)
    for one in told:
        sums = sums_of(one.mention, values)
        if not sums or any(total == one.value for _, total in sums):
            continue
        cells, total = sums[0]
        # A text that says it rightly elsewhere speaks here of something else.
        severity = "warning" if one.mention.name in right else "error"
        message = (
            f"“{_short(one.sentence)}”：{one.mention.name}{plain(one.value)} ≠ 表中{plain(total)}"
        )
        found = check(rules, "N", False, message, facts=cells, severity=severity)
        yield _finding(
            found,
            report,
            expected=plain(total),
            printed=plain(one.value),
            place=_section(one.section),
            sentence=one.sentence,
        )
    has_cells = any(
        one.mention.name == m.name
        for one in told
        for m in all_mentions(wording, report.edition)
        if sums_of(m, values)
    )
    balance = wording.balance
    if balance and not has_cells and (sides := unbalanced(wording, report.edition, texts)):
        some, others = ("与".join(names) for names in (balance.left, balance.right))
        message = f"{some}之和{sides[0]} ≠ {others}之和{sides[1]}"
        found = check(rules, "N", False, message)
        yield _finding(found, report, expected=sides[0], printed=sides[1], place="正文")


def _leftovers(
    rules: Rules, wording: Wording, report: Published, text: str, place: str
) -> Iterator[Flaw]:
    """Sentences of a template, a letter or another body; numbering that skips."""
    for pattern, what in wording.leftovers.items():
        for match in re.finditer(pattern, text):
            around = text[max(0, match.start() - 10) : match.end() + 6].strip()
            told = check(rules, "A9", False, f"“{around}”：{what}")
            yield _finding(told, report, printed=match[0], place=place, sentence=around)
    issuer = report.heading.issuer or ""
    for one in wording.foreign:
        found = re.search(one.words, text)
        if found and re.search(one.issuer, issuer):
            told = check(rules, "A10", False, f"“{found[0]}”不是{issuer}的自称")
            yield _finding(told, report, printed=found[0], place=place, sentence=found[0])
    for sentence in sentences(text):
        year = re.search(r"(?<!\d)(20\d\d)年[,，]?(?:将|我|全|要|继续|计划)", sentence)
        if (
            year
            and report.heading.year
            and int(year[1]) < report.year
            and re.search(wording.plans, sentence)
        ):
            told = check(rules, "A10", False, f"“{_short(sentence)}”：年份早于报告年度")
            yield _finding(told, report, printed=year[1], place=place, sentence=sentence)
    for paragraph in text.split("\n"):
        last = 0
        for match in re.finditer(r"(?:^|[。；;：:,，])([一二三四五六七八九十])是", paragraph):
            number = "一二三四五六七八九十".index(match[1]) + 1
            if number not in (1, last + 1):
                told = check(rules, "A10", False, f"“{match[1]}是”前没有第{number - 1}项")
                yield _finding(
                    told, report, printed=f"{match[1]}是", place=place, sentence=match[0]
                )
                break
            last = number


_DAYS = re.compile(
    r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日(?:起)?(?:至|到|—|-|~)(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日"
)


def _period(
    rules: Rules, wording: Wording, report: Published, texts: Mapping[str, str]
) -> Iterator[Flaw]:
    """The period of the figures: the whole report year."""
    for number, text in texts.items():
        for sentence in sentences(text):
            stated = bool(re.search(wording.period, sentence))
            for match in _DAYS.finditer(sentence):
                first, month, day, last, end_month, end_day = match.groups()
                if not first or (not stated and (month, day) != ("1", "1")):
                    continue
                years = {int(first), int(last or first)}
                whole = (month, day, end_month, end_day) == ("1", "1", "12", "31")
                if whole and report.heading.year in (None, *years) and len(years) == 1:
                    continue
                if not stated and not number:
                    continue
                if not stated and int(first) != report.heading.year:
                    continue
                expected = f"{report.year}年1月1日至12月31日"
                severity = "error" if stated else "warning"
                told = check(rules, "A8", False, f"“{match[0]}”", severity=severity)
                yield _finding(
                    told,
                    report,
                    expected=expected,
                    printed=match[0],
                    place=_section(number),
                    sentence=sentence,
                )


def _parts_of(rules: Rules, report: Published, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """The number of parts that a text says it has, against those that it lists."""
    numerals = "一二三四五六七八九十"
    for number, text in texts.items():
        for sentence in sentences(text):
            match = re.search(
                r"(?:等|共|分为|由|包括|含)?([一二三四五六七八九十]|\d{1,2})个?部分(?:组成|内容|构成)?",
                sentence,
            )
            if (
                not match
                or not re.search("包括|组成|分为|由|构成", sentence)
                or sentence[match.start() - 1 : match.start()] == "第"
            ):
                continue
            stated = int(match[1]) if match[1].isdigit() else numerals.index(match[1]) + 1
            told = _plain(sentence)
            listed = sum(
                any(_plain(piece) in told for piece in _spellings(section.title))
                for section in report.edition.sections
            )
            if listed >= 3 and listed != stated:
                message = f"“{_short(sentence)}”：列出{listed}个部分"
                one = check(rules, "A11", False, message)
                yield _finding(
                    one,
                    report,
                    expected=str(listed),
                    printed=str(stated),
                    place=_section(number),
                    sentence=sentence,
                )


def _spellings(title: str) -> list[str]:
    """A section's title, and its longer piece: texts shorten the others."""
    return [title, title.replace("、", "和"), max(re.split("[、和]", title), key=len)]


def _of_years(rules: Rules, report: Published, previous: Published) -> Iterator[Flaw]:
    values, past = report.values, previous.values
    for one in continuity_checks(rules, report.edition, values, past):
        if not one.holds:
            yield _finding(one, report, expected=one.right, printed=one.left)


def _of_notices(
    rules: Rules, wording: Wording, report: Published, previous: Published | None
) -> Iterator[Flaw]:
    """Demands of the notices, of the sections that the document has."""
    if report.heading.year is None:
        return
    whole = sum(section.number in report.sections for section in report.edition.sections)
    if whole < len(report.edition.sections) - 1:
        return  # an extract, or tables alone
    level, day = _due(wording, report)
    checks = notice_checks(
        rules,
        report.edition,
        report.sections,
        last=previous.sections if previous else {},
        year=report.year,
        level=level,
        published=day,
    )
    for one in checks:
        if not one.holds:
            severity = "warning" if one.id in _AS_WARNING else None
            yield _finding(
                one, report, expected=one.right, printed=one.left, severity=severity, place="正文"
            )


def _due(wording: Wording, report: Published) -> tuple[str, date | None]:
    """The level of the body by its name, and the day on which the page says it was published."""
    issuer = report.heading.issuer or ""
    level = next((o.level for o in wording.levels if re.search(o.issuer, issuer)), "province")
    for text in report.sections.values():
        match = re.search(wording.published, text)
        if match:
            year, month, day = map(int, match.groups())
            try:
                return level, date(year, month, day)
            except ValueError:
                return level, None
    return level, None


def _section(number: str) -> str:
    return f"第{number}部分" if number else "前言"


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
