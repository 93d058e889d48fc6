"""Commands over reports: make, look into, compare, prove."""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli import completion
from reportkit.cli.command import (
    ERASED,
    FILE,
    FOLDER,
    Result,
    as_given,
    command,
    district_id,
    live_line,
    tell_session_key,
)
from reportkit.cli.findings import check_line
from reportkit.cli.language import in_words, language, say, translate
from reportkit.errors import InputError, refused_by_system
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
_LEVELS = {
    "files": Message("files"), "ledgers": Message("ledgers"), "facts": Message("facts"),
    "render": Message("render"), "environment": Message("environment"), "rerun": Message("rerun"),
}  # fmt: skip
_THEN = template(", then ")
_RUN = template("{district} {year}, run {run}, {folder}")
_FROM_FORM = Message("made from the form itself:")
_RUN_BY = template("{district} {year} by {form}, run {run}, {folder}")
_scope = click.option("--scope", type=click.Choice(["district", "office"]), help="汇总 or 本机关.")
_form = click.option(
    "--form",
    metavar="NAME",
    shell_complete=completion.forms,
    help="The form to report by; default: the district's.",
)


@command()
@click.argument("district", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
@_scope
@click.option("--draft", is_flag=True, help="Mark the documents as a draft.")
@click.option("--force", is_flag=True, help="Run also when nothing has changed.")
@click.option("--cold", is_flag=True, help="Start the kernel from nothing, as Jupyter does.")
@click.option("--open-data", is_flag=True, help="Write tidy CSV with CSVW metadata beside the run.")
def run(
    district: str,
    year: int,
    *,
    form: str | None,
    scope: Any,
    draft: bool,
    force: bool,
    cold: bool,
    open_data: bool,
    params: Path | None,
    data: Path | None,
    out: Path,
    as_json: bool,
) -> Result:
    """Make one report: read ledgers, execute the notebook, check, export, seal."""
    given = {"form": form, "draft": draft, "params": params, "data": data, "out": out}
    return _make(
        {"district": district, "year": year, "scope": scope, **given},
        force=force,
        cold=cold,
        open_data=open_data,
        as_json=as_json,
    )


@command()
@click.argument("parent", shell_complete=completion.districts)
@click.argument("year", type=int, shell_complete=completion.years)
@_form
@click.option("--draft", is_flag=True, help="Mark the documents as a draft.")
@click.option("--force", is_flag=True, help="Make it also when nothing has changed.")
@click.option("--cold", is_flag=True, help="Start the kernel from nothing, as Jupyter does.")
@click.option("--open-data", is_flag=True, help="Write tidy CSV with CSVW metadata beside the run.")
def rollup(
    parent: str,
    year: int,
    *,
    form: str | None,
    draft: bool,
    force: bool,
    cold: bool,
    open_data: bool,
    params: Path | None,
    data: Path | None,
    out: Path,
    as_json: bool,
) -> Result:
    """Make the 汇总 report of a parent: the sum of its members' reports.

    Members are the districts whose files say `parent: PARENT`. Each counts with its run in force,
    else with its published figures; one that has neither is an error-level finding.
    """
    given = {"form": form, "draft": draft, "params": params, "data": data, "out": out}
    return _make(
        {"district": parent, "year": year, "rollup": True, **given},
        force=force,
        cold=cold,
        open_data=open_data,
        as_json=as_json,
    )


def _make(
    given: dict[str, Any], *, force: bool, cold: bool, open_data: bool, as_json: bool
) -> Result:
    """Make the report of a request, and tell what came of it."""
    from reportkit.warm.template import start_template, stop_template

    district = given["district"] = district_id(given["district"], given["params"])
    year, out = given["year"], given["out"]

    def fork() -> Any:
        return None if cold else start_template("reportkit.run.kernels")

    # As in a warm process: a report makes much JSON and few circles, and to look for circles among
    # all that is imported takes a tenth of the time.
    gc.set_threshold(50_000, 20, 100)
    if force or given["form"] or not (out / district / str(year) / "current").exists():
        fork()  # what a kernel needs is imported there while this process imports what it needs
    try:
        from reportkit.export.documents import DOCUMENTS
        from reportkit.run.request import Request
        from reportkit.run.run import run as make

        if not given.get("rollup"):
            tell_session_key()
        request = Request(**given)
        with live_line(shown=not as_json) as tell:
            outcome = make(request, force=force, fork=fork, tell=tell)
    finally:
        stop_template()
    if not outcome.unchanged:
        tell_of_store(out)
    current = outcome.folder.parents[1] / "current"
    documents = [current / name for name in DOCUMENTS]
    lines = _findings(outcome.findings)
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
        untold = _untold(request, outcome)
        document |= {"replaced": str(outcome.replaced), "untold": untold}
        lines += _correction(untold, outcome.replaced, request)
    if open_data:
        from reportkit.run.opendata import write_open_data

        folder = write_open_data(outcome.folder, request.place)
        document["open_data"] = str(folder)
        lines.append(f"  {folder}")
    return outcome.exit_status, document, lines


def _untold(request: Any, outcome: Any) -> list[dict[str, Any]]:
    """List figures that are not as the replaced run printed them, and that no correction tells."""
    from reportkit.proof.diff import changed_figures

    try:
        changed = changed_figures(outcome.replaced, outcome.folder)
    except (OSError, ValueError, LookupError):
        return []  # pruned, or not as it was written: verify says so
    corrections = request.project.report(request.whose, request.year).corrections
    told = {pair for one in corrections for pair in one.figures.items()}
    return [change for change in changed if (change["id"], change["from"]) not in told]


def _correction(untold: list[dict[str, Any]], replaced: Path, request: Any) -> list[str]:
    """Say which figures changed, and how the report tells it (更正说明)."""
    if not untold:
        return []
    lines: list[str] = [
        Message(
            "{count} figures are not as the final run {run} printed them; if that was published, "
            "say so in {file}:",
            count=len(untold),
            run=replaced.name,
            file=request.project.report_file(request.whose, request.year, "yaml"),
        ),
        "corrections:",
        "- on:",
        "  text:",
        "  figures:",
    ]
    # JSON is YAML that guesses nothing.
    return lines + [
        f"    {one['id']}: {json.dumps(one['from'], ensure_ascii=False)}"
        f"  # → {one['to']} {one['label']}"
        for one in untold
    ]


def tell_of_store(out: Path) -> None:
    """Bring the store up to date; a report is made also where that cannot be."""
    from reportkit.catalogue.store import refresh

    try:
        refresh(out)
    except OSError as error:
        say(
            Message(
                "the store of all runs was not written: {why}; the next query makes it",
                why=refused_by_system(error),
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
    project = request.project
    if (
        project.hierarchy().members(request.district)
        and not Ledgers(project, request.whose).any_kept
    ):
        request = replace(request, rollup=True)
    show(request, port=port, tell=lambda text: say(text, err=True), translate=translate())


def _findings(findings: list[dict[str, Any]]) -> list[str]:
    """Open findings, what was accepted, and how each open error could be."""

    def line(check: dict[str, Any]) -> str:
        return joined("", ["  ", check_line(check)])

    waived = [check for check in findings if check["waived"]]
    still = [check for check in findings if not check["waived"]]
    errors = [check for check in still if check["severity"] == "error"]
    lines: list[str] = []
    if still:
        lines = [Message("{count} checks do not hold:", count=len(still)), *map(line, still)]
    if waived:
        lines.append(Message("{count} checks do not hold and are accepted:", count=len(waived)))
    for check in waived:
        by = check["waived"]
        lines += [line(check), f"    {by['reason']} ({by['by']}, {by['on']})"]
    if errors:
        from reportkit.checks import waiver_yaml

        lines.append(
            Message("an error that is right as it stands is accepted in the report's parameters:")
        )
        lines.append("waivers:")
        lines += [line for check in errors[:5] for line in waiver_yaml(check).splitlines()]
        if len(errors) > 5:
            lines.append(Message("# … and {count} more", count=len(errors) - 5))
    return lines


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
    from reportkit.batch.command import Options
    from reportkit.batch.command import batch as make

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

    What is found alike is told once, with its count and first places. For headings and values
    that are unknown a mapping is printed, to paste into the district's file and to complete.
    """
    from reportkit.cli.intake import look_into

    with_year = len(asked) > 1 and re.fullmatch("[0-9]{4}", asked[-1])
    districts, year = (asked[:-1], int(asked[-1])) if with_year else (asked, None)
    districts = tuple(district_id(one, params) for one in districts)
    tell_session_key()
    shown = sys.stderr.isatty() and not as_json
    status, document, lines = look_into(
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


@command()
@click.argument("fact", shell_complete=completion.facts)
@click.option(
    "--run",
    "asked",
    type=FOLDER,
    metavar="RUN",
    shell_complete=completion.runs,
    help="A run's folder, or DISTRICT/YEAR; default: the only one under --out.",
)
@click.option("--form", metavar="NAME", help="Of the runs there only those by this form.")
def explain(
    fact: str, *, asked: Path | None, form: str | None, params: Path | None, out: Path
) -> Result:
    """Definition, filter, value, last year's value and source rows of one fact of a run.

    FACT is an id (t3.new.total) or a part of a label (予以公开).
    """
    from reportkit.cli.explain import as_text, find_run
    from reportkit.cli.explain import explain as look_up
    from reportkit.params import Project

    document = look_up(find_run(out, asked, form), fact, project=Project.find(params))
    return 0, document, as_text(document, translate())


@command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="RUN...")
@click.option("--keys", type=FOLDER, help="Public keys that must have signed (*.pub).")
@click.option(
    "--rerun",
    is_flag=True,
    help="Make the report again and compare, byte for byte; this executes the notebook's code.",
)
@click.option("--cold", is_flag=True, help="As --rerun, in a kernel that starts from nothing.")
@click.option(
    "--trust-notebook",
    is_flag=True,
    help="With --rerun, execute the run's own notebook where yours is another one.",
)
@click.option("--sample", type=click.IntRange(1), help="Look into so many runs, drawn at random.")
def verify(
    folders: tuple[Path, ...],
    *,
    keys: Path | None,
    rerun: bool,
    cold: bool,
    trust_notebook: bool,
    sample: int | None,
    params: Path | None,
    data: Path | None,
) -> Result:
    """Check that a run is whole, signed and the newest, and that its figures come out again.

    RUN is a run, or a folder of outputs with many.
    """
    from reportkit.export.blocks import visible
    from reportkit.proof.chain import check_batches
    from reportkit.proof.inspection import Asked, draw, find_runs, inspect_all
    from reportkit.proof.signing.trust import read_trusted

    asked = Asked(keys, data, params, rerun, cold, trust_notebook)
    trusted = read_trusted(keys) if keys else None
    runs = [run for folder in folders for run in find_runs(folder)]
    closely = draw(runs, sample)
    verdicts: list[dict[str, Any]] = []
    lines: list[str] = []
    for number, result in enumerate(inspect_all(runs, closely, asked)):
        if sys.stderr.isatty() and len(runs) > 1:
            said = Message("{number} of {count}", number=number + 1, count=len(runs))
            click.echo(ERASED + in_words(said), err=True, nl=False)
        run, levels = str(runs[number]), result.levels
        year, _, form = result.report.partition("-")
        whose = {"district": result.district, "year": year, "form": form or None, "id": result.run}
        judged = {"holds": result.holds, "levels": [level.as_json() for level in levels]}
        verdicts.append({"run": run} | whose | judged)
        name = run
        if result.run:
            name = Message(
                _RUN_BY if form else _RUN,
                district=result.district,
                year=year,
                form=form,
                run=result.run,
                folder=run,
            )
        lines.append(joined(COLON, [name, result.verdict]))
        # Of many runs, those that hold have nothing else to tell; --json has all of it.
        for level in levels if len(runs) == 1 else [level for level in levels if not level.holds]:
            lines.append("  " + joined(COLON, [_LEVELS[level.level], level.verdict]))
            lines += [joined("", ["    - ", finding]) for finding in level.findings]
            lines += [joined("", ["    ", note]) for note in level.notes]
    batches = [
        joined(COLON, [str(folder), problem])
        for folder in folders
        for problem in check_batches(folder, trusted)
    ]
    lines += batches
    if len(runs) > 1:
        good = sum(bool(verdict["holds"]) for verdict in verdicts)
        lines.append(
            Message(
                "{good} of {count} runs hold; {closely} were looked into, of all the files",
                good=good,
                count=len(runs),
                closely=sum(closely),
            )
        )
    sampled = sorted(str(run) for run, close in zip(runs, closely, strict=True) if close)
    document = {"runs": verdicts, "batches": batches, "sampled": sampled}
    failed = batches or not all(verdict["holds"] for verdict in verdicts)
    # A received file can hold what would move the cursor of a terminal.
    return int(bool(failed)), document, str(visible(in_words(lines)))


@command()
@click.argument("old", type=FOLDER, metavar="A")
@click.argument("new", type=FOLDER, metavar="B")
@click.option("--html", type=FILE, help="Write a page too.")
def diff(old: Path, new: Path, *, html: Path | None) -> Result:
    """Compare two runs; status 1 if a figure, a check or the text differs."""
    from reportkit.proof.diff import as_page, as_text, diff_runs

    document = diff_runs(old, new)
    if html is not None:
        html.write_text(as_page(document), encoding="utf-8")
    differs = any(document[part] for part in ("facts", "checks", "narrative"))
    return int(differs), document, as_text(document)


@command()
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=3,
    help="Runs of each report that stay whole, the one in force among them; default: 3.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done.")
def prune(*, keep: int, dry_run: bool, out: Path) -> Result:
    """Reduce old runs to their records, which verify accepts: manifest, sums, attestation.

    Never the run in force, nor one that a run in force was compared with.
    """
    from reportkit.run.prune import as_text
    from reportkit.run.prune import prune as reduce

    document = reduce(out, keep=keep, dry_run=dry_run)
    return int(bool(document["changed"])), document, as_text(document)


@command()
@click.argument("file", type=FILE)
def keygen(file: Path) -> Result:
    """Make a signing key: FILE for its owner only, FILE.pub for everybody."""
    from reportkit.proof.signing.keys import keygen as make

    public, keyid = make(file)
    lines = [
        Message("{file} (keep it to yourself)", file=file),
        Message("{file} (hand it to those who verify)", file=public),
        Message("key {keyid}", keyid=keyid),
    ]
    return 0, {"private": str(file), "public": str(public), "keyid": keyid}, lines


@command()
@click.argument("folder", type=FOLDER, metavar="RUN")
@click.option(
    "--key",
    type=FILE,
    help="A private key; default: the key or the command that the environment names.",
)
def sign(folder: Path, *, key: Path | None) -> Result:
    """Add a signature to a run whose files are whole."""
    from reportkit.proof import verify_files
    from reportkit.proof.attestation import sign_run
    from reportkit.proof.signing.keys import read_signer
    from reportkit.proof.signing.settings import signer_from

    signer = read_signer(key) if key else signer_from(os.environ)
    if signer is None:
        raise InputError("signing-key", "nothing says who signs; name a private key with --key")
    verify_files(folder)
    sign_run(folder.resolve(), signer)
    text = Message("{folder} signed by key {keyid}", folder=folder, keyid=signer.keyid)
    return 0, {"run": str(folder), "keyid": signer.keyid}, text
