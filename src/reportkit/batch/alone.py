"""One report by itself, in a process forked from the warm one, as each report of a batch is."""

from __future__ import annotations

import sys
from typing import Any

from reportkit.batch.workers.local import call


def make_alone(district: str, year: int, *, cold: bool, **asked: Any) -> dict[str, Any]:
    """Make one report.

    Parameters
    ----------
    district, year
        Whose, and of which year.
    cold : bool
        Start a kernel from nothing, and fork none.
    **asked
        As of `reportkit.run.run.run`.

    Returns
    -------
    dict
        Plain data, which the command need import nothing for: ``run``, ``draft``, ``unchanged``,
        ``findings``, ``exit_status``, names of ``documents``, and ``told``, if the pseudonyms are
        of a key for this session only.
    """
    if cold:
        return _make(district, year, warm=False, **asked)
    return call(_make, district, year, warm=True, **asked)


def _make(district: str, year: int, *, warm: bool, **asked: Any) -> dict[str, Any]:
    from reportkit.export.documents import DOCUMENTS
    from reportkit.ledgers.privacy import SESSION_TOLD, Pseudonyms
    from reportkit.run.run import run

    # A warm process that had to be started again has not the environment that it should have.
    warm = warm and sys.flags.hash_randomization == 0
    outcome = run(district, year, warm=warm, **asked)
    return {
        "run": str(outcome.folder),
        "draft": outcome.draft,
        "unchanged": outcome.unchanged,
        "findings": outcome.findings,
        "exit_status": outcome.exit_status,
        "documents": list(DOCUMENTS),
        "told": SESSION_TOLD if Pseudonyms.from_environment().of_session else "",
    }
