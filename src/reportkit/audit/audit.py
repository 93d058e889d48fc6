"""The audit of one document, from file to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.audit.findings import findings_of
from reportkit.audit.heading import read_heading, read_sections
from reportkit.audit.published import Flaw, Published
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


def audit(
    path: Path, form: Form, *, previous: Published | None = None
) -> tuple[Published, list[Flaw]]:
    """Read a published report and look for what does not hold in it.

    Parameters
    ----------
    path : Path
    form : Form
    previous : Published, optional
        Last year's report of the same body.
    """
    report = read_published(path, form)
    return report, findings_of(report, form, previous=previous)
