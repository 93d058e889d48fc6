"""audit.html: the report for auditors, where every number opens its definition and records."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from reportkit.export.dataset import FILES
from reportkit.export.document import Document, DocumentExporter
from reportkit.export.pages import asset, compile_templates, policy_source, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.export.blocks import Block

_BESIDE = [
    *(file for file in FILES if file[0] != "audit.html"),
    ("checks.json", "application/json", "核对", "全部核对，供程序使用"),
    ("MANIFEST.json", "application/json", "清单", "输入、环境和本次运行各文件的摘要"),
    ("SHA256SUMS", "text/plain", "摘要", "各文件的SHA-256，可用sha256sum核对"),
]
_SEVERITIES = ("error", "warning", "info")
_SCOPES = {"district": "汇总", "office": "本机关"}


class AuditHTML(DocumentExporter):
    """Auditors' page of an executed report notebook (``--to reportkit-audit``)."""

    export_from_notebook = "Report for auditors (HTML)"
    output_mimetype = "text/html"
    extension = ".html"

    @classmethod
    def prepare(cls) -> None:
        """Compile the templates."""
        compile_templates()

    def make(self, document: Document) -> str:
        """Return the page."""
        script = asset("audit.js")
        checks = sorted(document.checks, key=_order)
        failing = [check for check in checks if not check["holds"]]
        return render(
            "audit.html.j2",
            document=document,
            parameters=list(_parameters(document)),
            facts=_with_findings(document, failing),
            checks=checks,
            failing=failing,
            groups=[list(group) for _, group in groupby(failing, _kind)],
            rules=document.rules,
            script=script,
            digest=policy_source(script),
            style=asset("base.css", "audit.css"),
            files=[("report.html", "text/html", "报告", "给读者的网页"), *_BESIDE],
        )


def _parameters(document: Document) -> Iterator[tuple[str, str, str]]:
    """Label, value and, beside a name, the id of each parameter of the run."""
    given = document.seal["parameters"]
    if "district" in given:
        name = document.seal.get("context", {}).get("district", {}).get("name")
        yield "地区", name or given["district"], given["district"] if name else ""
    if "year" in given:
        yield "年度", given["year"], ""
    if "form" in given:
        yield "报告种类", given["form"], ""
    if "scope" in given:
        yield "口径", _SCOPES.get(given["scope"], given["scope"]), ""


def _order(check: Block) -> tuple[bool, bool, int]:
    """Open errors, warnings and infos, then accepted findings, then checks that hold."""
    waived = check.get("waived") is not None
    return check["holds"], waived, _SEVERITIES.index(check["severity"])


def _kind(check: Block) -> tuple[str, ...]:
    """Return the key by which findings of one rule, with one answer to all, are grouped."""
    return check["id"], check["title"], check["severity"], str(check.get("waived"))


def _with_findings(document: Document, failing: list[Block]) -> dict[str, Any]:
    """Return the facts, each with its figure of last year and if a finding touches it."""
    touched: dict[str, str] = {}
    for check in reversed(failing):  # an open finding outweighs one that was accepted
        touched |= dict.fromkeys(check["facts"], "waived" if check.get("waived") else "failing")
    past = document.seal.get("past", {})
    return {
        name: fact
        | _by_members(fact, document)
        | {
            "past": past.get(name),
            "touched": touched.get(name),
            "counted": document.counted.get(name),
        }
        for name, fact in document.facts.items()
    }


def _by_members(fact: Block, document: Document) -> Block:
    """Return how many members' figures a sum adds; the evidence says which members they are."""
    of_members = [part for part in fact["sum_of"] if part not in document.facts]
    return {"sum_of": [], "members": len(of_members)} if of_members else {}
