"""Summary of a batch: the document batch.json, and the lines at its end."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import FAILED, Result
from reportkit.catalogue.causes import by_cause
from reportkit.language import Message, joined
from reportkit.language.message import COLON, COMMA, first_lines
from reportkit.params import parse_report_name, report_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reportkit.batch.loop import Done
    from reportkit.params.naming import Report

# Districts of one cause that a terminal shows; batch.json has all.
_SHOWN = 12


@dataclass(frozen=True)
class About:
    """Fields of a summary that describe the batch itself.

    Parameters
    ----------
    batch : str
        Its id.
    started, ended : datetime
    command : sequence of str
        As it was given, to be given again.
    exit_status : int
    """

    batch: str
    started: datetime
    ended: datetime
    command: Sequence[str]
    exit_status: int


def summary(done: Done, about: About, *, out: Path) -> dict[str, Any]:
    """The document ``batch.json``.

    Parameters
    ----------
    done : Done
    about : About
    out : Path
        Where the reports are, and what is kept of those that failed.
    """
    counts = Counter(result.state for result in done.results)
    refused = done.refused
    findings = sum(bool(result.open) for result in done.results)
    return {
        "schema": "reportkit/batch/1",
        "batch": about.batch,
        "started": about.started.isoformat(timespec="seconds"),
        "ended": about.ended.isoformat(timespec="seconds"),
        "exit_status": about.exit_status,
        "stopped": done.stopped,
        "refused": refused and {"reason": refused.reason, "message": refused.message},
        "counts": {state: counts[state] for state in ("made", "unchanged", "failed")}
        | {"left": len(done.left), "with_findings": findings},
        "failures": _failures(done.results, about.command),
        "again": shlex.join([*about.command, "--failed"]) if counts["failed"] else None,
        "reports": [_report(result, _kept(result, out, about.started)) for result in done.results]
        + [_report(_untried(report), "") | {"state": "left"} for report in done.left],
    }


def _untried(report: Report) -> Result:
    year, form = parse_report_name(report[1]) or (0, None)
    return Result(report[0], year, "unchanged", 0, form=form)


def _kept(result: Result, out: Path, started: datetime) -> str:
    """Return the folder with notebook and log of a report that failed in this batch, or ""."""
    folder = out.joinpath(*result.report, FAILED)
    if result.state != "failed" or not folder.is_dir():
        return ""
    return folder.as_posix() if folder.stat().st_mtime >= started.timestamp() else ""


def _report(result: Result, kept: str) -> dict[str, Any]:
    same = ("district", "year", "form", "state", "exit_status", "run", "draft")
    return {
        **{name: getattr(result, name) for name in same},
        "seconds": round(result.seconds, 3),
        "peak_bytes": result.peak,
        "errors": result.open["error"],
        "warnings": result.open["warning"],
        "untold": result.untold,
        "reason": result.reason,
        "message": result.message,
        "kept": kept,
    }


def _failures(results: Sequence[Result], command: Sequence[str]) -> list[dict[str, Any]]:
    """Each cause with its messages, and the command that makes just these reports again."""
    which = [at for at, word in enumerate(command) if word in ("--districts", "--years")]
    others = [word for at, word in enumerate(command) if not {at, at - 1} & {*which}]
    failures = []
    causes = by_cause(result for result in results if result.state == "failed")
    for reason, messages in causes.items():
        failed = [result for alike in messages for result in alike]
        districts, years = _districts(failed), sorted({str(result.year) for result in failed})
        again = [*others, "--districts", ",".join(districts), "--years", ",".join(years)]
        shown = [
            {
                "districts": _districts(alike),
                "years": sorted({result.year for result in alike}),
                "message": alike[0].common_message,
            }
            for alike in messages
        ]
        failures.append(
            {
                "reason": reason,
                "count": len(failed),
                "districts": districts,
                "messages": shown,
                "command": shlex.join([*again, "--failed"]),
            }
        )
    return failures


def _districts(results: Iterable[Result]) -> list[str]:
    return sorted({result.district for result in results})


def summary_text(document: dict[str, Any]) -> str:
    """Return the text that a terminal shows at the end of a batch."""
    return joined("\n", _lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    counts = document["counts"]
    began, ended = (datetime.fromisoformat(document[name]) for name in ("started", "ended"))
    yield Message(
        "{made} made, {unchanged} unchanged, {failed} failed, {left} left; {with_findings} "
        "with findings; in {time}",
        **counts,
        time=ended - began,
    )
    if open_errors := _which(document, "errors"):
        yield Message(
            "{count} with open errors: {reports}",
            count=len(open_errors),
            reports=_listed(open_errors),
        )
    if changed := _which(document, "untold"):
        yield Message(
            "{count} with figures that are not as the final run before printed them, and that "
            "no correction tells: {reports}; reportkit diff shows them",
            count=len(changed),
            reports=_listed(changed),
        )
    kept = {(r["district"], r["year"]): r["kept"] for r in document["reports"] if r["kept"]}
    for failure in document["failures"]:
        yield f"{failure['count']} × {failure['reason']}:"
        for message in failure["messages"][:_SHOWN]:
            years = f" {', '.join(map(str, message['years']))}"
            shown = message["message"]
            shown = shown.splitlines()[-1] if failure["reason"] == "internal" else shown
            who = joined("", ["  ", _listed(message["districts"]), years])
            yield joined(COLON, [who, first_lines(shown, 3, indent="\n      ")])
            reports = ((d, y) for d in message["districts"] for y in message["years"])
            if left := next((kept[report] for report in reports if report in kept), ""):
                yield Message("      its notebook and log: {left}", left=left)
        if (more_of := len(failure["messages"]) - _SHOWN) > 0:
            yield Message("  and {count} more, all in batch.html", count=more_of)
    if document["again"]:
        yield Message("those that failed, when they are mended: {again}", again=document["again"])
    if counts["left"]:
        yield Message("the same command makes what is left")


def _which(document: Mapping[str, Any], field: str) -> list[str]:
    """Return the names of the reports with a count above 0."""
    return [
        f"{report['district']} {report_name(report['year'], report['form'])}"
        for report in document["reports"]
        if report[field]
    ]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    shown = joined(COMMA, names[:_SHOWN])
    return shown + Message(" and {count} more", count=more) if more > 0 else shown
