"""An office's own words for a ledger: files, headings, values, numbering, days without a year."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from reportkit.yamlfile import Strict


def _texts(value: Any) -> Any:
    """YAML's empty values as empty texts: `未答复:` is read as nothing."""
    return (
        {k: "" if v is None else v for k, v in value.items()} if isinstance(value, dict) else value
    )


Texts = Annotated[dict[str, str], BeforeValidator(_texts)]


class KeyPrefix(Strict):
    """Prefix that makes numbers unique which begin anew each year.

    Parameters
    ----------
    prefix : str
        A heading or column whose value goes before the number, or ``year``: that of the day the
        record begins with (收到日期, 决定日期 …).
    """

    prefix: str


class ShortDays(Strict):
    """Days that are written without a year, such as 3.15.

    Parameters
    ----------
    year : int
        The year that they are of.
    """

    year: int = Field(ge=1949, le=2099)


class LedgerMapping(Strict):
    """Mapping of an office's own words to a ledger.

    Parameters
    ----------
    base : str, optional
        A mapping that the package carries; what is given here is added to it and goes before it.
    files : list of str
        Names of files besides those that begin with the ledger's, with ``*`` and ``?``. Of several
        mappings the first whose files name a file reads it, else the first that names none.
    columns : mapping of str to str
        The office's heading, and the column that it means.
    values : mapping of str to mapping
        Column, the office's value, and the one that it means; nothing for an empty cell.
    fixed : mapping of str to str
        Column, and the value that all records have: the office's files do not have the column, or
        it is not read. Not for the key, and not for persons.
    keep : list of str
        Further headings, for facts and the notebook; they are declared to hold no person.
    key : KeyPrefix, optional
        What goes before a number that begins anew each year.
    dates : ShortDays, optional
        The year of days that are written without one.
    """

    base: str | None = None
    files: list[str] = Field(default_factory=list)
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, Texts] = Field(default_factory=dict)
    fixed: Texts = Field(default_factory=dict)
    keep: list[str] = Field(default_factory=list)
    key: KeyPrefix | None = None
    dates: ShortDays | None = None

    def upon(self, base: LedgerMapping) -> LedgerMapping:
        """Both in one, this one going before *base*."""
        return LedgerMapping(
            files=[*base.files, *self.files],
            columns=base.columns | self.columns,
            values={
                name: base.values.get(name, {}) | self.values.get(name, {})
                for name in {**base.values, **self.values}
            },
            fixed=base.fixed | self.fixed,
            keep=list(dict.fromkeys([*base.keep, *self.keep])),
            key=self.key or base.key,
            dates=self.dates or base.dates,
        )


# One mapping or several, each inline or by the name of one that the package carries.
LedgerMappings = Annotated[
    list[str | LedgerMapping],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
]
