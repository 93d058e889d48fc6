"""Commands: argument in, result out; a command imports what it needs when it runs."""

from __future__ import annotations

import inspect
import json
import signal
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from reportkit import __version__
from reportkit.errors import InputError, ReportkitError

Command = Callable[..., Any]
Result = tuple[int, Any, str]

_FOLDER = click.Path(path_type=Path, file_okay=False)
_scope = click.option("--scope", type=click.Choice(["district", "office"]), help="汇总 or 本机关.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Statutory annual reports (政府信息公开工作年度报告) from raw ledgers.

    Exit status: 0 done; 1 done, with findings; 2 bad input; 3 execution failed.
    """


def _command(out: str = "outputs") -> Callable[[Command], click.Command]:
    """A command that returns (exit status, JSON document, text) or raises a ReportkitError.

    Every command takes the same folders and ``--json``; what it has no use for it leaves.
    """

    def decorate(function: Command) -> click.Command:
        taken = inspect.signature(function).parameters
        all_taken = any(one.kind is one.VAR_KEYWORD for one in taken.values())

        @wraps(function)
        def wrapped(*, as_json: bool, **options: Any) -> None:
            options = {name: value for name, value in options.items() if all_taken or name in taken}
            try:
                status, document, text = function(**options)
            except ReportkitError as error:
                status, text = error.exit_status, f"reportkit: {error}"
                document = {"error": error.reason, "message": error.message} | error.fields
                click.echo(text, err=True)
            else:
                if not as_json:
                    click.echo(text)
            if as_json:
                click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
            sys.exit(status)

        for option in (
            click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
            click.option("--out", type=_FOLDER, default=Path(out), help=f"Default: {out}."),
            click.option("--data", type=_FOLDER, help="Ledgers; default: data."),
            click.option("--params", type=_FOLDER, help="Parameters; default: params."),
        ):
            wrapped = option(wrapped)
        return cli.command()(wrapped)

    return decorate


@_command()
@click.argument("district")
@click.argument("year", type=int)
@_scope
@click.option("--draft", is_flag=True, help="Mark the documents as a draft.")
@click.option("--force", is_flag=True, help="Run also when nothing has changed.")
def run(
    district: str,
    year: int,
    *,
    scope: Any,
    draft: bool,
    force: bool,
    params: Path | None,
    data: Path | None,
    out: Path,
) -> Result:
    """Make one report: read ledgers, execute the notebook, check, export, seal."""
    from reportkit.execution.run import run as make

    outcome = make(
        district, year, scope=scope, draft=draft, force=force, params=params, data=data, out=out
    )
    current = outcome.folder.parents[1] / "current"
    documents = [current / name for name in ("report.html", "audit.html", "report.pdf")]
    lines = [_finding(check) for check in outcome.findings]
    if lines:
        lines.insert(0, f"{len(lines)} checks do not hold:")
    state = "unchanged" if outcome.unchanged else "made"
    lines.append(f"{state}{' as a draft' if outcome.draft else ''}: {outcome.folder}")
    lines += [f"  {path}" for path in documents]
    document = {
        "district": district,
        "year": year,
        "run": str(outcome.folder),
        "draft": outcome.draft,
        "unchanged": outcome.unchanged,
        "findings": outcome.findings,
        "documents": [str(path) for path in documents],
    }
    return outcome.exit_status, document, "\n".join(lines)


def _finding(check: dict[str, Any]) -> str:
    return f"  {check['id']} {check['severity']}: {check['title']}: {check['message']}"


@_command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--districts", help="Ids, with commas; default: all.")
@click.option("--years", help="Such as 2020, 2019,2021 or 2019-2021; default: those with a file.")
@_scope
@click.option("--jobs", type=click.IntRange(1), help="Reports at once; default: processors.")
@click.option("--retries", type=click.IntRange(0), help="Further tries after a passing fault.")
@click.option("--timeout", type=float, help="Seconds for one report; default: 600.")
@click.option("--force", is_flag=True, help="Make also what has not changed.")
@click.option("--cold", is_flag=True, help="A cold kernel for each report: the slow reference.")
@click.option("--dry-run", is_flag=True, help="Print what would be made, and why.")
@click.option("--explain-cache", is_flag=True, help="Tell of each report why it was made or not.")
@click.option("--scheduler", help="Address of a dask scheduler, such as tcp://host:8786.")
@click.option("--store", help="fsspec URL where workers share no disk with us, such as s3://b/p.")
def batch(
    *, params: Path | None, data: Path | None, out: Path, file: Path | None, **options: Any
) -> Result:
    """Make every report of a matrix; what has not changed is left as it is.

    FILE is params/batch.yaml by default; options go before what stands in it. The same command
    again goes on where a stopped one ended.
    """
    from reportkit.execution.command import Options
    from reportkit.execution.command import batch as make

    return make(Options(file=file, **options), params=params, data=data, out=out)


@_command()
@click.argument("district")
@click.argument("year", type=int, required=False)
def intake(district: str, year: int | None, *, params: Path | None, data: Path | None) -> Result:
    """Read and validate a district's ledgers; print every problem, write nothing."""
    from reportkit.ledgers import read_ledgers

    def tell(name: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"reading {name} …", err=True)

    ledgers, problems = read_ledgers(district, year, params=params, data=data, tell=tell)
    lines = [
        f"{ledger.schema.name}: {ledger.read} read, {len(ledger.frame)} accepted, "
        f"{ledger.quarantined} quarantined, {ledger.rejected} rejected, "
        f"{ledger.set_aside} set aside"
        for ledger in ledgers.values()
    ]
    violations = [v for ledger in ledgers.values() for v in ledger.violations]
    lines += [f"  {violation.text()}" for violation in violations]
    lines += [str(problem) for problem in problems]
    document = {
        "ledgers": [
            {
                "ledger": key, "read": ledger.read, "accepted": len(ledger.frame),
                "quarantined": ledger.quarantined, "rejected": ledger.rejected,
                "set_aside": ledger.set_aside,
            }
            for key, ledger in ledgers.items()
        ],
        "violations": [vars(violation) for violation in violations],
        "errors": [{"error": p.reason, "message": p.message} for p in problems],
    }  # fmt: skip
    rejected = any(ledger.refused for ledger in ledgers.values())
    return (2 if problems else int(rejected)), document, "\n".join(lines)


@_command()
@click.argument("fact")
@click.option("--run", "folder", type=_FOLDER, help="A run; default: the only one under --out.")
def explain(fact: str, *, folder: Path | None, out: Path) -> Result:
    """Definition, filter, value and source rows of one fact of a run."""
    from reportkit.execution.evidence import explain as look_up

    if folder is None:
        runs = sorted(out.glob("*/*/current"))
        if len(runs) != 1:
            known = ", ".join(map(str, runs)) or f"none under {out}"
            raise InputError("run-missing", f"say which run by --run; there are: {known}")
        folder = runs[0]
    document = look_up(folder, fact)
    rows = document.pop("source_rows")
    lines = [f"{key}: {value}" for key, value in document.items() if value not in (None, [], "")]
    lines += [f"  row {row['row']}: {row['file']}:{row['place']}" for row in rows[:200]]
    if len(rows) > 200:
        lines.append(f"  … and {len(rows) - 200} more; --json lists all")
    return 0, document | {"source_rows": rows}, "\n".join(lines)


@_command(out="data")
@click.argument("published", nargs=-1, required=True, type=click.Path(path_type=Path))
def synth(published: tuple[Path, ...], *, out: Path) -> Result:
    """Demonstration ledgers whose totals equal a district's published reports."""
    from reportkit.synth import synth_files

    made, paths = synth_files(published, out)
    told = [str(difference) for difference in made.exceptions]
    lines = [str(path) for path in paths]
    if told:
        lines.append(f"{len(told)} published values contradict others and cannot be given:")
        lines += [f"  {line}" for line in told]
    document = {"files": [str(path) for path in paths], "exceptions": told}
    return int(bool(told)), document, "\n".join(lines)


@_command()
@click.argument("folders", nargs=-1, required=True, type=_FOLDER, metavar="RUN...")
def verify(folders: tuple[Path, ...]) -> Result:
    """Whether the files of a run are those it was sealed with."""
    from reportkit.proof import verify_files

    verdicts = []
    for folder in folders:
        if not (folder / "MANIFEST.json").is_file():
            message = f"{folder} is no run: it has no MANIFEST.json"
            raise InputError("run-missing", message)
        try:
            verify_files(folder)
            verdicts.append({"run": str(folder), "whole": True, "message": "whole"})
        except ReportkitError as error:
            verdicts.append({"run": str(folder), "whole": False, "message": error.message})
    lines = [f"{verdict['run']}: {verdict['message']}" for verdict in verdicts]
    broken = any(not verdict["whole"] for verdict in verdicts)
    return int(broken), {"runs": verdicts}, "\n".join(lines)


def main() -> None:
    """Entry point of ``reportkit``."""
    # A terminated run leaves through its clean-up, with the status that shells expect.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cli(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception:
        # Status 1 means "done, with findings": a fault of ours must not look like it.
        traceback.print_exc()
        sys.exit(3)
