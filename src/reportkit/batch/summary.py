"""What a batch leaves behind: batch.json, batch.html, and the table at its end."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reportkit.batch.jobs import FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.batch.jobs import Result
    from reportkit.batch.loop import Done

# A command with more districts than this is only in batch.json and batch.html.
_SHOWN = 12
# A report that was not tried has the same fields.
_EMPTY = {
    "district": "", "year": 0, "state": "left", "exit_status": 0, "run": "", "draft": False,
    "seconds": 0.0, "peak_bytes": 0, "errors": 0, "warnings": 0, "reason": "", "message": "",
    "kept": "",
}  # fmt: skip


def summary(
    done: Done, *, batch: str, times: tuple[str, str], options: Sequence[str], out: Path
) -> Any:
    """The document ``batch.json``.

    Parameters
    ----------
    done : Done
    batch : str
        Id of the batch.
    times : tuple of str
        When it began and ended.
    options : sequence of str
        What the command needs besides districts and years, such as ``--out``.
    out : Path
        Where the reports are, and what is kept of those that failed.
    """
    counts = Counter(result.state for result in done.results)
    return {
        "schema": "reportkit/batch/1",
        "batch": batch,
        "started": times[0],
        "ended": times[1],
        "exit_status": done.exit_status,
        "stopped": done.stopped,
        "counts": {state: counts[state] for state in ("made", "unchanged", "failed")}
        | {"left": len(done.left), "with_findings": sum(bool(r.findings) for r in done.results)},
        "failures": _failures(done.results, options),
        "reports": [_report(result, _kept(result, out, times[0])) for result in done.results]
        + [_EMPTY | {"district": d, "year": y} for d, y in done.left],
    }


def _kept(result: Result, out: Path, started: str) -> str:
    """Where notebook and log of a report that failed in this batch are; empty if it left none."""
    folder = out / result.district / str(result.year) / FAILED
    if result.state != "failed" or not folder.is_dir():
        return ""
    since = datetime.fromisoformat(started).timestamp()
    return folder.as_posix() if folder.stat().st_mtime >= since else ""


def _report(result: Result, kept: str) -> dict[str, Any]:
    found = Counter(f["severity"] for f in result.findings if not f["waived"])
    return {
        "district": result.district, "year": result.year, "state": result.state,
        "exit_status": result.exit_status, "run": result.run, "draft": result.draft,
        "seconds": round(result.seconds, 3), "peak_bytes": result.peak,
        "errors": found["error"], "warnings": found["warning"],
        "reason": result.reason, "message": result.message,
        "kept": kept,
    }  # fmt: skip


def _failures(results: Sequence[Result], options: Sequence[str]) -> list[dict[str, Any]]:
    causes: dict[str, list[Result]] = {}
    for result in results:
        if result.state == "failed":
            causes.setdefault(result.reason, []).append(result)
    told = []
    for reason, failed in sorted(causes.items(), key=lambda item: -len(item[1])):
        districts = sorted({result.district for result in failed})
        years = ",".join(map(str, sorted({result.year for result in failed})))
        command = ["reportkit", "batch", "--districts", ",".join(districts), "--years", years]
        told.append(
            {
                "reason": reason,
                "count": len(failed),
                "districts": districts,
                "message": failed[0].message,
                "command": shlex.join([*command, *options]),
            }
        )
    return told


def summary_text(document: Any) -> str:
    """What the end of a batch shows on a terminal."""
    counts = document["counts"]
    began, ended = (datetime.fromisoformat(document[name]) for name in ("started", "ended"))
    lines = [
        f"{counts['made']} made, {counts['unchanged']} unchanged, {counts['failed']} failed, "
        f"{counts['left']} left; {counts['with_findings']} with findings; in {ended - began}"
    ]
    open_errors = [f"{r['district']} {r['year']}" for r in document["reports"] if r["errors"]]
    if open_errors:
        lines.append(f"{len(open_errors)} with open errors: {_listed(open_errors)}")
    kept = {r["reason"]: r["kept"] for r in reversed(document["reports"]) if r["kept"]}
    for failure in document["failures"]:
        lines.append(f"{failure['count']} × {failure['reason']}: {_listed(failure['districts'])}")
        lines += [f"    {line}" for line in failure["message"].splitlines()[:3]]
        if failure["reason"] in kept:
            lines.append(f"    its notebook and log: {kept[failure['reason']]}")
        if len(failure["districts"]) <= _SHOWN:
            lines.append(f"    again: {failure['command']}")
    if counts["left"]:
        lines.append("the same command makes what is left")
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def summary_page(document: Any) -> str:
    """The page ``batch.html``: one file, everything escaped, nothing loaded."""
    environment = Environment(
        loader=PackageLoader("reportkit.batch"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    reports = sorted(document["reports"], key=_calm)
    return environment.get_template("batch.html.j2").render(document | {"reports": reports})


def _calm(report: dict[str, Any]) -> tuple[int, int, int]:
    """What somebody must look at comes first."""
    states = ["failed", "left"]
    state = states.index(report["state"]) if report["state"] in states else len(states)
    return state, -report["errors"], -report["warnings"]
