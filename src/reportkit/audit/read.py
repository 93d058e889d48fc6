"""A published report, from its file to cells and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.audit.heading import read_heading, read_sections
from reportkit.audit.published import Published
from reportkit.audit.readers.reading import read_lines
from reportkit.audit.tables import read_tables

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.forms import Form


def read_published(path: Path, form: Form) -> Published:
    """Read a published report.

    Parameters
    ----------
    path : Path
    form : Form
        The one that it is a report by.

    Raises
    ------
    InputError
        The document cannot be read; see `reading.read_lines`.
    """
    lines = read_lines(path)
    heading = read_heading(lines, form, path.name)
    editions = form.editions
    covered = [one for one in editions if heading.year and one.covers(heading.year)]
    edition = (covered or editions)[-1]
    tables = read_tables(lines, form, edition)
    return Published(path, heading, edition, tables, read_sections(lines, form))
