"""Checks that do not hold, in lines for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reportkit.cli.language import current_language
from reportkit.language import Message, joined
from reportkit.language.message import COLON, COMMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.audit.published import Flaw

_SEVERITIES = {
    "error": Message("error"),
    "warning": Message("warning"),
    "info": Message("info"),
}
_SHOWN = 3
_QUOTED = re.compile("“[^”]*”")


def check_line(check: Mapping[str, Any]) -> str:
    """Return a check with its demand and what was found.

    Checks are sealed in Chinese, as the report prints them. To a reader of English the demand is
    said in English, and what was found by its figures and facts.
    """
    texts: list[str] = [joined("", [f"{check['id']} ", _SEVERITIES[check["severity"]]])]
    if current_language() == "zh":
        texts += [check["title"], check["message"]]
    else:
        from reportkit.checks import english_titles

        texts.append(english_titles().get(check["title"], check["title"]))
        texts.append(_in_figures(check))
    return joined(COLON, filter(None, texts))


def flaw_line(flaw: Flaw) -> str:
    """Return a finding in a published report, in the words of a check of our own."""
    return check_line(
        {
            "id": flaw.check,
            "severity": flaw.severity,
            "title": flaw.title,
            "message": flaw.detail,
            "left": flaw.printed,
            "right": flaw.expected,
            "facts": flaw.cells,
        }
    )


def _in_figures(check: Mapping[str, Any]) -> str:
    """Return what was found by figures and facts; in the check's own words where it has neither."""
    left, right, facts = check["left"], check["right"], list(check["facts"])
    texts: list[str] = []
    if left is not None and right is not None:
        texts = [Message("{left} against {right}", left=left, right=right)]
    elif left is not None:
        texts = [left]
    texts += facts[:_SHOWN]
    if more := len(facts[_SHOWN:]):
        texts.append(Message("{count} more facts", count=more))
    if not facts:
        # What is of no fact is known by the words it was found in.
        texts += _QUOTED.findall(check["message"])[:1]
    return joined(COMMA, texts or filter(None, [check["message"]]))


def finding_lines(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield open findings, what was accepted, and how each open error could be."""

    def line(check: Mapping[str, Any]) -> str:
        return joined("", ["  ", check_line(check)])

    waived = [check for check in findings if check["waived"]]
    still = [check for check in findings if not check["waived"]]
    errors = [check for check in still if check["severity"] == "error"]
    if still:
        yield Message("{count} checks do not hold:", count=len(still))
        yield from map(line, still)
    if waived:
        yield Message("{count} checks do not hold and are accepted:", count=len(waived))
    for check in waived:
        by = check["waived"]
        yield line(check)
        yield f"    {by['reason']} ({by['by']}, {by['on']})"
    if errors:
        from reportkit.checks import waiver_yaml

        yield Message("an error that is right as it stands is accepted in the report's parameters:")
        yield "waivers:"
        for check in errors[:5]:
            yield from waiver_yaml(check).splitlines()
        if len(errors) > 5:
            yield Message("# … and {count} more", count=len(errors) - 5)
