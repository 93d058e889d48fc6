"""Output of a notebook cell: one block for the exporters, and HTML and text for the analyst."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from reportkit.checks import texts_of
from reportkit.export.blocks import MIME, Block, block, packed, prose_text
from reportkit.export.typesetting import pictures
from reportkit.language.catalogue import translator
from reportkit.language.message import translated
from reportkit.ledgers.mapping import described
from reportkit.notebook.printed import aligned
from reportkit.warm.processes import is_forked_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reportkit.checks.rules import Check, Rules
    from reportkit.ledgers import Ledger, Source

_COUNTS = ("read", "accepted", "quarantined", "rejected", "set_aside")


@dataclass(frozen=True)
class Shown:
    """Something that a notebook cell displays.

    Parameters
    ----------
    block : dict
        What the exporters read.
    html, text : str
        What JupyterLab and a terminal show.
    png : str
        A picture in base64, for viewers that leave HTML out.
    """

    block: Block
    html: str
    text: str
    png: str = ""

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {MIME: packed(self.block), "text/html": self.html, "text/plain": self.text}
        return bundle | ({"image/png": self.png} if self.png else {})


def look(shown: Block) -> Shown:
    """A block with what JupyterLab and a terminal show of it, which follows from the block.

    Parameters
    ----------
    shown : dict
        A block of any kind but ``note``.
    """
    return Shown(shown, *_LOOKS[shown["kind"]](shown))


def note(about: str, html: str, text: str) -> Shown:
    """Something for whoever works in the notebook, which stands in no document."""
    return Shown(block("note", about=about), html, text)


def show_head(fields: Mapping[str, Any]) -> Shown:
    """Title, issuer, number and date of a report, with its preamble."""
    return look(block("head", **fields))


def _look_at_head(head: Block) -> tuple[str, str]:
    title = escape(head["title"])
    notes = [head["document_number"], head["dated"], head["synthetic"] and "示例数据"]
    line = escape(" · ".join(str(note) for note in notes if note))
    return f"<h1>{title}</h1><p>{line}</p>{_prose_html(head['preamble'])}", head["title"]


def show_section(number: str, title: str, body: Sequence[Mapping[str, Any]]) -> Shown:
    """A section's heading and prose."""
    return look(block("section", number=number, title=title, body=list(body)))


def _look_at_section(section: Block) -> tuple[str, str]:
    heading = f"{section['number']}、{section['title']}"
    return f"<h2>{escape(heading)}</h2>{_prose_html(section['body'])}", heading


def _prose_html(body: Iterable[Mapping[str, Any]]) -> str:
    def runs(items: Iterable[Mapping[str, Any]]) -> str:
        return "".join(map(_run_html, items))

    parts = []
    for node in body:
        if node["type"] == "heading":
            parts.append(f"<h{node['level'] + 2}>{runs(node['runs'])}</h{node['level'] + 2}>")
        elif node["type"] == "paragraph":
            parts.append(f"<p>{runs(node['runs'])}</p>")
        else:
            parts.append("<ul>" + "".join(f"<li>{runs(i)}</li>" for i in node["items"]) + "</ul>")
    return "".join(parts)


def _run_html(run: Mapping[str, Any]) -> str:
    text = escape(run["text"])
    if "fact" in run:
        return f'<b title="{escape(run["fact"])}">{text}</b>'
    return f'<mark title="没有绑定数据">{text}</mark>' if "unbound" in run else text


def _look_at_table(table: Block) -> tuple[str, str]:
    html = f"<table><caption>{escape(table['title'])}</caption>"
    for row in table["rows"]:
        html += "<tr>" + "".join(map(_cell_html, row)) + "</tr>"
    note = table.get("note", "")
    html += "</table>" + (f"<p>{escape(note)}</p>" if note else "")
    lines = aligned([[cell["text"] for cell in row] for row in table["rows"]])
    return html, "\n".join(line for line in [table["title"], *lines, note] if line)


def _cell_html(cell: Mapping[str, Any]) -> str:
    tag = "td" if cell["role"] == "value" else "th"
    title = f' title="{escape(cell["fact"])}"' if "fact" in cell else ""
    spans = f' colspan="{cell["colspan"]}" rowspan="{cell["rowspan"]}"'
    # Viewers of foreign notebooks drop styles, and keep this.
    side = ' align="right"' if "value" in cell else ""
    return f"<{tag}{spans}{side}{title}>{escape(cell['text'])}</{tag}>"


def _look_at_chart(chart: Block) -> tuple[str, str, str]:
    """A picture with its words: drawings within HTML are lost where a notebook is not trusted.

    A kernel that was forked makes none, since Typst has threads; they come when the notebook is
    filled in.
    """
    packed = html = ""
    if not is_forked_kernel():
        (png,) = pictures([chart["svg"]], ppi=100)
        packed = base64.b64encode(png).decode()
        html = f'<img alt="{escape(chart["alt"])}" src="data:image/png;base64,{packed}">'
    note = f"<br>{escape(chart['note'])}" if chart.get("note") else ""
    caption = f"<figcaption>{escape(chart['title'])}{note}</figcaption>"
    return f"<figure>{html}{caption}</figure>", chart["alt"], packed


def _look_at_prose(prose: Block) -> tuple[str, str]:
    return _prose_html(prose["body"]), prose_text(prose["body"])


def _look_at_comparison(found: Block) -> tuple[str, str]:
    told = agreement(found)
    lines = [
        f"{one['label']}：笔记本{one['counted']}，表格{one['stands']}" for one in found["differ"]
    ]
    lines += [f"{name}：表格里没有" for name in found["unknown"]]
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{escape(told)}</p>" + (f"<ul>{listed}</ul>" if lines else ""), "\n".join(
        [told, *lines]
    )


def agreement(found: Block) -> str:
    """Say how many cells of a table a notebook has counted, and how many of them agree."""
    same = len(found["cells"]) - len(found["differ"])
    told = f"{found['title']}：笔记本数了{len(found['cells'])}格，与表格一致的{same}格"
    left = "、".join(found.get("left", ()))  # of another edition, or spelt wrongly
    return told + (f"；没有定义而未比较的：{left}" if left else "")


def show_inputs(
    ledgers: Mapping[str, Ledger],
    absent: Sequence[tuple[str, str]],
    note: str = "",
    *,
    members: Sequence[Mapping[str, Any]] = (),
) -> Shown:
    """Show what was read: files, rows, and what was not accepted; a *note* about all of it.

    Parameters
    ----------
    members : sequence of mapping
        Of a roll-up: the reports that it adds, instead of ledgers.
    """
    listed: list[dict[str, Any]] = [
        {
            "ledger": key,
            "name": ledger.schema.name,
            **ledger.account,
            "files": [_file(source) for source in ledger.sources],
        }
        for key, ledger in ledgers.items()
    ]
    listed += [
        {"ledger": key, "name": name, "files": []} | dict.fromkeys(_COUNTS, 0)
        for key, name in absent
    ]
    findings = [
        {
            "ledger": v.ledger,
            "file": v.file,
            "place": v.place,
            "rule": v.rule,
            "severity": v.severity,
            "column": v.column,
            "found": v.found,
            "expected": translated(v.expected, translator("zh")),
            "message": v.printed(),
        }
        for ledger in ledgers.values()
        for v in ledger.violations
    ]
    own = {"members": list(members)} if members else {}
    return look(block("inputs", ledgers=listed, findings=findings, note=note, **own))


def _file(source: Source) -> dict[str, Any]:
    file = source.as_json()
    told = source.mapping.columns if source.mapping else {}
    # Headings that are spelt otherwise than the ledger's own, and not by its mapping.
    file["headings"] = {n: h for n, h in source.headings.items() if n != h and h not in told}
    if source.mapping:
        file["mapping"] = described(source.mapping, source.headings.values())
    return file


def _look_at_inputs(inputs: Block) -> tuple[str, str]:
    if "members" in inputs:
        lines = [
            f"{one['name']}（{one['id']}）：{one['source'] or '没有报告'}"
            for one in inputs["members"]
        ]
        html = "".join(f"<li>{escape(line)}</li>" for line in lines)
        return f"<ul>{html}</ul>", "\n".join(lines)
    names = ("台账", "文件", "读入", "计入", "无法读取", "退回", "另列")
    html = "<table><tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    for one in inputs["ledgers"]:
        files = "<br>".join(escape(file["path"]) for file in one["files"]) or "（无）"
        counts = "".join(f"<td>{one[k]}</td>" for k in _COUNTS)
        html += f"<tr><td>{escape(one['name'])}</td><td>{files}</td>{counts}</tr>"
    told = [*filter(None, [inputs["note"]]), *(one["message"] for one in inputs["findings"][:50])]
    words = {
        f"{one['name']}（{file['path']}）：{'；'.join(file['mapping'])}"
        for one in inputs["ledgers"]
        for file in one["files"]
        if "mapping" in file
    }
    told += sorted(words)
    html += "</table>" + "".join(f"<p>{escape(one)}</p>" for one in told)
    told = [f"{one['name']}: {one['accepted']}/{one['read']}" for one in inputs["ledgers"]]
    return html, "\n".join(told)


def show_checks(checks: Sequence[Check], rules: Rules) -> Shown:
    """All checks: open errors, warnings and infos first, then what was accepted, then the rest."""
    return look(checks_block(checks, texts_of(rules, (c.id for c in checks if not c.holds))))


def checks_block(checks: Sequence[Check], rules: Mapping[str, Mapping[str, str]]) -> Block:
    """The block of checks, with what the rules of those that do not hold demand."""
    told = {one.id: rules[one.id] for one in checks if not one.holds}
    return block("checks", checks=[one.as_json() for one in checks], rules=told)


def _open(check: Mapping[str, Any]) -> bool:
    return not check["holds"] and not check["waived"]


def _look_at_checks(shown: Block) -> tuple[str, str]:
    order = {"error": 0, "warning": 1, "info": 2}
    checks = sorted(
        shown["checks"], key=lambda one: (one["holds"], not _open(one), order[one["severity"]])
    )
    failed, waived = sum(map(_open, checks)), sum(one["waived"] is not None for one in checks)
    told = f"{len(checks)}项核对，{failed}项不符" + (f"，另有{waived}项已接受" if waived else "")
    html = f"<p><b>{told}</b></p><table>"
    explained: set[str] = set()
    for one in checks:
        state = "✓" if one["holds"] else "✗" if _open(one) else "已接受"
        told = one["message"]
        if by := one["waived"]:
            told += f"。接受：{by['reason']}（{by['by']}，{by['on']}）"
        elif _open(one) and one["id"] not in explained:
            explained.add(one["id"])
            rule = shown["rules"][one["id"]]
            told += f"。依据：{rule['basis']}。处理：{rule['todo']}"
        cells = (state, one["id"], one["title"], told)
        html += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    text = f"{len(checks)} checks, {failed} do not hold"
    return html + "</table>", text + (f", {waived} accepted" if waived else "")


def show_seal(fields: Mapping[str, Any]) -> Shown:
    """The seal: the facts, and a digest that the gate recomputes."""
    return look(block("seal", **fields))


def _look_at_seal(seal: Block) -> tuple[str, str]:
    text = f"seal {seal['seal']}: {len(seal['facts']['facts'])} facts"
    return f"<p>{escape(text)}</p>", text


_LOOKS: Mapping[str, Callable[[Block], tuple[str, ...]]] = {
    "head": _look_at_head,
    "section": _look_at_section,
    "table": _look_at_table,
    "inputs": _look_at_inputs,
    "checks": _look_at_checks,
    "seal": _look_at_seal,
    "chart": _look_at_chart,
    "prose": _look_at_prose,
    "compare": _look_at_comparison,
}

SHOWN = frozenset(_LOOKS)
"""Kinds of blocks whose look follows from the block."""
