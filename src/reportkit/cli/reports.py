"""Commands that make reports, and that begin and preview them."""

from __future__ import annotations

import gc
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli import completion
from reportkit.cli.command import (
    FILE,
    Result,
    as_given,
    command,
    district_id,
    live_line,
    warn_of_session_key,
)
from reportkit.cli.corrections import correction_lines
from reportkit.cli.findings import finding_lines
from reportkit.cli.language import language, say, translate
from reportkit.errors import refused_by_system
from reportkit.language import Message, joined, template
from reportkit.language.message import COLON

if TYPE_CHECKING:
    from pathlib import Path

_STATES = {
    (False, False): Message("made"),
    (False, True): Message("made as a draft"),
    (True, False): Message("unchanged"),
    (True, True): Message("unchanged as a draft"),
}
_THEN = template(", then ")
_FROM_FORM = Message("made from the form itself:")
_scope = click.option("--scope", type=click.Choice(["district", "office"]), help="汇总 or 本机关.")
_form = click.option(
    "--form",
    metavar="NAME",
    shell_complete=completion.forms,
    help="The form to report by; default: the district's.",
)


def _making(function: Any) -> Any:
    """Add the options of commands that make one report."""
    for option in (
        click.option(
            "--open-data", is_flag=True, help="Write tidy CSV with CSVW metadata beside the run."
        ),
        click.option(
            "--cold", is_flag=True, help="Start the kernel from nothing, as Jupyter does."
        ),
        click.option("--force", is_flag=True, help="Make it also when nothing has changed."),
        click.option("--draft", is_flag=True, help="Mark the documents as a draft."),
    ):
        function = option(function)
    return function


@command()
@click.argument("district", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
@_scope
@_making
def run(*, as_json: bool, **options: Any) -> Result:
    """Make one report: read ledgers, execute the notebook, check, export, seal."""
    return _make(**options, as_json=as_json)


@command()
@click.argument("parent", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
@_making
def rollup(parent: str, *, as_json: bool, **options: Any) -> Result:
    """Make the 汇总 report of a parent: the sum of its members' reports.

    Members are the districts whose files say `parent: PARENT`. Each counts with its run in force,
    else with its published figures; one that has neither is an error-level finding.
    """
    return _make(parent, **options, rollup=True, as_json=as_json)


def _make(
    district: str,
    year: int,
    *,
    force: bool,
    cold: bool,
    open_data: bool,
    params: Path | None,
    out: Path,
    as_json: bool,
    **asked: Any,
) -> Result:
    """Make the report of a request, and describe the outcome."""
    from reportkit.warm.template import start_template, stop_template

    district = district_id(district, params)

    def fork() -> Any:
        return None if cold else start_template("reportkit.run.kernels")

    # As in a warm process: a report makes much JSON and few circles, and to look for circles among
    # all that is imported takes a tenth of the time.
    gc.set_threshold(50_000, 20, 100)
    if force or asked["form"] or not (out / district / str(year) / "current").exists():
        fork()  # what a kernel needs is imported there while this process imports what it needs
    try:
        from reportkit.export.documents import DOCUMENTS
        from reportkit.run.request import Request
        from reportkit.run.run import run as make
        from reportkit.run.uncorrected import uncorrected_changes

        request = Request(district, year, params=params, out=out, **asked)
        if not request.rollup:
            warn_of_session_key()
        with live_line(shown=not as_json) as tell:
            outcome = make(request, force=force, fork=fork, tell=tell)
    finally:
        stop_template()
    if not outcome.unchanged:
        refresh_store(out)
    current = outcome.folder.parents[1] / "current"
    documents = [current / name for name in DOCUMENTS]
    lines = list(finding_lines(outcome.findings))
    lines.append(joined(COLON, [_STATES[outcome.unchanged, outcome.draft], str(outcome.folder)]))
    lines += [f"  {path}" for path in documents]
    document = {
        "district": district,
        "year": year,
        "form": request.whose.form,
        "run": str(outcome.folder),
        "draft": outcome.draft,
        "unchanged": outcome.unchanged,
        "findings": outcome.findings,
        "documents": [str(path) for path in documents],
    }
    if outcome.replaced and not outcome.draft:
        untold = uncorrected_changes(request, outcome)
        document |= {"replaced": str(outcome.replaced), "untold": untold}
        lines += correction_lines(untold, outcome.replaced, request)
    if open_data:
        from reportkit.run.opendata import write_open_data

        folder = write_open_data(outcome.folder, request.place)
        document["open_data"] = str(folder)
        lines.append(f"  {folder}")
    return outcome.exit_status, document, lines


def refresh_store(out: Path) -> None:
    """Bring the store up to date; a report is made also where that cannot be."""
    from reportkit.catalogue.store import refresh

    try:
        refresh(out)
    except OSError as error:
        say(
            Message(
                "the store of all runs was not written: {problem}; the next query makes it",
                problem=refused_by_system(error),
            ),
            err=True,
        )


@command()
@click.argument("district", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8640, or one that is free.")
def preview(
    district: str,
    year: int,
    *,
    form: str | None,
    port: int | None,
    params: Path | None,
    data: Path | None,
    out: Path,
) -> None:
    """A draft on localhost, made again when text, ledgers or notebook are saved.

    Ctrl-C ends it. Nothing is published, and nothing is left behind.
    """
    from reportkit.ledgers import Ledgers
    from reportkit.preview.preview import preview as show
    from reportkit.run.request import Request

    request = Request(district_id(district, params), year, params, data, out, draft=True, form=form)
    if Ledgers(request.project, request.whose).only_adds:
        request = replace(request, rollup=True)
    show(request, port=port, tell=lambda text: say(text, err=True), translate=translate())


@command()
@click.argument("file", required=False, type=FILE)
@click.option("--districts", help="Ids or Chinese names, with commas; default: all.")
@click.option("--years", help="Such as 2020, 2019,2021 or 2019-2021; default: those with a file.")
@click.option("--form", help="Names of forms, with commas; default: those of each district.")
@_scope
@click.option("--jobs", type=click.IntRange(1), help="Reports at once; default: processors.")
@click.option("--retries", type=click.IntRange(0), help="Further tries after a transient fault.")
@click.option("--timeout", type=float, help="Seconds for one report; default: 600.")
@click.option("--force", is_flag=True, help="Make also what has not changed.")
@click.option("--failed", is_flag=True, help="Only reports that failed when they were last tried.")
@click.option("--strict", is_flag=True, help="Refuse all if something is wrong with one district.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "draft", "never"]),
    default="error",
    help="When the status is not 0: open errors and failures (default), drafts too, or never.",
)
@click.option("--metrics", type=FILE, help="Write a textfile of metrics for Prometheus.")
@click.option("--notify", metavar="COMMAND", help="Run this at the end, the summary on its stdin.")
@click.option("--cold", is_flag=True, help="A cold kernel for each report: the slow reference.")
@click.option("--dry-run", is_flag=True, help="Print what would be made, and why.")
@click.option("--explain-cache", is_flag=True, help="Tell of each report why it was made or not.")
@click.option("--scheduler", help="Address of a dask scheduler, tcp://host:8786, or 'local'.")
@click.option("--store", help="fsspec URL where workers share no disk with us, such as s3://b/p.")
def batch(*, out: Path, **options: Any) -> Result:
    """Make every report of a matrix; what has not changed is left as it is.

    FILE is params/batch.yaml by default; options go before what stands in it. The same command
    again goes on where a stopped one ended.
    """
    from reportkit.batch.command import batch as make
    from reportkit.batch.options import Options

    again = as_given(
        click.get_current_context(), "force", "failed", "dry_run", "explain_cache", "as_json"
    )
    return make(Options(**options, command=again, language=language(os.environ)), out)


@command()
@click.argument(
    "asked",
    nargs=-1,
    required=True,
    metavar="DISTRICT... [YEAR]",
    shell_complete=completion.districts,
)
@_form
@click.option("--all", "every", is_flag=True, help="Each problem with its place, not grouped.")
def intake(
    asked: tuple[str, ...],
    *,
    form: str | None,
    every: bool,
    params: Path | None,
    data: Path | None,
    as_json: bool,
) -> Result:
    """Read and validate the ledgers of districts; print every problem, write nothing.

    What is found alike is listed once, with its count and first places. For headings and values
    that are unknown a mapping is printed, to paste into the district's file and to complete.
    """
    from reportkit.cli.intake import check_ledgers

    with_year = len(asked) > 1 and re.fullmatch("[0-9]{4}", asked[-1])
    districts, year = (asked[:-1], int(asked[-1])) if with_year else (asked, None)
    districts = tuple(district_id(name, params) for name in districts)
    warn_of_session_key()
    shown = sys.stderr.isatty() and not as_json
    status, document, lines = check_ledgers(
        districts, year, form=form, every=every, shown=shown, params=params, data=data
    )
    return status, document, lines


@command()
@click.argument("district", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
def new(
    district: str, year: int, *, form: str | None, params: Path | None, data: Path | None
) -> Result:
    """Parameters and narrative for a new year, from the last one; what is left to do.

    The first report by a further form begins with the form's own text.
    """
    from reportkit.params import Project
    from reportkit.scaffold.new_year import renew

    district = district_id(district, params)
    renewal = renew(Project.find(params, data), district, year, form)
    renewal.write()
    before = renewal.previous
    source = Message("made from {previous}:", previous=before) if before else _FROM_FORM
    lines: list[str] = [source]
    lines += [f"  {path}" for path in renewal.files]
    if renewal.advanced:
        lines.append(Message("{count} advanced:", count=len(renewal.advanced)))
        lines += [joined("", ["  ", str(note)]) for note in renewal.advanced]
    if renewal.todo:
        lines.append(Message("{count} to do:", count=len(renewal.todo)))
        lines += [joined("", ["  ", str(note)]) for note in renewal.todo]
    by = f" --form {form}" if form else ""
    commands = ("rollup",) if renewal.sums else ("intake", "run")
    following = [f"reportkit {command} {district} {year}{by}" for command in commands]
    lines.append(Message("next: {commands}", commands=joined(_THEN, following)))
    document = {
        "district": district,
        "year": year,
        "previous": renewal.previous,
        "files": [str(path) for path in renewal.files],
        "advanced": [vars(note) for note in renewal.advanced],
        "todo": [vars(note) for note in renewal.todo],
        "next": following,
    }
    return 0, document, lines
