"""Demands of the notices on form and content, as far as a program can check them (D1-D6)."""

from __future__ import annotations

from datetime import date
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from reportkit.checks.rules import Check, check
from reportkit.text.narrative import UNWRITTEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.checks.rules import Rules
    from reportkit.forms import Edition


def notice_checks(
    rules: Rules,
    edition: Edition,
    sections: Mapping[str, str],
    *,
    last: Mapping[str, str],
    year: int,
    level: str,
    published: date | None,
) -> list[Check]:
    """Apply the notices' demands.

    Parameters
    ----------
    edition : Edition
        Its sections say what each must hold.
    sections, last : mapping of str to str
        Plain text by section number, of this report and of last year's (may be empty).
    year : int
        Report year.
    level : {"department", "county", "city", "province"}
        Who reports.
    published : date or None
        The latest day that the report bears; without one no deadline is checked.

    Source: 国办公开办函〔2019〕60号, 〔2021〕30号; 政府信息公开条例 第四十九条.
    """
    checks = []
    for section in edition.sections:
        text, name = sections.get(section.number, "").strip(), f"第{section.number}部分"
        if section.table is None:
            message = f"{name}{'已填写' if text else '没有文字'}"
            checks.append(check(rules, "D1", bool(text), message))
        if section.at_most:
            length = len("".join(text.split()))
            holds = length <= section.at_most
            message = f"{name}{length}字" + ("" if holds else f"，超过{section.at_most}字")
            checks.append(check(rules, "D2", holds, message, left=length, right=section.at_most))
        if section.must_say:
            holds = section.must_say in text
            message = f"{name}{'写明了' if holds else '没有提到'}“{section.must_say}”"
            checks.append(check(rules, "D3", holds, message))
        if section.own_words and text and last.get(section.number, "").strip():
            checks.append(_own_words(rules, name, text, last[section.number].strip()))
    unwritten = [f"第{number}部分" for number, text in sections.items() if UNWRITTEN in text]
    message = f"{'、'.join(unwritten)}有{UNWRITTEN}】之处" if unwritten else "没有尚未填写之处"
    checks.append(check(rules, "D6", not unwritten, message))
    if published:
        month, day = map(int, rules["D4"].limits[level].split("-"))
        due = date(year + 1, month, day)
        late = published > due
        message = f"期限{due}，报告日期{published}" + ("，逾期" if late else "")
        checks.append(check(rules, "D4", not late, message, left=published, right=due))
    return checks


def _own_words(rules: Rules, name: str, text: str, last: str) -> Check:
    """Check that a section does not repeat last year's; the longest shared passages come first."""
    rule = rules["D5"]
    matcher = SequenceMatcher(None, last, text, autojunk=False)
    percent = round(matcher.ratio() * 100)
    least = rule.limit("passage")
    blocks = sorted(matcher.get_matching_blocks(), key=lambda block: -block.size)
    same = [text[b.b : b.b + b.size].strip() for b in blocks if b.size >= least]
    most = rule.limit("percent")
    message = f"{name}与上年相同的文字占{percent}%"
    if percent >= most:
        message += "：" + "；".join(f"“{passage}”" for passage in same[:5])
    return check(rules, "D5", percent < most, message, left=f"{percent}%", right=f"{most}%")
