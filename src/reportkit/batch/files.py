"""Files that a batch leaves: batch.json, state.json, metrics, seals, the catalogue, batch.html."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.batch.metrics import metrics
from reportkit.catalogue.state import NAME as STATE
from reportkit.catalogue.state import StateOfAll, as_json
from reportkit.catalogue.store import opened
from reportkit.errors import InputError, refused_by_system
from reportkit.export.files import write_whole
from reportkit.language import Message

if TYPE_CHECKING:
    from reportkit.batch.loop import Done
    from reportkit.params import Project


def write_files(
    project: Project,
    document: dict[str, Any],
    state: StateOfAll,
    done: Done,
    *,
    metrics_file: Path | None,
) -> str:
    """Write what a batch leaves, each file whole; return what could not be written, or "".

    Parameters
    ----------
    project : Project
    document : dict
        ``batch.json``.
    state : StateOfAll
        All reports after the batch.
    done : Done
    metrics_file : Path, optional
        Of ``--metrics``.
    """
    name, out = document["batch"], project.out
    reports = [report for report in document["reports"] if report["state"] != "unchanged"]
    try:
        _write_json(out / "batches" / f"{name}.json", document | {"reports": reports}, indent=1)
        _write_json(out / "batch.json", document, indent=1)
        _write_json(out / STATE, as_json(state))
        if metrics_file:
            _write(metrics_file, metrics(document, state))
        # Imported here: the reports need the memory that these take.
        from reportkit.catalogue.site import NAME as SITE
        from reportkit.catalogue.site import write_site

        if any(result.state == "made" for result in done.results):
            from reportkit.proof.chain import seal_batch
            from reportkit.proof.signing.settings import signer_from

            runs = [Path(result.run) for result in done.results if result.run]
            seal_batch(out, runs, name=name, signer=signer_from(os.environ))
        # The pages come last, as they can be made again at any time.
        with opened(out) as store:
            site = write_site(project, store, out / SITE, state=state, batch=document)
        _write(out / "batch.html", site.front_page(out))
    except OSError as error:
        return unwritten(error, out)
    except InputError as error:
        return error.message
    return ""


def unwritten(error: OSError, path: Path) -> Message:
    """Return which file cannot be written, and why; *path* where the system names none."""
    out = error.filename or path
    return Message("{out} cannot be written: {why}", out=out, why=refused_by_system(error))


def _write_json(path: Path, document: Any, indent: int | None = None) -> None:
    _write(path, json.dumps(document, ensure_ascii=False, indent=indent) + "\n")


def _write(path: Path, content: str) -> None:
    # Names of files can hold bytes that are no character.
    write_whole(path, content.encode(errors="backslashreplace"))
