"""Commands over runs that were made: explain, verify, compare, prune, sign."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli import completion
from reportkit.cli.command import (
    ERASED,
    FILE,
    FOLDER,
    Result,
    command,
    need_outputs,
)
from reportkit.cli.language import in_language, translate
from reportkit.errors import InputError
from reportkit.language import Message, joined, template
from reportkit.language.message import COLON

if TYPE_CHECKING:
    from pathlib import Path

_LEVELS = {
    "files": Message("files"),
    "ledgers": Message("ledgers"),
    "facts": Message("facts"),
    "render": Message("render"),
    "environment": Message("environment"),
    "rerun": Message("rerun"),
}
_RUN = template("{district} {year}, run {run}, {folder}")
_RUN_BY = template("{district} {year} by {form}, run {run}, {folder}")


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

    project = Project.find(params)
    document = look_up(find_run(project, out, asked, form), fact, project=project)
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
    from reportkit.params import Project
    from reportkit.proof.chain import check_batches
    from reportkit.proof.inspection import Asked, draw, find_runs, inspect_all
    from reportkit.proof.signing.trust import read_trusted

    own = Project.find(params, data)
    asked = Asked(keys, own.data, own.params, rerun, cold, trust_notebook)
    trusted = read_trusted(keys) if keys else None
    runs = [run for folder in folders for run in find_runs(folder)]
    closely = draw(runs, sample)
    verdicts: list[dict[str, Any]] = []
    lines: list[str] = []
    for number, result in enumerate(inspect_all(runs, closely, asked)):
        if sys.stderr.isatty() and len(runs) > 1:
            progress = Message("{number} of {count}", number=number + 1, count=len(runs))
            click.echo(ERASED + in_language(progress), err=True, nl=False)
        run, levels = str(runs[number]), result.levels
        year, _, form = result.report.partition("-")
        whose = {"district": result.district, "year": year, "form": form or None, "id": result.run}
        judged = {"holds": result.holds, "levels": [asdict(level) for level in levels]}
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
    return int(bool(failed)), document, str(visible(in_language(lines)))


@command()
@click.argument("old", type=FOLDER, metavar="A")
@click.argument("new", type=FOLDER, metavar="B")
@click.option("--html", type=FILE, help="Write a page too.")
def diff(old: Path, new: Path, *, html: Path | None) -> Result:
    """Compare two runs; status 1 if a figure, a check or the text differs."""
    from reportkit.export.files import write_whole
    from reportkit.proof.diff import diff_runs
    from reportkit.proof.difftext import as_page, as_text

    document = diff_runs(old, new)
    if html is not None:
        write_whole(html, as_page(document).encode())
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

    need_outputs(out)
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
