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
    for document in documents:
        path = document.path.resolve()
        if (path if single else path.parent) == to.resolve():
            raise InputError(
                "audit-page",
                "pages among the documents would be read as documents; give another place "
                "than {path}",
                path=to,
            )
    folder = to.parent if single else to
    names = {documents[0].path: to.name} if single else _names(documents)
    index = _INDEX if together else ""
    for document in documents:
        if document.report:
            text = page(document.report, document.flaws, form, index=index)
            write_whole(folder / names[document.path], text.encode())
    if together is None:
        return [folder / name for name in names.values()]
    links = {path: quote(name) for path, name in names.items()}
    text = fill("folder.html.j2", together=together, links=links, form=form, alike=ALIKE)
    write_whole(folder / _INDEX, text.encode())
    return [folder / _INDEX]


def _names(documents: Sequence[Audited]) -> dict[Path, str]:
    """File names of pages; documents of one name stand in several folders."""
    names: dict[Path, str] = {}
    for document in documents:
        name, number = f"{document.path.name}.html", 1
        while name in names.values():
            number += 1
            name = f"{document.path.name}.{number}.html"
        names[document.path] = name
    return names
