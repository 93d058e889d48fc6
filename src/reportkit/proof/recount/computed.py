"""Facts that rest on other facts, computed again: totals, shares, changes against last year.

How each is computed is read from its printed definition, and done in fractions of whole numbers.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from reportkit.export.files import digest
from reportkit.facts.numerals import number_of, plain
from reportkit.facts.published import load_published, read_report
from reportkit.language import Message
from reportkit.params import report_name
from reportkit.proof.plainjson import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    Fact = Mapping[str, Any]

    from reportkit.forms import Form

_FIGURE = r"“.*”(-?\d+(?:\.\d+)?)[^\d“”]*"
_LAST = r"上年(-?\d+(?:\.\d+)?)[^\d“”]*"
_ROUNDED = r"四舍五入(?:取整数|保留(\d+)位小数)"
_KINDS = {
    "share": re.compile(rf"{_FIGURE} ÷ {_FIGURE} × 100%，{_ROUNDED}；基数为“.*”.*"),
    "rate": re.compile(rf"（{_FIGURE} − {_LAST}） ÷ {_LAST} × 100%，{_ROUNDED}；基数为上年数"),
    "difference": re.compile(rf"{_FIGURE} − {_LAST}"),
    "words": re.compile(rf"{_FIGURE}，{_LAST}；(?:基数为0|有减少数)，不计算增幅"),
}
_OF_LAST_YEAR = ("rate", "difference", "words")


def check_computed(
    facts: Mapping[str, Fact], past: Mapping[str, str] | None, *, added: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Recompute the facts that rest on others; list the differences, and what could not be checked.

    Parameters
    ----------
    facts : mapping
        The facts of ``facts.json`` by id.
    past : mapping of str to str, optional
        Last year's values, from the report that the run compared with.
    added : collection of str
        Facts of a roll-up that add those of its members, which are checked elsewhere.
    """
    resting = [
        fact for name, fact in facts.items() if fact["origin"] == "sum" and name not in added
    ]
    differences = chain.from_iterable(_differences(fact, facts, past) for fact in resting)
    unchecked = chain.from_iterable(_unchecked(fact, facts, past) for fact in resting)
    return list(differences), list(unchecked)


def _differences(
    fact: Fact, facts: Mapping[str, Fact], past: Mapping[str, str] | None
) -> Iterator[str]:
    name = fact["id"]
    if missing := _missing(fact, facts):
        parts = "、".join(missing)
        yield Message("{name} rests on {missing}, which is not there", name=name, missing=parts)
        return
    kind, numbers = _kind(fact)
    if not kind:
        return
    known = {part: facts[part]["value"] for part in fact["sum_of"]}
    for part, stated in zip(fact["sum_of"], numbers, strict=False):
        if known[part] != stated:
            yield Message(
                "{id} is said to rest on {part} as {stated}, which is {known}",
                id=name,
                part=part,
                stated=stated,
                known=known[part],
            )
    value = compute(fact, known)
    if value is None and number_of(fact["value"]) is not None:
        yield Message(
            "{name} is {value}, and there is no number to give", name=name, value=fact["value"]
        )
    elif value not in (None, fact["value"]):
        parts_of = Message("its parts add up to")
        how = parts_of if kind == "total" else Message("what it is computed from gives")
        yield Message(
            "{name} is {sealed}, {how} {value}",
            name=name,
            sealed=fact["value"],
            how=how,
            value=value,
        )
    part = next(iter(known), "")
    if kind in _OF_LAST_YEAR and past is not None and past.get(part) != numbers[1]:
        yield Message(
            "{name} compares with {before}; last year {part} was {past}",
            name=name,
            before=numbers[1],
            part=part,
            past=past.get(part),
        )


def _unchecked(
    fact: Fact, facts: Mapping[str, Fact], past: Mapping[str, str] | None
) -> Iterator[str]:
    name = fact["id"]
    kind, numbers = _kind(fact)
    if _missing(fact, facts):
        return
    if not kind:
        yield Message(
            "{name} was not computed again: {definition}",
            name=name,
            definition=fact["definition"],
        )
    elif kind in _OF_LAST_YEAR and past is None:
        yield Message(
            "{name}: last year's {before} is as its definition says", name=name, before=numbers[1]
        )


def _missing(fact: Fact, facts: Mapping[str, Fact]) -> list[str]:
    return [part for part in fact["sum_of"] if part not in facts]


def _kind(fact: Fact) -> tuple[str, list[str]]:
    """Return the kind of computation behind a fact, and the numbers that its definition states."""
    parts = fact["sum_of"]
    if fact["definition"] in (" + ".join(parts), f"{len(parts)}项之和"):
        return "total", []
    if fact["definition"].startswith("〔待填〕"):
        return "total", []  # a figure that is still to be filled in; its text says so
    for kind, pattern in _KINDS.items():
        if match := pattern.fullmatch(fact["definition"]):
            return kind, [str(number) for number in match.groups()]
    return "", []


def compute(fact: Fact, known: Mapping[str, str]) -> str | None:
    """Compute a fact from the values of those it rests on; None if that is no number."""
    kind, stated = _kind(fact)
    numbers = [number_of(known.get(part, "")) for part in fact["sum_of"]]
    if not kind or None in numbers:
        return None
    values = [Fraction(number) for number in numbers if number is not None]
    if kind == "total":
        return _written(sum(values, Fraction(0)), None)
    if kind == "share":
        part, whole = values
        return _written(part * 100 / whole, stated[2]) if whole else None
    (now,), before = values, Fraction(stated[1])
    if kind == "difference":
        return _written(now - before, None)
    if kind == "rate" and now == before:
        return "0"
    if kind == "words" or before <= 0 or now < 0:
        return None
    return _written((now - before) * 100 / before, stated[3])


def _written(value: Fraction, places: str | None) -> str:
    """A fraction in digits: exactly, or with so many places, a half away from zero."""
    if places is None:
        return plain(Decimal(value.numerator) / Decimal(value.denominator))
    scale = 10 ** (int(places) if places != "None" else 0)
    # Twice the value plus one, halved: rounds a half away from zero without a float.
    whole = (abs(value) * scale * 2 + 1) // 2
    return plain(Decimal(whole if value >= 0 else -whole) / scale)


def moved_with(facts: Mapping[str, Fact], values: Mapping[str, str]) -> dict[str, str]:
    """Facts that come out otherwise when those they rest on have other values.

    Parameters
    ----------
    facts : mapping
        The facts of ``facts.json`` by id.
    values : mapping of str to str
        What facts from ledgers come to when counted again.
    """
    known = _computed_with(facts, values)
    return {
        fact["id"]: Message(
            "{value} in the run, its parts come to {known}",
            value=fact["value"],
            known=known[fact["id"]],
        )
        for fact in facts.values()
        if fact["origin"] == "sum" and known[fact["id"]] != fact["value"]
    }


def with_sums(facts: Mapping[str, Fact], values: Mapping[str, str]) -> dict[str, str]:
    """Values, and what follows from them alone: totals, shares.

    Parameters
    ----------
    facts : mapping
        The facts of ``facts.json`` by id.
    values : mapping of str to str
        What some of them come to when counted otherwise.
    """

    def follows(name: str) -> bool:
        parts = facts[name]["sum_of"]
        known_parts = bool(parts) and all(part in facts for part in parts)
        return name in values or (known_parts and all(map(follows, parts)))

    known = _computed_with(facts, values)
    return {name: known[name] for name in facts if follows(name)}


def _computed_with(facts: Mapping[str, Fact], values: Mapping[str, str]) -> dict[str, str]:
    known = {name: fact["value"] for name, fact in facts.items()} | dict(values)
    resting = [fact for fact in facts.values() if fact["origin"] == "sum"]
    for _ in resting:  # a total may add up totals
        before = dict(known)
        computed = {fact["id"]: compute(fact, known) for fact in resting}
        known |= {name: value for name, value in computed.items() if value is not None}
        if known == before:
            break
    return known


def last_year(
    form: Form, run: Path, manifest: Mapping[str, Any], params: Path
) -> dict[str, str] | None:
    """Values of last year's report that a run compared with; None where that is not here.

    Parameters
    ----------
    form : Form
        The verifier's own.
    run : Path
        Last year's runs are sought beside it.
    manifest : mapping
        Names what the run compared with, with its digest.
    params : Path
        The folder of figures that were published.
    """
    district = manifest["district"]
    before = report_name(int(manifest["year"]) - 1, manifest["parameters"].get("form"))
    for item in manifest["inputs"]:
        root, _, rest = item["name"].partition("/")
        ours = root == "out" and rest.startswith(f"{district}/{before}/")
        if ours and rest.endswith("/facts.json"):
            place = run.resolve().parent.parent.parent / before
            for path in sorted(place.glob("runs/*/facts.json")):
                if digest(path) == item["sha256"]:
                    return values_of(path)
        elif rest == f"reports/{district}/{before}.published.json":
            path = params / rest
            if path.is_file() and digest(path) == item["sha256"]:
                return published_values(form, path)
    return None


def values_of(path: Path) -> dict[str, str]:
    """The values in ``facts.json``, by fact."""
    return {fact["id"]: fact["value"] for fact in read_json(path)["facts"]}


def published_values(form: Form, path: Path) -> dict[str, str]:
    """The values that were published, by fact."""
    report = read_report(form, load_published(path))
    return {name: plain(value) for name, value in report.published.items()}
