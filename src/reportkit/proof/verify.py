"""``reportkit verify``: what holds of a run and what does not, in levels, each with its verdict.

*files*: is it whole, signed, the newest; *facts*: do its figures follow from the ledgers, and do
its documents print them; *environment*: what is different here; *rerun*: does it come out again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from reportkit.errors import InputError, ReportkitError
from reportkit.privacy import Pseudonyms
from reportkit.proof.agreement import check_agreement, moved_totals
from reportkit.proof.attestation import check_attestation
from reportkit.proof.chain import check_chain
from reportkit.proof.manifest import digest, read_manifest, verify_files
from reportkit.proof.printed import check_documents
from reportkit.proof.recount import recount
from reportkit.proof.sqlledger import SqlLedger
from reportkit.proof.surroundings import code_digest, environment, fonts
from reportkit.worktime import work_calendar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.proof.dsse import Trusted


@dataclass(frozen=True)
class Verdict:
    """What one level found.

    Parameters
    ----------
    level : str
        ``files``, ``facts``, ``environment`` or ``rerun``.
    holds : bool
    findings : tuple of str
        What is wrong, the first cause first.
    notes : tuple of str
        What was looked at, and what could not be.
    """

    level: str
    holds: bool
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The verdict for ``--json``."""
        return asdict(self)


def files_level(run: Path, trusted: Trusted | None = None) -> Verdict:
    """Whole, signed by whom, and where in the chain of runs.

    Parameters
    ----------
    run : Path
    trusted : Trusted, optional
        Keys that must have signed; without them a run may be unsigned.
    """
    findings, notes = [], []
    try:
        verify_files(run)
        notes.append("every file is as it was sealed")
        try:
            notes.append("signed: " + check_attestation(run, trusted))
        except ReportkitError as error:
            findings.append(error.message)
        notes.append("chain: " + check_chain(run))
    except ReportkitError as error:
        findings.append(error.message.removeprefix(f"{run}: "))
    return Verdict("files", not findings, tuple(findings), tuple(notes))


def facts_level(run: Path, *, data: Path | None = None, params: Path | None = None) -> Verdict:
    """Whether the facts follow from the evidence and the raw ledgers, and are what is printed.

    Parameters
    ----------
    run : Path
        A run whose files were verified.
    data, params : Path, optional
        Folders of the raw ledgers and of ``holidays.yaml``.

    Notes
    -----
    Without the raw ledgers, the facts are compared with the evidence, with each other, and with
    what every document prints.
    """
    try:
        return _facts(run, data, params)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        # Somebody else has written these files: what is in them can be anything.
        told = f"facts.json or the evidence is not as reportkit writes it: {error!r}"
        return Verdict("facts", False, (told,))


def _facts(run: Path, data: Path | None, params: Path | None) -> Verdict:
    manifest = read_manifest(run)
    document = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    facts = {fact["id"]: fact for fact in document["facts"]}
    findings, untold = check_agreement(run, facts)
    calendar = work_calendar(params and params / "holidays.yaml")
    values: dict[str, str] = {}
    moved: dict[str, str] = {}
    for ledger in manifest["ledgers"]:
        own = [fact for fact in facts.values() if fact["ledger"] == ledger["ledger"]]
        try:
            paths, changed = _ledger_files(ledger, data)
            found = recount(SqlLedger(run, ledger, paths, calendar), own, run=run, key=_key())
        except (ReportkitError, pa.ArrowException) as error:
            untold.append(f"{ledger['name']}: {len(own)} facts not counted again: {error}")
            continue
        values |= found.values
        untold += found.untold
        moved |= found.moved
        findings += changed + _first(found.lines)
    # With a fact, what adds it up moves too.
    moved |= {name: what for name, what in moved_totals(facts, values).items() if moved}
    findings += [f"{name} moved: {what}" for name, what in sorted(moved.items())]
    known = {fact["ledger"] for fact in facts.values() if fact["origin"] == "ledger"}
    unknown = known - {ledger["ledger"] for ledger in manifest["ledgers"]}
    findings += [f"facts are of a ledger {one}, which was not read" for one in sorted(unknown)]
    findings += check_documents(run, facts)
    of = sum(fact["origin"] == "ledger" for fact in facts.values())
    notes = [
        f"{len(facts)} facts; {len(values)} of {of} from ledgers counted again in SQL",
        *untold,
    ]
    return Verdict("facts", not findings, tuple(findings), tuple(notes))


def _first(lines: tuple[str, ...], shown: int = 20) -> list[str]:
    more = [f"… and {len(lines) - shown} more records"] if len(lines) > shown else []
    return [*lines[:shown], *more]


def _key() -> bytes | None:
    pseudonyms = Pseudonyms.from_environment()
    return None if pseudonyms.of_session else pseudonyms.key


def _ledger_files(ledger: Mapping[str, Any], data: Path | None) -> tuple[list[Path], list[str]]:
    """Where the raw files of a ledger are, and which of them are no longer as they were read.

    Raises
    ------
    ReportkitError
        ``ledger-absent``: a file is not there, or the ledger is a table of a database.
    """
    paths, changed = [], []
    for source in ledger["sources"]:
        if source["format"] == "sql":
            message = f"{source['path']} is a table of a database, which --rerun reads again"
            raise ReportkitError("ledger-absent", message)
        shown = Path(source["path"])
        root = data or Path("data")
        # Shown from the data folder on; the copy of an auditor may have another name.
        found = [p for p in (root.parent / shown, root.joinpath(*shown.parts[1:])) if p.is_file()]
        if not found:
            message = f"{source['path']} is not here; name the folder of the ledgers with --data"
            raise ReportkitError("ledger-absent", message)
        paths.append(found[0])
        if digest(found[0]) != source["sha256"] and source["path"] not in changed:
            changed.append(source["path"])
    return paths, [f"{path} is not the file that the run read" for path in changed]


def environment_level(run: Path) -> Verdict:
    """What is different here, and whether that can change a byte of a document."""
    manifest = read_manifest(run)
    here = environment()
    notes = []
    for name, there in sorted(manifest["environment"]["packages"].items()):
        now = here["packages"].get(name, "absent")
        if now != there:
            notes.append(f"{name} is {now}, was {there}: documents may differ, facts must not")
    for name, cause in (
        ("python", "documents may differ, facts must not"),
        ("system", "documents may differ, facts must not"),
    ):
        if here[name] != manifest["environment"][name]:
            notes.append(f"{name} is {here[name]}, was {manifest['environment'][name]}: {cause}")
    if fonts() != manifest["fonts"]:
        notes.append("other fonts: the PDF and charts differ, facts must not")
    if code_digest() != manifest["code_sha256"]:
        notes.append("other code of reportkit: anything may differ; install the version of the run")
    notes += [f"notebook, {one}" for one in manifest["notebook"]["warnings"]]
    same = "the same code, versions and fonts; host, locale, time zone and threads do not matter"
    return Verdict("environment", True, (), tuple(notes or [same]))


def find_runs(folder: Path) -> list[Path]:
    """A run, or all runs in force under a folder of outputs.

    Raises
    ------
    InputError
        ``run-missing``: neither.
    """
    if (folder / "MANIFEST.json").exists() or (folder / "facts.json").exists():
        return [folder]
    found = sorted(one for one in folder.glob("**/current") if one.is_dir())
    if not found:
        raise InputError("run-missing", f"{folder} is no run, and holds none: no MANIFEST.json")
    return found
