"""Narrative facts as data: ``params/facts/*.yaml``, refused with the line that is wrong."""

from __future__ import annotations

import difflib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PrivateAttr

from reportkit.errors import InputError
from reportkit.forms import form_names, project_form
from reportkit.forms.conditions import Definition, parse_where
from reportkit.language import Message, joined
from reportkit.language.message import COMMA, OR
from reportkit.ledgers import schemas
from reportkit.ledgers.mapping_check import kept_columns
from reportkit.ledgers.schema import Column
from reportkit.params import FactId
from reportkit.yamlfile import Key, Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reportkit.forms import Form
    from reportkit.forms.conditions import Condition
    from reportkit.ledgers.schema import DerivedColumn

_Measure = Literal["sum", "distinct", "first", "last", "median", "max"]
_KINDS = ("ledger", "sum_of", "share_of", "change_of")
MEASURED = {
    **dict.fromkeys(("sum", "median", "max"), ("integer", "amount")),
    **dict.fromkeys(("first", "last"), ("date",)),
}


class FactSpec(Strict):
    """One narrative fact: counted from a ledger, or computed from other facts.

    Parameters
    ----------
    id : str
        What the text asks for: lower case words joined by dots.
    label : str
        What it is, in Chinese.
    unit : str, optional
        件, 项, 日期 …
    ledger : str, optional
        Key of the ledger to count in.
    where : mapping, optional
        Conditions that all must hold.
    minus : mapping, optional
        Further conditions: what they give is subtracted (a yearly increase or decrease).
    measure : mapping, optional
        ``{sum: column}``, or ``distinct``, ``first``, ``last`` (the earliest and the latest day),
        ``median``, ``max``; the number of rows when left out.
    sum_of : list of str, optional
        Instead of a ledger: facts to add up.
    share_of, part : str, optional
        Instead of a ledger: *part* as a percentage of *share_of*, the base.
    change_of : str, optional
        Instead of a ledger: the fact whose change against last year this is; a percentage, or with
        a unit other than % the difference.
    decimals : int, optional
        Places of a percentage, rounded half up (四舍五入).
    if_zero : str, optional
        What a share or change says in words when its base is zero.
    """

    id: FactId
    label: str
    unit: str = ""
    ledger: str | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    minus: dict[str, Any] | None = None
    measure: Literal["count"] | dict[_Measure, str] = "count"
    sum_of: list[FactId] | None = None
    share_of: FactId | None = None
    part: FactId | None = None
    change_of: FactId | None = None
    decimals: int = Field(default=1, ge=0, le=6)
    if_zero: str | None = None
    _place: str = PrivateAttr("")

    @property
    def place(self) -> str:
        """File and line, to begin an error with."""
        return self._place

    def definition(self, year: int) -> Definition:
        """The definition of a fact counted from a ledger, for one report year."""
        kind, column = ("count", None)
        if isinstance(self.measure, dict):
            kind, column = next(iter(self.measure.items()))
        return Definition(
            ledger=str(self.ledger),
            where=parse_where(self.where, year),
            minus=None if self.minus is None else parse_where(self.minus, year),
            measure=kind,  # type: ignore[arg-type]  # the model allows these words only
            column=column,
        )


class _FactFile(Strict):
    facts: list[FactSpec]


def read_specs(form: Form, folder: Path) -> dict[str, FactSpec]:
    """All narrative facts by id: those of the form, and those of the YAML files of a folder.

    A project's own definition goes before the form's.

    Raises
    ------
    InputError
        ``parameters``: every problem with file, line and the nearest known key, column or value.
    """
    statutory = {name for edition in form.editions for name in edition.tables}
    specs: dict[str, FactSpec] = {}
    problems: list[str] = []
    shared = [form.parts["facts"]] if "facts" in form.parts else []
    own: set[str] = set()
    for file in (*shared, *map(read_yaml, sorted(folder.glob("*.yaml")))):
        for number, spec in enumerate(file.validate(_FactFile).facts):
            if file not in shared and _of_another(form, spec, folder):
                continue
            top: Key = ("facts", number)
            faults = list(_problems(form, spec, folder.parent / "districts"))
            if spec.id.partition(".")[0] in statutory:
                message = Message(
                    "'{id}' is in the namespace of the form's own cells, which are counted as the "
                    "form says; give the fact another first word",
                    id=spec.id,
                )
                faults.append((("id",), message))
            if spec.id in own:
                faults.append((("id",), Message("fact '{id}' is defined twice", id=spec.id)))
            problems += [file.problem((*top, *key), message) for key, message in faults]
            spec._place = f"{file.path}:{file.line((*top, 'id'))}"
            specs[spec.id] = spec
            own |= set() if file in shared else {spec.id}
    if problems:
        raise InputError("parameters", "{problems}", problems=joined("\n", problems))
    return specs


def _of_another(form: Form, spec: FactSpec, folder: Path) -> bool:
    """Return True where a fact counts in a ledger that only other forms of the project have."""
    if spec.ledger is None or spec.ledger in schemas(form):
        return False
    forms = folder.parent.parent / "forms"
    for name in form_names(forms):
        with suppress(InputError):  # what is wrong with another form its own reports say
            if spec.ledger in schemas(project_form(name, forms)):
                return True
    return False


def _problems(form: Form, spec: FactSpec, districts: Path) -> Iterator[tuple[Key, str]]:
    given = [kind for kind in _KINDS if getattr(spec, kind) is not None]
    if len(given) != 1:
        kinds = joined(COMMA, _KINDS)
        yield ("id",), Message("fact '{id}' needs one of {kinds}", id=spec.id, kinds=kinds)
    if (spec.part is None) != (spec.share_of is None):
        yield ("id",), Message("fact '{id}': 'part' and 'share_of' go together", id=spec.id)
    if given == ["ledger"]:
        yield from _ledger_problems(form, spec, districts)


def _ledger_problems(form: Form, spec: FactSpec, districts: Path) -> Iterator[tuple[Key, str]]:
    known = schemas(form)
    schema = known.get(str(spec.ledger))
    if schema is None:
        near = _near(spec.ledger, known)
        yield ("ledger",), Message("there is no ledger '{name}'{near}", name=spec.ledger, near=near)
        return
    # A personal column is dropped when the ledger is read, so that nothing can be counted by it.
    counted = [c for c in schema.columns if c.pseudonym or not c.personal]
    columns: dict[str, Column | DerivedColumn] = {c.name: c for c in counted}
    columns |= {c.name: c for c in schema.derived}
    measured = [*spec.measure.values()] if isinstance(spec.measure, dict) else []
    unknown = {*measured, *(spec.where or ()), *(spec.minus or ())} - columns.keys()
    # If this district keeps such a column is known when its ledger is read.
    kept = kept_columns(form, districts, str(spec.ledger)) if unknown else set()
    columns |= {name: Column(name=name, key=name) for name in kept}

    def missing(name: str) -> Message:
        near = _near(name, columns)
        return Message(
            "{ledger} has no column '{name}'{near}", ledger=schema.name, name=name, near=near
        )

    if isinstance(spec.measure, dict):
        (kind, name), *more = spec.measure.items()
        if more:
            yield ("measure",), Message("one measure at a time")
        if name not in columns:
            yield ("measure", kind), missing(name)
        elif columns[name].type not in MEASURED.get(kind, (columns[name].type,)):
            message = Message(
                "{kind} needs a column of type {wanted}; '{name}' is none",
                kind=kind,
                wanted=joined(OR, MEASURED[kind]),
                name=name,
            )
            yield ("measure", kind), message
    for group in ("where", "minus"):
        for name, test in (getattr(spec, group) or {}).items():
            key: Key = (group, name)
            if name not in columns:
                yield key, missing(name)
                continue
            try:
                (condition,) = parse_where({name: test}, 2020)
            except InputError as error:
                yield key, error.message
            else:
                yield from ((key, problem) for problem in misfits(condition, columns[name]))


def misfits(condition: Condition, column: Column | DerivedColumn) -> Iterator[str]:
    """Yield the reasons why a condition can never be true of its column."""
    dated = condition.op in ("between", "<", "<=", "empty or >=", "empty or >")
    if dated and column.type != "date":
        yield Message("'{name}' is no date, so it has no before and after", name=column.name)
    if condition.op not in ("=", "in", "not in"):
        return
    known: tuple[str, ...] = ("是", "否") if column.type == "flag" else ()
    if column.type == "category" and not getattr(column, "open", False):
        known = column.categories()  # type: ignore[union-attr]  # derived columns have none
    for value in condition.value:
        if known and value not in known:
            yield Message(
                "'{name}' is never '{value}'{near}",
                name=column.name,
                value=value,
                near=_near(value, known),
            )


def _near(name: Any, known: Iterable[str]) -> str:
    listed = list(known)
    near = difflib.get_close_matches(str(name), listed, n=2, cutoff=0.4) or listed[:12]
    return Message("; nearest: {near}", near="、".join(near))
