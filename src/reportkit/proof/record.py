"""Record of a run, as its manifest holds it, and the steps of sealing."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import from_notebook
from reportkit.export.files import digest, digest_of
from reportkit.facts import facts_bytes
from reportkit.proof.attestation import attest
from reportkit.proof.chain import in_force
from reportkit.proof.crate import crate_bytes
from reportkit.proof.manifest import write_manifest
from reportkit.proof.normal import normal_digest
from reportkit.proof.notebook_rules import lint
from reportkit.proof.surroundings import code_digest, environment, fonts, git_state, machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.ledgers import Ledger
    from reportkit.notebook.compilation import Compilation
    from reportkit.params import Project
    from reportkit.params.mapping import LedgerMapping
    from reportkit.proof.signing.settings import Signer


@dataclass(frozen=True)
class Making:
    """A report on its way to a run.

    Parameters
    ----------
    report : Compilation
    parameters : mapping
        What the notebook is given, of JSON types.
    inputs : tuple of (path, sha256)
        All that the report is made from, as it was read.
    key : str
        Digest over all of it.
    notebook : Path
        The notebook that is executed; one of the inputs.
    started : datetime
        With a time zone.
    """

    report: Compilation
    parameters: Mapping[str, Any]
    inputs: tuple[tuple[str, str], ...]
    key: str
    notebook: Path
    started: datetime

    @property
    def run_id(self) -> str:
        """Id of the run: when it began, and what it is made from."""
        return f"{self.started:%Y%m%dT%H%M%SZ}-{self.key[:12]}"


def seal_run(staging: Path, making: Making, *, ended: datetime, signer: Signer | None) -> None:
    """Write what proves a run, when all its documents are there.

    Parameters
    ----------
    staging : Path
        The run's folder, inside the folder of its district and year.
    making : Making
    ended : datetime
        With a time zone.
    signer : Signer or None
        Signs as preparer; without one the attestation says that nobody has signed.

    Raises
    ------
    ReportkitError
        ``record-wrong``: something that an auditor needs is not there.
    """
    record = run_record(staging, making, ended=ended)
    (staging / "ro-crate-metadata.json").write_bytes(
        crate_bytes(staging, record, making.report.form.model)
    )
    write_manifest(staging, record)
    attest(staging, signer)


def run_record(staging: Path, making: Making, *, ended: datetime) -> dict[str, Any]:
    """Describe a run for an auditor, without its files; of JSON types."""
    report, parameters = making.report, making.parameters
    project = report.project
    lock = project.params.parent / "requirements.lock"
    notebook = dict(making.inputs)[making.notebook.as_posix()]
    executed = json.loads((staging / "report.ipynb").read_text(encoding="utf-8"))
    return {
        "run": making.run_id,
        "previous": in_force(staging.parent),
        **what_follows(report, executed, parameters, notebook_sha256=notebook),
        "parameters": dict(parameters),
        "inputs_sha256": making.key,
        "inputs": [input_record(path, value, project) for path, value in making.inputs],
        "code_sha256": code_digest(),
        "source": {
            "git": git_state(project.params.parent),
            "lock_sha256": digest(lock) if lock.is_file() else None,
        },
        "environment": environment(),
        "fonts": fonts(),
        "machine": machine(),
        "started": making.started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
    }


def what_follows(
    report: Compilation,
    executed: Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    notebook_sha256: str,
) -> dict[str, Any]:
    """The part of a record that follows from the report and its executed notebook alone."""
    district, calendar = report.district, report.ledgers.calendar
    (seal,) = from_notebook(executed, "seal")
    members = [member.as_json() for member in report.members.values()]
    return {
        "district": district.id,
        "name": district.name,
        "code": district.code,
        "parent": district.parent,
        "year": report.year,
        "form": report.form.name,
        "edition": report.edition.name,
        "basis": report.edition.model.basis,
        "scope": report.scope,
        "draft": executed["metadata"]["reportkit"]["draft"],
        "synthetic": district.synthetic,
        "settings": _settings(report, parameters, executed["metadata"]["reportkit"]["draft"]),
        "ledgers": [
            ledger_record(ledger, keyed=not report.ledgers.pseudonyms.of_session)
            for ledger in report.ledgers.values()
        ],
        **({"members": members} if report.sums else {}),
        "holidays": {"first": str(calendar.first), "last": str(calendar.last)},
        "seal": seal["seal"],
        "figures": {
            "facts": len(seal["facts"]["facts"]),
            "facts_sha256": digest_of(facts_bytes(seal["facts"])),
            "checks": len(seal["checks"]),
            "failing": [check["id"] for check in seal["checks"] if not check["holds"]],
        },
        "notebook": {
            "sha256": notebook_sha256,
            "normal_sha256": normal_digest(executed),
            "warnings": [str(finding) for finding in lint(executed)],
        },
        "people": {
            "waivers": [
                {"check": check["id"], **check["waived"]}
                for check in seal["checks"]
                if check.get("waived")
            ]
        },
    }


def checks_bytes(checks: Sequence[Mapping[str, Any]]) -> bytes:
    """``checks.json`` as written."""
    return (json.dumps(checks, ensure_ascii=False, indent=1) + "\n").encode()


def _settings(
    report: Compilation, parameters: Mapping[str, Any], draft: bool
) -> list[dict[str, Any]]:
    settings = {
        "district": report.district.id,
        "year": report.year,
        "scope": report.scope,
        "draft": draft,
    } | dict(parameters)
    defaults = {
        "scope": f"params/districts/{report.district.id}.yaml",
        "draft": "what was read: a narrative of its own, no refused record",
    }
    return [
        {"name": name, "value": value, "from": defaults[name] if name not in parameters else "call"}
        for name, value in settings.items()
    ]


def input_record(path: str, value: str, project: Project) -> dict[str, Any]:
    """One input: where it is, its place in the project, and what it was."""
    file = Path(path)
    present = file.is_file()
    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC) if present else None
    return {
        "path": path,
        # A table of a database has no place in the project.
        "name": place_of(file, project) if present else path,
        "sha256": value,
        "bytes": file.stat().st_size if present else None,
        "modified": modified and modified.isoformat(timespec="seconds"),
    }


def place_of(path: Path, project: Project) -> str:
    """Return the place of an input, ``params/facts/…``, whatever the folders are called."""
    for field in dataclasses.fields(project):
        folder = getattr(project, field.name)
        if path.is_relative_to(folder):
            return f"{field.name}/{path.relative_to(folder).as_posix()}"
    if path.is_relative_to(project.forms):
        return f"forms/{path.relative_to(project.forms).as_posix()}"
    return f"notebooks/{path.name}" if path.suffix == ".ipynb" else path.as_posix()


def ledger_record(ledger: Ledger, *, keyed: bool) -> dict[str, Any]:
    """Record the sources and counts of one ledger, and the office's own words, if it has any."""
    mappings: list[LedgerMapping] = []
    sources = []
    for source in ledger.sources:
        entry = {**source.as_json(), "columns": source.headings}
        if source.mapping:
            if source.mapping not in mappings:
                mappings.append(source.mapping)
            entry["mapping"] = mappings.index(source.mapping)
        sources.append(entry)
    record = {
        "ledger": ledger.key,
        "name": ledger.schema.name,
        **ledger.account,
        "told": dict(sorted(Counter(violation.rule for violation in ledger.violations).items())),
        "rows_keyed": keyed,
        "sources": sources,
    }
    if mappings:
        record["mappings"] = [
            mapping.model_dump(mode="json", exclude_defaults=True) for mapping in mappings
        ]
    return record
