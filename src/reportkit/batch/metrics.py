"""The last batch and the state of all reports as a textfile of metrics.

Source: the text format that Prometheus reads; its node_exporter takes files of it from a folder.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.catalogue.state import StateOfAll

from reportkit.catalogue.state import STATES


def metrics(batch: Mapping[str, Any], state: StateOfAll) -> str:
    """The textfile.

    Parameters
    ----------
    batch : mapping
        ``batch.json``.
    state : StateOfAll
    """
    began, ended = (datetime.fromisoformat(batch[name]) for name in ("started", "ended"))
    stands: Counter[str] = Counter(report.state for report in state.reports.values())
    counted = ("made", "unchanged", "failed", "left")
    by_state = {f'state="{name}"': batch["counts"][name] for name in counted}
    by_reason = {f'reason="{cause["reason"]}"': cause["count"] for cause in batch["failures"]}
    peak = max((report["peak_bytes"] for report in batch["reports"]), default=0)
    all_by_state = {f'state="{name}"': stands[name] for name in STATES}
    with_errors = sum(report.errors > 0 for report in state.reports.values())
    families: list[tuple[str, str, Mapping[str, float]]] = [
        ("batch_start_time_seconds", "When the last batch began.", {"": began.timestamp()}),
        ("batch_end_time_seconds", "When the last batch ended.", {"": ended.timestamp()}),
        ("batch_exit_status", "Its exit status.", {"": batch["exit_status"]}),
        ("batch_refused", "1 if it could not begin.", {"": bool(batch["refused"])}),
        ("batch_stopped", "1 if it was stopped before its end.", {"": bool(batch["stopped"])}),
        ("batch_reports", "Reports of the last batch.", by_state),
        ("batch_failures", "Its failures by cause.", by_reason),
        ("batch_peak_bytes", "Most memory that a report of it held.", {"": peak}),
        ("reports", "All reports, by how they stand.", all_by_state),
        ("reports_with_errors", "Reports in force with an open error.", {"": with_errors}),
    ]
    lines = []
    for name, meaning, values in families:
        lines += [f"# HELP reportkit_{name} {meaning}", f"# TYPE reportkit_{name} gauge"]
        for labels, value in values.items():
            lines.append(f"reportkit_{name}{f'{{{labels}}}' if labels else ''} {float(value):.15g}")
    return "\n".join(lines) + "\n"
