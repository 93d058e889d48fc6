"""Second way to read a raw cell: SQL made from the table of normal forms.

The table (``ledgers/cells.yaml``) is shared; what is made of it here is not shared with
``ledgers/values.py``. Cells come as the table ``cells`` of DuckDB: their number ``n``, the text
``c`` without what is trimmed, and ``w``, the year that day numbers count from, the factor of an
amount, or the list of words of a category; ``year`` is that of days written without one. A cell
that cannot be read is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.ledgers.normal import pairs, table

if TYPE_CHECKING:
    from collections.abc import Iterable

_SMALL = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(values: Iterable[str]) -> str:
    return f"({', '.join(map(_text, values))})"


def _translate(cell: str, name: str) -> str:
    return f"translate({cell}, {', '.join(map(_text, pairs(name)))})"


def macros() -> str:
    """Statements that make the macros ``folded`` and ``loose``."""
    # To look for a character takes a hundredth of what it takes to translate them all.
    folded = (
        f"CASE WHEN regexp_matches(cell, {_text('[' + pairs('fold')[0] + ']')}) "
        f"THEN {_translate('cell', 'fold')} ELSE cell END"
    )
    plain = f"translate({_translate('folded(cell)', 'loose')}, {', '.join(map(_text, _SMALL))})"
    loose = rf"regexp_replace({plain}, '[^\p{{L}}\p{{N}}]+', '', 'g')"
    return f"CREATE MACRO folded(cell) AS {folded}; CREATE MACRO loose(cell) AS {loose};"


def typed(kind: str) -> str:
    """The query for the values of all cells of one type, in their order.

    Each step is a query over the one before it, since an expression that repeats another one ten
    times would be worked out ten times.
    """
    nothing = _list(table()["nothing"])
    query = "SELECT *, folded(c) AS folded FROM cells"
    filled = f"CASE WHEN folded NOT IN {nothing} THEN folded END AS f"
    for step in (filled, *_STEPS[kind]()):
        query = f"SELECT *, {step} FROM ({query})"  # noqa: S608 - our own table
    return f"SELECT value FROM ({query}) ORDER BY n"  # noqa: S608 - our own table


def _date() -> list[str]:
    date = table()["date"]
    names = "['y', 'm', 'd', 'hour', 'minute', 'off']"
    patterns = [_text(f"^{form['day']}(?:{form['gap']}{date['time']})?$") for form in date["forms"]]
    whens = " ".join(
        f"WHEN regexp_matches(f, {pattern}) THEN regexp_extract(f, {pattern}, {names})"
        for pattern in patterns
    )
    short = " ".join(
        f"WHEN regexp_matches(f, {pattern}) THEN regexp_extract(f, {pattern}, ['m', 'd'])"
        for pattern in (_text(f"^{form}$") for form in date["short"])
    )
    serial = date["serial"]
    epochs = " ".join(
        f"WHEN {year} THEN DATE {_text(day)}" for year, day in serial["epochs"].items()
    )
    china = f"timezone({_text(date['zone'])}, timezone('UTC', day + to_minutes(passed)))"
    return [
        f"CASE {whens} END AS p, CASE {short} END AS s",
        # A year 0 is none.
        "CASE WHEN p.y <> '0000' THEN "
        "try_cast(p.y || '-' || p.m || '-' || p.d AS DATE) END AS day, "
        "CASE WHEN p.off <> '' THEN regexp_extract(p.off, '([-+]?)([0-9]*):?([0-9]*)$', "
        "['sign', 'h', 'm']) END AS o",
        "60 * try_cast(p.hour AS BIGINT) + try_cast(p.minute AS BIGINT) - "
        "CASE o.sign WHEN '-' THEN -1 ELSE 1 END * (60 * coalesce(try_cast(o.h AS BIGINT), 0) "
        "+ coalesce(try_cast(o.m AS BIGINT), 0)) AS passed",
        f"CASE WHEN o IS NOT NULL THEN CAST({china} AS DATE) WHEN p IS NOT NULL THEN day "
        f"WHEN regexp_matches(f, {_text('^' + serial['form'] + '$')}) "
        f"THEN (CASE w {epochs} END) + try_cast(left(f, 5) AS INTEGER) "
        "ELSE try_cast(year || '-' || s.m || '-' || s.d AS DATE) END AS value",
    ]


def _parts(number: str) -> str:
    """Sign, digits before the point and digits after it, without zeros that say nothing."""
    split = "^[+]?(-?)0*([0-9]*)(?:[.]([0-9]*?)0*)?$"
    return f"regexp_extract(replace({number}, ',', ''), '{split}', ['sign', 'whole', 'rest']) AS p"


def _amount() -> list[str]:
    amount = table()["amount"]
    zeros = amount["zeros"]
    places, most = int(amount["exact"]["places"]), int(amount["exact"]["whole"])
    units = "|".join(sorted(zeros, key=len, reverse=True))
    pattern = _text(f"^(?:{amount['prefix']})? *({amount['number']}) *({units})?$")
    in_zeros = " ".join(f"WHEN {_text(unit)} THEN {n}" for unit, n in zeros.items())
    return [
        f"CASE WHEN regexp_matches(f, {pattern}) THEN "
        f"regexp_extract(f, {pattern}, ['number', 'unit']) END AS a",
        _parts("a.number"),
        f"CASE a.unit {in_zeros} ELSE length(CAST(w AS VARCHAR)) - 1 END AS zeros",
        # The point is moved in the text: nothing is rounded before it is multiplied.
        f"p.whole || rpad(p.rest, CAST({places} + zeros AS INTEGER), '0') AS digits",
        f"CASE WHEN a IS NOT NULL AND length(p.whole) + zeros <= {most} "
        f"AND length(p.rest) <= {places} + zeros THEN try_cast(p.sign || '0' || "
        f"left(digits, length(digits) - {places}) || '.' || right(digits, {places}) "
        f"AS DECIMAL({most + places}, {places})) END AS value",
    ]


def _integer() -> list[str]:
    beyond = 2 ** (int(table()["integer"]["bits"]) - 1)
    number = _text(f"^{table()['amount']['number']}$")
    return [
        _parts("f"),
        f"CASE WHEN regexp_matches(f, {number}) AND p.rest = '' AND p.whole <> '{beyond}' "
        "THEN try_cast(p.sign || '0' || p.whole AS BIGINT) END AS value",
    ]


def _flag() -> list[str]:
    true, false = (_list(table()["flag"][name]) for name in ("true", "false"))
    return [
        "CASE WHEN f IS NOT NULL THEN loose(c) END AS l",
        f"CASE WHEN l IN {true} THEN true WHEN l IN {false} THEN false END AS value",
    ]


def _category() -> list[str]:
    word = "(SELECT ANY_VALUE(words.value) FROM words WHERE list = w AND words.loose = l)"
    return [
        "CASE WHEN f IS NOT NULL THEN loose(c) END AS l",
        f"CASE WHEN f IS NULL THEN other ELSE coalesce({word}, CASE WHEN open THEN c ELSE other "
        "END) END AS value",
    ]


_STEPS = {
    "date": _date,
    "amount": _amount,
    "integer": _integer,
    "flag": _flag,
    "category": _category,
}
