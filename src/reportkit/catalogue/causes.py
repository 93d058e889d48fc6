"""Reports that failed, grouped by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from reportkit.language import Message
from reportkit.language.message import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

# How a message that names its report before all else is written.
ABOUT_REPORT = "{id} {year}: {missing}"


class Failed(Protocol):
    """Report that failed: a result of a batch, or how it stands."""

    @property
    def reason(self) -> str:
        """Reason code."""

    @property
    def common_message(self) -> str:
        """Message without the report's name, the same for all that failed in the same way."""


Failure = TypeVar("Failure", bound=Failed)


def by_cause(failed: Iterable[Failure]) -> dict[str, list[list[Failure]]]:
    """Group reports that failed by reason, most first, and in each by the message they share."""
    causes: dict[str, dict[str, list[Failure]]] = {}
    for result in failed:
        causes.setdefault(result.reason, {}).setdefault(result.common_message, []).append(result)
    grouped = {reason: list(messages.values()) for reason, messages in causes.items()}
    return dict(sorted(grouped.items(), key=lambda item: -sum(map(len, item[1]))))


def encodable(text: str) -> str:
    """A text with what is no character written as its number: names of files can hold any bytes.

    Examples
    --------
    >>> encodable("fees-" + chr(0xDCFF)).isascii()
    True
    """
    return text.encode(errors="backslashreplace").decode()


def first_line(failed: Failed) -> str:
    """Return one line of a failure's message: the last of an internal error, else the first."""
    if failed.reason == "internal":
        return (failed.common_message.strip().splitlines() or [""])[-1]
    return first_lines(failed.common_message, 1)


def without_report(message: str, district: str, year: int) -> str:
    """Return a message without the report that it begins with, so that it fits others too."""
    if isinstance(message, Message) and message.template == ABOUT_REPORT:
        rest: str = message.values["missing"]
        return rest
    head = f"{district} {year}: "
    return message.removeprefix(head) if message.startswith(head) else message
