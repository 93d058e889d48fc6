"""A published report as the JSON file of published figures that other commands read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from reportkit.export.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.audit.published import Published
    from reportkit.audit.read_table import ReadTable


def write_published(report: Published, folder: Path) -> Path:
    """Write the figures of a report into a folder; return the file."""
    stem = re.sub(r"[^0-9a-z_-]+", "-", report.path.stem.lower()).strip("-_") or "report"
    name = f"{stem.removesuffix(f'-{report.year}')}-{report.year}"
    document: dict[str, Any] = {
        "id": name,
        "title": report.heading.title,
        "issuer": report.heading.issuer or "",
        "report_year": report.year,
        "edition": report.edition.name,
        "source": {"file": report.path.name},
    }
    for read in report.tables:
        document[f"table{read.table.id.removeprefix('t')}"] = _table(read)
    path = folder / f"{name}.json"
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_whole(path, f"{text}\n".encode())
    return path


def _table(read: ReadTable) -> dict[str, Any]:
    """The cells of a table, by the keys of their rows and columns."""
    rows = read.rows
    if read.table.model.layout != "grid" or len(read.table.model.bands) > 1:
        return {"edition": read.edition.name, **rows}
    columns = list(next(iter(rows.values())))
    listed = [{"key": key, "values": list(cells.values())} for key, cells in rows.items()]
    return {"row_layout": read.edition.name, "columns": columns, "rows": listed}
