"""Sources of a ledger's records: a file, or a table or SELECT of a database."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.yamlfile import Strict

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
# Texts, quoted names and comments: what stands in them is no SQL.
_NO_SQL = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL
)


def _unshown(message: str) -> PydanticCustomError:
    """An error whose input is not repeated: it may hold a password."""
    # As a value, since pydantic would fill in {braces} of the text.
    return PydanticCustomError("unshown", "{message}", {"message": message})


def _check_url(value: Any) -> Any:
    """The URL of a database that is read here, without a password, with the driver named."""
    scheme, _, rest = str(value).partition("://")
    kind = scheme.partition("+")[0]
    try:
        urlsplit(str(value)).port  # noqa: B018  # raises when it is no number
        keys = [key.lower() for key, _ in parse_qsl(rest.partition("?")[2])]
    except ValueError:
        raise _unshown(
            Message("is no URL such as postgresql+psycopg://reader@host/database")
        ) from None
    if ":" in rest.rpartition("@")[0] or any("pass" in key or key == "pwd" for key in keys):
        message = Message(
            "holds a password; take it out, change it, put the new one into an environment "
            "variable and name that: password_env: OA_PASSWORD"
        )
        raise _unshown(message)
    if not rest or scheme not in (kind, _DRIVERS.get(kind)) or kind not in _DRIVERS:
        message = Message(
            "is none of the databases that are read: {drivers}",
            drivers=joined(COMMA, _DRIVERS.values()),
        )
        raise _unshown(message)
    return _DRIVERS[kind] + "://" + rest


def _check_select(value: Any) -> Any:
    text = str(value).strip().removesuffix(";").rstrip()
    bare = _NO_SQL.sub(" ", text).strip()
    if ";" in bare:
        raise _unshown(Message("must be one statement; take out everything after the first ';'"))
    depth = 0
    for mark in re.findall(r"[()]", bare):
        depth += 1 if mark == "(" else -1
        if depth < 0:
            break
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE) or depth:
        raise _unshown("must be a SELECT (or WITH … SELECT) whose brackets close")
    return text


def _check_variable(value: Any) -> Any:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(value)):
        raise _unshown(Message("must be the name of an environment variable, such as OA_PASSWORD"))
    return value


class DatabaseSource(Strict):
    """A table or one SELECT of a database; the password is never part of it.

    Parameters
    ----------
    url : str
        ``postgresql+psycopg://reader@db.example/oa``; mysql, mariadb, sqlite and duckdb as well.
    table, select : str, optional
        One of the two: a table or view, or a SELECT.
    password_env : str, optional
        Environment variable that holds the password.
    """

    url: Annotated[str, BeforeValidator(_check_url)]
    table: str | None = None
    select: Annotated[str, BeforeValidator(_check_select)] | None = None
    password_env: Annotated[str, BeforeValidator(_check_variable)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> DatabaseSource:
        if (self.table is None) == (self.select is None):
            raise _unshown(
                Message("needs either a table or a select")
                + (Message(", not both") * bool(self.table))
            )
        return self

    @property
    def kind(self) -> str:
        """``postgresql``, ``mysql``, ``mariadb``, ``sqlite`` or ``duckdb``."""
        return re.split(r"[+:]", self.url, maxsplit=1)[0]

    @property
    def file(self) -> str | None:
        """Path of the file that an embedded database is in."""
        if self.kind not in ("sqlite", "duckdb"):
            return None
        return self.url.partition("://")[2].partition("?")[0].removeprefix("/")

    @property
    def shown(self) -> str:
        """Name for people: no user, no option, of a file outside the data folder its name only.

        A SELECT is shown by the beginning of its digest; its text is in the district file.
        """
        parts = urlsplit(self.url)
        place = parts.netloc.rpartition("@")[2] + parts.path
        if self.file is not None:
            place = "/" + (self.file.rpartition("/")[2] if self.file[:1] == "/" else self.file)
        what = self.table or f"select-{hashlib.sha256(str(self.select).encode()).hexdigest()[:8]}"
        return f"{self.kind}://{place}#{what}"


def _form(value: Any) -> str:
    return "database" if isinstance(value, (dict, DatabaseSource)) else "path"


LedgerSource = Annotated[
    Annotated[str, Tag("path")] | Annotated[DatabaseSource, Tag("database")], Discriminator(_form)
]
# One source or several: a ledger's older years may be files while the newer ones are in a database.
LedgerSources = Annotated[
    list[LedgerSource], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]
