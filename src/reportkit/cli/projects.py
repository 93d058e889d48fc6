"""Commands for people who begin: a project of one's own, and empty ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reportkit.cli.command import FOLDER, Result, command

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = ("department", "county", "city", "province")


@command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--district", required=True, help="Id: lower case letters and digits, such as huli.")
@click.option("--name", required=True, help="Chinese name, such as 湖里区.")
@click.option("--year", type=int, required=True, help="Report year.")
@click.option("--level", type=click.Choice(LEVELS), default="county", help="Sets the deadline.")
@click.option("--issuer", help="Full name of the issuing organ; default: the name.")
def init(
    folder: Path, *, district: str, name: str, year: int, level: Any, issuer: str | None
) -> Result:
    """A project for your own district: parameters, text, notebooks, empty ledgers.

    In a project that is there it adds a further district. Nothing is ever replaced.
    """
    from reportkit.starting import begin

    begun = begin(folder, district, year, name=name, level=level, issuer=issuer)
    begun.write()
    ledgers = folder / "data" / district
    following = [f"reportkit {one} {district} {year}" for one in ("intake", "run")]
    lines = [f"  {path}" for path in begun.files]
    lines = [f"{len(lines)} files made:", *lines, f"fill in the ledgers in {ledgers}"]
    lines.append(f"then, in {folder}: {', '.join(following)}")
    document = {
        "district": district,
        "year": year,
        "files": [str(path) for path in begun.files],
        "kept": [str(path) for path in begun.kept],
        "next": following,
    }
    return 0, document, "\n".join(lines)


@command(out=".")
@click.argument("ledgers", nargs=-1, metavar="[LEDGER]...")
@click.option("--year", type=int, help="Labels of this report year's form; default: the newest.")
def template(ledgers: tuple[str, ...], *, year: int | None, out: Path) -> Result:
    """Empty ledgers as workbooks, with notes and drop-down lists.

    LEDGER is a key (applications) or a Chinese name (依申请公开台账); default: all nine.
    """
    from reportkit.starting import write_blank_ledgers

    paths = write_blank_ledgers(ledgers, out, year=year)
    return 0, {"files": [str(path) for path in paths]}, "\n".join(map(str, paths))
