"""``reportkit verify``: what holds of a run and what does not, in levels, each with its verdict.

*files*: is it whole, signed, the newest; *ledgers*: are they still what was read; *facts*: do its
figures follow from them; *render*: do documents, notebook and evidence come out of its inputs;
*environment*: what is different here; *rerun*: does the notebook come out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.evidence.check import check_evidence
from reportkit.export.files import digest
from reportkit.language import Message, template
from reportkit.ledgers.mapping import differing_mappings, recorded_schema
from reportkit.ledgers.mapping_check import mappings_of
from reportkit.ledgers.privacy import Pseudonyms
from reportkit.params import District
from reportkit.proof.attestation import check_attestation
from reportkit.proof.chain import check_chain
from reportkit.proof.manifest import is_pruned, read_manifest, verify_files
from reportkit.proof.places import DATA, PARAMS, ledger_place, own_form
from reportkit.proof.plainjson import read_json
from reportkit.proof.recount.computed import (
    check_computed,
    last_year,
    moved_with,
    with_sums,
)
from reportkit.proof.recount.members import of_members, recount_members
from reportkit.proof.recount.recount import count, recount, used_columns
from reportkit.proof.recount.sqlledger import SqlLedger, Wanted, read_again
from reportkit.proof.recount.stated import own_conditions
from reportkit.proof.surroundings import code_digest, environment, fonts
from reportkit.worktime import work_calendar
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reportkit.forms import Form
    from reportkit.proof.signing.trust import Trusted

    Fact = Mapping[str, Any]


# What reading files that somebody else wrote can come to: what is in them can be anything.
_SHOWN = 20
WRITTEN_BY_OTHERS = (LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError)
_HOLDS = {
    True: Message("holds"),
    False: Message("does not hold"),
    None: Message("could not be judged"),
}


@dataclass(frozen=True)
class Verdict:
    """Verdict of one level.

    Parameters
    ----------
    level : str
        ``files``, ``ledgers``, ``facts``, ``render``, ``environment`` or ``rerun``.
    holds : bool or None
        None where not all could be checked, and nothing is wrong with the rest.
    findings : tuple of str
        What is wrong, the first cause first.
    notes : tuple of str
        What was checked, and what could not be.
    needed : tuple of str
        What it takes to judge: versions to install, inputs that are not here.
    """

    level: str
    holds: bool | None
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In words."""
        return _HOLDS[self.holds]


def files_level(run: Path, trusted: Trusted | None = None) -> Verdict:
    """Whole, signed by whom, and where in the chain of runs.

    Parameters
    ----------
    run : Path
    trusted : Trusted, optional
        Keys that must have signed; without them a run may be unsigned.
    """
    findings: list[str] = []
    notes: list[str] = []
    try:
        pruned = is_pruned(run)
        verify_files(run, pruned=pruned)
        whole = Message("every file is as it was sealed")
        notes.append(Message("pruned: its record is left, its files are gone") if pruned else whole)
        try:
            notes.append(Message("signed: {who}", who=check_attestation(run, trusted)))
        except ReportkitError as error:
            findings.append(error.message)
        notes.append(Message("chain: {place}", place=check_chain(run)))
    except ReportkitError as error:
        findings.append(_without_folder(error))
    return Verdict("files", not findings, tuple(findings), tuple(notes))


def _without_folder(error: ReportkitError) -> str:
    """The text of an error without the run's folder, since every line is about that run."""
    within = error.template == "{folder}: {problems}"
    text: str = error.values["problems"] if within else error.message
    return text


def data_levels(run: Path, *, data: Path = DATA, params: Path = PARAMS) -> tuple[Verdict, Verdict]:
    """Check that the ledgers are those that were read, and that the facts follow from them.

    Parameters
    ----------
    run : Path
        A run whose files were verified.
    data, params : Path, optional
        Folders of the raw ledgers; and of ``holidays.yaml`` and the district, which says where
        ledgers in databases are.

    Returns
    -------
    tuple of Verdict
        ``ledgers`` and ``facts``, which neither hold nor fail where some ledgers cannot be read
        again; facts of these are compared with the evidence and with other facts only.
    """
    try:
        return _data(run, data, params)
    except WRITTEN_BY_OTHERS as error:
        message = Message(
            "facts.json or the evidence is not as reportkit writes it: {error!r}", error=error
        )
    except ReportkitError as error:
        if error.reason not in ("received-path", "run-changed", "edition", "evidence-unreadable"):
            raise
        message = error.message
    return Verdict("ledgers", None), Verdict("facts", False, (message,))


def _data(run: Path, data: Path, params: Path) -> tuple[Verdict, Verdict]:
    manifest = read_manifest(run)
    form = own_form(manifest, params)
    facts, findings = own_conditions(form, read_json(run / "facts.json"), manifest)
    past = last_year(form, run, manifest, params)
    added = of_members(facts) if "members" in manifest else ()
    wrong, notes = check_computed(facts, past, added=added)
    findings += [*wrong, *check_evidence(run, facts)]
    if "members" in manifest:
        return _data_of_members(form, run, manifest, facts, findings, notes, params)
    findings += _differing_mappings(form, manifest, params)
    read = _read_again(form, run, manifest, facts, data, params)
    key = Pseudonyms.from_environment().row_key
    values: dict[str, str] = {}
    moved: dict[str, str] = {}
    changed: list[str] = []
    unread: list[str] = []
    for ledger in manifest["ledgers"]:
        own, raw = read[ledger["ledger"]]
        if isinstance(raw, ReportkitError):
            unread.append(
                Message(
                    "{name}: {own} facts not counted again: {problem}",
                    name=ledger["name"],
                    own=len(own),
                    problem=raw,
                )
            )
            continue
        result = recount(raw, own, run=run, key=key)
        values |= result.values
        moved |= result.moved
        notes += result.unchecked
        changed += [Message("{path} is not what the run read", path=path) for path in raw.changed]
        changed += _first(result.lines)
    # With a fact, what is computed from it moves too.
    moved |= moved_with(facts, values) if moved else {}
    findings += [
        Message("{name} moved: {difference}", name=name, difference=difference)
        for name, difference in sorted(moved.items())
    ]
    unknown = {fact["ledger"] for fact in facts.values() if fact["origin"] == "ledger"} - {*read}
    findings += [
        Message("facts are of a ledger {ledger}, which was not read", ledger=ledger)
        for ledger in sorted(unknown)
    ]
    of = sum(fact["origin"] == "ledger" for fact in facts.values())
    counted = Message(
        "{facts} facts; {values} of {of} from ledgers counted again in SQL",
        facts=len(facts),
        values=len(values),
        of=of,
    )
    again = Message(
        "{read} of {count} ledgers read again, record by record",
        read=len(read) - len(unread),
        count=len(read),
    )
    # Where a ledger was not read again, its facts were not counted again either.
    unknown_rest = None if unread else True
    return (
        Verdict("ledgers", False if changed else unknown_rest, tuple(changed), (again, *unread)),
        Verdict("facts", False if findings else unknown_rest, tuple(findings), (counted, *notes)),
    )


def _data_of_members(
    form: Form,
    run: Path,
    manifest: Mapping[str, Any],
    facts: Mapping[str, Fact],
    findings: list[str],
    notes: list[str],
    params: Path,
) -> tuple[Verdict, Verdict]:
    """The verdicts on a roll-up: its members' reports are what it has instead of ledgers."""
    again = recount_members(form, run, manifest, facts, params)
    missing = sum(member["origin"] == "missing" for member in manifest["members"])
    lines = [
        Message(
            "{here} of {count} members' reports are here as they were added",
            here=again.here,
            count=len(manifest["members"]) - missing,
        )
    ]
    if missing:
        lines.append(Message("{count} members had no report, as its checks say", count=missing))
    holds = False if again.changed else None if again.absent else True
    findings += _first(again.findings)
    by = (
        template(
            "{facts} facts; {sums} sums of members' facts made again from the members' sealed facts"
        )
        if holds
        else template(
            "{facts} facts; {sums} sums of members' facts made again from its own evidence alone"
        )
    )
    counted = Message(by, facts=len(facts), sums=again.counted)
    return (
        Verdict("ledgers", holds, again.changed, (*lines, *again.absent)),
        Verdict("facts", False if findings else holds or None, tuple(findings), (counted, *notes)),
    )


def _read_again(
    form: Form,
    run: Path,
    manifest: Mapping[str, Any],
    facts: Mapping[str, Fact],
    data: Path,
    params: Path,
) -> dict[str, tuple[list[Fact], SqlLedger | ReportkitError]]:
    """The facts that are counted from each ledger, and the ledger, or why it is not read again."""
    own = {
        ledger["ledger"]: [fact for fact in facts.values() if fact["ledger"] == ledger["ledger"]]
        for ledger in manifest["ledgers"]
    }
    wanted: list[Wanted] = []
    read: dict[str, SqlLedger | ReportkitError] = {}
    for ledger in manifest["ledgers"]:
        key = ledger["ledger"]
        try:
            places = [ledger_place(source, manifest, data, params) for source in ledger["sources"]]
            wanted.append(
                Wanted(form, ledger, places, used_columns(recorded_schema(form, ledger), own[key]))
            )
        except ReportkitError as error:
            read[key] = error
    calendar = work_calendar(params / "holidays.yaml")
    read |= read_again(run, wanted, calendar, data=data)
    return {key: (facts, read[key]) for key, facts in own.items()}


def counted_again(run: Path, *, data: Path, params: Path) -> dict[str, str]:
    """Count each fact of a run in SQL over the raw ledgers, where these can be read again.

    Parameters
    ----------
    run : Path
        A run whose files were verified.
    data, params : Path, optional
        As for `data_levels`.
    """
    manifest = read_manifest(run)
    form = own_form(manifest, params)
    facts, _ = own_conditions(form, read_json(run / "facts.json"), manifest)
    if "members" in manifest:
        again = recount_members(form, run, manifest, facts, params)
        return with_sums(facts, again.values)
    values: dict[str, str] = {}
    for own, raw in _read_again(form, run, manifest, facts, data, params).values():
        if not isinstance(raw, ReportkitError):
            counted = zip(own, count(raw, own), strict=True)
            values |= {
                fact["id"]: result[0] for fact, result in counted if not isinstance(result, str)
            }
    return with_sums(facts, values)


def _differing_mappings(form: Form, manifest: Mapping[str, Any], params: Path) -> list[str]:
    """Files that were read by another mapping than the district file of the run gives.

    Where that file is not here, its mapping is as the manifest says, and as the audit page shows.
    """
    name = f"districts/{manifest['district']}.yaml"
    file = params / name
    digests = {item["sha256"] for item in manifest["inputs"] if item["name"] == f"params/{name}"}
    if not file.is_file() or digest(file) not in digests:
        return []
    district = read_yaml(file).validate(District)
    mappings = mappings_of(form, district, file)
    return [
        finding
        for ledger in manifest["ledgers"]
        for finding in differing_mappings(ledger, mappings.get(ledger["ledger"], ()), str(file))
    ]


def _first(lines: Sequence[str]) -> list[str]:
    more = len(lines[_SHOWN:])
    rest = [Message("… and {lines} more records", lines=more)] if more else []
    return [*lines[:_SHOWN], *rest]


def environment_level(run: Path) -> Verdict:
    """List what differs on this machine, and say if that can change a byte of a document."""
    manifest = read_manifest(run)
    then, now = manifest["environment"], environment()
    compared = [
        (name, before, now["packages"].get(name, "absent"))
        for name, before in sorted(then["packages"].items())
    ]
    compared += [(name, then[name], now[name]) for name in ("python", "system")]
    notes = [
        Message(
            "{name} is {now}, was {before}: documents may differ, facts must not",
            name=name,
            now=current,
            before=before,
        )
        for name, before, current in compared
        if current != before
    ]
    if fonts() != manifest["fonts"]:
        notes.append(Message("other fonts: the PDF and charts differ, facts must not"))
    if code_digest() != manifest["code_sha256"]:
        notes.append(
            Message("other code of reportkit: anything may differ; install the version of the run")
        )
    notes += [
        Message("notebook, {warning}", warning=warning)
        for warning in manifest["notebook"]["warnings"]
    ]
    same = Message(
        "the same code, versions and fonts; host, locale, time zone and threads do not matter"
    )
    return Verdict("environment", True, (), tuple(notes or [same]))
