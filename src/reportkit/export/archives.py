"""Office files without the times that are written into them, so that they are equal each time."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

_SAVED = re.compile(rb"(?<=>)\d{4}-\d\d-\d\dT[\d:.]+Z")


def without_times(made: bytes, day: date = date(2000, 1, 1)) -> bytes:
    """Return a .docx or .xlsx with *day* in place of the times at which it was saved."""
    fixed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made)) as old,
        zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _SAVED.sub(f"{day}T00:00:00Z".encode(), content)
            new.writestr(zipfile.ZipInfo(entry.filename), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
