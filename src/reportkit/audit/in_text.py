"""Findings in the text of a published report: sums, restated figures, leftovers, period."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reportkit.audit.auditing import short
from reportkit.audit.mentions import mentioned_figures, sentences, sums_of, twice, unbalanced
from reportkit.audit.stated_sums import stated_sums, wrong_shares
from reportkit.facts import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.audit.auditing import Auditing
    from reportkit.audit.published import Flaw

_NUMERALS = "一二三四五六七八九十"


def superseded(audit: Auditing) -> Iterator[Flaw]:
    """Notices and names of an earlier edition that the text cites."""
    due, year = audit.due, audit.report.year
    text = _plain("".join(audit.report.sections.values()))
    for edition in audit.form.editions:
        if edition.covers(year) or edition.model.years.first > year:
            continue
        words = [edition.model.basis, edition.model.name]
        for one in audit.wording.superseded:
            words += one.words if one.edition == edition.name else []
        ours = (due.model.basis, due.model.name)
        for word in words:
            if _plain(word) in text and word not in ours:
                expected = due.model.basis
                message = f"文中引用“{word}”，{year}年的依据是{expected}"
                yield audit.flaw("A3", message, expected=expected, printed=word, place="正文")
                break


def _plain(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def unlike_text(audit: Auditing) -> Iterator[Flaw]:
    """Sentences that disagree with the cells or with each other, or that do not belong here."""
    with_tables = {section.number for section in audit.due.sections if section.table}
    sections = audit.report.sections
    texts = {number: text for number, text in sections.items() if number not in with_tables}
    yield from _restated(audit, texts)
    for number, text in texts.items():
        place = _section(number)
        yield from _sums(audit, text, place)
        yield from _leftovers(audit, text, place)
    for first, second, before, after in twice(audit.wording, texts):
        yield audit.flaw(
            "N",
            f"同一事项前后不一：“{short(before)}”与“{short(after)}”",
            severity="warning",
            expected=first,
            printed=second,
            place="正文",
            sentence=after,
        )
    yield from _period(audit, texts)
    yield from _parts_of(audit, texts)


def _sums(audit: Auditing, text: str, place: str) -> Iterator[Flaw]:
    """Sums and shares that a sentence states."""
    for stated in stated_sums(text, audit.wording.stops):
        if stated.severity:
            whole, total = plain(stated.whole), plain(stated.total)
            terms = " + ".join(map(plain, stated.parts))
            sign = "大于" if stated.total > stated.whole else "小于"
            yield audit.flaw(
                "N",
                f"“{short(stated.sentence)}”：{terms} = {total}，{sign}{whole}",
                severity=stated.severity,
                expected=total,
                printed=whole,
                place=place,
                sentence=stated.sentence,
            )
    for part, percent, around in wrong_shares(text):
        yield audit.flaw(
            "N",
            f"“{around}”：{part}与文中任何总数之比都不是{percent}%",
            severity="warning",
            printed=f"{percent}%",
            place=place,
            sentence=around,
        )


def _restated(audit: Auditing, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Figures of the text against the cells that they restate."""
    wording, values = audit.wording, audit.report.values
    figures = [
        (figure, sums_of(figure.mention, values))
        for figure in mentioned_figures(wording, audit.due, texts, issuer=audit.issuer)
    ]
    right, wrong = set(), []
    for figure, sums in figures:
        if any(total == figure.value for _, total in sums):
            right.add(figure.mention.name)
        elif sums:
            wrong.append((figure, *sums[0]))
    for figure, cells, total in wrong:
        name, expected, printed = figure.mention.name, plain(total), plain(figure.value)
        yield audit.flaw(
            "N",
            f"“{short(figure.sentence)}”：{name}{printed} ≠ 表中{expected}",
            cells=cells,
            # A text that has the right figure elsewhere means something else here.
            severity="warning" if name in right else "error",
            expected=expected,
            printed=printed,
            place=_section(figure.section),
            sentence=figure.sentence,
        )
    balance = wording.balance
    has_cells = any(sums for _, sums in figures)
    if balance and not has_cells and (sides := unbalanced(wording, audit.due, texts)):
        some, others = ("与".join(names) for names in (balance.left, balance.right))
        message = f"{some}之和{sides[0]} ≠ {others}之和{sides[1]}"
        yield audit.flaw("N", message, expected=sides[0], printed=sides[1], place="正文")


def _leftovers(audit: Auditing, text: str, place: str) -> Iterator[Flaw]:
    """Sentences of a template, a letter or another body; numbering that skips."""
    wording, report = audit.wording, audit.report
    for pattern, problem in wording.leftovers.items():
        for match in re.finditer(pattern, text):
            around = text[max(0, match.start() - 10) : match.end() + 6].strip()
            message = f"“{around}”：{problem}"
            yield audit.flaw("A9", message, printed=match[0], place=place, sentence=around)
    for foreign in wording.foreign:
        found = re.search(foreign.words, text)
        if found and re.search(foreign.issuer, audit.issuer):
            message = f"“{found[0]}”不是{audit.issuer}的自称"
            yield audit.flaw("A10", message, printed=found[0], place=place, sentence=found[0])
    for sentence in sentences(text):
        year = re.search(r"(?<!\d)(20\d\d)年[,，]?(?:将|我|全|要|继续|计划)", sentence)
        early = year and report.heading.year and int(year[1]) < report.year
        if year and early and re.search(wording.plans, sentence):
            message = f"“{short(sentence)}”：年份早于报告年度"
            yield audit.flaw("A10", message, printed=year[1], place=place, sentence=sentence)
    for paragraph in text.split("\n"):
        last = 0
        for match in re.finditer(rf"(?:^|[。；;：:,，])([{_NUMERALS}])是", paragraph):
            number = _NUMERALS.index(match[1]) + 1
            if number not in (1, last + 1):
                printed = f"{match[1]}是"
                message = f"“{printed}”前没有第{number - 1}项"
                yield audit.flaw("A10", message, printed=printed, place=place, sentence=match[0])
                break
            last = number


_DAYS = re.compile(
    r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日(?:起)?(?:至|到|—|-|~)(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日"
)


def _period(audit: Auditing, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """The period of the figures: the whole report year."""
    report = audit.report
    for number, text in texts.items():
        for sentence in sentences(text):
            stated = bool(re.search(audit.wording.period, sentence))
            for match in _DAYS.finditer(sentence):
                first, month, day, last, end_month, end_day = match.groups()
                if not first or (not stated and (month, day) != ("1", "1")):
                    continue
                years = {int(first), int(last or first)}
                whole = (month, day, end_month, end_day) == ("1", "1", "12", "31")
                if whole and report.heading.year in (None, *years) and len(years) == 1:
                    continue
                if not stated and (not number or int(first) != report.heading.year):
                    continue
                yield audit.flaw(
                    "A8",
                    f"“{match[0]}”",
                    severity="error" if stated else "warning",
                    expected=f"{report.year}年1月1日至12月31日",
                    printed=match[0],
                    place=_section(number),
                    sentence=sentence,
                )


def _parts_of(audit: Auditing, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """The number of parts that a text announces, against those that it lists."""
    for number, text in texts.items():
        for sentence in sentences(text):
            match = re.search(
                rf"(?:等|共|分为|由|包括|含)?([{_NUMERALS}]|\d{{1,2}})个?部分(?:组成|内容|构成)?",
                sentence,
            )
            if (
                not match
                or not re.search("包括|组成|分为|由|构成", sentence)
                or sentence[match.start() - 1 : match.start()] == "第"
            ):
                continue
            stated = int(match[1]) if match[1].isdigit() else _NUMERALS.index(match[1]) + 1
            words = _plain(sentence)
            listed = sum(
                any(_plain(piece) in words for piece in _spellings(section.title))
                for section in audit.due.sections
            )
            if listed >= 3 and listed != stated:
                yield audit.flaw(
                    "A11",
                    f"“{short(sentence)}”：列出{listed}个部分",
                    expected=str(listed),
                    printed=str(stated),
                    place=_section(number),
                    sentence=sentence,
                )


def _spellings(title: str) -> list[str]:
    """A section's title, and its longer piece: texts shorten the others."""
    return [title, title.replace("、", "和"), max(re.split("[、和]", title), key=len)]


def _section(number: str) -> str:
    return f"第{number}部分" if number else "前言"
