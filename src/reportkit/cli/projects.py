"""Commands for people who begin: a project of one's own, and empty ledgers."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from reportkit.cli import completion as offered
from reportkit.cli.command import FOLDER, Result, cli, command
from reportkit.language import Message

LEVELS = ("department", "county", "city", "province")


@command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--district", required=True, help="Id: lower case letters and digits, such as huli.")
@click.option("--name", required=True, help="Chinese name, such as 湖里区.")
@click.option("--year", type=int, required=True, help="Report year.")
@click.option("--level", type=click.Choice(LEVELS), default="county", help="Sets the deadline.")
@click.option("--issuer", help="Full name of the issuing organ; default: the name.")
@click.option("--form", default="zfxxgk", show_default=True, help="Which statutory report.")
def init(
    folder: Path,
    *,
    district: str,
    name: str,
    year: int,
    level: Any,
    issuer: str | None,
    form: str,
) -> Result:
    """A project for your own district: parameters, text, notebooks, empty ledgers.

    In a project that is there it adds a further district. Nothing is ever replaced.
    """
    from reportkit.scaffold.project import begin

    begun = begin(folder, district, year, name=name, level=level, issuer=issuer, form=form)
    begun.write()
    # As it can be typed there: who has not put an environment on the path has only its place.
    program = "reportkit" if shutil.which("reportkit") else str(Path(sys.argv[0]).absolute())
    following = [f"{command} {district} {year}" for command in ("intake", "run")]
    lines: list[str] = [f"  {path}" for path in begun.files]
    lines = [Message("{count} files made:", count=len(lines)), *lines]
    lines.append(
        Message("fill in the ledgers in {folder}, then:", folder=folder / "data" / district)
    )
    lines.append(f"  cd {shlex.quote(str(folder))}")
    lines += [f"  {shlex.quote(program)} {command}" for command in following]
    document = {
        "district": district,
        "year": year,
        "files": [str(path) for path in begun.files],
        "kept": [str(path) for path in begun.kept],
        "next": [f"reportkit {command}" for command in following],
    }
    return 0, document, lines


@command(out=".")
@click.argument("ledgers", nargs=-1, metavar="[LEDGER]...", shell_complete=offered.ledgers)
@click.option("--year", type=int, help="Labels of this report year's form; default: the newest.")
@click.option("--form", default="zfxxgk", show_default=True, help="Which statutory report.")
def template(ledgers: tuple[str, ...], *, year: int | None, form: str, out: Path) -> Result:
    """Empty ledgers as workbooks, with notes and drop-down lists.

    LEDGER is a key (applications) or a Chinese name (依申请公开台账); default: all of the form.
    """
    from reportkit.params import Project
    from reportkit.scaffold.workbooks import write_blank_ledgers

    paths = write_blank_ledgers(Project.find().form(form), ledgers, out, year=year)
    return 0, {"files": [str(path) for path in paths]}, "\n".join(map(str, paths))


@command()
def doctor(*, params: Path | None, data: Path | None, out: Path) -> Result:
    """Examine the machine and the project, and say what to do; status 1 if anything is wrong."""
    from reportkit.doctor import examine
    from reportkit.params import Project

    findings = list(examine(Project.find(params, data, out)))
    worst = [
        sum(finding.state == state for finding in findings) for state in ("good", "warn", "bad")
    ]
    lines = [finding.text() for finding in findings]
    lines.append(
        Message(
            "{good} good, {warn} to know, {bad} to mend",
            good=worst[0],
            warn=worst[1],
            bad=worst[2],
        )
    )
    return int(worst[2] > 0), {"findings": [vars(finding) for finding in findings]}, lines


@command()
@click.argument("action", type=click.Choice(["check"]))
@click.argument("folder", type=FOLDER, metavar="DIR")
def form(action: str, *, folder: Path) -> Result:
    """Look over a form folder: what can never count, close or hold, with file and line.

    DIR is a folder such as forms/zfxxgk; status 1 if anything is found.
    """
    from reportkit.checks.folder import look_over

    found = look_over(folder.absolute() if folder.name in ("", ".", "..") else folder)
    lines = found or [Message("{folder}: nothing is wrong", folder=folder)]
    return int(bool(found)), {"action": action, "folder": str(folder), "findings": found}, lines


@command()
@click.argument("shell", type=click.Choice(offered.SHELLS))
def completion(shell: str) -> Result:
    """Print the script by which a shell completes commands, districts, years, facts, ledgers."""
    text = offered.script(cli, shell)
    return 0, {"shell": shell, "script": text}, text
