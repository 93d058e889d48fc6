"""Members of a roll-up: the sealed run of each, what was published in its stead, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reportkit.errors import InputError
from reportkit.facts.numerals import number_of
from reportkit.facts.previous import read_sealed, refuse_changed, sealed_facts, sha256_of
from reportkit.facts.published import load_published, read_report
from reportkit.forms import DEFAULT
from reportkit.language import Message
from reportkit.ledgers import Ledgers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from reportkit.params import District, Project, Scope
    from reportkit.params.hierarchy import Hierarchy

MANIFEST = "MANIFEST.json"
# Files of a member's run that a roll-up reads; the records only to find those that members share.
READ = (
    MANIFEST,
    "facts.json",
    "checks.json",
    "evidence/facts.parquet",
    "evidence/records.parquet",
    "evidence/shared.parquet",
)
# The rule that a report is published in time.
_IN_TIME = "D4"


@dataclass(frozen=True)
class Member:
    """A member's report of one year, as far as a parent's report reads it.

    Parameters
    ----------
    id, name : str
    origin : {"run", "published", "missing"}
    source : str
        Where the figures stand, from the outputs or parameters folder on; why there are none.
    files : mapping of Path to str
        What was read, with the SHA-256 it had then.
    values : mapping of str to Decimal
        Numbers by fact id.
    definitions : mapping of str to str
        How facts were counted, by id: only what was counted alike adds up.
    run : Path or None
        Folder of the run.
    draft : bool
    errors : tuple of str
        Rules of severity error that the member's own report breaks, and nobody accepted.
    late : str
        What the member's report says of a deadline that it missed.
    below : tuple of (name, origin)
        Of a member that is a roll-up itself: members on any level below it that have no run.
    """

    id: str
    name: str
    origin: Literal["run", "published", "missing"]
    source: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    values: Mapping[str, Decimal] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    run: Path | None = None
    draft: bool = False
    errors: tuple[str, ...] = ()
    late: str = ""
    below: tuple[tuple[str, str], ...] = ()

    @cached_property
    def page(self) -> str:
        """The member's audit page, from the outputs folder on; empty where there is none."""
        return f"{self.source}/audit.html" if self.origin == "run" else ""

    def changed(self) -> list[str]:
        """Files that are no longer as they were read."""
        return [str(path) for path, sha256 in self.files.items() if sha256_of(path) != sha256]

    def as_json(self) -> dict[str, Any]:
        """The member as documents and the manifest of the roll-up name it."""
        digests = {path.name: sha256 for path, sha256 in self.files.items()}
        return {
            "id": self.id,
            "name": self.name,
            "origin": self.origin,
            "source": self.source,
            "draft": self.draft,
            "errors": list(self.errors),
            "late": self.late,
            "below": [list(member) for member in self.below],
            "sha256": digests.get("facts.json") or next(iter(digests.values()), None),
            "page": self.page,
        }


def read_members(
    project: Project,
    parent: District | None,
    year: int,
    hierarchy: Hierarchy,
    *,
    members: Sequence[str],
    own: bool = False,
    edition: tuple[str, str] | None = None,
) -> dict[str, Member]:
    """Read the report of each member: its run in force, else what was published.

    Parameters
    ----------
    project : Project
    parent : District or None
        Whose members they are, where its own office counts too.
    year : int
    hierarchy : Hierarchy
        Which of them sum up others themselves.
    members : sequence of str
    own : bool
        The parent's own office counts as a member too, where it keeps ledgers of its own.
    edition : tuple of str, optional
        Form and edition of the parent, where the figures shall be added: others are refused.

    Raises
    ------
    InputError
        ``member-differs``: one is of another year, form or edition; ``past-changed``: its files
        are not those that it was sealed with; ``run-unreadable``, ``published``.
    """
    return {
        wanted.who.id: wanted.read(project, year, edition)
        for wanted in wanted_members(project, parent, hierarchy, members, own=own)
    }


def counts_itself(project: Project, parent: District) -> bool:
    """Return True where a parent's own ledgers are those of its office alone: one more member."""
    return parent.scope == "office" and Ledgers(project, parent).any_kept


@dataclass(frozen=True)
class WantedReport:
    """A report that a parent's report adds."""

    who: District
    scope: Scope
    office: bool

    def files(self, project: Project, year: int) -> list[Path]:
        """The files that `read` reads."""
        run = self.run(project, year)
        if run is not None:
            return [run / name for name in READ if (run / name).is_file()]
        path = project.report_file(self.who, year, "published.json")
        return [path] if path.is_file() and not self.office else []

    def run(self, project: Project, year: int) -> Path | None:
        """The run in force; of the parent's own office the last one, behind the roll-up."""
        for run in runs_of(project.place(self.who, year)):
            manifest = read_sealed(run / MANIFEST)
            summed = "members" in manifest
            if not self.office:
                return run if summed or manifest.get("scope") == self.scope else None
            if manifest.get("scope") == self.scope and not summed:
                return run
        return None

    def read(self, project: Project, year: int, edition: tuple[str, str] | None) -> Member:
        """The report: its run in force, else what was published."""
        who = self.who
        name = f"{who.name}（本机关）" if self.office else who.name
        if edition and who.form != edition[0]:
            path = project.params / "districts" / f"{who.id}.yaml"
            raise _differs(who, "form", who.form, edition[0], file=str(path))
        files = {path: sha256_of(path) for path in self.files(project, year)}
        if not files:
            other = (project.place(who, year) / "current" / MANIFEST).is_file()
            return Member(who.id, name, "missing", "在用的报告是另一种口径" if other else "")
        first = next(iter(files))
        if first.name == MANIFEST:
            return self._of_run(project, name, year, files, edition)
        published = load_published(first)
        if int(published["report_year"]) != year:
            raise _differs(who, "year", published["report_year"], year, file=str(first))
        values = read_report(project.form(who.form), published).published
        source = first.relative_to(project.params).as_posix()
        return Member(who.id, name, "published", source, files, values)

    def _of_run(
        self,
        project: Project,
        name: str,
        year: int,
        files: Mapping[Path, str],
        edition: tuple[str, str] | None,
    ) -> Member:
        run = next(iter(files)).parent
        refuse_changed(run, files)
        manifest, checks = (read_sealed(run / file) for file in (MANIFEST, "checks.json"))
        document = sealed_facts(run) or {}
        found = {key: document.get(key) for key in ("district", "year", "edition")}
        found["form"] = manifest.get("form", DEFAULT)
        wanted = {"district": self.who.id, "year": year}
        if edition:
            wanted |= {"form": edition[0], "edition": edition[1]}
        for kind, value in wanted.items():
            if found[kind] != value:
                file = str(run / "facts.json")
                raise _differs(self.who, kind, found[kind], value, file=file)
        numbers = {fact["id"]: number_of(fact["value"]) for fact in document["facts"]}
        broken = [check for check in checks if not (check["holds"] or check["waived"])]
        return Member(
            self.who.id,
            name,
            "run",
            run.relative_to(project.out).as_posix(),
            files,
            {fact: number for fact, number in numbers.items() if number is not None},
            {f["id"]: f["definition"] for f in document["facts"] if f["origin"] == "ledger"},
            run,
            bool(manifest["draft"]),
            tuple(sorted({check["id"] for check in broken if check["severity"] == "error"})),
            next((check["message"] for check in broken if check["id"] == _IN_TIME), ""),
            tuple(_without_run(manifest.get("members", ()))),
        )


def wanted_members(
    project: Project,
    parent: District | None,
    hierarchy: Hierarchy,
    members: Sequence[str],
    *,
    own: bool,
) -> Iterator[WantedReport]:
    """The reports that a parent's report adds; parameters are those of `read_members`."""
    if own and parent is not None:
        yield WantedReport(parent, "office", office=True)
    for name in members:
        who = project.member(name, parent) if parent else project.district(name)
        # One that does not report by the parent's form keeps its own, and is refused by `read`.
        who = who if who.form in (who.usual_form, *who.forms) else project.district(name)
        # A member that sums up others counts with its sum, which includes its own office.
        yield WantedReport(who, "district" if hierarchy.members(name) else who.scope, office=False)


def runs_of(place: Path) -> Iterator[Path]:
    """Yield the run in force in the place of a district and year, then those before it."""
    current = place / "current"
    run = place / "runs" / current.resolve().name
    run = run if run.is_dir() else current
    while (run / MANIFEST).is_file():
        yield run
        before = read_sealed(run / MANIFEST).get("previous")
        if not before:
            return
        run = place / "runs" / Path(before["run"]).name


def _without_run(members: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Members of a roll-up, and those below them, that have no run: name and origin."""
    for member in members:
        if member["origin"] != "run":
            yield member["name"], member["origin"]
        yield from ((name, origin) for name, origin in member["below"])


_KINDS = {
    "district": Message("district"),
    "year": Message("year"),
    "form": Message("form"),
    "edition": Message("edition"),
}


def _differs(who: District, what: str, found: Any, wanted: Any, *, file: str) -> InputError:
    return InputError(
        "member-differs",
        "the report of {member} is of {what} {found}, the roll-up of {what} {wanted}: they count "
        "differently and are not added; make the member's report by the same {what}, or take "
        "'parent' out of its district file",
        member=who.id,
        what=_KINDS[what],
        found=found,
        wanted=wanted,
        file=file,
    )


def present(members: Iterable[Member]) -> list[Member]:
    """Members whose figures are at hand."""
    return [member for member in members if member.origin != "missing"]
