"""``ro-crate-metadata.json``: what a run is, for programs that know RO-Crate.

Source: RO-Crate 1.1; Process Run Crate 0.5 (built on 1.1, and the newest that validators know).
It is a description; that nothing was changed is what the manifest and its signature show.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reportkit.export.files import digest
from reportkit.proof.manifest import entries, media_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportkit.forms.model import FormModel

_CRATE = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXTS = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_TITLES = {
    "report.html": "报告（网页）",
    "audit.html": "审计页：每个数的定义、条件与依据行",
    "report.pdf": "报告（PDF）",
    "report.docx": "报告（Word）",
    "tables.xlsx": "统计表",
    "report.ipynb": "执行后的笔记本",
    "facts.json": "全部数字",
    "checks.json": "核对结果",
    "run.log": "运行日志",
}


def crate_bytes(folder: Path, record: Mapping[str, Any], form: FormModel) -> bytes:
    """The metadata of a run's folder; the same bytes for the same run.

    Parameters
    ----------
    folder : Path
        The run, its documents written.
    record : mapping
        As in the manifest.
    form : FormModel
        What its form is called, and what it is published under.
    """
    names = [name for name, kind in entries(folder) if kind == "file"]
    top = [name for name in names if "/" not in name and name != "ro-crate-metadata.json"]
    parts = [
        _entity(
            name,
            "File",
            name=_TITLES.get(name, name),
            encodingFormat=media_type(name),
            contentSize=str((folder / name).stat().st_size),
            sha256=digest(folder / name),
        )
        for name in top
    ]
    if len(top) < len(names):
        parts.append(_entity("evidence/", "Dataset", name="每个数的依据行，及各台账的行号对照"))
    inputs = [
        _entity(
            f"#input-{number}",
            "CreativeWork",
            name=item["name"],
            identifier=f"sha256:{item['sha256']}",
        )
        for number, item in enumerate(record["inputs"], 1)
    ]
    form_asked = record["parameters"].get("form")
    by = f" --form {form_asked}" if form_asked else ""
    title = f"{record['name']}{record['year']}年{form.title}"
    version = record["environment"]["packages"]["reportkit-zwgk"]
    graph = [
        _entity(
            "ro-crate-metadata.json",
            "CreativeWork",
            about={"@id": "./"},
            conformsTo={"@id": _CRATE},
        ),
        _entity(
            "./",
            "Dataset",
            conformsTo={"@id": _PROFILE},
            name=title,
            description=f"{title}，及其依据、核对与运行记录（{record['run']}）",
            datePublished=record["ended"],
            license={"@id": "#terms"},
            hasPart=_ids(parts),
            mentions={"@id": "#run"},
        ),
        _entity(_PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
        _entity("#terms", "CreativeWork", name="政府信息", description=f"依照《{form.law}》公开。"),
        _entity(
            "#run",
            "CreateAction",
            name=f"run {record['run']}",
            description=f"reportkit run {record['district']} {record['year']}{by}",
            startTime=record["started"],
            endTime=record["ended"],
            actionStatus="http://schema.org/CompletedActionStatus",
            instrument={"@id": "#reportkit"},
            agent={"@id": "#office"},
            object=_ids(inputs),
            result=_ids(parts),
        ),
        _entity(
            "#reportkit",
            "SoftwareApplication",
            name="reportkit",
            version=version,
            softwareVersion=version,
            identifier=f"sha256:{record['code_sha256']}",
        ),
        _entity("#office", "Organization", name=record["name"]),
        *parts,
        *inputs,
    ]
    document = {
        "@context": _CONTEXTS,
        "@graph": sorted(graph, key=lambda entity: str(entity["@id"])),
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _entity(name: str, kind: str, /, **properties: Any) -> dict[str, Any]:
    return {"@id": name, "@type": kind, **properties}


def _ids(entities: list[dict[str, Any]]) -> Any:
    # A list of one element is not what a validator expects.
    ids = [{"@id": entity["@id"]} for entity in entities]
    return ids[0] if len(ids) == 1 else ids
