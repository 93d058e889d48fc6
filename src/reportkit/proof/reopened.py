"""The report of a run opened again: by our own library, from the auditor's folders."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.notebook.report import Report
from reportkit.params import Project
from reportkit.proof.manifest import digest
from reportkit.proof.record import find_notebook, input_record, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A report that was compared with: its folder under the outputs, and the file that has its figures.
_EARLIER = re.compile(r"out/([0-9a-z][0-9a-z_-]{0,63})/(\d{4})/current/facts\.json")


@dataclass(frozen=True)
class Reopened:
    """What the auditor has of a report.

    Parameters
    ----------
    report : Report or None
        None where not everything that the run read is here as it was.
    notebook : Path
        The auditor's own: the project's, else the package's.
    other, absent : tuple of str
        Inputs that are here and are not what the run read; that are not here.
    """

    report: Report | None
    notebook: Path
    other: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


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
        Runs of other years and districts are looked for beside it.
    manifest : mapping
    params, data : Path
        The auditor's folders; notebooks stand beside the former.
    """
    with TemporaryDirectory(prefix="rk-render-") as name:
        view = _view(Path(name), run, manifest, params=params, data=data)
        project = Project(**view)
        notebook = find_notebook(project)
        given = manifest["parameters"]
        try:
            report = Report.open(
                manifest["district"], manifest["year"], scope=given.get("scope"),
                draft=bool(given.get("draft")), **view,
            )  # fmt: skip
            found = inputs_of(report, notebook, digest)
        except (ReportkitError, OSError) as error:
            told = str(error).replace(f"{view['params']}", f"{params}")
            yield Reopened(None, notebook, absent=(told.replace(f"{view['data']}", f"{data}"),))
            return
        # Where there was no key the records are not keyed, whoever has one now.
        keyed = any(ledger["rows_keyed"] for ledger in manifest["ledgers"])
        report.ledgers.pseudonyms = replace(report.ledgers.pseudonyms, of_session=not keyed)
        records = [input_record(path, sha256, project) for path, sha256 in found]
        here = {one["name"]: (one["sha256"], one["bytes"]) for one in records}
        there = {one["name"]: (one["sha256"], one["bytes"]) for one in manifest["inputs"]}
        both = sorted({*here} & {*there})
        other = [f"{one} is not what the run read" for one in both if here[one] != there[one]]
        new = sorted({*here} - {*there})
        other += [f"{one} is here, and the run did not read it" for one in new]
        absent = [f"{one} is not here" for one in sorted({*there} - {*here})]
        whole = not other and not absent
        yield Reopened(report if whole else None, notebook, tuple(other), tuple(absent))


def _view(
    folder: Path, run: Path, manifest: Mapping[str, Any], *, params: Path, data: Path
) -> dict[str, Path]:
    """A folder that shows the auditor's folders by the names that they had in the run.

    Places of records are told from the folder of the ledgers on, so that its name counts.
    """
    view = {"out": folder / "outputs"}
    for root, place in (("params", params), ("data", data)):
        given = manifest["parameters"].get(root)
        name = Path(given).name if isinstance(given, str) else ""
        view[root] = folder / root / (name if name.strip(".") else root)
        view[root].parent.mkdir()
        view[root].symlink_to(place.absolute())
    (view["params"].parent / "notebooks").symlink_to(params.absolute().parent / "notebooks")
    for one in manifest["inputs"]:
        if found := _EARLIER.fullmatch(one["name"]):
            district, year = found.groups()
            outputs = run.resolve().parents[3]
            for path in sorted((outputs / district / year).glob("runs/*/facts.json")):
                if digest(path) == one["sha256"]:
                    place = view["out"] / district / year
                    place.mkdir(parents=True)
                    (place / "current").symlink_to(path.parent)
                    break
    return view
