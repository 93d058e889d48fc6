"""The report of a run opened again: by our own library, from the auditor's folders."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.export.files import digest
from reportkit.language import Message
from reportkit.notebook.compilation import Compilation
from reportkit.params import Project
from reportkit.proof.inputs import digests_read, find_notebook, inputs_of
from reportkit.proof.manifest import MANIFEST
from reportkit.proof.places import outputs_of, own_notebook
from reportkit.proof.record import input_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A report that was compared with: its folder under the outputs, and the file that has its figures.
_ID = r"[0-9a-z][0-9a-z_-]{0,63}"
_REPORT = rf"out/({_ID})/(\d{{4}}(?:-{_ID})?)"
_MEMBER = re.compile(rf"{_REPORT}/runs/([0-9A-Za-z_-]+)/MANIFEST\.json")
_EARLIER = re.compile(rf"({_REPORT}/current/)facts\.json")

# Nothing that a manifest says can bring these about.
_NOT_HERE = ("district-unknown", "ledger-missing", "ledger-source", "driver-missing")


@dataclass(frozen=True)
class Reopened:
    """Parts of a report that the auditor has.

    Parameters
    ----------
    report : Compilation or None
        None where not everything that the run read is here as it was.
    notebook : Path or None
        The notebook that the run executed, where it is the auditor's own or the package's.
    other, needed : tuple of str
        Inputs that are here and are not what the run read; what is missing beside the others.
    absent : str
        Why there is no report at all here: no such district, or its ledgers out of reach.
    """

    report: Compilation | None
    notebook: Path | None
    other: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    absent: str = ""


@contextmanager
def reopened(
    run: Path, manifest: Mapping[str, Any], *, params: Path, data: Path
) -> Iterator[Reopened]:
    """Open the report of a run again, so far as its inputs are here.

    What it was made from is found as a run finds it, in the auditor's own folders, and then
    compared with what the manifest says: nothing is read from where the manifest says.

    Parameters
    ----------
    run : Path
        Runs of other years and districts are sought beside it.
    manifest : mapping
    params, data : Path
        The auditor's folders; notebooks stand beside the former.
    """
    with TemporaryDirectory(prefix="rk-render-") as name:
        project = Project(params, _named_data(Path(name), manifest, data), Path(name) / "outputs")
        _link_earlier(outputs_of(run), manifest, project.out)
        _link_members(outputs_of(run), manifest, project.out)
        rollup = "members" in manifest
        own = own_notebook(manifest, params.parent / "notebooks")
        given = manifest["parameters"]
        try:
            report = Compilation.open(
                manifest["district"],
                manifest["year"],
                form=given.get("form"),
                scope=given.get("scope"),
                draft=bool(given.get("draft")),
                params=params,
                data=project.data,
                out=project.out,
                rollup=rollup,
            )
            notebook = own or find_notebook(project, report.form, rollup=rollup)
            inputs = inputs_of(report, notebook)
            digests = list(inputs.digests(digests_read(report)))
        except ReportkitError as error:
            message = error.message.with_other(f"{project.data}", f"{data}")
            absent = error.reason in _NOT_HERE
            yield Reopened(None, own, (), () if absent else (message,), message if absent else "")
            return
        except OSError as error:
            yield Reopened(None, own, needed=(str(error),))
            return
        # Where there was no key the records are not keyed, whoever has one now.
        keyed = any(ledger["rows_keyed"] for ledger in manifest["ledgers"])
        report.ledgers.pseudonyms = replace(report.ledgers.pseudonyms, of_session=not keyed)
        records = [input_record(path, sha256, project) for path, sha256 in digests]
        now, before = (
            {item["name"]: (item["sha256"], item["bytes"]) for item in inputs}
            for inputs in (records, manifest["inputs"])
        )
        changed = [
            Message("{name} is not what the run read", name=name)
            for name in sorted(now.keys() & before)
            if now[name] != before[name]
        ]
        changed += [
            Message("{name} is here, and the run did not read it", name=name)
            for name in sorted(now.keys() - before)
        ]
        needed = tuple(sorted(before.keys() - now))
        whole = not changed and not needed
        yield Reopened(report if whole else None, own, tuple(changed), needed)


def _named_data(folder: Path, manifest: Mapping[str, Any], data: Path) -> Path:
    """The folder of the ledgers by the name that it had in the run: places of records show it."""
    given = manifest["parameters"].get("data")
    name = Path(given).name if isinstance(given, str) else "data"
    if name == data.name or not name.strip("."):
        return data
    (folder / name).symlink_to(data.absolute())
    return folder / name


def _link_earlier(outputs: Path, manifest: Mapping[str, Any], out: Path) -> None:
    """Put those reports in force that the run was compared with, whatever is in force now."""
    digests = {item["name"]: item["sha256"] for item in manifest["inputs"]}
    for name in digests:
        if match := _EARLIER.fullmatch(name):
            folder, district, report = match.groups()
            for path in sorted(outputs.glob(f"{district}/{report}/runs/*")):
                if all(
                    (path / file).is_file()
                    and digest(path / file) == digests.get(f"{folder}{file}")
                    for file in ("facts.json", "report.ipynb")
                ):
                    (out / district / report).mkdir(parents=True, exist_ok=True)
                    (out / district / report / "current").symlink_to(path)
                    break


def _link_members(outputs: Path, manifest: Mapping[str, Any], out: Path) -> None:
    """Put those runs of members in force that the run adds, whatever is in force now."""
    for item in manifest["inputs"]:
        if match := _MEMBER.fullmatch(item["name"]):
            member, year, name = match.groups()
            stands = outputs / member / year / "runs" / name
            place = out / member / year
            if not (stands / MANIFEST).is_file() or digest(stands / MANIFEST) != item["sha256"]:
                continue
            (place / "runs").mkdir(parents=True, exist_ok=True)
            (place / "runs" / name).symlink_to(stands)
            if not (place / "current").exists():
                (place / "current").symlink_to(f"runs/{name}")
