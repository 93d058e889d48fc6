"""The chain of runs: each names the one it took the place of, and a batch names all of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.evidence.paths import inside
from reportkit.export.files import digest, digest_of, write_whole
from reportkit.language import Message
from reportkit.proof.manifest import MANIFEST, named, read_manifest
from reportkit.proof.plainjson import parse_json
from reportkit.proof.signing.envelope import begun, in_toto, open_envelope
from reportkit.proof.signing.trust import Trusted, check_signatures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reportkit.proof.signing.settings import Signer

_TYPE = "urn:reportkit:batch:1"


def in_force(place: Path) -> dict[str, str] | None:
    """The run in force in the folder of a district and year, as a later run names it."""
    current = (place / "current").resolve()
    if not (current / MANIFEST).is_file():
        return None
    return {"run": current.name, "manifest_sha256": digest(current / MANIFEST)}


def check_chain(folder: Path) -> str:
    """Check that all earlier runs of a run are there and no later one is; say how many they are.

    Of a run that was copied away from its folder, no later one is known.

    Raises
    ------
    ReportkitError
        ``chain-broken``: a run that it names is gone or is another one; or a later run stands
        beside it that took its place. ``run-misplaced``: it stands where another run should.
    """
    manifest = read_manifest(folder)
    if problem := _misplaced(folder, manifest):
        raise ReportkitError("run-misplaced", "{problem}", problem=problem)
    folder = folder.resolve()
    if folder.parent.name != "runs":
        return Message("copied away from other runs, so that none of them can be compared")
    length = 0
    named = manifest["previous"]
    while named is not None:
        earlier = inside(folder.parent, named["run"])
        if not (earlier / MANIFEST).is_file():
            raise ReportkitError(
                "chain-broken", "it follows run {run}, which is gone", run=named["run"]
            )
        if digest(earlier / MANIFEST) != named["manifest_sha256"]:
            raise ReportkitError(
                "chain-broken",
                "it follows run {run}, which is not the one that stands there now",
                run=named["run"],
            )
        named = read_manifest(earlier)["previous"]
        length += 1
    if (folder.parents[1] / "current").resolve() == folder:
        for sibling in sorted(folder.parent.iterdir()):
            if _follows(sibling, manifest["run"]):
                raise ReportkitError(
                    "chain-broken",
                    "run {name} took its place, yet it is in force again",
                    name=sibling.name,
                )
    return Message("{length} earlier", length=length) if length else Message("the first")


def _misplaced(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Return why a run cannot stand where it does; "" if it can, or was copied away."""
    place, folder, report = folder, folder.resolve(), named(manifest)
    whose = Message(
        "the run {run} of {district} {year}",
        run=manifest["run"],
        district=manifest["district"],
        year=report,
    )
    if folder.name == "current":
        return Message("{place} is a folder; it must be the link to a run in runs/", place=place)
    if place.name == "current" and folder.parent != place.parent.resolve() / "runs":
        return Message(
            "{place} leads to {folder}, which is not in runs/ beside it", place=place, folder=folder
        )
    if folder.parent.name != "runs":
        return ""
    if folder.name != manifest["run"]:
        return Message("{folder} holds {whose}", folder=folder, whose=whose)
    # The folder that was asked about, and the one that links lead to.
    asked = place.absolute().parent if place.name == "current" else folder.parents[1]
    for stands in (asked, folder.parents[1]):
        if (stands.parent.name, stands.name) != (manifest["district"], report):
            return Message(
                "under {place} stands {whose}",
                place=f"{stands.parent.name}/{stands.name}",
                whose=whose,
            )
    return ""


def _follows(sibling: Path, run: str) -> bool:
    try:
        previous = read_manifest(sibling)["previous"]
    except ReportkitError:
        return False
    return bool(previous and previous["run"] == run)


def seal_batch(out: Path, runs: Iterable[Path], *, name: str, signer: Signer | None = None) -> Path:
    """Write which runs a batch left in force, chained to the batch before.

    Parameters
    ----------
    out : Path
        The folder of all outputs.
    runs : iterable of Path
        Run folders.
    name : str
        Of the batch; sorts after the names of earlier ones, such as a time.
    signer : Signer, optional
        Without one the envelope holds no signature.

    Returns
    -------
    Path
        ``<out>/batches/<name>.dsse.json``.
    """
    before = _batches(out)
    names = {run.resolve().relative_to(out.resolve()).as_posix(): run for run in runs}
    subject = [(name, digest(names[name] / MANIFEST)) for name in sorted(names)]
    predicate = {"batch": name, "previous": _named(before[-1]) if before else None}
    path = out / "batches" / f"{name}.dsse.json"
    write_whole(path, begun(in_toto(subject, _TYPE, predicate), signer))
    return path


def check_batches(out: Path, trusted: Trusted | None) -> list[str]:
    """List what is wrong with the batches under a folder of outputs.

    Each batch must follow the one before it, every run that it names must stand there as it was,
    and what is in force must not be older than the last batch says. A digest of the last batch
    that was written down elsewhere shows whether batches were cut off at the end.
    """
    return list(_batch_problems(out, trusted))


def _batch_problems(out: Path, trusted: Trusted | None) -> Iterator[str]:
    before: Path | None = None
    last: dict[str, str] = {}
    for path in _batches(out):
        try:
            statement = parse_json(_payload(path, trusted), Message("its statement"))
            predicate, subjects = statement["predicate"], statement["subject"]
            if predicate["previous"] != (before and _named(before)):
                previous = predicate["previous"]["batch"] if predicate["previous"] else "none"
                yield Message(
                    "batch {name} follows {previous}, not the one that stands before it",
                    name=path.name,
                    previous=previous,
                )
            for subject in subjects:
                if (problem := _subject(out, subject)) is not None:
                    yield Message("batch {name}: {problem}", name=path.name, problem=problem)
                last[subject["name"].partition("/runs/")[0]] = subject["name"]
        except ReportkitError as error:
            yield Message("batch {name}: {message}", name=path.name, message=error.message)
        except (KeyError, TypeError):
            yield Message("batch {name} is no statement of reportkit", name=path.name)
        before = path
    for place, name in last.items():
        try:
            current = inside(out, f"{place}/current").resolve()
        except ReportkitError as error:
            yield error.message
            continue
        if current.name < name.rpartition("/")[2]:
            yield Message(
                "{place}/current is run {name}, older than the last batch says",
                place=place,
                name=current.name,
            )


def _subject(out: Path, subject: Mapping[str, Any]) -> str | None:
    manifest = inside(out, subject["name"]) / MANIFEST
    if not manifest.is_file():
        return Message("run {name} is gone", name=subject["name"])
    if digest(manifest) == subject["digest"]["sha256"]:
        return None
    return Message("run {name} was changed", name=subject["name"])


def _payload(path: Path, trusted: Trusted | None) -> bytes:
    payload, signatures = open_envelope(path.read_bytes())
    if trusted is not None:
        check_signatures(payload, signatures, trusted)
    return payload


def _named(path: Path) -> dict[str, str]:
    """A batch as the next one names it."""
    return {"batch": path.name, "sha256": digest_of(_payload(path, None))}


def _batches(out: Path) -> list[Path]:
    return sorted((out / "batches").glob("[!.]*.dsse.json"))
