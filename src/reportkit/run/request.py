"""Request for a report, and the check whether the run in force would be made again the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.language import Message
from reportkit.params import Project, check_id
from reportkit.proof.inputs import find_notebook, list_inputs
from reportkit.proof.manifest import MANIFEST, digest, verify_files
from reportkit.proof.surroundings import code_digest, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reportkit.params import Scope
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
    members : tuple of str, optional
        Districts that this one's report sums up, where that is known.
    """

    district: str
    year: int
    params: Path | None = None
    data: Path | None = None
    out: Path = Path("outputs")
    scope: Scope | None = None
    draft: bool = False
    notebook: Path | None = None
    members: tuple[str, ...] | None = None

    @property
    def project(self) -> Project:
        """The folders of parameters, ledgers and runs."""
        return Project.find(self.params, self.data, self.out)

    @property
    def place(self) -> Path:
        """The folder of the district's runs of the year."""
        return self.out / check_id(self.district) / str(self.year)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the notebook's parameters, but none that it would find by itself."""
        given = {
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
        project = self.project
        who = project.district(self.district)
        scope = self.scope or who.scope
        members = project.members(self.district) if self.members is None else self.members
        return list_inputs(
            project,
            who,
            self.year,
            scope=scope,
            notebook=self.notebook or find_notebook(project, project.form(who.form)),
            members=members if scope == "district" else (),
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
    """

    folder: Path
    draft: bool
    unchanged: bool
    findings: list[dict[str, Any]]

    @property
    def exit_status(self) -> int:
        """1 if a check of severity error does not hold and is not accepted, else 0."""
        return int(any(c["severity"] == "error" and not c["waived"] for c in self.findings))


def outcome_of(place: Path, *, unchanged: bool) -> Outcome:
    """Read the outcome of the run in force in a place."""
    folder = place / "runs" / (place / "current").resolve().name
    checks = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    findings = [check for check in checks if not check["holds"]]
    return Outcome(folder, manifest["draft"], unchanged, findings)


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
    manifest = _in_force(request.place)
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
        verify_files(request.place / "current", manifest=manifest)
    except ReportkitError as error:
        yield error.message
    except (LookupError, TypeError, AttributeError) as error:
        yield Message(
            "the manifest of the run in force is not as it was written: {error!r}", error=error
        )


def _in_force(place: Path) -> dict[str, Any] | None:
    """The manifest of the run in force in a place; None if there is none."""
    try:
        manifest: dict[str, Any] = json.loads((place / "current" / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest


def seconds_of(place: Path) -> float:
    """Return the seconds that the run in force took; 0 if that is not known."""
    try:
        manifest = _in_force(place) or {}
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
    names = [path.as_posix() for path in (*inputs.files, *inputs.ledgers)]
    yield from (Message("{name} is new", name=name) for name in names if name not in known)
    yield from (Message("{name} is gone", name=name) for name in known if name not in names)
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
