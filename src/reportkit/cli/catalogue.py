"""Commands over all runs: questions in SQL, pages of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reportkit.cli.command import FOLDER, Result, command, need_outputs
from reportkit.language import Message

if TYPE_CHECKING:
    from pathlib import Path


@command()
@click.argument("sql")
@click.option("--csv", "as_csv", is_flag=True, help="The answer as CSV.")
def query(sql: str, *, as_csv: bool, params: Path | None, out: Path) -> Result:
    """Ask the facts of all runs under --out: one SELECT, answered by DuckDB.

    Tables: facts, runs, checks; `reportkit query "describe facts"` lists the columns of one.
    Nothing else can be read, and nothing written.
    """
    from reportkit.catalogue import query as asking
    from reportkit.catalogue.store import opened
    from reportkit.params import Project

    need_outputs(out)
    project = Project.find(params, None, out)
    with opened(out) as store:
        names, rows = asking.query(sql, store, project)
    document = {
        "columns": names,
        "rows": [dict(zip(names, map(asking.plain_value, row), strict=True)) for row in rows],
    }
    text = asking.as_csv(names, rows).rstrip("\r\n") if as_csv else asking.as_table(names, rows)
    return 0, document, text


@command()
@click.option(
    "--to", type=FOLDER, help="Where the pages go; default: site, in the folder of --out."
)
def site(*, to: Path | None, params: Path | None, data: Path | None, out: Path) -> Result:
    """The catalogue of all runs under --out as static pages, for any browser and without a network.

    Only what has changed is written; pages of what is gone are removed.
    """
    from reportkit.catalogue.site import NAME, write_site
    from reportkit.catalogue.store import opened
    from reportkit.params import Project

    need_outputs(out)
    project = Project.find(params, data, out)
    with opened(out) as store:
        made = write_site(project, store, to or out / NAME)
    document = {
        "folder": str(made.folder),
        "files": made.files,
        "written": len(made.written),
        "removed": len(made.removed),
    }
    lines: list[str] = [str(made.folder / "index.html")]
    lines.append(
        Message(
            "{files} files, {written} written, {removed} removed",
            files=made.files,
            written=len(made.written),
            removed=len(made.removed),
        )
    )
    return 0, document, lines
