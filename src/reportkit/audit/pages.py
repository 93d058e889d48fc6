"""Pages of audited documents as files: one, or a folder of them with an index."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from reportkit.audit.overview import ALIKE
from reportkit.audit.page import fill, page
from reportkit.errors import InputError
from reportkit.export.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.audit.overview import Audited, AuditOverview
    from reportkit.forms import Form

_INDEX = "index.html"


def write_pages(
    to: Path, documents: Sequence[Audited], form: Form, together: AuditOverview | None
) -> list[Path]:
    """Write the page of each document that was read.

    Parameters
    ----------
    to : Path
        A file that ends in ``.html``, for one document; else a folder, in which each page has its
        document's whole name: ``2023.pdf.html``.
    documents : sequence of Audited
    form : Form
    together : AuditOverview or None
        Where there are several, the index shows it.

    Returns
    -------
    list of Path
        The file of one document; of several the index.

    Raises
    ------
    InputError
        ``audit-page``: a page would stand among the documents, or several in one file.
    """
    single = to.suffix.lower() in (".html", ".htm")
    if single and together is not None:
        raise InputError(
            "audit-page",
            "{path} is one page, and there are {count} documents; give a folder",
            path=to,
            count=len(documents),
        )
    inside = to.parent if single else to
    for one in documents:
        there = one.path.resolve()
        if (there if single else there.parent) == to.resolve():
            raise InputError(
                "audit-page",
                "pages among the documents would be read as documents; give another place "
                "than {path}",
                path=to,
            )
    if single:
        return [_write(to, page(one.report, one.flaws, form)) for one in documents if one.report]
    names = _names(documents)
    for one in documents:
        if one.report:
            index = _INDEX if together else ""
            _write(inside / names[one.path], page(one.report, one.flaws, form, index=index))
    if together is None:
        return [inside / names[one.path] for one in documents]
    links = {path: quote(name) for path, name in names.items()}
    fields = {"together": together, "links": links, "form": form, "alike": ALIKE}
    return [_write(inside / _INDEX, fill("folder.html.j2", **fields))]


def _names(documents: Sequence[Audited]) -> dict[Path, str]:
    """File names of pages; documents of one name stand in several folders."""
    names: dict[Path, str] = {}
    for one in documents:
        name, number = f"{one.path.name}.html", 1
        while name in names.values():
            number += 1
            name = f"{one.path.name}.{number}.html"
        names[one.path] = name
    return names


def _write(path: Path, text: str) -> Path:
    write_whole(path, text.encode())
    return path
