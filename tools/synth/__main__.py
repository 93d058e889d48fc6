"""``python -m synth PUBLISHED... --out DIR``: sample ledgers whose counts equal published reports.

Exit status: 0 done; 1 done, but published values contradict others and cannot be given; 2 bad
input.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reportkit.errors import ReportkitError
from synth import synth_files


@click.command()
@click.argument("published", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("data"))
def main(published: tuple[Path, ...], out: Path) -> None:
    """Sample ledgers (台账) from the published totals of one district's reports."""
    try:
        made, paths = synth_files(published, out)
    except ReportkitError as error:
        click.echo(f"synth: {error}", err=True)
        sys.exit(error.exit_status)
    for path in paths:
        click.echo(path)
    for difference in made.exceptions:
        click.echo(f"published values that contradict others: {difference}", err=True)
    sys.exit(1 if made.exceptions else 0)


if __name__ == "__main__":
    main()
