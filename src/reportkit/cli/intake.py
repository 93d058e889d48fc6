"""The ledgers of districts: what was read of them, what is wrong, what their words may mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli.command import ERASED
from reportkit.cli.language import in_language
from reportkit.errors import HeadingError, InputError
from reportkit.language import Message, joined, template
from reportkit.language.message import COLON, SEMICOLON
from reportkit.ledgers import read_ledgers, schema_of
from reportkit.ledgers.intake import is_read
from reportkit.ledgers.normal import loose
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.records import grouped
from reportkit.ledgers.schema import heading_key
from reportkit.ledgers.suggest import as_block, suggest_columns, suggest_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reportkit.forms import Form
    from reportkit.ledgers import Ledger, Ledgers
    from reportkit.ledgers.records import Source


def check_ledgers(
    districts: Sequence[str],
    year: int | None,
    *,
    form: str | None = None,
    every: bool,
    shown: bool,
    params: Path | None,
    data: Path | None,
) -> tuple[int, dict[str, Any], list[str]]:
    """Exit status, JSON document and lines about the ledgers of districts.

    Parameters
    ----------
    districts, year
        Whose; with a year, a ledger that its form needs is missed.
    form : str, optional
        Whose ledgers; each district's usual one by default.
    every : bool
        Each problem with its place, not grouped.
    shown : bool
        Show the progress of reading on the terminal.
    params, data : Path, optional
        Folders.
    """
    document: dict[str, Any] = {
        "ledgers": [],
        "columns": [],
        "violations": [],
        "unread": [],
        "errors": [],
        "mapping": {},
    }
    lines: list[str] = []
    status = 0
    for district in districts:
        lines += [f"{district}:"] if len(districts) > 1 else []
        try:
            ledgers, problems = read_ledgers(
                district,
                year,
                form=form,
                params=params,
                data=data,
                tell=_show_rows if shown else _quiet,
            )
        except InputError as error:
            if len(districts) == 1:
                raise
            lines.append(str(error))
            document["errors"].append(_error(district, error))
            status = 2
            continue
        if shown:
            click.echo(ERASED, err=True, nl=False)
        read = [*ledgers.items(), *ledgers.refused.items()]
        lines += _account(ledgers.form, read, every=every)
        lines += [
            Message("{name}: not read, {problem}", name=name, problem=_unread_problem(name))
            for name in ledgers.unread
        ]
        lines += [_problem(problem, ledgers) for problem in problems]
        if block := _mapping(ledgers, problems):
            file = Path(params or "params") / f"districts/{district}.yaml"
            lines += [Message("to paste into {file}, each ? to be replaced:", file=file), block]
        document["mapping"][district] = block
        document["ledgers"] += [
            {"district": district, "ledger": key} | ledger.account for key, ledger in read
        ]
        document["columns"] += [
            {"district": district, "ledger": key} | _columns(ledgers.form, ledger, source)
            for key, ledger in read
            for source in ledger.sources
        ]
        document["violations"] += [vars(v) for _, ledger in read for v in ledger.violations]
        document["unread"] += ledgers.unread
        document["errors"] += [_error(district, problem) for problem in problems]
        refused = any(ledger.refused for _, ledger in read)
        status = max(status, 2 if problems else int(refused))
    return status, document, lines


def _unread_problem(name: str) -> str:
    if is_read(Path(name)):
        return Message(
            "its name begins with no ledger's that is kept here, or it is in a folder within the "
            "district's; if it is a ledger, begin its name with that one's, or name it under "
            "`files:` of the mapping"
        )
    return Message("nor is any file of its kind; if it holds records, save it as .xlsx")


def _show_rows(name: str, rows: int) -> None:
    progress = Message("{name}: {rows:,} rows", name=name, rows=rows)
    click.echo(ERASED + in_language(progress), err=True, nl=False)


def _quiet(_name: str, _rows: int) -> None:
    """Show nothing."""


def _account(form: Form, read: Iterable[tuple[str, Ledger]], *, every: bool) -> Iterator[str]:
    """Describe the rows and columns read of each ledger, and what is wrong with them."""
    for _, ledger in read:
        yield Message(
            "{name}: {read} read, {accepted} accepted, {quarantined} quarantined, "
            "{rejected} rejected, {set_aside} set aside",
            name=ledger.schema.name,
            **ledger.account,
        )
        yield from (_columns_line(form, ledger, source) for source in ledger.sources)
        messages = [v.text() for v in ledger.violations] if every else grouped(ledger.violations)
        yield from (joined("", ["  ", message]) for message in messages)


def _problem(problem: InputError, ledgers: Ledgers) -> str:
    """A problem in full, but of a ledger whose records are listed already."""
    refused = problem.fields.get("ledger") in ledgers.refused
    if not refused or problem.reason != "ledger-rejected":
        return str(problem)
    return joined("", [problem.values["rejected"], f" [{problem.reason}]"])


def _error(district: str, error: InputError) -> dict[str, Any]:
    return {"district": district, "error": error.reason, "message": error.message}


def _columns(form: Form, ledger: Ledger, source: Source) -> dict[str, Any]:
    """Which columns of a file or sheet were read, kept, dropped for persons, and not read."""
    meant = {title: ledger.schema.headings().get(heading_key(title)) for title in source.titles}
    dropped = [
        title
        for title, found in meant.items()
        if found and found[0].personal and not found[0].pseudonym
    ]
    known = {column.name for column in schema_of(form, ledger.key).columns}
    read = {name: title for name, title in source.headings.items() if title not in dropped}
    titles = {*read.values(), *dropped}
    return {
        "file": source.path,
        "sheet": source.sheet,
        "read": {name: title for name, title in read.items() if name in known},
        "kept": [title for name, title in read.items() if name not in known],
        "dropped": dropped,
        "not_read": [quoted_heading(title) for title in source.titles if title not in titles],
    }


def _columns_line(form: Form, ledger: Ledger, source: Source) -> str:
    columns = _columns(form, ledger, source)
    sheet = f" {source.sheet}" if source.sheet else ""
    read = [
        name if loose(name) == heading_key(title) else f"{name} ({title})"
        for name, title in columns["read"].items()
    ]
    parts = [
        Message(words, columns="、".join(titles))
        for words, titles in (
            (template("read {columns}"), read),
            (template("kept {columns}"), columns["kept"]),
            (template("dropped {columns}"), columns["dropped"]),
            (template("not read {columns}"), columns["not_read"]),
        )
        if titles or titles is read
    ]
    return joined(COLON, [f"  {source.path}{sheet}", joined(SEMICOLON, parts)])


def _mapping(ledgers: Ledgers, problems: Iterable[InputError]) -> str:
    """The mapping to paste, for headings and values that are unknown."""
    lines: dict[str, list[str]] = {}
    unread = [name.rpartition("/")[2] for name in ledgers.unread if is_read(Path(name))]
    for problem in problems:
        key = str(problem.fields.get("ledger"))
        if problem.reason == "ledger-missing" and unread:
            listed = "、".join(unread)
            lines[key] = [
                Message(
                    '# files: ["{file}"] # if it is this ledger; not read: {listed}',
                    file=unread[0],
                    listed=listed,
                )
            ]
        if isinstance(problem, HeadingError) and problem.headings:
            schema = ledgers.schema(key, str(problem.fields.get("file")))
            lines.setdefault(key, []).extend(suggest_columns(schema, problem.headings))
    for key, ledger in (*ledgers.items(), *ledgers.refused.items()):
        lines.setdefault(key, []).extend(suggest_values(ledger))
    return as_block(lines)
