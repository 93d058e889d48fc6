"""The project: kernel, outputs, parameters, holidays, ledgers, databases, git."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

from reportkit.doctor.finding import Finding, bad, good, warn
from reportkit.errors import InputError, refused_by_system
from reportkit.forms import DEFAULT
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.ledgers import Ledgers, schemas
from reportkit.params.sources import DatabaseSource
from reportkit.proof.inputs import find_notebook
from reportkit.proof.surroundings import git_state
from reportkit.run.notebook import LocalKernelManager
from reportkit.warm.processes import kernel_environment, need_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.params import District, Project

_FULL, _TIGHT = 200 << 20, 2 << 30


def place(project: Project) -> Iterator[Finding]:
    """Check that there is a project."""
    if (project.params / "districts").is_dir():
        yield good(Message("project"), f"{project.params.parent.resolve()}")
    else:
        message = Message("{params}/districts is not here", params=project.params)
        yield bad(
            Message("project"),
            message,
            Message("change into the project's folder, or: reportkit init DIR …"),
        )


def kernel(project: Project) -> Iterator[Finding]:
    """Check that the notebook's kernel starts and imports this very package."""
    import reportkit

    path = find_notebook(project, project.form())
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    name = metadata.get("kernelspec", {}).get("name", "python3")
    about = Message("kernel {name}", name=name)
    source = "import reportkit; print(reportkit.__file__)"
    cell = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]  # has no types
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]  # the same
    client = NotebookClient(
        notebook, timeout=60, kernel_name=name, kernel_manager_class=LocalKernelManager
    )
    todo = "pip install --force-reinstall reportkit-zwgk ipykernel; see: jupyter kernelspec list"
    try:
        need_files()
        with kernel_environment():
            client.execute()
    except Exception as error:  # whatever it is, it is what is wrong with the kernel
        last = (str(error).strip() or type(error).__name__).splitlines()[-1]
        yield bad(about, Message("does not start: {last}", last=last), todo)
        return
    kernel_folder = cell.outputs[0].text.strip()
    if kernel_folder == reportkit.__file__:
        yield good(about, Message("starts"))
    else:
        yield warn(about, Message("is another Python: {place}", place=kernel_folder), todo)


def outputs(project: Project) -> Iterator[Finding]:
    """Check that runs can be written: files, links, locks, and space for them."""
    about = Message("outputs {out}", out=project.out)
    folder = project.out
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as trial:
            (Path(trial) / "current").symlink_to("run")
            with (Path(trial) / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        todo = Message(
            "give yourself the right to write there, or choose another folder with --out"
        )
        yield bad(
            about,
            Message("{folder}: {problem}", folder=folder, problem=refused_by_system(error)),
            todo,
        )
        return
    free = shutil.disk_usage(folder).free
    message = Message("can be written, {free:,} MiB free", free=free >> 20)
    todo = Message("make room: a run takes a few MiB, with large ledgers more")
    if free < _FULL:
        yield bad(about, message, todo)
    elif free < _TIGHT:
        yield warn(about, message, todo)
    else:
        yield good(about, message)


def _districts(project: Project) -> list[str]:
    return sorted(path.stem for path in (project.params / "districts").glob("*.yaml"))


def _by_form(project: Project, district: str) -> dict[str, tuple[District, list[int]]]:
    """A district as it reports by each of its forms, and the years of these reports."""
    who, reported = project.district(district), project.reports_named(district)
    named = [who.by(other).form for _, other in reported]
    made = (project.district(district, form) for form in dict.fromkeys([*who.all_forms, *named]))
    return {
        by.form: (by, [year for year, other in reported if other == by.other_form]) for by in made
    }


def parameters(project: Project) -> Iterator[Finding]:
    """Check that every district and report can be read."""
    districts, reports = _districts(project), 0
    wrong = []
    for name in districts:
        try:
            for form, (who, years) in _by_form(project, name).items():
                for year in years:
                    project.form(form).edition(year)
                    project.report(who, year)
                    reports += 1
        except InputError as error:
            wrong.append(error.message)
    if wrong:
        yield bad(Message("parameters"), joined("\n", wrong), Message("correct the lines named"))
    else:
        yield good(
            Message("parameters"),
            Message(
                "{districts} districts, {reports} reports",
                districts=len(districts),
                reports=reports,
            ),
        )


def holidays(project: Project) -> Iterator[Finding]:
    """Check that the calendar covers every report year."""
    calendar = project.calendar()
    first, last = (int(str(day)[:4]) for day in (calendar.first, calendar.last))
    years = {year for name in _districts(project) for year, _ in project.reports_named(name)}
    if unknown := sorted(year for year in years if not first <= year <= last):
        message = Message(
            "{first}-{last} are known, not {unknown}",
            first=first,
            last=last,
            unknown=joined(COMMA, map(str, unknown)),
        )
        yield warn(
            Message("holidays"),
            message,
            Message("add the years to {holidays_file}", holidays_file=project.holidays_file),
        )
    else:
        yield good(Message("holidays"), f"{first}-{last}")


def ledgers(project: Project) -> Iterator[Finding]:
    """Check that each district has the ledgers that its reports need, without reading them."""
    hierarchy = project.hierarchy()
    for name in _districts(project):
        try:
            by_form = _by_form(project, name)
        except InputError as error:
            about = Message("ledgers of {name}", name=name)
            yield bad(about, error.message, Message("mend this, then ask again"))
            continue
        for who, years in by_form.values():
            yield _ledgers_of(project, who, years, members=hierarchy.members(name))


def _ledgers_of(
    project: Project, who: District, years: list[int], *, members: Sequence[str]
) -> Finding:
    about = Message("ledgers of {name}", name=who.id)
    about += Message(" by {form}", form=who.form) if who.other_form else ""
    try:
        read = Ledgers(project, who)
        known = schemas(read.form)
        by_ledger = {key: read.sources(key) for key in known}
        needed = set().union(*(read.form.edition(year).ledgers() for year in years))
    except InputError as error:
        return bad(about, error.message, Message("mend this, then ask again"))
    if members and not any(by_ledger.values()):
        found = Message("none: its report adds those of {number} members", number=len(members))
        return good(about, found)
    missing = [known[key].name for key in sorted(needed) if not by_ledger[key]]
    if missing:
        form = "" if who.form == DEFAULT else f" --form {who.form}"
        todo = f"reportkit template {' '.join(missing)}{form} --out {project.data / who.id}"
        return bad(about, Message("{missing} not found", missing="、".join(missing)), todo)
    if not years:
        file = project.report_file(who, 0, "yaml")
        todo = Message(
            "write {file} (year: …)", file=file.with_name(file.name.replace("0", "<year>", 1))
        )
        return warn(about, Message("no report year"), todo)
    present = [known[key].name for key, sources in by_ledger.items() if sources]
    return good(
        about,
        Message(
            "{present}; reports {years}",
            present="、".join(present),
            years=joined(COMMA, map(str, years)),
        ),
    )


def databases(project: Project) -> Iterator[Finding]:
    """Check that the drivers of every database that a district names are installed."""
    sources: set[str] = set()
    for name in _districts(project):
        for named in project.district(name).ledgers.values():
            sources |= {
                source.url.partition(":")[0]
                for source in named
                if isinstance(source, DatabaseSource)
            }
    if not sources:
        yield good(Message("databases"), Message("no district names one"))
        return
    drivers = {source.partition("+")[2] or "sqlalchemy" for source in sources - {"duckdb"}}
    drivers |= {"sqlalchemy"} if drivers else set()
    if missing := sorted(driver for driver in drivers if find_spec(driver) is None):
        todo = "pip install 'reportkit-zwgk[databases]'"
        yield bad(
            Message("databases"),
            Message("{missing} not found", missing=joined(COMMA, missing)),
            todo,
        )
    else:
        yield good(Message("databases"), joined(COMMA, sorted(sources)))


def git(project: Project) -> Iterator[Finding]:
    """Check that parameters and notebooks are under version control: a run records their commit."""
    state = git_state(project.params.parent)
    if state is None:
        todo = Message("git init; commit params and notebooks, never data or outputs")
        yield warn("git", Message("no checkout, or no git: a run cannot name its commit"), todo)
    elif state["dirty"]:
        message = Message(
            "commit {commit}, and changes that are in none", commit=state["commit"][:12]
        )
        yield warn("git", message, Message("commit them before the final run"))
    else:
        yield good("git", Message("commit {commit}, clean", commit=state["commit"][:12]))
