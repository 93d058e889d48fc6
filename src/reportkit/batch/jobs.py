"""Jobs of a batch, and their results: plain data, which any executor can send."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from reportkit.catalogue.causes import without_report
from reportkit.params.naming import OfReport
from reportkit.run.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.params import Scope
    from reportkit.params.hierarchy import Hierarchy
    from reportkit.run.request import Outcome

State = Literal["made", "unchanged", "failed"]

# Where notebook and log of a report that failed are kept, beside its runs.
FAILED = "failed"

# Reasons that another try may not meet again; bad input and failing cells stay as they are.
TRANSIENT = frozenset({"kernel-died", "timeout", "no-kernel", "busy", "input-changed"})
# Reasons that lie in the machine: the next district meets them too.
MACHINE = frozenset(
    """
    kernel-died worker-died timeout no-kernel out-of-memory no-space not-writable no-workers
    no-scheduler code-differs too-many-files
    """.split()
)


@dataclass(frozen=True)
class Settings:
    """Settings that all reports of a batch are made with.

    Parameters
    ----------
    params, data : Path, optional
        Folders, as for `run`.
    out : Path
        Where runs go.
    folder : Path
        The working folder from which the paths are meant.
    scope, force
        As for `run`.
    warm : bool
        Fork kernels from a warm process; a cold one otherwise.
    timeout : float
        Seconds for one report.
    memory : int, optional
        Bytes that one report may take beyond what the warm process holds.
    """

    params: Path | None
    data: Path | None
    out: Path
    folder: Path
    scope: Scope | None = None
    force: bool = False
    warm: bool = True
    timeout: float = 600
    memory: int | None = None

    def request(self, of: OfReport, hierarchy: Hierarchy | None, *, rollup: bool) -> Request:
        """The request for one of the reports."""
        return Request(
            of.district,
            of.year,
            form=of.form,
            params=self.params,
            data=self.data,
            out=self.out,
            scope=None if rollup else self.scope,
            hierarchy=hierarchy,
            rollup=rollup,
        )


@dataclass(frozen=True)
class Job:
    """The years of one district, in their order: a later report may read an earlier one's run.

    Parameters
    ----------
    form : str, optional
        Their form where it is not the district's usual one.
    hierarchy : Hierarchy, optional
        The districts around this one; the reports of its members are made first.
    rollup : bool
        The district's reports add those of its members.
    then : tuple of Job
        Of other districts that name the same ledger; it is read once for all of them.
    """

    district: str
    years: tuple[int, ...]
    settings: Settings
    hierarchy: Hierarchy | None = None
    rollup: bool = False
    then: tuple[Job, ...] = ()
    form: str | None = None

    def started(self, year: int) -> Started:
        """One of its reports, as a worker begins with it."""
        return Started(self.district, year, form=self.form)

    @property
    def members(self) -> tuple[str, ...]:
        """Districts whose reports these sum up."""
        return self.hierarchy.members(self.district) if self.hierarchy else ()

    @property
    def parts(self) -> tuple[Job, ...]:
        """The jobs of single districts that this one is made of."""
        return (replace(self, then=()), *self.then)


def together(parts: Sequence[Job]) -> Job:
    """Jobs of single districts as one; the inverse of `Job.parts`."""
    return replace(parts[0], then=tuple(parts[1:]))


@dataclass(frozen=True)
class Started(OfReport):
    """A worker began with a report."""


@dataclass(frozen=True)
class Result(OfReport):
    """Result of one report.

    Parameters
    ----------
    exit_status : int
        As of ``reportkit run``.
    run : str
        Folder of the run in force; empty if it failed.
    seconds, peak : float, int
        How long it took; most memory that its processes held, in bytes.
    reason, message : str
        Why it failed.
    findings : list of dict
        Checks that do not hold, those that were accepted too.
    untold : int
        Figures that the final run before printed otherwise, and that no correction mentions.
    killed : bool
        Whether its process was killed from outside, or for want of memory.
    """

    state: State
    exit_status: int
    run: str = ""
    seconds: float = 0.0
    peak: int = 0
    draft: bool = False
    reason: str = ""
    message: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    untold: int = 0
    killed: bool = False

    @classmethod
    def failure(
        cls, of: OfReport, reason: str, message: str, exit_status: int = 3, **others: Any
    ) -> Result:
        """The result of a report that failed."""
        fields = {"form": of.form, "reason": reason, "message": message, **others}
        return cls(of.district, of.year, "failed", exit_status, **fields)

    @property
    def common_message(self) -> str:
        """Message without the report's name, the same for all that failed in the same way."""
        return without_report(self.message, self.district, self.year)

    @property
    def transient(self) -> bool:
        """True where another try may succeed."""
        return self.state == "failed" and (self.killed or self.reason in TRANSIENT)

    @property
    def open(self) -> Counter[str]:
        """Number of findings that are not accepted, by severity."""
        return Counter(finding["severity"] for finding in self.findings if not finding["waived"])


def made(of: OfReport, outcome: Outcome) -> Result:
    """The result of a report that is in force, whether it was made just now or before."""
    return Result(
        of.district,
        of.year,
        "unchanged" if outcome.unchanged else "made",
        outcome.exit_status,
        form=of.form,
        run=str(outcome.folder),
        draft=outcome.draft,
        findings=outcome.findings,
    )
