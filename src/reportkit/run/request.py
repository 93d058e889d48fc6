"""Request for a report, and the check whether the run in force would be made again the same."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.export.files import digest
from reportkit.language import Message
from reportkit.params import Project, check_id, report_name
from reportkit.proof.inputs import find_notebook, list_inputs
from reportkit.proof.manifest import MANIFEST, verify_files
from reportkit.proof.surroundings import code_digest, environment
from reportkit.rollup.members import counts_itself, runs_of, wanted_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reportkit.params import District, Scope
    from reportkit.params.hierarchy import Hierarchy
    from reportkit.proof.inputs import Inputs


@dataclass(frozen=True)
class Request:
    """Request for a report.

    Parameters
    ----------
    district, year
        Whose, and of which year.
    params, data, out : Path
        Folders; those of the project around the working folder by default.
    scope, draft
        As for `open_report`.
    notebook : Path, optional
        The notebook to execute; that of the form in ``notebooks/`` of the project, else the
        package's own, by default.
    hierarchy : Hierarchy, optional
        Who sums up whom, where that was read before.
    form : str, optional
        The form to report by; the district's usual one by default.
    rollup : bool
        It adds its members' reports, and reads no ledger.
    """

    district: str
    year: int
    params: Path | None = None
    data: Path | None = None
    out: Path = Path("outputs")
    scope: Scope | None = None
    draft: bool = False
    notebook: Path | None = None
    hierarchy: Hierarchy | None = None
    form: str | None = None
    rollup: bool = False

    @property
    def project(self) -> Project:
        """The folders of parameters, ledgers and runs."""
        return Project.find(self.params, self.data, self.out)

    @property
    def whose(self) -> District:
        """The district, as it is to report."""
        return self.project.district(self.district, self.form)

    @property
    def other_form(self) -> str | None:
        """The form that is asked for where that is not the district's usual one."""
        return self.form and self.whose.other_form

    @property
    def place(self) -> Path:
        """The folder of the report's runs."""
        return self.out / check_id(self.district) / report_name(self.year, self.other_form)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the notebook's parameters, but none that it would find by itself."""
        given = {
            "form": self.other_form,
            "scope": self.scope,
            "draft": self.draft or None,
            "params": self.params,
            "data": self.data,
            "out": self.out,
        }
        if self.out == Project.find(self.params, self.data).out:
            del given["out"]
        own = {k: v if k == "draft" else str(v) for k, v in given.items() if v is not None}
        return {"district": self.district, "year": self.year} | own

    def inputs(self) -> Inputs:
        """List the inputs of the report, without reading a ledger."""
        project, who = self.project, self.whose
        scope = "district" if self.rollup else self.scope or who.scope
        form = project.form(who.form)
        hierarchy = self.hierarchy or project.hierarchy_of(self.district, whole=self.rollup)
        members: Sequence[str] = ()
        if self.rollup:
            members = hierarchy.members_to_sum(self.district)
        elif scope == "district":
            members = hierarchy.members(self.district)
        own = self.rollup and counts_itself(project, who)
        wanted = wanted_members(project, who, hierarchy, members, own=own)
        return list_inputs(
            project,
            who,
            self.year,
            scope=scope,
            notebook=self.notebook or find_notebook(project, form, rollup=self.rollup),
            members={member.who.id: member.files(project, self.year) for member in wanted},
            rollup=self.rollup,
        )


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Parameters
    ----------
    folder : Path
        The run in force.
    draft, unchanged : bool
        Whether its documents are marked as a draft; whether it was there already.
    findings : list of dict
        Checks that do not hold, as in ``checks.json``.
    replaced : Path or None
        The run that was in force until now, if it is no draft.
    """

    folder: Path
    draft: bool
    unchanged: bool
    findings: list[dict[str, Any]]
    replaced: Path | None = None

    @property
    def exit_status(self) -> int:
        """1 if a check of severity error does not hold and is not accepted, else 0."""
        return int(any(c["severity"] == "error" and not c["waived"] for c in self.findings))


def standing(request: Request) -> Path:
    """The run that stands for a request: the one in force, or the office's own behind a roll-up."""
    place = request.place
    current = place / "current"
    if not request.rollup and "members" in (_manifest(current) or {}):
        scope = request.scope or request.project.district(request.district).scope
        behind = (run for run in runs_of(place) if "members" not in (_manifest(run) or {}))
        if scope == "office" and (own := next(behind, None)):
            return own
    return current


def final_in_force(place: Path) -> Path | None:
    """Return the folder of the run in force, if there is one and it is no draft."""
    current = place / "current"
    found = _manifest(current)
    return place / "runs" / current.resolve().name if found and not found.get("draft") else None


def outcome_of(run: Path, *, unchanged: bool, replaced: Path | None = None) -> Outcome:
    """Read the outcome of a run, by its own folder or the link to it that is in force."""
    folder = run.parent / "runs" / run.resolve().name if run.is_symlink() else run
    checks = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    findings = [check for check in checks if not check["holds"]]
    return Outcome(folder, manifest["draft"], unchanged, findings, replaced)


def changes(request: Request, *, digest: Callable[[Path], str] = digest) -> Iterator[str]:
    """Yield the reasons to make the report; none if the run in force would come out again.

    What it is made from is compared, by the digests of all bytes, with what the run's manifest
    says. No ledger is read for that, and their bytes come last.

    Parameters
    ----------
    request : Request
    digest : callable, optional
        Gives the digest of a file.

    Raises
    ------
    InputError
        Something that the parameters name is not there, or they cannot be read.
    """
    inputs = request.inputs()
    run = standing(request)
    manifest = _manifest(run)
    if manifest is None:
        yield Message("it was never made")
        return
    digests: list[tuple[str, str]] = []
    same = True
    try:
        for reason in _named(request, inputs, manifest, digests, digest):
            yield reason
            same = False
        if same and inputs.key(digests, request.parameters) != manifest["inputs_sha256"]:
            yield Message(
                "other files lie beside the ledgers, or pseudonyms are of another kind of key"
            )
        # What has our own key was written by this code, and its schema is not asked again.
        verify_files(run, manifest=manifest)
    except ReportkitError as error:
        yield error.message
    except (LookupError, TypeError, AttributeError) as error:
        yield Message(
            "the manifest of the run in force is not as it was written: {error!r}", error=error
        )


def _manifest(run: Path) -> dict[str, Any] | None:
    """The manifest of a run; None if there is none."""
    try:
        manifest: dict[str, Any] = json.loads((run / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest


def seconds_of(place: Path) -> float:
    """Return the seconds that the run in force took; 0 if that is not known."""
    try:
        manifest = _manifest(place / "current") or {}
        started, ended = (datetime.fromisoformat(manifest[name]) for name in ("started", "ended"))
        return (ended - started).total_seconds()
    except (LookupError, TypeError, ValueError):
        return 0


def _named(
    request: Request,
    inputs: Inputs,
    manifest: Mapping[str, Any],
    digests: list[tuple[str, str]],
    digest: Callable[[Path], str],
) -> Iterator[str]:
    """Yield what differs from a manifest; digests are added to the list as they are taken."""
    if manifest["parameters"] != request.parameters:
        yield Message("it is asked for in another way")
    if manifest["code_sha256"] != code_digest():
        yield Message("the library has changed")
    yield from _other_versions(manifest["environment"], environment())
    if inputs.tables:
        yield Message("what a database holds is known by reading it")
    known = {
        item["path"]: item["sha256"] for item in manifest["inputs"] if item["bytes"] is not None
    }
    names = dict.fromkeys(path.as_posix() for path in (*inputs.files, *inputs.ledgers))
    # Another run of a member is named once, by its manifest.
    of_run = re.compile(rf"{re.escape(request.out.as_posix())}/\S+/runs/[^/]+/(?!{MANIFEST}$)")
    new, gone = (
        [name for name in some if name not in others and not of_run.match(name)]
        for some, others in ((names, known), (known, names))
    )
    yield from (Message("{name} is new", name=name) for name in new)
    yield from (Message("{name} is gone", name=name) for name in gone)
    for name, sha256 in inputs.digests(digest=digest):
        digests.append((name, sha256))
        if known.get(name, sha256) != sha256:
            yield Message("{name} has changed", name=name)


def _other_versions(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before, after = ({**record, **record["packages"]} for record in (recorded, now))
    for name in after:
        if name != "packages" and after[name] != before.get(name):
            yield Message(
                "{name} is {after} and was {before}",
                name=name,
                after=after[name],
                before=before.get(name),
            )
