"""A report as a schema.org Dataset, for search engines and catalogues of open data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import prose_text

if TYPE_CHECKING:
    from reportkit.export.document import Document

# Files of a run that readers download, an entry each: file, media type, name, purpose.
FILES = (
    ("report.pdf", "application/pdf", "PDF", "正式文本，可打印、可归档"),
    (
        "report.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "Word", "可编辑的文本",
    ),
    (
        "tables.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Excel", "法定表格和全部数据",
    ),
    ("facts.json", "application/json", "JSON", "全部数据、定义和来历，供程序使用"),
    ("report.ipynb", "application/x-ipynb+json", "笔记本", "计算过程"),
    ("audit.html", "text/html", "审计页", "每个数字的定义、筛选条件和来源行"),
)  # fmt: skip


def dataset(document: Document, about: str) -> dict[str, Any]:
    """Return the description of a report's data as JSON-LD.

    Parameters
    ----------
    document : Document
    about : str
        The report in a sentence.

    Source: https://schema.org/Dataset.
    """
    head, seal = document.head, document.seal
    district = seal.get("context", {}).get("district", {})
    issuer = {"@type": "GovernmentOrganization", "name": head["issuer"]}
    place = {"@type": "AdministrativeArea", "name": district.get("name") or head["district"]}
    if code := district.get("code"):
        place["identifier"] = code
    made = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": head["title"],
        "description": f"{about}。含法定表格和正文的全部数据，每项都有定义和来历。",
        "identifier": head["document_number"]
        or f"{head['district']}-{head.get('report', head['year'])}",
        "version": seal["seal"],
        "inLanguage": "zh-CN",
        "isAccessibleForFree": True,
        "creator": issuer,
        "publisher": issuer,
        "temporalCoverage": f"{head['year']}-01-01/{head['year']}-12-31",
        "spatialCoverage": place,
        "measurementTechnique": "由台账逐条计算，未由台账计算的另注明申报来源",
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "name": headline["title"],
                "unitText": headline["unit"],
                "value": headline["years"][0]["value"],
            }
            for headline in seal.get("headlines", [])
            if headline["years"][0]["value"] is not None
        ],
        "distribution": [
            {"@type": "DataDownload", "name": name, "encodingFormat": kind, "contentUrl": file}
            for file, kind, name, _ in FILES
        ],
    }
    if head["dated"]:
        made["datePublished"] = head["dated"]
    if document.corrected:
        made["dateModified"] = document.corrected[-1]
        made["correction"] = prose_text(seal["corrections"]["body"])
    if head["draft"]:
        made["creativeWorkStatus"] = "Draft"
    return made
